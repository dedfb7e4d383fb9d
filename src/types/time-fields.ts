/**
 * Fields of dates, timestamps and intervals: their names, what each is of a value (extract), and values cut to them
 * (date_trunc, interval_trunc). A field is a number, so that programs find it out once:
 *
 * 1 year, 2 quarter, 3 month, 4 week, 5 day, 6 dow, 7 doy, 8 hour, 9 minute, 10 second, 11 ms, 12 us, 13 epoch
 */

import { SqlError } from '../base/errors.ts';
import { CIVIL, civilOfDays, dayOfWeek, dayOfYear, daysOfCivil, daysSinceMonday, isoWeek } from './calendar.ts';
import { checkedTimestamp, JULIAN_1970 } from './date.ts';
import { DAY_MICROS, type IntervalValue, intervalMicros } from './interval.ts';
import type { TimeZone } from './time-zone.ts';
import { microsOf, secondsOf } from './timestamp.ts';
import { DATE, INTERVAL, type TypeId } from './type.ts';
import { decodeUtf8, showText } from './utf8.ts';

/** Names of fields, and their aliases, by number - 1. */
export const FIELD_NAMES: readonly string[] = [
  'year',
  'quarter',
  'month',
  'week',
  'day',
  'dow',
  'doy',
  'hour hr',
  'minute min',
  'second sec',
  'millisecond ms',
  'microsecond us',
  'epoch',
];

const FIELD_NUMBERS: ReadonlyMap<string, number> = new Map(
  FIELD_NAMES.flatMap((names, index) => names.split(' ').map((name) => [name, index + 1] as const)),
);

/** Who asks for a field: the fields that it does not take are errors. */
export const FOR_EXTRACT = 0;
export const FOR_DATE_TRUNC = 1;
export const FOR_INTERVAL_TRUNC = 2;

const USERS = ['extract', 'date_trunc', 'interval_trunc'];
/** week, dow, doy, epoch: what nothing is cut to; a timestamp can be cut to the week, an interval's months have none. */
const NOT_CUT: readonly (readonly number[])[] = [[], [6, 7, 13], [4, 6, 7, 13]];

/** The field's number, for one of the users above. Throws invalid_value naming the text. */
export function fieldNumber(name: string, user: number): number {
  const field = FIELD_NUMBERS.get(name.toLowerCase());
  if (field === undefined) throw new SqlError('invalid_value', `${USERS[user]}: unknown field '${name.slice(0, 40)}'`);
  if (NOT_CUT[user]!.includes(field))
    throw new SqlError('invalid_value', `${USERS[user]}: cannot cut to '${name.slice(0, 40)}'`);
  return field;
}

const LAST_NAME: Uint8Array = new Uint8Array(16);
let lastLength = -1;
let lastUser = 0;
let lastField = 0;

/** The number of the field whose name is bytes[start, end): where a row names it, mostly that of the row before. */
export function fieldOf(bytes: Uint8Array, start: number, end: number, user: number): number {
  const length = end - start;
  if (length === lastLength && user === lastUser) {
    let i = 0;
    while (i < length && bytes[start + i] === LAST_NAME[i]) i++;
    if (i === length) return lastField;
  }
  if (length > LAST_NAME.length)
    throw new SqlError('invalid_value', `${USERS[user]}: unknown field ${showText(bytes, start, end)}`);
  lastField = fieldNumber(decodeUtf8(bytes, start, end), user);
  for (let i = 0; i < length; i++) LAST_NAME[i] = bytes[start + i]!;
  lastLength = length;
  lastUser = user;
  return lastField;
}

/**
 * The timestamp cut to a field, in the zone: a number, or NaN with TIMESTAMP_BIG. Hours and less are cut with the offset in
 * force, so the repeated hour of autumn stays two. Throws out_of_range where that is before the year 1.
 */
export function truncateTimestamp(num: number, big: bigint, field: number, zone: TimeZone): number {
  const isUtcWeek = zone.isUtc && field === 4;
  const unit = isUtcWeek ? 7 * DAY_MICROS : zone.truncationMicros[field]!;
  if (unit > 0 && num > -9e15 && num < 9e15) {
    // Weeks start three days before 1970-01-01.
    const shifted = isUtcWeek ? num + 3 * DAY_MICROS : num;
    // The quotient may have been rounded up to a whole number.
    const start = Math.floor(shifted / unit) * unit;
    return num - (shifted - (start > shifted ? start - unit : start));
  }
  const utc = secondsOf(num, big);
  if (field >= 10) {
    const micros = microsOf(num, big);
    return checkedTimestamp(utc, field === 10 ? 0 : field === 11 ? micros - (micros % 1000) : micros, 'date_trunc');
  }
  const offset = zone.offsetAt(utc);
  const local = utc + offset;
  if (field >= 8) {
    const unit = field === 8 ? 3600 : 60;
    return checkedTimestamp(Math.floor(local / unit) * unit - offset, 0, 'date_trunc');
  }
  return checkedTimestamp(zone.toUtc(firstDay(field, Math.floor(local / 86400)) * 86400), 0, 'date_trunc');
}

