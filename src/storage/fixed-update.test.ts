import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BIGINT, DATE, DOUBLE, FLOAT, INT, TEXT, TIMESTAMP, type TypeId } from '../types/type.ts';
import { FixedUpdate, updateFixed } from './fixed-update.ts';
import { Cases, column, index, newPartition, Rows, readValue, smallMemory, table, type Value } from './fixtures.ts';
import type { Partition } from './partition.ts';
import { encodeUpdate } from './redo.ts';
import { RedoBuffer } from './redo-buffer.ts';
import { UndoLog } from './undo.ts';
import { verify } from './verify.ts';

/** Values of each type at its edges; the doubles are floats too. */
const VALUES = new Map<TypeId, readonly Value[]>([
  [INT, [0n, -1n, 2n ** 31n - 1n, -(2n ** 31n)]],
  [DATE, [0n, 719_528n]],
  [BIGINT, [0n, -1n, 2n ** 32n, -(2n ** 53n), 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)]],
  [TIMESTAMP, [0n, 1_764_000_000_000_000n, -(2n ** 60n)]],
  [DOUBLE, [0, -0, 1.5, -3e200, Number.MIN_VALUE]],
  [FLOAT, [0, -0, 1.5, -(2 ** 100)]],
]);
const TYPES: readonly TypeId[] = [...VALUES.keys()];

function rowsOf(partition: Partition): Value[][] {
  const rows: Value[][] = [];
  for (let row = partition.nextLive(0); row >= 0; row = partition.nextLive(row + 1)) {
    rows.push(partition.table.columns.map((_, ordinal) => readValue(partition, row, ordinal)));
  }
  return rows;
}

function redoBytes(redo: RedoBuffer, partition: Partition): Uint8Array {
  const start = (redo.ref() & 0x3ffffff) << 4;
  return partition.u8[redo.ref() >>> 26]!.slice(start, start + redo.byteLength());
}

for (const keyType of [INT, BIGINT, TIMESTAMP]) {
  for (const id of [3, 0x10003]) {
    test(`it does what the general way does, key of type ${keyType}, partition ${id}`, () => {
      const cases = new Cases(keyType * 10 + id);
      const memory = smallMemory();
      const undo = new UndoLog(memory);
      const rows = new Rows(memory);
      const redo = new RedoBuffer(memory);
      const types = [...TYPES, ...TYPES];
      // Each type NOT NULL and nullable; the key stands last.
      const columns = [
        ...types.map((type, at) => column(`c${at}`, type, at < TYPES.length)),
        column('k', keyType, true),
      ];
      const definition = table(columns, [index(1, [types.length], { isPrimary: true })]);
      const value = (at: number): Value => {
        const isNull = at >= TYPES.length && cases.oneIn(3);
        return isNull ? null : cases.pick(VALUES.get(types[at]!)!);
      };
      const general = newPartition(memory, definition, id);
      const fixed = newPartition(memory, definition, id);
      const row = (key: bigint): Value[] => [...types.map((_, at) => value(at)), key];
      const first = [row(5n), row(-7n), row(2n ** 31n - 1n)];
      for (const partition of [general, fixed]) {
        first.forEach((_, at) => {
          partition.insertFromBatch(rows.batch(definition, first), at, undo);
        });
      }
      undo.release(undo.mark());
      for (let round = 0; round < 300; round++) {
        const set = types.map((_, at) => at).filter(() => cases.oneIn(3));
        if (set.length === 0) continue;
        const registers = rows.registers(
          set.map((at) => types[at]!),
          set.map(value),
        );
        const target = cases.below(3);
        const before = rowsOf(general);
        const mark = undo.mark();
        redo.begin();
        general.update(target, set, registers, 0, undo);
        encodeUpdate(redo, general, target, set);
        const expected = redoBytes(redo, general);
        redo.begin();
        updateFixed(FixedUpdate.of(fixed, set)!, fixed, target, registers, 0, undo, redo);
        assert.deepEqual(redoBytes(redo, fixed), expected);
        assert.deepEqual(rowsOf(fixed), rowsOf(general));
        if (cases.oneIn(2)) {
          undo.rollbackTo(mark);
          assert.deepEqual(rowsOf(fixed), before);
          assert.deepEqual(rowsOf(general), before);
        } else undo.release(undo.mark());
      }
      verify(fixed);
    });
  }
}

test('what needs the general way', () => {
  const memory = smallMemory();
  const columns = [column('k', INT, true), column('s', TEXT), column('i', INT), column('x', DOUBLE)];
  const byKey = newPartition(memory, table(columns, [index(1, [0], { isPrimary: true })]));
  assert.ok(FixedUpdate.of(byKey, [2, 3]) !== null);
  assert.equal(FixedUpdate.of(byKey, [1]), null, 'a value in the heap');
  assert.equal(FixedUpdate.of(byKey, [2, 1]), null, 'one of two in the heap');
  assert.equal(FixedUpdate.of(byKey, [0]), null, 'the key');
  const indexed = newPartition(memory, table(columns, [index(1, [0], { isPrimary: true }), index(2, [2])]));
  assert.equal(FixedUpdate.of(indexed, [2]), null, 'a column of an index');
  assert.ok(FixedUpdate.of(indexed, [3]) !== null);
  const long = newPartition(memory, table(columns, [index(1, [0, 2], { isPrimary: true })]));
  assert.equal(FixedUpdate.of(long, [3]), null, 'a key of two columns');
});
