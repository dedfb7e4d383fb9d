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
  /** For functions that run ahead only. */
  readonly services?: AheadServices | undefined;
};

/** What functions that run ahead of the transaction (isAhead) reach outside of it. Only a coordinator's head has it. */
export interface AheadServices {
  /** Register `target` = the next identity value of a table. Throws unknown_table, invalid_value, out_of_range. */
  nextIdentity(schema: string, table: string, target: number): void;
  /** The request waits so long before it takes its place in the order. */
  sleep(milliseconds: number): void;
}

/**
 * Computes register `target` from the `count` registers at `first`. Writes nul[target] where the function can give NULL.
 * `target` may be one of the arguments. Throws SqlError.
 */
export type FunctionCode = (context: FunctionContext, target: number, first: number, count: number) => void;

/**
 * Wide type of a parameter; ANY takes every type as it is, AS_TEXT takes every type converted to text, AS_JSON every type as
 * JSON, and NULL as JSON null: what is given to it is never NULL.
 */
export type ParameterType = TypeId | typeof ANY | typeof AS_TEXT | typeof AS_JSON;
export const ANY = -1;
export const AS_TEXT = -2;
export const AS_JSON = -3;

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
  /** Takes constants only, and runs once for each place where it stands, before the transaction has its place in the order. */
  readonly isAhead: boolean;
  readonly run: FunctionCode;
  /** The opcode that computes it without a call, operands being its arguments; undefined for most. */
  readonly opcode: string | undefined;
  readonly doc: FunctionDoc | undefined;
};

/** Chapters of the reference of functions, in their order there. */
export const FUNCTION_FAMILIES = [
  'Casts',
  'Text',
  'Regular expressions',
  'Numbers',
  'NULL',
  'JSON',
  'Time',
  'Vectors',
  'Identifiers and security',
  'Miscellaneous',
  'System',
] as const;
export type FunctionFamily = (typeof FUNCTION_FAMILIES)[number];

/**
 * What the manual, completion and the tests of examples say about a function. Overloads that share one object are one
 * entry of the manual: it lists their signatures together.
 */
export type FunctionDoc = {
  readonly family: FunctionFamily;
  /** A sentence or a few, in Markdown. The first sentence stands alone in completion. */
  readonly summary: string;
  /** Names of the parameters by position; an overload with fewer parameters takes the first ones. */
  readonly parameters: readonly string[];
  /** The NULL rule in words, where it is not "NULL if an argument is NULL". */
  readonly nulls?: string;
  /** When it fails, each a text for a list; empty: it never does. */
  readonly errors: readonly string[];
  readonly examples: readonly FunctionExample[];
};

/**
 * An expression, or a whole SELECT, and what it gives: the JSON of its rows without the outer brackets, in the format `json`
 * (`"ell"`; `[1, "a"], [2, "b"]`), or `error: ` and the message. Tests run it in an empty database with the time zone UTC.
 */
export type FunctionExample = readonly [sql: string, result: string];

type Options = Partial<
  Pick<ScalarFunction, 'isVariadic' | 'isPure' | 'acceptsNull' | 'canGiveNull' | 'isAhead' | 'opcode' | 'doc'>
>;

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
    isAhead: false,
    run,
    opcode: undefined,
    doc: undefined,
    ...options,
  };
}
