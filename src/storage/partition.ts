/**
 * A partition: one slice of one table, in the arenas from its root page (layout.ts), with this object as a thread's face of
 * it: cached directories, open indexes, and the reads that hot loops call. Writing is in partition-writes.ts; only the
 * owning node does that.
 */

import { assert } from '../base/assert.ts';
import { SqlError } from '../base/errors.ts';
import { PAGE_BYTES, SEGMENT_ROWS } from '../base/limits.ts';
import type { Memory } from '../base/memory.ts';
import { REFS_PER_PAGE, WORDS_PER_PAGE } from '../base/memory.ts';
import type { RegisterFile } from '../base/registers.ts';
import type { IndexDefinition, PartitionDefinition, TableDefinition } from '../catalog/catalog.ts';
import type { BatchReader } from '../program/batch.ts';
import { COLUMN_BYTES } from '../types/type.ts';
import { abandonSnapshot, type CopyReserve, frozenSegments } from './copy-on-write.ts';
import { HashIndex, hashPageCount } from './hash.ts';
import { Heap, heapPageCount } from './heap.ts';
import { fillIndex } from './index-build.ts';
import {
  BITMAP_BYTES,
  INDEX_ID,
  INDEX_METHOD,
  INDEX_SLOT_COUNT,
  INDEX_SLOT_WORDS,
  METHOD_HASH,
  METHOD_HASHED_TREE,
  METHOD_TREE,
  ROOT_COLUMNS,
  ROOT_DIRECTORY,
  ROOT_DIRECTORY_CAPACITY,
  ROOT_DIRECTORY_PAGE,
  ROOT_DIRECTORY_STRIDE,
  ROOT_FREE,
  ROOT_FREE_SEGMENT,
  ROOT_INDEXES,
  ROOT_LAYOUT_VERSION,
  ROOT_MAGIC,
  ROOT_NEXT_ROW,
  ROOT_NODE_HEAP,
  ROOT_ROWS,
  ROOT_SEGMENTS,
  ROOT_TABLE,
  ROOT_VALUE_HEAP,
  SEGMENT_COLUMNS,
  SEGMENT_FREE,
  SEGMENT_HEAD_PAGE,
  type SegmentLayout,
  segmentLayout,
} from './layout.ts';
import { deleteRow, insertBatchRow, releaseRecord, undoRecord, updateRow } from './partition-writes.ts';
import { Tree } from './tree.ts';
import type { UndoLog } from './undo.ts';

export type Index = Tree | HashIndex;

export class Partition {
  readonly memory: Memory;
  readonly table: TableDefinition;
  readonly definition: PartitionDefinition;
  readonly layout: SegmentLayout;
  /** The arenas, as in Memory. */
  readonly u8: Uint8Array[];
  readonly i8: Int8Array[];
  readonly i16: Int16Array[];
  readonly i32: Int32Array[];
  readonly f32: Float32Array[];
  readonly f64: Float64Array[];
  /** The root page. */
  readonly root: Int32Array;
  readonly valueHeap: Heap;
  readonly nodeHeap: Heap;
  /** By index ordinal in table.indexes; [0] is the primary key. */
  readonly indexes: Index[] = [];
  /** By column: bit mask of the ordinals of the indexes whose keys contain it. */
  readonly indexMasks: Int32Array;
  /** By column, then segment: ref of the value of row slot 0. */
  readonly columnRefs: Int32Array[] = [];
  /** By column: bytes of a value in its segment. */
  readonly columnBytes: Uint8Array;
  /** By column, then segment: ref of the null bitmap; 0 where the column is not nullable. */
  readonly nullRefs: Int32Array[] = [];
  /** By column: 1 where it has a null bitmap. */
  readonly isNullable: Uint8Array;
  /** By segment: ref of the bitmap of live rows; that of used slots follows. */
  liveRefs: Int32Array = new Int32Array(0);
  /** The segment directory: entries of `stride` words. */
  directory: Int32Array;
  readonly stride: number;
  /** The undo log that last recorded a change here, and the partition's ordinal in it. */
  undoLog: UndoLog | undefined = undefined;
  undoOrdinal = 0;
  /** Segments before this one may have frozen allocations, which a write copies first; 0 = no snapshot is on. */
  frozenEnd = 0;
  /** True: this thread only reads the partition; another node owns it. */
  isForeign = false;
  /** Set by the owner of a shared partition: release leaves to settle() what would move under the readers of other nodes. */
  isReadByOthers = false;
  /** Where pages for such copies come from, before the pool. Set by the node. */
  reserve: CopyReserve | undefined = undefined;
  /** True after close() or drop(): the object must not be used any more. */
  isClosed = false;
  #openSegments = 0;
  #layoutVersion = -1;
  /** Of a partition that others read: where undo was released to since settle(), and whether it was. */
  #releasedTo = 0;
  #isReleased = false;

