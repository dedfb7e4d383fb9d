/**
 * Tickets with FLAG_ROUNDS: a later step needs what an earlier one found on other nodes, so the participants stay with the
 * ticket from step to step. Statements that need nothing of each other are in one step and run at once; a middle section
 * awaits only the participants whose results it needs, and the others run on meanwhile.
 *
 * A participant, which has done step s of its part; `published` is the step word of the slot:
 *
 *   AWAITED  ── arrive: a failure is stored as fate, arrived + 1 ──▶ WAITING; the last to arrive: MIDDLE
 *   MIDDLE   ── complete: a fate FAILED ends it, else the middle section decides; publishes ──▶ WAITING
 *   WAITING  ── published > s ── runs step s + 1, unless its part has failed ──▶ AWAITED, or WAITING if not awaited in it
 *   WAITING  ── published = s, with ROUND_LAST ── over: a failed part stores its error ──▶ votes once, keeping its undo
 *   WAITING, AWAITED ── epoch rose ── NodeLoop.undo: the slot is made fresh, so nobody arrives for an old attempt
 *
 * The ticket, by its step word and arrivals:
 *
 *   (s, arrived < awaited) ── the last arrives, and holds the slot until it publishes ──▶ one of
 *     (s + 1, 0)               MIDDLE_STEP: the step is followed by another middle section
 *     (s + 1 | ROUND_LAST, 0)  MIDDLE_LAST: parts vote when they have done it, and go on with later tickets
 *     (s | ROUND_LAST, 0)      MIDDLE_END, or the fate is FAILED: END
 *     (s | ROUND_UNDO, 0)      FLAG_STANDS, the fate is FAILED, and another node is the owner, which then publishes END
 *
 * Which steps are run does not depend on timing, as a failure counts only from the next arrival of its node on: so the
 * smallest error is always found among the same. A failed part has undone its rows at once, but its record and its pages
 * stay as they were until no step follows: others may be reading them. When END is published for a failure, each
 * participant undoes its part before it votes, so no rollback is needed: nothing has been built on it.
 *
 * FLAG_STANDS: a ticket of all nodes, one of which, the owner (fenceWorker), writes what all read, as in a plain fence.
 * Others work at the same time, but read none of that in steps from 1 on; the owner writes it in no step before. All are
 * awaited at step 0, so no node reads it for a ticket before; and at the last step, behind which MIDDLE_END comes, so none
 * for a ticket behind it. The tail is run there too, so END knows the fate; and where that is FAILED the owner has undone
 * before anyone leaves. A node that leaves for a rollback runs nothing before the owner has undone (node-loop.ts).
 */

import { assert } from '../base/assert.ts';
import { SqlError } from '../base/errors.ts';
import { refusal } from './committer.ts';
import type { Control } from './control.ts';
import {
  CONTROL_MODE,
  FATE_FAILED,
  FLAG_STANDS,
  FLAG_TAIL,
  FLAG_WRITES,
  MODE_NORMAL,
  PART_STATE,
  PART_STATE_OK,
  ROUND_LAST,
  ROUND_UNDO,
  SLOT_ARRIVED,
  SLOT_ATTEMPT,
  SLOT_FATE,
  SLOT_MASK_HIGH,
  SLOT_MASK_LOW,
  SLOT_PARTICIPANTS,
  SLOT_STEP,
} from './layout.ts';
import {
  type FenceRunner,
  MIDDLE_END,
  MIDDLE_INTERRUPTED,
  MIDDLE_LAST,
  MIDDLE_STEP,
  PART_INTERRUPTED,
  type PartRunner,
  type RoundRunner,
} from './part-runner.ts';
import { type BlockView, beginPart } from './request-block.ts';
import type { Voting } from './voting.ts';

/** What `proceed` of rounds and fences returns: the node waits for another. */
export const STAY_WAITING = 0;
/** The part is done: vote. */
export const STAY_OVER = 1;
/** A rollback waits, and what was being done was given up. */
export const STAY_INTERRUPTED = 2;

