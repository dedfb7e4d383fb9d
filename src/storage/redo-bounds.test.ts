/** Redo at its bounds: the edges of short headers, bytes that are no redo, memory that runs out in a fixed update. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SqlError } from '../base/errors.ts';
import { BIGINT, INT, TEXT } from '../types/type.ts';
import { FixedUpdate, updateFixed } from './fixed-update.ts';
import { Cases, column, index, newPartition, Rows, readValue, smallMemory, table, type Value } from './fixtures.ts';
import type { Partition } from './partition.ts';
import { encodeDelete, encodeInsert, encodeUpdate, RedoApplier } from './redo.ts';
import { RedoBuffer } from './redo-buffer.ts';
import { UndoLog } from './undo.ts';
import { checksum, verify } from './verify.ts';

function rowsOf(partition: Partition): Value[][] {
  const rows: Value[][] = [];
  for (let row = partition.nextLive(0); row >= 0; row = partition.nextLive(row + 1))
    rows.push(partition.table.columns.map((_, ordinal) => readValue(partition, row, ordinal)));
  return rows;
}

function redoBytes(redo: RedoBuffer, partition: Partition): Uint8Array {
  const start = (redo.ref() & 0x3ffffff) << 4;
  return partition.u8[redo.ref() >>> 26]!.slice(start, start + redo.byteLength());
}

for (const columnCount of [127, 128, 129, 130])
  for (const id of [0xffff, 0x10000]) {
    test(`a row of ${columnCount} columns, partition ${id}: the last columns, set and NULL`, () => {
      const memory = smallMemory();
      const undo = new UndoLog(memory);
      const rows = new Rows(memory);
      const redo = new RedoBuffer(memory);
      const applier = new RedoApplier(memory, undo);
      const definition = table(
        [...Array.from({ length: columnCount - 1 }, (_, at) => column(`c${at}`, INT)), column('k', INT, true)],
        [index(1, [columnCount - 1], { isPrimary: true })],
      );
      const partition = newPartition(memory, definition, id);
      const copy = newPartition(memory, definition, id);
      redo.begin();
      const row = partition.insertFromBatch(
        rows.batch(definition, [[...new Array<bigint>(columnCount - 1).fill(3n), 9n]]),
        0,
        undo,
      );
      encodeInsert(redo, partition, row);
      const columns = [columnCount - 2, 0, columnCount - 3];
      const registers = rows.registers([INT, INT, INT], [null, 5n, -6n]);
      updateFixed(FixedUpdate.of(partition, columns)!, partition, row, registers, 0, undo, redo);
      const all = Array.from({ length: columnCount - 1 }, (_, at) => at);
      const values = all.map((at) => (at % 3 === 0 ? null : BigInt(at)));
      updateFixed(
        FixedUpdate.of(partition, all)!,
        partition,
        row,
        rows.registers(
          all.map(() => INT),
          values,
        ),
        0,
        undo,
        redo,
      );
      undo.release(undo.mark());
      const bytes = redoBytes(redo, partition);
      assert.equal(bytes[3]! >>> 7, columnCount <= 128 && id === 0xffff ? 1 : 0, 'the header');
      assert.equal(
        applier.apply(bytes, 0, bytes.length, (found) => (found === id ? copy : undefined)),
        3,
      );
      assert.deepEqual(rowsOf(copy), rowsOf(partition));
      encodeDelete(redo, partition, row);
      const more = redoBytes(redo, partition);
      applier.apply(more, bytes.length, more.length, (found) => (found === id ? copy : undefined));
      assert.equal(copy.rowCount, 0);
      verify(copy);
    });
  }

test('a record around 64 KiB', () => {
  const memory = smallMemory();
  const undo = new UndoLog(memory);
  const rows = new Rows(memory);
  const redo = new RedoBuffer(memory);
  const applier = new RedoApplier(memory, undo);
  const definition = table([column('k', BIGINT, true), column('s', TEXT)], [index(1, [0], { isPrimary: true })]);
  for (let length = 65_536 - 40; length <= 65_540; length++) {
    const partition = newPartition(memory, definition, 7);
    const copy = newPartition(memory, definition, 7);
    redo.begin();
    const row = partition.insertFromBatch(rows.batch(definition, [[1n, 'a'.repeat(length)]]), 0, undo);
    encodeInsert(redo, partition, row);
    partition.update(row, [1], rows.registers([TEXT], ['b'.repeat(length + 3)]), 0, undo);
    encodeUpdate(redo, partition, row, [1]);
    undo.release(undo.mark());
    const bytes = redoBytes(redo, partition);
    assert.equal(
      applier.apply(bytes, 0, bytes.length, () => copy),
      2,
      `${length}`,
    );
    assert.deepEqual(rowsOf(copy), rowsOf(partition));
    partition.drop();
    copy.drop();
  }
});

test('what stands behind the end is never looked at, and every walk ends', () => {
  const cases = new Cases(5);
  const memory = smallMemory();
  const undo = new UndoLog(memory);
  const applier = new RedoApplier(memory, undo);
  const definition = table(
    [column('k', INT, true), column('s', TEXT), column('n', INT)],
    [index(1, [0], { isPrimary: true })],
  );
  const outcome = (bytes: Uint8Array, end: number, isSkipped: boolean): string => {
    const copy = newPartition(memory, definition, 7);
    let said = '';
    try {
      const count = applier.apply(bytes, 0, end, (id) => {
        said += `partition ${id}, `;
        return isSkipped ? undefined : copy;
      });
      said += String(count);
    } catch (error) {
      said += (error as Error).message;
      assert.ok(/does not fit the data/.test(said) || error instanceof SqlError, said);
    }
    undo.release(undo.mark());
    verify(copy);
    said += JSON.stringify(rowsOf(copy), (_, value) => (typeof value === 'bigint' ? String(value) : value));
    copy.drop();
    return said;
  };
  for (let round = 0; round < 6000; round++) {
    const end = cases.below(40);
    const bytes = Uint8Array.from({ length: end }, () => (cases.oneIn(2) ? cases.below(4) : cases.below(256)));
    if (end > 5 && cases.oneIn(2)) {
      bytes[0] = cases.oneIn(3) ? end : cases.below(16);
      bytes[1] = 0;
      bytes[2] = cases.below(4);
      bytes[3] = 0x80 | cases.below(5);
    }
    const zeros = new Uint8Array(end + 64);
    zeros.set(bytes);
    const ones = new Uint8Array(end + 64).fill(0x81);
    ones.set(bytes);
    const isSkipped = cases.oneIn(2);
    const expected = outcome(bytes, end, isSkipped);
    assert.equal(outcome(zeros, end, isSkipped), expected, `${bytes}`);
    assert.equal(outcome(ones, end, isSkipped), expected, `${bytes}`);
  }
});

test('memory that runs out in a fixed update changes nothing', () => {
  const memory = smallMemory();
  const undo = new UndoLog(memory);
  const rows = new Rows(memory);
  const redo = new RedoBuffer(memory);
  const definition = table(
    [column('k', INT, true), ...Array.from({ length: 40 }, (_, at) => column(`c${at}`, BIGINT))],
    [index(1, [0], { isPrimary: true })],
  );
  const partition = newPartition(memory, definition, 7);
  const columns = Array.from({ length: 40 }, (_, at) => at + 1);
  const types = columns.map(() => BIGINT);
  const row = partition.insertFromBatch(rows.batch(definition, [[1n, ...columns.map(() => 0n)]]), 0, undo);
  undo.release(undo.mark());
  const first = rowsOf(partition);
  const update = FixedUpdate.of(partition, columns)!;
  const start = undo.mark();
  redo.begin();
  let faults = 0;
  for (let round = 0; round < 2000; round++) {
    const values = columns.map((at) => (at % 3 === round % 3 ? null : BigInt(round * at)));
    const registers = rows.registers(types, values);
    const before = [undo.mark(), redo.byteLength(), redo.changeCount, checksum(partition)];
    for (let fault = 0; ; fault++) {
      memory.faultCountdown = fault;
      try {
        updateFixed(update, partition, row, registers, 0, undo, redo);
        break;
      } catch (error) {
        assert.ok(error instanceof SqlError && error.code === 'out_of_memory', String(error));
        faults++;
        assert.deepEqual([undo.mark(), redo.byteLength(), redo.changeCount, checksum(partition)], before);
      }
    }
    memory.faultCountdown = -1;
    assert.deepEqual(rowsOf(partition), [[1n, ...values]]);
  }
  assert.ok(faults > 100, `${faults}`);
  undo.rollbackTo(start);
  assert.deepEqual(rowsOf(partition), first);
  verify(partition);
});
