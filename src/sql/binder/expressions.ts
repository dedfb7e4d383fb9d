/** Binds expressions: names to columns, operators to opcodes, types and nullability to every node. */

import { notSupported, SqlError } from '../../base/errors.ts';
import {
  BIGINT,
  BOOL,
  DATE,
  DOUBLE,
  FLOAT,
  INT,
  INTERVAL,
  JSON_TYPE,
  NULL_TYPE,
  SMALLINT,
  TEXT,
  TIMESTAMP,
  TINYINT,
  TYPE_BY_NAME,
  type TypeId,
  UUID,
  VALUE_NAMES,
  VECTOR,
  wideType,
} from '../../types/type.ts';
import { parseUuid, UUID_BYTES } from '../../types/uuid.ts';
import type { Call, Case, Expression, In, Literal, Name } from '../ast/expressions.ts';
import { bindAggregate, isAggregateName } from './aggregates.ts';
import { type Bound, floatOf } from './bound.ts';
import { lookupFunction } from './functions.ts';
import { bindJsonIndex, bindQuantified } from './json.ts';
import {
  asCondition,
  asDouble,
  BOUND_NULL,
  bindBinary,
  bindCast,
  bindComparison,
  bindNot,
  commonType,
  operatorNode,
  toCommon,
} from './operators.ts';
import { isSameTree, KIND_TYPES, resolveName, type Scope } from './scope.ts';
import { bindSystemCall } from './system.ts';
import { bindFieldCall, bindTimeLiteral } from './time.ts';

/** Binds an expression in a scope. Errors: SqlError with the position of what is wrong. */
export function bindExpression(tree: Expression, scope: Scope): Bound {
  const { grouping } = scope;
  if (grouping !== undefined && tree.kind !== 'literal' && tree.kind !== 'parameter') {
    const index = grouping.keys.findIndex((key) => isSameTree(scope.request, key.tree, tree));
    if (index >= 0) return groupKey(scope, index);
  }
  switch (tree.kind) {
    case 'literal':
      return bindLiteral(tree, scope);
    case 'parameter':
      return bindParameter(scope, scope.request.constantCount + tree.index - 1, tree.index, tree.position);
    case 'name':
      return bindName(tree, scope);
    case 'typedLiteral':
      if (tree.type === 'uuid') return bindUuid(tree.text, tree.position);
      return bindTimeLiteral(tree.type, tree.text, tree.position);
    case 'vector':
      return bindVector(tree.elements, scope);
    case 'array':
      return jsonBuild(
        'json_array',
        tree.elements.map((element) => bindExpression(element, scope)),
      );
    case 'object':
      return jsonBuild(
        'json_object',
        tree.entries.flatMap((entry) => [textNode(entry.key), bindExpression(entry.value, scope)]),
      );
    case 'unary':
      return bindUnary(tree.operator, bindExpression(tree.operand, scope), scope, tree.position);
    case 'binary':
      return bindBinaryTree(tree, scope);
    case 'isNull': {
      const operand = bindExpression(tree.operand, scope);
      return {
        kind: 'isNull',
        operand,
        not: tree.not,
        type: BOOL,
        isNullable: false,
        isConstant: operand.isConstant,
      };
    }
    case 'like': {
      const operand = bindExpression(tree.operand, scope);
      const pattern = bindExpression(tree.pattern, scope);
      if (operand.kind === 'null' || pattern.kind === 'null') return { ...BOUND_NULL, type: BOOL };
      if (operand.type !== TEXT || pattern.type !== TEXT)
        throw new SqlError(
          'type_mismatch',
          `operation ${VALUE_NAMES[operand.type]} LIKE ${VALUE_NAMES[pattern.type]} is not supported`,
          tree.position,
        );
      return negateIf(tree.not, operatorNode('like', BOOL, [operand, pattern]));
    }
    case 'between': {
      const operand = bindExpression(tree.operand, scope);
      const low = bindComparison('>=', operand, bindExpression(tree.low, scope), tree.position);
      const high = bindComparison('<=', operand, bindExpression(tree.high, scope), tree.position);
      return once(operand, negateIf(tree.not, logical('and', low, high)));
    }
    case 'in':
      return bindIn(tree, scope);
    case 'case':
      return bindCase(tree, scope);
    case 'cast':
      return castTo(bindExpression(tree.operand, scope), tree.type, tree.position);
    case 'extract':
      return bindFunction('extract', [textNode(tree.field), bindExpression(tree.operand, scope)], tree.position);
    case 'call':
      return bindCall(tree, scope);
    case 'index':
      return bindIndex(bindExpression(tree.operand, scope), bindExpression(tree.index, scope), tree.position);
    case 'field':
      return bindIndex(bindExpression(tree.operand, scope), textNode(tree.key), tree.position);
    case 'current':
      return bindNow(tree.what);
    case 'atTimezone':
      return bindFunction(
        'at_timezone',
        [bindExpression(tree.operand, scope), bindExpression(tree.zone, scope)],
        tree.position,
      );
    case 'quantified':
      return bindQuantified(
        bindExpression(tree.operand, scope),
        tree.operator,
        tree.quantifier,
        bindExpression(tree.set, scope),
        tree.position,
      );
    case 'exists':
    case 'subquery':
      throw notSupported('subqueries', tree.position);
    case 'lambda':
      throw notSupported('lambda', tree.position);
  }
}

