/**
 * The frontend's side of the order (main's too): takes tickets, publishes slots, hands back what has become final.
 *
 *   submit ──▶ ORDERED (slot published; nodes woken by flushWakeups) ──▶ … nodes, committer … ──▶ `final` passes ──▶ poll
 *
 * Claim, fill and publish are one synchronous piece of code: a node that meets a claimed slot never waits long for it.
 * Nothing here blocks.
 */

import { assert } from '../base/assert.ts';
import { bitCount, type Control } from './control.ts';
import {
  BLOCK_FATE,
  BLOCK_FLAGS,
  BLOCK_MASK_HIGH,
  BLOCK_MASK_LOW,
  BLOCK_PROGRAM_ID,
  BLOCK_TICKET,
  BLOCK_VERSION,
  CONTROL_FINAL,
  CONTROL_NEXT,
  FATE_OK,
  SLOT_ARRIVED,
  SLOT_ATTEMPT,
  SLOT_BLOCK,
  SLOT_FATE,
  SLOT_FLAGS,
  SLOT_FRONTEND,
  SLOT_MASK_HIGH,
  SLOT_MASK_LOW,
  SLOT_PARTICIPANTS,
  SLOT_PROGRAM,
  SLOT_PUBLISHED,
  SLOT_STEP,
  SLOT_VERSION,
  SLOT_VOTES,
  SLOT_WORK_VOTES,
} from './layout.ts';
import { type BlockMemory, BlockView, RequestBlocks } from './request-block.ts';

/** Called for each own ticket below `final`, in ticket order; the block is the client's again. */
export type OnFinal = (block: number, fate: number) => void;

export class TicketClient {
  readonly frontend: number;
  readonly blocks: RequestBlocks;
  private readonly control: Control;
  private readonly view: BlockView;
  /** Own tickets in the air, oldest first: a ring of tickets and blocks. */
  private readonly tickets: Int32Array;
  private readonly blockPages: Int32Array;
  private readonly ringMask: number;
  private head = 0;
  private tail = 0;
  /** Since the last flush: nodes to wake, the first and last own ticket. */
  private wakeLow = 0;
  private wakeHigh = 0;
  private firstTicket = 0;
  private lastTicket = 0;
  private publishedCount = 0;

  /** @param frontend number of the frontend; main is number frontendCount */
  constructor(control: Control, memory: BlockMemory, frontend: number) {
    this.control = control;
    this.frontend = frontend;
    this.blocks = new RequestBlocks(memory, frontend, control.nodeCount);
    this.view = new BlockView(memory);
    let size = 1;
    while (size < control.inAirLimit) size *= 2;
    this.tickets = new Int32Array(size);
    this.blockPages = new Int32Array(size);
    this.ringMask = size - 1;
  }

  /** Tickets in the air. */
  get inAir(): number {
    return (this.tail - this.head) | 0;
  }

  /** True where submit would take a ticket. */
  canSubmit(): boolean {
    return ((this.tail - this.head) | 0) < this.control.inAirLimit;
  }

