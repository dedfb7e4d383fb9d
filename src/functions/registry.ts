/**
 * The built-in functions by name, and the choice of an overload for the types of a call.
 *
 * A call in a program names a function by one number: the overload's place in FUNCTIONS, plus the number of arguments times
 * 65,536. To add a function, define it in the file of its family; nothing else knows it.
 */

import { BIGINT, DOUBLE, NULL_TYPE, TEXT, type TypeId, VALUE_NAMES } from '../types/type.ts';
import { MISC_FUNCTIONS } from './misc.ts';
import { NUMBER_FUNCTIONS } from './numbers.ts';
import { ANY, AS_TEXT, type FunctionContext, type ParameterType, type ScalarFunction } from './signature.ts';
import { TEXT_FUNCTIONS } from './text.ts';
import { TIME_FUNCTIONS } from './time.ts';

/** Every overload. The place in the list is its number within this process; programs are never stored. */
export const FUNCTIONS: readonly ScalarFunction[] = [
  ...TEXT_FUNCTIONS,
  ...NUMBER_FUNCTIONS,
  ...TIME_FUNCTIONS,
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
  readonly isPure: boolean;
  readonly acceptsNull: boolean;
  readonly canGiveNull: boolean;
};

const BY_NAME: ReadonlyMap<string, readonly number[]> = Map.groupBy(
  FUNCTIONS.keys(),
  (index) => FUNCTIONS[index]!.name,
);

/** Names of the reference that are not built yet: they are refused as such, not as unknown. */
const LATER: ReadonlySet<string> = new Set(
  `like left right lpad rpad reverse repeat split_part starts_with ends_with format encode decode md5 sha1 sha256
  regexp_like regexp_substr regexp_match regexp_replace fabs trunc exp ln log log10 log2 cbrt fpow power fmod pi sin cos tan
  asin acos atan atan2 sinh cosh tanh asinh acosh atanh degrees radians append push_back push pop pop_back put remove set
  unset has keys values json_each merge jsonpath json_import at_timezone date_bin interval_trunc generate_series age to_char
  make_date make_timestamp cos_distance l2_distance inner_product normalize dims random_uuid uuid_v7 jwt identity_of
  sleep`.split(/\s+/),
);

/** True if there is a function of that name. */
export function hasFunction(name: string): boolean {
  return BY_NAME.has(name);
}

/**
 * The overload of `name` for arguments of these wide types (NULL_TYPE for a NULL), or the text of the error: unknown
 * (`function 'f' does not exist`), not there yet (`not supported yet: …`), wrong number, wrong types. The first overload
 * wins that takes the types as they are, else the first that takes integers as doubles.
 */
export function resolveFunction(name: string, argumentTypes: readonly TypeId[]): ResolvedFunction | string {
  const overloads = BY_NAME.get(name);
  if (overloads === undefined) {
    return LATER.has(name) ? `not supported yet: function ${name}` : `function '${name}' does not exist`;
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
        isPure: overload.isPure,
        acceptsNull: overload.acceptsNull,
        canGiveNull: overload.canGiveNull,
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

function convertedTypes(
  overload: ScalarFunction,
  given: readonly TypeId[],
  isConverting: boolean,
): TypeId[] | undefined {
  const types: TypeId[] = [];
  for (let i = 0; i < given.length; i++) {
    const type = convertedType(
      overload.parameters[Math.min(i, overload.parameters.length - 1)]!,
      given[i]!,
      isConverting,
    );
    if (type === undefined) return undefined;
    types.push(type);
  }
  return types;
}

function convertedType(parameter: ParameterType, given: TypeId, isConverting: boolean): TypeId | undefined {
  if (parameter === ANY) return given;
  if (parameter === AS_TEXT) return TEXT;
  if (parameter === given || given === NULL_TYPE) return parameter;
  return isConverting && parameter === DOUBLE && given === BIGINT ? DOUBLE : undefined;
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
