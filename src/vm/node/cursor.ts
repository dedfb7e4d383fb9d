/**
 * A cursor of a node program: it stands on a row of one of the node's partitions. How it moves depends on what opened it:
 * a scan, a range of an index, a list of rows (found by keys, or collected by the program).
 */

import type { RegisterFile } from '../../base/registers.ts';
import type { RangeSpec } from '../../program/program.ts';
import { TreeCursor } from '../../storage/cursor.ts';
import type { Partition } from '../../storage/partition.ts';

const NO_PARTITIONS: readonly Partition[] = [];
/** Null bits of a segment of a column that has none. */
const NO_NULLS: Int32Array = new Int32Array(4096 / 32);

/** The word of the bitmap of live rows that has the bit of `row`: bit s & 31 is row slot s. */
function liveWord(partition: Partition, row: number): number {
  const ref = partition.liveRefs[row >>> 12];
  return partition.i32[ref >>> 26][((ref & 0x3ffffff) << 2) + ((row & 4095) >>> 5)];
}

/** Rows with their partitions, in the order they were added. */
export class RowList {
  readonly partitions: Partition[] = [];
  rows: Int32Array = new Int32Array(16);
  count = 0;
  position = 0;

  clear(): void {
    this.count = 0;
    this.position = 0;
    this.partitions.length = 0;
    if (this.rows.length > 65_536) this.rows = new Int32Array(16);
  }

  has(partition: Partition, row: number): boolean {
    for (let i = 0; i < this.count; i++) if (this.rows[i] === row && this.partitions[i] === partition) return true;
    return false;
  }

  add(partition: Partition, row: number): void {
    if (this.count === this.rows.length) {
      const rows = new Int32Array(this.count * 2);
      rows.set(this.rows);
      this.rows = rows;
    }
    this.partitions.push(partition);
    this.rows[this.count++] = row;
  }
}

export class Cursor {
  partition!: Partition;
  row = -1;
  /** Of a scan or unordered range: the partitions, and the next one to look at. */
  private partitions: readonly Partition[] = NO_PARTITIONS;
  private nextPartition = 0;
  /** Of a scan: the rows after the current one that are live among firstRow … firstRow + 31. */
  private liveBits = 0;
  private firstRow = 0;
  /** Of a scan: the segment of the row, and where its columns are. */
  private segment = -1;
  readonly columnWords: Int32Array[] = [];
  columnBases: Int32Array = new Int32Array(16);
  readonly columnDoubles: Float64Array[] = [];
  readonly nullWords: Int32Array[] = [];
  nullBases: Int32Array = new Int32Array(16);
  /** Of a range. */
  private spec!: RangeSpec;
  private range: TreeCursor = new TreeCursor();
  /** Of an ordered range: a cursor a partition, the first `mergeCount` of them have a row. */
  private readonly merged: TreeCursor[] = [];
  private readonly mergedPartitions: Partition[] = [];
  private mergeCount = 0;
  private current = 0;
  /** Of a list of keys. */
  readonly list: RowList = new RowList();

  // ---- Scan: partition after partition, rows in the order of their slots. Programs change rows only when the scan is over.

  openScan(partitions: readonly Partition[]): boolean {
    this.partitions = partitions;
    this.nextPartition = 0;
    return this.scanPartitions();
  }

  nextScan(): boolean {
    const bits = this.liveBits;
    if (bits === 0) return this.scanOn();
    this.liveBits = bits & (bits - 1);
    this.row = this.firstRow + 31 - Math.clz32(bits & -bits);
    return true;
  }

  /** To the first live row behind those of the word at hand. */
  private scanOn(): boolean {
    return this.scanFrom(this.firstRow + 32) || this.scanPartitions();
  }

  private scanFrom(first: number): boolean {
    const row = this.partition.nextLive(first);
    if (row < 0) return false;
    this.row = row;
    this.firstRow = row & ~31;
    if (row >>> 12 !== this.segment) this.enterSegment(row >>> 12);
    const bits = liveWord(this.partition, row);
    // Rows of the word before this one are not live.
    this.liveBits = bits & (bits - 1);
    return true;
  }

