/** Compiled patterns, kept by the bytes of pattern and flags: a pattern that changes from row to row costs a look-up. */

import { SqlError } from '../../base/errors.ts';
import { decodeUtf8, showText } from '../../types/utf8.ts';
import { LazyAutomaton } from './dfa.ts';
import { compilePattern, type PatternProgram } from './program.ts';
import { PatternSearch } from './search.ts';
import { parsePattern } from './syntax.ts';

/** Patterns kept by a thread; with their tables at most 16 MiB or so. */
const PATTERN_COUNT_MAX = 64;

export class Pattern {
  readonly program: PatternProgram;
  readonly automaton: LazyAutomaton;
  #search: PatternSearch | undefined;
  /** The bytes it was made of: pattern, then flags. */
  readonly key: Uint8Array;
  readonly patternLength: number;

  constructor(key: Uint8Array, patternLength: number) {
    this.key = key;
    this.patternLength = patternLength;
    const flags = decodeUtf8(key, patternLength, key.length);
    this.program = compilePattern(parsePattern(decodeUtf8(key, 0, patternLength), flags));
    this.automaton = new LazyAutomaton(this.program);
  }

  /** The matcher that finds positions. Throws SqlError. */
  get search(): PatternSearch {
    this.#search ??= new PatternSearch(this.program, this.automaton);
    return this.#search;
  }

  /** Whether it was made of these bytes. */
  isOf(
    pattern: Uint8Array,
    patternStart: number,
    patternLength: number,
    flags: Uint8Array,
    flagsStart: number,
    flagsLength: number,
  ): boolean {
    const key = this.key;
    if (patternLength !== this.patternLength || patternLength + flagsLength !== key.length) return false;
    for (let i = 0; i < patternLength; i++) if (key[i] !== pattern[patternStart + i]) return false;
    for (let i = 0; i < flagsLength; i++) if (key[patternLength + i] !== flags[flagsStart + i]) return false;
    return true;
  }
}

const kept = new Map<number, Pattern>();
let latest: Pattern | undefined;

/**
 * The pattern of those bytes, in a thread's cache. Errors name the function `name`: invalid_value for a bad pattern, with
 * the place, and for flags that are not letters of `allowedFlags`.
 */
export function patternOf(
  name: string,
  allowedFlags: string,
  pattern: Uint8Array,
  patternStart: number,
  patternLength: number,
  flags: Uint8Array,
  flagsStart: number,
  flagsLength: number,
): Pattern {
  if (latest?.isOf(pattern, patternStart, patternLength, flags, flagsStart, flagsLength)) return latest;
  let hash = patternLength;
  for (let i = 0; i < patternLength; i++) hash = Math.imul(hash ^ pattern[patternStart + i], 0x01000193);
  for (let i = 0; i < flagsLength; i++) hash = Math.imul(hash ^ flags[flagsStart + i], 0x01000193);
  let found = kept.get(hash);
  if (found === undefined || !found.isOf(pattern, patternStart, patternLength, flags, flagsStart, flagsLength)) {
    const key = new Uint8Array(patternLength + flagsLength);
    key.set(pattern.subarray(patternStart, patternStart + patternLength));
    key.set(flags.subarray(flagsStart, flagsStart + flagsLength), patternLength);
    found = compile(name, key, patternLength);
    // The oldest one goes.
    if (kept.size >= PATTERN_COUNT_MAX && !kept.has(hash)) kept.delete(kept.keys().next().value!);
    kept.set(hash, found);
  }
  // A pattern that regexp_replace has compiled may have a flag that the others do not take.
  for (let i = found.patternLength; i < found.key.length; i++) {
    const flag = String.fromCharCode(found.key[i]);
    if (!allowedFlags.includes(flag)) {
      throw new SqlError('invalid_value', `${name}: unknown flag ${showText(found.key, i, found.key.length)}`);
    }
  }
  latest = flagsLength > 0 && allowedFlags !== COMMON_FLAGS ? undefined : found;
  return found;
}

/** Other cases too, lines, `.` takes a newline. */
export const COMMON_FLAGS = 'ims';

function compile(name: string, key: Uint8Array, patternLength: number): Pattern {
  try {
    return new Pattern(key, patternLength);
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    throw new SqlError(error.code, `${name}: bad pattern ${showText(key, 0, patternLength)}: ${error.message}`);
  }
}
