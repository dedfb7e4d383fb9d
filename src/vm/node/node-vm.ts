/**
 * The VM of a node: runs the node section of programs over the node's own partitions. What a part changes is in the undo log
 * and the redo buffer of its context; after an error the node loop undoes it, the VM has freed its results already.
 */

import { SqlError } from '../../base/errors.ts';
import type { Memory } from '../../base/memory.ts';
import type { TableDefinition } from '../../catalog/catalog.ts';
import type { Partition } from '../../storage/partition.ts';
import { flushRows } from '../core/groups-and-results.ts';
import { interpret } from '../core/interpreter.ts';
import type { LoadedProgram } from '../core/loaded-program.ts';
import { RoutedTable } from '../core/routed-table.ts';
import { Vm } from '../core/vm.ts';
import { BatchCursor } from './batch-cursor.ts';
import { Cursor, RowList } from './cursor.ts';
import { runCursors } from './cursors.ts';
import { Interrupted, type NodeStorage, type PartContext, PartError } from './part.ts';
import { runWrites } from './writes.ts';

/** A part asks whether to give up each time it has passed this many rows. */
const POLL_ROWS = 4096;

export class NodeVm extends Vm {
  readonly storage: NodeStorage;
  part!: PartContext;
  /** For the order of errors: the statement that runs, and the row of its batch, from 1. */
  statement = 0;
  batchRow = 0;
  private rowsToPoll = POLL_ROWS;
  private polledRows = 0;
  override readonly cursors: Cursor[] = [];
  private readonly batches: BatchCursor[] = [];
  private readonly rowLists: RowList[] = [];

  constructor(memory: Memory, storage: NodeStorage) {
    super(memory);
    this.storage = storage;
  }

  /**
   * Runs a part. Throws PartError for a user's mistake, Interrupted when the part was given up; in both cases its results are
   * freed, and its changes are the caller's to undo.
   */
  run(program: LoadedProgram, part: PartContext): void {
    const { node, cursorCount } = program.program;
    this.prepare(program, node.registerCount, part.parameterArena, part.parameterByte, part.now, part.timeZone);
    this.part = part;
    this.statement = 0;
    this.batchRow = 0;
    this.rowsToPoll = POLL_ROWS;
    this.polledRows = 0;
    while (this.cursors.length < cursorCount) this.cursors.push(new Cursor());
    this.seed(part.seedLow, part.seedHigh);
    this.rows.begin(part.format, part.timeZone);
    this.results.begin(part.resultArena, part.resultByte, part.resultBytes, part.limitSendBytes);
    try {
      interpret(this, program.node, 0);
      flushRows(this);
      this.results.finish();
    } catch (error) {
      this.results.discard();
      if (error instanceof SqlError) throw new PartError(error, this.statement, this.batchRow);
      throw error;
    } finally {
      this.finish();
    }
  }

  override countRows(rowCount: number): void {
    this.rowsToPoll -= rowCount;
    if (this.rowsToPoll <= 0) this.poll();
  }

  override get passedRows(): number {
    return this.polledRows + POLL_ROWS - this.rowsToPoll;
  }

  private poll(): void {
    this.polledRows += POLL_ROWS - this.rowsToPoll;
    this.rowsToPoll = POLL_ROWS;
    if (this.part.poll()) throw new Interrupted('the part was given up');
  }

  tableId(table: number): number {
    return this.program.program.tables[table].tableId;
  }

  table(table: number): TableDefinition {
    return this.storage.table(this.tableId(table));
  }

  partitionsOf(table: number): readonly Partition[] {
    return this.storage.partitionsOf(this.tableId(table));
  }

  /** A table of the program, with its routing. */
  routed(table: number): RoutedTable {
    const { cache } = this.program;
    let routed = cache[table] as RoutedTable | undefined;
    if (routed === undefined) {
      routed = new RoutedTable(this.table(table));
      cache[table] = routed;
    }
    return routed;
  }

  /** The low word of a parameter: a partition ordinal, or the ref of a batch when made unsigned. */
  parameterWordOf(parameter: number): number {
    return this.memory.i32[this.parameterArena][this.parameterWord + parameter * 4];
  }

  cursor(ordinal: number): Cursor {
    return this.cursors[ordinal];
  }

  rowList(ordinal: number): RowList {
    return (this.rowLists[ordinal] ??= new RowList());
  }

  batch(ordinal: number): BatchCursor {
    return (this.batches[ordinal] ??= new BatchCursor(this.memory));
  }

  override runCursors(op: number, a: number, b: number, c: number, pc: number): number {
    return runCursors(this, op, a, b, c, pc);
  }

  override runWrites(op: number, a: number, b: number, c: number, pc: number): number {
    return runWrites(this, op, a, b, c, pc);
  }
}
