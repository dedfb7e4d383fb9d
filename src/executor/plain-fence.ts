/**
 * Plain fences: tickets of all nodes (FLAG_FENCE) at which all stand still while one of them works. For reads of other
 * nodes' partitions, and for writes to what all nodes read: that has one owner, which alone writes it and records undo.
 * What came before it need not be final; unlike a drained fence (fence.ts) it can be undone, and waits for no event loop.
 *
 * One word of the slot, SLOT_STEP: bits 0-1 state, from bit 2 on the count of nodes that stand at it. By CAS only:
 *
 *   ARRIVING n ── arrive: undo of tickets before it may be held, nothing behind it has begun ──▶ ARRIVING n + 1
 *   ARRIVING n ── takeBack: a standing node leaves for a rollback ──▶ ARRIVING n - 1
 *   WORKING all ── takeBack by the worker, before it has begun ──▶ DONE all
 *   ARRIVING all - 1 ── arrive ──▶ WORKING all; the worker is woken, or is who arrived last
 *   WORKING all ── work: the worker's part, and the tail if it can fail; nobody else does anything ──▶ DONE all
 *   DONE all ── each votes once, and walks on; or leaves for a rollback
 *
 * The worker decides the fate before DONE and undoes its part when it fails: so a fence never needs a rollback of its own.
 * Where the worker gives up for a rollback that waits, it undoes its part and goes to DONE without a vote: all then find
 * the rollback, which makes the slot fresh. As a leaving node changes the same word that the last to arrive changes, one
 * of them comes first: no node is undoing while another works (invariant 10).
 */

import { assert } from '../base/assert.ts';
import { SqlError } from '../base/errors.ts';
import { refusal } from './committer.ts';
import type { Control } from './control.ts';
import {
  CONTROL_MODE,
  FATE_FAILED,
  FLAG_TAIL,
  FLAG_WRITES,
  MODE_NORMAL,
  PART_STATE,
  PART_STATE_OK,
  SLOT_ATTEMPT,
  SLOT_FATE,
  SLOT_PARTICIPANTS,
  SLOT_STEP,
} from './layout.ts';
import { type FenceRunner, PART_INTERRUPTED, type PartRunner, WORKER_ANY } from './part-runner.ts';
import { type BlockView, writeError } from './request-block.ts';
import { STAY_INTERRUPTED, STAY_OVER, STAY_WAITING } from './rounds.ts';
import type { Voting } from './voting.ts';

const ARRIVING = 0;
const WORKING = 1;
const DONE = 2;
const STATE_MASK = 3;
const ONE_NODE = 4;

/** The plain fence that a node stands at. One object a node. */
export class PlainFence {
  /** When over: flags of the part, and whether it failed. */
  result = 0;
  hasFailed = false;
  private readonly control: Control;
  private readonly words: Int32Array;
  private readonly node: number;
  private readonly runner: PartRunner & FenceRunner;
  private readonly voting: Voting;
  private ticket = 0;
  private slot = 0;
  private flags = 0;
  private attempt = 0;
  private undoMark = 0;
  private redoMark = 0;
  private hasArrived = false;
  private isWorker = false;

  constructor(control: Control, node: number, runner: PartRunner, voting: Voting) {
    this.control = control;
    this.words = control.words;
    this.node = node;
    this.runner = runner as PartRunner & FenceRunner;
    this.voting = voting;
  }

  /** Comes to a fence: `proceed` arrives. */
  begin(ticket: number, slot: number, flags: number, undoMark: number, redoMark: number): void {
    assert(this.words[slot + SLOT_PARTICIPANTS] === this.control.nodeCount, 'a fence is a ticket of all nodes');
    this.ticket = ticket;
    this.slot = slot;
    this.flags = flags;
    this.attempt = this.words[slot + SLOT_ATTEMPT]!;
    this.undoMark = undoMark;
    this.redoMark = redoMark;
    this.hasArrived = false;
    this.isWorker = false;
    this.result = 0;
    this.hasFailed = false;
  }

