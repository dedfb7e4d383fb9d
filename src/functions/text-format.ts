/** format(template, …): PostgreSQL's, with names and texts quoted as this dialect quotes them. */

import { ByteWriter } from '../base/byte-writer.ts';
import { SqlError } from '../base/errors.ts';
import { RESERVED_WORDS } from '../base/reserved-words.ts';
import { TEXT } from '../types/type.ts';
import { AS_TEXT, define, type FunctionContext, type FunctionDoc, type ScalarFunction } from './signature.ts';
import { checkTextBytes, setTextBytes, textOf } from './values.ts';

const output = new ByteWriter(1024);

/** A specifier: `%`, then `n$`, then `-`, then a width (a number, `*` or `*n$`), then the letter. */
const SPECIFIER = /%(?:(\d+)\$)?(-*)(?:(\d+)|\*(?:(\d+)\$)?)?(.)?/suy;
const STAR = /^%(?:\d+\$)?-*\*/u;

function format(context: FunctionContext, target: number, first: number, count: number): void {
  if (context.nul[first] !== 0) {
    context.nul[target] = 1;
    return;
  }
  const template = textOf(context, first);
  output.reset();
  /** Arguments are numbered from 1; the next one is what a specifier without a number takes. */
  let next = 1;
  let copied = 0;
  const argument = (number: number): number => {
    if (number === 0) throw new SqlError('invalid_value', 'format: arguments are numbered from 1');
    if (number >= count) throw new SqlError('invalid_value', `format: there is no argument ${number}`);
    next = number + 1;
    return first + number;
  };
  for (let at = template.indexOf('%'); at >= 0; at = template.indexOf('%', copied)) {
    write(template.slice(copied, at));
    SPECIFIER.lastIndex = at;
    const specifier = SPECIFIER.exec(template)!;
    const [all, position, minus, digits, starPosition, letter] = specifier;
    copied = at + all.length;
    if (letter === undefined) throw new SqlError('invalid_value', 'format: the template ends inside a specifier');
    if (letter === '%' && all.length === 2) {
      write('%');
      continue;
    }
    if (letter !== 's' && letter !== 'I' && letter !== 'L' && letter !== '%') {
      throw new SqlError('invalid_value', `format: unknown specifier '${letter}'; write %% for a percent sign`);
    }
    let width = digits === undefined ? 0 : Number(digits);
    if (STAR.test(all)) {
      width = widthOf(context, argument(starPosition === undefined ? next : Number(starPosition)));
    }
    const isLeft = minus !== '' || width < 0;
    const text =
      letter === '%' ? '%' : formatted(context, argument(position === undefined ? next : Number(position)), letter);
    writePadded(text, Math.abs(width), isLeft);
  }
  write(template.slice(copied));
  setTextBytes(context, target, output.bytes, 0, output.length);
  context.nul[target] = 0;
}

function write(text: string): void {
  output.text(text);
  checkTextBytes('format', output.length);
}

function writePadded(text: string, width: number, isLeft: boolean): void {
  // Characters are code points; a text has no more of them than units.
  const missing = width <= 0 ? 0 : width - [...text].length;
  checkTextBytes('format', output.length + missing);
  const padding = missing > 0 ? ' '.repeat(missing) : '';
  write(isLeft ? text + padding : padding + text);
}

/** A width that an argument gives: NULL is none. */
function widthOf(context: FunctionContext, register: number): number {
  if (context.nul[register] !== 0) return 0;
  const text = textOf(context, register);
  if (!/^-?\d{1,9}$/.test(text))
    throw new SqlError('invalid_value', `format: the width '${text.slice(0, 40)}' is no int`);
  return Number(text);
}

function formatted(context: FunctionContext, register: number, letter: string): string {
  if (context.nul[register] !== 0) {
    if (letter === 'I') throw new SqlError('invalid_value', 'format: NULL cannot be a name (%I)');
    return letter === 'L' ? 'NULL' : '';
  }
  const text = textOf(context, register);
  return letter === 's' ? text : letter === 'I' ? quotedName(text) : quotedText(text);
}

/** The name as it must be written in SQL. A back-tick inside of one cannot be. */
function quotedName(name: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_$]*$/.test(name) && !RESERVED_WORDS.has(name.toLowerCase())) return name;
  if (name === '' || name.includes('`')) {
    throw new SqlError('invalid_value', `format: '${name.slice(0, 40)}' cannot be a name (%I)`);
  }
  return `\`${name}\``;
}

function quotedText(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

const FORMAT_DOC: FunctionDoc = {
  family: 'Text',
  summary:
    'The template with its specifiers replaced by the arguments: `%s` as text, `%I` as a name of SQL, in back-ticks where it needs them, `%L` as a text constant of SQL; `%%` is a percent sign. `%2$s` takes the second argument, `%10s` and `%-10s` fill up with spaces to ten characters, `%*s` takes the width from an argument.',
  parameters: ['template', 'value'],
  nulls: 'NULL if the template is NULL; a NULL value is the empty text for `%s`, `NULL` for `%L`, an error for `%I`',
  errors: [
    'an unknown specifier, or one that is not complete',
    'a specifier without its argument',
    'a name that cannot be one',
    'a result of more than 64 MiB',
  ],
  examples: [
    ["format('%s has %s rows', 'orders', 12)", '"orders has 12 rows"'],
    ["format('%2$s-%1$s|%-4s|%4s', 'a', 'b', 'c')", '"b-a|b   |   c"'],
    ["format('insert into %I values (%L)', 'my table', 'it''s')", "\"insert into `my table` values ('it''s')\""],
  ],
};

const OPTIONS = { acceptsNull: true, canGiveNull: true, doc: FORMAT_DOC };

export const FORMAT_FUNCTIONS: readonly ScalarFunction[] = [
  define('format', [TEXT], TEXT, format, OPTIONS),
  define('format', [TEXT, AS_TEXT], TEXT, format, { ...OPTIONS, isVariadic: true }),
];
