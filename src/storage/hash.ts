/**
 * The hash index of unique keys: extendible hashing with open addressing in each bucket. A bucket is a page of 2,044 slots
 * of (hash, row); a full one is split in two, about 10 µs, so growth never pauses for longer. Slots are found from the hash
 * by linear probing; removal moves later entries back, so there are no tombstones.
 *
 * Rollback never allocates: undo inserts only what was removed, and a bucket has at most been split since.
 *
 * Keys with a NULL are not in the index: they equal nothing and clash with nothing.
 *
 * Bucket page, in words: 0 entries, 1 local depth (leading bits of the hash that its entries share), 2 … 7 unused,
 * 8 … 4095 slots of two words: hash; row + 1, or 0 for a free slot.
 *
 * Directory: bucket page by the leading `depth` bits of the hash. Up to depth 4 it lies in the index slot, else in a run.
 *
 * Index slot (layout.ts), words of this method: 2 directory run (0 = in the slot), 3 entries, 4 depth (1 at least), 5 pages
 * of the run, 6 bucket pages, 8 … 23 small directory.
 */

import { assert } from '../base/assert.ts';
import { SqlError } from '../base/errors.ts';
import { PAGE_BYTES } from '../base/limits.ts';
import type { Memory } from '../base/memory.ts';
import { WORDS_PER_PAGE } from '../base/memory.ts';
import type { IndexDefinition, TableDefinition } from '../catalog/catalog.ts';
import type { BatchReader } from '../program/batch.ts';
import { compareKeys, hashKey, hashSimpleKey, Key, type KeyShape, keyShape, WORD_MIN } from './key.ts';
import { INDEX_ENTRIES, INDEX_ROOT } from './layout.ts';
import type { Partition } from './partition.ts';

const SEED = 1;

const DEPTH = 4;
const DIRECTORY_PAGES = 5;
const BUCKET_PAGES = 6;
const SMALL_DIRECTORY = 8;
const SMALL_DEPTH_MAX = 4;
const DEPTH_MAX = 22;

const BUCKET_COUNT = 0;
const BUCKET_DEPTH = 1;
const BUCKET_HASHES = 8;
const BUCKET_ROWS = 9;
const BUCKET_CAPACITY = 2044;
/** Entries at which a bucket is split: 85 %, where a search for a missing key looks at 22 slots. */
const BUCKET_FULL = 1737;
/** Entries a bucket has at most, on the average, when an index is filled in bulk: it takes inserts for a while. */
const BUCKET_FILL = 1450;

/** A bucket's contents while it is split. */
const COPY: Int32Array = new Int32Array(WORDS_PER_PAGE);

/** One unique hash index of one partition. */
export class HashIndex {
  readonly partition: Partition;
  readonly definition: IndexDefinition;
  readonly shape: KeyShape;
  /** The key being looked for. */
  readonly key: Key;
  readonly slot: number;
  readonly #other: Key;
  readonly #memory: Memory;
  readonly #i32: Int32Array[];
  readonly #root: Int32Array;

  /** Opens the index whose slot is at root[slot …]; create() makes a new one. */
  constructor(partition: Partition, table: TableDefinition, definition: IndexDefinition, slot: number) {
    this.partition = partition;
    this.definition = definition;
    this.shape = keyShape(table, definition);
    this.key = new Key(this.shape);
    this.#other = new Key(this.shape);
    this.#memory = partition.memory;
    this.#i32 = partition.i32;
    this.#root = partition.root;
    this.slot = slot;
  }

  /** Makes the empty index: one bucket. Throws out_of_memory. */
  create(): void {
    const bucket = this.#memory.allocateZeroed(1);
    const root = this.#root;
    root[this.slot + INDEX_ROOT] = 0;
    root[this.slot + INDEX_ENTRIES] = 0;
    root[this.slot + DEPTH] = 1;
    root[this.slot + BUCKET_PAGES] = 1;
    root[this.slot + SMALL_DIRECTORY] = bucket;
    root[this.slot + SMALL_DIRECTORY + 1] = bucket;
  }

  /** Frees all pages. */
  destroy(): void {
    const count = 1 << this.#root[this.slot + DEPTH]!;
    for (let index = 0; index < count; ) {
      const bucket = this.#bucketAt(index);
      index += count >>> this.#i32[bucket >>> 16]![((bucket & 0xffff) << 12) + BUCKET_DEPTH]!;
      this.#memory.free(bucket, 1);
    }
    const run = this.#root[this.slot + INDEX_ROOT]!;
    if (run !== 0) this.#memory.free(run, this.#root[this.slot + DIRECTORY_PAGES]!);
  }

