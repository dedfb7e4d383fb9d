/**
 * One result stream of all parts as one sequence of rows: part after part, or merged by the sort keys of the records, which
 * each part has in order. With at most 64 parts the next row is found by a look at the head of each.
 */

import type { Memory } from '../../base/memory.ts';
import { createRegisters, type RegisterFile } from '../../base/registers.ts';
import type { SortKey } from '../../program/program.ts';
import { compareUuids } from '../../types/uuid.ts';
import { compareVectors } from '../../types/vector.ts';
import { compareBytes } from '../core/bytes.ts';
import { compareIntegers } from '../core/integers.ts';
import { ResultReader } from '../core/result.ts';
import {
  compareIntervalRefs,
  DOUBLE_KIND,
  INTEGER_KIND,
  INTERVAL_KIND,
  kindOf,
  orderPrefix,
  TEXT_KIND,
  VECTOR_KIND,
} from '../core/value-column.ts';
import type { PartResults } from './request.ts';

export class StreamMerge {
  /** Stands on the current record. */
  reader: ResultReader;
  private readonly memory: Memory;
  private readonly readers: ResultReader[] = [];
  private partCount = 0;
  private stream = 0;
  private keys: readonly SortKey[] | null = null;
  /** Key k of the head of part p is in register p * keys + k. */
  private registers: RegisterFile = createRegisters(8);
  private prefixes: Float64Array = new Float64Array(8);
  private hasHead: Uint8Array = new Uint8Array(8);
  /** The part of the current record, -1 before the first. */
  private part = -1;

  constructor(memory: Memory) {
    this.memory = memory;
    this.reader = new ResultReader(memory);
  }

  /** Stands before the first row of stream `stream`; `keys` null: in the order of the parts. */
  open(parts: PartResults, stream: number, keys: readonly SortKey[] | null): void {
    this.partCount = parts.count;
    this.stream = stream;
    this.keys = keys;
    this.part = -1;
    while (this.readers.length < parts.count) this.readers.push(new ResultReader(this.memory));
    for (let part = 0; part < parts.count; part++) this.readers[part].open(parts.arenas[part], parts.bytes[part]);
    if (keys === null) return;
    if (this.registers.num.length < parts.count * keys.length)
      this.registers = createRegisters(parts.count * keys.length);
    if (this.prefixes.length < parts.count) {
      this.prefixes = new Float64Array(parts.count);
      this.hasHead = new Uint8Array(parts.count);
    }
    for (let part = 0; part < parts.count; part++) this.advance(part);
  }

  /** To the next record; false at the end. */
  next(): boolean {
    return this.keys === null ? this.nextInOrder() : this.nextMerged();
  }

  private nextInOrder(): boolean {
    if (this.part < 0) this.part = 0;
    while (this.part < this.partCount) {
      const reader = this.readers[this.part];
      while (reader.next()) {
        if (reader.stream !== this.stream) continue;
        this.reader = reader;
        return true;
      }
      this.part++;
    }
    return false;
  }

  private nextMerged(): boolean {
    if (this.part >= 0) this.advance(this.part);
    let best = -1;
    for (let part = 0; part < this.partCount; part++) {
      if (this.hasHead[part] === 1 && (best < 0 || this.compare(part, best) < 0)) best = part;
    }
    this.part = best;
    if (best < 0) return false;
    this.reader = this.readers[best];
    return true;
  }

  private advance(part: number): void {
    const reader = this.readers[part];
    while (reader.next()) {
      if (reader.stream !== this.stream) continue;
      this.hasHead[part] = 1;
      this.loadKeys(part, reader);
      return;
    }
    this.hasHead[part] = 0;
  }

  private loadKeys(part: number, reader: ResultReader): void {
    const keys = this.keys!;
    const { registers } = this;
    const first = part * keys.length;
    for (let i = 0; i < keys.length; i++) registers.nul[first + i] = reader.loadCell(i, registers, first + i);
    const { type, isDescending, isNullsFirst } = keys[0];
    this.prefixes[part] = orderPrefix(this.memory, kindOf(type), isDescending, isNullsFirst, registers, first);
  }

  private compare(left: number, right: number): number {
    const leftPrefix = this.prefixes[left];
    const rightPrefix = this.prefixes[right];
    if (leftPrefix !== rightPrefix) return leftPrefix < rightPrefix ? -1 : 1;
    const keys = this.keys!;
    const { registers } = this;
    for (let i = 0; i < keys.length; i++) {
      const l = left * keys.length + i;
      const r = right * keys.length + i;
      const isNull = registers.nul[l];
      const isOtherNull = registers.nul[r];
      if ((isNull | isOtherNull) !== 0) {
        if (isNull === isOtherNull) continue;
        return (isNull !== 0) === keys[i].isNullsFirst ? -1 : 1;
      }
      const order = this.compareKey(kindOf(keys[i].type), l, r);
      if (order !== 0) return keys[i].isDescending ? -order : order;
    }
    return 0;
  }

  private compareKey(kind: number, left: number, right: number): number {
    const { registers } = this;
    if (kind === INTEGER_KIND) return compareIntegers(registers.num, registers.big, left, right);
    if (kind === DOUBLE_KIND) return registers.num[left] - registers.num[right];
    if (kind === TEXT_KIND) return compareBytes(this.memory, registers.num[left], registers.num[right]);
    if (kind === INTERVAL_KIND) return compareIntervalRefs(this.memory, registers.num[left], registers.num[right]);
    if (kind === VECTOR_KIND) return compareVectors(this.memory, registers.num[left], registers.num[right]);
    return compareUuids(this.memory, registers.num[left], registers.num[right]);
  }
}
