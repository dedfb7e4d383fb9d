/**
 * The B+tree of an index: entries of 12 bytes (8-byte prefix of the key, row) in the order of the keys, ties by row. Where
 * the prefix is not the whole key, ties are decided by the columns of the rows.
 *
 * A hash index that is not unique is a tree too: its prefix is a 64-bit hash of the key. Many rows with one key cost no
 * more than others there, and growth is by splits.
 *
 * What makes rollback never allocate: undo does the inverse of each change in reverse order. It removes what was inserted,
 * and inserts again what was removed. When it inserts, the tree has exactly the entries it had right after the removal. The
 * leaf of that time has at most been split since, never joined with others, so there is room:
 *
 * 1. Removal never joins or frees leaves. It stamps the leaf with the undo position, and queues it when it is nearly empty.
 * 2. maintain(released) joins or frees queued leaves, but only those whose last removal is final.
 *
 * Ascending keys fill leaves to the end: an entry behind the last of a full leaf starts a new one. The last leaf is tried
 * before the tree is descended.
 *
 * Index slot (layout.ts), words of this method: 2 root, 3 entries, 4 first leaf, 5 last leaf, 6 levels above the leaves,
 * 7 first leaf of the merge queue, 8 last one.
 */

import { assert } from '../base/assert.ts';
import type { IndexDefinition, TableDefinition } from '../catalog/catalog.ts';
import type { Heap } from './heap.ts';
import { compareKeys, hashKey, Key, type KeyShape, keyShape } from './key.ts';
import { INDEX_ENTRIES, INDEX_ROOT } from './layout.ts';
import type { Partition } from './partition.ts';
import {
  copyDown,
  ENTRY_CHILD,
  ENTRY_KEY,
  ENTRY_LOW,
  ENTRY_ROW,
  INNER_CAPACITY,
  INNER_STRIDE,
  INNER_UNITS,
  innerBound,
  innerBoundNear,
  LEAF_CAPACITY,
  LEAF_STRIDE,
  LEAF_UNITS,
  leafBound,
  leafBoundNear,
  moveUp,
  NODE_COUNT,
  NODE_ENTRIES,
  NODE_IS_QUEUED,
  NODE_NEXT,
  NODE_PARENT,
  NODE_PREVIOUS,
  NODE_QUEUE_NEXT,
  NODE_STAMP,
  ROW_MAX,
  ROW_MIN,
} from './tree-node.ts';

export const TREE_FIRST_LEAF = 4;
export const TREE_LAST_LEAF = 5;
export const TREE_HEIGHT = 6;
export const TREE_QUEUE_FIRST = 7;
export const TREE_QUEUE_LAST = 8;

/** Leaves with fewer entries are queued to be joined, up to a count that leaves room. */
const LEAF_LEAST = 20;
const LEAF_JOINED_MOST = 60;
const HEIGHT_MAX = 12;

/** One tree of one partition. */
export class Tree {
  readonly partition: Partition;
  readonly definition: IndexDefinition;
  readonly shape: KeyShape;
  /** True: the prefix is a hash of the key. */
  readonly isHashed: boolean;
  readonly isUnique: boolean;
  /** The key being looked for. */
  readonly key: Key;
  /** The other bound of a range. */
  readonly bound: Key;
  /** A stored key that it is compared with. */
  readonly #other: Key;
  readonly i32: Int32Array[];
  readonly u8: Uint8Array[];
  readonly #root: Int32Array;
  /** Index of the index slot in the root page. */
  readonly slot: number;
  readonly #heap: Heap;
  /** Nodes that a split is about to use: inner ones, and the leaf last. */
  readonly #spares: Int32Array = new Int32Array(HEIGHT_MAX + 2);
  #spareCount = 0;
  /** While an entry is removed, its row: it has this.key even where its columns are not written (a failed insert). */
  #removedRow = -1;
  /** Where the descent expects the key in its leaf: 0 … 1, or -1 for unknown. */
  #fraction = -1;
  /** The place that seek() found. */
  leaf = 0;
  position = 0;

