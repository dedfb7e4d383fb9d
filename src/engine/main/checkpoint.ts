/**
 * Checkpoints, main's part:
 *
 *   IDLE ── freeze: drained fence, all nodes freeze their partitions; catalog and counters are taken ──▶ FROZEN
 *   FROZEN ── write: the savers write a file for each partition, while transactions go on ──▶ WRITTEN
 *   WRITTEN ── catalog file; renamed, its folder synced ──▶ IDLE; older checkpoints and WAL files go
 *   an error ──▶ IDLE; what was written is removed, after the rename too, and the one before it stays with its log. Should
 *                removing it fail as well, a start may find either: both are whole, and the log has all that is behind them
 *
 * The state that is saved is exactly that of the LSN in the fence. Whoever writes, every snapshot of a partition is finished
 * when write() is over, so that the next one can begin.
 */

import type { Clock, Files } from '../../base/effects.ts';
import { SqlError } from '../../base/errors.ts';
import { COPY_RESERVE_BYTES, PAGE_BYTES } from '../../base/limits.ts';
import type { Memory } from '../../base/memory.ts';
import type { Catalog, TableDefinition } from '../../catalog/catalog.ts';
import type { Control } from '../../executor/control.ts';
import { type CheckpointContents, type CheckpointFile, writeCatalogFile } from '../../log/checkpoint/catalog-file.ts';
import {
  beginCheckpoint,
  type CheckpointName,
  listCheckpoints,
  publishCheckpoint,
  removeIncomplete,
  removeOlder,
  trimLog,
} from '../../log/checkpoint/directory.ts';
import { type SaveJob, skipSave } from '../../log/checkpoint/save.ts';
import { touchedRuns } from '../../storage/copy-on-write.ts';
import { partitionPageCount } from '../../storage/partition.ts';
import { liveRowCount } from '../../storage/partition-writes.ts';
import { SNAPSHOT_FROZEN, SNAPSHOT_STATE, snapshotPageOf, snapshotWords } from '../../storage/snapshot.ts';
import type { CatalogPublisher } from './catalog-publisher.ts';
import type { DdlExecutor } from './ddl-executor.ts';
import type { IdentityCounters } from './identity-counters.ts';

/** Who writes the rows files: threads of their own, or the one thread that there is. */
export interface PartitionSavers {
  /**
   * Does all jobs, by at most so many threads, largest first as they are given; `onSaved` is called after each. Rejects with
   * the first error. When it settles, the snapshots of all jobs are finished.
   */
  save(jobs: readonly SaveJob[], workerCount: number, onSaved: (file: CheckpointFile) => void): Promise<void>;
  /** Makes a save() that is going on reject soon. For the end of the process: snapshots may stay unfinished. */
  cancel(): void;
}

type Fields = Record<string, string | number | boolean | null>;

