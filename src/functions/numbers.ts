/** Functions of numbers. Integers are 64-bit and exact; NaN and infinities are errors that name the function. */

import { SqlError } from '../base/errors.ts';
import { compareIntRegisters, getBig, INT64_MAX, INT64_MIN, setBig } from '../types/int64.ts';
import { compareIntervals } from '../types/interval.ts';
import { BIGINT, BOOL, DATE, DOUBLE, INTERVAL, TEXT, TIMESTAMP, type TypeId, UUID, VECTOR } from '../types/type.ts';
import { compareBytes } from '../types/utf8.ts';
import { compareUuids } from '../types/uuid.ts';
import { compareVectors } from '../types/vector.ts';
import {
  define,
  type FunctionCode,
  type FunctionContext,
  type FunctionDoc,
  type FunctionExample,
  type ScalarFunction,
} from './signature.ts';
import { valueBytes, valueLength, valueStart } from './values.ts';

function move(context: FunctionContext, target: number, first: number): void {
  context.num[target] = context.num[first]!;
  context.big[target] = context.big[first]!;
}

function setInt(context: FunctionContext, target: number, value: bigint, name: string): void {
  if (value < INT64_MIN || value > INT64_MAX) throw new SqlError('overflow', `${name}: int overflow`);
  setBig(context, target, value);
}

function absInt(context: FunctionContext, target: number, first: number): void {
  const value = context.num[first]!;
  if (!Number.isNaN(value)) {
    context.num[target] = value < 0 ? -value : value;
    return;
  }
  const big = context.big[first]!;
  setInt(context, target, big < 0n ? -big : big, 'abs');
}

function absDouble(context: FunctionContext, target: number, first: number): void {
  context.num[target] = Math.abs(context.num[first]!);
}

/** To the nearest integer, halves away from zero. */
function roundDouble(context: FunctionContext, target: number, first: number): void {
  const value = context.num[first]!;
  // Adding 0.5 would round 0.49999999999999994 up, and odd integers above 2^52.
  let rounded = Math.trunc(value);
  if (Math.abs(value - rounded) >= 0.5) rounded += value < 0 ? -1 : 1;
  if (Math.abs(rounded) <= 9007199254740991) context.num[target] = rounded === 0 ? 0 : rounded;
  else setInt(context, target, BigInt(rounded), 'round');
}

/** To `digits` decimal places of the value as it prints, halves away from zero: round(1.005, 2) is 1.01. */
function roundDigits(context: FunctionContext, target: number, first: number): void {
  const value = context.num[first]!;
  const digits = context.num[first + 1]!;
  // NaN stands for an integer beyond 2^53; doubles have no more than 324 places either side.
  if (Number.isNaN(digits) || Math.abs(digits) > 400) {
    const isCut = Number.isNaN(digits) ? context.big[first + 1]! < 0n : digits < 0;
    context.num[target] = isCut ? 0 : value + 0;
    return;
  }
  const [mantissa, exponent = '0'] = String(Math.abs(value)).split('e');
  const point = mantissa!.indexOf('.');
  const decimals = point < 0 ? mantissa! : mantissa!.slice(0, point) + mantissa!.slice(point + 1);
  const kept = (point < 0 ? mantissa!.length : point) + Number(exponent) + digits;
  if (kept >= decimals.length || kept < 0) {
    context.num[target] = kept < 0 ? 0 : value + 0;
    return;
  }
  // The digits that stay, up to 17 of them: no double holds them all.
  const head = BigInt(decimals.slice(0, kept)) + (decimals.charCodeAt(kept) >= 53 ? 1n : 0n);
  const rounded = Number(`${head}e${-digits}`);
  context.num[target] = finite(value < 0 && rounded !== 0 ? -rounded : rounded, 'round');
}

function floor(context: FunctionContext, target: number, first: number): void {
  context.num[target] = Math.floor(context.num[first]!) + 0;
}

function ceil(context: FunctionContext, target: number, first: number): void {
  context.num[target] = Math.ceil(context.num[first]!) + 0;
}

function truncate(context: FunctionContext, target: number, first: number): void {
  context.num[target] = Math.trunc(context.num[first]!) + 0;
}

function exp(context: FunctionContext, target: number, first: number): void {
  context.num[target] = finite(Math.exp(context.num[first]!), 'exp');
}

/** Logarithms of what is above zero. */
function logarithm(name: string, compute: (value: number) => number): FunctionCode {
  return (context, target, first) => {
    const value = context.num[first]!;
    if (value <= 0) throw new SqlError('invalid_value', `${name}: argument is ${value === 0 ? 'zero' : 'negative'}`);
    context.num[target] = compute(value);
  };
}

