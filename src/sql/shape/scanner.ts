/**
 * The shape of a request: its text with the constants taken out, in one pass over the bytes and without allocation.
 *
 * Two requests of equal shape run the same program with other parameters, so the shape must hold everything that decides
 * meaning, and the constants nothing that does. Bytes of a shape:
 *
 * | bytes                | stand for                                                                                      |
 * | -------------------- | ---------------------------------------------------------------------------------------------- |
 * | 1 … 5                | a constant of that kind (constants.ts)                                                         |
 * | 6, w0, w1, w2        | a VALUES list of an INSERT that is in `cells`; w = width, 7 bits a byte, low first, each + 128 |
 * | 32                   | white space and comments, however long                                                         |
 * | all others           | themselves: words as written, operators, `$n`, names in back-ticks, texts that keep their value |
 *
 * A byte below 32 inside a text or name that keeps its value is no marker: quotes tell them apart when read from the left.
 *
 * Constants that keep their value: an integer that begins an item of GROUP BY, ORDER BY, PARTITION BY or DISTINCT ON; a
 * text as key in `{"k": …}`, behind FORMAT, TIMEZONE and a typed literal's type, and first in EXTRACT (. NULL behind IS.
 *
 * `-5` is one constant where an operand is expected and no postfix (`::`, `[`) follows; else the minus is an operator. The
 * scanner expects an operand at the start, behind an operator, an opening bracket or comma, and behind words that are
 * reserved, so that they cannot be columns. Where it is not sure, it takes an operator: that only shares less.
 *
 * What is malformed gives no shape; the parser then reports the error. What has a shape may still be wrong.
 */
import { isUtf8 } from 'node:buffer';
import { NESTING_DEPTH_MAX, PARAMETER_COUNT_MAX } from '../../base/limits.ts';
import { BYTE_CLASS, classOf, isDigit, isWordByte, skipSpace } from '../lexer/characters.ts';
import { Constants } from './constants.ts';
import { parameterEnd, readNegativeNumber, readNumber, readText, startsNumber, textEnd } from './literals.ts';
import { readRow } from './rows.ts';
import { wordNumber } from './words.ts';

/**
 * What the token before says about the next one. Numbers, since a constant imported or exported by a module is loaded and
 * checked at each use, which took half of the time of a scan.
 *
 * | context | after                                 | means                                 |
 * | ------: | ------------------------------------- | ------------------------------------- |
 * |       0 | anything else                         |                                       |
 * |       1 | FORMAT, TIMEZONE, a type; `EXTRACT (` | a text keeps its value                |
 * |       2 | IS, IS NOT                            | NULL is no constant                   |
 * |       3 | BY, and a comma behind it             | an integer keeps its value            |
 * |       4 | `{`, and a comma inside               | a text keeps its value                |
 * |       5 | `.`, `::`                             | a word is a name                      |
 * |       6 | EXTRACT                               | a parenthesis makes it 1              |
 * |       7 | DISTINCT                              | ON makes it 8                         |
 * |       8 | DISTINCT ON                           | a parenthesis makes it 3              |
 */
const CONTEXT_AFTER: Uint8Array = new Uint8Array(32);
/** By word number (words.ts): 1 where an operand must follow. */
const OPERAND_AFTER: Uint8Array = new Uint8Array(32);
for (const word of [1, 2, 3, 4, 5, 9, 14, 15, 19, 20, 21]) OPERAND_AFTER[word] = 1;
CONTEXT_AFTER[11] = 3;
CONTEXT_AFTER[12] = 1;
CONTEXT_AFTER[13] = 6;
CONTEXT_AFTER[14] = 2;
CONTEXT_AFTER[19] = 7;

/** 1 for the bytes with which white space may go on: more of it, and what begins a comment. */
const MAY_CONTINUE_SPACE: Uint8Array = BYTE_CLASS.map((byteClass, byte) =>
  byteClass === 1 || byte === 45 || byte === 47 ? 1 : 0,
);

