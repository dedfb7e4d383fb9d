/** JSON and vectors. */

import { always, eagerOperation, mostly, type Operand, type Operation, operation, SESSION } from './operations.ts';
import { Failure, floatText, INT_MAX, INT_MIN, Json, type Kind, type Tree, textOf, type Value } from './values.ts';

type Members = ReadonlyMap<string, Tree>;

function isObject(tree: Tree): tree is Members {
  return tree instanceof Map;
}

function elements({ tree }: Json): readonly Tree[] {
  if (!Array.isArray(tree)) throw new Failure('invalid_value');
  return tree as readonly Tree[];
}

function members({ tree }: Json): Members {
  if (!isObject(tree)) throw new Failure('invalid_value');
  return tree;
}

/** The value as JSON; NULL is JSON null. */
function treeOf(value: Value, kind: Kind): Tree {
  if (value === null) return null;
  if (kind === 'json') return (value as Json).tree;
  // Elements are the decimals that they print as.
  if (kind === 'vector') return (value as readonly number[]).map((each) => Number(floatText(each)));
  if (kind === 'bool' || kind === 'int' || kind === 'double') return value as boolean | bigint | number;
  return textOf(value, kind, SESSION.zone);
}

function wrapped(tree: Tree | undefined): Json | null {
  return tree === undefined ? null : new Json(tree);
}

function member({ tree }: Json, key: string): Json | null {
  return isObject(tree) ? wrapped(tree.get(key)) : null;
}

function element({ tree }: Json, index: bigint): Json | null {
  return Array.isArray(tree) && index >= 0n && index < BigInt(tree.length)
    ? wrapped(tree[Number(index)] as Tree)
    : null;
}

function at(list: readonly Tree[], index: bigint): number {
  if (index < 0n || index >= BigInt(list.length)) throw new Failure('out_of_range', 'invalid_value');
  return Number(index);
}

/** Sets the value at the path in objects; levels that are missing are made. */
function setPath(tree: Members, path: readonly string[], value: Tree): Tree {
  const [key, ...rest] = path;
  if (rest.length === 0) return new Map(tree).set(key!, value);
  const inner = tree.has(key!) ? tree.get(key!)! : new Map<string, Tree>();
  if (!isObject(inner)) throw new Failure('invalid_value', 'type_mismatch');
  return new Map(tree).set(key!, setPath(inner, rest, value));
}

function unsetPath(tree: Tree, path: readonly string[]): Tree {
  const [key, ...rest] = path;
  if (!isObject(tree) || !tree.has(key!)) return tree;
  const changed = new Map(tree);
  if (rest.length === 0) changed.delete(key!);
  else changed.set(key!, unsetPath(tree.get(key!)!, rest));
  return changed;
}

function hasPath(tree: Tree | undefined, path: readonly string[]): boolean {
  const [key, ...rest] = path;
  if (tree === undefined || !isObject(tree) || !tree.has(key!)) return false;
  return rest.length === 0 || hasPath(tree.get(key!), rest);
}

/** RFC 7396. */
function merged(target: Tree, patch: Tree): Tree {
  if (!isObject(patch)) return patch;
  const result = new Map(isObject(target) ? target : []);
  for (const [key, value] of patch)
    if (value === null) result.delete(key);
    else result.set(key, merged(result.get(key) ?? null, value));
  return result;
}

/** JSON text as JSON.parse reads it, with exact integers. */
function parsed(text: string): Json {
  const revive = (_key: string, value: unknown, context: { source?: string }): unknown => {
    if (typeof value === 'number') {
      if (!/^-?\d+$/.test(context.source!)) {
        if (!Number.isFinite(value)) throw new Failure('invalid_json', 'out_of_range');
        return value;
      }
      const whole = BigInt(context.source!);
      if (whole < INT_MIN || whole > INT_MAX) throw new Failure('invalid_json', 'out_of_range');
      return whole;
    }
    if (typeof value === 'string' && !value.isWellFormed()) throw new Failure('invalid_json');
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? new Map(Object.entries(value))
      : value;
  };
  try {
    return new Json(JSON.parse(text, revive as Parameters<typeof JSON.parse>[1]) as Tree);
  } catch (error) {
    throw error instanceof Failure ? error : new Failure('invalid_json');
  }
}

function toInt({ tree }: Json): bigint | null {
  if (tree === null) return null;
  if (typeof tree === 'bigint') return tree;
  if (typeof tree !== 'number') throw new Failure('invalid_value');
  const whole = BigInt(Math.trunc(tree));
  if (whole < INT_MIN || whole > INT_MAX) throw new Failure('invalid_value', 'out_of_range');
  return whole;
}

