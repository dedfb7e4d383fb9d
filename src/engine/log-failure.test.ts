/** A log whose disk fails, from the client's side: the whole engine in this thread, over simulated files. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../base/effects.ts';
import type { SqlError } from '../base/errors.ts';
import { LOG_TAIL, TAIL_CLEAN, TAIL_UNSAVED } from '../log/log-state.ts';
import { CHECKPOINTS, FileDatabase, WAL } from '../testing/file-database.ts';
import { SeededRandom } from '../testing/random.ts';
import { type Fault, SimulatedFiles } from '../testing/simulated-files.ts';
import type { SettingValues } from './settings.ts';

const TURNS_MAX = 2000;

/** Every look at it is `stepMs` later, so that nobody has to wait for a timeout. */
class HastyClock implements Clock {
  stepMs = 1;
  private ms = 0;

  nowMicroseconds(): number {
    return 1_900_000_000_000_000 + this.ms * 1000;
  }

  monotonicMilliseconds(): number {
    this.ms += this.stepMs;
    return this.ms;
  }
}

class TestDatabase extends FileDatabase {
  readonly clock: HastyClock;
  readonly given: Partial<SettingValues>;

  constructor(files: SimulatedFiles, given: Partial<SettingValues>) {
    const clock = new HastyClock();
    super(files, { memory_limit: 2 ** 28, ...given }, 2, clock);
    this.clock = clock;
    this.given = given;
  }

  /** The code of the error of a request; '' where it succeeds. */
  async codeOf(sql: string): Promise<string> {
    return await this.run(sql).then(
      () => '',
      (error: SqlError) => error.code,
    );
  }

  ids(): Promise<string> {
    return this.run('select id from t order by id');
  }

  /** The next process on the same disk, or on another. */
  next(files: SimulatedFiles = this.files.clone()): TestDatabase {
    return new TestDatabase(files, this.given);
  }

  failAll(fault: Fault | undefined, isMeant: (name: string) => boolean): void {
    this.files.fault = (_operation, name) => (isMeant(name) ? fault : undefined);
  }

  heal(): void {
    this.files.fault = () => undefined;
  }

  get tail(): number {
    return this.engine.database.control.logState[LOG_TAIL]!;
  }

