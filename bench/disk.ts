/** The disk below a folder: which file system it is, and what a sync costs there. */

import { closeSync, fdatasyncSync, openSync, readFileSync, realpathSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { median } from './report.ts';

/** File systems that keep their files in memory: a sync does nothing. */
const IN_MEMORY: readonly string[] = ['tmpfs', 'ramfs', 'devtmpfs'];
const PROBE_COUNT = 100;
const PROBE_BYTES = 4096;
/** No disk is that fast; what is does not wait for one. */
const SYNC_MS_MIN = 0.01;

export type Mount = {
  readonly mountPoint: string;
  /** Like `ext4`. */
  readonly fileSystem: string;
  /** Like `/dev/vda1`. */
  readonly device: string;
};

export type Disk = Mount & {
  /** Median time of appending 4 KiB and making it durable by fdatasync. */
  readonly syncMs: number;
};

/**
 * The mount that a path lies on, by the text of /proc/self/mountinfo:
 * `36 35 98:0 /root /mount/point options… - type device options`, white space in names as `\040`.
 */
export function findMount(mountInfo: string, path: string): Mount {
  let found: Mount | undefined;
  for (const line of mountInfo.split('\n')) {
    const [left, right] = line.split(' - ');
    if (left === undefined || right === undefined) continue;
    const mountPoint = unescapeName(left.split(' ')[4]!);
    const isAbove = path === mountPoint || path.startsWith(mountPoint.endsWith('/') ? mountPoint : `${mountPoint}/`);
    // Of several at one place the last one covers the others.
    if (!isAbove || mountPoint.length < (found?.mountPoint.length ?? 0)) continue;
    const [fileSystem, device] = right.split(' ').map(unescapeName);
    found = { mountPoint, fileSystem: fileSystem!, device: device! };
  }
  if (found === undefined) throw new Error(`${path} is on no mount of /proc/self/mountinfo`);
  return found;
}

/** Looks at the disk of a folder, in which it writes a file for a moment. An Error where the folder is on none. */
export function probeDisk(directory: string): Disk {
  const mount = findMount(readFileSync('/proc/self/mountinfo', 'utf8'), realpathSync(directory));
  if (IN_MEMORY.includes(mount.fileSystem)) {
    throw new Error(`${directory} is in memory (${mount.fileSystem}): set TMPDIR to a folder that is on a disk`);
  }
  const syncMs = measureSync(join(directory, 'probe'));
  if (syncMs < SYNC_MS_MIN) {
    throw new Error(`${directory}: a sync takes ${syncMs.toFixed(4)} ms, so it does not wait for a disk`);
  }
  return { ...mount, syncMs };
}

export function describeDisk(disk: Disk): string {
  const sync = `appending 4 KiB and syncing takes ${disk.syncMs.toFixed(2)} ms (median of ${PROBE_COUNT})`;
  return `${disk.fileSystem} on ${disk.device}, mounted at ${disk.mountPoint}; ${sync}`;
}

function measureSync(file: string): number {
  const handle = openSync(file, 'wx');
  try {
    const bytes = new Uint8Array(PROBE_BYTES).fill(1);
    const times: number[] = [];
    for (let index = 0; index < PROBE_COUNT; index++) {
      const startMs = performance.now();
      writeSync(handle, bytes);
      fdatasyncSync(handle);
      times.push(performance.now() - startMs);
    }
    return median(times);
  } finally {
    closeSync(handle);
    rmSync(file);
  }
}

function unescapeName(name: string): string {
  return name.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
