/** Random choices of requests: tables, ids, values. */

import type { SeededRandom } from '../../src/testing/random.ts';

/** Rows are inserted with ids below this: few enough that transactions meet. */
export const ID_COUNT: number = 24;
const LONG_TEXT_LENGTH = 3000;

export function pick(random: SeededRandom, tables: readonly string[]): string {
  return tables[random.below(tables.length)]!;
}

export function id(random: SeededRandom): number {
  return random.below(ID_COUNT);
}

export function oneId(random: SeededRandom): { low: number; high: number } {
  const low = id(random);
  return { low, high: low };
}

export function range(random: SeededRandom): { low: number; high: number } {
  const low = id(random);
  return { low, high: low + random.below(8) };
}

export function tags(random: SeededRandom): number[] {
  return Array.from({ length: 1 + random.below(3) }, () => random.below(1_000_000));
}

export function text(random: SeededRandom): string {
  const letter = String.fromCharCode(97 + random.below(26));
  return letter.repeat(random.oneIn(20) ? LONG_TEXT_LENGTH : random.below(30));
}
