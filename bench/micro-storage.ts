/**
 * Costs of the storage in nanoseconds, in one thread: `node bench/micro-storage.ts [rows]`.
 *
 * Rows are `(id bigint primary key, k int, v int, s text of 11)`, in one partition. "hot" is a table that fits into the
 * caches: what the code costs. With 2 million rows a random lookup waits for memory two or three times; the latency of one
 * such wait on this machine is printed beside. Best of several runs, because other processes only ever add.
 */

import { createRegisters } from '../src/base/registers.ts';
import { column, index, newPartition, Rows, smallMemory, table, type Value } from '../src/storage/fixtures.ts';
import type { Partition } from '../src/storage/partition.ts';
import { encodeInsert } from '../src/storage/redo.ts';
import { RedoBuffer } from '../src/storage/redo-buffer.ts';
import { UndoLog } from '../src/storage/undo.ts';
import { BIGINT, INT, TEXT } from '../src/types/type.ts';

const ROWS = Number(process.argv[2] ?? 2_000_000);
const HOT_ROWS = 20_000;
const BATCH_ROWS = 300;
const LOOKUPS = 300_000;

const COLUMNS = [column('id', BIGINT, true), column('k', INT), column('v', INT), column('s', TEXT)];
const memory = smallMemory(4 * 1024 ** 3);
const undo = new UndoLog(memory);
const rows = new Rows(memory);
const redo = new RedoBuffer(memory);
const registers = createRegisters(4);
let sink = 0;

/** Runs once or more; the shortest, in nanoseconds an operation. */
function best(runs: number, run: () => number): string {
  let shortest = Number.POSITIVE_INFINITY;
  for (let count = 0; count < runs; count++) shortest = Math.min(shortest, run());
  return shortest.toFixed(0).padStart(6);
}

function timed(operations: number, run: () => void): number {
  const start = process.hrtime.bigint();
  run();
  return Number(process.hrtime.bigint() - start) / operations;
}

function ascending(number: number): number {
  return number;
}

/** Odd multipliers permute 32-bit integers. */
function scattered(number: number): number {
  return Math.imul(number, 0x9e3779b1) >>> 0;
}

function load(partition: Partition, count: number, key: (number: number) => number): number {
  const list: Value[][] = Array.from({ length: BATCH_ROWS }, () => [0, 0, 0, '']);
  let nanoseconds = 0;
  for (let first = 0; first < count; first += BATCH_ROWS) {
    list.forEach((row, at) => {
      row[0] = key(first + at);
      row[1] = at;
      row[2] = first;
      row[3] = `hello${String((first + at) % 1_000_000).padStart(6, '0')}`;
    });
    const batch = rows.batch(partition.table, list);
    nanoseconds += timed(1, () => {
      for (let at = 0; at < BATCH_ROWS; at++) partition.insertFromBatch(batch, at, undo);
      undo.release(undo.mark());
    });
  }
  return nanoseconds / count;
}

/** Random rows by key: state is advanced by the result, so that lookups wait for one another. */
function lookups(partition: Partition, count: number, key: (number: number) => number): number {
  let state = 1;
  return timed(LOOKUPS, () => {
    for (let at = 0; at < LOOKUPS; at++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      registers.num[0] = key(state % count);
      sink += partition.readInt32(partition.findPrimary(registers, 0), 2);
    }
  });
}

function memoryLatency(): number {
  const words = new Int32Array(1 << 25).fill(1);
  let state = 1;
  let word = 0;
  return timed(2_000_000, () => {
    for (let at = 0; at < 2_000_000; at++) {
      state = (Math.imul(state, 1664525) + 1013904223 + word) >>> 0;
      word = words[(state >>> 4) & (words.length - 1)]! - 1;
    }
    sink += word;
  });
}

console.log(`memory latency (128 MiB, random): ${memoryLatency().toFixed(0)} ns`);
for (const method of ['tree', 'hash'] as const) {
  const definition = table(COLUMNS, [index(1, [0], { isPrimary: true, method })]);
  for (const key of [ascending, scattered]) {
    const name = `${method} ${key.name}`;
    let partition = newPartition(memory, definition);
    const insertHot = best(12, () => {
      partition.drop();
      partition = newPartition(memory, definition);
      return load(partition, HOT_ROWS, key);
    });
    const lookupHot = best(8, () => lookups(partition, HOT_ROWS, key));
    const updateHot = best(8, () => {
      let state = 1;
      return timed(LOOKUPS, () => {
        for (let at = 0; at < LOOKUPS; at++) {
          state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
          registers.num[0] = key(state % HOT_ROWS);
          const row = partition.findPrimary(registers, 0);
          registers.num[1] = at;
          partition.update(row, [2], registers, 1, undo);
          undo.release(undo.mark());
        }
      });
    });
    const scan = best(8, () =>
      timed(partition.rowCount, () => {
        for (let row = partition.nextLive(0); row >= 0; row = partition.nextLive(row + 1)) {
          sink += partition.readInt32(row, 1);
        }
      }),
    );
    const undone = best(8, () => {
      const mark = undo.mark();
      return timed(partition.rowCount, () => {
        for (let row = 0; row < partition.rowEnd; row++) partition.delete(row, undo);
        undo.rollbackTo(mark);
      });
    });
    const logged = best(8, () =>
      timed(partition.rowCount, () => {
        for (let row = 0; row < partition.rowEnd; row++) {
          redo.begin();
          encodeInsert(redo, partition, row);
          redo.release(redo.mark());
        }
      }),
    );
    partition.drop();
    console.log(
      `${name}, hot: insert ${insertHot}, lookup ${lookupHot}, lookup + update ${updateHot}, scan ${scan}, delete + undo ${undone}, redo ${logged}`,
    );
    memory.flushCache();
    const before = memory.usedPages();
    partition = newPartition(memory, definition);
    const insert = load(partition, ROWS, key).toFixed(0).padStart(6);
    const lookup = best(3, () => lookups(partition, ROWS, key));
    memory.flushCache();
    const rowBytes = ((memory.usedPages() - before) * 16384) / ROWS;
    console.log(`${name}, ${ROWS} rows: insert ${insert}, lookup ${lookup}, ${rowBytes.toFixed(1)} bytes a row`);
    partition.drop();
  }
}
console.log(`(${sink % 10})`);
