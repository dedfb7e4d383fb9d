/** Variants of the engine with one broken rule each, which the check meant for it has to catch in some schedule. */

import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import type { Memory } from '../../src/base/memory.ts';
import { Checkpointer, type CheckpointerOptions, type Frozen } from '../../src/engine/main/checkpoint.ts';
import { NodeRunner } from '../../src/engine/node/node-runner.ts';
import { Committer } from '../../src/executor/committer.ts';
import type { Control } from '../../src/executor/control.ts';
import { BLOCK_FATE, SLOT_FATE, SLOT_VOTES } from '../../src/executor/layout.ts';
import { NodeLoop } from '../../src/executor/node-loop.ts';
import { PlainFence } from '../../src/executor/plain-fence.ts';
import { Rounds } from '../../src/executor/rounds.ts';
import { trimLog } from '../../src/log/checkpoint/directory.ts';
import { Partition } from '../../src/storage/partition.ts';
import { countTwice, LateCounters, leaveRoundsWithoutUndo, relabelCheckpoint } from './broken.ts';
import type { SimulationOptions } from './plan.ts';
import { DIRECTORY } from './settings.ts';
import { runSimulation } from './simulation.ts';

const REQUEST_COUNT = 40;
const CANARY_SCHEDULES_MAX = 200;

/** Runs schedules with something broken until one is caught, by the check whose message that is. */
async function assertCaught(
  broken: Omit<SimulationOptions, 'seed' | 'requestCount'>,
  message: RegExp,
  firstSeed = 1,
): Promise<void> {
  for (let seed = firstSeed; seed < firstSeed + CANARY_SCHEDULES_MAX; seed++) {
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
  await assertCaught(
    { broken: { nodeClasses: { committer: Broken, runner: NodeRunner } } },
    /: ticket \d+: |the write-ahead log does not fit the data/,
  );
});

test('canary: a node that skips the undo of what it ran after a failed ticket', async () => {
  class Broken extends NodeRunner {
    override rollbackTo(_undoMark: number, redoMark: number): void {
      this.redo.rollbackTo(redoMark);
    }
  }
  await assertCaught(
    { broken: { nodeClasses: { committer: Committer, runner: Broken } } },
    /: ticket \d+: |undo and release write what the change has copied/,
  );
});

test('canary: a log that takes writes again after a failed sync, without a checkpoint', async () => {
  class Broken extends Committer {
    override probe(nowMs: number): boolean {
      const isOfUse = super.probe(nowMs);
      if (isOfUse && this.log.repair(0) === 'unsaved') this.resume();
      return isOfUse;
    }
  }
  await assertCaught(
    { broken: { nodeClasses: { committer: Broken, runner: NodeRunner } } },
    /a failed sync is not forgotten/,
  );
});

test('canary: a disk that loses what it has synced', async () => {
  const breakFault = (name: string, path: string): 'lost' | undefined =>
    name === 'sync' && path.startsWith(`${DIRECTORY}/wal`) ? 'lost' : undefined;
  const plan = { nodeCount: 2, syncOnWrite: true, rotateBytes: 1_000_000, end: 'power', endOperation: 40 } as const;
  await assertCaught({ breakFault, plan }, /what was found is no state that may be there/);
});

