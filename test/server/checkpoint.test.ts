/** Checkpoints of a running server: by statement and by interval, under load, cut short, and what the next start makes of them. */

import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { amelie } from '../cli/amelie.ts';
import { Database, until } from './database.ts';

function names(db: Database, folder: string): string[] {
  return readdirSync(join(db.directory, folder)).sort();
}

function logLines(db: Database): { message: string; [field: string]: unknown }[] {
  const text = readFileSync(join(db.directory, 'log'), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { message: string });
}

async function checkpointLsn(db: Database): Promise<number> {
  return ((await db.rows('show checkpoint')) as [number])[0];
}

/** Transfers that keep the sum, and rows that come and go, until told to stop; gives what was acknowledged. */
class Load {
  acknowledged = 0;
  isStopped = false;
  readonly #done: Promise<void>[] = [];

  constructor(db: Database, clientCount: number) {
    for (let client = 0; client < clientCount; client++) this.#done.push(this.#run(db, client));
  }

  async #run(db: Database, client: number): Promise<void> {
    for (let n = 0; !this.isStopped; n++) {
      const [from, to] = [(client * 97 + n * 13) % 2000, (client * 41 + n * 29 + 1) % 2000];
      const sql = [
        `update account set balance = balance - 1 where id = ${from}`,
        `update account set balance = balance + 1 where id = ${to}`,
        `insert into done values (${client}, ${n}, 'transfer ${n} of client ${client}')`,
      ].join('; ');
      const reply = await db.send(sql).catch(() => undefined);
      if (reply === undefined) return;
      assert.ok(reply.status < 300, reply.content);
      this.acknowledged++;
    }
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    await Promise.all(this.#done);
  }
}

async function makeTables(db: Database): Promise<void> {
  await db.text('create table account (id int primary key, balance bigint, filler text)');
  await db.text('create index by_balance on account (balance)');
  await db.text('create table done (client int, n int, note text, primary key (client, n))');
  const rows = Array.from({ length: 2000 }, (_, id) => `(${id}, 1000, '${'filler '.repeat(20)}')`);
  await db.text(`insert into account values ${rows.join(', ')}`);
}

async function checkSums(db: Database, acknowledged: number, unknown: number): Promise<void> {
  assert.equal(await db.text('select sum(balance) from account'), '[2000000]');
  const [count] = (await db.rows('select count(*) from done')) as [number];
  assert.ok(count >= acknowledged && count <= acknowledged + unknown, `${count} of ${acknowledged}`);
  const [indexed] = (await db.rows('select count(*) from account where balance > -1000000000')) as [number];
  assert.equal(indexed, 2000);
}

test('checkpoints under load, then a start: everything is there, and what was replaced is gone', async () => {
  const db = await Database.start('--format=json', '--wal_rotate_wm=65536');
  await makeTables(db);
  const load = new Load(db, 8);
  for (let round = 0; round < 3; round++) {
    const before = load.acknowledged;
    await until(() => load.acknowledged > before + 100);
    await db.text(round === 1 ? 'checkpoint workers 3' : 'checkpoint');
  }
  const lsn = await checkpointLsn(db);
  assert.deepEqual(names(db, 'checkpoint'), [String(lsn).padStart(20, '0')]);
  const wal = (await db.rows('show wal')) as [{ checkpoint: number; lsn_min: number; files: number }];
  assert.equal(wal[0].checkpoint, lsn);
  assert.ok(wal[0].lsn_min > 1 && wal[0].lsn_min <= lsn + 1);
  await load.stop();
  await db.stop('SIGKILL');
  await db.restart();
  await checkSums(db, load.acknowledged, 0);
  assert.equal(await checkpointLsn(db), lsn);
  const messages = logLines(db).map(({ message }) => message);
  for (const message of ['checkpoint begun', 'checkpoint written', 'loading a checkpoint', 'loaded a checkpoint'])
    assert.ok(messages.includes(message), message);
  // Without changes nothing is written.
  await db.text('checkpoint');
  await db.text('checkpoint');
  const [last] = (await db.rows('show lsn')) as [number];
  assert.deepEqual(names(db, 'checkpoint'), [String(last).padStart(20, '0')]);
  await db.stop();
});

