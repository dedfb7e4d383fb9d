/**
 * The files of a checkpoint. `<repository>/checkpoint/<LSN, 20 digits>/` holds the database exactly as it was after the
 * record of that LSN: the file `catalog`, and `<partition id>.rows` for each partition. All numbers are little-endian;
 * checksums are of all other bytes of their header and of what the header speaks of: CRC-32C, but for blocks the CRC-32 of
 * zlib, which the platform computes at 4 to 5 GB/s (crc32c.ts: at most 1). A directory of that name is whole: it is written
 * as `<name>.incomplete`, every file and the directory synced, then renamed and its parent synced.
 *
 * Rows file: header, blocks, footer; nothing between them, nothing after.
 *
 *   header        offset size field                    block header  offset size field
 *                 0      8    "AMELIEPT"                             0      4    "BLCK"
 *                 8      4    format version, 2                      4      4    checksum of bytes 8-31 and the data
 *                 12     4    checksum of the others                 8      4    number of the block, from 0
 *                 16     8    LSN                                    12     4    rows, 1 to 4,096
 *                 24     4    table id                               16     4    bytes when decompressed
 *                 28     4    partition id                           20     4    bytes of data
 *                 32     4    columns                                24     8    zero
 *                 36     4    signature of the columns               32     …    data: zstd of a block of rows
 *                 40     24   zero                                               (storage/row-block.ts)
 *
 *   footer        offset size field
 *                 0      4    "LAST"
 *                 4      4    checksum of bytes 8-39
 *                 8      8    blocks
 *                 16     8    rows
 *                 24     8    bytes of all blocks when decompressed
 *                 32     8    bytes of the file
 *
 * Catalog file: header, then JSON in UTF-8 (CheckpointContents in catalog-file.ts).
 *
 *   offset size field
 *   0      8    "AMELIECT"
 *   8      4    format version, 2
 *   12     4    checksum of the other bytes of the header and the JSON
 *   16     8    LSN
 *   24     8    bytes of the JSON
 */

import { crc32 } from 'node:zlib';
import { SEGMENT_ROWS } from '../../base/limits.ts';
import type { TableDefinition } from '../../catalog/catalog.ts';
import { crc32c } from '../crc32c.ts';

export const CHECKPOINT_VERSION = 2;
export const ROWS_HEADER_BYTES = 64;
export const BLOCK_HEADER_BYTES = 32;
export const ROWS_FOOTER_BYTES = 40;
export const CATALOG_HEADER_BYTES = 32;
/** Of a block when decompressed; a longer one is a damaged one. */
export const BLOCK_BYTES_MAX: number = 2 ** 31 - 1;

const ROWS_MAGIC = 'AMELIEPT';
const CATALOG_MAGIC = 'AMELIECT';
const BLOCK_MAGIC = 0x4b434c42;
const FOOTER_MAGIC = 0x5453414c;

export type RowsHeader = {
  readonly lsn: number;
  readonly tableId: number;
  readonly partitionId: number;
  readonly columnCount: number;
  readonly signature: number;
};

export type BlockHeader = {
  readonly ordinal: number;
  readonly rowCount: number;
  readonly plainBytes: number;
  readonly dataBytes: number;
};

/** What a rows file has in all. */
export type RowsTotals = {
  readonly blockCount: number;
  readonly rowCount: number;
  readonly plainBytes: number;
  readonly fileBytes: number;
};

/** The header that the rows file of a partition has. */
export function rowsHeader(lsn: number, table: TableDefinition, partitionId: number): RowsHeader {
  return {
    lsn,
    tableId: table.id,
    partitionId,
    columnCount: table.columns.length,
    signature: signatureOf(table),
  };
}

/** A number that differs where rows lie differently in a block: types of the columns, and which may be NULL. */
function signatureOf(table: TableDefinition): number {
  const bytes = Uint8Array.from(table.columns, ({ type, isNotNull }) => type * 2 + (isNotNull ? 1 : 0));
  return crc32c(bytes, 0, bytes.length);
}

export function encodeRowsHeader(header: RowsHeader): Uint8Array {
  const bytes = new Uint8Array(ROWS_HEADER_BYTES);
  const view = startHeader(bytes, ROWS_MAGIC);
  setUint64(view, 16, header.lsn);
  view.setUint32(24, header.tableId, true);
  view.setUint32(28, header.partitionId, true);
  view.setUint32(32, header.columnCount, true);
  view.setInt32(36, header.signature, true);
  view.setInt32(12, headerChecksum(bytes), true);
  return bytes;
}

/** What is wrong with the header of a rows file that should be `expected`; undefined when nothing is. */
export function checkRowsHeader(bytes: Uint8Array, expected: RowsHeader): string | undefined {
  const problem = checkHeader(bytes, ROWS_MAGIC, 'not a rows file of a checkpoint', headerChecksum(bytes));
  if (problem !== undefined) return problem;
  const right = encodeRowsHeader(expected);
  return right.every((byte, at) => byte === bytes[at])
    ? undefined
    : 'the file is of another checkpoint, partition or table';
}

