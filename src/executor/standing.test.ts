/** Tickets with FLAG_STANDS: one node writes what all read, while all stay until all have done all. */

import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import {
  type CounterRequest,
  OPERATION_ADD,
  OPERATION_CHECK,
  OPERATION_LONG,
  OPERATION_READ,
  OPERATION_READ_SHARED,
  type Operation,
} from '../testing/counter-request.ts';
import { operation, SteppedExecutor } from '../testing/stepped-executor.ts';
import { FATE_FAILED, FATE_OK, FLAG_TAIL } from './layout.ts';
import { STEP_RAN, STEP_WAITING_ROLLBACK, STEP_WAITING_ROUND } from './node-loop.ts';

/** The shared counter of each node. */
const SHARED = 4;
const OWNER = 0;

/** Node 1 reads its counter 0, as a middle section that finds nothing fails; then the owner adds 5 to its shared counter. */
function standing(nodeCount: number, ...more: Operation[]): CounterRequest {
  const all = (1 << nodeCount) - 1;
  return {
    operations: [
      operation(1, OPERATION_READ, 0),
      operation(OWNER, OPERATION_ADD, SHARED, { amount: 5, step: 1 }),
      ...more,
    ],
    rounds: { stepCount: 2, awaited: [all, all], isMiddleLong: false, owner: OWNER },
  };
}

function reader(...more: Operation[]): CounterRequest {
  return { operations: [...more, operation(1, OPERATION_READ_SHARED, SHARED, { owner: OWNER })] };
}

function started(nodeCount: number): SteppedExecutor {
  const executor = new SteppedExecutor(nodeCount);
  executor.rows[1]![0] = 3;
  return executor;
}

const shared = (executor: SteppedExecutor): number => executor.rows[OWNER]![SHARED]!;

test('nobody leaves before the owner has written, and all read it then', () => {
  for (const isOwnerFirst of [true, false]) {
    const executor = started(2);
    executor.submit(standing(2));
    executor.submit(reader());
    for (const node of isOwnerFirst ? [0, 0, 0] : [1, 1, 1]) executor.step(node);
    assert.deepEqual([shared(executor), executor.inAir], [0, 2], 'it waits for the other at the first step');
    executor.step(isOwnerFirst ? 1 : 0);
    assert.equal(executor.inAir, 2, 'and at the last');
    executor.settle();
    const outcomes = executor.take();
    assert.deepEqual(
      outcomes.map(({ fate, sums }) => [fate, ...sums]),
      [
        [FATE_OK, 0, 3],
        [FATE_OK, 0, 5],
      ],
    );
  }
});

test('where another node fails in the last step, the owner undoes before anyone leaves', () => {
  const executor = started(2);
  executor.submit(standing(2, operation(1, OPERATION_CHECK, 0, { amount: 3, step: 1 })));
  executor.submit(reader());
  executor.step(1);
  executor.step(0);
  assert.equal(shared(executor), 5);
  assert.equal(executor.step(1), STEP_RAN, 'it has left something to the owner');
  assert.equal(executor.step(1), STEP_WAITING_ROUND);
  assert.deepEqual([shared(executor), executor.inAir], [5, 2]);
  executor.step(0);
  assert.equal(shared(executor), 0);
  executor.settle();
  const [failed, read] = executor.take();
  assert.equal(failed!.error, 'raised operation 2: counter is 3');
  assert.deepEqual([...read!.sums, executor.epoch], [0, 0, 0]);
});

