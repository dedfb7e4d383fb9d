/**
 * One request as its handler sees it. Each connection has a single HttpRequest that is filled again for every request:
 * nothing of it may be kept after `handle` has returned, except strings.
 */

import type { HttpConnection } from './connection.ts';
import type { MediaType } from './media.ts';
import type { Refusal } from './refusals.ts';

export const NO_BYTES: Buffer = Buffer.alloc(0);

export class HttpRequest {
  readonly connection: HttpConnection;

  /** As sent. A handler is given GET and POST only; the others are answered with 405 before. */
  method = '';
  /** Path and query as sent, percent-encoding included; of an absolute URI what follows the authority. See parseTarget. */
  target = '/';
  contentType: MediaType = 'none';
  /** Whether Accept names application/jsonl. */
  acceptsJsonLines = false;
  /** The value of Authorization as sent, '' without it. */
  authorization = '';

  /** The body is bytes[bodyStart, bodyEnd): for parsers that would rather not have a view made. */
  bytes: Buffer = NO_BYTES;
  bodyStart = 0;
  bodyEnd = 0;

  // What follows belongs to the parser and the connection.

  /** 0 before the request line, 1 within header lines, 2 complete. */
  headPhase = 0;
  /** Bytes of the lines that are parsed. */
  headBytes = 0;
  /** The minor version of HTTP: 0, or 1 for 1.1 and whatever comes after. */
  minorVersion = 1;
  hostCount = 0;
  /** Content-Length, -1 without it. */
  contentLength = -1;
  /** Where the digits of Content-Length stood when they were parsed. */
  lengthStart = -1;
  lengthEnd = -1;
  isChunked = false;
  expectsContinue = false;
  asksClose = false;
  asksKeepAlive = false;
  refusal: Refusal | null = null;

  constructor(connection: HttpConnection) {
    this.connection = connection;
  }

  /** The body as a view, valid only until `handle` returns: the bytes behind it are used again. */
  get body(): Buffer {
    return this.bytes.subarray(this.bodyStart, this.bodyEnd);
  }

  /** The path as sent, without query. */
  get path(): string {
    const question = this.target.indexOf('?');
    return question < 0 ? this.target : this.target.slice(0, question);
  }

  /** The query as sent, without its question mark; '' without one. */
  get query(): string {
    const question = this.target.indexOf('?');
    return question < 0 ? '' : this.target.slice(question + 1);
  }

  /** Whether the connection stays open after this request. */
  get isKeptAlive(): boolean {
    return !this.asksClose && (this.minorVersion === 1 || this.asksKeepAlive);
  }

  /** Makes it ready for the next request of the connection. */
  reset(): void {
    this.method = '';
    this.target = '/';
    this.contentType = 'none';
    this.acceptsJsonLines = false;
    this.authorization = '';
    this.bytes = NO_BYTES;
    this.bodyStart = 0;
    this.bodyEnd = 0;
    this.headPhase = 0;
    this.headBytes = 0;
    this.minorVersion = 1;
    this.hostCount = 0;
    this.contentLength = -1;
    this.lengthStart = -1;
    this.isChunked = false;
    this.expectsContinue = false;
    this.asksClose = false;
    this.asksKeepAlive = false;
    this.refusal = null;
  }
}
