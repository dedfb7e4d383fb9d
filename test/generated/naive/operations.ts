/** The table of operations that generated expressions are made of. */

import type { Random } from '../random.ts';
import type { Form } from './tree.ts';
import { eager, strict } from './tree.ts';
import type { Kind, Uncertain, Value } from './values.ts';

/** An operand: any expression of the kind; with `pick`, mostly or (`isConstant`) always a constant chosen by it. */
export type Operand =
  | Kind
  | { readonly kind: Kind; readonly pick: (random: Random) => Value; readonly isConstant?: boolean };

export type Operation = {
  readonly result: Kind;
  readonly operands: readonly Operand[];
  readonly template: string;
  readonly form: Form;
};

/** An operation that is NULL where an operand is. `#` in the template stands for an operand. */
export function operation(
  result: Kind,
  template: string,
  operands: readonly Operand[],
  compute: (...values: never[]) => Value | Uncertain,
): Operation {
  return { result, operands, template, form: strict(template, compute) };
}

/** An operation that sees NULLs. */
export function eagerOperation(
  result: Kind,
  template: string,
  operands: readonly Operand[],
  compute: (...values: Value[]) => Value | Uncertain,
): Operation {
  return { result, operands, template, form: eager(template, compute) };
}

export function kindOf(operand: Operand): Kind {
  return typeof operand === 'string' ? operand : operand.kind;
}

/** An operand that is mostly one of these constants. */
export function mostly(kind: Kind, ...values: readonly Value[]): Operand {
  return { kind, pick: (random) => random.pick(values) };
}

/** An operand that is always one of these constants. */
export function always(kind: Kind, ...values: readonly Value[]): Operand {
  return { kind, pick: (random) => random.pick(values), isConstant: true };
}

/** What depends on the session. */
export const SESSION: { zone: string } = { zone: 'UTC' };
