/**
 * What must come out of the requests of counter-request.ts: the final tickets run one by one, in ticket order, by a few
 * lines that know nothing of nodes and threads (invariant 2).
 */

import { strict as assert } from 'node:assert';
import { SqlError } from '../base/errors.ts';
import { FATE_FAILED, FATE_OK, FATE_STALE } from '../executor/layout.ts';
import {
  isWriting,
  OPERATION_ADD,
  OPERATION_ADD_FOUND,
  OPERATION_CHECK,
  OPERATION_READ,
  OPERATION_READ_PEER,
  OPERATION_READ_SHARED,
  type Operation,
  type Outcome,
  type RoundShape,
} from './counter-request.ts';
import { checkCounter, MIDDLE_DIVISOR, TAIL_DIVISOR } from './counter-runner.ts';

type Expected = {
  /** The error that the client gets, undefined where none. */
  error: SqlError | undefined;
  /** What each node read. */
  readonly sums: number[];
};

/** Runs the outcomes in ticket order and compares each; returns the counters by node, and the changes of each that was logged. */
export function checkOutcomes(
  outcomes: readonly Outcome[],
  nodeCount: number,
  counterCount: number,
): { readonly counters: readonly Int32Array[]; readonly changes: readonly string[] } {
  const counters = Array.from({ length: nodeCount }, () => new Int32Array(counterCount));
  const changes: string[] = [];
  const ordered = [...outcomes].sort((a, b) => (a.ticket - b.ticket) | 0);
  for (const outcome of ordered) {
    const { request, fate, ticket } = outcome;
    if (fate === FATE_STALE) continue;
    if (fate === FATE_FAILED && /^(log_failure|commit_unknown)/.test(outcome.error)) {
      assert.ok(isWriting(request), 'reads do not fail with the log');
      continue;
    }
    const before = counters.map((row) => row.slice());
    const expected = expect(outcome, counters);
    if (expected.error !== undefined) {
      assert.equal(fate, FATE_FAILED, `ticket ${ticket} fails`);
      assert.equal(outcome.error, `${expected.error.code} ${expected.error.message}`, `error of ticket ${ticket}`);
      counters.forEach((row, node) => {
        row.set(before[node]!);
      });
      continue;
    }
    assert.equal(fate, FATE_OK, `ticket ${ticket} succeeds, not: ${outcome.error}`);
    // In a fence one node reads for all, and sometimes it is any.
    if (request.fenceWorker === undefined) assert.deepEqual(outcome.sums, expected.sums, `results of ticket ${ticket}`);
    else assert.equal(total(outcome.sums), total(expected.sums), `result of fence ${ticket}`);
    const changed = describeChanges(request.operations, counters);
    if (changed !== '') changes.push(changed);
  }
  return { counters, changes };
}

const total = (sums: readonly number[]): number => sums.reduce((a, b) => (a + b) | 0, 0);

function describeChanges(operations: readonly Operation[], counters: readonly Int32Array[]): string {
  const changed: string[] = [];
  const inSteps = [...operations].sort((a, b) => a.step - b.step);
  for (let node = 0; node < counters.length; node++) {
    for (const { node: own, kind, counter } of inSteps) {
      if (own !== node || (kind !== OPERATION_ADD && kind !== OPERATION_ADD_FOUND)) continue;
      changed.push(`${node}.${counter}=${counters[node]![counter]}`);
    }
  }
  return changed.join(' ');
}

function expect({ request, hasTail }: Outcome, counters: readonly Int32Array[]): Expected {
  const { rounds, operations, fenceWorker } = request;
  // By step and node, what was read.
  const read: number[][] = [];
  const errors: (SqlError | undefined)[] = [];
  const found: number[] = [];
  let coordinatorError: SqlError | undefined;
  const stepCount = rounds?.stepCount ?? 1;
  for (let step = 0; step < stepCount && coordinatorError === undefined; step++) {
    read.push(counters.map(() => 0));
    operations.forEach((operation, index) => {
      const who = fenceWorker === undefined ? operation.node : 0;
      if (operation.step !== step || errors[who] !== undefined) return;
      try {
        runOperation(operation, index, counters, read, who, found);
      } catch (error) {
        errors[who] = error as SqlError;
      }
    });
    if (rounds === undefined || rounds.awaited[step] === 0) continue;
    if (counters.some((_, node) => isAwaited(rounds, step, node) && errors[node] !== undefined)) break;
    found.push(findAwaited(rounds, read));
    if (found[step]! % MIDDLE_DIVISOR === 0) {
      coordinatorError = new SqlError('zero_division', `step ${step} found ${found[step]}`);
    }
  }
  const sums = counters.map((_, node) => total(read.map((row) => row[node]!)));
  const failed = errors.filter((error) => error !== undefined) as (SqlError & { statement: number })[];
  failed.sort((a, b) => a.statement - b.statement);
  let error: SqlError | undefined = failed[0] ?? coordinatorError;
  if (error === undefined && hasTail && total(sums) % TAIL_DIVISOR === 0) {
    error = new SqlError('zero_division', `the sum is ${total(sums)}`);
  }
  return { error, sums };
}

const isAwaited = (rounds: RoundShape, step: number, node: number): boolean =>
  ((rounds.awaited[step]! >> node) & 1) === 1;

/** What the middle section behind the last of these steps finds: the sums of all that was awaited. */
function findAwaited(rounds: RoundShape, read: readonly (readonly number[])[]): number {
  return total(read.map((row, step) => total(row.filter((_, node) => isAwaited(rounds, step, node)))));
}

function runOperation(
  { owner, node, counter, kind, amount, step }: Operation,
  index: number,
  counters: readonly Int32Array[],
  read: readonly number[][],
  who: number,
  found: readonly number[],
): void {
  const value = counters[owner]![counter]!;
  const sums = read[step]!;
  if (kind === OPERATION_READ || kind === OPERATION_READ_SHARED) sums[who] = (sums[who]! + value) | 0;
  else if (kind === OPERATION_ADD) counters[node]![counter] = (value + amount) | 0;
  else if (kind === OPERATION_CHECK) checkCounter(value, amount, index);
  else if (kind === OPERATION_ADD_FOUND) counters[node]![counter] = (value + found[step - 1]!) | 0;
  else if (kind === OPERATION_READ_PEER) sums[who] = (sums[who]! + read[step - 1]![owner]!) | 0;
}
