import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RowStatement } from '../ast/ast.ts';
import { RESERVED_WORDS } from '../lexer/keywords.ts';
import { decodeText } from '../lexer/text.ts';
import { parseRequest } from '../parser/request.ts';
import { printStatement } from '../parser/testing.ts';
import type { Constants } from './constants.ts';
import { ShapeScanner } from './scanner.ts';
import { wordNumber } from './words.ts';

const scanner = new ShapeScanner();

function scan(text: string): boolean {
  const bytes = Buffer.from(text);
  return scanner.scan(bytes, 0, bytes.length);
}

const MARKERS: readonly string[] = ['', '<int>', '<double>', '<text>', '<bool>', '<null>', '<list>'];

/** The shape with its markers readable, and the constants: `shape | constants | cells of each list by row`. */
function split(text: string): string {
  const bytes = Buffer.from(text);
  assert.ok(scanner.scan(bytes, 0, bytes.length), `no shape for ${text}`);
  const shape = scanner.copyShape();
  let readable = '';
  for (let at = 0; at < shape.length; at++) {
    const byte = shape[at]!;
    if (byte === 6) {
      readable += `<list ${shape[at + 1]! - 128 + (shape[at + 2]! - 128) * 128}>`;
      at += 3;
    } else readable += byte < 6 ? MARKERS[byte] : String.fromCharCode(byte);
  }
  const parts = [readable, printAll(bytes, scanner.constants, 0, scanner.constants.count)];
  for (let list = 0; list < scanner.listCount; list++) {
    const width = scanner.listWidth(list);
    const start = scanner.listCellStart[list]!;
    const rows: string[] = [];
    for (let row = 0; row < scanner.listRowCount[list]!; row++) {
      rows.push(`(${printAll(bytes, scanner.cells, start + row * width, width)})`);
    }
    parts.push(rows.join(' '));
  }
  return parts.join(' | ');
}

function printAll(bytes: Uint8Array, constants: Constants, start: number, count: number): string {
  return Array.from({ length: count }, (_, index) => printOne(bytes, constants, start + index)).join(' ');
}

function printOne(bytes: Uint8Array, { kind, number, big, start, end, escaped }: Constants, index: number): string {
  const value = number[index]!;
  switch (kind[index]) {
    case 1:
      return Number.isNaN(value) ? `${big[index]}n` : `${value}`;
    case 2:
      return `${value}d`;
    case 3: {
      const decoded = decodeText(bytes, start[index]!, end[index]!);
      assert.equal(escaped[index] === 1, decoded !== Buffer.from(bytes.subarray(start[index], end[index])).toString());
      return JSON.stringify(decoded);
    }
    case 4:
      return value === 1 ? 'true' : 'false';
    case 5:
      return 'null';
    case 6:
      return 'default';
    case 8:
      return Buffer.from(bytes.subarray(start[index], end[index])).toString();
    default:
      return `$${value}`;
  }
}

function check(cases: readonly (readonly [string, string])[]): void {
  for (const [text, expected] of cases) assert.equal(split(text), expected, text);
}

test('constants leave the text, by kind', () => {
  check([
    ["select 1, 1.5, 'a', true, null", 'select <int>, <double>, <text>, <bool>, <null> | 1 1.5d "a" true null'],
    ["select f(\"it''s\", 'it''s', '\\n')", 'select f(<text>, <text>, <text>) | "it\'\'s" "it\'s" "\\n"'],
    ['select FALSE, Null, .5, 1e3', 'select <bool>, <null>, <double>, <double> | false null 0.5d 1000d'],
    ['select $1, a.$2', 'select $1, a.$2 | '],
    ['select a limit 5 offset 6', 'select a limit <int> offset <int> | 5 6'],
    ['insert into t generate 500', 'insert into t generate <int> | 500'],
    ["select '\u00e9', `\u00e9`", `select <text>, ${Buffer.from('`é`').toString('latin1')} | "é"`],
  ]);
});

test('integers to the edges of doubles and of 64 bits', () => {
  check([
    ['select 9007199254740991, -9007199254740991', 'select <int>, <int> | 9007199254740991 -9007199254740991'],
    ['select 9007199254740992, -9007199254740993', 'select <int>, <int> | 9007199254740992n -9007199254740993n'],
    ['select 9223372036854775807', 'select <int> | 9223372036854775807n'],
    ['select -9223372036854775808', 'select <int> | -9223372036854775808n'],
    ['select -9223372036854775808::text', 'select <int>::text | -9223372036854775808n'],
    ['select -9223372036854775807::text', 'select -<int>::text | 9223372036854775807n'],
    ['select 0000000000000000000000012, -0', 'select <int>, <int> | 12 0'],
    [
      'select 123456789012345678e-10, 1.7976931348623157e308',
      'select <double>, <double> | 12345678.901234567d 1.7976931348623157e+308d',
    ],
  ]);
});

