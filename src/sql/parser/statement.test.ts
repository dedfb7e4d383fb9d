import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SqlError } from '../../base/errors.ts';
import type { Request, RowStatement, UtilityStatement } from '../ast/ast.ts';
import { parseRequest } from './request.ts';
import { printExpression, printStatement } from './testing.ts';

function parse(text: string): Request {
  return parseRequest(Buffer.from(text));
}

function failure(text: string): SqlError {
  try {
    parse(text);
  } catch (error) {
    assert.ok(error instanceof SqlError, `${error}`);
    return error;
  }
  assert.fail(`no error for ${text}`);
}

function check(cases: readonly (readonly [string, string])[]): void {
  for (const [text, expected] of cases) {
    const printed = parse(text).statements.map((statement) => printStatement(statement as RowStatement));
    assert.equal(printed.join('; '), expected, text);
  }
}

test('SELECT', () => {
  check([
    ['select 1', '(select 1)'],
    ['SELECT *, t.*, s.t.* FROM s.t', '(select * t.* s.t.* (from s.t))'],
    ['select a x, b as y, c as `order` from t', '(select (as x a) (as y b) (as order c) (from t))'],
    ['select distinct a from t', '(select distinct a (from t))'],
    ['select distinct on (a, 2) b from t', '(select (distinct-on a #2=2) b (from t))'],
    ['select all a from t', '(select a (from t))'],
    [
      'select a from t where b group by a, 1, (2), c + 1 having count(*) > 1',
      '(select a (from t) where b (group a #1=1 2 (+ c 1)) having (> (count *) 1))',
    ],
    [
      'select a from t order by 1 desc, b asc nulls last, -1, 1 + 1, c nulls first limit 5 offset $1',
      '(query (select a (from t)) (order #1=1 desc b nulls-last -1 (+ 1 1) c nulls-first) limit 5 offset $1)',
    ],
    ['select a offset 1 limit 2', '(query (select a) limit 2 offset 1)'],
    ["select a from t format 'json'", '(query (select a (from t)) format json)'],
    ["select a format 'json' from t limit 1", '(query (select a (from t)) limit 1 format json)'],
    ['select format from t format', '(select format (from (as format t)))'],
    [
      'select sum(a) over w from t window w as (order by b), v as (w)',
      '(select (sum a over w) (from t) (w (window (order b))) (v (window w)))',
    ],
    ['select a over from t', '(select (as over a) (from t))'],
    ['values (1, 2), (3, 4)', '(values (row 1 2) (row 3 4))'],
    ['(select 1)', '(select 1)'],
  ]);
});

test('sources and joins', () => {
  check([
    ['select * from a, b as x, s.c y', '(select * (from a (as x b) (as y s.c)))'],
    ['select * from t use index (i) x', '(select * (from (as x (use i t))))'],
    ['select * from t as x use index (i)', '(select * (from (as x (use i t))))'],
    ['select * from use', '(select * (from use))'],
    ['select * from (select 1) x', '(select * (from (as x (select 1))))'],
    ['select * from (values (1, $2)) as v(a, b)', '(select * (from (as v(a b) (values (row 1 $2)))))'],
    ['select * from ((select 1) union (select 2)) x', '(select * (from (as x (union (select 1) (select 2)))))'],
    ['select * from t, lateral (select t.a) x', '(select * (from t (as x (lateral (select t.a)))))'],
    ['select * from generate_series(1, 3) g', '(select * (from (as g (generate_series 1 3))))'],
    ['select id from system.replicas()', '(select id (from (system.replicas)))'],
    ['select * from a join b on a.x = b.x', '(select * (from (inner a b on (= a.x b.x))))'],
    [
      'select * from a inner join b using (x, y) left join c on 1 right outer join d on 2 full join e on 3 cross join f',
      '(select * (from (cross (full (right (left (inner a b using(x y)) c on 1) d on 2) e on 3) f)))',
    ],
    ['select * from (a join b on 1) left outer join c on 2', '(select * (from (left (inner a b on 1) c on 2)))'],
    ['select * from a join (b join c on 1) on 2', '(select * (from (inner a (inner b c on 1) on 2)))'],
  ]);
});

