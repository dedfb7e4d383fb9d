import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { Memory } from '../../base/memory.ts';
import { resolveFunction } from '../../functions/registry.ts';
import { jsonFromText, jsonToText } from '../../types/json.ts';
import { BIGINT, DOUBLE, TEXT } from '../../types/type.ts';
import { BareVm } from '../testing/bare-vm.ts';
import { textOf } from './bytes.ts';
import { integerText, writeInteger } from './integers.ts';
import { equalJson, hashJson } from './json-values.ts';

const memory = Memory.create({ limitBytes: 64 << 20, eagerArenas: false });
const vm = new BareVm(memory);

function text(value: string): number {
  return vm.workspace.text(new TextEncoder().encode(value));
}

function json(value: string): number {
  return vm.workspace.text(jsonFromText(value));
}

/** The text of the json in a register. */
function jsonOf(register: number): string {
  const ref = vm.num[register]!;
  return jsonToText(memory.u8[ref >>> 26]!, ((ref & 0x3ffffff) << 4) + 4);
}

/** Runs the code; the text in register 0, null for NULL, or the code of the error. */
function run(source: string, show: () => string = () => textOf(memory, vm.num[0]!)): string | null {
  try {
    vm.assemble(source);
  } catch (error) {
    return `${(error as { code: string }).code}: ${(error as Error).message}`;
  }
  return vm.nul[0] === 1 ? null : show();
}

const asInteger = (): string => integerText(vm.num, vm.big, 0);
const asNumber = (): string => String(vm.num[0]);

test('concat', () => {
  for (const [left, right] of [
    ['', ''],
    ['a', ''],
    ['', 'b'],
    ['foo', 'bär'],
    ['x'.repeat(100), 'y'.repeat(70)],
  ] as const) {
    vm.num[1] = text(left);
    vm.num[2] = text(right);
    assert.equal(run('concat 0 1 2'), left + right);
  }
});

test('like', () => {
  for (const [value, pattern, matches] of [
    ['abc', 'a%', 1],
    ['abc', '_b_', 1],
    ['abc', 'b%', 0],
    ['a%c', 'a\\%c', 1],
    ['', '%', 1],
    ['für', 'f_r', 1],
  ] as const) {
    vm.num[1] = text(value);
    vm.num[2] = text(pattern);
    assert.equal(run('like 0 1 2', asNumber), String(matches), `${value} like ${pattern}`);
  }
});

const DOCUMENT =
  '{"a": 1, "b": {"c": [10, 20, "x"]}, "n": null, "big": 9223372036854775807, "d": -2.5, "t": true, "s": "text", "when": "2031-07-04 09:08:07Z"}';

test('reading JSON by key and index; casts of what was read', () => {
  const read = (key: string): void => {
    vm.num[1] = json(DOCUMENT);
    vm.num[2] = text(key);
  };
  const jsonText = (): string => jsonOf(0);
  read('b');
  assert.equal(run('json_key 0 1 2', jsonText), '{"c": [10, 20, "x"]}');
  vm.num[4] = text('c');
  assert.equal(run('json_key 3 1 2\njson_key 3 3 4\nload_int 5 1\njson_index 0 3 5', jsonText), '20');
  for (const index of [3, -1, 2_000_000_000]) {
    assert.equal(run(`json_key 3 1 2\njson_key 3 3 4\nload_int 5 ${index}\njson_index 0 3 5`, jsonText), null);
  }
  read('missing');
  assert.equal(run('json_key 0 1 2', jsonText), null);
  const cast = (key: string, op: string, show?: () => string): string | null => {
    read(key);
    return run(`json_key 0 1 2\n${op} 0 0`, show);
  };
  assert.equal(cast('a', 'json_to_int', asInteger), '1');
  assert.equal(cast('big', 'json_to_int', asInteger), '9223372036854775807');
  assert.equal(cast('d', 'json_to_int', asInteger), '-2');
  assert.equal(cast('n', 'json_to_int', asInteger), null);
  assert.equal(cast('s', 'json_to_int', asInteger), 'invalid_value: json value "text" cannot be converted to int');
  assert.equal(cast('a', 'json_to_double', asNumber), '1');
  assert.equal(cast('big', 'json_to_double', asNumber), '9223372036854776000');
  assert.equal(cast('d', 'json_to_double', asNumber), '-2.5');
  assert.equal(cast('n', 'json_to_double', asNumber), null);
  assert.match(cast('t', 'json_to_double', asNumber)!, /^invalid_value/);
  assert.equal(cast('t', 'json_to_bool', asNumber), '1');
  assert.equal(cast('n', 'json_to_bool', asNumber), null);
  assert.match(cast('a', 'json_to_bool', asNumber)!, /^invalid_value/);
  assert.equal(cast('s', 'json_to_text'), 'text');
  assert.equal(cast('n', 'json_to_text'), null);
  assert.equal(cast('b', 'json_to_text'), '{"c": [10, 20, "x"]}');
  // 2031-07-04 is day 22464 of 1970 …
  assert.equal(
    cast('when', 'json_to_timestamp', asInteger),
    String((22464 * 86400 + 9 * 3600 + 8 * 60 + 7) * 1_000_000),
  );
  assert.equal(cast('n', 'json_to_timestamp', asInteger), null);
  assert.equal(cast('a', 'json_to_timestamp', asInteger), '1');
  assert.match(cast('t', 'json_to_timestamp', asInteger)!, /^invalid_value/);
});

