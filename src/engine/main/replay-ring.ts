/**
 * The way of row changes from main, which reads the log, to one thread that applies them (replay-threads.ts): slots in shared
 * memory, filled and emptied in turn. Both sides block: main does nothing else at start, and the thread never does.
 *
 *   main: put, put … ── slot full, or flush ──▶ published ── Atomics.notify ──▶ thread: takes its entries, one by one
 *   main: waits while all slots are published ◀── Atomics.notify ── consumed: the slot is free
 *
 * Words, on 64 bytes each: 0 slots published, 16 slots consumed, 32 state of the thread. Then the slots:
 *
 *   offset size field
 *   0      4    bytes of the entries
 *   8      …    entries: [u32 payload bytes][u32 kind][u64 LSN][payload], each padded to a multiple of 8
 *
 * ENTRY_ROWS has row changes (storage/redo.ts). ENTRY_MESSAGE says that a message for this place lies in the thread's port.
 */

import { assert } from '../../base/assert.ts';

export const ENTRY_ROWS = 1;
export const ENTRY_MESSAGE = 2;

export const THREAD_STARTING = 0;
export const THREAD_RUNNING = 1;
/** The reason is in the port. */
export const THREAD_FAILED = 2;
export const THREAD_ENDED = 3;

const PUBLISHED = 0;
const CONSUMED = 16;
const STATE = 32;
const WORDS_BYTES = 192;
const SLOT_COUNT = 4;
const SLOT_BYTES: number = 256 * 1024;
const SLOT_HEADER_BYTES = 8;
const ENTRY_HEADER_BYTES = 16;
/** A longer payload has no room in a slot. */
export const PAYLOAD_BYTES_MAX: number = SLOT_BYTES - SLOT_HEADER_BYTES - ENTRY_HEADER_BYTES;
/** Between two looks at whether the other side has ended. */
const WAIT_MS = 50;

export function createReplayRing(): SharedArrayBuffer {
  return new SharedArrayBuffer(WORDS_BYTES + SLOT_COUNT * SLOT_BYTES);
}

/** Main's end. */
export class ReplaySender {
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #published = 0;
  /** Of the slot that is being filled; 0 = none is. */
  #start = 0;
  #end = 0;

  constructor(ring: SharedArrayBuffer) {
    this.#words = new Int32Array(ring, 0, WORDS_BYTES / 4);
    this.#bytes = new Uint8Array(ring);
    this.#view = new DataView(ring);
  }

  state(): number {
    return Atomics.load(this.#words, STATE);
  }

  /** Adds an entry; waits for a free slot, and looks at the thread by `check`, which throws, while it does. */
  put(kind: number, lsn: number, bytes: Uint8Array, start: number, end: number, check: () => void): void {
    const byteCount = end - start;
    assert(byteCount <= PAYLOAD_BYTES_MAX, 'an entry fits into a slot');
    const entryBytes = ENTRY_HEADER_BYTES + ((byteCount + 7) & -8);
    if (this.#start !== 0 && this.#end + entryBytes > this.#start + SLOT_BYTES) this.flush();
    if (this.#start === 0) this.#beginSlot(check);
    const at = this.#end;
    this.#view.setUint32(at, byteCount, true);
    this.#view.setUint32(at + 4, kind, true);
    this.#view.setUint32(at + 8, lsn >>> 0, true);
    this.#view.setUint32(at + 12, Math.floor(lsn / 2 ** 32), true);
    copyBytes(bytes, start, this.#bytes, at + ENTRY_HEADER_BYTES, byteCount);
    this.#end = at + entryBytes;
  }

  /** Hands over what was put. */
  flush(): void {
    if (this.#start === 0) return;
    this.#view.setUint32(this.#start, this.#end - this.#start - SLOT_HEADER_BYTES, true);
    this.#start = 0;
    this.#published = (this.#published + 1) | 0;
    Atomics.store(this.#words, PUBLISHED, this.#published);
    Atomics.notify(this.#words, PUBLISHED, 1);
  }

  /** Waits until the thread has consumed all that was handed over, but for `slotCount` slots. */
  wait(slotCount: number, check: () => void): void {
    for (;;) {
      const consumed = Atomics.load(this.#words, CONSUMED);
      check();
      if (((this.#published - consumed) | 0) <= slotCount) return;
      Atomics.wait(this.#words, CONSUMED, consumed, WAIT_MS);
    }
  }

  /** Waits until the thread has ended, or failed, or that time of performance.now() is over. */
  waitForEnd(deadlineMs: number): void {
    for (let state = this.state(); state < THREAD_FAILED; state = this.state()) {
      if (state === THREAD_STARTING && performance.now() > deadlineMs) return;
      Atomics.wait(this.#words, STATE, state, WAIT_MS);
    }
  }

  #beginSlot(check: () => void): void {
    this.wait(SLOT_COUNT - 1, check);
    this.#start = WORDS_BYTES + (this.#published & (SLOT_COUNT - 1)) * SLOT_BYTES;
    this.#end = this.#start + SLOT_HEADER_BYTES;
  }
}

/** The thread's end. */
export class ReplayReceiver {
  readonly bytes: Uint8Array;
  readonly #words: Int32Array;
  readonly #view: DataView;

  constructor(ring: SharedArrayBuffer) {
    this.#words = new Int32Array(ring, 0, WORDS_BYTES / 4);
    this.bytes = new Uint8Array(ring);
    this.#view = new DataView(ring);
  }

  setState(state: number): void {
    Atomics.store(this.#words, STATE, state);
    Atomics.notify(this.#words, STATE);
    Atomics.notify(this.#words, CONSUMED);
  }

  /** Waits for slots, and gives their entries in order; returns when `take` returns false. */
  run(take: (kind: number, lsn: number, start: number, end: number) => boolean): void {
    for (let consumed = 0; ; ) {
      if (Atomics.load(this.#words, PUBLISHED) === consumed) {
        Atomics.wait(this.#words, PUBLISHED, consumed);
        continue;
      }
      const slot = WORDS_BYTES + (consumed & (SLOT_COUNT - 1)) * SLOT_BYTES + SLOT_HEADER_BYTES;
      const slotEnd = slot + this.#view.getUint32(slot - SLOT_HEADER_BYTES, true);
      for (let at = slot; at < slotEnd; ) {
        const start = at + ENTRY_HEADER_BYTES;
        const end = start + this.#view.getUint32(at, true);
        const lsn = this.#view.getUint32(at + 12, true) * 2 ** 32 + this.#view.getUint32(at + 8, true);
        if (!take(this.#view.getUint32(at + 4, true), lsn, start, end)) return;
        at = (end + 7) & -8;
      }
      consumed = (consumed + 1) | 0;
      Atomics.store(this.#words, CONSUMED, consumed);
      Atomics.notify(this.#words, CONSUMED);
    }
  }
}

function copyBytes(source: Uint8Array, from: number, target: Uint8Array, to: number, byteCount: number): void {
  if (byteCount > 256) target.set(source.subarray(from, from + byteCount), to);
  else for (let index = 0; index < byteCount; index++) target[to + index] = source[from + index]!;
}