/** The ticket with rounds that a node is at. One object a node. */
export class Rounds {
  /** When over: flags of the part, and its error. */
  result = 0;
  error: SqlError | undefined;
  /** Rises when this node has run a step, or has left something to another. */
  progress = 0;
  /** Whether this node may have written what all read, in a ticket with FLAG_STANDS. */
  isOwner = false;
  private readonly control: Control;
  private readonly words: Int32Array;
  private readonly node: number;
  private readonly runner: PartRunner & RoundRunner & FenceRunner;
  private readonly voting: Voting;
  /** By slot: the ticket whose first middle section this node ran, so that what they all left is its to give back. */
  private readonly middles: Int32Array;
  private ticket = 0;
  private slot = 0;
  private flags = 0;
  private attempt = 0;
  private undoMark = 0;
  private redoMark = 0;
  private step = 0;
  private hasRun = false;
  private hasArrived = false;

  constructor(control: Control, node: number, runner: PartRunner, voting: Voting) {
    this.control = control;
    this.words = control.words;
    this.node = node;
    this.runner = runner as PartRunner & RoundRunner & FenceRunner;
    this.voting = voting;
    // A number that no ticket of the slot has.
    this.middles = new Int32Array(control.slotCount).map((_, index) => index + 1);
  }

  /** Comes to a ticket, `view` being at its block: `proceed` runs step 0. */
  begin(view: BlockView, ticket: number, slot: number, flags: number, undoMark: number, redoMark: number): void {
    const stands = (flags & FLAG_STANDS) !== 0;
    assert(
      !stands || this.words[slot + SLOT_PARTICIPANTS] === this.control.nodeCount,
      'all nodes stand at a ticket that writes what all read',
    );
    this.isOwner = stands && this.runner.fenceWorker(view) === this.node;
    this.ticket = ticket;
    this.slot = slot;
    this.flags = flags;
    this.attempt = this.words[slot + SLOT_ATTEMPT]!;
    this.undoMark = undoMark;
    this.redoMark = redoMark;
    this.step = 0;
    this.hasRun = false;
    this.hasArrived = false;
    this.result = 0;
    this.error = undefined;
  }

  /** Goes as far as it can without the others: STAY_*. `view` is at the ticket's block, `part` this node's record. */
  proceed(view: BlockView, part: number): number {
    const words = this.words;
    for (;;) {
      assert(words[this.slot + SLOT_ATTEMPT] === this.attempt, 'nobody arrives for an old attempt'); // invariant 4
      if (!this.hasRun) {
        if (this.error === undefined && !this.runStep(view, part)) return STAY_INTERRUPTED;
        this.hasRun = true;
        this.progress++;
      }
      const published = Atomics.load(words, this.slot + SLOT_STEP);
      const number = published & ~(ROUND_LAST | ROUND_UNDO);
      assert(number >= this.step, 'steps go forward');
      if (number > this.step) {
        this.step++;
        this.hasRun = false;
        this.hasArrived = false;
      } else if ((published & ROUND_LAST) !== 0) {
        return STAY_OVER;
      } else if ((published & ROUND_UNDO) !== 0) {
        if (!this.isOwner) return STAY_WAITING;
        this.undoFirst();
        this.publish(this.step | ROUND_LAST);
      } else if (this.hasArrived || !this.runner.isAwaited(view, this.step)) {
        assert(this.runner.awaitedCount(view, this.step) > 0, 'somebody ends a step that is not the last');
        return STAY_WAITING;
      } else if (!this.arrive(view)) {
        return STAY_INTERRUPTED;
      }
    }
  }

  /** Whether the middle section may run: all whom it awaits have arrived. */
  isComplete(arrivedCount: number, awaitedCount: number): boolean {
    return arrivedCount === awaitedCount;
  }

  /** Frees what the middle sections of an undone attempt left, where that is this node's. */
  discard(view: BlockView, ticket: number): void {
    const index = this.slotIndex(ticket);
    if (this.middles[index] !== ticket) return;
    this.middles[index] = index + 1;
    this.runner.discardMiddle(view);
  }

  private slotIndex(ticket: number): number {
    return ticket & (this.control.slotCount - 1);
  }

  /** False when it was interrupted. */
  private runStep(view: BlockView, part: number): boolean {
    const { runner, step } = this;
    if (step === 0 && (this.flags & FLAG_WRITES) !== 0 && Atomics.load(this.words, CONTROL_MODE) !== MODE_NORMAL) {
      this.error = refusal(this.control, this.ticket);
      return true;
    }
    try {
      const result = step === 0 ? runner.run(view, part, this.ticket) : runner.runStep(view, part, this.ticket, step);
      if ((result & PART_INTERRUPTED) !== 0) return false;
      this.result |= result;
      view.words[part + PART_STATE] = PART_STATE_OK;
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      runner.rollbackTo(this.undoMark, this.redoMark);
      this.error = error;
      this.result = 0;
    }
    return true;
  }

