/**
 * Files in memory for tests: every operation can be made to fail, to write only in part, and the power can go.
 *
 * What a power loss keeps: of each file the synced bytes and a prefix of what was written after the last sync; of each
 * directory the entries that were there at its last sync, and of later changes (creations, renames, removals) those that the
 * generator says. A directory made in one that nobody has made here is durable at once: whoever made that one saw to it.
 *
 * After a sync that failed the system gives the bytes to whoever reads, and no later sync writes them, unless they are written
 * again.
 */

import type { FileHandle, Files } from '../base/effects.ts';
import type { SeededRandom } from './random.ts';

type Range = { readonly start: number; readonly end: number };
type SimulatedFile = {
  path: string;
  bytes: Uint8Array;
  syncedBytes: Uint8Array;
  /** Written since the last sync. */
  written: readonly Range[];
  /** What a sync has failed to bring to the disk, and no other will. */
  dropped: readonly Range[];
};
type Rename = { readonly from: string; readonly to: string };

/**
 * What an operation does instead of its work. 'error': nothing, and it throws. 'short': a write takes a part of its bytes,
 * any other throws. 'lost': a sync says that it has synced, and has not: what a disk must never do.
 */
export type Fault = 'error' | 'short' | 'lost';

export class SimulatedFiles implements Files {
  /** Operations so far that change the disk: open with create, write, truncate, sync, syncDirectory, rename, remove. */
  operationCount = 0;
  /** Called before each of these; a fault makes it fail. What it does meanwhile happens before the operation ends. */
  fault: (operation: number, name: string, path: string) => Fault | undefined = () => undefined;
  /** Reads so far: open of a file that is there, read, size, list. */
  readCount = 0;
  /** Called before each of these; true makes it fail. */
  readFault: (operation: number, name: string) => boolean = () => false;
  /** The bytes that a short write takes, of so many. */
  shortBytes: (byteCount: number) => number = (byteCount) => byteCount >> 1;
  private files: Map<string, SimulatedFile> = new Map();
  /** Paths that survive a power loss. */
  private durablePaths: Set<string> = new Set();
  private directories: Set<string> = new Set();
  /** Of the directories those that a power loss may take. */
  private unsyncedDirectories: Set<string> = new Set();
  /** Not synced yet. */
  private renames: Rename[] = [];
  /** Durable files whose removal is not synced, with what they had. */
  private removals: Map<string, SimulatedFile> = new Map();
  /** Removed, not synced. */
  private removedDirectories: Set<string> = new Set();
  private readonly handles: (SimulatedFile | undefined)[] = [];

  open(path: string, create: boolean): FileHandle {
    let file = this.files.get(path);
    if (file === undefined) {
      if (!create) throw failure('ENOENT', `no such file ${path}`);
      this.count('create', path);
      file = newFile(path, new Uint8Array(0));
      this.files.set(path, file);
    } else this.countRead('open');
    this.handles.push(file);
    return this.handles.length - 1;
  }

  openRead(path: string): FileHandle {
    return this.open(path, false);
  }

  close(handle: FileHandle): void {
    this.fileOf(handle);
    this.handles[handle] = undefined;
  }

  write(handle: FileHandle, bytes: Uint8Array, offset: number, byteCount: number, position: number): number {
    const file = this.fileOf(handle);
    const count = this.count('write', file.path) === 'short' ? this.shortBytes(byteCount) : byteCount;
    if (position + count > file.bytes.length) file.bytes = resized(file.bytes, position + count);
    else file.bytes = file.bytes.slice();
    file.bytes.set(bytes.subarray(offset, offset + count), position);
    file.dropped = without(file.dropped, position, position + count);
    file.written = [...without(file.written, position, position + count), { start: position, end: position + count }];
    return count;
  }

  read(handle: FileHandle, bytes: Uint8Array, offset: number, byteCount: number, position: number): number {
    this.countRead('read');
    const found = this.fileOf(handle).bytes.subarray(position, position + byteCount);
    bytes.set(found, offset);
    return found.length;
  }

  size(handle: FileHandle): number {
    this.countRead('size');
    return this.fileOf(handle).bytes.length;
  }

  truncate(handle: FileHandle, byteCount: number): void {
    const file = this.fileOf(handle);
    this.count('truncate', file.path);
    file.bytes = resized(file.bytes, byteCount);
    file.dropped = without(file.dropped, byteCount, Number.POSITIVE_INFINITY);
    file.written = without(file.written, byteCount, Number.POSITIVE_INFINITY);
  }

