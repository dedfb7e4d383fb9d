/** The log thread of a real server: the sync setting changes under load, and files that cannot be synced. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Database, until } from './database.ts';

const CLIENT_COUNT = 8;

/** Clients that insert keys of their own until they are stopped; each notes what was acknowledged, and what was refused. */
class Inserters {
  readonly acknowledged: number[] = [];
  readonly refused: number[] = [];
  private readonly done: Promise<unknown>;
  private isStopping = false;

  constructor(db: Database, first: number) {
    this.done = Promise.all(Array.from({ length: CLIENT_COUNT }, (_, client) => this.run(db, first + client)));
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    await this.done;
  }

  private async run(db: Database, first: number): Promise<void> {
    for (let key = first; !this.isStopping; key += CLIENT_COUNT) {
      const { status, content } = await db.send(`insert into t values (${key}, '${'v'.repeat(100)}')`);
      if (status < 300) this.acknowledged.push(key);
      else {
        assert.match(content, /log_failure/);
        this.refused.push(key);
      }
    }
  }
}

const logFiles = (db: Database): string[] =>
  readdirSync(join(db.directory, 'wal')).filter((name) => name.endsWith('.wal'));

async function checkKeys(db: Database, acknowledged: readonly number[]): Promise<void> {
  const expected = [...acknowledged].sort((a, b) => a - b);
  assert.deepEqual(JSON.parse(await db.text('select id from t order by id')), expected);
}

test('SET wal_sync_on_write under load, with files that fill up: nothing hangs, and nothing is lost', async () => {
  const db = await Database.start('--format=json', '--wal_rotate_wm=20000');
  await db.text('create table t (id int primary key, v text)');
  const inserters = new Inserters(db, 0);
  for (let round = 0; round < 6; round++) {
    const before = inserters.acknowledged.length;
    await db.text(`set wal_sync_on_write to ${round % 2 === 0}`);
    await until(() => inserters.acknowledged.length > before + 100);
  }
  await inserters.stop();
  assert.deepEqual(inserters.refused, []);
  assert.ok(logFiles(db).length >= 3, `${logFiles(db).length} files`);
  db.server.process.kill('SIGKILL');
  await db.server.ended;
  await db.restart();
  await checkKeys(db, inserters.acknowledged);
  await db.text('checkpoint');
  await until(() => logFiles(db).length === 1);
  await db.stop();
});

for (const syncOnWrite of [false, true])
  test(`a log whose folder is gone for a while, sync on write ${syncOnWrite}: reads go on, and writes come back`, async () => {
    const db = await Database.start('--format=json', '--wal_rotate_wm=20000', `--wal_sync_on_write=${syncOnWrite}`);
    await db.text('create table t (id int primary key, v text)');
    const folder = join(db.directory, 'wal');
    const inserters = new Inserters(db, 0);
    await until(() => inserters.acknowledged.length > 50);
    renameSync(folder, `${folder}.away`);
    await until(() => inserters.refused.length > 0);
    const taken = inserters.acknowledged.length;
    assert.ok(Number(JSON.parse(await db.text('select count(*) from t'))) >= taken);
    renameSync(`${folder}.away`, folder);
    const refusedCount = inserters.refused.length;
    await until(() => inserters.acknowledged.length > taken + 50);
    await inserters.stop();
    assert.ok(refusedCount > 0);
    // A full file that could not be synced has acknowledged records; one that could not be made has none.
    const isUnsynced = !syncOnWrite;
    assert.equal(Number(JSON.parse(await db.text('show checkpoint'))) > 0, isUnsynced);
    const serverLog = readFileSync(join(db.directory, 'log'), 'utf8');
    assert.equal(serverLog.includes('the log takes writes again'), isUnsynced);
    db.server.process.kill('SIGKILL');
    await db.server.ended;
    await db.restart();
    await checkKeys(db, inserters.acknowledged);
    await db.stop();
  });
