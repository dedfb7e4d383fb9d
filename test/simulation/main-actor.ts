/** main as an actor: one event a step; what it awaits is looked at when it is rung. */

import type { Control } from '../../src/executor/control.ts';
import { CONTROL_FRONTEND_PARKED } from '../../src/executor/layout.ts';
import type { Actor } from './actors.ts';
import type { Machine } from './machine.ts';
import type { SimulatedRequest } from './statements.ts';

export class MainActor implements Actor {
  readonly name = 'main';
  readonly events: (() => void)[] = [];
  /** DDL that main has been given, the one at hand first. */
  readonly definitions: SimulatedRequest[] = [];
  readonly doorbell: SimulatedDoorbell;
  isBusy = false;
  private readonly machine: Machine;

  constructor(machine: Machine, control: Control) {
    this.machine = machine;
    this.doorbell = new SimulatedDoorbell(
      control,
      () => machine.supervisor.hasUnsavedLog(),
      () => {
        machine.hasPromises = true;
      },
    );
  }

  isRunnable(): boolean {
    return this.events.length > 0 || this.doorbell.isRung;
  }

  step(): void {
    if (this.doorbell.isRung) {
      if (this.machine.supervisor.hasUnsavedLog()) this.machine.maintain();
      this.doorbell.answer();
    } else this.events.shift()!();
  }
}

/** main's doorbell (executor/doorbell.ts) without an event loop. */
class SimulatedDoorbell {
  private readonly words: Int32Array;
  private readonly parkedWord: number;
  private readonly hasWork: () => boolean;
  private readonly onResolve: () => void;
  private waiters: { readonly isReady: () => boolean; readonly resolve: () => void }[] = [];

  constructor(control: Control, hasWork: () => boolean, onResolve: () => void) {
    this.words = control.words;
    this.parkedWord = CONTROL_FRONTEND_PARKED + (control.frontendCount << 4);
    this.hasWork = hasWork;
    this.onResolve = onResolve;
  }

  get isRung(): boolean {
    return Atomics.load(this.words, this.parkedWord) === 0;
  }

  until(isReady: () => boolean): Promise<void> {
    if (isReady()) return Promise.resolve();
    return new Promise((resolve) => {
      this.waiters.push({ isReady, resolve });
      this.arm();
    });
  }

  /** Rings itself where there is something to do already. */
  arm(): void {
    const isThere = this.hasWork() || this.waiters.some(({ isReady }) => isReady());
    Atomics.store(this.words, this.parkedWord, isThere ? 0 : 1);
  }

  answer(): void {
    const { waiters } = this;
    this.waiters = [];
    for (const waiter of waiters) {
      if (waiter.isReady()) {
        waiter.resolve();
        this.onResolve();
      } else this.waiters.push(waiter);
    }
    this.arm();
  }
}
