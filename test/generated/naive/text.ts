/** Text, LIKE, regular expressions, casts from and to text. */

import { createHash } from 'node:crypto';
import { int64 } from './numbers.ts';
import { always, eagerOperation, mostly, type Operand, type Operation, operation, SESSION } from './operations.ts';
import { typeOf } from './tree.ts';
import { Failure, Json, type Kind, textOf, type Value } from './values.ts';

const COUNTS = mostly('int', 0n, 1n, 2n, 3n, 5n, 9n, -1n, -2n, -7n, 9007199254740993n, -(2n ** 63n));
/** A count that makes no long texts. */
const SMALL = mostly('int', 0n, 1n, 2n, 3n, 8n, -1n);
const SMALL_ALWAYS = always('int', 0n, 1n, 2n, 3n, 6n, -1n);
const SETS = mostly('text', 'a', ' ', 'ab', '', '𝄞a', 'é', 'xyz ');
const PARTS = mostly('text', 'a', 'b', '', 'é', '𝄞', ' ', ',', 'ab');
const PATTERNS = mostly('text', '%', '_', 'a%', '%b', '%é_', '\\%', '_%_', '%a%b%', '', '𝄞%', 'a\\_b', '__', '%,%');

function characters(text: string): string[] {
  return [...text];
}

/** The characters from `start` to before `end`, both as bigint and not clamped. */
function slice(text: string, start: bigint, end: bigint): string {
  const all = characters(text);
  const clamp = (place: bigint): number =>
    Number(place < 0n ? 0n : place > BigInt(all.length) ? BigInt(all.length) : place);
  return all.slice(clamp(start), Math.max(clamp(start), clamp(end))).join('');
}

function substr(text: string, position: bigint, count?: bigint): string {
  if (count === undefined) return slice(text, position - 1n, 2n ** 70n);
  if (count < 0n) throw new Failure('invalid_value', 'out_of_range');
  return slice(text, position - 1n, position - 1n + count);
}

function left(text: string, count: bigint): string {
  return slice(text, 0n, count < 0n ? BigInt(characters(text).length) + count : count);
}

function right(text: string, count: bigint): string {
  const length = BigInt(characters(text).length);
  return slice(text, count < 0n ? -count : length - count, length);
}

function padding(text: string, count: bigint, fill: string): string {
  const missing = Number(count) - characters(text).length;
  const all = characters(fill);
  if (all.length === 0) return '';
  return Array.from({ length: Math.max(missing, 0) }, (_, index) => all[index % all.length]).join('');
}

function splitPart(text: string, delimiter: string, place: bigint): string {
  if (place === 0n) throw new Failure('invalid_value', 'out_of_range');
  const parts = delimiter === '' ? [text] : text.split(delimiter);
  const index = place > 0n ? place - 1n : BigInt(parts.length) + place;
  return index >= 0n && index < BigInt(parts.length) ? parts[Number(index)]! : '';
}

function trimmed(text: string, set: string, atStart: boolean, atEnd: boolean): string {
  const all = characters(text);
  const members = new Set(characters(set));
  while (atStart && all.length > 0 && members.has(all[0]!)) all.shift();
  while (atEnd && all.length > 0 && members.has(all.at(-1)!)) all.pop();
  return all.join('');
}

const SPACE = ' \t\v\n\f';

/** LIKE by recursion over characters. */
export function isLike(text: string, pattern: string): boolean {
  const wanted = characters(pattern);
  let escapes = 0;
  while (wanted.at(-1 - escapes) === '\\') escapes++;
  if (escapes % 2 === 1) throw new Failure('invalid_value');
  const matches = (t: readonly string[], p: readonly string[]): boolean => {
    if (p.length === 0) return t.length === 0;
    if (p[0] === '%') return matches(t, p.slice(1)) || (t.length > 0 && matches(t.slice(1), p));
    if (t.length === 0) return false;
    if (p[0] === '_') return matches(t.slice(1), p.slice(1));
    if (p[0] === '\\') return p[1] === t[0] && matches(t.slice(1), p.slice(2));
    return p[0] === t[0] && matches(t.slice(1), p.slice(1));
  };
  return matches(characters(text), wanted);
}

function parseInt64(text: string): bigint {
  const match = /^[ \t\n\v\f\r]*([+-]?)([0-9]+)[ \t\n\v\f\r]*$/.exec(text);
  if (match === null) throw new Failure('invalid_value');
  return int64(BigInt(match[2]!) * (match[1] === '-' ? -1n : 1n), 'out_of_range');
}

function parseNumber(text: string): number {
  const match = /^[ \t\n\v\f\r]*([+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?)[ \t\n\v\f\r]*$/.exec(text);
  if (match === null) throw new Failure('invalid_value');
  const value = Number(match[1]);
  if (!Number.isFinite(value)) throw new Failure('out_of_range');
  return value;
}

function parseBool(text: string): boolean {
  const word = text.trim().toLowerCase();
  if (['true', 't', 'yes', 'y', 'on', '1'].includes(word)) return true;
  if (['false', 'f', 'no', 'n', 'off', '0'].includes(word)) return false;
  throw new Failure('invalid_value');
}

function toText(value: Value, kind: Kind): string {
  return textOf(value as Exclude<Value, null>, kind, SESSION.zone);
}

/** Bytes as text, which must be UTF-8. */
function decoded(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Failure('invalid_value');
  }
}

