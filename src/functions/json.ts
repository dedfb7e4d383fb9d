/** Functions of JSON. Values are read in place in their binary form, and new ones are written from it. */

import { SqlError } from '../base/errors.ts';
import {
  JSON_ARRAY,
  JSON_CONTAINER_BYTES,
  JSON_OBJECT,
  jsonCount,
  jsonEnd,
  keyLength,
  keyStart,
} from '../types/json/binary.ts';
import { findPath, writeMerged, writeSet, writeUnset } from '../types/json/edit.ts';
import { JsonWriter } from '../types/json/json-writer.ts';
import { parseJson } from '../types/json/parse.ts';
import { BIGINT, BOOL, JSON_TYPE, TEXT } from '../types/type.ts';
import { JSON_DOCS } from './json-docs.ts';
import { writeNodes } from './jsonpath/evaluate.ts';
import { parsePath } from './jsonpath/parser.ts';
import type { Query } from './jsonpath/query.ts';
import { AS_JSON, define, type FunctionContext, type ScalarFunction } from './signature.ts';
import { valueBytes, valueLength, valueStart } from './values.ts';

const output = new JsonWriter(1024);

/** Register `target` = what has been written into `output`. */
function setOutput(context: FunctionContext, target: number): void {
  context.num[target] = context.scratch.text(output.bytes, 0, output.length);
  output.reset();
}

/** Bytes and start of the json in a register: in `bytes` and `at`, until the next call. */
let bytes: Uint8Array = new Uint8Array(0);
let at = 0;

function load(context: FunctionContext, register: number): void {
  const ref = context.num[register];
  bytes = valueBytes(context, ref);
  at = valueStart(ref);
}

function loadArray(context: FunctionContext, register: number, name: string): void {
  load(context, register);
  if (bytes[at] !== JSON_ARRAY) throw new SqlError('invalid_value', `${name}: the JSON value is no array`);
}

function loadObject(context: FunctionContext, register: number, name: string): void {
  load(context, register);
  if (bytes[at] !== JSON_OBJECT) throw new SqlError('invalid_value', `${name}: the JSON value is no object`);
}

/** Elements of the loaded array into the open one, without the first `skipFirst` and the last `skipLast`. */
function copyElements(skipFirst: number, skipLast: number): void {
  let element = at + JSON_CONTAINER_BYTES;
  const end = jsonCount(bytes, at) - skipLast;
  for (let i = 0; i < end; i++) {
    const next = jsonEnd(bytes, element);
    if (i >= skipFirst) {
      output.element();
      output.raw(bytes, element, next);
    }
    element = next;
  }
}

/** The json values of registers first … first + count - 1 into the open array. */
function addValues(context: FunctionContext, first: number, count: number): void {
  for (let register = first; register < first + count; register++) {
    const ref = context.num[register];
    const start = valueStart(ref);
    output.element();
    output.raw(valueBytes(context, ref), start, start + valueLength(context, ref));
  }
}

function pushBack(context: FunctionContext, target: number, first: number, count: number, name: string): void {
  loadArray(context, first, name);
  output.start();
  output.beginArray();
  copyElements(0, 0);
  addValues(context, first + 1, count - 1);
  output.end();
  setOutput(context, target);
}

function push(context: FunctionContext, target: number, first: number, count: number): void {
  loadArray(context, first, 'push');
  output.start();
  output.beginArray();
  addValues(context, first + 1, count - 1);
  copyElements(0, 0);
  output.end();
  setOutput(context, target);
}

function pop(context: FunctionContext, target: number, first: number, skipFirst: number, name: string): void {
  loadArray(context, first, name);
  output.start();
  output.beginArray();
  copyElements(skipFirst, 1 - skipFirst);
  output.end();
  setOutput(context, target);
}

/** The index in register `register` of an element of the loaded array. */
function indexOf(context: FunctionContext, register: number, name: string): number {
  const index = context.num[register];
  const count = jsonCount(bytes, at);
  if (index >= 0 && index < count) return index;
  const shown = Number.isNaN(index) ? context.big[register] : index;
  throw new SqlError('out_of_range', `${name}: the array has ${count} elements and none at ${shown}`);
}

function put(context: FunctionContext, target: number, first: number): void {
  loadArray(context, first, 'put');
  const index = indexOf(context, first + 1, 'put');
  output.start();
  output.beginArray();
  let element = at + JSON_CONTAINER_BYTES;
  for (let i = 0, count = jsonCount(bytes, at); i < count; i++) {
    const next = jsonEnd(bytes, element);
    if (i === index) addValues(context, first + 2, 1);
    else {
      output.element();
      output.raw(bytes, element, next);
    }
    element = next;
  }
  output.end();
  setOutput(context, target);
}