test('building JSON', () => {
  const make = (source: string): string | null => run(source, () => jsonOf(0));
  writeInteger(vm.num, vm.big, 1, -(2n ** 63n));
  assert.equal(make(`to_json 0 1 ${BIGINT}`), '-9223372036854775808');
  vm.num[1] = 0.1;
  assert.equal(make(`to_json 0 1 ${DOUBLE}`), '0.1');
  vm.num[1] = 1;
  assert.equal(make('to_json 0 1 1'), 'true');
  vm.num[1] = text('say "hi"');
  assert.equal(make(`to_json 0 1 ${TEXT}`), '"say \\"hi\\""');
  assert.equal(make('text_to_json 0 1'), '"say \\"hi\\""');
  vm.num[1] = 22464 * 86400 * 1_000_000;
  assert.equal(make('to_json 0 1 10'), '"2031-07-04 00:00:00+00"');
  assert.equal(make(`set_null 1\nto_json 0 1 ${TEXT + 256}`), 'null');
  assert.equal(make('to_json 0 1 0'), 'null');
  vm.num[1] = json('[1, {"a": 2}]');
  vm.num[2] = json('[]');
  vm.num[3] = json('[null]');
  assert.equal(make('json_concat 0 1 2\njson_concat 0 0 3'), '[1, {"a": 2}, null]');
  vm.num[2] = json('3');
  assert.match(make('json_concat 0 1 2')!, /^invalid_value/);
  vm.num[3] = json('null');
  assert.equal(make('json_array 0 1 3'), '[[1, {"a": 2}], 3, null]');
  assert.equal(make('json_array 0 1 0'), '[]');
  vm.num[1] = text('b');
  vm.num[2] = json('3');
  vm.num[3] = text('a');
  vm.num[4] = json('"x"');
  assert.equal(make('json_object 0 1 2'), '{"b": 3, "a": "x"}');
  vm.num[3] = text('b');
  assert.equal(make('json_object 0 1 2'), '{"b": "x"}');
  const long = Array.from({ length: 100 }, (_, i) => i);
  vm.num[1] = json(JSON.stringify(long));
  assert.deepEqual(JSON.parse(make('json_concat 0 1 1')!), [...long, ...long]);
});

test('JSON equality and hash agree: numbers by value, objects without order', () => {
  const equal = [
    ['1', '1.0'],
    ['9007199254740992', '9007199254740992.0'],
    ['{"a": 1, "b": [2]}', '{"b": [2.0], "a": 1}'],
    ['"x"', '"x"'],
    ['null', 'null'],
  ];
  const different = [
    ['1', '2'],
    ['1', '"1"'],
    ['true', 'false'],
    ['[1, 2]', '[2, 1]'],
    ['{"a": 1}', '{"a": 1, "b": 1}'],
    ['{"a": 1}', '{"b": 1}'],
    ['9007199254740993', '9007199254740992.0'],
    ['null', 'false'],
  ];
  for (const [left, right] of equal) {
    assert.ok(equalJson(memory, json(left!), json(right!)), `${left} = ${right}`);
    assert.equal(hashJson(memory, json(left!)), hashJson(memory, json(right!)), `${left} = ${right}`);
  }
  for (const [left, right] of different)
    assert.ok(!equalJson(memory, json(left!), json(right!)), `${left} <> ${right}`);
  vm.num[1] = json('{"a": 1}');
  vm.num[2] = json('{"a": 1.0}');
  assert.equal(run('eq_json 0 1 2', asNumber), '1');
  assert.equal(run('ne_json 0 1 2', asNumber), '0');
});

test('casts between text and other types', () => {
  writeInteger(vm.num, vm.big, 1, -(2n ** 63n));
  assert.equal(run('int_to_text 0 1'), '-9223372036854775808');
  vm.num[1] = 0.30000000000000004;
  assert.equal(run('double_to_text 0 1'), '0.30000000000000004');
  vm.num[1] = 0;
  assert.equal(run('bool_to_text 0 1'), 'false');
  vm.num[1] = 22464 * 86400 * 1_000_000 + 500_000;
  assert.equal(run('timestamp_to_text 0 1'), '2031-07-04 00:00:00.500+00');
  const cast = (op: string, value: string, show: () => string): string | null => {
    vm.num[1] = text(value);
    return run(`${op} 0 1`, show);
  };
  assert.equal(cast('text_to_int', '9223372036854775807', asInteger), '9223372036854775807');
  assert.match(cast('text_to_int', '12x', asInteger)!, /^invalid_value.*12x/);
  assert.equal(cast('text_to_double', '1.5e3', asNumber), '1500');
  assert.match(cast('text_to_double', 'no', asNumber)!, /^invalid_value/);
  assert.equal(cast('text_to_bool', 'true', asNumber), '1');
  assert.equal(cast('text_to_bool', 'FALSE', asNumber), '0');
  assert.match(cast('text_to_bool', 'maybe', asNumber)!, /^invalid_value.*maybe/);
  assert.equal(cast('text_to_timestamp', '2031-07-04', asNumber), String(22464 * 86400 * 1_000_000));
  assert.equal(cast('text_to_timestamp', '0001-01-01 00:00:00', asInteger), '-62135596800000000');
});

test('int_to_timestamp takes the years 1 to 9999', () => {
  const convert = (value: bigint): string | null => {
    writeInteger(vm.num, vm.big, 1, value);
    return run('int_to_timestamp 0 1', asInteger);
  };
  assert.equal(convert(-62135596800000000n), '-62135596800000000');
  assert.match(convert(-62135596800000001n)!, /^out_of_range/);
  assert.equal(convert(253402300799999999n), '253402300799999999');
  assert.match(convert(253402300800000000n)!, /^out_of_range/);
});

test('call', () => {
  const lower = resolveFunction('lower', [TEXT]);
  assert.ok(typeof lower === 'object');
  vm.num[2] = text('ABC');
  assert.equal(run(`call 0 ${lower.functionIndex} 2`), 'abc');
});
