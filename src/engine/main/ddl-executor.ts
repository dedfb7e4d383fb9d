/**
 * DDL, one statement at a time, in a drained fence:
 *
 *   BOUND ── ticket for all nodes ─▶ DRAINED ── build aside ─▶ BUILT ── record appended ─▶ LOGGED ── publish ─▶ PUBLISHED
 *
 * Tables are built by main, indexes by all nodes in parallel. An error before LOGGED drops what was built; the version
 * stays. What a DROP frees is freed after PUBLISHED, by the nodes for indexes and by main for tables, still in the fence.
 */

import { SqlError } from '../../base/errors.ts';
import { PAGE_BYTES } from '../../base/limits.ts';
import type { Memory } from '../../base/memory.ts';
import type { Catalog, TableDefinition } from '../../catalog/catalog.ts';
import { applyDdl, type DdlCommand, loggedForm, tableById } from '../../catalog/ddl.ts';
import type { Committer } from '../../executor/committer.ts';
import type { Control } from '../../executor/control.ts';
import { DrainedFence } from '../../executor/fence.ts';
import { BLOCK_COMMAND_BYTES, BLOCK_COMMAND_REF, FATE_FAILED, FATE_OK } from '../../executor/layout.ts';
import { BlockView } from '../../executor/request-block.ts';
import type { TicketClient } from '../../executor/ticket-client.ts';
import { SECTION_COMMAND } from '../../log/record.ts';
import type { CatalogPublisher, PreparedCatalog } from './catalog-publisher.ts';
import type { IdentityCounters } from './identity-counters.ts';
import { createTableStorage, dropTableStorage } from './table-storage.ts';

/** Lets the database go on until a condition holds. */
export interface Waiter {
  until(isReady: () => boolean): Promise<void>;
}

/** What a drained fence asks of the nodes, as JSON in shared pages. */
export type NodeCommand =
  | { readonly kind: 'createIndex'; readonly tableId: number; readonly index: TableDefinition['indexes'][number] }
  | { readonly kind: 'dropIndex'; readonly tableId: number; readonly index: TableDefinition['indexes'][number] }
  | { readonly kind: 'forget' }
  /** Every node freezes its partitions; `runs` are touched pages for its copies, by node (touchedRuns). */
  | { readonly kind: 'freeze'; readonly lsn: number; readonly runs: readonly (readonly number[])[] };

export type DdlOptions = {
  readonly control: Control;
  readonly memory: Memory;
  readonly tickets: TicketClient;
  readonly committer: Committer;
  readonly publisher: CatalogPublisher;
  readonly counters: IdentityCounters;
  readonly waiter: Waiter;
};

export class DdlExecutor {
  readonly #options: DdlOptions;
  readonly #view: BlockView;
  /** For small commands. It is there from the start, so that DROP TABLE works where memory has run out. */
  readonly #commandPage: number;
  #isCommandPageFree = true;

  constructor(options: DdlOptions) {
    const { memory, tickets } = options;
    this.#options = options;
    this.#view = new BlockView(memory);
    this.#commandPage = memory.allocate(1);
    tickets.blocks.release(tickets.blocks.take());
  }

