/**
 * The place of one request's reply in its connection's order. It may be completed at once or later, in any order; its bytes
 * leave in the order of the requests.
 */

import { assert } from '../../base/assert.ts';
import { SqlError } from '../../base/errors.ts';
import type { HttpConnection } from './connection.ts';
import type { ReplyPrefixes } from './status.ts';

export type ReplyBody = Uint8Array | string | null;

export const JSON_TYPE = 'application/json';
export const METHODS = 'GET, POST';

const CLOSE_HEADER = 'Connection: close\r\n';
const KEEP_ALIVE_HEADER = 'Connection: keep-alive\r\n';
/** Content-Length in digits, its line end, a Connection header, the empty line. */
const FIXED_BYTES_MAX = 80;

export class HttpReply {
  readonly connection: HttpConnection;

  // What follows belongs to the connection.

  next: HttpReply | null = null;
  /** The connection ends after this reply. */
  isLast = false;
  /** HTTP/1.0 must be told that the connection stays open. */
  announcesKeepAlive = false;
  /** The reply to HEAD has the headers only. */
  omitsBody = false;
  isCompleted = false;
  /** The reply's bytes while it waits for those before it; its first `encodedBytes` bytes. */
  encoded: Buffer | null = null;
  encodedBytes = 0;

  constructor(connection: HttpConnection) {
    this.connection = connection;
  }

  /** Whether nobody is there any more to read it. It may be completed all the same. */
  get isAbandoned(): boolean {
    return this.connection.isClosed;
  }

  /**
   * Completes the reply, once. `body` is copied before this returns; shared memory is welcome. A 204 has no body.
   * A 401 asks for a bearer token and closes the connection.
   */
  send(status: number, body: ReplyBody, contentType: string = JSON_TYPE): void {
    assert(!this.isCompleted, 'a reply is completed once');
    assert(status !== 204 || body === null, '204 has no body');
    this.isCompleted = true;
    this.connection.complete(this, status, body, contentType, '');
  }

  /** Completes it with the error object of `error`. */
  sendError(status: number, error: SqlError): void {
    this.send(status, error.toJson());
  }

  /** Completes it with 405; `allowedMethods` as in `GET, POST`. */
  sendMethodNotAllowed(allowedMethods: string): void {
    assert(!this.isCompleted, 'a reply is completed once');
    this.isCompleted = true;
    const error = new SqlError('invalid_request', `HTTP method is not one of ${allowedMethods}`);
    this.connection.complete(this, 405, error.toJson(), JSON_TYPE, `Allow: ${allowedMethods}\r\n`);
  }
}

/** Upper bound of the bytes that `encodeReply` writes. */
export function replyBytesMax(prefix: Buffer, bodyBytes: number, extraHeaders: string): number {
  return prefix.length + FIXED_BYTES_MAX + extraHeaders.length + bodyBytes;
}

/** Bytes of a body in UTF-8. */
export function bodyBytesOf(body: ReplyBody): number {
  if (body === null) return 0;
  return typeof body === 'string' ? Buffer.byteLength(body) : body.length;
}

/** The prefix of a reply: ready made for JSON, else made now. */
export function prefixOf(prefixes: ReplyPrefixes, status: number, contentType: string): Buffer {
  if (contentType === JSON_TYPE) return prefixes.get(status);
  return Buffer.from(prefixes.text(status, contentType), 'latin1');
}

/**
 * Writes a reply to `out` from `offset` and returns the offset behind it. `bodyBytes` is bodyBytesOf(body); `out` has room
 * for replyBytesMax. `endsConnection` says so to the client.
 */
export function encodeReply(
  out: Buffer,
  offset: number,
  reply: HttpReply,
  prefix: Buffer,
  status: number,
  body: ReplyBody,
  bodyBytes: number,
  extraHeaders: string,
  endsConnection: boolean,
): number {
  out.set(prefix, offset);
  offset += prefix.length;
  if (status !== 204) {
    offset = writeDecimal(out, offset, bodyBytes);
    out[offset++] = 0x0d;
    out[offset++] = 0x0a;
  }
  if (extraHeaders !== '') offset += out.write(extraHeaders, offset, 'latin1');
  if (endsConnection) offset += out.write(CLOSE_HEADER, offset, 'latin1');
  else if (reply.announcesKeepAlive) offset += out.write(KEEP_ALIVE_HEADER, offset, 'latin1');
  out[offset++] = 0x0d;
  out[offset++] = 0x0a;
  if (body === null || reply.omitsBody) return offset;
  if (typeof body !== 'string') {
    // A call costs as much as copying 40 bytes by hand.
    if (bodyBytes <= 40) for (let index = 0; index < bodyBytes; index++) out[offset + index] = body[index]!;
    else out.set(body, offset);
    return offset + bodyBytes;
  }
  // As many bytes as code units: it is ASCII, which the cheaper encoder writes alike.
  return offset + out.write(body, offset, bodyBytes === body.length ? 'latin1' : 'utf8');
}

function writeDecimal(out: Buffer, offset: number, value: number): number {
  let digitCount = 1;
  for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) digitCount++;
  for (let index = offset + digitCount - 1; index >= offset; index--) {
    out[index] = 0x30 + (value % 10);
    value = Math.floor(value / 10);
  }
  return offset + digitCount;
}
