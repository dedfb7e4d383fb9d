/**
 * Family 8: paths into JSON, walked in place; and ANY and ALL over a JSON array. Only what is read out is copied, and of
 * scalars that are cast not even that.
 */

import { jsonElement, jsonEnd, jsonMember } from '../../types/json/binary.ts';
import { writeSet } from '../../types/json/edit.ts';
import { byteLengthOf } from './bytes.ts';
import { unknownOpcode } from './interpreter.ts';
import { compareWithElements } from './json-any.ts';
import { jsonToBool, jsonToDouble, jsonToInt, jsonToText } from './json-casts.ts';
import type { LoadedJsonPath } from './loaded-program.ts';
import type { Vm } from './vm.ts';

export function runJsonPaths(vm: Vm, op: number, a: number, b: number, c: number): void {
  switch (op) {
    case 512: {
      // json_path
      const at = locate(vm, b, c);
      vm.nul[a] = at < 0 ? 1 : 0;
      const bytes = bytesOf(vm, b);
      if (at >= 0) vm.num[a] = vm.scratch.text(bytes, at, jsonEnd(bytes, at));
      return;
    }
    case 513: {
      // json_path_int
      const at = locate(vm, b, c);
      if (at < 0) vm.nul[a] = 1;
      else jsonToInt(vm, a, bytesOf(vm, b), at);
      return;
    }
    case 514: {
      // json_path_double
      const at = locate(vm, b, c);
      if (at < 0) vm.nul[a] = 1;
      else jsonToDouble(vm, a, bytesOf(vm, b), at);
      return;
    }
    case 515: {
      // json_path_text
      const at = locate(vm, b, c);
      if (at < 0) vm.nul[a] = 1;
      else jsonToText(vm, a, bytesOf(vm, b), at);
      return;
    }
    case 516: {
      // json_path_bool
      const at = locate(vm, b, c);
      if (at < 0) vm.nul[a] = 1;
      else jsonToBool(vm, a, bytesOf(vm, b), at);
      return;
    }
    case 517: // json_path_exists
      vm.num[a] = locate(vm, b, c) < 0 ? 0 : 1;
      return;
    case 518: // json_path_set
      setPath(vm, a, b, vm.program.jsonPaths[c]);
      return;
    case 519: // json_any
      compareWithElements(vm, a, b, c);
      return;
    default:
      throw unknownOpcode(op);
  }
}

/** The arena that the value of a register lies in. */
function bytesOf(vm: Vm, register: number): Uint8Array {
  return vm.memory.u8[vm.num[register] >>> 26];
}

function startOf(ref: number): number {
  return ((ref & 0x3ffffff) << 4) + 4;
}

/** Byte offset, in the arena of the json in register `json`, of the part at path number `pathNumber`; -1 for none. */
function locate(vm: Vm, json: number, pathNumber: number): number {
  const ref = vm.num[json];
  const bytes = vm.memory.u8[ref >>> 26];
  const { kinds, keys, numbers } = vm.program.jsonPaths[pathNumber];
  let at = startOf(ref);
  for (let i = 0; i < kinds.length && at >= 0; i++) {
    if (kinds[i] === 0) at = jsonMember(bytes, at, keys[i], 0, keys[i].length);
    else if (kinds[i] === 1) at = jsonElement(bytes, at, numbers[i]);
    else at = parameterStep(vm, bytes, at, kinds[i], vm.parameterWord + numbers[i] * 4);
  }
  return at;
}

/** One step whose key or index stands in the parameter cell at `word`. */
function parameterStep(vm: Vm, bytes: Uint8Array, at: number, kind: number, word: number): number {
  const { memory } = vm;
  const words = memory.i32[vm.parameterArena];
  if (kind === 2) {
    const key = words[word] >>> 0;
    return jsonMember(bytes, at, memory.u8[key >>> 26], startOf(key), byteLengthOf(memory, key));
  }
  // No array has 2^31 elements.
  return words[word + 1] === 0 ? jsonElement(bytes, at, words[word]) : -1;
}

const NO_BYTES: Uint8Array = new Uint8Array(0);

function setPath(vm: Vm, d: number, b: number, path: LoadedJsonPath): void {
  const value = vm.num[b + 1];
  const isNull = vm.nul[b] !== 0;
  vm.json.start();
  writeSet(
    vm.json,
    isNull ? NO_BYTES : bytesOf(vm, b),
    isNull ? -1 : startOf(vm.num[b]),
    path.keys,
    vm.memory.u8[value >>> 26],
    startOf(value),
  );
  vm.num[d] = vm.scratch.text(vm.json.bytes, 0, vm.json.length);
}
