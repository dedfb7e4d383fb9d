/** Expressions of the SQL tree. */

import type { Identifier, OrderItem, Query, TypeName } from './ast.ts';

export type Expression =
  | Literal
  | Parameter
  | Name
  | TypedLiteral
  | VectorLiteral
  | ArrayValue
  | ObjectValue
  | Unary
  | Binary
  | IsNull
  | Like
  | Between
  | In
  | Quantified
  | Exists
  | Subquery
  | Case
  | Cast
  | Extract
  | Call
  | Index
  | Field
  | AtTimezone
  | CurrentTime
  | Lambda;

/** A constant. `slot` is its number among the Shape's constants; undefined when the text was parsed without a shape, or its value stays in the shape. */
export type Literal = IntLiteral | DoubleLiteral | TextLiteral | BoolLiteral | NullLiteral;

interface LiteralBase {
  readonly kind: 'literal';
  readonly slot: number | undefined;
  readonly position: number;
}
/** A 64-bit integer; a sign directly before the digits is part of it. */
export interface IntLiteral extends LiteralBase {
  readonly type: 'int';
  readonly value: bigint;
}
export interface DoubleLiteral extends LiteralBase {
  readonly type: 'double';
  readonly value: number;
}
export interface TextLiteral extends LiteralBase {
  readonly type: 'text';
  readonly value: string;
}
export interface BoolLiteral extends LiteralBase {
  readonly type: 'bool';
  readonly value: boolean;
}
export interface NullLiteral extends LiteralBase {
  readonly type: 'null';
  readonly value: null;
}

/** `$n`; `index` from 1. */
export interface Parameter {
  readonly kind: 'parameter';
  readonly index: number;
  readonly position: number;
}

/** `a`, `a.b`, `s.t.c.k`: a column, with or without its table, and keys behind it. `self` and `excluded.c` are names too. */
export interface Name {
  readonly kind: 'name';
  readonly parts: readonly string[];
  readonly position: number;
}

/** `timestamp '…'`, `date '…'`, `interval '…'`, `uuid '…'`: always part of the shape, never a slot. */
export interface TypedLiteral {
  readonly kind: 'typedLiteral';
  readonly type: 'timestamp' | 'date' | 'interval' | 'uuid';
  readonly text: string;
  readonly position: number;
}

/** `vector [e, …]`. */
export interface VectorLiteral {
  readonly kind: 'vector';
  readonly elements: readonly Expression[];
  readonly position: number;
}

/** `[e, …]`. A subquery without parentheses of its own is a `subquery` here, as everywhere. */
export interface ArrayValue {
  readonly kind: 'array';
  readonly elements: readonly Expression[];
  readonly position: number;
}

/** `{"k": e, …}`. */
export interface ObjectValue {
  readonly kind: 'object';
  readonly entries: readonly ObjectEntry[];
  readonly position: number;
}

export interface ObjectEntry {
  readonly key: string;
  readonly value: Expression;
  readonly position: number;
}

export interface Unary {
  readonly kind: 'unary';
  readonly operator: 'not' | '-' | '+' | '~';
  readonly operand: Expression;
  readonly position: number;
}

export type ComparisonOperator = '=' | '<>' | '<' | '<=' | '>' | '>=';
export type BinaryOperator =
  | ComparisonOperator
  | 'or'
  | 'and'
  | '|'
  | '^'
  | '&'
  | '<<'
  | '>>'
  | '+'
  | '-'
  | '||'
  | '*'
  | '/'
  | '%';

/** `!=` is given as `<>`. */
export interface Binary {
  readonly kind: 'binary';
  readonly operator: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
  readonly position: number;
}

export interface IsNull {
  readonly kind: 'isNull';
  readonly operand: Expression;
  readonly not: boolean;
  readonly position: number;
}

export interface Like {
  readonly kind: 'like';
  readonly operand: Expression;
  readonly pattern: Expression;
  readonly not: boolean;
  readonly position: number;
}

export interface Between {
  readonly kind: 'between';
  readonly operand: Expression;
  readonly low: Expression;
  readonly high: Expression;
  readonly not: boolean;
  readonly position: number;
}

