/** Random requests that change a shared table, and use others. */

import type { SeededRandom } from '../../src/testing/random.ts';
import { id, pick, range } from './choices.ts';
import type { Operation } from './model.ts';
import { randomMove } from './random-moves.ts';
import { change, insertion, mustExist, reading, SHARED_TABLES, TABLES, writing } from './random-statements.ts';

/** No row gets it. */
const ID_MISSING = 300;

/** Statements of both kinds of table, in any order; the last one may answer. */
export function mixedRequest(random: SeededRandom): Operation[] {
  const shared = pick(random, SHARED_TABLES);
  const other = pick(random, TABLES);
  const either = (): string => (random.oneIn(2) ? shared : other);
  switch (random.below(8)) {
    case 0:
      // Nothing can fail but what it logs, on the node that has the row.
      return [
        ...shuffled(random, [adding(random, shared), adding(random, other)]),
        { kind: 'exceed', table: random.oneIn(2) ? 's' : 't0', id: id(random) },
      ];
    case 1:
      // Fails where all is merged, if it does.
      return [...shuffled(random, [adding(random, shared), adding(random, other)]), mustExist(random, either())];
    case 2:
      // Changed in the last of several steps.
      return [
        ...shuffled(random, [randomMove(random, shared), randomMove(random, other)]),
        ...(random.oneIn(2) ? [adding(random, shared)] : []),
        reading(random, either()),
      ];
    case 3:
      return [reading(random, other), writing(random, shared), reading(random, either())];
    case 4:
      // Fails most of the time where both tables are changed already.
      return [...shuffled(random, [adding(random, shared), adding(random, other)]), change(random, either())];
    case 5:
      return [...shuffled(random, [adding(random, shared), adding(random, other)]), reading(random, either())];
    default: {
      const operations = [writing(random, shared), writing(random, other)];
      for (let count = random.below(4); count > 0; count--)
        operations.push(random.oneIn(2) ? reading(random, either()) : adding(random, either()));
      return [...shuffled(random, operations), ...lastOf(random, either())];
    }
  }
}

/**
 * One behind the other: a change on several nodes, half of the time one that fails where all is merged, so that nodes run ahead
 * of it; a change of a shared table, alone or of both kinds; and one that reads what that wrote.
 */
export function sharedVolley(random: SeededRandom, isMixed: boolean): Operation[][] {
  const first = [adding(random, 't0'), adding(random, 't0')];
  // Each time another program, of which nobody knows that it fails.
  if (random.oneIn(2)) first.push({ kind: 'mustExist', table: 't0', id: ID_MISSING, shape: 20 + random.below(1000) });
  if (!isMixed) return [first, [wide(random, 's'), wide(random, 's')], [reading(random, 's')]];
  const mixed = random.oneIn(2)
    ? mixedRequest(random)
    : shuffled(random, [wide(random, 's'), wide(random, 's'), adding(random, 't0')]);
  return [first, mixed, [reading(random, 't0'), reading(random, 's')]];
}

/** Most rows that there are. */
function wide(random: SeededRandom, table: string): Operation {
  return { kind: 'add', table, delta: 1 + random.below(9), low: random.below(4), high: 1000 };
}

/** What is at the end: an answer of some kind, or nothing. */
function lastOf(random: SeededRandom, table: string): Operation[] {
  switch (random.below(6)) {
    case 0:
      return [];
    case 1:
      return [{ ...insertion(random, table), isReturning: true } as Operation];
    case 2:
      return [{ ...randomMove(random, table), isReturning: true }];
    case 3:
      return [mustExist(random, table)];
    case 4:
      return [{ kind: 'delete', table, ...range(random) }];
    default:
      return [reading(random, table)];
  }
}

/** Of rows that are there; cannot fail. */
function adding(random: SeededRandom, table: string): Operation {
  return { kind: 'add', table, delta: 1 + random.below(9), ...range(random) };
}

function shuffled(random: SeededRandom, operations: readonly Operation[]): Operation[] {
  const left = [...operations];
  return operations.map(() => left.splice(random.below(left.length), 1)[0]!);
}
