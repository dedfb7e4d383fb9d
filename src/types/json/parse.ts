/**
 * JSON text to binary JSON, in one pass over the bytes, without a JavaScript object a value. RFC 8259: no comments, no
 * trailing commas; input must be valid UTF-8, half a surrogate pair is an error; an integer without fraction and exponent
 * must fit 64 bits.
 *
 * The scanners are also what imports read rows with. They work on bytes[at, end) and give the offset behind what they read.
 * Errors are SqlErrors invalid_json with the byte offset from the start given to `jsonErrorBase`.
 */

import { ByteWriter } from '../../base/byte-writer.ts';
import { SqlError } from '../../base/errors.ts';
import { NUMBER, NUMBER_BIG, NUMBER_INT, NUMBER_TOO_LARGE, numberKind, scanNumber } from '../number-text.ts';
import { decodeUtf8, encodeCodePoint, sequenceLength } from '../utf8.ts';
import type { JsonWriter } from './json-writer.ts';

let errorBase = 0;

/** Errors from now on count offsets from there. */
export function jsonErrorBase(start: number): void {
  errorBase = start;
}

/** The error of malformed text at `at`. */
export function jsonError(at: number, what: string): SqlError {
  return new SqlError('invalid_json', `invalid JSON at offset ${at - errorBase}: ${what}`);
}

/** What stands at `at` where something else was expected. */
export function unexpected(bytes: Uint8Array, at: number, end: number, expected: string): SqlError {
  if (at >= end) return jsonError(at, `expected ${expected} but found the end`);
  const byte = bytes[at]!;
  const length = byte < 0x80 ? 1 : sequenceLength(bytes, at, end);
  if (length === 0) return jsonError(at, 'invalid UTF-8');
  const shown = byte < 32 || byte === 127 ? `byte ${byte}` : `'${decodeUtf8(bytes, at, at + length)}'`;
  return jsonError(at, `expected ${expected} but found ${shown}`);
}

/** Reads exactly one value of bytes[start, end) into `writer`, behind what it holds. */
export function parseJson(bytes: Uint8Array, start: number, end: number, writer: JsonWriter): void {
  errorBase = start;
  const at = skipJsonSpace(bytes, parseValue(bytes, skipJsonSpace(bytes, start, end), end, writer), end);
  if (at !== end) throw unexpected(bytes, at, end, 'the end');
}

/** The offset of the first byte that is no JSON white space. */
export function skipJsonSpace(bytes: Uint8Array, at: number, end: number): number {
  while (at < end) {
    const byte = bytes[at]!;
    if (byte > 32 || (byte !== 32 && byte !== 10 && byte !== 13 && byte !== 9)) break;
    at++;
  }
  return at;
}

/** Reads the value at `at` (no white space before it) into `writer`. */
export function parseValue(bytes: Uint8Array, at: number, end: number, writer: JsonWriter): number {
  const byte = at < end ? bytes[at]! : 0;
  if (byte === 34) {
    const start = at + 1;
    const close = scanString(bytes, start, end);
    if (isEscaped) {
      STRING.length = 0;
      unescapeString(bytes, start, close, STRING);
      writer.string(STRING.bytes, 0, STRING.length);
    } else {
      writer.string(bytes, start, close);
    }
    return close + 1;
  }
  if (byte === 45 || (byte >= 48 && byte <= 57)) return parseNumber(bytes, at, end, writer);
  if (byte === 123) return parseObject(bytes, at + 1, end, writer);
  if (byte === 91) return parseArray(bytes, at + 1, end, writer);
  if (isWord(bytes, at, end, 'true')) {
    writer.bool(true);
    return at + 4;
  }
  if (isWord(bytes, at, end, 'false')) {
    writer.bool(false);
    return at + 5;
  }
  if (isWord(bytes, at, end, 'null')) {
    writer.null();
    return at + 4;
  }
  throw unexpected(bytes, at, end, 'a value');
}

