/**
 * Functions of dates, timestamps and intervals. Fields count in the time zone given, else in that of the request. Names of
 * fields, zones and formats are mostly the same from row to row: the last ones are kept by those who read them. extract,
 * date_trunc and interval_trunc without a zone have opcodes of their own (sql/binder/time.ts); they are here for calls by
 * name and for the manual.
 */

import { ByteWriter } from '../base/byte-writer.ts';
import { CIVIL, civilOfDays } from '../types/calendar.ts';
import { dateOfParts, dateOfTimestamp, JULIAN_1970, timestampOfDate } from '../types/date.ts';
import {
  createInterval,
  type IntervalValue,
  intervalMicros,
  readInterval,
  writeIntervalWords,
} from '../types/interval.ts';
import { ageOf, binTimestamp, timestampOfParts } from '../types/time-arithmetic.ts';
import {
  extractFromDate,
  extractFromInterval,
  extractFromTimestamp,
  FOR_DATE_TRUNC,
  FOR_EXTRACT,
  FOR_INTERVAL_TRUNC,
  fieldOf,
  truncateInterval,
  truncateTimestamp,
} from '../types/time-fields.ts';
import { type TimeZone, timeZoneOf, UTC } from '../types/time-zone.ts';
import { microsOf, parseTimestamp, secondsOf, TIMESTAMP_BIG, writeTimestamp } from '../types/timestamp.ts';
import { BIGINT, DATE, DOUBLE, INTERVAL, TEXT, TIMESTAMP } from '../types/type.ts';
import { define, type FunctionContext, type ScalarFunction } from './signature.ts';
import {
  AGE,
  AT_TIMEZONE_DOC,
  DATE_BIN,
  DATE_BIN_SWAPPED,
  DATE_TRUNC,
  DATE_TRUNC_SWAPPED,
  EXTRACT,
  EXTRACT_SWAPPED,
  INTERVAL_TRUNC_DOC,
  INTERVAL_TRUNC_SWAPPED,
  MAKE_DATE_DOC,
  MAKE_TIMESTAMP,
  NOW_DOC,
  TIMESTAMP_DOC,
  TO_CHAR,
} from './time-docs.ts';
import { type TimeParts, writeToChar } from './to-char.ts';
import { clampedInt, valueBytes, valueLength, valueStart } from './values.ts';

const INTERVAL_A = createInterval();
const WRITER = new ByteWriter(64);

function zoneAt(context: FunctionContext, register: number): TimeZone {
  const ref = context.num[register]!;
  const start = valueStart(ref);
  return timeZoneOf(valueBytes(context, ref), start, start + valueLength(context, ref));
}

/** The zone in the third register where there are three arguments. */
function zoneOf(context: FunctionContext, first: number, count: number): TimeZone {
  return count === 3 ? zoneAt(context, first + 2) : context.timeZone;
}

function fieldAt(context: FunctionContext, register: number, user: number): number {
  const ref = context.num[register]!;
  const start = valueStart(ref);
  return fieldOf(valueBytes(context, ref), start, start + valueLength(context, ref), user);
}

/** The value beside a register that is NaN. Reading it makes a BigInt, so it is not read where there is none. */
function bigAt(context: FunctionContext, register: number): bigint {
  return Number.isNaN(context.num[register]) ? context.big[register]! : 0n;
}

function intervalAt(context: FunctionContext, register: number): IntervalValue {
  const ref = context.num[register]!;
  readInterval(context.memory.i32[ref >>> 26]!, (ref & 0x3ffffff) << 2, INTERVAL_A);
  return INTERVAL_A;
}

function setInterval(context: FunctionContext, target: number, value: IntervalValue): void {
  const ref = context.scratch.allocate(16);
  writeIntervalWords(context.memory.i32[ref >>> 26]!, (ref & 0x3ffffff) << 2, value);
  context.num[target] = ref;
}

/** Register = a timestamp as its functions give it: a number, or NaN and TIMESTAMP_BIG. */
function setTimestamp(context: FunctionContext, target: number, value: number): void {
  context.num[target] = value;
  if (Number.isNaN(value)) context.big[target] = TIMESTAMP_BIG[0]!;
}

function extractTimestampFirst(context: FunctionContext, target: number, first: number, count: number): void {
  const field = fieldAt(context, first + 1, FOR_EXTRACT);
  const zone = zoneOf(context, first, count);
  context.num[target] = extractFromTimestamp(context.num[first]!, bigAt(context, first), field, zone);
}

