/**
 * Clients of the crash rounds whose rows move: each has some tokens, and every transaction gives all of them other primary keys,
 * so that they go to other partitions. Which tokens there are never changes; where they are follows from how many
 * transactions were done, which each token counts. Some transactions clash, in the middle of one or behind others.
 */

import assert from 'node:assert/strict';
import type { HttpClient } from '../../src/bench/http-client.ts';
import type { SeededRandom } from '../../src/testing/random.ts';
import { checkError, type Database } from '../server/database.ts';

export const MOVED_CLIENT_COUNT = 3;
const TOKEN_COUNT = 7;
/** Where the tokens of a client are: from client times this on. */
const SPACE = 1_000_000;
/** The row that never moves, and is in the way. */
const ANCHOR = -1;

export const MOVED_TABLES: readonly string[] = [
  'create table token (id int primary key, client int, name int, hops int, filler text)',
  'create index token_client on token (client)',
  `insert into token values (${ANCHOR}, ${ANCHOR}, 0, 0, ''), ${Array.from(
    { length: MOVED_CLIENT_COUNT * TOKEN_COUNT },
    (_, at) => `(${tokenAt(at)}, ${Math.floor(at / TOKEN_COUNT)}, ${at % TOKEN_COUNT}, 0, '')`,
  ).join(', ')}`,
];

function tokenAt(at: number): number {
  return Math.floor(at / TOKEN_COUNT) * SPACE + (at % TOKEN_COUNT);
}

export class MovedLoad {
  readonly client: number;
  /** Where each token is, by its name, after the last transaction that was acknowledged or found. */
  places: readonly number[];
  acknowledged = 0;
  readonly #random: SeededRandom;
  /** After the one in the air. */
  #next: readonly number[];

  constructor(client: number, random: SeededRandom) {
    this.client = client;
    this.#random = random;
    this.places = Array.from({ length: TOKEN_COUNT }, (_, name) => client * SPACE + name);
    this.#next = this.places;
  }

  /** Sends transactions until the server is gone. */
  async run(http: HttpClient): Promise<void> {
    while (await this.runOne(http));
  }

  /** The next transaction; whether it was acknowledged: if not, the server is gone. */
  async runOne(http: HttpClient): Promise<boolean> {
    const { client } = this;
    const random = this.#random;
    const own = `where client = ${client}`;
    const low = Math.min(...this.places);
    const high = Math.max(...this.places);
    const filler = 'm'.repeat(random.below(300));
    const isMirror = random.oneIn(3);
    const by = random.oneIn(2) ? 1 : 1 + random.below(500);
    const to = (id: number): number => (isMirror ? low + high - id : id + by);
    const expression = isMirror ? `${low} + ${high} - id` : `id + ${by}`;
    const transaction = `update token set id = ${expression}, hops = hops + 1, filler = '${filler}' ${own}`;
    if (random.oneIn(4)) {
      // All to one place, or one to where another is, behind rows that have moved.
      const clash = random.oneIn(2)
        ? `update token set id = ${low} ${own}`
        : `update token set id = ${ANCHOR} ${own} and name = ${random.below(TOKEN_COUNT)}`;
      const refusal = await http.send('POST', '/', 'text/plain', `${transaction}; ${clash}`).catch(() => undefined);
      if (refusal === undefined) return false;
      checkError(refusal, 400, 'key_conflict', 'public.token');
    }
    this.#next = this.places.map(to);
    const reply = await http.send('POST', '/', 'text/plain', `${transaction} returning id`).catch(() => undefined);
    if (reply === undefined) return false;
    assert.equal(reply.status, 200, reply.content);
    assert.deepEqual(sorted(JSON.parse(reply.content) as number[]), sorted(this.#next), 'moved: what is returned');
    this.places = this.#next;
    this.acknowledged++;
    return true;
  }

  /** All tokens are where the last transaction has left them, the one in the air included or not. Takes down which. */
  async check(db: Database): Promise<void> {
    const { client } = this;
    const rows = (sql: string): Promise<unknown> => db.rows(`${sql} format 'json'`);
    const found = (await rows(`select id, hops from token where client = ${client} order by name`)) as number[][];
    const states = [
      { places: this.places, count: this.acknowledged },
      { places: this.#next, count: this.acknowledged + 1 },
    ].map(({ places, count }) => ({ places, count, rows: places.map((id) => [id, count]) }));
    const state = states.find((each) => JSON.stringify(each.rows) === JSON.stringify(found));
    if (state === undefined) assert.deepEqual(found, states[0]!.rows, `moved: tokens of client ${client}`);
    else {
      this.places = state.places;
      this.acknowledged = state.count;
    }
    this.#next = this.places;
    // By the primary key, each in its partition.
    for (const id of this.places)
      assert.deepEqual(await rows(`select client from token where id = ${id}`), [client], `moved: token ${id}`);
    const count = await db.text('select count(*), count(distinct id) from token');
    const all = MOVED_CLIENT_COUNT * TOKEN_COUNT + 1;
    assert.equal(count, `[[${all}, ${all}]]`, 'moved: tokens there are');
  }
}

function sorted(ids: readonly number[]): number[] {
  return [...ids].sort((a, b) => a - b);
}
