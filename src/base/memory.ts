/**
 * Row memory: arenas of 1 GiB, cut into pages of 16 KiB, allocated and freed explicitly by every thread.
 *
 * An arena is one shared WebAssembly.Memory, reserved at once: pages that nobody touched cost nothing, and views of it
 * never change. What the rest of Amelie holds are page numbers and refs, never buffers:
 *
 *   page  arena = page >>> 16, byte offset = (page & 0xffff) << 14, index in i32 = (page & 0xffff) << 12
 *   ref   u32 in units of 16 bytes: arena = ref >>> 26, byte offset = (ref & 0x3ffffff) << 4, index in i32 = … << 2,
 *         index in f64 = … << 1. A page starts at ref page * 1024. Page 0 and ref 0 mean none.
 *
 * Arena layout:
 *
 * | page of the arena | bytes            | what                                                                          |
 * | ----------------- | ---------------- | ----------------------------------------------------------------------------- |
 * | 0 … 15            | 0 … 262143       | page words, one i32 a page: at the first page of an allocation its length     |
 * |                   |                  | in pages (bits 0-19) and state (bits 24-31: 1 LIVE, 2 FROZEN, 3 ORPHANED);    |
 * |                   |                  | 0 elsewhere                                                                   |
 * | 16                | 262144 … 270335  | bitmap of the pages, a set bit is taken                                       |
 * | 16                | 270336           | i32: first page of the arena that was never taken (it and all after are zero) |
 * | 16                | 270340           | i32: bitmap word where the search for a free page starts                      |
 * | 16                | 270344           | i32: taken pages of the arena                                                 |
 * | 17 (arena 0)      | 278528 + 64 * n  | control words: 0 lock, 1 taken pages, 2 limit in pages, 3 arenas in use       |
 * | 18 …              |                  | for use                                                                       |
 *
 * All of it is written under the lock (a futex: 0 free, 1 held, 2 held and awaited), which is held for a search only.
 * In front of it each thread keeps a few single pages of its own, which count as taken.
 *
 * States of an allocation, for snapshots (docs/internals/checkpoint.md); the pages' owner and the snapshot decide by CAS:
 *
 *   LIVE     ── freeze: the owner, in a drained fence ───────────▶ FROZEN    nobody writes it
 *   FROZEN   ── orphan: the owner has a copy, or needs it no more ▶ ORPHANED  the snapshot's alone
 *   FROZEN   ── letGo: the snapshot has read it ─────────────────▶ LIVE      the owner writes in place again
 *   ORPHANED ── letGo: the snapshot has read it ─────────────────▶ LIVE      to be freed, by whom the caller says
 */

import { assert } from './assert.ts';
import { SqlError } from './errors.ts';
import { ARENA_BYTES, ARENA_COUNT_MAX, PAGE_BYTES, PAGES_PER_ARENA } from './limits.ts';

/** Refs in a page. */
export const REFS_PER_PAGE: number = PAGE_BYTES / 16;
/** 32-bit words in a page. */
export const WORDS_PER_PAGE: number = PAGE_BYTES / 4;
/** Pages at the start of each arena that hold its own state. */
export const ARENA_RESERVED_PAGES = 18;

const BITMAP_INDEX = 262144 / 4;
const BITMAP_WORDS = PAGES_PER_ARENA / 32;
const FRESH_INDEX = 270336 / 4;
const HINT_INDEX = 270340 / 4;
const ARENA_TAKEN_INDEX = 270344 / 4;
const CONTROL_INDEX = 278528 / 4;
const LOCK = CONTROL_INDEX;
const TAKEN = CONTROL_INDEX + 16;
const LIMIT = CONTROL_INDEX + 32;
const ARENA_COUNT = CONTROL_INDEX + 48;

const LIVE = 1 << 24;
const FROZEN = 2 << 24;
const ORPHANED = 3 << 24;
/** In the thread's cache of single pages: the page was never used, so it is zero. */
const FRESH_FLAG = 1 << 30;
const CACHE_PAGES = 64;
const CACHE_REFILL = 16;
const SPIN_COUNT = 100;

/** The part of WebAssembly.Memory that is used here; the types of the platform's other interfaces are not loaded. */
export type ArenaMemory = { readonly buffer: SharedArrayBuffer };
type ArenaConstructor = new (descriptor: { initial: number; maximum: number; shared: true }) => ArenaMemory;
const WasmMemory = (globalThis as unknown as { WebAssembly: { Memory: ArenaConstructor } }).WebAssembly.Memory;

/** What a thread needs to open the memory: structured-cloneable, sent with workerData or postMessage. */
export type MemoryHandle = { readonly arenas: readonly ArenaMemory[]; readonly arenaCountMax: number };

