/**
 * Texts of values, patterns and bodies of requests, changed at random: always a value or an error of the catalogue.
 * SEED repeats a run, AMELIE_FUZZ_FACTOR makes it longer.
 */

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { SqlError } from '../../src/base/errors.ts';
import { type AmelieDatabase, open } from '../../src/embed/index.ts';
import { readJsonRequest } from '../../src/server/frontend/json-request.ts';
import { JsonWriter } from '../../src/types/json/json-writer.ts';
import { parseJson } from '../../src/types/json/parse.ts';
import { jsonToText } from '../../src/types/json.ts';
import { bytesOf, caseCount, mutate, randomBytes, SEED, seeded, shown } from './mutations.ts';
import { Watchdog } from './watchdog.ts';

const watchdog = new Watchdog();
after(() => watchdog.close());

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

function sqlError(error: unknown, note: string): SqlError {
  assert.ok(error instanceof SqlError, `${note}: ${error instanceof Error ? error.stack : error}`);
  assert.notEqual(error.code, 'internal', note);
  return error;
}

const JSON_SEEDS = [
  '{"a": [1, 2.5, -3e-7, "x\\u00e9\\ud834\\udd1e\\n"], "b": {"c": null, "d": true, "": [[], {}]}}',
  '[9223372036854775807, -9223372036854775808, 1e308, 5e-324, 0, -0, -0.0, false]',
  `{"k": ${'['.repeat(20)}${']'.repeat(20)}, "long": "${'é'.repeat(300)}"}`,
  `[${Array.from({ length: 40 }, (_, index) => `{"key${index}": ${index}}`).join(',')}]`,
].map(bytesOf);

/** Whether JSON.parse takes the text, and every number and string in it has a form in Amelie. */
function isPlainJson(text: string): boolean | undefined {
  let isFine = true;
  try {
    JSON.parse(text, ((_key: string, value: unknown, { source }: { source?: string }) => {
      if (typeof value === 'number' && !Number.isFinite(value)) isFine = false;
      if (
        typeof value === 'number' &&
        /^-?\d{16,}$/.test(source!) &&
        BigInt.asIntN(64, BigInt(source!)) !== BigInt(source!)
      )
        isFine = false;
      if (typeof value === 'string' && !value.isWellFormed()) isFine = false;
      if (value !== null && typeof value === 'object' && !Object.keys(value).every((key) => key.isWellFormed()))
        isFine = false;
      return value;
    }) as Parameters<typeof JSON.parse>[1]);
  } catch {
    return false;
  }
  return isFine;
}

test(`JSON texts: as JSON.parse, seed ${SEED}`, () => {
  const random = seeded('json');
  const writer = new JsonWriter(1024);
  for (let left = caseCount(20_000); left > 0; left--) {
    const bytes = random.oneIn(5)
      ? randomBytes(random, 30)
      : mutate(random, random.pick(JSON_SEEDS), [
          'null',
          'true',
          '[',
          ']',
          '{',
          '}',
          '"a":',
          '1',
          ',',
          '"',
          '\\u0000',
          '\\ud800',
        ]);
    watchdog.next(bytes);
    const note = `seed ${SEED}: ${shown(bytes)}`;
    const text = textOf(bytes);
    let written: string | undefined;
    try {
      writer.start();
      parseJson(bytes, 0, bytes.length, writer);
      written = jsonToText(writer.bytes, 0);
    } catch (error) {
      const { code } = sqlError(error, note);
      assert.ok(code === 'invalid_json' || code === 'limit_exceeded', `${note}: ${code}`);
      if (code === 'invalid_json')
        assert.ok(text === undefined || isPlainJson(text) !== true, `${note} is JSON: ${error}`);
    }
    if (written === undefined) continue;
    assert.ok(text !== undefined && isPlainJson(text) === true, `${note} is no JSON`);
    // An integer has no negative zero.
    const plain = (json: string): unknown => JSON.parse(json, (_key, value) => (value === 0 ? 0 : value));
    assert.deepEqual(plain(written), plain(text), note);
    // What was written is read as the same; only a double of a whole value is then an integer, which has no -0.
    writer.start();
    const again = bytesOf(written);
    parseJson(again, 0, again.length, writer);
    assert.deepEqual(plain(jsonToText(writer.bytes, 0)), plain(written), note);
  }
});

