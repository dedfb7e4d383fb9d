/**
 * Code that branches: conditions, AND and OR as values, CASE, COALESCE. What a branch loads is not known behind it, and
 * errors of its constants wait until it runs.
 */

import type { Bound } from '../../sql/binder/bound.ts';
import type { Label } from './assembler.ts';
import type { ExpressionCompiler } from './expression-compiler.ts';

const NUMBER_COMPARISON = /^(eq|ne|lt|le|gt|ge)_(?:int|double)$/;

/** Goes on only where the condition is true; else jumps. */
export function compileCondition(expressions: ExpressionCompiler, bound: Bound, otherwise: Label): void {
  const { code } = expressions;
  if (bound.kind === 'and') {
    expressions.condition(bound.left, otherwise);
    expressions.laterCondition(bound.right, otherwise);
  } else if (bound.kind === 'or') {
    const isTrue = code.label();
    jumpIfTrue(expressions, bound.left, isTrue);
    expressions.conditional(() => expressions.condition(bound.right, otherwise));
    code.place(isTrue);
  } else if (bound.kind === 'null') {
    code.emit('jmp', otherwise);
  } else if (bound.kind === 'once' && !bound.isConstant) {
    expressions.share(bound.operand);
    expressions.condition(bound.body, otherwise);
  } else if (!compareAndJump(expressions, bound, otherwise)) {
    code.emit(bound.isNullable ? 'jmp_not_true' : 'jmp_false', expressions.value(bound), otherwise);
  }
}

/** A comparison of numbers that is only a condition: one instruction, and one more for each operand that may be NULL. */
function compareAndJump(expressions: ExpressionCompiler, bound: Bound, otherwise: Label): boolean {
  const { code, held } = expressions;
  if (bound.kind !== 'operator' || bound.isConstant || held.get(bound) !== undefined) return false;
  const match = NUMBER_COMPARISON.exec(bound.opcode);
  if (match === null) return false;
  const registers = bound.operands.map((operand) => expressions.value(operand));
  for (const [index, operand] of bound.operands.entries()) {
    if (operand.isNullable) code.emit('jmp_null', registers[index]!, otherwise);
  }
  code.emit(`jmp_unless_${match[1]}`, registers[0]!, registers[1]!, otherwise);
  return true;
}

function jumpIfTrue(expressions: ExpressionCompiler, bound: Bound, target: Label): void {
  const { code } = expressions;
  if (bound.kind === 'or') {
    jumpIfTrue(expressions, bound.left, target);
    expressions.conditional(() => jumpIfTrue(expressions, bound.right, target));
    return;
  }
  const skip = code.label();
  if (bound.kind === 'and') {
    expressions.conditional(() => {
      expressions.condition(bound, skip);
      code.emit('jmp', target);
    });
  } else if (bound.kind !== 'null') {
    const register = expressions.value(bound);
    if (bound.isNullable) code.emit('jmp_null', register, skip);
    code.emit('jmp_true', register, target);
  }
  code.place(skip);
}

/** AND and OR as values: the right side runs only where the left does not decide. */
export function compileLogical(
  expressions: ExpressionCompiler,
  bound: Bound & { kind: 'and' | 'or' },
  target: number,
): void {
  const { code, held, registers } = expressions;
  const end = code.label();
  const { left, right, kind } = bound;
  // The target is written again: a column loaded straight into it must not be taken for loaded.
  held.isolated(() => expressions.into(left, target, bound.isNullable));
  const decided = kind === 'and' ? 'jmp_false' : 'jmp_true';
  const evaluate = code.label();
  if (left.isNullable) code.emit('jmp_null', target, evaluate);
  code.emit(decided, target, end);
  code.place(evaluate);
  expressions.conditional(() => {
    if (!bound.isNullable) {
      expressions.into(right, target, false);
      return;
    }
    const other = registers.take();
    expressions.into(right, other, true);
    code.emit(kind === 'and' ? 'and3' : 'or3', target, target, other);
  });
  code.place(end);
}

export function compileCase(expressions: ExpressionCompiler, bound: Bound & { kind: 'case' }, target: number): void {
  const { code } = expressions;
  const end = code.label();
  // Of a condition of several parts the later ones may not have run where the next branch begins.
  const isWhole = ({ kind }: Bound): boolean => kind !== 'and' && kind !== 'or' && kind !== 'once';
  const first = bound.branches[0]!.when;
  const second = code.label();
  // The first condition always runs: what it loads is known behind the CASE too.
  if (isWhole(first)) expressions.condition(first, second);
  expressions.conditional(() => {
    for (const [index, { when, result }] of bound.branches.entries()) {
      const next = index === 0 ? second : code.label();
      if (isWhole(when) && index > 0) expressions.condition(when, next);
      expressions.conditional(() => {
        if (!isWhole(when)) expressions.condition(when, next);
        expressions.into(result, target, bound.isNullable);
      });
      code.emit('jmp', end);
      code.place(next);
    }
    expressions.into(bound.otherwise, target, bound.isNullable);
  });
  code.place(end);
}

export function compileCoalesce(
  expressions: ExpressionCompiler,
  bound: Bound & { kind: 'coalesce' },
  target: number,
): void {
  const { code, held } = expressions;
  const end = code.label();
  for (const [index, operand] of bound.operands.entries()) {
    // The operand before may have set the flag: sorters read it even of what is never NULL.
    const writesFlag = bound.isNullable || operand.isNullable || index > 0;
    const compile = (): void => expressions.into(operand, target, writesFlag);
    // The target is written again: a column loaded straight into it must not be taken for loaded.
    if (index === 0) held.isolated(compile);
    else expressions.conditional(compile);
    if (!operand.isNullable) break;
    if (index < bound.operands.length - 1) code.emit('jmp_not_null', target, end);
  }
  code.place(end);
}
