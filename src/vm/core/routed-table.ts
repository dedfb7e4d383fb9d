/**
 * Which nodes a program concerns: the hash of a primary key in registers decides the partition (program/routing.ts), as it
 * does for the rows of a batch.
 */

import type { Memory } from '../../base/memory.ts';
import { murmur3Bytes, murmur3Int64 } from '../../base/murmur3.ts';
import type { RegisterFile } from '../../base/registers.ts';
import type { TableDefinition } from '../../catalog/catalog.ts';
import { ordinalOfHash, routingOf, type TableRouting } from '../../program/routing.ts';
import { highWord, WORDS, wordsOfBig } from '../../types/int64.ts';
import { TEXT, UUID } from '../../types/type.ts';
import { byteLengthOf } from './bytes.ts';

/** A table of a program, as routing needs it. */
export class RoutedTable {
  readonly table: TableDefinition;
  readonly routing: TableRouting;
  /** Nodes with any partition of the table. */
  readonly maskLow: number;
  readonly maskHigh: number;
  private readonly keyTypes: readonly number[];

  constructor(table: TableDefinition) {
    this.table = table;
    this.routing = routingOf(table);
    this.maskLow = this.routing.maskLow.reduce((mask, bits) => mask | bits, 0);
    this.maskHigh = this.routing.maskHigh.reduce((mask, bits) => mask | bits, 0);
    this.keyTypes = table.indexes[0]!.keys.map((key) => table.columns[key.column]!.type);
  }

  /** Ordinal of the partition of the key in registers first, first + 1, … */
  ordinal(memory: Memory, registers: RegisterFile, first: number): number {
    let hash = 0;
    const { keyTypes } = this;
    for (let i = 0; i < keyTypes.length; i++) hash = hashKey(memory, keyTypes[i], registers, first + i, hash);
    return ordinalOfHash(this.routing, hash >>> 0);
  }
}

function hashKey(memory: Memory, type: number, registers: RegisterFile, register: number, seed: number): number {
  const value = registers.num[register];
  if (type === TEXT || type === UUID) {
    const at = (value & 0x3ffffff) << 4;
    const start = type === TEXT ? at + 4 : at;
    const length = type === TEXT ? byteLengthOf(memory, value) : 16;
    return murmur3Bytes(memory.u8[value >>> 26], start, start + length, seed);
  }
  if (!Number.isNaN(value)) return murmur3Int64(value | 0, highWord(value), seed);
  wordsOfBig(registers.big[register]);
  return murmur3Int64(WORDS[0], WORDS[1], seed);
}
