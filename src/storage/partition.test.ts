/**
 * Random changes of partitions of several shapes against a model: contents, index ranges, rollbacks (equal checksums),
 * releases, and memory that runs out at every allocation.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SqlError } from '../base/errors.ts';
import { PAGE_BYTES } from '../base/limits.ts';
import type { TableDefinition } from '../catalog/catalog.ts';
import {
  BIGINT,
  BOOL,
  DATE,
  DOUBLE,
  FLOAT,
  INT,
  INTERVAL,
  JSON_TYPE,
  SMALLINT,
  TEXT,
  TIMESTAMP,
  TINYINT,
  type TypeId,
  UUID,
  VECTOR,
} from '../types/type.ts';
import { TreeCursor } from './cursor.ts';
import { Cases, column, index, newPartition, Rows, readValue, smallMemory, table, type Value } from './fixtures.ts';
import { Partition } from './partition.ts';
import { UndoLog } from './undo.ts';
import { checksum, verify } from './verify.ts';

const BIGINTS = [
  0n,
  1n,
  -1n,
  7n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 53n + 1n,
  -(2n ** 53n) - 1n,
  2n ** 63n - 1n,
  -(2n ** 63n),
];
const LONG = 'long '.repeat(8000);
const TEXTS = [
  '',
  'a',
  'a\0',
  'a\0b',
  'ab',
  'abcdefgh',
  'abcdefghi',
  'abcdefgh\0',
  'abcdefgz',
  'é',
  '\u{10ffff}',
  'shared prefix 1',
  'shared prefix 2',
  LONG,
  `${LONG}!`,
];
const DOUBLES = [0, -0, 1.5, -1.5, 1e300, -1e300, 5e-324, -5e-324, Math.PI];

function interval(months: number, days: number, microseconds: bigint): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, months, true);
  view.setInt32(4, days, true);
  view.setBigInt64(8, microseconds, true);
  return bytes;
}

const INTERVALS = [
  interval(0, 0, 0n),
  interval(1, 0, 0n),
  interval(0, 30, 0n),
  interval(0, 31, 0n),
  interval(0, 1, -1n),
  interval(-(2 ** 31), 0, 0n),
  interval(2 ** 31 - 1, 2 ** 31 - 1, 2n ** 63n - 1n),
  interval(0, 0, -(2n ** 63n)),
]; // prettier-ignore
const UUIDS = [0, 1, 127, 128, 255].map((byte) =>
  new Uint8Array(16).map((_, at) => (at === 12 ? byte : at === 0 ? byte & 129 : 3)),
);

/** A value of the type; few different ones, with all edges. */
function randomValue(cases: Cases, type: TypeId): Value {
  switch (type) {
    case BOOL:
      return BigInt(cases.below(2));
    case TINYINT:
      return BigInt(cases.pick([-128, 127, 0, 5]));
    case SMALLINT:
      return BigInt(cases.pick([-32768, 32767, 0, cases.below(20)]));
    case INT:
    case DATE:
      return BigInt(cases.pick([-(2 ** 31), 2 ** 31 - 1, -1, cases.below(50)]));
    case BIGINT:
    case TIMESTAMP:
      return cases.oneIn(3) ? cases.pick(BIGINTS) : BigInt(cases.below(200) - 100);
    case FLOAT:
      return Math.fround(cases.pick([0, 1.5, -2.25, 3e38]));
    case DOUBLE:
      return cases.pick(DOUBLES);
    case UUID:
      return cases.pick(UUIDS);
    case INTERVAL:
      return cases.pick(INTERVALS);
    default:
      return cases.oneIn(3) ? cases.pick(TEXTS) : `${cases.pick(TEXTS.slice(0, 13))}${cases.below(30)}`;
  }
}

