/**
 * JSON text of values, into bytes. On one line elements are separated by `, ` and keys from values by `: `; pretty text has
 * object members on lines of their own, indented by two spaces for each object around them, arrays on one line.
 */

import type { ByteWriter } from '../../base/byte-writer.ts';
import { bigOfWords, numberOfWords } from '../int64.ts';
import { writeDouble, writeInt } from '../number-text.ts';
import {
  JSON_CONTAINER_BYTES,
  jsonCount,
  jsonDoubleAt,
  jsonEnd,
  jsonHigh,
  jsonLow,
  jsonStringStart,
  keyLength,
  keyStart,
} from './binary.ts';

/** Indentation that stands for text on one line. */
export const ONE_LINE = -1;

/** 0: the byte stands for itself; 1: as \u00XX; else the letter behind the backslash. */
const ESCAPES: Uint8Array = new Uint8Array(256);
ESCAPES.fill(1, 0, 32);
ESCAPES[8] = 98;
ESCAPES[9] = 116;
ESCAPES[10] = 110;
ESCAPES[12] = 102;
ESCAPES[13] = 114;
ESCAPES[34] = 34;
ESCAPES[92] = 92;

const HEX = '0123456789abcdef';

/** Appends source[start, end), valid UTF-8, as a JSON string in quotes. */
export function writeJsonString(writer: ByteWriter, source: Uint8Array, start: number, end: number): void {
  writer.ensure(end - start + 2);
  const bytes = writer.bytes;
  let at = writer.length;
  bytes[at++] = 34;
  for (let i = start; i < end; i++) {
    const byte = source[i]!;
    if (ESCAPES[byte] !== 0) {
      writer.length = at;
      writeEscaped(writer, source, i, end);
      return;
    }
    bytes[at++] = byte;
  }
  bytes[at] = 34;
  writer.length = at + 1;
}

/** The rest of a string, from a byte that must be escaped, and the closing quote. */
function writeEscaped(writer: ByteWriter, source: Uint8Array, start: number, end: number): void {
  let i = start;
  while (i < end) {
    // Room for one escape and for the plain bytes up to the next one.
    writer.ensure(end - i + 8);
    const bytes = writer.bytes;
    let at = writer.length;
    const byte = source[i]!;
    const escaped = ESCAPES[byte]!;
    if (escaped === 1) {
      bytes[at++] = 92;
      bytes[at++] = 117;
      bytes[at++] = 48;
      bytes[at++] = 48;
      bytes[at++] = HEX.charCodeAt(byte >> 4);
      bytes[at++] = HEX.charCodeAt(byte & 15);
      i++;
    } else if (escaped !== 0) {
      bytes[at++] = 92;
      bytes[at++] = escaped;
      i++;
    }
    while (i < end && ESCAPES[source[i]!] === 0) bytes[at++] = source[i++]!;
    writer.length = at;
  }
  writer.byte(34);
}

/**
 * Appends the text of the binary JSON value at bytes[at]; gives the offset behind the value. `indent` is the number of
 * objects around it in pretty text, or ONE_LINE.
 */
export function writeJson(writer: ByteWriter, bytes: Uint8Array, at: number, indent: number): number {
  switch (bytes[at]) {
    case 0: // null
      writer.ascii('null');
      return at + 1;
    case 1: // false
      writer.ascii('false');
      return at + 1;
    case 2: // true
      writer.ascii('true');
      return at + 1;
    case 3: // int8
    case 4: // int32
      writeInt(writer, jsonLow(bytes, at), 0n);
      return jsonEnd(bytes, at);
    case 5: // int64
      writeInt64(writer, jsonLow(bytes, at), jsonHigh(bytes, at));
      return at + 9;
    case 6: // double
      writeDouble(writer, jsonDoubleAt(bytes, at));
      return at + 9;
    case 9: // array
      return writeArray(writer, bytes, at, indent);
    case 10: // object
      return writeObject(writer, bytes, at, indent);
    default: {
      // strings
      const end = jsonEnd(bytes, at);
      writeJsonString(writer, bytes, jsonStringStart(bytes, at), end);
      return end;
    }
  }
}

/** Appends the integer of two words. */
export function writeInt64(writer: ByteWriter, low: number, high: number): void {
  const value = numberOfWords(low, high);
  writeInt(writer, value, Number.isNaN(value) ? bigOfWords(low, high) : 0n);
}

function writeArray(writer: ByteWriter, bytes: Uint8Array, at: number, indent: number): number {
  const count = jsonCount(bytes, at);
  writer.byte(91);
  let element = at + JSON_CONTAINER_BYTES;
  for (let i = 0; i < count; i++) {
    if (i > 0) writeComma(writer);
    element = writeJson(writer, bytes, element, indent);
  }
  writer.byte(93);
  return jsonEnd(bytes, at);
}

function writeObject(writer: ByteWriter, bytes: Uint8Array, at: number, indent: number): number {
  const count = jsonCount(bytes, at);
  const inner = indent === ONE_LINE ? ONE_LINE : indent + 1;
  writer.byte(123);
  let entry = at + JSON_CONTAINER_BYTES;
  for (let i = 0; i < count; i++) {
    writeMemberStart(writer, i, inner);
    const start = keyStart(bytes, entry);
    const value = start + keyLength(bytes, entry);
    writeJsonString(writer, bytes, start, value);
    writeColon(writer);
    entry = writeJson(writer, bytes, value, inner);
  }
  if (count > 0 && indent !== ONE_LINE) writeLine(writer, indent);
  writer.byte(125);
  return jsonEnd(bytes, at);
}

/** What stands before member `index` of an object: separator and, in pretty text, a new line. */
export function writeMemberStart(writer: ByteWriter, index: number, indent: number): void {
  if (indent === ONE_LINE) {
    if (index > 0) writeComma(writer);
    return;
  }
  if (index > 0) writer.byte(44);
  writeLine(writer, indent);
}

/** A new line and its indentation. */
export function writeLine(writer: ByteWriter, indent: number): void {
  writer.ensure(1 + indent * 2);
  const bytes = writer.bytes;
  let at = writer.length;
  bytes[at++] = 10;
  for (let i = indent * 2; i > 0; i--) bytes[at++] = 32;
  writer.length = at;
}

/** `, ` */
export function writeComma(writer: ByteWriter): void {
  writer.ensure(2);
  writer.bytes[writer.length] = 44;
  writer.bytes[writer.length + 1] = 32;
  writer.length += 2;
}

/** `: ` */
export function writeColon(writer: ByteWriter): void {
  writer.ensure(2);
  writer.bytes[writer.length] = 58;
  writer.bytes[writer.length + 1] = 32;
  writer.length += 2;
}
