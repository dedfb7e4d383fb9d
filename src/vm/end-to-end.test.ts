/** Hand-assembled programs over two nodes with real partitions: head, parts, tail. */

import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { Memory } from '../base/memory.ts';
import type { Program } from '../program/program.ts';
import { FORMAT_OBJECT, FORMAT_PRETTY } from '../types/result-format.ts';
import { BIGINT, DOUBLE, INT, JSON_TYPE, TEXT, TIMESTAMP } from '../types/type.ts';
import { Interrupted, PartError } from './node/part.ts';
import { assemble, makeProgram } from './testing/assemble.ts';
import { Cluster, ID, literalRows } from './testing/cluster.ts';

const memory = Memory.create({ limitBytes: 256 << 20, eagerArenas: false });
const cluster = new Cluster(memory, 2);
const COLUMNS = [
  ID,
  { name: 'k', type: INT },
  { name: 'x', type: DOUBLE },
  { name: 's', type: TEXT },
  { name: 'b', type: BIGINT },
  { name: 'at', type: TIMESTAMP },
];
cluster.createTable(1, COLUMNS, {
  indexes: [
    { id: 1, name: 'pk', method: 'tree', isUnique: true, isPrimary: true, keys: [{ column: 0, isDescending: false }] },
    {
      id: 2,
      name: 'by_k',
      method: 'tree',
      isUnique: false,
      isPrimary: false,
      keys: [{ column: 1, isDescending: false }],
    },
  ],
});
const TABLES = [{ tableId: 1, name: 'public.t1' }];
const column = (name: string, type: number, isNullable = true) => ({ name, type: type as typeof INT, isNullable });

const INSERT = makeProgram({
  isWrite: true,
  hasResult: false,
  tables: TABLES,
  inserts: [{ table: 0, columns: [0, 1, 2, 3, 4] }],
  coordinator: assemble('batch_values 0 0 0\nbatch_route 0 0\nsend\nret'),
  node: assemble('statement 0\nbatch_open 0 0 end\ninsert_all 0 0\nend:\nret'),
});

type Row = [number, number | null, number | null, string | null, bigint | null];
const ROWS: Row[] = [];
for (let i = 0; i < 10_000; i++) {
  ROWS.push([
    i,
    i % 7 === 0 ? null : i % 100,
    i % 5 === 0 ? null : i / 4,
    i % 3 === 0 ? null : `name ${i % 17}`,
    i % 11 === 0 ? null : 2n ** 60n + BigInt(i),
  ]);
}

test('insert routes rows to nodes, logs them, and a key that exists undoes everything', () => {
  assert.equal(cluster.run(INSERT, { rows: literalRows(ROWS) }), '');
  const counts = cluster.partitions.get(1)!.map((partition) => partition.rowCount);
  assert.equal(
    counts.reduce((sum, count) => sum + count),
    10_000,
  );
  assert.ok(
    counts.every((count) => count > 2000),
    String(counts),
  );
  assert.ok(cluster.redoBytes.every((bytes) => bytes > 100_000));
  const clash: Row[] = [
    [20_000, 1, 1.5, 'a', 1n],
    [20_001, 1, 1.5, 'a', 1n],
    [77, 1, 1.5, 'a', 1n],
  ];
  assert.throws(
    () => cluster.run(INSERT, { rows: literalRows(clash) }),
    (error) => {
      assert.ok(error instanceof PartError);
      assert.deepEqual(
        [error.code, error.message, error.statement, error.row],
        ['key_conflict', "table 'public.t1': row with primary key (77) already exists", 0, 3],
      );
      return true;
    },
  );
  assert.deepEqual(
    cluster.partitions.get(1)!.map((partition) => partition.rowCount),
    counts,
  );
});

/** SELECT of all columns for a row under a cursor, into registers 1 …: cursor 0. */
const LOAD_ALL =
  'col_int64 1 0 0\ncol_int32_null 2 0 1\ncol_double_null 3 0 2\ncol_ref_null 4 0 3\ncol_int64_null 5 0 4';
