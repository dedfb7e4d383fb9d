/**
 * The programs of a frontend's requests and imports: found in the cache by what the request looks like, or compiled from its
 * text against the catalog that the frontend goes by at the moment.
 *
 * Of one request: find, and where it gives nothing parse, then compile. Between them no other request is looked at: the
 * scanner holds the constants of one.
 */

import type { Clock } from '../../base/effects.ts';
import { SqlError } from '../../base/errors.ts';
import type { Memory } from '../../base/memory.ts';
import { type Catalog, findTable, type TableDefinition } from '../../catalog/catalog.ts';
import type { Control } from '../../executor/control.ts';
import { FailureRate } from '../../executor/failure-rate.ts';
import type { TicketClient } from '../../executor/ticket-client.ts';
import { compileRequest } from '../../program/compiler/compile.ts';
import type { Insert, Request } from '../../sql/ast/ast.ts';
import { parseRequest } from '../../sql/parser/request.ts';
import type { ShapeScanner } from '../../sql/shape/scanner.ts';
import type { CoordinatorEnvironment } from '../../vm/coordinator/request.ts';
import { loadProgram } from '../../vm/core/loaded-program.ts';
import type { ImportRequest, PendingRequest } from './pending-request.ts';
import type { CachedProgram, ProgramCache } from './program-cache.ts';
import { KIND_TEXT, type RequestParameters } from './request-parameters.ts';

/** A request that is not in the cache, on its way to a program. */
export type ParsedRequest = {
  readonly tree: Request;
  /** When parsing began, in monotonic milliseconds. */
  readonly startedMs: number;
};

export type RequestProgramsOptions = {
  readonly control: Control;
  readonly memory: Memory;
  /** Number of the frontend, from 0. */
  readonly frontend: number;
  readonly clock: Clock;
  readonly scanner: ShapeScanner;
  readonly cache: ProgramCache;
  readonly tickets: TicketClient;
};

export class RequestPrograms implements CoordinatorEnvironment {
  readonly #control: Control;
  readonly #memory: Memory;
  readonly #frontend: number;
  readonly #clock: Clock;
  readonly #scanner: ShapeScanner;
  readonly #cache: ProgramCache;
  readonly #tickets: TicketClient;
  readonly #imports = new Map<string, CachedProgram>();
  #catalog: Catalog;
  #tables: Map<number, TableDefinition> = new Map();
  #programSequence = 0;
  /** Whether the request that find has looked for has a shape; without one it is not cached. */
  #hasShape = false;

  constructor(options: RequestProgramsOptions) {
    this.#control = options.control;
    this.#memory = options.memory;
    this.#frontend = options.frontend;
    this.#clock = options.clock;
    this.#scanner = options.scanner;
    this.#cache = options.cache;
    this.#tickets = options.tickets;
    this.#catalog = this.#readCatalog();
  }

  /** A table of the catalog in use, by its id. */
  table(tableId: number): TableDefinition {
    return this.#tables.get(tableId)!;
  }

  findTable(schema: string, name: string): TableDefinition | undefined {
    return findTable(this.#catalog, schema, name);
  }

  /** Whether no later version of the catalog than the one in use was published. */
  isLatestCatalog(): boolean {
    return this.#catalog.version === this.#control.catalogVersion();
  }

  /**
   * The catalog of the latest version that was published; where one is published at this moment, and requests of the
   * one before are in the air, that one: what is prepared now becomes stale with them, and stays behind them.
   */
  #currentCatalog(): Catalog {
    if (this.#tickets.inAir === 0 && !this.isLatestCatalog()) this.#catalog = this.#readCatalog();
    return this.#catalog;
  }

  #readCatalog(): Catalog {
    const { bytes } = this.#control.readCatalog(this.#memory);
    const catalog = JSON.parse(new TextDecoder().decode(bytes)) as Catalog;
    this.#tables = new Map(catalog.tables.map((table) => [table.id, table]));
    this.#cache.clear();
    return catalog;
  }

