/** Operations that every kind has. */

import { eagerOperation, type Operation, operation } from './operations.ts';
import { compareValues, KINDS, type Kind, type Value } from './values.ts';

/** The first of the values that are not NULL and not on the other side of another. */
function extreme(kind: Kind, direction: number): (...values: Value[]) => Value {
  return (...values) => {
    let best: Value = null;
    for (const value of values)
      if (value !== null && (best === null || compareValues(value, best, kind) * direction > 0)) best = value;
    return best;
  };
}

const ORDERED = KINDS.filter((kind) => kind !== 'json');

export const KIND_OPERATIONS: readonly Operation[] = [
  ...ORDERED.flatMap((kind) => [
    eagerOperation(kind, 'greatest(#, #, #)', [kind, kind, kind], extreme(kind, 1)),
    eagerOperation(kind, 'least(#, #)', [kind, kind], extreme(kind, -1)),
  ]),
  // A value's text is read as the same value.
  ...ORDERED.map((kind) =>
    operation(kind, `((#)::text::${kind === 'int' ? 'bigint' : kind})`, [kind], (value: Value) =>
      // In the text of a vector a whole element is an integer, which has no -0.
      Array.isArray(value) ? value.map((each: number) => each + 0) : value,
    ),
  ),
];
