/**
 * The bound tree: what the binder makes of expressions. Names are columns, every node has its wide type and says whether it
 * can be NULL, and whether its value is the same for the whole request.
 */

import type { JsonStep } from '../../types/json/json-step.ts';
import type { SortKey } from '../../types/sort-key.ts';
import { FLOAT, type TypeId } from '../../types/type.ts';

type BoundBase = {
  /** Wide type (bigint for every integer, double for float); null type for NULL. */
  readonly type: TypeId;
  readonly isNullable: boolean;
  /** True: no column, aggregate or impure function in it, so it is computed once a request. */
  readonly isConstant: boolean;
  /** A double that is a 32-bit float and is shown as one: a float column, a cast to float, and what only chooses among such. */
  readonly isFloat?: boolean;
};

/** What SHOW … EXTENDED shows, and functions of schema system give. */
export type SystemObject = 'config' | 'nodes' | 'schemas' | 'tables' | 'indexes' | 'wal' | 'status' | 'statements';

export type Bound = BoundBase &
  (
    | { readonly kind: 'null' }
    | { readonly kind: 'parameter'; readonly parameter: number }
    | { readonly kind: 'integer'; readonly value: bigint }
    | { readonly kind: 'double'; readonly value: number }
    | { readonly kind: 'text'; readonly value: string }
    | { readonly kind: 'json'; readonly value: string }
    | { readonly kind: 'now' }
    /** What main says about the database, asked once a request. */
    | { readonly kind: 'system'; readonly what: SystemObject }
    | { readonly kind: 'column'; readonly column: number }
    | { readonly kind: 'excluded'; readonly column: number }
    | { readonly kind: 'groupKey'; readonly index: number }
    | { readonly kind: 'aggregate'; readonly index: number }
    /** One opcode over its operands: skipped, with a NULL result, where an operand is NULL. */
    | {
        readonly kind: 'operator';
        readonly opcode: string;
        readonly operands: readonly Bound[];
        /** Third word of opcodes that take an immediate. */
        readonly immediate: number;
        /** The opcode itself can give NULL and writes the flag. */
        readonly canGiveNull: boolean;
        /** Operands must stand in consecutive registers. */
        readonly isPacked: boolean;
        /** It takes NULLs itself: its operands' flags are written, and nothing is skipped. */
        readonly readsNull: boolean;
        /** Of opcodes that follow a path into JSON. */
        readonly path?: readonly JsonStep[];
        /** Message of opcodes that take a failure spec; % stands for the value. */
        readonly failure?: string;
      }
    | {
        readonly kind: 'call';
        readonly functionIndex: number;
        readonly name: string;
        readonly operands: readonly Bound[];
        readonly acceptsNull: boolean;
        readonly canGiveNull: boolean;
        /** Runs in the head, before the transaction has its place in the order. */
        readonly isAhead?: boolean;
      }
    | { readonly kind: 'and'; readonly left: Bound; readonly right: Bound }
    | { readonly kind: 'or'; readonly left: Bound; readonly right: Bound }
    | { readonly kind: 'isNull'; readonly operand: Bound; readonly not: boolean }
    | {
        readonly kind: 'case';
        readonly branches: readonly { readonly when: Bound; readonly result: Bound }[];
        readonly otherwise: Bound;
      }
    | { readonly kind: 'coalesce'; readonly operands: readonly Bound[] }
    /** `body`, in which `operand` stands several times and is computed once. */
    | { readonly kind: 'once'; readonly operand: Bound; readonly body: Bound }
    /** x IN (…): three-valued. `equals` compares operand (kept in a register) with each item. */
    | { readonly kind: 'in'; readonly operand: Bound; readonly items: readonly Bound[] }
    /** JSON object of keys and values that are JSON already or wrapped. */
    | { readonly kind: 'jsonBuild'; readonly opcode: 'json_array' | 'json_object'; readonly operands: readonly Bound[] }
    | { readonly kind: 'toJson'; readonly operand: Bound }
  ); // prettier-ignore

/** The type by which a value is written into results, JSON and text: float where it is one, else the wide type. */
export function shownType(bound: Bound): TypeId {
  return bound.isFloat === true ? FLOAT : bound.type;
}

/** The mark of a value that is one of these: a float where all that are not NULL are. */
export function floatOf(choices: readonly Bound[]): { readonly isFloat?: true } {
  const values = choices.filter((choice) => choice.kind !== 'null');
  return values.length > 0 && values.every((value) => value.isFloat === true) ? { isFloat: true } : {};
}

export type BoundAggregate = {
  readonly kind: 'count' | 'count_value' | 'sum_int' | 'sum_double' | 'avg' | 'min' | 'max';
  readonly argument: Bound | undefined;
  readonly isDistinct: boolean;
  readonly filter: Bound | undefined;
  readonly type: TypeId;
  readonly isNullable: boolean;
};

export type BoundOutput = { readonly name: string; readonly expression: Bound };

export type BoundOrder = { readonly expression: Bound; readonly key: SortKey };
