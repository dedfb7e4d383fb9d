/**
 * Random expressions of the dialect that Amelie and SQLite share, typed, each as a pair of texts. What the two do not agree
 * on is left out: overflow, division by zero, casts of text, positions before 1, letters beyond ASCII in upper and lower.
 */

import type { Random } from './random.ts';

export type Kind = 'int' | 'double' | 'text' | 'bool';
export type Column = { readonly name: string; readonly kind: Kind };

/** The same in both dialects. */
export type Pair = { readonly amelie: string; readonly sqlite: string };

export type Value = number | string | boolean | null;

/** What the expressions of one statement are made from. */
export class ExpressionMaker {
  readonly shape: Random;
  readonly constants: Random;
  readonly columns: readonly Column[];
  /** Values of $1, $2, … where constants become parameters; undefined where they are written into the text. */
  readonly parameters: Value[] | undefined;

  /** `shape` decides what is written, `constants` its constants: the same shape comes with other constants. */
  constructor(shape: Random, constants: Random, columns: readonly Column[], hasParameters: boolean) {
    this.shape = shape;
    this.constants = constants;
    this.columns = columns;
    this.parameters = hasParameters ? [] : undefined;
  }

  constant(kind: Kind): Pair {
    const value = randomValue(this.constants, kind);
    // As a parameter a whole number is an int, also where a double is meant.
    const isMisread = kind === 'double' && Number.isInteger(value);
    if (this.parameters !== undefined && this.shape.oneIn(2) && !isMisread) {
      this.parameters.push(value);
      const number = this.parameters.length;
      return { amelie: `$${number}`, sqlite: `?${number}` };
    }
    return same(literal(value, kind));
  }

  expression(kind: Kind, depth: number): Pair {
    if (depth <= 0 || this.shape.oneIn(6)) return this.#leaf(kind);
    switch (kind) {
      case 'int':
        return this.#int(depth - 1);
      case 'double':
        return this.#double(depth - 1);
      case 'text':
        return this.#text(depth - 1);
      case 'bool':
        return this.condition(depth - 1);
    }
  }

  /** An expression that reads a column, so that it is no position in GROUP BY and ORDER BY. */
  columnExpression(kind: Kind, depth: number): Pair {
    const inner = this.expression(kind, depth);
    const column = this.shape.pick(this.columns).name;
    return pair`case when ${same(column)} is null then ${inner} else ${inner} end`;
  }

  condition(depth: number): Pair {
    const { shape } = this;
    const kind = shape.pick(['int', 'int', 'text', 'double', 'bool'] as const);
    const deeper = Math.max(depth - 1, 0);
    switch (shape.below(depth > 0 ? 13 : 9)) {
      case 0:
      case 1:
      case 2:
        return this.#comparison(kind, deeper);
      case 3:
        return pair`(${this.expression(kind, deeper)} is ${same(shape.oneIn(2) ? 'not null' : 'null')})`;
      case 4:
        return pair`(${this.expression(kind, deeper)}${same(this.#not())} between ${this.expression(kind, 0)} and ${this.expression(kind, deeper)})`;
      case 5: {
        const items = Array.from({ length: 1 + shape.below(4) }, () =>
          shape.oneIn(8) ? same('null') : this.expression(kind, 0),
        );
        return pair`(${this.expression(kind, deeper)}${same(this.#not())} in (${join(items)}))`;
      }
      case 6:
        return this.#like(deeper);
      case 7:
        return this.#indexed();
      case 8:
        return this.#beyondDoubles(deeper);
      case 9:
      case 10:
        return pair`(${this.condition(depth - 1)} and ${this.condition(depth - 1)})`;
      case 11:
        return pair`(${this.condition(depth - 1)} or ${this.condition(depth - 1)})`;
      default:
        return pair`(not ${this.condition(depth - 1)})`;
    }
  }

