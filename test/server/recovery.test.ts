/** A start of a real server: a large log is replayed by several threads, a small one by main, and partitions are loaded by several. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Database } from './database.ts';

const ROWS_PER_REQUEST = 2000;
const REQUESTS = 24;
const TEXT = 'a text that makes the log long enough '.repeat(5);

/** The last line of the server log with that message. */
function lastLine(db: Database, message: string): Record<string, unknown> {
  const lines = readFileSync(join(db.directory, 'log'), 'utf8').trim().split('\n');
  const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  const found = parsed.findLast((line) => line.message === message);
  assert.ok(found !== undefined, message);
  return found;
}

async function load(db: Database): Promise<void> {
  for (let request = 0; request < REQUESTS; request++) {
    const first = request * ROWS_PER_REQUEST;
    const rows = Array.from({ length: ROWS_PER_REQUEST }, (_, offset) => `(${(first + offset) % 97}, '${TEXT}')`);
    await db.text(`insert into rows (n, s) values ${rows.join(', ')}`);
    if (request === REQUESTS >> 1) await db.text('create index by_n on rows (n)');
  }
  await db.text('update rows set n = n + 1000 where id % 3 = 0');
  await db.text('delete from rows where id % 5 = 0');
}

const QUESTIONS = [
  'select count(*), sum(n), min(id), max(id) from rows',
  'select count(*), sum(id) from rows where n = 1017',
  'select id, n from rows where id in (1, 2, 3, 30000, 59999) order by id',
];

test('a large log is replayed by threads, a checkpoint is loaded by threads, a small log by main', async () => {
  const db = await Database.start('--format=json', '--backends=4');
  await db.text('create table rows (id serial primary key, n int, s text)');
  await load(db);
  const answers = async (): Promise<string[]> => {
    const texts: string[] = [];
    for (const question of QUESTIONS) texts.push(await db.text(question));
    return texts;
  };
  const before = await answers();
  await db.stop('SIGKILL');
  await db.restart();
  assert.deepEqual(await answers(), before);
  assert.equal(lastLine(db, 'recovered').threads, availableParallelism());
  // Identities go on behind the highest value.
  await db.text('insert into rows (n, s) values (5, null)');
  const highest = REQUESTS * ROWS_PER_REQUEST;
  const [next] = (await db.rows('select max(id) from rows')) as [number];
  assert.ok(next > highest - 5 && next <= highest + 100_000, String(next));
  await db.text('checkpoint');
  await db.text('delete from rows where n = 5 and s is null');
  await db.stop('SIGKILL');
  await db.restart();
  assert.deepEqual(await answers(), before);
  assert.equal(lastLine(db, 'recovered').threads, 1);
  assert.ok(Number(lastLine(db, 'loaded a checkpoint').rows) > 0);
  await db.stop();
});
