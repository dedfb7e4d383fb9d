import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SqlError } from '../base/errors.ts';
import type { TableDefinition } from '../catalog/catalog.ts';
import {
  BIGINT,
  BOOL,
  DATE,
  DOUBLE,
  FLOAT,
  INT,
  INTERVAL,
  JSON_TYPE,
  SMALLINT,
  TEXT,
  TIMESTAMP,
  TINYINT,
  UUID,
  VECTOR,
} from '../types/type.ts'; // prettier-ignore
import { Cases, column, index, newPartition, Rows, readValue, smallMemory, table, type Value } from './fixtures.ts';
import type { Partition } from './partition.ts';
import { encodeDelete, encodeInsert, encodeUpdate, RedoApplier } from './redo.ts';
import { RedoBuffer } from './redo-buffer.ts';
import { UndoLog } from './undo.ts';
import { verify } from './verify.ts';

const ALL: TableDefinition = table(
  [
    column('id', BIGINT, true),
    column('name', TEXT, true),
    column('b', BOOL),
    column('y', TINYINT),
    column('h', SMALLINT),
    column('i', INT),
    column('big', BIGINT),
    column('f', FLOAT),
    column('x', DOUBLE),
    column('s', TEXT),
    column('j', JSON_TYPE),
    column('ts', TIMESTAMP),
    column('iv', INTERVAL),
    column('d', DATE),
    column('v', VECTOR),
    column('u', UUID),
  ],
  [index(1, [1, 0], { isPrimary: true }), index(2, [5])],
); // prettier-ignore

const WIDE = new Uint8Array(16).map((_, at) => 250 - at * 9);

const EDGES: readonly Value[] = [
  -(2n ** 63n),
  'naïve\0',
  1n,
  -128n,
  -32768n,
  -(2n ** 31n),
  2n ** 63n - 1n,
  1.5,
  Number.MIN_VALUE,
  'x'.repeat(40_000),
  '{}',
  -(2n ** 53n) - 1n,
  WIDE,
  2n ** 31n - 1n,
  'vvvv',
  WIDE,
]; // prettier-ignore
const NULLS: readonly Value[] = [1n, '', ...new Array<null>(14).fill(null)];
const PLAIN: readonly Value[] = [
  2n,
  'b',
  0n,
  127n,
  32767n,
  5n,
  2n ** 53n,
  -2.25,
  -1e300,
  '',
  '[1]',
  0n,
  WIDE,
  0n,
  '',
  WIDE,
]; // prettier-ignore

