/** A server in a process of its own, its clients, and what the tests of this folder ask of it. */

import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { after } from 'node:test';
import { HttpClient, type HttpReplyText } from '../../src/bench/http-client.ts';
import { type Outcome, REPOSITORY_PROGRAM, type Server, startServer, temporaryFolder } from '../cli/amelie.ts';

/** A condition that has not come true by then never will. */
const PATIENCE_MS = 30_000;
const CONNECTION_COUNT = 16;

/** Asks again until the condition holds. */
export async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  while (!(await isTrue())) {
    assert.ok(performance.now() < deadlineMs, `never: ${isTrue}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** What a request brings beside its SQL. */
export type JsonBody = { readonly params?: readonly unknown[]; readonly format?: string; readonly timezone?: string };

export class Database {
  readonly directory: string;
  readonly #settings: readonly string[];
  #server: Server | undefined;
  #client: HttpClient | undefined;

  private constructor(directory: string, settings: readonly string[]) {
    this.directory = directory;
    this.#settings = settings;
  }

  /** Makes a repository and starts its server; settings are `--name=value`. */
  static async start(...settings: string[]): Promise<Database> {
    const defaults = ['--frontends=2', '--backends=3', '--timezone_default=UTC', '--log_to_stdout=false'];
    const given = new Set(settings.map((setting) => setting.split('=')[0]));
    const all = [...settings, ...defaults.filter((setting) => !given.has(setting.split('=')[0]))];
    const database = new Database(temporaryFolder('server'), all);
    after(() => database.#client?.close());
    await database.restart();
    return database;
  }

  async restart(): Promise<void> {
    this.#client?.close();
    this.#server = await startServer(REPOSITORY_PROGRAM, this.directory, ...this.#settings);
    this.#client = this.newClient(CONNECTION_COUNT);
  }

  /** A client of its own, over TCP. */
  newClient(connectionCount: number): HttpClient {
    return new HttpClient({ host: '127.0.0.1', port: this.port }, connectionCount);
  }

  /** A client over the repository's Unix socket. */
  newSocketClient(connectionCount: number): HttpClient {
    return new HttpClient({ path: join(this.directory, 'amelie.sock') }, connectionCount);
  }

  get client(): HttpClient {
    return this.#client!;
  }

  get server(): Server {
    return this.#server!;
  }

  get port(): number {
    return Number(new URL(this.server.url).port);
  }

  /** Ends the server by a signal; gives how it ended. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Outcome> {
    this.server.process.kill(signal);
    this.client.close();
    return await this.server.ended;
  }

  send(sql: string): Promise<HttpReplyText> {
    return this.client.send('POST', '/', 'text/plain', sql);
  }

  /** Runs SQL that must succeed; the text of the result. */
  async text(sql: string): Promise<string> {
    const { status, content } = await this.send(sql);
    assert.ok(status < 300, `${sql.slice(0, 200)}: ${status} ${content}`);
    return content;
  }

  /** Runs SQL that must succeed; the result as JavaScript has it. */
  async rows(sql: string): Promise<unknown> {
    return JSON.parse(await this.text(sql));
  }

  /** Runs SQL that must fail with that code; a part of the message. */
  async fails(sql: string, code: string, part = ''): Promise<void> {
    checkError(await this.send(sql), 400, code, part);
  }

  /** Posts a JSON body with SQL and what belongs to it. */
  sendJson(sql: string, body: JsonBody = {}): Promise<HttpReplyText> {
    return this.client.send('POST', '/', 'application/json', JSON.stringify({ sql, ...body }));
  }

  import(path: string, contentType: string, body: string | Uint8Array): Promise<HttpReplyText> {
    return this.client.send('POST', path, contentType, body);
  }
}

/** The reply is an error object with that code, and a message with that part. */
export function checkError({ status, content }: HttpReplyText, expected: number, code: string, part = ''): void {
  const { msg, code: actual } = JSON.parse(content) as { msg: string; code: string };
  assert.deepEqual([status, actual], [expected, code], content);
  assert.ok(msg.includes(part), `${msg} has no ${part}`);
}

/** The reply has that status and exactly that body. */
export function checkReply({ status, content }: HttpReplyText, expected: number, body: string): void {
  assert.deepEqual([status, content], [expected, body]);
}

/** One connection on which requests go out without waiting for replies. */
export class Pipeline {
  readonly socket: Socket;
  readonly replies: HttpReplyText[] = [];
  isClosed = false;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(port: number) {
    this.socket = connect({ host: '127.0.0.1', port, noDelay: true });
    this.socket.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      while (this.#takeReply());
    });
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.isClosed = true;
    });
  }

  /** Sends requests of SQL in one write. */
  sendSql(...texts: string[]): void {
    this.socket.write(Buffer.concat(texts.map((text) => encodeRequest('/', 'text/plain', text))));
  }

  /** Waits for that many replies in all. */
  async received(count: number): Promise<readonly HttpReplyText[]> {
    await until(() => this.replies.length >= count || this.isClosed);
    assert.equal(this.replies.length, count);
    return this.replies;
  }

  #takeReply(): boolean {
    const headEnd = this.#bytes.indexOf('\r\n\r\n');
    if (headEnd < 0) return false;
    const head = this.#bytes.subarray(0, headEnd).toString('latin1');
    const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
    const end = headEnd + 4 + length;
    if (this.#bytes.length < end) return false;
    const status = Number(head.split(' ')[1]);
    this.replies.push({ status, content: this.#bytes.subarray(headEnd + 4, end).toString() });
    this.#bytes = this.#bytes.subarray(end);
    return true;
  }
}

/** The bytes of a request. */
export function encodeRequest(path: string, contentType: string, body: string): Buffer {
  const length = Buffer.byteLength(body);
  return Buffer.from(
    `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: ${contentType}\r\nContent-Length: ${length}\r\n\r\n${body}`,
  );
}
