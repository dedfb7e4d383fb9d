/**
 * The whole engine in one thread, cut into steps: each thread of the server is an actor here, which waits as its thread
 * does, by its parked word, and is woken by nothing else. Who goes next is the scheduler's business (scheduler.ts).
 *
 *   node      walk ─▶ commit ─▶ walk …; nothing to do: parked word 1 ─▶ walk, commit once more ─▶ asleep until it is 0
 *   frontend  one event (request, answer of main) a step; a turn hands out some replies and wakes nodes; then it parks
 *   main      one event a step; what it awaits is looked at when it is rung
 *   log       one step of the log thread; while the log takes no writes it is woken by time too
 */

import { strict as assert } from 'node:assert';
import type { SqlError } from '../../src/base/errors.ts';
import { Memory } from '../../src/base/memory.ts';
import { FrontendEngine } from '../../src/engine/frontend/frontend-engine.ts';
import type { Reply } from '../../src/engine/frontend/pending-request.ts';
import { RequestParameters } from '../../src/engine/frontend/request-parameters.ts';
import { Checkpointer } from '../../src/engine/main/checkpoint.ts';
import { type Database, openDatabase } from '../../src/engine/main/database.ts';
import { StepSavers } from '../../src/engine/main/step-savers.ts';
import { Supervisor } from '../../src/engine/main/supervisor.ts';
import { createNode, type NodeClasses } from '../../src/engine/node/node.ts';
import { defaultSettings, type SettingValues } from '../../src/engine/settings.ts';
import { Committer } from '../../src/executor/committer.ts';
import { Control } from '../../src/executor/control.ts';
import {
  BLOCK_FATE,
  CONTROL_EPOCH,
  CONTROL_FINAL,
  CONTROL_FRONTEND_PARKED,
  CONTROL_LOG_PARKED,
  CONTROL_MODE,
  CONTROL_NODE_PARKED,
  FATE_OK,
  MODE_NORMAL,
  SLOT_FATE,
  SLOT_VOTES,
} from '../../src/executor/layout.ts';
import { LogLoop } from '../../src/executor/log-loop.ts';
import { type NodeLoop, STEP_RAN } from '../../src/executor/node-loop.ts';
import { BlockView } from '../../src/executor/request-block.ts';
import type { TicketClient } from '../../src/executor/ticket-client.ts';
import type { SeededRandom } from '../../src/testing/random.ts';
import type { SimulatedClock } from '../../src/testing/simulated-clock.ts';
import type { SimulatedFiles } from '../../src/testing/simulated-files.ts';
import { freshMemory } from './memory.ts';
import { outcomeOf, type SimulatedRequest } from './workload.ts';

export type MachineOptions = {
  readonly random: SeededRandom;
  readonly clock: SimulatedClock;
  readonly files: SimulatedFiles;
  readonly nodeCount: number;
  readonly frontendCount: number;
  readonly slotCount: number;
  readonly firstTicket: number;
  readonly syncOnWrite: boolean;
  readonly rotateBytes: number;
  /** For canaries. */
  readonly nodeClasses?: NodeClasses;
  readonly breakFrontend?: (engine: FrontendEngine, control: Control) => void;
};

/** A ticket as it was taken. */
export type Order = {
  readonly request: SimulatedRequest;
  readonly block: number;
  /** Catalog version of its program, 0 for DDL. */
  readonly version: number;
  /** Of one without a reply when the machine was stopped: whether its ticket may have had an effect. */
  mayCount: boolean;
};

export type Actor = {
  readonly name: string;
  isBusy: boolean;
  isRunnable(): boolean;
  step(): void;
};

