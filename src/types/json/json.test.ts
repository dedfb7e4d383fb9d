import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ByteWriter } from '../../base/byte-writer.ts';
import { SqlError } from '../../base/errors.ts';
import { jsonFromText, jsonToText } from '../json.ts';
import { decodeUtf8 } from '../utf8.ts';
import { jsonElement, jsonEnd, jsonMember } from './binary.ts';
import { jsonEquals } from './compare.ts';
import { JsonWriter } from './json-writer.ts';
import { parseJson } from './parse.ts';
import { writeJson } from './text.ts';

const encoder = new TextEncoder();

function roundTrip(text: string): string {
  const binary = jsonFromText(text);
  assert.equal(jsonEnd(binary, 0), binary.length);
  return jsonToText(binary);
}

function member(text: string, key: string): string | undefined {
  const binary = jsonFromText(text);
  const bytes = encoder.encode(key);
  const at = jsonMember(binary, 0, bytes, 0, bytes.length);
  return at < 0 ? undefined : jsonToText(binary, at);
}

function element(text: string, index: number): string | undefined {
  const binary = jsonFromText(text);
  const at = jsonElement(binary, 0, index);
  return at < 0 ? undefined : jsonToText(binary, at);
}

describe('JSON text through binary', () => {
  const cases: [string, string][] = [
    ['null', 'null'],
    [' true ', 'true'],
    ['false', 'false'],
    ['0', '0'],
    ['-0', '0'],
    ['-0.0', '-0'],
    ['127', '127'],
    ['-128', '-128'],
    ['128', '128'],
    ['-129', '-129'],
    ['2147483647', '2147483647'],
    ['-2147483648', '-2147483648'],
    ['2147483648', '2147483648'],
    ['9007199254740993', '9007199254740993'],
    ['9223372036854775807', '9223372036854775807'],
    ['-9223372036854775808', '-9223372036854775808'],
    ['1.0', '1'],
    ['1e2', '100'],
    ['1E-7', '1e-7'],
    ['9007199254740993.0', '9.007199254740992e+15'],
    ['""', '""'],
    ['"a\\/b"', '"a/b"'],
    ['"\\u0041\\u00e9\\ud83d\\ude00"', '"Aé😀"'],
    ['"\\b\\f\\n\\r\\t\\"\\\\\\u0000\\u001f"', '"\\b\\f\\n\\r\\t\\"\\\\\\u0000\\u001f"'],
    ['"\u007f"', '"\u007f"'],
    ['[]', '[]'],
    ['{}', '{}'],
    ['[1,[2,[]],{"a":{}}]', '[1, [2, []], {"a": {}}]'],
    ['{"b":1,"a":2,"":3}', '{"b": 1, "a": 2, "": 3}'],
    ['{"a":1,"b":2,"a":3}', '{"a": 3, "b": 2}'],
    ['{"a":1,"\\u0061":2}', '{"a": 2}'],
    ['{"x":{"a":1,"a":[5]},"x":{"y":0,"y":1,"z":2}}', '{"x": {"y": 1, "z": 2}}'],
    [`"${'é'.repeat(200)}"`, `"${'é'.repeat(200)}"`],
    [`{"${'k'.repeat(300)}":1}`, `{"${'k'.repeat(300)}": 1}`],
  ]; // prettier-ignore
  for (const [text, expected] of cases) it(text.slice(0, 50), () => assert.equal(roundTrip(text), expected));

  const wrong: [string, string][] = [
    ['', 'offset 0: expected a value but found the end'],
    ['nul', "offset 0: expected a value but found 'n'"],
    ['1 2', "offset 2: expected the end but found '2'"],
    ['[1,]', "offset 3: expected a value but found ']'"],
    ['[1 2]', "offset 3: expected ',' or ']' but found '2'"],
    ['{"a"}', "offset 4: expected ':' but found '}'"],
    ['{"a":1,}', "offset 7: expected a key in double quotes but found '}'"],
    ['{a:1}', "offset 1: expected a key in double quotes but found 'a'"],
    ['01', 'offset 0: malformed number'],
    ['-', 'offset 0: malformed number'],
    ['1.', 'offset 0: malformed number'],
    ['.5', "offset 0: expected a value but found '.'"],
    ['1e', 'offset 0: malformed number'],
    ['+1', "offset 0: expected a value but found '+'"],
    ['9223372036854775808', 'offset 0: the number is out of range'],
    ['-9223372036854775809', 'offset 0: the number is out of range'],
    ['1e400', 'offset 0: the number is out of range'],
    ['"a', 'offset 0: the string does not end'],
    ['"\\', 'offset 0: the string does not end'],
    ['"\\x"', 'offset 1: unknown escape in a string'],
    ['"\\u12"', 'offset 1: malformed \\u escape'],
    ['"\\ud800x"', 'offset 1: half a surrogate pair'],
    ['"\\udc00"', 'offset 1: half a surrogate pair'],
    ['"\\ud800\\u0041"', 'offset 1: half a surrogate pair'],
    ['"\n"', 'offset 1: a control character in a string must be escaped'],
    ['\u0000', 'offset 0: expected a value but found byte 0'],
    ["'a'", "offset 0: expected a value but found '''"],
    ['é', "offset 0: expected a value but found 'é'"],
  ]; // prettier-ignore
  for (const [text, message] of wrong) {
    it(`not ${JSON.stringify(text)}`, () => {
      assert.throws(() => jsonFromText(text), { code: 'invalid_json', message: `invalid JSON at ${message}` });
    });
  }

  it('200 levels, not 201', () => {
    assert.equal(roundTrip('['.repeat(200) + ']'.repeat(200)), '['.repeat(200) + ']'.repeat(200));
    assert.throws(() => jsonFromText('{"a":'.repeat(201)), { code: 'limit_exceeded' });
  });

  it('keeps what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5, stringUnit: 'binary' }), (text) => {
        fc.pre(!/[0-9]{19}/.test(text));
        const expected: unknown = JSON.parse(text);
        assert.deepEqual(JSON.parse(roundTrip(text)), JSON.parse(JSON.stringify(expected)));
      }),
      { numRuns: 500 },
    );
  });

  it('invalid bytes give an SqlError or a value', () => {
    const start = encoder.encode('{"a":[1,-2.5e3,"x\\u00e9é",null,true],"b":{"a":false}}');
    const writer = new JsonWriter(16);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(start.length - 1), fc.nat(255)), { maxLength: 3 }),
        fc.nat(start.length),
        (changes, length) => {
          const bytes = start.slice(0, length);
          for (const [at, byte] of changes) if (at < length) bytes[at] = byte;
          writer.start();
          try {
            parseJson(bytes, 0, length, writer);
          } catch (error) {
            assert(error instanceof SqlError, String(error));
            return;
          }
          JSON.parse(jsonToText(writer.bytes));
        },
      ),
      { numRuns: 3000 },
    );
  });
});

