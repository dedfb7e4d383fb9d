/**
 * Redo: row changes as they lie in the write-ahead log, named by primary key, never by row. Written by nodes after the
 * change, applied by recovery in the order of the log. Part of the WAL format. Little-endian, not aligned.
 *
 * A record has one of two headers. The short one, where the record has less than 64 KiB, the partition's id is below 65536 and
 * its table has at most 128 columns, which is nearly always:
 *
 * | byte | size | field                                                                       |
 * | ---: | ---: | --------------------------------------------------------------------------- |
 * |    0 |    2 | bytes of this record                                                        |
 * |    2 |    1 | count: insert: columns of the table; update: columns that follow the key; delete: 0 |
 * |    3 |    1 | kind (1 insert, 2 update, 3 delete), bit 7 set                              |
 * |    4 |    2 | partition id (psn)                                                          |
 *
 * The long one:
 *
 * | byte | size | field                                                                       |
 * | ---: | ---: | --------------------------------------------------------------------------- |
 * |    0 |    4 | bytes of this record, below 2^31                                            |
 * |    4 |    4 | partition id                                                                |
 * |    8 |    1 | kind                                                                        |
 * |    9 |    1 | 0                                                                           |
 * |   10 |    2 | count                                                                       |
 *
 * Behind it:
 *
 * - insert: null bitmap (a bit a column, 8 a byte), then the values that are not NULL in column order
 * - update: the key's values in key order, then for each column its ordinal, and its value: the ordinal is a byte behind a short
 *   header, bit 7 set for NULL; else u16, bit 15 set for NULL
 * - delete: the key's values
 *
 * Values: bool, tinyint 1 byte; smallint 2; int, date, float 4; bigint, timestamp, double 8; uuid, interval 16; text, json,
 * vector u32 length and the bytes.
 */

import { assert } from '../base/assert.ts';
import type { Memory } from '../base/memory.ts';
import type { RegisterFile } from '../base/registers.ts';
import { createRegisters } from '../base/registers.ts';
import { Scratch } from '../base/scratch.ts';
import { BATCH_HEADER_BYTES, BatchReader, batchNullWords, batchRowBytes } from '../program/batch.ts';
import type { Partition } from './partition.ts';
import type { RedoBuffer } from './redo-buffer.ts';
import type { UndoLog } from './undo.ts';

export const REDO_HEADER_BYTES = 12;
const SHORT_HEADER_BYTES = 6;
/** Records of this many bytes or more have the long header. */
const SHORT_RECORD_BYTES_MAX = 0x10000;
const SHORT_COLUMN_COUNT_MAX = 128;
/** The top bit of the first four bytes. */
const SHORT_FLAG: number = -0x80000000;
export const REDO_INSERT = 1;
export const REDO_UPDATE = 2;
export const REDO_DELETE = 3;

/** Bytes of a value by storage kind (layout.ts); values of kind 6 have their length before them. */
const KIND_BYTES: Uint8Array = Uint8Array.of(1, 2, 4, 8, 4, 8, 4, 16);

/** Writes the insert of `row`, as it is stored now. Throws out_of_memory, and then nothing is written. */
export function encodeInsert(redo: RedoBuffer, partition: Partition, row: number): void {
  const { columnCount, heapColumns, rowBytes } = partition.layout;
  const bitmapBytes = (columnCount + 7) >>> 3;
  // A ref in a row has as many bytes as the length of its value in redo.
  let most = REDO_HEADER_BYTES + bitmapBytes + rowBytes;
  for (let index = 0; index < heapColumns.length; index++) most += heapBytes(partition, row, heapColumns[index]!);
  redo.ensure(most);
  const { bytes, view } = redo;
  const headerBytes = headerBytesOf(partition, most);
  const bitmap = redo.at + headerBytes;
  let at = bitmap + bitmapBytes;
  for (let index = bitmap; index < at; index++) bytes[index] = 0;
  for (let column = 0; column < columnCount; column++) {
    if (partition.isNull(row, column)) bytes[bitmap + (column >>> 3)]! |= 1 << (column & 7);
    else at = writeValue(bytes, view, at, partition, row, column);
  }
  endRecord(redo, partition, REDO_INSERT, columnCount, headerBytes, at);
}

