/**
 * Many schedules, from the command line:
 *
 *   node test/simulation/main.ts --schedules=10000 [--seed=1] [--requests=40]
 *
 * Ends at the first one that fails, with its seed and step; `--schedules=1 --seed=…` runs it again.
 */

import { parseArgs } from 'node:util';
import { addReport, emptyReport, reportText } from './report.ts';
import { runSimulation } from './simulation.ts';

const { values } = parseArgs({
  options: {
    schedules: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    requests: { type: 'string', default: '40' },
  },
});
const firstSeed = Number(values.seed);
const scheduleCount = Number(values.schedules);
const total = emptyReport();
const startedMs = performance.now();
for (let seed = firstSeed; seed < firstSeed + scheduleCount; seed++) {
  const report = await runSimulation({ seed, requestCount: Number(values.requests) });
  addReport(total, report);
}
const seconds = (performance.now() - startedMs) / 1000;
console.log(`${scheduleCount} schedules from seed ${firstSeed} in ${seconds.toFixed(1)} s`);
console.log(reportText(total));
