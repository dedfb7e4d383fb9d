/** A partition through the eyes of a thread that only reads it, while its owner changes, releases, settles and snapshots it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Memory } from '../base/memory.ts';
import { INT, TEXT } from '../types/type.ts';
import { freezePartition, thawPartition } from './copy-on-write.ts';
import { TreeCursor } from './cursor.ts';
import { Cases, column, index, newPartition, Rows, readValue, table } from './fixtures.ts';
import { Partition } from './partition.ts';
import { SnapshotReader } from './snapshot.ts';
import { UndoLog } from './undo.ts';
import { verify } from './verify.ts';

const DEFINITION = table(
  [column('id', INT, true), column('n', INT), column('v', TEXT)],
  [index(1, [0], { method: 'hash', isPrimary: true }), index(2, [1]), index(3, [2, 0])],
);
const EVERYTHING = {
  equalRegister: 0,
  equalCount: 0,
  lowerRegister: -1,
  isLowerInclusive: false,
  upperRegister: -1,
  isUpperInclusive: false,
  isDescending: false,
};
const BATCH_ROWS = 150;

/** The owner of a partition, and another thread's memory and object of it. */
class Subject {
  readonly memory = Memory.create({ limitBytes: 1 << 28, eagerArenas: true });
  readonly rows = new Rows(this.memory);
  readonly undo = new UndoLog(this.memory);
  readonly owner: Partition = newPartition(this.memory, DEFINITION);
  readonly foreign: Partition;
  readonly model = new Map<number, { n: number; v: string }>();
  readonly #rowOf = new Map<number, number>();
  #snapshot: SnapshotReader | undefined;

  constructor() {
    this.owner.isReadByOthers = true;
    this.foreign = Partition.openForeign(Memory.open(this.memory.share()), DEFINITION, this.owner.definition);
  }

  insert(first: number, cases: Cases): void {
    const ids = Array.from({ length: BATCH_ROWS }, (_, at) => first + at).filter((id) => !this.model.has(id));
    const values = ids.map((id) => ({ id, n: cases.below(1000), v: 'value '.repeat(cases.below(20)) }));
    const batch = this.rows.batch(
      DEFINITION,
      values.map(({ id, n, v }) => [id, n, v]),
    );
    values.forEach(({ id, n, v }, at) => {
      this.#rowOf.set(id, this.owner.insertFromBatch(batch, at, this.undo));
      this.model.set(id, { n, v });
    });
  }

  update(first: number, cases: Cases): void {
    for (let id = first; id < first + BATCH_ROWS; id++) {
      const row = this.model.get(id);
      if (row === undefined) continue;
      row.v = `changed ${cases.below(100)}`;
      this.owner.update(this.#rowOf.get(id)!, [2], this.rows.registers([TEXT], [row.v]), 0, this.undo);
    }
  }

  remove(first: number, count: number): void {
    for (let id = first; id < first + count; id++) {
      if (!this.model.delete(id)) continue;
      this.owner.delete(this.#rowOf.get(id)!, this.undo);
    }
  }

  /** Begins a snapshot, or lets its reader finish it. */
  snapshot(): void {
    if (this.#snapshot !== undefined) {
      this.#snapshot.finish();
      this.#snapshot = undefined;
      while (!thawPartition(this.owner, 4));
      return;
    }
    this.undo.release(this.undo.mark());
    this.#snapshot = new SnapshotReader(this.memory, DEFINITION, freezePartition(this.owner, 1));
  }

  /** What the other thread sees: by a scan, by each index, by the key. */
  check(): void {
    const { foreign, model } = this;
    const seen = new Map<number, { n: number; v: string }>();
    const read = (row: number): void => {
      const [id, n, v] = [0, 1, 2].map((ordinal) => readValue(foreign, row, ordinal));
      seen.set(Number(id), { n: Number(n), v: v as string });
    };
    for (let row = foreign.nextLive(0); row >= 0; row = foreign.nextLive(row + 1)) read(row);
    assert.deepEqual(sorted(seen), sorted(model));
    for (const ordinal of [1, 2]) {
      seen.clear();
      const cursor = new TreeCursor();
      const bounds = { ...EVERYTHING, index: ordinal };
      let count = 0;
      for (let has = cursor.open(foreign, bounds, this.rows.registers([], [])); has; has = cursor.next()) {
        read(cursor.row);
        count++;
      }
      assert.equal(count, model.size);
      assert.deepEqual(sorted(seen), sorted(model));
    }
    for (const id of [0, 17, 3000]) {
      const row = foreign.findPrimary(this.rows.registers([INT], [id]), 0);
      assert.equal(row >= 0, model.has(id));
      if (row >= 0) assert.equal(Number(readValue(foreign, row, 0)), id);
    }
  }
}

function sorted(rows: ReadonlyMap<number, unknown>): unknown[] {
  return [...rows].sort(([a], [b]) => a - b);
}

test('after refresh() a reader sees what the owner has left; release and the end of a snapshot change nothing for it', () => {
  for (const seed of [1, 2]) {
    const cases = new Cases(seed);
    const subject = new Subject();
    const { undo, owner, foreign } = subject;
    let segmentCount = 0;
    for (let turn = 0; turn < 160; turn++) {
      // A fence: what was put off, and then a change.
      if (!cases.oneIn(4)) owner.settle();
      const first = turn < 60 ? turn * BATCH_ROWS : cases.below(9000);
      const kind = turn < 60 ? 0 : cases.below(4);
      if (kind === 0) subject.insert(first, cases);
      else if (kind === 1) subject.update(first, cases);
      else subject.remove(first, BATCH_ROWS * 8);
      segmentCount = Math.max(segmentCount, owner.segmentCount);
      // Parts of other nodes, in the middle of which the owner goes on.
      foreign.refresh();
      if (turn % 8 === 0) subject.check();
      if (cases.oneIn(3)) undo.release(undo.mark());
      if (cases.oneIn(10)) subject.snapshot();
      if (turn % 8 === 0) subject.check();
    }
    assert.ok(segmentCount >= 3, `${segmentCount} segments`);
    undo.release(undo.mark());
    subject.remove(0, 20_000);
    undo.release(undo.mark());
    foreign.refresh();
    assert.ok(owner.segmentCount > 1);
    owner.settle();
    foreign.refresh();
    assert.deepEqual([owner.segmentCount, foreign.segmentCount], [1, 1]);
    subject.check();
    verify(owner);
  }
});

test('a partition of another node cannot be changed', () => {
  const subject = new Subject();
  subject.insert(0, new Cases(1));
  subject.foreign.refresh();
  const row = subject.foreign.nextLive(0);
  assert.throws(() => subject.foreign.delete(row, new UndoLog(subject.foreign.memory)), /only its owner changes/);
});
