import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SqlError } from '../../base/errors.ts';
import { EXPRESSION_HEIGHT_MAX } from './cursor.ts';
import { parseExpression } from './request.ts';
import { printExpression } from './testing.ts';

function print(text: string): string {
  return printExpression(parseExpression(Buffer.from(text)));
}

function failure(text: string): SqlError {
  try {
    parseExpression(Buffer.from(text));
  } catch (error) {
    assert.ok(error instanceof SqlError, `${error}`);
    return error;
  }
  assert.fail(`no error for ${text}`);
}

function check(cases: readonly (readonly [string, string])[]): void {
  for (const [text, expected] of cases) assert.equal(print(text), expected, text);
}

test('constants', () => {
  check([
    ['1', '1'],
    ['-1', '-1'],
    ['- 1', '(- 1)'],
    ['9223372036854775807', '9223372036854775807'],
    ['-9223372036854775808', '-9223372036854775808'],
    ['-9223372036854775808::text', '(cast text -9223372036854775808)'],
    ['a -9223372036854775807', '(- a 9223372036854775807)'],
    ['1.5', '1.5'],
    ['-.5', '-0.5'],
    ['-0.0', '-0.0'],
    ['2e0', '2.0'],
    ["'a'", '"a"'],
    ['NULL', 'null'],
    ['True', 'true'],
    ['FALSE', 'false'],
    ['$3', '$3'],
    ["timestamp '2020-01-01'", '(timestamp "2020-01-01")'],
    ["DATE '2020-01-01'", '(date "2020-01-01")'],
    ['interval "1 day"', '(interval "1 day")'],
    ["uuid 'x'", '(uuid "x")'],
    ['vector [1, -2.5]', '(vector 1 -2.5)'],
    ['vector[]', '(vector)'],
    ['current_timestamp', 'current_timestamp'],
    ['CURRENT_DATE', 'current_date'],
  ]);
});

test('names, keys, indexes', () => {
  check([
    ['a', 'a'],
    ['`select`', 'select'],
    ['s.t.c.k', 's.t.c.k'],
    ['data.select.`x y`', 'data.select.x y'],
    ['date', 'date'],
    ['date - 5', '(- date 5)'],
    ['timestamp.x', 'timestamp.x'],
    ['a[0]', '(index a 0)'],
    ["a['k'].x.y[i + 1]", '(index (field (field (index a "k") x) y) (+ i 1))'],
    ['a[-1]', '(index a -1)'],
    ['a[select max(i) from t]', '(index a (select (max i) (from t)))'],
    ['(a).b', '(field a b)'],
    ['{"a": 1}.a', '(field (object "a": 1) a)'],
    ['[1, 2][0]', '(index (array 1 2) 0)'],
    ['$1.name', '(field $1 name)'],
    ['f(x).end', '(field (f x) end)'],
  ]);
});