/** Binds an expression as a condition of a clause. */
export function bindCondition(tree: Expression, scope: Scope): Bound {
  return asCondition(bindExpression(tree, scope), scope.clause, tree.position);
}

export function textNode(value: string): Bound {
  return { kind: 'text', value, type: TEXT, isNullable: false, isConstant: true };
}

export function integerNode(value: bigint): Bound {
  return { kind: 'integer', value, type: BIGINT, isNullable: false, isConstant: true };
}

/** `current_timestamp`, `current_date`: the transaction's time, and its day in the request's time zone. */
function bindNow(what: 'timestamp' | 'date'): Bound {
  const now: Bound = { kind: 'now', type: TIMESTAMP, isNullable: false, isConstant: true };
  return what === 'date' ? operatorNode('timestamp_to_date', DATE, [now]) : now;
}

function groupKey(scope: Scope, index: number): Bound {
  const { bound } = scope.grouping!.keys[index]!;
  return {
    kind: 'groupKey',
    index,
    type: bound.type,
    isNullable: bound.isNullable,
    isConstant: false,
    ...floatOf([bound]),
  };
}

function bindLiteral(tree: Literal, scope: Scope): Bound {
  if (tree.type === 'null') return BOUND_NULL;
  if (tree.slot !== undefined) {
    const type = KIND_TYPES[scope.request.parameterKinds[tree.slot]!]!;
    return { kind: 'parameter', parameter: tree.slot, type, isNullable: false, isConstant: true };
  }
  switch (tree.type) {
    case 'int':
      return integerNode(tree.value);
    case 'double':
      return { kind: 'double', value: tree.value, type: DOUBLE, isNullable: false, isConstant: true };
    case 'text':
      return textNode(tree.value);
    case 'bool':
      return { ...integerNode(tree.value ? 1n : 0n), type: BOOL } as Bound;
  }
}

function bindParameter(scope: Scope, parameter: number, index: number, position: number): Bound {
  const kind = scope.request.parameterKinds[parameter];
  if (kind === undefined) throw new SqlError('invalid_parameter', `parameter $${index} has no value`, position);
  const type = KIND_TYPES[kind]!;
  if (type === NULL_TYPE) return BOUND_NULL;
  return { kind: 'parameter', parameter, type, isNullable: false, isConstant: true };
}

function bindName(tree: Name, scope: Scope): Bound {
  const { bound, used } = resolveName(scope, tree.parts, tree.position);
  let value = bound;
  const { grouping } = scope;
  if (grouping !== undefined && bound.kind === 'column') {
    const index = grouping.keys.findIndex((key) => key.bound.kind === 'column' && key.bound.column === bound.column);
    if (index < 0)
      throw new SqlError(
        'invalid_definition',
        `column '${tree.parts.slice(0, Math.max(used, 1)).join('.')}' must stand in GROUP BY or inside an aggregate`,
        tree.position,
      );
    value = groupKey(scope, index);
  }
  for (const key of tree.parts.slice(used)) value = bindIndex(value, textNode(key), tree.position);
  return value;
}

function bindIndex(operand: Bound, index: Bound, position: number): Bound {
  if (operand.kind === 'null') return { ...BOUND_NULL, type: operand.type === VECTOR ? DOUBLE : JSON_TYPE };
  if (operand.type === VECTOR) return bindElement(operand, index, position);
  if (operand.type !== JSON_TYPE)
    throw new SqlError(
      'type_mismatch',
      `reading a key or index of ${VALUE_NAMES[operand.type]} is not supported`,
      position,
    );
  return bindJsonIndex(operand, index, position);
}