  #not(): string {
    return this.shape.oneIn(3) ? ' not' : '';
  }

  #comparison(kind: Kind, depth: number): Pair {
    const operator = same(this.shape.pick(['=', '<>', '<', '<=', '>', '>=']));
    const other = kind === 'int' && this.shape.oneIn(4) ? 'double' : kind;
    return pair`(${this.expression(kind, depth)} ${operator} ${this.expression(other, depth)})`;
  }

  /** A column compared with a constant: what indexes serve. */
  #indexed(): Pair {
    const { name, kind } = this.shape.pick(this.columns);
    const column = same(name);
    const value = (): Pair => this.constant(kind === 'double' && this.shape.oneIn(3) ? 'int' : kind);
    if (this.shape.oneIn(6)) return pair`(${column} between ${value()} and ${value()})`;
    if (this.shape.oneIn(6)) return pair`(${column} in (${value()}, ${value()}, ${value()}))`;
    const operator = same(this.shape.pick(['=', '=', '<', '<=', '>', '>=']));
    return this.shape.oneIn(4) ? pair`(${value()} ${operator} ${column})` : pair`(${column} ${operator} ${value()})`;
  }

  /** An int or double next to an integer that no double holds. */
  #beyondDoubles(depth: number): Pair {
    const value = this.constants.pick([
      '9007199254740993',
      '-9007199254740993',
      '9223372036854775807',
      '4611686018427387905',
    ]);
    const operator = this.shape.pick(['=', '<>', '<', '<=', '>', '>=']);
    const operand = this.expression(this.shape.pick(['int', 'double'] as const), depth);
    return pair`(${operand} ${same(operator)} ${same(value)})`;
  }

  /** SQLite has no escape character unless it is named. */
  #like(depth: number): Pair {
    const { amelie, sqlite } = pair`${this.expression('text', depth)}${same(this.#not())} like ${this.#pattern()}`;
    return { amelie: `(${amelie})`, sqlite: `(${sqlite} escape '\\')` };
  }

  #leaf(kind: Kind): Pair {
    const columns = this.columns.filter((column) => column.kind === kind);
    if (columns.length > 0 && !this.shape.oneIn(3)) return same(this.shape.pick(columns).name);
    return this.shape.oneIn(12) ? same('null') : this.constant(kind);
  }

  #int(depth: number): Pair {
    const e = (): Pair => this.expression('int', depth);
    switch (this.shape.below(16)) {
      case 12:
        return pair`(${e()} ${same(this.shape.pick(['&', '|']))} ${e()})`;
      case 13:
        return pair`(~ ${e()})`;
      case 14:
        // Few bits, so that sums of them fit.
        return pair`((${e()} % 1000) ${same(this.shape.pick(['<<', '>>']))} ${same(String(this.constants.below(20)))})`;
      case 15: {
        const condition = this.condition(depth);
        return { amelie: `(${condition.amelie})::bigint`, sqlite: `cast(${condition.sqlite} as integer)` };
      }
      case 0:
      case 1:
        return pair`(${e()} + ${e()})`;
      case 2:
        return pair`(${e()} - ${e()})`;
      case 3:
        // Products stay small, so that nothing overflows.
        return pair`((${e()} % 1000) * (${e()} % 1000))`;
      case 4:
        return pair`(${e()} / nullif(${e()}, 0))`;
      case 5:
        return pair`(${e()} % nullif(${e()}, 0))`;
      case 6:
        return pair`(- ${e()})`;
      case 7:
        return pair`${same(this.shape.pick(['length', 'octet_length']))}(${this.expression('text', depth)})`;
      case 8:
        return pair`${same(this.shape.pick(['abs', 'sign']))}(${e()})`;
      case 9: {
        const text = this.expression('text', depth);
        const part = this.expression('text', 0);
        return { amelie: `strpos(${text.amelie}, ${part.amelie})`, sqlite: `instr(${text.sqlite}, ${part.sqlite})` };
      }
      default:
        return this.#choice('int', depth);
    }
  }

  #double(depth: number): Pair {
    const e = (): Pair => this.expression(this.shape.oneIn(3) ? 'int' : 'double', depth);
    switch (this.shape.below(7)) {
      case 0:
        return pair`(${this.expression('double', depth)} + ${e()})`;
      case 1:
        return pair`(${this.expression('double', depth)} - ${e()})`;
      case 2:
        return pair`(${this.expression('double', depth)} * ${this.constant('int')})`;
      case 3:
        return pair`(${this.expression('double', depth)} / 4)`;
      case 4: {
        const whole = this.expression('int', depth);
        return { amelie: `(${whole.amelie})::double`, sqlite: `cast(${whole.sqlite} as real)` };
      }
      default:
        return this.#choice('double', depth);
    }
  }

  #text(depth: number): Pair {
    const e = (): Pair => this.expression('text', depth);
    switch (this.shape.below(10)) {
      case 8:
        return pair`${same(this.shape.pick(['trim', 'ltrim', 'rtrim']))}(${e()}, ${same(literal(this.constants.pick(['a', 'ab', 'x☃', ' ', 'y']), 'text'))})`;
      case 9: {
        const text = e();
        return {
          amelie: `encode(${text.amelie}, 'hex')`,
          sqlite: `case when ${text.sqlite} is null then null else lower(hex(${text.sqlite})) end`,
        };
      }
      case 0:
      case 1:
        return pair`(${e()} || ${e()})`;
      case 2:
        return pair`${same(this.shape.pick(['lower', 'upper']))}(${e()})`;
      case 3:
        return pair`substr(${e()}, ${same(String(1 + this.constants.below(4)))}, ${same(String(this.constants.below(4)))})`;
      case 4:
        return pair`replace(${e()}, ${same(literal(this.constants.pick(['a', 'b', 'xy', 'Z']), 'text'))}, ${this.constant('text')})`;
      case 5: {
        const whole = this.expression('int', depth);
        return { amelie: `(${whole.amelie})::text`, sqlite: `cast(${whole.sqlite} as text)` };
      }
      default:
        return this.#choice('text', depth);
    }
  }

  #choice(kind: Kind, depth: number): Pair {
    const e = (): Pair => this.expression(kind, depth);
    switch (this.shape.below(4)) {
      case 0:
        return pair`case when ${this.condition(depth)} then ${e()} else ${e()} end`;
      case 1: {
        const subject = this.shape.pick(['int', 'text'] as const);
        const branch = (): Pair => pair` when ${this.expression(subject, 0)} then ${e()}`;
        return pair`case ${this.expression(subject, depth)}${branch()}${branch()} end`;
      }
      case 2:
        return pair`coalesce(${e()}, ${e()})`;
      default:
        return pair`nullif(${e()}, ${this.expression(kind, 0)})`;
    }
  }

  #pattern(): Pair {
    const parts = Array.from({ length: 1 + this.constants.below(4) }, () =>
      this.constants.pick(['%', '%', '_', 'a', 'b', 'A', 'xy', '☃', '\\%', '\\_']),
    );
    return same(literal(parts.join(''), 'text'));
  }
}

