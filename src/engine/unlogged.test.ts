/** Unlogged tables: no row of them is in the log, a checkpoint keeps them, and a start brings back what it kept. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHECKPOINTS, FileDatabase, nameOf, WAL } from '../testing/file-database.ts';
import { SeededRandom } from '../testing/random.ts';
import { SimulatedFiles } from '../testing/simulated-files.ts';

const ALL = 'select * from u order by id';

function walContains(files: SimulatedFiles, text: string): boolean {
  return files.list(WAL).some((name) => Buffer.from(files.contents(`${WAL}/${name}`)).includes(text));
}

async function withRows(given = {}): Promise<FileDatabase> {
  const db = new FileDatabase(new SimulatedFiles(), given);
  await db.run('create unlogged table u (id int primary key, v text)');
  await db.run("insert into u values (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd')");
  return db;
}

test('without a checkpoint a start finds the definition and no rows', async () => {
  const db = new FileDatabase();
  await db.run('create schema s');
  await db.run('create unlogged table s.u (id serial primary key, v text)');
  await db.run('create index by_v on s.u (v)');
  const lsn = db.lsn;
  const { writes } = db.engine.database.control.logCounters();
  assert.equal(await db.run("insert into s.u (v) values ('not in the log'), ('b') returning id"), '[0, 1]');
  await db.run("update s.u set v = 'changed' where id = 1");
  await db.run('delete from s.u where id = 0');
  assert.equal(db.lsn, lsn);
  assert.equal(db.engine.database.control.logCounters().writes, writes);
  assert.ok(!walContains(db.files, 'not in the log'));
  db.verify();
  const restarted = db.restarted();
  restarted.verify();
  const shown = '[{"schema": "s", "name": "u", "shared": false, "unlogged": true}]';
  assert.equal(await restarted.run('show tables'), shown);
  assert.match(await restarted.run("explain select * from s.u where v = 'b'"), /"index": "by_v"/);
  assert.equal(await restarted.run('select * from s.u'), '[]');
  // No row has a value of before, so they are given again.
  assert.equal(await restarted.run("insert into s.u (v) values ('again') returning id"), '[0]');
});

test('of a transaction over both kinds only the logged rows are in the log', async () => {
  const db = new FileDatabase();
  await db.run('create table logged (id int primary key, v text)');
  await db.run('create unlogged table u (id int primary key, v text)');
  const lsn = db.lsn;
  await db.run("insert into u values (1, 'secret of u'); insert into logged values (1, 'kept'), (2, 'kept too')");
  assert.equal(db.lsn, lsn + 1);
  assert.equal(db.engine.database.control.logCounters().operations, 4);
  assert.ok(walContains(db.files, 'kept too') && !walContains(db.files, 'secret of u'));
  const restarted = db.restarted();
  assert.equal(await restarted.run('select id from logged order by id'), '[1, 2]');
  assert.equal(await restarted.run(ALL), '[]');
});

test('a checkpoint keeps them; one of the same LSN gets a number, and the one before it goes', async () => {
  const db = await withRows();
  await db.run('checkpoint');
  const { lsn } = db;
  assert.deepEqual(db.checkpoints(), [nameOf(lsn)]);
  const operations = db.files.operationCount;
  await db.run('checkpoint');
  assert.equal(db.files.operationCount, operations, 'without changes it does nothing');
  await db.run("update u set v = 'changed' where id = 1");
  await db.run('insert into u values (5, null)');
  await db.run('checkpoint');
  assert.deepEqual(db.checkpoints(), [nameOf(lsn, 2)]);
  assert.equal(await db.run('show checkpoint'), `[${lsn}]`);
  const second = await db.run(ALL);
  await db.run('delete from u where id = 2');
  const restarted = db.restarted();
  restarted.verify();
  assert.equal(await restarted.run(ALL), second);
  const afterStart = restarted.files.operationCount;
  await restarted.run('checkpoint');
  assert.equal(restarted.files.operationCount, afterStart, 'what was loaded is no change');
  await restarted.run('delete from u where id = 3');
  await restarted.run('checkpoint');
  assert.deepEqual(restarted.checkpoints(), [nameOf(lsn, 3)]);
  await restarted.run('create table other (id int primary key)');
  await restarted.run('checkpoint');
  assert.deepEqual(restarted.checkpoints(), [nameOf(lsn + 1)]);
  assert.equal(await restarted.restarted().run('select id from u order by id'), '[1, 2, 4, 5]');
});

test('the interval sees changes of unlogged tables', async () => {
  const db = await withRows({ checkpoint_interval: '1 ms' });
  const until = async (name: string): Promise<void> => {
    const deadlineMs = performance.now() + 20_000;
    while (db.checkpoints().join() !== name) {
      assert.ok(performance.now() < deadlineMs, `${db.checkpoints()} is not ${name}`);
      await db.run('select 1');
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await until(nameOf(db.lsn));
  await db.run('delete from u');
  await until(nameOf(db.lsn, 2));
  assert.equal(await db.restarted().run(ALL), '[]');
});

test('what fails, or finds nothing to change, is no change', async () => {
  const db = await withRows();
  await db.run('create table logged (id int primary key)');
  await db.run('checkpoint');
  const operations = db.files.operationCount;
  // The rows are on different nodes, so the ones that were inserted are rolled back.
  await db.fails("insert into u values (10, 'x'), (11, 'x'), (12, 'x'), (13, 'x'), (1, 'twice')", 'key_conflict');
  await db.fails("insert into u values (10, 'x'); select 1 / (id - 1) from u", 'zero_division');
  await db.run("update u set v = 'x' where id > 100");
  await db.run("insert into u values (1, 'x') on conflict do nothing");
  await db.run('delete from u where id = 10');
  await db.run('checkpoint');
  assert.equal(db.files.operationCount, operations);
  db.verify();
  await db.fails('insert into u values (10, null); insert into logged values (1), (2), (3), (1)', 'key_conflict');
  await db.run('checkpoint');
  assert.equal(db.files.operationCount, operations);
  assert.equal(await db.run('select id from u order by id'), '[1, 2, 3, 4]');
});

test('every operation of a checkpoint of the same LSN fails once: it is tried again, and the one before stays', async () => {
  const db = await withRows();
  await db.run('checkpoint');
  const { lsn } = db;
  let saved = await db.run(ALL);
  for (let failing = 0; ; failing++) {
    assert.ok(failing < 200, 'the operations of a checkpoint come to an end');
    await db.run(`insert into u values (${100 + failing}, 'more')`);
    const current = await db.run(ALL);
    let left = failing;
    db.files.fault = () => (left-- === 0 ? 'error' : undefined);
    const failed = await db.run('checkpoint').then(
      () => undefined,
      (error: { code: string }) => error.code,
    );
    const hasFailed = left < 0;
    db.files.fault = () => undefined;
    assert.ok(failed === undefined || failed === 'checkpoint_failure', `${failed}`);
    const restarted = db.restarted();
    restarted.verify();
    const found = await restarted.run(ALL);
    if (failed === undefined) assert.equal(found, current);
    // A rename whose sync has failed may stand.
    else assert.ok(found === saved || found === current);
    assert.ok(restarted.checkpoints().every((name) => !name.endsWith('.incomplete')));
    assert.equal(restarted.checkpoints().length, 1);
    assert.equal(await db.run(ALL), current);
    await db.run('checkpoint');
    // One that is written has nothing to do again, so what it could not remove stays until the next one.
    if (failed !== undefined) assert.equal(db.checkpoints().length, 1);
    assert.ok(
      db
        .checkpoints()
        .at(-1)!
        .startsWith(`${nameOf(lsn)}.`),
    );
    saved = current;
    assert.equal(await db.restarted().run(ALL), saved, 'a checkpoint that failed has not taken the change away');
    if (!hasFailed) break;
  }
});

test('the power goes at every operation of a checkpoint of the same LSN: the start finds the one before, or the new one', async () => {
  const seed = 20_311_105;
  const random = new SeededRandom(seed);
  const given = { wal_sync_on_write: true };
  const base = await withRows(given);
  await base.run('checkpoint');
  const before = await base.run(ALL);
  const names = new Set<string>();
  for (let at = 0; at < 200; at++) {
    const db = base.restarted(given);
    await db.run("update u set v = 'changed' where id < 4");
    const after = await db.run(ALL);
    let left = at;
    let lost: SimulatedFiles | undefined;
    db.files.fault = () => {
      if (left-- === 0) lost = db.files.afterPowerLoss(random);
      return undefined;
    };
    await db.run('checkpoint');
    if (lost === undefined) break;
    const restarted = new FileDatabase(lost, given);
    restarted.verify();
    const newest = restarted.checkpoints().at(-1)!;
    const expected = newest === nameOf(db.lsn, 2) ? after : before;
    assert.equal(await restarted.run(ALL), expected, `seed ${seed}, operation ${at}: ${newest}`);
    names.add(restarted.checkpoints().join());
    // The next one replaces whatever is there.
    await restarted.run('delete from u');
    await restarted.run('checkpoint');
    assert.equal(restarted.checkpoints().length, 1);
    assert.equal(await restarted.restarted(given).run(ALL), '[]');
  }
  // The old one; the new one.
  assert.ok(names.has(nameOf(base.lsn)) && names.has(nameOf(base.lsn, 2)), [...names].join(' | '));
});

test('where two of one LSN are left, the start takes the later one and removes the other', async () => {
  const db = await withRows();
  await db.run('checkpoint');
  const older = db.files.clone();
  const directory = `${CHECKPOINTS}/${nameOf(db.lsn)}`;
  await db.run('delete from u where id = 1');
  await db.run('checkpoint');
  for (const name of older.list(directory)) {
    db.files.makeDirectory(directory);
    db.files.close(db.files.open(`${directory}/${name}`, true));
    db.files.setContents(`${directory}/${name}`, older.contents(`${directory}/${name}`));
  }
  assert.deepEqual(db.checkpoints(), [nameOf(db.lsn), nameOf(db.lsn, 2)]);
  const restarted = db.restarted();
  assert.equal(await restarted.run('select id from u order by id'), '[2, 3, 4]');
  assert.deepEqual(restarted.checkpoints(), [nameOf(db.lsn, 2)]);
});

test('definitions behind the checkpoint meet the rows that it kept', async () => {
  const db = await withRows();
  await db.run('create schema s');
  for (const name of ['gone', 's.gone']) {
    await db.run(`create unlogged table ${name} (id serial primary key, v text)`);
    await db.run(`insert into ${name} (v) values ('old'), ('old')`);
  }
  await db.run('checkpoint');
  await db.run("insert into u values (5, 'e')");
  await db.run('create index by_v on u (v desc)');
  await db.run('drop table gone');
  await db.run('create unlogged table gone (id serial primary key, w int)');
  await db.run('insert into gone (w) values (7), (8)');
  await db.run('drop schema s cascade');
  const restarted = db.restarted();
  restarted.verify();
  assert.match(await restarted.run("explain select id from u where v >= ''"), /"index": "by_v"/);
  assert.equal(await restarted.run("select id from u where v >= '' order by v"), '[1, 2, 3, 4]');
  assert.equal(await restarted.run('select * from gone'), '[]');
  assert.equal(await restarted.run('insert into gone (w) values (9) returning *'), '[[0, 9]]');
  await restarted.fails('select * from s.gone', 'unknown_schema');
});

test('identity values go on behind the highest one that came back', async () => {
  const db = new FileDatabase();
  await db.run('create unlogged table counted (id serial primary key, v int)');
  await db.run('insert into counted (v) values (1), (2), (3)');
  await db.run('delete from counted where id = 2');
  await db.run('checkpoint');
  await db.run('insert into counted (v) values (4), (5)');
  await db.run('insert into counted values (100, 6)');
  const restarted = db.restarted();
  assert.equal(await restarted.run('select id from counted order by id'), '[0, 1]');
  assert.equal(await restarted.run('insert into counted (v) values (7) returning id'), '[3]');
});

test('while the log takes no writes, unlogged tables take none either; what waited for the log is undone with it', async () => {
  const db = await withRows();
  await db.run('create table logged (id int primary key)');
  const before = await db.run(ALL);
  db.files.fault = (_operation, name) => (name === 'write' ? 'error' : undefined);
  // All of them are in one group, or behind it: none may be answered as if it had happened.
  const results = await Promise.allSettled([
    db.run('insert into logged values (1)'),
    db.run("update u set v = 'seen' where id = 1"),
    db.run("insert into u values (50, 'only unlogged')"),
    db.run('insert into u values (51, null); insert into logged values (2)'),
  ]);
  for (const result of results) assert.equal(result.status, 'rejected');
  await db.fails('delete from u', 'log_failure');
  assert.equal(await db.run(ALL), before);
  assert.equal(await db.run('select count(*) from logged'), '[0]');
  db.files.fault = () => undefined;
  await db.run("update u set v = 'again' where id = 1");
  assert.equal(await db.run('select v from u where id = 1'), '["again"]');
  db.verify();
});

test('a checkpoint beside transactions has both kinds of tables as they were after one LSN', async () => {
  const db = new FileDatabase();
  await db.run('create table logged (id int primary key, n int)');
  await db.run('create unlogged table u (id int primary key, n int, filler text)');
  const rows = Array.from({ length: 9000 }, (_, id) => `(${id}, 0, 'filler of ${id}')`);
  await db.run(`insert into u values ${rows.join(', ')}`);
  await db.run('insert into logged values (0, 0)');
  let n = 0;
  const change = async (): Promise<void> => {
    n++;
    await db.run(
      `update logged set n = ${n}; update u set n = ${n}, filler = 'changed ${n}' where id in (1, 2500, 5000, 8999)`,
    );
  };
  for (let round = 0; round < 3; round++) {
    await change();
    const at = n;
    let isOver = false;
    const written = db.run('checkpoint').then(() => {
      isOver = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    while (!isOver) {
      await change();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await written;
    const restarted = db.restarted();
    restarted.verify();
    const kept = '[1, 2500, 5000, 8999]'.replaceAll(/\d+/g, String(at));
    assert.equal(await restarted.run('select n from u where id in (1, 2500, 5000, 8999)'), kept);
    // The log brings the other one to the present.
    assert.equal(await restarted.run('select n from logged'), `[${n}]`);
  }
});

/** A model of the two tables: logged rows are never lost, unlogged ones go back to the newest checkpoint. */
type Model = { logged: Map<number, number>; unlogged: Map<number, number>; saved: Map<number, number> };

