/**
 * Timestamps: microseconds since 1970-01-01 00:00:00 UTC, from 0001-01-01 00:00:00 to 9999-12-31 23:59:59.999999.
 * Text is ISO 8601. Calendar arithmetic is Howard Hinnant's (chrono-compatible low-level date algorithms): years begin in
 * March, eras are 400 years of 146,097 days.
 *
 * A value is a number while within ±2^53 µs (years 1684 to 2255), else NaN and a BigInt beside, as in registers.
 */

import type { ByteWriter } from '../base/byte-writer.ts';
import { SqlError } from '../base/errors.ts';
import { EXACT_MAX } from './int64.ts';
import type { TimeZone } from './time-zone.ts';
import { showText } from './utf8.ts';

/** 0001-01-01 00:00:00 and the second after 9999-12-31 23:59:59, in seconds since 1970. */
export const TIMESTAMP_SECONDS_MIN = -62135596800;
export const TIMESTAMP_SECONDS_END = 253402300800;

/** The value of the last `parseTimestamp` or `timestampOf` that gave NaN. */
export const TIMESTAMP_BIG: BigInt64Array = new BigInt64Array(1);

/** Days since 1970-01-01 of a date; month from 1. */
export function daysOfCivil(year: number, month: number, day: number): number {
  if (month <= 2) year--;
  const era = Math.floor(year / 400);
  const yearOfEra = year - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146097 + dayOfEra - 719468;
}

/** Year, month (from 1) and day, as left by `civilOfDays`. */
export const CIVIL: Int32Array = new Int32Array(3);

/** Leaves the date of that day since 1970-01-01 in CIVIL. */
export function civilOfDays(days: number): void {
  days += 719468;
  const era = Math.floor(days / 146097);
  const dayOfEra = days - era * 146097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shifted = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  CIVIL[0] = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  CIVIL[1] = month;
  CIVIL[2] = dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1;
}

/** Days of a month. */
export function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** The timestamp of whole seconds and microseconds (0 to 999999): a number, or NaN with the value in TIMESTAMP_BIG. */
export function timestampOf(seconds: number, micros: number): number {
  const value = seconds * 1000000 + micros;
  if (value > -EXACT_MAX && value < EXACT_MAX) return value;
  const big = BigInt(seconds) * 1000000n + BigInt(micros);
  TIMESTAMP_BIG[0] = big;
  return BigInt(value) === big && Math.abs(value) === EXACT_MAX ? value : Number.NaN;
}

/** Whole seconds (floor) of a timestamp given as number, or NaN and BigInt. */
export function secondsOf(num: number, big: bigint): number {
  if (!Number.isNaN(num)) return Math.floor(num / 1000000);
  const seconds = big / 1000000n;
  return Number(big < 0n && seconds * 1000000n !== big ? seconds - 1n : seconds);
}

/** Microseconds below the second, 0 to 999999. */
export function microsOf(num: number, big: bigint): number {
  if (!Number.isNaN(num)) return num - Math.floor(num / 1000000) * 1000000;
  const micros = Number(big % 1000000n);
  return micros < 0 ? micros + 1000000 : micros;
}

/** True when the timestamp is within the years 1 to 9999. */
export function isTimestamp(num: number, big: bigint): boolean {
  const seconds = secondsOf(num, big);
  return seconds >= TIMESTAMP_SECONDS_MIN && seconds < TIMESTAMP_SECONDS_END;
}

/** Where `digits` stopped. */
let position = 0;

