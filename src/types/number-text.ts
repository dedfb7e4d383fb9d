/**
 * Numbers from and to text, straight over bytes.
 *
 * Reading a decimal fraction: a mantissa below 2^53 and a power of ten up to 22 are both exact doubles, so one
 * multiplication or division rounds once and correctly (Clinger 1990); everything else goes through Number(), which rounds
 * correctly too. Writing a double is the shortest text that reads back, as ECMAScript defines it.
 */

import type { ByteWriter } from '../base/byte-writer.ts';
import { SqlError } from '../base/errors.ts';
import { EXACT_MAX, INT64_MAX, INT64_MIN } from './int64.ts';
import { showText } from './utf8.ts';

/** What `scanNumber` found. */
export const NUMBER_INT = 1;
export const NUMBER_DOUBLE = 2;
/** An integer beyond 64 bits, or a double beyond the range of doubles. */
export const NUMBER_TOO_LARGE = 3;

/** [0]: the value of the last scanNumber, NaN for an integer beyond ±2^53. */
export const NUMBER: Float64Array = new Float64Array(1);
/** [0]: that integer beyond ±2^53. */
export const NUMBER_BIG: BigInt64Array = new BigInt64Array(1);
/** Kind of the last scanNumber. */
export let numberKind = 0;

const POWERS: Float64Array = Float64Array.from({ length: 23 }, (_, exponent) => 10 ** exponent);

/**
 * Reads the JSON number at bytes[at], which ends before `end` or at the first byte that does not belong to it. Gives the
 * offset behind it, or -1 when it is malformed; the value is in NUMBER, its kind in numberKind.
 */
export function scanNumber(bytes: Uint8Array, at: number, end: number): number {
  const start = at;
  const isNegative = bytes[at] === 45;
  if (isNegative) at++;
  const firstDigit = at;
  let mantissa = 0;
  let digit = at < end ? bytes[at]! - 48 : -1;
  if (digit < 0 || digit > 9) return -1;
  while (digit >= 0 && digit <= 9) {
    mantissa = mantissa * 10 + digit;
    at++;
    digit = at < end ? bytes[at]! - 48 : -1;
  }
  const digitCount = at - firstDigit;
  if (digitCount > 1 && bytes[firstDigit] === 48) return -1;
  // '.' is -2, 'E' 21 and 'e' 53 after the subtraction.
  if (digit !== -2 && digit !== 21 && digit !== 53) {
    if (digitCount <= 15) {
      NUMBER[0] = isNegative && mantissa !== 0 ? -mantissa : mantissa;
      numberKind = NUMBER_INT;
    } else {
      longInteger(bytes, start, at);
    }
    return at;
  }
  return scanFraction(bytes, start, at, end, mantissa, digitCount);
}

function longInteger(bytes: Uint8Array, start: number, end: number): void {
  // More than 19 digits and a sign are beyond 64 bits; BigInt() of a long text would be quadratic.
  if (end - start > 20) {
    numberKind = NUMBER_TOO_LARGE;
    return;
  }
  const value = BigInt(asciiText(bytes, start, end));
  if (value > INT64_MAX || value < INT64_MIN) {
    numberKind = NUMBER_TOO_LARGE;
    return;
  }
  numberKind = NUMBER_INT;
  if (value >= BigInt(-EXACT_MAX) && value <= BigInt(EXACT_MAX)) {
    NUMBER[0] = Number(value);
  } else {
    NUMBER[0] = Number.NaN;
    NUMBER_BIG[0] = value;
  }
}

function scanFraction(
  bytes: Uint8Array,
  start: number,
  at: number,
  end: number,
  mantissa: number,
  digitCount: number,
): number {
  let exponent = 0;
  if (bytes[at] === 46) {
    const first = ++at;
    let digit = at < end ? bytes[at]! - 48 : -1;
    while (digit >= 0 && digit <= 9) {
      mantissa = mantissa * 10 + digit;
      at++;
      digit = at < end ? bytes[at]! - 48 : -1;
    }
    if (at === first) return -1;
    digitCount += at - first;
    exponent = first - at;
  }
  if (at < end && (bytes[at]! | 32) === 101) {
    at++;
    const sign = bytes[at];
    if (at < end && (sign === 43 || sign === 45)) at++;
    const first = at;
    let written = 0;
    while (at < end && bytes[at]! >= 48 && bytes[at]! <= 57) {
      if (written < 100000) written = written * 10 + bytes[at]! - 48;
      at++;
    }
    if (at === first) return -1;
    exponent += sign === 45 ? -written : written;
  }
  numberKind = NUMBER_DOUBLE;
  if (digitCount <= 15 && exponent >= -22 && exponent <= 22) {
    const value = exponent < 0 ? mantissa / POWERS[-exponent]! : mantissa * POWERS[exponent]!;
    NUMBER[0] = bytes[start] === 45 ? -value : value;
    return at;
  }
  const value = Number(asciiText(bytes, start, at));
  NUMBER[0] = value;
  if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) numberKind = NUMBER_TOO_LARGE;
  return at;
}

