import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BIGINT, DOUBLE, NULL_TYPE, TEXT, type TypeId } from '../types/type.ts';
import { FUNCTIONS, resolveFunction } from './registry.ts';
import { type Argument, call } from './testing.ts';

const MAX = 2n ** 63n - 1n;
const MIN = -(2n ** 63n);
const NOON = { at: '2024-08-07 12:34:56.789012Z' };

const CASES: [string, Argument[], unknown, string?][] = [
  ['length', ['žluť😀'], 5n],
  ['length', [''], 0n],
  ['size', ['ab'], 2n],
  ['octet_length', ['žluť😀'], 10n],
  ['length', [{ json: '[1,2,3]' }], 3n],
  ['size', [{ json: '{"a":1}' }], 1n],
  ['length', [{ json: '5' }], 'invalid_value: length: the JSON value is neither array nor object'],
  ['lower', ['ABC xÉ'], 'abc xé'],
  ['lower', ['AZ[@'], 'az[@'],
  ['upper', ['straße'], 'STRASSE'],
  ['upper', ['abz{`'], 'ABZ{`'],
  ['substr', ['hello', 2n], 'ello'],
  ['substr', ['hello', 2n, 3n], 'ell'],
  ['substr', ['hello', 0n, 2n], 'h'],
  ['substr', ['hello', -1n, 4n], 'he'],
  ['substr', ['hello', 10n], ''],
  ['substr', ['žluť', 2n, 2n], 'lu'],
  ['substr', ['hello', 1n, 0n], ''],
  ['substr', ['hello', 2n, MAX], 'ello'],
  ['substr', ['hello', MIN], 'hello'],
  ['substr', ['hello', 1n, -1n], 'invalid_value: substr: negative length'],
  ['strpos', ['hello', 'l'], 3n],
  ['strpos', ['žluť', 'ť'], 4n],
  ['strpos', ['hello', 'z'], 0n],
  ['strpos', ['hello', ''], 1n],
  ['replace', ['aXbX', 'X', 'yy'], 'ayybyy'],
  ['replace', ['abc', '', 'x'], 'abc'],
  ['replace', ['aaa', 'aa', 'b'], 'ba'],
  ['replace', ['abc', 'b', ''], 'ac'],
  ['trim', [' \t\v\n\fa b \t\v\n\f'], 'a b'],
  ['trim', ['\ra'], '\ra'],
  ['ltrim', ['xxaxx', 'x'], 'axx'],
  ['rtrim', ['xxaxx', 'x'], 'xxa'],
  ['trim', ['éžaéž', 'žé'], 'a'],
  ['trim', ['   '], ''],
  ['trim', ['a', ''], 'a'],
  ['concat', ['a', null, 'b'], 'ab'],
  ['concat', [null], ''],
  ['abs', [-5n], 5n],
  ['abs', [-(2n ** 62n)], 2n ** 62n],
  ['abs', [MIN], 'overflow: abs: int overflow'],
  ['abs', [-1.5], 1.5],
  ['round', [2.5], 3n],
  ['round', [-2.5], -3n],
  ['round', [0.49999999999999994], 0n],
  ['round', [-0.4], 0n],
  ['round', [4503599627370495.5], 4503599627370496n],
  ['round', [1e18], 10n ** 18n],
  ['round', [1e19], 'overflow: round: int overflow'],
  ['round', [7n], 7n],
  ['round', [MAX], MAX],
  ['round', [1.005, 2n], 1.01],
  ['round', [-1.005, 2n], -1.01],
  ['round', [1234.5, -2n], 1200],
  ['round', [1250, -2n], 1300],
  ['round', [1e300, 2n], 1e300],
  ['round', [5n, 1n], 5],
  ['round', [0.1, 500n], 0.1],
  ['round', [123, -500n], 0],
  ['round', [1.5, MAX], 1.5],
  ['floor', [-1.5], -2],
  ['ceil', [1.2], 2],
  ['ceil', [-0.5], 0],
  ['floor', [MAX], MAX],
  ['ceil', [3n], 3n],
  ['sqrt', [9], 3],
  ['sqrt', [2n], Math.SQRT2],
  ['sqrt', [-1], 'invalid_value: sqrt: argument is negative'],
  ['pow', [2n, 62n], 2n ** 62n],
  ['pow', [-2n, 63n], MIN],
  ['pow', [2n, 63n], 'overflow: pow: int overflow'],
  ['pow', [3n, 1000000n], 'overflow: pow: int overflow'],
  ['pow', [-1n, MAX], -1n],
  ['pow', [0n, 0n], 1n],
  ['pow', [2n, -1n], 'invalid_value: pow: exponent is negative'],
  ['pow', [2n, 0.5], Math.SQRT2],
  ['pow', [-8, 0.5], 'invalid_value: pow: negative number to a fractional power'],
  ['pow', [10, 400], 'overflow: pow: double overflow'],
  ['pow', [0, -1], 'zero_division: pow: zero to a negative power'],
  ['mod', [7n, 3n], 1n],
  ['mod', [-7n, 3n], -1n],
  ['mod', [MIN, -1n], 0n],
  ['mod', [MAX, 10n], 7n],
  ['mod', [7n, 0n], 'zero_division: zero division'],
  ['mod', [7.5, 2], 1.5],
  ['sign', [-3n], -1n],
  ['sign', [MIN], -1n],
  ['sign', [MAX], 1n],
  ['sign', [0.0], 0n],
  ['sign', [-0.1], -1n],
  ['greatest', [1n, null, 3n, 2n], 3n],
  ['least', [MAX, MIN, null], MIN],
  ['greatest', [1n, 2.5], 2.5],
  ['least', ['b', 'a', 'ab'], 'a'],
  ['greatest', [null, null], null],
  ['greatest', [2n ** 53n, 2n ** 53n + 1n], 2n ** 53n + 1n],
  ['greatest', [{ at: '2024-01-01' }, { at: '2024-01-02' }], '2024-01-02 00:00:00+00'],
  ['random', [0n], 'invalid_value: random: the argument must be above 0'],
  ['random', [MIN], 'invalid_value: random: the argument must be above 0'],
  ['random', [1n], 0n],
  ['error', ['boom'], 'raised: boom'],
  ['now', [], '1970-01-01 00:00:05+00'],
  ['extract', [NOON, 'year'], 2024n],
  ['extract', ['Quarter', NOON], 3n],
  ['extract', [NOON, 'month'], 8n],
  ['extract', [NOON, 'week'], 32n],
  ['extract', [NOON, 'day'], 7n],
  ['extract', [NOON, 'dow'], 3n],
  ['extract', [NOON, 'doy'], 220n],
  ['extract', [NOON, 'hr'], 12n],
  ['extract', [NOON, 'min'], 34n],
  ['extract', [NOON, 'sec'], 56n],
  ['extract', [NOON, 'ms'], 789n],
  ['extract', [NOON, 'us'], 789012n],
  ['extract', [NOON, 'epoch'], 1723034096n],
  ['extract', [{ at: '1969-12-31 23:59:59.5Z' }, 'epoch'], -1n],
  ['extract', [NOON, 'hour', 'Asia/Tokyo'], 21n],
  ['extract', [{ at: '2021-01-03' }, 'week'], 53n],
  ['extract', [{ at: '2018-12-31' }, 'week'], 1n],
  ['extract', [{ at: '1960-02-28' }, 'dow'], 0n],
  ['extract', [{ at: '2300-03-01' }, 'doy'], 60n],
  ['extract', [NOON, 'eon'], "invalid_value: extract: unknown field 'eon'"],
  ['date_trunc', [NOON, 'year'], '2024-01-01 00:00:00+00'],
  ['date_trunc', ['quarter', NOON], '2024-07-01 00:00:00+00'],
  ['date_trunc', [NOON, 'month'], '2024-08-01 00:00:00+00'],
  ['date_trunc', [NOON, 'week'], '2024-08-05 00:00:00+00'],
  ['date_trunc', [NOON, 'day'], '2024-08-07 00:00:00+00'],
  ['date_trunc', [NOON, 'hour'], '2024-08-07 12:00:00+00'],
  ['date_trunc', [NOON, 'minute'], '2024-08-07 12:34:00+00'],
  ['date_trunc', [NOON, 'second'], '2024-08-07 12:34:56+00'],
  ['date_trunc', [NOON, 'ms'], '2024-08-07 12:34:56.789+00'],
  ['date_trunc', [NOON, 'us'], '2024-08-07 12:34:56.789012+00'],
  ['date_trunc', [NOON, 'day', 'Asia/Tokyo'], '2024-08-06 15:00:00+00'],
  ['date_trunc', [NOON, 'day'], '2024-08-07 00:00:00+02', 'Europe/Berlin'],
  ['date_trunc', [{ at: '2300-05-05 01:00Z' }, 'year'], '2300-01-01 00:00:00+00'],
  ['date_trunc', [{ at: '2024-10-27 02:30:00+01' }, 'hour'], '2024-10-27 02:00:00+01', 'Europe/Berlin'],
  ['date_trunc', [NOON, 'dow'], "invalid_value: date_trunc: cannot cut to 'dow'"],
  [
    'date_trunc',
    [{ at: '0001-01-01 00:00Z' }, 'day'],
    'out_of_range: date_trunc is outside the years 1 to 9999',
    'America/New_York',
  ],
]; // prettier-ignore

