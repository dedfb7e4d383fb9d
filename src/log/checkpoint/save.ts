/** Saves the frozen state of one partition as its rows file. In any thread; plain data goes in and out. */

import { join } from 'node:path';
import type { Files } from '../../base/effects.ts';
import type { Memory } from '../../base/memory.ts';
import type { TableDefinition } from '../../catalog/catalog.ts';
import { SnapshotReader } from '../../storage/snapshot.ts';
import { type CheckpointFile, rowsFileName } from './catalog-file.ts';
import { rowsHeader } from './format.ts';
import { RowsWriter } from './rows-writer.ts';

export type SaveJob = {
  /** Of the checkpoint that is being written. */
  readonly directory: string;
  readonly lsn: number;
  /** As it was in the fence. */
  readonly table: TableDefinition;
  readonly partitionId: number;
  /** Page of the description of the snapshot (storage/snapshot.ts). */
  readonly snapshotPage: number;
  /** The node that owns the partition: to be woken when the snapshot is over. */
  readonly node: number;
};

/** One job, a block a step. Whatever happens, the snapshot of the partition is finished: by the last step, or by abandon(). */
export class PartitionSaver {
  readonly #memory: Memory;
  readonly #snapshot: SnapshotReader;
  readonly #writer: RowsWriter;
  readonly #partitionId: number;
  #isOver = false;

  /** Throws what the file system throws; the snapshot is finished then. */
  constructor(files: Files, memory: Memory, job: SaveJob) {
    const { directory, lsn, table, partitionId, snapshotPage } = job;
    const snapshot = new SnapshotReader(memory, table, snapshotPage);
    this.#memory = memory;
    this.#snapshot = snapshot;
    this.#partitionId = partitionId;
    try {
      const path = join(directory, rowsFileName(partitionId));
      this.#writer = new RowsWriter(files, path, rowsHeader(lsn, table, partitionId), snapshot, (segment) =>
        snapshot.releaseSegment(segment),
      );
    } catch (error) {
      this.#finish();
      throw error;
    }
  }

  /** Writes a block; false when that was all. Throws what the file system throws; the snapshot is finished then. */
  step(): boolean {
    try {
      if (this.#writer.step()) return true;
    } catch (error) {
      this.abandon();
      throw error;
    }
    this.#finish();
    return false;
  }

  /** What was written, when step() has returned false. */
  result(): CheckpointFile {
    const { rowCount, fileBytes } = this.#writer.totals();
    return { partitionId: this.#partitionId, rowCount, fileBytes };
  }

  /** Ends the job; the file stays as it is. */
  abandon(): void {
    if (this.#isOver) return;
    this.#writer.abandon();
    this.#finish();
  }

  #finish(): void {
    this.#isOver = true;
    this.#snapshot.finish();
    // This thread keeps nothing of what it has freed.
    this.#memory.flushCache();
  }
}

/** Ends the snapshot of a job that is not done at all. */
export function skipSave(memory: Memory, job: SaveJob): void {
  new SnapshotReader(memory, job.table, job.snapshotPage).finish();
}
