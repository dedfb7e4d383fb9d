/**
 * The owner's side of a snapshot of a partition (description and states: snapshot.ts): freezing it in a drained fence, copying
 * what is frozen before the first write to it, and taking the rest down when the snapshot is over.
 *
 *   (none) ── freezePartition ──▶ FROZEN ── reader: finish ──▶ DONE ── thawPartition, again and again ──▶ (none)
 *                                 FROZEN ── abandonSnapshot: drop, truncate ──▶ the reader's; (none) for the partition
 *
 * While FROZEN, whoever changes a row of the first `frozenEnd` segments makes them its own first: makeSegmentOwn before an
 * insert, makeColumnOwn before an update of a column, makeHeadOwn before a delete. They may throw out_of_memory; rows are the
 * same before and after. Undo and release write only where the change that they follow has written, and undo is empty when a
 * snapshot begins, so what they write is the owner's already: they copy nothing and never fail. Where they give a whole
 * segment up, its frozen allocations are orphaned, which needs no memory either.
 *
 * With no snapshot `frozenEnd` is 0: a write costs one comparison more.
 */

import { assert } from '../base/assert.ts';
import { PAGE_BYTES } from '../base/limits.ts';
import type { Memory } from '../base/memory.ts';
import { WORDS_PER_PAGE } from '../base/memory.ts';
import type { TableDefinition } from '../catalog/catalog.ts';
import {
  ROOT_NEXT_ROW,
  ROOT_ROWS,
  ROOT_SNAPSHOT,
  SEGMENT_COLUMNS,
  SEGMENT_HEAD_PAGE,
  segmentLayout,
} from './layout.ts';
import type { Partition } from './partition.ts';
import {
  SNAPSHOT_DONE,
  SNAPSHOT_ENTRIES,
  SNAPSHOT_FROZEN,
  SNAPSHOT_HEAP_PAGE,
  SNAPSHOT_LSN_HIGH,
  SNAPSHOT_LSN_LOW,
  SNAPSHOT_MAGIC,
  SNAPSHOT_NEXT_ROW,
  SNAPSHOT_ORPHANED,
  SNAPSHOT_PARTITION,
  SNAPSHOT_ROWS,
  SNAPSHOT_SEGMENTS,
  SNAPSHOT_STATE,
  SNAPSHOT_STRIDE,
  SNAPSHOT_TABLE,
  snapshotWords,
  takeReturned,
} from './snapshot.ts';

/** Runs of more pages than this are not kept: those of columns have 1, 2 or 4. */
const RESERVE_RUN_PAGES_MAX = 4;
/** Of the operating system, which gives memory by 4 KiB at its first touch: 64 MiB take 30 ms so, 42 ms where all is written. */
const SYSTEM_PAGE_WORDS = 1024;

/**
 * Pages of a node for copies, all touched before: a first touch costs more than the copy. Made before the snapshot begins
 * (touchedRuns), kept full by what the snapshot returns, given back after it.
 */
export class CopyReserve {
  readonly #memory: Memory;
  readonly #pagesMax: number;
  /** First pages, by length of the run. */
  readonly #runs: number[][] = Array.from({ length: RESERVE_RUN_PAGES_MAX + 1 }, () => []);
  #pages = 0;

  constructor(memory: Memory, bytesMax: number) {
    this.#memory = memory;
    this.#pagesMax = Math.floor(bytesMax / PAGE_BYTES);
  }

