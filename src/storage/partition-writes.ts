/**
 * Changes of rows: insert, update, delete, and their undo and release. Each change is whole or not at all: what can fail
 * (out_of_memory, a unique key) fails before anything else has changed, or is taken back here.
 *
 * Undo records are in undo.ts. An update that touches index keys records "keys removed", its columns, "keys inserted":
 * undone in reverse, the indexes never see a key that was not there before.
 */

import { SqlError } from '../base/errors.ts';
import type { RegisterFile } from '../base/registers.ts';
import type { BatchReader } from '../program/batch.ts';
import { assertHeadOwn, makeColumnOwn, makeHeadOwn, makeSegmentOwn } from './copy-on-write.ts';
import { valueUnits } from './heap.ts';
import { ROOT_ROWS } from './layout.ts';
import type { Partition } from './partition.ts';
import {
  UNDO_COLUMN,
  UNDO_DELETE,
  UNDO_INSERT,
  UNDO_KEYS_INSERTED,
  UNDO_KEYS_REMOVED,
  UNDO_WAS_NULL,
  type UndoLog,
} from './undo.ts';

const BIG: BigInt64Array = new BigInt64Array(1);
const BIG_WORDS: Int32Array = new Int32Array(BIG.buffer);
/** Copies of this many words or more go by one call. */
const BULK_WORDS = 64;

/** Partition.insertFromBatch. */
export function insertBatchRow(partition: Partition, batch: BatchReader, ordinal: number, undo: UndoLog): number {
  batch.seek(ordinal);
  const indexes = partition.indexes;
  const primary = indexes[0]!;
  undo.reserve(1);
  const row = partition.findSlot();
  primary.key.loadBatch(batch, partition);
  const existing = primary.insert(row);
  if (existing >= 0) return ~existing;
  let columnCount = 0;
  let indexCount = 1;
  try {
    if (row >>> 12 < partition.frozenEnd) makeSegmentOwn(partition, row >>> 12);
    for (; columnCount < partition.layout.columnCount; columnCount++) writeCell(partition, row, columnCount, batch);
    for (; indexCount < indexes.length; indexCount++) {
      const index = indexes[indexCount]!;
      index.key.loadBatch(batch, partition);
      if (index.insert(row) >= 0) throw uniqueConflict(partition, indexCount);
    }
  } catch (error) {
    for (let inserted = 0; inserted < indexCount; inserted++) {
      const index = indexes[inserted]!;
      index.key.loadBatch(batch, partition);
      index.remove(row, undo.stamp());
    }
    freeValues(partition, row, columnCount);
    throw error;
  }
  partition.takeSlot(row);
  undo.push(UNDO_INSERT, partition, row, 0, 0);
  return row;
}

/** Partition.update. */
export function updateRow(
  partition: Partition,
  row: number,
  columns: readonly number[],
  values: RegisterFile,
  firstRegister: number,
  undo: UndoLog,
): void {
  let mask = 0;
  for (let index = 0; index < columns.length; index++) mask |= partition.indexMasks[columns[index]!]!;
  undo.reserve(columns.length + 2);
  if (mask === 0) {
    const mark = undo.mark();
    try {
      for (let index = 0; index < columns.length; index++) {
        updateColumn(partition, row, columns[index]!, values, firstRegister + index, undo);
      }
    } catch (error) {
      undo.rollbackTo(mark);
      throw error;
    }
    return;
  }
  updateWithKeys(partition, row, columns, values, firstRegister, undo, mask);
}

