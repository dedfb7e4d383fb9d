/**
 * Builds the indexes of a partition in bulk: the keys of all rows are read (key-scan.ts), sorted, and written to nodes and
 * buckets of the right number at once. For partitions that a checkpoint has filled, and for CREATE INDEX.
 *
 *   one column of four or eight bytes   pairs of a key and a row: 8 bytes a row and a bucket (pair-build.ts), or no sort
 *   other keys of trees                 entries of 12 bytes, twice: entry-sort.ts, equal prefixes by tie-sort.ts
 *   hash indexes                        pairs of a hash and a row, twice: HashIndex.fill
 *
 * What is sorted lies in the arenas (sort-space.ts). Where memory_limit has no room for it, the rows are inserted one by one.
 */

import { assert } from '../base/assert.ts';
import { SqlError } from '../base/errors.ts';
import { sortEntries } from './entry-sort.ts';
import { HashIndex } from './hash.ts';
import { HEAP_WORDS, Heap } from './heap.ts';
import { compareKeys, Key } from './key.ts';
import { KeyScan, SCAN_ALL } from './key-scan.ts';
import { arePairs, buildFromPairs, mayBePairs, surveyKeys } from './pair-build.ts';
import type { Index, Partition } from './partition.ts';
import { SortSpace } from './sort-space.ts';
import { TieSorter } from './tie-sort.ts';
import type { Tree } from './tree.ts';
import { TreeBuilder } from './tree-build.ts';
import { ENTRY_ROW, LEAF_STRIDE, NODE_COUNT, NODE_ENTRIES, NODE_NEXT } from './tree-node.ts';

/** Nodes of an index that lie in a heap of their own; plain data, so that another thread can take them over. */
export type BuiltNodes = {
  /** The words of that heap. */
  readonly heapWords: Int32Array;
  /** The leaf of the empty tree, to be freed; 0 = the index has no nodes. */
  readonly emptyLeaf: number;
};

/** Fills the empty indexes of a partition in this thread. Throws out_of_memory; the partition is of no use then. */
export function buildIndexes(partition: Partition): void {
  for (const index of buildOrder(partition)) fillIndex(index, false);
}

/** The indexes of a partition, the one that takes no room to sort last: it uses the pages of the others. */
export function buildOrder(partition: Partition): Index[] {
  return partition.indexes.toReversed();
}

/**
 * Fills an empty index with all rows of its partition. Throws out_of_memory, or where `isChecked` key_conflict for a unique
 * one: it can be destroyed then, and nothing else has changed.
 */
export function fillIndex(index: Index, isChecked: boolean): void {
  const built = buildIndex(index, isChecked);
  if (built === undefined) insertRows(index);
  else adoptNodes(index.partition, built);
}

/**
 * Builds an empty index aside from the others, so that several threads may build those of one partition; adoptNodes() by one
 * of them has to follow for each. Undefined: memory_limit has no room for it, and nothing has changed. Throws as fillIndex().
 */
export function buildIndex(index: Index, isChecked: boolean): BuiltNodes | undefined {
  assert(index.entryCount() === 0, 'an index is empty before it is built');
  const { memory } = index.partition;
  const space = new SortSpace(memory);
  const heapWords = new Int32Array(HEAP_WORDS);
  const heap = new Heap(memory, heapWords, 0);
  try {
    if (index instanceof HashIndex) return fillHash(index, space) ? { heapWords, emptyLeaf: 0 } : undefined;
    const builder = buildLeaves(index, heap, space);
    if (builder === 'empty') return { heapWords, emptyLeaf: 0 };
    if (builder === undefined) {
      heap.clear();
      return undefined;
    }
    builder.finish();
    if (isChecked && index.isUnique && hasDuplicate(index, builder.firstLeaf)) throw notUnique(index);
    return { heapWords, emptyLeaf: builder.publish() };
  } catch (error) {
    heap.clear();
    if (index instanceof HashIndex || !(error instanceof SqlError) || error.code !== 'out_of_memory') throw error;
    return undefined;
  } finally {
    space.dispose();
  }
}

/** Takes over the nodes of an index that was built; for one thread at a time. Never fails. */
export function adoptNodes(partition: Partition, { heapWords, emptyLeaf }: BuiltNodes): void {
  if (emptyLeaf === 0) return;
  partition.nodeHeap.absorb(heapWords);
  partition.nodeHeap.free(emptyLeaf);
}

