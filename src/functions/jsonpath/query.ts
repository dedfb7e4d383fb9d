/** A JSONPath query (RFC 9535) as a tree. */

export type Query = {
  /** `$`: the value as a whole; `@`: the value that a filter looks at. */
  readonly root: '$' | '@';
  readonly segments: readonly Segment[];
  /** Names and single indexes only: it gives at most one value. */
  readonly isSingular: boolean;
};

export type Segment = { readonly isDescendant: boolean; readonly selectors: readonly Selector[] };

export type Selector =
  | { readonly kind: 'name'; readonly key: Uint8Array }
  | { readonly kind: 'wildcard' }
  | { readonly kind: 'index'; readonly index: number }
  | {
      readonly kind: 'slice';
      readonly start: number | undefined;
      readonly end: number | undefined;
      readonly step: number;
    }
  | { readonly kind: 'filter'; readonly condition: Condition };

export type ComparisonOperator = '==' | '!=' | '<' | '<=' | '>' | '>=';

export type Condition =
  | { readonly kind: 'or' | 'and'; readonly operands: readonly Condition[] }
  | { readonly kind: 'not'; readonly operand: Condition }
  /** True where the query gives a value. */
  | { readonly kind: 'exists'; readonly query: Query }
  | {
      readonly kind: 'compare';
      readonly operator: ComparisonOperator;
      readonly left: Operand;
      readonly right: Operand;
    }
  /** A whole string, or a part of it, is described by a regular expression. */
  | { readonly kind: 'match' | 'search'; readonly text: Operand; readonly pattern: Operand };

/** What gives a value, or nothing. */
export type Operand =
  /** Binary JSON. */
  | { readonly kind: 'literal'; readonly bytes: Uint8Array }
  /** Singular. */
  | { readonly kind: 'query'; readonly query: Query }
  | { readonly kind: 'length'; readonly operand: Operand }
  /** How many values the query gives. */
  | { readonly kind: 'count'; readonly query: Query }
  /** The value of a query that gives one. */
  | { readonly kind: 'value'; readonly query: Query };
