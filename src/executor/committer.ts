/**
 * Group commit: `commit` is a step function; one at a time is in it, by a CAS. With wal_sync_on_write it is the log thread's
 * (log-loop.ts), and who has cast the last vote of a ticket wakes that; without, who has cast it goes in itself.
 *
 * commit, from the ticket `final`:
 *
 *   decided tickets up to the first that is undecided, a fence, or needs a rollback
 *     none, and the head needs a rollback ──▶ ABORT (rollback.ts)
 *     otherwise: LSNs to those with redo, their records in one append
 *       append failed ──▶ another mode, REPLAY from `final` (rollback.ts), see below
 *       fates into the request blocks, `final` past them, their frontends rung, nodes woken where the new head is a fence
 *
 * Then it looks at the head again. A vote is never overlooked: who votes last reads `final` after voting, and we read
 * votes after storing `final`; so one of the two sees the other's.
 *
 * When the log fails; tail: log-writer.ts:
 *
 *   NORMAL ── the group's records are not in the log ──▶ READ_ONLY, REPLAY
 *   NORMAL ── recovery may find them ──▶ UNDECIDED, HELD: nothing becomes final, so its clients hear nothing
 *   UNDECIDED ── probe: they are cut out of it, or a new file makes them void ──▶ READ_ONLY, REPLAY: log_failure
 *   UNDECIDED ── not within 5 s ──▶ UNKNOWN, REPLAY: commit_unknown
 *   UNKNOWN ── probe: as above ──▶ READ_ONLY
 *   READ_ONLY ── probe, once all of the group are refused: the log is ready ──▶ NORMAL
 *   READ_ONLY ── probe: the log is 'unsaved' ── main writes a checkpoint, resume ──▶ NORMAL
 *
 * A record of main (DDL) that fails is the same without HELD and REPLAY: main lets its client wait.
 */

