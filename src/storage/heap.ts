/**
 * The heap of a partition: blocks for values of any length, and for index nodes. Blocks are whole 16-byte units and are
 * found by ref; a freed block is used again at once, so callers free only what no transaction can need any more.
 *
 * Slabs: a page serves blocks of one size class. Larger blocks have a run of pages to themselves. A page whose last block
 * is freed goes back to the memory, but for one that each class keeps while it is its only one with room.
 *
 * Slab page:
 *
 * | byte | size | what                                                                                          |
 * | ---: | ---: | --------------------------------------------------------------------------------------------- |
 * |    0 |    4 | bits 0-15 blocks in use, bits 16-31 units of a block (65535: one large block)                  |
 * |    4 |    4 | next page of the class that has room, 0 = none                                                 |
 * |    8 |    4 | previous one                                                                                   |
 * |   12 |    4 | bits 0-15 first freed block (unit offset in the page, 0 = none), 16-31 first unit never used    |
 * |   16 |    4 | next page of the heap, 0 = none                                                                |
 * |   20 |    4 | previous one                                                                                   |
 * |   24 |    4 | snapshots of the heap that were taken before the page came                                     |
 * |   28 |    4 | next page with held blocks, -1 = the last one, 0 = the page has none                            |
 * |   32 |      | blocks; word 0 of a freed one is the unit offset of the next freed one                         |
 *
 * The first page of a large block has the same header; its page count is in the memory's page word.
 *
 * State in the root page, from the heap's first word: 0 blocks in use, 1 units in use, 2 pages, 3 first page of all, 4
 * snapshots taken, 5 1 while one is on, 6 first page with held blocks, 7 held blocks, 8 … first page with room of each class.
 *
 * A snapshot does not copy heap pages: blocks never change once written. While one is on (freeze to thaw), a block that a
 * final transaction gave up is **held** (release): it is not in use any more, but bit 31 of its word 0, the length, which
 * readers mask, keeps its place. giveBack() frees such blocks when the snapshot is over. Only blocks in pages from before the
 * snapshot are held: it sees no others. free() holds nothing: undo frees what was allocated after the snapshot began, as
 * undo is empty then. What else changes in a page, its header and free blocks, no snapshot reads. Holding and giving back
 * need no memory.
 */

import { assert } from '../base/assert.ts';
import type { Memory } from '../base/memory.ts';
import { REFS_PER_PAGE } from '../base/memory.ts';

/** Block sizes: all up to 32 units, then those that divide a page well. */
const CLASS_UNITS: Int32Array = Int32Array.from([
  ...Array.from({ length: 32 }, (_, index) => index + 1),
  ...[34, 36, 39, 42, 46, 51, 56, 63, 73, 85, 102, 113, 127, 146, 170, 204, 255, 340, 511],
]);
/** Units of the largest slab block. */
export const SLAB_BLOCK_UNITS_MAX = 511;
/** Class by units. */
const CLASS_OF_UNITS: Uint8Array = new Uint8Array(SLAB_BLOCK_UNITS_MAX + 1);
for (let units = 0, size = 0; units <= SLAB_BLOCK_UNITS_MAX; units++) {
  if (units > CLASS_UNITS[size]!) size++;
  CLASS_OF_UNITS[units] = size;
}

const BLOCKS = 0;
const UNITS = 1;
const PAGES = 2;
const FIRST_PAGE = 3;
const SNAPSHOTS = 4;
const IS_FROZEN = 5;
const FIRST_HELD = 6;
const HELD = 7;
/** Units of a page's header. */
const HEADER_UNITS = 2;
const LARGE_UNITS = 0xffff;
/** In word 0 of a block: it is held. The word 0 of a value is its length, which is less. */
const HELD_BIT = 1 << 31;
/** Length of a value in the heap, from its word 0, also while it may be held. */
export const LENGTH_MASK = 0x7fffffff;
const LISTS = 8;
/** Words of the heap's state in the root page. */
export const HEAP_WORDS = 128;

assert(LISTS + CLASS_UNITS.length <= HEAP_WORDS, 'the lists of a heap fit into the root page');

export class Heap {
  /** Of the run that allocateRun() has given: its blocks, and units of each. */
  runCount = 0;
  runUnits = 0;
  readonly #i32: Int32Array[];
  readonly #memory: Memory;
  readonly #root: Int32Array;
  readonly #base: number;

  /** The heap whose state is at root[base …]; zeroed words are an empty heap. */
  constructor(memory: Memory, root: Int32Array, base: number) {
    this.#memory = memory;
    this.#i32 = memory.i32;
    this.#root = root;
    this.#base = base;
  }

