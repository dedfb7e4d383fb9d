/**
 * Requests that change shared tables together with others: in steps, at which all nodes stand until the end, and the owner of
 * the shared tables alone runs the statements on them. The whole engine in this thread.
 */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { SystemRandom } from '../base/files.ts';
import { Committer } from '../executor/committer.ts';
import { FLAG_FENCE, FLAG_ROUNDS, FLAG_STANDS, FLAG_WAIT } from '../executor/layout.ts';
import { TicketClient } from '../executor/ticket-client.ts';
import { Partition } from '../storage/partition.ts';
import type { FileDatabase } from '../testing/file-database.ts';
import { SeededRandom } from '../testing/random.ts';
import { WatchedDatabase } from '../testing/watched-database.ts';
import { NodeVm } from '../vm/node/node-vm.ts';

const NODE_COUNTS = [1, 2, 3, 5] as const;
const SHARED = 'select id, n from s order by id';
const OTHER = 'select id, n from d order by id';

class MixedDatabase extends WatchedDatabase {
  /** Tables s, shared, and d, with rows (id, 10 id) of ids from 0 on. */
  async fill(sharedCount: number, otherCount: number): Promise<void> {
    await this.run('create shared table s (id int primary key, n int, v text)');
    await this.run('create table d (id int primary key, n int, v text)');
    await this.run('create index s_by_n on s (n)');
    await this.run('create index d_by_n on d (n)');
    for (const [name, count] of [
      ['s', sharedCount],
      ['d', otherCount],
    ] as const) {
      const rows = Array.from({ length: count }, (_, id) => `(${id}, ${id * 10}, 'row ${id}')`);
      await this.run(`insert into ${name} values ${rows.join(', ')}`);
    }
  }

  async rows(): Promise<[shared: string, other: string]> {
    return [await this.run(SHARED), await this.run(OTHER)];
  }
}

/** Nothing becomes final before `go`. */
function holdCommits(context: TestContext, db: FileDatabase): () => void {
  const mock = context.mock.method(Committer.prototype, 'commit', () => false);
  return () => {
    mock.mock.restore();
    db.engine.database.committer.step();
  };
}

/** Seeds of requests from 0 on, so that shared tables are read by one node after another. */
function readByTurns(context: TestContext): void {
  let seed = 0;
  context.mock.method(SystemRandom.prototype, 'int32', () => seed++ >> 1);
}

test('only what mixes them is a ticket at which all stand', async (context) => {
  const db = new MixedDatabase(3);
  await db.fill(3, 20);
  const tickets: { mask: number; flags: number }[] = [];
  const { submit } = TicketClient.prototype;
  context.mock.method(TicketClient.prototype, 'submit', function (this: TicketClient, ...given) {
    const [, mask, , flags] = given as Parameters<typeof submit>;
    tickets.push({ mask, flags: flags & (FLAG_FENCE | FLAG_ROUNDS | FLAG_STANDS | FLAG_WAIT) });
    return submit.apply(this, given as Parameters<typeof submit>);
  } as typeof submit);
  const all = 0b111;
  for (const [sql, mask, flags] of [
    ['update s set n = 1 where id = 1; update d set n = 1 where id = 1', all, FLAG_ROUNDS | FLAG_STANDS],
    ['select n from d where id = 1; delete from s where id = 77', all, FLAG_ROUNDS | FLAG_STANDS],
    ['update s set n = 1 where id = 1; select n from d where id = 3', all, FLAG_ROUNDS | FLAG_STANDS],
    ['update s set n = 1 where id = 1; select n from s; select 1', all, FLAG_FENCE],
    ['update d set n = 1; select n from s', all, 0],
    ['update d set id = id + 100; select n from s', all, FLAG_ROUNDS],
  ] as const) {
    await db.run(`begin; ${sql}; commit`);
    assert.deepEqual(tickets.pop(), { mask, flags }, sql);
  }
  db.check();
});

