/**
 * The lexer: from the UTF-8 bytes of a request to tokens with byte positions.
 *
 * It is context-free, one token a call, and can be set to any position, so that the parser jumps over a VALUES list that
 * the shape scanner has read already. A sign is a token of its own; the parser makes `-5` one constant.
 */
import { isUtf8 } from 'node:buffer';
import { SqlError } from '../../base/errors.ts';
import { IDENTIFIER_BYTES_MAX, PARAMETER_COUNT_MAX } from '../../base/limits.ts';
import { showText } from '../../types/utf8.ts';
import { classOf, isDigit, isWordByte, skipSpace } from './characters.ts';
import { numberEnd, parseDouble, parseInteger } from './number.ts';
import { decodeText, utf8 } from './text.ts';

/** The highest `$n`: half of a program's parameters, the other half is for the constants of the shape. */
export const PARAMETER_INDEX_MAX: number = PARAMETER_COUNT_MAX / 2;

/**
 * | kind      | text                 | keyword           | value                                  |
 * | --------- | -------------------- | ----------------- | -------------------------------------- |
 * | word      | as written           | in lower case     |                                        |
 * | name      | without back-ticks   |                   |                                        |
 * | int       | as written           |                   | bigint, up to and including 2^63       |
 * | double    | as written           |                   | number                                 |
 * | text      | what it says         |                   |                                        |
 * | parameter | as written           |                   | number: the index, from 1              |
 * | symbol    | the operator         |                   |                                        |
 * | end       |                      |                   |                                        |
 */
export interface Token {
  readonly kind: 'word' | 'name' | 'int' | 'double' | 'text' | 'parameter' | 'symbol' | 'end';
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly keyword: string;
  readonly value: bigint | number;
}

export class Lexer {
  readonly bytes: Uint8Array;
  #at = 0;

  /** Throws SqlError syntax_error, at the first wrong byte, when the text is not valid UTF-8. */
  constructor(bytes: Uint8Array) {
    if (!isUtf8(bytes)) throw new SqlError('syntax_error', 'the text is not valid UTF-8', invalidUtf8Position(bytes));
    this.bytes = bytes;
  }

  /** Goes on at a byte position, which must be between two tokens. */
  seek(position: number): void {
    this.#at = position;
  }

  /** The next token; at the end of the text, `end` each time. Throws SqlError with the position of what is malformed. */
  next(): Token {
    const { bytes } = this;
    const start = skipSpace(bytes, this.#at, bytes.length);
    if (start < 0) throw new SqlError('syntax_error', 'unterminated comment', ~start);
    if (start >= bytes.length) {
      this.#at = start;
      return token('end', start, start, '');
    }
    const found = this.#scan(start, bytes[start]!);
    this.#at = found.end;
    return found;
  }

  #scan(start: number, byte: number): Token {
    switch (classOf(byte)) {
      case 2: // word
        return this.#word(start);
      case 3: // digit
        return this.#number(start);
      case 4: // $
        return this.#parameter(start);
      case 5: // quote
        return this.#text(start, byte);
      case 6: // back-tick
        return this.#quotedName(start);
      case 7: // symbols
      case 8:
        if (byte === 46 && start + 1 < this.bytes.length && isDigit(this.bytes[start + 1]!)) return this.#number(start);
        return this.#symbol(start, byte);
      default:
        throw new SqlError('syntax_error', `unexpected character ${characterName(byte)}`, start);
    }
  }

