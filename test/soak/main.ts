/** The soak test from the command line: `node test/soak/main.ts --minutes=10 --seed=7`. Prints the seed and numbers as it goes. */

import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { parseArgs } from 'node:util';
import { SoakRun } from './soak.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string' },
  },
});
const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
console.log(`seed ${seed}`);
test('soak', async () => {
  await SoakRun.all({ seed, seconds: Number(values.minutes) * 60, phaseCount: 9, print: (line) => console.log(line) });
});
