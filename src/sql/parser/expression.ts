/**
 * Expressions, by precedence climbing.
 *
 * | level | operators, from loose to tight                          |
 * | ----: | ------------------------------------------------------- |
 * |     1 | `->`                                                    |
 * |     2 | OR                                                      |
 * |     3 | AND                                                     |
 * |     4 | NOT                                                     |
 * |     5 | `= <> != < <= > >=` (ANY, ALL), IS, LIKE, BETWEEN, IN   |
 * |     6 | `|`                                                     |
 * |     7 | `^`                                                     |
 * |     8 | `&`                                                     |
 * |     9 | `<< >>`                                                 |
 * |    10 | `+ - ||`                                                |
 * |    11 | `* / %`                                                 |
 * |    12 | AT TIMEZONE                                             |
 * |    13 | unary `- + ~`                                           |
 * |    14 | postfix `[ ] . :: ( )` (postfix.ts)                     |
 *
 * All are left-associative.
 */

import type { GroupItem, OrderItem } from '../ast/ast.ts';
import type { BinaryOperator, ComparisonOperator, Expression } from '../ast/expressions.ts';
import type { Token } from '../lexer/lexer.ts';
import { type Cursor, integerOutOfRange } from './cursor.ts';
import { isSignedConstant, parseNumber } from './literal.ts';
import { parsePostfix } from './postfix.ts';
import { isQueryStart, parseQuery } from './query.ts';

const LEVEL_NOT = 4;
const LEVEL_COMPARISON = 5;
const LEVEL_AT_TIMEZONE = 12;

const SYMBOL_LEVELS: ReadonlyMap<string, number> = new Map([
  ['->', 1],
  ['=', 5],
  ['<>', 5],
  ['!=', 5],
  ['<', 5],
  ['<=', 5],
  ['>', 5],
  ['>=', 5],
  ['|', 6],
  ['^', 7],
  ['&', 8],
  ['<<', 9],
  ['>>', 9],
  ['+', 10],
  ['-', 10],
  ['||', 10],
  ['*', 11],
  ['/', 11],
  ['%', 11],
]);

const WORD_LEVELS: ReadonlyMap<string, number> = new Map([
  ['or', 2],
  ['and', 3],
  ['is', 5],
  ['like', 5],
  ['between', 5],
  ['in', 5],
]);

/** A whole expression. */
export function parseExpression(cursor: Cursor): Expression {
  cursor.enter();
  const expression = parseBinary(cursor, 1);
  cursor.leave();
  if (cursor.height > cursor.tallest) cursor.tallest = cursor.height;
  return expression;
}

/** `e, …`, at least one. */
export function parseExpressionList(cursor: Cursor): Expression[] {
  const list = [parseExpression(cursor)];
  while (cursor.acceptComma()) list.push(parseExpression(cursor));
  return list;
}

/** An expression, or a subquery without parentheses of its own: inside `[ ]`, `{ }` and the parentheses of IN, ANY, ALL. */
export function parseItem(cursor: Cursor): Expression {
  if (!isQueryStart(cursor)) return parseExpression(cursor);
  const { position } = cursor;
  return { kind: 'subquery', query: parseQuery(cursor), position };
}

/** An item of GROUP BY or DISTINCT ON. */
export function parseGroupItem(cursor: Cursor): GroupItem {
  const isInteger = cursor.peek().kind === 'int';
  const expression = parseExpression(cursor);
  const isOrdinal = isInteger && expression.kind === 'literal' && expression.type === 'int';
  return { expression, ordinal: isOrdinal ? Number(expression.value) : undefined };
}

/** `ORDER BY …` if it is there, else no items. */
export function parseOrderBy(cursor: Cursor): readonly OrderItem[] {
  if (!cursor.acceptWords('order', 'by')) return [];
  const items: OrderItem[] = [];
  do {
    const item = parseGroupItem(cursor);
    const descending = !cursor.acceptWord('asc') && cursor.acceptWord('desc');
    let nulls: 'first' | 'last' | undefined;
    if (cursor.acceptWord('nulls')) {
      if (cursor.acceptWord('first')) nulls = 'first';
      else if (cursor.acceptWord('last')) nulls = 'last';
      else throw cursor.unexpected('FIRST or LAST');
    }
    items.push({ ...item, descending, nulls });
  } while (cursor.acceptComma());
  return items;
}

/** Level of the infix operator at the current token; 0 when there is none. */
function infixLevel(cursor: Cursor): number {
  const token = cursor.peek();
  if (token.kind === 'symbol') return SYMBOL_LEVELS.get(token.text) ?? 0;
  if (token.kind !== 'word') return 0;
  if (token.keyword === 'not') {
    return cursor.isWord('like', 1) || cursor.isWord('between', 1) || cursor.isWord('in', 1) ? LEVEL_COMPARISON : 0;
  }
  if (token.keyword === 'at') return cursor.isWord('timezone', 1) ? LEVEL_AT_TIMEZONE : 0;
  return WORD_LEVELS.get(token.keyword) ?? 0;
}

