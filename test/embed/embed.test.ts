import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type AmelieDatabase, open, SqlError } from '../../src/embed/index.ts';
import { query, REPOSITORY_PROGRAM, startServer } from '../cli/amelie.ts';

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'amelie-embed-'));
  folders.push(folder);
  return join(folder, 'data');
}

function isSqlError(code: string, part = ''): (error: unknown) => boolean {
  return (error) => error instanceof SqlError && error.code === code && error.message.includes(part);
}

test('rows come as objects, with values as JavaScript has them', async () => {
  const db = await open();
  await db.query('create table t (id bigint primary key, i int, d double, s text, b bool, j json, at timestamp)');
  assert.deepEqual(
    await db.query('insert into t values ($1, $2, $3, $4, $5, $6, $7)', [
      9007199254740993n,
      -7,
      0.1,
      'täxt "q"',
      true,
      { k: [1, 9007199254740993n, null], '1234567890123456': 'digits' },
      new Date(Date.UTC(2024, 0, 2, 3, 4, 5, 678)),
    ]),
    [],
  );
  await db.query('insert into t (id, j) values ($1, $2)', [2, [1, 'a']]);
  await db.query('insert into t (id, i, s) values ($1, $2, $3)', [3n, null, undefined]);
  assert.deepEqual(await db.query('select * from t order by id'), [
    { id: 2, i: null, d: null, s: null, b: null, j: [1, 'a'], at: null },
    { id: 3, i: null, d: null, s: null, b: null, j: null, at: null },
    {
      id: 9007199254740993n,
      i: -7,
      d: 0.1,
      s: 'täxt "q"',
      b: true,
      j: { k: [1, 9007199254740993n, null], '1234567890123456': 'digits' },
      at: '2024-01-02 03:04:05.678+00',
    },
  ]);
  assert.deepEqual(await db.query('select id from t where id = $1', [9007199254740993n]), [{ id: 9007199254740993n }]);
  assert.deepEqual(await db.query('select $1 as a, $2 as b, $3 as c', [2 ** 53 - 1, -(2 ** 53 - 1), 1e300]), [
    { a: 9007199254740991, b: -9007199254740991, c: 1e300 },
  ]);
  assert.deepEqual(await db.query('select 9223372036854775807 as most, -9223372036854775807 - 1 as least'), [
    { most: 9223372036854775807n, least: -9223372036854775808n },
  ]);
  await db.close();
});

test('a request is one transaction; errors are SqlErrors', async () => {
  const db = await open({ backends: 3 });
  await db.query('create table t (id int primary key, v int); ');
  await db.query('insert into t values (1, 1), (2, 2)');
  await assert.rejects(
    db.query('insert into t values (3, 3); insert into t values (4, 4), (1, 1)'),
    isSqlError('key_conflict', '(1)'),
  );
  assert.deepEqual(await db.query('select count(*) as n from t'), [{ n: 2 }]);
  await assert.rejects(db.query('select nothing from t'), isSqlError('unknown_column', 'nothing'));
  await assert.rejects(db.query('selec'), isSqlError('syntax_error'));
  await assert.rejects(db.query('select $1', []), isSqlError('invalid_parameter', '$1'));
  await assert.rejects(db.query('select $1', [Number.NaN]), isSqlError('invalid_parameter', 'NaN'));
  await assert.rejects(db.query('select $1', [2n ** 63n]), isSqlError('invalid_parameter'));
  await assert.rejects(db.query('select $1', [Symbol('s')]), isSqlError('invalid_parameter', 'symbol'));
  assert.deepEqual(await db.execute('select id, v from t order by id'), { status: 200, body: '[[1, 1], [2, 2]]' });
  assert.deepEqual(await db.execute('delete from t where id = 2'), { status: 204, body: '' });
  const { status, body } = await db.execute('select 1 / 0');
  assert.deepEqual([status, (JSON.parse(body) as { code: string }).code], [400, 'zero_division']);
  assert.deepEqual(await db.query(''), []);
  await db.close();
});

test('requests run in the order of the calls', async () => {
  const db = await open();
  const results = await Promise.all([
    db.query('create table t (id int primary key, v int)'),
    db.query('insert into t values (1, 1)'),
    db.query('create index t_v on t (v)'),
    db.query('select id from t where v = 1'),
    db.query('drop table t'),
    db.query('select * from t').catch((error: SqlError) => [{ code: error.code }]),
    db.query("set format to 'json'"),
    db.query('show format'),
  ]);
  assert.deepEqual(results, [[], [], [], [{ id: 1 }], [], [{ code: 'unknown_table' }], [], [{ format: 'json' }]]);
  await db.close();
});

test('what is closed is closed, once', async () => {
  const db = await open();
  const last = db.query('select 1 as one');
  await db.close();
  await db.close();
  assert.deepEqual(await last, [{ one: 1 }]);
  await assert.rejects(db.query('select 1'), isSqlError('shutting_down'));
});

test('memory goes back when a table is dropped', async () => {
  const db = await open({ memory_limit: 32 * 1024 * 1024 });
  for (let round = 0; round < 6; round++) {
    await db.query('create table t (id serial primary key, s text)');
    for (let count = 0; count < 10; count++)
      await db.query(
        `insert into t (s) values ${Array.from({ length: 2000 }, () => `('${'x'.repeat(500)}')`).join(', ')}`,
      );
    await db.query('drop table t');
  }
  await db.close();
});

test('a repository: closed, opened again, served by a server, and locked meanwhile', async () => {
  const directory = newFolder();
  let db: AmelieDatabase = await open({ directory, backends: 2, timezone: 'UTC' });
  await db.query('create table t (id serial primary key, v text)');
  await db.query("insert into t (v) values ('a'), ('b')");
  await assert.rejects(open({ directory }), /in use|holds|locked/);
  await db.close();

  db = await open({ directory });
  assert.deepEqual(await db.query("insert into t (v) values ('c') returning id, v"), [{ id: 2, v: 'c' }]);
  await assert.rejects(open({ directory, backends: 3 }));
  await db.close();
  await assert.rejects(open({ directory, backends: 3 }), isSqlError('invalid_value', 'backends'));

  const server = await startServer(REPOSITORY_PROGRAM, directory);
  assert.deepEqual(await query(server.url, 'select id, v from t order by id'), {
    status: 200,
    body: '[[0, "a"], [1, "b"], [2, "c"]]',
  });
  await query(server.url, 'update t set v = upper(v)');
  await assert.rejects(open({ directory }), new RegExp(String(server.process.pid)));
  server.process.kill('SIGTERM');
  assert.equal((await server.ended).code, 0);

  db = await open({ directory });
  assert.deepEqual(await db.query('select v from t order by id'), [{ v: 'A' }, { v: 'B' }, { v: 'C' }]);
  await db.query("set format to 'json'");
  await db.close();
  db = await open({ directory });
  assert.deepEqual(await db.query('show format'), [{ format: 'json' }]);
  await db.close();
});

test('settings that are wrong are refused', async () => {
  await assert.rejects(open({ backends: 0 }), SqlError);
  await assert.rejects(open({ memory_limit: 1 }), SqlError);
  await assert.rejects(open({ timezone: 'Mars' }), SqlError);
  await assert.rejects(open({ nothing: 1 } as never), isSqlError('unknown_setting', 'nothing'));
});
