/**
 * `x op ANY (array)` and `x op ALL (array)`: a value of any type and the elements of a JSON array. An element counts as the
 * value that a cast of it to the type of x gives: numbers and bools as numbers, strings as texts or, where x is a
 * timestamp and the like, as what they spell. JSON null counts as NULL. What is of another kind is unequal, and in no order.
 */

import { SqlError } from '../../base/errors.ts';
import { parseDate } from '../../types/date.ts';
import { compareIntDouble, compareWords, highWord, WORDS, wordsOfBig } from '../../types/int64.ts';
import { compareIntervals, createInterval, writeIntervalWords } from '../../types/interval.ts';
import { parseInterval } from '../../types/interval-text.ts';
import {
  isJsonInt,
  JSON_ARRAY,
  JSON_CONTAINER_BYTES,
  JSON_DOUBLE,
  JSON_FALSE,
  JSON_NULL,
  JSON_TRUE,
  jsonCount,
  jsonDoubleAt,
  jsonEnd,
  jsonHigh,
  jsonLow,
  jsonStringStart,
  readJsonInt,
} from '../../types/json/binary.ts';
import { jsonEquals } from '../../types/json/compare.ts';
import { parseTimestamp, TIMESTAMP_BIG } from '../../types/timestamp.ts';
import { DATE, TIMESTAMP, type TypeId, VALUE_NAMES, VECTOR } from '../../types/type.ts';
import { compareBytes } from '../../types/utf8.ts';
import { parseUuid } from '../../types/uuid.ts';
import { appendJsonElements, compareVectors } from '../../types/vector.ts';
import { byteLengthOf } from './bytes.ts';
import { holds } from './comparison.ts';
import { isJsonString, shownJson } from './json-casts.ts';
import type { Vm } from './vm.ts';

const OPERATORS: readonly string[] = ['=', '<>', '<', '<=', '>', '>='];
/** What a comparison of values that have no order gives. */
const UNLIKE = Number.NaN;

function startOf(ref: number): number {
  return ((ref & 0x3ffffff) << 4) + 4;
}

/** Register d = three-valued result for x in register b and the array in b + 1; `what` is the immediate of json_any. */
export function compareWithElements(vm: Vm, d: number, b: number, what: number): void {
  const operator = what & 7;
  const isAll = (what & 8) !== 0;
  const type = what >>> 4;
  const ref = vm.num[b + 1];
  const bytes = vm.memory.u8[ref >>> 26];
  const at = startOf(ref);
  if (bytes[at] !== JSON_ARRAY) {
    if (bytes[at] !== JSON_NULL)
      throw new SqlError(
        'invalid_value',
        `${isAll ? 'ALL' : 'ANY'}: json value ${shownJson(vm, bytes, at)} is no array`,
      );
    vm.nul[d] = 1;
    return;
  }
  let hasNull = false;
  let element = at + JSON_CONTAINER_BYTES;
  for (let i = jsonCount(bytes, at); i > 0; i--) {
    if (bytes[element] === JSON_NULL) hasNull = true;
    else if (matches(vm, operator, type, compareElement(vm, type, b, bytes, element), bytes, element) !== isAll) {
      vm.nul[d] = 0;
      vm.num[d] = isAll ? 0 : 1;
      return;
    }
    element = jsonEnd(bytes, element);
  }
  vm.nul[d] = hasNull ? 1 : 0;
  vm.num[d] = isAll ? 1 : 0;
}

/** `order` is NaN where the two have only equality; then nothing but `=` and `<>` may ask. */
function matches(vm: Vm, operator: number, type: number, order: number, bytes: Uint8Array, at: number): boolean {
  if (operator > 1 && Number.isNaN(order)) {
    const message = `operation ${VALUE_NAMES[type]} ${OPERATORS[operator]} json ${shownJson(vm, bytes, at)} is not supported`;
    throw new SqlError('invalid_value', message);
  }
  return holds(order, operator);
}

