/**
 * Patterns, from text to tree. The syntax is that of RE2 and of JavaScript's `u` mode as far as they agree:
 *
 *   characters   x  .  [a-z]  [^a-z]  [[:alpha:]]  \d \D \w \W \s \S  \p{Lu} \P{Lu} \pL  \t \n \r \f \v \a \e \0
 *                \xHH  \x{HHHH}  \uHHHH  \u{HHHH}  \cX  and a backslash before any other sign
 *   repetition   *  +  ?  {n}  {n,}  {n,m}, each lazy with a ? behind it
 *   groups       (…)  (?:…)  (?<name>…)  (?P<name>…)  (?i)  (?ims-ims:…)
 *   places       ^  $  \A  \z  \b  \B
 *
 * Flags: i other cases too, m `^` and `$` at lines, s `.` takes a newline. A newline is \n only; words are of ASCII.
 */

import { SqlError } from '../../base/errors.ts';
import {
  ANY_CHARACTER,
  type CodePointSet,
  complement,
  DIGITS,
  normalize,
  POSIX_CLASSES,
  propertySet,
  WHITE_SPACE,
  WORD_CHARACTERS,
  withOtherCases,
} from './code-points.ts';

/** Bits of the places that an assertion asks for. */
export const TEXT_START = 1;
export const TEXT_END = 2;
export const LINE_START = 3;
export const LINE_END = 4;
export const WORD_BOUNDARY = 5;
export const NOT_WORD_BOUNDARY = 6;

export type PatternNode =
  | { readonly kind: 'set'; readonly set: CodePointSet }
  | { readonly kind: 'sequence'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'group'; readonly index: number; readonly part: PatternNode }
  | {
      readonly kind: 'repeat';
      readonly part: PatternNode;
      readonly least: number;
      /** Infinity: no bound. */
      readonly most: number;
      readonly isGreedy: boolean;
    }
  | { readonly kind: 'place'; readonly place: number };

export type PatternTree = {
  readonly root: PatternNode;
  /** Groups that capture, without the whole match. */
  readonly groupCount: number;
  readonly groupNames: ReadonlyMap<string, number>;
};

const REPEAT_MAX = 1000;
const DEPTH_MAX = 200;
const NEWLINE: CodePointSet = [10, 10];

/**
 * The tree of a pattern. `flags` is any of the letters i, m, s. Throws SqlError invalid_value with what is wrong and the
 * character, from 0, where: `unclosed ( at 3`.
 */
export function parsePattern(pattern: string, flags: string): PatternTree {
  return new PatternParser(pattern, flags).parse();
}

class PatternParser {
  private readonly characters: readonly string[];
  private at = 0;
  private depth = 0;
  private groupCount = 0;
  private readonly groupNames = new Map<string, number>();
  private ignoresCase: boolean;
  private isMultiline: boolean;
  private dotTakesNewline: boolean;

  constructor(pattern: string, flags: string) {
    this.characters = [...pattern];
    this.ignoresCase = flags.includes('i');
    this.isMultiline = flags.includes('m');
    this.dotTakesNewline = flags.includes('s');
  }

  parse(): PatternTree {
    const root = this.choice();
    if (this.at < this.characters.length) throw this.error('unmatched )', this.at);
    return { root, groupCount: this.groupCount, groupNames: this.groupNames };
  }

  private error(what: string, at: number): SqlError {
    return new SqlError('invalid_value', `${what} at ${at}`);
  }

  private get next(): string | undefined {
    return this.characters[this.at];
  }

  private take(text: string): boolean {
    if (!this.looksAt(text)) return false;
    this.at += text.length;
    return true;
  }

  /** `text` is of characters below U+10000. */
  private looksAt(text: string): boolean {
    for (let i = 0; i < text.length; i++) if (this.characters[this.at + i] !== text[i]) return false;
    return true;
  }