/** `vector[i]` */
function bindElement(operand: Bound, index: Bound, position: number): Bound {
  if (index.kind === 'null') return { ...BOUND_NULL, type: DOUBLE };
  if (index.type === BIGINT) return operatorNode('vector_element', DOUBLE, [operand, index]);
  throw new SqlError('type_mismatch', `a vector index must be int, not ${VALUE_NAMES[index.type]}`, position);
}

/** `vector [e, …]`: numbers, rounded to 32-bit floats. */
function bindVector(elements: readonly Expression[], scope: Scope): Bound {
  const operands = elements.map((element) => {
    const bound = bindExpression(element, scope);
    if (bound.kind === 'null') return { ...bound, type: DOUBLE };
    if (bound.type !== BIGINT && bound.type !== DOUBLE)
      throw new SqlError(
        'type_mismatch',
        `an element of a vector must be a number, not ${VALUE_NAMES[bound.type]}`,
        element.position,
      );
    return asDouble(bound);
  });
  return operatorNode('make_vector', VECTOR, operands, { immediate: operands.length, isPacked: true });
}

/** `uuid '…'`: a wrong one is refused here, where its position is known. */
function bindUuid(text: string, position: number): Bound {
  const bytes = new TextEncoder().encode(text);
  try {
    parseUuid(bytes, 0, bytes.length, new Uint8Array(UUID_BYTES), 0);
  } catch (error) {
    throw error instanceof SqlError ? new SqlError(error.code, error.message, position) : error;
  }
  return operatorNode('text_to_uuid', UUID, [textNode(text)]);
}

function jsonBuild(opcode: 'json_array' | 'json_object', parts: readonly Bound[]): Bound {
  const operands = parts.map((part, index) => (opcode === 'json_object' && index % 2 === 0 ? part : toJson(part)));
  return {
    kind: 'jsonBuild',
    opcode,
    operands,
    type: JSON_TYPE,
    isNullable: false,
    isConstant: operands.every((operand) => operand.isConstant),
  };
}

/** The value as JSON, NULL as JSON null. */
export function toJson(operand: Bound): Bound {
  if (operand.type === JSON_TYPE && !operand.isNullable) return operand;
  if (operand.kind === 'null')
    return { kind: 'json', value: 'null', type: JSON_TYPE, isNullable: false, isConstant: true };
  return { kind: 'toJson', operand, type: JSON_TYPE, isNullable: false, isConstant: operand.isConstant };
}

function negateIf(not: boolean, operand: Bound): Bound {
  return not ? bindNot(operand) : operand;
}

export function logical(kind: 'and' | 'or', left: Bound, right: Bound): Bound {
  return {
    kind,
    left,
    right,
    type: BOOL,
    isNullable: left.isNullable || right.isNullable,
    isConstant: left.isConstant && right.isConstant,
  };
}

function bindUnary(operator: 'not' | '-' | '+' | '~', operand: Bound, scope: Scope, position: number): Bound {
  if (operator === 'not') return bindNot(asCondition(operand, scope.clause, position));
  if (operand.kind === 'null') return operand;
  if (operand.type === BIGINT) {
    if (operator === '+') return operand;
    return operatorNode(operator === '-' ? 'neg_int' : 'not_int', BIGINT, [operand]);
  }
  if (operand.type === DOUBLE && operator !== '~')
    return operator === '+' ? operand : { ...operatorNode('neg_double', DOUBLE, [operand]), ...floatOf([operand]) };
  if (operand.type === INTERVAL && operator !== '~')
    return operator === '+' ? operand : operatorNode('neg_interval', INTERVAL, [operand]);
  throw new SqlError('type_mismatch', `operation ${operator} ${VALUE_NAMES[operand.type]} is not supported`, position);
}

function bindBinaryTree(tree: Expression & { kind: 'binary' }, scope: Scope): Bound {
  const { operator } = tree;
  // Long chains lean to the left: walk them in a loop, so that depth of the stack does not limit their length.
  const chain: (Expression & { kind: 'binary' })[] = [];
  let node: Expression = tree;
  while (node.kind === 'binary' && (node.operator === operator || !(operator === 'and' || operator === 'or'))) {
    if (scope.grouping !== undefined && node !== tree && scope.grouping.keys.length > 0) break;
    chain.push(node);
    node = node.left;
  }
  let value = bindExpression(node, scope);
  for (let index = chain.length - 1; index >= 0; index--) {
    const { operator: op, right, position, left } = chain[index]!;
    const bound = bindExpression(right, scope);
    if (op === 'and' || op === 'or')
      value = logical(
        op,
        asCondition(value, op.toUpperCase(), left.position),
        asCondition(bound, op.toUpperCase(), right.position),
      );
    else value = bindBinary(op, value, bound, position);
  }
  return value;
}

