/**
 * UPDATE of primary key columns over several backends: rows move between partitions in two steps of one request, all or
 * none; what fails, at any place, leaves every row and no page behind.
 */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { SqlError } from '../base/errors.ts';
import { murmur3Int64 } from '../base/murmur3.ts';
import { findTable } from '../catalog/catalog.ts';
import { FLAG_DRAINED, FLAG_FENCE, FLAG_ROUNDS, FLAG_WAIT, SLOT_ATTEMPT } from '../executor/layout.ts';
import { type FenceRunner, PART_INTERRUPTED } from '../executor/part-runner.ts';
import { TicketClient } from '../executor/ticket-client.ts';
import { ordinalOfHash, routingOf } from '../program/routing.ts';
import { WatchedDatabase } from '../testing/watched-database.ts';
import { NodeRunner } from './node/node-runner.ts';

const NODE_COUNTS = [1, 2, 3, 8] as const;
const ALL = 'select * from t order by id';

class MoveDatabase extends WatchedDatabase {
  async rows(): Promise<unknown[]> {
    return JSON.parse(await this.run(ALL)) as unknown[];
  }

  /** Table t with rows (id, n, s) for ids below `count`, n = 3 id, s of `textLength` characters. */
  async fill(count: number, textLength = 4, more = ''): Promise<void> {
    await this.run(`create table t (id int primary key, n int, s text)${more}`);
    await this.run('create index by_n on t (n)');
    await this.insert(
      Array.from({ length: count }, (_, id) => id),
      textLength,
    );
  }

  async insert(ids: readonly number[], textLength = 4): Promise<void> {
    const rows = ids.map((id) => `(${id}, ${id * 3}, '${textOf(id, textLength)}')`);
    await this.run(`insert into t values ${rows.join(', ')}`);
  }

  /** The node of a key of table t. */
  nodeOf(id: number): number {
    const table = findTable(this.engine.database.publisher.catalog, 'public', 't')!;
    const hash = murmur3Int64(id, id >> 31, 0) >>> 0;
    return table.partitions[ordinalOfHash(routingOf(table), hash)]!.node;
  }
}

function textOf(id: number, length: number): string {
  return `s${id} `.repeat(length).slice(0, length);
}

/** The row that was inserted with `id`, at another key. */
function rowAt(key: number, id: number, textLength = 4): unknown[] {
  return [key, id * 3, textOf(id, textLength)];
}

/** Tells what each first step (`run`) and each later one gives, or throws. */
function watchParts(context: TestContext, told: (name: 'run' | 'runStep', result: unknown) => void): void {
  for (const name of ['run', 'runStep'] as const) {
    const method = NodeRunner.prototype[name] as (...given: unknown[]) => number;
    context.mock.method(NodeRunner.prototype, name, function (this: NodeRunner, ...given: unknown[]) {
      try {
        const result = method.apply(this, given);
        told(name, result);
        return result;
      } catch (error) {
        told(name, error);
        throw error;
      }
    } as typeof method);
  }
}

