/**
 * A database for tests of the executor: each node has a row of int32 counters; requests are those of counter-request.ts.
 *
 * A part does the operations of its node, in order; a fence's worker does all. What it read is summed up in its record:
 * word PART_PROFILE_START for the whole part, inline word s for step s. The middle section behind step s sums up the steps
 * that were awaited so far, into inline word s of the coordinator's record; it fails like a tail.
 */

import { assert } from '../base/assert.ts';
import { SqlError } from '../base/errors.ts';
import {
  BLOCK_FLAGS,
  BLOCK_USER,
  FLAG_FENCE,
  PART_ATTEMPT,
  PART_HEADER_BYTES,
  PART_PROFILE_START,
  PART_REDO_BYTES,
  PART_REDO_OPERATIONS,
  PART_REDO_REF,
  PART_RESULT_PAGE,
  PART_STATE,
  PART_STATE_OK,
} from '../executor/layout.ts';
import {
  MIDDLE_END,
  MIDDLE_INTERRUPTED,
  MIDDLE_LAST,
  MIDDLE_STEP,
  PART_INTERRUPTED,
  PART_REDO,
  PART_WROTE,
  type PartRunner,
} from '../executor/part-runner.ts';
import type { BlockMemory, BlockView } from '../executor/request-block.ts';
import {
  OPERATION_ADD,
  OPERATION_ADD_FOUND,
  OPERATION_CHECK,
  OPERATION_LONG,
  OPERATION_PAGE,
  OPERATION_READ,
  OPERATION_READ_PEER,
  OPERATION_READ_SHARED,
  SHARED_COUNT,
} from './counter-request.ts';

/** A tail fails when the sum of its parts' results is divisible by this, */
export const TAIL_DIVISOR = 7;
/** a middle section when what it found is. */
export const MIDDLE_DIVISOR = 11;

const REDO_ENTRY_BYTES = 8;
const REDO_STRIDE = 64;
const INLINE = PART_HEADER_BYTES / 4;
/** Inline word: the result page again, whose first word is the index of the record. */
const INLINE_PAGE = INLINE + 8;
const PAGE_WORDS = 4096;

function isFenced(view: BlockView): boolean {
  return (view.get(BLOCK_FLAGS) & FLAG_FENCE) !== 0;
}

/** Throws what a part throws at operation `index`. */
export function checkCounter(value: number, amount: number, index: number): void {
  if (((value % 5) + 5) % 5 !== amount) return;
  throw Object.assign(new SqlError('raised', `operation ${index}: counter is ${value}`), { statement: index, row: 1 });
}

export class CounterRunner implements PartRunner {
  readonly counters: Int32Array;
  /** Called in a long operation: true when the part shall give up. */
  onLong: () => boolean = () => false;
  onFence: (view: BlockView) => void = () => {};
  readonly memory: BlockMemory;
  private readonly rows: readonly Int32Array[];
  private readonly node: number;
  private readonly nodeCount: number;
  private readonly undoCounters: number[] = [];
  private readonly undoValues: number[] = [];
  /** Absolute position of the first undo entry kept. */
  private undoBase = 0;
  private readonly redoPage: number;
  private readonly redoSlots: number;
  private redoPosition = 0;
  private redoReleased = 0;
  /** Undo and redo before the part that is being run. */
  private partMark = 0;
  private partRedo = 0;
  /** State by mark, to check that a rollback brings it back. */
  private readonly copies: Map<number, Int32Array> = new Map();
  /** Checksum of the inputs of a ticket's first attempt. */
  private readonly inputs: Map<number, number> = new Map();

  /** @param rows the counters of all nodes */
  constructor(memory: BlockMemory, rows: readonly Int32Array[], node: number, slotCount: number) {
    this.memory = memory;
    this.rows = rows;
    this.counters = rows[node]!;
    this.node = node;
    this.nodeCount = rows.length;
    this.redoSlots = slotCount + 1;
    this.redoPage = memory.allocate(Math.ceil((this.redoSlots * REDO_STRIDE) / 16384));
  }

  run(view: BlockView, part: number, ticket: number): number {
    this.checkInputs(view, part, ticket);
    this.partMark = this.undoMark();
    this.partRedo = this.redoPosition;
    if (!this.copies.has(this.partMark)) this.copies.set(this.partMark, this.counters.slice());
    view.words[part + PART_PROFILE_START] = 0;
    view.words[part + INLINE_PAGE] = 0;
    return this.runStep(view, part, ticket, 0);
  }

