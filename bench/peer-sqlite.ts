/**
 * A peer in a process of its own: node:sqlite in memory, a prepared statement, one transaction a batch; no network.
 * Arguments: `insert`, `insert-rowid` or `upsert`, rows a batch, seconds. It prints rows a second.
 *
 * The tables are those of `amelie bench`: a key that counts up, and a random key below 100,000 with a counter. What `serial`
 * promises (no value is given twice, deleted rows or not) is AUTOINCREMENT in SQLite; `insert-rowid` goes without it, which
 * is faster and promises less.
 */

import { DatabaseSync } from 'node:sqlite';

const [type = 'insert', batchText = '500', secondsText = '10'] = process.argv.slice(2);
const batch = Number(batchText);
const seconds = Number(secondsText);
const KEY_COUNT = 100_000;

const database = new DatabaseSync(':memory:');
const begin = database.prepare('begin');
const commit = database.prepare('commit');

function makeInsert(attribute: string): () => void {
  database.exec(`create table test (id integer primary key ${attribute})`);
  const statement = database.prepare('insert into test default values');
  return () => {
    for (let row = 0; row < batch; row++) statement.run();
  };
}

function makeUpsert(): () => void {
  database.exec('create table test (id integer primary key, data integer default 0)');
  const statement = database.prepare('insert into test (id) values (?) on conflict (id) do update set data = data + 1');
  return () => {
    for (let row = 0; row < batch; row++) statement.run(Math.floor(Math.random() * KEY_COUNT));
  };
}

const runBatch = type === 'upsert' ? makeUpsert() : makeInsert(type === 'insert' ? 'autoincrement' : '');
const startMs = performance.now();
let rowCount = 0;
while (performance.now() - startMs < seconds * 1000) {
  begin.run();
  runBatch();
  commit.run();
  rowCount += batch;
}
console.log(JSON.stringify({ rowsPerSecond: (rowCount * 1000) / (performance.now() - startMs) }));
