/** A node of the plan tree shown by EXPLAIN: what it does, and whatever tells how. */
export type PlanNode = { readonly node: string; readonly [detail: string]: unknown };

/** Where a step runs: the statement as a whole, its part on nodes, its part on the coordinator. */
export type StepSide = 'statement' | 'nodes' | 'coordinator';

/** A step of a plan, as PROFILE counts it. */
export type PlanStep = { readonly side: StepSide; readonly node: string };

/** The steps of a statement's plan: the statement, what nodes do, what the coordinator does. Numbers go on from statement to statement. */
export function stepsOfStatement(plan: PlanNode): PlanStep[] {
  const of = (side: 'nodes' | 'coordinator'): PlanStep[] =>
    ((plan[side] ?? []) as readonly PlanNode[]).map(({ node }) => ({ side, node }));
  return [{ side: 'statement', node: plan.node }, ...of('nodes'), ...of('coordinator')];
}