function cbrt(context: FunctionContext, target: number, first: number): void {
  context.num[target] = Math.cbrt(context.num[first]!);
}

function pi(context: FunctionContext, target: number): void {
  context.num[target] = Math.PI;
}

function sqrt(context: FunctionContext, target: number, first: number): void {
  const value = context.num[first]!;
  if (value < 0) throw new SqlError('invalid_value', 'sqrt: argument is negative');
  context.num[target] = Math.sqrt(value);
}

/** Overloads of a power under its name, for the errors: by repeated squaring, exact, for integers. */
function powInt(name: string): FunctionCode {
  return (context, target, first) => {
    const base = getBig(context, first);
    const exponent = getBig(context, first + 1);
    if (exponent < 0n) throw new SqlError('invalid_value', `${name}: exponent is negative`);
    if (base === 0n || base === 1n || base === -1n) {
      context.num[target] = exponent === 0n ? 1 : base === -1n ? (exponent % 2n === 0n ? 1 : -1) : Number(base);
      return;
    }
    if (exponent > 63n) throw new SqlError('overflow', `${name}: int overflow`);
    setInt(context, target, base ** exponent, name);
  };
}

function powDouble(name: string): FunctionCode {
  return (context, target, first) => {
    const base = context.num[first]!;
    const exponent = context.num[first + 1]!;
    if (base === 0 && exponent < 0) throw new SqlError('zero_division', `${name}: zero to a negative power`);
    const power = base ** exponent;
    if (Number.isNaN(power)) throw new SqlError('invalid_value', `${name}: negative number to a fractional power`);
    context.num[target] = finite(power, name);
  };
}

/** The value, if it is a number. */
export function finite(value: number, name: string): number {
  if (!Number.isFinite(value)) throw new SqlError('overflow', `${name}: double overflow`);
  return value;
}

function modInt(context: FunctionContext, target: number, first: number): void {
  const dividend = context.num[first]!;
  const divisor = context.num[first + 1]!;
  if (divisor === 0) throw new SqlError('zero_division', 'zero division');
  if (!Number.isNaN(dividend) && !Number.isNaN(divisor)) context.num[target] = (dividend % divisor) + 0;
  else setBig(context, target, getBig(context, first) % getBig(context, first + 1));
}

function modDouble(context: FunctionContext, target: number, first: number): void {
  const divisor = context.num[first + 1]!;
  if (divisor === 0) throw new SqlError('zero_division', 'zero division');
  context.num[target] = (context.num[first]! % divisor) + 0;
}

function signInt(context: FunctionContext, target: number, first: number): void {
  const value = context.num[first]!;
  const isNegative = Number.isNaN(value) ? context.big[first]! < 0n : value < 0;
  context.num[target] = value === 0 ? 0 : isNegative ? -1 : 1;
}

function signDouble(context: FunctionContext, target: number, first: number): void {
  const value = context.num[first]!;
  context.num[target] = value === 0 ? 0 : value < 0 ? -1 : 1;
}

type Compare = (context: FunctionContext, a: number, b: number) => number;

function compareDoubles(context: FunctionContext, a: number, b: number): number {
  return context.num[a]! - context.num[b]!;
}

function compareTexts(context: FunctionContext, a: number, b: number): number {
  const x = context.num[a]!;
  const y = context.num[b]!;
  return compareBytes(
    valueBytes(context, x),
    valueStart(x),
    valueLength(context, x),
    valueBytes(context, y),
    valueStart(y),
    valueLength(context, y),
  );
}

function compareIntervalRefs(context: FunctionContext, a: number, b: number): number {
  const { i32 } = context.memory;
  const x = context.num[a]!;
  const y = context.num[b]!;
  return compareIntervals(i32[x >>> 26]!, (x & 0x3ffffff) << 2, i32[y >>> 26]!, (y & 0x3ffffff) << 2);
}

/** The least (direction -1) or greatest (1) of the arguments that are not NULL; NULL if all are. */
function extreme(compare: Compare, direction: number): FunctionCode {
  return (context, target, first, count) => {
    let best = -1;
    for (let i = first; i < first + count; i++) {
      if (context.nul[i] === 0 && (best < 0 || compare(context, i, best) * direction > 0)) best = i;
    }
    if (best < 0) {
      context.nul[target] = 1;
      return;
    }
    move(context, target, best);
    context.nul[target] = 0;
  };
}

