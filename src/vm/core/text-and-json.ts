/**
 * Family 2: text, JSON, casts, functions. What they make are temporaries in vm.scratch. JSON is read in place
 * (types/json/binary.ts); what is read out of a value is copied, because values start at refs.
 */

import { AssertionFailure } from '../../base/assert.ts';
import { SqlError } from '../../base/errors.ts';
import { callFunction } from '../../functions/registry.ts';
import { writeDate } from '../../types/date.ts';
import {
  isJsonInt,
  JSON_ARRAY,
  JSON_NULL,
  jsonCount,
  jsonElement,
  jsonEnd,
  jsonMember,
  jsonStringStart,
  readJsonInt,
} from '../../types/json/binary.ts';
import type { JsonWriter } from '../../types/json/json-writer.ts';
import { matchesLike } from '../../types/like.ts';
import {
  NUMBER_BIG,
  parseDouble,
  parseInteger,
  shortestOfFloat,
  writeDouble,
  writeInt,
} from '../../types/number-text.ts';
import { isTimestamp, parseTimestamp, TIMESTAMP_BIG, writeTimestamp } from '../../types/timestamp.ts';
import { writeUuid } from '../../types/uuid.ts';
import { writeVectorAsJson } from '../../types/vector.ts';
import { byteLengthOf, textOf } from './bytes.ts';
import { integerText } from './integers.ts';
import { unknownOpcode } from './interpreter.ts';
import { isJsonString, jsonToBool, jsonToDouble, jsonToInt, jsonToText, wrongKind } from './json-casts.ts';
import { findInJson } from './json-find.ts';
import { writeIntervalOf } from './time.ts';
import type { Vm } from './vm.ts';

export function runTextAndJson(vm: Vm, op: number, a: number, b: number, c: number): void {
  switch (op) {
    case 128: // concat
      concatenate(vm, a, b, c);
      return;
    case 129: // like
      vm.num[a] = isLike(vm, vm.num[b], vm.num[c]) ? 1 : 0;
      return;
    case 130: // json_key
      readKey(vm, a, b, c);
      return;
    case 131: // json_index
      readIndex(vm, a, b, c);
      return;
    case 132: // json_to_int
      jsonToInt(vm, a, bytesOf(vm, b), startOf(vm.num[b]));
      return;
    case 133: // json_to_double
      jsonToDouble(vm, a, bytesOf(vm, b), startOf(vm.num[b]));
      return;
    case 134: // json_to_text
      jsonToText(vm, a, bytesOf(vm, b), startOf(vm.num[b]));
      return;
    case 135: // json_to_bool
      jsonToBool(vm, a, bytesOf(vm, b), startOf(vm.num[b]));
      return;
    case 136: // json_to_timestamp
      jsonToTimestamp(vm, a, b);
      return;
    case 137: // to_json
      vm.json.start();
      writeJsonValue(vm, vm.json, b, c);
      storeJson(vm, a);
      return;
    case 138: // json_concat
      concatenateArrays(vm, a, b, c);
      return;
    case 139: // json_array
      makeArray(vm, a, b, c);
      return;
    case 140: // json_object
      makeObject(vm, a, b, c);
      return;
    case 141: {
      // int_to_text
      const value = vm.num[b];
      vm.text.length = 0;
      writeInt(vm.text, value, Number.isNaN(value) ? vm.big[b] : 0n);
      storeText(vm, a);
      return;
    }
    case 142: // double_to_text
      vm.text.length = 0;
      writeDouble(vm.text, vm.num[b]);
      storeText(vm, a);
      return;
    case 143: // bool_to_text
      vm.text.length = 0;
      vm.text.ascii(vm.num[b] === 0 ? 'false' : 'true');
      storeText(vm, a);
      return;
    case 144: {
      // timestamp_to_text
      const value = vm.num[b];
      vm.text.length = 0;
      writeTimestamp(vm.text, value, Number.isNaN(value) ? vm.big[b] : 0n, vm.timeZone);
      storeText(vm, a);
      return;
    }
    case 145: {
      // text_to_int
      const at = startOf(vm.num[b]);
      const value = parseInteger(bytesOf(vm, b), at, at + byteLengthOf(vm.memory, vm.num[b]));
      vm.num[a] = value;
      if (Number.isNaN(value)) vm.big[a] = NUMBER_BIG[0];
      return;
    }
    case 146: {
      // text_to_double
      const at = startOf(vm.num[b]);
      vm.num[a] = parseDouble(bytesOf(vm, b), at, at + byteLengthOf(vm.memory, vm.num[b]));
      return;
    }
    case 147: // text_to_bool
      vm.num[a] = textToBool(vm, b);
      return;
    case 148: {
      // text_to_timestamp
      const at = startOf(vm.num[b]);
      const value = parseTimestamp(bytesOf(vm, b), at, at + byteLengthOf(vm.memory, vm.num[b]), vm.timeZone);
      vm.num[a] = value;
      if (Number.isNaN(value)) vm.big[a] = TIMESTAMP_BIG[0];
      return;
    }
    case 149: {
      // text_to_json
      const at = startOf(vm.num[b]);
      vm.json.start();
      vm.json.string(bytesOf(vm, b), at, at + byteLengthOf(vm.memory, vm.num[b]));
      storeJson(vm, a);
      return;
    }
    case 150: // call
      callFunction(vm, b, a, c);
      return;
    case 151: // int_to_timestamp
      intToTimestamp(vm, a, b);
      return;
    case 152: // json_find
      findInJson(vm, a, b, c);
      return;
    default:
      throw unknownOpcode(op);
  }
}

