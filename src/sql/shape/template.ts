/**
 * A request text with holes: what a known shape's last request looked like. Clients repeat themselves to the byte but for
 * their constants, so comparing with the template and reading only the constants gives the same as a scan, at a quarter
 * of its cost.
 *
 * It is the same because the scanner goes from left to right, and what it makes of a constant depends only on the bytes
 * before it and on its first byte: where those bytes are equal, the functions that read the constant are the ones that the
 * scan would have called, and behind it the scan would be in the same state. What might differ (another first byte,
 * another kind, bytes beyond ASCII in a text, which the scan checks as a whole) is no match, and the scan decides. Only a
 * minus may be a digit instead: where a sign belongs to the number, an unsigned number may stand as well.
 *
 * Items are constants (kinds 1 to 5 of constants.ts) and VALUES lists (6), in the order of the text:
 *
 *   fixed bytes │ item 0 │ fixed bytes │ item 1 │ … │ fixed bytes
 */
import { isDigit } from '../lexer/characters.ts';
import { readNumber, readText, startsNumber } from './literals.ts';
import type { ShapeScanner } from './scanner.ts';

/** Longer texts, lists left out, are scanned: they are few, and would fill memory. */
const FIXED_BYTES_MAX = 16_384;

export class ShapeTemplate {
  readonly #fixed: Uint8Array;
  /** End of the fixed bytes before each item. */
  readonly #fixedEnds: Int32Array;
  readonly #kinds: Uint8Array;
  readonly #firstBytes: Uint8Array;
  /** Of bools and NULL the bytes of the word, which is compared; of lists cells a row. */
  readonly #sizes: Int32Array;
  readonly #numbers: Float64Array;

  private constructor(
    fixed: Uint8Array,
    fixedEnds: Int32Array,
    kinds: Uint8Array,
    firstBytes: Uint8Array,
    sizes: Int32Array,
    numbers: Float64Array,
  ) {
    this.#fixed = fixed;
    this.#fixedEnds = fixedEnds;
    this.#kinds = kinds;
    this.#firstBytes = firstBytes;
    this.#sizes = sizes;
    this.#numbers = numbers;
  }

  /**
   * The template of the text that `scanner` has just scanned from `start` to `end`; undefined where it can have none.
   * `former` is one of the same shape: it knows more places where a number may be negative.
   */
  static of(
    scanner: ShapeScanner,
    bytes: Uint8Array,
    start: number,
    end: number,
    former: ShapeTemplate | undefined,
  ): ShapeTemplate | undefined {
    const { constants, listCount } = scanner;
    const itemCount = constants.count + listCount;
    const fixedEnds = new Int32Array(itemCount);
    const kinds = new Uint8Array(itemCount);
    const firstBytes = new Uint8Array(itemCount);
    const sizes = new Int32Array(itemCount);
    const numbers = new Float64Array(itemCount);
    const spans: Uint8Array[] = [];
    let fixedBytes = 0;
    let at = start;
    let constant = 0;
    let list = 0;
    for (let item = 0; item < itemCount; item++) {
      const kind = constant < constants.count ? constants.kind[constant]! : 0;
      // The start of a text is behind its quote, its end before the other.
      const quoteBytes = kind === 3 /* text */ ? 1 : 0;
      const constantStart = kind === 0 ? end : constants.start[constant]! - quoteBytes;
      const isList = list < listCount && scanner.listStart(list) < constantStart;
      const itemStart = isList ? scanner.listStart(list) : constantStart;
      spans.push(bytes.subarray(at, itemStart));
      fixedBytes += itemStart - at;
      const mayBeNegative = former !== undefined && former.#firstBytes[item] === 45; /* - */
      firstBytes[item] = mayBeNegative ? 45 : bytes[itemStart]!;
      // Directly behind a word or a dot, a digit would belong to them.
      if (bytes[itemStart] === 45 && !isSeparator(bytes, itemStart - 1, start)) return undefined;
      if (isList) {
        kinds[item] = 6;
        sizes[item] = scanner.listWidth(list);
        at = scanner.listStop(list);
        list++;
      } else {
        kinds[item] = kind;
        at = constants.end[constant]! + quoteBytes;
        numbers[item] = constants.number[constant]!;
        if (kind >= 4 /* bool, null */) {
          spans.push(bytes.subarray(itemStart, at));
          sizes[item] = at - itemStart;
          fixedBytes += at - itemStart;
        }
        constant++;
      }
      fixedEnds[item] = fixedBytes;
      if (fixedBytes > FIXED_BYTES_MAX) return undefined;
    }
    if (fixedBytes + end - at > FIXED_BYTES_MAX) return undefined;
    spans.push(bytes.subarray(at, end));
    return new ShapeTemplate(Buffer.concat(spans), fixedEnds, kinds, firstBytes, sizes, numbers);
  }

  /**
   * Whether the text from `start` to `end` fits; `scanner` then has its constants and cells as after a scan, but no shape.
   * Where it does not, what the scanner holds is undefined until its next scan.
   */
  fits(scanner: ShapeScanner, bytes: Uint8Array, start: number, end: number): boolean {
    const fixed = this.#fixed;
    const fixedEnds = this.#fixedEnds;
    const kinds = this.#kinds;
    const { constants, cells } = scanner;
    scanner.begin(start);
    let at = start;
    let from = 0;
    for (let item = 0; item < kinds.length; item++) {
      const fixedEnd = fixedEnds[item]!;
      if (end - at < fixedEnd - from) return false;
      while (from < fixedEnd) {
        if (bytes[at] !== fixed[from]) return false;
        at++;
        from++;
      }
      const kind = kinds[item]!;
      const itemStart = at;
      if (kind >= 4 && kind < 6 /* bool, null */) {
        constants.add(kind, this.#numbers[item]!, at - this.#sizes[item]!, at, 0);
        continue;
      }
      if (at === end) return false;
      const first = bytes[at]!;
      const expected = this.#firstBytes[item]!;
      if (first !== expected && !(isDigit(first) && (isDigit(expected) || expected === 45))) return false;
      if (kind === 6 /* list */) {
        const firstCell = cells.count;
        at = scanner.readList(bytes, at, end);
        if (at < 0 || scanner.listWidth(scanner.listCount - 1) !== this.#sizes[item]) return false;
        for (let cell = firstCell; cell < cells.count; cell++)
          if (cells.kind[cell] === 3 /* text */ && !isAscii(bytes, cells.start[cell]!, cells.end[cell]!)) return false;
        continue;
      }
      if (kind === 3 /* text */) at = readText(bytes, at, end, constants);
      else if (!startsNumber(bytes, first === 45 ? at + 1 : at, end)) return false;
      else if (first === 45 /* - */) at = scanner.readSigned(bytes, at, end);
      else at = readNumber(bytes, at, end, constants);
      if (at <= 0 || constants.kind[constants.count - 1] !== kind) return false;
      if (kind === 3 && !isAscii(bytes, itemStart, at)) return false;
    }
    if (end - at !== fixed.length - from) return false;
    while (at < end) {
      if (bytes[at] !== fixed[from]) return false;
      at++;
      from++;
    }
    return true;
  }
}

function isSeparator(bytes: Uint8Array, at: number, start: number): boolean {
  return (
    at >= start && (bytes[at] === 32 || bytes[at] === 40 || bytes[at] === 44 || bytes[at] === 61)
  ); /* space ( , = */
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  let bits = 0;
  for (let at = start; at < end; at++) bits |= bytes[at]!;
  return bits < 128;
}
