/**
 * Loads the partitions of a checkpoint by threads (checkpoint-threads.ts), the largest first. Each partition is a job, and
 * then each of its indexes is one, so that a few large partitions keep many threads busy:
 *
 *   load rows ──▶ build index, build index …, each aside in a heap of its own ──▶ main puts it in its place
 */

import type { Memory } from '../../base/memory.ts';
import { type LoadJob, takeIndex } from '../../log/checkpoint/load.ts';
import { runJobs, type ToCheckpointThread } from './checkpoint-threads.ts';

/** Loads partitions by as many threads; `onRows` is called now and then. Rejects with the first error. */
export async function loadByThreads(
  memory: Memory,
  jobs: readonly LoadJob[],
  threadCount: number,
  onRows: (rowCount: number, byteCount: number) => void,
): Promise<void> {
  const messages: ToCheckpointThread[] = jobs
    .toSorted((a, b) => b.fileBytes - a.fileBytes)
    .map((job) => ({ kind: 'load', job }));
  // No more threads than there will be jobs.
  const jobCount = jobs.reduce((sum, { table }) => sum + table.indexes.length, 0);
  await runJobs(memory, messages, Math.min(threadCount, jobCount), new Int32Array(new SharedArrayBuffer(4)), {
    onBegin: () => {},
    onProgress: onRows,
    onDone: (index, answer) => {
      const message = messages[index]!;
      // The primary key comes last: it mostly needs no room to sort, and uses the pages of those that do.
      if (answer.kind === 'loaded' && message.kind === 'load')
        for (let ordinal = message.job.table.indexes.length - 1; ordinal >= 0; ordinal--)
          messages.push({ kind: 'index', job: message.job, ordinal });
      if (answer.kind === 'indexed' && message.kind === 'index')
        takeIndex(memory, message.job, message.ordinal, answer.built);
    },
  });
}
