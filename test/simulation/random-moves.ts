/** Random UPDATEs of primary keys (moves.ts). */

import type { SeededRandom } from '../../src/testing/random.ts';
import { id, oneId, range } from './choices.ts';
import type { Move } from './moves.ts';

/** Rows that move: most of the time few, near to others, so that they clash now and then. */
export function randomMove(random: SeededRandom, table: string): Move {
  const moved: Move = {
    ...shift(table, random.below(13) - 6),
    ...range(random),
    value: random.oneIn(4) ? 'addId' : random.oneIn(6) ? 'divide' : 'kept',
    divisor: id(random),
    isReturning: random.oneIn(3),
  };
  switch (random.below(8)) {
    case 0: {
      // All rows, so that nothing clashes.
      const low = -1000;
      return { ...moved, low, high: 1000 };
    }
    case 1:
      // Near to each other.
      return { ...moved, by: random.oneIn(2) ? 1 : -1 };
    case 2:
    case 3:
      return { ...moved, target: 'mirror', chosen: random.oneIn(2) ? 'ends' : 'range' };
    case 4:
      return { ...moved, ...(random.oneIn(3) ? {} : oneId(random)), target: 'point', by: id(random) };
    case 5:
      // Most of the time to one that nobody has.
      return { ...moved, target: 'point', by: 500 + random.below(500), ...oneId(random) };
    case 6:
      return { ...moved, chosen: 'values', low: random.below(100), high: random.below(200) };
    default:
      return moved;
  }
}

/** A range of rows, whose ids all rise by the same. */
export function shift(table: string, by: number): Move {
  const chosen = { chosen: 'range', low: 0, high: 0 } as const;
  return { kind: 'move', table, ...chosen, target: 'shift', by, value: 'kept', divisor: 0, isReturning: false };
}
