/**
 * A batch: the rows of one INSERT in binary, made by a frontend before the transaction has its place in the order, read by
 * nodes. Rows lie row-major in single pages that form a chain, so a batch grows without copying and a row never spans pages.
 *
 * Who writes when: BatchBuilder, until the transaction is published; nobody afterwards. The frontend frees all pages when
 * the transaction is final (`freeBatch`). The rows that an UPDATE of primary keys moves are batches too: each node makes one
 * in a step of the request, all are linked when all are there (`linkBatch`), and read in the next step.
 *
 * Row page (16 KiB):
 *
 * | byte      | size | field                                                                             |
 * | --------: | ---: | --------------------------------------------------------------------------------- |
 * |         0 |    4 | next row page, 0 at the end                                                       |
 * |         4 |    4 | rowCount of the batch (first page only, as all fields below)                      |
 * |         8 |    4 | columnCount: columns of the table                                                 |
 * |        12 |    4 | rowBytes: a multiple of 8                                                         |
 * |        16 |    4 | rowsPerPage                                                                       |
 * |        20 |    4 | first value page, 0 for none                                                      |
 * |        24 |    4 | tableId                                                                           |
 * |        28 |    4 | bytes of all values, modulo 2^32                                                  |
 * |        32 |    4 | moved rows: ref of the next batch, 0 at the end                                   |
 * |        36 |    4 | moved rows: the round in which they move                                          |
 * |        40 |   24 | unused                                                                            |
 * |        64 |      | rowsPerPage rows of rowBytes                                                      |
 *
 * Row:
 *
 * | byte      | size | field                                                                             |
 * | --------: | ---: | --------------------------------------------------------------------------------- |
 * |         0 |    2 | ordinal of the partition the row belongs to (set by routing)                      |
 * |         2 |    2 | in this page, ordinal of the next row of the same node; behind the last row if there is none (set by routing) |
 * |         4 |  4 n | null bitmap, bit c & 31 of word c >> 5 is set where column c is NULL; n = columns / 32, made odd |
 * |   4 + 4 n |  8 c | a cell a column of the table: forms in types/type.ts; 0 where NULL                |
 *
 * Value pages (a chain of runs): u32 next run's page, u32 pages of this run, 8 bytes unused, then values, 16-byte aligned.
 */

import { assert } from '../base/assert.ts';
import { PAGE_BYTES } from '../base/limits.ts';
import type { Memory } from '../base/memory.ts';

export const BATCH_HEADER_BYTES = 64;
export const BATCH_VALUE_HEADER_BYTES = 16;

/** Words of the null bitmap of a row: odd, so that cells are 8-byte aligned. */
export function batchNullWords(columnCount: number): number {
  return ((columnCount + 31) >>> 5) | 1;
}

/** Bytes of a row with that many columns. */
export function batchRowBytes(columnCount: number): number {
  return 4 + batchNullWords(columnCount) * 4 + columnCount * 8;
}

/** Frees every page of the batch whose first page starts at `ref`. Thread safe as memory.free is; nobody may read it any more. */
export function freeBatch(memory: Memory, ref: number): void {
  let page = (ref >>> 0) / 1024;
  let valuePage = memory.i32[page >>> 16]![((page & 0xffff) << 12) + 5]!;
  while (page !== 0) {
    const next = memory.i32[page >>> 16]![(page & 0xffff) << 12]!;
    memory.free(page, 1);
    page = next;
  }
  while (valuePage !== 0) {
    const words = memory.i32[valuePage >>> 16]!;
    const index = (valuePage & 0xffff) << 12;
    const next = words[index]!;
    const pageCount = words[index + 1]!;
    memory.free(valuePage, pageCount);
    valuePage = next;
  }
}

/** Puts a batch of moved rows before others. */
export function linkBatch(memory: Memory, ref: number, round: number, nextRef: number): void {
  const header = headerOf(ref);
  const words = memory.i32[ref >>> 26]!;
  words[header + 8] = nextRef | 0;
  words[header + 9] = round;
}

/** The batch behind a linked one, 0 for none. */
export function nextBatch(memory: Memory, ref: number): number {
  return memory.i32[ref >>> 26]![headerOf(ref) + 8]! >>> 0;
}

/** The round of a linked batch. */
export function batchRound(memory: Memory, ref: number): number {
  return memory.i32[ref >>> 26]![headerOf(ref) + 9]!;
}

/** Index of the first word of the batch at `ref`. */
function headerOf(ref: number): number {
  return (ref & 0x3ffffff) << 2;
}

