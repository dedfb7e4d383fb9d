/**
 * The framing of chunked bodies (RFC 9112, 7.1).
 *
 * ```
 *            size line, > 0        all bytes taken             CR LF
 * 0 SIZE  ──────────────────▶ 1 DATA ──────────────▶ 2 DATA_END ──────▶ 0 SIZE
 *   │ size line, 0                          empty line
 *   └──────────────▶ 3 TRAILERS ──────────────────────────▶ 4 DONE
 *                      └──┘ trailer line, checked and thrown away
 * ```
 * Lines that are not complete are left alone, as in head.ts.
 */

import type { BodyBuffer } from './body.ts';
import { HEX_VALUE, IS_VALUE } from './characters.ts';
import { skipTrailerLine } from './head.ts';
import { HEAD_BYTES_MAX } from './limits.ts';
import { bodyTooLarge, HEAD_TOO_LARGE, MALFORMED_CHUNK, type Refusal } from './refusals.ts';

const SIZE_DIGITS_MAX = 12;

export class ChunkedDecoder {
  #phase = 0;
  /** Bytes of the current chunk that are still to come. */
  #chunkBytesLeft = 0;
  /** Bytes of extensions and trailers so far. */
  #overheadBytes = 0;
  refusal: Refusal | null = null;

  get isDone(): boolean {
    return this.#phase === 4;
  }

  reset(): void {
    this.#phase = 0;
    this.#chunkBytesLeft = 0;
    this.#overheadBytes = 0;
    this.refusal = null;
  }

  /**
   * Takes what it can of bytes[position, end), appends the body's bytes to `body`, and returns the position behind what it
   * took. Sets `refusal` for wrong framing, and for a body that would be longer than `limitBytes`.
   */
  decode(bytes: Buffer, position: number, end: number, body: BodyBuffer, limitBytes: number): number {
    while (position < end && this.#phase !== 4) {
      if (this.#phase === 1) {
        const stop = Math.min(end, position + this.#chunkBytesLeft);
        body.append(bytes, position, stop);
        this.#chunkBytesLeft -= stop - position;
        position = stop;
        if (this.#chunkBytesLeft === 0) this.#phase = 2;
        continue;
      }
      const next =
        this.#phase === 0
          ? this.#sizeLine(bytes, position, end, body.length, limitBytes)
          : this.#phase === 2
            ? this.#dataEnd(bytes, position, end)
            : this.#trailerLine(bytes, position, end);
      if (next < 0) break;
      position = next;
    }
    return position;
  }

  #refuse(refusal: Refusal): number {
    this.refusal = refusal;
    return -1;
  }

  #sizeLine(bytes: Buffer, position: number, end: number, bodyBytes: number, limitBytes: number): number {
    let index = position;
    let size = 0;
    while (index < end) {
      const digit = HEX_VALUE[bytes[index]!]!;
      if (digit === 255) break;
      if (index - position >= SIZE_DIGITS_MAX) return this.#refuse(MALFORMED_CHUNK);
      size = size * 16 + digit;
      index++;
    }
    if (index === end) return -1;
    if (index === position) return this.#refuse(MALFORMED_CHUNK);
    const extensionStart = index;
    if (bytes[index] === 0x3b) {
      while (index < end && IS_VALUE[bytes[index]!] === 1) index++;
      if (this.#overheadBytes + (index - extensionStart) > HEAD_BYTES_MAX) return this.#refuse(HEAD_TOO_LARGE);
      if (index === end) return -1;
    }
    if (bytes[index] !== 0x0d) return this.#refuse(MALFORMED_CHUNK);
    if (index + 1 === end) return -1;
    if (bytes[index + 1] !== 0x0a) return this.#refuse(MALFORMED_CHUNK);
    if (bodyBytes + size > limitBytes) return this.#refuse(bodyTooLarge(limitBytes));
    this.#overheadBytes += index - extensionStart;
    this.#chunkBytesLeft = size;
    this.#phase = size === 0 ? 3 : 1;
    return index + 2;
  }

  #dataEnd(bytes: Buffer, position: number, end: number): number {
    if (bytes[position] !== 0x0d) return this.#refuse(MALFORMED_CHUNK);
    if (position + 1 === end) return -1;
    if (bytes[position + 1] !== 0x0a) return this.#refuse(MALFORMED_CHUNK);
    this.#phase = 0;
    return position + 2;
  }

  #trailerLine(bytes: Buffer, position: number, end: number): number {
    const next = skipTrailerLine(bytes, position, end);
    if (next === -2) return this.#refuse(MALFORMED_CHUNK);
    const lineBytes = (next === -1 ? end : next) - position;
    if (this.#overheadBytes + lineBytes > HEAD_BYTES_MAX) return this.#refuse(HEAD_TOO_LARGE);
    if (next === -1) return -1;
    this.#overheadBytes += lineBytes;
    if (bytes[position] === 0x0d) this.#phase = 4;
    return next;
  }
}