test('set operations', () => {
  check([
    ['select 1 union select 2 union all select 3', '(union-all (union (select 1) (select 2)) (select 3))'],
    ['select 1 except select 2 intersect select 3', '(except (select 1) (intersect (select 2) (select 3)))'],
    [
      'select 1 intersect all select 2 union distinct select 3',
      '(union (intersect-all (select 1) (select 2)) (select 3))',
    ],
    ['select 1 union (select 2 union select 3)', '(union (select 1) (union (select 2) (select 3)))'],
    ['select 1 union select 2 order by 1 limit 1', '(query (union (select 1) (select 2)) (order #1=1) limit 1)'],
    ['(select 1 limit 1) union (select 2)', '(union (query (select 1) limit 1) (select 2))'],
    ['(select 1 limit 1) limit 2', '(query (query (select 1) limit 1) limit 2)'],
    ['select 1 union values (2)', '(union (select 1) (values (row 2)))'],
  ]);
});

test('WITH', () => {
  check([
    ['with x as (select 1) select * from x', '(query (with (x (select 1))) (select * (from x)))'],
    [
      'with recursive x(a, b) as (select 1, 2 union all select a, b from x), y as (delete from t returning *) select 1',
      '(query (with-recursive (x(a b) (union-all (select 1 2) (select a b (from x)))) (y (delete t (returning *)))) (select 1))',
    ],
    ['with x as (select 1) insert into t select * from x', '(insert (with (x (select 1))) t (select * (from x)))'],
    ['with x as (select 1) update t set a = 1', '(update (with (x (select 1))) t (set a 1))'],
    ['with x as (select 1) delete from t', '(delete (with (x (select 1))) t)'],
    ['with x as (insert into t values (1) returning a)', '(with (x (insert t (values (row 1)) (returning a))))'],
    ['with x as (select 1); select * from x', '(with (x (select 1))); (select * (from x))'],
    [
      'insert into t with x as (select 1) select * from x',
      '(insert t (query (with (x (select 1))) (select * (from x))))',
    ],
    ['with recursive as (select 1) select 1', '(query (with (recursive (select 1))) (select 1))'],
  ]);
});

test('INSERT', () => {
  check([
    [
      'insert into t values (1, default, $1), (a + 1, null, -2)',
      '(insert t (values (row 1 default $1) (row (+ a 1) null -2)))',
    ],
    ['insert into s.t (a, `b c`) values (1, 2)', '(insert s.t(a b c) (values (row 1 2)))'],
    ['insert into t () values (), ()', '(insert t() (values (row) (row)))'],
    ['insert into t select * from u', '(insert t (select * (from u)))'],
    ['insert into t (select 1)', '(insert t (select 1))'],
    ['insert into t (a) (select 1) union select 2', '(insert t(a) (union (select 1) (select 2)))'],
    ['insert into t generate 500', '(insert t (generate 500))'],
    ['insert into t () generate $1 on conflict do nothing', '(insert t() (generate $1) (on-conflict nothing))'],
    ['insert into t values (1) on conflict nothing', '(insert t (values (row 1)) (on-conflict nothing))'],
    ['insert into t values (1) on conflict error', '(insert t (values (row 1)) (on-conflict error))'],
    ['insert into t values (1) on conflict do resolve', '(insert t (values (row 1)) (on-conflict resolve))'],
    [
      'insert into t values (1) on conflict do update set a = a + excluded.a, d.x = default where b returning a x, *',
      '(insert t (values (row 1)) (on-conflict (set a (+ a excluded.a)) (set d.x default) where b) (returning (as x a) *))',
    ],
    [
      "insert into t select a from u on conflict do nothing returning a format 'json'",
      '(insert t (select a (from u)) (on-conflict nothing) (returning a format json))',
    ],
  ]);
});

test('UPDATE and DELETE', () => {
  check([
    ['update t set a = 1, b = default where c', '(update t (set a 1) (set b default) where c)'],
    ['update s.t as x set obj.a.b = x.c + 1', '(update s.t as x (set obj.a.b (+ x.c 1)))'],
    [
      'update t x set a = u.a from u, v where u.b = x.b returning *',
      '(update t as x (set a u.a) (from u v) where (= u.b x.b) (returning *))',
    ],
    ['delete from t', '(delete t)'],
    [
      "delete from s.t x using u where x.a = u.a returning a, b format 'json-obj'",
      '(delete s.t as x (using u) where (= x.a u.a) (returning a b format json-obj))',
    ],
  ]);
});

