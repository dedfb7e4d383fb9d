/**
 * Requests that fail at some row, on some node, after others have done their part: the table, its indexes and its counts
 * are afterwards what they were before, seen through a scan, through every index and through the counters.
 */

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { open } from '../../src/embed/index.ts';
import { Random } from './random.ts';

const ROW_COUNT = 400;
const SEED = Number(process.env.AMELIE_GENERATED_SEED ?? 1);

const db = await open({ backends: 4 });
after(() => db.close());

async function result(sql: string): Promise<unknown[]> {
  const { status, body } = await db.execute(sql);
  assert.ok(status < 300, `${sql}: ${body}`);
  return body === '' ? [] : (JSON.parse(body) as unknown[]);
}

async function failure(sql: string, code: string): Promise<void> {
  const { status, body } = await db.execute(sql);
  assert.equal(status, 400, `seed ${SEED}: no error: ${sql.slice(0, 500)}`);
  assert.equal((JSON.parse(body) as { code: string }).code, code, `seed ${SEED}: ${body}`);
}

/** All that can be seen of the table: each list by another path. */
async function snapshot(): Promise<unknown> {
  return {
    count: await result('select count(*) from t'),
    scan: await result('select * from t order by id'),
    key: await result('select id from t order by id limit 100000'),
    tree: await result('select k, id from t use index (by_k) order by k, id'),
    treeRange: await result('select id, k from t where k >= -1000000 order by id'),
    treeBackwards: await result('select k from t order by k desc limit 100000'),
    text: await result("select id, s from t where s >= '' order by id"),
    hash: await result('select k2, count(*), sum(id) from t group by k2 order by k2'),
    hashLookups: await Promise.all(
      Array.from({ length: 20 }, (_, value) =>
        result(`select id from t use index (by_k2) where k2 = ${value} order by id`),
      ),
    ),
  };
}

async function fill(): Promise<void> {
  await db.execute('drop table if exists t');
  await result('create table t (id int primary key, k int, k2 int, s text, n int not null) partitions 16');
  await result('create index by_k on t (k)');
  await result("create index by_k2 on t (k2) with (type = 'hash')");
  await result('create index by_s on t (s, k desc)');
  const rows = Array.from(
    { length: ROW_COUNT },
    (_, id) => `(${id * 2}, ${id % 37}, ${id % 20}, 'text number ${id % 50}', ${id})`,
  );
  await result(`insert into t values ${rows.join(', ')}`);
}

/** New rows with odd ids, and one at `at` whose key is there already. */
function clashingRows(random: Random, rowCount: number, at: number): string {
  const rows = Array.from({ length: rowCount }, (_, row) => {
    const id = row === at ? random.below(ROW_COUNT) * 2 : row * 2 + 1;
    return `(${id}, ${random.below(40)}, ${random.below(20)}, 'new text that is longer than a cell ${row}', ${row})`;
  });
  return rows.join(', ');
}

test('an INSERT that clashes at any row leaves nothing behind', async () => {
  const random = new Random(SEED);
  await fill();
  const before = await snapshot();
  for (const rowCount of [2, 3, 17, 600])
    for (const at of new Set([0, 1, rowCount - 1, random.below(rowCount), random.below(rowCount)])) {
      await failure(`insert into t values ${clashingRows(random, rowCount, at)}`, 'key_conflict');
      assert.deepEqual(await snapshot(), before, `seed ${SEED}: ${rowCount} rows, clash at ${at}`);
    }
});

test('the error names the first row that clashes in the order written, wherever its node is', async () => {
  const random = new Random(SEED + 1);
  await fill();
  for (let round = 0; round < 30; round++) {
    const rows = Array.from({ length: 50 }, (_, row) => ({ id: row * 2 + 1, isClash: false }));
    for (let clash = 0; clash < 3; clash++) rows[random.below(50)] = { id: random.below(ROW_COUNT) * 2, isClash: true };
    const first = rows.find((row) => row.isClash)!.id;
    const { body } = await db.execute(
      `insert into t values ${rows.map(({ id }) => `(${id}, 1, 1, 'x', 1)`).join(', ')}`,
    );
    const { msg } = JSON.parse(body) as { msg: string };
    assert.equal(msg, `table 'public.t': row with primary key (${first}) already exists`);
  }
});

