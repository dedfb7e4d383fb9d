/**
 * The words that mean something to the parser everywhere.
 *
 * A reserved word is no name unless it stands in back-ticks, or behind `.` or `::`. All other keywords (FORMAT, OVER, USE, …)
 * are known by their place and may name a column or a table. Every word after which the shape scanner takes `-5` for a
 * constant must be reserved: were it a column, the same text would be a subtraction.
 */

export const RESERVED_WORDS: ReadonlySet<string> = new Set(
  `all and any as between case cross current_date current_timestamp default delete distinct else end except exists
   false from full group having in inner insert intersect into is join lateral left like limit not null offset on or order
   returning right select set then true union update using values when where window with`.split(/\s+/),
);

/** Reserved words that are functions when a parenthesis follows: `left('abc', 1)`, `set(obj, path, v)`, `values(obj)`. */
export const RESERVED_FUNCTIONS: ReadonlySet<string> = new Set(['left', 'right', 'set', 'values']);
