/**
 * Expressions on an engine, next to what the naive evaluator says. Each is run over the rows of a table by the nodes, without
 * FROM by the coordinator, and with parameters for its constants. Many share a request; one that fails for some row is run
 * for that row, and without it. A wrong answer is followed down to the smallest expression that has one.
 */

import type { AmelieDatabase } from '../../../src/embed/index.ts';
import type { Random } from '../random.ts';
import { evaluate, type Node, type Outcome, type Printer, print, type Row } from './tree.ts';
import {
  Json,
  type Kind,
  literalText,
  nullText,
  resultText,
  splitArray,
  type Tree,
  textOf,
  type Value,
  vectorText,
} from './values.ts';

/** What a request gave: the texts of its cells by row, or an error. */
type Answer = { readonly rows?: readonly (readonly string[])[]; readonly error?: { code: string; msg: string } };

/** One expression in one request, for which a text or an error is right. */
type Check = { readonly node: Node; readonly row: Row; readonly way: Way };

/** How an expression is run: over the table, or without FROM, with constants or parameters in place of columns. */
export type Way = 'table' | 'table with parameters' | 'constants' | 'parameters';
export const WAYS: readonly Way[] = ['table', 'table with parameters', 'constants', 'parameters'];

const BATCH_SIZE = 8;
const FAILURES_MAX = 10;

const literals: Printer = { column: (name) => name, constant: literalText };

/** Collects the values of $1, $2, …. */
class Parameters {
  readonly values: unknown[] = [];

  add(value: Value, kind: Kind): string {
    if (value === null) return nullText(kind);
    const plain = kind === 'json' ? plainTree((value as Json).tree) : value;
    if (kind === 'json' && plain === undefined) return literalText(value, kind);
    if (kind === 'json') return this.#put(plain, typeof plain === 'object' && plain !== null ? '' : '::json');
    if (kind === 'double') return this.#put(value, Number.isSafeInteger(value) ? '::double' : '', Object.is(value, -0));
    if (kind === 'bool' || kind === 'int' || kind === 'text') return this.#put(value, '');
    const text = kind === 'vector' ? vectorText(value as readonly number[]) : textOf(value, kind, 'UTC');
    return this.#put(text, `::${kind}`);
  }

  #put(value: unknown, cast: string, isNegativeZero = false): string {
    this.values.push(value);
    const text = `$${this.values.length}${cast}`;
    return cast === '' ? text : isNegativeZero ? `(- ${text})` : `(${text})`;
  }
}

/** As a JavaScript value; undefined where that would not be the same JSON. */
function plainTree(tree: Tree): unknown {
  if (tree instanceof Map) {
    const entries = [...tree].map(([key, item]) => [key, plainTree(item as Tree)] as const);
    if (entries.some(([key, item]) => item === undefined || /^[0-9]/.test(key))) return undefined;
    return Object.fromEntries(entries);
  }
  if (Array.isArray(tree)) {
    const items = tree.map(plainTree);
    return items.includes(undefined) ? undefined : items;
  }
  return typeof tree === 'number' && Number.isInteger(tree) ? undefined : tree === null ? undefined : tree;
}

function printer(way: Way, row: Row, parameters: Parameters): Printer {
  if (way === 'table') return literals;
  if (way === 'table with parameters') return { column: (name) => name, constant: (v, k) => parameters.add(v, k) };
  if (way === 'constants') return { column: (name, kind) => literalText(row[name]!, kind), constant: literalText };
  return { column: (name, kind) => parameters.add(row[name]!, kind), constant: (v, k) => parameters.add(v, k) };
}

function isTable(way: Way): boolean {
  return way.startsWith('table');
}

export class Session {
  readonly #db: AmelieDatabase;
  readonly #rows: readonly Row[];
  readonly #zone: string;
  readonly #note: string;
  requestCount = 0;
  /** What was wrong, up to FAILURES_MAX. */
  readonly failures: string[] = [];

  /** `note` goes into every failure: how to repeat it. */
  constructor(db: AmelieDatabase, rows: readonly Row[], zone: string, note: string) {
    this.#db = db;
    this.#rows = rows;
    this.#zone = zone;
    this.#note = note;
  }