test('an upsert that fails at some row leaves nothing behind', async () => {
  const random = new Random(SEED + 2);
  await fill();
  const before = await snapshot();
  for (let round = 0; round < 10; round++) {
    const bad = random.below(ROW_COUNT) * 2;
    const ids = Array.from({ length: 100 }, () => random.below(ROW_COUNT * 2)).filter((id) => id !== bad);
    ids.splice(random.below(ids.length), 0, bad);
    const rows = ids.map((id) => `(${id}, 5, 5, 'upsert', 5)`).join(', ');
    await failure(
      `insert into t values ${rows} on conflict do update set k = 99, k2 = k2 + 1, s = s || excluded.s, n = n / (t.id - ${bad})`,
      'zero_division',
    );
    assert.deepEqual(await snapshot(), before, `seed ${SEED}, round ${round}`);
  }
});

test('an UPDATE that fails at some row leaves nothing behind', async () => {
  const random = new Random(SEED + 3);
  await fill();
  const before = await snapshot();
  for (let round = 0; round < 10; round++) {
    const bad = random.below(ROW_COUNT) * 2;
    await failure(`update t set k = k + 1, s = s || 'x', n = n / (id - ${bad})`, 'zero_division');
    await failure(`update t set k2 = k2 + 1, n = nullif(id, ${bad}) where k >= 0`, 'not_null_violation');
    await failure(`update t set k = case when id = ${bad} then 3000000000 else -k end`, 'out_of_range');
    assert.deepEqual(await snapshot(), before, `seed ${SEED}, round ${round}`);
  }
});

test('a request that fails in its last statement leaves nothing of the others behind', async () => {
  const random = new Random(SEED + 4);
  await fill();
  const before = await snapshot();
  for (let round = 0; round < 10; round++) {
    const half = random.below(ROW_COUNT);
    const changes = [
      `delete from t where id < ${half}`,
      `insert into t values (${random.below(ROW_COUNT) * 2 + 1}, 1, 1, 'added', 1)`,
      `update t set k = k2, k2 = k, s = 'swapped' where id >= ${half}`,
      `insert into t values (${half - (half % 2)}, 3, 3, 'again', 3) on conflict do update set n = 0`,
      'delete from t where k2 < 10',
    ].filter(() => !random.oneIn(4));
    for (const [last, code] of [
      ["insert into t values (1000001, 1, 1, 'a', 1), (1000001, 1, 1, 'b', 1)", 'key_conflict'],
      ['select 1 / count(*) from t where id = -1', 'zero_division'],
      ["insert into t values (-1, 1, 1, 'a', 0) returning 1 / n", 'zero_division'],
      ["select error('no')", 'raised'],
    ] as const) {
      await failure([...changes, last].join('; '), code);
      assert.deepEqual(await snapshot(), before, `seed ${SEED}, round ${round}: ${[...changes, last].join('; ')}`);
    }
  }
});

test('after many failures the table still takes all rows', async () => {
  const random = new Random(SEED + 5);
  await fill();
  for (let round = 0; round < 50; round++)
    await failure(`insert into t values ${clashingRows(random, 200, 150 + random.below(50))}`, 'key_conflict');
  const rows = Array.from({ length: ROW_COUNT }, (_, row) => `(${row * 2 + 1}, 500, 7, 'odd', ${row})`);
  await result(`insert into t values ${rows.join(', ')}`);
  assert.deepEqual(await result('select count(*), min(id), max(id) from t'), [[2 * ROW_COUNT, 0, 2 * ROW_COUNT - 1]]);
  assert.deepEqual(await result('select count(*) from t where k = 500'), [ROW_COUNT]);
  assert.deepEqual(await result('select count(*) from t where k2 = 7'), [ROW_COUNT + ROW_COUNT / 20]);
});
