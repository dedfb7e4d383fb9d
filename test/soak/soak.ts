/**
 * The soak test: a real server under mixed load for a long time, in phases. Between two phases nothing runs, and:
 *
 *   - the rows of every client are those that it has left, by its own model; indexes agree with tables
 *   - one checkpoint is there, and nothing unfinished; of the log only what is needed behind it
 *   - file descriptors, memory in use and partitions are what they were after the warm-up, or less
 *
 * The load keeps the number of rows about the same. At the end, and once before, behind the warm-up, all rows are deleted, then
 * all tables dropped: what partitions have then, and what is in use, is what has leaked, beside what any server keeps.
 */

import assert from 'node:assert/strict';
import { SHAPE_COUNT_MAX } from '../../src/base/limits.ts';
import type { HttpClient } from '../../src/bench/http-client.ts';
import { SeededRandom } from '../../src/testing/random.ts';
import { Database, until } from '../server/database.ts';
import { ACTORS, DEFINERS } from './actors.ts';
import { ROWS_COLUMNS, RowsActor } from './rows-actor.ts';
import { type Sample, sampleText, takeSample } from './samples.ts';

export type SoakOptions = {
  readonly seed: number;
  readonly seconds: number;
  /** Behind the warm-up, which has a third as many. */
  readonly phaseCount: number;
  readonly print: (line: string) => void;
};

const MIB = 1024 * 1024;
/** A heap keeps a page of each size it has met: with few partitions they have met all by the end of the warm-up. */
export const TABLES: readonly string[] = [
  `create table logged_rows (${ROWS_COLUMNS}) partitions 3`,
  'create index logged_by_n on logged_rows (n)',
  `create unlogged table unlogged_rows (${ROWS_COLUMNS}) partitions 3`,
  'create index unlogged_by_n on unlogged_rows (n)',
  // One partition, which all nodes read: its transactions are fences.
  `create shared table shared_rows (${ROWS_COLUMNS})`,
  'create index shared_by_n on shared_rows (n)',
  'create table imported (id int primary key, v text, doc json)',
];
const ROWS_TABLES: readonly string[] = ['logged_rows', 'unlogged_rows', 'shared_rows'];
const TABLE_NAMES: readonly string[] = [...ROWS_TABLES, 'imported'];
const OWNERS_A_TABLE = 3;
const ROTATE_BYTES = 1_000_000;
/** Share of the time for the warm-up. */
const WARM_UP_SHARE = 0.3;
/** Pages in the caches of the threads: 64 of 16 KiB each, which come and go; six threads and those of a checkpoint. */
const CACHES_BYTES = 8 * MIB;
/** Of two frontends. */
const STATEMENT_COUNT_MAX = 2 * SHAPE_COUNT_MAX;

/** Between two phases; with the programs that the frontends had kept until then. */
type RestSample = Sample & { readonly statementCount: number };

export type SoakResult = {
  readonly transactionCount: number;
  /** Between the phases behind the warm-up. */
  readonly samples: readonly Sample[];
};

export class SoakRun {
  readonly db: Database;
  readonly #options: SoakOptions;
  readonly #random: SeededRandom;
  #rows: RowsActor[] = [];
  #transactionCount = 0;

  private constructor(db: Database, options: SoakOptions) {
    this.db = db;
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
  }

  /** All of it; throws what is wrong, with the seed. */
  static async all(options: SoakOptions): Promise<SoakResult> {
    const db = await Database.start(
      `--wal_rotate_wm=${ROTATE_BYTES}`,
      '--checkpoint_interval=1 second',
      '--memory_limit=1000000000',
      '--format=json',
    );
    try {
      return await new SoakRun(db, options).#all();
    } catch (error) {
      throw new Error(`seed ${options.seed}`, { cause: error });
    } finally {
      await db.stop();
    }
  }

  async #all(): Promise<SoakResult> {
    const { seconds, phaseCount, print } = this.#options;
    const warmUpPhaseCount = Math.ceil(phaseCount / 3);
    const warmUp = await this.#era(warmUpPhaseCount, (seconds * WARM_UP_SHARE) / warmUpPhaseCount);
    const firstDeleted = await this.#deleteAll();
    const first = await this.#dropAll();
    const samples = await this.#era(phaseCount, (seconds * (1 - WARM_UP_SHARE)) / phaseCount);
    const lastDeleted = await this.#deleteAll();
    const last = await this.#dropAll();
    print(`${this.#transactionCount} transactions of the clients that change rows`);
    checkFlat(warmUp, samples);
    const [before, now] = [firstDeleted.partitionBytes, lastDeleted.partitionBytes];
    assert.ok(now <= before + 2 * MIB, `${before} bytes of partitions without rows grew to ${now}`);
    assert.ok(last.usedBytes <= first.usedBytes + CACHES_BYTES, `${first.usedBytes} bytes grew to ${last.usedBytes}`);
    assert.ok(last.residentBytes <= first.residentBytes * 1.25 + 64 * MIB, 'resident memory is flat');
    return { transactionCount: this.#transactionCount, samples };
  }

