/** Timestamps, dates, intervals, by Temporal and BigInt. */

import { always, mostly, type Operand, type Operation, operation, SESSION } from './operations.ts';
import type { Form } from './tree.ts';
import {
  DATE_MAX,
  DATE_MIN,
  dateOf,
  dateText,
  Failure,
  Interval,
  plainDate,
  TIMESTAMP_MAX,
  TIMESTAMP_MIN,
  timestampText,
  Uncertain,
  zoned,
} from './values.ts';

const DAY = 86_400_000_000n;
const RANGE = ['out_of_range', 'overflow', 'invalid_value'] as const;

/** Codes of an error that several names fit. */
function outside(): Failure {
  return new Failure(...RANGE);
}

function timestamp(micros: bigint): bigint {
  if (micros < TIMESTAMP_MIN || micros > TIMESTAMP_MAX) throw outside();
  return micros;
}

function date(day: bigint | number): number {
  if (day < DATE_MIN || day > DATE_MAX) throw outside();
  return Number(day);
}

function interval(months: bigint, days: bigint, micros: bigint): Interval {
  const isInt = (value: bigint): boolean => BigInt.asIntN(32, value) === value;
  if (!isInt(months) || !isInt(days) || BigInt.asIntN(64, micros) !== micros) throw outside();
  return new Interval(Number(months), Number(days), micros);
}

/** A local time as an instant: of two the later, of none by the offset before the change. */
function instant(local: Temporal.PlainDateTime, zone: string): bigint {
  return local.toZonedDateTime(zone, { disambiguation: 'later' }).epochNanoseconds / 1000n;
}

function local(micros: bigint): Temporal.PlainDateTime {
  return zoned(micros, SESSION.zone).toPlainDateTime();
}

function midnight(day: number): bigint {
  return instant(plainDate(day).toPlainDateTime(), SESSION.zone);
}

/** Months by the calendar and clamped, then days by the calendar, then time as it passes. On the way it may leave the range. */
function addInterval(start: bigint, { months, days, micros }: Interval, direction: 1 | -1): bigint | Uncertain {
  const isInside = (value: bigint): boolean => value >= TIMESTAMP_MIN && value <= TIMESTAMP_MAX;
  let result = start;
  let wasInside = isInside(result);
  try {
    if (months !== 0)
      result = instant(local(result).add({ months: months * direction }, { overflow: 'constrain' }), SESSION.zone);
    wasInside &&= isInside(result);
    if (days !== 0) result = instant(local(result).add({ days: days * direction }), SESSION.zone);
    wasInside &&= isInside(result);
  } catch (error) {
    if (error instanceof RangeError) throw outside();
    throw error;
  }
  result = timestamp(result + micros * BigInt(direction));
  return wasInside ? result : new Uncertain(result, RANGE);
}

/** The date becomes a timestamp, which may be an error before anybody asks for the interval. */
function dateAndInterval(template: string, direction: 1 | -1): Operation {
  const sum = operation('timestamp', template, ['date', 'interval'], (day: number, distance: Interval) =>
    addInterval(midnight(day), distance, direction),
  );
  const form: Form = {
    print: sum.form.print,
    evaluate(operands, kinds) {
      const { value, errors } = sum.form.evaluate(operands, kinds);
      const day = operands[0]!().value as number | null | undefined;
      const isOutside = typeof day === 'number' && midnight(day) < TIMESTAMP_MIN;
      return { value, errors: isOutside ? [...errors, ...RANGE] : errors };
    },
  };
  return { ...sum, form };
}

function addIntervals(left: Interval, right: Interval, direction: bigint): Interval {
  return interval(
    BigInt(left.months) + BigInt(right.months) * direction,
    BigInt(left.days) + BigInt(right.days) * direction,
    left.micros + right.micros * direction,
  );
}

function floorTo(value: bigint, unit: bigint): bigint {
  const rest = ((value % unit) + unit) % unit;
  return value - rest;
}

