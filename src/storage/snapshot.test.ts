/**
 * Snapshots while rows change, in one thread: random writes, rollbacks and releases between random small steps of the reader.
 * What is read is the state at the freeze, the partition is what the model says, and nothing is left behind.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SqlError } from '../base/errors.ts';
import { PAGES_PER_ARENA } from '../base/limits.ts';
import type { Memory } from '../base/memory.ts';
import { ARENA_RESERVED_PAGES } from '../base/memory.ts';
import { BIGINT, BOOL, DOUBLE, INT, SMALLINT, TEXT, type TypeId, UUID } from '../types/type.ts';
import { CopyReserve, freezePartition, thawPartition, touchedRuns } from './copy-on-write.ts';
import { Cases, column, index, newPartition, Rows, readValue, smallMemory, table, type Value } from './fixtures.ts';
import { ROOT_SNAPSHOT, ROOT_VALUE_HEAP } from './layout.ts';
import { Partition } from './partition.ts';
import { BlockPacker } from './row-block.ts';
import { SnapshotReader } from './snapshot.ts';
import { UndoLog } from './undo.ts';
import { checksum, verify } from './verify.ts';

const TABLE = table(
  [
    column('id', BIGINT, true),
    column('b', BOOL),
    column('h', SMALLINT),
    column('i', INT),
    column('x', DOUBLE, true),
    column('s', TEXT),
    column('u', UUID),
    column('t', TEXT, true),
  ],
  [index(1, [0], { isPrimary: true, method: 'hash' }), index(2, [3]), index(3, [5, -1])],
); // prettier-ignore
const TYPES: readonly TypeId[] = TABLE.columns.map(({ type }) => type);
/** Word of the heap's state that says that a snapshot is on. */
const HEAP_IS_FROZEN = ROOT_VALUE_HEAP + 5;
const BATCH_ROWS = 100;

function randomValue(cases: Cases, type: TypeId): Value {
  if (type === BOOL) return BigInt(cases.below(2));
  if (type === SMALLINT) return BigInt(cases.below(65536) - 32768);
  if (type === INT || type === BIGINT) return BigInt(cases.below(2 ** 31) - 2 ** 30);
  if (type === DOUBLE) return cases.below(1000) / 8;
  if (type === UUID) return new Uint8Array(16).fill(cases.below(256));
  if (cases.oneIn(300)) return 'large '.repeat(2000 + cases.below(4000));
  return `text ${'x'.repeat(cases.below(40))}${cases.below(1000)}`;
}

function stored(value: Value): Value {
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value;
}

type Row = { readonly row: number; readonly values: readonly Value[] };
type Model = Map<number, Row>;

/** What the freeze has to be read as. */
type Expected = { readonly rows: readonly Row[]; readonly blocks: readonly string[]; readonly lsn: number };

function blocksOf(packer: BlockPacker): string {
  return Buffer.from(packer.bytes.subarray(0, packer.byteLength)).toString('base64');
}

/** Reads a snapshot in small steps, row by row or in blocks, and compares. */
class Steps {
  readonly reader: SnapshotReader;
  readonly #expected: Expected;
  readonly #face: Partition;
  readonly #packer: BlockPacker | undefined;
  #at = 0;
  #segment = 0;

  constructor(partition: Partition, page: number, expected: Expected, inBlocks: boolean) {
    this.reader = new SnapshotReader(partition.memory, TABLE, page);
    this.#expected = expected;
    const { liveRefs, columnRefs, nullRefs } = this.reader;
    const { u8, i8, i16, i32, f32, f64, layout, isNullable } = partition;
    const refs = { u8, i8, i16, i32, f32, f64, layout, isNullable, liveRefs, columnRefs, nullRefs };
    // The reads of a partition, by the snapshot's refs.
    this.#face = Object.assign(Object.create(Partition.prototype) as Partition, refs);
    if (inBlocks) this.#packer = new BlockPacker(this.reader, (segment) => this.reader.releaseSegment(segment));
    assert.equal(this.reader.lsn, expected.lsn);
    assert.equal(this.reader.rowCount, expected.rows.length);
  }

