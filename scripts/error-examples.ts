/**
 * Requests that raise the errors of the catalogue, for docs/manual/errors.md: a test runs them in the order of the page. By
 * code: what goes before, each a request of its own that answers with nothing, and last the one that fails.
 */

import type { ErrorCode } from '../src/base/errors.ts';

export type ErrorExample = { readonly requests: readonly string[]; readonly output: string };

/** The page begins with these. */
export const SETUP: readonly string[] = [
  'create schema shop',
  'create table shop.items (id int primary key, name text not null, small tinyint)',
  "insert into shop.items values (1, 'Lamp', 100)",
];

export const ERROR_EXAMPLES: Partial<Record<ErrorCode, ErrorExample>> = {
  syntax_error: {
    requests: ['select 1 +'],
    output: '{"msg": "expected an expression but found the end of the text", "code": "syntax_error", "position": 10}',
  },
  unknown_schema: {
    requests: ['create table nowhere.t (id int primary key)'],
    output: `{"msg": "schema 'nowhere' does not exist", "code": "unknown_schema", "position": 13}`,
  },
  unknown_table: {
    requests: ['select * from items'],
    output: `{"msg": "table 'public.items' does not exist", "code": "unknown_table", "position": 14}`,
  },
  unknown_column: {
    requests: ['select Name from shop.items'],
    output: `{"msg": "column 'Name' does not exist", "code": "unknown_column", "position": 7}`,
  },
  unknown_function: {
    requests: ["select lenght('abc')"],
    output: `{"msg": "function 'lenght' does not exist", "code": "unknown_function", "position": 7}`,
  },
  unknown_index: {
    requests: ['select * from shop.items use index (by_name)'],
    output: `{"msg": "index 'by_name' does not exist on table 'shop.items'", "code": "unknown_index", "position": 36}`,
  },
  unknown_setting: {
    requests: ['set colour to 1'],
    output: '{"msg": "there is no setting colour", "code": "unknown_setting"}',
  },
  unknown_format: {
    requests: ["select 1 format 'xml'"],
    output: `{"msg": "unknown format 'xml'", "code": "unknown_format", "position": 16}`,
  },
  duplicate_object: {
    requests: ['create schema shop'],
    output: `{"msg": "schema 'shop' exists already", "code": "duplicate_object", "position": 0}`,
  },
  dependent_objects: {
    requests: ['drop schema shop'],
    output: `{"msg": "schema 'shop' is not empty; use CASCADE to drop its tables too", "code": "dependent_objects", "position": 0}`,
  },
  invalid_definition: {
    requests: ['create table shop.notes (text text)'],
    output: `{"msg": "table 'notes' needs a primary key", "code": "invalid_definition", "position": 0}`,
  },
  type_mismatch: {
    requests: ['select name + 1 from shop.items'],
    output: '{"msg": "operation string + int is not supported", "code": "type_mismatch", "position": 12}',
  },
  wrong_arguments: {
    requests: ["select substr('abc')"],
    output: '{"msg": "substr: expected 2 or 3 arguments", "code": "wrong_arguments", "position": 7}',
  },
  not_supported: {
    requests: ['select 1 union select 2'],
    output: '{"msg": "not supported yet: UNION", "code": "not_supported", "position": 9}',
  },
  misplaced_statement: {
    requests: ['select 1; drop table shop.items'],
    output: '{"msg": "the statement must stand alone in its request", "code": "misplaced_statement", "position": 10}',
  },
  invalid_value: {
    requests: ["select '12x'::int"],
    output: `{"msg": "invalid int '12x'", "code": "invalid_value"}`,
  },
  out_of_range: {
    requests: ['update shop.items set small = small + 100'],
    output: `{"msg": "column 'small': the int 200 does not fit tinyint", "code": "out_of_range"}`,
  },
  overflow: {
    requests: ['select 9223372036854775807 + 1'],
    output: '{"msg": "int + int overflow", "code": "overflow"}',
  },
  zero_division: {
    requests: ['select id % 0 from shop.items'],
    output: '{"msg": "zero division", "code": "zero_division"}',
  },
  not_null_violation: {
    requests: ['insert into shop.items (id) values (2)'],
    output: `{"msg": "row 1, column 'name': the column cannot be NULL", "code": "not_null_violation"}`,
  },
  key_conflict: {
    requests: ["insert into shop.items values (2, 'Desk', 1), (1, 'Pen', 1)"],
    output: `{"msg": "table 'shop.items': row with primary key (1) already exists", "code": "key_conflict"}`,
  },
  raised: {
    requests: ["select error(concat('no more than ', 10, ' items'))"],
    output: '{"msg": "no more than 10 items", "code": "raised"}',
  },
  invalid_parameter: {
    requests: ['select $1'],
    output: '{"msg": "parameter $1 has no value", "code": "invalid_parameter"}',
  },
  invalid_json: {
    requests: [`select json_import('{"a": 1,}')`],
    output: `{"msg": "invalid JSON at offset 8: expected a key in double quotes but found '}'", "code": "invalid_json"}`,
  },
  limit_exceeded: {
    requests: ["select repeat('x', 4000000)"],
    output: '{"msg": "the result is larger than limit_send (3145728 bytes)", "code": "limit_exceeded"}',
  },
};
