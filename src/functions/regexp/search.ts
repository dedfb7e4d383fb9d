/**
 * Where a text matches, and its groups. Short texts are tried way by way (backtrack.ts); others by lists of threads that run
 * the program together, one byte after the other, in the order in which a backtracking matcher would try them (the machine
 * of Pike). The first match from the left counts, and of those that start there the one that is tried first. Time: bytes
 * times instructions, whatever the pattern.
 */

import { SqlError } from '../../base/errors.ts';
import { Backtracker } from './backtrack.ts';
import { AT_START, flagsOf, isPlace, type LazyAutomaton } from './dfa.ts';
import { MATCH, type PatternProgram } from './program.ts';

/** Bytes that the searches of one call may read in all, for each byte of the text and on top. */
const READ_FACTOR_MAX = 64;
const READ_BYTES_FREE = 1 << 22;

/** Positions that all threads of a program may save: two lists of 4 MiB. */
const SAVED_COUNT_MAX = 1 << 20;

/** Threads at one position, most preferred first: instructions, and the positions that each has saved. */
type ThreadList = { readonly instructions: Int32Array; readonly saved: Int32Array; length: number };

export class PatternSearch {
  private readonly program: PatternProgram;
  private readonly automaton: LazyAutomaton;
  private readonly backtracker: Backtracker;
  /** Positions of the last match: of group g at 2g and 2g + 1; -1 where the group took no part. */
  readonly slots: Int32Array;
  private readonly slotCount: number;
  private current: ThreadList;
  private following: ThreadList;
  private readonly marks: Int32Array;
  private mark = 0;
  /** Instructions to follow, or ~slot with the position to put back. */
  private readonly stack: Int32Array;
  private readonly working: Int32Array;
  private readByteCount = 0;

  /** Throws invalid_value for a pattern with too many groups for its size. */
  constructor(program: PatternProgram, automaton: LazyAutomaton) {
    this.program = program;
    this.automaton = automaton;
    this.slotCount = (program.groupCount + 1) * 2;
    this.slots = new Int32Array(this.slotCount);
    this.working = new Int32Array(this.slotCount);
    this.backtracker = new Backtracker(program, this.slots);
    const count = program.operation.length;
    if (count * this.slotCount > SAVED_COUNT_MAX)
      throw new SqlError('invalid_value', 'a regular expression is too large: too many groups');
    const listOf = (): ThreadList => ({
      instructions: new Int32Array(count),
      saved: new Int32Array(count * this.slotCount),
      length: 0,
    });
    this.current = listOf();
    this.following = listOf();
    this.marks = new Int32Array(count);
    this.stack = new Int32Array(count * 4 + 4);
  }

  /** Starts counting what the searches of a call read. */
  beginCall(): void {
    this.readByteCount = 0;
  }

  /**
   * Finds the first match in bytes[from, end) of a text that starts at `start`, and leaves its positions in `slots`.
   * Throws limit_exceeded where many searches of a long text read it to its end again and again.
   */
  find(bytes: Uint8Array, start: number, from: number, end: number): boolean {
    if (!this.automaton.matches(bytes, start, from, end)) return false;
    if (this.backtracker.takes(end - from)) return this.backtracker.find(bytes, start, from, end);
    return this.findByThreads(bytes, start, from, end);
  }

  /** The same, for texts and programs of any size. */
  findByThreads(bytes: Uint8Array, start: number, from: number, end: number): boolean {
    const { program, slotCount } = this;
    const { operation, first, second, ranges } = program;
    let hasMatch = false;
    this.current.length = 0;
    let at = from;
    for (; ; at++) {
      const byte = at < end ? bytes[at] : -1;
      const before = at === start ? AT_START : flagsOf(bytes[at - 1]);
      this.nextMark();
      if (at === from) this.addStart(this.current, at, before, byte);
      if (this.current.length === 0 && (hasMatch || at >= end)) break;
      const { instructions, saved, length } = this.current;
      const following = this.following;
      following.length = 0;
      this.nextMark();
      const behind = at < end ? flagsOf(byte) : 0;
      const nextByte = at + 1 < end ? bytes[at + 1] : -1;
      for (let thread = 0; thread < length; thread++) {
        const instruction = instructions[thread];
        if (operation[instruction] === MATCH) {
          for (let slot = 0; slot < slotCount; slot++) this.slots[slot] = saved[thread * slotCount + slot];
          hasMatch = true;
          // Those behind it would be tried only if it failed.
          break;
        }
        const last = first[instruction] + second[instruction];
        for (let range = first[instruction]; range < last; range++) {
          if (byte < ranges[range * 3] || byte > ranges[range * 3 + 1]) continue;
          for (let slot = 0; slot < slotCount; slot++) this.working[slot] = saved[thread * slotCount + slot];
          this.add(following, ranges[range * 3 + 2], at + 1, behind, nextByte);
          break;
        }
      }
      if (at >= end) break;
      if (!hasMatch) this.addStart(following, at + 1, behind, nextByte);
      this.following = this.current;
      this.current = following;
    }
    this.countRead(at - from, end - start);
    return hasMatch;
  }

  private countRead(byteCount: number, textBytes: number): void {
    this.readByteCount += byteCount;
    if (this.readByteCount > READ_BYTES_FREE + textBytes * READ_FACTOR_MAX) {
      throw new SqlError('limit_exceeded', 'regexp_replace: the pattern reads the text too many times');
    }
  }

  private nextMark(): void {
    if (++this.mark === 0x7fffffff) {
      this.marks.fill(0);
      this.mark = 1;
    }
  }

  /** A match may start at the position: the last thread of the list. */
  private addStart(list: ThreadList, at: number, before: number, byte: number): void {
    const { isAnchored, start } = this.program;
    if (isAnchored ? (before & AT_START) === 0 : byte >= 0 && (byte & 0xc0) === 0x80) return;
    this.working.fill(-1);
    this.add(list, start, at, before, byte);
  }

  /** Adds a thread with the positions in `working`, followed up to where it waits for a byte or has matched. */
  private add(list: ThreadList, instruction: number, at: number, before: number, byte: number): void {
    const { operation, first, second } = this.program;
    const { marks, mark, stack, working, slotCount } = this;
    let depth = 0;
    stack[depth++] = instruction;
    while (depth > 0) {
      const next = stack[--depth];
      if (next < 0) {
        working[~next] = stack[--depth];
        continue;
      }
      if (marks[next] === mark) continue;
      marks[next] = mark;
      switch (operation[next]) {
        case 1: // SPLIT
          stack[depth++] = second[next];
          stack[depth++] = first[next];
          break;
        case 2: // PLACE
          if (isPlace(second[next], before, byte)) stack[depth++] = first[next];
          break;
        case 3: {
          // SAVE
          const slot = second[next];
          stack[depth++] = working[slot];
          stack[depth++] = ~slot;
          stack[depth++] = first[next];
          working[slot] = at;
          break;
        }
        default: {
          // BYTES, MATCH
          const thread = list.length++;
          list.instructions[thread] = next;
          for (let slot = 0; slot < slotCount; slot++) list.saved[thread * slotCount + slot] = working[slot];
        }
      }
    }
  }
}
