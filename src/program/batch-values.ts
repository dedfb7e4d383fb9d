/**
 * Places for the values of a batch that lie outside its cells: a bump allocator over the chain of value pages described in
 * batch.ts. The chain belongs to the batch; this object only fills it.
 */

import { PAGE_BYTES } from '../base/limits.ts';
import type { Memory } from '../base/memory.ts';
import { BATCH_VALUE_HEADER_BYTES } from './batch.ts';

/** Runs after the first take this many pages, so that big batches have short chains. */
const RUN_PAGES = 8;
/** Up to that many bytes a loop is faster than a call of `set`. */
const SHORT_BYTES = 40;

export class BatchValues {
  /** Head of the chain, 0 for none. */
  firstPage = 0;

  private readonly memory: Memory;
  private lastPage = 0;
  private arena = 0;
  private bytes: Uint8Array = new Uint8Array(0);
  private words: Int32Array = new Int32Array(0);
  /** Byte offsets in the arena: the next value, and the end of the run. */
  private next = 0;
  private end = 0;
  /** Where the values of the run begin, and bytes of the runs before it. */
  private first = 0;
  private earlierBytes = 0;

  constructor(memory: Memory) {
    this.memory = memory;
  }

  /** Starts an empty chain; the one before belongs to its batch. */
  open(): void {
    this.firstPage = 0;
    this.lastPage = 0;
    this.next = 0;
    this.end = 0;
    this.first = 0;
    this.earlierBytes = 0;
  }

  /** Bytes of all values, with their lengths and what aligns them. */
  get byteCount(): number {
    return this.earlierBytes + this.next - this.first;
  }

  /** Copies source[start, end) behind a length word; gives its ref. Throws out_of_memory. */
  store(source: Uint8Array, start: number, end: number): number {
    const length = end - start;
    const ref = this.allocate(length + 4);
    const target = (ref & 0x3ffffff) << 4;
    this.words[target >> 2] = length;
    const bytes = this.bytes;
    if (length <= SHORT_BYTES) {
      for (let i = 0; i < length; i++) bytes[target + 4 + i] = source[start + i]!;
    } else {
      bytes.set(source.subarray(start, end), target + 4);
    }
    return ref;
  }

  /** A ref to `byteCount` bytes with undefined contents. Throws out_of_memory. */
  allocate(byteCount: number): number {
    const size = (byteCount + 15) & ~15;
    if (this.next + size > this.end) this.addRun(size);
    const at = this.next;
    this.next = at + size;
    return ((this.arena << 26) | (at >>> 4)) >>> 0;
  }

  private addRun(size: number): void {
    this.earlierBytes = this.byteCount;
    const needed = Math.ceil((size + BATCH_VALUE_HEADER_BYTES) / PAGE_BYTES);
    const pageCount = this.firstPage === 0 ? needed : Math.max(needed, RUN_PAGES);
    const page = this.memory.allocate(pageCount);
    const words = this.memory.i32[page >>> 16]!;
    const at = (page & 0xffff) << 12;
    words[at] = 0;
    words[at + 1] = pageCount;
    if (this.firstPage === 0) this.firstPage = page;
    else this.memory.i32[this.lastPage >>> 16]![(this.lastPage & 0xffff) << 12] = page;
    this.lastPage = page;
    this.arena = page >>> 16;
    this.bytes = this.memory.u8[page >>> 16]!;
    this.words = words;
    this.next = (at << 2) + BATCH_VALUE_HEADER_BYTES;
    this.first = this.next;
    this.end = (at << 2) + pageCount * PAGE_BYTES;
  }
}
