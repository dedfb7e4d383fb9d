/** Stands on the rows of a batch, or of all batches of a round, that belong to partitions of this node, one after another. */

import type { Memory } from '../../base/memory.ts';
import { BatchReader, batchRound, nextBatch } from '../../program/batch.ts';
import { guessRow, type HashIndex, homeWord } from '../../storage/hash.ts';
import type { Partition } from '../../storage/partition.ts';
import type { NodeStorage } from './part.ts';

/** Rows that are read ahead at the start of a batch. */
const READ_AHEAD_ROWS = 1024;
/**
 * Of each of them, in words: 0 its ordinal in the batch, 1 the ordinal of its partition, 2 the bucket where its key is looked for,
 * 3 first the hash of the key, then the stored row with that key, or -1.
 */
const AHEAD_WORDS = 4;
const AHEAD_PARTITION = 1;
const AHEAD_BUCKET = 2;
const AHEAD_HASH = 3;
const AHEAD_KNOWN = 3;
/** Fewer than this make no difference to speak of. */
export const READ_AHEAD_ROWS_MIN = 16;

export class BatchCursor {
  readonly reader: BatchReader;
  /** Ordinal of the row in the batch, and its partition. */
  row = -1;
  partition!: Partition;
  /** By partition ordinal: what the node has of the table, and its primary key where that is a hash. */
  private readonly partitions: (Partition | undefined)[] = [];
  private readonly hashed: (HashIndex | undefined)[] = [];
  private readonly isKnown: boolean[] = [];
  private storage!: NodeStorage;
  /** The batch whose rows follow, 0 for none; and the round that they are of. */
  private following = 0;
  private round = 0;
  /** What was read ahead: kept so that reading it is not for nothing. */
  touched = 0;
  private readonly memory: Memory;
  /** How many rows of this node were read ahead, how many next() has come to, and what is known of each of them. */
  private aheadCount = 0;
  private passedCount = 0;
  private readonly ahead: Int32Array = new Int32Array(READ_AHEAD_ROWS * AHEAD_WORDS);
  /** Words of stored rows: arena, and index in it. */
  private readonly places: Int32Array = new Int32Array(READ_AHEAD_ROWS * 8);

  constructor(memory: Memory) {
    this.reader = new BatchReader(memory);
    this.memory = memory;
  }

  /** Stands before the first row of the batch at `ref`. */
  open(ref: number, storage: NodeStorage): void {
    this.reader.open(ref);
    this.storage = storage;
    this.partitions.length = 0;
    this.hashed.length = 0;
    this.isKnown.length = 0;
    this.row = -1;
    this.aheadCount = 0;
    this.passedCount = 0;
    this.following = 0;
  }

  /** Stands on the first row here of the round's batches of moved rows, `first` being the first of all; false without one. */
  openMoved(first: number, round: number, storage: NodeStorage): boolean {
    const { memory } = this;
    let ref = first;
    // Later rounds stand before it.
    while (ref !== 0 && batchRound(memory, ref) > round) ref = nextBatch(memory, ref);
    if (ref === 0 || batchRound(memory, ref) !== round) return false;
    this.open(ref, storage);
    this.round = round;
    this.following = nextBatch(memory, ref);
    return this.next();
  }

  /** To the next batch of the round. */
  private follow(): boolean {
    const ref = this.following;
    if (ref === 0 || batchRound(this.memory, ref) !== this.round) return false;
    this.reader.open(ref);
    this.row = -1;
    this.following = nextBatch(this.memory, ref);
    return true;
  }

