/** The table that generated expressions read, and the constants that they are made with. */

import type { Random } from '../random.ts';
import type { Column } from './generator.ts';
import type { Row } from './tree.ts';
import {
  DATE_MAX,
  DATE_MIN,
  INT_MAX,
  INT_MIN,
  Interval,
  Json,
  type Kind,
  TIMESTAMP_MAX,
  TIMESTAMP_MIN,
  type Tree,
  type Value,
} from './values.ts';

const T = (text: string): bigint => Temporal.Instant.from(text).epochNanoseconds / 1000n;
const object = (entries: readonly (readonly [string, Tree])[]): Json => new Json(new Map(entries));
const FLOAT_MAX = 3.4028234663852886e38;

/** Constants of every kind: common ones several times, edges once. */
export const POOLS: Readonly<Record<Kind, readonly Value[]>> = {
  bool: [true, false],
  int: [
    ...[0n, 1n, 2n, 3n, 5n, -1n, -7n, 10n, 100n, -1000n, 0n, 1n, 2n, 7n],
    ...[127n, -128n, 128n, 32767n, -32768n, 2147483647n, -2147483648n, 2147483648n, 4294967296n],
    ...[2n ** 53n, 2n ** 53n + 1n, -(2n ** 53n), -(2n ** 53n) - 1n, 2n ** 53n - 1n, 3037000500n],
    ...[INT_MAX, INT_MIN, INT_MAX - 1n, INT_MIN + 1n, 2n ** 62n],
  ],
  double: [
    ...[0, 1, 0.5, -0.5, 1.5, 2.5, -2.5, 0.1, 0.2, 3, -7, 100.25, 1e-7, 12345.678],
    ...[-0, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, -1.7976931348623157e308, 1e300, 1e21, 1e-300],
    ...[2 ** 53, 2 ** 53 + 2, 2 ** 63, -(2 ** 63), 0.49999999999999994, 1 / 3],
    ...[1.005, 123456789012345680, 2 ** 52 + 0.5, 2 ** 51 + 0.5],
  ],
  text: [
    ...['a', 'b', 'ab', 'abc', 'Abc', '', 'a,b,c', ' x ', 'aab', 'key'],
    ...[
      'é',
      'ß',
      '𝄞',
      'a𝄞b',
      'İı',
      'Ωω',
      '日本語',
      "it's",
      '"',
      'a\\b',
      '50%',
      'a_b',
      '\t\n',
      '\u{10FFFF}',
      '\u{E000}',
    ],
    ...['12', '-3.5', 'true', 'e\u0301', 'x'.repeat(40), '  two  words  '],
  ],
  json: [
    ...[new Json(null), new Json(true), new Json(1n), new Json(1.5), new Json('a'), new Json(''), new Json([])],
    ...[new Json([1n, 2n, 3n]), new Json(['a', null, false]), new Json([[1n], [2n, [3n]]]), new Json(INT_MAX)],
    ...[
      object([]),
      object([['a', 1n]]),
      object([
        ['b', 'x'],
        ['a', null],
      ]),
    ],
    object([
      [
        'a',
        new Map<string, Tree>([
          ['b', [10n, 20.5, 'é𝄞']],
          ['c', true],
        ]),
      ],
      ['id', 7n],
    ]),
    new Json([new Map<string, Tree>([['k', 'v']]), 1e300, -(2n ** 53n) - 1n]),
    object(Array.from({ length: 20 }, (_, index) => [`key${index}`, BigInt(index)] as const)),
  ],
  timestamp: [
    ...[T('2024-02-29T12:34:56.789012Z'), T('2020-01-01T00:00:00Z'), T('2021-03-28T01:30:00Z'), 0n, -1n, 1_500_000n],
    ...[T('1999-12-31T23:59:59.999999Z'), T('2031-07-04T09:08:07.0605Z'), T('1969-07-20T20:17:40Z')],
    ...[T('2021-10-31T00:30:00Z'), T('2021-10-31T01:30:00Z'), T('1883-11-18T18:00:00Z'), T('2023-05-31T10:00:00.1Z')],
    ...[TIMESTAMP_MIN + 400_000_000_000n, TIMESTAMP_MAX - 400_000_000_000n, T('1684-01-01T00:00:00Z')],
  ],
  date: [2451545, 2440588, 2440587, 2459274, 2460370, 2299161, 2415021, DATE_MIN, DATE_MAX, 2460000, 2459580],
  interval: [
    new Interval(0, 0, 0n),
    new Interval(0, 1, 0n),
    new Interval(1, 0, 0n),
    new Interval(0, 30, 0n),
    new Interval(14, -3, 3_723_004_005n),
    new Interval(-1, 0, 0n),
    new Interval(0, 0, 3_600_000_000n),
    new Interval(0, 0, 86_400_000_000n),
    new Interval(0, -1, 1n),
    new Interval(-13, 400, -59_999_999n),
    new Interval(0, 0, 40_000n),
    new Interval(1200, 0, -7_200_040_000n),
  ],
  vector: [
    ...[[1, 2, 3], [0, 0, 0], [-1.5, 2.25, 1e10], [1, 2], [0.10000000149011612, 3], [5], [1, 2, 4], []],
    ...[[FLOAT_MAX, 1, -1]],
  ],
  uuid: [
    '00000000-0000-0000-0000-000000000000',
    'ffffffff-ffff-ffff-ffff-ffffffffffff',
    '123e4567-e89b-12d3-a456-426614174000',
    '80000000-0000-4000-8000-000000000001',
    '7fffffff-ffff-4fff-bfff-fffffffffff0',
  ],
};