  /**
   * Runs one command; `bind` is called inside the fence, against the catalog of that moment, and gives undefined where
   * there is nothing to do. Throws SqlError, and then nothing has changed. One at a time: the caller sees to it.
   */
  async run(bind: (catalog: Catalog) => DdlCommand | undefined): Promise<void> {
    const { publisher } = this.#options;
    // What is wrong anyway is refused without stopping anyone. The answer is the same inside: only main changes catalogs.
    if (bind(publisher.catalog) === undefined) return;
    try {
      await this.#inFence(async (fence, block) => {
        const command = bind(publisher.catalog);
        if (command !== undefined) await this.#change(fence, block, command);
      });
    } catch (error) {
      if (!(error instanceof SqlError) || error.code !== 'commit_unknown') throw error;
      const { waiter, committer } = this.#options;
      await waiter.until(() => !committer.isUndecided());
      throw committer.whenDecided();
    }
  }

  /**
   * Does something else in a drained fence. `work` gets a function that has all nodes do something, and gives the first error
   * of it. Throws what `work` throws. One at a time, and not beside run().
   */
  async inFence<Result>(
    work: (onNodes: (command: NodeCommand) => Promise<SqlError | undefined>) => Promise<Result>,
  ): Promise<Result> {
    return await this.#inFence((fence, block) => work((command) => this.#work(fence, block, command)));
  }

  async #inFence<Result>(work: (fence: DrainedFence, block: number) => Promise<Result>): Promise<Result> {
    const { control, memory, tickets, committer, waiter } = this.#options;
    const block = tickets.blocks.take();
    const fence = new DrainedFence(control, memory, tickets, committer);
    if (!fence.begin(block)) throw new SqlError('internal', 'too many fences');
    await waiter.until(() => fence.isDrained());
    let fate = FATE_FAILED;
    try {
      const result = await work(fence, block);
      fate = FATE_OK;
      return result;
    } finally {
      fence.finish(fate);
      await waiter.until(() => tickets.hasFinal());
      tickets.poll(() => tickets.blocks.release(block), 1);
    }
  }

  async #change(fence: DrainedFence, block: number, bound: DdlCommand): Promise<void> {
    const { memory, publisher, counters } = this.#options;
    const before = publisher.catalog;
    const command = await this.#build(fence, block, bound);
    let prepared: PreparedCatalog | undefined;
    let cleaning: PlacedCommand | undefined;
    try {
      prepared = publisher.prepare(applyDdl(before, command));
      cleaning = this.#place(cleaningOf(before, command));
      fence.appendRecord(SECTION_COMMAND, new TextEncoder().encode(JSON.stringify(loggedForm(command))));
    } catch (error) {
      if (prepared !== undefined) publisher.discard(prepared);
      this.#free(cleaning);
      if (command.kind === 'createTable') dropTableStorage(memory, counters, command.table);
      else if (command.kind === 'createIndex')
        await this.#work(fence, block, { kind: 'dropIndex', tableId: command.tableId, index: command.index });
      throw error;
    }
    publisher.publish(prepared);
    if (cleaning !== undefined) {
      await this.#runPlaced(fence, block, cleaning);
      this.#free(cleaning);
    }
    // The nodes have let go of what they had open.
    for (const table of before.tables) if (isDropped(table, command)) dropTableStorage(memory, counters, table);
  }

  /** Builds aside what the command adds; gives it with its places in memory. */
  async #build(fence: DrainedFence, block: number, command: DdlCommand): Promise<DdlCommand> {
    const { memory, counters } = this.#options;
    if (command.kind === 'createTable')
      return { kind: 'createTable', table: createTableStorage(memory, counters, command.table) };
    if (command.kind !== 'createIndex') return command;
    const { tableId, index } = command;
    const error = await this.#work(fence, block, { kind: 'createIndex', tableId, index });
    if (error === undefined) return command;
    await this.#work(fence, block, { kind: 'dropIndex', tableId, index });
    throw error;
  }

  /** Has all nodes do something, and gives the first error of it. Throws out_of_memory. */
  async #work(fence: DrainedFence, block: number, command: NodeCommand): Promise<SqlError | undefined> {
    const placed = this.#place(command)!;
    try {
      return await this.#runPlaced(fence, block, placed);
    } finally {
      this.#free(placed);
    }
  }

  async #runPlaced(
    fence: DrainedFence,
    block: number,
    { page, byteLength }: PlacedCommand,
  ): Promise<SqlError | undefined> {
    const view = this.#view.at(block);
    view.set(BLOCK_COMMAND_REF, (page * 1024) | 0);
    view.set(BLOCK_COMMAND_BYTES, byteLength);
    fence.startWork();
    await this.#options.waiter.until(() => fence.isWorkDone());
    return fence.workError();
  }

  #place(command: NodeCommand | undefined): PlacedCommand | undefined {
    if (command === undefined) return undefined;
    const { memory } = this.#options;
    const bytes = new TextEncoder().encode(JSON.stringify(command));
    const pageCount = Math.ceil(bytes.length / PAGE_BYTES);
    const isSmall = pageCount === 1 && this.#isCommandPageFree;
    const page = isSmall ? this.#commandPage : memory.allocate(pageCount);
    if (isSmall) this.#isCommandPageFree = false;
    memory.u8[page >>> 16]!.set(bytes, (page & 0xffff) * PAGE_BYTES);
    return { page, pageCount, byteLength: bytes.length };
  }

  #free(placed: PlacedCommand | undefined): void {
    if (placed === undefined) return;
    if (placed.page === this.#commandPage) this.#isCommandPageFree = true;
    else this.#options.memory.free(placed.page, placed.pageCount);
  }
}

/** A command in shared pages: placed before the log has it where it runs afterwards, as that may not fail. */
type PlacedCommand = { readonly page: number; readonly pageCount: number; readonly byteLength: number };

/** What the nodes do once a command is published. */
function cleaningOf(before: Catalog, command: DdlCommand): NodeCommand | undefined {
  if (command.kind === 'dropTable' || command.kind === 'dropSchema') return { kind: 'forget' };
  if (command.kind !== 'dropIndex') return undefined;
  const { tableId, indexId } = command;
  const index = tableById(before, tableId).indexes.find(({ id }) => id === indexId)!;
  return { kind: 'dropIndex', tableId, index };
}

function isDropped({ id, schema }: TableDefinition, command: DdlCommand): boolean {
  if (command.kind === 'dropTable') return id === command.tableId;
  return command.kind === 'dropSchema' && schema === command.name;
}