describe('functions', () => {
  for (const [name, args, expected, zone] of CASES) {
    const shown = args.map((value) => (typeof value === 'object' ? JSON.stringify(value) : String(value))).join(', ');
    it(`${name}(${shown})`, () => assert.deepEqual(call(name, args, zone), expected));
  }

  it('random() covers 64 bits, random(n) stays below n', () => {
    const seen = new Set(Array.from({ length: 2 }, () => call('random', [])));
    assert.equal(seen.size, 1, 'the same seed gives the same value');
    for (const modulo of [3n, 2n ** 40n, MAX]) {
      const value = call('random', [modulo]) as bigint;
      assert(value >= 0n && value < modulo);
    }
  });

  it('version() is that of the package', () => assert.match(call('version', []) as string, /^\d+\.\d+\.\d+/));
});

describe('choosing an overload', () => {
  const cases: [string, TypeId[], string][] = [
    ['nothing', [], "function 'nothing' does not exist"],
    ['substr', [TEXT], 'substr: expected 2 or 3 arguments'],
    ['length', [], 'length: expected 1 argument'],
    ['now', [TEXT], 'now: expected no arguments'],
    ['random', [BIGINT, BIGINT], 'random: expected 0 or 1 argument'],
    ['concat', [], 'concat: expected at least 1 argument'],
    ['substr', [BIGINT, TEXT], 'substr: unsupported argument types (int, string)'],
    ['sqrt', [TEXT], 'sqrt: unsupported argument types (string)'],
    ['greatest', [TEXT, BIGINT], 'greatest: unsupported argument types (string, int)'],
  ];
  for (const [name, types, expected] of cases) it(expected, () => assert.equal(resolveFunction(name, types), expected));

  it('keeps integers where it can, NULL goes everywhere', () => {
    const types = (name: string, given: TypeId[]): unknown => {
      const found = resolveFunction(name, given);
      return typeof found === 'string' ? found : [...found.argumentTypes, found.resultType];
    };
    assert.deepEqual(types('pow', [BIGINT, BIGINT]), [BIGINT, BIGINT, BIGINT]);
    assert.deepEqual(types('pow', [BIGINT, DOUBLE]), [DOUBLE, DOUBLE, DOUBLE]);
    assert.deepEqual(types('sqrt', [BIGINT]), [DOUBLE, DOUBLE]);
    assert.deepEqual(types('concat', [BIGINT, TEXT, NULL_TYPE]), [TEXT, TEXT, TEXT, TEXT]);
    assert.deepEqual(types('substr', [NULL_TYPE, BIGINT]), [TEXT, BIGINT, TEXT]);
  });

  it('no two overloads of a name take the same types', () => {
    const keys = FUNCTIONS.map(({ name, parameters }) => `${name}(${parameters.join()})`);
    assert.equal(new Set(keys).size, keys.length);
  });
});
