/** Functions in FROM: what rows they give, and what their columns are called. */

import { SqlError } from '../../base/errors.ts';
import {
  BIGINT,
  DATE,
  INTERVAL,
  JSON_TYPE,
  NULL_TYPE,
  TEXT,
  TIMESTAMP,
  type TypeId,
  VALUE_NAMES,
} from '../../types/type.ts';
import type { FunctionSource } from '../ast/ast.ts';
import { type Bound, floatOf } from './bound.ts';
import { bindExpression, integerNode, textNode } from './expressions.ts';
import { BOUND_NULL, bindCast, operatorNode } from './operators.ts';
import { constantScope, type RequestScope, type SourceColumns } from './scope.ts';

/** Where the rows of a function come from. What it is given is the same for the whole request. */
export type BoundFunctionSource = { readonly name: string; readonly columns: SourceColumns } & (
  | { readonly kind: 'series'; readonly isTime: boolean; readonly bounds: readonly [Bound, Bound, Bound] }
  /** A row for each element of a JSON array, or one row. */
  | { readonly kind: 'each'; readonly value: Bound }
  /** One row with that value. */
  | { readonly kind: 'value'; readonly value: Bound }
);

/** Binds `function(…)` in FROM. Errors: SqlError with the position. */
export function bindFunctionSource(source: FunctionSource, request: RequestScope): BoundFunctionSource {
  const { call } = source;
  const { name, schema } = call;
  const scope = constantScope(request, 'FROM');
  if (name === 'generate_series' && (schema === undefined || schema === 'public')) return bindSeries(source, request);
  const value = bindExpression(call, scope);
  const isJson = value.type === JSON_TYPE;
  const first: Bound = { ...columnNode(0, value.type, value.isNullable), ...floatOf([value]) };
  const columns: SourceColumns =
    name === 'json_each' && isJson
      ? {
          schema,
          names: ['key', 'value'],
          nodes: [columnNode(1, TEXT, true), columnNode(2, JSON_TYPE, true)],
          fields: [
            undefined,
            operatorNode('json_to_text', TEXT, [member(first, 'key')], { canGiveNull: true }),
            member(first, 'value'),
          ],
          element: first,
        }
      : { schema, names: [name], nodes: [first], fields: [undefined], element: isJson ? first : undefined };
  return { kind: isJson ? 'each' : 'value', name, columns, value };
}

function columnNode(column: number, type: TypeId, isNullable: boolean): Bound {
  return { kind: 'column', column, type, isNullable, isConstant: false };
}

function member(element: Bound, key: string): Bound {
  return operatorNode('json_key', JSON_TYPE, [element, textNode(key)], { canGiveNull: true });
}

const SERIES = 'generate_series';

/**
 * Ints by an int; dates by days; timestamps by an interval, and dates by an interval, which makes them timestamps. Without
 * a step it is 1, or one day.
 */
function bindSeries({ call }: FunctionSource, request: RequestScope): BoundFunctionSource {
  const { position } = call;
  const scope = constantScope(request, 'FROM');
  if (call.arguments.length < 2 || call.arguments.length > 3 || call.star || call.distinct)
    throw new SqlError('wrong_arguments', `${SERIES}: expected 2 or 3 arguments`, position);
  const [from, to, step] = call.arguments.map((argument) => bindExpression(argument, scope)) as [Bound, Bound, Bound?];
  const type = seriesType(from.type, to.type, step?.type);
  if (type === undefined) {
    const types = [from, to, ...(step === undefined ? [] : [step])].map((argument) => VALUE_NAMES[argument.type]);
    throw new SqlError('type_mismatch', `${SERIES}: unsupported argument types (${types.join(', ')})`, position);
  }
  const isTime = type === TIMESTAMP;
  const bound = (argument: Bound): Bound =>
    argument.type === NULL_TYPE ? { ...BOUND_NULL, type } : bindCast(argument, type, position);
  const by = step ?? (isTime ? bindCast(textNode('1 day'), INTERVAL, position) : integerNode(1n));
  return {
    kind: 'series',
    name: SERIES,
    isTime,
    bounds: [bound(from), bound(to), by],
    columns: {
      schema: undefined,
      names: ['value'],
      nodes: [columnNode(0, type, false)],
      fields: [undefined],
      element: undefined,
    },
  };
}

/** Type of the values of a series, undefined where there is no such series. A NULL takes the type of the others. */
function seriesType(from: TypeId, to: TypeId, step: TypeId | undefined): TypeId | undefined {
  const types = new Set([from, to].filter((type) => type !== NULL_TYPE));
  const isOf = (...allowed: readonly TypeId[]): boolean => [...types].every((type) => allowed.includes(type));
  if (step === INTERVAL) return isOf(DATE, TIMESTAMP) ? TIMESTAMP : undefined;
  const isCount = step === undefined || step === BIGINT || step === NULL_TYPE;
  if (!isCount) return undefined;
  if (isOf(BIGINT)) return BIGINT;
  if (isOf(DATE)) return DATE;
  return step !== BIGINT && isOf(DATE, TIMESTAMP) ? TIMESTAMP : undefined;
}
