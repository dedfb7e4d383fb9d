/** Statements that took longer than `log_slow_ms`, from their arrival to their reply: told by their shape. */

import type { PendingRequest, Reply } from './pending-request.ts';
import type { ProgramCache } from './program-cache.ts';

export type SlowStatement = {
  readonly milliseconds: number;
  /** Its text without its constants. */
  readonly statement: string;
  /** Of its error; undefined where it succeeded. */
  readonly errorCode: string | undefined;
};

export class SlowStatements {
  readonly #cache: ProgramCache;
  readonly #nowMs: () => number;
  readonly #onSlow: (slow: SlowStatement) => void;

  constructor(cache: ProgramCache, nowMs: () => number, onSlow: (slow: SlowStatement) => void) {
    this.#cache = cache;
    this.#nowMs = nowMs;
    this.#onSlow = onSlow;
  }

  /** A request on rows has taken so long. */
  tell(request: PendingRequest, milliseconds: number, errorCode: string | undefined): void {
    this.#onSlow({ milliseconds, statement: this.#textOf(request), errorCode });
  }

  /** The reply of a statement that main runs, which tells when it took longer than `limitMs`. */
  watch(kind: string, startedMs: number, limitMs: number, reply: Reply): Reply {
    return (error, body) => {
      const milliseconds = this.#nowMs() - startedMs;
      // As its kind is named in the tree: createTable.
      const statement = kind.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
      if (milliseconds > limitMs) this.#onSlow({ milliseconds, statement, errorCode: error?.code });
      reply(error, body);
    };
  }

  #textOf({ importRequest, entry }: PendingRequest): string {
    if (importRequest !== undefined) return `import into ${importRequest.schema}.${importRequest.table}`;
    const text = entry === undefined ? undefined : this.#cache.textOf(entry);
    return text ?? 'a statement that is kept under no shape';
  }
}
