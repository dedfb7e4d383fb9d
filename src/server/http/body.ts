/**
 * A body that arrives in pieces. It grows with what has arrived, not with what a client says will come: a declared length
 * costs no memory.
 */

import type { BufferPool } from './pool.ts';
import { NO_BYTES } from './request.ts';

export class BodyBuffer {
  readonly #pool: BufferPool;
  buffer: Buffer = NO_BYTES;
  length = 0;

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  /** Appends bytes[start, end). */
  append(bytes: Buffer, start: number, end: number): void {
    const needed = this.length + (end - start);
    if (needed > this.buffer.length) {
      if (this.buffer === NO_BYTES) this.buffer = this.#pool.take(needed);
      else this.buffer = this.#pool.grow(this.buffer, this.length, Math.max(needed, this.buffer.length * 2));
    }
    bytes.copy(this.buffer, this.length, start, end);
    this.length = needed;
  }

  /** Gives its memory back and is empty again. */
  release(): void {
    if (this.buffer !== NO_BYTES) this.#pool.give(this.buffer);
    this.buffer = NO_BYTES;
    this.length = 0;
  }
}
