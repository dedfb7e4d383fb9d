/**
 * Definition of schemas, tables and indexes.
 */
import { SqlError } from '../../base/errors.ts';
import type { Identifier, TypeName, UtilityStatement } from '../ast/ast.ts';
import type {
  AlterTableAction,
  ColumnConstraint,
  ColumnDefinition,
  CreateTable,
  GeneratedConstraint,
  IndexColumn,
  IndexType,
  StoredExpression,
} from '../ast/definitions.ts';
import type { Cursor } from './cursor.ts';
import { parseExpression } from './expression.ts';
import { expectType } from './literal.ts';

/** `IF NOT EXISTS` if it is there. */
export function parseIfNotExists(cursor: Cursor): boolean {
  return cursor.isWord('if') && cursor.isWord('not', 1) && cursor.acceptWords('if', 'not', 'exists');
}

/** `IF EXISTS` if it is there. */
export function parseIfExists(cursor: Cursor): boolean {
  return cursor.isWord('if') && cursor.isWord('exists', 1) && cursor.acceptWords('if', 'exists');
}

export function parseCreateSchema(cursor: Cursor, position: number): UtilityStatement {
  const ifNotExists = parseIfNotExists(cursor);
  return { kind: 'createSchema', ifNotExists, name: cursor.expectName('a schema').name, position };
}

export function parseDropSchema(cursor: Cursor, position: number): UtilityStatement {
  const ifExists = parseIfExists(cursor);
  const { name } = cursor.expectName('a schema');
  return { kind: 'dropSchema', ifExists, name, cascade: cursor.acceptWord('cascade'), position };
}

export function parseAlterSchema(cursor: Cursor, position: number): UtilityStatement {
  const ifExists = parseIfExists(cursor);
  const { name } = cursor.expectName('a schema');
  cursor.expectWord('rename');
  cursor.expectWord('to');
  return { kind: 'alterSchema', ifExists, name, newName: cursor.expectName('a schema').name, position };
}

/** CREATE [UNLOGGED] [SHARED | DISTRIBUTED] TABLE, from the first word behind CREATE. */
export function parseCreateTable(cursor: Cursor, position: number): UtilityStatement {
  let unlogged = false;
  let kind: string | undefined;
  while (!cursor.isWord('table')) {
    if (!unlogged && cursor.acceptWord('unlogged')) unlogged = true;
    else if (kind === undefined && (cursor.isWord('shared') || cursor.isWord('distributed')))
      kind = cursor.take().keyword;
    else throw cursor.unexpected('TABLE');
  }
  cursor.take();
  const ifNotExists = parseIfNotExists(cursor);
  const target = cursor.expectObjectName('a table');
  const items = parseTableItems(cursor);
  const options = parseTableOptions(cursor);
  return {
    kind: 'createTable',
    ifNotExists,
    unlogged,
    shared: kind === 'shared',
    target,
    ...items,
    ...options,
    position,
  };
}

/** `(column type …, … [, PRIMARY KEY (column, …)])`. */
function parseTableItems(cursor: Cursor): Pick<CreateTable, 'columns' | 'primaryKey'> {
  cursor.expectSymbol('(');
  const columns: ColumnDefinition[] = [];
  let primaryKey: readonly Identifier[] | undefined;
  do {
    if (cursor.isWord('primary') && cursor.isWord('key', 1)) {
      const { position } = cursor;
      cursor.take();
      cursor.take();
      if (primaryKey !== undefined) throw givenTwice('PRIMARY KEY', position);
      primaryKey = cursor.expectNameList('a column');
    } else columns.push(parseColumn(cursor));
  } while (cursor.acceptSymbol(','));
  cursor.expectSymbol(')');
  return { columns, primaryKey };
}

/** `[PARTITIONS n] [WITH (type = 'tree' | 'hash')]`, in any order. */
function parseTableOptions(cursor: Cursor): Pick<CreateTable, 'partitions' | 'indexType'> {
  let partitions: CreateTable['partitions'];
  let indexType: IndexType | undefined;
  for (;;) {
    const { position } = cursor;
    if (cursor.acceptWord('partitions')) {
      if (partitions !== undefined) throw givenTwice('PARTITIONS', position);
      const countPosition = cursor.position;
      partitions = { count: cursor.expectInteger('a number of partitions'), position: countPosition };
    } else if (cursor.isWord('with')) {
      if (indexType !== undefined) throw givenTwice('WITH', position);
      indexType = parseIndexType(cursor);
    } else return { partitions, indexType };
  }
}