function extractTimestampSecond(context: FunctionContext, target: number, first: number, count: number): void {
  const field = fieldAt(context, first, FOR_EXTRACT);
  const zone = zoneOf(context, first, count);
  context.num[target] = extractFromTimestamp(context.num[first + 1]!, bigAt(context, first + 1), field, zone);
}

function extractDateFirst(context: FunctionContext, target: number, first: number): void {
  context.num[target] = extractFromDate(context.num[first]!, fieldAt(context, first + 1, FOR_EXTRACT));
}

function extractDateSecond(context: FunctionContext, target: number, first: number): void {
  context.num[target] = extractFromDate(context.num[first + 1]!, fieldAt(context, first, FOR_EXTRACT));
}

function extractIntervalFirst(context: FunctionContext, target: number, first: number): void {
  context.num[target] = extractFromInterval(intervalAt(context, first), fieldAt(context, first + 1, FOR_EXTRACT));
}

function extractIntervalSecond(context: FunctionContext, target: number, first: number): void {
  context.num[target] = extractFromInterval(intervalAt(context, first + 1), fieldAt(context, first, FOR_EXTRACT));
}

function truncateAt(context: FunctionContext, target: number, register: number, field: number, zone: TimeZone): void {
  setTimestamp(context, target, truncateTimestamp(context.num[register]!, bigAt(context, register), field, zone));
}

function truncFirst(context: FunctionContext, target: number, first: number, count: number): void {
  truncateAt(context, target, first, fieldAt(context, first + 1, FOR_DATE_TRUNC), zoneOf(context, first, count));
}

function truncSecond(context: FunctionContext, target: number, first: number, count: number): void {
  truncateAt(context, target, first + 1, fieldAt(context, first, FOR_DATE_TRUNC), zoneOf(context, first, count));
}

/** Cuts the date in register `date`, as its midnight. Arguments stay as they are: their registers may be read again. */
function truncateDate(context: FunctionContext, target: number, date: number, field: number): void {
  const midnight = timestampOfDate(context.num[date]!, context.timeZone);
  const big = Number.isNaN(midnight) ? TIMESTAMP_BIG[0]! : 0n;
  setTimestamp(context, target, truncateTimestamp(midnight, big, field, context.timeZone));
}

function truncDateFirst(context: FunctionContext, target: number, first: number): void {
  truncateDate(context, target, first, fieldAt(context, first + 1, FOR_DATE_TRUNC));
}

function truncDateSecond(context: FunctionContext, target: number, first: number): void {
  truncateDate(context, target, first + 1, fieldAt(context, first, FOR_DATE_TRUNC));
}

function intervalTruncFirst(context: FunctionContext, target: number, first: number): void {
  const field = fieldAt(context, first + 1, FOR_INTERVAL_TRUNC);
  const value = intervalAt(context, first);
  truncateInterval(value, field);
  setInterval(context, target, value);
}

function intervalTruncSecond(context: FunctionContext, target: number, first: number): void {
  const field = fieldAt(context, first, FOR_INTERVAL_TRUNC);
  const value = intervalAt(context, first + 1);
  truncateInterval(value, field);
  setInterval(context, target, value);
}

/** 2001-01-01 in days since 1970: a Monday. */
const BIN_ORIGIN_DAYS = 11323;

function bin(
  context: FunctionContext,
  target: number,
  value: number,
  stride: number,
  first: number,
  count: number,
): void {
  const origin = count === 3 ? context.num[first + 2]! : context.timeZone.toUtc(BIN_ORIGIN_DAYS * 86400) * 1000000;
  const originBig = count === 3 ? bigAt(context, first + 2) : 0n;
  const interval = intervalAt(context, stride);
  setTimestamp(context, target, binTimestamp(context.num[value]!, bigAt(context, value), interval, origin, originBig));
}

function binFirst(context: FunctionContext, target: number, first: number, count: number): void {
  bin(context, target, first, first + 1, first, count);
}

function binSecond(context: FunctionContext, target: number, first: number, count: number): void {
  bin(context, target, first + 1, first, first, count);
}

function atTimezone(context: FunctionContext, target: number, first: number): void {
  WRITER.reset();
  writeTimestamp(WRITER, context.num[first]!, bigAt(context, first), zoneAt(context, first + 1));
  context.num[target] = context.scratch.text(WRITER.bytes, 0, WRITER.length);
}

/** age(later, earlier); age(earlier) counts from the start of today. */
function age(context: FunctionContext, target: number, first: number, count: number): void {
  const zone = context.timeZone;
  const { num } = context;
  if (count === 1) {
    const midnight = timestampOfDate(dateOfTimestamp(context.now, 0n, zone), zone);
    ageOf(midnight, 0n, num[first]!, bigAt(context, first), zone, INTERVAL_A);
  } else ageOf(num[first]!, bigAt(context, first), num[first + 1]!, bigAt(context, first + 1), zone, INTERVAL_A);
  setInterval(context, target, INTERVAL_A);
}