for (const nodeCount of NODE_COUNTS) {
  test(`every key moves by one, up and down, and a restart finds it so: ${nodeCount} backends`, async () => {
    const db = new MoveDatabase(nodeCount);
    const count = 5000;
    await db.fill(count);
    assert.equal(await db.run('update t set id = id + 1'), '');
    const moved = Array.from({ length: count }, (_, id) => rowAt(id + 1, id));
    assert.deepEqual(await db.rows(), moved);
    db.check();
    const byIndex = 'select id from t where n = 3000';
    assert.equal(await db.run(byIndex), '[1001]');
    assert.equal(await db.run('select s from t where id = 5000'), `["${textOf(4999, 4)}"]`);
    const restarted = db.restarted();
    assert.deepEqual(JSON.parse(await restarted.run(ALL)), moved);
    assert.equal(await restarted.run(byIndex), '[1001]');
    restarted.verify();

    await db.run('update t set id = id - 1 where id > 0');
    await db.run('checkpoint');
    await db.run('update t set id = -id where id >= 4000');
    const ends = [...Array(1000).keys()].map((index) => rowAt(index - 4999, 4999 - index));
    const expected = [...ends, ...[...Array(4000).keys()].map((id) => rowAt(id, id))];
    assert.deepEqual(await db.rows(), expected);
    db.check();
    const again = db.restarted();
    assert.deepEqual(JSON.parse(await again.run(ALL)), expected);
    again.verify();
  });

  test(`rows take each other's keys: ${nodeCount} backends`, async () => {
    const db = new MoveDatabase(nodeCount);
    await db.fill(200);
    const swap = 'update t set id = case id when 1 then 2 else 1 end where id in (1, 2)';
    assert.equal(await db.run(swap), '');
    assert.deepEqual((await db.rows()).slice(1, 3), [rowAt(1, 2), rowAt(2, 1)]);
    assert.deepEqual(JSON.parse(await db.restarted().run(ALL)), await db.rows());
    await db.run('checkpoint');
    await db.run(swap);
    assert.deepEqual(
      (await db.rows()).slice(0, 4),
      [0, 1, 2, 3].map((id) => rowAt(id, id)),
    );
    assert.deepEqual(JSON.parse(await db.restarted().run(ALL)), await db.rows());
    // All pairs at once; and back by a cycle over all.
    await db.run('update t set id = case when id % 2 = 0 then id + 1 else id - 1 end');
    assert.deepEqual(
      await db.rows(),
      Array.from({ length: 200 }, (_, id) => rowAt(id, id ^ 1)),
    );
    await db.run('update t set id = (id + 7) % 200');
    assert.deepEqual(
      await db.rows(),
      Array.from({ length: 200 }, (_, id) => rowAt(id, ((id + 193) % 200) ^ 1)),
    );
    db.check();
    assert.deepEqual(JSON.parse(await db.restarted().run(ALL)), await db.rows());
  });

  test(`what fails leaves everything as it was: ${nodeCount} backends`, async () => {
    const db = new MoveDatabase(nodeCount);
    await db.fill(300);
    const before = await db.rows();
    const conflict = (key: number): string => `table 'public.t': row with primary key (${key}) already exists`;
    // With a row that stays, of another node or the same; of two that move.
    for (const [from, to] of [1, 2, 3, 4, 5].map((id) => [id, id + 100]))
      await db.fails(`update t set id = ${to} where id = ${from}`, 'key_conflict', conflict(to!));
    await db.fails('update t set id = id + 1 where id < 150', 'key_conflict', conflict(150));
    await db.fails('update t set id = 1000 where id < 150', 'key_conflict', conflict(1000));
    await db.fails('update t set id = id / 2', 'key_conflict');
    await db.fails('update t set id = id + 1 where id < 150 returning id', 'key_conflict', conflict(150));
    await db.fails('profile update t set id = id + 1 where id < 150', 'key_conflict', conflict(150));
    // In the first step, on some node only or on all.
    await db.fails('update t set id = id + 1000 / (id - 77)', 'zero_division');
    await db.fails('update t set id = id + 1, n = 1 / 0', 'zero_division');
    await db.fails('profile update t set id = id + 1000 / (id - 77)', 'zero_division');
    await db.fails('update t set id = id + 2147483600', 'out_of_range', "column 'id': the int");
    await db.fails('update t set id = nullif(id, 200)', 'not_null_violation', "column 'id'");
    // In another statement: in front of it, behind it, another that moves.
    const move = 'update t set id = id + 1';
    await db.fails(`update t set n = 1; ${move}; update t set n = 1 / (id - 300)`, 'zero_division');
    await db.fails(`delete from t where id = 9; ${move}; select 1 / (sum(id) - sum(id)) from t`, 'zero_division');
    await db.fails(`${move}; ${move}; update t set id = 500`, 'key_conflict');
    await db.fails(`${move}; update t set id = id + 1000 / (id - 77); ${move}`, 'zero_division');
    await db.fails(`insert into t values (1000, 1, ''); ${move}; insert into t values (1, 1, '')`, 'key_conflict');
    assert.deepEqual(await db.rows(), before);
    db.check();
    // What fails before the last step is undone by those who take part, before they go on.
    const { rollbackCount } = db;
    await db.fails('update t set id = id + 1000 / (id - 77)', 'zero_division');
    await db.fails(`${move}; update t set id = id + 1000 / (id - 77); ${move}`, 'zero_division');
    assert.equal(db.rollbackCount, rollbackCount);
    assert.deepEqual(JSON.parse(await db.restarted().run(ALL)), before);
  });

  test(`several statements that move: ${nodeCount} backends`, async () => {
    const db = new MoveDatabase(nodeCount);
    await db.fill(100);
    await db.run(
      'update t set n = n + 1 where id = 5; update t set id = id + 1; update t set n = 0 where id = 6; ' +
        'delete from t where id = 1; update t set id = -id where id <= 50; insert into t values (1, 2, null)',
    );
    const expected = Array.from({ length: 100 }, (_, id) => rowAt(id < 50 ? -(id + 1) : id + 1, id)).slice(1) as [
      number,
      number,
      string | null,
    ][];
    expected.find(([id]) => id === -6)![1] = 0;
    expected.push([1, 2, null]);
    expected.sort(([a], [b]) => a - b);
    assert.deepEqual(await db.rows(), expected);
    const reply = await db.run(`update t set id = id + 1000; update t set id = id - 1000; ${ALL}`);
    assert.deepEqual(JSON.parse(reply), expected);
    db.check();
  });

  test(`no memory, at any allocation, leaves everything as it was: ${nodeCount} backends`, async (context) => {
    const failedIn = { run: 0, runStep: 0 };
    watchParts(context, (name, result) => {
      if (result instanceof SqlError) failedIn[name]++;
    });
    const db = new MoveDatabase(nodeCount);
    const { memory } = db.engine.database;
    await db.fill(300, 300);
    const sql = "update t set id = id + 1 where s <> ''; update t set id = id + 1, s = s || 'x' returning id, s";
    // Programs, buffers and the first blocks are there.
    await db.fails(`${sql}, 1 / (id - id)`, 'zero_division');
    const before = await db.rows();
    for (let allocation = 0; ; allocation++) {
      memory.faultCountdown = allocation;
      const outcome = await db.run(sql).then(
        () => 'ok',
        ({ code }: SqlError) => code,
      );
      const hasFailed = memory.faultCountdown < 0;
      memory.faultCountdown = -1;
      if (!hasFailed) {
        assert.equal(outcome, 'ok');
        break;
      }
      assert.equal(outcome, 'out_of_memory', `allocation ${allocation}`);
      assert.deepEqual(await db.rows(), before, `allocation ${allocation}`);
      db.check();
    }
    assert.ok(failedIn.run > 0 && failedIn.runStep > 0, 'steps of both kinds have failed');
    const moved = Array.from({ length: 300 }, (_, id) => [id + 2, id * 3, `${textOf(id, 300)}x`]);
    assert.deepEqual(await db.rows(), moved);
    db.check();
  });
}

