/**
 * Threads in the middle of a part: where a part begins and ends, and where it goes on to another row, the scheduler may let
 * others run, as an operating system may, and a part may give up for a rollback. And who is inside of a part at each moment, so that
 * invariant 10 can be checked: while a node changes what all read, or undoes that, no other node reads it. In a plain
 * fence no other node is inside of a part then; at a ticket with FLAG_STANDS none of another ticket, and no part reads a
 * shared table that belongs to another node.
 */

import { strict as assert } from 'node:assert';
import { SHARED_OWNER_NODE } from '../../src/catalog/catalog.ts';
import type { NodeRunner } from '../../src/engine/node/node-runner.ts';
import type { Control } from '../../src/executor/control.ts';
import {
  CONTROL_EPOCH,
  CONTROL_RESUME,
  CONTROL_ROLLBACK,
  FLAG_FENCE,
  FLAG_ROUNDS,
  FLAG_STANDS,
  ROLLBACK_ABORT,
  SLOT_FLAGS,
} from '../../src/executor/layout.ts';
import { PART_INTERRUPTED } from '../../src/executor/part-runner.ts';
import { Cursor } from '../../src/vm/node/cursor.ts';
import { NodeVm } from '../../src/vm/node/node-vm.ts';

/** Where a part goes on to another row; set by the machine that is in use. */
let atRow: () => void = () => {};
/** Where it has come to a row of a shared table that another node owns. */
let atForeignRow: () => void = () => {};
let isPolling: () => boolean = () => false;

for (const name of ['nextScan', 'nextRange', 'nextList'] as const) {
  const next: (...given: never[]) => boolean = Cursor.prototype[name];
  Object.assign(Cursor.prototype, {
    [name](this: Cursor, ...given: never[]): boolean {
      atRow();
      const isAtRow = next.apply(this, given);
      if (isAtRow && this.partition.isForeign) atForeignRow();
      return isAtRow;
    },
  });
}

/** Parts ask every few thousand rows whether to give up; here any row may be that one. */
const { countRows } = NodeVm.prototype;
NodeVm.prototype.countRows = function (this: NodeVm, rowCount: number): void {
  if (isPolling()) Object.assign(this, { rowsToPoll: 0 });
  countRows.call(this, rowCount);
};

/** What the scheduler does with parts. */
export type PartPoints = {
  /** Others may run, inside of it. */
  readonly onPoint: (isRow: boolean) => void;
  /** Whether a part asks now if it is to give up. */
  readonly isPolling: () => boolean;
};

/** What a node does at a ticket with FLAG_STANDS, and what rollbacks meet there, until a machine is over. */
export type StandingCounts = {
  /** Parts that failed, of the owner of shared tables and of others; tails that failed. */
  failedByOwner: number;
  failedByOthers: number;
  failedInTail: number;
  /** Rollbacks that began while the owner changed what all read; and that undid it when it had. */
  abortsAtWork: number;
  replaysAtWork: number;
  abortsBehindWork: number;
  replaysBehindWork: number;
  /** Steps that gave up. */
  interrupted: number;
};

/** What a node wrote that all read: where undo was before and behind it. */
type SharedWrite = {
  readonly ticket: number;
  readonly before: number;
  readonly behind: number;
  /** Of a part with FLAG_STANDS that was done when no rollback had begun. */
  readonly isDone: boolean;
};

/** A node that changes what all read, or undoes it. */
type Work = { readonly node: number; readonly ticket: number; readonly isFence: boolean };

type Runner = InstanceType<typeof NodeRunner>;

export class PartWatch {
  private readonly control: Control;
  private readonly onPoint: PartPoints['onPoint'];
  /** Nodes inside of a part, with their tickets. */
  private readonly inside: Map<number, number> = new Map();
  /** By node: the ticket that it came to last. */
  private readonly tickets: number[] = [];
  private work: Work | undefined;
  /** Parts that gave up for a rollback; in a fence, and at a ticket with rounds. */
  readonly interrupted: { all: number; inFences: number; inRounds: number } = { all: 0, inFences: 0, inRounds: 0 };
  readonly standing: StandingCounts = {
    failedByOwner: 0,
    failedByOthers: 0,
    failedInTail: 0,
    abortsAtWork: 0,
    replaysAtWork: 0,
    abortsBehindWork: 0,
    replaysBehindWork: 0,
    interrupted: 0,
  };

  constructor(control: Control, points: PartPoints) {
    this.control = control;
    this.onPoint = points.onPoint;
    isPolling = points.isPolling;
    atRow = () => {
      if (this.inside.size > 0) this.onPoint(true);
    };
    atForeignRow = () => {
      assert.equal(this.work, undefined, 'nobody reads what all read while its owner changes or undoes it');
    };
  }

  /** A node changes, or undoes, what all read, while others are at the same ticket. */
  get isOwnerAtWork(): boolean {
    return this.work !== undefined && !this.work.isFence;
  }

  /** A runner that says what it does; `Base` may be a broken one. */
  watched(Base: typeof NodeRunner): typeof NodeRunner {
    const watch = this;
    return class extends Base {
      constructor(...given: ConstructorParameters<typeof NodeRunner>) {
        super(...given);
        watch.attach(this, given[2]);
      }
    };
  }

