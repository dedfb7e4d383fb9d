/**
 * Replays the log by several threads: main reads and checks the records, and hands each row change to the thread that has its
 * partition (partition id modulo threads). So changes of one partition stay in the order of the log, and those of different
 * ones do not wait for each other; as a row is named by partition and primary key, they have nothing to do with each other,
 * but for identity counters, which are raised by Atomics and only ever grow. DDL commands are barriers:
 *
 *   rows, rows … ── drain: all threads have applied what they were given ──▶ main runs the command ── open | drop ──▶ rows …
 *
 * A change that is longer than a slot of the ring is applied by main, drained before, so that it stays in its place.
 */

import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { type ErrorCode, SqlError } from '../../base/errors.ts';
import type { Memory, MemoryHandle } from '../../base/memory.ts';
import { workerEntry } from '../../base/worker-entry.ts';
import type { TableDefinition } from '../../catalog/catalog.ts';
import { redoPartitionId, redoRecordBytes } from '../../storage/redo.ts';
import { type LocalReplay, ReplayError, type RowReplay } from './replay.ts';
import {
  createReplayRing,
  ENTRY_MESSAGE,
  ENTRY_ROWS,
  PAYLOAD_BYTES_MAX,
  ReplaySender,
  THREAD_ENDED,
  THREAD_FAILED,
  THREAD_STARTING,
} from './replay-ring.ts';

export type ReplayThreadData = {
  readonly memory: MemoryHandle;
  readonly ring: SharedArrayBuffer;
  readonly port: MessagePort;
  /** It has the partitions whose id modulo `threadCount` is this. */
  readonly ordinal: number;
  readonly threadCount: number;
};

/** What an ENTRY_MESSAGE announces. */
export type ToReplayThread =
  | { readonly kind: 'open'; readonly table: TableDefinition }
  | { readonly kind: 'drop'; readonly table: TableDefinition }
  | { readonly kind: 'end' };

/** `lsn` 0: it has to do with no record. */
export type ReplayFailure = { readonly lsn: number; readonly message: string; readonly code: ErrorCode | undefined };

/** A thread that has not started by then never will. */
const START_PATIENCE_MS = 60_000;
const EMPTY: Uint8Array = new Uint8Array(0);

type Thread = { readonly worker: Worker; readonly sender: ReplaySender; readonly port: MessagePort };

export class ThreadReplay implements RowReplay {
  readonly #local: LocalReplay;
  readonly #threads: readonly Thread[];
  readonly #deadlineMs: number = performance.now() + START_PATIENCE_MS;
  readonly #check = (): void => this.#throwFailure();
  #failure: ReplayFailure | undefined;

  /** Starts the threads. `local` has all partitions too; it is the caller's. */
  constructor(memory: Memory, threadCount: number, local: LocalReplay) {
    this.#local = local;
    this.#threads = Array.from({ length: threadCount }, (_, ordinal) => startThread(memory, ordinal, threadCount));
  }

  apply(lsn: number, bytes: Uint8Array, start: number, end: number): number {
    let changeCount = 0;
    for (let at = start; at < end; changeCount++) {
      const byteCount = lengthOf(lsn, bytes, at, end);
      if (byteCount > PAYLOAD_BYTES_MAX) {
        this.drain();
        this.#local.apply(lsn, bytes, at, at + byteCount);
      } else {
        const { sender } = this.#threads[redoPartitionId(bytes, at) % this.#threads.length]!;
        sender.put(ENTRY_ROWS, lsn, bytes, at, at + byteCount, this.#check);
      }
      at += byteCount;
    }
    return changeCount;
  }

  drain(): void {
    for (const { sender } of this.#threads) sender.flush();
    for (const { sender } of this.#threads) sender.wait(0, this.#check);
  }

  open(table: TableDefinition): void {
    this.#tell({ kind: 'open', table });
  }

  drop(table: TableDefinition): void {
    this.#tell({ kind: 'drop', table });
    // Main is about to free it.
    this.drain();
  }

  dispose(): void {
    for (const { worker, port, sender } of this.#threads) {
      if (sender.state() !== THREAD_FAILED && sender.state() !== THREAD_ENDED) {
        port.postMessage({ kind: 'end' } satisfies ToReplayThread);
        sender.put(ENTRY_MESSAGE, 0, EMPTY, 0, 0, () => {});
        sender.flush();
      }
      // What it has taken comes back when it ends; the wait is over at once for one that has failed.
      sender.waitForEnd(this.#deadlineMs);
      port.close();
      void worker.terminate();
    }
  }

  #tell(message: ToReplayThread): void {
    for (const { port, sender } of this.#threads) {
      port.postMessage(message);
      sender.put(ENTRY_MESSAGE, 0, EMPTY, 0, 0, this.#check);
    }
  }

  /** Throws what a thread has met, the earliest in the order of the log of those that are known. */
  #throwFailure(): void {
    for (const { sender, port } of this.#threads) {
      const state = sender.state();
      if (state === THREAD_STARTING && performance.now() > this.#deadlineMs)
        throw new Error(
          'a thread that replays the log does not start; start the server again, with fewer backends if it stays so',
        );
      if (state !== THREAD_FAILED) continue;
      const failure = receiveMessageOnPort(port)?.message as ReplayFailure | undefined;
      if (failure !== undefined && (this.#failure === undefined || failure.lsn < this.#failure.lsn))
        this.#failure = failure;
    }
    if (this.#failure === undefined) return;
    const { code, message, lsn } = this.#failure;
    if (code !== undefined) throw new SqlError(code, message);
    throw lsn === 0 ? new Error(`a thread that replays the log has failed: ${message}`) : new ReplayError(lsn, message);
  }
}

function lengthOf(lsn: number, bytes: Uint8Array, at: number, end: number): number {
  try {
    return redoRecordBytes(bytes, at, end);
  } catch (error) {
    throw new ReplayError(lsn, (error as Error).message);
  }
}

function startThread(memory: Memory, ordinal: number, threadCount: number): Thread {
  const ring = createReplayRing();
  const { port1, port2 } = new MessageChannel();
  const workerData: ReplayThreadData = { memory: memory.share(), ring, port: port2, ordinal, threadCount };
  const worker = new Worker(workerEntry(import.meta.url, './replay-entry'), {
    workerData,
    transferList: [port2],
    name: `replay ${ordinal}`,
  });
  worker.unref();
  port1.unref();
  return { worker, sender: new ReplaySender(ring), port: port1 };
}
