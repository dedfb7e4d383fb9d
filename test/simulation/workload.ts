/** Random requests: as SQL for the engine, as operations for the model. */

import type { SeededRandom } from '../../src/testing/random.ts';
import { type Definition, type NewRow, type Operation, type Outcome, sortRows } from './model.ts';

/** A request of a client, and what became of it. */
export type SimulatedRequest = {
  readonly sql: string;
  readonly connection: number;
  readonly operations: readonly Operation[];
  readonly definition: Definition | undefined;
  /** The latest ticket, from 0; -1 where it has none (yet). */
  ticket: number;
  /** Tickets that were final when it was sent. */
  readonly finalAtSend: number;
  /** Tickets that were taken when the reply came. */
  nextAtReply: number;
  /** Of a DDL that needed no ticket: that of the DDL before it. */
  ticketBefore: number;
  /** Of a DDL that main has answered: whether with an error. The answer may be on its way. */
  isRefused: boolean | undefined;
  outcome: Outcome | undefined;
};

/** What a client asks for: statements, a DDL, or a checkpoint. */
export type Wish = Operation[] | Definition | 'checkpoint' | 'checkpoint workers 2';

export function newRequest(wish: Wish, connection: number, finalAtSend: number): SimulatedRequest {
  const isText = typeof wish === 'string';
  const isDefinition = !isText && !Array.isArray(wish);
  return {
    sql: isText ? wish : isDefinition ? definitionSql(wish) : sqlOf(wish),
    connection,
    operations: isText || isDefinition ? [] : wish,
    definition: isDefinition ? wish : undefined,
    ticket: -1,
    finalAtSend,
    nextAtReply: -1,
    ticketBefore: -1,
    isRefused: undefined,
    outcome: undefined,
  };
}

export function isCheckpoint({ definition, operations }: SimulatedRequest): boolean {
  return definition === undefined && operations.length === 0;
}

/** By how often requests are about them; `u` is unlogged, most of the time. */
const TABLES = ['t0', 't0', 't0', 't1', 'u', 'u'];
/** A table with so many rows in one partition that it has two segments, from that id on. */
export const LARGE_TABLE = 'b';
const LARGE_FIRST_ID = 1000;
const LARGE_ROW_COUNT = 4150;
/** One in so many requests is a checkpoint. */
const CHECKPOINT_EVERY = 14;
/** Ids are below this: few enough that transactions meet. */
const ID_COUNT = 24;
const LONG_TEXT_LENGTH = 3000;

/** What SQL the request is; joined by semicolons. */
export function sqlOf(operations: readonly Operation[]): string {
  return operations.map(operationSql).join('; ');
}

function operationSql(operation: Operation): string {
  switch (operation.kind) {
    case 'insert': {
      const rows = operation.rows.map(([id, v, s]) => `(${id}, ${v}, '${s}')`).join(', ');
      const conflict = {
        error: '',
        nothing: ' on conflict do nothing',
        update: ' on conflict do update set v = v + excluded.v, s = excluded.s',
      }[operation.conflict];
      return `insert into ${operation.table} values ${rows}${conflict}${operation.isReturning ? ' returning id, v' : ''}`;
    }
    case 'add': {
      const { table, delta, low, high } = operation;
      const where = low === high ? `id = ${low}` : `id >= ${low} and id <= ${high}`;
      return `update ${table} set v = v + ${delta} where ${where}`;
    }
    case 'divide': {
      const { table, by, low, high } = operation;
      return `update ${table} set v = v + 1 / (id - ${by}) where id >= ${low} and id <= ${high}`;
    }
    case 'setText':
      return `update ${operation.table} set s = '${operation.s}' where id = ${operation.id}`;
    case 'delete':
      return `delete from ${operation.table} where id >= ${operation.low} and id <= ${operation.high} returning id`;
    case 'totals':
      return `select count(*), sum(v), min(id), max(id) from ${operation.table}`;
    case 'scan':
      return `select id, v, s from ${operation.table} order by id`;
    case 'byIndex':
      return `select v, id from ${operation.table} use index (by_v) where v >= -1000000 order by v, id`;
    case 'mustExist':
      return `select 1 / count(*) from ${operation.table} where id = ${operation.id}`;
    case 'append':
      return `insert into e (tag) values ${operation.tags.map((tag) => `(${tag})`).join(', ')} returning id`;
    case 'eventTotals':
      return 'select count(*), sum(tag) from e';
    case 'scanEvents':
      return 'select id, tag from e order by id';
  }
}

export function definitionSql(definition: Definition): string {
  const lenient = (words: string): string => ('isLenient' in definition && definition.isLenient ? words : '');
  switch (definition.kind) {
    case 'createTable':
      return `create ${definition.isUnlogged ? 'unlogged ' : ''}table ${lenient('if not exists ')}${definition.table} (id int primary key, v int not null, s text) partitions ${definition.table === LARGE_TABLE ? 1 : 4}`;
    case 'dropTable':
      return `drop table ${lenient('if exists ')}${definition.table}`;
    case 'createIndex':
      return `create index ${lenient('if not exists ')}by_v on ${definition.table} (v)`;
    case 'dropIndex':
      return `drop index ${lenient('if exists ')}by_v on ${definition.table}`;
    case 'createEvents':
      return 'create table e (id serial primary key, tag int) partitions 4';
  }
}

/** Fills the large table. */
export function largeInsertion(): Operation[] {
  const rows = Array.from({ length: LARGE_ROW_COUNT }, (_, at): NewRow => [LARGE_FIRST_ID + at, at % 100, '']);
  return [{ kind: 'insert', table: LARGE_TABLE, rows, conflict: 'error', isReturning: false }];
}

