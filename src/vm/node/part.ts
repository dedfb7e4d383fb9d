/**
 * What a node VM needs of the part it runs, and of its node. The node loop has one such object and moves it from part to
 * part.
 */

import { SqlError } from '../../base/errors.ts';
import type { TableDefinition } from '../../catalog/catalog.ts';
import type { Partition } from '../../storage/partition.ts';
import type { RedoBuffer } from '../../storage/redo-buffer.ts';
import type { UndoLog } from '../../storage/undo.ts';
import type { ResultFormat } from '../../types/result-format.ts';
import type { TimeZone } from '../../types/time-zone.ts';

export interface PartContext {
  /** Where the parameters lie: cell 0 at byte `parameterByte` (a multiple of 16) of arena `parameterArena`. */
  readonly parameterArena: number;
  readonly parameterByte: number;
  /** The transaction's time, microseconds since 1970. */
  readonly now: number;
  /** Two words from which random values are made: others on each node, the same in a rerun. */
  readonly seedLow: number;
  readonly seedHigh: number;
  readonly timeZone: TimeZone;
  readonly format: ResultFormat;
  /** Inline area of the part for results: `resultBytes` at byte `resultByte` (a multiple of 16) of arena `resultArena`. */
  readonly resultArena: number;
  readonly resultByte: number;
  readonly resultBytes: number;
  readonly limitSendBytes: number;
  readonly undo: UndoLog;
  /** Between begin() and the taking of its bytes, which are the node loop's; null where nothing is logged. */
  readonly redo: RedoBuffer | null;
  /** Set by the VM when the part changes a row of an unlogged table. */
  hasUnloggedChanges: boolean;
  /** Set by the VM at the end of a step: ref of the batch of rows that move, the caller's from then on; 0 for none. */
  movedBatch: number;
  /** Behind a step: the first of the batches of moved rows, those of the last round first; 0 for none. */
  readonly firstMoved: number;
  /** Asked every few thousand rows: true where the part must be given up. */
  poll(): boolean;
}

/** The partitions that a node owns, and those of shared tables that the program of the moment reads, open. */
export interface NodeStorage {
  /** Number of the node. */
  readonly node: number;
  table(tableId: number): TableDefinition;
  partitionsOf(tableId: number): readonly Partition[];
  /** By ordinal in table.partitions; undefined where it is another node's, which this one does not read. */
  partitionByOrdinal(tableId: number, ordinal: number): Partition | undefined;
}

/**
 * A user's mistake in a part: of several the client gets the one of the smallest statement, then row. Statements count
 * from 0; rows of a batch from 1, 0 where the error is of no row.
 */
export class PartError extends SqlError {
  readonly statement: number;
  readonly row: number;

  constructor(error: SqlError, statement: number, row: number) {
    super(error.code, error.message, error.position);
    this.statement = statement;
    this.row = row;
  }
}

/** Thrown by a part that was given up because poll() said so. */
export class Interrupted extends Error {
  override name = 'Interrupted';
}
