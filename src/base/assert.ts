/**
 * Assertions. `assert` is always on and cheap; a failure is a bug of ours, never a user's mistake.
 */

export class AssertionFailure extends Error {
  override name = 'AssertionFailure';
}

/** Throws an AssertionFailure unless `condition` holds. The message is a constant text, so that a passing check allocates nothing. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionFailure(message);
}

/** The end of a switch over a closed union: a forgotten kind does not compile, and a corrupt one does not pass. */
export function unreachable(value: never): never {
  throw new AssertionFailure(`unreachable: ${JSON.stringify(value)}`);
}
