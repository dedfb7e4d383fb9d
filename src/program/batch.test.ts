import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { SqlError } from '../base/errors.ts';
import { murmur3Bytes, murmur3Int64 } from '../base/murmur3.ts';
import type { TableDefinition } from '../catalog/catalog.ts';
import { timeZone } from '../types/time-zone.ts';
import {
  BIGINT,
  BOOL,
  DOUBLE,
  FLOAT,
  INT,
  JSON_TYPE,
  SMALLINT,
  TEXT,
  TIMESTAMP,
  TINYINT,
  type TypeId,
} from '../types/type.ts';
import { BatchReader, freeBatch } from './batch.ts';
import { BatchBuilder } from './batch-builder.ts';
import { batchRows, column, table, testMemory } from './testing/table.ts';

const memory = testMemory();
const builder = new BatchBuilder(memory);
const encoder = new TextEncoder();

/** Builds a batch, gives its rows, frees it. */
function build(definition: TableDefinition, fill: () => void): unknown[][] {
  builder.begin(definition, definition.columns.keys().toArray());
  try {
    fill();
  } catch (error) {
    builder.release();
    throw error;
  }
  builder.route();
  const ref = builder.finish();
  const reader = new BatchReader(memory);
  reader.open(ref);
  const rows = batchRows(memory, definition, reader);
  freeBatch(memory, ref);
  return rows;
}

function row(set: () => unknown): void {
  builder.beginRow();
  set();
  builder.endRow();
}

function text(at: number, value: string): void {
  const bytes = encoder.encode(value);
  builder.setTextBytes(at, bytes, 0, bytes.length);
}

function int(at: number, value: bigint): void {
  const isExact = value >= -(2n ** 53n) && value <= 2n ** 53n;
  builder.setInt(at, isExact ? Number(value) : Number.NaN, value);
}

type Setter = (at: number) => void;

/** One value into a column of that type, beside a key; the stored value or the error. */
function store(type: TypeId, set: Setter): unknown {
  const definition = table(memory, [column('id', BIGINT), column('a', type)]);
  try {
    return build(definition, () => {
      row(() => builder.setInt(0, 1, 0n));
      row(() => {
        builder.setInt(0, 2, 0n);
        set(1);
      });
    })[1]![1];
  } catch (error) {
    assert(error instanceof SqlError);
    return `${error.code}: ${error.message}`;
  }
}

