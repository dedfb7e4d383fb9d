/**
 * A latency histogram over a plain array of counters: recording allocates nothing, and several threads' counters add up.
 *
 * Values are whole microseconds. Below 64 each value has its own bucket; above, each power of two is cut into 32 buckets,
 * so a percentile is at most 3 % above the true value.
 *
 *   bucket    0 ..   63   the values 0 .. 63
 *   bucket   64 ..   95   64 .. 127, two values each
 *   bucket   96 ..  127   128 .. 255, four values each
 *   and so on, up to 2^31 microseconds
 */

const EXACT_COUNT = 64;
const SUB_BUCKET_BITS = 5;
const SUB_BUCKET_COUNT = 32;
/** 64 exact buckets and 32 for each of the powers 2^6 .. 2^30. */
export const HISTOGRAM_BUCKET_COUNT: number = EXACT_COUNT + SUB_BUCKET_COUNT * 25;

function bucketOf(microseconds: number): number {
  if (microseconds < EXACT_COUNT) return microseconds;
  const exponent = 31 - Math.clz32(microseconds);
  const bucket = EXACT_COUNT + (exponent - 6) * SUB_BUCKET_COUNT;
  return bucket + ((microseconds >>> (exponent - SUB_BUCKET_BITS)) & (SUB_BUCKET_COUNT - 1));
}

/** The highest value that falls into a bucket. */
function highestOf(bucket: number): number {
  if (bucket < EXACT_COUNT) return bucket;
  const power = Math.floor((bucket - EXACT_COUNT) / SUB_BUCKET_COUNT) + 6;
  const position = (bucket - EXACT_COUNT) % SUB_BUCKET_COUNT;
  const width = 2 ** (power - SUB_BUCKET_BITS);
  return 2 ** power + (position + 1) * width - 1;
}

/** Counts one latency in milliseconds (as `performance.now()` differences are). */
export function recordLatency(buckets: Uint32Array, milliseconds: number): void {
  const microseconds = Math.min(Math.max(milliseconds * 1000, 0), 0x7fff_ffff) | 0;
  buckets[bucketOf(microseconds)]!++;
}

/** Adds the counters of `source` to those of `target`; both have HISTOGRAM_BUCKET_COUNT of them. */
export function addHistogram(target: Float64Array, source: Uint32Array): void {
  for (let bucket = 0; bucket < HISTOGRAM_BUCKET_COUNT; bucket++) target[bucket]! += source[bucket]!;
}

/** The latency in milliseconds that the share `fraction` (0 to 1) of all samples does not exceed; 0 without samples. */
export function latencyPercentileMs(buckets: Float64Array, fraction: number): number {
  let total = 0;
  for (let bucket = 0; bucket < HISTOGRAM_BUCKET_COUNT; bucket++) total += buckets[bucket]!;
  if (total === 0) return 0;
  const wanted = Math.max(1, Math.ceil(total * fraction));
  let seen = 0;
  for (let bucket = 0; bucket < HISTOGRAM_BUCKET_COUNT; bucket++) {
    seen += buckets[bucket]!;
    if (seen >= wanted) return highestOf(bucket) / 1000;
  }
  return highestOf(HISTOGRAM_BUCKET_COUNT - 1) / 1000;
}