test('a kill in the middle of a checkpoint: the unfinished one is removed, the one before is loaded', async () => {
  const db = await Database.start('--format=json');
  await makeTables(db);
  await db.text('checkpoint');
  const first = await checkpointLsn(db);
  let found = false;
  // A kill may come behind the rename; then another one is tried.
  for (let round = 0; round < 20 && !found; round++) {
    const load = new Load(db, 4);
    await until(() => load.acknowledged > 50);
    const checkpoint = db.send('checkpoint').catch(() => undefined);
    await until(() => names(db, 'checkpoint').some((name) => name.endsWith('.incomplete')) || load.isStopped);
    db.server.process.kill('SIGKILL');
    await Promise.all([load.stop(), checkpoint, db.server.ended]);
    found = names(db, 'checkpoint').some((name) => name.endsWith('.incomplete'));
    await db.restart();
    assert.ok(names(db, 'checkpoint').every((name) => /^\d{20}$/.test(name)));
    assert.ok((await checkpointLsn(db)) >= first);
    await checkSums(db, load.acknowledged, 4);
    await db.text('delete from done');
    if (found)
      assert.ok(logLines(db).some(({ message }) => message === 'a checkpoint was not finished; it is removed'));
  }
  assert.ok(found, 'a checkpoint was cut short');
  await db.stop();
});

test('checkpoint_interval takes checkpoints by itself', async () => {
  const db = await Database.start('--format=json', '--checkpoint_interval=1 second');
  await makeTables(db);
  await until(async () => (await checkpointLsn(db)) > 0);
  const first = await checkpointLsn(db);
  await db.text('update account set balance = 0');
  await until(async () => (await checkpointLsn(db)) > first);
  await db.stop();
});

test('a checkpoint that cannot be written: the client and the log are told, and the next one succeeds', async () => {
  const db = await Database.start('--format=json');
  await makeTables(db);
  // Something that cannot be removed as an unfinished checkpoint can.
  const inTheWay = join(db.directory, 'checkpoint', 'a file.incomplete');
  writeFileSync(inTheWay, 'no directory');
  await db.fails('checkpoint', 'checkpoint_failure', 'nothing is lost');
  assert.ok(logLines(db).some(({ message, level }) => message === 'checkpoint failed' && level === 'error'));
  assert.equal(await checkpointLsn(db), 0);
  await db.text('update account set balance = 1000 where id = 1');
  rmSync(inTheWay);
  await db.text('checkpoint');
  assert.ok((await checkpointLsn(db)) > 0);
  await db.stop();
});

test('a damaged file of a checkpoint stops the start, and nothing is changed', async () => {
  const db = await Database.start('--format=json');
  await makeTables(db);
  await db.text('checkpoint');
  await db.stop();
  const folder = join('checkpoint', names(db, 'checkpoint')[0]!);
  const rows = names(db, folder).filter((name) => name.endsWith('.rows'));
  const sizes = rows.map((name) => readFileSync(join(db.directory, folder, name)).length);
  const path = join(db.directory, folder, rows[sizes.indexOf(Math.max(...sizes))]!);
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(path, bytes);
  mkdirSync(join(db.directory, 'checkpoint', 'left.incomplete'));
  const { code, stderr } = await amelie(
    'start',
    db.directory,
    '--log_to_stdout=false',
    '--listen=[{"host":"127.0.0.1","port":0}]',
  );
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`${path}: offset \\d+: bad checksum`));
  assert.ok(names(db, 'checkpoint').includes('left.incomplete'));
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(path, bytes);
  await db.restart();
  await checkSums(db, 0, 0);
  assert.ok(!names(db, 'checkpoint').includes('left.incomplete'));
  await db.stop();
});
