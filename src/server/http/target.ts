/**
 * Request targets: `/schema/table?columns=a,b&header=true`.
 */

import { SqlError } from '../../base/errors.ts';

export type Target = {
  /** Percent-decoded parts of the path between slashes: `/` has none, `/a/b` has two. */
  readonly segments: readonly string[];
  /** Decoded parameters of the query; one without `=` has the value ''. */
  readonly parameters: ReadonlyMap<string, string>;
};

/**
 * Splits and decodes a raw request target. A slash that was percent-encoded stays inside its segment, `+` is a blank in
 * the query only. Throws SqlError invalid_request for malformed percent-encoding (bad digits, or not UTF-8), for an empty
 * segment (`//`), and for a parameter given twice.
 */
export function parseTarget(target: string): Target {
  const question = target.indexOf('?');
  const path = question < 0 ? target : target.slice(0, question);
  return { segments: parsePath(path), parameters: parseQuery(question < 0 ? '' : target.slice(question + 1)) };
}

function parsePath(path: string): string[] {
  if (path === '/' || path === '') return [];
  const segments = path.slice(1).split('/');
  for (let index = 0; index < segments.length; index++) {
    if (segments[index] === '') throw new SqlError('invalid_request', 'empty name in the request path');
    segments[index] = decode(segments[index]!);
  }
  return segments;
}

function parseQuery(query: string): Map<string, string> {
  const parameters = new Map<string, string>();
  if (query === '') return parameters;
  for (const part of query.split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = decode((equals < 0 ? part : part.slice(0, equals)).replaceAll('+', ' '));
    const value = equals < 0 ? '' : decode(part.slice(equals + 1).replaceAll('+', ' '));
    if (parameters.has(name)) throw new SqlError('invalid_request', `request parameter ${name} is given twice`);
    parameters.set(name, value);
  }
  return parameters;
}

function decode(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    throw new SqlError('invalid_request', 'malformed percent-encoding in the request path');
  }
}