/** The text of a range that holds ASCII only. */
export function asciiText(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}

/**
 * The integer of bytes[start, end), the whole of it but white space around, with an optional sign: the number, or NaN with
 * the value in NUMBER_BIG. Throws invalid_value or out_of_range naming the text.
 */
export function parseInteger(bytes: Uint8Array, start: number, end: number): number {
  let at = skipSpace(bytes, start, end);
  const last = trimSpace(bytes, at, end);
  if (at < last && bytes[at] === 43) at = bytes[at + 1] === 45 ? last : at + 1;
  // Leading zeros are fine here, unlike in JSON.
  let first = at;
  if (first < last && bytes[first] === 45) first++;
  let digits = first;
  while (digits < last && bytes[digits]! >= 48 && bytes[digits]! <= 57) digits++;
  if (first === last || digits !== last) {
    throw new SqlError('invalid_value', `invalid int ${showText(bytes, start, end)}`);
  }
  while (first < last - 1 && bytes[first] === 48) first++;
  const isNegative = bytes[at] === 45;
  if (scanNumber(bytes, first, last) < 0 || numberKind !== NUMBER_INT) {
    // 2^63 has no positive form, -2^63 exists.
    if (isNegative && last - first === 19 && asciiText(bytes, first, last) === '9223372036854775808') {
      NUMBER_BIG[0] = INT64_MIN;
      return Number.NaN;
    }
    throw new SqlError('out_of_range', `int ${showText(bytes, start, end)} is out of range`);
  }
  const value = NUMBER[0]!;
  if (!isNegative) return value;
  if (!Number.isNaN(value)) return value === 0 ? 0 : -value;
  NUMBER_BIG[0] = -NUMBER_BIG[0]!;
  return value;
}

/** The double of bytes[start, end), white space around dropped. Throws invalid_value or out_of_range naming the text. */
export function parseDouble(bytes: Uint8Array, start: number, end: number): number {
  const first = skipSpace(bytes, start, end);
  const last = trimSpace(bytes, first, end);
  if (scanNumber(bytes, first, last) === last && numberKind !== NUMBER_TOO_LARGE && !Number.isNaN(NUMBER[0]!)) {
    const value = NUMBER[0]!;
    return value === 0 && bytes[first] === 45 ? -0 : value;
  }
  // What is no JSON number: `.5`, `5.`, `+5`, `007`, and integers beyond ±2^53.
  const text = last - first > 400 ? '' : asciiText(bytes, first, last);
  if (!/^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$/.test(text)) {
    throw new SqlError('invalid_value', `invalid double ${showText(bytes, start, end)}`);
  }
  const value = Number(text);
  if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) {
    throw new SqlError('out_of_range', `double ${showText(bytes, start, end)} is out of range`);
  }
  return value;
}

function skipSpace(bytes: Uint8Array, start: number, end: number): number {
  while (start < end && (bytes[start] === 32 || (bytes[start]! >= 9 && bytes[start]! <= 13))) start++;
  return start;
}

function trimSpace(bytes: Uint8Array, start: number, end: number): number {
  while (end > start && (bytes[end - 1] === 32 || (bytes[end - 1]! >= 9 && bytes[end - 1]! <= 13))) end--;
  return end;
}

/** Appends an integer: a number within ±2^53, or NaN and the integer in `big`. */
export function writeInt(writer: ByteWriter, num: number, big: bigint): void {
  if (Number.isNaN(num)) {
    writer.ascii(big.toString());
    return;
  }
  writer.ensure(20);
  const bytes = writer.bytes;
  let at = writer.length;
  if (num < 0) {
    bytes[at++] = 45;
    num = -num;
  }
  if (num < 1000000000) {
    writer.length = putDigits(bytes, at, num | 0, digitCount(num));
  } else {
    const high = Math.floor(num / 1000000000);
    at = putDigits(bytes, at, high, digitCount(high));
    writer.length = putDigits(bytes, at, num - high * 1000000000, 9);
  }
}

function digitCount(value: number): number {
  if (value < 10) return 1;
  if (value < 100) return 2;
  if (value < 1000) return 3;
  if (value < 10000) return 4;
  if (value < 100000) return 5;
  if (value < 1000000) return 6;
  if (value < 10000000) return 7;
  return value < 100000000 ? 8 : 9;
}

/** The last `count` digits of a value below 10^9, leading zeros included. */
function putDigits(bytes: Uint8Array, at: number, value: number, count: number): number {
  let place = at + count;
  while (place > at) {
    const quotient = (value / 10) | 0;
    bytes[--place] = 48 + value - quotient * 10;
    value = quotient;
  }
  return at + count;
}

