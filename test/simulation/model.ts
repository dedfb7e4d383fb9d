/**
 * The data in plain JavaScript: what transactions do, one by one. States are immutable and share what did not change, so
 * every state of a run can be kept.
 */

import { strict as assert } from 'node:assert';
import { applyMove, type Move } from './moves.ts';

export type Row = { readonly v: number; readonly s: string };
export type DataTable = {
  readonly rows: ReadonlyMap<number, Row>;
  readonly hasIndex: boolean;
  readonly isUnlogged: boolean;
  readonly isShared: boolean;
  /** What made it: a table that is dropped and made again is another one. Undefined of one that was found. */
  readonly birth: Definition | undefined;
};
/** Rows by identity; of a transaction that nobody has heard of, only the tags are known. */
export type EventTable = { readonly tags: ReadonlyMap<number, number>; readonly unknown: readonly number[] };

export type ModelState = {
  /** Raised by each DDL that changes something. */
  readonly version: number;
  readonly data: ReadonlyMap<string, DataTable>;
  readonly events: EventTable | undefined;
};

export const EMPTY_STATE: ModelState = { version: 0, data: new Map(), events: undefined };

export type NewRow = readonly [id: number, v: number, s: string];

/** Statements, each as the model and as SQL knows it (workload.ts). Ranges of ids include both ends. */
export type Operation =
  /** Before all others: they are run, and the answer is how. */
  | { readonly kind: 'profile' }
  | {
      readonly kind: 'insert';
      readonly table: string;
      readonly rows: readonly NewRow[];
      readonly conflict: 'error' | 'nothing' | 'update';
      readonly isReturning: boolean;
    }
  | {
      readonly kind: 'add';
      readonly table: string;
      readonly delta: number;
      readonly low: number;
      readonly high: number;
    }
  | {
      readonly kind: 'divide';
      readonly table: string;
      readonly by: number;
      readonly low: number;
      readonly high: number;
    }
  | { readonly kind: 'setText'; readonly table: string; readonly id: number; readonly s: string }
  /** A text of so many bytes that the transaction logs too much. */
  | { readonly kind: 'exceed'; readonly table: string; readonly id: number }
  | Move
  | { readonly kind: 'delete'; readonly table: string; readonly low: number; readonly high: number }
  | { readonly kind: 'totals'; readonly table: string }
  | { readonly kind: 'scan'; readonly table: string }
  | { readonly kind: 'byIndex'; readonly table: string }
  /** By the primary key, each in its partition. */
  | { readonly kind: 'points'; readonly table: string; readonly low: number; readonly high: number }
  /** Of so many shapes is the SQL. */
  | { readonly kind: 'mustExist'; readonly table: string; readonly id: number; readonly shape: number }
  | { readonly kind: 'append'; readonly tags: readonly number[] }
  | { readonly kind: 'eventTotals' }
  | { readonly kind: 'scanEvents' };

export type Definition =
  | {
      readonly kind: 'createTable';
      readonly table: string;
      readonly isLenient: boolean;
      readonly isUnlogged: boolean;
      readonly isShared: boolean;
    }
  | { readonly kind: 'dropTable'; readonly table: string; readonly isLenient: boolean }
  | { readonly kind: 'createIndex'; readonly table: string; readonly isLenient: boolean }
  | { readonly kind: 'dropIndex'; readonly table: string; readonly isLenient: boolean }
  | { readonly kind: 'createEvents' };

/** What a client hears: an error code, or rows; nothing where a request has no result. */
export type Outcome = { readonly error: string } | { readonly rows: unknown };

export type Applied = { readonly state: ModelState; readonly outcome: Outcome };

/** The error that compiling gives; undefined where all tables and indexes are there. */
export function compileError(state: ModelState, operations: readonly Operation[]): string | undefined {
  for (const operation of operations) {
    if (operation.kind === 'profile') continue;
    if (operation.kind === 'append' || operation.kind === 'eventTotals' || operation.kind === 'scanEvents') {
      if (state.events === undefined) return 'unknown_table';
      continue;
    }
    const table = state.data.get(operation.table);
    if (table === undefined) return 'unknown_table';
    if (operation.kind === 'byIndex' && !table.hasIndex) return 'unknown_index';
  }
  return undefined;
}

/**
 * One transaction: all of it, or an error and the state before. `ids` are the identity values that the engine gave to an
 * 'append'; undefined where nobody knows them.
 */
export function applyOperations(
  before: ModelState,
  operations: readonly Operation[],
  ids: readonly number[] | undefined,
): Applied {
  const missing = compileError(before, operations);
  if (missing !== undefined) return { state: before, outcome: { error: missing } };
  let state = before;
  let rows: unknown;
  for (const operation of operations) {
    const result = applyOne(state, operation, ids);
    if (typeof result === 'string') return { state: before, outcome: { error: result } };
    state = result.state;
    // The result of a request is that of its last statement.
    rows = result.rows;
  }
  return { state, outcome: { rows: operations[0]?.kind === 'profile' ? undefined : rows } };
}