for (const nodeCount of NODE_COUNTS) {
  test(`each statement sees what those before it have done: ${nodeCount} backends`, async (context) => {
    readByTurns(context);
    const db = new MixedDatabase(nodeCount);
    await db.fill(3, 30);
    const before = db.rollbackCount;
    const run = (sql: string): Promise<string> => db.run(`begin; ${sql}; commit`);
    // Rows of RETURNING have no order.
    const sorted = (text: string): unknown[] => (JSON.parse(text) as number[][]).sort(([x], [y]) => x! - y!);
    assert.equal(await run('update d set n = n + 1; update s set n = n + 5; select sum(n) from s'), '[45]');
    assert.equal(await run('update s set n = n - 5; update d set n = n - 1; select sum(n) from d'), '[4350]');
    const listed = await run(
      'delete from s where id = 0; select n from d; insert into s (id, n) values (7, 70); delete from d where id >= 10;' +
        'update s set n = n + 1 where id in (7, 1, 0) returning id, n',
    );
    assert.deepEqual(sorted(listed), [
      [1, 11],
      [7, 71],
    ]);
    assert.equal(
      await run("insert into s values (8, 80, 'x'); insert into d (id, n) values (100, 1), (101, 2) returning id"),
      '[100, 101]',
    );
    assert.equal(
      await run(
        'insert into d (id, n) values (102, 3); insert into s (id, n) values (12, 0), (11, 0), (10, 0) returning id',
      ),
      '[12, 11, 10]',
    );
    // Keys of both kinds of tables move, before and behind each other.
    const moved = await run(
      'update d set id = id + 1 where id < 10; update s set id = id + 1; update d set n = 0 where id = 10;' +
        'update s set id = id * 2 where id > 8 returning id, n',
    );
    assert.deepEqual(sorted(moved), [
      [18, 80],
      [22, 0],
      [24, 0],
      [26, 0],
    ]);
    assert.equal(await db.run(SHARED), '[[2, 11], [3, 20], [8, 71], [18, 80], [22, 0], [24, 0], [26, 0]]');
    assert.equal(
      await run('select count(*) from d; update s set id = id + 1, n = n + 1; select max(id), sum(n) from s'),
      '[[27, 189]]',
    );
    const lowest = Array.from({ length: 10 }, (_, id) => [id + 1, id === 9 ? 0 : id * 10]);
    assert.deepEqual(JSON.parse(await db.run(OTHER)), [...lowest, [100, 1], [101, 2], [102, 3]]);
    // Every node reads what the owner has changed.
    for (let turn = 0; turn < 6; turn++) {
      await run(`update d set n = n + 1; update s set n = ${turn}, v = '${'long '.repeat(turn * 20)}'`);
      assert.equal(await db.run(`select count(*) from s where n = ${turn} and length(v) = ${turn * 100}`), '[7]');
    }
    assert.equal(db.rollbackCount, before);
    db.check();
    const rows = await db.rows();
    assert.deepEqual(await db.restarted().run(SHARED), rows[0]);
    assert.deepEqual(await db.restarted().run(OTHER), rows[1]);
  });

  test(`what fails, anywhere, leaves nothing, and needs no rollback: ${nodeCount} backends`, async () => {
    const db = new MixedDatabase(nodeCount, { limit_send: 4000, limit_write: 3000 });
    await db.fill(5, 40);
    const rows = await db.rows();
    const before = db.rollbackCount;
    const change = 'update d set n = n + 1 where id < 20; update s set n = n + 1';
    for (const [sql, code] of [
      ['update d set n = n + 0 / (id - 33); update s set n = 0', 'zero_division'],
      [`${change}; insert into s (id, n) values (9, 9), (4, 0)`, 'key_conflict'],
      [`${change}; insert into d (id, n) values (99, 9), (39, 0)`, 'key_conflict'],
      [`${change}; update d set n = n + 0 / (id - 33)`, 'zero_division'],
      [`${change}; update s set n = n + 0 / (id - 3); update d set n = n + 0 / (id - 33)`, 'zero_division'],
      [`${change}; update s set id = id + 1 where id < 2; select 1 from d`, 'key_conflict'],
      [`${change}; update d set id = id + 1 where id < 20; update s set n = 3`, 'key_conflict'],
      [`update d set id = id + 1; ${change}; update d set n = 1 / (id - 34)`, 'zero_division'],
      [`${change}; select 1 / (count(*) - 40) from d`, 'zero_division'],
      [`${change}; select 1 / (count(*) - 5) from s`, 'zero_division'],
      [`${change} returning repeat('x', 1000)`, 'limit_exceeded'],
      [`update s set n = n + 1; update d set n = n + 1 returning repeat('x', 1000)`, 'limit_exceeded'],
      [`update s set v = repeat('x', 2000); update d set n = n + 1; update s set v = 'y'`, 'limit_exceeded'],
      [`update s set n = n + 1; update d set v = repeat('x', 500)`, 'limit_exceeded'],
    ] as const) {
      for (const profile of ['', 'profile ']) {
        const text = profile === '' ? `begin; ${sql}; commit` : `profile ${sql}`;
        await db.fails(text, code);
        assert.deepEqual(await db.rows(), rows, text);
      }
    }
    assert.equal(db.rollbackCount, before);
    db.check();
  });
}

