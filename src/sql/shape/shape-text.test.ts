import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ShapeScanner } from './scanner.ts';
import { shapeText } from './shape-text.ts';

const ENCODER = new TextEncoder();

/** What people see of a request's shape. */
function shown(sql: string): string {
  const scanner = new ShapeScanner();
  const bytes = ENCODER.encode(sql);
  assert.ok(scanner.scan(bytes, 0, bytes.length), sql);
  return shapeText(scanner.copyShape());
}

const CASES: readonly (readonly [sql: string, text: string])[] = [
  ['select 1', 'select ?'],
  ["select a, 'it''s', -5 from t where b = 1.5 and c = true", 'select a, ?, ? from t where b = ? and c = ?'],
  ["insert into t values (1, 'a'), (2, 'b')", 'insert into t values (?, ?), …'],
  ['insert into t values (1)  on conflict do nothing', 'insert into t values (?), … on conflict do nothing'],
  ['select   a -- why\n from t', 'select a from t'],
  ['select a from t group by 1 order by 2', 'select a from t group by 1 order by 2'],
  ['select {"k": 5, \'l"\': 6}', 'select {"k": ?, \'l"\': ?}'],
  ['select `a 1``` from t where x = 7', 'select `a 1``` from t where x = ?'],
  ["select a from t format 'json'", "select a from t format 'json'"],
  ['select {"\\"\u0003": 1}', 'select {"\\"\u0003": ?}'],
  ['select ä from t where é = $1', 'select ä from t where é = $1'],
];

for (const [sql, text] of CASES) test(sql, () => assert.equal(shown(sql), text));

test('a constant is never in the text', () => {
  assert.doesNotMatch(shown("select 'secret' || x from t where y in ('secret', 'secret')"), /secret/);
});
