/**
 * Appends groups of records to the WAL files of a directory. Any thread that holds the committer lock may append: each has
 * a LogWriter with a descriptor of its own for the current file, and writes at the shared end offset (log-state.ts).
 *
 * The current file:
 *
 *   ABSENT (end = 0) ── first append: create, header, directory sync ──▶ OPEN (end ≥ 32) ── end ≥ wal_rotate_wm ──▶
 *   FULL, still written, main syncs it ── synced (or twice the size) ──▶ the next file, named after the first LSN of the
 *   group at hand, ABSENT
 *
 * The tail, when an append fails:
 *
 *   CLEAN ── write failed, cut off and synced ─────────▶ CLEAN     failure 'cut'
 *   CLEAN ── write failed, cutting failed ─────────────▶ UNCUT     failure 'uncut'; repair cuts, or begins a new file:
 *                                                                  recovery ignores records at or above its first LSN
 *   any   ── a sync failed ────────────────────────────▶ UNSYNCED  failure 'unsynced'; stays until a restart, because a
 *                                                                  later sync that succeeds says nothing about those bytes
 *
 * A filled file is synced by main (`syncFullFile`), without blocking, while it still takes records.
 */

import { join } from 'node:path';
import { assert } from '../base/assert.ts';
import type { FileHandle, Files } from '../base/effects.ts';
import { type Log, LogFailure } from './log.ts';
import {
  LOG_END,
  LOG_FILE_COUNT,
  LOG_FILE_LSN,
  LOG_ROTATE_BYTES,
  LOG_SYNC_ON_ROTATE,
  LOG_SYNC_ON_WRITE,
  LOG_SYNC_PENDING,
  LOG_TAIL,
  TAIL_CLEAN,
  TAIL_UNCUT,
  TAIL_UNSYNCED,
} from './log-state.ts';
import { encodeWalHeader, GroupWriter, SECTION_COMMAND, WAL_HEADER_BYTES, walFileName } from './record.ts';

const PROBE_BYTES = 4096;

export class LogWriter implements Log {
  readonly isKept = true;
  private readonly files: Files;
  private readonly directory: string;
  private readonly state: Float64Array;
  private readonly onFullFile: () => void;
  private handle: FileHandle = -1;
  /** First LSN of the file that `handle` is of. */
  private handleLsn = 0;

  /**
   * @param state shared by all writers: Control.logState, set by `openLogState`
   * @param onFullFile called when a full file waits for `syncFullFile`: wakes main
   */
  constructor(files: Files, directory: string, state: Float64Array, onFullFile: () => void) {
    this.files = files;
    this.directory = directory;
    this.state = state;
    this.onFullFile = onFullFile;
  }

  append(firstLsn: number, bytes: Uint8Array, byteCount: number): void {
    const state = this.state;
    if (state[LOG_TAIL] !== TAIL_CLEAN) throw new LogFailure('the log waits for repair', tailOf(state));
    if (state[LOG_END]! >= state[LOG_ROTATE_BYTES]!) this.rotateIfReady(firstLsn);
    if (state[LOG_END] === 0) this.createFile();
    const end = state[LOG_END]!;
    try {
      this.openCurrent();
      this.writeAll(bytes, byteCount, end);
    } catch (error) {
      throw this.cut(`write: ${reason(error)}`);
    }
    if (state[LOG_SYNC_ON_WRITE] === 1) this.syncOrFail();
    state[LOG_END] = end + byteCount;
  }

