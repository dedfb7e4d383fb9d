/**
 * What binds tightest: a value with what stands directly behind it.
 */
import type { Expression } from '../ast/expressions.ts';
import { makeCall, parseArguments } from './call.ts';
import type { Cursor } from './cursor.ts';
import { parseItem } from './expression.ts';
import { typeByName } from './literal.ts';
import { parsePrimary } from './primary.ts';

/** `e[i]`, `e.k`, `e::f`, `e::[schema.]f(args)`, any number of times, behind `start` or the value at the current token. */
export function parsePostfix(cursor: Cursor, start: Expression | undefined): Expression {
  let operand = start ?? parseNested(cursor, parsePrimary);
  for (;;) {
    const token = cursor.peek();
    if (token.kind !== 'symbol') return operand;
    const inner = operand;
    const { height } = cursor;
    if (token.text === '[') operand = parseNested(cursor, () => parseIndex(cursor, inner));
    else if (token.text === '::') operand = parseNested(cursor, () => parseMethod(cursor, inner));
    else if (token.text === '.' && !cursor.isSymbol('*', 1)) operand = parseField(cursor, inner);
    else return operand;
    cursor.setHeight(Math.max(height + 1, cursor.height));
  }
}

/** Runs `parse` and sets the cursor's height to one above the highest expression in it. */
function parseNested(cursor: Cursor, parse: (cursor: Cursor) => Expression): Expression {
  const outer = cursor.tallest;
  cursor.tallest = 0;
  const expression = parse(cursor);
  cursor.setHeight(cursor.tallest + 1);
  cursor.tallest = outer;
  return expression;
}

function parseIndex(cursor: Cursor, operand: Expression): Expression {
  const position = cursor.take().start;
  const index = parseItem(cursor);
  cursor.expectSymbol(']');
  return { kind: 'index', operand, index, position };
}

function parseField(cursor: Cursor, operand: Expression): Expression {
  const position = cursor.take().start;
  const key = cursor.expectKey('a key').text;
  return { kind: 'field', operand, key, position };
}

/**
 * A cast or a method call. `e::a.b(…)` calls b of schema a; without parentheses, `public` and `system` are schemas, and any
 * other `e::a.b` reads key b of what `e::a` gives.
 */
function parseMethod(cursor: Cursor, operand: Expression): Expression {
  const position = cursor.take().start;
  const first = cursor.expectKey('a function or type');
  let schema: string | undefined;
  let name = first.text;
  if (cursor.isSymbol('.')) {
    const isSchema = cursor.isSymbol('(', 2) || first.text === 'public' || first.text === 'system';
    if (isSchema) {
      cursor.take();
      schema = name;
      name = cursor.expectKey('a function').text;
    }
  }
  if (cursor.isSymbol('(')) {
    const call = parseArguments(cursor, schema, name, position);
    return { ...call, arguments: [operand, ...call.arguments], method: true };
  }
  const type = schema === undefined && first.kind === 'word' ? typeByName(name) : undefined;
  if (type !== undefined) return { kind: 'cast', operand, type, position };
  return makeCall(schema, name, [operand], true, position);
}