  private choice(): PatternNode {
    if (++this.depth > DEPTH_MAX) throw this.error(`groups nested deeper than ${DEPTH_MAX}`, this.at);
    // Flags set inside a group end with it.
    const { ignoresCase, isMultiline, dotTakesNewline } = this;
    const parts = [this.sequence()];
    while (this.take('|')) parts.push(this.sequence());
    this.ignoresCase = ignoresCase;
    this.isMultiline = isMultiline;
    this.dotTakesNewline = dotTakesNewline;
    this.depth--;
    return parts.length === 1 ? parts[0] : { kind: 'choice', parts };
  }

  private sequence(): PatternNode {
    const parts: PatternNode[] = [];
    while (this.next !== undefined && this.next !== '|' && this.next !== ')') {
      const part = this.atom();
      if (part !== undefined) parts.push(this.repeated(part));
    }
    return parts.length === 1 ? parts[0] : { kind: 'sequence', parts };
  }

  /** One thing that may be repeated; undefined for a change of flags. */
  private atom(): PatternNode | undefined {
    const start = this.at;
    const character = this.characters[this.at++];
    switch (character) {
      case '(':
        return this.group(start);
      case '[':
        return { kind: 'set', set: this.bracket(start) };
      case '.':
        return { kind: 'set', set: this.dotTakesNewline ? ANY_CHARACTER : complement(NEWLINE) };
      case '^':
        return { kind: 'place', place: this.isMultiline ? LINE_START : TEXT_START };
      case '$':
        return { kind: 'place', place: this.isMultiline ? LINE_END : TEXT_END };
      case '*':
      case '+':
      case '?':
        throw this.error(`nothing for ${character} to repeat`, start);
      case '{':
        this.at = start;
        if (this.counts() !== undefined) throw this.error('nothing for { to repeat', start);
        this.at = start + 1;
        return this.literal(character);
      case '\\':
        return this.escape(start);
      default:
        return this.literal(character);
    }
  }

  private literal(character: string): PatternNode {
    const codePoint = character.codePointAt(0)!;
    return this.setNode([codePoint, codePoint]);
  }

  private setNode(set: CodePointSet): PatternNode {
    return { kind: 'set', set: this.ignoresCase ? withOtherCases(set) : set };
  }

  private repeated(part: PatternNode): PatternNode {
    const start = this.at;
    let least = 0;
    let most = Number.POSITIVE_INFINITY;
    if (this.take('+')) least = 1;
    else if (this.take('?')) most = 1;
    else if (!this.take('*')) {
      const counts = this.next === '{' ? this.counts() : undefined;
      if (counts === undefined) return part;
      [least, most] = counts;
      if (least > REPEAT_MAX || (most > REPEAT_MAX && most !== Number.POSITIVE_INFINITY)) {
        throw this.error(`a repetition of more than ${REPEAT_MAX}`, start);
      }
      if (most < least) throw this.error('a repetition with its bounds in the wrong order', start);
    }
    const isGreedy = !this.take('?');
    if (this.next === '+' && this.at === start + 1) throw this.error('possessive repetition is not supported', this.at);
    if (this.next === '*' || this.next === '+' || this.next === '?') {
      throw this.error(`nothing for ${this.next} to repeat`, this.at);
    }
    return { kind: 'repeat', part, least, most, isGreedy };
  }

  /** `{n}`, `{n,}` or `{n,m}`; undefined, with nothing taken, where the brace is an ordinary one. */
  private counts(): [number, number] | undefined {
    const start = this.at++;
    const least = this.digits();
    let most = least;
    if (least !== undefined && this.take(',')) most = this.next === '}' ? Number.POSITIVE_INFINITY : this.digits();
    if (least === undefined || most === undefined || !this.take('}')) {
      this.at = start;
      return undefined;
    }
    return [least, most];
  }

  private digits(): number | undefined {
    let text = '';
    while (this.next !== undefined && this.next >= '0' && this.next <= '9') text += this.characters[this.at++];
    return text === '' ? undefined : Number(text);
  }

