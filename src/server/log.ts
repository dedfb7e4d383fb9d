/**
 * The server log, for operators: one JSON object a line in `<repository>/log`, short text on standard output.
 *
 *   {"time":"2031-07-04T09:08:07.060Z","level":"info","message":"listening","address":"http://[::]:3485"}
 *   09:08:07.060 listening address=http://[::]:3485
 *
 * Only main writes; other threads send it their lines as messages (LogLine is plain data). A write is one synchronous
 * call that appends, so lines are whole, and the last one before an end is there. What goes in: names, numbers, paths,
 * statement shapes. What never goes in: secrets, tokens, constants of statements.
 */

import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';

export type LogLevel = 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, string | number | boolean | null>>;

export type LogLine = { readonly level: LogLevel; readonly message: string; readonly fields?: LogFields };

/** What the server is given to log with. `message` is a constant text, what varies goes into the fields. */
export interface ServerLog {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** Of the settings; SET may change them while the log is open. */
export type LogSettings = {
  readonly log_enable: boolean;
  readonly log_to_file: boolean;
  readonly log_to_stdout: boolean;
};

const FILE_MODE = 0o600;
const STANDARD_OUTPUT = 1;

export class RepositoryLog implements ServerLog {
  readonly #file: number;
  readonly #settings: LogSettings;
  readonly #now: () => Date;
  #isOpen = true;
  #hasFailed = false;

  /** Opens `<directory>/log` to append. `settings` is looked at for every line. */
  constructor(directory: string, settings: LogSettings, now: () => Date = () => new Date()) {
    this.#file = openSync(join(directory, 'log'), 'a', FILE_MODE);
    this.#settings = settings;
    this.#now = now;
  }

  info(message: string, fields?: LogFields): void {
    this.write('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.write('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.write('error', message, fields);
  }

  /** To the file only: what would fill a screen. */
  detail(message: string, fields: LogFields): void {
    this.#writeFile(this.#now().toISOString(), 'info', message, fields);
  }

  /** Also what a line of another thread goes through. */
  write(level: LogLevel, message: string, fields?: LogFields): void {
    const time = this.#now().toISOString();
    this.#writeFile(time, level, message, fields);
    const { log_enable, log_to_stdout } = this.#settings;
    if (log_enable && log_to_stdout) this.#append(STANDARD_OUTPUT, textLine(time, level, message, fields));
  }

  close(): void {
    if (this.#isOpen) closeSync(this.#file);
    this.#isOpen = false;
  }

  #writeFile(time: string, level: LogLevel, message: string, fields?: LogFields): void {
    const { log_enable, log_to_file } = this.#settings;
    if (this.#isOpen && log_enable && log_to_file) this.#append(this.#file, jsonLine(time, level, message, fields));
  }

  /** A log that cannot be written (disk full, pipe closed) does not stop the database. */
  #append(file: number, line: string): void {
    try {
      writeSync(file, line);
      this.#hasFailed = false;
    } catch (error) {
      if (file === STANDARD_OUTPUT || this.#hasFailed) return;
      this.#hasFailed = true;
      process.stderr.write(`the server log cannot be written, lines are lost: ${(error as Error).message}\n`);
    }
  }
}

/** One line of the file. The fields cannot replace time, level and message. */
export function jsonLine(time: string, level: LogLevel, message: string, fields?: LogFields): string {
  const own = { time, level, message };
  return `${JSON.stringify({ ...own, ...fields, ...own })}\n`;
}

/** One line for people: the time of day, the level unless it is info, the message, the fields. */
export function textLine(time: string, level: LogLevel, message: string, fields: LogFields = {}): string {
  const parts = [time.slice(11, 23)];
  if (level !== 'info') parts.push(level.toUpperCase());
  parts.push(message);
  for (const [name, value] of Object.entries(fields)) {
    const text = String(value);
    parts.push(`${name}=${/^[^\s"\p{Cc}]+$/u.test(text) ? text : JSON.stringify(text)}`);
  }
  return `${parts.join(' ')}\n`;
}