  private scanPartitions(): boolean {
    while (this.nextPartition < this.partitions.length) {
      this.partition = this.partitions[this.nextPartition++];
      this.segment = -1;
      if (this.scanFrom(0)) return true;
    }
    return false;
  }

  /** Looks up where the columns of a segment are, once for its rows: a load by row alone took a fifth of a scan. */
  private enterSegment(segment: number): void {
    const { i32, f64, columnRefs, nullRefs, isNullable } = this.partition;
    const columnCount = columnRefs.length;
    if (columnCount > this.columnBases.length) {
      this.columnBases = new Int32Array(columnCount);
      this.nullBases = new Int32Array(columnCount);
    }
    for (let column = 0; column < columnCount; column++) {
      const ref = columnRefs[column][segment];
      this.columnWords[column] = i32[ref >>> 26];
      this.columnBases[column] = (ref & 0x3ffffff) << 2;
      this.columnDoubles[column] = f64[ref >>> 26];
      if (isNullable[column] === 0) {
        this.nullWords[column] = NO_NULLS;
        this.nullBases[column] = 0;
        continue;
      }
      const nullRef = nullRefs[column][segment];
      this.nullWords[column] = i32[nullRef >>> 26];
      this.nullBases[column] = (nullRef & 0x3ffffff) << 2;
    }
    this.segment = segment;
  }

  // ---- Range: partition after partition, or merged in the order of the index.

  openRange(partitions: readonly Partition[], spec: RangeSpec, registers: RegisterFile): boolean {
    this.partitions = partitions;
    this.nextPartition = 0;
    this.spec = spec;
    if (spec.isOrdered && partitions.length > 1) return this.openMerged(registers);
    return this.rangePartitions(registers);
  }

  nextRange(registers: RegisterFile): boolean {
    if (this.spec.isOrdered && this.partitions.length > 1) return this.nextMerged();
    if (!this.range.next()) return this.rangePartitions(registers);
    this.row = this.range.row;
    return true;
  }

  /** Bounds are read again for each partition: their registers stay as they are while the range is read. */
  private rangePartitions(registers: RegisterFile): boolean {
    while (this.nextPartition < this.partitions.length) {
      const partition = this.partitions[this.nextPartition++];
      if (!this.range.open(partition, this.spec, registers)) continue;
      this.partition = partition;
      this.row = this.range.row;
      return true;
    }
    return false;
  }

  private openMerged(registers: RegisterFile): boolean {
    const { partitions, merged, mergedPartitions } = this;
    this.mergeCount = 0;
    for (let i = 0; i < partitions.length; i++) {
      if (this.mergeCount === merged.length) merged.push(new TreeCursor());
      if (!merged[this.mergeCount].open(partitions[i], this.spec, registers)) continue;
      mergedPartitions[this.mergeCount++] = partitions[i];
    }
    return this.choose();
  }

  private nextMerged(): boolean {
    if (!this.merged[this.current].next()) this.dropMerged(this.current);
    return this.choose();
  }

  /** A partition at its end goes behind those that have rows. */
  private dropMerged(at: number): void {
    const last = --this.mergeCount;
    const cursor = this.merged[at];
    this.merged[at] = this.merged[last];
    this.merged[last] = cursor;
    this.mergedPartitions[at] = this.mergedPartitions[last];
  }

  /** Stands on the first row of all partitions; a node has few, so each head is looked at. */
  private choose(): boolean {
    if (this.mergeCount === 0) return false;
    let best = 0;
    for (let i = 1; i < this.mergeCount; i++) {
      const order = this.merged[i].compare(this.merged[best]);
      if (this.spec.isDescending ? order > 0 : order < 0) best = i;
    }
    this.current = best;
    this.partition = this.mergedPartitions[best];
    this.row = this.merged[best].row;
    return true;
  }

  // ---- List of rows.

  openList(list: RowList): boolean {
    list.position = -1;
    return this.nextList(list);
  }

  nextList(list: RowList): boolean {
    const position = ++list.position;
    if (position >= list.count) return false;
    this.partition = list.partitions[position];
    this.row = list.rows[position];
    return true;
  }
}
