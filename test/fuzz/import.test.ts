/**
 * Bodies of imports, CSV and JSON, into columns of every type: rows or an error of the catalogue that says where, and nothing
 * of a body with an error is kept. SEED repeats a run, AMELIE_FUZZ_FACTOR makes it longer.
 */

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { SqlError } from '../../src/base/errors.ts';
import { readCsvHeader } from '../../src/program/import/csv-rows.ts';
import { Engine, type Format } from '../generated/inline.ts';
import { bytesOf, caseCount, mutate, SEED, seeded, shown } from './mutations.ts';
import { Watchdog } from './watchdog.ts';

const watchdog = new Watchdog();
after(() => watchdog.close());

const TABLE =
  'create table t (id serial primary key, b bool, i8 tinyint, i int, n bigint, f float, d double, s text, j json, ts timestamp, dt date, iv interval, v vector, u uuid)';
const COLUMNS = ['b', 'i8', 'i', 'n', 'f', 'd', 's', 'j', 'ts', 'dt', 'iv', 'v', 'u'];
const UUID = '123e4567-e89b-12d3-a456-426614174000';

/** Valid bodies; those with names bring their columns themselves. */
const SEEDS: Readonly<Record<Format, readonly { readonly text: string; readonly hasNames: boolean }[]>> = {
  csv: [
    `true,1,2,9223372036854775807,1.5,2.5,"text, ""quoted""\n",{},2020-01-01 00:00:00,2020-01-01,1 day,"[1, 2.5]",${UUID}\r\n`,
    `,,,,,,,,,,,,\nfalse,-128,-2147483648,-9223372036854775808,-0,1e308,"","[1, {""a"": null}]",1969-12-31,0001-01-01,"",[],${UUID}\n`,
  ].map((text) => ({ text, hasNames: false })),
  json: [
    {
      text: `[[true, 1, 2, 3, 1.5, 2.5, "text", {"a": [1]}, "2020-01-01 00:00:00", "2020-01-01", "1 day", [1, 2.5], "${UUID}"], [${COLUMNS.map(() => 'null').join(', ')}]]`,
      hasNames: false,
    },
    {
      text: '[{"s": "\\u00e9\\ud834\\udd1e", "n": -9223372036854775808, "v": [], "j": "x"}, {}, {"b": false, "dt": "9999-12-31"}]',
      hasNames: true,
    },
  ],
  jsonl: [
    {
      text: `[true, 1, 2, 3, 1.5, 2.5, "text", null, "2020-01-01", "2020-01-01", "1 day", [1], "${UUID}"]\n`,
      hasNames: false,
    },
    { text: '{"i": 5}\n{"j": {"k": [1.5, null]}, "u": null}\n', hasNames: true },
  ],
};
const PIECES = [
  '"',
  '""',
  ',',
  '\n',
  '\r',
  '\r\n',
  '\u{FEFF}',
  'null',
  'true',
  '300',
  '1e999',
  '[',
  ']',
  '{',
  '}',
  '"i":',
  '"id":',
  ':',
];

for (const format of ['csv', 'json', 'jsonl'] as const)
  test(`${format}, seed ${SEED}`, async (t) => {
    const random = seeded(format);
    const engine = new Engine('UTC', 2);
    await engine.run(TABLE);
    let errorCount = 0;
    for (let left = caseCount(2000); left > 0; left--) {
      const { text, hasNames } = random.pick(SEEDS[format]);
      const body = mutate(random, bytesOf(text), PIECES, 2);
      const columns = hasNames !== random.oneIn(20) ? undefined : COLUMNS;
      const note = `seed ${SEED}: ${format} ${shown(body)}`;
      watchdog.next(body);
      const error = await engine.import('t', columns, format, body).catch((cause: unknown) => {
        throw new Error(note, { cause });
      });
      if (error === undefined) continue;
      errorCount++;
      assert.notEqual(error.code, 'internal', `${note}: ${error.message}`);
      // A clash of keys names the key: the row it met may be stored already.
      const isClash = error.code === 'key_conflict';
      if (!isClash) assert.match(error.message, /row \d+|offset \d+/, `${note}: ${error.code}: ${error.message}`);
      if (left % 100 !== 0) continue;
      const count = Number(JSON.parse(await engine.run('select count(*) from t'))[0]);
      assert.equal(
        await engine.import('t', columns, format, body).then((again) => again?.message),
        error.message,
        note,
      );
      assert.equal(Number(JSON.parse(await engine.run('select count(*) from t'))[0]), count, note);
    }
    const rowCount = Number(JSON.parse(await engine.run('select count(*) from t'))[0]);
    assert.ok(rowCount > 0 && errorCount > 0);
    t.diagnostic(`${rowCount} rows, ${errorCount} errors`);
    // What came in is whole: every value of every row can be written.
    assert.equal(JSON.parse(await engine.run('select * from t')).length, rowCount);
    await engine.close();
  });

test(`headers of CSV, seed ${SEED}`, () => {
  const random = seeded('headers');
  for (let left = caseCount(5000); left > 0; left--) {
    const bytes = mutate(random, bytesOf('\u{FEFF}id,"a ""b""",s\r\n1,2,3\n'), PIECES);
    watchdog.next(bytes);
    try {
      readCsvHeader(bytes, 0, bytes.length);
    } catch (error) {
      assert.ok(error instanceof SqlError, `seed ${SEED}: ${shown(bytes)}: ${error}`);
    }
  }
});
