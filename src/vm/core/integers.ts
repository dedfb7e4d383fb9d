/**
 * The slow paths of 64-bit integers, and how an integer lives in a register: num[r] is the value while it is within ±2^53
 * (both ends included), else num[r] is NaN and big[r] is the value.
 *
 * The fast paths are in numbers.ts: a sum of two doubles that is strictly inside ±2^53 is exact, because the rounding of a
 * true sum at or beyond 2^53 never comes back below it. Everything else, the ends too, is computed here with BigInt.
 */

import { SqlError } from '../../base/errors.ts';

const SAFE = 2n ** 53n;
const MIN = -(2n ** 63n);
const MAX = 2n ** 63n - 1n;

/** The exact value of an integer register. */
export function readInteger(num: Float64Array, big: BigInt64Array, register: number): bigint {
  const value = num[register];
  return Number.isNaN(value) ? big[register] : BigInt(value);
}

/** Stores a 64-bit value in its one form. `value` must fit 64 bits. */
export function writeInteger(num: Float64Array, big: BigInt64Array, register: number, value: bigint): void {
  if (value >= -SAFE && value <= SAFE) num[register] = Number(value);
  else {
    num[register] = Number.NaN;
    big[register] = value;
  }
}

function overflow(operation: string): SqlError {
  return new SqlError('overflow', `${operation} overflow`);
}

function store(num: Float64Array, big: BigInt64Array, register: number, value: bigint, operation: string): void {
  if (value < MIN || value > MAX) throw overflow(operation);
  writeInteger(num, big, register, value);
}

export function addIntegers(num: Float64Array, big: BigInt64Array, d: number, l: number, r: number): void {
  store(num, big, d, readInteger(num, big, l) + readInteger(num, big, r), 'int + int');
}

export function subtractIntegers(num: Float64Array, big: BigInt64Array, d: number, l: number, r: number): void {
  store(num, big, d, readInteger(num, big, l) - readInteger(num, big, r), 'int - int');
}

export function multiplyIntegers(num: Float64Array, big: BigInt64Array, d: number, l: number, r: number): void {
  store(num, big, d, readInteger(num, big, l) * readInteger(num, big, r), 'int * int');
}

export function divideIntegers(num: Float64Array, big: BigInt64Array, d: number, l: number, r: number): void {
  const divisor = readInteger(num, big, r);
  if (divisor === 0n) throw zeroDivision();
  store(num, big, d, readInteger(num, big, l) / divisor, 'int / int');
}

export function remainderOfIntegers(num: Float64Array, big: BigInt64Array, d: number, l: number, r: number): void {
  const divisor = readInteger(num, big, r);
  if (divisor === 0n) throw zeroDivision();
  writeInteger(num, big, d, readInteger(num, big, l) % divisor);
}

export function negateInteger(num: Float64Array, big: BigInt64Array, d: number, r: number): void {
  store(num, big, d, -readInteger(num, big, r), '- int');
}

/** Bitwise operators: 0 and, 1 or, 2 xor. */
export function combineBits(
  num: Float64Array,
  big: BigInt64Array,
  d: number,
  l: number,
  r: number,
  operator: number,
): void {
  const left = readInteger(num, big, l);
  const right = readInteger(num, big, r);
  writeInteger(num, big, d, operator === 0 ? left & right : operator === 1 ? left | right : left ^ right);
}

export function invertBits(num: Float64Array, big: BigInt64Array, d: number, r: number): void {
  writeInteger(num, big, d, ~readInteger(num, big, r));
}

/** Bits shifted out are lost; a shift by a negative number or by more than 63 is an error. */
export function shiftLeft(num: Float64Array, big: BigInt64Array, d: number, l: number, r: number): void {
  const bits = shiftWidth(num[r], 'int << int');
  writeInteger(num, big, d, BigInt.asIntN(64, readInteger(num, big, l) << bits));
}

export function shiftRight(num: Float64Array, big: BigInt64Array, d: number, l: number, r: number): void {
  const bits = shiftWidth(num[r], 'int >> int');
  writeInteger(num, big, d, readInteger(num, big, l) >> bits);
}

function shiftWidth(bits: number, operation: string): bigint {
  if (!(bits >= 0 && bits <= 63)) throw overflow(operation);
  return BigInt(bits);
}

/** Order of two integers of which at least one is beyond ±2^53: negative, 0 or positive. */
export function compareBigIntegers(left: number, leftBig: bigint, right: number, rightBig: bigint): number {
  if (!Number.isNaN(left)) return rightBig > 0n ? -1 : 1;
  if (!Number.isNaN(right)) return leftBig > 0n ? 1 : -1;
  return leftBig < rightBig ? -1 : leftBig > rightBig ? 1 : 0;
}

/** Order of two integer registers: negative, 0 or positive. */
export function compareIntegers(num: Float64Array, big: BigInt64Array, l: number, r: number): number {
  const left = num[l];
  const right = num[r];
  if (left < right) return -1;
  if (left > right) return 1;
  if (left === right) return 0;
  return compareBigIntegers(left, big[l], right, big[r]);
}

/** Exact order of an integer register and a double register: JavaScript compares a BigInt and a number without rounding. */
export function compareIntegerAndDouble(
  num: Float64Array,
  big: BigInt64Array,
  integer: number,
  double: number,
): number {
  const left = num[integer];
  const right = num[double];
  if (!Number.isNaN(left)) return left < right ? -1 : left > right ? 1 : 0;
  const exact = big[integer];
  return exact < right ? -1 : exact > right ? 1 : 0;
}

/** The double of an integer register, rounded to nearest. */
export function integerToDouble(num: Float64Array, big: BigInt64Array, register: number): number {
  const value = num[register];
  return Number.isNaN(value) ? Number(big[register]) : value;
}

/** Stores a double without fraction as an integer. False where it does not fit 64 bits; nothing is stored then. */
export function storeWholeDouble(num: Float64Array, big: BigInt64Array, d: number, value: number): boolean {
  if (value >= -9007199254740992 && value <= 9007199254740992) {
    num[d] = value + 0; // -0 becomes 0
    return true;
  }
  if (!(value >= -(2 ** 63) && value < 2 ** 63)) return false;
  num[d] = Number.NaN;
  big[d] = BigInt(value);
  return true;
}

export function zeroDivision(): SqlError {
  return new SqlError('zero_division', 'zero division');
}

export function doubleOverflow(operator: string): SqlError {
  return new SqlError('overflow', `double ${operator} double overflow`);
}

/** An integer register as decimal text. */
export function integerText(num: Float64Array, big: BigInt64Array, register: number): string {
  const value = num[register];
  return Number.isNaN(value) ? big[register].toString() : (value + 0).toString();
}

/** Stores the result of an operation on doubles, which must be finite. */
export function storeDouble(num: Float64Array, register: number, value: number, operator: string): void {
  if (!(value >= -1.7976931348623157e308 && value <= 1.7976931348623157e308)) throw doubleOverflow(operator);
  num[register] = value;
}

/** Whether one of two integer registers is beyond ±2^53. */
export function isBeyond(num: Float64Array, left: number, right: number): boolean {
  return Number.isNaN(num[left]) || Number.isNaN(num[right]);
}

/** Order of two integer registers of which one is beyond ±2^53. */
export function compareBeyond(num: Float64Array, big: BigInt64Array, left: number, right: number): number {
  return compareBigIntegers(num[left], big[left], num[right], big[right]);
}
