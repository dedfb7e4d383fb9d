/** Functions that run ahead: in the head, before the transaction has its place in the order (identity_of, sleep). */

import type { Bound } from '../../sql/binder/bound.ts';

const known: WeakMap<Bound, boolean> = new WeakMap();

/** True where a call in it runs ahead. */
export function hasAhead(bound: Bound): boolean {
  let has = known.get(bound);
  if (has === undefined) {
    has = (bound.kind === 'call' && bound.isAhead === true) || operandsOf(bound).some(hasAhead);
    known.set(bound, has);
  }
  return has;
}

function operandsOf(bound: Bound): readonly Bound[] {
  switch (bound.kind) {
    case 'operator':
    case 'call':
    case 'coalesce':
    case 'jsonBuild':
      return bound.operands;
    case 'and':
    case 'or':
      return [bound.left, bound.right];
    case 'isNull':
    case 'toJson':
      return [bound.operand];
    case 'case':
      return [...bound.branches.flatMap(({ when, result }) => [when, result]), bound.otherwise];
    case 'once':
      return [bound.operand, bound.body];
    case 'in':
      return [bound.operand, ...bound.items];
    default:
      return [];
  }
}
