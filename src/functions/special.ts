/**
 * Functions that are no overloads of the registry: the binder makes them of other nodes (casts, coalesce, nullif, type), or
 * they give rows in FROM. Here is what the manual, completion and tests say about them.
 */

import type { FunctionDoc, FunctionExample, FunctionFamily } from './signature.ts';

export type SpecialFunction = {
  /** With `system.` before it where it is in that schema. */
  readonly name: string;
  readonly signatures: readonly string[];
  readonly isPure: boolean;
  readonly doc: FunctionDoc;
};

const CAST_NULLS = 'NULL of NULL and of JSON null';

function cast(
  name: string,
  result: string,
  summary: string,
  errors: readonly string[],
  examples: readonly FunctionExample[],
): SpecialFunction {
  return special('Casts', name, [`${name}(value any) → ${result}`], summary, errors, examples, CAST_NULLS);
}

function special(
  family: FunctionFamily,
  name: string,
  signatures: readonly string[],
  summary: string,
  errors: readonly string[],
  examples: readonly FunctionExample[],
  nulls?: string,
): SpecialFunction {
  const doc = { family, summary, parameters: [], errors, examples, ...(nulls === undefined ? {} : { nulls }) };
  return { name, signatures, isPure: true, doc };
}

const WRONG_TEXT = 'a text that is no such value, which the message shows';
const WRONG_RANGE = 'a number beyond the range of the type';

/** An int of so many bits. */
function intCast(name: string, bits: number, examples: readonly FunctionExample[]): SpecialFunction {
  return cast(
    name,
    'int',
    `An int that fits into ${bits} bits: of a double without its fraction, of a bool 0 or 1, of a date its Julian day, of a timestamp microseconds since 1970.`,
    [WRONG_TEXT, WRONG_RANGE],
    examples,
  );
}

function system(name: string, parameter: string, summary: string): SpecialFunction {
  const example: FunctionExample = [
    `type(system.${name}(${parameter === '' ? '' : "'none'"}))`,
    parameter === '' ? '"json"' : '"null"',
  ];
  return special(
    'System',
    `system.${name}`,
    [`system.${name}(${parameter}) → json`],
    summary,
    [],
    [example],
    parameter === '' ? undefined : 'NULL where there is no such thing',
  );
}

