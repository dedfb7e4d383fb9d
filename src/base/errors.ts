/**
 * The error catalogue: every mistake of a user that Amelie can report, with its stable code.
 *
 * A user's mistake is an SqlError. The environment's failures (disk, memory, network) that reach a client are SqlErrors
 * too, of the codes marked "environment". A bug is an AssertionFailure.
 *
 * Nodes store errors in shared memory as (code number, text): the number is the index in ERROR_CODES, so the order of the
 * list is part of that layout and new codes are added at the end.
 */

/** Stable names, in the order of their numbers. */
export const ERROR_CODES = [
  'internal', // a bug of ours
  'syntax_error', // lexer and parser
  'unknown_schema',
  'unknown_table',
  'unknown_column',
  'unknown_function',
  'unknown_index',
  'unknown_setting',
  'unknown_format',
  'ambiguous_column',
  'duplicate_object', // schema, table, column or index that exists already
  'dependent_objects', // drop of a schema that has objects, and the like
  'invalid_definition', // a table, index or column definition that makes no sense
  'type_mismatch', // compile time: an operator, function or column on unsupported types
  'wrong_arguments', // number of arguments or parameters
  'invalid_value', // a text or number that cannot be converted
  'out_of_range', // does not fit its column or type
  'overflow', // arithmetic
  'zero_division',
  'not_null_violation',
  'key_conflict', // primary key or unique index
  'not_supported', // "not supported yet: …"
  'misplaced_statement', // DDL beside other statements, BEGIN in the middle
  'invalid_parameter', // $n without a value, values without $n
  'invalid_json', // malformed JSON in a request or value
  'invalid_csv',
  'invalid_request', // HTTP-level mistakes
  'limit_exceeded', // limit_recv, limit_send, limit_write, depth, length
  'read_only', // environment: the log does not take writes, or a replica
  'out_of_memory', // environment: memory_limit
  'log_failure', // environment: the write-ahead log could not be written
  'commit_unknown', // environment: the log failed and could not be cut
  'shutting_down', // environment
  'raised', // error(text)
  'timeout', // limit_statement_ms
  'unauthorized',
  'not_found',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

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
