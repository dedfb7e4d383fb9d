/**
 * main's part of the engine: the statements that concern the database as a whole, one after another, and what has to be
 * done beside the queries: checkpoints are taken, by the clock and where a failed log needs one. Never on the path of a query.
 *
 * Statements run one after another; of a checkpoint only its fence is in that order: it is written beside what follows.
 */

import { assert } from '../../base/assert.ts';
import type { Clock, Files } from '../../base/effects.ts';
import { type ErrorCode, SqlError } from '../../base/errors.ts';
import type { Memory } from '../../base/memory.ts';
import type { Committer } from '../../executor/committer.ts';
import type { Control } from '../../executor/control.ts';
import { CONTROL_LOG_COMMITS } from '../../executor/layout.ts';
import { TicketClient } from '../../executor/ticket-client.ts';
import { syncAllFiles } from '../../log/log-files.ts';
import {
  LOG_FILE_LSN,
  LOG_SYNC_ON_ROTATE,
  LOG_SYNC_ON_WRITE,
  LOG_TAIL,
  LOG_TRIM_LSN,
  setLogSettings,
  TAIL_UNSAVED,
} from '../../log/log-state.ts';
import { walFiles } from '../../log/recover.ts';
import type { UtilityStatement } from '../../sql/ast/ast.ts';
import type { SetSetting, Show } from '../../sql/ast/utilities.ts';
import { bindDefinition } from '../../sql/binder/definitions.ts';
import { FORMAT_OBJECT, FORMAT_PRETTY, formatFlags } from '../../types/result-format.ts';
import { timeZone } from '../../types/time-zone.ts';
import { parseTimestamp, TIMESTAMP_BIG } from '../../types/timestamp.ts';
import type { Reply } from '../frontend/pending-request.ts';
import type { StatementStatistics } from '../frontend/program-cache.ts';
import { lineJson, prettyJson } from '../json-text.ts';
import { type SettingValues, timezoneOf } from '../settings.ts';
import { intervalMs } from '../settings-check.ts';
import type { CatalogPublisher } from './catalog-publisher.ts';
import { Checkpointer, type CheckpointLog, type PartitionSavers, saverCount } from './checkpoint.ts';
import { DdlExecutor, type Waiter } from './ddl-executor.ts';
import type { IdentityCounters } from './identity-counters.ts';
import type { Recovered } from './recovery.ts';
import { type ProcessStatus, showRows } from './show.ts';

export type SupervisorOptions = {
  readonly control: Control;
  readonly memory: Memory;
  readonly committer: Committer;
  readonly publisher: CatalogPublisher;
  readonly counters: IdentityCounters;
  readonly waiter: Waiter;
  readonly clock: Clock;
  readonly files: Files;
  /** Of the WAL; undefined where nothing is kept. */
  readonly logDirectory: string | undefined;
  /** Of the checkpoints; undefined where nothing is kept. */
  readonly checkpointFolder: string | undefined;
  readonly recovered: Recovered | undefined;
  readonly savers: PartitionSavers;
  /** Cores of the machine, of which checkpoints take a quarter at most. */
  readonly coreCount: number;
  readonly settings: SettingValues;
  /** SET: checks and saves; throws SqlError. Changes `settings` in place. */
  readonly changeSetting: (name: string, value: unknown) => void;
  /** Tells the other threads of changed settings; resolves when all go by them. */
  readonly onSettings: () => Promise<void>;
  readonly processStatus: () => Promise<ProcessStatus>;
  /** Of all frontends, one after another. */
  readonly statements: () => Promise<readonly StatementStatistics[]>;
  readonly log: CheckpointLog;
  /** What takes the checkpoints; tests watch it, and put broken variants in. */
  readonly checkpointer?: typeof Checkpointer;
  /** Of a node, for copies; simulations leave it none. */
  readonly copyReserveBytes?: number;
};

/** For what asks for nothing of the kind. */
const NO_PROCESS: ProcessStatus = {
  connections: 0,
  sentBytes: 0,
  receivedBytes: 0,
  cpuFrontendsNs: 0,
  cpuBackendsNs: 0,
};

/** Between two tries of the checkpoint that a failed log needs. */
const SAVE_AGAIN_MS = 1000;

type Settings = { readonly format: string; readonly timezone: string };

export class Supervisor {
  readonly tickets: TicketClient;
  readonly #options: SupervisorOptions;
  readonly #ddl: DdlExecutor;
  readonly #startedMs: number;
  /** Statements run one after another. */
  #last: Promise<void> = Promise.resolve();
  readonly #checkpointer: Checkpointer | undefined;
  /** Checkpoints run one after another. */
  #lastCheckpoint: Promise<void> = Promise.resolve();
  #isCheckpointing = false;
  /** When the latest checkpoint by the clock, or the start, was. */
  #checkpointMs: number;
  /** The checkpoint that the log needs is being taken. */
  #isSaving = false;
  /** When one may be tried. */
  #saveMs = 0;
  #isClosing = false;

