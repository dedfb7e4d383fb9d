/** The loop of a node's thread: steps while there is work, and parks when there is none. */

import { CONTROL_NODE_PARKED, CONTROL_STOP } from './layout.ts';
import { type NodeLoop, STEP_RAN } from './node-loop.ts';

/**
 * Parts a step runs before it commits. Every ticket waits for the end of its step, and with clients that wait for their
 * replies long steps make everybody work by turns: tpcb at 64 clients on two cores gave 44 k transactions/s with 64 parts
 * a step, 52 k with 16, 50 k with 8.
 */
export const STEP_PARTS = 16;

/**
 * A parked node wakes this often, so that its position and its FIFO keep up with `final`: tickets compare rightly only
 * within 2^31 of each other, which busy nodes get through in hours. It also frees what was deleted before it fell asleep.
 */
const PARKED_MS_MAX = 10_000;

export type NodeThreadOptions = {
  /** Looks for work this often before it parks, about 10 ns each: only where there are cores to spare. */
  readonly spinCount?: number;
};

/** Runs until Control.stop; what was published before it may be left undone. Throws on bugs only. */
export function runNodeThread(loop: NodeLoop, options: NodeThreadOptions = {}): void {
  const words = loop.control.words;
  const parkedWord = CONTROL_NODE_PARKED + (loop.node << 4);
  const spinCount = options.spinCount ?? 0;
  while (Atomics.load(words, CONTROL_STOP) === 0) {
    if (loop.step(STEP_PARTS) === STEP_RAN) continue;
    if (spinCount > 0 && spin(loop, spinCount)) continue;
    Atomics.store(words, parkedWord, 1);
    // Once more, now that whoever brings work sees that we are parked.
    if (loop.step(STEP_PARTS) === STEP_RAN || Atomics.load(words, CONTROL_STOP) !== 0) {
      Atomics.store(words, parkedWord, 0);
      continue;
    }
    Atomics.wait(words, parkedWord, 1, PARKED_MS_MAX);
    Atomics.store(words, parkedWord, 0);
  }
}

function spin(loop: NodeLoop, spinCount: number): boolean {
  for (let count = 0; count < spinCount; count++) if (loop.step(STEP_PARTS) === STEP_RAN) return true;
  return false;
}
