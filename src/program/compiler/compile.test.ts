/** What programs look like: flags, parameters, equal constants, and that every kind of statement passes the verifier. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { opcodeRow } from '../opcodes.ts';
import type { Program } from '../program.ts';
import { catalogOf, compileText, errorOf } from './testing.ts';

const catalog = catalogOf([
  'create table t (id int primary key, k bigint, v double, s text not null, b bool, ts timestamp, j json)',
  "create table r (id serial primary key, a int random (10), b bigint random, c text default 'x', d json default {})",
  'create table p (a bigint, b text, c int, primary key (a, b)) partitions 7',
  'create index by_k on t (k)',
  "create index by_s on t (s) with (type = 'hash')",
]);

function names(program: Program, section: 'coordinator' | 'node'): string[] {
  const { code } = program[section];
  return Array.from({ length: code.length / 4 }, (_, index) => opcodeRow(code[index * 4]!)!.name);
}

const count = (list: readonly string[], name: string): number => list.filter((entry) => entry === name).length;

/** Operands that are values of each type, to be put into operators in all pairs. */
const VALUES = [
  '1',
  '2.5',
  "'a'",
  'true',
  'null',
  '[1]',
  "timestamp '2020-01-01'",
  'k',
  'v',
  's',
  'b',
  'ts',
  'j',
  '$1',
  '$2',
];
const OPERATORS = [
  '+',
  '-',
  '*',
  '/',
  '%',
  '||',
  '&',
  '|',
  '^',
  '<<',
  '>>',
  '=',
  '<>',
  '<',
  '<=',
  '>',
  '>=',
  'and',
  'or',
  'like',
];

test('every operator over every pair of types compiles to a program that passes, or is a type error', () => {
  let compiled = 0;
  for (const operator of OPERATORS)
    for (const left of VALUES)
      for (const right of VALUES) {
        const text = `select ${left} ${operator} ${right} from t where (${left} ${operator} ${right}) is not null`;
        const error = errorOf(() => compileText(text, catalog, [1, 3]));
        if (error === 'no error') compiled++;
        else assert.match(error, /^(type_mismatch|not_supported)/, text);
      }
  assert.ok(compiled > 700, `${compiled}`);
});

test('every cast between types compiles to a program that passes, or is a type error', () => {
  for (const value of VALUES)
    for (const type of ['bool', 'tinyint', 'smallint', 'int', 'bigint', 'double', 'text', 'json', 'timestamp']) {
      const error = errorOf(() => compileText(`select ${value}::${type} from t`, catalog, [1, 3]));
      if (error !== 'no error') assert.match(error, /^type_mismatch: cast of \w+ to \w+ is not supported @/);
    }
});

const EXPRESSIONS = [
  'k between 1 and 5',
  'k + 1 not between v and 9',
  'k in (1, 2, null)',
  'k not in (id, 5)',
  'v in (1, 2.5, k)',
  "s like 'a%'",
  "not (s like 'a%' or b)",
  'case when b then 1 when k = 2 then 2.5 end',
  'case k + 1 when 1 then s else null end',
  'coalesce(k, v, 0)',
  'nullif(k + 1, 2)',
  'j.a.b',
  'j[0]',
  "j['a'][k]",
  'j.a::int + 1',
  '[k, s, j, null]',
  '{"a": k, "b": [s]}',
  'length(s)',
  'concat(k, s, null, b)',
  'greatest(k, 2, null)',
  'least(v, k)',
  'abs(k)',
  'round(v, 1)',
  'random() % 5',
  'random(5)',
  'type(k)',
  'type(null)',
  'extract(year from ts)',
  "date_trunc('day', ts)",
  'now()',
  'current_timestamp',
  'ts::text',
  'ts > now()',
  'upper(s)::lower',
  "' a '::trim",
  'b and k > 1 and v < 2',
  'b or k > 1 or v < 2',
  'b and (k > 1 or s = $1)',
  'k is null',
  'not b',
  '-k',
  '~k',
  'k = 9223372036854775807',
  'random(9) between 2 and 4',
  'error(s)',
  'version()',
  'case when k = 0 then 0 else 1 / k end',
];

test('expressions compile in every place', () => {
  for (const e of EXPRESSIONS)
    for (const text of [
      `select ${e} from t`,
      `select 1 from t where (${e}) is null`,
      `select 1 from t order by (${e})::text limit 3 offset 2`,
      `select count(${e}), min((${e})::text) from t`,
      `select (${e})::text, count(*) from t group by (${e})::text order by 2`,
      `select distinct (${e})::text from t`,
      `update t set s = coalesce((${e})::text, '') where (${e}) is not null returning ${e}`,
      `delete from t where (${e}) is null returning *, ${e}`,
      `insert into t (id, s) values (1 + 1, 'x') on conflict do update set s = (${e})::text where (${e}) is null returning ${e}`,
    ])
      assert.equal(
        errorOf(() => compileText(text, catalog, [3])),
        'no error',
        text,
      );
});

