/**
 * What a byte can begin or continue, for the lexer and the shape scanner alike: both must cut a text into the same tokens.
 */

/**
 * | class | bytes                                                                                        |
 * | ----: | -------------------------------------------------------------------------------------------- |
 * |     0 | those that begin nothing: control characters, `?`, `@`, `#`, `\\`                            |
 * |     1 | space, tab, line feed, vertical tab, form feed, carriage return                              |
 * |     2 | letters, `_`, and all of a character beyond ASCII: begin and continue a word                 |
 * |     3 | digits: continue a word, begin a number                                                      |
 * |     4 | `$`: continues a word, begins a parameter                                                    |
 * |     5 | `'` and `"`                                                                                  |
 * |     6 | the back-tick                                                                                |
 * |     7 | operators, and what begins one, but for those of 8                                           |
 * |     8 | `- / . : ; , ( ) [ ] { }`: what the scanner has to look at                                   |
 */
const CLASSES: Uint8Array = buildClasses();

/** Class of each byte. Hot code calls classOf instead: what another module exports is loaded and checked at each use. */
export const BYTE_CLASS: Uint8Array = CLASSES;

function buildClasses(): Uint8Array {
  const classes = new Uint8Array(256);
  for (const byte of [32, 9, 10, 11, 12, 13]) classes[byte] = 1;
  for (let byte = 65; byte <= 90; byte++) classes[byte] = 2;
  for (let byte = 97; byte <= 122; byte++) classes[byte] = 2;
  for (let byte = 128; byte <= 255; byte++) classes[byte] = 2;
  classes[95] = 2;
  for (let byte = 48; byte <= 57; byte++) classes[byte] = 3;
  classes[36] = 4;
  classes[39] = 5;
  classes[34] = 5;
  classes[96] = 6;
  for (const symbol of '+*%=<>!|^&~') classes[symbol.charCodeAt(0)] = 7;
  for (const symbol of '-/.:;,()[]{}') classes[symbol.charCodeAt(0)] = 8;
  return classes;
}

/** The class of a byte. */
export function classOf(byte: number): number {
  return CLASSES[byte]!;
}

/** Whether a byte continues a word: letters, digits, `_`, `$`, and what is beyond ASCII. */
export function isWordByte(byte: number): boolean {
  const byteClass = CLASSES[byte]!;
  return byteClass >= 2 && byteClass <= 4;
}

/** Whether a byte is `0` to `9`. */
export function isDigit(byte: number): boolean {
  return byte >= 48 && byte <= 57;
}

/**
 * The position after white space and comments from `at`, or `~start` of a block comment that does not end.
 * Block comments nest, as PostgreSQL's do.
 */
export function skipSpace(bytes: Uint8Array, at: number, end: number): number {
  while (at < end) {
    const byte = bytes[at]!;
    if (CLASSES[byte] === 1) at++;
    else if (byte === 45 && at + 1 < end && bytes[at + 1] === 45) at = skipLineComment(bytes, at, end);
    else if (byte === 47 && at + 1 < end && bytes[at + 1] === 42) {
      const start = at;
      at = skipBlockComment(bytes, at, end);
      if (at < 0) return ~start;
    } else break;
  }
  return at;
}

/** The position of the line's end, from its `--`. */
function skipLineComment(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && bytes[at] !== 10 && bytes[at] !== 13) at++;
  return at;
}

/** The position behind the comment that begins at `at`, or -1. */
function skipBlockComment(bytes: Uint8Array, at: number, end: number): number {
  let depth = 1;
  at += 2;
  while (at + 1 < end) {
    const byte = bytes[at];
    if (byte === 42 && bytes[at + 1] === 47) {
      at += 2;
      if (--depth === 0) return at;
    } else if (byte === 47 && bytes[at + 1] === 42) {
      at += 2;
      depth++;
    } else at++;
  }
  return -1;
}
