/**
 * How often a program has failed lately where several nodes ran it, and by that whether its tickets carry FLAG_WAIT.
 *
 * A failure that a node has run ahead of costs a rollback of everything behind it on all nodes; a ticket that waits costs its
 * participants the time until the last vote, and never a rollback. One object a program in each frontend; tickets of a single
 * node need neither, and are not counted.
 *
 *   RUNNING AHEAD ── count: over 1 in 8 of the runs failed, and at least 12 ──▶ WAITING
 *   WAITING       ── count: under 1 in 16 did ────────────────────────────────▶ RUNNING AHEAD
 *
 * Both counts are halved when the runs reach 512: what happened 512 runs ago weighs half. The flag of a ticket is what holds
 * when it is published; its reruns keep it.
 */

/** Runs at which both counts are halved. */
const WINDOW_RUNS = 512;
/**
 * One failure in so many runs is the border to WAITING, and one in twice as many the border back. Measured: waiting loses
 * two thirds of the rate at 5 % of failures, a quarter at 10 %, and wins half of it at 20 % (docs/decisions/waiting-shapes.md).
 */
const RUNS_PER_FAILURE_WAITING = 8;
const RUNS_PER_FAILURE_AHEAD = 16;
/** Fewer may be chance: at 5 % of failures, 12 among the first 96 runs come once in 330 times. */
const FAILURE_COUNT_MIN = 12;

export class FailureRate {
  /** True: the program's tickets of several nodes carry FLAG_WAIT. */
  isWaiting = false;
  private runCount = 0;
  private failureCount = 0;

  /** A ticket of several nodes is final. */
  count(hasFailed: boolean): void {
    this.runCount++;
    if (hasFailed) this.failureCount++;
    if (this.isWaiting) this.isWaiting = this.failureCount * RUNS_PER_FAILURE_AHEAD >= this.runCount;
    else if (this.failureCount >= FAILURE_COUNT_MIN)
      this.isWaiting = this.failureCount * RUNS_PER_FAILURE_WAITING > this.runCount;
    if (this.runCount < WINDOW_RUNS) return;
    this.runCount >>>= 1;
    this.failureCount >>>= 1;
  }
}

/** Whether the mask has nodes besides one. */
export function hasSeveralNodes(maskLow: number, maskHigh: number): boolean {
  return (maskLow & (maskLow - 1)) !== 0 || (maskHigh & (maskHigh - 1)) !== 0 || (maskLow !== 0 && maskHigh !== 0);
}
