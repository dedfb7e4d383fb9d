import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SqlError } from '../../base/errors.ts';
import { SeededRandom } from '../../testing/random.ts';
import { isInSet, propertySet, withOtherCases } from './code-points.ts';
import { type Pattern, patternOf } from './pattern.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function patternFor(text: string, flags = ''): Pattern {
  const bytes = encoder.encode(text);
  const flagBytes = encoder.encode(flags);
  return patternOf('f', 'ims', bytes, 0, bytes.length, flagBytes, 0, flagBytes.length);
}

/** The first match: start of the text before it, then the groups; null without one. All three matchers must agree. */
function find(pattern: Pattern, text: string): (string | null)[] | null {
  const padded = encoder.encode(`xx${text}yy`);
  const end = padded.length - 2;
  const isMatch = pattern.automaton.matches(padded, 2, 2, end);
  assert.equal(pattern.search.findByThreads(padded, 2, 2, end), isMatch, 'threads agree with the automaton');
  const slots = [...pattern.search.slots];
  assert.equal(pattern.search.find(padded, 2, 2, end), isMatch);
  if (!isMatch) return null;
  assert.deepEqual([...pattern.search.slots], slots, 'trying way by way agrees with threads');
  const parts: (string | null)[] = [decoder.decode(padded.subarray(2, slots[0]))];
  for (let slot = 0; slot < slots.length; slot += 2) {
    parts.push(slots[slot + 1] < 0 ? null : decoder.decode(padded.subarray(slots[slot], slots[slot + 1])));
  }
  return parts;
}

function findByRuntime(expression: RegExp, text: string): (string | null)[] | null {
  const match = expression.exec(text);
  if (match === null) return null;
  return [text.slice(0, match.index), ...[...match].map((part) => part ?? null)];
}

/** `[pattern, flags, text, start of the text before the match, match, groups…]`, or null without a match. */
const CASES: readonly (readonly [string, string, string, (string | null)[] | null])[] = [
  ['', '', '', ['', '']],
  ['', '', 'é', ['', '']],
  ['a|ab', '', 'xab', ['x', 'a']],
  ['(a|ab)(c|bcd)', '', 'abcd', ['', 'abcd', 'a', 'bcd']],
  ['a*?b', '', 'aab', ['', 'aab']],
  ['a+?', '', 'aaa', ['', 'a']],
  ['(a)|(b)', '', 'b', ['', 'b', null, 'b']],
  ['x{2,3}', '', 'xxxxx', ['', 'xxx']],
  ['x{2,3}?', '', 'xxxxx', ['', 'xx']],
  ['x{2,}', '', 'ax', null],
  ['x{0}y', '', 'xy', ['x', 'y']],
  ['a{,2}', '', 'a{,2}', ['', 'a{,2}']],
  ['{', '', 'a{', ['a', '{']],
  [']', '', ']', ['', ']']],
  ['[]a]+', '', 'x]a', ['x', ']a']],
  ['[^]a]', '', ']ab', [']a', 'b']],
  ['[a-]', '', '-', ['', '-']],
  ['[[:alpha:][:digit:]]+', '', '-a1-', ['-', 'a1']],
  ['[[:^alpha:]]', '', 'a1', ['a', '1']],
  ['.', '', '😀', ['', '😀']],
  ['^.$', '', 'e\u0301', null],
  ['^..$', '', 'e\u0301', ['', 'e\u0301']],
  ['.', '', '\n', null],
  ['.', 's', '\n', ['', '\n']],
  ['(?s:.)(.)', '', '\nx', ['', '\nx', 'x']],
  ['^b', '', 'a\nb', null],
  ['^b', 'm', 'a\nb', ['a\n', 'b']],
  ['a$', 'm', 'a\nb', ['', 'a']],
  ['a$', '', 'a\n', null],
  ['\\Ab|\\Aa\\z', '', 'a', ['', 'a']],
  ['\\bfoo\\b', '', 'a foo!', ['a ', 'foo']],
  ['\\bfoo\\b', '', 'afoo', null],
  ['\\B', '', 'aéb', null],
  ['\\B', '', 'éü', ['', '']],
  ['(?i)straße', '', 'STRAẞE', ['', 'STRAẞE']],
  ['ß', 'i', 'SS', null],
  ['[k]', 'i', '\u212a', ['', '\u212a']],
  ['σ', 'i', 'ς', ['', 'ς']],
  ['a(?i)b', '', 'aB', ['', 'aB']],
  ['a(?i)b', '', 'AB', null],
  ['(?i:a)b', '', 'Ab', ['', 'Ab']],
  ['(?i:a)b', '', 'AB', null],
  ['(?i)a(?-i:b)', '', 'AB', null],
  ['(?P<x>a)(?<y>b)', '', 'ab', ['', 'ab', 'a', 'b']],
  ['\\p{Lu}+', '', 'abÉÑc', ['ab', 'ÉÑ']],
  ['\\PL', '', 'a1', ['a', '1']],
  ['\\p{Script=Greek}', '', 'aλ', ['a', 'λ']],
  ['\\x41\\x{1F600}\\u00e9\\u{62}\\uD83D\\uDE00', '', 'A😀éb😀', ['', 'A😀éb😀']],
  ['\\t\\n\\cJ\\e\\a\\0', '', '\t\n\n\u001b\u0007\0', ['', '\t\n\n\u001b\u0007\0']],
  ['[\\b\\-\\]]+', '', '\b-]', ['', '\b-]']],
  ['\\.\\/\\-\\€', '', './-€', ['', './-€']],
  ['[α-ω]+', '', 'aλόγος', ['a', 'λ']],
  ['[^a]', '', 'a😀', ['a', '😀']],
  ['[\\u{10000}-\\u{10ffff}]', '', '\u{10ffff}', ['', '\u{10ffff}']],
  ['(a*)*b', '', 'aab', ['', 'aab', 'aa']],
  ['(?:(a)|b)*', '', 'ab', ['', 'ab', 'a']],
]; // prettier-ignore

