/**
 * UTF-8: checking, counting and moving by characters (code points), over bytes in place.
 */

const decoder = new TextDecoder('utf-8');

/** Longest text shown in an error. */
const SHOWN_BYTES_MAX = 80;

/** The text of bytes[start, end), which may lie in shared memory: TextDecoder takes only a copy of that. */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  if (end - start <= 24) {
    let text = '';
    for (let i = start; i < end; i++) {
      const byte = bytes[i]!;
      if (byte >= 128) return decoder.decode(bytes.slice(start, end));
      text += String.fromCharCode(byte);
    }
    return text;
  }
  return decoder.decode(bytes.slice(start, end));
}

/** The text in quotes for a message, cut after 80 bytes. */
export function showText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start <= SHOWN_BYTES_MAX) return `'${decodeUtf8(bytes, start, end)}'`;
  let cut = start + SHOWN_BYTES_MAX;
  while (cut > start && (bytes[cut]! & 0xc0) === 0x80) cut--;
  return `'${decodeUtf8(bytes, start, cut)}…'`;
}

/** The offset of the first byte in [start, end) that is not valid UTF-8 (RFC 3629: shortest forms, no surrogates), or -1. */
export function findInvalidUtf8(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end) {
    const byte = bytes[at]!;
    if (byte < 0x80) {
      at++;
      continue;
    }
    const length = sequenceLength(bytes, at, end);
    if (length === 0) return at;
    at += length;
  }
  return -1;
}

/** Bytes of the valid sequence of more than one byte at `at`, or 0. */
export function sequenceLength(bytes: Uint8Array, at: number, end: number): number {
  const byte = bytes[at]!;
  if (byte < 0xc2) return 0;
  if (byte < 0xe0) return at + 2 <= end && isTail(bytes[at + 1]!) ? 2 : 0;
  if (byte < 0xf0) {
    if (at + 3 > end || !isTail(bytes[at + 2]!)) return 0;
    const second = bytes[at + 1]!;
    if (!isTail(second) || (byte === 0xe0 && second < 0xa0) || (byte === 0xed && second > 0x9f)) return 0;
    return 3;
  }
  if (byte > 0xf4 || at + 4 > end || !isTail(bytes[at + 2]!) || !isTail(bytes[at + 3]!)) return 0;
  const second = bytes[at + 1]!;
  if (!isTail(second) || (byte === 0xf0 && second < 0x90) || (byte === 0xf4 && second > 0x8f)) return 0;
  return 4;
}

function isTail(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

/** Characters in bytes[start, end), which is valid. */
export function countCharacters(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let i = start; i < end; i++) if ((bytes[i]! & 0xc0) !== 0x80) count++;
  return count;
}

/** The offset `count` characters after `start`, at most `end`. */
export function skipCharacters(bytes: Uint8Array, start: number, end: number, count: number): number {
  let at = start;
  while (count > 0 && at < end) {
    at++;
    while (at < end && (bytes[at]! & 0xc0) === 0x80) at++;
    count--;
  }
  return at;
}

/** Writes a code point at `at` (up to 4 bytes of room) and gives the offset behind it. */
export function encodeCodePoint(bytes: Uint8Array, at: number, codePoint: number): number {
  if (codePoint < 0x80) {
    bytes[at] = codePoint;
    return at + 1;
  }
  if (codePoint < 0x800) {
    bytes[at] = 0xc0 | (codePoint >> 6);
    bytes[at + 1] = 0x80 | (codePoint & 63);
    return at + 2;
  }
  if (codePoint < 0x10000) {
    bytes[at] = 0xe0 | (codePoint >> 12);
    bytes[at + 1] = 0x80 | ((codePoint >> 6) & 63);
    bytes[at + 2] = 0x80 | (codePoint & 63);
    return at + 3;
  }
  bytes[at] = 0xf0 | (codePoint >> 18);
  bytes[at + 1] = 0x80 | ((codePoint >> 12) & 63);
  bytes[at + 2] = 0x80 | ((codePoint >> 6) & 63);
  bytes[at + 3] = 0x80 | (codePoint & 63);
  return at + 4;
}

/** -1, 0 or 1: the order of two byte ranges, as unsigned bytes, a prefix before the longer. */
export function compareBytes(
  a: Uint8Array,
  aStart: number,
  aLength: number,
  b: Uint8Array,
  bStart: number,
  bLength: number,
): number {
  const length = Math.min(aLength, bLength);
  for (let i = 0; i < length; i++) {
    const x = a[aStart + i]!;
    const y = b[bStart + i]!;
    if (x !== y) return x < y ? -1 : 1;
  }
  return aLength === bLength ? 0 : aLength < bLength ? -1 : 1;
}

/** The offset of the needle in haystack[start, end), or -1. */
export function findBytes(
  haystack: Uint8Array,
  start: number,
  end: number,
  needle: Uint8Array,
  needleStart: number,
  needleLength: number,
): number {
  if (needleLength === 0) return start;
  const first = needle[needleStart]!;
  const last = end - needleLength;
  for (let at = start; at <= last; at++) {
    if (haystack[at] !== first) continue;
    let i = 1;
    while (i < needleLength && haystack[at + i] === needle[needleStart + i]) i++;
    if (i === needleLength) return at;
  }
  return -1;
}