  runStep(view: BlockView, part: number, _ticket: number, step: number): number {
    const words = view.words;
    const first = view.base + BLOCK_USER;
    const count = words[first]!;
    const isFence = isFenced(view);
    words[part + INLINE + step] = 0;
    for (let index = 0; index < count; index++) {
      const at = first + 1 + index * 4;
      if (words[at + 2]! >> 8 !== step || (!isFence && (words[at]! & 0xff) !== this.node)) continue;
      if (!this.runOperation(view, part, step, index, at)) return PART_INTERRUPTED;
    }
    words[part + PART_PROFILE_START] = (words[part + PART_PROFILE_START]! + words[part + INLINE + step]!) | 0;
    const changeCount = this.undoMark() - this.partMark;
    if (changeCount === 0) return 0;
    this.writeRedo(words, part, changeCount);
    return PART_WROTE | PART_REDO;
  }

  awaitedCount(view: BlockView, step: number): number {
    let count = 0;
    for (let nodes = this.awaited(view, step); nodes !== 0; nodes &= nodes - 1) count++;
    return count;
  }

  isAwaited(view: BlockView, step: number): boolean {
    return ((this.awaited(view, step) >> this.node) & 1) === 1;
  }

  runMiddle(view: BlockView, step: number): number {
    const words = view.words;
    const shape = view.get(BLOCK_USER + 29);
    const stepCount = shape & 15;
    const own = view.part(this.nodeCount);
    let found = 0;
    for (let each = 0; each <= step; each++) {
      for (let node = 0; node < this.nodeCount; node++) {
        if (((this.awaited(view, each) >> node) & 1) === 1)
          found = (found + words[view.part(node) + INLINE + each]!) | 0;
      }
    }
    if ((shape & 32) !== 0) {
      if (words[own + PART_RESULT_PAGE] === 0) words[own + PART_RESULT_PAGE] = this.memory.allocate(1);
      if (this.onLong()) return MIDDLE_INTERRUPTED;
    }
    for (let node = 0; node < this.nodeCount; node++) {
      if (((this.awaited(view, step) >> node) & 1) === 1) this.checkPage(words, view.part(node));
    }
    if (found % MIDDLE_DIVISOR === 0) throw new SqlError('zero_division', `step ${step} found ${found}`);
    words[own + INLINE + step] = found;
    if (step === stepCount - 1) return MIDDLE_END;
    return step === stepCount - 2 && (shape & 16) === 0 ? MIDDLE_LAST : MIDDLE_STEP;
  }

  discardMiddle(view: BlockView): void {
    this.discardResult(view, view.part(this.nodeCount));
  }

  /** The worker of a fence, or the owner of what changes where all stand; -2 in other requests. */
  fenceWorker(view: BlockView): number {
    return (view.get(BLOCK_USER + 29) >> 8) - 2;
  }

  runTail(view: BlockView): void {
    let sum = 0;
    for (let node = 0; node < this.nodeCount; node++) {
      const part = view.part(node);
      if (!view.hasNode(node) || view.words[part + PART_STATE] !== PART_STATE_OK) continue;
      sum = (sum + view.words[part + PART_PROFILE_START]!) | 0;
    }
    if (sum % TAIL_DIVISOR === 0) throw new SqlError('zero_division', `the sum is ${sum}`);
  }

  discardResult(view: BlockView, part: number): void {
    const page = view.words[part + PART_RESULT_PAGE]!;
    if (page !== 0) this.memory.free(page, 1);
    view.words[part + PART_RESULT_PAGE] = 0;
  }

  undoMark(): number {
    return this.undoBase + this.undoCounters.length;
  }

  redoMark(): number {
    return this.redoPosition;
  }

  rollbackTo(undoMark: number, redoMark: number): void {
    assert(undoMark >= this.undoBase, 'what is undone has not been released');
    while (this.undoMark() > undoMark) this.counters[this.undoCounters.pop()!] = this.undoValues.pop()!;
    this.redoPosition = redoMark;
    for (const mark of this.copies.keys()) if (mark > undoMark) this.copies.delete(mark);
    const copy = this.copies.get(undoMark);
    if (copy === undefined) return;
    for (let at = 0; at < copy.length; at++) assert(copy[at] === this.counters[at], 'a rollback restores the state'); // invariant 8
  }

  release(undoMark: number, redoMark: number): void {
    assert(undoMark >= this.undoBase && redoMark >= this.redoReleased, 'releases go forward');
    this.undoCounters.splice(0, undoMark - this.undoBase);
    this.undoValues.splice(0, undoMark - this.undoBase);
    this.undoBase = undoMark;
    this.redoReleased = redoMark;
    for (const mark of this.copies.keys()) if (mark < undoMark) this.copies.delete(mark);
  }

