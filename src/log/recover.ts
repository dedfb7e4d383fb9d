/**
 * Reads the log back at start: all files in order, every record checked. Nothing on disk is changed before everything has
 * been read without an error; then the torn tail, if there is one, is cut off, and what is left is made durable.
 *
 * What is torn and what is damage: a record that is not whole or not right, with no right record behind it in the last
 * file, is the end of a write that a crash cut short. Anything else that is wrong is damage, and an error.
 *
 * An unfinished repair: the last file was begun after a failed sync (WAL_REPAIR), is empty, and there is no checkpoint of
 * what is before it. Then the file before is the last one: what it holds at or above the new one's first LSN was refused,
 * and is cut off. Where records were acknowledged without a sync (WAL_REPAIR_UNSYNCED) it may be torn anywhere.
 *
 * Durable: a sync that failed in the process before may have left bytes in the system's cache that are not on disk, and
 * that no later sync writes. So the last file is written again, in place, and then synced: all of it, as records that a
 * checkpoint has are still read, to find those behind them.
 */

import { join } from 'node:path';
import type { FileHandle, Files } from '../base/effects.ts';
import { writeFully } from './checkpoint/files.ts';
import { crc32c } from './crc32c.ts';
import {
  checkWalHeader,
  encodeWalHeader,
  RECORD_BYTES_MAX,
  RECORD_HEADER_BYTES,
  WAL_HEADER_BYTES,
  WAL_REPAIR_UNSYNCED,
  walFileLsn,
  walFileName,
  walHeaderRepair,
} from './record.ts';

/** Called for each section of each record, in order. The bytes are valid during the call only. */
export type OnSection = (lsn: number, kind: number, bytes: Uint8Array, start: number, end: number) => void;

/** What else is called while the log is read. */
export type RecoveryWatch = {
  /** After each record, also of those before `fromLsn`: its LSN, and its bytes. */
  readonly onRecord?: (lsn: number, byteCount: number) => void;
  /** When everything has been read, before anything on disk changes. What it throws, recover() throws. */
  readonly beforeChange?: () => void;
};

export type Recovery = {
  readonly lastLsn: number;
  readonly recordCount: number;
  /** Where the log goes on: `openLogState`. An end of 0: in a new file. */
  readonly fileLsn: number;
  readonly end: number;
  /** First LSN of the oldest file there is. */
  readonly firstLsn: number;
  readonly fileCount: number;
  /** What was cut off, for the server log. */
  readonly torn: { readonly file: string; readonly offset: number; readonly byteCount: number } | undefined;
};

/** Bytes of a file that are read at once. */
const WINDOW_BYTES = 4 * 1024 * 1024;

/** Bytes that are written again at once. */
const REWRITE_BYTES = 1024 * 1024;

/** Damage in the log: start is refused and nothing on disk is changed. */
export class LogDamage extends Error {
  override name = 'LogDamage';
}

/**
 * Reads all records with an LSN of at least `fromLsn` (1: all), applies them by `onSection`, and cuts a torn tail.
 * Throws LogDamage, naming file and offset, what the file system throws, or what the callbacks throw; then nothing has been
 * changed on disk.
 */
