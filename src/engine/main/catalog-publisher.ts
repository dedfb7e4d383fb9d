/** The catalog in shared pages: each version is serialised once, and published by number. */

import { PAGE_BYTES } from '../../base/limits.ts';
import type { Memory } from '../../base/memory.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import type { Control } from '../../executor/control.ts';

export class CatalogPublisher {
  readonly #memory: Memory;
  readonly #control: Control;
  #page = 0;
  #pageCount = 0;
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
    const pageCount = Math.ceil(bytes.length / PAGE_BYTES);
    const page = this.#memory.allocate(pageCount);
    this.#memory.u8[page >>> 16]!.set(bytes, (page & 0xffff) * PAGE_BYTES);
    return { catalog, page, pageCount, byteLength: bytes.length };
  }

  /** Drops a version that is not published after all. */
  discard(prepared: PreparedCatalog): void {
    this.#memory.free(prepared.page, prepared.pageCount);
  }

  /** Publishes a version: at start, or inside a drained fence. */
  publish(prepared: PreparedCatalog): void {
    const oldPage = this.#page;
    const oldPageCount = this.#pageCount;
    this.#page = prepared.page;
    this.#pageCount = prepared.pageCount;
    this.#catalog = prepared.catalog;
    this.#control.publishCatalog(prepared.catalog.version, (prepared.page * 1024) | 0, prepared.byteLength);
    if (oldPage !== 0) this.#memory.free(oldPage, oldPageCount);
  }
}

export type PreparedCatalog = {
  readonly catalog: Catalog;
  readonly page: number;
  readonly pageCount: number;
  readonly byteLength: number;
};
