import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ByteWriter } from '../base/byte-writer.ts';
import { SqlError } from '../base/errors.ts';
import {
  NUMBER_BIG,
  parseDouble,
  parseInteger,
  shortestOfFloat,
  writeDouble,
  writeFloat,
  writeInt,
} from './number-text.ts';
import { decodeUtf8 } from './utf8.ts';

const encoder = new TextEncoder();

function written(write: (writer: ByteWriter) => void): string {
  const writer = new ByteWriter(1);
  write(writer);
  return decodeUtf8(writer.bytes, 0, writer.length);
}

/** The value, or code and message of the error. */
function outcome(parse: () => unknown): unknown {
  try {
    return parse();
  } catch (error) {
    assert(error instanceof SqlError, String(error));
    return `${error.code}: ${error.message}`;
  }
}

function integer(text: string): unknown {
  const bytes = encoder.encode(text);
  return outcome(() => {
    const value = parseInteger(bytes, 0, bytes.length);
    return Number.isNaN(value) ? NUMBER_BIG[0] : value;
  });
}

function double(text: string): unknown {
  const bytes = encoder.encode(text);
  return outcome(() => parseDouble(bytes, 0, bytes.length));
}

describe('reading integers', () => {
  const cases: [string, unknown][] = [
    ['0', 0],
    ['-0', 0],
    ['+5', 5],
    [' 42\t', 42],
    ['007', 7],
    ['-0012', -12],
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', 9007199254740992],
    ['9007199254740993', 9007199254740993n],
    ['-9007199254740992', -9007199254740992],
    ['-9007199254740993', -9007199254740993n],
    ['9223372036854775807', 9223372036854775807n],
    ['-9223372036854775808', -9223372036854775808n],
    ['00000000000000000000009', 9],
    ['-00009223372036854775808', -9223372036854775808n],
    ['9223372036854775808', "out_of_range: int '9223372036854775808' is out of range"],
    ['-9223372036854775809', "out_of_range: int '-9223372036854775809' is out of range"],
    ['99999999999999999999999', "out_of_range: int '99999999999999999999999' is out of range"],
    ['', "invalid_value: invalid int ''"],
    ['12x', "invalid_value: invalid int '12x'"],
    ['1.0', "invalid_value: invalid int '1.0'"],
    ['1e3', "invalid_value: invalid int '1e3'"],
    ['-', "invalid_value: invalid int '-'"],
    ['+-1', "invalid_value: invalid int '+-1'"],
    ['--1', "invalid_value: invalid int '--1'"],
    ['1 2', "invalid_value: invalid int '1 2'"],
    ['x'.repeat(100), `invalid_value: invalid int '${'x'.repeat(80)}…'`],
  ]; // prettier-ignore
  for (const [text, expected] of cases) it(JSON.stringify(text), () => assert.deepEqual(integer(text), expected));
});

describe('reading doubles', () => {
  const cases: [string, unknown][] = [
    ['0', 0],
    ['-0', -0],
    ['1.5', 1.5],
    ['.5', 0.5],
    ['5.', 5],
    ['+5e-1', 0.5],
    ['1E3', 1000],
    [' 2 ', 2],
    ['9007199254740993', 9007199254740992],
    ['9007199254740993.0', 9007199254740992],
    ['123456789012345678', 123456789012345680],
    ['0.1', 0.1],
    ['1e23', 1e23],
    ['5e-324', 5e-324],
    ['2e-324', 0],
    ['2.2250738585072011e-308', 2.225073858507201e-308],
    ['1.7976931348623157e308', Number.MAX_VALUE],
    ['179769313486231580793e289', "out_of_range: double '179769313486231580793e289' is out of range"],
    ['0.000000000000000000000000000001', 1e-30],
    ['1e99999999999', "out_of_range: double '1e99999999999' is out of range"],
    ['1e-99999999999', 0],
    ['', "invalid_value: invalid double ''"],
    ['.', "invalid_value: invalid double '.'"],
    ['1e', "invalid_value: invalid double '1e'"],
    ['nan', "invalid_value: invalid double 'nan'"],
    ['Infinity', "invalid_value: invalid double 'Infinity'"],
    ['0x10', "invalid_value: invalid double '0x10'"],
  ]; // prettier-ignore
  for (const [text, expected] of cases) {
    it(text, () => assert.deepEqual(double(text), expected));
  }

  it('rounds as the runtime does', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.nat(25), (value, precision) => {
        for (const text of [
          String(value),
          value.toExponential(Math.min(precision, 20)),
          value.toFixed(Math.min(precision, 20)),
        ]) {
          const expected = Number(text);
          const outside = `out_of_range: double '${text}' is out of range`;
          assert.equal(double(text), Number.isFinite(expected) ? expected : outside);
        }
      }),
    );
  });
});

