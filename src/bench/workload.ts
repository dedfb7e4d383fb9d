/** The workloads of `amelie bench`: their tables, and the request that is sent again and again. */

import { makeTemplate, type RequestTemplate } from './request-template.ts';

export type WorkloadType = 'tpcb' | 'insert' | 'upsert' | 'resolved' | 'import';

export const WORKLOAD_TYPES: readonly WorkloadType[] = ['tpcb', 'insert', 'upsert', 'resolved', 'import'];

export type WorkloadOptions = {
  /** Rows of a transaction; tpcb has its own. */
  readonly batch: number;
  /** tpcb only: how many times its tables are their smallest size. */
  readonly scale: number;
  readonly unlogged: boolean;
};

export type Workload = {
  /** Statements that make the tables, each a request of its own, after the schema. */
  readonly tables: readonly string[];
  /** Rows to load before the run, as INSERT statements made one by one. */
  readonly rows: Iterable<string>;
  readonly template: RequestTemplate;
  readonly writesPerTransaction: number;
};

const SCHEMA = '__bench';
const SQL = 'text/plain';
const TELLERS_PER_BRANCH = 10;
const ACCOUNTS_PER_BRANCH = 100_000;
/** pgbench fills its accounts with as many blanks, so that rows have a size. */
const ACCOUNT_FILLER = ' '.repeat(84);
const ROWS_PER_INSERT = 500;
const UPSERT_KEY_COUNT = 100_000;

/** The statements that drop the schema of all benchmarks and make it again. */
export const SCHEMA_STATEMENTS: readonly string[] = [
  `drop schema if exists ${SCHEMA} cascade`,
  `create schema ${SCHEMA}`,
];

/** A workload by its type. RESOLVED columns are an Error: the engine does not have them yet. */
export function makeWorkload(type: WorkloadType, options: WorkloadOptions): Workload {
  const workload = makeLogged(type, options);
  if (!options.unlogged) return workload;
  return {
    ...workload,
    tables: workload.tables.map((table) => table.replace('create table', 'create unlogged table')),
  };
}

function makeLogged(type: WorkloadType, options: WorkloadOptions): Workload {
  if (type === 'tpcb') return makeTpcb(options.scale);
  if (type === 'insert') return makeInsert(options.batch);
  if (type === 'upsert') return makeUpsert(options.batch);
  if (type === 'import') return makeImport(options.batch);
  throw new Error('not supported yet: resolved columns');
}

/** pgbench's transaction "tpcb-like": three updates, a select and an insert. */
function makeTpcb(scale: number): Workload {
  const s = SCHEMA;
  const tables = [
    `create table ${s}.branches (bid int primary key, bbalance int, filler text) with (type = 'hash')`,
    `create table ${s}.tellers (tid int primary key, bid int, tbalance int, filler text) with (type = 'hash')`,
    `create table ${s}.accounts (aid int primary key, bid int, abalance int, filler text) with (type = 'hash')`,
    `create table ${s}.history (id serial primary key, tid int, bid int, aid int, delta int, time timestamp, filler text)`,
  ];
  const body =
    `update ${s}.accounts set abalance = abalance + {delta} where aid = {aid}; ` +
    `select abalance from ${s}.accounts where aid = {aid}; ` +
    `update ${s}.tellers set tbalance = tbalance + {delta} where tid = {tid}; ` +
    `update ${s}.branches set bbalance = bbalance + {delta} where bid = {bid}; ` +
    `insert into ${s}.history (tid, bid, aid, delta, time) values ({tid}, {bid}, {aid}, {delta}, current_timestamp)`;
  const template = makeTemplate('/', SQL, body, {
    aid: { low: 1, high: ACCOUNTS_PER_BRANCH * scale },
    tid: { low: 1, high: TELLERS_PER_BRANCH * scale },
    bid: { low: 1, high: scale },
    delta: { low: -5000, high: 5000 },
  });
  return { tables, rows: tpcbRows(scale), template, writesPerTransaction: 4 };
}

function* tpcbRows(scale: number): Generator<string> {
  const s = SCHEMA;
  yield* inserts(`insert into ${s}.branches (bid, bbalance, filler) values `, scale, (id) => `(${id}, 0, '')`);
  yield* inserts(
    `insert into ${s}.tellers (tid, bid, tbalance, filler) values `,
    TELLERS_PER_BRANCH * scale,
    (id) => `(${id}, ${Math.floor((id - 1) / TELLERS_PER_BRANCH) + 1}, 0, '')`,
  );
  yield* inserts(
    `insert into ${s}.accounts (aid, bid, abalance, filler) values `,
    ACCOUNTS_PER_BRANCH * scale,
    (id) => `(${id}, ${Math.floor((id - 1) / ACCOUNTS_PER_BRANCH) + 1}, 0, '${ACCOUNT_FILLER}')`,
  );
}

/** INSERT statements for the rows of the ids 1 to rowCount, ROWS_PER_INSERT in each. */
export function* inserts(head: string, rowCount: number, row: (id: number) => string): Generator<string> {
  for (let first = 1; first <= rowCount; first += ROWS_PER_INSERT) {
    const rows: string[] = [];
    for (let id = first; id < first + ROWS_PER_INSERT && id <= rowCount; id++) rows.push(row(id));
    yield head + rows.join(', ');
  }
}

function makeInsert(batch: number): Workload {
  return {
    tables: [`create table ${SCHEMA}.test (id serial primary key)`],
    rows: [],
    template: makeTemplate('/', SQL, `insert into ${SCHEMA}.test generate ${batch}`, {}),
    writesPerTransaction: batch,
  };
}

function makeUpsert(batch: number): Workload {
  const columns = `id int primary key random (${UPSERT_KEY_COUNT}), data int default 0`;
  const body = `insert into ${SCHEMA}.test generate ${batch} on conflict do update set data = data + 1`;
  return {
    tables: [`create table ${SCHEMA}.test (${columns}) with (type = 'hash')`],
    rows: [],
    template: makeTemplate('/', SQL, body, {}),
    writesPerTransaction: batch,
  };
}

function makeImport(batch: number): Workload {
  return {
    tables: [`create table ${SCHEMA}.test (id serial primary key)`],
    rows: [],
    template: makeTemplate(
      `/${SCHEMA}/test?columns=`,
      'application/json',
      `[${Array(batch).fill('[]').join(',')}]`,
      {},
    ),
    writesPerTransaction: batch,
  };
}
