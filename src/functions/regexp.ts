/** Regular expressions. The matchers (regexp/) run over the bytes of texts where they lie. */

import { ByteWriter } from '../base/byte-writer.ts';
import { SqlError } from '../base/errors.ts';
import { JsonWriter } from '../types/json/json-writer.ts';
import { BOOL, JSON_TYPE, TEXT } from '../types/type.ts';
import { decodeUtf8, skipCharacters } from '../types/utf8.ts';
import { COMMON_FLAGS, type Pattern, patternOf } from './regexp/pattern.ts';
import { define, type FunctionContext, type FunctionDoc, type ScalarFunction } from './signature.ts';
import { checkTextBytes, setTextBytes, valueBytes, valueLength, valueStart } from './values.ts';

const NO_FLAGS = new Uint8Array(0);

/** The pattern in register `register`, with the flags in the register `flags`, or none for -1. */
function compiled(
  context: FunctionContext,
  register: number,
  flags: number,
  name: string,
  allowedFlags: string = COMMON_FLAGS,
): Pattern {
  const ref = context.num[register];
  if (flags < 0) {
    return patternOf(
      name,
      allowedFlags,
      valueBytes(context, ref),
      valueStart(ref),
      valueLength(context, ref),
      NO_FLAGS,
      0,
      0,
    );
  }
  const flagsRef = context.num[flags];
  return patternOf(
    name,
    allowedFlags,
    valueBytes(context, ref),
    valueStart(ref),
    valueLength(context, ref),
    valueBytes(context, flagsRef),
    valueStart(flagsRef),
    valueLength(context, flagsRef),
  );
}

function like(context: FunctionContext, target: number, first: number, count: number): void {
  const { automaton } = compiled(context, first + 1, count === 3 ? first + 2 : -1, 'regexp_like');
  const ref = context.num[first];
  const start = valueStart(ref);
  const isMatch = automaton.matches(valueBytes(context, ref), start, start, start + valueLength(context, ref));
  context.num[target] = isMatch ? 1 : 0;
}

/** Finds the first match in the text of register `first`; its positions are in the slots of the pattern's search. */
function findFirst(context: FunctionContext, pattern: Pattern, first: number): boolean {
  const ref = context.num[first];
  const start = valueStart(ref);
  pattern.search.beginCall();
  return pattern.search.find(valueBytes(context, ref), start, start, start + valueLength(context, ref));
}

function substring(context: FunctionContext, target: number, first: number, count: number): void {
  const pattern = compiled(context, first + 1, count === 3 ? first + 2 : -1, 'regexp_substr');
  const isFound = findFirst(context, pattern, first);
  const bytes = valueBytes(context, context.num[first]);
  context.nul[target] = isFound ? 0 : 1;
  if (isFound) setTextBytes(context, target, bytes, pattern.search.slots[0], pattern.search.slots[1]);
}

const json = new JsonWriter(256);

function match(context: FunctionContext, target: number, first: number, count: number): void {
  const pattern = compiled(context, first + 1, count === 3 ? first + 2 : -1, 'regexp_match');
  const isFound = findFirst(context, pattern, first);
  const bytes = valueBytes(context, context.num[first]);
  context.nul[target] = isFound ? 0 : 1;
  if (!isFound) return;
  const { slots } = pattern.search;
  json.start();
  json.beginArray();
  for (let slot = 0; slot < slots.length; slot += 2) {
    json.element();
    if (slots[slot + 1] < 0) json.null();
    else json.string(bytes, slots[slot], slots[slot + 1]);
  }
  json.end();
  setTextBytes(context, target, json.bytes, 0, json.length);
}

const output = new ByteWriter(1024);

function replace(context: FunctionContext, target: number, first: number, count: number): void {
  const pattern = compiled(context, first + 1, count === 4 ? first + 3 : -1, 'regexp_replace', `${COMMON_FLAGS}g`);
  const { search } = pattern;
  const ref = context.num[first];
  const bytes = valueBytes(context, ref);
  const start = valueStart(ref);
  const end = start + valueLength(context, ref);
  output.reset();
  search.beginCall();
  let copied = start;
  let from = start;
  while (from <= end && search.find(bytes, start, from, end)) {
    const [matchStart, matchEnd] = search.slots;
    output.copy(bytes, copied, matchStart);
    appendReplacement(context, pattern, bytes, context.num[first + 2]);
    checkTextBytes('regexp_replace', output.length);
    copied = matchEnd;
    // Behind an empty match the next character is passed over, else it would be found again.
    from = matchEnd > matchStart ? matchEnd : matchEnd < end ? skipCharacters(bytes, matchEnd, end, 1) : end + 1;
  }
  output.copy(bytes, copied, end);
  setTextBytes(context, target, output.bytes, 0, output.length);
}

const DOLLAR = 36;
const AMPERSAND = 38;
const LESS = 60;
const GREATER = 62;
const BACKSLASH = 92;

