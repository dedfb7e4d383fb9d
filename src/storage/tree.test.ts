/** Trees and hash indexes with many entries: splits and joins on several levels, and undo in the midst of them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Memory } from '../base/memory.ts';
import type { TableDefinition } from '../catalog/catalog.ts';
import { BIGINT, INT, TEXT } from '../types/type.ts';
import { TreeCursor } from './cursor.ts';
import { Cases, column, index, newPartition, Rows, smallMemory, table } from './fixtures.ts';
import type { Partition } from './partition.ts';
import { UndoLog } from './undo.ts';
import { checksum, verify } from './verify.ts';

const COLUMNS = [column('id', BIGINT, true), column('k', INT), column('s', TEXT)];

class Subject {
  readonly definition: TableDefinition;
  readonly partition: Partition;
  readonly undo: UndoLog;
  readonly rows: Rows;

  constructor(definition: TableDefinition, memory: Memory = smallMemory()) {
    this.definition = definition;
    this.rows = new Rows(memory);
    this.partition = newPartition(memory, definition);
    this.undo = new UndoLog(memory);
  }

  /** Inserts rows of those ids; k repeats, and texts share their first bytes. */
  insert(ids: readonly number[]): void {
    for (let first = 0; first < ids.length; first += 300) {
      const part = ids.slice(first, first + 300);
      const batch = this.rows.batch(
        this.definition,
        part.map((id) => [id, id % 7 === 0 ? null : id % 13, `the same text ${id % 1000}`]),
      );
      for (let ordinal = 0; ordinal < part.length; ordinal++) {
        assert.ok(this.partition.insertFromBatch(batch, ordinal, this.undo) >= 0);
      }
    }
  }

  rowOf(id: number): number {
    return this.partition.findPrimary(this.rows.registers([BIGINT], [id]), 0);
  }

  delete(ids: readonly number[]): void {
    for (const id of ids) this.partition.delete(this.rowOf(id), this.undo);
  }

  nodePages(): number {
    return this.partition.nodeHeap.pageCount();
  }
}

function shuffled(count: number, cases: Cases): number[] {
  const ids = Array.from({ length: count }, (_, id) => id);
  for (let at = count - 1; at > 0; at--) {
    const other = cases.below(at + 1);
    [ids[at], ids[other]] = [ids[other]!, ids[at]!];
  }
  return ids;
}

const PLAIN = table(COLUMNS, [index(1, [0], { isPrimary: true })]);
const DESCENDING = table(COLUMNS, [index(1, [-1], { isPrimary: true }), index(2, [-2])]);
const TEXTS = table(COLUMNS, [
  index(1, [0], { isPrimary: true, method: 'hash' }),
  index(2, [2]),
  index(3, [1], { method: 'hash' }),
]);

test('100,000 keys in random order come out sorted, and go', () => {
  const cases = new Cases(1);
  const subject = new Subject(PLAIN);
  const ids = shuffled(100_000, cases);
  subject.insert(ids);
  subject.undo.release(subject.undo.mark());
  verify(subject.partition);
  const cursor = new TreeCursor();
  const bounds = {
    index: 0,
    equalRegister: 0,
    equalCount: 0,
    lowerRegister: 0,
    isLowerInclusive: true,
    upperRegister: 1,
    isUpperInclusive: false,
    isDescending: false,
  }; // prettier-ignore
  const registers = subject.rows.registers([BIGINT, BIGINT], [10_000, 60_000]);
  let expected = 10_000;
  for (let has = cursor.open(subject.partition, bounds, registers); has; has = cursor.next()) {
    assert.equal(subject.partition.readInt64Low(cursor.row, 0), expected++);
  }
  assert.equal(expected, 60_000);
  for (
    let has = cursor.open(subject.partition, { ...bounds, isDescending: true }, registers);
    has;
    has = cursor.next()
  ) {
    assert.equal(subject.partition.readInt64Low(cursor.row, 0), --expected);
  }
  assert.equal(expected, 10_000);
  const blocks = subject.partition.nodeHeap.blockCount();
  subject.delete(ids.slice(0, 98_000));
  subject.undo.release(subject.undo.mark());
  verify(subject.partition);
  const left = subject.partition.nodeHeap.blockCount();
  assert.ok(left < blocks / 5, `${left} of ${blocks} nodes are left`);
  subject.delete(ids.slice(98_000));
  subject.undo.release(subject.undo.mark());
  verify(subject.partition);
  assert.equal(subject.partition.nodeHeap.blockCount(), 1);
});

test('ascending keys fill the leaves', () => {
  const subject = new Subject(PLAIN);
  subject.insert(Array.from({ length: 50_000 }, (_, id) => id));
  const leaves = Math.ceil(50_000 / 81);
  // Leaves, and a page or two of inner nodes.
  assert.ok(subject.nodePages() <= Math.ceil(leaves / 16) + 2);
});

