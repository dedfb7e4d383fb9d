import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { SqlError } from './errors.ts';
import { PAGE_BYTES } from './limits.ts';
import { ARENA_RESERVED_PAGES, Memory, WORDS_PER_PAGE } from './memory.ts';

function pages(count: number): Memory {
  return Memory.create({ limitBytes: count * PAGE_BYTES, eagerArenas: false });
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof SqlError && error.code === 'out_of_memory';
}

test('allocations never overlap, and freed pages are used again', () => {
  const memory = pages(500);
  const owner = new Map<number, number>();
  const live: { page: number; count: number }[] = [];
  let state = 1;
  for (let step = 0; step < 5000; step++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    const count = 1 + ((state >>> 16) % 7);
    const used = live.reduce((sum, run) => sum + run.count, 0);
    if (state % 3 !== 0 && used + count < 300) {
      const page = memory.allocate(count);
      for (let index = page; index < page + count; index++) {
        assert.equal(owner.get(index), undefined);
        owner.set(index, page);
      }
      live.push({ page, count });
    } else if (live.length > 0) {
      const [run] = live.splice((state >>> 8) % live.length, 1);
      memory.free(run!.page, run!.count);
      for (let index = run!.page; index < run!.page + run!.count; index++) owner.delete(index);
    }
    assert.equal(memory.usedPages(), owner.size);
  }
  for (const run of live) memory.free(run.page, run.count);
  memory.flushCache();
  assert.equal(memory.usedPages(), 0);
  assert.equal(memory.allocate(1), ARENA_RESERVED_PAGES);
});

test('zeroed pages are zero, also when they were used before', () => {
  const memory = pages(100);
  for (const count of [1, 3, 1, 3, 2]) {
    const page = memory.allocateZeroed(count);
    const start = (page & 0xffff) << 12;
    const words = memory.i32[page >>> 16]!.subarray(start, start + count * WORDS_PER_PAGE);
    assert.ok(words.every((word) => word === 0));
    words.fill(-1);
    memory.free(page, count);
  }
});

test('the limit is an error of the user, and what is freed can be had again', () => {
  const memory = pages(10);
  const first = memory.allocate(6);
  assert.throws(() => memory.allocate(5), isOutOfMemory);
  const singles = [memory.allocate(1), memory.allocate(1), memory.allocate(1), memory.allocate(1)];
  assert.throws(() => memory.allocate(1), isOutOfMemory);
  memory.free(first, 6);
  assert.equal(memory.usedPages(), singles.length);
  assert.ok(memory.allocate(6) > 0);
  memory.setLimitBytes(12 * PAGE_BYTES);
  memory.allocate(2);
  assert.throws(() => memory.allocate(1), isOutOfMemory);
});

test('a run is freed as it was allocated', () => {
  const memory = pages(10);
  const page = memory.allocate(3);
  assert.throws(() => memory.free(page, 2), /freed as they were allocated/);
  assert.throws(() => memory.free(page + 1, 1), /freed as they were allocated/);
  memory.free(page, 3);
  assert.throws(() => memory.free(page, 3), /freed as they were allocated/);
});

test('what is frozen is let go by its reader or given up by its owner, never both', () => {
  for (const pageCount of [1, 3]) {
    const memory = pages(20);
    const [first, second] = [memory.allocate(pageCount), memory.allocate(pageCount)];
    memory.freeze(first);
    memory.freeze(second);
    assert.ok(memory.isFrozen(first));
    assert.equal(memory.pageCountOf(first), pageCount);
    assert.throws(() => memory.freeze(first), /live/);
    assert.throws(() => memory.free(first, pageCount), /while frozen/);
    // The reader is first.
    assert.equal(memory.letGo(first), true);
    assert.equal(memory.isFrozen(first), false);
    assert.equal(memory.orphan(first), false);
    assert.throws(() => memory.letGo(first), /once/);
    // The owner is first.
    assert.equal(memory.orphan(second), true);
    assert.equal(memory.isFrozen(second), false);
    assert.throws(() => memory.orphan(second), /once/);
    assert.throws(() => memory.free(second, pageCount), /while frozen/);
    assert.equal(memory.letGo(second), false);
    memory.free(first, pageCount);
    memory.free(second, pageCount);
    memory.flushCache();
    assert.equal(memory.usedPages(), 0);
  }
});

test('a second arena is added when the first is full', () => {
  const memory = Memory.create({ limitBytes: 2 ** 31, eagerArenas: false });
  assert.equal(memory.i32.length, 1);
  const first = memory.allocate(60_000);
  const second = memory.allocate(60_000);
  assert.equal(first >>> 16, 0);
  assert.equal(second >>> 16, 1);
  memory.i32[1]![(second & 0xffff) << 12] = 5;
  assert.ok(memory.allocate(100) >>> 16 === 0);
});

test('threads that allocate at the same time get different pages', async () => {
  const memory = Memory.create({ limitBytes: 4000 * PAGE_BYTES, eagerArenas: true });
  const source = `
    import { workerData, parentPort } from 'node:worker_threads';
    const { Memory } = await import(workerData.module);
    const memory = Memory.open(workerData.handle);
    const mine = [];
    let isIntact = true;
    for (let step = 0; step < 20000; step++) {
      const count = 1 + (step * 7 + workerData.tag) % 3;
      const page = memory.allocate(count);
      const words = memory.i32[page >>> 16];
      for (let index = 0; index < count; index++) words[((page & 0xffff) + index) << 12] = workerData.tag;
      mine.push([page, count]);
      if (mine.length > 50) {
        const [old, oldCount] = mine.splice((step * 13) % mine.length, 1)[0];
        for (let index = 0; index < oldCount; index++) {
          if (memory.i32[old >>> 16][((old & 0xffff) + index) << 12] !== workerData.tag) isIntact = false;
        }
        memory.free(old, oldCount);
      }
    }
    for (const [page, count] of mine) memory.free(page, count);
    memory.flushCache();
    parentPort.postMessage(isIntact);
  `;
  const url = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
  const module = new URL('./memory.ts', import.meta.url).href;
  const replies = [1, 2, 3].map(async (tag) => {
    const worker = new Worker(url, { workerData: { module, handle: memory.share(), tag } });
    const [isIntact] = (await once(worker, 'message')) as [boolean];
    return isIntact;
  });
  assert.deepEqual(await Promise.all(replies), [true, true, true]);
  assert.equal(memory.usedPages(), 0);
});
