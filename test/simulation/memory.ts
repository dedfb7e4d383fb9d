/**
 * Row memory for one machine after another: reserving 2 GiB of address space takes some milliseconds, making zero again
 * what was used takes a fraction of one.
 */

import { ARENA_RESERVED_PAGES, Memory, WORDS_PER_PAGE } from '../../src/base/memory.ts';
import { FRESH_INDEX } from './pages.ts';

let kept: { readonly memory: Memory; readonly reserved: Int32Array } | undefined;

/** Memory as it is when it was just made. What was made of the same by an earlier call is not used any more. */
export function freshMemory(limitBytes: number): Memory {
  if (kept === undefined) {
    const memory = Memory.create({ limitBytes, eagerArenas: true });
    kept = { memory, reserved: memory.i32[0]!.slice(0, ARENA_RESERVED_PAGES * WORDS_PER_PAGE) };
  }
  const words = kept.memory.i32[0]!;
  words.fill(0, kept.reserved.length, words[FRESH_INDEX]! * WORDS_PER_PAGE);
  words.set(kept.reserved);
  const memory = Memory.open(kept.memory.share());
  memory.setLimitBytes(limitBytes);
  return memory;
}
