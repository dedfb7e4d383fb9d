/**
 * The whole engine in one thread: the same frontend, nodes and main over the same shared structures, stepped by turns.
 * The embedded library runs on it, and so do tests.
 */

import { assert } from '../base/assert.ts';
import type { Clock, Files, Random } from '../base/effects.ts';
import type { SqlError } from '../base/errors.ts';
import { CONTROL_MODE, MODE_NORMAL, MODE_UNDECIDED } from '../executor/layout.ts';
import type { LogLoop } from '../executor/log-loop.ts';
import { type NodeLoop, STEP_RAN } from '../executor/node-loop.ts';
import { FrontendEngine, type FrontendSettings } from './frontend/frontend-engine.ts';
import type { Reply } from './frontend/pending-request.ts';
import type { RequestParameters } from './frontend/request-parameters.ts';
import { type Database, openDatabase } from './main/database.ts';
import { StepSavers } from './main/step-savers.ts';
import { Supervisor } from './main/supervisor.ts';
import { createNode } from './node/node.ts';
import { type SettingValues, timezoneOf } from './settings.ts';

export type InlineOptions = {
  readonly settings: SettingValues;
  /** Undefined: in memory, nothing is kept. */
  readonly directory: string | undefined;
  readonly nodeCount: number;
  readonly files: Files;
  readonly clock: Clock;
  readonly random: Random;
  readonly changeSetting: (name: string, value: unknown) => void;
  /** Gives others their turn while a checkpoint is written; where it is missing, the event loop. */
  readonly pause?: () => Promise<void>;
};