const DIRECTORY = '/repository';
const MAINTAIN_MS = 1000;
const MEMORY_LIMIT_BYTES = 256 * 1024 * 1024;
const REPLIES_A_TURN_MAX = 4;
const PARTS_A_STEP_MAX = 4;

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
  private readonly options: MachineOptions;
  private readonly control: Control;
  private readonly frontends: FrontendActor[] = [];
  private readonly main: MainActor;
  private readonly byReply: Map<Reply, SimulatedRequest> = new Map();
  /** The request that a frontend is preparing. */
  private preparing: SimulatedRequest | undefined;
  private lastDefinitionTicket = -1;
  private isFreezing = false;

  /** Opens the database; throws what openDatabase throws. */
  constructor(options: MachineOptions) {
    this.options = options;
    const { files, clock, nodeCount, frontendCount, slotCount, firstTicket } = options;
    const settings = settingsOf(options);
    const memory = freshMemory(MEMORY_LIMIT_BYTES);
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
    this.main = new MainActor(this, this.control);
    this.supervisor = this.makeSupervisor(settings);
    for (let node = 0; node < nodeCount; node++) this.addNode(node);
    for (let frontend = 0; frontend < frontendCount; frontend++) this.addFrontend(frontend, settings);
    this.actors.push(this.main);
    this.actors.push(new LogActor(this.makeLogLoop(), clock));
    this.main.doorbell.arm();
    this.maintainEverySecond();
  }

  get finalCount(): number {
    return (Atomics.load(this.control.words, CONTROL_FINAL) - this.options.firstTicket) | 0;
  }

  get rollbackCount(): number {
    return Atomics.load(this.control.words, CONTROL_EPOCH);
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

  private maintainEverySecond(): void {
    this.options.clock.setTimer(MAINTAIN_MS, () => {
      this.main.events.push(() => this.maintain());
      this.maintainEverySecond();
    });
  }

  private openMemory(): Memory {
    const memory = Memory.open(this.database.memory.share());
    this.memories.push(memory);
    return memory;
  }

  private addNode(node: number): void {
    const control = new Control(this.control.shared);
    const { clock, nodeClasses, random } = this.options;
    const loop = createNode(control, this.openMemory(), node, this.database.openLog(), clock, nodeClasses);
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
          this.main.events.push(() => {
            this.main.definitions.push(request);
            this.supervisor.run(statement, requestSettings, (error, body) => {
              this.main.definitions.shift();
              request.ticketBefore = this.lastDefinitionTicket;
              request.isRefused = error !== undefined;
              actor.events.push(() => reply(error, body));
            });
            this.supervisor.idle().catch((error: unknown) => this.fail(error));
            this.hasPromises = true;
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
      // Only a failed log asks for a checkpoint.
      checkpointer: watchedCheckpointer((isFreezing) => {
        this.isFreezing = isFreezing;
      }),
      savers: new StepSavers(this.options.files, this.database.memory, async () => {}),
      coreCount: 1,
    });
    this.watchTickets(supervisor.tickets, () => {
      if (this.isFreezing) return CHECKPOINT_REQUEST;
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
      if (request !== CHECKPOINT_REQUEST) request.ticket = this.orders.length;
      const ticket = (tickets.youngestTicket - this.options.firstTicket) | 0;
      assert.equal(ticket, this.orders.length, 'tickets are taken one after another');
      this.orders.push({ request, block, version, mayCount: false });
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

/** Says when a request is being prepared: every preparation asks for the kinds first. */
class WatchedParameters extends RequestParameters {
  private readonly onPrepare: () => void;

  constructor(onPrepare: () => void) {
    super();
    this.onPrepare = onPrepare;
    const { kinds } = this;
    Object.defineProperty(this, 'kinds', {
      get: () => {
        this.onPrepare();
        return kinds;
      },
    });
  }

  override get count(): number {
    return 0;
  }
}

/** A client's connection: several requests in the air, and the rule of the server for what main runs (handler.ts). */
export class Connection {
  inFlightCount = 0;
  readonly index: number;
  private readonly machine: Machine;
  private readonly frontend: FrontendActor;
  /** What was sent behind a request that main runs, and that request. */
  private held: (() => void)[] | undefined;
  private holder: Reply | undefined;

  constructor(machine: Machine, frontend: FrontendActor, index: number) {
    this.machine = machine;
    this.frontend = frontend;
    this.index = index;
  }

  send(request: SimulatedRequest): void {
    this.inFlightCount++;
    this.machine.deliver(this, this.frontend, request);
  }

  receive(request: SimulatedRequest, reply: Reply): void {
    if (this.held !== undefined) {
      this.held.push(() => this.receive(request, reply));
      return;
    }
    const isUnordered = this.machine.execute(this.frontend.engine, request, reply);
    if (!isUnordered || this.machine.isAnswered(reply)) return;
    this.held = [];
    this.holder = reply;
  }

  onReply(): void {
    this.inFlightCount--;
    if (this.holder === undefined || !this.machine.isAnswered(this.holder)) return;
    const held = this.held!;
    this.held = undefined;
    this.holder = undefined;
    for (const [index, receive] of held.entries()) {
      if (this.held !== undefined) {
        (this.held as (() => void)[]).push(...held.slice(index));
        return;
      }
      receive();
    }
  }
}

class NodeActor implements Actor {
  readonly name: string;
  isBusy = false;
  private readonly loop: NodeLoop;
  private readonly words: Int32Array;
  private readonly parkedWord: number;
  private readonly random: SeededRandom;
  private isAsleep = false;
  private isParking = false;
  private hasWalked = false;
  private hasRun = false;

  constructor(loop: NodeLoop, control: Control, random: SeededRandom) {
    this.loop = loop;
    this.name = `node ${loop.node}`;
    this.words = control.words;
    this.parkedWord = CONTROL_NODE_PARKED + (loop.node << 4);
    this.random = random;
  }

  isRunnable(): boolean {
    return !this.isAsleep || Atomics.load(this.words, this.parkedWord) === 0;
  }

  step(): void {
    this.isAsleep = false;
    if (!this.hasWalked) {
      this.hasRun = this.loop.walk(1 + this.random.below(PARTS_A_STEP_MAX)) === STEP_RAN;
      this.hasWalked = true;
      return;
    }
    this.loop.commit();
    this.hasWalked = false;
    if (this.hasRun) {
      if (this.isParking) Atomics.store(this.words, this.parkedWord, 0);
      this.isParking = false;
    } else if (this.isParking) {
      this.isParking = false;
      this.isAsleep = true;
    } else {
      Atomics.store(this.words, this.parkedWord, 1);
      this.isParking = true;
    }
  }
}

class LogActor implements Actor {
  readonly name = 'log';
  isBusy = false;
  private readonly loop: LogLoop;
  private readonly words: Int32Array;
  private readonly clock: SimulatedClock;
  private isAsleep = false;
  private isParking = false;
  private sleepCount = 0;

  constructor(loop: LogLoop, clock: SimulatedClock) {
    this.loop = loop;
    this.words = loop.control.words;
    this.clock = clock;
  }

  isRunnable(): boolean {
    return !this.isAsleep || Atomics.load(this.words, CONTROL_LOG_PARKED) === 0;
  }

  step(): void {
    this.isAsleep = false;
    if (this.loop.step() === STEP_RAN) {
      Atomics.store(this.words, CONTROL_LOG_PARKED, 0);
      this.isParking = false;
    } else if (this.isParking) {
      this.isParking = false;
      this.isAsleep = true;
      const sleep = ++this.sleepCount;
      if (Atomics.load(this.words, CONTROL_MODE) === MODE_NORMAL) return;
      this.clock.setTimer(this.loop.parkMs(), () => {
        if (sleep === this.sleepCount) this.isAsleep = false;
      });
    } else {
      Atomics.store(this.words, CONTROL_LOG_PARKED, 1);
      this.isParking = true;
    }
  }
}

/** Says when it takes the ticket of its fence. */
function watchedCheckpointer(onFreeze: (isFreezing: boolean) => void): typeof Checkpointer {
  return class extends Checkpointer {
    override freeze(isForced: boolean): ReturnType<Checkpointer['freeze']> {
      onFreeze(true);
      const frozen = super.freeze(isForced);
      onFreeze(false);
      return frozen;
    }
  };
}

/** Stands for the tickets of checkpoints' fences, which change nothing. */
const CHECKPOINT_REQUEST: SimulatedRequest = {
  sql: 'checkpoint',
  connection: -1,
  operations: [],
  definition: undefined,
  ticket: -1,
  finalAtSend: 0,
  nextAtReply: -1,
  ticketBefore: -1,
  isRefused: undefined,
  outcome: undefined,
};

export class FrontendActor implements Actor {
  readonly name: string;
  readonly engine: FrontendEngine;
  readonly events: (() => void)[] = [];
  isBusy = false;
  private readonly words: Int32Array;
  private readonly parkedWord: number;
  private readonly random: SeededRandom;
  private hasTurn = false;

  constructor(engine: FrontendEngine, control: Control, frontend: number, random: SeededRandom) {
    this.engine = engine;
    this.name = `frontend ${frontend}`;
    this.words = control.words;
    this.parkedWord = CONTROL_FRONTEND_PARKED + (frontend << 4);
    this.random = random;
    Atomics.store(this.words, this.parkedWord, 1);
  }

  isRunnable(): boolean {
    return this.hasTurn || this.events.length > 0 || Atomics.load(this.words, this.parkedWord) === 0;
  }

  step(): void {
    Atomics.store(this.words, this.parkedWord, 0);
    if (this.events.length > 0 && (!this.hasTurn || this.random.oneIn(2))) {
      this.events.shift()!();
      if (this.random.oneIn(3)) this.engine.flush();
      this.hasTurn = true;
      return;
    }
    this.engine.flush();
    this.engine.poll(1 + this.random.below(REPLIES_A_TURN_MAX));
    this.engine.flush();
    this.hasTurn = false;
    Atomics.store(this.words, this.parkedWord, 1);
    if (this.engine.hasWork()) this.hasTurn = true;
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

class MainActor implements Actor {
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

/** Asks the system for its time zone and its memory, once. */
const DEFAULTS = defaultSettings(DIRECTORY);

function settingsOf({ syncOnWrite, rotateBytes, nodeCount, frontendCount }: MachineOptions): SettingValues {
  return {
    ...DEFAULTS,
    backends: nodeCount,
    frontends: frontendCount,
    memory_limit: MEMORY_LIMIT_BYTES,
    wal_sync_on_write: syncOnWrite,
    wal_sync_on_rotate: true,
    wal_rotate_wm: rotateBytes,
  };
}
