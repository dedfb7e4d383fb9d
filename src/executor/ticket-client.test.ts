import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { SqlError } from '../base/errors.ts';
import { PAGE_BYTES } from '../base/limits.ts';
import { TestArena } from '../testing/test-arena.ts';
import { bitCount, Control } from './control.ts';
import {
  BLOCK_MASK_LOW,
  BLOCK_ORDINAL,
  BLOCK_PARAMETER_COUNT,
  BLOCK_PARAMETER_REF,
  blockPageCount,
  CONTROL_FINAL,
  CONTROL_NODE_PARKED,
  PART_INLINE_BYTES,
  parameterOffset,
  SLOT_PUBLISHED,
  SLOT_VOTES,
} from './layout.ts';
import { BlockView, RequestBlocks, readError, writeError } from './request-block.ts';
import { TicketClient } from './ticket-client.ts';

const arena = (pageCount: number): TestArena => new TestArena(TestArena.reserve(pageCount), 0, pageCount);

test('invariant 14: each frontend and main may have their share of the slots in the air', () => {
  const control = Control.create({ nodeCount: 2, frontendCount: 2, slotCount: 16, firstTicket: 2 ** 31 - 3 });
  assert.equal(control.inAirLimit, 5);
  const client = new TicketClient(control, arena(64), 0);
  const blocks: number[] = [];
  while (client.canSubmit()) {
    blocks.push(client.blocks.take());
    assert.equal(client.submit(blocks.at(-1)!, 1, 0, 0, 1, 1), true);
  }
  assert.equal(blocks.length, 5);
  assert.equal(client.submit(client.blocks.take(), 1, 0, 0, 1, 1), false);
  // final passes two of them; the tickets have wrapped meanwhile.
  Atomics.store(control.words, CONTROL_FINAL, (2 ** 31 - 1) | 0);
  const seen: number[] = [];
  assert.equal(
    client.poll((block) => seen.push(block), 1),
    1,
  );
  assert.equal(client.hasFinal(), true);
  assert.equal(
    client.poll((block) => seen.push(block), 10),
    1,
  );
  assert.deepEqual(seen, blocks.slice(0, 2));
  assert.equal(client.hasFinal(), false);
  assert.equal(client.inAir, 3);
});

test('a flush wakes the parked nodes concerned, and those of others that waited behind our slot', () => {
  const control = Control.create({ nodeCount: 4, frontendCount: 2, slotCount: 16 });
  const memory = arena(64);
  const [first, second] = [new TicketClient(control, memory, 0), new TicketClient(control, memory, 1)];
  const parked = (node: number): number => control.words[CONTROL_NODE_PARKED + node * 16]!;
  const parkAll = (): void => {
    for (let node = 0; node < 4; node++) Atomics.store(control.words, CONTROL_NODE_PARKED + node * 16, 1);
  };
  parkAll();
  first.submit(first.blocks.take(), 0b0001, 0, 0, 1, 1);
  second.submit(second.blocks.take(), 0b0100, 0, 0, 1, 1);
  second.flushWakeups();
  assert.deepEqual([0, 1, 2, 3].map(parked), [1, 1, 0, 1]);
  // Node 2 met the first slot unpublished, and parked again.
  parkAll();
  first.flushWakeups();
  assert.deepEqual([0, 1, 2, 3].map(parked), [0, 1, 0, 1]);
  parkAll();
  first.flushWakeups();
  assert.deepEqual([0, 1, 2, 3].map(parked), [1, 1, 1, 1]);
});

test('masks of 64 nodes', () => {
  const control = Control.create({ nodeCount: 64, frontendCount: 1, slotCount: 16 });
  assert.deepEqual([control.allNodesLow(), control.allNodesHigh()], [-1, -1]);
  assert.deepEqual([0, 1, -1, 0x80000001 | 0, 0x0f0f0f0f].map(bitCount), [0, 1, 32, 2, 16]);
  for (const node of [0, 31, 32, 63]) Atomics.store(control.words, CONTROL_NODE_PARKED + node * 16, 1);
  control.wakeNodes(0x80000001 | 0, 0x80000001 | 0);
  for (const node of [0, 31, 32, 63]) assert.equal(control.words[CONTROL_NODE_PARKED + node * 16], 0);
  const client = new TicketClient(control, arena(64), 0);
  client.submit(client.blocks.take(), -1, 3, 0, 1, 1);
  assert.equal(control.words[control.slotOf(0) + SLOT_VOTES], 34);
  for (const [nodeCount, low, high] of [
    [1, 1, 0],
    [31, 0x7fffffff, 0],
    [32, -1, 0],
    [33, -1, 1],
  ] as const) {
    const other = Control.create({ nodeCount, frontendCount: 1, slotCount: 16 });
    assert.deepEqual([other.allNodesLow(), other.allNodesHigh()], [low, high]);
  }
});