/** The arena that the value of a register lies in. */
function bytesOf(vm: Vm, register: number): Uint8Array {
  return vm.memory.u8[vm.num[register] >>> 26];
}

/** Byte offset in its arena where the bytes of the value at `ref` start. */
function startOf(ref: number): number {
  return ((ref & 0x3ffffff) << 4) + 4;
}

/** Register = a text of what is in vm.text. */
function storeText(vm: Vm, register: number): void {
  vm.num[register] = vm.scratch.text(vm.text.bytes, 0, vm.text.length);
}

/** Register = the json value written into vm.json. */
function storeJson(vm: Vm, register: number): void {
  vm.num[register] = vm.scratch.text(vm.json.bytes, 0, vm.json.length);
}

function concatenate(vm: Vm, d: number, left: number, right: number): void {
  const { memory } = vm;
  const leftRef = vm.num[left];
  const rightRef = vm.num[right];
  const leftLength = byteLengthOf(memory, leftRef);
  const rightLength = byteLengthOf(memory, rightRef);
  const ref = vm.scratch.allocate(4 + leftLength + rightLength);
  const at = startOf(ref);
  const target = memory.u8[ref >>> 26];
  memory.i32[ref >>> 26][(ref & 0x3ffffff) << 2] = leftLength + rightLength;
  copy(memory.u8[leftRef >>> 26], startOf(leftRef), leftLength, target, at);
  copy(memory.u8[rightRef >>> 26], startOf(rightRef), rightLength, target, at + leftLength);
  vm.num[d] = ref;
}

function copy(source: Uint8Array, from: number, length: number, target: Uint8Array, at: number): void {
  if (length <= 48) for (let i = 0; i < length; i++) target[at + i] = source[from + i];
  else target.set(source.subarray(from, from + length), at);
}

function isLike(vm: Vm, text: number, pattern: number): boolean {
  const { memory } = vm;
  const t = startOf(text);
  const p = startOf(pattern);
  const textEnd = t + byteLengthOf(memory, text);
  return matchesLike(
    memory.u8[text >>> 26],
    t,
    textEnd,
    memory.u8[pattern >>> 26],
    p,
    p + byteLengthOf(memory, pattern),
  );
}

function readKey(vm: Vm, d: number, json: number, key: number): void {
  const bytes = bytesOf(vm, json);
  const keyRef = vm.num[key];
  const keyLength = byteLengthOf(vm.memory, keyRef);
  const at = jsonMember(bytes, startOf(vm.num[json]), vm.memory.u8[keyRef >>> 26], startOf(keyRef), keyLength);
  storePart(vm, d, bytes, at);
}

function readIndex(vm: Vm, d: number, json: number, index: number): void {
  const bytes = bytesOf(vm, json);
  const value = vm.num[index];
  // Not below 2^31: no array is that long.
  const at = value >= 0 && value < 2147483648 ? jsonElement(bytes, startOf(vm.num[json]), value) : -1;
  storePart(vm, d, bytes, at);
}

/** Register = the json value at bytes[at], NULL for at < 0. */
function storePart(vm: Vm, d: number, bytes: Uint8Array, at: number): void {
  if (at < 0) {
    vm.nul[d] = 1;
    return;
  }
  vm.nul[d] = 0;
  vm.num[d] = vm.scratch.text(bytes, at, jsonEnd(bytes, at));
}

function jsonToTimestamp(vm: Vm, d: number, json: number): void {
  const bytes = bytesOf(vm, json);
  const at = startOf(vm.num[json]);
  const tag = bytes[at];
  vm.nul[d] = tag === JSON_NULL ? 1 : 0;
  if (tag === JSON_NULL) return;
  if (isJsonInt(tag)) {
    readJsonInt(bytes, at, vm, d);
    intToTimestamp(vm, d, d);
    return;
  }
  if (!isJsonString(tag)) throw wrongKind(vm, bytes, at, 'timestamp');
  const value = parseTimestamp(bytes, jsonStringStart(bytes, at), jsonEnd(bytes, at), vm.timeZone);
  vm.num[d] = value;
  if (Number.isNaN(value)) vm.big[d] = TIMESTAMP_BIG[0];
}

