/** Updates of columns of fixed width (storage/fixed-update.ts) through SQL. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FileDatabase, nameOf, WAL } from '../testing/file-database.ts';
import { SimulatedFiles } from '../testing/simulated-files.ts';

test('a checkpoint is of one LSN while columns of fixed width are updated', async () => {
  const db = new FileDatabase(new SimulatedFiles());
  await db.run('create table account (id int primary key, v bigint, n int)');
  for (let first = 0; first < 30_000; first += 1000) {
    const rows = Array.from({ length: 1000 }, (_, n) => `(${first + n}, 100, ${n % 3 === 0 ? 'null' : n})`);
    await db.run(`insert into account values ${rows.join(', ')}`);
  }
  const frozenLsn = db.lsn;
  const before = await db.run('select * from account order by id');
  const written = db.run('checkpoint');
  let changes = 0;
  let isOver = false;
  void written.then(() => {
    isOver = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  while (!isOver) {
    const id = (changes * 3701) % 30_000;
    await db.run(`update account set v = v - 1, n = ${changes % 2 === 0 ? 'null' : changes} where id = ${id}`);
    if (changes % 50 === 7) {
      const undone = `update account set v = v - 7, n = ${changes} where id < ${id}`;
      await db.fails(`${undone}; insert into account values (${changes}, 0, 0), (-1, 0, 0)`, 'key_conflict');
    }
    if (changes++ % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await written;
  assert.ok(changes > 60);
  const alone = db.files.clone();
  for (const name of alone.list(WAL)) alone.remove(`${WAL}/${name}`);
  alone.setContents(`${WAL}/${nameOf(frozenLsn + 1)}.wal`, new Uint8Array(0));
  const old = new FileDatabase(alone);
  assert.ok((await old.run('select * from account order by id')) === before, 'the state of the LSN');
  const all = db.restarted();
  assert.ok(
    (await all.run('select * from account order by id')) === (await db.run('select * from account order by id')),
  );
});

test('several updates in one request, each of its own table and columns', async () => {
  const db = new FileDatabase(new SimulatedFiles(), {}, 2);
  await db.run('create table a (id int primary key, x int, y bigint)');
  await db.run('create table b (id bigint primary key, p double, q int not null, r int)');
  await db.run('insert into a values (1, 1, 1); insert into b values (1, 1, 1, 1)');
  const sql =
    'update a set x = x + 1 where id = 1; update a set y = null where id = 1; update b set r = null, q = 7 where id = 1; update b set p = 2.5 where id = 1';
  for (let round = 0; round < 3; round++) await db.run(sql);
  for (const found of [db, db.restarted()]) {
    assert.equal(await found.run('select * from a'), '[[1, 4, null]]');
    assert.equal(await found.run('select * from b'), '[[1, 2.5, 7, null]]');
  }
});

test('an index made or dropped between two runs of one update', async () => {
  const db = new FileDatabase(new SimulatedFiles(), {}, 2);
  await db.run('create table a (id int primary key, x int, y int)');
  await db.run('insert into a values (1, 1, 1), (2, 1, 1)');
  const sql = 'update a set x = x + 1 where id = 1';
  await db.run(sql);
  await db.run('create index by_x on a (x)');
  await db.run(sql);
  assert.equal(await db.run('select id from a where x = 3'), '[1]');
  assert.equal(await db.run('select id from a where x = 2'), '[]');
  db.verify();
  await db.run('drop index by_x on a');
  await db.run(sql);
  assert.equal(await db.run('select x from a where id = 1'), '[4]');
  db.verify();
});