  entryCount(): number {
    return this.#root[this.slot + INDEX_ENTRIES]!;
  }

  /** The row with exactly this.key, or -1. */
  find(): number {
    if (this.key.hasNull) return -1;
    const hash = this.#hash(this.key);
    const bucket = this.bucketOf(hash);
    const words = this.#i32[bucket >>> 16]!;
    const position = this.#position(words, (bucket & 0xffff) << 12, hash);
    const found = words[((bucket & 0xffff) << 12) + BUCKET_ROWS + position * 2]!;
    return found - 1;
  }

  /** The hash of this.key. */
  keyHash(): number {
    return this.#hash(this.key);
  }

  /** The hash of the key of the row that the batch stands on. */
  batchHash(batch: BatchReader): number {
    if (this.shape.simpleKind === 0) {
      this.key.loadBatch(batch, this.partition);
      return this.#hash(this.key);
    }
    const cell = batch.cellWord + this.shape.columns[0]! * 2;
    return hashSimpleKey(batch.words[cell]!, batch.words[cell + 1]!, SEED);
  }

  /** The bucket of keys of that hash. */
  bucketOf(hash: number): number {
    return this.#bucketAt(hash >>> (32 - this.#root[this.slot + DEPTH]!));
  }

  /** Whether a live row has the key of the row that the batch stands on. */
  hasBatchKey(batch: BatchReader, row: number): boolean {
    const { shape, partition } = this;
    if (shape.simpleKind === 0) {
      this.key.loadBatch(batch, partition);
      return this.hasKey(row);
    }
    const cell = batch.cellWord + shape.columns[0]! * 2;
    return this.#hasWords(row, batch.words[cell]!, batch.words[cell + 1]!);
  }

