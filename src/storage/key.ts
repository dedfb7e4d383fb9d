/**
 * Keys of indexes in a form that compares fast: four signed 32-bit words a column, so that comparing them one by one as
 * signed integers is the order of the index (for text only the first two, then the bytes).
 *
 * | column            | word 0               | word 1            | word 2        | word 3     |
 * | ----------------- | -------------------- | ----------------- | ------------- | ---------- |
 * | integers, bool, date, timestamp | high word | low ^ MIN        | 0             | 0          |
 * | float, double     | high, ordered        | low, ordered      | 0             | 0          |
 * | text              | bytes 0-3 ^ MIN      | bytes 4-7 ^ MIN   | ref           | 0          |
 * | uuid              | bytes 0-3 ^ MIN      | bytes 4-7 ^ MIN   | bytes 8-11 …  | 12-15 …    |
 * | interval          | bits 64-95 of its microseconds | bits 32-63 ^ MIN | 0-31 ^ MIN | 0    |
 *
 * NULL is MIN in all words, and sorts first. Words of descending columns are complemented (not the ref), so NULL is last.
 * The prefix of a key, 8 bytes in each index entry, is words 0 and 1 of its first column.
 */

import { murmur3Bytes } from '../base/murmur3.ts';
import type { RegisterFile } from '../base/registers.ts';
import type { IndexDefinition, TableDefinition } from '../catalog/catalog.ts';
import type { BatchReader } from '../program/batch.ts';
import { BIGINT, INTERVAL, TIMESTAMP } from '../types/type.ts';
import { COLUMN_KINDS } from './layout.ts';
import type { Partition } from './partition.ts';

/** -2^31: the least word. */
export const WORD_MIN: number = -0x80000000;

/** What an index's key is made of. */
export type KeyShape = {
  readonly columnCount: number;
  readonly columns: Int32Array;
  /** COLUMN_KINDS by column, and 8 for interval. */
  readonly kinds: Uint8Array;
  readonly isDescending: Uint8Array;
  readonly isNullable: Uint8Array;
  /** The prefix is the whole key: one column of at most 8 bytes that are not text. */
  readonly isWhole: boolean;
  /** isWhole, but NULL and -2^63 have the same prefix. */
  readonly isNullAmbiguous: boolean;
  /** The key is one NOT NULL ascending column of four bytes (2) or two words (3): such keys have short ways; 0 for others. */
  readonly simpleKind: number;
  /** Units of a stored key without its texts: one for the null bits, one a column. */
  readonly cellUnits: number;
};

/** The shape of an index of `table`. */
export function keyShape(table: TableDefinition, index: IndexDefinition): KeyShape {
  const columnCount = index.keys.length;
  const shape = {
    columnCount,
    columns: new Int32Array(columnCount),
    kinds: new Uint8Array(columnCount),
    isDescending: new Uint8Array(columnCount),
    isNullable: new Uint8Array(columnCount),
  };
  index.keys.forEach((key, ordinal) => {
    const column = table.columns[key.column]!;
    shape.columns[ordinal] = key.column;
    shape.kinds[ordinal] = column.type === INTERVAL ? 8 : COLUMN_KINDS[column.type]!;
    shape.isDescending[ordinal] = key.isDescending ? 1 : 0;
    shape.isNullable[ordinal] = column.isNotNull ? 0 : 1;
  });
  const first = table.columns[index.keys[0]!.column]!;
  const isWhole = columnCount === 1 && shape.kinds[0]! <= 5;
  const isWide = first.type === BIGINT || first.type === TIMESTAMP;
  const kind = shape.kinds[0]!;
  const isSimple = isWhole && first.isNotNull && shape.isDescending[0] === 0 && (kind === 2 || kind === 3);
  return {
    ...shape,
    isWhole,
    isNullAmbiguous: isWhole && isWide && !first.isNotNull,
    simpleKind: isSimple ? kind : 0,
    cellUnits: columnCount + 1,
  };
}

const DOUBLE: Float64Array = new Float64Array(1);
const DOUBLE_WORDS: Int32Array = new Int32Array(DOUBLE.buffer);
const BIG: BigInt64Array = new BigInt64Array(DOUBLE.buffer);