const ERRORS: readonly (readonly [string, string])[] = [
  ['(a', "f: bad pattern '(a': unclosed ( at 0"],
  ['a)', "f: bad pattern 'a)': unmatched ) at 1"],
  ['[a', "f: bad pattern '[a': unclosed [ at 0"],
  ['😀[', "f: bad pattern '😀[': unclosed [ at 1"],
  ['*a', "f: bad pattern '*a': nothing for * to repeat at 0"],
  ['a**', "f: bad pattern 'a**': nothing for * to repeat at 2"],
  ['a++', "f: bad pattern 'a++': possessive repetition is not supported at 2"],
  ['a{2}{3}', "f: bad pattern 'a{2}{3}': nothing for { to repeat at 4"],
  ['{2}', "f: bad pattern '{2}': nothing for { to repeat at 0"],
  ['a{3,2}', "f: bad pattern 'a{3,2}': a repetition with its bounds in the wrong order at 1"],
  ['a{1001}', "f: bad pattern 'a{1001}': a repetition of more than 1000 at 1"],
  ['(a)\\1', "f: bad pattern '(a)\\1': back-references are not supported at 3"],
  ['(?<n>a)\\k<n>', "f: bad pattern '(?<n>a)\\k<n>': back-references are not supported at 7"],
  ['(?P=n)', "f: bad pattern '(?P=n)': back-references are not supported at 0"],
  ['(?=a)', "f: bad pattern '(?=a)': look-around is not supported at 0"],
  ['a(?!b)', "f: bad pattern 'a(?!b)': look-around is not supported at 1"],
  ['(?<=a)b', "f: bad pattern '(?<=a)b': look-around is not supported at 0"],
  ['(?<!a)b', "f: bad pattern '(?<!a)b': look-around is not supported at 0"],
  ['(?>a)', "f: bad pattern '(?>a)': atomic groups are not supported at 0"],
  ['(?x)', "f: bad pattern '(?x)': unknown group (? at 0"],
  ['(?<1>a)', "f: bad pattern '(?<1>a)': malformed name of a group at 0"],
  ['(?<a>.)(?<a>.)', "f: bad pattern '(?<a>.)(?<a>.)': a second group <a> at 7"],
  ['\\', "f: bad pattern '\\': a lone \\ at the end at 0"],
  ['\\q', "f: bad pattern '\\q': unknown escape \\q at 0"],
  ['\\xg1', "f: bad pattern '\\xg1': malformed escape at 0"],
  ['\\u{d800}', "f: bad pattern '\\u{d800}': an escape of no character at 0"],
  ['\\ud800', "f: bad pattern '\\ud800': half a surrogate pair at 0"],
  ['\\p{Nope}', "f: bad pattern '\\p{Nope}': unknown Unicode property 'Nope' at 0"],
  ['\\p{L', "f: bad pattern '\\p{L': unclosed { at 0"],
  ['[z-a]', "f: bad pattern '[z-a]': a range with its ends in the wrong order at 1"],
  ['[a-\\d]', "f: bad pattern '[a-\\d]': a range to a class of characters at 1"],
  ['[[:nope:]]', "f: bad pattern '[[:nope:]]': unknown class [:nope:] at 1"],
  ['((a{100}){100}){100}', "f: bad pattern '((a{100}){100}){100}': the pattern is too large"],
  ['('.repeat(300), `f: bad pattern '${'('.repeat(80)}…': groups nested deeper than 200 at 200`],
];

