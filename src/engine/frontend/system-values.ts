/** How a frontend asks main for the values of functions of schema system: by SHOW … EXTENDED, whose answer is JSON text. */

import type { Show } from '../../sql/ast/utilities.ts';
import type { SystemObject } from '../../sql/binder/bound.ts';
import { JSON_CONTAINER_BYTES, jsonEnd } from '../../types/json/binary.ts';
import { JsonWriter } from '../../types/json/json-writer.ts';
import { parseJson } from '../../types/json/parse.ts';

/** Of these there is one; the others are arrays. */
const SINGLE: ReadonlySet<SystemObject> = new Set<SystemObject>(['wal', 'status']);

export function systemStatement(what: SystemObject): Show {
  return {
    kind: 'show',
    what,
    name: undefined,
    schema: undefined,
    extended: true,
    format: { text: 'json', position: 0 },
    position: 0,
  };
}

/** The answer as binary JSON: the rows as an array, or the one row. */
export function systemValue(what: SystemObject, answer: Uint8Array): Uint8Array {
  const writer = new JsonWriter(answer.length + 16);
  writer.start();
  parseJson(answer, 0, answer.length, writer);
  if (!SINGLE.has(what)) return writer.bytes.slice(0, writer.length);
  return writer.bytes.slice(JSON_CONTAINER_BYTES, jsonEnd(writer.bytes, JSON_CONTAINER_BYTES));
}
