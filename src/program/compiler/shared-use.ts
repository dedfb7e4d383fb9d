/** What the statements of a request do with shared tables. */

import type { BoundStatement } from '../../sql/binder/statements.ts';
import type { SharedUse } from '../program.ts';

export function sharedUseOf(bounds: readonly BoundStatement[]): SharedUse {
  if (!bounds.some(isSharedChange)) return bounds.some(usesShared) ? 'reads' : 'none';
  return bounds.some(({ table }) => table !== undefined && !table.isShared) ? 'mixed' : 'writes';
}

/** A statement that changes a shared table. */
export function isSharedChange(bound: BoundStatement): boolean {
  return bound.kind !== 'select' && bound.table.isShared;
}

/** A statement that reads or changes one. */
export function usesShared({ table }: BoundStatement): boolean {
  return table?.isShared === true;
}
