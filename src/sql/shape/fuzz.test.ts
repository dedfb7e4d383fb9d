import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SqlError } from '../../base/errors.ts';
import type { Request, RowStatement } from '../ast/ast.ts';
import { parseRequest } from '../parser/request.ts';
import { printStatement } from '../parser/testing.ts';
import { ShapeScanner } from './scanner.ts';

const scanner = new ShapeScanner();

/** Constants by kind, as they may be written. */
const CONSTANTS: Readonly<Record<string, fc.Arbitrary<string>>> = {
  int: fc.oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
    fc.integer({ min: -100, max: 100 }).map(String),
  ),
  double: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => {
    const text = String(value);
    return /[.e]/.test(text) ? text : `${text}.0`;
  }),
  text: fc.oneof(
    fc.string({ unit: 'grapheme' }).map((value) => `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`),
    fc
      .string({ unit: fc.constantFrom('a', ' ', ';', '"', '--', '/*', '\\\\', "\\'", '\\u00e9', '\\n', '\x01') })
      .map((value) => `'${value}'`),
    fc.constantFrom('""', '"a""b"', '"\'"'),
  ),
  bool: fc.constantFrom('true', 'FALSE', 'True'),
  null: fc.constantFrom('null', 'NULL'),
};

/** Texts with holes for constants: `{int}`, `{text}`, and so on. Any of a hole's kind gives the same shape. */
const TEMPLATES: readonly string[] = [
  'select {int}',
  'select a + {int}, b from t where c = {text} and d < {double} or e = {null} limit 5',
  'select {int}, - {int}, a-{int} from t order by 1, 2 desc',
  'update t set a = a + {int}, b = {text} where id = {int} returning {bool}',
  'delete from t where a between {int} and {double} or b in ({text}, {text}, {null})',
  'select {"k": {text}, "l": [{int}, {null}]}, date \'2020-01-01\' format \'json\'',
  'begin; select {int}; insert into t (a, b) values ({int}, f({text})); commit',
  'insert into t select {int}, {text} from u on conflict do update set a = {int} where {bool}',
  'select case when {bool} then {int} else {double} end, {text}::date, ({int})::text, f({text}, {int})[{int}]',
  "select 0 -> self + {int}, extract(year from {text}), a at timezone 'UTC' like {text}",
];

const HOLE = /\{(int|double|text|bool|null)\}/;

/** A text made of a template with its holes filled, together with what fills them. */
function filled(template: string): fc.Arbitrary<string> {
  const parts = template.split(HOLE);
  // A hole behind an operand or a minus takes no sign.
  return fc
    .tuple(...parts.map((part, index) => (index % 2 === 0 ? fc.constant(part) : CONSTANTS[part]!)))
    .map((pieces) =>
      pieces
        .map((piece, index) => {
          const isUnsigned = index % 2 === 1 && /-\s*$/.test(pieces[index - 1]!);
          if (!isUnsigned || !piece.startsWith('-')) return piece;
          return piece === '-9223372036854775808' ? '7' : piece.slice(1);
        })
        .join(''),
    );
}

function scan(text: string): boolean {
  const bytes = Buffer.from(text);
  return scanner.scan(bytes, 0, bytes.length);
}

/** The tree without the values of its slots. */
function skeleton(text: string): string {
  const bytes = Buffer.from(text);
  assert.ok(scanner.scan(bytes, 0, bytes.length), text);
  const { statements } = parseRequest(bytes, scanner);
  return JSON.stringify(statements, function (this: { slot?: number }, key, value) {
    if (key === 'position') return undefined;
    if (key === 'value' && this.slot !== undefined) return '?';
    return typeof value === 'bigint' ? `${value}n` : value;
  });
}

test('other constants of the same kind give the same shape, hash and numbering of slots', () => {
  for (const template of TEMPLATES) {
    fc.assert(
      fc.property(filled(template), filled(template), (one, other) => {
        assert.ok(scan(one), one);
        const shape = scanner.copyShape();
        const hash = scanner.shapeHash;
        const kinds = [...scanner.constants.kind.subarray(0, scanner.constants.count)];
        assert.ok(scan(other), other);
        assert.ok(scanner.equals(shape), `${one} / ${other}`);
        assert.equal(scanner.shapeHash, hash);
        assert.deepEqual([...scanner.constants.kind.subarray(0, scanner.constants.count)], kinds);
        assert.equal(skeleton(one), skeleton(other));
      }),
      { numRuns: 30 },
    );
  }
});

test('texts of equal shape have equal trees but for the constants', () => {
  const pieces = fc.constantFrom(
    ...'select insert into t values update set where = - + ( ) [ ] { } , ; : :: . -> 1 -1 2.5 \'a\' "b" null true is not and order by group distinct on format date a b $1 at timezone extract from limit case when then end between in'.split(
      ' ',
    ),
  );
  const texts = fc.array(pieces, { maxLength: 12 }).map((words) => `select ${words.join(' ')}`);
  const seen = new Map<string, string>();
  fc.assert(
    fc.property(texts, (text) => {
      const bytes = Buffer.from(text);
      if (!scanner.scan(bytes, 0, bytes.length)) return;
      const shape = Buffer.from(scanner.copyShape()).toString('latin1');
      let tree: string;
      try {
        parseRequest(bytes, scanner);
        tree = skeleton(text);
      } catch (error) {
        assert.ok(error instanceof SqlError, `${text}: ${error}`);
        tree = 'error';
      }
      const before = seen.get(shape);
      if (before !== undefined) assert.equal(tree, before, text);
      seen.set(shape, tree);
    }),
    { numRuns: 20_000 },
  );
});

