/** The coordinator's end of a SELECT: rows that it makes itself, out of groups or of a function, sorted, cut and written. */

import { type Bound, shownType } from '../../sql/binder/bound.ts';
import type { BoundSelect } from '../../sql/binder/statements.ts';
import { BIGINT } from '../../types/type.ts';
import type { GroupSpec, OutputSpec, SortSpec } from '../program.ts';
import type { Assembler, Label } from './assembler.ts';
import { makesTemporaries } from './bound-properties.ts';
import type { ExpressionCompiler } from './expression-compiler.ts';
import type { Registers, RequestBuilder } from './request-builder.ts';

/** Parameters that carry LIMIT, OFFSET and their sum: -1 where there is none. */
export type LimitParameters = { readonly limit: number; readonly offset: number; readonly both: number };

export function outputSpec(select: BoundSelect): OutputSpec {
  return {
    columns: select.outputs.map(({ name, expression }) => ({
      name,
      type: shownType(expression),
      isNullable: expression.isNullable,
    })),
    format: select.format,
  };
}

export function sortSpec(select: BoundSelect, output: number): SortSpec {
  return {
    keys: select.order.map(({ key }) => key),
    values: select.outputs.map(({ expression }) => expression.type),
    output,
  };
}

export function resetTemporaries(body: Assembler, bounds: readonly (Bound | undefined)[]): void {
  if (bounds.some((bound) => bound !== undefined && makesTemporaries(bound))) body.emit('scratch_reset');
}

/** ORDER BY, OFFSET, LIMIT and the writing of rows. */
export class RowReply {
  /** Where rows are no more wanted. */
  readonly end: Label;
  readonly #request: RequestBuilder;
  readonly #select: BoundSelect;
  readonly #body: Assembler;
  readonly #registers: Registers;
  readonly #output: number;
  readonly #limit: number;
  readonly #offset: number;
  readonly #both: number;

  constructor(
    request: RequestBuilder,
    select: BoundSelect,
    limits: LimitParameters,
    prelude: Assembler,
    body: Assembler,
    registers: Registers,
  ) {
    const load = (parameter: number): number => {
      if (parameter < 0) return -1;
      const register = registers.take();
      prelude.emit('param', register, parameter);
      return register;
    };
    this.#request = request;
    this.#select = select;
    this.#body = body;
    this.#registers = registers;
    this.#output = request.outputs.push(outputSpec(select)) - 1;
    this.#limit = load(limits.limit);
    this.#offset = load(limits.offset);
    this.#both = load(limits.both);
    this.end = body.label();
  }

  get isSorted(): boolean {
    return this.#select.order.length > 0;
  }

  /** Before the first row. */
  open(): void {
    const body = this.#body;
    const select = this.#select;
    if (this.isSorted)
      body.emit('sort_open', 0, this.#request.sorts.push(sortSpec(select, this.#output)) - 1, this.#both);
    body.emit('out_open', this.#output);
    if (this.#limit >= 0) body.emit('jmp_zero_or_less', this.#limit, this.end);
  }

  /** Takes a row whose sort keys and values stand in registers; jumps to `next` where it is skipped. */
  take(keyRegister: number, valueRegister: number, next: Label): void {
    const body = this.#body;
    if (this.isSorted) {
      body.emit('sort_add', 0, keyRegister);
      return;
    }
    if (this.#offset >= 0) {
      const write = body.label();
      body.emit('jmp_zero_or_less', this.#offset, write);
      body.emit('count_down', this.#offset, next);
      body.emit('jmp', next);
      body.place(write);
    }
    body.emit('out_row', this.#output, valueRegister);
    if (this.#limit >= 0) body.emit('count_down', this.#limit, this.end);
  }

  /** Behind the last row. */
  close(): void {
    const body = this.#body;
    const { order, outputs } = this.#select;
    if (this.isSorted) {
      const first = this.#registers.take(order.length + outputs.length);
      const start = body.label();
      if (this.#offset >= 0) body.emit('sort_skip', 0, this.#offset);
      body.emit('sort_first', 0, first, this.end);
      body.place(start);
      body.emit('out_row', this.#output, first + order.length);
      body.emit('sort_next', 0, first, start);
    }
    body.place(this.end);
    body.emit('out_close', this.#output);
    for (const step of ['sort', 'limit']) {
      this.#request.steps.sent(body, 'coordinator', step);
      this.#request.steps.end(body, 'coordinator', step);
    }
  }
}

export function groupSpec(select: BoundSelect): GroupSpec {
  const { keys, aggregates } = select.grouping!;
  return {
    keys: keys.map(({ type }) => type),
    aggregates: aggregates.map(({ kind, argument, isDistinct }) => ({
      kind,
      argument: argument?.type ?? BIGINT,
      isNullable: argument?.isNullable ?? false,
      isDistinct,
    })),
  };
}

/** The current row goes into its group of group set 0. */
export function addToGroup(select: BoundSelect, expressions: ExpressionCompiler, body: Assembler): void {
  const { keys, aggregates } = select.grouping!;
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
}

/** The rows of the groups in group set 0: HAVING, projection, DISTINCT. */
export function emitGroups(
  request: RequestBuilder,
  select: BoundSelect,
  expressions: ExpressionCompiler,
  registers: Registers,
  reply: RowReply,
  body: Assembler,
): void {
  const values = select.outputs.map(({ expression }) => expression);
  const orderKeys = select.order.map(({ expression }) => expression);
  const distinct = select.isDistinct
    ? request.groups.push({ keys: values.map(({ type }) => type), aggregates: [] }) - 1
    : -1;
  if (distinct >= 0) body.emit('group_open', 1, distinct);
  const done = body.label();
  const next = body.label();
  const start = body.label();
  body.emit('group_first', 0, done);
  body.place(start);
  const { steps } = request;
  if (select.having !== undefined) expressions.condition(select.having, next);
  steps.row(body, 'coordinator', 'having');
  if (distinct >= 0) body.emit('group_find', 1, expressions.consecutive(values, true));
  else {
    const first = expressions.consecutive([...orderKeys, ...values], true);
    reply.take(first, first + orderKeys.length, next);
  }
  body.place(next);
  resetTemporaries(body, [select.having, ...orderKeys, ...values]);
  body.emit('group_next', 0, start);
  body.place(done);
  steps.end(body, 'coordinator', 'having');
  expressions.forgetRow();
  if (distinct < 0) return;
  steps.groups(body, 'coordinator', 'distinct', 1);
  steps.end(body, 'coordinator', 'distinct');
  emitDistinct(select, registers, reply, body);
}

/** The rows of group set 1, whose keys are the outputs. */
function emitDistinct(select: BoundSelect, registers: Registers, reply: RowReply, body: Assembler): void {
  const keys = select.order.map(({ output: ordinal }) => ordinal);
  const width = select.outputs.length;
  const first = registers.take(keys.length + width);
  const start = body.label();
  const next = body.label();
  const done = body.label();
  body.emit('group_first', 1, done);
  body.place(start);
  for (const [index, ordinal] of keys.entries()) body.emit('group_key', first + index, 1, ordinal);
  for (let ordinal = 0; ordinal < width; ordinal++) body.emit('group_key', first + keys.length + ordinal, 1, ordinal);
  reply.take(first, first + keys.length, next);
  body.place(next);
  body.emit('group_next', 1, start);
  body.place(done);
}
