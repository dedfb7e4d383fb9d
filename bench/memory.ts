/**
 * Resident bytes a row: the growth of a server from its first 10,000 rows, when it has warmed up, to 10 seconds after the
 * last one, divided by the rows in between. Rows come by the import of JSON over HTTP, as a user's would.
 */

import { HttpClient } from '../src/bench/http-client.ts';
import type { Measurement } from './report.ts';
import type { SectionOptions } from './section.ts';
import { ServerProcess } from './server-process.ts';

const FIRST_ROW_COUNT = 10_000;
const ROWS_PER_REQUEST = 500;
const CONNECTION_COUNT = 4;
const SETTLE_MS = 10_000;
const BYTES_PER_ROW_MAX = 64;

export async function measureMemory(options: SectionOptions): Promise<Measurement[]> {
  const measurements = [await measureRows(2_000_000, options)];
  if (options.isLarge) measurements.push(await measureRows(10_000_000, options));
  return measurements;
}

async function measureRows(rowCount: number, options: SectionOptions): Promise<Measurement> {
  const server = await ServerProcess.start();
  const client = new HttpClient(server.socket, CONNECTION_COUNT);
  try {
    await client.sql('create table rows (id serial primary key, k int, v int, s text)');
    await load(client, 0, FIRST_ROW_COUNT);
    const before = server.residentBytes;
    const startMs = performance.now();
    await load(client, FIRST_ROW_COUNT, rowCount);
    const loadSeconds = (performance.now() - startMs) / 1000;
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    const after = server.residentBytes;
    const stored = JSON.parse(await client.sql('select count(*) from rows')) as number[];
    if (stored[0] !== rowCount) throw new Error(`${rowCount} rows were imported, ${stored[0]} are there`);
    const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
    options.print(
      `  ${rowCount.toLocaleString('en-US')} rows imported at ${Math.round((rowCount - FIRST_ROW_COUNT) / loadSeconds)} rows/s, ` +
        `resident ${mebibytes(before)} before, ${mebibytes(after)} after`,
    );
    return {
      name: `memory, ${rowCount / 1e6} million rows`,
      ours: (after - before) / (rowCount - FIRST_ROW_COUNT),
      unit: 'bytes/row',
      target: { bound: 'at most', value: BYTES_PER_ROW_MAX },
    };
  } finally {
    client.close();
    await server.remove();
  }
}

/** Imports the rows of the numbers `from` up to but not `to`, over several connections. */
async function load(client: HttpClient, from: number, to: number): Promise<void> {
  let next = from;
  const feed = async (): Promise<void> => {
    while (next < to) {
      const first = next;
      next = Math.min(first + ROWS_PER_REQUEST, to);
      await client.post('/public/rows?columns=k,v,s', 'application/json', makeRows(first, next));
    }
  };
  await Promise.all(Array.from({ length: CONNECTION_COUNT }, feed));
}

/** Rows of two numbers and a text of 11 bytes that is another in each row. */
function makeRows(first: number, end: number): string {
  let text = '[';
  for (let row = first; row < end; row++) {
    if (row > first) text += ',';
    text += `[${row % 100},${row},"text${String(row % 10_000_000).padStart(7, '0')}"]`;
  }
  return `${text}]`;
}
