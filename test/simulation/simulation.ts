/**
 * One schedule: a database that is opened, used by several clients, and stopped, cleanly or not, again and again; all
 * decided by a seed. Everything that it answers, and everything that is found after each start, is checked (check.ts).
 *
 * A step lets one actor go one step (machine.ts). While an operation of the disk is going on, the other threads run: they
 * take steps inside of it.
 */

import { strict as assert } from 'node:assert';
import { CONTROL_MODE, MODE_NORMAL, MODE_UNDECIDED } from '../../src/executor/layout.ts';
import { SeededRandom } from '../../src/testing/random.ts';
import { SimulatedClock } from '../../src/testing/simulated-clock.ts';
import { type Fault, SimulatedFiles } from '../../src/testing/simulated-files.ts';
import { foundState, type History, type OnDisk, recognize, replay, type Tolerated, verifyPartitions } from './check.ts';
import type { Connection } from './connection.ts';
import { checkContents, checkMoment, checkSkipped, type Moment } from './durability.ts';
import { Machine, type MachineOptions } from './machine.ts';
import { EMPTY_STATE, type ModelState, type Operation } from './model.ts';
import type { End, Plan, SimulationOptions } from './plan.ts';
import { sharedVolley } from './random-mixed.ts';
import { countLife, countStart, emptyReport, type SimulationReport } from './report.ts';
import { NESTED_STEPS_MAX, Scheduler } from './scheduler.ts';
import { DIRECTORY } from './settings.ts';
import { standsOf } from './stands.ts';
import { LARGE_TABLE, newRequest, type SimulatedRequest, type Wish } from './statements.ts';
import { SyncWatch } from './sync-watch.ts';
import {
  creation,
  type Focus,
  initialRows,
  initialTables,
  largeInsertion,
  randomRequest,
  readings,
} from './workload.ts';

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
const DELAYED_STEPS_MAX = 200;
const STEPS_MAX = 400_000;
/** Moments of a life at which the power might have gone, where it is left to chance. */
const MOMENTS_MAX = 2;
const SECOND_MICROSECONDS = 1_000_000;
/** Longer than clients of a failed write wait for the log to be cut. */
const OUTAGE_MS_MAX = 15_000;

