/**
 * Family 5: groups, sorting, results.
 *
 * Rows for a plain stream (the coordinator only concatenates it) are joined here and leave as one record of many rows; other
 * streams get a record a row, so that the coordinator can merge or cut them.
 */

import type { ConstantList, OutputSpec } from '../../program/program.ts';
import { BIGINT } from '../../types/type.ts';
import { loadCell } from './cells.ts';
import { unknownOpcode } from './interpreter.ts';
import { RECORD_ROW } from './result.ts';
import type { Sorter } from './sorter.ts';
import type { StepProfile } from './step-profile.ts';
import type { Vm } from './vm.ts';

/** Joined rows leave when they have this many bytes: a page of results is then filled by one record. */
const JOINED_BYTES_MAX = 16_000;

export function runGroupsAndResults(vm: Vm, op: number, a: number, b: number, c: number, pc: number): number {
  switch (op) {
    case 320: // group_open
      vm.openGroups(a, b);
      return pc;
    case 324: // group_send
      flushRows(vm);
      vm.group(a).send(vm.results, b);
      return pc;
    case 325: {
      // group_first
      const set = vm.group(a);
      set.current = 0;
      return set.count === 0 ? b : pc;
    }
    case 326: {
      // group_next
      const set = vm.group(a);
      return ++set.current < set.count ? b : pc;
    }
    case 327: // group_key
      vm.group(b).loadKey(c, vm, a);
      return pc;
    case 328: {
      // agg_result
      const set = vm.group(b);
      vm.nul[a] = set.aggregates[c].result(set.current, vm, a);
      return pc;
    }
    case 329: // sort_open
      vm.openSorter(a, b, c < 0 ? -1 : Math.max(0, vm.num[c]));
      return pc;
    case 330: // sort_add
      vm.sorter(a).add(vm, b);
      return pc;
    case 331: // sort_send
      flushRows(vm);
      sendSorted(vm, vm.sorter(a), b);
      return pc;
    case 332: {
      // sort_first
      const sorter = vm.sorter(a);
      if (!sorter.first()) return c;
      sorter.load(vm, b);
      return pc;
    }
    case 333: {
      // sort_next
      const sorter = vm.sorter(a);
      if (!sorter.next()) return pc;
      sorter.load(vm, b);
      return c;
    }
    case 334: // send_row
      sendRow(vm, vm.program.program.outputs[a], b, c);
      return pc;
    case 335: // send_row_key
      sendRowWithKey(vm, vm.program.program.outputs[a], b, c);
      return pc;
    case 336: // sort_skip
      vm.sorter(a).skip(Math.max(vm.num[b], 0));
      return pc;
    case 337: {
      // group_count_add
      const set = vm.group(a);
      set.aggregates[b].counts[set.current] += vm.num[c];
      return pc;
    }
    case 338: // set_open
      vm.openSet(a, b);
      return pc;
    case 339: // set_add
      vm.literalSet(a).add(vm, b, c);
      return pc;
    case 340: // set_params
      addParameters(vm, a, b, c);
      return pc;
    case 341: // set_list
      vm.literalSet(a).addList(vm.program.program.constants[b] as ConstantList, vm, c, vm.scratch);
      return pc;
    case 342: // set_has
      vm.num[a] = vm.literalSet(b).has(vm, c) ? 1 : 0;
      return pc;
    case 344: // step_begin
      vm.steps?.begin(vm.passedRows);
      return pc;
    case 345: // step_rows
      if (vm.steps !== null) countStep(vm, vm.steps, a, b, c);
      return pc;
    case 346: // step_end
      vm.steps?.end(a);
      return pc;
    default:
      throw unknownOpcode(op);
  }
}

function countStep(vm: Vm, { rows, passedRows }: StepProfile, step: number, kind: number, set: number): void {
  if (kind === 0) rows[step] += 1;
  else if (kind === 1) rows[step] += vm.group(set).count;
  else if (kind === 2) rows[step] = vm.sentRowCount;
  else rows[step] += vm.passedRows - passedRows;
}

/** Register 0 is used for each value, and keeps its own. */
function addParameters(vm: Vm, ordinal: number, first: number, count: number): void {
  const set = vm.literalSet(ordinal);
  const { memory, parameterArena, parameterWord, num, big, nul } = vm;
  const words = memory.i32[parameterArena];
  const kept = num[0];
  const keptBig = big[0];
  const keptNull = nul[0];
  for (let parameter = first; parameter < first + count; parameter++) {
    const word = parameterWord + parameter * 4;
    loadCell(vm, 0, memory, parameterArena, word);
    set.add(vm, 0, words[word + 2]);
  }
  num[0] = kept;
  big[0] = keptBig;
  nul[0] = keptNull;
}

function sendRow(vm: Vm, output: OutputSpec, first: number, stream: number): void {
  const rows = vm.rows;
  vm.sentRowCount++;
  if (vm.program.isPlainStream[stream] === 1) {
    if (rows.rowCount > 0) {
      if (rows.length > JOINED_BYTES_MAX || rows.stream !== stream) flushRows(vm);
      else rows.separate();
    }
    rows.stream = stream;
    rows.writeRow(output, vm, first);
    return;
  }
  rows.clear();
  rows.writeRow(output, vm, first);
  vm.results.beginRecord(stream, RECORD_ROW, 0, 16);
  vm.results.setPayload(rows.bytes, rows.length);
  vm.results.endRecord();
  rows.clear();
}

function sendRowWithKey(vm: Vm, output: OutputSpec, first: number, stream: number): void {
  const { rows, results } = vm;
  flushRows(vm);
  vm.sentRowCount++;
  rows.writeRow(output, vm, first + 1);
  results.beginRecord(stream, RECORD_ROW, 1, 0);
  results.setCell(0, vm, first, vm.nul[first], BIGINT);
  results.setPayload(rows.bytes, rows.length);
  results.endRecord();
  rows.clear();
}

/** Joined rows that wait become a record. Called before any other record, and at the end of the part. */
export function flushRows(vm: Vm): void {
  const rows = vm.rows;
  if (rows.rowCount > 0) vm.results.addRows(rows.stream, rows.bytes, rows.length, rows.rowCount);
  rows.clear();
}

function sendSorted(vm: Vm, sorter: Sorter, stream: number): void {
  const { rows, results } = vm;
  const { spec, keyCount, registers } = sorter;
  const output = spec.output < 0 ? undefined : vm.program.program.outputs[spec.output];
  for (let hasRow = sorter.first(); hasRow; hasRow = sorter.next()) {
    vm.sentRowCount++;
    sorter.load(registers, 0);
    if (output !== undefined) rows.writeRow(output, registers, keyCount);
    results.beginRecord(stream, RECORD_ROW, keyCount, 0);
    for (let key = 0; key < keyCount; key++) {
      results.setCell(key, registers, key, registers.nul[key], spec.keys[key].type);
    }
    results.setPayload(rows.bytes, rows.length);
    results.endRecord();
    rows.clear();
  }
}