  repair(nextLsn: number): boolean {
    const state = this.state;
    if (state[LOG_TAIL] === TAIL_UNSYNCED) return false;
    try {
      if (state[LOG_END] === 0) {
        this.createFile();
        return true;
      }
      if (state[LOG_TAIL] === TAIL_UNCUT && !this.tryCut()) {
        this.assertSynced();
        // No hole after a power loss: the acknowledged records of this file are durable before there is a next one.
        if (state[LOG_SYNC_ON_ROTATE] === 1 || state[LOG_SYNC_ON_WRITE] === 1) this.syncFull(state[LOG_FILE_LSN]!);
        state[LOG_SYNC_PENDING] = 0;
        state[LOG_FILE_LSN] = nextLsn;
        state[LOG_END] = 0;
        this.createFile();
        this.files.sync(this.handle);
        this.files.syncDirectory(this.directory);
        state[LOG_TAIL] = TAIL_CLEAN;
        return true;
      }
      this.openCurrent();
      const end = state[LOG_END]!;
      this.writeAll(new Uint8Array(PROBE_BYTES), PROBE_BYTES, end);
      this.files.truncate(this.handle, end);
      return true;
    } catch (error) {
      if (error instanceof LogFailure && error.tail === 'unsynced') throw error;
      if (state[LOG_END] !== 0) this.tryCut();
      this.assertSynced();
      return false;
    }
  }

  /** For repair: throws where the sync of a cut has just failed. */
  private assertSynced(): void {
    if (this.state[LOG_TAIL] === TAIL_UNSYNCED) throw new LogFailure('the sync of a cut failed', 'unsynced');
  }

  giveUp(): void {
    this.state[LOG_TAIL] = TAIL_UNSYNCED;
  }

  close(): void {
    if (this.handle < 0) return;
    this.files.close(this.handle);
    this.handle = -1;
  }

  /** Syncs the current file: what a clean stop does, whatever the settings. Throws what the file system throws. */
  syncCurrent(): void {
    if (this.state[LOG_END] === 0) return;
    this.openCurrent();
    this.files.sync(this.handle);
  }

  private openCurrent(): void {
    const lsn = this.state[LOG_FILE_LSN]!;
    if (this.handle >= 0 && this.handleLsn === lsn) return;
    this.close();
    this.handle = this.files.open(join(this.directory, walFileName(lsn)), false);
    this.handleLsn = lsn;
  }

  /**
   * Called while the current file is full: goes on to the next one, unless its sync is still to come. With
   * wal_sync_on_rotate no record goes into a file before all of the one before it is durable, so that a power loss never
   * leaves a hole; main syncs the bulk of it first, and the rest takes the committer a moment. Should main not come, the
   * committer syncs it all once the file has twice its size.
   */
  private rotateIfReady(firstLsn: number): void {
    const state = this.state;
    const fileLsn = state[LOG_FILE_LSN]!;
    if (state[LOG_SYNC_ON_ROTATE] === 1 || state[LOG_SYNC_ON_WRITE] === 1) {
      if (state[LOG_SYNC_ON_WRITE] !== 1 && state[LOG_SYNC_PENDING] !== -fileLsn) {
        if (state[LOG_SYNC_PENDING] === 0) {
          state[LOG_SYNC_PENDING] = fileLsn;
          this.onFullFile();
        }
        if (state[LOG_END]! < 2 * state[LOG_ROTATE_BYTES]!) return;
      }
      this.syncFull(fileLsn);
    }
    // main may still be at it: what it then says about the old file is of no use to anyone.
    state[LOG_SYNC_PENDING] = 0;
    state[LOG_FILE_LSN] = firstLsn;
    state[LOG_END] = 0;
  }

  private syncFull(lsn: number): void {
    try {
      this.openCurrent();
      this.files.sync(this.handle);
    } catch (error) {
      this.state[LOG_TAIL] = TAIL_UNSYNCED;
      throw new LogFailure(`sync of ${walFileName(lsn)}: ${reason(error)}`, 'unsynced');
    }
  }

