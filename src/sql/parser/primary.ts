/**
 * Values that stand for themselves: constants, names, calls, and what has brackets or a keyword of its own.
 */
import type { Case, CaseBranch, Expression, ObjectEntry, TypedLiteral } from '../ast/expressions.ts';
import { RESERVED_FUNCTIONS, RESERVED_WORDS } from '../lexer/keywords.ts';
import type { Token } from '../lexer/lexer.ts';
import { parseArguments } from './call.ts';
import type { Cursor } from './cursor.ts';
import { parseExpression, parseItem } from './expression.ts';
import { expectType, parseLiteral } from './literal.ts';
import { continueQuery, isQueryStart, isSetOperator, parseQuery } from './query.ts';

/** One value, without what may stand behind it. */
export function parsePrimary(cursor: Cursor): Expression {
  const literal = parseLiteral(cursor);
  if (literal !== undefined) return literal;
  const token = cursor.peek();
  switch (token.kind) {
    case 'parameter': {
      cursor.take();
      const index = token.value as number;
      cursor.parameterCount = Math.max(cursor.parameterCount, index);
      return { kind: 'parameter', index, position: token.start };
    }
    case 'name':
      return parseName(cursor);
    case 'word':
      return parseWord(cursor, token);
    case 'symbol':
      if (token.text === '(') return parseParenthesis(cursor);
      if (token.text === '[') return { kind: 'array', elements: parseElements(cursor), position: token.start };
      if (token.text === '{') return parseObject(cursor);
  }
  throw cursor.unexpected('an expression');
}

/** A value that begins with a word. */
function parseWord(cursor: Cursor, token: Token): Expression {
  const { keyword, start: position } = token;
  switch (keyword) {
    case 'case':
      return parseCase(cursor);
    case 'current_timestamp':
    case 'current_date':
      cursor.take();
      return { kind: 'current', what: keyword === 'current_date' ? 'date' : 'timestamp', position };
    case 'exists':
      return parseExists(cursor);
    case 'timestamp':
    case 'date':
    case 'interval':
    case 'uuid':
      if (cursor.peek(1).kind === 'text') return parseTypedLiteral(cursor, keyword);
      break;
    case 'vector':
      if (!cursor.isSymbol('[', 1)) break;
      cursor.take();
      return { kind: 'vector', elements: parseElements(cursor), position };
    case 'cast':
      if (cursor.isSymbol('(', 1)) return parseCast(cursor);
      break;
    case 'extract':
      if (cursor.isSymbol('(', 1) && cursor.isWord('from', 3)) return parseExtract(cursor);
  }
  if (RESERVED_WORDS.has(keyword) && !(RESERVED_FUNCTIONS.has(keyword) && cursor.isSymbol('(', 1))) {
    throw cursor.unexpected('an expression');
  }
  return parseName(cursor);
}

/** A name of one or more parts, or the call of a function of that name. */
function parseName(cursor: Cursor): Expression {
  const first = cursor.take();
  const position = first.start;
  const parts = [first.text];
  while (cursor.isSymbol('.') && !cursor.isSymbol('*', 1)) {
    cursor.take();
    parts.push(cursor.expectKey('a name').text);
  }
  if (!cursor.isSymbol('(')) return { kind: 'name', parts, position };
  if (parts.length > 2) throw cursor.unexpected('an operator');
  return parseArguments(cursor, parts.length === 2 ? parts[0] : undefined, parts.at(-1)!, position);
}

/** An expression in parentheses, or a subquery. */
function parseParenthesis(cursor: Cursor): Expression {
  const position = cursor.take().start;
  if (isQueryStart(cursor)) {
    const item = parseItem(cursor);
    cursor.expectSymbol(')');
    return item;
  }
  const first = cursor.peek();
  let expression = parseExpression(cursor);
  // `((select …) union (select …))`: what looked like a subquery was the first part of a set operation.
  if (first.text === '(' && expression.kind === 'subquery' && isSetOperator(cursor)) {
    expression = { kind: 'subquery', query: continueQuery(cursor, expression.query), position };
  }
  cursor.expectSymbol(')');
  return expression;
}

/** `[e, …]`, also empty. */
function parseElements(cursor: Cursor): readonly Expression[] {
  cursor.expectSymbol('[');
  const elements: Expression[] = [];
  if (!cursor.isSymbol(']')) {
    do elements.push(parseItem(cursor));
    while (cursor.acceptComma());
  }
  cursor.expectSymbol(']');
  return elements;
}

/** `{"k": e, …}`, also empty. */
function parseObject(cursor: Cursor): Expression {
  const position = cursor.take().start;
  const entries: ObjectEntry[] = [];
  if (!cursor.isSymbol('}')) {
    do {
      const key = cursor.expectText('a key in quotes');
      cursor.expectSymbol(':');
      entries.push({ key: key.text, value: parseItem(cursor), position: key.position });
    } while (cursor.acceptSymbol(','));
  }
  cursor.expectSymbol('}');
  return { kind: 'object', entries, position };
}

function parseTypedLiteral(cursor: Cursor, type: TypedLiteral['type']): Expression {
  const position = cursor.take().start;
  return { kind: 'typedLiteral', type, text: cursor.take().text, position };
}

function parseExists(cursor: Cursor): Expression {
  const position = cursor.take().start;
  cursor.expectSymbol('(');
  if (!isQueryStart(cursor) && !cursor.isSymbol('(')) throw cursor.unexpected('SELECT');
  const query = parseQuery(cursor);
  cursor.expectSymbol(')');
  return { kind: 'exists', query, position };
}

function parseCase(cursor: Cursor): Case {
  const position = cursor.take().start;
  const operand = cursor.isWord('when') ? undefined : parseExpression(cursor);
  const branches: CaseBranch[] = [];
  do {
    cursor.expectWord('when');
    const when = parseExpression(cursor);
    cursor.expectWord('then');
    branches.push({ when, result: parseExpression(cursor) });
  } while (cursor.isWord('when'));
  const otherwise = cursor.acceptWord('else') ? parseExpression(cursor) : undefined;
  cursor.expectWord('end');
  return { kind: 'case', operand, branches, otherwise, position };
}

function parseCast(cursor: Cursor): Expression {
  const position = cursor.take().start;
  cursor.expectSymbol('(');
  const operand = parseExpression(cursor);
  cursor.expectWord('as');
  const type = expectType(cursor);
  cursor.expectSymbol(')');
  return { kind: 'cast', operand, type, position };
}

function parseExtract(cursor: Cursor): Expression {
  const position = cursor.take().start;
  cursor.expectSymbol('(');
  const { kind } = cursor.peek();
  if (kind !== 'word' && kind !== 'text') throw cursor.unexpected('a field');
  const field = cursor.take();
  cursor.expectWord('from');
  const operand = parseExpression(cursor);
  cursor.expectSymbol(')');
  return { kind: 'extract', field: field.text, operand, position };
}
