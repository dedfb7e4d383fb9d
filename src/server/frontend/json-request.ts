/**
 * Bodies of `POST /` with content type application/json: `{"sql", "params", "format", "timezone"}`, or an array of
 * `{"sql", "params"}` that runs as one transaction.
 */

import { SqlError } from '../../base/errors.ts';
import { RequestParameters } from '../../engine/frontend/request-parameters.ts';
import { shiftParameters } from '../../sql/lexer/shift-parameters.ts';
import {
  JSON_ARRAY,
  JSON_CONTAINER_BYTES,
  JSON_OBJECT,
  JSON_STRING8,
  JSON_STRING32,
  jsonCount,
  jsonEnd,
  jsonStringStart,
  keyLength,
  keyStart,
} from '../../types/json/binary.ts';
import { JsonWriter } from '../../types/json/json-writer.ts';
import { parseJson } from '../../types/json/parse.ts';
import { decodeUtf8 } from '../../types/utf8.ts';

export type JsonRequest = {
  /** The SQL is bytes[start, end). */
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly parameters: RequestParameters | undefined;
  readonly format: string | undefined;
  readonly timezone: string | undefined;
};

const writer = new JsonWriter(4096);
const SEPARATOR = new TextEncoder().encode('\n;\n');

/** Reads a body. Errors: invalid_json with the byte offset, invalid_request that names the member. The result holds until the next call. */
export function readJsonRequest(body: Uint8Array, start: number, end: number): JsonRequest {
  writer.start();
  parseJson(body, start, end, writer);
  const json = writer.bytes;
  if (json[0] === JSON_OBJECT) return readObject(json, 0, true);
  if (json[0] !== JSON_ARRAY)
    throw new SqlError('invalid_request', 'the body must be an object or an array of objects');
  return readArray(json);
}

/** Several texts become one: separated, with the parameters numbered on. */
function readArray(json: Uint8Array): JsonRequest {
  const parts: Uint8Array[] = [];
  const parameters = new RequestParameters();
  let element = JSON_CONTAINER_BYTES;
  for (let left = jsonCount(json, 0); left > 0; left--) {
    if (json[element] !== JSON_OBJECT) throw new SqlError('invalid_request', 'the array must hold objects');
    const item = readObject(json, element, false);
    const before = parameters.count;
    if (parts.length > 0) parts.push(SEPARATOR);
    parts.push(shiftParameters(item.bytes.subarray(item.start, item.end), before, item.parameters?.count ?? 0));
    const given = item.parameters;
    if (given !== undefined)
      for (let index = 0; index < given.count; index++)
        parameters.add(given.kinds[index]!, given.numbers[index]!, given.bigs[index]!, given.bytes[index]!);
    element = jsonEnd(json, element);
  }
  const bytes = new Uint8Array(Buffer.concat(parts));
  return {
    bytes,
    start: 0,
    end: bytes.length,
    parameters: parameters.count === 0 ? undefined : parameters,
    format: undefined,
    timezone: undefined,
  };
}

function readObject(json: Uint8Array, at: number, isWhole: boolean): JsonRequest {
  let sqlAt = -1;
  let parameters: RequestParameters | undefined;
  let format: string | undefined;
  let timezone: string | undefined;
  let entry = at + JSON_CONTAINER_BYTES;
  for (let left = jsonCount(json, at); left > 0; left--) {
    const length = keyLength(json, entry);
    const first = keyStart(json, entry);
    const value = first + length;
    const key = decodeUtf8(json, first, value);
    if (key === 'sql') {
      if (!isString(json, value)) throw new SqlError('invalid_request', "'sql' must be a string");
      sqlAt = value;
    } else if (key === 'params') {
      if (json[value] !== 0) {
        parameters = new RequestParameters();
        parameters.addJsonArray(json, value);
      }
    } else if (isWhole && (key === 'format' || key === 'timezone')) {
      if (!isString(json, value)) throw new SqlError('invalid_request', `'${key}' must be a string`);
      const text = decodeUtf8(json, jsonStringStart(json, value), jsonEnd(json, value));
      if (key === 'format') format = text;
      else timezone = text;
    } else throw new SqlError('invalid_request', `unknown member '${key}'`);
    entry = jsonEnd(json, value);
  }
  if (sqlAt < 0) throw new SqlError('invalid_request', "'sql' is missing");
  const start = jsonStringStart(json, sqlAt);
  return {
    bytes: json,
    start,
    end: jsonEnd(json, sqlAt),
    parameters: parameters === undefined || parameters.count === 0 ? undefined : parameters,
    format,
    timezone,
  };
}

function isString(json: Uint8Array, at: number): boolean {
  return json[at] === JSON_STRING8 || json[at] === JSON_STRING32;
}