/** Tables s and d as maps from id to n, and what requests do to them one after another. */
class Model {
  tables: Record<'s' | 'd', Map<number, number>> = { s: new Map(), d: new Map() };

  /** The reply: rows as JSON, of one column sorted; or an error code, and then nothing has changed. */
  run(statements: readonly ModelStatement[]): string {
    const kept = { s: new Map(this.tables.s), d: new Map(this.tables.d) };
    try {
      return statements.map((statement) => statement.apply(this.tables[statement.table])).at(-1)!;
    } catch (error) {
      this.tables = kept;
      return (error as Error).message;
    }
  }
}

type ModelStatement = {
  readonly table: 's' | 'd';
  readonly sql: string;
  /** Changes the rows, and gives the reply that it has as the last statement; throws the code of an error. */
  readonly apply: (rows: Map<number, number>) => string;
};

function setAll(rows: Map<number, number>, ids: readonly number[], value: (n: number, id: number) => number): string {
  for (const id of ids) rows.set(id, value(rows.get(id)!, id));
  return '';
}

function makeStatement(random: SeededRandom, isLast: boolean): ModelStatement {
  const table = random.oneIn(2) ? 's' : 'd';
  const k = 1 + random.below(9);
  const id = random.below(60);
  const idsOf = (rows: Map<number, number>, test: (id: number, n: number) => boolean): number[] =>
    [...rows].filter(([each, n]) => test(each, n)).map(([each]) => each);
  switch (random.below(isLast ? 10 : 7)) {
    case 0:
      return {
        table,
        sql: `update ${table} set n = n + ${k} where id % 3 = ${k % 3}`,
        apply: (rows) =>
          setAll(
            rows,
            idsOf(rows, (each) => each % 3 === k % 3),
            (n) => n + k,
          ),
      };
    case 1:
      return {
        table,
        sql: `insert into ${table} (id, n) values (${id}, ${k}), (${id + 5}, ${k}) on conflict do update set n = n + excluded.n`,
        apply: (rows) => {
          for (const each of [id, id + 5]) rows.set(each, (rows.get(each) ?? 0) + k);
          return '';
        },
      };
    case 2:
      return {
        table,
        sql: `insert into ${table} (id, n) values (${id + 60}, ${k}), (${id}, ${k})`,
        apply: (rows) => {
          if (rows.has(id) || rows.has(id + 60)) throw new Error('key_conflict');
          rows.set(id, k).set(id + 60, k);
          return '';
        },
      };
    case 3:
      return {
        table,
        sql: `delete from ${table} where n % 7 = ${k % 7}`,
        apply: (rows) => {
          for (const each of idsOf(rows, (_, n) => n % 7 === k % 7)) rows.delete(each);
          return '';
        },
      };
    case 4: {
      const isWhole = random.oneIn(2);
      return {
        table,
        sql: `update ${table} set id = id + 1 where ${isWhole ? `id >= ${id}` : `id % 2 = 0 and n % 5 = ${k % 5}`}`,
        apply: (rows) => {
          const going = idsOf(rows, (each, n) => (isWhole ? each >= id : each % 2 === 0 && n % 5 === k % 5));
          const values = going.map((each) => rows.get(each)!);
          for (const each of going) rows.delete(each);
          for (const [at, each] of going.entries()) {
            if (rows.has(each + 1)) throw new Error('key_conflict');
            rows.set(each + 1, values[at]!);
          }
          return '';
        },
      };
    }
    case 5:
      return {
        table,
        sql: `update ${table} set n = n + 1 + 0 / (id - ${id + 30})`,
        apply: (rows) => {
          if (rows.has(id + 30)) throw new Error('zero_division');
          return setAll(rows, [...rows.keys()], (n) => n + 1);
        },
      };
    case 6:
      return {
        table,
        sql: `select sum(n), count(*) from ${table}`,
        apply: (rows) =>
          `[[${rows.size === 0 ? 'null' : [...rows.values()].reduce((a, b) => a + b, 0)}, ${rows.size}]]`,
      };
    case 7:
      return {
        table,
        sql: `update ${table} set n = n + ${k} where id < ${id} returning id`,
        apply: (rows) => {
          const ids = idsOf(rows, (each) => each < id);
          setAll(rows, ids, (n) => n + k);
          return JSON.stringify(ids.sort((a, b) => a - b));
        },
      };
    case 8:
      return {
        table,
        sql: `select 2 / (count(*) % 3) from ${table}`,
        apply: (rows) => {
          if (rows.size % 3 === 0) throw new Error('zero_division');
          return `[${2 / (rows.size % 3)}]`;
        },
      };
    default:
      return {
        table,
        sql: `insert into ${table} (id, n) values (${id + 70}, ${k}), (${id}, ${k}) on conflict do nothing returning id`,
        apply: (rows) => {
          const made = [id + 70, id].filter((each) => !rows.has(each));
          for (const each of made) rows.set(each, k);
          return JSON.stringify(made.sort((a, b) => a - b));
        },
      };
  }
}

