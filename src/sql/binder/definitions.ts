/** Binds DDL statements against the catalog: checks them and gives the command that the catalog applies and the log keeps. */

import { notSupported, SqlError } from '../../base/errors.ts';
import {
  COLUMN_COUNT_MAX,
  HASH_SLOT_COUNT,
  IDENTIFIER_BYTES_MAX,
  KEY_COLUMN_COUNT_MAX,
  PARTITION_COUNT_MAX,
} from '../../base/limits.ts';
import {
  type Catalog,
  type ColumnDefinition,
  type Constant,
  doubleConstant,
  findColumn,
  findTable,
  type IndexDefinition,
  type PartitionDefinition,
  SHARED_OWNER_NODE,
  type TableDefinition,
  tableName,
} from '../../catalog/catalog.ts';
import type { DdlCommand } from '../../catalog/ddl.ts';
import {
  BIGINT,
  BOOL,
  DATE,
  DOUBLE,
  FLOAT,
  INT,
  INTERVAL,
  JSON_TYPE,
  SMALLINT,
  TEXT,
  TIMESTAMP,
  TINYINT,
  TYPE_BY_NAME,
  TYPE_NAMES,
  type TypeId,
  UUID,
  VALUE_NAMES,
  VECTOR,
} from '../../types/type.ts';
import { parseUuid, UUID_BYTES } from '../../types/uuid.ts';
import type { UtilityStatement } from '../ast/ast.ts';
import type * as ast from '../ast/definitions.ts';
import type { ArrayValue, Expression, Literal, VectorLiteral } from '../ast/expressions.ts';
import { lookupTable } from './statements.ts';
import { checkInterval, dateOfText } from './time.ts';

/** Types that this version stores. */
const STORED: ReadonlySet<TypeId> = new Set([
  BOOL,
  TINYINT,
  SMALLINT,
  INT,
  BIGINT,
  FLOAT,
  DOUBLE,
  TEXT,
  JSON_TYPE,
  TIMESTAMP,
  INTERVAL,
  DATE,
  VECTOR,
  UUID,
]); // prettier-ignore
const INT_RANGES: readonly (readonly [bigint, bigint] | undefined)[] = [
  undefined,
  undefined,
  [-128n, 127n],
  [-32768n, 32767n],
  [-(2n ** 31n), 2n ** 31n - 1n],
  [-(2n ** 63n), 2n ** 63n - 1n],
];

export type DefinitionContext = {
  /** Reads the text of a timestamp default as microseconds. */ parseTimestamp(text: string): bigint;
};

/**
 * Gives the command of a DDL statement, or undefined where IF [NOT] EXISTS makes it do nothing.
 * Errors: SqlError with the position; not_supported for what this version has not.
 */
export function bindDefinition(
  statement: UtilityStatement,
  catalog: Catalog,
  context: DefinitionContext,
): DdlCommand | undefined {
  switch (statement.kind) {
    case 'createSchema':
      return createSchema(statement, catalog);
    case 'dropSchema':
      return dropSchema(statement, catalog);
    case 'createTable':
      return createTable(statement, catalog, context);
    case 'dropTable': {
      const { schema = 'public', name } = statement.target;
      if (statement.ifExists && findTable(catalog, schema, name) === undefined) return undefined;
      return { kind: 'dropTable', tableId: lookupTable(catalog, statement.target).id };
    }
    case 'createIndex':
      return createIndex(statement, catalog);
    case 'dropIndex': {
      const table = lookupTable(catalog, statement.target);
      const index = table.indexes.find((candidate) => candidate.name === statement.name);
      if (index === undefined) {
        if (statement.ifExists) return undefined;
        throw new SqlError(
          'unknown_index',
          `index '${statement.name}' does not exist on table '${tableName(table)}'`,
          statement.position,
        );
      }
      if (index.isPrimary)
        throw new SqlError(
          'invalid_definition',
          `the primary key of '${tableName(table)}' cannot be dropped`,
          statement.position,
        );
      return { kind: 'dropIndex', tableId: table.id, indexId: index.id };
    }
    default:
      throw notSupported(UTILITY_NAMES[statement.kind] ?? statement.kind, statement.position);
  }
}

