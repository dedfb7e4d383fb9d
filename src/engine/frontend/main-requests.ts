/**
 * What a frontend has main do: clients' statements that concern the database as a whole (DDL, SHOW, SET), each when
 * everything before it is over; and questions for what a program wants to know of the database.
 */

import { SqlError } from '../../base/errors.ts';
import type { Program } from '../../program/program.ts';
import type { Request, UtilityStatement } from '../../sql/ast/ast.ts';
import type { PendingRequest, Reply } from './pending-request.ts';
import { systemStatement, systemValue } from './system-values.ts';

/** Runs the statements that concern the database as a whole, in main. */
export interface UtilityPort {
  run(statement: UtilityStatement, settings: { format: string; timezone: string }, reply: Reply): void;
}

type WaitingUtility = { readonly request: PendingRequest; readonly statement: UtilityStatement };

export class MainRequests {
  readonly #port: UtilityPort;
  /** The request itself is over: main calls its reply. */
  readonly #release: (request: PendingRequest) => void;
  /** Main has said what the request asked, or has failed. */
  readonly #onAnswer: (request: PendingRequest, failure: SqlError | undefined) => void;
  /** Statements that wait for what came before them, in their order. */
  #waiting: WaitingUtility[] = [];
  /** Requests that wait for what main says. */
  #askingCount = 0;

  constructor(
    port: UtilityPort,
    release: (request: PendingRequest) => void,
    onAnswer: (request: PendingRequest, failure: SqlError | undefined) => void,
  ) {
    this.#port = port;
    this.#release = release;
    this.#onAnswer = onAnswer;
  }

  /** Requests that wait to be sent to main, or for what it says. */
  get count(): number {
    return this.#waiting.length + this.#askingCount;
  }

  /** Whether a statement waits for what came before it. */
  hasWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  add(request: PendingRequest, statement: UtilityStatement): void {
    this.#waiting.push({ request, statement });
  }

  /** Hands main the statements that came before the oldest request that is not over. */
  sendBefore(oldestSequence: number): void {
    while (this.#waiting.length > 0 && this.#waiting[0]!.request.sequence < oldestSequence) {
      const { request, statement } = this.#waiting.shift()!;
      const { reply, formatName, timeZone: zone } = request;
      this.#release(request);
      this.#port.run(statement, { format: formatName, timezone: zone.name }, reply);
    }
  }

  /** Asks main for what the program wants to know of the database; the request then has it in systemValues. */
  ask(request: PendingRequest, inputs: Program['systemInputs']): void {
    this.#askingCount++;
    const values = new Map<string, Uint8Array>();
    let leftCount = inputs.length;
    let failure: SqlError | undefined;
    const settings = { format: 'json', timezone: request.timeZone.name };
    for (const { what } of inputs)
      this.#port.run(systemStatement(what), settings, (error, body) => {
        failure ??= error;
        if (body !== undefined) values.set(what, systemValue(what, body));
        if (--leftCount > 0) return;
        this.#askingCount--;
        request.systemValues = values;
        this.#onAnswer(request, failure);
      });
  }
}

/** The statement that main runs, where the request's first one is of its kind; undefined where all are on rows. */
export function utilityStatementOf({ statements, explain }: Request): UtilityStatement | undefined {
  const first = statements[0]!;
  if (isRowStatement(first.kind)) return undefined;
  const statement = first as UtilityStatement;
  if (statements.length > 1)
    throw new SqlError('misplaced_statement', 'this statement must stand alone in its request', statement.position);
  if (explain !== 'none')
    throw new SqlError(
      'misplaced_statement',
      'EXPLAIN and PROFILE take SELECT, INSERT, UPDATE and DELETE',
      statement.position,
    );
  return statement;
}

function isRowStatement(kind: string): boolean {
  return kind === 'select' || kind === 'insert' || kind === 'update' || kind === 'delete' || kind === 'with';
}
