/**
 * A group set: the keys of the groups in a KeyTable, one AggregateState an aggregate. Group ordinals are those of the keys
 * in the order of their arrival; without keys there is one group, 0, from the start.
 *
 * Partial form, in which a node sends its groups to the coordinator: a record a group, in order (cells: keys, then the cells
 * of each aggregate that is not DISTINCT), then a record a (group, value) of each DISTINCT aggregate (cells: ordinal of the
 * group among the records before, value).
 */

import type { Memory } from '../../base/memory.ts';
import { createRegisters, type RegisterFile } from '../../base/registers.ts';
import type { Scratch } from '../../base/scratch.ts';
import type { GroupSpec } from '../../program/program.ts';
import { BIGINT, DOUBLE } from '../../types/type.ts';
import { AggregateState, AVG_DOUBLE, AVG_INT, COUNT, MIN, SUM_DOUBLE } from './aggregate-state.ts';
import { KeyTable } from './key-table.ts';
import { RECORD_DISTINCT, RECORD_GROUP, type ResultReader, type ResultWriter } from './result.ts';

export class GroupSet {
  readonly spec: GroupSpec;
  /** The current group. */
  current = 0;
  private readonly keys: KeyTable | null;
  readonly aggregates: readonly AggregateState[];
  private readonly registers: RegisterFile;
  private readonly cellCount: number;

  constructor(spec: GroupSpec, memory: Memory, workspace: Scratch) {
    this.spec = spec;
    this.keys = spec.keys.length === 0 ? null : new KeyTable(spec.keys, memory, workspace);
    this.aggregates = spec.aggregates.map((aggregate) => new AggregateState(aggregate, memory, workspace));
    this.registers = createRegisters(Math.max(2, spec.keys.length));
    let cellCount = spec.keys.length;
    for (const aggregate of this.aggregates) cellCount += cellsOf(aggregate);
    this.cellCount = cellCount;
  }

  get count(): number {
    return this.keys === null ? 1 : this.keys.count;
  }

  /** Empties the set. */
  open(): void {
    for (const aggregate of this.aggregates) aggregate.clear();
    this.current = 0;
    if (this.keys !== null) this.keys.clear();
    else this.addGroup(0);
  }

  private addGroup(group: number): void {
    const aggregates = this.aggregates;
    for (let i = 0; i < aggregates.length; i++) aggregates[i].addGroup(group);
  }

  /** Makes the group of the keys in registers first, first + 1, … current. */
  find(registers: RegisterFile, first: number): void {
    const keys = this.keys;
    if (keys === null) return;
    this.current = keys.find(registers, first);
    if (keys.isNew) this.addGroup(this.current);
  }

  /** Key `key` of the current group into a register, nul too. */
  loadKey(key: number, registers: RegisterFile, register: number): void {
    registers.nul[register] = this.keys!.columns[key].load(this.current, registers, register);
  }

  /** Writes the partial form into result stream `stream`. */
  send(writer: ResultWriter, stream: number): void {
    const count = this.count;
    for (let group = 0; group < count; group++) this.sendGroup(writer, stream, group);
    for (let i = 0; i < this.aggregates.length; i++) {
      const distinct = this.aggregates[i].distinct;
      if (distinct !== null) this.sendDistinct(writer, stream, i, distinct);
    }
  }

