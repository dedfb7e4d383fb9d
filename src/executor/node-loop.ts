/**
 * A node walks the order ring: runs its parts in ticket order, votes, undoes. One step function that never blocks; the
 * thread's loop (node-thread.ts) or the inline engine calls it.
 *
 * What a node is doing, and what moves it on. STAYING: at a ticket, waiting for other nodes; `stay` says for what.
 *
 *   WALKING ── ticket of its own ── run: part runs, vote (voting.ts) ───────────────▶ WALKING; WAIT ticket: STAYING
 *   WALKING ── ticket with rounds (rounds.ts), or plain fence (plain-fence.ts) ─────▶ STAYING, until it votes
 *   WALKING ── drained fence (fence.ts), final = ticket: undo is empty ─────────────▶ FENCED, until final passes it
 *   STAYING ── goOn: others have voted, arrived, worked ────────────────────────────▶ WALKING
 *   WALKING, STAYING ── epoch rose; a plain fence is not WORKING ── stop ───────────▶ STOPPED
 *   STOPPED ── what all read is to be undone: all have stopped ── undo: all from abortAt; acknowledges ─────────────▶ UNDONE
 *   UNDONE  ── resume = epoch ── freeUndone: results of undone parts ───────────────▶ WALKING, at the resume point
 *
 * Own tickets that are not final lie in a FIFO with the marks of undo and redo before each: a rollback pops from the
 * young end, `final` releases from the old end.
 */

import { assert } from '../base/assert.ts';
import { SqlError } from '../base/errors.ts';
import type { Committer } from './committer.ts';
import { refusal } from './committer.ts';
import type { Control } from './control.ts';
import { DrainedStand } from './fence.ts';
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
  FLAG_FENCE,
  FLAG_ROUNDS,
  FLAG_STANDS,
  FLAG_TAIL,
  FLAG_WAIT,
  FLAG_WRITES,
  MODE_NORMAL,
  PART_REDO_BYTES,
  PART_STATE,
  PART_STATE_OK,
  ROLLBACK_ABORT,
  SLOT_ATTEMPT,
  SLOT_BLOCK,
  SLOT_FATE,
  SLOT_FLAGS,
  SLOT_MASK_HIGH,
  SLOT_MASK_LOW,
  SLOT_PARTICIPANTS,
  SLOT_PUBLISHED,
  SLOT_VERSION,
} from './layout.ts';
import { PART_INTERRUPTED, PART_REDO, type PartRunner } from './part-runner.ts';
import { PlainFence } from './plain-fence.ts';
import { type BlockMemory, BlockView, beginPart, writeError } from './request-block.ts';
import { acknowledgeRollback, haveAllStopped, resumePoint, stopForRollback } from './rollback.ts';
import { Rounds, STAY_INTERRUPTED, STAY_OVER } from './rounds.ts';
import { Voting } from './voting.ts';

export { PART_INTERRUPTED, PART_REDO, PART_UNLOGGED, PART_WROTE, type PartRunner } from './part-runner.ts';

/** What a step has done: nothing to do. */
export const STEP_IDLE = 0;
/** It ran or undid something: call again. */
export const STEP_RAN = 1;
/** It waits: for all nodes to undo, and before that to stop. */
export const STEP_WAITING_ROLLBACK = 2;
/** It stays at a ticket, and waits for the other votes of a WAIT ticket; a step of a ticket with rounds; a plain fence. */
export const STEP_WAITING_VOTES = 3;
export const STEP_WAITING_ROUND = 4;
export const STEP_WAITING_FENCE = 5;
/** It stands at a drained fence: the only wait for main. */
export const STEP_WAITING_DRAINED = 6;

/**
 * A step also ends when its parts have made so much redo: they were long ones, and their clients would all wait for the last of
 * them and then send all at once, the node idle meanwhile. Upsert of 500 rows (5.5 KiB a part), 12 clients, by turns against no such
 * end: 1.12 and 1.07 times; insert 1.07; with 12 KiB 1.10 and 0.97, with 4 KiB 1.02, as waking and writing cost more then.
 */
const STEP_REDO_BYTES = 24 * 1024;

