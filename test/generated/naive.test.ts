/**
 * Random expressions over every type, evaluated by the engine and by a naive evaluator that shares no code with it.
 * SEED sets the seed, which is printed and named by every failure; AMELIE_GENERATED_EXPRESSIONS the number of expressions.
 */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type AmelieDatabase, open } from '../../src/embed/index.ts';
import { Clauses, type Computed, computed } from './naive/clauses.ts';
import { Generator } from './naive/generator.ts';
import { JSON_OPERATIONS, UUID_OPERATIONS, VECTOR_OPERATIONS } from './naive/json.ts';
import { KIND_OPERATIONS } from './naive/kinds.ts';
import { NUMBER_OPERATIONS } from './naive/numbers.ts';
import { type Operation, SESSION } from './naive/operations.ts';
import { Session } from './naive/session.ts';
import { DEFINITIONS, POOLS, randomRow } from './naive/table.ts';
import { TEXT_OPERATIONS } from './naive/text.ts';
import { TIME_OPERATIONS } from './naive/time.ts';
import type { Row } from './naive/tree.ts';
import { type Kind, literalText } from './naive/values.ts';
import { Random } from './random.ts';

const SEED = Number(process.env.SEED ?? (process.env.CI ? 20261122 : Date.now() % 1_000_000_000));
const EXPRESSION_COUNT = Number(process.env.AMELIE_GENERATED_EXPRESSIONS ?? 1500);
const CLAUSE_COUNT = Math.ceil(EXPRESSION_COUNT / 8);
const ROW_COUNT = 24;
const NODE_COUNT = 3;
const DEPTH = 4;

const OPERATIONS: readonly Operation[] = [
  ...NUMBER_OPERATIONS,
  ...TEXT_OPERATIONS,
  ...TIME_OPERATIONS,
  ...JSON_OPERATIONS,
  ...VECTOR_OPERATIONS,
  ...UUID_OPERATIONS,
  ...KIND_OPERATIONS,
];

async function fill(db: AmelieDatabase, rows: readonly Row[], table: string): Promise<void> {
  const columns = DEFINITIONS.map(({ name, type, isNullable }) => `${name} ${type}${isNullable ? '' : ' not null'}`);
  const texts = rows.map((row) => {
    const cells = DEFINITIONS.map(({ name, kind }) => (row[name] === null ? 'null' : literalText(row[name]!, kind)));
    return `(${row.id}, ${cells.join(', ')})`;
  });
  const create = `create table ${table} (id int primary key, ${columns.join(', ')}) partitions 7`;
  for (const sql of [create, `insert into ${table} values ${texts.join(', ')}`]) {
    const { status, body } = await db.execute(sql);
    assert.ok(status < 300, `${sql.slice(0, 2000)}: ${body}`);
  }
}

type Setup = { readonly db: AmelieDatabase; readonly rows: readonly Row[]; readonly generator: Generator };

async function setUp(random: Random, zone: string): Promise<Setup> {
  SESSION.zone = zone;
  const db = await open({ backends: NODE_COUNT, timezone: zone });
  const rows = Array.from({ length: ROW_COUNT }, (_, id) => randomRow(random, DEFINITIONS, id));
  await fill(db, rows, 't');
  return { db, rows, generator: new Generator(random, DEFINITIONS, OPERATIONS, POOLS) };
}

async function checkExpressions(t: TestContext, seed: number, zone: string): Promise<void> {
  const random = new Random(seed);
  const { db, rows, generator } = await setUp(random, zone);
  const session = new Session(db, rows, zone, `SEED=${seed} zone ${zone}`);
  // First each operation by itself, then trees.
  let answers = await session.check(
    OPERATIONS.map((operation) => generator.applied(operation, 0)),
    random,
  );
  for (let done = 0; done < EXPRESSION_COUNT; done += 50) {
    const batch = Array.from({ length: 50 }, () => generator.expression(generator.kind(), DEPTH));
    answers += await session.check(batch, random);
  }
  await db.close();
  assert.equal(session.failures.length, 0, session.failures.join('\n\n'));
  t.diagnostic(`${answers} answers by ${session.requestCount} requests`);
}

async function checkClauses(seed: number, zone: string): Promise<void> {
  const random = new Random(seed);
  const { db, rows, generator } = await setUp(random, zone);
  // The same rows with an index on every column that may have one.
  await fill(db, rows, 'indexed');
  for (const [index, { name, kind }] of DEFINITIONS.entries())
    if (kind !== 'json' && kind !== 'vector') {
      const method = index % 3 === 0 ? " with (type = 'hash')" : '';
      const { status, body } = await db.execute(`create index by_${name} on indexed (${name})${method}`);
      assert.ok(status < 300, `${name}: ${body}`);
    }
  const clauses = new Clauses(db, rows, zone, `SEED=${seed} zone ${zone}`);
  const next = (kind: Kind, depth: number): Computed => {
    for (;;) {
      const found = computed(generator.expression(kind, depth), rows);
      if (found !== undefined) return found;
    }
  };
  for (let done = 0; done < CLAUSE_COUNT; done++) {
    const condition = next('bool', 2);
    await clauses.where(condition, 't');
    await clauses.where(condition, 'indexed');
    const kind = random.pick(DEFINITIONS.filter((definition) => definition.kind !== 'json')).kind;
    await clauses.orderBy(next(kind, 2), random);
    await clauses.aggregates(next(kind, 2), condition);
    // Intervals, doubles and vectors have equal values of different texts.
    if (kind !== 'interval' && kind !== 'double' && kind !== 'vector')
      await clauses.groupBy(next(kind, 2), DEFINITIONS, random);
  }
  await db.close();
}

for (const [index, zone] of ['UTC', 'Europe/Berlin'].entries()) {
  const seed = SEED + index;
  test(`expressions of seed ${seed} in ${zone}`, (t) => checkExpressions(t, seed, zone));
  test(`clauses with expressions of seed ${seed} in ${zone}`, () => checkClauses(seed, zone));
}
