/**
 * One timer wheel for all connections of a server, instead of a timer a request.
 *
 * A connection has at most one deadline. Moving it to a later time writes a number only: when the old bucket comes round,
 * the connection is put into the bucket of its new deadline. A request that arrives in one piece never gets here.
 */

import { assert } from '../../base/assert.ts';
import { TICK_MS, WHEEL_BUCKET_COUNT } from './limits.ts';

/** What has a deadline. Both fields belong to the wheel. */
export type Timed = {
  /** Infinity without a deadline. */
  deadlineMs: number;
  /** The tick at which it is looked at next, -1 when it is in no bucket. */
  wheelTick: number;
};

export class TimerWheel<Owner extends Timed> {
  readonly #buckets: Set<Owner>[] = [];
  readonly #expire: (owner: Owner) => void;
  #tick: number;

  /** `expire` is called once for each deadline that has passed; it may set a new one. */
  constructor(nowMs: number, expire: (owner: Owner) => void) {
    for (let index = 0; index < WHEEL_BUCKET_COUNT; index++) this.#buckets.push(new Set());
    this.#expire = expire;
    this.#tick = tickAt(nowMs);
  }

  /** Sets the deadline, no further ahead than one turn of the wheel. */
  arm(owner: Owner, deadlineMs: number): void {
    owner.deadlineMs = deadlineMs;
    const tick = Math.max(tickAt(deadlineMs) + 1, this.#tick + 1);
    assert(tick - this.#tick <= WHEEL_BUCKET_COUNT, 'a deadline fits the wheel');
    if (owner.wheelTick >= 0) {
      if (owner.wheelTick <= tick) return;
      this.#bucket(owner.wheelTick).delete(owner);
    }
    owner.wheelTick = tick;
    this.#bucket(tick).add(owner);
  }

  /** Takes the deadline away. The owner leaves its bucket when that comes round. */
  disarm(owner: Owner): void {
    owner.deadlineMs = Number.POSITIVE_INFINITY;
  }

  /** The owner is gone: the wheel must not hold it in memory. */
  remove(owner: Owner): void {
    owner.deadlineMs = Number.POSITIVE_INFINITY;
    if (owner.wheelTick >= 0) this.#bucket(owner.wheelTick).delete(owner);
    owner.wheelTick = -1;
  }

  /** Looks at every bucket up to `nowMs`. */
  advance(nowMs: number): void {
    const target = tickAt(nowMs);
    // After a long stop of the process one full turn sees everything.
    if (target - this.#tick > WHEEL_BUCKET_COUNT) this.#tick = target - WHEEL_BUCKET_COUNT;
    while (this.#tick < target) {
      this.#tick++;
      const bucket = this.#bucket(this.#tick);
      if (bucket.size === 0) continue;
      const owners = [...bucket];
      bucket.clear();
      for (const owner of owners) {
        owner.wheelTick = -1;
        if (owner.deadlineMs <= nowMs) {
          owner.deadlineMs = Number.POSITIVE_INFINITY;
          this.#expire(owner);
        } else if (owner.deadlineMs !== Number.POSITIVE_INFINITY) {
          this.arm(owner, owner.deadlineMs);
        }
      }
    }
  }

  #bucket(tick: number): Set<Owner> {
    return this.#buckets[tick & (WHEEL_BUCKET_COUNT - 1)]!;
  }
}

function tickAt(timeMs: number): number {
  return Math.floor(timeMs / TICK_MS);
}
