/** Settings of requests: SET over all frontends, what a request brings itself, what is kept; and what main is asked for. */

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { checkReply, Database } from './database.ts';

const CONNECTION_COUNT = 16;

let db: Database;
before(async () => {
  db = await Database.start();
});

/** The same request on many connections, so that every frontend gets it. */
function everywhere(sql: string): Promise<string[]> {
  return Promise.all(Array.from({ length: CONNECTION_COUNT }, () => db.text(sql)));
}

function all(text: string): string[] {
  return Array.from({ length: CONNECTION_COUNT }, () => text);
}

test('SET format and SET timezone hold for every later request of every frontend', async () => {
  assert.deepEqual(await everywhere('select {"a": 1} as j'), all('[{\n  "a": 1\n}]'));
  await db.text("set format to 'json-obj'");
  assert.deepEqual(await everywhere('select {"a": 1} as j'), all('[{"j": {"a": 1}}]'));
  await db.text("set format to 'pretty-json-obj'");
  assert.deepEqual(await everywhere('select 1 as n'), all('[{\n  "n": 1\n}]'));
  await db.text("set format to 'json'");
  await db.text("set timezone to 'Asia/Kolkata'");
  assert.deepEqual(await everywhere("select timestamp '2024-01-01 00:00:00Z'"), all('["2024-01-01 05:30:00+05:30"]'));
});

test('a request that brings its own goes by it, and a FORMAT of the statement goes before both', async () => {
  const sql = "select timestamp '2024-07-01 00:00:00Z' as t";
  checkReply(await db.sendJson(sql, { timezone: 'America/New_York' }), 200, '["2024-06-30 20:00:00-04"]');
  checkReply(await db.sendJson(sql, { format: 'json-obj' }), 200, '[{"t": "2024-07-01 05:30:00+05:30"}]');
  checkReply(await db.sendJson(`${sql} format 'json'`, { format: 'json-obj' }), 200, '["2024-07-01 05:30:00+05:30"]');
  checkReply(
    await db.sendJson('select $1::timestamp', { params: ['2024-01-01 00:00:00'], timezone: 'UTC' }),
    200,
    '["2024-01-01 00:00:00+00"]',
  );
  const wrongFormat = await db.sendJson('select 1', { format: 'xml' });
  assert.match(wrongFormat.content, /unknown format 'xml'.*unknown_format/);
  const wrongZone = await db.sendJson('select 1', { timezone: 'Moon/Crater' });
  assert.match(wrongZone.content, /Moon\/Crater/);
  assert.equal(wrongZone.status, 400);
  checkReply(await db.send('select 1'), 200, '[1]');
});

test('EXPLAIN goes by the FORMAT of its statement', async () => {
  assert.match(await db.text("explain select 1 format 'json-pretty'"), /^\[\{\n {2}"bytecode": \{\n/);
  assert.match(await db.text('explain select 1'), /^\[\{"bytecode": \{"/);
  assert.match(await db.text("profile select 1 format 'json-pretty'"), /\n {2}"profiler": \{\n/);
});

test('what SET has set is there after a restart', async () => {
  await db.stop();
  await db.restart();
  checkReply(await db.send('show timezone'), 200, '["Asia/Kolkata"]');
  checkReply(await db.send('select 1 as a, 2 as b'), 200, '[[1, 2]]');
  await db.text("set timezone to 'UTC'");
});

test('statements() adds up what the frontends ran', async () => {
  await db.text('create table counted (id int primary key, v text)');
  await db.text("insert into counted values (1, 'a'), (2, 'b')");
  await Promise.all(
    Array.from({ length: 10 * CONNECTION_COUNT }, (_, n) => db.text(`select v from counted where id = ${(n % 2) + 1}`)),
  );
  const row = (await db.rows(
    `select [calls, rows, time_total_ms::double >= time_max_ms::double, compiled] from system.statements()
     where statement::text = 'select v from counted where id = ?'`,
  )) as unknown[];
  assert.deepEqual(row, [[160, 160, true, false]]);
  const shown = (await db.rows('show statements')) as { statement: string; calls: number }[];
  assert.equal(shown.find(({ statement }) => statement === 'insert into counted values (?, ?), …')?.calls, 1);
});

test('functions of schema system see what came before them, on any connection', async () => {
  for (let n = 0; n < 5; n++) {
    await db.text(`create table seen_${n} (id int primary key)`);
    assert.deepEqual(await everywhere(`select system.table('seen_${n}').name`), all(`["seen_${n}"]`));
  }
  assert.deepEqual(await everywhere("select count(*) from system.tables() where name::text like 'seen%'"), all('[5]'));
  const status = (await db.rows('select system.status().net.connections::int > 0')) as unknown[];
  assert.deepEqual(status, [true]);
});

test('functions of schema system and DDL from many connections', async () => {
  const replies = await Promise.all(
    Array.from({ length: 60 }, (_, n) =>
      n % 6 === 0
        ? db.send(`create table mixed_${n} (id int primary key)`)
        : db.send("select count(*) from system.tables() where name::text like 'mixed%'; select 7"),
    ),
  );
  for (const { status, content } of replies) assert.ok(status === 204 || content === '[7]', `${status} ${content}`);
  assert.deepEqual(await db.rows("select count(*) from system.tables() where name::text like 'mixed%'"), [10]);
});