/** Where the parser finds what the scanner has taken out. A ShapeScanner is one, until its next scan. */
export interface Shape {
  /** The slot of the constant whose token begins at `position` of the request's text; undefined when it stayed in the shape. */
  slotAt(position: number): number | undefined;
  /** The number of the VALUES list whose first parenthesis is at `position` of the request's text; undefined when there is none. */
  listAt(position: number): number | undefined;
  readonly constantCount: number;
  readonly listCount: number;
  /** Position behind the last parenthesis of a list. */
  listEnd(list: number): number;
  /** Cells of each row of a list. */
  listWidth(list: number): number;
}

/** More constants than this make no shape: such a request is not worth a place in the cache. */
const CONSTANT_COUNT_MAX = PARAMETER_COUNT_MAX / 2;
const DEPTH_MAX: number = NESTING_DEPTH_MAX;

export class ShapeScanner implements Shape {
  /** The shape: the first `shapeLength` bytes. */
  shape: Uint8Array = new Uint8Array(4096);
  shapeLength = 0;
  /** A 32-bit hash of the shape. Equality has to be checked (`equals`): a hash alone never decides. */
  shapeHash = 0;
  /** The constants, in the order of the text: their index is their slot. */
  readonly constants: Constants = new Constants(256);
  /** The cells of all VALUES lists, row after row. */
  readonly cells: Constants = new Constants(256);
  listCount = 0;
  /** By list: index of its first cell, rows, cells a row, position of its first parenthesis and behind its last one. */
  listCellStart: Int32Array = new Int32Array(16);
  listRowCount: Int32Array = new Int32Array(16);
  #listWidth: Int32Array = new Int32Array(16);
  #listStart: Int32Array = new Int32Array(16);
  #listEnd: Int32Array = new Int32Array(16);

  #words: Int32Array = new Int32Array(this.shape.buffer);
  #origin = 0;
  /** By bracket depth: the opening byte, and 1 where a comma begins an item of BY. */
  readonly #openers: Uint8Array = new Uint8Array(NESTING_DEPTH_MAX + 2);
  readonly #items: Uint8Array = new Uint8Array(NESTING_DEPTH_MAX + 2);

  get constantCount(): number {
    return this.constants.count;
  }

  /**
   * Splits the request from `start` to `end` of `bytes`. False when it has no shape: it is malformed, or not made of SELECT,
   * INSERT, UPDATE, DELETE and WITH, or has too many constants. Results hold until the next scan; positions in them are
   * those in `bytes`.
   */
  scan(bytes: Uint8Array, start: number, end: number): boolean {
    this.begin(start);
    this.#items[0] = 0;
    this.#openers[0] = 0;
    this.#reserve(end - start);
    const length = this.#split(bytes, start, end);
    if (length < 0) return false;
    this.shapeLength = length;
    this.shapeHash = this.#hash(length);
    return true;
  }

  /** For templates: forgets the last scan; constants and lists are added from here. */
  begin(start: number): void {
    this.#origin = start;
    this.constants.count = 0;
    this.cells.count = 0;
    this.listCount = 0;
  }

  /** Whether `shape` is the one found by the last scan. */
  equals(shape: Uint8Array): boolean {
    const length = this.shapeLength;
    if (shape.length !== length) return false;
    const own = this.shape;
    for (let index = 0; index < length; index++) if (own[index] !== shape[index]) return false;
    return true;
  }

  /** A copy of the shape, to keep. */
  copyShape(): Uint8Array {
    return this.shape.slice(0, this.shapeLength);
  }

  listWidth(list: number): number {
    return this.#listWidth[list]!;
  }

  listEnd(list: number): number {
    return this.#listEnd[list]! - this.#origin;
  }

  /** Position of a list's first parenthesis in the bytes that were scanned. */
  listStart(list: number): number {
    return this.#listStart[list]!;
  }

  /** Position behind a list's last parenthesis in the bytes that were scanned. */
  listStop(list: number): number {
    return this.#listEnd[list]!;
  }

  slotAt(position: number): number | undefined {
    const { start, count, kind } = this.constants;
    const at = position + this.#origin;
    let low = 0;
    let high = count - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      // The start of a text is behind its quote.
      const found = start[middle]! - (kind[middle] === 3 /* text */ ? 1 : 0);
      if (found === at) return middle;
      if (found < at) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }

