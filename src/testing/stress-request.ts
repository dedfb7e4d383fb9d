/** Requests of the stress test as bytes in a block, and what came of them. */

import {
  BLOCK_FLAGS,
  BLOCK_TICKET,
  BLOCK_USER,
  FATE_FAILED,
  FLAG_TAIL,
  FLAG_WAIT,
  FLAG_WRITES,
  PART_PROFILE_START,
} from '../executor/layout.ts';
import { type BlockView, readError } from '../executor/request-block.ts';
import type { TicketClient } from '../executor/ticket-client.ts';
import type { Operation, Outcome } from './counter-oracle.ts';
import { OPERATION_ADD, OPERATION_CHECK, OPERATION_COUNT_MAX, OPERATION_READ } from './counter-runner.ts';
import type { SeededRandom } from './random.ts';

export const STRESS_COUNTERS = 16;

/** One node in four of five requests; a few fail. */
export function makeStressOperations(random: SeededRandom, nodeCount: number): Operation[] {
  const operations: Operation[] = [];
  const onlyNode = random.oneIn(5) ? -1 : random.below(nodeCount);
  const isRead = random.oneIn(3);
  for (let count = 1 + random.below(OPERATION_COUNT_MAX); count > 0; count--) {
    const choice = random.below(20);
    operations.push({
      node: onlyNode >= 0 ? onlyNode : random.below(nodeCount),
      counter: random.below(STRESS_COUNTERS),
      kind: isRead || choice < 5 ? OPERATION_READ : choice === 19 ? OPERATION_CHECK : OPERATION_ADD,
      amount: random.below(5),
    });
  }
  return operations;
}

/** Writes operations into a free block and submits it; there must be a ticket. Flags as random says. */
export function submitOperations(
  client: TicketClient,
  view: BlockView,
  operations: readonly Operation[],
  version: number,
  random: SeededRandom,
): number {
  const block = client.blocks.take();
  view.at(block).set(BLOCK_USER, operations.length);
  let mask = 0;
  operations.forEach(({ node, counter, kind, amount }, index) => {
    const at = BLOCK_USER + 1 + index * 4;
    view.set(at, node);
    view.set(at + 1, counter);
    view.set(at + 2, kind);
    view.set(at + 3, amount);
    mask |= 1 << node;
  });
  let flags = operations.some(({ kind }) => kind === OPERATION_ADD) ? FLAG_WRITES : 0;
  if (random.oneIn(8)) flags |= FLAG_TAIL;
  if (random.oneIn(16)) flags |= FLAG_WAIT;
  if (!client.submit(block, mask, 0, flags, version, 0)) throw new Error('no ticket is free');
  return block;
}

/** The outcome of a final request. */
export function readOutcome(
  view: BlockView,
  fate: number,
  operations: readonly Operation[],
  nodeCount: number,
): Outcome {
  const sums: number[] = [];
  for (let node = 0; node < nodeCount; node++) {
    sums.push(view.hasNode(node) ? view.words[view.part(node) + PART_PROFILE_START]! : 0);
  }
  const error = fate === FATE_FAILED ? readError(view, nodeCount) : undefined;
  return {
    ticket: view.get(BLOCK_TICKET),
    operations,
    hasTail: (view.get(BLOCK_FLAGS) & FLAG_TAIL) !== 0,
    fate,
    error: error === undefined ? '' : `${error.code} ${error.message}`,
    sums,
  };
}
