/**
 * Patterns as programs over UTF-8 bytes: a non-deterministic automaton whose steps take one byte. Both matchers run it: the
 * lazy automaton of dfa.ts says whether there is a match, the lists of threads of search.ts say where.
 *
 * | instruction | operands               | meaning                                                                      |
 * | ----------- | ---------------------- | ---------------------------------------------------------------------------- |
 * | BYTES       | first, count           | takes a byte that one of these ranges has, and goes on where that range says |
 * | SPLIT       | preferred, other       | goes on at both; the first is preferred                                      |
 * | PLACE       | next, place            | goes on where the place (syntax.ts) is such                                  |
 * | SAVE        | next, slot             | notes the position: slot 2 * group where it starts, + 1 where it ends        |
 * | MATCH       |                        | the whole pattern has matched                                                |
 */

import { SqlError } from '../../base/errors.ts';
import type { CodePointSet } from './code-points.ts';
import { LINE_END, LINE_START, type PatternNode, type PatternTree, TEXT_START } from './syntax.ts';

export const BYTES = 0;
export const SPLIT = 1;
export const PLACE = 2;
export const SAVE = 3;
export const MATCH = 4;

/** Instructions of a program; patterns that need more are refused. A step costs at most so many instructions. */
const INSTRUCTION_COUNT_MAX = 10_000;

export type PatternProgram = {
  readonly operation: Uint8Array;
  readonly first: Int32Array;
  readonly second: Int32Array;
  /** Ranges of bytes: low, high, next instruction. */
  readonly ranges: Int32Array;
  readonly start: number;
  readonly groupCount: number;
  readonly groupNames: ReadonlyMap<string, number>;
  /** Every match starts where the text does. */
  readonly isAnchored: boolean;
  readonly asksForLines: boolean;
  readonly asksForWords: boolean;
  readonly asksForStart: boolean;
};

/** Throws SqlError invalid_value for a pattern that is too large. */
export function compilePattern(tree: PatternTree): PatternProgram {
  return new ProgramBuilder().build(tree);
}

/** A piece of the automaton of a set of characters: ranges of bytes that lead on, sorted. */
type ByteRange = { readonly low: number; readonly high: number; readonly next: number };
type Sequence = readonly (readonly [low: number, high: number])[];

class ProgramBuilder {
  private readonly operation: number[] = [];
  private readonly first: number[] = [];
  private readonly second: number[] = [];
  private readonly ranges: number[] = [];
  private readonly places = new Set<number>();

  build(tree: PatternTree): PatternProgram {
    const end = this.emit(MATCH, 0, 0);
    const start = this.group(0, tree.root, end);
    return {
      operation: Uint8Array.from(this.operation),
      first: Int32Array.from(this.first),
      second: Int32Array.from(this.second),
      ranges: Int32Array.from(this.ranges),
      start,
      groupCount: tree.groupCount,
      groupNames: tree.groupNames,
      isAnchored: startsAtTextStart(tree.root),
      asksForLines: this.places.has(LINE_START) || this.places.has(LINE_END),
      asksForWords: [...this.places].some((place) => place > LINE_END),
      asksForStart: this.places.has(TEXT_START) || this.places.has(LINE_START),
    };
  }

  private emit(operation: number, first: number, second: number): number {
    if (this.operation.length >= INSTRUCTION_COUNT_MAX) throw new SqlError('invalid_value', 'the pattern is too large');
    this.operation.push(operation);
    this.first.push(first);
    this.second.push(second);
    return this.operation.length - 1;
  }

  private group(index: number, part: PatternNode, next: number): number {
    return this.emit(SAVE, this.compile(part, this.emit(SAVE, next, index * 2 + 1)), index * 2);
  }

  /** Code for the node, which goes on at instruction `next`; gives its first instruction. */
  private compile(node: PatternNode, next: number): number {
    switch (node.kind) {
      case 'set':
        return this.set(node.set, next);
      case 'sequence':
        return node.parts.reduceRight((after, part) => this.compile(part, after), next);
      case 'choice': {
        const starts = node.parts.map((part) => this.compile(part, next));
        return starts.reduceRight((other, preferred) => this.emit(SPLIT, preferred, other));
      }
      case 'group':
        return this.group(node.index, node.part, next);
      case 'place':
        this.places.add(node.place);
        return this.emit(PLACE, next, node.place);
      case 'repeat':
        return this.repeat(node, next);
    }
  }