test('precedence, from loose to tight', () => {
  check([
    ['10 - 2 * 3 - 1', '(- (- 10 (* 2 3)) 1)'],
    ['1-1', '(- 1 1)'],
    ['1--1\n', '1'],
    ['1 - -1', '(- 1 -1)'],
    ['0 -> self + v', '(-> 0 (+ self v))'],
    ['0 -> self or v', '(-> 0 (or self v))'],
    ['a -> b -> c', '(-> (-> a b) c)'],
    ['a or b and c or d', '(or (or a (and b c)) d)'],
    ['not a and not b or c', '(or (and (not a) (not b)) c)'],
    ['not a = b', '(not (= a b))'],
    ['not not a', '(not (not a))'],
    ['not a is null', '(not (is-null a))'],
    ['a = b = c', '(= (= a b) c)'],
    ['a < b | c', '(< a (| b c))'],
    ['a | b ^ c & d << e + f * g', '(| a (^ b (& c (<< d (+ e (* f g))))))'],
    ['a * b + c << d & e ^ f | g', '(| (^ (& (<< (+ (* a b) c) d) e) f) g)'],
    ['a | b | c', '(| (| a b) c)'],
    ['a << 1 >> 2', '(>> (<< a 1) 2)'],
    ['a + b - c || d', '(|| (- (+ a b) c) d)'],
    ['a * b / c % d', '(% (/ (* a b) c) d)'],
    ["a * b at timezone 'UTC'", '(* a (at-timezone b "UTC"))'],
    ["-b at timezone 'UTC'", '(at-timezone (- b) "UTC")'],
    ["a at timezone 'x' at timezone 'y'", '(at-timezone (at-timezone a "x") "y")'],
    ['-a.b', '(- a.b)'],
    ['-a[0]', '(- (index a 0))'],
    ['-5::text', '(- (cast text 5))'],
    ['-5 /* c */ ::abs', '(- (::abs 5))'],
    ['(-5)::text', '(cast text -5)'],
    ['-a::int', '(- (cast int a))'],
    ['~-+a', '(~ (- (+ a)))'],
    ['- -5', '(- -5)'],
    ['a * -b', '(* a (- b))'],
    ['2 * -5 + 1', '(+ (* 2 -5) 1)'],
    ['(a + b) * c', '(* (+ a b) c)'],
    ['a <> b', '(<> a b)'],
    ['a != b', '(<> a b)'],
    ['a<=-5', '(<= a -5)'],
    ['a and b is null or c', '(or (and a (is-null b)) c)'],
  ]);
});

test('IS, LIKE, BETWEEN, IN, ANY, ALL, EXISTS', () => {
  check([
    ['a is null', '(is-null a)'],
    ['a + 1 is not null', '(is-not-null (+ a 1))'],
    ["a || 'x' like '%' || b", '(like (|| a "x") (|| "%" b))'],
    ["a not like 'x' and b", '(and (not-like a "x") b)'],
    ['a between 1 and 2 and b', '(and (between a 1 2) b)'],
    ['a not between b + 1 and c | d or e', '(or (not-between a (+ b 1) (| c d)) e)'],
    ['a between -5 and -1', '(between a -5 -1)'],
    ['a in (1)', '(in a 1)'],
    ['a not in (1, b + 2, $1)', '(not-in a 1 (+ b 2) $1)'],
    ['a in (select b from t)', '(in a (select b (from t)))'],
    ['a in (1, (select b from t))', '(in a 1 (select b (from t)))'],
    ['a + 1 in (2) = true', '(= (in (+ a 1) 2) true)'],
    ['a = any ([1, 2])', '(=-any a (array 1 2))'],
    ['a <> all (select b from t)', '(<>-all a (select b (from t)))'],
    ['a != ALL (b)', '(<>-all a b)'],
    ['a >= any (b) and c', '(and (>=-any a b) c)'],
    ['exists (select 1)', '(exists (select 1))'],
    ['exists ((select 1))', '(exists (select 1))'],
    ['not exists (select 1 from t where t.a = b)', '(not (exists (select 1 (from t) where (= t.a b))))'],
  ]);
});

test('CASE, CAST, EXTRACT', () => {
  check([
    ['case when a then 1 end', '(case (a 1))'],
    ['case a when 1 then 2 when 3 then 4 else -5 end + 1', '(+ (case a (1 2) (3 4) -5) 1)'],
    ['case when a = 1 or b then case when c then 1 end end', '(case ((or (= a 1) b) (case (c 1))))'],
    ['cast(a + 1 as Integer)', '(cast int (+ a 1))'],
    ["CAST('2020-01-01' AS date)", '(cast date "2020-01-01")'],
    ['a::i64', '(cast bigint a)'],
    ['a::f32::STRING', '(cast text (cast float a))'],
    ['extract(year from a + b)', '(extract year (+ a b))'],
    ["extract('dow' from a)", '(extract dow a)'],
    ["extract(a, 'year')", '(extract a "year")'],
    ['cast', 'cast'],
    ['extract', 'extract'],
  ]);
});