  /**
   * Adds an entry for this.key. Returns -1, or the row that has the key, and nothing has changed.
   * Throws out_of_memory, and then nothing has changed.
   */
  insert(row: number): number {
    if (this.key.hasNull) return -1;
    const hash = this.#hash(this.key);
    for (;;) {
      const bucket = this.bucketOf(hash);
      const words = this.#i32[bucket >>> 16]!;
      const base = (bucket & 0xffff) << 12;
      const position = this.#position(words, base, hash);
      const existing = words[base + BUCKET_ROWS + position * 2]!;
      if (existing !== 0) return existing - 1;
      if (words[base + BUCKET_COUNT]! >= BUCKET_FULL && this.#split(bucket, hash)) continue;
      putEntry(words, base, position, hash, row);
      this.#root[this.slot + INDEX_ENTRIES]! += 1;
      return -1;
    }
  }

  /** Gives an empty index a directory for so many entries. False: there is no memory for it, and nothing has changed. */
  spread(entryCount: number): boolean {
    let depth = 0;
    while (depth < DEPTH_MAX && entryCount / 2 ** depth > BUCKET_FILL) depth++;
    if (depth === 0) return true;
    const root = this.#root;
    const count = 1 << depth;
    const pageCount = depth > SMALL_DEPTH_MAX ? Math.ceil((count * 4) / PAGE_BYTES) : 0;
    const buckets: number[] = [];
    let run = 0;
    try {
      if (pageCount > 0) run = this.#memory.allocate(pageCount);
      while (buckets.length < count) buckets.push(this.#memory.allocateZeroed(1));
    } catch {
      for (const bucket of buckets) this.#memory.free(bucket, 1);
      if (run !== 0) this.#memory.free(run, pageCount);
      return false;
    }
    this.#memory.free(this.#bucketAt(0), 1);
    root[this.slot + INDEX_ROOT] = run;
    root[this.slot + DIRECTORY_PAGES] = pageCount;
    root[this.slot + DEPTH] = depth;
    root[this.slot + BUCKET_PAGES] = count;
    buckets.forEach((bucket, index) => {
      this.#i32[bucket >>> 16]![((bucket & 0xffff) << 12) + BUCKET_DEPTH] = depth;
      this.#setBucketAt(index, bucket);
    });
    return true;
  }

  /**
   * Fills the empty index from `count` entries of two words (hash, row); spread() has made room. `spare` has room for as many.
   * False: two rows have the same key. Throws out_of_memory. What is there then can only be destroyed.
   */
  fill(entries: Int32Array, spare: Int32Array, count: number): boolean {
    const root = this.#root;
    orderByHash(entries, spare, count);
    for (let at = 0; at < count * 2; at += 2) {
      const hash = spare[at]!;
      const row = spare[at + 1]!;
      const bucket = this.bucketOf(hash);
      const words = this.#i32[bucket >>> 16]!;
      const base = (bucket & 0xffff) << 12;
      const position = words[base + BUCKET_COUNT]! < BUCKET_FULL ? freePosition(words, base, hash) : -1;
      if (position >= 0) {
        putEntry(words, base, position, hash, row);
        root[this.slot + INDEX_ENTRIES]! += 1;
        continue;
      }
      // An equal hash, or hashes that are not spread evenly: the bucket is split.
      this.key.loadRow(this.partition, row);
      if (this.insert(row) >= 0) return false;
    }
    return true;
  }

  /** Adds an entry that was removed, in undo: never allocates. */
  reinsert(row: number): void {
    if (this.key.hasNull) return;
    const hash = this.#hash(this.key);
    const bucket = this.bucketOf(hash);
    const words = this.#i32[bucket >>> 16]!;
    const base = (bucket & 0xffff) << 12;
    const position = this.#position(words, base, hash);
    assert(words[base + BUCKET_ROWS + position * 2] === 0, 'a key that is restored is not there');
    assert(words[base + BUCKET_COUNT]! < BUCKET_CAPACITY - 1, 'undo finds room in a bucket');
    putEntry(words, base, position, hash, row);
    this.#root[this.slot + INDEX_ENTRIES]! += 1;
  }

  /** Removes the entry of this.key and row, which is there. */
  remove(row: number, _stamp: number): void {
    if (this.key.hasNull) return;
    const hash = this.#hash(this.key);
    const bucket = this.bucketOf(hash);
    const words = this.#i32[bucket >>> 16]!;
    const base = (bucket & 0xffff) << 12;
    let position = homeOf(hash);
    while (words[base + BUCKET_ROWS + position * 2] !== row + 1) {
      assert(words[base + BUCKET_ROWS + position * 2] !== 0, 'a removed entry is in the index');
      position = position + 1 === BUCKET_CAPACITY ? 0 : position + 1;
    }
    removeEntry(words, base, position);
    this.#root[this.slot + INDEX_ENTRIES]! -= 1;
  }

  /** Pages of buckets and directory. */
  pageCount(): number {
    return hashPageCount(this.#root, this.slot);
  }

  /** Nothing is left to do when removals are final. */
  maintain(_released: number): void {}

  /** Calls `visit` with row and hash of every entry, in no order. */
  forEach(visit: (row: number, hash: number) => void): void {
    const count = 1 << this.#root[this.slot + DEPTH]!;
    for (let index = 0; index < count; ) {
      const bucket = this.#bucketAt(index);
      const words = this.#i32[bucket >>> 16]!;
      const base = (bucket & 0xffff) << 12;
      for (let position = 0; position < BUCKET_CAPACITY; position++) {
        const row = words[base + BUCKET_ROWS + position * 2]!;
        if (row !== 0) visit(row - 1, words[base + BUCKET_HASHES + position * 2]!);
      }
      index += count >>> words[base + BUCKET_DEPTH]!;
    }
  }

  #hash(key: Key): number {
    return hashKey(key, SEED, this.partition.u8, this.#i32);
  }

  #bucketAt(index: number): number {
    const run = this.#root[this.slot + INDEX_ROOT]!;
    if (run === 0) return this.#root[this.slot + SMALL_DIRECTORY + index]!;
    return this.#i32[run >>> 16]![((run & 0xffff) << 12) + index]!;
  }

  #setBucketAt(index: number, bucket: number): void {
    const run = this.#root[this.slot + INDEX_ROOT]!;
    if (run === 0) this.#root[this.slot + SMALL_DIRECTORY + index] = bucket;
    else this.#i32[run >>> 16]![((run & 0xffff) << 12) + index] = bucket;
  }

  /** Position of the entry with this.key, or of the free slot where its search ends. */
  #position(words: Int32Array, base: number, hash: number): number {
    let position = homeOf(hash);
    for (;;) {
      const row = words[base + BUCKET_ROWS + position * 2]!;
      if (row === 0) return position;
      if (words[base + BUCKET_HASHES + position * 2] === hash && this.hasKey(row - 1)) return position;
      position = position + 1 === BUCKET_CAPACITY ? 0 : position + 1;
    }
  }

