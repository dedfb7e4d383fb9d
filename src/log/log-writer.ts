/**
 * Appends groups of records to the WAL files of a directory. Any thread that holds the committer lock may append: each has
 * a LogWriter with a descriptor of its own for the current file, and writes at the shared end offset (log-state.ts).
 *
 * The current file:
 *
 *   ABSENT (end = 0) ── first append: create, header, directory sync ──▶ OPEN (end ≥ 32) ── end ≥ wal_rotate_wm ──▶
 *   FULL, still written, the log thread syncs it ── synced (or twice the size) ──▶ the next file, named after the next
 *   LSN, ABSENT
 *
 * The tail, when something fails. Only CLEAN takes records. In UNCUT and UNSYNCED recovery may find records that were refused:
 *
 *   CLEAN ── write failed; cut off and synced ───────────────▶ CLEAN     repair writes a probe
 *   CLEAN ── write failed; cutting failed ───────────────────▶ UNCUT
 *   UNCUT ── repair: cut off and synced ─────────────────────▶ CLEAN
 *   UNCUT ── repair: old file synced, new file durable ──────▶ CLEAN     recovery ignores what lies at or above its first LSN
 *   any   ── any sync failed, or giveUp ─────────────────────▶ UNSYNCED  a later sync that succeeds says nothing about the
 *                                                                        bytes of this one, so it is never tried again
 *   UNSYNCED ── repair: new file durable ────────────────────▶ UNSAVED   nothing refused is in the log any more
 *   UNSAVED ── saved: a checkpoint is durable, by main ──────▶ CLEAN
 *
 * Once a new file has been begun the old one is never gone back to: it may be on disk, and then the old one's records do
 * not count. Where making it fails it is removed and made anew, so that no sync is asked twice about the same bytes.
 */

import { join } from 'node:path';
import { assert } from '../base/assert.ts';
import type { FileHandle, Files } from '../base/effects.ts';
import { type Log, LogFailure, type LogRepair } from './log.ts';
import {
  LOG_END,
  LOG_FILE_COUNT,
  LOG_FILE_LSN,
  LOG_REPAIR,
  LOG_ROTATE_BYTES,
  LOG_SYNC_ON_ROTATE,
  LOG_SYNC_ON_WRITE,
  LOG_SYNC_PENDING,
  LOG_TAIL,
  syncFailureOf,
  TAIL_CLEAN,
  TAIL_UNCUT,
  TAIL_UNSAVED,
  TAIL_UNSYNCED,
} from './log-state.ts';
import { encodeWalHeader, WAL_HEADER_BYTES, WAL_REPAIR, WAL_REPAIR_UNSYNCED, walFileName } from './record.ts';

const PROBE_BYTES = 4096;

export class LogWriter implements Log {
  readonly isKept = true;
  private readonly files: Files;
  private readonly directory: string;
  private readonly state: Float64Array;
  private readonly onFullFile: () => void;
  /** 1: a sync beside the committer has failed. */
  private readonly syncFailure: Int32Array;
  private handle: FileHandle = -1;
  /** Which of the files made `handle` is of: LOG_FILE_COUNT. */
  private handleFile = -1;

  /**
   * @param state shared by all writers: Control.logState, set by `openLogState`
   * @param onFullFile called when a full file waits for `syncFullFile`: wakes the log thread
   */
  constructor(files: Files, directory: string, state: Float64Array, onFullFile: () => void) {
    this.files = files;
    this.directory = directory;
    this.state = state;
    this.syncFailure = syncFailureOf(state);
    this.onFullFile = onFullFile;
  }

  append(firstLsn: number, bytes: Uint8Array, byteCount: number): void {
    const state = this.state;
    if (state[LOG_TAIL] !== TAIL_CLEAN) throw new LogFailure('the log waits for repair', false);
    this.refuseLostSync();
    if (state[LOG_END]! >= state[LOG_ROTATE_BYTES]! && this.isFullFileSynced()) this.goOn(firstLsn);
    if (state[LOG_END] === 0) this.createFile();
    const end = state[LOG_END]!;
    try {
      this.openCurrent();
      this.writeAll(bytes, byteCount, end);
    } catch (error) {
      this.tryCut();
      throw new LogFailure(`write: ${reason(error)}`, this.isUndecided());
    }
    if (state[LOG_SYNC_ON_WRITE] === 1) this.syncOrFail();
    state[LOG_END] = end + byteCount;
  }

  rotate(nextLsn: number): void {
    const state = this.state;
    if (state[LOG_TAIL] !== TAIL_CLEAN || state[LOG_END]! < state[LOG_ROTATE_BYTES]!) return;
    this.refuseLostSync();
    this.goOn(nextLsn);
    this.createFile();
  }

