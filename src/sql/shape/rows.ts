/**
 * Rows of VALUES lists whose cells are all literal.
 */
import { classOf, isWordByte, skipSpace } from '../lexer/characters.ts';
import type { Constants } from './constants.ts';
import { readNegativeNumber, readNumber, readNumbers, readParameter, readText, startsNumber } from './literals.ts';
import { wordNumber } from './words.ts';

/** Reads the cells of a row from behind its parenthesis. The position behind the row, or -1 when a cell is not literal. */
export function readRow(bytes: Uint8Array, at: number, end: number, cells: Constants): number {
  at = skipSpace(bytes, at, end);
  if (at < 0 || at >= end) return -1;
  if (bytes[at] === 41) return at + 1;
  for (;;) {
    at = readCell(bytes, at, end, cells);
    if (at < 0) return -1;
    if (at < end && bytes[at] === 44) at++;
    else {
      at = skipSpace(bytes, at, end);
      if (at < 0 || at >= end) return -1;
      const byte = bytes[at]!;
      if (byte === 41) return at + 1;
      if (byte !== 44) return -1;
      at++;
    }
    if (at < end && classOf(bytes[at]!) === 1 /* space */) at++;
    const byteClass = at < end ? classOf(bytes[at]!) : 0;
    if (byteClass === 1 /* space */ || byteClass === 8 /* symbol */) at = skipSpace(bytes, at, end);
    if (at < 0 || at >= end) return -1;
  }
}

/**
 * Reads one cell: a number with or without a sign directly before it, a text, TRUE, FALSE, NULL, DEFAULT, `$n`, or an array
 * of numbers.
 */
function readCell(bytes: Uint8Array, at: number, end: number, cells: Constants): number {
  const byte = bytes[at]!;
  const byteClass = classOf(byte);
  if (byteClass === 3 /* digit */) return readNumber(bytes, at, end, cells);
  if (byteClass === 5 /* quote */) return readText(bytes, at, end, cells);
  if (byteClass === 4 /* $ */) return readParameter(bytes, at, end, cells);
  if (byteClass >= 7 /* operator, symbol */) {
    if (byte === 46) return startsNumber(bytes, at, end) ? readNumber(bytes, at, end, cells) : -1;
    if (byte === 91) return readNumbers(bytes, at, end, cells);
    if (!startsNumber(bytes, at + 1, end)) return -1;
    if (byte === 45) return readNegativeNumber(bytes, at, end, cells);
    return byte === 43 ? readNumber(bytes, at + 1, end, cells) : -1;
  }
  if (byteClass !== 2 /* word */) return -1;
  const start = at;
  while (at < end && isWordByte(bytes[at]!)) at++;
  const word = wordNumber(bytes, start, at);
  if (word === 16) cells.add(5 /* null */, 0, start, at, 0);
  else if (word === 17 || word === 18) cells.add(4 /* bool */, word === 17 ? 1 : 0, start, at, 0);
  else if (word === 22) cells.add(6 /* default */, 0, start, at, 0);
  else return -1;
  return at;
}