  async #ask(sql: string, parameters: readonly unknown[], columnCount: number): Promise<Answer> {
    this.requestCount++;
    const { status, body } = await this.#db.execute(sql, parameters).catch((error: unknown) => {
      throw new Error(`${this.#note}: ${sql}\nparameters ${showParameters(parameters)}`, { cause: error });
    });
    if (status >= 300) return { error: JSON.parse(body) as { code: string; msg: string } };
    const rows = splitArray(body);
    return { rows: columnCount === 1 ? rows.map((cell) => [cell]) : rows.map((row) => splitArray(row)) };
  }

  /** Adds wrong answers to `failures`. Gives the number of answers. */
  async check(nodes: readonly Node[], random: Random): Promise<number> {
    const wholeRows: Node[] = [];
    let count = 0;
    for (const node of nodes) {
      if (this.failures.length >= FAILURES_MAX) return count;
      const outcomes = this.#rows.map((row) => evaluate(node, row));
      count += await this.#checkFailing(node, outcomes, random);
      if (outcomes.every(isSafe)) wholeRows.push(node);
      else {
        const good = this.#rows.filter((_, index) => isSafe(outcomes[index]!));
        if (good.length > 0)
          count += await this.#checkTable([node], good, random.pick(['table', 'table with parameters']));
      }
    }
    for (let first = 0; first < wholeRows.length; first += BATCH_SIZE) {
      const batch = wholeRows.slice(first, first + BATCH_SIZE);
      const row = random.pick(this.#rows);
      count += await this.#checkTable(batch, this.#rows, 'table');
      if (random.oneIn(3)) count += await this.#checkTable(batch, this.#rows, 'table with parameters');
      for (const way of ['constants', 'parameters'] as const) count += await this.#checkSingle(batch, row, way);
    }
    return count;
  }

  /** Rows for which the expression is an error, or may be one. */
  async #checkFailing(node: Node, outcomes: readonly Outcome[], random: Random): Promise<number> {
    const failing = this.#rows.filter((_, index) => !isSafe(outcomes[index]!));
    if (failing.length === 0) return 0;
    const ways = [random.pick(WAYS), random.pick(WAYS)];
    for (const way of ways) await this.#checkOne({ node, row: random.pick(failing), way });
    return ways.length;
  }

  async #checkTable(batch: readonly Node[], rows: readonly Row[], way: Way): Promise<number> {
    const parameters = new Parameters();
    const items = batch.map((node) => print(node, printer(way, {}, parameters)));
    const ids = rows.map((row) => row.id).join(', ');
    const where = rows.length === this.#rows.length ? '' : ` where id in (${ids})`;
    const sql = `select ${items.join(', ')} from t${where} order by id`;
    const answer = await this.#ask(sql, parameters.values, items.length);
    await this.#checkAnswer(batch, rows, way, sql, answer);
    return rows.length * batch.length;
  }

  async #checkSingle(batch: readonly Node[], row: Row, way: Way): Promise<number> {
    const parameters = new Parameters();
    const items = batch.map((node) => print(node, printer(way, row, parameters)));
    const sql = `select ${items.join(', ')}`;
    const answer = await this.#ask(sql, parameters.values, items.length);
    await this.#checkAnswer(batch, [row], way, sql, answer);
    return batch.length;
  }

  /** The answer to a list of expressions, none of which may fail, over the rows. */
  async #checkAnswer(
    batch: readonly Node[],
    rows: readonly Row[],
    way: Way,
    sql: string,
    answer: Answer,
  ): Promise<void> {
    let wrong: Check | undefined;
    for (const [column, node] of batch.entries())
      for (const [index, row] of rows.entries()) {
        const text = answer.rows?.[index]?.[column];
        if (isRight(evaluate(node, row), text, undefined, node.kind, this.#zone)) continue;
        wrong = { node, row, way };
        if (await this.#explain(wrong)) return;
        if (answer.error === undefined) break;
      }
    if (wrong === undefined) return;
    const got = answer.error === undefined ? 'another value' : `${answer.error.code}: ${answer.error.msg}`;
    const expected = showOutcome(evaluate(wrong.node, wrong.row), wrong.node.kind, this.#zone);
    this.failures.push(
      `${this.#note}: ${way}: right alone, wrong among others or over several rows\n${this.#statement(wrong).sql}\n` +
        `expected ${expected}, got ${got}, in:\n${sql}\nrow ${showRow(wrong.row)}`,
    );
  }

  async #checkOne(check: Check): Promise<void> {
    const answer = await this.#run(check);
    if (!this.#isRight(check, answer)) await this.#explain(check);
  }

  #statement({ node, row, way }: Check): { sql: string; values: readonly unknown[] } {
    const parameters = new Parameters();
    const text = print(node, printer(way, row, parameters));
    return { sql: `select ${text}${isTable(way) ? ` from t where id = ${row.id}` : ''}`, values: parameters.values };
  }

  #run(check: Check): Promise<Answer> {
    const { sql, values } = this.#statement(check);
    return this.#ask(sql, values, 1);
  }

  #isRight({ node, row }: Check, { rows, error }: Answer): boolean {
    return isRight(evaluate(node, row), rows?.[0]?.[0], error?.code, node.kind, this.#zone);
  }

  /** Finds the smallest expression that is wrong and adds it to the failures. False where the expression alone is right. */
  async #explain(check: Check): Promise<boolean> {
    let answer = await this.#run(check);
    if (this.#isRight(check, answer)) return false;
    let smallest = check;
    for (let isSmaller = true; isSmaller; ) {
      isSmaller = false;
      for (const node of smallerNodes(smallest.node, smallest.row)) {
        const next = { ...smallest, node };
        const given = await this.#run(next);
        if (this.#isRight(next, given)) continue;
        smallest = next;
        answer = given;
        isSmaller = true;
        break;
      }
    }
    const { sql, values } = this.#statement(smallest);
    const got = answer.error === undefined ? answer.rows?.[0]?.[0] : `${answer.error.code}: ${answer.error.msg}`;
    this.failures.push(
      `${this.#note}: ${smallest.way}\n${sql}\nparameters ${showParameters(values)}\n` +
        `expected ${showOutcome(evaluate(smallest.node, smallest.row), smallest.node.kind, this.#zone)}\n` +
        `got      ${got}\nrow ${showRow(smallest.row)}\nfrom ${this.#statement(check).sql}`,
    );
    return true;
  }
}

function isSafe({ value, errors }: Outcome): boolean {
  return value !== undefined && errors.length === 0;
}

function isRight(
  { value, errors }: Outcome,
  text: string | undefined,
  code: string | undefined,
  kind: Kind,
  zone: string,
): boolean {
  if (code !== undefined) return errors.includes(code);
  return value !== undefined && text === resultText(value, kind, zone);
}

/** Its operands, and itself with one operand replaced by that one's value. */
function* smallerNodes(node: Node, row: Row): Generator<Node> {
  yield* node.children;
  for (const [index, child] of node.children.entries()) {
    if (child.form === undefined && child.column === undefined) continue;
    const { value, errors } = evaluate(child, row);
    if (value === undefined || errors.length > 0) {
      for (const inner of smallerNodes(child, row))
        if (inner.kind === child.kind) yield { ...node, children: node.children.with(index, inner) };
      continue;
    }
    yield { ...node, children: node.children.with(index, { kind: child.kind, children: [], value }) };
  }
}

function showOutcome({ value, errors }: Outcome, kind: Kind, zone: string): string {
  const text = value === undefined ? [] : [resultText(value, kind, zone)];
  return [...text, ...errors.map((code) => `error ${code}`)].join(' or ');
}

function showParameters(values: readonly unknown[]): string {
  return JSON.stringify(values, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
}

function showRow(row: Row): string {
  return showParameters([
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [
        name,
        value instanceof Json ? resultText(value, 'json', 'UTC') : value,
      ]),
    ),
  ]);
}
