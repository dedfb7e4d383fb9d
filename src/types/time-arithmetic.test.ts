/** Arithmetic of dates and timestamps, against Temporal where it has the operation. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { SqlError } from '../base/errors.ts';
import { addDays, dateOfParts, dateOfTimestamp, JULIAN_1970, parseDate, timestampOfDate } from './date.ts';
import { createInterval, type IntervalValue, intervalMicros, setIntervalMicros } from './interval.ts';
import { addInterval, ageOf, binTimestamp, subtractTimestamps } from './time-arithmetic.ts';
import {
  extractFromDate,
  extractFromInterval,
  extractFromTimestamp,
  fieldNumber,
  truncateTimestamp,
} from './time-fields.ts';
import { timeZone } from './time-zone.ts';
import { parseTimestamp, TIMESTAMP_BIG } from './timestamp.ts';

const encoder = new TextEncoder();
const MIN = -62135596800000000n;
const MAX = 253402300799999999n;
const DAY = 86_400_000_000n;

const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Asia/Kolkata',
  'Europe/Amsterdam',
  'Pacific/Apia',
  '-03:30',
];
const anyZone = fc.constantFrom(...ZONES);
/** All of the range, and the last two centuries, where clocks change. */
const anyMoment = fc.oneof(
  fc.bigInt({ min: MIN, max: MAX }),
  fc.bigInt({ min: -3_000_000_000_000_000n, max: 3_000_000_000_000_000n }),
);

function split(micros: bigint): [num: number, big: bigint] {
  const isExact = micros >= -(2n ** 53n) && micros <= 2n ** 53n;
  return [isExact ? Number(micros) : Number.NaN, micros];
}

function join(value: number): bigint {
  return Number.isNaN(value) ? TIMESTAMP_BIG[0]! : BigInt(value);
}

function interval(months: number, days: number, micros: bigint): IntervalValue {
  const value = createInterval();
  value.months = months;
  value.days = days;
  setIntervalMicros(value, micros);
  return value;
}

function parse(text: string, zone = 'UTC'): bigint {
  const bytes = encoder.encode(text);
  return join(parseTimestamp(bytes, 0, bytes.length, timeZone(zone)));
}

/** The result, or the code of the error. */
function attempt<T>(compute: () => T): T | string {
  try {
    return compute();
  } catch (error) {
    assert(error instanceof SqlError, String(error));
    return error.code;
  }
}

function add(moment: bigint, value: IntervalValue, sign: number, zone: string): bigint | string {
  return attempt(() => join(addInterval(...split(moment), value, sign, timeZone(zone))));
}

function zoned(micros: bigint, zone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochNanoseconds(micros * 1000n).toZonedDateTimeISO(zone);
}

/** PostgreSQL's rule for local times that come twice: the later. Temporal's default is the earlier. */
function toInstant(local: Temporal.PlainDateTime, zone: string): bigint {
  const earlier = local.toZonedDateTime(zone, { disambiguation: 'earlier' });
  const later = local.toZonedDateTime(zone, { disambiguation: 'later' });
  // In a gap `later` counts by the offset before the change, which moves the time forward.
  return (earlier.epochNanoseconds === later.epochNanoseconds ? earlier : later).epochNanoseconds / 1000n;
}

