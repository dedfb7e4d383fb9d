/**
 * Makes batches (batch.ts): the rows of an INSERT or an import, each value converted to the type of its column by the rules
 * of INSERT. What becomes of rows and of columns left unset is in batch-rows.ts.
 *
 * Order of calls: begin; then for each row beginRow, set… for the columns that are given, endRow; route; finish. After an
 * error the batch is given up with `release`. Errors are SqlErrors that name the row (from 1), the column and, in import
 * data, the byte offset.
 */

import { assert } from '../base/assert.ts';
import { ByteWriter } from '../base/byte-writer.ts';
import { SqlError } from '../base/errors.ts';
import type { RegisterFile } from '../base/registers.ts';
import { parseDate } from '../types/date.ts';
import { highWord, TWO_63, WORDS, wordsOfBig } from '../types/int64.ts';
import { createInterval, type IntervalValue, writeIntervalWords } from '../types/interval.ts';
import { parseInterval } from '../types/interval-text.ts';
import { JSON_NULL } from '../types/json/binary.ts';
import { JsonWriter } from '../types/json/json-writer.ts';
import { parseJson } from '../types/json/parse.ts';
import { type TimeZone, UTC } from '../types/time-zone.ts';
import { parseTimestamp, TIMESTAMP_BIG } from '../types/timestamp.ts';
import { JSON_TYPE, TEXT, TYPE_NAMES, VECTOR } from '../types/type.ts';
import { parseUuid, UUID_BYTES } from '../types/uuid.ts';
import { appendJsonElements } from '../types/vector.ts';
import { BatchRows, isWide } from './batch-rows.ts';

/** Rows for an INSERT that come from outside the program: a literal VALUES list of the request, or import data. */
export interface RowSource {
  /** Writes all rows of list number `list` between begin and route; the targets are builder.columns. */
  fill(builder: BatchBuilder, list: number): void;
}

export class BatchBuilder extends BatchRows {
  /** Time zone of timestamps without one. */
  timeZone: TimeZone = UTC;

  private readonly json = new JsonWriter(256);
  private readonly interval: IntervalValue = createInterval();
  private readonly elements = new ByteWriter(256);

  /** An integer within ±2^53, or NaN and the integer in `big`. */
  setInt(column: number, num: number, big: bigint): void {
    switch (this.plan.types[column]) {
      case 2: // tinyint
        if (num >= -128 && num <= 127) this.setWords(column, num, num < 0 ? -1 : 0);
        else throw this.outOfRange(column, num, big);
        break;
      case 3: // smallint
        if (num >= -32768 && num <= 32767) this.setWords(column, num, num < 0 ? -1 : 0);
        else throw this.outOfRange(column, num, big);
        break;
      case 4: // int
        if (num === (num | 0)) this.setWords(column, num, num < 0 ? -1 : 0);
        else throw this.outOfRange(column, num, big);
        break;
      case 5: // bigint
        this.setLong(column, num, big);
        break;
      case 6: // float: the integer must be exact as a double, which then is rounded
      case 7: // double
        this.setFloating(column, this.exactDouble(column, num, big));
        return;
      case 9: // json
        this.json.start();
        this.json.int(num, big);
        this.setJsonWritten(column);
        return;
      default:
        throw this.mismatch(column, 'int');
    }
    if (this.plan.isIdentity[column] === 1) this.identity.supply(num, big);
  }

  setDouble(column: number, value: number): void {
    switch (this.plan.types[column]) {
      case 2: // tinyint
      case 3: // smallint
      case 4: // int
      case 5: // bigint
        this.setWholeDouble(column, value);
        break;
      case 6: // float
      case 7: // double
        this.setFloating(column, value);
        break;
      case 9: // json
        this.json.start();
        this.json.double(value);
        this.setJsonWritten(column);
        break;
      default:
        throw this.mismatch(column, 'double');
    }
  }

  setBool(column: number, value: boolean): void {
    switch (this.plan.types[column]) {
      case 1: // bool
        this.setWords(column, value ? 1 : 0, 0);
        break;
      case 9: // json
        this.json.start();
        this.json.bool(value);
        this.setJsonWritten(column);
        break;
      default:
        throw this.mismatch(column, 'bool');
    }
  }

