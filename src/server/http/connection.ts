/**
 * One connection: bytes in, requests in order, replies in order, bytes out.
 *
 * ```
 *                 head complete,                 head complete,
 *            body not all there yet            chunked body
 *   ┌──────▶ 1 BODY ◀──────────── 0 HEAD ────────────▶ 2 CHUNKS ──────┐
 *   │          │ all bytes there    ▲ │ body all there     │ last chunk│
 *   │          └──────▶ #dispatch ──┘ └──▶ #dispatch ◀─────┘          │
 *   │                      │ the request asks to close                │
 *   └──────────────────────┼───────── #refuse, #stopReading, onClose ─┘
 *                          ▼
 *                      3 DEAF: input is thrown away; #finish once the last reply is out
 * ```
 * In 0 to 2 `#rest` holds input that is not parsed yet: an incomplete line, or whole requests while the connection is
 * paused. Paused means that the socket is not read because too much is unsent or unanswered; nothing is parsed then.
 *
 * Replies: `#oldest` to `#newest` are unanswered requests in order. A reply that completes first in line is encoded straight
 * into `#output`; any other is kept encoded until those before it are there. `#output` is written once for all requests of a
 * readable event, and once for a batch of later completions (HttpServer.flush). The kernel takes the bytes at once in most
 * cases, which shows as writableLength 0, and the buffer goes back to the pool; otherwise it belongs to the socket.
 */

import type { Socket } from 'node:net';
import { BodyBuffer } from './body.ts';
import { ChunkedDecoder } from './chunked.ts';
import { parseHead } from './head.ts';
import {
  BODY_TIMEOUT_MS,
  EARLY_WRITE_BYTES,
  HEAD_TIMEOUT_MS,
  LINGER_TIMEOUT_MS,
  TICK_MS,
  UNANSWERED_REQUESTS_MAX,
  UNSENT_BYTES_MAX,
} from './limits.ts';
import { bodyTooLarge, type Refusal } from './refusals.ts';
import {
  bodyBytesOf,
  encodeReply,
  HttpReply,
  JSON_TYPE,
  METHODS,
  prefixOf,
  type ReplyBody,
  replyBytesMax,
} from './reply.ts';
import { HttpRequest, NO_BYTES } from './request.ts';
import type { HttpListenOptions, HttpServer } from './server.ts';
import type { Timed } from './timeouts.ts';

const CONTINUE_LINES = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n', 'latin1');
/** Smallest output buffer: many small replies fit. */
const OUTPUT_BYTES_MIN = 4096;

export class HttpConnection implements Timed {
  readonly server: HttpServer;
  /** What was given to `listen`: where the client came in. */
  readonly listener: HttpListenOptions;
  isClosed = false;

  /** Belong to the timer wheel. */
  deadlineMs: number = Number.POSITIVE_INFINITY;
  wheelTick = -1;
  /** Belongs to the server: whether it is in its list of connections to flush. */
  isDirty = false;

  readonly #socket: Socket;
  readonly #request: HttpRequest;
  readonly #body: BodyBuffer;
  #chunks: ChunkedDecoder | null = null;
  #state = 0;
  #rest: Buffer = NO_BYTES;
  #restBytes = 0;

  #oldest: HttpReply | null = null;
  #newest: HttpReply | null = null;
  #unansweredCount = 0;
  #output: Buffer = NO_BYTES;
  #outputBytes = 0;

  #isPaused = false;
  /** More than UNSENT_BYTES_MAX are with the socket; until it drains. */
  #isBlocked = false;
  #isParsing = false;
  /** `100 Continue` leaves as soon as the requests before are answered. */
  #owesContinue = false;
  /** The last reply of this connection is encoded. */
  #isEnding = false;
  /** Ends when nothing is unanswered: the client has ended, or the server stops. */
  #endsWhenAnswered = false;
  #isFinished = false;
  /** What the deadline is for: 0 nothing, 1 the head, 2 the body, 3 the client's end. */
  #deadlineKind = 0;

