import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { type ModelOptions, type ModelReport, runModel } from '../testing/executor-model.ts';
import { Committer } from './committer.ts';

const SCHEDULE_COUNT = Number(process.env.AMELIE_SCHEDULES ?? 1500);

const OPTIONS: Omit<ModelOptions, 'seed'> = {
  requestCount: 60,
  nodeCount: 3,
  frontendCount: 2,
  slotCount: 16,
  firstTicket: 2 ** 31 - 100,
  logFailureOneIn: 0,
};

function runSchedules(count: number, options: Omit<ModelOptions, 'seed'>): ModelReport {
  const total = { ok: 0, failed: 0, stale: 0, epochs: 0, fences: 0, logFailures: 0 };
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

test('random schedules end as the tickets run one by one', () => {
  const total = runSchedules(SCHEDULE_COUNT, OPTIONS);
  for (const [what, count] of Object.entries(total)) {
    if (what !== 'logFailures') assert.ok(count > SCHEDULE_COUNT / 10, `schedules reach ${what}: ${count}`);
  }
});

test('random schedules with a failing log acknowledge only what is in it', () => {
  const total = runSchedules(SCHEDULE_COUNT / 3, { ...OPTIONS, logFailureOneIn: 8 });
  assert.ok(total.logFailures > SCHEDULE_COUNT / 10);
});

test('random schedules with one node and one frontend, wrapping the tickets', () => {
  runSchedules(SCHEDULE_COUNT / 10, { ...OPTIONS, nodeCount: 1, frontendCount: 0, requestCount: 200 });
});

test('random schedules over a full ring of many nodes', () => {
  runSchedules(SCHEDULE_COUNT / 30, { ...OPTIONS, nodeCount: 6, frontendCount: 15, requestCount: 200 });
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
