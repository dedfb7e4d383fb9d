/** Looks into the disk of a machine without running one: recovers it, as a start does, and reads the rows out of memory. */

import type { Database } from '../../src/engine/main/database.ts';
import { openDatabase } from '../../src/engine/main/database.ts';
import { checkpointName } from '../../src/log/checkpoint/directory.ts';
import { walFileName } from '../../src/log/record.ts';
import { readValue } from '../../src/storage/fixtures.ts';
import { Partition } from '../../src/storage/partition.ts';
import { verify } from '../../src/storage/verify.ts';
import { SimulatedClock } from '../../src/testing/simulated-clock.ts';
import type { SimulatedFiles } from '../../src/testing/simulated-files.ts';
import { freshMemory } from './memory.ts';
import type { DataTable, EventTable, ModelState } from './model.ts';
import { DIRECTORY, MEMORY_LIMIT_BYTES, settingsOf } from './settings.ts';

export type DiskImage = {
  readonly state: ModelState;
  readonly lsn: number;
  /** The identity counter of the table of events; undefined where there is none. */
  readonly identity: bigint | undefined;
};

/** What a start would find; no machine may be in use, as this takes its memory. Throws what the start throws. */
export function readImage(files: SimulatedFiles, nodeCount: number): DiskImage {
  const database = openDatabase({
    settings: settingsOf({
      syncOnWrite: false,
      rotateBytes: 1e6,
      checkpointInterval: '0 s',
      nodeCount,
      frontendCount: 1,
    }),
    directory: DIRECTORY,
    files,
    clock: new SimulatedClock(),
    frontendCount: 1,
    nodeCount,
    isShared: true,
    memory: freshMemory(MEMORY_LIMIT_BYTES),
  });
  const { publisher, counters, control } = database;
  const events = publisher.catalog.tables.find(({ name }) => name === 'e');
  return {
    state: stateOf(database),
    lsn: control.lsn,
    identity: events === undefined ? undefined : counters.next(events.identityRef),
  };
}

/** The disk with nothing of the log: what the checkpoint at that LSN alone brings back. */
export function withoutLog(files: SimulatedFiles, lsn: number): SimulatedFiles {
  const alone = files.clone();
  const log = `${DIRECTORY}/wal`;
  for (const name of alone.list(log)) alone.remove(`${log}/${name}`);
  alone.setContents(`${log}/${walFileName(lsn + 1)}`, new Uint8Array(0));
  const folder = `${DIRECTORY}/checkpoint`;
  for (const name of alone.list(folder)) {
    if (name.startsWith(checkpointName({ lsn, sequence: 1 }))) continue;
    for (const file of alone.list(`${folder}/${name}`)) alone.remove(`${folder}/${name}/${file}`);
    alone.removeDirectory(`${folder}/${name}`);
  }
  return alone;
}

function stateOf({ memory, publisher }: Database): ModelState {
  const data = new Map<string, DataTable>();
  let events: EventTable | undefined;
  for (const table of publisher.catalog.tables) {
    const partitions = table.partitions.map((definition) => Partition.open(memory, table, definition));
    for (const partition of partitions) verify(partition);
    if (table.name === 'e') {
      const tags = new Map<number, number>();
      eachRow(partitions, (partition, row) => tags.set(intAt(partition, row, 0), intAt(partition, row, 1)));
      events = { tags, unknown: [] };
      continue;
    }
    const rows = new Map<number, { v: number; s: string }>();
    eachRow(partitions, (partition, row) =>
      rows.set(intAt(partition, row, 0), { v: intAt(partition, row, 1), s: String(readValue(partition, row, 2)) }),
    );
    const { isUnlogged, isShared } = table;
    data.set(table.name, { rows, hasIndex: table.indexes.length > 1, isUnlogged, isShared, birth: undefined });
  }
  return { version: publisher.catalog.version, data, events };
}

function eachRow(partitions: readonly Partition[], visit: (partition: Partition, row: number) => void): void {
  for (const partition of partitions)
    for (let row = partition.nextLive(0); row >= 0; row = partition.nextLive(row + 1)) visit(partition, row);
}

function intAt(partition: Partition, row: number, column: number): number {
  return Number(readValue(partition, row, column));
}
