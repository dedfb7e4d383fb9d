/**
 * JSON values as keys: structural equality, where the order of an object's keys does not matter and a number equals another
 * of the same value (1 and 1.0), and a hash that agrees with it.
 */

import type { Memory } from '../../base/memory.ts';
import {
  isJsonInt,
  JSON_CONTAINER_BYTES,
  JSON_DOUBLE,
  jsonCount,
  jsonDoubleAt,
  jsonEnd,
  jsonHigh,
  jsonLow,
  jsonStringStart,
  keyLength,
  keyStart,
} from '../../types/json/binary.ts';
import { jsonEquals } from '../../types/json/compare.ts';

function startOf(ref: number): number {
  return ((ref & 0x3ffffff) << 4) + 4;
}

/** Equality of the json values at two refs. */
export function equalJson(memory: Memory, left: number, right: number): boolean {
  return left === right || jsonEquals(memory.u8[left >>> 26], startOf(left), memory.u8[right >>> 26], startOf(right));
}

/** Hash of the json value at `ref`; equal values have equal hashes. */
export function hashJson(memory: Memory, ref: number): number {
  return hashAt(memory.u8[ref >>> 26], startOf(ref));
}

function hashAt(bytes: Uint8Array, at: number): number {
  const tag = bytes[at];
  if (tag === JSON_DOUBLE) return hashNumber(jsonDoubleAt(bytes, at));
  if (isJsonInt(tag)) return hashNumber(jsonHigh(bytes, at) * 4294967296 + (jsonLow(bytes, at) >>> 0));
  switch (tag) {
    case 7: // string8
    case 8: {
      // string32
      const start = jsonStringStart(bytes, at);
      return hashRun(bytes, start, jsonEnd(bytes, at) - start);
    }
    case 9: {
      // array
      let hash = 0x3c6ef372;
      let element = at + JSON_CONTAINER_BYTES;
      for (let i = jsonCount(bytes, at); i > 0; i--) {
        hash = Math.imul(hash, 31) + hashAt(bytes, element);
        element = jsonEnd(bytes, element);
      }
      return hash | 0;
    }
    case 10: {
      // object
      // A sum: the order of the keys does not matter.
      let hash = 0x1f83d9ab;
      let entry = at + JSON_CONTAINER_BYTES;
      for (let i = jsonCount(bytes, at); i > 0; i--) {
        const start = keyStart(bytes, entry);
        const length = keyLength(bytes, entry);
        hash += Math.imul(hashRun(bytes, start, length) | 1, hashAt(bytes, start + length));
        entry = jsonEnd(bytes, start + length);
      }
      return hash | 0;
    }
    default:
      return Math.imul(tag + 1, 0x9e3779b1);
  }
}

/** The sum of the words of an integer rounds once, as the double that equals it has been rounded. */
function hashNumber(value: number): number {
  NUMBERS[0] = value + 0;
  const hash = Math.imul(NUMBER_WORDS[0] ^ Math.imul(NUMBER_WORDS[1], 0x85ebca6b), 0x9e3779b1);
  return hash ^ (hash >>> 15);
}

const NUMBERS = new Float64Array(1);
const NUMBER_WORDS = new Int32Array(NUMBERS.buffer);

function hashRun(bytes: Uint8Array, start: number, length: number): number {
  let hash = 0x811c9dc5 ^ length;
  for (let i = start; i < start + length; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193);
  return hash ^ (hash >>> 15);
}
