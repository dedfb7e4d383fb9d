/**
 * Rollback of everything from a ticket on, on all nodes; a state in shared memory, nobody waits in it.
 *
 *   NONE ── hold, by the committer: the log failed, and its group may be found in it ──▶ HELD: nothing becomes final
 *   NONE, HELD ── startRollback, by the committer: abortAt, kind, epoch + 1, all nodes woken ──▶ ABORT or REPLAY
 *   ABORT, REPLAY ── stopForRollback: each node, outside of its parts, adds to the stopped ──▶ …
 *     … ── each undoes its tickets from abortAt on, goes back to the resume point and adds to acks ──▶ …
 *     … ── finishRollback, by the last node to ack ──▶ RESUMING: slots fresh again, attempt + 1; ABORT: abortAt is final
 *   RESUMING ── resume = epoch, all nodes woken ──▶ NONE
 *
 * abortAt is always `final`. ABORT makes the failed ticket final and resumes behind it, so that every one makes progress;
 * REPLAY resumes at it, in another mode. No commit step runs in between; and as a node acks outside of its parts, no vote
 * of an old attempt, and no arrival, can come after the slots are fresh.
 *
 * A node may undo its own partitions while others still run: nobody else reads them outside of a fence. But what it wrote
 * in a plain fence, or with FLAG_STANDS, all nodes read: it undoes that only when all have stopped. And the result pages of
 * an undone attempt are freed only after the rollback is complete: another node may have been reading them, in a tail or a
 * middle section.
 *
 * The word acks: bits 0-7 nodes that have undone; bits 8-15 nodes that have stopped; bit 16 one waits for all to stop.
 */

import { assert } from '../base/assert.ts';
import type { Control } from './control.ts';
import {
  BLOCK_FATE,
  CONTROL_ABORT_AT,
  CONTROL_ACKS,
  CONTROL_EPOCH,
  CONTROL_FINAL,
  CONTROL_NEXT,
  CONTROL_RESUME,
  CONTROL_ROLLBACK,
  FATE_FAILED,
  FATE_OK,
  FLAG_REDO,
  FLAG_UNLOGGED,
  FLAG_WROTE,
  ROLLBACK_ABORT,
  ROLLBACK_HELD,
  ROLLBACK_NONE,
  ROLLBACK_REPLAY,
  ROLLBACK_RESUMING,
  SLOT_ARRIVED,
  SLOT_ATTEMPT,
  SLOT_BLOCK,
  SLOT_FATE,
  SLOT_FLAGS,
  SLOT_FRONTEND,
  SLOT_PARTICIPANTS,
  SLOT_PUBLISHED,
  SLOT_STEP,
  SLOT_VOTES,
} from './layout.ts';
import type { BlockView } from './request-block.ts';

/** Lets nothing become final until a REPLAY has started; the caller holds the committer lock and has seen that none is on. */
export function holdCommits(control: Control): void {
  assert(Atomics.exchange(control.words, CONTROL_ROLLBACK, ROLLBACK_HELD) === ROLLBACK_NONE, 'one rollback at a time');
}

/** Begins a rollback; the caller holds the committer lock and has seen that none is on. */
export function startRollback(control: Control, kind: number, ticket: number): void {
  const words = control.words;
  const before = Atomics.load(words, CONTROL_ROLLBACK);
  assert(before === ROLLBACK_NONE || (before === ROLLBACK_HELD && kind === ROLLBACK_REPLAY), 'one rollback at a time');
  assert(Atomics.load(words, CONTROL_EPOCH) === Atomics.load(words, CONTROL_RESUME), 'the rollback before is complete');
  Atomics.store(words, CONTROL_ABORT_AT, ticket);
  Atomics.store(words, CONTROL_ROLLBACK, kind);
  Atomics.add(words, CONTROL_EPOCH, 1);
  control.wakeAllNodes();
}

const ACKS_MASK = 0xff;
const STOPPED_ONE = 0x100;
const STOPPED_SHIFT = 8;
const STOPPED_AWAITED = 0x10000;

