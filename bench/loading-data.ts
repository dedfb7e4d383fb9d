/**
 * A checkpoint for the section "loading": rows of (bigint, int, int, text of 11 bytes), the first column their key, the others
 * nullable but without a NULL, with a secondary index on the third, spread over partitions by a hash of the key. Keys come in
 * ascending order, as `serial` gives them; the indexed values are scattered over all 32 bits, the worst case for a sort by
 * radix. Each text is another.
 */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { SystemFiles } from '../src/base/files.ts';
import { SEGMENT_ROWS } from '../src/base/limits.ts';
import { Memory } from '../src/base/memory.ts';
import type { TableDefinition } from '../src/catalog/catalog.ts';
import { rowsFileName } from '../src/log/checkpoint/catalog-file.ts';
import { rowsHeader } from '../src/log/checkpoint/format.ts';
import { RowsWriter } from '../src/log/checkpoint/rows-writer.ts';
import { BlockLoader } from '../src/storage/bulk-load.ts';
import { Partition } from '../src/storage/partition.ts';
import { BIGINT, INT, TEXT } from '../src/types/type.ts';

export const CHECKPOINT_LSN = 1000;

export type RowsFile = { readonly path: string; readonly rowCount: number; readonly fileBytes: number };

/** The table, without its partitions. */
export const LOADED_TABLE: TableDefinition = {
  id: 1,
  schema: 'public',
  name: 'rows',
  isShared: false,
  isUnlogged: false,
  columns: [
    { name: 'id', type: BIGINT, isNotNull: true, isIdentity: false },
    { name: 'k', type: INT, isNotNull: false, isIdentity: false },
    { name: 'v', type: INT, isNotNull: false, isIdentity: false },
    { name: 's', type: TEXT, isNotNull: false, isIdentity: false },
  ],
  indexes: [
    {
      id: 1,
      name: 'by_id',
      method: 'tree',
      isUnique: true,
      isPrimary: true,
      keys: [{ column: 0, isDescending: false }],
    },
    {
      id: 2,
      name: 'by_v',
      method: 'tree',
      isUnique: false,
      isPrimary: false,
      keys: [{ column: 2, isDescending: false }],
    },
  ],
  partitions: [],
  identityRef: 0,
};

/** Writes the rows files of a checkpoint into a directory. */
export function writeLoadingData(directory: string, rowCount: number, partitionCount: number): RowsFile[] {
  mkdirSync(directory, { recursive: true });
  const memory = Memory.create({ limitBytes: 64 * 2 ** 30, eagerArenas: false });
  const files: RowsFile[] = [];
  for (let partition = 0; partition < partitionCount; partition++)
    files.push(writePartition(memory, directory, rowCount, partitionCount, partition));
  return files;
}

function writePartition(
  memory: Memory,
  directory: string,
  rowCount: number,
  partitionCount: number,
  ordinal: number,
): RowsFile {
  const rootPage = Partition.create(memory, LOADED_TABLE);
  const id = ordinal + 1;
  const partition = Partition.open(memory, LOADED_TABLE, { id, node: 0, slotFirst: 0, slotEnd: 1, rootPage });
  const loader = new BlockLoader(partition);
  const block = new RowBlock();
  for (let row = 0; row < rowCount; row++) {
    if ((Math.imul(row, 0x9e3779b1) >>> 0) % partitionCount !== ordinal) continue;
    block.add(row);
    if (block.rowCount === SEGMENT_ROWS) block.flush(loader);
  }
  block.flush(loader);
  const path = join(directory, rowsFileName(id));
  const writer = new RowsWriter(
    new SystemFiles(),
    path,
    rowsHeader(CHECKPOINT_LSN, LOADED_TABLE, id),
    partition,
    () => {},
  );
  while (writer.step());
  const { rowCount: written, fileBytes } = writer.totals();
  partition.drop();
  return { path, rowCount: written, fileBytes };
}

/** Rows as a checkpoint has them in a block: src/storage/row-block.ts. */
class RowBlock {
  rowCount = 0;
  readonly #ids: BigInt64Array = new BigInt64Array(SEGMENT_ROWS);
  readonly #ks: Int32Array = new Int32Array(SEGMENT_ROWS);
  readonly #vs: Int32Array = new Int32Array(SEGMENT_ROWS);
  readonly #texts: string[] = [];

  add(row: number): void {
    this.#ids[this.rowCount] = BigInt(row);
    this.#ks[this.rowCount] = row % 100;
    this.#vs[this.rowCount] = Math.imul(row ^ (row >>> 13), 0x85ebca6b);
    this.#texts[this.rowCount] = `text${String(row % 10_000_000).padStart(7, '0')}`;
    this.rowCount++;
  }

  flush(loader: BlockLoader): void {
    const count = this.rowCount;
    if (count === 0) return;
    const padded = (byteCount: number): number => (byteCount + 7) & -8;
    // Each nullable column has its bitmap before it, which is all zeros here.
    const nullBytes = padded(((count + 31) >>> 5) * 4);
    const intBytes = padded(count * 4);
    const bytes = new Uint8Array(count * 8 + 3 * nullBytes + 2 * intBytes + padded(4 + count * 16));
    const view = new DataView(bytes.buffer);
    bytes.set(new Uint8Array(this.#ids.buffer, 0, count * 8), 0);
    bytes.set(new Uint8Array(this.#ks.buffer, 0, count * 4), count * 8 + nullBytes);
    bytes.set(new Uint8Array(this.#vs.buffer, 0, count * 4), count * 8 + 2 * nullBytes + intBytes);
    let at = count * 8 + 3 * nullBytes + 2 * intBytes;
    view.setUint32(at, count * 16, true);
    at += 4;
    for (let row = 0; row < count; row++, at += 16) {
      view.setUint32(at, 11, true);
      new TextEncoder().encodeInto(this.#texts[row]!, bytes.subarray(at + 4, at + 15));
    }
    loader.append(bytes, count);
    this.rowCount = 0;
  }
}