/** An expression whose infix operators have at least the given level. */
function parseBinary(cursor: Cursor, minimum: number): Expression {
  let left = parsePrefix(cursor);
  let { height } = cursor;
  for (;;) {
    const level = infixLevel(cursor);
    if (level === 0 || level < minimum) break;
    const outer = cursor.tallest;
    cursor.tallest = 0;
    cursor.height = 0;
    left = parseInfix(cursor, left, level);
    height = 1 + Math.max(height, cursor.height, cursor.tallest);
    cursor.tallest = outer;
    cursor.setHeight(height);
  }
  cursor.height = height;
  return left;
}

/** The operator at the current token with its right side. Leaves the right side's height in `height` or `tallest`. */
function parseInfix(cursor: Cursor, left: Expression, level: number): Expression {
  const token = cursor.take();
  const position = token.start;
  if (level === LEVEL_COMPARISON) return parseComparison(cursor, left, token);
  if (level === LEVEL_AT_TIMEZONE) {
    cursor.expectWord('timezone');
    return { kind: 'atTimezone', operand: left, zone: parseBinary(cursor, level + 1), position };
  }
  const right = parseBinary(cursor, level + 1);
  if (level === 1) return { kind: 'lambda', seed: left, body: right, position };
  const operator = (token.kind === 'word' ? token.keyword : token.text) as BinaryOperator;
  return { kind: 'binary', operator, left, right, position };
}

/** The operators of level 5, behind their first token. */
function parseComparison(cursor: Cursor, operand: Expression, token: Token): Expression {
  const position = token.start;
  if (token.kind === 'symbol') {
    const operator = (token.text === '!=' ? '<>' : token.text) as ComparisonOperator;
    const quantifier = cursor.isWord('any') ? 'any' : cursor.isWord('all') ? 'all' : undefined;
    if (quantifier !== undefined) {
      cursor.take();
      cursor.expectSymbol('(');
      const set = parseItem(cursor);
      cursor.expectSymbol(')');
      return { kind: 'quantified', operator, quantifier, operand, set, position };
    }
    return { kind: 'binary', operator, left: operand, right: parseBinary(cursor, LEVEL_COMPARISON + 1), position };
  }
  if (token.keyword === 'is') {
    const not = cursor.acceptWord('not');
    cursor.expectWord('null');
    return { kind: 'isNull', operand, not, position };
  }
  const not = token.keyword === 'not';
  const keyword = not ? cursor.take().keyword : token.keyword;
  if (keyword === 'like') {
    return { kind: 'like', operand, pattern: parseBinary(cursor, LEVEL_COMPARISON + 1), not, position };
  }
  if (keyword === 'between') {
    const low = parseBinary(cursor, LEVEL_COMPARISON + 1);
    cursor.tallest = Math.max(cursor.tallest, cursor.height);
    cursor.expectWord('and');
    const high = parseBinary(cursor, LEVEL_COMPARISON + 1);
    return { kind: 'between', operand, low, high, not, position };
  }
  cursor.expectSymbol('(');
  const items = [parseItem(cursor)];
  while (cursor.acceptComma()) items.push(parseItem(cursor));
  cursor.expectSymbol(')');
  return { kind: 'in', operand, items, not, position };
}

/** NOT and the signs, or what has none. */
function parsePrefix(cursor: Cursor): Expression {
  const token = cursor.peek();
  if (token.keyword === 'not') {
    cursor.take();
    return parseUnary(cursor, 'not', token.start);
  }
  if (token.kind === 'symbol') {
    if (token.text === '-') {
      if (isSignedConstant(cursor)) return parsePostfix(cursor, parseNumber(cursor));
      cursor.take();
      return parseUnary(cursor, '-', token.start);
    }
    if (token.text === '+' || token.text === '~') {
      cursor.take();
      return parseUnary(cursor, token.text, token.start);
    }
  }
  if (token.kind === 'int' && BigInt.asIntN(64, token.value as bigint) !== token.value) throw integerOutOfRange(token);
  return parsePostfix(cursor, undefined);
}

/** The operand of a prefix, which has been taken. */
function parseUnary(cursor: Cursor, operator: 'not' | '-' | '+' | '~', position: number): Expression {
  cursor.enter();
  const operand = operator === 'not' ? parseBinary(cursor, LEVEL_NOT) : parsePrefix(cursor);
  cursor.leave();
  cursor.setHeight(cursor.height + 1);
  return { kind: 'unary', operator, operand, position };
}
