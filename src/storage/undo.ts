/**
 * The undo log of a node: what restores rows and indexes to what they were, oldest first. A transaction's records are
 * undone in reverse (rollbackTo), or forgotten when it is final (release): only then are deleted row slots and replaced
 * heap blocks free for use.
 *
 * Positions count records, from 0; they never repeat but after a rollback. Records lie in pages of 512, first in first out.
 * Rolling back never allocates.
 *
 * Record, eight words:
 *
 * | word  | what                                                                                                |
 * | ----- | --------------------------------------------------------------------------------------------------- |
 * | 0     | bits 0-3 kind, bit 4 the old value was NULL, bit 5 release has nothing to do, bits 8-31 column       |
 * | 1     | partition: ordinal in this log's list                                                               |
 * | 2     | row                                                                                                 |
 * | 3     | bit mask of indexes                                                                                 |
 * | 4 … 7 | old value as it lay in the column                                                                   |
 *
 * | kind            | undo                                   | release                                                 |
 * | --------------- | -------------------------------------- | ------------------------------------------------------- |
 * | 1 insert        | the row goes, with its index entries   |                                                         |
 * | 2 delete        | the row is live again, in all indexes  | its heap blocks and its slot are free                   |
 * | 3 column        | the old value is put back              | the old value's heap block is free                      |
 * | 4 keys removed  | entries of the indexes are put back    | tree leaves may be joined                               |
 * | 5 keys inserted | entries of the indexes are removed     |                                                         |
 */

import { assert } from '../base/assert.ts';
import type { Memory } from '../base/memory.ts';
import type { Partition } from './partition.ts';

export const UNDO_INSERT = 1;
export const UNDO_DELETE = 2;
export const UNDO_COLUMN = 3;
export const UNDO_KEYS_REMOVED = 4;
export const UNDO_KEYS_INSERTED = 5;
export const UNDO_WAS_NULL = 16;
export const UNDO_HOLDS_NOTHING = 32;

const RECORD_WORDS = 8;
const PAGE_RECORDS = 512;
/** Pages behind the end that a rollback keeps. */
const KEPT_PAGES = 2;

export class UndoLog {
  /** The record that is being written: words[at …]. Set by push(). */
  words: Int32Array;
  at = 0;
  readonly #memory: Memory;
  readonly #partitions: Partition[] = [];
  /** Pages by chunk number - #firstChunk; those behind the end are kept for use. */
  readonly #pages: number[] = [];
  #firstChunk = 0;
  /** Records that fit behind the last one pushed, while words and at still stand on it; else 0. */
  #room = 0;
  /** Position of the next record, and the first that is not released. */
  #end = 0;
  #released = 0;

  /** An empty log. Tests start at another position, near where stamps wrap. */
  constructor(memory: Memory, start: number = 0) {
    this.#memory = memory;
    this.words = memory.i32[0]!;
    this.#end = start;
    this.#released = start;
    this.#firstChunk = Math.floor(start / PAGE_RECORDS);
  }

  /** The present end, for rollbackTo() and release(). */
  mark(): number {
    return this.#end;
  }

  /** True: nothing could be undone. */
  isEmpty(): boolean {
    return this.#end === this.#released;
  }

  /** Low 32 bits of the position of the next record: the stamp of tree leaves. */
  stamp(): number {
    return this.#end | 0;
  }

