/**
 * A set of composite keys: open addressing with linear probing over Int32Array slots (key ordinal + 1, 0 free), the keys
 * themselves in columns in the order of their arrival. The slot array doubles at a load of one half; the hash of each key is
 * kept, so growing reads no key.
 */

import type { Memory } from '../../base/memory.ts';
import type { RegisterFile } from '../../base/registers.ts';
import type { Scratch } from '../../base/scratch.ts';
import type { TypeId } from '../../types/type.ts';
import { grownIntegers, hashRegister, ValueColumn } from './value-column.ts';

const SLOTS_MIN = 16;
const SLOTS_KEPT_MAX = 131_072;

export class KeyTable {
  readonly columns: readonly ValueColumn[];
  count = 0;
  /** Whether the last find made a new key. */
  isNew = false;
  private readonly memory: Memory;
  private slots: Int32Array = new Int32Array(SLOTS_MIN);
  private hashes: Int32Array = new Int32Array(SLOTS_MIN / 2);

  constructor(types: readonly TypeId[], memory: Memory, workspace: Scratch) {
    this.memory = memory;
    this.columns = types.map((type) => new ValueColumn(type, false, memory, workspace));
  }

  clear(): void {
    if (this.slots.length > SLOTS_KEPT_MAX) {
      this.slots = new Int32Array(SLOTS_MIN);
      this.hashes = new Int32Array(SLOTS_MIN / 2);
    } else if (this.count > 0) this.slots.fill(0);
    this.count = 0;
    for (const column of this.columns) column.clear();
  }

  /** The ordinal of the key in registers first, first + 1, …; made when missing. nul of each is read. */
  find(registers: RegisterFile, first: number): number {
    const columns = this.columns;
    const columnCount = columns.length;
    let hash = hashRegister(this.memory, columns[0].kind, registers, first);
    for (let i = 1; i < columnCount; i++) {
      hash = Math.imul(hash, 0x1b873593) ^ hashRegister(this.memory, columns[i].kind, registers, first + i);
    }
    hash ^= hash >>> 16;
    const slots = this.slots;
    const mask = slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const ordinal = slots[slot] - 1;
      if (ordinal < 0) break;
      if (this.hashes[ordinal] === hash && this.isEqual(ordinal, registers, first)) {
        this.isNew = false;
        return ordinal;
      }
      slot = (slot + 1) & mask;
    }
    return this.add(slot, hash, registers, first);
  }

  /** Whether there is such a key. nul of each is read. */
  has(registers: RegisterFile, first: number): boolean {
    const { columns, slots } = this;
    let hash = hashRegister(this.memory, columns[0].kind, registers, first);
    for (let i = 1; i < columns.length; i++) {
      hash = Math.imul(hash, 0x1b873593) ^ hashRegister(this.memory, columns[i].kind, registers, first + i);
    }
    hash ^= hash >>> 16;
    const mask = slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const ordinal = slots[slot] - 1;
      if (ordinal < 0) return false;
      if (this.hashes[ordinal] === hash && this.isEqual(ordinal, registers, first)) return true;
    }
  }

  private isEqual(ordinal: number, registers: RegisterFile, first: number): boolean {
    const columns = this.columns;
    for (let i = 0; i < columns.length; i++) if (!columns[i].equals(ordinal, registers, first + i)) return false;
    return true;
  }

  private add(slot: number, hash: number, registers: RegisterFile, first: number): number {
    const ordinal = this.count++;
    this.isNew = true;
    this.slots[slot] = ordinal + 1;
    if (ordinal >= this.hashes.length) this.hashes = grownIntegers(this.hashes, this.hashes.length * 2);
    this.hashes[ordinal] = hash;
    const columns = this.columns;
    for (let i = 0; i < columns.length; i++) {
      columns[i].ensure(ordinal);
      columns[i].store(ordinal, registers, first + i, registers.nul[first + i]);
    }
    if (this.count * 2 > this.slots.length) this.rehash();
    return ordinal;
  }

  private rehash(): void {
    const slots = new Int32Array(this.slots.length * 2);
    const mask = slots.length - 1;
    const hashes = this.hashes;
    for (let ordinal = 0; ordinal < this.count; ordinal++) {
      let slot = hashes[ordinal] & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = ordinal + 1;
    }
    this.slots = slots;
  }
}
