/** Checkpoints and what a start makes of them, over simulated files: the whole engine in this thread. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SqlError } from '../base/errors.ts';
import { LogDamage } from '../log/recover.ts';
import { CHECKPOINTS, FileDatabase, nameOf, WAL } from '../testing/file-database.ts';
import { SeededRandom } from '../testing/random.ts';
import { SimulatedFiles } from '../testing/simulated-files.ts';

const ALL_TYPES = `create table everything (
  id bigint primary key, b bool, ti tinyint, si smallint, i int, f float, d double, s text, j json,
  at timestamp, span interval, day date, v vector, u uuid, needed int not null)`;

/** Rows of all types; each column is NULL in some, texts and JSON are long in some. */
function insertAll(first: number, count: number): string {
  const rows = Array.from({ length: count }, (_, offset) => {
    const id = first + offset;
    const values = [
      id % 2 === 0 ? 'true' : 'false',
      String((id % 256) - 128),
      String((id * 7919) % 32768),
      String(id * 1000),
      `${id}.5`,
      `${id}.25`,
      id % 97 === 0 ? `'${'long text '.repeat(9000)}'` : `'text ${id % 13}'`,
      `'{"k": [${id}, null, "${'j'.repeat(id % 50)}"]}'`,
      `'2031-02-03 04:05:06.${String(id).padStart(6, '0')}'`,
      `'${id} months ${id % 7} days'`,
      "'2031-07-04'",
      `[${id}, 0.5, -1]`,
      `'00000000-0000-4000-8000-${String(id).padStart(12, '0')}'`,
    ].map((value, column) => ((id + column) % 5 === 0 ? 'null' : value));
    return `(${[id, ...values, id % 10].join(', ')})`;
  });
  return `insert into everything values ${rows.join(', ')}`;
}

async function makeEverything(db: FileDatabase): Promise<void> {
  await db.run(ALL_TYPES);
  await db.run('create index by_text on everything (s, i)');
  await db.run('create index by_day on everything (needed desc, id)');
  await db.run("create index by_span on everything (span) with (type = 'hash')");
  await db.run('create schema other');
  await db.run("create table other.counted (id serial primary key, n int default 7) with (type = 'hash')");
  await db.run('create table nothing (id int primary key)');
  for (let first = 0; first < 600; first += 100) await db.run(insertAll(first, 100));
  await db.run('delete from everything where id % 6 = 1');
  await db.run('insert into other.counted (n) values (1), (2), (3)');
  await db.run('delete from other.counted where id = 2');
}

const QUESTIONS = [
  'select * from everything order by id',
  "select id from everything where s = 'text 5' order by i, id",
  'select id from everything where needed = 3 order by id',
  "select id from everything where span = interval '12 months 5 days'",
  'select * from other.counted order by id',
  'select count(*) from nothing',
  'show tables',
];

async function answers(db: FileDatabase): Promise<string[]> {
  const found: string[] = [];
  for (const question of QUESTIONS) found.push(await db.run(question));
  return found;
}

test('a start from a checkpoint has every type, index, counter and schema, and the log goes on behind it', async () => {
  const db = new FileDatabase(new SimulatedFiles());
  await makeEverything(db);
  const before = await answers(db);
  await db.run('checkpoint');
  assert.deepEqual(db.checkpoints(), [nameOf(db.lsn)]);
  const restarted = db.restarted();
  restarted.verify();
  assert.deepEqual(await answers(restarted), before);
  assert.equal(restarted.engine.database.recovered!.log.recordCount, 0);
  assert.equal(restarted.lsn, db.lsn);
  // Identity goes on above what was given out (0, 1, 2), deleted or not.
  assert.equal(await restarted.run('insert into other.counted (n) values (9) returning id'), '[3]');
  await restarted.run('update everything set s = null, i = 5 where id < 50');
  await restarted.run('create index later on everything (u)');
  await restarted.run('drop table nothing');
  await restarted.run(insertAll(1000, 20));
  const after = await restarted.run('select * from everything order by id');
  const third = restarted.restarted();
  third.verify();
  assert.equal(await third.run('select * from everything order by id'), after);
  assert.equal(third.engine.database.recovered!.log.recordCount, restarted.lsn - db.lsn);
  assert.equal(await third.run('insert into other.counted (n) values (9) returning id'), '[4]');
});

