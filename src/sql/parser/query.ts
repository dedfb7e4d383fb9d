/**
 * Queries: WITH, SELECT, VALUES and the set operations between them.
 */
import { SqlError } from '../../base/errors.ts';
import type {
  CommonTable,
  Format,
  GroupItem,
  Query,
  QueryBody,
  SelectCore,
  SelectItem,
  SetOperation,
  ValuesBody,
  With,
} from '../ast/ast.ts';
import type { Expression } from '../ast/expressions.ts';
import { parseWindows } from './call.ts';
import { type Cursor, EXPRESSION_HEIGHT_MAX } from './cursor.ts';
import { parseExpression, parseExpressionList, parseGroupItem, parseOrderBy } from './expression.ts';
import { parseRowStatement } from './row-statement.ts';
import { parseSourceList } from './source.ts';

/** A FORMAT that stood behind a select list, on its way to the query it belongs to. */
type FormatHolder = { format: Format | undefined };

/** Whether the current token begins a query: SELECT or WITH. VALUES and parentheses do in some places only. */
export function isQueryStart(cursor: Cursor): boolean {
  return cursor.isWord('select') || cursor.isWord('with');
}

export function isSetOperator(cursor: Cursor): boolean {
  return cursor.isWord('union') || cursor.isWord('intersect') || cursor.isWord('except');
}

/** A whole query, with its own WITH if it is there. */
export function parseQuery(cursor: Cursor): Query {
  const { position } = cursor;
  const withClause = cursor.isWord('with') ? parseWith(cursor) : undefined;
  return parseQueryBehindWith(cursor, withClause, position);
}

/** A query whose WITH has been parsed. */
export function parseQueryBehindWith(cursor: Cursor, withClause: With | undefined, position: number): Query {
  cursor.enter();
  const holder: FormatHolder = { format: undefined };
  const body = parseUnions(cursor, parseIntersections(cursor, parseTerm(cursor, holder), holder), holder);
  const query = parseTail(cursor, withClause, body, holder, position);
  cursor.leave();
  return query;
}

/** The rest of a query whose first part stood in parentheses: `(select …) union …`. */
export function continueQuery(cursor: Cursor, first: Query): Query {
  cursor.enter();
  const holder: FormatHolder = { format: undefined };
  const body = parseUnions(cursor, parseIntersections(cursor, unwrap(first), holder), holder);
  const query = parseTail(cursor, undefined, body, holder, first.position);
  cursor.leave();
  return query;
}

/** `WITH [RECURSIVE] name [(columns)] AS (statement), …`. */
export function parseWith(cursor: Cursor): With {
  const position = cursor.expectWord('with').start;
  const recursive = cursor.isWord('recursive') && cursor.isName(1);
  if (recursive) cursor.take();
  const entries: CommonTable[] = [];
  do {
    const { name, position: entryPosition } = cursor.expectName('the name of a common table');
    const columns = cursor.isSymbol('(') ? cursor.expectNameList('a column') : undefined;
    cursor.expectWord('as');
    cursor.expectSymbol('(');
    cursor.enter();
    const statement = parseRowStatement(cursor);
    cursor.leave();
    if (statement.kind === 'with') throw cursor.unexpected('SELECT, INSERT, UPDATE or DELETE');
    cursor.expectSymbol(')');
    entries.push({
      name,
      columns,
      statement: statement.kind === 'select' ? statement.query : statement,
      position: entryPosition,
    });
  } while (cursor.acceptSymbol(','));
  return { recursive, entries, position };
}

function parseUnions(cursor: Cursor, left: QueryBody, holder: FormatHolder): QueryBody {
  let length = 0;
  while (cursor.isWord('union') || cursor.isWord('except')) {
    const operator = cursor.take();
    const all = parseAll(cursor);
    const right = parseIntersections(cursor, parseTerm(cursor, holder), holder);
    left = makeSetOperation(cursor, operator.keyword as 'union' | 'except', operator.start, all, left, right, ++length);
  }
  return left;
}

function parseIntersections(cursor: Cursor, left: QueryBody, holder: FormatHolder): QueryBody {
  let length = 0;
  while (cursor.isWord('intersect')) {
    const position = cursor.take().start;
    const all = parseAll(cursor);
    left = makeSetOperation(cursor, 'intersect', position, all, left, parseTerm(cursor, holder), ++length);
  }
  return left;
}

function parseAll(cursor: Cursor): boolean {
  if (cursor.acceptWord('all')) return true;
  cursor.acceptWord('distinct');
  return false;
}

function makeSetOperation(
  cursor: Cursor,
  operator: SetOperation['operator'],
  position: number,
  all: boolean,
  left: QueryBody,
  right: QueryBody,
  length: number,
): SetOperation {
  if (length > EXPRESSION_HEIGHT_MAX) {
    throw new SqlError('limit_exceeded', 'the statement has too many set operations', position);
  }
  cursor.tallest = Math.max(cursor.tallest, length);
  return { kind: 'setOperation', operator, all, left, right, position };
}

