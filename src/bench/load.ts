/** The load generator: many clients in several threads, counted while they run. */

import { Worker } from 'node:worker_threads';
import { workerEntry } from '../base/worker-entry.ts';
import { addHistogram, HISTOGRAM_BUCKET_COUNT, latencyPercentileMs } from './histogram.ts';
import type { LoadWorkerInput, LoadWorkerMessage } from './load-worker.ts';
import type { RequestTemplate } from './request-template.ts';
import type { Target } from './target.ts';

export type LoadOptions = {
  readonly target: Target;
  readonly template: RequestTemplate;
  /** Threads that send; no more of them than clients are started. */
  readonly threadCount: number;
  /** Connections, each with one request under way. */
  readonly clientCount: number;
  readonly seconds: number;
  /** Called each second with the replies a second since the last call. */
  readonly everySecond?: (second: number, repliesPerSecond: number) => void;
};

export type LoadResult = {
  readonly replyCount: number;
  /** From the first request to the last second's end, replies to requests still under way then not awaited. */
  readonly seconds: number;
  readonly repliesPerSecond: number;
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly p99: number };
  /** CPU time of this whole process while it ran, for each reply, in microseconds. */
  readonly generatorCpuMicros: number;
  /** The same as cores kept busy: 1.5 is one and a half. */
  readonly generatorCores: number;
};

/** How long the last replies may take after the end before the server counts as stuck. */
const DRAIN_TIMEOUT_MS = 30_000;
/** Small, so that the generator's own garbage costs it little: it makes next to none. */
const YOUNG_GENERATION_MB = 16;

class LoadThread {
  readonly worker: Worker;
  readonly replyCount: Int32Array;
  readonly latencies: Uint32Array;
  readonly ready: Promise<void>;
  readonly done: Promise<void>;
  #lastReplyCount = 0;

  constructor(options: LoadOptions, connectionCount: number) {
    const input: LoadWorkerInput = {
      target: options.target,
      template: options.template,
      connectionCount,
      replyCount: new SharedArrayBuffer(4),
      latencies: new SharedArrayBuffer(4 * HISTOGRAM_BUCKET_COUNT),
    };
    this.replyCount = new Int32Array(input.replyCount);
    this.latencies = new Uint32Array(input.latencies);
    this.worker = new Worker(workerEntry(import.meta.url, './load-worker'), {
      workerData: input,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    const ready = Promise.withResolvers<void>();
    const done = Promise.withResolvers<void>();
    const fail = (error: Error): void => {
      ready.reject(error);
      done.reject(error);
    };
    this.worker.on('message', (message: LoadWorkerMessage) => {
      if (message.kind === 'ready') ready.resolve();
      else if (message.kind === 'done') done.resolve();
      else fail(new Error(message.message));
    });
    this.worker.on('error', fail);
    this.worker.on('exit', () => fail(new Error('a thread of the load generator ended early')));
    this.ready = ready.promise;
    this.done = done.promise;
    // Both are awaited, but not at every moment: a failure before that must not count as unhandled.
    this.ready.catch(() => {});
    this.done.catch(() => {});
  }

  /** Replies since the last call. */
  takeReplyCount(): number {
    const count = Atomics.load(this.replyCount, 0);
    const difference = (count - this.#lastReplyCount) >>> 0;
    this.#lastReplyCount = count;
    return difference;
  }
}

/** Runs the load. Any refusal, lost connection or stuck server ends it with an Error that says what happened. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const threadCount = Math.min(options.threadCount, options.clientCount);
  const threads: LoadThread[] = [];
  for (let index = 0; index < threadCount; index++) {
    const share = Math.floor(options.clientCount / threadCount) + (index < options.clientCount % threadCount ? 1 : 0);
    threads.push(new LoadThread(options, share));
  }
  try {
    await Promise.all(threads.map((thread) => thread.ready));
    return await measure(threads, options);
  } finally {
    await Promise.all(threads.map((thread) => thread.worker.terminate()));
  }
}

async function measure(threads: readonly LoadThread[], options: LoadOptions): Promise<LoadResult> {
  let replyCount = 0;
  const takeReplies = (): number => threads.reduce((sum, thread) => sum + thread.takeReplyCount(), 0);
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => {});
  for (const thread of threads) thread.done.catch(failure.reject);

  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  for (const thread of threads) thread.worker.postMessage('start');
  let lastMs = startMs;
  for (let second = 1; lastMs < startMs + options.seconds * 1000; second++) {
    const untilMs = startMs + Math.min(second, options.seconds) * 1000;
    await Promise.race([failure.promise, delay(untilMs - performance.now())]);
    const nowMs = performance.now();
    const replies = takeReplies();
    replyCount += replies;
    options.everySecond?.(second, (replies * 1000) / (nowMs - lastMs));
    lastMs = nowMs;
  }
  const cpu = process.cpuUsage(cpuBefore);
  for (const thread of threads) thread.worker.postMessage('stop');
  await Promise.race([Promise.all(threads.map((thread) => thread.done)), stuckAfter(DRAIN_TIMEOUT_MS)]);

  const latencies = new Float64Array(HISTOGRAM_BUCKET_COUNT);
  for (const thread of threads) addHistogram(latencies, thread.latencies);
  const seconds = (lastMs - startMs) / 1000;
  return {
    replyCount,
    seconds,
    repliesPerSecond: replyCount / seconds,
    latencyMs: {
      p50: latencyPercentileMs(latencies, 0.5),
      p95: latencyPercentileMs(latencies, 0.95),
      p99: latencyPercentileMs(latencies, 0.99),
    },
    generatorCpuMicros: (cpu.user + cpu.system) / Math.max(replyCount, 1),
    generatorCores: (cpu.user + cpu.system) / 1e6 / seconds,
  };
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, Math.max(0, milliseconds));
  });
}

function stuckAfter(milliseconds: number): Promise<never> {
  return new Promise((_resolve, reject) => {
    setTimeout(
      () => reject(new Error(`the server did not answer its last requests within ${milliseconds / 1000} seconds`)),
      milliseconds,
    ).unref();
  });
}
