import assert from 'node:assert/strict';
import { appendFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { REPOSITORY_PROGRAM, run } from '../cli/amelie.ts';
import { checkReply, Database } from '../server/database.ts';
import { runCrashRounds } from './rounds.ts';

function walFiles(db: Database): string[] {
  const directory = join(db.directory, 'wal');
  return readdirSync(directory)
    .sort()
    .map((name) => join(directory, name));
}

test('killed under load, again and again: what was acknowledged is there, nothing in part', async () => {
  const db = await runCrashRounds({ roundCount: 4, seed: 1, settings: ['--wal_rotate_wm=100000'], print: () => {} });
  assert.ok(walFiles(db).length > 3, 'the log has several files');
});

test('the same with a sync for every group', async () => {
  await runCrashRounds({ roundCount: 2, seed: 2, settings: ['--wal_sync_on_write=true'], print: () => {} });
});

test('a torn tail is cut off and reported; everything before it is there', async () => {
  const db = await Database.start();
  await db.text('create table t (id int primary key, v text)');
  await db.text("insert into t values (1, 'a'), (2, 'b'), (3, 'c')");
  await db.stop('SIGKILL');
  const path = walFiles(db).at(-1)!;
  const whole = readFileSync(path);
  for (const garbage of [Buffer.from([0x40]), whole.subarray(-60, -20), Buffer.alloc(300, 0xab), Buffer.alloc(5000)]) {
    writeFileSync(path, whole);
    appendFileSync(path, garbage);
    await db.restart();
    checkReply(await db.send('select id, v from t order by id'), 200, '[[1, "a"], [2, "b"], [3, "c"]]');
    await db.text("insert into t values (4, 'd')");
    await db.stop('SIGKILL');
    await db.restart();
    checkReply(await db.send('select count(*) from t'), 200, '[4]');
    await db.stop('SIGKILL');
  }
  assert.match(readFileSync(join(db.directory, 'log'), 'utf8'), /cut off/);
});

test('damage before the end of the log stops the start, names file and offset, and changes nothing', async () => {
  const db = await Database.start('--wal_rotate_wm=20000');
  await db.text('create table t (id int primary key, v text)');
  for (let id = 0; id < 40; id++) await db.text(`insert into t values (${id}, '${'x'.repeat(2000)}')`);
  await db.stop();
  const files = walFiles(db);
  assert.ok(files.length > 2);
  const damaged = files[1]!;
  const bytes = readFileSync(damaged);
  const at = bytes.indexOf('xxxxxxxx') + 500;
  bytes[at]! ^= 1;
  writeFileSync(damaged, bytes);
  const before = files.map((file) => readFileSync(file));
  const { code, stderr } = await run(
    REPOSITORY_PROGRAM,
    'start',
    db.directory,
    '--listen=[{"host":"127.0.0.1","port":0}]',
  );
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(damaged.split('/').at(-1)!));
  const offset = Number(/offset (\d+)/.exec(stderr)?.[1]);
  assert.ok(offset <= at && offset > 0, stderr);
  for (const [index, file] of files.entries()) assert.deepEqual(readFileSync(file), before[index]);
  bytes[at]! ^= 1;
  writeFileSync(damaged, bytes);
  assert.ok(statSync(damaged).size === bytes.length);
  await db.restart();
  checkReply(await db.send('select count(*) from t'), 200, '[40]');
  await db.stop();
});
