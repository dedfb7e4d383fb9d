/** Mistakes that are found when a request is bound: code, message and byte position, from 0, in the request's text. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { catalogOf, compileText, define, errorOf } from '../../program/compiler/testing.ts';

const catalog = catalogOf([
  'create schema shop',
  'create table t (id int primary key, k bigint, v double, s text, b bool, ts timestamp, j json)',
  'create table shop.t (a int, b text, primary key (a, b))',
  'create index by_k on t (k)',
]);

/** `[statement with ^ before the position, error]`. */
const REQUESTS: readonly (readonly [text: string, error: string])[] = [
  // Names.
  ['select ^nope from t', "unknown_column: column 'nope' does not exist"],
  ['select ^t.nope from t', "unknown_column: column 't.nope' does not exist"],
  ['select ^x.nope from t x', "unknown_column: column 'x.nope' does not exist"],
  ['select ^t.id from t x', "unknown_column: column 't' does not exist"],
  ['select ^a', "unknown_column: column 'a' does not exist"],
  ["select 'é', ^nope from t", "unknown_column: column 'nope' does not exist"],
  ['select ID from t where ^ID = 1', "unknown_column: column 'ID' does not exist"],
  ['select * from ^nope', "unknown_table: table 'public.nope' does not exist"],
  ['select * from ^shop.nope', "unknown_table: table 'shop.nope' does not exist"],
  ['select * from ^nope.t', "unknown_schema: schema 'nope' does not exist"],
  ['select ^x.* from t', "unknown_table: 'x' is not a source of the query"],
  ['select ^*', 'syntax_error: * needs a table in FROM'],
  ['select * from t use index (^nope)', "unknown_index: index 'nope' does not exist on table 'public.t'"],
  ['insert into t (id, ^nope) values (1, 2)', "unknown_column: column 'nope' does not exist in table 'public.t'"],
  ['insert into t (id, ^id) values (1, 2)', "duplicate_object: column 'id' is named twice"],
  ['update t set ^nope = 1', "unknown_column: column 'nope' does not exist in table 'public.t'"],
  ['update t set k = 1, ^k = 2', "duplicate_object: column 'k' is set twice"],
  ['update t set k = 1 where ^excluded.k = 1', "unknown_column: column 'excluded' does not exist"],
  ['insert into t (id) values (^k + 1)', "unknown_column: column 'k' does not exist"],
  // Operators and types.
  ["select 'a' ^+ 1", 'type_mismatch: operation string + int is not supported'],
  ["select 1 ^- 'a'", 'type_mismatch: operation int - string is not supported'],
  ['select 1.5 ^% 2', 'type_mismatch: operation double % int is not supported'],
  ['select 1 ^<< 2.0', 'type_mismatch: operation int << double is not supported'],
  ['select true ^+ 1', 'type_mismatch: operation bool + int is not supported'],
  ["select 1 ^|| 'a'", 'type_mismatch: operation int || string is not supported'],
  ['select [1] ^|| 1', 'type_mismatch: operation json || int is not supported'],
  ["select 1 ^= 'a'", 'type_mismatch: operation int = string is not supported'],
  ["select true ^< 'a'", 'type_mismatch: operation bool < string is not supported'],
  ['select j.a ^= 1 from t', 'type_mismatch: operation json = int is not supported'],
  ['select [1] ^< [2]', 'type_mismatch: operation json < json is not supported'],
  ["select ts ^= 'x' from t", 'type_mismatch: operation timestamp = string is not supported'],
  ['select ts ^+ 1 from t', 'type_mismatch: operation timestamp + int is not supported'],
  ["select 1 in (2, ^'a')", 'type_mismatch: operation int = string is not supported'],
  ["select 1 ^between 0 and 'a'", 'type_mismatch: operation int <= string is not supported'],
  ["select 1 ^like 'a'", 'type_mismatch: operation int LIKE string is not supported'],
  ["select 'a' ^like 1", 'type_mismatch: operation string LIKE int is not supported'],
  ["select ^-'a'", 'type_mismatch: operation - string is not supported'],
  ['select ^~1.5', 'type_mismatch: operation ~ double is not supported'],
  ["select ^not 'a'", 'type_mismatch: SELECT: a condition must be bool or a number, not string'],
  ["select * from t where ^'a'", 'type_mismatch: WHERE: a condition must be bool or a number, not string'],
  ['select * from t where b and ^s', 'type_mismatch: AND: a condition must be bool or a number, not string'],
  ['select count(*) from t having ^{}', 'type_mismatch: HAVING: a condition must be bool or a number, not json'],
  ["select ^case when true then 1 else 'a' end", 'type_mismatch: CASE: int and string have no common type'],
  ["select case 1 when ^'a' then 1 end", 'type_mismatch: operation int = string is not supported'],
  ["select ^coalesce(1, 'a')", 'type_mismatch: coalesce: int and string have no common type'],
  ["select ^nullif(1, 'a')", 'type_mismatch: operation int = string is not supported'],
  ['select s^[0] from t', 'type_mismatch: reading a key or index of string is not supported'],
  ['select ^s.a from t', 'type_mismatch: reading a key or index of string is not supported'],
  ['select j^[1.5] from t', 'type_mismatch: a JSON index must be int or string, not double'],
  ['select j^[true] from t', 'type_mismatch: a JSON index must be int or string, not bool'],
  ['select true^::timestamp', 'type_mismatch: cast of bool to timestamp is not supported'],
  ['select ts^::double from t', 'type_mismatch: cast of timestamp to double is not supported'],
  ['select * from t order by ^j', 'type_mismatch: ORDER BY of json is not supported, cast it first'],
  // Functions and aggregates.
  ['select ^nope(1)', "unknown_function: function 'nope' does not exist"],
  ['select 1^::nope', "unknown_function: function 'nope' does not exist"],
  ['select ^shop.f(1)', "unknown_function: function 'shop.f' does not exist"],
  ["select ^substr('a')", 'wrong_arguments: substr: expected 2 or 3 arguments'],
  ["select ^length('a', 'b')", 'wrong_arguments: length: expected 1 argument'],
  ['select ^length(1)', 'type_mismatch: length: unsupported argument types (int)'],
  ['select ^now(1)', 'wrong_arguments: now: expected 0 arguments'],
  ['select ^nullif(1)', 'wrong_arguments: nullif: expected 2 arguments'],
  ['select ^coalesce()', 'wrong_arguments: coalesce: expected at least 1 argument'],
  ['select ^int(1, 2)', 'wrong_arguments: int: expected 1 argument'],
  ['select ^abs(distinct 1)', 'wrong_arguments: abs is not an aggregate'],
  ['select ^abs(*)', 'wrong_arguments: abs is not an aggregate'],
  ['select ^abs(1) filter (where true)', 'wrong_arguments: abs is not an aggregate'],
  ['select ^sum(*) from t', 'wrong_arguments: sum: expected 1 argument'],
  ['select ^count() from t', 'wrong_arguments: count: expected 1 argument'],
  ['select ^sum(k, id) from t', 'wrong_arguments: sum: expected 1 argument'],
  ['select ^sum(s) from t', 'type_mismatch: sum: string is not supported'],
  ['select ^avg(b) from t', 'type_mismatch: avg: bool is not supported'],
  ['select ^min(j) from t', 'type_mismatch: min: json is not supported'],
  ['select k from t where ^count(*) > 1', 'invalid_definition: aggregate count is not allowed in WHERE'],
  ['select sum(^count(*)) from t', 'invalid_definition: aggregate count is not allowed in aggregate sum'],
  ['select k from t group by ^count(*)', 'invalid_definition: aggregate count is not allowed in GROUP BY'],
  ['update t set k = ^max(k)', 'invalid_definition: aggregate max is not allowed in SET'],
  ['insert into t (id) values (^count(*))', 'invalid_definition: aggregate count is not allowed in VALUES'],
  ['delete from t where ^max(k) = 1', 'invalid_definition: aggregate max is not allowed in WHERE'],
  ['delete from t returning ^max(k)', 'invalid_definition: aggregate max is not allowed in RETURNING'],
  ['select ^k, count(*) from t', "invalid_definition: column 'k' must stand in GROUP BY or inside an aggregate"],
  ['select ^k + 1 from t group by id', "invalid_definition: column 'k' must stand in GROUP BY or inside an aggregate"],
  [
    'select count(*) from t having ^k > 1',
    "invalid_definition: column 'k' must stand in GROUP BY or inside an aggregate",
  ],
  [
    'select count(*) from t order by ^k',
    "invalid_definition: column 'k' must stand in GROUP BY or inside an aggregate",
  ],
  ['select k from t group by ^2', 'out_of_range: position 2 is not in the select list'],
  ['select k from t order by ^0', 'out_of_range: position 0 is not in the select list'],
  ['select distinct k from t order by ^id', 'invalid_definition: ORDER BY of a DISTINCT query must name its columns'],
  // Counts, formats, parameters.
  ["select * from t limit ^'a'", 'type_mismatch: LIMIT: expected an int, not string'],
  ['select * from t offset ^1.5', 'type_mismatch: OFFSET: expected an int, not double'],
  ['select * from t limit ^k', "unknown_column: column 'k' does not exist"],
  ['insert into t () generate ^null', 'type_mismatch: GENERATE: expected an int, not null'],
  ["select 1 format ^'xml'", "unknown_format: unknown format 'xml'"],
  ["delete from t returning id format ^'json-tree'", "unknown_format: unknown format 'json-tree'"],
  ['select ^$1', 'invalid_parameter: parameter $1 has no value'],
  // INSERT.
  ['insert into t (id, k) ^values (1)', "wrong_arguments: table 'public.t': expected 2 values a row, got 1"],
  ['insert into shop.t ^values (1, 2, 3)', "wrong_arguments: table 'shop.t': expected 2 values a row, got 3"],
  ['insert into shop.t ^values (1 + 1)', "wrong_arguments: table 'shop.t': expected 2 values a row, got 1"],
  ['insert into t (^id) generate 5', 'invalid_definition: GENERATE takes no columns'],
  ["insert into t (id) values ('a' ^|| 'b')", "type_mismatch: column 'id': string cannot be stored as int"],
  ['insert into t (id, s) values (1, 1 ^+ 1)', "type_mismatch: column 's': int cannot be stored as text"],
  ['insert into t (id, b) values (1, 1 ^+ 1)', "type_mismatch: column 'b': int cannot be stored as bool"],
  ['update t set ts = ^5', "type_mismatch: column 'ts': int cannot be stored as timestamp"],
  ['update t set k = ^true', "type_mismatch: column 'k': bool cannot be stored as bigint"],
  ['update t set k = ^j.a', "type_mismatch: column 'k': json cannot be stored as bigint"],
  // Requests.
  ['select 1; ^create schema x', 'misplaced_statement: the statement must stand alone in its request'],
  ['^create schema x; select 1', 'misplaced_statement: the statement must stand alone in its request'],
  ['^show tables; select 1', 'misplaced_statement: the statement must stand alone in its request'],
  ['select 1; ^begin; commit', 'misplaced_statement: BEGIN must be the first statement of the request'],
  ['^begin; select 1', 'misplaced_statement: BEGIN without COMMIT'],
  ['select 1; ^commit', 'misplaced_statement: COMMIT without BEGIN'],
  ['select 1 ^select 2', "syntax_error: expected ';' but found 'select'"],
  ['^selec 1', "syntax_error: expected a statement but found 'selec'"],
  ['select * from t where id = ^', 'syntax_error: expected an expression but found the end of the text'],
  ['select ^9223372036854775808', "out_of_range: integer '9223372036854775808' is out of range"],
];

