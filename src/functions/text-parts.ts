/** Parts of texts, padding, repetition. Counts are of characters (code points). */

import { ByteWriter } from '../base/byte-writer.ts';
import { SqlError } from '../base/errors.ts';
import { matchesLike } from '../types/like.ts';
import { BIGINT, BOOL, TEXT } from '../types/type.ts';
import { countCharacters, findBytes, skipCharacters } from '../types/utf8.ts';
import { define, type FunctionContext, type FunctionDoc, type ScalarFunction } from './signature.ts';
import { checkTextBytes, clampedInt, setTextBytes, valueBytes, valueLength, valueStart } from './values.ts';

const output = new ByteWriter(1024);

/** left(s, n): the first n characters, or all but the last -n. */
function left(context: FunctionContext, target: number, first: number): void {
  const ref = context.num[first];
  const bytes = valueBytes(context, ref);
  const start = valueStart(ref);
  const end = start + valueLength(context, ref);
  const count = clampedInt(context, first + 1);
  const kept = count >= 0 ? count : Math.max(countCharacters(bytes, start, end) + count, 0);
  setTextBytes(context, target, bytes, start, skipCharacters(bytes, start, end, kept));
}

/** right(s, n): the last n characters, or all but the first -n. */
function right(context: FunctionContext, target: number, first: number): void {
  const ref = context.num[first];
  const bytes = valueBytes(context, ref);
  const start = valueStart(ref);
  const end = start + valueLength(context, ref);
  const count = clampedInt(context, first + 1);
  const skipped = count < 0 ? -count : Math.max(countCharacters(bytes, start, end) - count, 0);
  setTextBytes(context, target, bytes, skipCharacters(bytes, start, end, skipped), end);
}

const SPACE: Uint8Array = Uint8Array.of(32);

/** The text brought to a number of characters: cut at its end, or filled up in front or behind. */
function pad(
  context: FunctionContext,
  target: number,
  first: number,
  argumentCount: number,
  isLeft: boolean,
  name: string,
): void {
  const ref = context.num[first];
  const bytes = valueBytes(context, ref);
  const start = valueStart(ref);
  const end = start + valueLength(context, ref);
  const wanted = Math.max(clampedInt(context, first + 1), 0);
  const present = countCharacters(bytes, start, end);
  let fill = SPACE;
  let fillStart = 0;
  let fillEnd = 1;
  if (argumentCount === 3) {
    const fillRef = context.num[first + 2];
    fill = valueBytes(context, fillRef);
    fillStart = valueStart(fillRef);
    fillEnd = fillStart + valueLength(context, fillRef);
  }
  if (wanted <= present || fillStart === fillEnd) {
    setTextBytes(context, target, bytes, start, skipCharacters(bytes, start, end, wanted));
    return;
  }
  const fillCount = countCharacters(fill, fillStart, fillEnd);
  const rounds = Math.floor((wanted - present) / fillCount);
  const restEnd = skipCharacters(fill, fillStart, fillEnd, wanted - present - rounds * fillCount);
  checkTextBytes(name, end - start + rounds * (fillEnd - fillStart) + restEnd - fillStart);
  output.reset();
  if (!isLeft) output.copy(bytes, start, end);
  for (let round = 0; round < rounds; round++) output.copy(fill, fillStart, fillEnd);
  output.copy(fill, fillStart, restEnd);
  if (isLeft) output.copy(bytes, start, end);
  setTextBytes(context, target, output.bytes, 0, output.length);
}

function padLeft(context: FunctionContext, target: number, first: number, count: number): void {
  pad(context, target, first, count, true, 'lpad');
}

function padRight(context: FunctionContext, target: number, first: number, count: number): void {
  pad(context, target, first, count, false, 'rpad');
}

function reverse(context: FunctionContext, target: number, first: number): void {
  const ref = context.num[first];
  const bytes = valueBytes(context, ref);
  const start = valueStart(ref);
  output.reset();
  let end = start + valueLength(context, ref);
  while (end > start) {
    let at = end - 1;
    while ((bytes[at] & 0xc0) === 0x80) at--;
    output.copy(bytes, at, end);
    end = at;
  }
  setTextBytes(context, target, output.bytes, 0, output.length);
}