  sync(handle: FileHandle): void {
    const file = this.fileOf(handle);
    const { written } = file;
    file.written = [];
    try {
      if (this.count('sync', file.path) !== 'lost') file.syncedBytes = onDisk(file);
    } catch (error) {
      file.dropped = [...file.dropped, ...written];
      throw error;
    }
  }

  syncDirectory(directory: string): void {
    if (this.count('syncDirectory', directory) === 'lost') return;
    const isInside = (path: string): boolean => parentOf(path) === directory;
    this.renames = this.renames.filter(({ to }) => !isInside(to));
    for (const path of this.durablePaths) if (isInside(path) && !this.files.has(path)) this.durablePaths.delete(path);
    for (const path of this.removals.keys()) if (isInside(path)) this.removals.delete(path);
    for (const path of this.unsyncedDirectories) if (isInside(path)) this.unsyncedDirectories.delete(path);
    // What was in a directory that is gone is gone with it.
    for (const path of this.removedDirectories) if (isInside(path)) this.forget(path);
    for (const path of this.files.keys()) if (isInside(path)) this.durablePaths.add(path);
  }

  /** Directories are there as long as something is in them, or was made in them. */
  list(directory: string): string[] {
    this.countRead('list');
    const prefix = `${directory}/`;
    const names = [...this.files.keys(), ...this.directories]
      .filter((path) => path.startsWith(prefix))
      .map((path) => path.slice(prefix.length).split('/')[0]!);
    return [...new Set(names)].sort();
  }

  makeDirectory(directory: string): void {
    if (this.directories.has(directory)) return;
    this.directories.add(directory);
    if (this.directories.has(parentOf(directory))) this.unsyncedDirectories.add(directory);
  }

  removeDirectory(directory: string): void {
    this.count('removeDirectory', directory);
    if (this.list(directory).length > 0) throw failure('ENOTEMPTY', `${directory} is not empty`);
    if (!this.directories.delete(directory)) throw failure('ENOENT', `no such directory ${directory}`);
    if (!this.unsyncedDirectories.delete(directory)) this.removedDirectories.add(directory);
  }

  /** A rename that was not synced is there after a power loss, or not. */
  rename(from: string, to: string): void {
    this.count('rename', from);
    this.move(from, to);
    this.renames.push({ from, to });
  }

  remove(path: string): void {
    this.count('remove', path);
    const file = this.files.get(path);
    if (file === undefined) throw failure('ENOENT', `no such file ${path}`);
    this.files.delete(path);
    if (this.durablePaths.has(path)) this.removals.set(path, file);
  }

  /** All bytes of a file, for tests that damage it. */
  contents(path: string): Uint8Array {
    return this.files.get(path)!.bytes;
  }

  setContents(path: string, bytes: Uint8Array): void {
    this.files.set(path, newFile(path, bytes));
    this.durablePaths.add(path);
  }

  /** A disk of its own with the same files; faults are not taken over. */
  clone(): SimulatedFiles {
    const other = new SimulatedFiles();
    for (const [path, file] of this.files) other.files.set(path, { ...file });
    other.durablePaths = new Set(this.durablePaths);
    for (const [path, file] of this.removals) other.removals.set(path, { ...file });
    other.directories = new Set(this.directories);
    other.unsyncedDirectories = new Set(this.unsyncedDirectories);
    other.removedDirectories = new Set(this.removedDirectories);
    other.renames = this.renames.slice();
    return other;
  }

  /** The disk as it is found after the power went. */
  afterPowerLoss(random: SeededRandom): SimulatedFiles {
    const other = new SimulatedFiles();
    for (const [path, file] of this.files) {
      if (!this.durablePaths.has(path) && random.oneIn(2)) continue;
      const { syncedBytes, dropped } = file;
      const bytes = dropped.length > 0 && random.oneIn(2) ? onDisk(file) : file.bytes;
      const isAppended = bytes.length > syncedBytes.length;
      const kept = isAppended ? syncedBytes.length + random.below(bytes.length - syncedBytes.length + 1) : 0;
      other.setContents(path, isAppended ? bytes.slice(0, kept) : random.oneIn(2) ? bytes : syncedBytes);
    }
    other.directories = new Set(this.directories);
    for (const path of this.removedDirectories) if (random.oneIn(2)) other.directories.add(path);
    for (const [path, { syncedBytes }] of this.removals) {
      if (this.files.has(path) || random.oneIn(2)) continue;
      const directory = parentOf(path);
      if (!this.directories.has(directory) && !this.removedDirectories.has(directory)) continue;
      other.directories.add(directory);
      other.setContents(path, syncedBytes);
    }
    for (const path of this.unsyncedDirectories) if (random.oneIn(2)) other.dropDirectory(path);
    // The last ones are lost first.
    let isLost = false;
    for (const { from, to } of this.renames.toReversed()) {
      isLost ||= random.oneIn(2);
      if (isLost && other.isThere(to) && !other.isThere(from)) other.move(to, from);
    }
    return other;
  }