/** The first day (since 1970) of the year, quarter, month or week of a day. */
export function firstDay(field: number, days: number): number {
  switch (field) {
    case 5: // day
      return days;
    case 4: // week
      return days - daysSinceMonday(days);
    case 3: // month
      civilOfDays(days);
      return days - CIVIL[2]! + 1;
    case 2: // quarter
      civilOfDays(days);
      return daysOfCivil(CIVIL[0]!, (((CIVIL[1]! - 1) / 3) | 0) * 3 + 1, 1);
    default: // year
      civilOfDays(days);
      return daysOfCivil(CIVIL[0]!, 1, 1);
  }
}

/** Of a timestamp, in the zone; microseconds and epoch do not depend on it. */
export function extractFromTimestamp(num: number, big: bigint, field: number, zone: TimeZone): number {
  const utc = secondsOf(num, big);
  if (field === 13) return utc;
  if (field >= 11) {
    const micros = microsOf(num, big);
    return field === 11 ? (micros / 1000) | 0 : micros;
  }
  const local = utc + zone.offsetAt(utc);
  const days = Math.floor(local / 86400);
  if (field < 8) return extractFromDays(days, field);
  const second = (local - days * 86400) | 0;
  if (field === 8) return (second / 3600) | 0;
  return field === 9 ? ((second / 60) | 0) % 60 : second % 60;
}

/** Throws invalid_value where a value of that type has no such field. */
export function checkExtract(type: TypeId, field: number): void {
  const name = FIELD_NAMES[field - 1]!.split(' ')[0];
  if (type === DATE && field >= 8 && field !== 13)
    throw new SqlError('invalid_value', `extract: a date has no ${name}`);
  if (type === INTERVAL && (field === 6 || field === 7))
    throw new SqlError('invalid_value', `extract: an interval has no ${name}`);
}

/** Of a date given as Julian day. Throws invalid_value for the fields of a time of day. */
export function extractFromDate(day: number, field: number): number {
  const days = day - JULIAN_1970;
  if (field === 13) return days * 86400;
  if (field >= 8) checkExtract(DATE, field);
  return extractFromDays(days, field);
}

function extractFromDays(days: number, field: number): number {
  switch (field) {
    case 4: // week
      return isoWeek(days);
    case 6: // dow
      return dayOfWeek(days);
    case 7: // doy
      return dayOfYear(days);
    default:
      civilOfDays(days);
      if (field === 1) return CIVIL[0]!;
      if (field === 3) return CIVIL[1]!;
      return field === 2 ? ((CIVIL[1]! + 2) / 3) | 0 : CIVIL[2]!;
  }
}

/**
 * Of an interval: each field is its own part, with its sign: months below the year, minutes below the hour, microseconds
 * below the millisecond. Hours are all hours. Quarters are counted from 1, weeks are whole weeks of the days, and the epoch
 * takes a year as 365.25 days and a month as 30, as PostgreSQL does. Throws invalid_value for dow and doy.
 */
export function extractFromInterval(value: IntervalValue, field: number): number {
  const years = (value.months / 12) | 0;
  const months = value.months - years * 12;
  switch (field) {
    case 1: // year
      return years;
    case 2: // quarter
      return ((months / 3) | 0) + 1;
    case 3: // month
      return months;
    case 4: // week
      return (value.days / 7) | 0;
    case 5: // day
      return value.days;
    case 6: // dow
    case 7: // doy
      checkExtract(INTERVAL, field);
      return 0;
    case 13: {
      // epoch
      const daySeconds = years * 31557600 + months * 2592000 + value.days * 86400;
      return Number((BigInt(daySeconds) * 1000000n + intervalMicros(value)) / 1000000n);
    }
    default:
      return extractTime(value, field);
  }
}

function extractTime(value: IntervalValue, field: number): number {
  let seconds: number;
  let rest: number;
  if (!Number.isNaN(value.micros)) {
    rest = value.micros % 1000000;
    seconds = (value.micros - rest) / 1000000 + 0;
  } else {
    rest = Number(value.big % 1000000n);
    seconds = Number(value.big / 1000000n);
  }
  switch (field) {
    case 8: // hour
      return Math.trunc(seconds / 3600) + 0;
    case 9: // minute
      return ((seconds % 3600) / 60) | 0;
    case 10: // second
      return (seconds % 60) | 0;
    case 11: // ms
      return (rest / 1000) | 0;
    default: // us
      return (rest % 1000) | 0;
  }
}

const UNIT_MICROS: readonly bigint[] = [3600000000n, 60000000n, 1000000n, 1000n, 1n];

/** Cuts an interval to a field, toward zero: what is below the field becomes 0. */
export function truncateInterval(value: IntervalValue, field: number): void {
  if (field <= 3) {
    const unit = field === 1 ? 12 : field === 2 ? 3 : 1;
    value.months -= value.months % unit;
    value.days = 0;
    value.micros = 0;
  } else if (field === 5) value.micros = 0;
  else {
    const unit = UNIT_MICROS[field - 8]!;
    if (!Number.isNaN(value.micros)) value.micros -= value.micros % Number(unit);
    else value.big -= value.big % unit;
  }
}
