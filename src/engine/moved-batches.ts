/**
 * Whose the batches of moved rows are (program/batch.ts, vm/node/moved-rows.ts). They hang at part records, in the word
 * PART_RESULT_PAGE: at that of a node the one that it has left in a step; then the middle section behind the step takes them
 * all, and they hang at the coordinator's record, linked, those of the last round first, in the order of nodes.
 *
 *   made, in a step ── hangBatch ──▶ the node's record ── linkBatches, all nodes having come ──▶ the coordinator's record
 *
 * So the batches that others read are not those of a part, which may fail in a later step. Freed (freeBatches) as the
 * results of parts are: by the nodes when the attempt is undone, by the frontend when it is final, from both records.
 */

import type { Memory } from '../base/memory.ts';
import { PART_RESULT_PAGE } from '../executor/layout.ts';
import type { BlockView } from '../executor/request-block.ts';
import { freeBatch, linkBatch, nextBatch } from '../program/batch.ts';

/** Before the ticket is published: nothing hangs at the coordinator's record. */
export function clearBatches(view: BlockView, nodeCount: number): void {
  view.words[view.part(nodeCount) + PART_RESULT_PAGE] = 0;
}

/** Leaves the batch of a step at the record of its node. */
export function hangBatch(view: BlockView, part: number, ref: number): void {
  view.words[part + PART_RESULT_PAGE] = ref | 0;
}

/** The first of the batches that hang at the coordinator's record; 0 for none. */
export function firstBatch(view: BlockView, nodeCount: number): number {
  return view.words[view.part(nodeCount) + PART_RESULT_PAGE]! >>> 0;
}

/** The middle section of a round: what hangs at the nodes' records is linked before what earlier rounds left. */
export function linkBatches(memory: Memory, view: BlockView, nodeCount: number, round: number): void {
  const { words } = view;
  const coordinator = view.part(nodeCount) + PART_RESULT_PAGE;
  for (let node = nodeCount - 1; node >= 0; node--) {
    if (!view.hasNode(node)) continue;
    const at = view.part(node) + PART_RESULT_PAGE;
    const ref = words[at]! >>> 0;
    if (ref === 0) continue;
    linkBatch(memory, ref, round, words[coordinator]! >>> 0);
    words[coordinator] = ref | 0;
    words[at] = 0;
  }
}

/** Frees the batches that hang at a record, which nobody may be reading any more. */
export function freeBatches(memory: Memory, view: BlockView, part: number): void {
  const { words } = view;
  let ref = words[part + PART_RESULT_PAGE]! >>> 0;
  words[part + PART_RESULT_PAGE] = 0;
  while (ref !== 0) {
    const next = nextBatch(memory, ref);
    freeBatch(memory, ref);
    ref = next;
  }
}
