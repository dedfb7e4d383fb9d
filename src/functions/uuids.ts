/**
 * New uuids (RFC 9562). Their bits come from the transaction's time and from its random generator, which starts the same way
 * when a transaction is run again: it then gives the same uuids.
 */

import { UUID } from '../types/type.ts';
import { UUID_BYTES } from '../types/uuid.ts';
import { define, type FunctionContext, type FunctionDoc, type ScalarFunction } from './signature.ts';

/** Sixteen random bytes with the version and variant bits; register `target` is their ref. Gives their offset in the arena. */
function setRandom(context: FunctionContext, target: number, version: number): number {
  const ref = context.scratch.allocate(UUID_BYTES);
  const words = context.memory.i32[ref >>> 26]!;
  const bytes = context.memory.u8[ref >>> 26]!;
  const at = (ref & 0x3ffffff) << 4;
  for (let word = 0; word < UUID_BYTES / 4; word++) words[(at >>> 2) + word] = context.random.next();
  bytes[at + 6] = (bytes[at + 6]! & 0x0f) | (version << 4);
  bytes[at + 8] = (bytes[at + 8]! & 0x3f) | 0x80;
  context.num[target] = ref;
  return at;
}

function randomUuid(context: FunctionContext, target: number): void {
  setRandom(context, target, 4);
}

/** 48 bits of milliseconds, 12 bits of the fraction of a millisecond, 62 random bits. */
function uuidV7(context: FunctionContext, target: number): void {
  const at = setRandom(context, target, 7);
  const bytes = context.memory.u8[context.num[target]! >>> 26]!;
  let milliseconds = Math.floor(context.now / 1000);
  const fraction = Math.floor(((context.now - milliseconds * 1000) * 4096) / 1000);
  for (let byte = 5; byte >= 0; byte--) {
    bytes[at + byte] = milliseconds % 256;
    milliseconds = Math.floor(milliseconds / 256);
  }
  bytes[at + 6] = 0x70 | (fraction >>> 8);
  bytes[at + 7] = fraction;
}

const RANDOM_UUID_DOC: FunctionDoc = {
  family: 'Identifiers and security',
  summary: 'A new random uuid (version 4), another one for each row.',
  parameters: [],
  errors: [],
  examples: [['substr(string(random_uuid()), 15, 1)', '"4"']],
};

const UUID_V7_DOC: FunctionDoc = {
  family: 'Identifiers and security',
  summary:
    'A new uuid that begins with the time of the transaction (version 7), another one for each row. ' +
    'Such uuids order by time, so as keys of a tree index they are appended at its end.',
  parameters: [],
  errors: [],
  examples: [['substr(string(uuid_v7()), 15, 1)', '"7"']],
};

export const UUID_FUNCTIONS: readonly ScalarFunction[] = [
  define('random_uuid', [], UUID, randomUuid, { isPure: false, doc: RANDOM_UUID_DOC }),
  define('uuid_v7', [], UUID, uuidV7, { isPure: false, doc: UUID_V7_DOC }),
];