function normal(reply: string): string {
  if (!/^\[\d/.test(reply) && reply !== '[]') return reply;
  return JSON.stringify((JSON.parse(reply) as number[]).sort((a, b) => a - b));
}

for (const nodeCount of NODE_COUNTS) {
  test(`random requests behind one another, rollbacks among them, agree with a model: ${nodeCount} backends`, async (context) => {
    readByTurns(context);
    const seed = 4100 + nodeCount;
    const random = new SeededRandom(seed);
    const db = new MixedDatabase(nodeCount);
    await db.fill(12, 40);
    const model = new Model();
    for (const [table, count] of [
      ['s', 12],
      ['d', 40],
    ] as const)
      for (let id = 0; id < count; id++) model.tables[table].set(id, id * 10);
    const codes = new Map<string, number>();
    for (let turn = 0; turn < 30; turn++) {
      const requests: string[] = [];
      const expected: string[] = [];
      for (let count = 1 + random.below(8); count > 0; count--) {
        const size = 1 + random.below(5);
        const statements = Array.from({ length: size }, (_, at) => makeStatement(random, at === size - 1));
        if (random.oneIn(4)) {
          // Its tail fails, when all nodes have written: what follows runs again.
          const found = model.tables.d.size;
          requests.push(`begin; update d set n = n + 1; select ${turn + 1} / (count(*) - ${found}) from d; commit`);
          expected.push('zero_division');
        }
        requests.push(`begin; ${statements.map(({ sql }) => sql).join('; ')}; commit`);
        expected.push(model.run(statements));
      }
      const replies = db.burst(requests, random.oneIn(3) ? () => {} : holdCommits(context, db));
      assert.deepEqual(replies.map(normal), expected.map(normal), `seed ${seed}, turn ${turn}: ${requests.join('\n')}`);
      for (const reply of expected) if (/^\w/.test(reply)) codes.set(reply, (codes.get(reply) ?? 0) + 1);
      if (turn % 10 === 9) {
        db.check();
        if (turn % 20 === 9) await db.run('checkpoint');
        for (const [table, query] of [
          ['s', SHARED],
          ['d', OTHER],
        ] as const) {
          const rows = [...model.tables[table]].sort(([a], [b]) => a - b);
          assert.deepEqual(JSON.parse(await db.run(query)), rows, `seed ${seed}, turn ${turn}`);
          assert.deepEqual(JSON.parse(await db.restarted().run(query)), rows, `seed ${seed}, turn ${turn}, restarted`);
        }
      }
    }
    assert.ok(codes.get('key_conflict')! > 3 && codes.get('zero_division')! > 3);
    if (nodeCount > 1) assert.ok(db.rollbackCount > 3, `${db.rollbackCount} rollbacks`);
  });
}

for (const nodeCount of [2, 3, 5]) {
  test(`behind a transaction that fails they are undone and run again: ${nodeCount} backends`, async (context) => {
    const db = new MixedDatabase(nodeCount);
    await db.fill(3, 20);
    const before = db.rollbackCount;
    const replies = db.burst(
      [
        'begin; update d set n = n + 1; select 1 / (count(*) - 20) from d; commit',
        'begin; update s set n = n + 7; update d set n = n - 7 where id < 3; select sum(n) from s; commit',
        'select sum(n) from s',
        `begin; insert into s (id, n) values ${Array.from({ length: 300 }, (_, id) => `(${id + 10}, 0)`).join(', ')}; delete from d where id = 0; commit`,
        'select count(*) from s where n >= 0',
        'begin; delete from d; delete from s; select 1 / count(*) from s; commit',
        'begin; delete from s where id >= 10; update d set n = 0 where id = 1; commit',
        'select count(*), sum(n) from s where n >= 0',
        'select count(*), sum(n) from d',
      ],
      holdCommits(context, db),
    );
    const sum = (20 * 19 * 10) / 2;
    // Of d, row 0 has gone with -7, and row 1 had 3.
    assert.deepEqual(replies, [
      'zero_division',
      '[51]',
      '[51]',
      '',
      '[303]',
      'zero_division',
      '',
      '[[3, 51]]',
      `[[19, ${sum - 14 - 3}]]`,
    ]);
    assert.equal(db.rollbackCount, before + 1);
    db.check();
    assert.equal(await db.restarted().run('select sum(n) from s'), '[51]');
  });
}

test('the log fails: such requests in the air are undone and refused, and come back', async (context) => {
  const db = new MixedDatabase(3);
  await db.fill(3, 20);
  const rows = await db.rows();
  const transfer = 'begin; update s set n = n + 1 where id = 1; update d set n = n - 1 where id = 1; commit';
  db.files.fault = (_operation, name) => (name === 'write' ? 'error' : undefined);
  const replies = db.burst([transfer, 'select n from s where id = 1', transfer], holdCommits(context, db));
  assert.deepEqual(replies, ['log_failure', '[10]', 'log_failure']);
  await db.fails(transfer, 'log_failure');
  assert.deepEqual(await db.rows(), rows);
  db.files.fault = () => undefined;
  for (let turn = 0; ; turn++) {
    assert.ok(turn < 100, 'writes come back');
    const code = await db.run(transfer).then(
      () => '',
      (error: { code: string }) => error.code,
    );
    if (code === '') break;
  }
  assert.equal(await db.run('select n from s where id = 1; select n from d where id = 1'), '[9]');
  db.check();
  assert.equal(await db.restarted().run('select n from s where id = 1'), '[11]');
});

test('without memory they fail as a whole, in whatever step', async (context) => {
  const db = new MixedDatabase(3);
  await db.fill(5, 30);
  const { memory } = db.engine.database;
  const rows = await db.rows();
  const more = Array.from({ length: 300 }, (_, id) => `(${id + 100}, ${id}, '${'text '.repeat(id % 100)}')`).join(', ');
  const request =
    `begin; update d set v = '${'w'.repeat(20_000)}', id = id + 1; update s set v = '${'w'.repeat(20_000)}', id = id + 1;` +
    `insert into s values ${more}; insert into d values ${more} returning v; commit`;
  let countdown = 0;
  const { run, resume } = NodeVm.prototype;
  let isArmed = false;
  const arm = (): void => {
    if (isArmed) memory.faultCountdown = countdown;
    isArmed = false;
  };
  context.mock.method(NodeVm.prototype, 'run', function (this: NodeVm, ...given: Parameters<typeof run>): void {
    arm();
    run.apply(this, given);
  });
  context.mock.method(NodeVm.prototype, 'resume', function (this: NodeVm): void {
    arm();
    resume.call(this);
  });
  let failureCount = 0;
  for (; ; countdown++) {
    assert.ok(countdown < 400, 'it needs so many pages at most');
    isArmed = true;
    const [reply] = db.burst([request]);
    memory.faultCountdown = -1;
    if (reply !== 'out_of_memory') {
      assert.equal(JSON.parse(reply!).length, 300);
      break;
    }
    failureCount++;
    assert.deepEqual(await db.rows(), rows);
    if (countdown % 10 === 0) db.check();
  }
  assert.ok(failureCount > 20, `${failureCount} allocations`);
  assert.equal(db.rollbackCount, 0);
  db.check();
});

test('unlogged tables of either kind beside logged ones', async () => {
  const db = new MixedDatabase(3);
  await db.fill(3, 10);
  await db.run('create unlogged shared table us (id int primary key, n int)');
  await db.run('create unlogged table ud (id int primary key, n int)');
  await db.run('begin; insert into us values (1, 1); insert into ud values (1, 1), (2, 2); commit');
  await db.run(
    'begin; update us set n = n + 1; update s set n = 5; update ud set n = n + 1; update d set n = 6; commit',
  );
  const question = 'select sum(n) from us';
  assert.equal(await db.run(question), '[2]');
  assert.equal(await db.run('select sum(n) from ud'), '[5]');
  const crashed = db.restarted();
  assert.equal(await crashed.run(question), '[null]');
  assert.equal(await crashed.run('select sum(n) from s'), '[15]');
  assert.equal(await crashed.run('select sum(n) from d'), '[60]');
  await db.run('checkpoint');
  assert.equal(await db.restarted().run(question), '[2]');
  db.check();
});

test('what the owner puts off while others read is done when all nodes stand at the request', async (context) => {
  const db = new MixedDatabase(3);
  await db.fill(3, 20);
  let runCount = 0;
  const counts: number[] = [];
  const { run } = NodeVm.prototype;
  context.mock.method(NodeVm.prototype, 'run', function (this: NodeVm, ...given: Parameters<typeof run>): void {
    runCount++;
    run.apply(this, given);
  });
  const { settle } = Partition.prototype;
  context.mock.method(Partition.prototype, 'settle', function (this: Partition): void {
    assert.equal(this.table.name, 's');
    counts.push(runCount);
    settle.call(this);
  });
  await db.run('begin; select n from s; update d set n = 0; update s set n = 1; update s set n = 2; commit');
  await db.run('begin; update d set id = id + 1; update d set id = id - 1; update s set id = id + 1; commit');
  await db.run('begin; update d set n = 0; select n from s; commit');
  // Once a request: after the first steps of all three nodes, and before later ones.
  assert.deepEqual([counts, runCount], [[3, 6], 9]);
});

test('PROFILE counts rows of both kinds of tables, and all nodes', async () => {
  const db = new MixedDatabase(3);
  await db.fill(4, 30);
  const text = await db.run('profile update d set n = n + 1; update s set id = id + 100; select count(*) from d');
  const { plan, profiler } = JSON.parse(text)[0];
  assert.equal(profiler.sent_total, 6);
  assert.deepEqual(
    plan.map(({ node }: { node: string }) => node),
    ['update', 'update', 'select'],
  );
  const steps = profiler.steps as { statement?: string; rows?: number }[];
  assert.deepEqual(
    steps.map(({ statement, rows }) => `${statement} ${rows}`),
    ['update 30', 'update 4', 'select 1'],
  );
  assert.match(await db.run('explain update d set n = 1; update s set n = 2'), /all nodes stand here/);
  db.check();
});
