/**
 * Runs of local programs that make rows themselves (generate_series and the like): each in a VM of its own, a few thousand
 * rows a step, and between the steps the thread serves its sockets. A run that is done in its first step, as nearly all are,
 * never waits.
 */

import type { Clock } from '../../base/effects.ts';
import { SqlError } from '../../base/errors.ts';
import type { CoordinatorVm } from '../../vm/coordinator/coordinator-vm.ts';
import type { LoadedProgram } from '../../vm/core/loaded-program.ts';
import type { PendingRequest } from './pending-request.ts';

/** The thread's other work waits at most this long, and a step (some 100 µs). */
const SLICE_MS = 4;
/** Runs that go on side by side; others wait until one of them is done. */
const RUN_COUNT_MAX = 8;
/** Idle VMs that are kept. */
const VM_COUNT_KEPT = 2;

/** The end of a run: an error, or the reply and its rows. */
export type LocalRunEnd = (
  request: PendingRequest,
  error: SqlError | undefined,
  body: Uint8Array | undefined,
  rowCount: number,
) => void;

type LocalRun = { readonly request: PendingRequest; readonly program: LoadedProgram; readonly vm: CoordinatorVm };

export class LocalRuns {
  readonly #createVm: () => CoordinatorVm;
  readonly #clock: Clock;
  readonly #onEnd: LocalRunEnd;
  readonly #vms: CoordinatorVm[] = [];
  readonly #running: LocalRun[] = [];
  readonly #waiting: { readonly request: PendingRequest; readonly program: LoadedProgram }[] = [];
  #next = 0;

  constructor(createVm: () => CoordinatorVm, clock: Clock, onEnd: LocalRunEnd) {
    this.#createVm = createVm;
    this.#clock = clock;
    this.#onEnd = onEnd;
  }

  /** Runs that are not done, those that wait included. */
  get count(): number {
    return this.#running.length + this.#waiting.length;
  }

  /** Starts a run and takes its first step. Its end may come before this returns. */
  start(request: PendingRequest, program: LoadedProgram): void {
    if (this.#running.length >= RUN_COUNT_MAX) {
      this.#waiting.push({ request, program });
      return;
    }
    const run: LocalRun = { request, program, vm: this.#vms.pop() ?? this.#createVm() };
    this.#running.push(run);
    this.#step(run, () => run.vm.startLocal(program, request));
  }

  /** Goes on with the runs for a slice of time, by turns. Returns the steps taken. */
  runSlice(): number {
    const endMs = this.#clock.monotonicMilliseconds() + SLICE_MS;
    let stepCount = 0;
    while (this.#running.length > 0) {
      if (this.#next >= this.#running.length) this.#next = 0;
      const run = this.#running[this.#next++]!;
      this.#step(run, () => run.vm.resumeLocal());
      stepCount++;
      if (this.#clock.monotonicMilliseconds() >= endMs) break;
    }
    return stepCount;
  }

  #step(run: LocalRun, step: () => boolean): void {
    let body: Uint8Array | undefined;
    let failure: SqlError | undefined;
    try {
      if (!step()) return;
      body = run.vm.takeLocalReply();
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      failure = error;
    }
    this.#running.splice(this.#running.indexOf(run), 1);
    if (this.#vms.length < VM_COUNT_KEPT) this.#vms.push(run.vm);
    const waiting = this.#waiting.shift();
    this.#onEnd(run.request, failure, body, run.vm.sentRowCount);
    if (waiting !== undefined) this.start(waiting.request, waiting.program);
  }
}
