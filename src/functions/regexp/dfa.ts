/**
 * Whether a text matches: a deterministic automaton over bytes, made while it runs (lazy subset construction, as in RE2).
 * One table load a byte; a state that was not needed yet is made from the program's instructions.
 *
 * A state is a set of instructions that wait for the next byte, and what the byte before was, as far as the program asks
 * for that. Places (`^`, `$`, `\b`) are settled when the byte behind them is known, so a state keeps them unsettled; the end
 * of the text is one more symbol. A match may start wherever a character does: at every byte that does not continue one
 * the program's start joins the set.
 *
 * The table has 256 words a state: 0 not made yet, DEAD, MATCHED, or the index of the next state's first word. Those three
 * have their 256 words too, which lead to themselves. At
 * STATE_COUNT_MAX states all are forgotten and the run goes on from the one it is in: memory is bounded, and a byte costs
 * at most one pass over the program.
 */

import type { PatternProgram } from './program.ts';
import { WORD_BOUNDARY } from './syntax.ts';

/** States kept at most: 256 KiB of table. */
const STATE_COUNT_MAX = 256;

const DEAD = 256;
const MATCHED = 512;
/** Table words up to this one are no states. */
const SPECIAL = 512;
const FIRST_STATE = 768;

/** What the byte before a position is. */
export const AT_START = 1;
const AFTER_NEWLINE = 2;
const AFTER_WORD = 4;

/** In place of a byte: the end of the text. */
const END = -1;

export class LazyAutomaton {
  private readonly program: PatternProgram;
  private table: Int32Array = clearTable(new Int32Array(FIRST_STATE + 8 * 256));
  /** By state number: its instructions, what was before it, and whether it matches at the end (0 not known, 1 no, 2 yes). */
  private states: Int32Array[] = [];
  private before: number[] = [];
  private atEnd: number[] = [];
  private byKey = new Map<string, number>();
  private readonly starts: number[] = [0, 0, 0, 0, 0, 0, 0, 0];
  /** Which flags of a position the program can tell apart. */
  private readonly flagMask: number;
  /** Instructions met in the pass of the moment, in `list`; `mark` tells passes apart. */
  private readonly marks: Int32Array;
  private mark = 0;
  private readonly list: Int32Array;
  private listLength = 0;
  private readonly stack: Int32Array;
  private hasMatched = false;

  constructor(program: PatternProgram) {
    this.program = program;
    const count = program.operation.length;
    this.marks = new Int32Array(count);
    this.list = new Int32Array(count);
    this.stack = new Int32Array(count * 2 + 2);
    this.flagMask =
      (program.asksForStart || program.isAnchored ? AT_START : 0) |
      (program.asksForLines ? AFTER_NEWLINE : 0) |
      (program.asksForWords ? AFTER_WORD : 0);
  }

  /** Bytes of the tables. */
  get tableBytes(): number {
    return this.table.byteLength;
  }

  /** Whether bytes[from, end) has a match, of a text that starts at `start`; valid UTF-8. */
  matches(bytes: Uint8Array, start: number, from: number, end: number): boolean {
    let state = this.startState(from === start ? AT_START : flagsOf(bytes[from - 1]));
    let table = this.table;
    let at = from;
    while (at < end) {
      // Four bytes at a time, and a look at the end: words that are no states lead to themselves. 2.3 ns a byte, else 2.6.
      while (at + 4 <= end) {
        const next = table[table[table[table[state + bytes[at]] + bytes[at + 1]] + bytes[at + 2]] + bytes[at + 3]];
        if (next <= SPECIAL) {
          if (next !== 0) return next === MATCHED;
          break;
        }
        state = next;
        at += 4;
      }
      if (at === end) break;
      let next = table[state + bytes[at]];
      if (next <= SPECIAL) {
        if (next === 0) {
          next = this.transition(state, bytes[at]);
          table = this.table;
        }
        if (next <= SPECIAL) return next === MATCHED;
      }
      state = next;
      at++;
    }
    return this.matchesAtEnd(state);
  }

  private startState(flags: number): number {
    const masked = flags & this.flagMask;
    let state = this.starts[masked];
    if (state === 0) {
      state = this.stateOf([], masked);
      this.starts[masked] = state;
    }
    return state;
  }

  private matchesAtEnd(state: number): boolean {
    const number = (state - FIRST_STATE) >> 8;
    if (this.atEnd[number] === 0) {
      this.settle(number, END);
      this.atEnd[number] = this.hasMatched ? 2 : 1;
    }
    return this.atEnd[number] === 2;
  }