  private constructor(memory: Memory, table: TableDefinition, definition: PartitionDefinition, rootPage: number) {
    this.memory = memory;
    this.table = table;
    this.definition = definition;
    this.layout = segmentLayout(table);
    this.u8 = memory.u8;
    this.i8 = memory.i8;
    this.i16 = memory.i16;
    this.i32 = memory.i32;
    this.f32 = memory.f32;
    this.f64 = memory.f64;
    const start = (rootPage & 0xffff) << 12;
    this.root = memory.i32[rootPage >>> 16]!.subarray(start, start + WORDS_PER_PAGE);
    this.valueHeap = new Heap(memory, this.root, ROOT_VALUE_HEAP);
    this.nodeHeap = new Heap(memory, this.root, ROOT_NODE_HEAP);
    this.directory = this.root.subarray(ROOT_DIRECTORY);
    this.stride = SEGMENT_COLUMNS + table.columns.length;
    this.indexMasks = new Int32Array(table.columns.length);
    this.columnBytes = Uint8Array.from(table.columns, ({ type }) => COLUMN_BYTES[type]!);
    this.isNullable = Uint8Array.from(this.layout.nullOffsets, (offset) => (offset === 0 ? 0 : 1));
    for (let column = 0; column < table.columns.length; column++) {
      this.columnRefs.push(new Int32Array(0));
      this.nullRefs.push(new Int32Array(0));
    }
  }

  /**
   * Makes an empty partition of `table` with its indexes; returns the root page.
   * Throws out_of_memory, or limit_exceeded for too many indexes, and leaves nothing behind.
   */
  static create(memory: Memory, table: TableDefinition): number {
    const rootPage = memory.allocateZeroed(1);
    const partition = new Partition(memory, table, { id: 0, node: 0, slotFirst: 0, slotEnd: 0, rootPage }, rootPage);
    try {
      partition.#format();
    } catch (error) {
      partition.drop();
      throw error;
    }
    return rootPage;
  }

  /** Opens a partition in this thread. `table` must be the definition that its bytes are of. */
  static open(memory: Memory, table: TableDefinition, definition: PartitionDefinition): Partition {
    const partition = Partition.#open(memory, table, definition);
    partition.frozenEnd = frozenSegments(partition);
    return partition;
  }

  /**
   * Opens a partition of another node, to read it where the order of transactions allows it, after refresh(). What only its
   * owner needs, such as a snapshot that may be on, is not looked at: the owner may be changing it.
   */
  static openForeign(memory: Memory, table: TableDefinition, definition: PartitionDefinition): Partition {
    const partition = Partition.#open(memory, table, definition);
    partition.isForeign = true;
    return partition;
  }