test('requests: statements, BEGIN and COMMIT, EXPLAIN', () => {
  check([
    ['', ''],
    [' ; ;', ''],
    ['select 1;', '(select 1)'],
    ['select 1; select 2', '(select 1); (select 2)'],
    ['BEGIN; select 1; select 2; COMMIT;', '(select 1); (select 2)'],
    ['begin; commit', ''],
    ['-- nothing\n', ''],
  ]);
  assert.equal(parse('select 1').explain, 'none');
  assert.equal(parse('explain select 1; select 2').explain, 'explain');
  assert.equal(parse('PROFILE begin; select 1; commit').explain, 'profile');
  assert.equal(parse('select $1, $7, $3').parameterCount, 7);
  assert.equal(parse('select 1').parameterCount, 0);
  const create = parse('begin; create schema s; commit').statements[0];
  assert.equal(create?.kind, 'createSchema');
});

test('misplaced statements', () => {
  const cases: readonly (readonly [string, number])[] = [
    ['select 1; begin; commit', 10],
    ['begin; begin; commit', 7],
    ['select 1; commit', 10],
    ['commit', 0],
    ['begin; select 1', 0],
    ['begin; commit; select 1', 15],
    ['begin; commit; commit', 15],
    ['create schema a; select 1', 0],
    ['select 1; drop table t', 10],
    ['begin; select 1; truncate t; commit', 17],
    ['show all; show all', 0],
  ];
  for (const [text, position] of cases) {
    const error = failure(text);
    assert.deepEqual([error.code, error.position], ['misplaced_statement', position], text);
  }
});

/** The one statement without positions, big integers as numbers, expressions printed. */
function utility(text: string): unknown {
  const { statements } = parse(text);
  assert.equal(statements.length, 1, text);
  return JSON.parse(
    JSON.stringify(statements[0] as UtilityStatement, (key, value) => {
      if (key === 'position') return undefined;
      if (key === 'expression' || (key === 'value' && value?.kind === 'literal')) return printExpression(value);
      return typeof value === 'bigint' ? Number(value) : value;
    }),
  );
}

test('schemas', () => {
  assert.deepEqual(utility('create schema s'), { kind: 'createSchema', ifNotExists: false, name: 's' });
  assert.deepEqual(utility('create schema if not exists s'), { kind: 'createSchema', ifNotExists: true, name: 's' });
  assert.deepEqual(utility('drop schema if exists s cascade'), {
    kind: 'dropSchema',
    ifExists: true,
    name: 's',
    cascade: true,
  });
  assert.deepEqual(utility('drop schema s'), { kind: 'dropSchema', ifExists: false, name: 's', cascade: false });
  assert.deepEqual(utility('alter schema s rename to t'), {
    kind: 'alterSchema',
    ifExists: false,
    name: 's',
    newName: 't',
  });
});

test('CREATE TABLE', () => {
  assert.deepEqual(
    utility(`create unlogged shared table if not exists s.t (
      id serial primary key,
      a int not null default -5,
      b text default 'x' not null,
      r bigint random (100000),
      q bigint random,
      shard int as (shard % 16) stored,
      i int64 generated always as identity,
      c int default 0 always as (c + 1) resolved
    ) partitions 8 with (type = 'hash')`),
    {
      kind: 'createTable',
      ifNotExists: true,
      unlogged: true,
      shared: true,
      target: { schema: 's', name: 't' },
      columns: [
        { name: 'id', type: 'bigint', constraints: [{ kind: 'identity' }, { kind: 'primaryKey' }] },
        {
          name: 'a',
          type: 'int',
          constraints: [{ kind: 'notNull' }, { kind: 'default', value: { expression: '-5', text: '-5' } }],
        },
        {
          name: 'b',
          type: 'text',
          constraints: [{ kind: 'default', value: { expression: '"x"', text: "'x'" } }, { kind: 'notNull' }],
        },
        { name: 'r', type: 'bigint', constraints: [{ kind: 'random', modulo: 100000 }] },
        { name: 'q', type: 'bigint', constraints: [{ kind: 'random' }] },
        {
          name: 'shard',
          type: 'int',
          constraints: [{ kind: 'stored', value: { expression: '(% shard 16)', text: 'shard % 16' } }],
        },
        { name: 'i', type: 'bigint', constraints: [{ kind: 'identity' }] },
        {
          name: 'c',
          type: 'int',
          constraints: [
            { kind: 'default', value: { expression: '0', text: '0' } },
            { kind: 'resolved', value: { expression: '(+ c 1)', text: 'c + 1' } },
          ],
        },
      ],
      partitions: { count: 8 },
      indexType: 'hash',
    },
  );
  assert.deepEqual(utility('create table t (a int, `b` date, primary key (a, b))'), {
    kind: 'createTable',
    ifNotExists: false,
    unlogged: false,
    shared: false,
    target: { name: 't' },
    columns: [
      { name: 'a', type: 'int', constraints: [] },
      { name: 'b', type: 'date', constraints: [] },
    ],
    primaryKey: [{ name: 'a' }, { name: 'b' }],
  });
  assert.equal((utility('create distributed table t (a int)') as { shared: boolean }).shared, false);
});

