/** What is too large, too much or cut off: refused or bounded, and the server goes on. */

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { before, test } from 'node:test';
import { checkError, checkReply, Database, encodeRequest, Pipeline, until } from './database.ts';

const MIB = 1024 * 1024;

let db: Database;
before(async () => {
  db = await Database.start(`--memory_limit=${96 * MIB}`);
});

test('a result over limit_send is an error, and undoes what the request wrote', async () => {
  await db.text('create table much (id int primary key, t text)');
  await db.text(
    `insert into much values ${Array.from({ length: 500 }, (_, id) => `(${id}, '${'x'.repeat(90)}')`).join(', ')}`,
  );
  await db.text('set limit_send to 20000');
  await db.fails('select * from much', 'limit_exceeded', 'limit_send');
  await db.fails("update much set t = 'y' || t returning t", 'limit_exceeded', 'limit_send');
  await db.fails('delete from much returning *', 'limit_exceeded', 'limit_send');
  checkReply(await db.send("select count(*) from much where t like 'x%'"), 200, '[500]');
  assert.equal(((await db.rows('select t from much limit 100')) as string[]).length, 100);
  checkReply(await db.send("update much set t = 'y' where id < 3 returning t"), 200, '["y", "y", "y"]');
  await db.text(`set limit_send to ${3 * MIB}`);
  assert.equal(((await db.rows('select * from much')) as string[]).length, 500);
});

test('a body over limit_recv is 413', async () => {
  const exact = `select 'a'${' '.repeat(MIB - 10)}`;
  assert.equal(exact.length, MIB);
  checkReply(await db.send(exact), 200, '["a"]');
  checkError(await db.send(`${exact} `), 413, 'limit_exceeded');
  await db.text('set limit_recv to 1000');
  checkError(await db.send(`select 'a'${' '.repeat(1000)}`), 413, 'limit_exceeded');
  await db.text(`set limit_recv to ${MIB}`);
  checkReply(await db.send(exact), 200, '["a"]');
});

test('statements of a mebibyte run or are refused, whatever is long in them', async () => {
  await db.text('create table long (id int primary key, v int)');
  const repeat = (text: string, byteCount = MIB - 200): string => text.repeat(Math.floor(byteCount / text.length));
  const rows = Array.from({ length: 50_000 }, (_, id) => `(${id}, ${id % 7})`).join(',');
  checkReply(await db.send(`insert into long values ${rows}`), 204, '');
  checkReply(await db.send('select count(*), sum(v) from long'), 200, `[[50000, ${149_997}]]`);
  const items = Array.from({ length: 100_000 }, (_, id) => id * 2).join(',');
  const fewItems = Array.from({ length: 1000 }, (_, id) => id * 60).join(',');
  const statements: readonly (readonly [string, string | undefined])[] = [
    [`select '${repeat('x')}' = ''`, '[false]'],
    [`select count(*) from long where id in (${items})`, undefined],
    [`select count(*) from long where id in (${fewItems})`, '[834]'],
    [`select 1 ${repeat('+1')}`, undefined],
    [`select count(*) from long where id = 1 ${repeat('or id = 2 ')}`, undefined],
    [`select ${repeat('(')}1`, undefined],
    [`select ${repeat('- ')}1`, undefined],
    [`select ${repeat('not ')}true`, undefined],
    [`select ${repeat('[')}`, undefined],
    [`select ${repeat('{"a":')}1`, undefined],
    [`select ${repeat('1,')}1`, undefined],
    [`select ${repeat('case when true then ')}1`, undefined],
    [`select case ${repeat('when false then 1 ')}else 2 end`, undefined],
    [`select 1${repeat('::int')}`, undefined],
    [`select 'x'${repeat("||'y'")} = ''`, undefined],
    [`select id from long order by ${repeat('id,')}id limit 1`, undefined],
    [`select id from long group by ${repeat('id,')}id limit 1`, undefined],
    [`select coalesce(${repeat('null,')}1)`, undefined],
    [`${repeat('select 1;')}select 2`, undefined],
    [`${repeat('update long set v = v;', 20_000)}select 2`, undefined],
    [`create table t${repeat('x')} (id int primary key)`, undefined],
    [`create table t (id int primary key ${repeat(', a int')})`, undefined],
    [`select ${repeat('a')}`, undefined],
    [`select $${repeat('9')}`, undefined],
    [`select ${repeat('9')}`, undefined],
    [`select ${repeat('9')}.5`, undefined],
    [repeat('/* '), undefined],
    [repeat('x '), undefined],
    [`select '${repeat('\\u0041')}' = ''`, '[false]'],
    [`select count(*) from long where 'a' like '${repeat('%')}'`, undefined],
  ];
  for (const [sql, expected] of statements) {
    const { status, content } = await db.send(sql);
    if (expected !== undefined) checkReply({ status, content }, 200, expected);
    assert.ok(status === 200 || status === 204 || status === 400, `${sql.slice(0, 60)}: ${status} ${content}`);
    if (status === 400) assert.equal(typeof (JSON.parse(content) as { code: unknown }).code, 'string');
    assert.doesNotMatch(content, /"internal"/, sql.slice(0, 60));
  }
  const body = (params: string): string => `{"sql": "select 1", "params": ${params}}`;
  for (const params of [repeat('[', 500_000), `[${repeat('1,', 500_000)}1]`, `["${repeat('x')}"]`]) {
    const { status } = await db.import('/', 'application/json', body(params));
    assert.equal(status, 400);
  }
  checkReply(await db.send('select count(*) from long'), 200, '[50000]');
  await db.text('drop table long');
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
  // Each load takes about 30 MiB of the 96.
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

test('clients that leave in the middle', async () => {
  await db.text('create table left_behind (id serial primary key, v int)');
  await db.text('insert into left_behind (v) values (0)');
  const whole = encodeRequest('/', 'text/plain', 'update left_behind set v = v + 1; select * from much');
  const cuts = Array.from({ length: 120 }, (_, index) => Math.min(whole.length, 1 + index * 2));
  for (const cut of cuts) {
    const socket = connect({ host: '127.0.0.1', port: db.port });
    socket.on('error', () => {});
    await new Promise((resolve) => socket.write(whole.subarray(0, cut), resolve));
    socket.destroy();
  }
  const wholeCount = cuts.filter((cut) => cut === whole.length).length;
  assert.ok(wholeCount > 0);
  // What had arrived whole has run, even if nobody waits for the reply.
  await until(async () => ((await db.rows('select v from left_behind')) as [number])[0] >= 1);
  const [v] = (await db.rows('select v from left_behind')) as [number];
  assert.ok(v <= wholeCount);
  const connections = async (): Promise<number> => {
    const [status] = (await db.rows("show status format 'json'")) as [{ net: { connections: number } }];
    return status.net.connections;
  };
  await until(async () => (await connections()) <= 16);
});
