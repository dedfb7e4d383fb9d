/**
 * For tests: a catalog from DDL text, and programs from SQL text, compiled the way a frontend does and verified. Not
 * imported by production code.
 */

import { SqlError } from '../../base/errors.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import { applyDdl, emptyCatalog } from '../../catalog/ddl.ts';
import type { UtilityStatement } from '../../sql/ast/ast.ts';
import { bindDefinition } from '../../sql/binder/definitions.ts';
import { parseRequest } from '../../sql/parser/request.ts';
import { ShapeScanner } from '../../sql/shape/scanner.ts';
import type { Program } from '../program.ts';
import { verifyProgram } from '../verifier.ts';
import { compileRequest } from './compile.ts';

const ENCODER = new TextEncoder();

/** Applies DDL statements, one a text, to a catalog of that many nodes. Timestamps of defaults are those of Date. */
export function catalogOf(statements: readonly string[], nodeCount = 3): Catalog {
  let catalog = emptyCatalog(Array.from({ length: nodeCount }, (_, node) => `node-${node}`));
  for (const statement of statements) catalog = define(catalog, statement);
  return catalog;
}

/** The catalog after one DDL statement. Throws SqlError. */
export function define(catalog: Catalog, text: string): Catalog {
  const [statement] = parseRequest(ENCODER.encode(text)).statements;
  const context = { parseTimestamp: (value: string): bigint => BigInt(Date.parse(value)) * 1000n };
  const command = bindDefinition(statement as UtilityStatement, catalog, context);
  return command === undefined ? catalog : applyDdl(catalog, command);
}

/**
 * The verified program of a request, through its shape where it has one. `parameterKinds`: those of $1 …: 1 int, 2 double,
 * 3 text, 4 bool, 5 null, 6 json. Throws SqlError.
 */
export function compileText(text: string, catalog: Catalog, parameterKinds: readonly number[] = []): Program {
  const bytes = ENCODER.encode(text);
  const scanner = new ShapeScanner();
  const hasShape = scanner.scan(bytes, 0, bytes.length);
  const request = hasShape ? parseRequest(bytes, scanner) : parseRequest(bytes);
  const constants = hasShape ? [...scanner.constants.kind.subarray(0, scanner.constantCount)] : [];
  const program = compileRequest(request, catalog, {
    programId: 1,
    parameterKinds: [...constants, ...parameterKinds],
    constantCount: constants.length,
  });
  verifyProgram(program);
  return program;
}

/** The error of a request: `code: message @position`, or what it compiled to. */
export function errorOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    return `${error.code}: ${error.message}${error.position === undefined ? '' : ` @${error.position}`}`;
  }
  return 'no error';
}
