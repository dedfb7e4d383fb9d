/** Functions of timestamps. Fields count in the time zone given, else in that of the request. */

import { SqlError } from '../base/errors.ts';
import { type TimeZone, timeZone } from '../types/time-zone.ts';
import {
  CIVIL,
  civilOfDays,
  daysOfCivil,
  microsOf,
  secondsOf,
  TIMESTAMP_BIG,
  TIMESTAMP_SECONDS_MIN,
  timestampOf,
} from '../types/timestamp.ts';
import { BIGINT, TEXT, TIMESTAMP } from '../types/type.ts';
import { define, type FunctionContext, type ScalarFunction } from './signature.ts';
import { textOf } from './values.ts';

const FIELD_NUMBERS: ReadonlyMap<string, number> = new Map([
  ['year', 1],
  ['quarter', 2],
  ['month', 3],
  ['week', 4],
  ['day', 5],
  ['dow', 6],
  ['doy', 7],
  ['hour', 8],
  ['hr', 8],
  ['minute', 9],
  ['min', 9],
  ['second', 10],
  ['sec', 10],
  ['millisecond', 11],
  ['ms', 11],
  ['microsecond', 12],
  ['us', 12],
  ['epoch', 13],
]); // prettier-ignore

function fieldNumber(context: FunctionContext, register: number, name: string): number {
  const text = textOf(context, register);
  const field = FIELD_NUMBERS.get(text.toLowerCase());
  if (field === undefined) throw new SqlError('invalid_value', `${name}: unknown field '${text.slice(0, 40)}'`);
  return field;
}

function zoneOf(context: FunctionContext, first: number, count: number): TimeZone {
  return count === 3 ? timeZone(textOf(context, first + 2)) : context.timeZone;
}

function extractFirst(context: FunctionContext, target: number, first: number, count: number): void {
  context.num[target] = extract(context, first, first + 1, zoneOf(context, first, count));
}

function extractSecond(context: FunctionContext, target: number, first: number, count: number): void {
  context.num[target] = extract(context, first + 1, first, zoneOf(context, first, count));
}

function extract(context: FunctionContext, value: number, fieldRegister: number, zone: TimeZone): number {
  const field = fieldNumber(context, fieldRegister, 'extract');
  const num = context.num[value]!;
  const big = context.big[value]!;
  const utc = secondsOf(num, big);
  if (field === 13) return utc;
  if (field >= 11) {
    const micros = microsOf(num, big);
    return field === 11 ? Math.floor(micros / 1000) : micros;
  }
  const local = utc + zone.offsetAt(utc);
  const days = Math.floor(local / 86400);
  const second = local - days * 86400;
  switch (field) {
    case 8: // hour
      return Math.floor(second / 3600);
    case 9: // minute
      return Math.floor(second / 60) % 60;
    case 10: // second
      return second % 60;
    case 6: // dow: 1970-01-01 was a Thursday
      return (((days + 4) % 7) + 7) % 7;
    case 4: // week
      return isoWeek(days);
    default:
      civilOfDays(days);
      return dateField(field, days);
  }
}

function dateField(field: number, days: number): number {
  switch (field) {
    case 1: // year
      return CIVIL[0]!;
    case 2: // quarter
      return Math.floor((CIVIL[1]! + 2) / 3);
    case 3: // month
      return CIVIL[1]!;
    case 5: // day
      return CIVIL[2]!;
    default: // doy
      return days - daysOfCivil(CIVIL[0]!, 1, 1) + 1;
  }
}

/** Days since Monday. */
function dayOfIsoWeek(days: number): number {
  return (((days + 3) % 7) + 7) % 7;
}

/** The ISO week belongs to the year of its Thursday. */
function isoWeek(days: number): number {
  const thursday = days - dayOfIsoWeek(days) + 3;
  civilOfDays(thursday);
  return Math.floor((thursday - daysOfCivil(CIVIL[0]!, 1, 1)) / 7) + 1;
}

function truncFirst(context: FunctionContext, target: number, first: number, count: number): void {
  truncate(context, target, first, first + 1, zoneOf(context, first, count));
}

function truncSecond(context: FunctionContext, target: number, first: number, count: number): void {
  truncate(context, target, first + 1, first, zoneOf(context, first, count));
}

function truncate(
  context: FunctionContext,
  target: number,
  value: number,
  fieldRegister: number,
  zone: TimeZone,
): void {
  const field = fieldNumber(context, fieldRegister, 'date_trunc');
  if (field === 6 || field === 7 || field === 13) {
    throw new SqlError('invalid_value', `date_trunc: cannot cut to '${textOf(context, fieldRegister)}'`);
  }
  const num = context.num[value]!;
  const big = context.big[value]!;
  const utc = secondsOf(num, big);
  const micros = microsOf(num, big);
  if (field >= 10) {
    set(context, target, utc, field === 10 ? 0 : field === 11 ? micros - (micros % 1000) : micros);
    return;
  }
  const offset = zone.offsetAt(utc);
  const local = utc + offset;
  if (field >= 8) {
    // Hours and minutes are cut with the offset in force, so the repeated hour of autumn stays two.
    const unit = field === 8 ? 3600 : 60;
    set(context, target, Math.floor(local / unit) * unit - offset, 0);
    return;
  }
  set(context, target, zone.toUtc(firstDay(field, Math.floor(local / 86400)) * 86400), 0);
}

/** The first day of the year, quarter, month or week of a day. */
function firstDay(field: number, days: number): number {
  civilOfDays(days);
  switch (field) {
    case 1: // year
      return daysOfCivil(CIVIL[0]!, 1, 1);
    case 2: // quarter
      return daysOfCivil(CIVIL[0]!, Math.floor((CIVIL[1]! - 1) / 3) * 3 + 1, 1);
    case 3: // month
      return daysOfCivil(CIVIL[0]!, CIVIL[1]!, 1);
    case 4: // week
      return days - dayOfIsoWeek(days);
    default: // day
      return days;
  }
}

function set(context: FunctionContext, target: number, seconds: number, micros: number): void {
  if (seconds < TIMESTAMP_SECONDS_MIN) throw new SqlError('out_of_range', 'date_trunc: before the year 1');
  const value = timestampOf(seconds, micros);
  context.num[target] = value;
  if (Number.isNaN(value)) context.big[target] = TIMESTAMP_BIG[0]!;
}

function now(context: FunctionContext, target: number): void {
  context.num[target] = context.now;
}

export const TIME_FUNCTIONS: readonly ScalarFunction[] = [
  define('now', [], TIMESTAMP, now),
  define('extract', [TIMESTAMP, TEXT], BIGINT, extractFirst),
  define('extract', [TEXT, TIMESTAMP], BIGINT, extractSecond),
  define('extract', [TIMESTAMP, TEXT, TEXT], BIGINT, extractFirst),
  define('extract', [TEXT, TIMESTAMP, TEXT], BIGINT, extractSecond),
  define('date_trunc', [TIMESTAMP, TEXT], TIMESTAMP, truncFirst),
  define('date_trunc', [TEXT, TIMESTAMP], TIMESTAMP, truncSecond),
  define('date_trunc', [TIMESTAMP, TEXT, TEXT], TIMESTAMP, truncFirst),
  define('date_trunc', [TEXT, TIMESTAMP, TEXT], TIMESTAMP, truncSecond),
];
