import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { Memory } from '../../base/memory.ts';
import { Parameters } from '../../program/parameters.ts';
import { BareVm } from '../testing/bare-vm.ts';
import { textOf } from './bytes.ts';
import { readInteger, writeInteger } from './integers.ts';

const memory = Memory.create({ limitBytes: 64 << 20, eagerArenas: false });
const vm = new BareVm(memory);
const parameters = new Parameters(memory);
parameters.at(vm.page >>> 16, (vm.page & 0xffff) << 14);

/** Runs the code with a register 9 that tells whether the jump was taken. */
function jumps(condition: string): boolean {
  vm.assemble(`${condition}\nload_int 9 0\nret\nyes:\nload_int 9 1`);
  return vm.num[9] === 1;
}

test('jumps on truth and NULL', () => {
  const cases: [string, string, boolean][] = [
    ['load_int 0 1', 'jmp_true 0 yes', true],
    ['load_int 0 0', 'jmp_true 0 yes', false],
    ['load_int 0 -3', 'jmp_true 0 yes', true],
    ['load_int 0 0', 'jmp_false 0 yes', true],
    ['load_int 0 2', 'jmp_false 0 yes', false],
    ['load_int 0 0', 'jmp_not_true 0 yes', true],
    ['load_int 0 1', 'jmp_not_true 0 yes', false],
    ['load_int 0 1\nset_null 0', 'jmp_not_true 0 yes', true],
    ['set_null 0', 'jmp_null 0 yes', true],
    ['clear_null 0', 'jmp_null 0 yes', false],
    ['set_null 0', 'jmp_not_null 0 yes', false],
    ['clear_null 0', 'jmp_not_null 0 yes', true],
    ['load_int 0 5', 'jmp yes', true],
    ['load_int 0 0', 'jmp_zero_or_less 0 yes', true],
    ['load_int 0 -1', 'jmp_zero_or_less 0 yes', true],
    ['load_int 0 1', 'jmp_zero_or_less 0 yes', false],
    ['load_int 0 2', 'count_down 0 yes', false],
    ['load_int 0 1', 'count_down 0 yes', true],
  ];
  for (const [setup, jump, isTaken] of cases) assert.equal(jumps(`${setup}\n${jump}`), isTaken, `${setup}; ${jump}`);
});

test('jumps on comparisons of numbers, exact beyond 2^53', () => {
  const two53 = 2n ** 53n;
  const integers = [0n, 5n, -5n, two53, two53 + 1n, -two53 - 1n, 2n ** 63n - 1n, -(2n ** 63n)];
  const holds: [string, (left: bigint, right: bigint) => boolean][] = [
    ['eq', (left, right) => left === right],
    ['ne', (left, right) => left !== right],
    ['lt', (left, right) => left < right],
    ['le', (left, right) => left <= right],
    ['gt', (left, right) => left > right],
    ['ge', (left, right) => left >= right],
  ];
  for (const [name, compare] of holds) {
    for (const left of integers) {
      for (const right of integers) {
        writeInteger(vm.num, vm.big, 0, left);
        writeInteger(vm.num, vm.big, 1, right);
        assert.equal(jumps(`jmp_unless_${name} 0 1 yes`), !compare(left, right), `${left} ${name} ${right}`);
      }
    }
    vm.num[0] = 1.5;
    vm.num[1] = 1.25;
    assert.equal(jumps(`jmp_unless_${name} 0 1 yes`), !compare(6n, 5n), name);
  }
});

test('guards skip the next instruction when an operand is NULL', () => {
  for (const [nulls, guard] of [
    [[1], 'guard1 0 1'],
    [[2], 'guard2 0 1 2'],
    [[3], 'guard_n 0 1 3'],
  ] as [number[], string][]) {
    vm.assemble(`load_int 5 1\n${guard}\nload_int 5 2`);
    assert.deepEqual([vm.nul[0], vm.num[5]], [0, 2], guard);
    vm.assemble(`load_int 5 1\nset_null ${nulls[0]}\n${guard}\nload_int 5 2`);
    assert.deepEqual([vm.nul[0], vm.num[5]], [1, 1], guard);
  }
});

test('registers are not NULL at the start of a section', () => {
  vm.assemble('set_null 7');
  vm.assemble('is_null 0 7\nis_not_null 1 7');
  assert.deepEqual([vm.num[0], vm.num[1]], [0, 1]);
});

test('constants of every kind', () => {
  const constants = [
    { kind: 'int', value: '9223372036854775807' },
    { kind: 'double', value: 0.1 },
    { kind: 'text', value: 'Grüße' },
    { kind: 'bool', value: true },
    { kind: 'timestamp', value: '-62135596800000000' },
  ] as const;
  vm.assemble('const 0 0\nconst 1 1\nconst 2 2\nconst 3 3\nconst 4 4\nmove 5 0\nset_null 0\nmove_null 6 0', {
    constants,
  });
  assert.equal(readInteger(vm.num, vm.big, 0), 9223372036854775807n);
  assert.equal(readInteger(vm.num, vm.big, 5), 9223372036854775807n);
  assert.deepEqual([readInteger(vm.num, vm.big, 6), vm.nul[6]], [9223372036854775807n, 1]);
  assert.deepEqual([vm.num[1], textOf(memory, vm.num[2]!), vm.num[3]], [0.1, 'Grüße', 1]);
  assert.equal(readInteger(vm.num, vm.big, 4), -62135596800000000n);
});

test('parameters are read and set', () => {
  const values = [
    0n,
    -1n,
    2n ** 31n,
    -(2n ** 31n) - 1n,
    2n ** 53n,
    2n ** 53n + 1n,
    -(2n ** 53n),
    -(2n ** 53n) - 1n,
    2n ** 63n - 1n,
    -(2n ** 63n),
  ];
  for (const value of values) {
    const isExact = value >= -(2n ** 53n) && value <= 2n ** 53n;
    parameters.setInt(3, isExact ? Number(value) : Number.NaN, value);
    vm.assemble('param 0 3\nset_param 4 0 5\nparam_null 1 4\nset_null 0\nset_param_null 5 0 5\nparam_null 2 5');
    assert.equal(readInteger(vm.num, vm.big, 0), value);
    assert.equal(readInteger(vm.num, vm.big, 1), value);
    assert.deepEqual([vm.nul[1], vm.nul[2]], [0, 1]);
  }
  parameters.setDouble(3, -1.25);
  vm.assemble('param 0 3\nset_param 4 0 7\nparam 1 4');
  assert.equal(vm.num[1], -1.25);
  parameters.setNull(3);
  vm.assemble('param_null 0 3');
  assert.equal(vm.nul[0], 1);
  parameters.setRef(3, vm.workspace.text(new TextEncoder().encode('kept')), 8);
  vm.assemble('param 0 3\nset_param 4 0 8\nparam 1 4');
  assert.equal(textOf(memory, vm.num[1]!), 'kept');
});

test('fail raises the error of its spec', () => {
  const failures = [{ code: 'not_null_violation', message: "column 'a' cannot be NULL" }] as const;
  assert.throws(() => vm.assemble('fail 0 0', { failures }), {
    code: 'not_null_violation',
    message: "column 'a' cannot be NULL",
  });
});

test('now is the transaction time', () => {
  vm.assemble('now 0');
  assert.equal(vm.num[0], 1_700_000_000_000_000);
});
