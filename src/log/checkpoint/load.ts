/** Loads the rows file of one partition into its empty memory, and builds its indexes. In any thread; plain data goes in and out. */

import type { Files } from '../../base/effects.ts';
import { SqlError } from '../../base/errors.ts';
import type { Memory } from '../../base/memory.ts';
import type { PartitionDefinition, TableDefinition } from '../../catalog/catalog.ts';
import { BlockLoader } from '../../storage/bulk-load.ts';
import { buildIndexes } from '../../storage/index-build.ts';
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

/**
 * Throws LogDamage, naming file and offset, out_of_memory, or what the file system throws: the partition is of no use then.
 */
export function loadPartition(files: Files, memory: Memory, job: LoadJob): RowsTotals {
  const { path, lsn, table, definition } = job;
  const partition = Partition.open(memory, table, definition);
  const reader = new RowsReader(files, path, rowsHeader(lsn, table, definition.id));
  try {
    const loader = new BlockLoader(partition);
    for (let rowCount = reader.next(); rowCount > 0; rowCount = reader.next()) {
      try {
        loader.append(reader.bytes, rowCount);
      } catch (error) {
        if (error instanceof SqlError) throw error;
        throw reader.damage((error as Error).message);
      }
    }
    const totals = reader.totals();
    if (totals.rowCount !== job.rowCount) throw reader.damage(`${totals.rowCount} rows instead of ${job.rowCount}`);
    buildIndexes(partition);
    return totals;
  } finally {
    reader.close();
    partition.close();
    memory.flushCache();
  }
}