test('canary: a frontend that replies when all have voted, before it is final', async () => {
  await assertCaught(
    {
      broken: {
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
    },
    /a reply left before its ticket was final/,
  );
});

test('canary: a frontend that forgets to wake the nodes', async () => {
  await assertCaught(
    {
      broken: {
        breakFrontend: ({ tickets }) => {
          tickets.flushWakeups = () => {};
        },
      },
    },
    /nothing runs, and requests wait for their replies/,
  );
});

test('canary: a node that writes frozen pages in place', async () => {
  const breakNodeMemory = (memory: Memory): void => {
    memory.isFrozen = () => false;
  };
  await assertCaught({ broken: { breakNodeMemory } }, /the checkpoint of LSN \d+, ticket \d+, is not of that state/);
});

test('canary: log files are removed before the checkpoint that replaces them is whole', async () => {
  class Broken extends Checkpointer {
    private readonly given: CheckpointerOptions;

    constructor(options: CheckpointerOptions) {
      super(options);
      this.given = options;
    }

    override async write(frozen: Frozen, workerCount: number): Promise<void> {
      try {
        trimLog(this.given.files, this.given.logDirectory, frozen.lsn);
      } catch {
        // The power has gone meanwhile.
      }
      await super.write(frozen, workerCount);
    }
  }
  await assertCaught(
    { broken: { checkpointer: Broken } },
    /LSN 1 to \d+ are missing|no log files|what was found is no state that may be there/,
  );
});

test('canary: log files are removed before the rename of the checkpoint is durable', async () => {
  const breakFault = (name: string, path: string): 'lost' | undefined =>
    name === 'syncDirectory' && path === `${DIRECTORY}/checkpoint` ? 'lost' : undefined;
  await assertCaught({ breakFault }, /LSN \d+ to \d+ are missing|what was found is no state that may be there/);
});

test('canary: a checkpoint that takes the identity counters when it writes, and not in its fence', async () => {
  await assertCaught({ broken: { checkpointer: LateCounters } }, /identity counter \d+ of LSN \d+ is of its fence/);
});

test('canary: a checkpoint that is not taken where only unlogged rows have changed', async () => {
  class Broken extends Checkpointer {
    private readonly control: Control;

    constructor(options: CheckpointerOptions) {
      super(options);
      this.control = options.control;
    }

    override hasChanges(): boolean {
      return this.control.lsn > Math.max(this.lsn, 1);
    }
  }
  await assertCaught({ broken: { checkpointer: Broken } }, /no checkpoint at ticket \d+, though that of ticket/);
});

test('canary: a start that applies the record of its checkpoint once more', async () => {
  await assertCaught(
    { breakDisk: relabelCheckpoint },
    /does not fit the data|DDL names|has an entry for each row|what was found is no state/,
  );
});

test('canary: a middle section that runs before all have arrived', async (context) => {
  context.mock.method(Rounds.prototype, 'isComplete', () => true);
  await assertCaught(
    { focus: 'moves' },
    /only who is awaited arrives|all have arrived before the next step|: ticket \d+: /,
  );
});

test('canary: a participant that leaves its rounds for a rollback without undoing', async (context) => {
  leaveRoundsWithoutUndo(context);
  const notice =
    /: ticket \d+: |given back before it is quiet|nobody arrives for an old attempt|parts run in ticket order/;
  await assertCaught({ focus: 'moves' }, notice);
});

test('canary: an attempt in rounds that is undone, and leaves its moved rows in memory', async () => {
  class Broken extends NodeRunner {
    override discardMiddle(): void {}
  }
  const nodeClasses = { committer: Committer, runner: Broken };
  await assertCaught({ focus: 'moves', broken: { nodeClasses } }, /given back before it is quiet/);
});

test('canary: a plain fence that works while a node is missing', async (context) => {
  countTwice(context);
  await assertCaught({ focus: 'shared' }, /nobody works while a node is missing|no other node is inside of a part/);
});

test('canary: a node that leaves a plain fence while another works in it', async (context) => {
  context.mock.method(PlainFence.prototype, 'mayLeave', () => true);
  await assertCaught({ focus: 'shared' }, /nobody leaves a fence that is WORKING|no other node is inside of a part/);
});

test('canary: what was written in a fence is undone before all nodes have stopped', async (context) => {
  context.mock.method(NodeLoop.prototype, 'haveAllStopped', () => true);
  await assertCaught({ focus: 'shared' }, /no other node is inside of a part$/m);
});

test('canary: a node that reads a shared table as it was when it opened it', async (context) => {
  const { refresh } = Partition.prototype;
  context.mock.method(Partition.prototype, 'refresh', function (this: Partition) {
    if (!this.isForeign) refresh.call(this);
  });
  await assertCaught({ focus: 'shared' }, /: ticket \d+: /);
});

test('canary: what an owner wrote among others is undone before all nodes have stopped', async (context) => {
  context.mock.method(NodeLoop.prototype, 'haveAllStopped', () => true);
  await assertCaught({ focus: 'mixed' }, /no other node is inside of a part of another ticket/);
});

test('canary: an owner that undoes when others have left the ticket', async (context) => {
  context.mock.method(Rounds.prototype, 'undoesFirst', () => false);
  await assertCaught({ focus: 'mixed' }, /the owner has undone before anyone leaves/);
});
