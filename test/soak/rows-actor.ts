/**
 * A client that changes rows of its own in a table with those of others, and knows what they are: updates of every kind, of
 * primary keys too, deletes, and the same keys again with texts and JSON of other lengths; many of its transactions fail and are
 * undone.
 */

import assert from 'node:assert/strict';
import type { HttpClient } from '../../src/bench/http-client.ts';
import type { SeededRandom } from '../../src/testing/random.ts';
import { checkError, type Database } from '../server/database.ts';

const KEY_COUNT = 300;

type Row = { n: number; note: string; doc: { hits: number; tags: string[] } };

/** Columns of the tables of rows. */
export const ROWS_COLUMNS = 'owner int, id int, n bigint, note text, doc json, primary key (owner, id)';

export class RowsActor {
  transactionCount = 0;
  readonly #table: string;
  readonly #owner: number;
  readonly #random: SeededRandom;
  #rows = new Map<number, Row>();
  readonly #canMove: boolean;

  /** @param canMove rows of the table may get other primary keys */
  constructor(table: string, owner: number, random: SeededRandom, canMove: boolean) {
    this.#table = table;
    this.#canMove = canMove;
    this.#owner = owner;
    this.#random = random;
  }

  /** Inserts a row for every key. */
  async fill(http: HttpClient): Promise<void> {
    for (let id = 0; id < KEY_COUNT; id++) {
      const row = { n: id, note: this.#note(), doc: { hits: 0, tags: [] } };
      this.#rows.set(id, row);
    }
    const rows = [...this.#rows].map(
      ([id, { n, note, doc }]) => `(${this.#owner}, ${id}, ${n}, '${note}', ${JSON.stringify(doc)})`,
    );
    await http.sql(`insert into ${this.#table} values ${rows.join(', ')}`);
  }

  async run(http: HttpClient, isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      await this.#step(http);
      this.transactionCount++;
    }
  }

