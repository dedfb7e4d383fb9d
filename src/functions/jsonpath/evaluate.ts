/**
 * Evaluates a JSONPath query over binary JSON, in place. Nodes are byte offsets of values; nothing is decoded but what a
 * filter compares. The order of the nodes is that of RFC 9535, objects in the order of their keys.
 *
 * Filters and descendants in one another can visit every value for every other: how many values a call may look at, and how
 * large its result may be, is limited.
 */

import { SqlError } from '../../base/errors.ts';
import {
  JSON_ARRAY,
  JSON_CONTAINER_BYTES,
  JSON_OBJECT,
  JSON_STRING8,
  JSON_STRING32,
  jsonCount,
  jsonElement,
  jsonEnd,
  jsonMember,
  jsonStringStart,
  keyLength,
  keyStart,
} from '../../types/json/binary.ts';
import { compareJsonNumbers, isJsonNumber, jsonEquals } from '../../types/json/compare.ts';
import { JsonWriter } from '../../types/json/json-writer.ts';
import { compareBytes, countCharacters } from '../../types/utf8.ts';
import { patternOf } from '../regexp/pattern.ts';
import type { ComparisonOperator, Condition, Operand, Query, Selector } from './query.ts';

/** About a third of a second. */
const VISIT_COUNT_MAX = 10_000_000;
const RESULT_BYTES_MAX = 64 * 1024 * 1024;

/** The value as a whole, and values looked at so far, of the call that runs. */
let document: Uint8Array = new Uint8Array(0);
let root = 0;
let visitCount = 0;

/** Writes the array of the values that the query finds in bytes[at]. Throws limit_exceeded. */
export function writeNodes(writer: JsonWriter, query: Query, bytes: Uint8Array, at: number): void {
  document = bytes;
  root = at;
  visitCount = 0;
  writer.beginArray();
  for (const node of nodesOf(query, at)) {
    writer.element();
    writer.raw(bytes, node, jsonEnd(bytes, node));
    if (writer.length > RESULT_BYTES_MAX) {
      throw new SqlError('limit_exceeded', `jsonpath: the result is larger than ${RESULT_BYTES_MAX} bytes`);
    }
  }
  writer.end();
}

function visit(): void {
  charge(0);
}

/** Looking at a value of that many bytes: a long one counts as many. */
function charge(byteCount: number): void {
  visitCount += 1 + (byteCount >>> 6);
  if (visitCount > VISIT_COUNT_MAX) {
    throw new SqlError('limit_exceeded', `jsonpath: the path looks at more than ${VISIT_COUNT_MAX} values`);
  }
}

function nodesOf(query: Query, current: number): number[] {
  let nodes = [query.root === '$' ? root : current];
  for (const { isDescendant, selectors } of query.segments) {
    const found: number[] = [];
    for (const node of nodes) {
      if (isDescendant) descend(node, selectors, found);
      else for (const selector of selectors) select(node, selector, found);
    }
    nodes = found;
  }
  return nodes;
}

/** Selects in the value and, each before what is in it, in all values inside. The depth of values is limited. */
function descend(node: number, selectors: readonly Selector[], found: number[]): void {
  visit();
  for (const selector of selectors) select(node, selector, found);
  const tag = document[node];
  if (tag !== JSON_ARRAY && tag !== JSON_OBJECT) return;
  let next = node + JSON_CONTAINER_BYTES;
  for (let i = jsonCount(document, node); i > 0; i--) {
    const value = tag === JSON_ARRAY ? next : keyStart(document, next) + keyLength(document, next);
    descend(value, selectors, found);
    next = jsonEnd(document, value);
  }
}

function select(node: number, selector: Selector, found: number[]): void {
  switch (selector.kind) {
    case 'name':
      add(jsonMember(document, node, selector.key, 0, selector.key.length), found);
      return;
    case 'index':
      add(elementOf(node, selector.index), found);
      return;
    case 'slice':
      selectSlice(node, selector.start, selector.end, selector.step, found);
      return;
    case 'wildcard':
      selectChildren(node, undefined, found);
      return;
    case 'filter':
      selectChildren(node, selector.condition, found);
  }
}

