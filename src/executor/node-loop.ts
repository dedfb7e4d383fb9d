/**
 * A node walks the order ring: runs its parts in ticket order, votes, undoes. One step function that never blocks; the
 * thread's loop (node-thread.ts) or the inline engine calls it.
 *
 * What a node is doing, and what moves it on:
 *
 *   WALKING ── ticket of its own ── run: part runs, vote ───────────────────────────▶ WALKING (WAIT ticket: LEAVING)
 *   WALKING ── drained fence, final = ticket ── arrive: undo is empty ──────────────▶ FENCED
 *   FENCED  ── step raised by main ── work ─────────────────────────────────────────▶ FENCED
 *   FENCED  ── final passed the fence ──────────────────────────────────────────────▶ WALKING
 *   LEAVING ── votes = 0 ── leave: undoes at once when the ticket FAILED ───────────▶ WALKING
 *   WALKING, LEAVING ── epoch rose ── undo: everything from abortAt, acknowledges ──▶ UNDONE
 *   UNDONE  ── resume = epoch ──────────────────────────────────────────────────────▶ WALKING, at the resume point
 *
 * Own tickets that are not final lie in a FIFO with the marks of undo and redo before each: a rollback pops from the
 * young end, `final` releases from the old end.
 */

import { assert } from '../base/assert.ts';
import { SqlError } from '../base/errors.ts';
import type { Committer } from './committer.ts';
import { refusal } from './committer.ts';
import type { Control } from './control.ts';
import {
  CONTROL_ABORT_AT,
  CONTROL_CATALOG_VERSION,
  CONTROL_EPOCH,
  CONTROL_FINAL,
  CONTROL_MODE,
  CONTROL_RESUME,
  CONTROL_ROLLBACK,
  FATE_FAILED,
  FATE_OK,
  FATE_STALE,
  FLAG_DRAINED,
  FLAG_REDO,
  FLAG_TAIL,
  FLAG_UNLOGGED,
  FLAG_WAIT,
  FLAG_WRITES,
  FLAG_WROTE,
  MODE_NORMAL,
  PART_STATE,
  PART_STATE_OK,
  ROLLBACK_ABORT,
  SLOT_ARRIVED,
  SLOT_ATTEMPT,
  SLOT_BLOCK,
  SLOT_FATE,
  SLOT_FLAGS,
  SLOT_FRONTEND,
  SLOT_MASK_HIGH,
  SLOT_MASK_LOW,
  SLOT_PARTICIPANTS,
  SLOT_PUBLISHED,
  SLOT_STEP,
  SLOT_VERSION,
  SLOT_VOTES,
  SLOT_WORK_VOTES,
} from './layout.ts';
import { type BlockMemory, BlockView, beginPart, writeError } from './request-block.ts';
import { acknowledgeRollback, resumePoint } from './rollback.ts';

/** What a step has done: nothing to do. */
export const STEP_IDLE = 0;
/** It ran or undid something: call again. */
export const STEP_RAN = 1;
/** It stands at a ticket and waits for other threads. */
export const STEP_WAITING = 2;

/** Result of PartRunner.run, a sum: the part changed data. */
export const PART_WROTE = 1;
/** It has redo to log: the PART_REDO_* words are set. */
export const PART_REDO = 2;
/** It gave up because `shouldGiveUp` said so; not with others. */
export const PART_INTERRUPTED = 4;
/** It changed rows of unlogged tables. */
export const PART_UNLOGGED = 8;

/**
 * What the node loop runs: the VM, storage, undo and redo of one node. Marks are positions that only the runner
 * understands; they rise. All calls come from the node's thread.
 */
