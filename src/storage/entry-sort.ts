/**
 * Sorts index entries: three words each (high, low, row), as in the leaves of a tree. By (high, low) as signed words, stable;
 * so entries that come in the order of their rows stay so where their keys are equal.
 *
 * Least-significant-digit radix sort (Seward 1954; Knuth volume 3, 5.2.5) with digits of 11, 11 and 10 bits, all six histograms
 * in one pass. A digit that all entries share is skipped: of a bigint key below 4 million two passes are left.
 */

const DIGITS = 2048;
/** Shift of each digit in its word: low word first. */
const SHIFTS: readonly number[] = [0, 11, 22];
const SIGN = -0x80000000;

/** Histograms, and then the places where each digit value goes; one sort at a time in a thread. */
const COUNTS: Int32Array = new Int32Array(6 * DIGITS);

/** True where the entries [from, end) are in order by (high, low). */
function areEntriesSorted(entries: Int32Array, from: number, end: number): boolean {
  for (let at = from * 3 + 3; at < end * 3; at += 3) {
    const high = entries[at]!;
    const before = entries[at - 3]!;
    if (high < before || (high === before && entries[at + 1]! < entries[at - 2]!)) return false;
  }
  return true;
}

/** Sorts the entries [from, end); `spare` has room for as many from 0 on. False: they were in order already. */
export function sortEntries(entries: Int32Array, from: number, end: number, spare: Int32Array): boolean {
  if (areEntriesSorted(entries, from, end)) return false;
  count(entries, from, end);
  let source = entries.subarray(from * 3, end * 3);
  let target = spare.subarray(0, (end - from) * 3);
  let isInSpare = false;
  for (let digit = 0; digit < 6; digit++) {
    const word = digit < 3 ? 1 : 0;
    const shift = SHIFTS[digit % 3]!;
    if (!startPlaces(digit, end - from)) continue;
    scatter(source, target, digit * DIGITS, word, shift);
    const swapped = source;
    source = target;
    target = swapped;
    isInSpare = !isInSpare;
  }
  if (isInSpare) entries.set(source, from * 3);
  return true;
}

function count(entries: Int32Array, from: number, end: number): void {
  const counts = COUNTS;
  counts.fill(0);
  for (let at = from * 3; at < end * 3; at += 3) {
    const high = entries[at]! ^ SIGN;
    const low = entries[at + 1]! ^ SIGN;
    counts[low & 2047]! += 1;
    counts[2048 + ((low >>> 11) & 2047)]! += 1;
    counts[4096 + (low >>> 22)]! += 1;
    counts[6144 + (high & 2047)]! += 1;
    counts[8192 + ((high >>> 11) & 2047)]! += 1;
    counts[10240 + (high >>> 22)]! += 1;
  }
}

/** Turns the histogram of a digit into places; false where all entries have the same. */
function startPlaces(digit: number, entryCount: number): boolean {
  const counts = COUNTS;
  const first = digit * DIGITS;
  let place = 0;
  for (let value = first; value < first + DIGITS; value++) {
    const here = counts[value]!;
    if (here === entryCount) return false;
    counts[value] = place;
    place += here;
  }
  return true;
}

function scatter(source: Int32Array, target: Int32Array, first: number, word: number, shift: number): void {
  const counts = COUNTS;
  for (let at = 0; at < source.length; at += 3) {
    const value = first + (((source[at + word]! ^ SIGN) >>> shift) & 2047);
    const to = counts[value]! * 3;
    counts[value]! += 1;
    target[to] = source[at]!;
    target[to + 1] = source[at + 1]!;
    target[to + 2] = source[at + 2]!;
  }
}