function add(node: number, found: number[]): void {
  visit();
  if (node >= 0) found.push(node);
}

/** A negative index counts from the end. */
function elementOf(node: number, index: number): number {
  if (document[node] !== JSON_ARRAY) return -1;
  return jsonElement(document, node, index < 0 ? index + jsonCount(document, node) : index);
}

function selectChildren(node: number, condition: Condition | undefined, found: number[]): void {
  const tag = document[node];
  if (tag !== JSON_ARRAY && tag !== JSON_OBJECT) return;
  let next = node + JSON_CONTAINER_BYTES;
  for (let i = jsonCount(document, node); i > 0; i--) {
    const value = tag === JSON_ARRAY ? next : keyStart(document, next) + keyLength(document, next);
    visit();
    if (condition === undefined || holds(condition, value)) found.push(value);
    next = jsonEnd(document, value);
  }
}

/** RFC 9535, 2.3.4.2.2. */
function selectSlice(
  node: number,
  start: number | undefined,
  end: number | undefined,
  step: number,
  found: number[],
): void {
  if (document[node] !== JSON_ARRAY || step === 0) return;
  const count = jsonCount(document, node);
  const fromStart = (index: number): number => (index < 0 ? index + count : index);
  if (step > 0) {
    const lower = Math.min(Math.max(fromStart(start ?? 0), 0), count);
    const upper = Math.min(Math.max(fromStart(end ?? count), 0), count);
    for (let index = lower; index < upper; index += step) add(jsonElement(document, node, index), found);
    return;
  }
  const upper = Math.min(Math.max(fromStart(start ?? count - 1), -1), count - 1);
  const lower = end === undefined ? -1 : Math.min(Math.max(fromStart(end), -1), count - 1);
  for (let index = upper; index > lower; index += step) add(jsonElement(document, node, index), found);
}

function holds(condition: Condition, current: number): boolean {
  visit();
  switch (condition.kind) {
    case 'or':
      return condition.operands.some((operand) => holds(operand, current));
    case 'and':
      return condition.operands.every((operand) => holds(operand, current));
    case 'not':
      return !holds(condition.operand, current);
    case 'exists':
      return condition.query.isSingular
        ? singleNode(condition.query, current) >= 0
        : nodesOf(condition.query, current).length > 0;
    case 'compare':
      return compare(condition.operator, condition.left, condition.right, current);
    default:
      return matches(condition.kind === 'match', condition.text, condition.pattern, current);
  }
}

/** The node of a singular query, or -1. */
function singleNode(query: Query, current: number): number {
  let node = query.root === '$' ? root : current;
  for (const { selectors } of query.segments) {
    visit();
    const selector = selectors[0];
    if (selector.kind === 'name') node = jsonMember(document, node, selector.key, 0, selector.key.length);
    else if (selector.kind === 'index') node = elementOf(node, selector.index);
    if (node < 0) return -1;
  }
  return node;
}

/** Binary JSON at a place; at < 0 is no value. */
type Value = { readonly bytes: Uint8Array; readonly at: number };
const NOTHING: Value = { bytes: new Uint8Array(0), at: -1 };

function operandValue(operand: Operand, current: number): Value {
  switch (operand.kind) {
    case 'literal':
      return { bytes: operand.bytes, at: 0 };
    case 'query':
      return { bytes: document, at: singleNode(operand.query, current) };
    case 'count':
      return numberValue(nodesOf(operand.query, current).length);
    case 'value': {
      const nodes = nodesOf(operand.query, current);
      return nodes.length === 1 ? { bytes: document, at: nodes[0] } : NOTHING;
    }
    case 'length':
      return lengthOf(operandValue(operand.operand, current));
  }
}

