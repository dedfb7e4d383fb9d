/** Code for SELECT: rows straight through, sorted with a limit per node, or grouped into partials and merged. */

import { notSupported } from '../../base/errors.ts';
import type { TableDefinition } from '../../catalog/catalog.ts';
import { type AccessPlan, chooseAccess } from '../../planner/access.ts';
import { describeSelect } from '../../planner/describe.ts';
import type { Bound } from '../../sql/binder/bound.ts';
import { integerNode } from '../../sql/binder/expressions.ts';
import { operatorNode } from '../../sql/binder/operators.ts';
import type { BoundSelect } from '../../sql/binder/statements.ts';
import { BIGINT, BOOL, JSON_TYPE } from '../../types/type.ts';
import type { GroupSpec, OutputSpec, SortSpec } from '../program.ts';
import { Assembler } from './assembler.ts';
import { ExpressionCompiler, makesTemporaries } from './expression-compiler.ts';
import type { RequestBuilder } from './request-builder.ts';
import { openSource } from './source.ts';

/** Compiles one SELECT; only the last statement of a request answers. */
export function compileSelect(request: RequestBuilder, select: BoundSelect, isLast: boolean): void {
  const { table } = select;
  const normal = normalizeDistinct(select);
  const limits = limitParameters(request, normal);
  if (table === undefined) {
    compileWithoutTable(request, normal, limits, isLast);
    return;
  }
  if (normal.grouping !== undefined) compileGrouped(request, normal, table, limits, isLast);
  else compileRows(request, normal, table, limits, isLast);
}

/** DISTINCT without grouping is grouping by every output. */
function normalizeDistinct(select: BoundSelect): BoundSelect {
  if (!select.isDistinct) return select;
  for (const { expression } of select.outputs)
    if (expression.type === JSON_TYPE) throw notSupported('DISTINCT of json');
  if (select.grouping !== undefined || select.table === undefined) return select;
  const keys = select.outputs.map(({ expression }) => expression);
  const outputs = select.outputs.map(({ name, expression }, index) => ({
    name,
    expression: keyNode(expression, index),
  }));
  return {
    ...select,
    isDistinct: false,
    grouping: { keys, aggregates: [] },
    outputs,
    order: select.order.map((order) => ({ ...order, expression: outputs[order.output]!.expression })),
  };
}

function keyNode(bound: Bound, index: number): Bound {
  return { kind: 'groupKey', index, type: bound.type, isNullable: bound.isNullable, isConstant: false };
}

/** Parameters that carry LIMIT, OFFSET and their sum: -1 where there is none. */
type LimitParameters = { readonly limit: number; readonly offset: number; readonly both: number };

function limitParameters(request: RequestBuilder, select: BoundSelect): LimitParameters {
  const { limit, offset } = select;
  const check = (bound: Bound | undefined, kind: number): number => {
    if (bound === undefined) return -1;
    request.head.emit('limit_check', request.headCompiler.value(bound), kind);
    return request.parameterOf(bound);
  };
  const limitParameter = check(limit, 0);
  const offsetParameter = check(offset, 1);
  let both = limitParameter;
  if (limit !== undefined && offset !== undefined) both = request.parameterOf(sumUpToMax(limit, offset));
  return { limit: limitParameter, offset: offsetParameter, both };
}

/** a + b of two counts, at most the largest int: LIMIT 9223372036854775807 OFFSET 1 is no overflow. */
function sumUpToMax(a: Bound, b: Bound): Bound {
  const max = integerNode(2n ** 63n - 1n);
  const when = operatorNode('gt_int', BOOL, [a, operatorNode('sub_int', BIGINT, [max, b])]);
  const otherwise = operatorNode('add_int', BIGINT, [a, b]);
  return {
    kind: 'case',
    branches: [{ when, result: max }],
    otherwise,
    type: BIGINT,
    isNullable: false,
    isConstant: true,
  };
}

