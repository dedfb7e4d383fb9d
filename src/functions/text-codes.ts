/** Encodings and digests of texts. */

import { hash } from 'node:crypto';
import { SqlError } from '../base/errors.ts';
import { TEXT } from '../types/type.ts';
import { findInvalidUtf8, showText } from '../types/utf8.ts';
import { define, type FunctionCode, type FunctionContext, type FunctionDoc, type ScalarFunction } from './signature.ts';
import { checkTextBytes, setText, setTextBytes, textOf, valueBytes, valueLength, valueStart } from './values.ts';

/** A copy of the bytes of a text, outside shared memory. */
function copyOf(context: FunctionContext, register: number): Buffer {
  const ref = context.num[register];
  const start = valueStart(ref);
  return Buffer.from(valueBytes(context, ref).subarray(start, start + valueLength(context, ref)));
}

function encodingOf(context: FunctionContext, register: number, name: string): 'base64' | 'base64url' | 'hex' {
  const encoding = textOf(context, register).toLowerCase();
  if (encoding === 'base64' || encoding === 'base64url' || encoding === 'hex') return encoding;
  throw new SqlError(
    'invalid_value',
    `${name}: unknown encoding '${encoding.slice(0, 40)}'; there are base64, base64url and hex`,
  );
}

function encode(context: FunctionContext, target: number, first: number): void {
  const encoding = encodingOf(context, first + 1, 'encode');
  checkTextBytes('encode', valueLength(context, context.num[first]) * (encoding === 'hex' ? 2 : 4 / 3));
  setText(context, target, copyOf(context, first).toString(encoding));
}

function decode(context: FunctionContext, target: number, first: number): void {
  const encoding = encodingOf(context, first + 1, 'decode');
  const source = copyOf(context, first);
  const digits = encoding === 'hex' ? source.length : base64Length(source, encoding);
  for (let at = 0; at < digits; at++) {
    if (!isDigit(source[at], encoding)) throw malformed(source, encoding, `at ${at}`);
  }
  const isShort = encoding === 'hex' ? digits % 2 !== 0 : digits % 4 === 1;
  if (isShort) throw malformed(source, encoding, 'it is cut off');
  const decoded = Buffer.from(source.toString('latin1', 0, digits), encoding);
  const invalid = findInvalidUtf8(decoded, 0, decoded.length);
  if (invalid >= 0) throw new SqlError('invalid_value', `decode: byte ${invalid} of the result is not valid UTF-8`);
  setTextBytes(context, target, decoded, 0, decoded.length);
}

/** Length without the padding. base64 may leave it out, but not have too much or too little of it. */
function base64Length(source: Uint8Array, encoding: string): number {
  let end = source.length;
  while (end > 0 && source.length - end < 2 && source[end - 1] === 61) end--;
  if (end < source.length && source.length % 4 !== 0) throw malformed(source, encoding, 'its padding is wrong');
  return end;
}

function isDigit(byte: number, encoding: string): boolean {
  const isNumber = byte >= 48 && byte <= 57;
  if (encoding === 'hex') return isNumber || (byte >= 97 && byte <= 102) || (byte >= 65 && byte <= 70);
  if (isNumber || (byte >= 97 && byte <= 122) || (byte >= 65 && byte <= 90)) return true;
  // + / and - _
  return encoding === 'base64' ? byte === 43 || byte === 47 : byte === 45 || byte === 95;
}

function malformed(source: Uint8Array, encoding: string, where: string): SqlError {
  return new SqlError('invalid_value', `decode: ${showText(source, 0, source.length)} is not ${encoding}: ${where}`);
}

function digest(algorithm: string): FunctionCode {
  return (context, target, first) => {
    setText(context, target, hash(algorithm, copyOf(context, first), 'hex'));
  };
}

const ENCODINGS: FunctionDoc = {
  family: 'Text',
  summary: "The text's bytes in an encoding: `base64`, `base64url` (without padding) or `hex`.",
  parameters: ['s', 'encoding'],
  errors: ['an unknown encoding', 'a result of more than 64 MiB'],
  examples: [
    ["encode('Grüße?', 'base64')", '"R3LDvMOfZT8="'],
    ["encode('Grüße?', 'base64url')", '"R3LDvMOfZT8"'],
    ["encode('Az', 'hex')", '"417a"'],
  ],
};
const DECODE_DOC: FunctionDoc = {
  family: 'Text',
  summary: 'The text that was encoded: `base64` and `base64url` with or without padding, `hex` in either case.',
  parameters: ['s', 'encoding'],
  errors: ['an unknown encoding', 'a text that is not of that encoding', 'bytes that are not valid UTF-8'],
  examples: [
    ["decode('R3LDvMOfZT8=', 'base64')", '"Grüße?"'],
    ["decode('41g0', 'hex')", "error: decode: '41g0' is not hex: at 2"],
    ["decode('ff', 'hex')", 'error: decode: byte 0 of the result is not valid UTF-8'],
  ],
};

function digestDoc(algorithm: string, example: string): FunctionDoc {
  return {
    family: 'Text',
    summary: `The ${algorithm} digest of the text's bytes, in hexadecimal digits.`,
    parameters: ['s'],
    errors: [],
    examples: [[`${algorithm.toLowerCase().replace('-', '')}('abc')`, `"${example}"`]],
  };
}

// The digests of 'abc' are those of RFC 1321 and FIPS 180.
const MD5_DOC = digestDoc('MD5', '900150983cd24fb0d6963f7d28e17f72');
const SHA1_DOC = digestDoc('SHA-1', 'a9993e364706816aba3e25717850c26c9cd0d89d');
const SHA256_DOC = digestDoc('SHA-256', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');

export const TEXT_CODE_FUNCTIONS: readonly ScalarFunction[] = [
  define('encode', [TEXT, TEXT], TEXT, encode, { doc: ENCODINGS }),
  define('decode', [TEXT, TEXT], TEXT, decode, { doc: DECODE_DOC }),
  define('md5', [TEXT], TEXT, digest('md5'), { doc: MD5_DOC }),
  define('sha1', [TEXT], TEXT, digest('sha1'), { doc: SHA1_DOC }),
  define('sha256', [TEXT], TEXT, digest('sha256'), { doc: SHA256_DOC }),
];
