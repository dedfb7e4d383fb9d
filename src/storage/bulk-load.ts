/**
 * Fills an empty partition in bulk: blocks of rows (row-block.ts) go into segments and heap as they come, and the indexes
 * are built by sorting when all rows are there. No undo, no redo: for loading a checkpoint, before any node runs.
 *
 *   FILLING ── append ──▶ FILLING ── buildIndexes (index-build.ts) ──▶ done
 *
 * While FILLING the indexes are empty, so nobody may use the partition.
 */

import { assert } from '../base/assert.ts';
import { SEGMENT_ROWS } from '../base/limits.ts';
import { SLAB_BLOCK_UNITS_MAX, valueUnits } from './heap.ts';
import { BITMAP_BYTES, ROOT_NEXT_ROW, ROOT_ROWS } from './layout.ts';
import type { Partition } from './partition.ts';
import { KIND_WIDTHS } from './row-block.ts';

/** Values of this many words or more are copied by one call. */
const BULK_WORDS = 64;

export class BlockLoader {
  readonly #partition: Partition;
  /** The block at hand. */
  #bytes: Uint8Array = new Uint8Array(0);
  #words: Int32Array = new Int32Array(0);
  #halves: Int16Array = new Int16Array(0);
  #at = 0;

  /** @param partition empty, open, and not used by anyone */
  constructor(partition: Partition) {
    assert(partition.rowCount === 0 && partition.rowEnd === 0, 'a partition is empty before it is loaded');
    this.#partition = partition;
  }

  /**
   * Adds the rows of a block, whose bytes begin at a multiple of 8 in private memory. Throws out_of_memory, and an Error that
   * says so when the block is not as its table needs it.
   */
  append(bytes: Uint8Array, rowCount: number): void {
    const partition = this.#partition;
    const { layout, root } = partition;
    const slot = root[ROOT_NEXT_ROW]! & (SEGMENT_ROWS - 1);
    if (rowCount < 1 || slot + rowCount > SEGMENT_ROWS) throw new Error(`a block of ${rowCount} rows at slot ${slot}`);
    if ((bytes.length & 7) !== 0) throw new Error(`a block of ${bytes.length} bytes`);
    this.#open(bytes);
    const row = partition.findSlot();
    const segment = row >>> 12;
    for (let column = 0; column < layout.columnCount; column++) {
      let nulls = -1;
      if (layout.nullOffsets[column] !== 0) {
        nulls = this.#take(((rowCount + 31) >>> 5) * 4) >> 2;
        this.#loadNulls(partition.nullRefs[column]![segment]!, nulls, slot, rowCount);
      }
      const kind = layout.kinds[column]!;
      const ref = partition.columnRefs[column]![segment]!;
      if (kind === 6) this.#loadValues(ref, nulls, slot, rowCount);
      else this.#loadFixed(ref, kind, slot, rowCount);
    }
    if (this.#at !== bytes.length) throw new Error(`a block has ${bytes.length - this.#at} bytes too many`);
    const live = partition.liveRefs[segment]!;
    const words = partition.i32[live >>> 26]!;
    const bitmap = (live & 0x3ffffff) << 2;
    setBits(words, bitmap, slot, slot + rowCount);
    setBits(words, bitmap + BITMAP_BYTES / 4, slot, slot + rowCount);
    root[ROOT_NEXT_ROW] = row + rowCount;
    root[ROOT_ROWS]! += rowCount;
  }

  #open(bytes: Uint8Array): void {
    assert((bytes.byteOffset & 7) === 0, 'a block begins at a multiple of 8');
    this.#bytes = bytes;
    this.#words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
    this.#halves = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length >> 1);
    this.#at = 0;
  }

  /** Passes a part of that many bytes, and its padding; gives where it begins. */
  #take(byteCount: number): number {
    const start = this.#at;
    this.#at = (start + byteCount + 7) & -8;
    if (this.#at > this.#bytes.length) throw new Error('a block is shorter than its rows');
    return start;
  }

