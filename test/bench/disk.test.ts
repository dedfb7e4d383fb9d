/** Which file system a benchmark's folder is on. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findMount } from '../../bench/disk.ts';

const MOUNT_INFO = [
  '22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard',
  '23 22 0:21 / /tmp rw,nosuid shared:2 master:1 - tmpfs tmpfs rw,size=8388608k',
  '24 22 254:16 / /data\\040one rw - xfs /dev/vdb rw',
  '25 22 254:32 / /mnt/a rw - ext4 /dev/vdc rw',
  '26 25 254:48 / /mnt/a rw - btrfs /dev/vdd rw',
  '',
].join('\n');

test('a folder is on the mount with the longest path above it, of two at one place on the later', () => {
  const cases: readonly [path: string, mountPoint: string, fileSystem: string, device: string][] = [
    ['/', '/', 'ext4', '/dev/vda'],
    ['/tmp', '/tmp', 'tmpfs', 'tmpfs'],
    ['/tmp/amelie-1', '/tmp', 'tmpfs', 'tmpfs'],
    ['/tmpfile/x', '/', 'ext4', '/dev/vda'],
    ['/data one/x', '/data one', 'xfs', '/dev/vdb'],
    ['/mnt/a/b', '/mnt/a', 'btrfs', '/dev/vdd'],
  ];
  for (const [path, mountPoint, fileSystem, device] of cases) {
    assert.deepEqual(findMount(MOUNT_INFO, path), { mountPoint, fileSystem, device }, path);
  }
  assert.throws(() => findMount('', '/tmp'), /is on no mount/);
});
