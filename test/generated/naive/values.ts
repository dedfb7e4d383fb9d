/**
 * Values as the naive evaluator has them, how SQL writes them, and how a result shows them. Plain JavaScript: BigInt, Number,
 * Temporal; nothing of the program.
 *
 * bool: boolean. int: bigint. double: number. text, uuid: string. json: Json. timestamp: bigint, microseconds since 1970.
 * date: number, Julian day. interval: Interval. vector: array of numbers that are 32-bit floats. NULL of any kind: null.
 */

export const KINDS = [
  'bool',
  'int',
  'double',
  'text',
  'json',
  'timestamp',
  'date',
  'interval',
  'vector',
  'uuid',
] as const;
export type Kind = (typeof KINDS)[number];

/** JSON: integers are bigint, other numbers number; JSON null is null. */
export type Tree = null | boolean | bigint | number | string | readonly Tree[] | ReadonlyMap<string, Tree>;

export class Json {
  readonly tree: Tree;

  constructor(tree: Tree) {
    this.tree = tree;
  }
}

export class Interval {
  readonly months: number;
  readonly days: number;
  readonly micros: bigint;

  constructor(months: number, days: number, micros: bigint) {
    this.months = months;
    this.days = days;
    this.micros = micros;
  }

  /** In microseconds, a month as 30 days, a day as 24 hours: what intervals are ordered by. */
  get length(): bigint {
    return (BigInt(this.months) * 30n + BigInt(this.days)) * 86_400_000_000n + this.micros;
  }
}

export type Value = null | boolean | bigint | number | string | Json | Interval | readonly number[];

/** An error that a statement must end with: any of these codes. */
export class Failure extends Error {
  readonly codes: readonly string[];

  constructor(...codes: readonly string[]) {
    super(codes.join(' or '));
    this.codes = codes;
  }
}

/** A value that may come out, or one of the errors. */
export class Uncertain {
  readonly value: Value;
  readonly codes: readonly string[];

  constructor(value: Value, codes: readonly string[]) {
    this.value = value;
    this.codes = codes;
  }
}

export const INT_MIN: bigint = -(2n ** 63n);
export const INT_MAX: bigint = 2n ** 63n - 1n;
const DATE_EPOCH = 2440588; // the Julian day of 1970-01-01
export const DATE_MIN: number = dateOf(Temporal.PlainDate.from('0001-01-01'));
export const DATE_MAX: number = dateOf(Temporal.PlainDate.from('9999-12-31'));
export const TIMESTAMP_MIN: bigint = Temporal.Instant.from('0001-01-01T00:00:00Z').epochNanoseconds / 1000n;
export const TIMESTAMP_MAX: bigint = Temporal.Instant.from('9999-12-31T23:59:59.999999Z').epochNanoseconds / 1000n;

/** The Julian day of a date. */
export function dateOf(date: Temporal.PlainDate): number {
  return DATE_EPOCH + Temporal.PlainDate.from('1970-01-01').until(date, { largestUnit: 'days' }).days;
}

export function plainDate(day: number): Temporal.PlainDate {
  return Temporal.PlainDate.from('1970-01-01').add({ days: day - DATE_EPOCH });
}

export function zoned(timestamp: bigint, zone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochNanoseconds(timestamp * 1000n).toZonedDateTimeISO(zone);
}

/** The text that a cast to text gives. */
export function textOf(value: Exclude<Value, null>, kind: Kind, zone: string): string {
  switch (kind) {
    case 'bool':
    case 'int':
    case 'text':
    case 'uuid':
      return String(value);
    case 'double':
      return doubleText(value as number);
    case 'json': {
      const { tree } = value as Json;
      return typeof tree === 'string' ? tree : treeText(tree);
    }
    case 'timestamp':
      return timestampText(value as bigint, zone);
    case 'date':
      return dateText(plainDate(value as number));
    case 'interval':
      return intervalText(value as Interval);
    case 'vector':
      return `[${(value as readonly number[]).map(floatText).join(', ')}]`;
  }
}

