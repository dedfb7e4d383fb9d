import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { SeededRandom } from '../testing/random.ts';
import { FailureRate, hasSeveralNodes } from './failure-rate.ts';

/** Counts runs of which every n-th fails; the run after which the mode was another, 0 where it stayed. */
function runsToChange(rate: FailureRate, everyNth: number, runCount: number): number {
  const before = rate.isWaiting;
  for (let run = 1; run <= runCount; run++) {
    rate.count(run % everyNth === 0);
    if (rate.isWaiting !== before) return run;
  }
  return 0;
}

test('a program that always fails waits after twelve runs, and no sooner', () => {
  assert.equal(runsToChange(new FailureRate(), 1, 100), 12);
});

test('one failure in eight runs is not over 1 in 8, one in seven is', () => {
  assert.equal(runsToChange(new FailureRate(), 8, 5000), 0);
  // 12 * 8 > 12 * 7: at the twelfth failure.
  assert.equal(runsToChange(new FailureRate(), 7, 5000), 12 * 7);
});

test('what was long ago does not keep a program from waiting, nor waiting', () => {
  const rate = new FailureRate();
  assert.equal(runsToChange(rate, 100_000, 99_999), 0);
  const entered = runsToChange(rate, 5, 5000);
  assert.ok(entered > 0 && entered <= 512, `at 20 % it waits after ${entered} runs`);
  assert.equal(runsToChange(rate, 5, 5000), 0, 'and goes on to');
  const left = runsToChange(rate, 100_000, 5000);
  assert.ok(left > 0 && left <= 4 * 512, `without failures it waits no more after ${left} runs`);
  assert.equal(runsToChange(rate, 100, 5000), 0, 'and at 1 % it does not begin again');
});

test('between 1 in 16 and 1 in 8 the mode stays what it is', () => {
  const ahead = new FailureRate();
  assert.equal(runsToChange(ahead, 12, 10_000), 0);
  const waiting = new FailureRate();
  runsToChange(waiting, 2, 5000);
  assert.equal(runsToChange(waiting, 12, 10_000), 0);
});

test('by chance, 5 % of failures hardly ever makes a program wait, and 25 % nearly always', () => {
  const random = new SeededRandom(1);
  const waitingRuns = (oneIn: number): number => {
    const rate = new FailureRate();
    let count = 0;
    for (let run = 0; run < 50_000; run++) {
      rate.count(random.oneIn(oneIn));
      if (rate.isWaiting) count++;
    }
    return count;
  };
  assert.ok(waitingRuns(20) < 1_000);
  assert.ok(waitingRuns(4) > 49_000);
});

test('masks of one node and of several', () => {
  for (const [low, high, expected] of [
    [1, 0, false],
    [1 << 31, 0, false],
    [0, 1 << 31, false],
    [0, 1, false],
    [3, 0, true],
    [(1 << 31) | 1, 0, true],
    [-1, 0, true],
    [0, 6, true],
    [1, 1, true],
    [1 << 31, 1 << 31, true],
  ] as const)
    assert.equal(hasSeveralNodes(low, high), expected, `${low} ${high}`);
});