function toDouble({ tree }: Json): number | null {
  if (tree === null) return null;
  if (typeof tree !== 'number' && typeof tree !== 'bigint') throw new Failure('invalid_value');
  return Number(tree);
}

/** `e op ANY (…)`: some element makes it true; ALL: every one. An element that is JSON null compares as NULL. */
function quantified(
  isAll: boolean,
  holds: (left: bigint, right: bigint) => boolean,
): (left: bigint, set: Json) => Value {
  return (left, set) => {
    let result: boolean | null = isAll;
    for (const item of elements(set)) {
      if (item === null) result = null;
      else if (holds(left, item as bigint) !== isAll) return !isAll;
    }
    return result;
  };
}

const tree = (text: string): Json => parsed(text);
const ARRAYS = mostly(
  'json',
  ...['[]', '[1, 2, 3]', '["a", null]', '[[1], {"a": 2}, 9223372036854775807]', '{"a": 1}'].map(tree),
);
const OBJECTS = mostly(
  'json',
  ...['{}', '{"a": 1}', '{"a": {"b": {"c": 5}}, "x": "y"}', '{"b": null, "a": [1]}', '{"a": {"d": 1.5}}', '[1]'].map(
    tree,
  ),
);
const PATCHES = mostly(
  'json',
  ...['{"a": null}', '{"a": {"b": null, "e": [1]}}', '{"z": {"y": null}}', '5', '[]'].map(tree),
);
const KEYS: Operand = mostly('text', 'a', 'b', 'id', 'key7', 'c', '', 'missing', 'é');
const PATHS: Operand = always('text', 'a', 'b', 'a.b', 'a.b.c', 'x.y.z', 'id', 'q.r');
const INDEXES: Operand = mostly('int', 0n, 1n, 2n, -1n, 19n, 2n ** 53n + 1n);
const INT_ARRAYS: Operand = always(
  'json',
  ...['[1, 2, 3]', '[]', '[null, 5]', '[-7, 9007199254740993, null, 0]', '[100]'].map(tree),
);
const JSON_TEXTS: Operand = mostly(
  'text',
  ...[
    '{"a": [1, 2.50, "x\\u00e9\\ud834\\udd1e"], "b": {"c": null}}',
    ' [ 1 , true ,false, null ] ',
    '"\\n\\t\\"\\\\\\/"',
    '-0.0',
  ],
  ...[
    '12',
    '-9223372036854775808',
    '9223372036854775808',
    '1e400',
    '[1,]',
    '{"a" 1}',
    '',
    '01',
    '"\\ud800"',
    'nul',
    '{"a":1,"a":2}',
  ],
  ...['1e2', '[[[[[[]]]]]]', '"\u0001"', '"𝄞"', '9007199254740993'],
);
const PATH_OF = (path: string): string[] => path.split('.');

const CASTS: readonly Operation[] = (
  ['bool', 'int', 'double', 'text', 'json', 'timestamp', 'date', 'interval', 'vector', 'uuid'] as const
).flatMap((kind) => [
  // Of json to json nothing is said of NULL: `null::json` is JSON null, a cast to one's own type is none.
  ...(kind === 'json' ? [] : [eagerOperation('json', '(#)::json', [kind], (value) => new Json(treeOf(value, kind)))]),
  eagerOperation('json', '[#, #]', [kind, 'int'], (a, b) => new Json([treeOf(a, kind), treeOf(b, 'int')])),
  eagerOperation(
    'json',
    "{'k': #, 'n': {'x': #}}",
    [kind, 'text'],
    (a, b) =>
      new Json(
        new Map<string, Tree>([
          ['k', treeOf(a, kind)],
          ['n', new Map([['x', treeOf(b, 'text')]])],
        ]),
      ),
  ),
]);

