/**
 * Registers of a section: typed arrays, made once a VM and reused.
 *
 * num[r] holds every value: a number, a bool as 0 or 1, a double, a ref; an integer or timestamp beyond ±2^53 is NaN there
 * and lies in big[r]. nul[r] is 1 for NULL, and means something only for registers that can be NULL.
 */

export type RegisterFile = {
  readonly num: Float64Array;
  readonly big: BigInt64Array;
  readonly nul: Uint8Array;
};

/** A register file of `count` registers, all 0 and not NULL. */
export function createRegisters(count: number): RegisterFile {
  return { num: new Float64Array(count), big: new BigInt64Array(count), nul: new Uint8Array(count) };
}
