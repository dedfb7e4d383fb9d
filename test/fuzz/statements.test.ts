/**
 * Changed statements on an engine with tables: each gives a result or an error of the catalogue with its position in the text,
 * and the engine lives on. SEED repeats a run, AMELIE_FUZZ_FACTOR makes it longer.
 */

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type AmelieDatabase, open } from '../../src/embed/index.ts';
import { bytesOf, caseCount, corpus, mutate, SEED, SQL_PIECES, seeded, tokenSoup } from './mutations.ts';
import { Watchdog } from './watchdog.ts';

const watchdog = new Watchdog();
after(() => watchdog.close());

/** Statements that take long or much memory because they say so. */
const COSTLY = /sleep|repeat|generate|[lr]pad|partitions|alter\s+system|set\s/i;
const PARAMETERS: readonly unknown[] = [
  null,
  1,
  -1,
  2.5,
  'a',
  '',
  true,
  9223372036854775807n,
  [1, 'x', null],
  { a: { b: 1 } },
  '2020-01-01',
];

async function run(db: AmelieDatabase, sql: string, parameters: readonly unknown[]): Promise<number> {
  const bytes = bytesOf(sql);
  watchdog.next(bytes);
  const note = (): string => `seed ${SEED}: ${JSON.stringify(sql)} with ${parameters.map(String).join(', ')}`;
  let reply: { status: number; body: string };
  try {
    reply = await db.execute(sql, parameters);
  } catch (error) {
    throw new Error(note(), { cause: error });
  }
  const { status, body } = reply;
  if (status < 300) {
    if (body !== '') assert.doesNotThrow(() => JSON.parse(body), `${note()}: ${body}`);
    return status;
  }
  const { code, msg, position } = JSON.parse(body) as { code: string; msg: string; position?: number };
  assert.notEqual(code, 'internal', `${note()}: ${msg}`);
  if (position !== undefined)
    assert.ok(position >= 0 && position <= bytes.length, `${note()}: position ${position}: ${msg}`);
  return status;
}

test(`statements of the data files with pieces changed, seed ${SEED}`, async () => {
  const random = seeded('statements');
  const files = corpus();
  for (let round = caseCount(1); round > 0; round--)
    for (const statements of files) {
      const db = await open({ backends: 3 });
      for (const statement of statements) {
        if (COSTLY.test(statement)) continue;
        for (let copies = 2; copies > 0; copies--) {
          const changed = Buffer.from(mutate(random, bytesOf(statement), SQL_PIECES)).toString();
          const count = random.oneIn(2) ? 0 : 1 + random.below(2);
          const parameters = Array.from({ length: count }, () => random.pick(PARAMETERS));
          if (!COSTLY.test(changed)) await run(db, changed, parameters);
        }
        await run(db, statement, []);
      }
      assert.equal(await run(db, 'select 1', []), 200);
      await db.close();
    }
});

test(`soups of tokens behind SELECT, seed ${SEED}`, async () => {
  const random = seeded('soups');
  const db = await open({ backends: 2 });
  await run(db, 'create table t (id int primary key, a int, b text, c json, d double)', []);
  await run(db, 'insert into t values (1, 2, \'three\', {"a": [4]}, 5.5), (2, null, null, null, null)', []);
  for (let left = caseCount(4000); left > 0; left--) {
    const sql = `select ${tokenSoup(random, 6)}${random.oneIn(2) ? ' from t' : ''}`;
    if (!COSTLY.test(sql)) await run(db, sql, random.oneIn(2) ? [] : [random.pick(PARAMETERS)]);
  }
  await db.close();
});
