/**
 * Writes the rows file of one partition (format.ts), a block a step: a snapshot thread runs it to the end, the inline engine
 * between other work.
 *
 *   made ── step: header ─▶ BLOCKS ── step: a block, again and again; the last one writes the footer and syncs ──▶ DONE
 *   any ── an error is thrown ──▶ FAILED; abandon() closes the file
 */

import { constants, zstdCompressSync } from 'node:zlib';
import { assert } from '../../base/assert.ts';
import type { FileHandle, Files } from '../../base/effects.ts';
import { BlockPacker, type RowSource } from '../../storage/row-block.ts';
import { writeFully } from './files.ts';
import {
  BLOCK_HEADER_BYTES,
  encodeFooter,
  encodeRowsHeader,
  ROWS_FOOTER_BYTES,
  type RowsHeader,
  type RowsTotals,
  writeBlockHeader,
} from './format.ts';

/** Bytes that are gathered before they are written. */
const WRITE_BYTES = 1024 * 1024;
/** Most files of most checkpoints are small. */
const FIRST_BYTES = 64 * 1024;
const LEVEL = 1;

export class RowsWriter {
  readonly #files: Files;
  readonly #header: RowsHeader;
  readonly #packer: BlockPacker;
  #handle: FileHandle;
  #bytes: Uint8Array = new Uint8Array(FIRST_BYTES);
  #byteCount = 0;
  /** Bytes written before those. */
  #position = 0;
  #blockCount = 0;
  #rowCount = 0;
  #plainBytes = 0;
  #isDone = false;

  /**
   * Makes the file; throws what the file system throws.
   *
   * @param onSegmentRead called when a segment of the source is not needed any more
   */
  constructor(
    files: Files,
    path: string,
    header: RowsHeader,
    source: RowSource,
    onSegmentRead: (segment: number) => void,
  ) {
    this.#files = files;
    this.#header = header;
    this.#packer = new BlockPacker(source, onSegmentRead);
    this.#handle = files.open(path, true);
  }

  /** Writes the next block. False: that was all, and the file is whole and synced. Throws what the file system throws. */
  step(): boolean {
    assert(!this.#isDone, 'a file is written once');
    if (this.#position + this.#byteCount === 0) this.#add(encodeRowsHeader(this.#header));
    const rowCount = this.#packer.next();
    if (rowCount > 0) {
      this.#addBlock(rowCount);
      if (this.#byteCount >= WRITE_BYTES) this.#flush();
      return true;
    }
    this.#add(encodeFooter(this.totals()));
    this.#flush();
    this.#files.sync(this.#handle);
    this.#isDone = true;
    this.#files.close(this.#handle);
    this.#handle = -1;
    return false;
  }

  /** What the file has, or will have when nothing is added. */
  totals(): RowsTotals {
    const fileBytes = this.#position + this.#byteCount + (this.#isDone ? 0 : ROWS_FOOTER_BYTES);
    return { blockCount: this.#blockCount, rowCount: this.#rowCount, plainBytes: this.#plainBytes, fileBytes };
  }

  /** Closes the file after an error; it stays as it is. */
  abandon(): void {
    if (this.#handle < 0) return;
    this.#files.close(this.#handle);
    this.#handle = -1;
  }

  #addBlock(rowCount: number): void {
    const { bytes, byteLength } = this.#packer;
    const data = zstdCompressSync(bytes.subarray(0, byteLength), {
      // One piece of output: what does not compress needs a little more than it had.
      chunkSize: byteLength + (byteLength >>> 7) + 1024,
      params: { [constants.ZSTD_c_compressionLevel]: LEVEL },
    });
    this.#ensure(BLOCK_HEADER_BYTES + data.length);
    const start = this.#byteCount;
    this.#bytes.set(data, start + BLOCK_HEADER_BYTES);
    writeBlockHeader(this.#bytes, start, {
      ordinal: this.#blockCount,
      rowCount,
      plainBytes: byteLength,
      dataBytes: data.length,
    });
    this.#byteCount += BLOCK_HEADER_BYTES + data.length;
    this.#blockCount++;
    this.#rowCount += rowCount;
    this.#plainBytes += byteLength;
  }

  #add(bytes: Uint8Array): void {
    this.#ensure(bytes.length);
    this.#bytes.set(bytes, this.#byteCount);
    this.#byteCount += bytes.length;
  }

  #ensure(byteCount: number): void {
    if (this.#byteCount + byteCount <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#byteCount + byteCount, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#byteCount));
    this.#bytes = larger;
  }

  #flush(): void {
    writeFully(this.#files, this.#handle, this.#bytes, this.#byteCount, this.#position);
    this.#position += this.#byteCount;
    this.#byteCount = 0;
    if (this.#bytes.length > 4 * WRITE_BYTES) this.#bytes = new Uint8Array(WRITE_BYTES + 256 * 1024);
  }
}
