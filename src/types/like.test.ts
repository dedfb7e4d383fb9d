import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isLikeExact, likePrefix, matchesLike } from './like.ts';
import { decodeUtf8 } from './utf8.ts';

const encoder = new TextEncoder();

function like(text: string, pattern: string): boolean {
  const a = encoder.encode(text);
  const b = encoder.encode(pattern);
  return matchesLike(a, 0, a.length, b, 0, b.length);
}

describe('LIKE', () => {
  const cases: [string, string, boolean][] = [
    ['', '', true],
    ['', '%', true],
    ['', '_', false],
    ['a', '', false],
    ['abc', 'abc', true],
    ['abc', 'ab', false],
    ['abc', 'a%', true],
    ['abc', '%c', true],
    ['abc', '%b%', true],
    ['abc', '%d%', false],
    ['abc', 'a_c', true],
    ['abc', '___', true],
    ['abc', '____', false],
    ['aXbXc', '%X%X%', true],
    ['ab', '%%%', true],
    ['mississippi', '%iss%ppi', true],
    ['mississippi', '%iss%ssi', false],
    ['100%', '100\\%', true],
    ['1000', '100\\%', false],
    ['a_b', 'a\\_b', true],
    ['axb', 'a\\_b', false],
    ['a\\b', 'a\\\\b', true],
    ['ab', '\\a\\b', true],
    ['žluť', '_l_ť', true],
    ['😀', '_', true],
    ['😀x', '%x', true],
    ['😀', '__', false],
    ['ABC', 'abc', false],
    ['aab', '%ab', true],
    ['abab', '%ab', true],
  ]; // prettier-ignore
  for (const [text, pattern, expected] of cases) {
    it(`${JSON.stringify(text)} like ${JSON.stringify(pattern)}`, () => assert.equal(like(text, pattern), expected));
  }

  it('refuses a pattern that ends in its escape', () => {
    assert.throws(() => like('a', 'a\\'), { code: 'invalid_value' });
    assert.throws(() => like('b', '\\\\\\'), { code: 'invalid_value' });
  });

  it('agrees with a regular expression', () => {
    const unit = fc.constantFrom('a', 'b', '%', '_', 'é', '\\a');
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', 'b', 'é', '😀') }), fc.array(unit), (text, symbols) => {
        const source = symbols.map((symbol) => (symbol === '%' ? '.*' : symbol === '_' ? '.' : symbol.slice(-1)));
        assert.equal(like(text, symbols.join('')), new RegExp(`^${source.join('')}$`, 'su').test(text));
      }),
      { numRuns: 2000 },
    );
  });

  it('gives the literal start of a pattern', () => {
    const prefix = (pattern: string): [string, boolean] => {
      const bytes = encoder.encode(pattern);
      const target = new Uint8Array(bytes.length);
      const length = likePrefix(bytes, 0, bytes.length, target);
      return [decodeUtf8(target, 0, length), isLikeExact];
    };
    assert.deepEqual(prefix('abc%d'), ['abc', false]);
    assert.deepEqual(prefix('a\\%b_'), ['a%b', false]);
    assert.deepEqual(prefix('a\\\\b'), ['a\\b', true]);
    assert.deepEqual(prefix('%'), ['', false]);
    assert.deepEqual(prefix(''), ['', true]);
  });
});
