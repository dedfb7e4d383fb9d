import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BufferPool } from './pool.ts';

test('buffers are powers of two, large enough, and come back', () => {
  const pool = new BufferPool();
  const sizes: [number, number][] = [
    [0, 1024],
    [1, 1024],
    [1024, 1024],
    [1025, 2048],
    [65_536, 65_536],
    [65_537, 131_072],
    [1_048_576, 1_048_576],
    [1_048_577, 1_048_577],
  ];
  for (const [asked, given] of sizes) assert.equal(pool.take(asked).length, given);
  const first = pool.take(5000);
  pool.give(first);
  assert.equal(pool.take(8000), first);
  assert.notEqual(pool.take(8000), first);
});

test('growing keeps what is used', () => {
  const pool = new BufferPool();
  const small = pool.take(1024);
  small.write('abc');
  const large = pool.grow(small, 3, 3_000_000);
  assert.equal(large.length, 3_000_000);
  assert.equal(large.toString('latin1', 0, 3), 'abc');
  assert.equal(pool.take(10), small);
});

test('free memory is bounded', () => {
  const pool = new BufferPool();
  const buffers = Array.from({ length: 5 }, () => pool.take(1_048_576));
  for (const buffer of buffers) pool.give(buffer);
  const again = new Set(Array.from({ length: 5 }, () => pool.take(1_048_576)));
  assert.equal(buffers.filter((buffer) => again.has(buffer)).length, 2);
});
