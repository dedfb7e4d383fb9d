/** The flags of a request's ticket, which follow from its program and from where it runs. */

import { hasSeveralNodes } from '../../executor/failure-rate.ts';
import {
  FLAG_FENCE,
  FLAG_PROFILE,
  FLAG_ROUNDS,
  FLAG_STANDS,
  FLAG_TAIL,
  FLAG_WAIT,
  FLAG_WRITES,
} from '../../executor/layout.ts';
import type { Program } from '../../program/program.ts';
import type { CachedProgram } from './program-cache.ts';

type Mask = { readonly maskLow: number; readonly maskHigh: number };

/** FLAG_*, for executor/ticket-client.ts. */
export function ticketFlags({ program, failures, explain }: CachedProgram, mask: Mask): number {
  let flags = program.isWrite ? FLAG_WRITES : 0;
  if (program.canTailFail) flags |= FLAG_TAIL;
  if (explain === 'profile') flags |= FLAG_PROFILE;
  if (program.sharedUse === 'writes') return flags | FLAG_FENCE;
  if (program.sharedUse === 'mixed') return flags | FLAG_ROUNDS | FLAG_STANDS;
  if (program.rounds.length > 0) flags |= FLAG_ROUNDS;
  if (failures.isWaiting && hasSeveralNodes(mask.maskLow, mask.maskHigh)) flags |= FLAG_WAIT;
  return flags;
}

/** Whether failures of such requests undo work on other nodes, and so count for WAIT. */
export function failsTogether({ isWrite, sharedUse }: Program, { maskLow, maskHigh }: Mask): boolean {
  // What changes shared tables and fails has undone itself before others go on.
  const changesShared = sharedUse === 'writes' || sharedUse === 'mixed';
  return isWrite && !changesShared && hasSeveralNodes(maskLow, maskHigh);
}