const STEP_PARTS = 64;
const POLL_LIMIT = 256;

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class InlineEngine {
  readonly database: Database;
  readonly frontend: FrontendEngine;
  readonly supervisor: Supervisor;
  readonly #nodes: NodeLoop[] = [];
  readonly #logLoop: LogLoop | undefined;
  /** Set while clients wait for what becomes of a failed write. */
  #logTimer: NodeJS.Timeout | undefined;
  /** Requests behind one whose place in the order is not taken yet; undefined where there is none. */
  #held: (() => void)[] | undefined;
  /** The reply of that one. */
  #holder: Reply | undefined;

  /** Opens the database; throws what openDatabase throws. */
  constructor(options: InlineOptions) {
    const { settings, directory, nodeCount, files, clock, random } = options;
    const frontendSettings: FrontendSettings = {
      timezone: timezoneOf(settings),
      format: settings.format,
      limitSendBytes: settings.limit_send,
      limitWriteBytes: settings.limit_write,
      limitStatementMs: settings.limit_statement_ms,
    };
    const database = openDatabase({
      settings,
      directory,
      files,
      clock,
      frontendCount: 1,
      nodeCount,
      isShared: false,
    });
    this.database = database;
    this.#logLoop = database.openLogLoop();
    const { control, memory } = database;
    for (let node = 0; node < nodeCount; node++)
      this.#nodes.push(createNode(control, memory, node, database.openLog(), clock));
    this.supervisor = new Supervisor({
      ...database,
      waiter: { until: (isReady) => this.#until(isReady) },
      clock,
      files,
      savers: new StepSavers(files, memory, () => {
        // What has waited for the fence of the checkpoint goes on.
        this.run();
        return options.pause?.() ?? nextTurn();
      }),
      coreCount: 1,
      settings,
      changeSetting: options.changeSetting,
      onSettings: async () => {
        frontendSettings.timezone = timezoneOf(settings);
        frontendSettings.format = settings.format;
        frontendSettings.limitSendBytes = settings.limit_send;
        frontendSettings.limitWriteBytes = settings.limit_write;
        frontendSettings.limitStatementMs = settings.limit_statement_ms;
      },
      processStatus: async () => ({
        connections: 0,
        sentBytes: 0,
        receivedBytes: 0,
        cpuFrontendsNs: 0,
        cpuBackendsNs: 0,
      }),
      statements: async () => this.frontend.statistics(),
      log: { info: () => {}, error: () => {} },
    });
    this.frontend = new FrontendEngine({
      control,
      memory,
      frontend: 0,
      clock,
      random,
      settings: frontendSettings,
      utility: {
        run: (statement, requestSettings, reply) => {
          this.supervisor.run(statement, requestSettings, (error, body) => {
            reply(error, body);
            // A request that has waited for the answer goes on.
            this.run();
          });
          // A checkpoint is of what was before it, or of a little more.
          if (statement.kind === 'checkpoint') queueMicrotask(() => this.#stopHolding());
        },
      },
      timer: (delayMs, callback) => {
        setTimeout(() => {
          callback();
          // It sends what has waited, which counts as nothing done.
          this.frontend.poll(POLL_LIMIT);
          this.run();
        }, delayMs);
      },
    });
  }

  /**
   * Runs a request; resolves with the JSON text of the result, undefined where there is none; rejects with SqlError.
   */
  execute(
    sql: Uint8Array,
    parameters: RequestParameters | undefined,
    format: string | undefined,
    timezone?: string,
  ): Promise<Uint8Array | undefined> {
    return new Promise((resolve, reject) => {
      const start = (): void => {
        let isAnswered = false;
        const reply = (error: SqlError | undefined, body: Uint8Array | undefined): void => {
          isAnswered = true;
          if (error === undefined) resolve(body);
          else reject(error);
          if (this.#holder === reply) this.#stopHolding();
        };
        const isUnordered = this.frontend.execute(sql, 0, sql.length, parameters, format, timezone, reply);
        if (isUnordered && !isAnswered) {
          this.#holder = reply;
          this.#held = [];
        }
        this.run();
        this.supervisor.checkpointWhenDue();
      };
      if (Atomics.load(this.database.control.words, CONTROL_MODE) !== MODE_NORMAL) this.#repairLog();
      if (this.#held !== undefined) this.#held.push(start);
      else start();
    });
  }

  /** The others have not to wait any more for the request that holds them back. */
  #stopHolding(): void {
    const held = this.#held ?? [];
    this.#holder = undefined;
    this.#held = undefined;
    for (const start of held) {
      if (this.#held !== undefined) (this.#held as (() => void)[]).push(start);
      else start();
    }
  }

  /** Lets everybody work until nobody has anything to do. */
  run(): void {
    while (this.#step());
    this.#tendLog();
  }

  /** Tries at once what the log thread of a server tries once a second. */
  #repairLog(): void {
    this.#logLoop?.probe();
    this.#tendLog();
  }

  /** The checkpoint that a repair of the log needs; and while clients wait for the log to be cut, it is tried by the clock. */
  #tendLog(): void {
    if (this.supervisor.hasUnsavedLog()) void this.supervisor.maintain();
    const isUndecided = Atomics.load(this.database.control.words, CONTROL_MODE) === MODE_UNDECIDED;
    if (!isUndecided || this.#logTimer !== undefined) return;
    this.#logTimer = setTimeout(() => {
      this.#logTimer = undefined;
      this.run();
    }, this.#logLoop!.parkMs());
  }

  #step(): boolean {
    let hasRun = false;
    for (const node of this.#nodes) if (node.step(STEP_PARTS) === STEP_RAN) hasRun = true;
    if (this.#logLoop?.step() === STEP_RAN) hasRun = true;
    if (this.frontend.poll(POLL_LIMIT) > 0) hasRun = true;
    this.frontend.flush();
    return hasRun;
  }

  async #until(isReady: () => boolean): Promise<void> {
    while (!isReady()) {
      if (this.#step() || isReady()) continue;
      assert(this.database.committer.isUndecided(), 'what main waits for comes about by itself');
      await new Promise((resolve) => setTimeout(resolve, this.#logLoop!.parkMs()));
    }
  }

  /** Writes out and closes. No request may be in the air. */
  async close(): Promise<void> {
    await this.supervisor.idle();
    this.run();
    clearTimeout(this.#logTimer);
    this.database.closeLog();
  }
}
