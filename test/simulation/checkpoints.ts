/** What the simulation knows of the checkpoints that the machine takes: at which place of the order, and what they hold. */

import type { Checkpointer, Frozen } from '../../src/engine/main/checkpoint.ts';
import type { Database } from '../../src/engine/main/database.ts';
import { CONTROL_FINAL } from '../../src/executor/layout.ts';
import type { SimulatedFiles } from '../../src/testing/simulated-files.ts';

/** A checkpoint that was frozen. */
export type CheckpointRecord = {
  /** Of its fence, from 0: the state is that after all tickets before it. */
  readonly ticket: number;
  /** The identity counter of the table with one, when the fence was ordered and when it ended; undefined: no such table. */
  readonly identityLow: bigint | undefined;
  identityHigh: bigint | undefined;
  lsn: number;
  /** The disk when it was the newest checkpoint, durably, and nothing was removed yet. */
  image: SimulatedFiles | undefined;
};

/** One that was asked for and not taken, as nothing was new. */
export type SkippedCheckpoint = {
  /** Tickets that were final. */
  readonly finalCount: number;
  /** The newest one by then: CheckpointWatch.newest. */
  readonly fence: number;
};

/** What the checkpointer of a machine has done, as it tells (watchedCheckpointer). */
export class CheckpointWatch {
  /** Whole and durable ones, oldest first. */
  readonly written: CheckpointRecord[] = [];
  readonly failed: CheckpointRecord[] = [];
  readonly skipped: SkippedCheckpoint[] = [];
  /** Fences of checkpoints that a failed log needed. */
  forcedCount = 0;
  /** From the fence of a checkpoint on until it is written, or has failed. */
  isGoingOn = false;
  /** The checkpoint that is being written. */
  writing: CheckpointRecord | undefined;
  /** Main is taking the ticket of a checkpoint's fence at this moment. */
  isOrdering = false;
  private readonly database: Database;
  private readonly files: SimulatedFiles;
  private readonly firstTicket: number;
  private readonly ticketCount: () => number;
  private latest: CheckpointRecord | undefined;

  constructor(database: Database, files: SimulatedFiles, firstTicket: number, ticketCount: () => number) {
    this.database = database;
    this.files = files;
    this.firstTicket = firstTicket;
    this.ticketCount = ticketCount;
    // The identity counters of a checkpoint are taken before its fence ends.
    const { committer } = database;
    const finishFence = committer.finishFence.bind(committer);
    committer.finishFence = (ticket) => {
      if (((ticket - firstTicket) | 0) === this.latest?.ticket) this.latest.identityHigh = this.identity();
      finishFence(ticket);
    };
  }

  /** Ticket of the fence of the newest whole one; -1: that of the start, or none. */
  get newest(): number {
    return this.written.at(-1)?.ticket ?? -1;
  }

  /**
   * Tickets of the fences of which the newest one on the disk may be. Where the disk fails one that has failed may have its
   * name all the same.
   */
  saved(isDiskFailing: boolean): number[] {
    const { newest, writing } = this;
    const failed = isDiskFailing ? this.failed.filter(({ ticket }) => ticket > newest) : [];
    return [newest, ...failed, ...(writing === undefined ? [] : [writing])].map((each) =>
      typeof each === 'number' ? each : each.ticket,
    );
  }

  /** `freeze` takes its ticket before it returns; gives the record of it, undefined where it took none. */
  async onFreeze<Result>(freeze: () => Promise<Result>): Promise<[Result, CheckpointRecord | undefined]> {
    const ticket = this.ticketCount();
    const finalCount = (Atomics.load(this.database.control.words, CONTROL_FINAL) - this.firstTicket) | 0;
    const fence = this.newest;
    this.isOrdering = true;
    let frozen: Promise<Result>;
    try {
      frozen = freeze();
    } finally {
      this.isOrdering = false;
    }
    const hasTicket = this.ticketCount() > ticket;
    const record = { ticket, identityLow: this.identity(), identityHigh: undefined, lsn: 0, image: undefined };
    this.latest = hasTicket ? record : undefined;
    this.isGoingOn = true;
    try {
      const result = await frozen;
      this.isGoingOn = result !== undefined;
      if (result === undefined) this.skipped.push({ finalCount, fence });
      return [result, this.latest];
    } catch (error) {
      this.isGoingOn = false;
      throw error;
    }
  }

  onWriting(record: CheckpointRecord): void {
    this.writing = record;
  }

  onWritten(record: CheckpointRecord): void {
    this.writing = undefined;
    this.isGoingOn = false;
    record.image = this.files.clone();
    this.written.push(record);
  }

  onFailed(record: CheckpointRecord): void {
    this.writing = undefined;
    this.isGoingOn = false;
    this.failed.push(record);
  }

  /** The next identity value of the table that has them; undefined where it is not there. */
  private identity(): bigint | undefined {
    const { publisher, counters } = this.database;
    const table = publisher.catalog.tables.find(({ name }) => name === 'e');
    return table === undefined ? undefined : counters.next(table.identityRef);
  }
}

/** A checkpointer that says what it does; `Base` may be a broken one. */
export function watchedCheckpointer(watch: CheckpointWatch, Base: typeof Checkpointer): typeof Checkpointer {
  return class extends Base {
    private readonly records: WeakMap<Frozen, CheckpointRecord> = new WeakMap();

    override async freeze(isForced: boolean): Promise<Frozen | undefined> {
      if (isForced) watch.forcedCount++;
      const [frozen, record] = await watch.onFreeze(() => super.freeze(isForced));
      if (frozen === undefined) return undefined;
      record!.lsn = frozen.lsn;
      this.records.set(frozen, record!);
      return frozen;
    }

    override async write(frozen: Frozen, workerCount: number): Promise<void> {
      const record = this.records.get(frozen)!;
      watch.onWriting(record);
      try {
        await super.write(frozen, workerCount);
      } catch (error) {
        watch.onFailed(record);
        throw error;
      }
      watch.onWritten(record);
    }
  };
}
