/**
 * Tools of the HTTP tests: a server with a clock that stands still, a raw client, and waiting for conditions.
 */

import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import type { Clock } from '../../src/base/effects.ts';
import type { HttpReply } from '../../src/server/http/reply.ts';
import type { HttpRequest } from '../../src/server/http/request.ts';
import { HttpServer, type HttpServerOptions } from '../../src/server/http/server.ts';

/** A condition that has not come true by then never will. */
const PATIENCE_MS = 20_000;

/** Resolves when `isTrue` holds; looks again after every turn of the event loop. */
export async function until(isTrue: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  while (!isTrue()) {
    assert.ok(performance.now() < deadlineMs, `never: ${isTrue}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export class FakeClock implements Clock {
  /** 2024-01-02 03:04:05 UTC; stands still, so that replies are alike. */
  dateMs = 1_704_164_645_000;
  elapsedMs = 0;
  monotonicMilliseconds(): number {
    return this.elapsedMs;
  }
  nowMicroseconds(): number {
    return this.dateMs * 1000;
  }
}

export const DATE = 'Tue, 02 Jan 2024 03:04:05 GMT';
const REASONS: Record<number, string> = { 200: 'OK', 400: 'Bad Request', 405: 'Method Not Allowed' };

/** The reply expected for a JSON body, while the fake clock stands. */
export function replyText(status: number, body: string, extraHeaders = ''): string {
  const length = Buffer.byteLength(body);
  return (
    `HTTP/1.1 ${status} ${REASONS[status]}\r\nDate: ${DATE}\r\nContent-Type: application/json\r\n` +
    `Content-Length: ${length}\r\n${extraHeaders}\r\n${body}`
  );
}

export type Handle = (request: HttpRequest, reply: HttpReply) => void;

/** Answers with method, target and body: `POST / hello`. */
export const echo: Handle = (request, reply) => {
  reply.send(200, `${request.method} ${request.target} ${request.body.toString()}`);
};

export class TestServer {
  readonly clock: FakeClock = new FakeClock();
  readonly http: HttpServer;
  port = 0;

  private constructor(handle: Handle, options: HttpServerOptions) {
    this.http = new HttpServer({ handle }, { clock: this.clock, ...options });
  }

  get acceptedCount(): number {
    return this.http.acceptedCount;
  }

  static async start(handle: Handle = echo, options: HttpServerOptions = {}): Promise<TestServer> {
    const server = new TestServer(handle, options);
    const address = await server.http.listen({ host: '127.0.0.1', port: 0 });
    assert.ok('port' in address);
    server.port = address.port;
    return server;
  }

  /** Lets time pass in steps of the tick. */
  pass(durationMs: number): void {
    const endMs = this.clock.elapsedMs + durationMs;
    while (this.clock.elapsedMs < endMs) {
      this.clock.elapsedMs = Math.min(endMs, this.clock.elapsedMs + 500);
      this.http.tick();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.http.close(false);
  }
}

export class RawClient {
  readonly socket: Socket;
  readonly #server: TestServer;
  readonly #chunks: Buffer[] = [];
  receivedBytes = 0;
  hasEnded = false;
  isClosed = false;

  private constructor(server: TestServer) {
    this.#server = server;
    this.socket = connect({ host: '127.0.0.1', port: server.port, noDelay: true, allowHalfOpen: true });
    this.socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.receivedBytes += chunk.length;
    });
    this.socket.on('end', () => {
      this.hasEnded = true;
      this.socket.end();
    });
    this.socket.on('close', () => {
      this.isClosed = true;
    });
    this.socket.on('error', () => {});
  }

  static async connect(server: TestServer): Promise<RawClient> {
    const acceptedCount = server.acceptedCount;
    const client = new RawClient(server);
    await until(() => !client.socket.connecting && server.acceptedCount > acceptedCount);
    return client;
  }

  /** What has arrived, one character a byte. */
  get text(): string {
    return Buffer.concat(this.#chunks).toString('latin1');
  }

  /** Sends bytes and waits until the server has seen them, so that the next ones come in another read. */
  async send(bytes: string | Buffer): Promise<void> {
    const before = this.#server.http.receivedBytes;
    const buffer = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
    this.socket.write(buffer);
    await until(() => this.#server.http.receivedBytes >= before + buffer.length || this.isClosed);
  }

  /** Waits until exactly `expected` has arrived. */
  async expect(expected: string): Promise<void> {
    await until(() => this.receivedBytes >= expected.length || this.isClosed);
    assert.equal(this.text, expected);
  }

  /** Waits until the server has ended the connection, and returns all that has arrived. */
  async ended(): Promise<string> {
    await until(() => this.hasEnded || this.isClosed);
    return this.text;
  }
}
