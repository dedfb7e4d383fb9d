/** $n parameters: their kinds decide the program, and one text may come with other kinds each time. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { open } from '../../src/embed/index.ts';

const db = await open({ backends: 3, timezone: 'UTC' });
after(() => db.close());

before(async () => {
  await run('create table t (id int primary key, a bigint, s text, b bool, d double, ts timestamp, j json)');
});

/** The reply's text, or `code: message` of an error. */
async function run(sql: string, ...parameters: readonly unknown[]): Promise<string> {
  const { status, body } = await db.execute(sql, parameters);
  if (status < 300) return body;
  const { code, msg } = JSON.parse(body) as { code: string; msg: string };
  return `${code}: ${msg}`;
}

test('a parameter has the type of its value', async () => {
  const cases: readonly (readonly [unknown, string])[] = [
    [1, '[[1, "int"]]'],
    ['é', '[["é", "string"]]'],
    [1.5, '[[1.5, "double"]]'],
    [true, '[[true, "bool"]]'],
    [null, '[[null, "null"]]'],
    [9223372036854775807n, '[[9223372036854775807, "int"]]'],
    [[1, { a: 'x' }], '[[[1, {"a": "x"}], "json"]]'],
    [{}, '[[{}, "json"]]'],
    [new Date(1500), '[["1970-01-01T00:00:01.500Z", "string"]]'],
  ];
  // Twice, so that each text meets the programs that the others have left.
  for (let round = 0; round < 2; round++)
    for (const [value, expected] of cases) assert.equal(await run('select $1, type($1)', value), expected);
});

test('operators on parameters follow their kinds', async () => {
  for (let round = 0; round < 2; round++) {
    assert.equal(await run('select $1 + $2', 1, 2), '[3]');
    assert.equal(await run('select $1 + $2', 1, 2.5), '[3.5]');
    assert.equal(await run('select $1 + $2', null, 2), '[null]');
    assert.equal(await run('select $1 + $2', 9007199254740993n, 1), '[9007199254740994]');
    assert.equal(await run('select $1 + $2', 1, 'a'), 'type_mismatch: operation int + string is not supported');
  }
});

test('the number of values must be that of the parameters', async () => {
  assert.match(await run('select $1'), /^invalid_parameter: /);
  assert.match(await run('select $2', 1), /^invalid_parameter: /);
  assert.match(await run('select 1', 1), /^invalid_parameter: /);
  assert.equal(await run('select $2, $2', 1, 2), '[[2, 2]]');
});

test('parameters as cells of INSERT, in lists and in expressions', async () => {
  const insert = 'insert into t values ($1, $2, $3, $4, $5, $6, $7)';
  assert.equal(await run(insert, 1, 9223372036854775807n, 'é', true, 1.5, '2020-01-01', { x: [1] }), '');
  assert.equal(await run(insert, 2, null, null, null, null, null, null), '');
  assert.equal(await run(insert, 3, 5, 'x', false, 7, new Date(0), 5), '');
  assert.equal(await run('insert into t (id, a, s) values ($1 + 1, $2 * 2, $3 || $3)', 3, 4, 'ab'), '');
  assert.equal(
    await run('select * from t order by id'),
    '[[1, 9223372036854775807, "é", true, 1.5, "2020-01-01 00:00:00+00", {"x": [1]}], ' +
      '[2, null, null, null, null, null, null], [3, 5, "x", false, 7, "1970-01-01 00:00:00+00", 5], ' +
      '[4, 8, "abab", null, null, null, null]]',
  );
  assert.match(await run(insert, 5, 'x', null, null, null, null, null), /^type_mismatch: row 1, column 'a'/);
  assert.match(await run(insert, 5, 1, null, null, null, 12, null), /^type_mismatch: row 1, column 'ts'/);
  assert.match(await run(insert, null, 1, null, null, null, null, null), /^not_null_violation: row 1, column 'id'/);
  assert.match(await run(insert, 3000000000, 1, null, null, null, null, null), /^out_of_range: row 1, column 'id'/);
  assert.equal(await run('select count(*) from t'), '[4]');
});