type Step = { readonly state: ModelState; readonly rows?: unknown } | string;

function applyOne(state: ModelState, operation: Operation, ids: readonly number[] | undefined): Step {
  switch (operation.kind) {
    case 'profile':
      return { state };
    case 'append':
      return append(state, operation.tags, ids);
    case 'eventTotals': {
      const tags = allTags(state.events!);
      return { state, rows: [[tags.length, sum(tags)]] };
    }
    case 'scanEvents':
      return { state, rows: [...state.events!.tags].sort((a, b) => a[0] - b[0]) };
    case 'insert':
      return insert(state, operation);
    case 'add':
      return changeRange(state, operation, (row) => ({ v: row.v + operation.delta, s: row.s }));
    case 'divide':
      return changeRange(state, operation, (row, id) => {
        if (id === operation.by) return undefined;
        return { v: row.v + Math.trunc(1 / (id - operation.by)), s: row.s };
      });
    case 'setText': {
      const range = { table: operation.table, low: operation.id, high: operation.id };
      return changeRange(state, range, (row) => ({ v: row.v, s: operation.s }));
    }
    case 'exceed':
      return tableOf(state, operation.table).rows.has(operation.id) ? 'limit_exceeded' : { state };
    case 'move': {
      const moved = applyMove(tableOf(state, operation.table).rows, operation);
      if (typeof moved === 'string') return moved;
      const returned = operation.isReturning ? { rows: sortRows(moved.returned) } : {};
      return { state: withRows(state, operation.table, moved.rows), ...returned };
    }
    case 'delete':
      return remove(state, operation);
    case 'mustExist':
      return tableOf(state, operation.table).rows.has(operation.id) ? { state, rows: [1] } : 'zero_division';
    case 'totals': {
      const { rows } = tableOf(state, operation.table);
      const keys = [...rows.keys()];
      const values = [...rows.values()].map(({ v }) => v);
      const ends = keys.length === 0 ? [null, null] : [Math.min(...keys), Math.max(...keys)];
      return { state, rows: [[keys.length, sum(values), ...ends]] };
    }
    case 'scan':
      return { state, rows: sortedRows(tableOf(state, operation.table)) };
    case 'points': {
      const { low, high } = operation;
      const ids = [...tableOf(state, operation.table).rows.keys()].filter((id) => id >= low && id <= high);
      return { state, rows: ids.sort((a, b) => a - b) };
    }
    case 'byIndex': {
      const rows = [...tableOf(state, operation.table).rows].map(([id, { v }]) => [v, id] as const);
      return { state, rows: rows.sort((a, b) => a[0] - b[0] || a[1] - b[1]) };
    }
  }
}

function append(state: ModelState, added: readonly number[], ids: readonly number[] | undefined): Step {
  const events = state.events!;
  if (ids === undefined) return { state: { ...state, events: { ...events, unknown: [...events.unknown, ...added] } } };
  assert.equal(ids.length, added.length, 'as many identity values as rows');
  const tags = new Map(events.tags);
  for (const [index, id] of ids.entries()) {
    assert.ok(!tags.has(id), `identity value ${id} is given once`);
    tags.set(id, added[index]!);
  }
  return { state: { ...state, events: { ...events, tags } }, rows: ids };
}

function insert(state: ModelState, operation: Operation & { kind: 'insert' }): Step {
  const rows = new Map(tableOf(state, operation.table).rows);
  const returned: unknown[] = [];
  for (const [id, v, s] of operation.rows) {
    const old = rows.get(id);
    if (old !== undefined && operation.conflict === 'error') return 'key_conflict';
    if (old !== undefined && operation.conflict === 'nothing') continue;
    const row = old === undefined ? { v, s } : { v: old.v + v, s };
    rows.set(id, row);
    returned.push([id, row.v]);
  }
  return {
    state: withRows(state, operation.table, rows),
    ...(operation.isReturning ? { rows: sortRows(returned) } : {}),
  };
}

type Range = { readonly table: string; readonly low: number; readonly high: number };

/** `change` gives undefined where it divides by zero. */
function changeRange(state: ModelState, range: Range, change: (row: Row, id: number) => Row | undefined): Step {
  const rows = new Map(tableOf(state, range.table).rows);
  for (const [id, row] of rows) {
    if (id < range.low || id > range.high) continue;
    const changed = change(row, id);
    if (changed === undefined) return 'zero_division';
    rows.set(id, changed);
  }
  return { state: withRows(state, range.table, rows) };
}

function remove(state: ModelState, { table, low, high }: Range): Step {
  const rows = new Map(tableOf(state, table).rows);
  const deleted: number[] = [];
  for (const id of rows.keys()) if (id >= low && id <= high) deleted.push(id);
  for (const id of deleted) rows.delete(id);
  return { state: withRows(state, table, rows), rows: sortRows(deleted) };
}

