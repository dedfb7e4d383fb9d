/**
 * Checks of a whole partition, for tests and after recovery: a checksum of what it holds (invariant 8 of the order: equal
 * after a rollback), and verification that rows, indexes and counters agree.
 */

import { assert } from '../base/assert.ts';
import { murmur3Bytes } from '../base/murmur3.ts';
import { HashIndex } from './hash.ts';
import { compareKeys, Key } from './key.ts';
import { BITMAP_BYTES, INDEX_ROOT, ROOT_FREE, ROOT_NEXT_ROW, ROOT_ROWS, SEGMENT_FREE } from './layout.ts';
import type { Partition } from './partition.ts';
import { TREE_FIRST_LEAF, TREE_HEIGHT, TREE_LAST_LEAF, type Tree } from './tree.ts';
import {
  ENTRY_CHILD,
  ENTRY_LOW,
  ENTRY_ROW,
  INNER_STRIDE,
  LEAF_STRIDE,
  NODE_COUNT,
  NODE_ENTRIES,
  NODE_NEXT,
  NODE_PARENT,
  NODE_PREVIOUS,
} from './tree-node.ts';

/**
 * A checksum of rows with their row ids, used and free slots, heap bytes and index entries in their order. Equal contents
 * that came about differently have different row ids, and so other checksums.
 */
export function checksum(partition: Partition): string {
  let rows = 0;
  for (let row = partition.nextLive(0); row >= 0; row = partition.nextLive(row + 1))
    rows = mix(rows, rowHash(partition, row));
  let slots = 0;
  for (let row = 0; row < partition.rowEnd; row++) slots = mix(slots, isUsed(partition, row) ? 1 : 0);
  const indexes = partition.indexes.map((index) => {
    let hash = 0;
    if (index instanceof HashIndex) {
      // Buckets have no order.
      index.forEach((row, keyHash) => {
        hash = (hash + mix(row, keyHash)) | 0;
      });
    } else {
      forEachEntry(index, (row, high, low) => {
        hash = mix(mix(mix(hash, row), high), low);
      });
    }
    return `${index.entryCount()}:${hash >>> 0}`;
  });
  const { root, valueHeap } = partition;
  return [
    `rows ${root[ROOT_ROWS]!}:${rows >>> 0}`,
    `slots ${root[ROOT_NEXT_ROW]!}:${root[ROOT_FREE]!}:${slots >>> 0}`,
    `heap ${valueHeap.blockCount()}:${valueHeap.usedBytes()}`,
    `indexes ${indexes.join(' ')}`,
  ].join(', ');
}

/** Asserts that rows, bitmaps, counters, heap and indexes agree. Undo must be empty: deleted rows would count as used. */
export function verify(partition: Partition): void {
  verifySlots(partition);
  let blocks = 0;
  for (let row = partition.nextLive(0); row >= 0; row = partition.nextLive(row + 1)) {
    for (const column of partition.layout.heapColumns) if (!partition.isNull(row, column)) blocks++;
  }
  assert(partition.valueHeap.blockCount() === blocks, 'each value has one block, and each block a value');
  for (const index of partition.indexes) {
    let entries = 0;
    for (let row = partition.nextLive(0); row >= 0; row = partition.nextLive(row + 1)) {
      index.key.loadRow(partition, row);
      const isLeftOut = index.key.hasNull && (index instanceof HashIndex || index.isHashed);
      if (!isLeftOut) entries++;
      if (!isLeftOut && (index instanceof HashIndex || index.isUnique) && !index.key.hasNull) {
        assert(index.find() === row, 'a row is found by its key');
      }
    }
    assert(index.entryCount() === entries, 'an index has an entry for each row');
    if (!(index instanceof HashIndex)) verifyTree(index);
  }
}

function verifySlots(partition: Partition): void {
  const { root, stride, directory } = partition;
  let used = 0;
  let live = 0;
  const freeBySegment = new Array<number>(partition.segmentCount).fill(0);
  for (let row = 0; row < root[ROOT_NEXT_ROW]!; row++) {
    if (isUsed(partition, row)) used++;
    else freeBySegment[row >>> 12]! += 1;
    if (!partition.isLive(row)) continue;
    live++;
    assert(isUsed(partition, row), 'a live row has a used slot');
  }
  assert(root[ROOT_ROWS] === live && used === live, 'rows are counted, and none waits for its release');
  assert(root[ROOT_NEXT_ROW] === 0 || isUsed(partition, root[ROOT_NEXT_ROW]! - 1), 'the last slot is used');
  assert(root[ROOT_FREE] === root[ROOT_NEXT_ROW]! - used, 'free slots are counted');
  freeBySegment.forEach((free, segment) => {
    assert(directory[segment * stride + SEGMENT_FREE] === free, 'free slots of a segment are counted');
  });
}

