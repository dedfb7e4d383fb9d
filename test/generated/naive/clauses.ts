/** WHERE, ORDER BY, GROUP BY and aggregates of generated expressions, computed over the rows in JavaScript. */

import assert from 'node:assert/strict';
import type { AmelieDatabase } from '../../../src/embed/index.ts';
import type { Random } from '../random.ts';
import type { Column } from './generator.ts';
import { evaluate, type Node, print, type Row } from './tree.ts';
import {
  compareValues,
  INT_MAX,
  INT_MIN,
  type Kind,
  literalText,
  resultText,
  splitArray,
  type Value,
} from './values.ts';

/** An expression that has a value for every row. */
export type Computed = { readonly node: Node; readonly text: string; readonly values: readonly Value[] };

/** The values of the expression, or undefined where it can fail, or reads no column: a constant may be a position. */
export function computed(node: Node, rows: readonly Row[]): Computed | undefined {
  if (!readsColumn(node)) return undefined;
  const values: Value[] = [];
  for (const row of rows) {
    const { value, errors } = evaluate(node, row);
    if (value === undefined || errors.length > 0) return undefined;
    values.push(value);
  }
  return { node, text: print(node, { column: (name) => name, constant: literalText }), values };
}

function readsColumn(node: Node): boolean {
  return node.column !== undefined || node.children.some(readsColumn);
}

/** NULLs before all others. */
function order(left: Value, right: Value, kind: Kind): number {
  if (left === null || right === null) return Number(right === null) - Number(left === null);
  return compareValues(left, right, kind);
}

export class Clauses {
  readonly #db: AmelieDatabase;
  readonly #rows: readonly Row[];
  readonly #zone: string;
  readonly #note: string;

  constructor(db: AmelieDatabase, rows: readonly Row[], zone: string, note: string) {
    this.#db = db;
    this.#rows = rows;
    this.#zone = zone;
    this.#note = note;
  }

