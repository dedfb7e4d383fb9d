/**
 * Many crash rounds, from the command line: `node test/crash/main.ts --rounds=50 --seed=7`. Prints the seed, with which a
 * failure is run again.
 */

import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { parseArgs } from 'node:util';
import { CrashRun } from './rounds.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '50' },
    seed: { type: 'string' },
  },
});
const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
console.log(`seed ${seed}`);
test('crash rounds', async () => {
  const settings = ['--wal_rotate_wm=300000'];
  const run = await CrashRun.start({ seed, settings, print: (line) => console.log(line), hasCheckpoints: true });
  for (let round = 0; round < Number(values.rounds); round++) await run.round();
});