const GREATEST_DOC: FunctionDoc = {
  family: 'Numbers',
  summary: 'The greatest of the values, which are of one type; ints among doubles are doubles.',
  parameters: ['value'],
  nulls: 'NULLs are passed over; NULL if all are',
  errors: [],
  examples: [
    ['greatest(3, null, 7)', '7'],
    ["greatest(interval '1 month', interval '29 days')", '"1 month"'],
    ["greatest('abc', 'abd')", '"abd"'],
  ],
};
const LEAST_DOC: FunctionDoc = {
  ...GREATEST_DOC,
  summary: 'The least of the values, which are of one type; ints among doubles are doubles.',
  examples: [['least(3, null, 7.5)', '3']],
};
const VARIADIC = { isVariadic: true, acceptsNull: true, canGiveNull: true };

/** Integers come before doubles, so that a call of integers only stays exact. */
const EXTREMES: readonly ScalarFunction[] = (
  [
    [BIGINT, compareIntRegisters],
    [DOUBLE, compareDoubles],
    [TEXT, compareTexts],
    [TIMESTAMP, compareIntRegisters],
    [BOOL, compareDoubles],
    [DATE, compareDoubles],
    [INTERVAL, compareIntervalRefs],
    [UUID, (context, a, b) => compareUuids(context.memory, context.num[a]!, context.num[b]!)],
    [VECTOR, (context, a, b) => compareVectors(context.memory, context.num[a]!, context.num[b]!)],
  ] satisfies readonly (readonly [TypeId, Compare])[]
).flatMap(([type, compare]) => [
  define('greatest', [type], type, extreme(compare, 1), { ...VARIADIC, doc: GREATEST_DOC }),
  define('least', [type], type, extreme(compare, -1), { ...VARIADIC, doc: LEAST_DOC }),
]);

function numberDoc(
  summary: string,
  examples: readonly FunctionExample[],
  errors: readonly string[] = [],
  parameters: readonly string[] = ['x'],
): FunctionDoc {
  return { family: 'Numbers', summary, parameters, errors, examples };
}

const OVERFLOW = 'an int result beyond 64 bits';
const DOUBLE_OVERFLOW = 'a double result beyond the range of doubles';
const ABS_DOC = numberDoc(
  'The value without its sign; int of an int.',
  [
    ['abs(-5)', '5'],
    ['abs(-9223372036854775807 - 1)', 'error: abs: int overflow'],
  ],
  [OVERFLOW],
);
const FABS_DOC = numberDoc('The value without its sign, as a double.', [['fabs(-2.5)', '2.5']]);
const ROUND_DOC = numberDoc(
  'The nearest int, or with `digits` the nearest double with so many decimal places (before the point where it is negative); halves go away from zero.',
  [
    ['round(-2.5)', '-3'],
    ['round(2.345, 2)', '2.35'],
    ['round(1250, -2)', '1300'],
  ],
  [OVERFLOW],
  ['x', 'digits'],
);
const FLOOR_DOC = numberDoc('The greatest whole number that is not above x; int of an int, else double.', [
  ['floor(-1.5)', '-2'],
]);
const CEIL_DOC = numberDoc('The least whole number that is not below x; int of an int, else double.', [
  ['ceil(1.2)', '2'],
]);
const TRUNC_DOC = numberDoc('The whole number towards zero; int of an int, else double.', [['trunc(-1.7)', '-1']]);
const SIGN_DOC = numberDoc('-1, 0 or 1 as an int.', [['sign(-0.5)', '-1']]);
const SQRT_DOC = numberDoc('The square root.', [['sqrt(2)', '1.4142135623730951']], ['a negative argument']);
const CBRT_DOC = numberDoc('The cube root.', [['cbrt(-27)', '-3']]);
const EXP_DOC = numberDoc('e to the power of x.', [['exp(0)', '1']], [DOUBLE_OVERFLOW]);
const LOGARITHM_ERRORS = ['an argument that is zero or negative'];
const LN_DOC = numberDoc('The natural logarithm.', [['ln(1)', '0']], LOGARITHM_ERRORS);
const LOG_DOC = numberDoc('The logarithm to base 10.', [['log(1000)', '3']], LOGARITHM_ERRORS);
const LOG10_DOC = numberDoc('The logarithm to base 10.', [['log10(0.01)', '-2']], LOGARITHM_ERRORS);
const LOG2_DOC = numberDoc('The logarithm to base 2.', [['log2(8)', '3']], LOGARITHM_ERRORS);
const POW_ERRORS = [
  'a negative exponent of ints',
  'a negative base with an exponent that is not whole',
  'zero to a negative power',
  OVERFLOW,
  DOUBLE_OVERFLOW,
];
const POW_DOC = numberDoc(
  'x to the power of y; exact, as an int, where both are ints.',
  [
    ['pow(3, 39)', '4052555153018976267'],
    ['pow(2, 0.5)', '1.4142135623730951'],
    ['pow(2, -1)', 'error: pow: exponent is negative'],
  ],
  POW_ERRORS,
  ['x', 'y'],
);
const POWER_DOC: FunctionDoc = {
  ...POW_DOC,
  summary: 'The same as pow.',
  examples: [['power(2, 62)', '4611686018427387904']],
};
const FPOW_DOC = numberDoc(
  'x to the power of y, as a double.',
  [['fpow(2, -1)', '0.5']],
  POW_ERRORS.filter((error) => !error.includes('int')),
  ['x', 'y'],
);
const MOD_DOC = numberDoc(
  'The rest of the division, with the sign of x; exact, as an int, where both are ints.',
  [
    ['mod(-7, 3)', '-1'],
    ['mod(7.5, 2)', '1.5'],
  ],
  ['y is zero'],
  ['x', 'y'],
);
const FMOD_DOC = numberDoc(
  'The rest of the division as a double, with the sign of x.',
  [['fmod(7, 4)', '3']],
  ['y is zero'],
  ['x', 'y'],
);
const PI_DOC = numberDoc('The number pi.', [['pi()', '3.141592653589793']], [], []);

