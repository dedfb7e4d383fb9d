/**
 * Cleaning up however this process ends: processes and temporary folders of a benchmark or demo must not outlive it, also
 * when it is interrupted or fails.
 */

import { rmSync } from 'node:fs';

const actions: Set<() => void> = new Set();
let isInstalled = false;

/**
 * Runs `action`, which must be synchronous, when the process exits; the function returned takes it back. The youngest go
 * first, so processes are gone before the folder that they were started in.
 */
export function onExit(action: () => void): () => void {
  if (!isInstalled) {
    isInstalled = true;
    process.on('exit', () => {
      for (const each of [...actions].reverse()) each();
    });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1));
  }
  actions.add(action);
  return () => actions.delete(action);
}

/** Time for processes that were just killed to be gone, before their folder is removed. */
const EXIT_GRACE_MS = 250;

/** Removes a folder whose processes were killed a moment ago. For `onExit` only: it blocks. */
export function removeOnExit(directory: string): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, EXIT_GRACE_MS);
  rmSync(directory, { recursive: true, force: true });
}
