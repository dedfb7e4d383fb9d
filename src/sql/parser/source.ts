/**
 * What stands in FROM and USING: tables, subqueries, functions, and joins of them.
 */
import { SqlError } from '../../base/errors.ts';
import type { Identifier, JoinSource, Source, SubquerySource } from '../ast/ast.ts';
import type { Expression } from '../ast/expressions.ts';
import { parseArguments } from './call.ts';
import { type Cursor, EXPRESSION_HEIGHT_MAX } from './cursor.ts';
import { parseExpression } from './expression.ts';
import { continueQuery, isFormat, isQueryStart, isSetOperator, parseQuery } from './query.ts';

/** `source, …`, at least one. */
export function parseSourceList(cursor: Cursor): readonly Source[] {
  const sources = [parseSource(cursor)];
  while (cursor.acceptComma()) sources.push(parseSource(cursor));
  return sources;
}

/** A source with the joins behind it, left to right. */
function parseSource(cursor: Cursor): Source {
  let left = parseTerm(cursor);
  for (let length = 1; ; length++) {
    const { position } = cursor;
    const type = parseJoinType(cursor);
    if (type === undefined) return left;
    if (length > EXPRESSION_HEIGHT_MAX) {
      throw new SqlError('limit_exceeded', 'the statement has too many joins', position);
    }
    const right = parseTerm(cursor);
    let on: Expression | undefined;
    let using: readonly Identifier[] | undefined;
    if (type !== 'cross') {
      if (cursor.acceptWord('using')) using = cursor.expectNameList('a column');
      else if (cursor.acceptWord('on')) on = parseExpression(cursor);
      else throw cursor.unexpected('ON or USING');
    }
    left = { kind: 'join', type, left, right, on, using, position };
    cursor.tallest = Math.max(cursor.tallest, length);
  }
}

/** `[INNER | LEFT [OUTER] | RIGHT [OUTER] | FULL [OUTER] | CROSS] JOIN` if it is there. */
function parseJoinType(cursor: Cursor): JoinSource['type'] | undefined {
  const { keyword } = cursor.peek();
  if (keyword === 'join') {
    cursor.take();
    return 'inner';
  }
  if (keyword === 'inner' || keyword === 'cross') {
    cursor.take();
    cursor.expectWord('join');
    return keyword;
  }
  if (keyword !== 'left' && keyword !== 'right' && keyword !== 'full') return undefined;
  cursor.take();
  cursor.acceptWord('outer');
  cursor.expectWord('join');
  return keyword;
}

function parseTerm(cursor: Cursor): Source {
  const { position } = cursor;
  const lateral = cursor.acceptWord('lateral');
  if (cursor.isSymbol('(')) return parseParenthesis(cursor, lateral, position);
  const name = cursor.expectObjectName('a table');
  if (cursor.isSymbol('(')) {
    const call = parseArguments(cursor, name.schema, name.name, name.position);
    return { kind: 'function', call, lateral, ...parseAlias(cursor), position };
  }
  if (lateral) throw cursor.unexpected("'('");
  let index = parseUseIndex(cursor);
  const alias = parseAlias(cursor);
  index ??= parseUseIndex(cursor);
  return { kind: 'table', schema: name.schema, name: name.name, ...alias, index, position };
}

/** `(select …)`, `(VALUES …)`, or joins in parentheses. */
function parseParenthesis(cursor: Cursor, lateral: boolean, position: number): Source {
  cursor.take();
  cursor.enter();
  let inner: Source;
  if (isQueryStart(cursor) || cursor.isWord('values')) inner = makeSubquery(parseQuery(cursor), position);
  else inner = parseSource(cursor);
  const isBareSubquery = inner.kind === 'subquery' && inner.alias === undefined;
  if (isBareSubquery && isSetOperator(cursor)) {
    inner = makeSubquery(continueQuery(cursor, (inner as SubquerySource).query), position);
  }
  cursor.expectSymbol(')');
  cursor.leave();
  if (isBareSubquery) return { ...(inner as SubquerySource), lateral, ...parseAlias(cursor), position };
  if (lateral) throw new SqlError('syntax_error', 'LATERAL is for subqueries and functions', position);
  return inner;
}

function makeSubquery(query: SubquerySource['query'], position: number): SubquerySource {
  return { kind: 'subquery', query, lateral: false, alias: undefined, columnAliases: undefined, position };
}

/** `USE INDEX (name)` if it is there. */
function parseUseIndex(cursor: Cursor): Identifier | undefined {
  if (!isUseIndex(cursor)) return undefined;
  cursor.take();
  cursor.take();
  cursor.expectSymbol('(');
  const name = cursor.expectName('an index');
  cursor.expectSymbol(')');
  return name;
}

function isUseIndex(cursor: Cursor): boolean {
  return cursor.isWord('use') && cursor.isWord('index', 1) && cursor.isSymbol('(', 2);
}

interface Alias {
  readonly alias: string | undefined;
  readonly columnAliases: readonly Identifier[] | undefined;
}

/** `[AS] name` if it is there. */
export function parseAliasName(cursor: Cursor): string | undefined {
  if (cursor.acceptWord('as')) return cursor.expectName('an alias').name;
  if (cursor.isName() && !isFormat(cursor) && !isUseIndex(cursor)) return cursor.take().text;
  return undefined;
}

/** `[AS] name [(column, …)]` if it is there. */
function parseAlias(cursor: Cursor): Alias {
  const alias = parseAliasName(cursor);
  const hasColumns = alias !== undefined && cursor.isSymbol('(');
  return { alias, columnAliases: hasColumns ? cursor.expectNameList('a column') : undefined };
}