function updateWithKeys(
  partition: Partition,
  row: number,
  columns: readonly number[],
  values: RegisterFile,
  firstRegister: number,
  undo: UndoLog,
  mask: number,
): void {
  const mark = undo.mark();
  removeKeys(partition, row, mask, undo.stamp());
  undo.push(UNDO_KEYS_REMOVED, partition, row, 0, mask);
  let insertedMask = 0;
  try {
    for (let index = 0; index < columns.length; index++) {
      updateColumn(partition, row, columns[index]!, values, firstRegister + index, undo);
    }
    for (let ordinal = 0; ordinal < partition.indexes.length; ordinal++) {
      if ((mask & (1 << ordinal)) === 0) continue;
      const index = partition.indexes[ordinal]!;
      index.key.loadRow(partition, row);
      if (index.insert(row) >= 0) throw uniqueConflict(partition, ordinal);
      insertedMask |= 1 << ordinal;
    }
  } catch (error) {
    removeKeys(partition, row, insertedMask, undo.stamp());
    undo.rollbackTo(mark);
    throw error;
  }
  undo.push(UNDO_KEYS_INSERTED, partition, row, 0, mask);
}

/** Partition.delete. */
export function deleteRow(partition: Partition, row: number, undo: UndoLog): void {
  undo.reserve(1);
  if (row >>> 12 < partition.frozenEnd) makeHeadOwn(partition, row >>> 12);
  removeKeys(partition, row, -1, undo.stamp());
  partition.setLive(row, false);
  undo.push(UNDO_DELETE, partition, row, 0, 0);
}

/** Undoes the record at words[at …]; `stamp` is its position. */
export function undoRecord(partition: Partition, words: Int32Array, at: number, stamp: number): void {
  const row = words[at + 2]!;
  switch (words[at]! & 15) {
    case 1: // insert
      if (row >>> 12 < partition.frozenEnd) assertHeadOwn(partition, row);
      removeKeys(partition, row, -1, stamp);
      freeValues(partition, row, partition.layout.columnCount);
      partition.setLive(row, false);
      partition.freeSlot(row);
      return;
    case 2: // delete
      if (row >>> 12 < partition.frozenEnd) assertHeadOwn(partition, row);
      partition.setLive(row, true);
      reinsertKeys(partition, row, -1);
      return;
    case 3: // column
      restoreColumn(partition, row, words, at);
      return;
    case 4: // keys removed
      reinsertKeys(partition, row, words[at + 3]!);
      return;
    default: // keys inserted
      removeKeys(partition, row, words[at + 3]!, stamp);
  }
}

/** Frees what the record at words[at …] held, as it is final; `released` is the position behind it. */
export function releaseRecord(partition: Partition, words: Int32Array, at: number, released: number): void {
  const kind = words[at]! & 15;
  if (kind === UNDO_COLUMN) {
    if ((words[at]! & UNDO_WAS_NULL) === 0 && partition.layout.kinds[words[at]! >>> 8] === 6) {
      partition.valueHeap.release(words[at + 4]!);
    }
    return;
  }
  if (kind === UNDO_DELETE) {
    const row = words[at + 2]!;
    if (row >>> 12 < partition.frozenEnd) assertHeadOwn(partition, row);
    releaseValues(partition, row);
    partition.freeSlot(row);
  }
  partition.maintainIndexes(released);
}

function removeKeys(partition: Partition, row: number, mask: number, stamp: number): void {
  for (let ordinal = 0; ordinal < partition.indexes.length; ordinal++) {
    if ((mask & (1 << ordinal)) === 0) continue;
    const index = partition.indexes[ordinal]!;
    index.key.loadRow(partition, row);
    index.remove(row, stamp);
  }
}

function reinsertKeys(partition: Partition, row: number, mask: number): void {
  for (let ordinal = 0; ordinal < partition.indexes.length; ordinal++) {
    if ((mask & (1 << ordinal)) === 0) continue;
    const index = partition.indexes[ordinal]!;
    index.key.loadRow(partition, row);
    index.reinsert(row);
  }
}

/** Frees the heap blocks of a row's columns before `columnEnd`, which nobody has seen. */
function freeValues(partition: Partition, row: number, columnEnd: number): void {
  const columns = partition.layout.heapColumns;
  for (let index = 0; index < columns.length; index++) {
    const column = columns[index]!;
    if (column >= columnEnd) return;
    if (!partition.isNull(row, column)) partition.valueHeap.free(partition.readRef(row, column));
  }
}

