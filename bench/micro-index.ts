/**
 * CREATE INDEX over rows that are there, in one thread: by sorting, as it is done, and by inserting the rows one by one, as it
 * is done where memory_limit leaves no room to sort. In turns; medians, in nanoseconds a row of CPU time:
 * `node bench/micro-index.ts [rows]`.
 */

import type { IndexDefinition } from '../src/catalog/catalog.ts';
import { BlockLoader } from '../src/storage/bulk-load.ts';
import { column, index, newPartition, Rows, smallMemory, table, type Value } from '../src/storage/fixtures.ts';
import { fillIndex, insertRows } from '../src/storage/index-build.ts';
import type { Partition } from '../src/storage/partition.ts';
import { BlockPacker } from '../src/storage/row-block.ts';
import { UndoLog } from '../src/storage/undo.ts';
import { BIGINT, DOUBLE, INT, TEXT } from '../src/types/type.ts';
import { median } from './report.ts';

const ROWS = Number(process.argv[2] ?? 1_000_000);
const ROUNDS = 5;
const BATCH_ROWS = 200;

const COLUMNS = [
  column('id', BIGINT, true),
  column('i', INT),
  column('few', INT),
  column('d', DOUBLE),
  column('s', TEXT),
];
const CASES: readonly (readonly [string, IndexDefinition])[] = [
  ['int, scattered', index(2, [1])],
  ['int, 100 values', index(2, [2])],
  ['bigint, ascending, unique', index(2, [0], { isUnique: true })],
  ['double, scattered', index(2, [3])],
  ['text of 11', index(2, [4])],
  ['int and text', index(2, [2, 4])],
  ['unique hash of bigint', index(2, [0], { method: 'hash', isUnique: true })],
];

const memory = smallMemory(4 * 2 ** 30);
const definition = table(COLUMNS, [index(1, [0], { isPrimary: true })]);

function fill(): Partition {
  const partition = newPartition(memory, definition);
  const rows = new Rows(memory);
  const undo = new UndoLog(memory);
  for (let first = 0; first < ROWS; first += BATCH_ROWS) {
    const list = Array.from({ length: BATCH_ROWS }, (_, at): Value[] => {
      const row = first + at;
      const scattered = Math.imul(row ^ (row >>> 13), 0x85ebca6b);
      return [
        row,
        scattered,
        scattered % 100,
        scattered / 7,
        `text${String((scattered >>> 0) % 10_000_000).padStart(7, '0')}`,
      ];
    });
    const batch = rows.batch(definition, list);
    for (let at = 0; at < BATCH_ROWS; at++) partition.insertFromBatch(batch, at, undo);
    undo.release(undo.mark());
  }
  return partition;
}

/** CPU nanoseconds a row. */
function timed(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / ROWS;
}

const source = fill();

/** The same rows in another partition, whose indexes are empty. */
function copied(added: IndexDefinition): Partition {
  const target = newPartition(memory, table(COLUMNS, [...definition.indexes, added]), 2);
  const packer = new BlockPacker(source, () => {});
  const loader = new BlockLoader(target);
  for (let count = packer.next(); count > 0; count = packer.next())
    loader.append(packer.bytes.slice(0, packer.byteLength), count);
  return target;
}

for (const [name, added] of CASES) {
  const sorted: number[] = [];
  const inserted: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (const [times, build] of [
      [sorted, (partition: Partition) => fillIndex(partition.indexes[1]!, true)],
      [inserted, (partition: Partition) => insertRows(partition.indexes[1]!)],
    ] as const) {
      const partition = copied(added);
      times.push(timed(() => build(partition)));
      partition.drop();
    }
  }
  const ratio = median(inserted) / median(sorted);
  console.log(
    `${name.padEnd(28)} sorted ${median(sorted).toFixed(0).padStart(5)}, inserted ${median(inserted).toFixed(0).padStart(5)} ns a row: ${ratio.toFixed(1)}×`,
  );
}
