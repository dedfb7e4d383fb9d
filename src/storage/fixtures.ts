/**
 * Tables and batches for tests of the storage: every type, from JavaScript values, without the conversions of INSERT.
 * Never imported by production code.
 */

import { PAGE_BYTES } from '../base/limits.ts';
import { Memory } from '../base/memory.ts';
import { createRegisters, type RegisterFile } from '../base/registers.ts';
import { Scratch } from '../base/scratch.ts';
import type { ColumnDefinition, IndexDefinition, TableDefinition } from '../catalog/catalog.ts';
import { BATCH_HEADER_BYTES, BatchReader, batchNullWords, batchRowBytes } from '../program/batch.ts';
import { DOUBLE, FLOAT, INTERVAL, isRefType, type TypeId, UUID } from '../types/type.ts';
import { LENGTH_MASK } from './heap.ts';
import { Partition } from './partition.ts';

/** Integers as number or bigint, text and json as string or bytes, uuid and interval as 16 bytes. */
export type Value = number | bigint | string | boolean | Uint8Array | null;

const ENCODER = new TextEncoder();

/** A memory of that many bytes, in this thread only. */
export function smallMemory(limitBytes: number = 1 << 30): Memory {
  return Memory.create({ limitBytes, eagerArenas: false });
}

export function column(name: string, type: TypeId, isNotNull: boolean = false): ColumnDefinition {
  return { name, type, isNotNull, isIdentity: false };
}

/** An index; keys are column ordinals, negative (-1 - ordinal) for descending ones. */
export function index(
  id: number,
  keys: readonly number[],
  options: { method?: 'tree' | 'hash'; isUnique?: boolean; isPrimary?: boolean } = {},
): IndexDefinition {
  return {
    id,
    name: `i${id}`,
    method: options.method ?? 'tree',
    isUnique: options.isUnique ?? options.isPrimary ?? false,
    isPrimary: options.isPrimary ?? false,
    keys: keys.map((key) => ({ column: key < 0 ? -1 - key : key, isDescending: key < 0 })),
  };
}

export function table(columns: readonly ColumnDefinition[], indexes: readonly IndexDefinition[]): TableDefinition {
  return {
    id: 7,
    schema: 'public',
    name: 't',
    isShared: false,
    isUnlogged: false,
    columns,
    indexes,
    partitions: [],
    identityRef: 0,
  };
}

/** A new, open partition of the table. */
export function newPartition(memory: Memory, definition: TableDefinition, id: number = 1): Partition {
  const rootPage = Partition.create(memory, definition);
  return Partition.open(memory, definition, { id, node: 0, slotFirst: 0, slotEnd: 8096, rootPage });
}

/** Writes batches of rows; each use replaces the batch before. */
export class Rows {
  readonly reader: BatchReader;
  readonly #memory: Memory;
  readonly #scratch: Scratch;
  readonly #page: number;

  constructor(memory: Memory) {
    this.#memory = memory;
    this.#scratch = new Scratch(memory);
    this.#page = memory.allocate(1);
    // Room for the values, so that tests which count allocations meet none of these.
    this.#scratch.allocate(32 * PAGE_BYTES);
    this.reader = new BatchReader(memory);
  }

