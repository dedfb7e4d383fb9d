/** One client of the load: its transactions are numbered, one is in the air at a time, and it knows what each has to leave. */

import assert from 'node:assert/strict';
import type { HttpClient } from '../../src/bench/http-client.ts';
import type { SeededRandom } from '../../src/testing/random.ts';
import { checkError, type Database } from '../server/database.ts';

export const ACCOUNT_COUNT = 12;
const PART_COUNT = 5;
const TAG_COUNT = 20;

export const LOAD_TABLES: readonly string[] = [
  'create table marks (client int, n int, part int, tag int, filler text, primary key (client, n, part))',
  'create index marks_n on marks (n)',
  "create index marks_tag on marks (tag) with (type = 'hash')",
  "create table latest (client int primary key, n int) with (type = 'hash')",
  'create table account (id int primary key, v bigint)',
  'create table numbered (id serial primary key, client int, n int, label text)',
  'create index numbered_label on numbered (label)',
  `insert into account values ${Array.from({ length: ACCOUNT_COUNT }, (_, id) => `(${id}, 9007199254740992)`).join(', ')}`,
];

export type Transfer = { readonly source: number; readonly target: number };

export class LoadClient {
  readonly client: number;
  /** The last one that the server has acknowledged, or that was found after a crash. */
  acknowledged = 0;
  /** Of each transaction, from the first on: the identity value it got, and between which accounts it moved its number. */
  readonly ids: number[] = [];
  readonly transfers: Transfer[] = [];
  readonly #random: SeededRandom;

  constructor(client: number, random: SeededRandom) {
    this.client = client;
    this.#random = random;
  }

  /** Sends transactions until the server is gone. */
  async run(http: HttpClient, onDone: () => void): Promise<void> {
    while (await this.runOne(http)) onDone();
  }

  /** The next transaction; whether it was acknowledged: if not, the server is gone. */
  async runOne(http: HttpClient): Promise<boolean> {
    const transaction = this.#transaction(this.acknowledged + 1);
    if (this.#random.oneIn(4)) {
      // One row too many, when all nodes have written.
      const failing = `${transaction}; insert into marks values (${this.client}, ${this.acknowledged + 1}, 0, 0, '')`;
      const refusal = await http.send('POST', '/', 'text/plain', failing).catch(() => undefined);
      if (refusal === undefined) return false;
      checkError(refusal, 400, 'key_conflict', 'public.marks');
    }
    const reply = await http.send('POST', '/', 'text/plain', transaction).catch(() => undefined);
    if (reply === undefined) return false;
    assert.equal(reply.status, 200, reply.content);
    this.acknowledged++;
    this.ids.push(...(JSON.parse(reply.content) as number[]));
    return true;
  }

  #transaction(n: number): string {
    const { client } = this;
    const random = this.#random;
    const filler = 'f'.repeat(random.below(300));
    const rows = Array.from(
      { length: PART_COUNT },
      (_, part) => `(${client}, ${n}, ${part}, ${n % TAG_COUNT}, '${filler}')`,
    );
    const source = random.below(ACCOUNT_COUNT);
    const target = (source + 1 + random.below(ACCOUNT_COUNT - 1)) % ACCOUNT_COUNT;
    this.transfers[n - 1] = { source, target };
    return [
      `insert into marks values ${rows.join(', ')}`,
      `update marks set tag = tag + ${TAG_COUNT} where client = ${client} and n = ${n - 1}`,
      `insert into latest values (${client}, ${n}) on conflict do update set n = excluded.n`,
      `update account set v = v - ${n} where id = ${source}`,
      `update account set v = v + ${n} where id = ${target}`,
      // What a transaction deletes stays deleted: of every tenth, the parts of the tenth before.
      `delete from marks where client = ${client} and n = ${n % 10 === 0 ? n - 10 : 0}`,
      `insert into numbered (client, n, label) values (${client}, ${n}, '${this.label(n)}') returning id`,
    ].join('; ');
  }

  /** A text of the transaction that no other one has. */
  label(n: number): string {
    return `client ${this.client} transaction ${n}.`;
  }

  /** Every acknowledged transaction is there as a whole; the one in the air too, or nothing of it. Takes down which. */
  async check(db: Database): Promise<void> {
    const { client, acknowledged } = this;
    const [found] = [...((await db.rows(`select n from latest where client = ${client}`)) as number[]), 0];
    assert.ok(found === acknowledged || found === acknowledged + 1, `client ${client}: ${found} after ${acknowledged}`);
    const expected: number[][] = [];
    const lastDeleted = Math.floor(found! / 10) * 10 - 10;
    for (let n = 1; n <= found!; n++) {
      if (n % 10 === 0 && n <= lastDeleted) continue;
      const tag = (n % TAG_COUNT) + (n < found! ? TAG_COUNT : 0);
      expected.push([n, PART_COUNT, tag, tag]);
    }
    const marks = `select n, count(*), min(tag), max(tag) from marks where client = ${client} group by n order by n format 'json'`;
    assert.deepEqual(await db.rows(marks), expected, `client ${client}`);
    const numbered = (await db.rows(
      `select n, id, label from numbered where client = ${client} order by n format 'json'`,
    )) as [number, number, string][];
    assert.deepEqual(
      numbered.map(([n, , label]) => [n, label]),
      Array.from({ length: found! }, (_, index) => [index + 1, this.label(index + 1)]),
    );
    for (const [index, id] of this.ids.entries()) assert.equal(numbered[index]![1], id);
    if (found! > acknowledged) this.ids.push(numbered[found! - 1]![1]);
    this.acknowledged = found!;
  }
}
