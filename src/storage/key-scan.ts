/**
 * Reads the keys of an index out of a partition, a segment at a time, into small arrays that stay in the caches: the prefix
 * (high, low) as entries of trees have it (key.ts), and the row. Where the first column of the key has four or eight bytes of
 * integer or time it comes right from the column, else by way of a Key. Of hashes the keys with a NULL are left out.
 */

import { SEGMENT_ROWS } from '../base/limits.ts';
import { HashIndex } from './hash.ts';
import { WORD_MIN } from './key.ts';
import type { Index, Partition } from './partition.ts';

/** Which rows are read. All but the first are for a first column that comes right from its segments. */
export const SCAN_ALL = 0;
export const SCAN_PRESENT = 1;
export const SCAN_NULL = 2;
/** Those that are not NULL; of an int the low words only, which say all. */
export const SCAN_LOWS = 3;

const SLOT_MASK: number = SEGMENT_ROWS - 1;

export class KeyScan {
  /** Hashes, of a unique hash index. */
  readonly highs: Int32Array = new Int32Array(SEGMENT_ROWS);
  readonly lows: Int32Array = new Int32Array(SEGMENT_ROWS);
  readonly rows: Int32Array = new Int32Array(SEGMENT_ROWS);
  readonly segmentCount: number;
  /** The first column comes right from its segments. */
  readonly isColumn: boolean;
  readonly #index: Index;
  readonly #partition: Partition;
  readonly #isHashed: boolean;

  constructor(index: Index) {
    this.#index = index;
    this.#partition = index.partition;
    this.#isHashed = index instanceof HashIndex || index.isHashed;
    const kind = index.shape.kinds[0]!;
    this.isColumn = !this.#isHashed && (kind === 2 || kind === 3);
    this.segmentCount = Math.ceil(index.partition.rowEnd / SEGMENT_ROWS);
  }

  /** Reads a segment; gives how many keys there are. */
  read(segment: number, rows: number): number {
    const count = this.#readRows(segment);
    if (this.#isHashed) return this.#readHashes(count);
    if (!this.isColumn) return this.#readKeys(count);
    const { shape } = this.#index;
    const column = shape.columns[0]!;
    const isNullable = shape.isNullable[0] !== 0;
    if (count === SEGMENT_ROWS && (!isNullable || !this.#hasNull(segment, column))) {
      if (rows === SCAN_NULL) return 0;
      this.#readFullColumn(segment, column, shape.kinds[0] === 3, rows);
      if (shape.isDescending[0] !== 0) this.#complement(count);
      return count;
    }
    const kept = isNullable && rows !== SCAN_ALL ? this.#keep(segment, count, column, rows === SCAN_NULL) : count;
    this.#readColumn(segment, kept, column, shape.kinds[0] === 3);
    if (shape.isDescending[0] !== 0) this.#complement(kept);
    if (isNullable && (rows === SCAN_ALL || rows === SCAN_NULL))
      this.#setNulls(segment, kept, column, shape.isDescending[0] !== 0);
    return kept;
  }

  #readRows(segment: number): number {
    const { rows } = this;
    const ref = this.#partition.liveRefs[segment]!;
    const words = this.#partition.i32[ref >>> 26]!;
    const bitmap = (ref & 0x3ffffff) << 2;
    const first = segment * SEGMENT_ROWS;
    let live = -1;
    for (let word = 0; word < SEGMENT_ROWS / 32; word++) live &= words[bitmap + word]!;
    if (live === -1) {
      for (let slot = 0; slot < SEGMENT_ROWS; slot++) rows[slot] = first + slot;
      return SEGMENT_ROWS;
    }
    let count = 0;
    for (let word = 0; word < SEGMENT_ROWS / 32; word++) {
      const row = first + word * 32;
      let bits = words[bitmap + word]!;
      if (bits === -1) {
        for (let bit = 0; bit < 32; bit++) rows[count + bit] = row + bit;
        count += 32;
        continue;
      }
      for (; bits !== 0; bits &= bits - 1) rows[count++] = row + 31 - Math.clz32(bits & -bits);
    }
    return count;
  }

  #hasNull(segment: number, column: number): boolean {
    const ref = this.#partition.nullRefs[column]![segment]!;
    const words = this.#partition.i32[ref >>> 26]!;
    const bitmap = (ref & 0x3ffffff) << 2;
    let bits = 0;
    for (let word = 0; word < SEGMENT_ROWS / 32; word++) bits |= words[bitmap + word]!;
    return bits !== 0;
  }

