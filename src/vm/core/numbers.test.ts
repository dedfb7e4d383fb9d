import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { SqlError } from '../../base/errors.ts';
import { Memory } from '../../base/memory.ts';
import { BareVm } from '../testing/bare-vm.ts';
import { integerText, readInteger, writeInteger } from './integers.ts';

const memory = Memory.create({ limitBytes: 64 << 20, eagerArenas: false });
const vm = new BareVm(memory);

const MIN = -(2n ** 63n);
const MAX = 2n ** 63n - 1n;
const E53 = 2n ** 53n;
const EDGES = [0n, 1n, -1n, 2n, 3n, -7n, 63n, 64n, 2n ** 31n, -(2n ** 31n), 2n ** 31n - 1n, 2n ** 32n, 10n ** 15n + 7n];
for (const edge of [E53, -E53, MIN, MAX]) for (const delta of [-2n, -1n, 0n, 1n, 2n]) EDGES.push(edge + delta);
const INTEGERS = EDGES.filter((value) => value >= MIN && value <= MAX);

/** Runs `op` over integer registers 1 and 2 into 0; the result or the code of the error. */
function integer(op: string, left: bigint, right: bigint): bigint | string {
  writeInteger(vm.num, vm.big, 1, left);
  writeInteger(vm.num, vm.big, 2, right);
  vm.num[0] = 12345;
  return outcome(`${op} 0 1 ${op === 'neg_int' || op === 'not_int' ? 0 : 2}`);
}

function outcome(source: string): bigint | string {
  try {
    vm.assemble(source);
  } catch (error) {
    assert.ok(error instanceof SqlError, String(error));
    return error.code;
  }
  assert.ok(!Object.is(vm.num[0], -0), 'no -0 among integers');
  const value = readInteger(vm.num, vm.big, 0);
  // One form for each value.
  assert.equal(Number.isNaN(vm.num[0]), value > E53 || value < -E53);
  return value;
}

const fits = (value: bigint, code = 'overflow'): bigint | string => (value < MIN || value > MAX ? code : value);
const MODELS: Record<string, (l: bigint, r: bigint) => bigint | string> = {
  add_int: (l, r) => fits(l + r),
  sub_int: (l, r) => fits(l - r),
  mul_int: (l, r) => fits(l * r),
  div_int: (l, r) => (r === 0n ? 'zero_division' : fits(l / r)),
  mod_int: (l, r) => (r === 0n ? 'zero_division' : l % r),
  neg_int: (l) => fits(-l),
  and_int: (l, r) => l & r,
  or_int: (l, r) => l | r,
  xor_int: (l, r) => l ^ r,
  shl_int: (l, r) => (r < 0n || r > 63n ? 'overflow' : BigInt.asIntN(64, l << r)),
  shr_int: (l, r) => (r < 0n || r > 63n ? 'overflow' : l >> r),
  not_int: (l) => ~l,
  eq_int: (l, r) => (l === r ? 1n : 0n),
  ne_int: (l, r) => (l !== r ? 1n : 0n),
  lt_int: (l, r) => (l < r ? 1n : 0n),
  le_int: (l, r) => (l <= r ? 1n : 0n),
  gt_int: (l, r) => (l > r ? 1n : 0n),
  ge_int: (l, r) => (l >= r ? 1n : 0n),
};

for (const [op, model] of Object.entries(MODELS)) {
  test(`${op} is exact over 64 bits`, () => {
    for (const left of INTEGERS) {
      for (const right of INTEGERS)
        assert.equal(integer(op, left, right), model(left, right), `${left} ${op} ${right}`);
    }
  });
}

test('shifts by every width', () => {
  for (const left of INTEGERS) {
    for (let bits = -1n; bits <= 64n; bits++) {
      assert.equal(integer('shl_int', left, bits), MODELS.shl_int!(left, bits));
      assert.equal(integer('shr_int', left, bits), MODELS.shr_int!(left, bits));
    }
  }
});

test('error texts of integer arithmetic', () => {
  const text = (op: string, left: bigint, right: bigint): string => {
    writeInteger(vm.num, vm.big, 1, left);
    writeInteger(vm.num, vm.big, 2, right);
    try {
      vm.assemble(`${op} 0 1 2`);
    } catch (error) {
      return (error as Error).message;
    }
    return '';
  };
  assert.equal(text('add_int', MAX, 1n), 'int + int overflow');
  assert.equal(text('sub_int', MIN, 1n), 'int - int overflow');
  assert.equal(text('mul_int', MAX, 2n), 'int * int overflow');
  assert.equal(text('div_int', 1n, 0n), 'zero division');
  assert.equal(text('mod_int', MIN, 0n), 'zero division');
});