  constructor(options: SupervisorOptions) {
    const { control, memory, logDirectory, checkpointFolder } = options;
    this.#options = options;
    this.tickets = new TicketClient(control, memory, control.frontendCount);
    this.#ddl = new DdlExecutor({ ...options, tickets: this.tickets });
    this.#startedMs = options.clock.monotonicMilliseconds();
    this.#checkpointMs = this.#startedMs;
    if (logDirectory !== undefined && checkpointFolder !== undefined) {
      const newest = options.recovered?.checkpoint?.name;
      const Class = options.checkpointer ?? Checkpointer;
      this.#checkpointer = new Class({ ...options, logDirectory, checkpointFolder, ddl: this.#ddl, newest });
      options.settings.checkpoint = this.#checkpointer.lsn;
      // What a crash has kept from being removed.
      const lsn = this.#checkpointer.clean();
      if (lsn !== undefined) this.#checkpointer.trimLog(lsn);
    }
    this.applySettings();
  }

  /** Runs a statement behind those before it. */
  run(statement: UtilityStatement, settings: Settings, reply: Reply): void {
    const isCheckpoint = statement.kind === 'checkpoint';
    const done = isCheckpoint
      ? this.checkpoint(statement.workers === undefined ? undefined : Number(statement.workers))
      : this.#inOrder(() => this.#run(statement, settings));
    const answered = done.then(
      (body) => reply(undefined, body),
      (error: unknown) => {
        if (!(error instanceof SqlError)) throw error;
        reply(error, undefined);
      },
    );
    if (isCheckpoint) this.#lastCheckpoint = answered;
    else this.#last = answered;
  }

