/**
 * Writes binary JSON (binary.ts) value by value. Of containers it keeps the offsets of their elements until they end, for
 * the table of long ones; an object with a key twice is put together again with the last value in the first place.
 *
 * Use: `start`, then one value: a scalar, `raw`, or beginArray, (element, value)…, end; or beginObject, (key, value)…, end.
 */

import { ByteWriter } from '../../base/byte-writer.ts';
import { SqlError } from '../../base/errors.ts';
import { NESTING_DEPTH_MAX } from '../../base/limits.ts';
import { highWord, WORDS, wordsOfBig } from '../int64.ts';
import { compareBytes } from '../utf8.ts';
import {
  JSON_ARRAY,
  JSON_CONTAINER_BYTES,
  JSON_DOUBLE,
  JSON_FALSE,
  JSON_INT8,
  JSON_INT32,
  JSON_INT64,
  JSON_NULL,
  JSON_OBJECT,
  JSON_STRING8,
  JSON_STRING32,
  JSON_TABLE_MIN,
  JSON_TRUE,
  jsonEnd,
  jsonHeight,
  keyLength,
  keyStart,
} from './binary.ts';

const DOUBLE_WORDS: Int32Array = new Int32Array(2);
const DOUBLES: Float64Array = new Float64Array(DOUBLE_WORDS.buffer);

export class JsonWriter extends ByteWriter {
  /** By open container: its offset in bytes, and where its element offsets start in `offsets`. */
  private readonly containers: Int32Array = new Int32Array(NESTING_DEPTH_MAX);
  private readonly firsts: Int32Array = new Int32Array(NESTING_DEPTH_MAX);
  /** By open container: height of the highest value in it so far. */
  private readonly heights: Uint8Array = new Uint8Array(NESTING_DEPTH_MAX);
  private depth = 0;
  /** Offsets of the elements of all open containers, the innermost last. */
  private offsets: Int32Array = new Int32Array(256);
  private offsetCount = 0;

  /** Forgets everything written. */
  start(): void {
    this.length = 0;
    this.depth = 0;
    this.offsetCount = 0;
  }

  null(): void {
    this.byte(JSON_NULL);
  }

  bool(value: boolean): void {
    this.byte(value ? JSON_TRUE : JSON_FALSE);
  }

  /** An integer within ±2^53, or NaN and the integer in `big`. */
  int(num: number, big: bigint): void {
    this.ensure(9);
    const bytes = this.bytes;
    const at = this.length;
    if (num >= -128 && num <= 127) {
      bytes[at] = JSON_INT8;
      bytes[at + 1] = num;
      this.length = at + 2;
      return;
    }
    if (!Number.isNaN(num)) {
      const low = num | 0;
      if (low === num) {
        bytes[at] = JSON_INT32;
        this.length = at + 1;
        this.uint32(low);
        return;
      }
      WORDS[0] = low;
      WORDS[1] = highWord(num);
    } else {
      wordsOfBig(big);
    }
    bytes[at] = JSON_INT64;
    this.length = at + 1;
    this.uint32(WORDS[0]!);
    this.uint32(WORDS[1]!);
  }

  double(value: number): void {
    this.byte(JSON_DOUBLE);
    DOUBLES[0] = value;
    this.uint32(DOUBLE_WORDS[0]!);
    this.uint32(DOUBLE_WORDS[1]!);
  }

  /** A string: source[start, end) is valid UTF-8. */
  string(source: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (length < 256) {
      this.ensure(2 + length);
      this.bytes[this.length] = JSON_STRING8;
      this.bytes[this.length + 1] = length;
      this.length += 2;
    } else {
      this.byte(JSON_STRING32);
      this.uint32(length);
    }
    this.copy(source, start, end);
  }

  /** A value in binary form: source[start, end). Throws limit_exceeded where it would lie too deep. */
  raw(source: Uint8Array, start: number, end: number): void {
    if (source[start]! >= JSON_ARRAY) this.addHeight(jsonHeight(source, start));
    this.copy(source, start, end);
  }

  /** An entry of an object, key and value, in binary form: source[start, end), its value at `value`. */
  rawEntry(source: Uint8Array, start: number, value: number, end: number): void {
    this.element();
    if (source[value]! >= JSON_ARRAY) this.addHeight(jsonHeight(source, value));
    this.copy(source, start, end);
  }

  beginArray(): void {
    this.begin(JSON_ARRAY);
  }

  beginObject(): void {
    this.begin(JSON_OBJECT);
  }

  /** Before each element of an array. */
  element(): void {
    if (this.offsetCount === this.offsets.length) this.growOffsets();
    this.offsets[this.offsetCount++] = this.length;
  }