export interface PartRunner {
  /**
   * Runs the part of node `node` of a request: `part` is the word index of its record in `view.words`, made fresh.
   * Returns PART_* flags; throws SqlError (with `statement` and `row`) when it fails: what it did is undone by `rollbackTo`.
   * Anything else that is thrown is a bug and ends the process. Long loops ask NodeLoop.shouldGiveUp.
   */
  run(view: BlockView, part: number, ticket: number): number;
  /** Runs the tail of the coordinator section where it can fail, once all parts have run; throws SqlError. */
  runTail(view: BlockView): void;
  /** Frees the result pages of a part whose result nobody will read, of this node. */
  discardResult(view: BlockView, part: number): void;
  undoMark(): number;
  redoMark(): number;
  /** Undoes, youngest first, what was done since both marks; drops the redo. Never fails. */
  rollbackTo(undoMark: number, redoMark: number): void;
  /** What was undone or logged before both marks is final: space freed there may be used again. */
  release(undoMark: number, redoMark: number): void;
  /** The work of a drained fence: the command of the block (BLOCK_COMMAND_*). Not undone; throws SqlError. */
  applyFence(view: BlockView, part: number): void;
  /** Between two parts, when there is nothing else to do. True when there is more of it to do at once. */
  housekeep?(): boolean;
}

export class NodeLoop {
  readonly node: number;
  readonly control: Control;
  private readonly words: Int32Array;
  private readonly committer: Committer;
  private readonly runner: PartRunner;
  private readonly view: BlockView;
  private readonly maskWord: number;
  private readonly maskBit: number;
  /** The next ticket to look at. */
  private position: number;
  /** The last rollback that this node has acknowledged. */
  private epoch: number;
  private isUndone = false;
  private isArrived = false;
  private fenceStep = 0;
  private isLeaving = false;
  /** True when this node cast a last vote since it last called the committer. */
  private hasDecided = false;
  /** FIFO of own tickets not known to be final: indexes rise and are masked. */
  private readonly tickets: Int32Array;
  private readonly undoMarks: Float64Array;
  private readonly redoMarks: Float64Array;
  private readonly fifoMask: number;
  private head = 0;
  private tail = 0;

  /** @param memory this thread's arenas; the committer and the runner belong to the same thread */
  constructor(control: Control, memory: BlockMemory, node: number, committer: Committer, runner: PartRunner) {
    this.control = control;
    this.words = control.words;
    this.node = node;
    this.committer = committer;
    this.runner = runner;
    this.view = new BlockView(memory);
    this.maskWord = node < 32 ? SLOT_MASK_LOW : SLOT_MASK_HIGH;
    this.maskBit = 1 << (node & 31);
    this.position = Atomics.load(this.words, CONTROL_FINAL);
    this.epoch = Atomics.load(this.words, CONTROL_RESUME);
    this.tickets = new Int32Array(control.slotCount);
    this.undoMarks = new Float64Array(control.slotCount);
    this.redoMarks = new Float64Array(control.slotCount);
    this.fifoMask = control.slotCount - 1;
  }

  /** Runs at most `limit` parts, then lets the committer take what is decided. Returns STEP_*. */
  step(limit: number): number {
    const result = this.walk(limit);
    this.commit();
    return result;
  }

  /** For long parts, every few thousand rows: true when a rollback waits for this node. Meanwhile commits what is decided. */
  shouldGiveUp(): boolean {
    this.commit();
    return Atomics.load(this.words, CONTROL_EPOCH) !== this.epoch;
  }

  /** The half of `step` that commits. */
  commit(): void {
    if (!this.hasDecided) return;
    this.hasDecided = false;
    this.committer.step();
  }

