/**
 * A growing column of values in register form, as group sets and sorters keep them: num, big beside it once a value is
 * beyond ±2^53, and null flags. Texts and the like are copied into the workspace of the VM, which is freed at the end of the
 * part; where values are replaced (min, max, top-k) a place is used again while the new value fits it, and places are made in
 * powers of two, so what replacing leaves behind is bounded by twice the largest value a row.
 */

import { assert } from '../../base/assert.ts';
import type { Memory } from '../../base/memory.ts';
import type { RegisterFile } from '../../base/registers.ts';
import type { Scratch } from '../../base/scratch.ts';
import { compareIntervals, hashInterval, intervalPrefix } from '../../types/interval.ts';
import type { TypeId } from '../../types/type.ts';
import { compareUuids, equalUuids, uuidPrefix } from '../../types/uuid.ts';
import { compareVectors, hashVector, vectorPrefix } from '../../types/vector.ts';
import { byteLengthOf, bytesPrefix, compareBytes, copyRun, equalBytes, hashBytes } from './bytes.ts';
import { compareBigIntegers } from './integers.ts';
import { equalJson, hashJson } from './json-values.ts';

/** How values compare and where they lie. */
export const INTEGER_KIND = 0;
export const DOUBLE_KIND = 1;
export const TEXT_KIND = 2;
export const JSON_KIND = 3;
/** uuid: 16 bytes without length, ordered by bytes. */
export const WIDE_KIND = 4;
/** vector: bytes with their length, ordered by elements. */
export const VECTOR_KIND = 5;
/** interval: 16 bytes without length, ordered by the time they stand for. */
export const INTERVAL_KIND = 6;

/** True for values of 16 bytes without a length before them. */
export function isSixteenBytes(kind: number): boolean {
  return kind === WIDE_KIND || kind === INTERVAL_KIND;
}

/** The kind of a wide type. */
export function kindOf(type: TypeId): number {
  switch (type as number) {
    case 6: // float
    case 7: // double
      return DOUBLE_KIND;
    case 8: // text
      return TEXT_KIND;
    case 9: // json
      return JSON_KIND;
    case 11: // interval
      return INTERVAL_KIND;
    case 14: // uuid
      return WIDE_KIND;
    case 13: // vector
      return VECTOR_KIND;
    default:
      return INTEGER_KIND;
  }
}

const NO_BIG = new BigInt64Array(0);
const ROOMS_MIN_BYTES = 32;

export class ValueColumn {
  readonly type: TypeId;
  readonly kind: number;
  num: Float64Array;
  nul: Uint8Array;
  /** Empty until a value beyond ±2^53 comes. */
  big: BigInt64Array = NO_BIG;
  /** Bytes of the place of a replaceable value, by row. */
  private rooms: Int32Array | null;
  private readonly memory: Memory;
  private readonly workspace: Scratch;

  constructor(type: TypeId, isReplaceable: boolean, memory: Memory, workspace: Scratch) {
    this.type = type;
    this.kind = kindOf(type);
    this.memory = memory;
    this.workspace = workspace;
    this.num = new Float64Array(8);
    this.nul = new Uint8Array(8);
    this.rooms = isReplaceable && this.kind >= TEXT_KIND ? new Int32Array(8) : null;
  }

  /** Forgets all rows; memory beyond 64 Ki rows goes back to the collector. */
  clear(): void {
    if (this.num.length > 65_536) {
      this.num = new Float64Array(8);
      this.nul = new Uint8Array(8);
      if (this.rooms !== null) this.rooms = new Int32Array(8);
    } else if (this.rooms !== null) this.rooms.fill(0);
    if (this.big.length > 0) this.big = NO_BIG;
  }

  /** Makes room for row `row`. */
  ensure(row: number): void {
    if (row >= this.num.length) this.grow(row + 1);
  }