/** Fills an empty index row by row: needs no room but that of the index. Throws as fillIndex() does. */
export function insertRows(index: Index): void {
  const { partition } = index;
  for (let row = partition.nextLive(0); row >= 0; row = partition.nextLive(row + 1)) {
    index.key.loadRow(partition, row);
    if (index.insert(row) >= 0) throw notUnique(index);
  }
}

function notUnique({ definition }: Index): SqlError {
  return new SqlError('key_conflict', `index '${definition.name}': key is not unique`);
}

/** Undefined where there is no room to sort. Throws out_of_memory. */
function buildLeaves(tree: Tree, heap: Heap, space: SortSpace): TreeBuilder | 'empty' | undefined {
  if (tree.partition.rowCount === 0) return 'empty';
  const scan = new KeyScan(tree);
  if (mayBePairs(tree, scan)) {
    const survey = surveyKeys(tree, scan);
    if (arePairs(survey, tree)) return buildFromPairs(tree, scan, survey, heap, space);
  }
  return buildFromEntries(tree, scan, heap, space);
}

function buildFromEntries(tree: Tree, scan: KeyScan, heap: Heap, space: SortSpace): TreeBuilder | 'empty' | undefined {
  const wordCount = tree.partition.rowCount * LEAF_STRIDE;
  const entries = space.take(wordCount);
  const spare = entries === undefined ? undefined : space.take(wordCount);
  if (entries === undefined || spare === undefined) return undefined;
  let count = 0;
  for (let segment = 0; segment < scan.segmentCount; segment++) {
    const keyCount = scan.read(segment, SCAN_ALL);
    putEntries(scan, keyCount, entries, count * LEAF_STRIDE);
    count += keyCount;
  }
  if (count === 0) return 'empty';
  const isAscending = !sortEntries(entries, 0, count, spare);
  const { isWhole, isNullAmbiguous } = tree.shape;
  if (!tree.isHashed && (!isWhole || isNullAmbiguous)) new TieSorter(tree, entries, spare).run(count);
  const builder = new TreeBuilder(tree, heap, count, isAscending);
  builder.addEntries(entries, 0, count);
  return builder;
}

function putEntries({ highs, lows, rows }: KeyScan, keyCount: number, entries: Int32Array, start: number): void {
  for (let key = 0, at = start; key < keyCount; key++, at += LEAF_STRIDE) {
    entries[at] = highs[key]!;
    entries[at + 1] = lows[key]!;
    entries[at + ENTRY_ROW] = rows[key]!;
  }
}

/** False: there is no room. Throws out_of_memory, and key_conflict. */
function fillHash(index: HashIndex, space: SortSpace): boolean {
  const { rowCount } = index.partition;
  const entries = space.take(rowCount * 2);
  const spare = entries === undefined ? undefined : space.take(rowCount * 2);
  if (entries === undefined || spare === undefined) return false;
  const scan = new KeyScan(index);
  let count = 0;
  for (let segment = 0; segment < scan.segmentCount; segment++) {
    const keyCount = scan.read(segment, SCAN_ALL);
    for (let key = 0; key < keyCount; key++, count++) {
      entries[count * 2] = scan.highs[key]!;
      entries[count * 2 + 1] = scan.rows[key]!;
    }
  }
  if (!index.spread(count)) return false;
  if (!index.fill(entries, spare, count)) throw notUnique(index);
  return true;
}

/** Whether two neighbours in the leaves have the same key, without a NULL. */
function hasDuplicate(tree: Tree, firstLeaf: number): boolean {
  const { i32, u8, shape, partition } = tree;
  const isWhole = shape.isWhole && !shape.isNullAmbiguous && shape.isNullable[0] === 0;
  const key = new Key(shape);
  const other = new Key(shape);
  let high = 0;
  let low = 0;
  let row = -1;
  for (let leaf = firstLeaf; leaf !== 0; ) {
    const words = i32[leaf >>> 26]!;
    const base = (leaf & 0x3ffffff) << 2;
    const end = base + NODE_ENTRIES + words[base + NODE_COUNT]! * LEAF_STRIDE;
    for (let at = base + NODE_ENTRIES; at < end; at += LEAF_STRIDE) {
      if (words[at] === high && words[at + 1] === low && row >= 0) {
        if (isWhole) return true;
        key.loadRow(partition, row);
        other.loadRow(partition, words[at + ENTRY_ROW]!);
        if (!key.hasNull && compareKeys(key, other, shape.columnCount, u8, i32) === 0) return true;
      }
      high = words[at]!;
      low = words[at + 1]!;
      row = words[at + ENTRY_ROW]!;
    }
    leaf = words[base + NODE_NEXT]!;
  }
  return false;
}
