/**
 * The log thread: all that has to do with log files and is not a matter of the transaction at hand. One step function that
 * never parks; the thread's loop (runLogThread) or the inline engine calls it.
 *
 *   commits          with wal_sync_on_write: nodes wake it when a ticket is decided
 *   syncs full files and goes on in the next one, so that no committer waits for the bulk of a file
 *   removes files    that a checkpoint has made superfluous
 *   probes           while the log takes no writes: each second; each 200 ms while clients wait for the outcome
 *
 * It parks as a node does: parked word 1, one more step, then it waits on the word.
 */

import type { Clock, Files } from '../base/effects.ts';
import { trimLog } from '../log/checkpoint/directory.ts';
import { syncFullFile } from '../log/log-files.ts';
import { LOG_SYNC_PENDING, LOG_TAIL, LOG_TRIM_LSN, TAIL_CLEAN } from '../log/log-state.ts';
import type { Committer } from './committer.ts';
import type { Control } from './control.ts';
import {
  CONTROL_LOG_PARKED,
  CONTROL_MODE,
  CONTROL_STOP,
  MODE_NORMAL,
  MODE_READ_ONLY,
  MODE_UNDECIDED,
} from './layout.ts';
import { STEP_IDLE, STEP_RAN } from './node-loop.ts';

const PROBE_MS = 1000;
const PROBE_UNDECIDED_MS = 200;
/** It has nothing to do by the clock; only so that a bug does not sleep for ever. */
const PARKED_MS_MAX = 10_000;

export type LogLoopOptions = {
  readonly control: Control;
  /** Of this thread. */
  readonly committer: Committer;
  readonly files: Files;
  /** Of the WAL. */
  readonly directory: string;
  readonly clock: Clock;
  /** For the server log: what was removed, what could not be done. */
  readonly report: (level: 'info' | 'error', message: string, fields: Record<string, string | number>) => void;
};

export class LogLoop {
  readonly control: Control;
  private readonly options: LogLoopOptions;
  /** When the next probe is due; -1: the mode was NORMAL when it last looked. */
  private probeMs = -1;
  private isRotationDue = false;
  private syncFailure = '';

  constructor(options: LogLoopOptions) {
    this.options = options;
    this.control = options.control;
  }

  /** Does what there is to do. Returns STEP_*. */
  step(): number {
    const { control, committer } = this.options;
    let hasRun = committer.commit();
    if (control.logState[LOG_SYNC_PENDING]! > 0 && this.syncFull()) hasRun = true;
    // The committer of the moment may be in a write, and is not waited for.
    if (this.isRotationDue && committer.rotate()) this.isRotationDue = false;
    if (this.syncFailure !== '' && committer.refuseWrites(this.syncFailure)) this.syncFailure = '';
    if (control.logState[LOG_TRIM_LSN]! > 0) {
      this.trim();
      hasRun = true;
    }
    if (Atomics.load(control.words, CONTROL_MODE) === MODE_NORMAL) this.probeMs = -1;
    else if (this.probeWhenDue()) hasRun = true;
    return hasRun || this.isRotationDue || this.syncFailure !== '' ? STEP_RAN : STEP_IDLE;
  }

  /** Tries a repair of the log now, if it needs one. */
  probe(): boolean {
    const { control, committer, clock } = this.options;
    const isOfUse = committer.probe(clock.monotonicMilliseconds());
    const isUndecided = Atomics.load(control.words, CONTROL_MODE) === MODE_UNDECIDED;
    this.probeMs = clock.monotonicMilliseconds() + (isUndecided ? PROBE_UNDECIDED_MS : PROBE_MS);
    if (isOfUse) control.wakeMain();
    return isOfUse;
  }

  /** How long it may sleep when it has nothing to do. */
  parkMs(): number {
    if (Atomics.load(this.control.words, CONTROL_MODE) === MODE_NORMAL) return PARKED_MS_MAX;
    return Math.max(1, this.probeMs - this.options.clock.monotonicMilliseconds());
  }

  private probeWhenDue(): boolean {
    const { control, clock } = this.options;
    if (this.probeMs < 0) {
      // What was cut off at once would most likely fail at once again.
      const isCut =
        Atomics.load(control.words, CONTROL_MODE) === MODE_READ_ONLY && control.logState[LOG_TAIL] === TAIL_CLEAN;
      this.probeMs = clock.monotonicMilliseconds() + (isCut ? PROBE_MS : 0);
    }
    return clock.monotonicMilliseconds() >= this.probeMs && this.probe();
  }

  /** True where a full file was synced, or could not be. */
  private syncFull(): boolean {
    const { control, files, directory } = this.options;
    try {
      if (!syncFullFile(files, directory, control.logState)) return false;
    } catch (error) {
      // Asked for again at the next full file only.
      control.logState[LOG_SYNC_PENDING] = 0;
      this.syncFailure = `sync of a log file: ${(error as Error).message}`;
      return true;
    }
    this.isRotationDue = true;
    return true;
  }

  private trim(): void {
    const { control, files, directory, report } = this.options;
    try {
      const removed = trimLog(files, directory, control.logState[LOG_TRIM_LSN]!);
      if (removed > 0) report('info', 'removed log files that a checkpoint has replaced', { wal_files: removed });
    } catch (error) {
      report('error', 'log files that a checkpoint has replaced could not be removed', {
        reason: (error as Error).message,
      });
    }
    control.logState[LOG_TRIM_LSN] = 0;
    control.wakeMain();
  }
}

/** Runs until Control.stop. Throws on bugs only. */
export function runLogThread(loop: LogLoop): void {
  const { words } = loop.control;
  while (Atomics.load(words, CONTROL_STOP) === 0) {
    if (loop.step() === STEP_RAN) continue;
    Atomics.store(words, CONTROL_LOG_PARKED, 1);
    // Once more, now that whoever brings work sees that we are parked.
    if (loop.step() !== STEP_RAN && Atomics.load(words, CONTROL_STOP) === 0)
      Atomics.wait(words, CONTROL_LOG_PARKED, 1, loop.parkMs());
    Atomics.store(words, CONTROL_LOG_PARKED, 0);
  }
}