/** Appends the text at `ref` for the last match: `$1`, `$<name>`, `\1`, `$&` are parts of it, `$$` and `\\` the signs. */
function appendReplacement(context: FunctionContext, pattern: Pattern, text: Uint8Array, ref: number): void {
  const bytes = valueBytes(context, ref);
  const start = valueStart(ref);
  const end = start + valueLength(context, ref);
  for (let at = start; at < end; ) {
    const sign = bytes[at];
    if ((sign !== DOLLAR && sign !== BACKSLASH) || at + 1 === end) {
      output.byte(sign);
      at++;
      continue;
    }
    const next = bytes[at + 1];
    if (next === sign) {
      output.byte(sign);
      at += 2;
    } else if (next === AMPERSAND) {
      appendGroup(pattern, text, 0);
      at += 2;
    } else if (next >= 48 && next <= 57) {
      let group = next - 48;
      at += 2;
      // Two digits where there are so many groups.
      if (sign === DOLLAR && at < end && bytes[at] >= 48 && bytes[at] <= 57) {
        const long = group * 10 + bytes[at] - 48;
        if (long <= pattern.program.groupCount) {
          group = long;
          at++;
        }
      }
      if (group > pattern.program.groupCount) {
        throw new SqlError('invalid_value', `regexp_replace: the pattern has no group ${group}`);
      }
      appendGroup(pattern, text, group);
    } else if (sign === DOLLAR && next === LESS) {
      let close = at + 2;
      while (close < end && bytes[close] !== GREATER) close++;
      const name = decodeUtf8(bytes, at + 2, close);
      const group = close === end ? undefined : pattern.program.groupNames.get(name);
      if (group === undefined) {
        throw new SqlError('invalid_value', `regexp_replace: the pattern has no group <${name.slice(0, 40)}>`);
      }
      appendGroup(pattern, text, group);
      at = close + 1;
    } else {
      output.byte(sign);
      at++;
    }
  }
}

function appendGroup(pattern: Pattern, text: Uint8Array, group: number): void {
  const { slots } = pattern.search;
  if (slots[group * 2 + 1] >= 0) output.copy(text, slots[group * 2], slots[group * 2 + 1]);
}

const PATTERN_ERRORS: readonly string[] = [
  'a malformed pattern, with the character, from 0, where it is wrong',
  'a back-reference or look-around in the pattern: matching takes time in proportion to the text',
  'a flag that is not `i` (other cases too), `m` (`^` and `$` at lines) or `s` (`.` takes a newline)',
];
const OPTIONAL = ['s', 'pattern', 'flags'];
const LIKE_DOC: FunctionDoc = {
  family: 'Regular expressions',
  summary: 'Whether some part of the text matches the pattern.',
  parameters: OPTIONAL,
  errors: PATTERN_ERRORS,
  examples: [
    ["regexp_like('order 66', '\\d+$')", 'true'],
    ["regexp_like('Straße', 'STRASSE|straße', 'i')", 'true'],
    ["regexp_like('aa', '(a)\\1')", "error: regexp_like: bad pattern '(a)\\1': back-references are not supported at 3"],
  ],
};
const SUBSTRING_DOC: FunctionDoc = {
  family: 'Regular expressions',
  summary: 'The first part of the text that matches the pattern.',
  parameters: OPTIONAL,
  nulls: 'NULL if an argument is NULL or nothing matches',
  errors: PATTERN_ERRORS,
  examples: [
    ["regexp_substr('tel. 030-1234', '\\d+-\\d+')", '"030-1234"'],
    ["regexp_substr('abc', '\\d')", 'null'],
  ],
};
const MATCH_DOC: FunctionDoc = {
  family: 'Regular expressions',
  summary:
    'The first match as a JSON array: the whole of it, then what its groups matched; JSON null for a group that took no part.',
  parameters: OPTIONAL,
  nulls: 'NULL if an argument is NULL or nothing matches',
  errors: PATTERN_ERRORS,
  examples: [["regexp_match('2031-07-04', '(\\d+)-(\\d+)')", '["2031-07", "2031", "07"]']],
};
const REPLACE_DOC: FunctionDoc = {
  family: 'Regular expressions',
  summary:
    'The text with every match replaced. In the replacement `$1` or `\\1` stand for a group, `$<name>` for a named one, `$&` for the whole match, `$$` for a dollar sign.',
  parameters: ['s', 'pattern', 'replacement', 'flags'],
  errors: [
    ...PATTERN_ERRORS,
    'a group in the replacement that the pattern has not',
    'a pattern that reads a long text again from nearly each of its characters',
    'a result of more than 64 MiB',
  ],
  examples: [
    ["regexp_replace('Doe, Jane', '(\\w+), (\\w+)', '$2 $1')", '"Jane Doe"'],
    ["regexp_replace('a1b22', '(?<n>\\d+)', '<$<n>>')", '"a<1>b<22>"'],
  ],
};

export const REGEXP_FUNCTIONS: readonly ScalarFunction[] = [
  define('regexp_like', [TEXT, TEXT], BOOL, like, { doc: LIKE_DOC }),
  define('regexp_like', [TEXT, TEXT, TEXT], BOOL, like, { doc: LIKE_DOC }),
  define('regexp_substr', [TEXT, TEXT], TEXT, substring, { canGiveNull: true, doc: SUBSTRING_DOC }),
  define('regexp_substr', [TEXT, TEXT, TEXT], TEXT, substring, { canGiveNull: true, doc: SUBSTRING_DOC }),
  define('regexp_match', [TEXT, TEXT], JSON_TYPE, match, { canGiveNull: true, doc: MATCH_DOC }),
  define('regexp_match', [TEXT, TEXT, TEXT], JSON_TYPE, match, { canGiveNull: true, doc: MATCH_DOC }),
  define('regexp_replace', [TEXT, TEXT, TEXT], TEXT, replace, { doc: REPLACE_DOC }),
  define('regexp_replace', [TEXT, TEXT, TEXT, TEXT], TEXT, replace, { doc: REPLACE_DOC }),
];
