/**
 * Makes batches (batch.ts): the rows of an INSERT, each value converted to the type of its column by the rules of INSERT,
 * what is left unset filled with identity, random, default or NULL, and each row routed to its partition.
 *
 * Order of calls: begin; then for each row beginRow, set… for the columns that are given, endRow; route; finish. After an
 * error the batch is given up with `release`. Errors are SqlErrors that name the row (from 1), the column and, in import
 * data, the byte offset.
 */

import { assert } from '../base/assert.ts';
import { ByteWriter } from '../base/byte-writer.ts';
import { type ErrorCode, SqlError } from '../base/errors.ts';
import { PAGE_BYTES } from '../base/limits.ts';
import type { Memory } from '../base/memory.ts';
import { murmur3Bytes, murmur3Int64 } from '../base/murmur3.ts';
import { RandomGenerator } from '../base/random-generator.ts';
import type { RegisterFile } from '../base/registers.ts';
import type { TableDefinition } from '../catalog/catalog.ts';
import { parseDate } from '../types/date.ts';
import { highWord, TWO_63, WORDS, wordsOfBig } from '../types/int64.ts';
import { createInterval, type IntervalValue, writeIntervalWords } from '../types/interval.ts';
import { parseInterval } from '../types/interval-text.ts';
import { JSON_NULL } from '../types/json/binary.ts';
import { JsonWriter } from '../types/json/json-writer.ts';
import { parseJson } from '../types/json/parse.ts';
import { type TimeZone, UTC } from '../types/time-zone.ts';
import { parseTimestamp, TIMESTAMP_BIG } from '../types/timestamp.ts';
import { INTERVAL, JSON_TYPE, TEXT, TYPE_NAMES, UUID, VECTOR } from '../types/type.ts';
import { parseUuid, UUID_BYTES } from '../types/uuid.ts';
import { appendJsonElements } from '../types/vector.ts';
import { BATCH_HEADER_BYTES, batchNullWords, batchRowBytes, freeBatch } from './batch.ts';
import { BatchValues } from './batch-values.ts';
import { IdentityValues } from './identity.ts';
import { ordinalOfHash, routingOf } from './routing.ts';
import { type TablePlan, tablePlanOf } from './table-plan.ts';

/** Rows for an INSERT that come from outside the program: a literal VALUES list of the request, or import data. */
export interface RowSource {
  /** Writes all rows of list number `list` between begin and route; the targets are builder.columns. */
  fill(builder: BatchBuilder, list: number): void;
}

const FIRST_WORD = BATCH_HEADER_BYTES / 4;

export class BatchBuilder {
  /** The table that rows are made for. */
  table!: TableDefinition;
  /** Columns (ordinals in the table) of the cells of a row, in the order of the source. */
  columns: readonly number[] = [];
  /** Rows finished so far. */
  rowCount = 0;
  /** Byte offset in import data that errors name; -1 for none. */
  sourceOffset = -1;
  /** Time zone of timestamps without one. */
  timeZone: TimeZone = UTC;
  /** Seeded by the owner for each request. */
  readonly random: RandomGenerator = new RandomGenerator();
  /** Nodes that the rows belong to, set by `route`. */
  maskLow = 0;
  maskHigh = 0;

  private readonly memory: Memory;
  private readonly identity = new IdentityValues();
  private readonly json = new JsonWriter(256);
  private readonly interval: IntervalValue = createInterval();
  private readonly elements = new ByteWriter(256);
  private readonly values: BatchValues;
  private plan!: TablePlan;
  private firstPage = 0;
  private lastPage = 0;
  private rowWords = 0;
  private nullWords = 0;
  private rowsPerPage = 0;
  /** Rows that still fit into the last page. */
  private pageRowsLeft = 0;
  private words: Int32Array = new Int32Array(0);
  private doubles: Float64Array = new Float64Array(0);
  private rowWord = 0;
  private cellWord = 0;
  /** By column: 1 + the row in which it was set last. */
  private stamps: Int32Array = new Int32Array(64);
  private identityRow = -1;
  private identityLow = 0;
  private identityHigh = 0;
  /** By column: ref of its default in this batch, 0 until needed. */
  private defaultRefs: Float64Array = new Float64Array(64);

