/**
 * The arithmetic of runs in pairs. The runs of a pair are next to each other in time, so a machine that gets slower or
 * faster changes both, and the ratio of a pair counts; the median of the ratios leaves out the pairs that were disturbed.
 */

import { median } from './report.ts';

/** Transactions a second of this tree, and of the commit it is compared with. */
export type Pair = { readonly ours: number; readonly theirs: number };

export type PairSummary = {
  readonly ratioMedian: number;
  readonly ratioLowest: number;
  readonly ratioHighest: number;
};

export type Side = 'ours' | 'theirs';

/**
 * The runs of a pair: each side twice, mirrored, so that what the machine gains or loses steadily falls out; and who goes
 * first takes turns.
 */
export function runOrder(pairIndex: number): readonly Side[] {
  return pairIndex % 2 === 0 ? ['ours', 'theirs', 'theirs', 'ours'] : ['theirs', 'ours', 'ours', 'theirs'];
}

/** A pair out of the rates of its runs, which all took the same time. */
export function makePair(order: readonly Side[], rates: readonly number[]): Pair {
  const meanOf = (side: Side): number => {
    const ofSide = rates.filter((_, index) => order[index] === side);
    return ofSide.reduce((sum, rate) => sum + rate, 0) / ofSide.length;
  };
  return { ours: meanOf('ours'), theirs: meanOf('theirs') };
}

export function ratioOf(pair: Pair): number {
  return pair.ours / pair.theirs;
}

export function summarizePairs(pairs: readonly Pair[]): PairSummary {
  const ratios = pairs.map(ratioOf);
  return { ratioMedian: median(ratios), ratioLowest: Math.min(...ratios), ratioHighest: Math.max(...ratios) };
}

/** Like `pair 2, 64 clients: 69,776 against 71,002 tx/s, ratio 0.983`. */
export function describePair(pairIndex: number, clientCount: number, pair: Pair): string {
  const [ours, theirs] = [pair.ours, pair.theirs].map((rate) => Math.round(rate).toLocaleString('en-US'));
  return `pair ${pairIndex + 1}, ${clientCount} clients: ${ours} against ${theirs} tx/s, ratio ${ratioOf(pair).toFixed(3)}`;
}

/** The rate in the totals that `amelie bench` prints. An Error shows what was printed instead. */
export function readBenchRate(output: string): number {
  const match = /^transactions .* s: ([\d,]+) a second$/m.exec(output);
  const rate = match === null ? 0 : Number(match[1]!.replaceAll(',', ''));
  if (!(rate > 0)) throw new Error(`amelie bench printed no rate:\n${output}`);
  return rate;
}
