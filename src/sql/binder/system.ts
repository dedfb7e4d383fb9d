/**
 * Functions of schema `system`: what main says about the database. Their values are those of SHOW … EXTENDED; the frontend
 * asks main for them before the request runs, and they are then the same for the whole of it.
 */

import { notSupported, SqlError } from '../../base/errors.ts';
import { JSON_TYPE, NULL_TYPE, TEXT, VALUE_NAMES } from '../../types/type.ts';
import type { Call } from '../ast/expressions.ts';
import type { Bound, SystemObject } from './bound.ts';
import { BOUND_NULL, operatorNode } from './operators.ts';

/** Without an argument. */
const OBJECTS: ReadonlySet<string> = new Set<SystemObject>([
  'config',
  'nodes',
  'schemas',
  'tables',
  'indexes',
  'wal',
  'status',
  'statements',
]);

/** With the name of one: where it is looked for, and how (the immediate of json_find). */
const ONE_OF: ReadonlyMap<string, readonly [SystemObject, number]> = new Map<string, readonly [SystemObject, number]>([
  ['node', ['nodes', 0]],
  ['schema', ['schemas', 1]],
  ['table', ['tables', 2]],
]);

/** Of things that are not there yet. */
const LATER: ReadonlySet<string> = new Set(['users', 'user', 'replicas', 'replica', 'repl', 'replication']);

/** Binds `system.name(…)`, whose arguments are bound. */
export function bindSystemCall(tree: Call, operands: readonly Bound[]): Bound {
  const { name, position } = tree;
  if (LATER.has(name)) throw notSupported(`system.${name}()`, position);
  const isObject = OBJECTS.has(name);
  const one = ONE_OF.get(name);
  if (!isObject && one === undefined)
    throw new SqlError('unknown_function', `function 'system.${name}' does not exist`, position);
  const expected = isObject ? 0 : 1;
  if (
    operands.length !== expected ||
    tree.star ||
    tree.distinct ||
    tree.filter !== undefined ||
    tree.orderBy.length > 0
  )
    throw new SqlError(
      'wrong_arguments',
      `system.${name}: expected ${isObject ? 'no arguments' : '1 argument'}`,
      position,
    );
  if (one === undefined) return systemNode(name as SystemObject);
  const [operand] = operands as [Bound];
  if (operand.type === NULL_TYPE) return { ...BOUND_NULL, type: JSON_TYPE };
  if (operand.type !== TEXT)
    throw new SqlError(
      'type_mismatch',
      `system.${name}: unsupported argument types (${VALUE_NAMES[operand.type]})`,
      position,
    );
  return operatorNode('json_find', JSON_TYPE, [systemNode(one[0]), operand], {
    canGiveNull: true,
    isPacked: true,
    immediate: one[1],
  });
}

function systemNode(what: SystemObject): Bound {
  return { kind: 'system', what, type: JSON_TYPE, isNullable: false, isConstant: true };
}
