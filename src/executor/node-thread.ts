/** The loop of a node's thread: steps while there is work, and parks when there is none. */

import { CONTROL_NODE_PARKED, CONTROL_STOP } from './layout.ts';
import { type NodeLoop, STEP_RAN } from './node-loop.ts';

/**
 * Parts a step runs before it commits. Every ticket waits for the end of its step, which at 5 µs a part is 0.3 ms at
 * most; a group of this size makes the cost of a write to the log small against its parts.
 */
export const STEP_PARTS = 64;

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
    Atomics.wait(words, parkedWord, 1);
  }
}

function spin(loop: NodeLoop, spinCount: number): boolean {
  for (let count = 0; count < spinCount; count++) if (loop.step(STEP_PARTS) === STEP_RAN) return true;
  return false;
}
