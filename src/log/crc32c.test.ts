import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { crc32c, crc32cOfWords } from './crc32c.ts';

/** The examples of RFC 3720, B.4, and the check value of the CRC catalogue. */
const VECTORS: readonly (readonly [Uint8Array, number])[] = [
  [new Uint8Array(0), 0],
  [new TextEncoder().encode('123456789'), 0xe3069283],
  [new Uint8Array(32), 0x8a9136aa],
  [new Uint8Array(32).fill(0xff), 0x62a8ab43],
  [Uint8Array.from({ length: 32 }, (_, at) => at), 0x46dd794e],
  [Uint8Array.from({ length: 32 }, (_, at) => 31 - at), 0x113fdb5c],
];

test('known checksums', () => {
  for (const [bytes, checksum] of VECTORS) assert.equal(crc32c(bytes, 0, bytes.length) >>> 0, checksum);
});

test('a checksum goes on from the one before', () => {
  const bytes = Uint8Array.from({ length: 100 }, (_, at) => at * 7);
  const whole = crc32c(bytes, 0, 100);
  for (let split = 0; split <= 100; split++) {
    assert.equal(crc32c(bytes, split, 100, crc32c(bytes, 0, split)), whole);
  }
});

test('words have the checksum of their bytes', () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, at) => at * 11 + (at >> 3));
  const words = new Int32Array(bytes.buffer);
  for (let start = 0; start <= 6; start++) {
    for (let end = start; end <= 64; end += 2) {
      assert.equal(crc32cOfWords(words, start, end), crc32c(bytes, start * 4, end * 4), `${start} to ${end}`);
    }
  }
});