/** What a text gives without a shape, and with one if it has one: both must agree. */
function parseBoth(bytes: Uint8Array): void {
  const plain = outcome(bytes, undefined);
  const hasShape = scanner.scan(bytes, 0, bytes.length);
  if (!hasShape) return;
  const shaped = outcome(bytes, scanner);
  if (plain instanceof SqlError) {
    assert.ok(shaped instanceof SqlError, 'an error without a shape is an error with one');
    assert.equal(shaped.message, plain.message);
    assert.equal(shaped.position, plain.position);
    return;
  }
  assert.ok(!(shaped instanceof SqlError), `${shaped}`);
  if (scanner.listCount === 0) assert.equal(print(shaped), print(plain));
}

function print({ statements }: Request): string {
  // Where the scanner is not sure of a sign, it is an operator.
  return statements
    .map((statement) => printStatement(statement as RowStatement).replaceAll(/@[0-9]+/g, ''))
    .join(';')
    .replaceAll(/\(- ([0-9][^ ()]*)\)/g, '-$1');
}

function outcome(bytes: Uint8Array, shape: ShapeScanner | undefined): Request | SqlError {
  try {
    return parseRequest(bytes, shape);
  } catch (error) {
    assert.ok(error instanceof SqlError, `${Buffer.from(bytes).toString()}: ${error}`);
    assert.ok(error.position !== undefined && error.position >= 0 && error.position <= bytes.length);
    return error;
  }
}

test('random bytes give a tree or an SqlError with a position, with and without a shape alike', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => parseBoth(bytes)),
    { numRuns: 3000 },
  );
});

const SEEDS: readonly string[] = [
  "select a, -5::int, 'x''y' from s.t x left join u on x.a = u.b where not a in (1, -2) group by 1 having count(*) filter (where b) > 1 order by 2 desc nulls first limit 5 offset 1 format 'json'",
  "insert into t (a, b) values (1, 'a'), (-2.5, default), (null, $1) on conflict do update set a = a + excluded.a returning *, a::text::int",
  'insert into t values (1), (a + 1); update t set a = -1, d.k = default from u where a is not null; delete from t using u where a between -1 and 2',
  'with recursive x(a) as (select 1 union all select a + 1 from x), y as (insert into t values ()) select {"k": [a, select 1], "l": {}} from x, lateral (values (1, 2)) v(c, d)',
  "select case a when 1 then extract(year from b) else cast(c as int) end, sum(a) over (partition by b order by c rows between 1 preceding and current row), date '2020-01-01' at timezone 'UTC', 0 -> self + a",
  "create table if not exists s.t (id serial primary key, a int default -5, b text as (a || 'x') stored, primary key (id, a)) partitions 4 with (type = 'hash')",
  'alter table t set column c as (a + 1) resolved',
  "create replica if not exists 'id' uri 'u' token 't'",
  "show tables in s extended format 'json'",
];

/** Seeds with pieces cut out, doubled, swapped, or replaced. */
const MUTATED: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom(...SEEDS),
    fc.array(
      fc.tuple(
        fc.nat(300),
        fc.nat(6),
        fc.constantFrom(
          '',
          ' ',
          "'",
          '"',
          '(',
          ')',
          ',',
          '-',
          '--',
          '/*',
          '::',
          '.',
          '5',
          '-5',
          'null',
          ' select ',
          ' values ',
          ' is ',
          ' by ',
          '`',
          '$1',
          '\\',
          '{',
          '}',
          '[',
          ';',
          'é',
          ' insert into t values (1)',
        ),
      ),
      { minLength: 1, maxLength: 4 },
    ),
  )
  .map(([seed, edits]) => {
    for (const [at, length, piece] of edits) seed = seed.slice(0, at) + piece + seed.slice(at + length);
    return seed;
  });

test('mutated statements give a tree or an SqlError with a position, with and without a shape alike', () => {
  for (const seed of SEEDS) assert.ok(!(outcome(Buffer.from(seed), undefined) instanceof SqlError), seed);
  fc.assert(
    fc.property(MUTATED, (text) => parseBoth(Buffer.from(text))),
    { numRuns: 10_000 },
  );
});

test('numbers mean what JavaScript reads', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true, min: 0 }), (value) => {
      const text = String(value).includes('.') || String(value).includes('e') ? String(value) : `${value}.0`;
      assert.ok(scan(`select ${text}`));
      assert.equal(scanner.constants.number[0], value);
      assert.ok(scan(`select ${value.toFixed(5)}`));
      assert.equal(scanner.constants.number[0], Number(value.toFixed(5)));
    }),
    { numRuns: 2000 },
  );
});
