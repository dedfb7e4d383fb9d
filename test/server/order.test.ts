/** The order of one connection's requests, and programs that went stale because somebody changed the catalog meanwhile. */

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { HttpReplyText } from '../../src/bench/http-client.ts';
import { checkReply, Database, Pipeline, until } from './database.ts';

let db: Database;
before(async () => {
  db = await Database.start();
});

function contents(replies: readonly HttpReplyText[]): string[] {
  return replies.map(({ status, content }) => (status === 200 ? content : String(status)));
}

test('pipelined DDL, rows, SHOW and SET run in the order sent', async () => {
  const pipeline = new Pipeline(db.port);
  pipeline.sendSql(
    'create table piped (id int primary key, v int)',
    'insert into piped values (1, 10), (2, 20)',
    'select sum(v) from piped',
    "show tables format 'json'",
    'create index piped_v on piped (v)',
    'update piped set v = v + 1',
    'select id from piped where v = 21',
    "set format to 'json'",
    'select id, v from piped where id = 1',
    "set format to 'json-obj'",
    'select id, v from piped where id = 1',
    "set format to 'json-pretty'",
    'drop table piped',
    'select * from piped',
    'create table piped (id int primary key, t text)',
    "insert into piped values (1, 'again')",
    'select t from piped',
    'drop table piped',
  );
  const replies = await pipeline.received(18);
  pipeline.socket.end();
  assert.deepEqual(contents(replies), [
    '204',
    '204',
    '[30]',
    '[{"schema": "public", "name": "piped", "shared": false, "unlogged": false}]',
    '204',
    '204',
    '[2]',
    '204',
    '[[1, 11]]',
    '204',
    '[{"id": 1, "v": 11}]',
    '204',
    '204',
    '400',
    '204',
    '204',
    '["again"]',
    '204',
  ]);
  assert.equal((JSON.parse(replies[13]!.content) as { code: string }).code, 'unknown_table');
});

