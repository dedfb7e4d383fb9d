/** Rows that a frontend makes itself: long series leave its sockets served, and are bounded in time. */

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { checkReply, Database, until } from './database.ts';

/** More rows than any computer makes while a test waits. */
const ENDLESS = '1000000000000000';

let db: Database;
before(async () => {
  db = await Database.start('--frontends=1', '--format=json');
  await db.text('create table kept (id int primary key)');
});

test('while a long series runs, its frontend answers others', async () => {
  let isDone = false;
  const long = db.text('select count(*), sum(value) from generate_series(1, 20000000)').then((content) => {
    isDone = true;
    return content;
  });
  for (let n = 0; n < 20; n++)
    assert.equal(await db.text(`select ${n} + value from generate_series(1, 1)`), `[${n + 1}]`);
  assert.equal(isDone, false);
  assert.equal(await long, '[[20000000, 200000010000000]]');
});

test('more long series than run side by side all come to their end', async () => {
  const replies = await Promise.all(
    Array.from({ length: 15 }, (_, n) => db.text(`select count(*) from generate_series(${n + 1}, 200000)`)),
  );
  assert.deepEqual(
    replies,
    Array.from({ length: 15 }, (_, n) => `[${200_000 - n}]`),
  );
});

test('limit_send bounds what a series may answer', async () => {
  await db.fails(`select * from generate_series(1, ${ENDLESS})`, 'limit_exceeded', 'limit_send');
  checkReply(await db.send(`select * from generate_series(1, ${ENDLESS}) limit 3`), 200, '[1, 2, 3]');
});

test('limit_statement_ms ends a series wherever it stands, and what the request wrote is undone', async () => {
  await db.text('set limit_statement_ms to 30');
  const endless = `select count(*) from generate_series(1, ${ENDLESS})`;
  await Promise.all(Array.from({ length: 12 }, () => db.fails(endless, 'timeout', 'limit_statement_ms')));
  await db.fails(`${endless}; insert into kept values (1)`, 'timeout');
  await db.fails(`insert into kept values (1); ${endless}`, 'timeout');
  await db.fails(`select * from kept; ${endless}`, 'timeout');
  await db.text('set limit_statement_ms to 0');
  checkReply(await db.send('select count(*) from kept'), 200, '[0]');
});

test('the server stops in good order behind a series', async () => {
  const last = db.text('select max(value) from generate_series(1, 3000000)');
  // It has come when it is compiled.
  const sql =
    "select count(*) from system.statements() where statement::text = 'select max(value) from generate_series(?, ?)'";
  await until(async () => (await db.text(sql)) === '[1]');
  const [content] = await Promise.all([last, db.server.process.kill('SIGTERM')]);
  assert.equal(content, '[3000000]');
  assert.equal((await db.server.ended).code, 0);
});
