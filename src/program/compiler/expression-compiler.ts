/**
 * Code for bound expressions. Values that are the same for the whole request become parameters, computed in the head; their
 * loads stand in the prelude, before any loop. A column is loaded once a row, where it is first needed.
 */

import { assert } from '../../base/assert.ts';
import { SqlError } from '../../base/errors.ts';
import { doubleConstant, type TableDefinition } from '../../catalog/catalog.ts';
import { type Bound, shownType } from '../../sql/binder/bound.ts';
import { BOUND_NULL, bindComparison } from '../../sql/binder/operators.ts';
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
import type { Assembler, Label } from './assembler.ts';
import type { Registers, RequestBuilder } from './request-builder.ts';

/** Opcodes that make temporaries in the scratch area. */
const LIGHT_FAMILY_2: ReadonlySet<string> = new Set([
  'like',
  'json_to_int',
  'json_to_double',
  'json_to_bool',
  'text_to_int',
  'text_to_double',
  'text_to_bool',
  'text_to_timestamp',
  'json_to_timestamp',
  'int_to_timestamp',
]); // prettier-ignore
const TEMPORARY: ReadonlySet<string> = new Set([
  'concat',
  'json_key',
  'json_index',
  'json_path',
  'json_path_text',
  'json_path_set',
  'json_any',
  'json_to_text',
  'to_json',
  'json_concat',
  'int_to_text',
  'double_to_text',
  'bool_to_text',
  'timestamp_to_text',
  'text_to_json',
  'text_to_uuid',
  'uuid_to_text',
  'float_to_text',
  'vector_to_text',
  'text_to_vector',
  'json_to_vector',
  'make_vector',
  'vector_arithmetic',
  'text_to_interval',
  'json_to_interval',
  'date_to_text',
  'interval_to_text',
  'sub_timestamp',
  'add_interval',
  'sub_interval',
  'neg_interval',
  'interval_trunc',
]); // prettier-ignore

export function makesTemporaries(bound: Bound): boolean {
  if (bound.isConstant) return false;
  switch (bound.kind) {
    case 'operator':
      if (LIGHT_FAMILY_2.has(bound.opcode)) return bound.operands.some(makesTemporaries);
      return TEMPORARY.has(bound.opcode) || bound.operands.some(makesTemporaries);
    case 'call':
    case 'jsonBuild':
    case 'toJson':
      return true;
    case 'and':
    case 'or':
      return makesTemporaries(bound.left) || makesTemporaries(bound.right);
    case 'isNull':
      return makesTemporaries(bound.operand);
    case 'case':
      return (
        bound.branches.some(({ when, result }) => makesTemporaries(when) || makesTemporaries(result)) ||
        makesTemporaries(bound.otherwise)
      );
    case 'coalesce':
      return bound.operands.some(makesTemporaries);
    case 'once':
      return makesTemporaries(bound.operand) || makesTemporaries(bound.body);
    case 'in':
      return makesTemporaries(bound.operand) || bound.items.some(makesTemporaries);
    default:
      return false;
  }
}

/** From this number of constants on, an IN list is a set that is probed by hash. */
export const SET_ITEMS_MIN = 8;
const NO_ITEMS: ReadonlySet<Bound> = new Set();

function isNextParameter(item: Bound | undefined, next: Bound | undefined): boolean {
  if (item?.kind !== 'parameter' || next?.kind !== 'parameter') return false;
  return next.parameter === item.parameter + 1 && !next.isNullable;
}

/** Whether `=` of the two types is equality in a set for the first. */
function sharesSet(operand: TypeId, item: TypeId): boolean {
  const isNumber = (type: TypeId): boolean => type === DOUBLE || isInteger(type);
  return operand === item || (isNumber(operand) && isNumber(item));
}

/** Types whose registers are integers: of those that compare at all, equal numbers are equal values. */
function isInteger(type: TypeId): boolean {
  return type === BIGINT || type === BOOL || type === TIMESTAMP || type === DATE;
}

/** Opcodes that never raise an error, whatever their operands. */
const SAFE =
  /^(?:(?:eq|ne|lt|le|gt|ge)_|cmp_|json_(?:key|index|path|path_exists)$|(?:not|truth|concat|to_json|int_to_double)$|(?:and|or|xor|not)_int$|(?:int|double|bool|timestamp)_to_text$)/;

