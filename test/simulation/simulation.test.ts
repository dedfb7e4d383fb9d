/**
 * Seeded schedules of the whole engine (simulation.ts). `AMELIE_SCHEDULES=100000`, or `npm run test:simulation`, runs more
 * of them.
 */

import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { addReport, emptyReport, reportText } from './report.ts';
import { runSimulation } from './simulation.ts';

const SCHEDULE_COUNT = Number(process.env.AMELIE_SCHEDULES ?? 1000);
/** Each of them has the time of a test. */
const PART_COUNT = 5;
const REQUEST_COUNT = 26;
/** What is met in one of a hundred schedules at least, and what in several of a thousand; all else in one of ten. */
const SELDOM: ReadonlySet<string> = new Set([
  'checkpointsByInterval',
  'checkpointsCancelled',
  'checkpointsOfSameLsn',
  'definitionsInCheckpoint',
  'largeTables',
  'abortsInRounds',
  'abortsInFences',
  'replaysOverFences',
  'interrupted',
  'mixedFailedByOthers',
  'mixedFailedInTail',
  'mixedMoves',
  'mixedAbortsBehindWork',
]);
const RARE: ReadonlySet<string> = new Set([
  'replaysInRounds',
  'replaysInFences',
  'abortsOverFences',
  'interruptedInFences',
  'interruptedInRounds',
  'mixedAbortsAtWork',
  'mixedReplaysAtWork',
  'mixedReplaysBehindWork',
  'mixedInterrupted',
]);

const total = emptyReport();

for (let part = 0; part < PART_COUNT; part++) {
  const first = Math.floor((SCHEDULE_COUNT * part) / PART_COUNT) + 1;
  const last = Math.floor((SCHEDULE_COUNT * (part + 1)) / PART_COUNT);
  test(`random schedules ${first} to ${last}, with restarts, end as the tickets run one by one`, async () => {
    for (let seed = first; seed <= last; seed++)
      addReport(total, await runSimulation({ seed, requestCount: REQUEST_COUNT }));
  });
}

test('the schedules have reached everything that they are about', () => {
  console.log(`${SCHEDULE_COUNT} schedules\n${reportText(total)}`);
  for (const [what, count] of Object.entries(total)) {
    const share = RARE.has(what) ? 500 : SELDOM.has(what) ? 100 : 10;
    if (what !== 'trace') assert.ok(count > SCHEDULE_COUNT / share, `schedules reach ${what}: ${count}`);
  }
});

test('the same seed is the same run, step by step', async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const first = await runSimulation({ seed, requestCount: REQUEST_COUNT });
    assert.deepEqual(await runSimulation({ seed, requestCount: REQUEST_COUNT }), first);
  }
});
