/**
 * The state of one aggregate over all groups of a set, as columns by group. What a state is, by kind:
 *
 * | kind            | columns                                                      | cells of a partial record          |
 * | --------------- | ------------------------------------------------------------ | ---------------------------------- |
 * | 0 count         | counts                                                       | count                              |
 * | 1 sum of int    | counts of values, sums, spill (exact beyond ±2^53)           | sum as 96-bit integer, NULL: none  |
 * | 2 sum of double | counts of values, sums                                       | sum, NULL: none                    |
 * | 3 avg of int    | as 1                                                         | sum as 96-bit integer, count       |
 * | 4 avg of double | as 2                                                         | sum, count                         |
 * | 5 min           | counts (0 or 1), values                                      | value, NULL: none                  |
 * | 6 max           | the same                                                     | the same                           |
 *
 * An integer sum is a number while it is strictly inside ±2^53; what leaves that moves into a BigInt of any size, so only
 * the total is ever checked against 64 bits. A DISTINCT aggregate keeps a set of (group, value) and adds each value once; its
 * partial form is that set (group-set.ts).
 */

import { SqlError } from '../../base/errors.ts';
import type { Memory } from '../../base/memory.ts';
import type { RegisterFile } from '../../base/registers.ts';
import { createRegisters } from '../../base/registers.ts';
import type { Scratch } from '../../base/scratch.ts';
import type { AggregateSpec } from '../../program/program.ts';
import { BIGINT } from '../../types/type.ts';
import { readInteger, writeInteger } from './integers.ts';
import { KeyTable } from './key-table.ts';
import { DOUBLE_KIND, grownDoubles, kindOf, ValueColumn } from './value-column.ts';

export const COUNT = 0;
export const SUM_INT = 1;
export const SUM_DOUBLE = 2;
export const AVG_INT = 3;
export const AVG_DOUBLE = 4;
export const MIN = 5;
export const MAX = 6;

function stateKind(spec: AggregateSpec): number {
  switch (spec.kind) {
    case 'count':
    case 'count_value':
      return COUNT;
    case 'sum_int':
      return SUM_INT;
    case 'sum_double':
      return SUM_DOUBLE;
    case 'avg':
      return kindOf(spec.argument) === DOUBLE_KIND ? AVG_DOUBLE : AVG_INT;
    case 'min':
      return MIN;
    case 'max':
      return MAX;
  }
}

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

export class AggregateState {
  readonly kind: number;
  readonly isNullable: boolean;
  /** sum or avg of all values: the interpreter adds what stays inside ±2^53 itself. */
  readonly isPlainSum: boolean;
  /** The values met, for DISTINCT: keys (group, value). */
  readonly distinct: KeyTable | null;
  /** Type of the argument. */
  readonly spec: AggregateSpec;
  counts: Float64Array = new Float64Array(4);
  sums: Float64Array;
  /** Exact part of integer sums that left ±2^53, by group. */
  private readonly spill: Map<number, bigint> = new Map();
  readonly values: ValueColumn | null;
  /** Registers of one (group, value) pair, of `distinct`. */
  private readonly pair: RegisterFile | null;

  constructor(spec: AggregateSpec, memory: Memory, workspace: Scratch) {
    this.spec = spec;
    this.kind = stateKind(spec);
    this.isNullable = spec.isNullable;
    const isExtreme = this.kind >= MIN;
    this.values = isExtreme ? new ValueColumn(spec.argument, true, memory, workspace) : null;
    this.sums = new Float64Array(this.kind === COUNT || isExtreme ? 0 : 4);
    // The least and the greatest of distinct values are those of all values.
    const isDistinct = spec.isDistinct && !isExtreme;
    this.distinct = isDistinct ? new KeyTable([BIGINT, spec.argument], memory, workspace) : null;
    this.isPlainSum = !isDistinct && this.kind >= SUM_INT && this.kind <= AVG_DOUBLE;
    this.pair = isDistinct ? createRegisters(2) : null;
  }

