/** Replay of random logs with DDL in between: by one thread and by several, from the first record and behind a checkpoint. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Clock } from '../../base/effects.ts';
import { SqlError } from '../../base/errors.ts';
import { SystemClock, SystemRandom } from '../../base/files.ts';
import { Memory } from '../../base/memory.ts';
import { loadPartition } from '../../log/checkpoint/load.ts';
import { GroupWriter, RECORD_HEADER_BYTES, SECTION_ROWS, WAL_HEADER_BYTES } from '../../log/record.ts';
import { LogDamage } from '../../log/recover.ts';
import { Partition } from '../../storage/partition.ts';
import { checksum, verify } from '../../storage/verify.ts';
import { SeededRandom } from '../../testing/random.ts';
import { SimulatedFiles } from '../../testing/simulated-files.ts';
import { InlineEngine } from '../inline-engine.ts';
import { defaultSettings } from '../settings.ts';
import { IdentityCounters } from './identity-counters.ts';
import { beginRecovery, type ReplayProgress } from './recovery.ts';

const DIRECTORY = '/db';
const NODE_COUNT = 4;
const THREAD_COUNT = 3;
const SEED = Number(process.env.AMELIE_SEED ?? 20_310_704);
const STEPS = 120;

/** A table of the workload: keys that are there. */
type Model = { readonly name: string; readonly keys: Set<number>; indexCount: number };

/** Runs random statements on an engine over simulated files, as a user would; then the process ends without a word. */
class Workload {
  readonly files = new SimulatedFiles();
  readonly engine: InlineEngine;
  readonly #random: SeededRandom;
  readonly #tables: Model[] = [];
  #nextTable = 0;
  #nextKey = 0;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    this.engine = new InlineEngine({
      settings: { ...defaultSettings(DIRECTORY), timezone: 'UTC', memory_limit: 2 ** 28, wal_rotate_wm: 64 * 1024 },
      directory: DIRECTORY,
      nodeCount: NODE_COUNT,
      files: this.files,
      clock: new SystemClock(),
      random: new SystemRandom(),
      changeSetting: () => {},
    });
  }

  async run(sql: string): Promise<void> {
    await this.engine.execute(new TextEncoder().encode(sql), undefined, 'json');
  }

  async steps(count: number): Promise<void> {
    while (this.#tables.length < 2) await this.#createTable();
    for (let step = 0; step < count; step++) {
      const pick = this.#random.below(100);
      const table = this.#tables[this.#random.below(this.#tables.length)]!;
      if (pick < 45) await this.#insert(table);
      else if (pick < 70) await this.#change(table);
      else if (pick < 85) await this.run(`update ${table.name} set n = n + 1, s = s || 'x' where n % 7 = ${pick % 7}`);
      else if (pick < 90) await this.#createIndex(table);
      else if (pick < 93) await this.#dropIndex(table);
      else if (pick < 96 && this.#tables.length < 5) await this.#createTable();
      else if (pick < 98 && this.#tables.length > 2) await this.#dropTable(table);
      else await this.#insertLong(table);
    }
  }

  async #createTable(): Promise<void> {
    const name = `t${this.#nextTable++}`;
    const method = this.#random.oneIn(2) ? 'tree' : 'hash';
    await this.run(`create table ${name} (id serial primary key, n int, s text) with (type = '${method}')`);
    this.#tables.push({ name, keys: new Set(), indexCount: 0 });
  }

  async #dropTable(table: Model): Promise<void> {
    await this.run(`drop table ${table.name}`);
    this.#tables.splice(this.#tables.indexOf(table), 1);
  }

  async #createIndex(table: Model): Promise<void> {
    const keys = this.#random.oneIn(2) ? 'n' : 's, n';
    await this.run(`create index i${table.indexCount++} on ${table.name} (${keys})`);
  }

  async #dropIndex(table: Model): Promise<void> {
    if (table.indexCount > 0) await this.run(`drop index i${--table.indexCount} on ${table.name}`);
  }

  async #insert(table: Model): Promise<void> {
    const rows = Array.from({ length: 1 + this.#random.below(20) }, () => {
      const key = ++this.#nextKey;
      table.keys.add(key);
      return `(${key}, ${this.#random.below(50)}, 'text ${this.#random.below(1000)}')`;
    });
    await this.run(`insert into ${table.name} (id, n, s) values ${rows.join(', ')}`);
  }

  /** A value that is longer than a slot of the ring. */
  async #insertLong(table: Model): Promise<void> {
    const key = ++this.#nextKey;
    table.keys.add(key);
    await this.run(`insert into ${table.name} (id, n, s) values (${key}, 1, repeat('long', 90000))`);
    await this.run(`update ${table.name} set n = 2 where id = ${key}`);
  }

  async #change(table: Model): Promise<void> {
    const keys = [...table.keys];
    if (keys.length === 0) return;
    const first = keys[this.#random.below(keys.length)]!;
    const second = keys[this.#random.below(keys.length)]!;
    table.keys.delete(second);
    // One transaction over several partitions.
    await this.run(
      `update ${table.name} set n = n - 1 where id = ${first}; delete from ${table.name} where id = ${second}`,
    );
  }
}

type Options = {
  readonly clock?: Clock;
  readonly limitBytes?: number;
  readonly onProgress?: (p: ReplayProgress) => void;
};