  private isThere(path: string): boolean {
    if (this.files.has(path) || this.directories.has(path)) return true;
    return [...this.files.keys()].some((each) => each.startsWith(`${path}/`));
  }

  private dropDirectory(directory: string): void {
    this.directories.delete(directory);
    for (const path of [...this.files.keys()]) {
      if (!path.startsWith(`${directory}/`)) continue;
      this.files.delete(path);
      this.durablePaths.delete(path);
    }
  }

  /** The removal of a directory is durable. */
  private forget(directory: string): void {
    this.removedDirectories.delete(directory);
    this.renames = this.renames.filter(({ to }) => to !== directory);
    for (const path of this.removals.keys()) if (parentOf(path) === directory) this.removals.delete(path);
  }

  /** Moves a file, or a directory with all that is in it; what was at `to` is gone. */
  private move(from: string, to: string): void {
    let isFound = false;
    const moved = (path: string): string | undefined => {
      if (path === from) return to;
      return path.startsWith(`${from}/`) ? to + path.slice(from.length) : undefined;
    };
    for (const [path, file] of [...this.files]) {
      const target = moved(path);
      if (target === undefined) continue;
      isFound = true;
      this.files.delete(path);
      file.path = target;
      this.files.set(target, file);
      if (this.durablePaths.delete(path)) this.durablePaths.add(target);
    }
    for (const [path, file] of [...this.removals]) {
      const target = moved(path);
      if (target === undefined || path === from) continue;
      this.removals.delete(path);
      this.removals.set(target, file);
      if (this.durablePaths.delete(path)) this.durablePaths.add(target);
    }
    for (const path of [...this.directories]) {
      const target = moved(path);
      if (target === undefined) continue;
      isFound = true;
      this.directories.delete(path);
      this.directories.add(target);
      if (this.unsyncedDirectories.delete(path)) this.unsyncedDirectories.add(target);
    }
    if (!isFound) throw failure('ENOENT', `no such file ${from}`);
  }

  private fileOf(handle: FileHandle): SimulatedFile {
    const file = this.handles[handle];
    if (file === undefined) throw failure('EBADF', 'the file is not open');
    return file;
  }

  private count(name: string, path: string): Fault | undefined {
    const fault = this.fault(this.operationCount++, name, path);
    if (fault === 'error' || (fault === 'short' && name !== 'write')) throw failure('EIO', `${name} failed`);
    return fault;
  }

  private countRead(name: string): void {
    if (this.readFault(this.readCount++, name)) throw failure('EIO', `${name} failed`);
  }
}

function newFile(path: string, bytes: Uint8Array): SimulatedFile {
  return { path, bytes, syncedBytes: bytes, written: [], dropped: [] };
}

/** What syncs can bring to the disk. */
function onDisk({ bytes, syncedBytes, dropped }: SimulatedFile): Uint8Array {
  if (dropped.length === 0) return bytes;
  const found = bytes.slice();
  for (const { start, end } of dropped) {
    found.fill(0, start, end);
    found.set(syncedBytes.subarray(start, Math.min(end, found.length)), start);
  }
  return found;
}

function without(ranges: readonly Range[], start: number, end: number): readonly Range[] {
  if (ranges.every((range) => range.end <= start || range.start >= end)) return ranges;
  return ranges
    .flatMap((range) => [
      { start: range.start, end: Math.min(range.end, start) },
      { start: Math.max(range.start, end), end: range.end },
    ])
    .filter((range) => range.start < range.end);
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

function resized(bytes: Uint8Array, byteCount: number): Uint8Array {
  const copy = new Uint8Array(byteCount);
  copy.set(bytes.subarray(0, byteCount));
  return copy;
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(`${code}: ${message}`), { code });
}