  private repeat(node: PatternNode & { kind: 'repeat' }, next: number): number {
    const { part, least, most, isGreedy } = node;
    let at = next;
    let required = least;
    if (most === Number.POSITIVE_INFINITY) {
      const loop = this.emit(SPLIT, 0, 0);
      const body = this.compile(part, loop);
      this.first[loop] = isGreedy ? body : next;
      this.second[loop] = isGreedy ? next : body;
      // x{2,} is x x*; with one required copy the loop is entered through its body.
      at = least > 0 ? body : loop;
      required = Math.max(least - 1, 0);
    } else {
      for (let i = least; i < most; i++) {
        const body = this.compile(part, at);
        at = isGreedy ? this.emit(SPLIT, body, next) : this.emit(SPLIT, next, body);
      }
    }
    for (let i = 0; i < required; i++) at = this.compile(part, at);
    return at;
  }

  /** A set of characters as the smallest automaton over the bytes of their UTF-8. */
  private set(set: CodePointSet, next: number): number {
    const sequences: Sequence[] = [];
    for (let i = 0; i < set.length; i += 2) addSequences(set[i], set[i + 1], sequences);
    return this.sequences(sequences, 0, next, new Map());
  }

  private sequences(sequences: readonly Sequence[], depth: number, next: number, known: Map<string, number>): number {
    const ranges: ByteRange[] = [];
    for (let i = 0; i < sequences.length; ) {
      const [low, high] = sequences[i][depth];
      let end = i + 1;
      while (end < sequences.length && sequences[end][depth][0] === low) end++;
      const isLast = sequences[i].length === depth + 1;
      const target = isLast ? next : this.sequences(sequences.slice(i, end), depth + 1, next, known);
      const before = ranges.at(-1);
      if (before !== undefined && before.next === target && before.high + 1 === low) {
        ranges[ranges.length - 1] = { ...before, high };
      } else ranges.push({ low, high, next: target });
      i = end;
    }
    // Equal ends of sequences are one: the sets of large alphabets stay small.
    const key = ranges.map((range) => `${range.low}-${range.high}>${range.next}`).join();
    const earlier = known.get(key);
    if (earlier !== undefined) return earlier;
    const at = this.emit(BYTES, this.ranges.length / 3, ranges.length);
    for (const range of ranges) this.ranges.push(range.low, range.high, range.next);
    known.set(key, at);
    return at;
  }
}

/** Adds the sequences of byte ranges that are the UTF-8 of the code points low … high, in their order. */
function addSequences(low: number, high: number, sequences: Sequence[]): void {
  for (const last of [0x7f, 0x7ff, 0xffff]) {
    if (low <= last && last < high) {
      addSequences(low, last, sequences);
      addSequences(last + 1, high, sequences);
      return;
    }
  }
  if (high <= 0x7f) {
    sequences.push([[low, high]]);
    return;
  }
  // Where the ends differ above the last n * 6 bits, the last n bytes must run over all their values.
  for (let bits = 6; bits <= 18; bits += 6) {
    const mask = (1 << bits) - 1;
    if (low >> bits === high >> bits) continue;
    if ((low & mask) !== 0) {
      addSequences(low, low | mask, sequences);
      addSequences((low | mask) + 1, high, sequences);
      return;
    }
    if ((high & mask) !== mask) {
      addSequences(low, (high & ~mask) - 1, sequences);
      addSequences(high & ~mask, high, sequences);
      return;
    }
  }
  const from = utf8(low);
  const to = utf8(high);
  sequences.push(from.map((byte, index) => [byte, to[index]] as const));
}

function utf8(codePoint: number): number[] {
  if (codePoint <= 0x7ff) return [0xc0 | (codePoint >> 6), 0x80 | (codePoint & 63)];
  if (codePoint <= 0xffff) return [0xe0 | (codePoint >> 12), 0x80 | ((codePoint >> 6) & 63), 0x80 | (codePoint & 63)];
  return [
    0xf0 | (codePoint >> 18),
    0x80 | ((codePoint >> 12) & 63),
    0x80 | ((codePoint >> 6) & 63),
    0x80 | (codePoint & 63),
  ];
}

function startsAtTextStart(node: PatternNode): boolean {
  switch (node.kind) {
    case 'place':
      return node.place === TEXT_START;
    case 'sequence':
      return node.parts.length > 0 && startsAtTextStart(node.parts[0]);
    case 'choice':
      return node.parts.every(startsAtTextStart);
    case 'group':
      return startsAtTextStart(node.part);
    case 'repeat':
      return node.least > 0 && startsAtTextStart(node.part);
    case 'set':
      return false;
  }
}
