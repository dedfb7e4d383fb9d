/**
 * The bytes of a partition. Everything starts at its root page; only the owning node writes, anyone may open it by the
 * root's page number (PartitionDefinition.rootPage) when the order allows.
 *
 * Root page, in 32-bit words:
 *
 * | word        | what                                                                                           |
 * | ----------- | ---------------------------------------------------------------------------------------------- |
 * | 0           | ROOT_MAGIC                                                                                     |
 * | 1           | layout version: + 1 whenever a page of the directories is added, moved or freed                |
 * | 2           | table id                                                                                       |
 * | 3           | columns                                                                                        |
 * | 4           | live rows                                                                                      |
 * | 5           | next row: highest used slot + 1                                                                |
 * | 6           | free slots below it                                                                            |
 * | 7           | segment where the search for a free slot starts (none is free before it)                        |
 * | 8           | segments                                                                                       |
 * | 9           | first page of the segment directory, 0 = it lies in the root from word 1536                     |
 * | 10          | segments that the directory has room for                                                       |
 * | 11          | words of a directory entry                                                                     |
 * | 12          | page of the description of the snapshot that is on (snapshot.ts), 0 = none                      |
 * | 64 … 191    | heap of values (heap.ts)                                                                       |
 * | 192 … 319   | heap of index nodes and separators                                                             |
 * | 512 … 1535  | 32 index slots of 32 words                                                                     |
 * | 1536 … 4095 | small segment directory                                                                        |
 *
 * Entry of the segment directory: word 0 first page of the segment's head run, 1 free slots of the segment (below next
 * row), 2 … first page of each column's own run, 0 where the column lies in the head run.
 *
 * A segment is 4,096 row slots; row = segment << 12 | slot. Its head run: bitmap of live rows (512 bytes), bitmap of used
 * slots (live, or deleted by a transaction that is not final), then a null bitmap for each nullable column, then the
 * columns of 1 byte (4 KiB each), then those of 2 bytes. Every wider column has a run of its own: 1, 2 or 4 pages of
 * values of 4, 8 or 16 bytes. Values of free slots and of NULL are undefined. Bits: row slot s is bit s & 31 of word s >> 5.
 *
 * Index slot: word 0 index id (0 = slot free), 1 method (1 tree, 2 hash, 3 tree of hashes), 2 root node or bucket directory,
 * 3 entries, then words of the method: tree.ts, hash.ts.
 */

import { assert } from '../base/assert.ts';
import { PAGE_BYTES, SEGMENT_ROWS } from '../base/limits.ts';
import type { TableDefinition } from '../catalog/catalog.ts';
import { COLUMN_BYTES } from '../types/type.ts';

export const ROOT_MAGIC = 0x54524150;
export const ROOT_LAYOUT_VERSION = 1;
export const ROOT_TABLE = 2;
export const ROOT_COLUMNS = 3;
export const ROOT_ROWS = 4;
export const ROOT_NEXT_ROW = 5;
export const ROOT_FREE = 6;
export const ROOT_FREE_SEGMENT = 7;
export const ROOT_SEGMENTS = 8;
export const ROOT_DIRECTORY_PAGE = 9;
export const ROOT_DIRECTORY_CAPACITY = 10;
export const ROOT_DIRECTORY_STRIDE = 11;
export const ROOT_SNAPSHOT = 12;
export const ROOT_VALUE_HEAP = 64;
export const ROOT_NODE_HEAP = 192;
export const ROOT_INDEXES = 512;
export const ROOT_DIRECTORY = 1536;

export const INDEX_SLOT_WORDS = 32;
export const INDEX_SLOT_COUNT = 32;
export const INDEX_ID = 0;
export const INDEX_METHOD = 1;
export const INDEX_ROOT = 2;
export const INDEX_ENTRIES = 3;
export const METHOD_TREE = 1;
export const METHOD_HASH = 2;
export const METHOD_HASHED_TREE = 3;

export const BITMAP_BYTES: number = SEGMENT_ROWS / 8;
/** Words of a directory entry before its columns. */
export const SEGMENT_HEAD_PAGE = 0;
export const SEGMENT_FREE = 1;
export const SEGMENT_COLUMNS = 2;

assert(ROOT_INDEXES + INDEX_SLOT_COUNT * INDEX_SLOT_WORDS === ROOT_DIRECTORY, 'index slots fill their place');

/** Where the columns of a table lie in its segments; the same for all its partitions. */
export type SegmentLayout = {
  readonly columnCount: number;
  /** Storage kind of each column: COLUMN_KINDS by type number. */
  readonly kinds: Uint8Array;
  /** Pages of the column's own run; 0 = in the head run. */
  readonly pageCounts: Int32Array;
  /** Byte offset in the head run, for columns that lie there. */
  readonly headOffsets: Int32Array;
  /** Byte offset of the null bitmap in the head run; 0 = the column is not nullable. */
  readonly nullOffsets: Int32Array;
  readonly headPages: number;
  /** Ordinals of the columns whose values lie in the heap. */
  readonly heapColumns: Int32Array;
  /** Bytes of a row: of its values in place, and of the refs to others. */
  readonly rowBytes: number;
};

/**
 * Storage kind by type number, for loops over columns: 0 one byte, 1 two bytes, 2 four bytes, 3 two words, 4 float,
 * 5 double, 6 ref to the heap, 7 sixteen bytes in place.
 */
export const COLUMN_KINDS: Uint8Array = Uint8Array.of(0, 0, 0, 1, 2, 3, 4, 5, 6, 6, 3, 7, 2, 6, 7);

/** The layout of a table's segments. */
export function segmentLayout(table: TableDefinition): SegmentLayout {
  const columnCount = table.columns.length;
  const kinds = new Uint8Array(columnCount);
  const pageCounts = new Int32Array(columnCount);
  const headOffsets = new Int32Array(columnCount);
  const nullOffsets = new Int32Array(columnCount);
  const heapColumns: number[] = [];
  let headBytes = 2 * BITMAP_BYTES;
  table.columns.forEach((column, ordinal) => {
    kinds[ordinal] = COLUMN_KINDS[column.type]!;
    if (kinds[ordinal] === 6) heapColumns.push(ordinal);
    if (column.isNotNull) return;
    nullOffsets[ordinal] = headBytes;
    headBytes += BITMAP_BYTES;
  });
  for (const width of [1, 2]) {
    table.columns.forEach((column, ordinal) => {
      if (COLUMN_BYTES[column.type] !== width) return;
      headOffsets[ordinal] = headBytes;
      headBytes += width * SEGMENT_ROWS;
    });
  }
  table.columns.forEach((column, ordinal) => {
    const width = COLUMN_BYTES[column.type]!;
    if (width >= 4) pageCounts[ordinal] = (width * SEGMENT_ROWS) / PAGE_BYTES;
  });
  return {
    columnCount,
    kinds,
    pageCounts,
    headOffsets,
    nullOffsets,
    headPages: Math.ceil(headBytes / PAGE_BYTES),
    heapColumns: Int32Array.from(heapColumns),
    rowBytes: table.columns.reduce((sum, { type }) => sum + COLUMN_BYTES[type]!, 0),
  };
}