export const JSON_OPERATIONS: readonly Operation[] = [
  ...CASTS,
  operation('json', '(#)[#]', ['json', INDEXES], element),
  operation('json', '(#)[#]', ['json', KEYS], member),
  operation('json', '(#).a', ['json'], (a: Json) => member(a, 'a')),
  operation('json', '(#).a.b', ['json'], (a: Json) => {
    const inner = member(a, 'a');
    return inner === null ? null : member(inner, 'b');
  }),
  operation('json', '(#).a.b[1]', ['json'], (a: Json) => {
    const inner = member(a, 'a');
    const list = inner === null ? null : member(inner, 'b');
    return list === null ? null : element(list, 1n);
  }),
  operation('json', '(# || #)', [ARRAYS, ARRAYS], (a: Json, b: Json) => new Json([...elements(a), ...elements(b)])),
  operation('json', 'json_import(#)', [JSON_TEXTS], parsed),
  operation('int', '(#)::bigint', ['json'], toInt),
  operation('double', '(#)::double', ['json'], toDouble),
  operation('bool', '(#)::bool', ['json'], ({ tree: value }: Json) => {
    if (value !== null && typeof value !== 'boolean') throw new Failure('invalid_value');
    return value;
  }),
  operation('int', 'size(#)', ['json'], ({ tree: value }: Json) => {
    if (isObject(value)) return BigInt(value.size);
    if (Array.isArray(value)) return BigInt(value.length);
    throw new Failure('invalid_value');
  }),
  eagerOperation('json', 'append(#, #, #)', [ARRAYS, 'int', 'text'], (a, b, c) =>
    a === null ? null : new Json([...elements(a as Json), treeOf(b, 'int'), treeOf(c, 'text')]),
  ),
  operation(
    'json',
    'push_back(#, #)',
    [ARRAYS, always('json', ...['5', '[]', '"x"'].map(tree))],
    (a: Json, b: Json) => new Json([...elements(a), b.tree]),
  ),
  operation(
    'json',
    'push(#, #, #)',
    [ARRAYS, always('int', 5n, 1n), always('double', 6.5)],
    (a: Json, b: bigint, c: number) => new Json([b, c, ...elements(a)]),
  ),
  operation('json', 'pop(#)', [ARRAYS], (a: Json) => new Json(elements(a).slice(1))),
  operation('json', 'pop_back(#)', [ARRAYS], (a: Json) => new Json(elements(a).slice(0, -1))),
  operation(
    'json',
    'put(#, #, #)',
    [ARRAYS, INDEXES, always('text', 'new', '')],
    (a: Json, index: bigint, b: string) => {
      const list = elements(a);
      return new Json(list.with(at(list, index), b));
    },
  ),
  operation('json', 'remove(#, #)', [ARRAYS, INDEXES], (a: Json, index: bigint) => {
    const list = elements(a);
    return new Json(list.toSpliced(at(list, index), 1));
  }),
  operation(
    'json',
    'set(#, #, #)',
    [OBJECTS, PATHS, always('int', 42n)],
    (a: Json, path: string, value: bigint) => new Json(setPath(members(a), PATH_OF(path), value)),
  ),
  operation(
    'json',
    'unset(#, #)',
    [OBJECTS, PATHS],
    (a: Json, path: string) => new Json(unsetPath(a.tree, PATH_OF(path))),
  ),
  operation('bool', 'has(#, #)', [OBJECTS, PATHS], (a: Json, path: string) => hasPath(a.tree, PATH_OF(path))),
  operation('json', 'keys(#)', [OBJECTS], (a: Json) => new Json([...members(a).keys()])),
  operation('json', 'values(#)', [OBJECTS], (a: Json) => new Json([...members(a).values()])),
  operation('json', 'merge(#, #)', [OBJECTS, PATCHES], (a: Json, b: Json) => new Json(merged(a.tree, b.tree))),
  operation(
    'bool',
    '(# = any (#))',
    ['int', INT_ARRAYS],
    quantified(false, (a, b) => a === b),
  ),
  operation(
    'bool',
    '(# <> all (#))',
    ['int', INT_ARRAYS],
    quantified(true, (a, b) => a !== b),
  ),
  operation(
    'bool',
    '(# < ANY (#))',
    ['int', INT_ARRAYS],
    quantified(false, (a, b) => a < b),
  ),
  operation(
    'bool',
    '(# >= all (#))',
    ['int', INT_ARRAYS],
    quantified(true, (a, b) => a >= b),
  ),
];

/** Element by element, in 32-bit floats. */
function elementwise(
  compute: (left: number, right: number) => number,
): (left: readonly number[], right: readonly number[]) => Value {
  return (left, right) => {
    if (left.length !== right.length) throw new Failure('invalid_value', 'out_of_range', 'type_mismatch');
    return left.map((value, index) => float(compute(value, right[index]!)));
  };
}

function float(value: number): number {
  const rounded = Math.fround(value);
  if (!Number.isFinite(rounded)) throw new Failure('overflow', 'out_of_range', 'invalid_value');
  return rounded;
}

