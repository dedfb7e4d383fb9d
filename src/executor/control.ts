/**
 * The control buffer (layout.ts) as an object of one thread: where slots lie, and how threads wake each other.
 *
 * Waking: a thread that finds nothing to do stores 1 into its parked word, looks once more, and only then waits on the
 * word. Whoever has work for it exchanges the 1 for 0 and notifies. Both sides use sequentially consistent Atomics, so
 * either the sleeper sees the work or the waker sees the 1.
 */

import { assert } from '../base/assert.ts';
import { FRONTEND_COUNT_MAX, NODE_COUNT_MAX } from '../base/limits.ts';
import { LOG_STATE_WORDS } from '../log/log-state.ts';
import {
  CONTROL_CATALOG_BYTES,
  CONTROL_CATALOG_REF,
  CONTROL_CATALOG_SEQUENCE,
  CONTROL_CATALOG_VERSION,
  CONTROL_COUNTERS,
  CONTROL_FAILURE,
  CONTROL_FAILURE_TEXT_BYTES,
  CONTROL_FINAL,
  CONTROL_FRONTEND_COUNT,
  CONTROL_FRONTEND_PARKED,
  CONTROL_LOG_PARKED,
  CONTROL_LOG_STATE,
  CONTROL_NEXT,
  CONTROL_NODE_COUNT,
  CONTROL_NODE_PARKED,
  CONTROL_SLOT_COUNT,
  CONTROL_SLOTS,
  CONTROL_STOP,
  controlBytes,
  SLOT_SHIFT,
  SLOT_WORDS,
} from './layout.ts';

export type ControlOptions = {
  readonly nodeCount: number;
  /** Frontends without main. */
  readonly frontendCount: number;
  /** A power of two. */
  readonly slotCount: number;
  /** Tests start just below the wrap. */
  readonly firstTicket?: number;
};

/** What SHOW WAL tells, read without stopping anyone. */
export type LogCounters = {
  readonly lsn: number;
  readonly writes: number;
  readonly writesBytes: number;
  readonly operations: number;
};

export class Control {
  readonly shared: SharedArrayBuffer;
  readonly words: Int32Array;
  readonly nodeCount: number;
  readonly frontendCount: number;
  readonly slotCount: number;
  /** Tickets that each frontend, and main, may have in the air. */
  readonly inAirLimit: number;
  /** Float64 words that the log keeps (log/log-state.ts). */
  readonly logState: Float64Array;
  private readonly slotIndexMask: number;
  private readonly counters: Float64Array;
  private readonly bytes: Uint8Array;

  /** Makes the control buffer. Throws when the settings leave a frontend without a slot. */
  static create(options: ControlOptions): Control {
    const { nodeCount, frontendCount, slotCount } = options;
    assert(nodeCount >= 1 && nodeCount <= NODE_COUNT_MAX, 'node count in range');
    assert(frontendCount >= 0 && frontendCount <= FRONTEND_COUNT_MAX, 'frontend count in range');
    assert(slotCount >= 2 && (slotCount & (slotCount - 1)) === 0, 'slot count is a power of two');
    if (Math.floor(slotCount / (frontendCount + 1)) < 1) {
      throw new Error(`${frontendCount} frontends need an order ring of more than ${slotCount} slots`);
    }
    const shared = new SharedArrayBuffer(controlBytes(slotCount));
    const words = new Int32Array(shared);
    words[CONTROL_NODE_COUNT] = nodeCount;
    words[CONTROL_FRONTEND_COUNT] = frontendCount;
    words[CONTROL_SLOT_COUNT] = slotCount;
    const first = (options.firstTicket ?? 0) | 0;
    words[CONTROL_NEXT] = first;
    words[CONTROL_FINAL] = first;
    // No slot may look published before its ticket is: it starts with the ticket one round earlier.
    for (let offset = 0; offset < slotCount; offset++) {
      const ticket = (first + offset) | 0;
      words[CONTROL_SLOTS + (ticket & (slotCount - 1)) * SLOT_WORDS] = (ticket - slotCount) | 0;
    }
    return new Control(shared);
  }

  /** @param shared of another thread's Control */
  constructor(shared: SharedArrayBuffer) {
    this.shared = shared;
    this.words = new Int32Array(shared);
    this.bytes = new Uint8Array(shared);
    this.nodeCount = this.words[CONTROL_NODE_COUNT]!;
    this.frontendCount = this.words[CONTROL_FRONTEND_COUNT]!;
    this.slotCount = this.words[CONTROL_SLOT_COUNT]!;
    this.inAirLimit = Math.floor(this.slotCount / (this.frontendCount + 1));
    this.slotIndexMask = this.slotCount - 1;
    this.counters = new Float64Array(shared, CONTROL_COUNTERS * 4, 5);
    this.logState = new Float64Array(shared, CONTROL_LOG_STATE * 4, LOG_STATE_WORDS);
  }

  /** Word index of the slot of a ticket. */
  slotOf(ticket: number): number {
    return CONTROL_SLOTS + ((ticket & this.slotIndexMask) << SLOT_SHIFT);
  }

  /** Wakes a node if it is parked. */
  wakeNode(node: number): void {
    wake(this.words, CONTROL_NODE_PARKED + (node << 4));
  }

  /** Wakes the nodes of a mask that are parked. */
  wakeNodes(maskLow: number, maskHigh: number): void {
    for (let mask = maskLow; mask !== 0; mask &= mask - 1) this.wakeNode(31 - Math.clz32(mask & -mask));
    for (let mask = maskHigh; mask !== 0; mask &= mask - 1) this.wakeNode(63 - Math.clz32(mask & -mask));
  }

