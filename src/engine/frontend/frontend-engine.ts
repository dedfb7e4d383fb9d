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
import { type Catalog, findTable, type TableDefinition } from '../../catalog/catalog.ts';
import type { Control } from '../../executor/control.ts';
import {
  BLOCK_FORMAT,
  BLOCK_LIMIT_SEND,
  BLOCK_LIMIT_STATEMENT_MS,
  BLOCK_LIMIT_WRITE,
  BLOCK_NOW_HIGH,
  BLOCK_NOW_LOW,
  BLOCK_ORDINAL,
  BLOCK_PARAMETER_REF,
  BLOCK_PROFILE,
  BLOCK_PROGRAM_BYTES,
  BLOCK_PROGRAM_REF,
  BLOCK_SEED_HIGH,
  BLOCK_SEED_LOW,
  BLOCK_TIMEZONE_REF,
  FATE_FAILED,
  FATE_STALE,
  FLAG_TAIL,
  FLAG_WRITES,
  PART_HEADER_BYTES,
  PART_PROFILE_PAGE,
  PART_STATE,
  PART_STATE_OK,
} from '../../executor/layout.ts';
import { BlockView, readError } from '../../executor/request-block.ts';
import { TicketClient } from '../../executor/ticket-client.ts';
import { freeBatch } from '../../program/batch.ts';
import { compileRequest } from '../../program/compiler/compile.ts';
import { Parameters } from '../../program/parameters.ts';
import type { Program } from '../../program/program.ts';
import type { Insert, Request, UtilityStatement } from '../../sql/ast/ast.ts';
import { decodeTextInto } from '../../sql/lexer/text.ts';
import { parseRequest } from '../../sql/parser/request.ts';
import { ShapeScanner } from '../../sql/shape/scanner.ts';
import { formatFlags } from '../../types/result-format.ts';
import { timeZone } from '../../types/time-zone.ts';
import { JSON_TYPE, TEXT } from '../../types/type.ts';
import { CoordinatorVm } from '../../vm/coordinator/coordinator-vm.ts';
import { loadProgram } from '../../vm/core/loaded-program.ts';
import { freeResults } from '../../vm/core/result.ts';
import { explainReply, localProfile, readProfile } from './explain.ts';
import { LiteralRows } from './literal-rows.ts';
import { LocalRuns } from './local-runs.ts';
import { type ImportRequest, PendingRequest, type Reply, wallClockMs } from './pending-request.ts';
import { type CachedProgram, ProgramCache, type RunStatistics, type StatementStatistics } from './program-cache.ts';
import { KIND_BOOL, KIND_DOUBLE, KIND_INT, KIND_TEXT, type RequestParameters } from './request-parameters.ts';
import { systemStatement, systemValue } from './system-values.ts';

/** Settings that requests go by; main changes them at run time. */
export type FrontendSettings = {
  timezone: string;
  format: string;
  limitSendBytes: number;
  /** 0: none. */
  limitWriteBytes: number;
  limitStatementMs: number;
  shapeLimit?: number;
};