function sameSize(left: readonly number[], right: readonly number[]): void {
  if (left.length !== right.length) throw new Failure('invalid_value', 'out_of_range', 'type_mismatch');
}

const dot = (left: readonly number[], right: readonly number[]): number => {
  sameSize(left, right);
  return left.reduce((sum, value, index) => sum + value * right[index]!, 0);
};

/** Vectors of small whole numbers: sums and products of them are exact in any order. */
const WHOLE: Operand = always('vector', [1, 2, 3], [3, 4, 0], [-1, 0, 2], [2, 2, 1]);
const VECTOR_TEXTS = always('text', '[1, 2.5, -3]', '[]', '[ 1,2 ]', '[1e39]', '[1,]', 'x', '[0.1]');

export const VECTOR_OPERATIONS: readonly Operation[] = [
  operation(
    'vector',
    '(# + #)',
    ['vector', 'vector'],
    elementwise((a, b) => a + b),
  ),
  operation(
    'vector',
    '(# - #)',
    ['vector', 'vector'],
    elementwise((a, b) => a - b),
  ),
  operation(
    'vector',
    '(# * #)',
    ['vector', 'vector'],
    elementwise((a, b) => a * b),
  ),
  operation('vector', '(# / #)', ['vector', 'vector'], (a: readonly number[], b: readonly number[]) => {
    sameSize(a, b);
    if (b.includes(0)) throw new Failure('zero_division', 'overflow', 'out_of_range');
    return elementwise((x, y) => x / y)(a, b);
  }),
  operation(
    'double',
    '(#)[#]',
    ['vector', mostly('int', 0n, 1n, 2n, 3n, -1n)],
    (a: readonly number[], index: bigint) => {
      if (index < 0n || index >= BigInt(a.length)) throw new Failure('out_of_range', 'invalid_value');
      return a[Number(index)]!;
    },
  ),
  operation('int', 'dims(#)', ['vector'], (a: readonly number[]) => BigInt(a.length)),
  operation('int', 'size(#)', ['vector'], (a: readonly number[]) => BigInt(a.length)),
  operation('int', 'octet_length(#)', ['vector'], (a: readonly number[]) => BigInt(a.length * 4)),
  operation(
    'vector',
    '(#)::vector',
    [always('json', ...['[1, 2.5]', '[]', '[0.1, 3]', '["x"]', '{}', '[1e39]'].map(tree))],
    ({ tree: list }: Json) => {
      if (!Array.isArray(list)) throw new Failure('invalid_value');
      return list.map((item: Tree) => {
        if (typeof item !== 'number' && typeof item !== 'bigint') throw new Failure('invalid_value');
        return float(Number(item));
      });
    },
  ),
  operation('vector', '(#)::vector', [VECTOR_TEXTS], (text: string) => {
    let list: unknown;
    try {
      list = JSON.parse(text);
    } catch {
      throw new Failure('invalid_value', 'invalid_json');
    }
    if (!Array.isArray(list) || !list.every((item) => typeof item === 'number')) throw new Failure('invalid_value');
    return list.map(float);
  }),
  operation('double', 'l2_distance(#, #)', [WHOLE, WHOLE], (a: readonly number[], b: readonly number[]) =>
    Math.sqrt(a.reduce((sum, value, index) => sum + (value - b[index]!) ** 2, 0)),
  ),
  operation('double', 'inner_product(#, #)', [WHOLE, WHOLE], dot),
  operation('double', 'inner_product(#, #)', [WHOLE, always('vector', [1, 2], [1, 2, 3, 4])], dot),
  operation('double', 'round(cos_distance(#, #), 9)', [WHOLE, WHOLE], (a: readonly number[], b: readonly number[]) => {
    const rounded = Number((1 - dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))).toFixed(9));
    return rounded === 0 ? 0 : rounded;
  }),
];

const UUID = '123e4567-e89b-12d3-a456-426614174000';
const UUID_TEXTS = always(
  'text',
  UUID,
  UUID.toUpperCase(),
  UUID.replaceAll('-', ''),
  `${UUID}0`,
  'x',
  '',
  UUID.replace('1', 'g'),
);

export const UUID_OPERATIONS: readonly Operation[] = [
  operation('uuid', '(#)::uuid', [UUID_TEXTS], (text: string) => {
    const digits = text.toLowerCase().replaceAll('-', '');
    if (!/^[0-9a-f]{32}$/.test(digits)) throw new Failure('invalid_value');
    return digits.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5');
  }),
];
