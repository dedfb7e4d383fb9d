import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ByteWriter } from '../base/byte-writer.ts';
import { SqlError } from '../base/errors.ts';
import {
  addIntervals,
  compareIntervals,
  createInterval,
  hashInterval,
  type IntervalValue,
  intervalMicros,
  intervalPrefix,
  negateInterval,
  readInterval,
  setIntervalMicros,
  writeIntervalWords,
} from './interval.ts';
import { parseInterval, writeInterval } from './interval-text.ts';
import { decodeUtf8 } from './utf8.ts';

const encoder = new TextEncoder();

type Parts = readonly [months: number, days: number, micros: bigint];

function intervalOf([months, days, micros]: Parts): IntervalValue {
  const value = createInterval();
  value.months = months;
  value.days = days;
  assert(setIntervalMicros(value, micros));
  return value;
}

function partsOf(value: IntervalValue): Parts {
  return [value.months, value.days, intervalMicros(value)];
}

/** Parts of a text, or code and message of the error. */
function parse(text: string | Uint8Array): Parts | string {
  const bytes = typeof text === 'string' ? encoder.encode(text) : text;
  const value = createInterval();
  try {
    parseInterval(bytes, 0, bytes.length, value);
  } catch (error) {
    assert(error instanceof SqlError, String(error));
    return `${error.code}: ${error.message}`;
  }
  return partsOf(value);
}

function print(parts: Parts): string {
  const writer = new ByteWriter(1);
  writeInterval(writer, intervalOf(parts));
  return decodeUtf8(writer.bytes, 0, writer.length);
}

function wordsOf(parts: Parts): Int32Array {
  const words = new Int32Array(8);
  writeIntervalWords(words, 4, intervalOf(parts));
  return words.slice(4);
}

const HOUR = 3_600_000_000n;
const DAY = 24n * HOUR;

/** Months of 30 days, days of 24 hours. */
function total([months, days, micros]: Parts): bigint {
  return (BigInt(months) * 30n + BigInt(days)) * DAY + micros;
}

const anyParts = fc.tuple(
  fc.oneof(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.integer({ min: -30, max: 30 })),
  fc.oneof(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.integer({ min: -60, max: 60 })),
  fc.oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.bigInt({ min: -3n, max: 3n }).chain((hours) => fc.bigInt({ min: -2n, max: 2n }).map((us) => hours * HOUR + us)),
    fc
      .bigInt({ min: -100_000n, max: 100_000n })
      .chain((days) => fc.bigInt({ min: -2n, max: 2n }).map((us) => days * DAY + us)),
  ),
);

describe('parsing intervals', () => {
  const cases: [string, Parts][] = [
    ['', [0, 0, 0n]],
    ['  ', [0, 0, 0n]],
    ['1 year', [12, 0, 0n]],
    ['2 years 3 months', [27, 0, 0n]],
    ['1 mon', [1, 0, 0n]],
    ['1 week 2 days', [0, 9, 0n]],
    ['3 weeks', [0, 21, 0n]],
    ['1 hour 2 hr 3 hrs 4 hours', [0, 0, 10n * HOUR]],
    ['1 minute 1 min 2 mins 3 minutes', [0, 0, 420_000_000n]],
    ['1 second 1 sec 2 secs 3 seconds', [0, 0, 7_000_000n]],
    ['1 ms 1 millisecond 2 milliseconds', [0, 0, 4000n]],
    ['1 us 1 microsecond 2 microseconds', [0, 0, 4n]],
    ['-1 day +2 hours', [0, -1, 2n * HOUR]],
    ['- 1 day', [0, -1, 0n]],
    ['1day2hours', [0, 1, 2n * HOUR]],
    ['1 DAY 2 Hours', [0, 1, 2n * HOUR]],
    ['25 hours', [0, 0, 25n * HOUR]],
    ['1.5 days', [0, 1, 12n * HOUR]],
    ['-1.5 days', [0, -1, -12n * HOUR]],
    ['1.5 years', [18, 0, 0n]],
    ['0.5 months', [0, 15, 0n]],
    ['1.5 weeks', [0, 10, 12n * HOUR]],
    ['.5 hours', [0, 0, HOUR / 2n]],
    ['0.000001 seconds', [0, 0, 1n]],
    ['02:30', [0, 0, 2n * HOUR + HOUR / 2n]],
    ['-02:30:01.5', [0, 0, -(2n * HOUR + HOUR / 2n + 1_500_000n)]],
    ['1 day 00:00:00.000001', [0, 1, 1n]],
    ['9223372036854775807 us', [0, 0, 2n ** 63n - 1n]],
    ['-9223372036854775808 us', [0, 0, -(2n ** 63n)]],
    ['2147483647 months', [2 ** 31 - 1, 0, 0n]],
    ['-2147483648 days', [0, -(2 ** 31), 0n]],
  ];
  for (const [text, parts] of cases) it(text, () => assert.deepEqual(parse(text), parts));

  const wrong: [string, number][] = [
    ['x', 0],
    ['1', 1],
    ['1 foo', 2],
    ['1 day x', 6],
    ['1 day -', 7],
    ['--1 day', 1],
    ['1 days days', 7],
    ['1:60', 4],
    ['1:2:3:4', 5],
    ['1.5:30', 3],
    ['.', 1],
    ['1 dayé', 5],
    ['1e3 days', 1],
    ['P1D', 0],
  ];
  for (const [text, offset] of wrong)
    it(`not ${text}`, () => {
      const error = String(parse(text));
      assert(error.startsWith(`invalid_value: invalid interval '${text}' at ${offset}: expected`), error);
    });

  for (const text of ['9223372036854775808 us', '2147483648 days', '-2147483649 months', '99999999999999999999 years'])
    it(`out of range: ${text}`, () => assert.equal(parse(text), `out_of_range: interval '${text}' is out of range`));

  it('never fails otherwise than by an SqlError', () => {
    const piece = fc.constantFrom('1', '-', ' ', '.', ':', 'day', 'ms', '9999999999', 'x', 'hours', '\0', 'é');
    fc.assert(
      fc.property(fc.array(piece), (pieces) => void parse(pieces.join(''))),
      { numRuns: 3000 },
    );
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void parse(bytes)));
  });
});

