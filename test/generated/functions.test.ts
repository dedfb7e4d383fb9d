/**
 * Every overload of every function, through SQL: NULLs, edges and wrong types in each place. A call gives a value of the
 * declared type or an error that is the user's, keeps its NULL rule, and gives the same again where it is pure.
 */

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type AmelieDatabase, open } from '../../src/embed/index.ts';
import { FUNCTIONS } from '../../src/functions/registry.ts';
import { AS_JSON, type ParameterType, type ScalarFunction } from '../../src/functions/signature.ts';
import {
  BIGINT,
  BOOL,
  DATE,
  DOUBLE,
  INTERVAL,
  JSON_TYPE,
  TEXT,
  TIMESTAMP,
  TYPE_NAMES,
  type TypeId,
  UUID,
  VALUE_NAMES,
  VECTOR,
} from '../../src/types/type.ts';

/** By type: expressions of its edges, the first an ordinary value. */
const EDGES: ReadonlyMap<number, readonly string[]> = new Map<number, readonly string[]>([
  [BOOL, ['true', 'false']],
  [
    BIGINT,
    [
      '3',
      '0',
      '-1',
      '1',
      '9007199254740992',
      '9007199254740993',
      '-9007199254740993',
      '9223372036854775807',
      '-9223372036854775808',
    ],
  ],
  [DOUBLE, ['1.5', '0.0', '-1.5', '5e-324', '1.7976931348623157e308', '-1e300', '9007199254740993.0']],
  [
    TEXT,
    ["'abc'", "''", "'😀e\u0301 日本'", "'year'", "'Asia/Tokyo'", "'base64'", "'%s%L%'", "'(a'", "'\\\\'", "'a.b'"],
  ],
  [
    JSON_TYPE,
    [
      '[1, 2, 3]',
      '[]',
      '{}',
      '{"a": {"b": [null, 9223372036854775807, 1e300, "😀"]}}',
      'null::json',
      "json('😀')",
      'json(5)',
      'json(true)',
    ],
  ],
  [
    TIMESTAMP,
    [
      "timestamp '2024-02-29 12:34:56.789012'",
      "timestamp '0001-01-01 00:00:00'",
      "timestamp '9999-12-31 23:59:59.999999'",
      "timestamp '1969-12-31 23:59:59.999999'",
    ],
  ],
  [DATE, ["date '2024-02-29'", "date '0001-01-01'", "date '9999-12-31'"]],
  [INTERVAL, ["interval '1 day 2 hours'", "interval ''", "interval '-14 months 5 us'", "interval '9000 years'"]],
  [VECTOR, ['vector [1, 2, 3]', 'vector []', 'vector [0, 0, 0]', 'vector [1e30, -1e30, 1e-30]']],
  [UUID, ["uuid '6ba7b810-9dad-11d1-80b4-00c04fd430c8'", "uuid 'ffffffff-ffff-ffff-ffff-ffffffffffff'"]],
]);
const TYPES: readonly number[] = [...EDGES.keys()];

/** A NULL that is known only when it is computed. */
function runtimeNull(type: number): string {
  const value = EDGES.get(type)![0];
  return `case when length(version()) = 0 then ${value} end`;
}

function typesOf(parameter: ParameterType): readonly number[] {
  return parameter < 0 ? TYPES : [parameter];
}

const database: AmelieDatabase = await open({ timezone: 'UTC', backends: 1 });
after(() => database.close());
await database.execute('create table numbered (id serial primary key)');
// A row with a value of each type, and one of NULLs.
const columns = TYPES.map((type) => `${columnOf(type)} ${TYPE_NAMES[type]}`);
await database.execute(`create table edges (id int primary key, ${columns.join(', ')})`);
const values = TYPES.map((type) => EDGES.get(type)![0]);
await database.execute(`insert into edges values (1, ${values.join(', ')})`);
await database.execute('insert into edges (id) values (2)');

function columnOf(type: number): string {
  return `c_${TYPE_NAMES[type]}`;
}

type Outcome = { readonly type: string; readonly values: readonly string[] } | { readonly error: string };

/** The type of the call, and what it gives twice. */
async function call(name: string, values: readonly string[]): Promise<Outcome> {
  const sql = `${name}(${values.join(', ')})`;
  const { body, status } = await database.execute(`select type(${sql}), string(json(${sql})), string(json(${sql}))`);
  if (status >= 300) {
    const { code } = JSON.parse(body) as { code: string };
    assert.notEqual(code, 'internal', `${sql}: ${body}`);
    assert.equal(status, 400, `${sql}: ${body}`);
    return { error: body };
  }
  const [[type, ...results]] = JSON.parse(body) as [string[]];
  return { type, values: results };
}

