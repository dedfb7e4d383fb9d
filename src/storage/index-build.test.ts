/** Indexes built by sorting against the same built by inserts: keys of every form and order, holes, little memory, clashes. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SqlError } from '../base/errors.ts';
import { PAGE_BYTES } from '../base/limits.ts';
import type { Memory } from '../base/memory.ts';
import type { IndexDefinition, TableDefinition } from '../catalog/catalog.ts';
import { BIGINT, BOOL, DOUBLE, INT, SMALLINT, TEXT, TIMESTAMP, UUID } from '../types/type.ts';
import { Cases, column, index, newPartition, Rows, smallMemory, table, type Value } from './fixtures.ts';
import { Partition } from './partition.ts';
import { UndoLog } from './undo.ts';
import { checksum, verify } from './verify.ts';

const BATCH_ROWS = 40;
const COLUMNS = [
  column('id', INT, true),
  column('i', INT, true),
  column('b', BIGINT, true),
  column('n', INT),
  column('m', BIGINT),
  column('s', TEXT),
  column('d', DOUBLE),
  column('u', UUID),
  column('at', TIMESTAMP),
  column('small', SMALLINT),
  column('is', BOOL),
];
const PRIMARY = index(1, [0], { isPrimary: true });

/** Values of a row by its number; what they are like is the point of a case. */
type MakeRow = (cases: Cases, id: number) => Value[];

const MADE: Readonly<Record<string, MakeRow>> = {
  scattered: (cases, id) => row(cases, id, cases.below(2 ** 32) - 2 ** 31, BigInt(cases.below(2 ** 32)) * 2n ** 31n),
  'close together': (cases, id) =>
    row(cases, id, 1_000_000 + cases.below(300), -5n * 10n ** 9n + BigInt(cases.below(900))),
  'around zero': (cases, id) => row(cases, id, cases.below(9) - 4, BigInt(cases.below(9000) - 4500)),
  ascending: (cases, id) => row(cases, id, id * 16 - 30_000, BigInt(id) * 2n ** 30n),
  descending: (cases, id) => row(cases, id, -id, BigInt(-id) * 64n),
  'all the same': (cases, id) => row(cases, id, 7, -(2n ** 63n)),
  extremes: (cases, id) =>
    row(cases, id, cases.pick([2 ** 31 - 1, -(2 ** 31), 0]), cases.pick([2n ** 63n - 1n, -(2n ** 63n), 0n])),
};

function row(cases: Cases, id: number, int: number, big: bigint): Value[] {
  const orNull = (value: Value): Value => (cases.oneIn(6) ? null : value);
  const bytes = new Uint8Array(16);
  for (let at = 0; at < 16; at++) bytes[at] = at < 10 ? 7 : cases.below(256);
  return [
    id,
    int,
    big,
    orNull(int),
    orNull(big),
    orNull(cases.oneIn(3) ? `common beginning of texts ${cases.below(90)}` : 'x'.repeat(cases.below(20))),
    orNull(cases.below(1000) / 7 - 70),
    orNull(bytes),
    orNull(2n ** 45n + BigInt(cases.below(5000))),
    orNull((int % 30_000) | 0),
    orNull(cases.oneIn(2)),
  ];
}

const INDEXES: readonly IndexDefinition[] = [
  index(40, [1]),
  index(40, [-2]),
  index(40, [2]),
  index(40, [-3]),
  index(40, [3]),
  index(40, [-4]),
  index(40, [4]),
  index(40, [-5]),
  index(40, [5]),
  index(40, [-7]),
  index(40, [7, 1]),
  index(40, [8]),
  index(40, [9, 10]),
  index(40, [3, -6]),
  index(40, [3, 0], { isUnique: true }),
  index(40, [1], { method: 'hash' }),
  index(40, [5, 3], { method: 'hash' }),
  index(40, [2, 0], { method: 'hash', isUnique: true }),
  index(40, [3, 0], { method: 'hash', isUnique: true }),
].map((definition, ordinal) => ({ ...definition, id: 40 + ordinal, name: `i${40 + ordinal}` }));

/** A partition with those rows, one in five of the middle third deleted; so some segments are full and one has holes. */
function filled(memory: Memory, definition: TableDefinition, make: MakeRow, rowCount: number): Partition {
  const partition = newPartition(memory, definition);
  const cases = new Cases(rowCount);
  const undo = new UndoLog(memory);
  const batches = new Rows(memory);
  for (let first = 0; first < rowCount; first += BATCH_ROWS) {
    const count = Math.min(BATCH_ROWS, rowCount - first);
    const batch = batches.batch(
      definition,
      Array.from({ length: count }, (_, offset) => make(cases, first + offset)),
    );
    for (let at = 0; at < count; at++) partition.insertFromBatch(batch, at, undo);
    undo.release(undo.mark());
  }
  for (let at = Math.floor(rowCount / 3); at < (rowCount * 2) / 3; at += 5) partition.delete(at, undo);
  undo.release(undo.mark());
  undo.dispose();
  return partition;
}