/** An item that is a `subquery` stands for all its rows. */
export interface In {
  readonly kind: 'in';
  readonly operand: Expression;
  readonly items: readonly Expression[];
  readonly not: boolean;
  readonly position: number;
}

/** `e op ANY|ALL (…)`; `set` is a `subquery` for all its rows, or an expression that gives a JSON array. */
export interface Quantified {
  readonly kind: 'quantified';
  readonly operator: ComparisonOperator;
  readonly quantifier: 'any' | 'all';
  readonly operand: Expression;
  readonly set: Expression;
  readonly position: number;
}

/** NOT EXISTS is a `unary` not around it. */
export interface Exists {
  readonly kind: 'exists';
  readonly query: Query;
  readonly position: number;
}

/** A scalar subquery. */
export interface Subquery {
  readonly kind: 'subquery';
  readonly query: Query;
  readonly position: number;
}

export interface Case {
  readonly kind: 'case';
  /** The `e` of `CASE e WHEN …`. */
  readonly operand: Expression | undefined;
  readonly branches: readonly CaseBranch[];
  readonly otherwise: Expression | undefined;
  readonly position: number;
}

export interface CaseBranch {
  readonly when: Expression;
  readonly result: Expression;
}

/** `CAST(e AS type)` or `e::type`. `type(e)` is a `call` of that name. */
export interface Cast {
  readonly kind: 'cast';
  readonly operand: Expression;
  readonly type: TypeName;
  readonly position: number;
}

/** `EXTRACT(field FROM e)`; `field` as written. */
export interface Extract {
  readonly kind: 'extract';
  readonly field: string;
  readonly operand: Expression;
  readonly position: number;
}

/** A function or aggregate. A method call `v::f(a)` has its value as the first argument and `method` true. */
export interface Call {
  readonly kind: 'call';
  readonly schema: string | undefined;
  readonly name: string;
  readonly arguments: readonly Expression[];
  readonly method: boolean;
  /** `count(*)`: no arguments. */
  readonly star: boolean;
  readonly distinct: boolean;
  /** ORDER BY inside the parentheses. */
  readonly orderBy: readonly OrderItem[];
  /** FILTER (WHERE e). */
  readonly filter: Expression | undefined;
  /** OVER name, or OVER (…). */
  readonly over: Identifier | WindowSpecification | undefined;
  readonly position: number;
}

export interface WindowSpecification {
  readonly kind: 'window';
  /** The window that this one starts from, by name. */
  readonly base: Identifier | undefined;
  readonly partitionBy: readonly Expression[];
  readonly orderBy: readonly OrderItem[];
  readonly frame: WindowFrame | undefined;
  readonly position: number;
}

export interface NamedWindow {
  readonly name: string;
  readonly specification: WindowSpecification;
  readonly position: number;
}

export interface WindowFrame {
  readonly unit: 'rows' | 'range' | 'groups';
  readonly start: FrameBound;
  /** `currentRow` where only a start is written. */
  readonly end: FrameBound;
  readonly position: number;
}

export type FrameBound =
  | { readonly kind: 'unboundedPreceding' }
  | { readonly kind: 'preceding'; readonly offset: Expression }
  | { readonly kind: 'currentRow' }
  | { readonly kind: 'following'; readonly offset: Expression }
  | { readonly kind: 'unboundedFollowing' };

/** `e[i]`, `e['k']`. */
export interface Index {
  readonly kind: 'index';
  readonly operand: Expression;
  readonly index: Expression;
  readonly position: number;
}

/** `e.k` where e is not itself a name (then it is a longer `name`). */
export interface Field {
  readonly kind: 'field';
  readonly operand: Expression;
  readonly key: string;
  readonly position: number;
}

/** `e AT TIMEZONE 'zone'`; a text literal as zone stays in the shape. */
export interface AtTimezone {
  readonly kind: 'atTimezone';
  readonly operand: Expression;
  readonly zone: Expression;
  readonly position: number;
}

export interface CurrentTime {
  readonly kind: 'current';
  readonly what: 'timestamp' | 'date';
  readonly position: number;
}

/** `seed -> body`, where the body calls the state `self`. */
export interface Lambda {
  readonly kind: 'lambda';
  readonly seed: Expression;
  readonly body: Expression;
  readonly position: number;
}
