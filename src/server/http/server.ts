/**
 * HTTP/1.1 straight from the socket: listeners, connections, one timer wheel, and the flush of replies.
 *
 * See README.md in this folder for the rules. A server belongs to one thread.
 */

import { chmod, lstat, unlink } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type ListenOptions, type Server, Socket } from 'node:net';
import type { Clock } from '../../base/effects.ts';
import { SystemClock } from '../../base/files.ts';
import { HttpConnection } from './connection.ts';
import { HeadTemplate } from './head-template.ts';
import { KEEP_ALIVE_PROBE_MS, LISTEN_BACKLOG, RECEIVE_LIMIT_BYTES_DEFAULT, TICK_MS } from './limits.ts';
import { BufferPool } from './pool.ts';
import type { HttpReply } from './reply.ts';
import type { HttpRequest } from './request.ts';
import { ReplyPrefixes } from './status.ts';
import { TimerWheel } from './timeouts.ts';

export interface HttpHandler {
  /**
   * Called for each GET and POST, in the order of its connection. `request` and its body are valid during the call only;
   * `reply` may be completed during the call or at any later time. What it throws is a bug and not caught.
   */
  handle(request: HttpRequest, reply: HttpReply): void;
}

export type HttpServerOptions = {
  /** `limit_recv`: bytes of a body. */
  readonly receiveLimitBytes?: number;
  readonly clock?: Clock;
  /** Told what goes wrong without a client to tell it to: accept failed, for want of file descriptors. */
  readonly onWarning?: (error: Error) => void;
  /** A connection has come, and is over. */
  readonly onOpen?: (connection: HttpConnection) => void;
  readonly onClose?: (connection: HttpConnection) => void;
};

/** An address, or the path of a Unix socket. The connection's `listener` is the very object, so it may carry more. */
export type HttpListenOptions =
  | {
      /** Undefined or '*' for every interface. */
      readonly host?: string;
      readonly port: number;
      /** Whether other threads listen on the same port. */
      readonly reusePort?: boolean;
    }
  | {
      readonly path: string;
      /** 0700 unless given. */
      readonly pathMode?: number;
    };

/** Where it really listens: with port 0 the system has chosen one. */
export type HttpAddress = { readonly host: string; readonly port: number } | { readonly path: string };

const SOCKET_MODE = 0o700;
/** Read at once from a socket: as much as the runtime itself reads. */
const READ_BYTES = 65_536;

/** `handle` is an option of the runtime's own callers. */
type SocketOptions = ConstructorParameters<typeof Socket>[0] & { readonly handle: object };

export class HttpServer {
  readonly handler: HttpHandler;
  /** `limit_recv`: may be set at any time, and holds for bodies that are not complete yet. */
  receiveLimitBytes: number;
  receivedBytes = 0;
  sentBytes = 0;
  /** Connections so far. */
  acceptedCount = 0;

  // For connections only.

  readonly pool: BufferPool = new BufferPool();
  readonly headTemplate: HeadTemplate = new HeadTemplate();
  readonly timers: TimerWheel<HttpConnection>;
  readonly prefixes: ReplyPrefixes;
  /** The time of the last tick. */
  nowMs: number;

  readonly #clock: Clock;
  readonly #onWarning: (error: Error) => void;
  readonly #onOpen: (connection: HttpConnection) => void;
  readonly #onClose: (connection: HttpConnection) => void;
  readonly #listeners: Server[] = [];
  readonly #connections: Set<HttpConnection> = new Set();
  readonly #readBuffer: Buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  readonly #tickTimer: NodeJS.Timeout;
  readonly #scheduledFlush: () => void;
  #dirty: HttpConnection[] = [];
  #isFlushing = false;
  #isFlushScheduled = false;
  #isClosing = false;
  #onAllClosed: (() => void)[] = [];

