/**
 * The catalog in shared pages: each version is serialised once, and published by number. The pages of the version before
 * are kept, and taken again where memory has run out: DROP TABLE must work then.
 */

import { PAGE_BYTES } from '../../base/limits.ts';
import type { Memory } from '../../base/memory.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import type { Control } from '../../executor/control.ts';

export class CatalogPublisher {
  readonly #memory: Memory;
  readonly #control: Control;
  #page = 0;
  #pageCount = 0;
  #sparePage = 0;
  #sparePageCount = 0;
  #catalog: Catalog;

  constructor(memory: Memory, control: Control, catalog: Catalog) {
    this.#memory = memory;
    this.#control = control;
    this.#catalog = catalog;
  }

  /** The version that is published. */
  get catalog(): Catalog {
    return this.#catalog;
  }

  /** Takes the pages for a version, so that publishing it cannot fail. Throws out_of_memory. */
  prepare(catalog: Catalog): PreparedCatalog {
    const bytes = new TextEncoder().encode(JSON.stringify(catalog));
    // One more, so that a version a little larger than this one fits into these pages later.
    const { page, pageCount } = this.#take(Math.ceil(bytes.length / PAGE_BYTES) + 1);
    this.#memory.u8[page >>> 16]!.set(bytes, (page & 0xffff) * PAGE_BYTES);
    return { catalog, page, pageCount, byteLength: bytes.length };
  }

  #take(pageCount: number): { page: number; pageCount: number } {
    try {
      return { page: this.#memory.allocate(pageCount), pageCount };
    } catch (error) {
      if (this.#sparePageCount < pageCount - 1 || this.#sparePage === 0) throw error;
      const spare = { page: this.#sparePage, pageCount: this.#sparePageCount };
      this.#sparePage = 0;
      return spare;
    }
  }

  /** Keeps a run for later instead of the one that was kept. */
  #keep(page: number, pageCount: number): void {
    if (this.#sparePage !== 0) this.#memory.free(this.#sparePage, this.#sparePageCount);
    this.#sparePage = page;
    this.#sparePageCount = pageCount;
  }

  /** Drops a version that is not published after all. */
  discard(prepared: PreparedCatalog): void {
    this.#keep(prepared.page, prepared.pageCount);
  }

  /** Publishes a version: at start, or inside a drained fence. */
  publish(prepared: PreparedCatalog): void {
    const oldPage = this.#page;
    const oldPageCount = this.#pageCount;
    this.#page = prepared.page;
    this.#pageCount = prepared.pageCount;
    this.#catalog = prepared.catalog;
    this.#control.publishCatalog(prepared.catalog.version, (prepared.page * 1024) | 0, prepared.byteLength);
    if (oldPage !== 0) this.#keep(oldPage, oldPageCount);
  }
}

export type PreparedCatalog = {
  readonly catalog: Catalog;
  readonly page: number;
  readonly pageCount: number;
  readonly byteLength: number;
};