/** Has every ticket of the database's clients carry FLAG_WAIT. */
function makeAllWait(context: TestContext): void {
  const { submit } = TicketClient.prototype;
  context.mock.method(TicketClient.prototype, 'submit', function (this: TicketClient, ...given) {
    const [block, maskLow, maskHigh, flags, version, programId] = given as Parameters<typeof submit>;
    const more = (flags & FLAG_DRAINED) === 0 ? FLAG_WAIT : 0;
    return submit.call(this, block, maskLow, maskHigh, flags | more, version, programId);
  } as typeof submit);
}

test('tickets that WAIT need no rollback, wherever they fail', async (context) => {
  makeAllWait(context);
  const db = new MoveDatabase(3);
  await db.fill(100);
  const { rollbackCount } = db;
  const before = await db.rows();
  await db.fails('update t set id = id + 1 where id < 50', 'key_conflict');
  await db.fails('update t set id = id + 1; update t set n = 1 / (id - 100)', 'zero_division');
  await db.fails('update t set id = id + 1; select 1 / (count(*) - 100) from t', 'zero_division');
  assert.deepEqual(await db.rows(), before);
  const outcomes = db.burst([
    'update t set id = id + 1',
    'update t set id = 7 where id = 8',
    'update t set id = id + 1; update t set id = id + 1 returning id / (id - 102)',
    'select min(id), max(id) from t',
  ]);
  assert.deepEqual(outcomes, ['', 'key_conflict', 'zero_division', '[[1, 100]]']);
  assert.equal(db.rollbackCount, rollbackCount);
  db.check();
});

