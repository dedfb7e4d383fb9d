/**
 * How a node says that its part of a ticket is done, and what the last one to say so does.
 *
 *   part done ── vote: fate or flags stored, votes - 1 ──▶ VOTED (a WAIT ticket: STAYING until `leave`)
 *   votes = 1 ── the last, before it votes: runTail, where the program has a tail that can fail ──▶ votes = 0: decided
 *   STAYING ── votes = 0 ── leave: undoes when the ticket failed, arrived + 1; final waits for all ──▶ gone
 *
 * The order of the stores: fate and flags, then votes. Whoever reads votes = 0 reads the fate and the flags of all.
 */

import { assert } from '../base/assert.ts';
import { SqlError } from '../base/errors.ts';
import type { Control } from './control.ts';
import {
  FATE_FAILED,
  FATE_OK,
  FLAG_REDO,
  FLAG_TAIL,
  FLAG_UNLOGGED,
  FLAG_WAIT,
  FLAG_WROTE,
  PART_RESULT_PAGE,
  SLOT_ARRIVED,
  SLOT_ATTEMPT,
  SLOT_FATE,
  SLOT_FLAGS,
  SLOT_MASK_HIGH,
  SLOT_MASK_LOW,
  SLOT_PARTICIPANTS,
  SLOT_VOTES,
} from './layout.ts';
import { PART_REDO, PART_UNLOGGED, PART_WROTE, type PartRunner } from './part-runner.ts';
import { type BlockView, writeError } from './request-block.ts';

export class Voting {
  /** True when this node decided a ticket since it last called the committer. */
  hasDecided = false;
  private readonly control: Control;
  private readonly words: Int32Array;
  private readonly runner: PartRunner;

  constructor(control: Control, runner: PartRunner) {
    this.control = control;
    this.words = control.words;
    this.runner = runner;
  }

  /** The vote of the only participant: nobody else touches the slot before votes is 0. */
  voteAlone(
    view: BlockView,
    slot: number,
    flags: number,
    fate: number,
    result: number,
    undoMark: number,
    redoMark: number,
  ): void {
    const words = this.words;
    if (fate === FATE_OK && (flags & FLAG_TAIL) !== 0 && !this.runTail(view)) {
      this.runner.rollbackTo(undoMark, redoMark);
      fate = FATE_FAILED;
      result = 0;
    }
    if (result !== 0) words[slot + SLOT_FLAGS] = flags | slotFlags(result);
    if (fate !== FATE_OK) words[slot + SLOT_FATE] = fate;
    Atomics.store(words, slot + SLOT_VOTES, 0);
    this.hasDecided = true;
  }

  /** The vote of one of several participants. `view` is at the ticket's block. */
  vote(
    view: BlockView,
    slot: number,
    flags: number,
    fate: number,
    result: number,
    undoMark: number,
    redoMark: number,
  ): void {
    const words = this.words;
    if (fate !== FATE_OK) {
      Atomics.store(words, slot + SLOT_FATE, fate);
    } else if (result !== 0) {
      // Failed elsewhere already: this part undoes itself while that needs no rollback of what follows.
      if (Atomics.load(words, slot + SLOT_FATE) === FATE_FAILED) this.runner.rollbackTo(undoMark, redoMark);
      else Atomics.or(words, slot + SLOT_FLAGS, slotFlags(result));
    }
    for (;;) {
      const votes = Atomics.load(words, slot + SLOT_VOTES);
      if (votes === 1) break;
      if (Atomics.compareExchange(words, slot + SLOT_VOTES, votes, votes - 1) === votes) return;
    }
    // The last: all parts have run, so the tail can.
    if ((flags & FLAG_TAIL) !== 0 && Atomics.load(words, slot + SLOT_FATE) === FATE_OK && !this.runTail(view)) {
      Atomics.store(words, slot + SLOT_FATE, FATE_FAILED);
    }
    // Once votes is 0 the slot may be used again.
    const maskLow = words[slot + SLOT_MASK_LOW]!;
    const maskHigh = words[slot + SLOT_MASK_HIGH]!;
    Atomics.store(words, slot + SLOT_VOTES, 0);
    this.hasDecided = true;
    if ((flags & FLAG_WAIT) !== 0) this.control.wakeNodes(maskLow, maskHigh);
  }

  /** Runs what of the coordinator section can fail; false when it failed: its error is in the block. */
  runTail(view: BlockView): boolean {
    try {
      this.runner.runTail(view);
      return true;
    } catch (error) {
      this.failCoordinator(view, error);
      return false;
    }
  }

  /** Stores the error of a coordinator section. What middle sections left stays: others may read it, and it has an owner. */
  failCoordinator(view: BlockView, error: unknown): void {
    if (!(error instanceof SqlError)) throw error;
    const page = view.part(this.control.nodeCount) + PART_RESULT_PAGE;
    const firstPage = view.words[page]!;
    writeError(view, this.control.nodeCount, error);
    view.words[page] = firstPage;
  }

  /** A WAIT ticket: true once all have voted and this node has left it. Final waits for all to leave, so the slot is valid. */
  leave(slot: number, attempt: number, undoMark: number, redoMark: number): boolean {
    const words = this.words;
    if (Atomics.load(words, slot + SLOT_VOTES) !== 0) return false;
    assert(words[slot + SLOT_ATTEMPT] === attempt, 'nobody leaves an old attempt'); // invariant 4
    if (Atomics.load(words, slot + SLOT_FATE) === FATE_FAILED) this.runner.rollbackTo(undoMark, redoMark);
    const participants = words[slot + SLOT_PARTICIPANTS]!;
    if (Atomics.add(words, slot + SLOT_ARRIVED, 1) + 1 === participants) this.hasDecided = true;
    return true;
  }
}

function slotFlags(result: number): number {
  return (
    ((result & PART_WROTE) !== 0 ? FLAG_WROTE : 0) |
    ((result & PART_REDO) !== 0 ? FLAG_REDO : 0) |
    ((result & PART_UNLOGGED) !== 0 ? FLAG_UNLOGGED : 0)
  );
}
