/** Stands on the rows of a batch that belong to partitions of this node, one after another. */

import type { Memory } from '../../base/memory.ts';
import { BatchReader } from '../../program/batch.ts';
import type { Partition } from '../../storage/partition.ts';
import type { NodeStorage } from './part.ts';

export class BatchCursor {
  readonly reader: BatchReader;
  /** Ordinal of the row in the batch, and its partition. */
  row = -1;
  partition!: Partition;
  /** By partition ordinal: what the node has of the table. */
  private readonly partitions: (Partition | undefined)[] = [];
  private readonly isKnown: boolean[] = [];
  private storage!: NodeStorage;

  constructor(memory: Memory) {
    this.reader = new BatchReader(memory);
  }

  /** Stands before the first row of the batch at `ref`. */
  open(ref: number, storage: NodeStorage): void {
    this.reader.open(ref);
    this.storage = storage;
    this.partitions.length = 0;
    this.isKnown.length = 0;
    this.row = -1;
  }

  /** To the next row that is here; false at the end. */
  next(): boolean {
    const { reader } = this;
    while (++this.row < reader.rowCount) {
      const ordinal = reader.partitionOrdinal(this.row);
      const partition = this.isKnown[ordinal] === true ? this.partitions[ordinal] : this.find(ordinal);
      if (partition === undefined) continue;
      this.partition = partition;
      return true;
    }
    return false;
  }

  private find(ordinal: number): Partition | undefined {
    const partition = this.storage.partitionByOrdinal(this.reader.tableId, ordinal);
    while (this.partitions.length <= ordinal) {
      this.partitions.push(undefined);
      this.isKnown.push(false);
    }
    this.partitions[ordinal] = partition;
    this.isKnown[ordinal] = true;
    return partition;
  }
}
