/**
 * Text values in the arenas, by ref: u32 byteLength, then the bytes, 16-byte aligned. They are compared, hashed and copied
 * by 32-bit words; the bytes of the last word behind the value are undefined and masked away.
 */

import type { Memory } from '../../base/memory.ts';
import type { Scratch } from '../../base/scratch.ts';

/** Bytes of the value at `ref`. */
export function byteLengthOf(memory: Memory, ref: number): number {
  return memory.i32[ref >>> 26][(ref & 0x3ffffff) << 2];
}

export function equalBytes(memory: Memory, left: number, right: number): boolean {
  if (left === right) return true;
  const leftWords = memory.i32[left >>> 26];
  const rightWords = memory.i32[right >>> 26];
  let l = (left & 0x3ffffff) << 2;
  let r = (right & 0x3ffffff) << 2;
  const length = leftWords[l];
  if (length !== rightWords[r]) return false;
  for (const end = l + (length >>> 2); l < end; ) if (leftWords[++l] !== rightWords[++r]) return false;
  const rest = length & 3;
  return rest === 0 || ((leftWords[l + 1] ^ rightWords[r + 1]) & ((1 << (rest << 3)) - 1)) === 0;
}

/** Order by bytes, a prefix first: negative, 0 or positive. */
export function compareBytes(memory: Memory, left: number, right: number): number {
  if (left === right) return 0;
  const leftWords = memory.i32[left >>> 26];
  const rightWords = memory.i32[right >>> 26];
  let l = (left & 0x3ffffff) << 2;
  let r = (right & 0x3ffffff) << 2;
  const leftLength = leftWords[l];
  const rightLength = rightWords[r];
  const shorter = Math.min(leftLength, rightLength);
  for (const end = l + (shorter >>> 2); l < end; ) {
    const leftWord = leftWords[++l];
    const rightWord = rightWords[++r];
    if (leftWord !== rightWord) return compareWords(leftWord, rightWord);
  }
  const rest = shorter & 3;
  if (rest !== 0) {
    const mask = (1 << (rest << 3)) - 1;
    const leftWord = leftWords[l + 1] & mask;
    const rightWord = rightWords[r + 1] & mask;
    if (leftWord !== rightWord) return compareWords(leftWord, rightWord);
  }
  return leftLength - rightLength;
}

/** Little-endian words that differ: the order of the first byte that differs. */
function compareWords(left: number, right: number): number {
  const difference = left ^ right;
  const shift = (31 - Math.clz32(difference & -difference)) & 24;
  return ((left >>> shift) & 255) - ((right >>> shift) & 255);
}

export function hashBytes(memory: Memory, ref: number): number {
  const words = memory.i32[ref >>> 26];
  let at = (ref & 0x3ffffff) << 2;
  const length = words[at];
  let hash = length ^ 0x2f0b4c47;
  for (const end = at + (length >>> 2); at < end; ) {
    hash = Math.imul(hash ^ words[++at], 0x5bd1e995);
    hash ^= hash >>> 15;
  }
  const rest = length & 3;
  if (rest !== 0) hash = Math.imul(hash ^ (words[at + 1] & ((1 << (rest << 3)) - 1)), 0x5bd1e995);
  return hash ^ (hash >>> 13);
}

/** The first six bytes as a number whose order agrees with that of the values; equal where those bytes are equal. */
export function bytesPrefix(memory: Memory, ref: number): number {
  const bytes = memory.u8[ref >>> 26];
  const at = ((ref & 0x3ffffff) << 4) + 4;
  const length = memory.i32[ref >>> 26][(ref & 0x3ffffff) << 2];
  let prefix = 0;
  for (let i = 0; i < 6; i++) prefix = prefix * 256 + (i < length ? bytes[at + i] : 0);
  return prefix;
}

/** Copies `byteCount` bytes between two places in the arenas. */
export function copyRun(memory: Memory, from: number, to: number, byteCount: number): void {
  if (byteCount <= 128) {
    const source = memory.i32[from >>> 26];
    const target = memory.i32[to >>> 26];
    const s = (from & 0x3ffffff) << 2;
    const t = (to & 0x3ffffff) << 2;
    const words = (byteCount + 3) >>> 2;
    for (let i = 0; i < words; i++) target[t + i] = source[s + i];
    return;
  }
  const at = (from & 0x3ffffff) << 4;
  memory.u8[to >>> 26].set(memory.u8[from >>> 26].subarray(at, at + byteCount), (to & 0x3ffffff) << 4);
}

/** A copy of a text, json or vector value in `scratch`. */
export function copyValue(memory: Memory, scratch: Scratch, ref: number): number {
  const byteCount = byteLengthOf(memory, ref) + 4;
  const copy = scratch.allocate(byteCount);
  copyRun(memory, ref, copy, byteCount);
  return copy;
}

/** The value as a JavaScript string, for messages. */
export function textOf(memory: Memory, ref: number): string {
  const at = ((ref & 0x3ffffff) << 4) + 4;
  // TextDecoder refuses shared memory: copy first.
  return new TextDecoder().decode(memory.u8[ref >>> 26].slice(at, at + byteLengthOf(memory, ref)));
}
