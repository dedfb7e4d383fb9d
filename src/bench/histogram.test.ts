import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addHistogram, HISTOGRAM_BUCKET_COUNT, latencyPercentileMs, recordLatency } from './histogram.ts';

function percentiles(samplesMs: readonly number[], fractions: readonly number[]): number[] {
  const counters = new Uint32Array(HISTOGRAM_BUCKET_COUNT);
  for (const sample of samplesMs) recordLatency(counters, sample);
  const sums = new Float64Array(HISTOGRAM_BUCKET_COUNT);
  addHistogram(sums, counters);
  return fractions.map((fraction) => latencyPercentileMs(sums, fraction));
}

test('small latencies are exact', () => {
  const samples = Array.from({ length: 50 }, (_, index) => (index + 1) / 1000 + 1e-9);
  assert.deepEqual(percentiles(samples, [0.02, 0.5, 1]), [0.001, 0.025, 0.05]);
});

test('large latencies are at most 1/32 above the true value', () => {
  for (const sample of [0.064, 0.1, 0.127, 0.128, 1, 1.5, 77.7, 1000, 123_456, 2_000_000]) {
    const [shown] = percentiles([sample], [0.5]);
    assert.ok(shown! >= sample - 0.001 && shown! <= sample * (1 + 1 / 32) + 0.001, `${sample} is shown as ${shown}`);
  }
});

test('extremes stay inside the histogram', () => {
  const [lowest, highest] = percentiles([-1, 1e12], [0.5, 1]);
  assert.equal(lowest, 0);
  assert.ok(highest! > 2_000_000);
});

test('without samples every percentile is 0', () => {
  assert.deepEqual(percentiles([], [0.5]), [0]);
});

test('counters of several threads add up', () => {
  const sums = new Float64Array(HISTOGRAM_BUCKET_COUNT);
  for (const sample of [0.01, 0.02, 0.03]) {
    const counters = new Uint32Array(HISTOGRAM_BUCKET_COUNT);
    recordLatency(counters, sample + 1e-9);
    addHistogram(sums, counters);
  }
  assert.equal(latencyPercentileMs(sums, 0.5), 0.02);
});