  /** Before each value of an object: its key, source[start, end). */
  key(source: Uint8Array, start: number, end: number): void {
    this.element();
    const length = end - start;
    if (length < 255) {
      this.byte(length);
    } else {
      this.byte(255);
      this.uint32(length);
    }
    this.copy(source, start, end);
  }

  /** Ends the innermost open container. */
  end(): void {
    const depth = --this.depth;
    const container = this.containers[depth]!;
    const first = this.firsts[depth]!;
    let count = this.offsetCount - first;
    const isObject = this.bytes[container] === JSON_OBJECT;
    if (isObject && count > 1) {
      if (count > JSON_TABLE_MIN) this.sortEntries(first, count);
      if (this.hasTwice(first, count)) count = this.dropTwice(container, first, count);
    }
    if (count > JSON_TABLE_MIN) {
      const base = container + JSON_CONTAINER_BYTES;
      for (let i = 0; i < count; i++) this.uint32(this.offsets[first + i]! - base);
    }
    this.offsetCount = first;
    const end = this.length;
    this.length = container + 1;
    this.uint32(end - container - 5);
    this.uint32(count);
    const height = this.heights[depth]! + 1;
    this.bytes[this.length] = height;
    this.length = end;
    if (depth > 0 && this.heights[depth - 1]! < height) this.heights[depth - 1] = height;
  }

  /** A finished container of that height goes into the innermost open one. */
  private addHeight(height: number): void {
    const depth = this.depth;
    if (depth + height > NESTING_DEPTH_MAX) throw tooDeep();
    if (depth > 0 && this.heights[depth - 1]! < height) this.heights[depth - 1] = height;
  }

  private begin(tag: number): void {
    if (this.depth === NESTING_DEPTH_MAX) throw tooDeep();
    this.heights[this.depth] = 0;
    this.containers[this.depth] = this.length;
    this.firsts[this.depth] = this.offsetCount;
    this.depth++;
    this.ensure(JSON_CONTAINER_BYTES);
    this.bytes[this.length] = tag;
    this.length += JSON_CONTAINER_BYTES;
  }

  private growOffsets(): void {
    const grown = new Int32Array(this.offsets.length * 2);
    grown.set(this.offsets);
    this.offsets = grown;
  }

  /** Sorts the entry offsets by key, equal keys by offset. */
  private sortEntries(first: number, count: number): void {
    const bytes = this.bytes;
    this.offsets.subarray(first, first + count).sort((a, b) => compareKeys(bytes, a, b) || a - b);
  }

  /** True if a key stands twice; the entries of a long object are sorted. */
  private hasTwice(first: number, count: number): boolean {
    const bytes = this.bytes;
    const offsets = this.offsets;
    for (let i = 1; i < count; i++) {
      const entry = offsets[first + i]!;
      const length = bytes[entry]!;
      const character = bytes[entry + 1];
      for (let j = count > JSON_TABLE_MIN ? i - 1 : 0; j < i; j++) {
        const other = offsets[first + j]!;
        // Most keys differ in length or first byte.
        if (bytes[other] === length && (length === 0 || bytes[other + 1] === character)) {
          if (compareKeys(bytes, entry, other) === 0) return true;
        }
      }
    }
    return false;
  }

  /** Writes the entries of the container again, each key once, at its first place with its last value; gives their count. */
  private dropTwice(container: number, first: number, count: number): number {
    const old = this.bytes.slice(container, this.length);
    const entries = [...this.offsets.subarray(first, first + count)].sort((a, b) => a - b).map((at) => at - container);
    const values = new Map<string, number>();
    for (const entry of entries) {
      const key = Buffer.from(old.subarray(keyStart(old, entry), keyStart(old, entry) + keyLength(old, entry)));
      values.set(key.toString('latin1'), entry);
    }
    this.length = container + JSON_CONTAINER_BYTES;
    this.offsetCount = first;
    let height = 0;
    // A Map keeps the place of the first `set`, and has the value of the last.
    for (const [key, entry] of values) {
      const keyBytes = Buffer.from(key, 'latin1');
      this.key(keyBytes, 0, keyBytes.length);
      const value = keyStart(old, entry) + keyLength(old, entry);
      height = Math.max(height, jsonHeight(old, value));
      this.copy(old, value, jsonEnd(old, value));
    }
    this.heights[this.depth] = height;
    if (values.size > JSON_TABLE_MIN) this.sortEntries(first, values.size);
    return values.size;
  }
}

function tooDeep(): SqlError {
  return new SqlError('limit_exceeded', `JSON is nested deeper than ${NESTING_DEPTH_MAX} levels`);
}

function compareKeys(bytes: Uint8Array, a: number, b: number): number {
  return compareBytes(bytes, keyStart(bytes, a), keyLength(bytes, a), bytes, keyStart(bytes, b), keyLength(bytes, b));
}