/** The text that stands in a result. */
export function resultText(value: Value, kind: Kind, zone: string): string {
  if (value === null) return 'null';
  if (kind === 'json') return treeText((value as Json).tree);
  const text = textOf(value, kind, zone);
  return kind === 'bool' || kind === 'int' || kind === 'double' || kind === 'vector' ? text : JSON.stringify(text);
}

/** What an integer could be, with all its digits, has an exponent from 2^53 on. */
function doubleText(value: number): string {
  if (Object.is(value, -0)) return '-0';
  return Math.abs(value) >= 2 ** 53 ? value.toExponential() : String(value);
}

/** The shortest decimal that is read as the same 32-bit float. */
export function floatText(value: number): string {
  if (value === 0) return doubleText(value);
  for (let precision = 1; precision <= 9; precision++) {
    const short = Number(value.toPrecision(precision));
    if (Math.fround(short) === value) return doubleText(short);
  }
  return doubleText(value);
}

export function treeText(tree: Tree): string {
  if (typeof tree === 'string') return JSON.stringify(tree);
  if (typeof tree === 'number') return doubleText(tree);
  if (tree === null || typeof tree !== 'object') return String(tree);
  if (tree instanceof Map)
    return `{${[...tree].map(([key, item]) => `${JSON.stringify(key)}: ${treeText(item as Tree)}`).join(', ')}}`;
  return `[${(tree as readonly Tree[]).map(treeText).join(', ')}]`;
}

function pad(value: number, length: number): string {
  return String(value).padStart(length, '0');
}

export function dateText({ year, month, day }: Temporal.PlainDate): string {
  return `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`;
}

export function timestampText(timestamp: bigint, zone: string): string {
  const time = zoned(timestamp, zone);
  const micros = time.millisecond * 1000 + time.microsecond;
  const fraction = micros === 0 ? '' : micros % 1000 === 0 ? `.${pad(micros / 1000, 3)}` : `.${pad(micros, 6)}`;
  const offset = Math.abs(time.offsetNanoseconds / 1e9);
  const parts = [Math.floor(offset / 3600), Math.floor(offset / 60) % 60, offset % 60].map((part) => pad(part, 2));
  while (parts.length > 1 && parts.at(-1) === '00') parts.pop();
  const clock = `${pad(time.hour, 2)}:${pad(time.minute, 2)}:${pad(time.second, 2)}`;
  return `${dateText(time.toPlainDate())} ${clock}${fraction}${time.offsetNanoseconds < 0 ? '-' : '+'}${parts.join(':')}`;
}

export function intervalText({ months, days, micros }: Interval): string {
  const parts: string[] = [];
  const add = (count: bigint | number, one: string, many: string): void => {
    if (BigInt(count) !== 0n) parts.push(`${count} ${BigInt(count) === 1n ? one : many}`);
  };
  add(Math.trunc(months / 12), 'year', 'years');
  add(months % 12, 'month', 'months');
  add(days, 'day', 'days');
  add(micros / 3_600_000_000n, 'hour', 'hours');
  add((micros / 60_000_000n) % 60n, 'minute', 'minutes');
  add((micros / 1_000_000n) % 60n, 'second', 'seconds');
  add((micros / 1000n) % 1000n, 'ms', 'ms');
  add(micros % 1000n, 'us', 'us');
  return parts.join(' ');
}

export function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

/** NULL of a kind, as SQL. `null::json` would be JSON null. */
export function nullText(kind: Kind): string {
  return kind === 'json' ? '({}).missing' : `(null::${kind === 'int' ? 'bigint' : kind})`;
}

