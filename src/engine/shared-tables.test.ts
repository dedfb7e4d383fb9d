/** Shared tables: every node reads them, one owner changes them in plain fences. The whole engine in this thread. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { SystemRandom } from '../base/files.ts';
import { Committer } from '../executor/committer.ts';
import { CONTROL_EPOCH, FLAG_FENCE } from '../executor/layout.ts';
import { TicketClient } from '../executor/ticket-client.ts';
import { FileDatabase } from '../testing/file-database.ts';
import { SeededRandom } from '../testing/random.ts';
import { SimulatedFiles } from '../testing/simulated-files.ts';
import { NodeVm } from '../vm/node/node-vm.ts';

const ALL = 'select * from s order by id';

/** Seeds of requests from 0 on, so that shared tables are read by one node after another. */
function readByTurns(context: TestContext): void {
  let seed = 0;
  context.mock.method(SystemRandom.prototype, 'int32', () => seed++ >> 1);
}

/** Masks and flags of the tickets that are taken. */
function watchTickets(context: TestContext): { mask: number; isFence: boolean }[] {
  const tickets: { mask: number; isFence: boolean }[] = [];
  const { submit } = TicketClient.prototype;
  context.mock.method(TicketClient.prototype, 'submit', function (this: TicketClient, ...given) {
    const [, mask, , flags] = given as Parameters<typeof submit>;
    tickets.push({ mask, isFence: (flags & FLAG_FENCE) !== 0 });
    return submit.apply(this, given as Parameters<typeof submit>);
  } as typeof submit);
  return tickets;
}

function epoch(db: FileDatabase): number {
  return Atomics.load(db.engine.database.control.words, CONTROL_EPOCH);
}

async function withRows(nodeCount = 3, files = new SimulatedFiles(), given = {}): Promise<FileDatabase> {
  const db = new FileDatabase(files, given, nodeCount);
  await db.run('create shared table s (id int primary key, n int, v text)');
  await db.run('create table d (id int primary key, n int)');
  await db.run("insert into s values (1, 10, 'one'), (2, 20, 'two'), (3, 30, null)");
  await db.run(`insert into d values ${Array.from({ length: 20 }, (_, id) => `(${id}, ${id})`).join(', ')}`);
  return db;
}

test('each node reads what the owner has written last, and a read concerns one node', async (context) => {
  readByTurns(context);
  const db = await withRows();
  await db.run('create index by_n on s (n)');
  const tickets = watchTickets(context);
  for (let turn = 0; turn < 12; turn++) {
    await db.run(`update s set n = ${turn}, v = 'turn ${turn}' where id = 2`);
    await db.run(`insert into s values (${100 + turn}, ${1000 + turn}, '${'x'.repeat(turn * 40)}')`);
    const questions = [
      ['select n, v from s where id = 2', `[[${turn}, "turn ${turn}"]]`],
      ['select count(*) from s', `[${4 + turn}]`],
      [`select id from s where n = ${1000 + turn}`, `[${100 + turn}]`],
      ['select id from s where n >= 1000 order by n desc limit 1', `[${100 + turn}]`],
      ['select id from s where id in (3, 2, 77) order by id', '[2, 3]'],
      ['select max(length(v)) from s where id > 100', `[${turn === 0 ? 'null' : turn * 40}]`],
    ] as const;
    for (const [question, answer] of questions) assert.equal(await db.run(question), answer, `${turn}: ${question}`);
  }
  const reads = tickets.filter(({ isFence }) => !isFence);
  assert.deepEqual([...new Set(reads.map(({ mask }) => mask))].sort(), [1, 2, 4]);
  assert.equal(tickets.length - reads.length, 24);
  assert.ok(tickets.every(({ mask, isFence }) => !isFence || mask === 7));
  db.verify();
});

test('beside other tables a read is left to a node that takes part anyway', async (context) => {
  const db = await withRows();
  const tickets = watchTickets(context);
  const row = 'begin; update d set n = n + 1 where id = 5; select v from s where id = 1; commit';
  for (let turn = 0; turn < 6; turn++) assert.equal(await db.run(row), '["one"]');
  assert.ok(tickets.every(({ mask }) => mask === tickets[0]!.mask && (mask & (mask - 1)) === 0));
  assert.equal(
    await db
      .run('begin; select sum(n) from s; update d set n = n + 1 returning id; commit')
      .then((text) => JSON.parse(text).length),
    20,
  );
  // The parts that jump over a statement run what stands behind it.
  assert.equal(await db.run('begin; delete from d where id < 15; select sum(n) from s; commit'), '[60]');
  assert.equal(await db.run('begin; select n from s where id = 1; select count(*) from d; commit'), '[5]');
  assert.equal(
    await db.run('profile select count(*) from s').then((text) => JSON.parse(text)[0].profiler.sent_total),
    2,
  );
});

