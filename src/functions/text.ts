/** Functions of text. Texts are UTF-8; positions and lengths count characters (code points), from 1. */

import { ByteWriter } from '../base/byte-writer.ts';
import { SqlError } from '../base/errors.ts';
import { JSON_ARRAY, JSON_OBJECT, jsonCount } from '../types/json/binary.ts';
import { BIGINT, JSON_TYPE, TEXT } from '../types/type.ts';
import { countCharacters, findBytes, skipCharacters } from '../types/utf8.ts';
import { AS_TEXT, define, type FunctionContext, type FunctionDoc, type ScalarFunction } from './signature.ts';
import {
  checkTextBytes,
  clampedInt,
  setText,
  setTextBytes,
  textOf,
  valueBytes,
  valueLength,
  valueStart,
} from './values.ts';

const output = new ByteWriter(1024);

function length(context: FunctionContext, target: number, first: number): void {
  const ref = context.num[first]!;
  const start = valueStart(ref);
  context.num[target] = countCharacters(valueBytes(context, ref), start, start + valueLength(context, ref));
}

function jsonLength(context: FunctionContext, target: number, first: number): void {
  const ref = context.num[first]!;
  const bytes = valueBytes(context, ref);
  const tag = bytes[valueStart(ref)];
  if (tag !== JSON_ARRAY && tag !== JSON_OBJECT) {
    throw new SqlError('invalid_value', 'length: the JSON value is neither array nor object');
  }
  context.num[target] = jsonCount(bytes, valueStart(ref));
}

function octetLength(context: FunctionContext, target: number, first: number): void {
  context.num[target] = valueLength(context, context.num[first]!);
}

/** Texts of ASCII change in place; others go through the runtime, which knows Unicode. */
function changeCase(context: FunctionContext, target: number, first: number, from: number, isUpper: boolean): void {
  const ref = context.num[first]!;
  const bytes = valueBytes(context, ref);
  const start = valueStart(ref);
  const byteLength = valueLength(context, ref);
  output.length = 0;
  output.ensure(byteLength);
  const changed = output.bytes;
  for (let i = 0; i < byteLength; i++) {
    const byte = bytes[start + i]!;
    if (byte >= 128) {
      const text = textOf(context, first);
      setText(context, target, isUpper ? text.toUpperCase() : text.toLowerCase());
      return;
    }
    changed[i] = byte >= from && byte < from + 26 ? byte ^ 32 : byte;
  }
  setTextBytes(context, target, changed, 0, byteLength);
}

function lower(context: FunctionContext, target: number, first: number): void {
  changeCase(context, target, first, 65, false);
}

function upper(context: FunctionContext, target: number, first: number): void {
  changeCase(context, target, first, 97, true);
}

/** substr(s, position [, count]): as PostgreSQL, a position before 1 uses up the count. */
function substr(context: FunctionContext, target: number, first: number, count: number): void {
  const ref = context.num[first]!;
  const bytes = valueBytes(context, ref);
  const start = valueStart(ref);
  const end = start + valueLength(context, ref);
  const position = clampedInt(context, first + 1);
  const from = skipCharacters(bytes, start, end, Math.max(position, 1) - 1);
  let to = end;
  if (count === 3) {
    const wanted = clampedInt(context, first + 2);
    if (wanted < 0) throw new SqlError('invalid_value', 'substr: negative length');
    to = skipCharacters(bytes, from, end, position < 1 ? Math.max(wanted + position - 1, 0) : wanted);
  }
  setTextBytes(context, target, bytes, from, to);
}

function strpos(context: FunctionContext, target: number, first: number): void {
  const ref = context.num[first]!;
  const sought = context.num[first + 1]!;
  const bytes = valueBytes(context, ref);
  const start = valueStart(ref);
  const end = start + valueLength(context, ref);
  const at = findBytes(
    bytes,
    start,
    end,
    valueBytes(context, sought),
    valueStart(sought),
    valueLength(context, sought),
  );
  context.num[target] = at < 0 ? 0 : countCharacters(bytes, start, at) + 1;
}

