import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createRegisters } from '../base/registers.ts';
import {
  bigOfWords,
  compareIntDouble,
  compareIntRegisters,
  compareWords,
  getBig,
  highWord,
  INT64_MAX,
  INT64_MIN,
  numberOfWords,
  readInt64,
  setBig,
  WORDS,
  wordsOfBig,
} from './int64.ts';

const EDGES: readonly bigint[] = [
  0n,
  1n,
  2n ** 31n,
  2n ** 32n,
  2n ** 52n,
  2n ** 53n,
  2n ** 62n,
  2n ** 63n - 1n,
  2n ** 63n,
]
  .flatMap((value) => [value - 1n, value, value + 1n])
  .flatMap((value) => [value, -value])
  .filter((value) => value >= INT64_MIN && value <= INT64_MAX);

const anyInt: fc.Arbitrary<bigint> = fc.oneof(fc.constantFrom(...EDGES), fc.bigInt({ min: INT64_MIN, max: INT64_MAX }));

describe('64-bit integers', () => {
  it('have one register form each', () => {
    const registers = createRegisters(1);
    for (const value of EDGES) {
      wordsOfBig(value);
      const [low, high] = [WORDS[0]!, WORDS[1]!];
      readInt64(registers, 0, low, high);
      const isExact = value >= -(2n ** 53n) && value <= 2n ** 53n;
      assert.equal(registers.num[0], isExact ? Number(value) : Number.NaN);
      assert.equal(getBig(registers, 0), value);
      assert.equal(bigOfWords(low, high), value);
      assert(Object.is(numberOfWords(low, high), registers.num[0]));
      setBig(registers, 0, value);
      assert.equal(getBig(registers, 0), value);
      if (isExact) assert.deepEqual([Number(value) | 0, highWord(Number(value))], [low, high]);
    }
  });

  it('compare exactly in every form', () => {
    const registers = createRegisters(2);
    fc.assert(
      fc.property(anyInt, anyInt, (a, b) => {
        const expected = a === b ? 0 : a < b ? -1 : 1;
        setBig(registers, 0, a);
        setBig(registers, 1, b);
        assert.equal(compareIntRegisters(registers, 0, 1), expected);
        wordsOfBig(a);
        const [low, high] = [WORDS[0]!, WORDS[1]!];
        wordsOfBig(b);
        assert.equal(compareWords(low, high, WORDS[0]!, WORDS[1]!), expected);
      }),
    );
  });

  it('compare with doubles without rounding', () => {
    const cases: [bigint, number, number][] = [
      [2n ** 53n + 1n, 2 ** 53, 1],
      [2n ** 53n, 2 ** 53, 0],
      [-(2n ** 53n) - 1n, -(2 ** 53), -1],
      [INT64_MAX, 2 ** 63, -1],
      [INT64_MIN, -(2 ** 63), 0],
      [INT64_MIN, -(2 ** 64), 1],
      [INT64_MAX, 1e300, -1],
      [2n ** 60n, 2 ** 60, 0],
      [2n ** 60n + 1n, 2 ** 60, 1],
      [3n, 3.5, -1],
      [-3n, -3.5, 1],
      [0n, -0, 0],
    ];
    const registers = createRegisters(1);
    for (const [int, double, expected] of cases) {
      setBig(registers, 0, int);
      assert.equal(compareIntDouble(registers.num[0]!, registers.big[0]!, double), expected, `${int} ${double}`);
    }
  });
});
