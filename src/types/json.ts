/** JSON between JavaScript texts and binary JSON, for code off the hot path. */

import { ByteWriter } from '../base/byte-writer.ts';
import { JsonWriter } from './json/json-writer.ts';
import { parseJson } from './json/parse.ts';
import { ONE_LINE, writeJson } from './json/text.ts';
import { decodeUtf8 } from './utf8.ts';

/** Binary JSON (json/binary.ts) of a JSON text. Throws SqlError invalid_json with the byte offset. */
export function jsonFromText(text: string): Uint8Array {
  const writer = new JsonWriter(64);
  const bytes = new TextEncoder().encode(text);
  parseJson(bytes, 0, bytes.length, writer);
  return writer.toBytes();
}

/** The text, on one line, of the binary JSON at bytes[at]. */
export function jsonToText(bytes: Uint8Array, at: number = 0): string {
  const writer = new ByteWriter(256);
  writeJson(writer, bytes, at, ONE_LINE);
  return decodeUtf8(writer.bytes, 0, writer.length);
}
