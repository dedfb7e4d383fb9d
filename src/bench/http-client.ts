/** A plain HTTP client for what is not measured: making tables, loading rows, asking single questions. */

import { Agent, request } from 'node:http';
import { serverMessage } from './load-connection.ts';
import type { Target } from './target.ts';

export type HttpReplyText = { readonly status: number; readonly content: string };

export class HttpClient {
  readonly #target: Target;
  readonly #agent: Agent;

  /** `connectionCount`: how many requests may be under way at a time. */
  constructor(target: Target, connectionCount = 1) {
    this.#target = target;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connectionCount });
  }

  /** Runs SQL as one transaction; the content of the reply, empty where there is no result. A refusal is an Error. */
  async sql(text: string): Promise<string> {
    return this.#accept(await this.send('POST', '/', 'text/plain', text));
  }

  /** Posts to a path, such as rows to `/schema/table`. A refusal is an Error. */
  async post(path: string, contentType: string, body: string | Uint8Array): Promise<string> {
    return this.#accept(await this.send('POST', path, contentType, body));
  }

  send(method: string, path: string, contentType: string, body: string | Uint8Array): Promise<HttpReplyText> {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const place =
      'path' in this.#target ? { socketPath: this.#target.path } : { host: this.#target.host, port: this.#target.port };
    return new Promise((resolve, reject) => {
      const headers = { 'Content-Type': contentType, 'Content-Length': bytes.byteLength };
      const outgoing = request({ ...place, agent: this.#agent, method, path, headers }, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () =>
          resolve({ status: incoming.statusCode ?? 0, content: Buffer.concat(chunks).toString('utf8') }),
        );
      });
      outgoing.on('error', reject);
      outgoing.end(bytes);
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  #accept(reply: HttpReplyText): string {
    if (reply.status >= 300) throw new Error(serverMessage(reply.status, reply.content));
    return reply.content;
  }
}