  /** The half of `step` that runs parts, undoes and waits. */
  walk(limit: number): number {
    const words = this.words;
    if (this.isUndone) {
      if (Atomics.load(words, CONTROL_RESUME) !== this.epoch) return STEP_WAITING;
      this.isUndone = false;
    }
    if (Atomics.load(words, CONTROL_EPOCH) !== this.epoch) {
      this.undo();
      return STEP_RAN;
    }
    if (this.isLeaving && !this.leave()) return STEP_WAITING;
    const final = Atomics.load(words, CONTROL_FINAL);
    this.releaseBefore(final);
    if (((this.position - final) | 0) < 0) {
      this.position = final;
      this.isArrived = false;
    }
    let ranCount = 0;
    while (ranCount < limit) {
      const ticket = this.position;
      const slot = this.control.slotOf(ticket);
      if (Atomics.load(words, slot + SLOT_PUBLISHED) !== ticket) {
        // Not published; or final has passed it, and its slot is used again.
        if (!this.skipToFinal()) break;
        continue;
      }
      if ((Atomics.load(words, slot + this.maskWord) & this.maskBit) === 0) {
        this.position = (ticket + 1) | 0;
        continue;
      }
      // The mask may be that of the slot's next ticket. If final is not past this one, it is ours, and final waits for us.
      if (this.skipToFinal()) continue;
      if (Atomics.load(words, CONTROL_EPOCH) !== this.epoch) return STEP_RAN;
      const flags = Atomics.load(words, slot + SLOT_FLAGS);
      if ((flags & FLAG_DRAINED) !== 0) {
        const result = this.fence(ticket, slot);
        return ranCount > 0 ? STEP_RAN : result;
      }
      if (!this.run(ticket, slot, flags)) return STEP_RAN;
      this.position = (ticket + 1) | 0;
      ranCount++;
      if (this.isLeaving) break;
    }
    if (ranCount > 0) return STEP_RAN;
    return this.runner.housekeep?.() === true ? STEP_RAN : STEP_IDLE;
  }

  private skipToFinal(): boolean {
    const final = Atomics.load(this.words, CONTROL_FINAL);
    if (((final - this.position) | 0) <= 0) return false;
    this.position = final;
    this.isArrived = false;
    return true;
  }

  /** Runs the part of a ticket and votes; false when it was interrupted by a rollback. */
  private run(ticket: number, slot: number, flags: number): boolean {
    const words = this.words;
    const runner = this.runner;
    // Full of tickets that have become final since the walk began.
    if (((this.tail - this.head) | 0) > this.fifoMask) this.releaseBefore(Atomics.load(words, CONTROL_FINAL));
    const undoMark = runner.undoMark();
    const redoMark = runner.redoMark();
    const at = this.tail & this.fifoMask;
    assert(((this.tail - this.head) | 0) <= this.fifoMask, 'tickets in the air fit the ring');
    if (this.tail !== this.head) {
      const before = this.tickets[(this.tail - 1) & this.fifoMask]!;
      assert(((ticket - before) | 0) > 0, 'parts run in ticket order'); // invariant 1
    }
    this.tickets[at] = ticket;
    this.undoMarks[at] = undoMark;
    this.redoMarks[at] = redoMark;
    this.tail = (this.tail + 1) | 0;

    const view = this.view.at(words[slot + SLOT_BLOCK]!);
    const part = view.part(this.node);
    const attempt = words[slot + SLOT_ATTEMPT]!;
    beginPart(view.words, part, attempt);
    let fate = FATE_OK;
    let result = 0;
    if (words[slot + SLOT_VERSION] !== words[CONTROL_CATALOG_VERSION]) {
      // Versions change in drained fences only: all participants find the same, and none has written.
      fate = FATE_STALE;
    } else if ((flags & FLAG_WRITES) !== 0 && Atomics.load(words, CONTROL_MODE) !== MODE_NORMAL) {
      writeError(view, this.node, refusal(this.control, Atomics.load(words, CONTROL_MODE), attempt));
      fate = FATE_FAILED;
    } else {
      try {
        result = runner.run(view, part, ticket);
        view.words[part + PART_STATE] = PART_STATE_OK;
      } catch (error) {
        this.fail(error, part, undoMark, redoMark);
        fate = FATE_FAILED;
      }
      if ((result & PART_INTERRUPTED) !== 0) {
        assert(Atomics.load(words, CONTROL_EPOCH) !== this.epoch, 'a part is interrupted by a rollback only');
        runner.discardResult(view, part);
        runner.rollbackTo(undoMark, redoMark);
        this.tail = (this.tail - 1) | 0;
        return false;
      }
    }
    assert(words[slot + SLOT_ATTEMPT] === attempt, 'no vote for an old attempt'); // invariant 4
    if (words[slot + SLOT_PARTICIPANTS] === 1) this.voteAlone(slot, flags, fate, result, undoMark, redoMark);
    else this.vote(slot, flags, fate, result, undoMark, redoMark);
    return true;
  }