/** Whether computing the value may raise an error. */
export function canFail(bound: Bound): boolean {
  switch (bound.kind) {
    case 'operator':
      return !SAFE.test(bound.opcode) || bound.operands.some(canFail);
    case 'call':
      return true;
    case 'and':
    case 'or':
      return canFail(bound.left) || canFail(bound.right);
    case 'isNull':
    case 'toJson':
      return canFail(bound.operand);
    case 'case':
      return bound.branches.some(({ when, result }) => canFail(when) || canFail(result)) || canFail(bound.otherwise);
    case 'coalesce':
    case 'jsonBuild':
      return bound.operands.some(canFail);
    case 'once':
      return canFail(bound.operand) || canFail(bound.body);
    case 'in':
      return canFail(bound.operand) || bound.items.some(canFail);
    default:
      return false;
  }
}

const NUMBER_COMPARISON = /^(eq|ne|lt|le|gt|ge)_(?:int|double)$/;

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

export class ExpressionCompiler {
  readonly #request: RequestBuilder;
  readonly #code: Assembler;
  readonly #prelude: Assembler;
  readonly #registers: Registers;
  /** head: constants are computed in place; node, tail: they come as parameters. */
  readonly #place: 'head' | 'node' | 'tail';
  readonly #invariants = new Map<string, number>();
  #known = new Map<string | Bound, number>();
  #conditionDepth = 0;
  rows: RowSources | undefined;
  /** What is emitted runs once a row: parameters are loaded before the loop. */
  isInLoop = false;
  /** Group set that groupKey and aggregate nodes read. */
  group = 0;

  constructor(
    request: RequestBuilder,
    code: Assembler,
    prelude: Assembler,
    registers: Registers,
    place: 'head' | 'node' | 'tail',
  ) {
    this.#request = request;
    this.#code = code;
    this.#prelude = prelude;
    this.#registers = registers;
    this.#place = place;
  }

  /** Forgets every register: a new statement starts. */
  forget(): void {
    this.#known.clear();
    this.#invariants.clear();
  }

  /** Forgets what was loaded for the current row. */
  forgetRow(): void {
    this.#known.clear();
  }

  /** Computes the value into a register and gives it. Leaves are shared: the register must not be written to. */
  value(bound: Bound): number {
    const known = this.#known.get(bound);
    if (known !== undefined) return known;
    return this.#leaf(bound) ?? this.#compute(bound, this.#registers.take());
  }

  /** Computes the value into `target`; its null flag is written where `isNullable`. */
  into(bound: Bound, target: number, isNullable: boolean): void {
    if (bound.kind === 'parameter' && !this.isInLoop && !this.#invariants.has(`p${bound.parameter}`)) {
      // Loaded where it is wanted: a list of keys does not need a second register for each.
      this.#code.emit(bound.isNullable ? 'param_null' : 'param', target, bound.parameter);
      if (isNullable && !bound.isNullable) this.#code.emit('clear_null', target);
      return;
    }
    const leaf = this.#known.get(bound) ?? this.#leaf(bound, target);
    if (leaf === undefined) this.#compute(bound, target);
    else if (leaf !== target) this.#code.emit(bound.isNullable ? 'move_null' : 'move', target, leaf);
    if (isNullable && !bound.isNullable) this.#code.emit('clear_null', target);
  }

  /**
   * Computes values into consecutive registers, all flags written where asked, and gives the first. `afterFirst` may emit
   * code between the first and the others.
   */
  consecutive(values: readonly Bound[], writeFlags = false, afterFirst?: (register: number) => void): number {
    const first = this.#registers.take(values.length);
    // A node that stands twice is computed once: ORDER BY of an output, whose value random() may have made.
    const computed = new Map<Bound, number>();
    for (const [index, value] of values.entries()) {
      const earlier = computed.get(value);
      if (earlier === undefined) this.into(value, first + index, writeFlags || value.isNullable);
      else this.#code.emit(writeFlags || value.isNullable ? 'move_null' : 'move', first + index, earlier);
      computed.set(value, first + index);
      if (index === 0) afterFirst?.(first);
    }
    return first;
  }

