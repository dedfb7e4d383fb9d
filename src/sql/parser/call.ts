/**
 * Function calls, with all that an aggregate or a window function may carry.
 */

import type { Identifier } from '../ast/ast.ts';
import type {
  Call,
  Expression,
  FrameBound,
  NamedWindow,
  WindowFrame,
  WindowSpecification,
} from '../ast/expressions.ts';
import type { Cursor } from './cursor.ts';
import { parseExpression, parseExpressionList, parseOrderBy } from './expression.ts';

/** A call with nothing but arguments. */
export function makeCall(
  schema: string | undefined,
  name: string,
  args: readonly Expression[],
  method: boolean,
  position: number,
): Call {
  return {
    kind: 'call',
    schema,
    name,
    arguments: args,
    method,
    star: false,
    distinct: false,
    orderBy: [],
    filter: undefined,
    over: undefined,
    position,
  };
}

/** `([DISTINCT] e, … [ORDER BY …]) [FILTER (WHERE e)] [OVER …]`, from the parenthesis; `(*)` as well. */
export function parseArguments(cursor: Cursor, schema: string | undefined, name: string, position: number): Call {
  cursor.expectSymbol('(');
  let star = false;
  let distinct = false;
  let args: readonly Expression[] = [];
  let orderBy: Call['orderBy'] = [];
  if (cursor.isSymbol('*')) {
    cursor.take();
    star = true;
  } else if (!cursor.isSymbol(')')) {
    distinct = cursor.acceptWord('distinct');
    args = parseExpressionList(cursor);
    orderBy = parseOrderBy(cursor);
  }
  cursor.expectSymbol(')');
  let filter: Expression | undefined;
  if (cursor.isWord('filter') && cursor.isSymbol('(', 1)) {
    cursor.take();
    cursor.take();
    cursor.expectWord('where');
    filter = parseExpression(cursor);
    cursor.expectSymbol(')');
  }
  const over = parseOver(cursor);
  return { ...makeCall(schema, name, args, false, position), star, distinct, orderBy, filter, over };
}

function parseOver(cursor: Cursor): Identifier | WindowSpecification | undefined {
  if (!cursor.isWord('over')) return undefined;
  if (cursor.isSymbol('(', 1)) {
    cursor.take();
    return parseWindowSpecification(cursor);
  }
  // Without a window behind it, `over` is the alias of a column.
  if (!cursor.isName(1)) return undefined;
  cursor.take();
  return cursor.expectName('a window');
}

/** `WINDOW name AS (…), …` if it is there. */
export function parseWindows(cursor: Cursor): readonly NamedWindow[] {
  if (!cursor.acceptWord('window')) return [];
  const windows: NamedWindow[] = [];
  do {
    const { name, position } = cursor.expectName('a window');
    cursor.expectWord('as');
    windows.push({ name, specification: parseWindowSpecification(cursor), position });
  } while (cursor.acceptComma());
  return windows;
}

/** `([base] [PARTITION BY …] [ORDER BY …] [ROWS | RANGE …])`. */
function parseWindowSpecification(cursor: Cursor): WindowSpecification {
  const position = cursor.expectSymbol('(').start;
  const isClause = cursor.isWord('partition') ? cursor.isWord('by', 1) : isFrameStart(cursor);
  const base = cursor.isName() && !isClause ? cursor.expectName('a window') : undefined;
  const partitionBy = cursor.acceptWords('partition', 'by') ? parseExpressionList(cursor) : [];
  const orderBy = parseOrderBy(cursor);
  const frame = isFrameStart(cursor) ? parseFrame(cursor) : undefined;
  cursor.expectSymbol(')');
  return { kind: 'window', base, partitionBy, orderBy, frame, position };
}

function isFrameStart(cursor: Cursor): boolean {
  const { keyword } = cursor.peek();
  return (keyword === 'rows' || keyword === 'range' || keyword === 'groups') && !cursor.isSymbol(')', 1);
}

function parseFrame(cursor: Cursor): WindowFrame {
  const token = cursor.take();
  const unit = token.keyword as WindowFrame['unit'];
  const position = token.start;
  if (!cursor.acceptWord('between')) return { unit, start: parseBound(cursor), end: { kind: 'currentRow' }, position };
  const start = parseBound(cursor);
  cursor.expectWord('and');
  return { unit, start, end: parseBound(cursor), position };
}

function parseBound(cursor: Cursor): FrameBound {
  if (cursor.isWord('current') && cursor.isWord('row', 1)) {
    cursor.take();
    cursor.take();
    return { kind: 'currentRow' };
  }
  if (cursor.isWord('unbounded') && (cursor.isWord('preceding', 1) || cursor.isWord('following', 1))) {
    cursor.take();
    return { kind: cursor.take().keyword === 'preceding' ? 'unboundedPreceding' : 'unboundedFollowing' };
  }
  const offset = parseExpression(cursor);
  if (cursor.acceptWord('preceding')) return { kind: 'preceding', offset };
  if (cursor.acceptWord('following')) return { kind: 'following', offset };
  throw cursor.unexpected('PRECEDING or FOLLOWING');
}
