/**
 * Vectors: u32 byteLength, then 32-bit floats, at a ref. Everything here reads them in place, through the Float32Array of
 * their arena: element i of the vector at `ref` is f32[floatIndex(ref) + i]. No element is NaN or infinite.
 */

import { ByteWriter } from '../base/byte-writer.ts';
import { SqlError } from '../base/errors.ts';
import type { Memory } from '../base/memory.ts';
import {
  isJsonInt,
  JSON_ARRAY,
  JSON_CONTAINER_BYTES,
  JSON_DOUBLE,
  jsonCount,
  jsonDoubleAt,
  jsonEnd,
  jsonHigh,
  jsonLow,
} from './json/binary.ts';
import type { JsonWriter } from './json/json-writer.ts';
import { ONE_LINE, writeJson } from './json/text.ts';
import { shortestOfFloat, writeFloat } from './number-text.ts';

export const ELEMENT_BYTES = 4;

/** Elements of the vector at `ref`. */
export function dimensions(memory: Memory, ref: number): number {
  return memory.i32[ref >>> 26]![(ref & 0x3ffffff) << 2]! >>> 2;
}

/** Index in the Float32Array of its arena of the first element of the vector at `ref`. */
export function floatIndex(ref: number): number {
  return ((ref & 0x3ffffff) << 2) + 1;
}

const ELEMENT: Float32Array = new Float32Array(1);
const ELEMENT_WORD: Int32Array = new Int32Array(ELEMENT.buffer);

/** Appends a number, rounded to the nearest 32-bit float, as an element. Throws out_of_range naming it. */
export function appendElement(writer: ByteWriter, value: number): void {
  ELEMENT[0] = value;
  if (!Number.isFinite(ELEMENT[0]!)) {
    throw new SqlError('out_of_range', `double ${value} is out of range for an element of a vector`);
  }
  writer.uint32(ELEMENT_WORD[0]!);
}

/**
 * Appends the elements of the binary JSON at bytes[at], which must be an array of numbers, without a length.
 * Throws invalid_value naming the JSON, or out_of_range.
 */
export function appendJsonElements(writer: ByteWriter, bytes: Uint8Array, at: number): void {
  if (bytes[at] !== JSON_ARRAY) throw notVector(bytes, at);
  let element = at + JSON_CONTAINER_BYTES;
  for (let left = jsonCount(bytes, at); left > 0; left--) {
    const tag = bytes[element]!;
    if (tag === JSON_DOUBLE) appendElement(writer, jsonDoubleAt(bytes, element));
    else if (isJsonInt(tag))
      appendElement(writer, jsonHigh(bytes, element) * 4294967296 + (jsonLow(bytes, element) >>> 0));
    else throw notVector(bytes, at);
    element = jsonEnd(bytes, element);
  }
}

const SHOWN_CHARACTERS_MAX = 64;

function notVector(bytes: Uint8Array, at: number): SqlError {
  const writer = new ByteWriter(256);
  writeJson(writer, bytes, at, ONE_LINE);
  const text = new TextDecoder().decode(writer.view());
  const shown = text.length > SHOWN_CHARACTERS_MAX ? `${text.slice(0, SHOWN_CHARACTERS_MAX)}…` : text;
  return new SqlError('invalid_value', `json value ${shown} cannot be converted to vector`);
}

/** Appends the text of the vector at `ref`: `[0.1, 2]`. */
export function writeVector(writer: ByteWriter, memory: Memory, ref: number): void {
  const floats = memory.f32[ref >>> 26]!;
  const first = floatIndex(ref);
  const end = first + dimensions(memory, ref);
  writer.byte(91);
  for (let index = first; index < end; index++) {
    if (index > first) writer.ascii(', ');
    writeFloat(writer, floats[index]!);
  }
  writer.byte(93);
}

/** Writes the vector at `ref` as a JSON array of the numbers that its text shows. */
export function writeVectorAsJson(writer: JsonWriter, memory: Memory, ref: number): void {
  const floats = memory.f32[ref >>> 26]!;
  const first = floatIndex(ref);
  const end = first + dimensions(memory, ref);
  writer.beginArray();
  for (let index = first; index < end; index++) {
    writer.element();
    writer.double(shortestOfFloat(floats[index]!));
  }
  writer.end();
}

/** Negative, 0 or positive: element by element, then the shorter first; 0 equals -0. */
export function compareVectors(memory: Memory, left: number, right: number): number {
  if (left === right) return 0;
  const leftFloats = memory.f32[left >>> 26]!;
  const rightFloats = memory.f32[right >>> 26]!;
  const leftCount = dimensions(memory, left);
  const rightCount = dimensions(memory, right);
  const l = floatIndex(left);
  const r = floatIndex(right);
  const count = leftCount < rightCount ? leftCount : rightCount;
  for (let index = 0; index < count; index++) {
    const difference = leftFloats[l + index]! - rightFloats[r + index]!;
    if (difference !== 0) return difference;
  }
  return leftCount - rightCount;
}

/** A hash that agrees with compareVectors. */
export function hashVector(memory: Memory, ref: number): number {
  const words = memory.i32[ref >>> 26]!;
  const first = floatIndex(ref);
  const end = first + dimensions(memory, ref);
  let hash = 0x1b873593 ^ (end - first);
  for (let index = first; index < end; index++) {
    const word = words[index]!;
    // -0 hashes as 0.
    hash = Math.imul(hash ^ (word === -0x80000000 ? 0 : word), 0x5bd1e995);
    hash ^= hash >>> 15;
  }
  return hash;
}

/** A number that orders as vectors do by their first element; the empty vector comes before all. */
export function vectorPrefix(memory: Memory, ref: number): number {
  return dimensions(memory, ref) === 0 ? -Number.MAX_VALUE : memory.f32[ref >>> 26]![floatIndex(ref)]!;
}
