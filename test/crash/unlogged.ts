/**
 * Clients of unlogged tables in the crash rounds. After a start these tables are as they were at the last checkpoint, all of
 * them at the same moment of the one order. Each transaction takes the next number from a counter, in an unlogged table too; so the
 * state that is found is of a moment exactly where the rows are those of the transactions up to the counter, and no others.
 * Every other transaction also inserts a row into a logged table, which is never lost.
 */

import assert from 'node:assert/strict';
import type { HttpClient } from '../../src/bench/http-client.ts';
import type { SeededRandom } from '../../src/testing/random.ts';
import { checkError, type Database } from '../server/database.ts';

const ACCOUNT_COUNT = 10;
const PART_COUNT = 4;
export const UNLOGGED_CLIENT_COUNT = 3;

export const UNLOGGED_TABLES: readonly string[] = [
  'create unlogged table volatile_order (id int primary key, n int)',
  'create unlogged table volatile_account (id int primary key, v bigint)',
  'create unlogged table volatile_mark (client int, n int, part int, filler text, primary key (client, n, part))',
  "create index volatile_n on volatile_mark (n) with (type = 'hash')",
  'create table kept_mark (client int, n int, primary key (client, n))',
];

/** A transaction that was sent: `order` is its number in the one order, where it was acknowledged. */
type Sent = { readonly source: number; readonly target: number; order: number | undefined };

export class UnloggedLoad {
  /** Of each client, those sent, by n; what no start has brought back is taken out. */
  readonly #sent: Map<number, Sent>[] = Array.from({ length: UNLOGGED_CLIENT_COUNT }, () => new Map());
  readonly #next: number[] = new Array<number>(UNLOGGED_CLIENT_COUNT).fill(1);
  /** Of each client, the n whose logged row was acknowledged; and those that may be there. */
  readonly #kept: Set<number>[] = Array.from({ length: UNLOGGED_CLIENT_COUNT }, () => new Set());
  readonly #maybeKept: Set<number>[] = Array.from({ length: UNLOGGED_CLIENT_COUNT }, () => new Set());
  readonly #random: SeededRandom;
  /** The highest number that was acknowledged; what the last checkpoint that was acknowledged has at least. */
  highest = 0;
  saved = 0;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** Sends transactions of one client until the server is gone. */
  async run(client: number, http: HttpClient): Promise<void> {
    while (await this.runOne(client, http));
  }

  /** The next transaction of a client; whether it was acknowledged: if not, the server is gone. */
  async runOne(client: number, http: HttpClient): Promise<boolean> {
    const random = this.#random;
    const n = this.#next[client]!++;
    const source = random.below(ACCOUNT_COUNT);
    const target = (source + 1 + random.below(ACCOUNT_COUNT - 1)) % ACCOUNT_COUNT;
    const isMixed = n % 2 === 0;
    const filler = 'u'.repeat(random.below(400));
    const rows = Array.from({ length: PART_COUNT }, (_, part) => `(${client}, ${n}, ${part}, '${filler}')`);
    const add = 'on conflict do update set v = v + excluded.v';
    const statements = [
      `insert into volatile_account values (${source}, ${-n}), (${target}, ${n}) ${add}`,
      `insert into volatile_mark values ${rows.join(', ')}`,
      `update volatile_mark set filler = filler || '!' where client = ${client} and n = ${n - 1} and part = 0`,
    ];
    if (isMixed) statements.push(`insert into kept_mark values (${client}, ${n})`);
    // The result of a request is that of its last statement.
    statements.push('insert into volatile_order values (0, 1) on conflict do update set n = n + 1 returning n');
    if (random.oneIn(5)) {
      // A row twice, when all nodes have written: nothing of it may stay.
      const failing = `${statements.join('; ')}; insert into volatile_mark values (${client}, ${n}, 0, '')`;
      const refusal = await http.send('POST', '/', 'text/plain', failing).catch(() => undefined);
      if (refusal === undefined) return false;
      checkError(refusal, 400, 'key_conflict', 'public.volatile_mark');
    }
    const sent: Sent = { source, target, order: undefined };
    this.#sent[client]!.set(n, sent);
    if (isMixed) this.#maybeKept[client]!.add(n);
    const reply = await http.send('POST', '/', 'text/plain', statements.join('; ')).catch(() => undefined);
    if (reply === undefined) return false;
    assert.equal(reply.status, 200, reply.content);
    [sent.order] = JSON.parse(reply.content) as [number];
    this.highest = Math.max(this.highest, sent.order!);
    if (isMixed) this.#kept[client]!.add(n);
    return true;
  }

  /** The state of one moment, no older than the last checkpoint. Takes down which. */
  async check(db: Database): Promise<void> {
    const rows = (sql: string): Promise<unknown> => db.rows(`${sql} format 'json'`);
    const [order = 0] = (await rows('select n from volatile_order')) as number[];
    assert.ok(order >= this.saved, `unlogged: ${order}, the checkpoint had ${this.saved}`);
    const found = (await rows(
      'select client, n, count(*) from volatile_mark group by client, n order by client, n',
    )) as number[][];
    for (const [client, n, count] of found) assert.equal(count, PART_COUNT, `unlogged: client ${client}, ${n}`);
    assert.equal(found.length, order, 'unlogged: as many transactions as were counted');
    const there = new Set(found.map(([client, n]) => `${client} ${n}`));
    const balances = new Map<number, number>();
    for (const [client, sent] of this.#sent.entries()) {
      for (const [n, { source, target, order: own }] of sent) {
        const isThere = there.delete(`${client} ${n}`);
        if (own !== undefined)
          assert.equal(isThere, own <= order, `unlogged: client ${client}, ${n}: ${own} of ${order}`);
        if (!isThere) {
          sent.delete(n);
          continue;
        }
        // Of one that was not answered the number is not known: it is there, and stays.
        sent.get(n)!.order ??= order;
        balances.set(source, (balances.get(source) ?? 0) - n);
        balances.set(target, (balances.get(target) ?? 0) + n);
      }
      await this.#checkKept(client, rows);
    }
    assert.deepEqual([...there], [], 'unlogged: nothing that was not sent, or that was lost before');
    const accounts = await rows('select id, v from volatile_account order by id');
    const expected = [...balances].sort(([a], [b]) => a - b);
    assert.deepEqual(accounts, expected, 'unlogged: accounts');
    await this.#checkIndex(db);
    this.highest = order;
    this.saved = order;
  }

  async #checkKept(client: number, rows: (sql: string) => Promise<unknown>): Promise<void> {
    const found = new Set((await rows(`select n from kept_mark where client = ${client}`)) as number[]);
    for (const n of this.#kept[client]!) assert.ok(found.has(n), `logged row ${n} of client ${client}`);
    for (const n of found) assert.ok(this.#maybeKept[client]!.has(n), `row ${n} of client ${client} was never sent`);
    this.#kept[client] = found;
    this.#maybeKept[client] = new Set(found);
  }

  async #checkIndex(db: Database): Promise<void> {
    const n = this.#next[0]! >> 1;
    const aggregates = 'select count(*), sum(client), sum(length(filler)) from volatile_mark where';
    const byIndex = `${aggregates} n = ${n}`;
    assert.match(await db.text(`explain ${byIndex}`), /"index": "volatile_n"/);
    assert.equal(await db.text(byIndex), await db.text(`${aggregates} n + 0 = ${n}`), 'index volatile_n');
  }
}