  static #open(memory: Memory, table: TableDefinition, definition: PartitionDefinition): Partition {
    const partition = new Partition(memory, table, definition, definition.rootPage);
    const root = partition.root;
    assert(root[0] === ROOT_MAGIC && root[ROOT_TABLE] === table.id, 'the root page is of this table');
    assert(root[ROOT_COLUMNS] === table.columns.length, 'the table definition is that of the partition');
    for (const index of table.indexes) partition.#openIndex(index);
    partition.refresh();
    return partition;
  }

  /** Lets go of the object; the partition stays. Its undo must be empty. */
  close(): void {
    this.isClosed = true;
  }

  /** Frees everything, the root page too; what a snapshot reads, when that is over. */
  drop(): void {
    this.#clear();
    this.memory.free(this.definition.rootPage, 1);
    this.isClosed = true;
  }

  /** Frees all rows and index entries; the partition is as new. Only where undo is empty. Throws out_of_memory (and is empty). */
  truncate(): void {
    this.#clear();
    this.root.fill(0);
    this.#format();
    this.refresh();
  }

  /** Reads the directories again if their pages changed: for threads that do not own the partition. */
  refresh(): void {
    const root = this.root;
    if (root[ROOT_LAYOUT_VERSION] === this.#layoutVersion) return;
    const page = root[ROOT_DIRECTORY_PAGE]!;
    if (page === 0) this.directory = root.subarray(ROOT_DIRECTORY);
    else {
      const start = (page & 0xffff) << 12;
      const words = this.memory.pageCountOf(page) * WORDS_PER_PAGE;
      this.directory = this.i32[page >>> 16]!.subarray(start, start + words);
    }
    this.#openSegments = 0;
    for (let segment = 0; segment < root[ROOT_SEGMENTS]!; segment++) this.#cacheSegment(segment);
    this.#layoutVersion = root[ROOT_LAYOUT_VERSION]!;
  }

  /**
   * Adds an index over the rows there are, under a definition of the next catalog version; reopen the partition to use it.
   * Only where undo is empty. Throws out_of_memory, limit_exceeded, or key_conflict for a unique index; nothing is left then.
   */
  createIndex(definition: IndexDefinition): void {
    const index = this.#createIndex(definition);
    try {
      fillIndex(index, true);
    } catch (error) {
      this.#destroyIndex(index);
      throw error;
    }
  }

  /** Frees the index with that id, if it is there. Only where undo is empty. */
  dropIndex(definition: IndexDefinition): void {
    const slot = this.#indexSlot(definition.id);
    if (slot < 0) return;
    this.#destroyIndex(this.#newIndex(definition, slot));
  }

  get rowCount(): number {
    return this.root[ROOT_ROWS]!;
  }

  get segmentCount(): number {
    return this.#openSegments;
  }

  /** One more than the highest row slot in use. */
  get rowEnd(): number {
    return this.root[ROOT_NEXT_ROW]!;
  }

  /** Bytes of pages that rows, values and indexes take. */
  get byteCount(): number {
    return this.pageCount() * PAGE_BYTES;
  }

  readInt32(row: number, column: number): number {
    const ref = this.columnRefs[column]![row >>> 12]!;
    return this.i32[ref >>> 26]![((ref & 0x3ffffff) << 2) + (row & 4095)]!;
  }

  readInt64Low(row: number, column: number): number {
    const ref = this.columnRefs[column]![row >>> 12]!;
    return this.i32[ref >>> 26]![((ref & 0x3ffffff) << 2) + ((row & 4095) << 1)]!;
  }

  readInt64High(row: number, column: number): number {
    const ref = this.columnRefs[column]![row >>> 12]!;
    return this.i32[ref >>> 26]![((ref & 0x3ffffff) << 2) + ((row & 4095) << 1) + 1]!;
  }

  readDouble(row: number, column: number): number {
    const ref = this.columnRefs[column]![row >>> 12]!;
    return this.f64[ref >>> 26]![((ref & 0x3ffffff) << 1) + (row & 4095)]!;
  }

  readFloat(row: number, column: number): number {
    const ref = this.columnRefs[column]![row >>> 12]!;
    return this.f32[ref >>> 26]![((ref & 0x3ffffff) << 2) + (row & 4095)]!;
  }

  /** Ref of a text, json or vector, unsigned. */
  readRef(row: number, column: number): number {
    const ref = this.columnRefs[column]![row >>> 12]!;
    return this.i32[ref >>> 26]![((ref & 0x3ffffff) << 2) + (row & 4095)]! >>> 0;
  }

  /** bool and tinyint. */
  readBool(row: number, column: number): number {
    const ref = this.columnRefs[column]![row >>> 12]!;
    return this.i8[ref >>> 26]![((ref & 0x3ffffff) << 4) + (row & 4095)]!;
  }

  readInt16(row: number, column: number): number {
    const ref = this.columnRefs[column]![row >>> 12]!;
    return this.i16[ref >>> 26]![((ref & 0x3ffffff) << 3) + (row & 4095)]!;
  }

  /** Ref of the 16 bytes of a uuid or interval, in place. */
  readWide(row: number, column: number): number {
    return (this.columnRefs[column]![row >>> 12]! + (row & 4095)) >>> 0;
  }

  isNull(row: number, column: number): boolean {
    if (this.isNullable[column] === 0) return false;
    const ref = this.nullRefs[column]![row >>> 12]!;
    return ((this.i32[ref >>> 26]![((ref & 0x3ffffff) << 2) + ((row & 4095) >>> 5)]! >>> (row & 31)) & 1) !== 0;
  }

  isLive(row: number): boolean {
    if (row >>> 12 >= this.#openSegments) return false;
    const ref = this.liveRefs[row >>> 12]!;
    return ((this.i32[ref >>> 26]![((ref & 0x3ffffff) << 2) + ((row & 4095) >>> 5)]! >>> (row & 31)) & 1) !== 0;
  }

  /** The first live row from `row` on, or -1. */
  nextLive(row: number): number {
    let segment = row >>> 12;
    let word = (row & 4095) >>> 5;
    if (segment >= this.#openSegments) return -1;
    const near = this.liveRefs[segment]!;
    // Mostly the row itself is live.
    if ((this.i32[near >>> 26]![((near & 0x3ffffff) << 2) + word]! & (1 << (row & 31))) !== 0) return row;
    let mask = -1 << (row & 31);
    for (; segment < this.#openSegments; segment++) {
      const ref = this.liveRefs[segment]!;
      const words = this.i32[ref >>> 26]!;
      const base = (ref & 0x3ffffff) << 2;
      for (; word < 128; word++) {
        const bits = words[base + word]! & mask;
        mask = -1;
        if (bits !== 0) return (segment << 12) | (word << 5) | (31 - Math.clz32(bits & -bits));
      }
      word = 0;
    }
    return -1;
  }

  /** The row with the primary key in registers first … (none NULL), or -1. */
  findPrimary(registers: RegisterFile, firstRegister: number): number {
    const index = this.indexes[0]!;
    index.key.loadRegisters(registers, firstRegister, this.i32);
    return index.find();
  }

  /** The primary key where it is a hash index. */
  hashedKey(): HashIndex | undefined {
    const primary = this.indexes[0]!;
    return primary instanceof HashIndex ? primary : undefined;
  }

  /** Where a word of every column of a row lies: its arena and its index there, in places[at …]. Returns the place behind. */
  placesOfRow(row: number, places: Int32Array, at: number): number {
    const { columnRefs, columnBytes } = this;
    const segment = row >>> 12;
    const slot = row & 4095;
    for (let column = 0; column < columnRefs.length; column++, at += 2) {
      const ref = columnRefs[column]![segment]!;
      places[at] = ref >>> 26;
      places[at + 1] = ((ref & 0x3ffffff) << 2) + ((slot * columnBytes[column]!) >> 2);
    }
    return at;
  }

  /**
   * Inserts a row of a batch. Returns its row, or ~row of the one that has its primary key, and then nothing has changed.
   * Throws out_of_memory, or key_conflict of another unique index; nothing has changed then either.
   */
  insertFromBatch(batch: BatchReader, rowOrdinal: number, undo: UndoLog): number {
    return insertBatchRow(this, batch, rowOrdinal, undo);
  }

  /**
   * Sets columns of a live row from registers first, first + 1, …: never primary key columns, never NULL into NOT NULL.
   * Texts are copied into the heap. Throws as insertFromBatch does.
   */
  update(row: number, columns: readonly number[], values: RegisterFile, firstRegister: number, undo: UndoLog): void {
    updateRow(this, row, columns, values, firstRegister, undo);
  }

  /** Deletes a live row. Throws out_of_memory, and then nothing has changed. */
  delete(row: number, undo: UndoLog): void {
    deleteRow(this, row, undo);
  }

  /** Undoes one record; for UndoLog. */
  undo(words: Int32Array, at: number, stamp: number): void {
    undoRecord(this, words, at, stamp);
  }

  /** Frees what a final record held; for UndoLog. `released` is the position behind it. */
  release(words: Int32Array, at: number, released: number): void {
    releaseRecord(this, words, at, released);
  }

  /** What of the release of a record moves index entries: at once, or in settle() where others read. For releaseRecord. */
  maintainIndexes(released: number): void {
    if (this.isReadByOthers) {
      this.#releasedTo = released;
      this.#isReleased = true;
    } else for (let index = 0; index < this.indexes.length; index++) this.indexes[index]!.maintain(released);
  }

  /**
   * Does what release has put off because other nodes read the partition: joins tree leaves, gives back segments. Only where
   * none of them can be reading: in a fence that is WORKING, or a drained one. Never allocates, never fails.
   */
  settle(): void {
    if (this.#isReleased) {
      this.#isReleased = false;
      for (let index = 0; index < this.indexes.length; index++) this.indexes[index]!.maintain(this.#releasedTo);
    }
    this.#dropSpareSegments();
  }

  /** A row slot for the next insert, which is not taken yet: takeSlot() does that. Throws out_of_memory. */
  findSlot(): number {
    const root = this.root;
    if (root[ROOT_FREE]! > 0) return this.#findFreeSlot();
    const row = root[ROOT_NEXT_ROW]!;
    if (row >>> 12 === this.#openSegments) this.#addSegment();
    return row;
  }

  /** Marks a slot as used and its row as live. */
  takeSlot(row: number): void {
    const root = this.root;
    const segment = row >>> 12;
    const ref = this.liveRefs[segment]!;
    const words = this.i32[ref >>> 26]!;
    const index = ((ref & 0x3ffffff) << 2) + ((row & 4095) >>> 5);
    words[index]! |= 1 << (row & 31);
    words[index + BITMAP_BYTES / 4]! |= 1 << (row & 31);
    if (row === root[ROOT_NEXT_ROW]) root[ROOT_NEXT_ROW] = row + 1;
    else {
      root[ROOT_FREE]! -= 1;
      this.directory[segment * this.stride + SEGMENT_FREE]! -= 1;
    }
    root[ROOT_ROWS]! += 1;
  }

  /** Sets or clears the live bit of a used slot. */
  setLive(row: number, isLive: boolean): void {
    const ref = this.liveRefs[row >>> 12]!;
    const words = this.i32[ref >>> 26]!;
    const index = ((ref & 0x3ffffff) << 2) + ((row & 4095) >>> 5);
    if (isLive) words[index]! |= 1 << (row & 31);
    else words[index]! &= ~(1 << (row & 31));
    this.root[ROOT_ROWS]! += isLive ? 1 : -1;
  }

  /** Frees a used slot whose row is not live. Segments behind the last used slot go, but for one. */
  freeSlot(row: number): void {
    const root = this.root;
    const ref = this.liveRefs[row >>> 12]!;
    const index = ((ref & 0x3ffffff) << 2) + ((row & 4095) >>> 5) + BITMAP_BYTES / 4;
    this.i32[ref >>> 26]![index]! &= ~(1 << (row & 31));
    if (row + 1 !== root[ROOT_NEXT_ROW]) {
      root[ROOT_FREE]! += 1;
      this.directory[(row >>> 12) * this.stride + SEGMENT_FREE]! += 1;
      if (row >>> 12 < root[ROOT_FREE_SEGMENT]!) root[ROOT_FREE_SEGMENT] = row >>> 12;
      return;
    }
    let next = row;
    while (next > 0 && !this.#isUsed(next - 1)) {
      next -= 1;
      root[ROOT_FREE]! -= 1;
      this.directory[(next >>> 12) * this.stride + SEGMENT_FREE]! -= 1;
    }
    root[ROOT_NEXT_ROW] = next;
    if (!this.isReadByOthers) this.#dropSpareSegments();
  }

  /** Gives back the segments behind the last used slot, but for one. */
  #dropSpareSegments(): void {
    const next = this.root[ROOT_NEXT_ROW]!;
    while ((this.#openSegments - 2) * SEGMENT_ROWS >= next && this.#openSegments > 1) this.#dropSegment();
  }

  /** Puts another allocation of the same contents in the place of a segment's head run (place -1), or of a column's run. */
  moveRun(segment: number, place: number, page: number): void {
    const entry = segment * this.stride;
    if (place < 0) {
      this.directory[entry + SEGMENT_HEAD_PAGE] = page;
      this.#cacheRefs(segment);
    } else {
      this.directory[entry + SEGMENT_COLUMNS + place] = page;
      this.columnRefs[place]![segment] = page * REFS_PER_PAGE;
    }
    this.#changeLayout();
  }

  /** Pages of segments, directory, heaps and hash indexes, without the root. */
  pageCount(): number {
    return partitionPageCount(this.memory, this.table, this.definition.rootPage);
  }

  #isUsed(row: number): boolean {
    const ref = this.liveRefs[row >>> 12]!;
    const index = ((ref & 0x3ffffff) << 2) + ((row & 4095) >>> 5) + BITMAP_BYTES / 4;
    return ((this.i32[ref >>> 26]![index]! >>> (row & 31)) & 1) !== 0;
  }

  #findFreeSlot(): number {
    let segment = this.root[ROOT_FREE_SEGMENT]!;
    while (this.directory[segment * this.stride + SEGMENT_FREE] === 0) segment++;
    this.root[ROOT_FREE_SEGMENT] = segment;
    const ref = this.liveRefs[segment]!;
    const words = this.i32[ref >>> 26]!;
    const base = ((ref & 0x3ffffff) << 2) + BITMAP_BYTES / 4;
    for (let word = 0; word < 128; word++) {
      const free = ~words[base + word]!;
      if (free !== 0) return (segment << 12) | (word << 5) | (31 - Math.clz32(free & -free));
    }
    assert(false, 'a segment with free slots has one');
  }

  /** Writes the root page, which is zero: of an empty partition only half of it is ever touched. */
  #format(): void {
    const root = this.root;
    root[0] = ROOT_MAGIC;
    root[ROOT_LAYOUT_VERSION] = this.#layoutVersion + 1;
    root[ROOT_TABLE] = this.table.id;
    root[ROOT_COLUMNS] = this.table.columns.length;
    root[ROOT_DIRECTORY_STRIDE] = this.stride;
    root[ROOT_DIRECTORY_CAPACITY] = Math.floor((WORDS_PER_PAGE - ROOT_DIRECTORY) / this.stride);
    this.indexes.length = 0;
    for (const definition of this.table.indexes) {
      const index = this.#createIndex(definition);
      this.#adoptIndex(index, definition);
    }
  }

  #clear(): void {
    abandonSnapshot(this);
    for (const index of this.indexes) if (index instanceof HashIndex) index.destroy();
    this.nodeHeap.clear();
    this.valueHeap.clear();
    while (this.#openSegments > 0) this.#dropSegment();
    const page = this.root[ROOT_DIRECTORY_PAGE]!;
    if (page !== 0) this.memory.free(page, this.memory.pageCountOf(page));
    this.root[ROOT_DIRECTORY_PAGE] = 0;
    this.directory = this.root.subarray(ROOT_DIRECTORY);
  }

  #indexSlot(id: number): number {
    for (let ordinal = 0; ordinal < INDEX_SLOT_COUNT; ordinal++) {
      const slot = ROOT_INDEXES + ordinal * INDEX_SLOT_WORDS;
      if (this.root[slot + INDEX_METHOD] !== 0 && this.root[slot + INDEX_ID] === id) return slot;
    }
    return -1;
  }

  #newIndex(definition: IndexDefinition, slot: number): Index {
    if (definition.method === 'hash' && definition.isUnique) return new HashIndex(this, this.table, definition, slot);
    return new Tree(this, this.table, definition, slot, definition.method === 'hash');
  }

  #openIndex(definition: IndexDefinition): void {
    const slot = this.#indexSlot(definition.id);
    assert(slot >= 0, 'an index of the table is in its partitions');
    this.#adoptIndex(this.#newIndex(definition, slot), definition);
  }

  #adoptIndex(index: Index, definition: IndexDefinition): void {
    for (const key of definition.keys) this.indexMasks[key.column]! |= 1 << this.indexes.length;
    this.indexes.push(index);
  }

  #createIndex(definition: IndexDefinition): Index {
    let slot = ROOT_INDEXES;
    while (slot < ROOT_DIRECTORY && this.root[slot + INDEX_METHOD] !== 0) slot += INDEX_SLOT_WORDS;
    if (slot === ROOT_DIRECTORY) {
      throw new SqlError('limit_exceeded', `table '${this.table.name}': more than ${INDEX_SLOT_COUNT} indexes`);
    }
    const index = this.#newIndex(definition, slot);
    index.create();
    const treeMethod = definition.method === 'hash' ? METHOD_HASHED_TREE : METHOD_TREE;
    this.root[slot + INDEX_ID] = definition.id;
    this.root[slot + INDEX_METHOD] = index instanceof HashIndex ? METHOD_HASH : treeMethod;
    return index;
  }

  #destroyIndex(index: Index): void {
    index.destroy();
    this.root.fill(0, index.slot, index.slot + INDEX_SLOT_WORDS);
  }

  /** Adds a segment. Throws out_of_memory, and then nothing has changed. */
  #addSegment(): void {
    const root = this.root;
    const segment = root[ROOT_SEGMENTS]!;
    if (segment === root[ROOT_DIRECTORY_CAPACITY]) this.#growDirectory();
    const layout = this.layout;
    const entry = segment * this.stride;
    const directory = this.directory;
    directory.fill(0, entry, entry + this.stride);
    try {
      directory[entry + SEGMENT_HEAD_PAGE] = this.memory.allocateZeroed(layout.headPages);
      for (let column = 0; column < layout.columnCount; column++) {
        if (layout.pageCounts[column] === 0) continue;
        directory[entry + SEGMENT_COLUMNS + column] = this.memory.allocate(layout.pageCounts[column]!);
      }
    } catch (error) {
      this.#freeSegmentPages(entry);
      throw error;
    }
    root[ROOT_SEGMENTS] = segment + 1;
    this.#changeLayout();
    this.#cacheSegment(segment);
  }

  #dropSegment(): void {
    const segment = this.#openSegments - 1;
    this.#freeSegmentPages(segment * this.stride);
    this.root[ROOT_SEGMENTS] = segment;
    this.#openSegments = segment;
    this.#changeLayout();
  }

  #freeSegmentPages(entry: number): void {
    const layout = this.layout;
    const directory = this.directory;
    this.#freeRun(directory[entry + SEGMENT_HEAD_PAGE]!, layout.headPages);
    for (let column = 0; column < layout.columnCount; column++)
      this.#freeRun(directory[entry + SEGMENT_COLUMNS + column]!, layout.pageCounts[column]!);
    directory.fill(0, entry, entry + this.stride);
  }

  /** Frees an allocation of a segment, or leaves it to the snapshot that reads it. */
  #freeRun(page: number, pageCount: number): void {
    if (page === 0 || (this.memory.isFrozen(page) && this.memory.orphan(page))) return;
    this.memory.free(page, pageCount);
  }

  /** Moves the segment directory to a run of twice the room. */
  #growDirectory(): void {
    const root = this.root;
    const capacity = Math.max(4, root[ROOT_DIRECTORY_CAPACITY]! * 2);
    const pageCount = Math.ceil((capacity * this.stride) / WORDS_PER_PAGE);
    const page = this.memory.allocate(pageCount);
    const start = (page & 0xffff) << 12;
    const words = this.i32[page >>> 16]!.subarray(start, start + pageCount * WORDS_PER_PAGE);
    words.set(this.directory.subarray(0, root[ROOT_SEGMENTS]! * this.stride));
    const old = root[ROOT_DIRECTORY_PAGE]!;
    if (old !== 0) this.memory.free(old, this.memory.pageCountOf(old));
    root[ROOT_DIRECTORY_PAGE] = page;
    root[ROOT_DIRECTORY_CAPACITY] = Math.floor((pageCount * WORDS_PER_PAGE) / this.stride);
    this.directory = words;
    this.#changeLayout();
  }

  /** The owner changed the directories and has cached the change. */
  #changeLayout(): void {
    const version = (this.root[ROOT_LAYOUT_VERSION]! + 1) | 0;
    this.root[ROOT_LAYOUT_VERSION] = version;
    this.#layoutVersion = version;
  }

  #cacheSegment(segment: number): void {
    if (segment >= this.liveRefs.length) this.#growCaches(Math.max(4, segment * 2));
    this.#cacheRefs(segment);
    this.#openSegments = segment + 1;
  }

  #cacheRefs(segment: number): void {
    const layout = this.layout;
    const entry = segment * this.stride;
    const head = this.directory[entry + SEGMENT_HEAD_PAGE]! * REFS_PER_PAGE;
    this.liveRefs[segment] = head;
    for (let column = 0; column < layout.columnCount; column++) {
      const page = this.directory[entry + SEGMENT_COLUMNS + column]!;
      this.columnRefs[column]![segment] = page === 0 ? head + layout.headOffsets[column]! / 16 : page * REFS_PER_PAGE;
      this.nullRefs[column]![segment] = head + layout.nullOffsets[column]! / 16;
    }
  }

  #growCaches(capacity: number): void {
    this.liveRefs = grown(this.liveRefs, capacity);
    for (let column = 0; column < this.layout.columnCount; column++) {
      this.columnRefs[column] = grown(this.columnRefs[column]!, capacity);
      this.nullRefs[column] = grown(this.nullRefs[column]!, capacity);
    }
  }
}

