/**
 * What a frontend tells the server log of its connections (`log_connections`) and of statements that took long
 * (`log_slow_ms`): shapes of statements, never their constants. Of each of the two at most so many lines a second; how many
 * were left out stands in the next one.
 */

import type { Clock } from '../../base/effects.ts';
import type { SlowStatement } from '../../engine/frontend/slow-statements.ts';
import type { LogFields, LogLine } from '../log.ts';

const LINES_PER_SECOND = 100;
/** Characters of a statement in the log. */
const STATEMENT_LENGTH_MAX = 2000;

/** Of a connection, what is told. */
export interface LoggedConnection {
  readonly remoteAddress: string | undefined;
}

type Open = { readonly number: number; readonly client: string; readonly openedMs: number };

export class Diagnostics {
  /** SET may change it while connections are open: of those only the end is missing, or only the end is there. */
  isLoggingConnections: boolean;
  readonly #send: (line: LogLine) => void;
  readonly #clock: Clock;
  readonly #frontend: number;
  readonly #open = new WeakMap<LoggedConnection, Open>();
  readonly #connectionLines: LineLimit;
  readonly #slowLines: LineLimit;
  #connectionCount = 0;

  constructor(frontend: number, clock: Clock, isLoggingConnections: boolean, send: (line: LogLine) => void) {
    this.#frontend = frontend;
    this.#clock = clock;
    this.isLoggingConnections = isLoggingConnections;
    this.#send = send;
    this.#connectionLines = new LineLimit(clock);
    this.#slowLines = new LineLimit(clock);
  }

  opened(connection: LoggedConnection): void {
    if (!this.isLoggingConnections) return;
    const open = {
      number: ++this.#connectionCount,
      client: connection.remoteAddress ?? 'unix socket',
      openedMs: this.#clock.monotonicMilliseconds(),
    };
    this.#open.set(connection, open);
    this.#tellConnection('connection opened', open, {});
  }

  closed(connection: LoggedConnection): void {
    const open = this.#open.get(connection);
    if (open === undefined || !this.isLoggingConnections) return;
    this.#open.delete(connection);
    const ms = Math.round(this.#clock.monotonicMilliseconds() - open.openedMs);
    this.#tellConnection('connection closed', open, { ms });
  }

  /** A statement has taken longer than log_slow_ms. */
  slow({ milliseconds, statement, errorCode }: SlowStatement): void {
    const isWhole = statement.length <= STATEMENT_LENGTH_MAX;
    this.#tell(this.#slowLines, 'warn', 'slow statement', {
      ms: Math.round(milliseconds),
      statement: isWhole ? statement : `${statement.slice(0, STATEMENT_LENGTH_MAX)} …`,
      ...(errorCode === undefined ? {} : { error: errorCode }),
    });
  }

  #tellConnection(message: string, { number, client }: Open, fields: LogFields): void {
    const connection = `${this.#frontend}.${number}`;
    this.#tell(this.#connectionLines, 'info', message, { connection, client, ...fields });
  }

  #tell(limit: LineLimit, level: LogLine['level'], message: string, fields: LogFields): void {
    if (!limit.takes()) return;
    const leftOut = limit.leftOut();
    this.#send({ level, message, fields: leftOut === 0 ? fields : { ...fields, left_out: leftOut } });
  }
}

/** So many lines a second, the rest is counted. */
class LineLimit {
  readonly #clock: Clock;
  #secondEndMs = Number.NEGATIVE_INFINITY;
  #lineCount = 0;
  #leftOutCount = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  takes(): boolean {
    const nowMs = this.#clock.monotonicMilliseconds();
    if (nowMs >= this.#secondEndMs) {
      this.#secondEndMs = nowMs + 1000;
      this.#lineCount = 0;
    }
    if (this.#lineCount < LINES_PER_SECOND) {
      this.#lineCount++;
      return true;
    }
    this.#leftOutCount++;
    return false;
  }

  /** Lines left out since the last call. */
  leftOut(): number {
    const count = this.#leftOutCount;
    this.#leftOutCount = 0;
    return count;
  }
}
