/** Family 7: dates, intervals, timestamps. Intervals that it makes are temporaries in vm.scratch. */

import { SqlError } from '../../base/errors.ts';
import { addDays, dateOfTimestamp, isDate, parseDate, timestampOfDate, writeDate } from '../../types/date.ts';
import {
  addIntervals,
  createInterval,
  type IntervalValue,
  negateInterval,
  readInterval,
  writeIntervalWords,
} from '../../types/interval.ts';
import { parseInterval, writeInterval } from '../../types/interval-text.ts';
import { isJsonInt, JSON_NULL, jsonEnd, jsonStringStart, readJsonInt } from '../../types/json/binary.ts';
import { addInterval, subtractTimestamps } from '../../types/time-arithmetic.ts';
import {
  extractFromDate,
  extractFromInterval,
  extractFromTimestamp,
  fieldOf,
  truncateInterval,
  truncateTimestamp,
} from '../../types/time-fields.ts';
import { TIMESTAMP_BIG } from '../../types/timestamp.ts';
import { byteLengthOf } from './bytes.ts';
import { integerText } from './integers.ts';
import { unknownOpcode } from './interpreter.ts';
import { isJsonString, wrongKind } from './json-casts.ts';
import { compareIntervalRefs } from './value-column.ts';
import type { Vm } from './vm.ts';

/** The operands of the moment. */
const LEFT = createInterval();
const RIGHT = createInterval();

export function runTime(vm: Vm, op: number, a: number, b: number, c: number): void {
  const num = vm.num;
  switch (op) {
    case 448: // eq_interval
      num[a] = compareIntervalRefs(vm.memory, num[b], num[c]) === 0 ? 1 : 0;
      return;
    case 449: // ne_interval
      num[a] = compareIntervalRefs(vm.memory, num[b], num[c]) !== 0 ? 1 : 0;
      return;
    case 450: // lt_interval
      num[a] = compareIntervalRefs(vm.memory, num[b], num[c]) < 0 ? 1 : 0;
      return;
    case 451: // le_interval
      num[a] = compareIntervalRefs(vm.memory, num[b], num[c]) <= 0 ? 1 : 0;
      return;
    case 452: // gt_interval
      num[a] = compareIntervalRefs(vm.memory, num[b], num[c]) > 0 ? 1 : 0;
      return;
    case 453: // ge_interval
      num[a] = compareIntervalRefs(vm.memory, num[b], num[c]) >= 0 ? 1 : 0;
      return;
    case 454: // add_date_int
      num[a] = addDays(num[b], num[c], '+');
      return;
    case 455: // sub_date_int
      num[a] = addDays(num[b], num[c], '-');
      return;
    case 456: // add_time_interval
      loadInterval(vm, c, LEFT);
      storeTimestamp(vm, a, addInterval(num[b], bigOf(vm, b), LEFT, 1, vm.timeZone));
      return;
    case 457: // sub_time_interval
      loadInterval(vm, c, LEFT);
      storeTimestamp(vm, a, addInterval(num[b], bigOf(vm, b), LEFT, -1, vm.timeZone));
      return;
    case 458: // sub_timestamp
      subtractTimestamps(num[b], bigOf(vm, b), num[c], bigOf(vm, c), LEFT);
      storeInterval(vm, a, LEFT);
      return;
    case 459: // add_interval
      loadInterval(vm, b, LEFT);
      loadInterval(vm, c, RIGHT);
      addIntervals(LEFT, RIGHT, 1, LEFT);
      storeInterval(vm, a, LEFT);
      return;
    case 460: // sub_interval
      loadInterval(vm, b, LEFT);
      loadInterval(vm, c, RIGHT);
      addIntervals(LEFT, RIGHT, -1, LEFT);
      storeInterval(vm, a, LEFT);
      return;
    case 461: // neg_interval
      loadInterval(vm, b, LEFT);
      negateInterval(LEFT, LEFT);
      storeInterval(vm, a, LEFT);
      return;
    case 462: // date_to_timestamp
      storeTimestamp(vm, a, timestampOfDate(num[b], vm.timeZone));
      return;
    case 463: // timestamp_to_date
      num[a] = dateOfTimestamp(num[b], bigOf(vm, b), vm.timeZone);
      return;
    case 464: // int_to_date
      num[a] = checkDate(vm, num[b], b);
      return;
    case 465: {
      // text_to_date
      const at = startOf(num[b]);
      num[a] = parseDate(bytesOf(vm, b), at, at + byteLengthOf(vm.memory, num[b]), c === 0);
      return;
    }
    case 466: {
      // text_to_interval
      const at = startOf(num[b]);
      parseInterval(bytesOf(vm, b), at, at + byteLengthOf(vm.memory, num[b]), LEFT);
      storeInterval(vm, a, LEFT);
      return;
    }
    case 467: // date_to_text
      vm.text.length = 0;
      writeDate(vm.text, num[b]);
      storeText(vm, a);
      return;
    case 468: // interval_to_text
      vm.text.length = 0;
      writeIntervalOf(vm, b);
      storeText(vm, a);
      return;
    case 469: // json_to_date
      jsonToDate(vm, a, b);
      return;
    case 470: // json_to_interval
      jsonToInterval(vm, a, b);
      return;
    case 471: {
      // time_field
      const at = startOf(num[b]);
      num[a] = fieldOf(bytesOf(vm, b), at, at + byteLengthOf(vm.memory, num[b]), c);
      return;
    }
    case 473: // interval_trunc
      loadInterval(vm, b, LEFT);
      truncateInterval(LEFT, num[c]);
      storeInterval(vm, a, LEFT);
      return;
    case 474: // extract_timestamp
      num[a] = extractFromTimestamp(num[b], bigOf(vm, b), num[c], vm.timeZone);
      return;
    case 475: // extract_date
      num[a] = extractFromDate(num[b], num[c]);
      return;
    case 476: // extract_interval
      loadInterval(vm, b, LEFT);
      num[a] = extractFromInterval(LEFT, num[c]);
      return;
    default:
      throw unknownOpcode(op);
  }
}

