/**
 * What the node loop runs: the VM over the node's own partitions, with undo and redo. One object a node, which is moved
 * from part to part; nothing is allocated for a part whose program is known.
 */

import { assert } from '../../base/assert.ts';
import type { Clock } from '../../base/effects.ts';
import { SqlError, statementTimeout } from '../../base/errors.ts';
import { NODE_PROGRAM_COUNT_MAX, PAGE_BYTES } from '../../base/limits.ts';
import type { Memory } from '../../base/memory.ts';
import { type Catalog, SHARED_OWNER_NODE } from '../../catalog/catalog.ts';
import { bitCount, type Control } from '../../executor/control.ts';
import {
  BLOCK_COMMAND_BYTES,
  BLOCK_COMMAND_REF,
  BLOCK_FLAGS,
  BLOCK_FORMAT,
  BLOCK_LIMIT_SEND,
  BLOCK_LIMIT_STATEMENT_MS,
  BLOCK_LIMIT_WRITE,
  BLOCK_MASK_HIGH,
  BLOCK_MASK_LOW,
  BLOCK_NOW_HIGH,
  BLOCK_NOW_LOW,
  BLOCK_PARAMETER_REF,
  BLOCK_PROFILE,
  BLOCK_PROGRAM_BYTES,
  BLOCK_PROGRAM_ID,
  BLOCK_PROGRAM_REF,
  BLOCK_SEED_HIGH,
  BLOCK_SEED_LOW,
  BLOCK_TIMEZONE_REF,
  BLOCK_VERSION,
  FLAG_FENCE,
  FLAG_ROUNDS,
  PART_HEADER_BYTES,
  PART_INLINE_BYTES,
  PART_PROFILE_END,
  PART_PROFILE_PAGE,
  PART_PROFILE_START,
  PART_REDO_BYTES,
  PART_REDO_OPERATIONS,
  PART_REDO_REF,
  PART_STATE,
  PART_STATE_OK,
} from '../../executor/layout.ts';
import {
  MIDDLE_END,
  MIDDLE_LAST,
  MIDDLE_STEP,
  PART_INTERRUPTED,
  PART_REDO,
  PART_UNLOGGED,
  PART_WROTE,
  type PartRunner,
  type RoundRunner,
} from '../../executor/part-runner.ts';
import type { BlockView } from '../../executor/request-block.ts';
import type { Program } from '../../program/program.ts';
import { RedoBuffer } from '../../storage/redo-buffer.ts';
import { UndoLog } from '../../storage/undo.ts';
import { type TimeZone, timeZone, UTC } from '../../types/time-zone.ts';
import { CoordinatorVm } from '../../vm/coordinator/coordinator-vm.ts';
import type { RequestContext } from '../../vm/coordinator/request.ts';
import { type LoadedProgram, loadProgram } from '../../vm/core/loaded-program.ts';
import { freeResults } from '../../vm/core/result.ts';
import { StepProfile } from '../../vm/core/step-profile.ts';
import { NodeVm } from '../../vm/node/node-vm.ts';
import { Interrupted, type PartContext } from '../../vm/node/part.ts';
import type { NodeCommand } from '../main/ddl-executor.ts';
import { clearBatches, firstBatch, freeBatches, hangBatch, linkBatches } from '../moved-batches.ts';
import { readSharedJson } from '../shared-json.ts';
import { OwnPartitions } from './node-storage.ts';

/** An odd number: its multiples differ in 32 bits. */
const SEED_STEP = 0x9e3779b1;

export class NodeRunner implements PartRunner, RoundRunner, PartContext {
  readonly undo: UndoLog;
  readonly redo: RedoBuffer;
  parameterArena = 0;
  parameterByte = 0;
  now = 0;
  seedLow = 0;
  seedHigh = 0;
  timeZone: TimeZone = UTC;
  format = 0;
  resultArena = 0;
  resultByte = 0;
  readonly resultBytes: number = PART_INLINE_BYTES;
  limitSendBytes = 0;
  hasUnloggedChanges = false;
  movedBatch = 0;
  firstMoved = 0;
  /** Set by the composition root: NodeLoop.shouldGiveUp. */
  shouldGiveUp: () => boolean = () => false;

