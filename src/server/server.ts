/**
 * The server: main starts the threads, watches them, and ends them. A thread that dies takes the process down, with the
 * reason in the log; recovery brings the data back.
 *
 *   ports tried ─▶ checkpoint loaded ─▶ log replayed ─▶ log thread, backends run ─▶ frontends ready ─▶ frontends listen ─▶ serving
 *   close: frontends answer what is in the air ─▶ backends and log thread end ─▶ log synced and closed
 */

import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Clock } from '../base/effects.ts';
import { SystemClock, SystemFiles } from '../base/files.ts';
import { workerEntry } from '../base/worker-entry.ts';
import type { StatementStatistics } from '../engine/frontend/program-cache.ts';
import { ThreadSavers } from '../engine/main/checkpoint-threads.ts';
import { beginDatabase, type Database, type OpeningDatabase } from '../engine/main/database.ts';
import { loadByThreads } from '../engine/main/load-threads.ts';
import type { ProcessStatus } from '../engine/main/show.ts';
import { Supervisor } from '../engine/main/supervisor.ts';
import type { Listener, SettingValues } from '../engine/settings.ts';
import { changeSetting } from '../engine/settings-file.ts';
import { Doorbell } from '../executor/doorbell.ts';
import { loadPartition } from '../log/checkpoint/load.ts';
import type { ServerLog } from './log.ts';
import type {
  BackendData,
  FromBackend,
  FromFrontend,
  FromLogThread,
  FromMain,
  FrontendData,
  LogThreadData,
} from './messages.ts';

/** Bounds the young generation of each worker: what parsing leaves behind is freed early, and memory stays flat. */
const YOUNG_GENERATION_MIB = 16;
const MAINTAIN_MS = 1000;
/** Files of fewer bytes are loaded before threads for it would have started: that takes 0.2 s and more. */
const THREADS_LOAD_BYTES = 4 * 1024 * 1024;
/** Between two lines in the server log that tell how far the start is. */
const PROGRESS_MS = 5000;

export type RunningServer = {
  /** What listens where: `http://host:port`, `unix:/path`. */
  readonly addresses: readonly string[];
  /** Answers what is in the air, writes out, ends the threads. */
  close(): Promise<void>;
  /** Settles when the server ends by itself: with the reason. */
  readonly done: Promise<Error | undefined>;
};

/** Starts serving the repository in `directory`, which the caller has locked. Throws what is wrong, and nothing runs then. */
export async function startServer(directory: string, settings: SettingValues, log: ServerLog): Promise<RunningServer> {
  const server = new Server(directory, settings, log);
  try {
    await server.start();
  } catch (error) {
    await server.abandon();
    throw error;
  }
  return server;
}

class Server implements RunningServer {
  addresses: readonly string[] = [];
  readonly done: Promise<Error | undefined>;
  readonly #directory: string;
  readonly #settings: SettingValues;
  readonly #log: ServerLog;
  readonly #end: (reason: Error) => void;
  /** With the log thread. */
  readonly #backends: Worker[] = [];
  readonly #frontends: FrontendThread[] = [];
  readonly #backendPaths: string[] = [];
  #database: Database | undefined;
  #supervisor: Supervisor | undefined;
  #doorbell: Doorbell | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosing = false;

  constructor(directory: string, settings: SettingValues, log: ServerLog) {
    this.#directory = resolve(directory);
    this.#settings = settings;
    this.#log = log;
    const { promise, resolve: end } = Promise.withResolvers<Error | undefined>();
    this.done = promise;
    this.#end = end;
  }

