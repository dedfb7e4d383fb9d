import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ByteWriter } from '../base/byte-writer.ts';
import { Memory } from '../base/memory.ts';
import { createRegisters } from '../base/registers.ts';
import { Scratch } from '../base/scratch.ts';
import { setBig } from './int64.ts';
import { jsonFromText } from './json.ts';
import { formatFlags, RowFormat } from './result-format.ts';
import { timeZone } from './time-zone.ts';
import { BIGINT, BOOL, DOUBLE, JSON_TYPE, NULL_TYPE, TEXT, TIMESTAMP } from './type.ts';
import { decodeUtf8 } from './utf8.ts';

const memory = Memory.create({ limitBytes: 1 << 20, eagerArenas: false });
const scratch = new Scratch(memory);
const registers = createRegisters(8);
setBig(registers, 0, -(2n ** 63n));
registers.num[1] = 0.5;
registers.num[2] = 1;
registers.num[3] = scratch.text(new TextEncoder().encode('say "é"\n'));
registers.num[4] = scratch.text(jsonFromText('{"k": [1, {"x": null}]}'));
registers.num[5] = 1e6;
registers.nul[6] = 1;

const COLUMNS = [
  { name: 'i', type: BIGINT, isNullable: false },
  { name: 'd', type: DOUBLE, isNullable: true },
  { name: 'b', type: BOOL, isNullable: false },
  { name: 'te"xt', type: TEXT, isNullable: false },
  { name: 'j', type: JSON_TYPE, isNullable: false },
  { name: 'at', type: TIMESTAMP, isNullable: false },
  { name: 'n', type: TEXT, isNullable: true },
  { name: 'z', type: NULL_TYPE, isNullable: false },
];

function row(format: string, columns: typeof COLUMNS = COLUMNS, first: number = 0): string {
  const writer = new ByteWriter(1);
  new RowFormat(columns, formatFlags(format)).writeRow(writer, memory, registers, first, timeZone('Europe/Berlin'));
  return decodeUtf8(writer.bytes, 0, writer.length);
}

it('json-array: one column bare, several as an array', () => {
  const text =
    '[-9223372036854775808, 0.5, true, "say \\"é\\"\\n", {"k": [1, {"x": null}]}, "1970-01-01 01:00:01+01", null, null]';
  assert.equal(row('json'), text);
  assert.equal(row('json-array'), text);
  assert.equal(row('json', COLUMNS.slice(0, 1)), '-9223372036854775808');
  assert.equal(row('json', COLUMNS.slice(6, 7), 6), 'null');
});

it('json-obj: an object', () => {
  assert.equal(row('json-obj', COLUMNS.slice(1, 4), 1), '{"d": 0.5, "b": true, "te\\"xt": "say \\"é\\"\\n"}');
});

it('pretty', () => {
  assert.equal(row('json-pretty', COLUMNS.slice(4, 5), 4), '{\n  "k": [1, {\n    "x": null\n  }]\n}');
  const text =
    '{\n  "b": true,\n  "te\\"xt": "say \\"é\\"\\n",\n  "j": {\n    "k": [1, {\n      "x": null\n    }]\n  }\n}';
  assert.equal(row('json-obj-pretty', COLUMNS.slice(2, 5), 2), text);
  assert.equal(row('json-pretty-obj', COLUMNS.slice(2, 5), 2), text);
});

it('unknown formats are refused', () => {
  for (const format of ['', 'xml', 'json-', 'json-array-obj', 'JSON', 'pretty', 'json-pretty-x']) {
    assert.throws(() => formatFlags(format), { code: 'unknown_format', message: `unknown format '${format}'` });
  }
});
