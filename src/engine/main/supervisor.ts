/**
 * main's part of the engine: the statements that concern the database as a whole, one after another, and what has to be
 * done beside the queries: full log files are synced, a failed log is probed. Never on the path of a query.
 */

import type { Clock, Files } from '../../base/effects.ts';
import { type ErrorCode, SqlError } from '../../base/errors.ts';
import type { Memory } from '../../base/memory.ts';
import type { Committer } from '../../executor/committer.ts';
import type { Control } from '../../executor/control.ts';
import { CONTROL_MODE, MODE_NORMAL, MODE_READ_ONLY_UNSYNCED } from '../../executor/layout.ts';
import { TicketClient } from '../../executor/ticket-client.ts';
import { LOG_SYNC_PENDING, setLogSettings } from '../../log/log-state.ts';
import { syncFullFile } from '../../log/log-writer.ts';
import type { SetSetting, Show, UtilityStatement } from '../../sql/ast/ast.ts';
import { bindDefinition } from '../../sql/binder/definitions.ts';
import { FORMAT_OBJECT, FORMAT_PRETTY, formatFlags } from '../../types/result-format.ts';
import { timeZone } from '../../types/time-zone.ts';
import { parseTimestamp, TIMESTAMP_BIG } from '../../types/timestamp.ts';
import type { Reply } from '../frontend/pending-request.ts';
import type { StatementStatistics } from '../frontend/program-cache.ts';
import { lineJson, prettyJson } from '../json-text.ts';
import { type SettingValues, timezoneOf } from '../settings.ts';
import type { CatalogPublisher } from './catalog-publisher.ts';
import { DdlExecutor, type Waiter } from './ddl-executor.ts';
import type { IdentityCounters } from './identity-counters.ts';
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
  readonly lsnMin: number;
  readonly settings: SettingValues;
  /** SET: checks and saves; throws SqlError. Changes `settings` in place. */
  readonly changeSetting: (name: string, value: unknown) => void;
  /** Tells the other threads of changed settings; resolves when all go by them. */
  readonly onSettings: () => Promise<void>;
  readonly processStatus: () => Promise<ProcessStatus>;
  /** Of all frontends, one after another. */
  readonly statements: () => Promise<readonly StatementStatistics[]>;
  readonly log: { info(message: string, fields?: Record<string, string | number | boolean | null>): void };
};

/** For what asks for nothing of the kind. */
const NO_PROCESS: ProcessStatus = {
  connections: 0,
  sentBytes: 0,
  receivedBytes: 0,
  cpuFrontendsNs: 0,
  cpuBackendsNs: 0,
};

type Settings = { readonly format: string; readonly timezone: string };

export class Supervisor {
  readonly tickets: TicketClient;
  readonly #options: SupervisorOptions;
  readonly #ddl: DdlExecutor;
  readonly #startedMs: number;
  /** Statements run one after another. */
  #last: Promise<void> = Promise.resolve();
  #isSyncing = false;

  constructor(options: SupervisorOptions) {
    const { control, memory } = options;
    this.#options = options;
    this.tickets = new TicketClient(control, memory, control.frontendCount);
    this.#ddl = new DdlExecutor({ ...options, tickets: this.tickets });
    this.#startedMs = options.clock.monotonicMilliseconds();
    this.applySettings();
  }

  /** Runs a statement behind those before it. */
  run(statement: UtilityStatement, settings: Settings, reply: Reply): void {
    this.#last = this.#last.then(async () => {
      try {
        reply(undefined, await this.#run(statement, settings));
      } catch (error) {
        if (!(error instanceof SqlError)) throw error;
        reply(error, undefined);
      }
    });
  }

  /** Resolves when all statements so far are done; rejects when one met a bug. */
  idle(): Promise<void> {
    return this.#last;
  }

  /** Takes over what SET or the start has put into the settings. */
  applySettings(): void {
    const { control, settings, memory } = this.#options;
    setLogSettings(control.logState, {
      syncOnWrite: settings.wal_sync_on_write,
      syncOnRotate: settings.wal_sync_on_rotate,
      rotateBytes: settings.wal_rotate_wm,
    });
    memory.setLimitBytes(settings.memory_limit);
  }

  /** What main does every second, and when it is rung: a full file is synced, a failed log probed. */
  async maintain(): Promise<void> {
    const { control, files, logDirectory, committer } = this.#options;
    if (logDirectory === undefined) return;
    if (Atomics.load(control.words, CONTROL_MODE) !== MODE_NORMAL) committer.probe();
    if (this.#isSyncing || !this.hasFullFile()) return;
    this.#isSyncing = true;
    try {
      await syncFullFile(files, logDirectory, control.logState);
    } catch (error) {
      committer.refuseWrites(`sync of a log file failed: ${(error as Error).message}`);
    } finally {
      this.#isSyncing = false;
    }
  }

  /** Whether maintain would sync a file: not while it does, and not once a sync has failed. */
  hasFullFile(): boolean {
    const { logState, words } = this.#options.control;
    if (this.#isSyncing || Atomics.load(words, CONTROL_MODE) === MODE_READ_ONLY_UNSYNCED) return false;
    return logState[LOG_SYNC_PENDING]! > 0;
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
    const { control, memory, publisher, lsnMin, logDirectory, clock } = this.#options;
    const rows = showRows(show, {
      catalog: publisher.catalog,
      control,
      memory,
      settings: { ...this.#options.settings, timezone: timezoneOf(this.#options.settings) },
      lsnMin,
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
