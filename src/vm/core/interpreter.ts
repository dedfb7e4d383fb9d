/**
 * The interpreter: one loop, a switch over the opcode's family, and in each family a switch over numeric literals (a switch
 * over named constants costs 250 times as much). Family 0 and what runs once a row of a scan (arithmetic, comparison, reads
 * of columns, aggregates) are inline: measured, a call costs as much as such an opcode. The rest of each family is a function
 * of its own, small enough for V8 to optimise. Families 3, 4 and 6 are methods of the VM's subclass, because the core knows
 * no storage; of a cursor it knows what CursorView says.
 *
 * A family function that can jump returns the next program counter (in words), the others nothing.
 */

import { ERROR_CODES, SqlError } from '../../base/errors.ts';
import { readInt64 } from '../../types/int64.ts';
import type { TypeId } from '../../types/type.ts';
import { decodeUtf8 } from '../../types/utf8.ts';
import { cosineDistance, innerProduct, l2Distance } from '../../types/vector-distance.ts';
import { byteLengthOf } from './bytes.ts';
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
import { runJsonPaths } from './json-path.ts';
import { checkInteger, runNumbers } from './numbers.ts';
import { runTextAndJson } from './text-and-json.ts';
import { runTime, truncateByCalendar } from './time.ts';
import { runUuidsAndVectors } from './uuids-and-vectors.ts';
import { kindOf, TEXT_KIND } from './value-column.ts';
import type { PartitionView, Vm } from './vm.ts';

/** Runs `code` from word `pc` to `ret`, `send`, `round` or a pause. Throws SqlError. */
export function interpret(vm: Vm, code: Int32Array, pc: number): void {
  while (pc >= 0) pc = interpretSlice(vm, code, pc);
}

/** Rows of a scan after which interpretSlice returns to be called again. */
const SLICE_ROWS = 1024;

/**
 * Runs until the end, which is -1, or for some rows of a scan, and then gives the word to go on from. A scan thus calls it
 * again and again, and V8 replaces the code that it has made for the middle of a running loop (on-stack replacement, which
 * asks registers for their shape at every access) by code for the function: 10 % faster.
 */
