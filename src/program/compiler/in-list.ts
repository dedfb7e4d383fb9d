/** Code for IN lists, and the sets of constants that long lists and lists of keys are probed by. */

import type { Bound } from '../../sql/binder/bound.ts';
import { bindComparison } from '../../sql/binder/operators.ts';
import { BIGINT, BOOL, DATE, DOUBLE, TIMESTAMP, type TypeId } from '../../types/type.ts';
import type { Label } from './assembler.ts';
import { canFail } from './bound-properties.ts';
import type { ExpressionCompiler } from './expression-compiler.ts';

/** From this number of constants on, an IN list is a set that is probed by hash. */
export const SET_ITEMS_MIN = 8;
const NO_ITEMS: ReadonlySet<Bound> = new Set();

export function compileIn(expressions: ExpressionCompiler, bound: Bound & { kind: 'in' }, target: number): void {
  const { code, held, registers } = expressions;
  const end = code.label();
  const { operand } = bound;
  const inSet = setItems(expressions, bound);
  const items = inSet.size === 0 ? bound.items : bound.items.filter((item) => !inSet.has(item));
  const set = inSet.size === 0 ? -1 : compileLiteralSet(expressions, operand.type, [...inSet]);
  const register = expressions.value(operand);
  if (operand.isNullable) {
    code.emit('guard1', target, register);
    code.emit('load_int', target, 0);
    code.emit('jmp_null', target, end);
  } else if (bound.isNullable) code.emit('clear_null', target);
  const sawNull = items.some((item) => item.isNullable) ? registers.take() : -1;
  if (sawNull >= 0) code.emit('load_int', sawNull, 0);
  const found = code.label();
  // Not NULL only here, behind the check: nothing made of it may be computed ahead.
  const here: Bound = { ...operand, isNullable: false, isConstant: operand.isConstant && !operand.isNullable };
  if (set >= 0) {
    const isFound = registers.take();
    code.emit('set_has', isFound, set, register);
    code.emit('jmp_true', isFound, found);
  }
  expressions.conditional(() => {
    held.set(here, register);
    for (const item of items) compareItem(expressions, here, item, sawNull, found);
  });
  code.emit('load_int', target, 0);
  if (sawNull >= 0) {
    code.emit('jmp_zero_or_less', sawNull, end);
    code.emit('set_null', target);
  }
  code.emit('jmp', end);
  code.place(found);
  code.emit('load_int', target, 1);
  code.place(end);
}

/** Jumps to `found` where the operand equals the item; where the item is NULL, register `sawNull` becomes 1. */
function compareItem(
  expressions: ExpressionCompiler,
  operand: Bound,
  item: Bound,
  sawNull: number,
  found: Label,
): void {
  const { code, held } = expressions;
  if (item.kind === 'null') {
    code.emit('load_int', sawNull, 1);
    return;
  }
  const next = code.label();
  if (item.isNullable) {
    const isKnown = code.label();
    code.emit('jmp_not_null', expressions.value(item), isKnown);
    code.emit('load_int', sawNull, 1);
    code.emit('jmp', next);
    code.place(isKnown);
  }
  const value: Bound = item.isNullable ? { ...item, isNullable: false, isConstant: false } : item;
  if (item.isNullable) held.set(value, expressions.value(item));
  code.emit('jmp_true', expressions.value(bindComparison('=', operand, value, 0)), found);
  code.place(next);
}

/** The items of a long IN list that a set can hold; none where it is short. */
function setItems(
  { isConditional, place }: ExpressionCompiler,
  { operand, items }: Bound & { kind: 'in' },
): ReadonlySet<Bound> {
  const isLazy = isConditional && place !== 'head';
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

/** Whether `=` of the two types is equality in a set for the first. */
function sharesSet(operand: TypeId, item: TypeId): boolean {
  const isNumber = (type: TypeId): boolean => type === DOUBLE || isInteger(type);
  return operand === item || (isNumber(operand) && isNumber(item));
}

/** Types whose registers are integers: of those that compare at all, equal numbers are equal values. */
function isInteger(type: TypeId): boolean {
  return type === BIGINT || type === BOOL || type === TIMESTAMP || type === DATE;
}

/**
 * A set of constants of a type, or of numbers that compare with it, made before any loop; its ordinal. NULLs are not in it.
 * Literals that are parameters in a row, or lie in the program, take one instruction; others one each.
 */
export function compileLiteralSet(expressions: ExpressionCompiler, type: TypeId, items: readonly Bound[]): number {
  const { request, prelude, registers } = expressions;
  const set = request.setCount++;
  prelude.emit('set_open', set, type);
  const ints: (number | string)[] = [];
  const doubles: number[] = [];
  const texts: string[] = [];
  const register = registers.take();
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
      prelude.emit('set_params', set, item.parameter, index - start + 1);
    } else if (item.kind !== 'null') addToSet(expressions, set, item, register);
  }
  if (ints.length + doubles.length + texts.length > 0) {
    const list = request.constantList({ kind: 'list', ints, doubles, texts });
    prelude.emit('set_list', set, list, register);
  }
  return set;
}

function isNextParameter(item: Bound | undefined, next: Bound | undefined): boolean {
  if (item?.kind !== 'parameter' || next?.kind !== 'parameter') return false;
  return next.parameter === item.parameter + 1 && !next.isNullable;
}

function addToSet(expressions: ExpressionCompiler, set: number, item: Bound, register: number): void {
  const { request, prelude, registers, place } = expressions;
  const end = prelude.label();
  if (place === 'head') {
    const mark = registers.mark();
    expressions.into(item, register, item.isNullable);
    expressions.release(mark);
  } else prelude.emit(item.isNullable ? 'param_null' : 'param', register, request.parameterOf(item));
  if (item.isNullable) prelude.emit('jmp_null', register, end);
  prelude.emit('set_add', set, register, item.type);
  prelude.place(end);
}