test('where the owner fails, or the tail does, no rollback is needed either', () => {
  for (const order of [
    [1, 0],
    [0, 1],
  ])
    for (const isTail of [true, false]) {
      const executor = started(3);
      executor.rows[1]![0] = 7;
      const check = operation(OWNER, OPERATION_CHECK, SHARED, { amount: 0, step: 1 });
      // A tail fails at sums that are divisible by 7.
      if (isTail) executor.submit(standing(3), FLAG_TAIL);
      else executor.submit(standing(3, check));
      executor.submit(reader());
      executor.step(2);
      for (const node of order) executor.step(node);
      executor.step(2);
      executor.settle();
      const [failed, read] = executor.take();
      assert.equal(failed!.error, isTail ? 'zero_division the sum is 7' : 'raised operation 2: counter is 5');
      assert.deepEqual([read!.fate, ...read!.sums, shared(executor), executor.epoch], [FATE_OK, 0, 0, 0, 0, 0]);
    }
});

/** Ticket 1 fails on node 2 when node 0 has written, which its nodes know and the committer does not; ticket 2 follows. */
function behindFailure(following: CounterRequest): SteppedExecutor {
  const executor = started(3);
  executor.submit({
    operations: [operation(0, OPERATION_ADD, 0, { amount: 1 }), operation(2, OPERATION_CHECK, 0)],
  });
  executor.submit(following);
  executor.loops[0]!.walk(1);
  executor.loops[2]!.walk(1);
  return executor;
}

test('what the owner wrote is undone when all have stopped, whether it has voted or not', () => {
  for (const lastNode of [OWNER, 2]) {
    const executor = behindFailure(standing(3));
    executor.submit(reader(operation(1, OPERATION_LONG, 0)));
    const { loops } = executor;
    for (const node of [0, 2, 1]) loops[node]!.walk(1);
    for (const node of lastNode === OWNER ? [2, OWNER] : [OWNER, 2]) loops[node]!.walk(1);
    let wasLong = false;
    executor.runners[1]!.onLong = () => {
      if (wasLong) return false;
      wasLong = true;
      // Node 1 has seen the end, and is inside a part that reads.
      loops[2]!.commit();
      assert.equal(executor.epoch, 1);
      assert.equal(loops[OWNER]!.walk(1), STEP_WAITING_ROLLBACK);
      assert.equal(shared(executor), 5);
      return loops[1]!.shouldGiveUp();
    };
    for (let turn = 0; !wasLong; turn++) {
      assert.ok(turn < 5);
      loops[1]!.walk(1);
    }
    executor.settle();
    const outcomes = executor.take();
    assert.deepEqual(
      outcomes.map(({ fate, sums }) => [fate, sums[1]]),
      [
        [FATE_FAILED, 0],
        [FATE_OK, 3],
        [FATE_OK, 5],
      ],
    );
    assert.deepEqual([shared(executor), executor.epoch], [5, 1]);
  }
});

test('a rollback takes away who stands there while the owner writes: it undoes its own, and reads nothing', () => {
  const executor = behindFailure(
    standing(3, operation(OWNER, OPERATION_LONG, 0, { step: 1 }), operation(1, OPERATION_ADD, 1, { amount: 2 })),
  );
  executor.submit(reader());
  const { loops, rows } = executor;
  let wasLong = false;
  executor.runners[OWNER]!.onLong = () => {
    if (wasLong) return false;
    wasLong = true;
    loops[2]!.commit();
    assert.equal(rows[1]![1], 2);
    assert.equal(loops[1]!.walk(1), STEP_RAN);
    assert.equal(rows[1]![1], 0);
    assert.equal(loops[1]!.walk(1), STEP_WAITING_ROLLBACK);
    assert.equal(shared(executor), 5);
    return loops[OWNER]!.shouldGiveUp();
  };
  for (const node of [1, 2, OWNER]) loops[node]!.walk(1);
  assert.ok(wasLong);
  executor.settle();
  assert.deepEqual(
    executor.take().map(({ fate, sums }) => [fate, sums[1]]),
    [
      [FATE_FAILED, 0],
      [FATE_OK, 3],
      [FATE_OK, 5],
    ],
  );
  assert.deepEqual([shared(executor), rows[1]![1], executor.epoch], [5, 2, 1]);
});
