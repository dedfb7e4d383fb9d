/**
 * Values of every type on their ways in and out: literals, parameters, JSON and CSV; then the repository is closed and opened
 * again, and the log gives the same rows, through scans and through indexes. SEED repeats a run.
 */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type AmelieDatabase, open } from '../../src/embed/index.ts';
import { Engine, type Format } from './inline.ts';
import { columnValue, DEFINITIONS, POOLS, randomRow } from './naive/table.ts';
import type { Row } from './naive/tree.ts';
import {
  compareValues,
  equalTrees,
  Json,
  type Kind,
  literalText,
  resultText,
  splitArray,
  textOf,
  type Value,
} from './naive/values.ts';
import { Random } from './random.ts';

const SEED = Number(process.env.SEED ?? (process.env.CI ? 20261122 : Date.now() % 1_000_000_000));
const ROW_COUNT = 150;
const ZONE = 'America/New_York';

type Definition = (typeof DEFINITIONS)[number];

function tableText(name: string): string {
  const columns = DEFINITIONS.map(
    ({ name: column, type, isNullable }) => `${column} ${type}${isNullable ? '' : ' not null'}`,
  );
  return `create table ${name} (id int primary key, ${columns.join(', ')}) partitions 5`;
}

function rowText(row: Row): string {
  return `[${[row.id, ...DEFINITIONS.map(({ name, kind }) => resultText(row[name]!, kind, ZONE))].join(', ')}]`;
}

async function text(db: AmelieDatabase, sql: string, parameters: readonly unknown[] = []): Promise<string> {
  const { status, body } = await db.execute(sql, parameters);
  assert.ok(status < 300, `SEED=${SEED}: ${sql.slice(0, 3000)} with ${parameters.map(String).join(', ')}: ${body}`);
  return body;
}

/** Columns that indexes may have. */
function isKey({ kind }: Definition): boolean {
  return kind !== 'json' && kind !== 'vector';
}

/** The rows are those, read by a scan, in the order of each column, and by conditions on each column. */
async function compare(db: AmelieDatabase, rows: readonly Row[], random: Random): Promise<void> {
  const body = await text(db, 'select * from t order by id');
  assert.deepEqual(
    splitArray(body),
    rows.map((row) => rowText(row)),
    `SEED=${SEED}`,
  );
  for (const definition of DEFINITIONS.filter(isKey)) {
    const { name, kind } = definition;
    const order = (a: Row, b: Row): number => {
      const [x, y] = [a[name]!, b[name]!];
      const byValue = x === null || y === null ? Number(y === null) - Number(x === null) : compareValues(x, y, kind);
      return byValue || Number((a.id as bigint) - (b.id as bigint));
    };
    // ASC has NULLs first.
    const sorted = rows.toSorted(order).map((row) => String(row.id));
    assert.deepEqual(
      splitArray(await text(db, `select id from t order by ${name}, id`)),
      sorted,
      `SEED=${SEED}: order by ${name}`,
    );
    const constant = columnValue(random, { ...definition, isNullable: false })!;
    for (const operator of ['=', '<>', '<', '<=', '>', '>='] as const) {
      const holds = (value: Value): boolean => {
        if (value === null) return false;
        const found = compareValues(value, constant, kind);
        if (operator === '=' || operator === '<>') return (found === 0) === (operator === '=');
        return operator.startsWith('<')
          ? found < 0 || (found === 0 && operator === '<=')
          : found > 0 || (found === 0 && operator === '>=');
      };
      const expected = rows.filter((row) => holds(row[name]!)).map((row) => String(row.id));
      const sql = `select id from t where ${name} ${operator} ${literalText(constant, kind)} order by id`;
      assert.deepEqual(splitArray(await text(db, sql)), expected, `SEED=${SEED}: ${sql}`);
      if (kind === 'json') break;
    }
  }
  for (const { name } of DEFINITIONS.filter(({ kind }) => kind === 'json')) {
    const constant = random.pick(POOLS.json) as Json;
    const expected = rows.filter((row) => row[name] !== null && equalTrees((row[name] as Json).tree, constant.tree));
    const sql = `select id from t where ${name} = ${literalText(constant, 'json')} order by id`;
    assert.deepEqual(
      splitArray(await text(db, sql)),
      expected.map((row) => String(row.id)),
      `SEED=${SEED}: ${sql}`,
    );
  }
}

