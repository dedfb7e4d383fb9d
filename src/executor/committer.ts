/**
 * Group commit: a step function that any node calls after it has cast the last vote of a ticket. One at a time, by a CAS.
 *
 * step, from the ticket `final`:
 *
 *   decided tickets up to the first that is undecided, a fence, or needs a rollback
 *     none, and the head needs a rollback ──▶ ABORT (rollback.ts)
 *     otherwise: LSNs to those with redo, their records in one append
 *       append failed ──▶ mode READ_ONLY, REPLAY from `final` (rollback.ts)
 *       fates into the request blocks, `final` past them, their frontends rung, nodes woken where the new head is a fence
 *
 * Then it looks at the head again. A vote is never overlooked: who votes last reads `final` after voting, and we read
 * votes after storing `final`; so one of the two sees the other's.
 */

import { assert } from '../base/assert.ts';
import type { Clock } from '../base/effects.ts';
import { SqlError } from '../base/errors.ts';
import { SystemClock } from '../base/files.ts';
import { type Log, LogFailure } from '../log/log.ts';
import { GroupWriter, SECTION_ROWS } from '../log/record.ts';
import type { Control } from './control.ts';
import {
  BLOCK_FATE,
  BLOCK_FINAL_TIME,
  CONTROL_FINAL,
  CONTROL_LOCK,
  CONTROL_MODE,
  CONTROL_ROLLBACK,
  FATE_FAILED,
  FATE_OK,
  FLAG_DRAINED,
  FLAG_PROFILE,
  FLAG_REDO,
  FLAG_UNLOGGED,
  FLAG_WAIT,
  FLAG_WROTE,
  MODE_NORMAL,
  MODE_READ_ONLY,
  MODE_READ_ONLY_UNCUT,
  MODE_READ_ONLY_UNSYNCED,
  PART_REDO_BYTES,
  PART_REDO_OPERATIONS,
  PART_REDO_REF,
  ROLLBACK_ABORT,
  ROLLBACK_NONE,
  ROLLBACK_REPLAY,
  SLOT_ARRIVED,
  SLOT_BLOCK,
  SLOT_FATE,
  SLOT_FLAGS,
  SLOT_FRONTEND,
  SLOT_MASK_HIGH,
  SLOT_MASK_LOW,
  SLOT_PARTICIPANTS,
  SLOT_PUBLISHED,
  SLOT_VOTES,
} from './layout.ts';
import { type BlockMemory, BlockView } from './request-block.ts';
import { startRollback } from './rollback.ts';

/** A group ends when its records have this many bytes, so that one write does not hold up all replies. */
const GROUP_BYTES = 4 * 1024 * 1024;

export class Committer {
  readonly log: Log;
  private readonly control: Control;
  private readonly words: Int32Array;
  private readonly view: BlockView;
  private readonly group: GroupWriter = new GroupWriter(256 * 1024);
  /** By frontend: 1 where it has tickets in the group. */
  private readonly rings: Uint8Array;
  private operationCount = 0;

  private readonly clock: Clock;

  /** One a thread that commits. @param clock for what PROFILE tells */
  constructor(control: Control, memory: BlockMemory, log: Log, clock: Clock = new SystemClock()) {
    this.control = control;
    this.clock = clock;
    this.words = control.words;
    this.view = new BlockView(memory);
    this.log = log;
    this.rings = new Uint8Array(control.frontendCount + 1);
  }

  /** Makes final what is decided. Returns at once when another thread is at it, or a rollback is on. Throws on bugs only. */
  step(): void {
    const words = this.words;
    for (;;) {
      if (Atomics.load(words, CONTROL_ROLLBACK) !== ROLLBACK_NONE || !this.isHeadDecided()) return;
      if (Atomics.compareExchange(words, CONTROL_LOCK, 0, 1) !== 0) return;
      if (Atomics.load(words, CONTROL_ROLLBACK) === ROLLBACK_NONE) this.commitGroup();
      Atomics.store(words, CONTROL_LOCK, 0);
      this.ringFrontends();
    }
  }

