/** Family 6: routing, batches, replies. */

import { assert } from '../../base/assert.ts';
import { SqlError } from '../../base/errors.ts';
import type { LimitSpec } from '../../program/program.ts';
import { shortestOfFloat } from '../../types/number-text.ts';
import { byteLengthOf } from '../core/bytes.ts';
import { unknownOpcode } from '../core/interpreter.ts';
import { RECORD_ROWS, resultTooLarge } from '../core/result.ts';
import type { CoordinatorVm } from './coordinator-vm.ts';
import { IntegerSeries, JsonElements, TimeSeries } from './row-sources.ts';

/** Type number of a parameter that holds a partition ordinal: int. */
const ORDINAL_TYPE = 4;
/** Type number of a parameter that holds the ref of a batch: any ref type. */
const BATCH_TYPE = 8;

export function runCoordinator(vm: CoordinatorVm, op: number, a: number, b: number, c: number, pc: number): number {
  switch (op) {
    case 384: {
      // route_all
      const routed = vm.routed(a);
      vm.addNodes(routed.maskLow, routed.maskHigh);
      return pc;
    }
    case 385: // route_point
      routePoint(vm, a, b);
      return pc;
    case 386: // route_list
      routeList(vm, a);
      return pc;
    case 387: {
      // batch_values
      const source = vm.rowSource();
      assert(source !== null, 'a request with batch_values has rows');
      source.fill(vm.beginBatch(a, vm.program.program.inserts[b]), c);
      return pc;
    }
    case 388: // batch_new
      vm.beginBatch(a, vm.program.program.inserts[b]);
      return pc;
    case 389: // batch_row
      vm.builder(a).beginRow();
      return pc;
    case 390: // batch_set
      vm.builder(a).setRegister(b, vm, c);
      return pc;
    case 391: // batch_set_null
      if (vm.nul[c] !== 0) vm.builder(a).setNull(b);
      else vm.builder(a).setRegister(b, vm, c);
      return pc;
    case 392: // batch_row_end
      vm.builder(a).endRow();
      return pc;
    case 393: {
      // batch_generate
      const builder = vm.isOpenBatch(a) ? vm.builder(a) : vm.beginBatch(a, vm.program.program.inserts[b]);
      builder.generate(vm.num[c]);
      return pc;
    }
    case 394: // batch_route
      vm.storeCell(b, BATCH_TYPE, vm.endBatch(a));
      return pc;
    case 395: // send
      return -1;
    case 396: // reply_rows
      replyRows(vm, a, b, c < 0 ? undefined : vm.program.program.limits[c]);
      return pc;
    case 397: // group_merge
      for (let part = 0; part < vm.parts.count; part++) {
        vm.reader.open(vm.parts.arenas[part], vm.parts.bytes[part]);
        vm.group(a).merge(vm.reader, b);
      }
      return pc;
    case 398: // out_open
      vm.reply.byte(0x5b); // [
      return pc;
    case 399: // out_row
      writeRow(vm, a, b);
      return pc;
    case 400: // out_close
      vm.reply.byte(0x5d); // ]
      return pc;
    case 401: // limit_check
      if (vm.num[a] < 0 || (Number.isNaN(vm.num[a]) && vm.big[a] < 0n)) throw negativeLimit(b);
      return pc;
    case 402: {
      // series_int
      const series = new IntegerSeries();
      vm.rowSources[a] = series;
      return series.open(vm, b) ? pc : c;
    }
    case 403: {
      // series_time
      const series = new TimeSeries();
      vm.rowSources[a] = series;
      return series.open(vm, b) ? pc : c;
    }
    case 404: {
      // each_open
      const elements = new JsonElements(vm.memory);
      vm.rowSources[a] = elements;
      return elements.open(vm, b) ? pc : c;
    }
    case 405: // source_next
      if (!vm.rowSources[a].next()) return pc;
      return vm.passesRow() ? b : vm.pauseAt(b);
    case 406: // source_value
      vm.rowSources[b].load(vm, a);
      return pc;
    case 407: // batch_put
      putConverted(vm, a, b, c);
      return pc;
    case 408: // batch_put_null
      if (vm.nul[c] !== 0) vm.builder(a).setNull(b & 0xffff);
      else putConverted(vm, a, b, c);
      return pc;
    case 409: // route_reader
      routeReader(vm, a, b);
      return pc;
    case 410: // route_fence
      vm.addNodes(lowMask(a), lowMask(a - 32));
      return pc;
    default:
      throw unknownOpcode(op);
  }
}

/** A value of another type than its column's; `place` is the column and, from bit 16, the type. */
function putConverted(vm: CoordinatorVm, batch: number, place: number, register: number): void {
  const { num, big, memory } = vm;
  const builder = vm.builder(batch);
  const column = place & 0xffff;
  const value = num[register];
  const type = place >>> 16;
  if (type === 1 /* bool */) builder.setBool(column, value !== 0);
  else if (type === 5 /* bigint */) builder.setInt(column, value, Number.isNaN(value) ? big[register] : 0n);
  else if (type === 6 /* float, into json */) builder.setDouble(column, shortestOfFloat(value));
  else if (type === 7 /* double */) builder.setDouble(column, value);
  else {
    const bytes = memory.u8[value >>> 26];
    const start = ((value & 0x3ffffff) << 4) + 4;
    const end = start + byteLengthOf(memory, value);
    if (type === 8 /* text */) builder.setTextBytes(column, bytes, start, end);
    else builder.setJsonBytes(column, bytes, start, end);
  }
}