  /** Whether a live row has this.key. */
  hasKey(row: number): boolean {
    if (this.shape.simpleKind !== 0) return this.#hasWords(row, this.key.low ^ WORD_MIN, this.key.high);
    this.#other.loadRow(this.partition, row);
    return compareKeys(this.#other, this.key, this.shape.columnCount, this.partition.u8, this.#i32) === 0;
  }

  /** Whether a live row has the key of those words, in an index with a simpleKind. */
  #hasWords(row: number, low: number, high: number): boolean {
    const { shape, partition } = this;
    const column = shape.columns[0]!;
    if (shape.simpleKind === 2) return partition.readInt32(row, column) === low && low >> 31 === high;
    return partition.readInt64Low(row, column) === low && partition.readInt64High(row, column) === high;
  }

  /** Splits a bucket. False: it cannot be split further, and has room for one more. */
  #split(bucket: number, hash: number): boolean {
    const root = this.#root;
    const words = this.#i32[bucket >>> 16]!;
    const base = (bucket & 0xffff) << 12;
    const depth = words[base + BUCKET_DEPTH]!;
    if (depth === DEPTH_MAX) {
      if (words[base + BUCKET_COUNT]! < BUCKET_CAPACITY - 1) return false;
      throw new SqlError('out_of_memory', `index '${this.definition.name}': too many keys with one hash`);
    }
    const sibling = this.#memory.allocateZeroed(1);
    if (depth === root[this.slot + DEPTH]!) {
      try {
        this.#doubleDirectory();
      } catch (error) {
        this.#memory.free(sibling, 1);
        throw error;
      }
    }
    const siblingWords = this.#i32[sibling >>> 16]!;
    const siblingBase = (sibling & 0xffff) << 12;
    for (let word = 0; word < WORDS_PER_PAGE; word++) COPY[word] = words[base + word]!;
    words.fill(0, base, base + WORDS_PER_PAGE);
    words[base + BUCKET_DEPTH] = depth + 1;
    siblingWords[siblingBase + BUCKET_DEPTH] = depth + 1;
    root[this.slot + BUCKET_PAGES]! += 1;
    for (let slot = 0; slot < BUCKET_CAPACITY; slot++) {
      const row = COPY[BUCKET_ROWS + slot * 2]!;
      if (row === 0) continue;
      const entryHash = COPY[BUCKET_HASHES + slot * 2]!;
      if ((entryHash >>> (31 - depth)) & 1) place(siblingWords, siblingBase, entryHash, row - 1);
      else place(words, base, entryHash, row - 1);
    }
    // The upper half of the directory entries that led to the bucket.
    const directoryDepth = root[this.slot + DEPTH]!;
    const span = 1 << (directoryDepth - depth - 1);
    const first = (depth === 0 ? 0 : hash >>> (32 - depth)) * span * 2 + span;
    for (let index = first; index < first + span; index++) this.#setBucketAt(index, sibling);
    return true;
  }

  #doubleDirectory(): void {
    const root = this.#root;
    const depth = root[this.slot + DEPTH]!;
    const count = 1 << depth;
    if (depth < SMALL_DEPTH_MAX) {
      for (let index = count - 1; index >= 0; index--) {
        const bucket = root[this.slot + SMALL_DIRECTORY + index]!;
        root[this.slot + SMALL_DIRECTORY + 2 * index] = bucket;
        root[this.slot + SMALL_DIRECTORY + 2 * index + 1] = bucket;
      }
    } else {
      const pageCount = Math.ceil((count * 8) / PAGE_BYTES);
      const run = this.#memory.allocate(pageCount);
      const words = this.#i32[run >>> 16]!;
      const base = (run & 0xffff) << 12;
      for (let index = 0; index < count; index++) {
        const bucket = this.#bucketAt(index);
        words[base + 2 * index] = bucket;
        words[base + 2 * index + 1] = bucket;
      }
      const old = root[this.slot + INDEX_ROOT]!;
      if (old !== 0) this.#memory.free(old, root[this.slot + DIRECTORY_PAGES]!);
      root[this.slot + INDEX_ROOT] = run;
      root[this.slot + DIRECTORY_PAGES] = pageCount;
    }
    root[this.slot + DEPTH] = depth + 1;
  }
}