export function recover(
  files: Files,
  directory: string,
  fromLsn: number,
  onSection: OnSection,
  watch: RecoveryWatch = {},
): Recovery {
  const lsns = walFiles(files, directory);
  if (lsns.length === 0) throw new LogDamage(`${directory}: no log files; the repository is not complete`);
  const firstLsn = lsns[0]!;
  // A last file without a whole header was being made when the process ended: nothing was ever in it.
  let unborn = -1;
  if (isUnborn(files, directory, lsns.at(-1)!)) {
    unborn = lsns.pop()!;
    if (lsns.length === 0 && unborn > fromLsn) throw missing(directory, unborn, fromLsn);
    // From a checkpoint on, it may be all there is: what was in it was not synced.
    if (lsns.length === 0 && fromLsn === 1)
      throw new LogDamage(`${directory}/${walFileName(unborn)}: offset 0: no file header`);
  }
  // An unfinished repair: its file has nothing, and that before it may have what was refused.
  let repair = 0;
  let repairLsn = Number.POSITIVE_INFINITY;
  if (lsns.length > 1 && lsns.at(-1)! > fromLsn) repair = emptyRepair(files, directory, lsns.at(-1)!);
  if (repair !== 0) repairLsn = lsns.pop()!;
  let first = 0;
  while (first + 1 < lsns.length && lsns[first + 1]! <= fromLsn) first++;
  let expectedLsn = lsns[first] ?? fromLsn;
  if (expectedLsn > fromLsn) throw missing(directory, expectedLsn, fromLsn);
  let recordCount = 0;
  let end = 0;
  let torn: Recovery['torn'];
  for (let index = first; index < lsns.length; index++) {
    const lsn = lsns[index]!;
    const path = join(directory, walFileName(lsn));
    if (lsn !== expectedLsn) throw new LogDamage(`${path}: offset 0: LSN ${expectedLsn} to ${lsn - 1} are missing`);
    const isLast = index + 1 === lsns.length;
    const limitLsn = isLast ? repairLsn : lsns[index + 1]!;
    const reader = new RecordReader(files, path);
    try {
      reader.checkHeader(lsn);
      for (;;) {
        if (expectedLsn === limitLsn || reader.offset === reader.fileBytes) break;
        const problem = reader.check(expectedLsn);
        if (problem !== '') {
          const isTorn = repair === 0 ? !reader.hasRecordBehind(expectedLsn) : repair === WAL_REPAIR_UNSYNCED;
          if (!isLast || !isTorn) {
            throw new LogDamage(`${path}: offset ${reader.offset}: ${problem}`);
          }
          torn = { file: path, offset: reader.offset, byteCount: reader.fileBytes - reader.offset };
          break;
        }
        if (expectedLsn >= fromLsn) {
          reader.eachSection(expectedLsn, onSection);
          recordCount++;
        }
        watch.onRecord?.(expectedLsn, reader.recordBytes);
        reader.advance();
        expectedLsn++;
      }
      end = reader.offset;
    } finally {
      reader.close();
    }
  }
  if (repair !== 0 && repairLsn > expectedLsn && repair !== WAL_REPAIR_UNSYNCED)
    throw missing(directory, repairLsn, expectedLsn);
  watch.beforeChange?.();
  // Without any file there is nothing to make durable.
  if (lsns.length > 0) makeDurable(files, join(directory, walFileName(lsns.at(-1)!)), end);
  if (repair !== 0) files.remove(join(directory, walFileName(repairLsn)));
  if (unborn >= 0) {
    const file = join(directory, walFileName(unborn));
    torn ??= { file, offset: 0, byteCount: 0 };
    if (lsns.length > 0) files.remove(file);
    else end = makeFirst(files, directory, file, fromLsn);
  }
  files.syncDirectory(directory);
  const fileCount = lsns.length;
  // The log ends before the checkpoint: what was lost is in there, and the log goes on behind it in a new file.
  if (fileCount === 0)
    return { lastLsn: fromLsn - 1, recordCount, fileLsn: fromLsn, end, firstLsn: fromLsn, fileCount: 1, torn };
  if (expectedLsn < fromLsn)
    return { lastLsn: fromLsn - 1, recordCount, fileLsn: fromLsn, end: 0, firstLsn, fileCount, torn };
  return { lastLsn: expectedLsn - 1, recordCount, fileLsn: lsns.at(-1)!, end, firstLsn, fileCount, torn };
}

function missing(directory: string, firstLsn: number, fromLsn: number): LogDamage {
  const path = join(directory, walFileName(firstLsn));
  return new LogDamage(`${path}: offset 0: LSN ${fromLsn} to ${firstLsn - 1} are missing`);
}

/** First LSNs of the log files in a directory, in order. */
export function walFiles(files: Files, directory: string): number[] {
  return files
    .list(directory)
    .map(walFileLsn)
    .filter((lsn) => lsn >= 0)
    .sort((a, b) => a - b);
}

/** Of a file that a repair has begun and that has no record: the mark in its header; 0 of any other. */
function emptyRepair(files: Files, directory: string, lsn: number): number {
  const handle = files.openRead(join(directory, walFileName(lsn)));
  try {
    if (files.size(handle) !== WAL_HEADER_BYTES) return 0;
    const header = new Uint8Array(WAL_HEADER_BYTES);
    readFully(files, handle, header, WAL_HEADER_BYTES, 0);
    return checkWalHeader(header, lsn) === undefined ? walHeaderRepair(header) : 0;
  } finally {
    files.close(handle);
  }
}

