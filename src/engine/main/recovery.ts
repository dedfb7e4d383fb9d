/**
 * Recovery at start, before any node runs:
 *
 *   begin: newest whole checkpoint ─▶ its catalog, empty partitions ─▶ the jobs: each loads one partition, in any thread
 *   ─▶ finish: identity counters, then the log's records behind the checkpoint, read and checked once, applied by partition
 *   ─▶ what a crash has left over (torn tail, unfinished checkpoints) is removed
 *
 * Without a checkpoint there are no jobs, and the log is read from its first record. Nothing on disk changes before all of
 * it has been read and applied without an error. DDL commands make and drop tables as they did then, in this thread; row
 * changes are applied here too (replay.ts), or where there are many by several threads (replay-threads.ts).
 */

import { join } from 'node:path';
import type { Clock, Files } from '../../base/effects.ts';
import type { Memory } from '../../base/memory.ts';
import type { Catalog, TableDefinition } from '../../catalog/catalog.ts';
import { applyDdl, type DdlCommand, emptyCatalog, tableById } from '../../catalog/ddl.ts';
import { type CheckpointContents, readCatalogFile, rowsFileName } from '../../log/checkpoint/catalog-file.ts';
import {
  type CheckpointName,
  checkpointName,
  listCheckpoints,
  removeIncomplete,
} from '../../log/checkpoint/directory.ts';
import type { LoadJob } from '../../log/checkpoint/load.ts';
import { SECTION_COMMAND, SECTION_ROWS } from '../../log/record.ts';
import { LogDamage, logBytesFrom, type Recovery, recordPlace, recover } from '../../log/recover.ts';
import type { Partition } from '../../storage/partition.ts';
import { INT } from '../../types/type.ts';
import type { IdentityCounters } from './identity-counters.ts';
import { LocalReplay, ReplayError, type RowReplay } from './replay.ts';
import { ThreadReplay } from './replay-threads.ts';
import { createTableStorage, dropTableStorage } from './table-storage.ts';

/** The command of LSN 1: how the repository was made. */
export type CreateRepository = { readonly kind: 'createRepository'; readonly nodes: readonly string[] };

export type Recovered = {
  readonly catalog: Catalog;
  readonly log: Recovery;
  /** The checkpoint that was loaded; undefined where there was none. */
  readonly checkpoint: LoadedCheckpoint | undefined;
  /** Unfinished checkpoints that were removed. */
  readonly unfinishedCount: number;
  readonly rowChangeCount: number;
  /** That replayed the log. */
  readonly threadCount: number;
  readonly durationMs: number;
};

export type LoadedCheckpoint = {
  readonly name: CheckpointName;
  readonly rowCount: number;
  readonly fileBytes: number;
  readonly durationMs: number;
};

export type RecoveryOptions = {
  readonly files: Files;
  /** Of the WAL, and of the checkpoints. */
  readonly logDirectory: string;
  readonly checkpointFolder: string;
  readonly memory: Memory;
  readonly counters: IdentityCounters;
  readonly clock: Clock;
  /** Threads that may replay the log; 1 = this one. Where `memory` is shared. */
  readonly threadCount: number;
  /** They begin when so many bytes of records have been replayed here: small logs are done before threads have started. */
  readonly threadsFromBytes?: number;
  readonly onProgress?: (progress: ReplayProgress) => void;
};

/** How far the replay of the log is. */
export type ReplayProgress = {
  readonly lsn: number;
  readonly byteCount: number;
  readonly totalBytes: number;
  readonly rowChangeCount: number;
};

/** What this thread replays in about the time that others take to start. */
const THREADS_FROM_BYTES: number = 8 * 1024 * 1024;
/** Between two reports of progress. */
const PROGRESS_MS = 5000;

/** A recovery between its two parts: `jobs` have to be run, in any threads, and then finish() called. */
export type Recovering = { readonly jobs: readonly LoadJob[]; finish(): Recovered };

