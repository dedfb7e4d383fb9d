/**
 * The lexer, the parser and the scanner of shapes on what is no SQL: always a tree or an SqlError whose position lies in the
 * text. SEED repeats a run, AMELIE_FUZZ_FACTOR makes it longer.
 */

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { SqlError } from '../../src/base/errors.ts';
import { parseRequest } from '../../src/sql/parser/request.ts';
import { ShapeScanner } from '../../src/sql/shape/scanner.ts';
import {
  bytesOf,
  caseCount,
  corpus,
  mutate,
  randomBytes,
  SEED,
  SQL_PIECES,
  seeded,
  shown,
  tokenSoup,
} from './mutations.ts';
import { Watchdog } from './watchdog.ts';

const watchdog = new Watchdog();
after(() => watchdog.close());

const scanner = new ShapeScanner();
const STATEMENTS = corpus().flat().map(bytesOf);

/** True where the text is SQL. */
function parse(bytes: Uint8Array): boolean {
  watchdog.next(bytes);
  try {
    if (scanner.scan(bytes, 0, bytes.length)) parseRequest(bytes, scanner);
    else parseRequest(bytes);
    return true;
  } catch (error) {
    const note = `seed ${SEED}: ${shown(bytes)}`;
    assert.ok(error instanceof SqlError, `${note}: ${error instanceof Error ? error.stack : error}`);
    assert.notEqual(error.code, 'internal', note);
    assert.ok(Number.isInteger(error.position), `${note}: no position: ${error.message}`);
    assert.ok(error.position! >= 0 && error.position! <= bytes.length, `${note}: position ${error.position}`);
    return false;
  }
}

test(`random bytes, seed ${SEED}`, () => {
  const random = seeded('bytes');
  for (let left = caseCount(20_000); left > 0; left--) parse(randomBytes(random, 60));
});

test(`soups of tokens, seed ${SEED}`, () => {
  const random = seeded('soup');
  for (let left = caseCount(20_000); left > 0; left--) {
    const start = random.pick([
      '',
      'select ',
      'select a from t where ',
      'insert into t values ',
      'create table t ',
      'with ',
    ]);
    parse(bytesOf(start + tokenSoup(random, 14)));
  }
});

test(`statements with pieces changed, seed ${SEED}`, () => {
  const random = seeded('mutated');
  for (let left = caseCount(20_000); left > 0; left--) parse(mutate(random, random.pick(STATEMENTS), SQL_PIECES));
});

test('statements cut off at every byte', () => {
  const random = seeded('cut');
  const some = Array.from({ length: caseCount(150) }, () => random.pick(STATEMENTS));
  for (const statement of some)
    for (let length = 0; length < Math.min(statement.length, 400); length++) parse(statement.subarray(0, length));
});

test('nesting of every kind ends in an error, not in the end of the stack', () => {
  const openings = [
    '(',
    '[',
    '{"a": ',
    '- ',
    '~',
    'not ',
    'case when ',
    'a + (',
    'f(',
    'select (',
    'a[',
    '1 -> ',
    'cast(',
    'a in (',
    'exists (',
    'with x as (',
    '/*',
    'a::f(',
    'a between ',
    "{'k': select ",
  ];
  for (const opening of openings) {
    for (const count of [10, 199, 200, 201, 1000, 100_000]) parse(bytesOf(`select ${opening.repeat(count)}`));
    parse(bytesOf(`select * from ${opening.repeat(100_000)}`));
    parse(bytesOf(opening.repeat(100_000)));
  }
  // Long, but not deep.
  for (const link of [
    ' + 1',
    ' and a',
    " || 'a'",
    '::text',
    '.a',
    '[1]',
    ', 1',
    ' - - 1',
    ' = 1',
    ' union select 1',
    '; select 1',
  ])
    parse(bytesOf(`select a${link.repeat(20_000)}`));
});
