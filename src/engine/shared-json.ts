/** Plain data in shared pages, as JSON: how programs and commands travel between threads. */

import { PAGE_BYTES } from '../base/limits.ts';
import type { Memory } from '../base/memory.ts';

/** A run of pages and the bytes in it that are used. */
export type PlacedJson = { readonly page: number; readonly pageCount: number; readonly byteLength: number };

/** Writes a value into pages of its own, which the caller frees. Throws out_of_memory. */
export function placeJson(memory: Memory, value: unknown): PlacedJson {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  const pageCount = Math.ceil(bytes.length / PAGE_BYTES);
  const page = memory.allocate(pageCount);
  memory.u8[page >>> 16]!.set(bytes, (page & 0xffff) * PAGE_BYTES);
  return { page, pageCount, byteLength: bytes.length };
}

/** The value at `ref` (16-byte units, its sign does not matter), in this thread's own heap. */
export function readSharedJson(memory: Memory, ref: number, byteLength: number): unknown {
  const start = (ref & 0x3ffffff) << 4;
  return JSON.parse(new TextDecoder().decode(memory.u8[ref >>> 26]!.slice(start, start + byteLength)));
}
