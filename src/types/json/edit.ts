/**
 * Changed copies of JSON values, written from the binary form of the old ones: what stays is copied as bytes, value by value
 * at the levels of the path, and as a whole beside it.
 *
 * A path is a list of keys (UTF-8). In an array a key is the decimal number of an element.
 */

import { SqlError } from '../../base/errors.ts';
import {
  JSON_ARRAY,
  JSON_CONTAINER_BYTES,
  JSON_NULL,
  JSON_OBJECT,
  jsonCount,
  jsonElement,
  jsonEnd,
  jsonMember,
  keyLength,
  keyStart,
} from './binary.ts';
import type { JsonWriter } from './json-writer.ts';

/** Where the value of a path lies in the value at bytes[at], or -1. */
export function findPath(bytes: Uint8Array, at: number, path: readonly Uint8Array[]): number {
  for (let i = 0; i < path.length && at >= 0; i++) {
    const key = path[i]!;
    at =
      bytes[at] === JSON_ARRAY ? jsonElement(bytes, at, elementIndex(key)) : jsonMember(bytes, at, key, 0, key.length);
  }
  return at;
}

/**
 * Writes the value at bytes[at] with value[valueAt, …) at a path; at < 0 stands for no value. Levels that are missing
 * become objects. Throws invalid_value where the path leads through a value that has no such place.
 */
export function writeSet(
  writer: JsonWriter,
  bytes: Uint8Array,
  at: number,
  path: readonly Uint8Array[],
  value: Uint8Array,
  valueAt: number,
): void {
  setLevel(writer, bytes, at, path, 0, value, valueAt);
}

function setLevel(
  writer: JsonWriter,
  bytes: Uint8Array,
  at: number,
  path: readonly Uint8Array[],
  level: number,
  value: Uint8Array,
  valueAt: number,
): void {
  if (level === path.length) {
    writer.raw(value, valueAt, jsonEnd(value, valueAt));
    return;
  }
  const key = path[level]!;
  if (at >= 0 && bytes[at] === JSON_ARRAY) {
    const wanted = jsonElement(bytes, at, elementIndex(key));
    if (wanted < 0) throw noPlace(path, level, `has no element ${textOf(key)}`);
    writer.beginArray();
    let element = at + JSON_CONTAINER_BYTES;
    for (let i = jsonCount(bytes, at); i > 0; i--) {
      const end = jsonEnd(bytes, element);
      writer.element();
      if (element === wanted) setLevel(writer, bytes, element, path, level + 1, value, valueAt);
      else writer.raw(bytes, element, end);
      element = end;
    }
    writer.end();
    return;
  }
  if (at >= 0 && bytes[at] !== JSON_OBJECT) throw noPlace(path, level, 'is neither object nor array');
  const wanted = at < 0 ? -1 : jsonMember(bytes, at, key, 0, key.length);
  writer.beginObject();
  if (at >= 0) {
    let entry = at + JSON_CONTAINER_BYTES;
    for (let i = jsonCount(bytes, at); i > 0; i--) {
      const member = keyStart(bytes, entry) + keyLength(bytes, entry);
      const end = jsonEnd(bytes, member);
      if (member === wanted) {
        writer.key(key, 0, key.length);
        setLevel(writer, bytes, member, path, level + 1, value, valueAt);
      } else writer.rawEntry(bytes, entry, member, end);
      entry = end;
    }
  }
  if (wanted < 0) {
    writer.key(key, 0, key.length);
    setLevel(writer, bytes, -1, path, level + 1, value, valueAt);
  }
  writer.end();
}

/** Writes the value at bytes[at] without what the path leads to, which is there (findPath). */
export function writeUnset(writer: JsonWriter, bytes: Uint8Array, at: number, path: readonly Uint8Array[]): void {
  unsetLevel(writer, bytes, at, path, 0);
}

function unsetLevel(
  writer: JsonWriter,
  bytes: Uint8Array,
  at: number,
  path: readonly Uint8Array[],
  level: number,
): void {
  const key = path[level]!;
  const isLast = level === path.length - 1;
  const isArray = bytes[at] === JSON_ARRAY;
  const wanted = isArray ? jsonElement(bytes, at, elementIndex(key)) : jsonMember(bytes, at, key, 0, key.length);
  if (isArray) writer.beginArray();
  else writer.beginObject();
  let next = at + JSON_CONTAINER_BYTES;
  for (let i = jsonCount(bytes, at); i > 0; i--) {
    const entry = next;
    const member = isArray ? entry : keyStart(bytes, entry) + keyLength(bytes, entry);
    next = jsonEnd(bytes, member);
    if (member !== wanted) {
      if (isArray) {
        writer.element();
        writer.raw(bytes, entry, next);
      } else writer.rawEntry(bytes, entry, member, next);
    } else if (!isLast) {
      if (isArray) writer.element();
      else writer.key(key, 0, key.length);
      unsetLevel(writer, bytes, member, path, level + 1);
    }
  }
  writer.end();
}

/**
 * Writes target[targetAt] patched by patch[patchAt] (RFC 7396): members of the patch replace or, being null, remove those of
 * the target, objects in objects; a patch that is no object takes the target's place. targetAt < 0 stands for no target.
 */
export function writeMerged(
  writer: JsonWriter,
  target: Uint8Array,
  targetAt: number,
  patch: Uint8Array,
  patchAt: number,
): void {
  if (patch[patchAt] !== JSON_OBJECT) {
    writer.raw(patch, patchAt, jsonEnd(patch, patchAt));
    return;
  }
  const isObject = targetAt >= 0 && target[targetAt] === JSON_OBJECT;
  writer.beginObject();
  if (isObject) {
    let entry = targetAt + JSON_CONTAINER_BYTES;
    for (let i = jsonCount(target, targetAt); i > 0; i--) {
      const start = keyStart(target, entry);
      const member = start + keyLength(target, entry);
      const end = jsonEnd(target, member);
      const change = jsonMember(patch, patchAt, target, start, member - start);
      if (change < 0) writer.rawEntry(target, entry, member, end);
      else if (patch[change] !== JSON_NULL) {
        writer.key(target, start, member);
        writeMerged(writer, target, member, patch, change);
      }
      entry = end;
    }
  }
  let entry = patchAt + JSON_CONTAINER_BYTES;
  for (let i = jsonCount(patch, patchAt); i > 0; i--) {
    const start = keyStart(patch, entry);
    const member = start + keyLength(patch, entry);
    const isNew = !isObject || jsonMember(target, targetAt, patch, start, member - start) < 0;
    if (isNew && patch[member] !== JSON_NULL) {
      writer.key(patch, start, member);
      writeMerged(writer, target, -1, patch, member);
    }
    entry = jsonEnd(patch, member);
  }
  writer.end();
}

/** The number that a key is in an array: decimal digits without a leading zero; -1 for any other. */
function elementIndex(key: Uint8Array): number {
  if (key.length === 0 || key.length > 9 || (key.length > 1 && key[0] === 48)) return -1;
  let index = 0;
  for (let i = 0; i < key.length; i++) {
    const digit = key[i]! - 48;
    if (digit < 0 || digit > 9) return -1;
    index = index * 10 + digit;
  }
  return index;
}

function noPlace(path: readonly Uint8Array[], level: number, what: string): SqlError {
  const parents = path.slice(0, level).map(textOf).join('.');
  const subject = level === 0 ? 'the value' : `the value at '${parents}'`;
  return new SqlError('invalid_value', `cannot set '${path.map(textOf).join('.')}': ${subject} ${what}`);
}

function textOf(key: Uint8Array): string {
  return new TextDecoder().decode(key);
}
