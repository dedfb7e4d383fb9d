/** Blocks of rows and the partition loaded from them, for tables of all types, keys of all kinds, and holes between rows. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SEGMENT_ROWS } from '../base/limits.ts';
import type { TableDefinition } from '../catalog/catalog.ts';
import { BIGINT, BOOL, DOUBLE, INT, INTERVAL, JSON_TYPE, SMALLINT, TEXT, UUID } from '../types/type.ts';
import { BlockLoader } from './bulk-load.ts';
import { Cases, column, index, newPartition, Rows, readValue, smallMemory, table, type Value } from './fixtures.ts';
import { HashIndex } from './hash.ts';
import { buildIndexes } from './index-build.ts';
import type { Partition } from './partition.ts';
import { BlockPacker } from './row-block.ts';
import { UndoLog } from './undo.ts';
import { verify } from './verify.ts';

const ALL_TYPES = table(
  [
    column('id', BIGINT, true),
    column('flag', BOOL),
    column('small', SMALLINT),
    column('number', INT),
    column('real', DOUBLE),
    column('name', TEXT),
    column('doc', JSON_TYPE),
    column('span', INTERVAL),
    column('key', UUID, true),
  ],
  [
    index(1, [0], { isPrimary: true }),
    index(2, [5]),
    index(3, [-4, 5, 0]),
    index(4, [8], { method: 'hash', isUnique: true }),
    index(5, [3, 1], { method: 'hash' }),
    index(6, [-6, -8, 2]),
    index(7, [4]),
  ],
);

function bytes16(high: number, low: number): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, high, true);
  view.setInt32(4, low, true);
  return bytes;
}

const PREFIX = 'a common beginning of 40 bytes and more ';

function randomRow(cases: Cases, id: number): Value[] {
  const orNull = (value: Value): Value => (cases.oneIn(5) ? null : value);
  const texts = [
    '',
    'a',
    'a\0',
    'abcdefgh',
    'abcdefgh\0',
    `${PREFIX}${cases.below(40)}`,
    PREFIX,
    `n${cases.below(900)}`,
  ];
  return [
    BigInt(id % 2 === 0 ? id : -id) * (cases.oneIn(50) ? 2n ** 40n : 1n),
    orNull(BigInt(cases.below(2))),
    orNull(BigInt(cases.pick([-32768, 32767, cases.below(9)]))),
    orNull(BigInt(cases.pick([-(2 ** 31), 2 ** 31 - 1, cases.below(5)]))),
    orNull(cases.pick([0, -0, 1.5, -1e300, 5e-324])),
    orNull(cases.pick(texts)),
    orNull(cases.oneIn(300) ? 'j'.repeat(cases.below(200_000)) : `j${cases.below(9)}`),
    orNull(bytes16(cases.below(3), cases.below(3) * 30)),
    bytes16(id, cases.below(2 ** 31)),
  ];
}

/** Inserts rows, then deletes every few of them. */
function fill(partition: Partition, definition: TableDefinition, rows: readonly Value[][], deleteOneIn: number): void {
  const batches = new Rows(partition.memory);
  const undo = new UndoLog(partition.memory);
  for (const row of rows) {
    assert.ok(partition.insertFromBatch(batches.batch(definition, [row]), 0, undo) >= 0);
    undo.release(undo.mark());
  }
  if (deleteOneIn === 0) return;
  for (let row = 0; row < rows.length; row++) {
    if (row % deleteOneIn === 0) partition.delete(row, undo);
    undo.release(undo.mark());
  }
}

function contents(partition: Partition): Map<Value, Value[]> {
  const rows = new Map<Value, Value[]>();
  for (let row = partition.nextLive(0); row >= 0; row = partition.nextLive(row + 1)) {
    const values = partition.table.columns.map((_, ordinal) => readValue(partition, row, ordinal));
    rows.set(values[0]!, values);
  }
  return rows;
}

/** Packs a partition into blocks, and loads them into a new one. */
function copy(source: Partition, definition: TableDefinition): { target: Partition; blockRows: number[] } {
  const read: number[] = [];
  const packer = new BlockPacker(source, (segment) => read.push(segment));
  const target = newPartition(source.memory, definition, 2);
  const loader = new BlockLoader(target);
  const blockRows: number[] = [];
  for (let count = packer.next(); count > 0; count = packer.next()) {
    blockRows.push(count);
    loader.append(packer.bytes.slice(0, packer.byteLength), count);
  }
  assert.deepEqual(
    read,
    Array.from({ length: source.segmentCount }, (_, segment) => segment),
  );
  buildIndexes(target);
  return { target, blockRows };
}