/** Writes the update of columns of `row`, as they are stored now. Throws out_of_memory, and then nothing is written. */
export function encodeUpdate(redo: RedoBuffer, partition: Partition, row: number, columns: readonly number[]): void {
  let most = REDO_HEADER_BYTES + keyBytes(partition, row);
  for (let index = 0; index < columns.length; index++) most += 2 + valueBytes(partition, row, columns[index]!);
  redo.ensure(most);
  const { bytes, view } = redo;
  const headerBytes = headerBytesOf(partition, most);
  let at = writeKey(bytes, view, redo.at + headerBytes, partition, row);
  for (let index = 0; index < columns.length; index++) {
    const column = columns[index]!;
    const isNull = partition.isNull(row, column);
    at = writeOrdinal(view, at, column, isNull ? 1 : 0, headerBytes);
    if (!isNull) at = writeValue(bytes, view, at, partition, row, column);
  }
  endRecord(redo, partition, REDO_UPDATE, columns.length, headerBytes, at);
}

/** Writes the delete of `row`, which must be called before or right after it: the row's values are still there. */
export function encodeDelete(redo: RedoBuffer, partition: Partition, row: number): void {
  const most = REDO_HEADER_BYTES + keyBytes(partition, row);
  redo.ensure(most);
  const headerBytes = headerBytesOf(partition, most);
  const at = writeKey(redo.bytes, redo.view, redo.at + headerBytes, partition, row);
  endRecord(redo, partition, REDO_DELETE, 0, headerBytes, at);
}

/** Bytes of the header of a record that has at most `most` bytes with the long one. */
export function headerBytesOf(partition: Partition, most: number): number {
  const isShort =
    most < SHORT_RECORD_BYTES_MAX &&
    partition.layout.columnCount <= SHORT_COLUMN_COUNT_MAX &&
    partition.definition.id < 0x10000;
  return isShort ? SHORT_HEADER_BYTES : REDO_HEADER_BYTES;
}

/** Writes the ordinal of a column of an update, behind a header of that many bytes; `isNull`: 0 or 1. Returns the place behind. */
export function writeOrdinal(view: DataView, at: number, column: number, isNull: number, headerBytes: number): number {
  if (headerBytes === SHORT_HEADER_BYTES) {
    view.setUint8(at, column | (isNull << 7));
    return at + 1;
  }
  view.setUint16(at, column | (isNull << 15), true);
  return at + 2;
}

/** Writes the header, of that many bytes, of the record that begins at redo.at and ends before `end`. */
export function endRecord(
  redo: RedoBuffer,
  partition: Partition,
  kind: number,
  count: number,
  headerBytes: number,
  end: number,
): void {
  const { view, at } = redo;
  if (headerBytes === SHORT_HEADER_BYTES) {
    view.setInt32(at, SHORT_FLAG | (kind << 24) | (count << 16) | (end - at), true);
    view.setUint16(at + 4, partition.definition.id, true);
  } else {
    view.setInt32(at, end - at, true);
    view.setInt32(at + 4, partition.definition.id, true);
    view.setInt32(at + 8, kind | (count << 16), true);
  }
  redo.at = end;
  redo.changeCount += 1;
}

function keyBytes(partition: Partition, row: number): number {
  const { columns, columnCount } = partition.indexes[0]!.shape;
  let length = 0;
  for (let index = 0; index < columnCount; index++) length += valueBytes(partition, row, columns[index]!);
  return length;
}

function writeKey(bytes: Uint8Array, view: DataView, at: number, partition: Partition, row: number): number {
  const { columns, columnCount } = partition.indexes[0]!.shape;
  for (let index = 0; index < columnCount; index++) {
    at = writeValue(bytes, view, at, partition, row, columns[index]!);
  }
  return at;
}

/** Bytes that a value takes at most: fewer where it is NULL. */
function valueBytes(partition: Partition, row: number, column: number): number {
  const kind = partition.layout.kinds[column]!;
  return kind === 6 ? 4 + heapBytes(partition, row, column) : KIND_BYTES[kind]!;
}