describe('timestamp and interval', () => {
  it('months and days are steps in the zone, as by Temporal', () => {
    fc.assert(
      fc.property(
        anyMoment,
        fc.integer({ min: -5000, max: 5000 }),
        fc.integer({ min: -50_000, max: 50_000 }),
        fc.oneof(fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }), fc.constant(0n)),
        anyZone,
        (moment, months, days, micros, zone) => {
          let local = zoned(moment, zone).toPlainDateTime();
          if (months !== 0) {
            local = local.add({ months });
            if (local.year < 0 || local.year > 10000) return;
            local = zoned(toInstant(local, zone), zone).toPlainDateTime();
          }
          const isCalendar = months !== 0 || days !== 0;
          const utc = isCalendar ? toInstant(local.add({ days }), zone) : moment;
          const sum = months !== 0 && days === 0 ? toInstant(local, zone) + micros : utc + micros;
          // An hour that comes twice: without a step of days the instant of the step of months stays.
          assert.equal(
            add(moment, interval(months, days, micros), 1, zone),
            sum >= MIN && sum <= MAX ? sum : 'out_of_range',
          );
        },
      ),
      { numRuns: 3000 },
    );
  });

  const cases: [string, string, [number, number, bigint], number, string][] = [
    // Month ends are clamped.
    ['UTC', '2024-01-31', [1, 0, 0n], 1, '2024-02-29'],
    ['UTC', '2023-01-31', [1, 0, 0n], 1, '2023-02-28'],
    ['UTC', '2024-02-29', [12, 0, 0n], 1, '2025-02-28'],
    ['UTC', '2024-03-31', [1, 0, 0n], -1, '2024-02-29'],
    ['UTC', '2024-01-31', [1, 1, 0n], 1, '2024-03-01'],
    ['UTC', '1969-12-31 23:59:59.999999', [0, 0, 1n], 1, '1970-01-01'],
    ['UTC', '0001-01-31', [9998 * 12 + 10, 0, 0n], 1, '9999-11-30'],
    ['UTC', '9999-12-31 23:59:59.999999', [9998 * 12, 0, 0n], -1, '0001-12-31 23:59:59.999999'],
    // A day over a clock change has 23 or 25 hours, in Lord Howe 23.5 or 24.5.
    ['Europe/Berlin', '2024-03-30 12:00', [0, 1, 0n], 1, '2024-03-31 12:00'],
    ['Europe/Berlin', '2024-03-30 12:00', [0, 0, DAY], 1, '2024-03-31 13:00'],
    ['Europe/Berlin', '2024-03-30 02:30', [0, 1, 0n], 1, '2024-03-31 03:30'],
    ['Europe/Berlin', '2024-02-29 02:30', [1, 2, 0n], 1, '2024-03-31 03:30'],
    ['Europe/Berlin', '2024-10-26 02:30', [0, 1, 0n], 1, '2024-10-27 02:30+01'],
    ['Australia/Lord_Howe', '2024-04-06 12:00', [0, 1, 0n], 1, '2024-04-07 12:00'],
    ['Australia/Lord_Howe', '2024-04-06 12:00', [0, 0, DAY], 1, '2024-04-07 11:30'],
    ['America/New_York', '2024-03-10 01:30', [0, 0, DAY / 24n], 1, '2024-03-10 03:30'],
  ];
  for (const [zone, text, parts, sign, result] of cases)
    it(`${text} ${sign > 0 ? '+' : '-'} ${parts.join(' ')} in ${zone}`, () =>
      assert.equal(add(parse(text, zone), interval(...parts), sign, zone), parse(result, zone)));

  it('beyond the years 1 to 9999 is an error', () => {
    const beyond: readonly (readonly [string, [number, number, bigint]])[] = [
      ['9999-12-31 23:59:59.999999', [0, 0, 1n]],
      ['9999-12-31 20:00', [1, 0, 0n]],
      ['0001-01-02', [-1, 0, 0n]],
      ['0001-01-01', [0, -2, 0n]],
      ['2024-01-01', [2 ** 31 - 1, 0, 0n]],
      ['2024-01-01', [0, 2 ** 31 - 1, 0n]],
      ['2024-01-01', [0, -(2 ** 31), 0n]],
      ['2024-01-01', [0, 0, 2n ** 63n - 1n]],
    ];
    for (const [text, parts] of beyond)
      for (const zone of ZONES) assert.equal(add(parse(text), interval(...parts), 1, zone), 'out_of_range', text);
  });

  it('the difference of two is microseconds', () => {
    fc.assert(
      fc.property(anyMoment, anyMoment, (a, b) => {
        const value = createInterval();
        subtractTimestamps(...split(a), ...split(b), value);
        assert.deepEqual([value.months, value.days, intervalMicros(value)], [0, 0, a - b]);
      }),
    );
  });
});

describe('date_bin', () => {
  it('is the greatest start of a bin at or before the timestamp', () => {
    const width = fc.oneof(fc.bigInt({ min: 1n, max: 10n ** 12n }), fc.bigInt({ min: 1n, max: 2n ** 62n }));
    fc.assert(
      fc.property(anyMoment, anyMoment, width, (moment, origin, micros) => {
        const start = attempt(() => join(binTimestamp(...split(moment), interval(0, 0, micros), ...split(origin))));
        const distance = moment - origin;
        const rest = ((distance % micros) + micros) % micros;
        assert.equal(start, moment - rest < MIN ? 'out_of_range' : moment - rest);
      }),
      { numRuns: 2000 },
    );
  });

  it('needs an interval above zero without months', () => {
    const wrong: readonly [number, number, bigint][] = [
      [1, 0, 0n],
      [0, 0, 0n],
      [0, -1, 0n],
      [0, 1, -DAY],
    ];
    for (const parts of wrong)
      assert.equal(
        attempt(() => binTimestamp(0, 0n, interval(...parts), 0, 0n)),
        'invalid_value',
      );
  });
});

