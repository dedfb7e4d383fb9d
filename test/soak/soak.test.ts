/** The short form of the soak test: what it asserts between phases, and that dropping everything gives everything back. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../src/testing/random.ts';
import { Database } from '../server/database.ts';
import { RowsActor } from './rows-actor.ts';
import { type Sample, takeSample } from './samples.ts';
import { checkFlat, SoakRun, TABLES } from './soak.ts';

test('under mixed load nothing leaks: rows, memory, files, descriptors', async () => {
  const { transactionCount, samples } = await SoakRun.all({ seed: 11, seconds: 5, phaseCount: 3, print: () => {} });
  assert.ok(transactionCount > 100, `${transactionCount} transactions`);
  assert.ok(samples.every(({ rowCount }) => rowCount > 300));
});

test('the checks notice what rises, and rows that are lost or changed', async () => {
  const db = await Database.start('--format=json');
  for (const statement of TABLES) await db.text(statement);
  const rows = new RowsActor('logged_rows', 0, new SeededRandom(3), true);
  await rows.fill(db.client);
  await rows.check(db);
  for (const [damage, repair] of [
    ['update logged_rows set n = n + 1 where id = 7', 'update logged_rows set n = n - 1 where id = 7'],
    ["insert into logged_rows values (0, 999, 1, '', null)", 'delete from logged_rows where id = 999'],
  ] as const) {
    await db.text(damage);
    await assert.rejects(rows.check(db), /rows of logged_rows, owner 0/);
    await db.text(repair);
    await rows.check(db);
  }
  const sample = await takeSample(db);
  await db.stop();
  assert.ok(sample.usedBytes > sample.partitionBytes && sample.partitionBytes > 0 && sample.rowCount === 300);
  const steady = Array.from({ length: 6 }, () => sample);
  checkFlat(steady, steady);
  const rising = (change: (index: number) => Partial<Sample>): Sample[] =>
    steady.map((each, index) => ({ ...each, ...change(index + 1) }));
  const megabytes = (index: number): number => index * 40_000_000;
  const leaks: readonly Sample[][] = [
    rising((index) => ({ partitionBytes: megabytes(index) })),
    rising((index) => ({ usedBytes: megabytes(index) })),
    rising((index) => ({ residentBytes: sample.residentBytes + 4 * megabytes(index) })),
    rising((index) => ({ checkpointBytes: megabytes(index) })),
    rising((index) => ({ descriptorCount: sample.descriptorCount + index })),
  ];
  for (const leak of leaks) assert.throws(() => checkFlat(steady, leak), /rose from/);
});
