/** Setting, taking away, finding and merging, against the same on JavaScript values. fast-check prints the seed of a failure. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SqlError } from '../../base/errors.ts';
import { jsonFromText, jsonToText } from '../json.ts';
import { jsonElement, jsonEnd, jsonHeight, jsonMember } from './binary.ts';
import { jsonEquals } from './compare.ts';
import { findPath, writeMerged, writeSet, writeUnset } from './edit.ts';
import { JsonWriter } from './json-writer.ts';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const encoder = new TextEncoder();
const KEYS = ['a', 'b', 'c', '0', '1', '2', '10', '', 'é', 'k'.repeat(300)];
const key = fc.constantFrom(...KEYS);
const path = fc.array(key, { minLength: 1, maxLength: 4 });
const manyKeys = fc
  .tuple(fc.nat(30), fc.integer())
  .map(([count, value]) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`key${(i * 7) % 31}`, value + i])),
  );
const { document } = fc.letrec<{ document: Json }>((tie) => ({
  document: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<Json>(null, true, false, 0, -1, 300, 1.5, 'text', 'x'.repeat(300)),
    fc.array(tie('document'), { maxLength: 20 }),
    fc.dictionary(key, tie('document'), { maxKeys: 6, noNullPrototype: true }),
    manyKeys,
  ),
})); // prettier-ignore

/** The JSON text with object keys in their order, which JSON.stringify changes where they are numbers. */
function textOf(value: unknown): string {
  return JSON.stringify(value);
}

function binary(value: Json): Uint8Array {
  return jsonFromText(textOf(value));
}

function keysOf(parts: readonly string[]): Uint8Array[] {
  return parts.map((part) => encoder.encode(part));
}

function written(write: (writer: JsonWriter) => void): Uint8Array {
  const writer = new JsonWriter(16);
  writer.start();
  write(writer);
  return writer.toBytes();
}

/** The same JSON, and a well-formed binary form: written again from its text it is equal and as high. */
function assertSame(bytes: Uint8Array, expected: Json): void {
  assert.equal(jsonEnd(bytes, 0), bytes.length);
  assert.deepEqual(JSON.parse(jsonToText(bytes)), expected);
  const again = jsonFromText(jsonToText(bytes));
  assert.ok(jsonEquals(bytes, 0, again, 0));
  assert.equal(jsonHeight(bytes, 0), jsonHeight(again, 0));
  assert.equal(jsonHeight(bytes, 0), heightOf(expected));
}

function heightOf(value: Json): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(heightOf));
}

function isIndex(part: string, array: readonly Json[]): boolean {
  return /^(0|[1-9]\d*)$/.test(part) && Number(part) < array.length;
}

/** undefined: there is none. */
function naiveFind(value: Json, parts: readonly string[]): Json | undefined {
  let at: Json | undefined = value;
  for (const part of parts) {
    if (Array.isArray(at)) at = isIndex(part, at) ? at[Number(part)] : undefined;
    else at = typeof at === 'object' && at !== null && Object.hasOwn(at, part) ? at[part] : undefined;
    if (at === undefined) return undefined;
  }
  return at;
}

/** Throws where the path leads through something else than objects and elements. */
function naiveSet(value: Json | undefined, parts: readonly string[], to: Json): Json {
  const [part, ...rest] = parts;
  if (part === undefined) return to;
  if (value === undefined) return { [part]: naiveSet(undefined, rest, to) };
  if (Array.isArray(value)) {
    if (!isIndex(part, value)) throw new Error('no place');
    return value.map((element, i) => (i === Number(part) ? naiveSet(element, rest, to) : element));
  }
  if (typeof value !== 'object' || value === null) throw new Error('no place');
  const before = Object.hasOwn(value, part) ? value[part] : undefined;
  return { ...value, [part]: naiveSet(before, rest, to) };
}

function naiveUnset(value: Json, parts: readonly string[]): Json {
  const [part, ...rest] = parts as [string, ...string[]];
  if (Array.isArray(value))
    return rest.length > 0
      ? value.map((element, i) => (i === Number(part) ? naiveUnset(element, rest) : element))
      : value.toSpliced(Number(part), 1);
  const { [part]: inner, ...others } = value as { [key: string]: Json };
  return rest.length > 0 ? { ...(value as object), [part]: naiveUnset(inner!, rest) } : others;
}

/** RFC 7396, section 2. */
function naiveMerge(target: Json | undefined, patch: Json): Json {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const isObject = typeof target === 'object' && target !== null && !Array.isArray(target);
  const result: { [key: string]: Json } = isObject ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = naiveMerge(result[name], value);
  }
  return result;
}

test('find', () => {
  fc.assert(
    fc.property(document, path, (value, parts) => {
      const bytes = binary(value);
      const at = findPath(bytes, 0, keysOf(parts));
      const expected = naiveFind(value, parts);
      if (expected === undefined) assert.equal(at, -1);
      else assert.deepEqual(JSON.parse(jsonToText(bytes, at)), expected);
    }),
    { numRuns: 2000 },
  );
});

