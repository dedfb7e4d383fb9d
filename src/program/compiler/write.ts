/** Code for INSERT, UPDATE and DELETE. Rows to insert are made in the head; nodes insert them. */

import { type TableDefinition, tableName } from '../../catalog/catalog.ts';
import { type AccessPlan, chooseAccess } from '../../planner/access.ts';
import { describeChange, describeInsert } from '../../planner/describe.ts';
import { type Bound, shownType } from '../../sql/binder/bound.ts';
import { operatorNode } from '../../sql/binder/operators.ts';
import type {
  BoundAssignment,
  BoundDelete,
  BoundInsert,
  BoundReturning,
  BoundUpdate,
} from '../../sql/binder/statements.ts';
import { BIGINT, DOUBLE, FLOAT, INT, JSON_TYPE, SMALLINT, TINYINT, TYPE_NAMES, wideType } from '../../types/type.ts';
import { Assembler, type Label } from './assembler.ts';
import { makesTemporaries } from './bound-properties.ts';
import { ExpressionCompiler } from './expression-compiler.ts';
import type { RequestBuilder } from './request-builder.ts';
import { openSource } from './source.ts';

export type NodeCode = {
  readonly prelude: Assembler;
  readonly body: Assembler;
  readonly expressions: ExpressionCompiler;
};

export function nodeCode(request: RequestBuilder): NodeCode {
  const prelude = new Assembler();
  const body = new Assembler();
  return {
    prelude,
    body,
    expressions: new ExpressionCompiler(request, body, prelude, request.nodeRegisters, 'node'),
  };
}

export function finish(request: RequestBuilder, { prelude, body }: NodeCode): void {
  request.node.append(prelude);
  request.node.append(body);
}

/** Compiles an INSERT with its conflict action and RETURNING. */
export function compileInsert(request: RequestBuilder, insert: BoundInsert, isLast: boolean): void {
  const { table } = insert;
  const batch = request.batchCount++;
  const parameter = compileRows(request, insert, batch);
  request.addPlan(describeInsert(insert));
  const { steps } = request;
  const node = nodeCode(request);
  const { body, expressions } = node;
  const tableOrdinal = request.table(table);
  const { conflict, returning } = insert;
  const sends = returning !== undefined && isLast;
  const end = body.label();
  const start = body.label();
  const next = body.label();
  body.emit('batch_open', batch, parameter, end, tableName(table));
  if (conflict.kind === 'error' && !sends) {
    body.emit('insert_all', batch, tableOrdinal, 0, tableName(table));
    steps.passed(body, 'statement', 0);
  } else {
    const clash = body.label();
    expressions.rows = { table, cursor: 0, batch };
    body.place(start);
    body.emit('insert', batch, 0, clash, tableName(table));
    steps.row(body, 'statement', 0);
    if (sends) sendOrdered(request, node, returning, batch);
    body.emit('jmp', next);
    body.place(clash);
    expressions.forgetRow();
    if (conflict.kind === 'error') body.emit('key_conflict', batch);
    else if (conflict.kind === 'update') {
      if (conflict.where !== undefined) expressions.condition(conflict.where, next);
      emitUpdate(request, node, table, conflict.assignments);
      steps.row(body, 'statement', 0);
      if (sends) {
        expressions.forgetRow();
        sendOrdered(request, node, returning, batch);
      }
    }
    body.place(next);
    const bounds = [
      ...(conflict.kind === 'update' ? [conflict.where, ...conflict.assignments.map(({ value }) => value)] : []),
      ...(returning?.outputs.map(({ expression }) => expression) ?? []),
    ];
    if (bounds.some((bound) => bound !== undefined && makesTemporaries(bound))) body.emit('scratch_reset');
    body.emit('batch_next', batch, start);
  }
  body.place(end);
  finish(request, node);
  if (sends) replyOrdered(request);
}

/** The head's part: makes the rows. Gives the parameter that carries the batch. */
function compileRows(request: RequestBuilder, insert: BoundInsert, batch: number): number {
  const { head, headCompiler } = request;
  const { source, table, columns } = insert;
  const spec = request.inserts.push({ table: request.table(table), columns }) - 1;
  switch (source.kind) {
    case 'literals':
      head.emit('batch_values', batch, spec, source.list, tableName(table));
      break;
    case 'generate': {
      const count = headCompiler.value(source.count);
      head.emit('limit_check', count, 2);
      head.emit('batch_generate', batch, spec, count, tableName(table));
      break;
    }
    case 'rows':
      head.emit('batch_new', batch, spec, 0, tableName(table));
      for (const row of source.rows) {
        // Every row uses the same registers, so that the number of rows is not limited by theirs.
        const mark = request.headRegisters.mark();
        head.emit('batch_row', batch);
        for (const [ordinal, cell] of row.entries()) {
          if (cell === undefined) continue;
          const column = columns[ordinal]!;
          const register = headCompiler.value(cell);
          const { type } = table.columns[column]!;
          const isConverted = cell.kind !== 'null' && cell.type !== wideType(type);
          // A float is shown as one in JSON, and is a double to any other column.
          const given = type === JSON_TYPE ? shownType(cell) : cell.type;
          const place = isConverted ? column | (given << 16) : column;
          const opcode = isConverted ? 'batch_put' : 'batch_set';
          head.emit(cell.isNullable ? `${opcode}_null` : opcode, batch, place, register);
        }
        head.emit('batch_row_end', batch);
        request.headRegisters.release(mark);
        headCompiler.forget();
      }
      break;
  }
  const parameter = request.newParameter();
  head.emit('batch_route', batch, parameter);
  return parameter;
}