test('white space and comments are one space', () => {
  check([
    ['  select\t 1 ,\n\n2  ', 'select <int> , <int> | 1 2'],
    ['select/* 1 */1--2\n,3 -- 4', 'select <int> ,<int> | 1 3'],
    ['/* a */ select 1 /* /* b */ */', 'select <int> | 1'],
    ['-- x\nselect 1', 'select <int> | 1'],
    ['select 1 - -- 2\n 3', 'select <int> - <int> | 1 3'],
    ['select a--1', 'select a | '],
  ]);
});

test('signs', () => {
  check([
    ['select -5, - 5, a - 5, a -5, a-5', 'select <int>, - <int>, a - <int>, a -<int>, a-<int> | -5 5 5 5 5'],
    [
      'select 1-1, 1 - -1, (-1), [-1], (a)-1, a[0]-1',
      'select <int>-<int>, <int> - <int>, (<int>), [<int>], (a)-<int>, a[<int>]-<int> | 1 1 1 -1 -1 -1 1 0 1',
    ],
    ['select a=-1, a>-1, 0->-1, 2*-.5', 'select a=<int>, a><int>, <int>-><int>, <int>*<double> | -1 -1 0 -1 2 -0.5d'],
    [
      'select -5::text, -5 ::text, -5/**/::text, -5[0]',
      'select -<int>::text, -<int> ::text, -<int> ::text, -<int>[<int>] | 5 5 5 5 0',
    ],
    ['select {"a":-1}, ~-1', 'select {"a":<int>}, ~<int> | -1 -1'],
    [
      'select case when -1 then -2 else -3 end -4',
      'select case when <int> then <int> else <int> end -<int> | -1 -2 -3 4',
    ],
    ['select a between -1 and -2, a in (-3)', 'select a between <int> and <int>, a in (<int>) | -1 -2 -3'],
    ['select date -5, `select` -5, t.select -5', 'select date -<int>, `select` -<int>, t.select -<int> | 5 5 5'],
    [
      "select 'a' -1, null -1, true -1, $1 -1",
      'select <text> -<int>, <null> -<int>, <bool> -<int>, $1 -<int> | "a" 1 null 1 true 1 1',
    ],
    ['update t set a = -1 where -1', 'update t set a = <int> where <int> | -1 -1'],
  ]);
});

test('constants that keep their value', () => {
  check([
    ['select a from t group by 1, 2 having 3', 'select a from t group by 1, 2 having <int> | 3'],
    ['select a order by 1 desc, f(2, 3), 4', 'select a order by 1 desc, f(<int>, <int>), 4 | 2 3'],
    ['select a order by 1; select 1, 2', 'select a order by 1; select <int>, <int> | 1 2'],
    ['select (select 1 order by 2, 3), 4', 'select (select <int> order by 2, 3), <int> | 1 4'],
    [
      'select a + 1 order by 1 + 2, 1.5, -3',
      'select a + <int> order by 1 + <int>, <double>, <int> | 1 2 1.5 -3'.replace('1.5 -3', '1.5d -3'),
    ],
    ['select distinct on (1, a, 2) 3, 4', 'select distinct on (1, a, 2) <int>, <int> | 3 4'],
    ['select a from b join c on (1)', 'select a from b join c on (<int>) | 1'],
    [
      "select {\"k\": 'v', 'l': {\"m\": 'n'}, \"o\": ['p', 'q']}, 'r'",
      'select {"k": <text>, \'l\': {"m": <text>}, "o": [<text>, <text>]}, <text> | "v" "n" "p" "q" "r"',
    ],
    ["select a['k'].b format 'json'", 'select a[<text>].b format \'json\' | "k"'],
    ["select format('x'), format", 'select format(<text>), format | "x"'],
    [
      "select interval '1 day', timestamp 'x', date \"y\", UUID 'z'",
      "select interval '1 day', timestamp 'x', date \"y\", UUID 'z' | ",
    ],
    ["select date('x'), 'x'::date, a.date", 'select date(<text>), <text>::date, a.date | "x" "x"'],
    [
      "select a at timezone 'UTC', extract('year' from 'x'), extract(year from 'x')",
      'select a at timezone \'UTC\', extract(\'year\' from <text>), extract(year from <text>) | "x" "x"',
    ],
    ['select a is null, a is not null, not null', 'select a is null, a is not null, not <null> | null'],
    ['select a.null, a.true, x::null', 'select a.null, a.true, x::null | '],
  ]);
});