  readonly #memory: Memory;
  readonly #control: Control;
  readonly #node: number;
  /** Makes the seeds of this node others than those of the other nodes and of the coordinator. */
  readonly #seedMask: number;
  readonly #storage: OwnPartitions;
  readonly #vm: NodeVm;
  readonly #programs = new Map<number, LoadedProgram>();
  readonly #isLogged: boolean;
  readonly #clock: Clock;
  #catalog: Catalog | undefined;
  #limitMs = 0;
  #startedMs = 0;
  /** Of the part at hand: the undo before its first step, and what its steps tell PROFILE. */
  #undoBefore = 0;
  #steps: StepProfile | undefined;
  #lastProgramId = -1;
  #lastProgram: LoadedProgram | undefined;
  #tailVm: CoordinatorVm | undefined;

  /** @param isLogged false: nothing is kept, and no redo is made */
  constructor(control: Control, memory: Memory, node: number, isLogged: boolean, clock: Clock) {
    this.#control = control;
    this.#clock = clock;
    this.#node = node;
    this.#memory = memory;
    this.#isLogged = isLogged;
    this.#storage = new OwnPartitions(memory, node);
    this.undo = new UndoLog(memory);
    this.redo = new RedoBuffer(memory);
    this.#vm = new NodeVm(memory, this.#storage);
    this.#seedMask = Math.imul(node + 1, SEED_STEP);
  }

