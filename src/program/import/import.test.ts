import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { SqlError } from '../../base/errors.ts';
import type { TableDefinition } from '../../catalog/catalog.ts';
import {
  BIGINT,
  BOOL,
  DOUBLE,
  FLOAT,
  INT,
  JSON_TYPE,
  SMALLINT,
  TEXT,
  TIMESTAMP,
  TINYINT,
  UUID,
  VECTOR,
} from '../../types/type.ts';
import { BatchReader, freeBatch } from '../batch.ts';
import { BatchBuilder, type RowSource } from '../batch-builder.ts';
import { batchRows, column, table, testMemory } from '../testing/table.ts';
import { CsvRows, readCsvHeader } from './csv-rows.ts';
import { JsonRows } from './json-rows.ts';

const memory = testMemory();
const builder = new BatchBuilder(memory);
const encoder = new TextEncoder();

function load(definition: TableDefinition, columns: readonly number[], source: RowSource): unknown {
  builder.begin(definition, columns);
  try {
    source.fill(builder, 0);
  } catch (error) {
    builder.release();
    assert(error instanceof SqlError, String(error));
    return `${error.code}: ${error.message}`;
  }
  const ref = builder.finish();
  const reader = new BatchReader(memory);
  reader.open(ref);
  const rows = batchRows(memory, definition, reader);
  freeBatch(memory, ref);
  return rows;
}

const people = table(memory, [
  column('id', BIGINT),
  column('name', TEXT, { defaultValue: { kind: 'text', value: 'nobody' } }),
  column('doc', JSON_TYPE),
]);
const ids = table(memory, [column('id', BIGINT, { isIdentity: true })]);

type Body = string | Uint8Array;

function bytesOf(body: Body): Uint8Array {
  return typeof body === 'string' ? encoder.encode(body) : body;
}

function json(body: Body, definition: TableDefinition = people, columns?: readonly number[], isLines = false): unknown {
  // The body stands in the middle of a larger buffer, as it does behind the head of a request.
  const inner = bytesOf(body);
  const bytes = new Uint8Array(inner.length + 20).fill(34);
  bytes.set(inner, 10);
  const all = definition.columns.map((_, index) => index);
  return load(definition, columns ?? all, new JsonRows(bytes, 10, 10 + inner.length, isLines, columns !== undefined));
}

