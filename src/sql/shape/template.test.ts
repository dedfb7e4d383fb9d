import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ShapeScanner } from './scanner.ts';
import { ShapeTemplate } from './template.ts';

const scanner = new ShapeScanner();

function templateOf(text: string, former?: ShapeTemplate): ShapeTemplate {
  const bytes = Buffer.from(text);
  assert.ok(scanner.scan(bytes, 0, bytes.length), text);
  const template = ShapeTemplate.of(scanner, bytes, 0, bytes.length, former);
  assert.ok(template !== undefined);
  return template;
}

function fits(template: ShapeTemplate, text: string): boolean {
  const bytes = Buffer.from(text);
  return template.fits(scanner, bytes, 0, bytes.length);
}

/** What the scanner holds: constants, cells, lists. */
function content(): unknown {
  const { constants, cells, listCount } = scanner;
  const values = [constants, cells].map((all) =>
    Array.from({ length: all.count }, (_, index) => {
      const number = all.number[index]!;
      return [
        all.kind[index],
        Number.isNaN(number) ? `${all.big[index]}n` : Object.is(number, -0) ? '-0' : number,
        all.kind[index] === 3 ? [all.start[index], all.end[index], all.escaped[index]] : [],
      ];
    }),
  );
  const lists = Array.from({ length: listCount }, (_, list) => [
    scanner.listCellStart[list],
    scanner.listRowCount[list],
    scanner.listWidth(list),
    scanner.listEnd(list),
  ]);
  return { values, lists };
}

/** Fits, and gives what a scan gives; the shape is that of `of`. */
function sameAsScan(of: string, text: string): void {
  const template = templateOf(of);
  const shape = scanner.copyShape();
  assert.ok(fits(template, text), text);
  const guessed = content();
  const bytes = Buffer.from(text);
  assert.ok(scanner.scan(bytes, 0, bytes.length), text);
  assert.ok(scanner.equals(shape), `${of} / ${text}`);
  assert.deepEqual(guessed, content(), text);
}

test('other constants at the places of constants', () => {
  sameAsScan('select a from t where b = 1', 'select a from t where b = 923');
  sameAsScan("update t set a = a + -5, b = 'x' where c = 2.5", "update t set a = a + 7, b = 'it''s' where c = 1e3");
  sameAsScan('select 9007199254740993', 'select 12');
  sameAsScan('select a from t where b is not null and c = null', 'select a from t where b is not null and c = null');
  sameAsScan(
    "insert into t values (1, 'a') on conflict do nothing",
    "insert into t values (-2, null), ($1, 'b') on conflict do nothing",
  );
  sameAsScan('select true, 1; delete from t where a = 5', 'select true, 88; delete from t where a = 0');
});

test('what a scan would read in another way does not fit', () => {
  for (const [of, text] of [
    ['select 1', 'select 1.5'],
    ['select 1', "select '1'"],
    ['select 1', 'select -1'],
    ['select 1', 'select 1a'],
    ['select -1;', 'select -;'],
    ['select .5', 'select .a'],
    ['select 1', 'select 1 '],
    ['select 1', 'select'],
    ['select 1', 'select '],
    ['select 1 from t', 'select 1 from u'],
    ['select true', 'select false'],
    ["select 'a'", 'select "a"'],
    ["select 'a'", "select 'é'"],
    ["select 'a'", "select 'a"],
    ['select -5', 'select -5::int'],
    ['select 1', 'select 99999999999999999999'],
    ['insert into t values (1)', 'insert into t values (1, 2)'],
    ['insert into t values (1)', 'insert into t values (a)'],
    ["insert into t values ('a')", "insert into t values ('é')"],
    ['select a from t order by 1', 'select a from t order by 2'],
  ] as const)
    assert.equal(fits(templateOf(of), text), false, `${of} / ${text}`);
});

test('a minus is learnt from each text of the shape, place by place', () => {
  const first = templateOf('select -1, 2');
  assert.equal(fits(first, 'select 1, -2'), false);
  const second = templateOf('select 1, -2', first);
  assert.ok(fits(second, 'select -1, -2'));
  assert.ok(fits(second, 'select 1, 2'));
});

test('a text that fits has the shape and the constants of a scan, whatever it is', () => {
  const pieces = fc.constantFrom(
    ...` |  |1|-1|25|1.5|.5|-|+|'a'|'it''s'|"b"|'\\n'|'é|true|null|is|not|select|insert into t values|(|)|,|;|::|.|[|]|by|limit|a|$1|e3|--x`.split(
      '|',
    ),
  );
  const texts = fc.array(pieces, { maxLength: 10 }).map((words) => `select ${words.join('')}`);
  let fitCount = 0;
  fc.assert(
    fc.property(texts, fc.nat(200), fc.nat(3), pieces, (one, at, length, piece) => {
      const bytes = Buffer.from(one);
      if (!scanner.scan(bytes, 0, bytes.length)) return;
      const template = ShapeTemplate.of(scanner, bytes, 0, bytes.length, undefined);
      if (template === undefined) return;
      const shape = scanner.copyShape();
      const place = at % (one.length + 1);
      const other = one.slice(0, place) + piece + one.slice(place + length);
      if (!fits(template, other)) return;
      fitCount++;
      const guessed = content();
      const otherBytes = Buffer.from(other);
      assert.ok(scanner.scan(otherBytes, 0, otherBytes.length), `${one} / ${other}`);
      assert.ok(scanner.equals(shape), `${one} / ${other}`);
      assert.deepEqual(guessed, content(), `${one} / ${other}`);
    }),
    { numRuns: 30_000 },
  );
  assert.ok(fitCount > 100, 'the property was put to the test');
});
