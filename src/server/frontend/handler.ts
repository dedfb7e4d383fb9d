/**
 * From HTTP requests to the engine and back: what each path does, the statuses of the reference, and the order of a
 * connection. A statement that main runs (DDL, SHOW, SET) holds back what the same connection sends behind it.
 */

import { SqlError } from '../../base/errors.ts';
import type { FrontendEngine } from '../../engine/frontend/frontend-engine.ts';
import type { ImportRequest, Reply } from '../../engine/frontend/pending-request.ts';
import { CsvRows, readCsvHeader } from '../../program/import/csv-rows.ts';
import { JsonRows } from '../../program/import/json-rows.ts';
import type { HttpConnection } from '../http/connection.ts';
import type { HttpReply } from '../http/reply.ts';
import type { HttpRequest } from '../http/request.ts';
import type { HttpHandler } from '../http/server.ts';
import { parseTarget } from '../http/target.ts';
import { readJsonRequest } from './json-request.ts';

/** Requests of a connection that wait for one that main runs. */
type Held = { readonly run: () => void };

export class FrontendHandler implements HttpHandler {
  readonly #engine: FrontendEngine;
  readonly #onWork: () => void;
  readonly #held = new WeakMap<HttpConnection, Held[]>();
  /** False while starting and stopping: requests get 503. */
  isServing = false;

  /** @param onWork called when the engine has been given something to do */
  constructor(engine: FrontendEngine, onWork: () => void) {
    this.#engine = engine;
    this.#onWork = onWork;
  }

  handle(request: HttpRequest, reply: HttpReply): void {
    try {
      this.#route(request, reply);
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      reply.sendError(statusOf(error), error);
    }
  }