function interpretSlice(vm: Vm, code: Int32Array, start: number): number {
  // `| 0`: a number that V8 keeps in a machine register, here and wherever pc comes out of a call.
  let pc = start | 0;
  let rowsLeft = SLICE_ROWS;
  const num = vm.num;
  const big = vm.big;
  const nul = vm.nul;
  const cursors = vm.cursors;
  const groups = vm.groups;
  for (;;) {
    const op = code[pc];
    const a = code[(pc + 1) | 0];
    const b = code[(pc + 2) | 0];
    const c = code[(pc + 3) | 0];
    pc = (pc + 4) | 0;
    switch (op >>> 6) {
      case 0:
        switch (op) {
          case 0: // ret
            return -1;
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
            if ((nul[a] = nul[b]) !== 0) pc = (pc + 4) | 0;
            continue;
          case 8: // guard2
            if ((nul[a] = nul[b] | nul[c]) !== 0) pc = (pc + 4) | 0;
            continue;
          case 9: // guard_n
            if ((nul[a] = anyNull(nul, b, c)) !== 0) pc = (pc + 4) | 0;
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
          case 27: // defer_error
            vm.deferErrors(a, b);
            continue;
          case 28: // defer_end
            vm.deferErrors(0, -1);
            continue;
          case 29: // param_deferred
            nul[a] = loadDeferred(vm, a, b);
            continue;
          case 30: // check_param
            if (nul[a] === 2) throw keptError(vm, b);
            continue;
          case 31: // jmp_unless_eq
            if (num[a] === num[b]) continue;
            if (!(Number.isNaN(num[a]) && Number.isNaN(num[b]) && big[a] === big[b])) pc = c;
            continue;
          case 32: // jmp_unless_ne
            if (num[a] === num[b] || (Number.isNaN(num[a]) && Number.isNaN(num[b]) && big[a] === big[b])) pc = c;
            continue;
          case 33: // jmp_unless_lt
            if (num[a] < num[b]) continue;
            if (!(isBeyond(num, a, b) && compareBeyond(num, big, a, b) < 0)) pc = c;
            continue;
          case 34: // jmp_unless_le
            if (num[a] <= num[b]) continue;
            if (!(isBeyond(num, a, b) && compareBeyond(num, big, a, b) <= 0)) pc = c;
            continue;
          case 35: // jmp_unless_gt
            if (num[a] > num[b]) continue;
            if (!(isBeyond(num, a, b) && compareBeyond(num, big, a, b) > 0)) pc = c;
            continue;
          case 36: // jmp_unless_ge
            if (num[a] >= num[b]) continue;
            if (!(isBeyond(num, a, b) && compareBeyond(num, big, a, b) >= 0)) pc = c;
            continue;
          case 37: // round
            vm.endStep(a, pc);
            return -1;
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
          case 84: {
            // check_int
            const value = num[b];
            // An int32 fits int (4) and wider.
            if ((value | 0) === value && (c & 255) >= 4) num[a] = value;
            else checkInteger(vm, a, b, c);
            continue;
          }
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
            if (cursors[a].nextScan()) {
              pc = b;
              if (--rowsLeft > 0) continue;
            } else rowsLeft--;
            // At the end of a scan and of a slice; the rows in between are counted together.
            vm.countRows(SLICE_ROWS - rowsLeft);
            if (rowsLeft <= 0) return pc;
            rowsLeft = SLICE_ROWS;
            continue;
          case 199: {
            // col_int32
            const cursor = cursors[b];
            const partition = cursor.partition;
            const row = cursor.row;
            const ref = partition.columnRefs[c][row >>> 12];
            num[a] = partition.i32[ref >>> 26][((ref & 0x3ffffff) << 2) + (row & 4095)];
            continue;
          }
          case 200: {
            // col_int64
            const cursor = cursors[b];
            const partition = cursor.partition;
            const row = cursor.row;
            const ref = partition.columnRefs[c][row >>> 12];
            const words = partition.i32[ref >>> 26];
            const at = ((ref & 0x3ffffff) << 2) + ((row & 4095) << 1);
            const low = words[at];
            const high = words[at + 1];
            if (high >= -2097152 && high < 2097152) num[a] = (high + (low >>> 0) * 2.3283064365386963e-10) * 4294967296;
            else readInt64(vm, a, low, high);
            continue;
          }
          case 201: {
            // col_double
            const cursor = cursors[b];
            const partition = cursor.partition;
            const row = cursor.row;
            const ref = partition.columnRefs[c][row >>> 12];
            num[a] = partition.f64[ref >>> 26][((ref & 0x3ffffff) << 1) + (row & 4095)];
            continue;
          }
          case 202: {
            // col_ref
            const cursor = cursors[b];
            const partition = cursor.partition;
            const row = cursor.row;
            const ref = partition.columnRefs[c][row >>> 12];
            num[a] = partition.i32[ref >>> 26][((ref & 0x3ffffff) << 2) + (row & 4095)] >>> 0;
            continue;
          }
          case 207: {
            // col_null
            const cursor = cursors[b];
            nul[a] = nullFlag(cursor.partition, cursor.row, c);
            continue;
          }
          case 213: {
            // col_int32_null
            const cursor = cursors[b];
            const partition = cursor.partition;
            const row = cursor.row;
            nul[a] = nullFlag(partition, row, c);
            const ref = partition.columnRefs[c][row >>> 12];
            num[a] = partition.i32[ref >>> 26][((ref & 0x3ffffff) << 2) + (row & 4095)];
            continue;
          }
          case 214: {
            // col_int64_null
            const cursor = cursors[b];
            const partition = cursor.partition;
            const row = cursor.row;
            if ((nul[a] = nullFlag(partition, row, c)) !== 0) continue;
            const ref = partition.columnRefs[c][row >>> 12];
            const words = partition.i32[ref >>> 26];
            const at = ((ref & 0x3ffffff) << 2) + ((row & 4095) << 1);
            const low = words[at];
            const high = words[at + 1];
            if (high >= -2097152 && high < 2097152) num[a] = (high + (low >>> 0) * 2.3283064365386963e-10) * 4294967296;
            else readInt64(vm, a, low, high);
            continue;
          }
          case 215: {
            // col_double_null
            const cursor = cursors[b];
            const partition = cursor.partition;
            const row = cursor.row;
            nul[a] = nullFlag(partition, row, c);
            const ref = partition.columnRefs[c][row >>> 12];
            num[a] = partition.f64[ref >>> 26][((ref & 0x3ffffff) << 1) + (row & 4095)];
            continue;
          }
          case 216: {
            // col_ref_null
            const cursor = cursors[b];
            const partition = cursor.partition;
            const row = cursor.row;
            nul[a] = nullFlag(partition, row, c);
            const ref = partition.columnRefs[c][row >>> 12];
            num[a] = partition.i32[ref >>> 26][((ref & 0x3ffffff) << 2) + (row & 4095)] >>> 0;
            continue;
          }
          case 218: {
            // scan_int32
            const cursor = cursors[b];
            num[a] = cursor.columnWords[c][cursor.columnBases[c] + (cursor.row & 4095)];
            continue;
          }
          case 219: {
            // scan_int64
            const cursor = cursors[b];
            const words = cursor.columnWords[c];
            const at = cursor.columnBases[c] + ((cursor.row & 4095) << 1);
            const low = words[at];
            const high = words[at + 1];
            if (high >= -2097152 && high < 2097152) num[a] = (high + (low >>> 0) * 2.3283064365386963e-10) * 4294967296;
            else readInt64(vm, a, low, high);
            continue;
          }
          case 220: {
            // scan_double
            const cursor = cursors[b];
            num[a] = cursor.columnDoubles[c][(cursor.columnBases[c] >>> 1) + (cursor.row & 4095)];
            continue;
          }
          case 221: {
            // scan_ref
            const cursor = cursors[b];
            num[a] = cursor.columnWords[c][cursor.columnBases[c] + (cursor.row & 4095)] >>> 0;
            continue;
          }
          case 222: {
            // scan_int32_null
            const cursor = cursors[b];
            const slot = cursor.row & 4095;
            nul[a] = (cursor.nullWords[c][cursor.nullBases[c] + (slot >>> 5)] >>> (slot & 31)) & 1;
            num[a] = cursor.columnWords[c][cursor.columnBases[c] + slot];
            continue;
          }
          case 223: {
            // scan_int64_null
            const cursor = cursors[b];
            const slot = cursor.row & 4095;
            nul[a] = (cursor.nullWords[c][cursor.nullBases[c] + (slot >>> 5)] >>> (slot & 31)) & 1;
            if (nul[a] !== 0) continue;
            const words = cursor.columnWords[c];
            const at = cursor.columnBases[c] + (slot << 1);
            const low = words[at];
            const high = words[at + 1];
            if (high >= -2097152 && high < 2097152) num[a] = (high + (low >>> 0) * 2.3283064365386963e-10) * 4294967296;
            else readInt64(vm, a, low, high);
            continue;
          }
          case 224: {
            // scan_double_null
            const cursor = cursors[b];
            const slot = cursor.row & 4095;
            nul[a] = (cursor.nullWords[c][cursor.nullBases[c] + (slot >>> 5)] >>> (slot & 31)) & 1;
            num[a] = cursor.columnDoubles[c][(cursor.columnBases[c] >>> 1) + slot];
            continue;
          }
          case 225: {
            // scan_ref_null
            const cursor = cursors[b];
            const slot = cursor.row & 4095;
            nul[a] = (cursor.nullWords[c][cursor.nullBases[c] + (slot >>> 5)] >>> (slot & 31)) & 1;
            num[a] = cursor.columnWords[c][cursor.columnBases[c] + slot] >>> 0;
            continue;
          }
          case 226: // scan_next_int64
          case 227: {
            // scan_next_int32
            const cursor = cursors[a];
            const hasRow = cursor.nextScan();
            if (!hasRow || --rowsLeft <= 0) {
              if (!hasRow) rowsLeft--;
              vm.countRows(SLICE_ROWS - rowsLeft);
              if (hasRow) pc = b;
              if (rowsLeft <= 0) return pc;
              rowsLeft = SLICE_ROWS;
              continue;
            }
            // The load at b is run here, with its own operands.
            pc = (b + 4) | 0;
            const target = code[(b + 1) | 0];
            const column = code[(b + 3) | 0];
            const words = cursor.columnWords[column];
            const base = cursor.columnBases[column];
            const slot = cursor.row & 4095;
            if (op === 227) {
              num[target] = words[base + slot];
              continue;
            }
            const at = base + (slot << 1);
            const low = words[at];
            const high = words[at + 1];
            if (high >= -2097152 && high < 2097152)
              num[target] = (high + (low >>> 0) * 2.3283064365386963e-10) * 4294967296;
            else readInt64(vm, target, low, high);
            continue;
          }
          default:
            pc = vm.runCursors(op, a, b, c, pc) | 0;
            continue;
        }
      case 4:
        pc = vm.runWrites(op, a, b, c, pc) | 0;
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
            if (nul[c] !== 0 && aggregate.isNullable) continue;
            if (aggregate.isPlainSum) {
              const group = set.current;
              const sums = aggregate.sums;
              const sum = sums[group] + num[c];
              if (sum > -9007199254740992 && sum < 9007199254740992) {
                sums[group] = sum;
                aggregate.counts[group] += 1;
                continue;
              }
            }
            aggregate.add(set.current, vm, c);
            continue;
          }
          case 343: // sort_test
            if (vm.sorter(a).isBeyond(vm, b)) pc = c;
            continue;
          default:
            pc = runGroupsAndResults(vm, op, a, b, c, pc) | 0;
            continue;
        }
      case 6:
        pc = vm.runCoordination(op, a, b, c, pc) | 0;
        if (pc < 0) return -1;
        continue;
      case 7:
        switch (op) {
          case 472: {
            // date_trunc
            const value = num[b];
            const unit = vm.timeZone.truncationMicros[num[c]];
            if (unit > 0 && value > -9e15 && value < 9e15) {
              // The quotient may have been rounded up to a whole number.
              const start = Math.floor(value / unit) * unit;
              num[a] = start > value ? start - unit : start;
              continue;
            }
            truncateByCalendar(vm, a, b, c);
            continue;
          }
          default:
            runTime(vm, op, a, b, c);
            continue;
        }
      case 9:
        switch (op) {
          case 592: // cos_distance
            num[a] = cosineDistance(vm.memory, num[b], num[c]);
            continue;
          case 593: // l2_distance
            num[a] = l2Distance(vm.memory, num[b], num[c]);
            continue;
          case 594: // inner_product
            num[a] = innerProduct(vm.memory, num[b], num[c]);
            continue;
          default:
            runUuidsAndVectors(vm, op, a, b, c);
            continue;
        }
      case 8:
        runJsonPaths(vm, op, a, b, c);
        continue;
      default:
        throw unknownOpcode(op);
    }
  }
}

