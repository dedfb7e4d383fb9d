/** A node's thread of the stress test. */

import { parentPort, workerData } from 'node:worker_threads';
import { SystemFiles } from '../base/files.ts';
import { Committer } from '../executor/committer.ts';
import { Control } from '../executor/control.ts';
import { NodeLoop } from '../executor/node-loop.ts';
import { runNodeThread } from '../executor/node-thread.ts';
import { LogWriter } from '../log/log-writer.ts';
import { CounterRunner } from './counter-runner.ts';
import { TestArena } from './test-arena.ts';

export type StressNodeData = {
  readonly control: SharedArrayBuffer;
  readonly arena: SharedArrayBuffer;
  readonly firstPage: number;
  readonly endPage: number;
  readonly counters: SharedArrayBuffer;
  readonly counterCount: number;
  readonly node: number;
  readonly directory: string;
};

const data = workerData as StressNodeData;
const control = new Control(data.control);
const memory = new TestArena(data.arena, data.firstPage, data.endPage);
const rows = Array.from(
  { length: control.nodeCount },
  (_, node) => new Int32Array(data.counters, node * data.counterCount * 4, data.counterCount),
);
const log = new LogWriter(new SystemFiles(), data.directory, control.logState, () => {});
const runner = new CounterRunner(memory, rows, data.node, control.slotCount);
const loop = new NodeLoop(control, memory, data.node, new Committer(control, memory, log), runner);
runNodeThread(loop);
log.close();
parentPort!.close();