for (const [rowCount, deleteOneIn] of [
  [0, 0],
  [1, 0],
  [1, 1],
  [700, 3],
  [6000, 0],
  [9000, 4],
] as const) {
  test(`${rowCount} rows of all types, one in ${deleteOneIn} deleted, are the same when loaded`, () => {
    const cases = new Cases(rowCount + deleteOneIn);
    const source = newPartition(smallMemory(), ALL_TYPES);
    fill(
      source,
      ALL_TYPES,
      Array.from({ length: rowCount }, (_, id) => randomRow(cases, id)),
      deleteOneIn,
    );
    const { target } = copy(source, ALL_TYPES);
    verify(target);
    assert.deepEqual(contents(target), contents(source));
    assert.equal(target.rowEnd, target.rowCount);
    // It goes on as any other: changes, and their undo.
    const undo = new UndoLog(target.memory);
    const batches = new Rows(target.memory);
    for (let id = 0; id < 500; id++)
      target.insertFromBatch(batches.batch(ALL_TYPES, [randomRow(cases, 100_000 + id)]), 0, undo);
    for (let row = target.nextLive(0); row >= 0 && row < 400; row = target.nextLive(row + 1)) target.delete(row, undo);
    undo.rollbackTo(0);
    verify(target);
    assert.deepEqual(contents(target), contents(source));
  });
}

test('a block never goes over a multiple of 4,096 rows, and big values end it early', () => {
  const definition = table(
    [column('id', INT, true), column('big', TEXT)],
    [index(1, [0], { isPrimary: true, method: 'hash' })],
  );
  const source = newPartition(smallMemory(), definition);
  const rows = Array.from({ length: 5000 }, (_, id): Value[] => [
    BigInt(id),
    id % 500 === 7 ? 'x'.repeat(400_000) : 's',
  ]);
  fill(source, definition, rows, 0);
  const { target, blockRows } = copy(source, definition);
  assert.deepEqual(contents(target), contents(source));
  // Each third big text is the one that passes 1 MiB: those of rows 7, 507, 1007 …
  assert.deepEqual(blockRows, [1008, 1500, 1500, SEGMENT_ROWS - 4008, 904]);
});

test('a large hash index has its directory at once, and the same entries as by inserts', () => {
  const definition = table(
    [column('id', INT, true), column('other', BIGINT, true)],
    [
      index(1, [0], { isPrimary: true, method: 'hash' }),
      index(2, [1], { isUnique: true, method: 'hash' }),
      index(3, [1, 0], {}),
    ],
  );
  const source = newPartition(smallMemory(), definition);
  const rows = Array.from({ length: 60_000 }, (_, id): Value[] => [BigInt(id * 7), BigInt(id) * 2n ** 33n - 5n]);
  fill(source, definition, rows, 0);
  const { target } = copy(source, definition);
  verify(target);
  const hashes = (partition: Partition): Map<number, number> => {
    const found = new Map<number, number>();
    (partition.indexes[0] as HashIndex).forEach((row, hash) => {
      found.set(row, hash);
    });
    return found;
  };
  assert.deepEqual(hashes(target), hashes(source));
  const [first] = target.indexes;
  assert.ok(first instanceof HashIndex && first.pageCount() <= 65);
});

test('bytes that are no block of the table are an error, not a row', () => {
  const definition = table([column('id', INT, true), column('name', TEXT)], [index(1, [0], { isPrimary: true })]);
  const memory = smallMemory();
  const source = newPartition(memory, definition);
  fill(
    source,
    definition,
    [
      [1n, 'one'],
      [2n, 'two'],
    ],
    0,
  );
  const packer = new BlockPacker(source, () => {});
  assert.equal(packer.next(), 2);
  const block = packer.bytes.slice(0, packer.byteLength);
  const load = (bytes: Uint8Array, rowCount: number): void =>
    new BlockLoader(newPartition(memory, definition, 3)).append(bytes, rowCount);
  load(block, 2);
  assert.throws(() => load(block, 1), /more values than rows|too many/);
  assert.throws(() => load(block, 3), /value|shorter/);
  assert.throws(() => load(block.slice(0, 16), 2), /shorter/);
  assert.throws(() => load(block, 5000), /5000 rows/);
});
