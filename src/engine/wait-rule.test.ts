/** Programs that fail often on several nodes: their tickets carry FLAG_WAIT, and only theirs. */

import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { SystemClock, SystemFiles, SystemRandom } from '../base/files.ts';
import { CONTROL_EPOCH, FLAG_WAIT, SLOT_ATTEMPT, SLOT_FLAGS } from '../executor/layout.ts';
import { InlineEngine } from './inline-engine.ts';
import { defaultSettings } from './settings.ts';

type Submitted = { readonly mask: number; readonly isWaiting: boolean; readonly slot: number };

/** An engine of two nodes with table t, and the tickets that it takes. */
class Tickets {
  readonly engine: InlineEngine;
  readonly submitted: Submitted[] = [];
  /** Keys of each node that are not in use. */
  readonly free: [number[], number[]] = [[], []];
  /** Of each node, a key that is in the table. */
  readonly taken: [number, number] = [0, 0];

  constructor() {
    this.engine = new InlineEngine({
      settings: { ...defaultSettings(''), backends: 2, timezone: 'UTC' },
      directory: undefined,
      nodeCount: 2,
      files: new SystemFiles(),
      clock: new SystemClock(),
      random: new SystemRandom(),
      changeSetting: () => {},
    });
    const { tickets } = this.engine.frontend;
    const submit = tickets.submit.bind(tickets);
    tickets.submit = (block, maskLow, maskHigh, flags, version, programId): boolean => {
      const isTaken = submit(block, maskLow, maskHigh, flags, version, programId);
      const slot = this.engine.database.control.slotOf(tickets.youngestTicket);
      if (isTaken) this.submitted.push({ mask: maskLow, isWaiting: (flags & FLAG_WAIT) !== 0, slot });
      return isTaken;
    };
  }

  async open(): Promise<void> {
    await this.run('create table t (id int primary key, v int)');
    for (let key = 0; key < 6000; key++) this.free[await this.#nodeOf(key)].push(key);
    for (const node of [0, 1] as const) {
      this.taken[node] = this.free[node].pop()!;
      await this.run(`insert into t values (${this.taken[node]}, 0)`);
    }
  }

  async #nodeOf(key: number): Promise<0 | 1> {
    await this.run(`select v from t where id = ${key}`);
    return this.last.mask === 1 ? 0 : 1;
  }

  get last(): Submitted {
    return this.submitted.at(-1)!;
  }

  /** The code of the error, '' where there is none. */
  async run(sql: string): Promise<string> {
    try {
      await this.engine.execute(new TextEncoder().encode(sql), undefined, 'json', undefined);
      return '';
    } catch (error) {
      return (error as { code: string }).code;
    }
  }

  /** Two rows, one for each node; failing, node 0 writes and node 1 has the key already. */
  pair(isFailing: boolean): string {
    return `insert into t values (${this.free[0].pop()}, 1), (${isFailing ? this.taken[1] : this.free[1].pop()}, 1)`;
  }

  /** The same with a tail, so of another shape. */
  otherPair(isFailing: boolean): string {
    return `${this.pair(isFailing)} returning id`;
  }

  get rollbackCount(): number {
    return Atomics.load(this.engine.database.control.words, CONTROL_EPOCH);
  }
}

async function openTickets(): Promise<Tickets> {
  const tickets = new Tickets();
  await tickets.open();
  return tickets;
}

test('a shape that fails often begins to wait, and then costs no rollback; when it fails no more it stops', async () => {
  const db = await openTickets();
  for (let run = 0; run < 12; run++) {
    assert.equal(await db.run(db.pair(true)), 'key_conflict');
    assert.equal(db.last.isWaiting, false);
  }
  assert.equal(db.rollbackCount, 12);
  for (let run = 0; run < 20; run++) {
    assert.equal(await db.run(db.pair(run % 2 === 0)), run % 2 === 0 ? 'key_conflict' : '');
    assert.deepEqual([db.last.mask, db.last.isWaiting], [3, true]);
  }
  assert.equal(db.rollbackCount, 12, 'a ticket that waits needs no rollback');
  let runCount = 0;
  while (db.last.isWaiting && ++runCount < 2000) assert.equal(await db.run(db.pair(false)), '');
  assert.equal(db.last.isWaiting, false, 'the mode is left');
  assert.ok(runCount > 100, `not by the first success: ${runCount}`);
  assert.equal(db.rollbackCount, 12);
  await db.engine.close();
});

test('tickets of one node, other shapes, reads, and 1 % of failures do not wait', async () => {
  const db = await openTickets();
  for (let run = 0; run < 20; run++) await db.run(db.pair(true));
  assert.equal(db.last.isWaiting, true);
  const [a, b] = [db.free[0].pop()!, db.free[0].pop()!];
  assert.equal(await db.run(`insert into t values (${a}, 1), (${b}, 1)`), '', 'the same shape on one node');
  assert.deepEqual([db.last.mask, db.last.isWaiting], [1, false]);
  assert.equal(await db.run(db.otherPair(false)), '');
  assert.deepEqual([db.last.mask, db.last.isWaiting], [3, false]);
  for (let run = 0; run < 20; run++) assert.equal(await db.run('select 1 / v from t'), 'zero_division');
  assert.deepEqual([db.last.mask, db.last.isWaiting], [3, false], 'reads fail without a rollback');
  for (let run = 0; run < 50; run++) {
    const conflict = `insert into t values (${db.taken[0]}, 1)`;
    assert.equal(await db.run(conflict), 'key_conflict');
  }
  assert.equal(await db.run(`insert into t values (${db.free[0].pop()}, 1)`), '');
  assert.equal(db.last.isWaiting, false, 'failures on one node are nothing to wait for');
  for (let run = 0; run < 600; run++) {
    await db.run(db.otherPair(run % 100 === 99));
    assert.equal(db.last.isWaiting, false);
  }
  await db.engine.close();
});

test('a rerun keeps the flag of its first run, set or not', async () => {
  const db = await openTickets();
  const { frontend, database } = db.engine;
  for (let run = 0; run < 12; run++) await db.run(db.pair(true));
  const from = db.submitted.length;
  const outcomes: string[] = [];
  const submit = (sql: string): void => {
    const bytes = new TextEncoder().encode(sql);
    frontend.execute(bytes, 0, bytes.length, undefined, 'json', undefined, (error) => {
      outcomes.push(error === undefined ? 'ok' : error.code);
    });
  };
  // The first does not wait, fails, and takes what follows it back: a ticket that waits, and one that does not.
  submit(db.otherPair(true));
  submit(db.pair(false));
  submit(db.otherPair(false));
  submit(db.pair(true));
  db.engine.run();
  assert.deepEqual(outcomes, ['key_conflict', 'ok', 'ok', 'key_conflict']);
  const { words } = database.control;
  const after = db.submitted.slice(from).map(({ isWaiting, slot }) => ({
    isWaiting,
    stillWaits: (words[slot + SLOT_FLAGS]! & FLAG_WAIT) !== 0,
    attempt: words[slot + SLOT_ATTEMPT],
  }));
  assert.deepEqual(after, [
    { isWaiting: false, stillWaits: false, attempt: 0 },
    { isWaiting: true, stillWaits: true, attempt: 1 },
    { isWaiting: false, stillWaits: false, attempt: 1 },
    { isWaiting: true, stillWaits: true, attempt: 1 },
  ]);
  assert.equal(db.rollbackCount, 13);
  await db.engine.close();
});