test('ALTER TABLE, DROP TABLE, TRUNCATE', () => {
  const action = (text: string): unknown => (utility(`alter table t ${text}`) as { action: unknown }).action;
  assert.deepEqual(utility('alter table if exists s.t set logged'), {
    kind: 'alterTable',
    ifExists: true,
    target: { schema: 's', name: 't' },
    action: { kind: 'setLogged', logged: true },
  });
  assert.deepEqual(action('add column c text default null'), {
    kind: 'addColumn',
    column: {
      name: 'c',
      type: 'text',
      constraints: [{ kind: 'default', value: { expression: 'null', text: 'null' } }],
    },
  });
  assert.deepEqual(action('drop column c'), { kind: 'dropColumn', column: { name: 'c' } });
  assert.deepEqual(action('rename to s.u'), { kind: 'rename', target: { schema: 's', name: 'u' } });
  assert.deepEqual(action('rename column a to b'), {
    kind: 'renameColumn',
    column: { name: 'a' },
    newName: { name: 'b' },
  });
  assert.deepEqual(action('set identity to 100'), { kind: 'setIdentity', value: 100 });
  assert.deepEqual(action('set unlogged'), { kind: 'setLogged', logged: false });
  assert.deepEqual(action('set column c default 1.5'), {
    kind: 'setDefault',
    column: { name: 'c' },
    value: { expression: '1.5', text: '1.5' },
  });
  assert.deepEqual(action('set column c as (a + 1) stored'), {
    kind: 'setGenerated',
    column: { name: 'c' },
    constraint: { kind: 'stored', value: { expression: '(+ a 1)', text: 'a + 1' } },
  });
  assert.deepEqual(action('set column c as identity'), {
    kind: 'setGenerated',
    column: { name: 'c' },
    constraint: { kind: 'identity' },
  });
  for (const constraint of ['default', 'identity', 'stored', 'resolved']) {
    assert.deepEqual(action(`unset column c as ${constraint}`), { kind: 'unset', column: { name: 'c' }, constraint });
  }
  assert.deepEqual(utility('drop table if exists t'), { kind: 'dropTable', ifExists: true, target: { name: 't' } });
  assert.deepEqual(utility('truncate s.t'), { kind: 'truncate', ifExists: false, target: { schema: 's', name: 't' } });
});

test('indexes', () => {
  assert.deepEqual(utility("create unique index if not exists i on s.t (a, b desc, c asc) with (type = 'tree')"), {
    kind: 'createIndex',
    unique: true,
    ifNotExists: true,
    name: 'i',
    target: { schema: 's', name: 't' },
    columns: [
      { name: 'a', descending: false },
      { name: 'b', descending: true },
      { name: 'c', descending: false },
    ],
    indexType: 'tree',
  });
  assert.deepEqual(utility('drop index i on t'), {
    kind: 'dropIndex',
    ifExists: false,
    name: 'i',
    target: { name: 't' },
  });
  assert.deepEqual(utility('alter index if exists i on t rename to j'), {
    kind: 'alterIndex',
    ifExists: true,
    name: 'i',
    target: { name: 't' },
    newName: 'j',
  });
});

