/** Saves partitions in the one thread that there is: a block a step, and others have their turn between two steps. */

import type { Files } from '../../base/effects.ts';
import { SqlError } from '../../base/errors.ts';
import type { Memory } from '../../base/memory.ts';
import type { CheckpointFile } from '../../log/checkpoint/catalog-file.ts';
import { PartitionSaver, type SaveJob, skipSave } from '../../log/checkpoint/save.ts';
import type { PartitionSavers } from './checkpoint.ts';

export class StepSavers implements PartitionSavers {
  readonly #files: Files;
  readonly #memory: Memory;
  readonly #pause: () => Promise<void>;
  #isCancelled = false;

  /** @param pause resolves when others have had their turn */
  constructor(files: Files, memory: Memory, pause: () => Promise<void>) {
    this.#files = files;
    this.#memory = memory;
    this.#pause = pause;
  }

  async save(jobs: readonly SaveJob[], _workerCount: number, onSaved: (file: CheckpointFile) => void): Promise<void> {
    let done = 0;
    try {
      while (done < jobs.length) {
        const saver = new PartitionSaver(this.#files, this.#memory, jobs[done++]!);
        try {
          while (saver.step()) {
            await this.#pause();
            if (this.#isCancelled) throw new SqlError('shutting_down', 'the database is being closed');
          }
        } finally {
          saver.abandon();
        }
        onSaved(saver.result());
      }
    } finally {
      for (const job of jobs.slice(done)) skipSave(this.#memory, job);
    }
  }

  cancel(): void {
    this.#isCancelled = true;
  }
}
