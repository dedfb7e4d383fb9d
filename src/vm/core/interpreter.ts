/**
 * The interpreter: one loop, a switch over the opcode's family, and in each family a switch over numeric literals (a switch
 * over named constants costs 250 times as much). Family 0 and what runs once a row of a scan (arithmetic, comparison, reads
 * of columns, aggregates) are inline: measured, a call costs as much as such an opcode. The rest of each family is a function
 * of its own, small enough for V8 to optimise. Families 3, 4 and 6 are methods of the VM's subclass, because the core knows
 * no storage; of a cursor it knows what CursorView says.
 *
 * A family function that can jump returns the next program counter (in words), the others nothing.
 */

import { SqlError } from '../../base/errors.ts';
import { readInt64 } from '../../types/int64.ts';
import type { TypeId } from '../../types/type.ts';
import { loadCell, storeCell } from './cells.ts';
import { runGroupsAndResults } from './groups-and-results.ts';
import {
  addIntegers,
  compareBeyond,
  divideIntegers,
  integerText,
  integerToDouble,
  isBeyond,
  multiplyIntegers,
  negateInteger,
  remainderOfIntegers,
  storeDouble,
  subtractIntegers,
  zeroDivision,
} from './integers.ts';
import { runNumbers } from './numbers.ts';
import { runTextAndJson } from './text-and-json.ts';
import { kindOf, TEXT_KIND } from './value-column.ts';
import type { Vm } from './vm.ts';

