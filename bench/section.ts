/** What a section of the benchmark suite is given, and helpers that several share. */

import { runBench } from '../src/bench/run.ts';
import type { Target } from '../src/bench/target.ts';
import type { Measurement } from './report.ts';
import type { ServerProcess } from './server-process.ts';

export type SectionOptions = {
  /** Of each run. */
  readonly seconds: number;
  /** How often we and the peer take turns; the medians count. */
  readonly roundCount: number;
  /** Measure memory at 10 million rows too. */
  readonly isLarge: boolean;
  /** Rows of the checkpoint section, without their index. */
  readonly mebibytes: number;
  /** Of the expressions: only those whose names contain this. */
  readonly match: string;
  /** Of the section loading. */
  readonly rowCount: number;
  readonly print: (line: string) => void;
};

export type Section = (options: SectionOptions) => Promise<Measurement[]>;

/** One run of `amelie bench` with its defaults but for what is given; transactions a second. */
export async function runOurs(
  server: ServerProcess,
  target: Target,
  type: string,
  clientCount: number,
  options: SectionOptions,
): Promise<number> {
  const place = 'path' in target ? { path: target.path } : { uri: `${target.host}:${target.port}` };
  let cpuBefore = 0;
  let hasStarted = false;
  const result = await runBench({
    ...place,
    type,
    clients: clientCount,
    time: options.seconds,
    print: (line) => {
      // The first line after the tables are made: from here on the server's CPU belongs to the run.
      if (!hasStarted && line.startsWith('tables made')) {
        hasStarted = true;
        cpuBefore = server.cpuSeconds;
      }
    },
  });
  const serverMicros = ((server.cpuSeconds - cpuBefore) * 1e6) / Math.max(result.replyCount, 1);
  const latency = result.latencyMs;
  options.print(
    `  amelie ${type} ${clientCount} clients: ${Math.round(result.repliesPerSecond)} tx/s, ` +
      `p50 ${latency.p50} p95 ${latency.p95} p99 ${latency.p99} ms, ` +
      `CPU a transaction: server ${serverMicros.toFixed(1)} µs, generator ${result.generatorCpuMicros.toFixed(1)} µs`,
  );
  return result.repliesPerSecond;
}