/**
 * Appends the shortest text that reads back as the same double; a whole one without a fraction. From 2^53 on with an
 * exponent: all its digits would read as an integer, and maybe as another number.
 */
export function writeDouble(writer: ByteWriter, value: number): void {
  if (value === Math.floor(value) && value < EXACT_MAX && value > -EXACT_MAX) {
    if (value === 0 && 1 / value < 0) writer.ascii('-0');
    else writeInt(writer, value, 0n);
    return;
  }
  // At most 15 digits, four of them decimal places: a decimal that reads back as the value is then the shortest one.
  const scaled = Math.round(value * 10000);
  if (scaled / 10000 === value && scaled < 1e15 && scaled > -1e15) writeScaled(writer, scaled);
  else writer.ascii(Math.abs(value) < EXACT_MAX ? String(value) : value.toExponential());
}

/** Appends scaled / 10000, which is no integer. Measured: 35 ns, where String(value) takes 80 to 150. */
function writeScaled(writer: ByteWriter, scaled: number): void {
  writer.ensure(24);
  if (scaled < 0) {
    writer.bytes[writer.length++] = 45;
    scaled = -scaled;
  }
  const whole = Math.floor(scaled / 10000);
  let fraction = scaled - whole * 10000;
  writeInt(writer, whole, 0n);
  let count = 4;
  while (fraction % 10 === 0) {
    fraction /= 10;
    count--;
  }
  writer.bytes[writer.length] = 46;
  writer.length = putDigits(writer.bytes, writer.length + 1, fraction, count);
}

/** The shortest text that reads back as the same 32-bit float. */
export function writeFloat(writer: ByteWriter, value: number): void {
  writeDouble(writer, shortestOfFloat(value));
}

const FLOAT: Float32Array = new Float32Array(1);
const FLOAT_BITS: Int32Array = new Int32Array(FLOAT.buffer);

/**
 * The double whose shortest text is that of the 32-bit float `value`: 0.1 of Math.fround(0.1). Of the decimals with the
 * fewest digits that read back as the float it is the nearest one, and of two the even one, as ECMAScript has it for doubles.
 */
export function shortestOfFloat(value: number): number {
  const size = Math.abs(value);
  // Six digits survive the way through a normal float, so up to six nothing shorter is missed.
  if ((value | 0) === value && size < 1000000) return value;
  FLOAT[0] = value;
  if (size >= 1e-5 && size < 1e8 && (FLOAT_BITS[0]! & 0x7fffff) !== 0) {
    const shortest = shortestByScaling(size);
    if (shortest > 0) return value < 0 ? -shortest : shortest;
  }
  return shortestByText(value);
}

/** Six to nine digits of a float of middle size that is no power of two, by arithmetic; 0 where that cannot decide. */
function shortestByScaling(size: number): number {
  let exponent = Math.floor(Math.log10(size));
  if (10 ** (exponent + 1) <= size) exponent++;
  for (let places = 5 - exponent; places < 9 - exponent; places++) {
    const scaled = places >= 0 ? size * POWERS[places]! : size / POWERS[-places]!;
    const digits = Math.round(scaled);
    // Half-way, or too near to it for arithmetic with 53 bits.
    if (Math.abs(Math.abs(scaled - digits) - 0.5) < 1e-5) return 0;
    const shortest = places >= 0 ? digits / POWERS[places]! : digits * POWERS[-places]!;
    if (Math.fround(shortest) === size) return shortest;
  }
  return 0;
}

function shortestByText(value: number): number {
  const isNormal = (FLOAT_BITS[0]! & 0x7f800000) !== 0;
  for (let count = isNormal ? 6 : 1; count < 9; count++) {
    const text = value.toExponential(count - 1);
    const mark = text.indexOf('e');
    const exponent = Number(text.slice(mark + 1)) - (count - 1);
    let digits = Number(text.slice(0, mark).replace('.', ''));
    if (digits % 2 !== 0 && isHalfWay(value, count)) digits -= Math.sign(digits);
    const rounded = Number(`${digits}e${exponent}`);
    if (Math.fround(rounded) === value) return rounded;
    // Below a power of two floats are twice as dense: the decimal above may read back where the nearer one below does not.
    const above = Number(`${digits + Math.sign(digits)}e${exponent}`);
    if ((FLOAT_BITS[0]! & 0x7fffff) === 0 && Math.fround(above) === value) return above;
  }
  return Number(value.toPrecision(9));
}

/** True where the value lies between two decimals of `count` digits, equally far from both. */
function isHalfWay(value: number, count: number): boolean {
  const text = value.toExponential(count);
  return text.includes('5e') && Number(text) === value;
}
