/**
 * The replies on one connection of the load generator, as little of HTTP as a benchmark needs: one reply at a time, with a
 * Content-Length or without content. A reply that is anything else is an Error.
 *
 *   HEAD --(blank line seen, no content)--> complete
 *   HEAD --(blank line seen)--> BODY --(all bytes seen)--> complete
 *
 * `feed` does all transitions; a head that arrives in pieces waits in `#pending`. The content of a failure (status 300 and
 * up) is kept as its message, all other content is only counted.
 */

const NOTHING: Buffer = Buffer.alloc(0);
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const CONTENT_LENGTH: Buffer = Buffer.from('content-length:');
const HEAD_BYTES_MAX = 16 * 1024;

function isContentLength(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < CONTENT_LENGTH.length) return false;
  for (let index = 0; index < CONTENT_LENGTH.length; index++) {
    const byte = bytes[start + index]!;
    const lower = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
    if (lower !== CONTENT_LENGTH[index]) return false;
  }
  return true;
}

function readLength(bytes: Uint8Array, start: number, end: number): number {
  let length = 0;
  let digitCount = 0;
  for (let index = start; index < end; index++) {
    const byte = bytes[index]!;
    if (byte === 0x20 || byte === CARRIAGE_RETURN) continue;
    if (byte < 0x30 || byte > 0x39) throw new Error('the server sent a Content-Length that is no number');
    length = length * 10 + byte - 0x30;
    digitCount++;
  }
  if (digitCount === 0) throw new Error('the server sent an empty Content-Length');
  return length;
}

export class ReplyParser {
  /** Status of the last reply. */
  status = 0;
  /** Content of the last reply where its status is 300 or more, else empty. */
  message = '';
  #pending: Buffer = NOTHING;
  /** Bytes of content still to come; -1 while the head is not complete. */
  #bodyBytesLeft = -1;
  #failure: Buffer = NOTHING;
  /** Content-Length of the head that was read last. */
  #contentLength = 0;

  /**
   * Takes the next `length` bytes of the connection; they are not kept. True when they complete a reply.
   * Bytes after the end of a reply are an Error: there is one request at a time.
   */
  feed(chunk: Uint8Array, length: number): boolean {
    if (this.#bodyBytesLeft >= 0) return this.#takeBody(chunk, 0, length);
    if (this.#pending.length === 0) {
      const bodyStart = this.#readHead(chunk, length);
      if (bodyStart > 0) return this.#takeBody(chunk, bodyStart, length);
      this.#pending = Buffer.from(chunk.subarray(0, length));
      return false;
    }
    const joined = Buffer.concat([this.#pending, chunk.subarray(0, length)]);
    if (joined.length > HEAD_BYTES_MAX && this.#readHead(joined, joined.length) < 0) {
      throw new Error('the server sent a reply without an end of its head');
    }
    const bodyStart = this.#readHead(joined, joined.length);
    if (bodyStart < 0) {
      this.#pending = joined;
      return false;
    }
    this.#pending = NOTHING;
    return this.#takeBody(joined, bodyStart, joined.length);
  }

  /** The offset after the head, or -1 while it is not complete. */
  #readHead(bytes: Uint8Array, length: number): number {
    let lineStart = 0;
    let contentLength = -1;
    for (let index = 0; index < length; index++) {
      if (bytes[index] !== LINE_FEED) continue;
      const lineEnd = index > lineStart && bytes[index - 1] === CARRIAGE_RETURN ? index - 1 : index;
      if (lineEnd === lineStart) {
        const status = (bytes[9]! - 48) * 100 + (bytes[10]! - 48) * 10 + bytes[11]! - 48;
        if (!(status >= 100 && status <= 599)) throw new Error('the server sent something that is not HTTP/1.1');
        if (contentLength < 0 && status !== 204) throw new Error('the server sent a reply without Content-Length');
        this.status = status;
        this.#contentLength = status === 204 ? 0 : contentLength;
        this.#bodyBytesLeft = this.#contentLength;
        this.message = '';
        this.#failure = NOTHING;
        return index + 1;
      }
      // Only one header matters, and its name starts with c or C.
      if ((bytes[lineStart]! | 0x20) === 0x63 && isContentLength(bytes, lineStart, lineEnd)) {
        contentLength = readLength(bytes, lineStart + CONTENT_LENGTH.length, lineEnd);
      }
      lineStart = index + 1;
    }
    return -1;
  }

  #takeBody(bytes: Uint8Array, start: number, end: number): boolean {
    const byteCount = end - start;
    if (byteCount > this.#bodyBytesLeft) throw new Error('the server sent more than the reply');
    this.#bodyBytesLeft -= byteCount;
    if (this.status >= 300) this.#failure = Buffer.concat([this.#failure, bytes.subarray(start, end)]);
    if (this.#bodyBytesLeft > 0) return false;
    this.#bodyBytesLeft = -1;
    if (this.status >= 300) this.message = this.#failure.toString('utf8');
    return true;
  }
}
