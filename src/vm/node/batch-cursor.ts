/** Stands on the rows of a batch, or of all batches of a round, that belong to partitions of this node, one after another. */

import { ARENA_BYTES } from '../../base/limits.ts';
import type { Memory } from '../../base/memory.ts';
import { BatchReader, batchRound, nextBatch } from '../../program/batch.ts';
import type { HashIndex } from '../../storage/hash.ts';
import type { Partition } from '../../storage/partition.ts';
import type { NodeStorage } from './part.ts';

/** Rows that are read ahead at the start of a batch; fewer than this make no difference to speak of. */
const READ_AHEAD_ROWS = 1024;
const ARENA_WORDS: number = ARENA_BYTES / 4;
export const READ_AHEAD_ROWS_MIN = 16;

export class BatchCursor {
  readonly reader: BatchReader;
  /** Ordinal of the row in the batch, and its partition. */
  row = -1;
  partition!: Partition;
  /** Ordinal of that partition. */
  private ordinal = 0;
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
  /** Of rows read ahead: hash of the key, where the search for it starts, ordinal of the partition. */
  private readonly hashes: Int32Array = new Int32Array(READ_AHEAD_ROWS);
  private readonly homes: Float64Array = new Float64Array(READ_AHEAD_ROWS);
  private readonly ordinals: Int32Array = new Int32Array(READ_AHEAD_ROWS);
  private readonly words: Float64Array = new Float64Array(READ_AHEAD_ROWS * 4);
  /** Rows of this node that next() has come to, and how many of the first of them have their place in `known`. */
  private passedCount = 0;
  private knownCount = 0;
  /** The row that had the key when the batch was read ahead, or -1. */
  private readonly known: Int32Array = new Int32Array(READ_AHEAD_ROWS);

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
    this.passedCount = 0;
    this.knownCount = 0;
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
    const { reader, hashes, homes, ordinals, words, known, hashed, partitions } = this;
    let count = 0;
    while (count < READ_AHEAD_ROWS && this.next()) {
      const index = hashed[this.ordinal];
      if (index === undefined) break;
      index.key.loadBatch(reader, this.partition);
      const hash = index.keyHash();
      hashes[count] = hash;
      homes[count] = index.homeWord(hash);
      ordinals[count] = this.ordinal;
      count++;
    }
    this.row = -1;
    this.passedCount = 0;
    this.touched ^= touch(this.memory.i32, homes, count);
    let wordCount = 0;
    let at = 0;
    for (; at < count; at++) {
      const partition = partitions[ordinals[at]!]!;
      if (wordCount + partition.columnRefs.length > words.length) break;
      const row = hashed[ordinals[at]!]!.guess(hashes[at]!, homes[at]!);
      known[at] = row;
      if (row >= 0) wordCount = partition.wordsOfRow(row, words, wordCount);
    }
    this.knownCount = at;
    this.touched ^= touch(this.memory.i32, words, wordCount);
  }

  /**
   * The stored row with the key of the row it stands on, or -1 where that has to be looked for: what was found when the batch
   * was read ahead. A batch is inserted by one statement, which takes no key away.
   */
  knownRow(): number {
    const { passedCount } = this;
    if (passedCount > this.knownCount) return -1;
    const row = this.known[passedCount - 1]!;
    if (row < 0) return -1;
    const index = this.hashed[this.ordinal]!;
    index.key.loadBatch(this.reader, this.partition);
    return index.hasKey(row) ? row : -1;
  }

  /** To the next row that is here; false at the end. */
  next(): boolean {
    const { reader } = this;
    do {
      while (++this.row < reader.rowCount) {
        const ordinal = reader.partitionOrdinal(this.row);
        const partition = this.isKnown[ordinal] === true ? this.partitions[ordinal] : this.find(ordinal);
        if (partition === undefined) continue;
        this.partition = partition;
        this.ordinal = ordinal;
        this.passedCount++;
        return true;
      }
    } while (this.following !== 0 && this.follow());
    return false;
  }

  private find(ordinal: number): Partition | undefined {
    const partition = this.storage.partitionByOrdinal(this.reader.tableId, ordinal);
    while (this.partitions.length <= ordinal) {
      this.partitions.push(undefined);
      this.hashed.push(undefined);
      this.isKnown.push(false);
    }
    this.partitions[ordinal] = partition;
    this.hashed[ordinal] = partition?.hashedKey();
    this.isKnown[ordinal] = true;
    return partition;
  }
}

/** Reads words given by arena and place. The result says nothing. */
function touch(i32: readonly Int32Array[], words: Float64Array, count: number): number {
  let mixed = 0;
  for (let index = 0; index < count; index++) {
    const arena = (words[index]! * (1 / ARENA_WORDS)) | 0;
    mixed ^= i32[arena]![words[index]! - arena * ARENA_WORDS]!;
  }
  return mixed;
}
