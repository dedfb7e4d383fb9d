/**
 * Checks of a run against the model. All replies, with the tickets of their requests, are what the transactions one by one
 * in ticket order give; and what is found after a restart is one of the states that may be there.
 */

import { strict as assert } from 'node:assert';
import type { Memory } from '../../src/base/memory.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { Partition } from '../../src/storage/partition.ts';
import { verify } from '../../src/storage/verify.ts';
import type { Order } from './machine.ts';
import {
  applyDefinition,
  applyOperations,
  compileError,
  type EventTable,
  type ModelState,
  matchFound,
  type Outcome,
  stateText,
} from './model.ts';
import type { SimulatedRequest } from './workload.ts';

export type Tolerated = {
  /** The disk fails: log_failure and commit_unknown are fine. */
  readonly isLogFailing: boolean;
  /** Memory runs out at times. */
  readonly isMemoryFailing: boolean;
};

/** What a run leaves: its states, the last one first to be expected. */
export type History = {
  /** State after each ticket that changed something; the first is that of the start, with ticket -1. */
  readonly states: readonly { readonly ticket: number; readonly state: ModelState }[];
  /** The state after the last answered change. */
  readonly certain: ModelState;
  /** Behind it, in ticket order, transactions that were refused, but may be found in the log … */
  readonly unknown: readonly SimulatedRequest[];
  /** … and with them those that nobody has heard of. */
  readonly possible: readonly SimulatedRequest[];
};

/** Runs all tickets one by one over the model, and compares every outcome. */
export function replay(
  start: ModelState,
  orders: readonly Order[],
  requests: readonly SimulatedRequest[],
  tolerated: Tolerated,
): History {
  let state = start;
  let certain = start;
  let unknown: SimulatedRequest[] = [];
  let possible: SimulatedRequest[] = [];
  const states = [{ ticket: -1, state }];
  /** The catalog after each DDL, by its ticket. */
  const catalogs = [{ ticket: -1, state }];
  checkUnordered(-1, state, requests);
  for (const [ticket, order] of orders.entries()) {
    const { request } = order;
    const isDefinition = request.definition !== undefined;
    // It was stale, and ordered again; or its program is, as the model knows.
    const isStale = request.ticket !== ticket || (!isDefinition && order.version !== state.version);
    if (isStale)
      assert.ok(request.ticket !== ticket || request.outcome === undefined, `stale, but answered: ${request.sql}`);
    else if (request.outcome !== undefined || order.mayCount) {
      const applied = isDefinition
        ? applyDefinition(state, request.definition)
        : applyOperations(state, request.operations, identityValues(request));
      if (request.outcome === undefined) possible.push(request);
      if (isRefused(request.outcome, tolerated)) {
        if ('error' in request.outcome! && request.outcome.error === 'commit_unknown') {
          unknown.push(request);
          possible.push(request);
        }
      } else {
        if (request.outcome !== undefined)
          assert.deepEqual(request.outcome, applied.outcome, `ticket ${ticket}: ${request.sql}`);
        if (applied.state !== state) {
          state = applied.state;
          states.push({ ticket, state });
          // The log takes records again only where those that it refused are gone.
          if (request.outcome !== undefined) {
            certain = state;
            unknown = [];
            possible = [];
          }
        }
      }
    } else {
      unknown.push(request);
      possible.push(request);
    }
    if (isDefinition) catalogs.push({ ticket, state });
    if (isDefinition) checkUnordered(ticket, state, requests);
  }
  for (const request of requests) checkCompileError(request, catalogs);
  checkConnections(requests);
  return { states, certain, unknown, possible };
}

/** DDL that main answered without a ticket, as the catalog after an earlier one told it to. */
function checkUnordered(ticketBefore: number, state: ModelState, requests: readonly SimulatedRequest[]): void {
  for (const { definition, ticket, ticketBefore: before, outcome, sql } of requests) {
    if (definition === undefined || ticket >= 0 || outcome === undefined || before !== ticketBefore) continue;
    const applied = applyDefinition(state, definition);
    assert.deepEqual(outcome, applied.outcome, `answered without a ticket: ${sql}`);
    assert.equal(applied.state, state, `answered without a ticket: ${sql}`);
  }
}