function replace(context: FunctionContext, target: number, first: number): void {
  const ref = context.num[first]!;
  const from = context.num[first + 1]!;
  const to = context.num[first + 2]!;
  const bytes = valueBytes(context, ref);
  const end = valueStart(ref) + valueLength(context, ref);
  const fromBytes = valueBytes(context, from);
  const fromStart = valueStart(from);
  const fromLength = valueLength(context, from);
  if (fromLength === 0) {
    context.num[target] = ref;
    return;
  }
  const toBytes = valueBytes(context, to);
  const toStart = valueStart(to);
  const toEnd = toStart + valueLength(context, to);
  output.reset();
  let at = valueStart(ref);
  for (;;) {
    const found = findBytes(bytes, at, end, fromBytes, fromStart, fromLength);
    output.copy(bytes, at, found < 0 ? end : found);
    if (found < 0) break;
    output.copy(toBytes, toStart, toEnd);
    checkTextBytes('replace', output.length);
    at = found + fromLength;
  }
  setTextBytes(context, target, output.bytes, 0, output.length);
}

/** Space, tab, newline, vertical tab, form feed. The carriage return is white space to most and is left to a set. */
const TRIMMED: Uint8Array = new TextEncoder().encode(' \t\v\n\f');

function trimBoth(
  context: FunctionContext,
  target: number,
  first: number,
  count: number,
  atStart: boolean,
  atEnd: boolean,
): void {
  const ref = context.num[first]!;
  const bytes = valueBytes(context, ref);
  let start = valueStart(ref);
  let end = start + valueLength(context, ref);
  let set = TRIMMED;
  let setStart = 0;
  let setEnd = TRIMMED.length;
  if (count === 2) {
    const given = context.num[first + 1]!;
    set = valueBytes(context, given);
    setStart = valueStart(given);
    setEnd = setStart + valueLength(context, given);
  }
  while (atStart && start < end) {
    const next = skipCharacters(bytes, start, end, 1);
    if (!isInSet(bytes, start, next, set, setStart, setEnd)) break;
    start = next;
  }
  while (atEnd && end > start) {
    let previous = end - 1;
    while ((bytes[previous]! & 0xc0) === 0x80) previous--;
    if (!isInSet(bytes, previous, end, set, setStart, setEnd)) break;
    end = previous;
  }
  setTextBytes(context, target, bytes, start, end);
}

/** True if the character bytes[start, end) is one of those in the set: UTF-8 matches only at whole characters. */
function isInSet(
  bytes: Uint8Array,
  start: number,
  end: number,
  set: Uint8Array,
  setStart: number,
  setEnd: number,
): boolean {
  return findBytes(set, setStart, setEnd, bytes, start, end - start) >= 0;
}

function trim(context: FunctionContext, target: number, first: number, count: number): void {
  trimBoth(context, target, first, count, true, true);
}

function trimStart(context: FunctionContext, target: number, first: number, count: number): void {
  trimBoth(context, target, first, count, true, false);
}

function trimEnd(context: FunctionContext, target: number, first: number, count: number): void {
  trimBoth(context, target, first, count, false, true);
}

function concat(context: FunctionContext, target: number, first: number, count: number): void {
  output.reset();
  for (let i = first; i < first + count; i++) {
    if (context.nul[i] !== 0) continue;
    const ref = context.num[i]!;
    const start = valueStart(ref);
    output.copy(valueBytes(context, ref), start, start + valueLength(context, ref));
    checkTextBytes('concat', output.length);
  }
  setTextBytes(context, target, output.bytes, 0, output.length);
  context.nul[target] = 0;
}

