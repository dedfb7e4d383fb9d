/**
 * A node's thread of bench/micro-wait.ts: counters with undo. A part adds one to a counter of the node, or fails, as word
 * BLOCK_USER of its request says: the mask of the nodes on which it fails.
 */

import { parentPort, workerData } from 'node:worker_threads';
import { SqlError } from '../src/base/errors.ts';
import { Committer } from '../src/executor/committer.ts';
import { Control } from '../src/executor/control.ts';
import { BLOCK_USER } from '../src/executor/layout.ts';
import { NodeLoop, PART_REDO, PART_WROTE, type PartRunner } from '../src/executor/node-loop.ts';
import { runNodeThread } from '../src/executor/node-thread.ts';
import type { BlockView } from '../src/executor/request-block.ts';
import { NullLog } from '../src/log/log.ts';
import { TestArena } from '../src/testing/test-arena.ts';

export type TransferNodeData = {
  readonly control: SharedArrayBuffer;
  readonly arena: SharedArrayBuffer;
  readonly node: number;
};

export const COUNTERS = 1024;
/** More than tickets in the air. */
const UNDO_SLOTS = 8192;

class TransferRunner implements PartRunner {
  readonly counters = new Int32Array(COUNTERS);
  private readonly undo = new Int32Array(UNDO_SLOTS);
  private readonly nodeBit: number;
  private mark = 0;

  constructor(node: number) {
    this.nodeBit = 1 << node;
  }

  run(view: BlockView): number {
    const what = view.get(BLOCK_USER);
    if ((what & this.nodeBit) !== 0) throw new SqlError('raised', 'not enough');
    const counter = view.get(BLOCK_USER + 1);
    this.undo[this.mark & (UNDO_SLOTS - 1)] = counter;
    this.mark++;
    this.counters[counter]!++;
    return PART_WROTE | PART_REDO;
  }

  runTail(): void {}
  discardResult(): void {}

  undoMark(): number {
    return this.mark;
  }

  redoMark(): number {
    return 0;
  }

  rollbackTo(undoMark: number): void {
    while (this.mark > undoMark) this.counters[this.undo[--this.mark & (UNDO_SLOTS - 1)]!]!--;
  }

  release(): void {}
  applyFence(): void {}
}

if (parentPort !== null) {
  const { control: shared, arena, node } = workerData as TransferNodeData;
  const control = new Control(shared);
  const memory = new TestArena(arena, 0, 0);
  const committer = new Committer(control, memory, new NullLog());
  runNodeThread(new NodeLoop(control, memory, node, committer, new TransferRunner(node)));
  parentPort.close();
}
