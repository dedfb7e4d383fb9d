/**
 * Family 4: writes and batches. Every change is in the undo log; of tables that are logged it is in the redo buffer too,
 * written after the change, so that a change without redo is undone with it when redo finds no memory.
 */

import { SqlError } from '../../base/errors.ts';
import { tableName } from '../../catalog/catalog.ts';
import type { BatchReader } from '../../program/batch.ts';
import { updateFixed } from '../../storage/fixed-update.ts';
import type { Partition } from '../../storage/partition.ts';
import { encodeDelete, encodeInsert, encodeUpdate } from '../../storage/redo.ts';
import type { RedoBuffer } from '../../storage/redo-buffer.ts';
import { writeDate } from '../../types/date.ts';
import { bigOfWords, numberOfWords } from '../../types/int64.ts';
import { writeInt } from '../../types/number-text.ts';
import { writeTimestamp } from '../../types/timestamp.ts';
import { writeUuid } from '../../types/uuid.ts';
import { copyRun, textOf } from '../core/bytes.ts';
import { unknownOpcode } from '../core/interpreter.ts';
import { type BatchCursor, READ_AHEAD_ROWS_MIN } from './batch-cursor.ts';
import type { Cursor } from './cursor.ts';
import type { NodeVm } from './node-vm.ts';

export function runWrites(vm: NodeVm, op: number, a: number, b: number, c: number, pc: number): number {
  switch (op) {
    case 256: {
      // batch_open
      const batch = vm.batch(a);
      batch.open(vm.parameterWordOf(b) >>> 0, vm.storage);
      if (batch.reader.rowCount >= READ_AHEAD_ROWS_MIN) batch.readAhead();
      return nextRow(vm, batch) ? pc : c;
    }
    case 257: // batch_next
      return nextRow(vm, vm.batch(a)) ? b : pc;
    case 258: // insert_all
      insertAll(vm, vm.batch(a));
      return pc;
    case 259: {
      // insert
      const batch = vm.batch(a);
      const cursor = vm.cursor(b);
      const row = insertRow(vm, batch);
      cursor.partition = batch.partition;
      cursor.row = row < 0 ? ~row : row;
      return row < 0 ? c : pc;
    }
    case 260: // key_conflict
      throw keyConflict(vm, vm.batch(a));
    case 261: // batch_col
      loadCell(vm, a, vm.batch(b), c);
      return pc;
    case 262: // update
      updateRow(vm, vm.cursor(a), b, c);
      return pc;
    case 263: {
      // delete
      const { partition, row } = vm.cursor(a);
      deleteRow(vm, partition, row);
      return pc;
    }
    case 264: // batch_ordinal
      vm.num[a] = vm.batch(b).row;
      return pc;
    case 265: // statement
      vm.statement = a;
      vm.batchRow = 0;
      return pc;
    case 266: // move_row
      vm.movedRows.add(vm, vm.cursor(a), vm.program.program.updates[b], c);
      return pc;
    case 267: {
      // moved_open
      const batch = vm.batch(a);
      if (!batch.openMoved(vm.part.firstMoved, b, vm.storage)) return c;
      vm.batchRow = batch.row + 1;
      return pc;
    }
    default:
      throw unknownOpcode(op);
  }
}

export function deleteRow(vm: NodeVm, partition: Partition, row: number): void {
  partition.delete(row, vm.part.undo);
  const redo = loggedBy(vm, partition);
  if (redo !== null) encodeDelete(redo, partition, row);
}

/** Where the change of a row is logged; null where it is not. */
function loggedBy(vm: NodeVm, partition: Partition): RedoBuffer | null {
  if (!partition.table.isUnlogged) return vm.part.redo;
  vm.part.hasUnloggedChanges = true;
  return null;
}

/** To the batch's next row of this node. Behind the last one, errors are of no row. */
function nextRow(vm: NodeVm, batch: BatchCursor): boolean {
  const hasRow = batch.next();
  vm.batchRow = hasRow ? batch.row + 1 : 0;
  return hasRow;
}

/** Inserts the row that the batch stands on; its row in the partition, or ~row of the one with its key. */
function insertRow(vm: NodeVm, batch: BatchCursor): number {
  const { partition } = batch;
  const known = batch.knownRow();
  if (known >= 0) return ~known;
  const row = partition.insertFromBatch(batch.reader, batch.row, vm.part.undo);
  if (row < 0) return row;
  const redo = loggedBy(vm, partition);
  if (redo !== null) encodeInsert(redo, partition, row);
  return row;
}

