/** PROFILE, and how the statements of a request travel: by hand, node after node, under a clock that only the test moves. */

import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { SystemRandom } from '../base/files.ts';
import { BLOCK_FINAL_TIME, PART_PROFILE_END, PART_PROFILE_START } from '../executor/layout.ts';
import { type NodeLoop, STEP_RAN, STEP_WAITING_ROLLBACK } from '../executor/node-loop.ts';
import { BlockView } from '../executor/request-block.ts';
import { SeededRandom } from '../testing/random.ts';
import { SimulatedClock } from '../testing/simulated-clock.ts';
import { SimulatedFiles } from '../testing/simulated-files.ts';
import { FrontendEngine } from './frontend/frontend-engine.ts';
import { InlineEngine } from './inline-engine.ts';
import { type Database, openDatabase } from './main/database.ts';
import { createNode } from './node/node.ts';
import { defaultSettings, type SettingValues } from './settings.ts';

type Counted = { readonly rows: number; readonly time_ms: number };
type Step = Counted & { readonly node: string };
type Profiler = {
  readonly time_compile_ms: number;
  readonly time_wait_ms: number;
  readonly time_run_ms: number;
  readonly time_commit_ms: number;
  readonly time_ms: number;
  readonly sent_total: number;
  readonly sent_bytes: number;
  readonly compiled: boolean;
  readonly steps: readonly (Counted & {
    readonly statement: string;
    readonly nodes?: readonly Step[];
    readonly coordinator?: readonly Step[];
  })[];
};

const NODE_COUNT = 2;
const DIRECTORY = '/db';

/** One frontend and two nodes, each moved by the test; table t with 100 rows, v = id mod 10, in one partition a node. */
class Machine {
  readonly clock = new SimulatedClock();
  readonly files = new SimulatedFiles();
  database!: Database;
  frontend!: FrontendEngine;
  readonly nodes: NodeLoop[] = [];
  ticketCount = 0;
  lastBlock = 0;
  lastMask = 0;
  /** By node, a key of t that is there. */
  readonly keys: number[] = [];

  static async open(): Promise<Machine> {
    const machine = new Machine();
    const settings: SettingValues = { ...defaultSettings(''), backends: NODE_COUNT, timezone: 'UTC' };
    const { clock, files } = machine;
    const engine = new InlineEngine({
      settings,
      directory: DIRECTORY,
      nodeCount: NODE_COUNT,
      files,
      clock,
      random: new SystemRandom(),
      changeSetting: () => {},
    });
    const rows = Array.from({ length: 100 }, (_, id) => `(${id}, ${id % 10})`);
    for (const sql of ['create table t (id int primary key, v int)', `insert into t values ${rows.join(', ')}`])
      await engine.execute(new TextEncoder().encode(sql), undefined, 'json');
    await engine.close();
    machine.#start(settings);
    for (let node = 0; node < NODE_COUNT; node++) {
      let key = 0;
      do machine.profile(`select v from t where id = ${key}`);
      while (machine.lastMask !== 1 << node && ++key < 100);
      machine.keys.push(key);
    }
    return machine;
  }

  #start(settings: SettingValues): void {
    const { clock, files } = this;
    this.database = openDatabase({
      settings,
      directory: DIRECTORY,
      files,
      clock,
      frontendCount: 1,
      nodeCount: NODE_COUNT,
      isShared: false,
    });
    const { control, memory } = this.database;
    for (let node = 0; node < NODE_COUNT; node++)
      this.nodes.push(createNode(control, memory, node, this.database.openLog(), clock));
    const random = new SeededRandom(1);
    this.frontend = new FrontendEngine({
      control,
      memory,
      frontend: 0,
      clock,
      random: {
        // Of two a request, between its text and its ticket.
        int32: () => {
          clock.advance(1500);
          return random.below(2 ** 31);
        },
        fill: () => {},
      },
      settings: {
        timezone: 'UTC',
        format: 'json',
        limitSendBytes: 0x7fffffff,
        limitWriteBytes: 0,
        limitStatementMs: 0,
      },
      utility: { run: () => assert.fail('nothing is for main') },
      timer: () => assert.fail('nothing waits'),
    });
    const { tickets } = this.frontend;
    const submit = tickets.submit.bind(tickets);
    tickets.submit = (block, maskLow, ...rest): boolean => {
      this.ticketCount++;
      this.lastBlock = block;
      this.lastMask = maskLow;
      return submit(block, maskLow, ...rest);
    };
  }

  /** Sends a request; the returned function takes its reply, which must be there. */
  send(sql: string): () => string {
    let answer: string | undefined;
    const bytes = new TextEncoder().encode(sql);
    this.frontend.execute(bytes, 0, bytes.length, undefined, 'json', undefined, (error, body) => {
      answer = error === undefined ? new TextDecoder().decode(body) : error.code;
    });
    return () => {
      this.frontend.poll(10);
      assert.ok(answer !== undefined, 'the request is over');
      return answer;
    };
  }

  /** Runs a request at once, with PROFILE. */
  profile(sql: string): Profiler {
    const reply = this.send(`profile ${sql}`);
    for (const node of this.nodes) node.step(10);
    return profilerOf(reply());
  }
}

