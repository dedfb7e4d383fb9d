/**
 * The composition root of what main owns: memory, control words, catalog, log. Opens a database from its settings and
 * effects; threads or the inline engine then run on it.
 */

import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Clock, Files } from '../../base/effects.ts';
import { ORDER_SLOT_COUNT } from '../../base/limits.ts';
import { Memory } from '../../base/memory.ts';
import { emptyCatalog } from '../../catalog/ddl.ts';
import { Committer } from '../../executor/committer.ts';
import { Control } from '../../executor/control.ts';
import { LogLoop } from '../../executor/log-loop.ts';
import { listCheckpoints } from '../../log/checkpoint/directory.ts';
import { type LoadJob, loadPartition } from '../../log/checkpoint/load.ts';
import { type Log, NullLog } from '../../log/log.ts';
import { createLog } from '../../log/log-files.ts';
import { LogWriter, openLogState } from '../../log/log-writer.ts';
import { walFiles } from '../../log/recover.ts';
import type { SettingValues } from '../settings.ts';
import { CatalogPublisher } from './catalog-publisher.ts';
import { IdentityCounters } from './identity-counters.ts';
import {
  beginRecovery,
  type CreateRepository,
  type Recovered,
  type Recovering,
  type ReplayProgress,
} from './recovery.ts';

export type DatabaseOptions = {
  readonly settings: SettingValues;
  /** Undefined: nothing is kept. */
  readonly directory: string | undefined;
  readonly files: Files;
  readonly clock: Clock;
  readonly frontendCount: number;
  readonly nodeCount: number;
  /** True: other threads will share the memory. */
  readonly isShared: boolean;
  /** Size of the order ring and its first ticket; simulations make it small, and start just before the tickets wrap. */
  readonly order?: { readonly slotCount: number; readonly firstTicket: number };
  /** Memory that nobody uses, instead of memory of its own: reserving it takes longer than a simulation's whole run. */
  readonly memory?: Memory;
  /** Threads that may replay the log at start, where the memory is shared; 1 if it is missing. */
  readonly replayThreadCount?: number;
  readonly onReplayProgress?: (progress: ReplayProgress) => void;
};

export type Database = {
  readonly memory: Memory;
  readonly control: Control;
  readonly publisher: CatalogPublisher;
  readonly counters: IdentityCounters;
  readonly committer: Committer;
  readonly logDirectory: string | undefined;
  /** Of the checkpoints; undefined where nothing is kept. */
  readonly checkpointFolder: string | undefined;
  readonly recovered: Recovered | undefined;
  /** A log for another thread, or the next node of this one. */
  openLog(): Log;
  /** The work of the log thread, for a thread of which all is done by turns; undefined where nothing is kept. */
  openLogLoop(): LogLoop | undefined;
  /** Makes durable what is in the log, for a clean stop, and closes all that openLog gave. Throws what the file system throws. */
  closeLog(): void;
};

/** Opens a database: recovers it where there is one, in this thread. Throws LogDamage, or an Error that says what is wrong. */
export function openDatabase(options: DatabaseOptions): Database {
  const opening = beginDatabase(options);
  for (const job of opening.jobs) loadPartition(options.files, opening.memory, job);
  return opening.finish();
}

/** A database that is being opened: `jobs` have to be run (loadPartition), in any threads, and then finish() called. */
export type OpeningDatabase = {
  readonly memory: Memory;
  readonly jobs: readonly LoadJob[];
  finish(): Database;
};

/** Opens a database up to where partitions are loaded, which other threads can do. Throws as openDatabase does. */
export function beginDatabase(options: DatabaseOptions): OpeningDatabase {
  const { settings, directory, files, clock, nodeCount, isShared } = options;
  const memory = options.memory ?? Memory.create({ limitBytes: settings.memory_limit, eagerArenas: isShared });
  const counters = new IdentityCounters(memory);
  if (directory === undefined) {
    return { memory, jobs: [], finish: () => finishDatabase(options, memory, counters, undefined) };
  }
  const logDirectory = join(directory, 'wal');
  const checkpointFolder = join(directory, 'checkpoint');
  if (walFiles(files, logDirectory).length === 0 && listCheckpoints(files, checkpointFolder).length === 0) {
    const nodes = Array.from({ length: nodeCount }, () => randomUUID());
    const command: CreateRepository = { kind: 'createRepository', nodes };
    createLog(files, logDirectory, JSON.stringify(command));
  }
  const recovering = beginRecovery({
    files,
    logDirectory,
    checkpointFolder,
    memory,
    counters,
    clock,
    threadCount: options.replayThreadCount ?? 1,
    ...(options.onReplayProgress === undefined ? {} : { onProgress: options.onReplayProgress }),
  });
  return {
    memory,
    jobs: recovering.jobs,
    finish: () => finishDatabase(options, memory, counters, recovering),
  };
}

function finishDatabase(
  options: DatabaseOptions,
  memory: Memory,
  counters: IdentityCounters,
  recovering: Recovering | undefined,
): Database {
  const { directory, files, frontendCount, nodeCount } = options;
  const order = options.order ?? { slotCount: ORDER_SLOT_COUNT, firstTicket: 0 };
  const control = Control.create({ nodeCount, frontendCount, ...order });
  const recovered = recovering?.finish();
  const catalog = recovered?.catalog ?? emptyCatalog(Array.from({ length: nodeCount }, () => randomUUID()));
  if (catalog.nodes.length !== nodeCount)
    throw new Error(
      `the repository has ${catalog.nodes.length} backends, but the setting backends says ${nodeCount}: it cannot be changed yet`,
    );
  if (recovered !== undefined) openLogState(control.logState, recovered.log.fileLsn, recovered.log.end);
  control.lsn = recovered?.log.lastLsn ?? 1;
  const publisher = new CatalogPublisher(memory, control, catalog);
  publisher.publish(publisher.prepare(catalog));
  const logDirectory = directory === undefined ? undefined : join(directory, 'wal');
  const logs: Log[] = [];
  const openLog = (): Log => {
    const log =
      logDirectory === undefined
        ? new NullLog()
        : new LogWriter(files, logDirectory, control.logState, () => control.wakeLog());
    logs.push(log);
    return log;
  };
  const mainLog = openLog();
  return {
    memory,
    control,
    publisher,
    counters,
    committer: new Committer(control, memory, mainLog),
    logDirectory,
    checkpointFolder: directory === undefined ? undefined : join(directory, 'checkpoint'),
    recovered,
    openLog,
    openLogLoop: () =>
      logDirectory === undefined
        ? undefined
        : new LogLoop({
            control,
            committer: new Committer(control, memory, openLog()),
            files,
            directory: logDirectory,
            clock: options.clock,
            report: () => {},
          }),
    closeLog: () => {
      if (mainLog instanceof LogWriter) mainLog.syncCurrent();
      for (const log of logs) log.close();
    },
  };
}
