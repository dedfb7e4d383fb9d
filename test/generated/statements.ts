/** Random tables and statements over them, as pairs of texts for Amelie and SQLite. */

import {
  type Column,
  ExpressionMaker,
  join,
  type Kind,
  literal,
  type Pair,
  pair,
  randomValue,
  same,
  type Value,
} from './expressions.ts';
import type { Random } from './random.ts';

export type Statement = {
  readonly text: Pair;
  /** Values of $1, …; empty where there are none. */
  readonly parameters: readonly Value[];
  /** The order of the rows is part of the answer. */
  readonly isOrdered: boolean;
};

export type Table = {
  readonly name: string;
  readonly keys: readonly Column[];
  readonly columns: readonly Column[];
  readonly definitions: readonly Pair[];
};

const TYPES: Readonly<Record<Kind, readonly string[]>> = {
  int: ['int', 'bigint'],
  double: ['double'],
  text: ['text'],
  bool: ['bool'],
};
const SQLITE_TYPES: Readonly<Record<Kind, string>> = { int: 'integer', double: 'real', text: 'text', bool: 'integer' };

/** A table with its indexes. */
export function randomTable(random: Random, name: string): Table {
  const keys: Column[] = random
    .pick([
      [{ name: 'k0', kind: 'int' }],
      [{ name: 'k0', kind: 'int' }],
      [{ name: 'k0', kind: 'text' }],
      [
        { name: 'k0', kind: 'int' },
        { name: 'k1', kind: 'text' },
      ],
    ] as const)
    .slice();
  const values: Column[] = Array.from({ length: 3 + random.below(4) }, (_, index) => ({
    name: `c${index}`,
    kind: random.pick(['int', 'int', 'text', 'double', 'bool'] as const),
  }));
  const columns = [...keys, ...values];
  const list = columns.map(({ name: column, kind }) => ({
    amelie: `${column} ${random.pick(TYPES[kind])}`,
    sqlite: `${column} ${SQLITE_TYPES[kind]}${keys.some((key) => key.name === column) ? ' not null' : ''}`,
  }));
  const key = keys.map((column) => column.name).join(', ');
  const options = `${random.oneIn(3) ? ` partitions ${1 + random.below(9)}` : ''}${random.oneIn(3) ? " with (type = 'hash')" : ''}`;
  const table = pair`create table ${same(name)} (${join(list)}, primary key (${same(key)}))`;
  const definitions: Pair[] = [{ amelie: table.amelie + options, sqlite: table.sqlite }];
  for (let index = random.below(3); index > 0; index--) {
    const chosen = Array.from({ length: 1 + random.below(2) }, () => random.pick(columns).name);
    const isHash = random.oneIn(3);
    const parts = [...new Set(chosen)].map((column) => (random.oneIn(3) ? `${column} desc` : column));
    const method = isHash ? " with (type = 'hash')" : '';
    definitions.push({
      amelie: `create index i${index} on ${name} (${parts.join(', ')})${method}`,
      sqlite: 'select 1',
    });
  }
  return { name, keys, columns, definitions };
}

/** INSERT of some rows; keys come from a small range, so that they clash. */
export function randomInsert(
  random: Random,
  table: Table,
  rowCount: number,
  conflict: 'error' | 'nothing' | 'update',
): Statement {
  const rows = Array.from({ length: rowCount }, () =>
    table.columns.map(({ kind, name }) => {
      if (name.startsWith('k')) return literal(kind === 'int' ? random.below(120) : `key ${random.below(60)}`, kind);
      return random.oneIn(6) ? 'null' : literal(randomValue(random, kind), kind);
    }),
  );
  const values = rows.map((row) => `(${row.join(', ')})`).join(', ');
  const insert = `insert into ${table.name} values ${values}`;
  if (conflict === 'error') return plain(same(insert));
  const target = table.keys.map((key) => key.name).join(', ');
  if (conflict === 'nothing')
    return plain({
      amelie: `${insert} on conflict do nothing`,
      sqlite: `${insert} on conflict (${target}) do nothing`,
    });
  const made = new ExpressionMaker(random, random, [...table.columns, ...qualified(table, 'excluded')], false);
  const where = random.oneIn(3) ? pair` where ${made.condition(2)}` : same('');
  const sets = assignments(random, made, table);
  return plain({
    amelie: `${insert} on conflict do update set ${sets.amelie}${where.amelie}`,
    sqlite: `${insert} on conflict (${target}) do update set ${sets.sqlite}${where.sqlite}`,
  });
}

function qualified(table: Table, by: string): Column[] {
  return table.columns.map(({ name, kind }) => ({ name: `${by}.${name}`, kind }));
}

/** SET of one or two columns; integers stay in the range of int. */
function assignments(random: Random, made: ExpressionMaker, table: Table): Pair {
  const free = table.columns.filter((column) => column.name.startsWith('c'));
  const chosen = [...new Set([random.pick(free), random.pick(free)])];
  return join(
    chosen.map(({ name, kind }) => {
      const value = made.expression(kind, 2);
      return kind === 'int' ? pair`${same(name)} = (${value}) % 100000` : pair`${same(name)} = ${value}`;
    }),
  );
}

