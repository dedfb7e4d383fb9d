import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { open } from '../../src/embed/index.ts';
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
  const db = await Database.start('--backends=2');
  const { directory } = db;
  await db.text('create table t (id int primary key, v text)');
  await db.text("insert into t values (1, 'a'), (2, 'b'), (3, 'c')");
  await db.stop('SIGKILL');
  const path = walFiles(db).at(-1)!;
  const whole = readFileSync(path);
  const garbage = [Buffer.from([0x40]), whole.subarray(-60, -20), Buffer.alloc(300, 0xab), Buffer.alloc(5000)];
  for (const bytes of garbage) {
    writeFileSync(path, Buffer.concat([whole, bytes]));
    const first = await open({ directory });
    assert.deepEqual((await first.execute('select id, v from t order by id')).body, '[[1, "a"], [2, "b"], [3, "c"]]');
    await first.query("insert into t values (4, 'd')");
    await first.close();
    const second = await open({ directory });
    assert.deepEqual((await second.execute('select sum(id) from t')).body, '[10]');
    await second.close();
  }
  // Cut at every byte of the last transaction: it is there as a whole or not at all.
  for (let cut = 1; cut < 40; cut++) {
    writeFileSync(path, whole.subarray(0, -cut));
    const torn = await open({ directory });
    assert.deepEqual((await torn.execute('select count(*) from t')).body, '[0]');
    await torn.close();
  }
  writeFileSync(path, Buffer.concat([whole, garbage[1]!]));
  await db.restart();
  checkReply(await db.send('select id, v from t order by id'), 200, '[[1, "a"], [2, "b"], [3, "c"]]');
  assert.match(readFileSync(join(directory, 'log'), 'utf8'), /cut off/);
  await db.stop();
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