  private grow(rowCount: number): void {
    const capacity = Math.max(rowCount, this.num.length * 2);
    this.num = grownDoubles(this.num, capacity);
    const nul = new Uint8Array(capacity);
    nul.set(this.nul);
    this.nul = nul;
    if (this.rooms !== null) this.rooms = grownIntegers(this.rooms, capacity);
    if (this.big.length > 0) this.growBig();
  }

  private growBig(): void {
    const big = new BigInt64Array(this.num.length);
    big.set(this.big);
    this.big = big;
  }

  /** Row `row`, for which there is room, becomes the value of a register. */
  store(row: number, registers: RegisterFile, register: number, isNull: number): void {
    this.nul[row] = isNull;
    if (isNull !== 0) return;
    const value = registers.num[register];
    if (this.kind >= TEXT_KIND) {
      this.num[row] = this.keep(row, value);
      return;
    }
    this.num[row] = value;
    if (Number.isNaN(value)) {
      if (this.big.length < this.num.length) this.growBig();
      this.big[row] = registers.big[register];
    }
  }

  private keep(row: number, ref: number): number {
    const byteCount = isSixteenBytes(this.kind) ? 16 : byteLengthOf(this.memory, ref) + 4;
    const rooms = this.rooms;
    let copy: number;
    if (rooms === null) copy = this.workspace.allocate(byteCount);
    else if (rooms[row] >= byteCount) copy = this.num[row];
    else {
      let room = ROOMS_MIN_BYTES;
      while (room < byteCount) room *= 2;
      copy = this.workspace.allocate(room);
      rooms[row] = room;
    }
    copyRun(this.memory, ref, copy, byteCount);
    return copy;
  }

  /** The value of row `row` into a register; returns its null flag, which is not stored. */
  load(row: number, registers: RegisterFile, register: number): number {
    const value = this.num[row];
    registers.num[register] = value;
    if (Number.isNaN(value)) registers.big[register] = this.big[row];
    return this.nul[row];
  }

  /** Equality of a row and a register, NULL equal to NULL. */
  equals(row: number, registers: RegisterFile, register: number): boolean {
    const isNull = registers.nul[register];
    if (this.nul[row] !== isNull) return false;
    if (isNull !== 0) return true;
    const own = this.num[row];
    const other = registers.num[register];
    switch (this.kind) {
      case 2: // text
        return equalBytes(this.memory, own, other);
      case 3: // json
        return equalJson(this.memory, own, other);
      case 4: // wide
        return equalUuids(this.memory, own, other);
      case 5: // vector
        return compareVectors(this.memory, own, other) === 0;
      case 6: // interval
        return compareIntervalRefs(this.memory, own, other) === 0;
      default:
        return own === other || (Number.isNaN(own) && Number.isNaN(other) && this.big[row] === registers.big[register]);
    }
  }

  /** Order of two rows, neither NULL. */
  compareRows(left: number, right: number): number {
    const l = this.num[left];
    const r = this.num[right];
    switch (this.kind) {
      case 0: // int
        if (l < r) return -1;
        if (l > r) return 1;
        return l === r
          ? 0
          : compareBigIntegers(l, Number.isNaN(l) ? this.big[left] : 0n, r, Number.isNaN(r) ? this.big[right] : 0n);
      case 1: // double
        return l < r ? -1 : l > r ? 1 : 0;
      case 2: // text
        return compareBytes(this.memory, l, r);
      default:
        return this.compareOther(l, r);
    }
  }

  /** Order of a row and a register, neither NULL. */
  compareWith(row: number, registers: RegisterFile, register: number): number {
    const l = this.num[row];
    const r = registers.num[register];
    switch (this.kind) {
      case 0: // int
        if (l < r) return -1;
        if (l > r) return 1;
        return l === r
          ? 0
          : compareBigIntegers(
              l,
              Number.isNaN(l) ? this.big[row] : 0n,
              r,
              Number.isNaN(r) ? registers.big[register] : 0n,
            );
      case 1: // double
        return l < r ? -1 : l > r ? 1 : 0;
      case 2: // text
        return compareBytes(this.memory, l, r);
      default:
        return this.compareOther(l, r);
    }
  }

