/**
 * The queries of the expressions section: the same question to our server and to a peer, whose answers must be equal. A
 * query reads every row of its table and gives one row, or ten of the nearest.
 */

import {
  DIMENSION_COUNT,
  documentOfRow,
  elementOfRow,
  microsOfRow,
  numbersRow,
  QUERY_VECTOR,
  textOfRow,
} from './expression-data.ts';

export type TableName = 'numbers' | 'texts' | 'documents' | 'times' | 'vectors';

export type TableShape = {
  /** Columns behind `id int primary key`, for CREATE TABLE. */
  readonly ours: string;
  /** The same of node:sqlite, with how a value is stored; absent where it has no such type. */
  readonly sqlite?: { readonly columns: string; readonly values: string };
  /** Values of those columns, as they go into JSON. */
  readonly row: (row: number) => readonly unknown[];
};

export const TABLES: Readonly<Record<TableName, TableShape>> = {
  numbers: {
    ours: 'a int not null, b bigint, x double not null',
    sqlite: { columns: 'a integer not null, b integer, x real not null', values: '?, ?, ?' },
    row: (row) => {
      const { a, b, x } = numbersRow(row);
      return [a, b, x];
    },
  },
  texts: {
    ours: 's text not null',
    sqlite: { columns: 's text not null', values: '?' },
    row: (row) => [textOfRow(row)],
  },
  documents: {
    ours: 'doc json not null',
    // Its binary form, as ours is: reading a path of text would parse it each time.
    sqlite: { columns: 'doc blob not null', values: 'jsonb(?)' },
    row: (row) => [documentOfRow(row)],
  },
  times: { ours: 'at timestamp not null', row: (row) => [timestampText(microsOfRow(row))] },
  vectors: {
    ours: 'v vector not null',
    row: (row) => [Array.from({ length: DIMENSION_COUNT }, (_, index) => elementOfRow(row, index))],
  },
};

/** ISO 8601 in UTC. */
function timestampText(micros: number): string {
  const seconds = Math.floor(micros / 1e6);
  const fraction = String(micros - seconds * 1e6).padStart(6, '0');
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${fraction}Z`;
}

export type Family = {
  readonly name: string;
  readonly table: TableName;
  readonly sql: string;
  /** Shown without a target: the peer's loop does less than the query, or over values that it can have only this once. */
  readonly isForComparison?: boolean;
  readonly peer:
    | { readonly kind: 'sqlite'; readonly sql: string }
    /** `loop`: a function of that name in expression-loops.ts. */
    | { readonly kind: 'loop'; readonly loop: string };
};

const VECTOR_TEXT: string = `vector [${QUERY_VECTOR.join(', ')}]`;

export const REGULAR_EXPRESSION: string = '^[a-z]+[0-9]{5,6}@(mail|db)[.]';
/** What date_trunc is compared with. */
export const MONTH: string = '2017-03-01 00:00:00Z';
export const BERLIN_DAY: string = '2017-03-26 00:00:00+01';
export const BERLIN: string = 'Europe/Berlin';

function sameInSqlite(name: string, table: TableName, sql: string): Family {
  return { name, table, sql, peer: { kind: 'sqlite', sql } };
}

export const FAMILIES: readonly Family[] = [
  sameInSqlite(
    'arithmetic, integers',
    'numbers',
    'select sum((a * 3 + b) % 1000003 - a / 7 * (a - 500)), count(b) from numbers',
  ),
  sameInSqlite('arithmetic, doubles', 'numbers', 'select sum(x * 1.5 - a * 0.25 + x / 2), count(*) from numbers'),
  sameInSqlite(
    'CASE',
    'numbers',
    'select sum(case when a % 3 = 0 then b when a > 50000 and x < 12500 then a else -1 end), ' +
      'sum(case a % 4 when 0 then 10 when 1 then 20 when 2 then 30 else 40 end) from numbers',
  ),
  sameInSqlite('LIKE, anywhere', 'texts', "select count(*) from texts where s like '%47%@mail%'"),
  sameInSqlite('LIKE, prefix and one character', 'texts', "select count(*) from texts where s like 'gr_ce1%.org'"),
  {
    name: 'JSON path, number',
    table: 'documents',
    sql: 'select sum(doc.user.age::int), sum(doc.items[2]::int) from documents',
    peer: { kind: 'sqlite', sql: "select sum(doc ->> '$.user.age'), sum(doc ->> '$.items[2]') from documents" },
  },
  {
    name: 'JSON path, text',
    table: 'documents',
    sql: "select count(*) from documents where doc.user.name::text = 'grace' and doc.isPaid::bool",
    peer: {
      kind: 'sqlite',
      sql: "select count(*) from documents where doc ->> '$.user.name' = 'grace' and doc ->> '$.isPaid'",
    },
  },
  {
    name: 'regexp_like',
    table: 'texts',
    sql: `select count(*) from texts where regexp_like(s, '${REGULAR_EXPRESSION}')`,
    peer: { kind: 'loop', loop: 'regularExpression' },
  },
  {
    name: 'date_trunc, hour',
    table: 'times',
    sql: "select count(*) from times where date_trunc(at, 'hour') < timestamp '2017-03-01 00:00:00Z'",
    peer: { kind: 'loop', loop: 'truncateToHour' },
  },
  {
    name: 'date_trunc, month',
    table: 'times',
    sql: `select count(*) from times where date_trunc(at, 'month') = timestamp '${MONTH}'`,
    peer: { kind: 'loop', loop: 'truncateToMonth' },
  },
  {
    name: 'date_trunc, day in Berlin',
    table: 'times',
    sql: `select count(*) from times where date_trunc(at, 'day', '${BERLIN}') = timestamp '${BERLIN_DAY}'`,
    peer: { kind: 'loop', loop: 'truncateInBerlin' },
  },
  {
    name: 'vector, l2_distance',
    table: 'vectors',
    sql: `select id from vectors order by l2_distance(v, ${VECTOR_TEXT}) limit 10`,
    peer: { kind: 'loop', loop: 'euclideanDistance' },
  },
  {
    name: 'vector, l2_distance, peer in one array',
    isForComparison: true,
    table: 'vectors',
    sql: `select id from vectors order by l2_distance(v, ${VECTOR_TEXT}) limit 10`,
    peer: { kind: 'loop', loop: 'flatEuclideanDistance' },
  },
  {
    name: 'vector, cos_distance',
    table: 'vectors',
    sql: `select id from vectors order by cos_distance(v, ${VECTOR_TEXT}) limit 10`,
    peer: { kind: 'loop', loop: 'cosineDistance' },
  },
];