/** One that did not compile: some catalog between its sending and its reply must give that error. */
function checkCompileError(
  request: SimulatedRequest,
  catalogs: readonly { readonly ticket: number; readonly state: ModelState }[],
): void {
  const { definition, ticket, outcome, operations, finalAtSend, nextAtReply, sql } = request;
  if (definition !== undefined || ticket >= 0 || outcome === undefined) return;
  assert.ok('error' in outcome, `no ticket, and no error: ${sql}`);
  if (outcome.error === 'out_of_memory') return;
  const isExplained = catalogs.some((catalog, index) => {
    const next = catalogs[index + 1];
    if (catalog.ticket >= nextAtReply || (next !== undefined && next.ticket < finalAtSend)) return false;
    return compileError(catalog.state, operations) === outcome.error;
  });
  assert.ok(isExplained, `no catalog at the time gives ${outcome.error}: ${sql}`);
}

/** Requests of one connection have their places in the order in which they were sent. */
function checkConnections(requests: readonly SimulatedRequest[]): void {
  const last = new Map<number, number>();
  for (const { connection, ticket, outcome, sql } of requests) {
    if (ticket < 0 || outcome === undefined) continue;
    assert.ok(ticket > (last.get(connection) ?? -1), `before one that its connection sent earlier: ${sql}`);
    last.set(connection, ticket);
  }
}

function isRefused(outcome: Outcome | undefined, tolerated: Tolerated): boolean {
  if (outcome === undefined || !('error' in outcome)) return false;
  if (tolerated.isLogFailing && (outcome.error === 'log_failure' || outcome.error === 'commit_unknown')) return true;
  return tolerated.isMemoryFailing && outcome.error === 'out_of_memory';
}

function identityValues({ operations, outcome }: SimulatedRequest): readonly number[] | undefined {
  if (operations[0]?.kind !== 'append' || outcome === undefined || 'error' in outcome) return undefined;
  return outcome.rows as number[];
}

/**
 * The state that was found, where it may be there: one after all tickets up to `durable` at least, or the last certain
 * one with the first few of those that are unknown. Throws where it may not.
 */
export function recognize(history: History, durable: number, found: ModelState): ModelState {
  const { states } = history;
  let least = 0;
  for (const [index, { ticket }] of states.entries()) if (ticket <= durable) least = index;
  for (let index = states.length - 1; index >= least; index--) {
    const match = matchFound(states[index]!.state, found);
    if (match !== undefined) return match;
  }
  for (const requests of [history.unknown, history.possible]) {
    let state = history.certain;
    for (const request of requests) {
      state =
        request.definition === undefined
          ? applyOperations(state, request.operations, undefined).state
          : applyDefinition(state, request.definition).state;
      const match = matchFound(state, found);
      if (match !== undefined) return match;
    }
  }
  const text = states
    .slice(least)
    .map(({ ticket, state: expected }) => `after ticket ${ticket}:\n${stateText(expected)}`)
    .join('\n');
  throw new assert.AssertionError({
    message: `what was found is no state that may be there; durable up to ticket ${durable}\nfound:\n${stateText(found)}\n${text}`,
  });
}

/** Everything that a database holds, from what its requests gave. */
export function foundState(catalog: Catalog, version: number, answers: ReadonlyMap<string, unknown>): ModelState {
  let events: EventTable | undefined;
  const data = new Map<string, ModelState['data'] extends ReadonlyMap<string, infer T> ? T : never>();
  for (const { name, indexes } of catalog.tables) {
    const rows = answers.get(name) as [number, number, string][];
    if (name === 'e') events = { tags: new Map(rows.map(([id, tag]) => [id, tag])), unknown: [] };
    else data.set(name, { rows: new Map(rows.map(([id, v, s]) => [id, { v, s }])), hasIndex: indexes.length > 1 });
  }
  return { version, data, events };
}

/** Rows, indexes and counters of every partition agree. For a database in which nothing is undecided. */
export function verifyPartitions(memory: Memory, catalog: Catalog): void {
  for (const table of catalog.tables)
    for (const definition of table.partitions) {
      const partition = Partition.open(memory, table, definition);
      verify(partition);
      partition.close();
    }
}
