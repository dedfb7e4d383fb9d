/** Whole reads and writes over Files, whose own may be short. */

import type { FileHandle, Files } from '../../base/effects.ts';

/** Writes all of the bytes. Throws what the file system throws. */
export function writeFully(files: Files, handle: FileHandle, bytes: Uint8Array, byteCount: number, at: number): void {
  for (let done = 0; done < byteCount; ) {
    const count = files.write(handle, bytes, done, byteCount - done, at + done);
    if (count === 0) throw new Error('the file takes no more bytes');
    done += count;
  }
}

/** Reads into bytes[0 …]; gives how many there were, fewer only at the end of the file. */
export function readFully(files: Files, handle: FileHandle, bytes: Uint8Array, byteCount: number, at: number): number {
  let done = 0;
  while (done < byteCount) {
    const count = files.read(handle, bytes, done, byteCount - done, at + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}

/** Makes a file with those bytes, synced. Throws what the file system throws. */
export function writeFile(files: Files, path: string, bytes: Uint8Array): void {
  const handle = files.open(path, true);
  try {
    writeFully(files, handle, bytes, bytes.length, 0);
    files.sync(handle);
  } finally {
    files.close(handle);
  }
}
