/**
 * Number constants: integers of 64 bits and doubles, from their digits.
 */
import { isDigit } from './characters.ts';

/** 2^63: only with a minus directly before it is it an integer of 64 bits. */
export const INT64_LIMIT: bigint = 1n << 63n;

/** Powers of ten that a double holds exactly. */
const POWERS_OF_TEN: Float64Array = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/**
 * The position behind the number at `at` (which begins with a digit, or with `.` and a digit), negated when it is a double.
 * What follows is not looked at.
 */
export function numberEnd(bytes: Uint8Array, at: number, end: number): number {
  let isDouble = false;
  while (at < end && isDigit(bytes[at]!)) at++;
  if (at + 1 < end && bytes[at] === 46 && isDigit(bytes[at + 1]!)) {
    isDouble = true;
    at += 2;
    while (at < end && isDigit(bytes[at]!)) at++;
  }
  if (at < end && (bytes[at]! | 32) === 101 /* e */) {
    let digits = at + 1;
    if (digits < end && (bytes[digits] === 43 || bytes[digits] === 45)) digits++;
    if (digits < end && isDigit(bytes[digits]!)) {
      isDouble = true;
      while (digits < end && isDigit(bytes[digits]!)) digits++;
      at = digits;
    }
  }
  return isDouble ? -at : at;
}

/** The double written from `start` to `end`, without a sign; Infinity when it is too large. */
export function parseDouble(bytes: Uint8Array, start: number, end: number): number {
  // Up to 15 digits and a power of ten up to 22 are exact in a double, so that one operation rounds correctly.
  let mantissa = 0;
  let digitCount = 0;
  let fractionDigits = 0;
  let at = start;
  let isFraction = false;
  for (; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === 46) isFraction = true;
    else if (byte >= 48 && byte <= 57) {
      mantissa = mantissa * 10 + byte - 48;
      if (mantissa !== 0) digitCount++;
      if (isFraction) fractionDigits++;
    } else break;
  }
  if (at === end && digitCount <= 15 && fractionDigits <= 22) return mantissa / POWERS_OF_TEN[fractionDigits]!;
  return Number(ascii(bytes, start, end));
}

/** The integer written from `start` to `end`, without a sign; undefined when it is larger than 2^63. */
export function parseInteger(bytes: Uint8Array, start: number, end: number): bigint | undefined {
  while (start < end - 1 && bytes[start] === 48) start++;
  if (end - start > 19) return undefined;
  const value = BigInt(ascii(bytes, start, end));
  return value <= INT64_LIMIT ? value : undefined;
}

function ascii(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
}
