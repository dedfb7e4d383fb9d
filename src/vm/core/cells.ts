/**
 * 16-byte cells (program/parameters.ts has the layout): parameters of a request and cells of result records. A cell is given
 * by arena and word index (Int32Array).
 */

import type { Memory } from '../../base/memory.ts';
import type { RegisterFile } from '../../base/registers.ts';
import { bigOfWords, numberOfWords, WORDS, wordsOfBig } from '../../types/int64.ts';

/** A cell into a register; returns its null flag, which is not stored. */
export function loadCell(
  registers: RegisterFile,
  register: number,
  memory: Memory,
  arena: number,
  word: number,
): number {
  const words = memory.i32[arena];
  const type = words[word + 2];
  switch (type) {
    case 0: // null
      return 1;
    case 6: // float
    case 7: // double
      registers.num[register] = memory.f64[arena][word >> 1];
      return 0;
    case 8: // text
    case 9: // json
    case 11: // interval
    case 13: // vector
    case 14: // uuid
      registers.num[register] = words[word] >>> 0;
      return 0;
    default: {
      const low = words[word];
      const high = words[word + 1];
      if (high === low >> 31) {
        registers.num[register] = low;
        return 0;
      }
      const value = numberOfWords(low, high);
      registers.num[register] = value;
      if (Number.isNaN(value)) registers.big[register] = bigOfWords(low, high);
      return 0;
    }
  }
}

/** A register of that type, or NULL, into a cell. Refs are stored as they are. */
export function storeCell(
  registers: RegisterFile,
  register: number,
  type: number,
  isNull: number,
  memory: Memory,
  arena: number,
  word: number,
): void {
  const words = memory.i32[arena];
  words[word + 3] = 0;
  if (isNull !== 0) {
    words[word] = 0;
    words[word + 1] = 0;
    words[word + 2] = 0;
    return;
  }
  words[word + 2] = type;
  const value = registers.num[register];
  switch (type) {
    case 6: // float
    case 7: // double
      memory.f64[arena][word >> 1] = value;
      return;
    case 8: // text
    case 9: // json
    case 11: // interval
    case 13: // vector
    case 14: // uuid
      words[word] = value | 0;
      words[word + 1] = 0;
      return;
    default:
      if (!Number.isNaN(value)) {
        words[word] = value | 0; // ToInt32 is exact modulo 2^32
        words[word + 1] = Math.floor(value / 4294967296) | 0;
        return;
      }
      wordsOfBig(registers.big[register]);
      words[word] = WORDS[0];
      words[word + 1] = WORDS[1];
  }
}