  /** Goes on only where the condition is true; else jumps. */
  condition(bound: Bound, otherwise: Label): void {
    if (bound.kind === 'and') {
      this.condition(bound.left, otherwise);
      this.laterCondition(bound.right, otherwise);
    } else if (bound.kind === 'or') {
      const isTrue = this.#code.label();
      this.#jumpIfTrue(bound.left, isTrue);
      this.conditional(() => this.condition(bound.right, otherwise));
      this.#code.place(isTrue);
    } else if (bound.kind === 'null') {
      this.#code.emit('jmp', otherwise);
    } else if (bound.kind === 'once' && !bound.isConstant) {
      this.#share(bound.operand);
      this.condition(bound.body, otherwise);
    } else if (!this.#compareAndJump(bound, otherwise)) {
      this.#code.emit(bound.isNullable ? 'jmp_not_true' : 'jmp_false', this.value(bound), otherwise);
    }
  }

  /** A comparison of numbers that is only a condition: one instruction, and one more for each operand that may be NULL. */
  #compareAndJump(bound: Bound, otherwise: Label): boolean {
    if (bound.kind !== 'operator' || bound.isConstant || this.#known.has(bound)) return false;
    const match = NUMBER_COMPARISON.exec(bound.opcode);
    if (match === null) return false;
    const registers = bound.operands.map((operand) => this.value(operand));
    for (const [index, operand] of bound.operands.entries()) {
      if (operand.isNullable) this.#code.emit('jmp_null', registers[index]!, otherwise);
    }
    this.#code.emit(`jmp_unless_${match[1]}`, registers[0]!, registers[1]!, otherwise);
    return true;
  }

  /** A condition behind another: what it loads is known behind it, but errors of its constants wait until it is asked. */
  laterCondition(bound: Bound, otherwise: Label): void {
    this.#conditionDepth++;
    this.condition(bound, otherwise);
    this.#conditionDepth--;
  }

  #jumpIfTrue(bound: Bound, target: Label): void {
    if (bound.kind === 'or') {
      this.#jumpIfTrue(bound.left, target);
      this.conditional(() => this.#jumpIfTrue(bound.right, target));
      return;
    }
    const skip = this.#code.label();
    if (bound.kind === 'and') {
      this.conditional(() => {
        this.condition(bound, skip);
        this.#code.emit('jmp', target);
      });
    } else if (bound.kind !== 'null') {
      const register = this.value(bound);
      if (bound.isNullable) this.#code.emit('jmp_null', register, skip);
      this.#code.emit('jmp_true', register, target);
    }
    this.#code.place(skip);
  }

  /** Code that does not always run: what it loads is not known after it, and errors of its constants wait until it does. */
  conditional(compile: () => void): void {
    const before = this.#known;
    this.#known = new Map(before);
    this.#conditionDepth++;
    compile();
    this.#conditionDepth--;
    this.#known = before;
  }

