/** After a failed sync nothing is taken before there is a checkpoint of all that was acknowledged. */

import { strict as assert } from 'node:assert';
import { LOG_TAIL, TAIL_UNSAVED, TAIL_UNSYNCED } from '../../src/log/log-state.ts';
import type { Machine } from './machine.ts';
import type { SimulationReport } from './report.ts';

/** Of one life. */
export class SyncWatch {
  private readonly machine: Machine;
  private readonly report: SimulationReport;
  /** A sync has failed behind that LSN: no record is taken before there is a checkpoint of it; -1: none has. */
  private unsyncedLsn = -1;
  /** Checkpoints that were whole by then. */
  private writtenAtFailure = 0;

  constructor(machine: Machine, report: SimulationReport) {
    this.machine = machine;
    this.report = report;
  }

  /** Between two steps. */
  check(): void {
    const { written } = this.machine.checkpoints;
    const { control } = this.machine.database;
    const tail = control.logState[LOG_TAIL];
    if (tail === TAIL_UNSYNCED || tail === TAIL_UNSAVED) {
      if (this.unsyncedLsn < 0) {
        this.report.failedSyncs++;
        this.writtenAtFailure = written.length;
      }
      this.unsyncedLsn = control.lsn;
    } else if (this.unsyncedLsn >= 0) {
      const isSaved = written.slice(this.writtenAtFailure).some(({ lsn }) => lsn >= this.unsyncedLsn);
      assert.ok(isSaved, 'a failed sync is not forgotten');
      this.unsyncedLsn = -1;
    }
  }
}