/** UPDATE's SET, for the row of cursor 0, by one of the opcodes that take an update spec. */
export function emitUpdate(
  request: RequestBuilder,
  { body, expressions }: NodeCode,
  table: TableDefinition,
  assignments: readonly BoundAssignment[],
  opcode: 'update' | 'move_row' = 'update',
): void {
  const values = assignments.map(({ column, value }) => {
    const { type, name } = table.columns[column]!;
    if (value.kind === 'null') return value;
    if (type === FLOAT && value.isFloat !== true) {
      const failure = `column '${name}': the double % does not fit float`;
      return { ...operatorNode('to_float', DOUBLE, [value], { isConstant: false }), failure } as Bound;
    }
    if (type !== TINYINT && type !== SMALLINT && type !== INT) return value;
    const failure = `column '${name}': the int % does not fit ${TYPE_NAMES[type]}`;
    return { ...operatorNode('check_int', BIGINT, [value], { immediate: type, isConstant: false }), failure };
  });
  const first = expressions.consecutive(values, true);
  const spec = request.updates.push({ table: request.table(table), columns: assignments.map(({ column }) => column) });
  body.emit(opcode, 0, spec - 1, first, tableName(table));
}

/** RETURNING of an INSERT: rows carry their ordinal, so that the answer has the order of the statement. */
function sendOrdered(
  request: RequestBuilder,
  { body, expressions }: NodeCode,
  returning: BoundReturning,
  batch: number,
): void {
  const values = returning.outputs.map(({ expression }) => expression);
  const first = request.nodeRegisters.take(values.length + 1);
  body.emit('batch_ordinal', first, batch);
  for (const [index, value] of values.entries()) expressions.into(value, first + 1 + index, value.isNullable);
  body.emit('send_row_key', returningOutput(request, returning), first, 0);
}

export function returningOutput(request: RequestBuilder, returning: BoundReturning): number {
  return (
    request.outputs.push({
      columns: returning.outputs.map(({ name, expression }) => ({
        name,
        type: shownType(expression),
        isNullable: expression.isNullable,
      })),
      format: returning.format,
    }) - 1
  );
}

function replyOrdered(request: RequestBuilder): void {
  const output = request.outputs.length - 1;
  const sort = request.sorts.push({
    keys: [{ type: BIGINT, isDescending: false, isNullsFirst: true }],
    values: [],
    output,
  });
  request.tail.emit('reply_rows', 0, sort - 1, -1);
}

/** Compiles an UPDATE or DELETE. */
export function compileChange(request: RequestBuilder, change: BoundUpdate | BoundDelete, isLast: boolean): void {
  const { table } = change;
  const node = nodeCode(request);
  const { body, expressions } = node;
  const plan = chooseAccess(table, change.where, undefined, undefined);
  request.addPlan(describeChange(change, plan, collectsFirst(plan)));
  const { steps } = request;
  expressions.rows = { table, cursor: 0 };
  const returning = isLast ? change.returning : undefined;
  const output = returning === undefined ? -1 : returningOutput(request, returning);
  const apply = (): void => {
    if (change.kind === 'update') {
      emitUpdate(request, node, table, change.assignments);
      expressions.forgetRow();
    }
    if (returning !== undefined)
      body.emit('send_row', output, expressions.consecutive(returning.outputs.map(({ expression }) => expression)), 0);
    if (change.kind === 'delete') body.emit('delete', 0, 0, 0, tableName(table));
    steps.row(body, 'statement', 0);
    const bounds = [
      plan.residual,
      ...(change.kind === 'update' ? change.assignments.map(({ value }) => value) : []),
      ...(returning?.outputs.map(({ expression }) => expression) ?? []),
    ];
    if (bounds.some((bound) => bound !== undefined && makesTemporaries(bound))) body.emit('scratch_reset');
  };
  emitChanges(request, node, table, plan, apply);
  finish(request, node);
  if (returning !== undefined) request.tail.emit('reply_rows', 0, -1, -1);
}

/** Rows that are found by anything but their key or a scan are collected before one of them is changed. */
export function collectsFirst({ access }: AccessPlan): boolean {
  return access.kind === 'range' || access.kind === 'list';
}

/** Finds rows and has `apply` emit what is done with the one on which cursor 0 stands. */
export function emitChanges(
  request: RequestBuilder,
  { body, expressions }: NodeCode,
  table: TableDefinition,
  plan: AccessPlan,
  apply: () => void,
): void {
  const { steps } = request;
  if (!collectsFirst(plan)) {
    const loop = openSource(request, body, expressions, table, plan, 0);
    apply();
    loop.close();
    return;
  }
  body.emit('rows_clear', 0);
  const loop = openSource(request, body, expressions, table, plan, 0);
  body.emit('rows_add', 0, 0);
  steps.row(body, 'nodes', 1);
  loop.close();
  steps.end(body, 'nodes', 1);
  const start = body.label();
  const end: Label = body.label();
  body.emit('rows_open', 0, 0, end);
  body.place(start);
  apply();
  body.emit('rows_next', 0, 0, start);
  body.place(end);
  expressions.forgetRow();
}
