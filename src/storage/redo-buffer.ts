/**
 * The redo buffer of a node: the bytes that its parts want logged, in the arenas, where the committer finds them. A part's
 * bytes are contiguous. First in, first out: release() when final; rollbackTo() drops what an undone part wrote.
 *
 * Bytes lie in runs of pages. A part that outgrows its run goes on in a longer one, with what it has written so far.
 * A mark is run number * 2^31 + byte offset; run numbers rise, so marks compare as they were made.
 */

import { assert } from '../base/assert.ts';
import { PAGE_BYTES } from '../base/limits.ts';
import type { Memory } from '../base/memory.ts';

const RUN_PAGES = 16;
const RUN_FACTOR = 0x8000_0000;

type Run = { readonly number: number; readonly page: number; readonly pageCount: number };

export class RedoBuffer {
  /** Where the next byte goes: bytes[at]. Writers call ensure() first. */
  bytes: Uint8Array;
  /** The same bytes, for numbers wherever they come to lie. */
  view: DataView;
  at = 0;
  /** Row changes written since begin(). */
  changeCount = 0;
  readonly #memory: Memory;
  /** Oldest first; the last is being written. */
  readonly #runs: Run[] = [];
  #nextNumber = 1;
  /** Byte index in the arena where the run starts and ends, and where the part began. */
  #runStart = 0;
  #runEnd = 0;
  #partStart = 0;

  constructor(memory: Memory) {
    this.#memory = memory;
    this.bytes = memory.u8[0]!;
    this.view = new DataView(this.bytes.buffer);
  }

  /** The present end, for release() and rollbackTo(). */
  mark(): number {
    const run = this.#runs.at(-1);
    return run === undefined ? this.#nextNumber * RUN_FACTOR : run.number * RUN_FACTOR + (this.at - this.#runStart);
  }

  /** Starts a part's bytes, 16-byte aligned. */
  begin(): void {
    this.at = (this.at + 15) & ~15;
    if (this.at > this.#runEnd) this.at = this.#runEnd;
    this.#partStart = this.at;
    this.changeCount = 0;
  }

  /** Bytes written since begin(). */
  byteLength(): number {
    return this.at - this.#partStart;
  }

  /** Ref of the first byte since begin(); the bytes are contiguous in its arena. 0 when there are none. */
  ref(): number {
    if (this.at === this.#partStart) return 0;
    const run = this.#runs.at(-1)!;
    return ((run.page >>> 16) * 0x4000000 + (this.#partStart >>> 4)) >>> 0;
  }

  /** Makes room for that many bytes at bytes[at …]. Throws out_of_memory, and then nothing has changed. */
  ensure(count: number): void {
    if (this.#runEnd - this.at < count) this.#addRun(count);
  }

  /** Everything before `mark` is final. */
  release(mark: number): void {
    const number = Math.floor(mark / RUN_FACTOR);
    while (this.#runs.length > 1 && this.#runs[0]!.number < number) this.#free(this.#runs.shift()!);
    const run = this.#runs[0];
    if (run === undefined || this.#runs.length > 1 || run.number !== number) return;
    // All of it is final: a short run starts again, warm in the caches; a long one goes.
    if (mark % RUN_FACTOR !== this.at - this.#runStart) return;
    this.#runs.pop();
    if (run.pageCount > RUN_PAGES) {
      this.#free(run);
      this.#close();
    } else this.#open({ number: this.#nextNumber++, page: run.page, pageCount: run.pageCount });
  }

  /** Drops everything from `mark` on. */
  rollbackTo(mark: number): void {
    const number = Math.floor(mark / RUN_FACTOR);
    const offset = mark % RUN_FACTOR;
    while (this.#runs.length > 0 && this.#runs.at(-1)!.number > number) {
      // The mark was the end of a run that was final and has started again since.
      if (this.#runs.length === 1) break;
      this.#free(this.#runs.pop()!);
    }
    const run = this.#runs.at(-1);
    if (run === undefined) return;
    this.#stand(run);
    this.at = run.number === number ? this.#runStart + offset : this.#runStart;
    this.#partStart = this.at;
    this.changeCount = 0;
  }

  /** Gives all pages back. */
  dispose(): void {
    while (this.#runs.length > 0) this.#free(this.#runs.pop()!);
    this.#close();
  }

  #addRun(count: number): void {
    const written = this.at - this.#partStart;
    const pageCount = Math.max(RUN_PAGES, Math.ceil((written * 2 + count) / PAGE_BYTES));
    assert(pageCount * PAGE_BYTES < RUN_FACTOR, 'redo of a part fits into a run');
    const page = this.#memory.allocate(pageCount);
    const source = this.bytes;
    const start = this.#partStart;
    this.#open({ number: this.#nextNumber++, page, pageCount });
    if (written > 0) this.bytes.set(source.subarray(start, start + written), this.at);
    this.at += written;
  }

  #open(run: Run): void {
    this.#runs.push(run);
    this.#stand(run);
    this.at = this.#runStart;
    this.#partStart = this.at;
  }

  #stand(run: Run): void {
    const bytes = this.#memory.u8[run.page >>> 16]!;
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.view = new DataView(bytes.buffer);
    }
    this.#runStart = (run.page & 0xffff) * PAGE_BYTES;
    this.#runEnd = this.#runStart + run.pageCount * PAGE_BYTES;
  }

  #close(): void {
    this.#runStart = 0;
    this.#runEnd = 0;
    this.#partStart = 0;
    this.at = 0;
  }

  #free(run: Run): void {
    this.#memory.free(run.page, run.pageCount);
  }
}
