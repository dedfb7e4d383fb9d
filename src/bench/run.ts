/** `amelie bench`: makes the tables of a workload, runs it against a server and prints what came out. */

import { availableParallelism } from 'node:os';
import { HttpClient } from './http-client.ts';
import { type LoadResult, runLoad } from './load.ts';
import { describeTarget, resolveTarget, type Target } from './target.ts';
import { makeWorkload, SCHEMA_STATEMENTS, WORKLOAD_TYPES, type Workload, type WorkloadType } from './workload.ts';

export type BenchOptions = {
  /** Where the server is; a Unix socket wins over a URI, and without both it is the default port here. */
  readonly uri?: string | undefined;
  readonly path?: string | undefined;
  /** tpcb (default), insert, upsert, import, resolved. */
  readonly type?: string | undefined;
  /** Threads that send; DEFAULT_THREADS where not given. */
  readonly threads?: number | undefined;
  readonly clients?: number | undefined;
  /** Seconds. */
  readonly time?: number | undefined;
  /** Rows of a transaction, for all types but tpcb. */
  readonly batch?: number | undefined;
  /** Size of the tpcb tables, in branches. */
  readonly scale?: number | undefined;
  /** Make the tables; without it they must be there from an earlier run. */
  readonly init?: boolean | undefined;
  readonly unlogged?: boolean | undefined;
  readonly print: (line: string) => void;
};

export type BenchResult = LoadResult & {
  readonly writesPerTransaction: number;
  readonly writesPerSecond: number;
};

/**
 * Four threads, but no more than cores: threads beyond them only wake each other up (tpcb on two cores, 12 clients: 40.5 k
 * transactions/s with 4 threads, 49.4 k with 2, 54.2 k with 1).
 */
export const DEFAULT_THREADS: number = Math.min(4, availableParallelism());

/**
 * Runs a benchmark and prints a line for each second and the totals. An option that makes no sense, a server that cannot
 * be reached, and anything the server refuses are Errors with the reason.
 */
export async function runBench(options: BenchOptions): Promise<BenchResult> {
  const type = checkType(options.type ?? 'tpcb');
  const threadCount = checkCount('threads', options.threads ?? DEFAULT_THREADS, 256);
  const clientCount = checkCount('clients', options.clients ?? 12, 100_000);
  const seconds = checkCount('time', options.time ?? 10, 1_000_000);
  const batch = checkCount('batch', options.batch ?? 500, 100_000);
  const scale = checkCount('scale', options.scale ?? 1, 10_000);
  const workload = makeWorkload(type, { batch, scale, unlogged: options.unlogged ?? false });
  const target = resolveTarget(options.uri, options.path);
  const print = options.print;

  const size = type === 'tpcb' ? `scale ${scale}` : `batch ${batch}`;
  print(`${type} at ${describeTarget(target)}: ${clientCount} clients, ${threadCount} threads, ${seconds} s, ${size}`);
  if (options.init ?? true) await prepare(target, workload, print);

  const load = await runLoad({
    target,
    template: workload.template,
    threadCount,
    clientCount,
    seconds,
    everySecond: (second, repliesPerSecond) => {
      const writes = (repliesPerSecond * workload.writesPerTransaction) / 1e6;
      print(
        `${String(second).padStart(4)} s  ${rate(repliesPerSecond)} transactions/s  ${writes.toFixed(3)} million writes/s`,
      );
    },
  });
  const writesPerSecond = load.repliesPerSecond * workload.writesPerTransaction;
  printTotals(load, workload.writesPerTransaction, print);
  return { ...load, writesPerTransaction: workload.writesPerTransaction, writesPerSecond };
}

function printTotals(load: LoadResult, writesPerTransaction: number, print: (line: string) => void): void {
  const writeCount = load.replyCount * writesPerTransaction;
  const writesPerSecond = load.repliesPerSecond * writesPerTransaction;
  const latency = load.latencyMs;
  const ms = (value: number): string => `${value.toFixed(3)} ms`;
  print('');
  print(
    `transactions  ${rate(load.replyCount)}  in ${load.seconds.toFixed(2)} s: ${rate(load.repliesPerSecond)} a second`,
  );
  print(`writes        ${rate(writeCount)}: ${(writesPerSecond / 1e6).toFixed(3)} million a second`);
  print(`latency       p50 ${ms(latency.p50)}, p95 ${ms(latency.p95)}, p99 ${ms(latency.p99)}`);
  const micros = load.generatorCpuMicros.toFixed(1);
  print(`generator     ${micros} µs of CPU a transaction, ${load.generatorCores.toFixed(2)} cores busy`);
}

async function prepare(target: Target, workload: Workload, print: (line: string) => void): Promise<void> {
  const startMs = performance.now();
  const client = new HttpClient(target);
  try {
    for (const statement of SCHEMA_STATEMENTS) await client.sql(statement);
    for (const statement of workload.tables) await client.sql(statement);
    for (const statement of workload.rows) await client.sql(statement);
  } catch (error) {
    throw new Error(unreachable(error, target), { cause: error });
  } finally {
    client.close();
  }
  print(`tables made in ${((performance.now() - startMs) / 1000).toFixed(1)} s`);
}

/** A message for a failed request: system errors by themselves do not say which server was meant. */
function unreachable(error: unknown, target: Target): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ECONNREFUSED' || code === 'ENOENT') return `no server listens at ${describeTarget(target)}`;
  return (error as Error).message;
}

function checkType(type: string): WorkloadType {
  const known = WORKLOAD_TYPES.find((name) => name === type);
  if (known === undefined) throw new Error(`--type: '${type}' is none of ${WORKLOAD_TYPES.join(', ')}`);
  return known;
}

function checkCount(name: string, value: number, highest: number): number {
  if (!Number.isInteger(value) || value < 1 || value > highest) {
    throw new Error(`--${name}: expected a whole number from 1 to ${highest}`);
  }
  return value;
}

function rate(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