/** Of dates the time zone does not matter. */
function ageOfDates(context: FunctionContext, target: number, first: number, count: number): void {
  const later = count === 2 ? context.num[first]! : dateOfTimestamp(context.now, 0n, context.timeZone);
  const left = timestampOfDate(later, UTC);
  const leftBig = Number.isNaN(left) ? TIMESTAMP_BIG[0]! : 0n;
  const right = timestampOfDate(context.num[first + count - 1]!, UTC);
  const rightBig = Number.isNaN(right) ? TIMESTAMP_BIG[0]! : 0n;
  ageOf(left, leftBig, right, rightBig, UTC, INTERVAL_A);
  setInterval(context, target, INTERVAL_A);
}

const PARTS: TimeParts = {
  isInterval: false,
  year: 0,
  month: 0,
  day: 0,
  hour: 0,
  minute: 0,
  second: 0,
  micros: 0,
  days: 0,
  offset: 0,
  zone: '',
};

function setLocal(localSeconds: number, micros: number, offset: number, zone: string): void {
  const days = Math.floor(localSeconds / 86400);
  const second = localSeconds - days * 86400;
  civilOfDays(days);
  PARTS.isInterval = false;
  PARTS.year = CIVIL[0]!;
  PARTS.month = CIVIL[1]!;
  PARTS.day = CIVIL[2]!;
  PARTS.hour = Math.floor(second / 3600);
  PARTS.minute = Math.floor(second / 60) % 60;
  PARTS.second = second % 60;
  PARTS.micros = micros;
  PARTS.days = days;
  PARTS.offset = offset;
  PARTS.zone = zone;
}

/** The parts by the format in register `format`. */
function setChars(context: FunctionContext, target: number, format: number): void {
  const ref = context.num[format]!;
  const start = valueStart(ref);
  WRITER.reset();
  writeToChar(WRITER, PARTS, valueBytes(context, ref), start, start + valueLength(context, ref));
  context.num[target] = context.scratch.text(WRITER.bytes, 0, WRITER.length);
}

function timestampToChar(context: FunctionContext, target: number, first: number): void {
  const num = context.num[first]!;
  const big = bigAt(context, first);
  const utc = secondsOf(num, big);
  const offset = context.timeZone.offsetAt(utc);
  setLocal(utc + offset, microsOf(num, big), offset, context.timeZone.name);
  setChars(context, target, first + 1);
}

function dateToChar(context: FunctionContext, target: number, first: number): void {
  const local = (context.num[first]! - JULIAN_1970) * 86400;
  setLocal(local, 0, context.timeZone.offsetAt(context.timeZone.toUtc(local)), context.timeZone.name);
  setChars(context, target, first + 1);
}

function intervalToChar(context: FunctionContext, target: number, first: number): void {
  const value = intervalAt(context, first);
  const micros = intervalMicros(value);
  PARTS.isInterval = true;
  PARTS.year = Math.trunc(value.months / 12);
  PARTS.month = value.months % 12;
  PARTS.day = value.days;
  PARTS.hour = Number(micros / 3600000000n);
  PARTS.minute = Number((micros / 60000000n) % 60n);
  PARTS.second = Number((micros / 1000000n) % 60n);
  PARTS.micros = Number(micros % 1000000n);
  setChars(context, target, first + 1);
}

function makeDate(context: FunctionContext, target: number, first: number): void {
  const [year, month, day] = [
    clampedInt(context, first),
    clampedInt(context, first + 1),
    clampedInt(context, first + 2),
  ];
  context.num[target] = dateOfParts(year, month, day, 'make_date');
}

function makeTimestamp(context: FunctionContext, target: number, first: number, count: number): void {
  const [year, month, day] = [
    clampedInt(context, first),
    clampedInt(context, first + 1),
    clampedInt(context, first + 2),
  ];
  const days = dateOfParts(year, month, day, 'make_timestamp') - JULIAN_1970;
  const hour = clampedInt(context, first + 3);
  const minute = clampedInt(context, first + 4);
  const zone = count === 7 ? zoneAt(context, first + 6) : context.timeZone;
  const value = timestampOfParts(days, hour, minute, context.num[first + 5]!, zone, 'make_timestamp');
  setTimestamp(context, target, value);
}