const ALL = [
  column('id', BIGINT, false),
  column('k', BIGINT),
  column('x', DOUBLE),
  column('s', TEXT),
  column('b', BIGINT),
];

function jsonRow([id, k, x, s, b]: Row): string {
  return `[${id}, ${k}, ${x}, ${s === null ? null : JSON.stringify(s)}, ${b}]`;
}

const POINT = makeProgram({
  tables: TABLES,
  points: [{ table: 0, keyRegister: 1, keyCount: 1, partitionParam: 1 }],
  outputs: [{ columns: ALL, format: '' }],
  coordinator: assemble('param 1 0\nroute_point 1 0\nsend\nreply_rows 0 -1 -1\nret'),
  node: assemble(`param 1 0\npoint_open 0 0 end\n${LOAD_ALL}\nsend_row 0 1 0\nend:\nret`),
});

test('a point select runs on one node', () => {
  for (const id of [0, 1, 77, 9999]) {
    const reply = cluster.run(POINT, { parameters: (parameters) => parameters.setInt(0, id, 0n) });
    assert.equal(reply, `[${jsonRow(ROWS[id]!)}]`);
  }
  assert.equal(cluster.run(POINT, { parameters: (parameters) => parameters.setInt(0, 10_000, 0n) }), '[]');
  assert.equal(cluster.run(POINT, { parameters: (parameters) => parameters.setInt(0, Number.NaN, 2n ** 62n) }), '[]');
});

test('formats of rows', () => {
  const run = (format: number): string =>
    cluster.run(POINT, { parameters: (parameters) => parameters.setInt(0, 1, 0n), format });
  assert.equal(run(FORMAT_OBJECT), '[{"id": 1, "k": 1, "x": 0.25, "s": "name 1", "b": 1152921504606846977}]');
  assert.equal(
    run(FORMAT_OBJECT | FORMAT_PRETTY),
    '[{\n  "id": 1,\n  "k": 1,\n  "x": 0.25,\n  "s": "name 1",\n  "b": 1152921504606846977\n}]',
  );
});

test('a list of keys finds each row once', () => {
  const list = (keyCount: number): Program =>
    makeProgram({
      tables: TABLES,
      lists: [{ table: 0, keyRegister: 10, keyCount, set: -1 }],
      outputs: [{ columns: [column('id', BIGINT, false)], format: '' }],
      coordinator: assemble(`${keys(keyCount)}\nroute_list 0\nsend\nreply_rows 0 -1 -1\nret`),
      node: assemble(
        `${keys(keyCount)}\nlist_open 0 0 end\nstart:\ncol_int64 1 0 0\nsend_row 0 1 0\nlist_next 0 start\nend:\nret`,
      ),
    });
  const keys = (count: number): string =>
    Array.from({ length: count }, (_, i) => (i === 1 ? 'set_null 11' : `load_int ${10 + i} ${(i % 4) * 3000}`)).join(
      '\n',
    );
  for (const count of [8, 40])
    assert.deepEqual(
      (JSON.parse(cluster.run(list(count))) as number[]).sort((a, b) => a - b),
      [0, 3000, 6000, 9000],
    );
});

test('a scan of all nodes joins rows, in more pages than one', () => {
  const program = makeProgram({
    tables: TABLES,
    outputs: [{ columns: ALL, format: '' }],
    coordinator: assemble('route_all 0\nsend\nreply_rows 0 -1 -1\nret'),
    node: assemble(
      `scan_open 0 0 end\nstart:\n${LOAD_ALL}\nsend_row 0 1 0\nscratch_reset\nscan_next 0 start\nend:\nret`,
    ),
  });
  const used = memory.usedPages();
  const reply = cluster.run(program);
  const rows = reply.slice(2, -2).split('], [').sort();
  assert.deepEqual(rows, ROWS.map((row) => jsonRow(row).slice(1, -1)).sort());
  assert.equal(memory.usedPages(), used);
  assert.throws(() => cluster.run(program, { limitSendBytes: 100_000 }), { code: 'limit_exceeded' });
  let polls = 0;
  assert.throws(() => cluster.run(program, { poll: () => ++polls === 1 }), Interrupted);
  assert.equal(memory.usedPages(), used);
});

