/**
 * `npm run bench`: the benchmarks with their peers in the same run, printed as ratios beside their targets.
 *
 *   npm run bench -- --only=tpcb,point --seconds=5 --rounds=1 --large
 *   npm run bench -- --only=expressions --match=LIKE
 */

import { parseArgs } from 'node:util';
import { measureBatch } from './batch.ts';
import { measureExpressions } from './expressions.ts';
import { measureInterpreter } from './interpreter.ts';
import { measureMemory } from './memory.ts';
import { measurePoint } from './point.ts';
import { describeMachine, formatTable, type Measurement } from './report.ts';
import type { Section, SectionOptions } from './section.ts';
import { measureTpcb } from './tpcb.ts';

const SECTIONS: Readonly<Record<string, Section>> = {
  tpcb: measureTpcb,
  point: measurePoint,
  batch: measureBatch,
  interpreter: measureInterpreter,
  expressions: measureExpressions,
  memory: measureMemory,
};

type SuiteOptions = { readonly names: readonly string[]; readonly options: SectionOptions };

function readOptions(): SuiteOptions {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: Object.keys(SECTIONS).join(',') },
      seconds: { type: 'string', default: '10' },
      rounds: { type: 'string', default: '3' },
      large: { type: 'boolean', default: false },
      match: { type: 'string', default: '' },
    },
  });
  const names = values.only.split(',');
  for (const name of names) {
    if (!(name in SECTIONS)) throw new Error(`--only: '${name}' is none of ${Object.keys(SECTIONS).join(', ')}`);
  }
  const print = (line: string): void => console.log(line);
  const seconds = readCount('seconds', values.seconds);
  const roundCount = readCount('rounds', values.rounds);
  return { names, options: { seconds, roundCount, isLarge: values.large, match: values.match, print } };
}

function readCount(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name}: expected a whole number from 1`);
  return value;
}

/** Runs the sections one after another; a section that fails is reported, and the others still run. */
async function runSuite({ names, options }: SuiteOptions): Promise<boolean> {
  const measurements: Measurement[] = [];
  let hasFailed = false;
  options.print(`machine: ${describeMachine()}`);
  options.print(
    `runs of ${options.seconds} s, medians of ${options.roundCount}; the load generator shares the cores\n`,
  );
  for (const name of names) {
    options.print(`${name}:`);
    try {
      measurements.push(...(await SECTIONS[name]!(options)));
    } catch (error) {
      hasFailed = true;
      options.print(`  failed: ${(error as Error).message}`);
    }
  }
  options.print(`\n${formatTable(measurements)}`);
  return !hasFailed;
}

try {
  if (!(await runSuite(readOptions()))) process.exitCode = 1;
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
