/**
 * Intervals as text. Read: numbers, each with its own sign, and units (`1 year -3 days 2 hours 40 ms`), fractions
 * (`1.5 days` is 1 day 12 hours: what is below a month goes into days and hours, as in PostgreSQL), and times of day
 * (`-02:30:01.5`). The empty text is zero, so that what is printed can be read.
 */

import type { ByteWriter } from '../base/byte-writer.ts';
import { SqlError } from '../base/errors.ts';
import { type IntervalValue, intervalMicros, setIntervalMicros } from './interval.ts';
import { writeInt } from './number-text.ts';
import { decodeUtf8, showText } from './utf8.ts';

/** What one of a unit is: [months, days, microseconds]. */
const UNITS: ReadonlyMap<string, readonly [months: number, days: number, micros: number]> = new Map(
  (
    [
      ['year years', 12, 0, 0],
      ['month months mon mons', 1, 0, 0],
      ['week weeks', 0, 7, 0],
      ['day days', 0, 1, 0],
      ['hour hours hr hrs', 0, 0, 3_600_000_000],
      ['minute minutes min mins', 0, 0, 60_000_000],
      ['second seconds sec secs', 0, 0, 1_000_000],
      ['millisecond milliseconds ms', 0, 0, 1000],
      ['microsecond microseconds us', 0, 0, 1],
    ] as const
  ).flatMap(([names, ...parts]) => names.split(' ').map((name) => [name, parts] as const)),
);

/** Longest unit: `microseconds`. */
const UNIT_BYTES_MAX = 12;
/** Digits of a number; more cannot fit 64 bits. */
const DIGITS_MAX = 19;

/** Where the parser stands; the digits read last, and the fraction behind them in billionths. */
let position = 0;
let whole = 0n;
let billionths = 0;

function isSpace(byte: number): boolean {
  return byte === 32 || (byte >= 9 && byte <= 13);
}

function isDigit(byte: number): boolean {
  return byte >= 48 && byte <= 57;
}

function isLetter(byte: number): boolean {
  return (byte >= 97 && byte <= 122) || (byte >= 65 && byte <= 90);
}

/** The interval of bytes[start, end) into `target`. Throws invalid_value (with the offset in the text) and out_of_range. */
export function parseInterval(bytes: Uint8Array, start: number, end: number, target: IntervalValue): void {
  const invalid = (what: string): SqlError =>
    new SqlError('invalid_value', `invalid interval ${showText(bytes, start, end)} at ${position - start}: ${what}`);
  const tooLarge = (): SqlError =>
    new SqlError('out_of_range', `interval ${showText(bytes, start, end)} is out of range`);
  let months = 0;
  let days = 0;
  let micros = 0n;
  position = start;
  for (;;) {
    while (position < end && isSpace(bytes[position]!)) position++;
    if (position >= end) break;
    const signByte = bytes[position];
    const isNegative = signByte === 45;
    if (isNegative || signByte === 43) position++;
    while (position < end && isSpace(bytes[position]!)) position++;
    if (!readNumber(bytes, end)) throw invalid('expected a number');
    if (whole > 9223372036854775808n) throw tooLarge();
    if (position < end && bytes[position] === 58) {
      const time = readTime(bytes, end);
      if (time < 0n) throw invalid('expected a time of day as in 02:30:01.5');
      micros += isNegative ? -time : time;
      continue;
    }
    while (position < end && isSpace(bytes[position]!)) position++;
    const word = position;
    while (position < end && isLetter(bytes[position]!)) position++;
    const unit =
      position - word <= UNIT_BYTES_MAX ? UNITS.get(decodeUtf8(bytes, word, position).toLowerCase()) : undefined;
    if (unit === undefined) {
      position = word;
      throw invalid('expected a unit: years, months, weeks, days, hours, minutes, seconds, ms or us');
    }
    const sign = isNegative ? -1 : 1;
    const count = isNegative ? -whole : whole;
    const fraction = sign * billionths * 1e-9;
    const [unitMonths, unitDays, unitMicros] = unit;
    if (unitMicros > 0) micros += count * BigInt(unitMicros) + BigInt(Math.round(fraction * unitMicros));
    else {
      months += Number(count) * unitMonths;
      days += Number(count) * unitDays;
      // A fraction of a year is rounded to months; of months and less, to days and then microseconds.
      if (unitMonths === 12) months += Math.round(fraction * 12);
      else if (billionths > 0) {
        const fractionDays = fraction * (unitMonths === 1 ? 30 : unitDays);
        days += Math.trunc(fractionDays);
        micros += BigInt(Math.round((fractionDays - Math.trunc(fractionDays)) * 86_400_000_000));
      }
    }
    if (Math.abs(months) > 2 ** 40 || Math.abs(days) > 2 ** 40) throw tooLarge();
  }
  const fits = months === (months | 0) && days === (days | 0);
  if (!fits || !setIntervalMicros(target, micros)) throw tooLarge();
  target.months = months;
  target.days = days;
}

