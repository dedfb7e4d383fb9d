/**
 * 64-bit integers: two 32-bit words in memory, a number within ±2^53 (inclusive) or else NaN with a BigInt beside in
 * registers. Every integer has exactly one register form, so registers of unlike forms are never equal.
 *
 * Mind the edge: a sum, difference or product of doubles that is exactly ±2^53 may have been rounded to it (2^53 + 1 is).
 * Arithmetic takes the fast result only strictly below, `|s| < 2^53`, and computes with BigInt otherwise.
 */

import type { RegisterFile } from '../base/registers.ts';

/** ±2^53: the integers that are exact as numbers, with no integer in between missing. */
export const EXACT_MAX = 9007199254740992;
/** 2^63: the first double beyond 64-bit integers. */
export const TWO_63: number = 2 ** 63;
export const INT64_MIN: bigint = -(2n ** 63n);
export const INT64_MAX: bigint = 2n ** 63n - 1n;

const EXACT_MAX_BIG = 9007199254740992n;

/** Low and high word, as left by `wordsOfBig`. */
export const WORDS: Int32Array = new Int32Array(2);
const BIG_VIEW: BigInt64Array = new BigInt64Array(WORDS.buffer);

/** Leaves the words of a 64-bit integer in WORDS. */
export function wordsOfBig(value: bigint): void {
  BIG_VIEW[0] = value;
}

/** The integer of two words. */
export function bigOfWords(low: number, high: number): bigint {
  WORDS[0] = low;
  WORDS[1] = high;
  return BIG_VIEW[0]!;
}

/** High word of an integer within ±2^53; the low word is `value | 0`. */
export function highWord(value: number): number {
  return Math.floor(value / 4294967296) | 0;
}

/** The integer of two words as a number if it is within ±2^53, else NaN. */
export function numberOfWords(low: number, high: number): number {
  // Exact, as the sum has 53 bits. As a sum of integers V8 would check that it is a safe one, which costs twice as much.
  if (high >= -2097152 && high < 2097152) return (high + (low >>> 0) * 2.3283064365386963e-10) * 4294967296;
  return high === 2097152 && low === 0 ? EXACT_MAX : Number.NaN;
}

/** Register `target` = the integer of two words. `nul` is left alone. */
export function readInt64(registers: RegisterFile, target: number, low: number, high: number): void {
  const value = numberOfWords(low, high);
  registers.num[target] = value;
  if (Number.isNaN(value)) registers.big[target] = bigOfWords(low, high);
}

/** Register `target` = the integer. */
export function setBig(registers: RegisterFile, target: number, value: bigint): void {
  if (value >= -EXACT_MAX_BIG && value <= EXACT_MAX_BIG) {
    registers.num[target] = Number(value);
  } else {
    registers.num[target] = Number.NaN;
    registers.big[target] = value;
  }
}

/** The integer in register `source` as BigInt. */
export function getBig(registers: RegisterFile, source: number): bigint {
  const value = registers.num[source]!;
  return !Number.isNaN(value) ? BigInt(value) : registers.big[source]!;
}

/** -1, 0 or 1: the order of two integers given as words. */
export function compareWords(lowA: number, highA: number, lowB: number, highB: number): number {
  if (highA !== highB) return highA < highB ? -1 : 1;
  const a = lowA >>> 0;
  const b = lowB >>> 0;
  return a === b ? 0 : a < b ? -1 : 1;
}

/** -1, 0 or 1: the order of two integer registers. */
export function compareIntRegisters(registers: RegisterFile, a: number, b: number): number {
  const x = registers.num[a]!;
  const y = registers.num[b]!;
  if (!Number.isNaN(x) && !Number.isNaN(y)) return x === y ? 0 : x < y ? -1 : 1;
  const bigX = getBig(registers, a);
  const bigY = getBig(registers, b);
  return bigX === bigY ? 0 : bigX < bigY ? -1 : 1;
}

/**
 * -1, 0 or 1: the exact order of an integer (num, or NaN and big) and a finite double. Never through a rounded double:
 * 2^53 + 1 is greater than 9007199254740992.0.
 */
export function compareIntDouble(num: number, big: bigint, double: number): number {
  if (!Number.isNaN(num)) return num === double ? 0 : num < double ? -1 : 1;
  if (double >= TWO_63) return -1;
  if (double < -TWO_63) return 1;
  // Beyond ±2^53 every double is whole; below it the sign of big decides, as big is beyond.
  const whole = BigInt(Math.trunc(double));
  return big === whole ? 0 : big < whole ? -1 : 1;
}