const DEFINITIONS: readonly (readonly [text: string, error: string])[] = [
  ['^create schema shop', "duplicate_object: schema 'shop' exists already"],
  ['^create schema public', "duplicate_object: schema 'public' exists already"],
  ['^drop schema nope', "unknown_schema: schema 'nope' does not exist"],
  ['^drop schema public', "invalid_definition: schema 'public' is built in and cannot be dropped"],
  ['^drop schema system cascade', "invalid_definition: schema 'system' is built in and cannot be dropped"],
  ['^drop schema shop', "dependent_objects: schema 'shop' is not empty; use CASCADE to drop its tables too"],
  ['create table ^t (id int primary key)', "duplicate_object: table 'public.t' exists already"],
  ['create table ^nope.x (id int primary key)', "unknown_schema: schema 'nope' does not exist"],
  ['create table ^system.x (id int primary key)', "invalid_definition: schema 'system' takes no tables"],
  ['^create table x (id int)', "invalid_definition: table 'x' needs a primary key"],
  [
    'create table x (a int primary key, ^b int primary key)',
    'invalid_definition: a primary key of several columns is written PRIMARY KEY (a, b)',
  ],
  ['create table x (a int primary key, primary key (^a))', 'invalid_definition: the primary key is given twice'],
  ['create table x (a int, primary key (^b))', "unknown_column: column 'b' does not exist"],
  ['create table x (a int, primary key (a, ^a))', "duplicate_object: column 'a' is named twice"],
  ['create table x (a int primary key, ^a text)', "duplicate_object: column 'a' is defined twice"],
  [
    'create table x (^a double primary key)',
    "invalid_definition: column 'a': type double cannot be part of a primary key",
  ],
  ['create table x (^a json primary key)', "invalid_definition: column 'a': type json cannot be part of a primary key"],
  ['create table x (^a bool primary key)', "invalid_definition: column 'a': type bool cannot be part of a primary key"],
  ['create table x (id int primary key) partitions ^0', 'out_of_range: PARTITIONS must be between 1 and 8096'],
  ['create table x (id int primary key) partitions ^8097', 'out_of_range: PARTITIONS must be between 1 and 8096'],
  [
    'create table x (id int primary key, a text ^as identity)',
    "invalid_definition: column 'a': an identity column is int or bigint, not text",
  ],
  [
    'create table x (id int primary key, a text ^random)',
    "invalid_definition: column 'a': a random column is of an integer type, not text",
  ],
  [
    'create table x (id int primary key, a int ^random (3000000000))',
    "invalid_definition: column 'a': RANDOM (3000000000) does not fit int",
  ],
  [
    'create table x (id int primary key, a int random (^0))',
    'invalid_definition: the modulo of RANDOM must be at least 1',
  ],
  [
    'create table x (id int primary key, ^a int random default 1)',
    "invalid_definition: column 'a': only one of identity, RANDOM and DEFAULT can be given",
  ],
  [
    "create table x (id int primary key, a int default ^'x')",
    "type_mismatch: column 'a': string cannot be stored as int",
  ],
  [
    'create table x (id int primary key, a int default ^1.5)',
    "type_mismatch: column 'a': double cannot be stored as int",
  ],
  [
    'create table x (id int primary key, a int default ^2147483648)',
    "out_of_range: column 'a': value 2147483648 is out of range for int",
  ],
  [
    'create table x (id int primary key, a int default ^1e10)',
    "out_of_range: column 'a': value 10000000000 is out of range for int",
  ],
  [
    'create table x (id int primary key, a double default ^9007199254740993)',
    "type_mismatch: column 'a': int cannot be stored as double",
  ],
  ['create table x (id int primary key, a text default ^1)', "type_mismatch: column 'a': int cannot be stored as text"],
  ['create table x (id int primary key, a bool default ^1)', "type_mismatch: column 'a': int cannot be stored as bool"],
  [
    'create table x (id int primary key, a int default 1 ^+ 1)',
    "invalid_definition: column 'a': DEFAULT must be a constant",
  ],
  [
    'create table x (id int primary key, a int default ^id)',
    "invalid_definition: column 'a': DEFAULT must be a constant",
  ],
  ['create table x (id int primary key, a int default 1 ^default 2)', 'syntax_error: a constraint is given twice'],
  ['drop table ^nope', "unknown_table: table 'public.nope' does not exist"],
  ['drop table ^nope.t', "unknown_schema: schema 'nope' does not exist"],
  ['create index x on ^nope (a)', "unknown_table: table 'public.nope' does not exist"],
  ['create index x on t (^nope)', "unknown_column: column 'nope' does not exist in table 'public.t'"],
  ['create index x on t (^j)', "invalid_definition: column 'j': type json cannot be indexed"],
  ['^create index by_k on t (s)', "duplicate_object: index 'by_k' exists already on table 'public.t'"],
  ['^create index x on t (k, k)', 'duplicate_object: a column is named twice in the index'],
  ['^drop index nope on t', "unknown_index: index 'nope' does not exist on table 'public.t'"],
  ['^drop index primary on t', "invalid_definition: the primary key of 'public.t' cannot be dropped"],
  ["create index x on t (k) with (type = ^'heap')", "syntax_error: expected 'tree' or 'hash' but found a string"],
];

