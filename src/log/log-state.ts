/**
 * What the threads that append to the log share: 16 float64 words, read and written only by the holder of the committer
 * lock. The log thread changes word 2 from asked to done; should that be lost, the committer syncs the file itself.
 *
 *   index  meaning
 *   0      first LSN of the current file (its name); 0 before the log is opened
 *   1      its end: where the next record goes; 0: it has to be made
 *   2      sync of the full current file by the log thread: 0 not asked, its first LSN asked, minus that done
 *   3      1: sync every group (wal_sync_on_write)
 *   4      1: sync a full file (wal_sync_on_rotate)
 *   5      size from which a new file begins (wal_rotate_wm)
 *   6      files made since the start: tells a file from an older one of the same name
 *   7      tail: TAIL_*
 *   8      header mark of the file that a repair begins: WAL_REPAIR or WAL_REPAIR_UNSYNCED
 *   9      files of which only records up to this LSN count are to be removed: main asks, the log thread sets it to 0
 *   10     its first four bytes, by Atomics, as whoever syncs files beside the committer sets it: 1 when such a sync has failed.
 *          What it was of may be acknowledged, so the next append gives the file up, whatever later syncs say; a repair clears it
 *
 * Words 3 to 5 may be changed by main while the server runs: each is read once an append.
 */

export const LOG_FILE_LSN = 0;
export const LOG_END = 1;
export const LOG_SYNC_PENDING = 2;
export const LOG_SYNC_ON_WRITE = 3;
export const LOG_SYNC_ON_ROTATE = 4;
export const LOG_ROTATE_BYTES = 5;
export const LOG_FILE_COUNT = 6;
export const LOG_TAIL = 7;
export const LOG_REPAIR = 8;
export const LOG_TRIM_LSN = 9;
export const LOG_SYNC_FAILED = 10;

export const LOG_STATE_WORDS = 16;

/** All is well, as far as we know. */
export const TAIL_CLEAN = 0;
/** There are bytes behind the end that could not be cut off. */
export const TAIL_UNCUT = 1;
/** A sync failed: the log goes on in a new file only. */
export const TAIL_UNSYNCED = 2;
/** The new file is there; what is acknowledged has to be saved by a checkpoint. */
export const TAIL_UNSAVED = 3;

export type LogSettings = {
  readonly syncOnWrite: boolean;
  readonly syncOnRotate: boolean;
  readonly rotateBytes: number;
};

/** Stores settings for all threads; they hold from the next append. */
export function setLogSettings(state: Float64Array, settings: LogSettings): void {
  state[LOG_SYNC_ON_WRITE] = settings.syncOnWrite ? 1 : 0;
  state[LOG_SYNC_ON_ROTATE] = settings.syncOnRotate ? 1 : 0;
  state[LOG_ROTATE_BYTES] = settings.rotateBytes;
}

/** Word 10 as one integer, for Atomics. */
export function syncFailureOf(state: Float64Array): Int32Array {
  return new Int32Array(state.buffer, state.byteOffset + LOG_SYNC_FAILED * 8, 1);
}
