/**
 * Reads a JSONPath query (RFC 9535) from UTF-8 bytes. Errors are SqlErrors invalid_value with the byte offset in the path.
 * White space is allowed where the RFC has it: between segments, inside brackets and filters, not before or behind the whole.
 */

import { SqlError } from '../../base/errors.ts';
import { JsonWriter } from '../../types/json/json-writer.ts';
import { NUMBER, NUMBER_BIG, NUMBER_INT, NUMBER_TOO_LARGE, numberKind, scanNumber } from '../../types/number-text.ts';
import { decodeUtf8, encodeCodePoint, sequenceLength } from '../../types/utf8.ts';
import type { ComparisonOperator, Condition, Operand, Query, Segment, Selector } from './query.ts';

/** Filters, parentheses and functions in one another. */
const NESTING_MAX = 64;
/** Integers of indexes and slices: what JSON implementations agree on (I-JSON). */
const INDEX_MAX = 9007199254740991;
/** Functions of the RFC: what they take and whether they give a value or true and false. */
const VALUE_FUNCTIONS: ReadonlySet<string> = new Set(['length', 'count', 'value']);
const TRUTH_FUNCTIONS: ReadonlySet<string> = new Set(['match', 'search']);

/** The query that the bytes are. Throws SqlError. */
export function parsePath(bytes: Uint8Array): Query {
  return new PathParser(bytes).whole();
}

class PathParser {
  private readonly bytes: Uint8Array;
  private at = 0;
  private depth = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  whole(): Query {
    if (this.peek() !== 36) throw this.expected("'$'");
    const query = this.query();
    if (this.at < this.bytes.length) throw this.expected("'.', '[' or the end");
    return query;
  }

  private peek(offset = 0): number {
    return this.bytes[this.at + offset] ?? -1;
  }

  private error(what: string, at: number = this.at): SqlError {
    return new SqlError('invalid_value', `jsonpath: offset ${at}: ${what}`);
  }

  private expected(what: string): SqlError {
    const byte = this.peek();
    if (byte < 0) return this.error(`expected ${what} but found the end`);
    const length = byte < 128 ? 1 : Math.max(1, sequenceLength(this.bytes, this.at, this.bytes.length));
    const shown = byte < 32 || byte === 127 ? `byte ${byte}` : `'${decodeUtf8(this.bytes, this.at, this.at + length)}'`;
    return this.error(`expected ${what} but found ${shown}`);
  }

  private skipSpace(): void {
    for (let byte = this.peek(); byte === 32 || byte === 9 || byte === 10 || byte === 13; byte = this.peek()) this.at++;
  }

  private accept(byte: number): boolean {
    if (this.peek() !== byte) return false;
    this.at++;
    return true;
  }

  private expect(byte: number): void {
    if (!this.accept(byte)) throw this.expected(`'${String.fromCharCode(byte)}'`);
  }

  private enter(): void {
    if (++this.depth > NESTING_MAX) {
      throw new SqlError('limit_exceeded', `jsonpath: the path is nested deeper than ${NESTING_MAX} levels`);
    }
  }

  /** From `$` or `@`, over all segments. */
  private query(): Query {
    const root = this.peek() === 36 ? '$' : '@';
    this.at++;
    const segments: Segment[] = [];
    for (;;) {
      const start = this.at;
      this.skipSpace();
      const segment = this.segment();
      if (segment === undefined) {
        this.at = start;
        break;
      }
      segments.push(segment);
    }
    const isSingular = segments.every(
      ({ isDescendant, selectors }) =>
        !isDescendant && selectors.length === 1 && (selectors[0].kind === 'name' || selectors[0].kind === 'index'),
    );
    return { root, segments, isSingular };
  }

  private segment(): Segment | undefined {
    const byte = this.peek();
    if (byte === 91) return { isDescendant: false, selectors: this.bracket() };
    if (byte !== 46) return undefined;
    this.at++;
    const isDescendant = this.accept(46);
    if (isDescendant && this.peek() === 91) return { isDescendant, selectors: this.bracket() };
    if (this.accept(42)) return { isDescendant, selectors: [{ kind: 'wildcard' }] };
    return { isDescendant, selectors: [{ kind: 'name', key: this.shorthand() }] };
  }