const STATEMENTS = [
  'select 1',
  'select 1, 2 where true limit 1 offset 0',
  'select * from t',
  'select t.*, id from t limit 5',
  'select count(*) from t',
  'select count(*), count(*) from t',
  'select count(*) filter (where b) from t',
  'select sum(distinct k), avg(v), min(s), max(ts) from t',
  'select k, count(*) c from t group by k having count(*) > 1 order by c desc, k limit 3 offset 1',
  'select distinct k, s from t order by s desc limit 3',
  'select distinct count(*) from t group by k order by 1 limit 2 offset 1',
  'select distinct k % 2 from t offset 1',
  'select k % 2 g from t group by g',
  'select 1 from t group by k, s having max(v) > 1',
  "select * from p where a = 1 and b = 'x'",
  'select * from p where a in (1, 2)',
  'select * from r where id in (1, $1)',
  'insert into r () values (), ()',
  'insert into r () generate 5',
  'insert into r (c) values (default), ($1)',
  "insert into r (c, id) values ('x' || 'y', default)",
  "insert into p values (1, 'a', 2), (3, 'b', null)",
  "insert into p values (1, 'a', 2) on conflict do nothing returning *",
  "insert into p values (1, 'a', 2) on conflict do update set c = c + excluded.c where excluded.c > 1 returning c, a",
  "insert into p values (1, 'a', 2) on conflict error returning a",
  "insert into p values (1, 'a', 2) on conflict resolve",
  'update p set c = default where a = 1',
  "update p set c = 1 where a = 1 and b = 'x' returning *",
  'delete from p',
  'delete from p where a in (1) returning b',
  'begin; insert into r () values (); select count(*) from r; commit',
  'update t set k = 1; delete from t where k = 1; select * from t',
];

test('statements compile to programs that pass', () => {
  for (const text of STATEMENTS)
    assert.equal(
      errorOf(() => compileText(text, catalog, [1])),
      'no error',
      text,
    );
});

test('a program is JSON and back the same', () => {
  for (const text of STATEMENTS) {
    const program = compileText(text, catalog, [1]);
    assert.deepEqual(JSON.parse(JSON.stringify(program)), program, text);
  }
});

test('flags: local, write, result, tail that may fail', () => {
  const flags = (text: string): string => {
    const { isLocal, isWrite, hasResult, canTailFail, statementCount } = compileText(text, catalog);
    return `${isLocal ? 'local ' : ''}${isWrite ? 'write ' : ''}${hasResult ? 'result ' : ''}${canTailFail ? 'tail ' : ''}${statementCount}`;
  };
  assert.equal(flags('select 1'), 'local result 1');
  assert.equal(flags('select 1; select 2'), 'local result 2');
  assert.equal(flags('select * from t'), 'result 1');
  assert.equal(flags('delete from t'), 'write 1');
  assert.equal(flags('delete from t returning id'), 'write result tail 1');
  assert.equal(flags('delete from t returning id; delete from t'), 'write 2');
  assert.equal(flags('delete from t; select 1'), 'write result tail 2');
  assert.equal(flags('select * from t; delete from t'), 'write 2');
});

test('UPDATE of a primary key column is two steps with a round between, and concerns all nodes', () => {
  const one = compileText('update t set id = 5 where id = 3 returning id, s', catalog);
  assert.deepEqual(one.rounds, [{ kind: 'move', table: 0 }]);
  const routing = names(one, 'coordinator').filter((name) => name.startsWith('route_'));
  assert.deepEqual(routing, ['route_all', 'route_point']);
  const steps = names(one, 'node');
  assert.ok(steps.indexOf('move_row') < steps.indexOf('round') && steps.indexOf('round') < steps.indexOf('moved_open'));
  assert.ok(
    steps.indexOf('moved_open') < steps.indexOf('insert') && steps.indexOf('insert') < steps.indexOf('send_row'),
  );
  assert.equal(count(steps, 'update') + count(steps, 'delete'), 0);
  assert.deepEqual(
    (one.plan[0]!.nodes as { node: string }[]).map(({ node }) => node),
    ['point lookup', 'move rows'],
  );

  const move = 'update p set b = $1 where a > 7';
  const many = compileText(
    `${move}; select count(*) from t; update p set c = 1; ${move}; insert into t (id, s) values (1, 'a')`,
    catalog,
    [3],
  );
  assert.deepEqual(
    many.rounds,
    [1, 2].map(() => ({ kind: 'move', table: 0 })),
  );
  assert.deepEqual(
    names(many, 'node').filter((name) => ['round', 'statement', 'move_row', 'insert_all', 'rows_add'].includes(name)),
    [
      ...['statement', 'rows_add', 'move_row', 'round', 'insert_all', 'statement', 'statement'],
      ...['statement', 'rows_add', 'move_row', 'round', 'insert_all', 'statement', 'insert_all'],
    ],
  );
  assert.deepEqual(compileText('update p set c = a', catalog).rounds, []);
});

