/**
 * Code for what an expression begins with: constants, parameters, columns, groups. Each is loaded into a register once, and
 * shared: what is the same for the whole request in the prelude, a column once a row, where it is first needed.
 */

import { assert } from '../../base/assert.ts';
import { SqlError } from '../../base/errors.ts';
import { doubleConstant, type TableDefinition } from '../../catalog/catalog.ts';
import type { Bound } from '../../sql/binder/bound.ts';
import {
  BIGINT,
  BOOL,
  DATE,
  DOUBLE,
  FLOAT,
  INT,
  INTERVAL,
  isRefType,
  SMALLINT,
  TIMESTAMP,
  TINYINT,
  type TypeId,
  UUID,
  wideType,
} from '../../types/type.ts';
import { hasAhead } from './ahead.ts';
import type { Assembler } from './assembler.ts';
import { canFail } from './bound-properties.ts';
import type { ExpressionCompiler } from './expression-compiler.ts';
import type { RequestBuilder } from './request-builder.ts';

/** Where columns come from. */
export type RowSources =
  | {
      readonly table: TableDefinition;
      readonly cursor: number;
      /** Batch whose row is `excluded`. */
      readonly batch?: number;
    }
  | FunctionSourceRows;

/** Rows of a function in FROM. */
export type FunctionSourceRows = {
  /** Column 0 into a register. */
  readonly load: (register: number) => void;
  /** By column ordinal: how it is made of column 0. */
  readonly fields: readonly (Bound | undefined)[];
};

/** A register that holds the value already, or undefined where it has to be computed. `target` is where a column would be wanted. */
export function leafRegister(expressions: ExpressionCompiler, bound: Bound, target?: number): number | undefined {
  const { request, prelude } = expressions;
  switch (bound.kind) {
    case 'parameter':
      return parameterRegister(expressions, bound.parameter, bound.isNullable);
    case 'integer':
      if (bound.value >= -(2n ** 31n) && bound.value < 2n ** 31n)
        return invariantRegister(expressions, `i${bound.value}`, (register) =>
          prelude.emit('load_int', register, Number(bound.value)),
        );
      return constantRegister(expressions, { kind: 'int', value: String(bound.value) });
    case 'double':
      return constantRegister(expressions, { kind: 'double', value: doubleConstant(bound.value) });
    case 'text':
      return constantRegister(expressions, { kind: 'text', value: bound.value });
    case 'json':
      return constantRegister(expressions, { kind: 'json', value: bound.value });
    case 'now':
      return invariantRegister(expressions, 'now', (register) => prelude.emit('now', register));
    case 'system':
      return parameterRegister(expressions, request.systemInput(bound.what), false);
    case 'null':
      return invariantRegister(expressions, 'null', (register) => prelude.emit('set_null', register));
    case 'column':
    case 'excluded':
      return columnRegister(expressions, bound.kind, bound.column, bound.isNullable, target);
    case 'groupKey':
    case 'aggregate':
      return groupRegister(expressions, bound.kind, bound.index, target);
    default:
      if (!bound.isConstant || isInHead(expressions, bound)) return undefined;
      if (expressions.isConditional && canFail(bound) && !request.isComputed(bound))
        return deferredRegister(expressions, bound);
      return parameterRegister(expressions, request.parameterOf(bound), bound.isNullable);
  }
}

/** Whether a constant is computed in its place. What runs ahead never is, but in the head itself. */
function isInHead({ place, code, request, isConditional }: ExpressionCompiler, bound: Bound): boolean {
  if (place !== 'head') return false;
  if (code === request.head || !hasAhead(bound)) return true;
  if (isConditional && bound.kind === 'call' && bound.name === 'sleep')
    throw new SqlError('wrong_arguments', 'sleep: values that are not constant must not decide whether it runs');
  return false;
}

/** A constant that may fail, where it may not be wanted: the head has tried to compute it. Its error is raised here. */
function deferredRegister(expressions: ExpressionCompiler, bound: Bound): number {
  const { request, code, prelude, held } = expressions;
  const parameter = request.deferredOf(bound);
  const register = invariantRegister(expressions, `t${parameter}`, (target) =>
    prelude.emit('param_deferred', target, parameter),
  );
  const checked = `checked${parameter}`;
  if (held.get(checked) === undefined) {
    code.emit('check_param', register, parameter);
    held.set(checked, register);
  }
  return register;
}

