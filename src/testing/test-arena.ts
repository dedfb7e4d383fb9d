/**
 * Pages for tests of the executor: one arena over a SharedArrayBuffer of a few MiB, cut between the threads of a test
 * beforehand, so that allocating needs no coordination. Counts pages, to find leaks.
 */

import { assert } from '../base/assert.ts';
import { PAGE_BYTES } from '../base/limits.ts';
import type { BlockMemory } from '../executor/request-block.ts';

export class TestArena implements BlockMemory {
  readonly shared: SharedArrayBuffer;
  readonly u8: readonly Uint8Array[];
  readonly i32: readonly Int32Array[];
  usedPageCount = 0;
  private nextPage: number;
  private readonly endPage: number;
  private readonly freeRuns: Map<number, number[]> = new Map();

  /** Takes pages [firstPage, endPage) of `shared`, made with `TestArena.reserve`. Page 0 is never used. */
  constructor(shared: SharedArrayBuffer, firstPage: number, endPage: number) {
    this.shared = shared;
    this.u8 = [new Uint8Array(shared)];
    this.i32 = [new Int32Array(shared)];
    this.nextPage = Math.max(1, firstPage);
    this.endPage = endPage;
  }

  static reserve(pageCount: number): SharedArrayBuffer {
    return new SharedArrayBuffer(pageCount * PAGE_BYTES);
  }

  allocate(pageCount: number): number {
    this.usedPageCount += pageCount;
    const page = this.freeRuns.get(pageCount)?.pop();
    if (page !== undefined) return page;
    assert(this.nextPage + pageCount <= this.endPage, 'the test has enough pages');
    const fresh = this.nextPage;
    this.nextPage += pageCount;
    return fresh;
  }

  free(page: number, pageCount: number): void {
    this.usedPageCount -= pageCount;
    let runs = this.freeRuns.get(pageCount);
    if (runs === undefined) this.freeRuns.set(pageCount, (runs = []));
    assert(!runs.includes(page), 'no page is freed twice');
    runs.push(page);
    // Who still reads it finds something else.
    this.i32[0]![page * (PAGE_BYTES / 4)] = -1;
  }
}
