/**
 * The results of one part: records of all its result streams, in the order they were written. The first ones lie in the
 * inline area of the part in the request block, the rest in page runs. Written by the node that runs the part; read by the
 * coordinator after `final` has passed the ticket (or by the last voter), which then frees the runs (freeResults).
 *
 * Inline area (16-byte aligned):
 *
 * | byte | size | field                                                        |
 * | ---: | ---: | ------------------------------------------------------------ |
 * |    0 |    4 | bytes used, this header included                             |
 * |    4 |    4 | page of the first run, 0 for none                            |
 * |    8 |    4 | payload bytes of the part in all                             |
 * |   12 |    4 | records of the part                                          |
 * |   16 |      | records                                                      |
 *
 * Run: u32 page of the next run (0 at the end), u32 pages of this run, u32 bytes used (header included), u32 0, records.
 *
 * Record (16-byte aligned, never over two runs):
 *
 * | byte | size | field                                                                                          |
 * | ---: | ---: | ---------------------------------------------------------------------------------------------- |
 * |    0 |    4 | bytes of the record, a multiple of 16                                                          |
 * |    4 |    1 | stream                                                                                         |
 * |    5 |    1 | kind: 0 rows (payload: JSON of several rows joined by ", "), 1 row (sort keys, payload), 2 group, 3 distinct value |
 * |    6 |    2 | cells                                                                                          |
 * |    8 |    4 | payload bytes; the payload is at the end of the record's used part: 16 + 16 cells + values     |
 * |   12 |    4 | kind 0: rows in the payload; kind 3: aggregate; else byte offset of the payload in the record  |
 * |   16 | 16 n | cells as parameters (program/parameters.ts); a ref is that of a copy inside the record; an integer |
 * |      |      | sum beyond 64 bits has type 255, words 0, 1 and 3 being its 96 bits                              |
 */

import { assert } from '../../base/assert.ts';
import { SqlError } from '../../base/errors.ts';
import { PAGE_BYTES } from '../../base/limits.ts';
import type { Memory } from '../../base/memory.ts';
import type { RegisterFile } from '../../base/registers.ts';
import type { TypeId } from '../../types/type.ts';
import { byteLengthOf, copyRun } from './bytes.ts';
import { loadCell, storeCell } from './cells.ts';
import { isSixteenBytes, kindOf, TEXT_KIND } from './value-column.ts';

export const RECORD_ROWS = 0;
export const RECORD_ROW = 1;
export const RECORD_GROUP = 2;
export const RECORD_DISTINCT = 3;

const HEADER_BYTES = 16;
const WIDE_INTEGER_TYPE = 255;
/** The first runs are single pages, which come from the thread's cache; the later ones are longer. */
const SINGLE_PAGE_RUNS = 4;
const LONG_RUN_PAGES = 16;

export class ResultWriter {
  private readonly memory: Memory;
  private inlineArena = 0;
  private inlineByte = 0;
  /** The area being filled: of the block or a run. */
  private arena = 0;
  private base = 0;
  private used = 0;
  private capacity = 0;
  private runPage = 0;
  private runCount = 0;
  private payloadBytes = 0;
  private payloadLimit = 0;
  private recordCount = 0;
  /** Byte offset in the arena of the record being written, and of the end of what it has. */
  private record = 0;
  private recordEnd = 0;

  constructor(memory: Memory) {
    this.memory = memory;
  }

  /**
   * Starts the results of a part: inline area of `inlineBytes` at `byte` of `arena`. More than `payloadLimit` bytes of
   * payload are the error limit_exceeded (`limit_send`).
   */
  begin(arena: number, byte: number, inlineBytes: number, payloadLimit: number): void {
    this.inlineArena = arena;
    this.inlineByte = byte;
    this.arena = arena;
    this.base = byte;
    this.used = HEADER_BYTES;
    this.capacity = inlineBytes;
    this.runPage = 0;
    this.runCount = 0;
    this.payloadBytes = 0;
    this.payloadLimit = payloadLimit;
    this.recordCount = 0;
    const words = this.memory.i32[arena];
    const word = byte >> 2;
    words[word] = HEADER_BYTES;
    words[word + 1] = 0;
    words[word + 2] = 0;
    words[word + 3] = 0;
  }

  /** Ends the results: they can be read. */
  finish(): void {
    this.closeArea();
    const words = this.memory.i32[this.inlineArena];
    words[(this.inlineByte >> 2) + 2] = this.payloadBytes;
    words[(this.inlineByte >> 2) + 3] = this.recordCount;
  }

  /** Gives up: frees all runs. */
  discard(): void {
    freeResults(this.memory, this.inlineArena, this.inlineByte);
  }

  /** A record with cells and no payload, whose cells follow by setCell, then endRecord. */
  beginRecord(stream: number, kind: number, cellCount: number, extra: number): void {
    // Room for the cells; values of cells grow it (copyIn).
    this.reserve(16 + cellCount * 16);
    const words = this.memory.i32[this.arena];
    const word = this.record >> 2;
    words[word + 1] = stream | (kind << 8) | (cellCount << 16);
    words[word + 2] = 0;
    words[word + 3] = extra;
  }