/** Index of the word where the search for a hash starts, in the arena of its bucket. */
export function homeWord(bucket: number, hash: number): number {
  return ((bucket & 0xffff) << 12) + BUCKET_ROWS + homeOf(hash) * 2;
}

/**
 * The row whose entry has the hash first, in its bucket, or -1: most likely the row that find would give for a key of that
 * hash. Looks at no row, so that calls for many keys wait for memory at the same time.
 */
export function guessRow(i32: readonly Int32Array[], bucket: number, hash: number): number {
  const words = i32[bucket >>> 16]!;
  const base = (bucket & 0xffff) << 12;
  let position = homeOf(hash);
  for (;;) {
    const row = words[base + BUCKET_ROWS + position * 2]!;
    if (row === 0 || words[base + BUCKET_HASHES + position * 2] === hash) return row - 1;
    position = position + 1 === BUCKET_CAPACITY ? 0 : position + 1;
  }
}

/** The slot where the search for a hash starts: other bits than those that choose the bucket. */
function homeOf(hash: number): number {
  return ((Math.imul(hash, 0x9e3779b1) >>> 16) * BUCKET_CAPACITY) >>> 16;
}

function putEntry(words: Int32Array, base: number, position: number, hash: number, row: number): void {
  words[base + BUCKET_HASHES + position * 2] = hash;
  words[base + BUCKET_ROWS + position * 2] = row + 1;
  words[base + BUCKET_COUNT]! += 1;
}

/** Copies entries of two words to `target` by the leading bits of their hashes, so that buckets are filled one by one. */
function orderByHash(entries: Int32Array, target: Int32Array, count: number): void {
  const places = new Int32Array(2048);
  for (let at = 0; at < count * 2; at += 2) places[entries[at]! >>> 21]! += 1;
  let place = 0;
  for (let bits = 0; bits < 2048; bits++) {
    const here = places[bits]!;
    places[bits] = place;
    place += here;
  }
  for (let at = 0; at < count * 2; at += 2) {
    const bits = entries[at]! >>> 21;
    const to = places[bits]! * 2;
    places[bits]! += 1;
    target[to] = entries[at]!;
    target[to + 1] = entries[at + 1]!;
  }
}

/** The free slot where the search for a hash ends; -1 where an entry before it has the same hash. */
function freePosition(words: Int32Array, base: number, hash: number): number {
  let position = homeOf(hash);
  while (words[base + BUCKET_ROWS + position * 2] !== 0) {
    if (words[base + BUCKET_HASHES + position * 2] === hash) return -1;
    position = position + 1 === BUCKET_CAPACITY ? 0 : position + 1;
  }
  return position;
}

/** Adds an entry whose key is surely not there. */
function place(words: Int32Array, base: number, hash: number, row: number): void {
  let position = homeOf(hash);
  while (words[base + BUCKET_ROWS + position * 2] !== 0) {
    position = position + 1 === BUCKET_CAPACITY ? 0 : position + 1;
  }
  putEntry(words, base, position, hash, row);
}

/** Frees a slot, and moves entries back that were pushed behind it. */
function removeEntry(words: Int32Array, base: number, position: number): void {
  let hole = position;
  let next = position;
  for (;;) {
    next = next + 1 === BUCKET_CAPACITY ? 0 : next + 1;
    const row = words[base + BUCKET_ROWS + next * 2]!;
    if (row === 0) break;
    const hash = words[base + BUCKET_HASHES + next * 2]!;
    const home = homeOf(hash);
    const isBetween = hole <= next ? hole < home && home <= next : hole < home || home <= next;
    if (isBetween) continue;
    words[base + BUCKET_HASHES + hole * 2] = hash;
    words[base + BUCKET_ROWS + hole * 2] = row;
    hole = next;
  }
  words[base + BUCKET_ROWS + hole * 2] = 0;
  words[base + BUCKET_COUNT]! -= 1;
}

/** Pages of the hash index whose slot is at root[slot …]; from the root page alone. */
export function hashPageCount(root: Int32Array, slot: number): number {
  const run = root[slot + INDEX_ROOT] === 0 ? 0 : root[slot + DIRECTORY_PAGES]!;
  return run + root[slot + BUCKET_PAGES]!;
}
