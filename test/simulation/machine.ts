/**
 * The whole engine in one thread, cut into steps: each thread of the server is an actor here (actors.ts, main-actor.ts,
 * savers.ts). Who goes next is the scheduler's business (simulation.ts).
 *
 *   node      runs parts, commits; asleep when there is nothing to do
 *   frontend  one event (request, answer of main) a step; hands out replies
 *   main      one event a step; what it awaits is looked at when it is rung
 *   saver     a block of a checkpoint's file a step
 *   log       one step of the log thread; while the log takes no writes it is woken by time too
 */

import { strict as assert } from 'node:assert';
import type { SqlError } from '../../src/base/errors.ts';
import { Memory } from '../../src/base/memory.ts';
import { FrontendEngine } from '../../src/engine/frontend/frontend-engine.ts';
import type { Reply } from '../../src/engine/frontend/pending-request.ts';
import { Checkpointer } from '../../src/engine/main/checkpoint.ts';
import { type Database, openDatabase } from '../../src/engine/main/database.ts';
import { Supervisor } from '../../src/engine/main/supervisor.ts';
import { createNode, type NodeClasses } from '../../src/engine/node/node.ts';
import { NodeRunner } from '../../src/engine/node/node-runner.ts';
import type { SettingValues } from '../../src/engine/settings.ts';
import { Committer } from '../../src/executor/committer.ts';
import { Control } from '../../src/executor/control.ts';
import { BLOCK_FATE, CONTROL_FINAL, FATE_OK, SLOT_FATE, SLOT_VOTES } from '../../src/executor/layout.ts';
import { LogLoop } from '../../src/executor/log-loop.ts';
import { BlockView } from '../../src/executor/request-block.ts';
import type { TicketClient } from '../../src/executor/ticket-client.ts';
import type { SeededRandom } from '../../src/testing/random.ts';
import type { SimulatedClock } from '../../src/testing/simulated-clock.ts';
import type { SimulatedFiles } from '../../src/testing/simulated-files.ts';
import { type Actor, FrontendActor, LogActor, NodeActor } from './actors.ts';
import { CheckpointWatch, watchedCheckpointer } from './checkpoints.ts';
import { Connection, WatchedParameters } from './connection.ts';
import { MainActor } from './main-actor.ts';
import { freshMemory } from './memory.ts';
import { PageLedger } from './pages.ts';
import { type PartPoints, PartWatch } from './parts.ts';
import { SimulatedSavers } from './savers.ts';
import { DIRECTORY, MEMORY_LIMIT_BYTES, type SettingsShape, settingsOf } from './settings.ts';
import { isCheckpoint, newRequest, outcomeOf, type SimulatedRequest } from './statements.ts';

export type MachineOptions = SettingsShape & {
  readonly random: SeededRandom;
  readonly clock: SimulatedClock;
  readonly files: SimulatedFiles;
  readonly slotCount: number;
  readonly firstTicket: number;
  /** True: nodes have no reserve of pages for copies. */
  readonly isReserveEmpty: boolean;
  readonly points: PartPoints;
} & Broken;

/** Broken variants, for canaries. */
export type Broken = {
  readonly nodeClasses?: NodeClasses;
  readonly breakFrontend?: (engine: FrontendEngine, control: Control) => void;
  readonly breakNodeMemory?: (memory: Memory) => void;
  readonly checkpointer?: typeof Checkpointer;
};

/** A ticket as it was taken. */
export type Order = {
  readonly request: SimulatedRequest;
  readonly block: number;
  /** FLAG_* */
  readonly flags: number;
  /** Catalog version of its program, 0 for DDL. */
  readonly version: number;
  /** The fence of a checkpoint. */
  readonly isFreeze: boolean;
  /** Of one without a reply when the machine was stopped: whether its ticket may have had an effect. */
  mayCount: boolean;
};

const MAINTAIN_MS = 1000;
const SAVER_COUNT = 2;
/** So that checkpoints get as many threads as there are savers. */
const CORE_COUNT = 4 * SAVER_COUNT;

export class Machine {
  readonly database: Database;
  readonly supervisor: Supervisor;
  readonly actors: Actor[] = [];
  readonly connections: Connection[] = [];
  /** By ticket. */
  readonly orders: Order[] = [];
  readonly memories: Memory[] = [];
  /** True: main has something to go on with as soon as promises are resolved. */
  hasPromises = false;
  /** A bug, wherever it was met. */
  failure: unknown;
  readonly pages: PageLedger = new PageLedger();
  readonly checkpoints: CheckpointWatch;
  /** DDL that was done while a checkpoint was written. */
  definitionsInCheckpoint = 0;
  /** The savers were told to give up. */
  isCancelled = false;
  private readonly options: MachineOptions;
  private readonly control: Control;
  private readonly frontends: FrontendActor[] = [];
  private readonly main: MainActor;
  private readonly savers: SimulatedSavers;
  readonly parts: PartWatch;
  private readonly byReply: Map<Reply, SimulatedRequest> = new Map();
  /** The request that a frontend is preparing. */
  private preparing: SimulatedRequest | undefined;
  private lastDefinitionTicket = -1;