function textOf(rows: ReadonlyMap<number, number>): string {
  const sorted = [...rows].sort(([a], [b]) => a - b);
  return `[${sorted.map(([id, n]) => `[${id}, ${n}]`).join(', ')}]`;
}

const KEY_COUNT = 12;

/** One transaction at random, in SQL and in the model; some fail and do nothing. */
async function transact(db: FileDatabase, model: Model, random: SeededRandom): Promise<void> {
  const statements: string[] = [];
  const changed = { logged: new Map(model.logged), unlogged: new Map(model.unlogged) };
  for (let count = 1 + random.below(3); count > 0; count--) {
    const kind = random.oneIn(2) ? 'logged' : 'unlogged';
    const id = random.below(KEY_COUNT);
    const n = random.below(1000);
    if (random.oneIn(3)) {
      statements.push(`delete from ${kind} where id = ${id}`);
      changed[kind].delete(id);
    } else {
      statements.push(`insert into ${kind} values (${id}, ${n}) on conflict do update set n = n + excluded.n`);
      changed[kind].set(id, (changed[kind].get(id) ?? 0) + n);
    }
  }
  if (random.oneIn(6)) {
    statements.push('insert into unlogged values (500, 0), (501, 0), (502, 0), (503, 0), (500, 0)');
    await db.fails(statements.join('; '), 'key_conflict');
    return;
  }
  await db.run(statements.join('; '));
  Object.assign(model, changed);
}

