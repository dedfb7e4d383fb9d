/**
 * What a request does with shared tables, which decides how its ticket runs:
 *
 *   none     nothing: the nodes whose partitions are concerned take part
 *   reads    one node more, chosen by the head, reads them: the others jump over those statements
 *   writes   it changes them, and uses no others: a plain fence, in which their owner runs all statements
 *   mixed    it changes them, and uses others too: all nodes come to a round before the first such change, and stay until all
 *            are done. The owner alone runs the statements on shared tables, its reads too: they see what it has changed.
 */

import type { BoundStatement } from '../../sql/binder/statements.ts';

export type SharedUse = 'none' | 'reads' | 'writes' | 'mixed';

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