  /** Code whose target is written again later: a column loaded straight into it must not be taken for loaded. */
  #isolated(compile: () => void): void {
    const before = this.#known;
    this.#known = new Map(before);
    compile();
    this.#known = before;
  }

  /** Computes the value now; where it stands again for this row, its register is used. */
  #share(bound: Bound): void {
    this.#known.set(bound, this.value(bound));
  }

  /**
   * Frees the registers taken since the mark and forgets what is in them. Only where code runs once and in its order: a
   * long JSON literal does not need a register for each of its values.
   */
  #release(mark: number): void {
    for (const [key, register] of this.#known) if (register >= mark) this.#known.delete(key);
    for (const [key, register] of this.#invariants) if (register >= mark) this.#invariants.delete(key);
    this.#registers.release(mark);
  }

  /** A register that holds the value already, or undefined where it has to be computed. `target` is where a column would be wanted. */
  #leaf(bound: Bound, target?: number): number | undefined {
    switch (bound.kind) {
      case 'parameter':
        return this.parameter(bound.parameter, bound.isNullable);
      case 'integer':
        if (bound.value >= -(2n ** 31n) && bound.value < 2n ** 31n)
          return this.#invariant(`i${bound.value}`, (register) =>
            this.#prelude.emit('load_int', register, Number(bound.value)),
          );
        return this.#constant({ kind: 'int', value: String(bound.value) });
      case 'double':
        return this.#constant({ kind: 'double', value: doubleConstant(bound.value) });
      case 'text':
        return this.#constant({ kind: 'text', value: bound.value });
      case 'json':
        return this.#constant({ kind: 'json', value: bound.value });
      case 'now':
        return this.#invariant('now', (register) => this.#prelude.emit('now', register));
      case 'system':
        return this.parameter(this.#request.systemInput(bound.what), false);
      case 'null':
        return this.#invariant('null', (register) => this.#prelude.emit('set_null', register));
      case 'column':
      case 'excluded':
        return this.#column(bound.kind, bound.column, bound.isNullable, target);
      case 'groupKey':
      case 'aggregate': {
        const key = `${bound.kind}${bound.index}`;
        const known = this.#known.get(key);
        if (known !== undefined) return known;
        const register = target ?? this.#registers.take();
        this.#code.emit(bound.kind === 'groupKey' ? 'group_key' : 'agg_result', register, this.group, bound.index);
        this.#known.set(key, register);
        return register;
      }
      default:
        if (!bound.isConstant || this.#isInHead(bound)) return undefined;
        if (this.#conditionDepth > 0 && canFail(bound) && !this.#request.isComputed(bound))
          return this.#deferred(bound);
        return this.parameter(this.#request.parameterOf(bound), bound.isNullable);
    }
  }

  /** Whether a constant is computed in its place. What runs ahead never is, but in the head itself. */
  #isInHead(bound: Bound): boolean {
    if (this.#place !== 'head') return false;
    if (this.#code === this.#request.head || !hasAhead(bound)) return true;
    if (this.#conditionDepth > 0 && bound.kind === 'call' && bound.name === 'sleep')
      throw new SqlError('wrong_arguments', 'sleep: values that are not constant must not decide whether it runs');
    return false;
  }

  /** A constant that may fail, where it may not be wanted: the head has tried to compute it. Its error is raised here. */
  #deferred(bound: Bound): number {
    const parameter = this.#request.deferredOf(bound);
    const register = this.#invariant(`t${parameter}`, (target) =>
      this.#prelude.emit('param_deferred', target, parameter),
    );
    const checked = `checked${parameter}`;
    if (!this.#known.has(checked)) {
      this.#code.emit('check_param', register, parameter);
      this.#known.set(checked, register);
    }
    return register;
  }

  /** The register with a parameter, loaded in the prelude. */
  parameter(parameter: number, isNullable: boolean): number {
    return this.#invariant(`p${parameter}`, (register) =>
      this.#prelude.emit(isNullable ? 'param_null' : 'param', register, parameter),
    );
  }

  #constant(value: Parameters<RequestBuilder['constant']>[0]): number {
    const number = this.#request.constant(value);
    return this.#invariant(`c${number}`, (register) => this.#prelude.emit('const', register, number));
  }

  #invariant(key: string, load: (register: number) => void): number {
    // In the head there is no prelude: a load inside a branch is not known outside it.
    const inBranch = this.#place === 'head' && this.#conditionDepth > 0;
    const known = this.#invariants.get(key) ?? this.#known.get(key);
    if (known !== undefined) return known;
    const register = this.#registers.take();
    load(register);
    if (inBranch) this.#known.set(key, register);
    else this.#invariants.set(key, register);
    return register;
  }

  #column(kind: 'column' | 'excluded', column: number, isNullable: boolean, target: number | undefined): number {
    const key = `${kind}${column}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const rows = this.rows;
    assert(rows !== undefined, 'a column is read where there are rows');
    const register = target ?? this.#registers.take();
    if ('load' in rows) {
      const field = rows.fields[column];
      if (field === undefined) rows.load(register);
      else this.into(field, register, isNullable);
      this.#known.set(key, register);
      return register;
    }
    const { name, type } = rows.table.columns[column]!;
    if (kind === 'excluded') this.#code.emit('batch_col', register, rows.batch!, column, `excluded.${name}`);
    else emitColumn(this.#code, register, rows.cursor, column, type, isNullable, name);
    this.#known.set(key, register);
    return register;
  }

  #compute(bound: Bound, target: number): number {
    switch (bound.kind) {
      case 'operator':
        this.#operator(bound, target);
        break;
      case 'call':
        this.#call(bound, target);
        break;
      case 'and':
      case 'or':
        this.#logical(bound, target);
        break;
      case 'isNull': {
        if (!bound.operand.isNullable) this.#code.emit('load_int', target, bound.not ? 1 : 0);
        else if (bound.operand.kind === 'operator' && bound.operand.opcode === 'json_path')
          this.#pathIsNull(bound.operand, bound.not, target);
        else this.#code.emit(bound.not ? 'is_not_null' : 'is_null', target, this.value(bound.operand));
        break;
      }
      case 'case':
        this.#case(bound, target);
        break;
      case 'coalesce': {
        const end = this.#code.label();
        for (const [index, operand] of bound.operands.entries()) {
          // The operand before may have set the flag: sorters read it even of what is never NULL.
          const writesFlag = bound.isNullable || operand.isNullable || index > 0;
          const compile = (): void => this.into(operand, target, writesFlag);
          if (index === 0) this.#isolated(compile);
          else this.conditional(compile);
          if (!operand.isNullable) break;
          if (index < bound.operands.length - 1) this.#code.emit('jmp_not_null', target, end);
        }
        this.#code.place(end);
        break;
      }
      case 'once':
        this.#share(bound.operand);
        this.into(bound.body, target, bound.isNullable);
        break;
      case 'in':
        this.#in(bound, target);
        break;
      case 'jsonBuild': {
        const isObject = bound.opcode === 'json_object';
        const mark = this.#registers.mark();
        // Without elements there is no first register: any will do.
        const first = bound.operands.length === 0 ? target : this.consecutive(bound.operands);
        this.#code.emit(bound.opcode, target, first, isObject ? bound.operands.length / 2 : bound.operands.length);
        if (this.#place === 'head') this.#release(mark);
        break;
      }
      case 'toJson': {
        const register = this.value(bound.operand);
        const flag = bound.operand.isNullable ? 256 : 0;
        this.#code.emit('to_json', target, register, shownType(bound.operand) | flag);
        break;
      }
      default: {
        const leaf = this.#leaf(bound, target);
        assert(leaf !== undefined, 'a leaf has a register');
        return leaf;
      }
    }
    return target;
  }

  #operator(bound: Bound & { kind: 'operator' }, target: number): void {
    const { operands, opcode } = bound;
    if (bound.isPacked || operands.length > 2) {
      // Without operands there is no first register: any will do.
      const first =
        operands.length === 0
          ? target
          : this.consecutive(operands, bound.readsNull || operands.some((operand) => operand.isNullable));
      if (!bound.readsNull && operands.some((operand) => operand.isNullable))
        this.#code.emit('guard_n', target, first, operands.length);
      this.#code.emit(opcode, target, first, this.#immediate(bound), pathComment(bound));
      return;
    }
    const registers = operands.map((operand) => this.value(operand));
    const nullable = registers.filter((_, index) => operands[index]!.isNullable);
    if (nullable.length === 1) this.#code.emit('guard1', target, nullable[0]!);
    else if (nullable.length === 2) this.#code.emit('guard2', target, nullable[0]!, nullable[1]!);
    this.#code.emit(opcode, target, registers[0]!, registers[1] ?? this.#immediate(bound), pathComment(bound));
  }

  /** IS [NOT] NULL of a path: whether it leads to a value, which is not copied. */
  #pathIsNull(path: Bound & { kind: 'operator' }, not: boolean, target: number): void {
    const [json] = path.operands as [Bound];
    const register = this.value(json);
    const end = this.#code.label();
    if (json.isNullable) {
      this.#code.emit('load_int', target, not ? 0 : 1);
      this.#code.emit('jmp_null', register, end);
    }
    this.#code.emit('json_path_exists', target, register, this.#immediate(path), pathComment(path));
    if (!not) this.#code.emit('not', target, target);
    this.#code.place(end);
  }

  #immediate(bound: Bound & { kind: 'operator' }): number {
    const { failure, opcode, immediate, path } = bound;
    if (path !== undefined) return this.#request.jsonPath(path);
    if (failure === undefined) {
      if (opcode !== 'check_int') return immediate;
      return immediate | (this.#request.failure({ code: 'out_of_range', message: '% is out of range' }) << 8);
    }
    if (opcode === 'check_int')
      return immediate | (this.#request.failure({ code: 'out_of_range', message: failure }) << 8);
    if (opcode === 'to_float') return this.#request.failure({ code: 'out_of_range', message: failure });
    return this.#request.failure({ code: 'invalid_value', message: failure });
  }

  #call(bound: Bound & { kind: 'call' }, target: number): void {
    const { operands } = bound;
    const hasNullable = operands.some((operand) => operand.isNullable);
    const first = this.consecutive(operands, bound.acceptsNull || hasNullable);
    if (hasNullable && !bound.acceptsNull) this.#code.emit('guard_n', target, first, operands.length);
    this.#code.emit('call', target, bound.functionIndex, first, bound.name);
  }

  /** AND and OR as values: the right side runs only where the left does not decide. */
  #logical(bound: Bound & { kind: 'and' | 'or' }, target: number): void {
    const end = this.#code.label();
    const { left, right, kind } = bound;
    this.#isolated(() => this.into(left, target, bound.isNullable));
    const decided = kind === 'and' ? 'jmp_false' : 'jmp_true';
    const evaluate = this.#code.label();
    if (left.isNullable) this.#code.emit('jmp_null', target, evaluate);
    this.#code.emit(decided, target, end);
    this.#code.place(evaluate);
    this.conditional(() => {
      if (!bound.isNullable) {
        this.into(right, target, false);
        return;
      }
      const other = this.#registers.take();
      this.into(right, other, true);
      this.#code.emit(kind === 'and' ? 'and3' : 'or3', target, target, other);
    });
    this.#code.place(end);
  }

  #case(bound: Bound & { kind: 'case' }, target: number): void {
    const end = this.#code.label();
    // Of a condition of several parts the later ones may not have run where the next branch begins.
    const isWhole = ({ kind }: Bound): boolean => kind !== 'and' && kind !== 'or' && kind !== 'once';
    const first = bound.branches[0]!.when;
    const second = this.#code.label();
    // The first condition always runs: what it loads is known behind the CASE too.
    if (isWhole(first)) this.condition(first, second);
    this.conditional(() => {
      for (const [index, { when, result }] of bound.branches.entries()) {
        const next = index === 0 ? second : this.#code.label();
        if (isWhole(when) && index > 0) this.condition(when, next);
        this.conditional(() => {
          if (!isWhole(when)) this.condition(when, next);
          this.into(result, target, bound.isNullable);
        });
        this.#code.emit('jmp', end);
        this.#code.place(next);
      }
      this.into(bound.otherwise, target, bound.isNullable);
    });
    this.#code.place(end);
  }

  /**
   * A set of constants of a type, or of numbers that compare with it, made before any loop; its ordinal. NULLs are not in it.
   * Literals that are parameters in a row, or lie in the program, take one instruction; others one each.
   */
  literalSet(type: TypeId, items: readonly Bound[]): number {
    const set = this.#request.setCount++;
    const code = this.#prelude;
    code.emit('set_open', set, type);
    const ints: (number | string)[] = [];
    const doubles: number[] = [];
    const texts: string[] = [];
    const register = this.#registers.take();
    for (let index = 0; index < items.length; index++) {
      const item = items[index]!;
      if (item.kind === 'integer') {
        const number = Number(item.value);
        ints.push(Number.isSafeInteger(number) ? number : String(item.value));
      } else if (item.kind === 'double') doubles.push(item.value);
      else if (item.kind === 'text') texts.push(item.value);
      else if (item.kind === 'parameter' && !item.isNullable) {
        const start = index;
        while (isNextParameter(items[index], items[index + 1])) index++;
        code.emit('set_params', set, item.parameter, index - start + 1);
      } else if (item.kind !== 'null') this.#addToSet(set, item, register);
    }
    if (ints.length + doubles.length + texts.length > 0) {
      const list = this.#request.constantList({ kind: 'list', ints, doubles, texts });
      code.emit('set_list', set, list, register);
    }
    return set;
  }

  #addToSet(set: number, item: Bound, register: number): void {
    const code = this.#prelude;
    const end = code.label();
    if (this.#place === 'head') {
      const mark = this.#registers.mark();
      this.into(item, register, item.isNullable);
      this.#release(mark);
    } else code.emit(item.isNullable ? 'param_null' : 'param', register, this.#request.parameterOf(item));
    if (item.isNullable) code.emit('jmp_null', register, end);
    code.emit('set_add', set, register, item.type);
    code.place(end);
  }

  /** The items of a long IN list that a set can hold; none where it is short. */
  #setItems({ operand, items }: Bound & { kind: 'in' }): ReadonlySet<Bound> {
    const isLazy = this.#conditionDepth > 0 && this.#place !== 'head';
    const found = new Set(
      items.filter(
        (item) =>
          item.kind !== 'null' &&
          item.isConstant &&
          !item.isNullable &&
          sharesSet(operand.type, item.type) &&
          !(isLazy && canFail(item)),
      ),
    );
    return found.size >= SET_ITEMS_MIN ? found : NO_ITEMS;
  }

  #in(bound: Bound & { kind: 'in' }, target: number): void {
    const end = this.#code.label();
    const { operand } = bound;
    const inSet = this.#setItems(bound);
    const items = inSet.size === 0 ? bound.items : bound.items.filter((item) => !inSet.has(item));
    const set = inSet.size === 0 ? -1 : this.literalSet(operand.type, [...inSet]);
    const register = this.value(operand);
    if (operand.isNullable) {
      this.#code.emit('guard1', target, register);
      this.#code.emit('load_int', target, 0);
      this.#code.emit('jmp_null', target, end);
    } else if (bound.isNullable) this.#code.emit('clear_null', target);
    const sawNull = items.some((item) => item.isNullable) ? this.#registers.take() : -1;
    if (sawNull >= 0) this.#code.emit('load_int', sawNull, 0);
    const found = this.#code.label();
    // Not NULL only here, behind the check: nothing made of it may be computed ahead.
    const here: Bound = { ...operand, isNullable: false, isConstant: operand.isConstant && !operand.isNullable };
    if (set >= 0) {
      const isFound = this.#registers.take();
      this.#code.emit('set_has', isFound, set, register);
      this.#code.emit('jmp_true', isFound, found);
    }
    this.conditional(() => {
      this.#known.set(here, register);
      for (const item of items) {
        if (item.kind === 'null') {
          this.#code.emit('load_int', sawNull, 1);
          continue;
        }
        const next = this.#code.label();
        if (item.isNullable) {
          const isKnown = this.#code.label();
          this.#code.emit('jmp_not_null', this.value(item), isKnown);
          this.#code.emit('load_int', sawNull, 1);
          this.#code.emit('jmp', next);
          this.#code.place(isKnown);
        }
        const value: Bound = item.isNullable ? { ...item, isNullable: false, isConstant: false } : item;
        if (item.isNullable) this.#known.set(value, this.value(item));
        this.#code.emit('jmp_true', this.value(bindComparison('=', here, value, 0)), found);
        this.#code.place(next);
      }
    });
    this.#code.emit('load_int', target, 0);
    if (sawNull >= 0) {
      this.#code.emit('jmp_zero_or_less', sawNull, end);
      this.#code.emit('set_null', target);
    }
    this.#code.emit('jmp', end);
    this.#code.place(found);
    this.#code.emit('load_int', target, 1);
    this.#code.place(end);
  }
}

/** The path that an operator follows, for EXPLAIN. */
function pathComment({ path }: Bound & { kind: 'operator' }): string | undefined {
  return path
    ?.map((step) => (step.kind === 'key' ? `.${step.key}` : `[${step.kind === 'index' ? step.index : '…'}]`))
    .join('');
}

/** Loads a column of a cursor by its stored type. */
export function emitColumn(
  code: Assembler,
  register: number,
  cursor: number,
  column: number,
  type: TypeId,
  isNullable: boolean,
  comment: string,
): void {
  const opcode = columnOpcode(type);
  if (isNullable && HAS_NULL_FORM.has(opcode)) {
    code.emit(`${opcode}_null`, register, cursor, column, comment);
    return;
  }
  if (isNullable) code.emit('col_null', register, cursor, column, comment);
  code.emit(opcode, register, cursor, column, comment);
}

const HAS_NULL_FORM: ReadonlySet<string> = new Set(['col_int32', 'col_int64', 'col_double', 'col_ref', 'col_bool']);

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

/** A NULL of a type. */
export function nullOf(type: TypeId): Bound {
  return { ...BOUND_NULL, type };
}