  /** A batch with those rows, as many as fit into a page. */
  batch(definition: TableDefinition, rows: readonly (readonly Value[])[]): BatchReader {
    const columnCount = definition.columns.length;
    const words = this.#memory.i32[this.#page >>> 16]!;
    const start = (this.#page & 0xffff) << 12;
    const rowBytes = batchRowBytes(columnCount);
    words.fill(0, start, start + PAGE_BYTES / 4);
    words[start + 1] = rows.length;
    words[start + 2] = columnCount;
    words[start + 3] = rowBytes;
    words[start + 4] = Math.floor((PAGE_BYTES - BATCH_HEADER_BYTES) / rowBytes);
    words[start + 6] = definition.id;
    this.#scratch.reset();
    rows.forEach((row, ordinal) => {
      const rowWord = start + (BATCH_HEADER_BYTES + ordinal * rowBytes) / 4;
      const cellWord = rowWord + 1 + batchNullWords(columnCount);
      row.forEach((value, columnOrdinal) => {
        if (value === null) words[rowWord + 1 + (columnOrdinal >>> 5)]! |= 1 << (columnOrdinal & 31);
        else this.#cell(words, cellWord + columnOrdinal * 2, definition.columns[columnOrdinal]!.type, value);
      });
    });
    this.reader.open((this.#page * 1024) >>> 0);
    return this.reader;
  }

  /** A register file with those values, by their types. */
  registers(types: readonly TypeId[], values: readonly Value[]): RegisterFile {
    const registers = createRegisters(Math.max(1, values.length));
    values.forEach((value, register) => {
      const type = types[register]!;
      registers.nul[register] = value === null ? 1 : 0;
      if (value === null) return;
      if (isRefType(type)) registers.num[register] = this.#ref(type, value);
      else if (type === DOUBLE || type === FLOAT) registers.num[register] = Number(value);
      else {
        const integer = BigInt(value as number);
        const isExact = integer >= -(2n ** 53n) && integer <= 2n ** 53n;
        registers.num[register] = isExact ? Number(integer) : Number.NaN;
        registers.big[register] = integer;
      }
    });
    return registers;
  }

  #cell(words: Int32Array, cell: number, type: TypeId, value: Value): void {
    const view = new DataView(new ArrayBuffer(8));
    if (isRefType(type)) view.setUint32(0, this.#ref(type, value), true);
    else if (type === DOUBLE || type === FLOAT) view.setFloat64(0, Number(value), true);
    else view.setBigInt64(0, BigInt(value as number), true);
    words[cell] = view.getInt32(0, true);
    words[cell + 1] = view.getInt32(4, true);
  }

  #ref(type: TypeId, value: Value): number {
    const bytes = typeof value === 'string' ? ENCODER.encode(value) : (value as Uint8Array);
    if (type !== UUID && type !== INTERVAL) return this.#scratch.text(bytes);
    const ref = this.#scratch.allocate(16);
    this.#memory.u8[ref >>> 26]!.set(bytes, (ref & 0x3ffffff) << 4);
    return ref;
  }
}

/** The value of a column of a row, as it was given: integers as bigint, text and json as string, uuid and interval as hex. */
export function readValue(partition: Partition, row: number, ordinal: number): Value {
  if (partition.isNull(row, ordinal)) return null;
  switch (partition.layout.kinds[ordinal]!) {
    case 0: // one byte
      return BigInt(partition.readBool(row, ordinal));
    case 1: // two bytes
      return BigInt(partition.readInt16(row, ordinal));
    case 2: // four bytes
      return BigInt(partition.readInt32(row, ordinal));
    case 3: // two words
      return (
        (BigInt(partition.readInt64High(row, ordinal)) << 32n) | BigInt(partition.readInt64Low(row, ordinal) >>> 0)
      );
    case 4: // float
      return partition.readFloat(row, ordinal);
    case 5: // double
      return partition.readDouble(row, ordinal);
    case 6: {
      // value in the heap
      const ref = partition.readRef(row, ordinal);
      const start = (ref & 0x3ffffff) << 4;
      const length = partition.i32[ref >>> 26]![start >>> 2]! & LENGTH_MASK;
      return Buffer.from(partition.u8[ref >>> 26]!.slice(start + 4, start + 4 + length)).toString();
    }
    default: {
      // sixteen bytes
      const ref = partition.readWide(row, ordinal);
      const start = (ref & 0x3ffffff) << 4;
      return Buffer.from(partition.u8[ref >>> 26]!.slice(start, start + 16)).toString('hex');
    }
  }
}

/** A seeded generator of test cases (mulberry32, Tommy Ettinger). */
export class Cases {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** An integer from 0 below `end`. */
  below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296) * end);
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!;
  }

  /** True once in `times`. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }
}