  private compareOther(left: number, right: number): number {
    if (this.kind === VECTOR_KIND) return compareVectors(this.memory, left, right);
    if (this.kind === INTERVAL_KIND) return compareIntervalRefs(this.memory, left, right);
    assert(this.kind === WIDE_KIND, 'only ordered types are compared');
    return compareUuids(this.memory, left, right);
  }
}

/** Order of the intervals at two refs. */
export function compareIntervalRefs(memory: Memory, left: number, right: number): number {
  return compareIntervals(
    memory.i32[left >>> 26],
    (left & 0x3ffffff) << 2,
    memory.i32[right >>> 26],
    (right & 0x3ffffff) << 2,
  );
}

const HASH_DOUBLE = new Float64Array(1);
const HASH_WORDS = new Int32Array(HASH_DOUBLE.buffer);
const HASH_BIG = new BigInt64Array(HASH_DOUBLE.buffer);

/** Hash of a register's value of that kind; equal values (also 0 and -0) have equal hashes. */
export function hashRegister(memory: Memory, kind: number, registers: RegisterFile, register: number): number {
  if (registers.nul[register] !== 0) return 0x7ed55d16;
  const value = registers.num[register];
  if (kind >= TEXT_KIND) {
    if (kind === TEXT_KIND) return hashBytes(memory, value);
    if (kind === VECTOR_KIND) return hashVector(memory, value);
    if (kind === INTERVAL_KIND) return hashInterval(memory.i32[value >>> 26], (value & 0x3ffffff) << 2);
    return kind === JSON_KIND ? hashJson(memory, value) : hashWide(memory, value);
  }
  if ((value | 0) === value) {
    const hash = Math.imul(value, 0x9e3779b1);
    return hash ^ (hash >>> 15);
  }
  if (Number.isNaN(value)) HASH_BIG[0] = registers.big[register];
  else HASH_DOUBLE[0] = value;
  const hash = Math.imul(HASH_WORDS[0] ^ Math.imul(HASH_WORDS[1], 0x85ebca6b), 0x9e3779b1);
  return hash ^ (hash >>> 15);
}

function hashWide(memory: Memory, ref: number): number {
  const words = memory.i32[ref >>> 26];
  const at = (ref & 0x3ffffff) << 2;
  let hash = 0;
  for (let i = 0; i < 4; i++) hash = Math.imul(hash ^ words[at + i], 0x5bd1e995) ^ (hash >>> 15);
  return hash;
}

/**
 * A number that orders as the values of a sort key do: where two differ, that is the order; where they are equal, the values
 * must be compared. Infinite only for NULL.
 */
export function orderPrefix(
  memory: Memory,
  kind: number,
  isDescending: boolean,
  isNullsFirst: boolean,
  registers: RegisterFile,
  register: number,
): number {
  if (registers.nul[register] !== 0) return isNullsFirst ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  let prefix = registers.num[register];
  if (kind === TEXT_KIND) prefix = bytesPrefix(memory, prefix);
  else if (kind === WIDE_KIND) prefix = uuidPrefix(memory, prefix);
  else if (kind === VECTOR_KIND) prefix = vectorPrefix(memory, prefix);
  else if (kind === INTERVAL_KIND) prefix = intervalPrefix(memory.i32[prefix >>> 26], (prefix & 0x3ffffff) << 2);
  else if (kind >= JSON_KIND) prefix = 0;
  else if (Number.isNaN(prefix)) prefix = Number(registers.big[register]);
  return isDescending ? -prefix : prefix;
}

export function grownDoubles(old: Float64Array, capacity: number): Float64Array {
  const grown = new Float64Array(capacity);
  grown.set(old);
  return grown;
}

export function grownIntegers(old: Int32Array, capacity: number): Int32Array {
  const grown = new Int32Array(capacity);
  grown.set(old);
  return grown;
}