/** A node is outside of its parts, and begins none before the rollback is complete. Once a node and rollback. */
export function stopForRollback(control: Control): void {
  const before = Atomics.add(control.words, CONTROL_ACKS, STOPPED_ONE);
  const stoppedCount = ((before >>> STOPPED_SHIFT) & ACKS_MASK) + 1;
  assert(stoppedCount <= control.nodeCount, 'a node stops once');
  if (stoppedCount === control.nodeCount && (before & STOPPED_AWAITED) !== 0) control.wakeAllNodes();
}

/** Whether all nodes have stopped. Where not, the last of them to do so wakes who asked. */
export function haveAllStopped(control: Control): boolean {
  const before = Atomics.or(control.words, CONTROL_ACKS, STOPPED_AWAITED);
  return ((before >>> STOPPED_SHIFT) & ACKS_MASK) === control.nodeCount;
}

/** The ticket at which nodes go on. */
export function resumePoint(control: Control): number {
  const ticket = Atomics.load(control.words, CONTROL_ABORT_AT);
  return Atomics.load(control.words, CONTROL_ROLLBACK) === ROLLBACK_ABORT ? (ticket + 1) | 0 : ticket;
}

/** A node has undone its part. The last to say so finishes the rollback. */
export function acknowledgeRollback(control: Control, view: BlockView): void {
  if ((Atomics.add(control.words, CONTROL_ACKS, 1) & ACKS_MASK) + 1 === control.nodeCount)
    finishRollback(control, view);
}

function finishRollback(control: Control, view: BlockView): void {
  const words = control.words;
  const abortAt = Atomics.load(words, CONTROL_ABORT_AT);
  const isAbort = Atomics.load(words, CONTROL_ROLLBACK) === ROLLBACK_ABORT;
  const resumeAt = resumePoint(control);
  assert(Atomics.load(words, CONTROL_FINAL) === abortAt, 'a rollback begins at final');
  Atomics.store(words, CONTROL_ROLLBACK, ROLLBACK_RESUMING);
  // A slot that is claimed but not published yet has been run by nobody, and its frontend may be filling it.
  for (let ticket = resumeAt; ticket !== Atomics.load(words, CONTROL_NEXT); ticket = (ticket + 1) | 0) {
    const slot = control.slotOf(ticket);
    if (Atomics.load(words, slot + SLOT_PUBLISHED) === ticket) refreshSlot(words, slot);
  }
  Atomics.store(words, CONTROL_ACKS, 0);
  let frontend = -1;
  if (isAbort) {
    const slot = control.slotOf(abortAt);
    frontend = words[slot + SLOT_FRONTEND]!;
    view.at(words[slot + SLOT_BLOCK]!).set(BLOCK_FATE, FATE_FAILED);
    assert(((resumeAt - abortAt) | 0) > 0, 'an ABORT makes a ticket final'); // invariant 12
    Atomics.store(words, CONTROL_FINAL, resumeAt);
  }
  const epoch = Atomics.load(words, CONTROL_EPOCH);
  Atomics.store(words, CONTROL_ROLLBACK, ROLLBACK_NONE);
  Atomics.store(words, CONTROL_RESUME, epoch);
  control.wakeAllNodes();
  if (frontend >= 0) control.wakeFrontend(frontend);
}

function refreshSlot(words: Int32Array, slot: number): void {
  Atomics.store(words, slot + SLOT_FATE, FATE_OK);
  Atomics.store(words, slot + SLOT_STEP, 0);
  Atomics.store(words, slot + SLOT_ARRIVED, 0);
  Atomics.add(words, slot + SLOT_ATTEMPT, 1);
  Atomics.and(words, slot + SLOT_FLAGS, ~(FLAG_WROTE | FLAG_REDO | FLAG_UNLOGGED));
  Atomics.store(words, slot + SLOT_VOTES, words[slot + SLOT_PARTICIPANTS]!);
}
