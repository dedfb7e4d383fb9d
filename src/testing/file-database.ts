/** A database over simulated files, the whole engine in this thread: run, and found again by another process. */

import assert from 'node:assert/strict';
import type { Clock } from '../base/effects.ts';
import type { SqlError } from '../base/errors.ts';
import { SystemClock, SystemRandom } from '../base/files.ts';
import { InlineEngine } from '../engine/inline-engine.ts';
import { defaultSettings, type SettingValues } from '../engine/settings.ts';
import { Partition } from '../storage/partition.ts';
import { verify } from '../storage/verify.ts';
import { SimulatedFiles } from './simulated-files.ts';

const DIRECTORY = '/db';
export const CHECKPOINTS: string = `${DIRECTORY}/checkpoint`;
export const WAL: string = `${DIRECTORY}/wal`;

export class FileDatabase {
  readonly files: SimulatedFiles;
  readonly engine: InlineEngine;
  readonly settings: SettingValues;
  private readonly nodeCount: number;

  constructor(
    files: SimulatedFiles = new SimulatedFiles(),
    given: Partial<SettingValues> = {},
    nodeCount = 3,
    clock: Clock = new SystemClock(),
  ) {
    this.files = files;
    this.nodeCount = nodeCount;
    this.settings = { ...defaultSettings(DIRECTORY), timezone: 'UTC', memory_limit: 2 ** 30, ...given };
    this.engine = new InlineEngine({
      settings: this.settings,
      directory: DIRECTORY,
      nodeCount,
      files,
      clock,
      random: new SystemRandom(),
      changeSetting: () => {},
    });
  }

  async run(sql: string): Promise<string> {
    const body = await this.engine.execute(new TextEncoder().encode(sql), undefined, 'json');
    return body === undefined ? '' : new TextDecoder().decode(body);
  }

  /** Sends all before a node runs any of them; their replies, an error as its code. `meanwhile` runs once the nodes have. */
  burst(requests: readonly string[], meanwhile: () => void = () => {}): string[] {
    const { frontend } = this.engine;
    const replies = requests.map(() => 'no reply');
    requests.forEach((sql, index) => {
      const bytes = new TextEncoder().encode(sql);
      frontend.execute(bytes, 0, bytes.length, undefined, 'json', undefined, (error, body) => {
        replies[index] = error?.code ?? (body === undefined ? '' : new TextDecoder().decode(body));
      });
    });
    this.engine.run();
    meanwhile();
    this.engine.run();
    return replies;
  }

  /** The request fails with that code, and a message that has `part` in it. */
  async fails(sql: string, code: string, part = ''): Promise<void> {
    await assert.rejects(this.run(sql), (error: SqlError) => error.code === code && error.message.includes(part));
  }

  /** The same files, found by the next process: without a clean stop. */
  restarted(given: Partial<SettingValues> = {}): FileDatabase {
    return new FileDatabase(this.files.clone(), given, this.nodeCount);
  }

  /** Rows, indexes and counters of every partition agree. */
  verify(): void {
    const { memory, publisher } = this.engine.database;
    this.engine.run();
    for (const table of publisher.catalog.tables)
      for (const definition of table.partitions) verify(Partition.open(memory, table, definition));
  }

  /** Names in the folder of checkpoints. */
  checkpoints(): string[] {
    return this.files.list(CHECKPOINTS);
  }

  get lsn(): number {
    return this.engine.database.control.lsn;
  }
}

/** The name of a checkpoint: 20 digits, and its number where it is not the first of its LSN. */
export function nameOf(lsn: number, sequence = 1): string {
  return String(lsn).padStart(20, '0') + (sequence === 1 ? '' : `.${sequence}`);
}
