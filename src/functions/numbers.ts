/** Functions of numbers. Integers are 64-bit and exact; NaN and infinities are errors that name the function. */

import { SqlError } from '../base/errors.ts';
import { compareIntRegisters, getBig, INT64_MAX, INT64_MIN, setBig } from '../types/int64.ts';
import { BIGINT, BOOL, DOUBLE, TEXT, TIMESTAMP } from '../types/type.ts';
import { compareBytes } from '../types/utf8.ts';
import { define, type FunctionCode, type FunctionContext, type ScalarFunction } from './signature.ts';
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
    context.num[target] = Number.isNaN(digits) ? (context.big[first + 1]! > 0n ? value : 0) : digits > 0 ? value : 0;
    return;
  }
  const [mantissa, exponent = '0'] = String(Math.abs(value)).split('e');
  const shifted = Number(`${mantissa}e${Number(exponent) + digits}`);
  if (shifted >= 4503599627370496) {
    context.num[target] = value;
    return;
  }
  const [text, scale = '0'] = String(Math.floor(shifted) + (shifted - Math.floor(shifted) >= 0.5 ? 1 : 0)).split('e');
  const rounded = Number(`${text}e${Number(scale) - digits}`);
  context.num[target] = finite(value < 0 && rounded !== 0 ? -rounded : rounded, 'round');
}

function floor(context: FunctionContext, target: number, first: number): void {
  context.num[target] = Math.floor(context.num[first]!);
}

function ceil(context: FunctionContext, target: number, first: number): void {
  context.num[target] = Math.ceil(context.num[first]!) + 0;
}

function sqrt(context: FunctionContext, target: number, first: number): void {
  const value = context.num[first]!;
  if (value < 0) throw new SqlError('invalid_value', 'sqrt: argument is negative');
  context.num[target] = Math.sqrt(value);
}

function powInt(context: FunctionContext, target: number, first: number): void {
  const base = getBig(context, first);
  const exponent = getBig(context, first + 1);
  if (exponent < 0n) throw new SqlError('invalid_value', 'pow: exponent is negative');
  if (base === 0n || base === 1n || base === -1n) {
    context.num[target] = exponent === 0n ? 1 : base === -1n ? (exponent % 2n === 0n ? 1 : -1) : Number(base);
    return;
  }
  if (exponent > 63n) throw new SqlError('overflow', 'pow: int overflow');
  setInt(context, target, base ** exponent, 'pow');
}

function powDouble(context: FunctionContext, target: number, first: number): void {
  const base = context.num[first]!;
  const exponent = context.num[first + 1]!;
  if (base === 0 && exponent < 0) throw new SqlError('zero_division', 'pow: zero to a negative power');
  const power = base ** exponent;
  if (Number.isNaN(power)) throw new SqlError('invalid_value', 'pow: negative number to a fractional power');
  context.num[target] = finite(power, 'pow');
}

function finite(value: number, name: string): number {
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
  context.num[target] = context.num[first]! % divisor;
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

const VARIADIC = { isVariadic: true, acceptsNull: true, canGiveNull: true };

/** Integers come before doubles, so that a call of integers only stays exact. */
const EXTREMES: readonly ScalarFunction[] = (
  [
    [BIGINT, compareIntRegisters],
    [DOUBLE, compareDoubles],
    [TEXT, compareTexts],
    [TIMESTAMP, compareIntRegisters],
    [BOOL, compareDoubles],
  ] as const
).flatMap(([type, compare]) => [
  define('greatest', [type], type, extreme(compare, 1), VARIADIC),
  define('least', [type], type, extreme(compare, -1), VARIADIC),
]);

export const NUMBER_FUNCTIONS: readonly ScalarFunction[] = [
  define('abs', [BIGINT], BIGINT, absInt),
  define('abs', [DOUBLE], DOUBLE, absDouble),
  define('round', [BIGINT], BIGINT, move),
  define('round', [DOUBLE], BIGINT, roundDouble),
  define('round', [DOUBLE, BIGINT], DOUBLE, roundDigits),
  define('floor', [BIGINT], BIGINT, move),
  define('floor', [DOUBLE], DOUBLE, floor),
  define('ceil', [BIGINT], BIGINT, move),
  define('ceil', [DOUBLE], DOUBLE, ceil),
  define('sqrt', [DOUBLE], DOUBLE, sqrt),
  define('pow', [BIGINT, BIGINT], BIGINT, powInt),
  define('pow', [DOUBLE, DOUBLE], DOUBLE, powDouble),
  define('mod', [BIGINT, BIGINT], BIGINT, modInt),
  define('mod', [DOUBLE, DOUBLE], DOUBLE, modDouble),
  define('sign', [BIGINT], BIGINT, signInt),
  define('sign', [DOUBLE], BIGINT, signDouble),
  ...EXTREMES,
];