  /** Undoes a failed part at once and stores its error. */
  private fail(error: unknown, part: number, undoMark: number, redoMark: number): void {
    if (!(error instanceof SqlError)) throw error;
    this.runner.discardResult(this.view, part);
    this.runner.rollbackTo(undoMark, redoMark);
    writeError(this.view, this.node, error);
  }

  /** The vote of the only participant: nobody else touches the slot before votes is 0. */
  private voteAlone(
    slot: number,
    flags: number,
    fate: number,
    result: number,
    undoMark: number,
    redoMark: number,
  ): void {
    const words = this.words;
    if (fate === FATE_OK && (flags & FLAG_TAIL) !== 0 && !this.runTail()) {
      this.runner.rollbackTo(undoMark, redoMark);
      fate = FATE_FAILED;
      result = 0;
    }
    if (result !== 0) words[slot + SLOT_FLAGS] = flags | slotFlags(result);
    if (fate !== FATE_OK) words[slot + SLOT_FATE] = fate;
    Atomics.store(words, slot + SLOT_VOTES, 0);
    this.hasDecided = true;
  }

  private vote(slot: number, flags: number, fate: number, result: number, undoMark: number, redoMark: number): void {
    const words = this.words;
    this.isLeaving = (flags & FLAG_WAIT) !== 0;
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
    if ((flags & FLAG_TAIL) !== 0 && Atomics.load(words, slot + SLOT_FATE) === FATE_OK && !this.runTail()) {
      Atomics.store(words, slot + SLOT_FATE, FATE_FAILED);
    }
    // Once votes is 0 the slot may be used again.
    const maskLow = words[slot + SLOT_MASK_LOW]!;
    const maskHigh = words[slot + SLOT_MASK_HIGH]!;
    Atomics.store(words, slot + SLOT_VOTES, 0);
    this.hasDecided = true;
    if (this.isLeaving) this.control.wakeNodes(maskLow, maskHigh);
  }

  private runTail(): boolean {
    try {
      this.runner.runTail(this.view);
      return true;
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      writeError(this.view, this.control.nodeCount, error);
      return false;
    }
  }

  /** A WAIT ticket: true once all have voted and this node has left it. Final waits for all to leave, so the slot is valid. */
  private leave(): boolean {
    const words = this.words;
    const at = (this.tail - 1) & this.fifoMask;
    const slot = this.control.slotOf(this.tickets[at]!);
    if (Atomics.load(words, slot + SLOT_VOTES) !== 0) return false;
    this.isLeaving = false;
    if (Atomics.load(words, slot + SLOT_FATE) === FATE_FAILED) {
      this.runner.rollbackTo(this.undoMarks[at]!, this.redoMarks[at]!);
    }
    const participants = words[slot + SLOT_PARTICIPANTS]!;
    if (Atomics.add(words, slot + SLOT_ARRIVED, 1) + 1 === participants) this.hasDecided = true;
    this.commit();
    return true;
  }