  private group(start: number): PatternNode | undefined {
    if (!this.take('?')) return this.capture(start);
    if (this.looksAt('=') || this.looksAt('!') || this.looksAt('<=') || this.looksAt('<!')) {
      throw this.error('look-around is not supported', start);
    }
    if (this.take('<') || this.take('P<')) {
      this.groupName(start);
      return this.capture(start);
    }
    if (this.looksAt('P=')) throw this.error('back-references are not supported', start);
    if (this.looksAt('>')) throw this.error('atomic groups are not supported', start);
    const { ignoresCase, isMultiline, dotTakesNewline } = this;
    let isOn = true;
    for (;;) {
      const character = this.characters[this.at++];
      if (character === 'i') this.ignoresCase = isOn;
      else if (character === 'm') this.isMultiline = isOn;
      else if (character === 's') this.dotTakesNewline = isOn;
      else if (character === '-' && isOn) isOn = false;
      else if (character === ')') return undefined;
      else if (character === ':') break;
      else throw this.error('unknown group (?', start);
    }
    const part = this.choice();
    this.close(start);
    this.ignoresCase = ignoresCase;
    this.isMultiline = isMultiline;
    this.dotTakesNewline = dotTakesNewline;
    return part;
  }

  /** The name of the group that comes next. */
  private groupName(start: number): void {
    let name = '';
    while (this.next !== undefined && /^[\p{L}\p{N}_]$/u.test(this.next)) name += this.characters[this.at++];
    if (name === '' || /^\p{N}/u.test(name) || !this.take('>')) throw this.error('malformed name of a group', start);
    if (this.groupNames.has(name)) throw this.error(`a second group <${name}>`, start);
    this.groupNames.set(name, this.groupCount + 1);
  }

  private capture(start: number): PatternNode {
    const index = ++this.groupCount;
    const part = this.choice();
    this.close(start);
    return { kind: 'group', index, part };
  }

  private close(start: number): void {
    if (!this.take(')')) throw this.error('unclosed (', start);
  }

  private escape(start: number): PatternNode {
    const character = this.next;
    if (character === undefined) throw this.error('a lone \\ at the end', start);
    if (character === 'k' || (character >= '1' && character <= '9')) {
      throw this.error('back-references are not supported', start);
    }
    const place = PLACES.get(character);
    if (place !== undefined) {
      this.at++;
      return { kind: 'place', place };
    }
    const set = this.classEscape(start);
    if (set !== undefined) return { kind: 'set', set };
    const codePoint = this.characterEscape(start);
    return this.setNode([codePoint, codePoint]);
  }

  /** `\d` and the like, behind the backslash; undefined, with nothing taken, for what stands for one character. */
  private classEscape(start: number): CodePointSet | undefined {
    const letter = this.next!;
    const lower = letter.toLowerCase();
    let set: CodePointSet;
    if (lower === 'd') set = DIGITS;
    else if (lower === 'w') set = WORD_CHARACTERS;
    else if (lower === 's') set = WHITE_SPACE;
    else if (lower === 'p') return this.property(start);
    else return undefined;
    this.at++;
    const wide = this.ignoresCase ? withOtherCases(set) : set;
    return letter === lower ? wide : complement(wide);
  }

  private property(start: number): CodePointSet {
    const isNegated = this.characters[this.at++] === 'P';
    let name = '';
    if (this.take('{')) {
      while (this.next !== undefined && this.next !== '}') name += this.characters[this.at++];
      if (!this.take('}')) throw this.error('unclosed {', start);
    } else name = this.characters[this.at++] ?? '';
    const set = propertySet(name);
    if (set === undefined) throw this.error(`unknown Unicode property '${name.slice(0, 40)}'`, start);
    const wide = this.ignoresCase ? withOtherCases(set) : set;
    return isNegated ? complement(wide) : wide;
  }

  /** The code point of an escape, behind the backslash. */
  private characterEscape(start: number): number {
    const character = this.characters[this.at++];
    const control = CONTROLS.get(character);
    if (control !== undefined) return control;
    if (character === 'x') return this.next === '{' ? this.bracedHex(start) : this.hex(2, start);
    if (character === 'u') return this.next === '{' ? this.bracedHex(start) : this.unicodeEscape(start);
    if (character === 'c') {
      const letter = this.characters[this.at++] ?? '';
      if (!/^[A-Za-z]$/.test(letter)) throw this.error('malformed \\c', start);
      return letter.charCodeAt(0) & 31;
    }
    if (/^[A-Za-z0-9]$/.test(character)) throw this.error(`unknown escape \\${character}`, start);
    return character.codePointAt(0)!;
  }

