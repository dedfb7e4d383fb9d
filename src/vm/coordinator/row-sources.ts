/**
 * The rows of a function in FROM: they are made one after another, so that a long series takes no memory. A coordinator's
 * program walks them by source_next and reads them by source_value.
 */

import { SqlError } from '../../base/errors.ts';
import type { Memory } from '../../base/memory.ts';
import { getBig, INT64_MAX, INT64_MIN, setBig } from '../../types/int64.ts';
import { compareIntervals, createInterval, type IntervalValue, readInterval } from '../../types/interval.ts';
import { JSON_ARRAY, JSON_CONTAINER_BYTES, jsonCount, jsonEnd } from '../../types/json/binary.ts';
import { addInterval } from '../../types/time-arithmetic.ts';
import type { TimeZone } from '../../types/time-zone.ts';
import { TIMESTAMP_BIG } from '../../types/timestamp.ts';
import type { Vm } from '../core/vm.ts';

export interface FunctionRows {
  /** To the next row; false at the end. */
  next(): boolean;
  /** The value of the row into a register, and its null flag. */
  load(vm: Vm, register: number): void;
}

/** Ints from one to another by a step: numbers where all three are safe, else bigints. */
export class IntegerSeries implements FunctionRows {
  private isBig = false;
  private current = 0;
  private last = 0;
  private step = 0;
  private bigCurrent = 0n;
  private bigLast = 0n;
  private bigStep = 0n;

  /** From register `first` to first + 1 by first + 2; false where it has no row. Throws invalid_value for a step of 0. */
  open(vm: Vm, first: number): boolean {
    const { num } = vm;
    this.current = num[first];
    this.last = num[first + 1];
    this.step = num[first + 2];
    if (this.step === 0) throw zeroStep();
    this.isBig = !(
      Number.isSafeInteger(this.current) &&
      Number.isSafeInteger(this.last) &&
      Number.isSafeInteger(this.step)
    );
    if (!this.isBig) return this.step > 0 ? this.current <= this.last : this.current >= this.last;
    this.bigCurrent = getBig(vm, first);
    this.bigLast = getBig(vm, first + 1);
    this.bigStep = getBig(vm, first + 2);
    return this.bigStep > 0n ? this.bigCurrent <= this.bigLast : this.bigCurrent >= this.bigLast;
  }

  next(): boolean {
    if (this.isBig) return this.nextBig();
    // Below 2^54 in size: where it rounds, it is beyond `last` before and after.
    this.current += this.step;
    return this.step > 0 ? this.current <= this.last : this.current >= this.last;
  }

  private nextBig(): boolean {
    const value = this.bigCurrent + this.bigStep;
    if (value > INT64_MAX || value < INT64_MIN) return false;
    this.bigCurrent = value;
    return this.bigStep > 0n ? value <= this.bigLast : value >= this.bigLast;
  }

  load(vm: Vm, register: number): void {
    vm.nul[register] = 0;
    if (!this.isBig) {
      vm.num[register] = this.current;
      return;
    }
    setBig(vm, register, this.bigCurrent);
  }
}

const NO_INTERVAL = new Int32Array(4);

/**
 * Timestamps from one to another by an interval, each step from the value before, on the calendar of the request's time zone:
 * 31 January by a month goes on with 28 February and 28 March, as in PostgreSQL.
 */
export class TimeSeries implements FunctionRows {
  private readonly step: IntervalValue = createInterval();
  private zone!: TimeZone;
  private isUpward = true;
  private current = 0;
  private currentBig = 0n;
  private last = 0;
  private lastBig = 0n;

  /** As IntegerSeries, with an interval in register first + 2. */
  open(vm: Vm, first: number): boolean {
    const ref = vm.num[first + 2];
    const words = vm.memory.i32[ref >>> 26];
    const word = (ref & 0x3ffffff) << 2;
    readInterval(words, word, this.step);
    const direction = compareIntervals(words, word, NO_INTERVAL, 0);
    if (direction === 0) throw zeroStep();
    this.isUpward = direction > 0;
    this.zone = vm.timeZone;
    this.current = vm.num[first];
    if (Number.isNaN(this.current)) this.currentBig = vm.big[first];
    this.last = vm.num[first + 1];
    if (Number.isNaN(this.last)) this.lastBig = vm.big[first + 1];
    return this.isWithin();
  }

  next(): boolean {
    const before = this.current;
    const beforeBig = this.currentBig;
    try {
      this.current = addInterval(this.current, this.currentBig, this.step, 1, this.zone);
    } catch (error) {
      // Beyond the years of timestamps there is nothing more.
      if (error instanceof SqlError) return false;
      throw error;
    }
    if (Number.isNaN(this.current)) this.currentBig = TIMESTAMP_BIG[0];
    if (order(this.current, this.currentBig, before, beforeBig) > 0 !== this.isUpward) throw noProgress();
    return this.isWithin();
  }

  private isWithin(): boolean {
    const difference = order(this.current, this.currentBig, this.last, this.lastBig);
    return this.isUpward ? difference <= 0 : difference >= 0;
  }

  load(vm: Vm, register: number): void {
    vm.nul[register] = 0;
    vm.num[register] = this.current;
    if (Number.isNaN(this.current)) vm.big[register] = this.currentBig;
  }
}

/** The order of two timestamps, each a number, or NaN and a bigint. */
function order(left: number, leftBig: bigint, right: number, rightBig: bigint): number {
  const difference = left - right;
  if (!Number.isNaN(difference)) return difference;
  const a = Number.isNaN(left) ? leftBig : BigInt(left);
  const b = Number.isNaN(right) ? rightBig : BigInt(right);
  return a === b ? 0 : a < b ? -1 : 1;
}

/** The elements of a JSON array; any other value is one row, and so is NULL. */
export class JsonElements implements FunctionRows {
  private readonly memory: Memory;
  private bytes!: Uint8Array;
  /** Where the element is, and how many there are with it. */
  private at = 0;
  private left = 0;
  private isNull = false;

  constructor(memory: Memory) {
    this.memory = memory;
  }

  /** The value in `register` must stay where it is until the end of the walk. False where it has no row. */
  open(vm: Vm, register: number): boolean {
    this.isNull = vm.nul[register] !== 0;
    this.left = 1;
    if (this.isNull) return true;
    const ref = vm.num[register];
    this.bytes = this.memory.u8[ref >>> 26];
    this.at = ((ref & 0x3ffffff) << 4) + 4;
    if (this.bytes[this.at] !== JSON_ARRAY) return true;
    this.left = jsonCount(this.bytes, this.at);
    this.at += JSON_CONTAINER_BYTES;
    return this.left > 0;
  }

  next(): boolean {
    if (--this.left === 0) return false;
    this.at = jsonEnd(this.bytes, this.at);
    return true;
  }

  load(vm: Vm, register: number): void {
    vm.nul[register] = this.isNull ? 1 : 0;
    if (!this.isNull) vm.num[register] = vm.scratch.text(this.bytes, this.at, jsonEnd(this.bytes, this.at));
  }
}

/** A step of a month less its days can stand still, or go back and forth. */
function noProgress(): SqlError {
  return new SqlError('invalid_value', 'generate_series: the step does not move on');
}

function zeroStep(): SqlError {
  return new SqlError('invalid_value', 'generate_series: the step is zero');
}
