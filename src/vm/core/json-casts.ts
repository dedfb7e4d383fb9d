/** Casts of a JSON value in binary form, bytes[at], into register d. JSON null gives NULL; nul[d] is always set. */

import { SqlError } from '../../base/errors.ts';
import {
  isJsonInt,
  JSON_DOUBLE,
  JSON_FALSE,
  JSON_NULL,
  JSON_STRING8,
  JSON_STRING32,
  JSON_TRUE,
  jsonDoubleAt,
  jsonEnd,
  jsonStringStart,
  readJsonInt,
} from '../../types/json/binary.ts';
import { ONE_LINE, writeJson } from '../../types/json/text.ts';
import { decodeUtf8 } from '../../types/utf8.ts';
import { storeWholeDouble } from './integers.ts';
import type { Vm } from './vm.ts';

/** Longest text of a value in a message. */
const SHOWN_CHARACTERS = 64;

export function isJsonString(tag: number): boolean {
  return tag === JSON_STRING8 || tag === JSON_STRING32;
}

/** The error of a value of the wrong kind, which it names. */
export function wrongKind(vm: Vm, bytes: Uint8Array, at: number, type: string): SqlError {
  return new SqlError('invalid_value', `json value ${shownJson(vm, bytes, at)} cannot be converted to ${type}`);
}

/** The text of a value for a message, cut where it is long. */
export function shownJson(vm: Vm, bytes: Uint8Array, at: number): string {
  vm.text.length = 0;
  writeJson(vm.text, bytes, at, ONE_LINE);
  const text = decodeUtf8(vm.text.bytes, 0, vm.text.length);
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS).toWellFormed()}…` : text;
}

/** A double loses its fraction. */
export function jsonToInt(vm: Vm, d: number, bytes: Uint8Array, at: number): void {
  const tag = bytes[at];
  vm.nul[d] = 0;
  if (isJsonInt(tag)) readJsonInt(bytes, at, vm, d);
  else if (tag === JSON_NULL) vm.nul[d] = 1;
  else if (tag !== JSON_DOUBLE || !storeWholeDouble(vm.num, vm.big, d, Math.trunc(jsonDoubleAt(bytes, at)))) {
    throw wrongKind(vm, bytes, at, 'int');
  }
}

export function jsonToDouble(vm: Vm, d: number, bytes: Uint8Array, at: number): void {
  const tag = bytes[at];
  vm.nul[d] = 0;
  if (tag === JSON_DOUBLE) vm.num[d] = jsonDoubleAt(bytes, at);
  else if (isJsonInt(tag)) {
    readJsonInt(bytes, at, vm, d);
    const value = vm.num[d];
    if (Number.isNaN(value)) vm.num[d] = Number(vm.big[d]);
  } else if (tag === JSON_NULL) vm.nul[d] = 1;
  else throw wrongKind(vm, bytes, at, 'double');
}

/** A string gives its text, anything else its JSON text on one line. */
export function jsonToText(vm: Vm, d: number, bytes: Uint8Array, at: number): void {
  const tag = bytes[at];
  vm.nul[d] = tag === JSON_NULL ? 1 : 0;
  if (tag === JSON_NULL) return;
  if (isJsonString(tag)) {
    vm.num[d] = vm.scratch.text(bytes, jsonStringStart(bytes, at), jsonEnd(bytes, at));
    return;
  }
  vm.text.length = 0;
  writeJson(vm.text, bytes, at, ONE_LINE);
  vm.num[d] = vm.scratch.text(vm.text.bytes, 0, vm.text.length);
}

export function jsonToBool(vm: Vm, d: number, bytes: Uint8Array, at: number): void {
  const tag = bytes[at];
  vm.nul[d] = tag === JSON_NULL ? 1 : 0;
  if (tag === JSON_TRUE || tag === JSON_FALSE) vm.num[d] = tag === JSON_TRUE ? 1 : 0;
  else if (tag !== JSON_NULL) throw wrongKind(vm, bytes, at, 'bool');
}
