/**
 * A fast generator of random 32-bit words for RANDOM columns and random(): sfc32 (Chris Doty-Humphrey, PractRand), 128 bits
 * of state, period over 2^64. Not for secrets. The same seed gives the same words, so a transaction that is run again gets
 * the same values.
 */

export class RandomGenerator {
  private a = 0;
  private b = 0;
  private c = 0;
  private counter = 1;

  constructor(seedLow = 0, seedHigh = 0) {
    this.seed(seedLow, seedHigh);
  }

  /** Starts the sequence of that 64-bit seed. */
  seed(low: number, high: number): void {
    this.a = low | 0;
    this.b = high | 0;
    this.c = 0x9e3779b9 | 0;
    this.counter = 1;
    // Twelve rounds mix a seed of few bits into all of the state, as the author advises.
    for (let i = 0; i < 12; i++) this.next();
  }

  /** A random signed 32-bit word. */
  next(): number {
    const result = (this.a + this.b + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + result) | 0;
    return result;
  }

  /** A random integer in [0, modulo), for 1 <= modulo <= 2^53. */
  below(modulo: number): number {
    const high = this.next() >>> 5;
    const low = this.next() >>> 6;
    const value = Math.floor(((high * 67108864 + low) / 9007199254740992) * modulo);
    // The product can round up to modulo itself when that is near 2^53.
    return value < modulo ? value : modulo - 1;
  }

  /** A random integer in [0, modulo), for any positive modulo up to 2^63. */
  belowBig(modulo: bigint): bigint {
    const high = BigInt(this.next() >>> 0);
    const low = BigInt(this.next() >>> 0);
    const extra = BigInt(this.next() >>> 0);
    return ((extra << 64n) | (high << 32n) | low) % modulo;
  }
}