  listAt(position: number): number | undefined {
    const at = position + this.#origin;
    let low = 0;
    let high = this.listCount - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const found = this.#listStart[middle]!;
      if (found === at) return middle;
      if (found < at) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }

  /**
   * Writes the shape and the constants. Returns the length of the shape, or -1.
   *
   * What stays in the shape is copied in spans, each up to the next constant, list or irregular white space: a loop that
   * only copies and loops that only look for ends take half the time of one that does both.
   */
  #split(bytes: Uint8Array, start: number, end: number): number {
    const shape = this.shape;
    const constants = this.constants;
    const openers = this.#openers;
    const items = this.#items;
    let at = skipSpace(bytes, start, end);
    if (at < 0) return -1;
    // Bytes from spanStart to `at` belong to the shape and are not copied yet.
    let spanStart = at;
    let out = 0;
    let depth = 0;
    let context = 0;
    let isOperand = false;
    let isStarted = false;
    // Depth of the INSERT whose VALUES may come; -1 when there is none.
    let insertDepth = -1;
    let seen = bitsOf(bytes, start, at);

    while (at < end) {
      const byte = bytes[at]!;
      const byteClass = classOf(byte);
      const from = at;

      if (byteClass === 2 /* word */) {
        do at++;
        while (at < end && isWordByte(bytes[at]!));
        const word = context === 5 /* after dot */ ? 0 : wordNumber(bytes, from, at);
        if (word === 0) {
          if (!isStarted) return -1;
          context = 0;
          isOperand = true;
          continue;
        }
        const before = context;
        context = CONTEXT_AFTER[word]!;
        isOperand = OPERAND_AFTER[word] === 0;
        if (word > 20) continue;
        if (word <= 8) {
          // select insert update delete with begin explain profile
          if (word >= 6) {
            isOperand = isStarted;
            continue;
          }
          isStarted = true;
          items[depth] = 0;
          if (word === 2) insertDepth = depth;
          else if (word === 1 && insertDepth === depth) insertDepth = -1;
          continue;
        }
        if (!isStarted) return -1;
        if (word >= 16 && word <= 18) {
          // null true false
          if (before === 2 /* after is */) continue;
          const kind = word === 16 ? 5 /* null */ : 4 /* bool */;
          constants.add(kind, word === 17 ? 1 : 0, from, at, 0);
          seen |= copy(bytes, spanStart, from, shape, out);
          out += from - spanStart;
          shape[out++] = kind;
          spanStart = at;
        } else if (word === 11) {
          // by
          items[depth] = 1;
        } else if (word === 15) {
          // not
          if (before === 2 /* after is */) context = 2 /* after is */;
        } else if (word === 20) {
          // on
          if (before === 7 /* after distinct */) context = 8 /* after distinct on */;
        } else if (insertDepth === depth && (word === 9 || word === 10)) {
          // values generate
          insertDepth = -1;
          if (word === 10) continue;
          const open = skipSpace(bytes, at, end);
          if (open < 0) return -1;
          if (open >= end || bytes[open] !== 40) continue;
          const after = this.readList(bytes, open, end);
          if (after < 0) continue;
          const width = this.#listWidth[this.listCount - 1]!;
          seen |= copy(bytes, spanStart, at, shape, out) | bitsOf(bytes, at, after);
          out += at - spanStart;
          shape[out++] = 6;
          shape[out++] = (width & 127) + 128;
          shape[out++] = ((width >> 7) & 127) + 128;
          shape[out++] = ((width >> 14) & 127) + 128;
          isOperand = true;
          at = after;
          spanStart = after;
        }
      } else if (byteClass === 1 /* space */) {
        at++;
        // One space between two tokens stays in the span.
        if (byte === 32 && at < end && MAY_CONTINUE_SPACE[bytes[at]!] === 0) continue;
        at = skipSpace(bytes, from, end);
        if (at < 0) return -1;
        seen |= copy(bytes, spanStart, from, shape, out) | bitsOf(bytes, from, at);
        out += from - spanStart;
        shape[out++] = 32;
        spanStart = at;
      } else if (byteClass === 7 /* operator */) {
        at++;
        context = 0;
        isOperand = false;
      } else if (byteClass === 8 /* symbol */) {
        const next = at + 1 < end ? bytes[at + 1]! : 0;
        if (byte === 44 /* , */) {
          at++;
          context = openers[depth] === 123 ? 4 /* at key */ : items[depth] === 1 ? 3 /* at item */ : 0;
          isOperand = false;
        } else if (byte === 40 || byte === 91 || byte === 123 /* ( [ { */) {
          if (depth >= DEPTH_MAX) return -1;
          depth++;
          openers[depth] = byte;
          items[depth] = 0;
          at++;
          isOperand = false;
          if (byte === 123) context = 4 /* at key */;
          else if (context === 6 /* after extract */ && byte === 40) context = 1 /* after text word */;
          else if (context === 8 /* after distinct on */ && byte === 40) {
            items[depth] = 1;
            context = 3 /* at item */;
          } else context = 0;
        } else if (byte === 41 || byte === 93 || byte === 125 /* ) ] } */) {
          // `(` and `)` differ by one, `[` and `]`, `{` and `}` by two.
          if (depth === 0 || openers[depth] !== (byte === 41 ? 40 : byte - 2)) return -1;
          depth--;
          if (insertDepth > depth) insertDepth = -1;
          at++;
          context = 0;
          isOperand = true;
        } else if (byte === 46 && !isDigit(next)) {
          at++;
          context = 5 /* after dot */;
          isOperand = false;
        } else if (byte === 58 && next === 58 /* :: */) {
          at += 2;
          context = 5 /* after dot */;
          isOperand = false;
        } else if ((byte === 45 && next === 45) || (byte === 47 && next === 42) /* comments */) {
          at = skipSpace(bytes, at, end);
          if (at < 0) return -1;
          seen |= copy(bytes, spanStart, from, shape, out) | bitsOf(bytes, from, at);
          out += from - spanStart;
          shape[out++] = 32;
          spanStart = at;
        } else if (byte === 46 || (byte === 45 && !isOperand && startsNumber(bytes, at + 1, end))) {
          const after = byte === 46 ? readNumber(bytes, at, end, constants) : this.readSigned(bytes, at, end);
          if (after < 0) return -1;
          if (after === 0) at++;
          else {
            seen |= copy(bytes, spanStart, from, shape, out);
            out += from - spanStart;
            shape[out++] = constants.kind[constants.count - 1]!;
            at = after;
            spanStart = after;
          }
          context = 0;
          isOperand = after !== 0;
        } else {
          if (byte === 59 /* ; */) {
            if (depth !== 0) return -1;
            insertDepth = -1;
            items[0] = 0;
          }
          at++;
          context = 0;
          isOperand = false;
        }
      } else if (byteClass === 3 /* digit */) {
        at = readNumber(bytes, at, end, constants);
        if (at < 0) return -1;
        const index = constants.count - 1;
        if (context === 3 /* at item */ && constants.kind[index] === 1 /* int */) constants.count = index;
        else {
          seen |= copy(bytes, spanStart, from, shape, out);
          out += from - spanStart;
          shape[out++] = constants.kind[index]!;
          spanStart = at;
        }
        context = 0;
        isOperand = true;
      } else if (byteClass === 5 /* quote */) {
        if (context === 1 /* after text word */ || context === 4 /* at key */) {
          at = Math.abs(textEnd(bytes, at, end));
          if (at === 1) return -1;
        } else {
          at = readText(bytes, at, end, constants);
          if (at < 0) return -1;
          seen |= copy(bytes, spanStart, from, shape, out) | bitsOf(bytes, from, at);
          out += from - spanStart;
          shape[out++] = 3 /* text */;
          spanStart = at;
        }
        context = 0;
        isOperand = true;
      } else if (byteClass === 4 /* $ */) {
        at = parameterEnd(bytes, at, end);
        if (at < 0) return -1;
        context = 0;
        isOperand = true;
      } else if (byteClass === 6 /* back-tick */) {
        do at++;
        while (at < end && bytes[at] !== 96);
        if (at >= end) return -1;
        at++;
        context = 0;
        isOperand = true;
      } else return -1;
    }

