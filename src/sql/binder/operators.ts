/** Operators: which opcode computes one, by the wide types of its operands, and what is not supported. */

import { type ErrorCode, notSupported, SqlError } from '../../base/errors.ts';
import {
  BIGINT,
  BOOL,
  DATE,
  DOUBLE,
  INTERVAL,
  JSON_TYPE,
  NULL_TYPE,
  TEXT,
  TIMESTAMP,
  type TypeId,
  UUID,
  VALUE_NAMES,
  VECTOR,
} from '../../types/type.ts';
import type { BinaryOperator } from '../ast/ast.ts';
import type { Bound } from './bound.ts';

/** A constant NULL of unknown type. */
export const BOUND_NULL: Bound = { kind: 'null', type: NULL_TYPE, isNullable: true, isConstant: true };

const INT_OPCODES: Readonly<Record<string, string>> = {
  '+': 'add_int',
  '-': 'sub_int',
  '*': 'mul_int',
  '/': 'div_int',
  '%': 'mod_int',
  '&': 'and_int',
  '|': 'or_int',
  '^': 'xor_int',
  '<<': 'shl_int',
  '>>': 'shr_int',
}; // prettier-ignore
const DOUBLE_OPCODES: Readonly<Record<string, string>> = {
  '+': 'add_double',
  '-': 'sub_double',
  '*': 'mul_double',
  '/': 'div_double',
};
const COMPARISONS: Readonly<Record<string, string>> = {
  '=': 'eq',
  '<>': 'ne',
  '<': 'lt',
  '<=': 'le',
  '>': 'gt',
  '>=': 'ge',
};
const COMPARISON_ORDER = ['=', '<>', '<', '<=', '>', '>='];
const MIRRORED: Readonly<Record<string, string>> = { '=': '=', '<>': '<>', '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

export function isComparison(operator: string): boolean {
  return operator in COMPARISONS;
}

/** A strict operator node: NULL where an operand is. */
export function operatorNode(
  opcode: string,
  type: TypeId,
  operands: readonly Bound[],
  options: { canGiveNull?: boolean; immediate?: number; isPacked?: boolean; isConstant?: boolean } = {},
): Bound {
  const canGiveNull = options.canGiveNull ?? false;
  return {
    kind: 'operator',
    opcode,
    operands,
    immediate: options.immediate ?? 0,
    canGiveNull,
    isPacked: options.isPacked ?? false,
    type,
    isNullable: canGiveNull || operands.some((operand) => operand.isNullable),
    isConstant: options.isConstant ?? operands.every((operand) => operand.isConstant),
  };
}

/** A compile-time error that names both types. */
function unsupported(operator: string, left: TypeId, right: TypeId, position: number): SqlError {
  return new SqlError(
    'type_mismatch',
    `operation ${VALUE_NAMES[left]} ${operator} ${VALUE_NAMES[right]} is not supported`,
    position,
  );
}

/** The value as a double, for mixed arithmetic. */
export function asDouble(operand: Bound): Bound {
  if (operand.type === DOUBLE) return operand;
  if (operand.kind === 'integer' && operand.value >= -(2n ** 53n) && operand.value <= 2n ** 53n)
    return { kind: 'double', value: Number(operand.value), type: DOUBLE, isNullable: false, isConstant: true };
  return operatorNode('int_to_double', DOUBLE, [operand]);
}

function isNumber(type: TypeId): boolean {
  return type === BIGINT || type === DOUBLE;
}

/** Binary operators except AND and OR. Errors: type_mismatch with the position. */
export function bindBinary(operator: BinaryOperator, left: Bound, right: Bound, position: number): Bound {
  if (isComparison(operator)) return bindComparison(operator, left, right, position);
  const a = left.type;
  const b = right.type;
  if (operator === '||') return bindConcat(left, right, position);
  if (a === NULL_TYPE || b === NULL_TYPE) {
    const other = a === NULL_TYPE ? b : a;
    if (other !== NULL_TYPE && !isNumber(other) && other !== TIMESTAMP) throw unsupported(operator, a, b, position);
    return { ...BOUND_NULL, type: isNumber(other) ? other : NULL_TYPE };
  }
  if (a === BIGINT && b === BIGINT) {
    const opcode = INT_OPCODES[operator];
    if (opcode !== undefined) return operatorNode(opcode, BIGINT, [left, right]);
  } else if (isNumber(a) && isNumber(b)) {
    const opcode = DOUBLE_OPCODES[operator];
    if (opcode !== undefined) return operatorNode(opcode, DOUBLE, [asDouble(left), asDouble(right)]);
  } else if (a === TIMESTAMP && b === TIMESTAMP && operator === '-') throw notSupported('type interval', position);
  throw unsupported(operator, a, b, position);
}

function bindConcat(left: Bound, right: Bound, position: number): Bound {
  const a = left.type;
  const b = right.type;
  if (a === TEXT && b === TEXT) return operatorNode('concat', TEXT, [left, right]);
  if (a === JSON_TYPE && b === JSON_TYPE) return operatorNode('json_concat', JSON_TYPE, [left, right]);
  if ((a === NULL_TYPE && (b === TEXT || b === NULL_TYPE)) || (b === NULL_TYPE && a === TEXT))
    return { ...BOUND_NULL, type: TEXT };
  throw unsupported('||', a, b, position);
}

/** Comparison by the rules of NULL, truth, comparison in the reference: the result is bool. */
export function bindComparison(operator: string, left: Bound, right: Bound, position: number): Bound {
  const a = left.type;
  const b = right.type;
  if (a === NULL_TYPE || b === NULL_TYPE) return { ...BOUND_NULL, type: BOOL };
  const name = COMPARISONS[operator]!;
  const isWhole = (type: TypeId): boolean => type === BIGINT || type === BOOL;
  if (isWhole(a) && isWhole(b)) return operatorNode(`${name}_int`, BOOL, [left, right]);
  if (a === DOUBLE && b === DOUBLE) return operatorNode(`${name}_double`, BOOL, [left, right]);
  if (isWhole(a) && b === DOUBLE) return compareIntDouble(operator, left, right);
  if (a === DOUBLE && isWhole(b)) return compareIntDouble(MIRRORED[operator]!, right, left);
  if (a === TEXT && b === TEXT) return operatorNode(`${name}_text`, BOOL, [left, right]);
  if (a === JSON_TYPE && b === JSON_TYPE && (operator === '=' || operator === '<>'))
    return operatorNode(`${name}_json`, BOOL, [left, right]);
  const isTime = (type: TypeId): boolean => type === TIMESTAMP || type === BIGINT;
  if ((a === TIMESTAMP && isTime(b)) || (b === TIMESTAMP && isTime(a)))
    return operatorNode(`${name}_int`, BOOL, [left, right]);
  if (a === b && (a === INTERVAL || a === DATE || a === VECTOR || a === UUID))
    throw new SqlError('not_supported', `not supported yet: comparison of ${VALUE_NAMES[a]}`, position);
  throw unsupported(operator, a, b, position);
}

function compareIntDouble(operator: string, integer: Bound, double: Bound): Bound {
  if (integer.kind === 'integer' && integer.value >= -(2n ** 53n) && integer.value <= 2n ** 53n)
    return operatorNode(`${COMPARISONS[operator]}_double`, BOOL, [asDouble(integer), double]);
  return operatorNode('cmp_int_double', BOOL, [integer, double], {
    immediate: COMPARISON_ORDER.indexOf(operator),
    isPacked: true,
  });
}

/** The negation of a bool; NULL stays NULL. */
export function bindNot(operand: Bound): Bound {
  if (operand.kind === 'isNull') return { ...operand, not: !operand.not };
  if (operand.kind === 'null') return operand;
  return operatorNode('not', BOOL, [operand]);
}

/** The value as a condition: bool as it is, numbers by not being zero. */
export function asCondition(operand: Bound, where: string, position: number): Bound {
  if (operand.type === BOOL || operand.kind === 'null') return operand;
  if (isNumber(operand.type)) return operatorNode('truth', BOOL, [operand]);
  throw new SqlError(
    'type_mismatch',
    `${where}: a condition must be bool or a number, not ${VALUE_NAMES[operand.type]}`,
    position,
  );
}

/**
 * The common type of several results (CASE, COALESCE, IN): NULLs take that of the others, int and double meet in double.
 * Errors: type_mismatch naming both.
 */
export function commonType(operands: readonly Bound[], what: string, position: number): TypeId {
  let type: TypeId = NULL_TYPE;
  for (const operand of operands) {
    const next = operand.type;
    if (next === NULL_TYPE || next === type) continue;
    if (type === NULL_TYPE) type = next;
    else if (isNumber(type) && isNumber(next)) type = DOUBLE;
    else
      throw new SqlError(
        'type_mismatch',
        `${what}: ${VALUE_NAMES[type]} and ${VALUE_NAMES[next]} have no common type`,
        position,
      );
  }
  return type;
}

/** The operand in the common type of its family. */
export function toCommon(operand: Bound, type: TypeId): Bound {
  if (operand.type === type || type === NULL_TYPE) return operand;
  if (operand.kind === 'null') return { ...operand, type };
  return asDouble(operand);
}

/** `e::type`. Errors: type_mismatch, not_supported. */
export function bindCast(operand: Bound, target: TypeId, position: number): Bound {
  const from = operand.type;
  if (from === target) return operand;
  if (from === NULL_TYPE) {
    if (target === JSON_TYPE)
      return { kind: 'json', value: 'null', type: JSON_TYPE, isNullable: false, isConstant: true };
    return { ...BOUND_NULL, type: target };
  }
  if (target === JSON_TYPE)
    return { kind: 'toJson', operand, type: JSON_TYPE, isNullable: false, isConstant: operand.isConstant };
  if (from === JSON_TYPE) {
    const opcode = JSON_CASTS.get(target);
    if (opcode !== undefined) return operatorNode(opcode, target, [operand], { canGiveNull: true });
  }
  const opcode = CASTS.get(from * 16 + target);
  if (opcode === 'same') return { ...operand, type: target } as Bound;
  if (opcode !== undefined) return operatorNode(opcode, target, [operand]);
  if (target === DATE || target === INTERVAL || target === VECTOR || target === UUID)
    throw new SqlError('not_supported', `not supported yet: type ${VALUE_NAMES[target]}`, position);
  const code: ErrorCode = 'type_mismatch';
  throw new SqlError(code, `cast of ${VALUE_NAMES[from]} to ${VALUE_NAMES[target]} is not supported`, position);
}

const JSON_CASTS: ReadonlyMap<number, string> = new Map<number, string>([
  [BIGINT, 'json_to_int'],
  [DOUBLE, 'json_to_double'],
  [TEXT, 'json_to_text'],
  [BOOL, 'json_to_bool'],
  [TIMESTAMP, 'json_to_timestamp'],
]);

const CASTS: ReadonlyMap<number, string> = new Map<number, string>([
  [BIGINT * 16 + DOUBLE, 'int_to_double'],
  [BIGINT * 16 + TEXT, 'int_to_text'],
  [BIGINT * 16 + BOOL, 'truth'],
  [BIGINT * 16 + TIMESTAMP, 'int_to_timestamp'],
  [DOUBLE * 16 + BIGINT, 'double_to_int'],
  [DOUBLE * 16 + TEXT, 'double_to_text'],
  [DOUBLE * 16 + BOOL, 'truth'],
  [BOOL * 16 + BIGINT, 'same'],
  [BOOL * 16 + DOUBLE, 'int_to_double'],
  [BOOL * 16 + TEXT, 'bool_to_text'],
  [TIMESTAMP * 16 + BIGINT, 'same'],
  [TIMESTAMP * 16 + TEXT, 'timestamp_to_text'],
  [TEXT * 16 + BIGINT, 'text_to_int'],
  [TEXT * 16 + DOUBLE, 'text_to_double'],
  [TEXT * 16 + BOOL, 'text_to_bool'],
  [TEXT * 16 + TIMESTAMP, 'text_to_timestamp'],
]);
