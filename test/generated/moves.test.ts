/**
 * Random requests that change primary keys, among others, sent one by one or several behind one another, compared with a list
 * of rows that is changed by plain JavaScript; over several backends, with restarts and checkpoints in between.
 * `AMELIE_GENERATED_SEED=5 AMELIE_MOVES=2000` runs more of them, of another seed.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FileDatabase } from '../../src/testing/file-database.ts';
import { Random } from './random.ts';

const SEED = Number(process.env.AMELIE_GENERATED_SEED ?? 1);
const ROUND_COUNT = Number(process.env.AMELIE_MOVES ?? 150);

type Row = { readonly a: number; readonly b: string; readonly k: number; readonly v: string };
/** A statement, and what it makes of the rows: another list, or the code of an error. */
type Statement = { readonly sql: string; readonly apply: (rows: readonly Row[]) => readonly Row[] | string };
type Where = { readonly sql: string; readonly matches: (row: Row) => boolean };
type Change = { readonly sql: string; readonly changed: (row: Row) => Row };

const TEXTS = ['', 'x', 'yy', 'a text that does not lie in its cell'] as const;

/** Mostly small, so that keys meet. */
function number(random: Random): number {
  return random.below(41) - 20;
}

function where(random: Random): Where {
  const c = number(random);
  const text = random.pick(TEXTS);
  return random.pick<Where>([
    { sql: '', matches: () => true },
    { sql: ` where a = ${c}`, matches: ({ a }) => a === c },
    { sql: ` where a = ${c} and b = '${text}'`, matches: ({ a, b }) => a === c && b === text },
    { sql: ` where a > ${c}`, matches: ({ a }) => a > c },
    { sql: ` where a between ${c} and ${c + 4}`, matches: ({ a }) => a >= c && a <= c + 4 },
    { sql: ` where k = ${c}`, matches: ({ k }) => k === c },
    { sql: ` where k in (${c}, ${c + 1}, ${c + 7})`, matches: ({ k }) => k === c || k === c + 1 || k === c + 7 },
    { sql: ` where b = '${text}'`, matches: ({ b }) => b === text },
    { sql: ` where a % 3 = 1 or v = '${text}'`, matches: ({ a, v }) => a % 3 === 1 || v === text },
  ]);
}

function change(random: Random): Change {
  const c = number(random);
  const text = random.pick(TEXTS);
  return random.pick<Change>([
    { sql: `a = a + ${c}`, changed: (row) => ({ ...row, a: row.a + c }) },
    { sql: 'a = 0 - a', changed: (row) => ({ ...row, a: 0 - row.a }) },
    { sql: `a = ${c}`, changed: (row) => ({ ...row, a: c }) },
    {
      sql: 'a = case when a % 2 = 0 then a + 1 else a - 1 end',
      changed: (row) => ({ ...row, a: row.a % 2 === 0 ? row.a + 1 : row.a - 1 }),
    },
    { sql: `b = '${text}'`, changed: (row) => ({ ...row, b: text }) },
    { sql: 'a = k, k = a', changed: (row) => ({ ...row, a: row.k, k: row.a }) },
    { sql: 'b = v, v = b', changed: (row) => ({ ...row, b: row.v, v: row.b }) },
    { sql: `v = b, a = a + k, b = '${text}'`, changed: (row) => ({ ...row, v: row.b, a: row.a + row.k, b: text }) },
    { sql: `k = k + 1, v = '${text}'`, changed: (row) => ({ ...row, k: row.k + 1, v: text }) },
  ]);
}

/** The rows, or the error where a number does not fit, or else two rows have one key. */
function checked(rows: readonly Row[]): readonly Row[] | string {
  if (rows.some(({ a, k }) => a !== (a | 0) || k !== (k | 0))) return 'out_of_range';
  return new Set(rows.map(({ a, b }) => `${a} ${b}`)).size === rows.length ? rows : 'key_conflict';
}

