/**
 * What the registers of a section hold while its code is emitted, so that nothing is loaded twice: invariants for the whole
 * statement, and what was computed for the current row, or in the current branch, until that ends.
 */

import type { Bound } from '../../sql/binder/bound.ts';

export class HeldValues {
  readonly #invariants = new Map<string, number>();
  #known = new Map<string | Bound, number>();

  /** The register with a value of the current row: a bound expression, or a leaf by its key. */
  get(key: string | Bound): number | undefined {
    return this.#known.get(key);
  }

  set(key: string | Bound, register: number): void {
    this.#known.set(key, register);
  }

  isInvariant(key: string): boolean {
    return this.#invariants.has(key);
  }

  /** The register with a value that is the same for all rows. */
  getInvariant(key: string): number | undefined {
    return this.#invariants.get(key) ?? this.#known.get(key);
  }

  setInvariant(key: string, register: number): void {
    this.#invariants.set(key, register);
  }

  /** What is set from now on holds only while `compile` runs. */
  isolated(compile: () => void): void {
    const before = this.#known;
    this.#known = new Map(before);
    compile();
    this.#known = before;
  }

  /** Forgets what lies in registers from `mark` on. */
  forgetFrom(mark: number): void {
    for (const [key, register] of this.#known) if (register >= mark) this.#known.delete(key);
    for (const [key, register] of this.#invariants) if (register >= mark) this.#invariants.delete(key);
  }

  /** Forgets what was loaded for the current row. */
  forgetRow(): void {
    this.#known.clear();
  }

  /** Forgets every register. */
  forget(): void {
    this.#known.clear();
    this.#invariants.clear();
  }
}