export type MemoryOptions = {
  /** Bytes that may be taken at once, rounded up to pages (`memory_limit`). */
  readonly limitBytes: number;
  /** True: every arena is reserved now, so that threads can share them. False: arenas are added when needed, by this thread. */
  readonly eagerArenas: boolean;
};

/** One thread's face of the row memory: its views and its cache of pages. */
export class Memory {
  readonly u8: Uint8Array[] = [];
  readonly i8: Int8Array[] = [];
  readonly i16: Int16Array[] = [];
  readonly i32: Int32Array[] = [];
  readonly f32: Float32Array[] = [];
  readonly f64: Float64Array[] = [];
  readonly big: BigInt64Array[] = [];
  /** For tests: the allocation that makes it 0 fails with out_of_memory, once. Negative: never. */
  faultCountdown = -1;
  readonly #arenas: ArenaMemory[] = [];
  readonly #arenaCountMax: number;
  readonly #cache: Int32Array = new Int32Array(CACHE_PAGES);
  #cacheCount = 0;
  #isFresh = false;

  private constructor(arenas: readonly ArenaMemory[], arenaCountMax: number) {
    this.#arenaCountMax = arenaCountMax;
    for (const arena of arenas) this.#addViews(arena);
  }

  /** Reserves the memory. Throws a plain Error when the address space cannot be had. */
  static create(options: MemoryOptions): Memory {
    const limitPages = Math.max(1, Math.ceil(options.limitBytes / PAGE_BYTES));
    const usable = PAGES_PER_ARENA - ARENA_RESERVED_PAGES;
    const arenaCountMax = Math.min(ARENA_COUNT_MAX, Math.ceil(limitPages / usable) + 1);
    const memory = new Memory([], arenaCountMax);
    const count = options.eagerArenas ? arenaCountMax : 1;
    for (let arena = 0; arena < count; arena++) memory.#addArena();
    memory.i32[0]![LIMIT] = limitPages;
    return memory;
  }

  /** Opens in this thread what another one shared. */
  static open(handle: MemoryHandle): Memory {
    return new Memory(handle.arenas, handle.arenaCountMax);
  }

