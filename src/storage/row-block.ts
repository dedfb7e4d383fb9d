/**
 * Blocks of rows: how rows lie in a checkpoint, before they are compressed. Part of the checkpoint format; little-endian.
 *
 * A block has 1 to 4,096 rows. They are packed: rows that are gone leave no holes, and the rows of a partition have the
 * numbers 0, 1, 2 … in the order of its blocks. No block goes over a multiple of 4,096, so it is loaded into one segment.
 *
 * The columns follow one another in their order. Each part begins at a multiple of 8 bytes, with zeros before it:
 *
 * | part        | where                | bytes                                                                      |
 * | ----------- | -------------------- | -------------------------------------------------------------------------- |
 * | null bitmap | nullable columns     | 4 for each 32 rows: row r is bit r & 31 of word r >> 5, a set bit is NULL   |
 * | values      | fixed width (1 … 16) | rows * width, as in a segment; zeros where NULL                            |
 * | values      | text, json, vector   | u32 bytes that follow; for each row that is not NULL u32 length, its bytes, |
 * |             |                      | zeros up to a multiple of 4                                                |
 *
 * Row ids, free slots, heap blocks and indexes are of one process, and are not there.
 */

import { assert } from '../base/assert.ts';
import { SEGMENT_ROWS } from '../base/limits.ts';
import { LENGTH_MASK } from './heap.ts';
import { COLUMN_KINDS, type SegmentLayout } from './layout.ts';

assert(COLUMN_KINDS.length === 15, 'widths by kind are known');

/** Bytes of a value by storage kind; kind 6 lies in the heap. */
export const KIND_WIDTHS: Uint8Array = Uint8Array.of(1, 2, 4, 8, 4, 8, 0, 16);

/** Values of this many bytes end a block early. */
const BLOCK_VALUE_BYTES = 1024 * 1024;
/** Runs of rows from this length on are copied by one call. */
const BULK_RUN = 24;
/** Values of this many words or more are copied by one call. */
const BULK_WORDS = 64;

/** What rows are read from: an open partition, or the frozen state of one. Refs as in Partition. */
export interface RowSource {
  readonly layout: SegmentLayout;
  readonly i32: readonly Int32Array[];
  readonly i16: readonly Int16Array[];
  readonly u8: readonly Uint8Array[];
  readonly segmentCount: number;
  readonly liveRefs: Int32Array;
  readonly columnRefs: readonly Int32Array[];
  readonly nullRefs: readonly Int32Array[];
}

/** The values of one column of the block that is being made. */
class Staging {
  bytes: Uint8Array;
  words: Int32Array;
  halves: Int16Array;
  readonly nulls: Int32Array = new Int32Array(SEGMENT_ROWS / 32);
  /** Of heap columns. */
  byteLength = 0;

  constructor(capacityBytes: number) {
    const buffer = new ArrayBuffer(capacityBytes);
    this.bytes = new Uint8Array(buffer);
    this.words = new Int32Array(buffer);
    this.halves = new Int16Array(buffer);
  }

  /** Makes room for more bytes behind byteLength. */
  ensure(byteCount: number): void {
    if (this.byteLength + byteCount <= this.bytes.length) return;
    const before = this.bytes.subarray(0, this.byteLength);
    const capacity = Math.max(this.bytes.length * 2, (this.byteLength + byteCount + 7) & -8);
    const buffer = new ArrayBuffer(capacity);
    this.bytes = new Uint8Array(buffer);
    this.bytes.set(before);
    this.words = new Int32Array(buffer);
    this.halves = new Int16Array(buffer);
  }
}

/** Makes blocks of the live rows of a source, one after another. */
export class BlockPacker {
  /** The block that next() made, up to byteLength: private memory, valid until the next call. */
  bytes: Uint8Array = new Uint8Array(64 * 1024);
  byteLength = 0;
  readonly #source: RowSource;
  readonly #onSegmentRead: (segment: number) => void;
  readonly #columns: Staging[];
  #segment = 0;
  #slot = 0;
  #rowCount = 0;
  #packedRows = 0;
  #valueBytes = 0;

  /** @param onSegmentRead called when nothing of a segment is needed any more */
  constructor(source: RowSource, onSegmentRead: (segment: number) => void) {
    this.#source = source;
    this.#onSegmentRead = onSegmentRead;
    this.#columns = Array.from(source.layout.kinds, (kind) => new Staging((KIND_WIDTHS[kind]! || 4) * SEGMENT_ROWS));
  }