test(`bodies of JSON requests, seed ${SEED}`, () => {
  const random = seeded('bodies');
  const seeds = [
    '{"sql": "select $1, $2", "params": [1, "x", null, {"a": [2.5]}], "format": "json-obj", "timezone": "UTC"}',
    '[{"sql": "insert into t values ($1)", "params": [1]}, {"sql": "select $1 + $2", "params": [1, 2]}]',
    '{"sql": "select \'$1\' /* $2 */, $10", "params": []}',
  ].map(bytesOf);
  for (let left = caseCount(10_000); left > 0; left--) {
    const bytes = mutate(random, random.pick(seeds), [
      '"sql":',
      '"params":',
      'null',
      '$1',
      '$99999',
      '"format":',
      "'",
      '--',
      ';',
    ]);
    watchdog.next(bytes);
    try {
      readJsonRequest(bytes, 0, bytes.length);
    } catch (error) {
      sqlError(error, `seed ${SEED}: ${shown(bytes)}`);
    }
  }
});

const TEXTS: Readonly<Record<string, readonly string[]>> = {
  bool: ['true', 'f', 'yes', '0'],
  bigint: ['9223372036854775807', '-9223372036854775808', ' 12 ', '+007'],
  smallint: ['32767', '-32768', '0'],
  double: ['1.5', '-0', '1e308', '4.9e-324', '.5', '5.', '123456789012345678901234567890.123456789'],
  float: ['1.5', '3.4028235e38', '1e-45', '16777217'],
  timestamp: ['2024-02-29 12:34:56.789012+02:30', '0001-01-01T00:00:00Z', '9999-12-31 23:59:59.999999', '2020-01-01'],
  date: ['2024-02-29', '0001-01-01', '9999-12-31'],
  interval: ['1 year 2 mons -3 days 4 hours 5 minutes 6 secs 7 ms 8 us', '2 weeks', '-1 day', ''],
  uuid: [
    '123e4567-e89b-12d3-a456-426614174000',
    'FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF',
    '{123e4567-e89b-12d3-a456-426614174000}',
  ],
  vector: ['[1, 2.5, -3e-7]', '[]', '[3.4e38, 1e-45]', '[1,2,3,4,5,6,7,8,9,10]'],
};
const VALUE_PIECES = [
  'day',
  'days',
  ' month',
  'us',
  'T',
  'Z',
  '+',
  '-',
  ':',
  '.',
  '00',
  '9',
  '1e5',
  '[',
  ',',
  'infinity',
  'nan',
  '٣',
  '−',
];

type Outcome = { readonly value?: unknown; readonly code?: string };

async function ask(db: AmelieDatabase, sql: string, parameters: readonly unknown[]): Promise<Outcome> {
  const note = `seed ${SEED}: ${sql} with ${JSON.stringify(parameters)}`;
  watchdog.next(bytesOf(note));
  const { status, body } = await db.execute(sql, parameters).catch((error: unknown) => {
    throw new Error(note, { cause: error });
  });
  if (status < 300) return { value: (JSON.parse(body) as unknown[])[0] };
  const { code, msg } = JSON.parse(body) as { code: string; msg: string };
  assert.notEqual(code, 'internal', `${note}: ${msg}`);
  return { code };
}

for (const [type, seeds] of Object.entries(TEXTS))
  test(`texts of ${type}: what is read is written, and read again the same, seed ${SEED}`, async (t) => {
    const random = seeded(type);
    const db = await open({ backends: 1, timezone: 'America/New_York' });
    let readCount = 0;
    for (let left = caseCount(1500); left > 0; left--) {
      const text = textOf(mutate(random, bytesOf(random.pick(seeds)), VALUE_PIECES, 1));
      if (text === undefined) continue;
      const { value, code } = await ask(db, `select $1::${type}::text`, [text]);
      if (code !== undefined) {
        assert.ok(
          ['invalid_value', 'out_of_range', 'invalid_json', 'overflow', 'limit_exceeded'].includes(code),
          `${type} ${JSON.stringify(text)}: ${code}`,
        );
        continue;
      }
      readCount++;
      // In the text of a vector a whole element is an integer, which has no -0.
      const again = type === 'vector' ? String(value).replaceAll(/-0(?=[,\]])/g, '0') : value;
      assert.deepEqual(
        await ask(db, `select [$1::${type}::text, $1::${type} = $2::${type}]`, [value, text]),
        { value: [again, true] },
        `seed ${SEED}: ${type} ${JSON.stringify(text)}`,
      );
    }
    t.diagnostic(`${readCount} were values`);
    await db.close();
  });