export const SPECIAL_FUNCTIONS: readonly SpecialFunction[] = [
  special(
    'Casts',
    'type',
    ['type(value any) → string'],
    'The name of the type: `bool`, `int` (every width), `double` (float too), `string` (text), `json`, `timestamp`, `interval`, `date`, `vector`, `uuid`.',
    [],
    [
      ['type(1.5)', '"double"'],
      ['type(null)', '"null"'],
    ],
    '`null` of NULL',
  ),
  cast(
    'bool',
    'bool',
    'A bool: false of zero, true of any other number; of the texts true, t, yes, y, on, 1 and their opposites.',
    [WRONG_TEXT],
    [["bool('yes')", 'true']],
  ),
  intCast('tinyint', 8, [["tinyint('-128')", '-128']]),
  intCast('smallint', 16, [['smallint(300.9)', '300']]),
  intCast('int', 32, [
    ["int('42')", '42'],
    ["date '2000-01-01'::int", '2451545'],
  ]),
  intCast('bigint', 64, [["bigint('9223372036854775807')", '9223372036854775807']]),
  cast('float', 'double', 'The nearest 32-bit number.', [WRONG_TEXT, WRONG_RANGE], [["float('0.1')", '0.1']]),
  cast('double', 'double', 'The nearest 64-bit number.', [WRONG_TEXT, WRONG_RANGE], [["double('1e3')", '1000']]),
  cast(
    'text',
    'string',
    'The text that a result would show, without the quotes; JSON on one line.',
    [],
    [
      ['text(1.50)', '"1.5"'],
      ['text([1, {"a": 2}])', '"[1, {\\"a\\": 2}]"'],
    ],
  ),
  cast('string', 'string', 'The same as text.', [], [['string(true)', '"true"']]),
  special(
    'Casts',
    'json',
    ['json(value any) → json'],
    'The value as JSON: a text becomes a JSON string. To read JSON out of a text there is `json_import`.',
    [],
    [
      ["json('a')", '"a"'],
      ['json(null)', 'null'],
    ],
    'JSON null of NULL',
  ),
  cast(
    'timestamp',
    'timestamp',
    'A timestamp: of a text in ISO 8601, of an int of microseconds since 1970, of a date its midnight in the time zone of the request.',
    [WRONG_TEXT, 'a time outside of the years 1 to 9999'],
    [["timestamp('2024-05-06 07:08:09Z')", '"2024-05-06 07:08:09+00"']],
  ),
  cast(
    'interval',
    'interval',
    'An interval, of a text.',
    [WRONG_TEXT],
    [["interval('1 day 90 minutes')", '"1 day 1 hour 30 minutes"']],
  ),
  cast(
    'date',
    'date',
    'A date: of a text, of a Julian day, of a timestamp its day in the time zone of the request.',
    [WRONG_TEXT, 'a day outside of the years 1 to 9999'],
    [['date(2451545)', '"2000-01-01"']],
  ),
  cast('vector', 'vector', 'A vector of a JSON array of numbers.', [WRONG_TEXT], [['vector([1, 2.5])', '[1, 2.5]']]),
  cast(
    'uuid',
    'uuid',
    'A uuid of a text.',
    [WRONG_TEXT],
    [["uuid('6BA7B810-9DAD-11D1-80B4-00C04FD430C8')", '"6ba7b810-9dad-11d1-80b4-00c04fd430c8"']],
  ),
  special(
    'NULL',
    'coalesce',
    ['coalesce(value any, …) → the common type of the values'],
    'The first of the values that is not NULL; what stands behind it is not computed.',
    ['values that have no common type'],
    [
      ["coalesce(null, 'a', 'b')", '"a"'],
      ['coalesce(1, 1 / 0)', '1'],
    ],
    'NULL if all values are',
  ),
  special(
    'NULL',
    'nullif',
    ['nullif(a any, b any) → the type of a'],
    'NULL where both are equal, else a.',
    ['values that cannot be compared'],
    [
      ['nullif(1, 1)', 'null'],
      ['nullif(1, 2)', '1'],
    ],
    'a where b is NULL',
  ),
  special(
    'Time',
    'generate_series',
    [
      'generate_series(from int, to int [, step int]) → rows of int',
      'generate_series(from date, to date [, step int]) → rows of date',
      'generate_series(from timestamp, to timestamp [, step interval]) → rows of timestamp',
      'generate_series(from date, to date, step interval) → rows of timestamp',
    ],
    'For FROM: a row for each value from the first to the last, in a column `value`; the step is 1 or a day where none is given, and may be negative.',
    ['a step of zero', 'a step that goes on in one month and back in another', 'an argument that is not constant'],
    [
      ['select value from generate_series(1, 3)', '1, 2, 3'],
      [
        "select value from generate_series(date '2024-02-28', date '2024-03-01')",
        '"2024-02-28", "2024-02-29", "2024-03-01"',
      ],
    ],
    'no rows if an argument is NULL',
  ),
  system('config', '', 'The settings and their values.'),
  system('nodes', '', 'The nodes: backends and what they hold.'),
  system('node', 'name string', 'One node.'),
  system('schemas', '', 'The schemas.'),
  system('schema', 'name string', 'One schema.'),
  system('tables', '', 'The tables, with their columns and sizes.'),
  system('table', 'name string', 'One table.'),
  system('indexes', '', 'The indexes.'),
  system('wal', '', 'The write-ahead log.'),
  system('status', '', 'The database as a whole: version, memory, connections.'),
  system('statements', '', 'The compiled statements with their calls, rows and times.'),
];
