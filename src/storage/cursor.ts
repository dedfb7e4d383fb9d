/**
 * Cursors over an index of one partition: rows of a range of a tree in index order, forwards or backwards, or rows with an
 * equal key of a hash index. The partition must not change while a cursor is used.
 */

import type { RegisterFile } from '../base/registers.ts';
import { HashIndex } from './hash.ts';
import { compareKeys, type Key } from './key.ts';
import { INDEX_ENTRIES } from './layout.ts';
import type { Partition } from './partition.ts';
import { TREE_FIRST_LEAF, TREE_LAST_LEAF, type Tree } from './tree.ts';
import { ENTRY_ROW, LEAF_STRIDE, NODE_COUNT, NODE_ENTRIES, NODE_NEXT, NODE_PREVIOUS } from './tree-node.ts';

/**
 * Bounds of a range: a RangeSpec of the program has all of them. Registers in value order, whatever the order of the index
 * column; -1 where open; none is NULL.
 */
export type RangeBounds = {
  /** Ordinal in table.indexes. */
  readonly index: number;
  /** Leading index columns with equality: registers equalRegister … */
  readonly equalRegister: number;
  readonly equalCount: number;
  /** Bounds of the next column. */
  readonly lowerRegister: number;
  readonly isLowerInclusive: boolean;
  readonly upperRegister: number;
  readonly isUpperInclusive: boolean;
  /** True: from the end of the range to its start. */
  readonly isDescending: boolean;
};

/** Reused for any number of ranges, of any partition. */
export class TreeCursor {
  /** The row it stands on. */
  row = -1;
  #tree: Tree | undefined = undefined;
  #leaf = 0;
  #position = 0;
  /** Forwards: the place behind the last row. Backwards: the place of the last row to visit. */
  #endLeaf = 0;
  #endPosition = 0;
  #isBackwards = false;
  #i32: Int32Array[] = [];

  /** Stands on the first row of the range, in the direction of `bounds`. False: there is none. */
  open(partition: Partition, bounds: RangeBounds, registers: RegisterFile): boolean {
    this.#i32 = partition.i32;
    const index = partition.indexes[bounds.index]!;
    if (index instanceof HashIndex) {
      index.key.loadRegisters(registers, bounds.equalRegister, partition.i32);
      this.#tree = undefined;
      this.row = index.find();
      return this.row >= 0;
    }
    this.#tree = index;
    this.#isBackwards = bounds.isDescending && !index.isHashed;
    this.row = -1;
    if (partition.root[index.slot + INDEX_ENTRIES] === 0) return this.#end();
    if (index.isHashed) {
      index.key.loadRegisters(registers, bounds.equalRegister, partition.i32);
      index.hashPrefix(index.key);
      this.#openBetween(index, index.key, false, index.key, true);
      return this.#firstEqual();
    }
    return this.#openRange(index, bounds, registers) ? this.#first() : this.#end();
  }

  /** To the next row. False: there is none. */
  next(): boolean {
    const tree = this.#tree;
    if (tree === undefined) {
      this.row = -1;
      return false;
    }
    if (this.#isBackwards) return this.#stepBack();
    this.#position += 1;
    if (!tree.isHashed) return this.#first();
    return this.#firstEqual();
  }

  /** The order of the rows that two cursors over one index of two partitions stand on: negative, 0 or positive, in index order. */
  compare(other: TreeCursor): number {
    return this.#tree!.compareEntries(this.#leaf, this.#position, other.#tree!, other.#leaf, other.#position);
  }

  /** Finds both ends of the range. False: the bounds exclude each other. */
  #openRange(tree: Tree, bounds: RangeBounds, registers: RegisterFile): boolean {
    const shape = tree.shape;
    const ranged = bounds.equalCount;
    const hasBound = bounds.lowerRegister >= 0 || bounds.upperRegister >= 0;
    const isFlipped = hasBound && shape.isDescending[ranged] !== 0;
    const startRegister = isFlipped ? bounds.upperRegister : bounds.lowerRegister;
    const endRegister = isFlipped ? bounds.lowerRegister : bounds.upperRegister;
    const isStartInclusive = isFlipped ? bounds.isUpperInclusive : bounds.isLowerInclusive;
    const isEndInclusive = isFlipped ? bounds.isLowerInclusive : bounds.isUpperInclusive;
    // Rows with NULL lie before all others, or behind them where the column is descending; a bound leaves them out.
    const skipsNulls = hasBound && shape.isNullable[ranged] !== 0;
    const skipsFirst = skipsNulls && startRegister < 0 && !isFlipped;
    const skipsLast = skipsNulls && endRegister < 0 && isFlipped;
    const start = tree.key;
    const end = tree.bound;
    loadBound(tree, start, bounds, registers, startRegister, skipsFirst);
    loadBound(tree, end, bounds, registers, endRegister, skipsLast);
    if (startRegister >= 0 && endRegister >= 0) {
      const order = compareKeys(start, end, ranged + 1, tree.u8, tree.i32);
      if (order > 0 || (order === 0 && !(isStartInclusive && isEndInclusive))) return false;
    }
    const isStartAfter = skipsFirst || (startRegister >= 0 && !isStartInclusive);
    const isEndAfter = !skipsLast && (endRegister < 0 || isEndInclusive);
    this.#openBetween(tree, start, isStartAfter, end, isEndAfter);
    return true;
  }

