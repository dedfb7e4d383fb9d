/**
 * The whole executor in one thread: frontends, nodes, committers and main are stepped in a random order that a seed
 * decides, over the counters of counter-runner.ts; what comes out is compared with counter-oracle.ts.
 */

import { strict as assert } from 'node:assert';
import { SqlError } from '../base/errors.ts';
import { Committer } from '../executor/committer.ts';
import { Control } from '../executor/control.ts';
import { DrainedFence } from '../executor/fence.ts';
import { blockPageCount, CONTROL_LOG_COMMITS, FATE_FAILED, FATE_OK, FATE_STALE } from '../executor/layout.ts';
import { NodeLoop, type PartRunner } from '../executor/node-loop.ts';
import { BlockView } from '../executor/request-block.ts';
import { TicketClient } from '../executor/ticket-client.ts';
import { type Log, LogFailure, type LogRepair } from '../log/log.ts';
import { RECORD_HEADER_BYTES, SECTION_COMMAND } from '../log/record.ts';
import { checkOutcomes } from './counter-oracle.ts';
import { type CounterRequest, makeRequest, type Outcome, readOutcome, submitRequest } from './counter-request.ts';
import { CounterRunner } from './counter-runner.ts';
import { SeededRandom } from './random.ts';
import { TestArena } from './test-arena.ts';

export type ModelOptions = {
  readonly seed: number;
  readonly requestCount: number;
  readonly nodeCount: number;
  readonly frontendCount: number;
  readonly slotCount: number;
  readonly firstTicket: number;
  /** An append fails once in so many; 0 never. */
  readonly logFailureOneIn: number;
  /** One request in so many has rounds, is a plain fence; 0 none. */
  readonly roundsOneIn: number;
  readonly fenceOneIn: number;
  /** For canaries: a committer or runner with a broken rule. */
  readonly makeCommitter?: typeof Committer;
  readonly wrapRunner?: (runner: CounterRunner) => PartRunner;
};

/** Of a node; the last is shared. */
const COUNTER_COUNT = 5;
const ARENA_PAGES = 256;

/** A log in memory that keeps what was appended, as text: `1.2=30 …` a record. */
class ModelLog implements Log {
  readonly isKept = true;
  readonly records: string[] = [];
  lastLsn = 0;
  commandCount = 0;
  failureCount = 0;
  state: 'well' | 'cut' | 'undecided' | 'unsaved' = 'well';
  private readonly random: SeededRandom;
  private readonly failureOneIn: number;

  constructor(random: SeededRandom, failureOneIn: number) {
    this.random = random;
    this.failureOneIn = failureOneIn;
  }

  append(firstLsn: number, bytes: Uint8Array, byteCount: number): void {
    if (this.failureOneIn > 0 && this.random.oneIn(this.failureOneIn)) {
      this.failureCount++;
      this.state = this.random.oneIn(2) ? 'cut' : 'undecided';
      throw new LogFailure('no space', this.state === 'undecided');
    }
    assert.equal(this.state, 'well', 'nothing is appended before a repair');
    const view = new DataView(bytes.buffer, bytes.byteOffset, byteCount);
    assert.equal(firstLsn, this.lastLsn + 1, 'LSNs rise by one');
    for (let at = 0; at < byteCount; at += view.getUint32(at, true)) {
      assert.equal(view.getUint32(at + 8, true), ++this.lastLsn);
      this.readRecord(view, at);
    }
  }

  rotate(): void {}

  repair(nextLsn: number): LogRepair {
    assert.equal(nextLsn, this.lastLsn + 1);
    if (this.state === 'unsaved') return 'unsaved';
    if (this.random.oneIn(3)) return 'failed';
    this.state = this.state === 'undecided' && this.random.oneIn(2) ? 'unsaved' : 'well';
    return this.state === 'unsaved' ? 'unsaved' : 'ready';
  }

  isUndecided(): boolean {
    return this.state === 'undecided';
  }

  giveUp(): void {}

  saved(): void {
    assert.equal(this.state, 'unsaved');
    this.state = 'well';
  }

  close(): void {}

  private readRecord(view: DataView, at: number): void {
    const changes: string[] = [];
    let section = at + RECORD_HEADER_BYTES;
    for (let left = view.getUint32(at + 16, true); left > 0; left--) {
      const end = section + 8 + view.getUint32(section + 4, true);
      if (view.getUint32(section, true) === SECTION_COMMAND) this.commandCount++;
      else {
        for (let entry = section + 8; entry < end; entry += 8) {
          const key = view.getInt32(entry, true);
          changes.push(`${key >>> 16}.${key & 0xffff}=${view.getInt32(entry + 4, true)}`);
        }
      }
      section = end;
    }
    if (changes.length > 0) this.records.push(changes.join(' '));
  }
}