  /**
   * Reads ahead what the rows of this node will meet where their keys are there already: entries of the primary key, then
   * the rows. A row alone waits for memory two or three times, one after the other. Here the waits overlap, as many as the
   * processor's window holds loads, so each loop does next to nothing beside its load.
   */
  readAhead(): void {
    const { reader, ahead, places, hashed, partitions } = this;
    const { i32 } = this.memory;
    let end = 0;
    for (
      let row = this.ownRow(0);
      row < reader.rowCount && end < ahead.length;
      row = this.ownRow(reader.nextOfNode(row))
    ) {
      const ordinal = reader.partitionOrdinal(row);
      const index = hashed[ordinal];
      if (index === undefined) return;
      const hash = index.batchHash(reader);
      ahead[end] = row;
      ahead[end + AHEAD_PARTITION] = ordinal;
      ahead[end + AHEAD_BUCKET] = index.bucketOf(hash);
      ahead[end + AHEAD_HASH] = hash;
      end += AHEAD_WORDS;
    }
    let mixed = 0;
    for (let at = 0; at < end; at += AHEAD_WORDS) {
      const bucket = ahead[at + AHEAD_BUCKET]!;
      mixed ^= i32[bucket >>> 16]![homeWord(bucket, ahead[at + AHEAD_HASH]!)]!;
    }
    let placesEnd = 0;
    for (let at = 0; at < end; at += AHEAD_WORDS) {
      const row = guessRow(i32, ahead[at + AHEAD_BUCKET]!, ahead[at + AHEAD_HASH]!);
      ahead[at + AHEAD_KNOWN] = row;
      if (row < 0 || placesEnd + 2 * reader.columnCount > places.length) continue;
      placesEnd = partitions[ahead[at + AHEAD_PARTITION]!]!.placesOfRow(row, places, placesEnd);
    }
    for (let at = 0; at < placesEnd; at += 2) mixed ^= i32[places[at]!]![places[at + 1]!]!;
    this.touched ^= mixed;
    for (let at = 0; at < end; at += AHEAD_WORDS) {
      const row = ahead[at + AHEAD_KNOWN]!;
      if (row < 0) continue;
      reader.seek(ahead[at]!);
      if (!hashed[ahead[at + AHEAD_PARTITION]!]!.hasBatchKey(reader, row)) ahead[at + AHEAD_KNOWN] = -1;
    }
    this.aheadCount = end / AHEAD_WORDS;
  }

  /**
   * The stored row with the key of the row it stands on, or -1 where that has to be looked for: what was found when the batch
   * was read ahead. A batch is inserted by one statement, which takes no key away.
   */
  knownRow(): number {
    const { passedCount } = this;
    return passedCount > this.aheadCount ? -1 : this.ahead[(passedCount - 1) * AHEAD_WORDS + AHEAD_KNOWN]!;
  }

  /** To the next row that is here; false at the end. */
  next(): boolean {
    const { reader, passedCount } = this;
    if (passedCount < this.aheadCount) {
      const at = passedCount * AHEAD_WORDS;
      this.stand(this.ahead[at]!, this.ahead[at + AHEAD_PARTITION]!);
      reader.seek(this.row);
      return true;
    }
    do {
      // A row of this node names the next one; the first of each page is looked for.
      const from = this.row < 0 ? 0 : this.row < reader.rowCount ? reader.nextOfNode(this.row) : reader.rowCount;
      this.row = this.ownRow(from);
      if (this.row < reader.rowCount) {
        this.stand(this.row, reader.partitionOrdinal(this.row));
        return true;
      }
    } while (this.following !== 0 && this.follow());
    return false;
  }

  /** The first row from `row` on that is here; rowCount where there is none. */
  private ownRow(row: number): number {
    const { reader, isKnown, partitions } = this;
    for (; row < reader.rowCount; row++) {
      const ordinal = reader.partitionOrdinal(row);
      if (isKnown[ordinal] !== true) this.find(ordinal);
      if (partitions[ordinal] !== undefined) break;
    }
    return row;
  }

  private stand(row: number, ordinal: number): void {
    this.row = row;
    this.partition = this.partitions[ordinal]!;
    this.passedCount++;
  }

  /** Finds out what the node has of a partition. */
  private find(ordinal: number): void {
    const partition = this.storage.partitionByOrdinal(this.reader.tableId, ordinal);
    while (this.partitions.length <= ordinal) {
      this.partitions.push(undefined);
      this.hashed.push(undefined);
      this.isKnown.push(false);
    }
    this.partitions[ordinal] = partition;
    this.hashed[ordinal] = partition?.hashedKey();
    this.isKnown[ordinal] = true;
  }
}
