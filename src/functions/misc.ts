/** Random numbers, version, error, and what runs ahead of the transaction. */

import { assert } from '../base/assert.ts';
import { SqlError } from '../base/errors.ts';
import { VERSION } from '../base/version.ts';
import { readInt64, setBig } from '../types/int64.ts';
import { BIGINT, TEXT } from '../types/type.ts';
import {
  type AheadServices,
  define,
  type FunctionContext,
  type FunctionDoc,
  type ScalarFunction,
} from './signature.ts';
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

function services(context: FunctionContext): AheadServices {
  const found = context.services;
  assert(found !== undefined, 'a function that runs ahead is called by a coordinator');
  return found;
}

function identityOf(context: FunctionContext, target: number, first: number): void {
  services(context).nextIdentity(textOf(context, first), textOf(context, first + 1), target);
}

/** What a timer takes. */
const SLEEP_MS_MAX = 2147483647;

function sleep(context: FunctionContext, target: number, first: number): void {
  const milliseconds = context.num[first]!;
  if (!(milliseconds >= 0 && milliseconds <= SLEEP_MS_MAX)) {
    throw new SqlError('out_of_range', `sleep: the argument must be between 0 and ${SLEEP_MS_MAX}`);
  }
  services(context).sleep(milliseconds);
  context.nul[target] = 1;
}

const RANDOM_DOC: FunctionDoc = {
  family: 'Numbers',
  summary: 'A random int of 64 bits, or from 0 to below n.',
  parameters: ['n'],
  errors: ['n is not above 0'],
  examples: [
    ['random(1)', '0'],
    ['random(0)', 'error: random: the argument must be above 0'],
  ],
};
const VERSION_DOC: FunctionDoc = {
  family: 'Miscellaneous',
  summary: 'The version of Amelie.',
  parameters: [],
  errors: [],
  examples: [["regexp_like(version(), '^\\d+\\.\\d+\\.\\d+')", 'true']],
};
const ERROR_DOC: FunctionDoc = {
  family: 'Miscellaneous',
  summary: 'Fails with the text as its message: the transaction changes nothing.',
  parameters: ['message'],
  nulls: 'NULL, without an error, if the message is NULL',
  errors: ['always'],
  examples: [
    ["error('no stock')", 'error: no stock'],
    ["case when 1 < 2 then 'ok' else error('no stock') end", '"ok"'],
  ],
};
const IDENTITY_OF_DOC: FunctionDoc = {
  family: 'Identifiers and security',
  summary:
    'The next value of the identity column of a table, which no row then gets by itself. It is taken once for each place where the call stands, before the transaction begins.',
  parameters: ['schema', 'table'],
  errors: [
    'there is no such table, or it has no identity column',
    'an argument that is not constant',
    'the identity values of the table are used up',
  ],
  examples: [["identity_of('public', 'orders')", "error: identity_of: table 'public.orders' does not exist"]],
};
const SLEEP_DOC: FunctionDoc = {
  family: 'Miscellaneous',
  summary:
    'Waits before the transaction begins; other connections do not wait with it. The argument is constant, and the call stands outside of the rows of a table. The result is NULL.',
  parameters: ['milliseconds'],
  nulls: 'always NULL',
  errors: [
    'an argument that is not constant, or not between 0 and 2147483647',
    'a call in a query over a table',
    'a wait that is longer than `limit_statement_ms`',
  ],
  examples: [['sleep(1)', 'null']],
};

export const MISC_FUNCTIONS: readonly ScalarFunction[] = [
  define('random', [], BIGINT, random, { isPure: false, doc: RANDOM_DOC }),
  define('random', [BIGINT], BIGINT, randomBelow, { isPure: false, doc: RANDOM_DOC }),
  define('version', [], TEXT, version, { doc: VERSION_DOC }),
  // It can give NULL, or so the compiler believes: else `error(…) is null` would be known without a call.
  define('error', [TEXT], TEXT, raise, { isPure: false, canGiveNull: true, doc: ERROR_DOC }),
  define('identity_of', [TEXT, TEXT], BIGINT, identityOf, { isAhead: true, doc: IDENTITY_OF_DOC }),
  define('sleep', [BIGINT], BIGINT, sleep, { isAhead: true, canGiveNull: true, doc: SLEEP_DOC }),
];
