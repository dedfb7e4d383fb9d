/** Family 8 against JavaScript values: paths, casts of what they lead to, ANY and ALL. fast-check prints the seed of a failure. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Memory } from '../../base/memory.ts';
import type { JsonStep } from '../../types/json/json-step.ts';
import { jsonFromText, jsonToText } from '../../types/json.ts';
import { BIGINT, BOOL, DOUBLE, JSON_TYPE, TEXT } from '../../types/type.ts';
import { BareVm } from '../testing/bare-vm.ts';
import { textOf } from './bytes.ts';
import { writeInteger } from './integers.ts';

const memory = Memory.create({ limitBytes: 64 << 20, eagerArenas: false });
const vm = new BareVm(memory);
const encoder = new TextEncoder();

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

function text(value: string): number {
  return vm.workspace.text(encoder.encode(value));
}

function jsonOf(register: number): string {
  const ref = vm.num[register]!;
  return jsonToText(memory.u8[ref >>> 26]!, ((ref & 0x3ffffff) << 4) + 4);
}

/** Runs with `value` as JSON in register 1; register 0 by `show`, null for NULL. */
function run<T>(opcode: string, value: string, path: readonly JsonStep[], show: () => T): T | null {
  vm.num[1] = vm.workspace.text(jsonFromText(value));
  // What the run before left must not show.
  vm.nul[0] = 1;
  vm.assemble(`${opcode} 0 1 0`, { jsonPaths: [path], requestParameterCount: 4, parameterCount: 4 });
  return vm.nul[0] === 1 ? null : show();
}

/** Parameter `index` of the request: a text, or an int. */
function setParameter(index: number, value: string | bigint): void {
  const word = ((vm.page & 0xffff) << 12) + index * 4;
  const words = memory.i32[vm.page >>> 16]!;
  if (typeof value === 'string') {
    words[word] = text(value) | 0;
    words[word + 1] = 0;
    words[word + 2] = TEXT;
  } else {
    words[word] = Number(BigInt.asIntN(32, value));
    words[word + 1] = Number(BigInt.asIntN(32, value >> 32n));
    words[word + 2] = BIGINT;
  }
}

