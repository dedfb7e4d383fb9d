/** How functions read texts out of the arenas and put their results there. */

import { SqlError } from '../base/errors.ts';
import { TEXT_RESULT_BYTES_MAX } from '../base/limits.ts';
import { decodeUtf8 } from '../types/utf8.ts';
import type { FunctionContext } from './signature.ts';

/** Bytes of the text or json value at `ref`. */
export function valueLength(context: FunctionContext, ref: number): number {
  return context.memory.i32[ref >>> 26]![(ref & 0x3ffffff) << 2]!;
}

/** Offset of its first byte in the arena `valueBytes`. */
export function valueStart(ref: number): number {
  return ((ref & 0x3ffffff) << 4) + 4;
}

/** The arena of the value. */
export function valueBytes(context: FunctionContext, ref: number): Uint8Array {
  return context.memory.u8[ref >>> 26]!;
}

/** The text in register `register`. */
export function textOf(context: FunctionContext, register: number): string {
  const ref = context.num[register]!;
  const start = valueStart(ref);
  return decodeUtf8(valueBytes(context, ref), start, start + valueLength(context, ref));
}

const encoder = new TextEncoder();

/** Register `target` = a text. */
export function setText(context: FunctionContext, target: number, text: string): void {
  const bytes = encoder.encode(text);
  context.num[target] = context.scratch.text(bytes, 0, bytes.length);
}

/** Register `target` = bytes[start, end), which may lie in the arenas. */
export function setTextBytes(
  context: FunctionContext,
  target: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  context.num[target] = context.scratch.text(bytes, start, end);
}

/** An integer argument as a number that fits any count or position: beyond ±2^53 it is clamped there. */
export function clampedInt(context: FunctionContext, register: number): number {
  const value = context.num[register]!;
  if (!Number.isNaN(value)) return value;
  return context.big[register]! < 0n ? -9007199254740992 : 9007199254740992;
}

/** Throws limit_exceeded where the function `name` would make a text that is too long. */
export function checkTextBytes(name: string, byteLength: number): void {
  if (byteLength > TEXT_RESULT_BYTES_MAX) {
    throw new SqlError('limit_exceeded', `${name}: the text would be longer than ${TEXT_RESULT_BYTES_MAX} bytes`);
  }
}
