/**
 * The partitions that a node owns, open, by the catalog version of the moment; and the node's part of a snapshot: all of
 * them are frozen in a drained fence, and taken down one after another, in small steps, as readers finish.
 *
 * Of shared tables, which another node owns, the partition is opened by the first part that reads it, and not when the
 * catalog is loaded: that may be in a drained fence, in which the owner builds an index or freezes it at the same time.
 */

import { assert } from '../../base/assert.ts';
import { COPY_RESERVE_BYTES } from '../../base/limits.ts';
import type { Memory } from '../../base/memory.ts';
import type { Catalog, TableDefinition } from '../../catalog/catalog.ts';
import type { ProgramTable } from '../../program/program.ts';
import { CopyReserve, freezePartition, needsThaw, thawPartition } from '../../storage/copy-on-write.ts';
import { Partition } from '../../storage/partition.ts';
import type { NodeStorage } from '../../vm/node/part.ts';

/** Heap pages of which held blocks are freed in one step: some 30 µs. */
const HEAP_PAGES_A_STEP = 16;

type OpenTable = {
  readonly table: TableDefinition;
  readonly own: readonly Partition[];
  /** For programs: the own ones; of a shared table the one that there is, by readShared(). */
  readonly here: Partition[];
  /** The same by ordinal in table.partitions. */
  readonly byOrdinal: (Partition | undefined)[];
};

export class OwnPartitions implements NodeStorage {
  readonly node: number;
  readonly #memory: Memory;
  #tables: (OpenTable | undefined)[] = [];
  version = 0;
  readonly #reserve: CopyReserve;
  /** Partitions of which something of a snapshot is left. */
  #thawing: Partition[] = [];
  #nextThaw = 0;

  constructor(memory: Memory, node: number) {
    this.#memory = memory;
    this.node = node;
    this.#reserve = new CopyReserve(memory, COPY_RESERVE_BYTES);
  }

  /** Takes over another version of the catalog: tables that have not changed stay open. Only where undo is empty. */
  load(catalog: Catalog): void {
    const before = this.#tables;
    const tables: (OpenTable | undefined)[] = [];
    for (const table of catalog.tables) {
      const known = before[table.id];
      tables[table.id] = known !== undefined && isSame(known.table, table) ? known : this.#open(table);
    }
    for (const open of before)
      if (open !== undefined && tables[open.table.id] !== open) for (const partition of open.here) partition.close();
    this.#tables = tables;
    this.version = catalog.version;
    this.#collectThawing();
  }

  /** Takes over touched pages, for copies: before freeze(). They are given back when no snapshot needs them. */
  takeRuns(runs: readonly number[]): void {
    for (const page of runs) {
      const pageCount = this.#memory.pageCountOf(page);
      if (!this.#reserve.keep(page, pageCount)) this.#memory.free(page, pageCount);
    }
  }

  /**
   * Begins a snapshot of all partitions, in a drained fence. Throws out_of_memory: some partitions are frozen then, and main
   * finishes their snapshots unread.
   */
  freeze(lsn: number): void {
    try {
      for (const table of this.#tables) {
        for (const partition of table?.own ?? []) {
          partition.settle();
          thawPartition(partition, Number.POSITIVE_INFINITY);
          freezePartition(partition, lsn);
        }
      }
    } finally {
      this.#collectThawing();
    }
  }

  /**
   * Takes down what is over of a snapshot: a step of one partition. Between two parts, often; it costs a comparison when no
   * snapshot is on. True when there is more to do at once.
   */
  thaw(): boolean {
    const count = this.#thawing.length;
    if (count === 0) return false;
    this.#nextThaw = (this.#nextThaw + 1) % count;
    const partition = this.#thawing[this.#nextThaw]!;
    if (thawPartition(partition, HEAP_PAGES_A_STEP)) {
      this.#thawing.splice(this.#nextThaw, 1);
      if (count === 1) this.#reserve.drain();
      return count > 1;
    }
    return partition.valueHeap.heldCount() > 0 && partition.frozenEnd === 0;
  }

  /** The same for a node that has nothing else to do: every partition once. */
  thawAll(): boolean {
    let isMore = false;
    for (let left = this.#thawing.length; left > 0 && this.#thawing.length > 0; left--) isMore = this.thaw() || isMore;
    return isMore && this.#thawing.length > 0;
  }

  #collectThawing(): void {
    this.#thawing = [];
    for (const table of this.#tables)
      for (const partition of table?.own ?? []) if (needsThaw(partition)) this.#thawing.push(partition);
    if (this.#thawing.length === 0) this.#reserve.drain();
  }

  #open(table: TableDefinition): OpenTable {
    const byOrdinal = table.partitions.map((definition) =>
      definition.node === this.node ? Partition.open(this.#memory, table, definition) : undefined,
    );
    const own = byOrdinal.filter((partition) => partition !== undefined);
    for (const partition of own) {
      partition.reserve = this.#reserve;
      partition.isReadByOthers = table.isShared;
    }
    return { table, byOrdinal, own, here: [...own] };
  }

  /** Before a part that reads shared tables, among these: each is open here, as its owner has left it. */
  readShared(tables: readonly ProgramTable[]): void {
    for (const { tableId } of tables) {
      const { table, own, here, byOrdinal } = this.#of(tableId);
      if (!table.isShared || own.length > 0) continue;
      if (here.length === 0) {
        byOrdinal[0] = Partition.openForeign(this.#memory, table, table.partitions[0]!);
        here.push(byOrdinal[0]);
      } else here[0]!.refresh();
    }
  }

  /** The owner, before it changes shared tables, among these: nobody reads them now. */
  settleShared(tables: readonly ProgramTable[]): void {
    for (const { tableId } of tables) {
      const { table, own } = this.#of(tableId);
      if (table.isShared) for (const partition of own) partition.settle();
    }
  }

  table(tableId: number): TableDefinition {
    return this.#of(tableId).table;
  }

  partitionsOf(tableId: number): readonly Partition[] {
    return this.#of(tableId).here;
  }

  partitionByOrdinal(tableId: number, ordinal: number): Partition | undefined {
    return this.#of(tableId).byOrdinal[ordinal];
  }

  /** Own partitions of a table, or none where there is no such table. */
  ownOrNone(tableId: number): readonly Partition[] {
    return this.#tables[tableId]?.own ?? [];
  }

  #of(tableId: number): OpenTable {
    const open = this.#tables[tableId];
    assert(open !== undefined, 'a program names tables of its catalog version');
    return open;
  }
}

/** Definitions are immutable and come from JSON: what is written the same is the same. */
function isSame(a: TableDefinition, b: TableDefinition): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
