/** Pages of requests are given back, however a request ends; those of tables when they are dropped. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SqlError } from '../../src/base/errors.ts';
import { SystemClock, SystemFiles } from '../../src/base/files.ts';
import { InlineEngine } from '../../src/engine/inline-engine.ts';
import { defaultSettings } from '../../src/engine/settings.ts';
import { JsonRows } from '../../src/program/import/json-rows.ts';
import { SeededRandom } from '../../src/testing/random.ts';

const ENCODER = new TextEncoder();

function newEngine(nodeCount: number): InlineEngine {
  return new InlineEngine({
    settings: { ...defaultSettings(''), limit_send: 50_000, memory_limit: 256 * 1024 * 1024 },
    directory: undefined,
    nodeCount,
    files: new SystemFiles(),
    clock: new SystemClock(),
    random: new SeededRandom(1),
    changeSetting: () => {},
  });
}

/** Runs a request; `ok` or the code of its error. */
async function outcome(engine: InlineEngine, sql: string): Promise<string> {
  try {
    await engine.execute(ENCODER.encode(sql), undefined, 'json');
    return 'ok';
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    return error.code;
  }
}

async function importRows(engine: InlineEngine, table: string, body: string): Promise<string> {
  const target = {
    schema: 'public',
    table,
    columns: undefined,
    rows: (bytes: Uint8Array, length: number): JsonRows => new JsonRows(bytes, 0, length, false, false),
  };
  const bytes = ENCODER.encode(body);
  return await new Promise((resolve) => {
    engine.frontend.import(target, bytes, 0, bytes.length, undefined, (error) => resolve(error?.code ?? 'ok'));
    engine.run();
  });
}

const filler = 'x'.repeat(3000);
const rows = (first: number, count: number): string =>
  Array.from({ length: count }, (_, index) => `(${first + index}, ${index % 5}, '${filler}')`).join(', ');

/** Everything that a request can do and fail of; leaves no rows. */
const REQUESTS: readonly (readonly [sql: string, outcome: string])[] = [
  [`insert into t values ${rows(0, 100)}`, 'ok'],
  [`insert into t values ${rows(100, 50)}, ${rows(20, 1)}`, 'key_conflict'],
  [`insert into t values ${rows(20, 50)} on conflict do nothing`, 'ok'],
  [`insert into t values ${rows(80, 40)} on conflict do update set v = v + 1, t = excluded.t`, 'ok'],
  [`insert into t values (1000, 'x', 'y')`, 'type_mismatch'],
  [`insert into t values (1000, 99999999999, 'y')`, 'out_of_range'],
  ['insert into t (v) values (1)', 'not_null_violation'],
  ['select * from t', 'limit_exceeded'],
  ['select id, v from t order by t, id', 'ok'],
  ['select v, count(*), min(t), max(t) from t group by v order by v', 'ok'],
  ['select distinct t from t', 'ok'],
  ['select t || t from t where id < 3', 'ok'],
  ['select 1 / (id - 30) from t', 'zero_division'],
  ["update t set t = t || 'y' where v = 3", 'ok'],
  ["update t set t = t || 'y' returning t", 'limit_exceeded'],
  ['update t set v = v + 1; select 1 / 0 from t', 'zero_division'],
  ['update t set v = 2147483647; update t set v = v + 1 where id = 17', 'out_of_range'],
  [`select '${filler}'`, 'ok'],
  [`select count(*) from t where t = '${filler}'`, 'ok'],
  ['select nothing from t', 'unknown_column'],
  ['explain select * from t', 'ok'],
  ['profile select count(*) from t', 'ok'],
  ['profile select * from t', 'limit_exceeded'],
  ['profile select 1 / (id - 30) from t', 'zero_division'],
  ["profile update t set t = 'z' || t where v = 1", 'ok'],
  [`profile insert into t values ${rows(20, 1)}`, 'key_conflict'],
  ['create index t_t on t (t)', 'ok'],
  ['create index t_t on t (t)', 'duplicate_object'],
  ['select count(*) from t where t > "w"', 'ok'],
  ['drop index t_t on t', 'ok'],
  ['create table other (id serial primary key, t text)', 'ok'],
  [`insert into other (t) values ${Array.from({ length: 200 }, () => `('${filler}')`).join(', ')}`, 'ok'],
  ['create index other_t on other (t)', 'ok'],
  ['drop table other', 'ok'],
  ['delete from t where v = 2 returning id', 'ok'],
  ['delete from t; select 1 / 0', 'zero_division'],
  ['delete from t', 'ok'],
];

for (const nodeCount of [1, 3])
  test(`requests give their pages back, on ${nodeCount} nodes`, async () => {
    const engine = newEngine(nodeCount);
    const { memory } = engine.database;
    assert.equal(await outcome(engine, 'create table t (id int primary key, v int, t text)'), 'ok');
    assert.equal(await outcome(engine, 'create index t_v on t (v)'), 'ok');
    const round = async (): Promise<void> => {
      for (const [sql, expected] of REQUESTS) assert.equal(await outcome(engine, sql), expected, sql.slice(0, 100));
      const body = Array.from({ length: 300 }, (_, id) => `[${id}, 1, "${filler}"]`);
      assert.equal(await importRows(engine, 't', `[${body.join(',')}]`), 'ok');
      assert.equal(await importRows(engine, 't', `[${body.join(',')}]`), 'key_conflict');
      assert.equal(await importRows(engine, 't', `[${body.join(',')}, [1]]`), 'invalid_value');
      assert.equal(await importRows(engine, 'nowhere', '[[1]]'), 'not_found');
      assert.equal(await outcome(engine, 'delete from t'), 'ok');
      assert.equal(await outcome(engine, 'delete from t where id = 0'), 'ok');
    };
    // The heap of values and the caches grow to what a round takes.
    for (let warm = 0; warm < 4; warm++) await round();
    const usedPages = memory.usedPages();
    for (let count = 0; count < 12; count++) await round();
    assert.ok(memory.usedPages() <= usedPages + 8, `${usedPages} pages, then ${memory.usedPages()}`);
    await engine.close();
  });