/** Order of register `register`, of that wide type, and the element, which is no JSON null; UNLIKE where there is none. */
function compareElement(vm: Vm, type: number, register: number, bytes: Uint8Array, at: number): number {
  const value = vm.num[register];
  switch (type) {
    case 1: // bool
    case 5: // bigint
      return compareInteger(vm, register, bytes, at);
    case 7: // double
      return compareDouble(value, bytes, at);
    case 8: {
      // text
      if (!isJsonString(bytes[at])) return UNLIKE;
      const start = jsonStringStart(bytes, at);
      const own = vm.memory.u8[value >>> 26];
      const length = byteLengthOf(vm.memory, value);
      return compareBytes(own, startOf(value), length, bytes, start, jsonEnd(bytes, at) - start);
    }
    case 9: // json
      return jsonEquals(vm.memory.u8[value >>> 26], startOf(value), bytes, at) ? 0 : UNLIKE;
    default:
      return compareSpelled(vm, type as TypeId, register, bytes, at);
  }
}

function compareInteger(vm: Vm, register: number, bytes: Uint8Array, at: number): number {
  const value = vm.num[register];
  const big = Number.isNaN(value) ? vm.big[register] : 0n;
  const tag = bytes[at];
  if (isJsonInt(tag)) {
    if (!Number.isNaN(value)) return compareWords(value | 0, highWord(value), jsonLow(bytes, at), jsonHigh(bytes, at));
    wordsOfBig(big);
    return compareWords(WORDS[0], WORDS[1], jsonLow(bytes, at), jsonHigh(bytes, at));
  }
  if (tag === JSON_DOUBLE) return compareIntDouble(value, big, jsonDoubleAt(bytes, at));
  if (tag === JSON_TRUE || tag === JSON_FALSE) return compareIntDouble(value, big, tag === JSON_TRUE ? 1 : 0);
  return UNLIKE;
}

const NUMBER: { num: Float64Array; big: BigInt64Array; nul: Uint8Array } = {
  num: new Float64Array(1),
  big: new BigInt64Array(1),
  nul: new Uint8Array(1),
};

function compareDouble(value: number, bytes: Uint8Array, at: number): number {
  const tag = bytes[at];
  let other: number;
  if (tag === JSON_DOUBLE) other = jsonDoubleAt(bytes, at);
  else if (tag === JSON_TRUE || tag === JSON_FALSE) other = tag === JSON_TRUE ? 1 : 0;
  else if (isJsonInt(tag)) {
    readJsonInt(bytes, at, NUMBER, 0);
    return -compareIntDouble(NUMBER.num[0], NUMBER.big[0], value);
  } else return UNLIKE;
  return value === other ? 0 : value < other ? -1 : 1;
}

const WIDE_BYTES = new Uint8Array(16);
const WIDE_WORDS = new Int32Array(WIDE_BYTES.buffer);
const SPAN = createInterval();

/** A value that JSON can only spell: a timestamp, date, interval, uuid as a string, a vector as an array. */
function compareSpelled(vm: Vm, type: TypeId, register: number, bytes: Uint8Array, at: number): number {
  const value = vm.num[register];
  const tag = bytes[at];
  if (type === VECTOR) {
    if (tag !== JSON_ARRAY) return UNLIKE;
    vm.text.length = 0;
    appendJsonElements(vm.text, bytes, at);
    return compareVectors(vm.memory, value, vm.scratch.text(vm.text.bytes, 0, vm.text.length));
  }
  if (isJsonInt(tag) && (type === TIMESTAMP || type === DATE)) return compareInteger(vm, register, bytes, at);
  if (!isJsonString(tag)) return UNLIKE;
  const start = jsonStringStart(bytes, at);
  const end = jsonEnd(bytes, at);
  switch (type as number) {
    case 10: {
      // timestamp
      const other = parseTimestamp(bytes, start, end, vm.timeZone);
      if (!Number.isNaN(value) && !Number.isNaN(other)) return value - other;
      const left = Number.isNaN(value) ? vm.big[register] : BigInt(value);
      const right = Number.isNaN(other) ? TIMESTAMP_BIG[0] : BigInt(other);
      return left === right ? 0 : left < right ? -1 : 1;
    }
    case 12: // date
      return value - parseDate(bytes, start, end);
    case 11: // interval
      parseInterval(bytes, start, end, SPAN);
      writeIntervalWords(WIDE_WORDS, 0, SPAN);
      return compareIntervals(vm.memory.i32[value >>> 26], (value & 0x3ffffff) << 2, WIDE_WORDS, 0);
    case 14: // uuid
      parseUuid(bytes, start, end, WIDE_BYTES, 0);
      return compareBytes(vm.memory.u8[value >>> 26], (value & 0x3ffffff) << 4, 16, WIDE_BYTES, 0, 16);
    default:
      return UNLIKE;
  }
}
