import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../src/testing/random.ts';
import { Database } from '../server/database.ts';
import { checkHistory, describeAnomalies } from './checker.ts';
import type { History, Operation, Transaction } from './history.ts';
import { type RoundOptions, recordRound } from './workload.ts';

/** Records a round; what the clients saw is accepted. */
async function acceptedRound(db: Database, options: RoundOptions): Promise<History> {
  const history = await recordRound(db, options);
  const anomalies = checkHistory(history);
  assert.equal(anomalies.length, 0, `seed ${options.seed}: ${describeAnomalies(anomalies)}`);
  return history;
}

function countOf(history: History, expected: Transaction['outcome']): number {
  return history.filter(({ outcome }) => outcome === expected).length;
}

test('clients of several frontends and backends see one order, in which some fail on purpose', async () => {
  const db = await Database.start('--frontends=2', '--backends=3');
  const history = await acceptedRound(db, { seed: 1, transactionCount: 3000, killAfter: 0 });
  assert.ok(countOf(history, 'aborted') > 100 && countOf(history, 'committed') > 2000);
  assert.equal(countOf(history, 'unknown'), 0);
  checkPlanted(history);
  await db.stop();
});

test('the same order goes on after the server was killed', async () => {
  const db = await Database.start('--frontends=2', '--backends=3');
  const history = await acceptedRound(db, { seed: 2, transactionCount: 1500, killAfter: 700 });
  assert.ok(countOf(history, 'unknown') > 0, 'some were in the air');
  await db.stop();
});

/** What a real server saw, with one thing changed, is not accepted any more. */
function checkPlanted(history: History): void {
  const random = new SeededRandom(1);
  const isRead = (operation: Operation): boolean => operation.kind === 'read' && operation.list.length > 3;
  const readers = history.filter(({ outcome, operations }) => outcome === 'committed' && operations.some(isRead));
  const writers = history.filter(
    ({ outcome, operations }) => outcome === 'committed' && operations.some(({ kind }) => kind === 'append'),
  );
  const replace = (changed: Transaction): History => history.with(changed.id, changed);
  const changeRead = (transaction: Transaction, change: (list: readonly number[]) => number[]): History => {
    const index = transaction.operations.findIndex(isRead);
    const operation = transaction.operations[index]!;
    const changed = operation.kind === 'read' ? { ...operation, list: change(operation.list) } : operation;
    return replace({ ...transaction, operations: transaction.operations.with(index, changed) });
  };
  const checkIsFound = (planted: History, expected: RegExp): void => {
    const names = checkHistory(planted).map(({ name }) => name);
    assert.ok(
      names.some((name) => expected.test(name)),
      `${expected} in ${names}`,
    );
  };
  for (let round = 0; round < 5; round++) {
    const writer = writers[random.below(writers.length)]!;
    const reader = readers[random.below(readers.length)]!;
    checkIsFound(replace({ ...writer, outcome: 'aborted' }), /^G1a$/);
    checkIsFound(without(history, writer), /^lost append$/);
    checkIsFound(
      changeRead(reader, (list) => [...list.slice(0, -2), list.at(-1)!, list.at(-2)!]),
      /^(incompatible order|internal inconsistency)$/,
    );
    checkIsFound(
      changeRead(reader, (list) => list.slice(0, 1)),
      /^(stale read|internal inconsistency)$/,
    );
  }
}

/** The history without what a transaction has appended, in all lists that were read. */
function without(history: History, writer: Transaction): History {
  const isLost = (key: number, value: number): boolean =>
    writer.operations.some(
      (operation) => operation.kind === 'append' && operation.key === key && operation.value === value,
    );
  return history.map((transaction) => ({
    ...transaction,
    operations: transaction.operations.map((operation) => {
      if (operation.kind === 'append' || transaction === writer) return operation;
      return { ...operation, list: operation.list.filter((value) => !isLost(operation.key, value)) };
    }),
  }));
}
