/**
 * DDL as data: what a statement changes in the catalog, in the form in which the WAL keeps it, and the function that
 * applies it. The same function serves a running server and recovery, so both arrive at the same catalog.
 */

import { assert, unreachable } from '../base/assert.ts';
import type { Catalog, IndexDefinition, TableDefinition } from './catalog.ts';

export type DdlCommand =
  | { readonly kind: 'createSchema'; readonly name: string }
  /** With all its tables. */
  | { readonly kind: 'dropSchema'; readonly name: string }
  /** rootPage of the partitions and identityRef are those of this process; in the log they are 0. */
  | { readonly kind: 'createTable'; readonly table: TableDefinition }
  | { readonly kind: 'dropTable'; readonly tableId: number }
  | { readonly kind: 'createIndex'; readonly tableId: number; readonly index: IndexDefinition }
  | { readonly kind: 'dropIndex'; readonly tableId: number; readonly indexId: number };

/** The catalog of a new repository. */
export function emptyCatalog(nodes: readonly string[]): Catalog {
  return {
    version: 1,
    nodes,
    schemas: [
      { name: 'system', isSystem: true },
      { name: 'public', isSystem: true },
    ],
    tables: [],
    nextTableId: 1,
    nextIndexId: 1,
    lastPartitionId: 0,
  };
}

/** The next version of a catalog. Pure. */
export function applyDdl(catalog: Catalog, command: DdlCommand): Catalog {
  const version = catalog.version + 1;
  switch (command.kind) {
    case 'createSchema':
      return { ...catalog, version, schemas: [...catalog.schemas, { name: command.name, isSystem: false }] };
    case 'dropSchema':
      return {
        ...catalog,
        version,
        schemas: catalog.schemas.filter((schema) => schema.name !== command.name),
        tables: catalog.tables.filter((table) => table.schema !== command.name),
      };
    case 'createTable': {
      const { table } = command;
      return {
        ...catalog,
        version,
        tables: [...catalog.tables, table],
        nextTableId: Math.max(catalog.nextTableId, table.id + 1),
        nextIndexId: Math.max(catalog.nextIndexId, ...table.indexes.map((index) => index.id + 1)),
        lastPartitionId: Math.max(catalog.lastPartitionId, ...table.partitions.map((partition) => partition.id)),
      };
    }
    case 'dropTable':
      return { ...catalog, version, tables: catalog.tables.filter((table) => table.id !== command.tableId) };
    case 'createIndex':
      return {
        ...replaceTable(catalog, command.tableId, (table) => ({
          ...table,
          indexes: [...table.indexes, command.index],
        })),
        version,
        nextIndexId: Math.max(catalog.nextIndexId, command.index.id + 1),
      };
    case 'dropIndex':
      return {
        ...replaceTable(catalog, command.tableId, (table) => ({
          ...table,
          indexes: table.indexes.filter((index) => index.id !== command.indexId),
        })),
        version,
      };
    default:
      return unreachable(command);
  }
}

/** The table of that id. It must exist. */
export function tableById(catalog: Catalog, tableId: number): TableDefinition {
  const table = catalog.tables.find((candidate) => candidate.id === tableId);
  assert(table !== undefined, 'DDL names a table that exists');
  return table;
}

/** The catalog with one table changed. */
export function replaceTable(
  catalog: Catalog,
  tableId: number,
  change: (table: TableDefinition) => TableDefinition,
): Catalog {
  tableById(catalog, tableId);
  return { ...catalog, tables: catalog.tables.map((table) => (table.id === tableId ? change(table) : table)) };
}

/** The command as the log keeps it: without what belongs to this process only. */
export function loggedForm(command: DdlCommand): DdlCommand {
  if (command.kind !== 'createTable') return command;
  const { table } = command;
  return {
    kind: 'createTable',
    table: {
      ...table,
      identityRef: 0,
      partitions: table.partitions.map((partition) => ({ ...partition, rootPage: 0 })),
    },
  };
}
