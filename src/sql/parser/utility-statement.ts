/**
 * Statements that stand alone in their request: by their first words, and those on nodes, users, replication and settings.
 */

import type { UtilityStatement } from '../ast/ast.ts';
import type { CreateReplica, Show, ShowObject } from '../ast/utilities.ts';
import type { Cursor } from './cursor.ts';
import { isSignedConstant, parseLiteral, parseNumber } from './literal.ts';
import { parseFormat } from './query.ts';
import {
  parseAlterIndex,
  parseAlterSchema,
  parseAlterTable,
  parseCreateIndex,
  parseCreateSchema,
  parseCreateTable,
  parseDropIndex,
  parseDropSchema,
  parseDropTable,
  parseIfExists,
  parseIfNotExists,
  parseTruncate,
} from './table-statement.ts';

type StatementParser = (cursor: Cursor, position: number) => UtilityStatement;

/** By first word; the parser goes on behind it. */
const STATEMENTS: ReadonlyMap<string, StatementParser> = new Map<string, StatementParser>([
  ['create', parseCreate],
  ['drop', parseDrop],
  ['alter', parseAlter],
  ['truncate', parseTruncate],
  ['show', parseShow],
  ['set', parseSet],
  ['checkpoint', parseCheckpoint],
  ['start', (cursor, position) => parseReplication(cursor, true, position)],
  ['stop', (cursor, position) => parseReplication(cursor, false, position)],
  ['subscribe', (cursor, position) => ({ kind: 'subscribe', id: expectId(cursor), position })],
  ['unsubscribe', (_cursor, position) => ({ kind: 'unsubscribe', position })],
]);

/** A utility statement, or undefined when the current token begins none. */
export function parseUtilityStatement(cursor: Cursor): UtilityStatement | undefined {
  const token = cursor.peek();
  const parse = STATEMENTS.get(token.keyword);
  if (parse === undefined) return undefined;
  cursor.take();
  return parse(cursor, token.start);
}

function parseCreate(cursor: Cursor, position: number): UtilityStatement {
  const { keyword } = cursor.peek();
  switch (keyword) {
    case 'table':
    case 'unlogged':
    case 'shared':
    case 'distributed':
      return parseCreateTable(cursor, position);
    case 'index':
    case 'unique':
      return parseCreateIndex(cursor, position);
  }
  if (cursor.acceptWord('schema')) return parseCreateSchema(cursor, position);
  if (cursor.acceptWords('compute', 'node') || cursor.acceptWord('node')) return parseCreateNode(cursor, position);
  if (cursor.acceptWord('user')) return parseCreateUser(cursor, position);
  if (cursor.acceptWord('token')) return parseCreateToken(cursor, position);
  if (cursor.acceptWord('replica')) return parseCreateReplica(cursor, position);
  throw cursor.unexpected('SCHEMA, TABLE, INDEX, NODE, USER, TOKEN or REPLICA');
}

function parseDrop(cursor: Cursor, position: number): UtilityStatement {
  if (cursor.acceptWord('schema')) return parseDropSchema(cursor, position);
  if (cursor.acceptWord('table')) return parseDropTable(cursor, position);
  if (cursor.acceptWord('index')) return parseDropIndex(cursor, position);
  if (cursor.acceptWord('node')) {
    return { kind: 'dropNode', ifExists: parseIfExists(cursor), id: expectId(cursor), position };
  }
  if (cursor.acceptWord('user')) {
    return { kind: 'dropUser', ifExists: parseIfExists(cursor), name: expectUser(cursor), position };
  }
  if (cursor.acceptWord('replica')) {
    return { kind: 'dropReplica', ifExists: parseIfExists(cursor), id: expectId(cursor), position };
  }
  throw cursor.unexpected('SCHEMA, TABLE, INDEX, NODE, USER or REPLICA');
}

function parseAlter(cursor: Cursor, position: number): UtilityStatement {
  if (cursor.acceptWord('schema')) return parseAlterSchema(cursor, position);
  if (cursor.acceptWord('table')) return parseAlterTable(cursor, position);
  if (cursor.acceptWord('index')) return parseAlterIndex(cursor, position);
  if (!cursor.acceptWord('user')) throw cursor.unexpected('SCHEMA, TABLE, INDEX or USER');
  const name = expectUser(cursor);
  cursor.expectWord('secret');
  return { kind: 'alterUser', name, secret: cursor.expectText('a secret in quotes').text, position };
}

function parseCreateNode(cursor: Cursor, position: number): UtilityStatement {
  const ifNotExists = parseIfNotExists(cursor);
  const hasId = cursor.peek().kind === 'text' || cursor.isName();
  return { kind: 'createNode', ifNotExists, id: hasId ? expectId(cursor) : undefined, position };
}