function outputSpec(select: BoundSelect): OutputSpec {
  return {
    columns: select.outputs.map(({ name, expression }) => ({
      name,
      type: expression.type,
      isNullable: expression.isNullable,
    })),
    format: select.format,
  };
}

function compileWithoutTable(
  request: RequestBuilder,
  select: BoundSelect,
  limits: LimitParameters,
  isLast: boolean,
): void {
  const { tail, tailRegisters } = request;
  const values = select.outputs.map(({ expression }) => expression);
  request.plan.push(describeSelect(select, undefined));
  if (!isLast) {
    for (const value of values) request.headCompiler.value(value);
    return;
  }
  const output = request.outputs.push(outputSpec(select)) - 1;
  // Everything here is constant, so it could all be computed in the head; but a call such as random() is not, and runs here.
  const expressions = new ExpressionCompiler(request, tail, tail, tailRegisters, 'head');
  const end = tail.label();
  tail.emit('out_open', output);
  if (limits.limit >= 0) tail.emit('jmp_zero_or_less', expressions.parameter(limits.limit, false), end);
  if (limits.offset >= 0) {
    const isFirst = tail.label();
    tail.emit('jmp_zero_or_less', expressions.parameter(limits.offset, false), isFirst);
    tail.emit('jmp', end);
    tail.place(isFirst);
  }
  if (select.where !== undefined) expressions.condition(select.where, end);
  if (select.grouping !== undefined) throw notSupported('aggregates without FROM');
  tail.emit('out_row', output, expressions.consecutive(values));
  tail.place(end);
  tail.emit('out_close', output);
}

function nodeCompiler(request: RequestBuilder): {
  prelude: Assembler;
  body: Assembler;
  expressions: ExpressionCompiler;
  finish(): void;
} {
  const prelude = new Assembler();
  const body = new Assembler();
  const expressions = new ExpressionCompiler(request, body, prelude, request.nodeRegisters, 'node');
  return {
    prelude,
    body,
    expressions,
    finish: () => {
      request.node.append(prelude);
      request.node.append(body);
    },
  };
}

function resetTemporaries(body: Assembler, bounds: readonly (Bound | undefined)[]): void {
  if (bounds.some((bound) => bound !== undefined && makesTemporaries(bound))) body.emit('scratch_reset');
}

function compileRows(
  request: RequestBuilder,
  select: BoundSelect,
  table: TableDefinition,
  limits: LimitParameters,
  isLast: boolean,
): void {
  const { prelude, body, expressions, finish } = nodeCompiler(request);
  const isOrdered = select.order.length > 0;
  const plan = chooseAccess(
    table,
    select.where,
    isOrdered && limits.limit >= 0 ? select.order : undefined,
    select.forcedIndex,
  );
  request.plan.push(describeSelect(select, plan));
  const values = select.outputs.map(({ expression }) => expression);
  const keys = select.order.map(({ expression }) => expression);
  const output = request.outputs.push(outputSpec(select)) - 1;
  const sort = isOrdered ? request.sorts.push(sortSpec(select, output)) - 1 : -1;
  expressions.rows = { table, cursor: 0 };
  const done = body.label();
  let remaining = -1;
  if (limits.both >= 0) {
    remaining = request.nodeRegisters.take();
    prelude.emit('param', remaining, limits.both);
    body.emit('jmp_zero_or_less', remaining, done);
  }
  if (isOrdered) body.emit('sort_open', 0, sort, limits.both >= 0 ? expressions.parameter(limits.both, false) : -1);
  const loop = openSource(request, body, expressions, table, plan, 0);
  const sent = [...keys, ...values];
  const first = expressions.consecutive(sent);
  if (isOrdered && request.statementCount > 1) {
    // A sorter reads the flags of all its registers, and an earlier statement has used them.
    for (const [index, bound] of sent.entries()) if (!bound.isNullable) prelude.emit('clear_null', first + index);
  }
  const stopsEarly = plan.access.kind === 'range' && plan.access.isOrdered;
  if (isOrdered) body.emit('sort_add', 0, first);
  else if (isLast) body.emit('send_row', output, first, 0);
  resetTemporaries(body, [...keys, ...values, plan.residual]);
  if (remaining >= 0 && (!isOrdered || stopsEarly)) body.emit('count_down', remaining, loop.end);
  loop.close();
  if (isOrdered && isLast) body.emit('sort_send', 0, 0);
  body.place(done);
  finish();
  if (!isLast) return;
  const { tail, tailRegisters } = request;
  const load = (parameter: number): number => {
    if (parameter < 0) return -1;
    const register = tailRegisters.take();
    tail.emit('param', register, parameter);
    return register;
  };
  const limitSpec =
    limits.limit < 0 && limits.offset < 0
      ? -1
      : request.limits.push({ limitRegister: load(limits.limit), offsetRegister: load(limits.offset) }) - 1;
  tail.emit('reply_rows', 0, sort, limitSpec);
}

