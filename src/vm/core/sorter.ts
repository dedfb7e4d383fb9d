/**
 * A sorter: rows of keys and values in columns, and an order over row numbers. With a limit k it keeps the first k rows only,
 * as a heap whose root is the last of them, so a row that cannot be among them costs one comparison. Without, all rows are
 * kept and merge-sorted at the end.
 *
 * Beside each row stands a number that orders as its first key does (orderPrefix), so most comparisons touch one array.
 */

import { assert } from '../../base/assert.ts';
import type { Memory } from '../../base/memory.ts';
import { createRegisters, type RegisterFile } from '../../base/registers.ts';
import type { Scratch } from '../../base/scratch.ts';
import type { SortKey, SortSpec } from '../../program/program.ts';
import { DOUBLE_KIND, grownDoubles, kindOf, orderPrefix, ValueColumn } from './value-column.ts';

/** Up to this length a run is sorted by insertion. */
const INSERTION_ROWS = 8;

export class Sorter {
  readonly spec: SortSpec;
  readonly isBounded: boolean;
  readonly keyCount: number;
  /** Rows kept, and after sort() the position of the current one in the order. */
  count = 0;
  position = 0;
  private readonly memory: Memory;
  private readonly keys: readonly SortKey[];
  private readonly columns: readonly ValueColumn[];
  private readonly firstKind: number;
  private limit = 0;
  private skipped = 0;
  private prefixes: Float64Array = new Float64Array(8);
  private order: Int32Array = new Int32Array(8);
  private isSorted = false;
  private isHeap = false;
  /** The prefix of the last row of a full heap, which is its root; before that a row of any key is kept. */
  private boundary = Number.POSITIVE_INFINITY;
  private readonly firstSign: number;
  /** Registers of one row, for sending. */
  readonly registers: RegisterFile;

  constructor(spec: SortSpec, isBounded: boolean, memory: Memory, workspace: Scratch) {
    assert(spec.keys.length > 0, 'a sorter has keys');
    this.spec = spec;
    this.isBounded = isBounded;
    this.memory = memory;
    this.keys = spec.keys;
    this.keyCount = spec.keys.length;
    const types = [...spec.keys.map((key) => key.type), ...spec.values];
    this.columns = types.map((type) => new ValueColumn(type, isBounded, memory, workspace));
    this.firstKind = kindOf(spec.keys[0].type);
    this.firstSign = spec.keys[0].isDescending ? -1 : 1;
    this.registers = createRegisters(types.length);
  }

  /** Empties it; `limit` rows are kept at most, where it is bounded. */
  open(limit: number): void {
    this.limit = limit;
    this.count = 0;
    this.position = 0;
    this.skipped = 0;
    this.isSorted = false;
    this.isHeap = false;
    this.boundary = Number.POSITIVE_INFINITY;
    if (this.prefixes.length > 65_536) this.prefixes = new Float64Array(8);
    for (const column of this.columns) column.clear();
  }

  /** Takes a row: keys then values in registers first, first + 1, …, with nul. */
  add(registers: RegisterFile, first: number): void {
    const key = this.keys[0];
    const prefix = orderPrefix(this.memory, this.firstKind, key.isDescending, key.isNullsFirst, registers, first);
    if (!this.isBounded) {
      this.append(prefix, registers, first);
      return;
    }
    if (this.count < this.limit) {
      this.append(prefix, registers, first);
      return;
    }
    if (this.limit <= 0) return;
    if (!this.isHeap) this.makeHeap();
    const root = this.order[0];
    const last = this.prefixes[root];
    if (prefix > last || (prefix === last && this.compareWith(root, registers, first) <= 0)) return;
    this.storeRow(root, prefix, registers, first);
    this.siftDown(0);
    this.boundary = this.prefixes[this.order[0]];
  }

  /** Whether a row with the first key in register `first` comes after all that a full sorter keeps. */
  isBeyond(registers: RegisterFile, first: number): boolean {
    const value = registers.num[first];
    // Most keys are numbers, and most rows of a large table come after those that are kept.
    if (this.firstKind <= DOUBLE_KIND && !Number.isNaN(value) && registers.nul[first] === 0) {
      return value * this.firstSign > this.boundary;
    }
    if (!this.isHeap) return false;
    const key = this.keys[0];
    const prefix = orderPrefix(this.memory, this.firstKind, key.isDescending, key.isNullsFirst, registers, first);
    return prefix > this.prefixes[this.order[0]];
  }

  private append(prefix: number, registers: RegisterFile, first: number): void {
    const row = this.count++;
    const columns = this.columns;
    for (let i = 0; i < columns.length; i++) columns[i].ensure(row);
    if (row >= this.prefixes.length) this.prefixes = grownDoubles(this.prefixes, row * 2);
    this.storeRow(row, prefix, registers, first);
  }