test('a request of shared tables only, and of no table, is a fence', async (context) => {
  const db = await withRows();
  await db.run('create shared table s2 (id int primary key, n int)');
  const tickets = watchTickets(context);
  assert.equal(
    await db.run('begin; insert into s2 values (1, 5); update s set n = n + 1; select n from s2; commit'),
    '[5]',
  );
  assert.equal(await db.run('begin; update s set n = n + 1; select 7; commit'), '[7]');
  assert.equal(
    await db.run('begin; select count(*) from s2; update s set n = n - 2 returning n; commit'),
    '[10, 20, 30]',
  );
  assert.deepEqual(
    tickets.map(({ isFence }) => isFence),
    [true, true, true],
  );
});

test('a fence that fails leaves nothing, and what was sent behind it runs on what is there', async () => {
  const db = await withRows();
  const before = epoch(db);
  const replies = db.burst([
    "insert into s values (4, 40, 'four')",
    "begin; update s set n = n + 1; insert into s values (5, 0, ''), (1, 0, ''); commit",
    'select sum(n) from s',
    'update s set n = n + 100 where id = 4 returning n',
    'begin; update s set n = 0; select 1 / sum(n) from s; commit',
    'select sum(n), count(*) from s',
    'insert into d values (20, 0), (21, 0), (22, 0)',
    'begin; delete from s; select 1 / (count(*) - 0) from s; commit',
    ALL,
  ]);
  assert.deepEqual(replies, [
    '',
    'key_conflict',
    '[100]',
    '[140]',
    'zero_division',
    '[[200, 4]]',
    '',
    'zero_division',
    '[[1, 10, "one"], [2, 20, "two"], [3, 30, null], [4, 140, "four"]]',
  ]);
  assert.equal(epoch(db), before, 'no rollback is needed');
  db.verify();
});

/** Nothing becomes final before `go`. */
function holdCommits(context: TestContext, db: FileDatabase): () => void {
  const mock = context.mock.method(Committer.prototype, 'commit', () => false);
  return () => {
    mock.mock.restore();
    db.engine.database.committer.step();
  };
}

for (const nodeCount of [2, 3, 5]) {
  test(`fences behind a transaction that fails are undone and run again: ${nodeCount} backends`, async (context) => {
    const db = await withRows(nodeCount);
    await db.run('create index by_n on s (n)');
    const before = epoch(db);
    let runCount = 0;
    const { run } = NodeVm.prototype;
    context.mock.method(NodeVm.prototype, 'run', function (this: NodeVm, ...given) {
      runCount++;
      run.apply(this, given);
    } as typeof run);
    const replies = db.burst(
      [
        // Its tail fails, when all nodes have written.
        'begin; update d set n = n + 1; select 1 / (sum(n) - 210) from d; commit',
        `update s set n = n + 1, v = '${'long '.repeat(100)}' where id < 3`,
        'select sum(n), max(length(v)) from s',
        `insert into s values ${Array.from({ length: 300 }, (_, id) => `(${id + 10}, ${id}, '${id}')`).join(', ')}`,
        'select count(*) from s where n >= 0',
        'begin; delete from s; select 1 / count(*) from s; commit',
        'delete from s where id >= 10 returning id',
        'select count(*) from s where n >= 0',
      ],
      holdCommits(context, db),
    );
    assert.equal(replies[0], 'zero_division');
    assert.deepEqual(replies.slice(1, 3), ['', '[[62, 500]]']);
    assert.deepEqual(replies.slice(3, 6), ['', '[303]', 'zero_division']);
    assert.equal(JSON.parse(replies[6]!).length, 300);
    assert.equal(replies[7], '[3]');
    assert.equal(epoch(db), before + 1);
    // All nodes have run the first; and the others twice: four fences, three reads.
    assert.equal(runCount, nodeCount + 2 * 7);
    assert.equal(await db.run('select sum(n) from s'), '[62]');
    db.verify();
    const restarted = db.restarted();
    restarted.verify();
    assert.equal(await restarted.run('select sum(n), count(*) from s'), '[[62, 3]]');
    assert.equal(await restarted.run('select sum(n) from d'), '[190]');
  });
}

