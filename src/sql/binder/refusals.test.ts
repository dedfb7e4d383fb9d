/** What the SQL reference has and this version has not is refused as such, never misread: one case each. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Catalog } from '../../catalog/catalog.ts';
import { catalogOf, compileText, define, errorOf } from '../../program/compiler/testing.ts';

const catalog: Catalog = catalogOf([
  'create table t (id int primary key, k bigint, s text, b bool, ts timestamp, j json)',
  'create table u (id int primary key, k bigint)',
  'create shared table shared (id int primary key, k bigint)',
  'create index by_k on t (k)',
]);

/** `[statement, what is refused]`: the message is `not supported yet: …`. */
const ROW_STATEMENTS: readonly (readonly [text: string, what: string])[] = [
  // Joins.
  ['select * from t, u', 'joins'],
  ['select * from t join u on t.id = u.id', 'joins'],
  ['select * from t left join u using (id)', 'joins'],
  ['select * from t right outer join u on true', 'joins'],
  ['select * from t full join u on true', 'joins'],
  ['select * from t cross join u', 'joins'],
  // Subqueries, in every place.
  ['select (select 1)', 'subqueries'],
  ['select * from t where k = (select max(k) from u)', 'subqueries'],
  ['select * from t where k in (select k from u)', 'subqueries'],
  ['select * from t where k in (1, (select k from u))', 'subqueries'],
  ['select * from t where exists (select 1 from u)', 'subqueries'],
  ['select * from t where not exists (select 1 from u)', 'subqueries'],
  ['select count(*) from t having count(*) > (select 1)', 'subqueries'],
  ['select * from t order by (select 1)', 'subqueries'],
  ['select * from t limit (select 1)', 'subqueries'],
  ['select * from t offset (select 1)', 'subqueries'],
  ['select k from t group by (select 1)', 'subqueries'],
  ['select [select 1]', 'subqueries'],
  ['select {"rows": select count(*) from t}', 'subqueries'],
  ['select case when (select true) then 1 end', 'subqueries'],
  ['select * from (select 1) x', 'subqueries'],
  ['select * from lateral (select 1) x', 'subqueries'],
  ['select * from (values (1)) x', 'subqueries'],
  ['update t set k = (select 1)', 'subqueries'],
  ['update t set k = 1 where id = (select 1)', 'subqueries'],
  ['delete from t where id = (select 1)', 'subqueries'],
  ['insert into u values (1, (select 2))', 'subqueries'],
  ['insert into u values (1, 2) on conflict do update set k = (select 1)', 'subqueries'],
  ['insert into u values (1, 2) returning (select 1)', 'subqueries'],
  ['insert into u () generate (select 1)', 'subqueries'],
  ['select * from t where k = any (select k from u)', 'subqueries'],
  ['select * from t where k <= all (select k from u)', 'subqueries'],
  // Common tables and set operations.
  ['with x as (select 1) select 2', 'WITH'],
  ['with x as (select 1)', 'WITH'],
  ['with recursive x as (select 1 union all select 2) select * from x', 'WITH'],
  ['with x as (select 1) insert into u values (1, 2)', 'WITH'],
  ['with x as (select 1) update t set k = 1', 'WITH'],
  ['with x as (select 1) delete from t', 'WITH'],
  ['select 1 union select 2', 'UNION'],
  ['select 1 union all select 2', 'UNION'],
  ['select 1 intersect select 2', 'INTERSECT'],
  ['select 1 except select 2', 'EXCEPT'],
  ['values (1), (2)', 'VALUES as a query'],
  // Functions in FROM beside others, column aliases.
  ['select * from generate_series(1, 3), t', 'joins'],
  ['select * from t join json_each({"a": 1}) on true', 'joins'],
  ['select * from lateral generate_series(1, 3)', 'LATERAL'],
  ['select * from generate_series(1, 3) as x (a)', 'column aliases'],
  ['select * from t as x (a, b)', 'column aliases'],
  // Aggregates and windows.
  ['select distinct on (k) * from t', 'DISTINCT ON'],
  ['select string_agg(s, s) from t', 'aggregate string_agg'],
  ['select json_agg(k) from t', 'aggregate json_agg'],
  ['select bool_and(b) from t', 'aggregate bool_and'],
  ['select bool_or(b) from t', 'aggregate bool_or'],
  ['select sum(k order by id) from t', 'ORDER BY inside an aggregate'],
  ['select 0 -> self + k from t', 'lambda'],
  ['select row_number() over (order by id) from t', 'window functions'],
  ['select sum(k) over (partition by s) from t', 'window functions'],
  ['select rank() over w from t window w as (order by k)', 'window functions'],
  ['select 1 from t window w as (order by k)', 'window functions'],
  // Types.
  // Changes.
  ['insert into u values (1, 2) on conflict do update set id = 2', 'UPDATE of a primary key column in ON CONFLICT'],
  ['update t set k = 1 from u', 'UPDATE … FROM'],
  ['delete from t using u', 'DELETE … USING'],
  ['insert into u select id, k from t', 'INSERT from a SELECT'],
  ['insert into u (id) select 1', 'INSERT from a SELECT'],
  // System objects and functions of the reference.
  ['select system.users()', 'system.users()'],
  ["select system.user('u')", 'system.user()'],
  ['select * from system.replicas()', 'system.replicas()'],
  ["select system.replica('r')", 'system.replica()'],
  ['select system.repl()', 'system.repl()'],
  ['select system.replication()', 'system.replication()'],
];

