/**
 * Seeded schedules of the whole engine (simulation.ts), and variants with one broken rule each, which the check meant for
 * it has to catch. `AMELIE_SCHEDULES=100000`, or `npm run test:simulation`, runs more of them.
 */

import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { NodeRunner } from '../../src/engine/node/node-runner.ts';
import { Committer } from '../../src/executor/committer.ts';
import { BLOCK_FATE, SLOT_FATE, SLOT_VOTES } from '../../src/executor/layout.ts';
import { emptyReport, runSimulation, type SimulationOptions, type SimulationReport } from './simulation.ts';

const SCHEDULE_COUNT = Number(process.env.AMELIE_SCHEDULES ?? 1000);
const REQUEST_COUNT = 40;
const CANARY_SCHEDULES_MAX = 200;

test('random schedules, with restarts, end as the tickets run one by one', async () => {
  const total = emptyReport();
  for (let seed = 1; seed <= SCHEDULE_COUNT; seed++) {
    const report = await runSimulation({ seed, requestCount: REQUEST_COUNT });
    for (const key of Object.keys(total) as (keyof SimulationReport)[]) total[key] += report[key];
  }
  for (const [what, count] of Object.entries(total)) {
    if (what !== 'trace') assert.ok(count > SCHEDULE_COUNT / 10, `schedules reach ${what}: ${count}`);
  }
});

test('the same seed is the same run, step by step', async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const first = await runSimulation({ seed, requestCount: REQUEST_COUNT });
    assert.deepEqual(await runSimulation({ seed, requestCount: REQUEST_COUNT }), first);
  }
});

/** Runs schedules with something broken until one is caught, by the check whose message that is. */
async function assertCaught(broken: Omit<SimulationOptions, 'seed' | 'requestCount'>, message: RegExp): Promise<void> {
  for (let seed = 1; seed <= CANARY_SCHEDULES_MAX; seed++) {
    try {
      await runSimulation({ ...broken, seed, requestCount: REQUEST_COUNT });
    } catch (error) {
      assert.match((error as Error).message, /^seed \d+, life \d+, step \d+: /);
      assert.match((error as Error).message, message);
      return;
    }
  }
  assert.fail(`${CANARY_SCHEDULES_MAX} schedules, and none was caught`);
}

test('canary: a committer that makes a failed ticket final without a rollback', async () => {
  class Broken extends Committer {
    protected override needsRollback(): boolean {
      return false;
    }
  }
  await assertCaught({ nodeClasses: { committer: Broken, runner: NodeRunner } }, /: ticket \d+: /);
});

test('canary: a node that skips the undo of what it ran after a failed ticket', async () => {
  class Broken extends NodeRunner {
    override rollbackTo(_undoMark: number, redoMark: number): void {
      this.redo.rollbackTo(redoMark);
    }
  }
  await assertCaught({ nodeClasses: { committer: Committer, runner: Broken } }, /: ticket \d+: /);
});

test('canary: a log that takes writes again after a failed sync, without a checkpoint', async () => {
  class Broken extends Committer {
    override probe(nowMs: number): boolean {
      const isOfUse = super.probe(nowMs);
      if (isOfUse && this.log.repair(0) === 'unsaved') this.resume();
      return isOfUse;
    }
  }
  await assertCaught({ nodeClasses: { committer: Broken, runner: NodeRunner } }, /a failed sync is not forgotten/);
});

test('canary: a disk that loses what it has synced', async () => {
  const breakFault = (name: string): 'lost' | undefined => (name === 'sync' ? 'lost' : undefined);
  const plan = { syncOnWrite: true, rotateBytes: 1_000_000, end: 'power', endOperation: 40 } as const;
  await assertCaught({ breakFault, plan }, /what was found is no state that may be there/);
});

test('canary: a frontend that replies when all have voted, before it is final', async () => {
  await assertCaught(
    {
      breakFrontend: ({ tickets }, control) => {
        const client = tickets as unknown as {
          head: number;
          tail: number;
          ringMask: number;
          tickets: Int32Array;
          blockPages: Int32Array;
          view: { at(page: number): { set(word: number, value: number): void } };
        };
        tickets.poll = (onFinal, limit) => {
          let count = 0;
          for (; count < limit && client.head !== client.tail; count++) {
            const at = client.head & client.ringMask;
            const slot = control.slotOf(client.tickets[at]!);
            if (control.words[slot + SLOT_VOTES] !== 0) break;
            const fate = control.words[slot + SLOT_FATE]!;
            client.view.at(client.blockPages[at]!).set(BLOCK_FATE, fate);
            client.head++;
            onFinal(client.blockPages[at]!, fate);
          }
          return count;
        };
      },
    },
    /a reply left before its ticket was final/,
  );
});

test('canary: a frontend that forgets to wake the nodes', async () => {
  await assertCaught(
    {
      breakFrontend: ({ tickets }) => {
        tickets.flushWakeups = () => {};
      },
    },
    /nothing runs, and requests wait for their replies/,
  );
});