const KEYS = ['a', 'b', 'é', '', 'k'.repeat(260)];
const { document } = fc.letrec<{ document: Json }>((tie) => ({
  document: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<Json>(null, true, 7, -2.5, 'text'),
    fc.array(tie('document'), { maxLength: 20 }),
    fc.dictionary(fc.constantFrom(...KEYS), tie('document'), { noNullPrototype: true }),
    fc.nat(40).map((count) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${(i * 7) % 41}`, [i]]))),
  ),
}));
const plainStep = fc.oneof(
  fc.constantFrom(...KEYS, 'k3', 'k40').map((key): JsonStep => ({ kind: 'key', key })),
  fc.nat(20).map((index): JsonStep => ({ kind: 'index', index })),
);

function naive(value: Json, path: readonly JsonStep[]): Json | undefined {
  let at: Json | undefined = value;
  for (const step of path) {
    if (step.kind === 'index') at = Array.isArray(at) ? at[step.index] : undefined;
    else if (step.kind === 'key') {
      const isObject = typeof at === 'object' && at !== null && !Array.isArray(at);
      at = isObject && Object.hasOwn(at as object, step.key) ? (at as { [key: string]: Json })[step.key] : undefined;
    }
    if (at === undefined) return undefined;
  }
  return at;
}

test('paths of constants and of parameters', () => {
  fc.assert(
    fc.property(document, fc.array(plainStep, { minLength: 1, maxLength: 4 }), fc.nat(15), (value, path, mask) => {
      vm.scratch.reset();
      vm.workspace.reset();
      const source = JSON.stringify(value);
      const expected = naive(value, path);
      const steps = path.map((step, index): JsonStep => {
        if ((mask & (1 << index)) === 0 || 'parameter' in step) return step;
        setParameter(index, step.kind === 'key' ? step.key : BigInt(step.index));
        return { kind: step.kind === 'key' ? 'keyParameter' : 'indexParameter', parameter: index };
      });
      const found = run('json_path', source, steps, () => jsonOf(0));
      if (expected === undefined) assert.equal(found, null);
      else assert.deepEqual(JSON.parse(found!), expected);
      vm.nul[0] = 0;
      assert.equal(
        run('json_path_exists', source, steps, () => vm.num[0]) ?? vm.num[0],
        expected === undefined ? 0 : 1,
      );
    }),
    { numRuns: 1500 },
  );
});

test('parameters that no array has as an index', () => {
  const steps: JsonStep[] = [{ kind: 'indexParameter', parameter: 0 }];
  for (const index of [-1n, 2n, 2n ** 31n, 2n ** 32n, 2n ** 32n + 1n, -(2n ** 63n), 2n ** 63n - 1n]) {
    setParameter(0, index);
    assert.equal(
      run('json_path', '[1, 2]', steps, () => jsonOf(0)),
      null,
      String(index),
    );
  }
  setParameter(0, 1n);
  assert.equal(
    run('json_path', '[1, 2]', steps, () => jsonOf(0)),
    '2',
  );
});

test('casts of what a path leads to', () => {
  const path: JsonStep[] = [{ kind: 'key', key: 'x' }];
  const cast = (type: string, value: string): unknown =>
    run(`json_path_${type}`, `{"x": ${value}}`, path, () => (type === 'text' ? textOf(memory, vm.num[0]!) : vm.num[0]));
  assert.equal(cast('int', '-5'), -5);
  assert.equal(cast('int', '2.9'), 2);
  assert.equal(cast('int', 'null'), null);
  assert.equal(cast('double', '0.1'), 0.1);
  assert.equal(cast('double', '9223372036854775807'), 2 ** 63);
  assert.equal(cast('bool', 'true'), 1);
  assert.equal(cast('bool', 'false'), 0);
  assert.equal(cast('text', '"é"'), 'é');
  assert.equal(cast('text', '[1,{"a":null}]'), '[1, {"a": null}]');
  assert.equal(cast('text', 'null'), null);
  assert.equal(
    run('json_path_int', '{"y": 1}', path, () => vm.num[0]),
    null,
  );
  for (const [type, value] of [
    ['int', '"5"'],
    ['int', 'true'],
    ['int', '1e30'],
    ['double', '"5"'],
    ['bool', '1'],
  ] as const)
    assert.throws(() => cast(type, value), { code: 'invalid_value' }, `${type} of ${value}`);
});

const COMPARISONS = ['=', '<>', '<', '<=', '>', '>='];

/** null: NULL; undefined: an error. */
function naiveAny(
  x: Json | bigint,
  elements: readonly Json[],
  operator: string,
  isAll: boolean,
): boolean | null | undefined {
  let hasNull = false;
  const kind = (value: Json | bigint): string => {
    if (typeof value === 'bigint' || typeof value === 'boolean') return 'number';
    return Array.isArray(value) ? 'array' : typeof value;
  };
  for (const element of elements) {
    if (element === null) {
      hasNull = true;
      continue;
    }
    let isTrue: boolean;
    if (kind(element) !== kind(x) || kind(x) === 'array' || kind(x) === 'object') {
      if (operator !== '=' && operator !== '<>') return undefined;
      isTrue = operator === '<>';
    } else {
      const [a, b] =
        typeof x === 'string' ? [Buffer.compare(Buffer.from(x), Buffer.from(element as string)), 0] : [x!, element];
      // JavaScript orders a bigint and a number exactly.
      const isEqual = !(a < b) && !(a > b);
      isTrue = { '=': isEqual, '<>': !isEqual, '<': a < b, '<=': a <= b, '>': a > b, '>=': a >= b }[operator]!;
    }
    if (isTrue !== isAll) return !isAll;
  }
  return hasNull ? null : isAll;
}

test('ANY and ALL', () => {
  const element = fc.oneof(
    fc.constantFrom<Json>(null, true, false, 'a', 'b', 'é', '😀', [], {}),
    fc.integer({ min: -3, max: 3 }),
    fc.constantFrom(-0.5, 1.5, 1e21),
  );
  const like = fc.oneof(
    fc.tuple(fc.constant(BIGINT), fc.oneof(fc.bigInt(-3n, 3n), fc.constantFrom(2n ** 63n - 1n, -(2n ** 53n) - 1n))),
    fc.tuple(fc.constant(DOUBLE), fc.constantFrom(-0.5, 1.5, 2, -3)),
    fc.tuple(fc.constant(TEXT), fc.constantFrom('a', 'b', 'é', '😀', '\ue000')),
    fc.tuple(fc.constant(BOOL), fc.boolean()),
  );
  fc.assert(
    fc.property(
      like,
      fc.array(element, { maxLength: 6 }),
      fc.constantFrom(...COMPARISONS.keys()),
      fc.boolean(),
      ([type, x], elements, operator, isAll) => {
        vm.scratch.reset();
        vm.workspace.reset();
        if (typeof x === 'bigint') writeInteger(vm.num, vm.big, 1, x);
        else vm.num[1] = typeof x === 'string' ? text(x) : Number(x);
        vm.num[2] = vm.workspace.text(jsonFromText(JSON.stringify(elements)));
        const source = `json_any 0 1 ${operator + (isAll ? 8 : 0) + 16 * type}`;
        const expected = naiveAny(x, elements, COMPARISONS[operator]!, isAll);
        if (expected === undefined) {
          assert.throws(() => vm.assemble(source), { code: 'invalid_value' });
          return;
        }
        vm.assemble(source);
        assert.equal(vm.nul[0] === 1 ? null : vm.num[0] === 1, expected);
      },
    ),
    { numRuns: 3000 },
  );
});

test('ANY of JSON compares structures', () => {
  const any = (x: string, array: string, operator: number): boolean | null => {
    vm.num[1] = vm.workspace.text(jsonFromText(x));
    vm.num[2] = vm.workspace.text(jsonFromText(array));
    vm.assemble(`json_any 0 1 ${operator + 16 * JSON_TYPE}`);
    return vm.nul[0] === 1 ? null : vm.num[0] === 1;
  };
  assert.equal(any('{"a": 1, "b": 2}', '[5, {"b": 2.0, "a": 1}]', 0), true);
  assert.equal(any('[1]', '[[2], 1]', 0), false);
  assert.equal(any('[1]', '[[1], null]', 1), null);
  assert.equal(any('[1]', 'null', 0), null);
  assert.throws(() => any('[1]', '5', 0), { code: 'invalid_value' });
});