function remove(context: FunctionContext, target: number, first: number): void {
  loadArray(context, first, 'remove');
  const index = indexOf(context, first + 1, 'remove');
  output.start();
  output.beginArray();
  let element = at + JSON_CONTAINER_BYTES;
  for (let i = 0, count = jsonCount(bytes, at); i < count; i++) {
    const next = jsonEnd(bytes, element);
    if (i !== index) {
      output.element();
      output.raw(bytes, element, next);
    }
    element = next;
  }
  output.end();
  setOutput(context, target);
}

const DOT = 46;
/** The last path that was read, and its keys. */
let pathText: Uint8Array = new Uint8Array(0);
let pathKeys: readonly Uint8Array[] = [pathText];

/** Whether the text at `ref` is these bytes. */
function isText(context: FunctionContext, ref: number, text: Uint8Array): boolean {
  if (valueLength(context, ref) !== text.length) return false;
  const source = valueBytes(context, ref);
  const start = valueStart(ref);
  for (let i = 0; i < text.length; i++) if (source[start + i] !== text[i]) return false;
  return true;
}

function copyOfText(context: FunctionContext, ref: number): Uint8Array {
  const start = valueStart(ref);
  return valueBytes(context, ref).slice(start, start + valueLength(context, ref));
}

/** The keys of a dotted path, the text in register `register`. */
function pathOf(context: FunctionContext, register: number): readonly Uint8Array[] {
  const ref = context.num[register];
  if (isText(context, ref, pathText)) return pathKeys;
  pathText = copyOfText(context, ref);
  const keys: Uint8Array[] = [];
  let start = 0;
  for (let end = 0; end <= pathText.length; end++) {
    if (end < pathText.length && pathText[end] !== DOT) continue;
    keys.push(pathText.subarray(start, end));
    start = end + 1;
  }
  pathKeys = keys;
  return keys;
}

function set(context: FunctionContext, target: number, first: number): void {
  load(context, first);
  const value = context.num[first + 2];
  output.start();
  writeSet(output, bytes, at, pathOf(context, first + 1), valueBytes(context, value), valueStart(value));
  setOutput(context, target);
}

function unset(context: FunctionContext, target: number, first: number): void {
  load(context, first);
  const path = pathOf(context, first + 1);
  if (findPath(bytes, at, path) < 0) {
    context.num[target] = context.num[first];
    return;
  }
  output.start();
  writeUnset(output, bytes, at, path);
  setOutput(context, target);
}

function has(context: FunctionContext, target: number, first: number): void {
  load(context, first);
  context.num[target] = findPath(bytes, at, pathOf(context, first + 1)) < 0 ? 0 : 1;
}

function keys(context: FunctionContext, target: number, first: number): void {
  loadObject(context, first, 'keys');
  output.start();
  output.beginArray();
  let entry = at + JSON_CONTAINER_BYTES;
  for (let i = jsonCount(bytes, at); i > 0; i--) {
    const start = keyStart(bytes, entry);
    const end = start + keyLength(bytes, entry);
    output.element();
    output.string(bytes, start, end);
    entry = jsonEnd(bytes, end);
  }
  output.end();
  setOutput(context, target);
}

function values(context: FunctionContext, target: number, first: number): void {
  loadObject(context, first, 'values');
  output.start();
  output.beginArray();
  let entry = at + JSON_CONTAINER_BYTES;
  for (let i = jsonCount(bytes, at); i > 0; i--) {
    const value = keyStart(bytes, entry) + keyLength(bytes, entry);
    entry = jsonEnd(bytes, value);
    output.element();
    output.raw(bytes, value, entry);
  }
  output.end();
  setOutput(context, target);
}

const KEY = new TextEncoder().encode('key');
const VALUE = new TextEncoder().encode('value');

function each(context: FunctionContext, target: number, first: number): void {
  load(context, first);
  const isArray = bytes[at] === JSON_ARRAY;
  if (!isArray && bytes[at] !== JSON_OBJECT) {
    throw new SqlError('invalid_value', 'json_each: the JSON value is neither array nor object');
  }
  output.start();
  output.beginArray();
  let entry = at + JSON_CONTAINER_BYTES;
  for (let i = 0, count = jsonCount(bytes, at); i < count; i++) {
    output.element();
    output.beginObject();
    output.key(KEY, 0, KEY.length);
    let value = entry;
    if (isArray) output.int(i, 0n);
    else {
      const start = keyStart(bytes, entry);
      value = start + keyLength(bytes, entry);
      output.string(bytes, start, value);
    }
    entry = jsonEnd(bytes, value);
    output.key(VALUE, 0, VALUE.length);
    output.raw(bytes, value, entry);
    output.end();
  }
  output.end();
  setOutput(context, target);
}