/** Arguments of the declared types with which the function gave a value, undefined before there was one. */
let working: readonly string[] | undefined;

async function check(overload: ScalarFunction, values: readonly string[], types: readonly number[]): Promise<void> {
  const outcome = await call(overload.name, values);
  if ('error' in outcome) return;
  const shown = `${overload.name}(${values.join(', ')})`;
  const isOfOverload = overload.parameters.every((parameter, index) => parameter < 0 || parameter === types[index]);
  if (!isOfOverload) return;
  working ??= values;
  if (outcome.type === 'null') assert(overload.canGiveNull, `${shown} gave NULL`);
  else assert.equal(outcome.type, VALUE_NAMES[overload.result], shown);
  if (overload.isPure && !overload.isAhead) assert.equal(outcome.values[0], outcome.values[1], `${shown} is pure`);
}

/** The same over the rows of a table: one argument at a time is a column, and NULL in the second row. */
async function checkRows(
  overload: ScalarFunction,
  ordinary: readonly string[],
  types: readonly number[],
): Promise<void> {
  for (const [index, type] of types.entries()) {
    const value = `case when ${columnOf(type)} is not null then ${ordinary[index]} end`;
    const sql = `select type(${overload.name}(${ordinary.with(index, value).join(', ')})) from edges order by id`;
    const { body, status } = await database.execute(sql);
    assert.equal(status, 200, `${sql}: ${body}`);
    const [first, second] = JSON.parse(body) as [string, string];
    assert(first === VALUE_NAMES[overload.result] || overload.canGiveNull, `${sql}: ${body}`);
    const isStrict = !overload.acceptsNull && overload.parameters[index] !== AS_JSON;
    if (isStrict) assert.equal(second, 'null', sql);
    else assert(second === VALUE_NAMES[overload.result] || overload.canGiveNull, `${sql}: ${body}`);
  }
}

/** Ordinary arguments of functions that take no others, by place. */
const ORDINARY: ReadonlyMap<string, readonly (string | undefined)[]> = new Map([
  ['decode(string, string)', ["'YWJj'", "'base64'"]],
  ['jsonpath(json, string)', ['{"a": 1}', "'$.a'"]],
  ['json_import(string)', ["'[1, 2]'"]],
  ['extract(timestamp, string, string)', [undefined, "'year'", "'Asia/Tokyo'"]],
  ['extract(string, timestamp, string)', ["'year'", undefined, "'Asia/Tokyo'"]],
  ['date_trunc(timestamp, string, string)', [undefined, "'year'", "'Asia/Tokyo'"]],
  ['date_trunc(string, timestamp, string)', ["'year'", undefined, "'Asia/Tokyo'"]],
  ['timestamp(string, string)', ["'2024-02-29'", "'Asia/Tokyo'"]],
  ['identity_of(string, string)', ["'public'", "'numbered'"]],
]);

for (const overload of FUNCTIONS) {
  const { name, parameters, acceptsNull } = overload;
  // Functions of any types are called with one argument of each type at a time.
  const defaults = parameters.map((parameter) => typesOf(parameter)[0]!);
  const shown = parameters.map((parameter) => (parameter < 0 ? 'any' : VALUE_NAMES[parameter])).join(', ');
  const given = ORDINARY.get(`${name}(${shown})`);
  const ordinary = defaults.map((type, index) => given?.[index] ?? EDGES.get(type)![0]!);
  test(`${name}(${shown})`, async () => {
    working = undefined;
    await check(overload, ordinary, defaults);
    for (const index of parameters.keys()) {
      const put = (value: string): string[] => ordinary.with(index, value);
      for (const type of TYPES) {
        const types = defaults.with(index, type as TypeId);
        for (const value of EDGES.get(type)!) await check(overload, put(value), types);
      }
      // Two edges together, where the first arguments are of one type.
      if (index > 0 && defaults[index] === defaults[0]) {
        for (const value of EDGES.get(defaults[0]!)!) {
          await check(overload, ordinary.with(0, value).with(index, value), defaults);
        }
      }
      for (const value of ['null', runtimeNull(defaults[index]!)]) {
        const outcome = await call(name, put(value));
        const isStrict = !acceptsNull && parameters[index] !== AS_JSON;
        if (isStrict && !('error' in outcome)) assert.equal(outcome.type, 'null', `${name}(${put(value).join(', ')})`);
      }
    }
    assert(working !== undefined || name === 'error', `${name}: some call gives a value`);
    if (working !== undefined && !overload.isAhead) await checkRows(overload, working, defaults);
    for (const count of [parameters.length + 7, 0]) {
      await call(
        name,
        Array.from({ length: count }, (_, index) => ordinary[index % ordinary.length] ?? '1'),
      );
    }
  });
}