describe('writing', () => {
  it('integers', () => {
    for (const value of [
      0, 7, -1, 10, 99, 100, 999999999, 1000000000, -1000000001, 4294967296, 9007199254740992, -9007199254740992,
    ]) {
      assert.equal(
        written((writer) => writeInt(writer, value, 0n)),
        String(value),
      ); // prettier-ignore
    }
    assert.equal(
      written((writer) => writeInt(writer, Number.NaN, -(2n ** 63n))),
      '-9223372036854775808',
    );
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => written((writer) => writeInt(writer, value, 0n)) === String(value)),
    );
  });

  it('doubles in the shortest form', () => {
    const cases: [number, string][] = [
      [0.1, '0.1'],
      [1 / 3, '0.3333333333333333'],
      [2, '2'],
      [-0, '-0'],
      [1e21, '1e+21'],
      [123456789012345680000, '1.2345678901234568e+20'],
      [5e-324, '5e-324'],
      [Number.MAX_VALUE, '1.7976931348623157e+308'],
      [2 ** 53 + 2, '9.007199254740994e+15'],
      [1e-7, '1e-7'],
      [0.30000000000000004, '0.30000000000000004'],
    ]; // prettier-ignore
    for (const [value, text] of cases)
      assert.equal(
        written((writer) => writeDouble(writer, value)),
        text,
      ); // prettier-ignore
  });

  it('doubles as the runtime does', () => {
    const decimal = fc.tuple(fc.maxSafeInteger(), fc.nat(8)).map(([digits, places]) => digits / 10 ** places);
    fc.assert(
      fc.property(fc.oneof(decimal, fc.double({ noNaN: true, noDefaultInfinity: true })), (value) => {
        fc.pre(value !== 0);
        assert.equal(
          written((writer) => writeDouble(writer, value)),
          Math.abs(value) < 2 ** 53 ? String(value) : value.toExponential(),
        );
      }),
      { numRuns: 5000 },
    );
  });

  it('floats in the shortest form of 32 bits', () => {
    const cases: [number, string][] = [
      [0.1, '0.1'],
      [16777216, '16777216'],
      [3.4028234663852886e38, '3.4028235e+38'],
      [1.17549435e-38, '1.1754944e-38'],
      [0.333333343, '0.33333334'],
      // Less than six digits are enough below 2^-126.
      [1e-45, '1e-45'],
      [1.2e-44, '1.3e-44'],
      [5.877e-39, '5.877e-39'],
      // Below a power of two floats are twice as dense: the nearest decimal of eight digits does not read back, the next does.
      [2 ** -96, '1.2621775e-29'],
      [2 ** 87, '1.5474251e+26'],
      // Half way between two decimals of eight digits: the even one.
      [2097152.25, '2097152.2'],
      [259962.125, '259962.12'],
      [0.000244140625, '0.00024414062'],
    ]; // prettier-ignore
    for (const [value, text] of cases)
      assert.equal(
        written((writer) => writeFloat(writer, Math.fround(value))),
        text,
      ); // prettier-ignore
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        assert.equal(Math.fround(Number(written((writer) => writeFloat(writer, value)))), value);
        // No decimal with a digit less reads back.
        const digits = shortestOfFloat(value).toExponential().replace(/e.*/, '').replace(/[-.]/g, '').length;
        for (let count = 1; count < digits; count++)
          assert.notEqual(Math.fround(Number(value.toPrecision(count))), value);
      }),
      { numRuns: 2000 },
    );
  });

  it('doubles so that they are no integers beyond 2^53', () => {
    const cases: [number, string][] = [
      [1, '1'],
      [2 ** 53 - 1, '9007199254740991'],
      [2 ** 53, '9.007199254740992e+15'],
      [-(2 ** 63), '-9.223372036854776e+18'],
      [1e20, '1e+20'],
      [1e21, '1e+21'],
      [0.1, '0.1'],
    ];
    for (const [value, text] of cases)
      assert.equal(
        written((writer) => writeDouble(writer, value)),
        text,
      );
  });
});
