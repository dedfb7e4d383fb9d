/**
 * What a request does with shared tables, which decides how its ticket runs:
 *
 *   none     nothing: the nodes whose partitions are concerned take part
 *   reads    one node more, chosen by the head, reads them: the others jump over those statements
 *   writes   a plain fence: all nodes stand still while the owner of the shared tables runs all statements
 *
 * In a fence only the owner works, so what it uses has to be shared as a whole.
 */

import { notSupported } from '../../base/errors.ts';
import type { Statement } from '../../sql/ast/ast.ts';
import type { BoundStatement } from '../../sql/binder/statements.ts';

export type SharedUse = 'none' | 'reads' | 'writes';

/** Throws not_supported, with the position of the statement, where shared tables are changed together with other tables. */
export function sharedUseOf(
  bounds: readonly BoundStatement[],
  statements: readonly Pick<Statement, 'position'>[],
): SharedUse {
  const change = bounds.findIndex((bound) => bound.kind !== 'select' && bound.table.isShared);
  if (change < 0) return bounds.some(isSharedRead) ? 'reads' : 'none';
  if (bounds.some(({ table }) => table !== undefined && !table.isShared)) {
    const { position } = statements[change]!;
    throw notSupported('changing a shared table together with other tables in one request', position);
  }
  return 'writes';
}

/** A statement that reads a shared table, and changes nothing. */
export function isSharedRead(bound: BoundStatement): boolean {
  return bound.kind === 'select' && bound.table?.isShared === true;
}
