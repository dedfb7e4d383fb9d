/**
 * Timestamps: microseconds since 1970-01-01 00:00:00 UTC, from 0001-01-01 00:00:00 to 9999-12-31 23:59:59.999999.
 * Text is ISO 8601. Arithmetic with intervals is in time-arithmetic.ts.
 *
 * A value is a number while within ±2^53 µs (years 1684 to 2255), else NaN and a BigInt beside, as in registers.
 */

import type { ByteWriter } from '../base/byte-writer.ts';
import { SqlError } from '../base/errors.ts';
import { CIVIL, civilOfDays, daysInMonth, daysOfCivil } from './calendar.ts';
import { EXACT_MAX } from './int64.ts';
import type { TimeZone } from './time-zone.ts';
import { showText } from './utf8.ts';

/** 0001-01-01 00:00:00 and the second after 9999-12-31 23:59:59, in seconds since 1970. */
export const TIMESTAMP_SECONDS_MIN = -62135596800;
export const TIMESTAMP_SECONDS_END = 253402300800;

/** The value of the last `parseTimestamp` or `timestampOf` that gave NaN. */
export const TIMESTAMP_BIG: BigInt64Array = new BigInt64Array(1);

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

/** Where the parser stands in the text. */
let position = 0;
/** What it expected there, once it has failed. */
let expected = '';

/** Notes what should stand at `at`; gives NaN. */
function fail(at: number, what: string): number {
  position = at;
  expected = what;
  return Number.NaN;
}

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

/** True where that character stands at `position`, which moves behind it. */
function skip(bytes: Uint8Array, end: number, character: number): boolean {
  if (position >= end || bytes[position] !== character) return false;
  position++;
  return true;
}

/**
 * The timestamp of bytes[start, end): `YYYY-MM-DD`, then nothing (midnight) or `T` or a space and `hh:mm[:ss[.ffffff]]`,
 * then nothing (local time in `zone`), `Z`, `±hh`, `±hhmm`, `±hh:mm` or `±hh:mm:ss`; white space around it is dropped.
 * Gives a number, or NaN with the value in TIMESTAMP_BIG. Throws invalid_value naming the text and the offset in it of what
 * is wrong, out_of_range naming the text.
 */
export function parseTimestamp(bytes: Uint8Array, start: number, end: number, zone: TimeZone): number {
  const last = trim(bytes, start, end);
  const days = parseDays(bytes, last);
  if (Number.isNaN(days)) throw invalid('timestamp', bytes, start, end);
  let seconds = days * 86400;
  timeMicros = 0;
  let offset = NO_OFFSET;
  if (position < last) {
    const separator = bytes[position];
    if (separator !== 32 && separator !== 84 && separator !== 116) {
      fail(position, "expected 'T' or a space before the time");
      throw invalid('timestamp', bytes, start, end);
    }
    position++;
    const time = parseTime(bytes, last);
    offset = Number.isNaN(time) ? time : parseOffset(bytes, last);
    if (position < last && !Number.isNaN(offset)) offset = fail(position, 'expected the end of the text');
    if (Number.isNaN(offset)) throw invalid('timestamp', bytes, start, end);
    seconds += time;
  }
  seconds = offset === NO_OFFSET ? zone.toUtc(seconds) : seconds - offset;
  if (seconds < TIMESTAMP_SECONDS_MIN || seconds >= TIMESTAMP_SECONDS_END) {
    throw new SqlError('out_of_range', `timestamp ${showText(bytes, start, end)} is outside the years 1 to 9999`);
  }
  return timestampOf(seconds, timeMicros);
}

/**
 * Days since 1970 of the date that is all of bytes[start, end), but for white space around it. A time may follow where
 * `hasTime`: it is checked and dropped, as is its offset, so the day is the one that is written. Throws invalid_value
 * naming the text and the offset in it; the year can still be 0 or 10000.
 */
export function parseDateText(bytes: Uint8Array, start: number, end: number, hasTime: boolean): number {
  const last = trim(bytes, start, end);
  let days = parseDays(bytes, last);
  if (position < last && !Number.isNaN(days)) {
    const separator = bytes[position];
    if (!hasTime || (separator !== 32 && separator !== 84 && separator !== 116)) {
      days = fail(position, 'expected the end of the text');
    } else {
      position++;
      const isWrong = Number.isNaN(parseTime(bytes, last)) || Number.isNaN(parseOffset(bytes, last));
      if (isWrong) days = Number.NaN;
      else if (position < last) days = fail(position, 'expected the end of the text');
    }
  }
  if (Number.isNaN(days)) throw invalid('date', bytes, start, end);
  return days;
}