  /** Opens the tree of `definition` whose index slot is at root[slot …]; create() makes a new one. */
  constructor(
    partition: Partition,
    table: TableDefinition,
    definition: IndexDefinition,
    slot: number,
    isHashed: boolean,
  ) {
    this.partition = partition;
    this.definition = definition;
    this.shape = keyShape(table, definition);
    this.isHashed = isHashed;
    this.isUnique = definition.isUnique && !isHashed;
    this.key = new Key(this.shape);
    this.bound = new Key(this.shape);
    this.#other = new Key(this.shape);
    this.i32 = partition.i32;
    this.u8 = partition.u8;
    this.#root = partition.root;
    this.slot = slot;
    this.#heap = partition.nodeHeap;
  }

  /** Makes the empty tree: one leaf. Throws out_of_memory. */
  create(): void {
    const leaf = this.#heap.allocate(LEAF_UNITS);
    this.#clearHeader(leaf);
    const slot = this.slot;
    this.#root[slot + INDEX_ROOT] = leaf;
    this.#root[slot + INDEX_ENTRIES] = 0;
    this.#root[slot + TREE_FIRST_LEAF] = leaf;
    this.#root[slot + TREE_LAST_LEAF] = leaf;
    this.#root[slot + TREE_HEIGHT] = 0;
    this.#root[slot + TREE_QUEUE_FIRST] = 0;
    this.#root[slot + TREE_QUEUE_LAST] = 0;
  }

  /** Frees all nodes. */
  destroy(): void {
    this.#destroyNode(this.#root[this.slot + INDEX_ROOT]!, this.#root[this.slot + TREE_HEIGHT]!);
  }

  entryCount(): number {
    return this.#root[this.slot + INDEX_ENTRIES]!;
  }

  /** The row with exactly this.key, or -1. Unique trees only. */
  find(): number {
    const key = this.key;
    const leaf = this.#descend(key, ROW_MAX);
    const words = this.i32[leaf >>> 26]!;
    const base = (leaf & 0x3ffffff) << 2;
    const position = this.#leafPosition(words, base, key, ROW_MIN);
    return this.#equalRow(words, base, position, key);
  }

  /**
   * Adds an entry for this.key. Returns -1; or, in a unique tree that has the key, its row, and nothing has changed.
   * Throws out_of_memory, and then nothing has changed.
   */
  insert(row: number): number {
    return this.#insert(row, true);
  }

  /** Adds an entry that was removed, in undo: never allocates. */
  reinsert(row: number): void {
    const existing = this.#insert(row, false);
    assert(existing === -1, 'a key that is restored is not there');
  }

  #insert(row: number, canSplit: boolean): number {
    const key = this.key;
    if (this.isHashed && !this.#hash(key)) return -1;
    let leaf = this.#root[this.slot + TREE_LAST_LEAF]!;
    let words = this.i32[leaf >>> 26]!;
    let base = (leaf & 0x3ffffff) << 2;
    let position = words[base + NODE_COUNT]!;
    if (!isAfterLast(words, base, position, key.high, key.low)) {
      const isExact = !this.isUnique || key.hasNull;
      leaf = this.#descend(key, isExact ? row : ROW_MAX);
      words = this.i32[leaf >>> 26]!;
      base = (leaf & 0x3ffffff) << 2;
      position = this.#leafPosition(words, base, key, isExact ? row : ROW_MIN);
      if (!isExact) {
        const existing = this.#equalRow(words, base, position, key);
        if (existing >= 0) return existing;
      }
    }
    if (words[base + NODE_COUNT] === LEAF_CAPACITY) {
      assert(canSplit, 'undo finds room in a leaf');
      this.#splitLeaf(leaf, position, key, row);
      leaf = this.leaf;
      position = this.position;
      words = this.i32[leaf >>> 26]!;
      base = (leaf & 0x3ffffff) << 2;
    }
    const count = words[base + NODE_COUNT]!;
    const at = base + NODE_ENTRIES + position * LEAF_STRIDE;
    if (position < count) moveUp(words, at, base + NODE_ENTRIES + count * LEAF_STRIDE, LEAF_STRIDE);
    words[at] = key.high;
    words[at + ENTRY_LOW] = key.low;
    words[at + ENTRY_ROW] = row;
    words[base + NODE_COUNT] = count + 1;
    this.#root[this.slot + INDEX_ENTRIES]! += 1;
    return -1;
  }

