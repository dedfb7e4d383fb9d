/** Values of `$1 …` of one request, from JSON or from JavaScript. Kinds are those of a program's key. */

import { SqlError } from '../../base/errors.ts';
import {
  isJsonInt,
  JSON_ARRAY,
  JSON_CONTAINER_BYTES,
  JSON_DOUBLE,
  JSON_FALSE,
  JSON_NULL,
  JSON_STRING8,
  JSON_STRING32,
  JSON_TRUE,
  jsonCount,
  jsonDoubleAt,
  jsonEnd,
  jsonHigh,
  jsonLow,
  jsonStringStart,
} from '../../types/json/binary.ts';
import { JsonWriter } from '../../types/json/json-writer.ts';
import { parseJson } from '../../types/json/parse.ts';

export const KIND_INT = 1;
export const KIND_DOUBLE = 2;
export const KIND_TEXT = 3;
export const KIND_BOOL = 4;
export const KIND_NULL = 5;
export const KIND_JSON = 6;

const NO_BYTES = new Uint8Array(0);
const ENCODER = new TextEncoder();

export class RequestParameters {
  readonly kinds: number[] = [];
  /** Ints within ±2^53, doubles, bools; NaN where `bigs` has the value. */
  readonly numbers: number[] = [];
  readonly bigs: bigint[] = [];
  /** UTF-8 of texts, binary JSON of the rest. */
  readonly bytes: Uint8Array[] = [];

  get count(): number {
    return this.kinds.length;
  }

  add(kind: number, number: number, big: bigint, bytes: Uint8Array): void {
    this.kinds.push(kind);
    this.numbers.push(number);
    this.bigs.push(big);
    this.bytes.push(bytes);
  }

  /** Adds the value at `at` of binary JSON. */
  addJson(json: Uint8Array, at: number): void {
    const tag = json[at]!;
    if (tag === JSON_NULL) this.add(KIND_NULL, 0, 0n, NO_BYTES);
    else if (tag === JSON_TRUE || tag === JSON_FALSE) this.add(KIND_BOOL, tag === JSON_TRUE ? 1 : 0, 0n, NO_BYTES);
    else if (isJsonInt(tag)) this.addWords(jsonLow(json, at), jsonHigh(json, at));
    else if (tag === JSON_DOUBLE) this.add(KIND_DOUBLE, jsonDoubleAt(json, at), 0n, NO_BYTES);
    else if (tag === JSON_STRING8 || tag === JSON_STRING32)
      this.add(KIND_TEXT, 0, 0n, json.slice(jsonStringStart(json, at), jsonEnd(json, at)));
    else this.add(KIND_JSON, 0, 0n, json.slice(at, jsonEnd(json, at)));
  }

  /** Adds the elements of the array at `at` of binary JSON. Throws SqlError where it is no array. */
  addJsonArray(json: Uint8Array, at: number): void {
    if (json[at] !== JSON_ARRAY) throw new SqlError('invalid_request', "'params' must be an array");
    let element = at + JSON_CONTAINER_BYTES;
    for (let left = jsonCount(json, at); left > 0; left--) {
      this.addJson(json, element);
      element = jsonEnd(json, element);
    }
  }

  private addWords(low: number, high: number): void {
    const number = high * 4294967296 + (low >>> 0);
    if (Number.isSafeInteger(number)) this.add(KIND_INT, number, 0n, NO_BYTES);
    else this.add(KIND_INT, Number.NaN, (BigInt(high) << 32n) | BigInt(low >>> 0), NO_BYTES);
  }

  /**
   * Adds a JavaScript value: whole numbers and bigints as int, other numbers as double, strings as text, Date as its ISO
   * text, null and undefined as NULL, arrays, objects and typed arrays of floats as JSON. Throws SqlError invalid_parameter for what has no SQL form.
   */
  addValue(value: unknown, index: number): void {
    const wrong = (what: string): SqlError => new SqlError('invalid_parameter', `parameter $${index}: ${what}`);
    if (value === null || value === undefined) this.add(KIND_NULL, 0, 0n, NO_BYTES);
    else if (typeof value === 'number') {
      if (!Number.isFinite(value)) throw wrong(`${value} has no SQL form`);
      if (Number.isSafeInteger(value)) this.add(KIND_INT, value, 0n, NO_BYTES);
      else this.add(KIND_DOUBLE, value, 0n, NO_BYTES);
    } else if (typeof value === 'bigint') {
      if (BigInt.asIntN(64, value) !== value) throw wrong(`${value} does not fit 64 bits`);
      if (value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER))
        this.add(KIND_INT, Number(value), 0n, NO_BYTES);
      else this.add(KIND_INT, Number.NaN, value, NO_BYTES);
    } else if (typeof value === 'boolean') this.add(KIND_BOOL, value ? 1 : 0, 0n, NO_BYTES);
    else if (typeof value === 'string') this.add(KIND_TEXT, 0, 0n, ENCODER.encode(value));
    else if (value instanceof Date) this.add(KIND_TEXT, 0, 0n, ENCODER.encode(value.toISOString()));
    else if (value instanceof Float32Array || value instanceof Float64Array)
      this.add(KIND_JSON, 0, 0n, jsonOf(Array.from(value)));
    else if (typeof value === 'object') this.add(KIND_JSON, 0, 0n, jsonOf(value));
    else throw wrong(`a ${typeof value} has no SQL form`);
  }
}

/** False where JSON.stringify would write a double like an integer. */
function isShownExactly(value: number): boolean {
  return !Number.isInteger(value) || Number.isSafeInteger(value) || Math.abs(value) >= 1e21;
}

function jsonOf(value: object): Uint8Array {
  const rawJson = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON;
  const text = JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner === 'bigint') return rawJson(String(inner));
    // As of a parameter itself: a whole number that may have been rounded is a double, and so is minus zero.
    const isDouble = typeof inner === 'number' && (Object.is(inner, -0) || !isShownExactly(inner));
    return isDouble ? rawJson(Object.is(inner, -0) ? '-0.0' : `${inner}.0`) : inner;
  });
  const bytes = ENCODER.encode(text);
  const writer = new JsonWriter(bytes.length + 16);
  writer.start();
  parseJson(bytes, 0, bytes.length, writer);
  return writer.bytes.slice(0, writer.length);
}
