/** A node of the plan tree shown by EXPLAIN: what it does, and whatever tells how. */
export type PlanNode = { readonly node: string; readonly [detail: string]: unknown };