type Definition = Column & { readonly type: string; readonly isNullable: boolean; readonly pool?: readonly Value[] };

const column = (name: string, type: string, kind: Kind, isNullable: boolean, pool?: readonly Value[]): Definition => ({
  name,
  type,
  kind,
  isNullable,
  ...(pool === undefined ? {} : { pool }),
});

const SMALL_INTS = [0n, 1n, 2n, 3n, -1n, -5n, 17n, 100n];

export const DEFINITIONS: readonly Definition[] = [
  column('b', 'bool', 'bool', true),
  column('b1', 'bool', 'bool', false),
  column('i8', 'tinyint', 'int', true, [...SMALL_INTS, 127n, -128n]),
  column('i16', 'smallint', 'int', false, [...SMALL_INTS, 32767n, -32768n]),
  column('i32', 'int', 'int', true, [...SMALL_INTS, 2147483647n, -2147483648n]),
  column('i32n', 'int', 'int', false, SMALL_INTS),
  column('i64', 'bigint', 'int', true),
  column('i64n', 'bigint', 'int', false),
  column('f', 'float', 'double', true, [0, 1, 1.5, -0.25, 16777216, -65504.5, 0.5, 1e10, 2 ** -10]),
  column('d', 'double', 'double', true),
  column('d1', 'double', 'double', false, [0, 1, 2.5, -3.75, 0.1, 1e6, 7]),
  column('s', 'text', 'text', true),
  column('s1', 'text', 'text', false),
  column('j', 'json', 'json', true),
  column('j1', 'json', 'json', false),
  column('ts', 'timestamp', 'timestamp', true),
  column('ts1', 'timestamp', 'timestamp', false),
  column('dt', 'date', 'date', true),
  column('dt1', 'date', 'date', false),
  column('iv', 'interval', 'interval', true),
  column('iv1', 'interval', 'interval', false),
  column('v', 'vector', 'vector', true),
  column('v1', 'vector', 'vector', false),
  column('u', 'uuid', 'uuid', true),
  column('u1', 'uuid', 'uuid', false),
];

/** A random value for the column. */
export function columnValue(random: Random, { kind, isNullable, pool }: Definition): Value {
  if (isNullable && random.oneIn(5)) return null;
  return random.pick(pool ?? POOLS[kind]);
}

export function randomRow(random: Random, definitions: readonly Definition[], id: number): Row {
  const entries = definitions.map((definition) => [definition.name, columnValue(random, definition)] as const);
  return { id: BigInt(id), ...Object.fromEntries(entries) };
}