  /** A name without quotes: letters, `_`, anything beyond ASCII, then digits too. */
  private shorthand(): Uint8Array {
    const start = this.at;
    for (;;) {
      const byte = this.peek();
      if (byte >= 128) {
        const length = sequenceLength(this.bytes, this.at, this.bytes.length);
        if (length === 0) throw this.error('invalid UTF-8');
        this.at += length;
      } else if (isLetter(byte) || (this.at > start && isDigit(byte))) this.at++;
      else break;
    }
    if (this.at === start) throw this.expected("a name, '*' or '['");
    return this.bytes.slice(start, this.at);
  }

  private bracket(): Selector[] {
    this.expect(91);
    const selectors: Selector[] = [];
    do {
      this.skipSpace();
      selectors.push(this.selector());
      this.skipSpace();
    } while (this.accept(44));
    if (!this.accept(93)) throw this.expected("',' or ']'");
    return selectors;
  }

  private selector(): Selector {
    const byte = this.peek();
    if (byte === 34 || byte === 39) return { kind: 'name', key: this.string() };
    if (byte === 42) {
      this.at++;
      return { kind: 'wildcard' };
    }
    if (byte === 63) {
      this.at++;
      this.skipSpace();
      return { kind: 'filter', condition: this.condition() };
    }
    if (byte !== 58 && byte !== 45 && !isDigit(byte)) throw this.expected('a name, index, slice, filter or *');
    return this.indexOrSlice();
  }

  private indexOrSlice(): Selector {
    const start = this.optionalInteger();
    const afterStart = this.at;
    this.skipSpace();
    if (!this.accept(58)) {
      this.at = afterStart;
      return { kind: 'index', index: start! };
    }
    this.skipSpace();
    const end = this.optionalInteger();
    const afterEnd = this.at;
    this.skipSpace();
    if (!this.accept(58)) {
      this.at = afterEnd;
      return { kind: 'slice', start, end, step: 1 };
    }
    const afterColon = this.at;
    this.skipSpace();
    const step = this.optionalInteger();
    if (step === undefined) this.at = afterColon;
    return { kind: 'slice', start, end, step: step ?? 1 };
  }

  /** Digits without a leading zero, with a sign; -0 is none. */
  private optionalInteger(): number | undefined {
    const start = this.at;
    const isNegative = this.accept(45);
    const first = this.at;
    while (isDigit(this.peek())) this.at++;
    if (this.at === first) {
      if (isNegative) throw this.expected('a digit');
      return undefined;
    }
    const isZero = this.bytes[first] === 48;
    if (isZero && (isNegative || this.at > first + 1)) throw this.error('malformed integer', start);
    const value = this.at - first > 16 ? Number.POSITIVE_INFINITY : Number(decodeUtf8(this.bytes, first, this.at));
    if (value > INDEX_MAX) throw this.error('the integer is out of range', start);
    return isNegative ? -value : value;
  }

  private condition(): Condition {
    this.enter();
    const condition = this.chain('or', 124, () => this.chain('and', 38, () => this.basic()));
    this.depth--;
    return condition;
  }

  /** Operands with `||` or `&&`, whose byte is `operator`, between them. */
  private chain(kind: 'or' | 'and', operator: number, operand: () => Condition): Condition {
    const operands = [operand()];
    for (;;) {
      const end = this.at;
      this.skipSpace();
      if (this.peek() !== operator || this.peek(1) !== operator) {
        this.at = end;
        return operands.length === 1 ? operands[0] : { kind, operands };
      }
      this.at += 2;
      this.skipSpace();
      operands.push(operand());
    }
  }

  /** A comparison, a test, or a condition in parentheses; the latter two maybe negated. */
  private basic(): Condition {
    if (this.accept(33)) {
      this.skipSpace();
      const start = this.at;
      if (this.peek() === 40) return { kind: 'not', operand: this.parenthesis() };
      const operand = this.testOrComparison();
      if (operand.kind === 'compare') throw this.error("a comparison behind '!' needs parentheses", start);
      return { kind: 'not', operand };
    }
    return this.peek() === 40 ? this.parenthesis() : this.testOrComparison();
  }

  private parenthesis(): Condition {
    this.expect(40);
    this.skipSpace();
    const condition = this.condition();
    this.skipSpace();
    if (!this.accept(41)) throw this.expected("')'");
    return condition;
  }

