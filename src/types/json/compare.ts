/** Equality of binary JSON values: structural, integers and doubles by value, objects without regard to key order. */

import { bigOfWords, compareIntDouble, compareWords, numberOfWords } from '../int64.ts';
import { compareBytes } from '../utf8.ts';
import {
  isJsonInt,
  JSON_ARRAY,
  JSON_CONTAINER_BYTES,
  JSON_DOUBLE,
  JSON_OBJECT,
  jsonCount,
  jsonDoubleAt,
  jsonEnd,
  jsonHigh,
  jsonLow,
  jsonMember,
  jsonStringStart,
  keyLength,
  keyStart,
} from './binary.ts';

/** True if the values at a[atA] and b[atB] are the same JSON. */
export function jsonEquals(a: Uint8Array, atA: number, b: Uint8Array, atB: number): boolean {
  const tagA = a[atA]!;
  const tagB = b[atB]!;
  if (isJsonInt(tagA)) {
    if (isJsonInt(tagB)) return jsonLow(a, atA) === jsonLow(b, atB) && jsonHigh(a, atA) === jsonHigh(b, atB);
    return tagB === JSON_DOUBLE && intEqualsDouble(a, atA, jsonDoubleAt(b, atB));
  }
  if (tagA === JSON_DOUBLE) {
    if (tagB === JSON_DOUBLE) return jsonDoubleAt(a, atA) === jsonDoubleAt(b, atB);
    return isJsonInt(tagB) && intEqualsDouble(b, atB, jsonDoubleAt(a, atA));
  }
  if (tagA !== tagB) return false;
  if (tagA === JSON_ARRAY) return arraysEqual(a, atA, b, atB);
  if (tagA === JSON_OBJECT) return objectsEqual(a, atA, b, atB);
  if (tagA < JSON_DOUBLE) return true;
  const startA = jsonStringStart(a, atA);
  const startB = jsonStringStart(b, atB);
  return compareBytes(a, startA, jsonEnd(a, atA) - startA, b, startB, jsonEnd(b, atB) - startB) === 0;
}

/** True for the tags of integers and doubles. */
export function isJsonNumber(tag: number): boolean {
  return tag === JSON_DOUBLE || isJsonInt(tag);
}

/** Negative, 0 or positive: the exact order of two numbers. */
export function compareJsonNumbers(a: Uint8Array, atA: number, b: Uint8Array, atB: number): number {
  if (isJsonInt(a[atA]!)) {
    if (isJsonInt(b[atB]!)) return compareWords(jsonLow(a, atA), jsonHigh(a, atA), jsonLow(b, atB), jsonHigh(b, atB));
    return compareIntAndDouble(a, atA, jsonDoubleAt(b, atB));
  }
  const double = jsonDoubleAt(a, atA);
  if (isJsonInt(b[atB]!)) return -compareIntAndDouble(b, atB, double);
  const other = jsonDoubleAt(b, atB);
  return double === other ? 0 : double < other ? -1 : 1;
}

function compareIntAndDouble(bytes: Uint8Array, at: number, double: number): number {
  const low = jsonLow(bytes, at);
  const high = jsonHigh(bytes, at);
  const value = numberOfWords(low, high);
  return compareIntDouble(value, Number.isNaN(value) ? bigOfWords(low, high) : 0n, double);
}

function intEqualsDouble(bytes: Uint8Array, at: number, double: number): boolean {
  return compareIntAndDouble(bytes, at, double) === 0;
}

function arraysEqual(a: Uint8Array, atA: number, b: Uint8Array, atB: number): boolean {
  const count = jsonCount(a, atA);
  if (jsonCount(b, atB) !== count) return false;
  let elementA = atA + JSON_CONTAINER_BYTES;
  let elementB = atB + JSON_CONTAINER_BYTES;
  for (let i = 0; i < count; i++) {
    if (!jsonEquals(a, elementA, b, elementB)) return false;
    elementA = jsonEnd(a, elementA);
    elementB = jsonEnd(b, elementB);
  }
  return true;
}

/** Keys of an object differ, so equal counts and every key of one in the other are enough. */
function objectsEqual(a: Uint8Array, atA: number, b: Uint8Array, atB: number): boolean {
  const count = jsonCount(a, atA);
  if (jsonCount(b, atB) !== count) return false;
  let entry = atA + JSON_CONTAINER_BYTES;
  for (let i = 0; i < count; i++) {
    const start = keyStart(a, entry);
    const length = keyLength(a, entry);
    const other = jsonMember(b, atB, a, start, length);
    if (other < 0 || !jsonEquals(a, start + length, b, other)) return false;
    entry = jsonEnd(a, start + length);
  }
  return true;
}
