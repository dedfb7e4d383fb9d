/** Statements of the SQL tree that define schemas, tables and indexes. */

import type { Identifier, ObjectName, TypeName } from './ast.ts';
import type { Expression } from './expressions.ts';

export interface CreateSchema {
  readonly kind: 'createSchema';
  readonly ifNotExists: boolean;
  readonly name: string;
  readonly position: number;
}

export interface DropSchema {
  readonly kind: 'dropSchema';
  readonly ifExists: boolean;
  readonly name: string;
  readonly cascade: boolean;
  readonly position: number;
}

export interface AlterSchema {
  readonly kind: 'alterSchema';
  readonly ifExists: boolean;
  readonly name: string;
  readonly newName: string;
  readonly position: number;
}

export type IndexType = 'tree' | 'hash';

export interface CreateTable {
  readonly kind: 'createTable';
  readonly ifNotExists: boolean;
  readonly unlogged: boolean;
  readonly shared: boolean;
  readonly target: ObjectName;
  readonly columns: readonly ColumnDefinition[];
  /** PRIMARY KEY (column, …) as an item of its own; undefined where columns carry the constraint. */
  readonly primaryKey: readonly Identifier[] | undefined;
  readonly partitions: { readonly count: bigint; readonly position: number } | undefined;
  readonly indexType: IndexType | undefined;
  readonly position: number;
}

export interface ColumnDefinition {
  readonly name: string;
  readonly type: TypeName;
  readonly constraints: readonly ColumnConstraint[];
  readonly position: number;
}

/** An expression kept with the table: its tree, and its text for the catalog (`parseExpression` reads it back). */
export interface StoredExpression {
  readonly expression: Expression;
  readonly text: string;
}

export type ColumnConstraint =
  | { readonly kind: 'notNull'; readonly position: number }
  | { readonly kind: 'primaryKey'; readonly position: number }
  | { readonly kind: 'default'; readonly value: StoredExpression; readonly position: number }
  /** Without a modulo: below 2^63. */
  | { readonly kind: 'random'; readonly modulo: bigint | undefined; readonly position: number }
  | GeneratedConstraint;

export type GeneratedConstraint =
  | { readonly kind: 'identity'; readonly position: number }
  | { readonly kind: 'stored'; readonly value: StoredExpression; readonly position: number }
  | { readonly kind: 'resolved'; readonly value: StoredExpression; readonly position: number };

export interface DropTable {
  readonly kind: 'dropTable';
  readonly ifExists: boolean;
  readonly target: ObjectName;
  readonly position: number;
}

export interface Truncate {
  readonly kind: 'truncate';
  readonly ifExists: boolean;
  readonly target: ObjectName;
  readonly position: number;
}

export interface AlterTable {
  readonly kind: 'alterTable';
  readonly ifExists: boolean;
  readonly target: ObjectName;
  readonly action: AlterTableAction;
  readonly position: number;
}

export type AlterTableAction =
  | { readonly kind: 'addColumn'; readonly column: ColumnDefinition }
  | { readonly kind: 'dropColumn'; readonly column: Identifier }
  | { readonly kind: 'rename'; readonly target: ObjectName }
  | { readonly kind: 'renameColumn'; readonly column: Identifier; readonly newName: Identifier }
  | { readonly kind: 'setIdentity'; readonly value: bigint }
  | { readonly kind: 'setLogged'; readonly logged: boolean }
  | { readonly kind: 'setDefault'; readonly column: Identifier; readonly value: StoredExpression }
  | { readonly kind: 'setGenerated'; readonly column: Identifier; readonly constraint: GeneratedConstraint }
  | {
      readonly kind: 'unset';
      readonly column: Identifier;
      readonly constraint: 'default' | 'identity' | 'stored' | 'resolved';
    };

export interface CreateIndex {
  readonly kind: 'createIndex';
  readonly unique: boolean;
  readonly ifNotExists: boolean;
  readonly name: string;
  readonly target: ObjectName;
  readonly columns: readonly IndexColumn[];
  readonly indexType: IndexType | undefined;
  readonly position: number;
}

export interface IndexColumn extends Identifier {
  readonly descending: boolean;
}

export interface DropIndex {
  readonly kind: 'dropIndex';
  readonly ifExists: boolean;
  readonly name: string;
  readonly target: ObjectName;
  readonly position: number;
}

export interface AlterIndex {
  readonly kind: 'alterIndex';
  readonly ifExists: boolean;
  readonly name: string;
  readonly target: ObjectName;
  readonly newName: string;
  readonly position: number;
}
