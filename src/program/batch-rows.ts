/**
 * The rows of a batch (batch.ts) while it is made: its pages and cells, what columns get that a row leaves unset (identity,
 * random, default or NULL), and the partition of each row. Values come into the cells by BatchBuilder.
 */

import { assert } from '../base/assert.ts';
import { type ErrorCode, SqlError } from '../base/errors.ts';
import { NODE_COUNT_MAX, PAGE_BYTES } from '../base/limits.ts';
import type { Memory } from '../base/memory.ts';
import { murmur3Bytes, murmur3Int64 } from '../base/murmur3.ts';
import { RandomGenerator } from '../base/random-generator.ts';
import type { TableDefinition } from '../catalog/catalog.ts';
import { highWord, WORDS, wordsOfBig } from '../types/int64.ts';
import { INTERVAL, TEXT, TYPE_NAMES, UUID } from '../types/type.ts';
import { BATCH_HEADER_BYTES, batchNullWords, batchRowBytes, freeBatch } from './batch.ts';
import { BatchValues } from './batch-values.ts';
import { IdentityValues } from './identity.ts';
import { ordinalOfHash, routingOf } from './routing.ts';
import { type TablePlan, tablePlanOf } from './table-plan.ts';

const FIRST_WORD = BATCH_HEADER_BYTES / 4;

export abstract class BatchRows {
  /** The table that rows are made for. */
  table!: TableDefinition;
  /** Columns (ordinals in the table) of the cells of a row, in the order of the source. */
  columns: readonly number[] = [];
  /** Rows finished so far. */
  rowCount = 0;
  /** Byte offset in import data that errors name; -1 for none. */
  sourceOffset = -1;
  /** Seeded by the owner for each request. */
  readonly random: RandomGenerator = new RandomGenerator();
  /** Nodes that the rows belong to, set by `route`. */
  maskLow = 0;
  maskHigh = 0;

  protected readonly memory: Memory;
  protected readonly identity: IdentityValues = new IdentityValues();
  protected readonly values: BatchValues;
  protected plan!: TablePlan;
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
  /** By node, while rows of a page are routed: its last one, as index of the first word; 0 where it has none yet. */
  private readonly lastRows: Int32Array = new Int32Array(NODE_COUNT_MAX);
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
    const nullWord = this.rowWord + 1;
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

  /** Writes the partition of every row, and which row its node has next; maskLow and maskHigh are then the nodes concerned. */
  route(): void {
    const routing = routingOf(this.table);
    const { nodes } = routing;
    const { rowCount, rowWords, rowsPerPage, lastRows } = this;
    const keyColumns = this.plan.keyColumns;
    const isLongKey =
      keyColumns.length === 1 && this.plan.types[keyColumns[0]!] !== TEXT && this.plan.types[keyColumns[0]!] !== UUID;
    const firstCell = 1 + this.nullWords;
    let page = this.firstPage;
    for (let rowsLeft = rowCount; rowsLeft > 0; rowsLeft -= rowsPerPage) {
      const words = this.memory.i32[page >>> 16]!;
      const pageWord = (page & 0xffff) << 12;
      const pageRows = Math.min(rowsLeft, rowsPerPage);
      lastRows.fill(0);
      let row = pageWord + FIRST_WORD;
      for (let ordinal = 0; ordinal < pageRows; ordinal++, row += rowWords) {
        let hash: number;
        if (isLongKey) {
          const cell = row + firstCell + keyColumns[0]! * 2;
          hash = murmur3Int64(words[cell]!, words[cell + 1]!, 0) >>> 0;
        } else hash = this.hashKey(words, row + firstCell);
        const partition = ordinalOfHash(routing, hash);
        const node = nodes[partition]!;
        words[row] = partition | (pageRows << 16);
        const last = lastRows[node]!;
        if (last !== 0) words[last] = (words[last]! & 0xffff) | (ordinal << 16);
        else {
          this.maskLow |= routing.maskLow[partition]!;
          this.maskHigh |= routing.maskHigh[partition]!;
        }
        lastRows[node] = row;
      }
      page = words[pageWord]!;
    }
  }

  /** Ends the batch and gives the ref of its header; its pages are the caller's from now on (freeBatch). */
  finish(): number {
    const words = this.memory.i32[this.firstPage >>> 16]!;
    const header = (this.firstPage & 0xffff) << 12;
    words[header + 1] = this.rowCount;
    words[header + 5] = this.values.firstPage;
    words[header + 7] = this.values.byteCount;
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

  /** Sets the cell of a column of the current row: its two words. */
  setWords(column: number, low: number, high: number): void {
    const cell = this.cellWord + column * 2;
    this.words[cell] = low;
    this.words[cell + 1] = high;
    this.stamps[column] = this.rowCount + 1;
  }

  /** Sets the cell of a column of the current row: a double. */
  setDoubleCell(column: number, value: number): void {
    this.doubles[(this.cellWord >> 1) + column] = value;
    this.stamps[column] = this.rowCount + 1;
  }

  /** A copy of sixteen bytes; its ref. */
  protected storeWide(bytes: Uint8Array, at: number): number {
    const target = this.values.allocate(16);
    this.memory.u8[target >>> 26]!.set(bytes.subarray(at, at + 16), (target & 0x3ffffff) << 4);
    return target;
  }

  private writeNull(column: number): void {
    const cell = this.cellWord + column * 2;
    this.words[cell] = 0;
    this.words[cell + 1] = 0;
    this.words[this.rowWord + 1 + (column >>> 5)]! |= 1 << (column & 31);
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
}

/** Types whose values are sixteen bytes without a length. */
export function isWide(type: number): boolean {
  return type === UUID || type === INTERVAL;
}
