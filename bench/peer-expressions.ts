/**
 * A peer in a process of its own: node:sqlite in memory, or a loop of expression-loops.ts. Arguments: the number of a family
 * in FAMILIES, and the number of rows. It makes its rows, prints one line, and then answers each line with a number of
 * seconds by one line of JSON: rows a second, and the answer of the query.
 */

import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { FAMILIES, TABLES, type TableName } from './expression-families.ts';
import { LOOPS } from './expression-loops.ts';
import { runRepeatedly } from './expression-runs.ts';

const [familyText = '0', rowCountText = '1000'] = process.argv.slice(2);
const family = FAMILIES[Number(familyText)]!;
const rowCount = Number(rowCountText);

function prepareSqlite(table: TableName, sql: string): () => readonly unknown[] {
  const { sqlite, row: makeRow } = TABLES[table];
  if (sqlite === undefined) throw new Error(`node:sqlite has no table ${table}`);
  const database = new DatabaseSync(':memory:');
  // LIKE ignores the case of ASCII letters in SQLite; here it must not.
  database.exec(`pragma case_sensitive_like = on; create table ${table} (id integer primary key, ${sqlite.columns})`);
  const insert = database.prepare(`insert into ${table} values (?, ${sqlite.values})`);
  database.exec('begin');
  for (let row = 0; row < rowCount; row++) {
    const values = makeRow(row).map((value) =>
      typeof value === 'object' && value !== null ? JSON.stringify(value) : value,
    );
    insert.run(row, ...(values as (string | number | null)[]));
  }
  database.exec('commit');
  const query = database.prepare(sql);
  return () => Object.values(query.get()!);
}

const peer = family.peer;
const runOnce = peer.kind === 'sqlite' ? prepareSqlite(family.table, peer.sql) : LOOPS[peer.loop]!(rowCount);
await runRepeatedly(0, rowCount, async () => runOnce());
console.log(JSON.stringify('ready'));
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await runRepeatedly(Number(line), rowCount, async () => runOnce())));
}
