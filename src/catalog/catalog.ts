/**
 * The catalog: names to definitions, as immutable snapshots. A snapshot is plain data: JSON.stringify gives the form in
 * which it lies in shared memory and in the WAL's DDL records; every thread parses its own copy, once a version.
 */

import type { TypeId } from '../types/type.ts';

/**
 * What DEFAULT stores. Integers as decimal text (exact beyond 2^53), text as is, json as JSON text, timestamp as decimal
 * microseconds, uuid as its text, vector as JSON text, -0 as a text because JSON.stringify drops its sign.
 */
export type Constant =
  | { readonly kind: 'int'; readonly value: string }
  | { readonly kind: 'double'; readonly value: number | '-0' }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'json'; readonly value: string }
  | { readonly kind: 'bool'; readonly value: boolean };

/** The value of a double constant, for Number(). */
export function doubleConstant(value: number): number | '-0' {
  return Object.is(value, -0) ? '-0' : value;
}

export type ColumnDefinition = {
  readonly name: string;
  readonly type: TypeId;
  readonly isNotNull: boolean;
  readonly isIdentity: boolean;
  /** RANDOM (modulo) as decimal text; undefined where the column is not random. */
  readonly randomModulo?: string;
  /** Already of the column's type. */
  readonly defaultValue?: Constant;
};

export type IndexDefinition = {
  readonly id: number;
  readonly name: string;
  readonly method: 'tree' | 'hash';
  readonly isUnique: boolean;
  readonly isPrimary: boolean;
  readonly keys: readonly { readonly column: number; readonly isDescending: boolean }[];
};

/** The node that owns the partition of every shared table: it alone writes them, in plain fences, and all nodes read them. */
export const SHARED_OWNER_NODE = 0;

export type PartitionDefinition = {
  /** psn: unique in the database. */
  readonly id: number;
  /** The node that owns it: index from 0. */
  readonly node: number;
  /** Hash slots [first, end). */
  readonly slotFirst: number;
  readonly slotEnd: number;
  /** Page of the partition's root in the arenas (this process only; not in the WAL). */
  readonly rootPage: number;
};

export type TableDefinition = {
  readonly id: number;
  readonly schema: string;
  readonly name: string;
  /** One partition, of SHARED_OWNER_NODE, which every node reads directly. */
  readonly isShared: boolean;
  readonly isUnlogged: boolean;
  readonly columns: readonly ColumnDefinition[];
  /** indexes[0] is the primary key. */
  readonly indexes: readonly IndexDefinition[];
  readonly partitions: readonly PartitionDefinition[];
  /** Ref (16-byte units) of the 64-bit identity counter in the arenas: the next value. */
  readonly identityRef: number;
};

export type Catalog = {
  readonly version: number;
  /** Nodes, by index: their ids as uuids. */
  readonly nodes: readonly string[];
  readonly schemas: readonly { readonly name: string; readonly isSystem: boolean }[];
  readonly tables: readonly TableDefinition[];
  readonly nextTableId: number;
  readonly nextIndexId: number;
  /** psn: the highest partition id given out. */
  readonly lastPartitionId: number;
};

/** The table of that name, or undefined. */
export function findTable(catalog: Catalog, schema: string, name: string): TableDefinition | undefined {
  for (const table of catalog.tables) if (table.name === name && table.schema === schema) return table;
  return undefined;
}

/** The ordinal of a column, or -1. */
export function findColumn(table: TableDefinition, name: string): number {
  return table.columns.findIndex((column) => column.name === name);
}

/** `schema.name`, as messages show a table. */
export function tableName(table: TableDefinition): string {
  return `${table.schema}.${table.name}`;
}
