import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import {
  type CounterRequest,
  OPERATION_ADD,
  OPERATION_ADD_FOUND,
  OPERATION_CHECK,
  OPERATION_LONG,
  OPERATION_PAGE,
  OPERATION_READ,
  OPERATION_READ_PEER,
} from '../testing/counter-request.ts';
import { operation, SteppedExecutor } from '../testing/stepped-executor.ts';
import { FATE_FAILED, FATE_OK, FLAG_TAIL, FLAG_WAIT } from './layout.ts';
import { STEP_IDLE, STEP_RAN, STEP_WAITING_ROUND, STEP_WAITING_VOTES } from './node-loop.ts';

/** Node 0 reads its counter 0; node 1 adds what was found to its counter 0. */
const MOVE: CounterRequest = {
  operations: [operation(0, OPERATION_READ, 0), operation(1, OPERATION_ADD_FOUND, 0, { step: 1 })],
  rounds: { stepCount: 2, awaited: [0b01, 0], isMiddleLong: false },
};

const add = (node: number, counter: number, amount: number): CounterRequest => ({
  operations: [operation(node, OPERATION_ADD, counter, { amount })],
});

test('a later step gets what an earlier one found on another node', () => {
  const executor = new SteppedExecutor(2);
  executor.submit(add(0, 0, 5));
  executor.submit(MOVE);
  executor.submit(MOVE);
  executor.settle();
  assert.deepEqual([...executor.rows[1]!], [10, 0, 0, 0, 0]);
  assert.deepEqual(
    executor.take().map(({ fate }) => fate),
    [FATE_OK, FATE_OK, FATE_OK],
  );
});

test('who runs another step says that it ran: turns go on until nobody has', () => {
  const nodes = [0, 1, 2];
  const executor = new SteppedExecutor(nodes.length);
  executor.rows[0]![0] = 5;
  executor.submit({
    operations: nodes.flatMap((node) => [0, 1, 2].map((step) => operation(node, OPERATION_READ, 0, { step }))),
    rounds: { stepCount: 3, awaited: [0b111, 0b111, 0], isMiddleLong: false },
  });
  for (let turn = 0; nodes.filter((node) => executor.step(node) === STEP_RAN).length > 0; turn++) assert.ok(turn < 20);
  assert.equal(executor.inAir, 0);
  assert.equal(executor.take()[0]!.fate, FATE_OK);
});

test('who is not awaited is not waited for, and who votes last may be long gone on', () => {
  const executor = new SteppedExecutor(3);
  executor.submit({
    operations: [...MOVE.operations, operation(2, OPERATION_ADD, 0, { amount: 1 })],
    rounds: MOVE.rounds!,
  });
  executor.submit(add(1, 1, 3));
  executor.submit(add(0, 1, 4));
  executor.rows[0]![0] = 6;
  assert.equal(executor.step(1), 1);
  assert.equal(executor.step(1), STEP_WAITING_ROUND);
  assert.equal(executor.rows[1]![1], 0, 'a node that stays runs nothing behind the ticket');
  executor.step(0);
  executor.step(1);
  // Node 2 has not begun; the others have done all and run on.
  assert.deepEqual([executor.rows[1]![0], executor.rows[1]![1], executor.rows[0]![1]], [6, 3, 4]);
  assert.equal(executor.step(1), STEP_IDLE);
  assert.equal(executor.inAir, 3);
  executor.settle();
  assert.equal(executor.rows[2]![0], 1);
});

test('a failed step ends the ticket; all undo at once, and no rollback is needed', () => {
  const executor = new SteppedExecutor(2);
  executor.rows[0]![0] = 3;
  executor.submit({
    operations: [
      operation(0, OPERATION_READ, 0),
      operation(1, OPERATION_ADD, 1, { amount: 2 }),
      operation(0, OPERATION_ADD, 0, { step: 1, amount: 4 }),
      operation(1, OPERATION_CHECK, 1, { step: 1, amount: 2 }),
    ],
    rounds: { stepCount: 2, awaited: [0b11, 0b11], isMiddleLong: false },
  });
  executor.settle();
  const [outcome] = executor.take();
  assert.equal(outcome!.error, 'raised operation 3: counter is 2');
  assert.deepEqual([executor.rows[0]![0], executor.rows[1]![1], executor.epoch], [3, 0, 0]);
});

test('which steps are run, and so which error the client gets, does not depend on timing', () => {
  for (const order of [
    [2, 0, 1],
    [0, 1, 2],
    [0, 2, 1],
  ]) {
    const executor = new SteppedExecutor(3);
    executor.rows[0]![0] = 3;
    executor.submit({
      operations: [
        operation(1, OPERATION_CHECK, 0, { step: 1 }),
        operation(2, OPERATION_CHECK, 0),
        operation(0, OPERATION_READ, 0),
      ],
      rounds: { stepCount: 2, awaited: [0b001, 0], isMiddleLong: false },
    });
    for (const node of order) executor.step(node);
    executor.settle();
    assert.equal(executor.take()[0]!.error, 'raised operation 0: counter is 0');
  }
});

test('what a part that fails has left stays while another reads it', () => {
  const executor = new SteppedExecutor(2);
  executor.rows[0]![0] = 3;
  executor.submit({
    operations: [
      operation(0, OPERATION_PAGE, 0),
      operation(0, OPERATION_READ, 0),
      operation(0, OPERATION_CHECK, 1, { step: 1 }),
      operation(1, OPERATION_READ_PEER, 0, { owner: 0, step: 1 }),
    ],
    rounds: { stepCount: 2, awaited: [0b01, 0b11], isMiddleLong: false },
  });
  const usedPages = executor.memory.usedPageCount;
  executor.step(0);
  assert.equal(executor.memory.usedPageCount, usedPages + 1);
  // The runner checks the page when it reads it.
  executor.step(1);
  executor.settle();
  assert.equal(executor.take()[0]!.error, 'raised operation 2: counter is 0');
  assert.equal(executor.memory.usedPageCount, usedPages);
});