const FIELDS = [
  'year',
  'quarter',
  'month',
  'week',
  'day',
  'dow',
  'doy',
  'hour',
  'hr',
  'minute',
  'min',
  'second',
  'sec',
  'ms',
  'us',
  'epoch',
];
const DATE_FIELDS = ['year', 'quarter', 'month', 'week', 'day', 'dow', 'doy'];
const INTERVAL_FIELDS = ['year', 'month', 'day', 'hour', 'minute', 'second', 'ms', 'us'];
const TRUNC_FIELDS = ['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'second', 'ms', 'us'];
const texts = (values: readonly string[]): Operand => always('text', ...values);
const ZONES = texts(['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe']);

function dateField(field: string, day: Temporal.PlainDate): bigint {
  switch (field) {
    case 'year':
      return BigInt(day.year);
    case 'quarter':
      return BigInt(Math.ceil(day.month / 3));
    case 'month':
      return BigInt(day.month);
    case 'week':
      return BigInt(day.weekOfYear!);
    case 'day':
      return BigInt(day.day);
    case 'dow':
      return BigInt(day.dayOfWeek % 7);
    default:
      return BigInt(day.dayOfYear);
  }
}

function timestampField(field: string, micros: bigint, zone: string): bigint {
  const moment = zoned(micros, zone);
  switch (field) {
    case 'hour':
    case 'hr':
      return BigInt(moment.hour);
    case 'minute':
    case 'min':
      return BigInt(moment.minute);
    case 'second':
    case 'sec':
      return BigInt(moment.second);
    case 'ms':
      return BigInt(moment.millisecond);
    case 'us':
      return BigInt(moment.millisecond * 1000 + moment.microsecond);
    case 'epoch':
      return floorTo(micros, 1_000_000n) / 1_000_000n;
    default:
      return dateField(field, moment.toPlainDate());
  }
}

function intervalField(field: string, { months, days, micros }: Interval): bigint {
  switch (field) {
    case 'year':
      return BigInt(Math.trunc(months / 12));
    case 'month':
      return BigInt(months % 12);
    case 'day':
      return BigInt(days);
    case 'hour':
      return micros / 3_600_000_000n;
    case 'minute':
      return (micros / 60_000_000n) % 60n;
    case 'second':
      return (micros / 1_000_000n) % 60n;
    case 'ms':
      return (micros / 1000n) % 1000n;
    default:
      return micros % 1000n;
  }
}

const UNITS: Readonly<Record<string, bigint>> = {
  hour: 3_600_000_000n,
  minute: 60_000_000n,
  second: 1_000_000n,
  ms: 1000n,
  us: 1n,
};

function firstDay(field: string, day: Temporal.PlainDate): Temporal.PlainDate {
  if (field === 'year') return day.with({ month: 1, day: 1 });
  if (field === 'quarter') return day.with({ month: Math.ceil(day.month / 3) * 3 - 2, day: 1 });
  if (field === 'month') return day.with({ day: 1 });
  return field === 'week' ? day.subtract({ days: day.dayOfWeek - 1 }) : day;
}

function truncated(field: string, micros: bigint, zone: string): bigint {
  const moment = zoned(micros, zone);
  const unit = UNITS[field];
  if (unit === undefined) return timestamp(instant(firstDay(field, moment.toPlainDate()).toPlainDateTime(), zone));
  const offset = BigInt(moment.offsetNanoseconds) / 1000n;
  return timestamp(floorTo(micros + offset, unit) - offset);
}

function truncatedInterval(field: string, { months, days, micros }: Interval): Interval {
  const unit = UNITS[field];
  if (unit !== undefined) return new Interval(months, days, micros - (micros % unit));
  if (field === 'day') return new Interval(months, days, 0n);
  const size = field === 'year' ? 12 : field === 'quarter' ? 3 : 1;
  return new Interval(months - (months % size), 0, 0n);
}

function binned(stride: Interval, micros: bigint, origin: bigint): bigint {
  const size = BigInt(stride.days) * DAY + stride.micros;
  if (stride.months !== 0 || size <= 0n) throw outside();
  return timestamp(origin + floorTo(micros - origin, size));
}

/** The difference in years to microseconds of the two local times, as PostgreSQL counts it. */
function age(end: bigint, start: bigint): Interval {
  const [later, earlier] = end < start ? [start, end] : [end, start];
  const a = local(later);
  const b = local(earlier);
  let micros = timeOfDay(a) - timeOfDay(b);
  let days = a.day - b.day;
  let months = (a.year - b.year) * 12 + a.month - b.month;
  if (micros < 0n) {
    micros += DAY;
    days--;
  }
  while (days < 0) {
    // Of the earlier one.
    days += b.daysInMonth;
    months--;
  }
  return end < start ? new Interval(-months, -days, -micros) : new Interval(months, days, micros);
}

function timeOfDay({ hour, minute, second, millisecond, microsecond }: Temporal.PlainDateTime): bigint {
  return BigInt(((hour * 60 + minute) * 60 + second) * 1000 + millisecond) * 1000n + BigInt(microsecond);
}

/** The local time that a text says, and its offset, if it has one. */
function parseLocal(text: string): { readonly local: Temporal.PlainDateTime; readonly offset: string | undefined } {
  const match =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?))? ?(Z|[+-]\d\d(?::?\d\d(?::\d\d)?)?)?$/.exec(text);
  if (match === null || (match[2] === undefined && match[3] !== undefined)) throw new Failure('invalid_value');
  const [, day, clock = '00:00', offset] = match;
  try {
    return { local: Temporal.PlainDateTime.from(`${day}T${clock}`, { overflow: 'reject' }), offset };
  } catch {
    throw new Failure('invalid_value');
  }
}