  /** The handle for other threads. Only for memory whose arenas were all reserved at once. */
  share(): MemoryHandle {
    assert(this.#arenas.length === this.#arenaCountMax, 'shared memory has all its arenas');
    return { arenas: this.#arenas.slice(), arenaCountMax: this.#arenaCountMax };
  }

  /**
   * Takes a run of pages, contiguous in one arena; returns the first page. Contents are undefined. Safe from any thread.
   * Throws SqlError out_of_memory at the limit, or when no run of that length is free.
   */
  allocate(pageCount: number): number {
    if (this.faultCountdown >= 0 && this.faultCountdown-- === 0) throw outOfMemory(pageCount);
    if (pageCount === 1) {
      if (this.#cacheCount === 0) this.#refill();
      const cached = this.#cache[--this.#cacheCount]!;
      this.#isFresh = (cached & FRESH_FLAG) !== 0;
      return cached & ~FRESH_FLAG;
    }
    this.#lock();
    const page = this.#take(pageCount);
    this.#unlock();
    if (page === 0) throw outOfMemory(pageCount);
    return page;
  }

  /** The same, filled with zeros. */
  allocateZeroed(pageCount: number): number {
    const page = this.allocate(pageCount);
    if (!this.#isFresh) {
      const start = (page & 0xffff) << 12;
      this.i32[page >>> 16]!.fill(0, start, start + pageCount * WORDS_PER_PAGE);
    }
    return page;
  }

  /** Gives back a whole LIVE allocation; `pageCount` is checked against what was taken. Safe from any thread. */
  free(page: number, pageCount: number): void {
    const word = this.i32[page >>> 16]![page & 0xffff]!;
    // Invariant 7: what is frozen is not used again.
    assert(page !== 0 && word === (pageCount | LIVE), 'pages are freed as they were allocated, and not while frozen');
    if (pageCount === 1) {
      if (this.#cacheCount === CACHE_PAGES) this.#spill(CACHE_PAGES / 2);
      // The word stays: a page in a cache is taken. Freeing it twice would put it here twice, which only tests look for.
      this.#cache[this.#cacheCount++] = page;
      return;
    }
    this.#lock();
    this.#give(page, pageCount);
    this.#unlock();
  }

  /** Length in pages of the allocation that starts at `page`. */
  pageCountOf(page: number): number {
    return this.i32[page >>> 16]![page & 0xffff]! & 0xfffff;
  }

  /** LIVE to FROZEN: the owner, where nobody else uses the allocation. */
  freeze(page: number): void {
    const words = this.i32[page >>> 16]!;
    const word = words[page & 0xffff]!;
    assert((word & ~0xfffff) === LIVE, 'only what is live is frozen');
    Atomics.store(words, page & 0xffff, word ^ LIVE ^ FROZEN);
  }

  /** True: the snapshot still needs the allocation as it is. Only for its owner; false stays false until it freezes it. */
  isFrozen(page: number): boolean {
    return Atomics.load(this.i32[page >>> 16]!, page & 0xffff) >>> 24 === FROZEN >>> 24;
  }

  /**
   * FROZEN to ORPHANED: the owner gives the allocation up, and the snapshot frees it. False: the snapshot was done with it,
   * and it is the owner's, LIVE.
   */
  orphan(page: number): boolean {
    const words = this.i32[page >>> 16]!;
    const pageCount = this.pageCountOf(page);
    const seen = Atomics.compareExchange(words, page & 0xffff, pageCount | FROZEN, pageCount | ORPHANED);
    if (seen === (pageCount | FROZEN)) return true;
    assert(seen === (pageCount | LIVE), 'an allocation is orphaned once');
    return false;
  }

  /**
   * The snapshot needs the allocation no more. True: FROZEN to LIVE, its owner has it back. False: it was ORPHANED, and is
   * the caller's to free, LIVE.
   */
  letGo(page: number): boolean {
    const words = this.i32[page >>> 16]!;
    const pageCount = this.pageCountOf(page);
    const seen = Atomics.compareExchange(words, page & 0xffff, pageCount | FROZEN, pageCount | LIVE);
    if (seen === (pageCount | FROZEN)) return true;
    assert(seen === (pageCount | ORPHANED), 'the snapshot lets go of what it holds, once');
    Atomics.store(words, page & 0xffff, pageCount | LIVE);
    return false;
  }

  /** Copies a whole allocation into another of its length. */
  copy(source: number, target: number): void {
    const words = this.pageCountOf(source) * WORDS_PER_PAGE;
    const start = (source & 0xffff) << 12;
    this.i32[target >>> 16]!.set(this.i32[source >>> 16]!.subarray(start, start + words), (target & 0xffff) << 12);
  }

  /** Gives the thread's cached pages back to all. */
  flushCache(): void {
    if (this.#cacheCount > 0) this.#spill(this.#cacheCount);
  }

  /** Pages taken by all threads, without those in this thread's cache. */
  usedPages(): number {
    return Atomics.load(this.i32[0]!, TAKEN) - this.#cacheCount;
  }

  limitBytes(): number {
    return Atomics.load(this.i32[0]!, LIMIT) * PAGE_BYTES;
  }

  /** Changes the limit, up to what was reserved at the start. What is taken beyond a lower limit stays. */
  setLimitBytes(limitBytes: number): void {
    const most = this.#arenaCountMax * (PAGES_PER_ARENA - ARENA_RESERVED_PAGES);
    Atomics.store(this.i32[0]!, LIMIT, Math.min(most, Math.ceil(limitBytes / PAGE_BYTES)));
  }

  #addArena(): void {
    const wasmPages = ARENA_BYTES / 65536;
    let arena: ArenaMemory;
    try {
      arena = new WasmMemory({ initial: wasmPages, maximum: wasmPages, shared: true });
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      throw new Error(
        `cannot reserve 1 GiB of address space (${text}); lower memory_limit or raise the limit of the process`,
      );
    }
    this.#addViews(arena);
    const words = this.i32[this.i32.length - 1]!;
    for (let page = 0; page < ARENA_RESERVED_PAGES; page++) words[BITMAP_INDEX + (page >>> 5)]! |= 1 << (page & 31);
    words[FRESH_INDEX] = ARENA_RESERVED_PAGES;
    Atomics.store(this.i32[0]!, ARENA_COUNT, this.#arenas.length);
  }

  #addViews(arena: ArenaMemory): void {
    const buffer = arena.buffer;
    this.#arenas.push(arena);
    this.u8.push(new Uint8Array(buffer));
    this.i8.push(new Int8Array(buffer));
    this.i16.push(new Int16Array(buffer));
    this.i32.push(new Int32Array(buffer));
    this.f32.push(new Float32Array(buffer));
    this.f64.push(new Float64Array(buffer));
    this.big.push(new BigInt64Array(buffer));
  }

  #refill(): void {
    this.#lock();
    let page = 0;
    while (this.#cacheCount < CACHE_REFILL && (page = this.#take(1)) !== 0) {
      this.#cache[this.#cacheCount++] = this.#isFresh ? page | FRESH_FLAG : page;
    }
    this.#unlock();
    if (this.#cacheCount === 0) throw outOfMemory(1);
    // Lowest page on top.
    this.#cache.subarray(0, this.#cacheCount).reverse();
  }

  #spill(count: number): void {
    this.#lock();
    // The oldest ones go, the warm ones stay.
    for (let index = 0; index < count; index++) this.#give(this.#cache[index]! & ~FRESH_FLAG, 1);
    this.#unlock();
    this.#cache.copyWithin(0, count, this.#cacheCount);
    this.#cacheCount -= count;
  }

  /** Takes a run; 0 when there is none. The lock is held. */
  #take(pageCount: number): number {
    const control = this.i32[0]!;
    if (control[TAKEN]! + pageCount > control[LIMIT]!) return 0;
    for (let arena = 0; arena < this.#arenaCountMax; arena++) {
      if (arena === this.i32.length) {
        this.#addArena();
      }
      const words = this.i32[arena]!;
      if (words[ARENA_TAKEN_INDEX]! + pageCount > PAGES_PER_ARENA - ARENA_RESERVED_PAGES) continue;
      const start = pageCount === 1 ? findFreePage(words) : findFreeRun(words, pageCount);
      if (start < 0) continue;
      markPages(words, start, pageCount, true);
      words[start] = pageCount | LIVE;
      words[ARENA_TAKEN_INDEX]! += pageCount;
      const fresh = words[FRESH_INDEX]!;
      this.#isFresh = start >= fresh;
      if (start + pageCount > fresh) words[FRESH_INDEX] = start + pageCount;
      Atomics.add(control, TAKEN, pageCount);
      return (arena << 16) | start;
    }
    return 0;
  }

  /** Gives a run back. The lock is held. */
  #give(page: number, pageCount: number): void {
    const words = this.i32[page >>> 16]!;
    const start = page & 0xffff;
    assert(words[start] === (pageCount | LIVE), 'pages are freed once');
    markPages(words, start, pageCount, false);
    words[start] = 0;
    words[ARENA_TAKEN_INDEX]! -= pageCount;
    if (start >>> 5 < words[HINT_INDEX]!) words[HINT_INDEX] = start >>> 5;
    Atomics.sub(this.i32[0]!, TAKEN, pageCount);
  }

  #lock(): void {
    const control = this.i32[0]!;
    if (Atomics.compareExchange(control, LOCK, 0, 1) === 0) return;
    for (let spin = 0; spin < SPIN_COUNT; spin++) {
      Atomics.pause();
      if (Atomics.compareExchange(control, LOCK, 0, 1) === 0) return;
    }
    while (Atomics.exchange(control, LOCK, 2) !== 0) Atomics.wait(control, LOCK, 2);
  }

