/**
 * The request line and the header lines, parsed line by line, each in one pass over its bytes.
 *
 * ```
 *            parseRequestLine               parseHeaderLine, empty line
 * 0 LINE  ───────────────────▶ 1 HEADERS ───────────────────────────────▶ 2 COMPLETE
 *                               └──┘ parseHeaderLine, stores what the front needs
 * ```
 * A line that is not complete yet is left alone and parsed from its start when more bytes are there, so a request may
 * arrive split anywhere. Everything needed later is copied out of the bytes (numbers, flags, strings): they may move.
 *
 * Strict where leniency lets two parsers disagree about where a request ends (RFC 9112, 11.2): lines end in CRLF only, no
 * blank before a colon, no folded lines, no control bytes, one length, written in digits only.
 */

import { asciiBytes, equalsIgnoringCase, IS_TARGET, IS_TOKEN, IS_VALUE } from './characters.ts';
import type { HeadTemplate } from './head-template.ts';
import { HEAD_BYTES_MAX } from './limits.ts';
import { acceptsJsonLines, parseMediaType } from './media.ts';
import {
  BOTH_LENGTHS,
  DUPLICATE_HEADER,
  HEAD_TOO_LARGE,
  MALFORMED_HEADER,
  MALFORMED_LENGTH,
  MALFORMED_REQUEST_LINE,
  MALFORMED_TARGET,
  MISSING_HOST,
  type Refusal,
  UNSUPPORTED_ENCODING,
  UNSUPPORTED_VERSION,
} from './refusals.ts';
import type { HttpRequest } from './request.ts';

const HOST = asciiBytes('host');
const ACCEPT = asciiBytes('accept');
const EXPECT = asciiBytes('expect');
const CONNECTION = asciiBytes('connection');
const CONTENT_TYPE = asciiBytes('content-type');
const AUTHORIZATION = asciiBytes('authorization');
const CONTENT_LENGTH = asciiBytes('content-length');
const TRANSFER_ENCODING = asciiBytes('transfer-encoding');
const CONTINUE = asciiBytes('100-continue');
const CHUNKED = asciiBytes('chunked');
const CLOSE = asciiBytes('close');
const KEEP_ALIVE = asciiBytes('keep-alive');
/** The version in the request line; the last byte is the minor version. */
const VERSION = asciiBytes('HTTP/1.');

/** No line ended: more bytes are needed, or the request is refused. */
const NO_LINE = -1;

/**
 * Parses what is there of a request's head in bytes[position, end) into `request`.
 * Returns the position after the last complete line; the rest must be offered again with more bytes behind it. The head
 * is complete when `request.headPhase` is 2, and the request is wrong when `request.refusal` is set. A head that is here
 * as a whole is compared with the template first, and else becomes it.
 */
export function parseHead(
  request: HttpRequest,
  bytes: Buffer,
  position: number,
  end: number,
  template: HeadTemplate,
): number {
  const isBegin = request.headBytes === 0;
  const start = position;
  if (isBegin) {
    const after = template.fill(request, bytes, position, end);
    if (after > 0) return after;
  }
  // Not a byte beyond the limit is looked at.
  const limit = Math.min(end, position + HEAD_BYTES_MAX - request.headBytes);
  while (position < limit && request.headPhase !== 2) {
    const next =
      request.headPhase === 0
        ? parseRequestLine(request, bytes, position, limit)
        : parseHeaderLine(request, bytes, position, limit);
    if (next === NO_LINE) break;
    request.headBytes += next - position;
    position = next;
  }
  if (request.headPhase === 2) {
    if (isBegin) template.keep(request, bytes, start, position);
  } else if (limit < end) request.refusal ??= HEAD_TOO_LARGE;
  return position;
}

function refuse(request: HttpRequest, refusal: Refusal): typeof NO_LINE {
  request.refusal ??= refusal;
  return NO_LINE;
}