/** Tables that have every type, method, order and nullability in their keys. */
const TABLES: readonly TableDefinition[] = [
  table(
    [column('id', BIGINT, true), column('k', INT), column('v', BIGINT), column('s', TEXT)],
    [
      index(1, [0], { isPrimary: true }),
      index(2, [1]),
      index(3, [3, -2]),
      index(4, [-3]),
      index(5, [1], { method: 'hash' }),
    ],
  ),
  table(
    [column('name', TEXT, true), column('n', INT), column('j', JSON_TYPE), column('b', BOOL)],
    [index(1, [0], { isPrimary: true, method: 'hash' }), index(2, [3, -1]), index(3, [1, 0], { method: 'hash' })],
  ),
  table(
    [
      column('a', SMALLINT, true),
      column('t', TEXT, true),
      column('u', UUID, true),
      column('x', DOUBLE),
      column('f', FLOAT),
      column('y', TINYINT),
      column('ts', TIMESTAMP),
      column('d', DATE),
      column('i', INTERVAL),
      column('w', VECTOR),
      column('bb', BOOL, true),
      column('uu', UUID),
    ],
    [
      index(1, [-1, 1, -3], { isPrimary: true }),
      index(2, [-4]),
      index(3, [8]),
      index(4, [4, 5, -7]),
      index(5, [-9, 7]),
      index(6, [11, -10 - 1]),
      index(7, [6], { isUnique: false }),
      index(8, [-2]),
    ],
  ),
]; // prettier-ignore

/** The value as readValue gives it. */
function stored(type: TypeId, value: Value): Value {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  return type === DOUBLE || type === FLOAT ? value : typeof value === 'number' ? BigInt(value) : value;
}

function intervalTotal(hex: string): bigint {
  const bytes = Buffer.from(hex, 'hex');
  const days = BigInt(bytes.readInt32LE(0)) * 30n + BigInt(bytes.readInt32LE(4));
  return days * 86_400_000_000n + bytes.readBigInt64LE(8);
}

/** The order of two stored values: NULL first. */
function compareValues(type: TypeId, a: Value, b: Value): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
  if (type === TEXT) return Buffer.compare(Buffer.from(a as string), Buffer.from(b as string));
  if (type === INTERVAL) return Number(intervalTotal(a as string) - intervalTotal(b as string));
  return a === b ? 0 : a < b ? -1 : a > b ? 1 : 0;
}

type ModelRow = { row: number; values: Value[] };

/** A partition, the model of its contents, and the open transactions. */
class Subject {
  readonly definition: TableDefinition;
  readonly partition: Partition;
  readonly undo: UndoLog;
  readonly rows: Rows;
  readonly cursor: TreeCursor = new TreeCursor();
  readonly types: TypeId[];
  model: Map<string, ModelRow> = new Map();

  constructor(definition: TableDefinition) {
    const memory = smallMemory();
    this.definition = definition;
    this.rows = new Rows(memory);
    this.partition = newPartition(memory, definition);
    this.undo = new UndoLog(memory);
    this.types = definition.columns.map((one) => one.type);
  }

  keyOf(values: readonly Value[]): string {
    return this.definition.indexes[0]!.keys.map(({ column: ordinal }) => String(values[ordinal])).join('|');
  }

  randomRow(cases: Cases): Value[] {
    return this.definition.columns.map((one) =>
      !one.isNotNull && cases.oneIn(4) ? null : randomValue(cases, one.type),
    );
  }

  insert(values: readonly Value[]): void {
    const batch = this.rows.batch(this.definition, [values]);
    const expected = values.map((value, ordinal) => stored(this.types[ordinal]!, value));
    const key = this.keyOf(expected);
    const row = this.partition.insertFromBatch(batch, 0, this.undo);
    const existing = this.model.get(key);
    if (existing !== undefined) assert.equal(row, ~existing.row);
    else {
      assert.ok(row >= 0);
      this.model.set(key, { row, values: expected });
    }
  }

  find(values: readonly Value[]): number {
    const keys = this.definition.indexes[0]!.keys;
    const registers = this.rows.registers(
      keys.map((key) => this.types[key.column]!),
      keys.map((key) => values[key.column]!),
    );
    return this.partition.findPrimary(registers, 0);
  }

  update(cases: Cases): void {
    if (this.model.size === 0) return;
    const target = cases.pick([...this.model.values()]);
    const keyColumns = this.definition.indexes[0]!.keys.map((key) => key.column);
    const columns = this.types
      .map((_, ordinal) => ordinal)
      .filter((ordinal) => !keyColumns.includes(ordinal) && cases.oneIn(2));
    const source = this.randomRow(cases);
    const values = columns.map((ordinal) => source[ordinal]!);
    const registers = this.rows.registers(
      columns.map((ordinal) => this.types[ordinal]!),
      values,
    );
    this.partition.update(target.row, columns, registers, 0, this.undo);
    const changed = target.values.slice();
    columns.forEach((ordinal, at) => {
      changed[ordinal] = stored(this.types[ordinal]!, values[at]!);
    });
    this.model.set(this.keyOf(changed), { row: target.row, values: changed });
  }