class Simulation {
  readonly report: SimulationReport = emptyReport();
  life = 0;
  private readonly options: SimulationOptions;
  private readonly random: SeededRandom;
  private readonly clock: SimulatedClock = new SimulatedClock();
  private readonly shape: Pick<
    MachineOptions,
    'nodeCount' | 'frontendCount' | 'syncOnWrite' | 'rotateBytes' | 'checkpointInterval' | 'isReserveEmpty'
  >;
  private readonly hasLarge: boolean;
  private readonly focus: Focus;
  private readonly scheduler: Scheduler;
  private syncs!: SyncWatch;
  private readonly tolerated: Omit<Tolerated, 'isCancelled'>;
  private files: SimulatedFiles = new SimulatedFiles();
  private machine!: Machine;
  private requests: SimulatedRequest[] = [];
  private leftCount = 0;
  private isDiskFailing = false;
  private isMemoryFailing = false;
  /** Number of the operation of the disk at which the life ends; -1: at none. */
  private endOperation = -1;
  /** The life ends at this operation of the next checkpoint; -1: it does not. */
  private endOfCheckpoint = -1;
  /** The disk as it was when the power went, or the process was killed. */
  private lastFiles: SimulatedFiles | undefined;
  /** What it has, and what a power loss leaves of it. */
  private endOnDisk: { readonly whole: OnDisk; readonly afterPowerLoss: OnDisk } | undefined;
  private isEndInCheckpoint = false;
  private moments: Moment[] = [];
  /** No requests are sent, so that it becomes quiet. */
  private isPaused = false;
  private checkpointsSeen = 0;
  /** Of the disk, before the first request. */
  private firstOperation = 0;
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
      rotateBytes: random.oneIn(2) ? 1_000_000 : 100 + random.below(3000),
      checkpointInterval: random.oneIn(2) ? '0 s' : '1 s',
      isReserveEmpty: random.oneIn(2),
      ...(plan === undefined
        ? {}
        : { nodeCount: plan.nodeCount, syncOnWrite: plan.syncOnWrite, rotateBytes: plan.rotateBytes }),
    };
    this.focus = options.focus ?? (['all', 'all', 'moves', 'shared', 'mixed'] as const)[random.below(5)]!;
    const rowsAPoint = [5, 40, 200][random.below(3)]!;
    this.scheduler = new Scheduler(random, this.report, rowsAPoint, () => this.lastFiles !== undefined);
    this.hasLarge = plan === undefined && random.oneIn(25);
    if (this.shape.isReserveEmpty) this.report.emptyReserves++;
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
    await this.runUntilQuiet();
    await this.stop();
  }

  /** Opens the database on the disk as it is, and finds out what is in it. */
  private async restart(history: History, end: End): Promise<ModelState> {
    const onDisk = this.endOnDisk![end === 'power' ? 'afterPowerLoss' : 'whole'];
    this.options.breakDisk?.(this.files);
    this.open();
    countStart(this.report, this.machine.database.recovered!);
    const { memory, publisher } = this.machine.database;
    const { catalog } = publisher;
    verifyPartitions(memory, catalog);
    const rows = new Map<string, unknown>();
    for (const [operation, answer] of await this.readAll()) {
      if (operation.kind === 'scanEvents') rows.set('e', answer);
      else if (operation.kind === 'scan') rows.set(operation.table, answer);
    }
    const found = foundState(catalog, catalog.version, rows);
    const state = recognize(history, onDisk, found);
    const unlogged = [...state.data.values()].filter(({ isUnlogged }) => isUnlogged);
    if (unlogged.some(({ rows: kept }) => kept.size > 0)) this.report.startsWithUnlogged++;
    // What the indexes say is compared with the rest of the requests of this life, once the state is known.
    return { ...state, version: catalog.version };
  }

  /** Opens the database; a first one, or that which the last life left. */
  private open(): void {
    this.clock.clearTimers();
    this.lastFiles = undefined;
    this.endOperation = -1;
    this.endOfCheckpoint = -1;
    this.isPaused = false;
    this.moments = [];
    this.checkpointsSeen = 0;
    this.leftCount = 0;
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
      points: { onPoint: (isRow) => this.scheduler.inPart(isRow), isPolling: () => this.scheduler.isPolling() },
      ...this.options.broken,
    });
    this.scheduler.begin(this.machine);
    this.syncs = new SyncWatch(this.machine, this.report);
    this.files.fault = (operation, name, path) => this.onDisk(operation, name, path);
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
      const choice = this.random.below(3);
      if (choice === 0) this.endOperation = this.files.operationCount + this.random.below(60);
      else if (choice === 1) this.endOfCheckpoint = this.random.below(30);
      else this.leftCount = this.random.below(this.leftCount);
    }
    for (;;) {
      await this.runUntil(() => this.isOver(end) || this.isCheckpointOver());
      if (this.isOver(end)) break;
      if (this.random.oneIn(4)) await this.beQuiet();
    }
    this.report.operations += this.files.operationCount - this.firstOperation;
    if (end === 'clean') await this.finish();
    else {
      this.takeDisk();
      this.report[end === 'kill' ? 'kills' : 'powerLosses']++;
      if (this.isEndInCheckpoint) this.report[end === 'kill' ? 'killsInCheckpoint' : 'powerLossesInCheckpoint']++;
    }
    const history = this.check(start);
    this.checkDisks(history);
    const files = this.lastFiles!;
    const endSeed = this.options.plan?.endSeed;
    const random = endSeed === undefined ? this.random : new SeededRandom(endSeed);
    this.files = end === 'power' ? files.afterPowerLoss(random) : files;
    return history;
  }

  /** The tables that the requests are about. */
  private async make(): Promise<void> {
    const connection = this.machine.connections[0]!;
    const tables = initialTables(this.random);
    for (const wish of [...tables, ...initialRows(this.random, tables)]) this.send(connection, wish);
    if (this.hasLarge) {
      this.report.largeTables++;
      this.send(connection, creation(LARGE_TABLE, false, this.random.oneIn(2)));
      this.send(connection, largeInsertion());
    }
    await this.runUntil(() => this.machine.pendingCount === 0);
  }

  private isOver(end: End): boolean {
    if (this.lastFiles !== undefined) return true;
    // A planned end is at an operation: all of them are reached.
    const isUntilAnswered = end === 'clean' || this.options.plan !== undefined;
    return this.leftCount === 0 && (!isUntilAnswered || this.machine.pendingCount === 0);
  }

  /** Reads all there is while it is quiet, and stops as a server stops. */
  private async finish(): Promise<void> {
    this.isDiskFailing = false;
    this.isMemoryFailing = false;
    for (const memory of this.machine.memories) memory.faultCountdown = -1;
    await this.writeAgain();
    await this.readAll();
    if (this.random.oneIn(3)) await this.cancelCheckpoint();
    await this.beQuiet();
    await this.stop();
    this.report.cleanStops++;
    this.noteDisk();
  }

  /** A server that is stopped gives up the checkpoint that it is taking. */
  private async cancelCheckpoint(): Promise<void> {
    this.send(this.pickConnection(), 'checkpoint');
    let left = this.random.below(60);
    await this.runUntil(() => left-- === 0);
    if (this.machine.checkpoints.writing !== undefined) this.report.checkpointsCancelled++;
    this.machine.cancelCheckpoint();
  }

  /** True once behind each checkpoint, however it ended. */
  private isCheckpointOver(): boolean {
    const { written, failed } = this.machine.checkpoints;
    const count = written.length + failed.length;
    if (count === this.checkpointsSeen) return false;
    this.checkpointsSeen = count;
    return true;
  }

  /** Sends nothing until all is done, checkpoints too; then no page is lost, and everything agrees. */
  private async beQuiet(): Promise<void> {
    const { isMemoryFailing } = this;
    this.isPaused = true;
    this.isMemoryFailing = false;
    for (const memory of this.machine.memories) memory.faultCountdown = -1;
    await this.runUntilQuiet();
    // Each node sees that all is final, and gives up what it kept to undo it.
    const readings = this.readings();
    if (this.lastFiles === undefined && readings.length > 0) this.send(this.pickConnection(), readings);
    await this.runUntilQuiet();
    this.isPaused = false;
    this.isMemoryFailing = isMemoryFailing;
    if (this.lastFiles !== undefined) return;
    const { memory, publisher } = this.machine.database;
    this.machine.pages.check(memory, publisher.catalog);
    verifyPartitions(memory, publisher.catalog);
    this.report.pagesChecked++;
  }

  /** Until nobody has anything to do, or the life ends. */
  private async runUntilQuiet(): Promise<void> {
    let isIdle = false;
    this.machine.whenIdle(() => {
      isIdle = true;
    });
    const isQuiet = (): boolean =>
      isIdle &&
      !this.machine.checkpoints.isGoingOn &&
      this.machine.pendingCount === 0 &&
      this.scheduler.runnable().length === 0;
    await this.runUntil(() => this.lastFiles !== undefined || isQuiet());
  }

  private readings(): Operation[] {
    const { tables } = this.machine.database.publisher.catalog;
    return readings(
      this.random,
      tables.map(({ name, indexes }) => ({ name, hasIndex: indexes.length > 1 })),
    );
  }

  /** The disk works again: so do writes, after the next probe; where a sync has failed, after a checkpoint. */
  private async writeAgain(): Promise<void> {
    const { words } = this.machine.database.control;
    for (let probes = 0; probes < 3 && Atomics.load(words, CONTROL_MODE) !== MODE_NORMAL; probes++) {
      this.clock.advance(SECOND_MICROSECONDS);
      while (this.clock.untilNextTimer() === 0) this.clock.runTimer();
      await this.runUntil(() => this.scheduler.runnable().length === 0);
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
    const { isCancelled } = this.machine;
    const history = replay(start, orders, this.requests, { ...this.tolerated, isCancelled });
    countLife(this.report, this.machine, this.requests);
    return history;
  }

  /** The machine is over: what its disk had at times. */
  private checkDisks(history: History): void {
    const { nodeCount } = this.shape;
    for (const record of this.machine.checkpoints.written) {
      checkContents(record, history, nodeCount);
      this.report.contentsChecked++;
    }
    for (const skipped of this.machine.checkpoints.skipped) checkSkipped(skipped, history);
    for (const moment of this.moments) {
      checkMoment(moment, history, nodeCount);
      this.report.lossesChecked += moment.seeds.length;
    }
  }

  /** Every path over every table, one after another, with the answers. */
  private async readAll(): Promise<(readonly [Operation, unknown])[]> {
    const sent = this.readings().map(
      (operation) => [operation, this.send(this.pickConnection(), [operation])] as const,
    );
    await this.runUntil(() => this.machine.pendingCount === 0);
    return sent.map(([operation, { outcome, sql }]) => {
      assert.ok(
        outcome !== undefined && 'rows' in outcome,
        `no error while it is quiet: ${sql} ${JSON.stringify(outcome)}`,
      );
      return [operation, outcome.rows];
    });
  }

  private pickConnection(): Connection {
    return this.machine.connections[this.random.below(this.machine.connections.length)]!;
  }

  private send(connection: Connection, wish: Wish): SimulatedRequest {
    const request = newRequest(wish, connection.index, this.machine.finalCount);
    this.requests.push(request);
    connection.send(request);
    return request;
  }

  private async runUntil(isDone: () => boolean): Promise<void> {
    for (;;) {
      if (this.machine.hasPromises) await this.machine.settle();
      if (this.machine.failure !== undefined) throw this.machine.failure;
      this.syncs.check();
      if (isDone()) return;
      this.step();
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
    if (this.leftCount > 0 && !this.isPaused && random.oneIn(4)) {
      const connection = this.pickConnection();
      if (connection.inFlightCount < CONNECTION_DEPTH) this.sendRandom(connection);
    }
    if (this.scheduler.step()) return;
    if (
      this.isPaused ||
      this.leftCount === 0 ||
      this.machine.connections.every((each) => each.inFlightCount === CONNECTION_DEPTH)
    ) {
      // Nobody is woken by time, but where a failed log is cut: a second must not be what brings a request on.
      const isUndecided = Atomics.load(this.machine.database.control.words, CONTROL_MODE) === MODE_UNDECIDED;
      if (!isUndecided) assert.equal(this.machine.pendingCount, 0, 'nothing runs, and requests wait for their replies');
      clock.advance(clock.untilNextTimer()!);
    }
  }

  private sendRandom(connection: Connection): void {
    const { random, focus } = this;
    const isMixed = focus === 'mixed';
    const isVolley =
      (isMixed || focus === 'shared') &&
      connection.inFlightCount === 0 &&
      this.leftCount >= 3 &&
      random.oneIn(isMixed ? 2 : 4);
    const wishes = isVolley ? sharedVolley(random, isMixed) : [randomRequest(random, this.hasLarge, focus)];
    for (const wish of wishes) this.send(connection, wish);
    this.leftCount -= wishes.length;
  }

  /** Before an operation of the disk: others run meanwhile; then it works, or fails, or the life ends. */
  private onDisk(operation: number, name: string, path: string): Fault | undefined {
    if (this.lastFiles !== undefined) return 'error';
    this.scheduler.runOthers(this.isDelayed(operation) ? DELAYED_STEPS_MAX : this.random.below(NESTED_STEPS_MAX));
    if (this.lastFiles !== undefined) return 'error';
    const isOfLog = path.startsWith(`${DIRECTORY}/wal`);
    const isWriting = this.machine.checkpoints.writing !== undefined;
    if (isOfLog && name === 'create') this.report[isWriting ? 'rotationsInCheckpoint' : 'rotations']++;
    if (isOfLog && name === 'remove') this.report.logFilesRemoved++;
    if (isWriting && this.endOfCheckpoint >= 0) {
      this.endOperation = operation + this.endOfCheckpoint;
      this.endOfCheckpoint = -1;
    }
    this.tryMoment(operation);
    if (this.endOperation >= 0 && operation >= this.endOperation) {
      this.takeDisk();
      return 'error';
    }
    const broken = this.options.breakFault?.(name, path, operation - this.firstOperation);
    if (broken !== undefined) return broken;
    if (!this.isDiskFailing) return undefined;
    const { plan } = this.options;
    if (plan !== undefined) return this.plannedFault(plan, operation - this.firstOperation);
    // A checkpoint has many operations, and is to succeed at times.
    const nowMs = this.clock.monotonicMilliseconds();
    if (nowMs < this.outageEndMs) return 'error';
    if (this.random.oneIn(isOfLog ? 15 : 150)) this.outageEndMs = nowMs + this.random.below(OUTAGE_MS_MAX);
    // Rather where what all read is about to be changed, or is.
    const isAwaited =
      isOfLog && (this.machine.parts.isOwnerAtWork || standsOf(this.machine.database.control).isInFence);
    if (!this.random.oneIn(isAwaited ? 2 : isOfLog ? 12 : 60)) return undefined;
    return name === 'write' && this.random.oneIn(2) ? 'short' : 'error';
  }

  /** A short write is followed by one that fails: only then is the append short. */
  private plannedFault({ fault, faultOperation }: Plan, operation: number): Fault | undefined {
    if (fault === 'delayed') return undefined;
    if (operation === faultOperation) return fault;
    return fault === 'short' && operation - 1 === faultOperation ? 'error' : undefined;
  }

  private isDelayed(operation: number): boolean {
    const { plan } = this.options;
    return plan?.fault === 'delayed' && operation - this.firstOperation === plan.faultOperation && this.isDiskFailing;
  }

  /** Keeps the disk as it is now, for a power loss that is tried when the life is over. */
  private tryMoment(operation: number): void {
    // With a log that fails, what may be found is known at the end of the life only.
    if (this.tolerated.isLogFailing) return;
    const { plan } = this.options;
    const lossCount = plan === undefined ? 1 : (plan.lossesEach ?? 0);
    if (lossCount === 0 || operation < this.firstOperation) return;
    if (plan === undefined && (this.moments.length === MOMENTS_MAX || !this.random.oneIn(20))) return;
    this.moments.push({
      files: this.files.clone(),
      operation: operation - this.firstOperation,
      ...this.onDiskAfterPowerLoss(),
      // Not of the schedule's random numbers: it is the same run without it.
      seeds: Array.from({ length: lossCount }, (_, index) => Math.imul(operation + 1, 7919) + index),
    });
  }

  /** What is in a synced log, or in a checkpoint, no power loss takes. */
  private onDiskAfterPowerLoss(): OnDisk {
    const { finalCount, orders, checkpoints } = this.machine;
    const durable = this.shape.syncOnWrite ? finalCount - 1 : checkpoints.newest - 1;
    return { durable, next: orders.length, saved: checkpoints.saved(this.tolerated.isLogFailing) };
  }

  private takeDisk(): void {
    if (this.lastFiles !== undefined) return;
    this.machine.noteFates();
    this.isEndInCheckpoint = this.machine.checkpoints.writing !== undefined;
    this.noteDisk();
  }

  private noteDisk(): void {
    const afterPowerLoss = this.onDiskAfterPowerLoss();
    this.endOnDisk = { whole: { ...afterPowerLoss, durable: this.machine.finalCount - 1 }, afterPowerLoss };
    this.lastFiles = this.files.clone();
  }

  private failMemory(): void {
    const { memories } = this.machine;
    memories[this.random.below(memories.length)]!.faultCountdown = this.random.below(20);
  }
}