  /** Opens the database; throws what openDatabase throws. */
  constructor(options: MachineOptions) {
    this.options = options;
    const { files, clock, nodeCount, frontendCount, slotCount, firstTicket } = options;
    const settings = settingsOf(options);
    const memory = this.pages.watch(freshMemory(MEMORY_LIMIT_BYTES));
    this.database = openDatabase({
      settings,
      directory: DIRECTORY,
      files,
      clock,
      frontendCount,
      nodeCount,
      isShared: true,
      order: { slotCount, firstTicket },
      memory,
    });
    this.control = this.database.control;
    this.memories.push(memory);
    this.parts = new PartWatch(this.control, options.points);
    this.main = new MainActor(this, this.control);
    this.savers = new SimulatedSavers({
      files,
      memory,
      control: this.control,
      memories: Array.from({ length: SAVER_COUNT }, () => this.openMemory()),
      tellMain: (event) =>
        this.main.events.push(() => {
          event();
          this.hasPromises = true;
        }),
    });
    this.checkpoints = new CheckpointWatch(this.database, files, firstTicket, () => this.orders.length);
    this.supervisor = this.makeSupervisor(settings);
    for (let node = 0; node < nodeCount; node++) this.addNode(node);
    for (let frontend = 0; frontend < frontendCount; frontend++) this.addFrontend(frontend, settings);
    this.actors.push(this.main, ...this.savers.actors, new LogActor(this.makeLogLoop(), clock));
    this.main.doorbell.arm();
    this.maintainEverySecond();
  }

  get finalCount(): number {
    return (Atomics.load(this.control.words, CONTROL_FINAL) - this.options.firstTicket) | 0;
  }

  /** Requests without a reply. */
  get pendingCount(): number {
    return this.byReply.size;
  }

  /** A bug was met where nobody would hear of it. */
  fail(error: unknown): void {
    this.failure ??= error;
  }

  connect(frontend: number): Connection {
    const connection = new Connection(this, this.frontends[frontend]!, this.connections.length);
    this.connections.push(connection);
    return connection;
  }

  /** A client's bytes arrive at its frontend. */
  deliver(connection: Connection, frontend: FrontendActor, request: SimulatedRequest): void {
    const reply: Reply = (error, body) => this.onReply(connection, reply, error, body);
    this.byReply.set(reply, request);
    frontend.events.push(() => connection.receive(request, reply));
  }

  /** Gives a request to the engine; true where its place in the order is not taken yet. */
  execute(engine: FrontendEngine, request: SimulatedRequest, reply: Reply): boolean {
    const bytes = new TextEncoder().encode(request.sql);
    const parameters = new WatchedParameters(() => {
      this.preparing = request;
      request.ticket = -1;
    });
    return engine.execute(bytes, 0, bytes.length, parameters, 'json', 'UTC', reply);
  }

  isAnswered(reply: Reply): boolean {
    return !this.byReply.has(reply);
  }

  /** Notes which of the tickets without a reply may have had an effect: the power goes now, or the process is killed. */
  noteFates(): void {
    const { words } = this.control;
    const view = new BlockView(this.database.memory);
    const final = this.finalCount;
    for (const [ticket, order] of this.orders.entries()) {
      if (order.request.outcome !== undefined || order.request.ticket !== ticket) continue;
      if (order.request.isRefused !== undefined) order.mayCount = !order.request.isRefused;
      else if (ticket < final) order.mayCount = view.at(order.block).get(BLOCK_FATE) === FATE_OK;
      else {
        const slot = this.control.slotOf((this.options.firstTicket + ticket) | 0);
        // While not all have voted, or all run again, it may be in a log that was written before.
        order.mayCount = words[slot + SLOT_VOTES] !== 0 || words[slot + SLOT_FATE] === FATE_OK;
      }
    }
  }

