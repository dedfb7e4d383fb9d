/**
 * A program: the compiled form of one request shape. Immutable; state lives in the VM. It is plain data (code as number
 * arrays), so JSON carries it to the nodes through shared pages; a node decodes it once.
 */

import type { ErrorCode } from '../base/errors.ts';
import type { Constant } from '../catalog/catalog.ts';
import type { PlanNode } from '../planner/plan-node.ts';
import type { SystemObject } from '../sql/binder/bound.ts';
import type { JsonStep } from '../types/json/json-step.ts';
import type { SortKey } from '../types/sort-key.ts';
import type { TypeId } from '../types/type.ts';

export type { PlanNode, SortKey };

/** Code: four words an instruction (opcodes.ts). */
export type Section = {
  readonly code: readonly number[];
  readonly registerCount: number;
  /** Comment by instruction index, for EXPLAIN. */
  readonly comments: Readonly<Record<number, string>>;
};

export type ProgramTable = {
  readonly tableId: number;
  /** `schema.name`, for messages. */
  readonly name: string;
};

/** Key of a point access: registers keyRegister … hold the primary key columns, in order. */
export type PointSpec = {
  readonly table: number;
  readonly keyRegister: number;
  readonly keyCount: number;
  /** Node: the parameter with the partition ordinal, set by route_point. */
  readonly partitionParam: number;
};

/**
 * Keys of an IN list over a single-column primary key: registers keyRegister … + keyCount - 1, duplicates allowed, nul[] read.
 * Where `set` is not -1 they are the values of that set, and keyRegister is used for each.
 */
export type ListSpec = {
  readonly table: number;
  readonly keyRegister: number;
  readonly keyCount: number;
  readonly set: number;
};

/** A range of a tree index, or (all columns equal) of a hash index. Bounds are registers, never NULL where used. */
export type RangeSpec = {
  readonly table: number;
  /** Ordinal in table.indexes. */
  readonly index: number;
  /** Leading index columns with equality: registers equalRegister … */
  readonly equalRegister: number;
  readonly equalCount: number;
  /** Bounds of the next column, in value order: -1 where open. */
  readonly lowerRegister: number;
  readonly isLowerInclusive: boolean;
  readonly upperRegister: number;
  readonly isUpperInclusive: boolean;
  /** Rows with NULL in the ranged column are left out when there is a bound. */
  readonly isDescending: boolean;
  /** True: rows of all partitions of the node come merged in index order; false: partition after partition. */
  readonly isOrdered: boolean;
};

export type SortSpec = {
  readonly keys: readonly SortKey[];
  /** Types of the values carried, for sorters in the VM. */
  readonly values: readonly TypeId[];
  /** Output (program.outputs) by which sort_send writes payloads; -1 none. */
  readonly output: number;
};

export type AggregateKind = 'count' | 'count_value' | 'sum_int' | 'sum_double' | 'avg' | 'min' | 'max';
export type AggregateSpec = {
  readonly kind: AggregateKind;
  /** Wide type of the argument (bigint, double, text, …); null type for count. */
  readonly argument: TypeId;
  readonly isNullable: boolean;
  readonly isDistinct: boolean;
};
export type GroupSpec = { readonly keys: readonly TypeId[]; readonly aggregates: readonly AggregateSpec[] };

/** Columns of a result: values in consecutive registers; all nullable flags in nul[] are read where isNullable. */
export type OutputSpec = {
  readonly columns: readonly { readonly name: string; readonly type: TypeId; readonly isNullable: boolean }[];
  /** FORMAT of the statement: overrides that of the request; '' where not given. */
  readonly format: string;
};

/** Registers with the evaluated LIMIT and OFFSET, -1 where not given. */
export type LimitSpec = { readonly limitRegister: number; readonly offsetRegister: number };

export type InsertSpec = {
  readonly table: number;
  /** Column ordinal of each cell of a literal row, import row or batch_set. */
  readonly columns: readonly number[];
};

export type UpdateSpec = { readonly table: number; readonly columns: readonly number[] };

