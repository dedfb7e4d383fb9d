import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ByteWriter } from '../base/byte-writer.ts';
import { SqlError } from '../base/errors.ts';
import { CIVIL, civilOfDays, daysOfCivil } from './calendar.ts';
import { timeZone, UTC } from './time-zone.ts';
import { parseTimestamp, TIMESTAMP_BIG, writeTimestamp } from './timestamp.ts';
import { decodeUtf8 } from './utf8.ts';

const encoder = new TextEncoder();

/** Microseconds, or code and message of the error. */
function parse(text: string | Uint8Array, zone: string = 'UTC'): bigint | string {
  const bytes = typeof text === 'string' ? encoder.encode(text) : text;
  try {
    const value = parseTimestamp(bytes, 0, bytes.length, timeZone(zone));
    return Number.isNaN(value) ? TIMESTAMP_BIG[0]! : BigInt(value);
  } catch (error) {
    assert(error instanceof SqlError, String(error));
    return `${error.code}: ${error.message}`;
  }
}

function print(micros: bigint, zone: string = 'UTC'): string {
  const writer = new ByteWriter(1);
  const isExact = micros >= -(2n ** 53n) && micros <= 2n ** 53n;
  writeTimestamp(writer, isExact ? Number(micros) : Number.NaN, micros, timeZone(zone));
  return decodeUtf8(writer.bytes, 0, writer.length);
}

/** Microseconds of a UTC date by the runtime. */
function utc(...fields: [number, number, number, number?, number?, number?, number?]): bigint {
  const [year, month, day, hour = 0, minute = 0, second = 0, micros = 0] = fields;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  return BigInt(date.getTime()) * 1000n + BigInt(micros);
}

describe('parsing timestamps', () => {
  const cases: [string, bigint][] = [
    ['1970-01-01', 0n],
    ['1970-01-01 00:00:00.000001Z', 1n],
    ['1969-12-31 23:59:59.999999', -1n],
    ['2031-07-04T09:08:07.0605+02', utc(2031, 7, 4, 7, 8, 7, 60500)],
    ['2031-07-04t09:08:07z', utc(2031, 7, 4, 9, 8, 7)],
    ['2031-07-04 09:08', utc(2031, 7, 4, 9, 8)],
    ['  2031-07-04 09:08:07 -03:30\n', utc(2031, 7, 4, 12, 38, 7)],
    ['2031-07-04 09:08:07+0545', utc(2031, 7, 4, 3, 23, 7)],
    ['2024-02-29', utc(2024, 2, 29)],
    ['2000-02-29', utc(2000, 2, 29)],
    ['0001-01-01 00:00:00', -62135596800000000n],
    ['0001-01-01 02:00:00+02', -62135596800000000n],
    ['0000-12-31 22:00:00-02', -62135596800000000n],
    ['9999-12-31 23:59:59.999999', 253402300799999999n],
    ['10000-01-01 00:59:59+01', 253402300799000000n],
    ['2255-06-05 23:47:34.740992', 9007199254740992n],
    ['2255-06-05 23:47:34.740993', 9007199254740993n],
  ];
  for (const [text, micros] of cases) it(text, () => assert.equal(parse(text), micros));

  const wrong = [
    '',
    ' ',
    '2024',
    '2024-1-1',
    '2024-02-30',
    '2023-02-29',
    '1900-02-29',
    '2024-00-10',
    '2024-13-01',
    '2024-04-31',
    '2024-01-00',
    '2024-01-01T',
    '2024-01-01 ',
    '2024-01-01 24:00',
    '2024-01-01 12',
    '2024-01-01 12:60',
    '2024-01-01 12:00:60',
    '2024-01-01 12:00:00.',
    '2024-01-01 12:00:00.1234567',
    '2024-01-01 12:00:00 +',
    '2024-01-01 12:00+1',
    '2024-01-01 12:00+16',
    '2024-01-01 12:00+01:60',
    '2024-01-01 12:00Zx',
    '2024-01-01 12:00 CET',
    'now',
    '-2024-01-01',
    '20240101',
    '2024-01-01Z',
  ]; // prettier-ignore
  for (const text of wrong.filter((text) => text.trim() === text || text === ' ')) {
    it(`not ${JSON.stringify(text)}`, () =>
      assert.match(String(parse(text)), /^invalid_value: invalid timestamp '.*' at \d+: /));
  }

  it('refuses what is outside the years 1 to 9999', () => {
    for (const text of ['0000-12-31 23:59:59', '0001-01-01 00:00+01', '10000-01-01', '9999-12-31 23:59:59-01']) {
      assert.equal(parse(text), `out_of_range: timestamp '${text}' is outside the years 1 to 9999`);
    }
  });

  it('never fails otherwise than by an SqlError', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'0123456789-: T.+Z') }), (text) => void parse(text)),
      { numRuns: 3000 },
    );
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void parse(bytes)));
  });
});

