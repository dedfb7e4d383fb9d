/**
 * Nodes of the B+tree (tree.ts): blocks of the partition's node heap, found by ref. A leaf has 63 units (252 words), an
 * inner node 127 (508 words).
 *
 * | word  | leaf                                 | inner node                                                     |
 * | ----- | ------------------------------------ | -------------------------------------------------------------- |
 * | 0     | entries                              | children                                                       |
 * | 1     | parent, 0 = this is the root         | the same                                                       |
 * | 2     | next leaf, 0 = none                  | unused                                                         |
 * | 3     | previous leaf                        | unused                                                         |
 * | 4     | undo position of the latest removal  | unused                                                         |
 * | 5     | 1 while it waits in the merge queue  | unused                                                         |
 * | 6     | next leaf of the merge queue         | unused                                                         |
 * | 7     | unused                               | unused                                                         |
 * | 8 …   | 81 entries of three words: high word, | 100 of five words: separator's high word, low word, row; ref of |
 * |       | low word of the prefix; row          | the separator's key, 0 where the prefix is all; ref of the child |
 *
 * A separator is a lower bound of its child, and greater than all before it. That of child 0 is not looked at. It owns a
 * copy of its key, so it outlives the row that it was made from. Rows are part of the order where keys are not unique.
 *
 * An entry lies in one or two cache lines, and is mostly found by interpolation: a lookup costs two misses in a leaf. Leaves
 * of twice the size took twice as long to insert into at random, and saved 0.3 bytes a row.
 */

export const LEAF_UNITS = 63;
export const INNER_UNITS = 127;

export const NODE_COUNT = 0;
export const NODE_PARENT = 1;
export const NODE_NEXT = 2;
export const NODE_PREVIOUS = 3;
export const NODE_STAMP = 4;
export const NODE_IS_QUEUED = 5;
export const NODE_QUEUE_NEXT = 6;
export const NODE_ENTRIES = 8;

export const LEAF_CAPACITY = 81;
export const LEAF_STRIDE = 3;
export const INNER_CAPACITY = 100;
export const INNER_STRIDE = 5;

/** Words of an entry. */
export const ENTRY_LOW = 1;
export const ENTRY_ROW = 2;
export const ENTRY_KEY = 3;
export const ENTRY_CHILD = 4;

/** Greater than every row in comparisons, with room for + 1. */
export const ROW_MAX = 0x7ffffffe;
/** Less than every row. */
export const ROW_MIN = -1;

/** How far a search looks from where an entry is expected before it doubles the distance. */
const NEAR = 4;

/** The first position of [from, count) of an inner node, whose entries are at words[at …], not less than (high, low, row). */
export function innerBound(
  words: Int32Array,
  at: number,
  from: number,
  count: number,
  high: number,
  low: number,
  row: number,
): number {
  let first = from;
  let end = count;
  while (first < end) {
    const middle = (first + end) >>> 1;
    if (isLess(words, at + middle * 5, high, low, row)) first = middle + 1;
    else end = middle;
  }
  return first;
}

/**
 * innerBound over [1, count), for keys that are spread evenly: from where interpolation between the first and the last
 * separator expects it. `value` is the prefix as a number.
 */
export function innerBoundNear(
  words: Int32Array,
  at: number,
  count: number,
  high: number,
  low: number,
  row: number,
  value: number,
): number {
  if (count < 8) return innerBound(words, at, 1, count, high, low, row);
  const from = words[at + 5]! * 4294967296 + words[at + 6]!;
  const last = at + (count - 1) * 5;
  const to = words[last]! * 4294967296 + words[last + 1]!;
  const guess = (((value - from) / (to - from)) * (count - 2)) | 0;
  let first = 1;
  let end = count;
  if (guess > 0 && guess < count - 3) {
    // The separator at guess + 1 is the expected one; an error of one or two to either side is usual.
    if (isLess(words, at + guess * 5, high, low, row)) {
      first = guess + 1;
      if (!isLess(words, at + (guess + 3) * 5, high, low, row)) end = guess + 3;
    } else end = guess;
  }
  return innerBound(words, at, first, end, high, low, row);
}

/** The first position of [from, count) of a leaf, whose entries are at words[at …], that is not less than (high, low, row). */
export function leafBound(
  words: Int32Array,
  at: number,
  from: number,
  count: number,
  high: number,
  low: number,
  row: number,
): number {
  let first = from;
  let end = count;
  while (first < end) {
    const middle = (first + end) >>> 1;
    if (isLess(words, at + middle * 3, high, low, row)) first = middle + 1;
    else end = middle;
  }
  return first;
}

/** leafBound over the whole leaf, for an entry that is expected near position `guess` of [0, count). */
export function leafBoundNear(
  words: Int32Array,
  at: number,
  count: number,
  high: number,
  low: number,
  row: number,
  guess: number,
): number {
  let distance = NEAR;
  let first = guess;
  let end = guess;
  if (isLess(words, at + guess * 3, high, low, row)) {
    first = guess + 1;
    end = guess + distance;
    while (end < count && isLess(words, at + end * 3, high, low, row)) {
      first = end + 1;
      distance *= 2;
      end += distance;
    }
    if (end > count) end = count;
  } else {
    first = guess - distance;
    while (first >= 0 && !isLess(words, at + first * 3, high, low, row)) {
      end = first;
      distance *= 2;
      first -= distance;
    }
    first = first < 0 ? 0 : first + 1;
  }
  return leafBound(words, at, first, end, high, low, row);
}

function isLess(words: Int32Array, entry: number, high: number, low: number, row: number): boolean {
  const entryHigh = words[entry]!;
  if (entryHigh !== high) return entryHigh < high;
  const entryLow = words[entry + 1]!;
  return entryLow < low || (entryLow === low && words[entry + 2]! < row);
}

/** Moves the words of [from, end) up by `distance`, at most 5, in one node. */
export function moveUp(words: Int32Array, from: number, end: number, distance: number): void {
  let index = end - 1;
  // Six at a time take half as long as one by one; copyWithin on shared memory lies between.
  for (const last = from + 5; index >= last; index -= 6) {
    const word0 = words[index]!;
    const word1 = words[index - 1]!;
    const word2 = words[index - 2]!;
    const word3 = words[index - 3]!;
    const word4 = words[index - 4]!;
    const word5 = words[index - 5]!;
    words[index + distance] = word0;
    words[index + distance - 1] = word1;
    words[index + distance - 2] = word2;
    words[index + distance - 3] = word3;
    words[index + distance - 4] = word4;
    words[index + distance - 5] = word5;
  }
  for (; index >= from; index--) words[index + distance] = words[index]!;
}

/** Copies `count` words from source[from …] to target[to …]; in one node only downwards, by 3 words or more. */
export function copyDown(source: Int32Array, from: number, target: Int32Array, to: number, count: number): void {
  let index = 0;
  for (const last = count - 2; index < last; index += 3) {
    const word0 = source[from + index]!;
    const word1 = source[from + index + 1]!;
    const word2 = source[from + index + 2]!;
    target[to + index] = word0;
    target[to + index + 1] = word1;
    target[to + index + 2] = word2;
  }
  for (; index < count; index++) target[to + index] = source[from + index]!;
}
