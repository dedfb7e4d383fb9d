/** A small memory limit: what is not used any more is given back, and what does not fit is refused. */

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { checkError, checkReply, Database, Pipeline, until } from './database.ts';

const MIB = 1024 * 1024;

let db: Database;
before(async () => {
  db = await Database.start(`--memory_limit=${64 * MIB}`);
});

test('ten thousand different shapes: programs are dropped again', async () => {
  await db.text('create table shaped (id int primary key, v int)');
  await db.text('insert into shaped values (1, 2), (2, 3), (3, 4)');
  const pipeline = new Pipeline(db.port);
  const count = 10_000;
  for (let shape = 0; shape < count; shape++) {
    pipeline.sendSql(`select sum(v) as c${shape} from shaped format 'json-obj'`);
    if (pipeline.replies.length < shape - 500) await until(() => pipeline.replies.length > shape - 200);
  }
  const replies = await pipeline.received(count);
  pipeline.socket.end();
  for (const [shape, { content }] of replies.entries()) assert.equal(content, `[{"c${shape}": 9}]`);
});

test('memory is given back by DROP TABLE, DELETE and a failed statement', async () => {
  // Thirty loads take about half of the memory.
  const load = (): Promise<{ status: number; content: string }> =>
    db.send(
      'insert into filled (t) values ' +
        Array.from({ length: 2000 }, (_, row) => `('${'x'.repeat(400)}${row}')`).join(','),
    );
  const loadAll = async (count: number): Promise<void> => {
    for (let round = 0; round < count; round++) checkReply(await load(), 204, '');
  };
  for (let round = 0; round < 4; round++) {
    await db.text('create table filled (id serial primary key, t text)');
    await db.text('create index filled_t on filled (t)');
    await loadAll(30);
    await db.text('drop table filled');
  }
  await db.text('create table filled (id serial primary key, t text)');
  for (let round = 0; round < 4; round++) {
    await loadAll(30);
    await db.text('delete from filled');
  }
  let loadedCount = 0;
  for (;;) {
    const reply = await load();
    if (reply.status !== 204) {
      checkError(reply, 400, 'out_of_memory');
      break;
    }
    loadedCount++;
  }
  assert.ok(loadedCount >= 30);
  checkReply(await db.send('select count(*) from filled'), 200, `[${loadedCount * 2000}]`);
  checkError(await load(), 400, 'out_of_memory');
  checkReply(await db.send('select count(*) from filled'), 200, `[${loadedCount * 2000}]`);
  await db.text('delete from filled where id < 100');
  await db.text('drop table filled');
  await db.text('create table filled (id serial primary key, t text)');
  await loadAll(30);
  await db.text('drop table filled');
});