/** Bytes of the rows of a batch and of their values. */
export function batchBytes(memory: Memory, ref: number): number {
  const page = (ref >>> 0) / 1024;
  const words = memory.i32[page >>> 16]!;
  const header = (page & 0xffff) << 12;
  return words[header + 1]! * words[header + 3]! + (words[header + 7]! >>> 0);
}

/**
 * Reads a batch: `open(ref)`, then `seek(row)`, then the cells of that row by column. One object is used for any number of
 * batches. A BatchReader of an earlier batch must not be used after the batch was freed.
 */
export class BatchReader {
  rowCount = 0;
  columnCount = 0;
  tableId = 0;
  /** Arena views and indexes of the current row: the low half of words[rowWord] is its partition ordinal. */
  words: Int32Array = EMPTY_WORDS;
  doubles: Float64Array = EMPTY_DOUBLES;
  rowWord = 0;
  cellWord = 0;

  private readonly memory: Memory;
  private readonly pages: number[] = [];
  private rowsPerPage = 1;
  private rowWords = 0;
  private nullWords = 0;
  /** Rows of the page that words and rowWord are in, to skip the page lookup while reading in order. */
  private pageFirstRow = 0;
  private pageEndRow = 0;
  private pageWord = 0;

  constructor(memory: Memory) {
    this.memory = memory;
  }

  /** Opens the batch at that ref (BatchBuilder.finish); stands on no row. Pages are found once, so that seek is O(1). */
  open(ref: number): void {
    let page = (ref >>> 0) / 1024;
    const words = this.memory.i32[page >>> 16]!;
    const at = (page & 0xffff) << 12;
    this.rowCount = words[at + 1]!;
    this.columnCount = words[at + 2]!;
    this.rowWords = words[at + 3]! >> 2;
    this.rowsPerPage = words[at + 4]!;
    this.tableId = words[at + 6]!;
    this.nullWords = batchNullWords(this.columnCount);
    this.pages.length = 0;
    while (page !== 0) {
      this.pages.push(page);
      page = this.memory.i32[page >>> 16]![(page & 0xffff) << 12]!;
    }
    this.pageFirstRow = 0;
    this.pageEndRow = 0;
  }

  /** Stands on that row (ordinal in the batch, from 0), which must exist. */
  seek(row: number): void {
    if (row < this.pageFirstRow || row >= this.pageEndRow) this.seekPage(row);
    this.rowWord = this.pageWord + (row - this.pageFirstRow) * this.rowWords;
    this.cellWord = this.rowWord + 1 + this.nullWords;
  }

  private seekPage(row: number): void {
    assert(row >= 0 && row < this.rowCount, 'the row is in the batch');
    const index = Math.floor(row / this.rowsPerPage);
    const page = this.pages[index]!;
    this.words = this.memory.i32[page >>> 16]!;
    this.doubles = this.memory.f64[page >>> 16]!;
    this.pageWord = ((page & 0xffff) << 12) + BATCH_HEADER_BYTES / 4;
    this.pageFirstRow = index * this.rowsPerPage;
    this.pageEndRow = this.pageFirstRow + this.rowsPerPage;
  }

  /** Ordinal in table.partitions of the partition of that row; also seeks it. */
  partitionOrdinal(row: number): number {
    this.seek(row);
    return this.words[this.rowWord]! & 0xffff;
  }

  /** No row between that one and the one returned belongs to the same node; rowCount at the end. */
  nextOfNode(row: number): number {
    this.seek(row);
    return this.pageFirstRow + (this.words[this.rowWord]! >>> 16);
  }

  isNull(column: number): boolean {
    return ((this.words[this.rowWord + 1 + (column >>> 5)]! >>> (column & 31)) & 1) !== 0;
  }

  /** Low word of an int64 cell; also the whole value of bool, int and narrower, and date. */
  low(column: number): number {
    return this.words[this.cellWord + column * 2]!;
  }

  high(column: number): number {
    return this.words[this.cellWord + column * 2 + 1]!;
  }

  /** Value of a float or double cell. */
  double(column: number): number {
    return this.doubles[(this.cellWord >> 1) + column]!;
  }

  /** Ref of the value of a text, json, vector (u32 byteLength, then bytes), interval or uuid (16 bytes) cell; unsigned. */
  ref(column: number): number {
    return this.words[this.cellWord + column * 2]! >>> 0;
  }
}

const EMPTY_WORDS: Int32Array = new Int32Array(0);
const EMPTY_DOUBLES: Float64Array = new Float64Array(0);

assert(batchRowBytes(1000) <= PAGE_BYTES - BATCH_HEADER_BYTES, 'a row of the most columns fits into a page');