  #unlock(): void {
    const control = this.i32[0]!;
    if (Atomics.exchange(control, LOCK, 0) === 2) Atomics.notify(control, LOCK, 1);
  }
}

function outOfMemory(pageCount: number): SqlError {
  return new SqlError(
    'out_of_memory',
    `out of memory: ${pageCount * (PAGE_BYTES / 1024)} KiB more would pass memory_limit`,
  );
}

/** The first free page from the hint on, which moves there; -1 when the arena is full. */
function findFreePage(words: Int32Array): number {
  for (let word = words[HINT_INDEX]!; word < BITMAP_WORDS; word++) {
    const free = ~words[BITMAP_INDEX + word]!;
    if (free === 0) continue;
    words[HINT_INDEX] = word;
    return (word << 5) + 31 - Math.clz32(free & -free);
  }
  words[HINT_INDEX] = BITMAP_WORDS;
  return -1;
}

/** The first run of free pages from the hint on; -1 when there is none. */
function findFreeRun(words: Int32Array, pageCount: number): number {
  let runStart = words[HINT_INDEX]! << 5;
  let page = runStart;
  while (page < PAGES_PER_ARENA) {
    const bits = words[BITMAP_INDEX + (page >>> 5)]!;
    if ((page & 31) === 0 && (bits === -1 || bits === 0)) {
      page += 32;
      if (bits === -1) runStart = page;
    } else {
      page += 1;
      if (((bits >>> ((page - 1) & 31)) & 1) === 1) runStart = page;
    }
    if (page - runStart >= pageCount) return runStart;
  }
  return -1;
}

function markPages(words: Int32Array, start: number, pageCount: number, isTaken: boolean): void {
  for (let page = start; page < start + pageCount; page++) {
    const index = BITMAP_INDEX + (page >>> 5);
    if (isTaken) words[index]! |= 1 << (page & 31);
    else words[index]! &= ~(1 << (page & 31));
  }
}