/** A key in comparable form, reused for many. */
export class Key {
  readonly shape: KeyShape;
  readonly words: Int32Array;
  readonly nulls: Uint8Array;
  /** Columns that count in comparisons: all, or fewer for the bounds of a range. */
  columnCount: number;
  hasNull = false;
  /** The prefix; set by seal(). */
  high = 0;
  low = 0;
  /** True: an equal prefix does not mean an equal key. */
  isPartial = false;

  constructor(shape: KeyShape) {
    this.shape = shape;
    this.words = new Int32Array(4 * shape.columnCount);
    this.nulls = new Uint8Array(shape.columnCount);
    this.columnCount = shape.columnCount;
  }

  /** Starts a key of `columnCount` leading columns. */
  begin(columnCount: number): void {
    this.columnCount = columnCount;
    this.hasNull = false;
  }

  /** Ends a key: its prefix is known now. */
  seal(): void {
    const shape = this.shape;
    const high = this.words[0]!;
    const low = this.words[1]!;
    this.high = high;
    this.low = low;
    this.isPartial =
      !shape.isWhole || (shape.isNullAmbiguous && low === high && (high === WORD_MIN || high === ~WORD_MIN));
  }

  setNull(ordinal: number): void {
    const at = ordinal * 4;
    const word = this.shape.isDescending[ordinal] === 0 ? WORD_MIN : ~WORD_MIN;
    this.words[at] = word;
    this.words[at + 1] = word;
    this.words[at + 2] = word;
    this.words[at + 3] = word;
    this.nulls[ordinal] = 1;
    this.hasNull = true;
  }

