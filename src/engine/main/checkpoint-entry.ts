/** Entry of a thread that saves or loads partitions, one job after another: checkpoint-threads.ts. */

import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { SqlError } from '../../base/errors.ts';
import { SystemFiles } from '../../base/files.ts';
import { Memory } from '../../base/memory.ts';
import { loadPartition } from '../../log/checkpoint/load.ts';
import { PartitionSaver } from '../../log/checkpoint/save.ts';
import { LogDamage } from '../../log/recover.ts';
import type { CheckpointThreadData, FromCheckpointThread, ToCheckpointThread } from './checkpoint-threads.ts';

/** Compression must not take the cores from the transactions: at normal priority three threads left them 31 %, so 73 %. */
const SAVER_NICENESS = 10;

const data = workerData as CheckpointThreadData;
const files = new SystemFiles();
const memory = Memory.open(data.memory);
const cancelled = new Int32Array(data.cancelled);
const port = parentPort!;
let isNice = false;

function run(message: ToCheckpointThread): FromCheckpointThread {
  try {
    switch (message.kind) {
      case 'load':
        loadPartition(files, memory, message.job);
        return { kind: 'loaded' };
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