test('settings that leave a frontend without a slot are refused', () => {
  assert.throws(() => Control.create({ nodeCount: 1, frontendCount: 16, slotCount: 16 }), /16 frontends need/);
  assert.equal(Control.create({ nodeCount: 1, frontendCount: 15, slotCount: 16 }).inAirLimit, 1);
});

test('no slot of a new ring looks published', () => {
  for (const firstTicket of [0, 5, 2 ** 31 - 100, -7]) {
    const control = Control.create({ nodeCount: 1, frontendCount: 1, slotCount: 16, firstTicket });
    for (let offset = 0; offset < 16; offset++) {
      const ticket = (firstTicket + offset) | 0;
      assert.notEqual(control.words[control.slotOf(ticket) + SLOT_PUBLISHED], ticket);
    }
  }
});

test('parameters that do not fit the block get pages of their own, and give them back', () => {
  const memory = arena(128);
  const blocks = new RequestBlocks(memory, 0, 2);
  const view = new BlockView(memory);
  const block = blocks.take();
  const inBlock = block * 1024 + parameterOffset(2) / 16;
  const fitting = (blockPageCount(2) * PAGE_BYTES - parameterOffset(2)) / 16;
  blocks.reserveParameters(block, fitting);
  assert.equal(view.at(block).get(BLOCK_PARAMETER_REF), inBlock);
  blocks.reserveParameters(block, fitting + 1);
  assert.notEqual(view.get(BLOCK_PARAMETER_REF), inBlock);
  assert.equal(view.get(BLOCK_PARAMETER_COUNT), fitting + 1);
  blocks.reserveParameters(block, 16_384);
  assert.equal(memory.usedPageCount, blockPageCount(2) + 16);
  blocks.release(block);
  assert.equal(memory.usedPageCount, blockPageCount(2));
  assert.equal(blocks.take(), block);
  assert.equal(view.get(BLOCK_PARAMETER_REF), inBlock);
  assert.equal(view.at(blocks.take()).get(BLOCK_ORDINAL), 1);
});

test('of several errors the client gets the smallest statement, row and code', () => {
  const memory = arena(16);
  const view = new BlockView(memory).at(new RequestBlocks(memory, 0, 4).take());
  const error = (message: string, statement: number, row: number): SqlError & { statement: number; row: number } =>
    Object.assign(new SqlError('raised', message), { statement, row });
  view.set(BLOCK_MASK_LOW, 0b1110);
  writeError(view, 0, error('of another request', 0, 0));
  writeError(view, 4, new SqlError('zero_division', 'tail'));
  assert.equal(readError(view, 4).message, 'tail');
  writeError(view, 1, error('later statement', 2, 1));
  writeError(view, 2, error('later row', 1, 7));
  writeError(view, 3, error('first', 1, 2));
  assert.equal(readError(view, 4).message, 'first');
  assert.equal(readError(view, 4).code, 'raised');
});

test('a long error text is cut at a character', () => {
  const memory = arena(16);
  const view = new BlockView(memory).at(new RequestBlocks(memory, 0, 1).take());
  view.set(BLOCK_MASK_LOW, 1);
  writeError(view, 0, new SqlError('raised', `${'a'.repeat(PART_INLINE_BYTES - 1)}ü and more`));
  assert.equal(readError(view, 1).message, 'a'.repeat(PART_INLINE_BYTES - 1));
});

test('a catalog is read with its version, wherever it lies', () => {
  const control = Control.create({ nodeCount: 1, frontendCount: 1, slotCount: 16 });
  const memory = arena(16);
  const page = memory.allocate(1);
  memory.u8[0]!.set([1, 2, 3], page * PAGE_BYTES);
  control.publishCatalog(7, page * 1024, 3);
  const { version, bytes } = control.readCatalog(memory);
  assert.equal(version, 7);
  assert.deepEqual([...bytes], [1, 2, 3]);
});

test('the reason of a log failure is kept for all threads', () => {
  const control = Control.create({ nodeCount: 1, frontendCount: 1, slotCount: 16 });
  control.setFailure('write: no space left');
  assert.equal(new Control(control.shared).failure(), 'write: no space left');
  control.setFailure('x'.repeat(10_000));
  assert.equal(control.failure(), 'x'.repeat(444));
});
