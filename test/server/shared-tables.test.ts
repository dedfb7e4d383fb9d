/**
 * Shared tables that clients read on all backends while others change them, alone and together with other tables: real
 * threads, and invariants of what is read.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../src/testing/random.ts';
import { checkError, checkReply, Database } from './database.ts';

const ITEM_COUNT = 200;
const STOCK = 100;
const SUM = ITEM_COUNT * STOCK;
const BATCH_ROWS = 3000;
const TRANSFERS = 80;
const OTHER_COUNT = 40;
/** Rows of a shared table and of another, which are raised together, so that all of both have the same n. */
const LEVELS = { shared: 3000, other: 60 } as const;
const RAISES = 30;
const RAISE_SHARED = ['update shared_level set n = n + 1', 'update shared_level set n = n + 1, id = id + 5000'];
const RAISE_OTHER = ['update other_level set n = n + 1', 'update other_level set n = n + 1, id = id + 5000'];

const READS = [
  'select sum(n), count(*) % 3000 from stock',
  'select sum(n), count(*) % 3000 from stock where n > -100000',
  "select sum(n), count(*) % 3000 from stock where note >= ''",
  'begin; update other set n = n + 1 where id = 7; select sum(n), count(*) % 3000 from stock; commit',
  'begin; select count(*) from other; select sum(n), count(*) % 3000 from stock; commit',
  "begin; update other set n = n + 1; select sum(n), count(*) % 3000 from stock where note >= ''; commit",
];

/** What clients do until the writers among them are through. */
class Clients {
  /** What the items must have in the end. */
  readonly items: number[] = new Array<number>(ITEM_COUNT).fill(STOCK);
  readCount = 0;
  refusedCount = 0;
  /** How often both have been raised, and how often that was taken back. */
  level = 0;
  loweredCount = 0;
  isOver = false;
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async transfer(seed: number): Promise<void> {
    const random = new SeededRandom(seed);
    for (let turn = 0; turn < TRANSFERS; turn++) {
      const [from, to, amount] = [random.below(ITEM_COUNT), random.below(ITEM_COUNT), random.below(90)];
      // Where the source would go below zero it fails, when both have been changed.
      const reply = await this.#db.send(
        `begin; update stock set n = n - ${amount}, note = '${'n'.repeat(random.below(200))}' where id = ${from};` +
          `update stock set n = n + ${amount} where id = ${to};` +
          `update stock set n = n + 0 / (case when n < 0 then 0 else 1 end) where id = ${from}; commit`,
      );
      if (reply.status === 204) {
        this.items[from]! -= amount;
        this.items[to]! += amount;
      } else {
        checkError(reply, 400, 'zero_division');
        this.refusedCount++;
      }
    }
  }

  /** Rows whose sum is 0 come all at once, and go so. */
  async batch(client: number): Promise<void> {
    const first = 10_000 * (client + 1);
    const rows = Array.from(
      { length: BATCH_ROWS },
      (_, at) => `(${first + at}, ${at % 2 === 0 ? at : 1 - at}, 'b${at}')`,
    );
    const rest = BATCH_ROWS / 2;
    for (let turn = 0; turn < 6; turn++) {
      await this.#db.text(`insert into stock values ${rows.join(', ')}`);
      await this.#db.text(`update stock set note = 'c' where id >= ${first} and id < ${first + rest}`);
      await this.#db.text(`delete from stock where id >= ${first} and id < ${first + BATCH_ROWS}`);
    }
  }

  async read(seed: number): Promise<void> {
    const random = new SeededRandom(seed);
    while (!this.isOver) {
      const text = READS[random.below(READS.length)]!;
      checkReply(await this.#db.send(text), 200, `[[${SUM}, ${ITEM_COUNT}]]`);
      this.readCount++;
    }
  }

  async raise(seed: number): Promise<void> {
    const random = new SeededRandom(seed);
    for (let turn = 0; turn < RAISES; turn++) {
      const both = [RAISE_SHARED[random.below(2)]!, RAISE_OTHER[random.below(2)]!];
      if (random.oneIn(2)) both.reverse();
      // One row, which belongs to some node or other, or the tail.
      const fails = ['update other_level set n = n + 0 / (id % 60 - 7)', 'select 1 / (count(*) - 60) from other_level'];
      const isFailing = random.oneIn(4);
      if (isFailing) both.push(fails[random.below(2)]!);
      const reply = await this.#db.send(`begin; ${both.join('; ')}; commit`);
      if (isFailing) {
        checkError(reply, 400, 'zero_division');
        this.loweredCount++;
      } else {
        checkReply(reply, 204, '');
        this.level++;
      }
    }
  }

  /** Reads of one and the other by turns: all rows are at one level, which never falls, whichever is read. */
  async watchLevels(): Promise<void> {
    let level = 0;
    while (!this.isOver) {
      for (const [name, count] of Object.entries(LEVELS)) {
        const [[lowest, highest, rowCount]] = (await this.#db.rows(
          `select min(n), max(n), count(*) from ${name}_level format 'json'`,
        )) as [[number, number, number]];
        assert.deepEqual([lowest, rowCount], [highest, count], name);
        assert.ok(lowest >= level, `${name}: ${lowest} after ${level}`);
        level = lowest;
        this.readCount++;
      }
    }
  }

  /** Fails on all nodes when they have written, so that what ran behind it, fences too, is undone. */
  async fail(): Promise<void> {
    while (!this.isOver) {
      const text = `begin; update other set n = 0; select 1 / (count(*) - ${OTHER_COUNT}) from other; commit`;
      checkError(await this.#db.send(text), 400, 'zero_division');
      for (let turn = 0; turn < 30; turn++) await this.#db.text('update other set n = n + 1');
    }
  }

  /** Reads of a table that comes and goes. */
  async readFleeting(): Promise<void> {
    let foundCount = 0;
    while (!this.isOver) {
      const reply = await this.#db.send('select sum(n), count(*) from fleeting where n >= 0');
      if (reply.status !== 200) checkError(reply, 400, 'unknown_table');
      else {
        assert.ok(['[[null, 0]]', '[[3, 3]]'].includes(reply.content), reply.content);
        foundCount++;
      }
    }
    assert.ok(foundCount > 0);
  }

  async administer(): Promise<void> {
    for (let turn = 0; turn < 2; turn++) {
      await this.#db.text('checkpoint');
      await this.#db.text('create index by_note on stock (note, id)');
      await this.#db.text('drop index by_note on stock');
      await this.#db.text('create unlogged shared table fleeting (id int primary key, n int)');
      await this.#db.text('insert into fleeting values (1, 0), (2, 1), (3, 2)');
      for (let read = 0; read < 5; read++) await this.#db.text('select * from fleeting');
      await this.#db.text('drop table fleeting');
    }
  }
}