  async #step(http: HttpClient): Promise<void> {
    const random = this.#random;
    const id = random.below(KEY_COUNT);
    const where = `owner = ${this.#owner} and id = ${id}`;
    const row = this.#rows.get(id);
    switch (random.below(this.#canMove ? 10 : 9)) {
      case 0:
      case 1:
        if (row === undefined) return this.#insert(http, id);
        await http.sql(`delete from ${this.#table} where ${where}`);
        this.#rows.delete(id);
        return;
      case 2:
        return this.#insert(http, id);
      case 3:
        await this.#change(http, `update ${this.#table} set n = n + 7 where ${where}`, row, (own) => {
          own.n += 7;
        });
        return;
      case 4: {
        const note = this.#note();
        await this.#change(http, `update ${this.#table} set note = '${note}' where ${where}`, row, (own) => {
          own.note = note;
        });
        return;
      }
      case 5: {
        const tags = Array.from({ length: random.below(40) }, (_, tag) => `tag ${tag}`);
        const sql = `update ${this.#table} set doc.hits = ${id}, doc.tags = ${JSON.stringify(tags)} where ${where}`;
        await this.#change(http, sql, row, (own) => {
          own.doc = { hits: id, tags };
        });
        return;
      }
      case 6:
        return this.#many(http);
      case 7:
        return this.#fail(http, id);
      case 9:
        return this.#move(http);
      default: {
        const found = JSON.parse(await http.sql(`select n from ${this.#table} where ${where}`));
        assert.deepEqual(found, row === undefined ? [] : [row.n]);
      }
    }
  }

  /** Inserts the row, or merges into the one that is there. */
  async #insert(http: HttpClient, id: number): Promise<void> {
    const note = this.#note();
    const n = this.#random.below(1000);
    const doc = { hits: 0, tags: [note.slice(0, 30)] };
    const values = `(${this.#owner}, ${id}, ${n}, '${note}', ${JSON.stringify(doc)})`;
    await http.sql(
      `insert into ${this.#table} values ${values} on conflict do update set n = n + excluded.n, note = excluded.note`,
    );
    const row = this.#rows.get(id);
    if (row === undefined) this.#rows.set(id, { n, note, doc });
    else Object.assign(row, { n: row.n + n, note });
  }

  /** All rows of this client in one transaction of several statements. */
  async #many(http: HttpClient): Promise<void> {
    const half = this.#random.below(KEY_COUNT);
    const mine = `where owner = ${this.#owner} and`;
    await http.sql(
      `update ${this.#table} set n = n + 1 ${mine} id >= ${half}; delete from ${this.#table} ${mine} id < ${half >> 4}`,
    );
    for (const [id, row] of this.#rows) {
      if (id >= half) row.n++;
      if (id < half >> 4) this.#rows.delete(id);
    }
  }

  /** Every row gets the key that is as far from the other end; or some get one key, which is refused. */
  async #move(http: HttpClient): Promise<void> {
    const mine = `where owner = ${this.#owner}`;
    const chosen = [...this.#rows.keys()].filter((id) => id < 40);
    if (this.#random.oneIn(3) && chosen.length > 1) {
      const sql = `update ${this.#table} set n = n + 1 ${mine}; update ${this.#table} set id = 1 ${mine} and id < 40`;
      checkError(await http.send('POST', '/', 'text/plain', sql), 400, 'key_conflict');
      return;
    }
    await http.sql(`update ${this.#table} set id = ${KEY_COUNT - 1} - id, n = n + 1 ${mine}`);
    const moved = [...this.#rows].map(([id, row]) => [KEY_COUNT - 1 - id, { ...row, n: row.n + 1 }] as const);
    this.#rows = new Map(moved);
  }

  /** Writes on all nodes, and fails at the end: nothing of it stays. */
  async #fail(http: HttpClient, id: number): Promise<void> {
    const rows = Array.from({ length: 20 }, (_, n) => `(${this.#owner}, ${1000 + n}, 0, '${this.#note()}', null)`);
    const head = `update ${this.#table} set n = n + 1 where owner = ${this.#owner}`;
    const isConflict = this.#random.oneIn(2);
    const last = isConflict
      ? `insert into ${this.#table} values ${[...rows, rows[0]].join(', ')}`
      : `insert into ${this.#table} values ${rows.join(', ')}; select ${id} / (n - n) from ${this.#table} where id = 1000`;
    const reply = await http.send('POST', '/', 'text/plain', `${head}; ${last}`);
    checkError(reply, 400, isConflict ? 'key_conflict' : 'zero_division');
  }

  async #change(http: HttpClient, sql: string, row: Row | undefined, change: (row: Row) => void): Promise<void> {
    await http.sql(sql);
    if (row !== undefined) change(row);
  }

  /** Of all lengths; a few are longer than a page. */
  #note(): string {
    const random = this.#random;
    const length = random.oneIn(60) ? random.below(40_000) : random.below(300);
    return String.fromCharCode(97 + random.below(26)).repeat(length);
  }

  /** The rows are those that this client has left. */
  async check(db: Database): Promise<void> {
    const { client } = db;
    const sql = `select id, n, note, doc from ${this.#table} where owner = ${this.#owner} order by id`;
    const reply = await client.send('POST', '/', 'application/json', JSON.stringify({ sql, format: 'json' }));
    assert.equal(reply.status, 200, reply.content);
    const expected = [...this.#rows].sort(([a], [b]) => a - b).map(([id, { n, note, doc }]) => [id, n, note, doc]);
    assert.deepEqual(JSON.parse(reply.content), expected, `rows of ${this.#table}, owner ${this.#owner}`);
    const byIndex = `select count(*), sum(id) from ${this.#table} where n >= 0 and owner = ${this.#owner}`;
    const byScan = byIndex.replace('n >= 0', 'n + 0 >= 0');
    assert.equal(await db.text(byIndex), await db.text(byScan), `index of ${this.#table}`);
  }
}
