/** Updates of columns of fixed width (storage/fixed-update.ts) through SQL. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FileDatabase } from '../testing/file-database.ts';
import { SimulatedFiles } from '../testing/simulated-files.ts';

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
