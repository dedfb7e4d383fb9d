/** Clients of the soak test beside those that change rows: definitions, imports, questions, checkpoints, connections. */

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import type { HttpClient } from '../../src/bench/http-client.ts';
import type { SeededRandom } from '../../src/testing/random.ts';
import { checkError, type Database, encodeRequest } from '../server/database.ts';

export type Actor = (db: Database, http: HttpClient, random: SeededRandom, isOver: () => boolean) => Promise<void>;

/** Tables, indexes and schemas come and go; at the end nothing of them is left. */
const define: Actor = async (_db, http, random, isOver) => {
  while (!isOver()) {
    const kind = random.oneIn(2) ? 'unlogged ' : '';
    const rows = Array.from({ length: 400 }, (_, id) => `(${id}, '${'d'.repeat(random.below(200))}')`);
    await http.sql('create schema passing');
    await http.sql(`create ${kind}table passing.t (id int primary key, v text)`);
    await http.sql(`insert into passing.t values ${rows.join(', ')}`);
    await http.sql('create index passing_v on passing.t (v)');
    await http.sql("create index rows_note on logged_rows (n) with (type = 'hash')");
    await http.sql('update passing.t set v = v where id < 100');
    if (random.oneIn(2)) await http.sql('drop index passing_v on passing.t');
    await http.sql('drop index rows_note on logged_rows');
    const refused = await http.send('POST', '/', 'text/plain', 'drop schema passing');
    checkError(refused, 400, 'dependent_objects');
    await http.sql('drop schema passing cascade');
  }
};

/** Files go in and are deleted again; a wrong row fails the whole of one. */
const importRows: Actor = async (_db, http, random, isOver) => {
  while (!isOver()) {
    const count = 1 + random.below(400);
    const text = (id: number): string => 'i'.repeat((id * 7) % 90);
    const lines = Array.from({ length: count }, (_, id) => JSON.stringify([id, text(id), { id }])).join('\n');
    const csv = Array.from({ length: count }, (_, id) => `${1000 + id},"${text(id)}","{""id"": ${id}}"`).join('\n');
    await http.post('/public/imported', 'application/jsonl', lines);
    await http.post('/public/imported', 'text/csv', csv);
    const wrong = await http.send('POST', '/public/imported', 'text/csv', `5000,a,1\n5001,b,1\nno number,c,1`);
    assert.equal(wrong.status, 400, wrong.content);
    const twice = await http.send('POST', '/public/imported', 'application/jsonl', '[6000,"",1]\n[0,"",1]');
    checkError(twice, 400, 'key_conflict');
    assert.equal(await http.sql('select count(*) from imported'), `[${2 * count}]`);
    await http.sql('delete from imported');
  }
};

/** Questions over all rows, large results among them, and texts that the server has not met before. */
const ask: Actor = async (_db, http, random, isOver) => {
  while (!isOver()) {
    const name = `c${random.below(1_000_000)}`;
    await http.sql(`select owner as ${name}, count(*), sum(n), max(length(note)) from logged_rows group by owner`);
    await http.sql(`select * from unlogged_rows where n > ${random.below(2000)} order by n desc limit 20`);
    await http.sql('select id, doc.tags from shared_rows where doc.hits::int > 3 order by id, owner');
    await http.sql('select id, doc.tags from logged_rows where doc.hits::int > 3 order by id, owner');
    const reply = await http.send(
      'POST',
      '/',
      'application/json',
      JSON.stringify({
        sql: `select $1 || note as ${name} from logged_rows where id = $2`,
        params: ['p', random.below(300)],
      }),
    );
    assert.equal(reply.status, 200, reply.content);
    for (const [sql, code] of [
      [`select ${name} from logged_rows`, 'unknown_column'],
      [`select * from ${name}`, 'unknown_table'],
      ['selec 1', 'syntax_error'],
      ["select 'x'::int + n from logged_rows", 'invalid_value'],
    ] as const)
      checkError(await http.send('POST', '/', 'text/plain', sql), 400, code);
  }
};

/** By statement; checkpoint_interval takes others in between. */
const checkpoint: Actor = async (_db, http, random, isOver) => {
  while (!isOver()) {
    await http.sql(random.oneIn(2) ? 'checkpoint' : 'checkpoint workers 2');
    const pauseMs = random.below(3000);
    for (const startMs = performance.now(); performance.now() - startMs < pauseMs && !isOver(); )
      await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

/** Connections come and go, some of them in the middle of a request, or before its answer. */
const reconnect: Actor = async (db, _http, random, isOver) => {
  while (!isOver()) {
    const fresh = db.newClient(2);
    await Promise.all([fresh.sql('select 1'), fresh.sql('select count(*) from logged_rows')]);
    fresh.close();
    const bytes = encodeRequest('/', 'text/plain', `select * from logged_rows where id < ${random.below(300)}`);
    const cut = random.oneIn(2) ? bytes : bytes.subarray(0, random.below(bytes.length));
    await new Promise<void>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port: db.port }, () => {
        socket.write(cut, () => socket.destroy());
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve());
    });
  }
};

/** They run for the first half of a phase: with another catalog all programs are compiled again, so none pile up. */
export const DEFINERS: readonly Actor[] = [define];
export const ACTORS: readonly Actor[] = [importRows, ask, checkpoint, reconnect];