/** What a run did, so that tests can see that it reached what they are about. */
export type ModelReport = {
  readonly ok: number;
  readonly failed: number;
  readonly stale: number;
  readonly epochs: number;
  readonly fences: number;
  readonly logFailures: number;
  /** Requests with rounds, and plain fences, that were final. */
  readonly rounds: number;
  readonly plainFences: number;
  /** Of those with rounds, the ones at which all stand until the end. */
  readonly standing: number;
};

/** Runs one schedule to its end; throws when anything differs from the oracle. */
export function runModel(options: ModelOptions): ModelReport {
  return new Model(options).run();
}

class Model {
  private readonly options: ModelOptions;
  private readonly random: SeededRandom;
  private readonly control: Control;
  private readonly memory: TestArena;
  private readonly log: ModelLog;
  private readonly runners: CounterRunner[] = [];
  private readonly loops: NodeLoop[] = [];
  private readonly clients: TicketClient[] = [];
  private readonly view: BlockView;
  private readonly requests: Map<number, CounterRequest> = new Map();
  private readonly outcomes: Outcome[] = [];
  private readonly mainCommitter: Committer;
  private readonly fence: DrainedFence;
  private fenceStage = 0;
  private fenceBlock = 0;
  private fenceCount = 0;
  private fenceWorkCount = 0;
  private version = 1;
  private submittedCount = 0;
  private readonly busyNodes: Set<number> = new Set();
  private fixedPages = 0;
  private nowMs = 0;

  constructor(options: ModelOptions) {
    this.options = options;
    this.random = new SeededRandom(options.seed);
    this.control = Control.create(options);
    this.memory = new TestArena(TestArena.reserve(ARENA_PAGES), 0, ARENA_PAGES);
    this.view = new BlockView(this.memory);
    this.log = new ModelLog(this.random, options.logFailureOneIn);
    this.control.publishCatalog(this.version, 0, 0);
    // In every other schedule a thread of its own commits.
    this.control.words[CONTROL_LOG_COMMITS] = options.seed & 1;
    const makeCommitter = options.makeCommitter ?? Committer;
    const rows = Array.from({ length: options.nodeCount }, () => new Int32Array(COUNTER_COUNT));
    for (let node = 0; node < options.nodeCount; node++) {
      const runner = new CounterRunner(this.memory, rows, node, options.slotCount);
      const committer = new makeCommitter(this.control, this.memory, this.log);
      const loop = new NodeLoop(this.control, this.memory, node, committer, options.wrapRunner?.(runner) ?? runner);
      runner.onLong = () => this.whileBusy(node, loop);
      runner.onFence = () => {
        this.fenceWorkCount++;
        if (this.random.oneIn(10)) throw new SqlError('out_of_memory', `node ${node} cannot build`);
      };
      this.runners.push(runner);
      this.loops.push(loop);
    }
    for (let frontend = 0; frontend <= options.frontendCount; frontend++) {
      this.clients.push(new TicketClient(this.control, this.memory, frontend));
    }
    this.mainCommitter = new makeCommitter(this.control, this.memory, this.log);
    this.fence = new DrainedFence(this.control, this.memory, this.clients.at(-1)!, this.mainCommitter);
    this.fixedPages = this.memory.usedPageCount;
  }

  run(): ModelReport {
    let idleSteps = 0;
    while (this.submittedCount < this.options.requestCount || this.requests.size > 0 || this.fenceStage !== 0) {
      const before = this.outcomes.length;
      this.stepAnyone();
      idleSteps = this.outcomes.length > before ? 0 : idleSteps + 1;
      assert.ok(idleSteps < 100_000, 'the schedule goes on');
    }
    const { counters, changes } = checkOutcomes(this.outcomes, this.options.nodeCount, COUNTER_COUNT);
    this.runners.forEach((runner, node) => {
      assert.deepEqual(runner.counters, counters[node], `counters of node ${node}`);
    });
    assert.deepEqual(this.log.records, changes, 'the log holds what was acknowledged, in order');
    assert.equal(this.control.lsn, this.log.lastLsn);
    const blockPages = this.clients.reduce((sum, client) => sum + client.blocks.blockCount, 0);
    const pagesPerBlock = blockPageCount(this.options.nodeCount);
    assert.equal(this.memory.usedPageCount, this.fixedPages + blockPages * pagesPerBlock, 'no result page is lost');
    return {
      ok: this.outcomes.filter(({ fate }) => fate === FATE_OK).length,
      failed: this.outcomes.filter(({ fate }) => fate === FATE_FAILED).length,
      stale: this.outcomes.filter(({ fate }) => fate === FATE_STALE).length,
      epochs: this.control.words[3 * 16]!,
      fences: this.fenceCount,
      logFailures: this.log.failureCount,
      rounds: this.outcomes.filter(({ request }) => request.rounds !== undefined).length,
      plainFences: this.outcomes.filter(({ request }) => request.fenceWorker !== undefined).length,
      standing: this.outcomes.filter(({ request }) => request.rounds?.owner !== undefined).length,
    };
  }