  /** A step; false at the end. */
  step(cases: Cases): boolean {
    if (this.#packer !== undefined) {
      const isMore = this.#packer.next() > 0;
      assert.equal(isMore, this.#at < this.#expected.blocks.length, 'all blocks, and no more');
      if (isMore) assert.ok(blocksOf(this.#packer) === this.#expected.blocks[this.#at++], 'the block of the freeze');
      return isMore;
    }
    for (let left = 1 + cases.below(700); left > 0; left--) {
      const expected = this.#expected.rows[this.#at];
      while (this.#segment < (expected === undefined ? this.reader.segmentCount : expected.row >>> 12))
        this.reader.releaseSegment(this.#segment++);
      if (expected === undefined) return false;
      assert.ok(this.#isLive(expected.row), 'a row of the freeze');
      const values = TYPES.map((_, ordinal) => this.#read(expected.row, ordinal));
      assert.deepEqual(values, expected.values);
      this.#at++;
    }
    return true;
  }

  #isLive(row: number): boolean {
    const ref = this.reader.liveRefs[row >>> 12]!;
    return ((this.reader.i32[ref >>> 26]![((ref & 0x3ffffff) << 2) + ((row & 4095) >>> 5)]! >>> (row & 31)) & 1) !== 0;
  }

  #read(row: number, ordinal: number): Value {
    return readValue(this.#face, row, ordinal);
  }
}

class Subject {
  readonly memory: Memory = smallMemory();
  readonly rows: Rows = new Rows(this.memory);
  readonly undo: UndoLog = new UndoLog(this.memory);
  readonly basePages: number = this.memory.usedPages();
  readonly partition: Partition;
  model: Model = new Map();
  #lsn = 2 ** 33 + 5;
  #nextId = 0;

  constructor(cases: Cases, rowCount: number) {
    this.partition = newPartition(this.memory, TABLE);
    while (this.model.size < rowCount) this.insert(cases, Math.min(BATCH_ROWS, rowCount - this.model.size));
    this.undo.release(this.undo.mark());
  }

  insert(cases: Cases, count: number): void {
    const list: Value[][] = [];
    for (let at = 0; at < count; at++)
      list.push(
        TABLE.columns.map(({ type, isNotNull }, ordinal) => {
          if (ordinal === 0) return BigInt(this.#nextId + at);
          return !isNotNull && cases.oneIn(4) ? null : randomValue(cases, type);
        }),
      );
    const batch = this.rows.batch(TABLE, list);
    for (let at = 0; at < count; at++) {
      const row = this.partition.insertFromBatch(batch, at, this.undo);
      assert.ok(row >= 0);
      this.model.set(this.#nextId + at, { row, values: list[at]!.map(stored) });
    }
    this.#nextId += count;
  }

  #randomRow(cases: Cases): [number, Row] | undefined {
    // Ids without a row are met as well, so try a few.
    for (let tries = 0; tries < 20; tries++) {
      const id = cases.below(this.#nextId);
      const row = this.model.get(id);
      if (row !== undefined) return [id, row];
    }
    return undefined;
  }

  update(cases: Cases): void {
    const target = this.#randomRow(cases);
    if (target === undefined) return;
    const [id, { row, values }] = target;
    const columns = [1, 2, 3, 4, 5, 6, 7].filter(() => cases.oneIn(3));
    const given = columns.map((ordinal) => {
      const { type, isNotNull } = TABLE.columns[ordinal]!;
      return !isNotNull && cases.oneIn(4) ? null : randomValue(cases, type);
    });
    const registers = this.rows.registers(
      columns.map((ordinal) => TYPES[ordinal]!),
      given,
    );
    this.partition.update(row, columns, registers, 0, this.undo);
    const changed = values.slice();
    columns.forEach((ordinal, at) => {
      changed[ordinal] = stored(given[at]!);
    });
    this.model.set(id, { row, values: changed });
  }

  delete(cases: Cases): void {
    const target = this.#randomRow(cases);
    if (target === undefined) return;
    this.partition.delete(target[1].row, this.undo);
    this.model.delete(target[0]);
  }

  /** The rows with the highest ids, so that segments go. */
  deleteTail(count: number): void {
    const doomed = [...this.model].sort(([, a], [, b]) => b.row - a.row).slice(0, count);
    for (const [id, { row }] of doomed) {
      this.partition.delete(row, this.undo);
      this.model.delete(id);
    }
  }

  change(cases: Cases): void {
    const choice = cases.below(100);
    if (choice < 30) this.insert(cases, 1 + cases.below(6));
    else if (choice < 75) this.update(cases);
    else if (choice < 99) this.delete(cases);
    else this.deleteTail(cases.below(3000));
  }

  /** The drained fence. */
  freeze(): { page: number; expected: Expected } {
    this.undo.release(this.undo.mark());
    assert.ok(thawPartition(this.partition, Number.POSITIVE_INFINITY));
    const lsn = this.#lsn++;
    const rows = [...this.model.values()].sort((a, b) => a.row - b.row);
    const blocks: string[] = [];
    const packer = new BlockPacker(this.partition, () => {});
    while (packer.next() > 0) blocks.push(blocksOf(packer));
    return { page: freezePartition(this.partition, lsn), expected: { rows, blocks, lsn } };
  }

  checkContents(): void {
    verify(this.partition);
    assert.equal(this.partition.rowCount, this.model.size);
    for (const { row, values } of this.model.values()) {
      assert.ok(this.partition.isLive(row));
      assert.deepEqual(
        values.map((_, ordinal) => readValue(this.partition, row, ordinal)),
        values,
      );
    }
  }

  /** Everything goes; then every page is back. */
  end(): void {
    this.undo.release(this.undo.mark());
    this.undo.dispose();
    this.checkContents();
    assert.ok(thawPartition(this.partition, Number.POSITIVE_INFINITY));
    assert.equal(this.partition.root[ROOT_SNAPSHOT], 0);
    this.checkContents();
    this.partition.reserve?.drain();
    assertAllLive(this.memory);
    this.partition.drop();
    this.memory.flushCache();
    assert.equal(this.memory.usedPages(), this.basePages);
  }
}

function assertAllLive(memory: Memory): void {
  for (const words of memory.i32) {
    const taken = words.subarray(ARENA_RESERVED_PAGES, PAGES_PER_ARENA);
    assert.ok(
      taken.every((word) => word === 0 || word >>> 24 === 1),
      'every page is live or free',
    );
  }
}

/** One run: transactions with rollbacks and releases, and snapshots one after another, each read in small steps. */
function run(seed: number, spoil?: (partition: Partition) => void): void {
  const cases = new Cases(seed);
  const subject = new Subject(cases, 9000);
  const { partition, undo, memory } = subject;
  if (cases.oneIn(2)) partition.reserve = new CopyReserve(memory, 40 * 16384);
  let open: { mark: number; model: Model; sum: string }[] = [];
  for (let snapshots = 0; snapshots < 4; snapshots++) {
    open = [];
    for (const page of partition.reserve === undefined ? [] : touchedRuns(memory, [TABLE], 20 * 16384))
      if (!partition.reserve!.keep(page, memory.pageCountOf(page))) memory.free(page, memory.pageCountOf(page));
    const { page, expected } = subject.freeze();
    spoil?.(partition);
    const steps = new Steps(partition, page, expected, snapshots % 2 === 1);
    let isReading = true;
    const stepCount = 15 + cases.below(40);
    for (let step = 0; isReading || step < stepCount; step++) {
      if (isReading && cases.oneIn(3) && !steps.step(cases)) {
        steps.reader.finish();
        isReading = false;
      }
      open.push({ mark: undo.mark(), model: new Map(subject.model), sum: checksum(partition) });
      for (let count = cases.below(40); count >= 0; count--) subject.change(cases);
      if (cases.oneIn(4)) {
        const target = open[cases.below(open.length)]!;
        // Undo takes no memory.
        memory.faultCountdown = 0;
        undo.rollbackTo(target.mark);
        assert.equal(memory.faultCountdown, 0);
        memory.faultCountdown = -1;
        subject.model = target.model;
        open = open.slice(0, open.indexOf(target));
        assert.equal(checksum(partition), target.sum);
      }
      if (cases.oneIn(5)) {
        open = [];
        undo.release(undo.mark());
        if (cases.oneIn(2)) thawPartition(partition, 1 + cases.below(30));
      }
    }
  }
  subject.end();
}

const SEEDS = Number(process.env.AMELIE_SNAPSHOTS ?? 3);

test('a snapshot is the state at its freeze, whatever is written meanwhile', () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    try {
      run(seed);
    } catch (error) {
      throw new Error(`run(${seed})`, { cause: error });
    }
  }
});

/** What a step of the reader finds, and nothing before it. */
function isWrongRead(error: unknown): boolean {
  return error instanceof assert.AssertionError && /Steps\.step/.test(error.stack ?? '');
}

test('canary: writes in place are found', () => {
  assert.throws(() => {
    for (let seed = 1; seed <= 3; seed++)
      run(seed, (partition) => {
        partition.frozenEnd = 0;
      });
  }, isWrongRead);
});

test('canary: blocks that are freed at once are found', () => {
  assert.throws(() => {
    for (let seed = 1; seed <= 3; seed++)
      run(seed, (partition) => {
        partition.root[HEAP_IS_FROZEN] = 0;
      });
  }, isWrongRead);
});

test('memory that runs out at any copy changes nothing, and the snapshot stays what it is', () => {
  const cases = new Cases(77);
  const subject = new Subject(cases, 9000);
  const { partition, undo, memory } = subject;
  let faults = 0;
  for (let snapshots = 0; snapshots < 3; snapshots++) {
    const { page, expected } = subject.freeze();
    for (let changes = 0; changes < 60; changes++) {
      const seed = cases.below(1 << 30);
      const sum = checksum(partition);
      const model = new Map(subject.model);
      const position = undo.mark();
      for (let fault = 0; ; fault++) {
        memory.faultCountdown = fault;
        try {
          subject.change(new Cases(seed));
          break;
        } catch (error) {
          assert.ok(error instanceof SqlError && error.code === 'out_of_memory');
          memory.faultCountdown = -1;
          // An insert of several rows has done some of them; an operation of the engine is undone as a whole.
          undo.rollbackTo(position);
          subject.model = new Map(model);
          assert.equal(checksum(partition), sum);
          faults++;
        }
      }
      memory.faultCountdown = -1;
    }
    const steps = new Steps(partition, page, expected, false);
    while (steps.step(cases));
    steps.reader.finish();
  }
  assert.ok(faults > 20, `${faults} allocations failed`);
  subject.end();
});

test('a freeze that finds no memory leaves nothing', () => {
  const subject = new Subject(new Cases(3), 100);
  subject.memory.faultCountdown = 0;
  assert.throws(() => freezePartition(subject.partition, 1), /out of memory/);
  subject.memory.faultCountdown = -1;
  assertAllLive(subject.memory);
  subject.end();
});

test('a snapshot that nobody reads is finished like any other', () => {
  const cases = new Cases(4);
  const subject = new Subject(cases, 5000);
  const { page } = subject.freeze();
  for (let changes = 0; changes < 200; changes++) subject.change(cases);
  new SnapshotReader(subject.memory, TABLE, page).finish();
  subject.end();
});

for (const [name, leave] of [
  ['dropped', (partition: Partition) => partition.drop()],
  ['emptied', (partition: Partition) => partition.truncate()],
] as const) {
  test(`a partition is ${name} while its snapshot is read`, () => {
    for (let seed = 1; seed <= 4; seed++) {
      const cases = new Cases(seed);
      const subject = new Subject(cases, 9000);
      const { partition, undo, memory } = subject;
      const { page, expected } = subject.freeze();
      const steps = new Steps(partition, page, expected, seed % 2 === 0);
      for (let count = cases.below(8); count > 0; count--) {
        steps.step(cases);
        for (let changes = 0; changes < 100; changes++) subject.change(cases);
      }
      undo.release(undo.mark());
      if (cases.oneIn(3)) thawPartition(partition, 1);
      leave(partition);
      subject.model = new Map();
      // What comes next uses what pages it finds.
      const next = name === 'emptied' ? partition : newPartition(memory, TABLE);
      for (let id = 0; id < 3000; id++) {
        const values = TYPES.map((type, at) => (at === 0 ? BigInt(id) : randomValue(cases, type)));
        next.insertFromBatch(subject.rows.batch(TABLE, [values]), 0, undo);
      }
      undo.release(undo.mark());
      verify(next);
      while (steps.step(cases));
      steps.reader.finish();
      verify(next);
      assertAllLive(memory);
      if (name === 'emptied') {
        const after = new SnapshotReader(memory, TABLE, freezePartition(next, 9));
        after.finish();
        assert.ok(thawPartition(next, Number.POSITIVE_INFINITY));
      }
      next.drop();
      undo.dispose();
      memory.flushCache();
      assert.equal(memory.usedPages(), subject.basePages);
    }
  });
}

test('another face of the owner goes on with the copies', () => {
  const cases = new Cases(8);
  const subject = new Subject(cases, 9000);
  const { memory } = subject;
  const { page, expected } = subject.freeze();
  const steps = new Steps(subject.partition, page, expected, false);
  for (let changes = 0; changes < 50; changes++) subject.change(cases);
  subject.undo.release(subject.undo.mark());
  subject.partition.close();
  // As after CREATE INDEX: the table is opened again.
  Object.assign(subject, { partition: Partition.open(memory, TABLE, subject.partition.definition) });
  assert.equal(subject.partition.frozenEnd, 3);
  for (let changes = 0; changes < 500; changes++) subject.change(cases);
  while (steps.step(cases));
  steps.reader.finish();
  subject.end();
});
