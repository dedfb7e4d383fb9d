/**
 * Intervals: months, days and microseconds, which never become one another. In memory 16 bytes:
 *
 * | byte | size | field                                     |
 * | ---: | ---: | ----------------------------------------- |
 * |    0 |    4 | months                                    |
 * |    4 |    4 | days                                      |
 * |    8 |    8 | microseconds, low word then high word     |
 *
 * Order and equality are PostgreSQL's: a month counts 30 days and a day 24 hours, so `1 month` = `30 days`. For that an
 * interval is brought to whole days and the microseconds of a day beyond them (spanOf); keys, hashes and groups go by it.
 */

import { SqlError } from '../base/errors.ts';
import { bigOfWords, EXACT_MAX, highWord, INT64_MAX, INT64_MIN, numberOfWords, WORDS, wordsOfBig } from './int64.ts';

export const DAY_MICROS = 86_400_000_000;

/** An interval out of memory, reused for many: microseconds as a number within ±2^53, else NaN and the value in `big`. */
export type IntervalValue = { months: number; days: number; micros: number; big: bigint };

export function createInterval(): IntervalValue {
  return { months: 0, days: 0, micros: 0, big: 0n };
}

/** Reads the interval at words[index]. */
export function readInterval(words: Int32Array, index: number, target: IntervalValue): void {
  target.months = words[index]!;
  target.days = words[index + 1]!;
  const low = words[index + 2]!;
  const high = words[index + 3]!;
  const micros = numberOfWords(low, high);
  target.micros = micros;
  if (Number.isNaN(micros)) target.big = bigOfWords(low, high);
}

/** Writes the interval at words[index]. */
export function writeIntervalWords(words: Int32Array, index: number, value: IntervalValue): void {
  words[index] = value.months;
  words[index + 1] = value.days;
  if (!Number.isNaN(value.micros)) {
    words[index + 2] = value.micros | 0;
    words[index + 3] = highWord(value.micros);
  } else {
    wordsOfBig(value.big);
    words[index + 2] = WORDS[0]!;
    words[index + 3] = WORDS[1]!;
  }
}

/** Microseconds as BigInt. */
export function intervalMicros(value: IntervalValue): bigint {
  return Number.isNaN(value.micros) ? value.big : BigInt(value.micros);
}

/** Sets the microseconds; false where they do not fit 64 bits. */
export function setIntervalMicros(target: IntervalValue, micros: bigint): boolean {
  if (micros < INT64_MIN || micros > INT64_MAX) return false;
  const isExact = micros >= -BigInt(EXACT_MAX) && micros <= BigInt(EXACT_MAX);
  target.micros = isExact ? Number(micros) : Number.NaN;
  if (!isExact) target.big = micros;
  return true;
}

function isInt32(value: number): boolean {
  return value >= -2147483648 && value <= 2147483647;
}

/** target = left + sign * right; sign is 1 or -1. Throws overflow. `target` may be one of them. */
export function addIntervals(left: IntervalValue, right: IntervalValue, sign: number, target: IntervalValue): void {
  const months = left.months + sign * right.months;
  const days = left.days + sign * right.days;
  const micros = left.micros + sign * right.micros;
  let fits = isInt32(months) && isInt32(days);
  if (micros > -EXACT_MAX && micros < EXACT_MAX) target.micros = micros + 0;
  else fits &&= setIntervalMicros(target, intervalMicros(left) + BigInt(sign) * intervalMicros(right));
  if (!fits) throw new SqlError('overflow', `interval ${sign > 0 ? '+' : '-'} interval overflow`);
  target.months = months;
  target.days = days;
}

/** target = -value. Throws overflow. */
export function negateInterval(value: IntervalValue, target: IntervalValue): void {
  const fits = value.months !== -2147483648 && value.days !== -2147483648;
  if (!fits || !setIntervalMicros(target, -intervalMicros(value)))
    throw new SqlError('overflow', '- interval overflow');
  target.months = 0 - value.months;
  target.days = 0 - value.days;
}

/** Microseconds below the day of the last `spanOf`, 0 to DAY_MICROS - 1. */
let spanMicros = 0;

/** Days of the interval at words[index], as comparisons count them; the rest is left in spanMicros. */
function spanOf(words: Int32Array, index: number): number {
  const high = words[index + 3]!;
  const low = words[index + 2]!;
  const micros = numberOfWords(low, high);
  let days: number;
  if (!Number.isNaN(micros)) {
    days = Math.floor(micros / DAY_MICROS);
    spanMicros = micros - days * DAY_MICROS;
    // The quotient may have been rounded up to a whole number.
    if (spanMicros < 0) {
      days--;
      spanMicros += DAY_MICROS;
    }
  } else {
    const big = bigOfWords(low, high);
    const rest = ((big % 86_400_000_000n) + 86_400_000_000n) % 86_400_000_000n;
    spanMicros = Number(rest);
    days = Number((big - rest) / 86_400_000_000n);
  }
  return days + words[index]! * 30 + words[index + 1]!;
}

/** Negative, 0 or positive: the order of two intervals in memory. */
export function compareIntervals(left: Int32Array, leftIndex: number, right: Int32Array, rightIndex: number): number {
  const days = spanOf(left, leftIndex);
  const micros = spanMicros;
  const difference = days - spanOf(right, rightIndex);
  return difference !== 0 ? difference : micros - spanMicros;
}

/** Equal intervals have equal hashes. */
export function hashInterval(words: Int32Array, index: number): number {
  const days = spanOf(words, index);
  let hash = Math.imul(days | 0, 0x9e3779b1) ^ (spanMicros | 0);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) ^ Math.floor(spanMicros / 65536);
  return hash ^ (hash >>> 13);
}

/** A number that orders as intervals do: where two differ, that is the order; where they are equal, compare the intervals. */
export function intervalPrefix(words: Int32Array, index: number): number {
  const days = spanOf(words, index);
  return days + spanMicros / DAY_MICROS;
}
