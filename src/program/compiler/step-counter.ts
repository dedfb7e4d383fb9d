/** Emits what counts the steps of a plan, in a program for PROFILE; in others nothing. */

import { type PlanNode, type PlanStep, type StepSide, stepsOfStatement } from '../../planner/plan-node.ts';
import type { Assembler } from './assembler.ts';

export class StepCounter {
  readonly #isProfiled: boolean;
  /** Steps of the statement that is compiled, and the number of the first. */
  #steps: readonly PlanStep[] = [];
  #first = 0;

  constructor(isProfiled: boolean) {
    this.#isProfiled = isProfiled;
  }

  get isProfiled(): boolean {
    return this.#isProfiled;
  }

  /** Steps that may be counted so far: their numbers are below it. */
  get count(): number {
    return this.#isProfiled ? this.#first + this.#steps.length : 0;
  }

  /** The plan of the statement is known. */
  open(plan: PlanNode): void {
    this.#first += this.#steps.length;
    this.#steps = stepsOfStatement(plan);
  }

  /** The statement begins in a section. */
  begin(code: Assembler): void {
    if (this.#isProfiled) code.emit('step_begin');
  }

  /** One more row of a step; where the plan has no such step, nothing. `which`: name of the step, or its place. */
  row(code: Assembler, side: StepSide, which: string | number): void {
    this.#count(code, side, which, 0, 0);
  }

  /** As many rows as group set `set` has groups. */
  groups(code: Assembler, side: StepSide, which: string | number, set: number): void {
    this.#count(code, side, which, 1, set);
  }

  /** All rows that the section has sent or written into the reply. */
  sent(code: Assembler, side: StepSide, which: string | number): void {
    this.#count(code, side, which, 2, 0);
  }

  /** All rows that the statement has passed on the node. */
  passed(code: Assembler, side: StepSide, which: string | number): void {
    this.#count(code, side, which, 3, 0);
  }

  /** The step ends. */
  end(code: Assembler, side: StepSide, which: string | number): void {
    const step = this.#number(side, which);
    if (step >= 0) code.emit('step_end', step, 0, 0, this.#comment(step));
  }

  #count(code: Assembler, side: StepSide, which: string | number, kind: number, set: number): void {
    const step = this.#number(side, which);
    if (step >= 0) code.emit('step_rows', step, kind, set, this.#comment(step));
  }

  #number(side: StepSide, which: string | number): number {
    if (!this.#isProfiled) return -1;
    const first = this.#steps.findIndex((step) => step.side === side);
    if (first < 0) return -1;
    if (typeof which === 'number') return this.#steps[first + which]?.side === side ? this.#first + first + which : -1;
    const found = this.#steps.findIndex((step) => step.side === side && step.node === which);
    return found < 0 ? -1 : this.#first + found;
  }

  #comment(step: number): string {
    return this.#steps[step - this.#first]!.node;
  }
}
