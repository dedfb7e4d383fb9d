/**
 * One schedule: a database that is opened, used by several clients, and stopped, cleanly or not, again and again; all
 * decided by a seed. Everything that it answers, and everything that is found after each start, is checked (check.ts).
 *
 * A step lets one actor go one step (machine.ts). While an operation of the disk is going on, the other threads run: they
 * take steps inside of it.
 */

import { strict as assert } from 'node:assert';
import type { FrontendEngine } from '../../src/engine/frontend/frontend-engine.ts';
import type { NodeClasses } from '../../src/engine/node/node.ts';
import type { Control } from '../../src/executor/control.ts';
import { CONTROL_MODE, MODE_NORMAL, MODE_UNDECIDED } from '../../src/executor/layout.ts';
import { listCheckpoints } from '../../src/log/checkpoint/directory.ts';
import { LOG_TAIL, TAIL_UNSAVED, TAIL_UNSYNCED } from '../../src/log/log-state.ts';
import { SeededRandom } from '../../src/testing/random.ts';
import { SimulatedClock } from '../../src/testing/simulated-clock.ts';
import { type Fault, SimulatedFiles } from '../../src/testing/simulated-files.ts';
import { foundState, type History, recognize, replay, type Tolerated, verifyPartitions } from './check.ts';
import { type Actor, type Connection, Machine, type MachineOptions } from './machine.ts';
import { type Definition, EMPTY_STATE, type ModelState, type Operation } from './model.ts';
import { definitionSql, randomRequest, readings, type SimulatedRequest, sqlOf } from './workload.ts';

export type SimulationOptions = {
  readonly seed: number;
  /** Requests of one life of the database. */
  readonly requestCount: number;
  /** What happens, where it is not left to chance: then there is one life before the last start. */
  readonly plan?: Plan;
  /** For canaries. */
  readonly nodeClasses?: NodeClasses;
  readonly breakFrontend?: (engine: FrontendEngine, control: Control) => void;
  readonly breakFault?: (name: string) => Fault | undefined;
};

export type Plan = {
  readonly syncOnWrite: boolean;
  readonly rotateBytes: number;
  readonly end: End;
  /** The operation of the disk, counted from the first request on, at which the life ends; undefined: behind the last. */
  readonly endOperation?: number;
  /** Decides what a power loss keeps of what was not synced. */
  readonly endSeed?: number;
  /** The operation that fails, and how; behind a 'short' one the next one fails. */
  readonly faultOperation?: number;
  readonly fault?: Fault;
};

/** What a run did, so that tests can see that it reached what they are about. */
export type SimulationReport = {
  steps: number;
  tickets: number;
  errors: number;
  stale: number;
  definitions: number;
  logFailures: number;
  unknown: number;
  failedSyncs: number;
  outOfMemory: number;
  cleanStops: number;
  kills: number;
  powerLosses: number;
  rollbacks: number;
  /** Of the disk, from the first request on. */
  operations: number;
  /** Changes with every step that is taken: equal ones are equal runs. */
  trace: number;
};

export function emptyReport(): SimulationReport {
  return {
    steps: 0,
    tickets: 0,
    errors: 0,
    stale: 0,
    definitions: 0,
    logFailures: 0,
    unknown: 0,
    failedSyncs: 0,
    outOfMemory: 0,
    cleanStops: 0,
    kills: 0,
    powerLosses: 0,
    rollbacks: 0,
    operations: 0,
    trace: 0,
  };
}

