/**
 * Code for bound expressions. Values that are the same for the whole request become parameters, computed in the head; their
 * loads stand in the prelude, before any loop. A column is loaded once a row, where it is first needed.
 *
 * Here are the ways in, operators and calls; constants and columns in leaves.ts, what branches in logic.ts and in-list.ts.
 */

import { assert } from '../../base/assert.ts';
import { type Bound, shownType } from '../../sql/binder/bound.ts';
import type { TypeId } from '../../types/type.ts';
import type { Assembler, Label } from './assembler.ts';
import { HeldValues } from './held-values.ts';
import { compileIn, compileLiteralSet } from './in-list.ts';
import { leafRegister, parameterKey, parameterRegister, type RowSources } from './leaves.ts';
import { compileCase, compileCoalesce, compileCondition, compileLogical } from './logic.ts';
import type { Registers, RequestBuilder } from './request-builder.ts';

export class ExpressionCompiler {
  readonly request: RequestBuilder;
  readonly code: Assembler;
  readonly prelude: Assembler;
  readonly registers: Registers;
  /** head: constants are computed in place; node, tail: they come as parameters. */
  readonly place: 'head' | 'node' | 'tail';
  readonly held: HeldValues = new HeldValues();
  #conditionDepth = 0;
  rows: RowSources | undefined;
  /** What is emitted runs once a row: parameters are loaded before the loop. */
  isInLoop = false;
  /** The rows are those of a scan: their columns are loaded by opcodes for that. */
  isScan = false;
  /** Group set that groupKey and aggregate nodes read. */
  group = 0;

  constructor(
    request: RequestBuilder,
    code: Assembler,
    prelude: Assembler,
    registers: Registers,
    place: 'head' | 'node' | 'tail',
  ) {
    this.request = request;
    this.code = code;
    this.prelude = prelude;
    this.registers = registers;
    this.place = place;
  }

  /** What is emitted may not run. */
  get isConditional(): boolean {
    return this.#conditionDepth > 0;
  }

  /** Forgets every register: a new statement starts. */
  forget(): void {
    this.held.forget();
  }

  /** Forgets what was loaded for the current row. */
  forgetRow(): void {
    this.held.forgetRow();
  }

  /** Computes the value into a register and gives it. Leaves are shared: the register must not be written to. */
  value(bound: Bound): number {
    const known = this.held.get(bound);
    if (known !== undefined) return known;
    return leafRegister(this, bound) ?? this.#compute(bound, this.registers.take());
  }

  /** Computes the value into `target`; its null flag is written where `isNullable`. */
  into(bound: Bound, target: number, isNullable: boolean): void {
    if (bound.kind === 'parameter' && !this.isInLoop && !this.held.isInvariant(parameterKey(bound.parameter))) {
      // Loaded where it is wanted: a list of keys does not need a second register for each.
      this.code.emit(bound.isNullable ? 'param_null' : 'param', target, bound.parameter);
      if (isNullable && !bound.isNullable) this.code.emit('clear_null', target);
      return;
    }
    const leaf = this.held.get(bound) ?? leafRegister(this, bound, target);
    if (leaf === undefined) this.#compute(bound, target);
    else if (leaf !== target) this.code.emit(bound.isNullable ? 'move_null' : 'move', target, leaf);
    if (isNullable && !bound.isNullable) this.code.emit('clear_null', target);
  }

  /**
   * Computes values into consecutive registers, all flags written where asked, and gives the first. `afterFirst` may emit
   * code between the first and the others.
   */
  consecutive(values: readonly Bound[], writeFlags = false, afterFirst?: (register: number) => void): number {
    const first = this.registers.take(values.length);
    // A node that stands twice is computed once: ORDER BY of an output, whose value random() may have made.
    const computed = new Map<Bound, number>();
    for (const [index, value] of values.entries()) {
      const earlier = computed.get(value);
      if (earlier === undefined) this.into(value, first + index, writeFlags || value.isNullable);
      else this.code.emit(writeFlags || value.isNullable ? 'move_null' : 'move', first + index, earlier);
      computed.set(value, first + index);
      if (index === 0) afterFirst?.(first);
    }
    return first;
  }

  /** Goes on only where the condition is true; else jumps. */
  condition(bound: Bound, otherwise: Label): void {
    compileCondition(this, bound, otherwise);
  }

  /** A condition behind another: what it loads is known behind it, but errors of its constants wait until it is asked. */
  laterCondition(bound: Bound, otherwise: Label): void {
    this.#conditionDepth++;
    this.condition(bound, otherwise);
    this.#conditionDepth--;
  }

  /** Code that does not always run: what it loads is not known after it, and errors of its constants wait until it does. */
  conditional(compile: () => void): void {
    this.#conditionDepth++;
    this.held.isolated(compile);
    this.#conditionDepth--;
  }

  /** Computes the value now; where it stands again for this row, its register is used. */
  share(bound: Bound): void {
    this.held.set(bound, this.value(bound));
  }

