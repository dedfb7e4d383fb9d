/**
 * A growing run of bytes on the JavaScript heap. Writers of replies, JSON and log records call `ensure` once for what they
 * are about to write and then store into `bytes` directly, so the bounds check is one a value and not one a byte.
 */

const encoder = new TextEncoder();

export class ByteWriter {
  /** The buffer; only the first `length` bytes are written. Replaced when it grows: never kept across calls. */
  bytes: Uint8Array;
  length = 0;

  constructor(capacityBytes = 4096) {
    this.bytes = new Uint8Array(capacityBytes);
  }

  /** Makes room for `byteCount` more bytes. */
  ensure(byteCount: number): void {
    if (this.length + byteCount > this.bytes.length) this.grow(byteCount);
  }

  private grow(byteCount: number): void {
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + byteCount));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  /** Empties it and keeps the buffer, unless that has grown beyond `keepBytes`. */
  reset(keepBytes: number = 1 << 20): void {
    this.length = 0;
    if (this.bytes.length > keepBytes) this.bytes = new Uint8Array(4096);
  }

  byte(value: number): void {
    this.ensure(1);
    this.bytes[this.length++] = value;
  }

  /** Four bytes, little-endian. */
  uint32(value: number): void {
    this.ensure(4);
    const bytes = this.bytes;
    const at = this.length;
    bytes[at] = value;
    bytes[at + 1] = value >>> 8;
    bytes[at + 2] = value >>> 16;
    bytes[at + 3] = value >>> 24;
    this.length = at + 4;
  }

  /** Text of characters below 128 only; short texts: names of keywords, numbers, dates. */
  ascii(text: string): void {
    const length = text.length;
    this.ensure(length);
    const bytes = this.bytes;
    const at = this.length;
    for (let i = 0; i < length; i++) bytes[at + i] = text.charCodeAt(i);
    this.length = at + length;
  }

  /** Any text, as UTF-8. A lone surrogate becomes U+FFFD. */
  text(text: string): void {
    this.ensure(text.length * 3);
    this.length += encoder.encodeInto(text, this.bytes.subarray(this.length)).written;
  }

  /** Copies source[start, end). */
  copy(source: Uint8Array, start: number, end: number): void {
    const length = end - start;
    this.ensure(length);
    const bytes = this.bytes;
    const at = this.length;
    // A typed array `set` costs about as much as copying 40 bytes by hand.
    if (length <= 40) {
      for (let i = 0; i < length; i++) bytes[at + i] = source[start + i]!;
    } else {
      bytes.set(source.subarray(start, end), at);
    }
    this.length = at + length;
  }

  /** A view of what was written, valid until the next write or reset. */
  view(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  /** A copy of what was written. */
  toBytes(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}