  /** Does something behind the statements before it. */
  #inOrder<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#last.then(work);
    this.#last = done.then(
      () => {},
      (error: unknown) => {
        if (!(error instanceof SqlError)) throw error;
      },
    );
    return done;
  }

  /** Resolves when all statements and checkpoints so far are done; rejects when one met a bug. */
  async idle(): Promise<void> {
    await Promise.all([this.#last, this.#lastCheckpoint]);
  }

  /**
   * Takes a checkpoint; does nothing where nothing has changed since the last one, unless `isForced`. `workerCount`: of the
   * setting where it is undefined. Throws SqlError: checkpoint_failure, out_of_memory, shutting_down.
   */
  checkpoint(workerCount?: number, isForced = false): Promise<undefined> {
    const done = this.#lastCheckpoint.then(() => this.#checkpoint(workerCount, isForced));
    this.#lastCheckpoint = done.then(
      () => {},
      (error: unknown) => {
        if (!(error instanceof SqlError)) throw error;
      },
    );
    return done;
  }

  async #checkpoint(workerCount: number | undefined, isForced: boolean): Promise<undefined> {
    const checkpointer = this.#checkpointer;
    if (checkpointer === undefined) return undefined;
    const { settings, coreCount } = this.#options;
    if (workerCount !== undefined && workerCount < 1)
      throw new SqlError('invalid_value', 'a checkpoint needs at least one worker');
    this.#isCheckpointing = true;
    try {
      const frozen = await this.#inOrder(() => checkpointer.freeze(isForced));
      if (frozen === undefined) return undefined;
      await checkpointer.write(frozen, saverCount(workerCount ?? settings.checkpoint_workers, coreCount));
      settings.checkpoint = checkpointer.lsn;
      const lsn = checkpointer.clean();
      if (lsn !== undefined) await this.#trimLog(lsn);
      return undefined;
    } finally {
      this.#isCheckpointing = false;
      this.#checkpointMs = this.#options.clock.monotonicMilliseconds();
    }
  }

  /** Takes a checkpoint when checkpoint_interval has passed since the last one; 0 = never by itself. */
  checkpointWhenDue(): void {
    const { settings, clock, log } = this.#options;
    const everyMs = intervalMs(settings.checkpoint_interval) ?? 0;
    if (everyMs === 0 || this.#isCheckpointing || this.#checkpointer?.hasChanges() !== true) return;
    if (clock.monotonicMilliseconds() - this.#checkpointMs < everyMs) return;
    this.#isCheckpointing = true;
    this.checkpoint().catch((error: unknown) => {
      // A failed write has been told already.
      if (error instanceof SqlError) log.error('no checkpoint by checkpoint_interval', { reason: error.message });
    });
  }

  /** Ends a checkpoint that is being written, for the end of the process. */
  cancelCheckpoint(): void {
    this.#isClosing = true;
    this.#options.savers.cancel();
  }

  /** Takes over what SET or the start has put into the settings. */
  applySettings(): void {
    const { control, settings, memory, logDirectory } = this.#options;
    if (logDirectory !== undefined) this.#syncWhatWasNot(logDirectory);
    setLogSettings(control.logState, {
      syncOnWrite: settings.wal_sync_on_write,
      syncOnRotate: settings.wal_sync_on_rotate,
      rotateBytes: settings.wal_rotate_wm,
    });
    // What has voted before either commits itself or wakes the log thread, which looks at all there is.
    Atomics.store(control.words, CONTROL_LOG_COMMITS, logDirectory !== undefined && settings.wal_sync_on_write ? 1 : 0);
    control.wakeLog();
    memory.setLimitBytes(settings.memory_limit);
  }

  /** Where the settings ask for syncs from now on: a synced record must not lie behind one that a power loss may take. */
  #syncWhatWasNot(logDirectory: string): void {
    const { control, settings, files, committer } = this.#options;
    const { logState } = control;
    const isNew =
      (settings.wal_sync_on_write && logState[LOG_SYNC_ON_WRITE] === 0) ||
      (settings.wal_sync_on_rotate && logState[LOG_SYNC_ON_ROTATE] === 0);
    if (!isNew) return;
    try {
      syncAllFiles(files, logDirectory, logState);
    } catch (error) {
      while (!committer.refuseWrites(`sync of the log: ${(error as Error).message}`));
    }
  }

  /** What main does every second, and when it is rung: takes the checkpoint that a repair of the log waits for. */
  async maintain(): Promise<void> {
    if (!this.hasUnsavedLog()) return;
    const { control, committer, clock, log } = this.#options;
    this.#isSaving = true;
    try {
      await this.checkpoint(undefined, true);
      assert(control.logState[LOG_FILE_LSN] === control.lsn + 1, 'nothing is logged before the checkpoint is durable');
      committer.resume();
      log.info('the log takes writes again, in a new file behind a checkpoint', { lsn: control.lsn });
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      log.error('the log takes no writes before a checkpoint is written', { reason: error.message });
    } finally {
      this.#isSaving = false;
      this.#saveMs = clock.monotonicMilliseconds() + SAVE_AGAIN_MS;
    }
  }

  /** Whether maintain would take a checkpoint: not while it does, and not twice a second. */
  hasUnsavedLog(): boolean {
    const { control, clock } = this.#options;
    if (control.logState[LOG_TAIL] !== TAIL_UNSAVED || this.#isSaving || this.#isClosing) return false;
    return clock.monotonicMilliseconds() >= this.#saveMs;
  }

  /** Has the log thread remove the files that a checkpoint of that LSN has made superfluous. */
  async #trimLog(lsn: number): Promise<void> {
    const { control, waiter } = this.#options;
    control.logState[LOG_TRIM_LSN] = lsn;
    control.wakeLog();
    await waiter.until(() => control.logState[LOG_TRIM_LSN] === 0);
  }

  async #run(statement: UtilityStatement, settings: Settings): Promise<Uint8Array | undefined> {
    switch (statement.kind) {
      case 'show':
        return await this.#show(statement, settings);
      case 'set':
        await this.#set(statement);
        return undefined;
      default: {
        const zone = timeZone(settings.timezone);
        const context = {
          parseTimestamp: (text: string): bigint => {
            const bytes = new TextEncoder().encode(text);
            const value = parseTimestamp(bytes, 0, bytes.length, zone);
            return Number.isNaN(value) ? TIMESTAMP_BIG[0]! : BigInt(value);
          },
        };
        await this.#ddl.run((catalog) => bindDefinition(statement, catalog, context));
        this.#options.log.info('ddl', { statement: statement.kind });
        return undefined;
      }
    }
  }

  async #set(statement: SetSetting): Promise<void> {
    const { value } = statement.value;
    const plain = typeof value === 'bigint' ? Number(value) : value;
    try {
      this.#options.changeSetting(statement.name, plain);
    } catch (error) {
      if (error instanceof SqlError) throw error;
      const code: ErrorCode = 'internal';
      throw new SqlError(code, `the setting could not be saved: ${(error as Error).message}`);
    }
    this.applySettings();
    await this.#options.onSettings();
  }

  async #show(show: Show, settings: Settings): Promise<Uint8Array> {
    const { control, memory, publisher, files, logDirectory, clock } = this.#options;
    const walLsns = logDirectory === undefined ? [] : walFiles(files, logDirectory);
    const rows = showRows(show, {
      catalog: publisher.catalog,
      control,
      memory,
      settings: { ...this.#options.settings, timezone: timezoneOf(this.#options.settings) },
      walLsns,
      isLogKept: logDirectory !== undefined,
      frontendCount: control.frontendCount,
      uptimeSeconds: (clock.monotonicMilliseconds() - this.#startedMs) / 1000,
      process: show.what === 'status' ? await this.#options.processStatus() : NO_PROCESS,
      statements: show.what === 'statements' ? await this.#options.statements() : [],
    });
    const flags = formatFlags(show.format?.text ?? settings.format, show.format?.position);
    const isPretty = (flags & FORMAT_PRETTY) !== 0;
    const name = show.what === 'setting' ? show.name! : show.what;
    const texts = rows.map((row) => {
      const value = (flags & FORMAT_OBJECT) !== 0 ? { [name]: row } : row;
      return isPretty ? prettyJson(value, 0) : lineJson(value);
    });
    return new TextEncoder().encode(`[${texts.join(', ')}]`);
  }
}
