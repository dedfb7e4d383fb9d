/**
 * One client of the load generator: a keep-alive connection that has one request under way at a time.
 *
 * The generator shares the machine with the server, so a request costs it as little as public interfaces allow: bytes made
 * in place, one write, one read into memory shared by all connections of the thread, no promise and no timer.
 */

import { connect, type Socket } from 'node:net';
import { ReplyParser } from './reply-parser.ts';
import type { RequestWriter } from './request-template.ts';
import type { Target } from './target.ts';

/** What a connection tells its owner. */
export type LoadListener = {
  connected(connection: LoadConnection): void;
  /** A reply is complete; its status is below 300. */
  replied(connection: LoadConnection): void;
  /** The server refused a request, closed the connection, or sent what is no reply. */
  failed(error: Error): void;
};

export class LoadConnection {
  /** When the request under way was sent, in `performance.now()` milliseconds. */
  sentAtMs = 0;
  readonly #socket: Socket;
  readonly #writer: RequestWriter;
  readonly #parser: ReplyParser = new ReplyParser();
  readonly #listener: LoadListener;
  #isClosed = false;

  /** Connects. `readBuffer` may be shared by connections of one thread: what is read is used at once. */
  constructor(target: Target, writer: RequestWriter, readBuffer: Uint8Array, listener: LoadListener) {
    this.#writer = writer;
    this.#listener = listener;
    const onread = {
      buffer: readBuffer,
      callback: (byteCount: number, bytes: Uint8Array): boolean => {
        this.#read(bytes, byteCount);
        return true;
      },
    };
    this.#socket =
      'path' in target
        ? connect({ path: target.path, onread })
        : connect({ host: target.host, port: target.port, noDelay: true, onread });
    this.#socket.on('connect', () => listener.connected(this));
    this.#socket.on('error', (error) => this.#fail(error));
    this.#socket.on('close', () => this.#fail(new Error('the server closed the connection')));
  }

  /** Sends the next request; `nowMs` is `performance.now()`. The reply to the one before must have come. */
  send(nowMs: number): void {
    this.sentAtMs = nowMs;
    this.#socket.write(this.#writer.next());
  }

  close(): void {
    this.#isClosed = true;
    this.#socket.destroy();
  }

  #read(bytes: Uint8Array, byteCount: number): void {
    if (this.#isClosed) return;
    let isComplete: boolean;
    try {
      isComplete = this.#parser.feed(bytes, byteCount);
    } catch (error) {
      this.#fail(error as Error);
      return;
    }
    if (!isComplete) return;
    if (this.#parser.status >= 300) {
      this.#fail(new Error(serverMessage(this.#parser.status, this.#parser.message)));
    } else {
      this.#listener.replied(this);
    }
  }

  #fail(error: Error): void {
    if (this.#isClosed) return;
    this.close();
    // An AggregateError of several addresses has no message of its own.
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    this.#listener.failed(error.message === '' ? new Error(`no connection to the server: ${code}`) : error);
  }
}

/** What a refusal says: the `msg` of its error object, else the whole content. */
export function serverMessage(status: number, content: string): string {
  try {
    const parsed: unknown = JSON.parse(content);
    if (parsed !== null && typeof parsed === 'object' && 'msg' in parsed) return String(parsed.msg);
  } catch {
    // Not an error object: the content itself is all there is to show.
  }
  return content === '' ? `the server answered with status ${status}` : content;
}