function verifyTree(tree: Tree): void {
  const { partition } = tree;
  const last = new Key(tree.shape);
  let entries = 0;
  let lastRow = -1;
  let lastHigh = 0;
  let lastLow = 0;
  forEachEntry(tree, (row, high, low) => {
    assert(partition.isLive(row), 'an entry is of a live row');
    tree.key.loadRow(partition, row);
    if (tree.isHashed) tree.hashPrefix(tree.key);
    assert(tree.key.high === high && tree.key.low === low, 'an entry has the prefix of its row');
    if (entries > 0) {
      const prefixOrder = high - lastHigh || low - lastLow;
      let order = prefixOrder;
      if (order === 0 && !tree.isHashed) order = compareKeys(tree.key, last, tree.shape.columnCount, tree.u8, tree.i32);
      assert(order > 0 || (order === 0 && row > lastRow), 'entries are in order');
    }
    last.loadRow(partition, row);
    lastRow = row;
    lastHigh = high;
    lastLow = low;
    entries++;
  });
  assert(entries === tree.entryCount(), 'entries are counted');
  const leaves: number[] = [];
  const root = partition.root[tree.slot + INDEX_ROOT]!;
  assert(nodeWord(tree, root, NODE_PARENT) === 0, 'the root has no parent');
  collectLeaves(tree, root, partition.root[tree.slot + TREE_HEIGHT]!, leaves);
  assert(leaves[0] === partition.root[tree.slot + TREE_FIRST_LEAF], 'the first leaf is known');
  assert(leaves.at(-1) === partition.root[tree.slot + TREE_LAST_LEAF], 'the last leaf is known');
  leaves.forEach((leaf, index) => {
    assert(nodeWord(tree, leaf, NODE_NEXT) === (leaves[index + 1] ?? 0), 'leaves are chained');
    assert(nodeWord(tree, leaf, NODE_PREVIOUS) === (leaves[index - 1] ?? 0), 'leaves are chained backwards');
  });
}

function collectLeaves(tree: Tree, node: number, level: number, leaves: number[]): void {
  if (level === 0) {
    leaves.push(node);
    return;
  }
  const count = nodeWord(tree, node, NODE_COUNT);
  assert(count > 0, 'an inner node has children');
  for (let child = 0; child < count; child++) {
    const ref = nodeWord(tree, node, NODE_ENTRIES + child * INNER_STRIDE + ENTRY_CHILD);
    assert(nodeWord(tree, ref, NODE_PARENT) === node, 'a child knows its parent');
    collectLeaves(tree, ref, level - 1, leaves);
  }
}

function nodeWord(tree: Tree, node: number, word: number): number {
  return tree.i32[node >>> 26]![((node & 0x3ffffff) << 2) + word]!;
}

function forEachEntry(tree: Tree, visit: (row: number, high: number, low: number) => void): void {
  for (
    let leaf = tree.partition.root[tree.slot + TREE_FIRST_LEAF]!;
    leaf !== 0;
    leaf = nodeWord(tree, leaf, NODE_NEXT)
  ) {
    const count = nodeWord(tree, leaf, NODE_COUNT);
    for (let position = 0; position < count; position++) {
      const entry = NODE_ENTRIES + position * LEAF_STRIDE;
      visit(
        nodeWord(tree, leaf, entry + ENTRY_ROW),
        nodeWord(tree, leaf, entry),
        nodeWord(tree, leaf, entry + ENTRY_LOW),
      );
    }
  }
}

function isUsed(partition: Partition, row: number): boolean {
  const ref = partition.liveRefs[row >>> 12]!;
  const index = ((ref & 0x3ffffff) << 2) + ((row & 4095) >>> 5) + BITMAP_BYTES / 4;
  return ((partition.i32[ref >>> 26]![index]! >>> (row & 31)) & 1) !== 0;
}

function rowHash(partition: Partition, row: number): number {
  let hash = row;
  for (let column = 0; column < partition.layout.columnCount; column++) {
    if (partition.isNull(row, column)) {
      hash = mix(hash, -1);
      continue;
    }
    const kind = partition.layout.kinds[column]!;
    if (kind === 0) hash = mix(hash, partition.readBool(row, column));
    else if (kind === 1) hash = mix(hash, partition.readInt16(row, column));
    else if (kind === 2 || kind === 4) hash = mix(hash, partition.readInt32(row, column));
    else if (kind === 3 || kind === 5) {
      hash = mix(mix(hash, partition.readInt64Low(row, column)), partition.readInt64High(row, column));
    } else {
      const ref = kind === 6 ? partition.readRef(row, column) : partition.readWide(row, column);
      const start = (ref & 0x3ffffff) << 4;
      const length = kind === 6 ? 4 + partition.i32[ref >>> 26]![start >>> 2]! : 16;
      hash = murmur3Bytes(partition.u8[ref >>> 26]!, start, start + length, hash);
    }
  }
  return hash;
}

function mix(hash: number, word: number): number {
  hash = Math.imul(hash ^ word, 0x9e3779b1);
  return Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) ^ (hash >>> 13);
}
