import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import {
  type CounterRequest,
  OPERATION_ADD,
  OPERATION_CHECK,
  OPERATION_PAGE,
  OPERATION_READ,
} from '../testing/counter-request.ts';
import { operation, SteppedExecutor } from '../testing/stepped-executor.ts';
import { FATE_FAILED, FATE_OK, FLAG_TAIL, FLAG_WAIT } from './layout.ts';
import { STEP_WAITING_VOTES } from './node-loop.ts';

/** Writes on those nodes; then reads a sum of `sum`, at which a tail fails where 7 divides it. */
function writeAndRead(nodes: readonly number[]): CounterRequest {
  return {
    operations: [
      ...nodes.map((node) => operation(node, OPERATION_ADD, 0, { amount: 1 })),
      ...nodes.map((node) => operation(node, OPERATION_READ, 1)),
      operation(nodes[0]!, OPERATION_PAGE, 0),
    ],
  };
}

test('a tail that fails undoes what its ticket wrote, and what ran behind it runs again', () => {
  for (const nodes of [[0], [2], [0, 1], [2, 0], [0, 1, 2]]) {
    for (const wait of [0, FLAG_WAIT]) {
      for (const sum of [6, 7]) {
        const executor = new SteppedExecutor(3);
        executor.rows[nodes.at(-1)!]![1] = sum;
        executor.submit(writeAndRead(nodes), FLAG_TAIL | wait);
        executor.submit({ operations: [0, 1, 2].map((node) => operation(node, OPERATION_READ, 0)) });
        executor.settle();
        const [first, second] = executor.take();
        const isFailed = sum === 7;
        assert.equal(first!.fate, isFailed ? FATE_FAILED : FATE_OK);
        if (isFailed) assert.equal(first!.error, 'zero_division the sum is 7');
        const expected = [0, 1, 2].map((node) => (!isFailed && nodes.includes(node) ? 1 : 0));
        assert.deepEqual(second!.sums, expected, `nodes ${nodes}, wait ${wait}`);
        assert.deepEqual(
          executor.rows.map((row) => row[0]),
          expected,
        );
        // Only speculation past a failed ticket of several nodes is to be taken back.
        assert.equal(executor.epoch, isFailed && nodes.length > 1 && wait === 0 ? 1 : 0);
        assert.equal(executor.memory.usedPageCount, 3 + executor.client.blocks.blockCount, 'no result page is lost');
      }
    }
  }
});

test('the tail runs once, at the last vote, and not where a part has failed', () => {
  for (const order of [
    [0, 1, 2],
    [2, 1, 0],
  ]) {
    for (const isFailing of [false, true]) {
      const executor = new SteppedExecutor(3);
      const tails: number[] = [];
      executor.runners.forEach((runner, node) => {
        runner.runTail = () => tails.push(node);
      });
      const check = operation(1, OPERATION_CHECK, 2, { amount: isFailing ? 0 : 1 });
      executor.submit({ operations: [...writeAndRead([0, 2]).operations, check] }, FLAG_TAIL);
      for (const node of order) {
        assert.deepEqual(tails, []);
        executor.step(node);
      }
      assert.deepEqual(tails, isFailing ? [] : [order[2]]);
      executor.settle();
      assert.equal(executor.take()[0]!.fate, isFailing ? FATE_FAILED : FATE_OK);
    }
  }
});

test('participants of a WAIT ticket undo it themselves, and run nothing behind it before', () => {
  const executor = new SteppedExecutor(2);
  executor.rows[1]![1] = 7;
  executor.submit(writeAndRead([0, 1]), FLAG_TAIL | FLAG_WAIT);
  executor.submit({ operations: [operation(0, OPERATION_READ, 0)] });
  executor.step(0);
  assert.equal(executor.step(0), STEP_WAITING_VOTES);
  assert.equal(executor.rows[0]![0], 1);
  executor.step(1);
  assert.equal(executor.inAir, 2, 'not final before all have left it');
  executor.settle();
  assert.deepEqual(
    executor.take().map(({ fate, sums }) => [fate, sums[0]]),
    [
      [FATE_FAILED, 0],
      [FATE_OK, 0],
    ],
  );
  assert.equal(executor.epoch, 0);
});

test('invariant 12: every rollback makes a ticket final, however many fail', () => {
  const executor = new SteppedExecutor(2);
  const failing: CounterRequest = {
    operations: [operation(0, OPERATION_ADD, 0, { amount: 5 }), operation(1, OPERATION_CHECK, 0)],
  };
  for (let count = 0; count < 16; count++) executor.submit(failing);
  let turns = 0;
  while (executor.inAir > 0) {
    const { inAir, epoch } = executor;
    for (let count = 0; count < 4; count++) for (const node of [0, 1]) executor.step(node);
    assert.ok(executor.inAir < inAir || executor.epoch === epoch);
    assert.ok(++turns < 100);
  }
  assert.equal(executor.epoch, 16);
  assert.equal(executor.rows[0]![0], 0);
  assert.ok(executor.take().every(({ fate }) => fate === FATE_FAILED));
});
