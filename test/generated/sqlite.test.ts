/**
 * Random statements of the common dialect on Amelie and on SQLite: the answers must be the same, and so must the tables be
 * after every change. AMELIE_GENERATED_CASES sets how many tables are tried, AMELIE_GENERATED_SEED the first of their seeds;
 * a failure names its seed.
 */

import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { type AmelieDatabase, open } from '../../src/embed/index.ts';
import { Random } from './random.ts';
import {
  randomChange,
  randomGrouping,
  randomInsert,
  randomQuery,
  randomTable,
  type Statement,
  type Table,
} from './statements.ts';

const CASE_COUNT = Number(process.env.AMELIE_GENERATED_CASES ?? 200);
const FIRST_SEED = Number(process.env.AMELIE_GENERATED_SEED ?? 1);
/** Shapes of queries a table, and constants tried for each. */
const SHAPE_COUNT = 8;
const CONSTANT_COUNT = 3;

/** Statements that were compared, and messages of those that failed on both. */
let statementCount = 0;
const failures: string[] = [];

type Outcome = { readonly error?: string; readonly rows?: readonly string[] };

/** Values as both have them: bools as numbers, no negative zero. */
function plainValue(value: unknown): unknown {
  if (typeof value === 'boolean') return Number(value);
  return value === 0 ? 0 : value;
}

async function onAmelie(db: AmelieDatabase, { text, parameters }: Statement): Promise<Outcome> {
  const { status, body } = await db.execute(text.amelie, parameters);
  if (status >= 300) return { error: body };
  const rows = body === '' ? [] : (JSON.parse(body) as unknown[]);
  return { rows: rows.map((row) => JSON.stringify((Array.isArray(row) ? row : [row]).map(plainValue))) };
}

function onSqlite(db: DatabaseSync, { text, parameters }: Statement): Outcome {
  try {
    const statement = db.prepare(text.sqlite);
    statement.setReturnArrays(true);
    // A number is bound as a double, a bigint as an int.
    const values = parameters.map((value) =>
      typeof value === 'boolean' || Number.isInteger(value) ? BigInt(value!) : value,
    );
    const rows = statement.all(...values) as unknown as unknown[][];
    return { rows: rows.map((row) => JSON.stringify(row.map(plainValue))) };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

class Comparison {
  readonly #seed: number;
  readonly #amelie: AmelieDatabase;
  readonly #sqlite: DatabaseSync;
  readonly #table: Table;

  constructor(seed: number, amelie: AmelieDatabase, sqlite: DatabaseSync, table: Table) {
    this.#seed = seed;
    this.#amelie = amelie;
    this.#sqlite = sqlite;
    this.#table = table;
  }

  /** Runs the statement on both; `true` where both failed. */
  async run(statement: Statement): Promise<boolean> {
    statementCount++;
    const expected = onSqlite(this.#sqlite, statement);
    const sorted = (rows: readonly string[] | undefined): readonly string[] | undefined =>
      statement.isOrdered ? rows : rows?.toSorted();
    const { text, parameters } = statement;
    const shown = `seed ${this.#seed}: ${text.amelie}\nparameters ${JSON.stringify(parameters)}\nsqlite: ${text.sqlite}\ntable: ${this.#table.definitions.map((entry) => entry.amelie).join('; ')}`;
    const actual = await onAmelie(this.#amelie, statement).catch((error: unknown) => {
      throw new Error(shown, { cause: error });
    });
    if (expected.error !== undefined || actual.error !== undefined) {
      const haveBoth = expected.error !== undefined && actual.error !== undefined;
      assert.ok(haveBoth, `${shown}\nAmelie: ${actual.error ?? 'no error'}\nSQLite: ${expected.error ?? 'no error'}`);
      failures.push(actual.error ?? '');
      return true;
    }
    assert.deepEqual(sorted(actual.rows), sorted(expected.rows), shown);
    return false;
  }

  /** Both tables have the same rows. */
  async compareTables(): Promise<void> {
    const text = `select * from ${this.#table.name}`;
    await this.run({ text: { amelie: text, sqlite: text }, parameters: [], isOrdered: false });
  }
}

async function runCase(seed: number, amelie: AmelieDatabase, sqlite: DatabaseSync): Promise<void> {
  const random = new Random(seed);
  const table = randomTable(random, `t${seed}`);
  const comparison = new Comparison(seed, amelie, sqlite, table);
  const [definition, ...indexes] = table.definitions;
  const define = (text: Table['definitions'][number]): Promise<boolean> =>
    comparison.run({
      text: { amelie: text.amelie, sqlite: text.sqlite === 'select 1' ? 'select 1 where false' : text.sqlite },
      parameters: [],
      isOrdered: false,
    });
  await define(definition!);
  // Indexes are made before or after the rows.
  const isIndexedFirst = random.oneIn(2);
  if (isIndexedFirst) for (const index of indexes) await define(index);
  await comparison.run(randomInsert(random, table, random.pick([0, 5, 60, 120]) + 1, 'nothing'));
  if (!isIndexedFirst) for (const index of indexes) await define(index);
  for (let step = 0; step < SHAPE_COUNT; step++) {
    const shapeSeed = random.next();
    const make = random.pick([randomQuery, randomQuery, randomGrouping, randomChange]);
    for (let round = 0; round < CONSTANT_COUNT; round++) {
      await comparison.run(make(new Random(shapeSeed), random, table));
      if (make === randomChange) await comparison.compareTables();
    }
    await comparison.run(
      randomInsert(random, table, 1 + random.below(12), random.pick(['error', 'nothing', 'update'] as const)),
    );
    await comparison.compareTables();
  }
  await amelie.execute(`drop table ${table.name}`);
  sqlite.exec(`drop table ${table.name}`);
}

test(`${CASE_COUNT} random tables from seed ${FIRST_SEED} behave as in SQLite`, async (t) => {
  const amelie = await open({ backends: 3 });
  const sqlite = new DatabaseSync(':memory:');
  sqlite.exec('pragma case_sensitive_like = on');
  for (let seed = FIRST_SEED; seed < FIRST_SEED + CASE_COUNT; seed++) await runCase(seed, amelie, sqlite);
  sqlite.close();
  await amelie.close();
  t.diagnostic(`${statementCount} statements, ${failures.length} failed on both`);
  // What fails on both compares nothing: only clashes of keys and values are to be expected.
  const unexpected = failures.filter((body) => !/"code": "(key_conflict|not_null_violation)"/.test(body));
  assert.equal(unexpected.length, 0, unexpected[0]);
});