/**
 * What stands between two steps of a request, in which nodes need what others found in the step before (executor/rounds.ts):
 *
 * - move: UPDATE has changed primary keys in `table`. Each node leaves a batch of its rows that move; in the next step each
 *   inserts those that belong to it.
 * - stand: what follows changes shared tables, which no node may be reading for a request before.
 */
export type RoundSpec = { readonly kind: 'move'; readonly table: number } | { readonly kind: 'stand' };

/** A path into a JSON value, outermost step first; at least one step. Parameters are those of the request, which nothing changes. */
export type JsonPathSpec = readonly JsonStep[];

/** A parameter that the frontend asks main for before the head runs: what SHOW … EXTENDED shows, as JSON. */
export type SystemInput = { readonly parameter: number; readonly what: SystemObject };

/** Error of check opcodes: text with the column and types named. `%` in the text stands for the value. */
export type FailureSpec = { readonly code: ErrorCode; readonly message: string };

/** A constant of the code that is no parameter. */
export type ProgramConstant = Constant | { readonly kind: 'timestamp'; readonly value: string } | ConstantList;

/** Literals of an IN list; ints as texts where they are no safe numbers. */
export type ConstantList = {
  readonly kind: 'list';
  readonly ints: readonly (number | string)[];
  readonly doubles: readonly number[];
  readonly texts: readonly string[];
};

/**
 * What a request does with shared tables, which decides how its ticket runs:
 *
 *   none     nothing: the nodes whose partitions are concerned take part
 *   reads    one node more, chosen by the head, reads them: the others jump over those statements
 *   writes   it changes them, and uses no others: a plain fence, in which their owner runs all statements
 *   mixed    it changes them, and uses others too: all nodes come to a round before the first such change, and stay until all
 *            are done. The owner alone runs the statements on shared tables, its reads too: they see what it has changed.
 */
export type SharedUse = 'none' | 'reads' | 'writes' | 'mixed';

export type Program = {
  /** Unique in the process: frontend number * 2^24 + sequence. */
  readonly id: number;
  readonly catalogVersion: number;
  /** False: nothing is written anywhere (no undo, no redo). */
  readonly isWrite: boolean;
  /** True: the tail of the coordinator section can still fail and the program writes: the last voter runs it. */
  readonly canTailFail: boolean;
  readonly sharedUse: SharedUse;
  /** True where the program needs no node at all (SELECT 1): no ticket is taken. */
  readonly isLocal: boolean;
  readonly hasResult: boolean;
  /** Types of the request's own parameters in order: first shape constants, then $1 …; the rest are set by the head. */
  readonly requestParameterCount: number;
  readonly parameterCount: number;
  readonly statementCount: number;
  readonly coordinator: Section;
  readonly node: Section;
  readonly tables: readonly ProgramTable[];
  readonly constants: readonly ProgramConstant[];
  readonly points: readonly PointSpec[];
  readonly lists: readonly ListSpec[];
  readonly ranges: readonly RangeSpec[];
  readonly groups: readonly GroupSpec[];
  readonly sorts: readonly SortSpec[];
  readonly outputs: readonly OutputSpec[];
  readonly limits: readonly LimitSpec[];
  readonly inserts: readonly InsertSpec[];
  readonly updates: readonly UpdateSpec[];
  /** One between two steps, in order; none where the request is one step. */
  readonly rounds: readonly RoundSpec[];
  readonly failures: readonly FailureSpec[];
  readonly systemInputs: readonly SystemInput[];
  readonly jsonPaths: readonly JsonPathSpec[];
  readonly cursorCount: number;
  readonly batchCount: number;
  readonly groupCount: number;
  readonly sorterCount: number;
  readonly rowListCount: number;
  readonly plan: readonly PlanNode[];
  /** Steps of the plan that the code counts, for PROFILE; else 0. */
  readonly stepCount: number;
  /** Pairs of shape constants that must be equal for this program to fit a request of the shape. */
  readonly slotEqualities: readonly (readonly [number, number])[];
};