test('constants that had to be equal are noted, and others are not', () => {
  const equalities = (text: string): readonly (readonly [number, number])[] =>
    compileText(text, catalog).slotEqualities;
  assert.deepEqual(equalities('select k + 1 from t group by k + 1'), [[1, 0]]);
  assert.deepEqual(equalities('select k from t group by k'), []);
  assert.deepEqual(equalities('select k + 1 as g from t group by g'), []);
  assert.deepEqual(equalities('select count(*) from t where k = 1 group by k having k > 1'), []);
  assert.deepEqual(equalities("select s || 'a' || 'b', count(*) from t group by s || 'a' || 'b'").length, 2);
  assert.match(
    errorOf(() => compileText('select k + 1 from t group by k + 2', catalog)),
    /column 'k' must stand in GROUP BY/,
  );
  // A failed comparison leaves nothing behind: the first key shares a constant with the output, not all of it.
  assert.deepEqual(equalities('select k + 1 + id, id from t group by k + 1 + id, id'), [[1, 0]]);
});

test('what is constant is computed in the head, once a request', () => {
  const program = compileText("select id from t where ts > timestamp '2020-01-01' and k < $1 * 2 + 1", catalog, [1]);
  const head = names(program, 'coordinator').slice(0, names(program, 'coordinator').indexOf('send'));
  assert.equal(count(head, 'text_to_timestamp'), 1);
  assert.equal(count(head, 'mul_int'), 1);
  assert.equal(count(names(program, 'node'), 'text_to_timestamp'), 0);
  assert.equal(count(names(program, 'node'), 'mul_int'), 0);
});

test('a constant of a branch that may not run is computed once a request, and its error waits for the branch', () => {
  for (const text of [
    'select case when k > 0 then 1 / $1 else 0 end from t',
    'select coalesce(k, 1 / $1) from t',
    'select k from t where k > 0 or k = 1 / $1',
    'select k from t where k > 0 and id <> 1 / $1',
    'select count(*) filter (where k = 1 / $1) from t',
    'select k in (2, 1 / $1) from t',
    'select k, count(*) from t group by k having k > 0 or count(*) = 1 / $1',
  ]) {
    const program = compileText(text, catalog, [1]);
    const all = [...names(program, 'coordinator'), ...names(program, 'node')];
    assert.equal(count(names(program, 'coordinator'), 'div_int'), 1, text);
    assert.equal(count(names(program, 'node'), 'div_int'), 0, text);
    assert.equal(count(all, 'defer_error'), 1, text);
    assert.equal(count(all, 'check_param'), 1, text);
  }
});

test('a constant that cannot fail is computed ahead without precautions, wherever it stands', () => {
  for (const text of [
    'select case when k > 0 then $1 = 5 else b end from t',
    "select s from t where k > 0 or s = $2 || 'x'",
    'select coalesce(k > 1, $1 <> 3 and $1 <> 4) from t',
  ]) {
    const program = compileText(text, catalog, [1, 3]);
    assert.equal(count(names(program, 'coordinator'), 'defer_error'), 0, text);
    assert.equal(count(names(program, 'coordinator'), 'set_param'), 1, text);
  }
});

test('a constant that is wanted anyway and in a branch is computed once', () => {
  const program = compileText('select k + 1 / $1, case when k > 0 then 2 end from t order by 1', catalog, [1]);
  assert.equal(count(names(program, 'coordinator'), 'div_int'), 1);
  assert.equal(count(names(program, 'coordinator'), 'defer_error'), 0);
});

test('a long IN list is a set: literals take one instruction, and no register each', () => {
  const items = Array.from({ length: 100 }, (_, index) => index).join(', ');
  for (const text of [`select 1 from t where k in (${items})`, `select 1 from t where v in (${items}, 2.5, null)`]) {
    const program = compileText(text, catalog);
    assert.equal(count(names(program, 'node'), 'set_has'), 1, text);
    assert.ok(program.node.registerCount < 10, `${program.node.registerCount}`);
  }
  const list = compileText(`select 1 from t where id in (${items})`, catalog);
  assert.equal(count(names(list, 'node'), 'list_open'), 1);
  assert.ok(list.node.registerCount < 10, `${list.node.registerCount}`);
});