/** Entries of an index, of trees in their order. */
function entriesOf(partition: Partition, ordinal: number): string {
  return /indexes (.*)/.exec(checksum(partition))![1]!.split(' ')[ordinal]!;
}

function reopened(partition: Partition, definition: IndexDefinition): Partition {
  return Partition.open(partition.memory, table(COLUMNS, [PRIMARY, definition]), partition.definition);
}

for (const [name, make] of Object.entries(MADE)) {
  test(`keys ${name}: an index that is added has what inserts would have put there`, () => {
    const memory = smallMemory();
    const rowCount = 2 * 4096 + 77;
    const partition = filled(memory, table(COLUMNS, [PRIMARY]), make, rowCount);
    const byInserts = filled(memory, table(COLUMNS, [PRIMARY, ...INDEXES]), make, rowCount);
    for (const [ordinal, definition] of INDEXES.entries()) {
      partition.createIndex(definition);
      const face = reopened(partition, definition);
      verify(face);
      assert.equal(entriesOf(face, 1), entriesOf(byInserts, 1 + ordinal), JSON.stringify(definition));
      face.dropIndex(definition);
    }
    verify(partition);
  });
}

test('what clashes is found in every form of a unique index, and nothing is left; NULL clashes with nothing', () => {
  const memory = smallMemory();
  for (const method of ['tree', 'hash'] as const) {
    for (const key of [1, 2, 3, 4, 5, 7, 8]) {
      const definition = index(40, [key], { isUnique: true, method });
      // Distinct values; those of the last two rows are the same, or both NULL.
      const make =
        (last: 'same' | 'null'): MakeRow =>
        (_, id) => {
          const number = id >= 2998 ? 2998 : id;
          const isNull = last === 'null' && id >= 2998;
          const bytes = new Uint8Array(16);
          new DataView(bytes.buffer).setInt32(12, number);
          const values: Value[] = [
            id,
            number * 3,
            BigInt(number) << 33n,
            number,
            BigInt(number),
            `a long text ${number}`,
          ];
          values.push(number / 8, bytes, BigInt(number), null, null);
          return values.map((value, ordinal) => (isNull && ordinal >= 3 ? null : value));
        };
      const clashing = filled(memory, table(COLUMNS, [PRIMARY]), make('same'), 3000);
      memory.flushCache();
      const used = memory.usedPages();
      assert.throws(
        () => clashing.createIndex(definition),
        (error) =>
          error instanceof SqlError && error.code === 'key_conflict' && /'i40': key is not unique/.test(error.message),
        `${method} ${key}`,
      );
      memory.flushCache();
      assert.ok(memory.usedPages() <= used + 1, `${memory.usedPages() - used} pages are left`);
      clashing.drop();
      if (key < 3) continue;
      const fine = filled(memory, table(COLUMNS, [PRIMARY]), make('null'), 3000);
      fine.createIndex(definition);
      verify(reopened(fine, definition));
      fine.drop();
    }
  }
});

test('with little memory keys are sorted in slices, with less they are inserted; what is taken is given back', () => {
  const memory = smallMemory();
  const rowCount = 5 * 4096;
  const definitions = [
    index(40, [1]),
    index(40, [3]),
    index(40, [5]),
    index(40, [2, 0], { method: 'hash', isUnique: true }),
  ];
  const partition = filled(memory, table(COLUMNS, [PRIMARY]), MADE.scattered!, rowCount);
  const limitBytes = memory.limitBytes();
  for (const definition of definitions) {
    memory.flushCache();
    const used = memory.usedPages();
    partition.createIndex(definition);
    const expected = entriesOf(reopened(partition, definition), 1);
    memory.flushCache();
    const indexPages = memory.usedPages() - used;
    partition.dropIndex(definition);
    let failures = 0;
    // Pages beside those of the index; each page holds 2,048 pairs, and there are 20,480 rows.
    for (let spare = 20; failures === 0 && spare > -indexPages; spare--) {
      memory.flushCache();
      const before = memory.usedPages();
      memory.setLimitBytes((used + indexPages + spare) * PAGE_BYTES);
      try {
        partition.createIndex(definition);
        const face = reopened(partition, definition);
        assert.equal(entriesOf(face, 1), expected);
        verify(face);
        partition.dropIndex(definition);
      } catch (error) {
        assert.ok(error instanceof SqlError && error.code === 'out_of_memory');
        failures++;
      }
      memory.setLimitBytes(limitBytes);
      memory.flushCache();
      assert.ok(memory.usedPages() <= before + 1, 'nothing is left');
    }
    assert.equal(failures, 1);
  }
  verify(partition);
});
