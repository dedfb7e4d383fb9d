import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ByteWriter } from '../base/byte-writer.ts';
import { SqlError } from '../base/errors.ts';
import { Memory } from '../base/memory.ts';
import { Scratch } from '../base/scratch.ts';
import { JsonWriter } from './json/json-writer.ts';
import { jsonFromText, jsonToText } from './json.ts';
import {
  appendJsonElements,
  compareVectors,
  dimensions,
  hashVector,
  vectorPrefix,
  writeVector,
  writeVectorAsJson,
} from './vector.ts';
import { cosineDistance, innerProduct, l2Distance, vectorLength } from './vector-distance.ts';

const memory = Memory.create({ limitBytes: 1 << 24, eagerArenas: false });
const scratch = new Scratch(memory);

function vector(elements: readonly number[]): number {
  return scratch.text(new Uint8Array(Float32Array.from(elements).buffer));
}

function fromJson(text: string): number {
  const writer = new ByteWriter(4);
  appendJsonElements(writer, jsonFromText(text), 0);
  return scratch.text(writer.bytes, 0, writer.length);
}

function textOf(ref: number): string {
  const writer = new ByteWriter(4);
  writeVector(writer, memory, ref);
  return new TextDecoder().decode(writer.view());
}

const floats = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { maxLength: 13 });
const pairs = fc
  .nat(13)
  .chain((length) =>
    fc.tuple(
      fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: length, maxLength: length }),
      fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: length, maxLength: length }),
    ),
  );

/** Equal but for the order of additions. */
function isNear(actual: number, expected: number, scale: number): boolean {
  return Math.abs(actual - expected) <= scale * 1e-12 + 1e-300;
}

describe('vector', () => {
  it('is made of a JSON array of numbers, rounded to 32 bits', () => {
    const cases: [string, string][] = [
      ['[]', '[]'],
      ['[1, -2, 0.1]', '[1, -2, 0.1]'],
      ['[16777217, 9007199254740993, -0.0]', '[16777216, 9007199000000000, -0]'],
      ['[1e-46, 1e-45, 3.4028235e38]', '[0, 1e-45, 3.4028235e+38]'],
    ];
    for (const [json, text] of cases) assert.equal(textOf(fromJson(json)), text);
    const wrong: [string, string][] = [
      ['5', 'json value 5 cannot be converted to vector'],
      ['{"a": 1}', 'json value {"a": 1} cannot be converted to vector'],
      ['[1, "2"]', 'json value [1, "2"] cannot be converted to vector'],
      ['[null]', 'json value [null] cannot be converted to vector'],
      ['[[1]]', 'json value [[1]] cannot be converted to vector'],
      ['[1e39]', 'double 1e+39 is out of range for an element of a vector'],
    ];
    for (const [json, message] of wrong)
      assert.throws(
        () => fromJson(json),
        (error) => error instanceof SqlError && error.message === message,
        json,
      );
    assert.throws(() => fromJson(`["${'x'.repeat(100)}"]`), /value \["x{62}… cannot/);
  });

  it('is written so that it reads back, as text and as JSON', () => {
    fc.assert(
      fc.property(floats, (elements) => {
        const ref = vector(elements);
        const expected = [...Float32Array.from(elements)];
        assert.equal(dimensions(memory, ref), elements.length);
        assert.deepEqual(
          (JSON.parse(textOf(ref)) as number[]).map(Math.fround),
          expected.map((value) => value),
        );
        const json = new JsonWriter(16);
        json.start();
        writeVectorAsJson(json, memory, ref);
        assert.equal(jsonToText(json.bytes, 0), textOf(ref));
      }),
    );
  });

  it('compares element by element, then the shorter first; hashes and prefixes agree', () => {
    fc.assert(
      fc.property(floats, floats, (left, right) => {
        let expected = 0;
        for (let i = 0; expected === 0 && i < Math.min(left.length, right.length); i++)
          expected = Math.sign(Math.fround(left[i]!) - Math.fround(right[i]!));
        if (expected === 0) expected = Math.sign(left.length - right.length);
        const l = vector(left);
        const r = vector(right);
        assert.equal(Math.sign(compareVectors(memory, l, r)) + 0, expected + 0);
        if (expected === 0) assert.equal(hashVector(memory, l), hashVector(memory, r));
        const prefixes = Math.sign(vectorPrefix(memory, l) - vectorPrefix(memory, r));
        assert.ok(prefixes === 0 || prefixes === expected);
      }),
    );
    assert.equal(compareVectors(memory, vector([0]), vector([-0])), 0);
    assert.equal(hashVector(memory, vector([0, 1])), hashVector(memory, vector([-0, 1])));
  });

  it('has distances', () => {
    fc.assert(
      fc.property(pairs, ([left, right]) => {
        const a = [...Float32Array.from(left)];
        const b = [...Float32Array.from(right)];
        const l = vector(a);
        const r = vector(b);
        const sum = (terms: number[]): number => terms.reduce((total, term) => total + term, 0);
        const product = sum(a.map((x, i) => x * b[i]!));
        const size = sum(a.map((x, i) => Math.abs(x * b[i]!)));
        assert.ok(isNear(innerProduct(memory, l, r), product, size));
        const distance = Math.sqrt(sum(a.map((x, i) => (x - b[i]!) ** 2)));
        assert.ok(isNear(l2Distance(memory, l, r), distance, distance));
        const lengths = Math.sqrt(sum(a.map((x) => x * x))) * Math.sqrt(sum(b.map((x) => x * x)));
        if (lengths === 0) assert.throws(() => cosineDistance(memory, l, r), /has no direction/);
        else assert.ok(Math.abs(cosineDistance(memory, l, r) - (1 - product / lengths)) < 1e-9);
      }),
      { numRuns: 500 },
    );
    for (const elements of [[0.1, 0.2, 0.3], [1e-45], [3e38, 1], [-7, 1e-30, 5]]) {
      assert.equal(cosineDistance(memory, vector(elements), vector(elements)), 0);
      assert.equal(l2Distance(memory, vector(elements), vector(elements)), 0);
    }
    assert.equal(vectorLength(memory, vector([3, 4])), 5);
    assert.equal(
      l2Distance(memory, vector([3.4028234663852886e38]), vector([-3.4028234663852886e38])),
      6.805646932770577e38,
    );
    for (const [name, measure] of [
      ['inner_product', innerProduct],
      ['l2_distance', l2Distance],
      ['cos_distance', cosineDistance],
    ] as const)
      assert.throws(() => measure(memory, vector([1, 2]), vector([1])), {
        code: 'invalid_value',
        message: `${name}: vectors of 2 and 1 elements`,
      });
  });
});