  repair(nextLsn: number): LogRepair {
    const state = this.state;
    try {
      if (state[LOG_TAIL] === TAIL_CLEAN && this.hasLostSync()) this.giveUp();
      if (state[LOG_TAIL] === TAIL_CLEAN) {
        this.probe();
        return 'ready';
      }
      if (state[LOG_TAIL] === TAIL_UNCUT && this.leaveUncut(nextLsn)) return 'ready';
      if (state[LOG_TAIL] === TAIL_UNSYNCED) {
        Atomics.store(this.syncFailure, 0, 0);
        this.turnTo(nextLsn);
        this.makeFile(state[LOG_REPAIR]!, true);
        state[LOG_TAIL] = TAIL_UNSAVED;
      }
    } catch (error) {
      if (!(error instanceof LogFailure)) throw error;
    }
    return state[LOG_TAIL] === TAIL_UNSAVED ? 'unsaved' : 'failed';
  }

  isUndecided(): boolean {
    return this.state[LOG_TAIL] === TAIL_UNCUT || this.state[LOG_TAIL] === TAIL_UNSYNCED;
  }

  giveUp(): void {
    this.state[LOG_REPAIR] = WAL_REPAIR_UNSYNCED;
    this.state[LOG_TAIL] = TAIL_UNSYNCED;
  }

  saved(): void {
    assert(this.state[LOG_TAIL] === TAIL_UNSAVED, 'a checkpoint ends a repair');
    this.state[LOG_TAIL] = TAIL_CLEAN;
  }

  close(): void {
    if (this.handle < 0) return;
    this.files.close(this.handle);
    this.handle = -1;
  }

  /**
   * Syncs the current file: what a clean stop does, whatever the settings. Not after a failure: the next start puts that in
   * order (recover.ts). Throws what the file system throws.
   */
  syncCurrent(): void {
    if (this.state[LOG_END] === 0 || this.state[LOG_TAIL] !== TAIL_CLEAN || this.hasLostSync()) return;
    this.openCurrent();
    this.files.sync(this.handle);
  }

  /** Whether a sync beside the committer has failed since the last repair. */
  private hasLostSync(): boolean {
    return Atomics.load(this.syncFailure, 0) === 1;
  }

  /** Gives the file up where that is so: what the sync was of may be acknowledged. Throws LogFailure then. */
  private refuseLostSync(): void {
    if (!this.hasLostSync()) return;
    this.giveUp();
    throw new LogFailure('a sync of the log has failed', false);
  }

  /** A sync has failed. With wal_sync_on_write all that is acknowledged had one of its own before. */
  private noteUnsynced(): void {
    const state = this.state;
    if (state[LOG_TAIL] !== TAIL_UNSYNCED)
      state[LOG_REPAIR] = state[LOG_SYNC_ON_WRITE] === 1 ? WAL_REPAIR : WAL_REPAIR_UNSYNCED;
    state[LOG_TAIL] = TAIL_UNSYNCED;
  }

  private openCurrent(): void {
    const file = this.state[LOG_FILE_COUNT]!;
    if (this.handle >= 0 && this.handleFile === file) return;
    this.close();
    this.handle = this.files.open(join(this.directory, walFileName(this.state[LOG_FILE_LSN]!)), false);
    this.handleFile = file;
  }

  /**
   * Of a full file: whether the next one can begin. With wal_sync_on_rotate no record goes into a file before all of the
   * one before it is durable, so that a power loss never leaves a hole; the log thread syncs the bulk of it first, and the
   * rest takes a moment. Should it not come, the committer syncs it all once the file has twice its size.
   */
  private isFullFileSynced(): boolean {
    const state = this.state;
    if (state[LOG_SYNC_ON_WRITE] === 1 || state[LOG_SYNC_ON_ROTATE] !== 1) return true;
    if (state[LOG_SYNC_PENDING] === -state[LOG_FILE_LSN]!) return true;
    if (state[LOG_SYNC_PENDING] === 0) {
      state[LOG_SYNC_PENDING] = state[LOG_FILE_LSN]!;
      this.onFullFile();
    }
    return state[LOG_END]! >= 2 * state[LOG_ROTATE_BYTES]!;
  }

  /** Leaves the current file, durable where the settings ask for it, for one that begins with that LSN. */
  private goOn(firstLsn: number): void {
    if (this.isRotationSynced()) {
      this.syncFull();
      // The log thread may have had the failure of the same bytes meanwhile.
      this.refuseLostSync();
    }
    this.turnTo(firstLsn);
  }

  private isRotationSynced(): boolean {
    return this.state[LOG_SYNC_ON_ROTATE] === 1 || this.state[LOG_SYNC_ON_WRITE] === 1;
  }