/** Rows by their key, so that row ids do not matter. */
function contents(partition: Partition): Map<string, Value[]> {
  const rows = new Map<string, Value[]>();
  for (let row = partition.nextLive(0); row >= 0; row = partition.nextLive(row + 1)) {
    const values = partition.table.columns.map((_, ordinal) => readValue(partition, row, ordinal));
    rows.set(`${values[0]} ${values[1]}`, values);
  }
  return new Map([...rows].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function redoBytes(redo: RedoBuffer, partition: Partition): Uint8Array {
  const ref = redo.ref();
  const start = (ref & 0x3ffffff) << 4;
  return partition.u8[ref >>> 26]!.slice(start, start + redo.byteLength());
}

/** A partition id of a short header, and one of a long one. */
const IDS: readonly number[] = [41, 0x10029];

function subject(id: number = 41) {
  const memory = smallMemory();
  const undo = new UndoLog(memory);
  return {
    memory,
    undo,
    rows: new Rows(memory),
    redo: new RedoBuffer(memory),
    partition: newPartition(memory, ALL, id),
    copy: newPartition(memory, ALL, id),
    applier: new RedoApplier(memory, undo),
  };
}

for (const id of IDS) {
  test(`changes applied to another partition give the same rows, id ${id}`, () => {
    const { undo, rows, redo, partition, copy, applier } = subject(id);
    redo.begin();
    const batch = rows.batch(ALL, [EDGES, NULLS, PLAIN]);
    const stored = [0, 1, 2].map((ordinal) => partition.insertFromBatch(batch, ordinal, undo));
    for (const row of stored) encodeInsert(redo, partition, row);
    const columns = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
    const types = columns.map((ordinal) => ALL.columns[ordinal]!.type);
    partition.update(stored[1]!, columns, rows.registers(types, EDGES.slice(2)), 0, undo);
    encodeUpdate(redo, partition, stored[1]!, columns);
    partition.update(stored[0]!, columns, rows.registers(types, NULLS.slice(2)), 0, undo);
    encodeUpdate(redo, partition, stored[0]!, columns);
    encodeDelete(redo, partition, stored[2]!);
    partition.delete(stored[2]!, undo);
    assert.equal(redo.changeCount, 6);
    undo.release(undo.mark());
    const bytes = redoBytes(redo, partition);
    applier.apply(bytes, 0, bytes.length, (found) => (found === id ? copy : undefined));
    assert.deepEqual(contents(copy), contents(partition));
    assert.equal(contents(copy).size, 2);
    verify(copy);
  });
}

test('a change of more bytes, or columns, than a short header can say', () => {
  const wide = table(
    [column('id', INT, true), ...Array.from({ length: 200 }, (_, ordinal) => column(`c${ordinal}`, INT))],
    [index(1, [0], { isPrimary: true })],
  );
  const long = table([column('id', INT, true), column('s', TEXT)], [index(1, [0], { isPrimary: true })]);
  const { memory, undo, rows, redo, applier } = subject();
  const cases = [
    {
      definition: wide,
      row: [1n, ...new Array<null>(200).fill(null)],
      columns: [180, 200],
      types: [INT, INT],
      values: [5n, null],
    },
    { definition: long, row: [1n, 'a'.repeat(65_537)], columns: [1], types: [TEXT], values: ['b'.repeat(70_000)] },
  ] as const;
  for (const { definition, row, columns, types, values } of cases) {
    const partition = newPartition(memory, definition, 7);
    const copy = newPartition(memory, definition, 7);
    redo.begin();
    const stored = partition.insertFromBatch(rows.batch(definition, [row]), 0, undo);
    encodeInsert(redo, partition, stored);
    partition.update(stored, columns, rows.registers(types, values), 0, undo);
    encodeUpdate(redo, partition, stored, columns);
    undo.release(undo.mark());
    const bytes = redoBytes(redo, partition);
    assert.equal(
      applier.apply(bytes, 0, bytes.length, () => copy),
      2,
    );
    assert.deepEqual(contents(copy), contents(partition));
  }
});

test('records of a partition that is gone are skipped', () => {
  const { undo, rows, redo, partition, copy, applier } = subject();
  redo.begin();
  encodeInsert(redo, partition, partition.insertFromBatch(rows.batch(ALL, [PLAIN]), 0, undo));
  const bytes = redoBytes(redo, partition);
  applier.apply(bytes, 0, bytes.length, () => undefined);
  assert.equal(copy.rowCount, 0);
});

for (const id of IDS) {
  test(`bytes that are no redo are an error, never a wrong read, id ${id}`, () => {
    const { undo, rows, redo, partition, copy, applier } = subject(id);
    redo.begin();
    encodeInsert(redo, partition, partition.insertFromBatch(rows.batch(ALL, [PLAIN]), 0, undo));
    const bytes = redoBytes(redo, partition);
    const isRefused = (error: unknown) => error instanceof Error && /does not fit the data/.test(error.message);
    for (let length = 1; length < bytes.length; length++) {
      assert.throws(() => applier.apply(bytes, 0, length, () => copy), isRefused);
    }
    const isOrderly = (error: unknown) => isRefused(error) || error instanceof SqlError;
    for (let at = 0; at < bytes.length; at++) {
      const damaged = bytes.slice();
      damaged[at] = damaged[at]! ^ 0x55;
      try {
        applier.apply(damaged, 0, damaged.length, () => copy);
      } catch (error) {
        assert.ok(isOrderly(error), String(error));
      }
      undo.release(undo.mark());
      verify(copy);
      copy.truncate();
    }
  });
}

test('recovery keeps the identity counter above every value', () => {
  const memory = smallMemory();
  const counterPage = memory.allocateZeroed(1);
  const identity = { ...column('id', BIGINT, true), isIdentity: true };
  const definition = {
    ...table([identity, column('name', TEXT, true)], [index(1, [0], { isPrimary: true })]),
    identityRef: counterPage * 1024,
  };
  const partition = newPartition(memory, definition, 1);
  const copy = newPartition(memory, definition, 1);
  const undo = new UndoLog(memory);
  const rows = new Rows(memory);
  const redo = new RedoBuffer(memory);
  const applier = new RedoApplier(memory, undo);
  const counter = memory.big[counterPage >>> 16]!;
  const at = (counterPage & 0xffff) << 11;
  for (const [value, next] of [
    [5n, 6n],
    [3n, 6n],
    [2n ** 53n + 1n, 2n ** 53n + 2n],
    [-9n, 2n ** 53n + 2n],
    [2n ** 63n - 1n, -(2n ** 63n)],
    [7n, -(2n ** 63n)],
  ] as const) {
    redo.begin();
    encodeInsert(redo, partition, partition.insertFromBatch(rows.batch(definition, [[value, 'x']]), 0, undo));
    const bytes = redoBytes(redo, partition);
    applier.apply(bytes, 0, bytes.length, () => copy);
    assert.equal(counter[at], next);
  }
});

test('redo of parts is contiguous, and is dropped or released in order', () => {
  const memory = smallMemory();
  const redo = new RedoBuffer(memory);
  const cases = new Cases(5);
  let parts: { before: number; after: number; ref: number; bytes: number; tag: number }[] = [];
  const isIntact = (part: { ref: number; bytes: number; tag: number }): boolean => {
    const start = (part.ref & 0x3ffffff) << 4;
    return memory.u8[part.ref >>> 26]!.subarray(start, start + part.bytes).every((byte) => byte === part.tag);
  };
  for (let step = 0; step < 5000; step++) {
    const before = redo.mark();
    const tag = 1 + (step % 250);
    redo.begin();
    for (let count = cases.below(5); count > 0; count--) {
      const bytes = cases.below(cases.pick([50, 3000, 100_000, 400_000]));
      redo.ensure(bytes);
      redo.bytes.fill(tag, redo.at, redo.at + bytes);
      redo.at += bytes;
    }
    const part = { before, after: redo.mark(), ref: redo.ref(), bytes: redo.byteLength(), tag };
    assert.equal(part.bytes === 0, part.ref === 0);
    if (part.bytes > 0) parts.push(part);
    if (cases.oneIn(4) && parts.length > 0) {
      const at = cases.below(parts.length);
      redo.rollbackTo(parts[at]!.before);
      parts = parts.slice(0, at);
    }
    if (cases.oneIn(3) && parts.length > 0) {
      const at = cases.below(parts.length);
      redo.release(parts[at]!.after);
      parts = parts.slice(at + 1);
    }
    if (step % 16 === 0) assert.ok(parts.every(isIntact));
    assert.ok(memory.usedPages() < 64 * (parts.length + 4));
  }
  redo.dispose();
  assert.equal(memory.usedPages(), 0);
});