const PATTERN_PIECES = [
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
  '*',
  '+',
  '?',
  '|',
  '^',
  '$',
  '.',
  '\\d',
  '\\b',
  '\\1',
  '(?:',
  '(?=',
  '(?<n>',
  '{2,}',
  '{1,999}',
  '[^',
  'a-z',
  '\\p{L}',
  '\\u{1F600}',
  '\\x41',
  '[[:alpha:]]',
  '\\Q',
  '(?i)',
  '\\',
  '-',
  'é',
  '𝄞',
];
const PATTERN_SEEDS = [
  '(a+)+b',
  '^(\\w+)\\s*=\\s*("[^"]*"|\\d+)$',
  '(x+x+)+y',
  '[a-zA-Z_]\\w{0,30}',
  '(a|b|ab)*c',
  '((((a?){5}){5}){5}){5}',
  '(.*)(.*)(.*)(.*)z',
  '(?:\\d{1,3}\\.){3}\\d{1,3}',
];

test(`patterns of regular expressions, seed ${SEED}`, async () => {
  const random = seeded('patterns');
  const db = await open({ backends: 1 });
  const texts = ['a'.repeat(200), 'key = "value"', 'x'.repeat(100), '𝄞é日本', '', 'ab'.repeat(50), '10.0.0.255'];
  const calls = [
    'regexp_like($1, $2)',
    'regexp_substr($1, $2)',
    'regexp_match($1, $2)',
    "regexp_replace($1, $2, '<$1\\1$<n>>')",
    '$1 like $2',
  ];
  for (let left = caseCount(2500); left > 0; left--) {
    const pattern = textOf(mutate(random, bytesOf(random.pick(PATTERN_SEEDS)), PATTERN_PIECES));
    if (pattern !== undefined) await ask(db, `select ${random.pick(calls)}`, [random.pick(texts), pattern]);
  }
  await db.close();
});

test(`paths into JSON, seed ${SEED}`, async () => {
  const random = seeded('paths');
  const db = await open({ backends: 1 });
  const document = { a: { b: [1, { c: 'x' }, null] }, k: [{ v: 1 }, { v: 2 }], '': 5, 'a.b': true };
  const seeds = [
    '$.a.b[1].c',
    '$..v',
    '$.k[?(@.v > 1)]',
    '$[*]',
    "$['a.b']",
    '$.k[0:2]',
    '$.k[-1]',
    'a.b',
    'k',
    '$.a.b.length()',
  ];
  const pieces = [
    '$',
    '@',
    '..',
    '[',
    ']',
    '*',
    '?(',
    ')',
    "'",
    '"',
    '==',
    '&&',
    '||',
    '!',
    '<',
    '[0]',
    '[::',
    '-1',
    '9999999999999',
    'length',
    ' ',
  ];
  const calls = ['jsonpath($1, $2)', 'set($1, $2, 1)', 'unset($1, $2)', 'has($1, $2)', '$1[$2]'];
  for (let left = caseCount(2500); left > 0; left--) {
    const path = textOf(mutate(random, bytesOf(random.pick(seeds)), pieces));
    if (path !== undefined) await ask(db, `select ${random.pick(calls)}`, [document, path]);
  }
  await db.close();
});

test(`formats and fields of time, codes of text, seed ${SEED}`, async () => {
  const random = seeded('formats');
  const db = await open({ backends: 1 });
  const stamp = '2024-02-29 12:34:56.789012+00';
  const calls: readonly (readonly [string, readonly string[]])[] = [
    [
      `to_char('${stamp}'::timestamp, $1)`,
      ['YYYY-MM-DD HH24:MI:SS.US', 'Day, DD Month YYYY', 'FMHH12 am', '"text" Q WW IW J TZ'],
    ],
    [`extract($1, '${stamp}'::timestamp)`, ['year', 'dow', 'epoch']],
    [`date_trunc($1, '${stamp}'::timestamp)`, ['month', 'week', 'ms']],
    [`at_timezone('${stamp}'::timestamp, $1)`, ['Europe/Berlin', '+02:00', 'UTC']],
    ["format($1, 1, 'a', null)", ['%s %s %%', '%1$s %2$s', '%-10s|%10s', '%I %L']],
    ["decode($1, 'base64')", ['YWJj', 'YWI=', 'YQ==']],
    ["decode($1, 'base64url')", ['YWJj', '-_8']],
    ["decode($1, 'hex')", ['616263', 'C3A9']],
    ['json_import($1)', ['{"a": [1, 2.5, null]}', '"x"']],
    ["encode('é', $1)", ['base64', 'hex']],
  ];
  for (let left = caseCount(2500); left > 0; left--) {
    const [call, seeds] = random.pick(calls);
    const text = textOf(
      mutate(random, bytesOf(random.pick(seeds)), [...VALUE_PIECES, '%', '$', 's', 'YYYY', 'TH', 'FM', '"']),
    );
    if (text !== undefined) await ask(db, `select ${call}`, [text]);
  }
  await db.close();
});
