/**
 * Media types: Content-Type and Accept.
 */

import { asciiBytes, equalsIgnoringCase } from './characters.ts';

/**
 * What a request says its body is. `none` without Content-Type; `unsupported` for a type not named here, a charset other
 * than UTF-8, or a malformed value: 415 for whoever needs to know.
 */
export type MediaType =
  | 'none'
  | 'unsupported'
  | 'text/plain'
  | 'application/sql'
  | 'application/json'
  | 'application/jsonl'
  | 'text/csv';

const TEXT_PLAIN = asciiBytes('text/plain');
const APPLICATION_SQL = asciiBytes('application/sql');
const APPLICATION_JSON = asciiBytes('application/json');
const APPLICATION_JSONL = asciiBytes('application/jsonl');
const TEXT_CSV = asciiBytes('text/csv');

/** One parameter: `; name=token` or `; name="quoted"`, or an empty one, which RFC 9110 tells recipients to tolerate. */
const PARAMETER =
  /[ \t]*;[ \t]*(?:([!#$%&'*+\-.^_`|~0-9A-Za-z]+)=(?:([!#$%&'*+\-.^_`|~0-9A-Za-z]+)|"((?:[^"\\]|\\.)*)"))?/y;

/** The media type in bytes[start, end), the value of a Content-Type header. */
export function parseMediaType(bytes: Buffer, start: number, end: number): MediaType {
  const type = mediaTypeOf(bytes, start, end);
  return type === 'unsupported' ? parseWithParameters(bytes.toString('latin1', start, end)) : type;
}

function mediaTypeOf(bytes: Uint8Array, start: number, end: number): MediaType {
  if (equalsIgnoringCase(bytes, start, end, APPLICATION_JSON)) return 'application/json';
  if (equalsIgnoringCase(bytes, start, end, TEXT_PLAIN)) return 'text/plain';
  if (equalsIgnoringCase(bytes, start, end, APPLICATION_SQL)) return 'application/sql';
  if (equalsIgnoringCase(bytes, start, end, APPLICATION_JSONL)) return 'application/jsonl';
  if (equalsIgnoringCase(bytes, start, end, TEXT_CSV)) return 'text/csv';
  return 'unsupported';
}

function parseWithParameters(value: string): MediaType {
  const semicolon = value.indexOf(';');
  if (semicolon < 0) return 'unsupported';
  let typeEnd = semicolon;
  while (typeEnd > 0 && (value[typeEnd - 1] === ' ' || value[typeEnd - 1] === '\t')) typeEnd--;
  PARAMETER.lastIndex = typeEnd;
  while (PARAMETER.lastIndex < value.length) {
    const match = PARAMETER.exec(value);
    if (match === null) return 'unsupported';
    if (match[1]?.toLowerCase() !== 'charset') continue;
    const charset = (match[2] ?? match[3] ?? '').toLowerCase();
    if (charset !== 'utf-8' && charset !== 'utf8') return 'unsupported';
  }
  const type = asciiBytes(value.slice(0, typeEnd));
  return mediaTypeOf(type, 0, type.length);
}

/** Whether the value of an Accept header in bytes[start, end) names application/jsonl with a weight above zero. */
export function acceptsJsonLines(bytes: Buffer, start: number, end: number): boolean {
  if (end - start < APPLICATION_JSONL.length) return false;
  for (const range of bytes.toString('latin1', start, end).toLowerCase().split(',')) {
    const [type, ...parameters] = range.split(';');
    if (type!.trim() !== 'application/jsonl') continue;
    return !parameters.some((parameter) => /^\s*q\s*=\s*0(\.0*)?\s*$/.test(parameter));
  }
  return false;
}
