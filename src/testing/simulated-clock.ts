/** Virtual time: it stands still until somebody moves it. Callbacks are due at a time, and run when they are asked for. */

import type { Clock } from '../base/effects.ts';

type Timer = { readonly dueMicroseconds: number; readonly callback: () => void };

/** 2001-09-09 01:46:40 UTC. */
const START_MICROSECONDS = 1e15;

export class SimulatedClock implements Clock {
  private microseconds: number = START_MICROSECONDS;
  /** Sorted by when they are due; of equal ones the earlier set first. */
  private readonly timers: Timer[] = [];

  nowMicroseconds(): number {
    return this.microseconds;
  }

  monotonicMilliseconds(): number {
    return (this.microseconds - START_MICROSECONDS) / 1000;
  }

  /** Lets time pass. */
  advance(microseconds: number): void {
    this.microseconds += microseconds;
  }

  setTimer(delayMs: number, callback: () => void): void {
    const dueMicroseconds = this.microseconds + delayMs * 1000;
    let at = this.timers.length;
    while (at > 0 && this.timers[at - 1]!.dueMicroseconds > dueMicroseconds) at--;
    this.timers.splice(at, 0, { dueMicroseconds, callback });
  }

  /** Microseconds until the first timer is due, 0 where it is; undefined where there is none. */
  untilNextTimer(): number | undefined {
    const first = this.timers[0];
    return first === undefined ? undefined : Math.max(0, first.dueMicroseconds - this.microseconds);
  }

  /** Runs the first timer; it has to be due. */
  runTimer(): void {
    this.timers.shift()!.callback();
  }

  /** Forgets all timers: who set them is gone. */
  clearTimers(): void {
    this.timers.length = 0;
  }
}