function repeat(context: FunctionContext, target: number, first: number): void {
  const ref = context.num[first];
  const bytes = valueBytes(context, ref);
  const start = valueStart(ref);
  const end = start + valueLength(context, ref);
  const count = start === end ? 0 : clampedInt(context, first + 1);
  checkTextBytes('repeat', count * (end - start));
  output.reset();
  for (let round = 0; round < count; round++) output.copy(bytes, start, end);
  setTextBytes(context, target, output.bytes, 0, output.length);
}

/** split_part(s, delimiter, n): the nth of the parts between delimiters, from 1, or from the end for n < 0. */
function splitPart(context: FunctionContext, target: number, first: number): void {
  const ref = context.num[first];
  const delimiterRef = context.num[first + 1];
  const bytes = valueBytes(context, ref);
  const start = valueStart(ref);
  const end = start + valueLength(context, ref);
  const delimiter = valueBytes(context, delimiterRef);
  const delimiterStart = valueStart(delimiterRef);
  const delimiterLength = valueLength(context, delimiterRef);
  let wanted = clampedInt(context, first + 2);
  if (wanted === 0) throw new SqlError('invalid_value', 'split_part: the number of the part must not be 0');
  if (wanted < 0) {
    wanted += countParts(bytes, start, end, delimiter, delimiterStart, delimiterLength) + 1;
    if (wanted <= 0) {
      setTextBytes(context, target, bytes, start, start);
      return;
    }
  }
  let at = start;
  for (let part = 1; ; part++) {
    const found = delimiterLength === 0 ? -1 : findBytes(bytes, at, end, delimiter, delimiterStart, delimiterLength);
    if (part === wanted) {
      setTextBytes(context, target, bytes, at, found < 0 ? end : found);
      return;
    }
    if (found < 0) {
      setTextBytes(context, target, bytes, end, end);
      return;
    }
    at = found + delimiterLength;
  }
}

function countParts(
  bytes: Uint8Array,
  start: number,
  end: number,
  delimiter: Uint8Array,
  delimiterStart: number,
  delimiterLength: number,
): number {
  let count = 1;
  if (delimiterLength === 0) return count;
  for (let at = start; ; count++) {
    const found = findBytes(bytes, at, end, delimiter, delimiterStart, delimiterLength);
    if (found < 0) return count;
    at = found + delimiterLength;
  }
}

/** 1 if the text has, `offset` bytes from its start or (negative) at its end, the bytes of the other one. */
function hasPartAt(context: FunctionContext, first: number, isAtEnd: boolean): number {
  const ref = context.num[first];
  const partRef = context.num[first + 1];
  const length = valueLength(context, ref);
  const partLength = valueLength(context, partRef);
  if (partLength > length) return 0;
  const bytes = valueBytes(context, ref);
  const part = valueBytes(context, partRef);
  const at = valueStart(ref) + (isAtEnd ? length - partLength : 0);
  const partStart = valueStart(partRef);
  for (let i = 0; i < partLength; i++) if (bytes[at + i] !== part[partStart + i]) return 0;
  return 1;
}

function startsWith(context: FunctionContext, target: number, first: number): void {
  context.num[target] = hasPartAt(context, first, false);
}

function endsWith(context: FunctionContext, target: number, first: number): void {
  context.num[target] = hasPartAt(context, first, true);
}

function like(context: FunctionContext, target: number, first: number): void {
  const ref = context.num[first];
  const patternRef = context.num[first + 1];
  const start = valueStart(ref);
  const patternStart = valueStart(patternRef);
  const isMatch = matchesLike(
    valueBytes(context, ref),
    start,
    start + valueLength(context, ref),
    valueBytes(context, patternRef),
    patternStart,
    patternStart + valueLength(context, patternRef),
  );
  context.num[target] = isMatch ? 1 : 0;
}