/** UPDATE or DELETE. */
export function randomChange(shape: Random, constants: Random, table: Table): Statement {
  const made = new ExpressionMaker(shape, constants, table.columns, shape.oneIn(3));
  const where = (): Pair => (shape.oneIn(8) ? same('') : pair` where ${made.condition(2)}`);
  const returning = shape.oneIn(2)
    ? same(` returning ${table.columns.map((column) => column.name).join(', ')}`)
    : same('');
  // DELETE takes a small part only, so that rows are left.
  const text = shape.oneIn(4)
    ? pair`delete from ${same(table.name)} where ${made.condition(1)} and ${made.condition(1)} and ${made.condition(1)}${returning}`
    : pair`update ${same(table.name)} set ${assignments(shape, made, table)}${where()}${returning}`;
  return { text, parameters: made.parameters ?? [], isOrdered: false };
}

/** A query of rows: expressions, WHERE, DISTINCT, ORDER BY, LIMIT, OFFSET. */
export function randomQuery(shape: Random, constants: Random, table: Table): Statement {
  const made = new ExpressionMaker(shape, constants, table.columns, shape.oneIn(3));
  const kinds = ['int', 'text', 'double', 'bool'] as const;
  const items = shape.oneIn(5)
    ? table.columns.map((column) => same(column.name))
    : Array.from({ length: 1 + shape.below(4) }, () => made.expression(shape.pick(kinds), 3));
  const where = shape.oneIn(4) ? same('') : pair` where ${made.condition(3)}`;
  if (shape.oneIn(5)) {
    const order = items.map((_, index) => `${index + 1}${direction(shape)}`).join(', ');
    const limit = shape.oneIn(2) ? limits(constants) : '';
    return finish(
      made,
      pair`select distinct ${join(items)} from ${same(table.name)}${where} order by ${same(order + limit)}`,
      true,
    );
  }
  if (shape.oneIn(4)) return finish(made, pair`select ${join(items)} from ${same(table.name)}${where}`, false);
  // A key at the end makes the order total.
  const order = [
    ...Array.from({ length: shape.below(3) }, () =>
      shape.oneIn(2) ? same(shape.pick(table.columns).name) : made.columnExpression(shape.pick(kinds), 1),
    ),
    ...table.keys.map((key) => same(key.name)),
  ].map((key) => pair`${key}${same(direction(shape))}`);
  const limit = shape.oneIn(3) ? '' : limits(constants);
  return finish(
    made,
    pair`select ${join(items)} from ${same(table.name)}${where} order by ${join(order)}${same(limit)}`,
    true,
  );
}

/** A query of groups: aggregates, GROUP BY, HAVING. */
export function randomGrouping(shape: Random, constants: Random, table: Table): Statement {
  const made = new ExpressionMaker(shape, constants, table.columns, shape.oneIn(3));
  const keys = Array.from({ length: shape.below(3) }, () =>
    shape.oneIn(2)
      ? same(shape.pick(table.columns).name)
      : made.columnExpression(shape.pick(['int', 'text', 'bool'] as const), 1),
  );
  const aggregates = Array.from({ length: 1 + shape.below(3) }, () => aggregate(shape, made));
  const items = [...keys, ...aggregates];
  const where = shape.oneIn(3) ? same('') : pair` where ${made.condition(2)}`;
  const arePositions = shape.oneIn(3);
  const groupKeys = keys.map((key, index) => (arePositions ? same(String(index + 1)) : key));
  const groupBy = keys.length === 0 ? same('') : pair` group by ${join(groupKeys)}`;
  const having = shape.oneIn(4)
    ? pair` having ${aggregate(shape, made, 'int')} ${same(shape.pick(['>', '<', '=']))} ${made.constant('int')}`
    : same('');
  const order =
    keys.length === 0 ? '' : ` order by ${items.map((_, index) => `${index + 1}${direction(shape)}`).join(', ')}`;
  const limit = keys.length > 0 && shape.oneIn(3) ? limits(constants) : '';
  // SQLite takes HAVING without GROUP BY only since it is an aggregate query, as here.
  return finish(
    made,
    pair`select ${join(items)} from ${same(table.name)}${where}${groupBy}${having}${same(order + limit)}`,
    true,
  );
}

function aggregate(shape: Random, made: ExpressionMaker, wanted?: 'int'): Pair {
  const filter = shape.oneIn(4) ? pair` filter (where ${made.condition(1)})` : same('');
  const distinct = same(shape.oneIn(4) ? 'distinct ' : '');
  switch (shape.below(wanted === 'int' ? 4 : 7)) {
    case 0:
      return pair`count(*)${filter}`;
    case 1:
      return pair`count(${distinct}${made.expression(shape.pick(['int', 'text', 'double', 'bool'] as const), 1)})${filter}`;
    case 2:
      return pair`sum(${distinct}${made.expression('int', 1)})${filter}`;
    case 3:
      return pair`max(${made.expression('int', 1)})${filter}`;
    case 4:
      return pair`avg(${distinct}${made.expression('int', 1)})${filter}`;
    case 5:
      return pair`${same(shape.pick(['min', 'max']))}(${made.expression('text', 1)})${filter}`;
    default:
      return pair`${same(shape.pick(['min', 'max', 'sum']))}(${made.expression('double', 1)})${filter}`;
  }
}

function direction(shape: Random): string {
  return shape.pick(['', '', ' asc', ' desc', ' desc', ' nulls last', ' desc nulls first', ' asc nulls first']);
}

function limits(constants: Random): string {
  const limit = ` limit ${constants.below(12)}`;
  return constants.oneIn(2) ? limit : `${limit} offset ${constants.below(8)}`;
}

function plain(text: Pair): Statement {
  return { text, parameters: [], isOrdered: false };
}

function finish(made: ExpressionMaker, text: Pair, isOrdered: boolean): Statement {
  return { text, parameters: made.parameters ?? [], isOrdered };
}
