/** Words that are no names unless they stand in back-ticks. What follows from that is said in sql/lexer/keywords.ts. */

export const RESERVED_WORDS: ReadonlySet<string> = new Set(
  `all and any as between case cross current_date current_timestamp default delete distinct else end except exists
   false from full group having in inner insert intersect into is join lateral left like limit not null offset on or order
   returning right select set then true union update using values when where window with`.split(/\s+/),
);