test('VALUES lists of INSERT leave the text', () => {
  check([
    ["insert into t values (1, 'a'), (2, null)", 'insert into t values<list 2> |  | (1 "a") (2 null)'],
    ['insert into t values(1)', 'insert into t values<list 1> |  | (1)'],
    ['insert into t (a) values ( -1 ) , ( +2.5 ),(true)', 'insert into t (a) values<list 1> |  | (-1) (2.5d) (true)'],
    [
      'insert into t values (default, $2, -9223372036854775808)',
      'insert into t values<list 3> |  | (default $2 -9223372036854775808n)',
    ],
    ['insert into t () values (), ()', 'insert into t () values<list 0> |  | () ()'],
    [
      "insert into t values ('it''s', \"\\u0041\", '') returning 'x'",
      'insert into t values<list 3> returning <text> | "x" | ("it\'s" "A" "")',
    ],
    [
      'insert into t values (1) on conflict do update set a = 2',
      'insert into t values<list 1> on conflict do update set a = <int> | 2 | (1)',
    ],
    [
      'insert into t values (1); insert into u values (2, 3)',
      'insert into t values<list 1>; insert into u values<list 2> |  | (1) | (2 3)',
    ],
    ['insert into t values (1 /* c */, -- d\n2)', 'insert into t values<list 2> |  | (1 2)'],
    [
      'with x as (insert into t values (1)) select 2',
      'with x as (insert into t values<list 1>) select <int> | 2 | (1)',
    ],
    [
      'insert into t values (1, [1, -2.5e3 ,0]), ([], [ -9223372036854775808 ])',
      'insert into t values<list 2> |  | (1 [1, -2.5e3 ,0]) ([] [ -9223372036854775808 ])',
    ],
    // With any other expression, or rows of different width, the list is part of the shape.
    ['insert into t values ([1, a])', 'insert into t values ([<int>, a]) | 1'],
    ['insert into t values ([1, [2]])', 'insert into t values ([<int>, [<int>]]) | 1 2'],
    ['insert into t values ([.5])', 'insert into t values ([<double>]) | 0.5d'],
    ['insert into t values ([- 1])', 'insert into t values ([- <int>]) | 1'],
    ['insert into t values ([1, 2][0])', 'insert into t values ([<int>, <int>][<int>]) | 1 2 0'],
    ['insert into t values ([1 /* c */])', 'insert into t values ([<int> ]) | 1'],
    ['insert into t values (1, a), (2, 3)', 'insert into t values (<int>, a), (<int>, <int>) | 1 2 3'],
    ['insert into t values (1), (2 + 3)', 'insert into t values (<int>), (<int> + <int>) | 1 2 3'],
    ['insert into t values (1), (-2::int)', 'insert into t values (<int>), (-<int>::int) | 1 2'],
    ['insert into t values (- 1)', 'insert into t values (- <int>) | 1'],
    ['insert into t values (1), (2, 3)', 'insert into t values (<int>), (<int>, <int>) | 1 2 3'],
    // Only an INSERT's own list: elsewhere the kinds of cells decide types.
    ['select * from (values (1)) x', 'select * from (values (<int>)) x | 1'],
    ['insert into t select * from (values (1)) x', 'insert into t select * from (values (<int>)) x | 1'],
    ['insert into t select values(1)', 'insert into t select values(<int>) | 1'],
    ['insert into t generate values(1)', 'insert into t generate values(<int>) | 1'],
  ]);
});

test('the number of rows and kinds of cells are not part of the shape, the width is', () => {
  const shape = (text: string): string => split(text).split(' | ')[0]!;
  assert.equal(
    shape("insert into t values (1, 'a')"),
    shape('insert into t values (null, 2.5), (default, $1), (-3, true)'),
  );
  assert.notEqual(shape('insert into t values (1, 2)'), shape('insert into t values (1)'));
  assert.notEqual(shape(`insert into t values (${'1,'.repeat(127)}1)`), shape('insert into t values ()'));
});

test('what has no shape', () => {
  const texts: readonly string[] = [
    '',
    ' ',
    ';',
    'begin; commit',
    'commit',
    'create table t (a int)',
    'show all',
    'set a to 1',
    'checkpoint',
    'values (1)',
    'explain',
    'selec 1',
    '1',
    "'a'",
    "select 'a",
    'select "a',
    'select `a',
    'select /* a',
    'select $0',
    'select $',
    'select $8193',
    'select ?',
    'select \x01',
    'select 12ab',
    'select 1e',
    'select 1e999',
    'select 9223372036854775808',
    'select -9223372036854775809',
    'select 1 - 9223372036854775808',
    'select (1',
    'select 1)',
    'select (1]',
    'select [1}',
    'select (1; select 2)',
    "select '\\u12'",
    "select '\\ud800'",
    'insert into t values (1',
    "insert into t values ('a",
    'insert into t values (1),',
    'select ('.repeat(300),
  ]; // prettier-ignore
  for (const text of texts) {
    const isComma = text.endsWith(',');
    assert.equal(scan(text), isComma, text);
  }
  const bytes = Buffer.from("select 'aéb'");
  bytes[10] = 0x28;
  assert.equal(scanner.scan(bytes, 0, bytes.length), false, 'not UTF-8');
  for (const prefix of ['begin;', 'EXPLAIN', 'profile begin; ', '; (', '/**/'])
    assert.equal(scan(`${prefix} select 1${prefix === '; (' ? ')' : ''}`), true);
});

