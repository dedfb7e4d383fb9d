/**
 * Bytes of the write-ahead log. All numbers are little-endian. A file is named after the first LSN in it, 20 digits and
 * `.wal`, and holds a header, then records one after another.
 *
 * File header, 32 bytes, written once by whoever creates the file:
 *
 *   offset size field
 *   0      8    "AMELIEWL"
 *   8      4    format version, 2; a file that says 1 is read too, and goes on with records of version 2
 *   12     4    CRC-32C of bytes 0-11 and 16-31
 *   16     8    LSN of the first record
 *   24     4    WAL_REPAIR, WAL_REPAIR_UNSYNCED: the file was begun after a failed sync; 0 for all others
 *   28     4    zero
 *
 * Record, one a transaction, written by the committer, a group of them in one write:
 *
 *   offset size field
 *   0      4    bytes of the record, header and padding included; a multiple of 8
 *   4      4    CRC-32C of bytes 8 … end
 *   8      8    LSN
 *   16     4    section count
 *   20     4    zero
 *   24     …    sections: [u32 kind][u32 payload bytes][payload], then zeros up to a multiple of 8
 *
 * Sections: SECTION_ROWS is the row changes of one node's part (storage/redo.ts; they name partitions and primary keys),
 * SECTION_COMMAND a DDL command as JSON in UTF-8. Sections of a record are applied in their order.
 */

import { assert } from '../base/assert.ts';
import { crc32c, crc32cOfWords } from './crc32c.ts';

export const WAL_HEADER_BYTES = 32;
export const WAL_FORMAT_VERSION = 2;
/** Begun after a failed sync: takes records only once a checkpoint has all that is before them. */
export const WAL_REPAIR = 1;
/** So, and records of the file before may not be on disk: they were acknowledged without a sync. */
export const WAL_REPAIR_UNSYNCED = 2;
export const RECORD_HEADER_BYTES = 24;
/** A record is shorter than this: its length is 32 bits, and a longer one is a damaged one. */
export const RECORD_BYTES_MAX: number = 1024 * 1024 * 1024;

export const SECTION_ROWS = 1;
export const SECTION_COMMAND = 2;

const MAGIC: Uint8Array = new TextEncoder().encode('AMELIEWL');

/** `00000000000000000001.wal`. */
export function walFileName(firstLsn: number): string {
  return `${String(firstLsn).padStart(20, '0')}.wal`;
}

/** The first LSN of a file by its name, or -1 when it is none of ours. */
export function walFileLsn(name: string): number {
  return /^\d{20}\.wal$/.test(name) ? Number(name.slice(0, 20)) : -1;
}

/** A file header; `repair`: 0, WAL_REPAIR or WAL_REPAIR_UNSYNCED. */
export function encodeWalHeader(firstLsn: number, repair = 0): Uint8Array {
  const bytes = new Uint8Array(WAL_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint32(8, WAL_FORMAT_VERSION, true);
  view.setUint32(16, firstLsn >>> 0, true);
  view.setUint32(20, Math.floor(firstLsn / 2 ** 32), true);
  view.setUint32(24, repair, true);
  view.setInt32(12, headerChecksum(bytes), true);
  return bytes;
}

/** What is wrong with a file header, or undefined when it is the header of a file that begins with `firstLsn`. */
export function checkWalHeader(bytes: Uint8Array, firstLsn: number): string | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, WAL_HEADER_BYTES);
  for (let at = 0; at < MAGIC.length; at++) if (bytes[at] !== MAGIC[at]) return 'not a WAL file';
  if (view.getInt32(12, true) !== headerChecksum(bytes)) return 'bad checksum of the file header';
  const version = view.getUint32(8, true);
  if (version === 0 || version > WAL_FORMAT_VERSION) return `unknown format version ${version}`;
  const lsn = view.getUint32(20, true) * 2 ** 32 + view.getUint32(16, true);
  return lsn === firstLsn ? undefined : `the header says LSN ${lsn}, the name LSN ${firstLsn}`;
}

/** WAL_REPAIR, WAL_REPAIR_UNSYNCED or 0, of a header that is whole. */
export function walHeaderRepair(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, WAL_HEADER_BYTES).getUint32(24, true);
}

function headerChecksum(bytes: Uint8Array): number {
  return crc32c(bytes, 16, WAL_HEADER_BYTES, crc32c(bytes, 0, 12));
}

/**
 * Builds a group of records in one growing buffer on the JavaScript heap: bytes given to a system call must not be shared
 * memory. Use: begin(lsn), addSection(…) once or more, end(); then `bytes` up to `length`; clear() for the next group.
 */
export class GroupWriter {
  bytes!: Uint8Array;
  length = 0;
  private view!: DataView;
  private words!: Int32Array;
  private recordStart = 0;
  private sectionCount = 0;
  private readonly keepBytes: number;

  /** @param keepBytes size to which the buffer goes back after a larger group */
  constructor(keepBytes: number) {
    this.keepBytes = Math.ceil(keepBytes / 8) * 8;
    this.allocate(this.keepBytes);
  }

  begin(lsn: number): void {
    this.ensure(RECORD_HEADER_BYTES);
    this.recordStart = this.length;
    this.sectionCount = 0;
    const view = this.view;
    view.setUint32(this.length + 8, lsn >>> 0, true);
    view.setUint32(this.length + 12, (lsn / 2 ** 32) | 0, true);
    view.setUint32(this.length + 20, 0, true);
    this.length += RECORD_HEADER_BYTES;
  }

  /** Copies bytes [start, end) of `source`, which may be shared memory, as a section. */
  addSection(kind: number, source: Uint8Array, start: number, end: number): void {
    const byteCount = end - start;
    this.ensure(8 + byteCount + 8);
    this.view.setUint32(this.length, kind, true);
    this.view.setUint32(this.length + 4, byteCount, true);
    copyBytes(source, start, end, this.bytes, this.length + 8);
    this.length += 8 + byteCount;
    this.sectionCount++;
  }

  end(): void {
    const start = this.recordStart;
    const length = this.length;
    // The buffer has a multiple of 8 bytes.
    this.length = (length + 7) & -8;
    this.bytes.fill(0, length, this.length);
    const view = this.view;
    assert(this.length - start < RECORD_BYTES_MAX, 'a record fits its limit');
    view.setUint32(start, this.length - start, true);
    view.setUint32(start + 16, this.sectionCount, true);
    view.setInt32(start + 4, crc32cOfWords(this.words, (start + 8) >> 2, this.length >> 2), true);
  }

  clear(): void {
    this.length = 0;
    if (this.bytes.length > this.keepBytes) this.allocate(this.keepBytes);
  }

  private ensure(byteCount: number): void {
    if (this.length + byteCount <= this.bytes.length) return;
    const written = this.bytes.subarray(0, this.length);
    this.allocate(Math.max(this.bytes.length * 2, this.length + byteCount));
    this.bytes.set(written);
  }

  private allocate(byteCount: number): void {
    this.bytes = new Uint8Array(Math.ceil(byteCount / 8) * 8);
    this.view = new DataView(this.bytes.buffer);
    this.words = new Int32Array(this.bytes.buffer);
  }
}

/** A loop is faster than making a subarray for a call up to about 200 bytes, which most parts are. */
function copyBytes(source: Uint8Array, start: number, end: number, target: Uint8Array, at: number): void {
  if (end - start > 192) {
    target.set(source.subarray(start, end), at);
    return;
  }
  for (let from = start; from < end; from++, at++) target[at] = source[from]!;
}
