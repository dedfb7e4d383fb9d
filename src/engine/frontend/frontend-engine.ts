/**
 * A frontend's engine: from the text of a request to its reply.
 *
 *   text ─▶ shape ─▶ program (cache, or parse, bind, plan, compile) ─▶ head ─▶ ticket … final ─▶ tail ─▶ reply
 *
 * States of a request: QUEUED (no ticket may be taken now) ─▶ ORDERED (its ticket is in the air) ─▶ over; a STALE one is
 * prepared again from its text. Requests come in and replies go out in any order; a connection's own order is the
 * caller's (server/frontend). Nothing here blocks, and storage is not known here.
 */

import { assert } from '../../base/assert.ts';
import type { Clock, Random } from '../../base/effects.ts';
import { SqlError } from '../../base/errors.ts';
import { SHAPE_COUNT_MAX } from '../../base/limits.ts';
import type { Memory } from '../../base/memory.ts';
import type { Control } from '../../executor/control.ts';
import {
  BLOCK_ORDINAL,
  BLOCK_PARAMETER_REF,
  FATE_FAILED,
  FATE_STALE,
  PART_HEADER_BYTES,
} from '../../executor/layout.ts';
import { BlockView, readError } from '../../executor/request-block.ts';
import { TicketClient } from '../../executor/ticket-client.ts';
import { batchBytes, freeBatch } from '../../program/batch.ts';
import { Parameters } from '../../program/parameters.ts';
import { ShapeScanner } from '../../sql/shape/scanner.ts';
import { formatFlags } from '../../types/result-format.ts';
import { timeZone } from '../../types/time-zone.ts';
import { CoordinatorVm } from '../../vm/coordinator/coordinator-vm.ts';
import { StepProfile } from '../../vm/core/step-profile.ts';
import { clearBatches } from '../moved-batches.ts';
import { Bursts } from './bursts.ts';
import { explainReply, profileReply } from './explain.ts';
import { LiteralRows } from './literal-rows.ts';
import { LocalRuns } from './local-runs.ts';
import { MainRequests, type UtilityPort, utilityStatementOf } from './main-requests.ts';
import { type ImportRequest, PendingRequest, type Reply } from './pending-request.ts';
import { type CachedProgram, ProgramCache, type RunStatistics, type StatementStatistics } from './program-cache.ts';
import { RequestPrograms } from './programs.ts';
import { freeParts, writeHeader, writeParameters } from './request-memory.ts';
import type { RequestParameters } from './request-parameters.ts';
import { type SlowStatement, SlowStatements } from './slow-statements.ts';
import { failsTogether, ticketFlags } from './ticket-flags.ts';

/** Settings that requests go by; main changes them at run time. */
export type FrontendSettings = {
  timezone: string;
  format: string;
  limitSendBytes: number;
  /** 0: none. */
  limitWriteBytes: number;
  limitStatementMs: number;
  /** Statements that take longer are told to `onSlow`; 0 or undefined: none. */
  logSlowMs?: number;
  shapeLimit?: number;
};

export type FrontendOptions = {
  readonly control: Control;
  readonly memory: Memory;
  /** Number of this frontend, from 0. */
  readonly frontend: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: FrontendSettings;
  readonly utility: UtilityPort;
  /** Calls back after so many milliseconds, and then lets the engine poll. */
  readonly timer: (delayMs: number, callback: () => void) => void;
  readonly onSlow?: (slow: SlowStatement) => void;
};

export class FrontendEngine {
  readonly tickets: TicketClient;
  readonly settings: FrontendSettings;
  readonly #options: FrontendOptions;
  readonly #control: Control;
  readonly #memory: Memory;
  readonly #scanner = new ShapeScanner();
  readonly #literals: LiteralRows;
  readonly #parameters: Parameters;
  readonly #view: BlockView;
  readonly #vm: CoordinatorVm;
  readonly #cache: ProgramCache;
  readonly #programs: RequestPrograms;
  readonly #localRuns: LocalRuns;
  readonly #main: MainRequests;
  readonly #slow: SlowStatements;
  readonly #free: PendingRequest[] = [];
  readonly #byBlock: (PendingRequest | undefined)[] = [];
  /** Requests that found their program stale, in their order: they go before the queue. */
  #stale: PendingRequest[] = [];
  #queue: PendingRequest[] = [];
  /** Requests that wait as sleep() told them to. */
  readonly #sleeping = new Set<PendingRequest>();
  #sequence = 0;
  #isUnordered = false;
  readonly #bursts = new Bursts();
  readonly #parts: { count: number; arenas: Int32Array; bytes: Float64Array };
  #timezoneName = '';
  #timezone = timeZone('UTC');
  #formatName = '';
  #formatFlags = 0;
  readonly #onFinal: (block: number, fate: number) => void;

