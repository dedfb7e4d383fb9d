/** Places of the identity counters: one 64-bit word a table, each on 64 bytes of its own, in pages of main. */

import { PAGE_BYTES } from '../../base/limits.ts';
import type { Memory } from '../../base/memory.ts';

const COUNTER_BYTES = 64;

export class IdentityCounters {
  readonly #memory: Memory;
  readonly #free: number[] = [];

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** A counter at 0: its ref. Throws out_of_memory. */
  take(): number {
    if (this.#free.length === 0) {
      const page = this.#memory.allocateZeroed(1);
      for (let at = PAGE_BYTES - COUNTER_BYTES; at >= 0; at -= COUNTER_BYTES)
        this.#free.push((page * 1024 + at / 16) >>> 0);
    }
    const ref = this.#free.pop()!;
    this.#set(ref, 0n);
    return ref;
  }

  release(ref: number): void {
    this.#free.push(ref);
  }

  /** Raises the next value to `next` at least; 2^63 means that the values are used up. */
  raise(ref: number, next: bigint): void {
    const words = this.#memory.big[ref >>> 26]!;
    const index = (ref & 0x3ffffff) << 1;
    const current = Atomics.load(words, index);
    // A negative counter is used up (program/identity.ts).
    if (current >= 0n && current < next) Atomics.store(words, index, BigInt.asIntN(64, next));
  }

  /** The next value; negative when all are used up. */
  next(ref: number): bigint {
    return Atomics.load(this.#memory.big[ref >>> 26]!, (ref & 0x3ffffff) << 1);
  }

  /** Sets the next value to what next() gave: of a counter that nobody uses yet. */
  restore(ref: number, value: bigint): void {
    this.#set(ref, value);
  }

  #set(ref: number, value: bigint): void {
    Atomics.store(this.#memory.big[ref >>> 26]!, (ref & 0x3ffffff) << 1, value);
  }
}
