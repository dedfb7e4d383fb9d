/** Operators: which opcode computes one, by the wide types of its operands, and what is not supported. */

import { type ErrorCode, SqlError } from '../../base/errors.ts';
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
import type { BinaryOperator } from '../ast/expressions.ts';
import type { Bound } from './bound.ts';
import { bindTimeOperator } from './time.ts';

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
/** The number of a comparison in the immediate of opcodes is its place here. */
export const COMPARISON_ORDER: readonly string[] = ['=', '<>', '<', '<=', '>', '>='];
const MIRRORED: Readonly<Record<string, string>> = { '=': '=', '<>': '<>', '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

export function isComparison(operator: string): boolean {
  return operator in COMPARISONS;
}

/** A strict operator node: NULL where an operand is. */
export function operatorNode(
  opcode: string,
  type: TypeId,
  operands: readonly Bound[],
  options: {
    canGiveNull?: boolean;
    immediate?: number;
    isPacked?: boolean;
    isConstant?: boolean;
    readsNull?: boolean;
  } = {},
): Bound {
  const canGiveNull = options.canGiveNull ?? false;
  return {
    kind: 'operator',
    opcode,
    operands,
    immediate: options.immediate ?? 0,
    canGiveNull,
    isPacked: options.isPacked ?? false,
    readsNull: options.readsNull ?? false,
    type,
    isNullable: canGiveNull || operands.some((operand) => operand.isNullable),
    isConstant: options.isConstant ?? operands.every((operand) => operand.isConstant),
  };
}

const VECTOR_OPERATORS = ['+', '-', '*', '/'];

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
    const isTime = other === TIMESTAMP || other === DATE || other === INTERVAL;
    if (other !== NULL_TYPE && !isNumber(other) && !isTime && other !== VECTOR)
      throw unsupported(operator, a, b, position);
    return { ...BOUND_NULL, type: isNumber(other) ? other : NULL_TYPE };
  }
  if (a === BIGINT && b === BIGINT) {
    const opcode = INT_OPCODES[operator];
    if (opcode !== undefined) return operatorNode(opcode, BIGINT, [left, right]);
  } else if (isNumber(a) && isNumber(b)) {
    const opcode = DOUBLE_OPCODES[operator];
    if (opcode !== undefined) return operatorNode(opcode, DOUBLE, [asDouble(left), asDouble(right)]);
  } else if (a === VECTOR && b === VECTOR && VECTOR_OPERATORS.includes(operator)) {
    const immediate = VECTOR_OPERATORS.indexOf(operator);
    return operatorNode('vector_arithmetic', VECTOR, [left, right], { immediate, isPacked: true });
  }
  const time = bindTimeOperator(operator, left, right);
  if (time !== undefined) return time;
  throw unsupported(operator, a, b, position);
}

