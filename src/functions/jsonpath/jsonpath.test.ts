/**
 * JSONPath against a naive evaluator over JavaScript values; random and damaged paths. The examples of RFC 9535 are in
 * test/sql/cases/json-paths.sqltest. fast-check prints the seed of a failure.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { SqlError } from '../../base/errors.ts';
import { JsonWriter } from '../../types/json/json-writer.ts';
import { jsonFromText, jsonToText } from '../../types/json.ts';
import { writeNodes } from './evaluate.ts';
import { parsePath } from './parser.ts';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const encoder = new TextEncoder();

function run(value: Json, path: string): Json {
  const bytes = jsonFromText(JSON.stringify(value));
  const writer = new JsonWriter(16);
  writer.start();
  writeNodes(writer, parsePath(encoder.encode(path)), bytes, 0);
  return JSON.parse(jsonToText(writer.bytes)) as Json;
}

type Naive = (nodes: Json[], root: Json) => Json[];
/** A part of a path, and what it does. */
type Part = { readonly text: string; readonly apply: (node: Json, root: Json) => Json[] };
type Truth = { readonly text: string; readonly holds: (node: Json, root: Json) => boolean };

const KEYS = ['a', 'b', 'c', 'é', 'x y', "o'", '"'];

function children(node: Json): Json[] {
  return typeof node === 'object' && node !== null ? Object.values(node) : [];
}

function descendants(node: Json): Json[] {
  return [node, ...children(node).flatMap(descendants)];
}

function member(node: Json, key: string): Json[] {
  const isObject = typeof node === 'object' && node !== null && !Array.isArray(node);
  return isObject && Object.hasOwn(node, key) ? [node[key]!] : [];
}

function element(node: Json, index: number): Json[] {
  if (!Array.isArray(node)) return [];
  const at = index < 0 ? index + node.length : index;
  return at >= 0 && at < node.length ? [node[at]!] : [];
}

function slice(node: Json, start: number | undefined, end: number | undefined, step: number): Json[] {
  if (!Array.isArray(node) || step === 0) return [];
  const found: Json[] = [];
  const { length } = node;
  const normal = (index: number): number => (index < 0 ? length + index : index);
  const first = start === undefined ? (step > 0 ? 0 : length - 1) : normal(start);
  const last = end === undefined ? (step > 0 ? length : -1) : normal(end);
  // Every index that a loop from first to last would meet, and that is there.
  if (step > 0) for (let i = first; i < last; i += step) found.push(...(i >= 0 && i < length ? [node[i]!] : []));
  else for (let i = first; i > last; i += step) found.push(...(i >= 0 && i < length ? [node[i]!] : []));
  return found;
}

const keyPart = fc.constantFrom(...KEYS).chain((key) =>
  fc.constantFrom<string>(`"${key.replace('"', '\\"')}"`, `'${key.replace("'", "\\'")}'`).map(
    (text): Part => ({
      text,
      apply: (node) => member(node, key),
    }),
  ),
);
const indexPart = fc.integer({ min: -4, max: 4 }).map(
  (index): Part => ({
    text: String(index),
    apply: (node) => element(node, index),
  }),
);
const bound = fc.option(fc.integer({ min: -5, max: 5 }), { nil: undefined });
const stepsThatMeet = fc.constantFrom(1, -1);
const slicePart = fc.tuple(bound, bound, fc.option(stepsThatMeet, { nil: undefined })).map(
  ([start, end, step]): Part => ({
    text: `${start ?? ''}:${end ?? ''}${step === undefined ? '' : `: ${step}`}`,
    apply: (node) => slice(node, start, end, step ?? 1),
  }),
);
const wildcardPart = fc.constant<Part>({ text: '*', apply: children });
const literal = fc.constantFrom<Json>(null, true, false, 0, 1, 2.5, -3, 'a', 'é', '');

/** undefined: no value. */
type Side = { readonly text: string; readonly value: (node: Json, root: Json) => Json | undefined };
const singular = fc.tuple(fc.constantFrom('$', '@'), fc.array(fc.oneof(keyPart, indexPart), { maxLength: 2 })).map(
  ([start, parts]): Side => ({
    text: start + parts.map(({ text }) => `[${text}]`).join(''),
    value: (node, root) => {
      let nodes = [start === '$' ? root : node];
      for (const part of parts) nodes = nodes.flatMap((inner) => part.apply(inner, root));
      return nodes[0];
    },
  }),
);
const side = fc.oneof(
  literal.map((value): Side => ({ text: JSON.stringify(value), value: () => value })),
  singular,
  singular.map(
    ({ text, value }): Side => ({
      text: `length(${text})`,
      value: (node, root) => {
        const inner = value(node, root);
        if (typeof inner === 'string') return [...inner].length;
        return typeof inner === 'object' && inner !== null ? children(inner).length : undefined;
      },
    }),
  ),
);

function isLess(a: Json | undefined, b: Json | undefined): boolean {
  if (typeof a === 'number' && typeof b === 'number') return a < b;
  return typeof a === 'string' && typeof b === 'string' && Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0;
}

const COMPARISONS: Readonly<Record<string, (a: Json | undefined, b: Json | undefined) => boolean>> = {
  '==': isDeepStrictEqual,
  '!=': (a, b) => !isDeepStrictEqual(a, b),
  '<': isLess,
  '<=': (a, b) => isLess(a, b) || isDeepStrictEqual(a, b),
  '>': (a, b) => isLess(b, a),
  '>=': (a, b) => isLess(b, a) || isDeepStrictEqual(a, b),
};