function bindIn(tree: In, scope: Scope): Bound {
  const operand = bindExpression(tree.operand, scope);
  const items = tree.items.map((item) => bindExpression(item, scope));
  // Every item is compared by the rules of `=`, so that a wrong one is refused here.
  for (const [index, item] of items.entries()) bindComparison('=', operand, item, tree.items[index]!.position);
  if (operand.kind === 'null') return { ...BOUND_NULL, type: BOOL };
  return negateIf(tree.not, {
    kind: 'in',
    operand,
    items,
    type: BOOL,
    isNullable: operand.isNullable || items.some((item) => item.isNullable),
    isConstant: operand.isConstant && items.every((item) => item.isConstant),
  });
}

function bindCase(tree: Case, scope: Scope): Bound {
  const operand = tree.operand === undefined ? undefined : bindExpression(tree.operand, scope);
  const whens = tree.branches.map(({ when }) =>
    operand === undefined
      ? asCondition(bindExpression(when, scope), 'CASE', when.position)
      : bindComparison('=', operand, bindExpression(when, scope), when.position),
  );
  const results = tree.branches.map(({ result }) => bindExpression(result, scope));
  const otherwise = tree.otherwise === undefined ? BOUND_NULL : bindExpression(tree.otherwise, scope);
  const type = commonType([...results, otherwise], 'CASE', tree.position);
  // Nothing but NULLs: the one NULL that takes any type.
  if (type === NULL_TYPE) return BOUND_NULL;
  const all = [...results, otherwise];
  const bound: Bound = {
    kind: 'case',
    branches: whens.map((when, index) => ({ when, result: toCommon(results[index]!, type) })),
    otherwise: toCommon(otherwise, type),
    type,
    isNullable: all.some((result) => result.isNullable),
    isConstant: [...whens, ...all].every((node) => node.isConstant),
    ...floatOf(all),
  };
  return operand === undefined ? bound : once(operand, bound);
}

/** Nodes whose value costs nothing to name again. */
const LEAVES: ReadonlySet<Bound['kind']> = new Set<Bound['kind']>([
  'null',
  'parameter',
  'integer',
  'double',
  'text',
  'json',
  'now',
  'system',
  'column',
  'excluded',
  'groupKey',
  'aggregate',
]);

/** `body`, which has `operand` in it several times: computed once, so that random() is one value. */
function once(operand: Bound, body: Bound): Bound {
  if (operand.isConstant || body.kind === 'null' || LEAVES.has(operand.kind)) return body;
  return {
    kind: 'once',
    operand,
    body,
    type: body.type,
    isNullable: body.isNullable,
    isConstant: false,
    ...floatOf([body]),
  };
}

/** Ranges of narrow integers and of float are checked by casts to them. */
function castTo(operand: Bound, name: string, position: number): Bound {
  const target = TYPE_BY_NAME.get(name)!;
  const value = bindCast(operand, wideType(target), position);
  if (value.kind === 'null') return value;
  if (target === FLOAT && value.isFloat !== true) {
    const failure = 'double % is out of range for float';
    return { ...operatorNode('to_float', DOUBLE, [value]), isFloat: true, failure } as Bound;
  }
  if (target === DOUBLE && value.isFloat === true) return { ...value, isFloat: false };
  if (operand.type !== BOOL && (target === TINYINT || target === SMALLINT || target === INT)) {
    const failure = `int % is out of range for ${name}`;
    return { ...operatorNode('check_int', BIGINT, [value], { immediate: target }), failure } as Bound;
  }
  return value;
}

