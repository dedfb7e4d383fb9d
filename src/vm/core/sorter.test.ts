import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { Memory } from '../../base/memory.ts';
import { createRegisters } from '../../base/registers.ts';
import { Scratch } from '../../base/scratch.ts';
import { BIGINT, DOUBLE, TEXT } from '../../types/type.ts';
import { textOf } from './bytes.ts';
import { readInteger, writeInteger } from './integers.ts';
import { Sorter } from './sorter.ts';

const memory = Memory.create({ limitBytes: 256 << 20, eagerArenas: false });
const registers = createRegisters(8);
const scratch = new Scratch(memory);
const encoder = new TextEncoder();

type Row = readonly [bigint | null, string | null, number | null, number];
const INTEGERS = [
  null,
  0n,
  5n,
  -5n,
  2n ** 53n,
  2n ** 53n + 1n,
  2n ** 53n + 2n,
  2n ** 63n - 1n,
  -(2n ** 63n),
  -(2n ** 53n) - 1n,
];
const TEXTS = [null, '', 'a', 'abcdef', 'abcdefg', 'abcdefh', 'abcde', 'b', 'ä', '😀'];
const DOUBLES = [null, 0, 1.5, -1e9, 1e300];

const rows: Row[] = [];
let seed = 42;
function random(below: number): number {
  seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
  return (seed >>> 8) % below;
}
for (let i = 0; i < 3000; i++) rows.push([INTEGERS[random(10)]!, TEXTS[random(10)]!, DOUBLES[random(5)]!, i]);

function load([integer, text, double, ordinal]: Row): void {
  registers.nul[0] = integer === null ? 1 : 0;
  registers.nul[1] = text === null ? 1 : 0;
  registers.nul[2] = double === null ? 1 : 0;
  if (integer !== null) writeInteger(registers.num, registers.big, 0, integer);
  if (text !== null) registers.num[1] = scratch.text(encoder.encode(text));
  if (double !== null) registers.num[2] = double;
  registers.num[3] = ordinal;
}

function read(sorter: Sorter): Row[] {
  const found: Row[] = [];
  for (let hasRow = sorter.first(); hasRow; hasRow = sorter.next()) {
    sorter.load(registers, 0);
    const { num, big, nul } = registers;
    found.push([
      nul[0] ? null : readInteger(num, big, 0),
      nul[1] ? null : textOf(memory, num[1]!),
      nul[2] ? null : num[2]!,
      num[3]!,
    ]);
  }
  return found;
}

function compareValues(
  left: bigint | string | number | null,
  right: bigint | string | number | null,
  isDescending: boolean,
  isNullsFirst: boolean,
): number {
  if (left === null || right === null) return left === right ? 0 : (left === null) === isNullsFirst ? -1 : 1;
  const order =
    typeof left === 'string' || typeof right === 'string'
      ? Buffer.compare(encoder.encode(String(left)), encoder.encode(String(right)))
      : left < right
        ? -1
        : left > right
          ? 1
          : 0;
  return isDescending ? -order : order;
}

test('rows come in the order of their keys, all or the first k', () => {
  for (let flags = 0; flags < 16; flags++) {
    const orders = [
      [(flags & 1) !== 0, (flags & 2) !== 0],
      [(flags & 4) !== 0, (flags & 8) !== 0],
      [(flags & 8) !== 0, (flags & 1) !== 0],
      [(flags & 2) !== 0, false],
    ] as const;
    // The ordinal is the last key, so the order is total.
    const wanted = rows.toSorted((a, b) => {
      for (const [i, [isDescending, isNullsFirst]] of orders.entries()) {
        const order = compareValues(a[i]!, b[i]!, isDescending, isNullsFirst);
        if (order !== 0) return order;
      }
      return 0;
    });
    const keys = orders.map(([isDescending, isNullsFirst], i) => ({
      type: [BIGINT, TEXT, DOUBLE, BIGINT][i]!,
      isDescending,
      isNullsFirst,
    }));
    for (const limit of flags === 5 ? [-1, 0, 1, 2, 7, 100, 2999, 3000, 5000] : [-1, 50]) {
      const workspace = new Scratch(memory);
      const sorter = new Sorter({ keys, values: [], output: -1 }, limit >= 0, memory, workspace);
      sorter.open(limit);
      for (const row of rows) {
        load(row);
        sorter.add(registers, 0);
        scratch.reset();
      }
      assert.deepEqual(read(sorter), limit < 0 ? wanted : wanted.slice(0, limit), `flags ${flags} limit ${limit}`);
      if (flags === 5) {
        sorter.skip(3);
        assert.deepEqual(read(sorter), (limit < 0 ? wanted : wanted.slice(0, limit)).slice(3));
      }
      workspace.dispose();
    }
  }
});

test('texts that are replaced in a top list use their places again', () => {
  const workspace = new Scratch(memory);
  const sorter = new Sorter(
    { keys: [{ type: BIGINT, isDescending: false, isNullsFirst: true }], values: [TEXT], output: -1 },
    true,
    memory,
    workspace,
  );
  const used = memory.usedPages();
  sorter.open(10);
  registers.nul.fill(0);
  for (let i = 100_000; i > 0; i--) {
    registers.num[0] = i;
    registers.num[1] = scratch.text(encoder.encode(`text number ${i}`));
    sorter.add(registers, 0);
    scratch.reset();
  }
  assert.ok(memory.usedPages() - used < 4);
  assert.ok(sorter.first());
  sorter.load(registers, 0);
  assert.deepEqual([registers.num[0], textOf(memory, registers.num[1]!)], [1, 'text number 1']);
});

test('a row that isBeyond sends away would not have been kept', () => {
  for (const isDescending of [false, true]) {
    for (const isNullsFirst of [false, true]) {
      const sorter = new Sorter(
        { keys: [{ type: BIGINT, isDescending, isNullsFirst }], values: [BIGINT], output: -1 },
        true,
        memory,
        scratch,
      );
      const all = new Sorter(sorter.spec, true, memory, scratch);
      sorter.open(7);
      all.open(7);
      let sentAway = 0;
      for (const [integer, , , ordinal] of rows) {
        load([integer, null, null, ordinal]);
        registers.nul[1] = 0;
        registers.num[1] = ordinal;
        all.add(registers, 0);
        if (sorter.isBeyond(registers, 0)) sentAway++;
        else sorter.add(registers, 0);
      }
      assert.ok(sentAway > rows.length / 2);
      for (let has = all.first(), hasToo = sorter.first(); has; has = all.next(), hasToo = sorter.next()) {
        assert.ok(hasToo);
        all.load(registers, 0);
        sorter.load(registers, 2);
        assert.equal(registers.nul[2], registers.nul[0]);
        if (registers.nul[0] === 0) {
          assert.equal(readInteger(registers.num, registers.big, 2), readInteger(registers.num, registers.big, 0));
        }
      }
    }
  }
});