/** SELECT, VALUES, or a query in parentheses. */
function parseTerm(cursor: Cursor, holder: FormatHolder): QueryBody {
  if (cursor.isWord('select')) return parseSelect(cursor, holder);
  if (cursor.isWord('values')) return parseValues(cursor);
  if (!cursor.isSymbol('(')) throw cursor.unexpected('SELECT');
  cursor.take();
  const query = parseQuery(cursor);
  cursor.expectSymbol(')');
  return unwrap(query);
}

/** The body of a query that has nothing else. */
function unwrap(query: Query): QueryBody {
  const isBare =
    query.with === undefined &&
    query.orderBy.length === 0 &&
    query.limit === undefined &&
    query.offset === undefined &&
    query.format === undefined;
  return isBare ? query.body : query;
}

/** ORDER BY, LIMIT, OFFSET and FORMAT. */
function parseTail(
  cursor: Cursor,
  withClause: With | undefined,
  body: QueryBody,
  holder: FormatHolder,
  position: number,
): Query {
  const orderBy = parseOrderBy(cursor);
  let limit: Expression | undefined;
  let offset: Expression | undefined;
  for (;;) {
    if (limit === undefined && cursor.acceptWord('limit')) limit = parseExpression(cursor);
    else if (offset === undefined && cursor.acceptWord('offset')) offset = parseExpression(cursor);
    else if (isFormat(cursor)) setFormat(cursor, holder);
    else break;
  }
  if (body.kind === 'query' && withClause === undefined && orderBy.length === 0) {
    if (limit === undefined && offset === undefined && holder.format === undefined) return body;
  }
  return { kind: 'query', with: withClause, body, orderBy, limit, offset, format: holder.format, position };
}

/** Whether FORMAT 'f' comes: without a text behind it, the word is a name. */
export function isFormat(cursor: Cursor): boolean {
  return cursor.isWord('format') && cursor.peek(1).kind === 'text';
}

/** `FORMAT 'f'` if it is there. */
export function parseFormat(cursor: Cursor): Format | undefined {
  if (!isFormat(cursor)) return undefined;
  cursor.take();
  return cursor.expectText('a format');
}

function setFormat(cursor: Cursor, holder: FormatHolder): void {
  if (holder.format !== undefined) throw new SqlError('syntax_error', 'FORMAT is given twice', cursor.position);
  holder.format = parseFormat(cursor);
}

function parseSelect(cursor: Cursor, holder: FormatHolder): SelectCore {
  const position = cursor.expectWord('select').start;
  const distinct = parseDistinct(cursor);
  const items = parseSelectItems(cursor);
  if (isFormat(cursor)) setFormat(cursor, holder);
  const from = cursor.acceptWord('from') ? parseSourceList(cursor) : [];
  const where = cursor.acceptWord('where') ? parseExpression(cursor) : undefined;
  const groupBy: GroupItem[] = [];
  if (cursor.acceptWords('group', 'by')) {
    do groupBy.push(parseGroupItem(cursor));
    while (cursor.acceptComma());
  }
  const having = cursor.acceptWord('having') ? parseExpression(cursor) : undefined;
  const windows = parseWindows(cursor);
  return { kind: 'core', distinct, items, from, where, groupBy, having, windows, position };
}

function parseDistinct(cursor: Cursor): SelectCore['distinct'] {
  if (cursor.acceptWord('all') || !cursor.acceptWord('distinct')) return 'none';
  if (!cursor.acceptWord('on')) return 'all';
  cursor.expectSymbol('(');
  const items: GroupItem[] = [];
  do items.push(parseGroupItem(cursor));
  while (cursor.acceptSymbol(','));
  cursor.expectSymbol(')');
  return items;
}

/** `e [[AS] name] | * | t.*`, and so on: of SELECT and RETURNING. */
export function parseSelectItems(cursor: Cursor): readonly SelectItem[] {
  const items: SelectItem[] = [];
  do items.push(parseSelectItem(cursor));
  while (cursor.acceptComma());
  return items;
}

function parseSelectItem(cursor: Cursor): SelectItem {
  const { position } = cursor;
  if (cursor.acceptSymbol('*')) return { kind: 'star', table: [], position };
  const expression = parseExpression(cursor);
  if (expression.kind === 'name' && cursor.isSymbol('.') && cursor.isSymbol('*', 1)) {
    cursor.take();
    cursor.take();
    return { kind: 'star', table: expression.parts, position };
  }
  let alias: string | undefined;
  if (cursor.acceptWord('as')) alias = cursor.expectName('a name').name;
  else if (cursor.isName() && !isFormat(cursor)) alias = cursor.take().text;
  return { kind: 'expression', expression, alias, position };
}

/** `VALUES (e, …), …` as a query. */
function parseValues(cursor: Cursor): ValuesBody {
  const position = cursor.expectWord('values').start;
  const rows: Expression[][] = [];
  do {
    const rowPosition = cursor.expectSymbol('(').start;
    const row = parseExpressionList(cursor);
    cursor.expectSymbol(')');
    if (rows.length > 0 && row.length !== rows[0]!.length) throw unequalRows(rowPosition);
    rows.push(row);
  } while (cursor.acceptComma());
  return { kind: 'values', rows, position };
}

/** The error of a VALUES list whose rows differ in width; `position` is that of the first such row. */
export function unequalRows(position: number): SqlError {
  return new SqlError('syntax_error', 'all rows of VALUES must have the same number of values', position);
}
