/** Entry of the log thread (executor/log-loop.ts): no event loop while it runs. */

import { readlinkSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { SystemClock, SystemFiles } from '../../base/files.ts';
import { Memory, type MemoryHandle } from '../../base/memory.ts';
import { Committer } from '../../executor/committer.ts';
import { Control } from '../../executor/control.ts';
import { LogLoop, runLogThread } from '../../executor/log-loop.ts';
import { LogWriter } from '../../log/log-writer.ts';

type LogThreadData = {
  readonly control: SharedArrayBuffer;
  readonly memory: MemoryHandle;
  readonly logDirectory: string;
};

const data = workerData as LogThreadData;
const control = new Control(data.control);
const files = new SystemFiles();
const log = new LogWriter(files, data.logDirectory, control.logState, () => control.wakeLog());
const loop = new LogLoop({
  control,
  committer: new Committer(control, Memory.open(data.memory), log),
  files,
  directory: data.logDirectory,
  clock: new SystemClock(),
  report: (level, message, fields) => parentPort!.postMessage({ kind: 'log', line: { level, message, fields } }),
});
parentPort!.postMessage({ kind: 'ready', threadPath: readlinkSync('/proc/thread-self') });
runLogThread(loop);
log.close();
parentPort!.close();