function sortSpec(select: BoundSelect, output: number): SortSpec {
  return {
    keys: select.order.map(({ key }) => key),
    values: select.outputs.map(({ expression }) => expression.type),
    output,
  };
}

/** True for a bare count(*), which needs no scan. */
function isTableCount(select: BoundSelect, plan: AccessPlan): boolean {
  const { keys, aggregates } = select.grouping!;
  return (
    keys.length === 0 &&
    select.where === undefined &&
    plan.access.kind === 'scan' &&
    aggregates.length > 0 &&
    aggregates.every(({ kind, filter }) => kind === 'count' && filter === undefined)
  );
}

function compileGrouped(
  request: RequestBuilder,
  select: BoundSelect,
  table: TableDefinition,
  limits: LimitParameters,
  isLast: boolean,
): void {
  const { keys, aggregates } = select.grouping!;
  const { body, expressions, finish } = nodeCompiler(request);
  const plan = chooseAccess(table, select.where, undefined, select.forcedIndex);
  request.plan.push(describeSelect(select, plan));
  const spec: GroupSpec = {
    keys: keys.map(({ type }) => type),
    aggregates: aggregates.map(({ kind, argument, isDistinct }) => ({
      kind,
      argument: argument?.type ?? BIGINT,
      isNullable: argument?.isNullable ?? false,
      isDistinct,
    })),
  };
  const group = request.groups.push(spec) - 1;
  expressions.rows = { table, cursor: 0 };
  body.emit('group_open', 0, group);
  if (isTableCount(select, plan)) {
    const ordinal = request.table(table);
    request.head.emit('route_all', ordinal, 0, 0, request.tables[ordinal]!.name);
    const count = request.nodeRegisters.take();
    body.emit('table_count', count, ordinal, 0, request.tables[ordinal]!.name);
    for (const index of aggregates.keys()) body.emit('group_count_add', 0, index, count);
  } else {
    const loop = openSource(request, body, expressions, table, plan, 0);
    if (keys.length > 0) body.emit('group_find', 0, expressions.consecutive(keys, true));
    for (const [index, { argument, filter, kind }] of aggregates.entries()) {
      const skip = body.label();
      const add = (): void => {
        if (kind === 'count') body.emit('agg_count', 0, index);
        else body.emit('agg_add', 0, index, expressions.value(argument!));
      };
      if (filter === undefined) add();
      else
        expressions.conditional(() => {
          expressions.condition(filter, skip);
          add();
        });
      body.place(skip);
    }
    resetTemporaries(body, [plan.residual, ...keys, ...aggregates.flatMap((a) => [a.argument, a.filter])]);
    loop.close();
  }
  if (isLast) body.emit('group_send', 0, 0);
  finish();
  if (isLast) mergeGroups(request, select, group, limits);
}

