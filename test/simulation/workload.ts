/** Random requests. */

import type { SeededRandom } from '../../src/testing/random.ts';
import { ID_COUNT, id, oneId, pick, range, tags, text } from './choices.ts';
import type { Definition, NewRow, Operation } from './model.ts';
import { type Move, PAIRED_TABLE } from './moves.ts';
import { mixedRequest } from './random-mixed.ts';
import { randomMove, shift } from './random-moves.ts';
import {
  change,
  insertion,
  insertionOf,
  mustExist,
  reading,
  SHARED_TABLES,
  TABLES,
  writing,
} from './random-statements.ts';
import { LARGE_TABLE, type Wish } from './statements.ts';

/** They are always logged: only there a transaction can log too much. */
const LOGGED_TABLES = ['t0', 's'];
const LARGE_FIRST_ID = 1000;
const LARGE_ROW_COUNT = 4150;
/** One in so many requests is a checkpoint. */
const CHECKPOINT_EVERY = 14;
const PROFILE_EVERY = 20;

/** The tables that are there when the requests begin, beside the large one: some always, some now and then. */
export function initialTables(random: SeededRandom): Definition[] {
  const created = ['t0', PAIRED_TABLE, 'u', 's', 'w'].filter(
    (table) => LOGGED_TABLES.includes(table) || random.oneIn(2),
  );
  return [{ kind: 'createEvents' }, ...created.map((table) => creation(table, false, table === 'u' || table === 'w'))];
}

export function creation(table: string, isLenient: boolean, isUnlogged: boolean): Definition {
  return { kind: 'createTable', table, isLenient, isUnlogged, isShared: SHARED_TABLES.includes(table) };
}

/** Rows for them. */
export function initialRows(random: SeededRandom, tables: readonly Definition[]): Operation[][] {
  return tables.flatMap((definition) =>
    definition.kind === 'createTable' ? [[insertionOf(random, definition.table, ID_COUNT / 2, 'update')]] : [],
  );
}

/** Fills the large table. */
export function largeInsertion(): Operation[] {
  const rows = Array.from({ length: LARGE_ROW_COUNT }, (_, at): NewRow => [LARGE_FIRST_ID + at, at % 100, '']);
  return [{ kind: 'insert', table: LARGE_TABLE, rows, conflict: 'error', isReturning: false }];
}

/** What most requests of a schedule are about: anything; rows that move; shared tables; these together with others. */
export type Focus = 'all' | 'moves' | 'shared' | 'mixed';

/** Something for a client to ask for; `hasLarge`: the large table is there. */
export function randomRequest(random: SeededRandom, hasLarge: boolean, focus: Focus): Wish {
  const wish = randomWish(random, hasLarge, focus);
  // What is given for an 'append' would not be known.
  const isProfiled = Array.isArray(wish) && wish[0]!.kind !== 'append' && random.oneIn(PROFILE_EVERY);
  return isProfiled ? [{ kind: 'profile' }, ...wish] : wish;
}

function randomWish(random: SeededRandom, hasLarge: boolean, focus: Focus): Wish {
  if (focus !== 'all' && !random.oneIn(3)) return focusedRequest(random, focus);
  if (random.oneIn(CHECKPOINT_EVERY)) return random.oneIn(2) ? 'checkpoint' : 'checkpoint workers 2';
  if (random.oneIn(10)) return randomDefinition(random);
  if (hasLarge && random.oneIn(4)) return largeRequest(random);
  if (random.oneIn(6)) return sharedRequest(random);
  if (random.oneIn(12)) return mixedRequest(random);
  const table = pick(random, TABLES);
  switch (random.below(14)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return [insertion(random, table)];
    case 4:
    case 5:
      return transfer(random, table);
    case 6:
    case 7:
    case 8:
      return [change(random, table)];
    case 9:
      return mixed(random, TABLES);
    case 10:
      return [random.oneIn(4) ? { kind: 'eventTotals' } : { kind: 'append', tags: tags(random) }];
    case 11:
      return [randomMove(random, table)];
    case 12:
      return movesAmong(random, table);
    default:
      return [reading(random, table)];
  }
}

/** Many of them in the air, some of which fail on other nodes when these have gone on. */
function focusedRequest(random: SeededRandom, focus: Focus): Wish {
  const table = pick(random, focus === 'moves' ? TABLES : ['t0', 's']);
  if (random.oneIn(6)) return [insertionOf(random, table, 8, 'update')];
  if (random.oneIn(3)) return transfer(random, focus === 'mixed' ? 't0' : table);
  if (focus === 'shared') return sharedRequest(random);
  if (focus === 'mixed') return random.oneIn(4) ? sharedRequest(random) : mixedRequest(random);
  return random.oneIn(3) ? movesAmong(random, table) : [randomMove(random, table)];
}

/** Reads everything: each table by a scan, and by another path. */
export function readings(
  random: SeededRandom,
  tables: readonly { readonly name: string; readonly hasIndex: boolean }[],
): Operation[] {
  return tables.flatMap(({ name, hasIndex }): Operation[] => {
    if (name === 'e') return [{ kind: 'scanEvents' }];
    const table = name;
    const points: Operation = { kind: 'points', table, low: -10, high: ID_COUNT + 10 };
    return [{ kind: 'scan', table }, hasIndex && random.oneIn(2) ? { kind: 'byIndex', table } : points];
  });
}