  /** Says that an awaited step is done. Who completes the arrivals goes on for all. False when that was interrupted. */
  private arrive(view: BlockView): boolean {
    const words = this.words;
    const slot = this.slot;
    this.hasArrived = true;
    if (this.error !== undefined) Atomics.store(words, slot + SLOT_FATE, FATE_FAILED);
    const arrivedCount = Atomics.add(words, slot + SLOT_ARRIVED, 1) + 1;
    const awaitedCount = this.runner.awaitedCount(view, this.step);
    assert(arrivedCount <= awaitedCount, 'only who is awaited arrives, and once');
    if (!this.isComplete(arrivedCount, awaitedCount)) return true;
    const next = this.runMiddle(view);
    if (next === MIDDLE_INTERRUPTED) return false;
    assert(Atomics.load(words, slot + SLOT_ARRIVED) === awaitedCount, 'all have arrived before the next step');
    const step = next === MIDDLE_END ? this.step : this.step + 1;
    Atomics.store(words, slot + SLOT_ARRIVED, 0);
    if ((this.flags & FLAG_STANDS) !== 0 && this.endStanding(view, next, awaitedCount)) return true;
    this.publish(next === MIDDLE_STEP ? step : step | ROUND_LAST);
    return true;
  }

  private publish(step: number): void {
    const { words, slot } = this;
    Atomics.store(words, slot + SLOT_STEP, step);
    this.control.wakeNodes(words[slot + SLOT_MASK_LOW]!, words[slot + SLOT_MASK_HIGH]!);
  }

  /**
   * Behind a middle section of a ticket with FLAG_STANDS. Where it has failed, its owner undoes before anyone leaves: this node,
   * or who is woken to do it, and then it is true.
   */
  private endStanding(view: BlockView, next: number, awaitedCount: number): boolean {
    const { words, slot } = this;
    assert(next !== MIDDLE_LAST, 'nobody leaves before all have done all');
    if (Atomics.load(words, slot + SLOT_FATE) !== FATE_FAILED) {
      const isAll = awaitedCount === words[slot + SLOT_PARTICIPANTS];
      assert(isAll || (this.step > 0 && next === MIDDLE_STEP), 'all are awaited at the first and at the last step');
      return false;
    }
    if (this.isOwner || !this.undoesFirst()) {
      this.undoFirst();
      return false;
    }
    this.progress++;
    Atomics.store(words, slot + SLOT_STEP, this.step | ROUND_UNDO);
    this.control.wakeNode(this.runner.fenceWorker(view));
    return true;
  }

  /** Whether the owner of what all read undoes a part that has failed before others leave the ticket. */
  undoesFirst(): boolean {
    return true;
  }

  /** The owner, while all others stand at the ticket, or have stopped for a rollback: nobody reads. */
  private undoFirst(): void {
    if (!this.isOwner) return;
    this.runner.rollbackTo(this.undoMark, this.redoMark);
    this.result = 0;
  }

  /** MIDDLE_*. At the end of a ticket with FLAG_STANDS the tail is run too, where it can fail: its fate is decided then. */
  private runMiddle(view: BlockView): number {
    const fate = this.slot + SLOT_FATE;
    if (Atomics.load(this.words, fate) === FATE_FAILED) return MIDDLE_END;
    if (this.step === 0) {
      beginPart(view.words, view.part(this.control.nodeCount), this.attempt);
      this.middles[this.slotIndex(this.ticket)] = this.ticket;
    }
    try {
      const next = this.runner.runMiddle(view, this.step);
      assert(next >= MIDDLE_STEP && next <= MIDDLE_INTERRUPTED, 'a middle section says how it goes on');
      const runsTail = next === MIDDLE_END && (this.flags & (FLAG_STANDS | FLAG_TAIL)) === (FLAG_STANDS | FLAG_TAIL);
      if (runsTail && !this.voting.runTail(view)) Atomics.store(this.words, fate, FATE_FAILED);
      return next;
    } catch (error) {
      this.voting.failCoordinator(view, error);
      Atomics.store(this.words, fate, FATE_FAILED);
      return MIDDLE_END;
    }
  }
}