  constructor(memory: Memory) {
    this.memory = memory;
    this.values = new BatchValues(memory);
  }

  /** Starts an empty batch of rows for `table`. `columns`: table ordinals of the source's cells, in its order; may be empty. */
  begin(table: TableDefinition, columns: readonly number[]): void {
    assert(this.firstPage === 0, 'one batch at a time');
    const columnCount = table.columns.length;
    this.table = table;
    this.plan = tablePlanOf(table);
    this.columns = columns;
    this.rowCount = 0;
    this.sourceOffset = -1;
    this.maskLow = 0;
    this.maskHigh = 0;
    this.rowWords = batchRowBytes(columnCount) >> 2;
    this.nullWords = batchNullWords(columnCount);
    this.rowsPerPage = Math.floor((PAGE_BYTES - BATCH_HEADER_BYTES) / batchRowBytes(columnCount));
    this.identityRow = -1;
    this.values.open();
    if (this.stamps.length < columnCount) {
      this.stamps = new Int32Array(columnCount);
      this.defaultRefs = new Float64Array(columnCount);
    } else {
      this.stamps.fill(0);
      this.defaultRefs.fill(0);
    }
    if (this.plan.hasIdentity) this.identity.open(this.memory, table.identityRef);
    this.addPage();
  }

  /** About that many rows follow: identity values are reserved in one step. */
  expectRows(count: number): void {
    if (this.plan.hasIdentity) this.identity.reserve(count);
  }

  /** Starts a row: every column is unset. */
  beginRow(): void {
    if (this.pageRowsLeft === 0) this.addPage();
    this.pageRowsLeft--;
    const words = this.words;
    const nullWord = this.rowWord + 2;
    for (let i = 0; i < this.nullWords; i++) words[nullWord + i] = 0;
    this.cellWord = nullWord + this.nullWords;
  }

  /** Ends the row: unset columns get identity, random, default or NULL. */
  endRow(): void {
    const stamp = this.rowCount + 1;
    const stamps = this.stamps;
    const columnCount = this.plan.types.length;
    for (let column = 0; column < columnCount; column++) {
      if (stamps[column] !== stamp) this.fillUnset(column);
    }
    this.rowWord += this.rowWords;
    this.rowCount = stamp;
  }

  /** `count` rows with every column unset. */
  generate(count: number): void {
    this.expectRows(count);
    for (let i = 0; i < count; i++) {
      this.beginRow();
      this.endRow();
    }
  }

  /** True when the current row has a value (or DEFAULT) for the column. */
  isSet(column: number): boolean {
    return this.stamps[column] === this.rowCount + 1;
  }

  /** DEFAULT: as if the column had been left out. */
  setDefault(column: number): void {
    this.fillUnset(column);
    this.stamps[column] = this.rowCount + 1;
  }

  setNull(column: number): void {
    if (this.plan.notNull[column] === 1) throw this.error('not_null_violation', column, 'the column cannot be NULL');
    this.stamps[column] = this.rowCount + 1;
    this.writeNull(column);
  }

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
        this.setDoubleCell(column, this.exactDouble(column, num, big));
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
        this.setDoubleCell(column, value);
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
        this.setDoubleCell(column, num);
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