/** `WITH (type = 'tree' | 'hash')`. */
function parseIndexType(cursor: Cursor): IndexType {
  cursor.expectWord('with');
  cursor.expectSymbol('(');
  cursor.expectWord('type');
  cursor.expectSymbol('=');
  const token = cursor.peek();
  const type = token.text.toLowerCase();
  const isNamed = token.kind === 'text' || token.kind === 'word';
  if (!isNamed || (type !== 'tree' && type !== 'hash')) throw cursor.unexpected("'tree' or 'hash'");
  cursor.take();
  cursor.expectSymbol(')');
  return type;
}

/** `column type [constraint …]`. */
function parseColumn(cursor: Cursor): ColumnDefinition {
  const { name, position } = cursor.expectName('a column');
  const constraints: ColumnConstraint[] = [];
  let type: TypeName;
  if (cursor.isWord('serial')) {
    constraints.push({ kind: 'identity', position: cursor.take().start });
    type = 'bigint';
  } else type = expectType(cursor);
  for (;;) {
    const constraint = parseConstraint(cursor);
    if (constraint === undefined) return { name, type, constraints, position };
    if (constraints.some(({ kind }) => kind === constraint.kind)) {
      throw givenTwice('a constraint', constraint.position);
    }
    constraints.push(constraint);
  }
}

/** One constraint if it is there. */
function parseConstraint(cursor: Cursor): ColumnConstraint | undefined {
  const { position } = cursor;
  if (cursor.acceptWords('not', 'null')) return { kind: 'notNull', position };
  if (cursor.acceptWords('primary', 'key')) return { kind: 'primaryKey', position };
  if (cursor.acceptWord('default')) return { kind: 'default', value: parseStored(cursor), position };
  if (cursor.acceptWord('random')) return { kind: 'random', modulo: parseModulo(cursor), position };
  if (cursor.acceptWords('generated', 'always')) return parseGenerated(cursor, position);
  if (cursor.acceptWord('always')) {
    cursor.acceptWord('generated');
    return parseGenerated(cursor, position);
  }
  return cursor.isWord('as') ? parseGenerated(cursor, position) : undefined;
}

/** `(modulo)` if it is there. */
function parseModulo(cursor: Cursor): bigint | undefined {
  if (!cursor.acceptSymbol('(')) return undefined;
  const { position } = cursor;
  const modulo = cursor.expectInteger('a number');
  if (modulo === 0n) throw new SqlError('invalid_definition', 'the modulo of RANDOM must be at least 1', position);
  cursor.expectSymbol(')');
  return modulo;
}

/** `AS IDENTITY | AS (e) STORED | AS (e) RESOLVED`, from AS. */
function parseGenerated(cursor: Cursor, position: number): GeneratedConstraint {
  cursor.expectWord('as');
  if (cursor.acceptWord('identity')) return { kind: 'identity', position };
  if (!cursor.acceptSymbol('(')) throw cursor.unexpected("IDENTITY or '('");
  const value = parseStored(cursor);
  cursor.expectSymbol(')');
  if (cursor.acceptWord('stored')) return { kind: 'stored', value, position };
  if (cursor.acceptWord('resolved')) return { kind: 'resolved', value, position };
  throw cursor.unexpected('STORED or RESOLVED');
}

/** An expression with its text. */
function parseStored(cursor: Cursor): StoredExpression {
  const start = cursor.position;
  const expression = parseExpression(cursor);
  return { expression, text: cursor.textBetween(start, cursor.lastEnd) };
}

export function parseDropTable(cursor: Cursor, position: number): UtilityStatement {
  const ifExists = parseIfExists(cursor);
  return { kind: 'dropTable', ifExists, target: cursor.expectObjectName('a table'), position };
}

/** TRUNCATE [TABLE] [IF EXISTS] t, from behind the first word. */
export function parseTruncate(cursor: Cursor, position: number): UtilityStatement {
  if (cursor.isWord('table') && cursor.isName(1)) cursor.take();
  const ifExists = parseIfExists(cursor);
  return { kind: 'truncate', ifExists, target: cursor.expectObjectName('a table'), position };
}

