/** Entry of a backend's thread: one node, and no event loop while it runs. */

import { readlinkSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { SystemClock, SystemFiles } from '../../base/files.ts';
import { Memory, type MemoryHandle } from '../../base/memory.ts';
import { Control } from '../../executor/control.ts';
import { runNodeThread } from '../../executor/node-thread.ts';
import { NullLog } from '../../log/log.ts';
import { LogWriter } from '../../log/log-writer.ts';
import { createNode } from './node.ts';

type BackendData = {
  readonly control: SharedArrayBuffer;
  readonly memory: MemoryHandle;
  readonly node: number;
  readonly logDirectory: string | undefined;
};

const data = workerData as BackendData;
const control = new Control(data.control);
const memory = Memory.open(data.memory);
const log =
  data.logDirectory === undefined
    ? new NullLog()
    : new LogWriter(new SystemFiles(), data.logDirectory, control.logState, () => control.wakeLog());
const loop = createNode(control, memory, data.node, log, new SystemClock());
parentPort!.postMessage({ kind: 'ready', threadPath: readlinkSync('/proc/thread-self') });
runNodeThread(loop);
log.close();
parentPort!.close();