  clear(): void {
    if (this.counts.length > 65_536) {
      this.counts = new Float64Array(4);
      if (this.sums.length > 0) this.sums = new Float64Array(4);
    }
    if (this.spill.size > 0) this.spill.clear();
    if (this.values !== null) this.values.clear();
    if (this.distinct !== null) this.distinct.clear();
  }

  /** A new group, whose ordinal is the number of groups before. */
  addGroup(group: number): void {
    if (group >= this.counts.length) this.counts = grownDoubles(this.counts, group * 2);
    this.counts[group] = 0;
    if (this.kind === COUNT) return;
    if (this.values !== null) {
      this.values.ensure(group);
      return;
    }
    if (group >= this.sums.length) this.sums = grownDoubles(this.sums, group * 2);
    this.sums[group] = 0;
  }

  /** Takes the value of a register, which is not NULL. */
  add(group: number, registers: RegisterFile, register: number): void {
    if (this.distinct !== null && !this.isFirst(group, registers, register)) return;
    this.addValue(group, registers, register);
  }

  private isFirst(group: number, registers: RegisterFile, register: number): boolean {
    const pair = this.pair!;
    const value = registers.num[register];
    pair.num[0] = group;
    pair.num[1] = value;
    if (Number.isNaN(value)) pair.big[1] = registers.big[register];
    const distinct = this.distinct!;
    distinct.find(pair, 0);
    return distinct.isNew;
  }

  private addValue(group: number, registers: RegisterFile, register: number): void {
    const values = this.values;
    if (values !== null) {
      if (this.counts[group] === 0) this.counts[group] = 1;
      else {
        const order = values.compareWith(group, registers, register);
        if (this.kind === MIN ? order <= 0 : order >= 0) return;
      }
      values.store(group, registers, register, 0);
      return;
    }
    this.counts[group] += 1;
    const kind = this.kind;
    if (kind === SUM_INT || kind === AVG_INT) {
      const sum = this.sums[group] + registers.num[register];
      if (sum > -9007199254740992 && sum < 9007199254740992) this.sums[group] = sum;
      else this.addExact(group, readInteger(registers.num, registers.big, register));
    } else if (kind !== COUNT) this.sums[group] += registers.num[register];
  }

  /** Adds an integer of any size to the sum. */
  addExact(group: number, value: bigint): void {
    this.spill.set(group, (this.spill.get(group) ?? 0n) + BigInt(this.sums[group]) + value);
    this.sums[group] = 0;
  }

  /** The exact integer sum. */
  total(group: number): bigint {
    return (this.spill.get(group) ?? 0n) + BigInt(this.sums[group]);
  }

  /** Whether the exact integer sum is just sums[group]. */
  isSmall(group: number): boolean {
    return this.spill.size === 0 || !this.spill.has(group);
  }

  /** The result into a register; returns its null flag. */
  result(group: number, registers: RegisterFile, register: number): number {
    const count = this.counts[group];
    if (this.kind === COUNT) {
      registers.num[register] = count;
      return 0;
    }
    if (count === 0) return 1;
    switch (this.kind) {
      case 1: // sum of int
        if (this.isSmall(group)) registers.num[register] = this.sums[group];
        else {
          const total = this.total(group);
          if (total < INT64_MIN || total > INT64_MAX) throw new SqlError('overflow', 'sum(int) overflow');
          writeInteger(registers.num, registers.big, register, total);
        }
        return 0;
      case 2: // sum of double
        registers.num[register] = finite(this.sums[group], 'sum');
        return 0;
      case 3: // avg of int
        registers.num[register] = (this.isSmall(group) ? this.sums[group] : Number(this.total(group))) / count;
        return 0;
      case 4: // avg of double
        registers.num[register] = finite(this.sums[group], 'avg') / count;
        return 0;
      default:
        return this.values!.load(group, registers, register);
    }
  }
}

function finite(sum: number, name: string): number {
  if (!Number.isFinite(sum)) throw new SqlError('overflow', `${name}(double) overflow`);
  return sum;
}