test('parameters in keys, lists, ranges and limits', async () => {
  assert.equal(await run('select id from t where id = $1', 3), '[3]');
  assert.equal(await run('select id from t where id = $1', null), '[]');
  assert.equal(await run('select id from t where id = $1', 3.0), '[3]');
  assert.equal(await run('select id from t where id = $1', 2.5), '[]');
  assert.equal(
    await run('select id from t where id = $1', '3'),
    'type_mismatch: operation int = string is not supported',
  );
  assert.equal(await run('select id from t where a = $1', 9223372036854775807n), '[1]');
  assert.equal(await run('select sum(id) from t where id in ($1, $2, $3)', 1, null, 3), '[4]');
  assert.equal(await run('select id from t where id > $1 order by id limit $2 offset $3', 1, 2, 1), '[3, 4]');
  assert.equal(await run('select id from t order by id limit $1', null), '[1, 2, 3, 4]');
  assert.match(await run('select id from t order by id limit $1', -1), /^out_of_range: LIMIT/);
  assert.match(await run('select id from t order by id limit $1', 'a'), /^type_mismatch: LIMIT/);
});

test('parameters in SET, ON CONFLICT and GROUP BY', async () => {
  assert.equal(await run('update t set s = $1 where id = $2 returning s', 'set', 2), '["set"]');
  assert.equal(await run('update t set s = $1 where id = $2 returning s', null, 2), '[null]');
  assert.equal(
    await run(
      'insert into t (id, s) values ($1, $2) on conflict do update set s = excluded.s || $3 returning s',
      2,
      'b',
      'c',
    ),
    '["bc"]',
  );
  assert.equal(await run('select id % $1, count(*) from t group by id % $1 order by 1', 2), '[[0, 2], [1, 2]]');
  assert.equal(await run('select id % $1, count(*) from t group by id % $1 order by 1', 3), '[[0, 1], [1, 2], [2, 1]]');
});

test('EXPLAIN shows both sections and the plan, and does not run', async () => {
  const [explained] = JSON.parse(await run('explain delete from t where id = 1')) as [Record<string, unknown>];
  assert.deepEqual(Object.keys(explained.bytecode as object), ['coordinator', 'node']);
  assert.match(JSON.stringify(explained), /point lookup/);
  assert.equal(await run('select count(*) from t where id = 1'), '[1]');
});

test('parameters of JSON: values, keys, indexes, arrays of ANY, paths that are set', async () => {
  for (let round = 0; round < 2; round++) {
    assert.equal(await run('select $1.a[$2], $1[$3][0]', { a: [5, 6] }, 1, 'a'), '[[6, 5]]');
    assert.equal(await run('select $1.a[$2], $1[$3]', { a: [5, 6] }, 'x', 7), '[[null, null]]');
    assert.equal(await run('select $1[$2]', [1, 2], null), '[null]');
    assert.equal(await run('select $1 = any($2), $3 < all($2)', 3, [1, 3], 1), '[[true, false]]');
    assert.equal(await run('select $1 = any($2)', 'b', ['a', 'b']), '[true]');
    assert.equal(await run('select $1 = any($2)', null, [1]), '[null]');
    assert.equal(
      await run('select push($1, $2, $3), has($4, $5)', [1], 'x', null, { a: 1 }, 'a'),
      '[[["x", null, 1], true]]',
    );
    assert.equal(await run('select jsonpath($1, $2)', { a: [{ n: 1 }, { n: 2 }] }, '$.a[?@.n > 1]'), '[[{"n": 2}]]');
  }
  assert.equal(await run('create table p (id int primary key, doc json)'), '');
  assert.equal(await run('insert into p values ($1, $2), ($3, $4)', 1, { a: { b: [1, 2] } }, 2, null), '');
  assert.equal(await run('update p set doc.a.c = $1, doc.n = $2 where id = $3', [true], null, 1), '');
  assert.equal(await run('update p set doc.when = $1 where id = $2', 'now', 2), '');
  assert.equal(
    await run('select doc from p where id = any($1) order by id', [1, 2]),
    '[{"a": {"b": [1, 2], "c": [true]}, "n": null}, {"when": "now"}]',
  );
  assert.equal(await run('select id from p where doc[$1][$2][$3]::int = $4', 'a', 'b', 1, 2), '[1]');
  assert.equal(await run('select id from p where doc[$1][$2][$3]::int = $4', 'a', 'b', 0, 2), '[]');
});
