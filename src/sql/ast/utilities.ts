/** Statements of the SQL tree about nodes, users, replication, settings and checkpoints. */

import type { Format } from './ast.ts';
import type { Literal } from './expressions.ts';

/** Ids are uuids as text, not checked by the parser. */
export interface CreateNode {
  readonly kind: 'createNode';
  readonly ifNotExists: boolean;
  readonly id: string | undefined;
  readonly position: number;
}

export interface DropNode {
  readonly kind: 'dropNode';
  readonly ifExists: boolean;
  readonly id: string;
  readonly position: number;
}

export interface CreateUser {
  readonly kind: 'createUser';
  readonly ifNotExists: boolean;
  readonly name: string;
  readonly secret: string | undefined;
  readonly position: number;
}

export interface AlterUser {
  readonly kind: 'alterUser';
  readonly name: string;
  readonly secret: string;
  readonly position: number;
}

export interface DropUser {
  readonly kind: 'dropUser';
  readonly ifExists: boolean;
  readonly name: string;
  readonly position: number;
}

export interface CreateToken {
  readonly kind: 'createToken';
  readonly user: string;
  /** The text of an interval. */
  readonly expire: { readonly text: string; readonly position: number } | undefined;
  readonly position: number;
}

export interface CreateReplica {
  readonly kind: 'createReplica';
  readonly ifNotExists: boolean;
  readonly id: string;
  readonly uri: string;
  readonly token: string | undefined;
  readonly tlsCapath: string | undefined;
  readonly tlsCa: string | undefined;
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
  readonly position: number;
}

export interface DropReplica {
  readonly kind: 'dropReplica';
  readonly ifExists: boolean;
  readonly id: string;
  readonly position: number;
}

/** START | STOP REPLICATION | REPL. */
export interface Replication {
  readonly kind: 'replication';
  readonly start: boolean;
  readonly position: number;
}

export interface Subscribe {
  readonly kind: 'subscribe';
  readonly id: string;
  readonly position: number;
}

export interface Unsubscribe {
  readonly kind: 'unsubscribe';
  readonly position: number;
}

export type ShowObject =
  | 'setting'
  | 'all'
  | 'config'
  | 'users'
  | 'user'
  | 'nodes'
  | 'node'
  | 'replicas'
  | 'replica'
  | 'repl'
  | 'replication'
  | 'wal'
  | 'status'
  | 'schemas'
  | 'schema'
  | 'tables'
  | 'table'
  | 'indexes'
  | 'statements';

export interface Show {
  readonly kind: 'show';
  readonly what: ShowObject;
  /** Of the setting, user, node, replica, schema or table. */
  readonly name: string | undefined;
  /** Of TABLES and TABLE: `IN s`, `FROM s` or `s.t`. */
  readonly schema: string | undefined;
  readonly extended: boolean;
  readonly format: Format | undefined;
  readonly position: number;
}

export interface SetSetting {
  readonly kind: 'set';
  readonly name: string;
  readonly value: Literal;
  readonly position: number;
}

export interface Checkpoint {
  readonly kind: 'checkpoint';
  readonly workers: bigint | undefined;
  readonly position: number;
}
