/**
 * What a built-in function is: signatures for the binder, code for the VM.
 *
 * Functions work on registers: arguments in consecutive registers from `first`, converted to the parameter types by the
 * compiler, the result in register `target`. Where a function does not take NULLs the compiler never calls it with one.
 */

import type { Memory } from '../base/memory.ts';
import type { RandomGenerator } from '../base/random-generator.ts';
import type { RegisterFile } from '../base/registers.ts';
import type { Scratch } from '../base/scratch.ts';
import type { TimeZone } from '../types/time-zone.ts';
import type { TypeId } from '../types/type.ts';

/** What a function sees of the VM that calls it. */
export type FunctionContext = RegisterFile & {
  readonly memory: Memory;
  /** For results that lie outside registers. */
  readonly scratch: Scratch;
  /** The transaction's time, microseconds since 1970. */
  readonly now: number;
  readonly timeZone: TimeZone;
  readonly random: RandomGenerator;
};

/**
 * Computes register `target` from the `count` registers at `first`. Writes nul[target] where the function can give NULL.
 * `target` may be one of the arguments. Throws SqlError.
 */
export type FunctionCode = (context: FunctionContext, target: number, first: number, count: number) => void;

/** Wide type of a parameter; ANY takes every type as it is, AS_TEXT takes every type converted to text. */
export type ParameterType = TypeId | typeof ANY | typeof AS_TEXT;
export const ANY = -1;
export const AS_TEXT = -2;

export type ScalarFunction = {
  readonly name: string;
  readonly parameters: readonly ParameterType[];
  /** The last parameter may be repeated. */
  readonly isVariadic: boolean;
  readonly result: TypeId;
  /** The same arguments give the same result within a request. */
  readonly isPure: boolean;
  /** It is called with NULL arguments too, and reads nul[]. */
  readonly acceptsNull: boolean;
  /** The result can be NULL although no argument is; or it accepts NULLs and writes nul[]. */
  readonly canGiveNull: boolean;
  readonly run: FunctionCode;
};

type Options = Partial<Pick<ScalarFunction, 'isVariadic' | 'isPure' | 'acceptsNull' | 'canGiveNull'>>;

/** An overload: pure and strict unless the options say otherwise. */
export function define(
  name: string,
  parameters: readonly ParameterType[],
  result: TypeId,
  run: FunctionCode,
  options: Options = {},
): ScalarFunction {
  return {
    name,
    parameters,
    isVariadic: false,
    result,
    isPure: true,
    acceptsNull: false,
    canGiveNull: false,
    run,
    ...options,
  };
}
