/**
 * Accounting of pages: who has allocated each page that is taken, over the memories of all threads of a machine. While it is
 * quiet and no snapshot is on, what storage has allocated is what the partitions have, to the page; and all of it is LIVE.
 */

import { strict as assert } from 'node:assert';
import { ARENA_RESERVED_PAGES, type Memory } from '../../src/base/memory.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { partitionPageCount } from '../../src/storage/partition.ts';
import { liveRowCount } from '../../src/storage/partition-writes.ts';
import { snapshotPageOf } from '../../src/storage/snapshot.ts';
import { callerOf } from '../../src/testing/page-owners.ts';

/** Word of the first page that was never taken (base/memory.ts). */
export const FRESH_INDEX: number = 270336 / 4;
const LIVE = 1;
/** Bits of a page word in front of its state. */
const STATE_SHIFT = 24;

/** What snapshots made the memories do. */
export type PageCounts = {
  copies: number;
  /** Copies that took the place of a frozen page. */
  orphaned: number;
  /** Pages that readers gave back ORPHANED. */
  returned: number;
};

export class PageLedger {
  readonly counts: PageCounts = { copies: 0, orphaned: 0, returned: 0 };
  /** The file that has allocated it, by first page. */
  private readonly owners: Map<number, string> = new Map();

  /** Watches what a thread allocates and frees. */
  watch(memory: Memory): Memory {
    const { counts, owners } = this;
    const allocate = memory.allocate.bind(memory);
    const free = memory.free.bind(memory);
    const orphan = memory.orphan.bind(memory);
    const letGo = memory.letGo.bind(memory);
    const copy = memory.copy.bind(memory);
    return Object.assign(memory, {
      allocate: (pageCount: number): number => {
        const page = allocate(pageCount);
        assert.ok(!owners.has(page), `page ${page} is given to one at a time`);
        owners.set(page, callerOf('/simulation/pages.ts'));
        return page;
      },
      free: (page: number, pageCount: number): void => {
        free(page, pageCount);
        assert.ok(owners.delete(page), `page ${page} is freed once`);
      },
      orphan: (page: number): boolean => {
        const isOrphaned = orphan(page);
        if (isOrphaned) counts.orphaned++;
        return isOrphaned;
      },
      letGo: (page: number): boolean => {
        const isOwners = letGo(page);
        if (!isOwners) counts.returned++;
        return isOwners;
      },
      copy: (source: number, target: number): void => {
        counts.copies++;
        copy(source, target);
      },
    });
  }

  /** While it is quiet: every page of storage is one of a partition, and nothing of a snapshot is left. */
  check(memory: Memory, catalog: Catalog): void {
    let expected = 0;
    for (const table of catalog.tables) {
      for (const { rootPage, id } of table.partitions) {
        assert.equal(snapshotPageOf(memory, rootPage), 0, `the snapshot of partition ${id} is taken down`);
        assert.ok(liveRowCount(memory.i32, rootPage) >= 0);
        expected += 1 + partitionPageCount(memory, table, rootPage);
      }
    }
    let found = 0;
    for (const [page, owner] of this.owners) {
      assert.ok(isKeeper(owner), `page ${page} of ${owner} is given back before it is quiet`);
      const words = memory.i32[page >>> 16]!;
      assert.equal(words[page & 0xffff]! >>> STATE_SHIFT, LIVE, `page ${page} of ${owner} is LIVE`);
      if (isStorage(owner)) found += memory.pageCountOf(page);
    }
    const text = [...this.owners].map(([page, owner]) => `${page} ${owner}`).join('\n');
    assert.equal(found, expected, `pages that storage has, and those of partitions\n${text}`);
    for (const words of memory.i32) {
      const end = words[FRESH_INDEX]!;
      for (let page = ARENA_RESERVED_PAGES; page < end; page++) {
        const state = words[page]! >>> STATE_SHIFT;
        assert.ok(state === LIVE || state === 0, `page ${page} is LIVE`);
      }
    }
  }
}

/** Pages of undo and redo are kept from one transaction to the next, and belong to the node. */
function isStorage(owner: string): boolean {
  return owner.includes('/storage/') && !owner.includes('/undo.ts') && !owner.includes('/redo');
}

/** What has pages while nobody asks for anything: results, batches, rows that move are gone then. */
const KEEPERS = [
  '/storage/',
  '/engine/main/',
  '/engine/shared-json.ts',
  '/executor/request-block.ts',
  '/base/scratch.ts',
];

function isKeeper(owner: string): boolean {
  return KEEPERS.some((keeper) => owner.includes(keeper));
}
