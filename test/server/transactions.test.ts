/** Transactions over several nodes, from many connections at once: all of one, or nothing of it. */

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { SeededRandom } from '../../src/testing/random.ts';
import { checkError, checkReply, Database } from './database.ts';

let db: Database;
before(async () => {
  db = await Database.start();
});

test('a row that conflicts on another node takes back the whole insert, in every index', async () => {
  await db.text('create table wide (id int primary key, v int, t text)');
  await db.text('create index wide_v on wide (v)');
  await db.text('create index wide_t on wide (t)');
  const keys = Array.from({ length: 64 }, (_, id) => id);
  // Whatever the spread of keys over nodes: each key is in turn the one that is there already.
  for (const taken of keys) {
    await db.text(`insert into wide values (${taken}, 1, 'first')`);
    const first = (taken + 1) % 64;
    const third = (taken + 2) % 64;
    await db.fails(
      `insert into wide values (${first}, 2, 'second'), (${taken}, 2, 'second'), (${third}, 2, 'second')`,
      'key_conflict',
      `table 'public.wide': row with primary key (${taken}) already exists`,
    );
    checkReply(await db.send("select id, v, t from wide format 'json'"), 200, `[[${taken}, 1, "first"]]`);
    checkReply(await db.send('select id from wide where v = 2'), 200, '[]');
    checkReply(await db.send("select id from wide where t = 'second'"), 200, '[]');
    checkReply(await db.send('select id from wide where v = 1'), 200, `[${taken}]`);
    await db.text('delete from wide');
  }
});

test('a later statement that fails takes back the earlier ones', async () => {
  await db.text('create table before_it (id int primary key, v int)');
  await db.text('create index before_it_v on before_it (v)');
  await db.text(`insert into before_it values ${Array.from({ length: 100 }, (_, id) => `(${id}, ${id})`).join(', ')}`);
  const sum = 'select count(*), sum(v), min(v), max(v) from before_it';
  const state = await db.text(sum);
  await db.fails('update before_it set v = v + 1; delete from before_it where id > 50; select 1 / 0', 'zero_division');
  await db.fails('delete from before_it; insert into before_it values (1, 1), (2, 2), (1, 3)', 'key_conflict', '(1)');
  await db.fails('update before_it set v = v + 2147483600', 'out_of_range', "'v'");
  await db.fails('update before_it set v = 100 / (v - 50)', 'zero_division');
  assert.equal(await db.text(sum), state);
  for (const id of [0, 50, 99]) checkReply(await db.send(`select id from before_it where v = ${id}`), 200, `[${id}]`);
});

test('transfers between accounts on all nodes keep the sum, read at any time', async () => {
  const accountCount = 60;
  await db.text('create table account (id int primary key, balance int)');
  await db.text('create index account_balance on account (balance)');
  await db.text('create table journal (id serial primary key, source int, target int, amount int)');
  await db.text(
    `insert into account values ${Array.from({ length: accountCount }, (_, id) => `(${id}, 1000)`).join(', ')}`,
  );
  let doneCount = 0;
  let failedCount = 0;
  const transfer = async (seed: number): Promise<void> => {
    const random = new SeededRandom(seed);
    for (let round = 0; round < 150; round++) {
      const source = random.below(accountCount);
      const target = (source + 1 + random.below(accountCount - 1)) % accountCount;
      const amount = random.below(900);
      // Fails where the source would go below zero: a division by zero, after both updates.
      const reply = await db.send(
        `update account set balance = balance - ${amount} where id = ${source};` +
          `update account set balance = balance + ${amount} where id = ${target};` +
          `insert into journal (source, target, amount) values (${source}, ${target}, ${amount});` +
          `update account set balance = balance + 0 / (case when balance < 0 then 0 else 1 end) where id = ${source}`,
      );
      if (reply.status === 204) doneCount++;
      else {
        checkError(reply, 400, 'zero_division');
        failedCount++;
      }
    }
  };
  let isOver = false;
  let readCount = 0;
  const read = async (): Promise<void> => {
    while (!isOver) {
      checkReply(
        await db.send('select sum(balance), min(balance) >= 0, count(*) from account'),
        200,
        `[[${accountCount * 1000}, true, ${accountCount}]]`,
      );
      readCount++;
    }
  };
  const readers = [read(), read()];
  try {
    await Promise.all(Array.from({ length: 12 }, (_, client) => transfer(client + 1)));
  } finally {
    isOver = true;
  }
  await Promise.all(readers);
  assert.ok(readCount > 0 && doneCount > 0 && failedCount > 0, `${readCount} ${doneCount} ${failedCount}`);
  assert.deepEqual(await db.rows('select count(*) from journal'), [doneCount]);
  // Every balance follows from the journal, and the index agrees with the rows.
  const balances = new Map(Array.from({ length: accountCount }, (_, id) => [id, 1000]));
  const entries = (await db.rows("select source, target, amount from journal format 'json'")) as [
    number,
    number,
    number,
  ][];
  for (const [source, target, amount] of entries) {
    balances.set(source, balances.get(source)! - amount);
    balances.set(target, balances.get(target)! + amount);
  }
  assert.deepEqual(await db.rows("select id, balance from account order by id format 'json'"), [...balances.entries()]);
  for (const [id, balance] of balances) {
    const found = (await db.rows(`select id from account where balance = ${balance}`)) as number[];
    assert.ok(found.includes(id));
  }
});

test('one counter, many connections: every increment counts once', async () => {
  await db.text('create table counter (id int primary key, n bigint)');
  await db.text('insert into counter values (1, 9007199254740990), (2, 0), (3, 0), (4, 0)');
  const client = db.newClient(32);
  const seen: string[] = [];
  await Promise.all(
    Array.from({ length: 600 }, async () => {
      const reply = await client.send(
        'POST',
        '/',
        'text/plain',
        'update counter set n = n + 1 where id = 1 returning n',
      );
      seen.push(reply.content);
    }),
  );
  client.close();
  const expected = Array.from({ length: 600 }, (_, n) => `[${9007199254740991n + BigInt(n)}]`);
  assert.deepEqual(seen.sort(), expected);
});

test('identity values are given once each', async () => {
  await db.text('create table numbered (id serial primary key, v int)');
  const replies = await Promise.all(
    Array.from({ length: 200 }, () => db.text('insert into numbered (v) values (1), (2), (3) returning id')),
  );
  const ids = replies.flatMap((text) => JSON.parse(text) as number[]);
  assert.equal(new Set(ids).size, 600);
  await db.text('insert into numbered values (5000, 1)');
  const [next] = (await db.rows('insert into numbered (v) values (1) returning id')) as [number];
  assert.ok(next > 5000);
});
