/**
 * The parameters of a request, in its request block: an array of 16-byte cells, first the constants of its shape, then
 * $1 …, then what the coordinator sets. The frontend writes them before the transaction is published; nodes only read.
 *
 * | byte | size | field                                                                                       |
 * | ---: | ---: | ------------------------------------------------------------------------------------------- |
 * |    0 |    8 | int64 low, high (bool, integers, date, timestamp), or double, or ref of the value in word 0 |
 * |    8 |    4 | type number (types/type.ts); 0 = NULL                                                       |
 * |   12 |    4 | unused, 0                                                                                   |
 *
 * A cell is addressed by the arena index and the word index (Int32Array) of cell 0, both of the request block.
 */

import type { Memory } from '../base/memory.ts';
import type { RegisterFile } from '../base/registers.ts';
import { highWord, readInt64, WORDS, wordsOfBig } from '../types/int64.ts';
import { BIGINT, BOOL, DOUBLE, FLOAT, isRefType, type TypeId } from '../types/type.ts';

export const PARAMETER_BYTES = 16;

/** Where the parameters of one request lie, and the way to write and read them. One object is moved from request to request. */
export class Parameters {
  private readonly memory: Memory;
  private words: Int32Array;
  private doubles: Float64Array;
  private base = 0;

  constructor(memory: Memory) {
    this.memory = memory;
    this.words = memory.i32[0]!;
    this.doubles = memory.f64[0]!;
  }

  /** Moves to the parameters whose cell 0 is at `byteOffset` (a multiple of 16) of arena `arena`. */
  at(arena: number, byteOffset: number): void {
    this.words = this.memory.i32[arena]!;
    this.doubles = this.memory.f64[arena]!;
    this.base = byteOffset >> 2;
  }

  /** Type number; 0 = NULL. */
  type(index: number): number {
    return this.words[this.base + index * 4 + 2]!;
  }

  isNull(index: number): boolean {
    return this.words[this.base + index * 4 + 2] === 0;
  }

  /** Register forms (types/type.ts) of parameter `index` into register `target`: num, big where num is NaN; not nul. 0 for NULL. */
  load(index: number, registers: RegisterFile, target: number): void {
    const word = this.base + index * 4;
    const type = this.words[word + 2]!;
    if (type === DOUBLE || type === FLOAT) registers.num[target] = this.doubles[word >> 1]!;
    else if (isRefType(type as TypeId)) registers.num[target] = this.words[word]! >>> 0;
    else readInt64(registers, target, this.words[word]!, this.words[word + 1]!);
  }

  /** The low word of an int (partition ordinals and the like), or a ref when made unsigned by `>>> 0`. */
  low(index: number): number {
    return this.words[this.base + index * 4]!;
  }

  /** The ref of a text, json or batch parameter. */
  ref(index: number): number {
    return this.words[this.base + index * 4]! >>> 0;
  }

  double(index: number): number {
    return this.doubles[(this.base + index * 4) >> 1]!;
  }

  setNull(index: number): void {
    this.setWords(index, 0, 0, 0);
  }

  setBool(index: number, value: boolean): void {
    this.setWords(index, value ? 1 : 0, 0, BOOL);
  }

  /** An integer within ±2^53, or NaN and the integer in `big`. */
  setInt(index: number, num: number, big: bigint): void {
    this.setIntOf(index, num, big, BIGINT);
  }

  /** A value of the int64 kind: bool, integer, date, timestamp. */
  setIntOf(index: number, num: number, big: bigint, type: number): void {
    if (!Number.isNaN(num)) {
      this.setWords(index, num | 0, highWord(num), type);
    } else {
      wordsOfBig(big);
      this.setWords(index, WORDS[0]!, WORDS[1]!, type);
    }
  }

  setDouble(index: number, value: number): void {
    const word = this.base + index * 4;
    this.doubles[word >> 1] = value;
    this.words[word + 2] = DOUBLE;
    this.words[word + 3] = 0;
  }

  /** A value of a ref type (or the ref of a batch, with any non-zero type number). */
  setRef(index: number, ref: number, type: number): void {
    this.setWords(index, ref | 0, 0, type);
  }

  /** Parameter = register `source`, a value of wide type `type`, not NULL. */
  setRegister(index: number, registers: RegisterFile, source: number, type: number): void {
    const num = registers.num[source]!;
    if (type === DOUBLE || type === FLOAT) this.setDouble(index, num);
    else if (isRefType(type as TypeId)) this.setRef(index, num, type);
    else this.setIntOf(index, num, !Number.isNaN(num) ? 0n : registers.big[source]!, type);
  }

  private setWords(index: number, low: number, high: number, type: number): void {
    const word = this.base + index * 4;
    this.words[word] = low;
    this.words[word + 1] = high;
    this.words[word + 2] = type;
    this.words[word + 3] = 0;
  }
}