describe('conversion to the column type', () => {
  const setInt =
    (value: bigint): Setter =>
    (at) =>
      int(at, value);
  const setDouble =
    (value: number): Setter =>
    (at) =>
      builder.setDouble(at, value);
  const setText =
    (value: string): Setter =>
    (at) =>
      text(at, value);
  const prefix = "row 2, column 'a': ";
  const cases: [TypeId, Setter, unknown][] = [
    [TINYINT, setInt(-128n), -128n],
    [TINYINT, setInt(128n), `out_of_range: ${prefix}the int 128 does not fit tinyint`],
    [SMALLINT, setInt(32767n), 32767n],
    [SMALLINT, setInt(-32769n), `out_of_range: ${prefix}the int -32769 does not fit smallint`],
    [INT, setInt(-2147483648n), -2147483648n],
    [INT, setInt(2147483648n), `out_of_range: ${prefix}the int 2147483648 does not fit int`],
    [INT, setInt(2n ** 63n - 1n), `out_of_range: ${prefix}the int 9223372036854775807 does not fit int`],
    [BIGINT, setInt(2n ** 53n), 2n ** 53n],
    [BIGINT, setInt(2n ** 53n + 1n), 2n ** 53n + 1n],
    [BIGINT, setInt(-(2n ** 53n) - 1n), -(2n ** 53n) - 1n],
    [BIGINT, setInt(-1n), -1n],
    [BIGINT, setInt(-4294967296n), -4294967296n],
    [BIGINT, setInt(2n ** 63n - 1n), 2n ** 63n - 1n],
    [BIGINT, setInt(-(2n ** 63n)), -(2n ** 63n)],
    [DOUBLE, setInt(5n), 5],
    [DOUBLE, setInt(2n ** 53n), 9007199254740992],
    [DOUBLE, setInt(2n ** 53n + 1n), `out_of_range: ${prefix}the int 9007199254740993 is not exact as double`],
    [DOUBLE, setInt(2n ** 62n), 2 ** 62],
    [FLOAT, setDouble(0.1), Math.fround(0.1)],
    [FLOAT, setDouble(1e39), `out_of_range: ${prefix}the double 1e+39 does not fit float`],
    [INT, setDouble(7), 7n],
    [INT, setDouble(-0), 0n],
    [INT, setDouble(7.5), `invalid_value: ${prefix}the double 7.5 has a fraction and does not fit int`],
    [BIGINT, setDouble(-(2 ** 63)), -(2n ** 63n)],
    [BIGINT, setDouble(2 ** 63), `out_of_range: ${prefix}the double 9223372036854776000 does not fit bigint`],
    [BIGINT, setDouble(2 ** 60), 2n ** 60n],
    [BOOL, (at) => builder.setBool(at, true), 1n],
    [BOOL, setInt(1n), `type_mismatch: ${prefix}a value of type int does not go into a column of type bool`],
    [
      INT,
      (at) => builder.setBool(at, true),
      `type_mismatch: ${prefix}a value of type bool does not go into a column of type int`,
    ],
    [INT, setText('1'), `type_mismatch: ${prefix}a value of type string does not go into a column of type int`],
    [TEXT, setText('žluť'), 'žluť'],
    [TEXT, setText(''), ''],
    [TEXT, setText('x'.repeat(50_000)), 'x'.repeat(50_000)],
    [TEXT, setInt(1n), `type_mismatch: ${prefix}a value of type int does not go into a column of type text`],
    [TIMESTAMP, setText('1970-01-01 00:00:01Z'), 1000000n],
    [TIMESTAMP, setText('9999-12-31 23:59:59.999999Z'), 253402300799999999n],
    [
      TIMESTAMP,
      setText('yesterday'),
      `invalid_value: ${prefix}invalid timestamp 'yesterday' at 0: expected a year of four digits`,
    ],
    [TIMESTAMP, setInt(0n), `type_mismatch: ${prefix}a value of type int does not go into a column of type timestamp`],
    [JSON_TYPE, setInt(2n ** 63n - 1n), '9223372036854775807'],
    [JSON_TYPE, setDouble(1.5), '1.5'],
    [JSON_TYPE, (at) => builder.setBool(at, false), 'false'],
    [JSON_TYPE, setText('{"a":1}'), '"{\\"a\\":1}"'],
    [JSON_TYPE, (at) => builder.setJsonTextBytes(at, encoder.encode('{"a":[1,2]}'), 0, 11), '{"a": [1, 2]}'],
    [
      JSON_TYPE,
      (at) => builder.setJsonTextBytes(at, encoder.encode('[1,]'), 0, 4),
      `invalid_json: ${prefix}invalid JSON at offset 3: expected a value but found ']'`,
    ],
    [INT, (at) => builder.setNull(at), null],
  ]; // prettier-ignore
  for (const [type, set, expected] of cases) {
    it(`${type} ${String(expected).slice(0, 60)}`, () => assert.equal(store(type, set), expected));
  }
});