/** Reads `123`, `1.5` or `.5` into whole and billionths; false where there is none. */
function readNumber(bytes: Uint8Array, end: number): boolean {
  const first = position;
  while (position < end && isDigit(bytes[position]!)) position++;
  let significant = first;
  while (significant < position && bytes[significant] === 48) significant++;
  const digits = position - first;
  const text = decodeUtf8(bytes, significant, Math.min(position, significant + DIGITS_MAX + 1));
  whole = text === '' ? 0n : BigInt(text);
  billionths = 0;
  if (position >= end || bytes[position] !== 46) return digits > 0;
  position++;
  const fractionStart = position;
  let scale = 100_000_000;
  while (position < end && isDigit(bytes[position]!)) {
    billionths += (bytes[position]! - 48) * scale;
    scale = Math.floor(scale / 10);
    position++;
  }
  return digits + position - fractionStart > 0;
}

/** Behind the hours of `hh:mm[:ss[.ffffff]]`, at the colon: the microseconds, -1 where it is malformed. */
function readTime(bytes: Uint8Array, end: number): bigint {
  const hours = whole;
  if (billionths > 0) return -1n;
  position++;
  const minutes = readSixty(bytes, end);
  let seconds = 0;
  billionths = 0;
  if (minutes >= 0 && position < end && bytes[position] === 58) {
    position++;
    seconds = readSixty(bytes, end);
    if (seconds >= 0 && position < end && bytes[position] === 46) {
      const first = position;
      readNumber(bytes, end);
      if (position === first + 1) return -1n;
    }
  }
  if (minutes < 0 || seconds < 0) return -1n;
  return hours * 3_600_000_000n + BigInt(minutes * 60 + seconds) * 1_000_000n + BigInt(Math.round(billionths / 1000));
}

/** One or two digits below 60, -1 where they are not. */
function readSixty(bytes: Uint8Array, end: number): number {
  const first = position;
  let value = 0;
  while (position < end && position < first + 2 && isDigit(bytes[position]!)) {
    value = value * 10 + bytes[position]! - 48;
    position++;
  }
  if (position === first || value > 59 || (position < end && isDigit(bytes[position]!))) return -1;
  return value;
}

/** Appends `1 year 2 months -3 days 4 hours 40 ms`, without quotes; nothing for zero. */
export function writeInterval(writer: ByteWriter, value: IntervalValue): void {
  const start = writer.length;
  const years = Math.trunc(value.months / 12);
  writePart(writer, start, years, 'year');
  writePart(writer, start, value.months - years * 12, 'month');
  writePart(writer, start, value.days, 'day');
  let rest: number;
  let hours: number;
  if (!Number.isNaN(value.micros)) {
    hours = Math.trunc(value.micros / 3_600_000_000);
    rest = value.micros - hours * 3_600_000_000;
    // The quotient may have been rounded away from zero to a whole number.
    if (rest !== 0 && rest < 0 !== value.micros < 0) {
      const step = value.micros < 0 ? -1 : 1;
      hours -= step;
      rest += step * 3_600_000_000;
    }
  } else {
    const micros = intervalMicros(value);
    hours = Number(micros / 3_600_000_000n);
    rest = Number(micros % 3_600_000_000n);
  }
  writePart(writer, start, hours, 'hour');
  const minutes = Math.trunc(rest / 60_000_000);
  rest -= minutes * 60_000_000;
  writePart(writer, start, minutes, 'minute');
  const seconds = Math.trunc(rest / 1_000_000);
  rest -= seconds * 1_000_000;
  writePart(writer, start, seconds, 'second');
  const millis = Math.trunc(rest / 1000);
  writePart(writer, start, millis, 'ms');
  writePart(writer, start, rest - millis * 1000, 'us');
}

function writePart(writer: ByteWriter, start: number, count: number, unit: string): void {
  if (count === 0) return;
  if (writer.length > start) writer.byte(32);
  writeInt(writer, count, 0n);
  writer.byte(32);
  writer.ascii(unit);
  if (count !== 1 && unit.length > 2) writer.byte(115);
}