/** True if that word stands at `at`. */
export function isWord(bytes: Uint8Array, at: number, end: number, text: string): boolean {
  if (at + text.length > end) return false;
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** Reads the number at `at`; its value is in NUMBER (number-text.ts). */
export function scanJsonNumber(bytes: Uint8Array, at: number, end: number): number {
  const next = scanNumber(bytes, at, end);
  if (next < 0) throw jsonError(at, 'malformed number');
  if (numberKind === NUMBER_TOO_LARGE) throw jsonError(at, 'the number is out of range');
  return next;
}

function parseNumber(bytes: Uint8Array, at: number, end: number, writer: JsonWriter): number {
  const next = scanJsonNumber(bytes, at, end);
  if (numberKind === NUMBER_INT) writer.int(NUMBER[0]!, NUMBER_BIG[0]!);
  else writer.double(NUMBER[0]!);
  return next;
}

function parseArray(bytes: Uint8Array, at: number, end: number, writer: JsonWriter): number {
  writer.beginArray();
  at = skipJsonSpace(bytes, at, end);
  if (at < end && bytes[at] === 93) {
    writer.end();
    return at + 1;
  }
  for (;;) {
    writer.element();
    at = skipJsonSpace(bytes, parseValue(bytes, at, end, writer), end);
    const byte = at < end ? bytes[at] : 0;
    if (byte === 93) break;
    if (byte !== 44) throw unexpected(bytes, at, end, "',' or ']'");
    at = skipJsonSpace(bytes, at + 1, end);
  }
  writer.end();
  return at + 1;
}

function parseObject(bytes: Uint8Array, at: number, end: number, writer: JsonWriter): number {
  writer.beginObject();
  at = skipJsonSpace(bytes, at, end);
  if (at < end && bytes[at] === 125) {
    writer.end();
    return at + 1;
  }
  for (;;) {
    if (at >= end || bytes[at] !== 34) throw unexpected(bytes, at, end, 'a key in double quotes');
    const start = at + 1;
    const close = scanString(bytes, start, end);
    if (isEscaped) {
      STRING.length = 0;
      unescapeString(bytes, start, close, STRING);
      writer.key(STRING.bytes, 0, STRING.length);
    } else {
      writer.key(bytes, start, close);
    }
    at = skipColon(bytes, close + 1, end);
    at = skipJsonSpace(bytes, parseValue(bytes, at, end, writer), end);
    const byte = at < end ? bytes[at] : 0;
    if (byte === 125) break;
    if (byte !== 44) throw unexpected(bytes, at, end, "',' or '}'");
    at = skipJsonSpace(bytes, at + 1, end);
  }
  writer.end();
  return at + 1;
}

/** The offset of the value behind the colon that stands after white space at `at`. */
export function skipColon(bytes: Uint8Array, at: number, end: number): number {
  at = skipJsonSpace(bytes, at, end);
  if (at >= end || bytes[at] !== 58) throw unexpected(bytes, at, end, "':'");
  return skipJsonSpace(bytes, at + 1, end);
}

/** Whether the last scanString met an escape. */
export let isEscaped = false;
/** Where strings with escapes are decoded. */
const STRING: ByteWriter = new ByteWriter(1024);

/** What a byte of a string asks for: 0 nothing, 1 end, 2 escape, 3 error, 4 UTF-8 check. */
const STRING_BYTES: Uint8Array = new Uint8Array(256);
STRING_BYTES.fill(3, 0, 32);
STRING_BYTES.fill(4, 128);
STRING_BYTES[34] = 1;
STRING_BYTES[92] = 2;

/** The offset of the quote that ends the string whose first character is at `at`; sets isEscaped, checks UTF-8. */
export function scanString(bytes: Uint8Array, at: number, end: number): number {
  isEscaped = false;
  const start = at;
  while (at < end) {
    const kind = STRING_BYTES[bytes[at]!]!;
    if (kind === 0) {
      at++;
    } else if (kind === 1) {
      return at;
    } else if (kind === 2) {
      isEscaped = true;
      at += 2;
    } else if (kind === 4) {
      const length = sequenceLength(bytes, at, end);
      if (length === 0) throw jsonError(at, 'invalid UTF-8');
      at += length;
    } else {
      throw jsonError(at, 'a control character in a string must be escaped');
    }
  }
  throw jsonError(start - 1, 'the string does not end');
}

/** Appends the characters of the string bytes[start, close), which has escapes, to `target`. */
export function unescapeString(bytes: Uint8Array, start: number, close: number, target: ByteWriter): void {
  target.ensure(close - start);
  const output = target.bytes;
  let length = target.length;
  let at = start;
  while (at < close) {
    const byte = bytes[at]!;
    if (byte !== 92) {
      output[length++] = byte;
      at++;
      continue;
    }
    const letter = bytes[at + 1]!;
    if (letter === 117) {
      const codePoint = escapedCodePoint(bytes, at, close);
      length = encodeCodePoint(output, length, codePoint);
      at += codePoint > 0xffff ? 12 : 6;
      continue;
    }
    output[length++] = simpleEscape(letter, at);
    at += 2;
  }
  target.length = length;
}

function simpleEscape(letter: number, at: number): number {
  switch (letter) {
    case 34: // quote
    case 92: // backslash
    case 47: // slash
      return letter;
    case 98: // b
      return 8;
    case 102: // f
      return 12;
    case 110: // n
      return 10;
    case 114: // r
      return 13;
    case 116: // t
      return 9;
    default:
      throw jsonError(at, 'unknown escape in a string');
  }
}

/** The code point of the escape `\uXXXX` at `at`, two of them for one beyond U+FFFF. */
function escapedCodePoint(bytes: Uint8Array, at: number, close: number): number {
  const unit = hex4(bytes, at + 2, close);
  if (unit < 0) throw jsonError(at, 'malformed \\u escape');
  if (unit < 0xd800 || unit > 0xdfff) return unit;
  if (unit <= 0xdbff && bytes[at + 6] === 92 && bytes[at + 7] === 117) {
    const low = hex4(bytes, at + 8, close);
    if (low >= 0xdc00 && low <= 0xdfff) return 0x10000 + ((unit - 0xd800) << 10) + low - 0xdc00;
  }
  throw jsonError(at, 'half a surrogate pair');
}

function hex4(bytes: Uint8Array, at: number, close: number): number {
  if (at + 4 > close) return -1;
  let value = 0;
  for (let i = 0; i < 4; i++) {
    const byte = bytes[at + i]!;
    let digit: number;
    if (byte >= 48 && byte <= 57) digit = byte - 48;
    else if ((byte | 32) >= 97 && (byte | 32) <= 102) digit = (byte | 32) - 87;
    else return -1;
    value = (value << 4) | digit;
  }
  return value;
}
