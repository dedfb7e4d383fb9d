/** Inputs that nobody would write: random bytes, soups of tokens, and valid texts with pieces changed. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../generated/random.ts';

/** AMELIE_FUZZ_FACTOR multiplies the number of cases, SEED repeats a run. */
const FACTOR = Number(process.env.AMELIE_FUZZ_FACTOR ?? 1);
export const SEED: number = Number(process.env.SEED ?? (process.env.CI ? 20261122 : Date.now() % 1_000_000_000));

export function caseCount(count: number): number {
  return Math.ceil(count * FACTOR);
}

/** A generator of its own for each test. */
export function seeded(name: string): Random {
  let hash = SEED;
  for (const character of name) hash = Math.imul(hash, 31) + character.charCodeAt(0);
  return new Random(hash);
}

const encoder = new TextEncoder();

export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

/** For failures: the text, and its bytes where it is none. */
export function shown(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString();
  return Buffer.from(text).equals(Buffer.from(bytes))
    ? JSON.stringify(text)
    : `bytes ${Buffer.from(bytes).toString('hex')}`;
}

export function randomBytes(random: Random, lengthMax: number): Uint8Array {
  const bytes = new Uint8Array(random.below(lengthMax + 1));
  // Mostly what tokens are made of.
  const isPlain = !random.oneIn(3);
  for (let at = 0; at < bytes.length; at++) bytes[at] = isPlain ? 32 + random.below(96) : random.below(256);
  return bytes;
}

/** Pieces with which texts of any kind are changed. */
const COMMON = [
  '',
  ' ',
  '\0',
  '\n',
  '\r\n',
  '"',
  "'",
  '\\',
  '\\u',
  '\\ud800',
  '\\udc00',
  'é',
  '𝄞',
  '\u{FEFF}',
  '-',
  '+',
  '.',
  '0',
  '9',
  '99999999999999999999',
  '1e999',
  '-0',
  'e',
  ',',
  ':',
  ';',
  '[',
  ']',
  '{',
  '}',
  '(',
  ')',
  '%',
  '/',
];

/** Up to `editsMax` pieces of the text cut out, doubled, replaced by another or by random bytes. */
export function mutate(random: Random, text: Uint8Array, pieces: readonly string[], editsMax = 4): Uint8Array {
  let bytes = text;
  for (let edits = 1 + random.below(editsMax); edits > 0; edits--) {
    const at = random.below(bytes.length + 1);
    const end = Math.min(bytes.length, at + (random.oneIn(3) ? 0 : random.below(editsMax * 3)));
    let piece: Uint8Array;
    switch (random.below(6)) {
      case 0:
        piece = new Uint8Array(0);
        break;
      case 1:
        piece = randomBytes(random, 4);
        break;
      case 2: {
        const from = random.below(bytes.length + 1);
        piece = bytes.slice(from, from + random.below(20));
        break;
      }
      case 3:
        piece = bytesOf(random.pick(COMMON));
        break;
      default:
        piece = bytesOf(random.pick(pieces));
    }
    bytes = Uint8Array.from([...bytes.subarray(0, at), ...piece, ...bytes.subarray(end)]);
  }
  return bytes;
}

const CASES = join(import.meta.dirname, '../sql/cases');

/** The requests of the SQL data files, by file, without those that make long lists. */
export function corpus(): readonly (readonly string[])[] {
  return readdirSync(CASES)
    .filter((name) => name.endsWith('.sqltest'))
    .sort()
    .map((name) =>
      readFileSync(join(CASES, name), 'utf8')
        .split(/\n\n+/)
        .map((block) => block.split('\n').filter((line) => !line.startsWith('#') && line !== '?rowsort'))
        .filter((lines) => lines.includes('----'))
        .map((lines) => lines.slice(0, lines.indexOf('----')).join('\n'))
        .filter((sql) => sql.length < 2000 && !sql.includes('{{')),
    );
}

/** Words and signs of SQL. */
export const SQL_PIECES: readonly string[] = [
  ...'select insert into t values update set where delete from order by group having limit offset distinct on as case'.split(
    ' ',
  ),
  ...'when then else end between and or not in is null like any all exists cast extract year at timezone date interval'.split(
    ' ',
  ),
  ...'timestamp vector uuid true false default returning conflict do nothing excluded with recursive union except join'.split(
    ' ',
  ),
  ...'left using create table primary key drop index show explain profile begin commit format json filter over self'.split(
    ' ',
  ),
  ..."count(*) sum( coalesce( substr( a b id $1 $2 1 -1 2.5 .5 1e3 'a' \"b\" `q` '\\u00e9' 9223372036854775808".split(
    ' ',
  ),
  ...'( ) [ ] { } , ; : :: . -> + - * / % | & ^ << >> || = <> != < <= > >= ~ -- /* */ $ # @ ! ?'.split(' '),
].map((piece) => ` ${piece} `);

export function tokenSoup(random: Random, countMax: number): string {
  return Array.from({ length: random.below(countMax) }, () => random.pick(SQL_PIECES)).join(random.oneIn(2) ? '' : ' ');
}