/** Finds the newest checkpoint. Throws LogDamage, naming file and offset, and then nothing on disk has changed; so does finish(). */
export function beginRecovery(options: RecoveryOptions): Recovering {
  const { files, checkpointFolder, memory, counters, clock } = options;
  const startMs = clock.monotonicMilliseconds();
  const name = listCheckpoints(files, checkpointFolder).at(-1);
  const replay = new Replay(memory, counters);
  let jobs: readonly LoadJob[] = [];
  if (name !== undefined) {
    const directory = join(checkpointFolder, checkpointName(name));
    jobs = replay.takeCheckpoint(readCatalogFile(files, directory, name.lsn), directory);
  }
  const finish = (): Recovered => {
    const loadedMs = clock.monotonicMilliseconds();
    const log = replayLog(options, replay, (name?.lsn ?? 0) + 1);
    const catalog = replay.finish();
    // A process that was killed behind the rename has not synced it: without it, what the log lets go of would be lost.
    if (name !== undefined) files.syncDirectory(checkpointFolder);
    const sum = (pick: (job: LoadJob) => number): number => jobs.reduce((total, job) => total + pick(job), 0);
    return {
      catalog,
      log,
      checkpoint:
        name === undefined
          ? undefined
          : {
              name,
              rowCount: sum((job) => job.rowCount),
              fileBytes: sum((job) => job.fileBytes),
              durationMs: loadedMs - startMs,
            },
      unfinishedCount: removeIncomplete(files, checkpointFolder),
      rowChangeCount: replay.rowChangeCount,
      threadCount: replay.threadCount,
      durationMs: clock.monotonicMilliseconds() - startMs,
    };
  };
  return { jobs, finish };
}

/** Applies the log's records from that LSN on. */
function replayLog(options: RecoveryOptions, replay: Replay, fromLsn: number): Recovery {
  const { files, logDirectory, clock, threadCount, threadsFromBytes = THREADS_FROM_BYTES, onProgress } = options;
  const totalBytes = logBytesFrom(files, logDirectory, fromLsn);
  let byteCount = 0;
  let appliedBytes = 0;
  let toldMs = clock.monotonicMilliseconds();
  const onRecord = (lsn: number, recordBytes: number): void => {
    byteCount += recordBytes;
    if (lsn >= fromLsn) appliedBytes += recordBytes;
    if (threadCount > replay.threadCount && appliedBytes >= threadsFromBytes) replay.startThreads(threadCount);
    const nowMs = clock.monotonicMilliseconds();
    if (nowMs - toldMs < PROGRESS_MS) return;
    toldMs = nowMs;
    onProgress?.({ lsn, byteCount, totalBytes, rowChangeCount: replay.rowChangeCount });
  };
  try {
    replay.openTables();
    const onSection = (lsn: number, kind: number, bytes: Uint8Array, start: number, end: number): void => {
      if (kind === SECTION_ROWS) replay.rows(lsn, bytes, start, end);
      else if (kind === SECTION_COMMAND)
        replay.command(JSON.parse(new TextDecoder().decode(bytes.subarray(start, end))));
      else throw new Error(`${logDirectory}: a record has a section of unknown kind ${kind}; a newer version wrote it`);
    };
    return recover(files, logDirectory, fromLsn, onSection, { onRecord, beforeChange: () => replay.drain() });
  } catch (error) {
    replay.stop();
    if (!(error instanceof ReplayError)) throw error;
    throw new LogDamage(`${recordPlace(files, logDirectory, error.lsn)}: ${error.message}`);
  }
}

class Replay {
  readonly #memory: Memory;
  readonly #counters: IdentityCounters;
  /** All partitions, for commands; and for rows where there are no other threads. */
  readonly #local: LocalReplay;
  #rows: RowReplay;
  #catalog: Catalog = emptyCatalog([]);
  rowChangeCount = 0;
  threadCount = 1;

  constructor(memory: Memory, counters: IdentityCounters) {
    this.#memory = memory;
    this.#counters = counters;
    this.#local = new LocalReplay(memory, () => true);
    this.#rows = this.#local;
  }