describe('JSON import', () => {
  const cases: [string, unknown][] = [
    ['[]', []],
    [
      ' [ [1, "a", null] , [2,"b",{"k":[1,2.5]}] ] ',
      [
        [1n, 'a', null],
        [2n, 'b', '{"k": [1, 2.5]}'],
      ],
    ],
    [
      '[{"id":1,"name":"a","doc":true},{"doc":null,"id":9223372036854775807}]',
      [
        [1n, 'a', 'true'],
        [2n ** 63n - 1n, 'nobody', null],
      ],
    ],
    ['[{"\\u0069d": -9223372036854775808, "name": "\\ud83d\\ude00\\n\\"\\/"}]', [[-(2n ** 63n), '😀\n"/', null]]],
    ['[[9007199254740993, "", []]]', [[9007199254740993n, '', '[]']]],
    ['[[1.0, "x", 1e2]]', [[1n, 'x', '100']]],
    ['[{}]', "not_null_violation: row 1, column 'id': the column cannot be NULL"],
    [
      '[[1,2,3]]',
      "type_mismatch: row 1, column 'name', offset 4: a value of type int does not go into a column of type text",
    ],
    [
      '[[1,"a",0],[1.5,"a",0]]',
      "invalid_value: row 2, column 'id', offset 12: the double 1.5 has a fraction and does not fit bigint",
    ],
    [
      '[[[1],"a",0]]',
      "type_mismatch: row 1, column 'id', offset 2: a value of type json (an array) does not go into a column of type bigint",
    ],
    ['[[1,"a"]]', 'invalid_value: row 1, offset 1: expected 3 values but found 2'],
    ['[[1,"a",0,5]]', 'invalid_value: row 1, offset 10: expected 3 values but found more'],
    ['[{"id":1,"nam":2}]', "unknown_column: row 1, offset 9: column 'nam' does not exist"],
    ['[{"id":1,"id":2}]', "duplicate_object: row 1, column 'id', offset 14: the column is named twice"],
    ['[5]', "invalid_json: row 1: invalid JSON at offset 1: expected an array or an object but found '5'"],
    ['', "invalid_json: row 1: invalid JSON at offset 0: expected '[' but found the end"],
    ['{"id":1}', "invalid_json: row 1: invalid JSON at offset 0: expected '[' but found '{'"],
    ['[[1,"a",0],]', "invalid_json: row 2: invalid JSON at offset 11: expected an array or an object but found ']'"],
    ['[[1,"a",0]', "invalid_json: row 2: invalid JSON at offset 10: expected ',' or ']' but found the end"],
    ['[[1,"a",0]] x', "invalid_json: row 2: invalid JSON at offset 12: expected the end but found 'x'"],
    ['[[1,"a,0]]', "invalid_json: row 1, column 'name': invalid JSON at offset 4: the string does not end"],
    ['[[01,"a",0]]', "invalid_json: row 1, column 'id': invalid JSON at offset 2: malformed number"],
    [
      '[[9223372036854775808,"a",0]]',
      "invalid_json: row 1, column 'id': invalid JSON at offset 2: the number is out of range",
    ],
    ['[[1,"\\ud800",0]]', "invalid_json: row 1, column 'name': invalid JSON at offset 5: half a surrogate pair"],
    ['[[1,"a",[nul]]]', "invalid_json: row 1, column 'doc': invalid JSON at offset 9: expected a value but found 'n'"],
    [
      '[[1,"a\nb",0]]',
      "invalid_json: row 1, column 'name': invalid JSON at offset 6: a control character in a string must be escaped",
    ],
    [`[[1,"a",${'['.repeat(201)}]]`, "limit_exceeded: row 1, column 'doc': JSON is nested deeper than 200 levels"],
  ]; // prettier-ignore
  for (const [body, expected] of cases) it(body.slice(0, 60), () => assert.deepEqual(json(body), expected));

  it('refuses invalid UTF-8', () => {
    const body = encoder.encode('[[1,"a?b",0]]');
    body[6] = 0xff;
    assert.equal(json(body), "invalid_json: row 1, column 'name': invalid JSON at offset 6: invalid UTF-8");
  });

  it('reads arrays and single values into named columns', () => {
    assert.deepEqual(json('[["a",1],["b",2]]', people, [1, 0]), [
      [1n, 'a', null],
      [2n, 'b', null],
    ]);
    assert.deepEqual(json('[7, [8]]', people, [0]), [
      [7n, 'nobody', null],
      [8n, 'nobody', null],
    ]);
    const documents = table(memory, [column('id', BIGINT, { isIdentity: true }), column('doc', JSON_TYPE)]);
    assert.deepEqual(json('[{"id":5}, [[1]], "x"]', documents, [1]), [
      [0n, '{"id": 5}'],
      [1n, '[1]'],
      [2n, '"x"'],
    ]);
    assert.equal(
      json('[{"id":5}]', people, [0, 1]),
      'invalid_value: row 1, offset 1: an object has no place here, as the request names its columns',
    );
  });

  it('reads rows without values', () => {
    assert.deepEqual(json('[[],[],[]]', ids, []), [[0n], [1n], [2n]]);
    assert.equal(json('[[1]]', ids, []), 'invalid_value: row 1, offset 2: expected 0 values but found more');
  });

  it('reads JSON Lines separated by any white space', () => {
    const body = '[1,"a",0]\n{"id":2}\r\n\n\t[3,"c",{"x":1}] {"id":4}';
    const rows = [
      [1n, 'a', '0'],
      [2n, 'nobody', null],
      [3n, 'c', '{"x": 1}'],
      [4n, 'nobody', null],
    ]; // prettier-ignore
    assert.deepEqual(json(body, people, undefined, true), rows);
    assert.deepEqual(json(' \n', people, undefined, true), []);
    assert.deepEqual(json('1 2\n3', ids, [0], true), [[1n], [2n], [3n]]);
    assert.equal(
      json('[1,"a",0]{"id":2}', people, undefined, true),
      "invalid_json: row 2: invalid JSON at offset 9: expected white space between rows but found '{'",
    );
  });

  it('agrees with JSON.parse', () => {
    const value = fc.jsonValue({ maxDepth: 4 });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.maxSafeInteger(), fc.string({ unit: 'binary' }), value)), (rows) => {
        // An integer beyond 64 bits is an error, and JSON.stringify writes whole doubles up to 1e21 as integers.
        fc.pre(!/[0-9]{19}/.test(JSON.stringify(rows)));
        const stored = json(JSON.stringify(rows, null, 1)) as [bigint, string, string | null][];
        assert.equal(stored.length, rows.length);
        stored.forEach(([id, name, doc], index) => {
          assert.equal(Number(id), rows[index]![0] + 0);
          assert.equal(name, rows[index]![1]);
          assert.deepEqual(withoutZeroSigns(JSON.parse(doc ?? 'null')), withoutZeroSigns(rows[index]![2]));
        });
      }),
      { numRuns: 200 },
    );
  });

  it('never fails otherwise than by an SqlError', () => {
    const start = encoder.encode('[{"id":1,"name":"\\u00e9","doc":[{"a":1.5e3},null,true]},[2,"x",{}]]');
    const change = fc.tuple(fc.nat(start.length - 1), fc.nat(255));
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 4 }),
        fc.nat(start.length),
        fc.boolean(),
        (changes, length, isLines) => {
          const bytes = start.slice(0, length);
          for (const [at, byte] of changes) if (at < length) bytes[at] = byte;
          json(bytes, people, undefined, isLines);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

/** JSON text has -0 where JSON.stringify wrote 0. */
function withoutZeroSigns(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

const mixed = table(memory, [
  column('id', INT),
  column('s', TEXT),
  column('d', DOUBLE),
  column('b', BOOL),
  column('j', JSON_TYPE),
  column('at', TIMESTAMP),
]);

function csv(body: Body, definition: TableDefinition = mixed, columns?: readonly number[]): unknown {
  const inner = bytesOf(body);
  const bytes = new Uint8Array(inner.length + 20).fill(10);
  bytes.set(inner, 10);
  const all = definition.columns.map((_, index) => index);
  return load(definition, columns ?? all, new CsvRows(bytes, 10, 10 + inner.length, 10));
}

describe('CSV import', () => {
  const cases: [string, unknown][] = [
    ['', []],
    ['1,abc,1.5,true,"{""a"": [1]}",1970-01-01 00:00:01Z', [[1n, 'abc', 1.5, 1n, '{"a": [1]}', 1000000n]]],
    [
      '1,,,,,\r\n-2,"",.5,0,null,\r\n',
      [
        [1n, null, null, null, null, null],
        [-2n, '', 0.5, 0n, 'null', null],
      ],
    ],
    ['1,"a,\r\nb ""q""",1e3,FALSE,"""t""",', [[1n, 'a,\r\nb "q"', 1000, 0n, '"t"', null]]],
    [
      '\n1,a,,,,\n\n2,b,,,,\n\n',
      [
        [1n, 'a', null, null, null, null],
        [2n, 'b', null, null, null, null],
      ],
    ],
    ['\uFEFF1,a,,,,', [[1n, 'a', null, null, null, null]]],
    ['1, a\tb ,,,,', [[1n, ' a\tb ', null, null, null, null]]],
    ['1,a', 'invalid_csv: row 1, offset 0: expected 6 fields but found 2'],
    ['1,a,,,,\n1,a,,,,,', 'invalid_csv: row 2, offset 8: expected 6 fields but found 7'],
    ['x,a,,,,', "invalid_value: row 1, column 'id', offset 0: invalid int 'x'"],
    ['1,a,,,,\n3000000000,a,,,,', "out_of_range: row 2, column 'id', offset 8: the int 3000000000 does not fit int"],
    ['1,a,x,,,', "invalid_value: row 1, column 'd', offset 4: invalid double 'x'"],
    ['1,a,1e999,,,', "out_of_range: row 1, column 'd', offset 4: double '1e999' is out of range"],
    ['1,a,,yes,,', "invalid_value: row 1, column 'b', offset 5: invalid bool 'yes'"],
    [
      '1,a,,,{,',
      "invalid_json: row 1, column 'j', offset 6: invalid JSON at offset 1: expected a key in double quotes but found the end",
    ],
    [
      '1,a,,,,2024-02-30',
      "invalid_value: row 1, column 'at', offset 7: invalid timestamp '2024-02-30' at 8: the month has 29 days",
    ],
    ['1,"a,,,,', 'invalid_csv: row 1, offset 2: the quotes do not end'],
    ['1,"a"b,,,,', 'invalid_csv: row 1, offset 5: expected a comma or the end of the line behind the quotes'],
    ['1,a"b,,,,', 'invalid_csv: row 1, offset 3: a quote inside a field without quotes'],
    [',a,,,,', "not_null_violation: row 1, column 'id', offset 0: the column cannot be NULL"],
  ]; // prettier-ignore
  for (const [body, expected] of cases)
    it(JSON.stringify(body).slice(0, 60), () => assert.deepEqual(csv(body), expected));

  it('refuses invalid UTF-8', () => {
    for (const quote of ['', '"']) {
      const body = encoder.encode(`1,${quote}ab${quote},,,,`);
      body[3 + quote.length] = 0xc0;
      assert.equal(csv(body), `invalid_csv: row 1, offset ${3 + quote.length}: invalid UTF-8`);
    }
  });

  it('an empty line is a row where there is one column or none', () => {
    const single = table(memory, [column('id', BIGINT, { isIdentity: true }), column('s', TEXT)]);
    assert.deepEqual(csv('a\n\n""\n', single, [1]), [
      [0n, 'a'],
      [1n, null],
      [2n, ''],
    ]); // prettier-ignore
    assert.deepEqual(csv('\n\r\n', single, []), [
      [3n, null],
      [4n, null],
    ]); // prettier-ignore
  });

  it('reads the header', () => {
    const read = (text: string): unknown => {
      const bytes = encoder.encode(text);
      return readCsvHeader(bytes, 0, bytes.length);
    };
    assert.deepEqual(read('id,"na,me"\r\n1,2'), { columns: ['id', 'na,me'], rowsStart: 12 });
    assert.deepEqual(read('\uFEFFid'), { columns: ['id'], rowsStart: 5 });
    assert.throws(() => read(''), { code: 'invalid_csv', message: 'invalid CSV: the header is missing' });
    assert.throws(() => read('a,,b\n'), { message: 'header, offset 2: a column name is empty' });
    assert.throws(() => read('a,a\n'), { message: "header, offset 2: column 'a' is named twice" });
  });

  it('reads back what was written', () => {
    const texts = table(memory, [column('a', TEXT), column('b', TEXT)]);
    const field = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom(',', '"', '\n', '\r', 'x') }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(field, field)), fc.constantFrom('\n', '\r\n'), (rows, lineEnd) => {
        const body = rows
          .map((cells) => cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(','))
          .join(lineEnd);
        assert.deepEqual(csv(body, texts), rows);
      }),
    );
  });

  it('never fails otherwise than by an SqlError', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(',', '"', '\n', '\r', '1', 'é', '{') }), (body) => void csv(body)),
      {
        numRuns: 2000,
      },
    );
    fc.assert(fc.property(fc.uint8Array(), (body) => void csv(body)));
  });
});