describe('time zones', () => {
  it('local times in summer, winter, the gap of spring and the repeated hour of autumn', () => {
    const cases: [string, string, bigint][] = [
      ['Europe/Berlin', '2024-01-15 12:00', utc(2024, 1, 15, 11)],
      ['Europe/Berlin', '2024-07-15 12:00', utc(2024, 7, 15, 10)],
      // 02:00 to 03:00 does not exist on 31 March 2024: the offset before, +01, counts.
      ['Europe/Berlin', '2024-03-31 02:30', utc(2024, 3, 31, 1, 30)],
      ['Europe/Berlin', '2024-03-31 01:59:59', utc(2024, 3, 31, 0, 59, 59)],
      ['Europe/Berlin', '2024-03-31 03:00', utc(2024, 3, 31, 1)],
      // 02:00 to 03:00 comes twice on 27 October 2024: standard time, +01, counts.
      ['Europe/Berlin', '2024-10-27 02:30', utc(2024, 10, 27, 1, 30)],
      ['Europe/Berlin', '2024-10-27 01:59:59', utc(2024, 10, 26, 23, 59, 59)],
      ['America/New_York', '2024-03-10 02:30', utc(2024, 3, 10, 7, 30)],
      ['America/New_York', '2024-11-03 01:30', utc(2024, 11, 3, 6, 30)],
      ['Australia/Lord_Howe', '2024-01-01', utc(2023, 12, 31, 13)],
      ['Asia/Kathmandu', '2024-01-01 05:45', utc(2024, 1, 1)],
      ['+05:30', '2024-01-01 05:30', utc(2024, 1, 1)],
    ];
    for (const [zone, text, micros] of cases) assert.equal(parse(text, zone), micros, `${zone} ${text}`);
  });

  it('unknown ones are refused', () => {
    for (const name of ['', 'Mars/Olympus', '2024-01-01[Europe/Berlin]', 'Europe/Berlin ', "'; drop"]) {
      assert.throws(() => timeZone(name), { code: 'invalid_value', message: `unknown time zone '${name}'` });
    }
    for (const name of ['UTC', 'utc', 'Etc/UTC', 'GMT', '+00:00']) assert.equal(timeZone(name), UTC);
    assert.equal(timeZone('europe/berlin').name.toLowerCase(), 'europe/berlin');
  });

  it('are the same as those of Temporal at any moment, in any order', () => {
    const zone = fc.constantFrom(
      'Europe/Berlin',
      'America/Sao_Paulo',
      'Asia/Tehran',
      'Pacific/Apia',
      'Africa/Casablanca',
    );
    fc.assert(
      fc.property(zone, fc.integer({ min: -62135596800, max: 253402300799 }), (name, seconds) => {
        const moment = Temporal.Instant.fromEpochMilliseconds(seconds * 1000).toZonedDateTimeISO(name);
        assert.equal(timeZone(name).offsetAt(seconds), Math.round(moment.offsetNanoseconds / 1e9));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('printing timestamps', () => {
  const cases: [bigint, string, string][] = [
    [utc(2031, 7, 4, 7, 8, 7, 60500), 'Europe/Berlin', '2031-07-04 09:08:07.060500+02'],
    [utc(2031, 7, 4, 7, 8, 7, 60000), 'UTC', '2031-07-04 07:08:07.060+00'],
    [utc(2031, 7, 4, 7, 8, 7), 'Asia/Kolkata', '2031-07-04 12:38:07+05:30'],
    [utc(2031, 1, 4), 'America/St_Johns', '2031-01-03 20:30:00-03:30'],
    [-1n, 'UTC', '1969-12-31 23:59:59.999999+00'],
    [-62135596800000000n, 'UTC', '0001-01-01 00:00:00+00'],
    [-62135596800000000n, 'Europe/London', '0000-12-31 23:58:45-00:01:15'],
    [253402300799999999n, 'UTC', '9999-12-31 23:59:59.999999+00'],
    [253402300799999999n, 'Asia/Tokyo', '10000-01-01 08:59:59.999999+09'],
    [utc(2024, 10, 27, 0, 30), 'Europe/Berlin', '2024-10-27 02:30:00+02'],
    [utc(2024, 10, 27, 1, 30), 'Europe/Berlin', '2024-10-27 02:30:00+01'],
  ];
  for (const [micros, zone, text] of cases) it(text, () => assert.equal(print(micros, zone), text));

  it('reads back as the same moment in every zone', () => {
    const zone = fc.constantFrom(
      'UTC',
      'Europe/Berlin',
      'America/New_York',
      'Australia/Lord_Howe',
      'Europe/London',
      'Asia/Tokyo',
    );
    fc.assert(
      fc.property(
        fc.bigInt({ min: -62135596800000000n, max: 253402300799999999n }),
        zone,
        zone,
        (micros, shown, read) => {
          assert.equal(parse(print(micros, shown), read), micros);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

it('days and dates agree with the runtime', () => {
  fc.assert(
    fc.property(fc.integer({ min: -719162, max: 2932896 }), (days) => {
      const date = new Date(days * 86400000);
      civilOfDays(days);
      assert.deepEqual([...CIVIL], [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()]);
      assert.equal(daysOfCivil(CIVIL[0]!, CIVIL[1]!, CIVIL[2]!), days);
    }),
    { numRuns: 2000 },
  );
});
