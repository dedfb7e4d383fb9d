import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SqlError } from '../../base/errors.ts';
import type { Catalog, TableDefinition } from '../../catalog/catalog.ts';
import { touchedRuns } from '../../storage/copy-on-write.ts';
import { column, index, Rows, smallMemory, table } from '../../storage/fixtures.ts';
import { Partition } from '../../storage/partition.ts';
import { SnapshotReader, snapshotPageOf } from '../../storage/snapshot.ts';
import { UndoLog } from '../../storage/undo.ts';
import { verify } from '../../storage/verify.ts';
import { BIGINT, TEXT } from '../../types/type.ts';
import { OwnPartitions } from './node-storage.ts';

const PARTITIONS = 4;
const ROWS = 300;

/** A table of four partitions, of which node 0 owns three. */
function subject() {
  const memory = smallMemory();
  const plain = table(
    [column('id', BIGINT, true), column('s', TEXT, true)],
    [index(1, [0], { isPrimary: true, method: 'hash' })],
  );
  const partitions = Array.from({ length: PARTITIONS }, (_, ordinal) => ({
    id: 10 + ordinal,
    node: ordinal === 3 ? 1 : 0,
    slotFirst: 0,
    slotEnd: 8096,
    rootPage: Partition.create(memory, plain),
  }));
  const definition: TableDefinition = { ...plain, partitions };
  const catalog = { version: 1, tables: [definition] } as unknown as Catalog;
  const storage = new OwnPartitions(memory, 0);
  storage.load(catalog);
  const undo = new UndoLog(memory);
  const rows = new Rows(memory);
  for (const partition of storage.partitionsOf(definition.id)) {
    for (let id = 0; id < ROWS; id++) partition.insertFromBatch(rows.batch(definition, [[id, `text ${id}`]]), 0, undo);
  }
  undo.release(undo.mark());
  return { memory, definition, catalog, storage, undo, rows };
}

type Subject = ReturnType<typeof subject>;

function readers({ memory, definition }: Subject): SnapshotReader[] {
  return definition.partitions
    .map(({ rootPage }) => snapshotPageOf(memory, rootPage))
    .filter((page) => page !== 0)
    .map((page) => new SnapshotReader(memory, definition, page));
}

function rewrite({ storage, definition, undo, rows }: Subject): void {
  for (const partition of storage.partitionsOf(definition.id)) {
    for (let row = 0; row < ROWS; row++)
      partition.update(row, [1], rows.registers([TEXT], [`changed ${row}`]), 0, undo);
  }
  undo.release(undo.mark());
}

test('a node freezes what it owns, and takes it down step by step as readers finish', () => {
  const all = subject();
  const { memory, definition, catalog, storage } = all;
  assert.equal(storage.thaw(), false);
  memory.flushCache();
  const before = memory.usedPages();
  storage.takeRuns(touchedRuns(memory, [definition], 8 * 16384));
  storage.freeze(42);
  const found = readers(all);
  assert.deepEqual(
    found.map(({ partitionId, lsn, rowCount }) => [partitionId, lsn, rowCount]),
    [10, 11, 12].map((id) => [id, 42, ROWS]),
  );
  rewrite(all);
  assert.equal(storage.thawAll(), false);
  // Another version of the catalog, in which the table is opened again.
  storage.load({ ...catalog, version: 2, tables: [{ ...definition, name: 'other' }] } as unknown as Catalog);
  rewrite(all);
  for (const reader of found) {
    reader.finish();
    while (storage.thawAll());
  }
  assert.deepEqual(readers(all), []);
  for (const partition of storage.partitionsOf(definition.id)) {
    assert.equal(partition.frozenEnd, 0);
    assert.equal(partition.valueHeap.heldCount(), 0);
    verify(partition);
  }
  all.undo.dispose();
  memory.flushCache();
  assert.ok(memory.usedPages() <= before + PARTITIONS, 'the reserve and all copies are given back');
  // And again.
  storage.freeze(43);
  for (const reader of readers(all)) reader.finish();
  while (storage.thawAll());
  assert.equal(storage.thaw(), false);
});

test('a freeze that finds no memory in the middle is taken back by finishing what there is', () => {
  const all = subject();
  const { memory, storage } = all;
  memory.faultCountdown = 1;
  assert.throws(() => storage.freeze(42), SqlError);
  memory.faultCountdown = -1;
  const begun = readers(all);
  assert.equal(begun.length, 1);
  for (const reader of begun) reader.finish();
  rewrite(all);
  while (storage.thawAll());
  storage.freeze(43);
  assert.equal(readers(all).length, 3);
  for (const reader of readers(all)) reader.finish();
});

test('the reserve of a node without partitions does not stay', () => {
  const memory = smallMemory();
  const { definition } = subject();
  const storage = new OwnPartitions(memory, 5);
  memory.flushCache();
  const before = memory.usedPages();
  storage.takeRuns(touchedRuns(memory, [definition], 8 * 16384));
  storage.freeze(1);
  memory.flushCache();
  assert.equal(memory.usedPages(), before);
});
