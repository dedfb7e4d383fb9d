/** Entry of a thread that applies row changes of the log at start: replay-threads.ts. It has no turn of its event loop. */

import { receiveMessageOnPort, workerData } from 'node:worker_threads';
import { SqlError } from '../../base/errors.ts';
import { Memory } from '../../base/memory.ts';
import { LocalReplay, ReplayError } from './replay.ts';
import { ENTRY_ROWS, ReplayReceiver, THREAD_ENDED, THREAD_FAILED, THREAD_RUNNING } from './replay-ring.ts';
import type { ReplayFailure, ReplayThreadData, ToReplayThread } from './replay-threads.ts';

const data = workerData as ReplayThreadData;
const receiver = new ReplayReceiver(data.ring);

function takeMessage(replay: LocalReplay): boolean {
  const message = receiveMessageOnPort(data.port)!.message as ToReplayThread;
  switch (message.kind) {
    case 'open':
      replay.open(message.table);
      return true;
    case 'drop':
      replay.drop(message.table);
      return true;
    case 'end':
      return false;
  }
}

try {
  const replay = new LocalReplay(Memory.open(data.memory), (id) => id % data.threadCount === data.ordinal);
  receiver.setState(THREAD_RUNNING);
  receiver.run((kind, lsn, start, end) => {
    if (kind !== ENTRY_ROWS) return takeMessage(replay);
    replay.apply(lsn, receiver.bytes, start, end);
    return true;
  });
  replay.dispose();
  receiver.setState(THREAD_ENDED);
} catch (error) {
  const failure: ReplayFailure = {
    lsn: error instanceof ReplayError ? error.lsn : 0,
    message: (error as Error).message,
    code: error instanceof SqlError ? error.code : undefined,
  };
  data.port.postMessage(failure);
  receiver.setState(THREAD_FAILED);
}