/** Stands on the first byte that is no white space; gives the end without white space. */
function trim(bytes: Uint8Array, start: number, end: number): number {
  position = start;
  while (position < end && isSpace(bytes[position]!)) position++;
  while (end > position && isSpace(bytes[end - 1]!)) end--;
  return end;
}

function invalid(type: string, bytes: Uint8Array, start: number, end: number): SqlError {
  const text = showText(bytes, start, end);
  return new SqlError('invalid_value', `invalid ${type} ${text} at ${position - start}: ${expected}`);
}

/** Days since 1970 of the date at `position`, or NaN. Years 0 and 10000 are read too: a zone can shift them into range. */
function parseDays(bytes: Uint8Array, end: number): number {
  let at = position;
  let year = digits(bytes, end, 4);
  if (year < 0) return fail(at, 'expected a year of four digits');
  if (year === 1000 && skip(bytes, end, 48)) year = 10000;
  if (!skip(bytes, end, 45)) return fail(position, "expected '-' behind the year");
  at = position;
  const month = digits(bytes, end, 2);
  if (month < 1 || month > 12) return fail(at, 'expected a month from 01 to 12');
  if (!skip(bytes, end, 45)) return fail(position, "expected '-' behind the month");
  at = position;
  const day = digits(bytes, end, 2);
  if (day < 1) return fail(at, 'expected a day of two digits');
  if (day > daysInMonth(year, month)) return fail(at, `the month has ${daysInMonth(year, month)} days`);
  return daysOfCivil(year, month, day);
}

let timeMicros = 0;

/** Seconds of the time of day at `position`, its microseconds in timeMicros, or NaN. */
function parseTime(bytes: Uint8Array, end: number): number {
  let at = position;
  const hour = digits(bytes, end, 2);
  if (hour < 0 || hour > 23) return fail(at, 'expected an hour from 00 to 23');
  if (!skip(bytes, end, 58)) return fail(position, "expected ':' behind the hour");
  at = position;
  const minute = digits(bytes, end, 2);
  if (minute < 0 || minute > 59) return fail(at, 'expected a minute from 00 to 59');
  const seconds = hour * 3600 + minute * 60;
  if (!skip(bytes, end, 58)) return seconds;
  at = position;
  const second = digits(bytes, end, 2);
  if (second < 0 || second > 59) return fail(at, 'expected a second from 00 to 59');
  if (skip(bytes, end, 46)) {
    const first = position;
    while (position < end && bytes[position]! >= 48 && bytes[position]! <= 57) position++;
    const count = position - first;
    if (count < 1 || count > 6) return fail(first, 'expected a fraction of 1 to 6 digits');
    for (let i = 0; i < 6; i++) timeMicros = timeMicros * 10 + (i < count ? bytes[first + i]! - 48 : 0);
  }
  return seconds + second;
}

const NO_OFFSET = 1e9;

/** Seconds east of UTC of the offset at `position`, NO_OFFSET where there is none, NaN where it is malformed. */
function parseOffset(bytes: Uint8Array, end: number): number {
  const at = position;
  skip(bytes, end, 32);
  if (position >= end) return NO_OFFSET;
  const sign = bytes[position++];
  if (sign === 90 || sign === 122) return 0;
  if (sign !== 43 && sign !== 45) return fail(at, "expected 'Z' or an offset as in +02:00");
  const hours = digits(bytes, end, 2);
  let minutes = 0;
  let seconds = 0;
  if (position < end) {
    const hasColon = skip(bytes, end, 58);
    minutes = digits(bytes, end, 2);
    if (hasColon && skip(bytes, end, 58)) seconds = digits(bytes, end, 2);
  }
  // PostgreSQL's limit: no zone is 16 hours away.
  if (hours < 0 || hours > 15 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 59) {
    return fail(at, 'expected an offset below 16 hours, as in +02:00');
  }
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
  let at = putCivil(bytes, writer.length);
  bytes[at] = 32;
  at = putTime(bytes, at + 1, second);
  if (micros !== 0) at = putFraction(bytes, at, micros);
  writer.length = putOffset(bytes, at, offset);
}

/** The date in CIVIL as `2031-07-04`; gives the offset behind it. */
export function putCivil(bytes: Uint8Array, at: number): number {
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
  return at + 10;
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
