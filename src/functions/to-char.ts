/**
 * to_char of dates, timestamps and intervals: PostgreSQL's template patterns. A format is split into items once and kept
 * while it stays the same from row to row.
 *
 * A pattern is taken longest first, in capitals or small letters as listed below; `FM` before it drops padding, `TH` or `th`
 * behind it makes an ordinal; `"…"` is text, in which a backslash takes the next character as it is. All else is text too.
 */

import type { ByteWriter } from '../base/byte-writer.ts';
import { SqlError } from '../base/errors.ts';
import { CIVIL, dayOfWeek, dayOfYear, isoWeek } from '../types/calendar.ts';
import { JULIAN_1970 } from '../types/date.ts';
import { decodeUtf8 } from '../types/utf8.ts';

/** What is printed. Of an interval each field has its own sign, and there are no days since 1970. */
export type TimeParts = {
  isInterval: boolean;
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  micros: number;
  /** Days since 1970-01-01. */
  days: number;
  /** Seconds east of UTC. */
  offset: number;
  zone: string;
};

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const ROMAN = ['I', 'II', 'III', 'IV', 'V', 'VI', 'VII', 'VIII', 'IX', 'X', 'XI', 'XII'];

type Print = (parts: TimeParts, isFilled: boolean) => string;

/** A number with at least that many digits. */
function padded(value: number, width: number, isFilled: boolean): string {
  const digits = String(Math.abs(value));
  return (value < 0 ? '-' : '') + (isFilled ? digits.padStart(width, '0') : digits);
}

function number(width: number, value: (parts: TimeParts) => number): Print {
  return (parts, isFilled) => padded(value(parts), width, isFilled);
}

/** A name in the case of its pattern, filled with blanks. */
function name(pattern: string, width: number, value: (parts: TimeParts) => string): Print {
  const isUpper = pattern === pattern.toUpperCase();
  const isLower = pattern === pattern.toLowerCase();
  return (parts, isFilled) => {
    const text = value(parts);
    const shown = isUpper ? text.toUpperCase() : isLower ? text.toLowerCase() : text;
    return isFilled ? shown.padEnd(width) : shown;
  };
}

function fraction(digits: number): Print {
  return (parts) => padded(Math.trunc(parts.micros / 10 ** (6 - digits)), digits, true);
}

function hour12(parts: TimeParts): number {
  return parts.hour % 12 === 0 ? 12 : parts.hour % 12;
}

function isoYear(parts: TimeParts): number {
  isoWeek(parts.days);
  return CIVIL[0]!;
}

function isoDayOfWeek(parts: TimeParts): number {
  return ((dayOfWeek(parts.days) + 6) % 7) + 1;
}

function offsetText(parts: TimeParts): string {
  const minutes = Math.floor(Math.abs(parts.offset) / 60);
  const rest = minutes % 60 === 0 ? '' : `:${padded(minutes % 60, 2, true)}`;
  return `${parts.offset < 0 ? '-' : '+'}${padded(Math.floor(minutes / 60), 2, true)}${rest}`;
}

/** Patterns that say the same of any case. */
const NUMBERS: readonly (readonly [pattern: string, print: Print, isOfInterval: boolean])[] = [
  ['YYYY', number(4, (p) => p.year), true],
  ['YYY', number(3, (p) => p.year % 1000), true],
  ['YY', number(2, (p) => p.year % 100), true],
  ['Y', number(1, (p) => p.year % 10), true],
  ['Y,YYY', (p) => `${Math.trunc(p.year / 1000)},${padded(Math.abs(p.year % 1000), 3, true)}`, true],
  ['IYYY', number(4, isoYear), false],
  ['IYY', number(3, (p) => isoYear(p) % 1000), false],
  ['IY', number(2, (p) => isoYear(p) % 100), false],
  ['I', number(1, (p) => isoYear(p) % 10), false],
  ['CC', number(2, (p) => Math.floor((p.year + 99) / 100)), false],
  ['Q', number(1, (p) => Math.floor((p.month + 2) / 3)), false],
  ['MM', number(2, (p) => p.month), true],
  ['WW', number(2, (p) => Math.floor((dayOfYear(p.days) - 1) / 7) + 1), false],
  ['W', number(1, (p) => Math.floor((p.day - 1) / 7) + 1), false],
  ['IW', number(2, (p) => isoWeek(p.days)), false],
  ['DDD', number(3, (p) => dayOfYear(p.days)), false],
  ['IDDD', number(3, (p) => (isoWeek(p.days) - 1) * 7 + isoDayOfWeek(p)), false],
  ['DD', number(2, (p) => p.day), true],
  ['D', number(1, (p) => dayOfWeek(p.days) + 1), false],
  ['ID', number(1, isoDayOfWeek), false],
  ['J', number(1, (p) => p.days + JULIAN_1970), false],
  ['HH24', number(2, (p) => p.hour), true],
  ['HH12', number(2, hour12), true],
  ['HH', number(2, hour12), true],
  ['MI', number(2, (p) => p.minute), true],
  ['SSSSS', number(1, (p) => p.hour * 3600 + p.minute * 60 + p.second), true],
  ['SSSS', number(1, (p) => p.hour * 3600 + p.minute * 60 + p.second), true],
  ['SS', number(2, (p) => p.second), true],
  ['MS', fraction(3), true],
  ['US', fraction(6), true],
  ...[1, 2, 3, 4, 5, 6].map((digits) => [`FF${digits}`, fraction(digits), true] as const),
];

