/**
 * Text constants: from the bytes between their quotes to what they say.
 *
 * Escapes: `\\ \" \' \/ \a \b \f \n \r \t \v \uXXXX`, and the delimiter doubled. A backslash before any other character
 * stays in the text. What comes out is never longer in bytes than what went in.
 */
import { SqlError } from '../../base/errors.ts';

/** What `\x` stands for, by the byte x; 0 where the backslash stays. */
const ESCAPES: Uint8Array = buildEscapes();

function buildEscapes(): Uint8Array {
  const escapes = new Uint8Array(256);
  for (const same of '\\"\'/') escapes[same.charCodeAt(0)] = same.charCodeAt(0);
  const named: readonly [string, number][] = [
    ['a', 7],
    ['b', 8],
    ['f', 12],
    ['n', 10],
    ['r', 13],
    ['t', 9],
    ['v', 11],
  ];
  for (const [letter, byte] of named) escapes[letter.charCodeAt(0)] = byte;
  return escapes;
}

/**
 * The text between the quotes that stand before `start` and at `end`.
 * Throws SqlError syntax_error, with the byte offset of the backslash, for a malformed `\u`.
 */
export function decodeText(bytes: Uint8Array, start: number, end: number): string {
  if (!hasEscape(bytes, start, end)) return utf8(bytes, start, end);
  const decoded = new Uint8Array(end - start);
  return utf8(decoded, 0, decodeTextInto(bytes, start, end, decoded, 0));
}

/**
 * Writes the text between the quotes that stand before `start` and at `end` into `target` from `at`, as UTF-8, and returns
 * the position behind it. `target` needs room for `end - start` bytes. Throws like decodeText.
 */
export function decodeTextInto(bytes: Uint8Array, start: number, end: number, target: Uint8Array, at: number): number {
  const delimiter = bytes[start - 1]!;
  let from = start;
  while (from < end) {
    const byte = bytes[from]!;
    if (byte === delimiter) {
      target[at++] = byte;
      from += 2;
    } else if (byte !== 92) {
      target[at++] = byte;
      from++;
    } else {
      const next = bytes[from + 1]!;
      const meaning = ESCAPES[next]!;
      if (meaning !== 0) {
        target[at++] = meaning;
        from += 2;
      } else if (next === 117 /* u */) {
        const codePoint = readUnicodeEscape(bytes, from, end);
        if (codePoint < 0) throw new SqlError('syntax_error', 'invalid \\u escape in a string', from);
        from += codePoint > 0xffff ? 12 : 6;
        at = writeCodePoint(target, at, codePoint);
      } else {
        target[at++] = byte;
        from++;
      }
    }
  }
  return at;
}

/**
 * The code point of the `\uXXXX` (or pair of them) at `at`, or -1 when it is malformed or half a pair.
 * A code point beyond U+FFFF took 12 bytes, any other 6.
 */
export function readUnicodeEscape(bytes: Uint8Array, at: number, end: number): number {
  const first = readHex(bytes, at, end);
  if (first < 0xd800 || first > 0xdfff) return first;
  if (first > 0xdbff) return -1;
  const second = readHex(bytes, at + 6, end);
  if (second < 0xdc00 || second > 0xdfff) return -1;
  return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
}

/** The value of the `\uXXXX` at `at`, or -1. */
function readHex(bytes: Uint8Array, at: number, end: number): number {
  if (at + 6 > end || bytes[at] !== 92 || bytes[at + 1] !== 117) return -1;
  let value = 0;
  for (let index = at + 2; index < at + 6; index++) {
    const byte = bytes[index]!;
    const letter = byte | 32;
    if (byte >= 48 && byte <= 57) value = value * 16 + byte - 48;
    else if (letter >= 97 && letter <= 102) value = value * 16 + letter - 87;
    else return -1;
  }
  return value;
}

function writeCodePoint(target: Uint8Array, at: number, codePoint: number): number {
  if (codePoint < 0x80) {
    target[at++] = codePoint;
  } else if (codePoint < 0x800) {
    target[at++] = 0xc0 | (codePoint >> 6);
    target[at++] = 0x80 | (codePoint & 63);
  } else if (codePoint < 0x10000) {
    target[at++] = 0xe0 | (codePoint >> 12);
    target[at++] = 0x80 | ((codePoint >> 6) & 63);
    target[at++] = 0x80 | (codePoint & 63);
  } else {
    target[at++] = 0xf0 | (codePoint >> 18);
    target[at++] = 0x80 | ((codePoint >> 12) & 63);
    target[at++] = 0x80 | ((codePoint >> 6) & 63);
    target[at++] = 0x80 | (codePoint & 63);
  }
  return at;
}

function hasEscape(bytes: Uint8Array, start: number, end: number): boolean {
  const delimiter = bytes[start - 1];
  for (let at = start; at < end; at++) if (bytes[at] === 92 || bytes[at] === delimiter) return true;
  return false;
}

/** Bytes as text; they are valid UTF-8, which the lexer and the scanner check. */
export function utf8(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8');
}
