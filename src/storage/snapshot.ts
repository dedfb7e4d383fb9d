/**
 * A snapshot of a partition: its rows as they were when it was frozen, for a thread that reads them while the owner goes on.
 * Frozen and changed by copy-on-write.ts, on the owner's side; read here. docs/internals/checkpoint.md says why it is exact.
 *
 * The description lies in pages of its own, found from the partition's root (ROOT_SNAPSHOT) or passed on as a page number. In
 * 32-bit words; all but 1, 10, 11 and the links are written in the drained fence and never after:
 *
 * | word | what                                                                                           |
 * | ---: | ---------------------------------------------------------------------------------------------- |
 * |    0 | SNAPSHOT_MAGIC                                                                                 |
 * |    1 | state, below                                                                                   |
 * |    2 | table id                                                                                       |
 * |    3 | partition id                                                                                   |
 * |    4 | LSN, low word                                                                                  |
 * |    5 | LSN, high word                                                                                 |
 * |    6 | live rows                                                                                      |
 * |    7 | next row: highest used slot + 1                                                                |
 * |    8 | segments                                                                                       |
 * |    9 | entries of a segment: 1 + columns                                                              |
 * |   10 | returned allocations: entry + 1 of the last one, 0 = none. Pushed by the reader with CAS       |
 * |   11 | ORPHANED: first page of the value heap, which is the snapshot's to free; written by the owner  |
 * |  16… | an entry an allocation, two words: first page (0 = the column lies in the head run), and link: |
 * |      | entry + 1 of the allocation returned before it. Entry 0 of a segment is its head run, 1 + c the |
 * |      | run of column c                                                                                |
 *
 * States, each change by CAS:
 *
 *   FROZEN ── finish: the reader has let go of every allocation ─▶ DONE      the owner takes the rest down (thaw)
 *   FROZEN ── abandon: the owner drops or empties the partition ─▶ ORPHANED  the reader goes on, and takes it down itself
 *
 * While FROZEN, the live rows of the description are read through its entries. Values in the heap are found by the refs in
 * the columns: their blocks stay what they are, but for bit 31 of word 0 (heap.ts): readers mask lengths by LENGTH_MASK.
 *
 * An allocation that the reader has read is the owner's again, or, ORPHANED meanwhile, is returned: the owner frees it
 * between two parts. So what a part has read in place (ref of a uuid, of an interval) stays good until the part ends, though
 * the part itself made the copy that orphaned it.
 */

import { assert } from '../base/assert.ts';
import type { Memory } from '../base/memory.ts';
import { REFS_PER_PAGE, WORDS_PER_PAGE } from '../base/memory.ts';
import type { TableDefinition } from '../catalog/catalog.ts';
import { freeHeapPages } from './heap.ts';
import { ROOT_SNAPSHOT, type SegmentLayout, segmentLayout } from './layout.ts';
import type { RowSource } from './row-block.ts';

export const SNAPSHOT_MAGIC = 0x50414e53;
export const SNAPSHOT_STATE = 1;
export const SNAPSHOT_TABLE = 2;
export const SNAPSHOT_PARTITION = 3;
export const SNAPSHOT_LSN_LOW = 4;
export const SNAPSHOT_LSN_HIGH = 5;
export const SNAPSHOT_ROWS = 6;
export const SNAPSHOT_NEXT_ROW = 7;
export const SNAPSHOT_SEGMENTS = 8;
export const SNAPSHOT_STRIDE = 9;
export const SNAPSHOT_RETURNED = 10;
export const SNAPSHOT_HEAP_PAGE = 11;
export const SNAPSHOT_ENTRIES = 16;

export const SNAPSHOT_DONE = 1;
export const SNAPSHOT_FROZEN = 2;
export const SNAPSHOT_ORPHANED = 3;

/** The page of the description of the snapshot that is on over a partition; 0 = none. For any thread, in the drained fence. */
export function snapshotPageOf(memory: Memory, rootPage: number): number {
  return memory.i32[rootPage >>> 16]![((rootPage & 0xffff) << 12) + ROOT_SNAPSHOT]!;
}

/** The words of a description. */
export function snapshotWords(memory: Memory, page: number): Int32Array {
  const start = (page & 0xffff) << 12;
  const words = memory.i32[page >>> 16]!.subarray(start, start + memory.pageCountOf(page) * WORDS_PER_PAGE);
  assert(words[0] === SNAPSHOT_MAGIC, 'a description is where the partition says');
  return words;
}

/** Takes the list of returned allocations and frees them, or hands each to `keep`, which says whether it has taken it. */
export function takeReturned(
  memory: Memory,
  words: Int32Array,
  keep?: (page: number, pageCount: number) => boolean,
): void {
  if (Atomics.load(words, SNAPSHOT_RETURNED) === 0) return;
  let entry = Atomics.exchange(words, SNAPSHOT_RETURNED, 0);
  while (entry !== 0) {
    const at = SNAPSHOT_ENTRIES + (entry - 1) * 2;
    const page = words[at]!;
    const pageCount = memory.pageCountOf(page);
    entry = words[at + 1]!;
    if (keep === undefined || !keep(page, pageCount)) memory.free(page, pageCount);
  }
}