function double(op: string, left: number, right: number): number | string {
  vm.num[1] = left;
  vm.num[2] = right;
  try {
    vm.assemble(`${op} 0 1 ${op === 'neg_double' ? 0 : 2}`);
  } catch (error) {
    return (error as SqlError).message;
  }
  return vm.num[0];
}

test('doubles: infinite results and division by zero are errors', () => {
  assert.equal(double('add_double', 1.5, 2.25), 3.75);
  assert.equal(double('add_double', 1.7e308, 1.7e308), 'double + double overflow');
  assert.equal(double('sub_double', -1.7e308, 1.7e308), 'double - double overflow');
  assert.equal(double('mul_double', 1e200, 1e200), 'double * double overflow');
  assert.equal(double('div_double', 1, 0), 'zero division');
  assert.equal(double('div_double', 0, 0), 'zero division');
  assert.equal(double('div_double', 1e300, 1e-300), 'double / double overflow');
  assert.equal(double('div_double', 7, 2), 3.5);
  assert.equal(double('neg_double', 1.5, 0), -1.5);
  for (const [op, results] of Object.entries({
    eq_double: [0, 1, 0],
    ne_double: [1, 0, 1],
    lt_double: [1, 0, 0],
    le_double: [1, 1, 0],
    gt_double: [0, 0, 1],
    ge_double: [0, 1, 1],
  })) {
    assert.deepEqual([double(op, 1, 2.5), double(op, 2.5, 2.5), double(op, 3, 2.5)], results, op);
  }
});

test('conversions between ints and doubles', () => {
  writeInteger(vm.num, vm.big, 1, MAX);
  vm.assemble('int_to_double 0 1');
  assert.equal(vm.num[0], 2 ** 63);
  const toInt = (value: number): bigint | string => {
    vm.num[1] = value;
    return outcome('double_to_int 0 1');
  };
  assert.equal(toInt(-2.9), -2n);
  assert.equal(toInt(-0.5), 0n);
  assert.equal(toInt(9007199254740994), 9007199254740994n);
  assert.equal(toInt(-(2 ** 63)), MIN);
  assert.equal(toInt(2 ** 63), 'out_of_range');
  const failures = [{ code: 'invalid_value', message: "column 'a': % has a fraction" }] as const;
  const exact = (value: number): string => {
    vm.num[1] = value;
    try {
      vm.assemble('double_to_int_exact 0 1 0', { failures });
    } catch (error) {
      return (error as Error).message;
    }
    return integerText(vm.num, vm.big, 0);
  };
  assert.equal(exact(12), '12');
  assert.equal(exact(12.5), "column 'a': 12.5 has a fraction");
});

test('check_int and to_float refuse what does not fit, naming the value', () => {
  const failures = [
    { code: 'invalid_value', message: 'unused' },
    { code: 'out_of_range', message: 'value % is out of range' },
  ] as const;
  const check = (type: number, value: bigint): string => {
    writeInteger(vm.num, vm.big, 1, value);
    try {
      vm.assemble(`check_int 0 1 ${type + (1 << 8)}`, { failures });
    } catch (error) {
      assert.equal((error as SqlError).code, 'out_of_range');
      return (error as Error).message;
    }
    return integerText(vm.num, vm.big, 0);
  };
  for (const [type, bits] of [
    [2, 8n],
    [3, 16n],
    [4, 32n],
  ] as const) {
    const max = 2n ** (bits - 1n) - 1n;
    assert.equal(check(type, max), String(max));
    assert.equal(check(type, -max - 1n), String(-max - 1n));
    assert.equal(check(type, max + 1n), `value ${max + 1n} is out of range`);
    assert.equal(check(type, -max - 2n), `value ${-max - 2n} is out of range`);
    assert.equal(check(type, MIN), `value ${MIN} is out of range`);
  }
  assert.equal(check(5, MIN), String(MIN));
  vm.num[1] = 0.1;
  vm.assemble('to_float 0 1 1', { failures });
  assert.equal(vm.num[0], Math.fround(0.1));
  vm.num[1] = 1e39;
  assert.throws(() => vm.assemble('to_float 0 1 1', { failures }), /out of range/);
});