  /** The program of a request from the cache, the scanner then holding its constants; undefined where it is not there. */
  find(request: PendingRequest): CachedProgram | undefined {
    const { version } = this.#currentCatalog();
    const scanner = this.#scanner;
    const { text, textLength, parameters } = request;
    const kinds = parameters?.kinds;
    const guessed = this.#cache.guess(scanner, text, textLength, kinds, version);
    if (guessed !== undefined && this.#areEqual(guessed, text)) return guessed;
    this.#hasShape = scanner.scan(text, 0, textLength);
    if (!this.#hasShape) return undefined;
    const found = this.#cache.find(scanner, text, textLength, kinds, version);
    return found !== undefined && this.#areEqual(found, text) ? found : undefined;
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

  /** Parses the request that find has just looked for in vain. */
  parse({ text, textLength }: PendingRequest): ParsedRequest {
    const startedMs = this.#clock.monotonicMilliseconds();
    const tree = parseRequest(text.subarray(0, textLength), this.#hasShape ? this.#scanner : undefined);
    return { tree, startedMs };
  }

  /** Compiles the request that was just parsed, statements on rows, and puts its program into the cache. */
  compile({ text, textLength, parameters }: PendingRequest, { tree, startedMs }: ParsedRequest): CachedProgram {
    const scanner = this.#scanner;
    const hasShape = this.#hasShape;
    const kinds = parameters?.kinds;
    checkParameterCount(tree, parameters, scanner.listCount > 0 && hasShape);
    const constantCount = hasShape ? scanner.constantCount : 0;
    const parameterKinds = new Uint8Array(constantCount + (kinds?.length ?? 0));
    if (hasShape) parameterKinds.set(scanner.constants.kind.subarray(0, constantCount));
    if (kinds !== undefined) parameterKinds.set(kinds, constantCount);
    const compiled = this.#compile(tree, parameterKinds, constantCount, startedMs);
    if (hasShape) {
      const known = this.#cache.find(scanner, text, textLength, kinds, this.#catalog.version);
      if (known === undefined) this.#cache.add(scanner, kinds, compiled);
      else compiled.isDropped = true;
    } else compiled.isDropped = true;
    return compiled;
  }

  #compile(tree: Request, parameterKinds: Uint8Array, constantCount: number, startedMs: number): CachedProgram {
    this.#programSequence = (this.#programSequence + 1) & 0xffffff;
    const programId = this.#frontend * 0x1000000 + this.#programSequence;
    const program = compileRequest(tree, this.#catalog, { programId, parameterKinds, constantCount });
    const loaded = loadProgram(program);
    const isShared = !program.isLocal && tree.explain !== 'explain';
    const place = isShared ? this.#cache.place(program) : { page: 0, pageCount: 0, byteLength: 0 };
    return {
      loaded,
      program,
      explain: tree.explain,
      ...place,
      statistics: { calls: 0, rows: 0, totalMs: 0, maxMs: 0 },
      failures: new FailureRate(),
      useCount: 0,
      isDropped: false,
      compileMs: this.#clock.monotonicMilliseconds() - startedMs,
    };
  }

  /** The program that inserts the rows of an import, kept by its target. */
  ofImport({ schema, table, columns }: ImportRequest): CachedProgram {
    const catalog = this.#currentCatalog();
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
    const compiled = this.#compileImport({ statements: [insert], explain: 'none', parameterCount: 0 });
    if (this.#imports.size >= IMPORT_PROGRAM_COUNT_MAX) {
      for (const old of this.#imports.values()) this.#cache.drop(old);
      this.#imports.clear();
    }
    this.#imports.set(key, compiled);
    return compiled;
  }

  /** Errors have no position: there is no SQL text. */
  #compileImport(tree: Request): CachedProgram {
    try {
      return this.#compile(tree, new Uint8Array(0), 0, this.#clock.monotonicMilliseconds());
    } catch (error) {
      throw error instanceof SqlError ? new SqlError(error.code, error.message) : error;
    }
  }
}

/** Import targets that keep their program. */
const IMPORT_PROGRAM_COUNT_MAX = 256;

function checkParameterCount(tree: Request, parameters: RequestParameters | undefined, hasLists: boolean): void {
  const given = parameters?.count ?? 0;
  if (tree.parameterCount > given) throw new SqlError('invalid_parameter', `parameter $${given + 1} has no value`);
  if (given > tree.parameterCount && !hasLists)
    throw new SqlError(
      'invalid_parameter',
      `the request has ${tree.parameterCount} parameters, but ${given} values were given`,
    );
}