function bindCall(tree: Call, scope: Scope): Bound {
  const { name } = tree;
  if (tree.over !== undefined) throw notSupported('window functions', tree.position);
  if (tree.schema === 'system') {
    const given = tree.arguments.map((argument) => bindExpression(argument, scope));
    return bindSystemCall(tree, given);
  }
  if (tree.schema !== undefined && tree.schema !== 'public')
    throw new SqlError('unknown_function', `function '${tree.schema}.${name}' does not exist`, tree.position);
  if (isAggregateName(name)) {
    if (scope.grouping === undefined)
      throw new SqlError('invalid_definition', `aggregate ${name} is not allowed in ${scope.clause}`, tree.position);
    return bindAggregate(tree, scope, bindExpression, bindCondition);
  }
  if (tree.distinct || tree.star || tree.filter !== undefined || tree.orderBy.length > 0)
    throw new SqlError('wrong_arguments', `${name} is not an aggregate`, tree.position);
  const operands = tree.arguments.map((argument) => bindExpression(argument, scope));
  const expect = (count: number): void => {
    if (operands.length !== count)
      throw new SqlError(
        'wrong_arguments',
        `${name}: expected ${count} argument${count === 1 ? '' : 's'}`,
        tree.position,
      );
  };
  if (name === 'coalesce') {
    if (operands.length === 0)
      throw new SqlError('wrong_arguments', 'coalesce: expected at least 1 argument', tree.position);
    const type = commonType(operands, name, tree.position);
    if (type === NULL_TYPE) return BOUND_NULL;
    return {
      kind: 'coalesce',
      operands: operands.map((operand) => toCommon(operand, type)),
      type,
      isNullable: operands.every((operand) => operand.isNullable),
      isConstant: operands.every((operand) => operand.isConstant),
      ...floatOf(operands),
    };
  }
  if (name === 'nullif') {
    expect(2);
    const [a, b] = operands as [Bound, Bound];
    if (a.type === NULL_TYPE) return BOUND_NULL;
    const when = bindComparison('=', a, b, tree.position);
    return once(a, {
      kind: 'case',
      branches: [{ when, result: { ...BOUND_NULL, type: a.type } }],
      otherwise: a,
      type: a.type,
      isNullable: true,
      isConstant: a.isConstant && b.isConstant,
      ...floatOf([a]),
    });
  }
  if (name === 'type') {
    expect(1);
    const [operand] = operands as [Bound];
    if (operand.kind === 'null') return textNode('null');
    if (!operand.isNullable) return textNode(VALUE_NAMES[operand.type]!);
    const isNull: Bound = {
      kind: 'isNull',
      operand,
      not: false,
      type: BOOL,
      isNullable: false,
      isConstant: operand.isConstant,
    };
    return {
      kind: 'case',
      branches: [{ when: isNull, result: textNode('null') }],
      otherwise: textNode(VALUE_NAMES[operand.type]!),
      type: TEXT,
      isNullable: false,
      isConstant: operand.isConstant,
    };
  }
  if (name === 'now') {
    expect(0);
    return bindNow('timestamp');
  }
  if (TYPE_BY_NAME.has(name)) {
    if (name === 'timestamp' && operands.length === 2) return bindFunction(name, operands, tree.position);
    expect(1);
    return castTo(operands[0]!, name, tree.position);
  }
  if (name === 'sleep' && (scope.table !== undefined || scope.source !== undefined))
    throw new SqlError('wrong_arguments', 'sleep: must stand outside of the rows of a table', tree.position);
  return bindFunction(name, operands, tree.position);
}

function bindFunction(name: string, operands: readonly Bound[], position: number): Bound {
  const found = lookupFunction(name, operands, position);
  const fieldCall = bindFieldCall(name, operands, position);
  if (fieldCall !== undefined) return fieldCall;
  const converted = operands.map((operand, index) => {
    const wanted: TypeId = found.argumentTypes[index] ?? operand.type;
    if (found.isNullJson[index] === true) return toJson(operand);
    if (wanted === operand.type || operand.kind === 'null') return operand;
    return wanted === DOUBLE ? toCommon(operand, DOUBLE) : bindCast(operand, wanted, position);
  });
  if (!found.acceptsNull && converted.some((operand) => operand.kind === 'null'))
    return { ...BOUND_NULL, type: found.resultType };
  if (found.opcode !== undefined) return operatorNode(found.opcode, found.resultType, converted);
  if (found.isAhead && !converted.every((operand) => operand.isConstant))
    throw new SqlError('wrong_arguments', `${name}: the arguments must be constants`, position);
  return {
    kind: 'call',
    functionIndex: found.functionIndex,
    name,
    operands: converted,
    acceptsNull: found.acceptsNull,
    canGiveNull: found.canGiveNull,
    isAhead: found.isAhead,
    type: found.resultType,
    isNullable: found.canGiveNull || (!found.acceptsNull && converted.some((operand) => operand.isNullable)),
    isConstant: found.isPure && converted.every((operand) => operand.isConstant),
    ...(CHOOSING.has(name) ? floatOf(operands) : {}),
  };
}

/** Functions whose result is one of their arguments, or its size: of 32-bit floats it is one too. */
const CHOOSING: ReadonlySet<string> = new Set(['greatest', 'least', 'abs']);
