/** The arguments of `npm run bench`: sections next to their peers, or this tree against a commit. */

import { parseArgs } from 'node:util';

export type SuiteRequest = {
  readonly kind: 'suite';
  readonly names: readonly string[];
  readonly seconds: number;
  readonly roundCount: number;
  readonly isLarge: boolean;
  readonly mebibytes: number;
  readonly match: string;
  readonly rowCount: number;
};

export type AgainstRequest = {
  readonly kind: 'against';
  /** A commit in any way that git takes: a hash, a branch, `HEAD~3`. */
  readonly commit: string;
  readonly pairCount: number;
  /** Of each of the four runs of a pair. */
  readonly seconds: number;
};

const DEFAULT_SECONDS = 10;
const DEFAULT_PAIR_SECONDS = 5;
const DEFAULT_ROUNDS = 3;
const DEFAULT_MEBIBYTES = 2048;
const DEFAULT_ROWS = 10_000_000;
/** Fewer say little: the same code compared with itself gave 0.87 to 1.27 (runs of 1 s, busy machine). */
export const DEFAULT_PAIRS = 5;

/** Reads the arguments; those that make no sense are Errors that name the option. */
export function readArguments(args: readonly string[], sectionNames: readonly string[]): SuiteRequest | AgainstRequest {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      seconds: { type: 'string' },
      rounds: { type: 'string' },
      large: { type: 'boolean' },
      match: { type: 'string' },
      size: { type: 'string' },
      rows: { type: 'string' },
      against: { type: 'string' },
      pairs: { type: 'string' },
    },
  });
  const defaultSeconds = values.against === undefined ? DEFAULT_SECONDS : DEFAULT_PAIR_SECONDS;
  const seconds = readCount('seconds', values.seconds, defaultSeconds);
  if (values.against !== undefined) {
    for (const name of ['only', 'rounds', 'large', 'match', 'size', 'rows'] as const) {
      if (values[name] !== undefined) throw new Error(`--${name} goes with the sections, not with --against`);
    }
    const commit = values.against.trim();
    if (commit === '') throw new Error('--against: expected a commit, as in --against=HEAD~1');
    return { kind: 'against', commit, pairCount: readCount('pairs', values.pairs, DEFAULT_PAIRS), seconds };
  }
  if (values.pairs !== undefined) throw new Error('--pairs goes with --against=<commit>');
  const names = values.only?.split(',') ?? sectionNames;
  for (const name of names) {
    if (!sectionNames.includes(name)) throw new Error(`--only: '${name}' is none of ${sectionNames.join(', ')}`);
  }
  const roundCount = readCount('rounds', values.rounds, DEFAULT_ROUNDS);
  const rowCount = readCount('rows', values.rows, DEFAULT_ROWS);
  const mebibytes = readCount('size', values.size, DEFAULT_MEBIBYTES);
  return {
    kind: 'suite',
    names,
    seconds,
    roundCount,
    isLarge: values.large ?? false,
    mebibytes,
    match: values.match ?? '',
    rowCount,
  };
}

function readCount(name: string, text: string | undefined, byDefault: number): number {
  if (text === undefined) return byDefault;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`--${name}: expected a whole number from 1, not '${text}'`);
  return Number(text);
}
