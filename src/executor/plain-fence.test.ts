import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import {
  type CounterRequest,
  OPERATION_ADD,
  OPERATION_CHECK,
  OPERATION_LONG,
  OPERATION_READ,
  OPERATION_READ_SHARED,
} from '../testing/counter-request.ts';
import { operation, SteppedExecutor } from '../testing/stepped-executor.ts';
import { FATE_FAILED, FATE_OK, FLAG_TAIL, FLAG_WAIT, SLOT_STEP } from './layout.ts';
import { STEP_RAN, STEP_WAITING_FENCE, STEP_WAITING_ROLLBACK } from './node-loop.ts';
import { WORKER_ANY } from './part-runner.ts';

const FIRST = 2 ** 31 - 2;
const add = (node: number, counter: number, amount: number): CounterRequest => ({
  operations: [operation(node, OPERATION_ADD, counter, { amount })],
});
/** Node 1 reads counter 0 of all three. */
const READ_ALL: CounterRequest = {
  operations: [0, 1, 2].map((node) => operation(node, OPERATION_READ, 0)),
  fenceWorker: 1,
};

test('the worker reads what all nodes have done before the fence, and nothing behind it', () => {
  for (const fenceWorker of [WORKER_ANY, 0, 1, 2]) {
    const executor = new SteppedExecutor(3);
    for (const node of [0, 1, 2]) executor.submit(add(node, 0, 10 ** node));
    executor.submit({ ...READ_ALL, fenceWorker });
    for (const node of [0, 1, 2]) executor.submit(add(node, 0, 5000));
    executor.step(0);
    assert.equal(executor.step(0), STEP_WAITING_FENCE);
    executor.settle();
    const sums = executor.take()[3]!.sums;
    assert.equal(
      sums.reduce((a, b) => a + b),
      111,
    );
    if (fenceWorker >= 0) assert.equal(sums[fenceWorker], 111);
    assert.deepEqual(
      executor.rows.map((row) => row[0]),
      [5001, 5010, 5100],
    );
  }
});

test('what the owner writes in a fence, all nodes read behind it', () => {
  const executor = new SteppedExecutor(3);
  executor.submit({ operations: [operation(2, OPERATION_ADD, 4, { amount: 3 })], fenceWorker: 2 });
  for (const node of [0, 1, 2]) {
    executor.submit({ operations: [operation(node, OPERATION_READ_SHARED, 4, { owner: 2 })] });
  }
  executor.settle();
  assert.deepEqual(
    executor.take().map(({ sums }) => sums),
    [
      [0, 0, 0],
      [3, 0, 0],
      [0, 3, 0],
      [0, 0, 3],
    ],
  );
});

test('a fence that fails is undone before anyone goes on, so it needs no rollback', () => {
  const failing = [operation(1, OPERATION_ADD, 0, { amount: 3 }), operation(0, OPERATION_CHECK, 0)];
  // A tail fails at sums that are divisible by 7.
  const untailed = [operation(1, OPERATION_ADD, 0, { amount: 3 })];
  for (const flags of [0, FLAG_WAIT]) {
    for (const [operations, tail] of [
      [failing, 0],
      [untailed, FLAG_TAIL],
    ] as const) {
      const executor = new SteppedExecutor(3);
      executor.submit({ operations, fenceWorker: 1 }, flags | tail);
      executor.submit(add(1, 1, 1));
      executor.settle();
      const [outcome, next] = executor.take();
      assert.equal(outcome!.error, tail === 0 ? 'raised operation 1: counter is 0' : 'zero_division the sum is 0');
      assert.deepEqual([next!.fate, executor.rows[1]![0], executor.rows[1]![1], executor.epoch], [FATE_OK, 0, 1, 0]);
    }
  }
});

/** Ticket 1 fails on node 2, after node 0 has written; tickets 2 to 4 are in the air behind it. */
function failing(): SteppedExecutor {
  const executor = new SteppedExecutor(3);
  executor.submit({
    operations: [operation(0, OPERATION_ADD, 0, { amount: 1 }), operation(2, OPERATION_CHECK, 0)],
  });
  return executor;
}

