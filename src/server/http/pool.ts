/**
 * Buffers that are used again: output, bodies, and unfinished input. Request bodies and replies would otherwise be memory
 * outside the JavaScript heap that the collector frees late, and a loaded server would grow by it.
 *
 * Sizes are powers of two from 1 KiB to 1 MiB; what is larger is made when needed and left to the collector. Idle
 * connections hold none.
 */

import { assert } from '../../base/assert.ts';

const SMALLEST_SHIFT = 10;
const LARGEST_SHIFT = 20;
/** Free bytes kept a size. */
const FREE_BYTES_MAX = 2 * 1024 * 1024;
/** Views of this many bytes and more are made anew. */
const KEPT_VIEW_BYTES = 512;

export class BufferPool {
  readonly #free: Buffer[][] = [];
  /** By buffer and bytes: most replies are short and alike, and a view costs as much as encoding one. */
  readonly #views = new WeakMap<Buffer, (Buffer | undefined)[]>();

  constructor() {
    for (let shift = SMALLEST_SHIFT; shift <= LARGEST_SHIFT; shift++) this.#free.push([]);
  }

  /** A buffer of at least `byteCount` bytes with undefined content. It is the caller's until given back, or for good. */
  take(byteCount: number): Buffer {
    const index = sizeIndex(byteCount);
    if (index >= this.#free.length) return Buffer.allocUnsafeSlow(byteCount);
    return this.#free[index]!.pop() ?? Buffer.allocUnsafeSlow(1 << (index + SMALLEST_SHIFT));
  }

  /** Gives a buffer of `take` back: nobody may look at its bytes any more. */
  give(buffer: Buffer): void {
    const index = sizeIndex(buffer.length);
    if (index >= this.#free.length) return;
    assert(buffer.length === 1 << (index + SMALLEST_SHIFT), 'only buffers of the pool come back');
    const free = this.#free[index]!;
    if ((free.length + 1) * buffer.length <= FREE_BYTES_MAX) free.push(buffer);
  }

  /** A view of the first `byteCount` bytes of a buffer of `take`. */
  view(buffer: Buffer, byteCount: number): Buffer {
    if (byteCount >= KEPT_VIEW_BYTES) return buffer.subarray(0, byteCount);
    let views = this.#views.get(buffer);
    if (views === undefined) {
      views = new Array<Buffer | undefined>(KEPT_VIEW_BYTES);
      this.#views.set(buffer, views);
    }
    views[byteCount] ??= buffer.subarray(0, byteCount);
    return views[byteCount];
  }

  /** A larger buffer with the first `usedBytes` of `buffer`, which is given back. */
  grow(buffer: Buffer, usedBytes: number, byteCount: number): Buffer {
    const larger = this.take(Math.max(byteCount, Math.min(buffer.length * 2, 1 << LARGEST_SHIFT)));
    larger.set(buffer.subarray(0, usedBytes));
    this.give(buffer);
    return larger;
  }
}

function sizeIndex(byteCount: number): number {
  return byteCount <= 1 << SMALLEST_SHIFT ? 0 : 32 - Math.clz32(byteCount - 1) - SMALLEST_SHIFT;
}