  /** Sets the whole key of a shape with a simpleKind. */
  #setSimple(low: number, high: number): void {
    low ^= WORD_MIN;
    this.words[0] = high;
    this.words[1] = low;
    this.high = high;
    this.low = low;
  }

  /** Sets a column from a value's comparable words; complements them where the column is descending. */
  #set(ordinal: number, word0: number, word1: number, word2: number, word3: number): void {
    const at = ordinal * 4;
    const flip = -this.shape.isDescending[ordinal]!;
    this.words[at] = word0 ^ flip;
    this.words[at + 1] = word1 ^ flip;
    this.words[at + 2] = word2 ^ flip;
    this.words[at + 3] = word3 ^ flip;
    this.nulls[ordinal] = 0;
  }

  setInt64(ordinal: number, low: number, high: number): void {
    this.#set(ordinal, high, low ^ WORD_MIN, 0, 0);
  }

  /** Low and high are the words of the double. */
  setDouble(ordinal: number, low: number, high: number): void {
    if (high === WORD_MIN && low === 0) high = 0;
    if (high < 0) this.#set(ordinal, high ^ 0x7fffffff, low ^ 0x7fffffff, 0, 0);
    else this.#set(ordinal, high, low ^ WORD_MIN, 0, 0);
  }

  setText(ordinal: number, i32: Int32Array[], ref: number): void {
    const words = i32[ref >>> 26]!;
    const index = (ref & 0x3ffffff) << 2;
    const length = words[index]!;
    let word0 = 0;
    let word1 = 0;
    // What follows a short text in its unit is undefined, and is masked off.
    if (length > 0) {
      word0 = swapBytes(words[index + 1]!);
      if (length < 4) word0 &= -1 << ((4 - length) << 3);
      else if (length > 4) {
        word1 = swapBytes(words[index + 2]!);
        if (length < 8) word1 &= -1 << ((8 - length) << 3);
      }
    }
    this.#set(ordinal, word0 ^ WORD_MIN, word1 ^ WORD_MIN, 0, 0);
    this.words[ordinal * 4 + 2] = ref;
  }

  /** A value of 16 bytes at words[index]: uuid, or interval (months, days, microseconds low and high). */
  setWide(ordinal: number, kind: number, words: Int32Array, index: number): void {
    if (kind === 7) {
      this.#set(
        ordinal,
        swapBytes(words[index]!) ^ WORD_MIN,
        swapBytes(words[index + 1]!) ^ WORD_MIN,
        swapBytes(words[index + 2]!) ^ WORD_MIN,
        swapBytes(words[index + 3]!) ^ WORD_MIN,
      );
      return;
    }
    // Months count as 30 days and days as 24 hours when intervals are compared.
    DOUBLE_WORDS[0] = words[index + 2]!;
    DOUBLE_WORDS[1] = words[index + 3]!;
    const days = BigInt(words[index]!) * 30n + BigInt(words[index + 1]!);
    const total = days * 86_400_000_000n + BIG[0]!;
    BIG[0] = total;
    const low = DOUBLE_WORDS[0]!;
    const middle = DOUBLE_WORDS[1]!;
    this.#set(ordinal, Number(total >> 64n), middle ^ WORD_MIN, low ^ WORD_MIN, 0);
  }

  /** Loads the whole key from a row of a batch, on which it stands. */
  loadBatch(batch: BatchReader, partition: Partition): void {
    const shape = this.shape;
    this.columnCount = shape.columnCount;
    this.hasNull = false;
    const cells = batch.words;
    if (shape.simpleKind !== 0) {
      const cell = batch.cellWord + shape.columns[0]! * 2;
      this.#setSimple(cells[cell]!, cells[cell + 1]!);
      return;
    }
    for (let ordinal = 0; ordinal < shape.columnCount; ordinal++) {
      const column = shape.columns[ordinal]!;
      if (shape.isNullable[ordinal] !== 0 && batch.isNull(column)) {
        this.setNull(ordinal);
        continue;
      }
      const cell = batch.cellWord + column * 2;
      const kind = shape.kinds[ordinal]!;
      if (kind <= 3) this.#set(ordinal, cells[cell + 1]!, cells[cell]! ^ WORD_MIN, 0, 0);
      else if (kind <= 5) this.setDouble(ordinal, cells[cell]!, cells[cell + 1]!);
      else if (kind === 6) this.setText(ordinal, partition.i32, cells[cell]!);
      else this.setWide(ordinal, kind, partition.i32[cells[cell]! >>> 26]!, (cells[cell]! & 0x3ffffff) << 2);
    }
    this.seal();
  }

  /** Loads the whole key from a stored row. */
  loadRow(partition: Partition, row: number): void {
    const shape = this.shape;
    this.columnCount = shape.columnCount;
    this.hasNull = false;
    if (shape.simpleKind === 3) {
      const column = shape.columns[0]!;
      this.#setSimple(partition.readInt64Low(row, column), partition.readInt64High(row, column));
      return;
    }
    for (let ordinal = 0; ordinal < shape.columnCount; ordinal++) {
      const column = shape.columns[ordinal]!;
      if (shape.isNullable[ordinal] !== 0 && partition.isNull(row, column)) {
        this.setNull(ordinal);
        continue;
      }
      const kind = shape.kinds[ordinal]!;
      if (kind === 3) this.setInt64(ordinal, partition.readInt64Low(row, column), partition.readInt64High(row, column));
      else if (kind < 3) {
        this.setSmall(ordinal, partition, row, column, kind);
      } else if (kind === 6) this.setText(ordinal, partition.i32, partition.readRef(row, column));
      else if (kind <= 5) {
        DOUBLE[0] = kind === 4 ? partition.readFloat(row, column) : partition.readDouble(row, column);
        this.setDouble(ordinal, DOUBLE_WORDS[0]!, DOUBLE_WORDS[1]!);
      } else {
        const ref = partition.readWide(row, column);
        this.setWide(ordinal, kind, partition.i32[ref >>> 26]!, (ref & 0x3ffffff) << 2);
      }
    }
    this.seal();
  }

  /** Sets a column of at most 4 bytes from a stored row. */
  setSmall(ordinal: number, partition: Partition, row: number, column: number, kind: number): void {
    let value = 0;
    if (kind === 2) value = partition.readInt32(row, column);
    else value = kind === 1 ? partition.readInt16(row, column) : partition.readBool(row, column);
    this.setInt64(ordinal, value, value >> 31);
  }

  /** Sets one column from a register that is not NULL. */
  setRegister(ordinal: number, registers: RegisterFile, register: number, i32: Int32Array[]): void {
    const kind = this.shape.kinds[ordinal]!;
    const value = registers.num[register]!;
    if (kind <= 3) {
      if (Number.isNaN(value)) {
        BIG[0] = registers.big[register]!;
        this.setInt64(ordinal, DOUBLE_WORDS[0]!, DOUBLE_WORDS[1]!);
      } else this.setInt64(ordinal, value | 0, Math.floor(value / 4294967296) | 0);
    } else if (kind <= 5) {
      DOUBLE[0] = value;
      this.setDouble(ordinal, DOUBLE_WORDS[0]!, DOUBLE_WORDS[1]!);
    } else if (kind === 6) this.setText(ordinal, i32, value >>> 0);
    else this.setWide(ordinal, kind, i32[(value >>> 0) >>> 26]!, (value & 0x3ffffff) << 2);
  }

  /** Loads the whole key from consecutive registers, none NULL. */
  loadRegisters(registers: RegisterFile, first: number, i32: Int32Array[]): void {
    this.begin(this.shape.columnCount);
    if (this.shape.simpleKind !== 0) {
      const value = registers.num[first]!;
      if (!Number.isNaN(value)) {
        this.#setSimple(value | 0, Math.floor(value / 4294967296) | 0);
        return;
      }
    }
    for (let ordinal = 0; ordinal < this.columnCount; ordinal++) {
      this.setRegister(ordinal, registers, first + ordinal, i32);
    }
    this.seal();
  }

  /** Units of a block that holds a copy of the key (store). */
  storedUnits(i32: Int32Array[]): number {
    let units = this.shape.cellUnits;
    for (let ordinal = 0; ordinal < this.shape.columnCount; ordinal++) {
      if (this.shape.kinds[ordinal] !== 6 || this.nulls[ordinal] !== 0) continue;
      const ref = this.words[ordinal * 4 + 2]!;
      units += (i32[ref >>> 26]![(ref & 0x3ffffff) << 2]! + 19) >>> 4;
    }
    return units;
  }

  /** Copies the key to a block of storedUnits units: null bits, a unit a column with its words, then the texts. */
  store(i32: Int32Array[], block: number): void {
    const target = i32[block >>> 26]!;
    const index = (block & 0x3ffffff) << 2;
    let textUnit = this.shape.cellUnits;
    target[index] = 0;
    for (let ordinal = 0; ordinal < this.shape.columnCount; ordinal++) {
      const at = index + 4 + ordinal * 4;
      for (let word = 0; word < 4; word++) target[at + word] = this.words[ordinal * 4 + word]!;
      target[index]! |= this.nulls[ordinal]! << ordinal;
      if (this.shape.kinds[ordinal] !== 6 || this.nulls[ordinal] !== 0) continue;
      const ref = this.words[ordinal * 4 + 2]!;
      const source = i32[ref >>> 26]!;
      const start = (ref & 0x3ffffff) << 2;
      const units = (source[start]! + 19) >>> 4;
      const textIndex = index + textUnit * 4;
      for (let word = 0; word < units * 4; word++) target[textIndex + word] = source[start + word]!;
      target[at + 2] = block + textUnit;
      textUnit += units;
    }
  }

  /** Loads the key from such a block. */
  loadStored(i32: Int32Array[], block: number): void {
    const source = i32[block >>> 26]!;
    const index = (block & 0x3ffffff) << 2;
    this.columnCount = this.shape.columnCount;
    this.hasNull = false;
    for (let ordinal = 0; ordinal < this.shape.columnCount; ordinal++) {
      const at = index + 4 + ordinal * 4;
      for (let word = 0; word < 4; word++) this.words[ordinal * 4 + word] = source[at + word]!;
      const isNull = (source[index]! >>> ordinal) & 1;
      this.nulls[ordinal] = isNull;
      if (isNull !== 0) this.hasNull = true;
    }
    this.seal();
  }
}