test('a middle section that fails has no step behind it', () => {
  for (const awaited of [0b01, 0b11]) {
    const executor = new SteppedExecutor(2);
    // What is found is 0, and a middle section fails where it is divisible by 11.
    executor.submit({
      operations: [...MOVE.operations, operation(0, OPERATION_ADD, 1, { amount: 9 })],
      rounds: { stepCount: 2, awaited: [awaited, 0], isMiddleLong: true },
    });
    executor.settle();
    const [outcome] = executor.take();
    assert.equal(outcome!.error, 'zero_division step 0 found 0');
    assert.deepEqual([...executor.rows[0]!, ...executor.rows[1]!], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert.equal(executor.epoch, 0);
  }
});

test('with one participant, all steps are run at once, and a failure is undone in place', () => {
  for (const flags of [0, FLAG_WAIT, FLAG_TAIL, FLAG_TAIL | FLAG_WAIT]) {
    const executor = new SteppedExecutor(2);
    executor.rows[0]![0] = 7;
    executor.submit(
      {
        operations: [operation(0, OPERATION_READ, 0), operation(0, OPERATION_ADD_FOUND, 1, { step: 1 })],
        rounds: { stepCount: 2, awaited: [1, 0], isMiddleLong: false },
      },
      flags,
    );
    executor.step(0);
    assert.equal(executor.inAir, 0);
    // A tail fails at sums that are divisible by 7.
    const isFailing = (flags & FLAG_TAIL) !== 0;
    assert.equal(executor.take()[0]!.fate, isFailing ? FATE_FAILED : FATE_OK);
    assert.deepEqual([executor.rows[0]![1], executor.epoch], [isFailing ? 0 : 7, 0]);
  }
});

test('a WAIT ticket with rounds holds its participants until all have voted', () => {
  const executor = new SteppedExecutor(2);
  executor.rows[0]![0] = 5;
  executor.submit(MOVE, FLAG_WAIT);
  executor.submit(add(0, 1, 1));
  executor.step(0);
  assert.equal(executor.step(0), STEP_WAITING_VOTES);
  assert.equal(executor.rows[0]![1], 0);
  executor.settle();
  assert.deepEqual([executor.rows[1]![0], executor.rows[0]![1]], [5, 1]);
});

/** Ticket 1 fails on node 2 after node 0 has written; ticket 2, with rounds, is run by nodes 0 and 1 before that is known. */
function rollBackOver(during: CounterRequest, beforeFailure: (executor: SteppedExecutor) => void): SteppedExecutor {
  const executor = new SteppedExecutor(3);
  executor.rows[0]![0] = 5;
  executor.submit({
    operations: [operation(0, OPERATION_ADD, 0, { amount: 1 }), operation(2, OPERATION_CHECK, 0)],
  });
  executor.submit(during);
  beforeFailure(executor);
  executor.step(2);
  executor.settle();
  const [first, second] = executor.take();
  assert.deepEqual([first!.fate, second!.fate, executor.epoch], [FATE_FAILED, FATE_OK, 1]);
  const blockPages = executor.client.blocks.blockCount;
  assert.equal(executor.memory.usedPageCount, 3 + blockPages, 'no result page is lost');
  return executor;
}

test('a rollback takes participants out of a round that waits', () => {
  const waiting = rollBackOver(MOVE, (all) => {
    all.step(0, 1);
    all.step(1);
    assert.equal(all.step(1), STEP_WAITING_ROUND);
  });
  assert.equal(waiting.rows[1]![0], 5);
  // The first attempt has found 6, and has added it; the second finds 5.
  const ran = rollBackOver(MOVE, (all) => {
    all.step(0);
    all.step(1);
    assert.equal(all.rows[1]![0], 6);
  });
  assert.equal(ran.rows[1]![0], 5);
});

test('pages of an undone attempt are freed when no node can be reading them', () => {
  const request: CounterRequest = {
    operations: [
      operation(0, OPERATION_PAGE, 0),
      operation(0, OPERATION_READ, 0),
      operation(1, OPERATION_READ_PEER, 0, { owner: 0, step: 1 }),
      operation(1, OPERATION_LONG, 0, { step: 1 }),
    ],
    rounds: { stepCount: 2, awaited: [0b01, 0b10], isMiddleLong: true },
  };
  let usedBefore = 0;
  let usedDuring = 0;
  const executor = rollBackOver(request, (all) => {
    all.step(0);
    usedBefore = all.memory.usedPageCount;
    all.runners[1]!.onLong = () => {
      if (usedDuring !== 0) return false;
      // Node 1 is inside of step 1 when ticket 1 fails; node 0 undoes its part meanwhile.
      all.step(2);
      all.step(0);
      all.step(2);
      assert.equal(all.epoch, 1);
      usedDuring = all.memory.usedPageCount;
      return all.loops[1]!.shouldGiveUp();
    };
    all.step(1);
  });
  assert.equal(usedDuring, usedBefore);
  assert.equal(executor.rows[0]![0], 5);
});

test('invariant 4: an arrival of an old attempt is a bug', () => {
  const executor = new SteppedExecutor(2);
  executor.submit(MOVE);
  executor.step(1);
  const slot = executor.control.slotOf(2 ** 31 - 2);
  executor.control.words[slot + 7]!++;
  assert.throws(() => executor.step(1), /old attempt/);
});