function merge(context: FunctionContext, target: number, first: number): void {
  load(context, first);
  const patch = context.num[first + 1];
  output.start();
  writeMerged(output, bytes, at, valueBytes(context, patch), valueStart(patch));
  setOutput(context, target);
}

/** Queries that a thread keeps, by their text; when there are more, all are forgotten. */
const QUERY_COUNT_MAX = 256;
const queries = new Map<string, Query>();
let queryText: Uint8Array | undefined;
let latestQuery: Query | undefined;

const PATH_BYTES_MAX = 65_536;

function queryOf(context: FunctionContext, register: number): Query {
  const ref = context.num[register];
  if (queryText !== undefined && isText(context, ref, queryText)) return latestQuery!;
  if (valueLength(context, ref) > PATH_BYTES_MAX) {
    throw new SqlError('limit_exceeded', `jsonpath: the path is longer than ${PATH_BYTES_MAX} bytes`);
  }
  const text = copyOfText(context, ref);
  const key = new TextDecoder().decode(text);
  let query = queries.get(key);
  if (query === undefined) {
    query = parsePath(text);
    if (queries.size >= QUERY_COUNT_MAX) queries.clear();
    queries.set(key, query);
  }
  queryText = text;
  latestQuery = query;
  return query;
}

function jsonpath(context: FunctionContext, target: number, first: number): void {
  const query = queryOf(context, first + 1);
  load(context, first);
  output.start();
  writeNodes(output, query, bytes, at);
  setOutput(context, target);
}

function importText(context: FunctionContext, target: number, first: number): void {
  const ref = context.num[first];
  const start = valueStart(ref);
  output.start();
  parseJson(valueBytes(context, ref), start, start + valueLength(context, ref), output);
  setOutput(context, target);
}

const VARIADIC = { isVariadic: true } as const;

export const JSON_FUNCTIONS: readonly ScalarFunction[] = [
  ...['append', 'push_back'].map((name) =>
    define(
      name,
      [JSON_TYPE, AS_JSON],
      JSON_TYPE,
      (context, target, first, count) => pushBack(context, target, first, count, name),
      { ...VARIADIC, doc: JSON_DOCS[name] },
    ),
  ),
  define('push', [JSON_TYPE, AS_JSON], JSON_TYPE, push, { ...VARIADIC, doc: JSON_DOCS.push }),
  define('pop', [JSON_TYPE], JSON_TYPE, (context, target, first) => pop(context, target, first, 1, 'pop'), {
    doc: JSON_DOCS.pop,
  }),
  define('pop_back', [JSON_TYPE], JSON_TYPE, (context, target, first) => pop(context, target, first, 0, 'pop_back'), {
    doc: JSON_DOCS.pop_back,
  }),
  define('put', [JSON_TYPE, BIGINT, AS_JSON], JSON_TYPE, put, { doc: JSON_DOCS.put }),
  define('remove', [JSON_TYPE, BIGINT], JSON_TYPE, remove, { doc: JSON_DOCS.remove }),
  define('set', [JSON_TYPE, TEXT, AS_JSON], JSON_TYPE, set, { doc: JSON_DOCS.set }),
  define('unset', [JSON_TYPE, TEXT], JSON_TYPE, unset, { doc: JSON_DOCS.unset }),
  define('has', [JSON_TYPE, TEXT], BOOL, has, { doc: JSON_DOCS.has }),
  define('keys', [JSON_TYPE], JSON_TYPE, keys, { doc: JSON_DOCS.keys }),
  define('values', [JSON_TYPE], JSON_TYPE, values, { doc: JSON_DOCS.values }),
  define('json_each', [JSON_TYPE], JSON_TYPE, each, { doc: JSON_DOCS.json_each }),
  define('merge', [JSON_TYPE, JSON_TYPE], JSON_TYPE, merge, { doc: JSON_DOCS.merge }),
  define('jsonpath', [JSON_TYPE, TEXT], JSON_TYPE, jsonpath, { doc: JSON_DOCS.jsonpath }),
  define('json_import', [TEXT], JSON_TYPE, importText, { doc: JSON_DOCS.json_import }),
];