test('imports and statements of one connection keep their order', async () => {
  await db.text('create table steps (id int primary key, v int)');
  const pipeline = new Pipeline(db.port);
  const post = (path: string, type: string, body: string): void => {
    pipeline.socket.write(
      `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
  };
  for (let round = 0; round < 20; round++) {
    post('/', 'text/plain', `create index steps_${round} on steps (v)`);
    post('/public/steps', 'application/json', `[[${round}, 1]]`);
    post('/', 'text/plain', 'select count(*) from steps where v = 1');
  }
  const replies = contents(await pipeline.received(60));
  pipeline.socket.end();
  for (let round = 0; round < 20; round++)
    assert.deepEqual(replies.slice(round * 3, round * 3 + 3), ['204', '204', `[${round + 1}]`]);
});

test('SET holds for requests of every frontend once it is answered', async () => {
  const client = db.newClient(8);
  const shown = 'select 1 as a, 2 as b';
  for (const [format, expected] of [
    ['json-obj', '[{"a": 1, "b": 2}]'],
    ['json', '[[1, 2]]'],
    ['json-obj', '[{"a": 1, "b": 2}]'],
    ['json', '[[1, 2]]'],
    ['json-pretty', '[[1, 2]]'],
  ]) {
    await db.text(`set format to '${format}'`);
    const replies = await Promise.all(Array.from({ length: 8 }, () => client.send('POST', '/', 'text/plain', shown)));
    for (const reply of replies) checkReply(reply, 200, expected!);
  }
  await db.text("set timezone to 'Asia/Kolkata'");
  checkReply(
    await db.send("select timestamp '2024-01-01 00:00:00+00' format 'json'"),
    200,
    '["2024-01-01 05:30:00+05:30"]',
  );
  await db.text("set timezone to 'UTC'");
  assert.deepEqual(await db.rows('show timezone'), ['UTC']);
  client.close();
});

test('more requests than tickets, from many connections: each keeps its order, also over DDL', async () => {
  const connectionCount = 30;
  const requestCount = 150;
  await db.text('create table flood (id int primary key, v int)');
  await db.text(
    `insert into flood values ${Array.from({ length: connectionCount }, (_, id) => `(${id}, 0)`).join(', ')}`,
  );
  const pipelines = Array.from({ length: connectionCount }, () => new Pipeline(db.port));
  for (const [id, pipeline] of pipelines.entries()) {
    const sql = `update flood set v = v + 1 where id = ${id} returning v`;
    pipeline.sendSql(...Array.from({ length: requestCount }, () => sql));
    // Some change the catalog in the middle of their own requests.
    if (id % 10 === 0) pipeline.sendSql(`create index flood_${id} on flood (v)`);
    else pipeline.sendSql('select 0');
    pipeline.sendSql(...Array.from({ length: requestCount }, () => sql));
  }
  const expected = Array.from({ length: requestCount * 2 }, (_, n) => `[${n + 1}]`);
  for (const [id, pipeline] of pipelines.entries()) {
    const replies = contents(await pipeline.received(requestCount * 2 + 1));
    assert.equal(replies.splice(requestCount, 1)[0], id % 10 === 0 ? '204' : '[0]');
    assert.deepEqual(replies, expected);
    pipeline.socket.end();
  }
  checkReply(await db.send(`select count(*) from flood where v = ${requestCount * 2}`), 200, `[${connectionCount}]`);
});

test('no client sees anything but correct answers while the catalog changes', async () => {
  await db.text('create table steady (id int primary key, v int)');
  await db.text('create table counted (id serial primary key, client int)');
  let isOver = false;
  const insertedCounts = [0, 0, 0, 0];
  const insert = async (client: number): Promise<void> => {
    while (!isOver) {
      checkReply(await db.send(`insert into counted (client) values (${client}), (${client})`), 204, '');
      insertedCounts[client]! += 2;
    }
  };
  const upsert = async (): Promise<void> => {
    let count = 0;
    while (!isOver) {
      count++;
      checkReply(
        await db.send(
          'insert into steady values (1, 1), (2, 1), (3, 1) on conflict do update set v = v + 1; ' +
            "select id, v from steady order by id format 'json'",
        ),
        200,
        `[[1, ${count}], [2, ${count}], [3, ${count}]]`,
      );
    }
  };
  // Large enough that the text's buffer is not kept: a stale request must still have it.
  const importRows = async (): Promise<void> => {
    const filler = 'x'.repeat(100_000);
    for (let id = 0; !isOver; id++) {
      checkReply(await db.import('/public/large', 'application/json', `[[${id}, "${filler}"]]`), 204, '');
      checkReply(await db.send(`delete from large where t = '${filler}' and id = ${id} returning id`), 200, `[${id}]`);
    }
  };
  await db.text('create table large (id int primary key, t text)');
  const work = [insert(0), insert(1), insert(2), insert(3), upsert(), importRows()];
  const change = async (): Promise<void> => {
    for (let round = 0; round < 40; round++) {
      await db.text(`create table other_${round} (id int primary key, v int)`);
      await db.text('create index steady_v on steady (v)');
      assert.deepEqual(await db.rows('select count(*) from steady where v < 0'), [0]);
      await db.text('drop index steady_v on steady');
      await db.text(`drop table other_${round}`);
    }
  };
  try {
    await Promise.race([change(), ...work]);
  } finally {
    isOver = true;
  }
  await Promise.all(work);
  for (let client = 0; client < 4; client++)
    assert.deepEqual(await db.rows(`select count(*) from counted where client = ${client}`), [insertedCounts[client]]);
  assert.deepEqual(await db.rows('select count(*) from large'), [0]);
});

test('a table that is dropped and made again while clients use it', async () => {
  await db.text('create table flip (id int primary key, v int)');
  let isOver = false;
  const seen = new Set<string>();
  const use = async (): Promise<void> => {
    while (!isOver) {
      const { status, content } = await db.send(
        'insert into flip values (1, 5) on conflict do nothing; select v from flip',
      );
      if (status === 200) seen.add(content);
      else seen.add((JSON.parse(content) as { code: string }).code);
    }
  };
  const users = [use(), use(), use(), use()];
  try {
    for (let round = 0; round < 25; round++) {
      await db.text('drop table flip');
      await db.text(
        round % 2 === 0
          ? 'create table flip (id text primary key, v double)'
          : 'create table flip (id int primary key, v int)',
      );
    }
    await until(() => seen.size >= 2);
  } finally {
    isOver = true;
  }
  await Promise.all(users);
  // An int does not go into a text key.
  for (const outcome of seen) assert.ok(['[5]', 'unknown_table', 'type_mismatch'].includes(outcome), outcome);
});
