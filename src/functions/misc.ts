/** Random numbers, version, error. */

import { SqlError } from '../base/errors.ts';
import { VERSION } from '../base/version.ts';
import { readInt64, setBig } from '../types/int64.ts';
import { BIGINT, TEXT } from '../types/type.ts';
import { define, type FunctionContext, type ScalarFunction } from './signature.ts';
import { setText, textOf } from './values.ts';

function random(context: FunctionContext, target: number): void {
  const low = context.random.next();
  readInt64(context, target, low, context.random.next());
}

function randomBelow(context: FunctionContext, target: number, first: number): void {
  const modulo = context.num[first]!;
  if (modulo <= 0 || (Number.isNaN(modulo) && context.big[first]! < 0n)) {
    throw new SqlError('invalid_value', 'random: the argument must be above 0');
  }
  if (Number.isNaN(modulo)) setBig(context, target, context.random.belowBig(context.big[first]!));
  else context.num[target] = context.random.below(modulo);
}

function version(context: FunctionContext, target: number): void {
  setText(context, target, VERSION);
}

function raise(context: FunctionContext, _target: number, first: number): void {
  throw new SqlError('raised', textOf(context, first));
}

export const MISC_FUNCTIONS: readonly ScalarFunction[] = [
  define('random', [], BIGINT, random, { isPure: false }),
  define('random', [BIGINT], BIGINT, randomBelow, { isPure: false }),
  define('version', [], TEXT, version),
  define('error', [TEXT], TEXT, raise, { isPure: false }),
];
