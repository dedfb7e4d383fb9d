/**
 * What PROFILE tells of a program's run in one thread: of every step of its plan (planner/plan-node.ts), by its number, the
 * rows that it has given and the milliseconds from the beginning of its statement to its end. The opcodes of family 5 that
 * fill it are in programs compiled for PROFILE only. Steps that are one loop end together.
 */

import type { Clock } from '../../base/effects.ts';

export class StepProfile {
  readonly rows: Float64Array;
  readonly milliseconds: Float64Array;
  /** Rows that cursors had passed when the statement began. */
  passedRows = 0;
  private readonly clock: Clock;
  private startMs = 0;

  constructor(stepCount: number, clock: Clock) {
    this.rows = new Float64Array(stepCount);
    this.milliseconds = new Float64Array(stepCount);
    this.clock = clock;
  }

  /** A statement begins in this section. */
  begin(passedRows: number): void {
    this.startMs = this.clock.monotonicMilliseconds();
    this.passedRows = passedRows;
  }

  /** The step ends in this section; a step of two sections has the sum. */
  end(step: number): void {
    this.milliseconds[step]! += Math.max(0, this.clock.monotonicMilliseconds() - this.startMs);
  }
}