function parseTimestamp(text: string): bigint {
  const { local: moment, offset } = parseLocal(text);
  if (offset === undefined) return timestamp(instant(moment, SESSION.zone));
  return timestamp(instant(moment, 'UTC') - offsetSeconds(offset) * 1_000_000n);
}

/** A time of day behind the date is let go. */
function parseDate(text: string): number {
  return date(dateOf(parseLocal(text).local.toPlainDate()));
}

function offsetSeconds(offset: string): bigint {
  if (offset === 'Z') return 0n;
  const [hours, minutes = '0', seconds = '0'] = offset.slice(1).match(/\d\d/g)!;
  const distance = BigInt(hours!) * 3600n + BigInt(minutes) * 60n + BigInt(seconds);
  return offset.startsWith('-') ? -distance : distance;
}

const WORDS: Readonly<Record<string, readonly [months: number, days: number, micros: bigint]>> = Object.fromEntries(
  (
    [
      ['year years', 12, 0, 0n],
      ['month months mon', 1, 0, 0n],
      ['week weeks', 0, 7, 0n],
      ['day days', 0, 1, 0n],
      ['hour hours hr hrs', 0, 0, 3_600_000_000n],
      ['minute minutes min mins', 0, 0, 60_000_000n],
      ['second seconds sec secs', 0, 0, 1_000_000n],
      ['millisecond milliseconds ms', 0, 0, 1000n],
      ['microsecond microseconds us', 0, 0, 1n],
    ] as const
  ).flatMap(([words, ...parts]) => words.split(' ').map((word) => [word, parts] as const)),
);

function parseInterval(text: string): Interval {
  const parts = [...text.trim().matchAll(/([+-]?\d+) *([a-z]+)(?: +|$)/gy)];
  if (parts.map((part) => part[0]).join('') !== text.trim()) throw new Failure('invalid_value');
  let [months, days, micros] = [0n, 0n, 0n];
  for (const [, count, word] of parts) {
    const unit = WORDS[word!];
    if (unit === undefined) throw new Failure('invalid_value');
    months += BigInt(count!) * BigInt(unit[0]);
    days += BigInt(count!) * BigInt(unit[1]);
    micros += BigInt(count!) * unit[2];
  }
  return interval(months, days, micros);
}