export type CheckpointLog = {
  info(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
};

export type CheckpointerOptions = {
  readonly control: Control;
  readonly memory: Memory;
  readonly publisher: CatalogPublisher;
  readonly counters: IdentityCounters;
  readonly files: Files;
  readonly clock: Clock;
  readonly ddl: DdlExecutor;
  readonly savers: PartitionSavers;
  readonly log: CheckpointLog;
  readonly logDirectory: string;
  readonly checkpointFolder: string;
  /** The newest checkpoint there is. */
  readonly newest: CheckpointName | undefined;
  /** Of a node, for copies; simulations leave it none. */
  readonly copyReserveBytes?: number;
};

/** A state of the database that nodes hold for the savers. */
export type Frozen = {
  readonly lsn: number;
  /** Transactions before it that changed unlogged tables. */
  readonly unloggedCount: number;
  readonly jobs: readonly SaveJob[];
  readonly contents: CheckpointContents;
};

/** Between two lines in the server log that tell how far a checkpoint is. */
const PROGRESS_MS = 5000;
/** Of a repository that nobody has written to. */
const LSN_OF_NEW = 1;

export class Checkpointer {
  readonly #options: CheckpointerOptions;
  #newest: CheckpointName | undefined;
  /** Control.unloggedCount at the newest one. What was loaded at the start has all there is. */
  #unloggedCount: number;
  /** The newest one has its name for good. One that a start has found may have it by a rename that was not synced. */
  #isDurable = false;

  constructor(options: CheckpointerOptions) {
    this.#options = options;
    this.#newest = options.newest;
    this.#unloggedCount = options.control.unloggedCount;
  }

  /** LSN of the newest checkpoint; 0 = there is none. */
  get lsn(): number {
    return this.#newest?.lsn ?? 0;
  }

  /** True where there is something that the newest checkpoint does not have. */
  hasChanges(): boolean {
    const { lsn, unloggedCount } = this.#options.control;
    return lsn > Math.max(this.lsn, LSN_OF_NEW) || unloggedCount > this.#unloggedCount;
  }

  /**
   * Freezes the database; undefined where nothing has changed since the newest checkpoint, unless `isForced`. One at a time,
   * and not beside DDL; write() has to follow. Throws out_of_memory, and then nothing is frozen.
   */
  async freeze(isForced: boolean): Promise<Frozen | undefined> {
    if (!isForced && !this.hasChanges()) return undefined;
    const { ddl, publisher, control, memory } = this.#options;
    const runs = this.#touchRuns(publisher.catalog);
    let haveNodesRuns = false;
    try {
      return await ddl.inFence(async (onNodes) => {
        const { catalog } = publisher;
        const { lsn, unloggedCount } = control;
        const error = await onNodes({ kind: 'freeze', lsn, runs });
        haveNodesRuns = true;
        const jobs = this.#jobs(catalog, lsn);
        if (error !== undefined) {
          for (const job of jobs) skipSave(memory, job);
          throw error;
        }
        return { lsn, unloggedCount, jobs, contents: this.#contents(catalog, lsn) };
      });
    } catch (failure) {
      // Where the nodes were not asked, nobody else has them.
      if (!haveNodesRuns) for (const page of runs.flat()) memory.free(page, memory.pageCountOf(page));
      throw failure;
    }
  }

  /** Writes what freeze() gave, and makes it the newest checkpoint. Throws checkpoint_failure; the one before it stays then. */
  async write(frozen: Frozen, workerCount: number): Promise<void> {
    const { files, checkpointFolder, memory, clock, log } = this.#options;
    const { lsn, contents } = frozen;
    const startMs = clock.monotonicMilliseconds();
    log.info('checkpoint begun', { lsn, partitions: frozen.jobs.length });
    const saved: CheckpointFile[] = [];
    let hasSavers = false;
    let name: CheckpointName;
    try {
      name = this.#nextName(lsn);
      const directory = beginCheckpoint(files, checkpointFolder, name);
      let toldMs = startMs;
      hasSavers = true;
      await this.#options.savers.save(
        frozen.jobs.map((job) => ({ ...job, directory })),
        workerCount,
        (file) => {
          saved.push(file);
          if (clock.monotonicMilliseconds() - toldMs < PROGRESS_MS) return;
          toldMs = clock.monotonicMilliseconds();
          log.info('checkpoint goes on', { lsn, partitions_done: saved.length, partitions: frozen.jobs.length });
        },
      );
      writeCatalogFile(files, directory, { ...contents, files: saved });
      publishCheckpoint(files, checkpointFolder, name);
    } catch (error) {
      if (!hasSavers) for (const job of frozen.jobs) skipSave(memory, job);
      throw this.#failed(lsn, error);
    } finally {
      // Nodes that have nothing to do take down their side of the snapshot.
      this.#options.control.wakeAllNodes();
    }
    this.#newest = name;
    this.#unloggedCount = frozen.unloggedCount;
    this.#isDurable = true;
    const sum = (pick: (file: CheckpointFile) => number): number =>
      saved.reduce((total, file) => total + pick(file), 0);
    log.info('checkpoint written', {
      lsn,
      rows: sum((file) => file.rowCount),
      bytes: sum((file) => file.fileBytes),
      ms: Math.round(clock.monotonicMilliseconds() - startMs),
    });
  }

  /**
   * Removes the checkpoints that the newest one makes superfluous; gives the LSN up to which the log may be trimmed too.
   * What cannot be removed stays, and is told; the log stays with it: undefined.
   */
  clean(): number | undefined {
    const { files, checkpointFolder, log } = this.#options;
    if (this.#newest === undefined) return undefined;
    try {
      if (!this.#isDurable) files.syncDirectory(checkpointFolder);
      this.#isDurable = true;
      const checkpoints = removeOlder(files, checkpointFolder, this.#newest);
      if (checkpoints > 0) log.info('removed what a checkpoint has replaced', { checkpoints });
      return this.#newest.lsn;
    } catch (error) {
      log.error('what a checkpoint has replaced could not be removed', { reason: (error as Error).message });
      return undefined;
    }
  }

  /** Removes the log files before that LSN, in this thread: at the start, before there is a log thread. */
  trimLog(lsn: number): void {
    const { files, logDirectory, log } = this.#options;
    try {
      const count = trimLog(files, logDirectory, lsn);
      if (count > 0) log.info('removed log files that a checkpoint has replaced', { wal_files: count });
    } catch (error) {
      log.error('log files that a checkpoint has replaced could not be removed', { reason: (error as Error).message });
    }
  }

  /** By node: touched pages for its copies, no more than its rows have. */
  #touchRuns(catalog: Catalog): number[][] {
    const { memory, copyReserveBytes = COPY_RESERVE_BYTES } = this.#options;
    return catalog.nodes.map((_, node) => {
      let pageCount = 0;
      const tables: TableDefinition[] = [];
      for (const table of catalog.tables) {
        for (const partition of table.partitions) {
          if (partition.node !== node || liveRowCount(memory.i32, partition.rootPage) === 0) continue;
          pageCount += partitionPageCount(memory, table, partition.rootPage);
          if (tables.at(-1) !== table) tables.push(table);
        }
      }
      return touchedRuns(memory, tables, Math.min(copyReserveBytes, pageCount * PAGE_BYTES));
    });
  }

  /** Of all frozen partitions, those with the most rows first. */
  #jobs(catalog: Catalog, lsn: number): SaveJob[] {
    const { memory } = this.#options;
    const jobs: { job: SaveJob; rowCount: number }[] = [];
    for (const table of catalog.tables) {
      for (const { id, node, rootPage } of table.partitions) {
        const snapshotPage = snapshotPageOf(memory, rootPage);
        // Where a node has failed, some may be left of the one before, which is over.
        if (snapshotPage === 0 || snapshotWords(memory, snapshotPage)[SNAPSHOT_STATE] !== SNAPSHOT_FROZEN) continue;
        const job = { directory: '', lsn, table, partitionId: id, snapshotPage, node };
        jobs.push({ job, rowCount: liveRowCount(memory.i32, rootPage) });
      }
    }
    return jobs.sort((a, b) => b.rowCount - a.rowCount).map(({ job }) => job);
  }

  #contents(catalog: Catalog, lsn: number): CheckpointContents {
    const identities: Record<string, string> = {};
    for (const { id, identityRef } of catalog.tables)
      if (identityRef !== 0) identities[id] = String(this.#options.counters.next(identityRef));
    const tables = catalog.tables.map((table) => ({
      ...table,
      identityRef: 0,
      partitions: table.partitions.map((partition) => ({ ...partition, rootPage: 0 })),
    }));
    return { lsn, catalog: { ...catalog, tables }, identities, files: [] };
  }

  #nextName(lsn: number): CheckpointName {
    const { files, checkpointFolder } = this.#options;
    const same = listCheckpoints(files, checkpointFolder).filter((name) => name.lsn === lsn);
    return { lsn, sequence: (same.at(-1)?.sequence ?? 0) + 1 };
  }

  /** Removes what was written; gives the error for the client. */
  #failed(lsn: number, error: unknown): SqlError {
    const { files, checkpointFolder, log } = this.#options;
    const reason = (error as Error).message;
    log.error('checkpoint failed', { lsn, reason });
    try {
      removeIncomplete(files, checkpointFolder);
    } catch (failure) {
      log.error('an unfinished checkpoint could not be removed', { lsn, reason: (failure as Error).message });
    }
    if (error instanceof SqlError) return error;
    return new SqlError(
      'checkpoint_failure',
      `the checkpoint could not be written (${reason}); the one before it stays, and nothing is lost`,
    );
  }
}

/** How many threads save: what was asked for, but no more than a quarter of the cores, and at least one. */
export function saverCount(asked: number, coreCount: number): number {
  return Math.max(1, Math.min(asked, Math.floor(coreCount / 4)));
}