  /** Removes the entry of this.key and row, which is there. `stamp` is the position of the undo record that restores it. */
  remove(row: number, stamp: number): void {
    const key = this.key;
    if (this.isHashed && !this.#hash(key)) return;
    const isExact = !this.isUnique || key.hasNull;
    const leaf = this.#descend(key, isExact ? row : ROW_MAX);
    const words = this.i32[leaf >>> 26]!;
    const base = (leaf & 0x3ffffff) << 2;
    this.#removedRow = row;
    const position = this.#leafPosition(words, base, key, isExact ? row : ROW_MIN);
    this.#removedRow = -1;
    const count = words[base + NODE_COUNT]! - 1;
    const at = base + NODE_ENTRIES + position * LEAF_STRIDE;
    assert(position <= count && words[at + ENTRY_ROW] === row, 'a removed entry is in the tree');
    copyDown(words, at + LEAF_STRIDE, words, at, (count - position) * LEAF_STRIDE);
    words[base + NODE_COUNT] = count;
    words[base + NODE_STAMP] = stamp;
    this.#root[this.slot + INDEX_ENTRIES]! -= 1;
    if (count < LEAF_LEAST && words[base + NODE_PARENT] !== 0 && words[base + NODE_IS_QUEUED] === 0)
      this.#enqueue(leaf);
  }

  /**
   * Stands (leaf, position) on the first entry that is after (isAfter) or not before the leading columns of `key`: behind
   * the last entry of a leaf there may be none, see TreeCursor.
   */
  seek(key: Key, isAfter: boolean): void {
    this.leaf = this.#descend(key, isAfter ? ROW_MAX : ROW_MIN);
    const words = this.i32[this.leaf >>> 26]!;
    this.position = this.#leafPosition(words, (this.leaf & 0x3ffffff) << 2, key, isAfter ? ROW_MAX : ROW_MIN);
  }

  /** Replaces the prefix of a key by its hash. False: a column is NULL, and such keys are not in a tree of hashes. */
  #hash(key: Key): boolean {
    if (key.hasNull) return false;
    this.hashPrefix(key);
    return true;
  }

  /** Sets the prefix of a key without NULL to the 64-bit hash of its columns. */
  hashPrefix(key: Key): void {
    key.high = hashKey(key, 1, this.u8, this.i32);
    key.low = hashKey(key, 2, this.u8, this.i32);
    key.isPartial = false;
  }

