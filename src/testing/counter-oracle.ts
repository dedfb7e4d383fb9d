/**
 * What must come out of the requests of counter-runner.ts: the final tickets run one by one, in ticket order, by a few
 * lines that know nothing of nodes and threads (invariant 2).
 */

import { strict as assert } from 'node:assert';
import { SqlError } from '../base/errors.ts';
import { FATE_FAILED, FATE_OK, FATE_STALE } from '../executor/layout.ts';
import { checkCounter, OPERATION_ADD, OPERATION_CHECK, OPERATION_READ, TAIL_DIVISOR } from './counter-runner.ts';

export type Operation = {
  readonly node: number;
  readonly counter: number;
  readonly kind: number;
  readonly amount: number;
};

/** A request as its client saw it end. */
export type Outcome = {
  readonly ticket: number;
  readonly operations: readonly Operation[];
  readonly hasTail: boolean;
  readonly fate: number;
  /** Code and text of the error of a failed one. */
  readonly error: string;
  /** Sum of what was read, by node. */
  readonly sums: readonly number[];
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
    const { operations, fate, ticket } = outcome;
    if (fate === FATE_STALE) continue;
    if (fate === FATE_FAILED && /^(log_failure|commit_unknown)/.test(outcome.error)) {
      assert.ok(
        operations.some(({ kind }) => kind === OPERATION_ADD),
        'reads do not fail with the log',
      );
      continue;
    }
    const before = counters.map((row) => row.slice());
    const sums = new Array<number>(nodeCount).fill(0);
    const errors: SqlError[] = [];
    for (let node = 0; node < nodeCount; node++) {
      try {
        operations.forEach((operation, index) => {
          if (operation.node !== node) return;
          const value = counters[node]![operation.counter]!;
          if (operation.kind === OPERATION_READ) sums[node] = (sums[node]! + value) | 0;
          else if (operation.kind === OPERATION_ADD) counters[node]![operation.counter] = value + operation.amount;
          else if (operation.kind === OPERATION_CHECK) checkCounter(value, operation.amount, index);
        });
      } catch (error) {
        errors.push(error as SqlError);
      }
    }
    const total = sums.reduce((a, b) => (a + b) | 0, 0);
    if (errors.length === 0 && outcome.hasTail && total % TAIL_DIVISOR === 0) {
      errors.push(new SqlError('zero_division', `the sum is ${total}`));
    }
    if (errors.length > 0) {
      errors.sort(
        (a, b) => (a as unknown as { statement: number }).statement - (b as unknown as { statement: number }).statement,
      );
      assert.equal(fate, FATE_FAILED, `ticket ${ticket} fails`);
      assert.equal(outcome.error, `${errors[0]!.code} ${errors[0]!.message}`, `error of ticket ${ticket}`);
      counters.forEach((row, node) => {
        row.set(before[node]!);
      });
      continue;
    }
    assert.equal(fate, FATE_OK, `ticket ${ticket} succeeds, not: ${outcome.error}`);
    assert.deepEqual(outcome.sums, sums, `results of ticket ${ticket}`);
    const changed: string[] = [];
    for (let node = 0; node < nodeCount; node++) {
      const added = operations.filter((operation) => operation.node === node && operation.kind === OPERATION_ADD);
      for (const { counter } of added) changed.push(`${node}.${counter}=${counters[node]![counter]}`);
    }
    if (changed.length > 0) changes.push(changed.join(' '));
  }
  return { counters, changes };
}
