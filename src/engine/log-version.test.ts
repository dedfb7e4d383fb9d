import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32c } from '../log/crc32c.ts';
import { FileDatabase, WAL } from '../testing/file-database.ts';
import { SimulatedFiles } from '../testing/simulated-files.ts';

function setVersion(bytes: Uint8Array, version: number): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  view.setUint32(8, version, true);
  view.setInt32(12, crc32c(copy, 16, 32, crc32c(copy, 0, 12)), true);
  return copy;
}

const versionOf = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(8, true);

test('new files are of version 2', async () => {
  const db = new FileDatabase(new SimulatedFiles(), {}, 2);
  await db.run('create table t (id int primary key, v int)');
  for (const name of db.files.list(WAL)) assert.equal(versionOf(db.files.contents(`${WAL}/${name}`)), 2);
});

test('a log of version 1 is read', async () => {
  const db = new FileDatabase(new SimulatedFiles(), {}, 2);
  await db.run('create table t (id int primary key, v int)');
  const files = db.files.clone();
  for (const name of files.list(WAL))
    files.setContents(`${WAL}/${name}`, setVersion(files.contents(`${WAL}/${name}`), 1));
  const next = new FileDatabase(files, {}, 2);
  assert.equal(await next.run('select count(*) from t'), '[0]');
});