const TIMESTAMP_TEXTS = always(
  'text',
  ...['2024-05-06 07:08:09.123456+02:30', '2024-05-06T07:08:09Z', '2021-03-28 02:30:00', '2021-10-31 02:30:00'],
  ...['2020-02-30', '2020-01-01', '1969-12-31 23:59:59.999', '2020-13-01', '2020-01-01 24:00:00', 'x', ''],
  ...['9999-12-31 23:59:59.999999+00', '0001-01-01 00:00:00+00', '1883-11-18 12:00-05', '2020-01-01 10:20+0530'],
);
const DATE_TEXTS = always(
  'text',
  '2024-02-29',
  '2023-02-29',
  '0001-01-01',
  '9999-12-31',
  '1970-01-01',
  '',
  'x',
  '2020-00-10',
);
const INTERVAL_TEXTS = always(
  'text',
  ...[
    '1 day',
    '2 hours 40 ms',
    '-1 year 2 months',
    '3 weeks -1 day',
    '1 mon 2 mins 3 secs 4 us',
    '5 hrs',
    '1 fortnight',
  ],
  ...['90 minutes', '36 hours', '+7 days', '1000000 seconds', '9999999999 months', 'day', '99999999999999999999 us'],
);
const DAYS = mostly('int', 0n, 1n, -1n, 31n, 365n, -36524n, 3652058n);
const INSTANTS = mostly(
  'int',
  0n,
  1n,
  -1n,
  10n ** 15n,
  TIMESTAMP_MAX,
  TIMESTAMP_MAX + 1n,
  TIMESTAMP_MIN,
  TIMESTAMP_MIN - 1n,
);
const STRIDES = mostly(
  'interval',
  ...[
    new Interval(0, 0, 900_000_000n),
    new Interval(0, 1, 0n),
    new Interval(0, 0, 1n),
    new Interval(0, 2, 3_600_000_000n),
  ],
  ...[new Interval(1, 0, 0n), new Interval(0, 0, 0n)],
);
const YEARS = mostly('int', 2024n, 2023n, 1n, 9999n, 0n, 1600n);
const MONTHS = mostly('int', 1n, 2n, 12n, 0n, 13n);
const MONTH_DAYS = mostly('int', 1n, 28n, 29n, 31n, 0n);
const BIN_ORIGIN = dateOf(Temporal.PlainDate.from('2001-01-01'));

function makeDate(year: bigint, month: bigint, day: bigint): number {
  const parts = { year: Number(year), month: Number(month), day: Number(day) };
  try {
    return date(dateOf(Temporal.PlainDate.from(parts, { overflow: 'reject' })));
  } catch {
    throw outside();
  }
}