/** Gives up the heap blocks of a row, as its deletion is final. */
function releaseValues(partition: Partition, row: number): void {
  const columns = partition.layout.heapColumns;
  for (let index = 0; index < columns.length; index++) {
    const column = columns[index]!;
    if (!partition.isNull(row, column)) partition.valueHeap.release(partition.readRef(row, column));
  }
}

/** Writes one column of a new row from the batch's present row. Throws out_of_memory. */
function writeCell(partition: Partition, row: number, column: number, batch: BatchReader): void {
  const slot = row & 4095;
  if (partition.isNullable[column] !== 0) {
    const isNull = batch.isNull(column);
    setNull(partition, row, column, isNull);
    if (isNull) return;
  }
  const ref = partition.columnRefs[column]![row >>> 12]!;
  const arena = ref >>> 26;
  const base = (ref & 0x3ffffff) << 2;
  const cells = batch.words;
  const cell = batch.cellWord + column * 2;
  switch (partition.layout.kinds[column]!) {
    case 0: // one byte
      partition.i8[arena]![(base << 2) + slot] = cells[cell]!;
      return;
    case 1: // two bytes
      partition.i16[arena]![(base << 1) + slot] = cells[cell]!;
      return;
    case 2: // four bytes
      partition.i32[arena]![base + slot] = cells[cell]!;
      return;
    case 3: // two words
    case 5: {
      // double, as its words
      const words = partition.i32[arena]!;
      const index = base + (slot << 1);
      words[index] = cells[cell]!;
      words[index + 1] = cells[cell + 1]!;
      return;
    }
    case 4: // float
      partition.f32[arena]![base + slot] = batch.double(column);
      return;
    case 6: // value in the heap
      partition.i32[arena]![base + slot] = copyValue(partition, cells[cell]!);
      return;
    default: // sixteen bytes
      copyWords(partition.i32, cells[cell]!, ref + slot, 4);
  }
}

/** Sets one column of a row from a register, and records what was there. Throws out_of_memory, and then nothing changed. */
function updateColumn(
  partition: Partition,
  row: number,
  column: number,
  values: RegisterFile,
  register: number,
  undo: UndoLog,
): void {
  const kind = partition.layout.kinds[column]!;
  const slot = row & 4095;
  const isNullable = partition.isNullable[column] !== 0;
  const isNull = isNullable && values.nul[register] !== 0;
  const value = values.num[register]!;
  if (row >>> 12 < partition.frozenEnd) makeColumnOwn(partition, row, column, isNull);
  const block = kind === 6 && !isNull ? copyValue(partition, value >>> 0) : 0;
  undo.push(UNDO_COLUMN, partition, row, column, 0);
  const record = undo.words;
  const at = undo.at;
  if (isNullable) {
    if (partition.isNull(row, column)) record[at]! |= UNDO_WAS_NULL;
    setNull(partition, row, column, isNull);
  }
  const ref = partition.columnRefs[column]![row >>> 12]!;
  const arena = ref >>> 26;
  const base = (ref & 0x3ffffff) << 2;
  switch (kind) {
    case 0: // one byte
      record[at + 4] = partition.i8[arena]![(base << 2) + slot]!;
      if (!isNull) partition.i8[arena]![(base << 2) + slot] = value;
      return;
    case 1: // two bytes
      record[at + 4] = partition.i16[arena]![(base << 1) + slot]!;
      if (!isNull) partition.i16[arena]![(base << 1) + slot] = value;
      return;
    case 2: // four bytes
    case 4: // float
    case 6: {
      // value in the heap
      const words = partition.i32[arena]!;
      record[at + 4] = words[base + slot]!;
      if (isNull) return;
      if (kind === 4) partition.f32[arena]![base + slot] = value;
      else words[base + slot] = kind === 6 ? block : value;
      return;
    }
    case 3: // two words
    case 5: {
      // double
      const words = partition.i32[arena]!;
      const index = base + (slot << 1);
      record[at + 4] = words[index]!;
      record[at + 5] = words[index + 1]!;
      if (isNull) return;
      if (kind === 5) partition.f64[arena]![index >> 1] = value;
      else if (Number.isNaN(value)) {
        BIG[0] = values.big[register]!;
        words[index] = BIG_WORDS[0]!;
        words[index + 1] = BIG_WORDS[1]!;
      } else {
        words[index] = value;
        words[index + 1] = Math.floor(value / 4294967296);
      }
      return;
    }
    default: {
      // sixteen bytes
      const words = partition.i32[arena]!;
      const index = base + (slot << 2);
      for (let word = 0; word < 4; word++) record[at + 4 + word] = words[index + word]!;
      if (!isNull) copyWords(partition.i32, value >>> 0, ref + slot, 4);
    }
  }
}