  constructor(handler: HttpHandler, options: HttpServerOptions = {}) {
    this.handler = handler;
    this.receiveLimitBytes = options.receiveLimitBytes ?? RECEIVE_LIMIT_BYTES_DEFAULT;
    this.#clock = options.clock ?? new SystemClock();
    this.#onWarning = options.onWarning ?? (() => {});
    this.#onOpen = options.onOpen ?? (() => {});
    this.#onClose = options.onClose ?? (() => {});
    this.nowMs = this.#clock.monotonicMilliseconds();
    this.prefixes = new ReplyPrefixes(this.#clock.nowMicroseconds());
    this.timers = new TimerWheel(this.nowMs, (connection) => connection.onDeadline());
    this.#scheduledFlush = () => {
      this.#isFlushScheduled = false;
      this.flush();
    };
    this.#tickTimer = setInterval(() => this.tick(), TICK_MS);
    this.#tickTimer.unref();
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /**
   * Starts to listen; may be called for several addresses. Fails with the system's error (EADDRINUSE, EACCES, …).
   * A socket file that nobody listens on any more is replaced.
   */
  async listen(options: HttpListenOptions): Promise<HttpAddress> {
    const listener = createServer({
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_PROBE_MS,
      pauseOnConnect: true,
    });
    listener.on('connection', (socket) => this.#accept(socket, options));
    if ('path' in options) {
      await removeDeadSocket(options.path);
      await startListening(listener, { path: options.path, backlog: LISTEN_BACKLOG });
      await chmod(options.path, options.pathMode ?? SOCKET_MODE);
    } else {
      const target: ListenOptions = { port: options.port, backlog: LISTEN_BACKLOG };
      if (options.host !== undefined && options.host !== '*') target.host = options.host;
      if (options.reusePort) target.reusePort = true;
      await startListening(listener, target);
    }
    listener.on('error', this.#onWarning);
    this.#listeners.push(listener);
    if ('path' in options) return { path: options.path };
    const address = listener.address() as AddressInfo;
    return { host: address.address, port: address.port };
  }

  /** Serves one connection that was accepted elsewhere, or wrapped (TLS). */
  attach(socket: Socket, listener: HttpListenOptions): void {
    if (this.#isClosing) {
      socket.destroy();
      return;
    }
    const connection = new HttpConnection(this, socket, listener);
    socket.on('data', (chunk: Buffer) => connection.receive(chunk, chunk.length));
    this.#add(connection);
  }

  #add(connection: HttpConnection): void {
    this.acceptedCount++;
    this.#connections.add(connection);
    this.#onOpen(connection);
  }

  /**
   * An accepted connection moves to a socket that reads into memory shared by all connections of the server: a listener's
   * own sockets make a buffer, a view and an event of each read. See docs/decisions/shared-read-buffer.md.
   */
  #accept(accepted: Socket, listener: HttpListenOptions): void {
    const holder = accepted as unknown as { _handle?: unknown };
    const handle = holder._handle;
    if (typeof handle !== 'object' || handle === null || this.#isClosing) {
      this.attach(accepted, listener);
      accepted.resume();
      return;
    }
    holder._handle = null;
    const onread = {
      buffer: this.#readBuffer,
      callback: (byteCount: number): boolean => connection.receive(this.#readBuffer, byteCount),
    };
    const socket: Socket = new Socket({ handle, allowHalfOpen: true, onread } as SocketOptions);
    const connection = new HttpConnection(this, socket, listener);
    this.#add(connection);
  }

  /**
   * Writes what replies were completed since the last flush, one write a connection. Call it once after a batch of
   * completions; without a call it happens in a microtask. Requests that arrive are flushed by themselves.
   */
  flush(): void {
    // Setting the length of an array is a call into V8's runtime, and mostly there is nothing to flush.
    if (this.#isFlushing || this.#dirty.length === 0) return;
    this.#isFlushing = true;
    // Resumed connections may complete replies of others: the list grows while it is walked.
    for (let index = 0; index < this.#dirty.length; index++) {
      const connection = this.#dirty[index]!;
      connection.isDirty = false;
      connection.flush();
    }
    this.#dirty.length = 0;
    this.#isFlushing = false;
  }

  /** For connections: there is output to flush. */
  markDirty(connection: HttpConnection): void {
    connection.isDirty = true;
    this.#dirty.push(connection);
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    queueMicrotask(this.#scheduledFlush);
  }

  /** For connections: it is closed. */
  forget(connection: HttpConnection): void {
    if (this.#connections.delete(connection)) this.#onClose(connection);
    this.#settleClose();
  }

  /** Looks at the clock: closes connections whose time is over. Called by a timer every TICK_MS. */
  tick(): void {
    this.nowMs = this.#clock.monotonicMilliseconds();
    this.prefixes.refresh(this.#clock.nowMicroseconds());
    this.timers.advance(this.nowMs);
  }

  /**
   * Stops listening and closes every connection: idle ones at once, others after the replies of what the handler was given
   * (`isGraceful`), or all at once. May be called again to stop waiting. Resolves when no connection is left.
   */
  close(isGraceful: boolean): Promise<void> {
    this.#isClosing = true;
    for (const listener of this.#listeners.splice(0)) listener.close();
    for (const connection of [...this.#connections]) {
      if (isGraceful) connection.shutDown();
      else connection.destroy();
    }
    this.flush();
    return new Promise((resolve) => {
      this.#onAllClosed.push(resolve);
      this.#settleClose();
    });
  }

  #settleClose(): void {
    if (!this.#isClosing || this.#connections.size > 0) return;
    clearInterval(this.#tickTimer);
    for (const resolve of this.#onAllClosed.splice(0)) resolve();
  }
}

function startListening(listener: Server, options: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(options, () => {
      listener.off('error', reject);
      resolve();
    });
  });
}

/** Removes the file of a Unix socket whose server is gone: connecting to it is refused. */
async function removeDeadSocket(path: string): Promise<void> {
  const isSocket = await lstat(path).then(
    (stats) => stats.isSocket(),
    () => false,
  );
  if (!isSocket) return;
  const isDead = await new Promise<boolean>((resolve) => {
    const probe = connect({ path });
    probe.once('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
  if (isDead) await unlink(path);
}