for (const [backends, sync] of [
  [2, false],
  [3, true],
] as const) {
  test(`every read sees whole transactions: ${backends} backends${sync ? ', with a log thread' : ''}`, async () => {
    const db = await Database.start(`--backends=${backends}`, '--frontends=2', `--wal_sync_on_write=${sync}`);
    await db.text('create shared table stock (id int primary key, n int, note text)');
    await db.text('create index by_n on stock (n)');
    await db.text('create table other (id int primary key, n int)');
    const items = Array.from({ length: ITEM_COUNT }, (_, id) => [id, STOCK, '']);
    checkReply(await db.import('/public/stock', 'application/json', JSON.stringify(items)), 204, '');
    await db.text(
      `insert into other values ${Array.from({ length: OTHER_COUNT }, (_, id) => `(${id}, 0)`).join(', ')}`,
    );
    for (const [name, count] of Object.entries(LEVELS)) {
      const rows = Array.from({ length: count }, (_, id) => `(${id}, 0)`);
      await db.text(`create ${name === 'shared' ? 'shared ' : ''}table ${name}_level (id int primary key, n int)`);
      await db.text(`insert into ${name}_level values ${rows.join(', ')}`);
    }
    const clients = new Clients(db);
    const readers = [1, 2, 3, 4].map((seed) => clients.read(seed));
    readers.push(clients.fail(), clients.readFleeting(), clients.watchLevels(), clients.watchLevels());
    try {
      const writers = [11, 12, 13].map((seed) => clients.transfer(seed));
      writers.push(...[21, 22].map((seed) => clients.raise(seed)));
      await Promise.all([...writers, clients.batch(0), clients.batch(1), clients.administer()]);
    } finally {
      clients.isOver = true;
    }
    await Promise.all(readers);
    assert.ok(clients.readCount > 20 && clients.refusedCount > 0, `${clients.readCount} ${clients.refusedCount}`);
    const question = "select id, n from stock order by id format 'json'";
    const expected = clients.items.map((n, id) => [id, n]);
    const check = async (): Promise<void> => {
      assert.deepEqual(await db.rows(question), expected);
      for (const [name, count] of Object.entries(LEVELS)) {
        const levels = await db.rows(`select min(n), max(n), count(*) from ${name}_level format 'json'`);
        assert.deepEqual(levels, [[clients.level, clients.level, count]], name);
      }
    };
    await check();
    assert.ok(clients.loweredCount > 0 && clients.level > 0);
    await db.stop('SIGKILL');
    await db.restart();
    await check();
    await db.stop();
  });
}