  private testOrComparison(): Condition {
    const start = this.at;
    const byte = this.peek();
    let left: Operand;
    if (byte === 36 || byte === 64) {
      const query = this.query();
      if (!this.isBeforeComparison()) return { kind: 'exists', query };
      left = singular(query, () => this.notSingular(start));
    } else {
      const name = this.functionName();
      if (name !== undefined && TRUTH_FUNCTIONS.has(name)) return this.truthFunction(name as 'match' | 'search');
      left = name === undefined ? this.operand() : this.valueFunction(name, start);
    }
    this.skipSpace();
    const operator = this.comparisonOperator();
    this.skipSpace();
    return { kind: 'compare', operator, left, right: this.operand() };
  }

  private notSingular(start: number): SqlError {
    return this.error('a query that is compared must give one value', start);
  }

  private truthFunction(name: 'match' | 'search'): Condition {
    this.expect(40);
    this.skipSpace();
    const text = this.operand();
    this.skipSpace();
    if (!this.accept(44)) throw this.expected(`',': ${name}() takes 2 arguments`);
    this.skipSpace();
    const pattern = this.operand();
    this.closeCall(name, 2);
    if (this.isBeforeComparison()) throw this.error(`${name}() is true or false and cannot be compared`);
    return { kind: name, text, pattern };
  }

  /** Whether a comparison follows, maybe behind white space, which is not read. */
  private isBeforeComparison(): boolean {
    const end = this.at;
    this.skipSpace();
    const isComparison = this.isComparison();
    this.at = end;
    return isComparison;
  }

  private isComparison(): boolean {
    const byte = this.peek();
    return byte === 60 || byte === 62 || ((byte === 61 || byte === 33) && this.peek(1) === 61);
  }

  private comparisonOperator(): ComparisonOperator {
    if (!this.isComparison()) throw this.expected('a comparison');
    const first = String.fromCharCode(this.peek());
    this.at++;
    return (this.accept(61) ? `${first}=` : first) as ComparisonOperator;
  }

  /** A literal, a query that gives at most one value, or a function that gives a value. */
  private operand(): Operand {
    const start = this.at;
    const byte = this.peek();
    if (byte === 36 || byte === 64) {
      return singular(this.query(), () => this.notSingular(start));
    }
    if (byte === 34 || byte === 39) {
      const text = this.string();
      return literal((writer) => writer.string(text, 0, text.length));
    }
    if (byte === 45 || isDigit(byte)) return this.number();
    const name = this.functionName();
    if (name !== undefined) return this.valueFunction(name, start);
    for (const word of ['true', 'false', 'null']) {
      if (!this.isWord(word)) continue;
      this.at += word.length;
      return literal((writer) => (word === 'null' ? writer.null() : writer.bool(word === 'true')));
    }
    throw this.expected('a value or a query');
  }

  private isWord(word: string): boolean {
    for (let i = 0; i < word.length; i++) if (this.peek(i) !== word.charCodeAt(i)) return false;
    const next = this.peek(word.length);
    return !isLetter(next) && !isDigit(next);
  }

  /** Like a JSON number. */
  private number(): Operand {
    const start = this.at;
    const next = scanNumber(this.bytes, start, this.bytes.length);
    if (next < 0) throw this.error('malformed number');
    if (numberKind === NUMBER_TOO_LARGE) throw this.error('the number is out of range');
    this.at = next;
    return literal((writer) =>
      numberKind === NUMBER_INT ? writer.int(NUMBER[0], NUMBER_BIG[0]) : writer.double(NUMBER[0]),
    );
  }

  /** The name of a function whose parenthesis follows; the parenthesis is not read. */
  private functionName(): string | undefined {
    let length = 0;
    for (let byte = this.peek(); isNameByte(byte, length); byte = this.peek(length)) length++;
    if (length === 0 || this.peek(length) !== 40) return undefined;
    const name = decodeUtf8(this.bytes, this.at, this.at + length);
    if (!VALUE_FUNCTIONS.has(name) && !TRUTH_FUNCTIONS.has(name)) throw this.error(`there is no function ${name}()`);
    this.at += length;
    return name;
  }

