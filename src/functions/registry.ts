/**
 * The built-in functions by name, and the choice of an overload for the types of a call.
 *
 * A call in a program names a function by one number: the overload's place in FUNCTIONS, plus the number of arguments times
 * 65,536. To add a function, define it in the file of its family; nothing else knows it.
 */

import { BIGINT, DOUBLE, JSON_TYPE, NULL_TYPE, TEXT, type TypeId, VALUE_NAMES, VECTOR } from '../types/type.ts';
import { JSON_FUNCTIONS } from './json.ts';
import { JWT_FUNCTIONS } from './jwt.ts';
import { MISC_FUNCTIONS } from './misc.ts';
import { NUMBER_FUNCTIONS } from './numbers.ts';
import { REGEXP_FUNCTIONS } from './regexp.ts';
import { ANY, AS_JSON, AS_TEXT, type FunctionContext, type ParameterType, type ScalarFunction } from './signature.ts';
import { TEXT_FUNCTIONS } from './text.ts';
import { TEXT_CODE_FUNCTIONS } from './text-codes.ts';
import { FORMAT_FUNCTIONS } from './text-format.ts';
import { TEXT_PART_FUNCTIONS } from './text-parts.ts';
import { TIME_FUNCTIONS } from './time.ts';
import { TRIGONOMETRY } from './trigonometry.ts';
import { UUID_FUNCTIONS } from './uuids.ts';
import { VECTOR_FUNCTIONS } from './vectors.ts';

/** Every overload. The place in the list is its number within this process; programs are never stored. */
export const FUNCTIONS: readonly ScalarFunction[] = [
  ...TEXT_FUNCTIONS,
  ...TEXT_PART_FUNCTIONS,
  ...FORMAT_FUNCTIONS,
  ...TEXT_CODE_FUNCTIONS,
  ...REGEXP_FUNCTIONS,
  ...NUMBER_FUNCTIONS,
  ...TRIGONOMETRY,
  ...JSON_FUNCTIONS,
  ...TIME_FUNCTIONS,
  ...VECTOR_FUNCTIONS,
  ...UUID_FUNCTIONS,
  ...JWT_FUNCTIONS,
  ...MISC_FUNCTIONS,
];

const ARGUMENT_SHIFT = 65536;

export type ResolvedFunction = {
  /** For the `call` opcode: overload and number of arguments. */
  readonly functionIndex: number;
  readonly name: string;
  readonly resultType: TypeId;
  /** Wide type each argument must be converted to; its own where it stays as it is. Of NULLs: that of the parameter. */
  readonly argumentTypes: readonly TypeId[];
  /** By argument: NULL becomes JSON null. */
  readonly isNullJson: readonly boolean[];
  readonly isPure: boolean;
  readonly acceptsNull: boolean;
  readonly canGiveNull: boolean;
  readonly isAhead: boolean;
  /** The opcode that computes it without a call. */
  readonly opcode: string | undefined;
};

const BY_NAME: ReadonlyMap<string, readonly number[]> = Map.groupBy(
  FUNCTIONS.keys(),
  (index) => FUNCTIONS[index]!.name,
);

/** Functions whose rows have no place in an expression. */
const FROM_ONLY: ReadonlySet<string> = new Set(['generate_series']);

/** True if there is a function of that name. */
export function hasFunction(name: string): boolean {
  return BY_NAME.has(name);
}

/**
 * The overload of `name` for arguments of these wide types (NULL_TYPE for a NULL), or the text of the error: unknown
 * (`function 'f' does not exist`), not here (`f: expected in FROM only`), wrong number, wrong types. The first overload
 * wins that takes the types as they are, else the first that takes integers as doubles and JSON as vectors.
 */
