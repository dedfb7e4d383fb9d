/**
 * The rows of the expressions section, made from their number alone: our server, node:sqlite and the plain loops get the
 * same values without sending them to one another.
 *
 * Whatever a query adds up stays exact in a double (numbers below 2^53, fractions in quarters), so that the order of the
 * rows, which nobody promises, cannot change an answer.
 */

export const DIMENSION_COUNT = 16;

/** 32 bits that depend on all bits of both numbers: the finalizer of murmur3. */
function mix(row: number, salt: number): number {
  let h = Math.imul(row + 1, 0x9e3779b1) ^ Math.imul(salt, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

export type NumbersRow = { readonly a: number; readonly b: number | null; readonly x: number };

/** a: below 100,000; b: up to 4.3 · 10^9, each 50th NULL; x: quarters below 25,000. */
export function numbersRow(row: number): NumbersRow {
  const b = mix(row, 2);
  return { a: mix(row, 1) % 100_000, b: b % 50 === 0 ? null : b + 7, x: (mix(row, 3) % 100_000) / 4 };
}

const NAMES: readonly string[] = [
  'ada',
  'grace',
  'edsger',
  'barbara',
  'donald',
  'frances',
  'ólafur',
  'tony',
  'niklaus',
];
const HOSTS: readonly string[] = [
  'example.com',
  'mail.example.org',
  'müller.example',
  'db.test',
  'a-rather-long.example.net',
];

/** Like `grace4711@mail.example.org`: 15 to 40 bytes, a part of them not ASCII. */
export function textOfRow(row: number): string {
  const name = NAMES[mix(row, 4) % NAMES.length]!;
  const host = HOSTS[mix(row, 5) % HOSTS.length]!;
  return `${name}${mix(row, 6) % 1_000_000}@${host}`;
}

/** An object of about 110 bytes of JSON text, three levels deep. */
export function documentOfRow(row: number): unknown {
  const name = NAMES[mix(row, 7) % NAMES.length]!;
  return {
    kind: 'order',
    user: { name, age: mix(row, 8) % 100, tags: ['new', name] },
    price: (mix(row, 9) % 10_000) / 4,
    isPaid: mix(row, 10) % 3 > 0,
    items: [mix(row, 11) % 1000, mix(row, 12) % 1000, mix(row, 13) % 1000],
  };
}

/** 2000-01-01 to 2035-12-30, in microseconds since 1970. */
export function microsOfRow(row: number): number {
  return 946_684_800_000_000 + (mix(row, 14) % 1_135_900_000) * 1_000_000 + (mix(row, 15) % 1_000_000);
}

/** Element `index` of the row's vector: a 32-bit float in [-1, 1). */
export function elementOfRow(row: number, index: number): number {
  return Math.fround((mix(row, 100 + index) % 65_536) / 32_768 - 1);
}

/** What similarity is measured to. */
export const QUERY_VECTOR: readonly number[] = Array.from({ length: DIMENSION_COUNT }, (_, index) =>
  elementOfRow(-7, index),
);
