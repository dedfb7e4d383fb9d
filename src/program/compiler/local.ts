/**
 * Code for a SELECT that reads no table: without FROM, or from a function. It runs on the coordinator alone, and where a
 * request has nothing else, without a ticket.
 */

import { describeSelect } from '../../planner/describe.ts';
import type { BoundSelect } from '../../sql/binder/statements.ts';
import { Assembler } from './assembler.ts';
import { ExpressionCompiler } from './expression-compiler.ts';
import { addToGroup, emitGroups, groupSpec, type LimitParameters, RowReply, resetTemporaries } from './reply-rows.ts';
import type { Registers, RequestBuilder } from './request-builder.ts';

/** Compiles it into the tail where it answers; else into the head, where only its errors matter. */
export function compileLocal(
  request: RequestBuilder,
  select: BoundSelect,
  limits: LimitParameters,
  isLast: boolean,
): void {
  request.addPlan(describeSelect(select, undefined));
  const { steps } = request;
  const code = isLast ? request.tail : request.head;
  const registers = isLast ? request.tailRegisters : request.headRegisters;
  if (select.source === undefined && select.grouping === undefined) {
    compileOneRow(request, select, limits, isLast, code, registers);
    return;
  }
  const prelude = new Assembler();
  const body = new Assembler();
  const expressions = new ExpressionCompiler(request, body, prelude, registers, 'tail');
  const reply = isLast ? new RowReply(request, select, limits, prelude, body, registers) : undefined;
  const values = select.outputs.map(({ expression }) => expression);
  const keys = select.order.map(({ expression }) => expression);
  if (select.grouping !== undefined) {
    body.emit('group_open', 0, request.groups.push(groupSpec(select)) - 1);
    emitRows(request, select, expressions, body, registers, () => addToGroup(select, expressions, body));
    steps.groups(body, 'coordinator', 'aggregate', 0);
    steps.end(body, 'coordinator', 'aggregate');
    if (reply !== undefined) {
      reply.open();
      emitGroups(request, select, expressions, registers, reply, body);
    }
  } else {
    reply?.open();
    emitRows(request, select, expressions, body, registers, (next) => {
      const first = expressions.consecutive([...keys, ...values], true);
      reply?.take(first, first + keys.length, next);
    });
  }
  reply?.close();
  code.append(prelude);
  code.append(body);
}

/**
 * One row of values, from where everything is computed in its place: most of it is constant, and what is not, such as
 * random(), is new each time.
 */
function compileOneRow(
  request: RequestBuilder,
  select: BoundSelect,
  limits: LimitParameters,
  isLast: boolean,
  code: Assembler,
  registers: Registers,
): void {
  const expressions = new ExpressionCompiler(request, code, code, registers, 'head');
  const values = select.outputs.map(({ expression }) => expression);
  if (!isLast) {
    const end = code.label();
    if (select.where !== undefined) expressions.condition(select.where, end);
    for (const value of values) expressions.value(value);
    code.place(end);
    return;
  }
  const reply = new RowReply(request, { ...select, order: [] }, limits, code, code, registers);
  reply.open();
  if (select.where !== undefined) expressions.condition(select.where, reply.end);
  request.steps.row(code, 'coordinator', 0);
  reply.take(0, expressions.consecutive(values), reply.end);
  reply.close();
}

/** The rows of the function, or the one of a SELECT without FROM, for which WHERE is true. */
function emitRows(
  request: RequestBuilder,
  select: BoundSelect,
  expressions: ExpressionCompiler,
  body: Assembler,
  registers: Registers,
  emitRow: (next: ReturnType<Assembler['label']>) => void,
): void {
  const next = body.label();
  const start = body.label();
  const end = body.label();
  const hasLoop = openSource(request, select, expressions, body, registers, start, end);
  if (select.where !== undefined) expressions.condition(select.where, next);
  request.steps.row(body, 'coordinator', 0);
  emitRow(next);
  body.place(next);
  if (select.source?.kind === 'each') body.emit('scratch_reset');
  else resetTemporaries(body, rowBounds(select));
  if (hasLoop) body.emit('source_next', 0, start);
  body.place(end);
  request.steps.end(body, 'coordinator', 0);
  expressions.forgetRow();
}

function rowBounds(select: BoundSelect): Parameters<typeof resetTemporaries>[1] {
  const { where, grouping, outputs, order } = select;
  if (grouping === undefined)
    return [where, ...outputs.map(({ expression }) => expression), ...order.map(({ expression }) => expression)];
  return [where, ...grouping.keys, ...grouping.aggregates.flatMap(({ argument, filter }) => [argument, filter])];
}

/** Opens the source of rows; false where there is one row and no loop. What the function is given is computed in the head. */
function openSource(
  request: RequestBuilder,
  select: BoundSelect,
  expressions: ExpressionCompiler,
  body: Assembler,
  registers: Registers,
  start: ReturnType<Assembler['label']>,
  end: ReturnType<Assembler['label']>,
): boolean {
  const { source } = select;
  if (source === undefined) return false;
  const { fields } = source.columns;
  if (source.kind === 'value') {
    const parameter = request.parameterOf(source.value);
    const opcode = source.value.isNullable ? 'param_null' : 'param';
    expressions.rows = { fields, load: (register) => body.emit(opcode, register, parameter) };
    return false;
  }
  const bounds = source.kind === 'series' ? source.bounds : [source.value];
  const first = registers.take(bounds.length);
  for (const [index, bound] of bounds.entries()) {
    body.emit(bound.isNullable ? 'param_null' : 'param', first + index, request.parameterOf(bound));
    if (bound.isNullable && source.kind === 'series') body.emit('jmp_null', first + index, end);
  }
  const opcode = source.kind === 'each' ? 'each_open' : source.isTime ? 'series_time' : 'series_int';
  body.emit(opcode, 0, first, end, source.name);
  body.place(start);
  expressions.rows = { fields, load: (register) => body.emit('source_value', register, 0) };
  return true;
}
