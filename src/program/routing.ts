/**
 * Where the rows of a table live: from the hash of a primary key to the partition and its node. Made once a table
 * definition and thread.
 */

import { HASH_SLOT_COUNT } from '../base/limits.ts';
import type { TableDefinition } from '../catalog/catalog.ts';

export type TableRouting = {
  /** Hash slot to ordinal in table.partitions. */
  readonly ordinalOfSlot: Uint16Array;
  /**
   * Ordinal to the bits of its node in the two words of a node mask. None for a shared table: all nodes have its partition,
   * and who reads or writes it is decided for the request as a whole (compiler/shared-use.ts).
   */
  readonly maskLow: Int32Array;
  readonly maskHigh: Int32Array;
  /** Ordinal to its node. */
  readonly nodes: Uint8Array;
};

const routings: WeakMap<TableDefinition, TableRouting> = new WeakMap();

/** The routing of a table definition. */
export function routingOf(table: TableDefinition): TableRouting {
  let routing = routings.get(table);
  if (routing === undefined) {
    routing = makeRouting(table);
    routings.set(table, routing);
  }
  return routing;
}

function makeRouting(table: TableDefinition): TableRouting {
  const ordinalOfSlot = new Uint16Array(HASH_SLOT_COUNT);
  const maskLow = new Int32Array(table.partitions.length);
  const maskHigh = new Int32Array(table.partitions.length);
  table.partitions.forEach((partition, ordinal) => {
    ordinalOfSlot.fill(ordinal, partition.slotFirst, partition.slotEnd);
    if (table.isShared) return;
    if (partition.node < 32) maskLow[ordinal] = 1 << partition.node;
    else maskHigh[ordinal] = 1 << (partition.node - 32);
  });
  const nodes = Uint8Array.from(table.partitions, ({ node }) => node);
  return { ordinalOfSlot, maskLow, maskHigh, nodes };
}

const HALF_REMAINDER = 65_536 % HASH_SLOT_COUNT;

/** The ordinal of the partition of a row whose key has that unsigned 32-bit hash. */
export function ordinalOfHash(routing: TableRouting, hash: number): number {
  // hash mod 8096 by halves: as 32-bit integers, since the remainder of a number beyond 2^31 is computed as a double.
  return routing.ordinalOfSlot[((hash >>> 16) * HALF_REMAINDER + (hash & 0xffff)) % HASH_SLOT_COUNT]!;
}