test('a rollback takes a node from a fence that is ARRIVING; it takes its arrival back', () => {
  const executor = failing();
  executor.submit(READ_ALL);
  const word = executor.control.slotOf(FIRST + 1) + SLOT_STEP;
  executor.step(0);
  executor.step(1);
  assert.equal(executor.control.words[word], 2 * 4);
  // Node 2 fails its part, stands at the fence as the last, and wakes the worker; the committer then starts the rollback.
  executor.step(2, 1);
  assert.equal(executor.epoch, 1);
  assert.equal(executor.step(0), STEP_RAN);
  assert.equal(executor.control.words[word], 4);
  executor.step(1);
  assert.equal(executor.control.words[word], 0);
  executor.settle();
  const [first, second] = executor.take();
  assert.deepEqual([first!.fate, second!.fate, second!.sums], [FATE_FAILED, FATE_OK, [0, 0, 0]]);
});

test('invariant 10: nobody leaves a fence that is WORKING; the worker gives up', () => {
  const executor = failing();
  executor.submit({ ...READ_ALL, operations: [...READ_ALL.operations, operation(1, OPERATION_LONG, 0)] });
  executor.step(0);
  executor.loops[2]!.walk(1);
  executor.loops[2]!.walk(1);
  let wasLong = false;
  executor.runners[1]!.onLong = () => {
    if (wasLong) return false;
    wasLong = true;
    executor.loops[2]!.commit();
    assert.equal(executor.epoch, 1, 'the rollback has begun');
    assert.equal(executor.step(0), STEP_WAITING_FENCE);
    assert.equal(executor.step(2), STEP_WAITING_FENCE);
    assert.equal(executor.rows[0]![0], 1, 'and nothing is undone');
    return executor.loops[1]!.shouldGiveUp();
  };
  executor.step(1);
  assert.ok(wasLong);
  assert.equal(executor.step(0), STEP_RAN);
  assert.equal(executor.rows[0]![0], 0);
  executor.settle();
  assert.deepEqual(executor.take()[1]!.sums, [0, 0, 0]);
});

test('a worker that finds the rollback before it has begun does not begin', () => {
  const executor = failing();
  executor.submit(READ_ALL);
  executor.step(0);
  executor.step(1);
  executor.loops[2]!.walk(1);
  executor.loops[2]!.walk(1);
  executor.loops[2]!.commit();
  assert.equal(executor.step(0), STEP_WAITING_FENCE);
  assert.equal(executor.step(1), STEP_RAN);
  executor.settle();
  assert.deepEqual(executor.take()[1]!.sums, [0, 0, 0]);
});

test('what was written in a fence is undone only when no node is inside of a part', () => {
  const executor = failing();
  executor.submit({ operations: [operation(1, OPERATION_ADD, 4, { amount: 3 })], fenceWorker: 1 });
  const read = operation(0, OPERATION_READ_SHARED, 4, { owner: 1 });
  executor.submit({ operations: [read, operation(0, OPERATION_LONG, 0), read] });
  executor.step(0);
  executor.step(1);
  executor.loops[2]!.walk(1);
  executor.loops[2]!.walk(1);
  executor.step(1);
  let wasLong = false;
  executor.runners[0]!.onLong = () => {
    if (wasLong) return false;
    wasLong = true;
    executor.step(2);
    assert.equal(executor.epoch, 1);
    assert.equal(executor.step(1), STEP_WAITING_ROLLBACK);
    assert.equal(executor.rows[1]![4], 3);
    return executor.loops[0]!.shouldGiveUp();
  };
  executor.step(0);
  assert.ok(wasLong);
  executor.settle();
  assert.deepEqual(
    executor.take().map(({ sums }) => sums[0]),
    [0, 0, 6],
  );
});

test('the worker runs the tail, once, before anyone goes on', () => {
  const executor = new SteppedExecutor(3);
  const tails: number[] = [];
  executor.runners.forEach((runner, node) => {
    runner.runTail = () => tails.push(node);
  });
  executor.submit(READ_ALL, FLAG_TAIL);
  executor.settle();
  assert.deepEqual(tails, [1]);
});

test('a fence is a ticket of all nodes, and only an owner writes in it', () => {
  const executor = new SteppedExecutor(2);
  executor.submit({ operations: [operation(0, OPERATION_ADD, 0)], fenceWorker: WORKER_ANY });
  executor.step(1);
  executor.step(1);
  assert.throws(() => executor.step(0), /only an owner writes/);
});