/** Both texts the same. */
export function same(text: string): Pair {
  return { amelie: text, sqlite: text };
}

/** Joins pairs by the text between them. */
export function pair(texts: TemplateStringsArray, ...parts: readonly Pair[]): Pair {
  const build = (dialect: keyof Pair): string =>
    texts.reduce((text, part, index) => text + part + (parts[index]?.[dialect] ?? ''), '');
  return { amelie: build('amelie'), sqlite: build('sqlite') };
}

export function join(pairs: readonly Pair[], separator = ', '): Pair {
  return {
    amelie: pairs.map((entry) => entry.amelie).join(separator),
    sqlite: pairs.map((entry) => entry.sqlite).join(separator),
  };
}

const TEXTS = [
  'key 1',
  'key 7',
  'key 30',
  '',
  'a',
  'b',
  'ab',
  'A',
  'xy',
  'Zebra',
  'abc',
  'a common prefix 1',
  'a common prefix 2',
  'aab',
  'B',
  '50% a_b',
  // Beyond ASCII, without upper and lower case.
  '日本☃',
  'a𝄞b☃',
];

/** A value from a small range, so that equal ones meet. Doubles are quarters, exact in sums. */
export function randomValue(random: Random, kind: Kind): number | string | boolean {
  switch (kind) {
    case 'int':
      return random.oneIn(5) ? random.below(2001) - 1000 : random.below(21) - 5;
    case 'double':
      return (random.below(81) - 20) / 4;
    case 'text':
      return random.pick(TEXTS);
    case 'bool':
      return random.oneIn(2);
  }
}

export function literal(value: Value, kind: Kind): string {
  if (value === null) return 'null';
  if (kind === 'text') return `'${String(value).replaceAll("'", "''")}'`;
  if (kind === 'double') return Number.isInteger(value) ? `${value}.0` : String(value);
  return String(value);
}
