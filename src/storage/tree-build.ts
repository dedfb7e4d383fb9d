/**
 * Makes the nodes of a tree from entries that come in order: leaves from left to right, then each level of inner nodes over
 * the one below. The nodes are as inserts would have made them (tree-node.ts), only better filled.
 *
 *   add…(entries), until all `count` are there ─▶ finish: inner nodes ─▶ publish: the index slot names them
 *
 * Nodes lie in a heap of their own, which the partition's takes over afterwards (Heap.absorb): so several threads build
 * indexes of one partition, and what an error leaves behind goes with its heap. Until publish() the tree is as it was.
 */

import { assert } from '../base/assert.ts';
import type { Heap } from './heap.ts';
import { WORD_MIN } from './key.ts';
import { INDEX_ENTRIES, INDEX_ROOT } from './layout.ts';
import { TREE_FIRST_LEAF, TREE_HEIGHT, TREE_LAST_LEAF, type Tree } from './tree.ts';
import {
  ENTRY_CHILD,
  ENTRY_KEY,
  ENTRY_LOW,
  ENTRY_ROW,
  INNER_CAPACITY,
  INNER_STRIDE,
  INNER_UNITS,
  LEAF_CAPACITY,
  LEAF_STRIDE,
  LEAF_UNITS,
  NODE_COUNT,
  NODE_ENTRIES,
  NODE_NEXT,
  NODE_PARENT,
  NODE_PREVIOUS,
} from './tree-node.ts';

/** Entries of a leaf, and children of an inner node, where keys came in no order: inserts find room for a while. */
const LEAF_FILL = 72;
const INNER_FILL = 90;

/** Nodes of one level with their separators: INNER_STRIDE words each, as in the node above. */
type Level = { readonly words: Int32Array; readonly count: number };

export class TreeBuilder {
  readonly #tree: Tree;
  readonly #heap: Heap;
  readonly #entryCount: number;
  readonly #isAscending: boolean;
  readonly #leaves: Level;
  #leafCount = 0;
  #added = 0;
  /** The leaf at hand: where its next entry goes, and how many it takes. */
  #words: Int32Array = new Int32Array(0);
  #at = 0;
  #room = 0;
  #leaf = 0;
  #root = 0;
  #height = 0;

  /**
   * @param heap for the nodes, empty
   * @param isAscending the rows came in the order of their keys, as the next ones will, behind the last leaf; so leaves are
   *   filled to the end
   */
  constructor(tree: Tree, heap: Heap, entryCount: number, isAscending: boolean) {
    assert(entryCount > 0, 'a tree is built from entries');
    this.#tree = tree;
    this.#heap = heap;
    this.#entryCount = entryCount;
    this.#isAscending = isAscending;
    const count = Math.ceil(entryCount / (isAscending ? LEAF_CAPACITY : LEAF_FILL));
    this.#leaves = { words: new Int32Array(count * INNER_STRIDE), count };
  }

