/**
 * Binary JSON: how a json value lies in columns, batches, the WAL and between threads. It is read in place: a key or an
 * index is found without decoding what stands beside it.
 *
 * | tag | value         | after the tag                                                                           |
 * | --: | ------------- | --------------------------------------------------------------------------------------- |
 * |   0 | null          |                                                                                         |
 * |   1 | false         |                                                                                         |
 * |   2 | true          |                                                                                         |
 * |   3 | integer       | 1 byte, signed                                                                          |
 * |   4 | integer       | 4 bytes, signed                                                                         |
 * |   5 | integer       | 8 bytes, signed                                                                         |
 * |   6 | double        | 8 bytes                                                                                 |
 * |   7 | string        | u8 length, UTF-8 bytes                                                                  |
 * |   8 | string        | u32 length, UTF-8 bytes                                                                 |
 * |   9 | array         | u32 length of all that follows, u32 count, u8 height, elements, [table]                 |
 * |  10 | object        | the same with entries (key, value), in their order, for elements                        |
 *
 * All little-endian, nothing aligned. An integer has its shortest tag, a string too. A key is a u8 length below 255, or 255
 * and a u32 length, then its bytes. A table stands where count is above 16: `count` u32 offsets from the first element or
 * entry; those of an object are sorted by key (unsigned bytes, a prefix before the longer). Keys of an object differ.
 * The height of a container is 1 more than that of the highest value in it, that of a scalar is 0: whoever puts a value into
 * another knows the depth of the result without looking inside, so that no value is ever deeper than NESTING_DEPTH_MAX.
 */

import type { RegisterFile } from '../../base/registers.ts';
import { readInt64 } from '../int64.ts';
import { compareBytes } from '../utf8.ts';

export const JSON_NULL = 0;
export const JSON_FALSE = 1;
export const JSON_TRUE = 2;
export const JSON_INT8 = 3;
export const JSON_INT32 = 4;
export const JSON_INT64 = 5;
export const JSON_DOUBLE = 6;
export const JSON_STRING8 = 7;
export const JSON_STRING32 = 8;
export const JSON_ARRAY = 9;
export const JSON_OBJECT = 10;

/** Containers with more elements have a table. */
export const JSON_TABLE_MIN = 16;
/** Bytes of a container before its first element: tag, length, count, height. */
export const JSON_CONTAINER_BYTES = 10;

/** Four little-endian bytes as a signed word. */
export function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** The offset behind the value at `at`. */
export function jsonEnd(bytes: Uint8Array, at: number): number {
  switch (bytes[at]) {
    case 3: // int8
      return at + 2;
    case 4: // int32
      return at + 5;
    case 5: // int64
    case 6: // double
      return at + 9;
    case 7: // string8
      return at + 2 + bytes[at + 1]!;
    case 8: // string32
    case 9: // array
    case 10: // object
      return at + 5 + word(bytes, at + 1);
    default: // null, false, true
      return at + 1;
  }
}

/** Offset of the first byte of the string at `at`; its end is jsonEnd. */
export function jsonStringStart(bytes: Uint8Array, at: number): number {
  return bytes[at] === JSON_STRING8 ? at + 2 : at + 5;
}

/** Offset of the first byte of the key at `at`. */
export function keyStart(bytes: Uint8Array, at: number): number {
  return bytes[at] === 255 ? at + 5 : at + 1;
}

/** Bytes of the key at `at`. */
export function keyLength(bytes: Uint8Array, at: number): number {
  const length = bytes[at]!;
  return length === 255 ? word(bytes, at + 1) : length;
}

/** Elements or entries of the container at `at`. */
export function jsonCount(bytes: Uint8Array, at: number): number {
  return word(bytes, at + 5);
}

/** Levels of containers of the value at `at`: 0 for a scalar. */
export function jsonHeight(bytes: Uint8Array, at: number): number {
  return bytes[at]! >= JSON_ARRAY ? bytes[at + 9]! : 0;
}

/** Offset of element `index` of the value at `at`, or -1 where it is no array or has no such element. */
export function jsonElement(bytes: Uint8Array, at: number, index: number): number {
  if (bytes[at] !== JSON_ARRAY) return -1;
  const count = word(bytes, at + 5);
  if (index < 0 || index >= count) return -1;
  let element = at + JSON_CONTAINER_BYTES;
  if (count > JSON_TABLE_MIN) return element + word(bytes, jsonEnd(bytes, at) - (count - index) * 4);
  while (index > 0) {
    element = jsonEnd(bytes, element);
    index--;
  }
  return element;
}

/** Offset of the value of that key (key[start, start + length)) in the value at `at`, or -1 where there is none. */
export function jsonMember(bytes: Uint8Array, at: number, key: Uint8Array, start: number, length: number): number {
  if (bytes[at] !== JSON_OBJECT) return -1;
  const count = word(bytes, at + 5);
  if (count > JSON_TABLE_MIN) return findInTable(bytes, at, count, key, start, length);
  let entry = at + JSON_CONTAINER_BYTES;
  for (let i = 0; i < count; i++) {
    const first = keyStart(bytes, entry);
    const entryLength = keyLength(bytes, entry);
    if (entryLength === length) {
      let same = 0;
      while (same < length && bytes[first + same] === key[start + same]) same++;
      if (same === length) return first + length;
    }
    entry = jsonEnd(bytes, first + entryLength);
  }
  return -1;
}

function findInTable(
  bytes: Uint8Array,
  at: number,
  count: number,
  key: Uint8Array,
  start: number,
  length: number,
): number {
  const entries = at + JSON_CONTAINER_BYTES;
  const table = jsonEnd(bytes, at) - count * 4;
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const entry = entries + word(bytes, table + middle * 4);
    const first = keyStart(bytes, entry);
    const entryLength = keyLength(bytes, entry);
    const order = compareBytes(bytes, first, entryLength, key, start, length);
    if (order === 0) return first + entryLength;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return -1;
}

/** True for the three integer tags. */
export function isJsonInt(tag: number): boolean {
  return tag >= JSON_INT8 && tag <= JSON_INT64;
}

/** Low word of the integer at `at`. */
export function jsonLow(bytes: Uint8Array, at: number): number {
  return bytes[at] === JSON_INT8 ? (bytes[at + 1]! << 24) >> 24 : word(bytes, at + 1);
}

/** High word of the integer at `at`. */
export function jsonHigh(bytes: Uint8Array, at: number): number {
  return bytes[at] === JSON_INT64 ? word(bytes, at + 5) : jsonLow(bytes, at) >> 31;
}

/** Register `target` = the integer at `at`. */
export function readJsonInt(bytes: Uint8Array, at: number, registers: RegisterFile, target: number): void {
  readInt64(registers, target, jsonLow(bytes, at), jsonHigh(bytes, at));
}

const WORDS = new Int32Array(2);
const DOUBLES = new Float64Array(WORDS.buffer);

/** The double at `at` (tag double). */
export function jsonDoubleAt(bytes: Uint8Array, at: number): number {
  WORDS[0] = word(bytes, at + 1);
  WORDS[1] = word(bytes, at + 5);
  return DOUBLES[0]!;
}