describe('reading binary JSON', () => {
  it('finds keys and elements in short and long containers', () => {
    for (const count of [0, 1, 15, 16, 17, 300]) {
      const keys = Array.from({ length: count }, (_, i) => `k${(i * 7919) % 1000}`);
      const object = JSON.stringify(Object.fromEntries(keys.map((key, i) => [key, [i]])));
      const array = JSON.stringify(keys);
      keys.forEach((key, i) => {
        assert.equal(member(object, key), `[${i}]`);
        assert.equal(element(array, i), `"${key}"`);
      });
      assert.equal(member(object, 'k'), undefined);
      assert.equal(member(object, 'zz'), undefined);
      assert.equal(element(array, count), undefined);
      assert.equal(element(array, -1), undefined);
    }
  });

  it('long objects with a key twice', () => {
    const keys = Array.from({ length: 100 }, (_, i) => `k${i % 40}`);
    const text = `{${keys.map((key, i) => `"${key}":${i}`).join(',')}}`;
    const expected = Object.entries(JSON.parse(text) as object).map(([key, value]) => `"${key}": ${value}`);
    assert.equal(roundTrip(text), `{${expected.join(', ')}}`);
    assert.equal(member(text, 'k5'), '85');
    assert.equal(member(text, 'k39'), '79');
  });

  it('gives nothing for other kinds of values', () => {
    assert.equal(member('[1]', 'a'), undefined);
    assert.equal(member('"a"', 'a'), undefined);
    assert.equal(element('{"a":1}', 0), undefined);
    assert.equal(element('null', 0), undefined);
  });
});

describe('comparing', () => {
  const cases: [string, string, boolean][] = [
    ['1', '1.0', true],
    ['1', '1.5', false],
    ['9007199254740993', '9007199254740992.0', false],
    ['-0.0', '0', true],
    ['null', 'null', true],
    ['null', 'false', false],
    ['"a"', '"a"', true],
    ['"a"', '"ab"', false],
    ['[1,2]', '[1,2.0]', true],
    ['[1,2]', '[2,1]', false],
    ['[]', '{}', false],
    ['{"a":1,"b":[2]}', '{"b":[2],"a":1}', true],
    ['{"a":1}', '{"a":2}', false],
    ['{"a":1}', '{"b":1}', false],
    ['{"a":1}', '{"a":1,"b":null}', false],
    ['300', '300', true],
    ['9223372036854775807', '9223372036854775807', true],
    ['9223372036854775807', '9223372036854775808.0', false],
  ]; // prettier-ignore
  for (const [a, b, expected] of cases) {
    it(`${a} = ${b}`, () => {
      assert.equal(jsonEquals(jsonFromText(a), 0, jsonFromText(b), 0), expected);
      assert.equal(jsonEquals(jsonFromText(b), 0, jsonFromText(a), 0), expected);
    });
  }
});

it('pretty text has object members on lines of their own, arrays on one line', () => {
  const pretty = (text: string): string => {
    const writer = new ByteWriter(1);
    writeJson(writer, jsonFromText(text), 0, 0);
    return decodeUtf8(writer.bytes, 0, writer.length);
  };
  assert.equal(pretty('[1,{}]'), '[1, {}]');
  assert.equal(
    pretty('{"a":1,"b":{"c":[1,{"d":2}]},"e":[]}'),
    '{\n  "a": 1,\n  "b": {\n    "c": [1, {\n      "d": 2\n    }]\n  },\n  "e": []\n}',
  );
});