  private storeRow(row: number, prefix: number, registers: RegisterFile, first: number): void {
    this.prefixes[row] = prefix;
    const columns = this.columns;
    for (let i = 0; i < columns.length; i++) columns[i].store(row, registers, first + i, registers.nul[first + i]);
  }

  /** Order of a kept row and a row in registers by the keys. */
  private compareWith(row: number, registers: RegisterFile, first: number): number {
    for (let i = 0; i < this.keyCount; i++) {
      const column = this.columns[i];
      const key = this.keys[i];
      const isNull = column.nul[row];
      const isOtherNull = registers.nul[first + i];
      if ((isNull | isOtherNull) !== 0) {
        if (isNull === isOtherNull) continue;
        return (isNull !== 0) === key.isNullsFirst ? -1 : 1;
      }
      const order = column.compareWith(row, registers, first + i);
      if (order !== 0) return key.isDescending ? -order : order;
    }
    return 0;
  }

  private compareRows(left: number, right: number): number {
    const leftPrefix = this.prefixes[left];
    const rightPrefix = this.prefixes[right];
    if (leftPrefix !== rightPrefix) return leftPrefix < rightPrefix ? -1 : 1;
    for (let i = 0; i < this.keyCount; i++) {
      const column = this.columns[i];
      const key = this.keys[i];
      const isNull = column.nul[left];
      const isOtherNull = column.nul[right];
      if ((isNull | isOtherNull) !== 0) {
        if (isNull === isOtherNull) continue;
        return (isNull !== 0) === key.isNullsFirst ? -1 : 1;
      }
      const order = column.compareRows(left, right);
      if (order !== 0) return key.isDescending ? -order : order;
    }
    return 0;
  }

  private resetOrder(): void {
    if (this.order.length < this.count || this.order.length > 65_536)
      this.order = new Int32Array(Math.max(8, this.count));
    for (let row = 0; row < this.count; row++) this.order[row] = row;
  }

  private makeHeap(): void {
    this.resetOrder();
    this.isHeap = true;
    for (let at = (this.count >>> 1) - 1; at >= 0; at--) this.siftDown(at);
    this.boundary = this.prefixes[this.order[0]];
  }

  private siftDown(at: number): void {
    const order = this.order;
    const count = this.count;
    const row = order[at];
    for (;;) {
      let child = at * 2 + 1;
      if (child >= count) break;
      if (child + 1 < count && this.compareRows(order[child + 1], order[child]) > 0) child++;
      if (this.compareRows(order[child], row) <= 0) break;
      order[at] = order[child];
      at = child;
    }
    order[at] = row;
  }

  /** Drops the first `rowCount` rows of the order. */
  skip(rowCount: number): void {
    this.skipped = rowCount;
  }

  /** Puts the rows in order and stands on the first one that is not skipped; false when there is none. */
  first(): boolean {
    this.sort();
    this.position = Math.min(this.skipped, this.count);
    return this.position < this.count;
  }

  next(): boolean {
    return ++this.position < this.count;
  }

  /** Keys then values of the current row into registers first, first + 1, …, with nul. */
  load(registers: RegisterFile, first: number): void {
    const row = this.order[this.position];
    const columns = this.columns;
    for (let i = 0; i < columns.length; i++) registers.nul[first + i] = columns[i].load(row, registers, first + i);
  }

  private sort(): void {
    if (this.isSorted) return;
    this.isSorted = true;
    this.resetOrder();
    const order = this.order;
    const count = this.count;
    for (let start = 0; start < count; start += INSERTION_ROWS) {
      this.sortByInsertion(order, start, Math.min(start + INSERTION_ROWS, count));
    }
    let from: Int32Array = order;
    let to: Int32Array = new Int32Array(order.length);
    for (let width = INSERTION_ROWS; width < count; width *= 2) {
      for (let start = 0; start < count; start += width * 2) {
        this.merge(from, to, start, Math.min(start + width, count), Math.min(start + width * 2, count));
      }
      [from, to] = [to, from];
    }
    this.order = from;
  }

  private sortByInsertion(order: Int32Array, start: number, end: number): void {
    for (let i = start + 1; i < end; i++) {
      const row = order[i];
      let at = i;
      while (at > start && this.compareRows(order[at - 1], row) > 0) {
        order[at] = order[at - 1];
        at--;
      }
      order[at] = row;
    }
  }

  private merge(from: Int32Array, to: Int32Array, start: number, middle: number, end: number): void {
    let left = start;
    let right = middle;
    for (let at = start; at < end; at++) {
      if (left < middle && (right >= end || this.compareRows(from[left], from[right]) <= 0)) to[at] = from[left++];
      else to[at] = from[right++];
    }
  }
}