describe('age', () => {
  const cases: [string, string, [number, number, bigint]][] = [
    ['2024-03-01', '2023-01-31 12:00', [13, 0, DAY / 2n]],
    ['2024-03-31', '2024-02-29', [1, 2, 0n]],
    ['2024-03-01', '2024-01-31', [1, 1, 0n]],
    ['2001-04-10', '1957-06-13', [43 * 12 + 9, 27, 0n]],
    ['1957-06-13', '2001-04-10', [-(43 * 12 + 9), -27, 0n]],
    ['2024-01-01', '2024-01-01', [0, 0, 0n]],
    ['2024-01-02', '2024-01-01 00:00:00.000001', [0, 0, DAY - 1n]],
    ['9999-12-31', '0001-01-01', [9998 * 12 + 11, 30, 0n]],
  ];
  for (const [later, earlier, parts] of cases)
    it(`${later} from ${earlier}`, () => {
      const value = createInterval();
      ageOf(...split(parse(later)), ...split(parse(earlier)), timeZone('UTC'), value);
      assert.deepEqual([value.months, value.days, intervalMicros(value)], parts);
    });

  it('counts in local time', () => {
    const value = createInterval();
    const zone = 'Europe/Berlin';
    ageOf(...split(parse('2024-04-01', zone)), ...split(parse('2024-03-31', zone)), timeZone(zone), value);
    assert.deepEqual([value.months, value.days, intervalMicros(value)], [0, 1, 0n]);
  });
});

describe('dates', () => {
  const encode = (text: string): [Uint8Array, number, number] => {
    const bytes = encoder.encode(text);
    return [bytes, 0, bytes.length];
  };

  it('are Julian days', () => {
    assert.equal(parseDate(...encode('2000-01-01')), 2451545);
    assert.equal(parseDate(...encode('1970-01-01')), 2440588);
    assert.equal(parseDate(...encode('0001-01-01')), 1721426);
    assert.equal(parseDate(...encode(' 9999-12-31 ')), 5373484);
    assert.equal(dateOfParts(2024, 2, 29, 'f'), parseDate(...encode('2024-02-29')));
  });

  it('are refused where there are none', () => {
    for (const text of ['', '2024-02-30', '1900-02-29', '2024-1-1', '2024-01-01x', '2024-01-01 10:00', '24-01-01'])
      assert.equal(
        attempt(() => parseDate(...encode(text))),
        'invalid_value',
        text,
      );
    for (const text of ['0000-12-31', '10000-01-01'])
      assert.equal(
        attempt(() => parseDate(...encode(text))),
        'out_of_range',
        text,
      );
    const wrong: readonly [number, number, number][] = [
      [0, 1, 1],
      [2023, 2, 29],
      [2024, 13, 1],
      [2024, 1, 0],
      [10000, 1, 1],
    ];
    for (const parts of wrong)
      assert.equal(
        attempt(() => dateOfParts(...parts, 'f')),
        'out_of_range',
      );
  });

  it('a time behind one is dropped where it may stand', () => {
    assert.equal(parseDate(...encode('2000-01-01 23:59:59+14'), true), 2451545);
    assert.equal(
      attempt(() => parseDate(...encode('2000-01-01 25:00'), true)),
      'invalid_value',
    );
  });

  it('move by days within the years 1 to 9999', () => {
    assert.equal(addDays(2451545, 31, '+'), 2451576);
    assert.equal(addDays(2451545, 1, '-'), 2451544);
    assert.equal(
      attempt(() => addDays(5373484, 1, '+')),
      'out_of_range',
    );
    assert.equal(
      attempt(() => addDays(1721426, 1, '-')),
      'out_of_range',
    );
    assert.equal(
      attempt(() => addDays(1721426, Number.NaN, '+')),
      'out_of_range',
    );
  });

  it('midnights and days of timestamps agree with Temporal', () => {
    fc.assert(
      fc.property(anyMoment, anyZone, (moment, zone) => {
        const local = zoned(moment, zone).toPlainDate();
        if (local.year < 1 || local.year > 9999) return;
        const day = Number(local.since('1970-01-01', { largestUnit: 'day' }).days) + JULIAN_1970;
        assert.equal(dateOfTimestamp(...split(moment), timeZone(zone)), day);
        const midnight = toInstant(local.toPlainDateTime('00:00'), zone);
        const wanted = midnight < MIN || midnight > MAX ? 'out_of_range' : midnight;
        assert.equal(
          attempt(() => join(timestampOfDate(day, timeZone(zone)))),
          wanted,
        );
      }),
      { numRuns: 2000 },
    );
  });
});