  /** Lets main's promises go on, as far as they get by themselves. */
  async settle(): Promise<void> {
    this.hasPromises = false;
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Stops as the server does when all requests have their replies. */
  async close(): Promise<void> {
    this.supervisor.cancelCheckpoint();
    await this.supervisor.idle();
    this.database.closeLog();
    this.options.clock.clearTimers();
  }

  maintain(): void {
    this.supervisor.maintain().catch((error: unknown) => this.fail(error));
    this.hasPromises = true;
  }

  /** Tells of everything up to now when it is done. */
  whenIdle(onIdle: () => void): void {
    this.supervisor.idle().then(onIdle, (error: unknown) => this.fail(error));
    this.hasPromises = true;
  }

  /** Has the savers give up, as a server does when it is stopped. */
  cancelCheckpoint(): void {
    this.isCancelled = true;
    this.supervisor.cancelCheckpoint();
  }

  private maintainEverySecond(): void {
    this.options.clock.setTimer(MAINTAIN_MS, () => {
      this.main.events.push(() => {
        this.maintain();
        this.supervisor.checkpointWhenDue();
        this.whenIdle(() => {});
      });
      this.maintainEverySecond();
    });
  }

  private openMemory(): Memory {
    const memory = this.pages.watch(Memory.open(this.database.memory.share()));
    this.memories.push(memory);
    return memory;
  }

  private addNode(node: number): void {
    const control = new Control(this.control.shared);
    const memory = this.openMemory();
    this.options.breakNodeMemory?.(memory);
    const { clock, nodeClasses, random } = this.options;
    const committer = nodeClasses?.committer ?? Committer;
    const runner = this.parts.watched(nodeClasses?.runner ?? NodeRunner);
    const loop = createNode(control, memory, node, this.database.openLog(), clock, { committer, runner });
    this.actors.push(new NodeActor(loop, control, random));
  }

  private makeLogLoop(): LogLoop {
    const { clock, files, nodeClasses } = this.options;
    const control = new Control(this.control.shared);
    const Class = nodeClasses?.committer ?? Committer;
    const committer = new Class(control, this.openMemory(), this.database.openLog());
    const directory = this.database.logDirectory!;
    return new LogLoop({ control, committer, files, directory, clock, report: () => {} });
  }

  private addFrontend(frontend: number, settings: SettingValues): void {
    const { clock, random } = this.options;
    const control = new Control(this.control.shared);
    const engine = new FrontendEngine({
      control,
      memory: this.openMemory(),
      frontend,
      clock,
      random,
      settings: {
        timezone: 'UTC',
        format: 'json',
        limitSendBytes: settings.limit_send,
        limitWriteBytes: settings.limit_write,
        limitStatementMs: 0,
      },
      utility: {
        run: (statement, requestSettings, reply) => {
          const request = this.byReply.get(reply)!;
          if (isCheckpoint(request)) {
            this.main.events.push(() => {
              this.supervisor.run(statement, requestSettings, (error, body) =>
                actor.events.push(() => reply(error, body)),
              );
              this.whenIdle(() => {});
            });
            return;
          }
          this.main.events.push(() => {
            this.main.definitions.push(request);
            this.supervisor.run(statement, requestSettings, (error, body) => {
              this.main.definitions.shift();
              request.ticketBefore = this.lastDefinitionTicket;
              request.isRefused = error !== undefined;
              if (error === undefined && this.checkpoints.writing !== undefined) this.definitionsInCheckpoint++;
              actor.events.push(() => reply(error, body));
            });
            this.whenIdle(() => {});
          });
        },
      },
      timer: (delayMs, callback) => clock.setTimer(delayMs, () => actor.events.push(callback)),
    });
    const actor = new FrontendActor(engine, control, frontend, random);
    this.watchTickets(engine.tickets, () => this.preparing!);
    this.options.breakFrontend?.(engine, control);
    this.frontends.push(actor);
    this.actors.push(actor);
  }

  private makeSupervisor(settings: SettingValues): Supervisor {
    const supervisor = new Supervisor({
      ...this.database,
      waiter: { until: (isReady) => this.main.doorbell.until(isReady) },
      clock: this.options.clock,
      files: this.options.files,
      settings,
      changeSetting: () => {},
      onSettings: async () => {},
      processStatus: () => Promise.reject(new Error('nobody asks for it')),
      statements: async () => [],
      log: { info: () => {}, error: () => {} },
      savers: this.savers,
      coreCount: CORE_COUNT,
      checkpointer: watchedCheckpointer(this.checkpoints, this.options.checkpointer ?? Checkpointer),
      ...(this.options.isReserveEmpty ? { copyReserveBytes: 0 } : {}),
    });
    this.watchTickets(supervisor.tickets, () => {
      if (this.checkpoints.isOrdering) return newRequest('checkpoint', -1, 0);
      this.lastDefinitionTicket = this.orders.length;
      return this.main.definitions[0]!;
    });
    return supervisor;
  }

  private watchTickets(tickets: TicketClient, requestOf: () => SimulatedRequest): void {
    const submit = tickets.submit.bind(tickets);
    tickets.submit = (block, maskLow, maskHigh, flags, version, programId): boolean => {
      if (!submit(block, maskLow, maskHigh, flags, version, programId)) return false;
      const request = requestOf();
      const isFreeze = isCheckpoint(request);
      if (!isFreeze) request.ticket = this.orders.length;
      const ticket = (tickets.youngestTicket - this.options.firstTicket) | 0;
      assert.equal(ticket, this.orders.length, 'tickets are taken one after another');
      this.orders.push({ request, block, flags, version, isFreeze, mayCount: false });
      return true;
    };
  }

  private onReply(
    connection: Connection,
    reply: Reply,
    error: SqlError | undefined,
    body: Uint8Array | undefined,
  ): void {
    const request = this.byReply.get(reply);
    assert.ok(request !== undefined, 'one reply a request');
    this.byReply.delete(reply);
    request.outcome = outcomeOf(request, error, body);
    request.nextAtReply = this.orders.length;
    if (request.ticket >= this.finalCount)
      this.fail(new Error(`a reply left before its ticket was final: ${request.sql}`));
    connection.onReply();
  }
}