  async start(): Promise<void> {
    const listeners = await this.#listeners();
    const clock = new SystemClock();
    const files = new SystemFiles();
    const opening = beginDatabase({
      settings: this.#settings,
      directory: this.#directory,
      files,
      clock,
      frontendCount: this.#settings.frontends,
      nodeCount: this.#settings.backends,
      isShared: true,
      replayThreadCount: availableParallelism(),
      onReplayProgress: ({ lsn, byteCount, totalBytes, rowChangeCount }) => {
        this.#log.info('recovery goes on', {
          lsn,
          row_changes: rowChangeCount,
          gib: gibibytes(byteCount),
          gib_in_all: gibibytes(totalBytes),
        });
      },
    });
    await this.#load(opening, clock);
    const database = opening.finish();
    this.#database = database;
    this.#reportRecovery(database);
    const { control, memory } = database;
    const doorbell = new Doorbell(
      control,
      control.frontendCount,
      () => this.#supervisor?.hasUnsavedLog() ?? false,
      () => void this.#supervisor?.maintain(),
    );
    this.#doorbell = doorbell;
    const supervisor = new Supervisor({
      ...database,
      waiter: { until: (isReady) => doorbell.until(isReady) },
      clock,
      files,
      savers: new ThreadSavers(memory, control, (error) => this.#fail('checkpoint', error)),
      coreCount: availableParallelism(),
      settings: this.#settings,
      changeSetting: (name, value) => {
        changeSetting(this.#directory, this.#settings, name, value);
      },
      onSettings: async () => {
        await Promise.all(this.#frontends.map((frontend) => frontend.changeSettings({ ...this.#settings })));
      },
      processStatus: () => this.#processStatus(),
      statements: async () => (await Promise.all(this.#frontends.map((frontend) => frontend.statements()))).flat(),
      log: this.#log,
    });
    this.#supervisor = supervisor;
    await Promise.all([
      this.#startLogThread(),
      ...Array.from({ length: this.#settings.backends }, (_, node) => this.#startBackend(node)),
    ]);
    for (let frontend = 0; frontend < this.#settings.frontends; frontend++) {
      const data: FrontendData = {
        control: control.shared,
        memory: memory.share(),
        frontend,
        settings: { ...this.#settings },
        listeners,
      };
      this.#frontends.push(new FrontendThread(data, supervisor, this.#log, (error) => this.#fail('frontend', error)));
    }
    await Promise.all(this.#frontends.map((frontend) => frontend.ready));
    const addresses = await Promise.all(this.#frontends.map((frontend) => frontend.listen()));
    this.addresses = addresses[0]!;
    doorbell.arm();
    this.#timer = setInterval(() => {
      void supervisor.maintain();
      supervisor.checkpointWhenDue();
    }, MAINTAIN_MS);
    this.#timer.unref();
  }

  async close(): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    clearInterval(this.#timer);
    this.#supervisor!.cancelCheckpoint();
    await Promise.all(this.#frontends.map((frontend) => frontend.close()));
    await this.#supervisor!.idle();
    await this.#stopBackends();
    this.#doorbell!.close();
    this.#database!.closeLog();
  }

  /** Ends what has been started, after a failure. */
  async abandon(): Promise<void> {
    this.#isClosing = true;
    clearInterval(this.#timer);
    await Promise.all(this.#frontends.map((frontend) => frontend.terminate()));
    await this.#stopBackends();
    this.#doorbell?.close();
    this.#database?.closeLog();
  }

  async #stopBackends(): Promise<void> {
    const ended = this.#backends.map((worker) => new Promise((done) => worker.once('exit', done)));
    this.#database?.control.stop();
    await Promise.all(ended);
  }

  /** Listeners with the repository's own socket, ports checked, port 0 replaced by a free one. */
  async #listeners(): Promise<Listener[]> {
    const listeners: Listener[] = [];
    for (const listener of this.#settings.listen) {
      if (listener.path !== undefined) listeners.push({ ...listener, path: resolve(this.#directory, listener.path) });
      else listeners.push({ ...listener, port: await freePort(listener.host, listener.port ?? 3485) });
    }
    listeners.push({ path: join(this.#directory, 'amelie.sock'), tls: false, auth: false });
    return listeners;
  }

  /** Loads the partitions of the newest checkpoint, in as many threads as there are cores. */
  async #load({ memory, jobs }: OpeningDatabase, clock: Clock): Promise<void> {
    if (jobs.length === 0) return;
    this.#log.info('loading a checkpoint', { lsn: jobs[0]!.lsn, partitions: jobs.length });
    if (jobs.reduce((sum, job) => sum + job.fileBytes, 0) < THREADS_LOAD_BYTES) {
      for (const job of jobs) loadPartition(new SystemFiles(), memory, job);
      return;
    }
    const progress = { rows: 0, bytes: 0 };
    const totalBytes = jobs.reduce((sum, { fileBytes }) => sum + fileBytes, 0);
    let toldMs = clock.monotonicMilliseconds();
    await loadByThreads(memory, jobs, availableParallelism(), (rowCount, byteCount) => {
      progress.rows += rowCount;
      progress.bytes += byteCount;
      const nowMs = clock.monotonicMilliseconds();
      if (nowMs - toldMs < PROGRESS_MS) return;
      toldMs = nowMs;
      this.#log.info('loading goes on', {
        lsn: jobs[0]!.lsn,
        rows: progress.rows,
        gib: gibibytes(progress.bytes),
        gib_in_all: gibibytes(totalBytes),
      });
    });
  }

  #reportRecovery({ recovered, publisher }: Database): void {
    if (recovered === undefined) return;
    const { log, checkpoint, unfinishedCount, rowChangeCount, threadCount, durationMs } = recovered;
    if (unfinishedCount > 0) this.#log.warn('a checkpoint was not finished; it is removed', { count: unfinishedCount });
    if (checkpoint !== undefined) {
      const { name, rowCount, fileBytes, durationMs: loadMs } = checkpoint;
      this.#log.info('loaded a checkpoint', {
        lsn: name.lsn,
        rows: rowCount,
        bytes: fileBytes,
        ms: Math.round(loadMs),
      });
    }
    if (log.torn !== undefined)
      this.#log.warn('the last write to the log was cut short; it is cut off', {
        file: log.torn.file,
        offset: log.torn.offset,
        bytes: log.torn.byteCount,
      });
    this.#log.info('recovered', {
      lsn: log.lastLsn,
      records: log.recordCount,
      row_changes: rowChangeCount,
      threads: threadCount,
      tables: publisher.catalog.tables.length,
      ms: Math.round(durationMs),
    });
  }

  #startBackend(node: number): Promise<void> {
    const { control, memory, logDirectory } = this.#database!;
    const workerData: BackendData = { control: control.shared, memory: memory.share(), node, logDirectory };
    const worker = new Worker(workerEntry(import.meta.url, '../engine/node/backend-entry'), {
      workerData,
      name: `backend ${node}`,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MIB },
    });
    return this.#watch(worker, `backend ${node}`);
  }

  #startLogThread(): Promise<void> {
    const { control, memory, logDirectory } = this.#database!;
    const workerData: LogThreadData = { control: control.shared, memory: memory.share(), logDirectory: logDirectory! };
    const worker = new Worker(workerEntry(import.meta.url, '../engine/main/log-entry'), {
      workerData,
      name: 'log',
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MIB },
    });
    return this.#watch(worker, 'log');
  }

  /** Resolves when the thread of a backend, or that of the log, is ready. */
  #watch(worker: Worker, thread: string): Promise<void> {
    this.#backends.push(worker);
    return new Promise((ready, failed) => {
      worker.on('message', (message: FromBackend | FromLogThread) => {
        if (message.kind === 'log') {
          this.#log[message.line.level](message.line.message, message.line.fields);
          return;
        }
        this.#backendPaths.push(message.threadPath);
        ready();
      });
      worker.once('error', (error) => {
        failed(error);
        this.#fail(thread, error as Error);
      });
      worker.once('exit', () => {
        if (!this.#isClosing) this.#fail(thread, new Error('the thread has ended'));
      });
    });
  }

  #fail(thread: string, error: Error): void {
    if (this.#isClosing) return;
    this.#log.error('a thread died', { thread, reason: error.message, stack: error.stack ?? '' });
    this.#end(new Error(`${thread} died: ${error.message}`));
  }

  async #processStatus(): Promise<ProcessStatus> {
    const states = await Promise.all(this.#frontends.map((frontend) => frontend.status()));
    const sum = (pick: (state: (typeof states)[number]) => number): number =>
      states.reduce((total, state) => total + pick(state), 0);
    return {
      connections: sum((state) => state.connections),
      sentBytes: sum((state) => state.sentBytes),
      receivedBytes: sum((state) => state.receivedBytes),
      cpuFrontendsNs: this.#frontends.reduce((total, frontend) => total + threadCpuNs(frontend.threadPath), 0),
      cpuBackendsNs: this.#backendPaths.reduce((total, path) => total + threadCpuNs(path), 0),
    };
  }
}