  private attach(runner: Runner, node: number): void {
    const written: SharedWrite[] = [];
    const run = runner.run.bind(runner);
    runner.run = (view, part, ticket) => {
      this.tickets[node] = ticket;
      const flags = this.flagsOf(ticket);
      const runInside = (): number =>
        this.isInside(node, () => this.counted(node, flags, () => run(view, part, ticket)));
      return (flags & FLAG_FENCE) === 0 ? runInside() : this.changing(runner, node, ticket, written, runInside);
    };
    const runStep = runner.runStep.bind(runner);
    runner.runStep = (view, part, ticket, step) => {
      const flags = this.flagsOf(ticket);
      const runInside = (): number =>
        this.isInside(node, () => this.counted(node, flags, () => runStep(view, part, ticket, step)));
      const isChange = (flags & FLAG_STANDS) !== 0 && node === SHARED_OWNER_NODE;
      return isChange ? this.changing(runner, node, ticket, written, runInside) : runInside();
    };
    const runMiddle = runner.runMiddle.bind(runner);
    runner.runMiddle = (view, step) => this.isInside(node, () => runMiddle(view, step));
    const runTail = runner.runTail.bind(runner);
    runner.runTail = (view) => {
      try {
        this.isInside(node, () => runTail(view));
      } catch (error) {
        if ((this.flagsOf(this.tickets[node]!) & FLAG_STANDS) !== 0) this.standing.failedInTail++;
        throw error;
      }
    };
    const rollbackTo = runner.rollbackTo.bind(runner);
    runner.rollbackTo = (undoMark, redoMark) => {
      let undone: SharedWrite | undefined;
      while (written.length > 0 && written.at(-1)!.before >= undoMark) {
        const write = written.pop()!;
        if (write.behind > runner.undoMark()) continue;
        undone = write;
        if (write.isDone && this.isRollingBack()) this.standing[`${this.rollbackKind()}BehindWork`]++;
      }
      const undo = (): void => {
        this.onPoint(false);
        rollbackTo(undoMark, redoMark);
      };
      if (undone === undefined) undo();
      else this.alone({ node, ticket: undone.ticket, isFence: this.isFence(undone.ticket) }, undo);
    };
  }

  /** A part in which a node changes what all read. */
  private changing(
    runner: Runner,
    node: number,
    ticket: number,
    written: SharedWrite[],
    runPart: () => number,
  ): number {
    const isFence = this.isFence(ticket);
    const before = runner.undoMark();
    const wasRollingBack = this.isRollingBack();
    let isWhole = false;
    try {
      const result = this.alone({ node, ticket, isFence }, runPart);
      isWhole = (result & PART_INTERRUPTED) === 0;
      return result;
    } finally {
      const isMet = !wasRollingBack && this.isRollingBack();
      if (isMet && !isFence) this.standing[`${this.rollbackKind()}AtWork`]++;
      const behind = runner.undoMark();
      if (behind > before) written.push({ ticket, before, behind, isDone: isWhole && !isMet && !isFence });
    }
  }

  private alone<Result>(work: Work, run: () => Result): Result {
    this.checkAlone(work);
    const outer = this.work;
    this.work = work;
    try {
      return run();
    } finally {
      this.work = outer;
      this.checkAlone(work);
    }
  }

  private flagsOf(ticket: number): number {
    return this.control.words[this.control.slotOf(ticket) + SLOT_FLAGS]!;
  }

  private isFence(ticket: number): boolean {
    return (this.flagsOf(ticket) & FLAG_FENCE) !== 0;
  }

  private isRollingBack(): boolean {
    const { words } = this.control;
    return Atomics.load(words, CONTROL_EPOCH) !== Atomics.load(words, CONTROL_RESUME);
  }

  private rollbackKind(): 'aborts' | 'replays' {
    return Atomics.load(this.control.words, CONTROL_ROLLBACK) === ROLLBACK_ABORT ? 'aborts' : 'replays';
  }

  private counted(node: number, flags: number, run: () => number): number {
    const stands = (flags & FLAG_STANDS) !== 0;
    let result = 0;
    try {
      result = run();
    } catch (error) {
      if (stands) this.standing[node === SHARED_OWNER_NODE ? 'failedByOwner' : 'failedByOthers']++;
      throw error;
    }
    if ((result & PART_INTERRUPTED) === 0) return result;
    this.interrupted.all++;
    if ((flags & FLAG_FENCE) !== 0) this.interrupted.inFences++;
    if ((flags & FLAG_ROUNDS) !== 0) this.interrupted.inRounds++;
    if (stands) this.standing.interrupted++;
    return result;
  }

  private isInside<Result>(node: number, part: () => Result): Result {
    // A tail may be run by a part that is going on.
    const isOuter = !this.inside.has(node);
    this.inside.set(node, this.tickets[node]!);
    try {
      if (this.work !== undefined && this.work.node !== node) this.checkAlone(this.work);
      this.onPoint(false);
      const result = part();
      this.onPoint(false);
      return result;
    } finally {
      if (isOuter) this.inside.delete(node);
    }
  }

  private checkAlone({ node, ticket, isFence }: Work): void {
    const others = [...this.inside].filter(([other, its]) => other !== node && (isFence || its !== ticket));
    const where = isFence
      ? 'in a fence, and when one is undone,'
      : 'where an owner changes what all read, or undoes it,';
    assert.deepEqual(others, [], `${where} no other node is inside of a part${isFence ? '' : ' of another ticket'}`);
  }
}
