/**
 * Applies the row changes of the log to partitions at start, in one thread: all partitions, or those of one thread of many
 * (replay-threads.ts). Nobody looks on, so undo is dropped at once.
 */

import { SqlError } from '../../base/errors.ts';
import type { Memory } from '../../base/memory.ts';
import type { TableDefinition } from '../../catalog/catalog.ts';
import { Partition } from '../../storage/partition.ts';
import { RedoApplier } from '../../storage/redo.ts';
import { UndoLog } from '../../storage/undo.ts';

/** Where row changes go, record by record in the order of the log. */
export interface RowReplay {
  /**
   * Takes the row changes bytes[start, end) of a record; gives how many there are. Throws ReplayError, also of a record before
   * it, and out_of_memory.
   */
  apply(lsn: number, bytes: Uint8Array, start: number, end: number): number;
  /** Returns when all changes so far are applied. Throws as apply() does. */
  drain(): void;
  /** A table is there, or has other indexes. Only when drained. */
  open(table: TableDefinition): void;
  /** The table goes: changes of it that come are counted, and nothing else. Only when drained. */
  drop(table: TableDefinition): void;
  /** Ends it, after drain() or an error: gives back what it has taken but for the partitions. */
  dispose(): void;
}

/** A record that cannot be applied: the log is damaged in a way that checksums do not show. */
export class ReplayError extends Error {
  override name = 'ReplayError';
  readonly lsn: number;

  constructor(lsn: number, message: string) {
    super(message);
    this.lsn = lsn;
  }
}

export class LocalReplay implements RowReplay {
  readonly #memory: Memory;
  readonly #undo: UndoLog;
  readonly #applier: RedoApplier;
  readonly #partitions = new Map<number, Partition>();
  readonly #isMine: (partitionId: number) => boolean;
  readonly #resolve = (id: number): Partition | undefined => this.partition(id);

  /** @param isMine of partitions that are not, changes are passed over */
  constructor(memory: Memory, isMine: (partitionId: number) => boolean) {
    this.#memory = memory;
    this.#isMine = isMine;
    this.#undo = new UndoLog(memory);
    this.#applier = new RedoApplier(memory, this.#undo);
  }

  /** An open partition, as it is now; undefined where its table is not there any more. */
  partition(id: number): Partition | undefined {
    const partition = this.#partitions.get(id);
    // Another thread may have changed it, at a time that both know of.
    partition?.refresh();
    return partition;
  }

  apply(lsn: number, bytes: Uint8Array, start: number, end: number): number {
    try {
      return this.#applier.apply(bytes, start, end, this.#resolve);
    } catch (error) {
      // Of the log, in memory that is about to be given up: no other code says what is wrong with it.
      if (error instanceof SqlError && error.code === 'out_of_memory') throw error;
      throw new ReplayError(lsn, (error as Error).message);
    }
  }

  drain(): void {}

  open(table: TableDefinition): void {
    this.drop(table);
    for (const definition of table.partitions)
      if (this.#isMine(definition.id))
        this.#partitions.set(definition.id, Partition.open(this.#memory, table, definition));
  }

  drop(table: TableDefinition): void {
    for (const { id } of table.partitions) {
      this.#partitions.get(id)?.close();
      this.#partitions.delete(id);
    }
  }

  dispose(): void {
    for (const partition of this.#partitions.values()) partition.close();
    this.#partitions.clear();
    this.#applier.dispose();
    this.#undo.dispose();
    this.#memory.flushCache();
  }
}