test('nodes that wait for a step that never comes give back what they have computed with', async () => {
  const db = new MoveDatabase(3);
  await db.fill(100, 12);
  const list = Array.from({ length: 20_000 }, (_, id) => `'${textOf(id, 12)}'`).join(', ');
  const fails = `update t set id = id + 1000 / (id - 77) where s in (${list})`;
  await db.fails(fails, 'zero_division');
  // Of each VM's two scratch areas the first run stays.
  const vmCount = 3 + 1;
  assert.ok(db.owners.count('/base/scratch.ts') <= vmCount * 2, `${db.owners.count('/base/scratch.ts')} runs`);
  db.check();
});

test('in a plain fence the worker runs all steps itself', async (context) => {
  const { submit } = TicketClient.prototype;
  context.mock.method(TicketClient.prototype, 'submit', function (this: TicketClient, ...given) {
    const [block, maskLow, maskHigh, flags, version, programId] = given as Parameters<typeof submit>;
    const fence = (flags & FLAG_ROUNDS) !== 0 ? flags | FLAG_FENCE : flags;
    return submit.call(this, block, maskLow, maskHigh, fence, version, programId);
  } as typeof submit);
  // Of a database of one node, everything is the worker's.
  (NodeRunner.prototype as Partial<FenceRunner>).fenceWorker ??= () => 0;
  const db = new MoveDatabase(1);
  await db.fill(300, 40);
  const before = await db.rows();
  const move = 'update t set id = id + 1';
  for (const explain of ['', 'profile ']) {
    await db.fails(`${explain}${move} where id < 100`, 'key_conflict');
    await db.fails(`${explain}${move}; ${move}; update t set id = id / 0`, 'zero_division');
    await db.fails(`${explain}update t set id = id + 1 / (id - 7); ${move}`, 'zero_division');
    assert.deepEqual(await db.rows(), before);
    db.check();
  }
  assert.equal(
    await db.run(`${move}; update t set n = 1 where id = 300; ${move} where id = 300 returning id, n`),
    '[[301, 1]]',
  );
  await db.run(`profile ${move}`);
  assert.equal(await db.run('select count(*), min(id), max(id) from t'), '[[300, 2, 302]]');
  db.check();
  assert.deepEqual(JSON.parse(await db.restarted().run(ALL)), await db.rows());
});

test('a tail that fails takes the moves back', async () => {
  const db = new MoveDatabase(3, { limit_send: 4000 });
  await db.fill(60);
  const before = await db.rows();
  await db.fails("update t set id = id + 1 returning repeat('x', 200)", 'limit_exceeded', 'limit_send');
  await db.fails('update t set id = id + 1; select 1 / (sum(id) - 1830) from t', 'zero_division');
  assert.deepEqual(await db.rows(), before);
  db.check();
});

