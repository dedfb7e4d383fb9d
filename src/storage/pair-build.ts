/**
 * Builds the leaves of a tree whose keys are one column of four or eight bytes, as pairs (pair-sort.ts): of an int always, of
 * a bigint or timestamp where all have the same high word. NULLs are left out of the sort: they come before or after all.
 *
 *   survey: are the keys in order already, in which bits do they differ? ─▶ in order: leaves right from the column
 *   ─▶ histogram of the leading bits ─▶ slices of buckets, as many as there is room for: spread, sorted, into leaves
 */

import type { Heap } from './heap.ts';
import { WORD_MIN } from './key.ts';
import { type KeyScan, SCAN_ALL, SCAN_LOWS, SCAN_NULL, SCAN_PRESENT } from './key-scan.ts';
import { type PairDigits, pairDigits, sortBucket, startPlaces } from './pair-sort.ts';
import type { SortSpace } from './sort-space.ts';
import type { Tree } from './tree.ts';
import { TreeBuilder } from './tree-build.ts';

/** What is known of the keys that are not NULL. */
export type KeySurvey = {
  readonly presentCount: number;
  readonly nullCount: number;
  readonly isSorted: boolean;
  /** All high words follow from the low ones, as those of an int do. */
  readonly isInt: boolean;
  /** Bits in which high words, and low words, differ. */
  readonly varyingHigh: number;
  readonly varyingLow: number;
  readonly high: number;
};

/** Whether the keys of a tree may be sorted as pairs; what they are like decides then. */
export function mayBePairs(tree: Tree, scan: KeyScan): boolean {
  return scan.isColumn && tree.shape.columnCount === 1;
}

export function surveyKeys(tree: Tree, scan: KeyScan): KeySurvey {
  let presentCount = 0;
  const isNarrow = tree.shape.kinds[0] === 2;
  const state = { high: 0, low: 0, isSorted: true, isInt: true, varyingHigh: 0, varyingLow: 0 };
  for (let segment = 0; segment < scan.segmentCount; segment++) {
    const count = scan.read(segment, SCAN_LOWS);
    if (count === 0) continue;
    if (presentCount === 0) {
      state.high = scan.highs[0]!;
      state.low = scan.lows[0]!;
    }
    if (isNarrow) surveyNarrow(scan.lows, count, state);
    else surveySegment(scan.highs, scan.lows, count, state);
    presentCount += count;
  }
  return { ...state, presentCount, nullCount: tree.partition.rowCount - presentCount };
}

type SurveyState = {
  high: number;
  low: number;
  isSorted: boolean;
  isInt: boolean;
  varyingHigh: number;
  varyingLow: number;
};

/** The same for ints, whose high words say nothing more. */
function surveyNarrow(lows: Int32Array, count: number, state: SurveyState): void {
  let { low, isSorted, varyingLow } = state;
  for (let index = 0; index < count; index++) {
    const next = lows[index]!;
    varyingLow |= next ^ low;
    if (next >>> 0 < low >>> 0) isSorted = false;
    low = next;
  }
  state.low = low;
  state.isSorted = isSorted;
  state.varyingLow = varyingLow;
}

/** `state` has the key before the first one, or itself. */
function surveySegment(highs: Int32Array, lows: Int32Array, count: number, state: SurveyState): void {
  let { high, low, isSorted, isInt, varyingHigh, varyingLow } = state;
  for (let index = 0; index < count; index++) {
    const nextHigh = highs[index]!;
    const nextLow = lows[index]!;
    varyingHigh |= nextHigh ^ high;
    varyingLow |= nextLow ^ low;
    if (nextHigh < high || (nextHigh === high && nextLow < low)) isSorted = false;
    if (nextHigh !== (nextLow ^ WORD_MIN) >> 31) isInt = false;
    high = nextHigh;
    low = nextLow;
  }
  state.high = high;
  state.low = low;
  state.isSorted = isSorted;
  state.isInt = isInt;
  state.varyingHigh = varyingHigh;
  state.varyingLow = varyingLow;
}

/** Whether those keys can be sorted as pairs, or need no sort. */
export function arePairs({ isInt, varyingHigh, nullCount, isSorted }: KeySurvey, tree: Tree): boolean {
  if (isSorted && nullCount === 0) return true;
  // NULL and -2^63 have the same prefix, so they are told apart elsewhere.
  return isInt || (varyingHigh === 0 && (!tree.shape.isNullAmbiguous || nullCount === 0));
}