/** Bytes of a value in the heap, 0 for NULL. */
function heapBytes(partition: Partition, row: number, column: number): number {
  if (partition.isNull(row, column)) return 0;
  const ref = partition.readRef(row, column);
  return partition.i32[ref >>> 26]![(ref & 0x3ffffff) << 2]!;
}

/** Writes a value that is not NULL; returns the place behind it. */
function writeValue(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  partition: Partition,
  row: number,
  column: number,
): number {
  switch (partition.layout.kinds[column]!) {
    case 0: // one byte
      bytes[at] = partition.readBool(row, column);
      return at + 1;
    case 1: // two bytes
      view.setInt16(at, partition.readInt16(row, column), true);
      return at + 2;
    case 2: // four bytes
    case 4: // float, as its word
      view.setInt32(at, partition.readInt32(row, column), true);
      return at + 4;
    case 3: // two words
    case 5: // double, as its words
      view.setInt32(at, partition.readInt64Low(row, column), true);
      view.setInt32(at + 4, partition.readInt64High(row, column), true);
      return at + 8;
    case 6: {
      // value in the heap, with its length
      const ref = partition.readRef(row, column);
      const length = 4 + partition.i32[ref >>> 26]![(ref & 0x3ffffff) << 2]!;
      copyBytes(partition.u8[ref >>> 26]!, (ref & 0x3ffffff) << 4, bytes, at, length);
      return at + length;
    }
    default: {
      // sixteen bytes
      const ref = partition.readWide(row, column);
      copyBytes(partition.u8[ref >>> 26]!, (ref & 0x3ffffff) << 4, bytes, at, 16);
      return at + 16;
    }
  }
}

function copyBytes(source: Uint8Array, from: number, target: Uint8Array, to: number, count: number): void {
  if (count > 128) target.set(source.subarray(from, from + count), to);
  else for (let index = 0; index < count; index++) target[to + index] = source[from + index]!;
}

