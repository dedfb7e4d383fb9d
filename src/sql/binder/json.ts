/** JSON in expressions: reading keys and indexes, paths of them, setting a path, ANY and ALL. */

import { SqlError } from '../../base/errors.ts';
import type { JsonStep } from '../../types/json/json-step.ts';
import { BIGINT, BOOL, JSON_TYPE, NULL_TYPE, TEXT, VALUE_NAMES } from '../../types/type.ts';
import type { Bound } from './bound.ts';
import { BOUND_NULL, COMPARISON_ORDER, operatorNode } from './operators.ts';

/** `json[index]`, `json.key`: one step, made longer where it stands behind others that are known before the rows are read. */
export function bindJsonIndex(operand: Bound, index: Bound, position: number): Bound {
  if (index.kind === 'null') return { ...BOUND_NULL, type: JSON_TYPE };
  if (index.type !== TEXT && index.type !== BIGINT)
    throw new SqlError('type_mismatch', `a JSON index must be int or string, not ${VALUE_NAMES[index.type]}`, position);
  const step = stepOf(index);
  if (step === undefined)
    return operatorNode(index.type === TEXT ? 'json_key' : 'json_index', JSON_TYPE, [operand, index], {
      canGiveNull: true,
    });
  if (operand.kind === 'operator' && operand.opcode === 'json_path')
    return { ...operand, path: [...operand.path!, step] };
  return { ...operatorNode('json_path', JSON_TYPE, [operand], { canGiveNull: true }), path: [step] } as Bound;
}

/** The step of an index that a path can carry. */
function stepOf(index: Bound): JsonStep | undefined {
  switch (index.kind) {
    case 'text':
      return { kind: 'key', key: index.value };
    case 'integer':
      return index.value >= 0n && index.value < 2n ** 31n ? { kind: 'index', index: Number(index.value) } : undefined;
    case 'parameter':
      if (index.isNullable) return undefined;
      return { kind: index.type === TEXT ? 'keyParameter' : 'indexParameter', parameter: index.parameter };
    default:
      return undefined;
  }
}

/** `column` with `value`, which is JSON and not NULL, at the keys. */
export function setPath(column: Bound, keys: readonly string[], value: Bound): Bound {
  const path = keys.map((key): JsonStep => ({ kind: 'key', key }));
  const node = operatorNode('json_path_set', JSON_TYPE, [column, value], { isPacked: true, readsNull: true });
  return { ...node, isNullable: false, path } as Bound;
}

/** `operand op ANY|ALL (set)`. Errors: type_mismatch with the position. */
export function bindQuantified(
  operand: Bound,
  operator: string,
  quantifier: 'any' | 'all',
  set: Bound,
  position: number,
): Bound {
  const word = quantifier.toUpperCase();
  if (set.type !== JSON_TYPE && set.type !== NULL_TYPE)
    throw new SqlError('type_mismatch', `${word}: expected a JSON array, not ${VALUE_NAMES[set.type]}`, position);
  if (operand.type === JSON_TYPE && operator !== '=' && operator !== '<>')
    throw new SqlError('type_mismatch', `operation json ${operator} ${word} is not supported`, position);
  if (operand.type === NULL_TYPE || set.kind === 'null') return { ...BOUND_NULL, type: BOOL };
  const immediate =
    COMPARISON_ORDER.indexOf(operator) | (quantifier === 'all' ? ALL_FLAG : 0) | (operand.type << TYPE_SHIFT);
  return operatorNode('json_any', BOOL, [operand, set], { canGiveNull: true, isPacked: true, immediate });
}

/** Parts of the immediate of json_any beside the number of the comparison. */
const ALL_FLAG = 8;
const TYPE_SHIFT = 4;
