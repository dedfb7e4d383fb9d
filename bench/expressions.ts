/**
 * Scans of 2 million rows with an expression a row, next to node:sqlite in memory where it has the operation, and else to a
 * plain JavaScript loop over arrays of the same values. Rows come by the import of JSON arrays.
 */

import { HttpClient } from '../src/bench/http-client.ts';
import { FAMILIES, type Family, TABLES, type TableName } from './expression-families.ts';
import { type Runs, runRepeatedly } from './expression-runs.ts';
import { PeerProcess } from './peer-process.ts';
import { type Measurement, median } from './report.ts';
import type { SectionOptions } from './section.ts';
import { ServerProcess } from './server-process.ts';

const ROW_COUNT = 2_000_000;
const ROWS_PER_REQUEST = 1000;
const CONNECTION_COUNT = 4;
/** No family may take more than twice its peer's time. */
const RATIO_MIN = 0.5;
/** A turn is this part of a run of the other sections: there are many families. */
const TURN_PART = 0.1;

export async function measureExpressions(options: SectionOptions): Promise<Measurement[]> {
  const measurements: Measurement[] = [];
  for (const table of Object.keys(TABLES) as TableName[]) {
    const families = FAMILIES.filter((family) => family.table === table && family.name.includes(options.match));
    if (families.length > 0) measurements.push(...(await measureTable(table, families, options)));
  }
  return measurements;
}

/** A server for each table, so that none stands in another's way. */
async function measureTable(
  table: TableName,
  families: readonly Family[],
  options: SectionOptions,
): Promise<Measurement[]> {
  const server = await ServerProcess.start();
  const client = new HttpClient(server.socket, CONNECTION_COUNT);
  try {
    await load(client, table);
    const measurements: Measurement[] = [];
    for (const family of families) {
      try {
        measurements.push(await measureFamily(client, family, options));
      } catch (error) {
        options.print(`  ${family.name}: failed: ${(error as Error).message}`);
        process.exitCode = 1;
      }
    }
    return measurements;
  } finally {
    client.close();
    await server.remove();
  }
}

async function load(client: HttpClient, table: TableName): Promise<void> {
  const { ours, row: makeRow } = TABLES[table];
  await client.sql(`create table ${table} (id int primary key, ${ours})`);
  let next = 0;
  const feed = async (): Promise<void> => {
    while (next < ROW_COUNT) {
      const rows: unknown[] = [];
      for (const end = Math.min(next + ROWS_PER_REQUEST, ROW_COUNT); next < end; next++)
        rows.push([next, ...makeRow(next)]);
      await client.post(`/public/${table}`, 'application/json', JSON.stringify(rows));
    }
  };
  await Promise.all(Array.from({ length: CONNECTION_COUNT }, feed));
}

async function measureFamily(client: HttpClient, family: Family, options: SectionOptions): Promise<Measurement> {
  const ask = async (): Promise<readonly unknown[]> => oneRow(JSON.parse(await client.sql(family.sql)));
  // The first run compiles and warms up, as the peer's first run has before it is ready.
  await ask();
  const peer = await PeerProcess.start('peer-expressions', [String(FAMILIES.indexOf(family)), String(ROW_COUNT)]);
  const seconds = options.seconds * TURN_PART;
  const ours: number[] = [];
  const theirs: number[] = [];
  try {
    for (let round = 0; round < options.roundCount; round++) {
      const our = await runRepeatedly(seconds, ROW_COUNT, ask);
      const their = (await peer.ask(seconds)) as Runs;
      requireEqual(family, our.answer, their.answer);
      ours.push(our.rowsPerSecond);
      theirs.push(their.rowsPerSecond);
    }
  } finally {
    peer.stop();
  }
  const peerName = family.peer.kind === 'sqlite' ? 'node:sqlite in memory' : 'plain JavaScript loop';
  const millions = (value: number): string => `${(value / 1e6).toFixed(1)} million rows/s`;
  options.print(`  ${family.name}: amelie ${millions(median(ours))}, ${peerName} ${millions(median(theirs))}`);
  return {
    name: family.name,
    ours: median(ours),
    unit: 'rows/s',
    peer: { name: peerName, value: median(theirs) },
    ...(family.isForComparison !== true && { target: { bound: 'at least' as const, value: RATIO_MIN } }),
  };
}

/** A result of one row is its columns; of several rows of one column, those values. */
function oneRow(result: readonly unknown[]): readonly unknown[] {
  const [first] = result;
  return result.length === 1 && Array.isArray(first) ? first : result;
}

function requireEqual(family: Family, ours: readonly unknown[], theirs: readonly unknown[]): void {
  const our = JSON.stringify(ours);
  const their = JSON.stringify(theirs);
  if (our !== their) throw new Error(`the answers differ: ours ${our}, the peer's ${their}`);
  if (our === '[0]') throw new Error(`${family.sql} finds nothing: it measures nothing`);
}