const UTILITY_NAMES: Readonly<Record<string, string>> = {
  alterSchema: 'ALTER SCHEMA',
  alterTable: 'ALTER TABLE',
  alterIndex: 'ALTER INDEX',
  truncate: 'TRUNCATE',
  createNode: 'CREATE NODE',
  dropNode: 'DROP NODE',
  createUser: 'CREATE USER',
  alterUser: 'ALTER USER',
  dropUser: 'DROP USER',
  createToken: 'CREATE TOKEN',
  createReplica: 'CREATE REPLICA',
  dropReplica: 'DROP REPLICA',
  replication: 'START and STOP REPLICATION',
  subscribe: 'SUBSCRIBE',
  unsubscribe: 'UNSUBSCRIBE',
}; // prettier-ignore

function checkName(name: string, what: string, position: number): void {
  if (name.length === 0) throw new SqlError('invalid_definition', `${what} needs a name`, position);
  if (new TextEncoder().encode(name).length > IDENTIFIER_BYTES_MAX)
    throw new SqlError('limit_exceeded', `${what}: a name has at most ${IDENTIFIER_BYTES_MAX} bytes`, position);
}

function createSchema(statement: ast.CreateSchema, catalog: Catalog): DdlCommand | undefined {
  checkName(statement.name, 'a schema', statement.position);
  if (catalog.schemas.some((schema) => schema.name === statement.name)) {
    if (statement.ifNotExists) return undefined;
    throw new SqlError('duplicate_object', `schema '${statement.name}' exists already`, statement.position);
  }
  return { kind: 'createSchema', name: statement.name };
}

function dropSchema(statement: ast.DropSchema, catalog: Catalog): DdlCommand | undefined {
  const schema = catalog.schemas.find((candidate) => candidate.name === statement.name);
  if (schema === undefined) {
    if (statement.ifExists) return undefined;
    throw new SqlError('unknown_schema', `schema '${statement.name}' does not exist`, statement.position);
  }
  if (schema.isSystem)
    throw new SqlError(
      'invalid_definition',
      `schema '${schema.name}' is built in and cannot be dropped`,
      statement.position,
    );
  if (!statement.cascade && catalog.tables.some((table) => table.schema === schema.name))
    throw new SqlError(
      'dependent_objects',
      `schema '${schema.name}' is not empty; use CASCADE to drop its tables too`,
      statement.position,
    );
  return { kind: 'dropSchema', name: schema.name };
}

function createTable(statement: ast.CreateTable, catalog: Catalog, context: DefinitionContext): DdlCommand | undefined {
  const { name, schema = 'public', position } = statement.target;
  checkName(name, 'a table', position);
  if (!catalog.schemas.some((candidate) => candidate.name === schema))
    throw new SqlError('unknown_schema', `schema '${schema}' does not exist`, position);
  if (schema === 'system') throw new SqlError('invalid_definition', `schema 'system' takes no tables`, position);
  if (findTable(catalog, schema, name) !== undefined) {
    if (statement.ifNotExists) return undefined;
    throw new SqlError('duplicate_object', `table '${schema}.${name}' exists already`, position);
  }
  const keys = primaryKey(statement);
  const columns = statement.columns.map((column) => bindColumn(column, keys.includes(column.name), context));
  checkColumns(statement, columns);
  const method = statement.indexType ?? 'tree';
  const primary: IndexDefinition = {
    id: catalog.nextIndexId,
    name: 'primary',
    method,
    isUnique: true,
    isPrimary: true,
    keys: keys.map((key) => ({ column: columns.findIndex((column) => column.name === key), isDescending: false })),
  };
  return {
    kind: 'createTable',
    table: {
      id: catalog.nextTableId,
      schema,
      name,
      isShared: statement.shared,
      isUnlogged: statement.unlogged,
      columns,
      indexes: [primary],
      partitions: statement.shared ? sharedPartition(statement, catalog) : partitionsOf(statement, catalog),
      identityRef: 0,
    },
  };
}

/** Names of the primary key's columns, checked. */
function primaryKey(statement: ast.CreateTable): string[] {
  const marked = statement.columns.filter((column) => column.constraints.some(({ kind }) => kind === 'primaryKey'));
  if (statement.primaryKey !== undefined && marked.length > 0)
    throw new SqlError('invalid_definition', 'the primary key is given twice', statement.primaryKey[0]!.position);
  const keys = statement.primaryKey ?? marked;
  if (keys.length === 0)
    throw new SqlError(
      'invalid_definition',
      `table '${statement.target.name}' needs a primary key`,
      statement.position,
    );
  if (marked.length > 1)
    throw new SqlError(
      'invalid_definition',
      'a primary key of several columns is written PRIMARY KEY (a, b)',
      marked[1]!.position,
    );
  if (keys.length > KEY_COLUMN_COUNT_MAX)
    throw new SqlError('limit_exceeded', `a key has at most ${KEY_COLUMN_COUNT_MAX} columns`, keys[0]!.position);
  const names: string[] = [];
  for (const { name, position } of keys) {
    const column = statement.columns.find((candidate) => candidate.name === name);
    if (column === undefined) throw new SqlError('unknown_column', `column '${name}' does not exist`, position);
    if (names.includes(name)) throw new SqlError('duplicate_object', `column '${name}' is named twice`, position);
    const type = TYPE_BY_NAME.get(column.type)!;
    const isAllowed =
      (type >= TINYINT && type <= BIGINT) || type === TEXT || type === TIMESTAMP || type === DATE || type === UUID;
    if (!isAllowed)
      throw new SqlError(
        'invalid_definition',
        `column '${name}': type ${TYPE_NAMES[type]} cannot be part of a primary key`,
        position,
      );
    names.push(name);
  }
  return names;
}

