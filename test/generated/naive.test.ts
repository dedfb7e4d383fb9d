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
import { kindOf, type Operation, SESSION } from './naive/operations.ts';
import { Session } from './naive/session.ts';
import { DEFINITIONS, POOLS, randomRow } from './naive/table.ts';
import { TEXT_OPERATIONS } from './naive/text.ts';
import { TIME_OPERATIONS } from './naive/time.ts';
import { print, type Row } from './naive/tree.ts';
import { type Kind, literalText } from './naive/values.ts';
import { Random } from './random.ts';

const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000_000);
const EXPRESSION_COUNT = Number(process.env.AMELIE_GENERATED_EXPRESSIONS ?? 1500);
const CLAUSE_COUNT = Math.ceil(EXPRESSION_COUNT / 8);
const ROW_COUNT = 24;
const NODE_COUNT = 3;
const DEPTH = 4;

const OPERATIONS = [
  ...NUMBER_OPERATIONS,
  ...TEXT_OPERATIONS,
  ...TIME_OPERATIONS,
  ...JSON_OPERATIONS,
  ...VECTOR_OPERATIONS,
  ...UUID_OPERATIONS,
  ...KIND_OPERATIONS,
];

type Definitions = typeof DEFINITIONS;

async function attempt(db: AmelieDatabase, sql: string): Promise<string | undefined> {
  const { status, body } = await db.execute(sql);
  return status < 300 ? undefined : (JSON.parse(body) as { code: string }).code;
}

/** The operations that the engine has. */
async function known(db: AmelieDatabase, operations: readonly Operation[], missing: string[]): Promise<Operation[]> {
  const found: Operation[] = [];
  const random = new Random(1);
  for (const operation of operations) {
    const children = operation.operands.map((operand) => ({
      kind: kindOf(operand),
      children: [],
      value: typeof operand === 'string' ? POOLS[operand][0]! : operand.pick(random),
    }));
    const text = print(
      { kind: operation.result, form: operation.form, children },
      { column: String, constant: literalText },
    );
    const code = await attempt(db, `select ${text}`);
    if (code === 'not_supported' || code === 'unknown_function' || code === 'syntax_error' || code === 'type_mismatch')
      missing.push(operation.template);
    else found.push(operation);
  }
  return found;
}

async function existing(db: AmelieDatabase): Promise<Definitions> {
  const found: Definitions[number][] = [];
  for (const definition of DEFINITIONS) {
    const code = await attempt(db, `create table probe (id int primary key, x ${definition.type})`);
    const literal = await attempt(db, `select ${literalText(POOLS[definition.kind][0]!, definition.kind)}`);
    await attempt(db, 'drop table if exists probe');
    if (code === undefined && literal === undefined) found.push(definition);
  }
  return found;
}

async function fill(db: AmelieDatabase, definitions: Definitions, rows: readonly Row[], table = 't'): Promise<void> {
  const columns = definitions.map(({ name, type, isNullable }) => `${name} ${type}${isNullable ? '' : ' not null'}`);
  const texts = rows.map((row) => {
    const cells = definitions.map(({ name, kind }) => (row[name] === null ? 'null' : literalText(row[name]!, kind)));
    return `(${row.id}, ${cells.join(', ')})`;
  });
  const create = `create table ${table} (id int primary key, ${columns.join(', ')}) partitions 7`;
  for (const sql of [create, `insert into ${table} values ${texts.join(', ')}`]) {
    const { status, body } = await db.execute(sql);
    assert.ok(status < 300, `${sql.slice(0, 2000)}: ${body}`);
  }
}

type Setup = {
  readonly db: AmelieDatabase;
  readonly rows: readonly Row[];
  readonly definitions: Definitions;
  readonly generator: Generator;
  readonly operations: readonly Operation[];
  readonly missing: readonly string[];
};

async function setUp(random: Random, zone: string): Promise<Setup> {
  SESSION.zone = zone;
  const db = await open({ backends: NODE_COUNT, timezone: zone });
  const missing: string[] = [];
  const definitions = await existing(db);
  for (const { name } of DEFINITIONS) if (!definitions.some((each) => each.name === name)) missing.push(name);
  const kinds = new Set(definitions.map((definition) => definition.kind));
  const usable = OPERATIONS.filter((each) =>
    [each.result, ...each.operands.map(kindOf)].every((kind) => kinds.has(kind)),
  );
  const operations = await known(db, usable, missing);
  const rows = Array.from({ length: ROW_COUNT }, (_, id) => randomRow(random, definitions, id));
  await fill(db, definitions, rows);
  return {
    db,
    rows,
    definitions,
    operations,
    missing,
    generator: new Generator(random, definitions, operations, POOLS),
  };
}

async function checkExpressions(t: TestContext, seed: number, zone: string): Promise<void> {
  const random = new Random(seed);
  const { db, rows, generator, operations, missing } = await setUp(random, zone);
  const session = new Session(db, rows, zone, `SEED=${seed} zone ${zone}`);
  // First each operation by itself, then trees.
  let answers = await session.check(
    operations.map((operation) => generator.applied(operation, 0)),
    random,
  );
  for (let done = 0; done < EXPRESSION_COUNT; done += 50) {
    const batch = Array.from({ length: 50 }, () => generator.expression(generator.kind(), DEPTH));
    answers += await session.check(batch, random);
  }
  await db.close();
  assert.equal(session.failures.length, 0, session.failures.join('\n\n'));
  t.diagnostic(`${answers} answers by ${session.requestCount} requests; not there: ${missing.join('  ')}`);
}

async function checkClauses(seed: number, zone: string): Promise<void> {
  const random = new Random(seed);
  const { db, rows, definitions, generator } = await setUp(random, zone);
  // The same rows with an index on every column that may have one.
  await fill(db, definitions, rows, 'indexed');
  for (const [index, { name, kind }] of definitions.entries())
    if (kind !== 'json' && kind !== 'vector') {
      const method = index % 3 === 0 ? " with (type = 'hash')" : '';
      assert.equal(await attempt(db, `create index by_${name} on indexed (${name})${method}`), undefined, name);
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
    const kind = random.pick(definitions.filter((definition) => definition.kind !== 'json')).kind;
    await clauses.orderBy(next(kind, 2), random);
    await clauses.aggregates(next(kind, 2), condition);
    // Intervals, doubles and vectors have equal values of different texts.
    if (kind !== 'interval' && kind !== 'double' && kind !== 'vector')
      await clauses.groupBy(next(kind, 2), definitions, random);
  }
  await db.close();
}

for (const [index, zone] of ['UTC', 'Europe/Berlin'].entries()) {
  const seed = SEED + index;
  test(`expressions of seed ${seed} in ${zone}`, (t) => checkExpressions(t, seed, zone));
  test(`clauses with expressions of seed ${seed} in ${zone}`, () => checkClauses(seed, zone));
}
