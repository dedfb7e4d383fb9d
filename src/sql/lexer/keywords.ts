/**
 * The words that mean something to the parser everywhere.
 *
 * A reserved word is no name unless it stands in back-ticks, or behind `.` or `::`. All other keywords (FORMAT, OVER, USE, …)
 * are known by their place and may name a column or a table. Every word after which the shape scanner takes `-5` for a
 * constant must be reserved: were it a column, the same text would be a subtraction.
 */

export { RESERVED_WORDS } from '../../base/reserved-words.ts';

/** Reserved words that are functions when a parenthesis follows: `left('abc', 1)`, `like(s, p)`, `set(obj, path, v)`, `values(obj)`. */
export const RESERVED_FUNCTIONS: ReadonlySet<string> = new Set(['left', 'like', 'right', 'set', 'values']);
