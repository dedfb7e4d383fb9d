/**
 * Memory of the arenas in which index entries are sorted: it counts against memory_limit while it is taken, and its pages,
 * which have been touched by then, are the next to be used for rows and nodes.
 */

import { SqlError } from '../base/errors.ts';
import { PAGES_PER_ARENA } from '../base/limits.ts';
import { ARENA_RESERVED_PAGES, type Memory, WORDS_PER_PAGE } from '../base/memory.ts';

const RUN_PAGES_MAX: number = PAGES_PER_ARENA - ARENA_RESERVED_PAGES;

export class SortSpace {
  readonly #memory: Memory;
  readonly #runs: { readonly page: number; readonly pageCount: number }[] = [];

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** That many words, contents undefined; undefined where memory_limit, or one arena, has no room for them. */
  take(wordCount: number): Int32Array | undefined {
    const pageCount = Math.max(1, Math.ceil(wordCount / WORDS_PER_PAGE));
    if (pageCount > RUN_PAGES_MAX) return undefined;
    let page: number;
    try {
      page = this.#memory.allocate(pageCount);
    } catch (error) {
      if (error instanceof SqlError) return undefined;
      throw error;
    }
    this.#runs.push({ page, pageCount });
    const start = (page & 0xffff) * WORDS_PER_PAGE;
    return this.#memory.i32[page >>> 16]!.subarray(start, start + wordCount);
  }

  /** Gives back what was taken last. */
  give(): void {
    const { page, pageCount } = this.#runs.pop()!;
    this.#memory.free(page, pageCount);
  }

  /** Gives everything back. */
  dispose(): void {
    while (this.#runs.length > 0) this.give();
  }
}