  /** Text, bytes[start, end) being valid UTF-8 without escapes: into text, timestamp, uuid, or json (a JSON string). */
  setTextBytes(column: number, bytes: Uint8Array, start: number, end: number): void {
    switch (this.plan.types[column]) {
      case 8: // text
        this.setWords(column, this.values.store(bytes, start, end) | 0, 0);
        break;
      case 9: // json
        this.json.start();
        this.json.string(bytes, start, end);
        this.setJsonWritten(column);
        break;
      case 10: // timestamp
        this.setTimestampText(column, bytes, start, end);
        break;
      case 11: // interval
        this.setIntervalText(column, bytes, start, end);
        break;
      case 12: // date
        this.setDateText(column, bytes, start, end);
        break;
      case 14: // uuid
        this.setUuidText(column, bytes, start, end);
        break;
      default:
        throw this.mismatch(column, 'string');
    }
  }

  /** JSON text into a json column, or of an array of numbers into a vector column. */
  setJsonTextBytes(column: number, bytes: Uint8Array, start: number, end: number): void {
    const type = this.plan.types[column];
    if (type !== JSON_TYPE && type !== VECTOR) throw this.mismatch(column, 'json');
    this.json.start();
    try {
      parseJson(bytes, start, end, this.json);
    } catch (error) {
      throw this.located(column, error);
    }
    if (type === VECTOR) this.setVector(column, this.json.bytes, 0);
    else this.setJsonWritten(column);
  }

  /** Binary JSON, bytes[start, end), into a json column, or an array of numbers into a vector column. */
  setJsonBytes(column: number, bytes: Uint8Array, start: number, end: number): void {
    if (this.plan.types[column] === VECTOR) {
      this.setVector(column, bytes, start);
      return;
    }
    if (this.plan.types[column] !== JSON_TYPE) throw this.mismatch(column, 'json');
    this.setWords(column, this.values.store(bytes, start, end) | 0, 0);
  }

  /** Microseconds since 1970 into a timestamp column: num, or NaN and big. */
  setTimestamp(column: number, num: number, big: bigint): void {
    if (this.plan.types[column] !== 10) throw this.mismatch(column, 'timestamp');
    this.setLong(column, num, big);
  }

  /** Register `source`, whose type is the wide type of the column, and which is not NULL. */
  setRegister(column: number, registers: RegisterFile, source: number): void {
    const num = registers.num[source]!;
    switch (this.plan.types[column]) {
      case 1: // bool
      case 12: // date
        this.setWords(column, num, num < 0 ? -1 : 0);
        break;
      case 2: // tinyint
      case 3: // smallint
      case 4: // int
      case 5: // bigint
        this.setInt(column, num, !Number.isNaN(num) ? 0n : registers.big[source]!);
        break;
      case 6: // float
      case 7: // double
        this.setFloating(column, num);
        break;
      case 10: // timestamp
        this.setLong(column, num, !Number.isNaN(num) ? 0n : registers.big[source]!);
        break;
      default:
        this.setRef(column, num);
    }
  }

  /** The value at a ref in the arenas, whose type is that of the column, a ref type; it is copied. */
  setRef(column: number, ref: number): void {
    const type = this.plan.types[column]!;
    const bytes = this.memory.u8[ref >>> 26]!;
    const at = (ref & 0x3ffffff) << 4;
    if (type === TEXT || type === JSON_TYPE || type === VECTOR) {
      const length = this.memory.i32[ref >>> 26]![at >> 2]!;
      this.setWords(column, this.values.store(bytes, at + 4, at + 4 + length) | 0, 0);
    } else {
      assert(isWide(type), 'the column has a ref type');
      this.setWords(column, this.storeWide(bytes, at) | 0, 0);
    }
  }

  private setLong(column: number, num: number, big: bigint): void {
    if (!Number.isNaN(num)) {
      this.setWords(column, num | 0, highWord(num));
    } else {
      wordsOfBig(big);
      this.setWords(column, WORDS[0]!, WORDS[1]!);
    }
  }