  /** Hashes every row's key and writes its partition; maskLow and maskHigh are then the nodes concerned. */
  route(): void {
    const routing = routingOf(this.table);
    const keyColumns = this.plan.keyColumns;
    const isLongKey =
      keyColumns.length === 1 && this.plan.types[keyColumns[0]!] !== TEXT && this.plan.types[keyColumns[0]!] !== UUID;
    const firstCell = 2 + this.nullWords;
    let page = this.firstPage;
    let rowsLeft = this.rowCount;
    while (rowsLeft > 0) {
      const words = this.memory.i32[page >>> 16]!;
      const pageWord = (page & 0xffff) << 12;
      const pageRows = Math.min(rowsLeft, this.rowsPerPage);
      let row = pageWord + FIRST_WORD;
      for (let i = 0; i < pageRows; i++) {
        let hash: number;
        if (isLongKey) {
          const cell = row + firstCell + keyColumns[0]! * 2;
          hash = murmur3Int64(words[cell]!, words[cell + 1]!, 0) >>> 0;
        } else {
          hash = this.hashKey(words, row + firstCell);
        }
        const ordinal = ordinalOfHash(routing, hash);
        words[row] = ordinal;
        words[row + 1] = hash | 0;
        this.maskLow |= routing.maskLow[ordinal]!;
        this.maskHigh |= routing.maskHigh[ordinal]!;
        row += this.rowWords;
      }
      rowsLeft -= pageRows;
      page = words[pageWord]!;
    }
  }

  /** Ends the batch and gives the ref of its header; its pages are the caller's from now on (freeBatch). */
  finish(): number {
    const words = this.memory.i32[this.firstPage >>> 16]!;
    const header = (this.firstPage & 0xffff) << 12;
    words[header + 1] = this.rowCount;
    words[header + 5] = this.values.firstPage;
    this.identity.close();
    const ref = (this.firstPage * 1024) >>> 0;
    this.firstPage = 0;
    this.lastPage = 0;
    return ref;
  }

  /** Gives up an unfinished batch and frees its pages; nothing to do when there is none. */
  release(): void {
    if (this.firstPage !== 0) freeBatch(this.memory, this.finish());
  }

  /** An SqlError that names the current row, the column, and the offset in import data. */
  error(code: ErrorCode, column: number, message: string): SqlError {
    const offset = this.sourceOffset < 0 ? '' : `, offset ${this.sourceOffset}`;
    return new SqlError(
      code,
      `row ${this.rowCount + 1}, column '${this.table.columns[column]!.name}'${offset}: ${message}`,
    );
  }

  private fillUnset(column: number): void {
    const plan = this.plan;
    switch (plan.unset[column]) {
      case 0: // UNSET_NULL
        this.writeNull(column);
        break;
      case 1: // UNSET_ERROR
        throw this.error('not_null_violation', column, 'the column cannot be NULL');
      case 2: // UNSET_IDENTITY
        this.fillIdentity(column);
        break;
      case 3: {
        // UNSET_RANDOM
        const value = this.random.below(plan.randomModulo[column]!);
        this.fillLong(column, value | 0, highWord(value));
        break;
      }
      case 4: // UNSET_RANDOM_BIG
        wordsOfBig(this.random.belowBig(plan.randomBig[column]!));
        this.fillLong(column, WORDS[0]!, WORDS[1]!);
        break;
      case 5: {
        // UNSET_RANDOM_ANY
        const low = this.random.next();
        this.fillLong(column, low, this.random.next() >>> 1);
        break;
      }
      case 6: {
        // UNSET_CELL
        const cell = this.cellWord + column * 2;
        this.words[cell] = plan.cellLow[column]!;
        this.words[cell + 1] = plan.cellHigh[column]!;
        break;
      }
      default: {
        // UNSET_VALUE: rows of the batch share one copy
        let ref = this.defaultRefs[column]!;
        if (ref === 0) {
          const bytes = plan.defaultBytes[column]!;
          ref = isWide(plan.types[column]!) ? this.storeWide(bytes, 0) : this.values.store(bytes, 0, bytes.length);
          this.defaultRefs[column] = ref;
        }
        const cell = this.cellWord + column * 2;
        this.words[cell] = ref | 0;
        this.words[cell + 1] = 0;
      }
    }
  }

  private fillIdentity(column: number): void {
    if (this.identityRow !== this.rowCount) {
      const value = this.identity.take();
      if (!Number.isNaN(value)) {
        this.identityLow = value | 0;
        this.identityHigh = highWord(value);
      } else {
        wordsOfBig(this.identity.big);
        this.identityLow = WORDS[0]!;
        this.identityHigh = WORDS[1]!;
      }
      this.identityRow = this.rowCount;
    }
    this.fillLong(column, this.identityLow, this.identityHigh);
  }