  constructor(server: HttpServer, socket: Socket, listener: HttpListenOptions) {
    this.server = server;
    this.listener = listener;
    this.#socket = socket;
    this.#request = new HttpRequest(this);
    this.#body = new BodyBuffer(server.pool);
    socket.on('drain', () => this.#onDrain());
    socket.on('end', () => this.#onEnd());
    socket.on('finish', () => this.#onFinish());
    socket.on('close', () => this.#onClose());
    // A reset by the client: 'close' follows.
    socket.on('error', ignore);
  }

  /** The client's address, undefined on a Unix socket. */
  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress;
  }

  // ---- input

  /** HttpServer only: the first `byteCount` bytes of `bytes` have come. They are the caller's again when it returns. */
  receive(bytes: Buffer, byteCount: number): boolean {
    this.server.receivedBytes += byteCount;
    if (this.#state === 3) return true;
    if (this.#restBytes === 0) {
      if (this.#isPaused) this.#keepRest(bytes, 0, byteCount);
      else this.#advance(bytes, byteCount);
    } else {
      this.#appendRest(bytes, byteCount);
      if (!this.#isPaused) this.#advance(this.#rest, this.#restBytes);
    }
    this.server.flush();
    return true;
  }

  /** Parses bytes[0, end), keeps what is not parsed, and sets the deadline for what is missing. */
  #advance(bytes: Buffer, end: number): void {
    this.#isParsing = true;
    const position = this.#parse(bytes, end);
    this.#isParsing = false;
    if (this.#state === 3) {
      this.#dropInput();
      return;
    }
    this.#keepRest(bytes, position, end);
    if (this.#state !== 0) {
      this.#arm(2, BODY_TIMEOUT_MS);
    } else if (this.#restBytes === 0 && this.#request.headPhase === 0) {
      this.#disarm();
    } else if (this.#deadlineKind !== 1) {
      // Counts from the first byte of the head: more bytes of the same head do not move it.
      this.#arm(1, HEAD_TIMEOUT_MS);
    }
  }

  /** Handles every complete request in bytes[0, end) until the connection pauses; returns where it stopped. */
  #parse(bytes: Buffer, end: number): number {
    const request = this.#request;
    let position = 0;
    while (position < end && this.#state !== 3 && !this.#isPaused) {
      if (this.#state === 0) {
        position = parseHead(request, bytes, position, end, this.server.headTemplate);
        if (request.refusal !== null) {
          this.#refuse(request.refusal);
          break;
        }
        if (request.headPhase !== 2) break;
        position = this.#beginBody(bytes, position, end);
      } else if (this.#state === 1) {
        const stop = Math.min(end, position + request.contentLength - this.#body.length);
        this.#body.append(bytes, position, stop);
        position = stop;
        this.#owesContinue = false;
        if (this.#body.length === request.contentLength) this.#dispatch(this.#body.buffer, 0, this.#body.length);
      } else {
        const chunks = this.#chunks!;
        const stop = chunks.decode(bytes, position, end, this.#body, this.server.receiveLimitBytes);
        this.#owesContinue = false;
        if (chunks.refusal !== null) this.#refuse(chunks.refusal);
        else if (chunks.isDone) this.#dispatch(this.#body.buffer, 0, this.#body.length);
        else return stop;
        position = stop;
      }
    }
    return position;
  }

  /** The head is complete: dispatches where the body is here already, which needs no copy. Returns the new position. */
  #beginBody(bytes: Buffer, position: number, end: number): number {
    const request = this.#request;
    const bodyBytes = Math.max(request.contentLength, 0);
    if (bodyBytes > this.server.receiveLimitBytes) {
      this.#refuse(bodyTooLarge(this.server.receiveLimitBytes));
    } else if (request.isChunked) {
      this.#chunks ??= new ChunkedDecoder();
      this.#chunks.reset();
      this.#state = 2;
    } else if (end - position >= bodyBytes) {
      this.#dispatch(bytes, position, position + bodyBytes);
      return position + bodyBytes;
    } else {
      this.#state = 1;
    }
    if (this.#state !== 3 && request.expectsContinue && request.minorVersion === 1 && position === end) {
      this.#owesContinue = true;
      this.#payContinue();
    }
    return position;
  }

  /** Gives a complete request, with its body in bytes[start, end), to the handler. */
  #dispatch(bytes: Buffer, start: number, end: number): void {
    const request = this.#request;
    const reply = this.#openReply();
    if (!request.isKeptAlive) {
      reply.isLast = true;
      this.#state = 3;
    } else if (request.minorVersion === 0) {
      reply.announcesKeepAlive = true;
    }
    this.#deadlineKind = 0;
    if (request.method === 'POST' || request.method === 'GET') {
      request.bytes = bytes;
      request.bodyStart = start;
      request.bodyEnd = end;
      this.server.handler.handle(request, reply);
    } else {
      reply.omitsBody = request.method === 'HEAD';
      reply.sendMethodNotAllowed(METHODS);
    }
    request.reset();
    this.#body.release();
    if (this.#outputBytes > EARLY_WRITE_BYTES) this.#write();
    if (this.#state === 3) return;
    this.#state = 0;
    if (this.#unansweredCount >= UNANSWERED_REQUESTS_MAX) this.#pause();
  }

  /** Answers what is no request, after the replies before it, and ends the connection: nobody knows where the next starts. */
  #refuse(refusal: Refusal): void {
    const reply = this.#openReply();
    reply.isLast = true;
    reply.omitsBody = this.#request.method === 'HEAD';
    reply.send(refusal.status, refusal.body);
    this.#state = 3;
  }

  #keepRest(bytes: Buffer, position: number, end: number): void {
    const restBytes = end - position;
    if (restBytes === 0) {
      if (this.#rest === NO_BYTES) return;
      this.server.pool.give(this.#rest);
      this.#rest = NO_BYTES;
    } else if (bytes === this.#rest) {
      bytes.copyWithin(0, position, end);
    } else {
      this.#rest = this.server.pool.take(restBytes);
      bytes.copy(this.#rest, 0, position, end);
    }
    this.#restBytes = restBytes;
  }

  #appendRest(chunk: Buffer, byteCount: number): void {
    const restBytes = this.#restBytes + byteCount;
    if (restBytes > this.#rest.length) this.#rest = this.server.pool.grow(this.#rest, this.#restBytes, restBytes);
    chunk.copy(this.#rest, this.#restBytes, 0, byteCount);
    this.#restBytes = restBytes;
  }

  /** Gives the memory of unparsed input back; while a handler runs, its request may lie there. */
  #dropInput(): void {
    if (this.#isParsing) return;
    this.#keepRest(this.#rest, 0, 0);
    this.#body.release();
    this.#disarm();
  }

  #stopReading(): void {
    this.#state = 3;
    this.#owesContinue = false;
    this.#dropInput();
  }

  #pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#socket.pause();
  }

  #tryResume(): void {
    if (!this.#isPaused || this.#isParsing || this.#isBlocked) return;
    if (this.#unansweredCount > UNANSWERED_REQUESTS_MAX / 2) return;
    this.#isPaused = false;
    if (this.#restBytes > 0 && this.#state !== 3) this.#advance(this.#rest, this.#restBytes);
    if (!this.#isPaused) this.#socket.resume();
  }

  // ---- output

  #openReply(): HttpReply {
    const reply = new HttpReply(this);
    if (this.#newest === null) this.#oldest = reply;
    else this.#newest.next = reply;
    this.#newest = reply;
    this.#unansweredCount++;
    return reply;
  }

  /** HttpReply only: takes the content of a reply. */
  complete(reply: HttpReply, status: number, body: ReplyBody, contentType: string, extraHeaders: string): void {
    if (this.isClosed || this.#isEnding) return;
    if (status === 401) {
      reply.isLast = true;
      this.#stopReading();
    }
    const endsConnection =
      reply.isLast || (this.#endsWhenAnswered && reply.next === null && (this.#restBytes === 0 || this.#state === 3));
    const prefix =
      contentType === JSON_TYPE
        ? this.server.prefixes.get(status)
        : prefixOf(this.server.prefixes, status, contentType);
    const bodyBytes = bodyBytesOf(body);
    const bytesMax = replyBytesMax(prefix, bodyBytes, extraHeaders);
    if (reply !== this.#oldest) {
      const encoded = this.server.pool.take(bytesMax);
      reply.encodedBytes = encodeReply(
        encoded,
        0,
        reply,
        prefix,
        status,
        body,
        bodyBytes,
        extraHeaders,
        endsConnection,
      );
      reply.encoded = encoded;
      return;
    }
    this.#reserve(bytesMax);
    this.#outputBytes = encodeReply(
      this.#output,
      this.#outputBytes,
      reply,
      prefix,
      status,
      body,
      bodyBytes,
      extraHeaders,
      endsConnection,
    );
    this.#passOldest(reply);
    if (!this.isDirty) this.server.markDirty(this);
  }

  /** `reply`, the oldest, is in the output: appends those behind it that are encoded already. */
  #passOldest(reply: HttpReply): void {
    for (;;) {
      this.#unansweredCount--;
      const next = reply.next;
      reply.next = null;
      this.#oldest = next;
      if (reply.isLast) {
        this.#isEnding = true;
        this.#dropReplies();
        return;
      }
      if (next === null) {
        this.#newest = null;
        if (this.#owesContinue) this.#payContinue();
        return;
      }
      if (next.encoded === null) return;
      this.#reserve(next.encodedBytes);
      next.encoded.copy(this.#output, this.#outputBytes, 0, next.encodedBytes);
      this.#outputBytes += next.encodedBytes;
      this.server.pool.give(next.encoded);
      next.encoded = null;
      reply = next;
    }
  }

  /** Nothing of what is still unanswered leaves. */
  #dropReplies(): void {
    for (let reply = this.#oldest; reply !== null; reply = reply.next) {
      if (reply.encoded !== null) this.server.pool.give(reply.encoded);
      reply.encoded = null;
    }
    this.#oldest = null;
    this.#newest = null;
    this.#unansweredCount = 0;
  }

  #payContinue(): void {
    if (this.#oldest !== null) return;
    this.#owesContinue = false;
    this.#reserve(CONTINUE_LINES.length);
    this.#output.set(CONTINUE_LINES, this.#outputBytes);
    this.#outputBytes += CONTINUE_LINES.length;
    if (!this.isDirty) this.server.markDirty(this);
  }

  #reserve(byteCount: number): void {
    const needed = this.#outputBytes + byteCount;
    if (needed <= this.#output.length) return;
    const pool = this.server.pool;
    if (this.#output === NO_BYTES) this.#output = pool.take(Math.max(needed, OUTPUT_BYTES_MIN));
    else this.#output = pool.grow(this.#output, this.#outputBytes, needed);
  }

  #write(): void {
    const byteCount = this.#outputBytes;
    if (byteCount === 0) return;
    const output = this.#output;
    this.#output = NO_BYTES;
    this.#outputBytes = 0;
    this.server.sentBytes += byteCount;
    this.#socket.write(this.server.pool.view(output, byteCount));
    const unsentBytes = this.#socket.writableLength;
    if (unsentBytes === 0) this.server.pool.give(output);
    if (unsentBytes > UNSENT_BYTES_MAX) {
      this.#isBlocked = true;
      this.#pause();
    }
  }

  /** HttpServer only: writes what is encoded, then ends or resumes where that is due. */
  flush(): void {
    if (this.isClosed) return;
    this.#write();
    if (this.#isEnding) {
      this.#finish();
      return;
    }
    if (this.#isPaused) this.#tryResume();
    // Paused input may hold whole requests: they are served first.
    const isAllRead = !this.#isPaused || this.#state === 3;
    if (this.#endsWhenAnswered && this.#oldest === null && isAllRead && this.#outputBytes === 0) this.#finish();
  }

  #onDrain(): void {
    this.#isBlocked = false;
    this.flush();
    this.server.flush();
  }

  // ---- the end

  #onEnd(): void {
    this.#endsWhenAnswered = true;
    this.#disarm();
    this.flush();
    this.server.flush();
  }

  /** HttpServer only: answers what was handed to the handler, then closes. */
  shutDown(): void {
    this.#endsWhenAnswered = true;
    this.#stopReading();
    const isIdle = this.#oldest === null && this.#outputBytes === 0 && this.#socket.writableLength === 0;
    if (isIdle && !this.#isFinished) this.#socket.destroy();
    else if (!this.isDirty) this.server.markDirty(this);
  }

  /** HttpServer only: closes at once, whatever is unsent. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** Ends our side. The client's is read on for a while: closing with unread input would reset the reply away. */
  #finish(): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#stopReading();
    this.#socket.end();
    this.#isPaused = false;
    this.#socket.resume();
  }

  #onFinish(): void {
    this.#arm(3, LINGER_TIMEOUT_MS);
  }

  #onClose(): void {
    this.isClosed = true;
    this.#stopReading();
    this.#dropReplies();
    if (this.#output !== NO_BYTES) this.server.pool.give(this.#output);
    this.#output = NO_BYTES;
    this.#outputBytes = 0;
    this.server.timers.remove(this);
    this.server.forget(this);
  }

  #arm(kind: number, durationMs: number): void {
    if (this.isClosed) return;
    this.#deadlineKind = kind;
    // The server's time may be a tick old: no deadline comes early.
    this.server.timers.arm(this, this.server.nowMs + durationMs + TICK_MS);
  }

  #disarm(): void {
    this.#deadlineKind = 0;
    if (this.deadlineMs !== Number.POSITIVE_INFINITY) this.server.timers.disarm(this);
  }

  /** HttpServer only: the deadline has passed. */
  onDeadline(): void {
    const kind = this.#deadlineKind;
    if (kind === 3) {
      this.#socket.destroy();
    } else if (this.#isPaused) {
      // It is us who do not read.
      this.#arm(kind, kind === 1 ? HEAD_TIMEOUT_MS : BODY_TIMEOUT_MS);
    } else {
      this.#endsWhenAnswered = true;
      this.#stopReading();
      this.flush();
    }
  }
}

function ignore(): void {}