  /** A double; into a float column it is rounded. */
  private setFloating(column: number, value: number): void {
    if (this.plan.types[column] === 6) {
      const given = value;
      value = Math.fround(value);
      if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) {
        throw this.error('out_of_range', column, `the double ${given} does not fit float`);
      }
    }
    this.setDoubleCell(column, value);
  }

  private setWholeDouble(column: number, value: number): void {
    if (value !== Math.floor(value)) {
      throw this.error(
        'invalid_value',
        column,
        `the double ${value} has a fraction and does not fit ${this.typeName(column)}`,
      );
    }
    if (value >= -9007199254740992 && value <= 9007199254740992) {
      this.setInt(column, value === 0 ? 0 : value, 0n);
    } else if (value >= -TWO_63 && value < TWO_63) {
      this.setInt(column, Number.NaN, BigInt(value));
    } else {
      throw this.error('out_of_range', column, `the double ${value} does not fit ${this.typeName(column)}`);
    }
  }

  private exactDouble(column: number, num: number, big: bigint): number {
    if (!Number.isNaN(num)) return num;
    const value = Number(big);
    if (BigInt(value) !== big) {
      throw this.error('out_of_range', column, `the int ${big} is not exact as ${this.typeName(column)}`);
    }
    return value;
  }

  private setTimestampText(column: number, bytes: Uint8Array, start: number, end: number): void {
    let value: number;
    try {
      value = parseTimestamp(bytes, start, end, this.timeZone);
    } catch (error) {
      throw this.located(column, error);
    }
    this.setLong(column, value, TIMESTAMP_BIG[0]!);
  }

  private setUuidText(column: number, bytes: Uint8Array, start: number, end: number): void {
    const target = this.values.allocate(UUID_BYTES);
    try {
      parseUuid(bytes, start, end, this.memory.u8[target >>> 26]!, (target & 0x3ffffff) << 4);
    } catch (error) {
      throw this.located(column, error);
    }
    this.setWords(column, target | 0, 0);
  }

  /** The binary JSON at bytes[at], which must be an array of numbers; JSON null is NULL. */
  private setVector(column: number, bytes: Uint8Array, at: number): void {
    if (bytes[at] === JSON_NULL) {
      this.setNull(column);
      return;
    }
    this.elements.length = 0;
    try {
      appendJsonElements(this.elements, bytes, at);
    } catch (error) {
      throw this.located(column, error);
    }
    this.setWords(column, this.values.store(this.elements.bytes, 0, this.elements.length) | 0, 0);
  }

  private setIntervalText(column: number, bytes: Uint8Array, start: number, end: number): void {
    const value = this.interval;
    try {
      parseInterval(bytes, start, end, value);
    } catch (error) {
      throw this.located(column, error);
    }
    const ref = this.values.allocate(16);
    writeIntervalWords(this.memory.i32[ref >>> 26]!, (ref & 0x3ffffff) << 2, value);
    this.setWords(column, ref | 0, 0);
  }

  private setDateText(column: number, bytes: Uint8Array, start: number, end: number): void {
    let day: number;
    try {
      day = parseDate(bytes, start, end);
    } catch (error) {
      throw this.located(column, error);
    }
    this.setWords(column, day, 0);
  }

  private setJsonWritten(column: number): void {
    this.setWords(column, this.values.store(this.json.bytes, 0, this.json.length) | 0, 0);
  }

  private typeName(column: number): string {
    return TYPE_NAMES[this.plan.types[column]!]!;
  }

  /** The error of a value whose type does not go into the column. */
  mismatch(column: number, given: string): SqlError {
    return this.error(
      'type_mismatch',
      column,
      `a value of type ${given} does not go into a column of type ${this.typeName(column)}`,
    );
  }

  private outOfRange(column: number, num: number, big: bigint): SqlError {
    return this.error(
      'out_of_range',
      column,
      `the int ${!Number.isNaN(num) ? num : big} does not fit ${this.typeName(column)}`,
    );
  }

  /** An error of a parser, with row and column; anything but an SqlError is passed on. */
  located(column: number, error: unknown): unknown {
    return error instanceof SqlError ? this.error(error.code, column, error.message) : error;
  }
}
