/** Entry of a thread that saves or loads partitions, one job after another: checkpoint-threads.ts. */

import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { SqlError } from '../../base/errors.ts';
import { SystemFiles } from '../../base/files.ts';
import { Memory } from '../../base/memory.ts';
import { buildIndexAside, loadRows } from '../../log/checkpoint/load.ts';
import { PartitionSaver } from '../../log/checkpoint/save.ts';
import { LogDamage } from '../../log/recover.ts';
import type {
  CheckpointThreadData,
  FromCheckpointThread,
  ThreadProgress,
  ToCheckpointThread,
} from './checkpoint-threads.ts';

/** Compression must not take the cores from the transactions: at normal priority three threads left them 31 %, so 73 %. */
const SAVER_NICENESS = 10;
/** Main is told of so many bytes that were loaded. */
const PROGRESS_BYTES = 4 * 1024 * 1024;

const data = workerData as CheckpointThreadData;
const files = new SystemFiles();
const memory = Memory.open(data.memory);
const cancelled = new Int32Array(data.cancelled);
const port = parentPort!;
let isNice = false;

let rowCount = 0;
let byteCount = 0;

function tellProgress(rows: number, bytes: number): void {
  rowCount += rows;
  byteCount += bytes;
  if (byteCount < PROGRESS_BYTES) return;
  const progress: ThreadProgress = { kind: 'progress', rowCount, byteCount };
  port.postMessage(progress);
  rowCount = 0;
  byteCount = 0;
}

function run(message: ToCheckpointThread): FromCheckpointThread {
  try {
    switch (message.kind) {
      case 'load':
        loadRows(files, memory, message.job, tellProgress);
        return { kind: 'loaded' };
      case 'index':
        return { kind: 'indexed', built: buildIndexAside(memory, message.job, message.ordinal) };
      case 'save': {
        if (!isNice) setPriority(0, SAVER_NICENESS);
        isNice = true;
        const saver = new PartitionSaver(files, memory, message.job);
        while (saver.step()) {
          if (Atomics.load(cancelled, 0) === 0) continue;
          saver.abandon();
          return { kind: 'failed', message: 'the checkpoint is cancelled', code: 'shutting_down', isDamage: false };
        }
        return { kind: 'saved', file: saver.result() };
      }
    }
  } catch (error) {
    const { message: text } = error as Error;
    const code = error instanceof SqlError ? error.code : undefined;
    return { kind: 'failed', message: text, code, isDamage: error instanceof LogDamage };
  }
}

port.on('message', (message: ToCheckpointThread) => port.postMessage(run(message)));
