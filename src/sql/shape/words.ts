/**
 * The words that the shape scanner has to know, found by first byte, last byte and length without hashing a word.
 */
import { assert } from '../../base/assert.ts';

/**
 * Numbers of the words, as the scanner's `if`s use them.
 *
 * | number   | word                                              | why                                                 |
 * | -------: | ------------------------------------------------- | --------------------------------------------------- |
 * |        0 | any other                                         | a name, or a keyword that does not matter           |
 * |   1 … 5  | select insert update delete with                  | begin a request that has a shape                    |
 * |   6 … 8  | begin explain profile                             | may stand before it                                 |
 * |   9, 10  | values generate                                   | end what may stand between INSERT and its list      |
 * |       11 | by                                                | items follow, whose integers are positions          |
 * |       12 | format timezone interval timestamp date uuid      | a text that follows keeps its value                 |
 * |       13 | extract                                           | likewise, behind its parenthesis                    |
 * |       14 | is                                                | a NULL that follows is no constant                  |
 * |       15 | not                                               | IS NOT NULL                                         |
 * | 16 … 18  | null true false                                   | constants                                           |
 * |   19, 20 | distinct on                                       | DISTINCT ON (…): items as of BY                     |
 * |       21 | where and or like between in having limit offset case when then else set returning from using union intersect except all any | an operand follows, so that `-5` is a constant |
 * |       22 | default                                           | a cell of a VALUES list                             |
 *
 * All words of 1 … 5, 9 and 14 … 22 are reserved.
 */
const WORDS: readonly (readonly [number, string])[] = [
  [1, 'select'],
  [2, 'insert'],
  [3, 'update'],
  [4, 'delete'],
  [5, 'with'],
  [6, 'begin'],
  [7, 'explain'],
  [8, 'profile'],
  [9, 'values'],
  [10, 'generate'],
  [11, 'by'],
  [12, 'format timezone interval timestamp date uuid'],
  [13, 'extract'],
  [14, 'is'],
  [15, 'not'],
  [16, 'null'],
  [17, 'true'],
  [18, 'false'],
  [19, 'distinct'],
  [20, 'on'],
  [21, 'where and or like between in having limit offset case when then else set returning'],
  [21, 'from using union intersect except all any'],
  [22, 'default'],
];

/** First byte, last byte x 2 and length x 31 tell all the words apart in 256 places (found by trying multipliers). */
const PLACE_COUNT = 256;

/** The word in each place: its number, 0 when none. */
const NUMBERS: Uint8Array = new Uint8Array(PLACE_COUNT);
/** Its letters in lower case, 16 bytes a place, and its length. */
const LETTERS: Uint8Array = new Uint8Array(PLACE_COUNT * 16);
const LENGTHS: Uint8Array = new Uint8Array(PLACE_COUNT);

for (const [number, words] of WORDS) {
  for (const word of words.split(' ')) {
    const place = placeOf(word.charCodeAt(0), word.charCodeAt(word.length - 1), word.length);
    assert(NUMBERS[place] === 0, 'the scanner knows its words by place');
    NUMBERS[place] = number;
    LENGTHS[place] = word.length;
    for (let index = 0; index < word.length; index++) LETTERS[place * 16 + index] = word.charCodeAt(index);
  }
}

function placeOf(first: number, last: number, length: number): number {
  return ((first | 32) + (last | 32) * 2 + length * 31) & (PLACE_COUNT - 1);
}

/** The number of the word from `start` to `end`, in any case; 0 when it is none of the table. */
export function wordNumber(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  const place = placeOf(bytes[start]!, bytes[end - 1]!, length);
  if (LENGTHS[place] !== length) return 0;
  const letters = place * 16 - start;
  for (let at = start; at < end; at++) if ((bytes[at]! | 32) !== LETTERS[letters + at]) return 0;
  return NUMBERS[place]!;
}
