/**
 * The compiled programs of one frontend by request shape. A hash finds candidates; the shape's bytes and the kinds of the
 * parameters decide. Bounded in number, and in shared pages by a share of the memory: the least recently used go, and
 * their pages when no ticket uses them any more.
 */

import { PAGE_BYTES } from '../../base/limits.ts';
import type { Memory } from '../../base/memory.ts';
import type { FailureRate } from '../../executor/failure-rate.ts';
import type { Program } from '../../program/program.ts';
import type { ShapeScanner } from '../../sql/shape/scanner.ts';
import { shapeText } from '../../sql/shape/shape-text.ts';
import { ShapeTemplate } from '../../sql/shape/template.ts';
import type { LoadedProgram } from '../../vm/core/loaded-program.ts';
import { type PlacedJson, placeJson } from '../shared-json.ts';

export type CachedProgram = {
  readonly loaded: LoadedProgram;
  readonly program: Program;
  readonly explain: 'none' | 'explain' | 'profile';
  /** The serialised program in shared pages; page 0 where no node needs it. */
  readonly page: number;
  readonly pageCount: number;
  readonly byteLength: number;
  /** What its runs took, for SHOW STATEMENTS. */
  readonly statistics: RunStatistics;
  /** Of its runs on several nodes, where it writes: whether they wait for the vote. */
  readonly failures: FailureRate;
  /** Requests in the air that use it. */
  useCount: number;
  isDropped: boolean;
  /** Milliseconds that binding and compiling took. */
  readonly compileMs: number;
};

/** Runs that have succeeded, the rows of their results, and their times from the request to the reply. */
export type RunStatistics = { calls: number; rows: number; totalMs: number; maxMs: number };

/** Of one statement at one frontend; its constants are not in its text. */
export type StatementStatistics = RunStatistics & { readonly text: string };

type Entry = {
  readonly shape: Uint8Array;
  readonly kinds: readonly number[];
  readonly cached: CachedProgram;
  lastUse: number;
  /** What its last scanned request looked like; while it is among the recent ones. */
  template: ShapeTemplate | undefined;
  /** Requests of it that were scanned since the last one that was not. */
  scanCount: number;
};

const NO_KINDS: readonly number[] = [];
/** Entries that a request is compared with before it is scanned. */
const RECENT_COUNT = 4;
/** A template is made at the first of so many scans: texts that are never alike would make one each time. */
const SCANS_PER_TEMPLATE = 8;
/** Programs of one frontend take at most this share of the memory limit. */
const MEMORY_SHARE = 1 / 32;

export class ProgramCache {
  readonly #memory: Memory;
  readonly #entries = new Map<number, Entry[]>();
  readonly #limit: number;
  #count = 0;
  /** Pages of the programs in the cache. */
  #pageCount = 0;
  #clock = 0;
  /** Entries with a template, the one that fitted last first. */
  readonly #recent: Entry[] = [];

  constructor(memory: Memory, limit: number) {
    this.#memory = memory;
    this.#limit = limit;
  }

  get count(): number {
    return this.#count;
  }

  /**
   * The program of a request that looks like one of the last: found without a scan. The scanner has the constants then.
   * Undefined where the request has to be scanned.
   */
  guess(
    scanner: ShapeScanner,
    text: Uint8Array,
    textLength: number,
    kinds: readonly number[] | undefined,
    version: number,
  ): CachedProgram | undefined {
    const recent = this.#recent;
    for (let index = 0; index < recent.length; index++) {
      const entry = recent[index]!;
      if (entry.cached.program.catalogVersion !== version || !sameKinds(entry.kinds, kinds ?? NO_KINDS)) continue;
      if (!entry.template!.fits(scanner, text, 0, textLength)) continue;
      for (let later = index; later > 0; later--) recent[later] = recent[later - 1]!;
      recent[0] = entry;
      entry.lastUse = ++this.#clock;
      entry.scanCount = 0;
      return entry.cached;
    }
    return undefined;
  }

