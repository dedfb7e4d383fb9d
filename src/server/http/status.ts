/**
 * The bytes before a reply's body, made once a second for each status:
 *
 * ```
 * HTTP/1.1 200 OK\r\n
 * Date: Tue, 02 Jan 2024 03:04:05 GMT\r\n
 * Content-Type: application/json\r\n
 * Content-Length:            the prefix ends here, with a blank
 * 17\r\n                     written for each reply
 * Connection: close\r\n      where it is so
 * \r\n
 * ```
 */

import { assert } from '../../base/assert.ts';

const REASONS: ReadonlyMap<number, string> = new Map([
  [200, 'OK'],
  [204, 'No Content'],
  [400, 'Bad Request'],
  [401, 'Unauthorized'],
  [404, 'Not Found'],
  [405, 'Method Not Allowed'],
  [413, 'Content Too Large'],
  [415, 'Unsupported Media Type'],
  [431, 'Request Header Fields Too Large'],
  [500, 'Internal Server Error'],
  [503, 'Service Unavailable'],
]);

const STATUS_MAX = 600;

export class ReplyPrefixes {
  /** By status: the prefix of a JSON reply; of 204 everything up to the empty line. */
  #prefixes: (Buffer | null)[] = [];
  #second = -1;
  #date = '';

  constructor(nowMicroseconds: number) {
    this.refresh(nowMicroseconds);
  }

  /** Makes the prefixes again when the second has changed. */
  refresh(nowMicroseconds: number): void {
    const second = Math.floor(nowMicroseconds / 1_000_000);
    if (second === this.#second) return;
    this.#second = second;
    this.#date = new Date(second * 1000).toUTCString();
    const prefixes = new Array<Buffer | null>(STATUS_MAX).fill(null);
    for (const status of REASONS.keys()) {
      const text = status === 204 ? this.#start(status) : this.text(status, 'application/json');
      prefixes[status] = Buffer.from(text, 'latin1');
    }
    this.#prefixes = prefixes;
  }

  /** The prefix of a JSON reply. */
  get(status: number): Buffer {
    const prefix = this.#prefixes[status];
    assert(prefix !== null && prefix !== undefined, 'a status of the HTTP front');
    return prefix;
  }

  /** The prefix of a reply with another media type, as text. */
  text(status: number, contentType: string): string {
    return `${this.#start(status)}Content-Type: ${contentType}\r\nContent-Length: `;
  }

  #start(status: number): string {
    const challenge = status === 401 ? 'WWW-Authenticate: Bearer\r\n' : '';
    return `HTTP/1.1 ${status} ${REASONS.get(status)!}\r\nDate: ${this.#date}\r\n${challenge}`;
  }
}
