/**
 * A fixed workload, with checkpoints, rotation, rollbacks, DDL, rows that move and shared tables, on a disk that fails: each of its operations once, in every
 * way it can; and a power loss, or a kill, at each of them. After a restart everything that was acknowledged is there, what
 * was refused is not, and nothing is there in part; while the disk fails reads go on, and when it works again so do writes
 * (checks: simulation.ts, check.ts, durability.ts).
 */

import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { createLog } from '../../src/log/log-files.ts';
import { recover } from '../../src/log/recover.ts';
import { SimulatedFiles } from '../../src/testing/simulated-files.ts';
import { readImage } from './image.ts';
import { matchFound } from './model.ts';
import type { Plan, PlannedFault } from './plan.ts';
import { addReport, emptyReport, type SimulationReport } from './report.ts';
import { runSimulation } from './simulation.ts';

/** The workload. */
const SEED = 34;
const REQUEST_COUNT = 40;
const NODE_COUNT = 3;
const ROTATE_BYTES = 600;
/** Of what was not synced, a power loss keeps prefixes, files, renames and removals by chance. */
const POWER_LOSSES_EACH = 4;

type Ending = Partial<Plan> & Pick<Plan, 'end'>;

async function run(syncOnWrite: boolean, ending: Ending): Promise<SimulationReport> {
  const plan: Plan = { nodeCount: NODE_COUNT, syncOnWrite, rotateBytes: ROTATE_BYTES, ...ending };
  return await runSimulation({ seed: SEED, requestCount: REQUEST_COUNT, plan });
}

type Operation = { readonly name: string; readonly path: string };

/** Operations of the workload, from its first request on. */
async function operations(syncOnWrite: boolean): Promise<Operation[]> {
  const found: Operation[] = [];
  const plan: Plan = { nodeCount: NODE_COUNT, syncOnWrite, rotateBytes: ROTATE_BYTES, end: 'clean' };
  const breakFault = (name: string, path: string, operation: number): undefined => {
    if (operation >= 0) found[operation] = { name, path };
  };
  const report = await runSimulation({ seed: SEED, requestCount: REQUEST_COUNT, plan, breakFault });
  const reached = [
    'checkpoints',
    'copies',
    'aborts',
    'rotations',
    'rotationsInCheckpoint',
    'startsWithUnlogged',
    'moves',
    'fences',
    'mixed',
  ] as const;
  for (const what of reached) assert.ok(report[what] > 0, `the workload has ${what}`);
  assert.ok(report.definitionsInCheckpoint > 0 && report.logFilesRemoved > 0, 'DDL, and log files that go');
  return found.slice(0, report.operations);
}

for (const syncOnWrite of [false, true]) {
  const settings = `sync on write ${syncOnWrite}`;

  for (const fault of ['error', 'short', 'delayed'] as PlannedFault[])
    test(`every operation once (${fault}): ${settings}`, async () => {
      const total = emptyReport();
      for (const [faultOperation, { name }] of (await operations(syncOnWrite)).entries()) {
        // Only writes can be short.
        if (fault === 'short' && name !== 'write') continue;
        // One setting has the even ones, the other the odd ones.
        const isOwn = (faultOperation % 2 === 0) === syncOnWrite;
        if (fault === 'delayed' && !isOwn) continue;
        addReport(total, await run(syncOnWrite, { end: 'clean', faultOperation, fault }));
        if (fault === 'error' && isOwn)
          addReport(total, await run(syncOnWrite, { end: 'kill', faultOperation, fault }));
      }
      if (fault === 'delayed') assert.equal(total.logFailures + total.unknown, 0);
      else assert.ok(total.logFailures > 0 && total.checkpointsFailed > 0, 'requests and checkpoints were refused');
    });

  test(`the power goes at every operation: ${settings}`, async () => {
    const { lossesChecked } = await run(syncOnWrite, { end: 'clean', lossesEach: POWER_LOSSES_EACH });
    const all = await operations(syncOnWrite);
    assert.ok(
      lossesChecked >= all.length * POWER_LOSSES_EACH,
      `${lossesChecked} power losses were tried beside the life`,
    );
    for (const endOperation of all.keys())
      await run(syncOnWrite, { end: 'power', endOperation, endSeed: endOperation });
  });

  test(`the process is killed at every operation: ${settings}`, async () => {
    for (const endOperation of (await operations(syncOnWrite)).keys())
      await run(syncOnWrite, { end: 'kill', endOperation });
  });
}

test('every operation of a start from the log fails once: it is refused, and the next one succeeds', () => {
  const made = new SimulatedFiles();
  createLog(made, '/wal', '{"kind":"createRepository","nodes":[]}');
  const path = '/wal/00000000000000000001.wal';
  const whole = made.contents(path);
  const torn = made.clone();
  torn.setContents(path, new Uint8Array([...whole, 64, 0, 0, 0]));
  for (const disk of [made, torn]) {
    const tried = disk.clone();
    recover(tried, '/wal', 1, () => {});
    const counts = { reads: tried.readCount, changes: tried.operationCount };
    assert.ok(counts.reads > 4 && counts.changes > 1, JSON.stringify(counts));
    for (let failing = 0; failing < counts.reads + counts.changes; failing++) {
      const files = disk.clone();
      files.readFault = (operation) => operation === failing;
      files.fault = (operation) => (operation === failing - counts.reads ? 'error' : undefined);
      assert.throws(() => recover(files, '/wal', 1, () => {}), /EIO/);
      files.readFault = () => false;
      files.fault = () => undefined;
      assert.equal(recover(files, '/wal', 1, () => {}).lastLsn, 1);
      assert.deepEqual(files.contents(path), whole);
    }
  }
});

test('every operation of a start from a checkpoint fails once: it is refused, and the next one succeeds', async () => {
  // A checkpoint, records behind it, and an unfinished checkpoint.
  let disk: SimulatedFiles | undefined;
  const endOperation = (await operations(true)).findLastIndex(
    ({ name, path }) => name === 'rename' && path.endsWith('.incomplete'),
  );
  await runSimulation({
    seed: SEED,
    requestCount: REQUEST_COUNT,
    plan: {
      nodeCount: NODE_COUNT,
      syncOnWrite: true,
      rotateBytes: ROTATE_BYTES,
      end: 'kill',
      endOperation,
    },
    breakDisk: (files) => {
      disk = files.clone();
    },
  });
  const tried = disk!.clone();
  const expected = readImage(tried, NODE_COUNT);
  assert.equal(disk!.list('/repository/checkpoint').length, 2);
  const counts = { reads: tried.readCount, changes: tried.operationCount };
  assert.ok(counts.reads > 40 && counts.changes > 4, JSON.stringify(counts));
  for (let failing = 0; failing < counts.reads + counts.changes; failing++) {
    const files = disk!.clone();
    files.readFault = (operation) => operation === failing;
    files.fault = (operation) => (operation === failing - counts.reads ? 'error' : undefined);
    assert.throws(() => readImage(files, NODE_COUNT), /EIO/, `operation ${failing}`);
    files.readFault = () => false;
    files.fault = () => undefined;
    const found = readImage(files, NODE_COUNT);
    assert.ok(matchFound(expected.state, found.state), `operation ${failing}`);
    assert.deepEqual([found.lsn, found.identity], [expected.lsn, expected.identity]);
  }
});