/** Writes a register of wide type `type & 255` as a JSON value; `type & 256`: NULL is JSON null. */
function writeJsonValue(vm: Vm, writer: JsonWriter, register: number, type: number): void {
  if ((type & 256) !== 0 && vm.nul[register] !== 0) {
    writer.null();
    return;
  }
  const value = vm.num[register];
  switch (type & 255) {
    case 0: // null
      writer.null();
      return;
    case 1: // bool
      writer.bool(value !== 0);
      return;
    case 2: // tinyint
    case 3: // smallint
    case 4: // int
    case 5: // bigint
      writer.int(value, Number.isNaN(value) ? vm.big[register] : 0n);
      return;
    case 6: // float
      writer.double(shortestOfFloat(value));
      return;
    case 7: // double
      writer.double(value);
      return;
    case 8: {
      // text
      const at = startOf(value);
      writer.string(vm.memory.u8[value >>> 26], at, at + byteLengthOf(vm.memory, value));
      return;
    }
    case 9: {
      // json
      const at = startOf(value);
      writer.raw(vm.memory.u8[value >>> 26], at, at + byteLengthOf(vm.memory, value));
      return;
    }
    case 10: // timestamp
      vm.text.length = 0;
      writeTimestamp(vm.text, value, Number.isNaN(value) ? vm.big[register] : 0n, vm.timeZone);
      writer.string(vm.text.bytes, 0, vm.text.length);
      return;
    case 11: // interval
      vm.text.length = 0;
      writeIntervalOf(vm, register);
      writer.string(vm.text.bytes, 0, vm.text.length);
      return;
    case 12: // date
      vm.text.length = 0;
      writeDate(vm.text, value);
      writer.string(vm.text.bytes, 0, vm.text.length);
      return;
    case 13: // vector
      writeVectorAsJson(writer, vm.memory, value);
      return;
    case 14: // uuid
      vm.text.length = 0;
      writeUuid(vm.text, vm.memory.u8[value >>> 26], (value & 0x3ffffff) << 4);
      writer.string(vm.text.bytes, 0, vm.text.length);
      return;
    default:
      throw new AssertionFailure(`no JSON of type ${type & 255}`);
  }
}

function concatenateArrays(vm: Vm, d: number, left: number, right: number): void {
  const writer = vm.json;
  writer.start();
  writer.beginArray();
  addElements(vm, left);
  addElements(vm, right);
  writer.end();
  storeJson(vm, d);
}

function addElements(vm: Vm, json: number): void {
  const bytes = bytesOf(vm, json);
  const at = startOf(vm.num[json]);
  if (bytes[at] !== JSON_ARRAY) throw new SqlError('invalid_value', 'json || json: both must be arrays');
  const count = jsonCount(bytes, at);
  // Elements follow one another from the first; a table of offsets stands behind them.
  let element = count === 0 ? 0 : jsonElement(bytes, at, 0);
  for (let i = 0; i < count; i++) {
    const end = jsonEnd(bytes, element);
    vm.json.element();
    vm.json.raw(bytes, element, end);
    element = end;
  }
}

function makeArray(vm: Vm, d: number, first: number, count: number): void {
  const writer = vm.json;
  writer.start();
  writer.beginArray();
  for (let register = first; register < first + count; register++) {
    writer.element();
    writeJsonValue(vm, writer, register, 9);
  }
  writer.end();
  storeJson(vm, d);
}

function makeObject(vm: Vm, d: number, first: number, pairCount: number): void {
  const writer = vm.json;
  writer.start();
  writer.beginObject();
  for (let pair = 0; pair < pairCount; pair++) {
    const key = vm.num[first + pair * 2];
    writer.key(vm.memory.u8[key >>> 26], startOf(key), startOf(key) + byteLengthOf(vm.memory, key));
    writeJsonValue(vm, writer, first + pair * 2 + 1, 9);
  }
  writer.end();
  storeJson(vm, d);
}

const TRUE_TEXTS: ReadonlySet<string> = new Set(['true', 't', 'yes', 'y', 'on', '1']);
const FALSE_TEXTS: ReadonlySet<string> = new Set(['false', 'f', 'no', 'n', 'off', '0']);

function textToBool(vm: Vm, register: number): number {
  const text = textOf(vm.memory, vm.num[register]);
  const word = text.trim().toLowerCase();
  if (TRUE_TEXTS.has(word)) return 1;
  if (FALSE_TEXTS.has(word)) return 0;
  throw new SqlError('invalid_value', `'${text}' is not a bool`);
}

function intToTimestamp(vm: Vm, d: number, register: number): void {
  const value = vm.num[register];
  const big = Number.isNaN(value) ? vm.big[register] : 0n;
  if (!isTimestamp(value, big)) {
    throw new SqlError('out_of_range', `int ${integerText(vm.num, vm.big, register)} is out of range for timestamp`);
  }
  vm.num[d] = value;
  if (Number.isNaN(value)) vm.big[d] = big;
}
