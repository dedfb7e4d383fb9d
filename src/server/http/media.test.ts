import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptsJsonLines, type MediaType, parseMediaType } from './media.ts';

test('content types', () => {
  const cases: [string, MediaType][] = [
    ['application/json', 'application/json'],
    ['Application/JSON', 'application/json'],
    ['text/plain', 'text/plain'],
    ['application/sql', 'application/sql'],
    ['application/jsonl', 'application/jsonl'],
    ['text/csv', 'text/csv'],
    ['text/plain; charset=utf-8', 'text/plain'],
    ['text/plain;charset=UTF8', 'text/plain'],
    ['text/plain ; Charset="Utf-8"', 'text/plain'],
    ['text/csv; header=present; charset=utf-8', 'text/csv'],
    ['text/csv; a="x;y\\"z"', 'text/csv'],
    ['text/csv;', 'text/csv'],
    ['application/json; charset=latin1', 'unsupported'],
    ['application/json; charset=utf-8; charset=utf-16', 'unsupported'],
    ['application/json; charset=""', 'unsupported'],
    ['application/json; charset', 'unsupported'],
    ['application/json, text/plain', 'unsupported'],
    ['application/x-www-form-urlencoded', 'unsupported'],
    ['application/jso', 'unsupported'],
    ['text /plain', 'unsupported'],
    ['text/plain; charset=utf-8 x', 'unsupported'],
    ['', 'unsupported'],
    [';', 'unsupported'],
  ];
  for (const [value, expected] of cases) {
    const bytes = Buffer.from(`<${value}>`);
    assert.equal(parseMediaType(bytes, 1, bytes.length - 1), expected, value);
  }
});

test('accept', () => {
  const cases: [string, boolean][] = [
    ['application/jsonl', true],
    ['text/html, APPLICATION/JSONL;q=0.5', true],
    ['application/jsonl; q=0', false],
    ['application/jsonl;q=0.000', false],
    ['application/json', false],
    ['*/*', false],
    ['application/jsonlines', false],
  ];
  for (const [value, expected] of cases) {
    assert.equal(acceptsJsonLines(Buffer.from(value), 0, value.length), expected, value);
  }
});
