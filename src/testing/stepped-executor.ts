/** An executor over counters whose nodes a test steps by hand: one frontend, no log. */

import { strict as assert } from 'node:assert';
import { Committer } from '../executor/committer.ts';
import { Control } from '../executor/control.ts';
import { CONTROL_EPOCH, CONTROL_FINAL, CONTROL_NEXT, CONTROL_NODE_PARKED } from '../executor/layout.ts';
import { NodeLoop, STEP_RAN } from '../executor/node-loop.ts';
import { BlockView } from '../executor/request-block.ts';
import { TicketClient } from '../executor/ticket-client.ts';
import { NullLog } from '../log/log.ts';
import { type CounterRequest, type Operation, type Outcome, readOutcome, submitRequest } from './counter-request.ts';
import { CounterRunner } from './counter-runner.ts';
import type { SeededRandom } from './random.ts';
import { TestArena } from './test-arena.ts';

const ARENA_PAGES = 256;
const COUNTER_COUNT = 5;

/** An operation at step 0 on the node's own counter. */
export function operation(node: number, kind: number, counter: number, more: Partial<Operation> = {}): Operation {
  return { node, owner: node, counter, kind, amount: 0, step: 0, ...more };
}

export class SteppedExecutor {
  readonly control: Control;
  readonly memory: TestArena;
  readonly loops: NodeLoop[] = [];
  readonly runners: CounterRunner[] = [];
  readonly rows: readonly Int32Array[];
  readonly client: TicketClient;
  private readonly view: BlockView;
  private readonly requests: Map<number, CounterRequest> = new Map();
  private readonly nodeCount: number;

  constructor(nodeCount: number, firstTicket: number = 2 ** 31 - 2) {
    this.nodeCount = nodeCount;
    this.control = Control.create({ nodeCount, frontendCount: 0, slotCount: 16, firstTicket });
    this.control.publishCatalog(1, 0, 0);
    this.memory = new TestArena(TestArena.reserve(ARENA_PAGES), 0, ARENA_PAGES);
    this.view = new BlockView(this.memory);
    this.rows = Array.from({ length: nodeCount }, () => new Int32Array(COUNTER_COUNT));
    for (let node = 0; node < nodeCount; node++) {
      const runner = new CounterRunner(this.memory, this.rows, node, 16);
      const committer = new Committer(this.control, this.memory, new NullLog());
      this.runners.push(runner);
      this.loops.push(new NodeLoop(this.control, this.memory, node, committer, runner));
    }
    this.client = new TicketClient(this.control, this.memory, 0);
  }

  /** @param flags FLAG_TAIL, FLAG_WAIT */
  submit(request: CounterRequest, flags: number = 0): void {
    this.requests.set(submitRequest(this.client, this.view, request, 1, flags, this.nodeCount), request);
  }

  /** One step of a node, commit included: STEP_*. */
  step(node: number, limit: number = 16): number {
    return this.loops[node]!.step(limit);
  }

  /** Tickets that are not final. */
  get inAir(): number {
    return (Atomics.load(this.control.words, CONTROL_NEXT) - Atomics.load(this.control.words, CONTROL_FINAL)) | 0;
  }

  /** Rollbacks so far. */
  get epoch(): number {
    return Atomics.load(this.control.words, CONTROL_EPOCH);
  }

  /**
   * Steps nodes, and nobody else, until everything is final: by turns, or as random says. One with nothing to do parks as
   * node-thread.ts does, and is stepped again only when it has been woken.
   */
  settle(random?: SeededRandom): void {
    const { words } = this.control;
    const isParking = new Uint8Array(this.nodeCount);
    const isAsleep = new Uint8Array(this.nodeCount);
    for (let turn = 0; this.inAir > 0; turn++) {
      assert.ok(turn < 10_000, 'the nodes need nobody else to go on'); // invariant 11
      const node = random === undefined ? turn % this.nodeCount : random.below(this.nodeCount);
      const parkedWord = CONTROL_NODE_PARKED + node * 16;
      if (isAsleep[node] === 1) {
        if (words[parkedWord] === 1) continue;
        isAsleep[node] = 0;
        isParking[node] = 0;
      }
      if (this.step(node, random === undefined ? 16 : 1 + random.below(4)) === STEP_RAN) {
        words[parkedWord] = 0;
        isParking[node] = 0;
      } else if (isParking[node] === 1) {
        isAsleep[node] = 1;
      } else {
        words[parkedWord] = 1;
        isParking[node] = 1;
      }
    }
    for (let node = 0; node < this.nodeCount; node++) words[CONTROL_NODE_PARKED + node * 16] = 0;
  }

  /** Takes what is final: outcomes in ticket order. */
  take(): Outcome[] {
    const outcomes: Outcome[] = [];
    this.client.poll((block, fate) => {
      const request = this.requests.get(block)!;
      const view = this.view.at(block);
      outcomes.push(readOutcome(view, fate, request, this.nodeCount));
      for (let node = 0; node < this.nodeCount; node++) {
        if (view.hasNode(node)) this.runners[node]!.discardResult(view, view.part(node));
      }
      if (request.rounds !== undefined) this.runners[0]!.discardMiddle(view);
      this.client.blocks.release(block);
    }, 64);
    return outcomes;
  }
}
