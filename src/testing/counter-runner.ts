/**
 * A database for tests of the executor: each node has a row of int32 counters, and a request is up to seven operations on
 * them, in the frontend's own words of its request block:
 *
 *   word BLOCK_USER            operation count
 *   word BLOCK_USER + 1 + 4 i  node, counter, kind, amount of operation i
 *
 * A part does those of its node, in order; the sum of what it read is in word PART_PROFILE_START of its record.
 */

import { assert } from '../base/assert.ts';
import { SqlError } from '../base/errors.ts';
import {
  BLOCK_USER,
  PART_PROFILE_START,
  PART_REDO_BYTES,
  PART_REDO_OPERATIONS,
  PART_REDO_REF,
  PART_RESULT_PAGE,
} from '../executor/layout.ts';
import { PART_INTERRUPTED, PART_REDO, PART_WROTE, type PartRunner } from '../executor/node-loop.ts';
import type { BlockMemory, BlockView } from '../executor/request-block.ts';

export const OPERATION_READ = 0;
export const OPERATION_ADD = 1;
/** Fails when the counter mod 5 is the amount. */
export const OPERATION_CHECK = 2;
/** Takes long: others run meanwhile, and it may be interrupted. */
export const OPERATION_LONG = 3;
/** Allocates a result page. */
export const OPERATION_PAGE = 4;
export const OPERATION_COUNT_MAX = 7;

/** A tail fails when the sum of its parts' results is divisible by this. */
export const TAIL_DIVISOR = 7;

const REDO_ENTRY_BYTES = 8;
const REDO_STRIDE = 64;

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
  /** State by mark, to check that a rollback brings it back. */
  private readonly copies: Map<number, Int32Array> = new Map();

  constructor(memory: BlockMemory, counters: Int32Array, node: number, nodeCount: number, slotCount: number) {
    this.memory = memory;
    this.counters = counters;
    this.node = node;
    this.nodeCount = nodeCount;
    this.redoSlots = slotCount + 1;
    this.redoPage = memory.allocate(Math.ceil((this.redoSlots * REDO_STRIDE) / 16384));
  }

  run(view: BlockView, part: number): number {
    const words = view.words;
    const first = view.base + BLOCK_USER;
    const count = words[first]!;
    let sum = 0;
    const mark = this.undoMark();
    if (!this.copies.has(mark)) this.copies.set(mark, this.counters.slice());
    for (let index = 0; index < count; index++) {
      const at = first + 1 + index * 4;
      if (words[at] !== this.node) continue;
      const counter = words[at + 1]!;
      const amount = words[at + 3]!;
      const value = this.counters[counter]!;
      const kind = words[at + 2]!;
      if (kind === OPERATION_READ) sum = (sum + value) | 0;
      else if (kind === OPERATION_ADD) this.add(counter, amount);
      else if (kind === OPERATION_CHECK) checkCounter(value, amount, index);
      else if (kind === OPERATION_LONG) {
        if (this.onLong()) return PART_INTERRUPTED;
      } else if (words[part + PART_RESULT_PAGE] === 0) words[part + PART_RESULT_PAGE] = this.memory.allocate(1);
    }
    words[part + PART_PROFILE_START] = sum;
    const changeCount = this.undoMark() - mark;
    if (changeCount === 0) return 0;
    this.writeRedo(words, part, changeCount);
    return PART_WROTE | PART_REDO;
  }

  runTail(view: BlockView): void {
    let sum = 0;
    for (let node = 0; node < this.nodeCount; node++) {
      if (view.hasNode(node)) sum = (sum + view.words[view.part(node) + PART_PROFILE_START]!) | 0;
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

  private add(counter: number, amount: number): void {
    this.undoCounters.push(counter);
    this.undoValues.push(this.counters[counter]!);
    this.counters[counter]! += amount;
  }

  /** Entries of (node << 16 | counter, new value). */
  private writeRedo(words: Int32Array, part: number, changeCount: number): void {
    assert(this.redoPosition - this.redoReleased < this.redoSlots, 'redo in flight fits');
    const byte = (this.redoPosition % this.redoSlots) * REDO_STRIDE;
    const ref = this.redoPage * 1024 + byte / 16;
    const target = this.memory.i32[0]!;
    for (let index = 0; index < changeCount; index++) {
      const counter = this.undoCounters[this.undoCounters.length - changeCount + index]!;
      target[ref * 4 + index * 2] = (this.node << 16) | counter;
      target[ref * 4 + index * 2 + 1] = this.counters[counter]!;
    }
    this.redoPosition++;
    words[part + PART_REDO_REF] = ref;
    words[part + PART_REDO_BYTES] = changeCount * REDO_ENTRY_BYTES;
    words[part + PART_REDO_OPERATIONS] = changeCount;
  }
}
