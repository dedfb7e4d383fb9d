/** Dates, intervals and timestamps in imported data: the same texts as in SQL, errors with row, column and offset. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SqlError } from '../../base/errors.ts';
import { bigOfWords } from '../../types/int64.ts';
import { timeZone } from '../../types/time-zone.ts';
import { DATE, INTERVAL, TIMESTAMP } from '../../types/type.ts';
import { BatchReader, freeBatch } from '../batch.ts';
import { BatchBuilder, type RowSource } from '../batch-builder.ts';
import { column, table, testMemory } from '../testing/table.ts';
import { CsvRows } from './csv-rows.ts';
import { JsonRows } from './json-rows.ts';

const memory = testMemory();
const builder = new BatchBuilder(memory);
builder.timeZone = timeZone('Europe/Berlin');
const definition = table(memory, [
  column('d', DATE),
  column('i', INTERVAL, { defaultValue: { kind: 'text', value: '1 day 2 us' } }),
  column('ts', TIMESTAMP),
]);

/** Rows as [Julian day, [months, days, microseconds], microseconds]; or code and message of the error. */
function load(body: string, isCsv: boolean): unknown {
  const bytes = new TextEncoder().encode(body);
  builder.begin(definition, [0, 1, 2]);
  try {
    const source: RowSource = isCsv
      ? new CsvRows(bytes, 0, bytes.length, 0)
      : new JsonRows(bytes, 0, bytes.length, false, false);
    source.fill(builder, 0);
  } catch (error) {
    builder.release();
    assert(error instanceof SqlError, String(error));
    return `${error.code}: ${error.message}`;
  }
  const ref = builder.finish();
  const reader = new BatchReader(memory);
  reader.open(ref);
  const rows: unknown[] = [];
  for (let row = 0; row < reader.rowCount; row++) {
    reader.seek(row);
    const place = reader.ref(1);
    const words = memory.i32[place >>> 26]!;
    const at = (place & 0x3ffffff) << 2;
    rows.push([
      reader.isNull(0) ? null : Number(bigOfWords(reader.low(0), reader.high(0))),
      reader.isNull(1) ? null : [words[at], words[at + 1], bigOfWords(words[at + 2]!, words[at + 3]!)],
      reader.isNull(2) ? null : bigOfWords(reader.low(2), reader.high(2)),
    ]);
  }
  freeBatch(memory, ref);
  return rows;
}

describe('imported times', () => {
  it('CSV', () => {
    assert.deepEqual(
      load('2000-01-01,1 year -3 days,1970-01-01 01:00:00\n1969-12-31,"",1970-01-01T00:00Z\n2000-01-01,,\n', true),
      [
        [2451545, [12, -3, 0n], 0n],
        [2440587, [0, 0, 0n], 0n],
        [2451545, null, null],
      ],
    );
  });

  it('JSON', () => {
    assert.deepEqual(load('[["2000-01-01", "-1 us", "2024-07-01 12:00:00"], {"d": "9999-12-31"}]', false), [
      [2451545, [0, 0, -1n], BigInt(Date.UTC(2024, 6, 1, 10)) * 1000n],
      [5373484, [0, 1, 2n], null],
    ]);
  });

  const wrong: [body: string, message: string][] = [
    [
      '[["2000-02-30", null, null]]',
      "invalid_value: row 1, column 'd', offset 2: invalid date '2000-02-30' at 8: the month has 29 days",
    ],
    [
      '[["2000-02-20", "1 sun", null]]',
      "invalid_value: row 1, column 'i', offset 16: invalid interval '1 sun' at 2: expected a unit",
    ],
    [
      '[[2451545, null, null]]',
      "type_mismatch: row 1, column 'd', offset 2: a value of type int does not go into a column of type date",
    ],
    [
      '[["2000-02-20", 5, null]]',
      "type_mismatch: row 1, column 'i', offset 16: a value of type int does not go into a column of type interval",
    ],
    [
      '[["2000-02-20", null, 5]]',
      "type_mismatch: row 1, column 'ts', offset 22: a value of type int does not go into a column of type timestamp",
    ],
    [
      '[["10000-01-01", null, null]]',
      "out_of_range: row 1, column 'd', offset 2: date '10000-01-01' is outside the years 1 to 9999",
    ],
  ]; // prettier-ignore
  for (const [body, message] of wrong)
    it(`not ${body}`, () => assert.equal(String(load(body, false)).slice(0, message.length), message));
});
