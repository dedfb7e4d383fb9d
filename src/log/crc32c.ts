/**
 * CRC-32C (Castagnoli, reflected polynomial 0x82f63b78), as in iSCSI and RFC 3720.
 *
 * Slicing by 8 (Kounavis and Berry, 2005): eight tables of 256 words in one Int32Array, 8 bytes a step. Measured while
 * other work went on (bench/micro-executor.ts): 88 ns for 128 bytes, 0.75 to 0.95 GB/s for longer ones.
 */

const TABLES: Int32Array = makeTables();

function makeTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let value = 0; value < 256; value++) {
    let crc = value;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0x82f63b78 & -(crc & 1));
    tables[value] = crc;
  }
  for (let value = 0; value < 256; value++) {
    for (let table = 1; table < 8; table++) {
      const before = tables[(table - 1) * 256 + value]!;
      tables[table * 256 + value] = (before >>> 8) ^ tables[before & 0xff]!;
    }
  }
  return tables;
}

/**
 * The checksum of bytes [start, end) as an int32. `seed` is the checksum of what comes before them, so that
 * crc32c(b, …, crc32c(a, …)) is that of a and b together.
 */
export function crc32c(bytes: Uint8Array, start: number, end: number, seed = 0): number {
  const tables = TABLES;
  let crc = ~seed;
  let at = start;
  for (; at + 8 <= end; at += 8) {
    const low = crc ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24));
    crc =
      tables[1792 + (low & 0xff)]! ^
      tables[1536 + ((low >>> 8) & 0xff)]! ^
      tables[1280 + ((low >>> 16) & 0xff)]! ^
      tables[1024 + (low >>> 24)]! ^
      tables[768 + bytes[at + 4]!]! ^
      tables[512 + bytes[at + 5]!]! ^
      tables[256 + bytes[at + 6]!]! ^
      tables[bytes[at + 7]!]!;
  }
  for (; at < end; at++) crc = tables[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8);
  return ~crc;
}
