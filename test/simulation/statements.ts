/** Requests as SQL for the engine, and what became of them. What they are about is random (workload.ts). */

import { type Definition, type NewRow, type Operation, type Outcome, sortRows } from './model.ts';
import { groupOf, moveSql, PAIRED_TABLE } from './moves.ts';

type Statement = Exclude<Operation, { readonly kind: 'profile' }>;

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

/** A table with so many rows in one partition that it has two segments. */
export const LARGE_TABLE = 'b';
/** Bytes that a transaction may log on a node: all but those with an 'exceed'. */
export const LIMIT_WRITE_BYTES = 400_000;
const EXCEEDING_LENGTH = 450_000;

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

/** The reply as the model tells it. */
export function outcomeOf(
  request: SimulatedRequest,
  error: { readonly code: string } | undefined,
  body: Uint8Array | undefined,
): Outcome {
  if (error !== undefined) return { error: error.code };
  if (body === undefined) return { rows: undefined };
  if (request.operations[0]?.kind === 'profile') return { rows: undefined };
  const rows = JSON.parse(new TextDecoder().decode(body)) as unknown[];
  const last = request.operations.at(-1)?.kind;
  return { rows: last === 'insert' || last === 'delete' || last === 'move' ? sortRows(rows) : rows };
}

/** What SQL the request is; joined by semicolons. */
export function sqlOf(operations: readonly Operation[]): string {
  const isProfiled = operations[0]?.kind === 'profile';
  const statements = isProfiled ? operations.slice(1) : operations;
  return `${isProfiled ? 'profile ' : ''}${statements.map((operation) => operationSql(operation as Statement)).join('; ')}`;
}

function operationSql(operation: Statement): string {
  switch (operation.kind) {
    case 'insert':
      return insertSql(operation);
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
    case 'exceed':
      return `update ${operation.table} set s = repeat('x', ${EXCEEDING_LENGTH}) where id = ${operation.id}`;
    case 'move':
      return moveSql(operation);
    case 'delete':
      return `delete from ${operation.table} where id >= ${operation.low} and id <= ${operation.high} returning id`;
    case 'totals':
      return `select count(*), sum(v), min(id), max(id) from ${operation.table}`;
    case 'scan':
      return `select id, v, s from ${operation.table} order by id`;
    case 'byIndex':
      return `select v, id from ${operation.table} use index (by_v) where v >= -1000000 order by v, id`;
    case 'points': {
      const { table, low, high } = operation;
      const ids = Array.from({ length: high - low + 1 }, (_, at) => low + at);
      return `select id from ${table} where id in (${ids.join(', ')}) order by id`;
    }
    case 'mustExist':
      return `select 1 / count(*) as c${operation.shape} from ${operation.table} where id = ${operation.id}`;
    case 'append':
      return `insert into e (tag) values ${operation.tags.map((tag) => `(${tag})`).join(', ')} returning id`;
    case 'eventTotals':
      return 'select count(*), sum(tag) from e';
    case 'scanEvents':
      return 'select id, tag from e order by id';
  }
}

function insertSql({ table, rows, conflict, isReturning }: Operation & { kind: 'insert' }): string {
  const rowSql = ([id, v, s]: NewRow): string =>
    table === PAIRED_TABLE ? `(${id}, ${v}, '${s}', ${groupOf(id)})` : `(${id}, ${v}, '${s}')`;
  const onConflict = {
    error: '',
    nothing: ' on conflict do nothing',
    update: ' on conflict do update set v = v + excluded.v, s = excluded.s',
  }[conflict];
  return `insert into ${table} values ${rows.map(rowSql).join(', ')}${onConflict}${isReturning ? ' returning id, v' : ''}`;
}

export function definitionSql(definition: Definition): string {
  const lenient = (words: string): string => ('isLenient' in definition && definition.isLenient ? words : '');
  switch (definition.kind) {
    case 'createTable':
      return createTableSql(definition, lenient('if not exists '));
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

function createTableSql(
  { table, isUnlogged, isShared }: Definition & { kind: 'createTable' },
  lenient: string,
): string {
  const kind = `${isUnlogged ? 'unlogged ' : ''}${isShared ? 'shared ' : ''}`;
  const columns =
    table === PAIRED_TABLE
      ? 'id int, v int not null, s text, g int, primary key (g, id)'
      : 'id int primary key, v int not null, s text';
  const partitions = isShared ? '' : ` partitions ${table === LARGE_TABLE ? 1 : 4}`;
  return `create ${kind}table ${lenient}${table} (${columns})${partitions}`;
}
