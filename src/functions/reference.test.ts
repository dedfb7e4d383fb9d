import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { functionCompletions } from './completion.ts';
import { functionEntries, functionsPage } from './reference.ts';
import { FUNCTIONS } from './registry.ts';

describe('reference of functions', () => {
  it('every overload has its documentation, with a name for each parameter', () => {
    const bare = FUNCTIONS.filter(
      ({ doc, parameters }) =>
        doc === undefined || doc.examples.length === 0 || doc.parameters.length < parameters.length,
    );
    assert.deepEqual(
      bare.map(({ name, parameters }) => `${name} of ${parameters.length}`),
      [],
    );
  });

  it('the NULL rule is written down where it is not the usual one', () => {
    const silent = FUNCTIONS.filter(
      ({ acceptsNull, canGiveNull, doc }) => (acceptsNull || canGiveNull) && doc?.nulls === undefined,
    );
    assert.deepEqual(
      silent.map(({ name }) => name),
      [],
    );
  });

  it('docs/manual/functions.md is up to date: npm run docs makes it', () => {
    const page = readFileSync(new URL('../../docs/manual/functions.md', import.meta.url), 'utf8');
    assert(page === functionsPage(), 'the page is another one than the program makes');
  });

  it('completion has each name once, with its signatures and one sentence', () => {
    const completions = functionCompletions();
    const names = completions.map(({ name }) => name);
    assert.deepEqual(names, [...new Set(names)].sort());
    assert.deepEqual(new Set(names), new Set(functionEntries().map(({ name }) => name)));
    const lpad = completions.find(({ name }) => name === 'lpad');
    assert.deepEqual(lpad?.signatures, [
      'lpad(s string, n int) → string',
      'lpad(s string, n int, fill string) → string',
    ]);
    for (const { name, summary } of completions) assert.match(summary, /^\S.{3,160}\.$/, name);
  });
});
