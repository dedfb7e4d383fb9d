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
  restarted,
  stateText,
} from './model.ts';
import { isCheckpoint, type SimulatedRequest } from './statements.ts';

export type Tolerated = {
  /** The disk fails: log_failure and commit_unknown are fine. */
  readonly isLogFailing: boolean;
  /** Memory runs out at times. */
  readonly isMemoryFailing: boolean;
  /** A checkpoint was given up. */
  readonly isCancelled: boolean;
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
  /** The state that a checkpoint has to have, by the ticket of its fence. */
  readonly freezes: ReadonlyMap<number, ModelState>;
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
  const freezes = new Map<number, ModelState>();
  checkUnordered(-1, state, requests);
  for (const [ticket, order] of orders.entries()) {
    const { request } = order;
    if (order.isFreeze) {
      freezes.set(ticket, state);
      continue;
    }
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
  for (const request of requests) {
    if (isCheckpoint(request)) checkCheckpoint(request, tolerated);
    else checkCompileError(request, catalogs);
  }
  checkConnections(requests);
  return { states, certain, unknown, possible, freezes };
}

/** A checkpoint fails only where the disk does, or memory. */
function checkCheckpoint({ outcome, sql }: SimulatedRequest, tolerated: Tolerated): void {
  if (outcome === undefined) return;
  const error = 'error' in outcome ? outcome.error : '';
  if (tolerated.isLogFailing && error === 'checkpoint_failure') return;
  if (tolerated.isMemoryFailing && error === 'out_of_memory') return;
  if (tolerated.isCancelled && error === 'shutting_down') return;
  assert.deepEqual(outcome, { rows: undefined }, sql);
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

/** What a disk has at some moment, as the run knows. */
export type OnDisk = {
  /** Tickets up to this one are found in any case, and none from `next` on. */
  readonly durable: number;
  readonly next: number;
  /** Tickets of the fences of which the newest checkpoint may be; -1: that of the start, or none. */
  readonly saved: readonly number[];
};

/**
 * The state that was found, where it may be there: one after all tickets up to `durable` at least, and none from `next` on,
 * or the last certain one with the first few of those that are unknown; with the unlogged rows of a checkpoint that may be
 * the newest. Throws where it may not.
 */
export function recognize(history: History, { durable, next, saved }: OnDisk, found: ModelState): ModelState {
  const states = history.states.filter(({ ticket }) => ticket < next);
  const leastOf = (least: number): number =>
    Math.max(
      0,
      states.findLastIndex(({ ticket }) => ticket <= least),
    );
  for (const fence of saved) {
    const kept = savedState(history, fence);
    const least = leastOf(Math.max(durable, fence - 1));
    for (let index = states.length - 1; index >= least; index--) {
      const match = matchFound(restarted(states[index]!.state, kept), found);
      if (match !== undefined) return match;
    }
  }
  for (const requests of [history.unknown, history.possible]) {
    let state = history.certain;
    for (const request of requests) {
      state =
        request.definition === undefined
          ? applyOperations(state, request.operations, undefined).state
          : applyDefinition(state, request.definition).state;
      for (const fence of saved) {
        const match = matchFound(restarted(state, savedState(history, fence)), found);
        if (match !== undefined) return match;
      }
    }
  }
  const text = states
    .slice(leastOf(durable))
    .map(({ ticket, state: expected }) => `after ticket ${ticket}:\n${stateText(expected)}`)
    .join('\n');
  throw new assert.AssertionError({
    message: `what was found is no state that may be there; durable up to ticket ${durable}, checkpoints ${saved.join(' ')}\nfound:\n${stateText(found)}\n${text}`,
  });
}

/** The state that the checkpoint of a fence has. */
export function savedState(history: History, fence: number): ModelState {
  const state = fence < 0 ? history.states[0]!.state : history.freezes.get(fence);
  assert.ok(state !== undefined, 'a checkpoint has its place in the order');
  return state;
}

/** Everything that a database holds, from what its requests gave. */
export function foundState(catalog: Catalog, version: number, answers: ReadonlyMap<string, unknown>): ModelState {
  let events: EventTable | undefined;
  const data = new Map<string, ModelState['data'] extends ReadonlyMap<string, infer T> ? T : never>();
  for (const { name, indexes, isUnlogged, isShared } of catalog.tables) {
    const rows = answers.get(name) as [number, number, string][];
    if (name === 'e') events = { tags: new Map(rows.map(([id, tag]) => [id, tag])), unknown: [] };
    else {
      const hasIndex = indexes.length > 1;
      data.set(name, {
        rows: new Map(rows.map(([id, v, s]) => [id, { v, s }])),
        hasIndex,
        isUnlogged,
        isShared,
        birth: undefined,
      });
    }
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