/** Stays at no ticket; else `stay` is one of STEP_WAITING_VOTES, _ROUND and _FENCE. */
const STAY_NOWHERE = 0;

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
  private isStopped = false;
  private isUndone = false;
  /** FIFO entries from `tail` to here were undone, and have results to be freed. */
  private undoneFrom = 0;
  private undoneTo = 0;
  /** What it waits for at the ticket of the youngest FIFO entry. */
  private stay = STAY_NOWHERE;
  /** Attempt of that ticket, where it waits for votes. */
  private stayAttempt = 0;
  /** The youngest ticket in which this node wrote what all read, if it may have to be undone. */
  private sharedWriteTicket = 0;
  private hasSharedWrite = false;
  /** Of parts since the step began. */
  private redoBytes = 0;
  private readonly voting: Voting;
  private readonly rounds: Rounds;
  private readonly plainFence: PlainFence;
  private readonly drained: DrainedStand;
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
    this.voting = new Voting(control, runner);
    this.rounds = new Rounds(control, node, runner, this.voting);
    this.plainFence = new PlainFence(control, node, runner, this.voting);
    this.drained = new DrainedStand(control, node, runner);
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
    if (!this.voting.hasDecided) return;
    this.voting.hasDecided = false;
    this.committer.step();
  }

  /** The half of `step` that runs parts, undoes and waits. */
  walk(limit: number): number {
    const words = this.words;
    if (this.isUndone) {
      if (Atomics.load(words, CONTROL_RESUME) !== this.epoch) return STEP_WAITING_ROLLBACK;
      this.isUndone = false;
      this.freeUndone();
    }
    if (Atomics.load(words, CONTROL_EPOCH) !== this.epoch) return this.rollBack();
    const hasStayed = this.stay !== STAY_NOWHERE;
    if (hasStayed) {
      const before = this.rounds.progress;
      // Who has run another step may have brought work for others, and is asked again like any that ran something.
      if (!this.goOn()) return this.rounds.progress === before ? this.stay : STEP_RAN;
    }
    const final = Atomics.load(words, CONTROL_FINAL);
    this.releaseBefore(final);
    if (((this.position - final) | 0) < 0) {
      this.position = final;
      this.drained.isArrived = false;
    }
    let ranCount = 0;
    this.redoBytes = 0;
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
        const hasMoved = this.standDrained(ticket, slot);
        return hasMoved || ranCount > 0 ? STEP_RAN : STEP_WAITING_DRAINED;
      }
      if (!this.run(ticket, slot, flags)) return STEP_RAN;
      this.position = (ticket + 1) | 0;
      ranCount++;
      if (this.stay !== STAY_NOWHERE || this.redoBytes >= STEP_REDO_BYTES) break;
    }
    if (ranCount > 0 || hasStayed) return STEP_RAN;
    return this.runner.housekeep?.() === true ? STEP_RAN : STEP_IDLE;
  }

  private skipToFinal(): boolean {
    const final = Atomics.load(this.words, CONTROL_FINAL);
    if (((final - this.position) | 0) <= 0) return false;
    this.position = final;
    this.drained.isArrived = false;
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
    } else if ((flags & (FLAG_ROUNDS | FLAG_FENCE)) !== 0) {
      return this.begin(ticket, slot, flags, undoMark, redoMark);
    } else if ((flags & FLAG_WRITES) !== 0 && Atomics.load(words, CONTROL_MODE) !== MODE_NORMAL) {
      writeError(view, this.node, refusal(this.control, ticket));
      fate = FATE_FAILED;
    } else {
      try {
        result = runner.run(view, part, ticket);
        view.words[part + PART_STATE] = PART_STATE_OK;
        if ((result & PART_REDO) !== 0) this.redoBytes += view.words[part + PART_REDO_BYTES]!;
      } catch (error) {
        this.fail(error, part, undoMark, redoMark);
        fate = FATE_FAILED;
      }
      if ((result & PART_INTERRUPTED) !== 0) {
        assert(Atomics.load(words, CONTROL_EPOCH) !== this.epoch, 'a part is interrupted by a rollback only');
        return false;
      }
    }
    assert(words[slot + SLOT_ATTEMPT] === attempt, 'no vote for an old attempt'); // invariant 4
    if (words[slot + SLOT_PARTICIPANTS] === 1) {
      this.voting.voteAlone(view, slot, flags, fate, result, undoMark, redoMark);
    } else {
      this.voting.vote(view, slot, flags, fate, result, undoMark, redoMark);
      if ((flags & FLAG_WAIT) !== 0) {
        this.stay = STEP_WAITING_VOTES;
        this.stayAttempt = attempt;
      }
    }
    return true;
  }

  /** Undoes a failed part at once and stores its error. */
  private fail(error: unknown, part: number, undoMark: number, redoMark: number): void {
    if (!(error instanceof SqlError)) throw error;
    this.runner.discardResult(this.view, part);
    this.runner.rollbackTo(undoMark, redoMark);
    writeError(this.view, this.node, error);
  }

  /** Comes to a ticket at which nodes stay together; false when it was interrupted by a rollback. */
  private begin(ticket: number, slot: number, flags: number, undoMark: number, redoMark: number): boolean {
    const isFence = (flags & FLAG_FENCE) !== 0;
    if (isFence) this.plainFence.begin(ticket, slot, flags, undoMark, redoMark);
    else this.rounds.begin(this.view, ticket, slot, flags, undoMark, redoMark);
    this.stay = isFence ? STEP_WAITING_FENCE : STEP_WAITING_ROUND;
    return this.proceed() !== STAY_INTERRUPTED;
  }

  /** At the ticket where the node stays: true once it has left it. */
  private goOn(): boolean {
    if (this.stay !== STEP_WAITING_VOTES) this.proceed();
    else this.leave();
    return this.stay === STAY_NOWHERE;
  }

  /** Goes on with rounds or a plain fence, and votes when that is over. Returns STAY_*. */
  private proceed(): number {
    const words = this.words;
    const at = (this.tail - 1) & this.fifoMask;
    const slot = this.control.slotOf(this.tickets[at]!);
    const view = this.view.at(words[slot + SLOT_BLOCK]!);
    const part = view.part(this.node);
    const isFence = this.stay === STEP_WAITING_FENCE;
    const result = isFence ? this.plainFence.proceed(view, part) : this.rounds.proceed(view, part);
    if (result !== STAY_OVER) {
      if (result === STAY_INTERRUPTED) {
        assert(Atomics.load(words, CONTROL_EPOCH) !== this.epoch, 'a part is interrupted by a rollback only');
      }
      return result;
    }
    const flags = words[slot + SLOT_FLAGS]!;
    const attempt = words[slot + SLOT_ATTEMPT]!;
    // Once all have voted the slot may be used again, unless the node stays.
    const stays = (flags & FLAG_WAIT) !== 0 && words[slot + SLOT_PARTICIPANTS] !== 1;
    if (isFence) this.voteAtFence(view, slot, flags, at);
    else this.voteAfterRounds(view, part, slot, flags, at);
    this.stay = stays ? STEP_WAITING_VOTES : STAY_NOWHERE;
    this.stayAttempt = attempt;
    return STAY_OVER;
  }

  private voteAtFence(view: BlockView, slot: number, flags: number, at: number): void {
    const { result, hasFailed } = this.plainFence;
    const fate = hasFailed ? FATE_FAILED : FATE_OK;
    if (result !== 0) this.noteSharedWrite();
    // The worker has run the tail.
    this.voteTogether(view, slot, flags & ~FLAG_TAIL, fate, result, at);
  }

  private voteAfterRounds(view: BlockView, part: number, slot: number, flags: number, at: number): void {
    const { result, error, isOwner } = this.rounds;
    if (error !== undefined) this.fail(error, part, this.undoMarks[at]!, this.redoMarks[at]!);
    if (isOwner && result !== 0) {
      // Invariant 10: the others are leaving.
      assert(this.words[slot + SLOT_FATE] !== FATE_FAILED, 'the owner has undone before anyone leaves');
      this.noteSharedWrite();
    }
    const fate = error === undefined ? FATE_OK : FATE_FAILED;
    // Where all stand until the end, who ended it has run the tail.
    const left = (flags & FLAG_STANDS) !== 0 ? flags & ~FLAG_TAIL : flags;
    this.voteTogether(view, slot, left, fate, result, at);
  }

  /** In the ticket of the youngest FIFO entry this node has written what all read. */
  private noteSharedWrite(): void {
    this.sharedWriteTicket = this.tickets[(this.tail - 1) & this.fifoMask]!;
    this.hasSharedWrite = true;
  }

  private voteTogether(view: BlockView, slot: number, flags: number, fate: number, result: number, at: number): void {
    const undoMark = this.undoMarks[at]!;
    const redoMark = this.redoMarks[at]!;
    if (this.words[slot + SLOT_PARTICIPANTS] !== 1) {
      this.voting.vote(view, slot, flags, fate, result, undoMark, redoMark);
    } else if (fate === FATE_OK && this.words[slot + SLOT_FATE] === FATE_FAILED) {
      // A middle section has failed.
      this.runner.rollbackTo(undoMark, redoMark);
      this.voting.voteAlone(view, slot, flags, FATE_FAILED, 0, undoMark, redoMark);
    } else {
      this.voting.voteAlone(view, slot, flags, fate, result, undoMark, redoMark);
    }
  }

  /** A WAIT ticket, once all have voted. */
  private leave(): void {
    const at = (this.tail - 1) & this.fifoMask;
    const slot = this.control.slotOf(this.tickets[at]!);
    if (!this.voting.leave(slot, this.stayAttempt, this.undoMarks[at]!, this.redoMarks[at]!)) return;
    this.stay = STAY_NOWHERE;
    this.commit();
  }

  /** Stands at a drained fence; false where it waits. */
  private standDrained(ticket: number, slot: number): boolean {
    if (Atomics.load(this.words, CONTROL_FINAL) !== ticket) return false;
    if (this.drained.isArrived) return this.drained.work(this.view, ticket, slot);
    this.releaseBefore(ticket);
    assert(this.head === this.tail, 'at a drained fence undo is empty'); // invariant 9
    this.drained.arrive(slot);
    return true;
  }

  /** A rollback is on: leaves the ticket where it stays, undoes. Returns STEP_*. */
  private rollBack(): number {
    // While a plain fence is WORKING nobody undoes.
    if (this.stay === STEP_WAITING_FENCE && !this.plainFence.takeBack()) return STEP_WAITING_FENCE;
    // Others may have seen the end of it, and run ahead.
    if (this.stay === STEP_WAITING_ROUND && this.rounds.isOwner) this.noteSharedWrite();
    this.stay = STAY_NOWHERE;
    if (!this.isStopped) {
      this.isStopped = true;
      stopForRollback(this.control);
    }
    const abortAt = Atomics.load(this.words, CONTROL_ABORT_AT);
    if (this.hasSharedWrite && ((this.sharedWriteTicket - abortAt) | 0) >= 0 && !this.haveAllStopped()) {
      return STEP_WAITING_ROLLBACK;
    }
    this.isStopped = false;
    this.undo();
    return STEP_RAN;
  }

  /** Whether what all read may be undone. */
  haveAllStopped(): boolean {
    return haveAllStopped(this.control);
  }

  /** Undoes the own tickets from abortAt on, goes back to the resume point, and acknowledges. */
  private undo(): void {
    const words = this.words;
    const epoch = Atomics.load(words, CONTROL_EPOCH);
    const abortAt = Atomics.load(words, CONTROL_ABORT_AT);
    const isAbort = Atomics.load(words, CONTROL_ROLLBACK) === ROLLBACK_ABORT;
    assert(Atomics.load(words, CONTROL_FINAL) === abortAt, 'what is final never runs again'); // invariant 4
    const isOverDrained = this.drained.isArrived && ((this.position - abortAt) | 0) >= 0;
    assert(!isOverDrained, 'nothing rolls back over a drained fence'); // invariant 9
    this.undoneTo = this.tail;
    while (this.head !== this.tail) {
      const at = (this.tail - 1) & this.fifoMask;
      if (((this.tickets[at]! - abortAt) | 0) < 0) break;
      this.tail = (this.tail - 1) | 0;
    }
    this.undoneFrom = this.tail;
    if (this.tail !== this.undoneTo) {
      const at = this.tail & this.fifoMask;
      this.runner.rollbackTo(this.undoMarks[at]!, this.redoMarks[at]!);
      // Pages of the ticket that becomes final are the frontend's, those of the ones that run again are ours.
      if (isAbort && this.tickets[at] === abortAt) this.undoneFrom = (this.tail + 1) | 0;
    }
    const resumeAt = resumePoint(this.control);
    if (((this.position - resumeAt) | 0) > 0) this.position = resumeAt;
    this.hasSharedWrite = false;
    this.epoch = epoch;
    this.isUndone = true;
    this.voting.hasDecided = false;
    acknowledgeRollback(this.control, this.view);
  }

  /** Frees what undone parts and middle sections left, now that no other node can be reading it. */
  private freeUndone(): void {
    const words = this.words;
    for (let index = this.undoneFrom; index !== this.undoneTo; index = (index + 1) | 0) {
      const ticket = this.tickets[index & this.fifoMask]!;
      const slot = this.control.slotOf(ticket);
      const view = this.view.at(words[slot + SLOT_BLOCK]!);
      if ((words[slot + SLOT_FLAGS]! & FLAG_ROUNDS) !== 0) this.rounds.discard(view, ticket);
      this.runner.discardResult(view, view.part(this.node));
    }
    this.undoneFrom = this.undoneTo;
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
