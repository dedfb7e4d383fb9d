/**
 * Orders index entries whose prefixes are equal by the rest of their keys: each group of equal ones is refined by the next 8
 * bytes of the key, and so on, column by column (most significant digit first; Knuth volume 3, 5.2.5). Small groups, and what
 * such steps do not settle, are sorted by comparing keys.
 *
 *   step of a group: a pair of words of one column. Behind the last pair of a column comes the first one of the next column.
 *   Pairs of a column: integers, floats and times 1; uuids and intervals 2; texts one for each 8 bytes while one goes on.
 */

import { sortEntries } from './entry-sort.ts';
import { compareKeys, Key, WORD_MIN } from './key.ts';
import type { Tree } from './tree.ts';

/** Groups up to this size are sorted by comparing keys. */
const SMALL_GROUP = 48;
/** Texts that are equal for so many pairs are sorted by comparing keys. */
const TEXT_PAIRS_MAX = 16;

/** What decides between the entries of a group. */
const STEP_NEXT = 0;
const STEP_COMPARE = 1;
const STEP_EQUAL = 2;

export class TieSorter {
  readonly #tree: Tree;
  readonly #entries: Int32Array;
  readonly #spare: Int32Array;
  readonly #key: Key;
  readonly #other: Key;
  /** Of the step that #findStep found. */
  #column = 0;
  #pair = 0;

  constructor(tree: Tree, entries: Int32Array, spare: Int32Array) {
    this.#tree = tree;
    this.#entries = entries;
    this.#spare = spare;
    this.#key = new Key(tree.shape);
    this.#other = new Key(tree.shape);
  }

  run(count: number): void {
    const entries = this.#entries;
    for (let from = 0; from < count; ) {
      const end = groupEnd(entries, from, count);
      if (end - from > 1) {
        const high = entries[from * 3]!;
        const low = entries[from * 3 + 1]!;
        this.#refine(from, end, 0, 0);
        // The steps have used the words of the prefix.
        for (let at = from * 3; at < end * 3; at += 3) {
          entries[at] = high;
          entries[at + 1] = low;
        }
      }
      from = end;
    }
  }

  /** Orders entries that are equal up to that pair of that column. */
  #refine(from: number, end: number, column: number, pair: number): void {
    if (end - from < 2) return;
    if (end - from <= SMALL_GROUP) {
      this.#compareSort(from, end);
      return;
    }
    const step = this.#findStep(from, end, column, pair);
    if (step === STEP_EQUAL) return;
    if (step === STEP_COMPARE) {
      this.#compareSort(from, end);
      return;
    }
    const nextColumn = this.#column;
    const nextPair = this.#pair;
    this.#load(from, end, nextColumn, nextPair);
    sortEntries(this.#entries, from, end, this.#spare);
    for (let first = from; first < end; ) {
      const last = groupEnd(this.#entries, first, end);
      this.#refine(first, last, nextColumn, nextPair);
      first = last;
    }
  }

  #findStep(from: number, end: number, column: number, pair: number): number {
    const { shape, partition } = this.#tree;
    const key = this.#key;
    const kind = shape.kinds[column]!;
    if (shape.isNullable[column] !== 0 || kind === 6) {
      let nullCount = 0;
      let lengthMin = 0x7fffffff;
      let lengthMax = 0;
      for (let entry = from; entry < end; entry++) {
        key.loadRow(partition, this.#entries[entry * 3 + 2]!);
        nullCount += key.nulls[column]!;
        if (kind !== 6 || key.nulls[column] !== 0) continue;
        const length = this.#lengthOf(key.words[column * 4 + 2]!);
        if (length < lengthMin) lengthMin = length;
        if (length > lengthMax) lengthMax = length;
      }
      // NULL has the words of the least value, or of the greatest one.
      if (nullCount > 0 && nullCount < end - from) return STEP_COMPARE;
      if (nullCount === 0 && kind === 6) {
        if (lengthMax > (pair + 1) * 8) return pair + 1 < TEXT_PAIRS_MAX ? this.#step(column, pair + 1) : STEP_COMPARE;
        if (lengthMin !== lengthMax) return STEP_COMPARE;
      }
    }
    if (kind >= 7 && pair === 0) return this.#step(column, 1);
    return column + 1 < shape.columnCount ? this.#step(column + 1, 0) : STEP_EQUAL;
  }

  #step(column: number, pair: number): number {
    this.#column = column;
    this.#pair = pair;
    return STEP_NEXT;
  }

  #lengthOf(ref: number): number {
    return this.#tree.i32[ref >>> 26]![(ref & 0x3ffffff) << 2]!;
  }

  /** Writes the words of a step into the entries. */
  #load(from: number, end: number, column: number, pair: number): void {
    const { shape, partition } = this.#tree;
    const key = this.#key;
    const isText = shape.kinds[column] === 6 && pair > 0;
    const flip = -shape.isDescending[column]!;
    for (let at = from * 3; at < end * 3; at += 3) {
      key.loadRow(partition, this.#entries[at + 2]!);
      if (isText) {
        const ref = key.words[column * 4 + 2]!;
        this.#entries[at] = this.#textWord(ref, pair * 8) ^ flip;
        this.#entries[at + 1] = this.#textWord(ref, pair * 8 + 4) ^ flip;
      } else {
        this.#entries[at] = key.words[column * 4 + pair * 2]!;
        this.#entries[at + 1] = key.words[column * 4 + pair * 2 + 1]!;
      }
    }
  }

  /** Four bytes of a text, as a word that compares like them; zeros behind its end. */
  #textWord(ref: number, offset: number): number {
    const bytes = this.#tree.u8[ref >>> 26]!;
    const start = ((ref & 0x3ffffff) << 4) + 4;
    const length = this.#lengthOf(ref);
    let word = 0;
    for (let byte = offset; byte < offset + 4; byte++) word = (word << 8) | (byte < length ? bytes[start + byte]! : 0);
    return word ^ WORD_MIN;
  }

  #compareSort(from: number, end: number): void {
    const entries = this.#entries;
    const rows = new Int32Array(end - from);
    for (let entry = from; entry < end; entry++) rows[entry - from] = entries[entry * 3 + 2]!;
    rows.sort((a, b) => this.#compare(a, b));
    for (let entry = from; entry < end; entry++) entries[entry * 3 + 2] = rows[entry - from]!;
  }

  #compare(a: number, b: number): number {
    const { partition, shape, u8, i32 } = this.#tree;
    this.#key.loadRow(partition, a);
    this.#other.loadRow(partition, b);
    return compareKeys(this.#key, this.#other, shape.columnCount, u8, i32) || a - b;
  }
}

/** The end of the group of entries with the words of entry `from`. */
function groupEnd(entries: Int32Array, from: number, end: number): number {
  const high = entries[from * 3]!;
  const low = entries[from * 3 + 1]!;
  let next = from + 1;
  while (next < end && entries[next * 3] === high && entries[next * 3 + 1] === low) next++;
  return next;
}