describe('columns that are left unset', () => {
  it('get identity, random, default or NULL', () => {
    const definition = table(memory, [
      column('id', BIGINT, { isIdentity: true }),
      column('r', INT, { randomModulo: '10' }),
      column('big', BIGINT, { randomModulo: String(2n ** 60n) }),
      column('any', BIGINT, { randomModulo: String(2n ** 63n) }),
      column('n', BIGINT, { defaultValue: { kind: 'int', value: '-9223372036854775808' } }),
      column('d', DOUBLE, { defaultValue: { kind: 'double', value: 0.5 } }),
      column('b', BOOL, { defaultValue: { kind: 'bool', value: true } }),
      column('s', TEXT, { defaultValue: { kind: 'text', value: 'none' } }),
      column('j', JSON_TYPE, { defaultValue: { kind: 'json', value: '{"k": [1]}' } }),
      column('x', INT),
    ]);
    const rows = build(definition, () => builder.generate(1000));
    assert.equal(rows.length, 1000);
    rows.forEach(([id, r, big, any, ...rest], index) => {
      assert.equal(id, BigInt(index));
      assert(typeof r === 'bigint' && r >= 0n && r < 10n);
      assert(typeof big === 'bigint' && big >= 0n && big < 2n ** 60n);
      assert(typeof any === 'bigint' && any >= 0n);
      assert.deepEqual(rest, [-(2n ** 63n), 0.5, 1n, 'none', '{"k": [1]}', null]);
    });
    assert(new Set(rows.map((values) => values[1])).size === 10);
    assert(new Set(rows.map((values) => values[3])).size === 1000);
  });

  it('are refused where the column is NOT NULL or of the key', () => {
    const definition = table(memory, [column('id', INT), column('a', INT, { isNotNull: true })]);
    assert.throws(() => build(definition, () => row(() => int(1, 1n))), {
      code: 'not_null_violation',
      message: "row 1, column 'id': the column cannot be NULL",
    });
    assert.throws(() => build(definition, () => row(() => [int(0, 1n), builder.setNull(1)])), {
      code: 'not_null_violation',
      message: "row 1, column 'a': the column cannot be NULL",
    });
  });

  it('DEFAULT is the same as leaving out', () => {
    const definition = table(memory, [
      column('id', INT),
      column('a', INT, { defaultValue: { kind: 'int', value: '7' } }),
    ]);
    assert.deepEqual(
      build(definition, () => row(() => [int(0, 1n), builder.setDefault(1)])),
      [[1n, 7n]],
    );
  });
});

describe('identity', () => {
  const definition = table(memory, [column('id', BIGINT, { isIdentity: true }), column('v', INT)]);
  const counterIndex = (definition.identityRef & 0x3ffffff) << 1;
  const counter = memory.big[0]!;

  function ids(supplied: readonly (bigint | undefined)[], expected: number): unknown[] {
    return build(definition, () => {
      builder.expectRows(expected);
      for (const value of supplied) row(() => value !== undefined && int(0, value));
    }).map((values) => values[0]);
  }

  it('supplied values move the counter past them', () => {
    counter[counterIndex] = 0n;
    assert.deepEqual(ids([undefined, 10n, undefined, 5n, undefined, -3n], 6), [0n, 10n, 11n, 5n, 12n, -3n]);
    assert.deepEqual(ids([undefined], 1), [13n]);
  });

  it('a reserved block that is not used up is given back', () => {
    counter[counterIndex] = 0n;
    assert.deepEqual(ids([undefined, undefined], 100), [0n, 1n]);
    assert.deepEqual(ids([undefined], 1), [2n]);
    assert.deepEqual(ids(new Array(100).fill(undefined), 0).at(-1), 102n);
    assert.equal(counter[counterIndex], 103n);
  });

  it('goes on exactly beyond 2^53 and ends at 2^63 - 1', () => {
    counter[counterIndex] = 2n ** 53n - 1n;
    assert.deepEqual(ids([undefined, undefined, undefined], 3), [2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n]);
    assert.deepEqual(ids([2n ** 63n - 2n, undefined], 1), [2n ** 63n - 2n, 2n ** 63n - 1n]);
    for (let i = 0; i < 2; i++) {
      assert.throws(() => ids([undefined], 1), { code: 'out_of_range' });
    }
    counter[counterIndex] = 0n;
  });

  it('must fit an int column', () => {
    const narrow = table(memory, [column('id', INT, { isIdentity: true })]);
    memory.big[0]![(narrow.identityRef & 0x3ffffff) << 1] = 2147483647n;
    assert.throws(() => build(narrow, () => builder.generate(2)), {
      message: "row 2, column 'id': the generated value does not fit int",
    });
  });
});

