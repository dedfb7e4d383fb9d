/** The real clock, randomness and files. */

import { randomFillSync } from 'node:crypto';
import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  constants as open,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmdirSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
// As a global it is an accessor, which costs more than the call.
import { performance } from 'node:perf_hooks';
import type { Clock, FileHandle, Files, Random } from './effects.ts';

export class SystemClock implements Clock {
  /** Of this thread; every thread has its own. */
  private readonly originMs: number = performance.timeOrigin;

  nowMicroseconds(): number {
    return Math.round((this.originMs + performance.now()) * 1000);
  }

  monotonicMilliseconds(): number {
    return this.originMs + performance.now();
  }
}

/** Bits of the system's generator, taken in blocks of 4 KiB. */
export class SystemRandom implements Random {
  private readonly block: Int32Array = new Int32Array(1024);
  private position = 1024;

  int32(): number {
    if (this.position === 1024) {
      randomFillSync(this.block);
      this.position = 0;
    }
    return this.block[this.position++]!;
  }

  fill(bytes: Uint8Array): void {
    randomFillSync(bytes);
  }
}

/** Files of the operating system. New files are readable by their owner only. */
export class SystemFiles implements Files {
  open(path: string, create: boolean): FileHandle {
    return openSync(path, create ? open.O_RDWR | open.O_CREAT : open.O_RDWR, 0o600);
  }

  openRead(path: string): FileHandle {
    return openSync(path, open.O_RDONLY);
  }

  close(handle: FileHandle): void {
    closeSync(handle);
  }

  write(handle: FileHandle, bytes: Uint8Array, offset: number, byteCount: number, position: number): number {
    return writeSync(handle, bytes, offset, byteCount, position);
  }

  read(handle: FileHandle, bytes: Uint8Array, offset: number, byteCount: number, position: number): number {
    return readSync(handle, bytes, offset, byteCount, position);
  }

  size(handle: FileHandle): number {
    return fstatSync(handle).size;
  }

  truncate(handle: FileHandle, byteCount: number): void {
    ftruncateSync(handle, byteCount);
  }

  sync(handle: FileHandle): void {
    fdatasyncSync(handle);
  }

  syncDirectory(directory: string): void {
    const handle = openSync(directory, open.O_RDONLY);
    try {
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
  }

  list(directory: string): string[] {
    try {
      return readdirSync(directory).sort();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  makeDirectory(directory: string): void {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  remove(path: string): void {
    unlinkSync(path);
  }

  removeDirectory(directory: string): void {
    rmdirSync(directory);
  }

  rename(from: string, to: string): void {
    renameSync(from, to);
  }
}