  #word(start: number): Token {
    const { bytes } = this;
    let end = start;
    let seen = 0;
    while (end < bytes.length && isWordByte(bytes[end]!)) seen |= bytes[end++]!;
    if (end - start > IDENTIFIER_BYTES_MAX) throw tooLong(start);
    const text = utf8(bytes, start, end);
    // Keywords are ASCII: the Kelvin sign, say, in lower case would make one of a name.
    return { kind: 'word', start, end, text, keyword: seen < 128 ? text.toLowerCase() : '', value: 0 };
  }

  #quotedName(start: number): Token {
    const { bytes } = this;
    let end = start + 1;
    let hasDoubled = false;
    for (; ; end++) {
      if (end >= bytes.length) throw new SqlError('syntax_error', 'unterminated name in back-ticks', start);
      if (bytes[end] !== 96) continue;
      if (bytes[end + 1] !== 96) break;
      hasDoubled = true;
      end++;
    }
    if (end === start + 1) throw new SqlError('syntax_error', 'empty name in back-ticks', start);
    if (end - start > IDENTIFIER_BYTES_MAX + 1) throw tooLong(start);
    const text = utf8(bytes, start + 1, end);
    return token('name', start, end + 1, hasDoubled ? text.replaceAll('``', '`') : text);
  }

  #number(start: number): Token {
    const { bytes } = this;
    const signedEnd = numberEnd(bytes, start, bytes.length);
    const end = Math.abs(signedEnd);
    const text = utf8(bytes, start, end);
    if (end < bytes.length && isWordByte(bytes[end]!)) {
      throw new SqlError('syntax_error', `unexpected letters after the number ${showText(bytes, start, end)}`, start);
    }
    if (signedEnd > 0) {
      const value = parseInteger(bytes, start, end);
      if (value === undefined)
        throw new SqlError('out_of_range', `integer ${showText(bytes, start, end)} is out of range`, start);
      return { kind: 'int', start, end, text, keyword: '', value };
    }
    const value = parseDouble(bytes, start, end);
    if (value === Infinity)
      throw new SqlError('out_of_range', `number ${showText(bytes, start, end)} is out of range`, start);
    return { kind: 'double', start, end, text, keyword: '', value };
  }

  #parameter(start: number): Token {
    const { bytes } = this;
    let end = start + 1;
    while (end < bytes.length && isWordByte(bytes[end]!)) end++;
    const text = utf8(bytes, start, end);
    const index = /^\$[0-9]+$/.test(text) ? Number(text.slice(1)) : 0;
    if (index === 0)
      throw new SqlError(
        'syntax_error',
        `expected a parameter from $1 but found ${showText(bytes, start, end)}`,
        start,
      );
    if (index > PARAMETER_INDEX_MAX) {
      throw new SqlError('limit_exceeded', `parameters go up to $${PARAMETER_INDEX_MAX}`, start);
    }
    return { kind: 'parameter', start, end, text, keyword: '', value: index };
  }

  #text(start: number, delimiter: number): Token {
    const { bytes } = this;
    let end = start + 1;
    for (; ; end++) {
      if (end >= bytes.length) throw new SqlError('syntax_error', 'unterminated string', start);
      const byte = bytes[end];
      if (byte === 92) end++;
      else if (byte === delimiter) {
        if (bytes[end + 1] !== delimiter) break;
        end++;
      }
    }
    return token('text', start, end + 1, decodeText(bytes, start + 1, end));
  }

  #symbol(start: number, byte: number): Token {
    const next = this.bytes[start + 1];
    const two = next === undefined ? '' : String.fromCharCode(byte, next);
    if (TWO_BYTE_SYMBOLS.has(two)) return token('symbol', start, start + 2, two);
    if (byte === 33) throw new SqlError('syntax_error', "unexpected character '!'", start);
    return token('symbol', start, start + 1, String.fromCharCode(byte));
  }
}

const TWO_BYTE_SYMBOLS: ReadonlySet<string> = new Set(['<>', '!=', '<=', '>=', '<<', '>>', '||', '->', '::']);

function token(kind: Token['kind'], start: number, end: number, text: string): Token {
  return { kind, start, end, text, keyword: '', value: 0 };
}

function tooLong(position: number): SqlError {
  return new SqlError('limit_exceeded', `a name is longer than ${IDENTIFIER_BYTES_MAX} bytes`, position);
}

function characterName(byte: number): string {
  return byte > 32 && byte < 127
    ? `'${String.fromCharCode(byte)}'`
    : `U+${byte.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** The position of the first byte that is not part of a valid character, in a text that has one. */
function invalidUtf8Position(bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length) {
    const byte = bytes[at]!;
    const length = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    if (length > 1 && !isUtf8(bytes.subarray(at, at + length))) break;
    at += length;
  }
  return at;
}
