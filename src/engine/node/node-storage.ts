/** The partitions that a node owns, open, by the catalog version of the moment. */

import { assert } from '../../base/assert.ts';
import type { Memory } from '../../base/memory.ts';
import type { Catalog, TableDefinition } from '../../catalog/catalog.ts';
import { Partition } from '../../storage/partition.ts';
import type { NodeStorage } from '../../vm/node/part.ts';

type OpenTable = {
  readonly table: TableDefinition;
  readonly own: readonly Partition[];
  readonly byOrdinal: readonly (Partition | undefined)[];
};

export class OwnPartitions implements NodeStorage {
  readonly #memory: Memory;
  readonly #node: number;
  #tables: (OpenTable | undefined)[] = [];
  version = 0;

  constructor(memory: Memory, node: number) {
    this.#memory = memory;
    this.#node = node;
  }

  /** Takes over another version of the catalog: tables that have not changed stay open. Only where undo is empty. */
  load(catalog: Catalog): void {
    const before = this.#tables;
    const tables: (OpenTable | undefined)[] = [];
    for (const table of catalog.tables) {
      const known = before[table.id];
      tables[table.id] = known !== undefined && isSame(known.table, table) ? known : this.#open(table);
    }
    for (const open of before)
      if (open !== undefined && tables[open.table.id] !== open) for (const partition of open.own) partition.close();
    this.#tables = tables;
    this.version = catalog.version;
  }

  #open(table: TableDefinition): OpenTable {
    const byOrdinal = table.partitions.map((definition) =>
      definition.node === this.#node ? Partition.open(this.#memory, table, definition) : undefined,
    );
    return { table, byOrdinal, own: byOrdinal.filter((partition) => partition !== undefined) };
  }

  table(tableId: number): TableDefinition {
    return this.#of(tableId).table;
  }

  partitionsOf(tableId: number): readonly Partition[] {
    return this.#of(tableId).own;
  }

  partitionByOrdinal(tableId: number, ordinal: number): Partition | undefined {
    return this.#of(tableId).byOrdinal[ordinal];
  }

  /** Own partitions of a table, or none where there is no such table. */
  ownOrNone(tableId: number): readonly Partition[] {
    return this.#tables[tableId]?.own ?? [];
  }

  #of(tableId: number): OpenTable {
    const open = this.#tables[tableId];
    assert(open !== undefined, 'a program names tables of its catalog version');
    return open;
  }
}

/** Definitions are immutable and come from JSON: what is written the same is the same. */
function isSame(a: TableDefinition, b: TableDefinition): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