test('int_to_double_exact refuses integers between two doubles', () => {
  const failures = [{ code: 'invalid_value', message: '% is no double' }] as const;
  const convert = (value: bigint): number | string => {
    writeInteger(vm.num, vm.big, 1, value);
    try {
      vm.assemble('int_to_double_exact 0 1 0', { failures });
    } catch (error) {
      return (error as Error).message;
    }
    return vm.num[0]!;
  };
  assert.equal(convert(-5n), -5);
  assert.equal(convert(E53), 9007199254740992);
  assert.equal(convert(E53 + 1n), '9007199254740993 is no double');
  assert.equal(convert(E53 + 2n), 9007199254740994);
  assert.equal(convert(MIN), -(2 ** 63));
  assert.equal(convert(MAX), '9223372036854775807 is no double');
});

test('three-valued logic', () => {
  // null, false, true
  const load = (register: number, value: number | null): void => {
    vm.num[register] = value ?? 1;
    vm.nul[register] = value === null ? 1 : 0;
  };
  const values = [null, 0, 1] as const;
  const and = [
    [null, 0, null],
    [0, 0, 0],
    [null, 0, 1],
  ];
  const or = [
    [null, null, 1],
    [null, 0, 1],
    [1, 1, 1],
  ];
  values.forEach((left, l) => {
    values.forEach((right, r) => {
      for (const [op, table] of [
        ['and3', and],
        ['or3', or],
      ] as const) {
        vm.assemble(`
          load_int 1 ${left ?? 0}
          load_int 2 ${right ?? 0}
          ${left === null ? 'set_null' : 'clear_null'} 1
          ${right === null ? 'set_null' : 'clear_null'} 2
          ${op} 0 1 2`);
        assert.equal(vm.nul[0] ? null : vm.num[0], table[l]![r], `${left} ${op} ${right}`);
      }
    });
  });
  load(1, 0);
  vm.assemble('not 0 1');
  assert.equal(vm.num[0], 1);
  writeInteger(vm.num, vm.big, 1, MAX);
  vm.assemble('truth 0 1');
  assert.equal(vm.num[0], 1);
});

test('ints and doubles compare exactly', () => {
  const compare = (left: bigint, right: number): number[] =>
    [0, 1, 2, 3, 4, 5].map((comparison) => {
      writeInteger(vm.num, vm.big, 4, left);
      vm.num[5] = right;
      vm.assemble(`cmp_int_double 0 4 ${comparison}`);
      return vm.num[0]!;
    });
  const LESS = [0, 1, 1, 1, 0, 0];
  const EQUAL = [1, 0, 0, 1, 0, 1];
  const GREATER = [0, 1, 0, 0, 1, 1];
  assert.deepEqual(compare(1n, 1.5), LESS);
  assert.deepEqual(compare(E53 + 1n, 9007199254740992), GREATER);
  assert.deepEqual(compare(E53 + 2n, 9007199254740994), EQUAL);
  assert.deepEqual(compare(MAX, 2 ** 63), LESS);
  assert.deepEqual(compare(MIN, -(2 ** 63)), EQUAL);
  assert.deepEqual(compare(MIN, -1e300), GREATER);
  assert.deepEqual(compare(MAX, 1e300), LESS);
});

function text(value: string): number {
  return vm.workspace.text(new TextEncoder().encode(value));
}

test('texts compare by their bytes', () => {
  const values = [
    '',
    '\0',
    'a',
    'a\0',
    'aa',
    'ab',
    'abcd',
    'abcde',
    'abcdf',
    'abce',
    'b',
    'é',
    '€',
    '😀',
    'abcdefghijklm',
    'abcdefghijkln',
  ];
  for (const left of values) {
    for (const right of values) {
      const order = Math.sign(Buffer.compare(Buffer.from(left), Buffer.from(right)));
      vm.num[1] = text(left);
      vm.num[2] = text(right);
      const results = ['eq', 'ne', 'lt', 'le', 'gt', 'ge'].map((op) => {
        vm.assemble(`${op}_text 0 1 2`);
        return vm.num[0];
      });
      const wanted = [order === 0, order !== 0, order < 0, order <= 0, order > 0, order >= 0].map(Number);
      assert.deepEqual(results, wanted, JSON.stringify([left, right]));
    }
  }
});