/** The null flag of a column of the row that a cursor is on: 0 or 1. */
function nullFlag(partition: PartitionView, row: number, column: number): number {
  if (partition.isNullable[column] === 0) return 0;
  const ref = partition.nullRefs[column][row >>> 12];
  return (partition.i32[ref >>> 26][((ref & 0x3ffffff) << 2) + ((row & 4095) >>> 5)] >>> (row & 31)) & 1;
}

function anyNull(nul: Uint8Array, first: number, count: number): number {
  for (let register = first; register < first + count; register++) if (nul[register] !== 0) return 1;
  return 0;
}

/** Type number of a parameter that is an error: word 0 is the ref of its text, word 1 the number of its code. */
export const ERROR_PARAMETER = 255;

/** Loads a parameter; its null flag, or 2 where it is an error. */
function loadDeferred(vm: Vm, register: number, parameter: number): number {
  const word = vm.parameterWord + parameter * 4;
  if (vm.memory.i32[vm.parameterArena][word + 2] === ERROR_PARAMETER) return 2;
  return loadCell(vm, register, vm.memory, vm.parameterArena, word);
}

function keptError(vm: Vm, parameter: number): SqlError {
  const words = vm.memory.i32[vm.parameterArena];
  const word = vm.parameterWord + parameter * 4;
  const ref = words[word] >>> 0;
  const start = ((ref & 0x3ffffff) << 4) + 4;
  const text = decodeUtf8(vm.memory.u8[ref >>> 26], start, start + byteLengthOf(vm.memory, ref));
  return new SqlError(ERROR_CODES[words[word + 1]], text);
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