export function resolveFunction(name: string, argumentTypes: readonly TypeId[]): ResolvedFunction | string {
  const overloads = BY_NAME.get(name);
  if (overloads === undefined) {
    return FROM_ONLY.has(name) ? `${name}: expected in FROM only` : `function '${name}' does not exist`;
  }
  let isCountRight = false;
  for (const isConverting of [false, true]) {
    for (const index of overloads) {
      const overload = FUNCTIONS[index]!;
      if (!takesCount(overload, argumentTypes.length)) continue;
      isCountRight = true;
      const types = convertedTypes(overload, argumentTypes, isConverting);
      if (types === undefined) continue;
      return {
        functionIndex: index + argumentTypes.length * ARGUMENT_SHIFT,
        name,
        resultType: overload.result,
        argumentTypes: types,
        isNullJson: types.map((_, argument) => parameterOf(overload, argument) === AS_JSON),
        isPure: overload.isPure,
        acceptsNull: overload.acceptsNull,
        canGiveNull: overload.canGiveNull,
        isAhead: overload.isAhead,
        opcode: overload.opcode,
      };
    }
  }
  if (!isCountRight) return `${name}: expected ${expectedCounts(overloads.map((index) => FUNCTIONS[index]!))}`;
  return `${name}: unsupported argument types (${argumentTypes.map((type) => VALUE_NAMES[type]).join(', ')})`;
}

/** Runs the function that a `call` opcode names. */
export function callFunction(context: FunctionContext, functionIndex: number, target: number, first: number): void {
  FUNCTIONS[functionIndex & 0xffff]!.run(context, target, first, functionIndex >>> 16);
}

/** Name of the function, for EXPLAIN. */
export function functionName(functionIndex: number): string {
  return FUNCTIONS[functionIndex & 0xffff]!.name;
}

/** True if the number names an overload with a number of arguments that it takes: what a program's verifier checks. */
export function isFunctionIndex(functionIndex: number): boolean {
  const overload = FUNCTIONS[functionIndex & 0xffff];
  return functionIndex >= 0 && overload !== undefined && takesCount(overload, functionIndex >>> 16);
}

function takesCount(overload: ScalarFunction, count: number): boolean {
  const expected = overload.parameters.length;
  return overload.isVariadic ? count >= expected : count === expected;
}

/** The parameter of an argument: the last one may be repeated. */
function parameterOf({ parameters }: ScalarFunction, argument: number): ParameterType {
  return parameters[Math.min(argument, parameters.length - 1)]!;
}

function convertedTypes(
  overload: ScalarFunction,
  given: readonly TypeId[],
  isConverting: boolean,
): TypeId[] | undefined {
  const types: TypeId[] = [];
  for (let i = 0; i < given.length; i++) {
    const type = convertedType(parameterOf(overload, i), given[i]!, isConverting);
    // `greatest([1], [2])` are no vectors: nothing says so.
    if (type === undefined || (type === VECTOR && given[i] === JSON_TYPE && overload.isVariadic)) return undefined;
    types.push(type);
  }
  return types;
}

function convertedType(parameter: ParameterType, given: TypeId, isConverting: boolean): TypeId | undefined {
  if (parameter === ANY) return given;
  if (parameter === AS_TEXT) return TEXT;
  if (parameter === AS_JSON) return JSON_TYPE;
  if (parameter === given || given === NULL_TYPE) return parameter;
  if (!isConverting) return undefined;
  if (parameter === VECTOR && given === JSON_TYPE) return VECTOR;
  return parameter === DOUBLE && given === BIGINT ? DOUBLE : undefined;
}

/** `2 or 3 arguments`, `at least 1 argument`, `no arguments`. */
function expectedCounts(overloads: readonly ScalarFunction[]): string {
  const counts = [...new Set(overloads.map((overload) => overload.parameters.length))].sort((a, b) => a - b);
  const last = counts.at(-1)!;
  const unit = last === 1 ? 'argument' : 'arguments';
  if (overloads.some((overload) => overload.isVariadic))
    return `at least ${counts[0]} argument${counts[0] === 1 ? '' : 's'}`;
  if (counts.length === 1) return last === 0 ? 'no arguments' : `${last} ${unit}`;
  return `${counts.slice(0, -1).join(', ')} or ${last} ${unit}`;
}
