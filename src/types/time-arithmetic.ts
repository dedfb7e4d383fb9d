/**
 * Arithmetic of timestamps: with intervals, differences, bins, ages. A timestamp is a number, or NaN with its value beside
 * (in `big`; of results in TIMESTAMP_BIG).
 *
 * Adding an interval is PostgreSQL's: months and days are steps of the calendar in a time zone, so a day over a clock change
 * has 23 or 25 hours; microseconds are added to the instant.
 */

import { SqlError } from '../base/errors.ts';
import { addMonths, CIVIL, civilOfDays, daysInMonth } from './calendar.ts';
import { checkedTimestamp } from './date.ts';
import { EXACT_MAX } from './int64.ts';
import { DAY_MICROS, type IntervalValue, intervalMicros, setIntervalMicros } from './interval.ts';
import type { TimeZone } from './time-zone.ts';
import { isTimestamp, microsOf, secondsOf, TIMESTAMP_BIG } from './timestamp.ts';

function toBig(num: number, big: bigint): bigint {
  return Number.isNaN(num) ? big : BigInt(num);
}

/** The timestamp of microseconds: a number, or NaN with TIMESTAMP_BIG. Throws out_of_range, with `what` at fault. */
function timestampOfMicros(micros: bigint, what: string): number {
  if (micros >= -BigInt(EXACT_MAX) && micros <= BigInt(EXACT_MAX)) return Number(micros);
  TIMESTAMP_BIG[0] = micros;
  if (TIMESTAMP_BIG[0] !== micros || !isTimestamp(Number.NaN, micros)) throw outside(what);
  return Number.NaN;
}

function outside(what: string): SqlError {
  return new SqlError('out_of_range', `${what} is outside the years 1 to 9999`);
}

/** Timestamp + sign * interval, sign being 1 or -1. Gives a number, or NaN with TIMESTAMP_BIG. Throws out_of_range. */
export function addInterval(num: number, big: bigint, interval: IntervalValue, sign: number, zone: TimeZone): number {
  if (interval.months !== 0 || interval.days !== 0) {
    num = addCalendar(num, big, interval, sign, zone);
    if (Number.isNaN(num)) big = TIMESTAMP_BIG[0]!;
    if (interval.micros === 0) {
      if (!isTimestamp(num, big)) throw outside(sumText(sign));
      return num;
    }
  }
  const sum = num + sign * interval.micros;
  if (sum > -EXACT_MAX && sum < EXACT_MAX) return sum + 0;
  return timestampOfMicros(toBig(num, big) + BigInt(sign) * intervalMicros(interval), sumText(sign));
}

function sumText(sign: number): string {
  return sign > 0 ? 'timestamp + interval' : 'timestamp - interval';
}

/** The steps of months, then days, each in local time. May leave the range of timestamps by a year: microseconds follow. */
function addCalendar(num: number, big: bigint, interval: IntervalValue, sign: number, zone: TimeZone): number {
  let utc = secondsOf(num, big);
  const micros = microsOf(num, big);
  if (interval.months !== 0) {
    const local = utc + zone.offsetAt(utc);
    const days = Math.floor(local / 86400);
    const moved = addMonths(days, sign * interval.months);
    if (Number.isNaN(moved)) throw outside(sumText(sign));
    utc = zone.toUtc(local + (moved - days) * 86400);
  }
  if (interval.days !== 0) utc = zone.toUtc(utc + zone.offsetAt(utc) + sign * interval.days * 86400);
  const sum = utc * 1000000 + micros;
  if (sum > -EXACT_MAX && sum < EXACT_MAX) return sum;
  TIMESTAMP_BIG[0] = BigInt(utc) * 1000000n + BigInt(micros);
  return Number.NaN;
}

/** target = left - right: microseconds only, hours never become days. */
export function subtractTimestamps(
  left: number,
  leftBig: bigint,
  right: number,
  rightBig: bigint,
  target: IntervalValue,
): void {
  target.months = 0;
  target.days = 0;
  const difference = left - right;
  if (difference > -EXACT_MAX && difference < EXACT_MAX) target.micros = difference;
  else setIntervalMicros(target, toBig(left, leftBig) - toBig(right, rightBig));
}

