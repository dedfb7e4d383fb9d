import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WORDS_PER_PAGE } from '../base/memory.ts';
import { Cases, smallMemory } from './fixtures.ts';
import { Heap, valueUnits } from './heap.ts';

function newHeap() {
  const memory = smallMemory();
  const page = memory.allocateZeroed(1);
  const start = (page & 0xffff) << 12;
  const root = memory.i32[page >>> 16]!.subarray(start, start + WORDS_PER_PAGE);
  return { memory, heap: new Heap(memory, root, 64) };
}

test('blocks of all sizes never overlap, and freed space is used again', () => {
  const { memory, heap } = newHeap();
  const cases = new Cases(1);
  const blocks: { ref: number; units: number; tag: number }[] = [];
  const write = (ref: number, units: number, tag: number) =>
    memory.i32[ref >>> 26]!.fill(tag, (ref & 0x3ffffff) << 2, ((ref & 0x3ffffff) + units) << 2);
  const isIntact = ({ ref, units, tag }: { ref: number; units: number; tag: number }) =>
    memory.i32[ref >>> 26]!.subarray((ref & 0x3ffffff) << 2, ((ref & 0x3ffffff) + units) << 2).every(
      (word) => word === tag,
    );
  for (let step = 1; step <= 30_000; step++) {
    if (blocks.length < 400 || cases.oneIn(2)) {
      const units = 1 + cases.below(cases.pick([2, 33, 120, 600, 3000]));
      const ref = heap.allocate(units);
      write(ref, units, step);
      blocks.push({ ref, units, tag: step });
    } else {
      const index = cases.below(blocks.length);
      const block = blocks[index]!;
      blocks[index] = blocks.at(-1)!;
      blocks.pop();
      assert.ok(isIntact(block), `block of ${block.units} units at step ${step}`);
      heap.free(block.ref);
    }
    assert.equal(heap.blockCount(), blocks.length);
    if (blocks.length > 800) for (const block of blocks.splice(0, 600)) heap.free(block.ref);
  }
  assert.ok(blocks.every(isIntact));
  for (const block of blocks) heap.free(block.ref);
  assert.equal(heap.usedBytes(), 0);
  assert.ok(heap.pageCount() <= 51, 'only a page a size class stays');
  heap.clear();
  assert.equal(memory.usedPages(), 1);
});

test('texts of 11 bytes take 16', () => {
  const { heap } = newHeap();
  assert.equal(valueUnits(0), 1);
  assert.equal(valueUnits(12), 1);
  assert.equal(valueUnits(13), 2);
  for (let count = 0; count < 10_220; count++) heap.allocate(valueUnits(11));
  assert.equal(heap.pageCount(), 10);
  heap.allocate(1);
  assert.equal(heap.pageCount(), 11);
});

test('all space of freed blocks serves blocks of another size', () => {
  const { memory, heap } = newHeap();
  const refs = Array.from({ length: 5110 }, () => heap.allocate(2));
  const pages = memory.usedPages();
  for (const ref of refs) heap.free(ref);
  for (let count = 0; count < 200; count++) heap.allocate(40);
  assert.ok(memory.usedPages() <= pages);
});

test('a block is freed once', () => {
  const { heap } = newHeap();
  const ref = heap.allocate(3);
  heap.free(ref);
  assert.throws(() => heap.free(ref), /freed once/);
});