describe('fields', () => {
  it('of timestamps are those of Temporal', () => {
    fc.assert(
      fc.property(anyMoment, anyZone, (moment, zone) => {
        const local = zoned(moment, zone);
        const wanted: Record<string, number> = {
          year: local.year,
          quarter: Math.ceil(local.month / 3),
          month: local.month,
          week: local.weekOfYear!,
          day: local.day,
          dow: local.dayOfWeek % 7,
          doy: local.dayOfYear,
          hour: local.hour,
          minute: local.minute,
          second: local.second,
          ms: local.millisecond,
          us: local.millisecond * 1000 + local.microsecond,
          epoch: Math.floor(Number(moment / 1_000_000n) - (moment < 0n && moment % 1_000_000n !== 0n ? 1 : 0)),
        };
        for (const [field, value] of Object.entries(wanted)) {
          const found = extractFromTimestamp(...split(moment), fieldNumber(field, 0), timeZone(zone));
          assert.equal(found, value, `${field} of ${local}`);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('of dates: no time of day', () => {
    assert.equal(extractFromDate(2451545, fieldNumber('epoch', 0)), 946684800);
    assert.equal(extractFromDate(2451545, fieldNumber('dow', 0)), 6);
    for (const field of ['hour', 'minute', 'second', 'ms', 'us'])
      assert.equal(
        attempt(() => extractFromDate(2451545, fieldNumber(field, 0))),
        'invalid_value',
      );
  });

  it('of intervals: each its own part', () => {
    const value = interval(-14, 10, -(26n * 3_600_000_000n + 61_002_003n));
    const wanted = { year: -1, month: -2, day: 10, week: 1, hour: -26, minute: -1, second: -1, ms: -2, us: -3 };
    for (const [field, part] of Object.entries(wanted))
      assert.equal(extractFromInterval(value, fieldNumber(field, 0)), part, field);
    // A year of 365.25 days, a month of 30: 31557600 + 2592000 + 86400 + 1.
    assert.equal(extractFromInterval(interval(13, 1, 1_900_000n), fieldNumber('epoch', 0)), 34236001);
    assert.equal(
      attempt(() => extractFromInterval(value, fieldNumber('dow', 0))),
      'invalid_value',
    );
  });

  it('cutting gives the start of the field in the zone', () => {
    const units = ['year', 'quarter', 'month', 'week', 'day'] as const;
    fc.assert(
      fc.property(anyMoment, anyZone, fc.constantFrom(...units), (moment, zone, unit) => {
        const date = zoned(moment, zone).toPlainDate();
        let first = date;
        if (unit === 'year') first = date.with({ month: 1, day: 1 });
        else if (unit === 'quarter') first = date.with({ month: Math.floor((date.month - 1) / 3) * 3 + 1, day: 1 });
        else if (unit === 'month') first = date.with({ day: 1 });
        else if (unit === 'week') first = date.subtract({ days: date.dayOfWeek - 1 });
        const start = toInstant(first.toPlainDateTime('00:00'), zone);
        const found = attempt(() => join(truncateTimestamp(...split(moment), fieldNumber(unit, 1), timeZone(zone))));
        assert.equal(found, start < MIN ? 'out_of_range' : start);
      }),
      { numRuns: 2000 },
    );
  });

  it('the hours of an autumn night stay apart', () => {
    const zone = timeZone('Europe/Berlin');
    for (const text of ['2024-10-27 00:30Z', '2024-10-27 01:30Z']) {
      const moment = parse(text);
      assert.equal(join(truncateTimestamp(...split(moment), fieldNumber('hour', 1), zone)), moment - 1_800_000_000n);
    }
  });
});