  private valueFunction(name: string, start: number): Operand {
    if (TRUTH_FUNCTIONS.has(name)) throw this.error(`${name}() is true or false and gives no value`, start);
    this.enter();
    this.expect(40);
    this.skipSpace();
    let operand: Operand;
    if (name === 'length') operand = { kind: 'length', operand: this.operand() };
    else {
      if (this.peek() !== 36 && this.peek() !== 64) throw this.expected(`a query as the argument of ${name}()`);
      operand = { kind: name as 'count' | 'value', query: this.query() };
    }
    this.closeCall(name, 1);
    this.depth--;
    return operand;
  }

  private closeCall(name: string, count: number): void {
    this.skipSpace();
    if (this.accept(41)) return;
    throw this.expected(`')': ${name}() takes ${count} argument${count === 1 ? '' : 's'}`);
  }

  /** A string in single or double quotes, with the escapes of JSON and that of its own quote. */
  private string(): Uint8Array {
    const open = this.at;
    const quote = this.peek();
    this.at++;
    const output = new Uint8Array(this.stringEnd(quote) - this.at);
    let length = 0;
    for (;;) {
      const byte = this.peek();
      if (byte < 0) throw this.error('the string does not end', open);
      if (byte === quote) {
        this.at++;
        return output.slice(0, length);
      }
      if (byte < 32) throw this.error('a control character in a string must be escaped');
      if (byte === 92) length = encodeCodePoint(output, length, this.escape(quote));
      else if (byte < 128) {
        output[length++] = byte;
        this.at++;
      } else {
        const sequence = sequenceLength(this.bytes, this.at, this.bytes.length);
        if (sequence === 0) throw this.error('invalid UTF-8');
        for (let i = 0; i < sequence; i++) output[length++] = this.bytes[this.at++];
      }
    }
  }

  /** Where the string ends whose first character is at `at`; the end of the path where it does not. */
  private stringEnd(quote: number): number {
    let end = this.at;
    while (end < this.bytes.length && this.bytes[end] !== quote) end += this.bytes[end] === 92 ? 2 : 1;
    return Math.min(end, this.bytes.length);
  }

  private escape(quote: number): number {
    const start = this.at;
    const letter = this.peek(1);
    this.at += 2;
    if (letter === quote || letter === 92 || letter === 47) return letter;
    const control = CONTROLS.get(letter);
    if (control !== undefined) return control;
    if (letter !== 117) throw this.error('unknown escape in a string', start);
    const unit = this.hex4(start);
    if (unit < 0xd800 || unit > 0xdfff) return unit;
    if (unit <= 0xdbff && this.peek() === 92 && this.peek(1) === 117) {
      this.at += 2;
      const low = this.hex4(start);
      if (low >= 0xdc00 && low <= 0xdfff) return 0x10000 + (unit - 0xd800) * 1024 + low - 0xdc00;
    }
    throw this.error('half a surrogate pair', start);
  }

  private hex4(start: number): number {
    let value = 0;
    for (let i = 0; i < 4; i++) {
      const digit = Number.parseInt(String.fromCharCode(Math.max(0, this.peek())), 16);
      if (Number.isNaN(digit)) throw this.error('malformed \\u escape', start);
      value = value * 16 + digit;
      this.at++;
    }
    return value;
  }
}

/** What the letters of escapes stand for: b f n r t. */
const CONTROLS: ReadonlyMap<number, number> = new Map([
  [98, 8],
  [102, 12],
  [110, 10],
  [114, 13],
  [116, 9],
]);

function singular(query: Query, error: () => SqlError): Operand {
  if (!query.isSingular) throw error();
  return { kind: 'query', query };
}

function literal(write: (writer: JsonWriter) => void): Operand {
  const writer = new JsonWriter(16);
  writer.start();
  write(writer);
  return { kind: 'literal', bytes: writer.toBytes() };
}

function isDigit(byte: number): boolean {
  return byte >= 48 && byte <= 57;
}

function isLetter(byte: number): boolean {
  return (byte >= 97 && byte <= 122) || (byte >= 65 && byte <= 90) || byte === 95;
}

/** Names of functions: small letters, then digits and `_` too. */
function isNameByte(byte: number, index: number): boolean {
  return (byte >= 97 && byte <= 122) || (index > 0 && (isDigit(byte) || byte === 95));
}
