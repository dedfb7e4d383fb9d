/**
 * Reads the rows file of one partition (format.ts), a block a step. Whatever is wrong with it is LogDamage, which names the
 * file and the offset.
 */

import { zstdDecompressSync } from 'node:zlib';
import type { FileHandle, Files } from '../../base/effects.ts';
import { LogDamage } from '../recover.ts';
import { readFully } from './files.ts';
import {
  BLOCK_HEADER_BYTES,
  type BlockHeader,
  checkFooter,
  checkRowsHeader,
  isBlockRight,
  isFooter,
  ROWS_FOOTER_BYTES,
  ROWS_HEADER_BYTES,
  type RowsHeader,
  type RowsTotals,
  readBlockHeader,
} from './format.ts';

const WINDOW_BYTES = 4 * 1024 * 1024;
const EMPTY: Uint8Array = new Uint8Array(0);

export class RowsReader {
  /** The block that next() has read; its bytes begin at a multiple of 8. */
  bytes: Uint8Array = EMPTY;
  /** Where that block begins in the file. */
  offset = 0;
  readonly #files: Files;
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #fileBytes: number;
  #window: Uint8Array;
  #windowStart = 0;
  #windowEnd = 0;
  #next: number = ROWS_HEADER_BYTES;
  /** Of the memory into which the block was decompressed. */
  #bufferBytes = -1;
  #blockCount = 0;
  #rowCount = 0;
  #plainBytes = 0;

  /** Opens a file that should have that header. Throws LogDamage, or what the file system throws. */
  constructor(files: Files, path: string, header: RowsHeader) {
    this.#files = files;
    this.#path = path;
    try {
      this.#handle = files.openRead(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new LogDamage(`${path}: the file is missing`);
      throw error;
    }
    this.#fileBytes = files.size(this.#handle);
    this.#window = new Uint8Array(Math.min(WINDOW_BYTES, Math.max(ROWS_HEADER_BYTES, this.#fileBytes)));
    try {
      const at = this.#load(0, ROWS_HEADER_BYTES);
      const problem = checkRowsHeader(this.#window.subarray(at, at + ROWS_HEADER_BYTES), header);
      if (problem !== undefined) throw this.damage(problem);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    this.#files.close(this.#handle);
  }

  totals(): RowsTotals {
    return {
      blockCount: this.#blockCount,
      rowCount: this.#rowCount,
      plainBytes: this.#plainBytes,
      fileBytes: this.#fileBytes,
    };
  }

  /**
   * Reads the next block into `bytes`, where the one before it is no more; gives its rows, 0 when the file has been read to
   * its end and was whole.
   */
  next(): number {
    this.#giveBack();
    this.offset = this.#next;
    const at = this.#load(this.offset, BLOCK_HEADER_BYTES);
    if (isFooter(this.#window, at)) {
      this.#end();
      return 0;
    }
    const header = readBlockHeader(this.#window, at, this.#blockCount);
    if (typeof header === 'string') throw this.damage(header);
    this.bytes = this.#decompress(header);
    this.#next = this.offset + BLOCK_HEADER_BYTES + header.dataBytes;
    this.#blockCount++;
    this.#rowCount += header.rowCount;
    this.#plainBytes += header.plainBytes;
    return header.rowCount;
  }

  /** The error of something wrong in the block at hand. */
  damage(problem: string): LogDamage {
    return new LogDamage(`${this.#path}: offset ${this.offset}: ${problem}`);
  }

  /** Frees the block before: the next one comes to lie in the same memory, and the collector has nothing to do. */
  #giveBack(): void {
    const { buffer } = this.bytes;
    // One that is exactly for a block is no part of Node's pool, and nobody else's.
    if (buffer.byteLength === this.#bufferBytes && buffer instanceof ArrayBuffer) buffer.transfer(0);
    this.bytes = EMPTY;
  }

  #decompress({ dataBytes, plainBytes }: BlockHeader): Uint8Array {
    const start = this.#load(this.offset, BLOCK_HEADER_BYTES + dataBytes);
    if (!isBlockRight(this.#window, start, dataBytes)) throw this.damage('bad checksum');
    const data = this.#window.subarray(start + BLOCK_HEADER_BYTES, start + BLOCK_HEADER_BYTES + dataBytes);
    let plain: Uint8Array;
    try {
      // One piece of output, with room for one byte more: else another round would look for the end.
      this.#bufferBytes = Math.max(64, plainBytes + 1);
      plain = zstdDecompressSync(data, { chunkSize: this.#bufferBytes });
    } catch (error) {
      throw this.damage(`the block cannot be decompressed (${(error as Error).message})`);
    }
    if (plain.length !== plainBytes) throw this.damage(`the block has ${plain.length} bytes instead of ${plainBytes}`);
    return (plain.byteOffset & 7) === 0 ? plain : plain.slice();
  }

  #end(): void {
    const at = this.#load(this.offset, ROWS_FOOTER_BYTES);
    const problem = checkFooter(this.#window, at, this.totals());
    if (problem !== undefined) throw this.damage(problem);
    const end = this.offset + ROWS_FOOTER_BYTES;
    if (end !== this.#fileBytes) throw this.damage(`${this.#fileBytes - end} bytes behind the footer`);
  }

  /** Brings bytes [offset, offset + byteCount) of the file into the window; gives where they begin in it. */
  #load(offset: number, byteCount: number): number {
    if (offset >= this.#windowStart && offset + byteCount <= this.#windowEnd) return offset - this.#windowStart;
    if (offset + byteCount > this.#fileBytes) throw this.damage('the file is cut short');
    if (byteCount > this.#window.length) this.#window = new Uint8Array(byteCount);
    const windowBytes = Math.min(this.#window.length, this.#fileBytes - offset);
    const count = readFully(this.#files, this.#handle, this.#window, windowBytes, offset);
    if (count < byteCount) throw this.damage('the file is shorter than it was');
    this.#windowStart = offset;
    this.#windowEnd = offset + count;
    return 0;
  }
}