const DEFINITIONS: readonly (readonly [text: string, what: string])[] = [
  ['create table x (id int primary key, a int as (id % 2) stored)', 'STORED columns'],
  ['create table x (id int primary key, a int as (a + excluded.a) resolved)', 'RESOLVED columns'],
  ['create unique index x on t (k)', 'UNIQUE indexes'],
  ['create unique index x on shared (k)', 'UNIQUE indexes'],
  ['alter table t add column x int', 'ALTER TABLE'],
  ['alter table t drop column k', 'ALTER TABLE'],
  ['alter table t rename to x', 'ALTER TABLE'],
  ['alter table t set unlogged', 'ALTER TABLE'],
  ['alter table t set logged', 'ALTER TABLE'],
  ['alter index by_k on t rename to x', 'ALTER INDEX'],
  ['alter schema s rename to x', 'ALTER SCHEMA'],
  ['truncate t', 'TRUNCATE'],
  ['create node', 'CREATE NODE'],
  ['create compute node', 'CREATE NODE'],
  ["drop node 'x'", 'DROP NODE'],
  ['create user x', 'CREATE USER'],
  ["alter user x secret 'y'", 'ALTER USER'],
  ['drop user x', 'DROP USER'],
  ['create token x', 'CREATE TOKEN'],
  ["create replica 'x' uri 'y'", 'CREATE REPLICA'],
  ["drop replica 'x'", 'DROP REPLICA'],
  ['start replication', 'START and STOP REPLICATION'],
  ['stop replication', 'START and STOP REPLICATION'],
  ["subscribe 'x'", 'SUBSCRIBE'],
  ['unsubscribe', 'UNSUBSCRIBE'],
];

function withoutPosition(error: string): string {
  return error.replace(/ @\d+$/, '');
}

for (const [text, what] of ROW_STATEMENTS) {
  test(text, () => {
    const error = errorOf(() => compileText(text, catalog));
    assert.equal(withoutPosition(error), `not_supported: not supported yet: ${what}`);
  });
}

for (const [text, what] of DEFINITIONS) {
  test(text, () => {
    const error = errorOf(() => define(catalog, text));
    assert.equal(withoutPosition(error), `not_supported: not supported yet: ${what}`);
    assert.match(error, / @\d+$/);
  });
}