/** The coordinator's part: merge, HAVING, projection, DISTINCT, ORDER BY, OFFSET, LIMIT. */
function mergeGroups(request: RequestBuilder, select: BoundSelect, group: number, limits: LimitParameters): void {
  const { tail, tailRegisters } = request;
  const prelude = new Assembler();
  const body = new Assembler();
  const expressions = new ExpressionCompiler(request, body, prelude, tailRegisters, 'tail');
  const values = select.outputs.map(({ expression }) => expression);
  const orderKeys = select.order.map(({ expression }) => expression);
  const output = request.outputs.push(outputSpec(select)) - 1;
  const width = values.length;
  const limit = limits.limit < 0 ? -1 : tailRegisters.take();
  const offset = limits.offset < 0 ? -1 : tailRegisters.take();
  const both = limits.both < 0 ? -1 : tailRegisters.take();
  if (limit >= 0) prelude.emit('param', limit, limits.limit);
  if (offset >= 0) prelude.emit('param', offset, limits.offset);
  if (both >= 0) prelude.emit('param', both, limits.both);
  const isSorted = select.order.length > 0;
  const done = body.label();
  const end = body.label();

  body.emit('group_open', 0, group);
  body.emit('group_merge', 0, 0);
  const distinct = select.isDistinct
    ? request.groups.push({ keys: values.map(({ type }) => type), aggregates: [] }) - 1
    : -1;
  if (distinct >= 0) body.emit('group_open', 1, distinct);
  if (isSorted) body.emit('sort_open', 0, request.sorts.push(sortSpec(select, output)) - 1, both);
  body.emit('out_open', output);
  if (limit >= 0) body.emit('jmp_zero_or_less', limit, end);

  /** Takes a row whose values stand in registers: sorts it or writes it. */
  const take = (keyRegister: number, valueRegister: number, next: ReturnType<Assembler['label']>): void => {
    if (isSorted) {
      body.emit('sort_add', 0, keyRegister);
      return;
    }
    if (offset >= 0) {
      const write = body.label();
      body.emit('jmp_zero_or_less', offset, write);
      body.emit('count_down', offset, next);
      body.emit('jmp', next);
      body.place(write);
    }
    body.emit('out_row', output, valueRegister);
    if (limit >= 0) body.emit('count_down', limit, end);
  };

  const next = body.label();
  const start = body.label();
  body.emit('group_first', 0, done);
  body.place(start);
  if (select.having !== undefined) expressions.condition(select.having, next);
  if (distinct >= 0) {
    body.emit('group_find', 1, expressions.consecutive(values, true));
  } else {
    const first = expressions.consecutive([...orderKeys, ...values], true);
    take(first, first + orderKeys.length, next);
  }
  body.place(next);
  resetTemporaries(body, [select.having, ...orderKeys, ...values]);
  body.emit('group_next', 0, start);
  body.place(done);
  expressions.forgetRow();
  if (distinct >= 0) {
    const keys = select.order.map(({ output: ordinal }) => ordinal);
    const first = tailRegisters.take(keys.length + width);
    const distinctStart = body.label();
    const distinctNext = body.label();
    const distinctDone = body.label();
    body.emit('group_first', 1, distinctDone);
    body.place(distinctStart);
    for (const [index, ordinal] of keys.entries()) body.emit('group_key', first + index, 1, ordinal);
    for (let ordinal = 0; ordinal < width; ordinal++) body.emit('group_key', first + keys.length + ordinal, 1, ordinal);
    take(first, first + keys.length, distinctNext);
    body.place(distinctNext);
    body.emit('group_next', 1, distinctStart);
    body.place(distinctDone);
  }
  if (isSorted) {
    const first = tailRegisters.take(orderKeys.length + width);
    const sortedStart = body.label();
    if (offset >= 0) body.emit('sort_skip', 0, offset);
    body.emit('sort_first', 0, first, end);
    body.place(sortedStart);
    body.emit('out_row', output, first + orderKeys.length);
    body.emit('sort_next', 0, first, sortedStart);
  }
  body.place(end);
  body.emit('out_close', output);
  tail.append(prelude);
  tail.append(body);
}
