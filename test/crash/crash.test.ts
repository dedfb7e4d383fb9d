import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { open } from '../../src/embed/index.ts';
import { REPOSITORY_PROGRAM, run } from '../cli/amelie.ts';
import { checkReply, Database } from '../server/database.ts';
import { checkIndexes } from './indexes.ts';
import { CrashRun } from './rounds.ts';

function walFiles(db: Database): string[] {
  const directory = join(db.directory, 'wal');
  return readdirSync(directory)
    .sort()
    .map((name) => join(directory, name));
}

test('killed under load, again and again: what was acknowledged is there, nothing in part', async () => {
  const settings = ['--wal_rotate_wm=100000'];
  const run = await CrashRun.start({ seed: 1, settings, print: () => {}, hasCheckpoints: true });
  for (let round = 0; round < 5; round++) await run.round();
  assert.ok(Number.parseInt(basename(walFiles(run.db).at(-1)!), 10) > 1, 'the log went on in other files');
  await run.db.stop();
});

test('the checks notice what is lost, or there in part, and all else that a crash must not leave', async () => {
  const run = await CrashRun.start({ seed: 2, settings: [], print: () => {}, hasCheckpoints: false });
  const { db } = run;
  await run.round();
  // Without a checkpoint the unlogged tables are empty now.
  assert.equal(run.unlogged.highest, 0);
  const more = db.newClient(1);
  for (let count = 0; count < 10; count++) assert.ok(await run.unlogged.runOne(count % 3, more));
  for (const load of [...run.moved, ...run.shared]) assert.ok(await load.runOne(more));
  more.close();
  const [mark] = (await db.rows('select max(n) from volatile_mark where client = 0')) as [number];
  const [kept] = (await db.rows('select max(n) from kept_mark where client = 0')) as [number];
  const client = run.clients.find(({ acknowledged }) => acknowledged > 1)!;
  const n = client.acknowledged;
  const { source, target } = client.transfers[n - 1]!;
  const credit = (id: number, amount: number): string => `update account set v = v + ${amount} where id = ${id}`;
  const own = `client = ${client.client} and n = ${n}`;
  const row = `(${client.client}, ${n}, 4, ${n % 20}, '')`;
  const canaries: readonly { readonly damage: string; readonly notice: RegExp; readonly repair: string }[] = [
    {
      // An acknowledged transfer is missing: the sum does not show it.
      damage: `${credit(source, n)}; ${credit(target, -n)}`,
      notice: /accounts/,
      repair: `${credit(source, -n)}; ${credit(target, n)}`,
    },
    { damage: credit(source, n), notice: /sum/, repair: credit(source, -n) },
    {
      damage: `update latest set n = n - 1 where client = ${client.client}`,
      notice: /client/,
      repair: `update latest set n = n + 1 where client = ${client.client}`,
    },
    {
      damage: `delete from marks where ${own} and part = 4`,
      notice: /client/,
      repair: `insert into marks values ${row}`,
    },
    {
      damage: `update numbered set label = 'other' where ${own}`,
      notice: /other/,
      repair: `update numbered set label = '${client.label(n)}' where ${own}`,
    },
    {
      damage: 'update volatile_order set n = n + 1',
      notice: /unlogged/,
      repair: 'update volatile_order set n = n - 1',
    },
    {
      damage: 'update volatile_order set n = n - 1',
      notice: /unlogged/,
      repair: 'update volatile_order set n = n + 1',
    },
    {
      damage: 'update volatile_account set v = v + 1 where id = 3',
      notice: /unlogged: accounts/,
      repair: 'update volatile_account set v = v - 1 where id = 3',
    },
    {
      // There in part.
      damage: `delete from volatile_mark where client = 0 and n = ${mark} and part = 1`,
      notice: new RegExp(`unlogged: client 0, ${mark}`),
      repair: `insert into volatile_mark values (0, ${mark}, 1, '')`,
    },
    {
      // One that was never sent, and the counter with it.
      damage: `insert into volatile_mark values (9, 1, 0, ''), (9, 1, 1, ''), (9, 1, 2, ''), (9, 1, 3, ''); update volatile_order set n = n + 1`,
      notice: /unlogged: nothing/,
      repair: 'delete from volatile_mark where client = 9; update volatile_order set n = n - 1',
    },
    {
      damage: `delete from kept_mark where client = 0 and n = ${kept}`,
      notice: new RegExp(`logged row ${kept} of client 0`),
      repair: `insert into kept_mark values (0, ${kept})`,
    },
    {
      // A token is lost; it is elsewhere than it was moved to.
      damage: `update token set name = 100 where client = 1 and name = 2`,
      notice: /moved: tokens of client 1/,
      repair: `update token set name = 2 where client = 1 and name = 100`,
    },
    {
      damage: `update token set id = id + 1 where client = 0`,
      notice: /moved: tokens of client 0/,
      repair: `update token set id = id - 1 where client = 0`,
    },
    {
      damage: `insert into token values (-2, -2, 0, 0, '')`,
      notice: /moved: tokens there are/,
      repair: 'delete from token where id = -2',
    },
    {
      damage: 'update common_account set v = v + 1 where id = 1; update common_account set v = v - 1 where id = 2',
      notice: /shared: accounts/,
      repair: 'update common_account set v = v - 1 where id = 1; update common_account set v = v + 1 where id = 2',
    },
    {
      damage: 'update common_latest set n = n - 1 where client = 2',
      notice: /shared: client 2/,
      repair: 'update common_latest set n = n + 1 where client = 2',
    },
    { damage: 'create schema stray', notice: /definitions/, repair: 'drop schema stray' },
    { damage: 'create index extra on account (id)', notice: /definitions/, repair: 'drop index extra on account' },
  ];
  for (const { damage, notice, repair } of canaries) {
    await db.text(damage);
    await assert.rejects(run.check(), notice, damage);
    await db.text(repair);
    await run.check();
  }
  const { highestId } = run;
  run.highestId = 2 ** 30;
  await assert.rejects(run.check(), /identity/);
  run.highestId = highestId;
  // A state older than a checkpoint that was acknowledged.
  const { saved } = run.unlogged;
  run.unlogged.saved = 2 ** 30;
  await assert.rejects(run.check(), /the checkpoint had/);
  run.unlogged.saved = saved;
  // An index that has lost a row.
  const askWrongly = (index: string) => async (sql: string) => {
    const [table, condition] = index.split(': ') as [string, string];
    const isByIndex = sql.startsWith('select') && sql.includes(`from ${table} where ${condition}`);
    return db.text(isByIndex ? sql.replace(condition, `${condition} and n <> ${n}`) : sql);
  };
  for (const index of ['marks: n >= 0', `marks: tag = ${n % 20}`, 'numbered: id >= 0', "numbered: label >= ''"]) {
    await assert.rejects(checkIndexes(askWrongly(index), 8, 40, false), /index \w+ of/, index);
  }
  await checkIndexes(askWrongly('none: none'), 8, 40, false);
  await run.check();
  await db.stop();
});

test('the checks notice a log without the last acknowledged transaction', async () => {
  const run = await CrashRun.start({ seed: 3, settings: [], print: () => {}, hasCheckpoints: false });
  const { db } = run;
  await run.round();
  const client = run.clients[0]!;
  const http = db.newClient(1);
  assert.ok(await client.runOne(http));
  http.close();
  await db.stop('SIGKILL');
  const path = walFiles(db).findLast((name) => readFileSync(name).includes(client.label(client.acknowledged)))!;
  const bytes = readFileSync(path);
  // The record ends in the middle of the label: a torn tail.
  writeFileSync(path, bytes.subarray(0, bytes.indexOf(client.label(client.acknowledged)) + 5));
  await db.restart();
  await assert.rejects(run.check(), new RegExp(`client 0: ${client.acknowledged - 1} after ${client.acknowledged}`));
  await db.stop();
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