  applyFence(view: BlockView): void {
    this.onFence(view);
  }

  /** False when it gave up. */
  private runOperation(view: BlockView, part: number, step: number, index: number, at: number): boolean {
    const words = view.words;
    const owner = words[at]! >> 8;
    const counter = words[at + 1]!;
    const amount = words[at + 3]!;
    const value = this.rows[owner]![counter]!;
    const kind = words[at + 2]! & 0xff;
    const sum = part + INLINE + step;
    if (kind === OPERATION_READ || kind === OPERATION_READ_SHARED) words[sum] = (words[sum]! + value) | 0;
    else if (kind === OPERATION_ADD) this.add(counter, amount);
    else if (kind === OPERATION_CHECK) checkCounter(value, amount, index);
    else if (kind === OPERATION_LONG) return this.stayLong(view, step);
    else if (kind === OPERATION_ADD_FOUND) this.add(counter, words[view.part(this.nodeCount) + INLINE + step - 1]!);
    else if (kind === OPERATION_READ_PEER)
      words[sum] = (words[sum]! + words[view.part(owner) + INLINE + step - 1]!) | 0;
    else if (kind === OPERATION_PAGE && words[part + PART_RESULT_PAGE] === 0) {
      words[part + PART_RESULT_PAGE] = this.memory.allocate(1);
    }
    return true;
  }

  /** What this part may read must not change while it runs, whatever other nodes do. */
  private stayLong(view: BlockView, step: number): boolean {
    const firstKept = isFenced(view) ? 0 : this.counters.length - SHARED_COUNT;
    const owner = isFenced(view) || step === 0 ? this.node : this.fenceWorker(view);
    const before = this.rows.map((row) => row.slice(firstKept));
    const isOver = this.onLong();
    before.forEach((row, node) => {
      // Who is at the same ticket as an owner that changes them reads none of its counters.
      if (node === owner && node !== this.node) return;
      row.forEach((value, at) => {
        assert(this.rows[node]![firstKept + at] === value, 'what a part reads stands still'); // invariant 10
      });
    });
    return !isOver;
  }

  /** What an awaited part has left stays as it is for as long as others may read it. */
  private checkPage(words: Int32Array, part: number): void {
    const page = words[part + INLINE_PAGE]!;
    assert(page === 0 || this.memory.i32[0]![page * PAGE_WORDS] === part, 'a page that is read has not been freed');
  }

  private awaited(view: BlockView, step: number): number {
    return (view.get(BLOCK_USER + 30) >>> (step * 8)) & 0xff;
  }

  /** Invariant 5: a rerun has the inputs of the first run. */
  private checkInputs(view: BlockView, part: number, ticket: number): void {
    let checksum = 0;
    for (let word = BLOCK_USER; word < BLOCK_USER + 32; word++)
      checksum = (Math.imul(checksum, 31) + view.get(word)) | 0;
    for (let node = 0; node < this.nodeCount; node++) checksum = (checksum * 2 + (view.hasNode(node) ? 1 : 0)) | 0;
    if (view.words[part + PART_ATTEMPT] !== 0 && this.inputs.has(ticket)) {
      assert(this.inputs.get(ticket) === checksum, 'a rerun has the same inputs'); // invariant 5
    }
    this.inputs.set(ticket, checksum);
  }

  private add(counter: number, amount: number): void {
    this.undoCounters.push(counter);
    this.undoValues.push(this.counters[counter]!);
    this.counters[counter] = (this.counters[counter]! + amount) | 0;
  }

  /** Entries of (node << 16 | counter, new value); those of all steps together. */
  private writeRedo(words: Int32Array, part: number, changeCount: number): void {
    assert(this.partRedo - this.redoReleased < this.redoSlots, 'redo in flight fits');
    const byte = (this.partRedo % this.redoSlots) * REDO_STRIDE;
    const ref = this.redoPage * 1024 + byte / 16;
    const target = this.memory.i32[0]!;
    for (let index = 0; index < changeCount; index++) {
      const counter = this.undoCounters[this.undoCounters.length - changeCount + index]!;
      target[ref * 4 + index * 2] = (this.node << 16) | counter;
      target[ref * 4 + index * 2 + 1] = this.counters[counter]!;
    }
    this.redoPosition = this.partRedo + 1;
    words[part + PART_REDO_REF] = ref;
    words[part + PART_REDO_BYTES] = changeCount * REDO_ENTRY_BYTES;
    words[part + PART_REDO_OPERATIONS] = changeCount;
  }
}