/**
 * Reads one partition's snapshot, in any thread, by itself alone: row-block.ts makes blocks of it. Segments are let go of one
 * by one (releaseSegment), in any order; finish() ends it, also where nothing or not all was read.
 */
export class SnapshotReader implements RowSource {
  readonly layout: SegmentLayout;
  readonly tableId: number;
  readonly partitionId: number;
  /** The state is exactly that after this LSN. */
  readonly lsn: number;
  readonly rowCount: number;
  /** One more than the highest row slot in use. */
  readonly rowEnd: number;
  readonly segmentCount: number;
  readonly i32: readonly Int32Array[];
  readonly i16: readonly Int16Array[];
  readonly u8: readonly Uint8Array[];
  readonly liveRefs: Int32Array;
  readonly columnRefs: readonly Int32Array[];
  readonly nullRefs: readonly Int32Array[];
  readonly #memory: Memory;
  readonly #page: number;
  readonly #words: Int32Array;
  /** By segment: 1 when it was let go of. */
  readonly #isReleased: Uint8Array;
  #isFinished = false;

  /** @param table the definition as it was in the fence; @param page page of the description */
  constructor(memory: Memory, table: TableDefinition, page: number) {
    const words = snapshotWords(memory, page);
    const layout = segmentLayout(table);
    assert(words[SNAPSHOT_TABLE] === table.id, 'the description is of this table');
    assert(words[SNAPSHOT_STRIDE] === 1 + layout.columnCount, 'the definition is that of the snapshot');
    this.#memory = memory;
    this.#page = page;
    this.#words = words;
    this.layout = layout;
    this.tableId = table.id;
    this.partitionId = words[SNAPSHOT_PARTITION]!;
    this.lsn = words[SNAPSHOT_LSN_HIGH]! * 4294967296 + (words[SNAPSHOT_LSN_LOW]! >>> 0);
    this.rowCount = words[SNAPSHOT_ROWS]!;
    this.rowEnd = words[SNAPSHOT_NEXT_ROW]!;
    this.segmentCount = words[SNAPSHOT_SEGMENTS]!;
    this.i32 = memory.i32;
    this.i16 = memory.i16;
    this.u8 = memory.u8;
    this.liveRefs = new Int32Array(this.segmentCount);
    this.columnRefs = Array.from(table.columns, () => new Int32Array(this.segmentCount));
    this.nullRefs = Array.from(table.columns, () => new Int32Array(this.segmentCount));
    this.#isReleased = new Uint8Array(this.segmentCount);
    for (let segment = 0; segment < this.segmentCount; segment++) this.#open(segment);
  }

  /** Nothing of the segment is read any more: each allocation is the owner's again, or returned. */
  releaseSegment(segment: number): void {
    const words = this.#words;
    assert(this.#isReleased[segment] === 0, 'a segment is let go of once');
    this.#isReleased[segment] = 1;
    const stride = words[SNAPSHOT_STRIDE]!;
    for (let entry = segment * stride; entry < (segment + 1) * stride; entry++) {
      const page = words[SNAPSHOT_ENTRIES + entry * 2]!;
      if (page !== 0 && !this.#memory.letGo(page)) this.#return(entry);
    }
  }

  /** Lets go of all that is left. The object must not be used any more; wake the owner, so that it takes down the rest. */
  finish(): void {
    assert(!this.#isFinished, 'a snapshot is finished once');
    this.#isFinished = true;
    const words = this.#words;
    const memory = this.#memory;
    for (let segment = 0; segment < this.segmentCount; segment++) {
      if (this.#isReleased[segment] === 0) this.releaseSegment(segment);
    }
    const seen = Atomics.compareExchange(words, SNAPSHOT_STATE, SNAPSHOT_FROZEN, SNAPSHOT_DONE);
    if (seen === SNAPSHOT_FROZEN) return;
    assert(seen === SNAPSHOT_ORPHANED, 'a snapshot is finished once');
    takeReturned(memory, words);
    freeHeapPages(memory, words[SNAPSHOT_HEAP_PAGE]!);
    words[0] = 0;
    memory.free(this.#page, memory.pageCountOf(this.#page));
  }

  #open(segment: number): void {
    const { layout } = this;
    const words = this.#words;
    const first = SNAPSHOT_ENTRIES + segment * words[SNAPSHOT_STRIDE]! * 2;
    const head = words[first]! * REFS_PER_PAGE;
    this.liveRefs[segment] = head;
    for (let column = 0; column < layout.columnCount; column++) {
      const page = words[first + 2 + column * 2]!;
      this.columnRefs[column]![segment] = page === 0 ? head + layout.headOffsets[column]! / 16 : page * REFS_PER_PAGE;
      this.nullRefs[column]![segment] = head + layout.nullOffsets[column]! / 16;
    }
  }

  #return(entry: number): void {
    const words = this.#words;
    for (;;) {
      const before = Atomics.load(words, SNAPSHOT_RETURNED);
      words[SNAPSHOT_ENTRIES + entry * 2 + 1] = before;
      if (Atomics.compareExchange(words, SNAPSHOT_RETURNED, before, entry + 1) === before) return;
    }
  }
}
