/** The catalog of a checkpoint: what the database is made of at its LSN, beside the rows. Its bytes: format.ts. */

import { join } from 'node:path';
import type { Files } from '../../base/effects.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import { LogDamage } from '../recover.ts';
import { readFully, writeFile } from './files.ts';
import { CATALOG_HEADER_BYTES, checkCatalogFile, encodeCatalogFile } from './format.ts';

const CATALOG_FILE = 'catalog';

export type CheckpointContents = {
  readonly lsn: number;
  /** With places in memory (rootPage, identityRef) of 0. */
  readonly catalog: Catalog;
  /** Identity counters by table id: the next value, as decimal text. */
  readonly identities: Readonly<Record<string, string>>;
  readonly files: readonly CheckpointFile[];
};

/** The rows file of a partition. */
export type CheckpointFile = {
  readonly partitionId: number;
  readonly rowCount: number;
  readonly fileBytes: number;
};

/** `7.rows`. */
export function rowsFileName(partitionId: number): string {
  return `${partitionId}.rows`;
}

/** Writes the catalog file into the directory of a checkpoint, synced. Throws what the file system throws. */
export function writeCatalogFile(files: Files, directory: string, contents: CheckpointContents): void {
  const json = new TextEncoder().encode(JSON.stringify(contents));
  writeFile(files, join(directory, CATALOG_FILE), encodeCatalogFile(contents.lsn, json));
}

/**
 * Reads the catalog file, and checks that the rows files it names are there, with their sizes. Throws LogDamage, naming file
 * and offset, or what the file system throws.
 */
export function readCatalogFile(files: Files, directory: string, lsn: number): CheckpointContents {
  const path = join(directory, CATALOG_FILE);
  const bytes = readWhole(files, path);
  const problem = checkCatalogFile(bytes, lsn);
  if (problem !== undefined) throw new LogDamage(`${path}: offset 0: ${problem}`);
  const contents = JSON.parse(new TextDecoder().decode(bytes.subarray(CATALOG_HEADER_BYTES))) as CheckpointContents;
  for (const { partitionId, fileBytes } of contents.files) checkSize(files, directory, partitionId, fileBytes);
  return contents;
}

function checkSize(files: Files, directory: string, partitionId: number, fileBytes: number): void {
  const path = join(directory, rowsFileName(partitionId));
  const handle = openRead(files, path);
  try {
    const found = files.size(handle);
    if (found === fileBytes) return;
    const offset = Math.min(found, fileBytes);
    throw new LogDamage(`${path}: offset ${offset}: the file has ${found} bytes, the catalog says ${fileBytes}`);
  } finally {
    files.close(handle);
  }
}

function readWhole(files: Files, path: string): Uint8Array {
  const handle = openRead(files, path);
  try {
    const bytes = new Uint8Array(files.size(handle));
    return bytes.subarray(0, readFully(files, handle, bytes, bytes.length, 0));
  } finally {
    files.close(handle);
  }
}

function openRead(files: Files, path: string): number {
  try {
    return files.openRead(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new LogDamage(`${path}: the file is missing`);
    throw error;
  }
}
