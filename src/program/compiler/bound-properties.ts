/** What the code of a bound expression does beside giving a value: temporaries that it makes, errors that it may raise. */

import type { Bound } from '../../sql/binder/bound.ts';

/** Opcodes that make temporaries in the scratch area. */
const TEMPORARY: ReadonlySet<string> = new Set([
  'concat',
  'json_key',
  'json_index',
  'json_path',
  'json_path_text',
  'json_path_set',
  'json_any',
  'json_to_text',
  'to_json',
  'json_concat',
  'int_to_text',
  'double_to_text',
  'bool_to_text',
  'timestamp_to_text',
  'text_to_json',
  'text_to_uuid',
  'uuid_to_text',
  'float_to_text',
  'vector_to_text',
  'text_to_vector',
  'json_to_vector',
  'make_vector',
  'vector_arithmetic',
  'text_to_interval',
  'json_to_interval',
  'date_to_text',
  'interval_to_text',
  'sub_timestamp',
  'add_interval',
  'sub_interval',
  'neg_interval',
  'interval_trunc',
]);

export function makesTemporaries(bound: Bound): boolean {
  if (bound.isConstant) return false;
  switch (bound.kind) {
    case 'operator':
      return TEMPORARY.has(bound.opcode) || bound.operands.some(makesTemporaries);
    case 'call':
    case 'jsonBuild':
    case 'toJson':
      return true;
    case 'and':
    case 'or':
      return makesTemporaries(bound.left) || makesTemporaries(bound.right);
    case 'isNull':
      return makesTemporaries(bound.operand);
    case 'case':
      return (
        bound.branches.some(({ when, result }) => makesTemporaries(when) || makesTemporaries(result)) ||
        makesTemporaries(bound.otherwise)
      );
    case 'coalesce':
      return bound.operands.some(makesTemporaries);
    case 'once':
      return makesTemporaries(bound.operand) || makesTemporaries(bound.body);
    case 'in':
      return makesTemporaries(bound.operand) || bound.items.some(makesTemporaries);
    default:
      return false;
  }
}

/** Opcodes that never raise an error, whatever their operands. */
const SAFE =
  /^(?:(?:eq|ne|lt|le|gt|ge)_|cmp_|json_(?:key|index|path|path_exists)$|(?:not|truth|concat|to_json|int_to_double)$|(?:and|or|xor|not)_int$|(?:int|double|bool|timestamp)_to_text$)/;

/** Whether computing the value may raise an error. */
export function canFail(bound: Bound): boolean {
  switch (bound.kind) {
    case 'operator':
      return !SAFE.test(bound.opcode) || bound.operands.some(canFail);
    case 'call':
      return true;
    case 'and':
    case 'or':
      return canFail(bound.left) || canFail(bound.right);
    case 'isNull':
    case 'toJson':
      return canFail(bound.operand);
    case 'case':
      return bound.branches.some(({ when, result }) => canFail(when) || canFail(result)) || canFail(bound.otherwise);
    case 'coalesce':
    case 'jsonBuild':
      return bound.operands.some(canFail);
    case 'once':
      return canFail(bound.operand) || canFail(bound.body);
    case 'in':
      return canFail(bound.operand) || bound.items.some(canFail);
    default:
      return false;
  }
}