describe('regular expressions', () => {
  for (const [pattern, flags, text, expected] of CASES) {
    it(`/${pattern}/${flags} in ${JSON.stringify(text)}`, () => {
      assert.deepEqual(find(patternFor(pattern, flags), text), expected);
    });
  }

  for (const [pattern, expected] of ERRORS) {
    it(`/${pattern.slice(0, 40)}/ is refused`, () => {
      assert.throws(
        () => patternFor(pattern),
        (error) => error instanceof SqlError && error.code === 'invalid_value' && error.message === expected,
      );
    });
  }

  it('unknown flags are refused', () => {
    assert.throws(() => patternFor('a', 'iq'), /^SqlError: f: unknown flag 'q'$/);
    assert.throws(() => patternFor('a', 'é'), /f: unknown flag/);
  });

  it('agrees with the runtime on generated patterns', () => {
    const random = new SeededRandom(20_260_708);
    let matchCount = 0;
    for (let round = 0; round < 2000; round++) {
      const source = choiceOf(random, 3);
      const flags = pick(random, ['', '', 'i', 'm', 's', 'ims']);
      const expression = new RegExp(source, `${flags}u`);
      const pattern = patternFor(source, flags);
      // The runtime finds a \\B between the halves of a surrogate pair.
      const letters = source.includes('\\B') ? LETTERS.filter((letter) => letter.length === 1) : LETTERS;
      for (let i = 0; i < 6; i++) {
        const text = Array.from({ length: random.below(9) }, () => pick(random, letters)).join('');
        const expected = findByRuntime(expression, text);
        if (expected !== null) matchCount++;
        assert.deepEqual(find(pattern, text), expected, `/${source}/${flags} in ${JSON.stringify(text)}`);
      }
    }
    assert(matchCount > 3000, `${matchCount} matches`);
  });

  it('time grows with the text, not with the ways to match it', () => {
    const text = encoder.encode(`${'a'.repeat(200_000)}!`);
    for (const source of ['(a+)+$', '(a|a)*b', '(a*)*b', '(.*)(.*)(.*)(.*)x', 'a{0,500}a{500}b']) {
      const pattern = patternFor(source);
      assert.equal(pattern.automaton.matches(text, 0, 0, text.length), false, source);
    }
  });

  it('the automaton stays within its memory where states abound', () => {
    const pattern = patternFor('(a|b)*a(a|b){14}c');
    const random = new SeededRandom(7);
    const text = encoder.encode(Array.from({ length: 30_000 }, () => (random.below(2) === 0 ? 'a' : 'b')).join(''));
    assert.equal(pattern.automaton.matches(text, 0, 0, text.length), false);
    assert(pattern.automaton.tableBytes <= 300_000);
    const matching = encoder.encode(`${decoder.decode(text)}a${'b'.repeat(14)}c`);
    assert.equal(pattern.automaton.matches(matching, 0, 0, matching.length), true);
  });

  it('many patterns in turn', () => {
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 200; i++) assert.deepEqual(find(patternFor(`^${i}$`), String(i)), ['', String(i)]);
    }
  });

  it('other cases are those of the runtime', () => {
    for (const property of ['Changes_When_Casemapped', 'Changes_When_Casefolded']) {
      const set = propertySet(property)!;
      for (let i = 0; i < set.length; i += 2) {
        for (let codePoint = set[i]; codePoint <= set[i + 1]; codePoint += 7) {
          const other = [...String.fromCodePoint(codePoint).toUpperCase()];
          const same = other.length === 1 && new RegExp(`^${other[0]}$`, 'iu').test(String.fromCodePoint(codePoint));
          if (same)
            assert(isInSet(withOtherCases([codePoint, codePoint]), other[0].codePointAt(0)!), String(codePoint));
        }
      }
    }
  });
});

const LETTERS = ['a', 'b', 'A', 'é', 'É', 'ß', '\n', '1', '_', ' ', '日', '😀', '\u0301', 'k', 'K'];
const ATOMS = [
  'a',
  'b',
  'A',
  'é',
  '日',
  '😀',
  '.',
  '[ab]',
  '[^a]',
  '[é-ﬀ]',
  '\\d',
  '\\w',
  '\\s',
  '\\S',
  '[^\\s1]',
  '\\p{Lu}',
  '1',
  'k',
  '[😀ß]',
]; // prettier-ignore
const PLACES = ['^', '$', '\\b', '\\B'];

function pick<T>(random: SeededRandom, values: readonly T[]): T {
  return values[random.below(values.length)];
}

function choiceOf(random: SeededRandom, depth: number): string {
  const parts = Array.from({ length: 1 + (random.below(3) === 0 ? 1 : 0) }, () => sequenceOf(random, depth));
  return parts.join('|');
}

function sequenceOf(random: SeededRandom, depth: number): string {
  let text = '';
  for (let i = random.below(4); i >= 0; i--) {
    // What is repeated takes at least a character and has no groups: there matchers differ from one another.
    const kind = random.below(10);
    if (kind === 0) text += pick(random, PLACES);
    else if (kind <= 2 && depth > 0) text += `(${choiceOf(random, depth - 1)})`;
    else if (kind === 3)
      text += `(?:${pick(random, ATOMS)}|${pick(random, ATOMS)}${pick(random, ATOMS)})${repeatOf(random)}`;
    else text += pick(random, ATOMS) + (random.below(2) === 0 ? repeatOf(random) : '');
  }
  return text;
}

function repeatOf(random: SeededRandom): string {
  return pick(random, ['*', '+', '?', '{2}', '{1,2}', '{2,}', '{0,2}']) + pick(random, ['', '', '?']);
}