  /**
   * main, in a drained fence: appends a record of its own (a section of that kind with those bytes) and returns its LSN.
   * Throws SqlError log_failure when the log does not take it; then nothing may be published.
   */
  appendRecord(kind: number, bytes: Uint8Array): number {
    this.lock();
    try {
      const mode = Atomics.load(this.words, CONTROL_MODE);
      if (mode !== MODE_NORMAL) throw refusal(this.control, mode, 0);
      const lsn = this.control.lsn + 1;
      if (this.log.isKept) {
        this.group.clear();
        this.group.begin(lsn);
        this.group.addSection(kind, bytes, 0, bytes.length);
        this.group.end();
        try {
          this.log.append(lsn, this.group.bytes, this.group.length);
        } catch (error) {
          throw refusal(this.control, this.enterReadOnly(error), 1);
        }
        this.control.countWrite(this.group.length, 1);
      }
      this.control.lsn = lsn;
      return lsn;
    } finally {
      Atomics.store(this.words, CONTROL_LOCK, 0);
    }
  }

  /**
   * Tries to bring writes back after a failure of the log; main calls it every second while the mode is not NORMAL. True
   * when writes are taken.
   */
  probe(): boolean {
    const words = this.words;
    if (Atomics.load(words, CONTROL_MODE) === MODE_NORMAL) return true;
    if (Atomics.compareExchange(words, CONTROL_LOCK, 0, 1) !== 0) return false;
    let isNormal = false;
    // While the rollback is on, the failed group's parts still have to learn that the log failed.
    if (Atomics.load(words, CONTROL_ROLLBACK) === ROLLBACK_NONE) {
      try {
        isNormal = this.log.repair(this.control.lsn + 1);
      } catch (error) {
        this.enterReadOnly(error);
      }
      if (isNormal) Atomics.store(words, CONTROL_MODE, MODE_NORMAL);
    }
    Atomics.store(words, CONTROL_LOCK, 0);
    this.step();
    return isNormal;
  }

  /** main, when the sync of a full file failed: acknowledged records may not be durable, so no more are taken. */
  refuseWrites(reason: string): void {
    this.lock();
    this.log.giveUp();
    this.control.setFailure(reason);
    Atomics.store(this.words, CONTROL_MODE, MODE_READ_ONLY_UNSYNCED);
    Atomics.store(this.words, CONTROL_LOCK, 0);
    this.step();
  }

  /** main, in its drained fence: `final` passes the ticket. The caller has set the fate in the block, and wakes. */
  finishFence(ticket: number): void {
    this.lock();
    assert(Atomics.load(this.words, CONTROL_FINAL) === ticket, 'at a drained fence, final is its ticket'); // invariant 9
    Atomics.store(this.words, CONTROL_FINAL, (ticket + 1) | 0);
    this.wakeForFence((ticket + 1) | 0);
    Atomics.store(this.words, CONTROL_LOCK, 0);
    this.step();
  }

  /** Whether a failed ticket needs a rollback: a participant holds undo of it. */
  protected needsRollback(flags: number): boolean {
    return (flags & (FLAG_WROTE | FLAG_WAIT)) === FLAG_WROTE;
  }

  private lock(): void {
    // Committers hold it for the time of a write; only main waits for it.
    while (Atomics.compareExchange(this.words, CONTROL_LOCK, 0, 1) !== 0) Atomics.wait(this.words, CONTROL_LOCK, 1, 1);
  }

  private isHeadDecided(): boolean {
    const ticket = Atomics.load(this.words, CONTROL_FINAL);
    return this.isDecided(ticket, this.control.slotOf(ticket));
  }

  /** All have voted, and of a WAIT ticket all have left. */
  private isDecided(ticket: number, slot: number): boolean {
    const words = this.words;
    if (Atomics.load(words, slot + SLOT_PUBLISHED) !== ticket || Atomics.load(words, slot + SLOT_VOTES) !== 0)
      return false;
    const flags = words[slot + SLOT_FLAGS]!;
    if ((flags & FLAG_DRAINED) !== 0) return false;
    const participants = words[slot + SLOT_PARTICIPANTS]!;
    return (flags & FLAG_WAIT) === 0 || participants === 1 || Atomics.load(words, slot + SLOT_ARRIVED) === participants;
  }