  /**
   * Frees the registers taken since the mark and forgets what is in them. Only where code runs once and in its order: a
   * long JSON literal does not need a register for each of its values.
   */
  release(mark: number): void {
    this.held.forgetFrom(mark);
    this.registers.release(mark);
  }

  /** The register with a parameter, loaded in the prelude. */
  parameter(parameter: number, isNullable: boolean): number {
    return parameterRegister(this, parameter, isNullable);
  }

  /** A set of constants of a type, or of numbers that compare with it, made before any loop; its ordinal. */
  literalSet(type: TypeId, items: readonly Bound[]): number {
    return compileLiteralSet(this, type, items);
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
        compileLogical(this, bound, target);
        break;
      case 'isNull':
        this.#isNull(bound, target);
        break;
      case 'case':
        compileCase(this, bound, target);
        break;
      case 'coalesce':
        compileCoalesce(this, bound, target);
        break;
      case 'once':
        this.share(bound.operand);
        this.into(bound.body, target, bound.isNullable);
        break;
      case 'in':
        compileIn(this, bound, target);
        break;
      case 'jsonBuild': {
        const isObject = bound.opcode === 'json_object';
        const mark = this.registers.mark();
        // Without elements there is no first register: any will do.
        const first = bound.operands.length === 0 ? target : this.consecutive(bound.operands);
        this.code.emit(bound.opcode, target, first, isObject ? bound.operands.length / 2 : bound.operands.length);
        if (this.place === 'head') this.release(mark);
        break;
      }
      case 'toJson': {
        const register = this.value(bound.operand);
        const flag = bound.operand.isNullable ? 256 : 0;
        this.code.emit('to_json', target, register, shownType(bound.operand) | flag);
        break;
      }
      default: {
        const leaf = leafRegister(this, bound, target);
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
        this.code.emit('guard_n', target, first, operands.length);
      this.code.emit(opcode, target, first, this.#immediate(bound), pathComment(bound));
      return;
    }
    const registers = operands.map((operand) => this.value(operand));
    const nullable = registers.filter((_, index) => operands[index]!.isNullable);
    if (nullable.length === 1) this.code.emit('guard1', target, nullable[0]!);
    else if (nullable.length === 2) this.code.emit('guard2', target, nullable[0]!, nullable[1]!);
    this.code.emit(opcode, target, registers[0]!, registers[1] ?? this.#immediate(bound), pathComment(bound));
  }

  #isNull(bound: Bound & { kind: 'isNull' }, target: number): void {
    const { operand, not } = bound;
    if (!operand.isNullable) this.code.emit('load_int', target, not ? 1 : 0);
    else if (operand.kind === 'operator' && operand.opcode === 'json_path') this.#pathIsNull(operand, not, target);
    else this.code.emit(not ? 'is_not_null' : 'is_null', target, this.value(operand));
  }

  /** IS [NOT] NULL of a path: whether it leads to a value, which is not copied. */
  #pathIsNull(path: Bound & { kind: 'operator' }, not: boolean, target: number): void {
    const [json] = path.operands as [Bound];
    const register = this.value(json);
    const end = this.code.label();
    if (json.isNullable) {
      this.code.emit('load_int', target, not ? 0 : 1);
      this.code.emit('jmp_null', register, end);
    }
    this.code.emit('json_path_exists', target, register, this.#immediate(path), pathComment(path));
    if (!not) this.code.emit('not', target, target);
    this.code.place(end);
  }

  #immediate(bound: Bound & { kind: 'operator' }): number {
    const { failure, opcode, immediate, path } = bound;
    if (path !== undefined) return this.request.jsonPath(path);
    if (failure === undefined) {
      if (opcode !== 'check_int') return immediate;
      return immediate | (this.request.failure({ code: 'out_of_range', message: '% is out of range' }) << 8);
    }
    if (opcode === 'check_int')
      return immediate | (this.request.failure({ code: 'out_of_range', message: failure }) << 8);
    if (opcode === 'to_float') return this.request.failure({ code: 'out_of_range', message: failure });
    return this.request.failure({ code: 'invalid_value', message: failure });
  }

  #call(bound: Bound & { kind: 'call' }, target: number): void {
    const { operands } = bound;
    const hasNullable = operands.some((operand) => operand.isNullable);
    const first = this.consecutive(operands, bound.acceptsNull || hasNullable);
    if (hasNullable && !bound.acceptsNull) this.code.emit('guard_n', target, first, operands.length);
    this.code.emit('call', target, bound.functionIndex, first, bound.name);
  }
}

/** The path that an operator follows, for EXPLAIN. */
function pathComment({ path }: Bound & { kind: 'operator' }): string | undefined {
  return path
    ?.map((step) => (step.kind === 'key' ? `.${step.key}` : `[${step.kind === 'index' ? step.index : '…'}]`))
    .join('');
}
