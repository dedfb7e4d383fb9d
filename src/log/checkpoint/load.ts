/**
 * Loads the rows file of one partition into its empty memory, and builds its indexes. In any thread; plain data goes in and
 * out.
 *
 *   loadRows ─▶ for each index: buildIndexAside, in any threads at once ─▶ takeIndex, in one of them, one after another
 */

import type { Files } from '../../base/effects.ts';
import { SqlError } from '../../base/errors.ts';
import type { Memory } from '../../base/memory.ts';
import type { PartitionDefinition, TableDefinition } from '../../catalog/catalog.ts';
import { BlockLoader } from '../../storage/bulk-load.ts';
import { adoptNodes, type BuiltNodes, buildIndex, buildIndexes, insertRows } from '../../storage/index-build.ts';
import { Partition } from '../../storage/partition.ts';
import { type RowsTotals, rowsHeader } from './format.ts';
import { RowsReader } from './rows-reader.ts';

export type LoadJob = {
  readonly path: string;
  readonly lsn: number;
  readonly table: TableDefinition;
  /** With its root page: empty, and used by nobody else until it is loaded. */
  readonly definition: PartitionDefinition;
  /** What the catalog file says. */
  readonly rowCount: number;
  readonly fileBytes: number;
};

/** Called after a block: its rows, and the bytes of the file that it took. */
export type OnBlock = (rowCount: number, byteCount: number) => void;

/**
 * Loads rows and builds the indexes, in this thread. Throws LogDamage, naming file and offset, out_of_memory, or what the file
 * system throws: the partition is of no use then.
 */
export function loadPartition(files: Files, memory: Memory, job: LoadJob, onBlock: OnBlock = () => {}): RowsTotals {
  const totals = loadRows(files, memory, job, onBlock);
  withPartition(memory, job, (partition) => buildIndexes(partition));
  return totals;
}

/** Loads rows; the indexes are still empty. Throws as loadPartition does. */
export function loadRows(files: Files, memory: Memory, job: LoadJob, onBlock: OnBlock): RowsTotals {
  const { path, lsn, table, definition } = job;
  return withPartition(memory, job, (partition) => {
    const reader = new RowsReader(files, path, rowsHeader(lsn, table, definition.id));
    try {
      const loader = new BlockLoader(partition);
      let offset = reader.offset;
      for (let rowCount = reader.next(); rowCount > 0; rowCount = reader.next()) {
        try {
          loader.append(reader.bytes, rowCount);
        } catch (error) {
          if (error instanceof SqlError) throw error;
          throw reader.damage((error as Error).message);
        }
        onBlock(rowCount, reader.offset - offset);
        offset = reader.offset;
      }
      const totals = reader.totals();
      if (totals.rowCount !== job.rowCount) throw reader.damage(`${totals.rowCount} rows instead of ${job.rowCount}`);
      return totals;
    } finally {
      reader.close();
    }
  });
}

/** Builds an index of a partition whose rows are loaded; undefined where there is no room to sort. */
export function buildIndexAside(memory: Memory, job: LoadJob, ordinal: number): BuiltNodes | undefined {
  return withPartition(memory, job, (partition) => buildIndex(partition.indexes[ordinal]!, false));
}

/** Puts such an index in its place. Throws out_of_memory. */
export function takeIndex(memory: Memory, job: LoadJob, ordinal: number, built: BuiltNodes | undefined): void {
  withPartition(memory, job, (partition) => {
    if (built === undefined) insertRows(partition.indexes[ordinal]!);
    else adoptNodes(partition, built);
  });
}

function withPartition<Result>(
  memory: Memory,
  { table, definition }: LoadJob,
  work: (partition: Partition) => Result,
): Result {
  const partition = Partition.open(memory, table, definition);
  try {
    return work(partition);
  } finally {
    partition.close();
    memory.flushCache();
  }
}
