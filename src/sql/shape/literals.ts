/**
 * Reading one constant into a Constants array. Each function takes the position of the constant's first byte and returns
 * the position behind it, or -1 when it is malformed: the parser then reports the error.
 */
import { skipJsonSpace } from '../../types/json/parse.ts';
import { NUMBER_TOO_LARGE, numberKind, scanNumber } from '../../types/number-text.ts';
import { isDigit, isWordByte } from '../lexer/characters.ts';
import { PARAMETER_INDEX_MAX } from '../lexer/lexer.ts';
import { INT64_LIMIT, numberEnd, parseDouble, parseInteger } from '../lexer/number.ts';
import { readUnicodeEscape } from '../lexer/text.ts';
import type { Constants } from './constants.ts';

/** Whether the bytes at `at` begin a number: a digit, or a `.` with a digit behind it. */
export function startsNumber(bytes: Uint8Array, at: number, end: number): boolean {
  if (at >= end) return false;
  const byte = bytes[at]!;
  return isDigit(byte) || (byte === 46 && at + 1 < end && isDigit(bytes[at + 1]!));
}

/** A number without a sign, at a digit or a `.` with a digit behind it. */
export function readNumber(bytes: Uint8Array, at: number, end: number, into: Constants): number {
  const start = at;
  let value = 0;
  while (at < end) {
    const digit = bytes[at]! - 48;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
    at++;
  }
  if (at < end) {
    const next = bytes[at]!;
    if (next === 46 || (next | 32) === 101) {
      const after = readDouble(bytes, start, at, end, into);
      if (after !== 0) return after;
    }
    if (isWordByte(next)) return -1;
  }
  if (at - start <= 15) {
    into.add(1 /* int */, value, start, at, 0);
    return at;
  }
  return readLongInteger(bytes, start, at, false, into);
}

/** A number with a minus directly before it; `at` is that of the minus. */
export function readNegativeNumber(bytes: Uint8Array, at: number, end: number, into: Constants): number {
  const after = readNumber(bytes, at + 1, end, into);
  if (after >= 0) {
    const index = into.count - 1;
    into.start[index] = at;
    const value = into.number[index]!;
    if (into.kind[index] === 2 /* double */) into.number[index] = -value;
    else if (!Number.isNaN(value)) into.number[index] = 0 - value;
    else into.big[index] = -into.big[index]!;
    return after;
  }
  // The one integer that has no positive counterpart.
  const digitsEnd = Math.abs(numberEnd(bytes, at + 1, end));
  if (digitsEnd < end && isWordByte(bytes[digitsEnd]!)) return -1;
  if (numberEnd(bytes, at + 1, end) < 0) return -1;
  return readLongInteger(bytes, at + 1, digitsEnd, true, into);
}

/** An integer of 16 digits or more. */
function readLongInteger(bytes: Uint8Array, start: number, end: number, isMinimum: boolean, into: Constants): number {
  const value = parseInteger(bytes, start, end);
  if (value === undefined || (value === INT64_LIMIT) !== isMinimum) return -1;
  if (value <= BigInt(Number.MAX_SAFE_INTEGER)) {
    into.add(1 /* int */, Number(value), start, end, 0);
    return end;
  }
  const index = into.add(1 /* int */, Number.NaN, isMinimum ? start - 1 : start, end, 0);
  into.big[index] = isMinimum ? -value : value;
  return end;
}

/** A double whose whole digits end at `at`; 0 when there is no fraction and no exponent after all. */
function readDouble(bytes: Uint8Array, start: number, at: number, end: number, into: Constants): number {
  const signedEnd = numberEnd(bytes, start, end);
  if (signedEnd > 0) return at === signedEnd ? 0 : -1;
  const after = -signedEnd;
  if (after < end && isWordByte(bytes[after]!)) return -1;
  const value = parseDouble(bytes, start, after);
  if (value === Infinity) return -1;
  into.add(2 /* double */, value, start, after, 0);
  return after;
}

/**
 * An array of numbers that is JSON as it stands, at its bracket: the cell is its text. Whatever else an array can hold is left
 * to the parser.
 */
export function readNumbers(bytes: Uint8Array, at: number, end: number, into: Constants): number {
  const start = at;
  at = skipJsonSpace(bytes, at + 1, end);
  if (at < end && bytes[at] === 93) {
    into.add(8 /* array of numbers */, 0, start, at + 1, 0);
    return at + 1;
  }
  while (at < end) {
    at = scanNumber(bytes, at, end);
    if (at < 0 || numberKind === NUMBER_TOO_LARGE) return -1;
    at = skipJsonSpace(bytes, at, end);
    const byte = at < end ? bytes[at] : 0;
    if (byte === 93) {
      into.add(8 /* array of numbers */, 0, start, at + 1, 0);
      return at + 1;
    }
    if (byte !== 44) return -1;
    at = skipJsonSpace(bytes, at + 1, end);
  }
  return -1;
}

/** A text, at its opening quote. */
export function readText(bytes: Uint8Array, at: number, end: number, into: Constants): number {
  const after = textEnd(bytes, at, end);
  if (after === -1) return -1;
  if (after < -1) {
    into.add(3 /* text */, 0, at + 1, -after - 1, 1);
    return -after;
  }
  into.add(3 /* text */, 0, at + 1, after - 1, 0);
  return after;
}

/** The position behind the text whose opening quote is at `at`, negated where it has escapes; -1 when it is malformed. */
export function textEnd(bytes: Uint8Array, at: number, end: number): number {
  const delimiter = bytes[at]!;
  at++;
  while (at < end) {
    const byte = bytes[at]!;
    if (byte === delimiter) {
      at++;
      if (at >= end || bytes[at] !== delimiter) return at;
      return escapedTextEnd(bytes, at - 1, end, delimiter);
    }
    if (byte === 92) return escapedTextEnd(bytes, at, end, delimiter);
    at++;
  }
  return -1;
}

/** The rest of textEnd, from the first escape or doubled delimiter. */
function escapedTextEnd(bytes: Uint8Array, at: number, end: number, delimiter: number): number {
  while (at < end) {
    const byte = bytes[at]!;
    if (byte === delimiter) {
      if (at + 1 >= end || bytes[at + 1] !== delimiter) return -(at + 1);
      at += 2;
    } else if (byte !== 92) at++;
    else if (at + 1 < end && bytes[at + 1] === 117 /* u */) {
      const codePoint = readUnicodeEscape(bytes, at, end);
      if (codePoint < 0) return -1;
      at += codePoint > 0xffff ? 12 : 6;
    } else at += 2;
  }
  return -1;
}

/** `$n`. */
export function readParameter(bytes: Uint8Array, at: number, end: number, into: Constants): number {
  const after = parameterEnd(bytes, at, end);
  if (after < 0) return -1;
  let index = 0;
  for (let digit = at + 1; digit < after; digit++) index = index * 10 + bytes[digit]! - 48;
  into.add(7 /* $n */, index, at, after, 0);
  return after;
}

/** The position behind the `$n` at `at`, or -1 when it is none, or not from 1 to PARAMETER_INDEX_MAX. */
export function parameterEnd(bytes: Uint8Array, at: number, end: number): number {
  let index = 0;
  at++;
  const start = at;
  while (at < end && isDigit(bytes[at]!)) {
    index = index * 10 + bytes[at]! - 48;
    at++;
  }
  if (at === start || index < 1 || index > PARAMETER_INDEX_MAX) return -1;
  return at < end && isWordByte(bytes[at]!) ? -1 : at;
}
