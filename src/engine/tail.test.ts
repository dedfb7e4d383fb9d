/**
 * A coordinator section that can fail after nodes have written: the participant with the last vote runs it before it
 * votes, and a failure undoes what was written; with one backend and several, with tickets that WAIT and without.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONTROL_EPOCH, FLAG_DRAINED, FLAG_WAIT } from '../executor/layout.ts';
import { TicketClient } from '../executor/ticket-client.ts';
import { FileDatabase } from '../testing/file-database.ts';
import { SimulatedFiles } from '../testing/simulated-files.ts';

const ROWS = Array.from({ length: 40 }, (_, id) => `(${id}, ${id})`).join(', ');
const SUM = (39 * 40) / 2;

const LIMITS = { limit_send: 4000 };

for (const nodeCount of [1, 3]) {
  for (const wait of [0, FLAG_WAIT]) {
    test(`a tail that fails undoes what its request wrote: ${nodeCount} backends${wait === 0 ? '' : ', WAIT'}`, async (context) => {
      const { submit } = TicketClient.prototype;
      context.mock.method(TicketClient.prototype, 'submit', function (this: TicketClient, ...given) {
        const [block, maskLow, maskHigh, flags, version, programId] = given as Parameters<typeof submit>;
        const more = (flags & FLAG_DRAINED) === 0 ? wait : 0;
        return submit.call(this, block, maskLow, maskHigh, flags | more, version, programId);
      } as typeof submit);
      const db = new FileDatabase(new SimulatedFiles(), LIMITS, nodeCount);
      const sum = (): Promise<string> => db.run('select sum(x) from t');
      await db.run('create table t (id int primary key, x int)');
      await db.run(`insert into t values ${ROWS}`);

      // A division by what the nodes' partial sums add up to.
      const divide = (divisor: number): string =>
        `begin; update t set x = x + 1; select 1000 / (sum(x) - ${divisor}) from t; commit`;
      await db.fails(divide(SUM + 40), 'zero_division');
      assert.equal(await sum(), `[${SUM}]`);
      assert.equal(await db.run(divide(SUM + 40 - 10)), '[100]');
      assert.equal(await sum(), `[${SUM + 40}]`);

      // Of one row, and so of one node.
      const one = 'begin; update t set x = x + 1 where id = 7; select 1 / (sum(x) - 9) from t where id = 7; commit';
      await db.fails(one, 'zero_division');
      assert.equal(await db.run('select x from t where id = 7'), '[8]');
      assert.equal(await db.run(one.replace('- 9', '- 8')), '[1]');

      // A result over limit_send.
      await db.fails("update t set x = 0 returning repeat('x', 200)", 'limit_exceeded');
      await db.fails("delete from t returning repeat('x', 200)", 'limit_exceeded');
      assert.equal(await sum(), `[${SUM + 41}]`);

      // What was sent right behind it runs on what it left.
      const before = Atomics.load(db.engine.database.control.words, CONTROL_EPOCH);
      const [first, second, third] = await Promise.allSettled([
        db.run(divide(SUM + 41 + 40)),
        db.run('select sum(x) from t'),
        db.run('update t set x = 0 where id = 7 returning x'),
      ]);
      assert.equal(first!.status, 'rejected');
      assert.equal((second as PromiseFulfilledResult<string>).value, `[${SUM + 41}]`);
      assert.equal((third as PromiseFulfilledResult<string>).value, '[0]');
      const rollbacks = Atomics.load(db.engine.database.control.words, CONTROL_EPOCH) - before;
      assert.equal(rollbacks, nodeCount > 1 && wait === 0 ? 1 : 0);
    });
  }
}