test('a value that a construct uses several times is computed once', () => {
  for (const text of [
    'select random(9) between 2 and 4 from t',
    'select random(9) not between 2 and 4 from t',
    'select 1 from t where random(9) between 2 and 4',
    'select case random(9) when 1 then 2 when 3 then 4 else 5 end from t',
    'select nullif(random(9), 3) from t',
    'select random(9) in (1, 2, 3) from t',
    'select random(9) r from t order by r',
    'select random(9) from t order by 1 limit 5',
  ])
    assert.equal(count(names(compileText(text, catalog), 'node'), 'call'), 1, text);
});

test('a column is loaded once a row', () => {
  const program = compileText('select k, k + 1, k * k from t where k > 5 or k < 2 order by k', catalog);
  // Once for the filter's first side; what the filter loads only sometimes is loaded again for the outputs.
  assert.equal(count(names(program, 'node'), 'scan_int64_null'), 1);
});

test('count(*) of a table does not scan it', () => {
  const node = names(compileText('select count(*) from t', catalog), 'node');
  assert.equal(count(node, 'table_count'), 1);
  assert.equal(count(node, 'scan_open'), 0);
  assert.equal(count(names(compileText('select count(*) from t where b', catalog), 'node'), 'scan_open'), 1);
});

test('rows of a VALUES list with expressions share their registers', () => {
  const rows = Array.from({ length: 2000 }, (_, row) => `(${row} + 1, {"a": [${row}, 'x']}::text)`).join(', ');
  const program = compileText(`insert into t (id, s) values ${rows}`, catalog);
  assert.ok(program.coordinator.registerCount < 20, `${program.coordinator.registerCount}`);
});

test('LIMIT plus OFFSET at the largest int does not overflow', () => {
  const program = compileText(
    'select * from t order by s limit 9223372036854775807 offset 9223372036854775807',
    catalog,
  );
  assert.equal(program.parameterCount, 3);
});

test('long chains and wide lists compile', () => {
  const terms = Array.from({ length: 900 }, (_, index) => `k = ${index}`);
  assert.equal(
    errorOf(() => compileText(`select 1 from t where ${terms.join(' or ')}`, catalog)),
    'no error',
  );
  assert.equal(
    errorOf(() => compileText(`select 1 from t where ${terms.join(' and ')}`, catalog)),
    'no error',
  );
  assert.equal(
    errorOf(() => compileText(`select ${terms.join(', ')} from t`, catalog)),
    'no error',
  );
  const items = Array.from({ length: 2000 }, (_, index) => index).join(', ');
  assert.equal(
    errorOf(() => compileText(`select 1 from t where id in (${items})`, catalog)),
    'no error',
  );
  assert.equal(
    errorOf(() => compileText(`select 1 from t where k in (${items})`, catalog)),
    'no error',
  );
  assert.equal(
    errorOf(() => compileText(`select ${'('.repeat(180)}1${')'.repeat(180)}`, catalog)),
    'no error',
  );
});

test('what is too large is refused, not crashed on', () => {
  const terms = Array.from({ length: 1200 }, (_, index) => `k = ${index}`);
  assert.match(
    errorOf(() => compileText(`select 1 from t where ${terms.join(' or ')}`, catalog)),
    /^limit_exceeded/,
  );
  const items = Array.from({ length: 6000 }, (_, index) => `k + ${index}`).join(', ');
  assert.match(
    errorOf(() => compileText(`select 1 from t where k in (${items})`, catalog)),
    /^limit_exceeded/,
  );
});

test('a function in FROM is local, and its plan says what happens to its rows', () => {
  const program = compileText(
    'select distinct value % 2, count(*) from generate_series(1, 9) where value > 3 group by 1 having count(*) > 1 order by 1 desc limit 2',
    catalog,
  );
  assert.ok(program.isLocal);
  assert.equal(program.node.code.length / 4, 2);
  assert.deepEqual(program.plan, [
    {
      node: 'select',
      coordinator: [
        { node: 'function', function: 'generate_series', filter: true },
        { node: 'aggregate', keys: 1, aggregates: ['count', 'count'] },
        { node: 'having' },
        { node: 'distinct' },
        { node: 'sort', order: ['desc'] },
        { node: 'limit', limit: true },
      ],
    },
  ]);
  assert.ok(!compileText('select * from generate_series(1, 2); delete from t', catalog).isLocal);
  assert.deepEqual(compileText('select count(*)', catalog).plan, [
    { node: 'select', coordinator: [{ node: 'values' }, { node: 'aggregate', keys: 0, aggregates: ['count'] }] },
  ]);
});

test('what is asked of main is asked once a request', () => {
  const program = compileText(
    "select system.tables(), system.table('t'), system.table(s), system.wal() from t; select name from system.tables()",
    catalog,
  );
  assert.deepEqual(
    program.systemInputs.map(({ what }) => what),
    ['tables', 'wal'],
  );
});
