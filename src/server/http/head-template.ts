/**
 * The last head that was parsed whole, with a hole for the length of its body. Clients send the same head with each
 * request, so comparing bytes and reading digits gives the same as parsing, at a fifth of its cost.
 *
 *   fixed bytes of request line and headers │ digits of Content-Length │ fixed bytes up to the empty line
 *
 * One template serves all connections of a server. A head with Authorization is never one: how long a comparison takes
 * would tell how much of another client's token was right.
 */

import { HEAD_BYTES_MAX } from './limits.ts';
import type { MediaType } from './media.ts';
import type { HttpRequest } from './request.ts';

/** Longer lengths are left to the parser, which refuses what is no length. */
const LENGTH_DIGITS_MAX = 9;
const TEMPLATE_BYTES_MAX = 1024;

export class HeadTemplate {
  readonly #bytes: Buffer = Buffer.alloc(Math.min(TEMPLATE_BYTES_MAX, HEAD_BYTES_MAX));
  /** Where the digits go; those of the template are left out of its bytes. */
  #lengthAt = 0;
  #byteCount = 0;
  #method = '';
  #target = '/';
  #contentType: MediaType = 'none';
  #acceptsJsonLines = false;

  /**
   * Keeps the head in bytes[start, end), which `request` was parsed from, unless it has something in it that a copy could
   * not give again: no length, chunks, options of the connection.
   */
  keep(request: HttpRequest, bytes: Buffer, start: number, end: number): void {
    const { lengthStart, lengthEnd } = request;
    const isPlain =
      request.contentLength >= 0 &&
      request.minorVersion === 1 &&
      !request.asksClose &&
      !request.expectsContinue &&
      request.authorization === '';
    if (!isPlain || end - start > TEMPLATE_BYTES_MAX || lengthStart < start) return;
    bytes.copy(this.#bytes, 0, start, lengthStart);
    bytes.copy(this.#bytes, lengthStart - start, lengthEnd, end);
    this.#lengthAt = lengthStart - start;
    this.#byteCount = end - start - (lengthEnd - lengthStart);
    this.#method = request.method;
    this.#target = request.target;
    this.#contentType = request.contentType;
    this.#acceptsJsonLines = request.acceptsJsonLines;
  }

  /** Fills `request` where a whole head that fits begins at `position`; the position behind it, else -1. */
  fill(request: HttpRequest, bytes: Buffer, position: number, end: number): number {
    const template = this.#bytes;
    const lengthAt = this.#lengthAt;
    const byteCount = this.#byteCount;
    if (byteCount === 0 || end - position <= byteCount) return -1;
    let at = position;
    for (let index = 0; index < lengthAt; index++) if (bytes[at++] !== template[index]) return -1;
    let length = 0;
    const digitsStart = at;
    // There is a byte behind the digits, or the rest would not fit.
    for (;;) {
      const digit = bytes[at]! - 0x30;
      if (digit < 0 || digit > 9) break;
      length = length * 10 + digit;
      at++;
      if (at - digitsStart > LENGTH_DIGITS_MAX || end - at < byteCount - lengthAt) return -1;
    }
    if (at === digitsStart) return -1;
    for (let index = lengthAt; index < byteCount; index++) if (bytes[at++] !== template[index]) return -1;
    request.method = this.#method;
    request.target = this.#target;
    request.contentType = this.#contentType;
    request.acceptsJsonLines = this.#acceptsJsonLines;
    request.contentLength = length;
    request.minorVersion = 1;
    request.headPhase = 2;
    return at;
  }
}
