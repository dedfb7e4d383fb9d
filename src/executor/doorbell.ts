/**
 * How a thread with an event loop (a frontend, main) waits for `final`: its parked word, waited on by Atomics.waitAsync.
 *
 *   QUIET (parked 0) ── arm ──▶ ARMED (parked 1, one waitAsync pending) ── ring ──▶ QUIET, onRing runs
 *   ARMED ── disarm: while the thread is busy anyway ──▶ QUIET; the pending waitAsync stays, and serves the next arm
 *
 * A thread disarms when it starts to handle events, so that committers do not pay for waking it, and arms when it has
 * nothing more to do. arm looks for work after storing the word, so no ring is lost.
 *
 * A pending waitAsync does not keep a thread alive; a socket or a message port has to.
 */

import type { Control } from './control.ts';
import { CONTROL_FRONTEND_PARKED } from './layout.ts';

type Waiter = { readonly isReady: () => boolean; readonly resolve: () => void };

export class Doorbell {
  private readonly words: Int32Array;
  private readonly parkedWord: number;
  private readonly hasWork: () => boolean;
  private readonly onRing: () => void;
  private isPending = false;
  private isScheduled = false;
  private isClosed = false;
  private waiters: Waiter[] = [];

  /**
   * @param frontend number of the frontend; main is number frontendCount
   * @param hasWork cheap: whether onRing would find something to do
   * @param onRing handles a bounded amount of it; afterwards the doorbell arms itself again
   */
  constructor(control: Control, frontend: number, hasWork: () => boolean, onRing: () => void) {
    this.words = control.words;
    this.parkedWord = CONTROL_FRONTEND_PARKED + (frontend << 4);
    this.hasWork = hasWork;
    this.onRing = onRing;
  }

  /** Asks to be rung. Cheap when it is armed already. */
  arm(): void {
    if (this.isScheduled || this.isClosed) return;
    Atomics.store(this.words, this.parkedWord, 1);
    if (this.isWorkThere()) {
      this.schedule();
      return;
    }
    if (this.isPending) return;
    const wait = Atomics.waitAsync(this.words, this.parkedWord, 1);
    if (!wait.async) {
      this.schedule();
      return;
    }
    this.isPending = true;
    wait.value.then(this.onNotified);
  }

  /** The thread is busy, and will look for work itself before it arms. */
  disarm(): void {
    Atomics.store(this.words, this.parkedWord, 0);
  }

  /** Resolves when the condition holds. It is checked at every ring. */
  until(isReady: () => boolean): Promise<void> {
    if (isReady()) return Promise.resolve();
    return new Promise((resolve) => {
      this.waiters.push({ isReady, resolve });
      this.arm();
    });
  }

  /** No more rings; a pending wait is let go. */
  close(): void {
    this.isClosed = true;
    Atomics.store(this.words, this.parkedWord, 0);
    Atomics.notify(this.words, this.parkedWord);
  }

  private readonly onNotified = (): void => {
    this.isPending = false;
    if (!this.isClosed && !this.isScheduled) this.ring();
  };

  private readonly ring = (): void => {
    this.isScheduled = false;
    if (this.isClosed) return;
    this.disarm();
    if (this.waiters.length > 0) this.resolveWaiters();
    if (this.hasWork()) this.onRing();
    this.arm();
  };

  private resolveWaiters(): void {
    const waiters = this.waiters;
    this.waiters = [];
    for (const waiter of waiters) {
      if (waiter.isReady()) waiter.resolve();
      else this.waiters.push(waiter);
    }
  }

  private isWorkThere(): boolean {
    for (const waiter of this.waiters) if (waiter.isReady()) return true;
    return this.hasWork();
  }

  /** By way of setImmediate, so that sockets get their turn. */
  private schedule(): void {
    Atomics.store(this.words, this.parkedWord, 0);
    if (this.isScheduled) return;
    this.isScheduled = true;
    setImmediate(this.ring);
  }
}