/** The leaves of such a tree, of one row at least; undefined where there is no room to sort. Throws out_of_memory. */
export function buildFromPairs(
  tree: Tree,
  scan: KeyScan,
  survey: KeySurvey,
  heap: Heap,
  space: SortSpace,
): TreeBuilder | undefined {
  const { presentCount, nullCount, isSorted } = survey;
  const isAscending = isSorted && nullCount === 0;
  const builder = new TreeBuilder(tree, heap, presentCount + nullCount, isAscending);
  if (isAscending) {
    addScanned(scan, SCAN_ALL, builder);
    return builder;
  }
  const isDescending = tree.shape.isDescending[0] !== 0;
  if (nullCount > 0 && !isDescending) addScanned(scan, SCAN_NULL, builder);
  if (presentCount > 0) {
    if (isSorted) addScanned(scan, SCAN_PRESENT, builder);
    else if (!addSorted(scan, survey, builder, space)) return undefined;
  }
  if (nullCount > 0 && isDescending) addScanned(scan, SCAN_NULL, builder);
  return builder;
}

function addScanned(scan: KeyScan, rows: number, builder: TreeBuilder): void {
  for (let segment = 0; segment < scan.segmentCount; segment++)
    builder.addKeys(scan.highs, scan.lows, scan.rows, scan.read(segment, rows));
}

/** False where there is no room. */
function addSorted(scan: KeyScan, survey: KeySurvey, builder: TreeBuilder, space: SortSpace): boolean {
  const { presentCount, varyingLow, isInt, high } = survey;
  // An int's low word compares as unsigned as it is, that of two words when its sign is turned.
  const digits = pairDigits(varyingLow, isInt ? 0 : WORD_MIN, presentCount);
  const counts = new Int32Array(digits.leadingMask + 1);
  for (let segment = 0; segment < scan.segmentCount; segment++)
    countLeading(scan.lows, scan.read(segment, SCAN_LOWS), counts, digits);
  const largest = counts.reduce((most, count) => Math.max(most, count), 0);
  const spare = space.take(digits.restBits === 0 ? 0 : largest * 2);
  if (spare === undefined) return false;
  let capacity = presentCount;
  let pairs = space.take(capacity * 2);
  while (pairs === undefined) {
    capacity >>>= 1;
    if (capacity < largest) return false;
    pairs = space.take(capacity * 2);
  }
  const places = new Int32Array(counts.length);
  for (let first = 0; first < counts.length; ) {
    let end = first;
    let pairCount = 0;
    while (end < counts.length && pairCount + counts[end]! <= capacity) pairCount += counts[end++]!;
    places.set(counts.subarray(first, end));
    startPlaces(places, 0, end - first, 0);
    for (let segment = 0; segment < scan.segmentCount; segment++)
      spread(scan.lows, scan.rows, scan.read(segment, SCAN_LOWS), pairs, places, digits, first, end - first);
    let from = 0;
    for (let bucket = first; bucket < end; bucket++) {
      const next = from + counts[bucket]!;
      if (sortBucket(pairs, from, next, spare, digits)) builder.addPairs(spare, 0, next - from, isInt, high);
      else builder.addPairs(pairs, from, next, isInt, high);
      from = next;
    }
    first = end;
  }
  space.give();
  space.give();
  return true;
}

function countLeading(lows: Int32Array, count: number, counts: Int32Array, digits: PairDigits): void {
  const { flip, leadingShift, leadingMask } = digits;
  for (let index = 0; index < count; index++) counts[((lows[index]! ^ flip) >>> leadingShift) & leadingMask]! += 1;
}

/** Puts the pairs of the buckets [first, first + bucketCount) in their places. */
function spread(
  lows: Int32Array,
  rows: Int32Array,
  count: number,
  pairs: Int32Array,
  places: Int32Array,
  digits: PairDigits,
  first: number,
  bucketCount: number,
): void {
  const { flip, leadingShift, leadingMask } = digits;
  for (let index = 0; index < count; index++) {
    const low = lows[index]!;
    const bucket = (((low ^ flip) >>> leadingShift) & leadingMask) - first;
    if (bucket >>> 0 >= bucketCount) continue;
    const place = places[bucket]! * 2;
    places[bucket]! += 1;
    pairs[place] = low;
    pairs[place + 1] = rows[index]!;
  }
}