  /** Cell of the record: the value of a register, or NULL. */
  setCell(cell: number, registers: RegisterFile, register: number, isNull: number, type: TypeId): void {
    if (isNull === 0 && kindOf(type) >= TEXT_KIND) this.copyIn(registers, register, type);
    storeCell(registers, register, type, isNull, this.memory, this.arena, (this.record >> 2) + 4 + cell * 4);
  }

  /** Cell of the record: an integer of up to 96 bits. */
  setWideInteger(cell: number, value: bigint): void {
    const words = this.memory.i32[this.arena];
    const word = (this.record >> 2) + 4 + cell * 4;
    words[word] = Number(BigInt.asIntN(32, value));
    words[word + 1] = Number(BigInt.asIntN(32, value >> 32n));
    words[word + 2] = WIDE_INTEGER_TYPE;
    words[word + 3] = Number(BigInt.asIntN(32, value >> 64n));
  }

  /** Copies a text or the like behind the cells; the register then refers to the copy. */
  private copyIn(registers: RegisterFile, register: number, type: TypeId): void {
    const ref = registers.num[register];
    const byteCount = isSixteenBytes(kindOf(type)) ? 16 : byteLengthOf(this.memory, ref) + 4;
    const at = this.extend(byteCount);
    const copy = this.arena * 0x4000000 + at / 16;
    copyRun(this.memory, ref, copy, byteCount);
    registers.num[register] = copy;
  }

  endRecord(): void {
    const bytes = this.recordEnd - this.record;
    this.memory.i32[this.arena][this.record >> 2] = bytes;
    this.used += bytes;
    this.recordCount++;
  }

  /** Payload of the record begun: bytes[0, length). */
  setPayload(bytes: Uint8Array, length: number): void {
    this.countPayload(length);
    const at = this.extend(length);
    copyBytes(bytes, length, this.memory.u8[this.arena], at);
    const words = this.memory.i32[this.arena];
    const word = this.record >> 2;
    words[word + 2] = length;
    words[word + 3] = at - this.record;
  }

  /** A record of rows without keys: JSON of `rowCount` rows, joined. */
  addRows(stream: number, bytes: Uint8Array, length: number, rowCount: number): void {
    this.countPayload(length);
    this.reserve(16 + length);
    const words = this.memory.i32[this.arena];
    const word = this.record >> 2;
    words[word + 1] = stream;
    words[word + 2] = length;
    words[word + 3] = rowCount;
    copyBytes(bytes, length, this.memory.u8[this.arena], this.record + 16);
    this.endRecord();
  }

  private countPayload(byteCount: number): void {
    this.payloadBytes += byteCount;
    if (this.payloadBytes > this.payloadLimit) throw resultTooLarge(this.payloadLimit);
  }

  /** Starts a record with room for `byteCount` bytes. */
  private reserve(byteCount: number): void {
    const rounded = (byteCount + 15) & ~15;
    if (this.used + rounded > this.capacity) this.nextRun(rounded);
    this.record = this.base + this.used;
    this.recordEnd = this.record + rounded;
  }

  /** Makes the record longer; moves it into a new run where it must. Returns the byte offset of the new part. */
  private extend(byteCount: number): number {
    const rounded = (byteCount + 15) & ~15;
    const length = this.recordEnd - this.record;
    if (this.used + length + rounded > this.capacity) this.moveRecord(length, rounded);
    const at = this.recordEnd;
    this.recordEnd = at + rounded;
    return at;
  }

  private moveRecord(length: number, more: number): void {
    const oldArena = this.arena;
    const old = this.record;
    this.nextRun(length + more);
    this.record = this.base + this.used;
    this.recordEnd = this.record + length;
    this.memory.u8[this.arena].set(this.memory.u8[oldArena].subarray(old, old + length), this.record);
    // Refs of cells that lie in the record move with it.
    const words = this.memory.i32[this.arena];
    const word = this.record >> 2;
    const cellCount = words[word + 1] >>> 16;
    const shift = this.arena * 0x4000000 + this.record / 16 - (oldArena * 0x4000000 + old / 16);
    for (let cell = 0; cell < cellCount; cell++) {
      const at = word + 4 + cell * 4;
      const type = words[at + 2];
      if (type !== 0 && type !== WIDE_INTEGER_TYPE && kindOf(type as TypeId) >= TEXT_KIND) {
        // A cell not yet set holds what was in the page: it will be set.
        words[at] = ((words[at] >>> 0) + shift) | 0;
      }
    }
  }

  private nextRun(byteCount: number): void {
    const needed = Math.ceil((byteCount + HEADER_BYTES) / PAGE_BYTES);
    const pageCount = Math.max(needed, this.runCount < SINGLE_PAGE_RUNS ? 1 : LONG_RUN_PAGES);
    const page = this.memory.allocate(pageCount);
    const words = this.memory.i32[page >>> 16];
    const word = (page & 0xffff) << 12;
    words[word] = 0;
    words[word + 1] = pageCount;
    words[word + 2] = HEADER_BYTES;
    words[word + 3] = 0;
    this.closeArea();
    const previous = this.memory.i32[this.arena];
    if (this.runPage === 0) previous[(this.base >> 2) + 1] = page;
    else previous[this.base >> 2] = page;
    this.runPage = page;
    this.runCount++;
    this.arena = page >>> 16;
    this.base = (page & 0xffff) << 14;
    this.used = HEADER_BYTES;
    this.capacity = pageCount * PAGE_BYTES;
  }