function parseRequestLine(request: HttpRequest, bytes: Buffer, position: number, end: number): number {
  // RFC 9112, 2.2: an empty line before the request line is skipped.
  if (bytes[position] === 0x0d) {
    if (position + 1 === end) return NO_LINE;
    return bytes[position + 1] === 0x0a ? position + 2 : refuse(request, MALFORMED_REQUEST_LINE);
  }
  let index = position;
  while (index < end && IS_TOKEN[bytes[index]!] === 1) index++;
  if (index === end) return NO_LINE;
  if (bytes[index] !== 0x20 || index === position) return refuse(request, MALFORMED_REQUEST_LINE);
  const methodEnd = index;
  const targetStart = ++index;
  while (index < end && IS_TARGET[bytes[index]!] === 1) index++;
  if (index === end) return NO_LINE;
  if (bytes[index] !== 0x20 || index === targetStart) return refuse(request, MALFORMED_REQUEST_LINE);
  const targetEnd = index++;

  const versionStart = index;
  while (index < end && index - versionStart < 7) {
    if (bytes[index] !== VERSION[index - versionStart]) return refuse(request, UNSUPPORTED_VERSION);
    index++;
  }
  if (index === end) return NO_LINE;
  const minor = bytes[index++]! - 0x30;
  if (minor < 0 || minor > 9) return refuse(request, UNSUPPORTED_VERSION);
  if (index === end) return NO_LINE;
  if (bytes[index++] !== 0x0d) return refuse(request, MALFORMED_REQUEST_LINE);
  if (index === end) return NO_LINE;
  if (bytes[index++] !== 0x0a) return refuse(request, MALFORMED_REQUEST_LINE);

  request.minorVersion = minor === 0 ? 0 : 1;
  request.method = methodName(bytes, position, methodEnd);
  if (!storeTarget(request, bytes, targetStart, targetEnd)) return refuse(request, MALFORMED_TARGET);
  request.headPhase = 1;
  return index;
}

function methodName(bytes: Buffer, start: number, end: number): string {
  const length = end - start;
  const first = bytes[start];
  // The two methods that matter without making a string: P O S T, G E T.
  if (length === 4 && first === 0x50 && bytes[start + 1] === 0x4f && bytes[start + 2] === 0x53) {
    if (bytes[start + 3] === 0x54) return 'POST';
  } else if (length === 3 && first === 0x47 && bytes[start + 1] === 0x45 && bytes[start + 2] === 0x54) {
    return 'GET';
  }
  return bytes.toString('latin1', start, end);
}

/** Origin form, absolute form, `*` of OPTIONS; the authority of CONNECT is kept only to answer 405. */
function storeTarget(request: HttpRequest, bytes: Buffer, start: number, end: number): boolean {
  if (bytes[start] === 0x2f) {
    if (end - start > 1) request.target = bytes.toString('latin1', start, end);
    return true;
  }
  const text = bytes.toString('latin1', start, end);
  if (request.method === 'CONNECT' || (request.method === 'OPTIONS' && text === '*')) return true;
  const authority = /^https?:\/\/[^/?]+/i.exec(text);
  if (authority === null) return false;
  const rest = text.slice(authority[0].length);
  request.target = rest.startsWith('/') ? rest : `/${rest}`;
  return true;
}

function parseHeaderLine(request: HttpRequest, bytes: Buffer, position: number, end: number): number {
  if (bytes[position] === 0x0d) {
    if (position + 1 === end) return NO_LINE;
    if (bytes[position + 1] !== 0x0a) return refuse(request, MALFORMED_HEADER);
    const refusal = checkHead(request);
    if (refusal !== null) return refuse(request, refusal);
    request.headPhase = 2;
    return position + 2;
  }
  let index = position;
  while (index < end && IS_TOKEN[bytes[index]!] === 1) index++;
  if (index === end) return NO_LINE;
  if (bytes[index] !== 0x3a || index === position) return refuse(request, MALFORMED_HEADER);
  const nameEnd = index++;
  while (index < end && (bytes[index] === 0x20 || bytes[index] === 0x09)) index++;
  const valueStart = index;
  while (index < end && IS_VALUE[bytes[index]!] === 1) index++;
  if (index === end) return NO_LINE;
  if (bytes[index] !== 0x0d) return refuse(request, MALFORMED_HEADER);
  if (index + 1 === end) return NO_LINE;
  if (bytes[index + 1] !== 0x0a) return refuse(request, MALFORMED_HEADER);
  let valueEnd = index;
  while (valueEnd > valueStart && (bytes[valueEnd - 1] === 0x20 || bytes[valueEnd - 1] === 0x09)) valueEnd--;

  const refusal = storeHeader(request, bytes, position, nameEnd, valueStart, valueEnd);
  return refusal === null ? index + 2 : refuse(request, refusal);
}

/**
 * Checks one trailer line, or the empty line that ends them, in bytes[position, end). Trailers mean nothing here.
 * Returns the position behind it, -1 when it is not complete, -2 when it is malformed.
 */
export function skipTrailerLine(bytes: Buffer, position: number, end: number): number {
  let index = position;
  if (bytes[index] !== 0x0d) {
    while (index < end && IS_TOKEN[bytes[index]!] === 1) index++;
    if (index === end) return -1;
    if (bytes[index] !== 0x3a || index === position) return -2;
    index++;
    while (index < end && IS_VALUE[bytes[index]!] === 1) index++;
    if (index === end) return -1;
    if (bytes[index] !== 0x0d) return -2;
  }
  if (index + 1 === end) return -1;
  return bytes[index + 1] === 0x0a ? index + 2 : -2;
}

