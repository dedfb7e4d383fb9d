/**
 * Threads that save partitions in a checkpoint, and load them at start (load-threads.ts). They are made for the work and end
 * with it. Main gives each the next job when it is done with one; a job may bring others:
 *
 *   main ── { save | load | index, job } ──▶ thread ── progress, … { saved | loaded | indexed | failed } ──▶ main
 *
 * After the first failure no more jobs are given out, and those that run are asked to end.
 */

import { Worker } from 'node:worker_threads';
import { type ErrorCode, SqlError } from '../../base/errors.ts';
import type { Memory, MemoryHandle } from '../../base/memory.ts';
import { workerEntry } from '../../base/worker-entry.ts';
import type { Control } from '../../executor/control.ts';
import type { CheckpointFile } from '../../log/checkpoint/catalog-file.ts';
import type { LoadJob } from '../../log/checkpoint/load.ts';
import { type SaveJob, skipSave } from '../../log/checkpoint/save.ts';
import { LogDamage } from '../../log/recover.ts';
import type { BuiltNodes } from '../../storage/index-build.ts';
import type { PartitionSavers } from './checkpoint.ts';

export type CheckpointThreadData = {
  readonly memory: MemoryHandle;
  /** One word: 1 asks savers to end. */
  readonly cancelled: SharedArrayBuffer;
};

export type ToCheckpointThread =
  | { readonly kind: 'save'; readonly job: SaveJob }
  | { readonly kind: 'load'; readonly job: LoadJob }
  | { readonly kind: 'index'; readonly job: LoadJob; readonly ordinal: number };

/** How far a thread has come since it last said so. */
export type ThreadProgress = { readonly kind: 'progress'; readonly rowCount: number; readonly byteCount: number };

export type FromCheckpointThread =
  | { readonly kind: 'saved'; readonly file: CheckpointFile }
  | { readonly kind: 'loaded' }
  | { readonly kind: 'indexed'; readonly built: BuiltNodes | undefined }
  | {
      readonly kind: 'failed';
      readonly message: string;
      readonly code: ErrorCode | undefined;
      readonly isDamage: boolean;
    };

/** A thread did not answer, and never will. */
class ThreadDeath extends Error {
  override name = 'ThreadDeath';
}

/** Saves partitions by threads of low priority. */
export class ThreadSavers implements PartitionSavers {
  readonly #memory: Memory;
  readonly #control: Control;
  readonly #onDeath: (error: Error) => void;
  readonly #cancelled: Int32Array = new Int32Array(new SharedArrayBuffer(4));

  /** @param onDeath a thread has died of a bug, and its snapshot stays unfinished: the process has to end */
  constructor(memory: Memory, control: Control, onDeath: (error: Error) => void) {
    this.#memory = memory;
    this.#control = control;
    this.#onDeath = onDeath;
  }

  async save(jobs: readonly SaveJob[], workerCount: number, onSaved: (file: CheckpointFile) => void): Promise<void> {
    const messages = jobs.map((job): ToCheckpointThread => ({ kind: 'save', job }));
    let begun = 0;
    try {
      await runJobs(this.#memory, messages, Math.min(workerCount, messages.length), this.#cancelled, {
        onProgress: () => {},
        onBegin: (index) => {
          begun = index + 1;
        },
        onDone: (index, answer) => {
          // Its owner takes down what is left of the snapshot.
          this.#control.wakeNode(jobs[index]!.node);
          if (answer.kind === 'saved') onSaved(answer.file);
        },
      });
    } catch (error) {
      if (error instanceof ThreadDeath) this.#onDeath(error);
      for (const job of jobs.slice(begun)) skipSave(this.#memory, job);
      for (const job of jobs) this.#control.wakeNode(job.node);
      throw error;
    }
  }

  cancel(): void {
    Atomics.store(this.#cancelled, 0, 1);
  }
}

type Watcher = {
  /** Jobs begin in their order. */
  onBegin(index: number): void;
  onDone(index: number, answer: FromCheckpointThread): void;
  onProgress(rowCount: number, byteCount: number): void;
};

/** Runs jobs by threads, those too that onDone() adds; rejects with the first error when none is running any more. */
export async function runJobs(
  memory: Memory,
  messages: readonly ToCheckpointThread[],
  workerCount: number,
  cancelled: Int32Array,
  watcher: Watcher,
): Promise<void> {
  let next = 0;
  let error: Error | undefined;
  const workerData: CheckpointThreadData = {
    memory: memory.share(),
    cancelled: cancelled.buffer as SharedArrayBuffer,
  };
  let runningCount = 0;
  let changed = Promise.withResolvers<void>();
  const tell = (): void => {
    changed.resolve();
    changed = Promise.withResolvers<void>();
  };
  const wasCancelled = Atomics.load(cancelled, 0);
  const fail = (failure: Error): void => {
    error ??= failure;
    Atomics.store(cancelled, 0, 1);
  };
  const work = async (ordinal: number): Promise<void> => {
    const worker = new Worker(workerEntry(import.meta.url, './checkpoint-entry'), {
      workerData,
      name: `checkpoint ${ordinal}`,
    });
    try {
      while (error === undefined) {
        if (next === messages.length) {
          if (runningCount === 0) break;
          await changed.promise;
          continue;
        }
        const index = next++;
        watcher.onBegin(index);
        runningCount++;
        const answer = await ask(worker, messages[index]!, watcher);
        watcher.onDone(index, answer);
        runningCount--;
        if (answer.kind === 'failed') fail(errorOf(answer));
        tell();
      }
    } catch (failure) {
      fail(failure as Error);
    } finally {
      tell();
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: workerCount }, (_, ordinal) => work(ordinal)));
  // A failure has ended those that ran; a cancellation stays.
  if (error === undefined) return;
  if (wasCancelled === 0 && !(error instanceof SqlError && error.code === 'shutting_down'))
    Atomics.store(cancelled, 0, 0);
  throw error;
}

/** Gives a thread a job; rejects when it dies of it. */
function ask(worker: Worker, message: ToCheckpointThread, watcher: Watcher): Promise<FromCheckpointThread> {
  const { promise, resolve, reject } = Promise.withResolvers<FromCheckpointThread>();
  const onError = (error: unknown): void => reject(new ThreadDeath((error as Error).message, { cause: error }));
  const onExit = (): void => reject(new ThreadDeath('the thread has ended'));
  const onMessage = (answer: FromCheckpointThread | ThreadProgress): void => {
    if (answer.kind === 'progress') watcher.onProgress(answer.rowCount, answer.byteCount);
    else resolve(answer);
  };
  worker.once('error', onError);
  worker.once('exit', onExit);
  worker.on('message', onMessage);
  worker.postMessage(message);
  return promise.finally(() => {
    worker.off('error', onError);
    worker.off('exit', onExit);
    worker.off('message', onMessage);
  });
}

function errorOf(answer: FromCheckpointThread & { kind: 'failed' }): Error {
  if (answer.code !== undefined) return new SqlError(answer.code, answer.message);
  return answer.isDamage ? new LogDamage(answer.message) : new Error(answer.message);
}
