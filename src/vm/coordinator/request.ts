/**
 * What a coordinator VM needs of the request it works for, and what it leaves there. The engine has one such object a
 * request in the air; parts of it (format, time) are written into the request block for the nodes too.
 */

import type { TableDefinition } from '../../catalog/catalog.ts';
import type { RowSource } from '../../program/batch-builder.ts';
import type { ResultFormat } from '../../types/result-format.ts';
import type { TimeZone } from '../../types/time-zone.ts';
import type { StepProfile } from '../core/step-profile.ts';

export interface RequestContext {
  /** Where the parameters lie: cell 0 at byte `parameterByte` (a multiple of 16) of arena `parameterArena`. */
  readonly parameterArena: number;
  readonly parameterByte: number;
  /** The transaction's time, microseconds since 1970. */
  readonly now: number;
  /** Two words from which random values are made, the same in a rerun. */
  readonly seedLow: number;
  readonly seedHigh: number;
  readonly timeZone: TimeZone;
  readonly format: ResultFormat;
  readonly limitSendBytes: number;
  /** Literal VALUES lists or import rows; null where the request has none. */
  readonly rowSource: RowSource | null;
  /** Head: nodes that take part, bits of two words. */
  maskLow: number;
  maskHigh: number;
  /** Head: refs of finished batches, to be freed (freeBatch) when the ticket is final. */
  readonly batches: number[];
  /** Where a program for PROFILE counts its steps. */
  readonly steps?: StepProfile | null;
  /** Ref to `byteLength` bytes that live as long as the request. */
  allocate(byteLength: number): number;
  /** The request waits so long, or longer, before it takes its place in the order. */
  sleep(milliseconds: number): void;
  /** Asked every few thousand rows that the coordinator makes itself. Throws timeout where the request has taken too long. */
  checkTime(): void;
}

/** Results of the parts of a ticket: part i's inline area is at byte `bytes[i]` of arena `arenas[i]`, for i < count. */
export interface PartResults {
  readonly count: number;
  readonly arenas: ArrayLike<number>;
  readonly bytes: ArrayLike<number>;
}

export interface CoordinatorEnvironment {
  /** The definition of a table in the catalog version that the program was compiled for. */
  table(tableId: number): TableDefinition;
  /** The table of that name in it. Only where heads run. */
  findTable?(schema: string, name: string): TableDefinition | undefined;
}

/** The parts of a program that needed no node. */
export const NO_PARTS: PartResults = { count: 0, arenas: [], bytes: [] };