/** Bytes of the log files that may have a record from that LSN on. Throws what the file system throws. */
export function logBytesFrom(files: Files, directory: string, fromLsn: number): number {
  const lsns = walFiles(files, directory);
  let byteCount = 0;
  for (const [index, lsn] of lsns.entries()) {
    if (index + 1 < lsns.length && lsns[index + 1]! <= fromLsn) continue;
    const handle = files.openRead(join(directory, walFileName(lsn)));
    try {
      byteCount += files.size(handle);
    } finally {
      files.close(handle);
    }
  }
  return byteCount;
}

/** Where the record of an LSN lies, which recover() has read: `<file>: offset <n>`. */
export function recordPlace(files: Files, directory: string, lsn: number): string {
  const first = walFiles(files, directory).findLast((fileLsn) => fileLsn <= lsn)!;
  const path = join(directory, walFileName(first));
  const reader = new RecordReader(files, path);
  try {
    for (let at = first; at < lsn && reader.check(at) === ''; at++) reader.advance();
    return `${path}: offset ${reader.offset}`;
  } finally {
    reader.close();
  }
}

function isUnborn(files: Files, directory: string, lsn: number): boolean {
  const handle = files.openRead(join(directory, walFileName(lsn)));
  try {
    const fileBytes = files.size(handle);
    if (fileBytes < WAL_HEADER_BYTES) return true;
    if (fileBytes > WAL_HEADER_BYTES) return false;
    const header = new Uint8Array(WAL_HEADER_BYTES);
    readFully(files, handle, header, WAL_HEADER_BYTES, 0);
    return header.every((byte) => byte === 0);
  } finally {
    files.close(handle);
  }
}

/**
 * Cuts the last file behind its last record that counts, writes what is left again, and syncs it: a process
 * that was killed may have written what it did not get to sync, or could not, and clients are about to see that. For the
 * same reason the directory is synced: the file may just have been made.
 */
function makeDurable(files: Files, path: string, end: number): void {
  const handle = files.open(path, false);
  try {
    if (files.size(handle) > end) files.truncate(handle, end);
    rewrite(files, handle, end);
    files.sync(handle);
  } finally {
    files.close(handle);
  }
}

/**
 * The only file there is, which never had a header, becomes the one in which the log goes on behind a checkpoint; gives its
 * end. There is a file at every moment: a log without any is taken for one that somebody has lost.
 */
function makeFirst(files: Files, directory: string, file: string, lsn: number): number {
  const path = join(directory, walFileName(lsn));
  if (file !== path) files.rename(file, path);
  const header = encodeWalHeader(lsn);
  const handle = files.open(path, false);
  try {
    files.truncate(handle, 0);
    writeFully(files, handle, header, header.length, 0);
    files.sync(handle);
  } finally {
    files.close(handle);
  }
  return header.length;
}

/** Writes the bytes before `end` once more, as they are: the system holds them for unwritten then. */
function rewrite(files: Files, handle: FileHandle, end: number): void {
  const bytes = new Uint8Array(Math.min(REWRITE_BYTES, end));
  for (let at = 0; at < end; at += bytes.length) {
    const byteCount = Math.min(bytes.length, end - at);
    readFully(files, handle, bytes, byteCount, at);
    writeFully(files, handle, bytes, byteCount, at);
  }
}

function readFully(files: Files, handle: FileHandle, bytes: Uint8Array, byteCount: number, position: number): void {
  for (let done = 0; done < byteCount; ) {
    const count = files.read(handle, bytes, done, byteCount - done, position + done);
    if (count === 0) throw new Error('the file is shorter than it was');
    done += count;
  }
}

/** A window over a file that moves from record to record. */
class RecordReader {
  readonly fileBytes: number;
  /** Of the record at hand. */
  offset: number = WAL_HEADER_BYTES;
  private readonly files: Files;
  private readonly path: string;
  private readonly handle: FileHandle;
  private bytes: Uint8Array;
  private view: DataView;
  private windowStart = 0;
  private windowEnd = 0;
  recordBytes = 0;

  constructor(files: Files, path: string) {
    this.files = files;
    this.path = path;
    this.handle = files.openRead(path);
    this.fileBytes = files.size(this.handle);
    this.bytes = new Uint8Array(Math.min(WINDOW_BYTES, this.fileBytes));
    this.view = new DataView(this.bytes.buffer);
  }