function checkColumns(statement: ast.CreateTable, columns: readonly ColumnDefinition[]): void {
  if (columns.length > COLUMN_COUNT_MAX)
    throw new SqlError('limit_exceeded', `a table has at most ${COLUMN_COUNT_MAX} columns`, statement.position);
  const seen = new Set<string>();
  for (const column of statement.columns) {
    checkName(column.name, 'a column', column.position);
    if (seen.has(column.name))
      throw new SqlError('duplicate_object', `column '${column.name}' is defined twice`, column.position);
    seen.add(column.name);
  }
}

function bindColumn(column: ast.ColumnDefinition, isKey: boolean, context: DefinitionContext): ColumnDefinition {
  const type = TYPE_BY_NAME.get(column.type)!;
  if (!STORED.has(type)) throw notSupported(`type ${column.type}`, column.position);
  let isNotNull = isKey;
  let isIdentity = false;
  let randomModulo: string | undefined;
  let defaultValue: Constant | undefined;
  const isInteger = type === INT || type === BIGINT;
  for (const constraint of column.constraints) {
    const wrong = (what: string): SqlError =>
      new SqlError('invalid_definition', `column '${column.name}': ${what}`, constraint.position);
    switch (constraint.kind) {
      case 'notNull':
        isNotNull = true;
        break;
      case 'primaryKey':
        break;
      case 'identity':
        if (!isInteger) throw wrong(`an identity column is int or bigint, not ${column.type}`);
        isIdentity = true;
        isNotNull = true;
        break;
      case 'random':
        if (INT_RANGES[type] === undefined) throw wrong(`a random column is of an integer type, not ${column.type}`);
        randomModulo = String(randomRange(constraint.modulo, type, wrong));
        break;
      case 'default':
        defaultValue = bindDefault(column, type, constraint.value.expression, context);
        break;
      case 'stored':
        throw notSupported('STORED columns', constraint.position);
      case 'resolved':
        throw notSupported('RESOLVED columns', constraint.position);
    }
  }
  if ([isIdentity, randomModulo !== undefined, defaultValue !== undefined].filter(Boolean).length > 1)
    throw new SqlError(
      'invalid_definition',
      `column '${column.name}': only one of identity, RANDOM and DEFAULT can be given`,
      column.position,
    );
  return {
    name: column.name,
    type,
    isNotNull,
    isIdentity,
    ...(randomModulo === undefined ? {} : { randomModulo }),
    ...(defaultValue === undefined ? {} : { defaultValue }),
  };
}

function randomRange(modulo: bigint | undefined, type: TypeId, wrong: (what: string) => SqlError): bigint {
  const highest = INT_RANGES[type]![1];
  if (modulo === undefined) return highest === 2n ** 63n - 1n ? 2n ** 63n : highest + 1n;
  if (modulo < 1n) throw wrong('RANDOM needs a number above 0');
  if (modulo - 1n > highest) throw wrong(`RANDOM (${modulo}) does not fit ${TYPE_NAMES[type]}`);
  return modulo;
}

