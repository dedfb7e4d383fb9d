/** UPDATE of primary key columns from many connections at once, over backends in threads of their own. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../src/testing/random.ts';
import { checkError, Database } from './database.ts';

const PLACES = 200;
const SUM = (PLACES * (PLACES - 1)) / 2;

test('moves that succeed and fail keep every place taken by one row, read at any time and after a restart', async () => {
  const db = await Database.start();
  await db.text('create table seats (place int primary key, who int not null)');
  await db.text('create index by_who on seats (who)');
  await db.text('create table other (id int primary key)');
  await db.text('insert into other values (7)');
  const seats = Array.from({ length: PLACES }, (_, place) => `(${place}, ${place})`);
  await db.text(`insert into seats values ${seats.join(', ')}`);

  const shift = (by: number): string => `update seats set place = (place + ${by}) % ${PLACES}`;
  const read = 'select count(*), min(place), max(place), sum(place), sum(who) from seats';
  const expected = `[[${PLACES}, 0, ${PLACES - 1}, ${SUM}, ${SUM}]]`;
  const run = async (seed: number): Promise<void> => {
    const random = new SeededRandom(seed);
    for (let round = 0; round < 40; round++) {
      const a = random.below(PLACES);
      const b = (a + 1 + random.below(PLACES - 1)) % PLACES;
      switch (random.below(7)) {
        case 0:
          await db.text(shift(1 + a));
          break;
        case 1:
          assert.equal(await db.text(`${shift(a)}; ${shift(b)}; ${read} format 'json'`), expected);
          break;
        case 2: {
          const moved = `update seats set place = case place when ${a} then ${b} else ${a} end where place in (${a}, ${b}) returning place`;
          const places = (await db.rows(`${moved} format 'json'`)) as number[];
          assert.deepEqual(new Set(places), new Set([a, b]));
          break;
        }
        case 3:
          checkError(await db.send(`update seats set place = ${a} where place = ${b}`), 400, 'key_conflict', `(${a})`);
          break;
        case 4:
          checkError(await db.send(`${shift(a)}; update seats set who = 1 / (who - ${b})`), 400, 'zero_division');
          break;
        case 5: {
          // Other nodes have written when one finds the key: what runs ahead on top of it is taken back.
          const ids = Array.from({ length: 6 }, (_, index) => `(${1000 + seed * 1000 + round * 10 + index})`);
          checkError(await db.send(`insert into other values ${ids.join(', ')}, (7)`), 400, 'key_conflict', '(7)');
          break;
        }
        default:
          assert.equal(await db.text(`${read} format 'json'`), expected);
      }
    }
  };
  await Promise.all(Array.from({ length: 12 }, (_, seed) => run(seed + 1)));

  const rows = (await db.rows("select place, who from seats order by place format 'json'")) as [number, number][];
  assert.deepEqual(
    rows.map(([place]) => place),
    Array.from({ length: PLACES }, (_, place) => place),
  );
  const byIndex = (await db.rows("select place from seats use index (by_who) order by who format 'json'")) as number[];
  assert.deepEqual(
    byIndex,
    [...rows].sort(([, a], [, b]) => a - b).map(([place]) => place),
  );
  await db.stop('SIGKILL');
  await db.restart();
  assert.deepEqual(await db.rows("select place, who from seats order by place format 'json'"), rows);
  assert.equal(await db.text("select id from other format 'json'"), '[7]');
  await db.stop();
});