  /** Stands at a drained fence. */
  private fence(ticket: number, slot: number): number {
    const words = this.words;
    if (Atomics.load(words, CONTROL_FINAL) !== ticket) return STEP_WAITING;
    if (!this.isArrived) {
      this.releaseBefore(ticket);
      assert(this.head === this.tail, 'at a drained fence undo is empty'); // invariant 9
      this.isArrived = true;
      this.fenceStep = 0;
      const frontend = words[slot + SLOT_FRONTEND]!;
      if (Atomics.add(words, slot + SLOT_ARRIVED, 1) + 1 === this.control.nodeCount)
        this.control.wakeFrontend(frontend);
      return STEP_RAN;
    }
    const step = Atomics.load(words, slot + SLOT_STEP);
    // If final has passed meanwhile, the step read may be that of another ticket.
    if (Atomics.load(words, CONTROL_FINAL) !== ticket) return STEP_RAN;
    if (step === this.fenceStep) return STEP_WAITING;
    this.fenceStep = step;
    const view = this.view.at(words[slot + SLOT_BLOCK]!);
    const part = view.part(this.node);
    beginPart(view.words, part, 0);
    try {
      this.runner.applyFence(view, part);
      view.words[part + PART_STATE] = PART_STATE_OK;
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      writeError(view, this.node, error);
    }
    const frontend = words[slot + SLOT_FRONTEND]!;
    if (Atomics.sub(words, slot + SLOT_WORK_VOTES, 1) === 1) this.control.wakeFrontend(frontend);
    return STEP_RAN;
  }

  /** Undoes the own tickets from abortAt on, goes back to the resume point, and acknowledges. */
  private undo(): void {
    const words = this.words;
    const epoch = Atomics.load(words, CONTROL_EPOCH);
    const abortAt = Atomics.load(words, CONTROL_ABORT_AT);
    const isAbort = Atomics.load(words, CONTROL_ROLLBACK) === ROLLBACK_ABORT;
    assert(!this.isArrived || ((this.position - abortAt) | 0) < 0, 'nothing rolls back over a drained fence');
    let undoMark = -1;
    let redoMark = -1;
    while (this.head !== this.tail) {
      const at = (this.tail - 1) & this.fifoMask;
      const ticket = this.tickets[at]!;
      if (((ticket - abortAt) | 0) < 0) break;
      // Pages of the ticket that becomes final are the frontend's, those of the ones that run again are ours.
      if (!isAbort || ticket !== abortAt) {
        const view = this.view.at(words[this.control.slotOf(ticket) + SLOT_BLOCK]!);
        this.runner.discardResult(view, view.part(this.node));
      }
      undoMark = this.undoMarks[at]!;
      redoMark = this.redoMarks[at]!;
      this.tail = (this.tail - 1) | 0;
    }
    if (undoMark >= 0) this.runner.rollbackTo(undoMark, redoMark);
    const resumeAt = resumePoint(this.control);
    if (((this.position - resumeAt) | 0) > 0) this.position = resumeAt;
    this.epoch = epoch;
    this.isUndone = true;
    this.isLeaving = false;
    this.hasDecided = false;
    acknowledgeRollback(this.control, this.view);
  }

  /** Own tickets before `final` leave the FIFO, and what they freed may be used again. */
  private releaseBefore(final: number): void {
    if (this.head === this.tail || ((this.tickets[this.head & this.fifoMask]! - final) | 0) >= 0) return;
    do this.head = (this.head + 1) | 0;
    while (this.head !== this.tail && ((this.tickets[this.head & this.fifoMask]! - final) | 0) < 0);
    const runner = this.runner;
    if (this.head === this.tail) {
      runner.release(runner.undoMark(), runner.redoMark());
    } else {
      const at = this.head & this.fifoMask;
      runner.release(this.undoMarks[at]!, this.redoMarks[at]!);
    }
  }
}

function slotFlags(result: number): number {
  return (
    ((result & PART_WROTE) !== 0 ? FLAG_WROTE : 0) |
    ((result & PART_REDO) !== 0 ? FLAG_REDO : 0) |
    ((result & PART_UNLOGGED) !== 0 ? FLAG_UNLOGGED : 0)
  );
}
