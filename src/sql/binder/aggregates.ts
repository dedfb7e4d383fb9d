/** Aggregate calls: which aggregate of the grouping one is. */

import { notSupported, SqlError } from '../../base/errors.ts';
import { BIGINT, DOUBLE, JSON_TYPE, NULL_TYPE, type TypeId, VALUE_NAMES } from '../../types/type.ts';
import type { Call, Expression } from '../ast/expressions.ts';
import { type Bound, type BoundAggregate, floatOf } from './bound.ts';
import { asDouble, BOUND_NULL } from './operators.ts';
import type { Scope } from './scope.ts';

const SUPPORTED: ReadonlySet<string> = new Set(['count', 'sum', 'avg', 'min', 'max']);
const LATER: ReadonlySet<string> = new Set(['bool_and', 'bool_or', 'string_agg', 'json_agg']);

export function isAggregateName(name: string): boolean {
  return SUPPORTED.has(name) || LATER.has(name);
}

type Bind = (tree: Expression, scope: Scope) => Bound;

/** Adds the aggregate to the scope's grouping and gives the node that stands for its result. */
export function bindAggregate(tree: Call, scope: Scope, bind: Bind, bindCondition: Bind): Bound {
  const { name } = tree;
  const grouping = scope.grouping!;
  if (LATER.has(name)) throw notSupported(`aggregate ${name}`, tree.position);
  if (tree.orderBy.length > 0) throw notSupported('ORDER BY inside an aggregate', tree.position);
  const rowScope: Scope = { ...scope, grouping: undefined, clause: `aggregate ${name}` };
  const filter = tree.filter === undefined ? undefined : bindCondition(tree.filter, { ...rowScope, clause: 'FILTER' });
  if (tree.star || (name === 'count' && tree.arguments.length === 0)) {
    if (name !== 'count') throw new SqlError('wrong_arguments', `${name}: expected 1 argument`, tree.position);
    if (!tree.star) throw new SqlError('wrong_arguments', 'count: expected 1 argument', tree.position);
    return add(grouping.aggregates, {
      kind: 'count',
      argument: undefined,
      isDistinct: false,
      filter,
      type: BIGINT,
      isNullable: false,
    });
  }
  if (tree.arguments.length !== 1) throw new SqlError('wrong_arguments', `${name}: expected 1 argument`, tree.position);
  const bound = bind(tree.arguments[0]!, rowScope);
  // NULLs are ignored, of whatever type: as ints their aggregates have one.
  const argument = bound.type === NULL_TYPE ? { ...BOUND_NULL, type: BIGINT } : bound;
  return add(grouping.aggregates, describe(name, argument, tree, filter));
}

function describe(name: string, argument: Bound, tree: Call, filter: Bound | undefined): BoundAggregate {
  const base = { argument, isDistinct: tree.distinct, filter };
  const wrong = (): SqlError =>
    new SqlError('type_mismatch', `${name}: ${VALUE_NAMES[argument.type]} is not supported`, tree.position);
  if (name === 'count') return { ...base, kind: 'count_value', type: BIGINT, isNullable: false };
  const type: TypeId = argument.type;
  if (name === 'sum' || name === 'avg') {
    if (type !== BIGINT && type !== DOUBLE) throw wrong();
    if (name === 'avg') return { ...base, kind: 'avg', type: DOUBLE, isNullable: true };
    if (type === DOUBLE) return { ...base, argument: asDouble(argument), kind: 'sum_double', type, isNullable: true };
    return { ...base, kind: 'sum_int', type: BIGINT, isNullable: true };
  }
  if (type === JSON_TYPE) throw wrong();
  return { ...base, kind: name as 'min' | 'max', type, isNullable: true };
}

function add(aggregates: BoundAggregate[], aggregate: BoundAggregate): Bound {
  aggregates.push(aggregate);
  return {
    kind: 'aggregate',
    index: aggregates.length - 1,
    type: aggregate.type,
    isNullable: aggregate.isNullable,
    isConstant: false,
    ...(aggregate.kind === 'min' || aggregate.kind === 'max' ? floatOf([aggregate.argument!]) : {}),
  };
}