  /** Order of the keys of two entries of one index, in this tree and another partition's: negative, 0 or positive. */
  compareEntries(leaf: number, position: number, other: Tree, otherLeaf: number, otherPosition: number): number {
    const words = this.i32[leaf >>> 26]!;
    const at = ((leaf & 0x3ffffff) << 2) + NODE_ENTRIES + position * LEAF_STRIDE;
    const otherWords = this.i32[otherLeaf >>> 26]!;
    const otherAt = ((otherLeaf & 0x3ffffff) << 2) + NODE_ENTRIES + otherPosition * LEAF_STRIDE;
    const high = words[at]!;
    const otherHigh = otherWords[otherAt]!;
    if (high !== otherHigh) return high < otherHigh ? -1 : 1;
    const low = words[at + ENTRY_LOW]!;
    const otherLow = otherWords[otherAt + ENTRY_LOW]!;
    if (low !== otherLow) return low < otherLow ? -1 : 1;
    if (this.shape.isWhole && !this.shape.isNullAmbiguous) return 0;
    this.#other.loadRow(this.partition, words[at + ENTRY_ROW]!);
    other.#other.loadRow(other.partition, otherWords[otherAt + ENTRY_ROW]!);
    return compareKeys(this.#other, other.#other, this.shape.columnCount, this.u8, this.i32);
  }

  /** True where the row's columns equal this.key: for hashes that are equal. */
  hasKey(row: number): boolean {
    return this.#compareRow(row, this.key) === 0;
  }

  /** The leaf for (key, row); leaves in #fraction where in it the key is expected. */
  #descend(key: Key, row: number): number {
    let ref = this.#root[this.slot + INDEX_ROOT]!;
    const level = this.#root[this.slot + TREE_HEIGHT]!;
    const value = key.high * 4294967296 + key.low;
    this.#fraction = -1;
    for (let above = level; above > 0; above--) {
      const words = this.i32[ref >>> 26]!;
      const base = (ref & 0x3ffffff) << 2;
      const count = words[base + NODE_COUNT]!;
      const at = base + NODE_ENTRIES;
      const child = key.isPartial
        ? this.#partialChild(words, at, count, key, row)
        : innerBoundNear(words, at, count, key.high, key.low, row + 1, value) - 1;
      const entry = at + child * INNER_STRIDE;
      ref = words[entry + ENTRY_CHILD]!;
      if (above === 1 && child > 0 && child + 1 < count) {
        // Between two separators, as numbers: good for integers and times that are spread evenly.
        const from = words[entry]! * 4294967296 + words[entry + ENTRY_LOW]!;
        const to = words[entry + INNER_STRIDE]! * 4294967296 + words[entry + INNER_STRIDE + ENTRY_LOW]!;
        if (to > from) this.#fraction = (value - from) / (to - from);
      }
    }
    return ref;
  }

  /** Position of the first entry of the leaf that is not less than (key, row). */
  #leafPosition(words: Int32Array, base: number, key: Key, row: number): number {
    const count = words[base + NODE_COUNT]!;
    const at = base + NODE_ENTRIES;
    if (!key.isPartial) {
      const guess = (count * this.#fraction) | 0;
      if (guess > 0 && guess < count) return leafBoundNear(words, at, count, key.high, key.low, row, guess);
      return leafBound(words, at, 0, count, key.high, key.low, row);
    }
    let first = leafBound(words, at, 0, count, key.high, key.low, ROW_MIN);
    let end = leafBound(words, at, first, count, key.high, key.low, ROW_MAX);
    while (first < end) {
      const middle = (first + end) >>> 1;
      const entryRow = words[at + middle * LEAF_STRIDE + ENTRY_ROW]!;
      const order = entryRow === this.#removedRow ? 0 : this.#compareRow(entryRow, key);
      if (order < 0 || (order === 0 && entryRow < row)) first = middle + 1;
      else end = middle;
    }
    return first;
  }

  #compareRow(row: number, key: Key): number {
    this.#other.loadRow(this.partition, row);
    return compareKeys(this.#other, key, key.columnCount, this.u8, this.i32);
  }

  /** The last child whose separator is not greater than (key, row), where prefixes that are equal do not decide. */
  #partialChild(words: Int32Array, at: number, count: number, key: Key, row: number): number {
    let first = innerBound(words, at, 1, count, key.high, key.low, ROW_MIN);
    let end = innerBound(words, at, first, count, key.high, key.low, ROW_MAX);
    while (first < end) {
      const middle = (first + end) >>> 1;
      const entry = at + middle * INNER_STRIDE;
      assert(words[entry + ENTRY_KEY] !== 0, 'separators whose prefix is not all have their key');
      this.#other.loadStored(this.i32, words[entry + ENTRY_KEY]!);
      const order = compareKeys(this.#other, key, key.columnCount, this.u8, this.i32);
      if (order < 0 || (order === 0 && words[entry + ENTRY_ROW]! <= row)) first = middle + 1;
      else end = middle;
    }
    return first - 1;
  }