  private stepAnyone(): void {
    const choice = this.random.below(10);
    if (choice < 6) {
      const node = this.random.below(this.options.nodeCount);
      if (this.busyNodes.has(node)) return;
      if (choice < 4) this.loops[node]!.walk(1 + this.random.below(3));
      else this.loops[node]!.commit();
    } else if (choice < 8) {
      this.stepFrontend(this.random.below(this.options.frontendCount + 1));
    } else if (choice === 8) {
      this.stepFence();
    } else if (this.random.oneIn(4)) {
      this.nowMs += this.random.below(3000);
      this.mainCommitter.probe(this.nowMs);
      if (this.log.state === 'unsaved' && !this.mainCommitter.isUndecided() && this.random.oneIn(2))
        this.mainCommitter.resume();
    } else if (this.random.oneIn(2)) {
      this.mainCommitter.commit();
    }
  }

  /** Others run while a part of this node is long. */
  private whileBusy(node: number, loop: NodeLoop): boolean {
    if (this.busyNodes.size > 0) return false;
    this.busyNodes.add(node);
    for (let count = this.random.below(20); count > 0; count--) this.stepAnyone();
    this.busyNodes.delete(node);
    return loop.shouldGiveUp();
  }

  private stepFrontend(frontend: number): void {
    const client = this.clients[frontend]!;
    if (this.random.oneIn(2)) {
      client.poll((block, fate) => this.onFinal(client, block, fate), 1 + this.random.below(4));
      return;
    }
    while (this.submittedCount < this.options.requestCount && client.canSubmit() && !this.random.oneIn(3)) {
      this.submittedCount++;
      this.submit(client, this.makeRequest());
    }
    client.flushWakeups();
  }

  private makeRequest(): CounterRequest {
    const { nodeCount, roundsOneIn, fenceOneIn } = this.options;
    const counts = { nodeCount, counterCount: COUNTER_COUNT, longOneIn: 4, oneNodeIn: 2 };
    return makeRequest(this.random, { ...counts, roundsOneIn, fenceOneIn });
  }

  private submit(client: TicketClient, request: CounterRequest): void {
    const { view, version, random, options } = this;
    this.requests.set(submitRequest(client, view, request, version, random, options.nodeCount), request);
  }

  private onFinal(client: TicketClient, block: number, fate: number): void {
    if (block === this.fenceBlock && this.fenceStage === 3) {
      this.fenceStage = 0;
      client.blocks.release(block);
      return;
    }
    const request = this.requests.get(block)!;
    this.requests.delete(block);
    const view = this.view.at(block);
    this.outcomes.push(readOutcome(view, fate, request, this.options.nodeCount));
    for (let node = 0; node < this.options.nodeCount; node++) {
      if (view.hasNode(node)) this.runners[node]!.discardResult(view, view.part(node));
    }
    if (request.rounds !== undefined) this.runners[0]!.discardMiddle(view);
    client.blocks.release(block);
    if (fate !== FATE_STALE) return;
    this.submit(client, request);
    client.flushWakeups();
  }

  /** main's DDL: begin, drained, work, record, version, finish. */
  private stepFence(): void {
    const client = this.clients.at(-1)!;
    if (this.fenceStage === 0) {
      if (this.submittedCount >= this.options.requestCount || !client.canSubmit() || !this.random.oneIn(10)) return;
      this.fenceBlock = client.blocks.take();
      assert.ok(this.fence.begin(this.fenceBlock));
      this.fenceStage = 1;
    } else if (this.fenceStage === 1 && this.fence.isDrained()) {
      // Invariant 9: nothing before it is unfinal, so the log holds all that the nodes show.
      this.fenceWorkCount = 0;
      this.fence.startWork();
      this.fenceStage = 2;
    } else if (this.fenceStage === 2 && this.fence.isWorkDone()) {
      assert.equal(this.fenceWorkCount, this.options.nodeCount, 'each node does the work once');
      this.finishFence();
      this.fenceStage = 3;
    }
  }

  private finishFence(): void {
    this.fenceCount++;
    try {
      const error = this.fence.workError();
      if (error !== undefined) throw error;
      this.fence.appendRecord(SECTION_COMMAND, new TextEncoder().encode('{"command":"model"}'));
    } catch (error) {
      assert.ok(error instanceof SqlError, String(error));
      this.fence.finish(FATE_FAILED);
      return;
    }
    this.version++;
    this.control.publishCatalog(this.version, 0, 0);
    this.fence.finish(FATE_OK);
  }
}