/** Negative, 0 or positive: the order of two keys of one shape by their first `columnCount` columns. */
export function compareKeys(a: Key, b: Key, columnCount: number, u8: Uint8Array[], i32: Int32Array[]): number {
  const shape = a.shape;
  for (let ordinal = 0; ordinal < columnCount; ordinal++) {
    const at = ordinal * 4;
    if (a.nulls[ordinal] !== b.nulls[ordinal]) {
      return (a.nulls[ordinal] === 1) === (shape.isDescending[ordinal] === 0) ? -1 : 1;
    }
    if (a.words[at] !== b.words[at]) return a.words[at]! < b.words[at]! ? -1 : 1;
    if (a.words[at + 1] !== b.words[at + 1]) return a.words[at + 1]! < b.words[at + 1]! ? -1 : 1;
    if (a.nulls[ordinal] === 1 || shape.kinds[ordinal]! <= 5) continue;
    if (shape.kinds[ordinal] === 6) {
      const order = compareTexts(a.words[at + 2]!, b.words[at + 2]!, u8, i32);
      if (order !== 0) return shape.isDescending[ordinal] === 0 ? order : -order;
      continue;
    }
    if (a.words[at + 2] !== b.words[at + 2]) return a.words[at + 2]! < b.words[at + 2]! ? -1 : 1;
    if (a.words[at + 3] !== b.words[at + 3]) return a.words[at + 3]! < b.words[at + 3]! ? -1 : 1;
  }
  return 0;
}