const NAMES: readonly (readonly [pattern: string, print: Print])[] = [
  ...['MONTH', 'Month', 'month'].map((p) => [p, name(p, 9, ({ month }) => MONTHS[month - 1]!)] as const),
  ...['MON', 'Mon', 'mon'].map((p) => [p, name(p, 0, ({ month }) => MONTHS[month - 1]!.slice(0, 3))] as const),
  ...['DAY', 'Day', 'day'].map((p) => [p, name(p, 9, ({ days }) => DAYS[dayOfWeek(days)]!)] as const),
  ...['DY', 'Dy', 'dy'].map((p) => [p, name(p, 0, ({ days }) => DAYS[dayOfWeek(days)]!.slice(0, 3))] as const),
  ...['RM', 'rm'].map((p) => [p, name(p, 4, ({ month }) => ROMAN[month - 1]!)] as const),
  ...['AM', 'PM', 'am', 'pm'].map((p) => [p, name(p, 0, ({ hour }) => (hour < 12 ? 'AM' : 'PM'))] as const),
  ...['A.M.', 'P.M.', 'a.m.', 'p.m.'].map((p) => [p, name(p, 0, ({ hour }) => (hour < 12 ? 'A.M.' : 'P.M.'))] as const),
  ...['AD', 'BC', 'ad', 'bc'].map((p) => [p, name(p, 0, () => 'AD')] as const),
  ...['A.D.', 'B.C.', 'a.d.', 'b.c.'].map((p) => [p, name(p, 0, () => 'A.D.')] as const),
  // The runtime's zone data has no abbreviations: the offset stands for them.
  ...['TZ', 'tz'].map((p) => [p, name(p, 0, (parts) => (parts.zone === 'UTC' ? 'UTC' : offsetText(parts)))] as const),
  ['TZH', (parts) => offsetText(parts).slice(0, 3)],
  ['TZM', (parts) => padded(Math.floor(Math.abs(parts.offset) / 60) % 60, 2, true)],
  ['OF', offsetText],
];

type Pattern = { readonly text: string; readonly print: Print; readonly isOfInterval: boolean };

/** Longest first. */
const PATTERNS: readonly Pattern[] = [
  ...NUMBERS.flatMap(([text, print, isOfInterval]) => [
    { text, print, isOfInterval },
    { text: text.toLowerCase(), print, isOfInterval },
  ]),
  ...NAMES.map(([text, print]) => ({ text, print, isOfInterval: /^[AP]\.?M/i.test(text) })),
].sort((a, b) => b.text.length - a.text.length);

type Item = Pattern & { readonly isFilled: boolean; readonly ordinal: '' | 'TH' | 'th' };

/** Splits a format into texts and patterns. */
function parseFormat(format: string): readonly (string | Item)[] {
  const items: (string | Item)[] = [];
  let text = '';
  let at = 0;
  while (at < format.length) {
    if (format[at] === '"') {
      at++;
      while (at < format.length && format[at] !== '"') {
        if (format[at] === '\\' && at + 1 < format.length) at++;
        text += format[at++];
      }
      at++;
      continue;
    }
    if (format[at] === '\\' && format[at + 1] === '"') {
      text += '"';
      at += 2;
      continue;
    }
    const prefix = /^(FM|fm|TM|tm|FX|fx)/.exec(format.slice(at, at + 2))?.[0].toUpperCase() ?? '';
    const start = at + prefix.length;
    const pattern = PATTERNS.find((candidate) => format.startsWith(candidate.text, start));
    if (pattern === undefined) {
      text += format[at++];
      continue;
    }
    if (text !== '') items.push(text);
    text = '';
    at = start + pattern.text.length;
    const ordinal = format.startsWith('TH', at) ? 'TH' : format.startsWith('th', at) ? 'th' : '';
    at += ordinal.length;
    items.push({ ...pattern, isFilled: prefix !== 'FM', ordinal });
  }
  if (text !== '') items.push(text);
  return items;
}

/** `1` gives `st`, `12` gives `th`. */
function ordinalOf(digits: string): string {
  const value = Number(digits.slice(-2));
  const isTeen = value >= 11 && value <= 13;
  return isTeen ? 'th' : (['th', 'st', 'nd', 'rd'][value % 10] ?? 'th');
}

let lastFormat: Uint8Array = new Uint8Array(0);
let lastItems: readonly (string | Item)[] | undefined;

function itemsOf(bytes: Uint8Array, start: number, end: number): readonly (string | Item)[] {
  if (lastItems !== undefined && end - start === lastFormat.length) {
    let i = 0;
    while (i < lastFormat.length && bytes[start + i] === lastFormat[i]) i++;
    if (i === lastFormat.length) return lastItems;
  }
  lastItems = parseFormat(decodeUtf8(bytes, start, end));
  lastFormat = bytes.slice(start, end);
  return lastItems;
}

/** Appends the parts by the format in bytes[start, end). Throws invalid_value for a pattern that an interval does not have. */
export function writeToChar(writer: ByteWriter, parts: TimeParts, bytes: Uint8Array, start: number, end: number): void {
  for (const item of itemsOf(bytes, start, end)) {
    if (typeof item === 'string') {
      writer.text(item);
      continue;
    }
    if (parts.isInterval && !item.isOfInterval)
      throw new SqlError('invalid_value', `to_char: an interval has no ${item.text}`);
    const text = item.print(parts, item.isFilled);
    writer.ascii(text);
    if (item.ordinal === '' || !/[0-9]$/.test(text)) continue;
    const ordinal = ordinalOf(text);
    writer.ascii(item.ordinal === 'TH' ? ordinal.toUpperCase() : ordinal);
  }
}
