/**
 * The parser's face: a request's text to its tree.
 */
import { assert } from '../../base/assert.ts';
import { SqlError } from '../../base/errors.ts';
import type { Request, Statement } from '../ast/ast.ts';
import type { Expression } from '../ast/expressions.ts';
import type { Shape } from '../shape/scanner.ts';
import { Cursor } from './cursor.ts';
import { parseExpression as parseExpressionAt } from './expression.ts';
import { isRowStatementStart, parseRowStatement } from './row-statement.ts';
import { parseUtilityStatement } from './utility-statement.ts';

/**
 * Parses a request: statements between semicolons, empty ones left out.
 *
 * With `shape`, which a ShapeScanner has found in the same bytes, literals carry the slots of its constants, and its VALUES
 * lists are taken over as `literalRows`.
 *
 * Throws SqlError, with a position: syntax_error, out_of_range for numbers, limit_exceeded for depth and length, and
 * misplaced_statement for BEGIN and COMMIT that are not around the whole request, and for statements that have to stand alone.
 */
export function parseRequest(text: Uint8Array, shape?: Shape): Request {
  const cursor = new Cursor(text, shape);
  const explain = parseExplain(cursor);
  skipEmpty(cursor);
  const begin = cursor.isWord('begin') ? cursor.take() : undefined;
  const statements: Statement[] = [];
  let isCommitted = false;
  for (;;) {
    if (begin !== undefined || statements.length > 0) expectSeparator(cursor);
    skipEmpty(cursor);
    if (cursor.peek().kind === 'end') break;
    if (isCommitted) throw misplaced('COMMIT must be the last statement of the request', cursor.position);
    if (cursor.isWord('begin')) throw misplaced('BEGIN must be the first statement of the request', cursor.position);
    if (cursor.isWord('commit')) {
      if (begin === undefined) throw misplaced('COMMIT without BEGIN', cursor.position);
      cursor.take();
      isCommitted = true;
      continue;
    }
    statements.push(parseStatement(cursor));
    checkAlone(statements);
  }
  if (begin !== undefined && !isCommitted) throw misplaced('BEGIN without COMMIT', begin.start);
  if (explain !== 'none' && statements.length === 0) throw cursor.unexpected('a statement');
  if (shape !== undefined) {
    assert(cursor.usedConstantCount === shape.constantCount, 'every constant of the shape is in the tree');
    assert(cursor.usedListCount === shape.listCount, 'every list of the shape is in the tree');
  }
  return { statements, explain, parameterCount: cursor.parameterCount };
}

/** Parses one expression and nothing else: what a table keeps as the text of a DEFAULT, STORED or RESOLVED. Throws like parseRequest. */
export function parseExpression(text: Uint8Array): Expression {
  const cursor = new Cursor(text, undefined);
  const expression = parseExpressionAt(cursor);
  if (cursor.peek().kind !== 'end') throw cursor.unexpected('the end of the expression');
  return expression;
}

function parseExplain(cursor: Cursor): Request['explain'] {
  if (cursor.acceptWord('explain')) return 'explain';
  return cursor.acceptWord('profile') ? 'profile' : 'none';
}

function skipEmpty(cursor: Cursor): void {
  while (cursor.acceptSymbol(';'));
}

function expectSeparator(cursor: Cursor): void {
  if (cursor.peek().kind !== 'end' && !cursor.isSymbol(';')) throw cursor.unexpected("';'");
}

function parseStatement(cursor: Cursor): Statement {
  if (isRowStatementStart(cursor)) return parseRowStatement(cursor);
  const statement = parseUtilityStatement(cursor);
  if (statement === undefined) throw cursor.unexpected('a statement');
  return statement;
}

/** Checks that the last statement may stand beside the ones before it. */
function checkAlone(statements: readonly Statement[]): void {
  const last = statements.at(-1)!;
  const first = statements[0]!;
  if (statements.length === 1 || (isRowStatement(first) && isRowStatement(last))) return;
  const alone = isRowStatement(first) ? last : first;
  throw misplaced('the statement must stand alone in its request', alone.position);
}

function isRowStatement({ kind }: Statement): boolean {
  return kind === 'select' || kind === 'insert' || kind === 'update' || kind === 'delete' || kind === 'with';
}

function misplaced(message: string, position: number): SqlError {
  return new SqlError('misplaced_statement', message, position);
}
