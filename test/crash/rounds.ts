/**
 * Crash rounds: clients load a real server, SIGKILL ends it at a random point, the next start is checked, and goes on from
 * there. What must hold after each start:
 *
 *   - every acknowledged transaction is there, whole; of a client's transaction in the air, all or nothing
 *   - sums that every transaction keeps are kept; indexes agree with the rows
 *   - identity values go on above all that were seen
 *   - acknowledged DDL is there; one in the air is there or not
 */

import assert from 'node:assert/strict';
import type { HttpClient } from '../../src/bench/http-client.ts';
import { SeededRandom } from '../../src/testing/random.ts';
import { checkError, Database } from '../server/database.ts';

export type CrashOptions = {
  readonly roundCount: number;
  readonly seed: number;
  readonly settings: readonly string[];
  readonly print: (line: string) => void;
};

const CLIENT_COUNT = 8;
const PART_COUNT = 5;
const ACCOUNT_COUNT = 12;

/** Runs the rounds; throws an AssertionError, with the seed, at what is wrong. */
export async function runCrashRounds({ roundCount, seed, settings, print }: CrashOptions): Promise<Database> {
  const random = new SeededRandom(seed);
  const db = await Database.start(...settings);
  await db.text('create table marks (client int, n int, part int, filler text, primary key (client, n, part))');
  await db.text('create index marks_n on marks (n)');
  await db.text("create table latest (client int primary key, n int) with (type = 'hash')");
  await db.text('create table account (id int primary key, v bigint)');
  await db.text('create table numbered (id serial primary key, client int, n int)');
  const accounts = Array.from({ length: ACCOUNT_COUNT }, (_, id) => `(${id}, 9007199254740992)`);
  await db.text(`insert into account values ${accounts.join(', ')}`);
  const clients = Array.from(
    { length: CLIENT_COUNT },
    (_, client) => new LoadClient(client, new SeededRandom(random.int32())),
  );
  const definer = new Definer();
  for (let round = 1; round <= roundCount; round++) {
    const killAfter = 20 + random.below(600);
    const http = db.newClient(CLIENT_COUNT + 1);
    let doneCount = 0;
    let isKilled = false;
    const onDone = (): void => {
      if (++doneCount < killAfter || isKilled) return;
      isKilled = true;
      db.server.process.kill('SIGKILL');
    };
    await Promise.all([...clients.map((client) => client.run(http, onDone)), definer.run(http)]);
    assert.ok(isKilled, 'the load ends by the kill');
    http.close();
    await db.server.ended;
    await db.restart();
    try {
      for (const client of clients) await client.check(db);
      await definer.check(db);
      await checkWhole(db, clients);
    } catch (error) {
      (error as Error).message = `seed ${seed}, round ${round}: ${(error as Error).message}`;
      throw error;
    }
    const total = clients.reduce((sum, client) => sum + client.acknowledged, 0);
    print(`round ${round}: killed after ${doneCount} transactions, ${total} acknowledged in all are there`);
  }
  return db;
}

/** One client: its transactions are numbered, one is in the air at a time. */
class LoadClient {
  readonly client: number;
  /** The last one that the server has acknowledged, or that was found after a crash. */
  acknowledged = 0;
  readonly ids: number[] = [];
  readonly #random: SeededRandom;

  constructor(client: number, random: SeededRandom) {
    this.client = client;
    this.#random = random;
  }

  /** Sends transactions until the server is gone. */
  async run(http: HttpClient, onDone: () => void): Promise<void> {
    for (;;) {
      const transaction = this.#transaction(this.acknowledged + 1);
      if (this.#random.oneIn(4)) {
        // One row too many, when all nodes have written.
        const failing = `${transaction}; insert into marks values (${this.client}, ${this.acknowledged + 1}, 0, '')`;
        const refusal = await http.send('POST', '/', 'text/plain', failing).catch(() => undefined);
        if (refusal === undefined) return;
        checkError(refusal, 400, 'key_conflict', 'public.marks');
      }
      const reply = await http.send('POST', '/', 'text/plain', transaction).catch(() => undefined);
      if (reply === undefined) return;
      assert.equal(reply.status, 200, reply.content);
      this.acknowledged++;
      this.ids.push(...(JSON.parse(reply.content) as number[]));
      onDone();
    }
  }

