/** Values of every type through the library: as parameters, as results, and through the log. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { open, type Row, SqlError } from '../../src/embed/index.ts';

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'amelie-types-'));
  folders.push(folder);
  return join(folder, 'data');
}

const UUID = '550e8400-e29b-41d4-a716-446655440000';
const INT64_EDGES = [
  -(2n ** 63n),
  -(2n ** 63n) + 1n,
  -(2n ** 53n) - 1n,
  -(2n ** 53n),
  2n ** 53n,
  2n ** 53n + 1n,
  2n ** 63n - 1n,
];

test('a double is a number whatever its text looks like; integers beyond ±2^53 are bigints', async () => {
  const db = await open();
  await db.query('create table t (id int primary key, d double, f float, b bigint, j json)');
  await db.query('insert into t values ($1, $2, $3, $4, $5)', [
    1,
    2 ** 53,
    2 ** 60,
    2n ** 53n,
    [2 ** 60, 2n ** 60n, 1e20, 2 ** 53 - 1, -0, 0.1],
  ]);
  await db.query('insert into t values ($1, $2, $3, $4, $5)', [2, -(2 ** 63), -0, -(2n ** 63n), { k: -(2 ** 53) }]);
  assert.deepStrictEqual(await db.query('select d, f, b, j from t order by id'), [
    { d: 2 ** 53, f: Number('1152921500000000000'), b: 2n ** 53n, j: [2 ** 60, 2n ** 60n, 1e20, 2 ** 53 - 1, -0, 0.1] },
    { d: -(2 ** 63), f: -0, b: -(2n ** 63n), j: { k: -(2 ** 53) } },
  ]);
  assert.deepStrictEqual(await db.query('select 1e17 as a, 100000000000000000 as b, 1e17::bigint as c, 1e300 as d'), [
    { a: 1e17, b: 10n ** 17n, c: 10n ** 17n, d: 1e300 },
  ]);
  // Grouped and sorted rows come from the coordinator, others from the nodes.
  assert.deepStrictEqual(await db.query('select d, max(b) as m from t group by d order by d'), [
    { d: -(2 ** 63), m: -(2n ** 63n) },
    { d: 2 ** 53, m: 2n ** 53n },
  ]);
  assert.deepStrictEqual(await db.query('select d from t order by d desc limit 1'), [{ d: 2 ** 53 }]);
  // What a server would send has no marks.
  assert.deepEqual(await db.execute('select d, j from t where id = 1'), {
    status: 200,
    body: '[[9.007199254740992e+15, [1.152921504606847e+18, 1152921504606846976, 1e+20, 9007199254740991, -0, 0.1]]]',
  });
  await db.close();
});

test('narrow integers, float, uuid and vector as parameters and results', async () => {
  const db = await open({ backends: 2 });
  await db.query('create table t (u uuid primary key, t tinyint, s smallint, f float, v vector)');
  await db.query('insert into t values ($1, $2, $3, $4, $5)', [UUID, -128, 32767, 0.1, [1, 0.1, -2.5]]);
  await db.query('insert into t (u, v) values ($1, $2), ($3, $4)', [
    '00000000-0000-0000-0000-000000000001',
    new Float32Array([0.1, 2]),
    '00000000-0000-0000-0000-000000000002',
    new Float64Array([0.1]),
  ]);
  assert.deepStrictEqual(await db.query('select * from t order by u'), [
    { u: '00000000-0000-0000-0000-000000000001', t: null, s: null, f: null, v: [0.1, 2] },
    { u: '00000000-0000-0000-0000-000000000002', t: null, s: null, f: null, v: [0.1] },
    { u: UUID, t: -128, s: 32767, f: 0.1, v: [1, 0.1, -2.5] },
  ]);
  assert.deepStrictEqual(await db.query('select t from t where u = $1::uuid', [UUID]), [{ t: -128 }]);
  assert.deepStrictEqual(
    await db.query('select u from t where dims(v) = 2 order by v::l2_distance($1) limit 1', [[0, 0]]),
    [{ u: '00000000-0000-0000-0000-000000000001' }],
  );
  assert.deepStrictEqual(
    await db.query('update t set v = $1, f = $2, t = $3 where u = $4::uuid returning v, f, t', [
      [7],
      2 ** 60,
      127,
      UUID,
    ]),
    [{ v: [7], f: Number('1152921500000000000'), t: 127 }],
  );
  const refused = async (sql: string, parameters: unknown[], code: string, part: string): Promise<void> => {
    await assert.rejects(
      db.query(sql, parameters),
      (error: unknown) => error instanceof SqlError && error.code === code && error.message.includes(part),
    );
  };
  await refused(
    'insert into t (u, t) values ($1, $2)',
    [UUID, 128],
    'out_of_range',
    "column 't': the int 128 does not fit",
  );
  await refused('insert into t (u) values ($1)', ['x'], 'invalid_value', "column 'u': invalid uuid 'x'");
  await refused('insert into t (u, v) values ($1, $2)', [UUID, [1, 'a']], 'invalid_value', "column 'v'");
  await refused('insert into t (u, v) values ($1, $2)', [UUID, { a: 1 }], 'invalid_value', "column 'v'");
  await refused('insert into t (u, v) values ($1, $2)', [UUID, 'x'], 'type_mismatch', "column 'v'");
  await refused('insert into t (u, f) values ($1, $2)', [UUID, 1e300], 'out_of_range', "column 'f'");
  await db.close();
});

test('a transaction gives each row, each node and each statement random values of its own', async () => {
  const db = await open({ backends: 4 });
  await db.query('create table t (id int primary key, u uuid, r bigint)');
  const values = Array.from({ length: 400 }, (_, index) => `(${index}, null, null)`).join(', ');
  await db.query(`insert into t values ${values}`);
  await db.query('update t set u = random_uuid(), r = random()');
  assert.deepEqual(await db.query('select count(distinct u) as u, count(distinct r) as r from t'), [
    { u: 400, r: 400 },
  ]);
  await db.query('update t set u = uuid_v7(), r = random()');
  assert.deepEqual(await db.query('select count(distinct u) as u, count(distinct r) as r from t'), [
    { u: 400, r: 400 },
  ]);
  // Head and tail of one request.
  const [row] = await db.query('select count(*) > random() as a, random() as b, random() as c from t');
  assert.notEqual(row!.b, row!.c);
  await db.close();
});

test('every node keeps only the rows of a vector search that can be wanted', async () => {
  const db = await open({ backends: 3 });
  await db.query('create table t (id int primary key, v vector)');
  const values = Array.from({ length: 900 }, (_, id) => `(${id}, [${id}, ${id % 5}])`).join(', ');
  await db.query(`insert into t values ${values}`);
  const search = 'select id from t order by v::l2_distance($1) limit 3';
  const [plan] = await db.query(`explain ${search}`, [[400.2, 0]]);
  const { plan: tree, bytecode } = plan as { plan: unknown; bytecode: { node: Record<string, string> } };
  assert.match(JSON.stringify(tree), /"top rows"/);
  const lines = Object.values(bytecode.node).map((line) => line.trim().split(/\s+/));
  // Kept are as many rows as a register says: -1 would be all.
  const [, , , kept] = lines.find(([opcode]) => opcode === 'sort_open')!;
  assert.ok(Number(kept) >= 0);
  // The vector of the search is made once a request, in the head; a row costs no call and no temporary.
  const opcodes = lines.map(([opcode]) => opcode!);
  assert.ok(opcodes.includes('l2_distance'));
  assert.ok(!opcodes.some((opcode) => ['call', 'json_to_vector', 'scratch_reset'].includes(opcode)), opcodes.join(' '));
  const distance = (id: number): number => Math.hypot(id - 400.2, id % 5);
  const nearest = Array.from({ length: 900 }, (_, id) => id).sort((a, b) => distance(a) - distance(b));
  assert.deepEqual(
    await db.query(search, [[400.2, 0]]),
    nearest.slice(0, 3).map((id) => ({ id })),
  );
  await db.close();
});

/** Rows of every type that storage has, with the edges of each. */
async function fill(db: Awaited<ReturnType<typeof open>>): Promise<void> {
  await db.query(
    `create table t (id bigint primary key, b bool, t tinyint default -128, s smallint, i int, n bigint, f float default -0.0,
     d double default -0.0, x text, u uuid default '${UUID}', v vector default [1, -0.0])`,
  );
  await db.query('create table k (u uuid, t tinyint, s smallint, n bigint, primary key (u, t, s))');
  for (const [index, edge] of INT64_EDGES.entries()) {
    await db.query('insert into t (id, b, s, i, n, x) values ($1, $2, $3, $4, $5, $6)', [
      edge,
      index % 2 === 0,
      index * 9362 - 28086,
      [-(2 ** 31), 2 ** 31 - 1][index % 2],
      -1n - edge,
      `t${edge}`,
    ]);
    await db.query('insert into k values ($1, $2, $3, $4)', [
      `${String(index).repeat(8)}-0000-0000-0000-00000000000${index}`,
      index * 40 - 120,
      -index,
      edge,
    ]);
  }
  await db.query('insert into t (id, t, f, d, u, v) values (0, null, null, null, null, null)');
  await db.query('update t set d = $1, f = $2, v = [3.4028234663852886e38, 1e-45] where id = $3', [
    5e-324,
    1e-45,
    2n ** 53n + 1n,
  ]);
  await db.query('update t set d = $1, f = $2 where id = $3', [
    1.7976931348623157e308,
    3.4028234663852886e38,
    -(2n ** 63n),
  ]);
  await db.query('update t set n = n - 1, s = s + 1, t = t + 1, v = v + v where id = $1', [2n ** 53n]);
  await db.query('update k set n = n where s = -3');
  await db.query("delete from k where u = uuid '00000000-0000-0000-0000-000000000000'");
}