const LENGTH_DOC: FunctionDoc = {
  family: 'Text',
  summary:
    'The number of characters (code points) of a text, of elements of a JSON array or vector, of keys of a JSON object.',
  parameters: ['value'],
  errors: ['a JSON value that is neither array nor object'],
  examples: [
    ["length('Größe 😀')", '7'],
    ['length([1, [2, 3]])', '2'],
  ],
};
const SIZE_DOC: FunctionDoc = {
  ...LENGTH_DOC,
  summary: 'The same as length.',
  examples: [['size({"a": 1, "b": null})', '2']],
};
const OCTET_LENGTH_DOC: FunctionDoc = {
  family: 'Text',
  summary: 'Bytes of the UTF-8 of a text, of the binary form of a JSON value, of the elements of a vector.',
  parameters: ['value'],
  errors: [],
  examples: [["octet_length('Größe 😀')", '12']],
};
const LOWER_DOC: FunctionDoc = {
  family: 'Text',
  summary: 'The text in lower case, by the rules of Unicode.',
  parameters: ['s'],
  errors: [],
  examples: [["lower('ÄPFEL')", '"äpfel"']],
};
const UPPER_DOC: FunctionDoc = {
  family: 'Text',
  summary: 'The text in upper case, by the rules of Unicode; it can become longer.',
  parameters: ['s'],
  errors: [],
  examples: [["upper('Straße')", '"STRASSE"']],
};
const SUBSTR_DOC: FunctionDoc = {
  family: 'Text',
  summary:
    'The characters from a position on, from 1, at most `count` of them. A position before 1 uses up some of the count.',
  parameters: ['s', 'position', 'count'],
  errors: ['a negative count'],
  examples: [
    ["substr('hello', 2)", '"ello"'],
    ["substr('hello', 2, 3)", '"ell"'],
    ["substr('hello', -1, 4)", '"he"'],
  ],
};
const STRPOS_DOC: FunctionDoc = {
  family: 'Text',
  summary: 'The position, from 1, at which the other text first stands in it; 0 where it does not.',
  parameters: ['s', 'sought'],
  errors: [],
  examples: [["strpos('Größe', 'ß')", '4']],
};
const REPLACE_DOC: FunctionDoc = {
  family: 'Text',
  summary: 'The text with every occurrence of `from` replaced by `to`.',
  parameters: ['s', 'from', 'to'],
  errors: ['a result of more than 64 MiB'],
  examples: [["replace('a-b-c', '-', ' to ')", '"a to b to c"']],
};

function trimDoc(where: string, example: readonly [string, string]): FunctionDoc {
  return {
    family: 'Text',
    summary: `The text without the characters of the set ${where}. The set is space, tab, vertical tab, newline and form feed where none is given.`,
    parameters: ['s', 'set'],
    errors: [],
    examples: [example],
  };
}
const TRIM_DOC = trimDoc('at both ends', ["trim('--=x=--', '-=')", '"x"']);
const LTRIM_DOC = trimDoc('at its start', ["ltrim('  x ')", '"x "']);
const RTRIM_DOC = trimDoc('at its end', ["rtrim('  x ')", '"  x"']);
const CONCAT_DOC: FunctionDoc = {
  family: 'Text',
  summary: 'The texts of the values one behind the other.',
  parameters: ['value'],
  nulls: 'NULLs are passed over',
  errors: ['a result of more than 64 MiB'],
  examples: [["concat('a', 1, null, true)", '"a1true"']],
};

export const TEXT_FUNCTIONS: readonly ScalarFunction[] = [
  define('length', [TEXT], BIGINT, length, { doc: LENGTH_DOC }),
  define('length', [JSON_TYPE], BIGINT, jsonLength, { doc: LENGTH_DOC }),
  define('size', [TEXT], BIGINT, length, { doc: SIZE_DOC }),
  define('size', [JSON_TYPE], BIGINT, jsonLength, { doc: SIZE_DOC }),
  define('octet_length', [TEXT], BIGINT, octetLength, { doc: OCTET_LENGTH_DOC }),
  define('octet_length', [JSON_TYPE], BIGINT, octetLength, { doc: OCTET_LENGTH_DOC }),
  define('lower', [TEXT], TEXT, lower, { doc: LOWER_DOC }),
  define('upper', [TEXT], TEXT, upper, { doc: UPPER_DOC }),
  define('substr', [TEXT, BIGINT], TEXT, substr, { doc: SUBSTR_DOC }),
  define('substr', [TEXT, BIGINT, BIGINT], TEXT, substr, { doc: SUBSTR_DOC }),
  define('strpos', [TEXT, TEXT], BIGINT, strpos, { doc: STRPOS_DOC }),
  define('replace', [TEXT, TEXT, TEXT], TEXT, replace, { doc: REPLACE_DOC }),
  define('trim', [TEXT], TEXT, trim, { doc: TRIM_DOC }),
  define('trim', [TEXT, TEXT], TEXT, trim, { doc: TRIM_DOC }),
  define('ltrim', [TEXT], TEXT, trimStart, { doc: LTRIM_DOC }),
  define('ltrim', [TEXT, TEXT], TEXT, trimStart, { doc: LTRIM_DOC }),
  define('rtrim', [TEXT], TEXT, trimEnd, { doc: RTRIM_DOC }),
  define('rtrim', [TEXT, TEXT], TEXT, trimEnd, { doc: RTRIM_DOC }),
  define('concat', [AS_TEXT], TEXT, concat, { isVariadic: true, acceptsNull: true, doc: CONCAT_DOC }),
];