function bindDefault(
  column: ast.ColumnDefinition,
  type: TypeId,
  tree: Expression,
  context: DefinitionContext,
): Constant | undefined {
  const mismatch = (from: string): SqlError =>
    new SqlError(
      'type_mismatch',
      `column '${column.name}': ${from} cannot be stored as ${TYPE_NAMES[type]}`,
      tree.position,
    );
  const literal = tree.kind === 'typedLiteral' ? undefined : signedLiteral(tree);
  if (tree.kind === 'typedLiteral') {
    if (tree.type === 'uuid') {
      if (type !== UUID) throw mismatch(tree.type);
      return { kind: 'text', value: checkedUuid(tree.text, tree.position) };
    }
    if (TYPE_BY_NAME.get(tree.type) !== type) throw mismatch(tree.type);
    return timeDefault(type, tree.text, tree.position, context);
  }
  if (literal === undefined) {
    if ((tree.kind === 'vector' || tree.kind === 'array') && type === VECTOR)
      return { kind: 'json', value: vectorDefault(column, tree) };
    if (tree.kind === 'vector') throw mismatch('vector');
    if ((tree.kind === 'array' || tree.kind === 'object') && type === JSON_TYPE)
      return { kind: 'json', value: jsonConstant(tree) };
    throw new SqlError('invalid_definition', `column '${column.name}': DEFAULT must be a constant`, tree.position);
  }
  if (type === JSON_TYPE && literal.type !== 'null')
    return { kind: 'json', value: literal.type === 'int' ? String(literal.value) : JSON.stringify(literal.value) };
  switch (literal.type) {
    case 'null':
      return undefined;
    case 'bool':
      if (type === BOOL) return { kind: 'bool', value: literal.value };
      break;
    case 'int': {
      const range = INT_RANGES[type];
      if (range !== undefined) return integerDefault(column, type, literal.value, tree.position);
      if ((type === DOUBLE || type === FLOAT) && BigInt(Number(literal.value)) === literal.value)
        return doubleDefault(column, type, Number(literal.value), tree.position);
      break;
    }
    case 'double':
      if (type === DOUBLE || type === FLOAT) return doubleDefault(column, type, literal.value, tree.position);
      if (INT_RANGES[type] !== undefined && Number.isInteger(literal.value))
        return integerDefault(column, type, BigInt(literal.value), tree.position);
      break;
    case 'text':
      if (type === TEXT) return { kind: 'text', value: literal.value };
      if (type === UUID) return { kind: 'text', value: checkedUuid(literal.value, tree.position) };
      if (type === TIMESTAMP || type === DATE || type === INTERVAL)
        return timeDefault(type, literal.value, tree.position, context);
      break;
  }
  const names = { int: BIGINT, double: DOUBLE, text: TEXT, bool: BOOL } as const;
  throw mismatch(VALUE_NAMES[names[literal.type]]!);
}

/** The default of a timestamp, date or interval column: an interval is kept as its text. */
function timeDefault(type: TypeId, text: string, position: number, context: DefinitionContext): Constant {
  if (type === DATE) return { kind: 'int', value: String(dateOfText(text, position)) };
  if (type === INTERVAL) {
    checkInterval(text, position);
    return { kind: 'text', value: text };
  }
  try {
    return { kind: 'int', value: String(context.parseTimestamp(text)) };
  } catch (error) {
    throw error instanceof SqlError ? new SqlError(error.code, error.message, position) : error;
  }
}

function integerDefault(column: ast.ColumnDefinition, type: TypeId, value: bigint, position: number): Constant {
  const [lowest, highest] = INT_RANGES[type]!;
  if (value < lowest || value > highest)
    throw new SqlError(
      'out_of_range',
      `column '${column.name}': value ${value} is out of range for ${TYPE_NAMES[type]}`,
      position,
    );
  return { kind: 'int', value: String(value) };
}

function doubleDefault(column: ast.ColumnDefinition, type: TypeId, value: number, position: number): Constant {
  const stored = type === FLOAT ? Math.fround(value) : value;
  if (!Number.isFinite(stored))
    throw new SqlError('out_of_range', `column '${column.name}': value ${value} is out of range for float`, position);
  return { kind: 'double', value: doubleConstant(stored) };
}

/** The text as it is, which is that of a uuid. */
function checkedUuid(text: string, position: number): string {
  const bytes = new TextEncoder().encode(text);
  try {
    parseUuid(bytes, 0, bytes.length, new Uint8Array(UUID_BYTES), 0);
  } catch (error) {
    throw error instanceof SqlError ? new SqlError(error.code, error.message, position) : error;
  }
  return text;
}

/** JSON text of a constant vector. */
function vectorDefault(column: ast.ColumnDefinition, tree: VectorLiteral | ArrayValue): string {
  const elements = tree.elements.map((element) => {
    const literal = signedLiteral(element);
    if (literal === undefined || (literal.type !== 'int' && literal.type !== 'double'))
      throw new SqlError(
        'invalid_definition',
        `column '${column.name}': the elements of a default vector must be numbers`,
        element.position,
      );
    if (!Number.isFinite(Math.fround(Number(literal.value))))
      throw new SqlError(
        'out_of_range',
        `column '${column.name}': value ${literal.value} is out of range for an element of a vector`,
        element.position,
      );
    return numberText(Number(literal.value));
  });
  return `[${elements.join(', ')}]`;
}