  /** The program of the scanned shape, these parameter kinds and this catalog version. One of another version is dropped. */
  find(
    scanner: ShapeScanner,
    text: Uint8Array,
    textLength: number,
    kinds: readonly number[] | undefined,
    version: number,
  ): CachedProgram | undefined {
    const bucket = this.#entries.get(scanner.shapeHash);
    if (bucket === undefined) return undefined;
    for (let index = 0; index < bucket.length; index++) {
      const entry = bucket[index]!;
      if (!sameKinds(entry.kinds, kinds ?? NO_KINDS) || !scanner.equals(entry.shape)) continue;
      if (entry.cached.program.catalogVersion !== version) {
        this.#remove(scanner.shapeHash, bucket, index);
        return undefined;
      }
      entry.lastUse = ++this.#clock;
      if (entry.scanCount++ % SCANS_PER_TEMPLATE === 0)
        this.#remember(entry, ShapeTemplate.of(scanner, text, 0, textLength, entry.template));
      return entry.cached;
    }
    return undefined;
  }

  #remember(entry: Entry, template: ShapeTemplate | undefined): void {
    this.#forget(entry);
    if (template === undefined) return;
    if (this.#recent.length === RECENT_COUNT) this.#recent.pop()!.template = undefined;
    entry.template = template;
    this.#recent.unshift(entry);
  }

  #forget(entry: Entry): void {
    if (entry.template === undefined) return;
    entry.template = undefined;
    this.#recent.splice(this.#recent.indexOf(entry), 1);
  }

  add(scanner: ShapeScanner, kinds: readonly number[] | undefined, cached: CachedProgram): void {
    const pagesMax = (this.#memory.limitBytes() * MEMORY_SHARE) / PAGE_BYTES;
    if (this.#count >= this.#limit || this.#pageCount + cached.pageCount > pagesMax) this.shrink();
    const hash = scanner.shapeHash;
    const bucket = this.#entries.get(hash) ?? [];
    bucket.push({
      shape: scanner.copyShape(),
      kinds: kinds?.slice() ?? NO_KINDS,
      cached,
      lastUse: ++this.#clock,
      template: undefined,
      scanCount: 0,
    });
    this.#entries.set(hash, bucket);
    this.#count++;
    this.#pageCount += cached.pageCount;
  }

  /** What the runs of each program took; of EXPLAIN there is nothing to tell. */
  statistics(): StatementStatistics[] {
    const entries = [...this.#entries.values()].flat().filter(({ cached }) => cached.explain !== 'explain');
    return entries.map(({ shape, cached }) => ({ text: shapeText(shape), ...cached.statistics }));
  }

  /** The shape of a program as text; undefined where it is in the cache no more, or never was. */
  textOf(cached: CachedProgram): string | undefined {
    for (const bucket of this.#entries.values())
      for (const entry of bucket) if (entry.cached === cached) return shapeText(entry.shape);
    return undefined;
  }

  /** Writes a program for the nodes into shared pages. */
  place(program: Program): PlacedJson {
    return placeJson(this.#memory, program);
  }

  /** A request that used it is over. */
  release(cached: CachedProgram): void {
    cached.useCount--;
    this.#freeIfUnused(cached);
  }

  /** Drops a program: its pages go when the last request that uses it is over. */
  drop(cached: CachedProgram): void {
    cached.isDropped = true;
    this.#freeIfUnused(cached);
  }

  /** Forgets everything, at a new catalog version: old programs would only take space. */
  clear(): void {
    for (const bucket of this.#entries.values()) for (const { cached } of bucket) this.drop(cached);
    this.#entries.clear();
    this.#recent.length = 0;
    this.#count = 0;
    this.#pageCount = 0;
  }

  #remove(hash: number, bucket: Entry[], index: number): void {
    const [entry] = bucket.splice(index, 1);
    if (bucket.length === 0) this.#entries.delete(hash);
    this.#count--;
    this.#pageCount -= entry!.cached.pageCount;
    this.#forget(entry!);
    this.drop(entry!.cached);
  }

  /** Drops the least recently used eighth, so that the search for it is rare; true where there was anything. */
  shrink(): boolean {
    if (this.#count === 0) return false;
    const uses = [...this.#entries.values()]
      .flatMap((bucket) => bucket.map((entry) => entry.lastUse))
      .sort((a, b) => a - b);
    const oldest = uses[uses.length >> 3]!;
    for (const [hash, bucket] of [...this.#entries])
      for (let index = bucket.length - 1; index >= 0; index--)
        if (bucket[index]!.lastUse <= oldest) this.#remove(hash, bucket, index);
    return true;
  }

  #freeIfUnused(cached: CachedProgram): void {
    if (!cached.isDropped || cached.useCount > 0 || cached.page === 0) return;
    this.#memory.free(cached.page, cached.pageCount);
  }
}

function sameKinds(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}
