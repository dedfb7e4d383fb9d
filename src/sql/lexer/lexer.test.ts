import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SqlError } from '../../base/errors.ts';
import { Lexer, type Token } from './lexer.ts';
import { decodeText, decodeTextInto } from './text.ts';

function tokens(text: string | Uint8Array): Token[] {
  const lexer = new Lexer(typeof text === 'string' ? Buffer.from(text) : text);
  const all: Token[] = [];
  for (;;) {
    const token = lexer.next();
    if (token.kind === 'end') return all;
    all.push(token);
  }
}

/** Tokens as `kind:text@start-end`, where text is the value of a number. */
function print(text: string): string {
  return tokens(text)
    .map(({ kind, start, end, text: shown, value }) => {
      const what = kind === 'int' || kind === 'double' || kind === 'parameter' ? String(value) : shown;
      return `${kind}:${what}@${start}-${end}`;
    })
    .join(' ');
}

function failure(text: string | Uint8Array): SqlError {
  try {
    tokens(text);
  } catch (error) {
    assert.ok(error instanceof SqlError);
    return error;
  }
  assert.fail(`no error for ${text}`);
}

const TOKENS: readonly (readonly [string, string])[] = [
  ['', ''],
  [' \t\n\r\f\v', ''],
  ['select _a1$ Été', 'word:select@0-6 word:_a1$@7-11 word:Été@12-17'],
  ['a.b::c', 'word:a@0-1 symbol:.@1-2 word:b@2-3 symbol:::@3-5 word:c@5-6'],
  ['`a b``c` `x`', 'name:a b`c@0-8 name:x@9-12'],
  ['1 12 9223372036854775807', 'int:1@0-1 int:12@2-4 int:9223372036854775807@5-24'],
  ['9223372036854775808 007', 'int:9223372036854775808@0-19 int:7@20-23'],
  ['1.5 .5 1e3 1.5e-3 2E+2', 'double:1.5@0-3 double:0.5@4-6 double:1000@7-10 double:0.0015@11-17 double:200@18-22'],
  ['1.5.5', 'double:1.5@0-3 double:0.5@3-5'],
  ['1-1', 'int:1@0-1 symbol:-@1-2 int:1@2-3'],
  ['0->a', 'int:0@0-1 symbol:->@1-3 word:a@3-4'],
  ['$1 $20', 'parameter:1@0-2 parameter:20@3-6'],
  [
    '<><=>=!=<<>>||->::',
    'symbol:<>@0-2 symbol:<=@2-4 symbol:>=@4-6 symbol:!=@6-8 symbol:<<@8-10 symbol:>>@10-12 symbol:||@12-14 symbol:->@14-16 symbol:::@16-18',
  ],
  ['<=>', 'symbol:<=@0-2 symbol:>@2-3'],
  [
    '+-*/%=<>|^&~()[]{},.;:',
    '+ - * / % = <> | ^ & ~ ( ) [ ] { } , . ; :'
      .split(' ')
      .reduce<[string, number]>(
        ([line, at], symbol) => [
          `${line}${line === '' ? '' : ' '}symbol:${symbol}@${at}-${at + symbol.length}`,
          at + symbol.length,
        ],
        ['', 0],
      )[0],
  ],
  ['a--b\nc', 'word:a@0-1 word:c@5-6'],
  ['a--b\rc', 'word:a@0-1 word:c@5-6'],
  ['a -- b', 'word:a@0-1'],
  ['a/* b */c', 'word:a@0-1 word:c@8-9'],
  ['/**/a/* /* nested */ */b', 'word:a@4-5 word:b@23-24'],
  ['/***/a', 'word:a@5-6'],
  ['\'a\' "b"', 'text:a@0-3 text:b@4-7'],
  ["'é' x", 'text:é@0-4 word:x@5-6'],
];

test('tokens and their byte positions', () => {
  for (const [text, expected] of TOKENS) assert.equal(print(text), expected, text);
});

const TEXTS: readonly (readonly [string, string])[] = [
  [`''`, ''],
  [`'it''s'`, "it's"],
  [`''''`, "'"],
  [`"say ""hi"""`, 'say "hi"'],
  [`'a""b'`, 'a""b'],
  [`"a''b"`, "a''b"],
  [String.raw`'\\ \" \' \/'`, '\\ " \' /'],
  [String.raw`'\a\b\f\n\r\t\v'`, '\x07\b\f\n\r\t\v'],
  [String.raw`'50\%'`, '50\\%'],
  [String.raw`'\d+\w\é\A'`, '\\d+\\w\\é\\A'],
  [String.raw`'\u0041\u00e9\u20AC'`, 'Aé€'],
  [String.raw`'x\ud83d\ude00y'`, 'x😀y'],
  [String.raw`'\uD83D\uDE00'`, '😀'],
  [String.raw`'\u0000'`, '\0'],
  ["'line\nbreak 😀'", 'line\nbreak 😀'],
];

