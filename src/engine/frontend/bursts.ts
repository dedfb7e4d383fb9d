/**
 * When nodes are woken while requests come in: after so many of them, or behind one that has made a large batch, as what comes
 * next keeps the frontend busy while they work; else the frontend wakes them behind the burst.
 *
 * In small bursts cores are idle, and it pays to have the nodes begin at once; in large ones all are busy, waking a node costs 5 to
 * 20 µs of both sides, and one that is woken early parks again before the burst is over. Two cores, by turns, 32 against 3: tpcb
 * 12 clients 0.80 times with nothing else on the machine, 1.06 next to other work; tpcb 64 clients 1.10; point select 64
 * clients 1.14. Waking behind every upsert of 500 rows: 262 to 242 µs of server CPU.
 */

const FLUSH_REQUESTS_SMALL = 3;
const FLUSH_REQUESTS_LARGE = 32;
/** Requests of a burst, on the average, from which it is large. */
const LARGE_BURST = 12;
const FLUSH_BATCH_BYTES = 4096;

export class Bursts {
  /** Requests ordered since the nodes were woken, and in this burst; and of bursts on the average. */
  #unflushedCount = 0;
  #count = 0;
  #mean = 0;

  /** A request has been ordered, with that many bytes of batches: true where the nodes are to be woken now. */
  add(batchBytes: number): boolean {
    this.#count++;
    const flushCount = this.#mean < LARGE_BURST ? FLUSH_REQUESTS_SMALL : FLUSH_REQUESTS_LARGE;
    return ++this.#unflushedCount >= flushCount || batchBytes >= FLUSH_BATCH_BYTES;
  }

  /** The nodes are woken. */
  flushed(): void {
    this.#unflushedCount = 0;
  }

  /** What comes is of the next burst. */
  end(): void {
    if (this.#count > 0) this.#mean += (this.#count - this.#mean) / 8;
    this.#count = 0;
  }
}
