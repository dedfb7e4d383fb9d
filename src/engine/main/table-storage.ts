/** Making and freeing what a table has in memory: its partitions and its identity counter. For main, where nothing runs. */

import type { Memory } from '../../base/memory.ts';
import type { TableDefinition } from '../../catalog/catalog.ts';
import { Partition } from '../../storage/partition.ts';
import type { IdentityCounters } from './identity-counters.ts';

/** Makes empty partitions; gives the definition with their root pages. Throws out_of_memory, and leaves nothing behind. */
export function createTableStorage(
  memory: Memory,
  counters: IdentityCounters,
  table: TableDefinition,
): TableDefinition {
  const roots: number[] = [];
  try {
    for (const _partition of table.partitions) roots.push(Partition.create(memory, table));
    const hasIdentity = table.columns.some((column) => column.isIdentity);
    return {
      ...table,
      identityRef: hasIdentity ? counters.take() : 0,
      partitions: table.partitions.map((partition, ordinal) => ({ ...partition, rootPage: roots[ordinal]! })),
    };
  } catch (error) {
    const made = { ...table, identityRef: 0, partitions: table.partitions.slice(0, roots.length) };
    const withRoots = made.partitions.map((partition, ordinal) => ({ ...partition, rootPage: roots[ordinal]! }));
    dropTableStorage(memory, counters, { ...made, partitions: withRoots });
    throw error;
  }
}

/** Frees everything that a table has. Nobody may use it any more. */
export function dropTableStorage(memory: Memory, counters: IdentityCounters, table: TableDefinition): void {
  for (const partition of table.partitions) Partition.open(memory, table, partition).drop();
  if (table.identityRef !== 0) counters.release(table.identityRef);
}