  delete(cases: Cases): void {
    if (this.model.size === 0) return;
    const [key, target] = cases.pick([...this.model]);
    this.partition.delete(target.row, this.undo);
    this.model.delete(key);
  }

  change(cases: Cases): void {
    const choice = cases.below(10);
    if (choice < 5) this.insert(this.randomRow(cases));
    else if (choice < 8) this.update(cases);
    else this.delete(cases);
  }

  checkContents(): void {
    const { partition } = this;
    assert.equal(partition.rowCount, this.model.size);
    const live = new Set<number>();
    for (let row = partition.nextLive(0); row >= 0; row = partition.nextLive(row + 1)) live.add(row);
    assert.equal(live.size, this.model.size);
    for (const { row, values } of this.model.values()) {
      assert.ok(live.has(row) && partition.isLive(row));
      assert.deepEqual(
        values.map((_, ordinal) => readValue(partition, row, ordinal)),
        values,
      );
    }
  }

  /** A range of a random index between random values, against the model sorted. */
  checkRange(cases: Cases): void {
    const ordinal = cases.below(this.definition.indexes.length);
    const { keys, method } = this.definition.indexes[ordinal]!;
    const types = keys.map((key) => this.types[key.column]!);
    const equalCount = method === 'hash' ? keys.length : cases.below(keys.length + 1);
    const hasBounds = method === 'tree' && equalCount < keys.length;
    const hasLower = hasBounds && cases.oneIn(2);
    const hasUpper = hasBounds && cases.oneIn(2);
    const sample = cases.pick([...this.model.values(), { row: 0, values: [] as Value[] }]).values;
    const given = (at: number): Value => {
      const raw = randomValue(cases, types[at]!);
      const taken = sample[keys[at]!.column] ?? null;
      if (taken === null || cases.oneIn(3)) return raw;
      return typeof taken === 'string' && (types[at] === UUID || types[at] === INTERVAL)
        ? Buffer.from(taken, 'hex')
        : taken;
    };
    const values: Value[] = [];
    for (let at = 0; at < equalCount; at++) values.push(given(at));
    const lowerValue = hasLower ? given(equalCount) : null;
    const upperValue = hasUpper ? given(equalCount) : null;
    const registers = this.rows.registers(
      [...types.slice(0, equalCount), types[equalCount] ?? INT, types[equalCount] ?? INT],
      [...values, lowerValue, upperValue],
    );
    const bounds = {
      index: ordinal,
      equalRegister: 0,
      equalCount,
      lowerRegister: hasLower ? equalCount : -1,
      isLowerInclusive: cases.oneIn(2),
      upperRegister: hasUpper ? equalCount + 1 : -1,
      isUpperInclusive: cases.oneIn(2),
      isDescending: method === 'tree' && cases.oneIn(2),
    };
    const rangedColumn = keys[equalCount]?.column ?? 0;
    const isInside = (row: ModelRow): boolean => {
      for (let at = 0; at < equalCount; at++) {
        if (compareValues(types[at]!, row.values[keys[at]!.column]!, stored(types[at]!, values[at]!)) !== 0)
          return false;
      }
      if (!hasLower && !hasUpper) return true;
      const value = row.values[rangedColumn]!;
      if (value === null) return false;
      const type = types[equalCount]!;
      if (hasLower) {
        const order = compareValues(type, value, stored(type, lowerValue));
        if (order < 0 || (order === 0 && !bounds.isLowerInclusive)) return false;
      }
      if (!hasUpper) return true;
      const order = compareValues(type, value, stored(type, upperValue));
      return order < 0 || (order === 0 && bounds.isUpperInclusive);
    };
    const expected = [...this.model.values()].filter(isInside).sort((a, b) => {
      for (const key of keys) {
        const order = compareValues(this.types[key.column]!, a.values[key.column]!, b.values[key.column]!);
        if (order !== 0) return key.isDescending ? -order : order;
      }
      return a.row - b.row;
    });
    if (bounds.isDescending) expected.reverse();
    const found: number[] = [];
    for (let has = this.cursor.open(this.partition, bounds, registers); has; has = this.cursor.next())
      found.push(this.cursor.row);
    assert.equal(this.cursor.next(), false);
    if (method === 'hash') found.sort((a, b) => a - b);
    const rows = expected.map((row) => row.row);
    if (method === 'hash') rows.sort((a, b) => a - b);
    assert.deepEqual(found, rows);
  }
}

