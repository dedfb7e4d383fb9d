/**
 * Files in memory for tests: every operation can be made to fail, to write only in part, and the power can go.
 *
 * What a power loss keeps: of each file the synced bytes and a prefix of what was written after the last sync; of each
 * directory the entries that were there at its last sync, and of later ones those that the generator says.
 */

import type { FileHandle, Files } from '../base/effects.ts';
import type { SeededRandom } from './random.ts';

type SimulatedFile = { bytes: Uint8Array; syncedBytes: Uint8Array };
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
  fault: (operation: number, name: string) => Fault | undefined = () => undefined;
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
  /** Not synced yet. */
  private renames: Rename[] = [];
  private readonly handles: (SimulatedFile | undefined)[] = [];

  open(path: string, create: boolean): FileHandle {
    let file = this.files.get(path);
    if (file === undefined) {
      if (!create) throw failure('ENOENT', `no such file ${path}`);
      this.count('create');
      file = { bytes: new Uint8Array(0), syncedBytes: new Uint8Array(0) };
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
    const count = this.count('write') === 'short' ? this.shortBytes(byteCount) : byteCount;
    if (position + count > file.bytes.length) file.bytes = resized(file.bytes, position + count);
    else file.bytes = file.bytes.slice();
    file.bytes.set(bytes.subarray(offset, offset + count), position);
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
    this.count('truncate');
    file.bytes = resized(file.bytes, byteCount);
  }

  sync(handle: FileHandle): void {
    const file = this.fileOf(handle);
    if (this.count('sync') !== 'lost') file.syncedBytes = file.bytes;
  }

  syncDirectory(directory: string): void {
    if (this.count('syncDirectory') === 'lost') return;
    const isInside = (path: string): boolean => path.slice(0, path.lastIndexOf('/')) === directory;
    this.renames = this.renames.filter(({ to }) => !isInside(to));
    for (const path of this.durablePaths) if (isInside(path) && !this.files.has(path)) this.durablePaths.delete(path);
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
    this.directories.add(directory);
  }

  removeDirectory(directory: string): void {
    this.count('removeDirectory');
    if (this.list(directory).length > 0) throw failure('ENOTEMPTY', `${directory} is not empty`);
    if (!this.directories.delete(directory)) throw failure('ENOENT', `no such directory ${directory}`);
  }

  /** A rename that was not synced is there after a power loss, or not. */
  rename(from: string, to: string): void {
    this.count('rename');
    this.move(from, to);
    this.renames.push({ from, to });
  }

  remove(path: string): void {
    this.count('remove');
    if (!this.files.delete(path)) throw failure('ENOENT', `no such file ${path}`);
  }

  /** All bytes of a file, for tests that damage it. */
  contents(path: string): Uint8Array {
    return this.files.get(path)!.bytes;
  }

  setContents(path: string, bytes: Uint8Array): void {
    this.files.set(path, { bytes, syncedBytes: bytes });
    this.durablePaths.add(path);
  }

  /** A disk of its own with the same files; faults are not taken over. */
  clone(): SimulatedFiles {
    const other = new SimulatedFiles();
    for (const [path, file] of this.files) other.files.set(path, { ...file });
    other.durablePaths = new Set(this.durablePaths);
    other.directories = new Set(this.directories);
    other.renames = this.renames.slice();
    return other;
  }

  /** The disk as it is found after the power went. */
  afterPowerLoss(random: SeededRandom): SimulatedFiles {
    const other = new SimulatedFiles();
    for (const [path, file] of this.files) {
      if (!this.durablePaths.has(path) && random.oneIn(2)) continue;
      const { bytes, syncedBytes } = file;
      const isAppended = bytes.length > syncedBytes.length;
      const kept = isAppended ? syncedBytes.length + random.below(bytes.length - syncedBytes.length + 1) : 0;
      other.setContents(path, isAppended ? bytes.slice(0, kept) : random.oneIn(2) ? bytes : syncedBytes);
    }
    other.directories = new Set(this.directories);
    // The last ones are lost first.
    let isLost = false;
    for (const { from, to } of this.renames.toReversed()) {
      isLost ||= random.oneIn(2);
      if (isLost) other.move(to, from);
    }
    return other;
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
      this.files.set(target, file);
      if (this.durablePaths.delete(path)) this.durablePaths.add(target);
    }
    for (const path of [...this.directories]) {
      const target = moved(path);
      if (target === undefined) continue;
      isFound = true;
      this.directories.delete(path);
      this.directories.add(target);
    }
    if (!isFound) throw failure('ENOENT', `no such file ${from}`);
  }

  private fileOf(handle: FileHandle): SimulatedFile {
    const file = this.handles[handle];
    if (file === undefined) throw failure('EBADF', 'the file is not open');
    return file;
  }

  private count(name: string): Fault | undefined {
    const fault = this.fault(this.operationCount++, name);
    if (fault === 'error' || (fault === 'short' && name !== 'write')) throw failure('EIO', `${name} failed`);
    return fault;
  }

  private countRead(name: string): void {
    if (this.readFault(this.readCount++, name)) throw failure('EIO', `${name} failed`);
  }
}

function resized(bytes: Uint8Array, byteCount: number): Uint8Array {
  const copy = new Uint8Array(byteCount);
  copy.set(bytes.subarray(0, byteCount));
  return copy;
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(`${code}: ${message}`), { code });
}