test('random transactions, checkpoints that fail at first, kills and power losses: always the state of a checkpoint', async () => {
  const given = { wal_sync_on_write: true, wal_rotate_wm: 4096 };
  for (let seed = 1; seed <= 6; seed++) {
    const random = new SeededRandom(seed * 7919);
    let db = new FileDatabase(new SimulatedFiles(), given);
    await db.run('create table logged (id int primary key, n int)');
    await db.run('create unlogged table unlogged (id int primary key, n int)');
    const model: Model = { logged: new Map(), unlogged: new Map(), saved: new Map() };
    for (let step = 0; step < 60; step++) {
      const context = `seed ${seed}, step ${step}`;
      const action = random.below(10);
      if (action < 6) await transact(db, model, random);
      else if (action < 8) {
        let left = random.oneIn(2) ? random.below(40) : Number.POSITIVE_INFINITY;
        db.files.fault = (_operation, name) => (left-- === 0 && name !== 'rename' ? 'error' : undefined);
        const now = new Map(model.unlogged);
        const isWritten = await db.run('checkpoint').then(
          () => true,
          () => false,
        );
        db.files.fault = () => undefined;
        if (!isWritten) await db.run('checkpoint');
        model.saved = now;
      } else {
        const files = action === 8 ? db.files.clone() : db.files.afterPowerLoss(random);
        db = new FileDatabase(files, given);
        model.unlogged = new Map(model.saved);
        db.verify();
      }
      assert.equal(await db.run('select * from logged order by id'), textOf(model.logged), context);
      assert.equal(await db.run('select * from unlogged order by id'), textOf(model.unlogged), context);
      assert.ok(db.checkpoints().length <= 1, context);
    }
  }
});