/** Runs `code` from word `pc` to `ret` or `send`. Throws SqlError. */
export function interpret(vm: Vm, code: Int32Array, pc: number): void {
  const num = vm.num;
  const big = vm.big;
  const nul = vm.nul;
  const cursors = vm.cursors;
  const groups = vm.groups;
  for (;;) {
    const op = code[pc];
    const a = code[pc + 1];
    const b = code[pc + 2];
    const c = code[pc + 3];
    pc += 4;
    switch (op >>> 6) {
      case 0:
        switch (op) {
          case 0: // ret
            return;
          case 1: // jmp
            pc = a;
            continue;
          case 2: // jmp_true
            if (num[a] !== 0) pc = b;
            continue;
          case 3: // jmp_false
            if (num[a] === 0) pc = b;
            continue;
          case 4: // jmp_not_true
            if (nul[a] !== 0 || num[a] === 0) pc = b;
            continue;
          case 5: // jmp_null
            if (nul[a] !== 0) pc = b;
            continue;
          case 6: // jmp_not_null
            if (nul[a] === 0) pc = b;
            continue;
          case 7: // guard1
            if ((nul[a] = nul[b]) !== 0) pc += 4;
            continue;
          case 8: // guard2
            if ((nul[a] = nul[b] | nul[c]) !== 0) pc += 4;
            continue;
          case 9: // guard_n
            if ((nul[a] = anyNull(nul, b, c)) !== 0) pc += 4;
            continue;
          case 10: {
            // move
            const value = (num[a] = num[b]);
            if (Number.isNaN(value)) big[a] = big[b];
            continue;
          }
          case 11: {
            // move_null
            const value = (num[a] = num[b]);
            if (Number.isNaN(value)) big[a] = big[b];
            nul[a] = nul[b];
            continue;
          }
          case 12: // set_null
            nul[a] = 1;
            continue;
          case 13: // clear_null
            nul[a] = 0;
            continue;
          case 14: // load_int
            num[a] = b;
            continue;
          case 15: {
            // const
            const value = (num[a] = vm.constants[b]);
            if (Number.isNaN(value)) big[a] = vm.program.constantBig[b];
            continue;
          }
          case 16: // param
            loadCell(vm, a, vm.memory, vm.parameterArena, vm.parameterWord + b * 4);
            continue;
          case 17: // param_null
            nul[a] = loadCell(vm, a, vm.memory, vm.parameterArena, vm.parameterWord + b * 4);
            continue;
          case 18: // now
            num[a] = vm.now;
            continue;
          case 19: // is_null
            num[a] = nul[b];
            continue;
          case 20: // is_not_null
            num[a] = 1 - nul[b];
            continue;
          case 21: // count_down
            if ((num[a] -= 1) <= 0) pc = b;
            continue;
          case 22: // scratch_reset
            vm.scratch.reset();
            continue;
          case 23: // set_param
            setParameter(vm, a, b, c, 0);
            continue;
          case 24: // set_param_null
            setParameter(vm, a, b, c, nul[b]);
            continue;
          case 25: // jmp_zero_or_less
            if (num[a] <= 0) pc = b;
            continue;
          case 26: // fail
            throw failure(vm, a, b);
          default:
            throw unknownOpcode(op);
        }
      case 1:
        switch (op) {
          case 64: {
            // add_int
            const sum = num[b] + num[c];
            if (sum > -9007199254740992 && sum < 9007199254740992) num[a] = sum;
            else addIntegers(num, big, a, b, c);
            continue;
          }
          case 65: {
            // sub_int
            const difference = num[b] - num[c];
            if (difference > -9007199254740992 && difference < 9007199254740992) num[a] = difference;
            else subtractIntegers(num, big, a, b, c);
            continue;
          }
          case 66: {
            // mul_int
            const product = num[b] * num[c];
            if (product > -9007199254740992 && product < 9007199254740992) num[a] = product + 0;
            else multiplyIntegers(num, big, a, b, c);
            continue;
          }
          case 67: {
            // div_int
            // Exact: the quotient of two integers within ±2^53 never rounds up to a whole number that it is not.
            const quotient = num[b] / num[c];
            if (quotient > -9007199254740992 && quotient < 9007199254740992) num[a] = Math.trunc(quotient) + 0;
            else divideIntegers(num, big, a, b, c);
            continue;
          }
          case 68: {
            // mod_int
            const dividend = num[b];
            const divisor = num[c];
            // The remainder of doubles costs three times that of 32-bit integers.
            if ((dividend | 0) === dividend && (divisor | 0) === divisor && divisor !== 0) {
              num[a] = ((dividend | 0) % (divisor | 0)) | 0;
              continue;
            }
            const remainder = dividend % divisor; // NaN for a zero divisor too
            if (!Number.isNaN(remainder)) num[a] = remainder + 0;
            else remainderOfIntegers(num, big, a, b, c);
            continue;
          }
          case 69: {
            // neg_int
            const value = num[b];
            if (!Number.isNaN(value)) num[a] = 0 - value;
            else negateInteger(num, big, a, b);
            continue;
          }
          case 76: // add_double
            storeDouble(num, a, num[b] + num[c], '+');
            continue;
          case 77: // sub_double
            storeDouble(num, a, num[b] - num[c], '-');
            continue;
          case 78: // mul_double
            storeDouble(num, a, num[b] * num[c], '*');
            continue;
          case 79: // div_double
            if (num[c] === 0) throw zeroDivision();
            storeDouble(num, a, num[b] / num[c], '/');
            continue;
          case 80: // neg_double
            num[a] = -num[b];
            continue;
          case 81: // int_to_double
            num[a] = integerToDouble(num, big, b);
            continue;
          case 86: // not
            num[a] = num[b] === 0 ? 1 : 0;
            continue;
          case 89: // eq_int
            num[a] = num[b] === num[c] || (Number.isNaN(num[b]) && Number.isNaN(num[c]) && big[b] === big[c]) ? 1 : 0;
            continue;
          case 90: // ne_int
            num[a] = num[b] === num[c] || (Number.isNaN(num[b]) && Number.isNaN(num[c]) && big[b] === big[c]) ? 0 : 1;
            continue;
          case 91: // lt_int
            num[a] = num[b] < num[c] || (isBeyond(num, b, c) && compareBeyond(num, big, b, c) < 0) ? 1 : 0;
            continue;
          case 92: // le_int
            num[a] = num[b] <= num[c] || (isBeyond(num, b, c) && compareBeyond(num, big, b, c) <= 0) ? 1 : 0;
            continue;
          case 93: // gt_int
            num[a] = num[b] > num[c] || (isBeyond(num, b, c) && compareBeyond(num, big, b, c) > 0) ? 1 : 0;
            continue;
          case 94: // ge_int
            num[a] = num[b] >= num[c] || (isBeyond(num, b, c) && compareBeyond(num, big, b, c) >= 0) ? 1 : 0;
            continue;
          case 95: // eq_double
            num[a] = num[b] === num[c] ? 1 : 0;
            continue;
          case 96: // ne_double
            num[a] = num[b] !== num[c] ? 1 : 0;
            continue;
          case 97: // lt_double
            num[a] = num[b] < num[c] ? 1 : 0;
            continue;
          case 98: // le_double
            num[a] = num[b] <= num[c] ? 1 : 0;
            continue;
          case 99: // gt_double
            num[a] = num[b] > num[c] ? 1 : 0;
            continue;
          case 100: // ge_double
            num[a] = num[b] >= num[c] ? 1 : 0;
            continue;
          case 109: // truth
            num[a] = num[b] === 0 ? 0 : 1;
            continue;
          default:
            runNumbers(vm, op, a, b, c, num, big, nul);
            continue;
        }
      case 2:
        runTextAndJson(vm, op, a, b, c);
        continue;
      case 3:
        switch (op) {
          case 193: // scan_next
            vm.countRow();
            if (cursors[a].nextScan()) pc = b;
            continue;
          case 199: {
            // col_int32
            const cursor = cursors[b];
            num[a] = cursor.partition.readInt32(cursor.row, c);
            continue;
          }
          case 200: {
            // col_int64
            const cursor = cursors[b];
            const low = cursor.partition.readInt64Low(cursor.row, c);
            const high = cursor.partition.readInt64High(cursor.row, c);
            if (high === low >> 31) num[a] = low;
            else readInt64(vm, a, low, high);
            continue;
          }
          case 201: {
            // col_double
            const cursor = cursors[b];
            num[a] = cursor.partition.readDouble(cursor.row, c);
            continue;
          }
          case 202: {
            // col_ref
            const cursor = cursors[b];
            num[a] = cursor.partition.readRef(cursor.row, c);
            continue;
          }
          case 207: {
            // col_null
            const cursor = cursors[b];
            nul[a] = cursor.partition.isNull(cursor.row, c) ? 1 : 0;
            continue;
          }
          case 213: {
            // col_int32_null
            const cursor = cursors[b];
            nul[a] = cursor.partition.isNull(cursor.row, c) ? 1 : 0;
            num[a] = cursor.partition.readInt32(cursor.row, c);
            continue;
          }
          case 215: {
            // col_double_null
            const cursor = cursors[b];
            nul[a] = cursor.partition.isNull(cursor.row, c) ? 1 : 0;
            num[a] = cursor.partition.readDouble(cursor.row, c);
            continue;
          }
          case 216: {
            // col_ref_null
            const cursor = cursors[b];
            nul[a] = cursor.partition.isNull(cursor.row, c) ? 1 : 0;
            num[a] = cursor.partition.readRef(cursor.row, c);
            continue;
          }
          default:
            pc = vm.runCursors(op, a, b, c, pc);
            continue;
        }
      case 4:
        pc = vm.runWrites(op, a, b, c, pc);
        continue;
      case 5:
        switch (op) {
          case 321: // group_find
            groups[a].find(vm, b);
            continue;
          case 322: {
            // agg_count
            const set = groups[a];
            set.aggregates[b].counts[set.current] += 1;
            continue;
          }
          case 323: {
            // agg_add
            const set = groups[a];
            const aggregate = set.aggregates[b];
            if (nul[c] === 0 || !aggregate.isNullable) aggregate.add(set.current, vm, c);
            continue;
          }
          default:
            pc = runGroupsAndResults(vm, op, a, b, c, pc);
            continue;
        }
      case 6:
        pc = vm.runCoordination(op, a, b, c, pc);
        if (pc < 0) return;
        continue;
      default:
        throw unknownOpcode(op);
    }
  }
}

function anyNull(nul: Uint8Array, first: number, count: number): number {
  for (let register = first; register < first + count; register++) if (nul[register] !== 0) return 1;
  return 0;
}

/** Texts and the like are copied: a parameter lives as long as the request. */
function setParameter(vm: Vm, parameter: number, register: number, type: number, isNull: number): void {
  const isRef = isNull === 0 && kindOf(type as TypeId) >= TEXT_KIND;
  if (isRef) vm.num[register] = vm.keepForRequest(vm.num[register], type);
  storeCell(vm, register, type, isNull, vm.memory, vm.parameterArena, vm.parameterWord + parameter * 4);
}

/** The error of failure spec `spec`; `%` in its text stands for the number in the register. */
export function failure(vm: Vm, spec: number, register: number): SqlError {
  const { code, message } = vm.program.program.failures[spec];
  return new SqlError(
    code,
    message.includes('%') ? message.replace('%', integerText(vm.num, vm.big, register)) : message,
  );
}

export function unknownOpcode(op: number): Error {
  return new Error(`opcode ${op} has no handler here`);
}
