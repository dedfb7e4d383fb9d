/** How a server ends, and what of its state the next one has. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { query, REPOSITORY_PROGRAM, startServer, temporaryFolder } from '../cli/amelie.ts';
import { checkError, checkReply, Database, Pipeline, until } from './database.ts';

for (const thread of ['backend 1', 'frontend 1', 'frontend 0']) {
  test(`the death of ${thread} takes the process down, with the reason; recovery brings the data back`, async () => {
    const directory = temporaryFolder('death');
    const env = {
      ...process.env,
      NODE_OPTIONS: `--import=${pathToFileURL(join(import.meta.dirname, 'poison.ts')).href}`,
      AMELIE_TEST_POISONED: thread,
    };
    const options = ['--frontends=2', '--backends=2', '--log_to_stdout=false'];
    const server = await startServer({ ...REPOSITORY_PROGRAM, env }, directory, ...options);
    assert.equal((await query(server.url, 'create table kept (id int primary key)')).status, 204);
    assert.equal((await query(server.url, 'insert into kept values (1), (2), (3)')).status, 204);
    // Each thread reads the catalog when it first needs it: many connections reach both frontends.
    const use = async (): Promise<void> => {
      await query(server.url, 'create table poison (id int primary key)');
      for (;;) await Promise.all(Array.from({ length: 8 }, () => query(server.url, 'select count(*) from poison')));
    };
    await assert.rejects(use());
    const { code, stderr } = await server.ended;
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`poisoned ${thread}`));
    assert.match(readFileSync(join(directory, 'log'), 'utf8'), new RegExp(`poisoned ${thread}`));
    const next = await startServer(REPOSITORY_PROGRAM, directory, ...options);
    assert.deepEqual(await query(next.url, 'select id from kept order by id'), { status: 200, body: '[1, 2, 3]' });
    next.process.kill('SIGTERM');
    assert.equal((await next.ended).code, 0);
  });
}

test('a server that stops finishes what runs, and refuses what comes with 503', async () => {
  // One frontend: another one that has nothing to finish would close its connections at once.
  const db = await Database.start('--frontends=1');
  await db.text('create table texts (id serial primary key, t text)');
  const filler = 'abc '.repeat(40);
  for (let round = 0; round < 20; round++)
    await db.text(`insert into texts (t) values ${Array.from({ length: 5000 }, () => `('${filler}')`).join(', ')}`);
  const counts = Array.from({ length: 60 }, (_, n) => `count(*) filter (where t like '%a%b%c%a%c%x${n}%')`);
  const idle = new Pipeline(db.port);
  idle.sendSql('select 1');
  await idle.received(1);
  const busy = new Pipeline(db.port);
  busy.sendSql('select 2', `select ${counts.join(', ')} from texts`);
  await busy.received(1);
  db.server.process.kill('SIGTERM');
  let sentCount = 1;
  do {
    idle.sendSql('select 3');
    await idle.received(++sentCount);
  } while (idle.replies[sentCount - 1]!.status === 200);
  checkError(idle.replies[sentCount - 1]!, 503, 'shutting_down');
  assert.equal(busy.replies.length, 1, 'the statement still runs');
  idle.socket.write('GET /health HTTP/1.1\r\nHost: a\r\n\r\n');
  await idle.received(++sentCount);
  checkError(idle.replies[sentCount - 1]!, 503, 'shutting_down');
  await busy.received(2);
  assert.equal(busy.replies[1]!.status, 200);
  await until(() => idle.isClosed && busy.isClosed);
  assert.equal((await db.server.ended).code, 0);
});

test('data, definitions and settings are there after a stop and a start', async () => {
  const db = await Database.start();
  await db.text('create schema other');
  await db.text(
    "create table other.t (id serial primary key, a text default 'x', j json, at timestamp, d double, b bool)",
  );
  await db.text('create index t_a on other.t (a)');
  await db.text(
    'insert into other.t (j, at, d, b) values ({"k": 9007199254740993}, \'2024-01-02 03:04:05\', 0.1, true)',
  );
  await db.text("insert into other.t (a, d) values ('y', -0.5), ('z', 1e300)");
  await db.text("update other.t set a = 'w' where id = 1");
  await db.text('delete from other.t where id = 2');
  await db.text("set format to 'json-obj'");
  await db.text('set limit_send to 100000');
  const all = await db.text('select * from other.t order by id');
  const tables = await db.text('show tables extended');
  assert.equal((await db.stop()).code, 0);
  await db.restart();
  checkReply(await db.send('select * from other.t order by id'), 200, all);
  assert.match(all, /9007199254740993/);
  checkReply(await db.send("select id from other.t where a = 'w'"), 200, '[{"id": 1}]');
  checkReply(await db.send('show limit_send'), 200, '[{"limit_send": 100000}]');
  checkReply(await db.send("insert into other.t (a) values ('v') returning id, a"), 200, '[{"id": 3, "a": "v"}]');
  checkReply(await db.send('drop index t_a on other.t'), 204, '');
  checkReply(await db.send('create index t_a on other.t (a)'), 204, '');
  checkReply(await db.send("select id from other.t where a = 'v'"), 200, '[{"id": 3}]');
  assert.equal((JSON.parse(tables) as unknown[]).length, 1);
  await db.text('drop schema other cascade');
  await db.fails('select * from other.t', 'unknown_schema');
  assert.equal((await db.stop('SIGINT')).code, 0);
  await db.restart();
  await db.fails('select * from other.t', 'unknown_schema');
  await db.stop();
});
