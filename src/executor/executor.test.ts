import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { checkOutcomes } from '../testing/counter-oracle.ts';
import { makeRequest } from '../testing/counter-request.ts';
import { type ModelOptions, type ModelReport, runModel } from '../testing/executor-model.ts';
import { SeededRandom } from '../testing/random.ts';
import { SteppedExecutor } from '../testing/stepped-executor.ts';
import { Committer } from './committer.ts';
import { FLAG_TAIL, FLAG_WAIT } from './layout.ts';
import { NodeLoop } from './node-loop.ts';
import { PlainFence } from './plain-fence.ts';
import { Rounds } from './rounds.ts';

const SCHEDULE_COUNT = Number(process.env.AMELIE_SCHEDULES ?? 1000);

const OPTIONS: Omit<ModelOptions, 'seed'> = {
  requestCount: 60,
  nodeCount: 3,
  frontendCount: 2,
  slotCount: 16,
  firstTicket: 2 ** 31 - 100,
  logFailureOneIn: 0,
  roundsOneIn: 5,
  fenceOneIn: 8,
};

function runSchedules(count: number, options: Omit<ModelOptions, 'seed'>): ModelReport {
  const total = {
    ok: 0,
    failed: 0,
    stale: 0,
    epochs: 0,
    fences: 0,
    logFailures: 0,
    rounds: 0,
    plainFences: 0,
    standing: 0,
  };
  for (let seed = 1; seed <= count; seed++) {
    let report: ModelReport;
    try {
      report = runModel({ ...options, seed });
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
    }
    for (const key of Object.keys(total) as (keyof ModelReport)[]) total[key] += report[key];
  }
  return total;
}

// Invariant 5, inputs of a rerun, and 8, the state after a rollback, are checked at each of them (counter-runner.ts).

test('invariants 2, 5, 6 and 8: random schedules end as the tickets run one by one', () => {
  const total = runSchedules(SCHEDULE_COUNT, OPTIONS);
  for (const [what, count] of Object.entries(total)) {
    if (what !== 'logFailures') assert.ok(count > SCHEDULE_COUNT / 10, `schedules reach ${what}: ${count}`);
  }
});

test('random schedules of tickets with rounds only', () => {
  runSchedules(SCHEDULE_COUNT / 5, { ...OPTIONS, roundsOneIn: 1 });
  runSchedules(SCHEDULE_COUNT / 10, { ...OPTIONS, nodeCount: 5, roundsOneIn: 1 });
});

test('random schedules with many plain fences', () => {
  runSchedules(SCHEDULE_COUNT / 5, { ...OPTIONS, roundsOneIn: 0, fenceOneIn: 2 });
  runSchedules(SCHEDULE_COUNT / 10, { ...OPTIONS, nodeCount: 5, fenceOneIn: 3 });
});

test('invariants 3 and 13: random schedules with a failing log acknowledge only what is in it', () => {
  const total = runSchedules(SCHEDULE_COUNT / 3, { ...OPTIONS, logFailureOneIn: 8 });
  assert.ok(total.logFailures > SCHEDULE_COUNT / 10);
});

test('invariant 14: random schedules with one node and one frontend, wrapping the tickets', () => {
  runSchedules(SCHEDULE_COUNT / 10, { ...OPTIONS, nodeCount: 1, frontendCount: 0, requestCount: 200 });
});

test('invariant 14: random schedules over a full ring of many nodes', () => {
  runSchedules(SCHEDULE_COUNT / 30, { ...OPTIONS, nodeCount: 6, frontendCount: 15, requestCount: 200 });
});

test('invariant 11: nodes finish whatever is in the ring, woken by each other only', () => {
  for (let seed = 1; seed <= SCHEDULE_COUNT / 5; seed++) {
    const random = new SeededRandom(seed);
    const executor = new SteppedExecutor(3);
    const options = { nodeCount: 3, counterCount: 5, longOneIn: 0, oneNodeIn: 3, roundsOneIn: 3, fenceOneIn: 4 };
    while (executor.client.canSubmit()) {
      const flags = (random.oneIn(4) ? FLAG_TAIL : 0) | (random.oneIn(4) ? FLAG_WAIT : 0);
      executor.submit(makeRequest(random, options), flags);
    }
    executor.settle(random);
    const { counters } = checkOutcomes(executor.take(), 3, 5);
    assert.deepEqual(executor.rows, counters, `seed ${seed}`);
  }
});

test('canary: a committer that never rolls back is caught', () => {
  class Broken extends Committer {
    protected override needsRollback(): boolean {
      return false;
    }
  }
  assert.throws(() => runSchedules(100, { ...OPTIONS, makeCommitter: Broken }), /^Error: seed/);
});

test('canary: a node that does not undo is caught', () => {
  assert.throws(
    () =>
      runSchedules(100, {
        ...OPTIONS,
        wrapRunner: (runner) => {
          const broken = Object.create(runner) as typeof runner;
          broken.rollbackTo = () => {};
          return broken;
        },
      }),
    /^Error: seed/,
  );
});

test('canary: a node that frees too early is caught', () => {
  assert.throws(
    () =>
      runSchedules(100, {
        ...OPTIONS,
        wrapRunner: (runner) => {
          const broken = Object.create(runner) as typeof runner;
          broken.release = () =>
            Object.getPrototypeOf(runner).release.call(broken, broken.undoMark(), broken.redoMark());
          return broken;
        },
      }),
    /^Error: seed/,
  );
});

test('canary: a middle section that runs before all have arrived is caught', (context) => {
  context.mock.method(Rounds.prototype, 'isComplete', () => true);
  assert.throws(() => runSchedules(100, OPTIONS), /^Error: seed/);
});

test('canary: a node that leaves a fence in WORKING for a rollback is caught', (context) => {
  context.mock.method(PlainFence.prototype, 'mayLeave', () => true);
  assert.throws(() => runSchedules(300, { ...OPTIONS, fenceOneIn: 3 }), /^Error: seed/);
});

test('canary: a node that leaves before the owner has undone what all read is caught', (context) => {
  context.mock.method(Rounds.prototype, 'undoesFirst', () => false);
  assert.throws(() => runSchedules(500, { ...OPTIONS, roundsOneIn: 2 }), /^Error: seed/);
});

test('canary: an owner that undoes what others are reading is caught', (context) => {
  context.mock.method(NodeLoop.prototype, 'haveAllStopped', () => true);
  const options = { ...OPTIONS, roundsOneIn: 3, fenceOneIn: 3, logFailureOneIn: 3 };
  assert.throws(() => runSchedules(500, options), /^Error: seed/);
});

test('canary: a node that does not take its arrival back is caught', (context) => {
  context.mock.method(PlainFence.prototype, 'takeBack', () => true);
  assert.throws(() => runSchedules(300, { ...OPTIONS, fenceOneIn: 3 }), /^Error: seed/);
});