/** Takes what matters from one header; by the length of its name first, so most lines cost one comparison of numbers. */
function storeHeader(
  request: HttpRequest,
  bytes: Buffer,
  nameStart: number,
  nameEnd: number,
  start: number,
  end: number,
): Refusal | null {
  const nameLength = nameEnd - nameStart;
  if (nameLength === 4) {
    if (equalsIgnoringCase(bytes, nameStart, nameEnd, HOST)) request.hostCount++;
  } else if (nameLength === 6) {
    if (equalsIgnoringCase(bytes, nameStart, nameEnd, ACCEPT)) {
      if (acceptsJsonLines(bytes, start, end)) request.acceptsJsonLines = true;
    } else if (equalsIgnoringCase(bytes, nameStart, nameEnd, EXPECT)) {
      // Other expectations may be ignored (RFC 9110, 10.1.1).
      if (equalsIgnoringCase(bytes, start, end, CONTINUE)) request.expectsContinue = true;
    }
  } else if (nameLength === 10) {
    if (equalsIgnoringCase(bytes, nameStart, nameEnd, CONNECTION)) storeConnection(request, bytes, start, end);
  } else if (nameLength === 12) {
    if (equalsIgnoringCase(bytes, nameStart, nameEnd, CONTENT_TYPE)) {
      if (request.contentType !== 'none') return DUPLICATE_HEADER;
      request.contentType = parseMediaType(bytes, start, end);
    }
  } else if (nameLength === 13) {
    if (equalsIgnoringCase(bytes, nameStart, nameEnd, AUTHORIZATION)) {
      if (request.authorization !== '') return DUPLICATE_HEADER;
      request.authorization = bytes.toString('latin1', start, end);
    }
  } else if (nameLength === 14) {
    if (equalsIgnoringCase(bytes, nameStart, nameEnd, CONTENT_LENGTH)) {
      return storeContentLength(request, bytes, start, end);
    }
  } else if (nameLength === 17) {
    if (equalsIgnoringCase(bytes, nameStart, nameEnd, TRANSFER_ENCODING)) {
      // `chunked` alone: with any other coding, or two of them, two parsers might frame the body differently.
      if (request.isChunked || !equalsIgnoringCase(bytes, start, end, CHUNKED)) return UNSUPPORTED_ENCODING;
      request.isChunked = true;
    }
  }
  return null;
}

function storeContentLength(request: HttpRequest, bytes: Buffer, start: number, end: number): Refusal | null {
  if (request.contentLength >= 0) return DUPLICATE_HEADER;
  if (start === end) return MALFORMED_LENGTH;
  request.lengthStart = start;
  request.lengthEnd = end;
  let length = 0;
  for (let index = start; index < end; index++) {
    const digit = bytes[index]! - 0x30;
    if (digit < 0 || digit > 9) return MALFORMED_LENGTH;
    // Beyond 2^53 the sum is inexact, and over every limit anyway.
    length = length * 10 + digit;
  }
  request.contentLength = length;
  return null;
}

/** Connection is a list: `close` wins over everything. */
function storeConnection(request: HttpRequest, bytes: Buffer, start: number, end: number): void {
  let index = start;
  while (index < end) {
    while (index < end && (bytes[index] === 0x2c || bytes[index] === 0x20 || bytes[index] === 0x09)) index++;
    const optionStart = index;
    while (index < end && bytes[index] !== 0x2c) index++;
    let optionEnd = index;
    while (optionEnd > optionStart && (bytes[optionEnd - 1] === 0x20 || bytes[optionEnd - 1] === 0x09)) optionEnd--;
    if (equalsIgnoringCase(bytes, optionStart, optionEnd, CLOSE)) request.asksClose = true;
    else if (equalsIgnoringCase(bytes, optionStart, optionEnd, KEEP_ALIVE)) request.asksKeepAlive = true;
  }
}

/** What only the whole head shows. */
function checkHead(request: HttpRequest): Refusal | null {
  if (request.hostCount !== 1) {
    if (request.hostCount > 1) return DUPLICATE_HEADER;
    if (request.minorVersion !== 0) return MISSING_HOST;
  }
  if (request.isChunked) {
    if (request.contentLength >= 0) return BOTH_LENGTHS;
    if (request.minorVersion === 0) return UNSUPPORTED_ENCODING;
  }
  return null;
}
