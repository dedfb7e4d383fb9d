/** Scans over several segments and slices of the interpreter, of columns of every storage, with and without NULLs. */

import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { open } from '../../src/embed/index.ts';

const ROW_COUNT = 14_000;

type Row = {
  readonly id: number;
  readonly i: number;
  readonly b: number;
  readonly d: number;
  readonly s: string;
  readonly ni: number | null;
  readonly nb: number | null;
  readonly nd: number | null;
  readonly ns: string | null;
};

function rowOf(id: number): Row {
  const nullEvery = <T>(period: number, value: T): T | null => (id % period === 0 ? null : value);
  return {
    id,
    i: ((id * 7919) % 1000) - 500,
    b: (((id * 104_729) % 2_000_003) - 1_000_000) * 4_294_967,
    d: (id % 1024) / 4,
    s: 'x'.repeat(id % 17),
    ni: nullEvery(3, id % 100),
    nb: nullEvery(5, id * 30_000_000),
    nd: nullEvery(7, id / 8),
    ns: nullEvery(2, `n${id}`),
  };
}

test('scans read columns of every storage across segments, slices, NULLs and deleted rows', async () => {
  const db = await open({});
  await db.query(`create table t (id int primary key, i int not null, b bigint not null, d double not null, s text not null,
    ni int, nb bigint, nd double, ns text) partitions 3`);
  const kept: Row[] = [];
  for (let first = 1; first <= ROW_COUNT; first += 1000) {
    const rows = Array.from({ length: 1000 }, (_, index) => rowOf(first + index));
    const text = (value: string | null): string => (value === null ? 'null' : `'${value}'`);
    const values = rows.map(
      (row) =>
        `(${row.id}, ${row.i}, ${row.b}, ${row.d}, ${text(row.s)}, ${row.ni}, ${row.nb}, ${row.nd}, ${text(row.ns)})`,
    );
    await db.query(`insert into t values ${values.join(', ')}`);
    kept.push(...rows.filter(({ id }) => id % 11 !== 0 && !(id >= 5000 && id < 5200)));
  }
  await db.query('delete from t where id % 11 = 0 or (id >= 5000 and id < 5200)');

  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const present = <T>(values: readonly (T | null)[]): T[] => values.filter((value): value is T => value !== null);
  const negative = kept.filter(({ i }) => i < 0);
  const cases: readonly (readonly [string, unknown])[] = [
    ['select sum(i) from t', sum(kept.map(({ i }) => i))],
    ['select count(*) from t where i < 0', negative.length],
    ['select sum(b) from t where i < 0', sum(negative.map(({ b }) => b))],
    ['select count(*) from t where b < 0', kept.filter(({ b }) => b < 0).length],
    ['select sum(i) from t where b < 0', sum(kept.filter(({ b }) => b < 0).map(({ i }) => i))],
    ['select sum(d) from t', sum(kept.map(({ d }) => d))],
    ['select sum(length(s)) from t', sum(kept.map(({ s }) => s.length))],
    ['select sum(ni) from t', sum(present(kept.map(({ ni }) => ni)))],
    ['select sum(nb) from t', sum(present(kept.map(({ nb }) => nb)))],
    ['select sum(nd) from t', sum(present(kept.map(({ nd }) => nd)))],
    ['select sum(length(ns)) from t', sum(present(kept.map(({ ns }) => ns)).map((value) => value.length))],
    ['select count(*) from t where ni is null', kept.filter(({ ni }) => ni === null).length],
    [
      'select count(*) from t where nb is null and nd is not null',
      kept.filter((row) => row.nb === null && row.nd !== null).length,
    ],
    ['select count(*) from t where ns is null', kept.filter(({ ns }) => ns === null).length],
  ];
  for (const [sql, expected] of cases) {
    const [row] = (await db.query(sql)) as Record<string, unknown>[];
    assert.deepEqual(Object.values(row!), [expected], sql);
  }
  await db.close();
});