  /**
   * Takes a ticket for the nodes of the mask (at least one) and publishes it; false when as many are in the air as may
   * be: the caller queues it and tries again after a poll. `flags` are FLAG_WRITES, FLAG_TAIL, FLAG_WAIT, FLAG_ROUNDS, FLAG_DRAINED.
   * The caller calls flushWakeups before it gives up the thread.
   */
  submit(block: number, maskLow: number, maskHigh: number, flags: number, version: number, programId: number): boolean {
    if (((this.tail - this.head) | 0) >= this.control.inAirLimit) return false;
    const control = this.control;
    const words = control.words;
    const participants = bitCount(maskLow) + bitCount(maskHigh);
    assert(participants > 0, 'a ticket concerns a node');
    const ticket = Atomics.add(words, CONTROL_NEXT, 1);
    // The load also makes the former use of the slot final before it is overwritten.
    assert(((ticket - Atomics.load(words, CONTROL_FINAL)) | 0) < control.slotCount, 'the order ring does not overflow'); // invariant 14
    const view = this.view.at(block);
    const header = view.base;
    view.words[header + BLOCK_TICKET] = ticket;
    view.words[header + BLOCK_FATE] = FATE_OK;
    view.words[header + BLOCK_MASK_LOW] = maskLow;
    view.words[header + BLOCK_MASK_HIGH] = maskHigh;
    view.words[header + BLOCK_FLAGS] = flags;
    view.words[header + BLOCK_VERSION] = version;
    view.words[header + BLOCK_PROGRAM_ID] = programId;
    const slot = control.slotOf(ticket);
    words[slot + SLOT_FRONTEND] = this.frontend;
    Atomics.store(words, slot + SLOT_MASK_LOW, maskLow);
    Atomics.store(words, slot + SLOT_MASK_HIGH, maskHigh);
    words[slot + SLOT_FLAGS] = flags;
    words[slot + SLOT_VOTES] = participants;
    words[slot + SLOT_FATE] = FATE_OK;
    words[slot + SLOT_ATTEMPT] = 0;
    words[slot + SLOT_STEP] = 0;
    words[slot + SLOT_ARRIVED] = 0;
    words[slot + SLOT_VERSION] = version;
    words[slot + SLOT_PROGRAM] = programId;
    words[slot + SLOT_BLOCK] = block;
    words[slot + SLOT_PARTICIPANTS] = participants;
    words[slot + SLOT_WORK_VOTES] = 0;
    Atomics.store(words, slot + SLOT_PUBLISHED, ticket);
    const at = this.tail & this.ringMask;
    this.tickets[at] = ticket;
    this.blockPages[at] = block;
    this.tail = (this.tail + 1) | 0;
    if (this.publishedCount === 0) this.firstTicket = ticket;
    this.lastTicket = ticket;
    this.publishedCount++;
    this.wakeLow |= maskLow;
    this.wakeHigh |= maskHigh;
    return true;
  }

  /** Ticket of the youngest own request in the air. */
  get youngestTicket(): number {
    return this.lastTicket;
  }

  /**
   * Wakes the nodes concerned by what was published since the last call.
   *
   * A node that met one of our slots before it was published may sleep with later tickets of other frontends before it:
   * they woke it in vain. So the nodes of others' published tickets after our first one are woken too. One that is not
   * published yet will be found by its own publisher's flush, as ours are published now.
   */
  flushWakeups(): void {
    if (this.publishedCount === 0) return;
    const control = this.control;
    const words = control.words;
    const next = Atomics.load(words, CONTROL_NEXT);
    if (((next - this.firstTicket) | 0) !== this.publishedCount) {
      for (let ticket = (this.firstTicket + 1) | 0; ticket !== next; ticket = (ticket + 1) | 0) {
        const slot = control.slotOf(ticket);
        if (Atomics.load(words, slot + SLOT_PUBLISHED) !== ticket) continue;
        this.wakeLow |= Atomics.load(words, slot + SLOT_MASK_LOW);
        this.wakeHigh |= Atomics.load(words, slot + SLOT_MASK_HIGH);
      }
    }
    control.wakeNodes(this.wakeLow, this.wakeHigh);
    this.wakeLow = 0;
    this.wakeHigh = 0;
    this.publishedCount = 0;
  }

  /** Hands over at most `limit` own requests that are final; returns how many. Equal to `limit`: there may be more. */
  poll(onFinal: OnFinal, limit: number): number {
    if (this.head === this.tail) return 0;
    const final = Atomics.load(this.control.words, CONTROL_FINAL);
    let count = 0;
    while (count < limit && this.head !== this.tail) {
      const at = this.head & this.ringMask;
      if (((this.tickets[at]! - final) | 0) >= 0) break;
      const page = this.blockPages[at]!;
      this.head = (this.head + 1) | 0;
      count++;
      const view = this.view.at(page);
      assert(((view.get(BLOCK_TICKET) - final) | 0) < 0, 'what is replied is final'); // invariant 3
      onFinal(page, view.get(BLOCK_FATE));
    }
    return count;
  }

  /** True where poll would hand over something. */
  hasFinal(): boolean {
    if (this.head === this.tail) return false;
    return ((this.tickets[this.head & this.ringMask]! - Atomics.load(this.control.words, CONTROL_FINAL)) | 0) < 0;
  }
}
