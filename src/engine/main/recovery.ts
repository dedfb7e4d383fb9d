/**
 * Recovery at start: the log's records are applied, in their order, to an empty memory. DDL commands make and drop tables
 * as they did then; rows are named by partition and primary key. Everything is applied by this one thread, before any node
 * runs, so undo is dropped at once.
 */

import type { Clock, Files } from '../../base/effects.ts';
import type { Memory } from '../../base/memory.ts';
import type { Catalog, TableDefinition } from '../../catalog/catalog.ts';
import { applyDdl, type DdlCommand, emptyCatalog, tableById } from '../../catalog/ddl.ts';
import { SECTION_COMMAND, SECTION_ROWS } from '../../log/record.ts';
import { type Recovery, recover } from '../../log/recover.ts';
import { Partition } from '../../storage/partition.ts';
import { RedoApplier } from '../../storage/redo.ts';
import { UndoLog } from '../../storage/undo.ts';
import { INT } from '../../types/type.ts';
import type { IdentityCounters } from './identity-counters.ts';
import { createTableStorage, dropTableStorage } from './table-storage.ts';

/** The command of LSN 1: how the repository was made. */
export type CreateRepository = { readonly kind: 'createRepository'; readonly nodes: readonly string[] };

export type Recovered = {
  readonly catalog: Catalog;
  readonly log: Recovery;
  readonly rowChangeCount: number;
  readonly durationMs: number;
};

/** Reads the log in `directory`. Throws LogDamage, naming file and offset, and then nothing on disk has changed. */
export function recoverDatabase(
  files: Files,
  directory: string,
  memory: Memory,
  counters: IdentityCounters,
  clock: Clock,
): Recovered {
  const startMs = clock.monotonicMilliseconds();
  const replay = new Replay(memory, counters);
  const log = recover(files, directory, 1, (_lsn, kind, bytes, start, end) => {
    if (kind === SECTION_ROWS) replay.rows(bytes, start, end);
    else if (kind === SECTION_COMMAND) replay.command(JSON.parse(new TextDecoder().decode(bytes.subarray(start, end))));
    else throw new Error(`${directory}: a record has a section of unknown kind ${kind}; a newer version wrote it`);
  });
  const catalog = replay.finish();
  return {
    catalog,
    log,
    rowChangeCount: replay.rowChangeCount,
    durationMs: clock.monotonicMilliseconds() - startMs,
  };
}

class Replay {
  readonly #memory: Memory;
  readonly #counters: IdentityCounters;
  readonly #undo: UndoLog;
  readonly #applier: RedoApplier;
  readonly #partitions = new Map<number, Partition>();
  readonly #resolve = (id: number): Partition | undefined => this.#partitions.get(id);
  #catalog: Catalog = emptyCatalog([]);
  rowChangeCount = 0;

  constructor(memory: Memory, counters: IdentityCounters) {
    this.#memory = memory;
    this.#counters = counters;
    this.#undo = new UndoLog(memory);
    this.#applier = new RedoApplier(memory, this.#undo);
  }

  command(command: DdlCommand | CreateRepository): void {
    if (command.kind === 'createRepository') {
      this.#catalog = { ...this.#catalog, nodes: command.nodes };
      return;
    }
    const before = this.#catalog;
    const physical = this.#apply(command);
    this.#catalog = applyDdl(before, physical);
    if (command.kind === 'createIndex' || command.kind === 'dropIndex')
      this.#open(tableById(this.#catalog, command.tableId));
  }

  #apply(command: DdlCommand): DdlCommand {
    switch (command.kind) {
      case 'createTable': {
        const table = createTableStorage(this.#memory, this.#counters, command.table);
        this.#open(table);
        return { kind: 'createTable', table };
      }
      case 'dropTable':
        this.#drop(tableById(this.#catalog, command.tableId));
        break;
      case 'dropSchema':
        for (const table of this.#catalog.tables) if (table.schema === command.name) this.#drop(table);
        break;
      case 'createIndex':
        for (const partition of this.#partitionsOf(command.tableId)) partition.createIndex(command.index);
        break;
      case 'dropIndex': {
        const table = tableById(this.#catalog, command.tableId);
        const index = table.indexes.find((candidate) => candidate.id === command.indexId)!;
        for (const partition of this.#partitionsOf(command.tableId)) partition.dropIndex(index);
        break;
      }
      case 'createSchema':
        break;
    }
    return command;
  }

  rows(bytes: Uint8Array, start: number, end: number): void {
    this.rowChangeCount += this.#applier.apply(bytes, start, end, this.#resolve);
  }

  /** The catalog, with identity counters behind the highest values stored. */
  finish(): Catalog {
    this.#applier.dispose();
    this.#undo.dispose();
    for (const table of this.#catalog.tables) this.#raiseIdentity(table);
    for (const partition of this.#partitions.values()) partition.close();
    return this.#catalog;
  }

  #open(table: TableDefinition): void {
    for (const definition of table.partitions)
      this.#partitions.set(definition.id, Partition.open(this.#memory, table, definition));
  }

  #drop(table: TableDefinition): void {
    for (const definition of table.partitions) this.#partitions.delete(definition.id);
    dropTableStorage(this.#memory, this.#counters, table);
  }

  #partitionsOf(tableId: number): Partition[] {
    return tableById(this.#catalog, tableId).partitions.map(({ id }) => this.#partitions.get(id)!);
  }

  #raiseIdentity(table: TableDefinition): void {
    if (table.identityRef === 0) return;
    let next = 0n;
    for (const [column, { isIdentity, type }] of table.columns.entries()) {
      if (!isIdentity) continue;
      for (const { id } of table.partitions) {
        const highest = highestValue(this.#partitions.get(id)!, column, type === INT);
        if (highest !== undefined && highest + 1n > next) next = highest + 1n;
      }
    }
    this.#counters.raise(table.identityRef, next);
  }
}

function highestValue(partition: Partition, column: number, isInt: boolean): bigint | undefined {
  let high = -Infinity;
  let low = 0;
  let isAny = false;
  for (let row = partition.nextLive(0); row >= 0; row = partition.nextLive(row + 1)) {
    isAny = true;
    const value = isInt ? partition.readInt32(row, column) : partition.readInt64Low(row, column) >>> 0;
    const top = isInt ? 0 : partition.readInt64High(row, column);
    if (high === -Infinity || top > high || (top === high && value > low)) {
      high = top;
      low = value;
    }
  }
  return isAny ? (BigInt(high) << 32n) + BigInt(low) : undefined;
}
