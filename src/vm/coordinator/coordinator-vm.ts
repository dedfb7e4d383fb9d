/**
 * The coordinator's VM. A frontend runs the head of a program on it (up to `send`) before the ticket is taken, and the tail
 * when the ticket is final; of a writing program whose tail can fail the last voter runs the tail as well. Between the two
 * other requests use the VM: nothing but the request context, with its parameters and batches, connects head and tail.
 */

import { ByteWriter } from '../../base/byte-writer.ts';
import { type ErrorCode, errorNumber, SqlError } from '../../base/errors.ts';
import type { Memory } from '../../base/memory.ts';
import { freeBatch } from '../../program/batch.ts';
import { BatchBuilder, type RowSource } from '../../program/batch-builder.ts';
import { IdentityValues } from '../../program/identity.ts';
import type { InsertSpec } from '../../program/program.ts';
import type { TypeId } from '../../types/type.ts';
import { byteLengthOf, copyRun } from '../core/bytes.ts';
import { ERROR_PARAMETER, interpret } from '../core/interpreter.ts';
import type { LoadedProgram } from '../core/loaded-program.ts';
import { ResultReader } from '../core/result.ts';
import { RoutedTable } from '../core/routed-table.ts';
import { isSixteenBytes, kindOf } from '../core/value-column.ts';
import { Vm } from '../core/vm.ts';
import { runCoordinator } from './coordination.ts';
import { type CoordinatorEnvironment, NO_PARTS, type PartResults, type RequestContext } from './request.ts';
import type { FunctionRows } from './row-sources.ts';
import { StreamMerge } from './stream-merge.ts';

const NO_REPLY = new Uint8Array(0);
const TAIL_SEED_MASK = 0x5bd1e995;
/** What is not the fault of an expression. */
const ENVIRONMENT: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['out_of_memory', 'timeout', 'internal']);
/** A run that makes rows itself pauses each time it has passed this many. */
const PAUSE_ROWS = 4096;
/** A reply buffer that has grown beyond this is dropped after the reply. */
const REPLY_KEPT_BYTES = 1 << 20;

export class CoordinatorVm extends Vm {
  /** The reply of the run. */
  readonly reply: ByteWriter = new ByteWriter(65_536);
  readonly merge: StreamMerge;
  readonly reader: ResultReader;
  request!: RequestContext;
  parts: PartResults = NO_PARTS;
  /** Sources of rows that the program has opened: functions in FROM. */
  readonly rowSources: FunctionRows[] = [];
  private rowsToPause = PAUSE_ROWS;
  /** Where a paused run goes on, in words of its code; -1 where it is not paused. */
  private resumeAt = -1;
  /** Where the section goes on after an error, -1 where errors are raised; and the parameter that the error becomes. */
  private deferAt = -1;
  private deferParameter = 0;
  private readonly environment: CoordinatorEnvironment;
  private readonly identity = new IdentityValues();
  private readonly builders: BatchBuilder[] = [];
  private readonly isBuilding: boolean[] = [];

  constructor(memory: Memory, environment: CoordinatorEnvironment) {
    super(memory);
    this.environment = environment;
    this.merge = new StreamMerge(memory);
    this.reader = new ResultReader(memory);
    this.services = {
      nextIdentity: (schema, table, target) => this.nextIdentity(schema, table, target),
      sleep: (milliseconds) => this.request.sleep(milliseconds),
    };
  }

  private nextIdentity(schema: string, name: string, target: number): void {
    const table = this.environment.findTable?.(schema, name);
    if (table === undefined) {
      throw new SqlError('unknown_table', `identity_of: table '${schema}.${name}' does not exist`);
    }
    if (table.identityRef === 0) {
      throw new SqlError('invalid_value', `identity_of: table '${schema}.${name}' has no identity column`);
    }
    this.identity.open(this.memory, table.identityRef);
    const value = this.identity.take();
    this.num[target] = value;
    if (Number.isNaN(value)) this.big[target] = this.identity.big;
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
      this.runToEnd(program, 0);
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
    // Random values of the tail are others than those of the head.
    this.seed(request.seedLow ^ TAIL_SEED_MASK, request.seedHigh);
    try {
      this.runToEnd(program, program.tailStart);
      return this.takeReply();
    } finally {
      this.finish();
    }
  }