  /** Of the rows read, leaves only those that are NULL, or that are not. */
  #keep(segment: number, count: number, column: number, isNull: boolean): number {
    const { rows } = this;
    const ref = this.#partition.nullRefs[column]![segment]!;
    const words = this.#partition.i32[ref >>> 26]!;
    const bitmap = (ref & 0x3ffffff) << 2;
    const flip = isNull ? 0 : 1;
    let kept = 0;
    for (let index = 0; index < count; index++) {
      const row = rows[index]!;
      rows[kept] = row;
      kept += ((words[bitmap + ((row & SLOT_MASK) >>> 5)]! >>> (row & 31)) & 1) ^ flip;
    }
    return kept;
  }

  #readColumn(segment: number, count: number, column: number, isWide: boolean): void {
    const { highs, lows, rows } = this;
    const ref = this.#partition.columnRefs[column]![segment]!;
    const words = this.#partition.i32[ref >>> 26]!;
    const base = (ref & 0x3ffffff) << 2;
    if (isWide) {
      for (let index = 0; index < count; index++) {
        const at = base + ((rows[index]! & SLOT_MASK) << 1);
        lows[index] = words[at]! ^ WORD_MIN;
        highs[index] = words[at + 1]!;
      }
      return;
    }
    for (let index = 0; index < count; index++) {
      const value = words[base + (rows[index]! & SLOT_MASK)]!;
      lows[index] = value ^ WORD_MIN;
      highs[index] = value >> 31;
    }
  }

  /** Of a segment all of whose rows are read: without a look at their numbers. */
  #readFullColumn(segment: number, column: number, isWide: boolean, rows: number): void {
    const { highs, lows } = this;
    const ref = this.#partition.columnRefs[column]![segment]!;
    const words = this.#partition.i32[ref >>> 26]!;
    const base = (ref & 0x3ffffff) << 2;
    if (isWide) {
      for (let row = 0, at = base; row < SEGMENT_ROWS; row++, at += 2) {
        lows[row] = words[at]! ^ WORD_MIN;
        highs[row] = words[at + 1]!;
      }
      return;
    }
    for (let row = 0; row < SEGMENT_ROWS; row++) lows[row] = words[base + row]! ^ WORD_MIN;
    if (rows !== SCAN_LOWS) for (let row = 0; row < SEGMENT_ROWS; row++) highs[row] = words[base + row]! >> 31;
  }

  #complement(count: number): void {
    for (let index = 0; index < count; index++) {
      this.highs[index] = ~this.highs[index]!;
      this.lows[index] = ~this.lows[index]!;
    }
  }

  #setNulls(segment: number, count: number, column: number, isDescending: boolean): void {
    const { highs, lows, rows } = this;
    const ref = this.#partition.nullRefs[column]![segment]!;
    const words = this.#partition.i32[ref >>> 26]!;
    const bitmap = (ref & 0x3ffffff) << 2;
    const word = isDescending ? ~WORD_MIN : WORD_MIN;
    for (let index = 0; index < count; index++) {
      const row = rows[index]!;
      if (((words[bitmap + ((row & SLOT_MASK) >>> 5)]! >>> (row & 31)) & 1) === 0) continue;
      highs[index] = word;
      lows[index] = word;
    }
  }

  #readKeys(count: number): number {
    const { highs, lows, rows } = this;
    const { key } = this.#index;
    for (let index = 0; index < count; index++) {
      key.loadRow(this.#partition, rows[index]!);
      highs[index] = key.high;
      lows[index] = key.low;
    }
    return count;
  }

  #readHashes(rowCount: number): number {
    const { highs, lows, rows } = this;
    const index = this.#index;
    const { key } = index;
    let count = 0;
    for (let at = 0; at < rowCount; at++) {
      const row = rows[at]!;
      key.loadRow(this.#partition, row);
      if (key.hasNull) continue;
      if (index instanceof HashIndex) highs[count] = index.keyHash();
      else {
        index.hashPrefix(key);
        highs[count] = key.high;
        lows[count] = key.low;
      }
      rows[count++] = row;
    }
    return count;
  }
}