describe('printing intervals', () => {
  const cases: [Parts, string][] = [
    [[0, 0, 0n], ''],
    [[0, 1, 0n], '1 day'],
    [[0, 2, 0n], '2 days'],
    [[0, -1, 0n], '-1 days'],
    [[14, 0, 0n], '1 year 2 months'],
    [[-14, 0, 0n], '-1 years -2 months'],
    [[0, 0, 2n * HOUR + 40_000n], '2 hours 40 ms'],
    [[0, 0, 1_000_001n], '1 second 1 us'],
    [[0, 0, 49n * HOUR], '49 hours'],
    [[1, 400, -1n], '1 month 400 days -1 us'],
    [[0, 0, 2n ** 63n - 1n], '2562047788 hours 54 seconds 775 ms 807 us'],
    [[0, 0, -(2n ** 63n)], '-2562047788 hours -54 seconds -775 ms -808 us'],
  ];
  for (const [parts, text] of cases) it(text, () => assert.equal(print(parts), text));

  it('reads back as the same', () => {
    fc.assert(
      fc.property(anyParts, (parts) => assert.deepEqual(parse(print(parts)), parts)),
      { numRuns: 2000 },
    );
  });
});

describe('interval arithmetic', () => {
  it('adds, subtracts and negates by parts, or overflows', () => {
    const fits = ([months, days, micros]: Parts): boolean =>
      BigInt.asIntN(64, micros) === micros && months === (months | 0) && days === (days | 0);
    const outcome = (compute: (target: IntervalValue) => void): Parts | string => {
      const target = createInterval();
      try {
        compute(target);
      } catch (error) {
        assert(error instanceof SqlError && error.code === 'overflow', String(error));
        return error.message;
      }
      return partsOf(target);
    };
    fc.assert(
      fc.property(anyParts, anyParts, (a, b) => {
        const sum: Parts = [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
        const difference: Parts = [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
        const negated: Parts = [0 - a[0], 0 - a[1], -a[2]];
        assert.deepEqual(
          outcome((target) => addIntervals(intervalOf(a), intervalOf(b), 1, target)),
          fits(sum) ? sum : 'interval + interval overflow',
        );
        assert.deepEqual(
          outcome((target) => addIntervals(intervalOf(a), intervalOf(b), -1, target)),
          fits(difference) ? difference : 'interval - interval overflow',
        );
        assert.deepEqual(
          outcome((target) => negateInterval(intervalOf(a), target)),
          fits(negated) ? negated : '- interval overflow',
        );
      }),
      { numRuns: 3000 },
    );
  });

  it('orders by months of 30 days and days of 24 hours, hashes and prefixes agree', () => {
    const other = fc.tuple(anyParts, anyParts, fc.boolean()).map(([a, b, isShifted]): [Parts, Parts] => {
      // Half of the pairs stand for the same time: a month moved into days, days into hours.
      const same: Parts = [a[0] - 1, a[1] + 30, a[2]];
      return [a, isShifted && same[0] >= -(2 ** 31) && same[1] < 2 ** 31 ? same : b];
    });
    fc.assert(
      fc.property(other, ([a, b]) => {
        const left = wordsOf(a);
        const right = wordsOf(b);
        const difference = total(a) - total(b);
        const wanted = difference < 0n ? -1 : difference > 0n ? 1 : 0;
        assert.equal(Math.sign(compareIntervals(left, 0, right, 0)), wanted);
        if (wanted === 0) {
          assert.equal(hashInterval(left, 0), hashInterval(right, 0));
          assert.equal(intervalPrefix(left, 0), intervalPrefix(right, 0));
        }
        const prefixOrder = Math.sign(intervalPrefix(left, 0) - intervalPrefix(right, 0));
        assert(prefixOrder === 0 || prefixOrder === wanted);
      }),
      { numRuns: 5000 },
    );
  });

  it('lies in memory as months, days, low and high word', () => {
    assert.deepEqual([...wordsOf([-1, 2, 0x1_0000_0002n])], [-1, 2, 2, 1]);
    assert.deepEqual([...wordsOf([0, 0, -1n])], [0, 0, -1, -1]);
    fc.assert(
      fc.property(anyParts, (parts) => {
        const value = createInterval();
        readInterval(wordsOf(parts), 0, value);
        assert.deepEqual(partsOf(value), parts);
      }),
    );
  });
});