/** One DDL statement. */
export function applyDefinition(state: ModelState, definition: Definition): Applied {
  const refuse = (error: string): Applied => ({
    state,
    outcome: 'isLenient' in definition && definition.isLenient ? { rows: undefined } : { error },
  });
  const done = (changed: Partial<ModelState>): Applied => ({
    state: { ...state, ...changed, version: state.version + 1 },
    outcome: { rows: undefined },
  });
  if (definition.kind === 'createEvents') return done({ events: { tags: new Map(), unknown: [] } });
  const table = state.data.get(definition.table);
  if (definition.kind === 'createTable') {
    if (table !== undefined) return refuse('duplicate_object');
    const { isUnlogged, isShared } = definition;
    const made: DataTable = { rows: new Map(), hasIndex: false, isUnlogged, isShared, birth: definition };
    return done({ data: new Map(state.data).set(definition.table, made) });
  }
  if (definition.kind === 'dropTable') {
    if (table === undefined) return refuse('unknown_table');
    const data = new Map(state.data);
    data.delete(definition.table);
    return done({ data });
  }
  // IF [NOT] EXISTS is about the index.
  if (table === undefined) return { state, outcome: { error: 'unknown_table' } };
  const hasIndex = definition.kind === 'createIndex';
  if (table.hasIndex === hasIndex) return refuse(hasIndex ? 'duplicate_object' : 'unknown_index');
  return done({ data: new Map(state.data).set(definition.table, { ...table, hasIndex }) });
}

/** What a start makes of a state from a checkpoint and the log behind it: rows of unlogged tables are those of the checkpoint. */
export function restarted(state: ModelState, saved: ModelState): ModelState {
  const data = new Map(state.data);
  for (const [name, table] of state.data) {
    if (!table.isUnlogged) continue;
    const kept = saved.data.get(name);
    const rows = kept === undefined || kept.birth !== table.birth ? new Map<number, Row>() : kept.rows;
    if (rows !== table.rows) data.set(name, { ...table, rows });
  }
  return { ...state, data };
}

/** Whether both have the same tables with the same rows. */
export function isSame(state: ModelState, other: ModelState): boolean {
  return stateText(state) === stateText(other);
}

/**
 * Whether what was found is this state; then the state with the identity values and the version that were found.
 * `undefined` where it is not. Versions begin anew with each start.
 */
export function matchFound(state: ModelState, found: ModelState): ModelState | undefined {
  if (dataText(state) !== dataText(found)) return undefined;
  if (state.events === undefined || found.events === undefined)
    return state.events === found.events ? { ...state, version: found.version } : undefined;
  const unknown = new Map<number, number>();
  for (const tag of state.events.unknown) unknown.set(tag, (unknown.get(tag) ?? 0) + 1);
  let leftCount = state.events.tags.size + state.events.unknown.length;
  for (const [id, tag] of found.events.tags) {
    leftCount--;
    const known = state.events.tags.get(id);
    if (known !== undefined) {
      if (known !== tag) return undefined;
      continue;
    }
    const count = unknown.get(tag) ?? 0;
    if (count === 0) return undefined;
    unknown.set(tag, count - 1);
  }
  return leftCount === 0 ? { ...state, version: found.version, events: found.events } : undefined;
}

/** For messages: what differs first. */
export function stateText(state: ModelState): string {
  const events =
    state.events === undefined
      ? 'none'
      : allTags(state.events)
          .sort((a, b) => a - b)
          .join(' ');
  const text = dataText(state).replaceAll(/(.)\1{4,}/g, (run) => `${run[0]}…${run.length}`);
  return `${text}\nevents: ${events}`;
}

function dataText(state: ModelState): string {
  return [...state.data]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, table]) => {
      const kind = `${table.isUnlogged ? ' unlogged' : ''}${table.isShared ? ' shared' : ''}${table.hasIndex ? ' indexed' : ''}`;
      return `${name}${kind}: ${rowsText(table)}`;
    })
    .join('\n');
}

/** Tables never change, and states share them. */
const texts: WeakMap<DataTable, string> = new WeakMap();

function rowsText(table: DataTable): string {
  let text = texts.get(table);
  if (text === undefined) texts.set(table, (text = JSON.stringify(sortedRows(table))));
  return text;
}

function allTags({ tags, unknown }: EventTable): number[] {
  return [...tags.values(), ...unknown];
}

function tableOf(state: ModelState, name: string): DataTable {
  return state.data.get(name)!;
}

function withRows(state: ModelState, name: string, rows: ReadonlyMap<number, Row>): ModelState {
  return { ...state, data: new Map(state.data).set(name, { ...tableOf(state, name), rows }) };
}

function sortedRows(table: DataTable): unknown[] {
  return [...table.rows].map(([id, { v, s }]) => [id, v, s]).sort((a, b) => (a[0] as number) - (b[0] as number));
}

/** Rows of RETURNING come in no promised order. */
export function sortRows(rows: readonly unknown[]): unknown[] {
  return rows
    .map((row) => JSON.stringify(row))
    .sort()
    .map((text) => JSON.parse(text));
}

function sum(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((total, value) => total + value, 0);
}