test('order by with limit and offset: top rows of each node, merged', () => {
  const program = (isDescending: boolean, isNullsFirst: boolean): Program =>
    makeProgram({
      tables: TABLES,
      outputs: [{ columns: [column('k', BIGINT), column('s', TEXT), column('id', BIGINT, false)], format: '' }],
      sorts: [
        {
          keys: [
            { type: BIGINT, isDescending, isNullsFirst },
            { type: TEXT, isDescending: false, isNullsFirst: true },
            { type: BIGINT, isDescending: true, isNullsFirst: false },
          ],
          values: [BIGINT, TEXT, BIGINT],
          output: 0,
        },
      ],
      limits: [{ limitRegister: 1, offsetRegister: 2 }],
      coordinator: assemble(
        'route_all 0\nsend\nload_int 1 20\nload_int 2 7\nlimit_check 1 0\nlimit_check 2 1\nreply_rows 0 0 0\nret',
      ),
      node: assemble(`
        load_int 9 27
        sort_open 0 0 9
        scan_open 0 0 end
        start:
        col_int32_null 1 0 1
        col_ref_null 2 0 3
        col_int64 3 0 0
        move_null 4 1
        move_null 5 2
        move 6 3
        sort_add 0 1
        scan_next 0 start
        end:
        sort_send 0 0
        ret`),
    });
  const compareNullable = (
    a: number | string | null,
    b: number | string | null,
    isDescending: boolean,
    isNullsFirst: boolean,
  ): number => {
    if (a === null || b === null) return a === b ? 0 : (a === null) === isNullsFirst ? -1 : 1;
    const order = a < b ? -1 : a > b ? 1 : 0;
    return isDescending ? -order : order;
  };
  for (const [isDescending, isNullsFirst] of [
    [false, true],
    [true, false],
    [false, false],
    [true, true],
  ] as const) {
    const sorted = ROWS.toSorted(
      (a, b) =>
        compareNullable(a[1], b[1], isDescending, isNullsFirst) ||
        compareNullable(a[3], b[3], false, true) ||
        b[0] - a[0],
    );
    const wanted = sorted.slice(7, 27).map(([id, k, , s]) => [k, s, id]);
    assert.deepEqual(JSON.parse(cluster.run(program(isDescending, isNullsFirst))), wanted);
  }
});

test('an ordered range of an index merges partitions and stops early', () => {
  const program = (isDescending: boolean): Program =>
    makeProgram({
      tables: TABLES,
      ranges: [
        {
          table: 0,
          index: 1,
          equalRegister: 0,
          equalCount: 0,
          lowerRegister: 8,
          isLowerInclusive: true,
          upperRegister: 9,
          isUpperInclusive: false,
          isDescending,
          isOrdered: true,
        },
      ],
      outputs: [{ columns: [column('k', BIGINT)], format: '' }],
      sorts: [{ keys: [{ type: BIGINT, isDescending, isNullsFirst: false }], values: [], output: -1 }],
      limits: [{ limitRegister: 7, offsetRegister: -1 }],
      coordinator: assemble('route_all 0\nsend\nload_int 7 150\nreply_rows 0 0 0\nret'),
      node: assemble(`
        load_int 7 150
        load_int 8 20
        load_int 9 30
        range_open 0 0 end
        start:
        col_int32 1 0 1
        move 2 1
        send_row_key 0 1 0
        count_down 7 end
        range_next 0 start
        end:
        ret`),
    });
  for (const isDescending of [false, true]) {
    const wanted = ROWS.filter(([, k]) => k !== null && k >= 20 && k < 30).map(([, k]) => k!);
    wanted.sort((a, b) => (isDescending ? b - a : a - b));
    assert.deepEqual(JSON.parse(cluster.run(program(isDescending))), wanted.slice(0, 150));
  }
});