    seen |= copy(bytes, spanStart, end, shape, out);
    out += end - spanStart;
    if (depth !== 0 || !isStarted || constants.count > CONSTANT_COUNT_MAX) return -1;
    if (seen >= 128 && !isUtf8(bytes.subarray(start, end))) return -1;
    if (shape[out - 1] === 32) out--;
    return out;
  }

  /**
   * A minus with a number directly behind it where an operand is expected: the position behind them when they are one
   * constant, 0 when a postfix follows so that the minus is an operator, -1 when malformed.
   */
  readSigned(bytes: Uint8Array, at: number, end: number): number {
    const constants = this.constants;
    const index = constants.count;
    const after = readNegativeNumber(bytes, at, end, constants);
    if (after < 0) return -1;
    const next = skipSpace(bytes, after, end);
    if (next < 0) return -1;
    if (next < end && (bytes[next] === 91 || bytes[next] === 46 || (bytes[next] === 58 && bytes[next + 1] === 58))) {
      // -9223372036854775808 is one constant in any case: without its sign it is none.
      if (constants.big[index] === -0x8000000000000000n && Number.isNaN(constants.number[index])) return after;
      constants.count = index;
      return 0;
    }
    return after;
  }

  /** Reads a whole VALUES list into the cells, from its first parenthesis. The position behind it, or -1 when it is not literal. */
  readList(bytes: Uint8Array, start: number, end: number): number {
    const cells = this.cells;
    const firstCell = cells.count;
    let at = start;
    let rowCount = 0;
    let width = 0;
    for (;;) {
      const rowStart = cells.count;
      at = readRow(bytes, at + 1, end, cells);
      const rowWidth = cells.count - rowStart;
      if (rowCount === 0) width = rowWidth;
      if (at < 0 || rowWidth !== width || width > 0x1fffff) {
        cells.count = firstCell;
        return -1;
      }
      rowCount++;
      const comma = skipSpace(bytes, at, end);
      if (comma < 0 || comma >= end || bytes[comma] !== 44) break;
      const open = skipSpace(bytes, comma + 1, end);
      if (open < 0 || open >= end || bytes[open] !== 40) {
        cells.count = firstCell;
        return -1;
      }
      at = open;
    }
    const list = this.listCount;
    if (list === this.listCellStart.length) this.#growLists();
    this.listCellStart[list] = firstCell;
    this.listRowCount[list] = rowCount;
    this.#listWidth[list] = width;
    this.#listStart[list] = start;
    this.#listEnd[list] = at;
    this.listCount = list + 1;
    return at;
  }

  #growLists(): void {
    this.listCellStart = doubled(this.listCellStart);
    this.listRowCount = doubled(this.listRowCount);
    this.#listWidth = doubled(this.#listWidth);
    this.#listStart = doubled(this.#listStart);
    this.#listEnd = doubled(this.#listEnd);
  }

  /** Room for the shape of a text: no longer than it but for the markers of lists, which need 4 bytes for 2. */
  #reserve(textBytes: number): void {
    const needed = textBytes + (textBytes >> 1) + 16;
    if (needed <= this.shape.length) return;
    this.shape = new Uint8Array(2 ** Math.ceil(Math.log2(needed)));
    this.#words = new Int32Array(this.shape.buffer);
  }

  #hash(length: number): number {
    const { shape } = this;
    const words = this.#words;
    shape[length] = 0;
    shape[length + 1] = 0;
    shape[length + 2] = 0;
    const wordCount = (length + 3) >> 2;
    let hash = length;
    for (let index = 0; index < wordCount; index++) {
      hash = Math.imul(hash ^ words[index]!, 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    return hash;
  }
}

/** Copies bytes and returns all their bits. */
function copy(source: Uint8Array, start: number, end: number, target: Uint8Array, at: number): number {
  let bits = 0;
  for (let from = start; from < end; from++) {
    const byte = source[from]!;
    target[at++] = byte;
    bits |= byte;
  }
  return bits;
}

/** The bits of all bytes: 128 and more when one of them is beyond ASCII. */
function bitsOf(bytes: Uint8Array, start: number, end: number): number {
  let bits = 0;
  for (let at = start; at < end; at++) bits |= bytes[at]!;
  return bits;
}

function doubled(array: Int32Array): Int32Array {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}