/** date_trunc where the interpreter cannot do it by a division. */
export function truncateByCalendar(vm: Vm, a: number, b: number, c: number): void {
  storeTimestamp(vm, a, truncateTimestamp(vm.num[b], bigOf(vm, b), vm.num[c], vm.timeZone));
}

/** The value beside a register that is NaN. Reading it makes a BigInt, so it is not read where there is none. */
function bigOf(vm: Vm, register: number): bigint {
  return Number.isNaN(vm.num[register]) ? vm.big[register] : 0n;
}

function bytesOf(vm: Vm, register: number): Uint8Array {
  return vm.memory.u8[vm.num[register] >>> 26];
}

function startOf(ref: number): number {
  return ((ref & 0x3ffffff) << 4) + 4;
}

/** The interval that a register refers to. */
export function loadInterval(vm: Vm, register: number, target: IntervalValue): void {
  const ref = vm.num[register];
  readInterval(vm.memory.i32[ref >>> 26], (ref & 0x3ffffff) << 2, target);
}

/** Appends the text of the interval that a register refers to to vm.text. */
export function writeIntervalOf(vm: Vm, register: number): void {
  loadInterval(vm, register, LEFT);
  writeInterval(vm.text, LEFT);
}

/** Register = an interval. */
export function storeInterval(vm: Vm, register: number, value: IntervalValue): void {
  const ref = vm.scratch.allocate(16);
  writeIntervalWords(vm.memory.i32[ref >>> 26], (ref & 0x3ffffff) << 2, value);
  vm.num[register] = ref;
}

/** Register = a timestamp given as a number, or NaN and TIMESTAMP_BIG. */
function storeTimestamp(vm: Vm, register: number, value: number): void {
  vm.num[register] = value;
  if (Number.isNaN(value)) vm.big[register] = TIMESTAMP_BIG[0];
}

function storeText(vm: Vm, register: number): void {
  vm.num[register] = vm.scratch.text(vm.text.bytes, 0, vm.text.length);
}

function checkDate(vm: Vm, day: number, register: number): number {
  if (isDate(day)) return day;
  throw new SqlError('out_of_range', `int ${integerText(vm.num, vm.big, register)} is out of range for date`);
}

function jsonToDate(vm: Vm, d: number, json: number): void {
  const bytes = bytesOf(vm, json);
  const at = startOf(vm.num[json]);
  const tag = bytes[at];
  vm.nul[d] = tag === JSON_NULL ? 1 : 0;
  if (tag === JSON_NULL) return;
  if (isJsonInt(tag)) {
    readJsonInt(bytes, at, vm, d);
    vm.num[d] = checkDate(vm, vm.num[d], d);
  } else if (isJsonString(tag)) vm.num[d] = parseDate(bytes, jsonStringStart(bytes, at), jsonEnd(bytes, at), true);
  else throw wrongKind(vm, bytes, at, 'date');
}

function jsonToInterval(vm: Vm, d: number, json: number): void {
  const bytes = bytesOf(vm, json);
  const at = startOf(vm.num[json]);
  const tag = bytes[at];
  vm.nul[d] = tag === JSON_NULL ? 1 : 0;
  if (tag === JSON_NULL) return;
  if (!isJsonString(tag)) throw wrongKind(vm, bytes, at, 'interval');
  parseInterval(bytes, jsonStringStart(bytes, at), jsonEnd(bytes, at), LEFT);
  storeInterval(vm, d, LEFT);
}
