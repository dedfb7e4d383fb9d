/**
 * The VM of a node: runs the node section of programs over the node's own partitions. What a part changes is in the undo log
 * and the redo buffer of its context; after an error the node loop undoes it, the VM has freed its results already.
 *
 *   ENDED  ── run ──▶ RUNNING ── ret, or an error ──▶ ENDED
 *   RUNNING ── round: the step ends (endStep) ──▶ PAUSED: registers, temporaries and results stay as they are
 *   PAUSED ── resume ──▶ RUNNING;  PAUSED ── abandon: the ticket ended, or was undone, without another step ──▶ ENDED
 */

import { SqlError } from '../../base/errors.ts';
import type { Memory } from '../../base/memory.ts';
import type { TableDefinition } from '../../catalog/catalog.ts';
import { FixedUpdate } from '../../storage/fixed-update.ts';
import type { Partition } from '../../storage/partition.ts';
import { flushRows } from '../core/groups-and-results.ts';
import { interpret } from '../core/interpreter.ts';
import type { LoadedProgram } from '../core/loaded-program.ts';
import { RoutedTable } from '../core/routed-table.ts';
import { Vm } from '../core/vm.ts';
import { BatchCursor } from './batch-cursor.ts';
import { Cursor, RowList } from './cursor.ts';
import { runCursors } from './cursors.ts';
import { MovedRows } from './moved-rows.ts';
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
  /** Where a paused part goes on, in words of its code; -1 where none is paused. */
  private resumeAt = -1;
  private moved: MovedRows | undefined;
  override readonly cursors: Cursor[] = [];
  private readonly batches: BatchCursor[] = [];
  private readonly rowLists: RowList[] = [];

  constructor(memory: Memory, storage: NodeStorage) {
    super(memory);
    this.storage = storage;
  }

  /**
   * Runs a part, to its end or that of its first step: `isPaused`. Throws PartError for a user's mistake, Interrupted when the
   * part was given up; in both cases its results are freed, and its changes are the caller's to undo.
   */
  run(program: LoadedProgram, part: PartContext): void {
    if (this.resumeAt >= 0) this.abandon();
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
    this.goOn(program, 0);
  }

  /** A step of the part has ended, and resume() has another to run. */
  get isPaused(): boolean {
    return this.resumeAt >= 0;
  }

  /** Runs the next step of a paused part; as run. */
  resume(): void {
    const pc = this.resumeAt;
    this.resumeAt = -1;
    this.goOn(this.program, pc);
  }

  /** No step of a paused part follows. What it has changed and sent is the caller's. */
  abandon(): void {
    if (this.resumeAt < 0) return;
    this.resumeAt = -1;
    this.finish();
  }

  private goOn(program: LoadedProgram, pc: number): void {
    try {
      interpret(this, program.node, pc);
      if (this.resumeAt >= 0) return;
      flushRows(this);
      this.results.finish();
    } catch (error) {
      this.moved?.release();
      this.results.discard();
      this.finish();
      if (error instanceof SqlError) throw new PartError(error, this.statement, this.batchRow);
      throw error;
    }
    this.finish();
  }

  override endStep(round: number, pc: number): void {
    this.part.movedBatch = this.moved?.finish(this.memory, round) ?? 0;
    this.resumeAt = pc;
  }

  /** The rows that go in this step. */
  get movedRows(): MovedRows {
    return (this.moved ??= new MovedRows(this.memory));
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

  /** The update of that ordinal in the program, whose table `partition` is of; null where it needs the general way. */
  fixedUpdate(ordinal: number, partition: Partition): FixedUpdate | null {
    const { updates, program } = this.program;
    const known = updates[ordinal];
    if (known !== undefined) return known as FixedUpdate | null;
    const made = FixedUpdate.of(partition, program.updates[ordinal].columns);
    updates[ordinal] = made;
    return made;
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
