/**
 * The limits of the HTTP front. `limit_recv` is not here: it is a setting, see HttpServer.receiveLimitBytes.
 */

import { assert } from '../../base/assert.ts';

/** Request line and header lines together; also trailers and chunk extensions of one body together. */
export const HEAD_BYTES_MAX: number = 16 * 1024;
/** A connection with more unsent reply bytes is not read any more until they are gone. */
export const UNSENT_BYTES_MAX: number = 1024 * 1024;
/** A connection with so many unanswered requests is not read any more until half of them are answered. */
export const UNANSWERED_REQUESTS_MAX = 1000;
/** Replies of one readable event are written early when they pass this, so that an output buffer stays poolable. */
export const EARLY_WRITE_BYTES: number = 128 * 1024;

/** From the first byte of a request to the end of its header. */
export const HEAD_TIMEOUT_MS = 10_000;
/** Between two arrivals of bytes of a body. */
export const BODY_TIMEOUT_MS = 30_000;
/** From our end of the connection to the client's, while what it still sends is thrown away. */
export const LINGER_TIMEOUT_MS = 2_000;
/** Resolution of all timeouts: they may be late by twice this, never early. */
export const TICK_MS = 500;
/** Buckets of the timer wheel, a power of two. */
export const WHEEL_BUCKET_COUNT = 128;

/** `limit_recv` when nobody sets it. */
export const RECEIVE_LIMIT_BYTES_DEFAULT: number = 1024 * 1024;
/** Connections that the kernel may keep waiting for accept. */
export const LISTEN_BACKLOG = 4096;
/** The kernel looks for dead peers of idle connections after this. */
export const KEEP_ALIVE_PROBE_MS = 60_000;

assert((WHEEL_BUCKET_COUNT & (WHEEL_BUCKET_COUNT - 1)) === 0, 'buckets are found by masking');
assert(
  Math.max(HEAD_TIMEOUT_MS, BODY_TIMEOUT_MS, LINGER_TIMEOUT_MS) < (WHEEL_BUCKET_COUNT - 2) * TICK_MS,
  'every timeout fits one turn of the wheel',
);
