/** Integers, doubles and truth. */

import { always, mostly, type Operation, operation } from './operations.ts';
import { Failure, INT_MAX, INT_MIN, type Value } from './values.ts';

/** The integer, or the error of one that does not fit 64 bits. */
export function int64(value: bigint, ...codes: readonly string[]): bigint {
  if (value < INT_MIN || value > INT_MAX) throw new Failure(...(codes.length === 0 ? ['overflow'] : codes));
  return value;
}

export function finite(value: number, ...codes: readonly string[]): number {
  if (!Number.isFinite(value)) throw new Failure(...(codes.length === 0 ? ['overflow'] : codes));
  return value;
}

function nonZero<T extends bigint | number>(value: T): T {
  if (value === 0n || value === 0) throw new Failure('zero_division');
  return value;
}

function shifted(value: bigint, count: bigint, compute: () => bigint): bigint {
  if (count < 0n || count > 63n) throw new Failure('out_of_range', 'overflow', 'invalid_value');
  return value === 0n ? 0n : compute();
}

function narrowed(value: bigint, bits: bigint): bigint {
  const end = 1n << (bits - 1n);
  if (value < -end || value >= end) throw new Failure('out_of_range');
  return value;
}

/** To the nearest integer, halves away from zero. */
export function roundHalfAway(value: number): number {
  const below = Math.trunc(value);
  return Math.abs(value - below) >= 0.5 ? below + Math.sign(value) : below;
}

/** Drops the fraction. */
function toInt(value: number): bigint {
  return int64(BigInt(Math.trunc(value)), 'out_of_range', 'overflow');
}

/** The value as it prints, to so many decimal places, halves away from zero. */
function roundDigits(value: number, digits: bigint): number {
  const text = decimalOf(Math.abs(value));
  const dot = text.indexOf('.');
  const whole = dot < 0 ? text : text.slice(0, dot);
  const fraction = dot < 0 ? '' : text.slice(dot + 1);
  if (digits >= BigInt(fraction.length)) return value === 0 ? 0 : value;
  const kept = whole.length + Number(digits);
  if (kept < 0) return 0;
  const all = whole + fraction;
  const isUp = all.charCodeAt(kept) >= 53;
  const head = BigInt(all.slice(0, kept) || '0') + (isUp ? 1n : 0n);
  const rounded = Number(`${head}e${-digits}`);
  return value < 0 && rounded !== 0 ? -rounded : rounded;
}

/** Without an exponent. */
function decimalOf(value: number): string {
  const [mantissa, exponent = '0'] = String(value).split('e');
  const [whole, fraction = ''] = mantissa!.split('.');
  const shift = Number(exponent);
  if (shift >= 0) return `${whole}${fraction.padEnd(shift, '0').slice(0, shift)}.${fraction.slice(shift)}`;
  return `0.${'0'.repeat(-shift - whole!.length)}${whole}${fraction}`;
}

function powInt(base: bigint, exponent: bigint): bigint {
  if (exponent < 0n) throw new Failure('invalid_value', 'out_of_range');
  if (base === 0n || base === 1n) return exponent === 0n ? 1n : base;
  if (base === -1n) return exponent % 2n === 0n ? 1n : -1n;
  if (exponent > 63n) throw new Failure('overflow');
  return int64(base ** exponent);
}

function powDouble(base: number, exponent: number): number {
  if (base === 0 && exponent < 0) throw new Failure('zero_division', 'invalid_value');
  const power = base ** exponent;
  if (Number.isNaN(power)) throw new Failure('invalid_value');
  return finite(power);
}

function domain(isInside: boolean): void {
  if (!isInside) throw new Failure('invalid_value', 'out_of_range');
}

type Bigs = (left: bigint, right: bigint) => Value;
const int2 = (template: string, compute: Bigs): Operation => operation('int', template, ['int', 'int'], compute);
type Doubles = (left: number, right: number) => Value;
const double2 = (template: string, compute: Doubles): Operation =>
  operation('double', template, ['double', 'double'], compute);
const double1 = (name: string, compute: (value: number) => number, isInside?: (value: number) => boolean): Operation =>
  operation('double', `${name}(#)`, ['double'], (value: number) => {
    if (isInside !== undefined) domain(isInside(value));
    const result = finite(compute(value), 'overflow', 'out_of_range', 'invalid_value');
    // Roots keep the sign of zero, the others have one zero.
    return name === 'sqrt' || name === 'cbrt' ? result : result + 0;
  });

const SHIFTS = mostly('int', 0n, 1n, 7n, 31n, 32n, 53n, 62n, 63n, 64n, -1n);
const EXPONENTS = mostly('int', 0n, 1n, 2n, 3n, 10n, 62n, 63n, 64n, -1n);
const DIGITS = mostly('int', 0n, 1n, 2n, 5n, 15n, -1n, -3n);
const ANGLES = mostly('double', 0, 0.5, 1, -1, 2, 3.25, -0.75, 100, 1e-9);