test('the log fails: fences in the air are undone and refused, reads go on, writes come back', async (context) => {
  const db = await withRows();
  db.files.fault = (_operation, name) => (name === 'write' ? 'error' : undefined);
  const replies = db.burst(
    [
      'select sum(n) from s',
      'insert into s values (4, 40, null)',
      'select sum(n) from s',
      'update s set n = 0',
      'select sum(n) from s',
    ],
    holdCommits(context, db),
  );
  assert.deepEqual(replies, ['[60]', 'log_failure', '[60]', 'log_failure', '[60]']);
  await db.fails("update s set v = 'x'", 'log_failure');
  assert.equal(await db.run('select count(*) from s where v is null'), '[1]');
  db.files.fault = () => undefined;
  for (let turn = 0; ; turn++) {
    assert.ok(turn < 100, 'writes come back');
    const code = await db.run('update s set n = n + 1').then(
      () => '',
      (error: { code: string }) => error.code,
    );
    if (code === '') break;
  }
  assert.equal(await db.run('select sum(n) from s'), '[63]');
  db.verify();
  assert.equal(await db.restarted().run('select sum(n) from s'), '[63]');
});

test('without memory a fence fails as a whole', async () => {
  const db = await withRows();
  await db.run('create index by_v on s (v)');
  const { memory } = db.engine.database;
  const before = await db.run(ALL);
  const rows = Array.from({ length: 500 }, (_, id) => `(${id + 10}, ${id}, '${'text '.repeat(id % 200)}')`).join(', ');
  let failures = 0;
  for (let countdown = 0; ; countdown++) {
    assert.ok(countdown < 300, 'it needs so many pages at most');
    const update = `begin; update s set v = '${'w'.repeat(20_000)}'; insert into s values ${rows}; commit`;
    const code = (() => {
      let reply = '';
      const { run } = NodeVm.prototype;
      NodeVm.prototype.run = function (this: NodeVm, ...given: Parameters<typeof run>): void {
        memory.faultCountdown = countdown;
        run.apply(this, given);
      };
      try {
        reply = db.burst([update])[0]!;
      } finally {
        NodeVm.prototype.run = run;
        memory.faultCountdown = -1;
      }
      return reply;
    })();
    if (code === '') break;
    assert.equal(code, 'out_of_memory');
    failures++;
    assert.equal(await db.run(ALL), before);
    if (countdown % 10 === 0) db.verify();
  }
  assert.ok(failures > 10, `${failures} allocations`);
  assert.equal(await db.run('select count(*) from s'), '[503]');
  db.verify();
});

test('definition, rows, indexes and counters survive: from the log, from a checkpoint, and with both', async () => {
  const db = new FileDatabase();
  await db.run('create shared table s (id serial primary key, n int, v text)');
  await db.run("create unlogged shared table u (id int primary key, v text) with (type = 'hash')");
  await db.run('create index by_n on s (n desc)');
  await db.run("insert into s (n, v) values (1, 'a'), (2, 'b'), (3, 'c')");
  await db.run("insert into u values (1, 'a'), (2, 'b')");
  const shown =
    '[{"schema": "public", "name": "s", "shared": true, "unlogged": false}, {"schema": "public", "name": "u", "shared": true, "unlogged": true}]';
  const check = async (each: FileDatabase, rows: string, unlogged: string): Promise<void> => {
    each.verify();
    assert.equal(await each.run('show tables'), shown);
    for (let turn = 0; turn < 4; turn++) {
      assert.equal(await each.run('select id from s where n > 0 order by n'), rows);
      assert.equal(await each.run('select id from u order by id'), unlogged);
    }
    assert.match(await each.run('explain select id from s where n > 0'), /"index": "by_n"/);
  };
  await check(db, '[0, 1, 2]', '[1, 2]');
  await check(db.restarted(), '[0, 1, 2]', '[]');
  await db.run('checkpoint');
  await check(db.restarted(), '[0, 1, 2]', '[1, 2]');
  await db.run('delete from s where id = 1');
  await db.run('insert into s (n) values (9) returning id');
  await db.run("insert into u values (3, 'c')");
  await check(db, '[0, 2, 3]', '[1, 2, 3]');
  const restarted = db.restarted();
  await check(restarted, '[0, 2, 3]', '[1, 2]');
  assert.equal(await restarted.run('insert into s (n) values (10) returning id'), '[4]');
  await restarted.run('checkpoint');
  await check(restarted.restarted(), '[0, 2, 3, 4]', '[1, 2]');
});

