/** The text of a uuid: 32 hexadecimal digits for its 16 bytes in their order, written as 8-4-4-4-12 in lower case. */

import type { ByteWriter } from '../base/byte-writer.ts';
import { SqlError } from '../base/errors.ts';
import type { Memory } from '../base/memory.ts';
import { showText } from './utf8.ts';

export const UUID_BYTES = 16;

const HYPHEN = 45;
const HEX = '0123456789abcdef';

/**
 * Reads a uuid from bytes[start, end) into target[at, at + 16). As PostgreSQL: digits in any case, hyphens may stand behind
 * every fourth digit, braces around it all. Throws invalid_value naming the text; the target is undefined then.
 */
export function parseUuid(bytes: Uint8Array, start: number, end: number, target: Uint8Array, at: number): void {
  let next = start;
  let last = end;
  if (last - next > 1 && bytes[next] === 123 && bytes[last - 1] === 125) {
    next++;
    last--;
  }
  for (let index = 0; index < UUID_BYTES; index++) {
    if (index > 0 && (index & 1) === 0 && next < last && bytes[next] === HYPHEN) next++;
    const high = next < last ? digitOf(bytes[next]!) : -1;
    const low = next + 1 < last ? digitOf(bytes[next + 1]!) : -1;
    if (high < 0 || low < 0) throw invalidUuid(bytes, start, end);
    target[at + index] = (high << 4) | low;
    next += 2;
  }
  if (next !== last) throw invalidUuid(bytes, start, end);
}

function invalidUuid(bytes: Uint8Array, start: number, end: number): SqlError {
  return new SqlError('invalid_value', `invalid uuid ${showText(bytes, start, end)}`);
}

/** Value of a hexadecimal digit, -1 for anything else. */
function digitOf(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const letter = (byte | 32) - 97;
  return letter >= 0 && letter < 6 ? letter + 10 : -1;
}

/** Appends the text of the uuid at bytes[at, at + 16): 36 characters. */
export function writeUuid(writer: ByteWriter, bytes: Uint8Array, at: number): void {
  writer.ensure(36);
  const text = writer.bytes;
  let end = writer.length;
  for (let index = 0; index < UUID_BYTES; index++) {
    if (index === 4 || index === 6 || index === 8 || index === 10) text[end++] = HYPHEN;
    const byte = bytes[at + index]!;
    text[end++] = HEX.charCodeAt(byte >>> 4);
    text[end++] = HEX.charCodeAt(byte & 15);
  }
  writer.length = end;
}

/** Negative, 0 or positive: the order of the bytes of the uuids at two refs. */
export function compareUuids(memory: Memory, left: number, right: number): number {
  const leftBytes = memory.u8[left >>> 26]!;
  const rightBytes = memory.u8[right >>> 26]!;
  const l = (left & 0x3ffffff) << 4;
  const r = (right & 0x3ffffff) << 4;
  for (let index = 0; index < UUID_BYTES; index++) {
    const difference = leftBytes[l + index]! - rightBytes[r + index]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Equality of the uuids at two refs. */
export function equalUuids(memory: Memory, left: number, right: number): boolean {
  const leftWords = memory.i32[left >>> 26]!;
  const rightWords = memory.i32[right >>> 26]!;
  const l = (left & 0x3ffffff) << 2;
  const r = (right & 0x3ffffff) << 2;
  return (
    leftWords[l] === rightWords[r] &&
    leftWords[l + 1] === rightWords[r + 1] &&
    leftWords[l + 2] === rightWords[r + 2] &&
    leftWords[l + 3] === rightWords[r + 3]
  );
}

/** The first six bytes of the uuid at `ref` as a number, which orders as uuids do. */
export function uuidPrefix(memory: Memory, ref: number): number {
  const bytes = memory.u8[ref >>> 26]!;
  const at = (ref & 0x3ffffff) << 4;
  let prefix = 0;
  for (let index = 0; index < 6; index++) prefix = prefix * 256 + bytes[at + index]!;
  return prefix;
}
