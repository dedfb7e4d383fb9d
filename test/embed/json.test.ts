/** JSON through the log: what was stored, set by paths and defaulted is there after a restart, every digit of it. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { open, SqlError } from '../../src/embed/index.ts';

test('JSON survives a restart', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'amelie-json-'));
  const directory = join(folder, 'data');
  try {
    let db = await open({ directory });
    await db.query('create table t (id int primary key, j json, d json default [9223372036854775807, {"n": null}])');
    const large = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`key ${i}`, 'é'.repeat(i % 50)]));
    await db.query('insert into t (id, j) values ($1, $2), ($3, $4), ($5, $6), ($7, $8)', [
      ...[1, { a: { b: 1 }, list: [1, 2.5, 'x', null, -9007199254740993n] }],
      ...[2, large],
      ...[3, null],
      ...[4, 'text'],
    ]);
    await db.query('update t set j.a.b = $1, j.new.level = $2, j.list = append(j.list, $3) where id = 1', [
      -9223372036854775808n,
      { deep: [[]] },
      9007199254740993n,
    ]);
    await db.query('update t set j.`key 7` = null where id = 2');
    await assert.rejects(
      db.query('insert into t (id) values (3) on conflict do update set j.gone = id, d.x = 1'),
      (error) => error instanceof SqlError && error.code === 'invalid_value',
    );
    await db.query('insert into t (id) values (3) on conflict do update set j.made.here = id');
    const rows = await db.query('select * from t order by id');
    await db.close();
    db = await open({ directory });
    assert.deepEqual(await db.query('select * from t order by id'), rows);
    assert.deepEqual(rows[0], {
      id: 1,
      j: {
        a: { b: -9223372036854775808n },
        list: [1, 2.5, 'x', null, -9007199254740993n, 9007199254740993n],
        new: { level: { deep: [[]] } },
      },
      d: [9223372036854775807n, { n: null }],
    });
    assert.deepEqual((rows[1] as { j: object }).j, { ...large, 'key 7': null });
    assert.deepEqual((rows[2] as { j: unknown }).j, { made: { here: 3 } });
    assert.equal((rows[3] as { j: unknown }).j, 'text');
    await db.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