const LEFT_DOC: FunctionDoc = {
  family: 'Text',
  summary: 'The first n characters; all but the last -n where n is negative.',
  parameters: ['s', 'n'],
  errors: [],
  examples: [
    ["left('Größe', 3)", '"Grö"'],
    ["left('Größe', -3)", '"Gr"'],
  ],
};
const RIGHT_DOC: FunctionDoc = {
  family: 'Text',
  summary: 'The last n characters; all but the first -n where n is negative.',
  parameters: ['s', 'n'],
  errors: [],
  examples: [
    ["right('Größe', 2)", '"ße"'],
    ["right('Größe', -2)", '"öße"'],
  ],
};
const TOO_LONG = 'a result of more than 64 MiB';
const LPAD_DOC: FunctionDoc = {
  family: 'Text',
  summary:
    'The text with the fill (a space) repeated in front of it up to n characters; a longer one is cut at its end.',
  parameters: ['s', 'n', 'fill'],
  errors: [TOO_LONG],
  examples: [
    ["lpad('7', 3, '0')", '"007"'],
    ["lpad('abcd', 2)", '"ab"'],
  ],
};
const RPAD_DOC: FunctionDoc = {
  family: 'Text',
  summary: 'The text with the fill (a space) repeated behind it up to n characters; a longer one is cut at its end.',
  parameters: ['s', 'n', 'fill'],
  errors: [TOO_LONG],
  examples: [["rpad('ab', 5, '-+')", '"ab-+-"']],
};
const REVERSE_DOC: FunctionDoc = {
  family: 'Text',
  summary: 'The characters in the opposite order.',
  parameters: ['s'],
  errors: [],
  examples: [["reverse('añ😀')", '"😀ña"']],
};
const REPEAT_DOC: FunctionDoc = {
  family: 'Text',
  summary: 'The text n times, the empty text for n below 1.',
  parameters: ['s', 'n'],
  errors: [TOO_LONG],
  examples: [
    ["repeat('ab', 3)", '"ababab"'],
    ["repeat('ab', 100000000)", 'error: repeat: the text would be longer than 67108864 bytes'],
  ],
};
const SPLIT_PART_DOC: FunctionDoc = {
  family: 'Text',
  summary:
    'The nth part of a text that is split at a delimiter, from 1, or from the end where n is negative; the empty text where there is no such part.',
  parameters: ['s', 'delimiter', 'n'],
  errors: ['n is 0'],
  examples: [
    ["split_part('a,b,c', ',', 2)", '"b"'],
    ["split_part('a,b,c', ',', -1)", '"c"'],
  ],
};
const STARTS_WITH_DOC: FunctionDoc = {
  family: 'Text',
  summary: 'Whether the text begins with the other one.',
  parameters: ['s', 'prefix'],
  errors: [],
  examples: [["starts_with('database', 'data')", 'true']],
};
const ENDS_WITH_DOC: FunctionDoc = {
  family: 'Text',
  summary: 'Whether the text ends with the other one.',
  parameters: ['s', 'suffix'],
  errors: [],
  examples: [["ends_with('database', 'data')", 'false']],
};
const LIKE_DOC: FunctionDoc = {
  family: 'Text',
  summary:
    'The operator LIKE as a function: `%` stands for any characters, `_` for one, a backslash takes the next character as it is.',
  parameters: ['s', 'pattern'],
  errors: ['a pattern that ends in a lone backslash'],
  examples: [
    ["like('database', 'd_ta%')", 'true'],
    ["'50%'::like('50\\%')", 'true'],
  ],
};

export const TEXT_PART_FUNCTIONS: readonly ScalarFunction[] = [
  define('left', [TEXT, BIGINT], TEXT, left, { doc: LEFT_DOC }),
  define('right', [TEXT, BIGINT], TEXT, right, { doc: RIGHT_DOC }),
  define('lpad', [TEXT, BIGINT], TEXT, padLeft, { doc: LPAD_DOC }),
  define('lpad', [TEXT, BIGINT, TEXT], TEXT, padLeft, { doc: LPAD_DOC }),
  define('rpad', [TEXT, BIGINT], TEXT, padRight, { doc: RPAD_DOC }),
  define('rpad', [TEXT, BIGINT, TEXT], TEXT, padRight, { doc: RPAD_DOC }),
  define('reverse', [TEXT], TEXT, reverse, { doc: REVERSE_DOC }),
  define('repeat', [TEXT, BIGINT], TEXT, repeat, { doc: REPEAT_DOC }),
  define('split_part', [TEXT, TEXT, BIGINT], TEXT, splitPart, { doc: SPLIT_PART_DOC }),
  define('starts_with', [TEXT, TEXT], BOOL, startsWith, { doc: STARTS_WITH_DOC }),
  define('ends_with', [TEXT, TEXT], BOOL, endsWith, { doc: ENDS_WITH_DOC }),
  define('like', [TEXT, TEXT], BOOL, like, { doc: LIKE_DOC }),
];