function profilerOf(reply: string): Profiler {
  const [{ profiler }] = JSON.parse(reply) as [{ profiler: Profiler }];
  return profiler;
}

test('times: compiling, waiting for the first node, running to the last vote, committing', async () => {
  const machine = await Machine.open();
  const { clock, files, nodes } = machine;
  const reply = machine.send('profile update t set v = v + 1');
  clock.advance(7_000);
  assert.equal(nodes[1]!.walk(1), STEP_RAN);
  clock.advance(4_000);
  assert.equal(nodes[0]!.walk(1), STEP_RAN);
  clock.advance(2_000);
  let isFirst = true;
  files.fault = (_, name) => {
    if (name === 'write' && isFirst) clock.advance(5_000);
    isFirst &&= name !== 'write';
    return undefined;
  };
  nodes[0]!.commit();
  clock.advance(6_000);
  const { steps, sent_bytes, ...told } = profilerOf(reply());
  assert.deepEqual(told, {
    time_compile_ms: 3,
    time_wait_ms: 7,
    time_run_ms: 4,
    time_commit_ms: 7,
    time_ms: 27,
    sent_total: 4,
    compiled: false,
  });
  assert.deepEqual(steps, [
    { statement: 'update', rows: 100, time_ms: 0, nodes: [{ node: 'scan', rows: 100, time_ms: 0 }] },
  ]);
});

test('the clocks of threads may differ: no time is negative, and they add up', async () => {
  const machine = await Machine.open();
  const view = new BlockView(machine.database.memory);
  for (const [start, end, final] of [
    [-50, -40, -30],
    [1, -5, -9],
    [2, 1, 5],
    [9, 12, 3],
  ] as const) {
    const nowMs = machine.clock.monotonicMilliseconds();
    const reply = machine.send('profile update t set v = v + 1');
    for (const node of machine.nodes) node.step(1);
    view.at(machine.lastBlock);
    const submittedMs = nowMs + 3;
    for (let node = 0; node < NODE_COUNT; node++) {
      view.setTime(view.part(node) + PART_PROFILE_START, submittedMs + start);
      view.setTime(view.part(node) + PART_PROFILE_END, submittedMs + end);
    }
    view.setTime(view.base + BLOCK_FINAL_TIME, submittedMs + final);
    const told = profilerOf(reply());
    const parts = [told.time_compile_ms, told.time_wait_ms, told.time_run_ms, told.time_commit_ms];
    assert.ok(
      parts.every((ms) => ms >= 0),
      JSON.stringify(told),
    );
    const sum = parts.reduce((a, b) => a + b);
    assert.equal(sum, told.time_ms, JSON.stringify(told));
  }
});

