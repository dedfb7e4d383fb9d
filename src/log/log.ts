/**
 * The log as the executor sees it. The local files (log-writer.ts) are its first implementation; a replicated log has to
 * fit behind it too.
 */

/** Why an append failed, and what is known about the records after it. The records of the group are not acknowledged. */
export class LogFailure extends Error {
  override name = 'LogFailure';
  /** 'cut': they are not in the log. 'uncut': recovery may find them. 'unsynced': so, and no later sync can be trusted. */
  readonly tail: 'cut' | 'uncut' | 'unsynced';

  constructor(message: string, tail: 'cut' | 'uncut' | 'unsynced') {
    super(message);
    this.tail = tail;
  }
}

/** One object a thread that may commit; the callers take turns by the committer lock. */
export interface Log {
  /** False: nothing is kept, append is never called, and nobody has to make redo. */
  readonly isKept: boolean;
  /**
   * Appends a group of whole records (record.ts), the first of which has that LSN, in one write; returns when they are
   * as durable as the settings ask. Throws LogFailure.
   */
  append(firstLsn: number, bytes: Uint8Array, byteCount: number): void;
  /**
   * After a failed append: makes the log fit to take the record `nextLsn`. True when it is; false when it still is not.
   * Never true after a failed sync; throws LogFailure ('unsynced') where a sync fails in it.
   */
  repair(nextLsn: number): boolean;
  /** Acknowledged records may not be durable: append fails from now on ('unsynced'), and repair too. */
  giveUp(): void;
  close(): void;
}

/** The log of a database that keeps nothing. */
export class NullLog implements Log {
  readonly isKept = false;

  append(): void {}

  repair(): boolean {
    return true;
  }

  giveUp(): void {}

  close(): void {}
}