  run(view: BlockView, part: number, _ticket: number): number {
    const version = view.get(BLOCK_VERSION);
    if (this.#storage.version !== version) this.#loadCatalog();
    const program = this.#programOf(view);
    this.#openShared(program.program);
    this.#stand(view, part);
    this.seedLow ^= this.#seedMask;
    this.#undoBefore = this.undo.mark();
    this.redo.begin();
    this.hasUnloggedChanges = false;
    const flags = view.get(BLOCK_FLAGS);
    if ((flags & FLAG_FENCE) !== 0) return this.#runAlone(view, part, program);
    const result = this.#runStep(view, part, program);
    assert(!this.#vm.isPaused || (flags & FLAG_ROUNDS) !== 0, 'only a ticket with rounds has several steps');
    return result;
  }

  awaitedCount(view: BlockView, _step: number): number {
    return bitCount(view.get(BLOCK_MASK_LOW)) + bitCount(view.get(BLOCK_MASK_HIGH));
  }

  /**
   * Rows may move from any participant to any other, and shared tables are changed when no node reads them: so all are awaited
   * between two steps, and where shared tables are changed at the end.
   */
  isAwaited(_view: BlockView, _step: number): boolean {
    return true;
  }

  runStep(view: BlockView, part: number, _ticket: number, step: number): number {
    if (step === 1) {
      const { sharedUse, tables } = this.#programOf(view).program;
      if (sharedUse === 'mixed') this.#storage.settleShared(tables);
    }
    this.firstMoved = firstBatch(view, this.#control.nodeCount);
    return this.#runStep(view, part, undefined);
  }

  runMiddle(view: BlockView, step: number): number {
    const { rounds, sharedUse } = this.#programOf(view).program;
    if (step < rounds.length) linkBatches(this.#memory, view, this.#control.nodeCount, step);
    if (sharedUse === 'mixed') return step === rounds.length ? MIDDLE_END : MIDDLE_STEP;
    return step === rounds.length - 1 ? MIDDLE_LAST : MIDDLE_STEP;
  }

  discardMiddle(view: BlockView): void {
    freeBatches(this.#memory, view, view.part(this.#control.nodeCount));
  }

  /** All steps of a program: in a plain fence the worker has all that the program changes, and nobody else comes to a round. */
  #runAlone(view: BlockView, part: number, program: LoadedProgram): number {
    const { nodeCount } = this.#control;
    let result = this.#runStep(view, part, program);
    if (!this.#vm.isPaused) return result;
    let isDone = false;
    clearBatches(view, nodeCount);
    try {
      for (let step = 0; this.#vm.isPaused; step++) {
        linkBatches(this.#memory, view, nodeCount, step);
        this.firstMoved = firstBatch(view, nodeCount);
        result = this.#runStep(view, part, undefined);
      }
      isDone = (result & PART_INTERRUPTED) === 0;
      return result;
    } finally {
      this.discardMiddle(view);
      if (!isDone) this.#freePart(view, part);
    }
  }

  /** Runs the first step of a program, or the next one. Gives PART_*, of all steps so far. */
  #runStep(view: BlockView, part: number, program: LoadedProgram | undefined): number {
    this.movedBatch = 0;
    try {
      if (view.get(BLOCK_PROFILE) !== 0) this.#runProfiled(view, part, program);
      else if (program !== undefined) this.#vm.run(program, this);
      else this.#vm.resume();
    } catch (error) {
      if (error instanceof Interrupted) return PART_INTERRUPTED;
      throw error;
    }
    if (this.movedBatch !== 0) hangBatch(view, part, this.movedBatch);
    if (this.undo.mark() === this.#undoBefore) return 0;
    const { redo } = this;
    const byteLength = this.#isLogged ? redo.byteLength() : 0;
    const limitBytes = view.get(BLOCK_LIMIT_WRITE);
    if (limitBytes > 0 && byteLength > limitBytes) {
      this.#vm.abandon();
      this.#freePart(view, part);
      throw new SqlError('limit_exceeded', `the transaction writes more than ${limitBytes} bytes (limit_write)`);
    }
    const wrote = this.hasUnloggedChanges ? PART_WROTE | PART_UNLOGGED : PART_WROTE;
    if (byteLength === 0) return wrote;
    const { words } = view;
    words[part + PART_REDO_REF] = redo.ref() | 0;
    words[part + PART_REDO_BYTES] = byteLength;
    words[part + PART_REDO_OPERATIONS] = redo.changeCount;
    return wrote | PART_REDO;
  }

  /** Plain fences and FLAG_STANDS are for changes of shared tables only, which have one owner. */
  fenceWorker(_view: BlockView): number {
    return SHARED_OWNER_NODE;
  }

  #openShared({ sharedUse, tables }: Program): void {
    if (sharedUse === 'reads') this.#storage.readShared(tables);
    else if (sharedUse === 'writes') this.#storage.settleShared(tables);
  }

  /**
   * As #runStep, for PROFILE: what the steps of the plan took lies in pages of their own, which the frontend frees. A part
   * that fails in its first step frees them here, later discardResult does.
   */
  #runProfiled(view: BlockView, part: number, program: LoadedProgram | undefined): void {
    if (program !== undefined) {
      const { stepCount } = program.program;
      this.#steps = new StepProfile(stepCount, this.#clock);
      view.words[part + PART_PROFILE_PAGE] = this.#memory.allocate(Math.ceil((stepCount * 16) / PAGE_BYTES));
      view.setTime(part + PART_PROFILE_START, this.#clock.monotonicMilliseconds());
    }
    const vm = this.#vm;
    vm.steps = this.#steps!;
    try {
      if (program !== undefined) vm.run(program, this);
      else vm.resume();
    } catch (error) {
      if (program !== undefined) this.#freeProfile(view, part);
      throw error;
    } finally {
      vm.steps = null;
    }
    view.setTime(part + PART_PROFILE_END, this.#clock.monotonicMilliseconds());
    this.#tellSteps(view.words[part + PART_PROFILE_PAGE]!, this.#steps!);
  }

  #tellSteps(page: number, { rows, milliseconds }: StepProfile): void {
    const told = this.#memory.f64[page >>> 16]!;
    const first = ((page & 0xffff) * PAGE_BYTES) / 8;
    for (let step = 0; step < rows.length; step++) {
      told[first + step * 2] = rows[step]!;
      told[first + step * 2 + 1] = milliseconds[step]!;
    }
  }

  /** Runs the tail to see whether it fails; the frontend runs it again for the reply. */
  runTail(view: BlockView): void {
    const program = this.#programOf(view);
    const tables = this.#storage;
    this.#tailVm ??= new CoordinatorVm(this.#memory, { table: (tableId) => tables.table(tableId) });
    const arenas: number[] = [];
    const bytes: number[] = [];
    for (let node = 0; node < this.#control.nodeCount; node++) {
      if (!view.hasRun(node)) continue;
      arenas.push(view.page >>> 16);
      bytes.push(view.part(node) * 4 + PART_HEADER_BYTES);
    }
    this.#stand(view, view.part(0));
    this.#tailVm.runTail(program, this.#tailRequest(), { count: arenas.length, arenas, bytes });
    if (view.get(BLOCK_PROFILE) !== 0)
      view.setTime(view.part(this.#node) + PART_PROFILE_END, this.#clock.monotonicMilliseconds());
  }

  #tailRequest(): RequestContext {
    const { parameterArena, parameterByte, now, seedLow, seedHigh, format, limitSendBytes } = this;
    return {
      parameterArena,
      parameterByte,
      now,
      seedLow,
      seedHigh,
      timeZone: this.timeZone,
      format,
      limitSendBytes,
      rowSource: null,
      maskLow: 0,
      maskHigh: 0,
      batches: [],
      allocate: () => {
        throw new Error('a tail keeps nothing');
      },
      sleep: () => {
        throw new Error('a tail does not wait');
      },
      checkTime: () => this.#checkTime(),
    };
  }

  discardResult(view: BlockView, part: number): void {
    // A part that failed has freed its results itself, and its error stands in their place.
    if (view.words[part + PART_STATE] !== PART_STATE_OK) return;
    this.#freePart(view, part);
  }

  /** Frees what hangs at the record of a part; what has gone already is not there any more. */
  #freePart(view: BlockView, part: number): void {
    freeResults(this.#memory, view.page >>> 16, part * 4 + PART_HEADER_BYTES);
    freeBatches(this.#memory, view, part);
    if (view.get(BLOCK_PROFILE) !== 0) this.#freeProfile(view, part);
  }

  #freeProfile(view: BlockView, part: number): void {
    const page = view.words[part + PART_PROFILE_PAGE]!;
    if (page !== 0) this.#memory.free(page, this.#memory.pageCountOf(page));
    view.words[part + PART_PROFILE_PAGE] = 0;
  }

  undoMark(): number {
    return this.undo.mark();
  }

  redoMark(): number {
    return this.redo.mark();
  }

  rollbackTo(undoMark: number, redoMark: number): void {
    this.undo.rollbackTo(undoMark);
    this.redo.rollbackTo(redoMark);
  }

  release(undoMark: number, redoMark: number): void {
    this.undo.release(undoMark);
    this.redo.release(redoMark);
    this.#storage.thaw();
  }

  housekeep(): boolean {
    // A ticket has ended before its last step, or was undone in between.
    this.#vm.abandon();
    return this.#storage.thawAll();
  }

  applyFence(view: BlockView, _part: number): void {
    const ref = view.get(BLOCK_COMMAND_REF);
    const command = readSharedJson(this.#memory, ref, view.get(BLOCK_COMMAND_BYTES)) as NodeCommand;
    if (this.#storage.version === 0 && command.kind !== 'forget') this.#loadCatalog();
    switch (command.kind) {
      case 'createIndex':
        this.#loadCatalog();
        for (const partition of this.#storage.ownOrNone(command.tableId)) partition.createIndex(command.index);
        break;
      case 'dropIndex':
        for (const partition of this.#storage.ownOrNone(command.tableId)) partition.dropIndex(command.index);
        this.#loadCatalog();
        break;
      case 'forget':
        this.#loadCatalog();
        break;
      case 'freeze':
        this.#storage.takeRuns(command.runs[this.#node] ?? []);
        this.#loadCatalog();
        this.#storage.freeze(command.lsn);
        break;
    }
  }

  /** Asked every few thousand rows: true where a rollback waits. Throws timeout where the part has taken too long. */
  poll(): boolean {
    this.#checkTime();
    return this.shouldGiveUp();
  }

  #checkTime(): void {
    if (this.#limitMs > 0 && performance.now() - this.#startedMs > this.#limitMs) throw statementTimeout(this.#limitMs);
  }

  /** Asked by the VM's writes. */
  get isLogged(): boolean {
    return this.#isLogged;
  }

  #loadCatalog(): void {
    const { version, bytes } = this.#control.readCatalog(this.#memory);
    if (version === this.#storage.version) return;
    this.#catalog = JSON.parse(new TextDecoder().decode(bytes)) as Catalog;
    this.#storage.load(this.#catalog);
    this.#programs.clear();
    this.#lastProgramId = -1;
  }

  #programOf(view: BlockView): LoadedProgram {
    const id = view.get(BLOCK_PROGRAM_ID);
    if (id === this.#lastProgramId) return this.#lastProgram!;
    let program = this.#programs.get(id);
    if (program === undefined) {
      program = this.#loadProgram(view, id);
      if (this.#programs.size >= NODE_PROGRAM_COUNT_MAX) this.#evict();
      this.#programs.set(id, program);
    }
    this.#lastProgramId = id;
    this.#lastProgram = program;
    return program;
  }

  #loadProgram(view: BlockView, id: number): LoadedProgram {
    const ref = view.get(BLOCK_PROGRAM_REF);
    const program = readSharedJson(this.#memory, ref, view.get(BLOCK_PROGRAM_BYTES)) as Program;
    assert(program.id === id, 'the shared program is the one that the ticket names');
    return loadProgram(program);
  }

  /** The oldest half goes; a program that is needed again is read again. */
  #evict(): void {
    let left = NODE_PROGRAM_COUNT_MAX / 2;
    for (const id of this.#programs.keys()) {
      if (left-- === 0) break;
      this.#programs.delete(id);
    }
  }

  /** Moves the part context to a request. */
  #stand(view: BlockView, part: number): void {
    const parameters = view.get(BLOCK_PARAMETER_REF) >>> 0;
    this.parameterArena = parameters >>> 26;
    this.parameterByte = (parameters & 0x3ffffff) << 4;
    this.now = view.get(BLOCK_NOW_HIGH) * 4294967296 + (view.get(BLOCK_NOW_LOW) >>> 0);
    this.seedLow = view.get(BLOCK_SEED_LOW);
    this.seedHigh = view.get(BLOCK_SEED_HIGH);
    this.format = view.get(BLOCK_FORMAT);
    this.limitSendBytes = view.get(BLOCK_LIMIT_SEND);
    this.#limitMs = view.get(BLOCK_LIMIT_STATEMENT_MS);
    if (this.#limitMs > 0) this.#startedMs = performance.now();
    this.resultArena = view.page >>> 16;
    this.resultByte = part * 4 + PART_HEADER_BYTES;
    const zone = view.get(BLOCK_TIMEZONE_REF) >>> 0;
    this.timeZone = zone === 0 ? UTC : this.#zoneAt(zone);
  }

  #zoneAt(ref: number): TimeZone {
    const at = (ref & 0x3ffffff) << 4;
    const length = this.#memory.i32[ref >>> 26]![at >> 2]!;
    return timeZone(new TextDecoder().decode(this.#memory.u8[ref >>> 26]!.slice(at + 4, at + 4 + length)));
  }
}