test('set', () => {
  fc.assert(
    fc.property(document, path, document, (value, parts, to) => {
      const bytes = binary(value);
      const inner = binary(to);
      const run = (): Uint8Array => written((writer) => writeSet(writer, bytes, 0, keysOf(parts), inner, 0));
      let expected: Json;
      try {
        expected = naiveSet(value, parts, to);
      } catch {
        assert.throws(run, (error) => error instanceof SqlError && error.code === 'invalid_value');
        return;
      }
      assertSame(run(), expected);
    }),
    { numRuns: 1000 },
  );
});

test('set in nothing makes objects', () => {
  const bytes = written((writer) => writeSet(writer, new Uint8Array(0), -1, keysOf(['0', 'b']), binary(5), 0));
  assertSame(bytes, { 0: { b: 5 } });
});

test('unset', () => {
  fc.assert(
    fc.property(document, path, (value, parts) => {
      fc.pre(naiveFind(value, parts) !== undefined);
      const bytes = binary(value);
      assertSame(
        written((writer) => writeUnset(writer, bytes, 0, keysOf(parts))),
        naiveUnset(value, parts),
      );
    }),
    { numRuns: 500, maxSkipsPerRun: 1000 },
  );
});

test('merge', () => {
  fc.assert(
    fc.property(document, document, (target, patch) => {
      assertSame(
        written((writer) => writeMerged(writer, binary(target), 0, binary(patch), 0)),
        naiveMerge(target, patch),
      );
    }),
    { numRuns: 2000 },
  );
});

test('heights', () => {
  for (const [text, height] of [
    ['5', 0],
    ['[]', 1],
    ['{"a": 1}', 1],
    ['[[], {"a": [1]}]', 3],
    // The value that counted first is gone.
    ['{"a": [[[]]], "a": 1}', 1],
    ['{"a": 1, "a": [[]], "b": 2}', 3],
  ] as const) {
    assert.equal(jsonHeight(jsonFromText(text), 0), height, text);
  }
});

test('values that are put into others count for their depth', () => {
  const nested = (depth: number): Uint8Array => jsonFromText('['.repeat(depth) + ']'.repeat(depth));
  const around = (bytes: Uint8Array, levels: number): Uint8Array =>
    written((writer) => {
      for (let i = 0; i < levels; i++) {
        writer.beginArray();
        writer.element();
      }
      writer.raw(bytes, 0, bytes.length);
      for (let i = 0; i < levels; i++) writer.end();
    });
  assert.equal(jsonHeight(around(nested(150), 50), 0), 200);
  assert.throws(() => around(nested(150), 51), { code: 'limit_exceeded' });
  assert.throws(() => around(nested(200), 1), { code: 'limit_exceeded' });
  assert.equal(jsonHeight(around(jsonFromText('5'), 200), 0), 200);
});

test('what is passed over on the way to a value is not looked at', () => {
  const inner = JSON.stringify({ big: ['x'.repeat(40), { deep: [1, 2, 3] }] });
  const bytes = jsonFromText(`{"skip": ${inner}, "list": [${inner}, "found"], "last": 7}`);
  const find = (parts: readonly string[]): string => jsonToText(bytes, findPath(bytes, 0, keysOf(parts)));
  assert.equal(find(['list', '1']), '"found"');
  // Everything behind count and height of the two skipped objects becomes nonsense: only their lengths are used.
  const list = findPath(bytes, 0, keysOf(['list']));
  for (const at of [findPath(bytes, 0, keysOf(['skip'])), jsonElement(bytes, list, 0)])
    bytes.fill(0xff, at + 5, jsonEnd(bytes, at));
  assert.equal(find(['list', '1']), '"found"');
  assert.equal(find(['last']), '7');
});

test('of many keys and elements only a few are looked at', () => {
  const names = Array.from({ length: 1000 }, (_, i) => `k${i}`);
  const object = jsonFromText(`{${names.map((name, i) => `"${name}": ${i}`).join(', ')}}`);
  const array = jsonFromText(JSON.stringify(names));
  const reads = (bytes: Uint8Array, read: (counted: Uint8Array) => void): number => {
    const seen = new Set<string>();
    read(
      new Proxy(bytes, {
        get: (target, name) => {
          if (typeof name === 'string') seen.add(name);
          return Reflect.get(target, name) as unknown;
        },
      }),
    );
    return seen.size;
  };
  const wanted = encoder.encode('k777');
  // A binary search of 1,000 keys: 10 steps of a table word, a length and at most 4 bytes.
  assert.ok(reads(object, (bytes) => assert.ok(jsonMember(bytes, 0, wanted, 0, wanted.length) > 0)) < 110);
  assert.ok(reads(array, (bytes) => assert.ok(jsonElement(bytes, 0, 777) > 0)) < 20);
});
