import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bursts } from './bursts.ts';

/** Where in a burst of so many requests the nodes are woken, counted from 1. */
function wakings(bursts: Bursts, requestCount: number, batchBytes = 0): number[] {
  const found: number[] = [];
  for (let request = 1; request <= requestCount; request++) {
    if (!bursts.add(batchBytes)) continue;
    found.push(request);
    bursts.flushed();
  }
  bursts.flushed();
  bursts.end();
  return found;
}

test('nodes are woken early in small bursts, and seldom in large ones', () => {
  const bursts = new Bursts();
  assert.deepEqual(wakings(bursts, 7), [3, 6]);
  // The mean takes an eighth of each: after two bursts of 64 it is over 12.
  for (let count = 0; count < 2; count++) wakings(bursts, 64);
  assert.deepEqual(wakings(bursts, 70), [32, 64]);
  // A pass without requests is no burst.
  for (let count = 0; count < 50; count++) assert.deepEqual(wakings(bursts, 0), []);
  assert.deepEqual(wakings(bursts, 33), [32]);
  for (let count = 0; count < 30; count++) wakings(bursts, 2);
  assert.deepEqual(wakings(bursts, 7), [3, 6]);
});

test('behind a large batch they are woken at once', () => {
  const bursts = new Bursts();
  assert.deepEqual(wakings(bursts, 2, 4096), [1, 2]);
  for (let count = 0; count < 10; count++) wakings(bursts, 64);
  assert.deepEqual(wakings(bursts, 3, 5000), [1, 2, 3]);
  assert.deepEqual(wakings(bursts, 3, 4095), []);
});