  /** Makes the tables, runs phases of load over them, checks and samples between them. */
  async #era(phaseCount: number, secondsEach: number): Promise<RestSample[]> {
    const { db } = this;
    for (const statement of TABLES) await db.text(statement);
    this.#rows = ROWS_TABLES.flatMap((table) =>
      Array.from(
        { length: OWNERS_A_TABLE },
        (_, owner) => new RowsActor(table, owner, new SeededRandom(this.#random.int32()), table !== 'shared_rows'),
      ),
    );
    for (const rows of this.#rows) await rows.fill(db.client);
    const samples: RestSample[] = [];
    for (let phase = 0; phase < phaseCount; phase++) {
      await this.#load(secondsEach * 1000);
      for (const rows of this.#rows) await rows.check(db);
      assert.equal(await db.text('select count(*) from imported'), '[0]');
      const sample = await this.#rest();
      samples.push(sample);
      this.#options.print(`phase ${phase + 1} of ${phaseCount}: ${sampleText(sample)}`);
    }
    this.#transactionCount += this.#rows.reduce((sum, { transactionCount }) => sum + transactionCount, 0);
    return samples;
  }

  async #load(durationMs: number): Promise<void> {
    const { db } = this;
    const http: HttpClient = db.newClient(this.#rows.length + ACTORS.length + DEFINERS.length);
    const startMs = performance.now();
    let hasFailed = false;
    const isOver = (): boolean => hasFailed || performance.now() > startMs + durationMs;
    const isHalfOver = (): boolean => hasFailed || performance.now() > startMs + durationMs / 2;
    const random = (): SeededRandom => new SeededRandom(this.#random.int32());
    const all = [
      ...this.#rows.map((rows) => rows.run(http, isOver)),
      ...ACTORS.map((actor) => actor(db, http, random(), isOver)),
      ...DEFINERS.map((actor) => actor(db, http, random(), isHalfOver)),
    ];
    const settled = await Promise.allSettled(
      all.map((running) =>
        running.catch((error: unknown) => {
          hasFailed = true;
          throw error;
        }),
      ),
    );
    http.close();
    for (const result of settled) if (result.status === 'rejected') throw result.reason;
  }

  /** Waits until a checkpoint has everything, and the connections of the load are gone; what there is then. */
  async #rest(): Promise<RestSample> {
    const { db } = this;
    const { length: statementCount } = (await db.rows('show statements')) as unknown[];
    assert.ok(statementCount <= STATEMENT_COUNT_MAX, `${statementCount} programs are kept`);
    // Each frontend lets its programs go when it meets another catalog.
    await db.text('create schema resting');
    await db.text('drop schema resting');
    await Promise.all(Array.from({ length: 32 }, () => db.text('select 1')));
    await db.text('checkpoint');
    let sample = { ...(await takeSample(db)), statementCount };
    let least = sample.descriptorCount;
    // Sockets that a client has closed are closed here a moment later; one of the log may be the next file's.
    await until(async () => {
      const before = sample;
      sample = { ...(await takeSample(db)), statementCount };
      const isAtRest = sample.descriptorCount >= least && sample.usedBytes === before.usedBytes;
      least = Math.min(least, sample.descriptorCount);
      return isAtRest;
    });
    const { checkpointNames } = sample;
    assert.equal(checkpointNames.length, 1, `checkpoints: ${checkpointNames}`);
    assert.match(checkpointNames[0]!, /^\d{20}(\.\d+)?$/);
    assert.ok(sample.walFileCount <= 2, `${sample.walFileCount} files of the log behind a checkpoint`);
    assert.ok(sample.walBytes <= 4 * ROTATE_BYTES, `${sample.walBytes} bytes of the log behind a checkpoint`);
    return sample;
  }

  /** Deletes all rows; what the partitions still have then. */
  async #deleteAll(): Promise<RestSample> {
    for (const name of TABLE_NAMES) await this.db.text(`delete from ${name}`);
    const sample = await this.#rest();
    assert.equal(sample.rowCount, 0);
    this.#options.print(`all deleted: ${sampleText(sample)}`);
    return sample;
  }

  /** Drops everything; what is still in use then. */
  async #dropAll(): Promise<RestSample> {
    for (const name of TABLE_NAMES) await this.db.text(`drop table ${name}`);
    const sample = await this.#rest();
    assert.equal(sample.partitionBytes, 0);
    this.#options.print(`all dropped: ${sampleText(sample)}`);
    return sample;
  }
}

function most(samples: readonly Sample[], value: (sample: Sample) => number): number {
  return Math.max(...samples.map(value));
}

/** Behind the warm-up nothing rises: the last third of the samples against the first, and those of the warm-up. */
export function checkFlat(warmUp: readonly Sample[], samples: readonly Sample[]): void {
  const late = samples.slice(-Math.ceil(samples.length / 3));
  const early = [...warmUp, ...samples.slice(0, late.length)];
  const check = (what: string, value: (sample: Sample) => number, factor: number, more: number): void => {
    const [before, now] = [most(early, value), Math.min(...late.map(value))];
    assert.ok(now <= before * factor + more, `${what} rose from ${before} to ${now}`);
  };
  check('bytes of partitions', ({ partitionBytes }) => partitionBytes, 1.1, MIB);
  check('bytes in use', ({ usedBytes }) => usedBytes, 1.1, CACHES_BYTES);
  check('resident bytes', ({ residentBytes }) => residentBytes, 1.1, 64 * MIB);
  check('bytes of a checkpoint', ({ checkpointBytes }) => checkpointBytes, 1.2, MIB);
  check('file descriptors', ({ descriptorCount }) => descriptorCount, 1, 2);
}