function grown(values: Int32Array, capacity: number): Int32Array {
  const larger = new Int32Array(capacity);
  larger.set(values);
  return larger;
}

/** Pages that rows, values and indexes of a partition take; from the root page alone, so that any thread may ask. */
export function partitionPageCount(memory: Memory, table: TableDefinition, rootPage: number): number {
  const start = (rootPage & 0xffff) << 12;
  const root = memory.i32[rootPage >>> 16]!.subarray(start, start + WORDS_PER_PAGE);
  const layout = segmentLayout(table);
  let segmentPages = layout.headPages;
  for (let column = 0; column < layout.columnCount; column++) segmentPages += layout.pageCounts[column]!;
  let pages = heapPageCount(root, ROOT_VALUE_HEAP) + heapPageCount(root, ROOT_NODE_HEAP);
  pages += segmentPages * root[ROOT_SEGMENTS]!;
  for (let slot = ROOT_INDEXES; slot < ROOT_DIRECTORY; slot += INDEX_SLOT_WORDS)
    if (root[slot + INDEX_METHOD] === METHOD_HASH) pages += hashPageCount(root, slot);
  const directoryPage = root[ROOT_DIRECTORY_PAGE]!;
  return directoryPage === 0 ? pages : pages + memory.pageCountOf(directoryPage);
}