  /** The row of the entry at `position` if its key is `key`, else -1. */
  #equalRow(words: Int32Array, base: number, position: number, key: Key): number {
    if (position === words[base + NODE_COUNT]) return -1;
    const at = base + NODE_ENTRIES + position * LEAF_STRIDE;
    if (words[at] !== key.high || words[at + ENTRY_LOW] !== key.low) return -1;
    const row = words[at + ENTRY_ROW]!;
    if (!key.isPartial) return row;
    return this.#compareRow(row, key) === 0 ? row : -1;
  }

  /** Makes room in a full leaf for an entry at `position`; leaves the place in this.leaf and this.position. */
  #splitLeaf(leaf: number, position: number, key: Key, row: number): void {
    const words = this.i32[leaf >>> 26]!;
    const base = (leaf & 0x3ffffff) << 2;
    const middle = position === LEAF_CAPACITY ? LEAF_CAPACITY : LEAF_CAPACITY >>> 1;
    const isAppend = middle === LEAF_CAPACITY;
    const at = base + NODE_ENTRIES + middle * LEAF_STRIDE;
    const high = isAppend ? key.high : words[at]!;
    const low = isAppend ? key.low : words[at + ENTRY_LOW]!;
    const separatorRow = isAppend ? row : words[at + ENTRY_ROW]!;
    const block = this.#prepareSplit(leaf, isAppend ? key : this.#other, isAppend ? -1 : separatorRow);
    // Nothing below fails.
    const right = this.#takeSpare();
    const rightWords = this.i32[right >>> 26]!;
    const rightBase = (right & 0x3ffffff) << 2;
    this.#clearHeader(right);
    const moved = LEAF_CAPACITY - middle;
    copyDown(words, at, rightWords, rightBase + NODE_ENTRIES, moved * LEAF_STRIDE);
    words[base + NODE_COUNT] = middle;
    rightWords[rightBase + NODE_COUNT] = moved;
    rightWords[rightBase + NODE_STAMP] = words[base + NODE_STAMP]!;
    const next = words[base + NODE_NEXT]!;
    rightWords[rightBase + NODE_NEXT] = next;
    rightWords[rightBase + NODE_PREVIOUS] = leaf;
    words[base + NODE_NEXT] = right;
    if (next === 0) this.#root[this.slot + TREE_LAST_LEAF] = right;
    else this.i32[next >>> 26]![((next & 0x3ffffff) << 2) + NODE_PREVIOUS] = right;
    this.#insertChild(leaf, high, low, separatorRow, block, right);
    this.leaf = position > middle || isAppend ? right : leaf;
    this.position = this.leaf === right ? position - middle : position;
  }

  /**
   * Allocates all that a split of `leaf` needs: the nodes as spares, and the copy of the separator's key, which is
   * returned (0 where the prefix is all): `key` as it stands for row -1, else loaded from that row.
   */
  #prepareSplit(leaf: number, key: Key, row: number): number {
    let needed = 0;
    let parent = this.#parentOf(leaf);
    while (parent !== 0 && this.i32[parent >>> 26]![(parent & 0x3ffffff) << 2] === INNER_CAPACITY) {
      needed++;
      parent = this.#parentOf(parent);
    }
    if (parent === 0) needed++;
    try {
      while (this.#spareCount <= needed) {
        const spare = this.#heap.allocate(this.#spareCount === needed ? LEAF_UNITS : INNER_UNITS);
        this.#spares[this.#spareCount++] = spare;
      }
      if (this.isHashed || (this.shape.isWhole && !this.shape.isNullAmbiguous)) return 0;
      if (row >= 0) key.loadRow(this.partition, row);
      const block = this.#heap.allocate(key.storedUnits(this.i32));
      key.store(this.i32, block);
      return block;
    } catch (error) {
      while (this.#spareCount > 0) this.#heap.free(this.#takeSpare());
      throw error;
    }
  }

  #takeSpare(): number {
    return this.#spares[--this.#spareCount]!;
  }

  /** Puts `right` behind `left` into its parent, which is split when it is full. Takes nodes from the spares. */
  #insertChild(left: number, high: number, low: number, row: number, block: number, right: number): void {
    let parent = this.#parentOf(left);
    if (parent === 0) {
      parent = this.#takeSpare();
      this.#clearHeader(parent);
      const words = this.i32[parent >>> 26]!;
      const base = (parent & 0x3ffffff) << 2;
      words[base + NODE_COUNT] = 1;
      words[base + NODE_ENTRIES + ENTRY_KEY] = 0;
      words[base + NODE_ENTRIES + ENTRY_CHILD] = left;
      this.#setParent(left, parent);
      this.#root[this.slot + INDEX_ROOT] = parent;
      this.#root[this.slot + TREE_HEIGHT]! += 1;
    }
    let position = this.#childPosition(parent, left) + 1;
    if (this.i32[parent >>> 26]![(parent & 0x3ffffff) << 2] === INNER_CAPACITY) {
      const isAppend = position === INNER_CAPACITY;
      const sibling = this.#splitInner(parent, isAppend ? INNER_CAPACITY : INNER_CAPACITY >>> 1, high, low, row, block);
      if (isAppend) {
        // The new node's only child: the separator went up with the node.
        position = 0;
        parent = sibling;
        block = 0;
      } else if (position > INNER_CAPACITY >>> 1) {
        position -= INNER_CAPACITY >>> 1;
        parent = sibling;
      }
    }
    const words = this.i32[parent >>> 26]!;
    const base = (parent & 0x3ffffff) << 2;
    const count = words[base + NODE_COUNT]!;
    const at = base + NODE_ENTRIES + position * INNER_STRIDE;
    moveUp(words, at, base + NODE_ENTRIES + count * INNER_STRIDE, INNER_STRIDE);
    words[at] = high;
    words[at + ENTRY_LOW] = low;
    words[at + ENTRY_ROW] = row;
    words[at + ENTRY_KEY] = block;
    words[at + ENTRY_CHILD] = right;
    words[base + NODE_COUNT] = count + 1;
    this.#setParent(right, parent);
  }

  /**
   * Moves the children from `middle` on to a new sibling, which goes into the parent: with the separator of its first child,
   * or with the one given when it has none yet.
   */
  #splitInner(node: number, middle: number, high: number, low: number, row: number, block: number): number {
    const words = this.i32[node >>> 26]!;
    const base = (node & 0x3ffffff) << 2;
    const sibling = this.#takeSpare();
    const siblingWords = this.i32[sibling >>> 26]!;
    const siblingBase = (sibling & 0x3ffffff) << 2;
    this.#clearHeader(sibling);
    const moved = INNER_CAPACITY - middle;
    if (moved > 0) {
      const at = siblingBase + NODE_ENTRIES;
      copyDown(words, base + NODE_ENTRIES + middle * INNER_STRIDE, siblingWords, at, moved * INNER_STRIDE);
      high = siblingWords[at]!;
      low = siblingWords[at + ENTRY_LOW]!;
      row = siblingWords[at + ENTRY_ROW]!;
      block = siblingWords[at + ENTRY_KEY]!;
      siblingWords[at + ENTRY_KEY] = 0;
      for (let child = 0; child < moved; child++) {
        this.#setParent(siblingWords[at + child * INNER_STRIDE + ENTRY_CHILD]!, sibling);
      }
    }
    words[base + NODE_COUNT] = middle;
    siblingWords[siblingBase + NODE_COUNT] = moved;
    this.#insertChild(node, high, low, row, block, sibling);
    return sibling;
  }

  /** Joins or frees queued leaves whose last removal is final: its undo position is before `released`. */
  maintain(released: number): void {
    const root = this.#root;
    for (let leaf = root[this.slot + TREE_QUEUE_FIRST]!; leaf !== 0; leaf = root[this.slot + TREE_QUEUE_FIRST]!) {
      const words = this.i32[leaf >>> 26]!;
      const base = (leaf & 0x3ffffff) << 2;
      if (!isReleased(words, base, released)) return;
      root[this.slot + TREE_QUEUE_FIRST] = words[base + NODE_QUEUE_NEXT]!;
      if (words[base + NODE_QUEUE_NEXT] === 0) root[this.slot + TREE_QUEUE_LAST] = 0;
      words[base + NODE_IS_QUEUED] = 0;
      if (words[base + NODE_PARENT] === 0) continue;
      if (words[base + NODE_COUNT] === 0) this.#freeLeaf(leaf);
      else {
        let isJoined = true;
        while (isJoined && words[base + NODE_COUNT]! < LEAF_LEAST) {
          isJoined = this.#join(leaf, words[base + NODE_NEXT]!, released);
        }
        if (words[base + NODE_COUNT]! < LEAF_LEAST) this.#join(words[base + NODE_PREVIOUS]!, leaf, released);
      }
    }
  }

  /** Moves the entries of `right` to its neighbour `left` and frees it, where rules and room allow. */
  #join(left: number, right: number, released: number): boolean {
    if (left === 0 || right === 0) return false;
    const words = this.i32[left >>> 26]!;
    const base = (left & 0x3ffffff) << 2;
    const rightWords = this.i32[right >>> 26]!;
    const rightBase = (right & 0x3ffffff) << 2;
    const count = words[base + NODE_COUNT]!;
    const moved = rightWords[rightBase + NODE_COUNT]!;
    if (words[base + NODE_PARENT] !== rightWords[rightBase + NODE_PARENT] || count + moved > LEAF_JOINED_MOST)
      return false;
    if (rightWords[rightBase + NODE_IS_QUEUED] !== 0) return false;
    if (!isReleased(words, base, released) || !isReleased(rightWords, rightBase, released)) return false;
    const at = base + NODE_ENTRIES + count * LEAF_STRIDE;
    copyDown(rightWords, rightBase + NODE_ENTRIES, words, at, moved * LEAF_STRIDE);
    words[base + NODE_COUNT] = count + moved;
    this.#freeLeaf(right);
    return true;
  }

  #freeLeaf(leaf: number): void {
    const words = this.i32[leaf >>> 26]!;
    const base = (leaf & 0x3ffffff) << 2;
    const next = words[base + NODE_NEXT]!;
    const previous = words[base + NODE_PREVIOUS]!;
    if (next === 0) this.#root[this.slot + TREE_LAST_LEAF] = previous;
    else this.i32[next >>> 26]![((next & 0x3ffffff) << 2) + NODE_PREVIOUS] = previous;
    if (previous === 0) this.#root[this.slot + TREE_FIRST_LEAF] = next;
    else this.i32[previous >>> 26]![((previous & 0x3ffffff) << 2) + NODE_NEXT] = next;
    this.#removeChild(leaf);
    this.#dropSingleRoots();
  }

  /** Takes a node out of its parent and frees it; parents that lose their last child go too. */
  #removeChild(child: number): void {
    const parent = this.#parentOf(child);
    const words = this.i32[parent >>> 26]!;
    const base = (parent & 0x3ffffff) << 2;
    const position = this.#childPosition(parent, child);
    this.#heap.free(child);
    const count = words[base + NODE_COUNT]! - 1;
    if (count === 0) {
      this.#removeChild(parent);
      return;
    }
    // Child 0 has no separator of its own: where it goes, that of its successor is not needed any more.
    const at = base + NODE_ENTRIES + position * INNER_STRIDE;
    const separator = words[position === 0 ? at + INNER_STRIDE + ENTRY_KEY : at + ENTRY_KEY]!;
    if (separator !== 0) this.#heap.free(separator);
    copyDown(words, at + INNER_STRIDE, words, at, (count - position) * INNER_STRIDE);
    if (position === 0) words[at + ENTRY_KEY] = 0;
    words[base + NODE_COUNT] = count;
  }

  #dropSingleRoots(): void {
    const root = this.#root;
    while (root[this.slot + TREE_HEIGHT]! > 0) {
      const node = root[this.slot + INDEX_ROOT]!;
      const words = this.i32[node >>> 26]!;
      const base = (node & 0x3ffffff) << 2;
      if (words[base + NODE_COUNT] !== 1) return;
      const child = words[base + NODE_ENTRIES + ENTRY_CHILD]!;
      root[this.slot + INDEX_ROOT] = child;
      root[this.slot + TREE_HEIGHT]! -= 1;
      this.#setParent(child, 0);
      this.#heap.free(node);
    }
  }

  #enqueue(leaf: number): void {
    const words = this.i32[leaf >>> 26]!;
    const base = (leaf & 0x3ffffff) << 2;
    words[base + NODE_IS_QUEUED] = 1;
    words[base + NODE_QUEUE_NEXT] = 0;
    const last = this.#root[this.slot + TREE_QUEUE_LAST]!;
    if (last === 0) this.#root[this.slot + TREE_QUEUE_FIRST] = leaf;
    else this.i32[last >>> 26]![((last & 0x3ffffff) << 2) + NODE_QUEUE_NEXT] = leaf;
    this.#root[this.slot + TREE_QUEUE_LAST] = leaf;
  }

  #childPosition(parent: number, child: number): number {
    const words = this.i32[parent >>> 26]!;
    const base = (parent & 0x3ffffff) << 2;
    const count = words[base + NODE_COUNT]!;
    // Appends ask for the last one.
    for (let position = count - 1; position >= 0; position--) {
      if (words[base + NODE_ENTRIES + position * INNER_STRIDE + ENTRY_CHILD] === child) return position;
    }
    assert(false, 'a node is a child of its parent');
  }

  #parentOf(node: number): number {
    return this.i32[node >>> 26]![((node & 0x3ffffff) << 2) + NODE_PARENT]!;
  }

  #setParent(node: number, parent: number): void {
    this.i32[node >>> 26]![((node & 0x3ffffff) << 2) + NODE_PARENT] = parent;
  }

  #clearHeader(node: number): void {
    const base = (node & 0x3ffffff) << 2;
    this.i32[node >>> 26]!.fill(0, base, base + NODE_ENTRIES);
  }

  #destroyNode(node: number, level: number): void {
    if (level > 0) {
      const words = this.i32[node >>> 26]!;
      const base = (node & 0x3ffffff) << 2;
      for (let child = 0; child < words[base + NODE_COUNT]!; child++) {
        const entry = base + NODE_ENTRIES + child * INNER_STRIDE;
        if (child > 0 && words[entry + ENTRY_KEY] !== 0) this.#heap.free(words[entry + ENTRY_KEY]!);
        this.#destroyNode(words[entry + ENTRY_CHILD]!, level - 1);
      }
    }
    this.#heap.free(node);
  }
}

/** True where an entry with that prefix surely comes behind the last of the leaf. */
function isAfterLast(words: Int32Array, base: number, count: number, high: number, low: number): boolean {
  if (count === 0) return false;
  const last = base + NODE_ENTRIES + (count - 1) * LEAF_STRIDE;
  const lastHigh = words[last]!;
  return lastHigh < high || (lastHigh === high && words[last + ENTRY_LOW]! < low);
}

/** True where the leaf's last removal is before the undo position `released`; positions wrap. */
function isReleased(words: Int32Array, base: number, released: number): boolean {
  return ((words[base + NODE_STAMP]! - released) | 0) < 0;
}
