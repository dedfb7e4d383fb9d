/**
 * SQL types: their numbers (part of catalog, programs, WAL and shared memory), names, and how a value lives in a column,
 * in a cell of a batch and in a register.
 *
 * | type           | number | column storage           | cell (8 bytes)     | register                           |
 * | -------------- | -----: | ------------------------ | ------------------ | ---------------------------------- |
 * | null           |      0 |                          |                    | null flag                          |
 * | bool           |      1 | 1 byte                   | int64              | number 0, 1                        |
 * | tinyint        |      2 | 1 byte                   | int64              | number                             |
 * | smallint       |      3 | 2 bytes                  | int64              | number                             |
 * | int            |      4 | 4 bytes                  | int64              | number                             |
 * | bigint         |      5 | low, high 32-bit words   | int64              | number, or NaN and a BigInt beside |
 * | float          |      6 | 4 bytes                  | double             | number                             |
 * | double         |      7 | 8 bytes                  | double             | number                             |
 * | text           |      8 | ref                      | ref as int64       | ref                                |
 * | json           |      9 | ref                      | ref as int64       | ref                                |
 * | timestamp      |     10 | low, high 32-bit words   | int64, µs          | number, or NaN and a BigInt beside |
 * | interval       |     11 | 16 bytes                 | ref as int64       | ref                                |
 * | date           |     12 | 4 bytes, Julian day      | int64              | number                             |
 * | vector         |     13 | ref                      | ref as int64       | ref                                |
 * | uuid           |     14 | 16 bytes                 | ref as int64       | ref                                |
 *
 * A ref is the place of a value in the arenas in units of 16 bytes (see base/memory.ts). What a text, json or vector ref
 * points to: u32 byteLength, then the bytes (UTF-8; binary JSON; 32-bit floats). Ref 0 is no value.
 *
 * Expressions compute in the wide types: every integer width is `int` (bigint), float is `double`.
 */

export type TypeId = number & { readonly brand: 'TypeId' };

export const NULL_TYPE: TypeId = 0 as TypeId;
export const BOOL: TypeId = 1 as TypeId;
export const TINYINT: TypeId = 2 as TypeId;
export const SMALLINT: TypeId = 3 as TypeId;
export const INT: TypeId = 4 as TypeId;
export const BIGINT: TypeId = 5 as TypeId;
export const FLOAT: TypeId = 6 as TypeId;
export const DOUBLE: TypeId = 7 as TypeId;
export const TEXT: TypeId = 8 as TypeId;
export const JSON_TYPE: TypeId = 9 as TypeId;
export const TIMESTAMP: TypeId = 10 as TypeId;
export const INTERVAL: TypeId = 11 as TypeId;
export const DATE: TypeId = 12 as TypeId;
export const VECTOR: TypeId = 13 as TypeId;
export const UUID: TypeId = 14 as TypeId;

/** Names in CREATE TABLE and SHOW, by type number. */
export const TYPE_NAMES: readonly string[] = [
  'null',
  'bool',
  'tinyint',
  'smallint',
  'int',
  'bigint',
  'float',
  'double',
  'text',
  'json',
  'timestamp',
  'interval',
  'date',
  'vector',
  'uuid',
]; // prettier-ignore

/** Names in error texts and of `type()`, by type number: every integer width is int, float is double, text is string. */
export const VALUE_NAMES: readonly string[] = [
  'null',
  'bool',
  'int',
  'int',
  'int',
  'int',
  'double',
  'double',
  'string',
  'json',
  'timestamp',
  'interval',
  'date',
  'vector',
  'uuid',
]; // prettier-ignore

/** Every name and alias of a type in SQL, in lower case. `serial` is bigint identity and is handled by the binder. */
export const TYPE_BY_NAME: ReadonlyMap<string, TypeId> = new Map<string, TypeId>([
  ['bool', BOOL],
  ['boolean', BOOL],
  ['tinyint', TINYINT],
  ['int8', TINYINT],
  ['i8', TINYINT],
  ['smallint', SMALLINT],
  ['int16', SMALLINT],
  ['i16', SMALLINT],
  ['int', INT],
  ['integer', INT],
  ['int32', INT],
  ['i32', INT],
  ['bigint', BIGINT],
  ['int64', BIGINT],
  ['i64', BIGINT],
  ['float', FLOAT],
  ['f32', FLOAT],
  ['double', DOUBLE],
  ['f64', DOUBLE],
  ['text', TEXT],
  ['string', TEXT],
  ['json', JSON_TYPE],
  ['timestamp', TIMESTAMP],
  ['interval', INTERVAL],
  ['date', DATE],
  ['vector', VECTOR],
  ['uuid', UUID],
]); // prettier-ignore

/** Bytes of one value in its column segment, by type number. */
export const COLUMN_BYTES: readonly number[] = [0, 1, 1, 2, 4, 8, 4, 8, 4, 4, 8, 16, 4, 4, 16];

/** The type in which expressions compute with a value of `type`. */
export function wideType(type: TypeId): TypeId {
  if (type >= TINYINT && type <= BIGINT) return BIGINT;
  return type === FLOAT ? DOUBLE : type;
}

/** True where a register, cell or column of this type holds a ref to bytes in the arenas (column of uuid and interval: inline). */
export function isRefType(type: TypeId): boolean {
  return type === TEXT || type === JSON_TYPE || type === VECTOR || type === INTERVAL || type === UUID;
}