type Open = { mark: number; model: Map<string, ModelRow>; sum: string; releases: number };

TABLES.forEach((definition, tableNumber) => {
  test(`invariant 8: table ${tableNumber}: changes, rollbacks and releases agree with the model`, () => {
    for (let seed = 0; seed < 3; seed++) {
      const cases = new Cases(seed * 100 + tableNumber);
      const subject = new Subject(definition);
      const open: Open[] = [];
      let releases = 0;
      for (let step = 0; step < 400; step++) {
        const sum = checksum(subject.partition);
        open.push({ mark: subject.undo.mark(), model: new Map(subject.model), sum, releases });
        for (let count = cases.below(8); count >= 0; count--) subject.change(cases);
        subject.checkRange(cases);
        if (cases.oneIn(6)) {
          const keep = cases.below(open.length);
          const target = open[keep]!;
          subject.undo.rollbackTo(target.mark);
          subject.model = target.model;
          open.length = keep;
          if (target.releases === releases) assert.equal(checksum(subject.partition), target.sum);
          subject.checkContents();
        }
        if (cases.oneIn(5) && open.length > 0) {
          const count = 1 + cases.below(open.length);
          open.splice(0, count);
          subject.undo.release(open[0]?.mark ?? subject.undo.mark());
          releases++;
        }
        if (cases.oneIn(20)) {
          open.length = 0;
          subject.undo.release(subject.undo.mark());
          releases++;
          verify(subject.partition);
        }
      }
      subject.undo.release(subject.undo.mark());
      verify(subject.partition);
      subject.checkContents();
      for (const row of subject.model.values()) {
        const raw = row.values.map((value, at) => {
          const isWide = subject.types[at] === UUID || subject.types[at] === INTERVAL;
          return isWide && value !== null ? Buffer.from(value as string, 'hex') : value;
        });
        assert.equal(subject.find(raw), row.row);
      }
    }
  });

  test(`table ${tableNumber}: memory that runs out at any allocation changes nothing`, () => {
    const cases = new Cases(tableNumber + 50);
    const subject = new Subject(definition);
    const { memory } = subject.partition;
    let faults = 0;
    for (let step = 0; step < 1500; step++) {
      // Releases make room that is used again, so that allocations differ.
      if (cases.oneIn(30)) subject.undo.release(subject.undo.mark());
      const before = checksum(subject.partition);
      const model = new Map(subject.model);
      const position = subject.undo.mark();
      const seed = cases.below(1 << 30);
      for (let fault = 0; ; fault++) {
        memory.faultCountdown = fault;
        try {
          subject.change(new Cases(seed));
          break;
        } catch (error) {
          assert.ok(error instanceof SqlError && error.code === 'out_of_memory', String(error));
          faults++;
        }
        assert.equal(checksum(subject.partition), before);
        assert.equal(subject.undo.mark(), position);
        assert.deepEqual(subject.model, model);
      }
      memory.faultCountdown = -1;
    }
    assert.ok(faults > 10, `${faults} allocations failed`);
    subject.undo.release(subject.undo.mark());
    verify(subject.partition);
    subject.checkContents();
  });
});

test('invariant 7: a row slot and heap block are used again only when their transaction is final', () => {
  const subject = new Subject(TABLES[0]!);
  const { partition, undo } = subject;
  for (let id = 0; id < 10; id++) subject.insert([id, 1, 1, `text ${id}`]);
  undo.release(undo.mark());
  const blocks = partition.valueHeap.blockCount();
  const row = subject.find([3]);
  const ref = partition.readRef(row, 3);
  partition.delete(row, undo);
  const final = undo.mark();
  assert.equal(partition.valueHeap.blockCount(), blocks);
  const other = partition.insertFromBatch(subject.rows.batch(TABLES[0]!, [[3, 2, 2, 'text 3']]), 0, undo);
  assert.notEqual(other, row);
  assert.notEqual(partition.readRef(other, 3), ref);
  undo.release(final);
  const third = partition.insertFromBatch(subject.rows.batch(TABLES[0]!, [[77, 2, 2, 'text x']]), 0, undo);
  assert.equal(third, row);
  assert.equal(partition.readRef(third, 3), ref);
});