/** The number of exactly `count` digits at `position`, which moves behind them; -1 if they are not digits. */
function digits(bytes: Uint8Array, end: number, count: number): number {
  if (position + count > end) return -1;
  let value = 0;
  for (let i = 0; i < count; i++) {
    const digit = bytes[position + i]! - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  position += count;
  return value;
}

/**
 * The timestamp of bytes[start, end): `YYYY-MM-DD`, then nothing (midnight) or `T` or a space and `hh:mm[:ss[.ffffff]]`,
 * then nothing (local time in `zone`), `Z`, `±hh`, `±hhmm`, `±hh:mm` or `±hh:mm:ss`; white space around it is dropped.
 * Gives a number, or NaN with the value in TIMESTAMP_BIG. Throws invalid_value naming the text.
 */
export function parseTimestamp(bytes: Uint8Array, start: number, end: number, zone: TimeZone): number {
  let first = start;
  let last = end;
  while (first < last && isSpace(bytes[first]!)) first++;
  while (last > first && isSpace(bytes[last - 1]!)) last--;
  position = first;
  const days = parseDate(bytes, last);
  if (!Number.isNaN(days)) {
    let seconds = days * 86400;
    if (position === last) return parsed(bytes, start, end, zone.toUtc(seconds), 0);
    const separator = bytes[position];
    if (separator === 32 || separator === 84 || separator === 116) {
      position++;
      const time = parseTime(bytes, last);
      if (!Number.isNaN(time)) {
        const micros = timeMicros;
        seconds += time;
        const offset = parseOffset(bytes, last);
        if (position === last && !Number.isNaN(offset)) {
          return parsed(bytes, start, end, offset === NO_OFFSET ? zone.toUtc(seconds) : seconds - offset, micros);
        }
      }
    }
  }
  throw new SqlError('invalid_value', `invalid timestamp ${showText(bytes, start, end)}`);
}

function parsed(bytes: Uint8Array, start: number, end: number, seconds: number, micros: number): number {
  if (seconds < TIMESTAMP_SECONDS_MIN || seconds >= TIMESTAMP_SECONDS_END) {
    throw new SqlError('out_of_range', `timestamp ${showText(bytes, start, end)} is outside the years 1 to 9999`);
  }
  return timestampOf(seconds, micros);
}

/** Days since 1970 of the date at `position`, or NaN. Years 0 and 10000 are read too: a zone can shift them into range. */
function parseDate(bytes: Uint8Array, end: number): number {
  let year = digits(bytes, end, 4);
  if (year === 1000 && bytes[position] === 48 && position < end) {
    position++;
    year = 10000;
  }
  if (year < 0 || position >= end || bytes[position++] !== 45) return Number.NaN;
  const month = digits(bytes, end, 2);
  if (month < 1 || month > 12 || position >= end || bytes[position++] !== 45) return Number.NaN;
  const day = digits(bytes, end, 2);
  if (day < 1 || day > daysInMonth(year, month)) return Number.NaN;
  return daysOfCivil(year, month, day);
}

let timeMicros = 0;

/** Seconds of the time of day at `position`, its microseconds in timeMicros, or NaN. */
function parseTime(bytes: Uint8Array, end: number): number {
  timeMicros = 0;
  const hour = digits(bytes, end, 2);
  if (hour < 0 || hour > 23 || position >= end || bytes[position++] !== 58) return Number.NaN;
  const minute = digits(bytes, end, 2);
  if (minute < 0 || minute > 59) return Number.NaN;
  const seconds = hour * 3600 + minute * 60;
  if (position >= end || bytes[position] !== 58) return seconds;
  position++;
  const second = digits(bytes, end, 2);
  if (second < 0 || second > 59) return Number.NaN;
  if (position < end && bytes[position] === 46) {
    position++;
    const first = position;
    while (position < end && bytes[position]! >= 48 && bytes[position]! <= 57) position++;
    const count = position - first;
    if (count < 1 || count > 6) return Number.NaN;
    for (let i = 0; i < 6; i++) timeMicros = timeMicros * 10 + (i < count ? bytes[first + i]! - 48 : 0);
  }
  return seconds + second;
}

const NO_OFFSET = 1e9;

/** Seconds east of UTC of the offset at `position`, NO_OFFSET where there is none, NaN where it is malformed. */
function parseOffset(bytes: Uint8Array, end: number): number {
  if (position < end && bytes[position] === 32) position++;
  if (position >= end) return NO_OFFSET;
  const sign = bytes[position++];
  if (sign === 90 || sign === 122) return 0;
  if (sign !== 43 && sign !== 45) return Number.NaN;
  const hours = digits(bytes, end, 2);
  let minutes = 0;
  let seconds = 0;
  if (position < end) {
    const hasColon = bytes[position] === 58;
    if (hasColon) position++;
    minutes = digits(bytes, end, 2);
    if (hasColon && position < end && bytes[position] === 58) {
      position++;
      seconds = digits(bytes, end, 2);
    }
  }
  // PostgreSQL's limit: no zone is 16 hours away.
  if (hours < 0 || hours > 15 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 59) return Number.NaN;
  const offset = hours * 3600 + minutes * 60 + seconds;
  return sign === 45 ? -offset : offset;
}

function isSpace(byte: number): boolean {
  return byte === 32 || (byte >= 9 && byte <= 13);
}

/** Two digits at bytes[at]. */
function put2(bytes: Uint8Array, at: number, value: number): void {
  const tens = (value / 10) | 0;
  bytes[at] = 48 + tens;
  bytes[at + 1] = 48 + value - tens * 10;
}

/** Longest text of a timestamp: `10000-01-01 00:00:00.000000+15:59:59`. */
export const TIMESTAMP_BYTES_MAX = 40;

/** Appends `2031-07-04 09:08:07.060500+02` in the zone, without quotes. The value: num, or NaN and big. */
export function writeTimestamp(writer: ByteWriter, num: number, big: bigint, zone: TimeZone): void {
  const utc = secondsOf(num, big);
  const micros = microsOf(num, big);
  const offset = zone.offsetAt(utc);
  const local = utc + offset;
  const days = Math.floor(local / 86400);
  const second = local - days * 86400;
  civilOfDays(days);
  writer.ensure(TIMESTAMP_BYTES_MAX);
  const bytes = writer.bytes;
  let at = writer.length;
  let year = CIVIL[0]!;
  if (year >= 10000) {
    bytes[at++] = 49;
    year -= 10000;
  }
  const century = (year / 100) | 0;
  put2(bytes, at, century);
  put2(bytes, at + 2, year - century * 100);
  bytes[at + 4] = 45;
  put2(bytes, at + 5, CIVIL[1]!);
  bytes[at + 7] = 45;
  put2(bytes, at + 8, CIVIL[2]!);
  bytes[at + 10] = 32;
  at = putTime(bytes, at + 11, second);
  if (micros !== 0) at = putFraction(bytes, at, micros);
  writer.length = putOffset(bytes, at, offset);
}

function putTime(bytes: Uint8Array, at: number, second: number): number {
  const hour = (second / 3600) | 0;
  const minute = ((second - hour * 3600) / 60) | 0;
  put2(bytes, at, hour);
  bytes[at + 2] = 58;
  put2(bytes, at + 3, minute);
  bytes[at + 5] = 58;
  put2(bytes, at + 6, second - hour * 3600 - minute * 60);
  return at + 8;
}

/** Three digits where that is all, else six. */
function putFraction(bytes: Uint8Array, at: number, micros: number): number {
  bytes[at++] = 46;
  const millis = (micros / 1000) | 0;
  bytes[at] = 48 + ((millis / 100) | 0);
  put2(bytes, at + 1, millis % 100);
  const rest = micros - millis * 1000;
  if (rest === 0) return at + 3;
  bytes[at + 3] = 48 + ((rest / 100) | 0);
  put2(bytes, at + 4, rest % 100);
  return at + 6;
}

function putOffset(bytes: Uint8Array, at: number, offset: number): number {
  bytes[at] = offset < 0 ? 45 : 43;
  const distance = Math.abs(offset);
  const minutes = Math.floor(distance / 60) % 60;
  put2(bytes, at + 1, Math.floor(distance / 3600));
  at += 3;
  if (minutes !== 0 || distance % 60 !== 0) {
    bytes[at] = 58;
    put2(bytes, at + 1, minutes);
    at += 3;
    if (distance % 60 !== 0) {
      bytes[at] = 58;
      put2(bytes, at + 1, distance % 60);
      at += 3;
    }
  }
  return at;
}
