/**
 * The log as the executor sees it. The local files (log-writer.ts) are its first implementation; a replicated log has to
 * fit behind it too.
 */

/** Why the log does not take something. What it was to take is not acknowledged. */
export class LogFailure extends Error {
  override name = 'LogFailure';
  /** True: recovery may find the records of the group, until Log.isUndecided() says that it will not. */
  readonly mayBeFound: boolean;

  constructor(message: string, mayBeFound: boolean) {
    super(message);
    this.mayBeFound = mayBeFound;
  }
}

/**
 * What a repair has come to. 'failed': not yet; try again. 'unsaved': the log goes on in a new file, but takes nothing before
 * a checkpoint has been written and synced, and saved() called. 'ready': it takes the next record.
 */
export type LogRepair = 'failed' | 'unsaved' | 'ready';

/** One object a thread that may commit; the callers take turns by the committer lock. */
export interface Log {
  /** False: nothing is kept, append is never called, and nobody has to make redo. */
  readonly isKept: boolean;
  /**
   * Appends a group of whole records (record.ts), the first of which has that LSN, in one write; returns when they are
   * as durable as the settings ask. Throws LogFailure; nobody appends then before a repair.
   */
  append(firstLsn: number, bytes: Uint8Array, byteCount: number): void;
  /** Goes on in a new file where the current one is full. Throws LogFailure. */
  rotate(nextLsn: number): void;
  /** After a failure: makes the log fit to take the record `nextLsn`, as far as that is possible now. */
  repair(nextLsn: number): LogRepair;
  /** True while recovery may find records that append has refused. */
  isUndecided(): boolean;
  /** Acknowledged records may not be durable: repair begins a new file, and asks for a checkpoint. */
  giveUp(): void;
  /** A checkpoint of all that is acknowledged is durable, after a repair that was 'unsaved'. */
  saved(): void;
  close(): void;
}

/** The log of a database that keeps nothing. */
export class NullLog implements Log {
  readonly isKept: boolean = false;

  append(): void {}

  rotate(): void {}

  repair(): LogRepair {
    return 'ready';
  }

  isUndecided(): boolean {
    return false;
  }

  giveUp(): void {}

  saved(): void {}

  close(): void {}
}
