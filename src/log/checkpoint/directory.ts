/**
 * The folder of checkpoints: one directory each, named after its LSN (20 digits, with `.2` behind it for a second one of the
 * same LSN).
 *
 *   (none) ── begin ──▶ <name>.incomplete ── publish: synced, renamed, parent synced ──▶ <name>
 *   <name> ── publish: the parent's sync has failed ──▶ <name>.incomplete
 *   <name> ── remove ──▶ <name>.incomplete ──▶ (none)      so what is half removed never looks whole
 *
 * An incomplete one is left over where a process ended; it is removed at the next start, or before the next begin.
 */

import { join } from 'node:path';
import type { Files } from '../../base/effects.ts';
import { WAL_HEADER_BYTES, walFileName } from '../record.ts';
import { walFiles } from '../recover.ts';

const INCOMPLETE = '.incomplete';

export type CheckpointName = {
  readonly lsn: number;
  /** 1, or more for later ones of the same LSN. */
  readonly sequence: number;
};

/** `00000000000000000042`, `00000000000000000042.2`. */
export function checkpointName({ lsn, sequence }: CheckpointName): string {
  return `${String(lsn).padStart(20, '0')}${sequence === 1 ? '' : `.${sequence}`}`;
}

/** Of whole checkpoints, oldest first. */
export function listCheckpoints(files: Files, folder: string): CheckpointName[] {
  return files
    .list(folder)
    .map((name) => /^(\d{20})(?:\.([1-9]\d{0,8}))?$/.exec(name))
    .filter((match) => match !== null)
    .map((match) => ({ lsn: Number(match[1]), sequence: Number(match[2] ?? 1) }))
    .sort((a, b) => a.lsn - b.lsn || a.sequence - b.sequence);
}

/** Makes the directory in which a checkpoint is written; gives its path. Throws what the file system throws. */
export function beginCheckpoint(files: Files, folder: string, name: CheckpointName): string {
  removeIncomplete(files, folder);
  files.makeDirectory(folder);
  const directory = join(folder, checkpointName(name) + INCOMPLETE);
  files.makeDirectory(directory);
  return directory;
}

/**
 * Gives a checkpoint whose files are all written and synced its name. Throws what the file system throws; then it has not
 * got it, unless taking it back has failed too.
 */
export function publishCheckpoint(files: Files, folder: string, name: CheckpointName): void {
  const path = join(folder, checkpointName(name));
  files.syncDirectory(path + INCOMPLETE);
  files.rename(path + INCOMPLETE, path);
  try {
    files.syncDirectory(folder);
  } catch (error) {
    try {
      files.rename(path, path + INCOMPLETE);
    } catch {
      // It is whole, and a start may use it.
    }
    throw error;
  }
}

/** Removes all whole checkpoints but that one; gives how many. Throws what the file system throws. */
export function removeOlder(files: Files, folder: string, kept: CheckpointName): number {
  const older = listCheckpoints(files, folder).filter(
    ({ lsn, sequence }) => lsn !== kept.lsn || sequence !== kept.sequence,
  );
  for (const name of older) {
    const path = join(folder, checkpointName(name));
    files.rename(path, path + INCOMPLETE);
  }
  if (older.length > 0) removeIncomplete(files, folder);
  return older.length;
}

/** Removes what was not finished, or half removed; gives how many. Throws what the file system throws. */
export function removeIncomplete(files: Files, folder: string): number {
  const names = files.list(folder).filter((name) => name.endsWith(INCOMPLETE));
  for (const name of names) {
    const directory = join(folder, name);
    for (const file of files.list(directory)) files.remove(join(directory, file));
    files.removeDirectory(directory);
  }
  if (names.length > 0) files.syncDirectory(folder);
  return names.length;
}

/**
 * Removes the WAL files of which a checkpoint at `lsn` needs no record; gives how many. Oldest first, so that what is left is
 * without a gap at any moment. Throws what the file system throws.
 */
export function trimLog(files: Files, logDirectory: string, lsn: number): number {
  const lsns = walFiles(files, logDirectory);
  let count = 0;
  while (count + 1 < lsns.length && lsns[count + 1]! <= lsn + 1 && hasHeader(files, logDirectory, lsns[count + 1]!))
    count++;
  // The file that stays has to be there before the others are not.
  if (count > 0) files.syncDirectory(logDirectory);
  for (let index = 0; index < count; index++) files.remove(join(logDirectory, walFileName(lsns[index]!)));
  if (count > 0) files.syncDirectory(logDirectory);
  return count;
}

/** False of a file that is just being made: the one before it is still the log. */
function hasHeader(files: Files, logDirectory: string, lsn: number): boolean {
  const handle = files.openRead(join(logDirectory, walFileName(lsn)));
  try {
    return files.size(handle) >= WAL_HEADER_BYTES;
  } finally {
    files.close(handle);
  }
}