  /** From here on the current file is one that has to be made. */
  private turnTo(firstLsn: number): void {
    // The log thread may still be at it: what it then says about the old file is of no use to anyone.
    this.state[LOG_SYNC_PENDING] = 0;
    this.state[LOG_FILE_LSN] = firstLsn;
    this.state[LOG_END] = 0;
  }

  private syncFull(): void {
    try {
      this.openCurrent();
      this.files.sync(this.handle);
    } catch (error) {
      this.noteUnsynced();
      throw new LogFailure(`sync of ${walFileName(this.state[LOG_FILE_LSN]!)}: ${reason(error)}`, false);
    }
  }

  private createFile(): void {
    this.makeFile(0, this.isRotationSynced());
  }

  /** Makes the current file. What is there of it, from a try before, goes first: nothing acknowledged is in it. */
  private makeFile(repair: number, isDurable: boolean): void {
    const { state, files, directory } = this;
    const lsn = state[LOG_FILE_LSN]!;
    const name = walFileName(lsn);
    const path = join(directory, name);
    this.close();
    this.handleFile = -1;
    try {
      if (files.list(directory).includes(name)) files.remove(path);
      this.handle = files.open(path, true);
      this.writeAll(encodeWalHeader(lsn, repair), WAL_HEADER_BYTES, 0);
    } catch (error) {
      throw new LogFailure(`new file ${name}: ${reason(error)}`, false);
    }
    if (isDurable) {
      try {
        files.sync(this.handle);
        files.syncDirectory(directory);
      } catch (error) {
        this.noteUnsynced();
        throw new LogFailure(`sync of new file ${name}: ${reason(error)}`, false);
      }
    }
    this.handleFile = state[LOG_FILE_COUNT]! + 1;
    state[LOG_FILE_COUNT] = this.handleFile;
    state[LOG_END] = WAL_HEADER_BYTES;
  }

  private writeAll(bytes: Uint8Array, byteCount: number, position: number): void {
    let written = this.files.write(this.handle, bytes, 0, byteCount, position);
    while (written < byteCount) {
      const more = this.files.write(this.handle, bytes, written, byteCount - written, position + written);
      if (more === 0) throw new Error('the file takes no more bytes');
      written += more;
    }
  }

  private syncOrFail(): void {
    try {
      this.files.sync(this.handle);
    } catch (error) {
      this.noteUnsynced();
      try {
        this.files.truncate(this.handle, this.state[LOG_END]!);
      } catch {
        // The records stay until the new file is there.
      }
      throw new LogFailure(`sync: ${reason(error)}`, true);
    }
  }

  /** Whether the disk takes bytes again. Throws LogFailure. */
  private probe(): void {
    const end = this.state[LOG_END]!;
    if (end === 0) {
      this.createFile();
      return;
    }
    try {
      this.openCurrent();
      this.writeAll(new Uint8Array(PROBE_BYTES), PROBE_BYTES, end);
      this.files.truncate(this.handle, end);
    } catch (error) {
      this.tryCut();
      throw new LogFailure(`probe: ${reason(error)}`, false);
    }
  }

  /** Out of UNCUT: true where the tail is CLEAN then; false where it is UNSYNCED. Throws LogFailure. */
  private leaveUncut(nextLsn: number): boolean {
    const state = this.state;
    if (state[LOG_END] !== 0) {
      if (this.tryCut()) return true;
      if (state[LOG_TAIL] === TAIL_UNSYNCED) return false;
      this.goOn(nextLsn);
    }
    this.makeFile(0, true);
    state[LOG_TAIL] = TAIL_CLEAN;
    return true;
  }

  /** Cuts the current file at its end, durably; leaves the tail CLEAN (true), UNCUT or UNSYNCED. */
  private tryCut(): boolean {
    const state = this.state;
    try {
      this.openCurrent();
      this.files.truncate(this.handle, state[LOG_END]!);
    } catch {
      state[LOG_TAIL] = TAIL_UNCUT;
      return false;
    }
    try {
      this.files.sync(this.handle);
    } catch {
      this.noteUnsynced();
      return false;
    }
    state[LOG_TAIL] = TAIL_CLEAN;
    return true;
  }
}

/** Sets the shared state to go on at the end of a file, 0 = a new one, as recovery found it. Once, before any writer is used. */
export function openLogState(state: Float64Array, fileLsn: number, end: number): void {
  assert(end === 0 || end >= WAL_HEADER_BYTES, 'the log goes on behind a file header');
  state.fill(0);
  state[LOG_FILE_LSN] = fileLsn;
  state[LOG_END] = end;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