/** The key by which the register of a parameter is held. */
export function parameterKey(parameter: number): string {
  return `p${parameter}`;
}

/** The register with a parameter, loaded in the prelude. */
export function parameterRegister(expressions: ExpressionCompiler, parameter: number, isNullable: boolean): number {
  return invariantRegister(expressions, parameterKey(parameter), (register) =>
    expressions.prelude.emit(isNullable ? 'param_null' : 'param', register, parameter),
  );
}

function constantRegister(expressions: ExpressionCompiler, value: Parameters<RequestBuilder['constant']>[0]): number {
  const number = expressions.request.constant(value);
  return invariantRegister(expressions, `c${number}`, (register) =>
    expressions.prelude.emit('const', register, number),
  );
}

/** The register with what is the same for the whole statement, loaded in the prelude where it is not there yet. */
function invariantRegister(expressions: ExpressionCompiler, key: string, load: (register: number) => void): number {
  const { held, registers } = expressions;
  // In the head there is no prelude: a load inside a branch is not known outside it.
  const isInBranch = expressions.place === 'head' && expressions.isConditional;
  const known = held.getInvariant(key);
  if (known !== undefined) return known;
  const register = registers.take();
  load(register);
  if (isInBranch) held.set(key, register);
  else held.setInvariant(key, register);
  return register;
}

function groupRegister(
  { held, code, registers, group }: ExpressionCompiler,
  kind: 'groupKey' | 'aggregate',
  index: number,
  target: number | undefined,
): number {
  const key = `${kind}${index}`;
  const known = held.get(key);
  if (known !== undefined) return known;
  const register = target ?? registers.take();
  code.emit(kind === 'groupKey' ? 'group_key' : 'agg_result', register, group, index);
  held.set(key, register);
  return register;
}

function columnRegister(
  expressions: ExpressionCompiler,
  kind: 'column' | 'excluded',
  column: number,
  isNullable: boolean,
  target: number | undefined,
): number {
  const { held, code, registers, rows } = expressions;
  const key = `${kind}${column}`;
  const known = held.get(key);
  if (known !== undefined) return known;
  assert(rows !== undefined, 'a column is read where there are rows');
  const register = target ?? registers.take();
  if ('load' in rows) {
    const field = rows.fields[column];
    if (field === undefined) rows.load(register);
    else expressions.into(field, register, isNullable);
    held.set(key, register);
    return register;
  }
  const { name, type } = rows.table.columns[column]!;
  if (kind === 'excluded') code.emit('batch_col', register, rows.batch!, column, `excluded.${name}`);
  else emitColumn(code, register, rows.cursor, column, type, isNullable, name, expressions.isScan);
  held.set(key, register);
  return register;
}

/** Loads a column of a cursor by its stored type. */
function emitColumn(
  code: Assembler,
  register: number,
  cursor: number,
  column: number,
  type: TypeId,
  isNullable: boolean,
  comment: string,
  isScan: boolean,
): void {
  const general = columnOpcode(type);
  const opcode = isScan && HAS_SCAN_FORM.has(general) ? general.replace('col_', 'scan_') : general;
  if (isNullable && HAS_NULL_FORM.has(opcode)) {
    code.emit(`${opcode}_null`, register, cursor, column, comment);
    return;
  }
  if (isNullable) code.emit('col_null', register, cursor, column, comment);
  code.emit(opcode, register, cursor, column, comment);
}

const HAS_SCAN_FORM: ReadonlySet<string> = new Set(['col_int32', 'col_int64', 'col_double', 'col_ref']);
const HAS_NULL_FORM: ReadonlySet<string> = new Set([
  ...HAS_SCAN_FORM,
  ...Array.from(HAS_SCAN_FORM, (opcode) => opcode.replace('col_', 'scan_')),
  'col_bool',
]);

function columnOpcode(type: TypeId): string {
  if (type === INT || type === DATE) return 'col_int32';
  if (type === BIGINT || type === TIMESTAMP) return 'col_int64';
  if (type === DOUBLE) return 'col_double';
  if (type === BOOL || type === TINYINT) return 'col_bool';
  if (type === SMALLINT) return 'col_int16';
  if (type === FLOAT) return 'col_float';
  if (type === UUID || type === INTERVAL) return 'col_wide';
  assert(isRefType(wideType(type)), 'the other types are refs');
  return 'col_ref';
}
