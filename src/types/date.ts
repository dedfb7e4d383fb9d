/**
 * Dates: Julian day numbers, from 0001-01-01 (1721426) to 9999-12-31 (5373484); 2000-01-01 is 2451545. A number orders, is
 * hashed and is equal as its date, so a date is its own key.
 */

import type { ByteWriter } from '../base/byte-writer.ts';
import { SqlError } from '../base/errors.ts';
import { civilOfDays, daysInMonth, daysOfCivil } from './calendar.ts';
import type { TimeZone } from './time-zone.ts';
import { parseDateText, putCivil, secondsOf, timestampOf } from './timestamp.ts';
import { showText } from './utf8.ts';

/** The Julian day of 1970-01-01. */
export const JULIAN_1970 = 2440588;
export const DATE_MIN = 1721426;
export const DATE_MAX = 5373484;

/** True for the Julian days of the years 1 to 9999. */
export function isDate(day: number): boolean {
  return day >= DATE_MIN && day <= DATE_MAX;
}

/** The date of bytes[start, end), `YYYY-MM-DD`; where `hasTime` a time of day may follow, which is dropped. Throws SqlError. */
export function parseDate(bytes: Uint8Array, start: number, end: number, hasTime = false): number {
  const day = parseDateText(bytes, start, end, hasTime) + JULIAN_1970;
  if (!isDate(day)) {
    throw new SqlError('out_of_range', `date ${showText(bytes, start, end)} is outside the years 1 to 9999`);
  }
  return day;
}

/** Appends `2031-07-04`, without quotes. */
export function writeDate(writer: ByteWriter, day: number): void {
  civilOfDays(day - JULIAN_1970);
  writer.ensure(10);
  writer.length = putCivil(writer.bytes, writer.length);
}

/** The date `days` days later; `operator` and sign for the message. Throws out_of_range. */
export function addDays(day: number, days: number, operator: '+' | '-'): number {
  const sum = operator === '+' ? day + days : day - days;
  if (!isDate(sum)) throw new SqlError('out_of_range', `date ${operator} int is outside the years 1 to 9999`);
  return sum;
}

/** The day, in the zone, of a timestamp. Throws out_of_range where the zone moves it out of the years 1 to 9999. */
export function dateOfTimestamp(num: number, big: bigint, zone: TimeZone): number {
  const utc = secondsOf(num, big);
  const day = Math.floor((utc + zone.offsetAt(utc)) / 86400) + JULIAN_1970;
  if (!isDate(day)) throw new SqlError('out_of_range', 'the date of the timestamp is outside the years 1 to 9999');
  return day;
}

/** Midnight of a date in the zone: a number, or NaN with the value in TIMESTAMP_BIG. Throws out_of_range as above. */
export function timestampOfDate(day: number, zone: TimeZone): number {
  return checkedTimestamp(zone.toUtc((day - JULIAN_1970) * 86400), 0, 'timestamp of the date');
}

/** The date of a year, month and day, any numbers. Throws out_of_range where there is none. */
export function dateOfParts(year: number, month: number, day: number, name: string): number {
  const isPossible =
    year >= 1 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month);
  if (!isPossible) throw new SqlError('out_of_range', `${name}: there is no date ${year}-${month}-${day}`);
  return daysOfCivil(year, month, day) + JULIAN_1970;
}

const SECONDS_MIN = (DATE_MIN - JULIAN_1970) * 86400;
const SECONDS_END = (DATE_MAX + 1 - JULIAN_1970) * 86400;

/** The timestamp of seconds and microseconds, which `what` names in the error out_of_range. */
export function checkedTimestamp(seconds: number, micros: number, what: string): number {
  if (!(seconds >= SECONDS_MIN && seconds < SECONDS_END)) {
    throw new SqlError('out_of_range', `${what} is outside the years 1 to 9999`);
  }
  return timestampOf(seconds, micros);
}

/** Year, month and day of a date into CIVIL. */
export function civilOfDate(day: number): void {
  civilOfDays(day - JULIAN_1970);
}