function parseCreateUser(cursor: Cursor, position: number): UtilityStatement {
  const ifNotExists = parseIfNotExists(cursor);
  const name = expectUser(cursor);
  const secret = cursor.acceptWord('secret') ? cursor.expectText('a secret in quotes').text : undefined;
  return { kind: 'createUser', ifNotExists, name, secret, position };
}

/** CREATE TOKEN u [EXPIRE ['interval'] '…'], from the user. */
function parseCreateToken(cursor: Cursor, position: number): UtilityStatement {
  const user = expectUser(cursor);
  if (!cursor.acceptWord('expire')) return { kind: 'createToken', user, expire: undefined, position };
  cursor.acceptWord('interval');
  return { kind: 'createToken', user, expire: cursor.expectText('an interval in quotes'), position };
}

/** The options of CREATE REPLICA and where they go. */
const REPLICA_OPTIONS: ReadonlyMap<string, 'uri' | 'token' | 'tlsCapath' | 'tlsCa' | 'tlsCert' | 'tlsKey'> = new Map([
  ['uri', 'uri'],
  ['token', 'token'],
  ['tls_capath', 'tlsCapath'],
  ['tls_ca', 'tlsCa'],
  ['tls_cert', 'tlsCert'],
  ['tls_key', 'tlsKey'],
]);

function parseCreateReplica(cursor: Cursor, position: number): CreateReplica {
  const ifNotExists = parseIfNotExists(cursor);
  const id = expectId(cursor);
  const options: Partial<Record<'uri' | 'token' | 'tlsCapath' | 'tlsCa' | 'tlsCert' | 'tlsKey', string>> = {};
  for (;;) {
    const option = REPLICA_OPTIONS.get(cursor.peek().keyword);
    if (option === undefined || options[option] !== undefined) break;
    cursor.take();
    options[option] = cursor.expectText('a text in quotes').text;
  }
  const { uri, token, tlsCapath, tlsCa, tlsCert, tlsKey } = options;
  if (uri === undefined) throw cursor.unexpected('URI');
  return { kind: 'createReplica', ifNotExists, id, uri, token, tlsCapath, tlsCa, tlsCert, tlsKey, position };
}

function parseReplication(cursor: Cursor, start: boolean, position: number): UtilityStatement {
  if (!cursor.acceptWord('replication') && !cursor.acceptWord('repl')) throw cursor.unexpected('REPLICATION');
  return { kind: 'replication', start, position };
}

function parseCheckpoint(cursor: Cursor, position: number): UtilityStatement {
  const workers = cursor.acceptWord('workers') ? cursor.expectInteger('a number of workers') : undefined;
  return { kind: 'checkpoint', workers, position };
}

/** SET name TO value, from the name; `=` stands for TO as well. */
function parseSet(cursor: Cursor, position: number): UtilityStatement {
  const { name } = cursor.expectName('a setting');
  if (!cursor.acceptSymbol('=')) cursor.expectWord('to');
  const value = cursor.isSymbol('-') && isSignedConstant(cursor) ? parseNumber(cursor) : parseLiteral(cursor);
  if (value === undefined) throw cursor.unexpected('a value');
  return { kind: 'set', name, value, position };
}

/** What SHOW can show, and whether a name follows. */
const SHOW_OBJECTS: ReadonlyMap<string, boolean> = new Map([
  ['all', false],
  ['config', false],
  ['users', false],
  ['user', true],
  ['nodes', false],
  ['node', true],
  ['replicas', false],
  ['replica', true],
  ['repl', false],
  ['replication', false],
  ['wal', false],
  ['status', false],
  ['schemas', false],
  ['schema', true],
  ['tables', false],
  ['table', true],
  ['indexes', false],
  ['statements', false],
]);

function parseShow(cursor: Cursor, position: number): Show {
  const { keyword } = cursor.peek();
  const isNamed = SHOW_OBJECTS.get(keyword);
  let what: ShowObject = 'setting';
  let name: string | undefined;
  let schema: string | undefined;
  if (isNamed === undefined) name = cursor.expectName('a setting, or what to show').name;
  else {
    cursor.take();
    what = keyword as ShowObject;
    if (what === 'table') ({ name, schema } = cursor.expectObjectName('a table'));
    else if (isNamed) name = expectId(cursor);
  }
  if ((what === 'tables' || what === 'table') && schema === undefined) {
    if (cursor.acceptWord('in') || cursor.acceptWord('from')) schema = cursor.expectName('a schema').name;
  }
  const extended = cursor.acceptWord('extended');
  return { kind: 'show', what, name, schema, extended, format: parseFormat(cursor), position };
}

/** An id or name, in quotes or not. */
function expectId(cursor: Cursor): string {
  if (cursor.peek().kind === 'text') return cursor.take().text;
  return cursor.expectName('a name or id').name;
}

function expectUser(cursor: Cursor): string {
  if (cursor.peek().kind === 'text') return cursor.take().text;
  return cursor.expectName('a user').name;
}