test('what was run ahead of a failure is taken back in any step, and run again', async () => {
  const db = new MoveDatabase(3);
  await db.fill(90);
  const free = Array.from({ length: 1000 }, (_, id) => id + 1000);
  const taken = Array.from({ length: 90 }, (_, id) => id);
  const keyOf = (ids: number[], node: number): number =>
    ids.splice(
      ids.findIndex((id) => db.nodeOf(id) === node),
      1,
    )[0]!;
  // Nodes that come before the one with the clash have written.
  for (const clash of [1, 2]) {
    const rows = [0, 1, 2].map((node) => `(${keyOf(node === clash ? taken : free, node)}, 0, '')`);
    const before = await db.rows();
    const { rollbackCount } = db;
    const from = db.engine.frontend.tickets.youngestTicket;
    const outcomes = db.burst([
      `insert into t values ${rows.join(', ')}`,
      'update t set id = id + 1',
      'update t set id = 50 where id = 51',
      'update t set id = id - 1; update t set id = id + 5; update t set id = id - 5; select count(*), min(id), max(id) from t',
    ]);
    assert.deepEqual(outcomes, ['key_conflict', '', 'key_conflict', '[[90, 0, 89]]']);
    const rollbacks = db.rollbackCount - rollbackCount;
    assert.ok(rollbacks >= 1 && rollbacks <= 2, `${rollbacks} rollbacks`);
    const { control } = db.engine.database;
    assert.ok(control.words[control.slotOf((from + 2) | 0) + SLOT_ATTEMPT]! >= 1, 'the moves have run again');
    assert.deepEqual(await db.rows(), before);
    db.check();
  }
});

test('a rollback interrupts a long first step, and a long second one', async (context) => {
  const interrupted: string[] = [];
  watchParts(context, (name, result) => {
    if (typeof result === 'number' && (result & PART_INTERRUPTED) !== 0) interrupted.push(name);
  });
  const db = new MoveDatabase(3);
  await db.run('create table t (id int primary key, n int, s text)');
  // The last node comes to both steps last, and only it has much to do in one of them: the first or the second.
  const ids = Array.from({ length: 60_000 }, (_, id) => id);
  const leaving = ids.filter((id) => db.nodeOf(id) === 2 && db.nodeOf(id + 100_000) !== 2).slice(0, 6000);
  const coming = ids.filter((id) => db.nodeOf(id) !== 2 && db.nodeOf(id + 100_000) === 2).slice(0, 6000);
  const other = [0, 1, 2].map((node) => ids.findLast((id) => db.nodeOf(id) === node)!);
  for (const [moving, step] of [
    [leaving, 'run'],
    [coming, 'runStep'],
  ] as const) {
    await db.run('delete from t');
    await db.insert(moving);
    // Node 2 finds the clash last, when the others have written.
    await db.insert([other[2]!]);
    const clash = other.map((id) => `(${id}, 0, '')`).join(', ');
    interrupted.length = 0;
    const outcomes = db.burst([
      `insert into t values ${clash}`,
      'update t set id = id + 100000',
      'select count(*), min(id) >= 100000 from t',
    ]);
    assert.deepEqual(outcomes, ['key_conflict', '', `[[${moving.length + 1}, true]]`]);
    assert.deepEqual(interrupted, [step]);
    const expected = [...moving, other[2]!].sort((a, b) => a - b).map((id) => rowAt(id + 100_000, id));
    assert.deepEqual(await db.rows(), expected);
    db.check();
    assert.deepEqual(JSON.parse(await db.restarted().run(ALL)), expected);
  }
});

test('a log that fails takes moves back that it has not taken; they are refused until it is well', async () => {
  const db = new MoveDatabase(3);
  await db.fill(200);
  const before = await db.rows();
  let failures = 2;
  db.files.fault = (_operation, name) => (name === 'write' && failures-- > 0 ? 'error' : undefined);
  const outcomes = db.burst([
    'update t set n = n + 1 where id = 3',
    'update t set id = id + 1; update t set id = id + 1 returning id',
    'select min(id), max(id) from t',
  ]);
  assert.deepEqual(outcomes, ['log_failure', 'log_failure', '[[0, 199]]']);
  assert.deepEqual(await db.rows(), before);
  db.check();
  db.files.fault = () => undefined;
  await db.run('select 1');
  await db.run('update t set id = id + 1');
  const moved = Array.from({ length: 200 }, (_, id) => rowAt(id + 1, id));
  assert.deepEqual(await db.rows(), moved);
  assert.deepEqual(JSON.parse(await db.restarted().run(ALL)), moved);
  db.check();
});