  /** Stores how much of the area is used. */
  private closeArea(): void {
    this.memory.i32[this.arena][(this.base >> 2) + (this.runPage === 0 ? 0 : 2)] = this.used;
  }
}

export function resultTooLarge(limitBytes: number): SqlError {
  return new SqlError('limit_exceeded', `the result is larger than limit_send (${limitBytes} bytes)`);
}

function copyBytes(source: Uint8Array, length: number, target: Uint8Array, at: number): void {
  if (length <= 48) for (let i = 0; i < length; i++) target[at + i] = source[i];
  else target.set(length === source.length ? source : source.subarray(0, length), at);
}

/** Reads the records of one part, in order. One object is used for any number of parts. */
export class ResultReader {
  private readonly memory: Memory;
  /** Of the current record. */
  stream = 0;
  kind = 0;
  payloadBytes = 0;
  /** Kind 0: rows; kind 3: aggregate. */
  extra = 0;
  /** Where the payload lies: bytes payloadStart … + payloadBytes of memory.u8[arena]. */
  arena = 0;
  payloadStart = 0;
  private record = 0;
  private following = 0;
  private end = 0;
  private nextPage = 0;

  constructor(memory: Memory) {
    this.memory = memory;
  }

  /** Moves before the first record of the part whose inline area is there. */
  open(arena: number, byte: number): void {
    const words = this.memory.i32[arena];
    const word = byte >> 2;
    this.arena = arena;
    this.following = byte + HEADER_BYTES;
    this.end = byte + words[word];
    this.nextPage = words[word + 1];
  }

  /** To the next record; false at the end. */
  next(): boolean {
    while (this.following >= this.end) {
      if (this.nextPage === 0) return false;
      this.openRun(this.nextPage);
    }
    const words = this.memory.i32[this.arena];
    const word = this.following >> 2;
    const head = words[word + 1];
    this.record = this.following;
    this.following += words[word];
    assert(this.following > this.record && this.following <= this.end, 'a record lies in its area');
    this.stream = head & 255;
    this.kind = (head >>> 8) & 255;
    this.payloadBytes = words[word + 2];
    this.extra = words[word + 3];
    this.payloadStart = this.record + (this.kind === RECORD_ROWS ? 16 : this.extra);
    return true;
  }

  private openRun(page: number): void {
    const words = this.memory.i32[page >>> 16];
    const word = (page & 0xffff) << 12;
    this.arena = page >>> 16;
    this.following = ((page & 0xffff) << 14) + HEADER_BYTES;
    this.end = ((page & 0xffff) << 14) + words[word + 2];
    this.nextPage = words[word];
  }

  /** A cell of the record into a register (refs point into the record); returns its null flag. */
  loadCell(cell: number, registers: RegisterFile, register: number): number {
    return loadCell(registers, register, this.memory, this.arena, (this.record >> 2) + 4 + cell * 4);
  }

  isWideInteger(cell: number): boolean {
    return this.memory.i32[this.arena][(this.record >> 2) + 6 + cell * 4] === WIDE_INTEGER_TYPE;
  }

  /** An integer cell of up to 96 bits. */
  wideInteger(cell: number): bigint {
    const words = this.memory.i32[this.arena];
    const word = (this.record >> 2) + 4 + cell * 4;
    const low = BigInt(words[word] >>> 0);
    if (words[word + 2] !== WIDE_INTEGER_TYPE) return (BigInt(words[word + 1]) << 32n) | low;
    return (BigInt(words[word + 3]) << 64n) | (BigInt(words[word + 1] >>> 0) << 32n) | low;
  }
}

/** Frees the page runs of the part whose inline area is there. Thread safe; nobody may read the part any more. */
export function freeResults(memory: Memory, arena: number, byte: number): void {
  const words = memory.i32[arena];
  const word = byte >> 2;
  let page = words[word + 1];
  words[word] = HEADER_BYTES;
  words[word + 1] = 0;
  while (page !== 0) {
    const run = memory.i32[page >>> 16];
    const at = (page & 0xffff) << 12;
    const next = run[at];
    memory.free(page, run[at + 1]);
    page = next;
  }
}

/** Bytes of the records of the part whose inline area is there. */
export function resultBytes(memory: Memory, arena: number, byte: number): number {
  const words = memory.i32[arena];
  const word = byte >> 2;
  let bytes = words[word] - HEADER_BYTES;
  for (let page = words[word + 1]; page !== 0; ) {
    const run = memory.i32[page >>> 16];
    const at = (page & 0xffff) << 12;
    bytes += run[at + 2] - HEADER_BYTES;
    page = run[at];
  }
  return bytes;
}
