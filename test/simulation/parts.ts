/**
 * Threads in the middle of a part: where a part begins and ends, and where it goes on to another row, the scheduler may let
 * others run, as an operating system may, and a part may give up for a rollback. And who is inside of a part at each moment, so that invariant 10 can be checked: while
 * a node works in a plain fence, or undoes what it wrote in one, no other node is inside of a part.
 */

import { strict as assert } from 'node:assert';
import type { NodeRunner } from '../../src/engine/node/node-runner.ts';
import type { Control } from '../../src/executor/control.ts';
import { FLAG_FENCE, FLAG_ROUNDS, SLOT_FLAGS } from '../../src/executor/layout.ts';
import { PART_INTERRUPTED, type PartRunner } from '../../src/executor/part-runner.ts';
import { Cursor } from '../../src/vm/node/cursor.ts';
import { NodeVm } from '../../src/vm/node/node-vm.ts';

/** Where a part goes on to another row; set by the machine that is in use. */
let atRow: () => void = () => {};
let isPolling: () => boolean = () => false;

for (const name of ['nextScan', 'nextRange', 'nextList'] as const) {
  const next: (...given: never[]) => boolean = Cursor.prototype[name];
  Object.assign(Cursor.prototype, {
    [name](this: Cursor, ...given: never[]): boolean {
      atRow();
      return next.apply(this, given);
    },
  });
}

/** Parts ask every few thousand rows whether to give up; here any row may be that one. */
const { countRows } = NodeVm.prototype;
NodeVm.prototype.countRows = function (this: NodeVm, rowCount: number): void {
  if (isPolling()) Object.assign(this, { rowsToPoll: 0 });
  countRows.call(this, rowCount);
};

/** What a node runs of a ticket, beside the start of it. */
const PARTS = ['runStep', 'runMiddle', 'runTail'] as const;

/** What the scheduler does with parts. */
export type PartPoints = {
  /** Others may run, inside of it. */
  readonly onPoint: (isRow: boolean) => void;
  /** Whether a part asks now if it is to give up. */
  readonly isPolling: () => boolean;
};

export class PartWatch {
  private readonly control: Control;
  private readonly onPoint: PartPoints['onPoint'];
  private readonly inside: Set<number> = new Set();
  /** Parts that gave up for a rollback; in a fence, and at a ticket with rounds. */
  readonly interrupted: { all: number; inFences: number; inRounds: number } = { all: 0, inFences: 0, inRounds: 0 };

  constructor(control: Control, points: PartPoints) {
    this.control = control;
    this.onPoint = points.onPoint;
    isPolling = points.isPolling;
    atRow = () => {
      if (this.inside.size > 0) this.onPoint(true);
    };
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

  private attach(runner: PartRunner, node: number): void {
    /** What it wrote in fences: where undo was before and behind it. */
    const written: { readonly before: number; readonly behind: number }[] = [];
    const run = runner.run.bind(runner);
    runner.run = (view, part, ticket) => {
      const flags = this.control.words[this.control.slotOf(ticket) + SLOT_FLAGS]!;
      const runInside = (): number => this.isInside(node, () => this.counted(flags, run(view, part, ticket)));
      if ((flags & FLAG_FENCE) === 0) return runInside();
      const before = runner.undoMark();
      this.checkAlone(node);
      try {
        return runInside();
      } finally {
        this.checkAlone(node);
        if (runner.undoMark() > before) written.push({ before, behind: runner.undoMark() });
      }
    };
    const rollbackTo = runner.rollbackTo.bind(runner);
    runner.rollbackTo = (undoMark, redoMark) => {
      let isOverFence = false;
      while (written.length > 0 && written.at(-1)!.before >= undoMark) {
        if (written.pop()!.behind <= runner.undoMark()) isOverFence = true;
      }
      if (isOverFence) this.checkAlone(node);
      this.onPoint(false);
      rollbackTo(undoMark, redoMark);
      if (isOverFence) this.checkAlone(node);
    };
    const more = runner as unknown as { -readonly [Name in (typeof PARTS)[number]]?: (...given: never[]) => never };
    for (const name of PARTS) {
      const part = more[name];
      if (part !== undefined) more[name] = (...given) => this.isInside(node, () => part.apply(runner, given));
    }
  }

  private counted(flags: number, result: number): number {
    if ((result & PART_INTERRUPTED) === 0) return result;
    this.interrupted.all++;
    if ((flags & FLAG_FENCE) !== 0) this.interrupted.inFences++;
    if ((flags & FLAG_ROUNDS) !== 0) this.interrupted.inRounds++;
    return result;
  }

  private isInside<Result>(node: number, part: () => Result): Result {
    // A tail may be run by a part that is going on.
    const isOuter = !this.inside.has(node);
    this.inside.add(node);
    try {
      this.onPoint(false);
      const result = part();
      this.onPoint(false);
      return result;
    } finally {
      if (isOuter) this.inside.delete(node);
    }
  }

  private checkAlone(node: number): void {
    const others = [...this.inside].filter((other) => other !== node);
    assert.deepEqual(others, [], 'in a fence, and when one is undone, no other node is inside of a part');
  }
}