  /** Takes a run over; false where it does not fit, and then it stays the caller's. */
  keep(page: number, pageCount: number): boolean {
    if (pageCount > RESERVE_RUN_PAGES_MAX || this.#pages + pageCount > this.#pagesMax) return false;
    this.#runs[pageCount]!.push(page);
    this.#pages += pageCount;
    return true;
  }

  /** A run of that length; 0 where there is none. */
  take(pageCount: number): number {
    const page = this.#runs[pageCount]?.pop() ?? 0;
    if (page !== 0) this.#pages -= pageCount;
    return page;
  }

  /** Gives everything back. */
  drain(): void {
    for (const [pageCount, pages] of this.#runs.entries())
      for (let page = pages.pop(); page !== undefined; page = pages.pop()) this.#memory.free(page, pageCount);
    this.#pages = 0;
  }
}

/**
 * First pages of runs for a reserve, touched: for snapshots of those tables, of about that many bytes, or fewer where memory
 * has run out. Safe from any thread.
 */
export function touchedRuns(memory: Memory, tables: readonly TableDefinition[], byteCount: number): number[] {
  const lengths = new Set<number>();
  for (const table of tables) {
    const layout = segmentLayout(table);
    for (const pageCount of [layout.headPages, ...layout.pageCounts])
      if (pageCount > 0 && pageCount <= RESERVE_RUN_PAGES_MAX) lengths.add(pageCount);
  }
  const pages: number[] = [];
  for (const pageCount of lengths) {
    const bytesEach = pageCount * PAGE_BYTES;
    for (let left = byteCount / lengths.size; left >= bytesEach; left -= bytesEach) {
      let page: number;
      try {
        page = memory.allocate(pageCount);
      } catch {
        // A reserve is a matter of speed only.
        return pages;
      }
      pages.push(page);
      const start = (page & 0xffff) << 12;
      const end = start + pageCount * WORDS_PER_PAGE;
      const words = memory.i32[page >>> 16]!;
      for (let word = start; word < end; word += SYSTEM_PAGE_WORDS) words[word] = 0;
    }
  }
  return pages;
}

/**
 * Begins a snapshot: in a drained fence, with undo empty. Everything before has to be taken down (thawPartition gave true).
 * Returns the page of the description. Throws out_of_memory, and then nothing has changed.
 */
export function freezePartition(partition: Partition, lsn: number): number {
  const { memory, layout, root, directory, segmentCount } = partition;
  assert(root[ROOT_SNAPSHOT] === 0, 'one snapshot at a time');
  const stride = 1 + layout.columnCount;
  const page = memory.allocate(Math.ceil((SNAPSHOT_ENTRIES + segmentCount * stride * 2) / WORDS_PER_PAGE));
  const start = (page & 0xffff) << 12;
  memory.i32[page >>> 16]!.fill(0, start, start + SNAPSHOT_ENTRIES + segmentCount * stride * 2);
  memory.i32[page >>> 16]![start] = SNAPSHOT_MAGIC;
  const words = snapshotWords(memory, page);
  words[SNAPSHOT_TABLE] = partition.table.id;
  words[SNAPSHOT_PARTITION] = partition.definition.id;
  words[SNAPSHOT_LSN_LOW] = lsn | 0;
  words[SNAPSHOT_LSN_HIGH] = Math.floor(lsn / 4294967296);
  words[SNAPSHOT_ROWS] = root[ROOT_ROWS]!;
  words[SNAPSHOT_NEXT_ROW] = root[ROOT_NEXT_ROW]!;
  words[SNAPSHOT_SEGMENTS] = segmentCount;
  words[SNAPSHOT_STRIDE] = stride;
  let at = SNAPSHOT_ENTRIES;
  for (let segment = 0; segment < segmentCount; segment++) {
    const entry = segment * partition.stride;
    for (let place = -1; place < layout.columnCount; place++, at += 2) {
      const run = directory[place < 0 ? entry + SEGMENT_HEAD_PAGE : entry + SEGMENT_COLUMNS + place]!;
      words[at] = run;
      if (run !== 0) memory.freeze(run);
    }
  }
  partition.valueHeap.freeze();
  Atomics.store(words, SNAPSHOT_STATE, SNAPSHOT_FROZEN);
  root[ROOT_SNAPSHOT] = page;
  partition.frozenEnd = segmentCount;
  return page;
}

/** How many segments of a partition may be frozen: for the owner, when it opens a partition. */
export function frozenSegments(partition: Partition): number {
  const page = partition.root[ROOT_SNAPSHOT]!;
  return page === 0 ? 0 : snapshotWords(partition.memory, page)[SNAPSHOT_SEGMENTS]!;
}

/** Before an insert into a row slot of the segment. Throws out_of_memory. */
export function makeSegmentOwn(partition: Partition, segment: number): void {
  for (let place = -1; place < partition.layout.columnCount; place++) makeOwn(partition, segment, place);
}

/** Before a change of live and used rows, null flags and narrow columns of the segment. Throws out_of_memory. */
export function makeHeadOwn(partition: Partition, segment: number): void {
  makeOwn(partition, segment, -1);
}

/** Before a column of a row is set. Throws out_of_memory. */
export function makeColumnOwn(partition: Partition, row: number, column: number, isNull: boolean): void {
  const isInHead = partition.layout.pageCounts[column] === 0;
  if (isInHead || partition.isNull(row, column) !== isNull) makeOwn(partition, row >>> 12, -1);
  if (!isInHead) makeOwn(partition, row >>> 12, column);
}

/** Asserts that what undo or release are about to write needs no copy. */
export function assertHeadOwn(partition: Partition, row: number): void {
  const head = partition.directory[(row >>> 12) * partition.stride + SEGMENT_HEAD_PAGE]!;
  assert(!partition.memory.isFrozen(head), 'undo and release write what the change has copied');
}

/** Copies an allocation of a segment if it is frozen: its head run (place -1), or the run of a column. */
function makeOwn(partition: Partition, segment: number, place: number): void {
  const { memory, directory } = partition;
  const entry = segment * partition.stride;
  const page = directory[place < 0 ? entry + SEGMENT_HEAD_PAGE : entry + SEGMENT_COLUMNS + place]!;
  if (page === 0 || !memory.isFrozen(page)) return;
  const pageCount = memory.pageCountOf(page);
  const reserve = partition.reserve;
  let copy = reserve === undefined ? 0 : reserve.take(pageCount);
  if (copy === 0) copy = memory.allocate(pageCount);
  memory.copy(page, copy);
  if (memory.orphan(page)) partition.moveRun(segment, place, copy);
  else if (reserve === undefined || !reserve.keep(copy, pageCount)) memory.free(copy, pageCount);
}

/**
 * Before the partition is dropped or emptied: leaves a snapshot that is on to its reader, with the value heap. Any thread, in a
 * drained fence. What the segments have is orphaned when they are freed.
 */
export function abandonSnapshot(partition: Partition): void {
  const { memory, root, valueHeap } = partition;
  const page = root[ROOT_SNAPSHOT]!;
  partition.frozenEnd = 0;
  if (page === 0) return;
  root[ROOT_SNAPSHOT] = 0;
  const words = snapshotWords(memory, page);
  const heapPage = valueHeap.firstPage();
  words[SNAPSHOT_HEAP_PAGE] = heapPage;
  const seen = Atomics.compareExchange(words, SNAPSHOT_STATE, SNAPSHOT_FROZEN, SNAPSHOT_ORPHANED);
  // From here on the description is the reader's, if it was FROZEN.
  if (seen === SNAPSHOT_FROZEN) {
    assert(valueHeap.abandonAll() === heapPage, 'nothing else happens in a drained fence');
    return;
  }
  assert(seen === SNAPSHOT_DONE, 'a snapshot is abandoned once');
  takeDown(partition, words, page);
}

/**
 * Takes over what a snapshot returned, and takes it down when it is over; frees the held blocks of at most so many heap pages.
 * True when nothing is left of it. Only for the owner, between two parts. Never allocates, never fails.
 */
export function thawPartition(partition: Partition, heapPageLimit: number): boolean {
  const page = partition.root[ROOT_SNAPSHOT]!;
  if (page !== 0) {
    const words = snapshotWords(partition.memory, page);
    const isDone = Atomics.load(words, SNAPSHOT_STATE) === SNAPSHOT_DONE;
    const reserve = partition.reserve;
    takeReturned(
      partition.memory,
      words,
      reserve === undefined ? undefined : (run, pageCount) => reserve.keep(run, pageCount),
    );
    if (!isDone) return false;
    partition.root[ROOT_SNAPSHOT] = 0;
    partition.frozenEnd = 0;
    takeDown(partition, words, page);
  }
  return partition.valueHeap.giveBack(heapPageLimit);
}

/** True: something of a snapshot is left, so thawPartition has to be called. */
export function needsThaw(partition: Partition): boolean {
  return partition.root[ROOT_SNAPSHOT] !== 0 || partition.valueHeap.heldCount() > 0;
}

/** The reader is done: every allocation is LIVE or returned. */
function takeDown(partition: Partition, words: Int32Array, page: number): void {
  const { memory } = partition;
  takeReturned(memory, words);
  partition.valueHeap.thaw();
  words[0] = 0;
  memory.free(page, memory.pageCountOf(page));
}
