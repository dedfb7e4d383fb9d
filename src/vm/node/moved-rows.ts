/**
 * Rows that an UPDATE of primary key columns moves. In one step of the part they go, and their new values into a batch; in
 * the next step the nodes insert what belongs to them of all batches. So keys are compared when all rows have gone: rows of
 * one statement may take each other's keys, and what clashes then clashes with a row that stays, or moves to the same key.
 */

import type { Memory } from '../../base/memory.ts';
import { linkBatch } from '../../program/batch.ts';
import { BatchBuilder } from '../../program/batch-builder.ts';
import type { UpdateSpec } from '../../program/program.ts';
import type { Partition } from '../../storage/partition.ts';
import type { Cursor } from './cursor.ts';
import type { NodeVm } from './node-vm.ts';
import { deleteRow, notNull } from './writes.ts';

const NO_COLUMNS: readonly number[] = [];

/** The batch of a step: made when the first row goes. */
export class MovedRows {
  private readonly builder: BatchBuilder;
  private isOpen = false;

  constructor(memory: Memory) {
    this.builder = new BatchBuilder(memory);
  }

  /** Takes the row of the cursor away: its new values are `first` … for the columns of the spec, the others as stored. */
  add(vm: NodeVm, { partition, row }: Cursor, { columns }: UpdateSpec, first: number): void {
    const { builder } = this;
    if (!this.isOpen) {
      builder.begin(partition.table, NO_COLUMNS);
      this.isOpen = true;
    }
    builder.beginRow();
    for (let index = 0; index < columns.length; index++) {
      const column = columns[index];
      if (vm.nul[first + index] === 0) builder.setRegister(column, vm, first + index);
      else if (partition.isNullable[column] !== 0) builder.setNull(column);
      else throw notNull(partition, column);
    }
    const { columnCount } = partition.layout;
    for (let column = 0; column < columnCount; column++) {
      if (!builder.isSet(column)) copyColumn(builder, partition, row, column);
    }
    builder.endRow();
    deleteRow(vm, partition, row);
  }

  /** Ends the batch of a round, with the partition of each row; its ref, 0 where no row has gone. The caller frees it. */
  finish(memory: Memory, round: number): number {
    if (!this.isOpen) return 0;
    this.isOpen = false;
    this.builder.route();
    const ref = this.builder.finish();
    linkBatch(memory, ref, round, 0);
    return ref;
  }

  /** Gives up the batch at hand, if there is one. */
  release(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.builder.release();
  }
}

/** A stored value into the cell of its column, by its kind of storage. */
function copyColumn(builder: BatchBuilder, partition: Partition, row: number, column: number): void {
  if (partition.isNull(row, column)) {
    builder.setNull(column);
    return;
  }
  switch (partition.layout.kinds[column]) {
    case 0: // one byte
      setSmall(builder, column, partition.readBool(row, column));
      return;
    case 1: // two bytes
      setSmall(builder, column, partition.readInt16(row, column));
      return;
    case 2: // four bytes
      setSmall(builder, column, partition.readInt32(row, column));
      return;
    case 3: // two words
    case 5: // double, as its words
      builder.setWords(column, partition.readInt64Low(row, column), partition.readInt64High(row, column));
      return;
    case 4: // float
      builder.setDoubleCell(column, partition.readFloat(row, column));
      return;
    case 6: // value in the heap
      builder.setRef(column, partition.readRef(row, column));
      return;
    default: // sixteen bytes
      builder.setRef(column, partition.readWide(row, column));
  }
}

function setSmall(builder: BatchBuilder, column: number, value: number): void {
  builder.setWords(column, value, value >> 31);
}
