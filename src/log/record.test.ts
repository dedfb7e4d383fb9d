import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32c } from './crc32c.ts';
import { checkWalHeader, encodeWalHeader, GroupWriter, WAL_HEADER_BYTES } from './record.ts';

/** A header of that version, with its checksum. */
function headerOf(version: number): Uint8Array {
  const bytes = encodeWalHeader(7);
  const view = new DataView(bytes.buffer);
  view.setUint32(8, version, true);
  view.setInt32(12, crc32c(bytes, 16, WAL_HEADER_BYTES, crc32c(bytes, 0, 12)), true);
  return bytes;
}

test('files of this version and of the one before are read, others are refused by their number', () => {
  assert.equal(checkWalHeader(headerOf(1), 7), undefined);
  assert.equal(checkWalHeader(headerOf(2), 7), undefined);
  assert.equal(checkWalHeader(headerOf(3), 7), 'unknown format version 3');
  assert.equal(checkWalHeader(headerOf(0), 7), 'unknown format version 0');
});

test('records of a group lie one after another, with their checksums, however the buffer grows', () => {
  const source = Uint8Array.from({ length: 5000 }, (_, at) => at * 7);
  // One that is too small for any record, one that is no multiple of 8, and one that never grows.
  for (const keepBytes of [1, 1001, 100_000]) {
    const writer = new GroupWriter(keepBytes);
    for (let round = 0; round < 3; round++) {
      const lengths = [0, 1, 7, 8, 191, 192, 193, 5000];
      for (const [at, length] of lengths.entries()) {
        writer.begin(2 ** 33 + at);
        writer.addSection(1, source, 0, length);
        writer.addSection(2, source, 5000 - length, 5000);
        writer.end();
      }
      const view = new DataView(writer.bytes.buffer);
      let start = 0;
      for (const [at, length] of lengths.entries()) {
        const end = start + view.getUint32(start, true);
        assert.equal(end - start, Math.ceil((24 + 2 * (8 + length)) / 8) * 8);
        assert.equal(view.getInt32(start + 4, true), crc32c(writer.bytes, start + 8, end));
        assert.equal(view.getBigUint64(start + 8, true), 2n ** 33n + BigInt(at));
        assert.equal(view.getUint32(start + 16, true), 2);
        assert.deepEqual(writer.bytes.subarray(start + 32, start + 32 + length), source.subarray(0, length));
        const second = start + 32 + length;
        assert.deepEqual([view.getUint32(second, true), view.getUint32(second + 4, true)], [2, length]);
        assert.deepEqual(writer.bytes.subarray(second + 8, second + 8 + length), source.subarray(5000 - length));
        assert.ok(writer.bytes.subarray(second + 8 + length, end).every((byte) => byte === 0));
        start = end;
      }
      assert.equal(start, writer.length);
      writer.clear();
      assert.equal(writer.length, 0);
    }
  }
});