/** Around the end of the first segment, or anywhere. */
function largeRequest(random: SeededRandom): Operation[] {
  const table = LARGE_TABLE;
  const low = LARGE_FIRST_ID + (random.oneIn(2) ? 4080 + random.below(60) : random.below(LARGE_ROW_COUNT));
  const range = { low, high: low + random.below(40) };
  switch (random.below(5)) {
    case 0:
      return [{ kind: 'add', table, delta: 1 + random.below(9), ...range }];
    case 1:
      return [{ kind: 'setText', table, id: low, s: text(random) }];
    case 2:
      return [{ kind: 'delete', table, ...range }];
    case 3:
      return [{ ...shift(table, random.oneIn(2) ? 5000 : 1), ...range }];
    default:
      return [
        { kind: 'insert', table, rows: [[low, 1, text(random)]], conflict: 'update', isReturning: false },
        { kind: 'divide', table, by: range.high, ...range },
      ];
  }
}

function randomDefinition(random: SeededRandom): Definition {
  const kinds = ['createTable', 'dropTable', 'createIndex', 'createIndex', 'dropIndex', 'createTable'] as const;
  const kind = kinds[random.below(kinds.length)]!;
  const table = pick(random, random.oneIn(4) ? SHARED_TABLES : TABLES);
  const isLenient = random.oneIn(2);
  if (kind !== 'createTable') return { kind, table, isLenient };
  // Now and then a table comes back as one of the other kind.
  const isUnlogged = !LOGGED_TABLES.includes(table) && random.oneIn(4) !== (table === 'u' || table === 'w');
  return creation(table, isLenient, isUnlogged);
}

/** From one id to another; sometimes it fails, when both have been changed, as a third does not exist. */
function transfer(random: SeededRandom, table: string): Operation[] {
  const delta = 1 + random.below(50);
  const from = oneId(random);
  const to = oneId(random);
  const operations: Operation[] = [
    { kind: 'add', table, delta: -delta, ...from },
    { kind: 'add', table, delta, ...to },
  ];
  // Rows that all nodes read decide as well: it fails where they are, with what others have written.
  const decisive = random.oneIn(3) ? pick(random, SHARED_TABLES) : table;
  if (random.oneIn(2)) operations.push(mustExist(random, decisive));
  return operations;
}

/** Several statements over several tables; any of them may fail. */
function mixed(random: SeededRandom, tables: readonly string[]): Operation[] {
  const operations: Operation[] = [];
  for (let count = 2 + random.below(3); count > 0; count--) operations.push(writing(random, pick(random, tables)));
  operations.push(reading(random, pick(random, random.oneIn(3) ? SHARED_TABLES : tables)));
  return operations;
}

/** Rows that move, with statements before and behind: these see them where they were, and where they are. */
function movesAmong(random: SeededRandom, table: string): Operation[] {
  switch (random.below(5)) {
    case 0: {
      // There and back.
      const by = 1 + random.below(30);
      const all = { low: -1000, high: 1000 };
      return [{ ...shift(table, by), ...all }, change(random, table), { ...shift(table, -by), ...all }];
    }
    case 1: {
      // Nothing can fail but what it logs.
      const mirror: Move = {
        ...randomMove(random, 't0'),
        ...range(random),
        chosen: 'range',
        target: 'mirror',
        value: 'kept',
      };
      return [mirror, { kind: 'exceed', table: 't0', id: id(random) }];
    }
    case 2:
      return [writing(random, table), randomMove(random, table), reading(random, table)];
    case 3:
      return [
        randomMove(random, table),
        writing(random, pick(random, TABLES)),
        randomMove(random, pick(random, TABLES)),
      ];
    default: {
      const decisive = random.oneIn(3) ? pick(random, SHARED_TABLES) : table;
      return [randomMove(random, table), mustExist(random, decisive)];
    }
  }
}

/** Tables that all nodes read: changed in fences, read on any node. */
function sharedRequest(random: SeededRandom): Operation[] {
  const table = pick(random, SHARED_TABLES);
  switch (random.below(9)) {
    case 0:
    case 1:
      return [insertion(random, table)];
    case 2:
      return [change(random, table)];
    case 3: {
      const by = { delta: 1 + random.below(9), ...range(random) };
      return [{ kind: 'add', table, ...by }, mustExist(random, pick(random, SHARED_TABLES))];
    }
    case 4:
      return mixed(random, SHARED_TABLES);
    case 5:
      return random.oneIn(2)
        ? [
            { kind: 'add', table: 's', delta: 1, ...range(random) },
            { kind: 'exceed', table: 's', id: id(random) },
          ]
        : [reading(random, table)];
    case 6:
      return [reading(random, pick(random, TABLES)), reading(random, table)];
    case 7:
      return random.oneIn(2)
        ? [randomMove(random, table)]
        : [randomMove(random, table), writing(random, table), reading(random, table)];
    default:
      return [writing(random, pick(random, TABLES)), reading(random, table)];
  }
}
