/**
 * Who goes next: one actor a step, at random. A thread may go on at once or much later, as an operating system has it; and
 * inside of a step, where a disk is at work or a part goes on to another row, others may take steps.
 */

import {
  CONTROL_EPOCH,
  CONTROL_FINAL,
  CONTROL_RESUME,
  FATE_FAILED,
  SLOT_FATE,
  SLOT_PUBLISHED,
  SLOT_VOTES,
} from '../../src/executor/layout.ts';
import type { SeededRandom } from '../../src/testing/random.ts';
import type { Actor } from './actors.ts';
import type { Machine } from './machine.ts';
import { countRollback, type SimulationReport } from './report.ts';

export const NESTED_STEPS_MAX = 12;
/** A thread that does not get on stands still for so many steps of others. */
const STILL_STEPS_MAX = 60;
const STILL_EVERY_STEPS = 60;

export class Scheduler {
  private readonly random: SeededRandom;
  private readonly report: SimulationReport;
  private readonly rowsAPoint: number;
  /** True: the life has ended, and what is still going on does not matter. */
  private readonly isOver: () => boolean;
  private machine!: Machine;
  private depth = 0;
  private epochSeen = 0;
  private still: Actor | undefined;
  private stillSteps = 0;
  private votedHead = 0;

  /** @param rowsAPoint in the middle of parts others run, or the part asks if it is to give up, at one in so many rows */
  constructor(random: SeededRandom, report: SimulationReport, rowsAPoint: number, isOver: () => boolean) {
    this.random = random;
    this.report = report;
    this.rowsAPoint = rowsAPoint;
    this.isOver = isOver;
  }

  /** Another life. */
  begin(machine: Machine): void {
    this.machine = machine;
    this.epochSeen = 0;
    this.still = undefined;
  }

  runnable(): Actor[] {
    return this.machine.actors.filter((actor) => !actor.isBusy && actor.isRunnable());
  }

  /** One step of somebody; false where nobody has anything to do. */
  step(): boolean {
    return this.stepOf(this.runnable());
  }

  /** Inside of a step, which goes on afterwards. */
  runOthers(stepCount: number): void {
    if (this.depth > 0) return;
    this.depth++;
    for (let left = stepCount; left > 0 && !this.isOver(); left--)
      this.stepOf(this.runnable().filter(({ name }) => name !== 'main'));
    this.depth--;
  }

  /** In the middle of a part: others may run; most of the time where they are about to roll back what it reads, or may be. */
  inPart(isRow: boolean): void {
    const { random } = this;
    if (this.depth > 0 || this.isOver()) return;
    const isOwnerAwaited = this.machine.parts.isOwnerAtWork && this.isHeadVoted();
    const isAwaited = isOwnerAwaited || this.hasFailedHead();
    if (isAwaited ? random.oneIn(4) : !random.oneIn(isRow ? this.rowsAPoint : 8)) return;
    this.runOthers(random.below(isOwnerAwaited || random.oneIn(4) ? 4 * NESTED_STEPS_MAX : NESTED_STEPS_MAX));
  }

  /** Who has just voted last does not commit at once, now and then, and more often where the ticket has failed: the others run on. */
  private holdBack(actor: Actor): void {
    const head = Atomics.load(this.machine.database.control.words, CONTROL_FINAL);
    if (head === this.votedHead || !this.isHeadVoted()) return;
    this.votedHead = head;
    if (!this.random.oneIn(this.hasFailedHead() ? 2 : 4)) return;
    this.still = actor;
    this.stillSteps = this.random.below(STILL_STEPS_MAX);
  }

  /** Of the first ticket that is not final all have voted. */
  private isHeadVoted(): boolean {
    const slot = this.slotOfHead();
    return slot >= 0 && this.machine.database.control.words[slot + SLOT_VOTES] === 0;
  }

  private hasFailedHead(): boolean {
    const slot = this.slotOfHead();
    return slot >= 0 && this.machine.database.control.words[slot + SLOT_FATE] === FATE_FAILED;
  }

  /** -1 where it is not published. */
  private slotOfHead(): number {
    const { control } = this.machine.database;
    const head = Atomics.load(control.words, CONTROL_FINAL);
    const slot = control.slotOf(head);
    return control.words[slot + SLOT_PUBLISHED] === head ? slot : -1;
  }

  /** Whether a part asks, at this row, if it is to give up; most of the time where it is. */
  isPolling(): boolean {
    const { words } = this.machine.database.control;
    const isRollingBack = Atomics.load(words, CONTROL_EPOCH) !== Atomics.load(words, CONTROL_RESUME);
    return isRollingBack ? this.random.oneIn(2) : this.random.oneIn(this.rowsAPoint);
  }

  private stepOf(runnable: readonly Actor[]): boolean {
    const { random } = this;
    if (runnable.length === 0) return false;
    if (this.stillSteps > 0) this.stillSteps--;
    else if (random.oneIn(STILL_EVERY_STEPS)) {
      this.still = runnable[random.below(runnable.length)]!;
      this.stillSteps = random.below(STILL_STEPS_MAX);
    } else this.still = undefined;
    const actor = runnable[random.below(runnable.length)]!;
    if (actor === this.still && runnable.length > 1) this.take(runnable.find((other) => other !== actor)!);
    else this.take(actor);
    return true;
  }

  private take(actor: Actor): void {
    const { report, machine } = this;
    report.steps++;
    report.trace = Math.imul(report.trace ^ machine.actors.indexOf(actor), 0x01000193) + machine.finalCount;
    actor.isBusy = true;
    try {
      actor.step();
    } catch (error) {
      machine.fail(error);
    }
    actor.isBusy = false;
    const { control } = machine.database;
    const epoch = Atomics.load(control.words, CONTROL_EPOCH);
    if (epoch === this.epochSeen) {
      if (this.stillSteps === 0) this.holdBack(actor);
      return;
    }
    this.epochSeen = epoch;
    countRollback(report, control);
  }
}