  private commitGroup(): void {
    const control = this.control;
    const words = this.words;
    const group = this.group;
    const first = Atomics.load(words, CONTROL_FINAL);
    const firstLsn = control.lsn + 1;
    let lsn = firstLsn;
    let ticket = first;
    group.clear();
    this.operationCount = 0;
    let isAborting = false;
    let unloggedCount = 0;
    while (group.length < GROUP_BYTES) {
      const slot = control.slotOf(ticket);
      if (!this.isDecided(ticket, slot)) break;
      const flags = Atomics.load(words, slot + SLOT_FLAGS);
      const fate = words[slot + SLOT_FATE]!;
      if (fate === FATE_FAILED && this.needsRollback(flags)) {
        isAborting = ticket === first;
        break;
      }
      if (fate === FATE_OK && (flags & FLAG_UNLOGGED) !== 0) unloggedCount++;
      if (fate === FATE_OK && (flags & FLAG_REDO) !== 0) {
        if (this.log.isKept) this.addRecord(slot, lsn);
        lsn++;
      }
      ticket = (ticket + 1) | 0;
    }
    if (isAborting) {
      startRollback(control, ROLLBACK_ABORT, first);
      return;
    }
    if (group.length > 0) {
      try {
        this.log.append(firstLsn, group.bytes, group.length);
      } catch (error) {
        this.enterReadOnly(error);
        startRollback(control, ROLLBACK_REPLAY, first);
        return;
      }
      control.countWrite(group.length, this.operationCount);
    }
    assert(control.lsn === firstLsn - 1, 'LSNs rise by one, in ticket order'); // invariant 6
    control.lsn = lsn - 1;
    if (unloggedCount > 0) control.countUnlogged(unloggedCount);
    for (let each = first; each !== ticket; each = (each + 1) | 0) {
      const slot = control.slotOf(each);
      const view = this.view.at(words[slot + SLOT_BLOCK]!);
      view.set(BLOCK_FATE, words[slot + SLOT_FATE]!);
      if ((words[slot + SLOT_FLAGS]! & FLAG_PROFILE) !== 0)
        view.setTime(view.base + BLOCK_FINAL_TIME, this.clock.monotonicMilliseconds());
      this.rings[words[slot + SLOT_FRONTEND]!] = 1;
    }
    Atomics.store(words, CONTROL_FINAL, ticket);
    this.wakeForFence(ticket);
  }

  private addRecord(slot: number, lsn: number): void {
    const view = this.view.at(this.words[slot + SLOT_BLOCK]!);
    this.group.begin(lsn);
    this.addParts(view, this.words[slot + SLOT_MASK_LOW]!, 0);
    this.addParts(view, this.words[slot + SLOT_MASK_HIGH]!, 32);
    this.group.end();
  }

  private addParts(view: BlockView, mask: number, firstNode: number): void {
    const words = view.words;
    for (; mask !== 0; mask &= mask - 1) {
      const part = view.part(firstNode + 31 - Math.clz32(mask & -mask));
      const byteCount = words[part + PART_REDO_BYTES]!;
      if (byteCount === 0) continue;
      const ref = words[part + PART_REDO_REF]! >>> 0;
      const start = (ref & 0x3ffffff) * 16;
      this.group.addSection(SECTION_ROWS, view.memory.u8[ref >>> 26]!, start, start + byteCount);
      this.operationCount += words[part + PART_REDO_OPERATIONS]!;
    }
  }

  /** Stores why; returns the mode. */
  private enterReadOnly(error: unknown): number {
    if (!(error instanceof LogFailure)) throw error;
    this.control.setFailure(error.message);
    const mode =
      error.tail === 'cut' ? MODE_READ_ONLY : error.tail === 'uncut' ? MODE_READ_ONLY_UNCUT : MODE_READ_ONLY_UNSYNCED;
    Atomics.store(this.words, CONTROL_MODE, mode);
    return mode;
  }

  /** Nodes park before a drained fence until all before it is final. */
  private wakeForFence(ticket: number): void {
    const slot = this.control.slotOf(ticket);
    if (Atomics.load(this.words, slot + SLOT_PUBLISHED) !== ticket) return;
    if ((this.words[slot + SLOT_FLAGS]! & FLAG_DRAINED) !== 0) this.control.wakeAllNodes();
  }

  private ringFrontends(): void {
    const rings = this.rings;
    for (let frontend = 0; frontend < rings.length; frontend++) {
      if (rings[frontend] === 0) continue;
      rings[frontend] = 0;
      this.control.wakeFrontend(frontend);
    }
  }
}

/**
 * The error of a write that the log does not take. One that was in the air when the log failed, and could not be cut out of
 * it, may be found by recovery: its client is told so.
 */
export function refusal(control: Control, mode: number, attempt: number): SqlError {
  const reason = control.failure();
  if (mode !== MODE_READ_ONLY && attempt > 0) {
    return new SqlError(
      'commit_unknown',
      `the log failed (${reason}): the transaction is undone here, but may be found in the log at the next start`,
    );
  }
  const until = mode === MODE_READ_ONLY_UNSYNCED ? 'until the server is started again' : 'until it takes them again';
  return new SqlError(
    'log_failure',
    `the log does not take writes (${reason}); reads go on, writes are refused ${until}`,
  );
}
