/**
 * Round after round, from the command line: `npm run test:serializability -- --seconds=600 --seed=7`. Each round has other
 * numbers of frontends and backends; in some the server is killed. The seed gives the same requests again, not the same timing:
 * of a round that fails, the history is printed as far as it shows what is wrong.
 */

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { parseArgs } from 'node:util';
import { SeededRandom } from '../../src/testing/random.ts';
import { Database } from '../server/database.ts';
import { checkHistory, describeAnomalies } from './checker.ts';
import { recordRound } from './workload.ts';

const ROUNDS_A_SERVER = 8;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string' },
    transactions: { type: 'string', default: '4000' },
  },
});
const firstSeed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
const transactionCount = Number(values.transactions);

test('strict serializability', async () => {
  const endMs = performance.now() + Number(values.seconds) * 1000;
  let seed = firstSeed;
  while (performance.now() < endMs) {
    const random = new SeededRandom(seed);
    const settings = [1 + random.below(4), 1 + random.below(5), random.oneIn(4)] as const;
    const [frontendCount, backendCount, isSyncing] = settings;
    console.log(`${frontendCount} frontends, ${backendCount} backends${isSyncing ? ', synced' : ''}`);
    const db = await Database.start(
      `--frontends=${frontendCount}`,
      `--backends=${backendCount}`,
      `--wal_sync_on_write=${isSyncing}`,
    );
    for (let round = 0; round < ROUNDS_A_SERVER && performance.now() < endMs; round++) {
      const killAfter = random.oneIn(3) ? 1 + random.below(transactionCount) : 0;
      const history = await recordRound(db, { seed, transactionCount, killAfter });
      const anomalies = checkHistory(history);
      assert.equal(anomalies.length, 0, `seed ${seed}: ${describeAnomalies(anomalies)}`);
      const abortedCount = history.filter(({ outcome }) => outcome === 'aborted').length;
      const unknownCount = history.filter(({ outcome }) => outcome === 'unknown').length;
      console.log(
        `seed ${seed}: ${history.length} transactions, ${abortedCount} aborted, ${unknownCount} unknown: one order`,
      );
      seed = (seed + 1) % 2 ** 31;
    }
    await db.stop();
  }
});
