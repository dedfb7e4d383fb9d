/**
 * The values of a long IN list, probed by hash: exact for 64-bit integers, and integers and doubles meet in it only where
 * they are equal. Made once a run, never with a NULL in it; keys in the form of the type that is searched for.
 */

import type { Memory } from '../../base/memory.ts';
import type { RegisterFile } from '../../base/registers.ts';
import type { Scratch } from '../../base/scratch.ts';
import type { ConstantList } from '../../program/program.ts';
import { EXACT_MAX, getBig, INT64_MAX, INT64_MIN, setBig } from '../../types/int64.ts';
import type { TypeId } from '../../types/type.ts';
import { KeyTable } from './key-table.ts';
import { DOUBLE_KIND, INTEGER_KIND, kindOf } from './value-column.ts';

export class LiteralSet {
  readonly type: number;
  private readonly kind: number;
  private readonly keys: KeyTable;

  constructor(type: number, memory: Memory, workspace: Scratch) {
    this.type = type;
    this.kind = kindOf(type as TypeId);
    this.keys = new KeyTable([type as TypeId], memory, workspace);
  }

  clear(): void {
    this.keys.clear();
  }

  get count(): number {
    return this.keys.count;
  }

  /** Adds a register's value of wide type `type`, which is not NULL; the register may get another form of it. */
  add(registers: RegisterFile, register: number, type: number): void {
    const kind = kindOf(type as TypeId);
    if (kind !== this.kind && !this.convert(registers, register, kind)) return;
    registers.nul[register] = 0;
    this.keys.find(registers, register);
  }

  /** Whether the value of a register, which is not NULL, is in the set. */
  has(registers: RegisterFile, register: number): boolean {
    registers.nul[register] = 0;
    return this.keys.has(registers, register);
  }

  /** Value `ordinal` into a register. */
  load(ordinal: number, registers: RegisterFile, register: number): void {
    this.keys.columns[0].load(ordinal, registers, register);
  }

  /** Adds literals; a register and scratch memory are used for each. */
  addList(list: ConstantList, registers: RegisterFile, register: number, scratch: Scratch): void {
    for (const value of list.ints) {
      if (typeof value === 'number') registers.num[register] = value;
      else setBig(registers, register, BigInt(value));
      this.add(registers, register, 5 /* bigint */);
    }
    for (const value of list.doubles) {
      registers.num[register] = value;
      this.add(registers, register, 7 /* double */);
    }
    const encoder = new TextEncoder();
    for (const value of list.texts) {
      const mark = scratch.mark();
      registers.num[register] = scratch.text(encoder.encode(value));
      this.add(registers, register, 8 /* text */);
      scratch.release(mark);
    }
  }

  /** An integer among doubles or the reverse: false where no value of the other kind is equal to it. */
  private convert(registers: RegisterFile, register: number, kind: number): boolean {
    const value = registers.num[register];
    if (kind === DOUBLE_KIND && this.kind === INTEGER_KIND) {
      if (value !== Math.floor(value)) return false;
      if (value >= -EXACT_MAX && value <= EXACT_MAX) return true;
      const big = BigInt(value);
      if (big < INT64_MIN || big > INT64_MAX) return false;
      setBig(registers, register, big);
      return true;
    }
    if (!Number.isNaN(value)) return true;
    const big = getBig(registers, register);
    registers.num[register] = Number(big);
    return BigInt(Number(big)) === big;
  }
}
