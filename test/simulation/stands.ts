/** What a rollback meets: tickets at which nodes stay together, and fences in which something was written. */

import type { Control } from '../../src/executor/control.ts';
import {
  CONTROL_FINAL,
  CONTROL_NEXT,
  FLAG_FENCE,
  FLAG_ROUNDS,
  FLAG_WROTE,
  SLOT_ARRIVED,
  SLOT_FLAGS,
  SLOT_PUBLISHED,
  SLOT_STEP,
  SLOT_VOTES,
} from '../../src/executor/layout.ts';

export type Stands = {
  /** Nodes are in the middle of rounds; stand at a plain fence at which others are missing. */
  isInRounds: boolean;
  isInFence: boolean;
  /** What a node wrote in a fence has to be undone. */
  isOverFence: boolean;
};

/** States of a plain fence (src/executor/plain-fence.ts). */
const STATE_MASK = 3;
const ARRIVING = 0;
const COUNT_SHIFT = 2;

/** Before the slots are made fresh. */
export function standsOf(control: Control): Stands {
  const { words } = control;
  const stands = { isInRounds: false, isInFence: false, isOverFence: false };
  const next = Atomics.load(words, CONTROL_NEXT);
  for (let ticket = Atomics.load(words, CONTROL_FINAL); ticket !== next; ticket = (ticket + 1) | 0) {
    const slot = control.slotOf(ticket);
    if (words[slot + SLOT_PUBLISHED] !== ticket) continue;
    const flags = words[slot + SLOT_FLAGS]!;
    const step = words[slot + SLOT_STEP]!;
    if ((flags & FLAG_ROUNDS) !== 0) {
      const hasBegun = step !== 0 || words[slot + SLOT_ARRIVED] !== 0;
      if (hasBegun && words[slot + SLOT_VOTES] !== 0) stands.isInRounds = true;
    } else if ((flags & FLAG_FENCE) !== 0) {
      if ((step & STATE_MASK) === ARRIVING && step >> COUNT_SHIFT > 0) stands.isInFence = true;
      if ((flags & FLAG_WROTE) !== 0) stands.isOverFence = true;
    }
  }
  return stands;
}