test('groups: partial on nodes, merged, having and order in the coordinator', () => {
  const aggregate = (
    kind: 'count' | 'count_value' | 'sum_int' | 'sum_double' | 'avg' | 'min' | 'max',
    argument: number,
    isDistinct = false,
  ) => ({
    kind,
    argument: argument as typeof INT,
    isNullable: true,
    isDistinct,
  });
  const aggregates = [
    aggregate('count', 0),
    aggregate('count_value', DOUBLE),
    aggregate('sum_int', BIGINT),
    aggregate('sum_double', DOUBLE),
    aggregate('avg', BIGINT),
    aggregate('min', TEXT),
    aggregate('max', BIGINT),
    aggregate('count_value', TEXT, true),
    aggregate('sum_int', BIGINT, true),
    aggregate('avg', DOUBLE),
  ];
  const outputs = [
    {
      columns: ['k', 'n', 'xs', 'sk', 'sx', 'ak', 'ms', 'mb', 'ds', 'dk', 'ax'].map((name, i) =>
        column(name, [BIGINT, BIGINT, BIGINT, BIGINT, DOUBLE, DOUBLE, TEXT, BIGINT, BIGINT, BIGINT, DOUBLE][i]!),
      ),
      format: '',
    },
  ];
  const program = makeProgram({
    tables: TABLES,
    outputs,
    groups: [{ keys: [BIGINT], aggregates }],
    sorts: [
      {
        keys: [{ type: BIGINT, isDescending: false, isNullsFirst: true }],
        values: outputs[0]!.columns.map(({ type }) => type),
        output: -1,
      },
    ],
    coordinator: assemble(`
      route_all 0
      send
      group_open 0 0
      group_merge 0 0
      sort_open 0 0 -1
      group_first 0 sorted
      next:
      agg_result 12 0 0
      load_int 30 2
      gt_int 31 12 30
      jmp_not_true 31 skip
      group_key 11 0 0
      move_null 10 11
      agg_result 13 0 1
      agg_result 14 0 2
      agg_result 15 0 3
      agg_result 16 0 4
      agg_result 17 0 5
      agg_result 18 0 6
      agg_result 19 0 7
      agg_result 20 0 8
      agg_result 21 0 9
      sort_add 0 10
      skip:
      group_next 0 next
      sorted:
      out_open 0
      sort_first 0 10 done
      row:
      out_row 0 11
      sort_next 0 10 row
      done:
      out_close 0
      ret`),
    node: assemble(`
      group_open 0 0
      scan_open 0 0 end
      start:
      col_int32_null 1 0 1
      col_double_null 2 0 2
      col_ref_null 3 0 3
      col_int64_null 4 0 4
      group_find 0 1
      agg_count 0 0
      agg_add 0 1 2
      agg_add 0 2 4
      agg_add 0 3 2
      agg_add 0 4 1
      agg_add 0 5 3
      agg_add 0 6 4
      agg_add 0 7 3
      agg_add 0 8 1
      agg_add 0 9 2
      scan_next 0 start
      end:
      group_send 0 0
      ret`),
  });
  // b is about 2^60, so sums of 100 of them pass 64 bits: keep b small for the sum by inserting it modulo below.
  assert.throws(() => cluster.run(program), { code: 'overflow', message: 'sum(int) overflow' });
  const small = {
    ...program,
    node: assemble(
      program.node === undefined
        ? ''
        : `
      group_open 0 0
      scan_open 0 0 end
      start:
      col_int32_null 1 0 1
      col_double_null 2 0 2
      col_ref_null 3 0 3
      col_int64_null 4 0 4
      load_int 6 50
      guard1 5 4
      shr_int 5 4 6
      group_find 0 1
      agg_count 0 0
      agg_add 0 1 2
      agg_add 0 2 5
      agg_add 0 3 2
      agg_add 0 4 1
      agg_add 0 5 3
      agg_add 0 6 4
      agg_add 0 7 3
      agg_add 0 8 1
      agg_add 0 9 2
      scan_next 0 start
      end:
      group_send 0 0
      ret`,
    ),
  };
  const groups = Map.groupBy(ROWS, ([, k]) => k);
  const wanted = [...groups].map(([k, rows]) => {
    const xs = rows.flatMap(([, , x]) => (x === null ? [] : [x]));
    const names = rows.flatMap(([, , , s]) => (s === null ? [] : [s])).sort();
    const bs = rows.flatMap(([, , , , b]) => (b === null ? [] : [b]));
    const sum = xs.reduce((total, x) => total + x, 0);
    return [
      k,
      rows.length,
      xs.length,
      bs.length * 1024,
      xs.length === 0 ? null : sum,
      k,
      names[0] ?? null,
      bs.sort((a, b) => Number(b - a))[0],
      new Set(names).size,
      k,
      xs.length === 0 ? null : sum / xs.length,
    ];
  });
  wanted.sort((a, b) => Number(a[0] ?? -1) - Number(b[0] ?? -1));
  const text = JSON.stringify(wanted, (_, value: unknown) => (typeof value === 'bigint' ? `#${value}` : value))
    .replace(/"#(\d+)"/g, '$1')
    .replaceAll(',', ', ');
  assert.equal(cluster.run(small), text);
});