export const NUMBER_FUNCTIONS: readonly ScalarFunction[] = [
  define('abs', [BIGINT], BIGINT, absInt, { doc: ABS_DOC }),
  define('abs', [DOUBLE], DOUBLE, absDouble, { doc: ABS_DOC }),
  define('fabs', [DOUBLE], DOUBLE, absDouble, { doc: FABS_DOC }),
  define('round', [BIGINT], BIGINT, move, { doc: ROUND_DOC }),
  define('round', [DOUBLE], BIGINT, roundDouble, { doc: ROUND_DOC }),
  define('round', [DOUBLE, BIGINT], DOUBLE, roundDigits, { doc: ROUND_DOC }),
  define('sign', [BIGINT], BIGINT, signInt, { doc: SIGN_DOC }),
  define('sign', [DOUBLE], BIGINT, signDouble, { doc: SIGN_DOC }),
  define('ceil', [BIGINT], BIGINT, move, { doc: CEIL_DOC }),
  define('ceil', [DOUBLE], DOUBLE, ceil, { doc: CEIL_DOC }),
  define('floor', [BIGINT], BIGINT, move, { doc: FLOOR_DOC }),
  define('floor', [DOUBLE], DOUBLE, floor, { doc: FLOOR_DOC }),
  define('trunc', [BIGINT], BIGINT, move, { doc: TRUNC_DOC }),
  define('trunc', [DOUBLE], DOUBLE, truncate, { doc: TRUNC_DOC }),
  define('exp', [DOUBLE], DOUBLE, exp, { doc: EXP_DOC }),
  define('ln', [DOUBLE], DOUBLE, logarithm('ln', Math.log), { doc: LN_DOC }),
  define('log', [DOUBLE], DOUBLE, logarithm('log', Math.log10), { doc: LOG_DOC }),
  define('log10', [DOUBLE], DOUBLE, logarithm('log10', Math.log10), { doc: LOG10_DOC }),
  define('log2', [DOUBLE], DOUBLE, logarithm('log2', Math.log2), { doc: LOG2_DOC }),
  define('sqrt', [DOUBLE], DOUBLE, sqrt, { doc: SQRT_DOC }),
  define('cbrt', [DOUBLE], DOUBLE, cbrt, { doc: CBRT_DOC }),
  define('pow', [BIGINT, BIGINT], BIGINT, powInt('pow'), { doc: POW_DOC }),
  define('pow', [DOUBLE, DOUBLE], DOUBLE, powDouble('pow'), { doc: POW_DOC }),
  define('power', [BIGINT, BIGINT], BIGINT, powInt('power'), { doc: POWER_DOC }),
  define('power', [DOUBLE, DOUBLE], DOUBLE, powDouble('power'), { doc: POWER_DOC }),
  define('fpow', [DOUBLE, DOUBLE], DOUBLE, powDouble('fpow'), { doc: FPOW_DOC }),
  define('mod', [BIGINT, BIGINT], BIGINT, modInt, { doc: MOD_DOC }),
  define('mod', [DOUBLE, DOUBLE], DOUBLE, modDouble, { doc: MOD_DOC }),
  define('fmod', [DOUBLE, DOUBLE], DOUBLE, modDouble, { doc: FMOD_DOC }),
  define('pi', [], DOUBLE, pi, { doc: PI_DOC }),
  ...EXTREMES,
];