  /** Goes as far as it can without the others: STAY_*. `view` is at the ticket's block, `part` this node's record. */
  proceed(view: BlockView, part: number): number {
    assert(this.words[this.slot + SLOT_ATTEMPT] === this.attempt, 'nobody stands at an old attempt'); // invariant 4
    if (!this.hasArrived) this.arrive(view);
    const state = Atomics.load(this.words, this.slot + SLOT_STEP) & STATE_MASK;
    if (state === DONE) return STAY_OVER;
    if (state === ARRIVING || !this.isWorker) return STAY_WAITING;
    return this.work(view, part) ? STAY_OVER : STAY_INTERRUPTED;
  }

  /** For a rollback: false while another works. True: this node stands there no more. */
  takeBack(): boolean {
    const words = this.words;
    const index = this.slot + SLOT_STEP;
    for (;;) {
      const word = Atomics.load(words, index);
      const state = word & STATE_MASK;
      if (state === DONE) return true;
      if (state === WORKING && this.isWorker) {
        // It has not begun: what it would do would be undone.
        this.finish();
        return true;
      }
      if (!this.mayLeave(state)) return false;
      if (Atomics.compareExchange(words, index, word, word - ONE_NODE) === word) return true;
    }
  }

  /** Whether a rollback may take away a node that does not work. */
  mayLeave(state: number): boolean {
    return state === ARRIVING;
  }

  private arrive(view: BlockView): void {
    const words = this.words;
    const index = this.slot + SLOT_STEP;
    const worker = this.runner.fenceWorker(view);
    const full = this.control.nodeCount * ONE_NODE;
    this.hasArrived = true;
    this.isWorker = worker === this.node;
    for (;;) {
      const word = Atomics.load(words, index);
      assert((word & STATE_MASK) === ARRIVING && word < full, 'nobody works while a node is missing'); // invariant 10
      const isLast = word + ONE_NODE === full;
      if (Atomics.compareExchange(words, index, word, isLast ? full | WORKING : word + ONE_NODE) !== word) continue;
      if (!isLast) return;
      if (worker === WORKER_ANY) this.isWorker = true;
      else if (!this.isWorker) this.control.wakeNode(worker);
      return;
    }
  }

  /** The part of the worker: false when it was interrupted. */
  private work(view: BlockView, part: number): boolean {
    const { words, slot, runner } = this;
    let isInterrupted = false;
    if ((this.flags & FLAG_WRITES) !== 0 && Atomics.load(words, CONTROL_MODE) !== MODE_NORMAL) {
      this.fail(view, part, refusal(this.control, this.ticket));
    } else {
      try {
        this.result = runner.run(view, part, this.ticket);
        isInterrupted = (this.result & PART_INTERRUPTED) !== 0;
        if (!isInterrupted) view.words[part + PART_STATE] = PART_STATE_OK;
      } catch (error) {
        this.fail(view, part, error);
      }
    }
    if (!isInterrupted && !this.hasFailed && (this.flags & FLAG_TAIL) !== 0 && !this.voting.runTail(view)) {
      this.hasFailed = true;
    }
    if (this.hasFailed || isInterrupted) {
      runner.rollbackTo(this.undoMark, this.redoMark);
      this.result = 0;
    }
    assert(this.result === 0 || runner.fenceWorker(view) === this.node, 'only an owner writes in a fence');
    if (this.hasFailed) Atomics.store(words, slot + SLOT_FATE, FATE_FAILED);
    this.finish();
    return !isInterrupted;
  }

  private finish(): void {
    const index = this.slot + SLOT_STEP;
    const standing = this.control.nodeCount * ONE_NODE;
    const before = Atomics.compareExchange(this.words, index, standing | WORKING, standing | DONE);
    assert(before === (standing | WORKING), 'nobody leaves a fence that is WORKING'); // invariant 10
    this.control.wakeAllNodes();
  }

  private fail(view: BlockView, part: number, error: unknown): void {
    if (!(error instanceof SqlError)) throw error;
    this.runner.discardResult(view, part);
    writeError(view, this.node, error);
    this.hasFailed = true;
  }
}