/** What goes on while a checkpoint is written: the third column of the table, its value in row n, and one change. */
const CHANGES = [
  {
    what: 'rows come, go and get other texts',
    column: 'filler text',
    value: (n: number) => `'filler ${n % 10}'`,
    recordsPerChange: 2,
    change: async (db: FileDatabase, count: number, id: number) => {
      await db.run(`update account set v = v - 1, filler = 'changed ${count}' where id = ${id}`);
      await db.run(`delete from account where id = ${id + 1}; insert into account values (${50_000 + count}, 1, 'n')`);
    },
  },
  {
    what: 'columns of fixed width are updated, and updates undone',
    column: 'n int',
    value: (n: number) => (n % 3 === 0 ? 'null' : String(n)),
    recordsPerChange: 1,
    change: async (db: FileDatabase, count: number, id: number) => {
      await db.run(`update account set v = v - 1, n = ${count % 2 === 0 ? 'null' : count} where id = ${id}`);
      if (count % 50 !== 7) return;
      const undone = `update account set v = v - 7, n = ${count} where id < ${id}`;
      await db.fails(`${undone}; insert into account values (${count}, 0, 0), (-1, 0, 0)`, 'key_conflict');
    },
  },
] as const;

for (const { what, column, value, recordsPerChange, change } of CHANGES) {
  test(`a checkpoint is of one LSN while ${what}`, async () => {
    const db = new FileDatabase(new SimulatedFiles());
    await db.run(`create table account (id int primary key, v bigint, ${column})`);
    for (let first = 0; first < 30_000; first += 1000) {
      const rows = Array.from({ length: 1000 }, (_, n) => `(${first + n}, 100, ${value(n)})`);
      await db.run(`insert into account values ${rows.join(', ')}`);
    }
    const frozenLsn = db.lsn;
    const before = await db.run('select * from account order by id');
    const written = db.run('checkpoint');
    let changes = 0;
    let isOver = false;
    void written.then(() => {
      isOver = true;
    });
    // The fence comes first.
    await new Promise((resolve) => setImmediate(resolve));
    while (!isOver) {
      const id = (changes * 3701) % 30_000;
      await change(db, changes, id);
      if (changes++ % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await written;
    assert.ok(changes > 60, `${changes} changes`);
    assert.deepEqual(db.checkpoints(), [nameOf(frozenLsn)]);
    db.verify();
    const all = db.restarted();
    all.verify();
    const now = await db.run('select * from account order by id');
    assert.equal(await all.run('select * from account order by id'), now);
    assert.ok(all.engine.database.recovered!.log.recordCount >= recordsPerChange * (changes - 1));
    // Without the log behind it: exactly the state of its LSN.
    const alone = db.files.clone();
    for (const name of alone.list(WAL)) alone.remove(`${WAL}/${name}`);
    alone.setContents(`${WAL}/${nameOf(frozenLsn + 1)}.wal`, new Uint8Array(0));
    const old = new FileDatabase(alone);
    old.verify();
    assert.equal(await old.run('select * from account order by id'), before);
    assert.equal(old.lsn, frozenLsn);
  });
}

test('two checkpoints: older ones and WAL files before them go, what is still needed stays', async () => {
  const db = new FileDatabase(new SimulatedFiles(), { wal_rotate_wm: 4096, wal_sync_on_rotate: false });
  await db.run('create table t (id int primary key, v text)');
  const insert = (id: number): Promise<string> => db.run(`insert into t values (${id}, '${'v'.repeat(500)}')`);
  for (let id = 0; id < 40; id++) await insert(id);
  const walFiles = (): number[] => db.files.list(WAL).map((name) => Number(name.slice(0, 20)));
  assert.ok(walFiles().length > 3);
  assert.match(await db.run('show wal'), /"checkpoint": 0, "lsn": 42, "lsn_min": 1,/);
  await db.run('checkpoint workers 2');
  const first = db.lsn;
  assert.equal(walFiles().length, 1);
  for (let id = 40; id < 80; id++) await insert(id);
  const between = walFiles();
  assert.ok(between.length > 3);
  const restarted = db.restarted();
  assert.equal(await restarted.run('select count(*) from t'), '[80]');
  assert.equal(await restarted.run('show checkpoint'), `[${first}]`);
  await db.run('checkpoint');
  assert.deepEqual(db.checkpoints(), [nameOf(db.lsn)]);
  assert.deepEqual(walFiles(), between.slice(-1));
  const status = await db.run('show wal');
  assert.match(
    status,
    new RegExp(`"checkpoint": ${db.lsn}, "lsn": ${db.lsn}, "lsn_min": ${between.at(-1)}, "files": 1,`),
  );
  assert.equal(await db.restarted().run('select count(*), sum(id) from t'), '[[80, 3160]]');
});

test('without changes a checkpoint does nothing', async () => {
  const db = new FileDatabase(new SimulatedFiles());
  await db.run('checkpoint');
  assert.deepEqual(db.checkpoints(), []);
  await db.run('create table t (id int primary key)');
  await db.run('checkpoint');
  const before = db.files.operationCount;
  await db.run('checkpoint');
  await db.run('select count(*) from t');
  await db.run('checkpoint');
  assert.equal(db.files.operationCount, before);
  const restarted = db.restarted();
  const afterStart = restarted.files.operationCount;
  await restarted.run('checkpoint');
  assert.equal(restarted.files.operationCount, afterStart);
  await db.fails('checkpoint workers 0', 'invalid_value', 'at least one');
  await db.fails('select 1; checkpoint', 'misplaced_statement', 'alone');
});

test('every operation of a checkpoint fails once: the one before stays, and the next one succeeds', async () => {
  const db = new FileDatabase(new SimulatedFiles(), { wal_rotate_wm: 4096, wal_sync_on_rotate: false });
  await db.run('create table t (id int primary key, v text)');
  for (let id = 0; id < 30; id++) await db.run(`insert into t values (${id}, '${'v'.repeat(400)}')`);
  await db.run('checkpoint');
  const kept = nameOf(db.lsn);
  for (let failing = 0; ; failing++) {
    await db.run(`insert into t values (${1000 + failing}, 'more')`);
    const expected = await db.run('select * from t order by id');
    let left = failing;
    db.files.fault = (_operation, name) => (left-- === 0 && name !== 'truncate' ? 'error' : undefined);
    const failed = await db.run('checkpoint').then(
      () => undefined,
      (error: SqlError) => error,
    );
    const hasFailed = left < 0;
    db.files.fault = () => undefined;
    if (failed !== undefined) {
      assert.equal(failed.code, 'checkpoint_failure');
      const found = db.checkpoints().filter((name) => !name.endsWith('.incomplete'));
      assert.deepEqual(found, [kept]);
    }
    db.verify();
    const restarted = db.restarted();
    restarted.verify();
    assert.equal(await restarted.run('select * from t order by id'), expected);
    assert.ok(restarted.checkpoints().every((name) => !name.endsWith('.incomplete')));
    if (!hasFailed) break;
    assert.ok(failing < 200, 'the operations of a checkpoint come to an end');
    if (failed === undefined) break;
  }
  await db.run('insert into t values (5000, null)');
  await db.run('checkpoint');
  assert.deepEqual(db.checkpoints(), [nameOf(db.lsn)]);
});

test('the power goes at every operation of a checkpoint: nothing is lost', async () => {
  const seed = 20_310_704;
  const random = new SeededRandom(seed);
  const given = { wal_rotate_wm: 4096, wal_sync_on_write: true };
  const base = new FileDatabase(new SimulatedFiles(), given);
  await base.run('create table t (id int primary key, v text)');
  for (let id = 0; id < 30; id++) await base.run(`insert into t values (${id}, '${'v'.repeat(400)}')`);
  await base.run('checkpoint');
  await base.run('insert into t values (1000, null)');
  const expected = await base.run('select * from t order by id');
  const found = new Set<string>();
  for (let at = 0; at < 200; at++) {
    const db = base.restarted(given);
    let left = at;
    let after: SimulatedFiles | undefined;
    db.files.fault = () => {
      if (left-- === 0) after = db.files.afterPowerLoss(random);
      return undefined;
    };
    await db.run('checkpoint');
    if (after === undefined) break;
    const restarted = new FileDatabase(after, given);
    restarted.verify();
    assert.equal(await restarted.run('select * from t order by id'), expected, `seed ${seed}, operation ${at}`);
    found.add(restarted.checkpoints().join());
  }
  assert.ok(found.size >= 2, 'some are lost and some are there');
});

test('a damaged checkpoint stops the start, with file and offset, and changes nothing', async () => {
  const db = new FileDatabase(new SimulatedFiles());
  await makeEverything(db);
  await db.run('checkpoint');
  const directory = `${CHECKPOINTS}/${nameOf(db.lsn)}`;
  const names = db.files.list(directory);
  for (const name of names) {
    const path = `${directory}/${name}`;
    const bytes = db.files.contents(path);
    for (const at of [0, 9, 20, 40, bytes.length >> 1, bytes.length - 1].filter((offset) => offset < bytes.length)) {
      const damaged = db.files.clone();
      const changed = bytes.slice();
      changed[at]! ^= 0x10;
      damaged.setContents(path, changed);
      damaged.makeDirectory(`${CHECKPOINTS}/${nameOf(db.lsn + 1)}.incomplete`);
      assert.throws(
        () => new FileDatabase(damaged),
        (error) => error instanceof LogDamage && error.message.startsWith(`${path}: offset `),
        `${name}, byte ${at}`,
      );
      assert.equal(damaged.operationCount, 0);
    }
  }
  const missing = db.files.clone();
  missing.remove(`${directory}/${names.find((name) => name.endsWith('.rows'))}`);
  assert.throws(() => new FileDatabase(missing), /the file is missing/);
});

test('the interval takes checkpoints by itself, where something has changed', async () => {
  const db = new FileDatabase(new SimulatedFiles(), { checkpoint_interval: '1 ms' });
  const until = async (isTrue: () => boolean): Promise<void> => {
    const deadlineMs = performance.now() + 20_000;
    while (!isTrue()) {
      assert.ok(performance.now() < deadlineMs);
      await db.run('select 1');
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await db.run('create table t (id int primary key)');
  await until(() => db.checkpoints().includes(nameOf(2)));
  await db.run('insert into t values (1)');
  await until(() => db.checkpoints().join() === nameOf(3));
  assert.equal(await db.restarted().run('select * from t'), '[1]');
});

test('a table dropped while its checkpoint is written is in the checkpoint, and gone behind it', async () => {
  const db = new FileDatabase(new SimulatedFiles());
  await db.run('create table gone (id int primary key, v text)');
  await db.run('create table kept (id int primary key, v text)');
  const rows = Array.from({ length: 6000 }, (_, id) => `(${id}, 'value of ${id}')`);
  await db.run(`insert into gone values ${rows.join(', ')}`);
  await db.run(`insert into kept values ${rows.join(', ')}`);
  const used = db.engine.database.memory.usedPages();
  const written = db.run('checkpoint');
  await db.run('drop table gone');
  await db.run('create table gone (id int primary key)');
  await db.run('create index by_v on kept (v)');
  await written;
  db.verify();
  const restarted = db.restarted();
  restarted.verify();
  assert.equal(await restarted.run('select count(*) from gone'), '[0]');
  assert.equal(await restarted.run("select id from kept where v = 'value of 77'"), '[77]');
  assert.ok(db.engine.database.memory.usedPages() < used + 100);
});

test('a process killed behind the rename: the next start makes it durable before it removes the log', async () => {
  const given = { wal_rotate_wm: 4096, wal_sync_on_write: true };
  const db = new FileDatabase(new SimulatedFiles(), given);
  await db.run('create table t (id int primary key, v text)');
  for (let id = 0; id < 30; id++) await db.run(`insert into t values (${id}, '${'v'.repeat(400)}')`);
  let killed: SimulatedFiles | undefined;
  db.files.fault = (_operation, name, path) => {
    if (name === 'syncDirectory' && path === CHECKPOINTS) killed = db.files.clone();
    return undefined;
  };
  await db.run('checkpoint');
  const restarted = new FileDatabase(killed!, given);
  assert.deepEqual(restarted.checkpoints(), [nameOf(db.lsn)]);
  for (let seed = 1; seed <= 20; seed++) {
    const after = new FileDatabase(restarted.files.afterPowerLoss(new SeededRandom(seed)), given);
    assert.equal(await after.run('select count(*) from t'), '[30]', `seed ${seed}`);
  }
});

test('a log of which nothing was synced, behind a checkpoint: it goes on, and is never without a file', async () => {
  const db = new FileDatabase(new SimulatedFiles());
  await db.run('create table t (id int primary key)');
  await db.run('insert into t values (1)');
  await db.run('checkpoint');
  const disk = db.files.clone();
  for (const name of disk.list(WAL)) disk.remove(`${WAL}/${name}`);
  disk.setContents(`${WAL}/${nameOf(db.lsn)}.wal`, new Uint8Array(7));
  const moments: SimulatedFiles[] = [];
  disk.fault = () => {
    moments.push(disk.clone());
    return undefined;
  };
  // Killed before it has written anything, and at each operation of the start.
  moments.push(new FileDatabase(disk).files.clone());
  for (const moment of moments) {
    const restarted = new FileDatabase(moment);
    assert.equal(restarted.lsn, db.lsn);
    await restarted.run('insert into t values (2)');
    assert.equal(await restarted.restarted().run('select count(*) from t'), '[2]');
  }
});

test('memory runs out at every allocation of a checkpoint: no page is lost', async () => {
  const db = new FileDatabase(new SimulatedFiles());
  await db.run('create table t (id int primary key, v text)');
  await db.run('create table other (id int primary key)');
  for (let id = 0; id < 300; id++) await db.run(`insert into t values (${id}, '${'v'.repeat(100)}')`);
  await db.run('checkpoint');
  const { memory } = db.engine.database;
  let failureCount = 0;
  for (let countdown = 0; countdown < 200; countdown++) {
    await db.run(`update t set v = 'changed ${countdown}' where id = ${countdown}`);
    db.engine.run();
    const before = memory.usedPages();
    memory.faultCountdown = countdown;
    const failed = await db.run('checkpoint').then(
      () => undefined,
      (error: SqlError) => error,
    );
    const hasFailed = memory.faultCountdown < 0;
    memory.faultCountdown = -1;
    db.engine.run();
    assert.equal(memory.usedPages(), before, `allocation ${countdown}: ${failed?.message}`);
    db.verify();
    if (failed !== undefined) failureCount++;
    else if (!hasFailed) break;
  }
  assert.ok(failureCount > 2, `${failureCount} failed`);
});