/** Runs one schedule to its end. Throws when anything is not as it should be; the message has the seed and the step. */
export async function runSimulation(options: SimulationOptions): Promise<SimulationReport> {
  const simulation = new Simulation(options);
  try {
    await simulation.run();
  } catch (error) {
    const { steps } = simulation.report;
    throw new Error(`seed ${options.seed}, life ${simulation.life}, step ${steps}: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return simulation.report;
}

const LIFE_COUNT = 2;
const SLOT_COUNT = 16;
const CONNECTION_DEPTH = 3;
const NESTED_STEPS_MAX = 12;
const STEPS_MAX = 200_000;
const SECOND_MICROSECONDS = 1_000_000;
/** Longer than clients of a failed write wait for the log to be cut. */
const OUTAGE_MS_MAX = 15_000;

/** How a life ends: the server is stopped, its process killed, or the power goes. */
export type End = 'clean' | 'kill' | 'power';

class Simulation {
  readonly report: SimulationReport = emptyReport();
  life = 0;
  private readonly options: SimulationOptions;
  private readonly random: SeededRandom;
  private readonly clock: SimulatedClock = new SimulatedClock();
  private readonly shape: Pick<MachineOptions, 'nodeCount' | 'frontendCount' | 'syncOnWrite' | 'rotateBytes'>;
  private readonly tolerated: Tolerated;
  private files: SimulatedFiles = new SimulatedFiles();
  private machine!: Machine;
  private requests: SimulatedRequest[] = [];
  private leftCount = 0;
  private isDiskFailing = false;
  private isMemoryFailing = false;
  /** Number of the operation of the disk at which the life ends; -1: at none. */
  private endOperation = -1;
  /** The disk as it was when the power went, or the process was killed. */
  private lastFiles: SimulatedFiles | undefined;
  private finalAtEnd = 0;
  /** Of the disk, before the first request. */
  private firstOperation = 0;
  /** A sync has failed behind that LSN: no record is taken before there is a checkpoint of it; -1: none has. */
  private unsyncedLsn = -1;
  private depth = 0;
  /** Until then nothing that the disk is asked for works. */
  private outageEndMs = 0;

  constructor(options: SimulationOptions) {
    const random = new SeededRandom(options.seed);
    this.options = options;
    this.random = random;
    const { plan } = options;
    this.shape = {
      nodeCount: 1 + random.below(4),
      frontendCount: 1 + random.below(3),
      syncOnWrite: random.oneIn(2),
      rotateBytes: random.oneIn(2) ? 1_000_000 : 500 + random.below(3000),
      ...(plan === undefined ? {} : { syncOnWrite: plan.syncOnWrite, rotateBytes: plan.rotateBytes }),
    };
    const choice = random.below(4);
    this.tolerated =
      plan === undefined
        ? { isLogFailing: choice === 0, isMemoryFailing: choice === 1 }
        : { isLogFailing: plan.faultOperation !== undefined, isMemoryFailing: false };
  }

  async run(): Promise<void> {
    let state: ModelState = EMPTY_STATE;
    const { plan } = this.options;
    const lifeCount = plan === undefined ? LIFE_COUNT : 1;
    for (this.life = 1; this.life <= lifeCount; this.life++) {
      const end = plan?.end ?? (['clean', 'kill', 'power'] as const)[this.random.below(3)]!;
      const history = await this.live(state, end);
      state = await this.restart(history, end);
    }
    this.life--;
    await this.stop();
  }

  /** Opens the database on the disk as it is, and finds out what is in it. */
  private async restart(history: History, end: End): Promise<ModelState> {
    const isDurable = end !== 'power' || this.shape.syncOnWrite;
    const durable = isDurable ? this.finalAtEnd - 1 : -1;
    this.open();
    const { memory, publisher } = this.machine.database;
    const { catalog } = publisher;
    verifyPartitions(memory, catalog);
    const tables = catalog.tables.map(({ name, indexes }) => ({ name, hasIndex: indexes.length > 1 }));
    const answers = await this.readAll(tables);
    const scans = readings(tables).map((operation, index) => [operation, answers[index]] as const);
    const rows = new Map<string, unknown>();
    for (const [operation, answer] of scans) {
      if (operation.kind === 'scanEvents') rows.set('e', answer);
      else if (operation.kind === 'scan') rows.set(operation.table, answer);
    }
    const found = foundState(catalog, catalog.version, rows);
    const state = recognize(history, durable, found);
    // What the indexes say is compared with the rest of the requests of this life, once the state is known.
    return { ...state, version: catalog.version };
  }

  /** Opens the database; a first one, or that which the last life left. */
  private open(): void {
    this.clock.clearTimers();
    this.lastFiles = undefined;
    this.endOperation = -1;
    this.leftCount = 0;
    this.unsyncedLsn = -1;
    this.isDiskFailing = false;
    this.isMemoryFailing = false;
    this.requests = [];
    this.files.fault = () => undefined;
    this.machine = new Machine({
      ...this.shape,
      random: this.random,
      clock: this.clock,
      files: this.files,
      slotCount: SLOT_COUNT,
      firstTicket: 2 ** 31 - 100,
      ...(this.options.nodeClasses === undefined ? {} : { nodeClasses: this.options.nodeClasses }),
      ...(this.options.breakFrontend === undefined ? {} : { breakFrontend: this.options.breakFrontend }),
    });
    this.files.fault = (operation, name) => this.onDisk(operation, name);
    this.files.shortBytes = (byteCount) => this.random.below(byteCount);
    const { frontendCount } = this.shape;
    for (let index = 1 + this.random.below(4); index >= 0; index--)
      this.machine.connect(this.random.below(frontendCount));
  }

  /** Uses the database, ends it, and checks all that it said. Leaves the disk for the next life. */
  private async live(start: ModelState, end: End): Promise<History> {
    if (this.life === 1) {
      this.open();
      start = { ...start, version: this.machine.database.publisher.catalog.version };
      await this.make();
    }
    this.leftCount = this.options.requestCount;
    const { plan } = this.options;
    this.firstOperation = this.files.operationCount;
    this.isDiskFailing = this.tolerated.isLogFailing;
    this.isMemoryFailing = this.tolerated.isMemoryFailing;
    if (plan?.endOperation !== undefined) this.endOperation = this.firstOperation + plan.endOperation;
    else if (plan === undefined && end !== 'clean') {
      if (this.random.oneIn(2)) this.endOperation = this.files.operationCount + this.random.below(30);
      else this.leftCount = this.random.below(this.leftCount);
    }
    await this.runUntil(() => this.isOver(end));
    this.report.operations += this.files.operationCount - this.firstOperation;
    if (end === 'clean') await this.finish();
    else {
      this.takeDisk();
      this.report[end === 'kill' ? 'kills' : 'powerLosses']++;
    }
    const history = this.check(start);
    const files = this.lastFiles!;
    const endSeed = this.options.plan?.endSeed;
    const random = endSeed === undefined ? this.random : new SeededRandom(endSeed);
    this.files = end === 'power' ? files.afterPowerLoss(random) : files;
    return history;
  }

  /** The tables that the requests are about. */
  private async make(): Promise<void> {
    const connection = this.machine.connections[0]!;
    this.send(connection, { kind: 'createEvents' });
    this.send(connection, { kind: 'createTable', table: 't0', isLenient: false });
    await this.runUntil(() => this.machine.pendingCount === 0);
  }

  private isOver(end: End): boolean {
    if (this.lastFiles !== undefined) return true;
    return this.leftCount === 0 && (end !== 'clean' || this.machine.pendingCount === 0);
  }

  /** Reads all there is while it is quiet, and stops as a server stops. */
  private async finish(): Promise<void> {
    this.isDiskFailing = false;
    this.isMemoryFailing = false;
    for (const memory of this.machine.memories) memory.faultCountdown = -1;
    await this.writeAgain();
    const { database } = this.machine;
    const tables = database.publisher.catalog.tables.map(({ name, indexes }) => ({
      name,
      hasIndex: indexes.length > 1,
    }));
    await this.readAll(tables);
    await this.runUntil(() => !this.runnable().some(({ name }) => name !== 'main'));
    verifyPartitions(database.memory, database.publisher.catalog);
    await this.stop();
    this.report.cleanStops++;
    this.finalAtEnd = this.machine.finalCount;
    this.lastFiles = this.files.clone();
  }

  /** The disk works again: so do writes, after the next probe; where a sync has failed, after a checkpoint. */
  private async writeAgain(): Promise<void> {
    const { words } = this.machine.database.control;
    for (let probes = 0; probes < 3 && Atomics.load(words, CONTROL_MODE) !== MODE_NORMAL; probes++) {
      this.clock.advance(SECOND_MICROSECONDS);
      while (this.clock.untilNextTimer() === 0) this.clock.runTimer();
      await this.runUntil(() => this.runnable().length === 0);
    }
    assert.equal(Atomics.load(words, CONTROL_MODE), MODE_NORMAL, 'writes come back when the disk does');
    const request = this.send(this.pickConnection(), [{ kind: 'append', tags: [1] }]);
    await this.runUntil(() => this.machine.pendingCount === 0);
    const error = 'error' in request.outcome! ? request.outcome.error : '';
    // A power loss may have taken the table back.
    if (error !== 'unknown_table') assert.equal(error, '', 'what a write gets');
  }

  private async stop(): Promise<void> {
    this.files.fault = () => undefined;
    await this.machine.close();
    if (this.machine.failure !== undefined) throw this.machine.failure;
  }

  private check(start: ModelState): History {
    const { orders } = this.machine;
    const history = replay(start, orders, this.requests, this.tolerated);
    const { report } = this;
    report.tickets += orders.length;
    for (const [ticket, { request }] of orders.entries()) if (request.ticket !== ticket) report.stale++;
    for (const { outcome, definition } of this.requests) {
      if (outcome === undefined) continue;
      const error = 'error' in outcome ? outcome.error : '';
      if (definition !== undefined && error === '') report.definitions++;
      if (error === 'log_failure') report.logFailures++;
      else if (error === 'commit_unknown') report.unknown++;
      else if (error === 'out_of_memory') report.outOfMemory++;
      else if (error !== '') report.errors++;
    }
    report.rollbacks += this.machine.rollbackCount;
    return history;
  }

  /** Every path over every table, one after another; gives the answers. */
  private async readAll(tables: Parameters<typeof readings>[0]): Promise<unknown[]> {
    const sent = readings(tables).map((operation) => this.send(this.pickConnection(), [operation]));
    await this.runUntil(() => this.machine.pendingCount === 0);
    return sent.map(({ outcome, sql }) => {
      assert.ok(
        outcome !== undefined && 'rows' in outcome,
        `no error while it is quiet: ${sql} ${JSON.stringify(outcome)}`,
      );
      return outcome.rows;
    });
  }

  private pickConnection(): Connection {
    return this.machine.connections[this.random.below(this.machine.connections.length)]!;
  }

  private send(connection: Connection, what: Operation[] | Definition): SimulatedRequest {
    const isDefinition = !Array.isArray(what);
    const request: SimulatedRequest = {
      sql: isDefinition ? definitionSql(what) : sqlOf(what),
      connection: connection.index,
      operations: isDefinition ? [] : what,
      definition: isDefinition ? what : undefined,
      ticket: -1,
      finalAtSend: this.machine.finalCount,
      nextAtReply: -1,
      ticketBefore: -1,
      isRefused: undefined,
      outcome: undefined,
    };
    this.requests.push(request);
    connection.send(request);
    return request;
  }

  private async runUntil(isDone: () => boolean): Promise<void> {
    for (;;) {
      if (this.machine.hasPromises) await this.machine.settle();
      if (this.machine.failure !== undefined) throw this.machine.failure;
      this.watchMode();
      if (isDone()) return;
      this.step();
    }
  }

  /** After a failed sync nothing is taken before there is a checkpoint of all that was acknowledged. */
  private watchMode(): void {
    const { control, checkpointFolder } = this.machine.database;
    const tail = control.logState[LOG_TAIL];
    if (tail === TAIL_UNSYNCED || tail === TAIL_UNSAVED) {
      if (this.unsyncedLsn < 0) this.report.failedSyncs++;
      this.unsyncedLsn = control.lsn;
    } else if (this.unsyncedLsn >= 0) {
      const newest = listCheckpoints(this.files, checkpointFolder!).at(-1)?.lsn ?? 0;
      assert.ok(newest >= this.unsyncedLsn, 'a failed sync is not forgotten');
      this.unsyncedLsn = -1;
    }
  }

  /** One step of somebody. */
  private step(): void {
    const { random, clock } = this;
    assert.ok(this.report.steps < STEPS_MAX, 'it comes to an end');
    clock.advance(random.below(30));
    if (random.oneIn(200)) clock.advance(random.below(SECOND_MICROSECONDS));
    while (clock.untilNextTimer() === 0) clock.runTimer();
    if (this.isMemoryFailing && random.oneIn(40)) this.failMemory();
    if (this.leftCount > 0 && random.oneIn(4)) {
      const connection = this.pickConnection();
      if (connection.inFlightCount < CONNECTION_DEPTH) {
        this.leftCount--;
        this.send(connection, randomRequest(random));
      }
    }
    const runnable = this.runnable();
    if (runnable.length > 0) this.take(runnable[random.below(runnable.length)]!);
    else if (
      this.leftCount === 0 ||
      this.machine.connections.every((each) => each.inFlightCount === CONNECTION_DEPTH)
    ) {
      // Nobody is woken by time, but where a failed log is cut: a second must not be what brings a request on.
      const isUndecided = Atomics.load(this.machine.database.control.words, CONTROL_MODE) === MODE_UNDECIDED;
      if (!isUndecided) assert.equal(this.machine.pendingCount, 0, 'nothing runs, and requests wait for their replies');
      clock.advance(clock.untilNextTimer()!);
    }
  }

  private runnable(): Actor[] {
    return this.machine.actors.filter((actor) => !actor.isBusy && actor.isRunnable());
  }

  private take(actor: Actor): void {
    const { report, machine } = this;
    report.steps++;
    report.trace = Math.imul(report.trace ^ machine.actors.indexOf(actor), 0x01000193) + machine.finalCount;
    actor.isBusy = true;
    try {
      actor.step();
    } catch (error) {
      machine.fail(error);
    }
    actor.isBusy = false;
  }

  /** Before an operation of the disk: others run meanwhile; then it works, or fails, or the life ends. */
  private onDisk(operation: number, name: string): Fault | undefined {
    if (this.lastFiles !== undefined) return 'error';
    if (this.depth === 0) {
      this.depth++;
      for (let left = this.random.below(NESTED_STEPS_MAX); left > 0 && this.lastFiles === undefined; left--)
        this.stepOther();
      this.depth--;
    }
    if (this.lastFiles !== undefined) return 'error';
    if (this.endOperation >= 0 && operation >= this.endOperation) {
      this.takeDisk();
      return 'error';
    }
    const broken = this.options.breakFault?.(name);
    if (broken !== undefined) return broken;
    if (!this.isDiskFailing) return undefined;
    const { plan } = this.options;
    if (plan !== undefined) return this.plannedFault(plan, operation - this.firstOperation);
    const nowMs = this.clock.monotonicMilliseconds();
    if (nowMs < this.outageEndMs) return 'error';
    if (this.random.oneIn(15)) this.outageEndMs = nowMs + this.random.below(OUTAGE_MS_MAX);
    if (!this.random.oneIn(12)) return undefined;
    return name === 'write' && this.random.oneIn(2) ? 'short' : 'error';
  }

  /** A short write is followed by one that fails: only then is the append short. */
  private plannedFault({ fault, faultOperation }: Plan, operation: number): Fault | undefined {
    if (operation === faultOperation) return fault;
    return fault === 'short' && operation - 1 === faultOperation ? 'error' : undefined;
  }

  private stepOther(): void {
    const others = this.runnable().filter(({ name }) => name !== 'main');
    if (others.length > 0) this.take(others[this.random.below(others.length)]!);
  }

  private takeDisk(): void {
    if (this.lastFiles !== undefined) return;
    this.machine.noteFates();
    this.finalAtEnd = this.machine.finalCount;
    this.lastFiles = this.files.clone();
  }

  private failMemory(): void {
    const { memories } = this.machine;
    memories[this.random.below(memories.length)]!.faultCountdown = this.random.below(20);
  }
}
