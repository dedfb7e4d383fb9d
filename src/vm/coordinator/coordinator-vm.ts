/**
 * The coordinator's VM. A frontend runs the head of a program on it (up to `send`) before the ticket is taken, and the tail
 * when the ticket is final; of a writing program whose tail can fail the last voter runs the tail as well. Between the two
 * other requests use the VM: nothing but the request context, with its parameters and batches, connects head and tail.
 */

import { ByteWriter } from '../../base/byte-writer.ts';
import type { Memory } from '../../base/memory.ts';
import { freeBatch } from '../../program/batch.ts';
import { BatchBuilder, type RowSource } from '../../program/batch-builder.ts';
import type { InsertSpec } from '../../program/program.ts';
import type { TypeId } from '../../types/type.ts';
import { byteLengthOf, copyRun } from '../core/bytes.ts';
import { interpret } from '../core/interpreter.ts';
import type { LoadedProgram } from '../core/loaded-program.ts';
import { ResultReader } from '../core/result.ts';
import { RoutedTable } from '../core/routed-table.ts';
import { kindOf, WIDE_KIND } from '../core/value-column.ts';
import { Vm } from '../core/vm.ts';
import { runCoordinator } from './coordination.ts';
import { type CoordinatorEnvironment, NO_PARTS, type PartResults, type RequestContext } from './request.ts';
import { StreamMerge } from './stream-merge.ts';

const NO_REPLY = new Uint8Array(0);
/** A reply buffer that has grown beyond this is dropped after the reply. */
const REPLY_KEPT_BYTES = 1 << 20;

export class CoordinatorVm extends Vm {
  /** The reply of the run. */
  readonly reply: ByteWriter = new ByteWriter(65_536);
  readonly merge: StreamMerge;
  readonly reader: ResultReader;
  request!: RequestContext;
  parts: PartResults = NO_PARTS;
  private readonly environment: CoordinatorEnvironment;
  private readonly builders: BatchBuilder[] = [];
  private readonly isBuilding: boolean[] = [];

  constructor(memory: Memory, environment: CoordinatorEnvironment) {
    super(memory);
    this.environment = environment;
    this.merge = new StreamMerge(memory);
    this.reader = new ResultReader(memory);
  }

  /**
   * Runs the head: sets parameters, makes batches, finds the nodes (request.maskLow, maskHigh). Of a local program it runs
   * everything and returns the reply; else the result is undefined. Throws SqlError; the request has no batches then.
   */
  runHead(program: LoadedProgram, request: RequestContext): Uint8Array | undefined {
    this.start(program, request, NO_PARTS);
    request.maskLow = 0;
    request.maskHigh = 0;
    try {
      interpret(this, program.coordinator, 0);
      return program.program.isLocal ? this.takeReply() : undefined;
    } catch (error) {
      this.dropBatches();
      throw error;
    } finally {
      this.finish();
    }
  }

  /** Runs the tail over the results of the parts; returns the bytes of the reply, the caller's own. Throws SqlError. */
  runTail(program: LoadedProgram, request: RequestContext, parts: PartResults): Uint8Array {
    if (program.tailStart === program.coordinator.length) return NO_REPLY;
    this.start(program, request, parts);
    try {
      interpret(this, program.coordinator, program.tailStart);
      return this.takeReply();
    } finally {
      this.finish();
    }
  }

  private start(program: LoadedProgram, request: RequestContext, parts: PartResults): void {
    const { registerCount } = program.program.coordinator;
    this.prepare(program, registerCount, request.parameterArena, request.parameterByte, request.now, request.timeZone);
    this.request = request;
    this.parts = parts;
    this.rows.begin(request.format, request.timeZone);
    this.seed(request.seedLow, request.seedHigh);
    this.reply.reset(REPLY_KEPT_BYTES);
  }

  private takeReply(): Uint8Array {
    return this.reply.length === 0 ? NO_REPLY : this.reply.toBytes();
  }

  private dropBatches(): void {
    for (let batch = 0; batch < this.builders.length; batch++) {
      if (this.isBuilding[batch]) this.builders[batch].release();
      this.isBuilding[batch] = false;
    }
    for (const ref of this.request.batches) freeBatch(this.memory, ref);
    this.request.batches.length = 0;
  }

  override runCoordination(op: number, a: number, b: number, c: number, pc: number): number {
    return runCoordinator(this, op, a, b, c, pc);
  }

  override keepForRequest(ref: number, type: number): number {
    const byteCount = kindOf(type as TypeId) === WIDE_KIND ? 16 : byteLengthOf(this.memory, ref) + 4;
    const copy = this.request.allocate(byteCount);
    copyRun(this.memory, ref, copy, byteCount);
    return copy;
  }

  /** Sets a parameter that the head makes itself: a partition ordinal or the ref of a batch. */
  storeCell(parameter: number, type: number, value: number): void {
    const words = this.memory.i32[this.parameterArena];
    const word = this.parameterWord + parameter * 4;
    words[word] = value;
    words[word + 1] = 0;
    words[word + 2] = type;
    words[word + 3] = 0;
  }

  /** A table of the program, with its routing. */
  routed(table: number): RoutedTable {
    const { cache } = this.program;
    return ((cache[table] as RoutedTable | undefined) ??= this.route(table));
  }

  private route(table: number): RoutedTable {
    const routed = new RoutedTable(this.environment.table(this.program.program.tables[table].tableId));
    this.program.cache[table] = routed;
    return routed;
  }

  addNodes(maskLow: number, maskHigh: number): void {
    this.request.maskLow |= maskLow;
    this.request.maskHigh |= maskHigh;
  }

  /** Starts batch `batch`, empty. */
  beginBatch(batch: number, spec: InsertSpec): BatchBuilder {
    const builder = (this.builders[batch] ??= new BatchBuilder(this.memory));
    builder.begin(this.routed(spec.table).table, spec.columns);
    builder.timeZone = this.timeZone;
    builder.random.seed(this.request.seedLow + batch + 1, this.request.seedHigh);
    this.isBuilding[batch] = true;
    return builder;
  }

  builder(batch: number): BatchBuilder {
    return this.builders[batch];
  }

  isOpenBatch(batch: number): boolean {
    return this.isBuilding[batch] === true;
  }

  rowSource(): RowSource | null {
    return this.request.rowSource;
  }

  /** Routes a batch and hands it over to the request; its ref. */
  endBatch(batch: number): number {
    const builder = this.builders[batch];
    builder.route();
    this.addNodes(builder.maskLow, builder.maskHigh);
    const ref = builder.finish();
    this.isBuilding[batch] = false;
    this.request.batches.push(ref);
    return ref;
  }
}