  /** Stands before the first entry, and finds the end. Keys of no columns are the ends of the tree. */
  #openBetween(tree: Tree, start: Key, isStartAfter: boolean, end: Key, isEndAfter: boolean): void {
    let startLeaf = tree.partition.root[tree.slot + TREE_FIRST_LEAF]!;
    let startPosition = 0;
    if (start.columnCount > 0) {
      tree.seek(start, isStartAfter);
      startLeaf = tree.leaf;
      startPosition = tree.position;
    }
    let endLeaf = 0;
    let endPosition = 0;
    if (end.columnCount > 0) {
      tree.seek(end, isEndAfter);
      endLeaf = tree.leaf;
      endPosition = tree.position;
    }
    this.#leaf = startLeaf;
    this.#position = startPosition;
    this.#normalise();
    startLeaf = this.#leaf;
    startPosition = this.#position;
    this.#leaf = endLeaf;
    this.#position = endPosition;
    this.#normalise();
    this.#endLeaf = this.#leaf;
    this.#endPosition = this.#position;
    this.#leaf = startLeaf;
    this.#position = startPosition;
  }

  /** Moves a place behind the last entry of a leaf to the next leaf that has entries; leaf 0 is the end. */
  #normalise(): void {
    while (this.#leaf !== 0) {
      const words = this.#i32[this.#leaf >>> 26]!;
      const base = (this.#leaf & 0x3ffffff) << 2;
      if (this.#position < words[base + NODE_COUNT]!) return;
      this.#leaf = words[base + NODE_NEXT]!;
      this.#position = 0;
    }
  }

  /** Forwards: takes the row at the place, or of the next leaf. Backwards, at the start: swaps the ends first. */
  #first(): boolean {
    if (this.#isBackwards) return this.#firstBackwards();
    this.#normalise();
    if (this.#leaf === 0 || (this.#leaf === this.#endLeaf && this.#position === this.#endPosition)) return this.#end();
    this.row = this.#i32[this.#leaf >>> 26]![entryIndex(this.#leaf, this.#position) + ENTRY_ROW]!;
    return true;
  }

  /** Forwards through equal hashes to a row with the key itself, which stays in tree.key. */
  #firstEqual(): boolean {
    while (this.#first()) {
      if (this.#tree!.hasKey(this.row)) return true;
      this.#position += 1;
    }
    return false;
  }

  #firstBackwards(): boolean {
    const tree = this.#tree!;
    const leaf = this.#leaf;
    const position = this.#position;
    this.#leaf = this.#endLeaf;
    this.#position = this.#endPosition;
    this.#endLeaf = leaf;
    this.#endPosition = position;
    if (leaf === 0) return this.#end();
    if (this.#leaf === 0) {
      this.#leaf = tree.partition.root[tree.slot + TREE_LAST_LEAF]!;
      this.#position = this.#i32[this.#leaf >>> 26]![((this.#leaf & 0x3ffffff) << 2) + NODE_COUNT]!;
    }
    return this.#stepBack();
  }

  /** Behind the last row; next() stays false. */
  #end(): boolean {
    this.#tree = undefined;
    this.row = -1;
    return false;
  }

  #stepBack(): boolean {
    if (this.#leaf === this.#endLeaf && this.#position === this.#endPosition) return this.#end();
    while (this.#position === 0) {
      const previous = this.#i32[this.#leaf >>> 26]![((this.#leaf & 0x3ffffff) << 2) + NODE_PREVIOUS]!;
      this.#leaf = previous;
      this.#position = this.#i32[previous >>> 26]![((previous & 0x3ffffff) << 2) + NODE_COUNT]!;
    }
    this.#position -= 1;
    this.row = this.#i32[this.#leaf >>> 26]![entryIndex(this.#leaf, this.#position) + ENTRY_ROW]!;
    return true;
  }
}

/** Loads the equal columns and the bound of the next column, if any: a register, or NULL. */
function loadBound(
  tree: Tree,
  key: Key,
  bounds: RangeBounds,
  registers: RegisterFile,
  register: number,
  isNull: boolean,
): void {
  const count = bounds.equalCount;
  key.begin(register >= 0 || isNull ? count + 1 : count);
  for (let ordinal = 0; ordinal < count; ordinal++) {
    key.setRegister(ordinal, registers, bounds.equalRegister + ordinal, tree.i32);
  }
  if (register >= 0) key.setRegister(count, registers, register, tree.i32);
  else if (isNull) key.setNull(count);
  key.seal();
}

function entryIndex(leaf: number, position: number): number {
  return ((leaf & 0x3ffffff) << 2) + NODE_ENTRIES + position * LEAF_STRIDE;
}