test('nodes, users, tokens, replication, checkpoint', () => {
  assert.deepEqual(utility('create compute node'), { kind: 'createNode', ifNotExists: false });
  assert.deepEqual(utility("create node if not exists 'u'"), { kind: 'createNode', ifNotExists: true, id: 'u' });
  assert.deepEqual(utility("drop node if exists 'u'"), { kind: 'dropNode', ifExists: true, id: 'u' });
  assert.deepEqual(utility("create user if not exists u secret 's'"), {
    kind: 'createUser',
    ifNotExists: true,
    name: 'u',
    secret: 's',
  });
  assert.deepEqual(utility('create user u'), { kind: 'createUser', ifNotExists: false, name: 'u' });
  assert.deepEqual(utility("alter user u secret 's'"), { kind: 'alterUser', name: 'u', secret: 's' });
  assert.deepEqual(utility('drop user u'), { kind: 'dropUser', ifExists: false, name: 'u' });
  assert.deepEqual(utility('create token u'), { kind: 'createToken', user: 'u' });
  assert.deepEqual(utility("create token u expire '1 day'"), {
    kind: 'createToken',
    user: 'u',
    expire: { text: '1 day' },
  });
  assert.deepEqual(utility("create token u expire interval '1 day'"), {
    kind: 'createToken',
    user: 'u',
    expire: { text: '1 day' },
  });
  assert.deepEqual(utility("create replica if not exists 'id' uri 'http://h' token 't' tls_ca 'c'"), {
    kind: 'createReplica',
    ifNotExists: true,
    id: 'id',
    uri: 'http://h',
    token: 't',
    tlsCa: 'c',
  });
  assert.deepEqual(utility("drop replica 'id'"), { kind: 'dropReplica', ifExists: false, id: 'id' });
  assert.deepEqual(utility('start replication'), { kind: 'replication', start: true });
  assert.deepEqual(utility('stop repl'), { kind: 'replication', start: false });
  assert.deepEqual(utility("subscribe 'id'"), { kind: 'subscribe', id: 'id' });
  assert.deepEqual(utility('unsubscribe'), { kind: 'unsubscribe' });
  assert.deepEqual(utility('checkpoint'), { kind: 'checkpoint' });
  assert.deepEqual(utility('checkpoint workers 4'), { kind: 'checkpoint', workers: 4 });
});

test('SHOW and SET', () => {
  const show = (what: string, more: object = {}): object => ({ kind: 'show', what, extended: false, ...more });
  for (const what of 'all config users nodes replicas repl replication wal status schemas tables indexes statements'.split(
    ' ',
  )) {
    assert.deepEqual(utility(`show ${what}`), show(what));
  }
  assert.deepEqual(utility('show timezone'), show('setting', { name: 'timezone' }));
  assert.deepEqual(utility('show user u'), show('user', { name: 'u' }));
  assert.deepEqual(utility("show node 'id' extended"), show('node', { name: 'id', extended: true }));
  assert.deepEqual(utility('show schema s'), show('schema', { name: 's' }));
  assert.deepEqual(utility("show tables in s extended format 'json'"), {
    ...show('tables', { schema: 's' }),
    extended: true,
    format: { text: 'json' },
  });
  assert.deepEqual(utility('show table s.t'), show('table', { schema: 's', name: 't' }));
  assert.deepEqual(utility('show table t from s'), show('table', { schema: 's', name: 't' }));
  assert.deepEqual(utility('set limit_send to 1024'), { kind: 'set', name: 'limit_send', value: '1024' });
  assert.deepEqual(utility("SET timezone = 'UTC'"), { kind: 'set', name: 'timezone', value: '"UTC"' });
  assert.deepEqual(utility('set wal_sync_on_write to true'), { kind: 'set', name: 'wal_sync_on_write', value: 'true' });
  assert.deepEqual(utility('set x to -1'), { kind: 'set', name: 'x', value: '-1' });
});