const CHECKS: readonly string[] = [
  'select * from t order by id',
  'select * from k order by u, t, s',
  'select sum(n::double), min(n), max(n), count(distinct n) from t',
  'select id from t where n > -9007199254740994 and n < 9007199254740993 order by n',
  'select n from k where n >= 9007199254740993 order by n',
  'select count(*) from t where d = 0 and f = 0',
];

test('what was stored comes back from the log as it was', async () => {
  const directory = newFolder();
  let db = await open({ directory, backends: 2 });
  await fill(db);
  const expected: Row[][] = [];
  const texts: string[] = [];
  for (const check of CHECKS) {
    expected.push(await db.query(check));
    texts.push((await db.execute(check)).body);
  }
  const [first] = expected[0]!;
  assert.deepStrictEqual(first, {
    id: -(2n ** 63n),
    b: true,
    t: -128,
    s: -28086,
    i: -(2 ** 31),
    n: 2n ** 63n - 1n,
    f: Number('3.4028235e38'),
    d: Number.MAX_VALUE,
    x: 't-9223372036854775808',
    u: UUID,
    v: [1, -0],
  });
  await db.close();
  for (let round = 0; round < 2; round++) {
    db = await open({ directory });
    for (const [index, check] of CHECKS.entries()) {
      assert.deepStrictEqual(await db.query(check), expected[index], check);
      assert.equal((await db.execute(check)).body, texts[index], check);
    }
    // Keys found by their indexes, which recovery has built again.
    for (const edge of INT64_EDGES)
      assert.deepStrictEqual(await db.query('select x from t where id = $1', [edge]), [{ x: `t${edge}` }]);
    assert.deepStrictEqual(
      await db.query('select n from k where u = $1::uuid and t = -80 and s = -1', [
        '11111111-0000-0000-0000-000000000001',
      ]),
      [{ n: INT64_EDGES[1] }],
    );
    await assert.rejects(db.query("insert into k values ('11111111-0000-0000-0000-000000000001', -80, -1, 0)"));
    await db.close();
  }
});
