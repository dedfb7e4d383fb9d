/**
 * LIKE on UTF-8 bytes: `%` any characters, `_` one character, backslash takes the next character as it is. Greedy with one
 * point to come back to, the last `%`: linear in practice, never worse than text length times pattern length.
 */

import { SqlError } from '../base/errors.ts';

const PERCENT = 37;
const UNDERSCORE = 95;
const BACKSLASH = 92;

/**
 * True if text[textStart, textEnd) matches pattern[patternStart, patternEnd); both valid UTF-8. Throws invalid_value for a
 * pattern that ends in a lone backslash.
 */
export function matchesLike(
  text: Uint8Array,
  textStart: number,
  textEnd: number,
  pattern: Uint8Array,
  patternStart: number,
  patternEnd: number,
): boolean {
  if (endsInEscape(pattern, patternStart, patternEnd)) {
    throw new SqlError('invalid_value', 'the LIKE pattern must not end with its escape character');
  }
  let t = textStart;
  let p = patternStart;
  /** Behind the last `%`, and the text position that is tried for what follows it. */
  let retryPattern = -1;
  let retryText = 0;
  for (;;) {
    const symbol = p < patternEnd ? pattern[p]! : -1;
    if (symbol === PERCENT) {
      retryPattern = ++p;
      retryText = t;
      if (p === patternEnd) return true;
      continue;
    }
    if (t >= textEnd) return symbol < 0;
    if (symbol === UNDERSCORE) {
      t = nextCharacter(text, t, textEnd);
      p++;
      continue;
    }
    if (symbol >= 0) {
      const literal = symbol === BACKSLASH ? pattern[p + 1]! : symbol;
      if (text[t] === literal) {
        t++;
        p += symbol === BACKSLASH ? 2 : 1;
        continue;
      }
    }
    if (retryPattern < 0) return false;
    const wanted = retryPattern < patternEnd ? pattern[retryPattern]! : -1;
    if (wanted === UNDERSCORE || wanted === BACKSLASH) retryText = nextCharacter(text, retryText, textEnd);
    else {
      // What follows the % starts with this byte, which is the first of a character: only there can it match.
      retryText++;
      while (retryText < textEnd && text[retryText] !== wanted) retryText++;
    }
    t = retryText;
    p = retryPattern;
  }
}

function nextCharacter(text: Uint8Array, at: number, end: number): number {
  at++;
  while (at < end && (text[at]! & 0xc0) === 0x80) at++;
  return at;
}

/** An odd number of backslashes at the end. */
function endsInEscape(pattern: Uint8Array, start: number, end: number): boolean {
  let count = 0;
  while (end - count > start && pattern[end - count - 1] === BACKSLASH) count++;
  return (count & 1) === 1;
}

/**
 * The literal start of a pattern, for ranges of an index: its bytes without escapes, into `target`; gives their number. All
 * matches start with them. `isLikeExact` after it: nothing follows, so LIKE is `=`.
 */
export function likePrefix(pattern: Uint8Array, start: number, end: number, target: Uint8Array): number {
  let length = 0;
  let at = start;
  isLikeExact = true;
  while (at < end) {
    const symbol = pattern[at]!;
    if (symbol === PERCENT || symbol === UNDERSCORE) {
      isLikeExact = false;
      break;
    }
    if (symbol === BACKSLASH && at + 1 < end) at++;
    target[length++] = pattern[at++]!;
  }
  return length;
}

/** Whether the last likePrefix was the whole pattern. */
export let isLikeExact = false;
