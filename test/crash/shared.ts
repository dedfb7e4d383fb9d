/**
 * Clients of the crash rounds that change shared tables, in fences: transfers between accounts, of which each client counts
 * its own. Meanwhile readers on any node see the sum that never changes, and counts that never fall.
 */

import assert from 'node:assert/strict';
import type { HttpClient } from '../../src/bench/http-client.ts';
import type { SeededRandom } from '../../src/testing/random.ts';
import { checkError, type Database } from '../server/database.ts';

export const SHARED_CLIENT_COUNT = 3;
const ACCOUNT_COUNT = 9;
const BALANCE = 1000;

export const SHARED_LOAD_TABLES: readonly string[] = [
  'create shared table common_account (id int primary key, v bigint, filler text)',
  'create shared table common_latest (client int primary key, n int)',
  "create index common_n on common_latest (n) with (type = 'hash')",
  'create table read_mark (client int primary key, n int)',
  `insert into common_account values ${Array.from({ length: ACCOUNT_COUNT }, (_, id) => `(${id}, ${BALANCE}, '')`).join(', ')}`,
];

type Transfer = { readonly source: number; readonly target: number };

export class SharedLoad {
  readonly client: number;
  acknowledged = 0;
  readonly #random: SeededRandom;
  readonly #transfers: Transfer[] = [];

  constructor(client: number, random: SeededRandom) {
    this.client = client;
    this.#random = random;
  }

  /** Transactions and questions until the server is gone. */
  async run(http: HttpClient): Promise<void> {
    while ((await this.runOne(http)) && (await this.#ask(http)));
  }

  /** The next transaction; whether it was acknowledged: if not, the server is gone. */
  async runOne(http: HttpClient): Promise<boolean> {
    const { client } = this;
    const random = this.#random;
    const n = this.acknowledged + 1;
    const source = random.below(ACCOUNT_COUNT);
    const target = (source + 1 + random.below(ACCOUNT_COUNT - 1)) % ACCOUNT_COUNT;
    const filler = 'c'.repeat(random.below(300));
    const transaction = [
      `update common_account set v = v - ${n}, filler = '${filler}' where id = ${source}`,
      `update common_account set v = v + ${n} where id = ${target}`,
      `insert into common_latest values (${client}, ${n}) on conflict do update set n = excluded.n`,
    ].join('; ');
    if (random.oneIn(4)) {
      const failing = `${transaction}; insert into common_latest values (${client}, 0)`;
      const refusal = await http.send('POST', '/', 'text/plain', failing).catch(() => undefined);
      if (refusal === undefined) return false;
      checkError(refusal, 400, 'key_conflict', 'public.common_latest');
    }
    this.#transfers[n - 1] = { source, target };
    const reply = await http.send('POST', '/', 'text/plain', transaction).catch(() => undefined);
    if (reply === undefined) return false;
    assert.equal(reply.status, 204, reply.content);
    this.acknowledged = n;
    return true;
  }

  /** What any node reads beside what is its own: the sum, and this client's count. */
  async #ask(http: HttpClient): Promise<boolean> {
    const { client } = this;
    const questions = [
      [`select sum(v), count(*) from common_account`, `[[${ACCOUNT_COUNT * BALANCE}, ${ACCOUNT_COUNT}]]`],
      [`select n from common_latest where client = ${client}`, `[${this.acknowledged}]`],
    ] as const;
    const [sql, expected] = questions[this.#random.below(questions.length)]!;
    const mark = `insert into read_mark values (${client}, ${this.acknowledged}) on conflict do update set n = excluded.n`;
    const text = this.#random.oneIn(2) ? `${mark}; ${sql}` : sql;
    const reply = await http.send('POST', '/', 'text/plain', text).catch(() => undefined);
    if (reply === undefined) return false;
    assert.equal(reply.content, expected, text);
    return true;
  }

  /** What was acknowledged is there; the one in the air is or is not. Takes down which. */
  async check(db: Database): Promise<void> {
    const { client, acknowledged } = this;
    const [found = 0] = (await db.rows(`select n from common_latest where client = ${client}`)) as number[];
    assert.ok(
      found === acknowledged || found === acknowledged + 1,
      `shared: client ${client}: ${found}, ${acknowledged}`,
    );
    this.acknowledged = found;
  }

  /** The accounts are what the transactions of all make of them. */
  static async checkAccounts(db: Database, clients: readonly SharedLoad[]): Promise<void> {
    const balances = new Array<number>(ACCOUNT_COUNT).fill(BALANCE);
    for (const client of clients)
      for (let n = 1; n <= client.acknowledged; n++) {
        const { source, target } = client.#transfers[n - 1]!;
        balances[source]! -= n;
        balances[target]! += n;
      }
    const accounts = await db.rows("select v from common_account order by id format 'json'");
    assert.deepEqual(accounts, balances, 'shared: accounts');
    for (const { client, acknowledged } of clients) {
      const found = await db.rows(`select client from common_latest where n = ${acknowledged} format 'json'`);
      const isThere = acknowledged === 0 || (found as number[]).includes(client);
      assert.ok(isThere, `shared: index common_n, client ${client}`);
    }
  }
}