/** Something for a client to ask for; `hasLarge`: the large table is there. */
export function randomRequest(random: SeededRandom, hasLarge: boolean): Wish {
  if (random.oneIn(CHECKPOINT_EVERY)) return random.oneIn(2) ? 'checkpoint' : 'checkpoint workers 2';
  if (random.oneIn(10)) return randomDefinition(random);
  if (hasLarge && random.oneIn(4)) return largeRequest(random);
  const table = tableName(random);
  switch (random.below(12)) {
    case 0:
      return [insertion(random, table, 1 + random.below(2), 'error')];
    case 1:
      return [insertion(random, table, 2 + random.below(7), 'error')];
    case 2:
    case 3:
      return [insertion(random, table, 1 + random.below(6), random.oneIn(3) ? 'nothing' : 'update')];
    case 4:
    case 5:
      return transfer(random, table);
    case 6:
      return [{ kind: 'divide', table, by: id(random), ...range(random) }];
    case 7:
      return [{ kind: 'setText', table, id: id(random), s: text(random) }];
    case 8:
      return [{ kind: 'delete', table, ...(random.oneIn(3) ? range(random) : oneId(random)) }];
    case 9:
      return mixed(random);
    case 10:
      return [random.oneIn(4) ? { kind: 'eventTotals' } : { kind: 'append', tags: tags(random) }];
    default:
      return [reading(random)];
  }
}

/** Reads everything by every path. */
export function readings(tables: readonly { readonly name: string; readonly hasIndex: boolean }[]): Operation[] {
  return tables.flatMap(({ name, hasIndex }): Operation[] => {
    if (name === 'e') return [{ kind: 'scanEvents' }];
    const table = name;
    return hasIndex
      ? [
          { kind: 'scan', table },
          { kind: 'byIndex', table },
        ]
      : [{ kind: 'scan', table }];
  });
}

/** The reply as the model tells it. */
export function outcomeOf(
  request: SimulatedRequest,
  error: { readonly code: string } | undefined,
  body: Uint8Array | undefined,
): Outcome {
  if (error !== undefined) return { error: error.code };
  if (body === undefined) return { rows: undefined };
  const rows = JSON.parse(new TextDecoder().decode(body)) as unknown[];
  const last = request.operations.at(-1)?.kind;
  return { rows: last === 'insert' || last === 'delete' ? sortRows(rows) : rows };
}

/** Around the end of the first segment, or anywhere. */
function largeRequest(random: SeededRandom): Operation[] {
  const table = LARGE_TABLE;
  const low = LARGE_FIRST_ID + (random.oneIn(2) ? 4080 + random.below(60) : random.below(LARGE_ROW_COUNT));
  const range = { low, high: low + random.below(40) };
  switch (random.below(4)) {
    case 0:
      return [{ kind: 'add', table, delta: 1 + random.below(9), ...range }];
    case 1:
      return [{ kind: 'setText', table, id: low, s: text(random) }];
    case 2:
      return [{ kind: 'delete', table, ...range }];
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
  const table = tableName(random);
  const isLenient = random.oneIn(2);
  if (kind !== 'createTable') return { kind, table, isLenient };
  // Now and then a table comes back as one of the other kind.
  return { kind, table, isLenient, isUnlogged: table !== 't0' && random.oneIn(4) !== (table === 'u') };
}

function insertion(
  random: SeededRandom,
  table: string,
  rowCount: number,
  conflict: 'error' | 'nothing' | 'update',
): Operation {
  const rows = Array.from({ length: rowCount }, (): NewRow => [id(random), random.below(100), text(random)]);
  return { kind: 'insert', table, rows, conflict, isReturning: random.oneIn(3) };
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
  if (random.oneIn(2)) operations.push({ kind: 'mustExist', table, id: id(random) });
  return operations;
}

/** Several statements over both tables; any of them may fail. */
function mixed(random: SeededRandom): Operation[] {
  const operations: Operation[] = [];
  for (let count = 2 + random.below(3); count > 0; count--) {
    const table = tableName(random);
    const choice = random.below(4);
    if (choice === 0) {
      const rows: NewRow[] = [[id(random), random.below(100), text(random)]];
      operations.push({
        kind: 'insert',
        table,
        rows,
        conflict: random.oneIn(3) ? 'error' : 'update',
        isReturning: false,
      });
    } else if (choice === 1) operations.push({ kind: 'add', table, delta: random.below(9), ...range(random) });
    else if (choice === 2) operations.push({ kind: 'setText', table, id: id(random), s: text(random) });
    else operations.push({ kind: 'divide', table, by: id(random), ...range(random) });
  }
  operations.push(random.oneIn(2) ? { kind: 'totals', table: tableName(random) } : reading(random));
  return operations;
}

function reading(random: SeededRandom): Operation {
  const table = tableName(random);
  const kinds = ['totals', 'scan', 'byIndex'] as const;
  return { kind: kinds[random.below(3)]!, table };
}

function tableName(random: SeededRandom): string {
  return TABLES[random.below(TABLES.length)]!;
}

function id(random: SeededRandom): number {
  return random.below(ID_COUNT);
}

function oneId(random: SeededRandom): { low: number; high: number } {
  const low = id(random);
  return { low, high: low };
}

function range(random: SeededRandom): { low: number; high: number } {
  const low = id(random);
  return { low, high: low + random.below(8) };
}

function tags(random: SeededRandom): number[] {
  return Array.from({ length: 1 + random.below(3) }, () => random.below(1_000_000));
}

function text(random: SeededRandom): string {
  const letter = String.fromCharCode(97 + random.below(26));
  return letter.repeat(random.oneIn(20) ? LONG_TEXT_LENGTH : random.below(30));
}