function lengthOf({ bytes, at }: Value): Value {
  if (at < 0) return NOTHING;
  const tag = bytes[at];
  if (tag === JSON_ARRAY || tag === JSON_OBJECT) return numberValue(jsonCount(bytes, at));
  if (!isString(tag)) return NOTHING;
  charge(jsonEnd(bytes, at) - at);
  return numberValue(countCharacters(bytes, jsonStringStart(bytes, at), jsonEnd(bytes, at)));
}

function numberValue(value: number): Value {
  const writer = new JsonWriter(16);
  writer.start();
  writer.int(value, 0n);
  return { bytes: writer.bytes, at: 0 };
}

function isString(tag: number): boolean {
  return tag === JSON_STRING8 || tag === JSON_STRING32;
}

/** RFC 9535, 2.3.5.2.2: values that have no order are in none, and nothing equals nothing. */
function compare(operator: ComparisonOperator, leftSide: Operand, rightSide: Operand, current: number): boolean {
  const left = operandValue(leftSide, current);
  const right = operandValue(rightSide, current);
  switch (operator) {
    case '==':
      return isEqual(left, right);
    case '!=':
      return !isEqual(left, right);
    case '<':
      return isLess(left, right);
    case '<=':
      return isLess(left, right) || isEqual(left, right);
    case '>':
      return isLess(right, left);
    case '>=':
      return isLess(right, left) || isEqual(left, right);
  }
}

function sizeOf({ bytes, at }: Value): number {
  return jsonEnd(bytes, at) - at;
}

function isEqual(left: Value, right: Value): boolean {
  if (left.at < 0 || right.at < 0) return left.at < 0 && right.at < 0;
  charge(Math.min(sizeOf(left), sizeOf(right)));
  return jsonEquals(left.bytes, left.at, right.bytes, right.at);
}

function isLess(left: Value, right: Value): boolean {
  if (left.at < 0 || right.at < 0) return false;
  charge(Math.min(sizeOf(left), sizeOf(right)));
  const leftTag = left.bytes[left.at];
  const rightTag = right.bytes[right.at];
  if (isJsonNumber(leftTag) && isJsonNumber(rightTag))
    return compareJsonNumbers(left.bytes, left.at, right.bytes, right.at) < 0;
  if (!isString(leftTag) || !isString(rightTag)) return false;
  const start = jsonStringStart(left.bytes, left.at);
  const other = jsonStringStart(right.bytes, right.at);
  const length = jsonEnd(left.bytes, left.at) - start;
  return compareBytes(left.bytes, start, length, right.bytes, other, jsonEnd(right.bytes, right.at) - other) < 0;
}

const NO_FLAGS = new Uint8Array(0);
const WHOLE_BEFORE = [...new TextEncoder().encode('^(?:')];
const WHOLE_BEHIND = [...new TextEncoder().encode(')$')];

/** False where either is no string, or the pattern is malformed, as the RFC has it. */
function matches(isWhole: boolean, textSide: Operand, patternSide: Operand, current: number): boolean {
  const text = operandValue(textSide, current);
  const pattern = operandValue(patternSide, current);
  if (text.at < 0 || pattern.at < 0) return false;
  if (!isString(text.bytes[text.at]) || !isString(pattern.bytes[pattern.at])) return false;
  let source = pattern.bytes.slice(jsonStringStart(pattern.bytes, pattern.at), jsonEnd(pattern.bytes, pattern.at));
  if (isWhole) source = Uint8Array.from([...WHOLE_BEFORE, ...source, ...WHOLE_BEHIND]);
  const start = jsonStringStart(text.bytes, text.at);
  charge(sizeOf(text));
  try {
    const { automaton } = patternOf('jsonpath', '', source, 0, source.length, NO_FLAGS, 0, 0);
    return automaton.matches(text.bytes, start, start, jsonEnd(text.bytes, text.at));
  } catch (error) {
    if (error instanceof SqlError && error.code === 'invalid_value') return false;
    throw error;
  }
}
