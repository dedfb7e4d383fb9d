/**
 * murmur3-32 (Austin Appleby's MurmurHash3_x86_32), which spreads rows over hash slots: over the key columns in order,
 * integers, dates and timestamps as 8 little-endian bytes, uuid as its 16, text as its bytes; seed 0, then the previous
 * column's hash; slot = hash mod HASH_SLOT_COUNT. The values are part of the WAL and checkpoint format: they never change.
 */

import { HASH_SLOT_COUNT } from './limits.ts';

const C1 = 0xcc9e2d51 | 0;
const C2 = 0x1b873593 | 0;

function mixBlock(hash: number, block: number): number {
  block = Math.imul(block, C1);
  block = (block << 15) | (block >>> 17);
  hash ^= Math.imul(block, C2);
  hash = (hash << 13) | (hash >>> 19);
  return (Math.imul(hash, 5) + 0xe6546b64) | 0;
}

function finish(hash: number, byteLength: number): number {
  hash ^= byteLength;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** Hash of a 64-bit integer given as its low and high 32-bit words. Signed 32-bit result, as are seeds. */
export function murmur3Int64(low: number, high: number, seed: number): number {
  return finish(mixBlock(mixBlock(seed, low), high), 8);
}

/** Hash of bytes[start, end). */
export function murmur3Bytes(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let hash = seed | 0;
  let index = start;
  for (const last = end - 3; index < last; index += 4) {
    hash = mixBlock(
      hash,
      bytes[index]! | (bytes[index + 1]! << 8) | (bytes[index + 2]! << 16) | (bytes[index + 3]! << 24),
    );
  }
  const rest = end - index;
  if (rest > 0) {
    let block = bytes[index]!;
    if (rest > 1) block |= bytes[index + 1]! << 8;
    if (rest > 2) block |= bytes[index + 2]! << 16;
    block = Math.imul(block, C1);
    block = (block << 15) | (block >>> 17);
    hash ^= Math.imul(block, C2);
  }
  return finish(hash, end - start);
}

/** The hash slot of a key's hash. */
export function hashSlot(hash: number): number {
  return (hash >>> 0) % HASH_SLOT_COUNT;
}
