/**
 * Sorts index entries whose keys differ in 32 bits only: two words each (key, row), by the key as an unsigned number once
 * `flip` is applied, stable. Eight bytes an entry where entry-sort.ts has twelve, in at most half the steps out of the caches.
 *
 * Most significant digit first (Knuth volume 3, 5.2.5): the leading bits in which keys differ spread the entries over
 * buckets of some thousand; each bucket is then sorted in the caches, least significant digit first.
 *
 *   key bits that differ:  [ leading: up to 11, one scatter ][ rest: digits of 8 bits, or 11 in large buckets ]
 */

/** Leading bits, at most. */
export const LEADING_BITS_MAX = 11;
/** Entries of a bucket, about, at least: leading bits are fewer for fewer entries. */
const BUCKET_ENTRIES = 1024;
/** Buckets up to this size are sorted by insertion. */
const SMALL_BUCKET = 16;
/** Buckets above this size have digits of 11 bits. */
const LARGE_BUCKET = 32_768;

/** Histograms of three digits, and then the places where each digit value goes; one sort at a time in a thread. */
const COUNTS: Int32Array = new Int32Array(3 * 2048);

/** How the keys of a sort are taken apart. */
export type PairDigits = {
  /** Exclusive or with a key makes it compare as an unsigned number. */
  readonly flip: number;
  /** A key's bucket is (key ^ flip) >>> leadingShift & leadingMask. */
  readonly leadingShift: number;
  readonly leadingMask: number;
  /** The bits below it, from lowest on, in which keys differ. */
  readonly lowest: number;
  readonly restBits: number;
};

/** For keys that differ in the bits of `varying` (not 0). */
export function pairDigits(varying: number, flip: number, entryCount: number): PairDigits {
  const highest = 31 - Math.clz32(varying);
  const lowest = 31 - Math.clz32(varying & -varying);
  const wanted = Math.max(1, Math.ceil(Math.log2(entryCount / BUCKET_ENTRIES)));
  const leadingBits = Math.min(LEADING_BITS_MAX, highest - lowest + 1, wanted);
  const leadingShift = highest + 1 - leadingBits;
  return { flip, leadingShift, leadingMask: 2 ** leadingBits - 1, lowest, restBits: leadingShift - lowest };
}

/**
 * Sorts the pairs [from, end), which agree above the rest bits. `spare` has room for as many from 0 on. True: the result is
 * in `spare`, from 0 on.
 */
export function sortBucket(
  pairs: Int32Array,
  from: number,
  end: number,
  spare: Int32Array,
  digits: PairDigits,
): boolean {
  const count = end - from;
  if (count < 2 || digits.restBits === 0) return false;
  if (count <= SMALL_BUCKET) {
    insertionSort(pairs, from, end, digits.flip);
    return false;
  }
  const digitBitsMax = count > LARGE_BUCKET ? 11 : 8;
  // Three digits of 11 bits are enough for all.
  const passCount = Math.min(3, Math.ceil(digits.restBits / digitBitsMax));
  const digitBits = Math.ceil(digits.restBits / passCount);
  countDigits(pairs, from, count, digits.flip, digits.lowest, digitBits, passCount);
  let isInSpare = false;
  for (let pass = 0; pass < passCount; pass++) {
    if (isInSpare) scatter(spare, 0, pairs, from, count, digits.flip, digits.lowest, digitBits, pass);
    else scatter(pairs, from, spare, 0, count, digits.flip, digits.lowest, digitBits, pass);
    isInSpare = !isInSpare;
  }
  return isInSpare;
}

/** The histograms of up to three digits in one pass; those that are not there count as 0. */
function countDigits(
  pairs: Int32Array,
  from: number,
  count: number,
  flip: number,
  lowest: number,
  digitBits: number,
  passCount: number,
): void {
  const counts = COUNTS;
  const mask = 2 ** digitBits - 1;
  for (let pass = 0; pass < passCount; pass++) counts.fill(0, pass * 2048, pass * 2048 + mask + 1);
  const mask1 = passCount > 1 ? mask : 0;
  const mask2 = passCount > 2 ? mask : 0;
  const shift1 = lowest + digitBits;
  const shift2 = shift1 + digitBits;
  const end = (from + count) * 2;
  for (let at = from * 2; at < end; at += 2) {
    const key = pairs[at]! ^ flip;
    counts[(key >>> lowest) & mask]! += 1;
    counts[2048 + ((key >>> shift1) & mask1)]! += 1;
    counts[4096 + ((key >>> shift2) & mask2)]! += 1;
  }
}

function insertionSort(pairs: Int32Array, from: number, end: number, flip: number): void {
  for (let next = from + 1; next < end; next++) {
    const key = pairs[next * 2]!;
    const row = pairs[next * 2 + 1]!;
    const order = (key ^ flip) >>> 0;
    let at = next * 2 - 2;
    for (; at >= from * 2 && (pairs[at]! ^ flip) >>> 0 > order; at -= 2) {
      pairs[at + 2] = pairs[at]!;
      pairs[at + 3] = pairs[at + 1]!;
    }
    pairs[at + 2] = key;
    pairs[at + 3] = row;
  }
}

/** One pass: from source[from …] to target[to …], by the digit of that pass, which has been counted. */
function scatter(
  source: Int32Array,
  from: number,
  target: Int32Array,
  to: number,
  count: number,
  flip: number,
  lowest: number,
  digitBits: number,
  pass: number,
): void {
  const counts = COUNTS;
  const first = pass * 2048;
  const shift = lowest + pass * digitBits;
  const mask = 2 ** digitBits - 1;
  startPlaces(counts, first, mask + 1, to);
  const end = (from + count) * 2;
  for (let at = from * 2; at < end; at += 2) {
    const key = source[at]!;
    const digit = first + (((key ^ flip) >>> shift) & mask);
    const place = counts[digit]! * 2;
    counts[digit]! += 1;
    target[place] = key;
    target[place + 1] = source[at + 1]!;
  }
}

/** Turns the histogram at counts[first …] into places from `place` on. */
export function startPlaces(counts: Int32Array, first: number, digitCount: number, place: number): void {
  for (let digit = first; digit < first + digitCount; digit++) {
    const here = counts[digit]!;
    counts[digit] = place;
    place += here;
  }
}