/** The value as SQL; what follows it may bind as tightly as it likes. */
export function literalText(value: Value, kind: Kind): string {
  if (value === null) return nullText(kind);
  switch (kind) {
    case 'bool':
      return String(value);
    case 'int':
      return (value as bigint) < 0n ? `(${value})` : String(value);
    case 'double': {
      const text = doubleText(value as number);
      const real = /[.e]/.test(text) ? text : `${text}.0`;
      return text.startsWith('-') ? `(${real})` : real;
    }
    case 'text':
      return quoted(value as string);
    case 'json':
      return jsonLiteral((value as Json).tree, true);
    case 'timestamp':
      return `(timestamp '${timestampText(value as bigint, 'UTC')}')`;
    case 'date':
    case 'interval':
    case 'uuid':
      return `(${kind} '${textOf(value, kind, 'UTC')}')`;
    case 'vector':
      return `(vector ${vectorText(value as readonly number[])})`;
  }
}

/** As SQL and JSON read it: -0 would be the integer 0. */
export function vectorText(value: readonly number[]): string {
  const elements = value.map((each) => (Object.is(each, -0) ? '-0.0' : floatText(each)));
  return `[${elements.join(', ')}]`;
}

function jsonLiteral(tree: Tree, isOutside: boolean): string {
  if (tree instanceof Map)
    return `{${[...tree].map(([key, item]) => `${quoted(key)}: ${jsonLiteral(item as Tree, false)}`).join(', ')}}`;
  if (Array.isArray(tree)) return `[${tree.map((item: Tree) => jsonLiteral(item, false)).join(', ')}]`;
  const kind = typeof tree === 'string' ? 'text' : typeof tree === 'bigint' ? 'int' : 'double';
  const text = tree === null || typeof tree === 'boolean' ? String(tree) : literalText(tree as Value, kind);
  return isOutside ? `(${text}::json)` : text;
}

/** -1, 0 or 1 for two values of one kind. */
export function compareValues(left: Exclude<Value, null>, right: Exclude<Value, null>, kind: Kind): number {
  if (kind === 'interval') return sign((left as Interval).length, (right as Interval).length);
  if (kind === 'text') return compareLists([...(left as string)].map(codePoint), [...(right as string)].map(codePoint));
  if (kind === 'vector') return compareLists(left as readonly number[], right as readonly number[]);
  return sign(left as bigint | number | string | boolean, right as bigint | number | string | boolean);
}

/** Code points stand in the order of their UTF-8 bytes. */
function codePoint(character: string): number {
  return character.codePointAt(0)!;
}

function compareLists(left: readonly number[], right: readonly number[]): number {
  for (let at = 0; at < Math.min(left.length, right.length); at++)
    if (left[at] !== right[at]) return left[at]! < right[at]! ? -1 : 1;
  return sign(left.length, right.length);
}

export function sign<T extends bigint | number | string | boolean>(left: T, right: T): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Structural equality: the order of keys does not count, 1 is 1.0. */
export function equalTrees(left: Tree, right: Tree): boolean {
  if (left instanceof Map && right instanceof Map)
    return (
      left.size === right.size &&
      [...left].every(([key, item]) => right.has(key) && equalTrees(item as Tree, right.get(key) as Tree))
    );
  if (Array.isArray(left) && Array.isArray(right))
    return left.length === right.length && left.every((item, index) => equalTrees(item as Tree, right[index] as Tree));
  const isNumber = (tree: Tree): tree is bigint | number => typeof tree === 'bigint' || typeof tree === 'number';
  // A bigint and a number are compared exactly.
  // biome-ignore lint/suspicious/noDoubleEquals: the two kinds of numbers are equal where their values are
  if (isNumber(left) && isNumber(right)) return left == right;
  return left === right;
}

/** The texts of the elements of a JSON array, as they are written. */
export function splitArray(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let isInText = false;
  let start = 1;
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (isInText) {
      if (character === '\\') at++;
      else if (character === '"') isInText = false;
      continue;
    }
    if (character === '"') isInText = true;
    else if (character === '[' || character === '{') depth++;
    else if (character === ']' || character === '}') depth--;
    if ((character === ',' && depth === 1) || (depth === 0 && at > start)) {
      parts.push(text.slice(start, at).trim());
      start = at + 1;
    }
  }
  return parts;
}