  async #cells(sql: string): Promise<string[]> {
    const { status, body } = await this.#db.execute(sql).catch((error: unknown) => {
      throw new Error(`${this.#note}: ${sql}`, { cause: error });
    });
    assert.ok(status < 300, `${this.#note}: ${sql}: ${body}`);
    return splitArray(body);
  }

  #text(value: Value, kind: Kind): string {
    return resultText(value, kind, this.#zone);
  }

  #ids(indexes: readonly number[]): string[] {
    return indexes.map((index) => String(this.#rows[index]!.id));
  }

  async where({ node, text, values }: Computed, table: string): Promise<void> {
    assert.equal(node.kind, 'bool');
    const sql = `select id from ${table} where ${text} order by id`;
    const expected = this.#ids([...values.keys()].filter((index) => values[index] === true));
    assert.deepEqual(await this.#cells(sql), expected, `${this.#note}: ${sql}`);
  }

  async orderBy({ node, text, values }: Computed, random: Random): Promise<void> {
    const isDescending = random.oneIn(2);
    const nulls = random.pick(['', '', ' nulls first', ' nulls last']);
    const limit = random.oneIn(2) ? random.below(10) : values.length;
    // NULLs come first in ASC and last in DESC.
    const nullsFirst = nulls === '' ? !isDescending : nulls === ' nulls first';
    const compare = (left: number, right: number): number => {
      const [a, b] = [values[left]!, values[right]!];
      if (a === null || b === null) {
        const nullOrder = Number(b === null) - Number(a === null);
        return (nullsFirst ? nullOrder : -nullOrder) || left - right;
      }
      return (isDescending ? -1 : 1) * compareValues(a, b, node.kind) || left - right;
    };
    const expected = this.#ids([...values.keys()].sort(compare).slice(0, limit));
    const sql = `select id from t order by ${text}${isDescending ? ' desc' : ''}${nulls}, id limit ${limit}`;
    assert.deepEqual(await this.#cells(sql), expected, `${this.#note}: ${sql}`);
  }

  /** Groups by the expression, with some aggregates of columns in each. */
  async groupBy({ node, text, values }: Computed, columns: readonly Column[], random: Random): Promise<void> {
    const groups = new Map<string, number[]>();
    for (const [index, value] of values.entries()) {
      const key = this.#text(value, node.kind);
      groups.set(key, [...(groups.get(key) ?? []), index]);
    }
    // Where 0 and -0 are both there, either may stand for the two.
    const hasOneZero = (name: string): boolean => !this.#rows.some((row) => Object.is(row[name], -0));
    const ordered = columns.filter(({ name, kind }) => kind !== 'json' && kind !== 'interval' && hasOneZero(name));
    const column = random.pick(ordered);
    const sql = `select ${text}, count(*), count(${column.name}), min(${column.name}), max(${column.name}) from t group by ${text}`;
    const expected = [...groups].map(([key, indexes]) => {
      const found = indexes.map((index) => this.#rows[index]![column.name]!).filter((value) => value !== null);
      found.sort((a, b) => compareValues(a, b, column.kind));
      const ends = [found[0] ?? null, found.at(-1) ?? null].map((value) => this.#text(value, column.kind));
      return `[${[key, indexes.length, found.length, ...ends].join(', ')}]`;
    });
    assert.deepEqual((await this.#cells(sql)).sort(), expected.sort(), `${this.#note}: ${sql}`);
  }

  /** Aggregates of the expression over all rows; `condition` filters. */
  async aggregates({ node, text, values }: Computed, condition: Computed): Promise<void> {
    const { kind } = node;
    const kept = values.filter((value, index) => value !== null && condition.values[index] === true) as Exclude<
      Value,
      null
    >[];
    kept.sort((a, b) => order(a, b, kind));
    const distinct = kept.filter((value, index) => index === 0 || order(value, kept[index - 1]!, kind) !== 0);
    const filter = ` filter (where ${condition.text})`;
    const sql = `select count(${text})${filter}, count(distinct ${text})${filter}, min(${text})${filter}, max(${text})${filter} from t`;
    const [row] = await this.#cells(sql);
    const [count, distinctCount, ...ends] = splitArray(row!);
    const note = `${this.#note}: ${sql}`;
    assert.deepEqual([count, distinctCount], [String(kept.length), String(distinct.length)], note);
    // Of values that are equal any may stand for them.
    for (const [at, value] of [kept[0] ?? null, kept.at(-1) ?? null].entries()) {
      const equals = kept.filter((other) => order(other, value, kind) === 0).map((other) => this.#text(other, kind));
      assert.ok(
        (value === null ? ['null'] : equals).includes(ends[at]!),
        `${note}: ${ends[at]}, not ${equals.join(' or ')}`,
      );
    }
    if (kind === 'int') await this.#sums(text, filter, kept as bigint[]);
  }

  async #sums(text: string, filter: string, values: readonly bigint[]): Promise<void> {
    const total = values.reduce((sum, value) => sum + value, 0n);
    const sql = `select sum(${text})${filter}, avg(${text})${filter} from t`;
    const { status, body } = await this.#db.execute(sql);
    if (total < INT_MIN || total > INT_MAX) {
      assert.equal((JSON.parse(body) as { code?: string }).code, 'overflow', `${this.#note}: ${sql}: ${body}`);
      return;
    }
    assert.ok(status < 300, `${this.#note}: ${sql}: ${body}`);
    const [sum, average] = splitArray(splitArray(body)[0]!);
    if (values.length === 0) {
      assert.deepEqual([sum, average], ['null', 'null'], `${this.#note}: ${sql}`);
      return;
    }
    assert.equal(sum, String(total), `${this.#note}: ${sql}`);
    const expected = Number(total) / values.length;
    assert.ok(
      Math.abs(Number(average) - expected) <= Math.abs(expected) * 1e-15,
      `${this.#note}: ${sql}: ${average}, not ${expected}`,
    );
  }
}