/** What a start makes of the files: a line for each partition and counter, and the catalog. */
function recovered(files: SimulatedFiles, threadCount: number, options: Options = {}): string[] {
  const memory = Memory.create({ limitBytes: options.limitBytes ?? 2 ** 28, eagerArenas: true });
  const counters = new IdentityCounters(memory);
  const recovering = beginRecovery({
    files,
    logDirectory: join(DIRECTORY, 'wal'),
    checkpointFolder: join(DIRECTORY, 'checkpoint'),
    memory,
    counters,
    clock: options.clock ?? new SystemClock(),
    threadCount,
    threadsFromBytes: 0,
    ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
  });
  for (const job of recovering.jobs) loadPartition(files, memory, job);
  const { catalog, rowChangeCount, log } = recovering.finish();
  const lines = [`changes ${rowChangeCount}, LSN ${log.lastLsn}`];
  for (const table of catalog.tables) {
    lines.push(
      `${JSON.stringify({ ...table, partitions: [], identityRef: 0 })} next ${counters.next(table.identityRef)}`,
    );
    for (const definition of table.partitions) {
      const partition = Partition.open(memory, table, definition);
      verify(partition);
      lines.push(`${definition.id}: ${checksum(partition)}`);
    }
  }
  return lines;
}

test(`several threads come to the state of one, seed ${SEED}`, async () => {
  for (let round = 0; round < 2; round++) {
    const workload = new Workload(SEED + round);
    await workload.steps(STEPS);
    if (round === 1) {
      await workload.run('checkpoint');
      await workload.steps(STEPS / 2);
    }
    const alone = recovered(workload.files.clone(), 1);
    assert.ok(alone.length > 10);
    assert.deepEqual(recovered(workload.files.clone(), THREAD_COUNT), alone);
    // More threads than partitions have ids in a row, and one thread that has nothing.
    assert.deepEqual(recovered(workload.files.clone(), 5), alone);
  }
});

/** Adds a record with right checksums that inserts rows that are there; gives file and offset of it. */
function addWrongRecord(files: SimulatedFiles, lsn: number): { path: string; offset: number } {
  const wal = join(DIRECTORY, 'wal');
  const path = join(wal, files.list(wal).toSorted().at(-1)!);
  const handle = files.open(path, false);
  const bytes = new Uint8Array(files.size(handle));
  files.read(handle, bytes, 0, bytes.length, 0);
  const view = new DataView(bytes.buffer);
  let last = WAL_HEADER_BYTES;
  let end = last;
  while (end < bytes.length) {
    last = end;
    end += view.getUint32(end, true);
  }
  const start = last + RECORD_HEADER_BYTES;
  assert.equal(view.getUint32(start, true), SECTION_ROWS);
  const group = new GroupWriter(1024);
  group.begin(lsn + 1);
  group.addSection(SECTION_ROWS, bytes, start + 8, start + 8 + view.getUint32(start + 4, true));
  group.end();
  // And the beginning of one more, as a crash leaves it: nothing may be cut off.
  files.write(handle, group.bytes, 0, group.length, end);
  files.write(handle, group.bytes, 0, 16, end + group.length);
  files.close(handle);
  return { path, offset: end };
}

function contentsOf(files: SimulatedFiles): string[] {
  const wal = join(DIRECTORY, 'wal');
  return files.list(wal).map((name) => {
    const handle = files.openRead(join(wal, name));
    const bytes = new Uint8Array(files.size(handle));
    files.read(handle, bytes, 0, bytes.length, 0);
    files.close(handle);
    return `${name} ${Buffer.from(bytes).toString('base64')}`;
  });
}

test('a record that does not fit the data stops the start with file and offset, and nothing on disk changes', async () => {
  const workload = new Workload(SEED);
  await workload.steps(60);
  await workload.run(
    "create table last (id int primary key, s text); insert into last values (1, 'one')".split(';')[0]!,
  );
  await workload.run("insert into last values (1, 'one'), (2, 'two'), (3, 'three')");
  const { path, offset } = addWrongRecord(workload.files, workload.engine.database.control.lsn);
  const before = contentsOf(workload.files);
  for (const threadCount of [1, THREAD_COUNT]) {
    const files = workload.files.clone();
    assert.throws(
      () => recovered(files, threadCount),
      (error) =>
        error instanceof LogDamage &&
        error.message ===
          `${path}: offset ${offset}: the write-ahead log does not fit the data: an inserted row is there already`,
    );
    assert.deepEqual(contentsOf(files), before);
  }
});

test('memory that is too small for the log is an error, by one thread and by several', async () => {
  const workload = new Workload(SEED);
  await workload.steps(20);
  await workload.run('create table large (id int primary key, s text)');
  for (let id = 0; id < 40; id++) await workload.run(`insert into large values (${id}, repeat('large', 20000))`);
  for (const threadCount of [1, THREAD_COUNT])
    assert.throws(
      () => recovered(workload.files.clone(), threadCount, { limitBytes: 4 * 1024 * 1024 }),
      (error) => error instanceof SqlError && error.code === 'out_of_memory',
    );
});

test('progress is told at intervals of the clock that is given', async () => {
  const workload = new Workload(SEED);
  await workload.steps(100);
  let nowMs = 0;
  const clock: Clock = { nowMicroseconds: () => nowMs * 1000, monotonicMilliseconds: () => (nowMs += 500) };
  const told: ReplayProgress[] = [];
  recovered(workload.files.clone(), THREAD_COUNT, { clock, onProgress: (progress) => told.push(progress) });
  // A look at the clock a record, and 5 s between two reports.
  assert.ok(told.length >= 5, `${told.length} reports`);
  for (const [index, { lsn, byteCount, totalBytes, rowChangeCount }] of told.entries()) {
    const before = told[index - 1];
    assert.ok(before === undefined || (lsn - before.lsn === 10 && byteCount > before.byteCount));
    assert.ok(before === undefined || rowChangeCount >= before.rowChangeCount);
    assert.ok(byteCount <= totalBytes);
  }
});