function statement(random: Random): Statement {
  const { sql: condition, matches } = where(random);
  const kind = random.below(20);
  if (kind < 13) {
    const { sql, changed } = change(random);
    return {
      sql: `update m set ${sql}${condition}`,
      apply: (rows) => checked(rows.map((row) => (matches(row) ? changed(row) : row))),
    };
  }
  if (kind === 13) {
    const c = number(random);
    return {
      sql: `update m set a = 100 / (a - ${c}) + a${condition}`,
      apply: (rows) => {
        if (rows.some((row) => matches(row) && row.a === c)) return 'zero_division';
        return checked(rows.map((row) => (matches(row) ? { ...row, a: Math.trunc(100 / (row.a - c)) + row.a } : row)));
      },
    };
  }
  if (kind < 16) return { sql: `delete from m${condition}`, apply: (rows) => rows.filter((row) => !matches(row)) };
  const rows = Array.from({ length: 1 + random.below(30) }, (_, index) => ({
    a: number(random) + index * 40,
    b: random.pick(TEXTS),
    k: number(random),
    v: random.pick(TEXTS),
  }));
  const cells = rows.map(({ a, b, k, v }) => `(${a}, '${b}', ${k}, '${v}')`);
  return { sql: `insert into m values ${cells.join(', ')}`, apply: (before) => checked([...before, ...rows]) };
}

/** Statements as one request: all of them, or the error of the first that fails. */
function together(statements: readonly Statement[]): Statement {
  return {
    sql: statements.map(({ sql }) => sql).join('; '),
    apply: (rows) => {
      for (const { apply } of statements) {
        const after = apply(rows);
        if (typeof after === 'string') return after;
        rows = after;
      }
      return rows;
    },
  };
}

/** The outcomes of requests that were sent before any of them ran: '' or the code of the error. */
function sendAll({ engine }: FileDatabase, requests: readonly Statement[]): string[] {
  const outcomes = requests.map(() => 'no answer');
  for (const [index, { sql }] of requests.entries()) {
    const bytes = new TextEncoder().encode(sql);
    engine.frontend.execute(bytes, 0, bytes.length, undefined, 'json', undefined, (error) => {
      outcomes[index] = error?.code ?? '';
    });
  }
  engine.run();
  return outcomes;
}

async function rowsOf(db: FileDatabase): Promise<unknown> {
  return JSON.parse(await db.run('select a, b, k, v from m order by a, b'));
}

function sorted(rows: readonly Row[]): unknown[] {
  const inOrder = [...rows].sort((x, y) => x.a - y.a || Buffer.compare(Buffer.from(x.b), Buffer.from(y.b)));
  return inOrder.map(({ a, b, k, v }) => [a, b, k, v]);
}

for (const [nodeCount, partitions, method] of [
  [1, 3, 'tree'],
  [2, 2, 'hash'],
  [3, 16, 'tree'],
  [5, 3, 'hash'],
] as const) {
  test(`random moves over ${nodeCount} backends, ${partitions} partitions, seed ${SEED}`, async () => {
    const random = new Random(SEED * 1000 + nodeCount);
    let db = new FileDatabase(undefined, {}, nodeCount);
    await db.run(
      'create table m (a int, b text, k int not null, v text not null, primary key (a, b)) ' +
        `partitions ${partitions} with (type = '${method}')`,
    );
    await db.run('create index by_k on m (k)');
    let rows: readonly Row[] = [];
    let movedCount = 0;
    let failedCount = 0;
    for (let round = 0; round < ROUND_COUNT; round++) {
      const requests = Array.from({ length: 1 + random.below(4) }, () =>
        together(Array.from({ length: random.pick([1, 1, 2, 4]) }, () => statement(random))),
      );
      const expected: string[] = [];
      for (const { apply } of requests) {
        const after = apply(rows);
        expected.push(typeof after === 'string' ? after : '');
        if (typeof after === 'string') failedCount++;
        else if (after !== rows) {
          rows = after;
          movedCount++;
        }
      }
      const place = `seed ${SEED}, round ${round}:\n${requests.map(({ sql }) => sql).join('\n')}`;
      assert.deepEqual(sendAll(db, requests), expected, place);
      if (random.oneIn(20)) await db.run('checkpoint');
      if (random.oneIn(20)) db = db.restarted();
      assert.deepEqual(await rowsOf(db), sorted(rows), place);
      if (random.oneIn(10)) db.verify();
    }
    assert.ok(
      movedCount > ROUND_COUNT / 4 && failedCount > ROUND_COUNT / 4,
      `${movedCount} done, ${failedCount} failed`,
    );
  });
}