export function parseAlterTable(cursor: Cursor, position: number): UtilityStatement {
  const ifExists = parseIfExists(cursor);
  const target = cursor.expectObjectName('a table');
  return { kind: 'alterTable', ifExists, target, action: parseAction(cursor), position };
}

function parseAction(cursor: Cursor): AlterTableAction {
  if (cursor.acceptWords('add', 'column')) return { kind: 'addColumn', column: parseColumn(cursor) };
  if (cursor.acceptWords('drop', 'column')) return { kind: 'dropColumn', column: cursor.expectName('a column') };
  if (cursor.acceptWord('rename')) {
    if (cursor.acceptWord('to')) return { kind: 'rename', target: cursor.expectObjectName('a table') };
    cursor.expectWord('column');
    const column = cursor.expectName('a column');
    cursor.expectWord('to');
    return { kind: 'renameColumn', column, newName: cursor.expectName('a column') };
  }
  if (cursor.acceptWord('set')) return parseSetAction(cursor);
  if (cursor.acceptWords('unset', 'column')) {
    const column = cursor.expectName('a column');
    cursor.expectWord('as');
    const { keyword } = cursor.peek();
    if (keyword !== 'default' && keyword !== 'identity' && keyword !== 'stored' && keyword !== 'resolved') {
      throw cursor.unexpected('DEFAULT, IDENTITY, STORED or RESOLVED');
    }
    cursor.take();
    return { kind: 'unset', column, constraint: keyword };
  }
  throw cursor.unexpected('ADD, DROP, RENAME, SET or UNSET');
}

/** What may follow SET in ALTER TABLE. */
function parseSetAction(cursor: Cursor): AlterTableAction {
  if (cursor.acceptWord('logged')) return { kind: 'setLogged', logged: true };
  if (cursor.acceptWord('unlogged')) return { kind: 'setLogged', logged: false };
  if (cursor.acceptWords('identity', 'to')) return { kind: 'setIdentity', value: cursor.expectInteger('a number') };
  if (!cursor.acceptWord('column')) throw cursor.unexpected('COLUMN, IDENTITY, LOGGED or UNLOGGED');
  const column = cursor.expectName('a column');
  if (cursor.acceptWord('default')) return { kind: 'setDefault', column, value: parseStored(cursor) };
  return { kind: 'setGenerated', column, constraint: parseGenerated(cursor, cursor.position) };
}

/** CREATE [UNIQUE] INDEX, from the first word behind CREATE. */
export function parseCreateIndex(cursor: Cursor, position: number): UtilityStatement {
  const unique = cursor.acceptWord('unique');
  cursor.expectWord('index');
  const ifNotExists = parseIfNotExists(cursor);
  const { name } = cursor.expectName('an index');
  cursor.expectWord('on');
  const target = cursor.expectObjectName('a table');
  cursor.expectSymbol('(');
  const columns: IndexColumn[] = [];
  do {
    const column = cursor.expectName('a column');
    const descending = !cursor.acceptWord('asc') && cursor.acceptWord('desc');
    columns.push({ ...column, descending });
  } while (cursor.acceptSymbol(','));
  cursor.expectSymbol(')');
  const indexType = cursor.isWord('with') ? parseIndexType(cursor) : undefined;
  return { kind: 'createIndex', unique, ifNotExists, name, target, columns, indexType, position };
}

export function parseDropIndex(cursor: Cursor, position: number): UtilityStatement {
  const ifExists = parseIfExists(cursor);
  const { name } = cursor.expectName('an index');
  cursor.expectWord('on');
  return { kind: 'dropIndex', ifExists, name, target: cursor.expectObjectName('a table'), position };
}

export function parseAlterIndex(cursor: Cursor, position: number): UtilityStatement {
  const ifExists = parseIfExists(cursor);
  const { name } = cursor.expectName('an index');
  cursor.expectWord('on');
  const target = cursor.expectObjectName('a table');
  cursor.expectWord('rename');
  cursor.expectWord('to');
  return { kind: 'alterIndex', ifExists, name, target, newName: cursor.expectName('an index').name, position };
}

function givenTwice(what: string, position: number): SqlError {
  return new SqlError('syntax_error', `${what} is given twice`, position);
}
