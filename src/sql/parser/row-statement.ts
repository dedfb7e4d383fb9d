/**
 * Statements that read and change rows: SELECT, INSERT, UPDATE, DELETE, each with WITH before it.
 */
import type {
  Assignment,
  Conflict,
  Default,
  Delete,
  Insert,
  InsertSource,
  Returning,
  RowStatement,
  Update,
  With,
} from '../ast/ast.ts';
import type { Expression } from '../ast/expressions.ts';
import type { Cursor } from './cursor.ts';
import { parseExpression } from './expression.ts';
import {
  isQueryStart,
  parseFormat,
  parseQuery,
  parseQueryBehindWith,
  parseSelectItems,
  parseWith,
  unequalRows,
} from './query.ts';
import { parseAliasName, parseSourceList } from './source.ts';

/** Whether the current token begins such a statement. */
export function isRowStatementStart(cursor: Cursor): boolean {
  const token = cursor.peek();
  if (token.kind === 'symbol') return token.text === '(';
  return (
    token.keyword === 'select' ||
    token.keyword === 'insert' ||
    token.keyword === 'update' ||
    token.keyword === 'delete' ||
    token.keyword === 'with' ||
    token.keyword === 'values'
  );
}

/** One statement. A WITH with nothing behind it is one too, of kind `with`. */
export function parseRowStatement(cursor: Cursor): RowStatement {
  const { position } = cursor;
  const withClause = cursor.isWord('with') ? parseWith(cursor) : undefined;
  const { kind, keyword } = cursor.peek();
  if (keyword === 'insert') return parseInsert(cursor, withClause);
  if (keyword === 'update') return parseUpdate(cursor, withClause);
  if (keyword === 'delete') return parseDelete(cursor, withClause);
  if (withClause !== undefined && (kind === 'end' || cursor.isSymbol(';'))) {
    return { kind: 'with', with: withClause, position };
  }
  return { kind: 'select', query: parseQueryBehindWith(cursor, withClause, position), position };
}

function parseInsert(cursor: Cursor, withClause: With | undefined): Insert {
  const position = cursor.expectWord('insert').start;
  cursor.expectWord('into');
  const target = cursor.expectObjectName('a table');
  let columns: Insert['columns'];
  // A parenthesis may also begin the query.
  if (cursor.isSymbol('(') && (cursor.isName(1) || cursor.isSymbol(')', 1))) {
    if (cursor.isSymbol(')', 1)) {
      cursor.take();
      cursor.take();
      columns = [];
    } else columns = cursor.expectNameList('a column');
  }
  const source = parseInsertSource(cursor);
  const conflict = parseConflict(cursor);
  const returning = parseReturning(cursor);
  return { kind: 'insert', with: withClause, target, columns, source, conflict, returning, position };
}

function parseInsertSource(cursor: Cursor): InsertSource {
  const { position } = cursor;
  if (cursor.acceptWord('generate')) return { kind: 'generate', count: parseExpression(cursor), position };
  if (cursor.acceptWord('values')) return parseRows(cursor, position);
  if (isQueryStart(cursor) || cursor.isSymbol('(')) return { kind: 'select', query: parseQuery(cursor), position };
  throw cursor.unexpected('VALUES, GENERATE or SELECT');
}

/** The rows behind VALUES; a list that the shape has taken out is jumped over. */
function parseRows(cursor: Cursor, position: number): InsertSource {
  const { shape } = cursor;
  const list = shape?.listAt(cursor.position);
  if (shape !== undefined && list !== undefined) {
    cursor.seek(shape.listEnd(list));
    cursor.usedListCount++;
    return { kind: 'values', literalRows: true, list, width: shape.listWidth(list), position };
  }
  const rows: (Expression | Default)[][] = [];
  do {
    const row: (Expression | Default)[] = [];
    const rowPosition = cursor.expectSymbol('(').start;
    if (!cursor.isSymbol(')')) {
      do row.push(parseValue(cursor));
      while (cursor.acceptSymbol(','));
    }
    cursor.expectSymbol(')');
    if (rows.length > 0 && row.length !== rows[0]!.length) throw unequalRows(rowPosition);
    rows.push(row);
  } while (cursor.acceptSymbol(','));
  return { kind: 'values', literalRows: false, rows, position };
}

/** An expression, or DEFAULT. */
function parseValue(cursor: Cursor): Expression | Default {
  const { position } = cursor;
  return cursor.acceptWord('default') ? { kind: 'default', position } : parseExpression(cursor);
}

/** `ON CONFLICT [DO] NOTHING | ERROR | RESOLVE | UPDATE SET … [WHERE e]` if it is there. */
function parseConflict(cursor: Cursor): Conflict | undefined {
  const { position } = cursor;
  if (!cursor.acceptWords('on', 'conflict')) return undefined;
  cursor.acceptWord('do');
  if (cursor.acceptWord('nothing')) return { kind: 'nothing', position };
  if (cursor.acceptWord('error')) return { kind: 'error', position };
  if (cursor.acceptWord('resolve')) return { kind: 'resolve', position };
  if (!cursor.acceptWord('update')) throw cursor.unexpected('NOTHING, ERROR, RESOLVE or UPDATE');
  return { kind: 'update', assignments: parseAssignments(cursor), where: parseWhere(cursor), position };
}

/** `SET column[.path…] = e | DEFAULT, …`. */
function parseAssignments(cursor: Cursor): readonly Assignment[] {
  cursor.expectWord('set');
  const assignments: Assignment[] = [];
  do {
    const { name: column, position } = cursor.expectName('a column');
    const path: string[] = [];
    while (cursor.acceptSymbol('.')) path.push(cursor.expectKey('a key').text);
    cursor.expectSymbol('=');
    assignments.push({ column, path, value: parseValue(cursor), position });
  } while (cursor.acceptSymbol(','));
  return assignments;
}

function parseWhere(cursor: Cursor): Expression | undefined {
  return cursor.acceptWord('where') ? parseExpression(cursor) : undefined;
}

/** `RETURNING items [FORMAT 'f']` if it is there. */
function parseReturning(cursor: Cursor): Returning | undefined {
  const { position } = cursor;
  if (!cursor.acceptWord('returning')) return undefined;
  return { items: parseSelectItems(cursor), format: parseFormat(cursor), position };
}

function parseUpdate(cursor: Cursor, withClause: With | undefined): Update {
  const position = cursor.expectWord('update').start;
  const target = cursor.expectObjectName('a table');
  const alias = parseAliasName(cursor);
  const assignments = parseAssignments(cursor);
  const from = cursor.acceptWord('from') ? parseSourceList(cursor) : [];
  const where = parseWhere(cursor);
  const returning = parseReturning(cursor);
  return { kind: 'update', with: withClause, target, alias, assignments, from, where, returning, position };
}

function parseDelete(cursor: Cursor, withClause: With | undefined): Delete {
  const position = cursor.expectWord('delete').start;
  cursor.expectWord('from');
  const target = cursor.expectObjectName('a table');
  const alias = parseAliasName(cursor);
  const using = cursor.acceptWord('using') ? parseSourceList(cursor) : [];
  const where = parseWhere(cursor);
  const returning = parseReturning(cursor);
  return { kind: 'delete', with: withClause, target, alias, using, where, returning, position };
}
