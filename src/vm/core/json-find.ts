/** Finding an object in a JSON array by its name: `system.table('t')` among `system.tables()`. */

import type { Memory } from '../../base/memory.ts';
import {
  JSON_ARRAY,
  JSON_CONTAINER_BYTES,
  JSON_STRING8,
  JSON_STRING32,
  jsonCount,
  jsonEnd,
  jsonMember,
  jsonStringStart,
} from '../../types/json/binary.ts';
import { byteLengthOf } from './bytes.ts';
import type { Vm } from './vm.ts';

const ENCODER = new TextEncoder();
const ID = ENCODER.encode('id');
const NAME = ENCODER.encode('name');
const SCHEMA = ENCODER.encode('schema');
const PUBLIC = ENCODER.encode('public');
const DOT = 46;

/** By what an object is found: its member `id`, `name`, or `schema` and `name` joined by a dot, `public` if there is none. */
export const FIND_ID = 0;
export const FIND_NAME = 1;
export const FIND_TABLE = 2;

/** Register `target` = the element of the array in `first` with the name in first + 1; NULL where there is none. */
export function findInJson(vm: Vm, target: number, first: number, by: number): void {
  const { memory, num } = vm;
  const array = bytesAt(memory, num[first]);
  const text = bytesAt(memory, num[first + 1]);
  const wanted = text.bytes.subarray(text.at, text.at + byteLengthOf(memory, num[first + 1]));
  const { bytes, at } = array;
  vm.nul[target] = 1;
  if (bytes[at] !== JSON_ARRAY) return;
  let element = at + JSON_CONTAINER_BYTES;
  for (let left = jsonCount(bytes, at); left > 0; left--) {
    const end = jsonEnd(bytes, element);
    if (isCalled(bytes, element, wanted, by)) {
      num[target] = vm.scratch.text(bytes, element, end);
      vm.nul[target] = 0;
      return;
    }
    element = end;
  }
}

function bytesAt(memory: Memory, ref: number): { readonly bytes: Uint8Array; readonly at: number } {
  return { bytes: memory.u8[ref >>> 26], at: ((ref & 0x3ffffff) << 4) + 4 };
}

function isCalled(bytes: Uint8Array, at: number, wanted: Uint8Array, by: number): boolean {
  if (by !== FIND_TABLE) return isEqual(member(bytes, at, by === FIND_ID ? ID : NAME), wanted);
  const name = member(bytes, at, NAME);
  const schema = member(bytes, at, SCHEMA);
  if (isEqual(schema, PUBLIC) && isEqual(name, wanted)) return true;
  if (wanted.length !== schema.length + 1 + name.length || wanted[schema.length] !== DOT) return false;
  return isEqual(schema, wanted.subarray(0, schema.length)) && isEqual(name, wanted.subarray(schema.length + 1));
}

const NOTHING = new Uint8Array(0);

/** The bytes of a text member; none where it is missing. */
function member(bytes: Uint8Array, at: number, key: Uint8Array): Uint8Array {
  const value = jsonMember(bytes, at, key, 0, key.length);
  if (value < 0 || (bytes[value] !== JSON_STRING8 && bytes[value] !== JSON_STRING32)) return NOTHING;
  return bytes.subarray(jsonStringStart(bytes, value), jsonEnd(bytes, value));
}

function isEqual(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) return false;
  return true;
}
