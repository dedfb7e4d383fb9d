/**
 * Access paths: how the rows of one table are found. Rules, in this order: equality on the whole primary key (one partition
 * of one node); an IN list over a single-column key; the longest run of equalities at the head of an index, with a range on
 * the next column; the order of a tree index where ORDER BY … LIMIT wants it; else a scan.
 */

import { SqlError } from '../base/errors.ts';
import type { IndexDefinition, TableDefinition } from '../catalog/catalog.ts';
import type { Bound } from '../sql/binder/bound.ts';
import { logical } from '../sql/binder/expressions.ts';
import { asDouble } from '../sql/binder/operators.ts';
import type { BoundSelect } from '../sql/binder/statements.ts';
import { wideType } from '../types/type.ts';

export type RangeBound = { readonly value: Bound; readonly isInclusive: boolean };

export type Access =
  | { readonly kind: 'point'; readonly keys: readonly Bound[] }
  | { readonly kind: 'list'; readonly items: readonly Bound[] }
  | {
      readonly kind: 'range';
      readonly index: number;
      readonly equal: readonly Bound[];
      readonly lower: RangeBound | undefined;
      readonly upper: RangeBound | undefined;
      readonly isDescending: boolean;
      readonly isOrdered: boolean;
    }
  | { readonly kind: 'scan' };

export type AccessPlan = {
  readonly access: Access /** What is left of WHERE. */;
  readonly residual: Bound | undefined;
};

type ColumnPredicate = {
  readonly conjunct: Bound;
  readonly column: number;
  readonly operator: 'eq' | 'lt' | 'le' | 'gt' | 'ge';
  readonly value: Bound;
  /** The bound takes the place of the predicate; else it only narrows, and the predicate stays in the filter. */
  readonly isExact: boolean;
};

const MIRROR = { eq: 'eq', lt: 'gt', le: 'ge', gt: 'lt', ge: 'le' } as const;

/** Chooses the access path. `order` is set where rows are wanted in an order with a limit. Errors: a forced index that cannot serve. */
export function chooseAccess(
  table: TableDefinition,
  where: Bound | undefined,
  order: BoundSelect['order'] | undefined,
  forcedIndex: number | undefined,
): AccessPlan {
  const conjuncts = where === undefined ? [] : flatten(where);
  const predicates = conjuncts.flatMap((conjunct) => columnPredicate(conjunct));
  const primary = table.indexes[0]!;
  if (forcedIndex === undefined || forcedIndex === 0) {
    const equal = equalities(primary, predicates);
    if (equal.length === primary.keys.length)
      return {
        access: { kind: 'point', keys: equal.map((predicate) => predicate.value) },
        residual: without(conjuncts, equal),
      };
    const list = primary.keys.length === 1 ? listOf(table, primary.keys[0]!.column, conjuncts) : undefined;
    if (list !== undefined)
      return {
        access: { kind: 'list', items: list.items },
        residual: conjoin(conjuncts.filter((c) => c !== list.conjunct)),
      };
  }
  let best: { score: number; plan: AccessPlan } | undefined;
  for (const [ordinal, index] of table.indexes.entries()) {
    if (forcedIndex !== undefined && forcedIndex !== ordinal) continue;
    const candidate = indexAccess(ordinal, index, conjuncts, predicates, order, forcedIndex !== undefined);
    if (candidate !== undefined && (best === undefined || candidate.score > best.score)) best = candidate;
  }
  if (best !== undefined) return best.plan;
  if (forcedIndex !== undefined)
    throw new SqlError(
      'invalid_definition',
      `index '${table.indexes[forcedIndex]!.name}' cannot serve this query: a hash index needs equality on all its columns`,
    );
  return { access: { kind: 'scan' }, residual: where };
}

function indexAccess(
  ordinal: number,
  index: IndexDefinition,
  conjuncts: readonly Bound[],
  predicates: readonly ColumnPredicate[],
  order: BoundSelect['order'] | undefined,
  isForced: boolean,
): { score: number; plan: AccessPlan } | undefined {
  const equal = equalities(index, predicates);
  if (index.method === 'hash') {
    if (equal.length < index.keys.length) return undefined;
    return { score: 100, plan: rangePlan(ordinal, equal, undefined, undefined, false, false, conjuncts) };
  }
  const next = index.keys[equal.length];
  const bounds = predicates.filter((predicate) => next !== undefined && predicate.column === next.column);
  const lower = bounds.find((predicate) => predicate.operator === 'gt' || predicate.operator === 'ge');
  const upper = bounds.find((predicate) => predicate.operator === 'lt' || predicate.operator === 'le');
  const direction = order === undefined ? undefined : orderDirection(index, equal.length, order);
  const score =
    equal.length * 10 +
    (lower === undefined ? 0 : 3) +
    (upper === undefined ? 0 : 3) +
    (direction === undefined ? 0 : 2);
  if (score === 0 && !isForced) return undefined;
  return {
    score,
    plan: rangePlan(ordinal, equal, lower, upper, direction === 'backward', direction !== undefined, conjuncts),
  };
}