describe('routing', () => {
  it('writes the partition of every row, the next row of its node, and the nodes', () => {
    const definition = table(memory, [column('a', BIGINT), column('b', TEXT)], 2, 64);
    builder.begin(definition, [0, 1]);
    for (let i = 0; i < 5000; i++) {
      row(() => {
        builder.setInt(0, i, 0n);
        text(1, `key ${i}`);
      });
    }
    builder.route();
    const [low, high] = [builder.maskLow, builder.maskHigh];
    const ref = builder.finish();
    const reader = new BatchReader(memory);
    reader.open(ref);
    assert.equal(reader.tableId, 7);
    // Backwards, so that seeking across pages is tried too.
    for (let i = 4999; i >= 0; i--) {
      const key = encoder.encode(`key ${i}`);
      const hash = murmur3Bytes(key, 0, key.length, murmur3Int64(i, 0, 0)) >>> 0;
      const slot = hash % 8096;
      const ordinal = reader.partitionOrdinal(i);
      assert(definition.partitions[ordinal]!.slotFirst <= slot && slot < definition.partitions[ordinal]!.slotEnd);
    }
    assert.deepEqual([low, high], [-1, -1]);
    // Each node meets all its rows by going on where nextOfNode says, to the next one of its own.
    const nodeOf = (i: number): number => definition.partitions[reader.partitionOrdinal(i)]!.node;
    const rowsOf = Map.groupBy(Array(5000).keys(), nodeOf);
    for (const [node, rows] of rowsOf) {
      const met: number[] = [];
      for (let i = 0; i < 5000; i = reader.nextOfNode(i)) {
        while (i < 5000 && nodeOf(i) !== node) i++;
        if (i === 5000) break;
        met.push(i);
      }
      assert.deepEqual(met, rows);
    }
    freeBatch(memory, ref);
  });

  it('one row, one node', () => {
    const definition = table(memory, [column('a', BIGINT)], 1, 4);
    build(definition, () => row(() => int(0, 5n)));
    const ordinal = Math.floor(((murmur3Int64(5, 0, 0) >>> 0) % 8096) / 2024);
    assert.deepEqual([builder.maskLow, builder.maskHigh], [1 << ordinal, 0]);
  });
});

describe('batches', () => {
  it('keep every value, at any number of columns and rows', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 70 }),
        fc.array(fc.array(fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })), { maxLength: 70 }), {
          maxLength: 60,
        }),
        (width, values) => {
          const columns = [column('id', BIGINT), ...Array.from({ length: width }, (_, i) => column(`c${i}`, BIGINT))];
          const definition = table(memory, columns);
          const rows = build(definition, () => {
            for (const [index, cells] of values.entries()) {
              builder.beginRow();
              builder.setInt(0, index, 0n);
              for (const [at, value] of cells.slice(0, width).entries()) {
                if (value === null) builder.setNull(at + 1);
                else int(at + 1, value);
              }
              builder.endRow();
            }
          });
          const expected = values.map((cells, index) => [
            BigInt(index),
            ...Array.from({ length: width }, (_, at) => cells[at] ?? null),
          ]);
          assert.deepEqual(rows, expected);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('give all pages back, after errors and at the memory limit too', () => {
    const small = testMemory(64 * 16384);
    const limited = new BatchBuilder(small);
    const definition = table(small, [column('id', BIGINT, { isIdentity: true }), column('s', TEXT)]);
    const before = small.usedPages();
    const bytes = encoder.encode('y'.repeat(100_000));
    for (let attempt = 0; attempt < 3; attempt++) {
      limited.begin(definition, [1]);
      const fill = (): void => {
        for (;;) {
          limited.beginRow();
          limited.setTextBytes(1, bytes, 0, bytes.length);
          limited.endRow();
        }
      };
      assert.throws(fill, { code: 'out_of_memory' });
      limited.release();
      assert.equal(small.usedPages(), before);
    }
  });

  it('take timestamps without offset in their time zone', () => {
    const definition = table(memory, [column('id', INT), column('at', TIMESTAMP)]);
    builder.timeZone = timeZone('Europe/Berlin');
    const rows = build(definition, () => row(() => [int(0, 1n), text(1, '2024-07-01 12:00')]));
    builder.timeZone = timeZone('UTC');
    assert.equal(rows[0]![1], BigInt(Date.UTC(2024, 6, 1, 10)) * 1000n);
  });
});