test('count without groups', () => {
  const program = makeProgram({
    tables: TABLES,
    groups: [
      { keys: [], aggregates: [{ kind: 'count', argument: 0 as typeof INT, isNullable: false, isDistinct: false }] },
    ],
    outputs: [{ columns: [column('count', BIGINT, false)], format: '' }],
    coordinator: assemble(
      'route_all 0\nsend\ngroup_open 0 0\ngroup_merge 0 0\nout_open 0\ngroup_first 0 end\nagg_result 1 0 0\nout_row 0 1\nend:\nout_close 0\nret',
    ),
    node: assemble('group_open 0 0\ntable_count 1 0\ngroup_count_add 0 0 1\ngroup_send 0 0\nret'),
  });
  assert.equal(cluster.run(program), '[10000]');
});

test('update and delete by collected rows; not-null is checked', () => {
  const update = makeProgram({
    isWrite: true,
    tables: TABLES,
    outputs: [{ columns: [column('id', BIGINT, false), column('k', BIGINT), column('s', TEXT)], format: '' }],
    updates: [{ table: 0, columns: [1, 3] }],
    ranges: [
      {
        table: 0,
        index: 1,
        equalRegister: 8,
        equalCount: 1,
        lowerRegister: -1,
        isLowerInclusive: false,
        upperRegister: -1,
        isUpperInclusive: false,
        isDescending: false,
        isOrdered: false,
      },
    ],
    coordinator: assemble('route_all 0\nsend\nreply_rows 0 -1 -1\nret'),
    node: assemble(`
      rows_clear 0
      param 8 0
      range_open 0 0 collected
      start:
      rows_add 0 0
      range_next 0 start
      collected:
      rows_open 0 0 end
      next:
      col_int32 1 0 1
      load_int 2 1000
      add_int 1 1 2
      param_null 2 1
      update 0 0 1
      col_int64 3 0 0
      col_int32_null 4 0 1
      col_ref_null 5 0 3
      send_row 0 3 0
      rows_next 0 0 next
      end:
      ret`),
  });
  const changed = ROWS.filter(([, k]) => k === 42);
  const run = (k: number, name: string | null): unknown[][] =>
    JSON.parse(
      cluster.run(update, {
        parameters: (parameters, text) => {
          parameters.setInt(0, k, 0n);
          if (name === null) parameters.setNull(1);
          else parameters.setRef(1, text(name), TEXT);
        },
      }),
    ) as unknown[][];
  const sorted = (rows: unknown[][]): unknown[][] => rows.sort((a, b) => Number(a[0]) - Number(b[0]));
  assert.deepEqual(
    sorted(run(42, 'changed')),
    changed.map(([id]) => [id, 1042, 'changed']),
  );
  assert.deepEqual(run(42, 'changed'), []);
  assert.deepEqual(
    sorted(run(1042, null)),
    changed.map(([id]) => [id, 2042, null]),
  );
  const remove = makeProgram({
    isWrite: true,
    tables: TABLES,
    points: POINT.points,
    outputs: [{ columns: ALL, format: '' }],
    coordinator: POINT.coordinator,
    node: assemble(`param 1 0\npoint_open 0 0 end\n${LOAD_ALL}\nsend_row 0 1 0\ndelete 0\nend:\nret`),
  });
  const id = (parameters: { setInt(index: number, num: number, big: bigint): void }): void =>
    parameters.setInt(0, 9998, 0n);
  assert.equal(cluster.run(remove, { parameters: id }), `[${jsonRow(ROWS[9998]!)}]`);
  assert.equal(cluster.run(remove, { parameters: id }), '[]');
});

