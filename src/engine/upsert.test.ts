/**
 * Upserts in batches, whose rows are looked for ahead of their turn where the key is a hash: against a map, over keys of
 * every form, with keys that are there, new, given twice, deleted in between, and more rows than are looked for ahead.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Partition } from '../storage/partition.ts';
import { FileDatabase } from '../testing/file-database.ts';
import { SeededRandom } from '../testing/random.ts';
import { SimulatedFiles } from '../testing/simulated-files.ts';

const SEED = Number(process.env.SEED ?? (process.env.CI ? 20261122 : Date.now() % 1_000_000_000));
const KEY_COUNT = 900;
const ROUNDS = 25;

type KeyForm = { readonly type: string; readonly text: (key: number) => string };
const FORMS: readonly KeyForm[] = [
  { type: 'int', text: (key) => String(key - 450) },
  { type: 'bigint', text: (key) => String(BigInt(key - 450) * 1_000_000_000_000_000n) },
  { type: 'text', text: (key) => `'key ${key} ${'x'.repeat(key % 9)}'` },
  { type: 'date', text: (key) => `date '2026-01-01' + ${key}` },
];

for (const form of FORMS) {
  for (const nodeCount of [1, 3]) {
    test(`upserts of batches by a hashed ${form.type}, ${nodeCount} backends, seed ${SEED}`, async () => {
      const random = new SeededRandom(SEED);
      const db = new FileDatabase(new SimulatedFiles(), {}, nodeCount);
      await db.run(`create table t (id ${form.type} primary key, n int, v int, s text) with (type = 'hash')`);
      /** By key number: [upserts, sum of the values]. */
      const model = new Map<number, [number, number]>();
      for (let round = 0; round < ROUNDS; round++) {
        const rowCount = [1, 15, 16, 200, 2500][random.below(5)]!;
        const rows: string[] = [];
        for (let row = 0; row < rowCount; row++) {
          const key = random.below(KEY_COUNT);
          const value = random.below(1000);
          rows.push(`(${form.text(key)}, 1, ${value}, '${'s'.repeat(value % 40)}')`);
          const before = model.get(key) ?? [0, 0];
          model.set(key, [before[0] + 1, before[1] + value]);
        }
        await db.run(
          `insert into t values ${rows.join(', ')} on conflict do update set n = n + excluded.n, v = v + excluded.v, s = excluded.s`,
        );
        const gone = random.below(KEY_COUNT);
        if (random.oneIn(3)) {
          await db.run(`delete from t where id = ${form.text(gone)}`);
          model.delete(gone);
        }
        if (random.oneIn(5)) {
          // The last row has a key that is there, or that the row before it has brought: all of it is undone.
          const clash = [...model.keys()][0] ?? 0;
          const first = Array.from({ length: 100 }, (_, index) => `(${form.text(2000 + index)}, 1, 0, '')`);
          await db.fails(
            `insert into t values ${first.join(', ')}, (${form.text(clash)}, 1, 0, ''), (${form.text(2000)}, 1, 0, '')`,
            'key_conflict',
          );
        }
        assert.equal(await db.run('select count(*) from t'), `[${model.size}]`);
      }
      for (const [key, [count, sum]] of model)
        assert.equal(await db.run(`select n, v from t where id = ${form.text(key)}`), `[[${count}, ${sum}]]`);
      db.verify();
    });
  }
}

test('of two keys with one hash, each keeps its own row', async () => {
  const db = new FileDatabase(new SimulatedFiles(), {}, 1);
  const create = (name: string): Promise<string> =>
    db.run(`create table ${name} (id bigint primary key random, n int default 0) partitions 1 with (type = 'hash')`);
  // Of 400,000 random keys, 19 pairs are expected to share a hash of 32 bits.
  await create('all_keys');
  await db.run('insert into all_keys generate 400000');
  const { memory, publisher } = db.engine.database;
  const table = publisher.catalog.tables.find(({ name }) => name === 'all_keys')!;
  const partition = Partition.open(memory, table, table.partitions[0]!);
  const byHash = new Map<number, number>();
  const pairs: [bigint, bigint][] = [];
  const keyOf = (row: number): bigint =>
    (BigInt(partition.readInt64High(row, 0)) << 32n) | BigInt(partition.readInt64Low(row, 0) >>> 0);
  partition.hashedKey()!.forEach((row, hash) => {
    const other = byHash.get(hash);
    if (other === undefined) byHash.set(hash, row);
    else pairs.push([keyOf(other), keyOf(row)]);
  });
  assert.ok(pairs.length > 0, 'there are keys that share a hash');
  await create('t');
  await db.run(`insert into t (id) values ${pairs.map(([first]) => `(${first})`).join(', ')}`);
  const rows = [...pairs.flat(), ...Array.from({ length: 20 }, (_, index) => 1_000_000 + index)];
  await db.run(
    `insert into t (id) values ${rows.map((id) => `(${id})`).join(', ')} on conflict do update set n = n + 1`,
  );
  for (const [first, second] of pairs)
    assert.equal(await db.run(`select n from t where id in (${first}, ${second}) order by n`), '[0, 1]');
  assert.equal(await db.run('select count(*), sum(n) from t'), `[[${rows.length}, ${pairs.length}]]`);
  db.verify();
});
