/**
 * Values of identity columns: one 64-bit counter a table in shared memory, the next value, from which batches take values by
 * atomic additions, in blocks where the number of rows is known. A supplied value is kept and moves the counter past it.
 *
 * A counter that has given out 2^63 - 1 wraps to -2^63; a negative counter means that the values are used up.
 */

import { SqlError } from '../base/errors.ts';
import type { Memory } from '../base/memory.ts';
import { EXACT_MAX, INT64_MAX } from '../types/int64.ts';

export class IdentityValues {
  /** The value last taken where `take` gave NaN: beyond 2^53. */
  big = 0n;

  private counter: BigInt64Array = NO_COUNTER;
  private index = 0;
  private next = 0;
  private end = 0;
  /** Values taken since `open`, roughly. */
  private taken = 0;

  /** Starts taking values of the counter at `ref` (16-byte units). */
  open(memory: Memory, ref: number): void {
    this.counter = memory.big[ref >>> 26]!;
    this.index = (ref & 0x3ffffff) << 1;
    this.taken = 0;
    this.next = 0;
    this.end = 0;
  }

  /** Reserves a block for `count` rows; what is left over is given back by `close`. */
  reserve(count: number): void {
    if (count <= 1 || this.next < this.end) return;
    const first = this.add(BigInt(count));
    if (first + BigInt(count) > BigInt(EXACT_MAX)) {
      // Beyond 2^53 values are taken one by one, as BigInt.
      Atomics.compareExchange(this.counter, this.index, first + BigInt(count), first);
      return;
    }
    this.next = Number(first);
    this.end = this.next + count;
  }

  /** The next value: a number, or NaN with the value in `big`. Throws out_of_range when all are used up. */
  take(): number {
    if (this.next < this.end) return this.next++;
    if (this.taken >= BLOCK_MIN) {
      // An import does not say how many rows it has: blocks grow with what it has taken, so at most half is left over.
      this.reserve(Math.min(this.taken, BLOCK_MAX));
      this.taken *= 2;
      if (this.next < this.end) return this.next++;
    }
    this.taken++;
    const value = this.add(1n);
    if (value < BigInt(EXACT_MAX)) return Number(value);
    this.big = value;
    return Number.NaN;
  }

  /** A row brings its own value: later ones are greater. */
  supply(num: number, big: bigint): void {
    if (!Number.isNaN(num)) {
      if (num < this.next) return;
      if (num < this.end) {
        this.next = num + 1;
        return;
      }
      this.raise(BigInt(num) + 1n);
    } else if (big > 0n) {
      this.raise(big + 1n);
    }
    this.next = 0;
    this.end = 0;
  }

  /** Gives back what is left of a block, if nobody took values after it. */
  close(): void {
    if (this.next < this.end) Atomics.compareExchange(this.counter, this.index, BigInt(this.end), BigInt(this.next));
    this.next = 0;
    this.end = 0;
  }

  private raise(next: bigint): void {
    const wrapped = BigInt.asIntN(64, next);
    let current = Atomics.load(this.counter, this.index);
    while (current >= 0n && current < next) {
      const seen = Atomics.compareExchange(this.counter, this.index, current, wrapped);
      if (seen === current) return;
      current = seen;
    }
  }

  private add(count: bigint): bigint {
    const first = Atomics.add(this.counter, this.index, count);
    if (first < 0n || first > INT64_MAX - count + 1n) {
      Atomics.sub(this.counter, this.index, count);
      throw new SqlError('out_of_range', 'the identity values of the table are used up');
    }
    return first;
  }
}

const BLOCK_MIN = 8;
const BLOCK_MAX = 1024;
const NO_COUNTER: BigInt64Array = new BigInt64Array(1);