test('upsert: the rows of a batch in order, with excluded values', () => {
  cluster.createTable(2, [ID, { name: 'v', type: INT, isNotNull: true }, { name: 's', type: TEXT }]);
  const upsert = makeProgram({
    isWrite: true,
    tables: [{ tableId: 2, name: 'public.t2' }],
    inserts: [{ table: 0, columns: [0, 1, 2] }],
    updates: [{ table: 0, columns: [1, 2] }],
    outputs: [
      {
        columns: [column('id', BIGINT, false), column('v', BIGINT, false), column('s', TEXT), column('row', BIGINT)],
        format: '',
      },
    ],
    coordinator: assemble('batch_values 0 0 0\nbatch_route 0 0\nsend\nreply_rows 0 -1 -1\nret'),
    node: assemble(`
      batch_open 0 0 end
      start:
      insert 0 0 conflict
      jmp done
      conflict:
      col_int32 1 0 1
      batch_col 2 0 1
      add_int 1 1 2
      batch_col 2 0 2
      update 0 0 1
      done:
      col_int64 3 0 0
      col_int32 4 0 1
      col_ref_null 5 0 2
      batch_ordinal 6 0
      send_row 0 3 0
      batch_next 0 start
      end:
      ret`),
  });
  const run = (rows: Parameters<typeof literalRows>[0]): unknown[][] =>
    JSON.parse(cluster.run(upsert, { rows: literalRows(rows) })) as unknown[][];
  const byOrdinal = (rows: unknown[][]): unknown[][] => rows.sort((a, b) => Number(a[3]) - Number(b[3]));
  assert.deepEqual(
    byOrdinal(
      run([
        [1, 10, 'a'],
        [2, 20, 'b'],
        [1, 5, 'c'],
      ]),
    ),
    [
      [1, 10, 'a', 0],
      [2, 20, 'b', 1],
      [1, 15, 'c', 2],
    ],
  );
  assert.deepEqual(
    byOrdinal(
      run([
        [2, 1, null],
        [3, 7, 'z'],
      ]),
    ),
    [
      [2, 21, null, 0],
      [3, 7, 'z', 1],
    ],
  );
  const nulls = {
    ...upsert,
    node: assemble('batch_open 0 0 end\ninsert 0 0 conflict\njmp end\nconflict:\nset_null 1\nupdate 0 0 1\nend:\nret'),
  };
  assert.throws(() => cluster.run(nulls, { rows: literalRows([[1, 1, 'a']]) }), { code: 'not_null_violation' });
  const conflict = {
    ...upsert,
    node: assemble(
      'batch_open 0 0 end\nstart:\ninsert 0 0 conflict\njmp next\nconflict:\nkey_conflict 0\nnext:\nbatch_next 0 start\nend:\nret',
    ),
  };
  assert.throws(
    () =>
      cluster.run(conflict, {
        rows: literalRows([
          [9, 1, 'a'],
          [3, 1, 'a'],
        ]),
      }),
    { code: 'key_conflict', row: 2 },
  );
});

