/**
 * A fixed workload on a disk that fails: each of its operations once, in every way it can; and a power loss, or a kill, at
 * each of them. After a restart everything that was acknowledged is there, what was refused is not, and nothing is there in
 * part; while the disk fails reads go on, and when it works again so do writes (checks: simulation.ts, check.ts).
 */

import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { createLog } from '../../src/log/log-files.ts';
import { recover } from '../../src/log/recover.ts';
import { type Fault, SimulatedFiles } from '../../src/testing/simulated-files.ts';
import { type Plan, runSimulation } from './simulation.ts';

/** The workload: with several nodes and frontends, rollbacks and DDL. */
const SEED = 33;
const REQUEST_COUNT = 60;
/** Of what was not synced, a power loss keeps prefixes by chance. */
const POWER_LOSSES_EACH = 2;

async function operationCount(syncOnWrite: boolean, rotateBytes: number): Promise<number> {
  const plan: Plan = { syncOnWrite, rotateBytes, end: 'clean' };
  const { operations } = await runSimulation({ seed: SEED, requestCount: REQUEST_COUNT, plan });
  assert.ok(operations > 12, `the workload uses the disk: ${operations} operations`);
  return operations;
}

for (const syncOnWrite of [false, true])
  for (const rotateBytes of [1000, 1_000_000]) {
    const settings = `sync on write ${syncOnWrite}, files of ${rotateBytes} bytes`;

    for (const fault of ['error', 'short'] as Fault[])
      test(`every operation fails once (${fault}): ${settings}`, async () => {
        const count = await operationCount(syncOnWrite, rotateBytes);
        let failureCount = 0;
        for (let faultOperation = 0; faultOperation < count; faultOperation++)
          for (const end of ['clean', 'kill'] as const) {
            const plan: Plan = { syncOnWrite, rotateBytes, end, faultOperation, fault };
            const report = await runSimulation({ seed: SEED, requestCount: REQUEST_COUNT, plan });
            failureCount += report.logFailures + report.unknown;
          }
        assert.ok(failureCount > 0, 'requests were refused');
      });

    for (const end of ['power', 'kill'] as const)
      test(`${end === 'power' ? 'the power goes' : 'the process is killed'} at every operation: ${settings}`, async () => {
        const count = await operationCount(syncOnWrite, rotateBytes);
        for (let endOperation = 0; endOperation < count; endOperation++)
          for (let round = 0; round < (end === 'power' ? POWER_LOSSES_EACH : 1); round++) {
            const plan: Plan = { syncOnWrite, rotateBytes, end, endOperation, endSeed: round };
            await runSimulation({ seed: SEED, requestCount: REQUEST_COUNT, plan });
          }
      });
  }

test('every operation of a start fails once: it is refused, changes nothing that counts, and the next one succeeds', () => {
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