  constructor(options: FrontendOptions) {
    const { control, memory, frontend } = options;
    this.#options = options;
    this.#control = control;
    this.#memory = memory;
    this.settings = options.settings;
    this.tickets = new TicketClient(control, memory, frontend);
    this.#literals = new LiteralRows(this.#scanner);
    this.#parameters = new Parameters(memory);
    this.#view = new BlockView(memory);
    this.#cache = new ProgramCache(memory, options.settings.shapeLimit ?? SHAPE_COUNT_MAX);
    this.#parts = {
      count: 0,
      arenas: new Int32Array(control.nodeCount),
      bytes: new Float64Array(control.nodeCount),
    };
    this.#programs = new RequestPrograms({
      control,
      memory,
      frontend,
      clock: options.clock,
      scanner: this.#scanner,
      cache: this.#cache,
      tickets: this.tickets,
    });
    const createVm = (): CoordinatorVm => new CoordinatorVm(memory, this.#programs);
    this.#vm = createVm();
    this.#localRuns = new LocalRuns(createVm, options.clock, (request, error, body, rowCount) => {
      if (error === undefined) this.#succeedLocal(request, body!, rowCount);
      else this.#fail(request, error);
    });
    this.#main = new MainRequests(
      options.utility,
      (request) => this.#release(request),
      (request, failure) => this.#goOn(request, failure),
    );
    this.#slow = new SlowStatements(this.#cache, () => this.#nowMs(), options.onSlow ?? (() => {}));
    this.#onFinal = (block, fate) => this.#finish(block, fate);
  }

  /** Programs in the cache. */
  get shapeCount(): number {
    return this.#cache.count;
  }

  /** What the runs of the compiled statements took. */
  statistics(): StatementStatistics[] {
    return this.#cache.statistics();
  }

  /** Requests that have no reply yet. */
  get pendingCount(): number {
    const waiting = this.#queue.length + this.#stale.length + this.#main.count;
    return this.tickets.inAir + waiting + this.#localRuns.count + this.#sleeping.size;
  }

  /** True where poll would find something to do. */
  hasWork(): boolean {
    return this.tickets.hasFinal() || this.#localRuns.count > 0 || (this.#hasWaiting() && this.#canPrepare());
  }

  #hasWaiting(): boolean {
    return this.#queue.length > 0 || this.#stale.length > 0;
  }

  /**
   * Whether a request may be prepared now. At a new catalog version, what is in the air of the old one ends first: some
   * of it may be stale, and has to come before what its connection sent later.
   */
  #canPrepare(): boolean {
    if (!this.tickets.canSubmit()) return false;
    return this.tickets.inAir === 0 || this.#programs.isLatestCatalog();
  }

  /**
   * Runs the SQL between `start` and `end` as one transaction. `format` and `timezone` are the request's own, undefined
   * where it brings none. The reply may come before this returns. The bytes are copied. Returns true where its
   * place in the order is not taken yet (it waits, or main runs it): the caller holds back what has to come behind it.
   */
  execute(
    bytes: Uint8Array,
    start: number,
    end: number,
    parameters: RequestParameters | undefined,
    format: string | undefined,
    timezone: string | undefined,
    reply: Reply,
  ): boolean {
    const request = this.#take(reply);
    request.setText(bytes, start, end);
    request.parameters = parameters;
    this.#isUnordered = false;
    this.#begin(request, format, timezone);
    return this.#isUnordered;
  }

  /** Inserts the rows of an import body as one transaction. */
  import(
    target: ImportRequest,
    bytes: Uint8Array,
    start: number,
    end: number,
    timezone: string | undefined,
    reply: Reply,
  ): void {
    const request = this.#take(reply);
    request.setText(bytes, start, end);
    request.importRequest = target;
    this.#begin(request, undefined, timezone);
  }

  /**
   * Hands out replies of requests that have become final, at most `limit`; then sends what waited for a place in the
   * order, and goes on with local runs for a slice of time. Returns 0 where there was nothing to do. The caller calls flush() before it gives up the thread.
   */
  poll(limit: number): number {
    this.#bursts.end();
    const count = this.tickets.poll(this.#onFinal, limit);
    if (this.#hasWaiting() && this.#canPrepare()) this.#drain();
    if (count > 0 && this.#main.hasWaiting()) this.#sendUtilities();
    return this.#localRuns.count === 0 ? count : count + this.#localRuns.runSlice();
  }

  /** Wakes the nodes that have new tickets. */
  flush(): void {
    this.#bursts.flushed();
    this.tickets.flushWakeups();
  }

  #batchBytesOf({ batches }: PendingRequest): number {
    let bytes = 0;
    for (let index = 0; index < batches.length; index++) bytes += batchBytes(this.#memory, batches[index]!);
    return bytes;
  }

  #take(reply: Reply): PendingRequest {
    const request = this.#free.pop() ?? new PendingRequest(this.#memory, this.#options.clock);
    request.reply = reply;
    request.sequence = ++this.#sequence;
    return request;
  }

  #begin(request: PendingRequest, format: string | undefined, timezone: string | undefined): void {
    try {
      request.timeZone = this.#timeZoneOf(timezone ?? this.settings.timezone);
      request.format = this.#formatOf(format ?? this.settings.format);
      request.formatName = this.#formatName;
      request.limitSendBytes = this.settings.limitSendBytes;
      request.limitStatementMs = this.settings.limitStatementMs;
    } catch (error) {
      this.#fail(request, error);
      return;
    }
    if (this.#hasWaiting() || !this.#canPrepare()) {
      this.#queue.push(request);
      this.#isUnordered = true;
    } else this.#prepare(request);
  }

  #timeZoneOf(name: string): ReturnType<typeof timeZone> {
    if (name !== this.#timezoneName) {
      this.#timezone = timeZone(name);
      this.#timezoneName = name;
    }
    return this.#timezone;
  }

  #formatOf(name: string): number {
    if (name !== this.#formatName) {
      this.#formatFlags = formatFlags(name);
      this.#formatName = name;
    }
    return this.#formatFlags;
  }

  #drain(): void {
    while (this.#hasWaiting() && this.#canPrepare())
      this.#prepare(this.#stale.length > 0 ? this.#stale.shift()! : this.#queue.shift()!);
  }

  /** Finds the program, runs the head, takes the ticket. Every way out ends in a ticket or a reply. */
  #prepare(request: PendingRequest): void {
    try {
      if (request.startedMs < 0) request.startedMs = this.#nowMs();
      if (request.hasSlept) request.checkTime();
      const entry =
        request.importRequest === undefined ? this.#programOf(request) : this.#programs.ofImport(request.importRequest);
      if (entry === undefined) return;
      if (entry.program.systemInputs.length > 0 && entry.explain !== 'explain' && request.systemValues === undefined) {
        if (entry.isDropped) this.#cache.drop(entry);
        this.#isUnordered = true;
        this.#main.ask(request, entry.program.systemInputs);
        return;
      }
      request.entry = entry;
      entry.useCount++;
      if (entry.explain === 'explain') {
        this.#succeed(request, explainReply(entry.program, request.format, undefined));
        return;
      }
      this.#submit(request, entry);
    } catch (error) {
      this.#fail(request, error);
    }
  }

  /** Main has said what the request asked: it is prepared again. */
  #goOn(request: PendingRequest, failure: SqlError | undefined): void {
    if (failure !== undefined) this.#fail(request, failure);
    else this.#addStale(request);
    if (this.#hasWaiting() && this.#canPrepare()) this.#drain();
  }

  /** Memory is short: programs that are not used often can be compiled again. */
  #relieve(error: SqlError): void {
    if (error.code === 'out_of_memory') this.#cache.shrink();
  }

  /** The program of a request, from the cache or compiled; undefined where it is empty or main runs it. */
  #programOf(request: PendingRequest): CachedProgram | undefined {
    const programs = this.#programs;
    const known = programs.find(request);
    if (known !== undefined) return known;
    const parsed = programs.parse(request);
    if (parsed.tree.statements.length === 0) {
      this.#succeed(request, undefined);
      return undefined;
    }
    const utility = utilityStatementOf(parsed.tree);
    if (utility === undefined) return programs.compile(request, parsed);
    this.#isUnordered = true;
    const { logSlowMs = 0 } = this.settings;
    if (logSlowMs > 0) request.reply = this.#slow.watch(utility.kind, request.startedMs, logSlowMs, request.reply);
    this.#main.add(request, utility);
    this.#sendUtilities();
    return undefined;
  }

  /** Hands main the statements before which everything is over: a stale request would otherwise come behind them. */
  #sendUtilities(): void {
    this.#main.sendBefore(this.#oldestSequence());
  }

  /** The sequence number of the oldest request that has a ticket or was stale. */
  #oldestSequence(): number {
    let oldest = Number.POSITIVE_INFINITY;
    if (this.tickets.inAir > 0)
      for (const request of this.#byBlock)
        if (request !== undefined && request.sequence < oldest) oldest = request.sequence;
    for (const { sequence } of this.#stale) if (sequence < oldest) oldest = sequence;
    return oldest;
  }

  #submit(request: PendingRequest, entry: CachedProgram): void {
    const { program, loaded } = entry;
    const { blocks } = this.tickets;
    const block = blocks.take();
    request.block = block;
    const view = this.#view.at(block);
    blocks.reserveParameters(block, program.parameterCount);
    const parameterRef = view.get(BLOCK_PARAMETER_REF) >>> 0;
    request.parameterArena = parameterRef >>> 26;
    request.parameterByte = (parameterRef & 0x3ffffff) << 4;
    this.#parameters.at(request.parameterArena, request.parameterByte);
    writeParameters(this.#parameters, request, program, this.#scanner.constants);
    request.now = this.#options.clock.nowMicroseconds();
    request.seedLow = this.#options.random.int32();
    request.seedHigh = this.#options.random.int32();
    request.rowSource = this.#rowSourceOf(request, entry);
    if (entry.explain === 'profile') {
      request.steps = new StepProfile(program.stepCount, this.#options.clock);
      request.submittedMs = this.#nowMs();
    }
    if (program.isLocal && loaded.makesRows) {
      this.#localRuns.start(request, loaded);
      return;
    }
    const local = this.#vm.runHead(loaded, request);
    if (program.isLocal) {
      this.#succeedLocal(request, local ?? EMPTY, this.#vm.sentRowCount);
      return;
    }
    if (request.sleepMs > 0) {
      this.#putToSleep(request);
      return;
    }
    if ((request.maskLow | request.maskHigh) === 0) {
      // An INSERT of no rows, a key list of NULLs: no node is concerned, but the reply keeps its form.
      this.#parts.count = 0;
      const body = program.hasResult ? this.#vm.runTail(loaded, request, this.#parts) : undefined;
      this.#succeed(request, entry.explain === 'profile' ? this.#profile(entry, request, undefined) : body);
      return;
    }
    writeHeader(view.at(block), request, entry, this.settings.limitWriteBytes, this.settings.limitStatementMs);
    if (program.rounds.length > 0) clearBatches(view, this.#control.nodeCount);
    this.#byBlock[view.get(BLOCK_ORDINAL)] = request;
    if (entry.explain === 'profile') request.submittedMs = this.#nowMs();
    const isOrdered = this.tickets.submit(
      block,
      request.maskLow,
      request.maskHigh,
      ticketFlags(entry, request),
      program.catalogVersion,
      program.id,
    );
    assert(isOrdered, 'a request is prepared only where it can be ordered');
    request.isOrdered = true;
    if (this.#bursts.add(this.#batchBytesOf(request))) this.flush();
  }

  /** It waits without a place in the order, and then begins again. */
  #putToSleep(request: PendingRequest): void {
    const { limitStatementMs } = request;
    const delayMs = limitStatementMs > 0 ? Math.min(request.sleepMs, limitStatementMs + 1) : request.sleepMs;
    this.#dropRun(request, this.#view);
    this.#cache.release(request.entry!);
    request.entry = undefined;
    request.sleepMs = 0;
    request.hasSlept = true;
    this.#isUnordered = true;
    this.#sleeping.add(request);
    this.#options.timer(delayMs, () => {
      if (!this.#sleeping.delete(request)) return;
      this.#queue.push(request);
    });
  }

  /** Ends the waits of requests that sleep: the database closes. */
  endSleep(): void {
    for (const request of this.#sleeping) {
      this.#fail(request, new SqlError('shutting_down', 'the server is shutting down'));
    }
    this.#sleeping.clear();
  }

  #succeedLocal(request: PendingRequest, body: Uint8Array, rowCount: number): void {
    if (request.sleepMs > 0) {
      this.#putToSleep(request);
      return;
    }
    const entry = request.entry!;
    entry.statistics.rows += rowCount;
    this.#succeed(request, entry.explain === 'profile' ? this.#profile(entry, request, undefined) : body);
  }

  #rowSourceOf(request: PendingRequest, { program }: CachedProgram): PendingRequest['rowSource'] {
    const { importRequest, text, textLength } = request;
    if (importRequest !== undefined) return importRequest.rows(text, textLength, program.inserts[0]!.columns.length);
    return this.#literals.of(text, request.parameters);
  }

  /** A ticket has become final. */
  #finish(block: number, fate: number): void {
    const view = this.#view.at(block);
    const ordinal = view.get(BLOCK_ORDINAL);
    const request = this.#byBlock[ordinal]!;
    this.#byBlock[ordinal] = undefined;
    const entry = request.entry!;
    if (fate === FATE_STALE) {
      this.#dropRun(request, view);
      this.#cache.release(entry);
      request.entry = undefined;
      this.#addStale(request);
      return;
    }
    const { program } = entry;
    const isCounted = failsTogether(program, request);
    if (fate === FATE_FAILED) {
      const error = readError(view, this.#control.nodeCount);
      // What the log refuses has not run.
      if (isCounted && error.code !== 'log_failure' && error.code !== 'commit_unknown') entry.failures.count(true);
      this.#fail(request, error);
      return;
    }
    if (isCounted) entry.failures.count(false);
    try {
      if (!program.hasResult) {
        this.#succeed(request, entry.explain === 'profile' ? this.#profile(entry, request, view) : undefined);
        return;
      }
      const parts = this.#parts;
      parts.count = 0;
      for (let node = 0; node < this.#control.nodeCount; node++) {
        if (!view.hasRun(node)) continue;
        parts.arenas[parts.count] = block >>> 16;
        parts.bytes[parts.count] = view.part(node) * 4 + PART_HEADER_BYTES;
        parts.count++;
      }
      const body = this.#vm.runTail(entry.loaded, request, parts);
      entry.statistics.rows += this.#vm.sentRowCount;
      this.#succeed(request, entry.explain === 'profile' ? this.#profile(entry, request, view) : body);
    } catch (error) {
      this.#fail(request, error);
    }
  }

  /** The answer of PROFILE; `view` is the request's block, undefined where no node has run it. */
  #profile({ program }: CachedProgram, request: PendingRequest, view: BlockView | undefined): Uint8Array {
    const memory = this.#memory;
    const { startedMs, submittedMs, format } = request;
    const times = { startedMs, submittedMs, repliedMs: this.#nowMs() };
    const sent = this.#batchBytesOf(request);
    const { nodeCount } = this.#control;
    const run = { memory, program, view, nodeCount, batchBytes: sent, steps: request.steps! };
    return profileReply(run, times, format);
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMilliseconds();
  }

  /** In the order in which they came: those of an earlier version may not have been prepared again yet. */
  #addStale(request: PendingRequest): void {
    const stale = this.#stale;
    let at = stale.length;
    while (at > 0 && stale[at - 1]!.sequence > request.sequence) at--;
    stale.splice(at, 0, request);
  }

  #succeed(request: PendingRequest, body: Uint8Array | undefined): void {
    const { reply, entry } = request;
    if (entry !== undefined) {
      const ms = this.#nowMs() - request.startedMs;
      this.#count(entry.statistics, ms);
      if (this.#isSlow(ms)) this.#slow.tell(request, ms, undefined);
    }
    this.#release(request);
    reply(undefined, body);
  }

  #count(statistics: RunStatistics, ms: number): void {
    statistics.calls++;
    statistics.totalMs += ms;
    if (ms > statistics.maxMs) statistics.maxMs = ms;
  }

  #isSlow(ms: number): boolean {
    const limitMs = this.settings.logSlowMs ?? 0;
    return limitMs > 0 && ms > limitMs;
  }

  #fail(request: PendingRequest, error: unknown): void {
    const { reply, startedMs } = request;
    if (error instanceof SqlError && startedMs >= 0) {
      const ms = this.#nowMs() - startedMs;
      if (this.#isSlow(ms)) this.#slow.tell(request, ms, error.code);
    }
    this.#release(request);
    if (!(error instanceof SqlError)) throw error;
    this.#relieve(error);
    reply(error, undefined);
  }

  #dropRun(request: PendingRequest, view: BlockView): void {
    const { batches, block } = request;
    if (batches.length > 0) {
      for (let index = 0; index < batches.length; index++) freeBatch(this.#memory, batches[index]!);
      batches.length = 0;
    }
    request.rowSource = null;
    if (block !== 0) {
      if (request.isOrdered) freeParts(this.#memory, this.#control.nodeCount, view.at(block));
      request.isOrdered = false;
      this.tickets.blocks.release(block);
      request.block = 0;
    }
    request.releaseValues();
  }

  #release(request: PendingRequest): void {
    this.#dropRun(request, this.#view);
    if (request.entry !== undefined) this.#cache.release(request.entry);
    request.entry = undefined;
    request.parameters = undefined;
    request.importRequest = undefined;
    request.systemValues = undefined;
    request.startedMs = -1;
    request.steps = null;
    request.sleepMs = 0;
    request.hasSlept = false;
    request.dropText();
    this.#free.push(request);
  }
}

const EMPTY = new Uint8Array(0);