test('errors', () => {
  const cases: readonly (readonly [string, string, number])[] = [
    ['selec 1', "expected a statement but found 'selec'", 0],
    ['select 1 select 2', "expected ';' but found 'select'", 9],
    ['select', 'expected an expression but found the end of the text', 6],
    ['select 1 from', 'expected a table but found the end of the text', 13],
    ['select 1 from t where', 'expected an expression but found the end of the text', 21],
    ['select a from t group a', "expected BY but found 'a'", 22],
    ['select a from t order by a nulls', 'expected FIRST or LAST but found the end of the text', 32],
    ['select * from a join b', 'expected ON or USING but found the end of the text', 22],
    ['select * from a cross b', "expected JOIN but found 'b'", 22],
    ['select * from lateral t', "expected '(' but found the end of the text", 23],
    ["select 1 format 'a' from t format 'b'", 'FORMAT is given twice', 27],
    ['insert t', "expected INTO but found 't'", 7],
    ['insert into t', 'expected VALUES, GENERATE or SELECT but found the end of the text', 13],
    ['insert into t values (1), (1, 2)', 'all rows of VALUES must have the same number of values', 26],
    [
      'insert into t values (1) on conflict (a) do nothing',
      "expected NOTHING, ERROR, RESOLVE or UPDATE but found '('",
      37,
    ],
    ['select * from (values (1), ()) x', "expected an expression but found ')'", 28],
    ['update t a = 1', "expected SET but found '='", 11],
    ['update t set a 1', "expected '=' but found '1'", 15],
    ['delete t', "expected FROM but found 't'", 7],
    ['with x as (select 1) 5', "expected SELECT but found '5'", 21],
    ['with x as (with y as (select 1)) select 1', "expected SELECT but found ')'", 31],
    ['explain', 'expected a statement but found the end of the text', 7],
    ['create x', "expected SCHEMA, TABLE, INDEX, NODE, USER, TOKEN or REPLICA but found 'x'", 7],
    ['create table t', "expected '(' but found the end of the text", 14],
    ['create table t (a)', "expected a type but found ')'", 17],
    ['create table t (a integr)', "expected a type but found 'integr'", 18],
    ['create table t (a int not null not null)', 'a constraint is given twice', 31],
    ['create table t (a int as (1) identity)', "expected STORED or RESOLVED but found 'identity'", 29],
    ["create table t (a int) with (type = 'btree')", "expected 'tree' or 'hash' but found a string", 36],
    ['create table t (a int random (0))', 'the modulo of RANDOM must be at least 1', 30],
    ['create table t (a int) partitions many', "expected a number of partitions but found 'many'", 34],
    ['create user u secret 5', "expected a secret in quotes but found '5'", 21],
    ["create user u 'hush'", "expected ';' but found a string", 14],
    ["create replica 'i'", 'expected URI but found the end of the text', 18],
    ['set a 5', "expected TO but found '5'", 6],
    ['set a to b', "expected a value but found 'b'", 9],
    ["show 'x'", 'expected a setting, or what to show but found a string', 5],
    ['alter table t drop', 'expected COLUMN but found the end of the text', 18],
  ];
  for (const [text, message, position] of cases) {
    const error = failure(text);
    assert.deepEqual([error.message, error.position], [message, position], text);
  }
});

test('a request as long as a body may be parses without a shape', () => {
  const rows = Array.from({ length: 60_000 }, (_, row) => `(${row}, 'text ${row}')`).join(', ');
  const { statements } = parse(`insert into t values ${rows}`);
  const insert = statements[0] as Extract<RowStatement, { kind: 'insert' }>;
  assert.ok(insert.source.kind === 'values' && !insert.source.literalRows);
  assert.equal(insert.source.rows.length, 60_000);
});

test('chains of set operations and joins are limited by an error', () => {
  assert.equal(failure(`select 1${' union select 1'.repeat(20_000)}`).code, 'limit_exceeded');
  assert.equal(failure(`select 1 from t${' cross join t'.repeat(20_000)}`).code, 'limit_exceeded');
  assert.equal(failure('('.repeat(100_000)).code, 'limit_exceeded');
  assert.equal(failure(`select 1 from ${'('.repeat(100_000)}`).code, 'limit_exceeded');
  assert.equal(failure('with x as ('.repeat(100_000)).code, 'limit_exceeded');
  assert.equal(failure(`select 1 from ${'t join ('.repeat(100_000)}`).code, 'limit_exceeded');
});