/** The batch stands on the first row of this node (batch_open), or behind the last. */
function insertAll(vm: NodeVm, batch: BatchCursor): void {
  if (vm.batchRow === 0) return;
  do {
    if (insertRow(vm, batch) < 0) throw keyConflict(vm, batch);
    vm.countRows(1);
  } while (nextRow(vm, batch));
}

/** `table 'public.t': row with primary key (1, abc) already exists` */
function keyConflict(vm: NodeVm, batch: BatchCursor): SqlError {
  const { table } = batch.partition;
  const key = table.indexes[0]!.keys.map(({ column }) =>
    cellText(vm, batch.reader, column, table.columns[column].type),
  );
  return new SqlError(
    'key_conflict',
    `table '${tableName(table)}': row with primary key (${key.join(', ')}) already exists`,
  );
}

/** A key cell as a result would show it, without quotes. */
function cellText(vm: NodeVm, reader: BatchReader, column: number, type: number): string {
  if (type === 8) return textOf(vm.memory, reader.ref(column)); // text
  const low = reader.low(column);
  const high = reader.high(column);
  const value = numberOfWords(low, high);
  const big = Number.isNaN(value) ? bigOfWords(low, high) : 0n;
  vm.text.length = 0;
  if (type === 14) {
    // uuid
    const ref = reader.ref(column);
    writeUuid(vm.text, vm.memory.u8[ref >>> 26], (ref & 0x3ffffff) << 4);
  } else if (type === 10)
    writeTimestamp(vm.text, value, big, vm.timeZone); // timestamp
  else if (type === 12)
    writeDate(vm.text, value); // date
  else writeInt(vm.text, value, big);
  return new TextDecoder().decode(vm.text.view());
}

/** excluded.column: the value of the batch row in its register form, with nul. */
function loadCell(vm: NodeVm, register: number, batch: BatchCursor, column: number): void {
  const { reader } = batch;
  if (reader.isNull(column)) {
    vm.nul[register] = 1;
    return;
  }
  vm.nul[register] = 0;
  switch (batch.partition.table.columns[column].type as number) {
    case 6: // float
    case 7: // double
      vm.num[register] = reader.double(column);
      return;
    case 8: // text
    case 9: // json
    case 11: // interval
    case 13: // vector
    case 14: // uuid
      vm.num[register] = reader.ref(column);
      return;
    default: {
      const low = reader.low(column);
      const high = reader.high(column);
      const value = numberOfWords(low, high);
      vm.num[register] = value;
      if (Number.isNaN(value)) vm.big[register] = bigOfWords(low, high);
    }
  }
}

function updateRow(vm: NodeVm, cursor: Cursor, ordinal: number, first: number): void {
  const { partition, row } = cursor;
  const { columns } = vm.program.program.updates[ordinal];
  for (let i = 0; i < columns.length; i++) {
    if (vm.nul[first + i] !== 0 && partition.isNullable[columns[i]] === 0) throw notNull(partition, columns[i]);
  }
  const redo = loggedBy(vm, partition);
  const fixed = vm.fixedUpdate(ordinal, partition);
  if (fixed !== null && redo !== null && row >>> 12 >= partition.frozenEnd) {
    updateFixed(fixed, partition, row, vm, first, vm.part.undo, redo);
    return;
  }
  let wideCount = 0;
  for (let i = 0; i < columns.length; i++) if (partition.layout.kinds[columns[i]] === WIDE_STORAGE) wideCount++;
  if (wideCount > 1) updateCopies(vm, partition, row, columns, first);
  else partition.update(row, columns, vm, first, vm.part.undo);
  if (redo !== null) encodeUpdate(redo, partition, row, columns);
}

/** Storage kind of values of sixteen bytes in place. */
const WIDE_STORAGE = 7;

/** A register may refer to such a value in the row itself: where several are set, none may read what another has written. */
function updateCopies(vm: NodeVm, partition: Partition, row: number, columns: readonly number[], first: number): void {
  const mark = vm.scratch.mark();
  for (let i = 0; i < columns.length; i++) {
    if (partition.layout.kinds[columns[i]] !== WIDE_STORAGE || vm.nul[first + i] !== 0) continue;
    const copy = vm.scratch.allocate(16);
    copyRun(vm.memory, vm.num[first + i], copy, 16);
    vm.num[first + i] = copy;
  }
  partition.update(row, columns, vm, first, vm.part.undo);
  vm.scratch.release(mark);
}

export function notNull(partition: Partition, column: number): SqlError {
  const name = partition.table.columns[column].name;
  return new SqlError(
    'not_null_violation',
    `table '${tableName(partition.table)}', column '${name}': the column cannot be NULL`,
  );
}
