/** What a server has and uses at one moment: memory, files, programs. Linux only, where /proc is. */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from '../server/database.ts';

export type Sample = {
  /** Resident memory of the process. */
  readonly residentBytes: number;
  /** Of memory_limit: rows, indexes, programs, what requests need. */
  readonly usedBytes: number;
  /** Of the tables that are there all the time, and the rows in them. */
  readonly partitionBytes: number;
  readonly rowCount: number;
  readonly descriptorCount: number;
  readonly walFileCount: number;
  readonly walBytes: number;
  readonly checkpointNames: readonly string[];
  readonly checkpointBytes: number;
};

type Status = { readonly process: { mem_resident: number }; readonly memory: { used: number } };
type Shown = { readonly partitions: readonly { readonly rows: number; readonly bytes: number }[] };

export async function takeSample(db: Database): Promise<Sample> {
  const [status] = (await db.rows("show status format 'json'")) as [Status];
  const tables = (await db.rows("show tables extended format 'json'")) as Shown[];
  const partitions = tables.flatMap((table) => table.partitions);
  const folder = (name: string): string => join(db.directory, name);
  const walNames = readdirSync(folder('wal'));
  const checkpointNames = readdirSync(folder('checkpoint'));
  return {
    residentBytes: status.process.mem_resident,
    usedBytes: status.memory.used,
    partitionBytes: partitions.reduce((sum, { bytes }) => sum + bytes, 0),
    rowCount: partitions.reduce((sum, { rows }) => sum + rows, 0),
    descriptorCount: readdirSync(`/proc/${serverProcess(db)}/fd`).length,
    walFileCount: walNames.length,
    walBytes: walNames.reduce((sum, name) => sum + statSync(join(folder('wal'), name)).size, 0),
    checkpointNames,
    checkpointBytes: checkpointNames.reduce((sum, name) => sum + folderBytes(join(folder('checkpoint'), name)), 0),
  };
}

function folderBytes(path: string): number {
  return readdirSync(path).reduce((sum, name) => sum + statSync(join(path, name)).size, 0);
}

function serverProcess(db: Database): number {
  return Number(readFileSync(join(db.directory, 'pid'), 'utf8'));
}

const MIB = 1024 * 1024;

/** One line of numbers. */
export function sampleText(sample: Sample & { readonly statementCount: number }): string {
  const mib = (bytes: number): string => `${(bytes / MIB).toFixed(1)} MiB`;
  return [
    `resident ${mib(sample.residentBytes)}`,
    `used ${mib(sample.usedBytes)}`,
    `partitions ${mib(sample.partitionBytes)}, ${sample.rowCount} rows`,
    `wal ${sample.walFileCount} files, ${mib(sample.walBytes)}`,
    `checkpoint ${mib(sample.checkpointBytes)}`,
    `${sample.descriptorCount} descriptors`,
    `${sample.statementCount} programs before`,
  ].join(' · ');
}
