/** A snapshot read by another thread while this one writes: the states of allocations, for real. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { Memory } from '../base/memory.ts';
import { murmur3Bytes } from '../base/murmur3.ts';
import { BIGINT, INT, TEXT } from '../types/type.ts';
import { CopyReserve, freezePartition, thawPartition, touchedRuns } from './copy-on-write.ts';
import { Cases, column, index, newPartition, Rows, table, type Value } from './fixtures.ts';
import type { Partition } from './partition.ts';
import { BlockPacker } from './row-block.ts';
import { UndoLog } from './undo.ts';
import { verify } from './verify.ts';

const TABLE = table(
  [column('id', BIGINT, true), column('k', INT), column('v', INT, true), column('s', TEXT)],
  [index(1, [0], { isPrimary: true, method: 'hash' })],
);
const ROWS = 40_000;
const SNAPSHOTS = 6;

/** Reads a snapshot whenever it is told a page, and answers with the hash of its blocks. */
const READER = `
  import { workerData, parentPort } from 'node:worker_threads';
  const { Memory } = await import(workerData.base + 'base/memory.ts');
  const { murmur3Bytes } = await import(workerData.base + 'base/murmur3.ts');
  const { SnapshotReader } = await import(workerData.base + 'storage/snapshot.ts');
  const { BlockPacker } = await import(workerData.base + 'storage/row-block.ts');
  const memory = Memory.open(workerData.handle);
  parentPort.on('message', (page) => {
    if (page === 0) {
      memory.flushCache();
      parentPort.close();
      return;
    }
    const reader = new SnapshotReader(memory, workerData.table, page);
    const packer = new BlockPacker(reader, (segment) => reader.releaseSegment(segment));
    let hash = 0;
    while (packer.next() > 0) hash = murmur3Bytes(packer.bytes, 0, packer.byteLength, hash);
    reader.finish();
    parentPort.postMessage(hash);
  });
  parentPort.postMessage('ready');
`;

function hashOf(partition: Partition): number {
  let hash = 0;
  const packer = new BlockPacker(partition, () => {});
  while (packer.next() > 0) hash = murmur3Bytes(packer.bytes, 0, packer.byteLength, hash);
  return hash;
}

test('another thread reads exactly the state at the freeze while rows change', async (context) => {
  const memory = Memory.create({ limitBytes: 512 * 1024 * 1024, eagerArenas: true });
  const base = new URL('../', import.meta.url).href;
  const url = new URL(`data:text/javascript,${encodeURIComponent(READER)}`);
  const worker = new Worker(url, { workerData: { base, handle: memory.share(), table: TABLE } });
  context.after(() => worker.terminate());
  await once(worker, 'message');
  const rows = new Rows(memory);
  const undo = new UndoLog(memory);
  const before = memory.usedPages();
  const partition = newPartition(memory, TABLE);
  const reserve = new CopyReserve(memory, 1024 * 1024);
  partition.reserve = reserve;
  const cases = new Cases(21);
  let nextId = 0;
  const insert = (count: number): void => {
    const list: Value[][] = [];
    for (let at = 0; at < count; at++) list.push([BigInt(nextId++), cases.below(100), cases.below(100), `s ${nextId}`]);
    const batch = rows.batch(TABLE, list);
    for (let at = 0; at < count; at++) partition.insertFromBatch(batch, at, undo);
  };
  while (nextId < ROWS) insert(200);
  undo.release(undo.mark());
  for (let snapshot = 0; snapshot < SNAPSHOTS; snapshot++) {
    for (const page of touchedRuns(memory, [TABLE], 512 * 1024))
      if (!reserve.keep(page, memory.pageCountOf(page))) memory.free(page, memory.pageCountOf(page));
    const expected = hashOf(partition);
    let found: number | undefined;
    worker.once('message', (hash: number) => {
      found = hash;
    });
    worker.postMessage(freezePartition(partition, 100 + snapshot));
    let mark = undo.mark();
    for (let change = 0; found === undefined; change++) {
      const row = cases.below(partition.rowEnd);
      if (partition.isLive(row)) {
        if (cases.oneIn(8)) partition.delete(row, undo);
        else partition.update(row, [1, 3], rows.registers([INT, TEXT], [change, `new ${change}`]), 0, undo);
      } else insert(1);
      if (cases.oneIn(30)) undo.rollbackTo(mark);
      if (cases.oneIn(10)) {
        undo.release(undo.mark());
        thawPartition(partition, 1);
        mark = undo.mark();
      }
      // The answer comes by the event loop.
      if (change % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(found, expected, `snapshot ${snapshot}`);
    undo.release(undo.mark());
    assert.ok(thawPartition(partition, Number.POSITIVE_INFINITY));
    verify(partition);
  }
  const end = once(worker, 'exit');
  worker.postMessage(0);
  await end;
  reserve.drain();
  partition.drop();
  undo.dispose();
  memory.flushCache();
  assert.equal(memory.usedPages(), before);
});
