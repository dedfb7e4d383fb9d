/**
 * What the HTTP front refuses by itself, before any handler sees the request. Made once: a flood of malformed requests
 * creates no error objects. After each of them the connection is closed, because the next request's start is not known.
 */

import { type ErrorCode, SqlError } from '../../base/errors.ts';

export type Refusal = {
  readonly status: 400 | 413 | 431;
  /** The error object as JSON text. */
  readonly body: string;
};

function refusal(status: Refusal['status'], code: ErrorCode, message: string): Refusal {
  return { status, body: new SqlError(code, message).toJson() };
}

export const MALFORMED_REQUEST_LINE: Refusal = refusal(400, 'invalid_request', 'malformed HTTP request line');
export const MALFORMED_TARGET: Refusal = refusal(400, 'invalid_request', 'malformed HTTP request target');
export const UNSUPPORTED_VERSION: Refusal = refusal(400, 'invalid_request', 'HTTP version is not 1.0 or 1.1');
export const MALFORMED_HEADER: Refusal = refusal(400, 'invalid_request', 'malformed HTTP header line');
export const DUPLICATE_HEADER: Refusal = refusal(400, 'invalid_request', 'HTTP header given twice');
export const MISSING_HOST: Refusal = refusal(400, 'invalid_request', 'HTTP/1.1 request without Host header');
export const MALFORMED_LENGTH: Refusal = refusal(400, 'invalid_request', 'malformed Content-Length');
export const BOTH_LENGTHS: Refusal = refusal(
  400,
  'invalid_request',
  'request with both Content-Length and Transfer-Encoding',
);
export const UNSUPPORTED_ENCODING: Refusal = refusal(
  400,
  'invalid_request',
  'Transfer-Encoding is not chunked, or not allowed here',
);
export const MALFORMED_CHUNK: Refusal = refusal(400, 'invalid_request', 'malformed chunked body');
export const HEAD_TOO_LARGE: Refusal = refusal(431, 'limit_exceeded', 'HTTP headers are larger than 16 KiB');

/** 413: made when it happens, as the limit may change at run time. */
export function bodyTooLarge(limitBytes: number): Refusal {
  return refusal(413, 'limit_exceeded', `request body is larger than limit_recv (${limitBytes} bytes)`);
}