  #loadFixed(ref: number, kind: number, slot: number, rowCount: number): void {
    const partition = this.#partition;
    const width = KIND_WIDTHS[kind]!;
    const start = this.#take(width * rowCount);
    const arena = ref >>> 26;
    const base = (ref & 0x3ffffff) << 4;
    if (width === 1) partition.u8[arena]!.set(this.#bytes.subarray(start, start + rowCount), base + slot);
    else if (width === 2)
      partition.i16[arena]!.set(this.#halves.subarray(start >> 1, (start >> 1) + rowCount), (base >> 1) + slot);
    else {
      const wordsEach = width >> 2;
      const from = start >> 2;
      const target = partition.i32[arena]!;
      target.set(this.#words.subarray(from, from + rowCount * wordsEach), (base >> 2) + slot * wordsEach);
    }
  }

  /** `nulls`: word of the block where the bitmap begins. The segment's bits are zero. */
  #loadNulls(ref: number, nulls: number, slot: number, rowCount: number): void {
    const target = this.#partition.i32[ref >>> 26]!;
    const bitmap = (ref & 0x3ffffff) << 2;
    const words = this.#words;
    let row = 0;
    if ((slot & 31) === 0)
      for (; row + 32 <= rowCount; row += 32) target[bitmap + ((slot + row) >>> 5)] = words[nulls + (row >>> 5)]!;
    for (; row < rowCount; row++) {
      const bit = (words[nulls + (row >>> 5)]! >>> (row & 31)) & 1;
      target[bitmap + ((slot + row) >>> 5)]! |= bit << ((slot + row) & 31);
    }
  }

  /** How many rows from `row` on, which is not NULL, have no NULL between them. */
  #countPresent(nulls: number, row: number, rowCount: number): number {
    let next = row + 1;
    while (next < rowCount && ((this.#words[nulls + (next >>> 5)]! >>> (next & 31)) & 1) === 0) next++;
    return next - row;
  }

  /** Puts the values of a column into the heap. `nulls`: word of the bitmap, -1 where there is none. */
  #loadValues(ref: number, nulls: number, slot: number, rowCount: number): void {
    const partition = this.#partition;
    const { i32, valueHeap } = partition;
    const words = this.#words;
    const refs = i32[ref >>> 26]!;
    const base = ((ref & 0x3ffffff) << 2) + slot;
    if (this.#at + 8 > this.#bytes.length) throw new Error('a block is shorter than its rows');
    const byteCount = words[this.#at >> 2]!;
    let from = (this.#take(4 + byteCount) >> 2) + 1;
    const end = from + (byteCount >>> 2);
    let row = 0;
    while (row < rowCount) {
      if (nulls >= 0 && ((words[nulls + (row >>> 5)]! >>> (row & 31)) & 1) !== 0) {
        row++;
        continue;
      }
      const length = from < end ? words[from]! : -1;
      const wordCount = 1 + ((length + 3) >>> 2);
      if (length < 0 || from + wordCount > end) throw new Error('a block has a value beyond its end');
      const units = valueUnits(length);
      if (units > SLAB_BLOCK_UNITS_MAX) {
        const block = valueHeap.allocate(units);
        i32[block >>> 26]!.set(words.subarray(from, from + wordCount), (block & 0x3ffffff) << 2);
        refs[base + row++] = block;
        from += wordCount;
        continue;
      }
      const rowMax = nulls < 0 ? rowCount - row : this.#countPresent(nulls, row, rowCount);
      const block = valueHeap.allocateRun(units, countAlike(words, from, end, wordCount, rowMax));
      const count = valueHeap.runCount;
      copyRun(words, from, wordCount, i32[block >>> 26]!, (block & 0x3ffffff) << 2, valueHeap.runUnits * 4, count);
      for (let index = 0; index < count; index++) refs[base + row + index] = block + index * valueHeap.runUnits;
      row += count;
      from += count * wordCount;
    }
    if (from !== end) throw new Error('a block has more values than rows');
  }
}

/** How many values from words[from] on, at most `countMax`, have `wordCount` words with their length, and end before `end`. */
function countAlike(words: Int32Array, from: number, end: number, wordCount: number, countMax: number): number {
  // By their lengths, which tell the words: lengths of lengthMin … lengthMin + 3, and 0 alone.
  const lengthMin = wordCount === 1 ? 0 : (wordCount - 2) * 4 + 1;
  const span = wordCount === 1 ? 0 : 3;
  let count = 1;
  for (let at = from + wordCount; count < countMax && at + wordCount <= end; at += wordCount, count++)
    if ((words[at]! - lengthMin) >>> 0 > span) break;
  return count;
}

/** Copies `count` values of `wordCount` words each to blocks of `blockWords` words. */
function copyRun(
  words: Int32Array,
  from: number,
  wordCount: number,
  target: Int32Array,
  to: number,
  blockWords: number,
  count: number,
): void {
  if (wordCount === blockWords && count * wordCount >= BULK_WORDS) {
    target.set(words.subarray(from, from + count * wordCount), to);
    return;
  }
  for (let value = 0; value < count; value++) {
    const start = from + value * wordCount;
    const place = to + value * blockWords;
    if (wordCount >= BULK_WORDS) target.set(words.subarray(start, start + wordCount), place);
    else for (let word = 0; word < wordCount; word++) target[place + word] = words[start + word]!;
  }
}

/** Sets the bits [from, end) of a bitmap that begins at words[bitmap]. */
function setBits(words: Int32Array, bitmap: number, from: number, end: number): void {
  let bit = from;
  for (; bit < end && (bit & 31) !== 0; bit++) words[bitmap + (bit >>> 5)]! |= 1 << (bit & 31);
  for (; bit + 32 <= end; bit += 32) words[bitmap + (bit >>> 5)] = -1;
  for (; bit < end; bit++) words[bitmap + (bit >>> 5)]! |= 1 << (bit & 31);
}