/** CPU time of a thread of this process, in nanoseconds, by the scheduler's own count; 0 where the system has none. */
function threadCpuNs(threadPath: string): number {
  try {
    return Number(readFileSync(`/proc/${threadPath}/schedstat`, 'utf8').split(' ')[0]);
  } catch {
    return 0;
  }
}

/**
 * Tries a plain listen, which finds a port that is taken, and closes it: the frontends then listen together. Gives the
 * port, a free one for 0. Fails with the system's error.
 */
function freePort(host: string | undefined, port: number): Promise<number> {
  return new Promise((done, failed) => {
    const probe = createServer();
    probe.once('error', failed);
    probe.listen({ port, ...(host === undefined || host === '*' ? {} : { host }) }, () => {
      const address = probe.address();
      const found = typeof address === 'object' && address !== null ? address.port : port;
      probe.close(() => done(found));
    });
  });
}

type FrontendStatus = FromFrontend & { kind: 'status' };

class FrontendThread {
  readonly ready: Promise<void>;
  threadPath = '';
  readonly #worker: Worker;
  readonly #supervisor: Supervisor;
  readonly #log: ServerLog;
  readonly #listening: PromiseWithResolvers<readonly string[]> = Promise.withResolvers();
  readonly #closed: PromiseWithResolvers<void> = Promise.withResolvers();
  readonly #statusRequests = new Map<number, (status: FrontendStatus) => void>();
  readonly #statementRequests = new Map<number, (statements: readonly StatementStatistics[]) => void>();
  readonly #settingsRequests = new Map<number, () => void>();
  readonly #readiness: PromiseWithResolvers<void> = Promise.withResolvers();
  #lastId = 0;
  #isClosing = false;

