/**
 * Scratch: a bump allocator of refs for temporaries (texts and JSON made by a section, parameters of a request).
 * Values are 16-byte aligned, in page runs that stay until reset() or dispose().
 */

import { PAGE_BYTES } from './limits.ts';
import type { Memory } from './memory.ts';
import { REFS_PER_PAGE } from './memory.ts';

const RUN_PAGES_MAX = 64;

/** Temporaries of one thread. Not safe for several threads. */
export class Scratch {
  readonly memory: Memory;
  readonly #pages: number[] = [];
  readonly #pageCounts: number[] = [];
  /** The run in use, as an index; -1 before the first. */
  #run = -1;
  /** Refs of the run in use that are taken, and that it has. */
  #used = 0;
  #capacity = 0;
  /** Ref where the run in use starts. */
  #base = 0;

  constructor(memory: Memory) {
    this.memory = memory;
  }

  /** A ref to `byteLength` bytes with undefined contents. Throws out_of_memory. */
  allocate(byteLength: number): number {
    const units = (byteLength + 15) >>> 4;
    if (this.#used + units > this.#capacity) this.#nextRun(byteLength);
    const ref = (this.#base + this.#used) >>> 0;
    this.#used += units;
    return ref;
  }

  /** Stores a text, JSON or vector value: u32 length, then the bytes from `start` to `end`. Returns its ref. */
  text(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
    const length = end - start;
    const ref = this.allocate(4 + length);
    const offset = ref & 0x3ffffff;
    this.memory.i32[ref >>> 26]![offset << 2] = length;
    const target = this.memory.u8[ref >>> 26]!;
    const first = (offset << 4) + 4;
    if (length <= 64) {
      for (let index = 0; index < length; index++) target[first + index] = bytes[start + index]!;
    } else if (start === 0 && end === bytes.length) target.set(bytes, first);
    else target.set(bytes.subarray(start, end), first);
    return ref;
  }

  /** The present end, for release(). */
  mark(): number {
    return (this.#run + 1) * 0x1_0000_0000 + this.#used;
  }

  /** Forgets everything allocated since mark(). Runs of pages stay for reuse. */
  release(mark: number): void {
    const run = Math.floor(mark / 0x1_0000_0000) - 1;
    if (run !== this.#run) this.#enter(run);
    this.#used = run < 0 ? 0 : mark % 0x1_0000_0000;
  }

  /** Forgets everything. All runs but a small first one are given back. */
  reset(): void {
    if (this.#pages.length > 1 || (this.#pages.length === 1 && this.#pageCounts[0]! > RUN_PAGES_MAX)) {
      while (this.#pages.length > 1) this.memory.free(this.#pages.pop()!, this.#pageCounts.pop()!);
      if (this.#pageCounts[0]! > RUN_PAGES_MAX) this.memory.free(this.#pages.pop()!, this.#pageCounts.pop()!);
    }
    this.#enter(this.#pages.length - 1);
  }

  /** Gives all pages back. */
  dispose(): void {
    while (this.#pages.length > 0) this.memory.free(this.#pages.pop()!, this.#pageCounts.pop()!);
    this.#enter(-1);
  }

  #enter(run: number): void {
    this.#run = run;
    this.#used = 0;
    this.#capacity = run < 0 ? 0 : this.#pageCounts[run]! * REFS_PER_PAGE;
    this.#base = run < 0 ? 0 : (this.#pages[run]! * REFS_PER_PAGE) >>> 0;
  }

  #nextRun(byteLength: number): void {
    const next = this.#run + 1;
    const needed = Math.max(1, Math.ceil(byteLength / PAGE_BYTES));
    // A kept run that is too short is given back with those after it: they are free, and a longer one takes its place.
    if (next < this.#pages.length && this.#pageCounts[next]! < needed) {
      while (this.#pages.length > next) this.memory.free(this.#pages.pop()!, this.#pageCounts.pop()!);
    }
    if (next === this.#pages.length) {
      const pageCount = Math.max(needed, Math.min(RUN_PAGES_MAX, 1 << Math.min(next, 6)));
      this.#pages.push(this.memory.allocate(pageCount));
      this.#pageCounts.push(pageCount);
    }
    this.#enter(next);
  }
}
