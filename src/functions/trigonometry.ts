/** Angles, in radians, and the functions of hyperbolas. */

import { SqlError } from '../base/errors.ts';
import { DOUBLE } from '../types/type.ts';
import { finite } from './numbers.ts';
import {
  define,
  type FunctionContext,
  type FunctionDoc,
  type FunctionExample,
  type ScalarFunction,
} from './signature.ts';

/** Those whose result can be beyond the range of doubles. */
const OVERFLOWING: ReadonlySet<string> = new Set(['sinh', 'cosh', 'degrees']);

/** A function of one double. `isDomain` says what it is defined for, `domain` the same in words, for the error. */
function entry(
  name: string,
  summary: string,
  compute: (value: number) => number,
  example: FunctionExample,
  domain?: readonly [isDomain: (value: number) => boolean, what: string],
): ScalarFunction {
  const doc: FunctionDoc = {
    family: 'Numbers',
    summary,
    parameters: ['x'],
    errors: [
      ...(domain === undefined ? [] : [`an argument that is not ${domain[1]}`]),
      ...(OVERFLOWING.has(name) ? ['a double result beyond the range of doubles'] : []),
    ],
    examples: [example],
  };
  const run = (context: FunctionContext, target: number, first: number): void => {
    const value = context.num[first];
    if (domain !== undefined && !domain[0](value)) {
      throw new SqlError('out_of_range', `${name}: argument is not ${domain[1]}`);
    }
    // Adding zero makes -0 the one zero that there is.
    context.num[target] = finite(compute(value), name) + 0;
  };
  return define(name, [DOUBLE], DOUBLE, run, { doc });
}

function atan2(context: FunctionContext, target: number, first: number): void {
  context.num[target] = Math.atan2(context.num[first], context.num[first + 1]) + 0;
}

const ATAN2_DOC: FunctionDoc = {
  family: 'Numbers',
  summary: 'The angle of the point (x, y), from -pi to pi.',
  parameters: ['y', 'x'],
  errors: [],
  examples: [['atan2(1, -1)', '2.356194490192345']],
};
const UNIT = [(value: number): boolean => Math.abs(value) <= 1, 'within -1 and 1'] as const;

export const TRIGONOMETRY: readonly ScalarFunction[] = [
  entry('sin', 'The sine of an angle.', Math.sin, ['sin(0)', '0']),
  entry('cos', 'The cosine of an angle.', Math.cos, ['cos(pi())', '-1']),
  entry('tan', 'The tangent of an angle.', Math.tan, ['tan(0.5)', '0.5463024898437905']),
  entry('asin', 'The angle with that sine.', Math.asin, ['asin(1)', '1.5707963267948966'], UNIT),
  entry('acos', 'The angle with that cosine.', Math.acos, ['acos(-1)', '3.141592653589793'], UNIT),
  entry('atan', 'The angle with that tangent.', Math.atan, ['atan(1)', '0.7853981633974483']),
  define('atan2', [DOUBLE, DOUBLE], DOUBLE, atan2, { doc: ATAN2_DOC }),
  entry('sinh', 'The hyperbolic sine.', Math.sinh, ['sinh(0)', '0']),
  entry('cosh', 'The hyperbolic cosine.', Math.cosh, ['cosh(0)', '1']),
  entry('tanh', 'The hyperbolic tangent.', Math.tanh, ['tanh(1000)', '1']),
  entry('asinh', 'The value with that hyperbolic sine.', Math.asinh, ['asinh(0)', '0']),
  entry(
    'acosh',
    'The value with that hyperbolic cosine.',
    Math.acosh,
    ['acosh(1)', '0'],
    [(value) => value >= 1, '1 or above'],
  ),
  entry(
    'atanh',
    'The value with that hyperbolic tangent.',
    Math.atanh,
    ['atanh(0)', '0'],
    [(value) => Math.abs(value) < 1, 'between -1 and 1'],
  ),
  entry('degrees', 'Radians in degrees.', (value) => (value * 180) / Math.PI, ['degrees(pi())', '180']),
  entry('radians', 'Degrees in radians.', (value) => (value / 180) * Math.PI, ['radians(180)', '3.141592653589793']),
];
