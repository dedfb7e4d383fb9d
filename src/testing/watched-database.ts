/** A database over simulated files of which a test sees rollbacks, and pages that parts have left behind. */

import assert from 'node:assert/strict';
import type { SettingValues } from '../engine/settings.ts';
import { CONTROL_EPOCH } from '../executor/layout.ts';
import { FileDatabase } from './file-database.ts';
import { PageOwners } from './page-owners.ts';
import { SimulatedFiles } from './simulated-files.ts';

/** What parts hold only while their ticket is in the air: batches, results, rows that move. */
const HOLDERS = ['/program/batch', '/core/result.ts', '/node-runner.ts'];

export class WatchedDatabase extends FileDatabase {
  readonly owners: PageOwners;

  constructor(nodeCount: number, given: Partial<SettingValues> = {}, files: SimulatedFiles = new SimulatedFiles()) {
    super(files, given, nodeCount);
    this.owners = new PageOwners(this.engine.database.memory);
  }

  /** Rollbacks so far. */
  get rollbackCount(): number {
    return Atomics.load(this.engine.database.control.words, CONTROL_EPOCH);
  }

  /** Nothing that parts have left is held any more, and storage is sound. */
  check(): void {
    this.verify();
    for (const holder of HOLDERS) assert.equal(this.owners.count(holder), 0, `pages of ${holder} are given back`);
  }
}
