/** Which access path is taken for which predicate, as EXPLAIN shows it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { catalogOf, compileText, errorOf } from '../program/compiler/testing.ts';

const catalog = catalogOf([
  'create table t (id int primary key, k bigint, v double, s text, b bool, ts timestamp not null, j json)',
  'create index by_k on t (k)',
  'create index by_s_k on t (s, k desc)',
  "create index by_ts on t (ts desc) with (type = 'hash')",
  'create index by_v on t (v)',
  "create table h (a bigint, b text, c int, primary key (a, b)) with (type = 'hash')",
  'create table c (a bigint, b text, c int, primary key (a, b))',
]);

type Node = { readonly node: string; readonly [detail: string]: unknown };

/** The path in one line: kind, index, equal columns, ranged column, order, and whether a filter is left. */
function access(text: string): string {
  const plan = compileText(text, catalog, [1, 1]).plan.at(-1) as unknown as { nodes: readonly Node[] };
  const { node, index, equal, range, order, filter, keys } = plan.nodes[0]!;
  return [
    node,
    index,
    keys === undefined ? undefined : `keys=${keys}`,
    (equal as string[] | undefined)?.length ? `equal=${(equal as string[]).join('+')}` : undefined,
    range === undefined ? undefined : `range=${range}`,
    order === undefined ? undefined : `order=${order}`,
    filter === true ? 'filter' : undefined,
  ]
    .filter((part) => part !== undefined)
    .join(' ');
}