  private sendGroup(writer: ResultWriter, stream: number, group: number): void {
    const { registers, aggregates } = this;
    writer.beginRecord(stream, RECORD_GROUP, this.cellCount, 0);
    let cell = 0;
    if (this.keys !== null) {
      const columns = this.keys.columns;
      for (let i = 0; i < columns.length; i++) {
        const isNull = columns[i].load(group, registers, 0);
        writer.setCell(cell++, registers, 0, isNull, columns[i].type);
      }
    }
    for (let i = 0; i < aggregates.length; i++) {
      const aggregate = aggregates[i];
      if (aggregate.distinct !== null) continue;
      const isEmpty = aggregate.counts[group] === 0 ? 1 : 0;
      switch (aggregate.kind) {
        case 0: // count
          break;
        case 1: // sum of int
        case 3: // avg of int
          if (isEmpty !== 0 || aggregate.isSmall(group)) {
            registers.num[0] = aggregate.sums[group];
            writer.setCell(cell++, registers, 0, isEmpty, BIGINT);
          } else writer.setWideInteger(cell++, aggregate.total(group));
          break;
        case 2: // sum of double
        case 4: // avg of double
          registers.num[0] = aggregate.sums[group];
          writer.setCell(cell++, registers, 0, isEmpty, DOUBLE);
          break;
        default:
          if (isEmpty === 0) aggregate.values!.load(group, registers, 0);
          writer.setCell(cell++, registers, 0, isEmpty, aggregate.spec.argument);
      }
      if (aggregate.kind === COUNT || aggregate.kind === AVG_INT || aggregate.kind === AVG_DOUBLE) {
        registers.num[0] = aggregate.counts[group];
        writer.setCell(cell++, registers, 0, 0, BIGINT);
      }
    }
    writer.endRecord();
  }

  private sendDistinct(writer: ResultWriter, stream: number, aggregate: number, distinct: KeyTable): void {
    const registers = this.registers;
    const type = distinct.columns[1].type;
    for (let i = 0; i < distinct.count; i++) {
      distinct.columns[0].load(i, registers, 0);
      distinct.columns[1].load(i, registers, 1);
      writer.beginRecord(stream, RECORD_DISTINCT, 2, aggregate);
      writer.setCell(0, registers, 0, 0, BIGINT);
      writer.setCell(1, registers, 1, 0, type);
      writer.endRecord();
    }
  }

  /** Takes the partial groups of result stream `stream` of one part. */
  merge(reader: ResultReader, stream: number): void {
    const { registers, aggregates } = this;
    const keyCount = this.spec.keys.length;
    /** Ordinal here of each group of the part: needed for DISTINCT only. */
    const groups: number[] = [];
    const hasDistinct = aggregates.some((aggregate) => aggregate.distinct !== null);
    while (reader.next()) {
      if (reader.stream !== stream) continue;
      if (reader.kind === RECORD_DISTINCT) {
        reader.loadCell(0, registers, 0);
        reader.loadCell(1, registers, 1);
        aggregates[reader.extra].add(groups[registers.num[0]], registers, 1);
        continue;
      }
      for (let key = 0; key < keyCount; key++) registers.nul[key] = reader.loadCell(key, registers, key);
      this.find(registers, 0);
      if (hasDistinct) groups.push(this.current);
      this.mergeGroup(reader, keyCount);
    }
  }

  private mergeGroup(reader: ResultReader, cell: number): void {
    const { registers, aggregates, current } = this;
    for (let i = 0; i < aggregates.length; i++) {
      const aggregate = aggregates[i];
      if (aggregate.distinct !== null) continue;
      const kind = aggregate.kind;
      if (kind >= MIN) {
        if (reader.loadCell(cell++, registers, 0) === 0) aggregate.add(current, registers, 0);
        continue;
      }
      if (kind === COUNT) {
        reader.loadCell(cell++, registers, 0);
        aggregate.counts[current] += registers.num[0];
        continue;
      }
      const at = cell++;
      const isNull = reader.loadCell(at, registers, 0);
      let count = 1;
      if (kind >= AVG_INT) {
        reader.loadCell(cell++, registers, 1);
        count = registers.num[1];
      }
      if (isNull !== 0) continue;
      aggregate.counts[current] += count;
      if (kind === SUM_DOUBLE || kind === AVG_DOUBLE) aggregate.sums[current] += registers.num[0];
      else {
        const sum = aggregate.sums[current] + registers.num[0];
        if (!reader.isWideInteger(at) && sum > -9007199254740992 && sum < 9007199254740992)
          aggregate.sums[current] = sum;
        else aggregate.addExact(current, reader.wideInteger(at));
      }
    }
  }
}

function cellsOf(aggregate: AggregateState): number {
  if (aggregate.distinct !== null) return 0;
  return aggregate.kind === AVG_INT || aggregate.kind === AVG_DOUBLE ? 2 : 1;
}