/** Puts a column back to what the record at words[at …] says. */
function restoreColumn(partition: Partition, row: number, record: Int32Array, at: number): void {
  const column = record[at]! >>> 8;
  const kind = partition.layout.kinds[column]!;
  const slot = row & 4095;
  if (kind === 6 && !partition.isNull(row, column)) partition.valueHeap.free(partition.readRef(row, column));
  if (partition.isNullable[column] !== 0) setNull(partition, row, column, (record[at]! & UNDO_WAS_NULL) !== 0);
  const ref = partition.columnRefs[column]![row >>> 12]!;
  const arena = ref >>> 26;
  const base = (ref & 0x3ffffff) << 2;
  if (kind === 0) partition.i8[arena]![(base << 2) + slot] = record[at + 4]!;
  else if (kind === 1) partition.i16[arena]![(base << 1) + slot] = record[at + 4]!;
  else {
    const words = partition.i32[arena]!;
    const count = kind === 3 || kind === 5 ? 2 : kind === 7 ? 4 : 1;
    for (let word = 0; word < count; word++) words[base + slot * count + word] = record[at + 4 + word]!;
  }
}

function setNull(partition: Partition, row: number, column: number, isNull: boolean): void {
  const ref = partition.nullRefs[column]![row >>> 12]!;
  const words = partition.i32[ref >>> 26]!;
  const index = ((ref & 0x3ffffff) << 2) + ((row & 4095) >>> 5);
  const bits = words[index]!;
  const bit = 1 << (row & 31);
  // Mostly the bit is right already, and the cache line stays clean.
  if (((bits & bit) !== 0) !== isNull) words[index] = bits ^ bit;
}

/** Copies a text, json or vector into the heap; returns the block. Throws out_of_memory. */
function copyValue(partition: Partition, source: number): number {
  const units = valueUnits(partition.i32[source >>> 26]![(source & 0x3ffffff) << 2]!);
  const block = partition.valueHeap.allocate(units);
  copyWords(partition.i32, source, block, units * 4);
  return block;
}

/** Copies words from one ref to another. */
function copyWords(i32: Int32Array[], source: number, target: number, count: number): void {
  const from = i32[source >>> 26]!;
  const to = i32[target >>> 26]!;
  const first = (source & 0x3ffffff) << 2;
  const start = (target & 0x3ffffff) << 2;
  if (count >= BULK_WORDS) to.set(from.subarray(first, first + count), start);
  else for (let word = 0; word < count; word++) to[start + word] = from[first + word]!;
}

/** The error of a unique index that is not the primary key. */
function uniqueConflict(partition: Partition, ordinal: number): SqlError {
  const { schema, name } = partition.table;
  const index = partition.indexes[ordinal]!.definition.name;
  return new SqlError('key_conflict', `table '${schema}.${name}': index '${index}' has a row with that key already`);
}

/** Live rows of a partition, from its root page: for threads that have not opened it. */
export function liveRowCount(i32: Int32Array[], rootPage: number): number {
  return i32[rootPage >>> 16]![((rootPage & 0xffff) << 12) + ROOT_ROWS]!;
}