function rangePlan(
  index: number,
  equal: readonly ColumnPredicate[],
  lower: ColumnPredicate | undefined,
  upper: ColumnPredicate | undefined,
  isDescending: boolean,
  isOrdered: boolean,
  conjuncts: readonly Bound[],
): AccessPlan {
  const used = [...equal, ...(lower === undefined ? [] : [lower]), ...(upper === undefined ? [] : [upper])];
  return {
    access: {
      kind: 'range',
      index,
      equal: equal.map((predicate) => predicate.value),
      lower: lower === undefined ? undefined : { value: lower.value, isInclusive: lower.operator === 'ge' },
      upper: upper === undefined ? undefined : { value: upper.value, isInclusive: upper.operator === 'le' },
      isDescending,
      isOrdered,
    },
    residual: without(conjuncts, used),
  };
}

/** Whether the index, read forwards or backwards after its equal columns, gives exactly the wanted order. */
function orderDirection(
  index: IndexDefinition,
  equalCount: number,
  order: BoundSelect['order'],
): 'forward' | 'backward' | undefined {
  let direction: 'forward' | 'backward' | undefined;
  for (const [position, { expression, key }] of order.entries()) {
    const indexKey = index.keys[equalCount + position];
    if (indexKey === undefined || expression.kind !== 'column' || expression.column !== indexKey.column)
      return undefined;
    if (key.isNullsFirst === key.isDescending && expression.isNullable) return undefined;
    const wanted = key.isDescending === indexKey.isDescending ? 'forward' : 'backward';
    if (direction !== undefined && direction !== wanted) return undefined;
    direction = wanted;
  }
  return direction;
}

function flatten(condition: Bound): Bound[] {
  return condition.kind === 'and' ? [...flatten(condition.left), ...flatten(condition.right)] : [condition];
}

function conjoin(conjuncts: readonly Bound[]): Bound | undefined {
  return conjuncts.length === 0 ? undefined : conjuncts.reduce((left, right) => logical('and', left, right));
}

function without(conjuncts: readonly Bound[], used: readonly ColumnPredicate[]): Bound | undefined {
  return conjoin(
    conjuncts.filter((conjunct) => !used.some((predicate) => predicate.isExact && predicate.conjunct === conjunct)),
  );
}

/** The leading columns of the index that are compared for equality. */
function equalities(index: IndexDefinition, predicates: readonly ColumnPredicate[]): ColumnPredicate[] {
  const found: ColumnPredicate[] = [];
  for (const { column } of index.keys) {
    const predicate = predicates.find((candidate) => candidate.operator === 'eq' && candidate.column === column);
    if (predicate === undefined) break;
    found.push(predicate);
  }
  return found;
}

/** A comparison of a column with a value that is known before the rows are read, in the column's own form, and never NULL. */
function columnPredicate(conjunct: Bound): ColumnPredicate[] {
  if (conjunct.kind !== 'operator' || conjunct.operands.length !== 2) return [];
  const [left, right] = conjunct.operands as [Bound, Bound];
  if (conjunct.opcode === 'cmp_int_double') return doublePredicate(conjunct, conjunct.immediate, left, right);
  const match = /^(eq|lt|le|gt|ge)_(int|double|text|uuid|interval)$/.exec(conjunct.opcode);
  if (match === null) return [];
  const operator = match[1] as ColumnPredicate['operator'];
  const isExact = true;
  if (left.kind === 'column' && right.isConstant && !right.isNullable)
    return [{ conjunct, column: left.column, operator, value: right, isExact }];
  if (right.kind === 'column' && left.isConstant && !left.isNullable)
    return [{ conjunct, column: right.column, operator: MIRROR[operator], value: left, isExact }];
  return [];
}

/** By the immediate of cmp_int_double, `int <op> column`, as the column sees it: rounding keeps the order, but may meet. */
const DOUBLE_BOUNDS: readonly (ColumnPredicate['operator'] | undefined)[] = ['eq', undefined, 'ge', 'ge', 'le', 'le'];

/** A double column compared with an int that is only known when the request runs. */
function doublePredicate(conjunct: Bound, operation: number, integer: Bound, double: Bound): ColumnPredicate[] {
  const operator = DOUBLE_BOUNDS[operation];
  if (operator === undefined || double.kind !== 'column' || !integer.isConstant || integer.isNullable) return [];
  return [{ conjunct, column: double.column, operator, value: asDouble(integer), isExact: false }];
}

function listOf(
  table: TableDefinition,
  column: number,
  conjuncts: readonly Bound[],
): { conjunct: Bound; items: readonly Bound[] } | undefined {
  const type = wideType(table.columns[column]!.type);
  for (const conjunct of conjuncts) {
    if (conjunct.kind !== 'in' || conjunct.operand.kind !== 'column' || conjunct.operand.column !== column) continue;
    const items = conjunct.items.filter((item) => item.kind !== 'null');
    if (items.length > 0 && items.every((item) => item.isConstant && item.type === type)) return { conjunct, items };
  }
  return undefined;
}