for (const [name, definition] of Object.entries({ PLAIN, DESCENDING, TEXTS })) {
  test(`${name}: rollback across splits and joins finds room, and restores`, () => {
    const cases = new Cases(name.length);
    const subject = new Subject(definition);
    const { partition, undo } = subject;
    let present: number[] = [];
    let next = 0;
    let open: { mark: number; present: number[]; sum: string; releases: number }[] = [];
    let releases = 0;
    for (let step = 0; step < 150; step++) {
      open.push({ mark: undo.mark(), present: present.slice(), sum: checksum(partition), releases });
      const size = 1 + cases.below(cases.pick([10, 400, 2000]));
      if (present.length < 9000 && cases.oneIn(2)) {
        const added = Array.from({ length: size }, () => next++ * (cases.oneIn(2) ? 1 : -1));
        subject.insert(added);
        present.push(...added);
      } else if (cases.oneIn(2)) {
        // A stretch of keys: leaves become empty.
        present.sort((a, b) => a - b);
        subject.delete(present.splice(cases.below(present.length + 1), size));
      } else {
        for (let count = 0; count < size && present.length > 0; count++) {
          const at = cases.below(present.length);
          subject.delete([present[at]!]);
          present[at] = present.at(-1)!;
          present.pop();
        }
      }
      if (cases.oneIn(3)) {
        const kept = 1 + cases.below(open.length);
        open = open.slice(kept);
        undo.release(open[0]?.mark ?? undo.mark());
        releases++;
      }
      if (open.length > 0 && cases.oneIn(4)) {
        const target = open[cases.below(open.length)]!;
        open = open.slice(0, open.indexOf(target));
        undo.rollbackTo(target.mark);
        present = target.present;
        if (target.releases === releases) assert.equal(checksum(partition), target.sum);
        assert.equal(partition.rowCount, present.length);
      }
    }
    undo.release(undo.mark());
    verify(partition);
    assert.ok(present.every((id) => subject.rowOf(id) >= 0));
  });
}

test('a rollback of all deletes of a large tree restores it', () => {
  const cases = new Cases(4);
  const subject = new Subject(TEXTS);
  const ids = shuffled(20_000, cases);
  subject.insert(ids);
  subject.undo.release(subject.undo.mark());
  const sum = checksum(subject.partition);
  const mark = subject.undo.mark();
  subject.delete(shuffled(20_000, cases));
  subject.insert(ids.map((id) => id + 50_000));
  subject.undo.rollbackTo(mark);
  assert.equal(checksum(subject.partition), sum);
  verify(subject.partition);
});

test('cursors of several partitions compare by key, whatever decides it', () => {
  // Keys: two words with NULL, texts with one prefix, and a descending column before a text.
  const indexes = [index(1, [0], { isPrimary: true }), index(2, [1]), index(3, [2]), index(4, [-2, 2])];
  const cases = new Cases(8);
  const ks = [null, -(2n ** 63n), 2n ** 63n - 1n, 0n, -5n, 5n];
  const definition = table([column('id', BIGINT, true), column('k', BIGINT), column('s', TEXT)], indexes);
  const memory = smallMemory();
  const subjects = [new Subject(definition, memory), new Subject(definition, memory)];
  const keys = subjects.map((subject, which) => {
    const values = Array.from(
      { length: 60 },
      (_, id) => [id * 2 + which, cases.pick(ks), `prefix of ${cases.below(9)}`] as const,
    );
    const batch = subject.rows.batch(definition, values);
    values.forEach((_, ordinal) => {
      assert.equal(subject.partition.insertFromBatch(batch, ordinal, subject.undo), ordinal);
    });
    return values;
  });
  const order = (a: string | bigint | null, b: string | bigint | null): number => {
    if (a === null || b === null) return Number(b === null) - Number(a === null);
    return a === b ? 0 : a < b ? -1 : 1;
  };
  const expected = [
    (a: number, b: number) => order(keys[0]![a]![1], keys[1]![b]![1]),
    (a: number, b: number) => order(keys[0]![a]![2], keys[1]![b]![2]),
    (a: number, b: number) => -order(keys[0]![a]![1], keys[1]![b]![1]) || order(keys[0]![a]![2], keys[1]![b]![2]),
  ];
  expected.forEach((compare, at) => {
    const bounds = {
      index: at + 1,
      equalRegister: 0,
      equalCount: 0,
      lowerRegister: -1,
      isLowerInclusive: true,
      upperRegister: -1,
      isUpperInclusive: true,
      isDescending: false,
    }; // prettier-ignore
    const [left, right] = [new TreeCursor(), new TreeCursor()];
    const registers = subjects[0]!.rows.registers([], []);
    for (let has = left.open(subjects[0]!.partition, bounds, registers); has; has = left.next()) {
      for (let other = right.open(subjects[1]!.partition, bounds, registers); other; other = right.next()) {
        assert.equal(Math.sign(left.compare(right)), compare(left.row, right.row));
      }
    }
  });
});

test('positions of removals wrap with the undo position', () => {
  const subject = new Subject(PLAIN);
  const { undo } = subject;
  // The stamp is 32 bits of a position that never ends; both sides of 2^31 have to work.
  for (const start of [2 ** 31 - 300, 2 ** 32 - 300]) {
    const jumped = new UndoLog(subject.partition.memory, start);
    const ids = Array.from({ length: 2000 }, (_, id) => id);
    for (const id of ids) {
      const batch = subject.rows.batch(PLAIN, [[id, 1, 'x']]);
      subject.partition.insertFromBatch(batch, 0, jumped);
      if (id % 50 === 0) jumped.release(jumped.mark());
    }
    for (const id of ids) subject.partition.delete(subject.rowOf(id), jumped);
    jumped.release(jumped.mark());
    verify(subject.partition);
    assert.equal(subject.partition.nodeHeap.blockCount(), 1);
    jumped.dispose();
  }
  assert.ok(undo.isEmpty());
});