  /** Makes the next block; gives its rows, 0 when there are no more. */
  next(): number {
    this.#collect();
    if (this.#rowCount === 0) return 0;
    this.#assemble();
    this.#packedRows += this.#rowCount;
    return this.#rowCount;
  }

  /** Copies rows to the columns until the block is full. */
  #collect(): void {
    const source = this.#source;
    const rowLimit = SEGMENT_ROWS - (this.#packedRows & (SEGMENT_ROWS - 1));
    this.#rowCount = 0;
    this.#valueBytes = 0;
    for (const column of this.#columns) {
      column.byteLength = 0;
      column.nulls.fill(0);
    }
    while (this.#rowCount < rowLimit && this.#valueBytes < BLOCK_VALUE_BYTES && this.#segment < source.segmentCount) {
      const ref = source.liveRefs[this.#segment]!;
      const words = source.i32[ref >>> 26]!;
      const bitmap = (ref & 0x3ffffff) << 2;
      const from = nextBit(words, bitmap, this.#slot, 0);
      if (from === SEGMENT_ROWS) {
        this.#onSegmentRead(this.#segment);
        this.#segment++;
        this.#slot = 0;
        continue;
      }
      const end = Math.min(nextBit(words, bitmap, from, -1), from + rowLimit - this.#rowCount);
      const count = this.#withinBytes(from, end - from);
      for (let column = 0; column < source.layout.columnCount; column++) this.#copy(column, from, count);
      this.#rowCount += count;
      this.#slot = from + count;
    }
  }

  /** How many of the rows fit the block by their values in the heap: at least one. */
  #withinBytes(from: number, count: number): number {
    const source = this.#source;
    const { heapColumns, nullOffsets } = source.layout;
    if (heapColumns.length === 0) return count;
    for (let row = 0; row < count; row++) {
      for (let index = 0; index < heapColumns.length; index++) {
        const column = heapColumns[index]!;
        if (nullOffsets[column] !== 0 && this.#isNull(column, from + row)) continue;
        const base = source.columnRefs[column]![this.#segment]!;
        const ref = source.i32[base >>> 26]![((base & 0x3ffffff) << 2) + from + row]!;
        this.#valueBytes += ((source.i32[ref >>> 26]![(ref & 0x3ffffff) << 2]! & LENGTH_MASK) + 7) & -4;
      }
      if (this.#valueBytes >= BLOCK_VALUE_BYTES) return row + 1;
    }
    return count;
  }

  #isNull(column: number, slot: number): boolean {
    const ref = this.#source.nullRefs[column]![this.#segment]!;
    return ((this.#source.i32[ref >>> 26]![((ref & 0x3ffffff) << 2) + (slot >>> 5)]! >>> (slot & 31)) & 1) !== 0;
  }

  /** Copies a run of slots of one column behind what it has. */
  #copy(column: number, from: number, count: number): void {
    const source = this.#source;
    const staging = this.#columns[column]!;
    const isNullable = source.layout.nullOffsets[column] !== 0;
    if (isNullable) this.#copyNulls(column, staging.nulls, from, count);
    const ref = source.columnRefs[column]![this.#segment]!;
    const base = (ref & 0x3ffffff) << 2;
    const at = this.#rowCount;
    const kind = source.layout.kinds[column]!;
    if (kind === 6) {
      copyValues(source.i32, ref, from, count, isNullable ? staging.nulls : undefined, at, staging);
      return;
    }
    if (kind === 0) staging.bytes.set(source.u8[ref >>> 26]!.subarray(base * 4 + from, base * 4 + from + count), at);
    else if (kind === 1)
      staging.halves.set(source.i16[ref >>> 26]!.subarray(base * 2 + from, base * 2 + from + count), at);
    else copyWords(source.i32[ref >>> 26]!, base, from, count, KIND_WIDTHS[kind]! >> 2, staging.words, at);
    if (isNullable) clearNulls(staging, at, count, KIND_WIDTHS[kind]!);
  }

  #copyNulls(column: number, target: Int32Array, from: number, count: number): void {
    const ref = this.#source.nullRefs[column]![this.#segment]!;
    const words = this.#source.i32[ref >>> 26]!;
    const bitmap = (ref & 0x3ffffff) << 2;
    const at = this.#rowCount;
    let row = 0;
    if (((from | at) & 31) === 0)
      for (; row + 32 <= count; row += 32) target[(at + row) >>> 5] = words[bitmap + ((from + row) >>> 5)]!;
    for (; row < count; row++) {
      const slot = from + row;
      const bit = (words[bitmap + (slot >>> 5)]! >>> (slot & 31)) & 1;
      target[(at + row) >>> 5]! |= bit << ((at + row) & 31);
    }
  }

  #assemble(): void {
    const { kinds, nullOffsets, columnCount } = this.#source.layout;
    const rowCount = this.#rowCount;
    const nullBytes = ((rowCount + 31) >>> 5) * 4;
    let total = 0;
    for (let column = 0; column < columnCount; column++) {
      const width = KIND_WIDTHS[kinds[column]!]!;
      if (nullOffsets[column] !== 0) total += (nullBytes + 7) & -8;
      total += ((width === 0 ? 4 + this.#columns[column]!.byteLength : width * rowCount) + 7) & -8;
    }
    assert(total < 2 ** 31, 'a block is smaller than 2 GiB');
    if (total > this.bytes.length) this.bytes = new Uint8Array(total + (total >> 1));
    const view = new DataView(this.bytes.buffer);
    let at = 0;
    for (let column = 0; column < columnCount; column++) {
      const staging = this.#columns[column]!;
      if (nullOffsets[column] !== 0) {
        for (let word = 0; word * 4 < nullBytes; word++) view.setInt32(at + word * 4, staging.nulls[word]!, true);
        at = this.#pad(at + nullBytes);
      }
      const width = KIND_WIDTHS[kinds[column]!]!;
      let byteLength = width * rowCount;
      if (width === 0) {
        byteLength = staging.byteLength;
        view.setUint32(at, byteLength, true);
        at += 4;
      }
      this.bytes.set(staging.bytes.subarray(0, byteLength), at);
      at = this.#pad(at + byteLength);
    }
    this.byteLength = at;
  }

  /** Zeros up to a multiple of 8. */
  #pad(at: number): number {
    const end = (at + 7) & -8;
    this.bytes.fill(0, at, end);
    return end;
  }
}

/** The first slot from `from` on whose bit is set (`flip` 0) or clear (`flip` -1); SEGMENT_ROWS when there is none. */
function nextBit(words: Int32Array, bitmap: number, from: number, flip: number): number {
  if (from === SEGMENT_ROWS) return from;
  let word = from >>> 5;
  let bits = (words[bitmap + word]! ^ flip) & (-1 << (from & 31));
  while (bits === 0) {
    if (++word === SEGMENT_ROWS / 32) return SEGMENT_ROWS;
    bits = words[bitmap + word]! ^ flip;
  }
  return (word << 5) | (31 - Math.clz32(bits & -bits));
}

/** Copies `count` values of `wordsEach` words from slot `from` on, behind `at` values of the target. */
function copyWords(
  source: Int32Array,
  base: number,
  from: number,
  count: number,
  wordsEach: number,
  target: Int32Array,
  at: number,
): void {
  const start = base + from * wordsEach;
  const to = at * wordsEach;
  const words = count * wordsEach;
  if (count >= BULK_RUN) target.set(source.subarray(start, start + words), to);
  else for (let word = 0; word < words; word++) target[to + word] = source[start + word]!;
}

/** Zeros for the NULLs among `count` values from `at` on. */
function clearNulls(staging: Staging, at: number, count: number, width: number): void {
  const { nulls, bytes } = staging;
  for (let row = at; row < at + count; row++) {
    if (((nulls[row >>> 5]! >>> (row & 31)) & 1) !== 0) bytes.fill(0, row * width, (row + 1) * width);
  }
}

/** Copies the values of a heap column. `nulls` has the rows of the block from `at` on. */
function copyValues(
  i32: readonly Int32Array[],
  columnRef: number,
  from: number,
  count: number,
  nulls: Int32Array | undefined,
  at: number,
  staging: Staging,
): void {
  const refs = i32[columnRef >>> 26]!;
  const base = ((columnRef & 0x3ffffff) << 2) + from;
  for (let row = 0; row < count; row++) {
    if (nulls !== undefined && ((nulls[(at + row) >>> 5]! >>> ((at + row) & 31)) & 1) !== 0) continue;
    const ref = refs[base + row]!;
    const words = i32[ref >>> 26]!;
    const start = (ref & 0x3ffffff) << 2;
    // Of a snapshot, the owner may mark the block as held at any moment.
    const length = words[start]! & LENGTH_MASK;
    const wordCount = 1 + ((length + 3) >>> 2);
    staging.ensure(wordCount * 4);
    const target = staging.words;
    const to = staging.byteLength >>> 2;
    if (wordCount >= BULK_WORDS) target.set(words.subarray(start, start + wordCount), to);
    else for (let word = 1; word < wordCount; word++) target[to + word] = words[start + word]!;
    target[to] = length;
    // What lies behind a value in its block is undefined.
    if ((length & 3) !== 0) target[to + wordCount - 1]! &= (1 << ((length & 3) << 3)) - 1;
    staging.byteLength += wordCount * 4;
  }
}
