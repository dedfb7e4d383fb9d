/** Family 9: uuids, vectors, floats. Vectors are read in place (types/vector.ts); what is made is a temporary in vm.scratch. */

import { SqlError } from '../../base/errors.ts';
import { JSON_NULL } from '../../types/json/binary.ts';
import { parseJson } from '../../types/json/parse.ts';
import { writeFloat } from '../../types/number-text.ts';
import { compareUuids, equalUuids, parseUuid, UUID_BYTES, writeUuid } from '../../types/uuid.ts';
import {
  appendJsonElements,
  compareVectors,
  dimensions,
  ELEMENT_BYTES,
  floatIndex,
  writeVector,
} from '../../types/vector.ts';
import { commonSize } from '../../types/vector-distance.ts';
import { byteLengthOf } from './bytes.ts';
import { holds } from './comparison.ts';
import { integerText, zeroDivision } from './integers.ts';
import { unknownOpcode } from './interpreter.ts';
import type { Vm } from './vm.ts';

export function runUuidsAndVectors(vm: Vm, op: number, a: number, b: number, c: number): void {
  const { num, memory } = vm;
  switch (op) {
    case 576: // eq_uuid
      num[a] = equalUuids(memory, num[b], num[c]) ? 1 : 0;
      return;
    case 577: // ne_uuid
      num[a] = equalUuids(memory, num[b], num[c]) ? 0 : 1;
      return;
    case 578: // lt_uuid
      num[a] = compareUuids(memory, num[b], num[c]) < 0 ? 1 : 0;
      return;
    case 579: // le_uuid
      num[a] = compareUuids(memory, num[b], num[c]) <= 0 ? 1 : 0;
      return;
    case 580: // gt_uuid
      num[a] = compareUuids(memory, num[b], num[c]) > 0 ? 1 : 0;
      return;
    case 581: // ge_uuid
      num[a] = compareUuids(memory, num[b], num[c]) >= 0 ? 1 : 0;
      return;
    case 582: // cmp_vector
      num[a] = holds(compareVectors(memory, num[b], num[b + 1]), c) ? 1 : 0;
      return;
    case 583: // text_to_uuid
      textToUuid(vm, a, b);
      return;
    case 584: // uuid_to_text
      vm.text.length = 0;
      writeUuid(vm.text, memory.u8[num[b] >>> 26], (num[b] & 0x3ffffff) << 4);
      storeText(vm, a);
      return;
    case 585: // float_to_text
      vm.text.length = 0;
      writeFloat(vm.text, num[b]);
      storeText(vm, a);
      return;
    case 586: // vector_to_text
      vm.text.length = 0;
      writeVector(vm.text, memory, num[b]);
      storeText(vm, a);
      return;
    case 587: // text_to_vector
      textToVector(vm, a, b);
      return;
    case 588: // json_to_vector
      jsonToVector(vm, a, b);
      return;
    case 589: // make_vector
      makeVector(vm, a, b, c);
      return;
    case 590: // vector_element
      num[a] = element(vm, b, c);
      return;
    case 591: // vector_arithmetic
      computeVector(vm, a, b, c);
      return;
    default:
      throw unknownOpcode(op);
  }
}

function storeText(vm: Vm, register: number): void {
  vm.num[register] = vm.scratch.text(vm.text.bytes, 0, vm.text.length);
}

function startOf(ref: number): number {
  return ((ref & 0x3ffffff) << 4) + 4;
}

function textToUuid(vm: Vm, d: number, text: number): void {
  const { memory } = vm;
  const ref = vm.num[text];
  const at = startOf(ref);
  const target = vm.scratch.allocate(UUID_BYTES);
  const bytes = memory.u8[target >>> 26];
  parseUuid(memory.u8[ref >>> 26], at, at + byteLengthOf(memory, ref), bytes, (target & 0x3ffffff) << 4);
  vm.num[d] = target;
}

/** The elements in vm.text become a vector. */
function storeElements(vm: Vm, register: number): void {
  vm.num[register] = vm.scratch.text(vm.text.bytes, 0, vm.text.length);
}

function textToVector(vm: Vm, d: number, text: number): void {
  const { memory } = vm;
  const ref = vm.num[text];
  const at = startOf(ref);
  vm.json.start();
  parseJson(memory.u8[ref >>> 26], at, at + byteLengthOf(memory, ref), vm.json);
  vm.text.length = 0;
  appendJsonElements(vm.text, vm.json.bytes, 0);
  storeElements(vm, d);
}

function jsonToVector(vm: Vm, d: number, json: number): void {
  const ref = vm.num[json];
  const bytes = vm.memory.u8[ref >>> 26];
  const isNull = bytes[startOf(ref)] === JSON_NULL;
  vm.nul[d] = isNull ? 1 : 0;
  if (isNull) return;
  vm.text.length = 0;
  appendJsonElements(vm.text, bytes, startOf(ref));
  storeElements(vm, d);
}

/** A vector of `count` elements that are not set yet. */
function allocateVector(vm: Vm, count: number): number {
  const ref = vm.scratch.allocate(4 + count * ELEMENT_BYTES);
  vm.memory.i32[ref >>> 26][(ref & 0x3ffffff) << 2] = count * ELEMENT_BYTES;
  return ref;
}

function makeVector(vm: Vm, d: number, first: number, count: number): void {
  const ref = allocateVector(vm, count);
  const floats = vm.memory.f32[ref >>> 26];
  const at = floatIndex(ref);
  for (let index = 0; index < count; index++) {
    const value = vm.num[first + index];
    floats[at + index] = value;
    if (!Number.isFinite(floats[at + index]))
      throw new SqlError('out_of_range', `double ${value} is out of range for an element of a vector`);
  }
  vm.num[d] = ref;
}

function element(vm: Vm, vector: number, index: number): number {
  const ref = vm.num[vector];
  const at = vm.num[index];
  const count = dimensions(vm.memory, ref);
  if (!(at >= 0 && at < count)) {
    const shown = integerText(vm.num, vm.big, index);
    throw new SqlError('out_of_range', `vector[${shown}] is out of range: the vector has ${elements(count)}`);
  }
  return vm.memory.f32[ref >>> 26][floatIndex(ref) + at];
}

/** `1 element`, `2 elements`. */
function elements(count: number): string {
  return count === 1 ? '1 element' : `${count} elements`;
}

const OPERATORS = ['+', '-', '*', '/'];

function computeVector(vm: Vm, d: number, first: number, operator: number): void {
  const { memory } = vm;
  const left = vm.num[first];
  const right = vm.num[first + 1];
  const count = commonSize(memory, left, right, `vector ${OPERATORS[operator]} vector`);
  const ref = allocateVector(vm, count);
  const a = memory.f32[left >>> 26];
  const b = memory.f32[right >>> 26];
  const result = memory.f32[ref >>> 26];
  const l = floatIndex(left);
  const r = floatIndex(right);
  const at = floatIndex(ref);
  let fits = true;
  for (let index = 0; index < count; index++) {
    const y = b[r + index];
    if (operator === 3 && y === 0) throw zeroDivision();
    result[at + index] = elementOf(a[l + index], y, operator);
    fits &&= Number.isFinite(result[at + index]);
  }
  if (!fits) throw new SqlError('overflow', `vector ${OPERATORS[operator]} vector overflow`);
  vm.num[d] = ref;
}

function elementOf(x: number, y: number, operator: number): number {
  switch (operator) {
    case 0: // +
      return x + y;
    case 1: // -
      return x - y;
    case 2: // *
      return x * y;
    default: // /
      return x / y;
  }
}