  close(): void {
    this.files.close(this.handle);
  }

  checkHeader(lsn: number): void {
    if (this.fileBytes < WAL_HEADER_BYTES) throw new LogDamage(`${this.path}: offset 0: no file header`);
    const at = this.load(0, WAL_HEADER_BYTES);
    const problem = checkWalHeader(this.bytes.subarray(at, at + WAL_HEADER_BYTES), lsn);
    if (problem !== undefined) throw new LogDamage(`${this.path}: offset 0: ${problem}`);
  }

  /** What is wrong with the record at `offset`; '' when it is the record of that LSN. */
  check(lsn: number): string {
    return this.checkAt(this.offset, lsn, lsn);
  }

  eachSection(lsn: number, onSection: OnSection): void {
    const start = this.load(this.offset, this.recordBytes);
    let at = start + RECORD_HEADER_BYTES;
    for (let left = this.view.getUint32(start + 16, true); left > 0; left--) {
      const end = at + 8 + this.view.getUint32(at + 4, true);
      onSection(lsn, this.view.getUint32(at, true), this.bytes, at + 8, end);
      at = end;
    }
  }

  advance(): void {
    this.offset += this.recordBytes;
  }

  /** True where a whole record with a later LSN lies anywhere behind `offset`: then what is wrong here is no torn tail. */
  hasRecordBehind(lsn: number): boolean {
    const offsetMax = this.fileBytes - RECORD_HEADER_BYTES;
    for (let offset = this.offset + 8; offset <= offsetMax; offset += 8) {
      const at = this.load(offset, RECORD_HEADER_BYTES);
      const recordBytes = this.view.getUint32(at, true);
      if (recordBytes < RECORD_HEADER_BYTES || (recordBytes & 7) !== 0 || offset + recordBytes > this.fileBytes)
        continue;
      if (this.checkAt(offset, lsn + 1, lsn + this.fileBytes) === '') return true;
    }
    return false;
  }

  private checkAt(offset: number, lsnMin: number, lsnMax: number): string {
    const left = this.fileBytes - offset;
    if (left < RECORD_HEADER_BYTES) return 'the record is cut short';
    let at = this.load(offset, RECORD_HEADER_BYTES);
    const recordBytes = this.view.getUint32(at, true);
    if (recordBytes < RECORD_HEADER_BYTES || recordBytes > RECORD_BYTES_MAX || (recordBytes & 7) !== 0) {
      return 'bad record length';
    }
    if (recordBytes > left) return 'the record is cut short';
    const lsn = this.view.getUint32(at + 12, true) * 2 ** 32 + this.view.getUint32(at + 8, true);
    const isLsnRight = lsn >= lsnMin && lsn <= lsnMax;
    if (!isLsnRight && lsnMin !== lsnMax) return 'another LSN';
    at = this.load(offset, recordBytes);
    if (crc32c(this.bytes, at + 8, at + recordBytes) !== this.view.getInt32(at + 4, true)) return 'bad checksum';
    if (!isLsnRight) throw new LogDamage(`${this.path}: offset ${offset}: LSN ${lsn} where ${lsnMin} is due`);
    let section = at + RECORD_HEADER_BYTES;
    for (let count = this.view.getUint32(at + 16, true); count > 0; count--) {
      if (section + 8 > at + recordBytes) return 'bad section';
      section += 8 + this.view.getUint32(section + 4, true);
    }
    if (section > at + recordBytes || at + recordBytes - section >= 8) return 'bad section';
    this.recordBytes = recordBytes;
    return '';
  }

  /** Brings bytes [offset, offset + byteCount) into the window; their index in `bytes`. */
  private load(offset: number, byteCount: number): number {
    if (offset >= this.windowStart && offset + byteCount <= this.windowEnd) return offset - this.windowStart;
    if (byteCount > this.bytes.length) {
      this.bytes = new Uint8Array(byteCount);
      this.view = new DataView(this.bytes.buffer);
    }
    const windowBytes = Math.min(this.bytes.length, this.fileBytes - offset);
    readFully(this.files, this.handle, this.bytes, windowBytes, offset);
    this.windowStart = offset;
    this.windowEnd = offset + windowBytes;
    return 0;
  }
}