  /** The table's word for a state and a byte; it is made, and so may be the table. */
  private transition(state: number, byte: number): number {
    const { first, second, ranges, isAnchored } = this.program;
    const number = (state - FIRST_STATE) >> 8;
    this.settle(number, byte);
    let next = MATCHED;
    if (!this.hasMatched) {
      // The settled instructions step over the byte; what they lead to is followed up to places.
      const waiting = this.list.slice(0, this.listLength);
      this.beginPass();
      for (const instruction of waiting) {
        const end = first[instruction] + second[instruction];
        for (let range = first[instruction]; range < end; range++) {
          if (byte >= ranges[range * 3] && byte <= ranges[range * 3 + 1]) {
            this.follow(ranges[range * 3 + 2], -1, END);
            break;
          }
        }
      }
      if (!this.hasMatched) {
        if (this.listLength === 0 && isAnchored) next = DEAD;
        else {
          const instructions = [...this.list.subarray(0, this.listLength)];
          if (this.states.length === STATE_COUNT_MAX) {
            this.forget();
            // The state that the byte was read in is gone, and nothing is noted of it.
            return this.stateOf(instructions, flagsOf(byte) & this.flagMask);
          }
          next = this.stateOf(instructions, flagsOf(byte) & this.flagMask);
        }
      }
    }
    this.table[state + byte] = next;
    return next;
  }

  /** Leaves in `list` the instructions of the state that wait for a byte, now that the next byte is known. */
  private settle(number: number, byte: number): void {
    const { start, isAnchored } = this.program;
    const before = this.before[number];
    this.beginPass();
    for (const instruction of this.states[number]) this.follow(instruction, before, byte);
    const mayStart = isAnchored ? (before & AT_START) !== 0 : byte === END || (byte & 0xc0) !== 0x80;
    if (mayStart) this.follow(start, before, byte);
  }

  private beginPass(): void {
    if (++this.mark === 0x7fffffff) {
      this.marks.fill(0);
      this.mark = 1;
    }
    this.listLength = 0;
    this.hasMatched = false;
  }

  /**
   * Adds to `list` what an instruction leads to without a byte. `before` < 0: places stay in the list, unsettled; else they
   * are settled by what is before the position and by the byte behind it.
   */
  private follow(instruction: number, before: number, byte: number): void {
    const { operation, first, second } = this.program;
    const { marks, mark, list, stack } = this;
    let depth = 0;
    stack[depth++] = instruction;
    while (depth > 0) {
      const at = stack[--depth];
      if (marks[at] === mark) continue;
      marks[at] = mark;
      switch (operation[at]) {
        case 1: // SPLIT
          stack[depth++] = second[at];
          stack[depth++] = first[at];
          break;
        case 3: // SAVE
          stack[depth++] = first[at];
          break;
        case 2: // PLACE
          if (before < 0) list[this.listLength++] = at;
          else if (isPlace(second[at], before, byte)) stack[depth++] = first[at];
          break;
        case 4: // MATCH
          this.hasMatched = true;
          break;
        default: // BYTES
          list[this.listLength++] = at;
      }
    }
  }

  /** The index of the state's first word in the table. The state is made if it is not there. */
  private stateOf(instructions: number[], before: number): number {
    instructions.sort((a, b) => a - b);
    const key = String.fromCharCode(before, ...instructions);
    const known = this.byKey.get(key);
    if (known !== undefined) return known;
    const state = FIRST_STATE + this.states.length * 256;
    if (state + 256 > this.table.length) {
      const grown = new Int32Array(Math.min(this.table.length * 2, FIRST_STATE + STATE_COUNT_MAX * 256));
      grown.set(this.table);
      this.table = grown;
    }
    this.states.push(Int32Array.from(instructions));
    this.before.push(before);
    this.atEnd.push(0);
    this.byKey.set(key, state);
    return state;
  }

  private forget(): void {
    clearTable(this.table);
    this.states = [];
    this.before = [];
    this.atEnd = [];
    this.byKey = new Map();
    this.starts.fill(0);
  }
}

/** Nothing is known but that DEAD and MATCHED stay what they are. */
function clearTable(table: Int32Array): Int32Array {
  return table
    .fill(0)
    .fill(DEAD, DEAD, DEAD + 256)
    .fill(MATCHED, MATCHED, MATCHED + 256);
}

/** The flags of a position behind a byte. */
export function flagsOf(byte: number): number {
  return byte === 10 ? AFTER_NEWLINE : isWordByte(byte) ? AFTER_WORD : 0;
}

function isWordByte(byte: number): boolean {
  return (byte >= 97 && byte <= 122) || (byte >= 65 && byte <= 90) || (byte >= 48 && byte <= 57) || byte === 95;
}

/** Whether a position is such a place: flags of what is before it, and the byte behind it, or -1 at the end of the text. */
export function isPlace(place: number, before: number, byte: number): boolean {
  switch (place) {
    case 1: // TEXT_START
      return (before & AT_START) !== 0;
    case 2: // TEXT_END
      return byte === END;
    case 3: // LINE_START
      return (before & (AT_START | AFTER_NEWLINE)) !== 0;
    case 4: // LINE_END
      return byte === END || byte === 10;
    default: {
      const isBoundary = ((before & AFTER_WORD) !== 0) !== isWordByte(byte);
      return isBoundary === (place === WORD_BOUNDARY);
    }
  }
}