/** Negative, 0 or positive: two texts in the arenas by their bytes. */
export function compareTexts(a: number, b: number, u8: Uint8Array[], i32: Int32Array[]): number {
  if (a === b) return 0;
  const lengthA = i32[a >>> 26]![(a & 0x3ffffff) << 2]!;
  const lengthB = i32[b >>> 26]![(b & 0x3ffffff) << 2]!;
  const bytesA = u8[a >>> 26]!;
  const bytesB = u8[b >>> 26]!;
  const startA = ((a & 0x3ffffff) << 4) + 4;
  const startB = ((b & 0x3ffffff) << 4) + 4;
  const length = Math.min(lengthA, lengthB);
  for (let index = 0; index < length; index++) {
    const difference = bytesA[startA + index]! - bytesB[startB + index]!;
    if (difference !== 0) return difference;
  }
  return lengthA - lengthB;
}

/** A 32-bit hash of a whole key, signed. Not the routing hash, so that buckets and hash slots are independent. */
export function hashKey(key: Key, seed: number, u8: Uint8Array[], i32: Int32Array[]): number {
  let hash = seed;
  for (let ordinal = 0; ordinal < key.shape.columnCount; ordinal++) {
    const at = ordinal * 4;
    if (key.shape.kinds[ordinal] === 6 && key.nulls[ordinal] === 0) {
      const ref = key.words[at + 2]!;
      const start = ((ref & 0x3ffffff) << 4) + 4;
      hash = murmur3Bytes(u8[ref >>> 26]!, start, start + i32[ref >>> 26]![(ref & 0x3ffffff) << 2]!, hash);
      continue;
    }
    hash = mix(hash, key.words[at]!);
    hash = mix(hash, key.words[at + 1]!);
    if (key.shape.kinds[ordinal]! <= 5) continue;
    hash = mix(hash, key.words[at + 2]!);
    hash = mix(hash, key.words[at + 3]!);
  }
  return hash ^ (hash >>> 15);
}

/** The same for the words of a key of a shape with a simpleKind, as they are stored. */
export function hashSimpleKey(low: number, high: number, seed: number): number {
  const hash = mix(mix(seed, high), low ^ WORD_MIN);
  return hash ^ (hash >>> 15);
}

/** One word into a hash; the finalizer of murmur3 with other constants ("lowbias32", Chris Wellons). */
function mix(hash: number, word: number): number {
  hash = (Math.imul(hash, 31) + word) | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  return Math.imul(hash ^ (hash >>> 15), 0x846ca68b);
}

function swapBytes(word: number): number {
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}
