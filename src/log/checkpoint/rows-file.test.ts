/** The rows file of a checkpoint: what is written is read back; every byte of damage, and every cut, is found and named. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { column, index, newPartition, Rows, smallMemory, table, type Value } from '../../storage/fixtures.ts';
import type { Partition } from '../../storage/partition.ts';
import { UndoLog } from '../../storage/undo.ts';
import { SimulatedFiles } from '../../testing/simulated-files.ts';
import { BIGINT, INT, TEXT } from '../../types/type.ts';
import { LogDamage } from '../recover.ts';
import { BLOCK_HEADER_BYTES, ROWS_FOOTER_BYTES, ROWS_HEADER_BYTES, rowsHeader } from './format.ts';
import { RowsReader } from './rows-reader.ts';
import { RowsWriter } from './rows-writer.ts';

const PATH = '/c/1.rows';
const TABLE = table(
  [column('id', BIGINT, true), column('n', INT), column('s', TEXT)],
  [index(1, [0], { isPrimary: true })],
);
const HEADER = rowsHeader(5_000_000_000, TABLE, 1);

function filled(rowCount: number, text: (id: number) => string): Partition {
  const partition = newPartition(smallMemory(), TABLE);
  const rows = new Rows(partition.memory);
  const undo = new UndoLog(partition.memory);
  for (let id = 0; id < rowCount; id++) {
    const row: Value[] = [BigInt(id), id % 3 === 0 ? null : BigInt(id), id % 4 === 0 ? null : text(id)];
    partition.insertFromBatch(rows.batch(TABLE, [row]), 0, undo);
    undo.release(undo.mark());
  }
  return partition;
}

function write(files: SimulatedFiles, partition: Partition): RowsWriter {
  const writer = new RowsWriter(files, PATH, HEADER, partition, () => {});
  while (writer.step());
  return writer;
}

/** Reads the file to its end; the rows of its blocks, and where they begin. */
function read(files: SimulatedFiles): { rowCounts: number[]; offsets: number[] } {
  const reader = new RowsReader(files, PATH, HEADER);
  try {
    const rowCounts: number[] = [];
    const offsets: number[] = [];
    for (let count = reader.next(); count > 0; count = reader.next()) {
      rowCounts.push(count);
      offsets.push(reader.offset);
    }
    return { rowCounts, offsets };
  } finally {
    reader.close();
  }
}

function isDamageAt(error: unknown): boolean {
  return error instanceof LogDamage && /^\/c\/1\.rows: offset \d+: \S/.test(error.message);
}

test('blocks are read back as they were written, and the totals are those of both sides', () => {
  const files = new SimulatedFiles();
  const writer = write(
    files,
    filled(9000, (id) => `text ${id}`),
  );
  assert.deepEqual(read(files).rowCounts, [4096, 4096, 808]);
  const totals = writer.totals();
  assert.equal(totals.fileBytes, files.contents(PATH).length);
  assert.deepEqual([totals.blockCount, totals.rowCount], [3, 9000]);
});

test('an empty partition is a header and a footer', () => {
  const files = new SimulatedFiles();
  write(
    files,
    filled(0, () => ''),
  );
  assert.equal(files.contents(PATH).length, ROWS_HEADER_BYTES + ROWS_FOOTER_BYTES);
  assert.deepEqual(read(files).rowCounts, []);
});

test('every byte that is damaged is found, with file and offset', () => {
  const good = new SimulatedFiles();
  write(
    good,
    filled(40, (id) => `value ${id * 7919}`),
  );
  const bytes = good.contents(PATH);
  for (let at = 0; at < bytes.length; at++) {
    for (const bit of [0x01, 0x80]) {
      const damaged = bytes.slice();
      damaged[at]! ^= bit;
      const files = new SimulatedFiles();
      files.setContents(PATH, damaged);
      assert.throws(() => read(files), isDamageAt, `byte ${at}`);
    }
  }
});

test('a file that is cut anywhere near a block, or goes on behind its end, is found', () => {
  const good = new SimulatedFiles();
  write(
    good,
    filled(300, (id) => 'x'.repeat(id % 7 === 1 ? 120_000 : 10)),
  );
  const bytes = good.contents(PATH);
  const { offsets } = read(good);
  assert.ok(offsets.length > 2);
  const cuts = [0, 1, ROWS_HEADER_BYTES - 1, bytes.length - 1, bytes.length - ROWS_FOOTER_BYTES];
  for (const offset of offsets)
    cuts.push(offset, offset + 1, offset + BLOCK_HEADER_BYTES, offset + BLOCK_HEADER_BYTES + 1);
  for (const cut of cuts) {
    const files = new SimulatedFiles();
    files.setContents(PATH, bytes.slice(0, cut));
    assert.throws(() => read(files), isDamageAt, `cut at ${cut}`);
  }
  const files = new SimulatedFiles();
  files.setContents(PATH, Uint8Array.from([...bytes, 0]));
  assert.throws(() => read(files), isDamageAt);
  // A block that is missing, with nothing else wrong.
  files.setContents(PATH, Uint8Array.from([...bytes.slice(0, offsets[1]), ...bytes.slice(offsets[2])]));
  assert.throws(() => read(files), /block 2 where 1 is due/);
});

test('the file of another partition, table or checkpoint is not taken', () => {
  const files = new SimulatedFiles();
  write(
    files,
    filled(3, () => 's'),
  );
  const other = table([column('id', BIGINT, true), column('n', INT, true), column('s', TEXT)], TABLE.indexes);
  for (const header of [rowsHeader(5, TABLE, 1), rowsHeader(HEADER.lsn, TABLE, 2), rowsHeader(HEADER.lsn, other, 1)])
    assert.throws(() => new RowsReader(files, PATH, header), /of another checkpoint, partition or table/);
});