  constructor(data: FrontendData, supervisor: Supervisor, log: ServerLog, onDeath: (error: Error) => void) {
    this.#supervisor = supervisor;
    this.#log = log;
    this.ready = this.#readiness.promise;
    this.#worker = new Worker(workerEntry(import.meta.url, './frontend/frontend-entry'), {
      workerData: data,
      name: `frontend ${data.frontend}`,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MIB },
    });
    this.#worker.on('message', (message: FromFrontend) => this.#receive(message));
    const died = (error: Error): void => {
      if (this.#isClosing) return;
      this.#readiness.reject(error);
      this.#listening.promise.catch(() => {});
      this.#listening.reject(error);
      onDeath(error);
    };
    this.#worker.once('error', (error) => died(error as Error));
    this.#worker.once('exit', () => {
      this.#closed.resolve();
      died(new Error('the thread has ended'));
    });
  }

  send(message: FromMain): void {
    this.#worker.postMessage(message);
  }

  listen(): Promise<readonly string[]> {
    this.send({ kind: 'listen' });
    return this.#listening.promise;
  }

  status(): Promise<FrontendStatus> {
    const id = ++this.#lastId;
    return new Promise((done) => {
      this.#statusRequests.set(id, done);
      this.send({ kind: 'status', id });
    });
  }

  /** What the runs of its statements took. */
  statements(): Promise<readonly StatementStatistics[]> {
    const id = ++this.#lastId;
    return new Promise((done) => {
      this.#statementRequests.set(id, done);
      this.send({ kind: 'statements', id });
    });
  }

  /** Resolves when the frontend goes by the settings. */
  changeSettings(settings: SettingValues): Promise<void> {
    const id = ++this.#lastId;
    return new Promise((done) => {
      this.#settingsRequests.set(id, done);
      this.send({ kind: 'settings', id, settings });
    });
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.send({ kind: 'close' });
    await this.#closed.promise;
  }

  async terminate(): Promise<void> {
    this.#isClosing = true;
    await this.#worker.terminate();
  }

  #receive(message: FromFrontend): void {
    switch (message.kind) {
      case 'ready':
        this.threadPath = message.threadPath;
        this.#readiness.resolve();
        break;
      case 'listening':
        this.#listening.resolve(message.addresses);
        break;
      case 'failed':
        this.#listening.reject(Object.assign(new Error(message.message), { code: message.code, port: message.port }));
        break;
      case 'utility':
        this.#supervisor.run(message.statement, message.settings, (error, body) => {
          if (error === undefined)
            this.send({ kind: 'reply', id: message.id, ...(body === undefined ? {} : { body }) });
          else {
            const { code, message: text, position } = error;
            this.send({ kind: 'reply', id: message.id, error: { code, message: text, position } });
          }
        });
        break;
      case 'status':
        this.#statusRequests.get(message.id)!(message);
        this.#statusRequests.delete(message.id);
        break;
      case 'statements':
        this.#statementRequests.get(message.id)!(message.statements);
        this.#statementRequests.delete(message.id);
        break;
      case 'settings':
        this.#settingsRequests.get(message.id)!();
        this.#settingsRequests.delete(message.id);
        break;
      case 'log':
        this.#log[message.line.level](message.line.message, message.line.fields);
        break;
      case 'closed':
        this.#closed.resolve();
        break;
    }
  }
}

/** With as many digits as say something. */
function gibibytes(byteCount: number): number {
  return Number((byteCount / 2 ** 30).toFixed(3));
}