  /** Adds entries of three words (high, low, row). Throws out_of_memory. */
  addEntries(entries: Int32Array, from: number, end: number): void {
    for (let entry = from; entry < end; ) {
      if (this.#room === 0) this.#nextLeaf();
      const count = Math.min(this.#room, end - entry);
      const words = this.#words;
      const at = this.#at;
      const start = entry * LEAF_STRIDE;
      for (let word = 0; word < count * LEAF_STRIDE; word++) words[at + word] = entries[start + word]!;
      this.#advance(count);
      entry += count;
    }
  }

  /** Adds the keys of a scan (key-scan.ts). Throws out_of_memory. */
  addKeys(highs: Int32Array, lows: Int32Array, rows: Int32Array, keyCount: number): void {
    for (let key = 0; key < keyCount; ) {
      if (this.#room === 0) this.#nextLeaf();
      const count = Math.min(this.#room, keyCount - key);
      const words = this.#words;
      let at = this.#at;
      for (let index = key; index < key + count; index++) {
        words[at] = highs[index]!;
        words[at + 1] = lows[index]!;
        words[at + 2] = rows[index]!;
        at += 3;
      }
      this.#advance(count);
      key += count;
    }
  }

  /** Adds pairs of (low, row), whose high words are `high`, or where `isInt` follow from the low ones. Throws out_of_memory. */
  addPairs(pairs: Int32Array, from: number, end: number, isInt: boolean, high: number): void {
    for (let pair = from; pair < end; ) {
      if (this.#room === 0) this.#nextLeaf();
      const count = Math.min(this.#room, end - pair);
      const words = this.#words;
      let at = this.#at;
      for (let index = pair * 2; index < (pair + count) * 2; index += 2) {
        const low = pairs[index]!;
        words[at] = isInt ? (low ^ WORD_MIN) >> 31 : high;
        words[at + 1] = low;
        words[at + 2] = pairs[index + 1]!;
        at += 3;
      }
      this.#advance(count);
      pair += count;
    }
  }

  /** Makes the levels above the leaves. Throws out_of_memory. */
  finish(): void {
    assert(this.#added === this.#entryCount, 'a tree is built from all its entries');
    this.#describeLeaf();
    let level = this.#leaves;
    for (; level.count > 1; this.#height++)
      level = this.#fillInner(level, this.#isAscending ? INNER_CAPACITY : INNER_FILL);
    this.#root = level.words[ENTRY_CHILD]!;
  }

  /** The first leaf, for a look at the entries before they are published. */
  get firstLeaf(): number {
    return this.#leaves.words[ENTRY_CHILD]!;
  }

  /** Writes the index slot. Gives the leaf that it named, of the empty tree: nobody uses it any more. Never fails. */
  publish(): number {
    const { root } = this.#tree.partition;
    const { slot } = this.#tree;
    const emptyLeaf = root[slot + INDEX_ROOT]!;
    const { words, count } = this.#leaves;
    root[slot + INDEX_ROOT] = this.#root;
    root[slot + INDEX_ENTRIES] = this.#entryCount;
    root[slot + TREE_FIRST_LEAF] = words[ENTRY_CHILD]!;
    root[slot + TREE_LAST_LEAF] = words[(count - 1) * INNER_STRIDE + ENTRY_CHILD]!;
    root[slot + TREE_HEIGHT] = this.#height;
    return emptyLeaf;
  }

  #advance(count: number): void {
    this.#at += count * LEAF_STRIDE;
    this.#room -= count;
    this.#added += count;
  }

  #nextLeaf(): void {
    const { i32 } = this.#tree;
    if (this.#leafCount > 0) this.#describeLeaf();
    const previous = this.#leaf;
    const leaf = this.#heap.allocate(LEAF_UNITS) | 0;
    const words = i32[leaf >>> 26]!;
    const base = (leaf & 0x3ffffff) << 2;
    // Spread evenly: the last leaf is as full as the others.
    const end = Math.floor(((this.#leafCount + 1) * this.#entryCount) / this.#leaves.count);
    this.#room = end - this.#added;
    assert(this.#room > 0 && this.#room <= LEAF_CAPACITY, 'a leaf has entries, and room for them');
    for (let word = 0; word < NODE_ENTRIES; word++) words[base + word] = 0;
    words[base + NODE_COUNT] = this.#room;
    words[base + NODE_PREVIOUS] = previous;
    if (previous !== 0) i32[previous >>> 26]![((previous & 0x3ffffff) << 2) + NODE_NEXT] = leaf;
    this.#words = words;
    this.#at = base + NODE_ENTRIES;
    this.#leaf = leaf;
    this.#leafCount++;
  }

  /** Writes down the leaf at hand, which is full, with its separator. */
  #describeLeaf(): void {
    const first = ((this.#leaf & 0x3ffffff) << 2) + NODE_ENTRIES;
    const { words } = this.#leaves;
    const at = (this.#leafCount - 1) * INNER_STRIDE;
    words[at] = this.#words[first]!;
    words[at + ENTRY_LOW] = this.#words[first + ENTRY_LOW]!;
    words[at + ENTRY_ROW] = this.#words[first + ENTRY_ROW]!;
    words[at + ENTRY_KEY] = this.#leafCount === 1 ? 0 : this.#storeSeparator(words[at + ENTRY_ROW]!);
    words[at + ENTRY_CHILD] = this.#leaf;
  }

  /** A copy of the key of a row, for a separator; 0 where the prefix is all. */
  #storeSeparator(row: number): number {
    const tree = this.#tree;
    if (tree.isHashed || (tree.shape.isWhole && !tree.shape.isNullAmbiguous)) return 0;
    tree.key.loadRow(tree.partition, row);
    const block = this.#heap.allocate(tree.key.storedUnits(tree.i32));
    tree.key.store(tree.i32, block);
    return block | 0;
  }

  #fillInner(below: Level, fill: number): Level {
    const { i32 } = this.#tree;
    const nodeCount = Math.ceil(below.count / fill);
    const words = new Int32Array(nodeCount * INNER_STRIDE);
    for (let ordinal = 0, from = 0; ordinal < nodeCount; ordinal++) {
      const end = Math.floor(((ordinal + 1) * below.count) / nodeCount);
      assert(end > from && end - from <= INNER_CAPACITY, 'an inner node has children, and room for them');
      const node = this.#heap.allocate(INNER_UNITS) | 0;
      const nodeWords = i32[node >>> 26]!;
      const base = (node & 0x3ffffff) << 2;
      nodeWords.fill(0, base, base + NODE_ENTRIES);
      nodeWords[base + NODE_COUNT] = end - from;
      nodeWords.set(below.words.subarray(from * INNER_STRIDE, end * INNER_STRIDE), base + NODE_ENTRIES);
      // The separator of the first child, with its key, is that of the node.
      nodeWords[base + NODE_ENTRIES + ENTRY_KEY] = 0;
      const at = ordinal * INNER_STRIDE;
      words.set(below.words.subarray(from * INNER_STRIDE, (from + 1) * INNER_STRIDE), at);
      words[at + ENTRY_CHILD] = node;
      for (let child = from; child < end; child++) {
        const ref = below.words[child * INNER_STRIDE + ENTRY_CHILD]!;
        i32[ref >>> 26]![((ref & 0x3ffffff) << 2) + NODE_PARENT] = node;
      }
      from = end;
    }
    return { words, count: nodeCount };
  }
}
