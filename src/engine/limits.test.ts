import assert from 'node:assert/strict';
import { test } from 'node:test';
import { open } from '../embed/index.ts';

test('limit_write refuses a transaction whose log is larger, and nothing of it is kept', async (context) => {
  const { mkdtemp, rm } = await import('node:fs/promises');
  const { tmpdir } = await import('node:os');
  const { join } = await import('node:path');
  const directory = await mkdtemp(join(tmpdir(), 'amelie-limits-'));
  context.after(() => rm(directory, { recursive: true }));
  const db = await open({ directory, backends: 2 });
  await db.query('create table t (id serial primary key, v text)');
  await db.query('set limit_write to 1000');
  await assert.rejects(db.query('insert into t generate 500'), { code: 'limit_exceeded' });
  assert.deepEqual(await db.query('select count(*) as n from t'), [{ n: 0 }]);
  await db.query('insert into t generate 5');
  await db.query('set limit_write to 0');
  await db.query('insert into t generate 500');
  assert.deepEqual(await db.query('select count(*) as n from t'), [{ n: 505 }]);
  await db.close();
});

test('limit_statement_ms ends a scan that takes longer, and others go on', async () => {
  const db = await open({});
  await db.query('create table t (id serial primary key, v text)');
  for (let batch = 0; batch < 20; batch++) await db.query('insert into t generate 10000');
  await db.query('set limit_statement_ms to 1');
  // 200,000 rows with a conversion each take far longer than a millisecond on any machine.
  await assert.rejects(db.query("select count(*) from t where (id::text || 'x')::length > 100"), { code: 'timeout' });
  await db.query('set limit_statement_ms to 0');
  assert.deepEqual(await db.query('select count(*) as n from t'), [{ n: 200_000 }]);
  await db.close();
});