test('indexes come and go, tables too, with reads before and behind', async (context) => {
  readByTurns(context);
  const db = await withRows();
  const read = (): Promise<string>[] =>
    Array.from({ length: 4 }, () => db.run('select id from s where n between 15 and 25'));
  const all: Promise<string>[] = [];
  for (let turn = 0; turn < 5; turn++) {
    all.push(...read());
    const created = db.run(`create index by_n on s (n) with (type = '${turn % 2 === 0 ? 'tree' : 'hash'}')`);
    all.push(...read());
    await created;
    all.push(...read());
    db.verify();
    const dropped = db.run('drop index by_n on s');
    all.push(...read());
    await dropped;
  }
  for (const text of await Promise.all(all)) assert.equal(text, '[2]');
  const last = read();
  const gone = db.run('drop table s');
  await Promise.allSettled([...last, gone]);
  await db.fails('select * from s', 'unknown_table');
  await db.run('create shared table s (id int primary key, n int)');
  for (let turn = 0; turn < 4; turn++) assert.equal(await db.run('select count(*) from s'), '[0]');
});

test('random changes agree with a model, and at the end no page is left', async (context) => {
  readByTurns(context);
  const random = new SeededRandom(20_261);
  const db = new FileDatabase(new SimulatedFiles(), { checkpoint_interval: '0' });
  await db.run('create table other (id int primary key)');
  const { memory } = db.engine.database;
  const usedPages = (): number => {
    db.engine.run();
    return memory.usedPages();
  };
  const rounds: number[] = [];
  for (let round = 0; round < 3; round++) {
    await db.run(
      `create shared table s (id int primary key, n int, v text)${round === 1 ? " with (type = 'hash')" : ''}`,
    );
    await db.run('create index by_n on s (n)');
    await db.run('create index by_v on s (v)');
    const model = new Map<number, { n: number; v: string }>();
    for (let turn = 0; turn < 60; turn++) {
      const first = random.below(4000);
      const count = 1 + random.below(1500);
      const what = random.below(4);
      if (what < 2) {
        const rows = Array.from({ length: count }, (_, at) => ({
          id: first + at,
          n: random.below(1000),
          v: 'x'.repeat(random.below(60)),
        }));
        const values = rows.map(({ id, n, v }) => `(${id}, ${n}, '${v}')`).join(', ');
        await db.run(`insert into s values ${values} on conflict do update set n = excluded.n, v = excluded.v`);
        for (const { id, n, v } of rows) model.set(id, { n, v });
      } else if (what === 2) {
        await db.run(`delete from s where id >= ${first} and id < ${first + count * 2}`);
        for (const id of [...model.keys()]) if (id >= first && id < first + count * 2) model.delete(id);
      } else {
        await db.run(`update s set n = n + 1 where id >= ${first} and id < ${first + count}`);
        for (const [id, row] of model) if (id >= first && id < first + count) row.n++;
      }
      if (turn % 10 === 5) await db.run('checkpoint');
      const n = random.below(1000);
      const expected = [...model].filter(([, row]) => row.n <= n);
      const sum = expected.reduce((total, [id, { v }]) => total + id + v.length, 0);
      const text = await db.run(`select count(*), sum(id + length(v)) from s where n <= ${n}`);
      assert.equal(
        text,
        `[[${expected.length}, ${expected.length === 0 ? 'null' : sum}]]`,
        `round ${round}, turn ${turn}`,
      );
      if (turn % 20 === 19) db.verify();
    }
    await db.run('delete from s');
    await db.run('drop table s');
    await db.run('checkpoint');
    rounds.push(usedPages());
  }
  // The first round leaves what is kept for later: pages of undo, redo and requests.
  assert.ok(rounds[2]! <= rounds[0]! + 2, `pages: ${rounds}`);
});
