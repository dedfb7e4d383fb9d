/** Sets of literals against exact comparison by BigInt, and lists that lie in a program. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Memory } from '../../base/memory.ts';
import { createRegisters } from '../../base/registers.ts';
import { Scratch } from '../../base/scratch.ts';
import { setBig } from '../../types/int64.ts';
import { BIGINT, DOUBLE, TEXT, type TypeId } from '../../types/type.ts';
import { LiteralSet } from './literal-set.ts';

const memory = Memory.create({ limitBytes: 64 << 20, eagerArenas: false });
const registers = createRegisters(4);
const scratch = new Scratch(memory);

type Value = bigint | number | string;

function load(value: Value, register: number): TypeId {
  if (typeof value === 'bigint') {
    setBig(registers, register, value);
    return BIGINT;
  }
  registers.num[register] = typeof value === 'number' ? value : scratch.text(new TextEncoder().encode(value));
  return typeof value === 'number' ? DOUBLE : TEXT;
}

function setOf(type: TypeId, values: readonly Value[]): LiteralSet {
  const set = new LiteralSet(type, memory, new Scratch(memory));
  for (const value of values) set.add(registers, 1, load(value, 1));
  return set;
}

function has(set: LiteralSet, value: Value): boolean {
  load(value, 2);
  return set.has(registers, 2);
}

/** Equality as the numbers are, not as one of them would be in the other's type. */
function isEqual(a: bigint | number, b: bigint | number): boolean {
  // biome-ignore lint/suspicious/noDoubleEquals: an int and a double are compared exactly by ==
  return a == b;
}

const INTS = [0n, 1n, -1n, 7n];
for (const power of [31n, 32n, 52n, 53n, 54n, 62n, 63n])
  for (const offset of [-2n, -1n, 0n, 1n, 2n])
    for (const sign of [1n, -1n]) {
      const value = sign * ((1n << power) + offset);
      if (value >= -(1n << 63n) && value < 1n << 63n) INTS.push(value);
    }
const DOUBLES = [0, -0, 0.5, 1.5, 7, 1e300, -1e300, 2 ** 63, -(2 ** 63), 2 ** 64, ...INTS.map(Number)];

test('integers and doubles are in a set exactly where they are equal', () => {
  for (const [type, probes] of [
    [BIGINT, INTS],
    [DOUBLE, DOUBLES],
  ] as const)
    for (const item of [...INTS, ...DOUBLES]) {
      const set = setOf(type, [item]);
      for (const probe of probes) assert.equal(has(set, probe), isEqual(probe, item), `${probe} in (${item})`);
    }
});

test('texts are in a set by their bytes, and equal values are in it once', () => {
  const set = setOf(TEXT, ['a', 'b', '', 'ä', 'x'.repeat(1000), 'a']);
  assert.equal(set.count, 5);
  for (const value of ['a', 'b', '', 'ä', 'x'.repeat(1000)]) assert.ok(has(set, value), value);
  for (const value of ['A', 'aa', 'a\u0308', 'x'.repeat(999), ' ']) assert.ok(!has(set, value), value);
});

test('a list of literals is added whole, and its values can be walked', () => {
  const set = new LiteralSet(BIGINT, memory, new Scratch(memory));
  set.addList(
    {
      kind: 'list',
      ints: [1, 2, 2, '9223372036854775807', '-9007199254740993'],
      doubles: [2, 3, 3.5, 2 ** 53],
      texts: [],
    },
    registers,
    1,
    scratch,
  );
  const values = Array.from({ length: set.count }, (_, ordinal) => {
    set.load(ordinal, registers, 3);
    return Number.isNaN(registers.num[3]) ? registers.big[3] : BigInt(registers.num[3]!);
  });
  assert.deepEqual(values, [1n, 2n, 9223372036854775807n, -9007199254740993n, 3n, 9007199254740992n]);
});

test('a large set finds what is in it and nothing else, and is empty again when cleared', () => {
  const set = new LiteralSet(BIGINT, memory, new Scratch(memory));
  const ints = Array.from({ length: 100_000 }, (_, n) => n * 3);
  set.addList({ kind: 'list', ints, doubles: [], texts: [] }, registers, 1, scratch);
  for (let n = 0; n < 300_000; n += 7) assert.equal(has(set, BigInt(n)), n % 3 === 0);
  set.clear();
  assert.equal(set.count, 0);
  assert.ok(!has(set, 3n));
});