test('limit_write counts what all steps of a part write', async () => {
  const db = new MoveDatabase(1);
  await db.fill(50);
  const before = await db.rows();
  // Of a row 10 bytes are written when it goes (a header of 6, the key), 500 of all, and 23 when it comes (6, a bitmap, two
  // ints, a text of 4 with its length): 1650 together.
  const { settings } = db.engine.frontend;
  for (const limit of [400, 499, 600, 1649]) {
    settings.limitWriteBytes = limit;
    await db.fails('update t set id = id + 1', 'limit_exceeded', 'limit_write');
    await db.fails('profile update t set id = id + 1', 'limit_exceeded', 'limit_write');
    assert.deepEqual(await db.rows(), before);
    db.check();
  }
  settings.limitWriteBytes = 1650;
  await db.run('update t set id = id + 1');
  await db.fails('update t set id = id + 1; update t set id = id + 1', 'limit_exceeded', 'limit_write');
  assert.equal(await db.run('select min(id), max(id) from t'), '[[1, 50]]');
  db.check();
});

test('unlogged tables: moves are not in the log, and a checkpoint keeps them', async () => {
  const db = new MoveDatabase(3);
  await db.run('create unlogged table t (id int primary key, n int, s text)');
  await db.insert([1, 2, 3, 4, 5]);
  const { lsn } = db;
  await db.run('update t set id = 10 - id; update t set id = id - 1 where id < 7');
  const expected = [
    [4, 5],
    [5, 4],
    [7, 3],
    [8, 2],
    [9, 1],
  ].map(([key, id]) => rowAt(key!, id!));
  await db.fails('update t set id = 9 where id = 4', 'key_conflict');
  await db.fails('update t set id = 7', 'key_conflict');
  assert.equal(db.lsn, lsn);
  assert.deepEqual(await db.rows(), expected);
  await db.run('checkpoint');
  await db.run('update t set id = id + 100');
  assert.deepEqual(JSON.parse(await db.restarted().run(ALL)), expected);
  db.check();
});

test('PROFILE counts the rows that moved, and their steps', async () => {
  const db = new MoveDatabase(3);
  await db.fill(40);
  const reply = await db.run('profile update t set id = id + 1 where n >= 30; select count(*) from t where id > 10');
  const [{ profiler, plan }] = JSON.parse(reply) as [
    {
      profiler: { steps: [{ statement: string; rows: number; nodes: { node: string; rows: number }[] }] };
      plan: unknown[];
    },
  ];
  const [update] = profiler.steps;
  assert.deepEqual(
    [update.statement, update.rows, ...update.nodes.map(({ node, rows }) => [node, rows])],
    ['update', 30, ['index range', 30], ['collect rows', 30], ['move rows', 30]],
  );
  assert.equal(plan.length, 2);
  assert.equal(await db.run('select min(id), max(id), count(*) from t where n >= 30'), '[[11, 40, 30]]');
  db.check();
});

test('an identity column that is the key: later values are beyond those that rows were moved to', async () => {
  const db = new MoveDatabase(3);
  await db.run('create table t (id serial primary key, n int)');
  await db.run('insert into t (n) values (1), (2), (3)');
  await db.run('update t set id = id + 10');
  assert.equal(await db.run('insert into t (n) values (4) returning id'), '[13]');
  assert.equal(await db.restarted().run('insert into t (n) values (5) returning id'), '[14]');
  await db.run('update t set id = -id');
  assert.equal(await db.run('insert into t (n) values (6) returning id'), '[14]');
  db.check();
});