import { assert } from '../base/assert.ts';
import type { Clock } from '../base/effects.ts';
import { SqlError } from '../base/errors.ts';
import { SystemClock } from '../base/files.ts';
import { type Log, LogFailure } from '../log/log.ts';
import { LOG_TAIL, TAIL_UNSAVED, TAIL_UNSYNCED } from '../log/log-state.ts';
import { GroupWriter, SECTION_ROWS } from '../log/record.ts';
import type { Control } from './control.ts';
import {
  BLOCK_FATE,
  BLOCK_FINAL_TIME,
  CONTROL_FAILED_END,
  CONTROL_FINAL,
  CONTROL_LOCK,
  CONTROL_LOG_COMMITS,
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
  MODE_UNDECIDED,
  MODE_UNKNOWN,
  PART_REDO_BYTES,
  PART_REDO_OPERATIONS,
  PART_REDO_REF,
  ROLLBACK_ABORT,
  ROLLBACK_HELD,
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
import { holdCommits, startRollback } from './rollback.ts';

/** A group ends when its records have this many bytes, so that one write does not hold up all replies. */
const GROUP_BYTES = 4 * 1024 * 1024;
/** So long clients of a failed group wait until it is known whether the log has it. */
const UNDECIDED_MS_MAX = 5000;

export class Committer {
  readonly log: Log;
  private readonly control: Control;
  private readonly words: Int32Array;
  private readonly view: BlockView;
  private readonly group: GroupWriter = new GroupWriter(256 * 1024);
  /** By frontend: 1 where it has tickets in the group. */
  private readonly rings: Uint8Array;
  private operationCount = 0;
  /** Of the thread that probes: since when it has tried to cut the failed group; -1: it does not. */
  private undecidedSinceMs = -1;

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

  /** After the last vote of a ticket: makes final what is decided, or has the log thread do it. */
  step(): void {
    if (Atomics.load(this.words, CONTROL_LOG_COMMITS) === 0) this.commit();
    else this.control.wakeLog();
  }

  /**
   * Makes final what is decided. Returns at once when another thread is at it, or a rollback is on. True when it has done
   * something. Throws on bugs only.
   */
  commit(): boolean {
    const words = this.words;
    for (let hasRun = false; ; hasRun = true) {
      if (Atomics.load(words, CONTROL_ROLLBACK) !== ROLLBACK_NONE || !this.isHeadDecided()) return hasRun;
      if (Atomics.compareExchange(words, CONTROL_LOCK, 0, 1) !== 0) return hasRun;
      if (Atomics.load(words, CONTROL_ROLLBACK) === ROLLBACK_NONE) this.commitGroup();
      Atomics.store(words, CONTROL_LOCK, 0);
      this.ringFrontends();
    }
  }

  /**
   * main, in a drained fence: appends a record of its own (a section of that kind with those bytes) and returns its LSN.
   * Throws SqlError when the log does not take it, and then nothing may be published: log_failure, or commit_unknown, for
   * which the caller goes by `whenDecided`.
   */
  appendRecord(kind: number, bytes: Uint8Array): number {
    this.lock();
    try {
      const mode = Atomics.load(this.words, CONTROL_MODE);
      if (mode !== MODE_NORMAL) throw logFailure(this.control);
      const lsn = this.control.lsn + 1;
      if (this.log.isKept) {
        this.group.clear();
        this.group.begin(lsn);
        this.group.addSection(kind, bytes, 0, bytes.length);
        this.group.end();
        try {
          this.log.append(lsn, this.group.bytes, this.group.length);
        } catch (error) {
          this.leaveNormal(error, Atomics.load(this.words, CONTROL_FINAL));
          throw this.isUndecided() ? commitUnknown(this.control) : logFailure(this.control);
        }
        this.control.countWrite(this.group.length, 1);
      }
      this.control.lsn = lsn;
      return lsn;
    } finally {
      Atomics.store(this.words, CONTROL_LOCK, 0);
    }
  }

  /** Whether it is still open if the log has what it failed to take. */
  isUndecided(): boolean {
    return Atomics.load(this.words, CONTROL_MODE) === MODE_UNDECIDED;
  }

  /** The error for the client of a record that appendRecord refused with commit_unknown, once it is not undecided. */
  whenDecided(): SqlError {
    const mode = Atomics.load(this.words, CONTROL_MODE);
    return mode === MODE_UNKNOWN ? commitUnknown(this.control) : logFailure(this.control);
  }

  /**
   * Tries to bring writes back after a failure of the log: one thread calls it, now and then, while the mode is not NORMAL.
   * True where that was of use: writes are taken, or a checkpoint is all that is missing, or the failed group's clients hear.
   */
  probe(nowMs: number): boolean {
    const words = this.words;
    if (Atomics.load(words, CONTROL_MODE) === MODE_NORMAL) return false;
    if (Atomics.compareExchange(words, CONTROL_LOCK, 0, 1) !== 0) return false;
    const isOfUse = this.tryRepair(nowMs);
    Atomics.store(words, CONTROL_LOCK, 0);
    this.step();
    return isOfUse;
  }

  private tryRepair(nowMs: number): boolean {
    const { words, control, log } = this;
    const rollback = Atomics.load(words, CONTROL_ROLLBACK);
    if (rollback !== ROLLBACK_NONE && rollback !== ROLLBACK_HELD) return false;
    const mode = Atomics.load(words, CONTROL_MODE);
    // The parts of the failed group still have to learn that the log failed.
    if (mode !== MODE_UNDECIDED && !this.isGroupRefused()) return false;
    const isUnsaved = control.logState[LOG_TAIL] === TAIL_UNSAVED;
    const repair = log.repair(control.lsn + 1);
    if (mode === MODE_UNDECIDED) {
      if (this.undecidedSinceMs < 0) this.undecidedSinceMs = nowMs;
      if (!log.isUndecided()) this.decide(MODE_READ_ONLY);
      else if (nowMs - this.undecidedSinceMs >= UNDECIDED_MS_MAX) this.decide(MODE_UNKNOWN);
      else return false;
      return true;
    }
    if (repair === 'ready') Atomics.store(words, CONTROL_MODE, MODE_NORMAL);
    else if (!log.isUndecided()) Atomics.store(words, CONTROL_MODE, MODE_READ_ONLY);
    return repair === 'ready' || (repair === 'unsaved' && !isUnsaved);
  }

  /** The clients of what failed are told: by a rerun in this mode, or by main. */
  private decide(mode: number): void {
    const words = this.words;
    this.undecidedSinceMs = -1;
    Atomics.store(words, CONTROL_MODE, mode);
    if (Atomics.load(words, CONTROL_ROLLBACK) === ROLLBACK_HELD)
      startRollback(this.control, ROLLBACK_REPLAY, Atomics.load(words, CONTROL_FINAL));
  }

  private isGroupRefused(): boolean {
    const final = Atomics.load(this.words, CONTROL_FINAL);
    if (((final - Atomics.load(this.words, CONTROL_FAILED_END)) | 0) < 0) return false;
    // It keeps up, as tickets compare rightly only within 2^31 of each other.
    Atomics.store(this.words, CONTROL_FAILED_END, final);
    return true;
  }

  /** main, when the checkpoint is durable for which a repair of the log waits: writes are taken again. */
  resume(): void {
    this.lock();
    this.log.saved();
    Atomics.store(this.words, CONTROL_MODE, MODE_NORMAL);
    Atomics.store(this.words, CONTROL_LOCK, 0);
    this.step();
  }

  /**
   * When a sync of acknowledged records has failed: no more are taken before the log is repaired. False where another thread
   * commits; then it is to be tried again.
   */
  refuseWrites(reason: string): boolean {
    if (Atomics.compareExchange(this.words, CONTROL_LOCK, 0, 1) !== 0) return false;
    // A repair that has begun already ends with a checkpoint of them.
    if (Atomics.load(this.words, CONTROL_MODE) === MODE_NORMAL) {
      this.log.giveUp();
      this.leaveNormal(new LogFailure(reason, false), Atomics.load(this.words, CONTROL_FINAL));
    }
    Atomics.store(this.words, CONTROL_LOCK, 0);
    this.step();
    return true;
  }

  /** The log thread: goes on in a new file where the current one is full. False where another thread commits. */
  rotate(): boolean {
    if (Atomics.compareExchange(this.words, CONTROL_LOCK, 0, 1) !== 0) return false;
    if (Atomics.load(this.words, CONTROL_MODE) === MODE_NORMAL) {
      try {
        this.log.rotate(this.control.lsn + 1);
      } catch (error) {
        this.leaveNormal(error, Atomics.load(this.words, CONTROL_FINAL));
      }
    }
    Atomics.store(this.words, CONTROL_LOCK, 0);
    this.step();
    return true;
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
        this.leaveNormal(error, ticket);
        if (this.isUndecided()) holdCommits(control);
        else startRollback(control, ROLLBACK_REPLAY, first);
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

  /** Takes no more writes: stores why, and which tickets the log has failed to take, those before `failedEnd`. */
  private leaveNormal(error: unknown, failedEnd: number): void {
    if (!(error instanceof LogFailure)) throw error;
    if (Atomics.load(this.words, CONTROL_MODE) === MODE_NORMAL) this.control.setFailure(error.message);
    Atomics.store(this.words, CONTROL_FAILED_END, failedEnd);
    Atomics.store(this.words, CONTROL_MODE, error.mayBeFound ? MODE_UNDECIDED : MODE_READ_ONLY);
    this.control.wakeLog();
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
 * The error of a write while the log takes none. One that was in the air when the log failed, and could not be cut out of
 * it, may be found by recovery: its client is told so.
 */
export function refusal(control: Control, ticket: number): SqlError {
  const { words } = control;
  const isInGroup = ((ticket - Atomics.load(words, CONTROL_FAILED_END)) | 0) < 0;
  return isInGroup && Atomics.load(words, CONTROL_MODE) === MODE_UNKNOWN ? commitUnknown(control) : logFailure(control);
}

function commitUnknown(control: Control): SqlError {
  return new SqlError(
    'commit_unknown',
    `the log failed (${control.failure()}): the transaction is undone here, but may be found in the log at the next start`,
  );
}

function logFailure(control: Control): SqlError {
  const tail = control.logState[LOG_TAIL];
  const until =
    tail === TAIL_UNSYNCED || tail === TAIL_UNSAVED ? 'until a checkpoint is written' : 'until it takes them again';
  return new SqlError(
    'log_failure',
    `the log does not take writes (${control.failure()}); reads go on, writes are refused ${until}`,
  );
}
