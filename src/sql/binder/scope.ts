/** What names mean at one place of a statement. */

import { SqlError } from '../../base/errors.ts';
import { findColumn, type TableDefinition } from '../../catalog/catalog.ts';
import { BIGINT, BOOL, DOUBLE, FLOAT, JSON_TYPE, NULL_TYPE, TEXT, type TypeId, wideType } from '../../types/type.ts';
import type { Expression } from '../ast/expressions.ts';
import type { Bound, BoundAggregate } from './bound.ts';

/** Kinds of request parameters, as in a program's key: 1 int, 2 double, 3 text, 4 bool, 5 null, 6 json. */
export const KIND_TYPES: readonly TypeId[] = [NULL_TYPE, BIGINT, DOUBLE, TEXT, BOOL, NULL_TYPE, JSON_TYPE];

/** What belongs to the request as a whole. */
export type RequestScope = {
  /** Kinds of the shape's constants, then of $1 …. */
  readonly parameterKinds: Uint8Array | readonly number[];
  readonly constantCount: number;
  /** Pairs of constants that were taken as equal: the program fits only requests where they are. */
  readonly slotEqualities: (readonly [number, number])[];
};

export type GroupKey = { readonly tree: Expression; readonly bound: Bound };

/** Expressions above a grouping see its keys and aggregates instead of columns. */
export type Grouping = { readonly keys: readonly GroupKey[]; readonly aggregates: BoundAggregate[] };

/** What the rows of a function in FROM are called. */
export type SourceColumns = {
  readonly schema: string | undefined;
  readonly names: readonly string[];
  /** By name: the column's node. */
  readonly nodes: readonly Bound[];
  /** By column ordinal: how it is made of column 0, undefined for that one. */
  readonly fields: readonly (Bound | undefined)[];
  /** The JSON element, of which any other name reads a key; undefined where it has no keys. */
  readonly element: Bound | undefined;
};

export type Scope = {
  readonly request: RequestScope;
  readonly table: TableDefinition | undefined;
  /** A function in FROM, in the place of a table. */
  readonly source?: SourceColumns | undefined;
  /** By what the table's columns can be qualified. */
  readonly alias: string | undefined;
  readonly hasExcluded: boolean;
  readonly grouping: Grouping | undefined;
  /** The clause, for messages: 'WHERE'. */
  readonly clause: string;
};

export function constantScope(request: RequestScope, clause: string): Scope {
  return { request, table: undefined, alias: undefined, hasExcluded: false, grouping: undefined, clause };
}

/** A column of the scope's table as a bound node. */
export function columnNode(table: TableDefinition, column: number, kind: 'column' | 'excluded'): Bound {
  const definition = table.columns[column]!;
  return {
    kind,
    column,
    type: wideType(definition.type),
    isNullable: !definition.isNotNull,
    isConstant: false,
    ...(definition.type === FLOAT ? { isFloat: true } : {}),
  };
}

export type ResolvedName = {
  readonly bound: Bound /** How many parts the column took; the rest are JSON keys. */;
  readonly used: number;
};

/** Finds the column that a dotted name starts with. Errors: unknown_column with the position. */
export function resolveName(scope: Scope, parts: readonly string[], position: number): ResolvedName {
  const first = parts[0]!;
  const { table } = scope;
  if (scope.hasExcluded && first === 'excluded' && parts.length > 1) {
    const column = findColumn(table!, parts[1]!);
    if (column < 0) throw unknownColumn(parts.slice(0, 2).join('.'), position);
    return { bound: columnNode(table!, column, 'excluded'), used: 2 };
  }
  if (first === 'self') throw new SqlError('not_supported', 'not supported yet: self outside a lambda', position);
  if (scope.source !== undefined) return resolveInSource(scope.source, scope.alias, parts, position);
  if (table === undefined) throw unknownColumn(parts.join('.'), position);
  if (first === scope.alias && parts.length > 1) {
    const column = findColumn(table, parts[1]!);
    if (column < 0) throw unknownColumn(parts.slice(0, 2).join('.'), position);
    return { bound: columnNode(table, column, 'column'), used: 2 };
  }
  if (first === table.schema && parts[1] === scope.alias && scope.alias === table.name && parts.length > 2) {
    const column = findColumn(table, parts[2]!);
    if (column < 0) throw unknownColumn(parts.slice(0, 3).join('.'), position);
    return { bound: columnNode(table, column, 'column'), used: 3 };
  }
  const column = findColumn(table, first);
  if (column < 0) throw unknownColumn(first, position);
  return { bound: columnNode(table, column, 'column'), used: 1 };
}

function resolveInSource(
  source: SourceColumns,
  alias: string | undefined,
  parts: readonly string[],
  position: number,
): ResolvedName {
  let used = 0;
  if (parts.length > 1 && parts[0] === alias) used = 1;
  else if (parts.length > 2 && parts[0] === source.schema && parts[1] === alias) used = 2;
  const column = source.names.indexOf(parts[used]!);
  if (column >= 0) return { bound: source.nodes[column]!, used: used + 1 };
  if (source.element === undefined) throw unknownColumn(parts.slice(0, used + 1).join('.'), position);
  return { bound: source.element, used };
}

function unknownColumn(name: string, position: number): SqlError {
  return new SqlError('unknown_column', `column '${name}' does not exist`, position);
}

/**
 * True where two trees mean the same in one scope. Constants that come from the shape are compared by value, and the pair
 * is noted, because other requests of the shape may bring other values.
 */
export function isSameTree(request: RequestScope, a: unknown, b: unknown): boolean {
  const noted = request.slotEqualities.length;
  if (sameValue(request, a, b)) return true;
  request.slotEqualities.length = noted;
  return false;
}

function sameValue(request: RequestScope, a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    for (let index = 0; index < a.length; index++) if (!sameValue(request, a[index], b[index])) return false;
    return true;
  }
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  const keys = Object.keys(left);
  if (keys.length !== Object.keys(right).length) return false;
  for (const key of keys) {
    if (key === 'position' || key === 'slot') continue;
    if (!sameValue(request, left[key], right[key])) return false;
  }
  const leftSlot = left.slot;
  const rightSlot = right.slot;
  if (typeof leftSlot === 'number' && typeof rightSlot === 'number') request.slotEqualities.push([leftSlot, rightSlot]);
  else if (leftSlot !== rightSlot) return false;
  return true;
}