const { truth } = fc.letrec<{ truth: Truth }>((tie) => ({
  truth: fc.oneof(
    { maxDepth: 2 },
    singular.map(({ text, value }): Truth => ({ text, holds: (node, root) => value(node, root) !== undefined })),
    fc.tuple(side, fc.constantFrom(...Object.keys(COMPARISONS)), side).map(
      ([left, operator, right]): Truth => ({
        text: `${left.text} ${operator}${right.text}`,
        holds: (node, root) => COMPARISONS[operator]!(left.value(node, root), right.value(node, root)),
      }),
    ),
    fc.tuple(tie('truth'), tie('truth')).map(
      ([left, right]): Truth => ({
        text: `(${left.text}) && (${right.text})`,
        holds: (node, root) => left.holds(node, root) && right.holds(node, root),
      }),
    ),
    fc.tuple(tie('truth'), tie('truth')).map(
      ([left, right]): Truth => ({
        text: `(${left.text})||(${right.text})`,
        holds: (node, root) => left.holds(node, root) || right.holds(node, root),
      }),
    ),
    tie('truth').map(
      (operand): Truth => ({
        text: `!(${operand.text})`,
        holds: (node, root) => !operand.holds(node, root),
      }),
    ),
  ),
}));
const filterPart = truth.map(
  ({ text, holds }): Part => ({
    text: `?${text}`,
    apply: (node, root) => children(node).filter((child) => holds(child, root)),
  }),
);

const segment = fc
  .tuple(
    fc.boolean(),
    fc.array(fc.oneof(keyPart, indexPart, slicePart, wildcardPart, filterPart), { minLength: 1, maxLength: 3 }),
  )
  .map(([isDescendant, parts]): { text: string; apply: Naive } => ({
    text: `${isDescendant ? '..' : ''}[${parts.map(({ text }) => text).join(', ')}]`,
    apply: (nodes, root) =>
      nodes
        .flatMap((node) => (isDescendant ? descendants(node) : [node]))
        .flatMap((node) => parts.flatMap((part) => part.apply(node, root))),
  }));

const { document } = fc.letrec<{ document: Json }>((tie) => ({
  document: fc.oneof(
    { maxDepth: 4 },
    literal,
    fc.array(tie('document'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...KEYS), tie('document'), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

test('random paths find what a naive evaluator finds', () => {
  fc.assert(
    fc.property(document, fc.array(segment, { maxLength: 3 }), (value, segments) => {
      const path = `$${segments.map(({ text }) => text).join('')}`;
      let expected: Json[] = [value];
      for (const { apply } of segments) expected = apply(expected, value);
      assert.deepEqual(run(value, path), expected, path);
    }),
    { numRuns: 1500 },
  );
});

test('names without quotes', () => {
  const value = { a1: 1, _b: { é: 2 }, c: { length: 3, count: 4 } };
  assert.deepEqual(run(value, '$.a1'), [1]);
  assert.deepEqual(run(value, '$._b.é'), [2]);
  assert.deepEqual(run(value, '$ .c .length'), [3]);
  assert.deepEqual(run(value, '$..count'), [4]);
  assert.deepEqual(run([value], '$[?@.c.length==3]..é'), [2]);
});

test('any text is a path or an SqlError', () => {
  const pieces = fc.constantFrom(
    '$',
    '@',
    '.',
    '..',
    '[',
    ']',
    '*',
    '?',
    '(',
    ')',
    '!',
    '&&',
    '||',
    '==',
    '<',
    '>=',
    "'a'",
    '"b',
    '\\u12',
    ':',
    ',',
    '-',
    '0',
    '12',
    'a',
    'é',
    ' ',
    'length',
    'match',
    'count',
    'value',
    'true',
    'null',
    '1e5',
    '\n',
    '9999999999999999999',
  ); // prettier-ignore
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 20 }), (parts) => {
      const path = `$${parts.join('')}`;
      try {
        run([{ a: [1, 'x'] }, 'text'], path);
      } catch (error) {
        assert.ok(error instanceof SqlError, `${path}: ${String(error)}`);
        const offset = /^jsonpath: offset (\d+): /.exec(error.message)?.[1];
        assert.ok(error.code === 'limit_exceeded' || Number(offset) <= encoder.encode(path).length, error.message);
      }
    }),
    { numRuns: 5000 },
  );
});

test('long chains do not nest', () => {
  const long = Array.from({ length: 5000 }, (_, i) => `@ == ${i}`).join(' || ');
  assert.deepEqual(run([4999, 5000], `$[?${long}]`), [4999]);
});

test('a value as deep as values may be', () => {
  const bytes = jsonFromText('['.repeat(200) + ']'.repeat(200));
  const writer = new JsonWriter(16);
  writer.start();
  assert.throws(() => writeNodes(writer, parsePath(encoder.encode('$')), bytes, 0), { code: 'limit_exceeded' });
  writer.start();
  writeNodes(writer, parsePath(encoder.encode('$[0]')), bytes, 0);
  assert.equal(jsonToText(writer.bytes), '['.repeat(200) + ']'.repeat(200));
});
