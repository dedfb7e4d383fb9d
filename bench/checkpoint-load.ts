/**
 * Updates while a checkpoint runs, against the same updates without: uniform over all rows, by key, 64 clients. Phases with
 * and without take turns; in a phase with, one CHECKPOINT follows another, so that nearly all of it is in one.
 */

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { HttpClient } from '../src/bench/http-client.ts';
import { type LoadResult, runLoad } from '../src/bench/load.ts';
import { makeTemplate, type RequestTemplate } from '../src/bench/request-template.ts';
import { type Measurement, median } from './report.ts';
import type { SectionOptions } from './section.ts';
import { ServerProcess } from './server-process.ts';

const CLIENT_COUNT = 64;
const GENERATOR_THREADS = 1;
const LOAD_CONNECTIONS = 4;
const ROWS_PER_REQUEST = 2000;
/** Of a row without its index: bigint 8, two ints 8, ref of the text 4, its block in the heap 16. */
const ROW_BYTES = 36;
const RATE_RATIO_MIN = 0.6;
const P99_RATIO_MAX = 5;

/** How long each checkpoint took; the last one of a phase goes on behind it, alone. */
type Checkpoints = { readonly seconds: number[] };

export async function measureCheckpointLoad(options: SectionOptions): Promise<Measurement[]> {
  const rowCount = Math.ceil((options.mebibytes * 2 ** 20) / ROW_BYTES);
  // The interval is longer than any run: checkpoints come when the benchmark says so.
  const server = await ServerProcess.start(['--checkpoint_interval=1 day']);
  const client = new HttpClient(server.socket, LOAD_CONNECTIONS + 1);
  try {
    await fill(client, rowCount, server, options);
    return await measurePhases(server, client, rowCount, options);
  } finally {
    client.close();
    await server.remove();
  }
}

async function fill(
  client: HttpClient,
  rowCount: number,
  server: ServerProcess,
  options: SectionOptions,
): Promise<void> {
  await client.sql('create table rows (id bigint primary key, a int, b int, s text)');
  const startMs = performance.now();
  let next = 1;
  const feed = async (): Promise<void> => {
    while (next <= rowCount) {
      const first = next;
      next = Math.min(first + ROWS_PER_REQUEST, rowCount + 1);
      await client.post('/public/rows', 'application/json', makeRows(first, next));
    }
  };
  await Promise.all(Array.from({ length: LOAD_CONNECTIONS }, feed));
  const seconds = (performance.now() - startMs) / 1000;
  options.print(
    `  ${rowCount.toLocaleString('en-US')} rows, ${options.mebibytes} MiB without their index, in ${seconds.toFixed(0)} s; ` +
      `the server has ${(server.residentBytes / 2 ** 20).toFixed(0)} MiB`,
  );
}

function makeRows(first: number, end: number): string {
  let text = '[';
  for (let row = first; row < end; row++) {
    if (row > first) text += ',';
    text += `[${row},${row % 1000},${row % 77},"text${String(row % 10_000_000).padStart(7, '0')}"]`;
  }
  return `${text}]`;
}

async function measurePhases(
  server: ServerProcess,
  client: HttpClient,
  rowCount: number,
  options: SectionOptions,
): Promise<Measurement[]> {
  const template = makeTemplate('/', 'text/plain', 'update rows set a = a + 1 where id = {id}', {
    id: { low: 1, high: rowCount },
  });
  await runUpdates(server, template, Math.min(options.seconds, 3));
  const without: LoadResult[] = [];
  const having: LoadResult[] = [];
  const checkpoints: Checkpoints = { seconds: [] };
  for (let round = 0; round < options.roundCount; round++) {
    without.push(await runUpdates(server, template, options.seconds));
    describe('no checkpoint', without.at(-1)!, options);
    having.push(await runWithCheckpoints(server, client, template, checkpoints, options));
    describe('checkpoint   ', having.at(-1)!, options);
  }
  const secondsEach = median(checkpoints.seconds);
  const fileBytes = checkpointBytes(server.directory);
  options.print(
    `  ${checkpoints.seconds.length} checkpoints, ${secondsEach.toFixed(2)} s each: ` +
      `${(options.mebibytes / 1024 / secondsEach).toFixed(2)} GiB/s of rows, ${(fileBytes / 2 ** 20).toFixed(0)} MiB of files`,
  );
  const size = `${options.mebibytes / 1024} GiB of rows`;
  const middle = (results: readonly LoadResult[], pick: (result: LoadResult) => number): number =>
    median(results.map(pick));
  return [
    {
      name: `updates while a checkpoint runs, ${size}`,
      ours: middle(having, ({ repliesPerSecond }) => repliesPerSecond),
      unit: 'tx/s',
      peer: { name: 'without', value: middle(without, ({ repliesPerSecond }) => repliesPerSecond) },
      target: { bound: 'at least', value: RATE_RATIO_MIN },
    },
    {
      name: 'their p99',
      ours: middle(having, ({ latencyMs }) => latencyMs.p99),
      unit: 'ms',
      peer: { name: 'without', value: middle(without, ({ latencyMs }) => latencyMs.p99) },
      target: { bound: 'at most', value: P99_RATIO_MAX },
    },
  ];
}

function runUpdates(server: ServerProcess, template: RequestTemplate, seconds: number): Promise<LoadResult> {
  return runLoad({
    target: server.socket,
    template,
    threadCount: GENERATOR_THREADS,
    clientCount: CLIENT_COUNT,
    seconds,
  });
}

/** One checkpoint after another while the updates run; the last one is waited for, after them. */
async function runWithCheckpoints(
  server: ServerProcess,
  client: HttpClient,
  template: RequestTemplate,
  checkpoints: Checkpoints,
  options: SectionOptions,
): Promise<LoadResult> {
  let isEnding = false;
  const loop = async (): Promise<void> => {
    while (!isEnding) {
      const startMs = performance.now();
      await client.sql('checkpoint');
      checkpoints.seconds.push((performance.now() - startMs) / 1000);
    }
  };
  const looping = loop();
  try {
    const run = runUpdates(server, template, options.seconds);
    return await Promise.race([run, looping.then(() => run)]);
  } finally {
    isEnding = true;
    await looping;
  }
}

function describe(name: string, { repliesPerSecond, latencyMs }: LoadResult, options: SectionOptions): void {
  options.print(
    `  ${name}: ${Math.round(repliesPerSecond)} tx/s, p50 ${latencyMs.p50} p95 ${latencyMs.p95} p99 ${latencyMs.p99} ms`,
  );
}

/** Of the newest checkpoint. */
function checkpointBytes(directory: string): number {
  const folder = join(directory, 'checkpoint');
  const newest = readdirSync(folder)
    .filter((name) => /^\d+(\.\d+)?$/.test(name))
    .sort()
    .at(-1);
  if (newest === undefined) return 0;
  const files = readdirSync(join(folder, newest));
  return files.reduce((sum, file) => sum + statSync(join(folder, newest, file)).size, 0);
}
