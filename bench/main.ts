/**
 * `npm run bench`: the benchmarks with their peers in the same run, printed as ratios beside their targets.
 *
 *   npm run bench -- --only=tpcb,point --seconds=5 --rounds=1 --large
 *   npm run bench -- --only=expressions --match=LIKE
 *   npm run bench -- --only=checkpoint --size=64                     MiB of rows
 *   npm run bench -- --only=loading --rows=1000000
 *   npm run bench -- --against=HEAD~1 --pairs=5 --seconds=5          this tree and that commit in turns
 */

import { measureAgainst } from './against.ts';
import { readArguments, type SuiteRequest } from './arguments.ts';
import { measureBatch } from './batch.ts';
import { measureCheckpointLoad } from './checkpoint-load.ts';
import { measureExpressions } from './expressions.ts';
import { measureInterpreter } from './interpreter.ts';
import { measureLoading } from './loading.ts';
import { measureMemory } from './memory.ts';
import { measurePoint } from './point.ts';
import { describeMachine, formatTable, type Measurement } from './report.ts';
import type { Section } from './section.ts';
import { measureTpcb } from './tpcb.ts';
import { measureTpcbSync } from './tpcb-sync.ts';

const SECTIONS: Readonly<Record<string, Section>> = {
  tpcb: measureTpcb,
  sync: measureTpcbSync,
  point: measurePoint,
  batch: measureBatch,
  interpreter: measureInterpreter,
  expressions: measureExpressions,
  memory: measureMemory,
  checkpoint: measureCheckpointLoad,
  loading: measureLoading,
};

const print = (line: string): void => console.log(line);

/** Runs the sections one after another; a section that fails is reported, and the others still run. */
async function runSuite(request: SuiteRequest): Promise<boolean> {
  const measurements: Measurement[] = [];
  let hasFailed = false;
  print(`machine: ${describeMachine()}`);
  print(`runs of ${request.seconds} s, medians of ${request.roundCount}; the load generator shares the cores\n`);
  for (const name of request.names) {
    print(`${name}:`);
    try {
      measurements.push(...(await SECTIONS[name]!({ ...request, print })));
    } catch (error) {
      hasFailed = true;
      print(`  failed: ${(error as Error).message}`);
    }
  }
  print(`\n${formatTable(measurements)}`);
  return !hasFailed;
}

try {
  const request = readArguments(process.argv.slice(2), Object.keys(SECTIONS));
  if (request.kind === 'suite') {
    if (!(await runSuite(request))) process.exitCode = 1;
  } else {
    print(`machine: ${describeMachine()}`);
    print(`${request.pairCount} pairs of 2 × 2 runs of ${request.seconds} s; the load generator shares the cores\n`);
    print(`\n${formatTable(await measureAgainst(request, print))}`);
  }
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