/** Microseconds of an interval that is the width of bins. Throws invalid_value for one with months or not above zero. */
export function binMicros(stride: IntervalValue): bigint {
  if (stride.months !== 0) throw new SqlError('invalid_value', 'date_bin: the interval has months');
  const micros = BigInt(stride.days) * BigInt(DAY_MICROS) + intervalMicros(stride);
  if (micros <= 0n) throw new SqlError('invalid_value', 'date_bin: the interval must be above zero');
  return micros;
}

/** The start of the bin that holds a timestamp: `origin` plus a multiple of `stride`. Throws as binMicros, out_of_range. */
export function binTimestamp(
  num: number,
  big: bigint,
  stride: IntervalValue,
  origin: number,
  originBig: bigint,
): number {
  const width = stride.days * DAY_MICROS + stride.micros;
  const distance = num - origin;
  if (stride.months === 0 && width > 0 && width < EXACT_MAX && distance > -EXACT_MAX && distance < EXACT_MAX) {
    // The remainder of doubles is exact, the quotient is not.
    const rest = distance % width;
    const start = num - (rest < 0 ? rest + width : rest);
    if (start > -EXACT_MAX) return start;
  }
  const wide = binMicros(stride);
  const from = toBig(num, big) - toBig(origin, originBig);
  const rest = from % wide;
  return timestampOfMicros(toBig(num, big) - (rest < 0n ? rest + wide : rest), 'date_bin');
}

/** Fields of a local time: year, month, day, second of the day, microseconds. */
type LocalTime = { year: number; month: number; day: number; second: number; micros: number };
const LEFT: LocalTime = { year: 0, month: 0, day: 0, second: 0, micros: 0 };
const RIGHT: LocalTime = { year: 0, month: 0, day: 0, second: 0, micros: 0 };

function splitLocal(num: number, big: bigint, zone: TimeZone, target: LocalTime): void {
  const utc = secondsOf(num, big);
  const local = utc + zone.offsetAt(utc);
  const days = Math.floor(local / 86400);
  civilOfDays(days);
  target.year = CIVIL[0]!;
  target.month = CIVIL[1]!;
  target.day = CIVIL[2]!;
  target.second = local - days * 86400;
  target.micros = microsOf(num, big);
}

/**
 * age(left, right): years, months and days on the calendar from the earlier to the later, then the time of day, as
 * PostgreSQL counts them: a borrowed month has the days of the earlier one's month.
 */
export function ageOf(
  left: number,
  leftBig: bigint,
  right: number,
  rightBig: bigint,
  zone: TimeZone,
  target: IntervalValue,
): void {
  const isNegative = toBig(left, leftBig) < toBig(right, rightBig);
  splitLocal(left, leftBig, zone, isNegative ? RIGHT : LEFT);
  splitLocal(right, rightBig, zone, isNegative ? LEFT : RIGHT);
  const later = LEFT;
  const earlier = RIGHT;
  let micros = (later.second - earlier.second) * 1000000 + later.micros - earlier.micros;
  let days = later.day - earlier.day;
  let months = (later.year - earlier.year) * 12 + later.month - earlier.month;
  if (micros < 0) {
    micros += DAY_MICROS;
    days--;
  }
  // PostgreSQL counts a negative age with the month of its first argument, which then is the earlier one, too.
  while (days < 0) {
    days += daysInMonth(earlier.year, earlier.month);
    months--;
  }
  target.months = isNegative ? 0 - months : months;
  target.days = isNegative ? 0 - days : days;
  target.micros = isNegative ? 0 - micros : micros;
}

/**
 * The timestamp of a local time in a zone, of numbers as they come; a second of 60 is the next minute. Throws out_of_range
 * naming `name`.
 */
export function timestampOfParts(
  days: number,
  hour: number,
  minute: number,
  second: number,
  zone: TimeZone,
  name: string,
): number {
  const isPossible = hour >= 0 && hour <= 23 && minute >= 0 && minute <= 59 && second >= 0 && second <= 60;
  if (!isPossible) throw new SqlError('out_of_range', `${name}: there is no time ${hour}:${minute}:${second}`);
  const micros = Math.round(second * 1000000);
  const whole = Math.floor(micros / 1000000);
  const utc = zone.toUtc(days * 86400 + hour * 3600 + minute * 60 + whole);
  return checkedTimestamp(utc, micros - whole * 1000000, name);
}
