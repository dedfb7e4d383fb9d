/** Dates, intervals and timestamps: literals, operators, and calls of functions that have opcodes of their own. */

import { SqlError } from '../../base/errors.ts';
import { parseDate } from '../../types/date.ts';
import { createInterval } from '../../types/interval.ts';
import { parseInterval } from '../../types/interval-text.ts';
import { checkExtract, FOR_DATE_TRUNC, FOR_EXTRACT, FOR_INTERVAL_TRUNC, fieldNumber } from '../../types/time-fields.ts';
import { UTC } from '../../types/time-zone.ts';
import { parseTimestamp } from '../../types/timestamp.ts';
import { BIGINT, DATE, INTERVAL, TEXT, TIMESTAMP, type TypeId } from '../../types/type.ts';
import type { Bound } from './bound.ts';
import { operatorNode } from './operators.ts';

/** Runs a parser of text at compile time: its errors get the position. */
function positioned<T>(position: number, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw error instanceof SqlError ? new SqlError(error.code, error.message, position) : error;
  }
}

/** The interval of a text as it is printed: the form of defaults in the catalog. Throws SqlError. */
export function checkInterval(text: string, position: number): void {
  const bytes = new TextEncoder().encode(text);
  positioned(position, () => parseInterval(bytes, 0, bytes.length, createInterval()));
}

/** The Julian day of a text. Throws SqlError with the position. */
export function dateOfText(text: string, position: number): number {
  const bytes = new TextEncoder().encode(text);
  return positioned(position, () => parseDate(bytes, 0, bytes.length));
}

/** A constant date. */
export function dateNode(day: number): Bound {
  return { kind: 'integer', value: BigInt(day), type: DATE, isNullable: false, isConstant: true };
}

/** `timestamp '…'`, `date '…'` and `interval '…'`: wrong texts are refused here, where their position is known. */
export function bindTimeLiteral(type: 'timestamp' | 'date' | 'interval', text: string, position: number): Bound {
  const operand: Bound = { kind: 'text', value: text, type: TEXT, isNullable: false, isConstant: true };
  if (type === 'date') return dateNode(dateOfText(text, position));
  if (type === 'interval') {
    checkInterval(text, position);
    return operatorNode('text_to_interval', INTERVAL, [operand]);
  }
  const bytes = new TextEncoder().encode(text);
  try {
    parseTimestamp(bytes, 0, bytes.length, UTC);
  } catch (error) {
    // Whether it is in range is known with the time zone of the request only.
    if (error instanceof SqlError && error.code === 'invalid_value')
      throw new SqlError(error.code, error.message, position);
    if (!(error instanceof SqlError)) throw error;
  }
  return operatorNode('text_to_timestamp', TIMESTAMP, [operand]);
}

/** A date as its midnight, a timestamp as it is. */
export function asTimestamp(operand: Bound): Bound {
  return operand.type === DATE ? operatorNode('date_to_timestamp', TIMESTAMP, [operand]) : operand;
}

/** `+` and `-` of dates, timestamps and intervals, none of them NULL; undefined where there is no such operation. */
export function bindTimeOperator(operator: string, left: Bound, right: Bound): Bound | undefined {
  const a = left.type;
  const b = right.type;
  const isMoment = (type: TypeId): boolean => type === DATE || type === TIMESTAMP;
  if (operator === '+') {
    if (a === DATE && b === BIGINT) return operatorNode('add_date_int', DATE, [left, right]);
    if (a === BIGINT && b === DATE) return operatorNode('add_date_int', DATE, [right, left]);
    if (isMoment(a) && b === INTERVAL) return operatorNode('add_time_interval', TIMESTAMP, [asTimestamp(left), right]);
    if (a === INTERVAL && isMoment(b)) return operatorNode('add_time_interval', TIMESTAMP, [asTimestamp(right), left]);
    if (a === INTERVAL && b === INTERVAL) return operatorNode('add_interval', INTERVAL, [left, right]);
  } else if (operator === '-') {
    if (a === DATE && b === BIGINT) return operatorNode('sub_date_int', DATE, [left, right]);
    if (a === DATE && b === DATE) return operatorNode('sub_int', BIGINT, [left, right]);
    if (isMoment(a) && b === INTERVAL) return operatorNode('sub_time_interval', TIMESTAMP, [asTimestamp(left), right]);
    if (a === TIMESTAMP && b === TIMESTAMP) return operatorNode('sub_timestamp', INTERVAL, [left, right]);
    if (a === INTERVAL && b === INTERVAL) return operatorNode('sub_interval', INTERVAL, [left, right]);
  }
  return undefined;
}

const EXTRACT_OPCODES: ReadonlyMap<TypeId, string> = new Map<TypeId, string>([
  [TIMESTAMP, 'extract_timestamp'],
  [DATE, 'extract_date'],
  [INTERVAL, 'extract_interval'],
]);

/**
 * A call of extract, date_trunc or interval_trunc with a value and a field, in either order, none of them NULL, as an
 * opcode whose field is a number, found once where it is constant; undefined for any other call. The registry has taken the
 * types already.
 */
export function bindFieldCall(name: string, operands: readonly Bound[], position: number): Bound | undefined {
  if (operands.length !== 2 || operands.some((operand) => operand.kind === 'null')) return undefined;
  const [first, second] = operands as [Bound, Bound];
  const [value, field] = first.type === TEXT ? [second, first] : [first, second];
  if (name === 'extract' && field.kind === 'text')
    positioned(position, () => checkExtract(value.type, fieldNumber(field.value, FOR_EXTRACT)));
  switch (name) {
    case 'extract':
      return operatorNode(EXTRACT_OPCODES.get(value.type)!, BIGINT, [value, bindField(field, FOR_EXTRACT, position)]);
    case 'date_trunc':
      return operatorNode('date_trunc', TIMESTAMP, [asTimestamp(value), bindField(field, FOR_DATE_TRUNC, position)]);
    case 'interval_trunc':
      return operatorNode('interval_trunc', INTERVAL, [value, bindField(field, FOR_INTERVAL_TRUNC, position)]);
    default:
      return undefined;
  }
}

/** The number of the field that a text names. */
function bindField(name: Bound, user: number, position: number): Bound {
  if (name.kind !== 'text') return operatorNode('time_field', BIGINT, [name], { immediate: user });
  const value = BigInt(positioned(position, () => fieldNumber(name.value, user)));
  return { kind: 'integer', value, type: BIGINT, isNullable: false, isConstant: true };
}