  /** A block of at least that many units; contents undefined. Throws out_of_memory, and then nothing has changed. */
  allocate(units: number): number {
    if (units > SLAB_BLOCK_UNITS_MAX) return this.#allocateLarge(units);
    const size = CLASS_OF_UNITS[units]!;
    const root = this.#root;
    let page = root[this.#base + LISTS + size]!;
    if (page === 0) page = this.#addPage(size);
    const words = this.#i32[page >>> 16]!;
    const at = (page & 0xffff) << 12;
    const state = words[at]!;
    const blockUnits = state >>> 16;
    const frees = words[at + 3]!;
    let unit = frees & 0xffff;
    let bump = frees >>> 16;
    if (unit !== 0) {
      const next = words[at + (unit << 2)]!;
      words[at + 3] = (bump << 16) | next;
      if (next === 0 && bump + blockUnits > REFS_PER_PAGE) this.#unlink(size, page, words, at);
    } else {
      unit = bump;
      bump += blockUnits;
      words[at + 3] = bump << 16;
      if (bump + blockUnits > REFS_PER_PAGE) this.#unlink(size, page, words, at);
    }
    words[at] = state + 1;
    root[this.#base + BLOCKS]! += 1;
    root[this.#base + UNITS]! += blockUnits;
    return (page * REFS_PER_PAGE + unit) >>> 0;
  }

  /**
   * Up to `countMax` slab blocks of at least that many units, one behind another in a page; gives the first, and leaves their
   * number in runCount and the units of each in runUnits. Throws out_of_memory, and then nothing has changed.
   */
  allocateRun(units: number, countMax: number): number {
    const size = CLASS_OF_UNITS[units]!;
    const root = this.#root;
    const list = this.#base + LISTS + size;
    const page = root[list] === 0 ? this.#addPage(size) : root[list]!;
    const words = this.#i32[page >>> 16]!;
    const at = (page & 0xffff) << 12;
    const frees = words[at + 3]!;
    const blockUnits = words[at]! >>> 16;
    this.runUnits = blockUnits;
    if ((frees & 0xffff) !== 0) {
      this.runCount = 1;
      return this.allocate(units);
    }
    const unit = frees >>> 16;
    const count = Math.min(countMax, Math.floor((REFS_PER_PAGE - unit) / blockUnits));
    const bump = unit + count * blockUnits;
    words[at + 3] = bump << 16;
    if (bump + blockUnits > REFS_PER_PAGE) this.#unlink(size, page, words, at);
    words[at]! += count;
    root[this.#base + BLOCKS]! += count;
    root[this.#base + UNITS]! += count * blockUnits;
    this.runCount = count;
    return (page * REFS_PER_PAGE + unit) >>> 0;
  }

  /** Takes over all pages and blocks of another heap of the same memory, whose words are given: it is used no more. */
  absorb(other: Int32Array): void {
    const root = this.#root;
    const base = this.#base;
    assert(other[IS_FROZEN] === 0 && other[SNAPSHOTS] === 0, 'a heap that is taken over has no snapshot');
    for (const count of [BLOCKS, UNITS, PAGES]) root[base + count]! += other[count]!;
    root[base + FIRST_PAGE] = this.#append(other[FIRST_PAGE]!, root[base + FIRST_PAGE]!, 4);
    for (let list = LISTS; list < LISTS + CLASS_UNITS.length; list++)
      root[base + list] = this.#append(other[list]!, root[base + list]!, 1);
  }

  /** Joins two lists of pages, linked by the words `next` and the one behind it; gives the first page. */
  #append(first: number, second: number, next: number): number {
    if (first === 0 || second === 0) return first === 0 ? second : first;
    let last = first;
    for (;;) {
      const at = ((last & 0xffff) << 12) + next;
      const words = this.#i32[last >>> 16]!;
      if (words[at] === 0) {
        words[at] = second;
        break;
      }
      last = words[at]!;
    }
    this.#i32[second >>> 16]![((second & 0xffff) << 12) + next + 1] = last;
    return first;
  }

  /** Frees a block: it may be given out again at once. Never allocates, never fails. */
  free(ref: number): void {
    const unit = ref & (REFS_PER_PAGE - 1);
    const page = ref >>> 10;
    const root = this.#root;
    const words = this.#i32[page >>> 16]!;
    const at = (page & 0xffff) << 12;
    const blockUnits = words[at]! >>> 16;
    root[this.#base + BLOCKS]! -= 1;
    root[this.#base + UNITS]! -= blockUnits === LARGE_UNITS ? this.#largeUnits(page) : blockUnits;
    this.#freePlace(page, unit, words, at);
  }

  /** The same for a block that a final transaction gave up: while a snapshot may read it, it is held. */
  release(ref: number): void {
    const root = this.#root;
    const page = ref >>> 10;
    const words = this.#i32[page >>> 16]!;
    const at = (page & 0xffff) << 12;
    if (root[this.#base + IS_FROZEN] === 0 || words[at + 6] === root[this.#base + SNAPSHOTS]) {
      this.free(ref);
      return;
    }
    const block = (ref & 0x3ffffff) << 2;
    assert(words[block]! >= 0, 'a block is freed once');
    words[block]! |= HELD_BIT;
    const blockUnits = words[at]! >>> 16;
    root[this.#base + BLOCKS]! -= 1;
    root[this.#base + UNITS]! -= blockUnits === LARGE_UNITS ? this.#largeUnits(page) : blockUnits;
    root[this.#base + HELD]! += 1;
    if (words[at + 7] !== 0) return;
    const next = root[this.#base + FIRST_HELD]!;
    words[at + 7] = next === 0 ? -1 : next;
    root[this.#base + FIRST_HELD] = page;
  }

  /** A snapshot begins: from now on release() holds back what it may read. */
  freeze(): void {
    const root = this.#root;
    assert(root[this.#base + IS_FROZEN] === 0 && root[this.#base + FIRST_HELD] === 0, 'one snapshot at a time');
    root[this.#base + SNAPSHOTS]! += 1;
    root[this.#base + IS_FROZEN] = 1;
  }

  /** The snapshot is over: held blocks may be given back. */
  thaw(): void {
    this.#root[this.#base + IS_FROZEN] = 0;
  }

  /** Frees the held blocks of at most so many pages; true when none are left. Not while a snapshot is on. */
  giveBack(pageLimit: number): boolean {
    const root = this.#root;
    const list = this.#base + FIRST_HELD;
    if (root[list] === 0) return true;
    assert(root[this.#base + IS_FROZEN] === 0, 'blocks are held while the snapshot is on');
    for (let left = pageLimit; root[list] !== 0 && left > 0; left--) {
      const page = root[list]!;
      const words = this.#i32[page >>> 16]!;
      const at = (page & 0xffff) << 12;
      root[list] = words[at + 7] === -1 ? 0 : words[at + 7]!;
      words[at + 7] = 0;
      this.#giveBackPage(page, words, at);
    }
    if (root[list] !== 0) return false;
    assert(root[this.#base + HELD] === 0, 'held blocks are counted');
    return true;
  }

  /** Held blocks: their places are not free, but nothing uses them. */
  heldCount(): number {
    return this.#root[this.#base + HELD]!;
  }

  #giveBackPage(page: number, words: Int32Array, at: number): void {
    const blockUnits = words[at]! >>> 16;
    const end = blockUnits === LARGE_UNITS ? HEADER_UNITS + 1 : words[at + 3]! >>> 16;
    for (let unit = HEADER_UNITS; unit < end; unit += blockUnits) {
      if (words[at + (unit << 2)]! >= 0) continue;
      words[at + (unit << 2)]! &= LENGTH_MASK;
      this.#root[this.#base + HELD]! -= 1;
      const isLast = (words[at]! & 0xffff) === 1;
      this.#freePlace(page, unit, words, at);
      // The page may be gone.
      if (isLast) return;
    }
  }

  /** Makes the place of a block free. */
  #freePlace(page: number, unit: number, words: Int32Array, at: number): void {
    const state = words[at]!;
    const blockUnits = state >>> 16;
    assert((state & 0xffff) > 0, 'a block is freed once');
    if (blockUnits === LARGE_UNITS) {
      words[at] = 0;
      this.#abandon(page, words, at, this.#memory.pageCountOf(page));
      return;
    }
    const frees = words[at + 3]!;
    const bump = frees >>> 16;
    const wasFull = (frees & 0xffff) === 0 && bump + blockUnits > REFS_PER_PAGE;
    words[at] = state - 1;
    words[at + (unit << 2)] = frees & 0xffff;
    words[at + 3] = (bump << 16) | unit;
    const size = CLASS_OF_UNITS[blockUnits]!;
    if (wasFull) this.#link(size, page, words, at);
    if ((state & 0xffff) === 1) this.#pageEmptied(size, page, words, at);
  }

  #largeUnits(page: number): number {
    return this.#memory.pageCountOf(page) * REFS_PER_PAGE;
  }

  /** Blocks in use. */
  blockCount(): number {
    return this.#root[this.#base + BLOCKS]!;
  }

  /** Bytes of the blocks in use, by their size classes. */
  usedBytes(): number {
    return (this.#root[this.#base + UNITS]! >>> 0) * 16;
  }

  /** Pages taken. */
  pageCount(): number {
    return heapPageCount(this.#root, this.#base);
  }

  /** Gives all pages back; the heap is empty afterwards. Not while a snapshot is on. */
  clear(): void {
    freeHeapPages(this.#memory, this.abandonAll());
  }

  /** The first of all pages; 0 = none. */
  firstPage(): number {
    return this.#root[this.#base + FIRST_PAGE]!;
  }

  /** Forgets all pages, for freeHeapPages() by whoever needs them last; gives the first. The heap is empty afterwards. */
  abandonAll(): number {
    const page = this.#root[this.#base + FIRST_PAGE]!;
    this.#root.fill(0, this.#base, this.#base + HEAP_WORDS);
    return page;
  }

  #addPage(size: number): number {
    const page = this.#memory.allocate(1);
    const words = this.#i32[page >>> 16]!;
    const at = (page & 0xffff) << 12;
    words[at] = CLASS_UNITS[size]! << 16;
    words[at + 3] = HEADER_UNITS << 16;
    this.#adopt(page, words, at, 1);
    this.#link(size, page, words, at);
    return page;
  }

  /** Puts a page into the list of all. */
  #adopt(page: number, words: Int32Array, at: number, pageCount: number): void {
    const next = this.#root[this.#base + FIRST_PAGE]!;
    words[at + 4] = next;
    words[at + 5] = 0;
    words[at + 6] = this.#root[this.#base + SNAPSHOTS]!;
    words[at + 7] = 0;
    if (next !== 0) this.#i32[next >>> 16]![((next & 0xffff) << 12) + 5] = page;
    this.#root[this.#base + FIRST_PAGE] = page;
    this.#root[this.#base + PAGES]! += pageCount;
  }

  /** Takes a page out of the list of all, and gives it back. */
  #abandon(page: number, words: Int32Array, at: number, pageCount: number): void {
    const next = words[at + 4]!;
    const previous = words[at + 5]!;
    if (next !== 0) this.#i32[next >>> 16]![((next & 0xffff) << 12) + 5] = previous;
    if (previous !== 0) this.#i32[previous >>> 16]![((previous & 0xffff) << 12) + 4] = next;
    else this.#root[this.#base + FIRST_PAGE] = next;
    this.#root[this.#base + PAGES]! -= pageCount;
    this.#memory.free(page, pageCount);
  }

  #link(size: number, page: number, words: Int32Array, at: number): void {
    const list = this.#base + LISTS + size;
    const next = this.#root[list]!;
    words[at + 1] = next;
    words[at + 2] = 0;
    if (next !== 0) this.#i32[next >>> 16]![((next & 0xffff) << 12) + 2] = page;
    this.#root[list] = page;
  }

  #unlink(size: number, page: number, words: Int32Array, at: number): void {
    const next = words[at + 1]!;
    const previous = words[at + 2]!;
    if (next !== 0) this.#i32[next >>> 16]![((next & 0xffff) << 12) + 2] = previous;
    if (previous !== 0) this.#i32[previous >>> 16]![((previous & 0xffff) << 12) + 1] = next;
    else {
      assert(this.#root[this.#base + LISTS + size] === page, 'a slab page with room is in its list');
      this.#root[this.#base + LISTS + size] = next;
    }
  }

  /** A page without blocks goes back, unless it is the only one of its class with room: then it starts afresh. */
  #pageEmptied(size: number, page: number, words: Int32Array, at: number): void {
    if (words[at + 1] === 0 && words[at + 2] === 0) {
      words[at + 3] = HEADER_UNITS << 16;
      return;
    }
    this.#unlink(size, page, words, at);
    this.#abandon(page, words, at, 1);
  }

  #allocateLarge(units: number): number {
    const pageCount = Math.ceil((units + HEADER_UNITS) / REFS_PER_PAGE);
    const page = this.#memory.allocate(pageCount);
    const words = this.#i32[page >>> 16]!;
    const at = (page & 0xffff) << 12;
    words[at] = (LARGE_UNITS << 16) | 1;
    this.#adopt(page, words, at, pageCount);
    this.#root[this.#base + BLOCKS]! += 1;
    this.#root[this.#base + UNITS]! += pageCount * REFS_PER_PAGE;
    return (page * REFS_PER_PAGE + HEADER_UNITS) >>> 0;
  }
}

/** Units of a block for a value of that many bytes behind its u32 length. */
export function valueUnits(byteLength: number): number {
  return (byteLength + 19) >>> 4;
}

/** Pages of the heap whose words are at root[base …]. */
export function heapPageCount(root: Int32Array, base: number): number {
  return root[base + PAGES]!;
}

/** Gives back the pages of a heap from the first one on; of one that is used no more. */
export function freeHeapPages(memory: Memory, firstPage: number): void {
  let page = firstPage;
  while (page !== 0) {
    const next = memory.i32[page >>> 16]![((page & 0xffff) << 12) + 4]!;
    memory.free(page, memory.pageCountOf(page));
    page = next;
  }
}