  private unicodeEscape(start: number): number {
    const high = this.hex(4, start);
    if (high < 0xd800 || high > 0xdfff) return high;
    if (high < 0xdc00 && this.take('\\u')) {
      const low = this.hex(4, start);
      if (low >= 0xdc00 && low <= 0xdfff) return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    }
    throw this.error('half a surrogate pair', start);
  }

  private hex(length: number, start: number): number {
    const text = this.characters.slice(this.at, this.at + length).join('');
    if (text.length !== length || !/^[0-9A-Fa-f]+$/.test(text)) throw this.error('malformed escape', start);
    this.at += length;
    return Number.parseInt(text, 16);
  }

  private bracedHex(start: number): number {
    const end = this.characters.indexOf('}', this.at);
    const text = this.characters.slice(this.at + 1, Math.max(end, 0)).join('');
    if (!/^[0-9A-Fa-f]{1,6}$/.test(text)) throw this.error('malformed escape', start);
    const codePoint = Number.parseInt(text, 16);
    if (codePoint > 0x10ffff || (codePoint >= 0xd800 && codePoint <= 0xdfff)) {
      throw this.error('an escape of no character', start);
    }
    this.at = end + 1;
    return codePoint;
  }

  /** A class in brackets, behind `[`. */
  private bracket(start: number): CodePointSet {
    const isNegated = this.take('^');
    const ranges: number[] = [];
    let isFirst = true;
    for (;;) {
      if (this.next === undefined) throw this.error('unclosed [', start);
      // As the first one, a ] stands for itself.
      if (this.next === ']' && !isFirst) break;
      isFirst = false;
      const set = this.bracketClass();
      if (set !== undefined) {
        for (const bound of set) ranges.push(bound);
        continue;
      }
      const itemStart = this.at;
      const low = this.bracketCharacter();
      let high = low;
      if (this.next === '-' && this.characters[this.at + 1] !== ']' && this.characters[this.at + 1] !== undefined) {
        this.at++;
        if (this.bracketClass() !== undefined) throw this.error('a range to a class of characters', itemStart);
        high = this.bracketCharacter();
        if (high < low) throw this.error('a range with its ends in the wrong order', itemStart);
      }
      ranges.push(low, high);
    }
    this.at++;
    const set = normalize(ranges);
    const wide = this.ignoresCase ? withOtherCases(set) : set;
    return isNegated ? complement(wide) : wide;
  }

  /** `\d`, `[:alpha:]` and the like inside brackets; undefined, with nothing taken, for one character. */
  private bracketClass(): CodePointSet | undefined {
    const start = this.at;
    if (this.looksAt('[:')) {
      const end = this.characters.indexOf(']', this.at);
      const text = this.characters.slice(this.at, end + 1).join('');
      const name = /^\[:(\^?)([a-z]+):\]$/.exec(text);
      if (name === null) return undefined;
      const set = POSIX_CLASSES.get(name[2]);
      if (set === undefined) throw this.error(`unknown class ${text}`, start);
      this.at = end + 1;
      return name[1] === '' ? set : complement(set);
    }
    if (this.next !== '\\') return undefined;
    this.at++;
    const set = this.next === undefined ? undefined : this.classEscape(start);
    if (set === undefined) this.at = start;
    return set;
  }

  private bracketCharacter(): number {
    const start = this.at;
    const character = this.characters[this.at++];
    if (character !== '\\') return character.codePointAt(0)!;
    if (this.next === undefined) throw this.error('a lone \\ at the end', start);
    if (this.take('b')) return 8;
    return this.characterEscape(start);
  }
}

const PLACES: ReadonlyMap<string, number> = new Map([
  ['A', TEXT_START],
  ['z', TEXT_END],
  ['b', WORD_BOUNDARY],
  ['B', NOT_WORD_BOUNDARY],
]);

const CONTROLS: ReadonlyMap<string, number> = new Map([
  ['0', 0],
  ['t', 9],
  ['n', 10],
  ['v', 11],
  ['f', 12],
  ['r', 13],
  ['a', 7],
  ['e', 27],
]);
