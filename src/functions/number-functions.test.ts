import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Argument, call } from './testing.ts';

const MAX = 2n ** 63n - 1n;
const MIN = -(2n ** 63n);

/** Expected values by hand, and by Python's math. */
const CASES: readonly (readonly [string, Argument[], unknown])[] = [
  ['fabs', [-3n], 3],
  ['fabs', [MIN], 2 ** 63],
  ['fabs', [-1.5], 1.5],
  ['trunc', [1.9], 1],
  ['trunc', [-1.9], -1],
  ['trunc', [-0.5], 0],
  ['trunc', [MAX], MAX],
  ['trunc', [1e300], 1e300],
  ['floor', [-0.0], 0],
  ['exp', [1n], Math.E],
  ['exp', [710], 'overflow: exp: double overflow'],
  ['exp', [-1000], 0],
  ['ln', [Math.E], 1],
  ['ln', [0n], 'invalid_value: ln: argument is zero'],
  ['ln', [-1], 'invalid_value: ln: argument is negative'],
  ['log', [100n], 2],
  ['log', [0], 'invalid_value: log: argument is zero'],
  ['log10', [1e-5], -5],
  ['log10', [-0.5], 'invalid_value: log10: argument is negative'],
  ['log2', [MAX], 63],
  ['log2', [0.125], -3],
  ['log2', [-0.0], 'invalid_value: log2: argument is zero'],
  ['cbrt', [27n], 3],
  ['cbrt', [-0.125], -0.5],
  ['power', [2n, 62n], 2n ** 62n],
  ['power', [2n, 63n], 'overflow: power: int overflow'],
  ['power', [2n, -1n], 'invalid_value: power: exponent is negative'],
  ['power', [0, -1], 'zero_division: power: zero to a negative power'],
  ['pow', [-2n, 63n], MIN],
  ['pow', [-2n, 64n], 'overflow: pow: int overflow'],
  ['pow', [MIN, 1n], MIN],
  ['pow', [MIN, 2n], 'overflow: pow: int overflow'],
  ['pow', [3037000499n, 2n], 9223372030926249001n],
  ['pow', [3037000500n, 2n], 'overflow: pow: int overflow'],
  ['pow', [7n, 22n], 3909821048582988049n],
  ['fpow', [2n, -2n], 0.25],
  ['fpow', [2n, 0.5], Math.SQRT2],
  ['fpow', [-8, 1 / 3], 'invalid_value: fpow: negative number to a fractional power'],
  ['fpow', [10, 309], 'overflow: fpow: double overflow'],
  ['mod', [-9007199254740993n, 2n], -1n],
  ['mod', [MIN, MAX], -1n],
  ['mod', [-6, 3], 0],
  ['fmod', [-7.5, 2], -1.5],
  ['fmod', [1n, 0n], 'zero_division: zero division'],
  ['pi', [], Math.PI],
  ['sin', [0.5], 0.479425538604203],
  ['cos', [0.5], 0.8775825618903728],
  ['tan', [-0.0], 0],
  ['asin', [0.5], 0.5235987755982989],
  ['asin', [1.5], 'out_of_range: asin: argument is not within -1 and 1'],
  ['acos', [0.5], 1.0471975511965979],
  ['acos', [-2n], 'out_of_range: acos: argument is not within -1 and 1'],
  ['atan', [1e300], Math.PI / 2],
  ['atan2', [1n, 0n], Math.PI / 2],
  ['atan2', [0n, 0n], 0],
  ['atan2', [-1, -1], -2.356194490192345],
  ['sinh', [1n], 1.1752011936438014],
  ['sinh', [1000n], 'overflow: sinh: double overflow'],
  ['cosh', [-1000n], 'overflow: cosh: double overflow'],
  ['cosh', [1n], 1.5430806348152437],
  ['tanh', [0.5], 0.46211715726000974],
  ['asinh', [1n], 0.881373587019543],
  ['acosh', [2n], 1.3169578969248166],
  ['acosh', [0.5], 'out_of_range: acosh: argument is not 1 or above'],
  ['atanh', [0.5], 0.5493061443340548],
  ['atanh', [1n], 'out_of_range: atanh: argument is not between -1 and 1'],
  ['degrees', [Math.PI], 180],
  ['degrees', [1e308], 'overflow: degrees: double overflow'],
  ['radians', [180n], Math.PI],
  ['radians', [1.7e308], (1.7e308 / 180) * Math.PI],
];

describe('functions of numbers', () => {
  for (const [name, args, expected] of CASES) {
    it(`${name}(${args.map(String).join(', ')})`, () => {
      const result = call(name, args);
      // Of the last digit the mathematical libraries are not of one mind.
      if (typeof expected !== 'number' || Number.isInteger(expected)) assert.deepEqual(result, expected);
      else assert(Math.abs((result as number) - expected) <= Math.abs(expected) * 4e-16, `${result} for ${expected}`);
    });
  }

  it('mod and pow of random integers are those of BigInt', () => {
    const values = [0n, 1n, -1n, 2n, 3n, -7n, 10n, 2n ** 31n, 2n ** 53n, 2n ** 53n + 1n, -(2n ** 53n) - 1n, MAX, MIN];
    for (const a of values) {
      for (const b of values) {
        if (b !== 0n) assert.equal(call('mod', [a, b]), a % b, `${a} mod ${b}`);
        if (b < 0n || b > 70n) continue;
        const power = a ** b;
        const expected = power >= MIN && power <= MAX ? power : 'overflow: pow: int overflow';
        assert.equal(call('pow', [a, b]), expected, `${a} pow ${b}`);
      }
    }
  });
});
