/**
 * Readers of a shared table while its owner releases what deletions and updates gave up, which it does whenever it sees
 * that they are final: also in the middle of a part of another node. Here it does so, at each poll of a long read, and
 * whoever takes the pages that are free then writes all over them. A canary settles at once, instead of in the next fence.
 */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { SystemRandom } from '../base/files.ts';
import type { Memory } from '../base/memory.ts';
import { WORDS_PER_PAGE } from '../base/memory.ts';
import { Partition } from '../storage/partition.ts';
import { FileDatabase } from '../testing/file-database.ts';
import { SimulatedFiles } from '../testing/simulated-files.ts';
import { NodeRunner } from './node/node-runner.ts';

const ROW_COUNT = 40_000;
const READER = 1;

type Held = { undoMark: number; redoMark: number };

/** Between two parts, the nodes release nothing: it waits for a read to be in the middle of its part. */
class SlowRelease {
  /** Reads that were in the middle when something was released. */
  overtaken = 0;
  readonly #memory: Memory;
  readonly #held = new Map<NodeRunner, Held>();
  readonly #release = NodeRunner.prototype.release;
  readonly #partitions = new Set<Partition>();
  readonly #settlesAtOnce: boolean;

  constructor(context: TestContext, memory: Memory, settlesAtOnce: boolean) {
    this.#memory = memory;
    this.#settlesAtOnce = settlesAtOnce;
    const held = this.#held;
    context.mock.method(
      NodeRunner.prototype,
      'release',
      function (this: NodeRunner, undoMark: number, redoMark: number) {
        held.set(this, { undoMark, redoMark });
      },
    );
    const partitions = this.#partitions;
    const { release } = Partition.prototype;
    context.mock.method(Partition.prototype, 'release', function (this: Partition, ...given) {
      partitions.add(this);
      release.apply(this, given);
    } as typeof release);
    const { poll } = NodeRunner.prototype;
    const overtake = (reader: NodeRunner): void => this.#overtake(reader);
    context.mock.method(NodeRunner.prototype, 'poll', function (this: NodeRunner) {
      overtake(this);
      return poll.call(this);
    });
  }

  /** The other nodes go on while one reads. */
  #overtake(reader: NodeRunner): void {
    for (const [runner, { undoMark, redoMark }] of this.#held) {
      if (runner === reader) continue;
      this.#held.delete(runner);
      this.#release.call(runner, undoMark, redoMark);
      this.overtaken++;
    }
    if (this.#settlesAtOnce) for (const partition of this.#partitions) partition.settle();
    this.#soil();
  }

  /** Takes pages that are free, writes all over them, and gives them back. */
  #soil(): void {
    const memory = this.#memory;
    const taken: [page: number, pageCount: number][] = [];
    for (const pageCount of [1, 2, 4])
      for (let count = 0; count < 200; count++) taken.push([memory.allocate(pageCount), pageCount]);
    for (const [page, pageCount] of taken) {
      const start = (page & 0xffff) << 12;
      memory.i32[page >>> 16]!.fill(-1, start, start + pageCount * WORDS_PER_PAGE);
      memory.free(page, pageCount);
    }
  }
}

async function makeRows(): Promise<FileDatabase> {
  const db = new FileDatabase(new SimulatedFiles(), {}, 2);
  await db.run('create shared table s (id int primary key, n int, v text)');
  await db.run('create index by_n on s (n)');
  for (let first = 0; first < ROW_COUNT; first += 10_000) {
    const rows = Array.from({ length: 10_000 }, (_, at) => `(${first + at}, ${first + at}, 'text of ${first + at}')`);
    await db.run(`insert into s values ${rows.join(', ')}`);
  }
  return db;
}

/** What is deleted and changed, and reads of what is left: `[question, answer]`. */
const LEFT = Array.from({ length: ROW_COUNT / 8 }, (_, at) => at * 8);
const SUM = LEFT.reduce((sum, id) => sum + id, 0);
const TEXT_LENGTH = LEFT.reduce((sum, id) => sum + `TEXT OF ${id}`.length, 0);

const READS = {
  scan: {
    // The rows of the last segments: they are given back. Those before stay, and are more than a read polls at.
    change: 'delete from s where id >= 5000',
    question: 'select count(*), sum(id), sum(length(v)) from s',
    answer: `[[5000, ${(4999 * 5000) / 2}, ${Array.from({ length: 5000 }, (_, id) => `text of ${id}`.length).reduce((a, b) => a + b)}]]`,
  },
  'range of an index': {
    // One entry in eight is left: leaves are joined.
    change: 'delete from s where id % 8 <> 0',
    question: 'select count(*), sum(n) from s where n >= 0',
    answer: `[[${LEFT.length}, ${SUM}]]`,
  },
  'range, backwards': {
    change: 'delete from s where id % 8 <> 0',
    question: `select n from s where n >= 0 order by n desc limit ${ROW_COUNT}`,
    answer: JSON.stringify(LEFT.toReversed()).replaceAll(',', ', '),
  },
  texts: {
    // The values of before are free.
    change: "begin; delete from s where id % 8 <> 0; update s set v = 'TEXT OF ' || id::text; commit",
    question: "select count(*), sum(length(v)) from s where v >= 'TEXT OF ' and v < 'TEXT OG'",
    answer: `[[${LEFT.length}, ${TEXT_LENGTH}]]`,
  },
} as const;

for (const [name, { change, question, answer }] of Object.entries(READS)) {
  const read = async (context: TestContext, settlesAtOnce: boolean): Promise<string> => {
    const db = await makeRows();
    const release = new SlowRelease(context, db.engine.database.memory, settlesAtOnce);
    context.mock.method(SystemRandom.prototype, 'int32', () => READER);
    await db.run(change);
    const text = await db.run(question);
    assert.ok(release.overtaken > 0, 'the owner has released in the middle of the read');
    if (settlesAtOnce) return text;
    // The next fence settles, and everything is in order again.
    await db.run("insert into s values (-1, -1, 'last')");
    context.mock.restoreAll();
    await db.run('delete from s where id = -1');
    await db.run('select 1 from s');
    db.verify();
    assert.equal(await db.run(question), answer);
    return text;
  };

  test(`what the owner releases is nothing that a reader can see: ${name}`, async (context) => {
    assert.equal(await read(context, false), answer);
  });

  if (name === 'texts') continue;
  test(`canary: settling outside of a fence is noticed: ${name}`, async (context) => {
    const text = await read(context, true).catch((error: Error) => `${error}`);
    assert.notEqual(text, answer);
  });
}

test('what is put off is done by the next change of the table, or by a checkpoint', async () => {
  const mixed = 'begin; insert into d values (1); insert into s values (-1, 0, null); commit';
  for (const later of ['insert into s values (-1, 0, null)', mixed, 'checkpoint']) {
    const db = await makeRows();
    await db.run('create table d (id int primary key)');
    const { memory } = db.engine.database;
    const used = (): number => {
      db.engine.run();
      return memory.usedPages();
    };
    await db.run('delete from s where id >= 100');
    await db.run('select count(*) from s');
    const before = used();
    await db.run(later);
    assert.ok(before - used() > 40, `${later}: ${before - used()} pages are given back`);
    db.verify();
    assert.equal(await db.run('select count(*) from s where id >= 0'), '[100]');
  }
});
