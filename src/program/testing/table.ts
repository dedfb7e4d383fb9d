/** Tables and batches for tests. */

import { ByteWriter } from '../../base/byte-writer.ts';
import { Memory } from '../../base/memory.ts';
import type { ColumnDefinition, PartitionDefinition, TableDefinition } from '../../catalog/catalog.ts';
import { bigOfWords } from '../../types/int64.ts';
import { jsonToText } from '../../types/json.ts';
import { DOUBLE, FLOAT, isRefType, JSON_TYPE, TEXT, type TypeId, UUID, VECTOR } from '../../types/type.ts';
import { decodeUtf8 } from '../../types/utf8.ts';
import { writeUuid } from '../../types/uuid.ts';
import { writeVector } from '../../types/vector.ts';
import type { BatchReader } from '../batch.ts';

export function testMemory(limitBytes: number = 64 * 1024 * 1024): Memory {
  return Memory.create({ limitBytes, eagerArenas: false });
}

export function column(name: string, type: TypeId, more: Partial<ColumnDefinition> = {}): ColumnDefinition {
  return { name, type, isNotNull: false, isIdentity: false, ...more };
}

/** A table keyed by its first columns, over `partitionCount` partitions, each of a node of its own. */
export function table(
  memory: Memory,
  columns: readonly ColumnDefinition[],
  keyCount: number = 1,
  partitionCount: number = 4,
): TableDefinition {
  const partitions: PartitionDefinition[] = [];
  for (let i = 0; i < partitionCount; i++) {
    const slotFirst = Math.floor((8096 * i) / partitionCount);
    const slotEnd = Math.floor((8096 * (i + 1)) / partitionCount);
    partitions.push({ id: i + 1, node: i, slotFirst, slotEnd, rootPage: 0 });
  }
  const keys = columns.slice(0, keyCount).map((_, index) => ({ column: index, isDescending: false }));
  return {
    id: 7,
    schema: 'public',
    name: 't',
    isShared: false,
    isUnlogged: false,
    columns,
    indexes: [{ id: 1, name: 'primary', method: 'tree', isUnique: true, isPrimary: true, keys }],
    partitions,
    identityRef: memory.allocateZeroed(1) * 1024,
  };
}

/** What a batch holds, as JavaScript values: integers as bigint; json, uuid and vector as their texts. */
export function batchRows(memory: Memory, definition: TableDefinition, reader: BatchReader): unknown[][] {
  const rows: unknown[][] = [];
  for (let row = 0; row < reader.rowCount; row++) {
    reader.seek(row);
    rows.push(definition.columns.map(({ type }, index) => cell(memory, reader, index, type)));
  }
  return rows;
}

function cell(memory: Memory, reader: BatchReader, index: number, type: TypeId): unknown {
  if (reader.isNull(index)) return null;
  if (type === DOUBLE || type === FLOAT) return reader.double(index);
  if (!isRefType(type)) return bigOfWords(reader.low(index), reader.high(index));
  const ref = reader.ref(index);
  if (type === UUID) return textOf((writer) => writeUuid(writer, memory.u8[ref >>> 26]!, (ref & 0x3ffffff) << 4));
  if (type === VECTOR) return textOf((writer) => writeVector(writer, memory, ref));
  const start = ((ref & 0x3ffffff) << 4) + 4;
  const bytes = memory.u8[ref >>> 26]!;
  const end = start + memory.i32[ref >>> 26]![(start >> 2) - 1]!;
  if (type === TEXT) return decodeUtf8(bytes, start, end);
  return type === JSON_TYPE ? jsonToText(bytes, start) : bytes.slice(start, end);
}

function textOf(write: (writer: ByteWriter) => void): string {
  const writer = new ByteWriter(64);
  write(writer);
  return decodeUtf8(writer.bytes, 0, writer.length);
}
