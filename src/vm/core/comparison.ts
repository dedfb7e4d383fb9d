/**
 * Whether an order (negative, zero, positive) satisfies a comparison of the opcodes: 0 = 1 <> 2 < 3 <= 4 > 5 >=.
 */
export function holds(order: number, comparison: number): boolean {
  switch (comparison) {
    case 0: // =
      return order === 0;
    case 1: // <>
      return order !== 0;
    case 2: // <
      return order < 0;
    case 3: // <=
      return order <= 0;
    case 4: // >
      return order > 0;
    default: // >=
      return order >= 0;
  }
}