test('JSON', () => {
  check([
    ['[]', '(array)'],
    ['{}', '(object)'],
    ['[1, [a, {"k": b}]]', '(array 1 (array a (object "k": b)))'],
    ['{"k": a + 1, \'n\': {"x": null}}', '(object "k": (+ a 1) "n": (object "x": null))'],
    ['{"rows": select count(*) from t}', '(object "rows": (select (count *) (from t)))'],
    ['{"a": select 1, "b": 2}', '(object "a": (select 1) "b": 2)'],
    [
      '{"a": select b, c from t, u order by b, c, "x": 1}',
      '(object "a": (query (select b c (from t u)) (order b c)) "x": 1)',
    ],
    ['[select a from t, u]', '(array (select a (from t u)))'],
    ['{"a": (select 1, "b")}', '(object "a": (select 1 "b"))'],
    ["data['k']::int", '(cast int (index data "k"))'],
  ]);
});

test('calls and method calls', () => {
  check([
    ['f()', '(f)'],
    ['s.f(1, a)', '(s.f 1 a)'],
    ["left('abc', 1)", '(left "abc" 1)'],
    ["set(o, 'a.b', 1)", '(set o "a.b" 1)'],
    ['values(o)', '(values o)'],
    ['replace(a, b, c)', '(replace a b c)'],
    ['format(a)', '(format a)'],
    ['date(a)', '(date a)'],
    ["' a,b '::trim::split_part(',', 2)", '(::split_part (::trim " a,b ") "," 2)'],
    ['a::public.f(1)', '(::public.f a 1)'],
    ['a::public.f', '(::public.f a)'],
    ['a::s.f()', '(::s.f a)'],
    ['a::json.k', '(field (cast json a) k)'],
    ['a::f.k', '(field (::f a) k)'],
    ["a::timestamp('UTC')", '(::timestamp a "UTC")'],
    ['a::`int`', '(::int a)'],
    ['v::cos_distance($1)', '(::cos_distance v $1)'],
    ['count(*)', '(count *)'],
    ['count(distinct a)', '(count distinct a)'],
    ["string_agg(a, ',' order by b desc)", '(string_agg a "," (order b desc))'],
    ['sum(a) filter (where a > 1) + 1', '(+ (sum a filter (> a 1)) 1)'],
    ['row_number() over w', '(row_number over w)'],
    ['sum(a) over ()', '(sum a over (window))'],
    [
      'lag(a, 1) over (partition by b, c order by d desc nulls first)',
      '(lag a 1 over (window (partition b c) (order d desc nulls-first)))',
    ],
    [
      'sum(a) filter (where b) over (w order by c rows between 1 preceding and current row)',
      '(sum a filter b over (window w (order c) (rows (preceding 1) currentRow)))',
    ],
    ['sum(a) over (rows unbounded preceding)', '(sum a over (window (rows unboundedPreceding currentRow)))'],
    [
      'sum(a) over (order by b range between current row and unbounded following)',
      '(sum a over (window (order b) (range currentRow unboundedFollowing)))',
    ],
  ]);
});

test('subqueries', () => {
  check([
    ['(select 1)', '(select 1)'],
    ['((select 1))', '(select 1)'],
    ['(select 1) + (select 2)', '(+ (select 1) (select 2))'],
    ['((select 1) union (select 2))', '(union (select 1) (select 2))'],
    [
      '((select 1 limit 1) union all select 2 limit 3)',
      '(query (union-all (query (select 1) limit 1) (select 2)) limit 3)',
    ],
    ['(with x as (select 1) select * from x)', '(query (with (x (select 1))) (select * (from x)))'],
    ['(select data from t).a', '(field (select data (from t)) a)'],
  ]);
});