  /**
   * Starts a local program that makes rows itself; true where it is done, and then takeLocalReply() has its reply. Else it
   * has paused, and resumeLocal() goes on: the VM is its own until then. Throws SqlError, and the run is over.
   */
  startLocal(program: LoadedProgram, request: RequestContext): boolean {
    this.start(program, request, NO_PARTS);
    return this.runLocal(program, 0);
  }

  /** Goes on with a paused local run, as startLocal. */
  resumeLocal(): boolean {
    return this.runLocal(this.program, this.resumeAt);
  }

  /** The reply of a local run that is done; the caller's own. */
  takeLocalReply(): Uint8Array {
    const reply = this.takeReply();
    this.finish();
    return reply;
  }

  private runLocal(program: LoadedProgram, pc: number): boolean {
    try {
      if (pc > 0) this.request.checkTime();
      this.runFrom(program, pc);
      return this.resumeAt < 0;
    } catch (error) {
      this.finish();
      throw error;
    }
  }

  /** Runs without regard to pauses, but that the time of the statement is looked at. */
  private runToEnd(program: LoadedProgram, pc: number): void {
    this.runFrom(program, pc);
    while (this.resumeAt >= 0) {
      this.request.checkTime();
      this.runFrom(program, this.resumeAt);
    }
  }

  /** Runs up to a pause or the end of the section. */
  private runFrom(program: LoadedProgram, pc: number): void {
    this.resumeAt = -1;
    for (;;) {
      try {
        interpret(this, program.coordinator, pc);
        return;
      } catch (error) {
        if (this.deferAt < 0 || !(error instanceof SqlError) || ENVIRONMENT.has(error.code)) throw error;
        this.keepError(error);
        pc = this.deferAt;
        this.deferAt = -1;
      }
    }
  }

  override deferErrors(parameter: number, pc: number): void {
    this.deferParameter = parameter;
    this.deferAt = pc;
  }

  /** The error becomes a parameter: it is raised where the value is used, if it is. */
  private keepError({ code, message }: SqlError): void {
    const bytes = new TextEncoder().encode(message);
    const ref = this.request.allocate(bytes.length + 4);
    this.memory.i32[ref >>> 26][(ref & 0x3ffffff) << 2] = bytes.length;
    this.memory.u8[ref >>> 26].set(bytes, ((ref & 0x3ffffff) << 4) + 4);
    this.storeCell(this.deferParameter, ERROR_PARAMETER, ref | 0);
    this.memory.i32[this.parameterArena][this.parameterWord + this.deferParameter * 4 + 1] = errorNumber(code);
  }

  /** A source has come to a row: false where the run pauses before it. */
  passesRow(): boolean {
    return --this.rowsToPause > 0;
  }

  /** Pauses the run, which goes on at `pc`. */
  pauseAt(pc: number): number {
    this.rowsToPause = PAUSE_ROWS;
    this.resumeAt = pc;
    return -1;
  }

  private start(program: LoadedProgram, request: RequestContext, parts: PartResults): void {
    const { registerCount } = program.program.coordinator;
    this.prepare(program, registerCount, request.parameterArena, request.parameterByte, request.now, request.timeZone);
    this.request = request;
    this.steps = request.steps ?? null;
    this.parts = parts;
    this.rows.begin(request.format, request.timeZone);
    this.seed(request.seedLow, request.seedHigh);
    this.reply.reset(REPLY_KEPT_BYTES);
    this.rowsToPause = PAUSE_ROWS;
    this.deferAt = -1;
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
    const byteCount = isSixteenBytes(kindOf(type as TypeId)) ? 16 : byteLengthOf(this.memory, ref) + 4;
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
