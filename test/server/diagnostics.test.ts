/** Connections and slow statements in the server log. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Database, until } from './database.ts';

type Line = Record<string, unknown> & { readonly message: string };

function linesOf(db: Database, message: string): Line[] {
  const text = readFileSync(join(db.directory, 'log'), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line)
    .filter((line) => line.message === message);
}

test('statements that take longer than log_slow_ms are in the log, without their constants', async () => {
  const db = await Database.start('--log_slow_ms=25');
  await db.text('create table t (id int primary key, s text)');
  await db.text("insert into t values (1, 'quick secret')");
  await db.text("insert into t values (2 + coalesce(sleep(60), 0), 'slow secret')");
  const failing = "insert into t values (1 + coalesce(sleep(60), 0), 'failing secret') returning id";
  await db.fails(failing, 'key_conflict');
  await db.text('set log_slow_ms to 0');
  await db.text("select sleep(60), 'not told' as silent");
  await db.text('set log_slow_ms to 25');
  await db.text('create index i on t (s)');
  await db.text('select sleep(60), 7 as last');
  // Both frontends send their lines through main: the last one is there when all are.
  const isTold = (statement: RegExp) => (): boolean =>
    linesOf(db, 'slow statement').some((line) => statement.test(String(line.statement)));
  await until(isTold(/last/i));
  await until(isTold(/returning/i));
  await until(isTold(/^insert.*\?\)$/i));
  for (const line of linesOf(db, 'slow statement')) {
    assert.equal(line.level, 'warn');
    assert.ok(Number(line.ms) >= 25, JSON.stringify(line));
    assert.equal(line.error, /returning/i.test(String(line.statement)) ? 'key_conflict' : undefined);
    assert.doesNotMatch(String(line.statement), /silent/i);
  }
  assert.doesNotMatch(readFileSync(join(db.directory, 'log'), 'utf8'), /secret/);
});

test('connections are in the log from their coming to their end, until SET switches that off', async () => {
  const db = await Database.start();
  const client = db.newClient(1);
  await client.sql('select 1');
  await until(() => linesOf(db, 'connection opened').some(({ client: from }) => /127\.0\.0\.1/.test(String(from))));
  client.close();
  await until(() => linesOf(db, 'connection closed').length > 0);
  const [closed] = linesOf(db, 'connection closed');
  const opened = linesOf(db, 'connection opened').find(({ connection }) => connection === closed!.connection);
  assert.equal(opened!.client, closed!.client);
  assert.ok(Number(closed!.ms) >= 0);
  await db.text('set log_connections to false');
  const count = linesOf(db, 'connection opened').length;
  const silent = db.newSocketClient(1);
  await silent.sql('select 1');
  silent.close();
  // A line of a later event, which goes the same way.
  await db.text('set log_connections to true');
  const last = db.newSocketClient(1);
  await last.sql('select 1');
  await until(() => linesOf(db, 'connection opened').length > count);
  last.close();
  const later = linesOf(db, 'connection opened').slice(count);
  assert.ok(later.some(({ client: from }) => from === 'unix socket'));
  assert.equal(later.filter(({ client: from }) => from === 'unix socket').length, 1);
});