test('segments grow beyond the directory in the root page, and are given back when rows go', () => {
  const definition = table(
    [column('id', BIGINT, true), column('b', BOOL)],
    [index(1, [0], { isPrimary: true, method: 'hash' })],
  );
  const memory = smallMemory();
  const partition = newPartition(memory, definition);
  const undo = new UndoLog(memory);
  const rows = new Rows(memory);
  const base = memory.usedPages();
  const list: Value[][] = [];
  let id = 0;
  const rowTotal = 4096 * 10 + 5;
  while (id < rowTotal) {
    list.length = 0;
    for (let count = 0; count < 500 && id < rowTotal; count++) list.push([id++, id % 2 === 0]);
    const batch = rows.batch(definition, list);
    for (let ordinal = 0; ordinal < list.length; ordinal++)
      assert.equal(partition.insertFromBatch(batch, ordinal, undo), id - list.length + ordinal);
    undo.release(undo.mark());
  }
  assert.equal(partition.segmentCount, 11);
  verify(partition);
  // Another thread's face sees the same after it has looked again.
  const face = newFace(partition);
  assert.equal(face.rowCount, rowTotal);
  assert.equal(face.nextLive(40_963), 40_963);
  const mark = undo.mark();
  for (let row = 0; row < rowTotal; row++) partition.delete(row, undo);
  undo.rollbackTo(mark);
  verify(partition);
  assert.equal(partition.rowCount, rowTotal);
  for (let row = 0; row < rowTotal; row++) partition.delete(row, undo);
  undo.release(undo.mark());
  assert.equal(partition.segmentCount, 1);
  face.refresh();
  assert.equal(face.segmentCount, 1);
  assert.equal(face.nextLive(0), -1);
  partition.truncate();
  undo.dispose();
  memory.flushCache();
  assert.ok(memory.usedPages() <= base);
  partition.drop();
});

function newFace(partition: Partition): Partition {
  const { memory, table: definition } = partition;
  return Partition.open(memory, definition, partition.definition);
}

test('indexes are added over rows, and dropped; failure leaves nothing', () => {
  const subject = new Subject(TABLES[0]!);
  const { partition } = subject;
  const cases = new Cases(9);
  for (let count = 0; count < 3000; count++)
    subject.insert([count, cases.below(50), cases.below(9), `text ${cases.below(500)}`]);
  subject.undo.release(subject.undo.mark());
  const before = partition.pageCount();
  const added = index(40, [3, 0]);
  // Memory that runs out once is had in another way; memory that stays out is an error.
  let hasEnded = false;
  for (let fault = 0; !hasEnded; fault++) {
    partition.memory.faultCountdown = fault;
    partition.createIndex(added);
    hasEnded = partition.memory.faultCountdown >= 0;
    partition.memory.faultCountdown = -1;
    partition.dropIndex(added);
    verify(newFace(partition));
    assert.ok(partition.pageCount() <= before + 2);
  }
  const limitBytes = partition.memory.limitBytes();
  partition.memory.flushCache();
  const used = partition.memory.usedPages();
  for (let extra = 0; extra < 3; extra++) {
    partition.memory.setLimitBytes((used + extra) * PAGE_BYTES);
    assert.throws(
      () => partition.createIndex(added),
      (error) => error instanceof SqlError && error.code === 'out_of_memory',
    );
    partition.memory.flushCache();
    assert.ok(partition.memory.usedPages() <= used + 1);
    verify(newFace(partition));
  }
  partition.memory.setLimitBytes(limitBytes);
  assert.throws(() => partition.createIndex(index(41, [1], { isUnique: true })), /not unique/);
  partition.createIndex(added);
  const wider = { ...TABLES[0]!, indexes: [...TABLES[0]!.indexes, added] };
  const face = Partition.open(partition.memory, wider, partition.definition);
  verify(face);
  face.dropIndex(added);
  verify(newFace(partition));
});

test('everything that a partition took is given back by drop', () => {
  const memory = smallMemory();
  const rows = new Rows(memory);
  const undo = new UndoLog(memory);
  const before = memory.usedPages();
  for (const definition of TABLES) {
    const partition = newPartition(memory, definition);
    const cases = new Cases(3);
    for (let count = 0; count < 1000; count++) {
      const values = definition.columns.map((one) => randomValue(cases, one.type));
      partition.insertFromBatch(rows.batch(definition, [values]), 0, undo);
    }
    undo.release(undo.mark());
    partition.drop();
  }
  undo.dispose();
  assert.equal(memory.usedPages(), before);
});