/** A node that takes part anyway costs no vote more; which of them it is comes from the seed, so a rerun has the same. */
function routeReader(vm: CoordinatorVm, parameter: number, nodeCount: number): void {
  const { request } = vm;
  const isFirst = (request.maskLow | request.maskHigh) === 0;
  const maskLow = isFirst ? lowMask(nodeCount) : request.maskLow;
  const maskHigh = isFirst ? lowMask(nodeCount - 32) : request.maskHigh;
  let count = 0;
  for (let node = 0; node < nodeCount; node++) count += bitOf(maskLow, maskHigh, node);
  let left = (request.seedLow >>> 0) % count;
  let reader = 0;
  while (bitOf(maskLow, maskHigh, reader) === 0 || left-- > 0) reader++;
  vm.storeCell(parameter, ORDINAL_TYPE, reader);
  vm.addNodes(reader < 32 ? 1 << reader : 0, reader < 32 ? 0 : 1 << (reader - 32));
}

function bitOf(maskLow: number, maskHigh: number, node: number): number {
  return ((node < 32 ? maskLow : maskHigh) >>> (node & 31)) & 1;
}

/** The lowest `count` bits, at most 32. */
function lowMask(count: number): number {
  if (count <= 0) return 0;
  return count >= 32 ? -1 : (1 << count) - 1;
}

function routePoint(vm: CoordinatorVm, parameter: number, point: number): void {
  const spec = vm.program.program.points[point];
  const routed = vm.routed(spec.table);
  const ordinal = routed.ordinal(vm.memory, vm, spec.keyRegister);
  vm.storeCell(parameter, ORDINAL_TYPE, ordinal);
  vm.addNodes(routed.routing.maskLow[ordinal], routed.routing.maskHigh[ordinal]);
}

function routeList(vm: CoordinatorVm, list: number): void {
  const spec = vm.program.program.lists[list];
  const routed = vm.routed(spec.table);
  if (spec.set >= 0) {
    const set = vm.literalSet(spec.set);
    for (let key = 0; key < set.count; key++) {
      set.load(key, vm, spec.keyRegister);
      const ordinal = routed.ordinal(vm.memory, vm, spec.keyRegister);
      vm.addNodes(routed.routing.maskLow[ordinal], routed.routing.maskHigh[ordinal]);
    }
    return;
  }
  for (let register = spec.keyRegister; register < spec.keyRegister + spec.keyCount; register++) {
    if (vm.nul[register] !== 0) continue;
    const ordinal = routed.ordinal(vm.memory, vm, register);
    vm.addNodes(routed.routing.maskLow[ordinal], routed.routing.maskHigh[ordinal]);
  }
}

function replyRows(vm: CoordinatorVm, stream: number, sort: number, limits: LimitSpec | undefined): void {
  const { reply, merge, memory } = vm;
  const limitBytes = vm.request.limitSendBytes;
  let skip = limits === undefined ? 0 : bound(vm, limits.offsetRegister, 0);
  let left =
    limits === undefined ? Number.POSITIVE_INFINITY : bound(vm, limits.limitRegister, Number.POSITIVE_INFINITY);
  reply.byte(0x5b); // [
  merge.open(vm.parts, stream, sort < 0 ? null : vm.program.program.sorts[sort].keys);
  while (left > 0 && merge.next()) {
    const { reader } = merge;
    // A record of joined rows comes in plain streams only, which have no limits.
    if (reader.kind === RECORD_ROWS) vm.sentRowCount += reader.extra;
    else {
      if (skip > 0) {
        skip--;
        continue;
      }
      left--;
      vm.sentRowCount++;
    }
    if (reply.length > 1) separate(vm);
    reply.copy(memory.u8[reader.arena], reader.payloadStart, reader.payloadStart + reader.payloadBytes);
    if (reply.length >= limitBytes) throw resultTooLarge(limitBytes);
  }
  reply.byte(0x5d); // ]
}

/** A limit or offset; NULL is as if it had not been written. */
function bound(vm: CoordinatorVm, register: number, otherwise: number): number {
  if (register < 0 || vm.nul[register] !== 0) return otherwise;
  const value = vm.num[register];
  return Number.isNaN(value) ? Number.POSITIVE_INFINITY : value;
}

/** A comma and a space between rows. */
function separate(vm: CoordinatorVm): void {
  vm.reply.byte(0x2c);
  vm.reply.byte(0x20);
}

function writeRow(vm: CoordinatorVm, output: number, first: number): void {
  const { reply, rows } = vm;
  if (reply.length > 1) separate(vm);
  rows.writeRow(vm.program.program.outputs[output], vm, first);
  reply.copy(rows.bytes, 0, rows.length);
  rows.clear();
  vm.sentRowCount++;
  if (reply.length >= vm.request.limitSendBytes) throw resultTooLarge(vm.request.limitSendBytes);
}

const LIMIT_NAMES = ['LIMIT', 'OFFSET', 'GENERATE'];

function negativeLimit(kind: number): SqlError {
  return new SqlError('out_of_range', `${LIMIT_NAMES[kind]} is negative`);
}