  #transaction(n: number): string {
    const { client } = this;
    const random = this.#random;
    const filler = 'f'.repeat(random.below(300));
    const rows = Array.from({ length: PART_COUNT }, (_, part) => `(${client}, ${n}, ${part}, '${filler}')`);
    const source = random.below(ACCOUNT_COUNT);
    const target = (source + 1 + random.below(ACCOUNT_COUNT - 1)) % ACCOUNT_COUNT;
    return [
      `insert into marks values ${rows.join(', ')}`,
      `insert into latest values (${client}, ${n}) on conflict do update set n = excluded.n`,
      `update account set v = v - ${n} where id = ${source}`,
      `update account set v = v + ${n} where id = ${target}`,
      // What a transaction deletes stays deleted: of every tenth, the parts of the tenth before.
      `delete from marks where client = ${client} and n = ${n % 10 === 0 ? n - 10 : 0}`,
      `insert into numbered (client, n) values (${client}, ${n}) returning id`,
    ].join('; ');
  }

  async check(db: Database): Promise<void> {
    const { client, acknowledged } = this;
    const [found] = [...((await db.rows(`select n from latest where client = ${client}`)) as number[]), 0];
    assert.ok(found === acknowledged || found === acknowledged + 1, `client ${client}: ${found} after ${acknowledged}`);
    const expected: [number, number][] = [];
    const lastDeleted = Math.floor(found! / 10) * 10 - 10;
    for (let n = 1; n <= found!; n++) if (n % 10 !== 0 || n > lastDeleted) expected.push([n, PART_COUNT]);
    assert.deepEqual(
      await db.rows(`select n, count(*) from marks where client = ${client} group by n order by n format 'json'`),
      expected,
      `client ${client}`,
    );
    const numbered = (await db.rows(
      `select n, id from numbered where client = ${client} order by n format 'json'`,
    )) as [number, number][];
    assert.deepEqual(
      numbered.map(([n]) => n),
      Array.from({ length: found! }, (_, index) => index + 1),
    );
    for (const [index, id] of this.ids.entries()) assert.equal(numbered[index]![1], id);
    if (found! > acknowledged) this.ids.push(numbered[found! - 1]![1]);
    this.acknowledged = found!;
  }
}

/** Creates and drops a table and an index all the time. */
class Definer {
  #step = 0;
  readonly #statements: readonly string[] = [
    'create table side (id int primary key, v int)',
    'create index account_v on account (v)',
    'insert into side values (1, 1), (2, 2), (3, 3)',
    'drop index account_v on account',
    'drop table side',
  ];

  async run(http: HttpClient): Promise<void> {
    for (;;) {
      const statement = this.#statements[this.#step % this.#statements.length]!;
      const reply = await http.send('POST', '/', 'text/plain', statement).catch(() => undefined);
      if (reply === undefined) return;
      assert.equal(reply.status, 204, reply.content);
      this.#step++;
    }
  }

  async check(db: Database): Promise<void> {
    const found = await this.#found(db);
    const count = this.#statements.length;
    const now = this.#step % count;
    if (found === stateAfter((now + 1) % count) && found !== stateAfter(now)) this.#step++;
    else assert.equal(found, stateAfter(now));
  }

  async #found(db: Database): Promise<string> {
    const side = await db.send('select count(*), sum(v) from side');
    const [table] = (
      (await db.rows("show tables extended format 'json'")) as { name: string; indexes: unknown[] }[]
    ).filter(({ name }) => name === 'account');
    return `${side.status === 200 ? side.content : 'none'} ${table!.indexes.length}`;
  }
}

/** Table `side` and the number of indexes of `account` when so many of the definer's statements are done. */
function stateAfter(step: number): string {
  return ['none 1', '[[0, null]] 1', '[[0, null]] 2', '[[3, 6]] 2', '[[3, 6]] 1'][step]!;
}

async function checkWhole(db: Database, clients: readonly LoadClient[]): Promise<void> {
  const sum = BigInt(ACCOUNT_COUNT) * 9007199254740992n;
  assert.equal(await db.text('select sum(v), count(*) from account'), `[[${sum}, ${ACCOUNT_COUNT}]]`);
  const byIndex = (await db.rows("select count(*) from marks where n >= 0 format 'json'")) as [number];
  assert.deepEqual(await db.rows('select count(*) from marks'), byIndex);
  const highest = Math.max(-1, ...clients.flatMap((client) => client.ids));
  // Undone again: it only shows which value comes next.
  const reply = await db.send('insert into numbered (client, n) values (-1, -1) returning id; ');
  const [next] = JSON.parse(reply.content) as [number];
  assert.ok(next > highest, `${next} after ${highest}`);
  await db.text('delete from numbered where client = -1');
  const all = clients.flatMap((client) => client.ids);
  assert.equal(new Set(all).size, all.length);
}