test(`rows of every type, written, changed, recovered from the log, seed ${SEED}`, async () => {
  const random = new Random(SEED);
  const directory = mkdtempSync(join(tmpdir(), 'amelie-roundtrip-'));
  try {
    let db = await open({ directory, backends: 3, timezone: ZONE });
    await text(db, tableText('t'));
    for (const [index, { name }] of DEFINITIONS.filter(isKey).entries())
      await text(db, `create index by_${name} on t (${name})${index % 3 === 2 ? " with (type = 'hash')" : ''}`);
    let rows: Row[] = Array.from({ length: ROW_COUNT }, (_, id) => randomRow(random, DEFINITIONS, id));
    const cells = (row: Row): string =>
      [
        row.id,
        ...DEFINITIONS.map(({ name, kind }) => (row[name] === null ? 'null' : literalText(row[name]!, kind))),
      ].join(', ');
    await text(
      db,
      `insert into t values ${rows
        .slice(0, 100)
        .map((row) => `(${cells(row)})`)
        .join(', ')}`,
    );
    for (const row of rows.slice(100)) await text(db, `insert into t values (${cells(row)})`);
    await compare(db, rows, random);
    // Changes in place, rows away and back.
    for (let count = 0; count < 60; count++) {
      const definition = random.pick(DEFINITIONS);
      const value = columnValue(random, definition);
      const id = BigInt(random.below(ROW_COUNT));
      const shown = value === null ? 'null' : literalText(value, definition.kind);
      await text(db, `update t set ${definition.name} = ${shown} where id = ${id}`);
      rows = rows.map((row) => (row.id === id ? { ...row, [definition.name]: value } : row));
    }
    await text(db, 'delete from t where id % 10 = 3');
    rows = rows.filter((row) => (row.id as bigint) % 10n !== 3n);
    await compare(db, rows, random);
    await db.close();
    db = await open({ directory, timezone: ZONE });
    await compare(db, rows, random);
    await text(db, 'create table copy (like_id int primary key)');
    await db.close();
  } finally {
    rmSync(directory, { recursive: true });
  }
});

/** The value as JSON text of an import, where -0 would be the integer 0. */
function jsonCell(value: Value, kind: Kind): string {
  return Object.is(value, -0) ? '-0.0' : resultText(value, kind, ZONE);
}

/** A double without a fraction is written, and read, as an integer, which has no -0. */
const NEGATIVE_ZERO = /(?<=[[ ])-0(?=[,\]])/g;

/** The value as a CSV field. */
function csvCell(value: Value, kind: Kind): string {
  if (value === null) return '';
  const field = kind === 'json' ? resultText(value, kind, ZONE) : textOf(value, kind, ZONE);
  return field === '' || /[",\r\n]/.test(field) || kind === 'text' ? `"${field.replaceAll('"', '""')}"` : field;
}

for (const format of ['csv', 'json', 'jsonl'] as const)
  test(`rows of every type by ${format} in, and out again, seed ${SEED}`, async () => {
    const random = new Random(SEED + 1);
    const engine = new Engine(ZONE, 2);
    await engine.run(tableText('t'));
    // In an import of JSON, null is NULL also for a column of type json.
    const withoutNull = (name: string, value: Value): Value =>
      value instanceof Json && value.tree === null ? (name === 'j' ? null : new Json(false)) : value;
    const rows = Array.from({ length: ROW_COUNT }, (_, id) => randomRow(random, DEFINITIONS, id)).map(
      (row): Row => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, withoutNull(name, value)])),
    );
    assert.equal(await load(engine, format, rows), undefined);
    const body = await engine.run('select * from t order by id');
    assert.deepEqual(
      splitArray(body),
      rows.map((row) => rowText(row)),
      `SEED=${SEED}`,
    );
    if (format === 'json') {
      // The result itself is an import.
      await engine.run(tableText('again'));
      assert.equal(await engine.import('again', undefined, 'json', new TextEncoder().encode(body)), undefined);
      assert.equal(
        (await engine.run('select * from again order by id')).replaceAll(NEGATIVE_ZERO, '0'),
        body.replaceAll(NEGATIVE_ZERO, '0'),
      );
    }
    await engine.close();
  });

function load(engine: Engine, format: Format, rows: readonly Row[]): Promise<unknown> {
  const cell = format === 'csv' ? csvCell : jsonCell;
  const lines = rows.map((row) => [row.id, ...DEFINITIONS.map(({ name, kind }) => cell(row[name]!, kind))]);
  const whole =
    format === 'csv'
      ? lines.map((line) => line.join(',')).join('\r\n')
      : format === 'jsonl'
        ? lines.map((line) => `[${line.join(',')}]`).join('\n')
        : `[${lines.map((line) => `[${line.join(', ')}]`).join(',\n')}]`;
  return engine.import('t', undefined, format, new TextEncoder().encode(whole));
}