/** Writes a block header before its data, which lies at bytes[start + BLOCK_HEADER_BYTES …]. */
export function writeBlockHeader(bytes: Uint8Array, start: number, header: BlockHeader): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, BLOCK_HEADER_BYTES);
  view.setUint32(0, BLOCK_MAGIC, true);
  view.setUint32(8, header.ordinal, true);
  view.setUint32(12, header.rowCount, true);
  view.setUint32(16, header.plainBytes, true);
  view.setUint32(20, header.dataBytes, true);
  view.setUint32(24, 0, true);
  view.setUint32(28, 0, true);
  view.setUint32(4, blockChecksum(bytes, start, header.dataBytes), true);
}

/** The block header at bytes[start …]; what is wrong with it as text. Its checksum is another matter: checkBlock. */
export function readBlockHeader(bytes: Uint8Array, start: number, ordinal: number): BlockHeader | string {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, BLOCK_HEADER_BYTES);
  if (view.getUint32(0, true) !== BLOCK_MAGIC) return 'no block and no footer';
  const header = {
    ordinal: view.getUint32(8, true),
    rowCount: view.getUint32(12, true),
    plainBytes: view.getUint32(16, true),
    dataBytes: view.getUint32(20, true),
  };
  if (header.ordinal !== ordinal) return `block ${header.ordinal} where ${ordinal} is due`;
  if (header.rowCount < 1 || header.rowCount > SEGMENT_ROWS || header.plainBytes > BLOCK_BYTES_MAX)
    return 'bad block header';
  return header;
}

/** True where the block at bytes[start …], header and data, has its checksum. */
export function isBlockRight(bytes: Uint8Array, start: number, dataBytes: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, BLOCK_HEADER_BYTES);
  return view.getUint32(4, true) === blockChecksum(bytes, start, dataBytes);
}

function blockChecksum(bytes: Uint8Array, start: number, dataBytes: number): number {
  return crc32(bytes.subarray(start + 8, start + BLOCK_HEADER_BYTES + dataBytes));
}

export function encodeFooter(totals: RowsTotals): Uint8Array {
  const bytes = new Uint8Array(ROWS_FOOTER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, FOOTER_MAGIC, true);
  setUint64(view, 8, totals.blockCount);
  setUint64(view, 16, totals.rowCount);
  setUint64(view, 24, totals.plainBytes);
  setUint64(view, 32, totals.fileBytes);
  view.setInt32(4, crc32c(bytes, 8, ROWS_FOOTER_BYTES), true);
  return bytes;
}

export function isFooter(bytes: Uint8Array, start: number): boolean {
  return new DataView(bytes.buffer, bytes.byteOffset + start, 4).getUint32(0, true) === FOOTER_MAGIC;
}

/** What is wrong with a footer that should tell of those totals; undefined when nothing is. */
export function checkFooter(bytes: Uint8Array, start: number, totals: RowsTotals): string | undefined {
  const right = encodeFooter(totals);
  return right.every((byte, at) => byte === bytes[start + at]) ? undefined : 'the footer is not that of the blocks';
}

/** Header and JSON of a catalog file. */
export function encodeCatalogFile(lsn: number, json: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(CATALOG_HEADER_BYTES + json.length);
  const view = startHeader(bytes, CATALOG_MAGIC);
  setUint64(view, 16, lsn);
  setUint64(view, 24, json.length);
  bytes.set(json, CATALOG_HEADER_BYTES);
  view.setInt32(12, headerChecksum(bytes), true);
  return bytes;
}

/** What is wrong with a catalog file of the checkpoint at `lsn`; undefined when nothing is. */
export function checkCatalogFile(bytes: Uint8Array, lsn: number): string | undefined {
  if (bytes.length < CATALOG_HEADER_BYTES) return 'the file is cut short';
  const view = new DataView(bytes.buffer, bytes.byteOffset, CATALOG_HEADER_BYTES);
  const problem = checkHeader(bytes, CATALOG_MAGIC, 'not a catalog of a checkpoint', headerChecksum(bytes));
  if (problem !== undefined) return problem;
  if (getUint64(view, 24) !== bytes.length - CATALOG_HEADER_BYTES) return 'the file has another length';
  return getUint64(view, 16) === lsn ? undefined : `the file says LSN ${getUint64(view, 16)}, its directory ${lsn}`;
}

function startHeader(bytes: Uint8Array, magic: string): DataView {
  bytes.set(new TextEncoder().encode(magic));
  const view = new DataView(bytes.buffer);
  view.setUint32(8, CHECKPOINT_VERSION, true);
  return view;
}

function checkHeader(bytes: Uint8Array, magic: string, otherwise: string, checksum: number): string | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  for (let at = 0; at < magic.length; at++) if (bytes[at] !== magic.charCodeAt(at)) return otherwise;
  if (view.getInt32(12, true) !== checksum) return 'bad checksum';
  const version = view.getUint32(8, true);
  return version === CHECKPOINT_VERSION ? undefined : `unknown format version ${version}`;
}

/** Of all bytes but its own place, 12 to 15. */
function headerChecksum(bytes: Uint8Array): number {
  return crc32c(bytes, 16, bytes.length, crc32c(bytes, 0, 12));
}

function setUint64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
}

function getUint64(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
}