/** JSON text of a number, minus zero too. */
function numberText(value: number): string {
  return Object.is(value, -0) ? '-0.0' : String(value);
}

function signedLiteral(tree: Expression): Literal | undefined {
  if (tree.kind === 'literal') return tree;
  if (tree.kind === 'unary' && tree.operator === '-' && tree.operand.kind === 'literal') {
    const { operand } = tree;
    if (operand.type === 'int') return { ...operand, value: -operand.value };
    if (operand.type === 'double') return { ...operand, value: -operand.value };
  }
  return undefined;
}

/** JSON text of a constant, keys in their order. */
function jsonConstant(tree: Expression): string {
  if (tree.kind === 'array') return `[${tree.elements.map(jsonConstant).join(', ')}]`;
  if (tree.kind === 'object')
    return `{${tree.entries.map(({ key, value }) => `${JSON.stringify(key)}: ${jsonConstant(value)}`).join(', ')}}`;
  const literal = signedLiteral(tree);
  if (literal === undefined) throw new SqlError('invalid_definition', 'DEFAULT must be a constant', tree.position);
  return literal.type === 'int' ? String(literal.value) : JSON.stringify(literal.value);
}

function partitionsOf(statement: ast.CreateTable, catalog: Catalog): PartitionDefinition[] {
  const nodeCount = catalog.nodes.length;
  const wanted = statement.partitions;
  if (wanted !== undefined && (wanted.count < 1n || wanted.count > BigInt(PARTITION_COUNT_MAX)))
    throw new SqlError('out_of_range', `PARTITIONS must be between 1 and ${PARTITION_COUNT_MAX}`, wanted.position);
  const count = wanted === undefined ? 4 * nodeCount : Number(wanted.count);
  return Array.from({ length: count }, (_, ordinal) => ({
    id: catalog.lastPartitionId + 1 + ordinal,
    node: ordinal % nodeCount,
    slotFirst: Math.floor((ordinal * HASH_SLOT_COUNT) / count),
    slotEnd: Math.floor(((ordinal + 1) * HASH_SLOT_COUNT) / count),
    rootPage: 0,
  }));
}

/** The one partition of a shared table. */
function sharedPartition({ partitions: wanted }: ast.CreateTable, catalog: Catalog): PartitionDefinition[] {
  if (wanted !== undefined && wanted.count !== 1n)
    throw new SqlError('invalid_definition', 'a shared table has one partition', wanted.position);
  const id = catalog.lastPartitionId + 1;
  return [{ id, node: SHARED_OWNER_NODE, slotFirst: 0, slotEnd: HASH_SLOT_COUNT, rootPage: 0 }];
}

function createIndex(statement: ast.CreateIndex, catalog: Catalog): DdlCommand | undefined {
  const table: TableDefinition = lookupTable(catalog, statement.target);
  checkName(statement.name, 'an index', statement.position);
  if (statement.unique) throw notSupported('UNIQUE indexes', statement.position);
  if (table.indexes.some((index) => index.name === statement.name)) {
    if (statement.ifNotExists) return undefined;
    throw new SqlError(
      'duplicate_object',
      `index '${statement.name}' exists already on table '${tableName(table)}'`,
      statement.position,
    );
  }
  if (statement.columns.length > KEY_COLUMN_COUNT_MAX)
    throw new SqlError('limit_exceeded', `a key has at most ${KEY_COLUMN_COUNT_MAX} columns`, statement.position);
  const keys = statement.columns.map(({ name, descending, position }) => {
    const column = findColumn(table, name);
    if (column < 0)
      throw new SqlError('unknown_column', `column '${name}' does not exist in table '${tableName(table)}'`, position);
    const { type } = table.columns[column]!;
    if (type === JSON_TYPE || type === VECTOR)
      throw new SqlError(
        'invalid_definition',
        `column '${name}': type ${TYPE_NAMES[type]} cannot be indexed`,
        position,
      );
    return { column, isDescending: descending };
  });
  if (new Set(keys.map(({ column }) => column)).size !== keys.length)
    throw new SqlError('duplicate_object', 'a column is named twice in the index', statement.position);
  return {
    kind: 'createIndex',
    tableId: table.id,
    index: {
      id: catalog.nextIndexId,
      name: statement.name,
      method: statement.indexType ?? 'tree',
      isUnique: false,
      isPrimary: false,
      keys,
    },
  };
}