function bindConcat(left: Bound, right: Bound, position: number): Bound {
  const a = left.type;
  const b = right.type;
  if (a === TEXT && b === TEXT) return operatorNode('concat', TEXT, [left, right]);
  if (a === JSON_TYPE && b === JSON_TYPE) return operatorNode('json_concat', JSON_TYPE, [left, right]);
  if ((a === JSON_TYPE && b === NULL_TYPE) || (a === NULL_TYPE && b === JSON_TYPE))
    return { ...BOUND_NULL, type: JSON_TYPE };
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
  // Microseconds of a timestamp and Julian days of a date compare as the ints that they are.
  const isMoment = (type: TypeId): boolean => type === TIMESTAMP || type === DATE;
  if ((isMoment(a) && (b === a || b === BIGINT)) || (isMoment(b) && a === BIGINT))
    return operatorNode(`${name}_int`, BOOL, [left, right]);
  if (a === INTERVAL && b === INTERVAL) return operatorNode(`${name}_interval`, BOOL, [left, right]);
  if (a === UUID && b === UUID) return operatorNode(`${name}_uuid`, BOOL, [left, right]);
  if (a === VECTOR && b === VECTOR) {
    const immediate = COMPARISON_ORDER.indexOf(operator);
    return operatorNode('cmp_vector', BOOL, [left, right], { immediate, isPacked: true });
  }
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
  if (operand.kind === 'null') return { ...operand, type: BOOL };
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
  if (from === target && (from !== JSON_TYPE || !operand.isNullable)) return operand;
  if (from === NULL_TYPE) {
    if (target === JSON_TYPE)
      return { kind: 'json', value: 'null', type: JSON_TYPE, isNullable: false, isConstant: true };
    return { ...BOUND_NULL, type: target };
  }
  if (target === JSON_TYPE)
    return { kind: 'toJson', operand, type: JSON_TYPE, isNullable: false, isConstant: operand.isConstant };
  if (from === JSON_TYPE) {
    const path = castPath(operand, target);
    if (path !== undefined) return path;
    const opcode = JSON_CASTS.get(target);
    if (opcode !== undefined) return operatorNode(opcode, target, [operand], { canGiveNull: true });
  }
  if (operand.isFloat === true && target === TEXT) return operatorNode('float_to_text', TEXT, [operand]);
  if (from === JSON_TYPE && target === UUID) return bindCast(bindCast(operand, TEXT, position), UUID, position);
  const opcode = CASTS.get(from * 16 + target);
  if (opcode === 'same') return { ...operand, type: target } as Bound;
  if (opcode !== undefined) return operatorNode(opcode, target, [operand]);
  const code: ErrorCode = 'type_mismatch';
  throw new SqlError(code, `cast of ${VALUE_NAMES[from]} to ${VALUE_NAMES[target]} is not supported`, position);
}

const PATH_CASTS: ReadonlyMap<TypeId, string> = new Map([
  [BIGINT, 'json_path_int'],
  [DOUBLE, 'json_path_double'],
  [TEXT, 'json_path_text'],
  [BOOL, 'json_path_bool'],
]);

/** The cast of what a path leads to, in one operator with it; undefined where there is none such. */
function castPath(operand: Bound, target: TypeId): Bound | undefined {
  const opcode = PATH_CASTS.get(target);
  if (opcode === undefined || operand.kind !== 'operator' || operand.opcode !== 'json_path') return undefined;
  return { ...operand, opcode, type: target };
}

const JSON_CASTS: ReadonlyMap<number, string> = new Map<number, string>([
  [BIGINT, 'json_to_int'],
  [DOUBLE, 'json_to_double'],
  [VECTOR, 'json_to_vector'],
  [TEXT, 'json_to_text'],
  [BOOL, 'json_to_bool'],
  [TIMESTAMP, 'json_to_timestamp'],
  [DATE, 'json_to_date'],
  [INTERVAL, 'json_to_interval'],
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
  [TIMESTAMP * 16 + DATE, 'timestamp_to_date'],
  [DATE * 16 + TIMESTAMP, 'date_to_timestamp'],
  [DATE * 16 + BIGINT, 'same'],
  [DATE * 16 + TEXT, 'date_to_text'],
  [BIGINT * 16 + DATE, 'int_to_date'],
  [TEXT * 16 + DATE, 'text_to_date'],
  [TEXT * 16 + INTERVAL, 'text_to_interval'],
  [INTERVAL * 16 + TEXT, 'interval_to_text'],
  [TEXT * 16 + BIGINT, 'text_to_int'],
  [TEXT * 16 + DOUBLE, 'text_to_double'],
  [TEXT * 16 + BOOL, 'text_to_bool'],
  [TEXT * 16 + UUID, 'text_to_uuid'],
  [TEXT * 16 + VECTOR, 'text_to_vector'],
  [UUID * 16 + TEXT, 'uuid_to_text'],
  [VECTOR * 16 + TEXT, 'vector_to_text'],
  [TEXT * 16 + TIMESTAMP, 'text_to_timestamp'],
]);
