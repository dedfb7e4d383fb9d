/** What is done with WAL files beside appending: making the first one, and making files durable. */

import { join } from 'node:path';
import type { Files } from '../base/effects.ts';
import { writeFile } from './checkpoint/files.ts';
import { LOG_SYNC_PENDING, syncFailureOf } from './log-state.ts';
import { encodeWalHeader, GroupWriter, SECTION_COMMAND, WAL_HEADER_BYTES, walFileLsn, walFileName } from './record.ts';

/** Of the first file while it is being made: no name of a log file, so a start makes it anew. */
const UNFINISHED = '.new';

/**
 * Makes the log of a new repository: the directory, and its first file with the record of LSN 1, a command that says how
 * the repository was made. It is there whole and durable, or not at all. Throws what the file system throws.
 */
export function createLog(files: Files, directory: string, command: string): void {
  files.makeDirectory(directory);
  const group = new GroupWriter(1024);
  const payload = new TextEncoder().encode(command);
  group.begin(1);
  group.addSection(SECTION_COMMAND, payload, 0, payload.length);
  group.end();
  const bytes = new Uint8Array(WAL_HEADER_BYTES + group.length);
  bytes.set(encodeWalHeader(1));
  bytes.set(group.bytes.subarray(0, group.length), WAL_HEADER_BYTES);
  const name = walFileName(1);
  if (files.list(directory).includes(name + UNFINISHED)) files.remove(join(directory, name + UNFINISHED));
  writeFile(files, join(directory, name + UNFINISHED), bytes);
  files.rename(join(directory, name + UNFINISHED), join(directory, name));
  files.syncDirectory(directory);
}

/**
 * The log thread's part of rotation: syncs the full file that waits; true when there was one. When it throws, acknowledged
 * records may not be on disk, and the state says so already: whoever appends next gives the file up.
 */
export function syncFullFile(files: Files, directory: string, state: Float64Array): boolean {
  const lsn = state[LOG_SYNC_PENDING]!;
  if (lsn <= 0) return false;
  try {
    syncFile(files, join(directory, walFileName(lsn)));
    files.syncDirectory(directory);
  } catch (error) {
    Atomics.store(syncFailureOf(state), 0, 1);
    throw error;
  }
  if (state[LOG_SYNC_PENDING] === lsn) state[LOG_SYNC_PENDING] = -lsn;
  return true;
}

/** Syncs all files that there are, before the settings ask for syncs: what went before has had none. Throws as syncFullFile. */
export function syncAllFiles(files: Files, directory: string, state: Float64Array): void {
  try {
    for (const name of files.list(directory)) if (walFileLsn(name) >= 0) syncFile(files, join(directory, name));
    files.syncDirectory(directory);
  } catch (error) {
    Atomics.store(syncFailureOf(state), 0, 1);
    throw error;
  }
}

function syncFile(files: Files, path: string): void {
  const handle = files.open(path, false);
  try {
    files.sync(handle);
  } finally {
    files.close(handle);
  }
}