function readWord(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** Whether the record at bytes[at …] has the short header. */
function isShortRecord(bytes: Uint8Array, at: number): boolean {
  return (bytes[at + 3]! & 0x80) !== 0;
}

/** Length of the record at bytes[at …], which ends before `end`. Throws a plain Error where it cannot be: the log is corrupt. */
export function redoRecordBytes(bytes: Uint8Array, at: number, end: number): number {
  let length = 0;
  let least = REDO_HEADER_BYTES;
  if (end - at >= SHORT_HEADER_BYTES) {
    const isShort = isShortRecord(bytes, at);
    length = isShort ? readWord(bytes, at) & 0xffff : readWord(bytes, at);
    if (isShort) least = SHORT_HEADER_BYTES;
  }
  if (length < least || length > end - at) throw corrupt('a record has a wrong length');
  return length;
}

/** Partition of the record at bytes[at …]. */
export function redoPartitionId(bytes: Uint8Array, at: number): number {
  return isShortRecord(bytes, at) ? bytes[at + 4]! | (bytes[at + 5]! << 8) : readWord(bytes, at + 4);
}

const VALUE_BYTES: Uint8Array = new Uint8Array(16);
const VALUE_VIEW: DataView = new DataView(VALUE_BYTES.buffer);

/** Applies redo to partitions, in recovery. */
export class RedoApplier {
  readonly #memory: Memory;
  readonly #undo: UndoLog;
  readonly #scratch: Scratch;
  readonly #batch: BatchReader;
  /** The page with the batch of the one row that is inserted. */
  readonly #batchPage: number;
  #registers: RegisterFile = createRegisters(64);
  #bytes: Uint8Array = VALUE_BYTES;
  #at = 0;
  #end = 0;

  /** `undo` is released after each change. */
  constructor(memory: Memory, undo: UndoLog) {
    this.#memory = memory;
    this.#undo = undo;
    this.#scratch = new Scratch(memory);
    this.#batch = new BatchReader(memory);
    this.#batchPage = memory.allocateZeroed(1);
  }

  /**
   * Applies the records in bytes[start, end). `resolve` gives the open partition of an id, or undefined where its table is
   * not there any more: such records are skipped. Gives the number of records. Throws a plain Error where a record cannot
   * be applied: the log is corrupt.
   */
  apply(
    bytes: Uint8Array,
    start: number,
    end: number,
    resolve: (partitionId: number) => Partition | undefined,
  ): number {
    this.#bytes = bytes;
    let at = start;
    let recordCount = 0;
    while (at < end) {
      const length = redoRecordBytes(bytes, at, end);
      const partition = resolve(redoPartitionId(bytes, at));
      if (partition !== undefined) {
        const isShort = isShortRecord(bytes, at);
        this.#at = at + (isShort ? SHORT_HEADER_BYTES : REDO_HEADER_BYTES);
        this.#end = at + length;
        if (isShort) this.#applyRecord(partition, bytes[at + 3]! & 0x7f, bytes[at + 2]!, isShort);
        else this.#applyRecord(partition, bytes[at + 8]!, bytes[at + 10]! | (bytes[at + 11]! << 8), isShort);
        if (this.#at !== this.#end) throw corrupt('a record has bytes left over');
        this.#scratch.reset();
        this.#undo.release(this.#undo.mark());
      }
      at += length;
      recordCount++;
    }
    return recordCount;
  }

  /** Gives its pages back. */
  dispose(): void {
    this.#scratch.dispose();
    this.#memory.free(this.#batchPage, 1);
  }

  #applyRecord(partition: Partition, kind: number, count: number, isShort: boolean): void {
    if (kind === REDO_INSERT) {
      this.#insert(partition, count);
      return;
    }
    const keyCount = partition.indexes[0]!.shape.columnCount;
    if (this.#registers.num.length < keyCount + count) this.#registers = createRegisters(keyCount + count);
    for (let index = 0; index < keyCount; index++) {
      this.#readRegister(partition, partition.indexes[0]!.shape.columns[index]!, index);
    }
    const row = partition.findPrimary(this.#registers, 0);
    if (row < 0) throw corrupt('a changed row is not there');
    if (kind === REDO_DELETE) {
      partition.delete(row, this.#undo);
      return;
    }
    if (kind !== REDO_UPDATE) throw corrupt('a record is of no known kind');
    const columns: number[] = [];
    for (let index = 0; index < count; index++) {
      const at = this.#take(isShort ? 1 : 2);
      const word = isShort ? this.#bytes[at]! : this.#bytes[at]! | (this.#bytes[at + 1]! << 8);
      const column = word & (isShort ? 0x7f : 0x7fff);
      const isNull = column !== word;
      if (column >= partition.layout.columnCount) throw corrupt('a column is not there');
      columns.push(column);
      this.#registers.nul[keyCount + index] = isNull ? 1 : 0;
      if (!isNull) this.#readRegister(partition, column, keyCount + index);
    }
    partition.update(row, columns, this.#registers, keyCount, this.#undo);
  }

  #insert(partition: Partition, count: number): void {
    const columnCount = partition.layout.columnCount;
    if (count !== columnCount) throw corrupt('a row has another number of columns than its table');
    const page = this.#batchPage;
    const words = this.#memory.i32[page >>> 16]!;
    const start = (page & 0xffff) << 12;
    words[start + 1] = 1;
    words[start + 2] = columnCount;
    words[start + 3] = batchRowBytes(columnCount);
    words[start + 4] = 1;
    words[start + 6] = partition.table.id;
    const batch = this.#batch;
    batch.open((page * 1024) >>> 0);
    batch.seek(0);
    const nullWord = start + BATCH_HEADER_BYTES / 4 + 1;
    words.fill(0, nullWord, nullWord + batchNullWords(columnCount));
    const bitmap = this.#take((columnCount + 7) >>> 3);
    for (let column = 0; column < columnCount; column++) {
      const cell = batch.cellWord + column * 2;
      if ((this.#bytes[bitmap + (column >>> 3)]! >>> (column & 7)) & 1) {
        words[nullWord + (column >>> 5)]! |= 1 << (column & 31);
      } else this.#readCell(partition, column, words, cell);
    }
    if (partition.insertFromBatch(batch, 0, this.#undo) < 0) throw corrupt('an inserted row is there already');
    if (partition.table.identityRef !== 0) this.#raiseIdentity(partition, words);
  }

  /** The identity counter stays above every stored value. */
  #raiseIdentity(partition: Partition, words: Int32Array): void {
    const ref = partition.table.identityRef;
    const counter = this.#memory.big[ref >>> 26]!;
    const index = (ref & 0x3ffffff) << 1;
    partition.table.columns.forEach((column, ordinal) => {
      if (!column.isIdentity) return;
      const cell = this.#batch.cellWord + ordinal * 2;
      const next = ((BigInt(words[cell + 1]!) << 32n) | BigInt(words[cell]! >>> 0)) + 1n;
      let present = Atomics.load(counter, index);
      // A negative counter is used up: 2^63 - 1 was given out.
      while (present >= 0n && present < next) {
        Atomics.compareExchange(counter, index, present, BigInt.asIntN(64, next));
        present = Atomics.load(counter, index);
      }
    });
  }

  /** Leaves the value's bytes in VALUE_BYTES, or copies it to scratch; returns the ref, else 0. */
  #readValue(kind: number): number {
    const at = this.#take(KIND_BYTES[kind]!);
    if (kind === 6) {
      const length = readWord(this.#bytes, at);
      if (length < 0) throw corrupt('a value has a wrong length');
      const start = this.#take(length);
      return this.#scratch.text(this.#bytes, start, start + length);
    }
    for (let index = 0; index < KIND_BYTES[kind]!; index++) VALUE_BYTES[index] = this.#bytes[at + index]!;
    if (kind !== 7) return 0;
    const ref = this.#scratch.allocate(16);
    this.#memory.u8[ref >>> 26]!.set(VALUE_BYTES, (ref & 0x3ffffff) << 4);
    return ref;
  }

  #readCell(partition: Partition, column: number, words: Int32Array, cell: number): void {
    const kind = partition.layout.kinds[column]!;
    const ref = this.#readValue(kind);
    if (kind >= 6) {
      words[cell] = ref;
      words[cell + 1] = 0;
      return;
    }
    if (kind === 4) VALUE_VIEW.setFloat64(0, VALUE_VIEW.getFloat32(0, true), true);
    else if (kind <= 2) {
      const value = smallValue(kind);
      VALUE_VIEW.setInt32(0, value, true);
      VALUE_VIEW.setInt32(4, value >> 31, true);
    }
    words[cell] = VALUE_VIEW.getInt32(0, true);
    words[cell + 1] = VALUE_VIEW.getInt32(4, true);
  }

  #readRegister(partition: Partition, column: number, register: number): void {
    const kind = partition.layout.kinds[column]!;
    const ref = this.#readValue(kind);
    const { num, big, nul } = this.#registers;
    nul[register] = 0;
    if (kind >= 6) num[register] = ref;
    else if (kind === 5) num[register] = VALUE_VIEW.getFloat64(0, true);
    else if (kind === 4) num[register] = VALUE_VIEW.getFloat32(0, true);
    else if (kind <= 2) num[register] = smallValue(kind);
    else {
      const value = VALUE_VIEW.getBigInt64(0, true);
      const isExact = value >= -(2n ** 53n) && value <= 2n ** 53n;
      num[register] = isExact ? Number(value) : Number.NaN;
      big[register] = value;
    }
  }

  /** Moves on by that many bytes; returns where they start. */
  #take(count: number): number {
    const at = this.#at;
    if (count > this.#end - at) throw corrupt('a record is too short');
    this.#at = at + count;
    return at;
  }
}

function smallValue(kind: number): number {
  assert(kind <= 2, 'integers of at most four bytes');
  if (kind === 0) return VALUE_VIEW.getInt8(0);
  return kind === 1 ? VALUE_VIEW.getInt16(0, true) : VALUE_VIEW.getInt32(0, true);
}

function corrupt(what: string): Error {
  return new Error(`the write-ahead log does not fit the data: ${what}`);
}
