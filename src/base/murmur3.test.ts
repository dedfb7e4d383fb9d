import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashSlot, murmur3Bytes, murmur3Int64 } from './murmur3.ts';

/** Known answers of MurmurHash3_x86_32: text, seed, hash. */
const VECTORS: readonly (readonly [string, number, number])[] = [
  ['', 0, 0],
  ['', 1, 0x514e28b7],
  ['', 0xffffffff, 0x81f16f39],
  ['test', 0, 0xba6bd213],
  ['test', 0x9747b28c, 0x704b81dc],
  ['Hello, world!', 0, 0xc0363e43],
  ['Hello, world!', 0x9747b28c, 0x24884cba],
  ['The quick brown fox jumps over the lazy dog', 0, 0x2e4ff723],
  ['The quick brown fox jumps over the lazy dog', 0x9747b28c, 0x2fa826cd],
];

test('bytes hash as the published algorithm', () => {
  for (const [text, seed, hash] of VECTORS) {
    const bytes = new TextEncoder().encode(`--${text}--`);
    assert.equal(murmur3Bytes(bytes, 2, bytes.length - 2, seed | 0) >>> 0, hash, text);
  }
  // Every length of a rest.
  for (const [hex, hash] of [
    ['21', 0x72661cf4],
    ['2143', 0xa0f7b07a],
    ['214365', 0x7e4a8634],
    ['21436587', 0xf55b516b],
  ] as const) {
    const bytes = Buffer.from(hex, 'hex');
    assert.equal(murmur3Bytes(bytes, 0, bytes.length, 0) >>> 0, hash, hex);
  }
});

test('an integer hashes as its 8 little-endian bytes', () => {
  for (const value of [0n, 1n, -1n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n), 0x0123456789abcdefn]) {
    const bytes = new Uint8Array(8);
    const view = new DataView(bytes.buffer);
    view.setBigInt64(0, value, true);
    for (const seed of [0, 77, -5]) {
      const expected = murmur3Bytes(bytes, 0, 8, seed);
      assert.equal(murmur3Int64(view.getInt32(0, true), view.getInt32(4, true), seed), expected);
    }
  }
});

test('slots are taken from the unsigned hash', () => {
  assert.equal(hashSlot(-1), 4294967295 % 8096);
  assert.equal(hashSlot(8096), 0);
});
