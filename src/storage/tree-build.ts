/**
 * Fills an empty tree from sorted entries: leaves from left to right, then each level of inner nodes over the one below. The
 * nodes are as inserts would have made them (tree-node.ts), only better filled.
 */

import { assert } from '../base/assert.ts';
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

/**
 * Fills a tree that create() has made. `isAscending`: the rows came in the order of their keys, as the next ones will, behind
 * the last leaf; so leaves are filled to the end. Throws out_of_memory; the tree is of no use then.
 */
export function fillTree(tree: Tree, entries: Int32Array, count: number, isAscending: boolean): void {
  if (count === 0) return;
  const { root } = tree.partition;
  tree.partition.nodeHeap.free(root[tree.slot + INDEX_ROOT]!);
  let level = fillLeaves(tree, entries, count, isAscending ? LEAF_CAPACITY : LEAF_FILL);
  root[tree.slot + TREE_FIRST_LEAF] = level.words[ENTRY_CHILD]!;
  root[tree.slot + TREE_LAST_LEAF] = level.words[(level.count - 1) * INNER_STRIDE + ENTRY_CHILD]!;
  let height = 0;
  while (level.count > 1) {
    level = fillInner(tree, level, isAscending ? INNER_CAPACITY : INNER_FILL);
    height++;
  }
  root[tree.slot + INDEX_ROOT] = level.words[ENTRY_CHILD]!;
  root[tree.slot + INDEX_ENTRIES] = count;
  root[tree.slot + TREE_HEIGHT] = height;
}

function fillLeaves(tree: Tree, entries: Int32Array, count: number, fill: number): Level {
  const { i32 } = tree;
  const heap = tree.partition.nodeHeap;
  const leafCount = Math.ceil(count / fill);
  const words = new Int32Array(leafCount * INNER_STRIDE);
  let previous = 0;
  for (let ordinal = 0, from = 0; ordinal < leafCount; ordinal++) {
    // Spread evenly: the last leaf is as full as the others.
    const end = Math.floor(((ordinal + 1) * count) / leafCount);
    assert(end > from && end - from <= LEAF_CAPACITY, 'a leaf has entries, and room for them');
    const leaf = heap.allocate(LEAF_UNITS) | 0;
    const leafWords = i32[leaf >>> 26]!;
    const base = (leaf & 0x3ffffff) << 2;
    leafWords.fill(0, base, base + NODE_ENTRIES);
    leafWords[base + NODE_COUNT] = end - from;
    leafWords[base + NODE_PREVIOUS] = previous;
    leafWords.set(entries.subarray(from * LEAF_STRIDE, end * LEAF_STRIDE), base + NODE_ENTRIES);
    if (previous !== 0) i32[previous >>> 26]![((previous & 0x3ffffff) << 2) + NODE_NEXT] = leaf;
    const at = ordinal * INNER_STRIDE;
    words[at] = entries[from * LEAF_STRIDE]!;
    words[at + ENTRY_LOW] = entries[from * LEAF_STRIDE + 1]!;
    words[at + ENTRY_ROW] = entries[from * LEAF_STRIDE + 2]!;
    words[at + ENTRY_KEY] = ordinal === 0 ? 0 : storeSeparator(tree, words[at + ENTRY_ROW]!);
    words[at + ENTRY_CHILD] = leaf;
    previous = leaf;
    from = end;
  }
  return { words, count: leafCount };
}

/** A copy of the key of a row, for a separator; 0 where the prefix is all. */
function storeSeparator(tree: Tree, row: number): number {
  if (tree.isHashed || (tree.shape.isWhole && !tree.shape.isNullAmbiguous)) return 0;
  tree.key.loadRow(tree.partition, row);
  const block = tree.partition.nodeHeap.allocate(tree.key.storedUnits(tree.i32));
  tree.key.store(tree.i32, block);
  return block | 0;
}

function fillInner(tree: Tree, below: Level, fill: number): Level {
  const { i32 } = tree;
  const nodeCount = Math.ceil(below.count / fill);
  const words = new Int32Array(nodeCount * INNER_STRIDE);
  for (let ordinal = 0, from = 0; ordinal < nodeCount; ordinal++) {
    const end = Math.floor(((ordinal + 1) * below.count) / nodeCount);
    assert(end > from && end - from <= INNER_CAPACITY, 'an inner node has children, and room for them');
    const node = tree.partition.nodeHeap.allocate(INNER_UNITS) | 0;
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