  /** The file may be there in part, from a try before: it is made anew. */
  private createFile(): void {
    const state = this.state;
    const lsn = state[LOG_FILE_LSN]!;
    this.close();
    try {
      this.handle = this.files.open(join(this.directory, walFileName(lsn)), true);
      this.handleLsn = lsn;
      this.files.truncate(this.handle, 0);
      this.writeAll(encodeWalHeader(lsn), WAL_HEADER_BYTES, 0);
    } catch (error) {
      throw new LogFailure(`new file ${walFileName(lsn)}: ${reason(error)}`, 'cut');
    }
    if (state[LOG_SYNC_ON_WRITE] === 1 || state[LOG_SYNC_ON_ROTATE] === 1) {
      try {
        this.files.sync(this.handle);
        this.files.syncDirectory(this.directory);
      } catch (error) {
        // Nothing acknowledged is in this file: the next append makes it anew.
        throw new LogFailure(`sync of new file ${walFileName(lsn)}: ${reason(error)}`, 'cut');
      }
    }
    state[LOG_END] = WAL_HEADER_BYTES;
    state[LOG_FILE_COUNT]! += 1;
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
      this.state[LOG_TAIL] = TAIL_UNSYNCED;
      try {
        this.files.truncate(this.handle, this.state[LOG_END]!);
      } catch {
        // The records stay: the clients are told that they may.
      }
      throw new LogFailure(`sync: ${reason(error)}`, 'unsynced');
    }
  }

  private cut(message: string): LogFailure {
    this.tryCut();
    return new LogFailure(message, tailOf(this.state));
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
      state[LOG_TAIL] = TAIL_UNSYNCED;
      return false;
    }
    state[LOG_TAIL] = TAIL_CLEAN;
    return true;
  }
}

/** Sets the shared state to go on at the end of a file, 0 = a new one, as recovery found it. Once, before any writer is used. */
export function openLogState(state: Float64Array, fileLsn: number, end: number): void {
  assert(end === 0 || end >= WAL_HEADER_BYTES, 'the log goes on behind a file header');
  state[LOG_FILE_LSN] = fileLsn;
  state[LOG_END] = end;
  state[LOG_SYNC_PENDING] = 0;
  state[LOG_FILE_COUNT] = 0;
  state[LOG_TAIL] = TAIL_CLEAN;
}

/**
 * Makes the log of a new repository: the directory, and its first file with the record of LSN 1, a command that says how
 * the repository was made; synced. Throws what the file system throws.
 */
export function createLog(files: Files, directory: string, command: string): void {
  files.makeDirectory(directory);
  const group = new GroupWriter(1024);
  const payload = new TextEncoder().encode(command);
  group.begin(1);
  group.addSection(SECTION_COMMAND, payload, 0, payload.length);
  group.end();
  const handle = files.open(join(directory, walFileName(1)), true);
  try {
    const bytes = new Uint8Array(WAL_HEADER_BYTES + group.length);
    bytes.set(encodeWalHeader(1));
    bytes.set(group.bytes.subarray(0, group.length), WAL_HEADER_BYTES);
    const written = files.write(handle, bytes, 0, bytes.length, 0);
    if (written !== bytes.length) throw new Error(`${directory}: cannot write the first log record: no space`);
    files.sync(handle);
  } finally {
    files.close(handle);
  }
  files.syncDirectory(directory);
}

/**
 * main's part of rotation: syncs the full file that waits, without blocking; true when there was one. When it rejects,
 * acknowledged records may not be on disk: the caller lets the database take no writes from then on.
 */
export async function syncFullFile(files: Files, directory: string, state: Float64Array): Promise<boolean> {
  const lsn = state[LOG_SYNC_PENDING]!;
  if (lsn <= 0) return false;
  await files.syncLater(join(directory, walFileName(lsn)), directory);
  if (state[LOG_SYNC_PENDING] === lsn) state[LOG_SYNC_PENDING] = -lsn;
  return true;
}

function tailOf(state: Float64Array): 'cut' | 'uncut' | 'unsynced' {
  return state[LOG_TAIL] === TAIL_CLEAN ? 'cut' : state[LOG_TAIL] === TAIL_UNCUT ? 'uncut' : 'unsynced';
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