/** The text without its mark, and the mark's byte offset. */
function unmark(text: string): { text: string; position: number } {
  const at = text.indexOf('^');
  return { text: text.slice(0, at) + text.slice(at + 1), position: Buffer.byteLength(text.slice(0, at)) };
}

for (const [marked, error] of REQUESTS) {
  test(marked, () => {
    const { text, position } = unmark(marked);
    assert.equal(
      errorOf(() => compileText(text, catalog)),
      `${error} @${position}`,
    );
  });
}

for (const [marked, error] of DEFINITIONS) {
  test(marked, () => {
    const { text, position } = unmark(marked);
    assert.equal(
      errorOf(() => define(catalog, text)),
      `${error} @${position}`,
    );
  });
}

test('IF EXISTS and IF NOT EXISTS make a definition do nothing', () => {
  for (const text of [
    'create schema if not exists shop',
    'drop schema if exists nope',
    'create table if not exists t (id int primary key)',
    'drop table if exists nope',
    'create index if not exists by_k on t (s)',
    'drop index if exists nope on t',
  ])
    assert.equal(define(catalog, text), catalog, text);
});

test('a name of 255 bytes is taken, one of 256 is not', () => {
  assert.equal(define(catalog, `create schema ${'x'.repeat(255)}`).schemas.length, catalog.schemas.length + 1);
  assert.equal(
    errorOf(() => define(catalog, `create schema ${'x'.repeat(256)}`)),
    'limit_exceeded: a name is longer than 255 bytes @14',
  );
  assert.equal(
    errorOf(() => define(catalog, `create schema \`${'é'.repeat(128)}\``)),
    'limit_exceeded: a name is longer than 255 bytes @14',
  );
});

test('a key of 16 columns is taken, one of 17 is not', () => {
  const names = Array.from({ length: 17 }, (_, index) => `c${index}`);
  const table = (count: number): string =>
    `create table x (${names.map((name) => `${name} int`).join(', ')}, primary key (${names.slice(0, count).join(', ')}))`;
  assert.equal(define(catalog, table(16)).tables.length, catalog.tables.length + 1);
  assert.match(
    errorOf(() => define(catalog, table(17))),
    /^limit_exceeded: a key has at most 16 columns @/,
  );
});

test('a table of 1000 columns is taken, one of 1001 is not', () => {
  const table = (count: number): string =>
    `create table x (${Array.from({ length: count }, (_, index) => `c${index} int${index === 0 ? ' primary key' : ''}`).join(', ')})`;
  assert.equal(define(catalog, table(1000)).tables.length, catalog.tables.length + 1);
  assert.match(
    errorOf(() => define(catalog, table(1001))),
    /^limit_exceeded: a table has at most 1000 columns/,
  );
});