  #route(request: HttpRequest, reply: HttpReply): void {
    const { target } = request;
    if (!this.isServing) {
      reply.sendError(503, new SqlError('shutting_down', 'the server is starting or stopping'));
      return;
    }
    if (target === '/') {
      if (request.method !== 'POST') reply.sendMethodNotAllowed('POST');
      else this.#statement(request, reply);
      return;
    }
    const { segments, parameters } = parseTarget(target);
    if (segments.length === 1 && segments[0] === 'health') {
      if (request.method !== 'GET') reply.sendMethodNotAllowed('GET');
      else reply.send(200, '{"status": "ok"}');
    } else if (segments.length === 0 && request.method === 'POST') this.#statement(request, reply);
    else if (segments.length === 2) {
      if (request.method !== 'POST') reply.sendMethodNotAllowed('POST');
      else this.#import(request, reply, segments[0]!, segments[1]!, parameters);
    } else reply.sendError(404, new SqlError('not_found', `there is nothing at ${request.path}`));
  }

  #statement(request: HttpRequest, reply: HttpReply): void {
    const { contentType } = request;
    if (contentType === 'text/plain' || contentType === 'application/sql') {
      this.#execute(
        request.connection,
        reply,
        request.bytes,
        request.bodyStart,
        request.bodyEnd,
        undefined,
        undefined,
        undefined,
      );
    } else if (contentType === 'application/json') {
      const { bytes, start, end, parameters, format, timezone } = readJsonRequest(
        request.bytes,
        request.bodyStart,
        request.bodyEnd,
      );
      this.#execute(request.connection, reply, bytes, start, end, parameters, format, timezone);
    } else reply.sendError(415, unsupported(contentType, 'text/plain, application/sql or application/json'));
  }

  #execute(
    connection: HttpConnection,
    reply: HttpReply,
    bytes: Uint8Array,
    start: number,
    end: number,
    parameters: Parameters<FrontendEngine['execute']>[3],
    format: string | undefined,
    timezone: string | undefined,
  ): void {
    const held = this.#held.get(connection);
    if (held !== undefined) {
      const copy = copyOf(bytes, start, end);
      held.push({ run: () => this.#execute(connection, reply, copy, 0, copy.length, parameters, format, timezone) });
      return;
    }
    let isAnswered = false;
    let isHolding = false;
    const isUnordered = this.#engine.execute(bytes, start, end, parameters, format, timezone, (error, body) => {
      isAnswered = true;
      answer(reply, error, body);
      if (isHolding) this.#letGo(connection);
    });
    if (isUnordered && !isAnswered) {
      isHolding = true;
      this.#held.set(connection, []);
    }
    this.#onWork();
  }

  /** The statement that held back the others is over. */
  #letGo(connection: HttpConnection): void {
    const held = this.#held.get(connection)!;
    this.#held.delete(connection);
    for (const [index, { run }] of held.entries()) {
      const next = this.#held.get(connection);
      if (next === undefined) run();
      else {
        next.push(...held.slice(index));
        return;
      }
    }
  }

  #import(
    request: HttpRequest,
    reply: HttpReply,
    schema: string,
    table: string,
    parameters: ReadonlyMap<string, string>,
  ): void {
    for (const name of parameters.keys())
      if (name !== 'columns' && name !== 'header')
        throw new SqlError('invalid_request', `unknown request parameter '${name}'`);
    const { contentType } = request;
    const wanted = parameters.get('columns');
    let columns = wanted === undefined ? undefined : wanted === '' ? [] : wanted.split(',');
    const header = parameters.get('header');
    if (header !== undefined && header !== 'true' && header !== 'false')
      throw new SqlError('invalid_request', `request parameter 'header' must be true or false, not '${header}'`);
    const hasHeader = header === 'true';
    if (hasHeader && contentType !== 'text/csv')
      throw new SqlError('invalid_request', "request parameter 'header' belongs to text/csv");
    if (hasHeader && columns !== undefined)
      throw new SqlError('invalid_request', "'columns' may not be given where the header names the columns");
    const hasColumns = columns !== undefined;
    let rows: ImportRequest['rows'];
    if (contentType === 'application/json' || contentType === 'application/jsonl') {
      const isLines = contentType === 'application/jsonl';
      rows = (body, length) => new JsonRows(body, 0, length, isLines, hasColumns);
    } else if (contentType === 'text/csv') {
      let rowsStart = 0;
      if (hasHeader) {
        const found = readCsvHeader(request.bytes, request.bodyStart, request.bodyEnd);
        columns = [...found.columns];
        rowsStart = found.rowsStart - request.bodyStart;
      }
      rows = (body, length) => new CsvRows(body, 0, length, rowsStart);
    } else {
      reply.sendError(415, unsupported(contentType, 'application/json, application/jsonl or text/csv'));
      return;
    }
    const target: ImportRequest = { schema, table, columns, rows };
    this.#insert(request.connection, reply, target, request.bytes, request.bodyStart, request.bodyEnd);
  }

  #insert(
    connection: HttpConnection,
    reply: HttpReply,
    target: ImportRequest,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    const held = this.#held.get(connection);
    if (held !== undefined) {
      const copy = copyOf(bytes, start, end);
      held.push({ run: () => this.#insert(connection, reply, target, copy, 0, copy.length) });
      return;
    }
    this.#engine.import(target, bytes, start, end, undefined, (error, body) => answer(reply, error, body));
    this.#onWork();
  }
}

/** Of bytes that are the connection's again when its handler returns; a Buffer's own slice would be a view. */
function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(bytes.subarray(start, end));
}

const answer = (reply: HttpReply, error: Parameters<Reply>[0], body: Parameters<Reply>[1]): void => {
  if (error !== undefined) reply.sendError(statusOf(error), error);
  else if (body === undefined) reply.send(204, null);
  else reply.send(200, body);
};

function statusOf(error: SqlError): number {
  if (error.code === 'not_found') return 404;
  return error.code === 'shutting_down' ? 503 : 400;
}

function unsupported(contentType: string, expected: string): SqlError {
  const what = contentType === 'none' ? 'the content type is missing' : 'the content type is not supported here';
  return new SqlError('invalid_request', `${what}: expected ${expected}`);
}