test('batches made row by row in the head; generated rows; unlogged tables', () => {
  cluster.createTable(
    3,
    [
      { name: 'id', type: BIGINT, isIdentity: true },
      { name: 's', type: TEXT },
      { name: 'doc', type: JSON_TYPE },
    ],
    { isUnlogged: true },
  );
  const parts = {
    isWrite: true,
    tables: [{ tableId: 3, name: 'public.t3' }],
    inserts: [{ table: 0, columns: [1, 2] }],
    outputs: [{ columns: [column('id', BIGINT, false), column('s', TEXT), column('doc', JSON_TYPE)], format: '' }],
    constants: [
      { kind: 'text', value: 'from a constant' },
      { kind: 'json', value: '{"a": [1, 2.5, null]}' },
    ],
    node: assemble(`
      batch_open 0 0 end
      start:
      insert 0 0 end
      col_int64 1 0 0
      col_ref_null 2 0 1
      col_ref_null 3 0 2
      send_row 0 1 0
      batch_next 0 start
      end:
      ret`),
  } as const;
  const rows = makeProgram({
    ...parts,
    coordinator: assemble(
      'batch_new 0 0\nbatch_row 0\nconst 1 0\nbatch_set 0 1 1\nconst 2 1\nbatch_set_null 0 2 2\nbatch_row_end 0\nbatch_row 0\nset_null 2\nbatch_set_null 0 2 2\nbatch_row_end 0\nbatch_route 0 0\nsend\nreply_rows 0 -1 -1\nret',
    ),
  });
  const sorted = (reply: string): unknown[][] =>
    (JSON.parse(reply) as unknown[][]).sort((a, b) => Number(a[0]) - Number(b[0]));
  assert.deepEqual(sorted(cluster.run(rows)), [
    [0, 'from a constant', { a: [1, 2.5, null] }],
    [1, null, null],
  ]);
  assert.deepEqual(cluster.redoBytes, [0, 0]);
  const generated = makeProgram({
    ...parts,
    coordinator: assemble('load_int 1 300\nbatch_generate 0 0 1\nbatch_route 0 0\nsend\nreply_rows 0 -1 -1\nret'),
  });
  assert.deepEqual(
    sorted(cluster.run(generated)).map(([id]) => id),
    Array.from({ length: 300 }, (_, i) => i + 2),
  );
});

test('a failing head frees its batches', () => {
  const used = memory.usedPages();
  const failing = makeProgram({
    ...INSERT,
    coordinator: assemble('batch_values 0 0 0\nbatch_route 0 0\nbatch_new 1 0\nfail 0 0\nsend\nret'),
    failures: [{ code: 'zero_division', message: 'zero division' }],
  });
  assert.throws(() => cluster.run(failing, { rows: literalRows([[1_000_000, 1, 1, 'a', 1n]]) }), {
    code: 'zero_division',
  });
  assert.equal(memory.usedPages(), used);
  assert.throws(() => cluster.run(INSERT, { rows: literalRows([[1_000_000, 2n ** 40n, 1, 'a', 1n]]) }), {
    code: 'out_of_range',
  });
  assert.equal(memory.usedPages(), used);
});

test('a program without nodes; texts set as parameters live into the tail', () => {
  const local = makeProgram({
    isLocal: true,
    outputs: [{ columns: [column('a', BIGINT, false), column('b', TEXT, false)], format: '' }],
    constants: [{ kind: 'text', value: 'x' }],
    coordinator: assemble('load_int 1 1\nconst 2 0\nout_open 0\nout_row 0 1\nout_row 0 1\nout_close 0\nret'),
  });
  assert.equal(cluster.run(local), '[[1, "x"], [1, "x"]]');
  const kept = makeProgram({
    tables: TABLES,
    outputs: [{ columns: [column('b', TEXT, false)], format: '' }],
    constants: [{ kind: 'text', value: 'half ' }],
    coordinator: assemble(
      `const 1 0\nconcat 2 1 1\nset_param 3 2 ${TEXT}\nroute_all 0\nsend\nparam 5 3\nout_open 0\nout_row 0 5\nout_close 0\nret`,
    ),
    node: assemble('ret'),
  });
  assert.equal(cluster.run(kept), '["half half "]');
});
