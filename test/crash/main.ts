/**
 * Many crash rounds, from the command line: `node test/crash/main.ts --rounds=100 --seed=7`. Prints the seed, with which a
 * failure is run again.
 */

import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { parseArgs } from 'node:util';
import { runCrashRounds } from './rounds.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '50' },
    seed: { type: 'string' },
    sync: { type: 'boolean', default: false },
  },
});
const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
console.log(`seed ${seed}`);
const settings = ['--wal_rotate_wm=300000', `--wal_sync_on_write=${values.sync}`];
test('crash rounds', async () => {
  await runCrashRounds({ roundCount: Number(values.rounds), seed, settings, print: (line) => console.log(line) });
});