function timestampInZone(context: FunctionContext, target: number, first: number): void {
  const ref = context.num[first]!;
  const start = valueStart(ref);
  const zone = zoneAt(context, first + 1);
  const end = start + valueLength(context, ref);
  setTimestamp(context, target, parseTimestamp(valueBytes(context, ref), start, end, zone));
}

function now(context: FunctionContext, target: number): void {
  context.num[target] = context.now;
}

const DATE_AND_TIME = [BIGINT, BIGINT, BIGINT, BIGINT, BIGINT, DOUBLE];

export const TIME_FUNCTIONS: readonly ScalarFunction[] = [
  define('now', [], TIMESTAMP, now, { doc: NOW_DOC }),
  define('extract', [TIMESTAMP, TEXT], BIGINT, extractTimestampFirst, EXTRACT),
  define('extract', [TIMESTAMP, TEXT, TEXT], BIGINT, extractTimestampFirst, EXTRACT),
  define('extract', [DATE, TEXT], BIGINT, extractDateFirst, EXTRACT),
  define('extract', [INTERVAL, TEXT], BIGINT, extractIntervalFirst, EXTRACT),
  define('extract', [TEXT, TIMESTAMP], BIGINT, extractTimestampSecond, EXTRACT_SWAPPED),
  define('extract', [TEXT, TIMESTAMP, TEXT], BIGINT, extractTimestampSecond, EXTRACT_SWAPPED),
  define('extract', [TEXT, DATE], BIGINT, extractDateSecond, EXTRACT_SWAPPED),
  define('extract', [TEXT, INTERVAL], BIGINT, extractIntervalSecond, EXTRACT_SWAPPED),
  define('date_trunc', [TIMESTAMP, TEXT], TIMESTAMP, truncFirst, DATE_TRUNC),
  define('date_trunc', [TIMESTAMP, TEXT, TEXT], TIMESTAMP, truncFirst, DATE_TRUNC),
  define('date_trunc', [DATE, TEXT], TIMESTAMP, truncDateFirst, DATE_TRUNC),
  define('date_trunc', [TEXT, TIMESTAMP], TIMESTAMP, truncSecond, DATE_TRUNC_SWAPPED),
  define('date_trunc', [TEXT, TIMESTAMP, TEXT], TIMESTAMP, truncSecond, DATE_TRUNC_SWAPPED),
  define('date_trunc', [TEXT, DATE], TIMESTAMP, truncDateSecond, DATE_TRUNC_SWAPPED),
  define('interval_trunc', [INTERVAL, TEXT], INTERVAL, intervalTruncFirst, { doc: INTERVAL_TRUNC_DOC }),
  define('interval_trunc', [TEXT, INTERVAL], INTERVAL, intervalTruncSecond, INTERVAL_TRUNC_SWAPPED),
  define('date_bin', [TIMESTAMP, INTERVAL], TIMESTAMP, binFirst, DATE_BIN),
  define('date_bin', [TIMESTAMP, INTERVAL, TIMESTAMP], TIMESTAMP, binFirst, DATE_BIN),
  define('date_bin', [INTERVAL, TIMESTAMP], TIMESTAMP, binSecond, DATE_BIN_SWAPPED),
  define('date_bin', [INTERVAL, TIMESTAMP, TIMESTAMP], TIMESTAMP, binSecond, DATE_BIN_SWAPPED),
  define('at_timezone', [TIMESTAMP, TEXT], TEXT, atTimezone, { doc: AT_TIMEZONE_DOC }),
  define('age', [TIMESTAMP], INTERVAL, age, AGE),
  define('age', [DATE], INTERVAL, ageOfDates, AGE),
  define('age', [TIMESTAMP, TIMESTAMP], INTERVAL, age, AGE),
  define('age', [DATE, DATE], INTERVAL, ageOfDates, AGE),
  define('to_char', [TIMESTAMP, TEXT], TEXT, timestampToChar, TO_CHAR),
  define('to_char', [DATE, TEXT], TEXT, dateToChar, TO_CHAR),
  define('to_char', [INTERVAL, TEXT], TEXT, intervalToChar, TO_CHAR),
  define('make_date', [BIGINT, BIGINT, BIGINT], DATE, makeDate, { doc: MAKE_DATE_DOC }),
  define('make_timestamp', DATE_AND_TIME, TIMESTAMP, makeTimestamp, MAKE_TIMESTAMP),
  define('make_timestamp', [...DATE_AND_TIME, TEXT], TIMESTAMP, makeTimestamp, MAKE_TIMESTAMP),
  define('timestamp', [TEXT, TEXT], TIMESTAMP, timestampInZone, { doc: TIMESTAMP_DOC }),
];
