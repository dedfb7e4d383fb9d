/**
 * The error catalogue: every mistake of a user that Amelie can report, with its stable code.
 *
 * A user's mistake is an SqlError. The environment's failures (disk, memory, network) that reach a client are SqlErrors
 * too, of the chapter Server. A bug is an AssertionFailure.
 *
 * Nodes store errors in shared memory as (code number, text): the number is the index in ERROR_CODES, so the order of the
 * list is part of that layout and new codes are added at the end.
 */

/** Chapters of the manual's page of errors, in their order there. */
export const ERROR_CHAPTERS = ['Statements', 'Values', 'Requests', 'Limits', 'Server'] as const;

/**
 * Stable names, in the order of their numbers, each with its chapter and what it means to a user, in Markdown: `npm run docs`
 * makes docs/manual/errors.md of it.
 */
export const ERROR_CATALOGUE = [
  ['internal', 'Server', 'A bug of Amelie. The server log has more; please report it.'],
  ['syntax_error', 'Statements', 'The text is no SQL; `position` is where it ceases to be.'],
  ['unknown_schema', 'Statements', 'There is no schema of that name.'],
  ['unknown_table', 'Statements', 'There is no table of that name. A name without a schema is looked up in `public`.'],
  ['unknown_column', 'Statements', 'There is no column of that name. Names are case-sensitive.'],
  ['unknown_function', 'Statements', 'There is no function of that name.'],
  ['unknown_index', 'Statements', 'The table has no index of that name.'],
  ['unknown_setting', 'Statements', 'There is no setting of that name.'],
  ['unknown_format', 'Statements', 'A format that results do not have.'],
  ['ambiguous_column', 'Statements', 'Several sources have a column of that name: put the source before it.'],
  [
    'duplicate_object',
    'Statements',
    'A schema, table, index or column of that name exists already; `IF NOT EXISTS` where that is no mistake.',
  ],
  ['dependent_objects', 'Statements', 'What is to be dropped has other objects in it.'],
  ['invalid_definition', 'Statements', 'A table, index or column that cannot be as it is defined.'],
  [
    'type_mismatch',
    'Statements',
    'An operator, a function or a column does not take values of those types. Nothing has run; casts are the cure.',
  ],
  [
    'wrong_arguments',
    'Statements',
    'A function does not take that many arguments, or not of those types; or a row has not as many values as there are columns.',
  ],
  [
    'invalid_value',
    'Values',
    'A value that cannot be converted, or that an operation has no result for; the message shows it.',
  ],
  ['out_of_range', 'Values', 'A number or a time that its type, or its column, cannot hold.'],
  [
    'overflow',
    'Values',
    'The result of an operation does not fit its type. Integers have 64 bits; a double is never infinite.',
  ],
  ['zero_division', 'Values', 'A division by zero.'],
  ['not_null_violation', 'Values', 'NULL for a column that is NOT NULL.'],
  ['key_conflict', 'Values', 'A row with that primary key exists. `ON CONFLICT` says what else may happen.'],
  [
    'not_supported',
    'Statements',
    'Part of the language that this version does not have: see [sql.md](sql.md#not-supported-yet).',
  ],
  [
    'misplaced_statement',
    'Statements',
    'A statement that cannot stand there: definitions, SHOW and SET stand alone in their request.',
  ],
  ['invalid_parameter', 'Requests', '`$n` without a value, a value without a `$n`, or a value that is none.'],
  ['invalid_json', 'Requests', 'The body of a request, or a value in it, is no JSON; the message says where.'],
  ['invalid_csv', 'Requests', 'The body of an import is no CSV; the message says where.'],
  ['invalid_request', 'Requests', 'A mistake in the HTTP request itself: its method, content type, path or form.'],
  [
    'limit_exceeded',
    'Limits',
    'Something is larger than a setting (`limit_send`, `limit_recv`, `limit_write`) or the database allows.',
  ],
  ['read_only', 'Server', 'The log does not take writes: see [operations.md](operations.md).'],
  ['out_of_memory', 'Server', '`memory_limit` is reached. Raise it, or delete rows; then try again.'],
  [
    'log_failure',
    'Server',
    'The write-ahead log could not be written, so the request was undone: see [operations.md](operations.md).',
  ],
  [
    'commit_unknown',
    'Server',
    'The log failed in the middle of a write, and has not been cut for 5 seconds: the request is undone, but the next start may find it.',
  ],
  ['shutting_down', 'Server', 'The server is stopping; the request was not run.'],
  ['raised', 'Values', 'By the function `error(text)` of the request.'],
  ['timeout', 'Limits', 'The statement took longer than `limit_statement_ms`, and was undone.'],
  ['unauthorized', 'Requests', 'The client may not do that.'],
  ['not_found', 'Requests', 'There is nothing at that path.'],
  [
    'checkpoint_failure',
    'Server',
    'The checkpoint could not be written. The one before it stays, with the log behind it, so nothing is lost: see [operations.md](operations.md).',
  ],
] as const;

export type ErrorCode = (typeof ERROR_CATALOGUE)[number][0];

export const ERROR_CODES: readonly ErrorCode[] = ERROR_CATALOGUE.map(([code]) => code);

const NUMBERS: ReadonlyMap<string, number> = new Map(ERROR_CODES.map((code, number) => [code, number]));

/** The number of a code, as stored in shared memory. */
export function errorNumber(code: ErrorCode): number {
  return NUMBERS.get(code)!;
}

/**
 * A mistake of a user, or a failure that a user sees.
 * `position` is the byte offset from 0 in the SQL text of the request, where there is one.
 */
export class SqlError extends Error {
  override name = 'SqlError';
  readonly code: ErrorCode;
  readonly position: number | undefined;

  constructor(code: ErrorCode, message: string, position?: number) {
    super(message);
    this.code = code;
    this.position = position;
  }

  /** The error object of a reply: `{"msg", "code", "position"?}` as JSON text. */
  toJson(): string {
    const position = this.position === undefined ? '' : `, "position": ${this.position}`;
    return `{"msg": ${JSON.stringify(this.message)}, "code": "${this.code}"${position}}`;
  }
}

/** The refusal of what the specification has and this version has not. */
export function notSupported(what: string, position?: number): SqlError {
  return new SqlError('not_supported', `not supported yet: ${what}`, position);
}

/** A statement took longer than limit_statement_ms. */
export function statementTimeout(limitMs: number): SqlError {
  return new SqlError('timeout', `the statement took longer than ${limitMs} ms (limit_statement_ms)`);
}