  /** Makes the tables of a checkpoint, empty; gives what loads them. Throws LogDamage. */
  takeCheckpoint(contents: CheckpointContents, directory: string): LoadJob[] {
    const { catalog, identities, lsn } = contents;
    const saved = new Map(contents.files.map((file) => [file.partitionId, file]));
    const tables = catalog.tables.map((table) => createTableStorage(this.#memory, this.#counters, table));
    this.#catalog = { ...catalog, tables };
    const jobs: LoadJob[] = [];
    for (const table of tables) {
      if (table.identityRef !== 0) this.#counters.restore(table.identityRef, BigInt(identities[table.id] ?? 0));
      for (const definition of table.partitions) {
        const path = join(directory, rowsFileName(definition.id));
        const file = saved.get(definition.id);
        if (file === undefined) throw new LogDamage(`${path}: the catalog of the checkpoint does not have the file`);
        jobs.push({ path, lsn, table, definition, rowCount: file.rowCount, fileBytes: file.fileBytes });
      }
    }
    return jobs;
  }

  /** Opens the tables of the checkpoint, which are loaded. */
  openTables(): void {
    for (const table of this.#catalog.tables) this.#local.open(table);
  }

  /** Row changes are applied by so many threads from now on. */
  startThreads(threadCount: number): void {
    this.threadCount = threadCount;
    this.#rows = new ThreadReplay(this.#memory, threadCount, this.#local);
    for (const table of this.#catalog.tables) this.#rows.open(table);
  }

  /** Returns when everything so far is applied. */
  drain(): void {
    this.#rows.drain();
  }

  /** Ends the threads, where there are any. */
  stop(): void {
    if (this.#rows !== this.#local) this.#rows.dispose();
    this.#rows = this.#local;
  }

  command(command: DdlCommand | CreateRepository): void {
    if (command.kind === 'createRepository') {
      this.#catalog = { ...this.#catalog, nodes: command.nodes };
      return;
    }
    this.drain();
    const before = this.#catalog;
    const physical = this.#apply(command);
    this.#catalog = applyDdl(before, physical);
    if (command.kind === 'createIndex' || command.kind === 'dropIndex')
      this.#open(tableById(this.#catalog, command.tableId));
  }

  #apply(command: DdlCommand): DdlCommand {
    switch (command.kind) {
      case 'createTable': {
        const table = createTableStorage(this.#memory, this.#counters, command.table);
        this.#open(table);
        return { kind: 'createTable', table };
      }
      case 'dropTable':
        this.#drop(tableById(this.#catalog, command.tableId));
        break;
      case 'dropSchema':
        for (const table of this.#catalog.tables) if (table.schema === command.name) this.#drop(table);
        break;
      case 'createIndex':
        for (const partition of this.#partitionsOf(command.tableId)) partition.createIndex(command.index);
        break;
      case 'dropIndex': {
        const table = tableById(this.#catalog, command.tableId);
        const index = table.indexes.find((candidate) => candidate.id === command.indexId)!;
        for (const partition of this.#partitionsOf(command.tableId)) partition.dropIndex(index);
        break;
      }
      case 'createSchema':
        break;
    }
    return command;
  }

  rows(lsn: number, bytes: Uint8Array, start: number, end: number): void {
    this.rowChangeCount += this.#rows.apply(lsn, bytes, start, end);
  }

  /** The catalog, with identity counters behind the highest values stored. */
  finish(): Catalog {
    this.stop();
    for (const table of this.#catalog.tables) this.#raiseIdentity(table);
    this.#local.dispose();
    return this.#catalog;
  }

  #open(table: TableDefinition): void {
    this.#local.open(table);
    if (this.#rows !== this.#local) this.#rows.open(table);
  }

  #drop(table: TableDefinition): void {
    this.#local.drop(table);
    if (this.#rows !== this.#local) this.#rows.drop(table);
    dropTableStorage(this.#memory, this.#counters, table);
  }

  #partitionsOf(tableId: number): Partition[] {
    return tableById(this.#catalog, tableId).partitions.map(({ id }) => this.#local.partition(id)!);
  }

  #raiseIdentity(table: TableDefinition): void {
    if (table.identityRef === 0) return;
    let next = 0n;
    for (const [column, { isIdentity, type }] of table.columns.entries()) {
      if (!isIdentity) continue;
      for (const { id } of table.partitions) {
        const highest = highestValue(this.#local.partition(id)!, column, type === INT);
        if (highest !== undefined && highest + 1n > next) next = highest + 1n;
      }
    }
    this.#counters.raise(table.identityRef, next);
  }
}

function highestValue(partition: Partition, column: number, isInt: boolean): bigint | undefined {
  let high = -Infinity;
  let low = 0;
  let isAny = false;
  for (let row = partition.nextLive(0); row >= 0; row = partition.nextLive(row + 1)) {
    isAny = true;
    const value = isInt ? partition.readInt32(row, column) : partition.readInt64Low(row, column) >>> 0;
    const top = isInt ? 0 : partition.readInt64High(row, column);
    if (high === -Infinity || top > high || (top === high && value > low)) {
      high = top;
      low = value;
    }
  }
  return isAny ? (BigInt(high) << 32n) + BigInt(low) : undefined;
}
