/** Numbers the parameters of one SQL text on, so that several texts can be joined to one request. */

import { SqlError } from '../../base/errors.ts';
import { skipSpace } from './characters.ts';

const DOLLAR = 36;
const BACKSLASH = 92;
const BACKTICK = 96;
const ENCODER = new TextEncoder();

/**
 * The text with `offset` added to each `$n` outside of strings, quoted names and comments.
 * Errors: invalid_parameter where n is more than `count`, the number of values that came with this text.
 */
export function shiftParameters(text: Uint8Array, offset: number, count: number): Uint8Array {
  const pieces: Uint8Array[] = [];
  let copied = 0;
  let at = 0;
  let isWord = false;
  let highest = 0;
  while (at < text.length) {
    const byte = text[at]!;
    if (byte === 39 || byte === 34 || byte === BACKTICK) {
      at = quotedEnd(text, at);
      isWord = false;
      continue;
    }
    const next = skipSpace(text, at, text.length);
    if (next < 0) break;
    if (next > at) {
      at = next;
      isWord = false;
      continue;
    }
    if (byte === DOLLAR && !isWord) {
      let end = at + 1;
      while (end < text.length && text[end]! >= 48 && text[end]! <= 57) end++;
      const index = Number(new TextDecoder().decode(text.subarray(at + 1, end)));
      if (index > count) throw new SqlError('invalid_parameter', `parameter $${index} has no value`);
      if (index > highest) highest = index;
      if (offset > 0 && end > at + 1) {
        pieces.push(text.subarray(copied, at), ENCODER.encode(`$${index + offset}`));
        copied = end;
      }
      at = end;
      continue;
    }
    isWord = (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122) || byte === 95;
    at++;
  }
  if (highest < count)
    throw new SqlError('invalid_parameter', `the statement has ${highest} parameters, but ${count} values were given`);
  if (pieces.length === 0) return text.slice();
  pieces.push(text.subarray(copied));
  return new Uint8Array(Buffer.concat(pieces));
}

function quotedEnd(text: Uint8Array, start: number): number {
  const delimiter = text[start]!;
  let at = start + 1;
  while (at < text.length) {
    if (text[at] === BACKSLASH && delimiter !== BACKTICK) at += 2;
    else if (text[at] === delimiter) return at + 1;
    else at++;
  }
  return text.length;
}