export const TIME_OPERATIONS: readonly Operation[] = [
  operation('timestamp', '(# + #)', ['timestamp', 'interval'], (a: bigint, b: Interval) => addInterval(a, b, 1)),
  operation('timestamp', '(# + #)', ['interval', 'timestamp'], (b: Interval, a: bigint) => addInterval(a, b, 1)),
  operation('timestamp', '(# - #)', ['timestamp', 'interval'], (a: bigint, b: Interval) => addInterval(a, b, -1)),
  dateAndInterval('(# + #)', 1),
  dateAndInterval('(# - #)', -1),
  operation('timestamp', '(#)::timestamp', [INSTANTS], (a: bigint) => timestamp(a)),
  operation('timestamp', '(#)::timestamp', ['date'], (a: number) => timestamp(midnight(a))),
  operation('timestamp', '(#)::timestamp', [TIMESTAMP_TEXTS], parseTimestamp),
  operation('timestamp', 'date_trunc(#, #)', [texts(TRUNC_FIELDS), 'timestamp'], (field: string, a: bigint) =>
    truncated(field, a, SESSION.zone),
  ),
  operation(
    'timestamp',
    'date_trunc(#, #, #)',
    ['timestamp', texts(TRUNC_FIELDS), ZONES],
    (a: bigint, field: string, zone: string) => truncated(field, a, zone),
  ),
  operation('timestamp', 'date_bin(#, #, #)', [STRIDES, 'timestamp', 'timestamp'], binned),
  operation('timestamp', 'date_bin(#, #)', ['timestamp', STRIDES], (a: bigint, stride: Interval) =>
    binned(stride, a, midnight(BIN_ORIGIN)),
  ),
  operation('int', '(#)::bigint', ['timestamp'], (a: bigint) => a),
  operation('int', 'extract(#, #)', [texts(FIELDS), 'timestamp'], (field: string, a: bigint) =>
    timestampField(field, a, SESSION.zone),
  ),
  operation('int', 'extract(#, #, #)', ['timestamp', texts(FIELDS), ZONES], (a: bigint, field: string, zone: string) =>
    timestampField(field, a, zone),
  ),
  ...FIELDS.map((field) =>
    operation('int', `extract(${field} from #)`, ['timestamp'], (a: bigint) => timestampField(field, a, SESSION.zone)),
  ),
  operation('int', 'extract(#, #)', [texts(DATE_FIELDS), 'date'], (field: string, a: number) =>
    dateField(field, plainDate(a)),
  ),
  operation('int', 'extract(#, #)', ['date', texts(['hour', 'minute', 'second', 'ms', 'us'])], () => {
    throw outside();
  }),
  operation('int', 'extract(#, #)', [texts(INTERVAL_FIELDS), 'interval'], intervalField),
  operation('text', 'at_timezone(#, #)', ['timestamp', ZONES], (a: bigint, zone: string) => timestampText(a, zone)),
  operation('text', "(# at timezone 'Asia/Kolkata')", ['timestamp'], (a: bigint) => timestampText(a, 'Asia/Kolkata')),
  operation('text', "to_char(#, 'YYYY-MM-DD')", ['timestamp'], (a: bigint) => dateText(local(a).toPlainDate())),
  operation('text', "to_char(#, 'HH24:MI:SS.US')", ['timestamp'], (a: bigint) => {
    const { hour, minute, second, millisecond, microsecond } = local(a);
    const pad = (value: number, length: number): string => String(value).padStart(length, '0');
    return `${pad(hour, 2)}:${pad(minute, 2)}:${pad(second, 2)}.${pad(millisecond * 1000 + microsecond, 6)}`;
  }),
  operation('bool', '(# < #)', ['timestamp', INSTANTS], (a: bigint, b: bigint) => a < b),
  operation('bool', '(# = #)', [INSTANTS, 'timestamp'], (a: bigint, b: bigint) => a === b),
  operation(
    'bool',
    '(# >= #)',
    ['date', mostly('int', 2451545n, 0n, 2440588n)],
    (a: number, b: bigint) => BigInt(a) >= b,
  ),
  operation('bool', '(# <> #)', [mostly('int', 2451545n, 2440588n), 'date'], (b: bigint, a: number) => BigInt(a) !== b),

  operation('date', '(# + #)', ['date', DAYS], (a: number, n: bigint) => date(BigInt(a) + n)),
  operation('date', '(# + #)', [DAYS, 'date'], (n: bigint, a: number) => date(BigInt(a) + n)),
  operation('date', '(# - #)', ['date', DAYS], (a: number, n: bigint) => date(BigInt(a) - n)),
  operation('int', '(# - #)', ['date', 'date'], (a: number, b: number) => BigInt(a - b)),
  operation('int', '(#)::bigint', ['date'], (a: number) => BigInt(a)),
  operation('date', '(#)::date', [mostly('int', 2451545n, 0n, 1721426n, 5373484n, 5373485n)], (a: bigint) => date(a)),
  operation('date', '(#)::date', ['timestamp'], (a: bigint) => date(dateOf(local(a).toPlainDate()))),
  operation('date', '(#)::date', [DATE_TEXTS], parseDate),
  operation('date', 'make_date(#, #, #)', [YEARS, MONTHS, MONTH_DAYS], makeDate),

  operation('interval', '(# - #)', ['timestamp', 'timestamp'], (a: bigint, b: bigint) => new Interval(0, 0, a - b)),
  operation('interval', '(# + #)', ['interval', 'interval'], (a: Interval, b: Interval) => addIntervals(a, b, 1n)),
  operation('interval', '(# - #)', ['interval', 'interval'], (a: Interval, b: Interval) => addIntervals(a, b, -1n)),
  operation('interval', '(- #)', ['interval'], (a: Interval) => addIntervals(new Interval(0, 0, 0n), a, -1n)),
  operation('interval', '(#)::interval', [INTERVAL_TEXTS], parseInterval),
  operation(
    'interval',
    'interval_trunc(#, #)',
    [texts(TRUNC_FIELDS.filter((field) => field !== 'week')), 'interval'],
    truncatedInterval,
  ),
  operation(
    'interval',
    'interval_trunc(#, #)',
    ['interval', texts(['month', 'day', 'hour'])],
    (a: Interval, field: string) => truncatedInterval(field, a),
  ),
  operation('interval', 'age(#, #)', ['timestamp', 'timestamp'], age),
];