test('a request in the middle of a buffer', () => {
  const bytes = Buffer.from("99 'select 5, 'a'; insert into t values (6) 77");
  assert.ok(scanner.scan(bytes, 4, bytes.length - 3));
  assert.equal(scanner.constants.number[0], 5);
  assert.equal(scanner.constants.start[0], 11);
  const request = parseRequest(bytes.subarray(4, bytes.length - 3), scanner);
  const printed = request.statements.map((statement) => printStatement(statement as RowStatement));
  assert.deepEqual(printed, ['(select 5@0 "a"@1)', '(insert t (list 0 width 1))']);
});

test('equality and copies of shapes', () => {
  assert.ok(scan('select 1, 2'));
  const first = scanner.copyShape();
  const hash = scanner.shapeHash;
  assert.ok(scan('select 345, 6'));
  assert.ok(scanner.equals(first));
  assert.equal(scanner.shapeHash, hash);
  assert.ok(scan('select 345, 6.5'));
  assert.ok(!scanner.equals(first));
  assert.ok(scan('select 345, 6;'));
  assert.ok(!scanner.equals(first));
});

test('the parser numbers literals as the scanner does', () => {
  const cases: readonly (readonly [string, string])[] = [
    ["select 1, 'x', -5, a - 5, null, true", '(select 1@0 "x"@1 -5@2 (- a 5@3) null@4 true@5)'],
    ['select a from t group by 1 order by 2, 3 + 4', '(query (select a (from t) (group #1=1)) (order #2=2 (+ 3 4@0)))'],
    [
      "select {\"k\": 'v'}, date 'd', interval 'i' at timezone 'z'",
      '(select (object "k": "v"@0) (date "d") (at-timezone (interval "i") "z"))',
    ],
    ['insert into t values (1, $2), (3, default) returning 4', '(insert t (list 0 width 2) (returning 4@0))'],
    ['insert into t values (1, $2), (3, a)', '(insert t (values (row 1@0 $2) (row 3@1 a)))'],
    ['insert into t values () on conflict nothing', '(insert t (list 0 width 0) (on-conflict nothing))'],
    ['select a is null, b = null', '(select (is-null a) (= b null@0))'],
    ["select extract('year' from '2020')", '(select (extract year "2020"@0))'],
    ["select extract(a, 'x'), extract('x', a)", '(select (extract a "x"@0) (extract "x" a))'],
    ['select -9223372036854775808::text, -5::text', '(select (cast text -9223372036854775808@0) (- (cast text 5@1)))'],
  ];
  for (const [text, expected] of cases) {
    assert.ok(scan(text), text);
    const { statements } = parseRequest(Buffer.from(text), scanner);
    assert.equal(printStatement(statements[0] as RowStatement), expected, text);
  }
});

test('every word behind which a sign is part of a constant is reserved', () => {
  const words =
    'where and or like between in having limit offset case when then else set returning from using union intersect except all any select values is not distinct on';
  for (const word of words.split(' ')) {
    const bytes = Buffer.from(word.toUpperCase());
    assert.ok(wordNumber(bytes, 0, bytes.length) > 0, word);
    assert.ok(RESERVED_WORDS.has(word), word);
  }
  for (const word of ['wher', 'wheres', 'selecT_', 'a', 'tables', 'b1']) {
    assert.equal(wordNumber(Buffer.from(word), 0, word.length), 0, word);
  }
});

test('a long list, many lists and many constants', () => {
  const rows = Array.from({ length: 50_000 }, (_, row) => `(${row}, 'text ${row}')`).join(',');
  assert.ok(scan(`insert into t values ${rows}`));
  assert.equal(scanner.cells.count, 100_000);
  assert.equal(scanner.shapeLength, 'insert into t values'.length + 4);
  assert.ok(scan('insert into t values (1);'.repeat(20_000)));
  assert.equal(scanner.listCount, 20_000);
  parseRequest(Buffer.from('insert into t values (1);'.repeat(20_000)), scanner);
  assert.ok(scan(`select [${'1,'.repeat(8191)}1]`));
  assert.equal(scanner.constants.count, 8192);
  assert.equal(scan(`select [${'1,'.repeat(8192)}1]`), false);
  // A list that turns out not to be literal at its very end, again and again.
  assert.ok(scan(`insert into t values ${'(1),'.repeat(200)}(a);`.repeat(40)));
});