  wakeAllNodes(): void {
    for (let node = 0; node < this.nodeCount; node++) this.wakeNode(node);
  }

  /** Rings a frontend, or main, if it is parked. */
  wakeFrontend(frontend: number): void {
    wake(this.words, CONTROL_FRONTEND_PARKED + (frontend << 4));
  }

  /** Mask of all nodes, words 0 and 1. */
  allNodesLow(): number {
    return this.nodeCount >= 32 ? -1 : ((1 << this.nodeCount) - 1) | 0;
  }

  allNodesHigh(): number {
    if (this.nodeCount <= 32) return 0;
    return this.nodeCount === 64 ? -1 : ((1 << (this.nodeCount - 32)) - 1) | 0;
  }

  /** Wakes the log thread if it is parked. */
  wakeLog(): void {
    wake(this.words, CONTROL_LOG_PARKED);
  }

  /** Rings main if it is parked. */
  wakeMain(): void {
    this.wakeFrontend(this.frontendCount);
  }

  /** Asks the node threads, and the log thread, to end. */
  stop(): void {
    Atomics.store(this.words, CONTROL_STOP, 1);
    this.wakeAllNodes();
    this.wakeLog();
  }

  /** LSN of the last record. Only the holder of the committer lock may rely on it. */
  get lsn(): number {
    return this.counters[0]!;
  }

  set lsn(lsn: number) {
    this.counters[0] = lsn;
  }

  /** Counts a write to the log; for the holder of the committer lock. */
  countWrite(byteCount: number, operationCount: number): void {
    this.counters[1]! += 1;
    this.counters[2]! += byteCount;
    this.counters[3]! += operationCount;
  }

  /** Transactions that changed rows of unlogged tables, since the start. Exact in a drained fence, as `lsn` is. */
  get unloggedCount(): number {
    return this.counters[4]!;
  }

  /** Counts them; for the holder of the committer lock. */
  countUnlogged(transactionCount: number): void {
    this.counters[4]! += transactionCount;
  }

  /** The counters, each of them a value that it had a moment ago. */
  logCounters(): LogCounters {
    const counters = this.counters;
    return { lsn: counters[0]!, writes: counters[1]!, writesBytes: counters[2]!, operations: counters[3]! };
  }

  /** Catalog version, by which nodes tell stale programs. */
  catalogVersion(): number {
    return Atomics.load(this.words, CONTROL_CATALOG_VERSION);
  }

  /**
   * Publishes a catalog: main only, at start or inside a drained fence. The bytes of the former one may be freed when
   * this returns, as readers check after copying (`readCatalog`).
   */
  publishCatalog(version: number, ref: number, byteCount: number): void {
    Atomics.add(this.words, CONTROL_CATALOG_SEQUENCE, 1);
    Atomics.store(this.words, CONTROL_CATALOG_REF, ref);
    Atomics.store(this.words, CONTROL_CATALOG_BYTES, byteCount);
    Atomics.store(this.words, CONTROL_CATALOG_VERSION, version);
    Atomics.add(this.words, CONTROL_CATALOG_SEQUENCE, 1);
  }

  /** A private copy of the published catalog's bytes, taken from the arenas, with its version. Any thread, at any time. */
  readCatalog(arenas: { readonly u8: readonly Uint8Array[] }): {
    readonly version: number;
    readonly bytes: Uint8Array;
  } {
    for (;;) {
      const sequence = Atomics.load(this.words, CONTROL_CATALOG_SEQUENCE);
      if ((sequence & 1) !== 0) continue;
      const version = Atomics.load(this.words, CONTROL_CATALOG_VERSION);
      const ref = Atomics.load(this.words, CONTROL_CATALOG_REF) >>> 0;
      const byteCount = Atomics.load(this.words, CONTROL_CATALOG_BYTES);
      if (Atomics.load(this.words, CONTROL_CATALOG_SEQUENCE) !== sequence) continue;
      const offset = (ref & 0x3ffffff) * 16;
      const bytes = arenas.u8[ref >>> 26]!.slice(offset, offset + byteCount);
      if (Atomics.load(this.words, CONTROL_CATALOG_SEQUENCE) === sequence) return { version, bytes };
    }
  }

  /** Why the log fails, for the errors of the writes that it refuses. */
  setFailure(reason: string): void {
    const text = new TextEncoder().encode(reason).subarray(0, CONTROL_FAILURE_TEXT_BYTES);
    this.bytes.set(text, CONTROL_FAILURE * 4 + 4);
    Atomics.store(this.words, CONTROL_FAILURE, text.length);
  }

  failure(): string {
    const byteCount = Atomics.load(this.words, CONTROL_FAILURE);
    const start = CONTROL_FAILURE * 4 + 4;
    return new TextDecoder().decode(this.bytes.slice(start, start + byteCount));
  }
}

function wake(words: Int32Array, index: number): void {
  if (Atomics.load(words, index) === 1 && Atomics.exchange(words, index, 0) === 1) Atomics.notify(words, index, 1);
}

/** Bits set in a word. */
export function bitCount(mask: number): number {
  mask -= (mask >>> 1) & 0x55555555;
  mask = (mask & 0x33333333) + ((mask >>> 2) & 0x33333333);
  return Math.imul((mask + (mask >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
