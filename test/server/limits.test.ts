/** What is too large, too much or cut off: refused or bounded, and the server goes on. */

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { before, test } from 'node:test';
import { checkError, checkReply, Database, encodeRequest, until } from './database.ts';

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

test('a transaction over limit_write is an error, and a statement over limit_statement_ms', async () => {
  await db.text('create table logged (id int primary key, t text)');
  await db.text('set limit_write to 5000');
  const rows = Array.from({ length: 200 }, (_, id) => `(${id}, '${'x'.repeat(100)}')`).join(', ');
  await db.fails(`insert into logged values ${rows}`, 'limit_exceeded', 'limit_write');
  await db.fails(`profile insert into logged values ${rows}`, 'limit_exceeded', 'limit_write');
  checkReply(await db.send('select count(*) from logged'), 200, '[0]');
  await db.text('set limit_write to 0');
  await db.text(`insert into logged values ${rows}`);
  for (let round = 1; round <= 10; round++)
    await db.text(
      `insert into logged values ${Array.from({ length: 10_000 }, (_, n) => `(${round * 10_000 + n}, '')`)}`,
    );
  await db.text('set limit_statement_ms to 1');
  await db.fails(
    "select count(*) from logged where (id::text || t)::upper like '%a%b%c%'",
    'timeout',
    'limit_statement_ms',
  );
  await db.fails("update logged set t = (id::text || t)::upper || 'x'", 'timeout', 'limit_statement_ms');
  await db.text('set limit_statement_ms to 0');
  checkReply(await db.send("select count(*) from logged where t like '%x'"), 200, '[200]');
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