/** Runs the statements that concern the database as a whole, in main. */
export interface UtilityPort {
  run(statement: UtilityStatement, settings: { format: string; timezone: string }, reply: Reply): void;
}

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
  readonly #localRuns: LocalRuns;
  readonly #imports = new Map<string, CachedProgram>();
  readonly #free: PendingRequest[] = [];
  readonly #byBlock: (PendingRequest | undefined)[] = [];
  /** Requests that found their program stale, in their order: they go before the queue. */
  #stale: PendingRequest[] = [];
  #queue: PendingRequest[] = [];
  /** Statements for main that wait for what came before them, in their order. */
  #utilities: WaitingUtility[] = [];
  /** Requests that wait as sleep() told them to. */
  readonly #sleeping = new Set<PendingRequest>();
  /** Requests that wait for what main says. */
  #askingCount = 0;
  #sequence = 0;
  #isUnordered = false;
  readonly #parts: { count: number; arenas: Int32Array; bytes: Float64Array };
  #catalog: Catalog;
  #tables: Map<number, TableDefinition> = new Map();
  #programSequence = 0;
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
    this.#catalog = this.#readCatalog();
    const environment = {
      table: (tableId: number) => this.#tables.get(tableId)!,
      findTable: (schema: string, name: string) => findTable(this.#catalog, schema, name),
    };
    const createVm = (): CoordinatorVm => new CoordinatorVm(memory, environment);
    this.#vm = createVm();
    this.#localRuns = new LocalRuns(createVm, options.clock, (request, error, body, rowCount) => {
      if (error === undefined) this.#succeedLocal(request, body!, rowCount);
      else this.#fail(request, error);
    });
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
    const waiting = this.#queue.length + this.#stale.length + this.#utilities.length;
    return this.tickets.inAir + waiting + this.#askingCount + this.#localRuns.count + this.#sleeping.size;
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
    return this.tickets.inAir === 0 || this.#catalog.version === this.#control.catalogVersion();
  }

  /**
   * The catalog of the latest version that was published; where one is published at this moment, and requests of the
   * one before are in the air, that one: what is prepared now becomes stale with them, and stays behind them.
   */
  #currentCatalog(): Catalog {
    if (this.tickets.inAir === 0 && this.#catalog.version !== this.#control.catalogVersion())
      this.#catalog = this.#readCatalog();
    return this.#catalog;
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
    const count = this.tickets.poll(this.#onFinal, limit);
    if (this.#hasWaiting() && this.#canPrepare()) this.#drain();
    if (count > 0 && this.#utilities.length > 0) this.#sendUtilities();
    return this.#localRuns.count === 0 ? count : count + this.#localRuns.runSlice();
  }

  /** Wakes the nodes that have new tickets. */
  flush(): void {
    this.tickets.flushWakeups();
  }

  #take(reply: Reply): PendingRequest {
    const request = this.#free.pop() ?? new PendingRequest(this.#memory);
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
      if (request.startedMs === 0) request.startedMs = wallClockMs();
      if (request.hasSlept) request.checkTime();
      const entry = request.importRequest === undefined ? this.#programOf(request) : this.#importProgram(request);
      if (entry === undefined) return;
      if (entry.program.systemInputs.length > 0 && entry.explain !== 'explain' && request.systemValues === undefined) {
        if (entry.isDropped) this.#cache.drop(entry);
        this.#askMain(request, entry.program.systemInputs);
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

  /** Asks main for what the program wants to know of the database; then the request is prepared again. */
  #askMain(request: PendingRequest, inputs: Program['systemInputs']): void {
    this.#isUnordered = true;
    this.#askingCount++;
    const values = new Map<string, Uint8Array>();
    let leftCount = inputs.length;
    let failure: SqlError | undefined;
    const settings = { format: 'json', timezone: request.timeZone.name };
    for (const { what } of inputs)
      this.#options.utility.run(systemStatement(what), settings, (error, body) => {
        failure ??= error;
        if (body !== undefined) values.set(what, systemValue(what, body));
        if (--leftCount > 0) return;
        this.#askingCount--;
        request.systemValues = values;
        if (failure !== undefined) this.#fail(request, failure);
        else this.#addStale(request);
        if (this.#hasWaiting() && this.#canPrepare()) this.#drain();
      });
  }

  /** Memory is short: programs that are not used often can be compiled again. */
  #relieve(error: SqlError): void {
    if (error.code === 'out_of_memory') this.#cache.shrink();
  }

  /** The program of a request, from the cache or compiled; undefined where main runs the request. */
  #programOf(request: PendingRequest): CachedProgram | undefined {
    const catalog = this.#currentCatalog();
    const scanner = this.#scanner;
    const { text, textLength, parameters } = request;
    const kinds = parameters?.kinds;
    const guessed = this.#cache.guess(scanner, text, textLength, kinds, catalog.version);
    if (guessed !== undefined && this.#areEqual(guessed, text)) return guessed;
    const hasShape = scanner.scan(text, 0, textLength);
    if (hasShape) {
      const found = this.#cache.find(scanner, text, textLength, kinds, catalog.version);
      if (found !== undefined && this.#areEqual(found, text)) return found;
    }
    const startedMs = this.#options.clock.monotonicMilliseconds();
    const tree = parseRequest(text.subarray(0, textLength), hasShape ? scanner : undefined);
    const first = tree.statements[0];
    if (first === undefined) {
      this.#succeed(request, undefined);
      return undefined;
    }
    if (!isRowStatement(first.kind)) {
      this.#runUtility(request, tree, first as UtilityStatement);
      return undefined;
    }
    this.#checkParameterCount(tree, parameters, scanner.listCount > 0 && hasShape);
    const constantCount = hasShape ? scanner.constantCount : 0;
    const parameterKinds = new Uint8Array(constantCount + (kinds?.length ?? 0));
    if (hasShape) parameterKinds.set(scanner.constants.kind.subarray(0, constantCount));
    if (kinds !== undefined) parameterKinds.set(kinds, constantCount);
    const compiled = this.#compile(tree, catalog, parameterKinds, constantCount, startedMs);
    if (hasShape) {
      const known = this.#cache.find(scanner, text, textLength, kinds, catalog.version);
      if (known === undefined) this.#cache.add(scanner, kinds, compiled);
      else compiled.isDropped = true;
    } else compiled.isDropped = true;
    return compiled;
  }

  #checkParameterCount(tree: Request, parameters: RequestParameters | undefined, hasLists: boolean): void {
    const given = parameters?.count ?? 0;
    if (tree.parameterCount > given) throw new SqlError('invalid_parameter', `parameter $${given + 1} has no value`);
    if (given > tree.parameterCount && !hasLists)
      throw new SqlError(
        'invalid_parameter',
        `the request has ${tree.parameterCount} parameters, but ${given} values were given`,
      );
  }

  #compile(
    tree: Request,
    catalog: Catalog,
    parameterKinds: Uint8Array,
    constantCount: number,
    startedMs: number,
  ): CachedProgram {
    this.#programSequence = (this.#programSequence + 1) & 0xffffff;
    const programId = this.#options.frontend * 0x1000000 + this.#programSequence;
    const program = compileRequest(tree, catalog, { programId, parameterKinds, constantCount });
    const loaded = loadProgram(program);
    const isShared = !program.isLocal && tree.explain !== 'explain';
    const place = isShared ? this.#cache.place(program) : { page: 0, pageCount: 0, byteLength: 0 };
    return {
      loaded,
      program,
      explain: tree.explain,
      ...place,
      statistics: { calls: 0, rows: 0, totalMs: 0, maxMs: 0 },
      useCount: 0,
      isDropped: false,
      compileMs: this.#options.clock.monotonicMilliseconds() - startedMs,
    };
  }

  /** Whether the constants that the program takes as equal are so in this request. */
  #areEqual({ program }: CachedProgram, text: Uint8Array): boolean {
    const { kind, number, big, start, end } = this.#scanner.constants;
    for (const [a, b] of program.slotEqualities) {
      if (kind[a] !== kind[b]) return false;
      if (kind[a] === KIND_TEXT) {
        if (Buffer.compare(text.subarray(start[a], end[a]), text.subarray(start[b], end[b])) !== 0) return false;
        continue;
      }
      if (!Object.is(number[a], number[b]) || (Number.isNaN(number[a]!) && big[a] !== big[b])) return false;
    }
    return true;
  }

  #runUtility(request: PendingRequest, tree: Request, statement: UtilityStatement): void {
    if (tree.statements.length > 1)
      throw new SqlError('misplaced_statement', 'this statement must stand alone in its request', statement.position);
    if (tree.explain !== 'none')
      throw new SqlError(
        'misplaced_statement',
        'EXPLAIN and PROFILE take SELECT, INSERT, UPDATE and DELETE',
        statement.position,
      );
    this.#isUnordered = true;
    this.#utilities.push({ request, statement });
    this.#sendUtilities();
  }

  /** Hands main the statements before which everything is over: a stale request would otherwise come behind them. */
  #sendUtilities(): void {
    const oldest = this.#oldestSequence();
    while (this.#utilities.length > 0 && this.#utilities[0]!.request.sequence < oldest) {
      const { request, statement } = this.#utilities.shift()!;
      const { reply, formatName, timeZone: zone } = request;
      this.#release(request);
      this.#options.utility.run(statement, { format: formatName, timezone: zone.name }, reply);
    }
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

  #importProgram(request: PendingRequest): CachedProgram {
    const catalog = this.#currentCatalog();
    const { schema, table, columns } = request.importRequest!;
    const definition = findTable(catalog, schema, table);
    if (definition === undefined) throw new SqlError('not_found', `table '${schema}.${table}' does not exist`);
    const key = JSON.stringify([schema, table, columns]);
    const known = this.#imports.get(key);
    if (known !== undefined) {
      if (known.program.catalogVersion === catalog.version) return known;
      this.#imports.delete(key);
      this.#cache.drop(known);
    }
    const insert: Insert = {
      kind: 'insert',
      with: undefined,
      target: { schema, name: table, position: 0 },
      columns: columns?.map((name) => ({ name, position: 0 })),
      source: {
        kind: 'values',
        literalRows: true,
        list: 0,
        width: columns?.length ?? definition.columns.length,
        position: 0,
      },
      conflict: undefined,
      returning: undefined,
      position: 0,
    };
    const tree: Request = { statements: [insert], explain: 'none', parameterCount: 0 };
    const compiled = this.#compileImport(tree, catalog);
    if (this.#imports.size >= IMPORT_PROGRAM_COUNT_MAX) {
      for (const old of this.#imports.values()) this.#cache.drop(old);
      this.#imports.clear();
    }
    this.#imports.set(key, compiled);
    return compiled;
  }

  /** Errors have no position: there is no SQL text. */
  #compileImport(tree: Request, catalog: Catalog): CachedProgram {
    try {
      return this.#compile(tree, catalog, new Uint8Array(0), 0, this.#options.clock.monotonicMilliseconds());
    } catch (error) {
      throw error instanceof SqlError ? new SqlError(error.code, error.message) : error;
    }
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
    this.#writeParameters(request, program.requestParameterCount);
    for (const { parameter, what } of program.systemInputs) {
      const json = request.systemValues!.get(what)!;
      this.#parameters.setRef(parameter, request.store(json, 0, json.length), JSON_TYPE);
    }
    request.now = this.#options.clock.nowMicroseconds();
    request.seedLow = this.#options.random.int32();
    request.seedHigh = this.#options.random.int32();
    request.rowSource = this.#rowSourceOf(request, entry);
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
      this.#succeed(request, program.hasResult ? this.#vm.runTail(loaded, request, this.#parts) : undefined);
      return;
    }
    this.#writeHeader(request, entry, view.at(block));
    const flags = (program.isWrite ? FLAG_WRITES : 0) | (program.canTailFail ? FLAG_TAIL : 0);
    this.#byBlock[view.get(BLOCK_ORDINAL)] = request;
    if (entry.explain === 'profile') request.submittedMs = wallClockMs();
    const isOrdered = this.tickets.submit(
      block,
      request.maskLow,
      request.maskHigh,
      flags,
      program.catalogVersion,
      program.id,
    );
    assert(isOrdered, 'a request is prepared only where it can be ordered');
    request.isOrdered = true;
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
    if (entry.explain === 'profile') {
      request.submittedMs = request.startedMs;
      this.#succeed(request, this.#profile(entry, request, undefined, 0));
    } else this.#succeed(request, body);
  }

  #rowSourceOf(request: PendingRequest, { program }: CachedProgram): PendingRequest['rowSource'] {
    const { importRequest, text, textLength } = request;
    if (importRequest !== undefined) return importRequest.rows(text, textLength, program.inserts[0]!.columns.length);
    return this.#literals.of(text, request.parameters);
  }

  #writeParameters(request: PendingRequest, count: number): void {
    const { parameters } = request;
    const given = parameters?.count ?? 0;
    const constantCount = count - given;
    const target = this.#parameters;
    const { kind, number, big, start, end, escaped } = this.#scanner.constants;
    for (let slot = 0; slot < constantCount; slot++) {
      switch (kind[slot]) {
        case 1: // int
          target.setInt(slot, number[slot]!, big[slot]!);
          break;
        case 2: // double
          target.setDouble(slot, number[slot]!);
          break;
        case 3: // text
          target.setRef(slot, this.#storeText(request, start[slot]!, end[slot]!, escaped[slot] === 1), TEXT);
          break;
        case 4: // bool
          target.setBool(slot, number[slot] === 1);
          break;
        default: // null
          target.setNull(slot);
      }
    }
    for (let index = 0; index < given; index++) {
      const slot = constantCount + index;
      const bytes = parameters!.bytes[index]!;
      const parameterKind = parameters!.kinds[index]!;
      if (parameterKind === KIND_INT) target.setInt(slot, parameters!.numbers[index]!, parameters!.bigs[index]!);
      else if (parameterKind === KIND_DOUBLE) target.setDouble(slot, parameters!.numbers[index]!);
      else if (parameterKind === KIND_BOOL) target.setBool(slot, parameters!.numbers[index] === 1);
      else if (parameterKind === KIND_TEXT) target.setRef(slot, request.store(bytes, 0, bytes.length), TEXT);
      else if (parameterKind === KIND_JSON_VALUE) target.setRef(slot, request.store(bytes, 0, bytes.length), JSON_TYPE);
      else target.setNull(slot);
    }
  }

  #storeText(request: PendingRequest, start: number, end: number, isEscaped: boolean): number {
    if (!isEscaped) return request.store(request.text, start, end);
    const decoded = new Uint8Array(end - start);
    return request.store(decoded, 0, decodeTextInto(request.text, start, end, decoded, 0));
  }

  #writeHeader(request: PendingRequest, entry: CachedProgram, view: BlockView): void {
    view.set(BLOCK_PROGRAM_REF, (entry.page * 1024) | 0);
    view.set(BLOCK_PROGRAM_BYTES, entry.byteLength);
    view.set(BLOCK_NOW_LOW, request.now | 0);
    view.set(BLOCK_NOW_HIGH, Math.floor(request.now / 4294967296));
    view.set(BLOCK_SEED_LOW, request.seedLow);
    view.set(BLOCK_SEED_HIGH, request.seedHigh);
    view.set(BLOCK_FORMAT, request.format);
    view.set(BLOCK_LIMIT_SEND, request.limitSendBytes);
    view.set(BLOCK_LIMIT_WRITE, Math.min(this.settings.limitWriteBytes, LIMIT_MAX));
    view.set(BLOCK_LIMIT_STATEMENT_MS, this.settings.limitStatementMs);
    view.set(BLOCK_PROFILE, entry.explain === 'profile' ? 1 : 0);
    if (request.timeZone.isUtc) view.set(BLOCK_TIMEZONE_REF, 0);
    else {
      const name = new TextEncoder().encode(request.timeZone.name);
      view.set(BLOCK_TIMEZONE_REF, request.store(name, 0, name.length) | 0);
    }
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
    if (fate === FATE_FAILED) {
      this.#fail(request, readError(view, this.#control.nodeCount));
      return;
    }
    try {
      const { program } = entry;
      if (!program.hasResult) {
        this.#succeed(request, entry.explain === 'profile' ? this.#profile(entry, request, view, 0) : undefined);
        return;
      }
      const parts = this.#parts;
      parts.count = 0;
      for (let node = 0; node < this.#control.nodeCount; node++) {
        if (!view.hasNode(node)) continue;
        parts.arenas[parts.count] = block >>> 16;
        parts.bytes[parts.count] = view.part(node) * 4 + PART_HEADER_BYTES;
        parts.count++;
      }
      const body = this.#vm.runTail(entry.loaded, request, parts);
      entry.statistics.rows += this.#vm.sentRowCount;
      this.#succeed(request, entry.explain === 'profile' ? this.#profile(entry, request, view, body.length) : body);
    } catch (error) {
      this.#fail(request, error);
    }
  }

  /** The answer of PROFILE: the program and what its run took; the result itself is not shown. */
  #profile(entry: CachedProgram, request: PendingRequest, view: BlockView | undefined, replyBytes: number): Uint8Array {
    const times = { startedMs: request.startedMs, submittedMs: request.submittedMs, finalMs: wallClockMs() };
    const { program } = entry;
    if (view === undefined) return explainReply(program, request.format, localProfile(times));
    return explainReply(
      program,
      request.format,
      readProfile(this.#memory, this.#control, view, program, times, replyBytes),
    );
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
    if (entry !== undefined) this.#count(entry.statistics, wallClockMs() - request.startedMs);
    this.#release(request);
    reply(undefined, body);
  }

  #count(statistics: RunStatistics, ms: number): void {
    statistics.calls++;
    statistics.totalMs += ms;
    if (ms > statistics.maxMs) statistics.maxMs = ms;
  }

  #fail(request: PendingRequest, error: unknown): void {
    const { reply } = request;
    this.#release(request);
    if (!(error instanceof SqlError)) throw error;
    this.#relieve(error);
    reply(error, undefined);
  }

  #dropRun(request: PendingRequest, view: BlockView): void {
    const { batches, block } = request;
    for (let index = 0; index < batches.length; index++) freeBatch(this.#memory, batches[index]!);
    batches.length = 0;
    request.rowSource = null;
    if (block !== 0) {
      if (request.isOrdered) this.#freeResults(view.at(block));
      request.isOrdered = false;
      this.tickets.blocks.release(block);
      request.block = 0;
    }
    request.releaseValues();
  }

  #freeResults(view: BlockView): void {
    for (let node = 0; node < this.#control.nodeCount; node++) {
      if (!view.hasNode(node)) continue;
      // A part that failed has freed its results, and its error stands in their place.
      const part = view.part(node);
      if (view.words[part + PART_STATE] === PART_STATE_OK) this.#freePart(view, part);
    }
  }

  #freePart(view: BlockView, part: number): void {
    freeResults(this.#memory, view.page >>> 16, part * 4 + PART_HEADER_BYTES);
    if (view.get(BLOCK_PROFILE) !== 0) this.#memory.free(view.words[part + PART_PROFILE_PAGE]!, 1);
  }

  #release(request: PendingRequest): void {
    this.#dropRun(request, this.#view);
    if (request.entry !== undefined) this.#cache.release(request.entry);
    request.entry = undefined;
    request.parameters = undefined;
    request.importRequest = undefined;
    request.systemValues = undefined;
    request.startedMs = 0;
    request.sleepMs = 0;
    request.hasSlept = false;
    request.dropText();
    this.#free.push(request);
  }

  #readCatalog(): Catalog {
    const { bytes } = this.#control.readCatalog(this.#memory);
    const catalog = JSON.parse(new TextDecoder().decode(bytes)) as Catalog;
    this.#tables = new Map(catalog.tables.map((table) => [table.id, table]));
    this.#cache?.clear();
    return catalog;
  }
}

type WaitingUtility = { readonly request: PendingRequest; readonly statement: UtilityStatement };

const EMPTY = new Uint8Array(0);
/** Limits travel as 32-bit words; what is larger is no limit in practice. */
const LIMIT_MAX = 2 ** 31 - 1;
const KIND_JSON_VALUE = 6;
/** Import targets that keep their program. */
const IMPORT_PROGRAM_COUNT_MAX = 256;

function isRowStatement(kind: string): boolean {
  return kind === 'select' || kind === 'insert' || kind === 'update' || kind === 'delete' || kind === 'with';
}
