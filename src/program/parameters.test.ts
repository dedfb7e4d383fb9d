import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createRegisters } from '../base/registers.ts';
import { getBig, setBig } from '../types/int64.ts';
import { BIGINT, BOOL, DOUBLE, TEXT, TIMESTAMP } from '../types/type.ts';
import { PARAMETER_BYTES, Parameters } from './parameters.ts';
import { testMemory } from './testing/table.ts';

const memory = testMemory();
const page = memory.allocate(1);
const registers = createRegisters(4);

function parameters(): Parameters {
  const made = new Parameters(memory);
  made.at(page >>> 16, (page & 0xffff) * 16384 + 10 * PARAMETER_BYTES);
  return made;
}

it('integers are exact in every form', () => {
  const [writer, reader] = [parameters(), parameters()];
  const edges = [0n, 1n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n].flatMap((value) => [
    value,
    -value,
  ]);
  edges.push(-(2n ** 63n));
  edges.forEach((value, index) => {
    setBig(registers, 0, value);
    writer.setInt(index, registers.num[0]!, registers.big[0]!);
    reader.load(index, registers, 1);
    assert.equal(getBig(registers, 1), value);
    assert.equal(Number.isNaN(registers.num[1]!), value > 2n ** 53n || value < -(2n ** 53n));
    writer.setRegister(index, registers, 0, TIMESTAMP);
    reader.load(index, registers, 2);
    assert.equal(getBig(registers, 2), value);
    assert.equal(reader.type(index), TIMESTAMP);
  });
});

it('other types, NULL, and cells of their own', () => {
  const [writer, reader] = [parameters(), parameters()];
  writer.setDouble(0, -0.5);
  writer.setBool(1, true);
  writer.setRef(2, 0xfffffff0, TEXT);
  writer.setNull(3);
  writer.setInt(4, 7, 0n);
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((index) => reader.type(index)),
    [DOUBLE, BOOL, TEXT, 0, BIGINT],
  ); // prettier-ignore
  assert.equal(reader.double(0), -0.5);
  assert.equal(reader.low(1), 1);
  assert.equal(reader.ref(2), 0xfffffff0);
  assert.deepEqual([reader.isNull(3), reader.isNull(4)], [true, false]);
  [0, 1, 2, 4].forEach((index, at) => void reader.load(index, registers, at));
  assert.deepEqual([...registers.num], [-0.5, 1, 0xfffffff0, 7]);
});