export const NUMBER_OPERATIONS: readonly Operation[] = [
  int2('(# + #)', (a, b) => int64(a + b)),
  int2('(# + #)', (a, b) => int64(a + b)),
  int2('(# - #)', (a, b) => int64(a - b)),
  int2('(# * #)', (a, b) => int64(a * b)),
  int2('(# / #)', (a, b) => int64(a / nonZero(b))),
  int2('(# % #)', (a, b) => a % nonZero(b)),
  int2('(# & #)', (a, b) => a & b),
  int2('(# | #)', (a, b) => a | b),
  int2('(# ^ #)', (a, b) => a ^ b),
  operation('int', '(# << #)', ['int', SHIFTS], (a: bigint, n: bigint) =>
    shifted(a, n, () => BigInt.asIntN(64, a << n)),
  ),
  operation('int', '(# >> #)', ['int', SHIFTS], (a: bigint, n: bigint) => shifted(a, n, () => a >> n)),
  operation('int', '(- #)', ['int'], (a: bigint) => int64(-a)),
  operation('int', '(+ #)', ['int'], (a: bigint) => a),
  operation('int', '(~ #)', ['int'], (a: bigint) => ~a),
  operation('int', 'abs(#)', ['int'], (a: bigint) => int64(a < 0n ? -a : a)),
  operation('int', 'sign(#)', ['int'], (a: bigint) => (a < 0n ? -1n : a > 0n ? 1n : 0n)),
  operation('int', 'sign(#)', ['double'], (a: number) => BigInt(Math.sign(a))),
  operation('int', 'round(#)', ['int'], (a: bigint) => a),
  operation('int', 'round(#)', ['double'], (a: number) => int64(BigInt(roundHalfAway(a)), 'overflow', 'out_of_range')),
  int2('mod(#, #)', (a, b) => a % nonZero(b)),
  operation('int', 'pow(#, #)', ['int', EXPONENTS], powInt),
  operation('int', 'power(#, #)', ['int', EXPONENTS], powInt),
  operation('int', '(#)::bigint', ['double'], toInt),
  operation('int', 'int64(#)', ['double'], toInt),
  operation('int', '(#)::int', ['int'], (a: bigint) => narrowed(a, 32n)),
  operation('int', '(#)::smallint', ['int'], (a: bigint) => narrowed(a, 16n)),
  operation('int', '(#)::tinyint', ['int'], (a: bigint) => narrowed(a, 8n)),
  operation('int', 'cast(# as i16)', ['int'], (a: bigint) => narrowed(a, 16n)),
  operation('int', '(#)::bigint', ['bool'], (a: boolean) => (a ? 1n : 0n)),
  operation('bool', '(#)::bool', ['int'], (a: bigint) => a !== 0n),
  operation('bool', '(#)::bool', ['double'], (a: number) => a !== 0),

  operation('double', '(#)::double', ['int'], (a: bigint) => Number(a)),
  operation('double', '(#)::double', ['bool'], (a: boolean) => (a ? 1 : 0)),
  double2('(# + #)', (a, b) => finite(a + b)),
  double2('(# - #)', (a, b) => finite(a - b)),
  double2('(# * #)', (a, b) => finite(a * b)),
  double2('(# / #)', (a, b) => finite(a / nonZero(b))),
  operation('double', '(# + #)', ['int', 'double'], (a: bigint, b: number) => finite(Number(a) + b)),
  operation('double', '(# - #)', ['double', 'int'], (a: number, b: bigint) => finite(a - Number(b))),
  operation('double', '(# * #)', ['int', 'double'], (a: bigint, b: number) => finite(Number(a) * b)),
  operation('double', '(# / #)', ['double', 'int'], (a: number, b: bigint) => finite(a / Number(nonZero(b)))),
  operation('double', '(- #)', ['double'], (a: number) => -a),
  operation('double', '(+ #)', ['double'], (a: number) => a),
  operation('double', 'abs(#)', ['double'], (a: number) => Math.abs(a)),
  operation('double', 'fabs(#)', ['double'], (a: number) => Math.abs(a)),
  operation('double', 'floor(#)', ['double'], (a: number) => Math.floor(a) + 0),
  operation('double', 'round(#, #)', ['double', DIGITS], (a: number, n: bigint) => finite(roundDigits(a, n))),
  double2('pow(#, #)', powDouble),
  double2('fpow(#, #)', powDouble),
  double2('mod(#, #)', (a, b) => (a % nonZero(b)) + 0),
  double2('fmod(#, #)', (a, b) => (a % nonZero(b)) + 0),
  double1('sqrt', Math.sqrt, (a) => a >= 0),
  double1('cbrt', Math.cbrt),
  double1('exp', Math.exp),
  double1('ln', Math.log, (a) => a > 0),
  double1('log', Math.log10, (a) => a > 0),
  double1('log10', Math.log10, (a) => a > 0),
  double1('log2', Math.log2, (a) => a > 0),
  double1('asin', Math.asin, (a) => Math.abs(a) <= 1),
  double1('acos', Math.acos, (a) => Math.abs(a) <= 1),
  double1('atan', Math.atan),
  double1('sinh', Math.sinh),
  double1('cosh', Math.cosh),
  double1('tanh', Math.tanh),
  double1('asinh', Math.asinh),
  double1('acosh', Math.acosh, (a) => a >= 1),
  double1('atanh', Math.atanh, (a) => Math.abs(a) < 1),
  operation('double', 'sin(#)', [ANGLES], (a: number) => Math.sin(a) + 0),
  operation('double', 'cos(#)', [ANGLES], (a: number) => Math.cos(a) + 0),
  operation('double', 'tan(#)', [ANGLES], (a: number) => Math.tan(a) + 0),
  double2('atan2(#, #)', (a, b) => Math.atan2(a, b) + 0),
  operation('double', 'pi()', [], () => Math.PI),
  operation('double', '(#)::double', [always('int', 0n, 1n, INT_MAX, INT_MIN)], (a: bigint) => Number(a)),
];