  /** Tries to write until it is taken. */
  async writeAgain(id: number): Promise<void> {
    for (let turn = 0; turn < TURNS_MAX; turn++) {
      if ((await this.codeOf(`insert into t values (${id})`)) === '') return;
      this.clock.stepMs = 100;
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.fail('writes come back');
  }
}

async function makeDatabase(given: Partial<SettingValues>): Promise<TestDatabase> {
  const db = new TestDatabase(new SimulatedFiles(), given);
  await db.run('create table t (id int primary key)');
  for (let id = 1; id <= 5; id++) await db.run(`insert into t values (${id})`);
  return db;
}

test('a full disk: log_failure, reads go on, and writes come back when there is room', async () => {
  const db = await makeDatabase({});
  db.failAll('error', (name) => name === 'write');
  assert.equal(await db.codeOf('insert into t values (6)'), 'log_failure');
  assert.equal(await db.ids(), '[1, 2, 3, 4, 5]');
  assert.equal(await db.codeOf('create table u (id int primary key)'), 'log_failure');
  db.heal();
  await db.writeAgain(7);
  assert.equal(await db.ids(), '[1, 2, 3, 4, 5, 7]');
  assert.equal(await db.next().ids(), '[1, 2, 3, 4, 5, 7]');
  assert.deepEqual(db.files.list(CHECKPOINTS), []);
});

for (const syncOnWrite of [true, false]) {
  const given = {
    wal_sync_on_write: syncOnWrite,
    wal_sync_on_rotate: true,
    wal_rotate_wm: syncOnWrite ? 2 ** 20 : 4096,
  };
  /** Makes a sync fail: with a record to sync, or with a full file. */
  const failSync = async (
    db: TestDatabase,
    isMeant = (name: string): boolean => name === 'sync',
  ): Promise<string[]> => {
    db.failAll('error', isMeant);
    db.clock.stepMs = 100;
    const codes: string[] = [];
    for (let id = 100; id < 300 && db.tail === TAIL_CLEAN; id++)
      codes.push(await db.codeOf(`insert into t values (${id})`));
    return codes;
  };

  test(`a failed sync, sync on write ${syncOnWrite}: writes come back behind a checkpoint`, async () => {
    const db = await makeDatabase(given);
    const codes = await failSync(db, (name) => name === 'sync' || name === 'create');
    db.heal();
    const acknowledged = codes.filter((code) => code === '').length;
    assert.ok(syncOnWrite ? acknowledged === 0 : acknowledged > 10, `${acknowledged} were taken`);
    const expected = [1, 2, 3, 4, 5, ...Array.from({ length: acknowledged }, (_, index) => 100 + index)];
    assert.equal(await db.ids(), `[${expected.join(', ')}]`);
    assert.equal(await db.next().ids(), `[${expected.join(', ')}]`);
    await db.writeAgain(1000);
    assert.equal(db.tail, TAIL_CLEAN);
    const [checkpoint] = db.files.list(CHECKPOINTS);
    assert.ok(checkpoint !== undefined, 'there is a checkpoint');
    assert.equal(db.files.list(WAL).length, 1, 'the file of the failed sync is gone');
    assert.equal(await db.ids(), `[${[...expected, 1000].join(', ')}]`);
    assert.equal(await db.next().ids(), `[${[...expected, 1000].join(', ')}]`);
  });

  test(`a failed sync, sync on write ${syncOnWrite}, and a checkpoint that fails for a while`, async () => {
    const db = await makeDatabase(given);
    await failSync(db);
    const before = await db.ids();
    // The new file can be made, the checkpoint cannot.
    db.failAll('error', (name) => name === 'rename');
    for (let turn = 0; turn < 40; turn++) {
      assert.equal(await db.codeOf('insert into t values (900)'), 'log_failure');
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(db.tail, TAIL_UNSAVED);
    assert.equal(await db.ids(), before);
    assert.equal(await db.next().ids(), before);
    db.heal();
    await db.writeAgain(901);
    assert.equal(await db.next().ids(), await db.ids());
  });

  test(`the power goes at every operation from a failed sync to the next write, sync on write ${syncOnWrite}`, async () => {
    const seed = 20_311_004;
    const random = new SeededRandom(seed);
    const base = await makeDatabase(given);
    const starts = base.files;
    let checkedCount = 0;
    const places = new Set<string>();
    for (let ending = 0; ending < 100; ending++) {
      const db = new TestDatabase(starts.clone(), given);
      let isFailing = true;
      let left = -1;
      let disk: SimulatedFiles | undefined;
      const acknowledged = new Set<number>([1, 2, 3, 4, 5]);
      const refused = new Set<number>();
      let known: { readonly acknowledged: Set<number>; readonly refused: Set<number> } | undefined;
      db.files.fault = (_operation, name) => {
        if (isFailing && name === 'sync') {
          isFailing = false;
          left = ending;
          return 'error';
        }
        if (left-- === 0) {
          disk = random.oneIn(3) ? db.files.clone() : db.files.afterPowerLoss(random);
          known = { acknowledged: new Set(acknowledged), refused: new Set(refused) };
          places.add(`${name} ${db.tail}`);
        }
        return undefined;
      };
      for (
        let id = 100;
        id < 2000 && disk === undefined && (isFailing || id % 2 === 0 || db.tail !== TAIL_CLEAN);
        id++
      ) {
        const code = await db.codeOf(`insert into t values (${id})`);
        if (code === '') acknowledged.add(id);
        else if (code === 'log_failure') refused.add(id);
        db.clock.stepMs = 50;
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (disk === undefined) break;
      const again = db.next(disk);
      const found = new Set<number>(JSON.parse(await again.ids()));
      const where = `seed ${seed}, ends at ${ending}`;
      for (const id of known!.refused) assert.ok(!found.has(id), `${where}: ${id} was refused`);
      const lost = [...known!.acknowledged].filter((id) => !found.has(id));
      if (syncOnWrite) assert.deepEqual(lost, [], `${where}: lost`);
      // Without a sync of each a power loss may take the last ones.
      else
        assert.ok(
          lost.every((id) => [...found].every((other) => other < id)),
          `${where}: ${lost} lost`,
        );
      await again.writeAgain(5000);
      found.add(5000);
      assert.deepEqual(JSON.parse(await again.next().ids()), [...found], where);
      checkedCount++;
    }
    assert.ok(checkedCount > 12, `${checkedCount} operations`);
    assert.ok(places.size > 5, [...places].join(', '));
  });
}

test('what can neither be cut nor begun anew within 5 s is commit_unknown, and its log goes on later', async () => {
  const db = await makeDatabase({});
  db.clock.stepMs = 100;
  db.failAll('error', () => true);
  db.files.shortBytes = (byteCount) => byteCount;
  // The record is written, and then nothing works any more.
  let isFirst = true;
  db.files.fault = () => {
    if (!isFirst) return 'error';
    isFirst = false;
    return undefined;
  };
  db.files.write = ((write) => (handle, bytes, offset, byteCount, position) => {
    write(handle, bytes, offset, byteCount, position);
    throw new Error('EIO: written, but it fails');
  })(db.files.write.bind(db.files)) as SimulatedFiles['write'];
  assert.equal(await db.codeOf('insert into t values (6)'), 'commit_unknown');
  assert.equal(await db.ids(), '[1, 2, 3, 4, 5]');
  assert.equal(await db.codeOf('insert into t values (7)'), 'log_failure');
  assert.equal(await db.codeOf('create table u (id int primary key)'), 'log_failure');
  // It is in the log, as its client was told.
  assert.equal(await db.next().ids(), '[1, 2, 3, 4, 5, 6]');
  db.files.write = SimulatedFiles.prototype.write;
  db.heal();
  await db.writeAgain(8);
  assert.equal(await db.next().ids(), '[1, 2, 3, 4, 5, 8]');
});

test('the record of a definition that may be in the log: its client waits, and then nobody knows', async () => {
  const db = await makeDatabase({ wal_sync_on_write: true });
  db.clock.stepMs = 100;
  db.failAll('error', (name) => name !== 'write');
  assert.equal(await db.codeOf('create table u (id int primary key)'), 'commit_unknown');
  assert.equal(await db.codeOf('select * from u'), 'unknown_table');
  db.heal();
  await db.writeAgain(6);
  assert.equal(await db.codeOf('select * from u'), 'unknown_table');
  assert.equal(await db.next().codeOf('select * from u'), 'unknown_table');
  const other = await makeDatabase({ wal_sync_on_write: true });
  let left = 1;
  other.files.fault = (_operation, name) => (name === 'sync' && left-- > 0 ? 'error' : undefined);
  assert.equal(await other.codeOf('create table u (id int primary key)'), 'log_failure');
  await other.writeAgain(6);
  assert.equal(await other.next().codeOf('select * from u'), 'unknown_table');
});

test('a checkpoint whose rename cannot be synced has not happened', async () => {
  const db = await makeDatabase({ wal_sync_on_write: true });
  const syncs: string[] = [];
  const syncDirectory = db.files.syncDirectory.bind(db.files);
  db.files.syncDirectory = (directory) => {
    syncs.push(directory);
    if (directory === CHECKPOINTS) throw new Error('EIO: sync failed');
    syncDirectory(directory);
  };
  assert.equal(await db.codeOf('checkpoint'), 'checkpoint_failure');
  assert.ok(syncs.includes(CHECKPOINTS));
  assert.deepEqual(
    db.files.list(CHECKPOINTS).filter((name) => !name.endsWith('.incomplete')),
    [],
  );
  assert.deepEqual(db.next().files.list(CHECKPOINTS), []);
  assert.equal(await db.next().ids(), '[1, 2, 3, 4, 5]');
  // Where it cannot be taken back either, a start uses it, and makes it durable before anything before it goes.
  let hasRenamed = false;
  db.files.rename = (from, to) => {
    if (hasRenamed) throw new Error('EIO: rename failed');
    hasRenamed = true;
    SimulatedFiles.prototype.rename.call(db.files, from, to);
  };
  assert.equal(await db.codeOf('checkpoint'), 'checkpoint_failure');
  const random = new SeededRandom(5);
  for (let ending = 0; ending < 12; ending++) {
    const disk = db.files.clone();
    let left = ending;
    let lost: SimulatedFiles | undefined;
    disk.fault = () => {
      if (left-- === 0) lost = disk.afterPowerLoss(random);
      return undefined;
    };
    assert.equal(await db.next(disk).ids(), '[1, 2, 3, 4, 5]');
    if (lost !== undefined) assert.equal(await db.next(lost).ids(), '[1, 2, 3, 4, 5]', `ends at ${ending}`);
  }
});