test('rows of the steps of every kind of plan', async () => {
  const machine = await Machine.open();
  const rowsOf = (sql: string): unknown =>
    machine
      .profile(sql)
      .steps.map(({ statement, rows, nodes, coordinator }) => [
        statement,
        rows,
        ...[...(nodes ?? []), ...(coordinator ?? [])].map(({ node, rows: count }) => `${node} ${count}`),
      ]);
  assert.deepEqual(rowsOf('select id from t where v < 3'), [['select', 30, 'scan 30', 'concatenate 30']]);
  assert.deepEqual(rowsOf('select id from t order by id desc limit 7 offset 2'), [
    ['select', 7, 'index range 18', 'top rows 18', 'merge sorted 7'],
  ]);
  assert.deepEqual(rowsOf('select v, count(*) from t where v <> 9 group by v having v > 1 order by v limit 5'), [
    ['select', 5, 'scan 90', 'partial aggregate 18', 'merge groups 9', 'having 7', 'sort 5'],
  ]);
  assert.deepEqual(rowsOf('select distinct v % 2 from t'), [
    ['select', 2, 'scan 100', 'partial aggregate 4', 'merge groups 2'],
  ]);
  assert.deepEqual(
    rowsOf('select value % 3, count(*) from generate_series(1, 20) where value > 5 group by value % 3'),
    [['select', 3, 'function 15', 'aggregate 3']],
  );
  assert.deepEqual(rowsOf('select 1'), [['values', 1]]);
  assert.deepEqual(rowsOf('insert into t values (200, 0), (201, 0), (202, 0)'), [['insert', 3]]);
  assert.deepEqual(rowsOf('insert into t values (200, 0), (203, 0) on conflict do nothing'), [['insert', 1]]);
  assert.deepEqual(rowsOf('update t set v = 50 where id in (200, 201, 999)'), [
    ['update', 2, 'key list 2', 'collect rows 2'],
  ]);
  assert.deepEqual(rowsOf('delete from t where id >= 200'), [['delete', 4, 'index range 4', 'collect rows 4']]);
  assert.deepEqual(
    rowsOf('insert into t values (300, 7); update t set v = 8 where id = 300; select v from t where v = 8'),
    [
      ['insert', 1],
      ['update', 1, 'point lookup 1'],
      ['select', 11, 'scan 11', 'concatenate 11'],
    ],
  );
});

test('a program that is not profiled counts nothing: its code is that of EXPLAIN', async () => {
  const machine = await Machine.open();
  const explained = machine.send('explain select v, count(*) from t group by v')();
  assert.doesNotMatch(explained, /step_/);
  assert.match(machine.send('explain select v from t')(), /scan_next/);
});

test('more steps than a page holds', async () => {
  const machine = await Machine.open();
  const statements = Array.from({ length: 600 }, () => `update t set v = v + 1 where id = ${machine.keys[0]}`);
  const { steps } = machine.profile(statements.join('; '));
  assert.equal(steps.length, 600);
  assert.ok(steps.every(({ rows, nodes }) => rows === 1 && nodes![0]!.rows === 1));
});

test('statements of a request for the same node travel as one message, and its answers as another', async () => {
  const machine = await Machine.open();
  const [key] = machine.keys;
  const before = machine.ticketCount;
  const one = machine.profile(`update t set v = 1 where id = ${key}`);
  const three = machine.profile(
    `update t set v = 1 where id = ${key}; update t set v = 2 where id = ${key}; select v from t where id = ${key}`,
  );
  assert.equal(machine.ticketCount - before, 2, 'a ticket a request');
  assert.equal(one.sent_total, 2);
  assert.equal(three.sent_total, 2);
  assert.ok(three.sent_bytes > one.sent_bytes);
  assert.equal(machine.lastMask, 1, 'and nobody else takes part');
  const many = Array.from({ length: 100 }, (_, value) => `update t set v = ${value} where id = ${key}`);
  assert.equal(machine.profile(many.join(';')).sent_total, 2);
});

test('statements for different nodes run at once: none waits for another, in either order', async () => {
  const machine = await Machine.open();
  const [a, b] = machine.keys;
  for (const order of [
    [0, 1],
    [1, 0],
  ]) {
    const before = machine.ticketCount;
    const reply = machine.send(`profile update t set v = 70 where id = ${a}; update t set v = 71 where id = ${b}`);
    // Each runs its part by itself, whoever comes first.
    for (const node of order) assert.equal(machine.nodes[node]!.walk(1), STEP_RAN);
    for (const node of machine.nodes) assert.ok(node.walk(1) < STEP_WAITING_ROLLBACK);
    for (const node of machine.nodes) node.commit();
    const { sent_total, steps } = profilerOf(reply());
    assert.equal(machine.ticketCount - before, 1);
    assert.equal(sent_total, 4);
    assert.deepEqual(
      steps.map(({ statement, rows }) => `${statement} ${rows}`),
      ['update 1', 'update 1'],
    );
  }
  assert.equal(machine.profile(`select v from t where id in (${a}, ${b})`).steps[0]!.rows, 2);
});