function hash(name: string): (text: string) => string {
  return (text) => createHash(name).update(text).digest('hex');
}

/** `%s` in turn, `%%`. */
function formatted(format: string, values: readonly Value[], kinds: readonly Kind[]): string {
  let next = 0;
  return format.replace(/%([s%])/g, (_match, letter: string) => {
    if (letter === '%') return '%';
    const index = next++;
    const value = values[index]!;
    return value === null ? '' : toText(value, kinds[index]!);
  });
}

/** Patterns that mean the same to everybody, for texts without line ends. */
const REGEXPS: Operand = always(
  'text',
  'a',
  'a+b?',
  '[a-c]+',
  '[^a]',
  '(a|b)*c?',
  '(\\w)(\\w+)?',
  '\\d{1,3}',
  '^a',
  'b$',
  '.',
  'x|y|ab',
  '(?:ab)+?',
  '\\s',
  '(é|𝄞)',
  '',
  'a.c',
  '[\\d,]+',
);
const LINES: Operand = mostly('text', 'abc', 'aab 12, 345', 'x𝄞é', '', 'ABC abab', 'year 2024-05', 'tab\tb');

function regexp(pattern: string, flags = ''): RegExp {
  return new RegExp(pattern, `u${flags}`);
}

const CASTS: readonly Operation[] = (
  ['bool', 'int', 'double', 'text', 'json', 'timestamp', 'date', 'interval', 'vector', 'uuid'] as const
).flatMap((kind) => [
  kind === 'json'
    ? operation('text', '(#)::text', [kind], (value: Json) => (value.tree === null ? null : toText(value, kind)))
    : operation('text', '(#)::text', [kind], (value: Value) => toText(value, kind)),
  { result: 'text', operands: [kind], template: 'type(#)', form: typeOf(kind === 'text' ? 'string' : kind) } as const,
]);

