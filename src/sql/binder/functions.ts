/** The binder's way to the function registry: overload by operand types, errors with the position. */

import { type ErrorCode, SqlError } from '../../base/errors.ts';
import { type ResolvedFunction, resolveFunction } from '../../functions/registry.ts';
import type { Bound } from './bound.ts';

/** Errors: unknown_function, wrong_arguments, type_mismatch, all naming the function. */
export function lookupFunction(name: string, operands: readonly Bound[], position: number): ResolvedFunction {
  const found = resolveFunction(
    name,
    operands.map((operand) => operand.type),
  );
  if (typeof found === 'string') throw new SqlError(codeOf(found), found, position);
  return found;
}

function codeOf(message: string): ErrorCode {
  if (message.endsWith('does not exist')) return 'unknown_function';
  return message.includes('expected') ? 'wrong_arguments' : 'type_mismatch';
}
