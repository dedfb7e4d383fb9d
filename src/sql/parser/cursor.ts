/**
 * The parser's place in a request: tokens with look-ahead, the shape's slots, and the depth of what is being parsed.
 */
import { SqlError } from '../../base/errors.ts';
import { NESTING_DEPTH_MAX } from '../../base/limits.ts';
import type { Identifier, ObjectName } from '../ast/ast.ts';
import { RESERVED_WORDS } from '../lexer/keywords.ts';
import { Lexer, type Token } from '../lexer/lexer.ts';
import { utf8 } from '../lexer/text.ts';
import type { Shape } from '../shape/scanner.ts';

/** Height of an expression's tree: `a OR b OR …` grows by one each, without nesting in the text. Later stages recurse over it. */
export const EXPRESSION_HEIGHT_MAX = 1000;

export class Cursor {
  readonly shape: Shape | undefined;
  /** Slots and lists of the shape that the tree has taken up so far. */
  usedConstantCount = 0;
  usedListCount = 0;
  parameterCount = 0;
  /** Height of the expression parsed last, and of the highest one since `tallest` was set to 0. */
  height = 0;
  tallest = 0;
  /** Byte position behind the token taken last. */
  lastEnd = 0;

  readonly #lexer: Lexer;
  /** Tokens read ahead; the first one is the current. */
  readonly #ahead: Token[] = [];
  #depth = 0;

  /** Throws SqlError when the text is not UTF-8. */
  constructor(text: Uint8Array, shape: Shape | undefined) {
    this.#lexer = new Lexer(text);
    this.shape = shape;
  }

  /** The current token, or one of those behind it. */
  peek(offset = 0): Token {
    while (this.#ahead.length <= offset) this.#ahead.push(this.#lexer.next());
    return this.#ahead[offset]!;
  }

  get position(): number {
    return this.peek().start;
  }

  /** Takes the current token. */
  take(): Token {
    const taken = this.peek();
    this.#ahead.shift();
    this.lastEnd = taken.end;
    return taken;
  }

  /** Goes on at a byte position that is between two tokens. */
  seek(position: number): void {
    this.#ahead.length = 0;
    this.#lexer.seek(position);
    this.lastEnd = position;
  }

  /** Whether the token at `offset` is the keyword, given in lower case. */
  isWord(keyword: string, offset = 0): boolean {
    return this.peek(offset).keyword === keyword;
  }

  isSymbol(symbol: string, offset = 0): boolean {
    const token = this.peek(offset);
    return token.kind === 'symbol' && token.text === symbol;
  }

  /** Takes the keyword if it is the current token. */
  acceptWord(keyword: string): boolean {
    if (!this.isWord(keyword)) return false;
    this.take();
    return true;
  }

  acceptSymbol(symbol: string): boolean {
    if (!this.isSymbol(symbol)) return false;
    this.take();
    return true;
  }

  /**
   * Takes a comma, unless a key and a colon follow: then it ends the subquery that an object's entry holds, as in
   * `{"n": select count(*) from t, "k": 1}`.
   */
  acceptComma(): boolean {
    if (!this.isSymbol(',') || (this.peek(1).kind === 'text' && this.isSymbol(':', 2))) return false;
    this.take();
    return true;
  }

  /** Takes all the keywords, or none when the first is not there. Throws when only some are. */
  acceptWords(first: string, ...rest: readonly string[]): boolean {
    if (!this.acceptWord(first)) return false;
    for (const keyword of rest) this.expectWord(keyword);
    return true;
  }

  expectWord(keyword: string): Token {
    if (!this.isWord(keyword)) throw this.unexpected(keyword.toUpperCase());
    return this.take();
  }

  expectSymbol(symbol: string): Token {
    if (!this.isSymbol(symbol)) throw this.unexpected(`'${symbol}'`);
    return this.take();
  }

  /** Whether the token is a name: in back-ticks, or a word that is not reserved. */
  isName(offset = 0): boolean {
    const token = this.peek(offset);
    return token.kind === 'name' || (token.kind === 'word' && !RESERVED_WORDS.has(token.keyword));
  }

  /** A name; `what` says of what, for the error. */
  expectName(what: string): Identifier {
    if (!this.isName()) throw this.unexpected(what);
    const token = this.take();
    return { name: token.text, position: token.start };
  }

  /** A name behind a dot or `::`, where every word is one. */
  expectKey(what: string): Token {
    const { kind } = this.peek();
    if (kind !== 'name' && kind !== 'word') throw this.unexpected(what);
    return this.take();
  }

  /** `[schema.]name`. */
  expectObjectName(what: string): ObjectName {
    const first = this.expectName(what);
    if (!this.acceptSymbol('.')) return { schema: undefined, name: first.name, position: first.position };
    return { schema: first.name, name: this.expectKey(what).text, position: first.position };
  }

  /** A text, and where it stands. It is no constant of the shape. */
  expectText(what: string): { readonly text: string; readonly position: number } {
    if (this.peek().kind !== 'text') throw this.unexpected(what);
    const token = this.take();
    return { text: token.text, position: token.start };
  }

  /** A whole number without sign, which fits 64 bits. */
  expectInteger(what: string): bigint {
    const token = this.peek();
    if (token.kind !== 'int') throw this.unexpected(what);
    if (BigInt.asIntN(64, token.value as bigint) !== token.value) throw integerOutOfRange(token);
    this.take();
    return token.value as bigint;
  }

  /** `(name, …)`, at least one. */
  expectNameList(what: string): readonly Identifier[] {
    this.expectSymbol('(');
    const names = [this.expectName(what)];
    while (this.acceptComma()) names.push(this.expectName(what));
    this.expectSymbol(')');
    return names;
  }

  /** The slot of the constant whose first token is at `position`. */
  slotAt(position: number): number | undefined {
    const slot = this.shape?.slotAt(position);
    if (slot !== undefined) this.usedConstantCount++;
    return slot;
  }

  /** The text of the request between two byte positions. */
  textBetween(start: number, end: number): string {
    return utf8(this.#lexer.bytes, start, end);
  }

  /** Begins something nested. Throws SqlError limit_exceeded when it is too deep. */
  enter(): void {
    if (++this.#depth > NESTING_DEPTH_MAX) throw this.#tooDeep();
  }

  leave(): void {
    this.#depth--;
  }

  /** Notes the height of the expression just made. */
  setHeight(height: number): void {
    if (height > EXPRESSION_HEIGHT_MAX) throw this.#tooDeep();
    this.height = height;
  }

  /** The error of a token that should be something else. */
  unexpected(expected: string): SqlError {
    const token = this.peek();
    return new SqlError('syntax_error', `expected ${expected} but found ${describe(token)}`, token.start);
  }

  #tooDeep(): SqlError {
    return new SqlError('limit_exceeded', 'the statement is nested too deeply', this.position);
  }
}

/** A token in an error's text. What a string says may be a secret, so it is not repeated. */
function describe(token: Token): string {
  if (token.kind === 'end') return 'the end of the text';
  if (token.kind === 'text') return 'a string';
  return token.text.length > TOKEN_SHOWN_LENGTH ? `'${token.text.slice(0, TOKEN_SHOWN_LENGTH)}…'` : `'${token.text}'`;
}

/** Characters of a long number or name that an error repeats. */
const TOKEN_SHOWN_LENGTH = 64;

/** The error of 9223372036854775808 without a minus. */
export function integerOutOfRange(token: Token): SqlError {
  return new SqlError('out_of_range', `integer '${token.text}' is out of range`, token.start);
}
