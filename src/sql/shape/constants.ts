/**
 * The constants of a request, or the cells of its VALUES lists, as arrays that are used again for every request.
 *
 * | kind | what            | number                              | big                | start, end                     |
 * | ---: | --------------- | ----------------------------------- | ------------------ | ------------------------------ |
 * |    1 | int             | its value within ±(2^53 - 1), else NaN | its value where number is NaN | the digits and their sign |
 * |    2 | double          | its value                           |                    | the digits and their sign      |
 * |    3 | text            |                                     |                    | what stands between the quotes |
 * |    4 | bool            | 0, 1                                |                    | the word                       |
 * |    5 | null            |                                     |                    | the word                       |
 * |    6 | default (cells) |                                     |                    | the word                       |
 * |    7 | `$n` (cells)    | n, from 1                           |                    | `$` and the digits             |
 * |    8 | array of numbers (cells) |                            |                    | the whole, which is JSON       |
 *
 * Positions are byte offsets in the array that was scanned. `escaped` is 1 where a text has to be decoded (decodeText,
 * decodeTextInto of lexer/text.ts), 0 where its bytes are what it says.
 */

export const KIND_INT = 1;
export const KIND_DOUBLE = 2;
export const KIND_TEXT = 3;
export const KIND_BOOL = 4;
export const KIND_NULL = 5;
export const KIND_DEFAULT = 6;
export const KIND_PARAMETER = 7;
export const KIND_NUMBERS = 8;

export class Constants {
  count = 0;
  kind: Uint8Array;
  number: Float64Array;
  big: BigInt64Array;
  start: Int32Array;
  end: Int32Array;
  escaped: Uint8Array;

  constructor(capacity: number) {
    this.kind = new Uint8Array(capacity);
    this.number = new Float64Array(capacity);
    this.big = new BigInt64Array(capacity);
    this.start = new Int32Array(capacity);
    this.end = new Int32Array(capacity);
    this.escaped = new Uint8Array(capacity);
  }

  /** Adds one and returns its index. Its `big` is left as it was. */
  add(kind: number, number: number, start: number, end: number, escaped: number): number {
    const index = this.count;
    if (index === this.kind.length) this.#grow();
    this.kind[index] = kind;
    this.number[index] = number;
    this.start[index] = start;
    this.end[index] = end;
    this.escaped[index] = escaped;
    this.count = index + 1;
    return index;
  }

  #grow(): void {
    const larger = new Constants(this.kind.length * 2);
    larger.kind.set(this.kind);
    larger.number.set(this.number);
    larger.big.set(this.big);
    larger.start.set(this.start);
    larger.end.set(this.end);
    larger.escaped.set(this.escaped);
    this.kind = larger.kind;
    this.number = larger.number;
    this.big = larger.big;
    this.start = larger.start;
    this.end = larger.end;
    this.escaped = larger.escaped;
  }
}