  /** Makes room for that many records, so that as many push() calls cannot fail. Throws out_of_memory. */
  reserve(count: number): void {
    if (this.#room >= count) return;
    const chunks = Math.floor((this.#end + count - 1) / PAGE_RECORDS) - this.#firstChunk + 1;
    while (this.#pages.length < chunks) this.#pages.push(this.#memory.allocate(1));
  }

  /** Appends a record within the room reserved; its words 4 … 7 are then set by way of this.words and this.at. */
  push(kind: number, partition: Partition, row: number, column: number, mask: number): void {
    if (this.#room > 0) {
      this.#room -= 1;
      this.at += RECORD_WORDS;
    } else {
      const chunk = Math.floor(this.#end / PAGE_RECORDS);
      const record = this.#end - chunk * PAGE_RECORDS;
      this.#stand(chunk - this.#firstChunk, record);
      this.#room = PAGE_RECORDS - 1 - record;
    }
    const words = this.words;
    words[this.at] = kind | (column << 8);
    words[this.at + 1] = partition.undoLog === this ? partition.undoOrdinal : this.#register(partition);
    words[this.at + 2] = row;
    words[this.at + 3] = mask;
    this.#end += 1;
  }

  /** Undoes every record from `position` on, the latest first. Never allocates, never fails. */
  rollbackTo(position: number): void {
    assert(position >= this.#released && position <= this.#end, 'only what is not final is undone'); // invariants 4, 7
    this.#room = 0;
    while (this.#end > position) {
      this.#end -= 1;
      const chunk = Math.floor(this.#end / PAGE_RECORDS);
      this.#stand(chunk - this.#firstChunk, this.#end - chunk * PAGE_RECORDS);
      this.#partitions[this.words[this.at + 1]!]!.undo(this.words, this.at, this.#end | 0);
    }
    const chunks = Math.ceil(this.#end / PAGE_RECORDS) - this.#firstChunk;
    while (this.#pages.length > chunks + KEPT_PAGES) this.#memory.free(this.#pages.pop()!, 1);
  }

  /** Everything before `position` is final: what it deleted or replaced is free for use. Never fails. */
  release(position: number): void {
    assert(position >= this.#released && position <= this.#end, 'records are released in order'); // invariant 7
    let chunk = Math.floor(this.#released / PAGE_RECORDS);
    while (this.#released < position) {
      const index = this.#released - chunk * PAGE_RECORDS;
      const count = Math.min(PAGE_RECORDS - index, position - this.#released);
      const page = this.#pages[chunk - this.#firstChunk]!;
      const at = ((page & 0xffff) << 12) + index * RECORD_WORDS;
      this.#releaseRecords(this.#memory.i32[page >>> 16]!, at, count);
      if (index + count === PAGE_RECORDS) {
        this.#memory.free(this.#pages.shift()!, 1);
        this.#firstChunk += 1;
        chunk += 1;
      }
    }
  }

  /** Gives all pages back; the log is empty. */
  dispose(): void {
    assert(this.isEmpty(), 'undo is not thrown away');
    while (this.#pages.length > 0) this.#memory.free(this.#pages.pop()!, 1);
    this.#room = 0;
    this.#firstChunk = Math.floor(this.#end / PAGE_RECORDS);
  }

  #releaseRecords(words: Int32Array, at: number, count: number): void {
    for (let record = 0; record < count; record++, at += RECORD_WORDS) {
      const kind = words[at]! & 15;
      this.#released += 1;
      if (kind === 1 || kind === 5 || (words[at]! & UNDO_HOLDS_NOTHING) !== 0) continue;
      this.#partitions[words[at + 1]!]!.release(words, at, this.#released | 0);
    }
  }

  #stand(page: number, record: number): void {
    const number = this.#pages[page]!;
    this.words = this.#memory.i32[number >>> 16]!;
    this.at = ((number & 0xffff) << 12) + record * RECORD_WORDS;
  }

  #register(partition: Partition): number {
    if (this.isEmpty()) this.#forgetClosed();
    assert(!partition.isForeign, 'only its owner changes a partition');
    partition.undoLog = this;
    partition.undoOrdinal = this.#partitions.length;
    this.#partitions.push(partition);
    return partition.undoOrdinal;
  }

  /** Partitions that are closed (dropped tables, another catalog version) are forgotten once no record names them. */
  #forgetClosed(): void {
    let kept = 0;
    for (const partition of this.#partitions) {
      if (partition.isClosed) continue;
      partition.undoOrdinal = kept;
      this.#partitions[kept++] = partition;
    }
    this.#partitions.length = kept;
  }
}
