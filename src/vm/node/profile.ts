/** What PROFILE tells of a part: rows passed and time, statement by statement. */

export type StatementProfile = { readonly statement: number; readonly rows: number; readonly ms: number };

/** Counts one part. Time is in milliseconds from any origin. */
export class PartProfile {
  readonly statements: StatementProfile[] = [];
  readonly #nowMs: () => number;
  #statement = -1;
  #startMs = 0;
  #startRows = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Statement `statement` starts, after `rows` rows of the part; -1 at its end. */
  begin(statement: number, rows: number): void {
    const nowMs = this.#nowMs();
    if (this.#statement >= 0)
      this.statements.push({ statement: this.#statement, rows: rows - this.#startRows, ms: nowMs - this.#startMs });
    this.#statement = statement;
    this.#startMs = nowMs;
    this.#startRows = rows;
  }
}