  /** An integer made by us (identity, random) into an integer column, which may be too narrow for it. */
  private fillLong(column: number, low: number, high: number): void {
    const type = this.plan.types[column]!;
    if (type < 5) {
      const limit = type === 4 ? 2147483647 : type === 3 ? 32767 : 127;
      if (high !== 0 || low < 0 || low > limit) {
        throw this.error('out_of_range', column, `the generated value does not fit ${TYPE_NAMES[type]}`);
      }
    }
    const cell = this.cellWord + column * 2;
    this.words[cell] = low;
    this.words[cell + 1] = high;
  }

  private setWords(column: number, low: number, high: number): void {
    const cell = this.cellWord + column * 2;
    this.words[cell] = low;
    this.words[cell + 1] = high;
    this.stamps[column] = this.rowCount + 1;
  }

  private setLong(column: number, num: number, big: bigint): void {
    if (!Number.isNaN(num)) {
      this.setWords(column, num | 0, highWord(num));
    } else {
      wordsOfBig(big);
      this.setWords(column, WORDS[0]!, WORDS[1]!);
    }
  }

  private setDoubleCell(column: number, value: number): void {
    if (this.plan.types[column] === 6) {
      const given = value;
      value = Math.fround(value);
      if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) {
        throw this.error('out_of_range', column, `the double ${given} does not fit float`);
      }
    }
    this.doubles[(this.cellWord >> 1) + column] = value;
    this.stamps[column] = this.rowCount + 1;
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

  /** A copy of sixteen bytes; its ref. */
  private storeWide(bytes: Uint8Array, at: number): number {
    const target = this.values.allocate(16);
    this.memory.u8[target >>> 26]!.set(bytes.subarray(at, at + 16), (target & 0x3ffffff) << 4);
    return target;
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

  private writeNull(column: number): void {
    const cell = this.cellWord + column * 2;
    this.words[cell] = 0;
    this.words[cell + 1] = 0;
    this.words[this.rowWord + 2 + (column >>> 5)]! |= 1 << (column & 31);
  }

  /** Hash of a key of several columns, or of text or uuid; `cells` is the word of cell 0. */
  private hashKey(words: Int32Array, cells: number): number {
    let hash = 0;
    const keyColumns = this.plan.keyColumns;
    for (let i = 0; i < keyColumns.length; i++) {
      const column = keyColumns[i]!;
      const type = this.plan.types[column];
      const cell = cells + column * 2;
      if (type === TEXT || type === UUID) {
        const ref = words[cell]! >>> 0;
        const at = (ref & 0x3ffffff) << 4;
        const bytes = this.memory.u8[ref >>> 26]!;
        if (type === UUID) hash = murmur3Bytes(bytes, at, at + 16, hash);
        else hash = murmur3Bytes(bytes, at + 4, at + 4 + this.memory.i32[ref >>> 26]![at >> 2]!, hash);
      } else {
        hash = murmur3Int64(words[cell]!, words[cell + 1]!, hash);
      }
    }
    return hash >>> 0;
  }

  private addPage(): void {
    const page = this.memory.allocate(1);
    const words = this.memory.i32[page >>> 16]!;
    const at = (page & 0xffff) << 12;
    words[at] = 0;
    if (this.firstPage === 0) {
      words[at + 1] = 0;
      words[at + 2] = this.plan.types.length;
      words[at + 3] = this.rowWords * 4;
      words[at + 4] = this.rowsPerPage;
      words[at + 5] = 0;
      words[at + 6] = this.table.id;
      this.firstPage = page;
    } else {
      this.memory.i32[this.lastPage >>> 16]![(this.lastPage & 0xffff) << 12] = page;
    }
    this.lastPage = page;
    this.words = words;
    this.doubles = this.memory.f64[page >>> 16]!;
    this.rowWord = at + FIRST_WORD;
    this.pageRowsLeft = this.rowsPerPage;
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

/** Types whose values are sixteen bytes without a length. */
function isWide(type: number): boolean {
  return type === UUID || type === INTERVAL;
}