describe('import of narrow and binary columns', () => {
  const narrow = table(memory, [
    column('t', TINYINT),
    column('s', SMALLINT),
    column('n', BIGINT),
    column('f', FLOAT),
    column('u', UUID),
    column('v', VECTOR),
  ]);
  const columns = [0, 1, 2, 3, 4, 5];
  const uuid = '550e8400-e29b-41d4-a716-446655440000';
  const bytes = (body: string): Uint8Array => encoder.encode(body);
  const csv = (body: string): unknown => load(narrow, columns, new CsvRows(bytes(body), 0, bytes(body).length, 0));
  const json = (body: string): unknown =>
    load(narrow, columns, new JsonRows(bytes(body), 0, bytes(body).length, false, false));

  const csvCases: [string, unknown][] = [
    [
      `-128,32767,-9223372036854775808,0.1,${uuid},"[1, 0.1]"`,
      [[-128n, 32767n, -(2n ** 63n), Math.fround(0.1), uuid, '[1, 0.1]']],
    ],
    [
      `127,-32768,9007199254740993,16777217,{${uuid.toUpperCase()}},[]`,
      [[127n, -32768n, 2n ** 53n + 1n, 16777216, uuid, '[]']],
    ],
    ['0,0,9223372036854775807,1e-46,,[-0.0]', [[0n, 0n, 2n ** 63n - 1n, 0, null, '[-0]']]],
    ['1,,,,,', [[1n, null, null, null, null, null]]],
    ['1,,,,,null', [[1n, null, null, null, null, null]]],
    ['128,,,,,', "out_of_range: row 1, column 't', offset 0: the int 128 does not fit tinyint"],
    ['1,-32769,,,,', "out_of_range: row 1, column 's', offset 2: the int -32769 does not fit smallint"],
    [
      '1,,9223372036854775808,,,',
      "out_of_range: row 1, column 'n', offset 3: int '9223372036854775808' is out of range",
    ],
    ['1,,,3.5e38,,', "out_of_range: row 1, column 'f', offset 4: the double 3.5e+38 does not fit float"],
    ['1,,,,abc,', "invalid_value: row 1, column 'u', offset 5: invalid uuid 'abc'"],
    ['1,,,,"",', "invalid_value: row 1, column 'u', offset 5: invalid uuid ''"],
    [
      '1,,,,,"[1, ""a""]"',
      `invalid_value: row 1, column 'v', offset 6: json value [1, "a"] cannot be converted to vector`,
    ],
    [
      '1,,,,,[1',
      "invalid_json: row 1, column 'v', offset 6: invalid JSON at offset 2: expected ',' or ']' but found the end",
    ],
    ['1.5,,,,,', "invalid_value: row 1, column 't', offset 0: invalid int '1.5'"],
  ]; // prettier-ignore
  for (const [body, expected] of csvCases) it(`CSV ${body.slice(0, 50)}`, () => assert.deepEqual(csv(body), expected));

  const jsonCases: [string, unknown][] = [
    [
      `[[-128, 32767, -9223372036854775808, 0.1, "${uuid}", [1, 0.1]], {"v": [], "t": 1.0, "n": 9007199254740993}]`,
      [
        [-128n, 32767n, -(2n ** 63n), Math.fround(0.1), uuid, '[1, 0.1]'],
        [1n, null, 2n ** 53n + 1n, null, null, '[]'],
      ],
    ],
    ['[{"t": 5, "f": 3}]', [[5n, null, null, 3, null, null]]],
    ['[{"t": -129}]', "out_of_range: row 1, column 't', offset 7: the int -129 does not fit tinyint"],
    ['[{"s": 1e5}]', "out_of_range: row 1, column 's', offset 7: the int 100000 does not fit smallint"],
    [
      '[{"n": 9.3e18}]',
      "out_of_range: row 1, column 'n', offset 7: the double 9300000000000000000 does not fit bigint",
    ],
    ['[{"f": 1e39}]', "out_of_range: row 1, column 'f', offset 7: the double 1e+39 does not fit float"],
    [
      '[{"u": 5}]',
      "type_mismatch: row 1, column 'u', offset 7: a value of type int does not go into a column of type uuid",
    ],
    [
      '[{"v": "[1]"}]',
      "type_mismatch: row 1, column 'v', offset 7: a value of type string does not go into a column of type vector",
    ],
    [
      '[{"v": {"a": 1}}]',
      "type_mismatch: row 1, column 'v', offset 7: a value of type json (an object) does not go into a column of type vector",
    ],
    [
      '[{"v": [1, true]}]',
      "invalid_value: row 1, column 'v', offset 7: json value [1, true] cannot be converted to vector",
    ],
  ]; // prettier-ignore
  for (const [body, expected] of jsonCases)
    it(`JSON ${body.slice(0, 50)}`, () => assert.deepEqual(json(body), expected));
});
