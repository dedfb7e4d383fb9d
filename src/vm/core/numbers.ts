/**
 * Family 1: numbers, truth, comparison. The fast paths are here, what leaves ±2^53 is in integers.ts.
 *
 * An integer result is exact when the double result lies strictly inside ±2^53; NaN (a value beyond, see integers.ts) fails
 * every comparison and so takes the slow path. `+ 0` turns the -0 of a product or remainder into 0.
 */

import { SqlError } from '../../base/errors.ts';
import { compareBytes, equalBytes } from './bytes.ts';
import { holds } from './comparison.ts';
import {
  combineBits,
  compareIntegerAndDouble,
  integerToDouble,
  invertBits,
  shiftLeft,
  shiftRight,
  storeWholeDouble,
} from './integers.ts';
import { failure, unknownOpcode } from './interpreter.ts';
import { equalJson } from './json-values.ts';
import type { Vm } from './vm.ts';

export function runNumbers(
  vm: Vm,
  op: number,
  a: number,
  b: number,
  c: number,
  num: Float64Array,
  big: BigInt64Array,
  nul: Uint8Array,
): void {
  switch (op) {
    case 70: // and_int
      if ((num[b] | 0) === num[b] && (num[c] | 0) === num[c]) num[a] = num[b] & num[c];
      else combineBits(num, big, a, b, c, 0);
      return;
    case 71: // or_int
      if ((num[b] | 0) === num[b] && (num[c] | 0) === num[c]) num[a] = num[b] | num[c];
      else combineBits(num, big, a, b, c, 1);
      return;
    case 72: // xor_int
      if ((num[b] | 0) === num[b] && (num[c] | 0) === num[c]) num[a] = num[b] ^ num[c];
      else combineBits(num, big, a, b, c, 2);
      return;
    case 73: // shl_int
      if ((num[b] | 0) === num[b] && num[c] >= 0 && num[c] <= 21) num[a] = num[b] * (1 << num[c]) + 0;
      else shiftLeft(num, big, a, b, c);
      return;
    case 74: // shr_int
      if ((num[b] | 0) === num[b] && num[c] >= 0 && num[c] <= 31) num[a] = num[b] >> num[c];
      else shiftRight(num, big, a, b, c);
      return;
    case 75: // not_int
      if ((num[b] | 0) === num[b]) num[a] = ~num[b];
      else invertBits(num, big, a, b);
      return;
    case 82: // double_to_int
      if (!storeWholeDouble(num, big, a, Math.trunc(num[b]))) throw outOfIntRange(num[b]);
      return;
    case 83: // double_to_int_exact
      if (Math.trunc(num[b]) !== num[b] || !storeWholeDouble(num, big, a, num[b])) throw failure(vm, c, b);
      return;
    case 85: {
      // to_float
      const value = Math.fround(num[b]);
      if (!Number.isFinite(value)) throw failure(vm, c, b);
      num[a] = value;
      return;
    }
    case 87: {
      // and3
      const isFalse = (nul[b] === 0 && num[b] === 0) || (nul[c] === 0 && num[c] === 0);
      const isNull = nul[b] | nul[c];
      nul[a] = isFalse ? 0 : isNull;
      num[a] = isFalse ? 0 : 1;
      return;
    }
    case 88: {
      // or3
      const isTrue = (nul[b] === 0 && num[b] !== 0) || (nul[c] === 0 && num[c] !== 0);
      const isNull = nul[b] | nul[c];
      nul[a] = isTrue ? 0 : isNull;
      num[a] = isTrue ? 1 : 0;
      return;
    }
    case 101: // eq_text
      num[a] = equalBytes(vm.memory, num[b], num[c]) ? 1 : 0;
      return;
    case 102: // ne_text
      num[a] = equalBytes(vm.memory, num[b], num[c]) ? 0 : 1;
      return;
    case 103: // lt_text
      num[a] = compareBytes(vm.memory, num[b], num[c]) < 0 ? 1 : 0;
      return;
    case 104: // le_text
      num[a] = compareBytes(vm.memory, num[b], num[c]) <= 0 ? 1 : 0;
      return;
    case 105: // gt_text
      num[a] = compareBytes(vm.memory, num[b], num[c]) > 0 ? 1 : 0;
      return;
    case 106: // ge_text
      num[a] = compareBytes(vm.memory, num[b], num[c]) >= 0 ? 1 : 0;
      return;
    case 107: // eq_json
      num[a] = equalJson(vm.memory, num[b], num[c]) ? 1 : 0;
      return;
    case 108: // ne_json
      num[a] = equalJson(vm.memory, num[b], num[c]) ? 0 : 1;
      return;
    case 110: {
      // cmp_int_double
      const order = compareIntegerAndDouble(num, big, b, b + 1);
      num[a] = holds(order, c) ? 1 : 0;
      return;
    }
    case 111: {
      // int_to_double_exact
      const value = integerToDouble(num, big, b);
      if (Number.isNaN(num[b]) && BigInt(value) !== big[b]) throw failure(vm, c, b);
      num[a] = value;
      return;
    }
    default:
      throw unknownOpcode(op);
  }
}

function outOfIntRange(value: number): SqlError {
  return new SqlError('out_of_range', `double ${value} is out of range for int`);
}

/** check_int: the largest value by type number: bool, tinyint, smallint, int. */
const INTEGER_MAX = new Float64Array([0, 1, 127, 32767, 2147483647]);

/** check_int, where the short way of the interpreter does not do. */
export function checkInteger(vm: Vm, a: number, b: number, c: number): void {
  const type = c & 255;
  const value = vm.num[b];
  if (type >= 5) {
    vm.num[a] = value; // bigint and timestamp hold every int
    if (Number.isNaN(value)) vm.big[a] = vm.big[b];
    return;
  }
  const max = INTEGER_MAX[type];
  if (!(value <= max && value >= (type === 1 ? 0 : -max - 1))) throw failure(vm, c >>> 8, b);
  vm.num[a] = value;
}