test('texts and their escapes', () => {
  for (const [text, expected] of TEXTS) {
    assert.deepEqual(
      tokens(text).map((token) => [token.kind, token.text]),
      [['text', expected]],
      text,
    );
    const bytes = Buffer.from(`select ${text}`);
    const target = new Uint8Array(bytes.length + 3);
    const end = decodeTextInto(bytes, 8, bytes.length - 1, target, 3);
    assert.equal(Buffer.from(target.subarray(3, end)).toString(), expected);
    assert.equal(decodeText(bytes, 8, bytes.length - 1), expected);
  }
});

const ERRORS: readonly (readonly [string, string, number])[] = [
  ["a 'b", 'unterminated string', 2],
  ["'a\\'", 'unterminated string', 0],
  ["'a''", 'unterminated string', 0],
  ['a "b', 'unterminated string', 2],
  ['a `b', 'unterminated name in back-ticks', 2],
  ['``', 'empty name in back-ticks', 0],
  ['a /* b', 'unterminated comment', 2],
  ['a /* b */ /*/', 'unterminated comment', 10],
  ['a -- /*\n /* /* */', 'unterminated comment', 9],
  ['9223372036854775809', "integer '9223372036854775809' is out of range", 0],
  ['a 99999999999999999999', "integer '99999999999999999999' is out of range", 2],
  ['1e999', "number '1e999' is out of range", 0],
  ['12ab', "unexpected letters after the number '12'", 0],
  ['1.5x', "unexpected letters after the number '1.5'", 0],
  ['1e', "unexpected letters after the number '1'", 0],
  ['1$1', "unexpected letters after the number '1'", 0],
  ['$0', "expected a parameter from $1 but found '$0'", 0],
  ['a $', "expected a parameter from $1 but found '$'", 2],
  ['$a', "expected a parameter from $1 but found '$a'", 0],
  ['$1a', "expected a parameter from $1 but found '$1a'", 0],
  ['a ? b', "unexpected character '?'", 2],
  ['a @', "unexpected character '@'", 2],
  ['a !b', "unexpected character '!'", 2],
  ['a \x01', 'unexpected character U+0001', 2],
  [String.raw`'ab\u12'`, 'invalid \\u escape in a string', 3],
  [String.raw`'\ud83d'`, 'invalid \\u escape in a string', 1],
  [String.raw`'\ud83d\u0041'`, 'invalid \\u escape in a string', 1],
  [String.raw`'x\ude00'`, 'invalid \\u escape in a string', 2],
];

test('what is malformed is an error with its position', () => {
  for (const [text, message, position] of ERRORS) {
    const error = failure(text);
    assert.deepEqual([error.message, error.position], [message, position], text);
  }
});

test('codes of errors', () => {
  assert.equal(failure('9223372036854775809').code, 'out_of_range');
  assert.equal(failure("'").code, 'syntax_error');
  assert.equal(failure('$8193').code, 'limit_exceeded');
  assert.equal(failure('a'.repeat(256)).code, 'limit_exceeded');
  assert.equal(failure(`\`${'a'.repeat(256)}\``).code, 'limit_exceeded');
  assert.equal(tokens('a'.repeat(255)).length, 1);
  assert.equal(tokens(`\`${'a'.repeat(255)}\``).length, 1);
});

test('a text that is not UTF-8 is an error at its first wrong byte', () => {
  const cases: readonly (readonly [readonly number[], number])[] = [
    [[0x61, 0xff], 1],
    [[0x27, 0xc3, 0xa9, 0xc3, 0x27], 3], // half of é
    [[0x80], 0],
    [[0x61, 0xc0, 0x80], 1], // an overlong NUL
    [[0xed, 0xa0, 0x80], 0], // half a surrogate pair
    [[0x61, 0xf0, 0x9f, 0x98], 1], // cut off
  ];
  for (const [bytes, position] of cases) {
    const error = failure(Uint8Array.from(bytes));
    assert.deepEqual([error.code, error.position], ['syntax_error', position]);
  }
});

test('a word beyond ASCII is no keyword', () => {
  // U+212A, the Kelvin sign, is k in lower case.
  assert.equal(tokens('LI\u212aE')[0]!.keyword, '');
  assert.equal(tokens('LIKE')[0]!.keyword, 'like');
});