test('positions: first byte of a node, of the operator for infix and postfix forms', () => {
  const positions: readonly (readonly [string, number])[] = [
    ['  abc', 2],
    ['a + b', 2],
    ['a is null', 2],
    ['a not like b', 2],
    ['abc::int', 3],
    ['abc[1]', 3],
    ['é = 1', 3],
    [' -5', 1],
    ['  f(1)', 2],
    [' (a)', 2],
    [' case when a then b end', 1],
  ];
  for (const [text, position] of positions) {
    assert.equal(parseExpression(Buffer.from(text)).position, position, text);
  }
});

test('errors say what was expected, what was found and where', () => {
  const cases: readonly (readonly [string, string, number])[] = [
    ['', 'expected an expression but found the end of the text', 0],
    ['1 +', 'expected an expression but found the end of the text', 3],
    ['1 + * 2', "expected an expression but found '*'", 4],
    ['a b', "expected the end of the expression but found 'b'", 2],
    ["a 'secret'", 'expected the end of the expression but found a string', 2],
    ['select', "expected an expression but found 'select'", 0],
    ['(a', "expected ')' but found the end of the text", 2],
    ['[a, ]', "expected an expression but found ']'", 4],
    ['{a: 1}', "expected a key in quotes but found 'a'", 1],
    ['{"a" 1}', "expected ':' but found '1'", 5],
    ['a is 5', "expected NULL but found '5'", 5],
    ['a in 5', "expected '(' but found '5'", 5],
    ['a in ()', "expected an expression but found ')'", 6],
    ['a between 1 or 2', "expected AND but found 'or'", 12],
    ['case end', "expected an expression but found 'end'", 5],
    ['case when a end', "expected THEN but found 'end'", 12],
    ['cast(a as nothing)', "expected a type but found 'nothing'", 10],
    ['a.', 'expected a name but found the end of the text', 2],
    ['a::5', "expected a function or type but found '5'", 3],
    ['a.b.c.d(1)', "expected an operator but found '('", 7],
    ['exists (1)', "expected SELECT but found '1'", 8],
    ['9223372036854775808', "integer '9223372036854775808' is out of range", 0],
    ['1 - 9223372036854775808', "integer '9223372036854775808' is out of range", 4],
    ['sum(a) over (rows 1)', "expected PRECEDING or FOLLOWING but found ')'", 19],
    ['a.*', "expected the end of the expression but found '.'", 1],
  ];
  for (const [text, message, position] of cases) {
    const error = failure(text);
    assert.deepEqual([error.message, error.position], [message, position], text);
  }
});

test('depth is limited by an error, in every direction', () => {
  const deep: readonly string[] = [
    '('.repeat(100_000),
    '- '.repeat(100_000),
    'not '.repeat(100_000),
    '['.repeat(100_000),
    '{"a":'.repeat(100_000),
    'f('.repeat(100_000),
    'case when '.repeat(100_000),
    'a in (select '.repeat(50_000),
    `a${'[0]'.repeat(100_000)}`,
    `a${'::f'.repeat(100_000)}`,
    `f()${'.k'.repeat(100_000)}`,
    `1${'+ 1'.repeat(100_000)}`,
    `a${' or a'.repeat(100_000)}`,
    `a${' is null'.repeat(100_000)}`,
    'a = '.repeat(100_000),
    'exists (select '.repeat(100_000),
    '(select * from '.repeat(100_000),
  ];
  for (const text of deep) assert.equal(failure(`${text}`).code, 'limit_exceeded', text.slice(0, 30));
  print(`${'('.repeat(150)}1${')'.repeat(150)}`);
  print(`a${' or a = 1'.repeat(EXPRESSION_HEIGHT_MAX - 10)}`);
  // Chains of operators one inside the other add up.
  assert.equal(failure(`${`(1${'+ 1'.repeat(600)}`}${')'} + 1 ${'* 1 + 1'.repeat(600)}`).code, 'limit_exceeded');
});
