/** Code for SELECT: rows straight through, sorted with a limit per node, or grouped into partials and merged. */

import type { TableDefinition } from '../../catalog/catalog.ts';
import { type AccessPlan, chooseAccess } from '../../planner/access.ts';
import { describeSelect } from '../../planner/describe.ts';
import { type Bound, floatOf } from '../../sql/binder/bound.ts';
import { integerNode } from '../../sql/binder/expressions.ts';
import { operatorNode } from '../../sql/binder/operators.ts';
import type { BoundSelect } from '../../sql/binder/statements.ts';
import { BIGINT, BOOL } from '../../types/type.ts';
import { Assembler } from './assembler.ts';
import { canFail } from './bound-properties.ts';
import { ExpressionCompiler } from './expression-compiler.ts';
import { compileLocal } from './local.ts';
import {
  addToGroup,
  emitGroups,
  groupSpec,
  type LimitParameters,
  outputSpec,
  RowReply,
  resetTemporaries,
  sortSpec,
} from './reply-rows.ts';
import type { RequestBuilder } from './request-builder.ts';
import { openSource } from './source.ts';

/** Compiles one SELECT; only the last statement of a request answers. */
export function compileSelect(request: RequestBuilder, select: BoundSelect, isLast: boolean): void {
  const { table } = select;
  const normal = normalizeDistinct(select);
  const limits = limitParameters(request, normal);
  if (table === undefined) {
    compileLocal(request, normal, limits, isLast);
    return;
  }
  if (normal.grouping !== undefined) compileGrouped(request, normal, table, limits, isLast);
  else compileRows(request, normal, table, limits, isLast);
}

/** DISTINCT without grouping is grouping by every output. */
function normalizeDistinct(select: BoundSelect): BoundSelect {
  if (!select.isDistinct) return select;
  if (select.grouping !== undefined || (select.table === undefined && select.source === undefined)) return select;
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
  const { type, isNullable } = bound;
  return { kind: 'groupKey', index, type, isNullable, isConstant: false, ...floatOf([bound]) };
}

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
  request.addPlan(describeSelect(select, plan));
  const { steps } = request;
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
  // With a limit most rows need no more than a look at their first key; what could fail is computed for every row.
  const isTested = isOrdered && limits.both >= 0 && !sent.slice(1).some(canFail);
  const skip = body.label();
  const first = expressions.consecutive(sent, false, (key) => {
    if (isTested) body.emit('sort_test', 0, key, skip);
  });
  if (isOrdered && request.statementCount > 1) {
    // A sorter reads the flags of all its registers, and an earlier statement has used them.
    for (const [index, bound] of sent.entries()) if (!bound.isNullable) prelude.emit('clear_null', first + index);
  }
  const stopsEarly = plan.access.kind === 'range' && plan.access.isOrdered;
  if (isOrdered) body.emit('sort_add', 0, first);
  else if (isLast) body.emit('send_row', output, first, 0);
  body.place(skip);
  resetTemporaries(body, [...keys, ...values, plan.residual]);
  if (remaining >= 0 && (!isOrdered || stopsEarly)) body.emit('count_down', remaining, loop.end);
  loop.close();
  if (isOrdered && isLast) body.emit('sort_send', 0, 0);
  steps.sent(body, 'nodes', 1);
  steps.end(body, 'nodes', 1);
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
  steps.sent(tail, 'coordinator', 0);
  steps.end(tail, 'coordinator', 0);
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
  request.addPlan(describeSelect(select, plan));
  const { steps } = request;
  const group = request.groups.push(groupSpec(select)) - 1;
  expressions.rows = { table, cursor: 0 };
  body.emit('group_open', 0, group);
  if (isTableCount(select, plan)) {
    const ordinal = request.table(table);
    request.head.emit('route_all', ordinal, 0, 0, request.tables[ordinal]!.name);
    const count = request.nodeRegisters.take();
    body.emit('table_count', count, ordinal, 0, request.tables[ordinal]!.name);
    for (const index of aggregates.keys()) body.emit('group_count_add', 0, index, count);
    steps.end(body, 'nodes', 0);
  } else {
    const loop = openSource(request, body, expressions, table, plan, 0);
    addToGroup(select, expressions, body);
    resetTemporaries(body, [plan.residual, ...keys, ...aggregates.flatMap((a) => [a.argument, a.filter])]);
    loop.close();
  }
  if (isLast) body.emit('group_send', 0, 0);
  steps.groups(body, 'nodes', 1, 0);
  steps.end(body, 'nodes', 1);
  finish();
  if (isLast) mergeGroups(request, select, group, limits);
}

/** The coordinator's part: merge, HAVING, projection, DISTINCT, ORDER BY, OFFSET, LIMIT. */
function mergeGroups(request: RequestBuilder, select: BoundSelect, group: number, limits: LimitParameters): void {
  const { tail, tailRegisters } = request;
  const prelude = new Assembler();
  const body = new Assembler();
  const expressions = new ExpressionCompiler(request, body, prelude, tailRegisters, 'tail');
  body.emit('group_open', 0, group);
  body.emit('group_merge', 0, 0);
  request.steps.groups(body, 'coordinator', 0, 0);
  request.steps.end(body, 'coordinator', 0);
  const reply = new RowReply(request, select, limits, prelude, body, tailRegisters);
  reply.open();
  emitGroups(request, select, expressions, tailRegisters, reply, body);
  reply.close();
  tail.append(prelude);
  tail.append(body);
}