export const TEXT_OPERATIONS: readonly Operation[] = [
  operation('text', '(# || #)', ['text', 'text'], (a: string, b: string) => a + b),
  operation('text', '(# || #)', ['text', 'text'], (a: string, b: string) => a + b),
  operation('text', 'lower(#)', ['text'], (a: string) => a.toLowerCase()),
  operation('text', 'upper(#)', ['text'], (a: string) => a.toUpperCase()),
  operation('text', 'substr(#, #)', ['text', COUNTS], (a: string, n: bigint) => substr(a, n)),
  operation('text', 'substr(#, #, #)', ['text', COUNTS, COUNTS], substr),
  operation('text', 'replace(#, #, #)', ['text', PARTS, PARTS], (a: string, from: string, to: string) =>
    from === '' ? a : a.split(from).join(to),
  ),
  operation('text', 'trim(#)', ['text'], (a: string) => trimmed(a, SPACE, true, true)),
  operation('text', 'ltrim(#)', ['text'], (a: string) => trimmed(a, SPACE, true, false)),
  operation('text', 'rtrim(#)', ['text'], (a: string) => trimmed(a, SPACE, false, true)),
  operation('text', 'trim(#, #)', ['text', SETS], (a: string, set: string) => trimmed(a, set, true, true)),
  operation('text', 'ltrim(#, #)', ['text', SETS], (a: string, set: string) => trimmed(a, set, true, false)),
  operation('text', '(#)::rtrim(#)', ['text', SETS], (a: string, set: string) => trimmed(a, set, false, true)),
  operation('text', 'left(#, #)', ['text', COUNTS], left),
  operation('text', 'right(#, #)', ['text', COUNTS], right),
  operation(
    'text',
    'lpad(#, #)',
    ['text', SMALL_ALWAYS],
    (a: string, n: bigint) => padding(a, n, ' ') + slice(a, 0n, n),
  ),
  operation(
    'text',
    'rpad(#, #)',
    ['text', SMALL_ALWAYS],
    (a: string, n: bigint) => slice(a, 0n, n) + padding(a, n, ' '),
  ),
  operation(
    'text',
    'lpad(#, #, #)',
    ['text', SMALL_ALWAYS, PARTS],
    (a: string, n: bigint, fill: string) => padding(a, n, fill) + slice(a, 0n, n),
  ),
  operation(
    'text',
    'rpad(#, #, #)',
    ['text', SMALL_ALWAYS, PARTS],
    (a: string, n: bigint, fill: string) => slice(a, 0n, n) + padding(a, n, fill),
  ),
  operation('text', 'reverse(#)', ['text'], (a: string) => characters(a).reverse().join('')),
  operation('text', 'repeat(#, #)', ['text', SMALL_ALWAYS], (a: string, n: bigint) =>
    a.repeat(Number(n < 0n ? 0n : n)),
  ),
  operation('text', 'split_part(#, #, #)', ['text', PARTS, SMALL], splitPart),
  eagerOperation('text', 'concat(#, #, #)', ['text', 'int', 'timestamp'], (a, b, c) =>
    [a ?? '', b === null ? '' : toText(b, 'int'), c === null ? '' : toText(c, 'timestamp')].join(''),
  ),
  eagerOperation('text', 'concat(#, #)', ['bool', 'double'], (a, b) =>
    [a === null ? '' : toText(a, 'bool'), b === null ? '' : toText(b, 'double')].join(''),
  ),
  eagerOperation(
    'text',
    'format(#, #, #)',
    [always('text', '%s-%s', '%%', '', '%s', 'é%s%%%s'), 'int', 'text'],
    (f, a, b) => (f === null ? null : formatted(f as string, [a!, b!], ['int', 'text'])),
  ),
  operation('text', "encode(#, 'base64')", ['text'], (a: string) => Buffer.from(a).toString('base64')),
  operation('text', "encode(#, 'base64url')", ['text'], (a: string) => Buffer.from(a).toString('base64url')),
  operation('text', "encode(#, 'hex')", ['text'], (a: string) => Buffer.from(a).toString('hex')),
  operation('text', "decode(encode(#, 'base64'), 'base64')", ['text'], (a: string) => a),
  operation('text', "decode(encode(#, 'base64url'), 'base64url')", ['text'], (a: string) => a),
  operation(
    'text',
    "decode(#, 'hex')",
    [always('text', '6162', 'C3a9', '', 'ff', '6', 'zz', 'f09d849e')],
    (a: string) => {
      if (a.length % 2 === 1 || /[^0-9a-f]/i.test(a)) throw new Failure('invalid_value');
      return decoded(Buffer.from(a, 'hex'));
    },
  ),
  operation('text', 'md5(#)', ['text'], hash('md5')),
  operation('text', 'sha1(#)', ['text'], hash('sha1')),
  operation('text', 'sha256(#)', ['text'], hash('sha256')),
  ...CASTS,
  operation('int', 'length(#)', ['text'], (a: string) => BigInt(characters(a).length)),
  operation('int', 'size(#)', ['text'], (a: string) => BigInt(characters(a).length)),
  operation('int', 'octet_length(#)', ['text'], (a: string) => BigInt(Buffer.byteLength(a))),
  operation('int', 'strpos(#, #)', ['text', PARTS], (a: string, b: string) => {
    const at = a.indexOf(b);
    return at < 0 ? 0n : BigInt(characters(a.slice(0, at)).length) + 1n;
  }),
  operation(
    'int',
    '(#)::bigint',
    [mostly('text', '12', ' -7 ', '12x', '', '+5', '9223372036854775808', '-9223372036854775808', '007', '1.5')],
    parseInt64,
  ),
  operation('int', '(#)::tinyint', [mostly('text', '127', '-128', '128', 'x', '0')], (a: string) => {
    const value = parseInt64(a);
    if (value < -128n || value > 127n) throw new Failure('out_of_range');
    return value;
  }),
  operation(
    'double',
    '(#)::double',
    [
      mostly(
        'text',
        '1.5',
        '-0',
        '1e3',
        '.5',
        '5.',
        'nan',
        '1e999',
        '0.1',
        '9007199254740993',
        ' 2 ',
        '',
        '4.9e-324',
        '1e-400',
        '123456789012345678901234567890',
      ),
    ],
    parseNumber,
  ),
  operation(
    'bool',
    '(#)::bool',
    [mostly('text', 'true', 'F', 'yes', 'no', 'on', '0', '1', 'maybe', '', ' t ')],
    parseBool,
  ),
  operation('bool', '(# like #)', ['text', PATTERNS], isLike),
  operation('bool', '(# not like #)', ['text', PATTERNS], (a: string, b: string) => !isLike(a, b)),
  operation('bool', 'like(#, #)', ['text', PATTERNS], isLike),
  operation('bool', 'starts_with(#, #)', ['text', PARTS], (a: string, b: string) => a.startsWith(b)),
  operation('bool', 'ends_with(#, #)', ['text', PARTS], (a: string, b: string) => a.endsWith(b)),
  operation('bool', 'regexp_like(#, #)', [LINES, REGEXPS], (a: string, p: string) => regexp(p).test(a)),
  operation('bool', "regexp_like(#, #, 'i')", [LINES, REGEXPS], (a: string, p: string) => regexp(p, 'i').test(a)),
  operation('text', 'regexp_substr(#, #)', [LINES, REGEXPS], (a: string, p: string) => regexp(p).exec(a)?.[0] ?? null),
  operation('json', 'regexp_match(#, #)', [LINES, REGEXPS], (a: string, p: string) => {
    const match = regexp(p).exec(a);
    return match === null ? null : new Json([...match].map((group) => group ?? null));
  }),
  operation(
    'text',
    'regexp_replace(#, #, #)',
    [LINES, REGEXPS, always('text', '', '-', '<𝄞>')],
    (a: string, p: string, w: string) => a.replace(regexp(p, 'g'), () => w),
  ),
];