const CASES: readonly (readonly [text: string, expected: string])[] = [
  // Points.
  ['select * from t where id = 1', 'point lookup primary'],
  ['select * from t where 1 = id', 'point lookup primary'],
  ['select * from t where id = $1', 'point lookup primary'],
  ['select * from t where id = 1 + $1', 'point lookup primary'],
  ['select * from t where t.id = 1 and k > 5', 'point lookup primary filter'],
  ['select * from t where id = 1 and id = 2', 'point lookup primary filter'],
  ['select * from t where public.t.id = 1', 'point lookup primary'],
  ['select * from t x where x.id = 1', 'point lookup primary'],
  ['select count(*) from t where id = 1', 'point lookup primary'],
  ['update t set k = 1 where id = 1', 'point lookup primary'],
  ['delete from t where id = 1', 'point lookup primary'],
  ["select * from h where b = 'x' and a = 1", 'point lookup primary'],
  ["select * from c where a = 1 and b = 'x' and c = 1", 'point lookup primary filter'],
  // Lists.
  ['select * from t where id in (1, 2, 3)', 'key list primary keys=3'],
  ['select * from t where id in (1, null, $1)', 'key list primary keys=2'],
  ['select * from t where id in (1, 2) and k = 5', 'key list primary keys=2 filter'],
  ['delete from t where id in (1, 2)', 'key list primary keys=2'],
  ['select * from t where id in (1, k)', 'scan filter'],
  ['select * from t where id not in (1, 2)', 'scan filter'],
  ['select * from t where id in (1, 2.5)', 'scan filter'],
  ['select * from c where a in (1, 2)', 'scan filter'],
  // Ranges and equalities of tree indexes.
  ['select * from t where id > 1', 'index range primary range=id'],
  ['select * from t where id >= 1 and id < 9', 'index range primary range=id'],
  ['select * from t where id between 1 and 9', 'index range primary range=id'],
  ['select * from t where id not between 1 and 9', 'scan filter'],
  ['select * from t where 5 > id', 'index range primary range=id'],
  ['select * from t where id > 1 and id > 5', 'index range primary range=id filter'],
  ['select * from t where k = 1', 'index range by_k equal=k'],
  ['select * from t where k < $1', 'index range by_k range=k'],
  ['select * from t where k = 1 and id > 3', 'index range by_k equal=k filter'],
  ["select * from t where s = 'x' and k = 1", 'index range by_s_k equal=s+k'],
  ["select * from t where s = 'x' and k > 1", 'index range by_s_k equal=s range=k'],
  ["select * from t where s > 'x' and k = 1", 'index range by_k equal=k filter'],
  ["select * from t where s >= 'x'", 'index range by_s_k range=s'],
  ['select * from t where v > 1.5', 'index range by_v range=v'],
  ['select * from t where v > 1', 'index range by_v range=v filter'],
  ['select * from t where $1 >= v and v >= 2.5', 'index range by_v range=v filter'],
  ['select * from t where v = 3', 'index range by_v equal=v filter'],
  ['select * from t where v <> 3', 'scan filter'],
  ['select * from t where id > 1.5', 'scan filter'],
  ['select * from c where a = 1', 'index range primary equal=a'],
  ["select * from c where a = 1 and b > 'm'", 'index range primary equal=a range=b'],
  ["select * from c where b = 'm'", 'scan filter'],
  ['update t set k = k + 1 where k > 5', 'index range by_k range=k'],
  // Hash indexes.
  ["select * from t where ts = timestamp '2020-01-01'", 'hash index lookup by_ts equal=ts'],
  ["select * from t where ts > timestamp '2020-01-01'", 'scan filter'],
  ['select * from h where a = 1', 'scan filter'],
  ['select * from h where a > 1', 'scan filter'],
  // Order with a limit.
  ['select * from t order by id limit 5', 'index range primary order=forward'],
  ['select * from t order by id desc limit 5', 'index range primary order=backward'],
  ['select * from t order by id', 'scan'],
  ['select * from t where id > 5 order by id limit 5', 'index range primary range=id order=forward'],
  ['select * from t where b order by id desc limit 5', 'index range primary order=backward filter'],
  ['select * from t order by k limit 5', 'index range by_k order=forward'],
  ['select * from t order by k desc limit 5', 'index range by_k order=backward'],
  ['select * from t order by k nulls last limit 5', 'scan'],
  ['select * from t order by k desc nulls first limit 5', 'scan'],
  ['select * from t order by k desc nulls last limit 5', 'index range by_k order=backward'],
  ['select * from t order by s, k desc limit 5', 'index range by_s_k order=forward'],
  ['select * from t order by s desc, k limit 5', 'index range by_s_k order=backward'],
  ['select * from t order by s, k limit 5', 'scan'],
  ["select * from t where s = 'x' order by k desc limit 5", 'index range by_s_k equal=s order=forward'],
  ["select * from t where s = 'x' order by k limit 5", 'index range by_s_k equal=s order=backward'],
  ['select * from t order by k + 1 limit 5', 'scan'],
  ['select * from t order by ts limit 5', 'scan'],
  ['select k as id from t order by id limit 5', 'index range by_k order=forward'],
  // What no index serves.
  ['select * from t', 'scan'],
  ['select * from t where id + 1 = 2', 'scan filter'],
  ['select * from t where id = k', 'scan filter'],
  ['select * from t where id <> 1', 'scan filter'],
  ['select * from t where id = 1 or k = 2', 'scan filter'],
  ['select * from t where id = random(5)', 'scan filter'],
  ['select * from t where id = nullif($1, 1)', 'scan filter'],
  ['select * from t where k is null', 'scan filter'],
  ['select * from t where j.id::int = 1', 'scan filter'],
  // A forced index.
  ['select * from t use index (by_k) where id = 1', 'index range by_k filter'],
  ['select * from t use index (by_k)', 'index range by_k'],
  ['select * from t use index (primary) where id = 1', 'point lookup primary'],
  [
    "select * from t use index (by_ts) where ts = timestamp '2020-01-01' and id = 4",
    'hash index lookup by_ts equal=ts filter',
  ],
];

for (const [text, expected] of CASES) test(text, () => assert.equal(access(text), expected));

test('USE INDEX of a hash index needs equality on all its columns', () => {
  assert.equal(
    errorOf(() => access('select * from t use index (by_ts) where id = 1')),
    "invalid_definition: index 'by_ts' cannot serve this query: a hash index needs equality on all its columns",
  );
});

test('USE INDEX of an index that is not there is an error with its position', () => {
  assert.equal(
    errorOf(() => access('select * from t use index (nope)')),
    "unknown_index: index 'nope' does not exist on table 'public.t' @27",
  );
});
