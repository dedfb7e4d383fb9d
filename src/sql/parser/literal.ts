/**
 * Constants: their trees, with the slots that the shape gave them.
 */
import { assert } from '../../base/assert.ts';
import { TYPE_BY_NAME, TYPE_NAMES } from '../../types/type.ts';
import type { TypeName } from '../ast/ast.ts';
import type { Literal } from '../ast/expressions.ts';
import { INT64_LIMIT } from '../lexer/number.ts';
import type { Cursor } from './cursor.ts';

/** The type of that name or alias, in any case; undefined when there is none. */
export function typeByName(name: string): TypeName | undefined {
  const type = TYPE_BY_NAME.get(name.toLowerCase());
  return type === undefined ? undefined : (TYPE_NAMES[type] as TypeName);
}

/** Takes the name of a type. */
export function expectType(cursor: Cursor): TypeName {
  const token = cursor.peek();
  const type = token.kind === 'word' ? typeByName(token.text) : undefined;
  if (type === undefined) throw cursor.unexpected('a type');
  cursor.take();
  return type;
}

/**
 * Whether the minus at the current token is the sign of a constant: digits follow directly, and no postfix follows them,
 * which would bind tighter. With a shape, the scanner has decided by the same rule.
 */
export function isSignedConstant(cursor: Cursor): boolean {
  const sign = cursor.peek();
  const digits = cursor.peek(1);
  if (digits.start !== sign.end || (digits.kind !== 'int' && digits.kind !== 'double')) return false;
  if (cursor.shape !== undefined) return cursor.shape.slotAt(sign.start) !== undefined;
  if (digits.value === INT64_LIMIT) return true;
  return !cursor.isSymbol('::', 2) && !cursor.isSymbol('[', 2) && !cursor.isSymbol('.', 2);
}

/** Takes a number, with its sign where the current token is one. */
export function parseNumber(cursor: Cursor): Literal {
  const { position } = cursor;
  const isNegative = cursor.acceptSymbol('-');
  const token = cursor.take();
  assert(token.kind === 'int' || token.kind === 'double', 'a number is an int or a double');
  const slot = cursor.slotAt(position);
  cursor.setHeight(1);
  if (token.kind === 'int') {
    const value = isNegative ? -(token.value as bigint) : (token.value as bigint);
    return { kind: 'literal', type: 'int', value, slot, position };
  }
  const value = isNegative ? -(token.value as number) : (token.value as number);
  return { kind: 'literal', type: 'double', value, slot, position };
}

/** Takes the constant at the current token if it is one: a number, a text, TRUE, FALSE or NULL. */
export function parseLiteral(cursor: Cursor): Literal | undefined {
  const token = cursor.peek();
  const position = token.start;
  if (token.kind === 'int' || token.kind === 'double') return parseNumber(cursor);
  if (token.kind === 'text') {
    cursor.take();
    return { kind: 'literal', type: 'text', value: token.text, slot: cursor.slotAt(position), position };
  }
  if (token.keyword === 'null') {
    cursor.take();
    return { kind: 'literal', type: 'null', value: null, slot: cursor.slotAt(position), position };
  }
  if (token.keyword === 'true' || token.keyword === 'false') {
    cursor.take();
    const value = token.keyword === 'true';
    return { kind: 'literal', type: 'bool', value, slot: cursor.slotAt(position), position };
  }
  return undefined;
}
