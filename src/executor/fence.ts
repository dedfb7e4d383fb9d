/**
 * The drained fence: all nodes stand at its ticket, everything before it is final, nothing after it has
 * begun. For DDL and whatever else must see, and change, the whole database at once.
 *
 *   begin ──▶ ARRIVING ── each node arrives when final = ticket; the last rings main ──▶ DRAINED
 *   DRAINED ── startWork: step + 1 ──▶ WORKING ── each node runs applyFence; the last rings main ──▶ DRAINED
 *   DRAINED ── appendRecord, publishCatalog: by main itself ──▶ DRAINED
 *   DRAINED ── finish: fate, final passes, all nodes woken ──▶ FINAL; the ticket comes back from TicketClient.poll
 *
 * An error before the append has succeeded: main drops what was built by one more round of work, and finishes FAILED.
 */

import { assert } from '../base/assert.ts';
import { SqlError } from '../base/errors.ts';
import type { Committer } from './committer.ts';
import type { Control } from './control.ts';
import {
  BLOCK_FATE,
  CONTROL_FINAL,
  FLAG_DRAINED,
  PART_STATE,
  PART_STATE_FAILED,
  PART_STATE_OK,
  SLOT_ARRIVED,
  SLOT_BLOCK,
  SLOT_FRONTEND,
  SLOT_STEP,
  SLOT_WORK_VOTES,
} from './layout.ts';
import type { PartRunner } from './part-runner.ts';
import { type BlockMemory, BlockView, beginPart, readError, writeError } from './request-block.ts';
import type { TicketClient } from './ticket-client.ts';

export class DrainedFence {
  private readonly control: Control;
  private readonly client: TicketClient;
  private readonly committer: Committer;
  private readonly view: BlockView;
  private ticket = 0;
  private block = 0;
  private slot = 0;
  private isOpen = false;

  /** @param client main's; one fence at a time */
  constructor(control: Control, memory: BlockMemory, client: TicketClient, committer: Committer) {
    this.control = control;
    this.client = client;
    this.committer = committer;
    this.view = new BlockView(memory);
  }

  /** Takes the ticket; false when main has too many in the air. */
  begin(block: number): boolean {
    assert(!this.isOpen, 'one fence at a time');
    const control = this.control;
    if (!this.client.submit(block, control.allNodesLow(), control.allNodesHigh(), FLAG_DRAINED, 0, 0)) return false;
    this.ticket = this.client.youngestTicket;
    this.block = block;
    this.slot = control.slotOf(this.ticket);
    this.isOpen = true;
    this.client.flushWakeups();
    return true;
  }

  /** True when all nodes stand at the fence. */
  isDrained(): boolean {
    return this.isOpen && Atomics.load(this.control.words, this.slot + SLOT_ARRIVED) === this.control.nodeCount;
  }

  /** Asks all nodes for the work that the block's command names (BLOCK_COMMAND_*). Drained, and no work going on. */
  startWork(): void {
    const words = this.control.words;
    assert(this.isDrained() && this.isWorkDone(), 'work begins when all stand at the fence');
    assert(Atomics.load(words, CONTROL_FINAL) === this.ticket, 'at a drained fence, final is its ticket'); // invariant 9
    Atomics.store(words, this.slot + SLOT_WORK_VOTES, this.control.nodeCount);
    Atomics.add(words, this.slot + SLOT_STEP, 1);
    this.control.wakeAllNodes();
  }

  /** True when all nodes have done the work asked for. */
  isWorkDone(): boolean {
    return Atomics.load(this.control.words, this.slot + SLOT_WORK_VOTES) === 0;
  }

  /** The error of the last work, the smallest of those of the nodes; undefined when all of it was done. */
  workError(): SqlError | undefined {
    const view = this.view.at(this.block);
    for (let node = 0; node < this.control.nodeCount; node++) {
      if (view.words[view.part(node) + PART_STATE] === PART_STATE_FAILED)
        return readError(view, this.control.nodeCount);
    }
    return undefined;
  }

  /** Logs a record with one section (log/record.ts) and returns its LSN. Throws SqlError log_failure, commit_unknown. */
  appendRecord(kind: number, bytes: Uint8Array): number {
    assert(this.isDrained() && this.isWorkDone(), 'a fence logs when all stand at it');
    return this.committer.appendRecord(kind, bytes);
  }

  /** Lets the nodes go on. */
  finish(fate: number): void {
    assert(this.isDrained() && this.isWorkDone(), 'a fence ends when all stand at it');
    this.isOpen = false;
    this.view.at(this.block).set(BLOCK_FATE, fate);
    this.committer.finishFence(this.ticket);
    this.control.wakeAllNodes();
    this.control.wakeFrontend(this.client.frontend);
  }
}

/** The nodes' side. One object a node. */
export class DrainedStand {
  /** True while the node stands at a drained fence; the node loop clears it when `final` passes. */
  isArrived = false;
  private readonly control: Control;
  private readonly words: Int32Array;
  private readonly node: number;
  private readonly runner: PartRunner;
  private step = 0;

  constructor(control: Control, node: number, runner: PartRunner) {
    this.control = control;
    this.words = control.words;
    this.node = node;
    this.runner = runner;
  }

  /** `final` is the fence's ticket, and the node holds no undo. */
  arrive(slot: number): void {
    const words = this.words;
    this.isArrived = true;
    this.step = 0;
    const frontend = words[slot + SLOT_FRONTEND]!;
    if (Atomics.add(words, slot + SLOT_ARRIVED, 1) + 1 === this.control.nodeCount) this.control.wakeFrontend(frontend);
  }

  /** Does the work that main asks for; false when there is none. */
  work(view: BlockView, ticket: number, slot: number): boolean {
    const words = this.words;
    const step = Atomics.load(words, slot + SLOT_STEP);
    // If final has passed meanwhile, the step read may be that of another ticket.
    if (Atomics.load(words, CONTROL_FINAL) !== ticket) return true;
    if (step === this.step) return false;
    this.step = step;
    view.at(words[slot + SLOT_BLOCK]!);
    const part = view.part(this.node);
    beginPart(view.words, part, 0);
    try {
      this.runner.applyFence(view, part);
      view.words[part + PART_STATE] = PART_STATE_OK;
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      writeError(view, this.node, error);
    }
    const frontend = words[slot + SLOT_FRONTEND]!;
    if (Atomics.sub(words, slot + SLOT_WORK_VOTES, 1) === 1) this.control.wakeFrontend(frontend);
    return true;
  }
}
