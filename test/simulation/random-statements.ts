/** Random statements, each of one table. */

import type { SeededRandom } from '../../src/testing/random.ts';
import { id, oneId, range, text } from './choices.ts';
import type { NewRow, Operation } from './model.ts';
import { PAIRED_TABLE } from './moves.ts';
import { randomMove } from './random-moves.ts';

/** By how often requests are about them; `u` is unlogged, most of the time. */
export const TABLES: readonly string[] = ['t0', 't0', 't0', 't1', 'u', 'u', PAIRED_TABLE];
/** Tables that all nodes read, and that one changes; the second is unlogged, most of the time. */
export const SHARED_TABLES: readonly string[] = ['s', 's', 'w'];

export function insertion(random: SeededRandom, table: string): Operation {
  switch (random.below(4)) {
    case 0:
      return insertionOf(random, table, 1 + random.below(2), 'error');
    case 1:
      return insertionOf(random, table, 2 + random.below(7), 'error');
    default:
      return insertionOf(random, table, 1 + random.below(6), random.oneIn(3) ? 'nothing' : 'update');
  }
}

export function insertionOf(
  random: SeededRandom,
  table: string,
  rowCount: number,
  conflict: 'error' | 'nothing' | 'update',
): Operation {
  const rows = Array.from({ length: rowCount }, (): NewRow => [id(random), random.below(100), text(random)]);
  return { kind: 'insert', table, rows, conflict, isReturning: random.oneIn(3) };
}

/** Of rows that are there. */
export function change(random: SeededRandom, table: string): Operation {
  const choice = random.below(3);
  if (choice === 0) return { kind: 'divide', table, by: id(random), ...range(random) };
  if (choice === 1) return { kind: 'setText', table, id: id(random), s: text(random) };
  return { kind: 'delete', table, ...(random.oneIn(3) ? range(random) : oneId(random)) };
}

/** Of some shapes, each of which fails so seldom, or not often enough yet, that nodes run ahead of it. */
export function mustExist(random: SeededRandom, table: string): Operation {
  return { kind: 'mustExist', table, id: id(random), shape: random.below(20) };
}

/** May fail. */
export function writing(random: SeededRandom, table: string): Operation {
  switch (random.below(5)) {
    case 0: {
      const rows: NewRow[] = [[id(random), random.below(100), text(random)]];
      return { kind: 'insert', table, rows, conflict: random.oneIn(3) ? 'error' : 'update', isReturning: false };
    }
    case 1:
      return { kind: 'add', table, delta: random.below(9), ...range(random) };
    case 2:
      return { kind: 'setText', table, id: id(random), s: text(random) };
    case 3:
      return random.oneIn(2) ? randomMove(random, table) : { kind: 'delete', table, ...oneId(random) };
    default:
      return { kind: 'divide', table, by: id(random), ...range(random) };
  }
}

export function reading(random: SeededRandom, table: string): Operation {
  const kinds = ['totals', 'scan', 'byIndex'] as const;
  const kind = random.below(4);
  if (kind === 3) return { kind: 'points', table, ...range(random) };
  return { kind: kinds[kind]!, table };
}
